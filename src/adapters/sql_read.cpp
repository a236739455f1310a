/// Loading one record, its audit, and messages.

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "sql_array.hpp"
#include "sql_store.hpp"

namespace hirenow::detail {

void sql_session::rows_of(std::string_view tenant) {
  if (limits_rows) connection.post("SELECT pg_catalog.set_config('hirenow.rows', 'tenant ' || $1, true)", {tenant});
}
void sql_session::rows_of_all() {
  if (limits_rows) connection.post("SELECT pg_catalog.set_config('hirenow.rows', 'all', true)", {});
}
void sql_session::go_along_indexes() {
  if (is_hosts) return;
  connection.post(
      "SELECT pg_catalog.set_config(name, setting, true) FROM (VALUES ('enable_seqscan', 'off'), ('enable_bitmapscan', "
      "'off'), ('enable_sort', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), "
      "('enable_memoize', 'off'), ('join_collapse_limit', '1'), ('plan_cache_mode', 'force_generic_plan')) AS s (name, "
      "setting)",
      {});
}

std::optional<std::int64_t> sql_session::find_tenant(std::string_view name) {
  if (auto known = names.tenant(name)) return known;
  std::optional<std::int64_t> found;
  connection.execute("SELECT tenant_no FROM main.hirenow_tenant WHERE tenant = $1", {name},
                     [&](const sql_row& row) { found = row.integer(0); });
  if (found && !writing) names.remember_tenant(name, *found);
  return found;
}

std::optional<std::int64_t> sql_session::find_track(std::int64_t tenant_no, std::string_view name) {
  if (auto known = names.track(tenant_no, name)) return known;
  std::optional<std::int64_t> found;
  connection.execute("SELECT track_no FROM main.hirenow_track WHERE tenant_no = $1 AND track = $2", {tenant_no, name},
                     [&](const sql_row& row) { found = row.integer(0); });
  if (found && !writing) names.remember_track(tenant_no, name, *found);
  return found;
}

std::string sql_session::track_name(std::int64_t track_no) {
  if (auto known = names.track_name(track_no)) return *std::move(known);
  std::string name;
  std::int64_t tenant_no = 0;
  connection.execute("SELECT tenant_no, track FROM main.hirenow_track WHERE track_no = $1", {track_no},
                     [&](const sql_row& row) {
                       tenant_no = row.integer(0);
                       name = row.text(1);
                     });
  if (!writing) names.remember_track(tenant_no, name, track_no);
  return name;
}

std::int64_t sql_session::tenant(std::string_view name) {
  if (const auto found = find_tenant(name)) return *found;
  std::int64_t made = 0;
  connection.execute(
      "INSERT INTO main.hirenow_tenant (tenant) VALUES ($1) ON CONFLICT (tenant) DO UPDATE SET tenant = "
      "excluded.tenant "
      "RETURNING tenant_no",
      {name}, [&](const sql_row& row) { made = row.integer(0); });
  if (!writing) names.remember_tenant(name, made);
  return made;
}

std::int64_t sql_session::track(std::int64_t tenant_no, std::string_view name) {
  if (const auto found = find_track(tenant_no, name)) return *found;
  std::int64_t made = 0;
  connection.execute(
      "INSERT INTO main.hirenow_track (tenant_no, track) VALUES ($1, $2) ON CONFLICT (tenant_no, track) DO "
      "UPDATE SET track = excluded.track RETURNING track_no",
      {tenant_no, name}, [&](const sql_row& row) { made = row.integer(0); });
  if (!writing) names.remember_track(tenant_no, name, made);
  return made;
}

interview read_interview(const sql_row& row, int first) {
  int at = first;
  interview i;
  at += 1;  // track_no
  i.attempt = row.number<std::uint32_t>(at++);
  i.id = row.id(at++);
  i.state = row.number<interview_state>(at++);
  i.outcome = row.number<outcome>(at++);
  i.overtime = row.number<overtime>(at++);
  if (!row.is_null(at)) i.score = row.real(at);
  ++at;
  i.time_limit = seconds{row.integer(at++)};
  i.grace = seconds{row.integer(at++)};
  i.accommodation.percent = row.number<std::uint32_t>(at++);
  i.accommodation.extra = seconds{row.integer(at++)};
  i.accommodation.pause = seconds{row.integer(at++)};
  i.ends_by = row.maybe_instant(at++);
  i.created_at = row.instant(at++);
  i.start_by = row.instant(at++);
  i.started_at = row.maybe_instant(at++);
  i.deadline = row.maybe_instant(at++);
  i.submitted_at = row.maybe_instant(at++);
  i.decided_at = row.maybe_instant(at++);
  i.link_requested_at = row.maybe_instant(at++);
  i.changed_at = row.instant(at++);
  i.link.generation = row.number<std::uint32_t>(at++);
  i.link.kid = row.text(at++);
  i.link.issued_at = row.instant(at++);
  i.link.not_before = row.instant(at++);
  i.link.expires_at = row.instant(at++);
  i.retake_of = row.maybe_id(at++);
  i.superseded_by = row.maybe_id(at);
  return i;
}

message read_message(const sql_row& row, int first) {
  message m;
  m.key.interview = row.id(first);
  m.key.kind = row.number<message_kind>(first + 1);
  m.key.occasion = row.number(first + 2);
  m.generation = row.number<std::uint32_t>(first + 3);
  m.created_at = row.instant(first + 4);
  m.due_at = row.instant(first + 5);
  m.state = row.number<message_state>(first + 6);
  m.tries = row.number<std::uint32_t>(first + 7);
  m.last_answer = row.text(first + 8);
  return m;
}

namespace {

#define HIRENOW_HEAD_COLUMNS                                                                                        \
  "a.applicant_no, a.applicant, a.version, a.sequence, a.last_instant, a.erased, a.subject, a.audit_head, p.salt, " \
  "p.email, p.name, p.locale, p.time_zone"

/// Reads the head of a record. Returns its applicant_no.
std::int64_t read_head(const sql_row& row, applicant_record& record) {
  record.person.id = row.text(1);
  record.version = row.number(2);
  record.sequence = row.number(3);
  record.last_instant = row.instant(4);
  record.erased = row.integer(5) != 0;
  record.subject = row.array<digest>(6);
  record.audit_head = row.array<digest>(7);
  record.salt = row.bytes(8);
  record.person.email = row.text(9);
  record.person.name = row.text(10);
  record.person.locale = row.text(11);
  record.person.time_zone = row.text(12);
  return row.integer(0);
}

/// Adds its sitting to an interview that was read.
void read_sitting(sql_session& s, std::int64_t tenant_no, std::int64_t applicant_no, std::int64_t track_no,
                  interview& i) {
  s.connection.execute(
      "SELECT s.fence, s.open, s.key_hash FROM main.hirenow_session AS s WHERE s.tenant_no = $1 AND s.applicant_no = "
      "$2 AND s.track_no = $3 AND s.attempt = $4",
      {tenant_no, applicant_no, track_no, i.attempt},
      [&](const sql_row& row) { i.sitting = {row.integer(0), row.integer(1) != 0, row.array<digest>(2)}; });
}

/// The head of the record that an interview belongs to, and of its interviews this one alone, in one statement.
void read_named(sql_session& s, std::int64_t tenant_no, const interview_id& wanted, bool with_sitting,
                applicant_record& record) {
  std::int64_t applicant_no = 0, track_no = 0;
  s.connection.execute(
      "SELECT " HIRENOW_HEAD_COLUMNS ", " HIRENOW_INTERVIEW_COLUMNS
      " FROM main.hirenow_interview_key AS k CROSS JOIN main.hirenow_interview AS i ON i.tenant_no = "
      "k.tenant_no AND i.applicant_no = k.applicant_no AND i.track_no = k.track_no AND i.interview = "
      "k.interview CROSS JOIN main.hirenow_applicant AS a ON a.tenant_no = k.tenant_no AND a.applicant_no = "
      "k.applicant_no LEFT JOIN main.hirenow_person AS p ON p.applicant_no = a.applicant_no WHERE k.interview = $1 AND "
      "k.tenant_no = $2",
      {wanted, tenant_no}, [&](const sql_row& row) {
        constexpr int first = 13;  // behind the head
        applicant_no = read_head(row, record);
        track_no = row.integer(first);
        record.interviews.push_back(read_interview(row, first));
      });
  if (record.interviews.empty()) return;
  interview& i = record.interviews.front();
  i.track = s.track_name(track_no);
  if (with_sitting || i.state == interview_state::in_progress) read_sitting(s, tenant_no, applicant_no, track_no, i);
}

/// The interviews of a record, by creation: those in progress and the one that is wanted with their sittings.
std::vector<interview> read_interviews(sql_session& s, std::int64_t tenant_no, std::int64_t applicant_no,
                                       const interview_id* wanted_sitting) {
  std::vector<interview> rows;
  rows.reserve(16);
  struct place {
    std::int64_t track_no;
    std::uint32_t attempt;
    std::size_t row;
  };
  std::vector<place> places;
  places.reserve(16);
  s.connection.execute("SELECT " HIRENOW_INTERVIEW_COLUMNS
                       " FROM main.hirenow_interview AS i WHERE i.tenant_no = $1 AND i.applicant_no = $2",
                       {tenant_no, applicant_no}, [&](const sql_row& row) {
                         const std::int64_t track_no = row.integer(0);
                         rows.push_back(read_interview(row, 0));
                         const bool same_track = !places.empty() && places.back().track_no == track_no;
                         rows.back().track = same_track ? rows[rows.size() - 2].track : s.track_name(track_no);
                         places.push_back({track_no, rows.back().attempt, rows.size() - 1});
                       });
  for (const auto& p : places) {
    interview& i = rows[p.row];
    if (i.state == interview_state::in_progress || (wanted_sitting && i.id == *wanted_sitting))
      read_sitting(s, tenant_no, applicant_no, p.track_no, i);
  }
  std::ranges::sort(places, [&](const place& a, const place& b) {
    return std::tie(rows[a.row].created_at, a.track_no, a.attempt) <
           std::tie(rows[b.row].created_at, b.track_no, b.attempt);
  });
  std::vector<interview> interviews;
  interviews.reserve(rows.size() + 1);  // a decision may add one
  for (const auto& p : places) interviews.push_back(std::move(rows[p.row]));
  return interviews;
}

#define HIRENOW_POLICY_COLUMNS \
  "p.track_no, p.document, p.hash, p.set_by, p.set_at, p.active_from, p.running_waits, p.number"

/// The policy in a row, without its track.
stored_policy read_policy(const sql_row& row) {
  stored_policy p;
  p.document = row.string(1);
  p.hash = row.array<digest>(2);
  p.set_by = row.string(3);
  p.set_at = row.instant(4);
  p.active_from = row.instant(5);
  p.running_waits = row.number<running_waits>(6);
  p.number = row.number(7);
  return p;
}

/// The last one of a tenant's or a track's own that is in force at an instant.
#define HIRENOW_POLICY_IN_FORCE                                                                                 \
  "SELECT " HIRENOW_POLICY_COLUMNS                                                                              \
  " FROM main.hirenow_policy AS p WHERE p.tenant_no = $1 AND p.track_no = $2 AND p.active_from <= $3 ORDER BY " \
  "p.active_from DESC, p.number DESC LIMIT 1"

std::optional<stored_policy> read_policy(sql_session& s, std::int64_t tenant_no, std::string_view track,
                                         sys_seconds at) {
  std::optional<stored_policy> policy;
  const auto track_no = track.empty() ? std::nullopt : s.find_track(tenant_no, track);
  const auto take = [&](const sql_row& row) {
    if (policy || row.text(1).empty()) return;  // taken away: as if there were none
    policy = read_policy(row);
    if (row.integer(0) != 0) policy->track = track;
  };
  if (track_no) s.connection.execute(HIRENOW_POLICY_IN_FORCE, {tenant_no, *track_no, at}, take);
  if (!policy) s.connection.execute(HIRENOW_POLICY_IN_FORCE, {tenant_no, 0, at}, take);
  return policy;
}
#undef HIRENOW_POLICY_IN_FORCE

#define HIRENOW_WAIVER_COLUMNS                                                                                   \
  "w.number, w.rule, w.reason_code, w.floor, w.state, w.granted_by, w.approved_by, w.granted_at, w.expires_at, " \
  "w.used_for, w.track_no"

/// The waiver in a row, without its track.
waiver read_waiver(const sql_row& row) {
  waiver w;
  w.number = row.number(0);
  w.rule_id = row.text(1);
  w.reason_code = row.text(2);
  w.floor = row.text(3);
  w.state = row.number<waiver_state>(4);
  w.granted_by = row.text(5);
  w.approved_by = row.text(6);
  w.granted_at = row.instant(7);
  w.expires_at = row.instant(8);
  w.used_for = row.maybe_id(9);
  return w;
}

/// `sql_load_each` in PostgreSQL, in one round trip.
std::vector<applicant_record> load_each_at_once(sql_session& s, std::span<const interview_reference> wanted) {
  std::vector<applicant_record> out(wanted.size());
  s.rows_of_all();
  std::vector<std::optional<std::int64_t>> tenants;
  for (const auto& one : wanted) tenants.push_back(s.find_tenant(one.tenant));
  const auto take = [&](const sql_row& row) {
    constexpr int first = 13, behind = first + interview_column_count;  // the head, the interview, and the rest
    applicant_record record;
    read_head(row, record);
    interview i = read_interview(row, first);
    const std::int64_t tenant_no = row.integer(behind);
    i.track = row.text(behind + 1);
    if (i.state == interview_state::in_progress)
      i.sitting = {row.integer(behind + 2), row.integer(behind + 3) != 0, row.array<digest>(behind + 4)};
    record.interviews.push_back(std::move(i));
    for (std::size_t n = 0; n < wanted.size(); ++n)
      if (wanted[n].interview == record.interviews[0].id && tenants[n] == tenant_no) {
        record.tenant = wanted[n].tenant;
        out[n] = record;
      }
  };
  s.go_along_indexes();
  sql_array ids;
  for (const auto& one : wanted) ids.add_bytes(one.interview.data);
  s.connection.post(
      "SELECT " HIRENOW_HEAD_COLUMNS ", " HIRENOW_INTERVIEW_COLUMNS
      ", k.tenant_no, t.track, s.fence, s.open, s.key_hash FROM main.hirenow_interview_key AS k CROSS JOIN "
      "main.hirenow_interview AS i ON i.tenant_no = k.tenant_no AND i.applicant_no = k.applicant_no AND i.track_no = "
      "k.track_no AND i.slot IN (0, k.attempt) AND i.interview = k.interview CROSS JOIN main.hirenow_applicant AS a ON "
      "a.tenant_no = k.tenant_no AND a.applicant_no = k.applicant_no CROSS JOIN main.hirenow_track AS t ON t.track_no "
      "= k.track_no LEFT JOIN main.hirenow_person AS p ON p.tenant_no = k.tenant_no AND p.applicant_no = "
      "k.applicant_no LEFT JOIN main.hirenow_session AS s ON s.tenant_no = k.tenant_no AND s.applicant_no = "
      "k.applicant_no AND s.track_no = k.track_no AND s.attempt = k.attempt WHERE k.interview = ANY (CAST($1 AS "
      "bytea[]))",
      {ids.value()}, take);
  s.connection.finish();
  return out;
}

/// The load as statements of which none waits for another's answer.
loaded load_at_once(sql_session& s, const load_request& request, std::int64_t tenant_no) {
  loaded out;
  auto& record = out.record;
  const auto* wanted = std::get_if<interview_id>(&request.who);
  const sql_value who = wanted ? sql_value(*wanted) : sql_value(std::get<std::string_view>(request.who));
#define HIRENOW_OF_INTERVIEW                                                                                   \
  " FROM main.hirenow_interview_key AS k CROSS JOIN main.hirenow_applicant AS a ON a.tenant_no = k.tenant_no " \
  "AND a.applicant_no = k.applicant_no AND k.interview = $1 AND k.tenant_no = $2"
#define HIRENOW_OF_APPLICANT                                                       \
  " FROM (SELECT h.* FROM main.hirenow_applicant AS h WHERE h.applicant = $1 AND " \
  "h.tenant_no = $2) AS a"
  std::int64_t applicant_no = 0;
  const auto take_head = [&](const sql_row& row) { applicant_no = read_head(row, record); };
#define HIRENOW_PERSON \
  " LEFT JOIN main.hirenow_person AS p ON p.tenant_no = a.tenant_no AND p.applicant_no = a.applicant_no"
  s.connection.post(wanted ? "SELECT " HIRENOW_HEAD_COLUMNS HIRENOW_OF_INTERVIEW HIRENOW_PERSON
                           : "SELECT " HIRENOW_HEAD_COLUMNS HIRENOW_OF_APPLICANT HIRENOW_PERSON,
                    {who, tenant_no}, take_head);
#undef HIRENOW_PERSON

  const auto take_interview = [&](const sql_row& row) {
    interview i = read_interview(row, 0);
    constexpr int track = interview_column_count;
    i.track = row.text(track);
    if (i.state == interview_state::in_progress || (request.with_sitting && wanted && i.id == *wanted))
      i.sitting = {row.integer(track + 1), row.integer(track + 2) != 0, row.array<digest>(track + 3)};
    record.interviews.push_back(std::move(i));
  };
#define HIRENOW_INTERVIEWS                                                                                          \
  " CROSS JOIN main.hirenow_interview AS i ON i.tenant_no = a.tenant_no AND i.applicant_no = a.applicant_no CROSS " \
  "JOIN main.hirenow_track AS t ON t.track_no = i.track_no LEFT JOIN main.hirenow_session AS s ON s.tenant_no = "   \
  "i.tenant_no AND s.applicant_no = i.applicant_no AND s.track_no = i.track_no AND s.attempt = i.attempt ORDER BY " \
  "i.created_at, i.track_no, i.attempt"
#define HIRENOW_INTERVIEW_AND_SITTING HIRENOW_INTERVIEW_COLUMNS ", t.track, s.fence, s.open, s.key_hash"
  s.connection.post(wanted ? "SELECT " HIRENOW_INTERVIEW_AND_SITTING HIRENOW_OF_INTERVIEW HIRENOW_INTERVIEWS
                           : "SELECT " HIRENOW_INTERVIEW_AND_SITTING HIRENOW_OF_APPLICANT HIRENOW_INTERVIEWS,
                    {who, tenant_no}, take_interview);
#undef HIRENOW_INTERVIEW_AND_SITTING
#undef HIRENOW_INTERVIEWS

  const auto take_fact = [&](const sql_row& row) {
    record.facts.push_back({row.number<fact_kind>(0), row.string(1), row.string(2), row.instant(3),
                            row.maybe_instant(4), row.string(5), row.number(6)});
  };
#define HIRENOW_WAIVERS                                                                                               \
  " CROSS JOIN main.hirenow_waiver AS w ON w.tenant_no = a.tenant_no AND w.applicant_no = a.applicant_no CROSS JOIN " \
  "main.hirenow_track AS t ON "                                                                                       \
  "t.track_no = w.track_no ORDER BY w.number"
  const auto take_waiver = [&](const sql_row& row) {
    record.waivers.push_back(read_waiver(row));
    record.waivers.back().track = row.text(11);
  };
  if (request.with_others)
    s.connection.post(wanted ? "SELECT " HIRENOW_WAIVER_COLUMNS ", t.track" HIRENOW_OF_INTERVIEW HIRENOW_WAIVERS
                             : "SELECT " HIRENOW_WAIVER_COLUMNS ", t.track" HIRENOW_OF_APPLICANT HIRENOW_WAIVERS,
                      {who, tenant_no}, take_waiver);
#undef HIRENOW_WAIVERS

  // The track's own first; one that was taken away is as if there were none.
  const auto take_policy = [&](const sql_row& row) {
    if (out.policy || row.text(1).empty()) return;
    out.policy = read_policy(row);
    out.policy->track = row.text(8);
  };
  if (request.with_rules) {
#define HIRENOW_FACTS                                                                                             \
  " CROSS JOIN main.hirenow_fact AS f ON f.tenant_no = a.tenant_no AND f.applicant_no = a.applicant_no ORDER BY " \
  "f.fact_no"
#define HIRENOW_FACT_COLUMNS "f.kind, f.name, f.track, f.at, f.until, f.value, f.sequence"
    s.connection.post(wanted ? "SELECT " HIRENOW_FACT_COLUMNS HIRENOW_OF_INTERVIEW HIRENOW_FACTS
                             : "SELECT " HIRENOW_FACT_COLUMNS HIRENOW_OF_APPLICANT HIRENOW_FACTS,
                      {who, tenant_no}, take_fact);
#undef HIRENOW_FACT_COLUMNS
#undef HIRENOW_FACTS
#define HIRENOW_POLICY                                                                                              \
  "SELECT " HIRENOW_POLICY_COLUMNS                                                                                  \
  ", t.track FROM main.hirenow_policy AS p LEFT JOIN main.hirenow_track AS t ON t.track_no = p.track_no WHERE "     \
  "p.tenant_no = $2 AND NOT EXISTS (SELECT 1 FROM main.hirenow_policy AS l WHERE l.tenant_no = p.tenant_no AND "    \
  "l.track_no = p.track_no AND l.active_from <= $3 AND (l.active_from, l.number) > (p.active_from, p.number)) AND " \
  "p.active_from <= $3 AND (p.track_no = 0 OR p.track_no = "
    if (wanted && request.track.empty())
      s.connection.post(
          HIRENOW_POLICY
          "(SELECT k.track_no FROM main.hirenow_interview_key AS k WHERE k.interview = $1 AND k.tenant_no "
          "= $2)) ORDER BY p.track_no DESC",
          {who, tenant_no, request.at}, take_policy);
    else
      s.connection.post(HIRENOW_POLICY
                        "(SELECT n.track_no FROM main.hirenow_track AS n WHERE n.track = $1 AND n.tenant_no = $2)) "
                        "ORDER BY p.track_no DESC",
                        {request.track, tenant_no, request.at}, take_policy);
#undef HIRENOW_POLICY
  }
#undef HIRENOW_OF_APPLICANT
#undef HIRENOW_OF_INTERVIEW

  const auto take_progress = [&](const sql_row& row) {
    out.progress = progress{std::string(row.bytes(0)), row.instant(1)};
  };
  if (wanted && request.with_progress)
    s.connection.post(
        "SELECT s.progress, s.saved_at FROM main.hirenow_interview_key AS k CROSS JOIN main.hirenow_session AS s ON "
        "s.tenant_no = k.tenant_no AND s.applicant_no = k.applicant_no AND s.track_no = k.track_no AND s.attempt = "
        "k.attempt WHERE k.interview = $1 "
        "AND k.tenant_no = $2 AND s.saved_at IS NOT NULL",
        {*wanted, tenant_no}, take_progress);
  const auto take_answer = [&](const sql_row& row) {
    out.answer = stored_answer{*request.answer, row.array<digest>(0), row.string(1), row.instant(2)};
  };
  if (request.answer)
    s.connection.post(
        "SELECT payload, answer, expires_at FROM main.hirenow_answer WHERE tenant_no = $1 AND answer_key = $2",
        {tenant_no, *request.answer}, take_answer);
  s.connection.finish();
  if (record.version != 0) {
    record.tenant = request.tenant;
    if (!s.writing) s.names.remember_applicant(tenant_no, record.person.id, applicant_no);
  }
  return out;
}

}  // namespace

loaded sql_load(sql_session& s, const load_request& request) {
  s.rows_of(request.tenant);
  loaded out;
  const auto tenant_no = s.find_tenant(request.tenant);
  if (!tenant_no) return out;
  if (s.is_postgresql()) return load_at_once(s, request, *tenant_no);
  auto& record = out.record;
  std::int64_t applicant_no = 0;
  // Most records have neither; asking with the head costs less than statements of their own.
#define HIRENOW_HAS_MORE                                                                                 \
  ", EXISTS (SELECT 1 FROM main.hirenow_fact AS f WHERE f.tenant_no = a.tenant_no AND f.applicant_no = " \
  "a.applicant_no), EXISTS "                                                                             \
  "(SELECT 1 FROM main.hirenow_waiver AS w WHERE w.tenant_no = a.tenant_no AND w.applicant_no = a.applicant_no)"
  bool has_facts = false, has_waivers = false;
  const auto head = [&](const sql_row& row) {
    applicant_no = read_head(row, record);
    has_facts = row.integer(13) != 0;
    has_waivers = row.integer(14) != 0;
  };
  const auto* wanted = std::get_if<interview_id>(&request.who);
  if (wanted && !request.with_others && !request.with_rules && !request.with_progress && !request.answer) {
    read_named(s, *tenant_no, *wanted, request.with_sitting, record);
    if (record.version != 0) record.tenant = request.tenant;
    return out;
  }
  if (wanted)
    s.connection.execute("SELECT " HIRENOW_HEAD_COLUMNS HIRENOW_HAS_MORE
                         " FROM main.hirenow_interview_key AS k CROSS JOIN main.hirenow_applicant AS a ON "
                         "a.applicant_no = k.applicant_no LEFT JOIN main.hirenow_person AS p ON p.applicant_no = "
                         "a.applicant_no WHERE k.interview = $1 AND k.tenant_no = $2",
                         {*wanted, *tenant_no}, head);
  else
    s.connection.execute("SELECT " HIRENOW_HEAD_COLUMNS HIRENOW_HAS_MORE
                         " FROM main.hirenow_applicant AS a LEFT JOIN main.hirenow_person AS p ON p.applicant_no = "
                         "a.applicant_no WHERE a.tenant_no = $1 AND a.applicant = $2",
                         {*tenant_no, std::get<std::string_view>(request.who)}, head);
#undef HIRENOW_HAS_MORE

  std::string_view track = request.track;
  if (record.version != 0) {
    record.tenant = request.tenant;
    if (!s.writing) s.names.remember_applicant(*tenant_no, record.person.id, applicant_no);
    record.interviews = read_interviews(s, *tenant_no, applicant_no, request.with_sitting ? wanted : nullptr);
    if (request.with_rules && has_facts)
      s.connection.execute(
          "SELECT kind, name, track, at, until, value, sequence FROM main.hirenow_fact WHERE "
          "tenant_no = $1 AND applicant_no = $2 ORDER BY fact_no",
          {*tenant_no, applicant_no}, [&](const sql_row& row) {
            record.facts.push_back({row.number<fact_kind>(0), row.string(1), row.string(2), row.instant(3),
                                    row.maybe_instant(4), row.string(5), row.number(6)});
          });
    if (request.with_others && has_waivers)
      s.connection.execute(
          "SELECT " HIRENOW_WAIVER_COLUMNS
          " FROM main.hirenow_waiver AS w WHERE w.tenant_no = $1 AND w.applicant_no = $2 ORDER BY w.number",
          {*tenant_no, applicant_no}, [&](const sql_row& row) {
            record.waivers.push_back(read_waiver(row));
            record.waivers.back().track = s.track_name(row.integer(10));
          });
    const interview* named = wanted ? find_interview(record, *wanted) : nullptr;
    if (named && track.empty()) track = named->track;
    if (named && request.with_progress)
      s.connection.execute(
          "SELECT s.progress, s.saved_at FROM main.hirenow_interview_key AS k CROSS JOIN "
          "main.hirenow_session AS s ON s.tenant_no = k.tenant_no AND s.applicant_no = k.applicant_no AND s.track_no = "
          "k.track_no AND s.attempt = k.attempt WHERE k.interview = $1 AND s.saved_at IS NOT NULL",
          {*wanted}, [&](const sql_row& row) { out.progress = progress{std::string(row.bytes(0)), row.instant(1)}; });
  }
  if (request.with_rules) out.policy = read_policy(s, *tenant_no, track, request.at);
  if (request.answer)
    s.connection.execute(
        "SELECT payload, answer, expires_at FROM main.hirenow_answer WHERE tenant_no = $1 AND "
        "answer_key = $2",
        {*tenant_no, *request.answer}, [&](const sql_row& row) {
          out.answer = stored_answer{*request.answer, row.array<digest>(0), row.string(1), row.instant(2)};
        });
  return out;
}

std::vector<applicant_record> sql_load_each(sql_session& s, std::span<const interview_reference> wanted) {
  if (s.is_postgresql()) return load_each_at_once(s, wanted);
  std::vector<applicant_record> out;
  for (const auto& one : wanted)
    out.push_back(
        sql_load(s, {.tenant = one.tenant, .who = one.interview, .with_rules = false, .with_others = false}).record);
  return out;
}

std::vector<stored_policy> sql_policies(sql_session& s, const policy_query& query) {
  std::vector<stored_policy> out;
  s.rows_of(query.tenant);
  const auto tenant_no = s.find_tenant(query.tenant);
  if (!tenant_no) return out;
  const auto track_no = query.track.empty() ? std::optional<std::int64_t>(0) : s.find_track(*tenant_no, query.track);
  if (!track_no) return out;
  const policy_place before = query.before.value_or(policy_place{max_instant + seconds{1}, 0});
  s.connection.execute("SELECT " HIRENOW_POLICY_COLUMNS
                       " FROM main.hirenow_policy AS p WHERE p.tenant_no = $1 AND p.track_no = $2 AND (p.active_from, "
                       "p.number) < ($3, $4) ORDER BY p.active_from DESC, p.number DESC LIMIT $5",
                       {*tenant_no, *track_no, before.active_from, before.number, query.limit},
                       [&](const sql_row& row) {
                         out.push_back(read_policy(row));
                         out.back().track = query.track;
                       });
  return out;
}

std::vector<audit_entry> sql_read_audit(sql_session& s, std::string_view tenant, std::string_view applicant_id,
                                        std::uint64_t after, std::size_t limit) {
  std::vector<audit_entry> out;
  s.rows_of(tenant);
  const auto tenant_no = s.find_tenant(tenant);
  if (!tenant_no) return out;
  // From the newest entry back by pointer; `previous` is the hash of the entry that the pointer names. PostgreSQL has
  // the entries under (record, sequence).
  s.connection.execute(
      s.is_postgresql()
          ? "SELECT e.sequence, e.at, e.actor, e.event, e.interview, e.from_state, e.to_state, e.details, b.hash, "
            "e.hash, "
            "n.note FROM main.hirenow_applicant AS a CROSS JOIN main.hirenow_audit AS e ON e.tenant_no = a.tenant_no "
            "AND e.applicant_no = a.applicant_no LEFT JOIN main.hirenow_audit AS b ON b.tenant_no = e.tenant_no AND "
            "b.applicant_no = e.applicant_no AND b.sequence = e.sequence - 1 LEFT JOIN main.hirenow_note AS n ON "
            "n.tenant_no = e.tenant_no AND n.applicant_no = e.applicant_no AND n.sequence = e.sequence WHERE "
            "a.tenant_no = "
            "$1 AND "
            "a.applicant = $2 AND e.sequence > $3 ORDER BY e.sequence LIMIT $4"
          : "WITH RECURSIVE chain (audit_no, applicant_no, sequence) AS ("
            "SELECT e.audit_no, e.applicant_no, e.sequence FROM main.hirenow_applicant AS a CROSS JOIN "
            "main.hirenow_audit AS "
            "e "
            "ON e.audit_no = a.audit_no WHERE a.tenant_no = $1 AND a.applicant = $2 AND e.sequence > $3 "
            "UNION ALL SELECT e.audit_no, e.applicant_no, e.sequence FROM chain AS c CROSS JOIN main.hirenow_audit AS "
            "n ON "
            "n.audit_no = c.audit_no CROSS JOIN main.hirenow_audit AS e ON e.audit_no = n.prev WHERE e.sequence > $3) "
            "SELECT e.sequence, e.at, e.actor, e.event, e.interview, e.from_state, e.to_state, e.details, b.hash, "
            "e.hash, "
            "n.note FROM (SELECT audit_no, applicant_no, sequence FROM chain ORDER BY sequence LIMIT $4) AS c CROSS "
            "JOIN "
            "main.hirenow_audit AS e ON e.audit_no = c.audit_no LEFT JOIN main.hirenow_audit AS b ON b.audit_no = "
            "e.prev "
            "LEFT JOIN main.hirenow_note AS n ON n.tenant_no = $1 AND n.applicant_no = c.applicant_no AND n.sequence = "
            "c.sequence "
            "ORDER BY c.sequence",
      {*tenant_no, applicant_id, after, limit}, [&](const sql_row& row) {
        audit_entry e;
        e.sequence = row.number(0);
        e.at = row.instant(1);
        e.actor = row.text(2);
        e.event = row.text(3);
        e.interview = row.maybe_id(4);
        if (!row.is_null(5)) e.from = row.number<interview_state>(5);
        if (!row.is_null(6)) e.to = row.number<interview_state>(6);
        e.details = row.text(7);
        e.previous = row.array<digest>(8);
        e.hash = row.array<digest>(9);
        e.note = row.text(10);
        out.push_back(std::move(e));
      });
  return out;
}

std::vector<audit_head> sql_audit_heads(sql_session& s, std::string_view tenant, std::string_view after,
                                        std::size_t limit) {
  std::vector<audit_head> out;
  s.rows_of(tenant);
  if (const auto tenant_no = s.find_tenant(tenant))
    s.connection.execute(
        "SELECT applicant, sequence, audit_head FROM main.hirenow_applicant WHERE tenant_no = $1 AND "
        "applicant > $2 ORDER BY applicant LIMIT $3",
        {*tenant_no, after, limit},
        [&](const sql_row& row) { out.push_back({row.string(0), row.number(1), row.array<digest>(2)}); });
  return out;
}

std::vector<tenant_answer> sql_find_expired(sql_session& s, sys_seconds now, std::size_t limit) {
  std::vector<tenant_answer> out;
  s.rows_of_all();
  s.connection.execute("SELECT tenant_no, answer_key FROM main.hirenow_answer WHERE expires_at <= $1 LIMIT $2",
                       {now, limit},
                       [&](const sql_row& row) { out.push_back({row.integer(0), row.array<answer_key>(1)}); });
  return out;
}

std::vector<message> sql_messages(sql_session& s, const message_query& query) {
  std::vector<message> out;
  s.rows_of(query.tenant);
  const auto tenant_no = s.find_tenant(query.tenant);
  if (!tenant_no) return out;
  const auto take = [&](const sql_row& row) { out.push_back(read_message(row, 0)); };
  // Nothing stands before an id of zeros and the kind -1.
  const message_key start{};
  const message_key& after = query.after ? *query.after : start;
  const int kind = query.after ? static_cast<int>(after.kind) : -1;
  const sql_value state = query.state ? sql_value(*query.state) : sql_value();
  if (query.interview)
    s.connection.execute("SELECT " HIRENOW_MESSAGE_COLUMNS
                         " FROM main.hirenow_outbox AS o WHERE o.tenant_no = $1 AND o.interview = $2 AND (o.interview, "
                         "o.kind, o.occasion) > ($3, $4, $5) AND o.state = coalesce($6, o.state) ORDER BY o.interview, "
                         "o.kind, o.occasion LIMIT $7",
                         {*tenant_no, *query.interview, after.interview, kind, after.occasion, state, query.limit},
                         take);
  else if (query.state == message_state::dead)
    s.connection.execute("SELECT " HIRENOW_MESSAGE_COLUMNS
                         " FROM main.hirenow_outbox AS o WHERE o.tenant_no = $1 AND o.state = 4 AND (o.interview, "
                         "o.kind, o.occasion) > ($2, $3, $4) ORDER BY o.interview, o.kind, o.occasion LIMIT $5",
                         {*tenant_no, after.interview, kind, after.occasion, query.limit}, take);
  else
    s.connection.execute("SELECT " HIRENOW_MESSAGE_COLUMNS
                         " FROM main.hirenow_outbox AS o WHERE o.tenant_no = $1 AND (o.interview, o.kind, o.occasion) "
                         "> ($2, $3, $4) AND o.state = coalesce($5, o.state) ORDER BY o.interview, o.kind, o.occasion "
                         "LIMIT $6",
                         {*tenant_no, after.interview, kind, after.occasion, state, query.limit}, take);
  return out;
}

}  // namespace hirenow::detail
