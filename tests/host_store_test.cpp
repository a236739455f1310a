/// A whole store through connections of the host's: the promises of a store, and what the file needs.

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "hirenow/testing/check_store.hpp"
#include "support/host.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::plain_sql;

/// A connection that the host opened for the store: a handle that goes with it, and a hook before each statement.
class handed_over final : public host_connection {
 public:
  using hook = std::function<result<void>(std::string_view sql)>;

  handed_over(const std::filesystem::path& path, const hook& before, int* closed = nullptr)
      : sql_(path), before_(before), closed_(closed) {}
  ~handed_over() override {
    if (closed_) ++*closed_;
  }
  handed_over(const handed_over&) = delete;
  handed_over& operator=(const handed_over&) = delete;
  result<host_answer> execute(std::string_view sql, std::span<const host_parameter> parameters) override {
    if (before_)
      if (auto ok = before_(sql); !ok) return ok.error();
    return driver_->execute(sql, parameters);
  }
  result<host_transaction> in_transaction() override { return driver_->in_transaction(); }

 private:
  plain_sql sql_;
  const hook& before_;
  int* const closed_;
  std::unique_ptr<host_connection> driver_ = host_connection_of(sql_.handle());
};

struct driven_file {
  test::temporary_folder folder{};
  std::filesystem::path path = folder.path() / "a.db";
  handed_over::hook before{};
  int opened = 0, closed = 0;

  result<std::unique_ptr<store>> open(const sqlite_options& options = {}) {
    return open_sqlite_store_through(
        path.string(),
        [this]() -> result<std::unique_ptr<host_connection>> {
          ++opened;
          return std::unique_ptr<host_connection>(std::make_unique<handed_over>(path, before, &closed));
        },
        options);
  }
};

std::size_t people(store& s) { return s.audit_heads("acme", {}, 1000).value().size(); }

}  // namespace

TEST_CASE("a store through the host's connections keeps every promise of a store", "[store][host][threads]") {
  test::temporary_folder folder;
  const handed_over::hook none;
  int made = 0;
  const auto report = testing::check_store(
      [&] {
        for (const auto& old : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(old.path());
        const auto path = folder.path() / (std::to_string(++made) + ".db");
        return open_sqlite_store_through(
                   path.string(),
                   [path, &none]() -> result<std::unique_ptr<host_connection>> {
                     return std::unique_ptr<host_connection>(std::make_unique<handed_over>(path, none));
                   },
                   {.readers = 2})
            .value();
      },
      {.histories = 25});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

TEST_CASE("through the host's connections the file is set up as by the store's own", "[host]") {
  driven_file f;
  std::vector<std::string> seen;
  f.before = [&](std::string_view sql) -> result<void> {
    seen.emplace_back(sql);
    return {};
  };
  const auto store = f.open().value();
  CHECK(f.opened == 1);
  for (const char* wanted : {"PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 0"})
    CHECK(std::count(seen.begin(), seen.end(), wanted) == 1);
  REQUIRE(store->commit(test::next_person(1)));
  CHECK(plain_sql(f.path).value("PRAGMA journal_mode") == "wal");
  CHECK(std::filesystem::exists(f.path.string() + "-hirenow-lock"));
  CHECK(open_sqlite_store(f.path.string())
            .value()
            ->load({.tenant = "acme", .who = std::string_view("person-1")})
            ->record.version == 1);
}

TEST_CASE("stores of both kinds take turns on one file", "[host][concurrent]") {
  driven_file f;
  const auto through = f.open().value();
  const auto own = open_sqlite_store(f.path.string()).value();
  const auto write = [](store& s, int first) {
    for (int n = first; n < first + 100; ++n)
      if (!s.commit(test::next_person(n))) return false;
    return true;
  };
  bool one = false, two = false;
  {
    const std::jthread a([&] { one = write(*through, 0); });
    const std::jthread b([&] { two = write(*own, 100); });
  }
  CHECK(one);
  CHECK(two);
  CHECK(people(*through) == 200);
  CHECK(plain_sql(f.path).value("PRAGMA integrity_check") == "ok");
}

TEST_CASE("whoever comes while others are written down is committed with them", "[host][concurrent]") {
  driven_file f;
  const auto store = f.open().value();
  int commits = 0;
  result<void> good, bad;
  std::vector<std::jthread> late;
  auto stale = test::next_person(3);
  stale.expected_version = 5;  // there is no such record
  f.before = [&](std::string_view sql) -> result<void> {
    commits += sql == "COMMIT" ? 1 : 0;
    if (!sql.starts_with("INSERT INTO main.hirenow_outbox") || !late.empty()) return {};
    std::atomic<int> started{0};
    late.emplace_back([&] {
      ++started;
      good = store->commit(test::next_person(2));
    });
    late.emplace_back([&] {
      ++started;
      bad = store->commit(stale);
    });
    while (started < 2) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // from there into the queue
    return {};
  };
  const auto early = store->commit(test::next_person(1));
  late.clear();
  CHECK(commits == 1);
  CHECK(early);
  CHECK(good);
  CHECK(test::code_of(bad) == errc::conflict);
  f.before = nullptr;
  CHECK(people(*store) == 2);
}

TEST_CASE("a group that has sixty-four callers is committed before the others", "[host][concurrent]") {
  driven_file f;
  const auto store = f.open().value();
  constexpr int many = 70;
  int written = 0;
  std::vector<int> groups;  // how many were written down before each commit
  std::vector<std::jthread> late;
  std::atomic<int> started{0}, failed{0};
  bool begun = false;
  f.before = [&](std::string_view sql) -> result<void> {
    if (sql == "COMMIT") groups.push_back(std::exchange(written, 0));
    written += sql.starts_with("INSERT INTO main.hirenow_outbox") ? 1 : 0;
    if (written == 0 || std::exchange(begun, true)) return {};
    for (int n = 2; n <= many; ++n)
      late.emplace_back([&, n] {
        ++started;
        failed += store->commit(test::next_person(n)) ? 0 : 1;
      });
    while (started < many - 1) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // from there into the queue
    return {};
  };
  const auto first = store->commit(test::next_person(1));
  late.clear();
  f.before = nullptr;
  CHECK(first);
  CHECK(failed == 0);
  CHECK(groups.at(0) == 64);
  CHECK(people(*store) == many);
}

TEST_CASE("through the host's connections the log is copied into the file when it is long", "[host]") {
  driven_file f;
  int checkpoints = 0;
  f.before = [&](std::string_view sql) -> result<void> {
    checkpoints += sql == "PRAGMA main.wal_checkpoint(FULL)" ? 1 : 0;
    return {};
  };
  constexpr std::size_t limit = 400'000;
  const auto store = f.open({.checkpoint_bytes = limit}).value();
  std::size_t longest = 0;
  for (int n = 0; n < 300; ++n) {
    REQUIRE(store->commit(test::next_person(n)));
    longest = std::max<std::size_t>(longest, std::filesystem::file_size(f.path.string() + "-wal"));
  }
  CHECK(checkpoints >= 4);
  CHECK(checkpoints <= 60);  // the log begins anew after each
  UNSCOPED_INFO(checkpoints << " checkpoints");
  CHECK(longest < 2 * limit);
}

TEST_CASE("what a driver says or throws becomes an error of the call it belongs to", "[host]") {
  driven_file f;
  const auto store = f.open().value();
  REQUIRE(store->commit(test::next_person(1)));
  const auto failing_at = [&](std::string_view beginning, auto how) {
    f.before = [=](std::string_view sql) -> result<void> {
      if (!sql.starts_with(beginning)) return {};
      return how();
    };
    const auto done = store->commit(test::next_person(2));
    f.before = nullptr;
    return test::code_of(done);
  };
  const auto says = [] { return result<void>(sqlite_error(SQLITE_FULL, "database or disk is full")); };
  const auto throws_known = []() -> result<void> { throw std::runtime_error("of the driver's"); };
  const auto throws_unknown = []() -> result<void> { throw 7; };
  for (const char* where : {"BEGIN IMMEDIATE", "INSERT INTO main.hirenow_outbox", "COMMIT"}) {
    INFO(where);
    CHECK(failing_at(where, says) == errc::store_full);
    CHECK(failing_at(where, throws_known) == errc::internal);
    CHECK(failing_at(where, throws_unknown) == errc::internal);
  }
  CHECK(people(*store) == 1);
  REQUIRE(store->commit(test::next_person(2)));
}

TEST_CASE("a store through the host's connections is refused where they cannot serve", "[host]") {
  using opened = result<std::unique_ptr<host_connection>>;
  test::temporary_folder folder;
  const std::string path = (folder.path() / "a.db").string();
  const auto code = [&](const std::string& where, host_connection_opener open) {
    return test::code_of(open_sqlite_store_through(where, std::move(open)));
  };
  CHECK(code(path, nullptr) == errc::invalid_argument);
  CHECK(code(path, []() -> opened { return nullptr; }) == errc::invalid_argument);
  CHECK(code(path, []() -> opened { return sqlite_error(SQLITE_CANTOPEN, "unable to open database file"); }) ==
        errc::store_unavailable);
  CHECK(code(path, []() -> opened { throw 7; }) == errc::internal);
  CHECK(code(path, []() -> opened { return host_connection_of(static_cast<sqlite3*>(nullptr)); }) ==
        errc::store_unavailable);
  CHECK(code(":memory:", []() -> opened { return host_connection_of(static_cast<sqlite3*>(nullptr)); }) ==
        errc::invalid_argument);
  plain_sql in_transaction(path);
  in_transaction.run("BEGIN");
  CHECK(code(path, [&]() -> opened { return host_connection_of(in_transaction.handle()); }) == errc::invalid_argument);
}

TEST_CASE("in the child of a fork a store through the host's connections answers forked", "[host]") {
  driven_file f;
  auto store = f.open().value();
  REQUIRE(people(*store) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = test::code_of(store->next_due()) == errc::forked;
    store.reset();
    ::_exit(refused && f.closed == 0 ? 0 : 1);  // closing would touch the parent's file
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(store->commit(test::next_person(1)));
  store.reset();
  CHECK(f.closed == f.opened);
}
