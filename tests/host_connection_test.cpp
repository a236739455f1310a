/// What a host's driver may do wrong, and what hirenow finds in the host's database: errors with a code.

#include "hirenow/adapters/host_connection.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include "hirenow/testing/check_tools.hpp"
#include "support/host.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::host;

/// A host with a file that has no tables of ours yet.
struct bare_host {
  explicit bare_host(const join_options& options = {.create_tables = true})
      : joined(join_transaction(theirs.driver(), options).value()) {}
  test::temporary_folder folder{};
  std::filesystem::path path = folder.path() / "theirs.db";
  host theirs{path};
  std::unique_ptr<store> joined;

  long long tables() {
    return test::plain_sql(path).number("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'hirenow%'");
  }
};

}  // namespace

TEST_CASE("a database without tables of ours is refused where none may be made", "[host]") {
  bare_host h{{}};
  h.theirs.begin();
  h.theirs.put("kept");
  CHECK(h.joined->commit(test::next_person(1)).error().code == errc::schema_damaged);
  CHECK(test::code_of(h.joined->next_due()) == errc::schema_damaged);
  h.theirs.commit();
  CHECK(h.tables() == 0);
}

TEST_CASE("tables are made in the host's transaction, and go with it", "[host]") {
  bare_host h;
  h.theirs.begin();
  REQUIRE(h.joined->commit(test::next_person(1)));
  REQUIRE(h.joined->commit(test::next_person(2)));
  CHECK(h.tables() == 0);
  h.theirs.roll_back();
  h.theirs.begin();
  REQUIRE(h.joined->commit(test::next_person(3)));
  h.theirs.commit();
  h.theirs.begin();
  REQUIRE(h.joined->commit(test::next_person(4)));
  h.theirs.commit();
  CHECK(h.joined->commit(test::next_person(5)).error().code == errc::no_transaction);
  const auto store = open_sqlite_store(h.path.string()).value();
  CHECK(store->audit_heads("acme", {}, 10)->size() == 2);
}

TEST_CASE("tables that are of a newer version, or were altered, are refused", "[host]") {
  bare_host h;
  REQUIRE(open_sqlite_store(h.path.string()));
  h.theirs.begin();
  SECTION("newer") {
    h.theirs.sql.run("INSERT INTO hirenow_version VALUES (2)");
    CHECK(test::code_of(h.joined->next_due()) == errc::schema_too_new);
  }
  SECTION("altered") {
    h.theirs.sql.run("DROP TRIGGER hirenow_audit_no_delete");
    CHECK(test::code_of(h.joined->next_due()) == errc::schema_damaged);
  }
  h.theirs.roll_back();
  h.theirs.begin();
  CHECK(h.joined->next_due());
}

TEST_CASE("the tables are checked once for a connection", "[host]") {
  bare_host h;
  REQUIRE(open_sqlite_store(h.path.string()));
  h.theirs.begin();
  for (int n = 0; n < 3; ++n) REQUIRE(h.joined->next_due());
  CHECK(h.theirs.driver().count("SELECT name, sql FROM main.sqlite_master") == 1);
}

TEST_CASE("a call from inside a call is refused, and disturbs nothing", "[host]") {
  bare_host h;
  h.theirs.begin();
  std::optional<errc> inner;
  h.theirs.driver().before = [&](std::string_view sql) -> result<void> {
    if (!sql.starts_with("INSERT INTO main.hirenow_audit")) return {};
    const auto answer = h.joined->next_due();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().reason == "concurrent_use");
    inner = answer.error().code;
    return {};
  };
  REQUIRE(h.joined->commit(test::next_person(1)));
  CHECK(inner == errc::invalid_argument);
  CHECK(h.joined->load({.tenant = "acme", .who = std::string_view("person-1")})->record.version == 1);
}

TEST_CASE("rows that make no sense are an error of the driver's", "[host]") {
  bare_host h;
  h.theirs.begin();
  REQUIRE(h.joined->commit(test::next_person(1)));
  const auto load = [&] { return h.joined->load({.tenant = "acme", .who = std::string_view("person-1")}); };
  const auto with_rows = [&](auto change) {
    h.theirs.driver().after = [change](std::string_view sql, host_answer& answer) {
      if (sql.find("FROM main.hirenow_applicant AS a") != std::string_view::npos)
        for (auto& row : answer.rows) change(row);
    };
    const auto code = test::code_of(load());
    h.theirs.driver().after = nullptr;
    return code;
  };
  CHECK(with_rows([](auto& row) { row.clear(); }) == errc::internal);
  CHECK(with_rows([](auto& row) { row.pop_back(); }) == errc::internal);
  CHECK(with_rows([](auto& row) { row[0] = "text"; }) == errc::internal);
  CHECK(with_rows([](auto& row) { row[1] = std::int64_t{7}; }) == errc::internal);
  CHECK(with_rows([](auto& row) { row[2] = 1.5; }) == errc::internal);
  CHECK(load()->record.version == 1);
}

TEST_CASE("what cannot be undone must be rolled back by the host", "[host]") {
  bare_host h;
  h.theirs.begin();
  h.theirs.driver().before = [&](std::string_view sql) -> result<void> {
    if (sql.starts_with("INSERT INTO main.hirenow_outbox") || sql.starts_with("ROLLBACK TO"))
      return sqlite_error(SQLITE_IOERR, "disk I/O error");
    return {};
  };
  const auto done = h.joined->commit(test::next_person(1));
  CHECK(done.error().code == errc::retry_transaction);
  CHECK(done.error().message.find("must roll back") != std::string::npos);
}

TEST_CASE("a transaction that the database ended is not undone a second time", "[host]") {
  bare_host h;
  h.theirs.begin();
  h.theirs.driver().before = [&](std::string_view sql) -> result<void> {
    if (!sql.starts_with("INSERT INTO main.hirenow_outbox")) return {};
    h.theirs.roll_back();
    return sqlite_error(SQLITE_FULL, "database or disk is full");
  };
  const auto done = h.joined->commit(test::next_person(1));
  CHECK(done.error().code == errc::store_full);
  CHECK(done.error().message.find("ended the host's transaction") != std::string::npos);
  CHECK(h.theirs.driver().count("ROLLBACK TO") == 0);
}

TEST_CASE("a failure of SQLite has the same name, whether its code or only its message is known", "[host]") {
  const auto code = [](int number, const char* text) { return sqlite_error(number, text).code; };
  CHECK(code(SQLITE_BUSY, "database is locked") == errc::store_busy);
  CHECK(code(SQLITE_BUSY_SNAPSHOT, "database is locked") == errc::retry_transaction);
  CHECK(code(SQLITE_CONSTRAINT_TRIGGER, "hirenow: archived is for ever") == errc::constraint_violated);
  CHECK(code(SQLITE_ERROR, "no such table: main.hirenow_outbox") == errc::schema_damaged);
  CHECK(code(SQLITE_MISUSE, "bad parameter or other API misuse") == errc::internal);
  // Each message as SQLite itself words it.
  for (const int number : {SQLITE_BUSY, SQLITE_LOCKED, SQLITE_READONLY, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FULL,
                           SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_NOMEM, SQLITE_TOOBIG, SQLITE_CONSTRAINT}) {
    INFO(sqlite3_errstr(number));
    CHECK(code(0, sqlite3_errstr(number)) == code(number, sqlite3_errstr(number)));
  }
  CHECK(code(0, "hirenow: archived is for ever") == errc::constraint_violated);
  CHECK(code(0, "no such table: main.hirenow_outbox") == errc::schema_damaged);
  CHECK(code(0, "something new") == errc::internal);
}

TEST_CASE("values of every kind go through a handle unchanged", "[host]") {
  bare_host h;
  const auto connection = host_connection_of(h.theirs.sql.handle());
  const std::string bytes("\0\xff", 2);
  const std::vector<host_parameter> parameters{std::monostate{},
                                               std::int64_t{-5},
                                               2.5,
                                               std::string_view("\xC3\xA4"),
                                               std::as_bytes(std::span(bytes)),
                                               std::string_view{},
                                               std::span<const std::byte>{}};
  const auto answer = connection->execute("SELECT ?, ?, ?, ?, ?, ?, ?, typeof(?5), typeof(?6), typeof(?7)", parameters);
  REQUIRE(answer);
  CHECK(answer->rows == std::vector<std::vector<host_value>>{{std::monostate{}, std::int64_t{-5}, 2.5, "\xC3\xA4",
                                                              bytes, "", "", "blob", "text", "blob"}});
  CHECK(connection->execute("SELECT 1", parameters).error().code == errc::internal);
  CHECK(connection->execute("SELECT", {}).error().code == errc::internal);
  const auto written = connection->execute("INSERT INTO application (stage) VALUES ('a'), ('b')", {});
  CHECK(written->count == 2);
  CHECK(connection->in_transaction().value() == host_transaction::none);
}

TEST_CASE("in the child of a fork a joined transaction answers forked", "[host]") {
  bare_host h;
  h.theirs.begin();
  REQUIRE(h.joined->next_due());
  const pid_t child = ::fork();
  if (child == 0) {
    const auto answer = h.joined->next_due();
    ::_exit(!answer && answer.error().code == errc::forked ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}
