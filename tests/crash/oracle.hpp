#pragma once
/// The oracle's eye on a store's file: SQLite alone, and not a line of the library.

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <sqlite3.h>

#include "crash/promises.hpp"

namespace oracle {

/// A file opened for reading, by SQLite alone.
class file final : public database {
 public:
  explicit file(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
      throw std::runtime_error("the oracle cannot open " + path);
    sqlite3_busy_timeout(db_, 10'000);
  }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  ~file() override { sqlite3_close(db_); }

  std::vector<std::vector<std::string>> rows(const std::string& sql) const override {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      throw std::runtime_error(std::string("the oracle: ") + sqlite3_errmsg(db_) + " in " + sql);
    std::vector<std::vector<std::string>> all;
    int code = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
      std::vector<std::string> row;
      for (int n = 0; n < sqlite3_column_count(statement); ++n) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, n));
        row.emplace_back(text ? text : "");
      }
      all.push_back(std::move(row));
    }
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE) throw std::runtime_error(std::string("the oracle: ") + sqlite3_errmsg(db_));
    return all;
  }

  /// How many rows each table has, and the sum of versions: what "all of it or none of it" is judged by.
  std::map<std::string, std::string> shape() const {
    std::map<std::string, std::string> counts;
    for (const auto& row :
         rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'hirenow\\_%' ESCAPE "
              "'\\' AND name NOT IN ('hirenow_count', 'hirenow_tenant', 'hirenow_track')"))
      counts[row[0]] = one("SELECT count(*) FROM " + row[0]);
    counts["versions"] = one("SELECT coalesce(sum(version), 0) FROM hirenow_applicant");
    counts["states"] =
        one("SELECT group_concat(state || ':' || n) FROM (SELECT state, count(*) AS n FROM "
            "hirenow_interview GROUP BY state ORDER BY state)");
    counts["messages"] =
        one("SELECT group_concat(state || ':' || n) FROM (SELECT state, count(*) AS n FROM "
            "hirenow_outbox GROUP BY state ORDER BY state)");
    counts["progress"] = one("SELECT group_concat(coalesce(hex(progress), '-')) FROM hirenow_session");
    counts["fences"] = one("SELECT group_concat(fence || ':' || open) FROM hirenow_session");
    counts["people"] = one("SELECT group_concat(email) FROM hirenow_person");
    counts["policies"] = one("SELECT group_concat(document) FROM hirenow_policy");
    counts["waivers"] = one("SELECT group_concat(rule || ':' || state || ':' || approved_by) FROM hirenow_waiver");
    counts["link requests"] = one("SELECT group_concat(coalesce(link_requested_at, '-')) FROM hirenow_interview");
    return counts;
  }

 protected:
  const std::vector<promise>& own_promises() const override {
    static const std::vector<promise> all{
        {"the file is sound", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
        {"counts by state are those of the rows",
         "SELECT 1 FROM hirenow_count WHERE track_no = 0 AND scheduled + in_progress + submitted + passed + failed + "
         "on_hold + expired + cancelled + voided + archived <> (SELECT count(*) FROM hirenow_interview AS i WHERE "
         "i.tenant_no = hirenow_count.tenant_no) UNION ALL SELECT 1 FROM hirenow_count AS c WHERE track_no = 0 AND "
         "(archived <> (SELECT count(*) FROM hirenow_interview AS i WHERE i.tenant_no = c.tenant_no AND i.state = 9) "
         "OR "
         "scheduled <> (SELECT count(*) FROM hirenow_interview AS i WHERE i.tenant_no = c.tenant_no AND i.state = 0))"},
    };
    return all;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace oracle
