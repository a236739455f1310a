/// Everything that changes rows but what dispatchers do to the outbox.

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "hirenow/detail/step.hpp"
#include "sql_store.hpp"

namespace hirenow::detail {
namespace {

[[noreturn]] void refuse(std::string why) { throw exception(fail(errc::constraint_violated, std::move(why))); }

/// A record as it stands before the change set, and what its writing gathers.
struct record_rows {
  std::int64_t tenant_no = 0;
  std::int64_t applicant_no = 0;
  std::uint64_t sequence = 0;
  digest audit_head{};
  std::optional<std::int64_t> audit_no{};                                            ///< of the newest audit entry
  std::int64_t last_audit_no = 0;                                                    ///< of the whole table
  std::map<std::int64_t, std::array<std::int64_t, interview_state_count>> counts{};  ///< differences, by track
};

/// Takes the record to stand where the change set says that it was: `move_head` makes the database compare, and fail by
/// itself, so that nothing has to be read before everything is sent.
void expect_record(sql_session& s, const change_set& changes, record_rows& record) {
  if (changes.expected_version != 0) {
    auto found = s.names.applicant(record.tenant_no, changes.applicant_id);
    if (!found)
      s.connection.execute("SELECT applicant_no FROM main.hirenow_applicant WHERE tenant_no = $1 AND applicant = $2",
                           {record.tenant_no, changes.applicant_id},
                           [&](const sql_row& row) { found = row.integer(0); });
    if (!found) throw exception(fail(errc::conflict, "the record is at version 0"));
    record.applicant_no = *found;
    record.sequence = changes.audit.empty() ? changes.head.sequence : changes.audit.front().sequence - 1;
    record.audit_head = changes.audit.empty() ? changes.head.audit_head : changes.audit.front().previous;
  }
}

/// Where a change set contradicts itself, its being late is said first: it may be why.
void refuse_if_stale(sql_session& s, const change_set& changes, const record_rows& record) {
  std::uint64_t version = 0;
  s.connection.execute("SELECT version FROM main.hirenow_applicant WHERE tenant_no = $1 AND applicant = $2",
                       {record.tenant_no, changes.applicant_id}, [&](const sql_row& row) { version = row.number(0); });
  if (version != changes.expected_version)
    throw exception(fail(errc::conflict, "the record is at version " + std::to_string(version)));
}

/// Finds the record, and refuses another version than the one that was decided on.
record_rows find_record(sql_session& s, const change_set& changes) {
  record_rows record;
  record.tenant_no = s.tenant(changes.tenant);
  if (s.is_postgresql()) {
    expect_record(s, changes, record);
    return record;
  }
  std::uint64_t version = 0;
  const auto take = [&](const sql_row& row) {
    record.last_audit_no = row.integer(0);
    record.applicant_no = row.integer(1);
    version = row.number(2);
    record.sequence = row.number(3);
    record.audit_head = row.array<digest>(4);
    if (!row.is_null(5)) record.audit_no = row.integer(5);
  };
#define HIRENOW_RECORD_STANDS                                                                                    \
  "SELECT (SELECT max(audit_no) FROM main.hirenow_audit), a.applicant_no, a.version, a.sequence, a.audit_head, " \
  "a.audit_no FROM main.hirenow_applicant AS a WHERE "
  if (const auto known = s.names.applicant(record.tenant_no, changes.applicant_id))
    s.connection.execute(HIRENOW_RECORD_STANDS "a.applicant_no = $1", {*known}, take);
  else
    s.connection.execute(HIRENOW_RECORD_STANDS "a.tenant_no = $1 AND a.applicant = $2",
                         {record.tenant_no, changes.applicant_id}, take);
#undef HIRENOW_RECORD_STANDS
  if (version == 0)
    s.connection.execute("SELECT max(audit_no) FROM main.hirenow_audit", {},
                         [&](const sql_row& row) { record.last_audit_no = row.integer(0); });
  if (version != changes.expected_version)
    throw exception(fail(errc::conflict, "the record is at version " + std::to_string(version)));
  return record;
}

void make_record(sql_session& s, const change_set& changes, record_rows& record) {
  if (s.is_postgresql()) {
    record.applicant_no = s.connection.new_applicant_no();
    s.connection.post(
        "INSERT INTO main.hirenow_applicant (applicant_no, tenant_no, applicant, version, sequence, last_instant, "
        "erased, subject, audit_head) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8)",
        {record.applicant_no, record.tenant_no, changes.applicant_id, record.sequence, changes.head.last_instant,
         changes.erase, changes.head.subject, record.audit_head});
    return;
  }
  s.connection.execute(
      "INSERT INTO main.hirenow_applicant (tenant_no, applicant, version, sequence, audit_no, "
      "last_instant, erased, subject, audit_head) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8) "
      "RETURNING applicant_no",
      {record.tenant_no, changes.applicant_id, record.sequence, record.audit_no, changes.head.last_instant,
       changes.erase, changes.head.subject, record.audit_head},
      [&](const sql_row& row) { record.applicant_no = row.integer(0); });
}

/// Where another version, sequence or head is found than the change set was decided on, this fails: the version in the
/// trigger, the others because NULL is refused.
void move_head_if_expected(sql_session& s, const change_set& changes, const record_rows& before,
                           const record_rows& record) {
  s.connection.post_one(
      "UPDATE main.hirenow_applicant SET version = $1, sequence = CASE WHEN sequence = $2 AND audit_head = $3 THEN $4 "
      "END, last_instant = $5, audit_head = $6, erased = CASE WHEN $7 = 1 THEN 1 ELSE erased END WHERE tenant_no "
      "= $8 AND applicant_no = $9",
      {changes.expected_version + 1, before.sequence, before.audit_head, record.sequence, changes.head.last_instant,
       record.audit_head, changes.erase, record.tenant_no, record.applicant_no},
      errc::conflict, "the record is gone");
}

void move_head(sql_session& s, const change_set& changes, const record_rows& record) {
  s.connection.execute(
      "UPDATE main.hirenow_applicant SET version = version + 1, sequence = $1, audit_no = $2, "
      "last_instant = $3, audit_head = $4, erased = CASE WHEN $5 = 1 THEN 1 ELSE erased END WHERE applicant_no = $6",
      {record.sequence, record.audit_no, changes.head.last_instant, record.audit_head, changes.erase,
       record.applicant_no});
}

// SQLite's table has the record's number alone for its key.
#define HIRENOW_WRITE_PERSON(key)                                                                    \
  "INSERT INTO main.hirenow_person (tenant_no, applicant_no, salt, email, name, locale, time_zone) " \
  "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (" key                                            \
  ") DO UPDATE SET salt = excluded.salt, email = "                                                   \
  "excluded.email, name = excluded.name, locale = excluded.locale, time_zone = excluded.time_zone"
void write_person(sql_session& s, const change_set& changes, const record_rows& record) {
  const applicant& p = changes.head.person;
  s.connection.post(
      s.is_postgresql() ? HIRENOW_WRITE_PERSON("tenant_no, applicant_no") : HIRENOW_WRITE_PERSON("applicant_no"),
      {record.tenant_no, record.applicant_no, sql_value::bytes(changes.head.salt), p.email, p.name, p.locale,
       p.time_zone});
}
#undef HIRENOW_WRITE_PERSON

std::int64_t slot_of(interview_state state, std::uint32_t attempt) { return is_current(state) ? 0 : attempt; }

/// What the clock will do at `sort_instant`: 0 expire, 1 submit, nothing where it has nothing to do.
std::optional<overtime> clock_of(const interview& i) {
  if (!clock_limit(i)) return std::nullopt;
  return i.state == interview_state::scheduled ? overtime::expire : i.overtime;
}

void insert_interview(sql_session& s, const record_rows& record, std::int64_t track_no, const interview& i) {
  s.connection.post(
      "INSERT INTO main.hirenow_interview_key (interview, tenant_no, applicant_no, track_no, attempt) "
      "VALUES ($1, $2, $3, $4, $5)",
      {i.id, record.tenant_no, record.applicant_no, track_no, i.attempt});
  s.connection.post(
      "INSERT INTO main.hirenow_interview (tenant_no, applicant_no, track_no, slot, attempt, interview, state, "
      "outcome, "
      "overtime, sort_at, clock, score, time_limit, grace, extra_percent, extra_time, pause_credit, ends_by, "
      "created_at, start_by, started_at, deadline, submitted_at, "
      "decided_at, link_requested_at, changed_at, generation, kid, issued_at, not_before, expires_at, retake_of, "
      "superseded_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
      "$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)",
      {record.tenant_no,
       record.applicant_no,
       track_no,
       slot_of(i.state, i.attempt),
       i.attempt,
       i.id,
       i.state,
       i.outcome,
       i.overtime,
       sort_instant(i),
       clock_of(i),
       i.score,
       i.time_limit,
       i.grace,
       i.accommodation.percent,
       i.accommodation.extra,
       i.accommodation.pause,
       i.ends_by,
       i.created_at,
       i.start_by,
       i.started_at,
       i.deadline,
       i.submitted_at,
       i.decided_at,
       i.link_requested_at,
       i.changed_at,
       i.link.generation,
       i.link.kid,
       i.link.issued_at,
       i.link.not_before,
       i.link.expires_at,
       i.retake_of,
       i.superseded_by});
}

void update_interview(sql_session& s, const record_rows& record, std::int64_t track_no, interview_state before,
                      const interview& i) {
  s.connection.post_one(
      "UPDATE main.hirenow_interview SET slot = $1, state = $2, outcome = $3, overtime = $4, sort_at = $5, clock = $6, "
      "score = $7, time_limit = $8, grace = $9, extra_percent = $10, extra_time = $11, pause_credit = $12, ends_by = "
      "$13, start_by = $14, started_at = $15, deadline = $16, submitted_at = $17, "
      "decided_at = $18, link_requested_at = $19, changed_at = $20, generation = $21, kid = $22, issued_at = $23, "
      "not_before = $24, expires_at = $25, superseded_by = $26 WHERE tenant_no = $27 AND applicant_no = $28 AND "
      "track_no "
      "= $29 AND slot = $30 AND interview = $31 AND state = $32 AND attempt = $33 AND created_at = $34",
      {slot_of(i.state, i.attempt),
       i.state,
       i.outcome,
       i.overtime,
       sort_instant(i),
       clock_of(i),
       i.score,
       i.time_limit,
       i.grace,
       i.accommodation.percent,
       i.accommodation.extra,
       i.accommodation.pause,
       i.ends_by,
       i.start_by,
       i.started_at,
       i.deadline,
       i.submitted_at,
       i.decided_at,
       i.link_requested_at,
       i.changed_at,
       i.link.generation,
       i.link.kid,
       i.link.issued_at,
       i.link.not_before,
       i.link.expires_at,
       i.superseded_by,
       record.tenant_no,
       record.applicant_no,
       track_no,
       slot_of(before, i.attempt),
       i.id,
       before,
       i.attempt,
       i.created_at},
      errc::constraint_violated, "the record has no such interview in the state that it was decided on in");
}

void write_interviews(sql_session& s, const change_set& changes, record_rows& record) {
  for (const auto& change : changes.interviews) {
    const interview& i = change.after;
    const std::int64_t track_no = s.track(record.tenant_no, i.track);
    auto& counts = record.counts[track_no];
    if (change.before) {
      update_interview(s, record, track_no, *change.before, i);
      --counts[static_cast<std::size_t>(*change.before)];
    } else {
      insert_interview(s, record, track_no, i);
    }
    ++counts[static_cast<std::size_t>(i.state)];
    if (change.sitting_changed && (change.before || i.sitting != sitting_state{}))
      s.connection.post(
          "INSERT INTO main.hirenow_session (tenant_no, applicant_no, track_no, attempt, fence, open, key_hash) "
          "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant_no, applicant_no, track_no, attempt) DO UPDATE SET "
          "fence = excluded.fence, open = excluded.open, key_hash = excluded.key_hash",
          {record.tenant_no, record.applicant_no, track_no, i.attempt, i.sitting.fence, i.sitting.open,
           i.sitting.key_hash});
  }
}

/// Moves the counts by state, of each track that was touched and of the tenant (track 0).
void write_counts(sql_session& s, const record_rows& record) {
  static const std::string update = [] {
    std::string sums;
    for (std::size_t n = 0; n < interview_state_count; ++n) {
      const std::string name(to_string(static_cast<interview_state>(n)));
      sums += (n ? ", " : "") + name + " = " + name + " + $" + std::to_string(n + 3);
    }
    return "UPDATE main.hirenow_count SET " + sums + " WHERE tenant_no = $1 AND track_no = $2";
  }();
  static const std::string insert = [] {
    std::string names, values;
    for (std::size_t n = 0; n < interview_state_count; ++n) {
      names += ", " + std::string(to_string(static_cast<interview_state>(n)));
      values += ", $" + std::to_string(n + 3);
    }
    return "INSERT INTO main.hirenow_count (tenant_no, track_no" + names + ") VALUES ($1, $2" + values + ")";
  }();
  for (const auto& [track_no, moved] : record.counts) {
    if (moved == std::array<std::int64_t, interview_state_count>{}) continue;
    if (s.is_postgresql()) {
      // Writers that meet in one row would wait for each other. What is appended here is read as if it were added.
      static const std::string append = "INSERT INTO main.hirenow_count_delta" + insert.substr(insert.find(" ("));
      std::array<sql_value, interview_state_count + 2> values{record.tenant_no, track_no};
      std::copy(moved.begin(), moved.end(), values.begin() + 2);
      s.connection.post(append.c_str(), values, [](const sql_row&) {});
      continue;
    }
    std::array<sql_value, interview_state_count + 2> values{record.tenant_no};
    std::copy(moved.begin(), moved.end(), values.begin() + 2);
    for (const std::int64_t of : {track_no, std::int64_t{0}}) {
      values[1] = of;
      if (s.connection.execute(update.c_str(), values, [](const sql_row&) {}) == 0)
        s.connection.execute(insert.c_str(), values, [](const sql_row&) {});
    }
  }
}

/// Checks that the entries continue the chain, and moves the record's head to the last of them; `write_audit` writes
/// them.
void check_audit(const change_set& changes, record_rows& record) {
  for (const auto& e : changes.audit) {
    if (e.sequence != record.sequence + 1) refuse("the audit would have a gap or a second entry");
    if (e.previous != record.audit_head) refuse("an audit entry does not follow the one before it");
    record.sequence = e.sequence;
    record.audit_head = e.hash;
  }
  if (changes.head.sequence != record.sequence || changes.head.audit_head != record.audit_head)
    refuse("the head does not agree with the newest audit entry");
}

void write_audit(sql_session& s, const change_set& changes, const record_rows& record,
                 std::optional<std::int64_t> previous) {
  std::int64_t number = record.last_audit_no;
  for (const auto& e : changes.audit) {
    ++number;
    if (s.is_postgresql())
      s.connection.post(
          "INSERT INTO main.hirenow_audit (tenant_no, applicant_no, sequence, at, actor, event, interview, from_state, "
          "to_state, details, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
          {record.tenant_no, record.applicant_no, e.sequence, e.at, e.actor, e.event, e.interview, e.from, e.to,
           e.details, e.hash});
    else
      s.connection.execute(
          "INSERT INTO main.hirenow_audit (audit_no, applicant_no, prev, sequence, at, actor, event, "
          "interview, from_state, to_state, details, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
          "$10, $11, $12)",
          {number, record.applicant_no, previous, e.sequence, e.at, e.actor, e.event, e.interview, e.from, e.to,
           e.details, e.hash});
    if (!e.note.empty())
      s.connection.post(
          "INSERT INTO main.hirenow_note (tenant_no, applicant_no, sequence, note) VALUES ($1, $2, $3, $4)",
          {record.tenant_no, record.applicant_no, e.sequence, e.note});
    previous = number;
  }
}

bool owns_interview(sql_session& s, const change_set& changes, const record_rows& record, const interview_id& id) {
  // What the same change set wrote is known to belong to the record.
  for (const auto& change : changes.interviews)
    if (change.after.id == id) return true;
  bool found = false;
  s.connection.execute(
      "SELECT 1 FROM main.hirenow_interview_key WHERE interview = $1 AND tenant_no = $2 AND applicant_no = $3",
      {id, record.tenant_no, record.applicant_no}, [&](const sql_row&) { found = true; });
  return found;
}

void write_outbox(sql_session& s, const change_set& changes, const record_rows& record) {
  // By their keys: a plain `state` would have PostgreSQL read all that waits or is dead, once it has seen that nothing
  // is.
  for (const auto& w : changes.withdrawals)
    s.connection.post(
        "UPDATE main.hirenow_outbox SET state = 3, lease = NULL WHERE interview = $1 AND applicant_no "
        "= $2 AND +state IN (0, 1) AND (($3 >> CAST(kind AS INTEGER)) & 1) = 1 AND tenant_no = $4",
        {w.interview, record.applicant_no, w.kinds, record.tenant_no});
  for (const auto& m : changes.messages) {
    if (!owns_interview(s, changes, record, m.key.interview)) refuse("a message of an interview of another record");
    s.connection.post(
        s.database_clock
            ? "INSERT INTO main.hirenow_outbox (interview, kind, occasion, tenant_no, applicant_no, generation, "
              "created_at, due_at, wake_at, state, tries, last_answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE "
              "WHEN $8 <= $7 THEN least($8, " HIRENOW_DATABASE_NOW ") ELSE $8 END, $9, $10, $11)"
            : "INSERT INTO main.hirenow_outbox (interview, kind, occasion, tenant_no, applicant_no, generation, "
              "created_at, due_at, wake_at, state, tries, last_answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, "
              "$10, $11)",
        {m.key.interview, m.key.kind, m.key.occasion, record.tenant_no, record.applicant_no, m.generation, m.created_at,
         m.due_at, m.state, m.tries, m.last_answer});
  }
  for (const auto& key : changes.redrives) {
    s.connection.post_one(
        s.database_clock
            ? "UPDATE main.hirenow_outbox SET state = 0, tries = 0, due_at = $1, wake_at = "
              "least($1, " HIRENOW_DATABASE_NOW
              "), lease = NULL WHERE interview = $2 AND kind = $3 AND occasion = $4 AND "
              "applicant_no = $5 AND +state = 4 AND tenant_no = $6"
            : "UPDATE main.hirenow_outbox SET state = 0, tries = 0, due_at = $1, wake_at = $1, lease = NULL WHERE "
              "interview = $2 AND kind = $3 AND occasion = $4 AND applicant_no = $5 AND +state = 4 AND tenant_no = $6",
        {changes.head.last_instant, key.interview, key.kind, key.occasion, record.applicant_no, record.tenant_no},
        errc::constraint_violated, "only a dead message is redriven");
  }
  for (const auto& key : changes.drops) {
    s.connection.post_one(
        "UPDATE main.hirenow_outbox SET state = 3 WHERE interview = $1 AND kind = $2 AND occasion = $3 AND "
        "applicant_no = $4 AND +state = 4 AND tenant_no = $5",
        {key.interview, key.kind, key.occasion, record.applicant_no, record.tenant_no}, errc::constraint_violated,
        "only a dead message is dropped");
  }
}

void write_facts(sql_session& s, const change_set& changes, const record_rows& record) {
  for (const auto& f : changes.facts)
    s.connection.post(
        "INSERT INTO main.hirenow_fact (tenant_no, applicant_no, fact_no, kind, name, track, at, until, value, "
        "sequence) VALUES ($1, $2, (SELECT coalesce(max(g.fact_no), 0) + 1 FROM main.hirenow_fact AS g "
        "WHERE g.tenant_no = $1 AND g.applicant_no = $2), $3, $4, $5, $6, $7, $8, $9)",
        {record.tenant_no, record.applicant_no, f.kind, f.name, f.track, f.at, f.until, f.value, f.sequence});
}

void write_final_progress(sql_session& s, const change_set& changes, const record_rows& record) {
  const auto& [id, saved] = *changes.final_progress;
  if (!owns_interview(s, changes, record, id)) refuse("progress of an interview of another record");
  s.connection.post(
      "INSERT INTO main.hirenow_session (tenant_no, applicant_no, track_no, attempt, fence, open, key_hash, "
      "saved_at, progress) SELECT k.tenant_no, k.applicant_no, k.track_no, k.attempt, 0, 0, $1, $2, $3 FROM "
      "main.hirenow_interview_key AS k WHERE k.interview = $4 AND k.tenant_no = $5 ON CONFLICT (tenant_no, "
      "applicant_no, track_no, attempt) DO UPDATE SET saved_at = excluded.saved_at, progress = excluded.progress",
      {digest{}, saved.saved_at, sql_value::bytes(saved.bytes), id, record.tenant_no});
}

/// Deletes what names or describes the person. The interviews and the audit stay.
void erase_person(sql_session& s, const record_rows& record) {
  auto& c = s.connection;
  c.post("DELETE FROM main.hirenow_person WHERE tenant_no = $1 AND applicant_no = $2",
         {record.tenant_no, record.applicant_no});
  c.post("DELETE FROM main.hirenow_fact WHERE tenant_no = $1 AND applicant_no = $2",
         {record.tenant_no, record.applicant_no});
  c.post("DELETE FROM main.hirenow_note WHERE tenant_no = $1 AND applicant_no = $2",
         {record.tenant_no, record.applicant_no});
  c.post("UPDATE main.hirenow_session SET progress = NULL, saved_at = NULL WHERE tenant_no = $1 AND applicant_no = $2",
         {record.tenant_no, record.applicant_no});
  c.post("DELETE FROM main.hirenow_answer WHERE tenant_no = $1 AND applicant_no = $2",
         {record.tenant_no, record.applicant_no});
  // Servers quote the address.
  c.post(
      "UPDATE main.hirenow_outbox SET last_answer = '' WHERE last_answer <> '' AND applicant_no = $1 AND "
      "tenant_no = $2 AND interview IN (SELECT i.interview FROM main.hirenow_interview AS i WHERE i.tenant_no = $2 AND "
      "i.applicant_no = $1)",
      {record.applicant_no, record.tenant_no});
}

void write_answer(sql_session& s, const change_set& changes, const record_rows& record) {
  const stored_answer& a = *changes.answer;
  s.connection.post_one(
      "INSERT INTO main.hirenow_answer (tenant_no, answer_key, applicant_no, expires_at, payload, answer) VALUES ($1, "
      "$2, $3, $4, $5, $6) ON CONFLICT (tenant_no, answer_key) DO UPDATE SET applicant_no = excluded.applicant_no, "
      "expires_at = excluded.expires_at, payload = excluded.payload, answer = excluded.answer WHERE "
      "hirenow_answer.expires_at <= $7",
      {record.tenant_no, a.key, record.applicant_no, a.expires_at, a.payload, a.answer, changes.head.last_instant},
      errc::conflict, "another call has answered under this idempotency key");
}

}  // namespace

void sql_commit(sql_session& s, const change_set& changes) {
  s.rows_of(changes.tenant);
  record_rows record = find_record(s, changes);
  const bool is_new = changes.expected_version == 0;
  const record_rows before = record;
  try {
    check_audit(changes, record);
  } catch (const exception&) {
    if (s.is_postgresql()) refuse_if_stale(s, changes, record);
    throw;
  }
  if (!changes.audit.empty()) record.audit_no = record.last_audit_no + static_cast<std::int64_t>(changes.audit.size());
  HIRENOW_STEP("sql: before the record is written");
  if (is_new)
    make_record(s, changes, record);
  else if (s.is_postgresql())
    move_head_if_expected(s, changes, before, record);  // first, because it locks the record
  if (is_new || changes.write_person) write_person(s, changes, record);
  HIRENOW_STEP("sql: person written");
  write_interviews(s, changes, record);
  HIRENOW_STEP("sql: interviews written");
  write_facts(s, changes, record);
  HIRENOW_STEP("sql: facts written");
  sql_write_waivers(s, changes.waivers, record.tenant_no, record.applicant_no);
  HIRENOW_STEP("sql: waivers written");
  for (const auto& policy : changes.policies) sql_write_policy(s, record.tenant_no, policy);
  HIRENOW_STEP("sql: policies written");
  write_audit(s, changes, record, before.audit_no);
  HIRENOW_STEP("sql: audit written");
  write_outbox(s, changes, record);
  HIRENOW_STEP("sql: outbox written");
  if (changes.final_progress) write_final_progress(s, changes, record);
  if (!is_new && !s.is_postgresql()) move_head(s, changes, record);
  HIRENOW_STEP("sql: head moved");
  if (changes.erase) erase_person(s, record);
  if (changes.answer) write_answer(s, changes, record);
  HIRENOW_STEP("sql: answer written");
  write_counts(s, record);
  s.connection.finish();
  HIRENOW_STEP("sql: counts written");
}

bool sql_save_progress(sql_session& s, const checkpoint_request& request) {
  s.rows_of(request.tenant);
  const auto tenant_no = s.find_tenant(request.tenant);
  if (!tenant_no) return false;
  std::int64_t applicant_no = 0, track_no = 0, attempt = 0;
  bool open = false;
  s.connection.execute(
      "SELECT i.applicant_no, i.track_no, i.attempt FROM main.hirenow_interview_key AS k CROSS JOIN "
      "main.hirenow_interview AS i ON i.tenant_no = k.tenant_no AND i.applicant_no = k.applicant_no "
      "AND i.track_no = k.track_no AND i.slot IN (0, k.attempt) AND i.interview = k.interview WHERE "
      "k.interview = $1 AND k.tenant_no = $2 AND i.deadline > $3",
      {request.interview, *tenant_no, request.at}, [&](const sql_row& row) {
        applicant_no = row.integer(0);
        track_no = row.integer(1);
        attempt = row.integer(2);
        open = true;
      });
  if (!open) return false;
  std::int64_t changed = 0;
  s.connection.post(
      "UPDATE main.hirenow_session SET progress = $1, saved_at = $2 WHERE tenant_no = $3 AND applicant_no "
      "= $4 AND track_no = $5 AND attempt = $6 AND fence = $7 AND open = 1 AND "
      "key_hash = $8",
      {sql_value::bytes(request.bytes), request.at, *tenant_no, applicant_no, track_no, attempt, request.fence,
       request.key_hash},
      changed);
  s.connection.finish();
  return changed == 1;
}

std::size_t sql_prune(sql_session& s, sys_seconds now, const std::vector<tenant_answer>& some) {
  std::vector<std::int64_t> deleted(some.size());
  s.rows_of_all();
  for (std::size_t n = 0; n < some.size(); ++n)
    s.connection.post(
        "DELETE FROM main.hirenow_answer WHERE tenant_no = $1 AND answer_key = $2 AND "
        "expires_at <= $3",
        {some[n].tenant_no, some[n].key, now}, deleted[n]);
  s.connection.finish();
  HIRENOW_STEP("sql: answers pruned");
  return static_cast<std::size_t>(std::accumulate(deleted.begin(), deleted.end(), std::int64_t{0}));
}

}  // namespace hirenow::detail
