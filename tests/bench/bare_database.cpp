#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include <libpq-fe.h>
#include <sqlite3.h>

#include "bare_outbox.hpp"

namespace bench {
namespace {

class sqlite_connection {
 public:
  explicit sqlite_connection(const std::string& file) {
    if (sqlite3_open_v2(file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        nullptr) != SQLITE_OK)
      throw std::runtime_error("bare: cannot open");
    sqlite3_busy_timeout(db_, 10'000);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    sqlite3_wal_autocheckpoint(db_, 0);
  }
  ~sqlite_connection() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  void run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
  }
  /// Runs a statement with whole numbers; hands the first column of each row to `take`.
  template <class Take>
  int step(const char* sql, std::initializer_list<std::int64_t> values, Take take) {
    sqlite3_stmt*& statement = statements_[sql];
    if (!statement && sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(db_));
    int at = 0;
    for (const auto value : values) sqlite3_bind_int64(statement, ++at, value);
    int code = sqlite3_step(statement);
    for (; code == SQLITE_ROW; code = sqlite3_step(statement)) take(sqlite3_column_int64(statement, 0));
    if (code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
    return sqlite3_changes(db_);
  }
  int step(const char* sql, std::initializer_list<std::int64_t> values) {
    return step(sql, values, [](std::int64_t) {});
  }

 private:
  sqlite3* db_ = nullptr;
  std::map<const char*, sqlite3_stmt*> statements_;
};

class bare_sqlite_database final : public bare_database {
 public:
  bare_sqlite_database(const std::string& file, std::size_t senders, std::size_t mails) : writer_(file) {
    writer_.run("CREATE TABLE person (id INTEGER PRIMARY KEY, email TEXT, name TEXT)");
    writer_.run(
        "CREATE TABLE interview (id INTEGER PRIMARY KEY, person INTEGER, state INTEGER, generation INTEGER, start_by "
        "INTEGER, track TEXT)");
    writer_.run(
        "CREATE TABLE outbox (id INTEGER PRIMARY KEY, interview INTEGER, state INTEGER, wake_at INTEGER, lease "
        "INTEGER, answer TEXT)");
    writer_.run("CREATE INDEX unsent ON outbox (wake_at) WHERE state < 2");
    writer_.run("BEGIN");
    for (std::size_t n = 1; n <= mails; ++n) {
      const auto id = static_cast<std::int64_t>(n);
      writer_.step("INSERT INTO person VALUES (?, 'ada@example.org', 'Ada Lovelace')", {id});
      writer_.step("INSERT INTO interview VALUES (?1, ?1, 0, 1, 1000, 'backend-2026/technical')", {id});
      writer_.step("INSERT INTO outbox VALUES (?1, ?1, 0, 100, NULL, '')", {id});
    }
    writer_.run("COMMIT");
    for (std::size_t n = 0; n < senders; ++n) readers_.push_back(std::make_unique<sqlite_connection>(file));
  }
  std::vector<std::int64_t> claim() override {
    std::vector<std::int64_t> fresh;
    writer_.run("BEGIN IMMEDIATE");
    writer_.step("SELECT id FROM outbox WHERE state < 2 AND wake_at <= 100 ORDER BY wake_at, id LIMIT 1000", {},
                 [&](std::int64_t id) { fresh.push_back(id); });
    for (const auto id : fresh)
      writer_.step("UPDATE outbox SET state = 1, lease = 7, wake_at = 130 WHERE id = ?", {id});
    writer_.run("COMMIT");
    return fresh;
  }
  void look(std::size_t sender, std::int64_t message) override {
    std::int64_t generation = 0;
    readers_[sender]->step(
        "SELECT i.generation, i.start_by, i.track, p.email, p.name FROM interview AS i JOIN person AS p ON p.id = "
        "i.person WHERE i.id = ? AND i.state = 0",
        {message}, [&](std::int64_t g) { generation = g; });
    if (generation != 1) throw std::runtime_error("bare: the link is gone");
  }
  void settle(const std::vector<std::int64_t>& messages) override {
    writer_.run("BEGIN IMMEDIATE");
    for (const auto id : messages)
      if (writer_.step("UPDATE outbox SET state = 2, answer = '250 thrown away' WHERE id = ? AND state = 1 AND "
                       "lease = 7",
                       {id}) != 1)
        throw std::runtime_error("bare: the lease is gone");
    writer_.run("COMMIT");
  }
  std::size_t unsettled() override {
    std::int64_t left = -1;
    writer_.step("SELECT count(*) FROM outbox WHERE state <> 2", {}, [&](std::int64_t n) { left = n; });
    return static_cast<std::size_t>(left);
  }

 private:
  sqlite_connection writer_;
  std::vector<std::unique_ptr<sqlite_connection>> readers_{};
};

class server_connection {
 public:
  explicit server_connection(const std::string& url) : handle_(PQconnectdb(url.c_str())) {
    run("SET client_min_messages = warning");
    run("SET search_path = bare");
  }
  ~server_connection() { PQfinish(handle_); }
  server_connection(const server_connection&) = delete;
  server_connection& operator=(const server_connection&) = delete;

  void prepare(const char* name, const char* sql) { first_of(PQprepare(handle_, name, sql, 0, nullptr)); }
  std::vector<std::int64_t> run(const std::string& sql) { return first_of(PQexec(handle_, sql.c_str())); }
  /// Runs a prepared statement with one value, or none.
  std::vector<std::int64_t> step(const char* name, const std::string& value = {}) {
    const char* const values[] = {value.c_str()};
    return first_of(PQexecPrepared(handle_, name, value.empty() ? 0 : 1, values, nullptr, nullptr, 0));
  }

 private:
  /// The first column of an answer.
  std::vector<std::int64_t> first_of(PGresult* answer) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> held(answer, &PQclear);
    const auto status = PQresultStatus(answer);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(handle_));
    std::vector<std::int64_t> out;
    for (int n = 0; PQnfields(answer) > 0 && n < PQntuples(answer); ++n)
      out.push_back(std::atoll(PQgetvalue(answer, n, 0)));
    return out;
  }
  PGconn* handle_;
};

class bare_server_database final : public bare_database {
 public:
  bare_server_database(const std::string& url, std::size_t senders, std::size_t mails) : writer_(url) {
    const std::string all = "FROM generate_series(1, " + std::to_string(mails) + ") AS n";
    writer_.run("DROP SCHEMA IF EXISTS bare CASCADE");
    writer_.run("CREATE SCHEMA bare");
    writer_.run("CREATE TABLE person AS SELECT n AS id, 'ada@example.org' AS email, 'Ada Lovelace' AS name " + all);
    writer_.run(
        "CREATE TABLE interview AS SELECT n AS id, n AS person, 0 AS state, 1 AS generation, 1000 AS start_by, "
        "'backend-2026/technical' AS track " +
        all);
    writer_.run(
        "CREATE TABLE outbox AS SELECT n AS id, n AS interview, 0 AS state, 100 AS wake_at, NULL::integer AS lease, "
        "'' AS answer " +
        all);
    for (const char* table : {"person", "interview", "outbox"})
      writer_.run("ALTER TABLE " + std::string(table) + " ADD PRIMARY KEY (id)");
    writer_.run("CREATE INDEX unsent ON outbox (wake_at) WHERE state < 2");
    writer_.run("VACUUM ANALYZE");
    writer_.prepare("claim",
                    "UPDATE outbox SET state = 1, lease = 7, wake_at = 130 WHERE id IN (SELECT id FROM outbox WHERE "
                    "state < 2 AND wake_at <= 100 ORDER BY wake_at LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING id");
    writer_.prepare("settle",
                    "WITH done AS (UPDATE outbox SET state = 2, answer = '250 thrown away' WHERE id = ANY ($1::int[]) "
                    "AND state = 1 AND lease = 7 RETURNING id) SELECT count(*) FROM done");
    for (std::size_t n = 0; n < senders; ++n) {
      readers_.push_back(std::make_unique<server_connection>(url));
      readers_.back()->prepare("look",
                               "SELECT i.generation, i.start_by, i.track, p.email, p.name FROM interview AS i JOIN "
                               "person AS p ON p.id = i.person WHERE i.id = $1 AND i.state = 0");
    }
  }
  std::vector<std::int64_t> claim() override { return writer_.step("claim"); }
  void look(std::size_t sender, std::int64_t message) override {
    if (readers_[sender]->step("look", std::to_string(message)) != std::vector<std::int64_t>{1})
      throw std::runtime_error("bare: the link is gone");
  }
  void settle(const std::vector<std::int64_t>& messages) override {
    std::string list;
    for (const auto id : messages) list += (list.empty() ? "{" : ",") + std::to_string(id);
    if (writer_.step("settle", list + "}").at(0) != static_cast<std::int64_t>(messages.size()))
      throw std::runtime_error("bare: the lease is gone");
  }
  std::size_t unsettled() override {
    return static_cast<std::size_t>(writer_.run("SELECT count(*) FROM outbox WHERE state <> 2").at(0));
  }

 private:
  server_connection writer_;
  std::vector<std::unique_ptr<server_connection>> readers_{};
};

}  // namespace

std::unique_ptr<bare_database> bare_sqlite(const std::string& file, std::size_t senders, std::size_t mails) {
  return std::make_unique<bare_sqlite_database>(file, senders, mails);
}
std::unique_ptr<bare_database> bare_server(const std::string& url, std::size_t senders, std::size_t mails) {
  return std::make_unique<bare_server_database>(url, senders, mails);
}

}  // namespace bench
