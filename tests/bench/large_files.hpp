#pragma once
/// What the benchmarks on large files share: how they measure and print, and where the files are kept.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

#include "figures.hpp"
#include "sqlite_retake.hpp"

namespace bench {

namespace fs = std::filesystem;
using stopwatch = std::chrono::steady_clock;

inline double seconds_since(stopwatch::time_point begin) {
  return std::chrono::duration<double>(stopwatch::now() - begin).count();
}

// ---- The files ------------------------------------------------------------------------------------------------------

inline fs::path folder() {
  const char* named = std::getenv("HIRENOW_BENCH_DIR");
  return named ? fs::path(named) : fs::temp_directory_path() / "hirenow-bench";
}

/// A file that is built if it is not there yet. Its name says what it holds.
inline fs::path kept_file(const std::string& name, const std::function<void(const std::string&)>& build) {
  const fs::path path = folder() / (name + ".db");
  if (fs::exists(path)) return path;
  fs::create_directories(folder());
  std::cerr << "building " << path.string() << " ...\n";
  const fs::path half = folder() / (name + ".half");
  for (const char* rest : {"", "-wal", "-shm", "-hirenow-lock"}) fs::remove(half.string() + rest);
  build(half.string());
  fs::remove(half.string() + "-hirenow-lock");
  fs::rename(half, path);
  return path;
}

inline constexpr file_shape large{};

inline fs::path store_file() {
  return kept_file("store-8", [](const std::string& path) { build_store_file(path, large); });
}
inline fs::path bare_file() {
  return kept_file("bare-9", [](const std::string& path) { build_bare_file(path, store_file().string()); });
}

/// A copy that is gone at the end.
class working_copy {
 public:
  explicit working_copy(const fs::path& from)
      : path_(folder() / ("work-" + std::to_string(::getpid()) + "-" + from.filename().string())) {
    remove_all();
    fs::copy_file(from, path_);
  }
  ~working_copy() { remove_all(); }
  working_copy(const working_copy&) = delete;
  working_copy& operator=(const working_copy&) = delete;
  std::string path() const { return path_.string(); }

 private:
  void remove_all() {
    for (const char* rest : {"", "-wal", "-shm", "-hirenow-lock"}) fs::remove(path_.string() + rest);
  }
  fs::path path_;
};

inline std::unique_ptr<store> open(const std::string& path, sqlite_durability durability) {
  sqlite_options options;
  options.durability = durability;
  options.warn = [](std::string_view what) { std::cerr << "warning: " << what << "\n"; };
  return open_sqlite_store(path, options).value();
}

// ---- The work -------------------------------------------------------------------------------------------------------

/// Applicants with a failed interview, each handed out once, in random order.
class applicants {
 public:
  applicants() : numbers_(static_cast<std::size_t>(large.applicants - large.open)) {
    std::iota(numbers_.begin(), numbers_.end(), large.open + 1);
    std::shuffle(numbers_.begin(), numbers_.end(), std::mt19937_64(11));
  }
  std::vector<std::int64_t> take(std::size_t count) {
    if (next_ + count > numbers_.size()) throw std::runtime_error("the file has no applicant left to retake");
    const auto begin = numbers_.begin() + static_cast<std::ptrdiff_t>(next_);
    next_ += count;
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

 private:
  std::vector<std::int64_t> numbers_;
  std::size_t next_ = 0;
};

struct retake {
  change_set set;
  std::int64_t track_no;
};

/// Retakes of the next applicants, ready to be written. The clock advances by a second every 100. What `from` reads is
/// in its caches then: where they would show, it is another store than the one that is measured.
inline std::vector<retake> prepare(store& from, applicants& who, std::size_t count) {
  static std::int64_t made = 0;
  std::vector<retake> all;
  for (const auto n : who.take(count)) {
    auto record = from.load({.tenant = "acme", .who = applicant_name(n)}).value().record;
    all.push_back({make_retake(std::move(record), epoch + seconds{++made / 100}), 1 + n % tracks});
  }
  return all;
}

/// Seconds for writing these, one after the other, each in a commit of its own.
inline double write_alone(store& to, std::span<const retake> all) {
  const auto begin = stopwatch::now();
  for (const auto& one : all) to.commit(one.set).value();
  return seconds_since(begin);
}

inline double write_alone(bare_retake& writer, std::span<const retake> all) {
  const auto begin = stopwatch::now();
  for (const auto& one : all) writer.write_alone(one.set, one.track_no);
  return seconds_since(begin);
}

struct two_sides {
  double ours = 0, bare = 0;  ///< seconds
};

/// The same work on both sides, by turns of a hundred: what the machine does meanwhile falls on both.
inline two_sides by_turns(std::span<const retake> work, const std::function<double(std::span<const retake>)>& ours,
                          const std::function<double(std::span<const retake>)>& bare) {
  two_sides spent;
  constexpr std::size_t most = 100;
  for (bool ours_first = false; !work.empty(); ours_first = !ours_first) {
    const auto some = work.first(std::min(most, work.size()));
    work = work.subspan(some.size());
    if (ours_first) spent.ours += ours(some);
    spent.bare += bare(some);
    if (!ours_first) spent.ours += ours(some);
  }
  return spent;
}

inline double time_of(int count, const std::function<void()>& work) {
  const auto begin = stopwatch::now();
  for (int n = 0; n < count; ++n) work();
  return seconds_since(begin) / count;
}

/// A record read by prepared statements: every value is fetched and copied, as a record holds them.
class bare_read {
 public:
  explicit bare_read(bare_connection& db) : db_(db) {}

  /// The interviews of this number whose rows are as asked.
  std::vector<interview_id> some_interviews(int attempt = 5, const std::string& where = "applicant_no % 50 = 0") {
    std::vector<interview_id> ids;
    sqlite3_stmt* const some = db_.prepare(
        "SELECT interview FROM hirenow_interview_key WHERE attempt = " + std::to_string(attempt) + " AND " + where);
    while (sqlite3_step(some) == SQLITE_ROW) {
      interview_id id{};
      std::memcpy(id.data, sqlite3_column_blob(some, 0), 16);
      ids.push_back(id);
    }
    sqlite3_reset(some);
    return ids;
  }

  /// Reads the record of this interview. Returns something that depends on it.
  std::int64_t read(const interview_id& id) {
    db_.step(begin_);
    put(head_, 1, id);
    if (sqlite3_step(head_) != SQLITE_ROW) throw std::runtime_error("bare: not found");
    const std::int64_t applicant_no = sqlite3_column_int64(head_, 0);
    sqlite3_reset(head_);
    std::int64_t sum = copy(head_);
    put(interviews_, 1, applicant_no);
    sum += copy(interviews_);
    put(session_, 1, id);
    sum += copy(session_);
    db_.step(commit_);
    return sum;
  }

 private:
  static std::int64_t copy(sqlite3_stmt* s) {
    std::int64_t sum = 0;
    std::vector<std::string> values;
    while (sqlite3_step(s) == SQLITE_ROW)
      for (int column = 0; column < sqlite3_column_count(s); ++column) {
        const int type = sqlite3_column_type(s, column);
        if (type == SQLITE_TEXT || type == SQLITE_BLOB)
          values.emplace_back(static_cast<const char*>(sqlite3_column_blob(s, column)),
                              static_cast<std::size_t>(sqlite3_column_bytes(s, column)));
        else
          sum += sqlite3_column_int64(s, column);
      }
    sqlite3_reset(s);
    return sum;
  }

  bare_connection& db_;
  sqlite3_stmt* begin_ = db_.prepare("BEGIN");
  sqlite3_stmt* commit_ = db_.prepare("COMMIT");
  sqlite3_stmt* head_ = db_.prepare(
      "SELECT a.*, p.* FROM hirenow_interview_key k JOIN hirenow_applicant a ON a.applicant_no = k.applicant_no JOIN "
      "hirenow_person p "
      "ON p.applicant_no = a.applicant_no WHERE k.interview = ?1 AND k.tenant_no = 1");
  sqlite3_stmt* interviews_ = db_.prepare("SELECT * FROM hirenow_interview WHERE tenant_no = 1 AND applicant_no = ?1");
  sqlite3_stmt* session_ = db_.prepare(
      "SELECT s.* FROM hirenow_interview_key k JOIN hirenow_session s ON s.tenant_no = k.tenant_no AND "
      "s.applicant_no = k.applicant_no AND s.track_no = k.track_no AND s.attempt = k.attempt WHERE k.interview = ?1");
};

}  // namespace bench
