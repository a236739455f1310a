// What the SQLite store costs beside bare SQLite doing the same in a minimal schema of its own, in files of 1,000,000
// interviews at 4 KiB pages. Ratios are medians over interleaved rounds of one run; durability is said in each row.
//
// The files are built once and kept in $HIRENOW_BENCH_DIR (by default hirenow-bench in the temporary folder); each run
// works on copies.

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <future>
#include <iostream>
#include <mutex>
#include <numeric>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "large_files.hpp"

namespace bench {
namespace {

/// Seconds until `callers` threads have written these; each latency is added to `latencies`.
template <class Write>
double write_together(std::size_t callers, const std::vector<retake>& all, Write write,
                      std::vector<double>* latencies) {
  std::atomic<std::size_t> next{0};
  std::vector<std::vector<double>> each(callers);
  std::vector<std::thread> threads;
  const auto begin = stopwatch::now();
  for (std::size_t t = 0; t < callers; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t n; (n = next.fetch_add(1)) < all.size();) {
        const auto one_begin = stopwatch::now();
        write(all[n]);
        each[t].push_back(seconds_since(one_begin));
      }
    });
  for (auto& t : threads) t.join();
  const double taken = seconds_since(begin);
  if (latencies)
    for (const auto& some : each) latencies->insert(latencies->end(), some.begin(), some.end());
  return taken;
}

/// A bare group commit: one thread that writes what the others hand it, each under a savepoint.
class bare_group {
 public:
  static constexpr std::size_t callers = 16;

  explicit bare_group(bare_connection& db) : db_(db), writer_(db), thread_([this] { run(); }) {}
  ~bare_group() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    arrived_.notify_one();
    thread_.join();
  }
  void write(const retake& one) {
    job mine{&one};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    if (waiting_.size() == 1 || waiting_.size() >= callers) arrived_.notify_one();
    mine.done.wait(lock, [&] { return mine.is_done; });
  }

 private:
  struct job {
    const retake* work;
    bool is_done = false;
    std::condition_variable done{};
  };
  void run() {
    sqlite3_stmt* const begin = db_.prepare("BEGIN IMMEDIATE");
    sqlite3_stmt* const commit = db_.prepare("COMMIT");
    sqlite3_stmt* const savepoint = db_.prepare("SAVEPOINT one");
    sqlite3_stmt* const release = db_.prepare("RELEASE one");
    std::unique_lock lock(mutex_);
    while (true) {
      arrived_.wait(lock, [&] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      // It knows how many callers there are, and so forms the best groups there can be.
      arrived_.wait_for(lock, std::chrono::microseconds(300), [&] { return stop_ || waiting_.size() >= callers; });
      const auto group = std::exchange(waiting_, {});
      lock.unlock();
      db_.step(begin);
      for (const auto* one : group) {
        db_.step(savepoint);
        writer_.write(one->work->set, one->work->track_no);
        db_.step(release);
      }
      db_.step(commit);
      lock.lock();
      for (auto* one : group) {
        one->is_done = true;
        one->done.notify_one();
      }
    }
  }

  bare_connection& db_;
  bare_retake writer_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<job*> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

// ---- The measurements -----------------------------------------------------------------------------------------------

constexpr int rounds = 7;

void measure_lone_retakes(applicants& who, const std::string& store_path, const std::string& bare_path,
                          sqlite_durability durability, const char* word) {
  const auto subject = open(store_path, durability), elsewhere = open(store_path, durability);
  bare_connection db(bare_path, durability == sqlite_durability::full);
  bare_retake bare(db);
  std::vector<double> ratios, ours, theirs;
  for (int round = -1; round < rounds; ++round) {
    const std::size_t count = durability == sqlite_durability::full ? 400 : 1200;  // long enough to be timed
    const auto work = prepare(*elsewhere, who, count);
    const auto spent = by_turns(
        work, [&](auto some) { return write_alone(*subject, some); },
        [&](auto some) { return write_alone(bare, some); });
    if (round < 0) continue;  // caches fill
    ratios.push_back(spent.ours / spent.bare);
    ours.push_back(static_cast<double>(count) / spent.ours);
    theirs.push_back(static_cast<double>(count) / spent.bare);
  }
  print_row(std::string("one retake / bare prepared statements, ") + word, median(ratios), "<=", 1.25);
  print_note(std::string("  retakes of one caller, ") + word, median(ours), "/s");
  print_note(std::string("  bare retakes, ") + word, median(theirs), "/s");
}

void measure_pages(applicants& who, const std::string& path) {
  const auto subject = open(path, sqlite_durability::full);
  const auto pages_of = [&](const std::function<void()>& work) {
    const auto before = log_pages(path);
    work();
    return static_cast<double>(log_pages(path) - before);
  };
  const auto alone = prepare(*subject, who, 200);
  write_alone(*subject, prepare(*subject, who, 1));  // begins the log anew
  print_row("pages written by a retake alone, FULL", pages_of([&] { write_alone(*subject, alone); }) / 200, "<=", 14);

  // While the turn is held elsewhere, all sixteen come together.
  const int turn = ::open((path + "-hirenow-lock").c_str(), O_RDONLY | O_CLOEXEC);
  std::vector<double> shares;
  for (int round = 0; round < 20; ++round) {
    const auto work = prepare(*subject, who, 16);
    shares.push_back(pages_of([&] {
                       ::flock(turn, LOCK_EX);
                       auto done = std::async(std::launch::async, [&] {
                         write_together(
                             16, work, [&](const retake& one) { subject->commit(one.set).value(); }, nullptr);
                       });
                       std::this_thread::sleep_for(std::chrono::milliseconds(50));
                       ::flock(turn, LOCK_UN);
                       done.get();
                     }) /
                     16);
  }
  ::close(turn);
  print_row("pages written by a retake, 16 to a commit, FULL", median(shares), "<=", 7);
}

void measure_group_commit(applicants& who, const std::string& store_path, const std::string& bare_path) {
  const auto subject = open(store_path, sqlite_durability::full), elsewhere = open(store_path, sqlite_durability::full);
  bare_connection db(bare_path, true);
  bare_retake lone(db);
  std::vector<double> to_one, to_bare, rates;
  for (int round = -1; round < rounds; ++round) {
    const auto single = prepare(*elsewhere, who, 400), many = prepare(*elsewhere, who, 1200);
    const double one_rate = 400 / write_alone(*subject, single);
    write_alone(lone, single);
    const double rate =
        1200 / write_together(16, many, [&](const retake& one) { subject->commit(one.set).value(); }, nullptr);
    double bare_rate = 0;
    {
      bare_group group(db);
      bare_rate = 1200 / write_together(16, many, [&](const retake& one) { group.write(one); }, nullptr);
    }
    if (round < 0) continue;
    to_one.push_back(rate / one_rate);
    to_bare.push_back(rate / bare_rate);
    rates.push_back(rate);
  }
  print_row("16 callers / one caller, FULL", median(to_one), ">=", 2.3);
  print_row("16 callers / bare group commit of 16, FULL", median(to_bare), ">=", 0.8);
  print_note("  retakes of 16 callers, FULL", median(rates), "/s");
}

void measure_latencies(applicants& who, const std::string& path) {
  const auto subject = open(path, sqlite_durability::full);
  std::vector<double> latencies;
  const auto work = prepare(*subject, who, 15'000);
  write_together(16, work, [&](const retake& one) { subject->commit(one.set).value(); }, &latencies);
  const double middle = median(latencies);
  print_row("p99 / median latency of 16 callers, checkpoints included, FULL", percentile(latencies, 0.99) / middle,
            "<=", 3);
  print_note("  median latency", middle * 1e6, "us");
  print_note("  worst latency", percentile(latencies, 1) * 1e6, "us");
}

/// Four processes, each retaking applicants of its own for the same time.
void measure_processes(applicants& who, const std::string& path) {
  constexpr int processes = 4;
  std::vector<std::vector<retake>> work;
  {
    const auto subject = open(path, sqlite_durability::full);
    for (int p = 0; p < processes; ++p) work.push_back(prepare(*subject, who, 5000));
  }
  int begin[2], counts[2];
  if (::pipe(begin) != 0 || ::pipe(counts) != 0) throw std::runtime_error("no pipe");
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(begin[1]);
      const auto subject = open(path, sqlite_durability::full);
      char unused = 0;
      if (::read(begin[0], &unused, 1) < 0) ::_exit(1);  // ends when all may begin
      const auto until = stopwatch::now() + std::chrono::seconds(3);
      std::int64_t done = 0;
      for (const auto& one : work[static_cast<std::size_t>(p)]) {
        if (stopwatch::now() >= until) break;
        if (subject->commit(one.set)) ++done;
      }
      if (::write(counts[1], &done, sizeof done) != sizeof done) ::_exit(1);
      ::_exit(0);
    }
    children.push_back(child);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  ::close(begin[0]);
  ::close(begin[1]);
  std::vector<double> each;
  for (int p = 0; p < processes; ++p) {
    std::int64_t done = 0;
    if (::read(counts[0], &done, sizeof done) != sizeof done) throw std::runtime_error("a process failed");
    each.push_back(static_cast<double>(done));
  }
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  ::close(counts[0]);
  ::close(counts[1]);
  const double total = std::accumulate(each.begin(), each.end(), 0.0);
  print_row("smallest share of four processes / a quarter of the total, FULL",
            *std::min_element(each.begin(), each.end()) / (total / processes), ">=", 0.5);
  print_note("  retakes of four processes together, FULL", total / 3, "/s");
}

void measure_load(const std::string& store_path, const std::string& bare_path) {
  const auto subject = open(store_path, sqlite_durability::full);
  bare_connection db(bare_path, true);
  bare_read bare(db);
  const auto ids = bare.some_interviews();
  std::int64_t sum = 0;
  std::vector<double> ratios, ours;
  std::mt19937_64 random(5);
  for (int round = -1; round < rounds; ++round) {
    std::vector<interview_id> picked;
    for (int n = 0; n < 2000; ++n) picked.push_back(ids[random() % ids.size()]);
    std::size_t at = 0;
    const double store_time = time_of(2000, [&] {
      const auto found = subject->load({.tenant = "acme", .who = picked[at++]}).value();
      sum += static_cast<std::int64_t>(found.record.interviews.size());
    });
    at = 0;
    const double bare_time = time_of(2000, [&] { sum += bare.read(picked[at++]); });
    if (round < 0) continue;
    ratios.push_back(store_time / bare_time);
    ours.push_back(store_time * 1e6);
  }
  if (sum == 0) throw std::runtime_error("nothing was read");
  print_row("loading a record of 10 by its interview / bare read", median(ratios), "<=", 1.5);
  print_note("  loading a record of 10", median(ours), "us");
}

void measure_dashboard(const std::string& large_path) {
  const auto small_file = kept_file("store-small-6", [](const std::string& path) {
    build_store_file(path, {.applicants = 1'000, .interviews = 10, .open = 100});
  });
  const auto due_file = kept_file("store-due-6", [](const std::string& path) {
    build_store_file(path, {.applicants = 10'000, .interviews = 1, .open = 10'000});
  });
  const working_copy small_copy(small_file), due_copy(due_file);
  const auto of_large = open(large_path, sqlite_durability::full);
  const auto of_small = open(small_copy.path(), sqlite_durability::full);
  const auto of_due = open(due_copy.path(), sqlite_durability::full);
  const auto page_time = [&](store& from, sys_seconds at, std::optional<interview_state> state) {
    return time_of(100, [&] {
      const auto page = from.list({.tenant = "acme", .at = at, .state = state, .limit = 50}).value();
      if (page.rows.size() != 50 || !page.counts) throw std::runtime_error("not a page");
    });
  };
  for (const bool overdue : {false, true}) {
    const sys_seconds at = overdue ? links_end + seconds{1} : epoch;
    store& other = overdue ? *of_due : *of_small;
    for (const auto state : {std::optional<interview_state>(),
                             std::optional(overdue ? interview_state::expired : interview_state::failed)}) {
      std::vector<double> ratios, ours;
      for (int round = -1; round < rounds; ++round) {
        const double large_time = page_time(*of_large, at, state), small_time = page_time(other, at, state);
        if (round < 0) continue;
        ratios.push_back(large_time / small_time);
        ours.push_back(large_time * 1e6);
      }
      print_row(std::string("page of 50 with counts, ") + (state ? std::string(to_string(*state)) : "all states") +
                    (overdue ? ", 10,000 due and unswept" : ", none due") + ": 1,000,000 / 10,000",
                median(ratios), "<=", 1.5);
      print_note("  such a page at 1,000,000", median(ours), "us");
    }
  }
}

}  // namespace
}  // namespace bench

int main() {
  using namespace bench;
  try {
    const working_copy of_store(store_file()), of_bare(bare_file());
    applicants who;
    measure_dashboard(of_store.path());
    measure_load(of_store.path(), of_bare.path());
    measure_pages(who, of_store.path());
    // The bare file misses what was retaken for the pages, and no retake after that.
    measure_lone_retakes(who, of_store.path(), of_bare.path(), sqlite_durability::full, "FULL");
    measure_lone_retakes(who, of_store.path(), of_bare.path(), sqlite_durability::normal, "NORMAL");
    measure_group_commit(who, of_store.path(), of_bare.path());
    measure_latencies(who, of_store.path());
    measure_processes(who, of_store.path());
  } catch (const std::exception& e) {
    std::cerr << "sqlite_bench: " << e.what() << "\n";
    return EXIT_FAILURE;
  }
  return ending();
}
