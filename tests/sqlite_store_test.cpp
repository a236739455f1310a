/// The SQLite store keeps the promises of a store, and says clearly what is wrong with a file.

#include "hirenow/adapters/sqlite.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hirenow/testing/check_store.hpp"
#include "support/plain_sql.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::plain_sql;

struct fresh_file {
  test::temporary_folder folder{};
  std::filesystem::path path = folder.path() / "a.db";

  result<std::unique_ptr<store>> open(const sqlite_options& options = {}) const {
    return open_sqlite_store(path.string(), options);
  }
  /// The code with which the file is refused; nothing where it is opened.
  std::optional<errc> refusal() const {
    const auto opened = open();
    if (opened) return std::nullopt;
    UNSCOPED_INFO(opened.error().message);
    CHECK_FALSE(opened.error().message.empty());
    return opened.error().code;
  }
};

/// While it lives, what SQLite opens by itself is counted: how often a write-ahead log was synchronised.
class watched_logs {
 public:
  watched_logs() {
    beneath_ = sqlite3_vfs_find(nullptr);
    own_ = *beneath_;
    own_.zName = "watched";
    own_.xOpen = [](sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
      const int code = beneath_->xOpen(beneath_, name, file, flags, out);
      if (code == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
        methods_ = file->pMethods;
        watched_ = *methods_;
        watched_.xSync = [](sqlite3_file* of, int how) {
          ++syncs;
          return methods_->xSync(of, how);
        };
        file->pMethods = &watched_;
      }
      return code;
    };
    sqlite3_vfs_register(&own_, 1);
  }
  ~watched_logs() {
    sqlite3_vfs_register(beneath_, 1);
    sqlite3_vfs_unregister(&own_);
  }
  watched_logs(const watched_logs&) = delete;
  watched_logs& operator=(const watched_logs&) = delete;

  static inline int syncs = 0;

 private:
  static inline sqlite3_vfs* beneath_ = nullptr;
  static inline sqlite3_vfs own_{};
  static inline const sqlite3_io_methods* methods_ = nullptr;
  static inline sqlite3_io_methods watched_{};
};

/// Runs a piece of a test in a child process. Returns its exit status; -1 where it was killed.
template <class Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 99;
    try {
      status = work();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

change_set next_person(int number, std::string tenant = "acme") {
  record_writer w("person-" + std::to_string(number), std::move(tenant));
  const auto id = w.schedule("backend", instant(number));
  w.promise(id, message_kind::invitation, instant(number));
  return w.take();
}

}  // namespace

TEST_CASE("the SQLite store keeps every promise of a store", "[store][sqlite][threads]") {
  test::temporary_folder folder;
  int made = 0;
  sqlite_options options;
  options.readers = 2;
  const auto report = testing::check_store(
      [&] {
        for (const auto& old : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(old.path());
        return open_sqlite_store((folder.path() / (std::to_string(++made) + ".db")).string(), options).value();
      },
      {.histories = 25});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

TEST_CASE("what was committed is there after the file is opened again", "[sqlite]") {
  fresh_file f;
  record_writer w;
  const auto id = w.schedule("backend", instant(0));
  w.commit(*f.open().value());
  CHECK(f.open().value()->load({.tenant = "acme", .who = id})->record == w.record);
}

TEST_CASE("a fresh file is in WAL mode", "[sqlite]") {
  fresh_file f;
  const auto store = f.open().value();
  CHECK(plain_sql(f.path).value("PRAGMA journal_mode") == "wal");
}

TEST_CASE("a commit is synchronised before it is answered, unless less was asked for", "[sqlite]") {
  fresh_file f;
  const watched_logs logs;
  const auto syncs_of_ten_commits = [&](const sqlite_options& options) {
    const auto store = f.open(options).value();
    static int number = 0;
    REQUIRE(store->commit(next_person(++number)));  // a log that begins is synchronised, too
    const int before = watched_logs::syncs;
    for (int n = 0; n < 10; ++n) REQUIRE(store->commit(next_person(++number)));
    return watched_logs::syncs - before;
  };
  CHECK(syncs_of_ten_commits({}) == 10);
  CHECK(syncs_of_ten_commits({.durability = sqlite_durability::full}) == 10);
  CHECK(syncs_of_ten_commits({.durability = sqlite_durability::normal}) == 0);
}

TEST_CASE("in a file of the host's, its journal mode, version and tables stay as they are", "[sqlite]") {
  fresh_file f;
  plain_sql sql(f.path);
  sql.run(
      "CREATE TABLE application (id INTEGER PRIMARY KEY); INSERT INTO application VALUES (7); "
      "PRAGMA user_version = 42; PRAGMA application_id = 4711");
  REQUIRE(sql.value("PRAGMA journal_mode") == "delete");
  {
    const auto store = f.open().value();
    REQUIRE(store->commit(next_person(1)));
    REQUIRE(store->load({.tenant = "acme", .who = std::string_view("person-1")})->record.version == 1);
  }
  REQUIRE(f.open());
  // A connection that was open before would answer what it knew; a new one reads the file.
  CHECK(plain_sql(f.path).value("PRAGMA journal_mode") == "delete");
  CHECK(sql.value("PRAGMA user_version") == "42");
  CHECK(sql.value("PRAGMA application_id") == "4711");
  CHECK(sql.value("SELECT id FROM application") == "7");
  CHECK(sql.value("SELECT group_concat(name) FROM sqlite_schema WHERE name NOT LIKE 'hirenow\\_%' ESCAPE '\\' AND name "
                  "NOT LIKE 'sqlite\\_%' ESCAPE '\\'") == "application");
}

TEST_CASE("a path that names no file is refused", "[sqlite]") {
  for (const std::string& path : {std::string(), std::string(":memory:"), std::string("a\0b", 3)})
    CHECK(open_sqlite_store(path).error().code == errc::invalid_argument);
  test::temporary_folder folder;
  CHECK(open_sqlite_store(folder.path().string()).error().code == errc::store_unavailable);
  CHECK(open_sqlite_store((folder.path() / "missing" / "a.db").string()).error().code == errc::store_unavailable);
}

TEST_CASE("a file that is no database is refused, and left as it is", "[sqlite]") {
  for (const std::string& text : {std::string("Dear Sir or Madam,\n"), std::string(100'000, 'x')}) {
    fresh_file f;
    std::ofstream(f.path) << text;
    CHECK(f.refusal() == errc::store_not_a_database);
    std::ifstream in(f.path);
    CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == text);
    CHECK(std::distance(std::filesystem::directory_iterator(f.folder.path()), {}) == 1);
  }
}

TEST_CASE("a file of a newer hirenow is refused", "[sqlite]") {
  fresh_file f;
  REQUIRE(f.open());
  plain_sql(f.path).run("INSERT INTO hirenow_version VALUES (2)");
  CHECK(f.refusal() == errc::schema_too_new);
}

TEST_CASE("a file whose tables, indexes or triggers are missing or altered is refused", "[sqlite]") {
  fresh_file whole;
  REQUIRE(whole.open());
  std::vector<std::pair<std::string, std::string>> objects;
  {
    plain_sql sql(whole.path);
    const auto count = sql.number("SELECT count(*) FROM sqlite_schema WHERE sql IS NOT NULL");
    for (long long n = 0; n < count; ++n) {
      const std::string one =
          " FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name LIMIT 1 OFFSET " + std::to_string(n);
      objects.emplace_back(sql.value("SELECT type" + one), sql.value("SELECT name" + one));
    }
  }
  REQUIRE(objects.size() > 25);
  for (const auto& [type, name] : objects) {
    INFO(type << " " << name);
    fresh_file f;
    std::filesystem::copy_file(whole.path, f.path);
    plain_sql(f.path).run("DROP " + type + " " + name);
    CHECK(f.refusal() == errc::schema_damaged);
  }
  for (const char* damage :
       {"ALTER TABLE hirenow_person ADD COLUMN nickname TEXT",
        "ALTER TABLE hirenow_person RENAME COLUMN name TO called", "DELETE FROM hirenow_version",
        "DROP TRIGGER hirenow_audit_no_delete; CREATE TRIGGER hirenow_audit_no_delete BEFORE DELETE ON hirenow_audit "
        "BEGIN SELECT 1; END",
        "DROP INDEX hirenow_interview_by_state; CREATE INDEX hirenow_interview_by_state ON hirenow_interview "
        "(state)"}) {
    INFO(damage);
    fresh_file f;
    std::filesystem::copy_file(whole.path, f.path);
    plain_sql(f.path).run(damage);
    CHECK(f.refusal() == errc::schema_damaged);
  }
}

TEST_CASE("what goes wrong with a table while the store is open has a name", "[sqlite]") {
  fresh_file f;
  const auto store = f.open().value();
  plain_sql(f.path).run("DROP TABLE hirenow_person");
  CHECK(store->commit(next_person(1)).error().code == errc::schema_damaged);
}

TEST_CASE("a file or folder that cannot be written is refused", "[sqlite]") {
  fresh_file f;
  REQUIRE(f.open().value()->commit(next_person(1)));
  std::filesystem::remove(f.path.string() + "-hirenow-lock");
  using std::filesystem::perms;
  const auto world = perms::others_read | perms::others_exec;
  std::filesystem::permissions(f.folder.path(), perms::owner_all | world);
  // Root may write everywhere, so somebody else tries.
  const auto as_nobody = [&] {
    return in_child([&] {
      if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 98;
      const auto opened = f.open();
      return opened ? 0 : static_cast<int>(opened.error().code);
    });
  };
  std::filesystem::permissions(f.path, perms::owner_read | perms::group_read | perms::others_read);
  CHECK(as_nobody() == static_cast<int>(errc::store_read_only));
  if (::geteuid() != 0) std::filesystem::permissions(f.folder.path(), perms::owner_read | perms::owner_exec);
  std::filesystem::permissions(f.path, perms::all & ~perms::owner_exec);
  CHECK(as_nobody() == static_cast<int>(errc::store_read_only));
  std::filesystem::permissions(f.folder.path(), perms::owner_all);
}

TEST_CASE("a full disk is an error with a name, and what was committed stays", "[sqlite]") {
  constexpr int not_allowed_here = 50;
  test::temporary_folder folder;
  const std::string disk = folder.path().string();
  // A small disk of its own, that nobody but the child sees and that goes with it.
  const int status = in_child([&] {
    if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", disk.c_str(), "tmpfs", 0, "size=2m") != 0)
      return not_allowed_here;
    const std::string path = disk + "/a.db";
    const auto store = open_sqlite_store(path).value();
    int kept = 0;
    result<void> done;
    while (kept < 5000 && (done = store->commit(next_person(kept)))) ++kept;
    if (done || done.error().code != errc::store_full) return 1;
    if (kept < 20) return 2;
    // It is still a store: it reads, and it refuses again.
    if (store->load({.tenant = "acme", .who = std::string_view("person-0")})->record.version != 1) return 3;
    if (store->commit(next_person(kept)).error().code != errc::store_full) return 4;
    if (open_sqlite_store(disk + "/b.db").error().code != errc::store_full) return 5;
    if (::mount("none", disk.c_str(), "tmpfs", MS_REMOUNT, "size=8m") != 0) return 6;
    if (!store->commit(next_person(kept))) return 7;
    plain_sql sql(path);
    if (sql.value("PRAGMA integrity_check") != "ok") return 8;
    for (const char* count : {"SELECT count(*) FROM hirenow_applicant", "SELECT count(*) FROM hirenow_audit",
                              "SELECT scheduled FROM hirenow_count WHERE track_no = 0"})
      if (sql.number(count) != kept + 1) return 9;
    return 0;
  });
  if (status == not_allowed_here) SKIP("mounting a small file system is not allowed");
  CHECK(status == 0);
}

TEST_CASE("a corrupt file is an error with a name, never a crash", "[sqlite]") {
  fresh_file whole;
  {
    const auto store = whole.open().value();
    for (int n = 0; n < 200; ++n) REQUIRE(store->commit(next_person(n)));
  }
  const auto pages = std::filesystem::file_size(whole.path) / 4096;
  std::size_t noticed = 0;
  for (std::size_t page = 0; page < pages; ++page) {
    fresh_file f;
    std::filesystem::copy_file(whole.path, f.path);
    std::fstream out(f.path, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(page * 4096));
    out << std::string(4096, '\xa5');
    out.close();
    const auto allowed = [&](const error& e) {
      INFO("page " << page << ": " << e.message);
      CHECK((e.code == errc::store_corrupt || e.code == errc::store_not_a_database || e.code == errc::schema_damaged));
      ++noticed;
    };
    const auto store = f.open();
    if (!store) {
      allowed(store.error());
      continue;
    }
    for (int n = 0; n < 200; n += 7) {
      const auto loaded = (*store)->load({.tenant = "acme", .who = "person-" + std::to_string(n)});
      if (!loaded) allowed(loaded.error());
    }
    if (const auto page_of_all = (*store)->list({.tenant = "acme", .at = instant(0)}); !page_of_all)
      allowed(page_of_all.error());
    if (const auto done = (*store)->commit(next_person(1000)); !done) allowed(done.error());
  }
  CHECK(noticed >= pages / 2);
}

TEST_CASE("the child of a fork is told to open its own store, and harms nothing", "[sqlite]") {
  fresh_file f;
  auto store = f.open().value();
  REQUIRE(store->commit(next_person(1)));
  CHECK(in_child([&] {
          const auto person = std::string_view("person-1");
          if (store->load({.tenant = "acme", .who = person}).error().code != errc::forked) return 1;
          if (store->commit(next_person(2)).error().code != errc::forked) return 2;
          store.reset();  // must leave the parent's locks and log alone
          const auto own = f.open();
          if (!own || !(*own)->commit(next_person(2))) return 3;
          return 0;
        }) == 0);
  REQUIRE(store->commit(next_person(3)));
  for (const char* person : {"person-1", "person-2", "person-3"})
    CHECK(store->load({.tenant = "acme", .who = std::string_view(person)})->record.version == 1);
  CHECK(plain_sql(f.path).value("PRAGMA integrity_check") == "ok");
}

TEST_CASE("a child that drops the parent's store while the parent commits harms nothing", "[sqlite][concurrent]") {
  fresh_file f;
  auto store = f.open().value();
  std::atomic<bool> stop{false};
  std::atomic<int> written{0}, failed{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t)
    callers.emplace_back([&, t] {
      for (int n = t; !stop; n += 3) {
        failed += !store->commit(next_person(n));
        ++written;
      }
    });
  for (int n = 0; n < 40; ++n) {
    const int so_far = written;
    while (written == so_far) std::this_thread::yield();  // each fork meets another commit
    CHECK(in_child([&] {
            ::alarm(20);  // whoever touches SQLite's own locks here may wait for ever
            store.reset();
            return 0;
          }) == 0);
  }
  stop = true;
  for (auto& caller : callers) caller.join();
  CHECK(failed == 0);
  store.reset();
  plain_sql sql(f.path);
  CHECK(sql.value("PRAGMA integrity_check") == "ok");
  CHECK(sql.number("SELECT count(*) FROM hirenow_applicant") == written);
}

TEST_CASE("a child that outlives its parent does not keep the parent's turn", "[sqlite]") {
  fresh_file f;
  REQUIRE(f.open());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  pid_t grandchild = 0;
  const int status = in_child([&] {
    const auto store = f.open().value();
    // The parent's turn, as it would hold it while it commits: the same open file.
    const std::string lock = f.path.string() + "-hirenow-lock";
    for (int file = 3; file < 64; ++file) {
      char name[4096];
      const auto length = ::readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), name, sizeof name);
      if (length > 0 && std::string(name, static_cast<std::size_t>(length)) == lock) ::flock(file, LOCK_EX);
    }
    const pid_t child = ::fork();
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
    if (::write(ready[1], &child, sizeof child) != sizeof child) return 1;
    ::kill(::getpid(), SIGKILL);
    return 2;
  });
  CHECK(status == -1);
  REQUIRE(::read(ready[0], &grandchild, sizeof grandchild) == sizeof grandchild);
  const int other = ::open((f.path.string() + "-hirenow-lock").c_str(), O_RDONLY | O_CLOEXEC);
  bool is_free = false;  // the child closes the file right after the fork
  for (int n = 0; n < 200 && !is_free; ++n) {
    is_free = ::flock(other, LOCK_EX | LOCK_NB) == 0;
    if (!is_free) ::usleep(10'000);
  }
  CHECK(is_free);
  ::close(other);
  ::kill(grandchild, SIGKILL);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("processes that open one new file at the same time all succeed", "[sqlite][concurrent]") {
  for (int round = 0; round < 5; ++round) {
    fresh_file f;
    int gate[2];
    REQUIRE(::pipe(gate) == 0);
    std::vector<pid_t> children;
    for (int n = 0; n < 8; ++n) {
      const pid_t child = ::fork();
      if (child == 0) {
        char unused = 0;
        ::close(gate[1]);
        if (::read(gate[0], &unused, 1) < 0) ::_exit(1);
        const auto store = f.open();
        ::_exit(store && (*store)->commit(next_person(n)) ? 0 : 1);
      }
      children.push_back(child);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    for (const pid_t child : children) {
      int status = 0;
      ::waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    CHECK(plain_sql(f.path).number("SELECT count(*) FROM hirenow_applicant") == 8);
    CHECK(plain_sql(f.path).number("SELECT count(*) FROM hirenow_version") == 1);
  }
}

TEST_CASE("a stranger who commits to the file is warned of once, a second store never", "[sqlite]") {
  if (sqlite3_libversion_number() >= 3051003) SKIP("this SQLite is not in danger");
  fresh_file f;
  std::vector<std::string> warnings;
  sqlite_options options;
  options.warn = [&](std::string_view what) { warnings.emplace_back(what); };
  const auto store = f.open(options).value(), other = f.open(options).value();
  for (int n = 0; n < 10; n += 2) {
    REQUIRE(store->commit(next_person(n)));
    REQUIRE(other->commit(next_person(n + 1)));
    REQUIRE(store->commit(next_person(100 + n)));
    CHECK_FALSE(other->commit(next_person(n)));  // takes a turn, and commits nothing
    REQUIRE(store->commit(next_person(200 + n)));
    REQUIRE(other->commit(next_person(300 + n)));
  }
  CHECK(warnings.empty());
  plain_sql stranger(f.path);
  REQUIRE(store->commit(next_person(10)));  // noticed between two turns of one store
  stranger.run("CREATE TABLE theirs (id)");
  REQUIRE(store->commit(next_person(11)));
  CHECK(warnings.size() == 1);
  stranger.run("INSERT INTO theirs VALUES (1)");
  REQUIRE(store->commit(next_person(12)));
  CHECK(warnings.size() == 1);
}

TEST_CASE("a warning comes when no lock is held, so that the store can be asked from it", "[sqlite]") {
  if (sqlite3_libversion_number() >= 3051003) SKIP("this SQLite is not in danger");
  fresh_file f;
  sqlite_options options;
  store* asked = nullptr;
  int warnings = 0;
  options.warn = [&](std::string_view) {
    ++warnings;
    CHECK(asked->commit(next_person(50)));  // would wait for its own turn
    CHECK(asked->next_due());
  };
  const auto store = f.open(options).value();
  asked = store.get();
  plain_sql stranger(f.path);
  REQUIRE(store->commit(next_person(1)));
  stranger.run("CREATE TABLE theirs (id)");
  REQUIRE(store->commit(next_person(2)));
  CHECK(warnings == 1);
}

TEST_CASE("a lock that is held too long is an error with a name", "[sqlite]") {
  fresh_file f;
  sqlite_options options;
  options.busy_timeout = std::chrono::milliseconds(20);
  const auto store = f.open(options).value();
  plain_sql stranger(f.path);
  stranger.run("BEGIN IMMEDIATE");
  CHECK(store->commit(next_person(1)).error().code == errc::store_busy);
  CHECK(store->load({.tenant = "acme", .who = std::string_view("person-1")}).has_value());
  stranger.run("ROLLBACK");
  CHECK(store->commit(next_person(1)).has_value());
}

TEST_CASE("a turn that is not given back is an error with a name, and later a turn again", "[sqlite]") {
  fresh_file f;
  sqlite_options options;
  options.busy_timeout = std::chrono::milliseconds(20);
  const auto store = f.open(options).value();
  // As a process would hold it that was stopped in the middle of a commit.
  const int other = ::open((f.path.string() + "-hirenow-lock").c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(other, LOCK_EX) == 0);
  for (int n = 0; n < 3; ++n) CHECK(store->commit(next_person(1)).error().code == errc::store_busy);
  CHECK(store->load({.tenant = "acme", .who = std::string_view("person-1")}).has_value());
  CHECK(f.open(options).error().code == errc::store_busy);
  REQUIRE(::flock(other, LOCK_UN) == 0);
  result<void> done = detail::fail(errc::store_busy, "");
  for (int n = 0; n < 200 && !done; ++n) done = store->commit(next_person(1));
  CHECK(done);
  // Nor does the store keep a turn that it wanted once.
  bool is_free = false;
  for (int n = 0; n < 200 && !is_free; ++n) {
    is_free = ::flock(other, LOCK_EX | LOCK_NB) == 0;
    if (!is_free) ::usleep(10'000);
  }
  CHECK(is_free);
  ::close(other);
}

TEST_CASE("a lock that somebody else holds for a while is waited for", "[sqlite][threads]") {
  fresh_file f;
  const auto store = f.open().value();
  plain_sql stranger(f.path);
  stranger.run("BEGIN IMMEDIATE");
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stranger.run("ROLLBACK");
  });
  CHECK(store->commit(next_person(1)).has_value());
  later.join();
}
