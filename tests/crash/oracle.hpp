#pragma once
/// What plain SQL says of a store's file, without a line of the library: the oracle of the crash and race tests.
///
/// Every promise that can be read off the rows is one query that must find nothing.

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <sqlite3.h>

namespace oracle {

/// A file opened for reading, by SQLite alone.
class file {
 public:
  explicit file(const std::string& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
      throw std::runtime_error("the oracle cannot open " + path);
    sqlite3_busy_timeout(db_, 10'000);
  }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  ~file() { sqlite3_close(db_); }

  /// Rows of text; NULL is "".
  std::vector<std::vector<std::string>> rows(const std::string& sql) const {
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
  std::string one(const std::string& sql) const {
    const auto all = rows(sql);
    return all.empty() || all[0].empty() ? std::string() : all[0][0];
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

  /// Every broken promise, in words; empty where all hold.
  std::vector<std::string> broken_promises() const {
    struct promise {
      const char* name;
      const char* finds_what_breaks_it;
    };
    static const promise promises[] = {
        {"the file is sound", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
        {"I4: one current interview per track",
         "SELECT 1 FROM hirenow_interview WHERE state NOT IN (7, 8, 9) GROUP BY tenant_no, applicant_no, track_no "
         "HAVING "
         "count(*) > 1"},
        {"I4: an interview has one row and one key",
         "SELECT interview FROM hirenow_interview GROUP BY interview HAVING count(*) > 1 UNION ALL "
         "SELECT interview FROM hirenow_interview WHERE interview NOT IN (SELECT interview FROM hirenow_interview_key) "
         "UNION ALL SELECT interview FROM hirenow_interview_key WHERE interview NOT IN (SELECT interview FROM "
         "hirenow_interview)"},
        {"I4: lineage goes both ways",
         "SELECT 1 FROM hirenow_interview AS new WHERE retake_of IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
         "hirenow_interview AS old WHERE old.interview = new.retake_of AND old.superseded_by = new.interview AND "
         "old.state = 9) UNION ALL SELECT 1 FROM hirenow_interview AS old WHERE state = 9 AND NOT EXISTS (SELECT 1 "
         "FROM "
         "hirenow_interview AS new WHERE new.interview = old.superseded_by AND new.retake_of = old.interview)"},
        {"I4: the audit has no gap and ends where its record does",
         "SELECT 1 FROM hirenow_applicant AS r WHERE sequence <> (SELECT count(*) FROM hirenow_audit AS a WHERE "
         "a.applicant_no = r.applicant_no) OR sequence <> (SELECT max(a.sequence) FROM hirenow_audit AS a WHERE "
         "a.applicant_no = r.applicant_no) OR audit_head <> (SELECT a.hash FROM hirenow_audit AS a WHERE "
         "a.applicant_no "
         "= r.applicant_no ORDER BY a.sequence DESC LIMIT 1)"},
        {"I4: rows and audit agree on every state",
         "SELECT 1 FROM hirenow_interview AS i WHERE state IS NOT (SELECT a.to_state FROM hirenow_audit AS a WHERE "
         "a.interview = i.interview AND a.to_state IS NOT NULL ORDER BY a.sequence DESC LIMIT 1)"},
        {"I6: a waiver is used once, by an interview that is there",
         "SELECT 1 FROM hirenow_waiver AS w WHERE (state = 2) <> (used_for IS NOT NULL) OR (used_for IS NOT NULL AND "
         "NOT EXISTS (SELECT 1 FROM hirenow_interview AS i WHERE i.interview = w.used_for AND i.applicant_no = "
         "w.applicant_no)) OR (SELECT count(*) FROM hirenow_audit AS a WHERE a.applicant_no = w.applicant_no AND "
         "a.event = 'use_waiver' AND a.details = '{\"waiver\":' || w.number || '}') <> (state = 2)"},
        {"I2: no message without the audit entry that promised it",
         "SELECT 1 FROM hirenow_outbox AS m WHERE NOT EXISTS (SELECT 1 FROM hirenow_audit AS a WHERE a.applicant_no = "
         "m.applicant_no AND a.sequence = m.occasion)"},
        {"I5: no unsent link of an interview that is over",
         "SELECT 1 FROM hirenow_outbox AS m JOIN hirenow_interview AS i ON i.interview = m.interview WHERE m.state IN "
         "(0, 1) AND m.kind IN (0, 1, 2, 3) AND (i.state NOT IN (0, 1) OR m.generation <> i.generation)"},
        {"I6: no track has more attempts than the policy allows",
         "SELECT 1 FROM hirenow_interview GROUP BY tenant_no, applicant_no, track_no HAVING count(*) > 4"},
        {"counts by state are those of the rows",
         "SELECT 1 FROM hirenow_count WHERE track_no = 0 AND scheduled + in_progress + submitted + passed + failed + "
         "on_hold + expired + cancelled + voided + archived <> (SELECT count(*) FROM hirenow_interview AS i WHERE "
         "i.tenant_no = hirenow_count.tenant_no) UNION ALL SELECT 1 FROM hirenow_count AS c WHERE track_no = 0 AND "
         "(archived <> (SELECT count(*) FROM hirenow_interview AS i WHERE i.tenant_no = c.tenant_no AND i.state = 9) "
         "OR "
         "scheduled <> (SELECT count(*) FROM hirenow_interview AS i WHERE i.tenant_no = c.tenant_no AND i.state = 0))"},
        {"a session that is open belongs to an interview in progress",
         "SELECT 1 FROM hirenow_session AS s JOIN hirenow_interview AS i ON i.applicant_no = s.applicant_no AND "
         "i.track_no = s.track_no AND i.attempt = s.attempt WHERE s.open = 1 AND i.state <> 1"},
    };
    std::vector<std::string> broken;
    for (const auto& p : promises)
      if (!rows(p.finds_what_breaks_it).empty()) broken.emplace_back(p.name);
    return broken;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace oracle
