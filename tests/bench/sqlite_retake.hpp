#pragma once
/// One retake as the SQLite benchmark writes it: as a change set for the store, and as bare statements for the minimal
/// schema.

#include <atomic>
#include <string>

#include "hirenow/lifecycle.hpp"
#include "sqlite_file.hpp"

namespace bench {

/// Everything a retake writes. Made before the clock runs, for the store and the bare statements alike.
inline change_set make_retake(applicant_record record, sys_seconds now) {
  change_set set;
  set.tenant = record.tenant;
  set.applicant_id = record.person.id;
  set.expected_version = record.version;
  const interview* found = nullptr;
  for (const auto& i : record.interviews)
    if (i.state == interview_state::failed) found = &i;
  if (!found) throw std::runtime_error("no failed interview to retake");

  interview old = apply(*found, event::retake, authority::staff, now).value();
  interview next{.id = new_interview_id(now),
                 .track = old.track,
                 .attempt = old.attempt + 1,
                 .created_at = now,
                 .start_by = now + seconds{3 * 86400},
                 .changed_at = now,
                 .retake_of = old.id};
  next.link = {1, "2026-03", now, now, next.start_by};
  old.superseded_by = next.id;

  // Word for word as the engine would write them, so that both sides write the same facts.
  const std::string archived = R"({"superseded_by":")" + to_string(next.id) +
                               R"(","policy":"ddd6b9aa44be84a88fa8906d05911025d97fe6d1e58b44b30b8365358d4d6d48",)"
                               R"("policy_version":"1"})";
  const std::string scheduled = R"({"track":")" + next.track + R"(","attempt":)" + std::to_string(next.attempt) +
                                R"(,"start_by":")" + to_string(next.start_by) +
                                R"(","time_limit":86400,"grace":600,"percent":0,"retake_of":")" + to_string(old.id) +
                                R"("})";
  for (const auto* i : {&old, &next}) {
    audit_entry entry{.at = now,
                      .actor = "staff:rita",
                      .event = i == &old ? "retake" : "schedule",
                      .interview = i->id,
                      .to = i->state,
                      .details = i == &old ? archived : scheduled};
    if (i == &old) entry.from = found->state;
    set.audit.push_back(append_audit(record, std::move(entry)));
  }
  set.interviews = {{old, found->state}, {next, std::nullopt}};
  set.withdrawals = {{old.id}};
  set.messages = {
      {.key = {next.id, message_kind::retake_invitation, record.sequence}, .created_at = now, .due_at = now}};
  stored_answer answer{.answer = R"({"interview":")" + to_string(next.id) + R"(","generation":1,"archived":")" +
                                 to_string(old.id) + R"("})",
                       .expires_at = now + seconds{30 * 86400}};
  random_bytes(answer.key);
  answer.payload = sha256(answer.answer);
  set.answer = answer;
  set.head = std::move(record);
  ++set.head.version;
  return set;
}

/// A retake by prepared statements. The numbers of the tenant and the track are known to it, as they are to the store.
class bare_retake {
 public:
  explicit bare_retake(bare_connection& db) : db_(db) {}

  /// In a commit of its own.
  void write_alone(const change_set& set, std::int64_t track_no) {
    db_.step(begin_);
    write(set, track_no);
    db_.step(commit_);
  }

  /// Within the transaction that is open.
  void write(const change_set& set, std::int64_t track_no) {
    const interview &old = set.interviews[0].after, &next = set.interviews[1].after;
    put(head_, 1, set.applicant_id), put(head_, 2, static_cast<std::int64_t>(set.expected_version));
    if (sqlite3_step(head_) != SQLITE_ROW) throw std::runtime_error("bare: another version");
    const std::int64_t applicant_no = sqlite3_column_int64(head_, 0), newest = sqlite3_column_int64(head_, 1);
    const std::int64_t last_audit_no = sqlite3_column_int64(head_, 2);
    sqlite3_reset(head_);

    put(archive_, 1, old.attempt), put(archive_, 2, old.changed_at), put(archive_, 3, next.id);
    put(archive_, 4, applicant_no), put(archive_, 5, track_no);
    db_.step(archive_);
    put(key_, 1, next.id), put(key_, 2, applicant_no), put(key_, 3, track_no), put(key_, 4, next.attempt);
    db_.step(key_);
    put(insert_, 1, applicant_no), put(insert_, 2, track_no), put(insert_, 3, next.attempt), put(insert_, 4, next.id);
    put(insert_, 5, next.start_by), put(insert_, 6, next.created_at), put(insert_, 7, next.link.kid);
    put(insert_, 8, old.id);
    db_.step(insert_);
    std::int64_t previous = newest, number = last_audit_no;
    for (const auto& e : set.audit) {
      put(audit_, 1, ++number), put(audit_, 2, applicant_no), put(audit_, 3, previous);
      put(audit_, 4, static_cast<std::int64_t>(e.sequence)), put(audit_, 5, e.at), put(audit_, 6, e.actor);
      put(audit_, 7, e.event), put(audit_, 8, *e.interview), put(audit_, 10, static_cast<std::int64_t>(*e.to));
      if (e.from)
        put(audit_, 9, static_cast<std::int64_t>(*e.from));
      else
        sqlite3_bind_null(audit_, 9);
      put(audit_, 11, e.details), put(audit_, 12, e.hash);
      db_.step(audit_);
      previous = number;
    }
    put(withdraw_, 1, old.id);
    db_.step(withdraw_);
    const message& m = set.messages[0];
    put(message_, 1, m.key.interview), put(message_, 2, static_cast<std::int64_t>(m.key.kind));
    put(message_, 3, static_cast<std::int64_t>(m.key.occasion)), put(message_, 4, applicant_no);
    put(message_, 5, m.due_at);
    db_.step(message_);
    put(move_, 1, static_cast<std::int64_t>(set.head.sequence)), put(move_, 2, number);
    put(move_, 3, set.head.last_instant), put(move_, 4, set.head.audit_head), put(move_, 5, applicant_no);
    db_.step(move_);
    put(answer_, 1, set.answer->key), put(answer_, 2, applicant_no), put(answer_, 3, set.answer->expires_at);
    put(answer_, 4, set.answer->payload), put(answer_, 5, set.answer->answer);
    db_.step(answer_);
    put(count_, 1, track_no);
    db_.step(count_);
  }

 private:
  bare_connection& db_;
  sqlite3_stmt* begin_ = db_.prepare("BEGIN IMMEDIATE");
  sqlite3_stmt* commit_ = db_.prepare("COMMIT");
  sqlite3_stmt* head_ = db_.prepare(
      "SELECT applicant_no, audit_no, (SELECT max(audit_no) FROM hirenow_audit) FROM hirenow_applicant "
      "WHERE tenant_no = 1 AND applicant = ?1 AND version = ?2");
  sqlite3_stmt* archive_ = db_.prepare(
      "UPDATE hirenow_interview SET slot = ?1, state = 9, sort_at = ?2, changed_at = ?2, "
      "superseded_by = ?3 WHERE tenant_no = 1 AND applicant_no = ?4 AND track_no = ?5 "
      "AND slot = 0");
  sqlite3_stmt* key_ = db_.prepare("INSERT INTO hirenow_interview_key VALUES (?1, 1, ?2, ?3, ?4)");
  sqlite3_stmt* insert_ = db_.prepare(
      "INSERT INTO hirenow_interview VALUES (1, ?1, ?2, 0, ?3, ?4, 0, 0, 0, ?5, 0, NULL, 86400, "
      "0, 0, 0, 0, NULL, ?6, ?5, NULL, NULL, NULL, NULL, NULL, ?6, 1, ?7, ?6, ?6, ?5, ?8, NULL)");
  sqlite3_stmt* audit_ =
      db_.prepare("INSERT INTO hirenow_audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  sqlite3_stmt* withdraw_ = db_.prepare("UPDATE hirenow_outbox SET state = 3 WHERE interview = ?1 AND state IN (0, 1)");
  sqlite3_stmt* message_ =
      db_.prepare("INSERT INTO hirenow_outbox VALUES (?1, ?2, ?3, 1, ?4, 1, ?5, ?5, ?5, 0, 0, NULL, '')");
  sqlite3_stmt* move_ = db_.prepare(
      "UPDATE hirenow_applicant SET version = version + 1, sequence = ?1, audit_no = ?2, "
      "last_instant = ?3, audit_head = ?4 WHERE applicant_no = ?5");
  sqlite3_stmt* answer_ = db_.prepare("INSERT INTO hirenow_answer VALUES (1, ?1, ?2, ?3, ?4, ?5)");
  sqlite3_stmt* count_ = db_.prepare(
      "UPDATE hirenow_count SET failed = failed - 1, scheduled = scheduled + 1, archived = "
      "archived + 1 WHERE tenant_no = 1 AND track_no IN (0, ?1)");
};

}  // namespace bench
