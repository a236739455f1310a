/// Many callers share a commit, and each keeps its own result.

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <future>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hirenow/testing/check_tools.hpp"
#include "support/plain_sql.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::answer_of;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::plain_sql;

/// A file, a store on it, and the turn that the store waits for before it commits.
struct turnstile {
  ~turnstile() { ::close(turn); }

  /// Keeps the store from committing, starts all calls, and lets them through together once all of them wait.
  /// The calls that came while the leader waited for its turn are one group.
  std::vector<std::optional<errc>> together(const std::vector<change_set>& sets) {
    std::vector<std::optional<errc>> out(sets.size());
    ::flock(turn, LOCK_EX);
    std::atomic<std::size_t> started{0};
    std::vector<std::thread> callers;
    for (std::size_t n = 0; n < sets.size(); ++n)
      callers.emplace_back([&, n] {
        ++started;
        if (const auto done = store->commit(sets[n]); !done) out[n] = done.error().code;
      });
    while (started < sets.size()) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // from there into the queue
    ::flock(turn, LOCK_UN);
    for (auto& caller : callers) caller.join();
    return out;
  }

  /// Commits that the log saw so far: the wal-index counts them (https://sqlite.org/walformat.html, iChange).
  std::uint32_t commits() const {
    std::uint32_t count = 0;
    const int shm = ::open((path + "-shm").c_str(), O_RDONLY | O_CLOEXEC);
    REQUIRE(::pread(shm, &count, sizeof count, 8) == sizeof count);
    ::close(shm);
    return count;
  }

  test::temporary_folder folder{};
  std::string path = (folder.path() / "a.db").string();
  std::unique_ptr<hirenow::store> store = open_sqlite_store(path).value();
  int turn = ::open((path + "-hirenow-lock").c_str(), O_RDONLY | O_CLOEXEC);
};

record_writer person(int number) { return record_writer("person-" + std::to_string(number)); }

}  // namespace

TEST_CASE("callers that wait together are committed together", "[sqlite][concurrent]") {
  turnstile t;
  std::vector<change_set> sets;
  for (int n = 0; n < 16; ++n) {
    auto w = person(n);
    w.schedule("backend", instant(n));
    sets.push_back(w.take());
  }
  const auto before = t.commits();
  for (const auto& refused : t.together(sets)) CHECK_FALSE(refused);
  CHECK(t.commits() - before <= 4);  // a slow machine may bring a few too late
  CHECK(plain_sql(t.path).number("SELECT count(*) FROM hirenow_applicant") == 16);
}

TEST_CASE("a refused change set of a group takes nothing with it, and leaves nothing", "[sqlite][concurrent]") {
  turnstile t;
  auto known = person(100);
  const auto id = known.schedule("backend", instant(0));
  known.commit(*t.store);

  std::vector<change_set> sets;
  std::vector<std::optional<errc>> due;
  for (int n = 0; n < 12; ++n) {
    auto w = person(n);
    const auto made = w.schedule("track-" + std::to_string(n), instant(n));
    w.promise(made, message_kind::invitation, instant(n));
    if (n % 3 == 1) {  // another version: the record does not exist
      w.pending.expected_version = 5;
      due.push_back(errc::conflict);
    } else if (n % 3 == 2) {  // refused late, when most rows are written
      w.pending.messages.push_back(w.pending.messages.front());
      due.push_back(errc::constraint_violated);
    } else {
      due.push_back(std::nullopt);
    }
    sets.push_back(w.take());
  }
  const auto before = t.commits();
  CHECK(t.together(sets) == due);
  CHECK(t.commits() - before <= 4);
  plain_sql sql(t.path);
  CHECK(sql.number("SELECT count(*) FROM hirenow_applicant") == 1 + 4);
  CHECK(sql.number("SELECT count(*) FROM hirenow_interview") == 1 + 4);
  CHECK(sql.number("SELECT count(*) FROM hirenow_audit") == 1 + 4);
  CHECK(sql.number("SELECT count(*) FROM hirenow_outbox") == 4);
  CHECK(sql.number("SELECT scheduled FROM hirenow_count WHERE track_no = 0") == 1 + 4);
  CHECK(sql.value("SELECT group_concat(track, ' ') FROM (SELECT track FROM hirenow_track ORDER BY track)") ==
        "backend track-0 track-3 track-6 track-9");
  // A track that was made and undone with its change set is not remembered under its number.
  for (int n = 0; n < 12; ++n)
    if (due[static_cast<std::size_t>(n)]) {
      auto w = person(n);
      w.schedule("track-" + std::to_string(n), instant(n));
      w.commit(*t.store);
      CHECK(t.store->load({.tenant = "acme", .who = std::string_view(w.record.person.id)})->record == w.record);
    }
  CHECK(t.store->load({.tenant = "acme", .who = id})->record == known.record);
}

TEST_CASE("of several change sets of one record in a group, one wins", "[sqlite][concurrent]") {
  turnstile t;
  auto known = person(1);
  const auto id = known.schedule("backend", instant(0));
  known.commit(*t.store);
  std::vector<change_set> sets;
  for (int n = 0; n < 8; ++n) {
    record_writer w(known.record);
    w.step(id, event::start, instant(10 + n));
    w.pending.answer = answer_of(7, "same key", instant(1000));
    sets.push_back(w.take());
  }
  const auto results = t.together(sets);
  CHECK(std::count(results.begin(), results.end(), std::nullopt) == 1);
  CHECK(std::count(results.begin(), results.end(), errc::conflict) == 7);
  CHECK(plain_sql(t.path).number("SELECT max(version) FROM hirenow_applicant") == 2);
}

TEST_CASE("a failure that is no caller's own undoes the group, and everybody is told", "[sqlite][concurrent]") {
  turnstile t;
  std::vector<change_set> sets;
  for (int n = 0; n < 6; ++n) {
    auto w = person(n);
    w.schedule("backend", instant(n));
    sets.push_back(w.take());
  }
  plain_sql host(t.path);
  host.run("DROP TABLE hirenow_person");
  for (const auto& refused : t.together(sets)) CHECK(refused == errc::schema_damaged);
  CHECK(host.number("SELECT count(*) FROM hirenow_applicant") == 0);
}

TEST_CASE("threads that all change one file lose nothing", "[sqlite][concurrent]") {
  turnstile t;
  constexpr int threads = 16, each = 25;
  std::vector<std::thread> callers;
  std::atomic<int> failed{0};
  for (int n = 0; n < threads; ++n)
    callers.emplace_back([&, n] {
      for (int i = 0; i < each; ++i) {
        auto w = person(n * each + i);
        const auto id = w.schedule("backend", instant(i));
        failed += !t.store->commit(w.take());
        failed += t.store->load({.tenant = "acme", .who = id})->record != w.record;  // one's own commit is seen
      }
    });
  for (auto& caller : callers) caller.join();
  CHECK(failed == 0);
  CHECK(plain_sql(t.path).number("SELECT count(*) FROM hirenow_interview") == threads * each);
  CHECK(plain_sql(t.path).value("PRAGMA integrity_check") == "ok");
}

TEST_CASE("processes with several threads each are never told that the file is busy", "[sqlite][concurrent]") {
  turnstile t;
  constexpr int processes = 4, threads = 4, each = 20;
  std::vector<pid_t> children;
  for (int p = 0; p < processes; ++p) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::atomic<int> failed{0};
      {
        sqlite_options options;
        options.checkpoint_bytes = 1 << 20;  // so that checkpoints meet commits and readers
        const auto own = open_sqlite_store(t.path, options);
        std::vector<std::thread> callers;
        for (int n = 0; own && n < threads; ++n)
          callers.emplace_back([&, n] {
            for (int i = 0; i < each; ++i) {
              auto w = person((p * threads + n) * each + i);
              const auto id = w.schedule("backend", instant(i));
              failed += !(*own)->commit(w.take());
              failed += !(*own)->load({.tenant = "acme", .who = id});
            }
          });
        for (auto& caller : callers) caller.join();
        failed += !own;
      }
      ::_exit(failed == 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(plain_sql(t.path).number("SELECT count(*) FROM hirenow_interview") == processes * threads * each);
  CHECK(plain_sql(t.path).value("PRAGMA integrity_check") == "ok");
}

TEST_CASE("the log is copied into the file when it is long, and not before", "[sqlite]") {
  test::temporary_folder folder;
  const std::string path = (folder.path() / "a.db").string();
  sqlite_options options;
  options.checkpoint_bytes = 1 << 20;
  const auto store = open_sqlite_store(path, options).value();
  std::uintmax_t longest = 0;
  int number = 0;
  const auto commit = [&] {
    auto w = person(number++);
    w.schedule("backend", instant(0));
    REQUIRE(store->commit(w.take()));
    longest = std::max(longest, std::filesystem::file_size(path + "-wal"));
  };
  while (number < 10) commit();
  const auto early = std::filesystem::file_size(path);
  CHECK(early < std::filesystem::file_size(path + "-wal"));  // nothing was copied yet
  while (number < 300) commit();
  CHECK(std::filesystem::file_size(path) > early);
  CHECK(longest < (1 << 20) + 200'000);

  // A reader of old pages holds the log back; nobody waits for it, and afterwards the log is short again.
  plain_sql reader(path);
  reader.run("BEGIN");
  REQUIRE(reader.number("SELECT count(*) FROM hirenow_applicant") == 300);
  while (number < 500) commit();
  const auto held_back = std::filesystem::file_size(path + "-wal");
  CHECK(held_back > (1 << 20) + 200'000);
  CHECK(reader.number("SELECT count(*) FROM hirenow_applicant") == 300);
  reader.run("COMMIT");
  while (number < 900) commit();
  CHECK(longest < held_back + (1 << 20));
}
