#pragma once
/// What plain SQL says of a store, without a line of the library: the oracle of the crash tests, the races and the
/// campaigns, whichever database stands behind it.
///
/// Every promise that can be read off the rows is one query that must find nothing.

#include <string>
#include <vector>

namespace oracle {

struct promise {
  const char* name;
  const char* finds_what_breaks_it;
};

/// The promises that read the same in every database.
inline const std::vector<promise>& promises() {
  static const std::vector<promise> all{
      {"I4: one current interview per track",
       "SELECT 1 FROM hirenow_interview WHERE state NOT IN (7, 8, 9) GROUP BY tenant_no, applicant_no, track_no "
       "HAVING count(*) > 1"},
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
       "SELECT 1 FROM hirenow_interview AS i WHERE state IS DISTINCT FROM (SELECT a.to_state FROM hirenow_audit AS a "
       "WHERE a.applicant_no = i.applicant_no AND a.interview = i.interview AND a.to_state IS NOT NULL ORDER BY "
       "a.sequence DESC LIMIT 1)"},
      {"I6: a waiver is used once, by an interview that is there",
       "SELECT 1 FROM hirenow_waiver AS w WHERE (state = 2) <> (used_for IS NOT NULL) OR (used_for IS NOT NULL AND "
       "NOT EXISTS (SELECT 1 FROM hirenow_interview AS i WHERE i.interview = w.used_for AND i.applicant_no = "
       "w.applicant_no)) OR (SELECT count(*) FROM hirenow_audit AS a WHERE a.applicant_no = w.applicant_no AND "
       "a.event = 'use_waiver' AND a.details = '{\"waiver\":' || w.number || '}') <> CASE WHEN "
       "state = 2 THEN 1 ELSE 0 END"},
      {"I2: no message without the audit entry that promised it",
       "SELECT 1 FROM hirenow_outbox AS m WHERE NOT EXISTS (SELECT 1 FROM hirenow_audit AS a WHERE a.applicant_no = "
       "m.applicant_no AND a.sequence = m.occasion)"},
      {"I1: every interview was announced",
       "SELECT 1 FROM hirenow_interview AS i WHERE NOT EXISTS (SELECT 1 FROM hirenow_outbox AS m WHERE m.interview = "
       "i.interview AND m.kind IN (0, 1))"},
      {"I5: no unsent link of an interview that is over",
       "SELECT 1 FROM hirenow_outbox AS m JOIN hirenow_interview AS i ON i.interview = m.interview WHERE m.state IN "
       "(0, 1) AND m.kind IN (0, 1, 2, 3) AND (i.state NOT IN (0, 1) OR m.generation <> i.generation)"},
      {"I6: no track has more attempts than the policy allows",
       "SELECT 1 FROM hirenow_interview GROUP BY tenant_no, applicant_no, track_no HAVING count(*) > 4"},
      {"a session that is open belongs to an interview in progress",
       "SELECT 1 FROM hirenow_session AS s JOIN hirenow_interview AS i ON i.applicant_no = s.applicant_no AND "
       "i.track_no = s.track_no AND i.attempt = s.attempt WHERE s.open = 1 AND i.state <> 1"},
  };
  return all;
}

/// A database, opened for reading past the library.
class database {
 public:
  virtual ~database() = default;

  /// Rows of text; NULL is "".
  virtual std::vector<std::vector<std::string>> rows(const std::string& sql) const = 0;
  std::string one(const std::string& sql) const {
    const auto all = rows(sql);
    return all.empty() || all[0].empty() ? std::string() : all[0][0];
  }
  long long number(const std::string& sql) const { return std::stoll("0" + one(sql)); }

  /// Every broken promise, in words; empty where all hold.
  std::vector<std::string> broken_promises() const {
    std::vector<std::string> broken;
    for (const auto* list : {&promises(), &own_promises()})
      for (const auto& p : *list)
        if (!rows(p.finds_what_breaks_it).empty()) broken.emplace_back(p.name);
    return broken;
  }

 protected:
  /// Those that need this database's own words.
  virtual const std::vector<promise>& own_promises() const = 0;
};

}  // namespace oracle
