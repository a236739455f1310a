#pragma once
/// The oracle's eye on a PostgreSQL schema: libpq alone, and not a line of the library.

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "crash/promises.hpp"

namespace oracle {

/// A schema, looked at through a connection of its own.
class schema final : public database {
 public:
  schema(const std::string& url, const std::string& name) : handle_(PQconnectdb(url.c_str())) {
    if (PQstatus(handle_) != CONNECTION_OK) {
      const std::string why = PQerrorMessage(handle_);
      PQfinish(handle_);
      throw std::runtime_error("the oracle: " + why);
    }
    PQsetNoticeReceiver(handle_, [](void*, const PGresult*) {}, nullptr);
    rows("SET search_path = " + name);
  }
  schema(const schema&) = delete;
  schema& operator=(const schema&) = delete;
  ~schema() override { PQfinish(handle_); }

  std::vector<std::vector<std::string>> rows(const std::string& sql) const override {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> r(PQexec(handle_, sql.c_str()), PQclear);
    const auto status = PQresultStatus(r.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      throw std::runtime_error("the oracle: " + std::string(PQerrorMessage(handle_)) + " in " + sql);
    std::vector<std::vector<std::string>> all(static_cast<std::size_t>(PQntuples(r.get())));
    for (int n = 0; n < PQntuples(r.get()); ++n)
      for (int column = 0; column < PQnfields(r.get()); ++column)
        all[static_cast<std::size_t>(n)].emplace_back(PQgetvalue(r.get(), n, column));
    return all;
  }

 protected:
  const std::vector<promise>& own_promises() const override {
    static const std::vector<promise> all{
        {"counts by state are those of the rows",
         "SELECT 1 FROM (SELECT track_no, sum(scheduled) AS scheduled, sum(archived) AS archived FROM (SELECT "
         "track_no, "
         "scheduled, archived FROM hirenow_count WHERE track_no <> 0 UNION ALL SELECT track_no, scheduled, archived "
         "FROM "
         "hirenow_count_delta) AS c GROUP BY track_no) AS counted FULL JOIN (SELECT track_no, count(*) FILTER (WHERE "
         "state = 0) AS scheduled, count(*) FILTER (WHERE state = 9) AS archived FROM hirenow_interview GROUP BY "
         "track_no) AS found USING (track_no) WHERE (counted.scheduled, counted.archived) IS DISTINCT FROM "
         "(found.scheduled, found.archived)"},
    };
    return all;
  }

 private:
  PGconn* handle_;
};

}  // namespace oracle
