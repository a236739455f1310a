#pragma once
/// The private PostgreSQL of the tests (support/postgres.sh), a schema of one's own in it, and plain SQL, as somebody
/// has it who knows nothing of hirenow.
///
/// Threads: one at a time.

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <libpq-fe.h>
#include <unistd.h>

#include "hirenow/adapters/postgres.hpp"

namespace hirenow::test {

/// The file with the server's URL.
inline std::string postgres_file() {
  const char* const file = std::getenv("HIRENOW_TEST_POSTGRES");
  if (!file) throw std::runtime_error("no PostgreSQL: run this through tests/support/postgres.sh run");
  return file;
}
inline std::string postgres_url() {
  std::ifstream in(postgres_file());
  std::string url;
  if (!std::getline(in, url)) throw std::runtime_error("the PostgreSQL of the tests did not start");
  return url;
}

/// A connection that runs plain SQL.
class plain_postgres {
 public:
  explicit plain_postgres(const std::string& url = postgres_url()) : handle_(PQconnectdb(url.c_str())) {
    if (PQstatus(handle_) != CONNECTION_OK) {
      const std::string why = PQerrorMessage(handle_);
      PQfinish(handle_);
      throw std::runtime_error(why);
    }
    PQsetNoticeReceiver(handle_, [](void*, const PGresult*) {}, nullptr);
  }
  ~plain_postgres() { PQfinish(handle_); }
  plain_postgres(const plain_postgres&) = delete;
  plain_postgres& operator=(const plain_postgres&) = delete;

  /// Runs statements. Returns the SQLSTATE; empty where all succeeded.
  std::string refusal(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(handle_, sql.c_str()), PQclear);
    const auto status = PQresultStatus(r.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return {};
    said_ = PQerrorMessage(handle_);
    const char* const state = PQresultErrorField(r.get(), PG_DIAG_SQLSTATE);
    return state ? state : "broken";
  }
  /// Runs statements that have to succeed.
  void run(const std::string& sql) {
    if (!refusal(sql).empty()) throw std::runtime_error(said_ + ": " + sql);
  }
  /// The first value of the first row, as text; empty where there is none.
  std::string value(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(handle_, sql.c_str()), PQclear);
    if (PQresultStatus(r.get()) != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(handle_) + (": " + sql));
    return PQntuples(r.get()) > 0 ? PQgetvalue(r.get(), 0, 0) : "";
  }
  long long number(const std::string& sql) { return std::stoll("0" + value(sql)); }
  PGconn* handle() { return handle_; }

 private:
  PGconn* handle_;
  std::string said_{};
};

/// A name that no other schema of this server has.
inline std::string fresh_schema_name() {
  static std::atomic<int> made{0};
  return "t" + std::to_string(::getpid()) + "_" + std::to_string(++made);
}

/// A schema that goes with its owner.
struct fresh_schema {
  std::string name = fresh_schema_name();
  std::string url = postgres_url();

  fresh_schema() = default;
  fresh_schema(const fresh_schema&) = delete;
  fresh_schema& operator=(const fresh_schema&) = delete;
  ~fresh_schema() {
    try {
      plain_postgres(url).run("DROP SCHEMA IF EXISTS " + name + " CASCADE");
    } catch (...) {
      // The server goes, too.
    }
  }

  /// Takes out whatever stores that were opened over it have left there: quicker than another schema.
  void empty() const {
    if (!plain_) plain_ = std::make_unique<plain_postgres>(url);
    // As a replica: triggers and foreign keys, which forbid it, stand still.
    plain_->run(
        "SET session_replication_role = replica; DO $$ DECLARE t text; BEGIN FOR t IN SELECT "
        "tablename FROM pg_tables WHERE schemaname = '" +
        name + "' AND tablename <> 'hirenow_version' LOOP EXECUTE format('DELETE FROM " + name +
        ".%I', t); END LOOP; END $$");
  }

  result<std::unique_ptr<store>> open(postgres_options options = {.clock = postgres_clock::caller}) const {
    options.schema = name;
    options.connect_timeout = std::chrono::seconds{60};  // a machine that is busy with others' builds is no fault
    return open_postgres_store(url, options);
  }

 private:
  mutable std::unique_ptr<plain_postgres> plain_{};
};

}  // namespace hirenow::test
