#include "bare_postgres.hpp"

#include <chrono>
#include <random>

namespace bench {
namespace {

std::string some_bytes(std::size_t count) {
  thread_local std::mt19937_64 random(std::random_device{}());
  std::string out(count, '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

const std::string interview_columns =
    "i.track_no, i.attempt, i.interview, i.state, i.outcome, i.overtime, i.score, i.time_limit, i.grace, "
    "i.extra_percent, i.extra_time, i.pause_credit, i.ends_by, i.created_at, i.start_by, i.started_at, i.deadline, "
    "i.submitted_at, i.decided_at, i.link_requested_at, i.changed_at, i.generation, i.kid, i.issued_at, i.not_before, "
    "i.expires_at, i.retake_of, i.superseded_by";
const std::string of_interview =
    " FROM hirenow.hirenow_interview_key AS k JOIN hirenow.hirenow_applicant AS a ON a.tenant_no = k.tenant_no "
    "AND a.applicant_no = k.applicant_no AND k.interview = $1 AND k.tenant_no = 1";

}  // namespace

bare_postgres::bare_postgres(const std::string& url) : handle_(PQconnectdb(url.c_str())) {
  check(PQstatus(handle_) == CONNECTION_OK);
  prepare(
      "head",
      "SELECT a.version, a.sequence, a.applicant_no, a.applicant, a.last_instant, a.erased, a.subject, a.audit_head, "
      "p.salt, p.email, p.name, p.locale, p.time_zone" +
          of_interview +
          " LEFT JOIN hirenow.hirenow_person AS p ON p.tenant_no = a.tenant_no AND p.applicant_no = a.applicant_no");
  prepare("interviews", "SELECT " + interview_columns + ", t.track, s.fence, s.open, s.key_hash" + of_interview +
                            " JOIN hirenow.hirenow_interview AS i ON i.tenant_no = a.tenant_no AND i.applicant_no = "
                            "a.applicant_no JOIN hirenow.hirenow_track AS t ON t.track_no = i.track_no LEFT JOIN "
                            "hirenow.hirenow_session AS s ON s.tenant_no = i.tenant_no AND s.applicant_no = "
                            "i.applicant_no AND s.track_no = i.track_no "
                            "AND s.attempt = i.attempt ORDER BY i.created_at, i.track_no, i.attempt");
  prepare("facts", "SELECT f.kind, f.name, f.track, f.at, f.until, f.value, f.sequence" + of_interview +
                       " JOIN hirenow.hirenow_fact AS f ON f.tenant_no = a.tenant_no AND f.applicant_no = "
                       "a.applicant_no ORDER BY f.fact_no");
  prepare(
      "policy",
      "SELECT p.track_no, p.document, p.hash, p.set_by, p.set_at, t.track FROM hirenow.hirenow_policy AS p LEFT JOIN "
      "hirenow.hirenow_track AS t ON t.track_no = p.track_no WHERE p.tenant_no = 1 AND (p.track_no = 0 OR p.track_no "
      "= (SELECT k.track_no FROM hirenow.hirenow_interview_key AS k WHERE k.interview = $1 AND k.tenant_no = 1)) "
      "ORDER BY p.track_no DESC LIMIT 1");
  prepare("answer_of",
          "SELECT payload, answer, expires_at FROM hirenow.hirenow_answer WHERE tenant_no = 1 AND "
          "answer_key = $1");
  prepare(
      "move",
      "WITH changed AS (UPDATE hirenow.hirenow_applicant SET version = version + 1, sequence = CASE WHEN sequence = $1 "
      "THEN $1 + 2 END, last_instant = $2, audit_head = $3 WHERE tenant_no = 1 AND applicant_no = $4 RETURNING 1) "
      "SELECT "
      "hirenow.hirenow_require_one(count(*)) FROM changed");
  prepare(
      "archive",
      "WITH changed AS (UPDATE hirenow.hirenow_interview SET slot = attempt, state = 9, sort_at = $1, changed_at = "
      "$1, superseded_by = $2 WHERE tenant_no = 1 AND applicant_no = $3 AND track_no = $4 AND slot = 0 AND interview "
      "= $5 AND state = 4 AND attempt = $6 RETURNING 1) SELECT hirenow.hirenow_require_one(count(*)) FROM changed");
  prepare("key", "INSERT INTO hirenow.hirenow_interview_key VALUES (1, $1, $2, $3, $4)");
  prepare("interview",
          "INSERT INTO hirenow.hirenow_interview (tenant_no, applicant_no, track_no, slot, attempt, interview, state, "
          "outcome, overtime, sort_at, clock, time_limit, grace, extra_percent, extra_time, pause_credit, created_at, "
          "start_by, changed_at, generation, kid, issued_at, not_before, expires_at, retake_of) VALUES (1, $1, $2, 0, "
          "$3, $4, 0, 0, 0, $6, 0, 86400, 0, 100, 0, 0, $5, $6, $5, 1, 'k1', $5, $5, $6, $7)");
  prepare(
      "audit",
      "INSERT INTO hirenow.hirenow_audit (tenant_no, applicant_no, sequence, at, actor, event, interview, from_state, "
      "to_state, details, hash) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
  prepare("withdraw",
          "UPDATE hirenow.hirenow_outbox SET state = 3, lease = NULL WHERE tenant_no = 1 AND interview = $1 AND "
          "applicant_no = $2 AND +state "
          "IN (0, 1)");
  prepare("message",
          "INSERT INTO hirenow.hirenow_outbox (interview, kind, occasion, tenant_no, applicant_no, generation, "
          "created_at, due_at, wake_at, state, tries, last_answer) VALUES ($1, 1, $2, 1, $3, 1, $4, $4, "
          "least($4::bigint, floor(extract(epoch FROM now()))::bigint), 0, 0, '')");
  prepare(
      "answer",
      "WITH changed AS (INSERT INTO hirenow.hirenow_answer (tenant_no, answer_key, applicant_no, expires_at, payload, "
      "answer) VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (tenant_no, answer_key) DO UPDATE SET applicant_no = "
      "excluded.applicant_no, expires_at = excluded.expires_at, payload = excluded.payload, answer = "
      "excluded.answer WHERE hirenow_answer.expires_at <= $6 RETURNING 1) SELECT "
      "hirenow.hirenow_require_one(count(*)) FROM changed");
  prepare("count",
          "INSERT INTO hirenow.hirenow_count_delta (tenant_no, track_no, scheduled, in_progress, submitted, passed, "
          "failed, on_hold, expired, cancelled, voided, archived) VALUES (1, $1, 1, 0, 0, 0, -1, 0, 0, 0, 0, 1)");
  check(PQenterPipelineMode(handle_) == 1);
}

bare_postgres::~bare_postgres() { PQfinish(handle_); }

void bare_postgres::check(bool good) {
  if (!good) throw std::runtime_error(std::string("bare PostgreSQL: ") + PQerrorMessage(handle_));
}

void bare_postgres::prepare(const char* name, const std::string& sql) {
  PGresult* const r = PQprepare(handle_, name, sql.c_str(), 0, nullptr);
  check(PQresultStatus(r) == PGRES_COMMAND_OK);
  PQclear(r);
}

void bare_postgres::send(const char* name, const std::vector<value>& values) {
  std::vector<const char*> texts;
  std::vector<int> lengths, formats;
  for (const auto& v : values) {
    texts.push_back(v.text_.c_str());
    lengths.push_back(static_cast<int>(v.text_.size()));
    formats.push_back(v.format_);
  }
  check(PQsendQueryPrepared(handle_, name, static_cast<int>(values.size()), texts.data(), lengths.data(),
                            formats.data(), 1) == 1);
  ++sent_;
}

void bare_postgres::send_plain(const char* sql) {
  check(PQsendQueryParams(handle_, sql, 0, nullptr, nullptr, nullptr, nullptr, 1) == 1);
  ++sent_;
}

std::string bare_postgres::round_trip(int wanted) {
  check(PQpipelineSync(handle_) == 1);
  std::string found;
  for (int n = 0; n < sent_; ++n) {
    PGresult* const r = PQgetResult(handle_);
    const auto status = PQresultStatus(r);
    check(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK);
    if (n == wanted && PQntuples(r) > 0)
      found.assign(PQgetvalue(r, 0, 1), static_cast<std::size_t>(PQgetlength(r, 0, 1)));
    PQclear(r);
    check(PQgetResult(handle_) == nullptr);
  }
  sent_ = 0;
  PGresult* const end = PQgetResult(handle_);
  check(PQresultStatus(end) == PGRES_PIPELINE_SYNC);
  PQclear(end);
  return found;
}

void bare_postgres::retake(const bare_subject& who) {
  const value old = value::bytes(who.interview), fresh = value::bytes(some_bytes(16)),
              key = value::bytes(some_bytes(16));
  send_plain("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  send("head", {old});
  send("interviews", {old});
  send("facts", {old});
  send("policy", {old});
  send("answer_of", {key});
  send_plain("COMMIT");
  std::int64_t sequence = 0;
  for (const char c : round_trip(1)) sequence = sequence << 8 | static_cast<unsigned char>(c);

  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const value first = value::bytes(some_bytes(32)), second = value::bytes(some_bytes(32));
  send_plain("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  send("move", {sequence, now, second, who.applicant_no});
  send("archive", {now, fresh, who.applicant_no, who.track_no, old, who.attempt});
  send("key", {fresh, who.applicant_no, who.track_no, std::stoll(who.attempt) + 1});
  send("interview", {who.applicant_no, who.track_no, std::stoll(who.attempt) + 1, fresh, now, now + 259200, old});
  const std::string details = R"({"policy":"standard","allowed":true,"hash":")" + std::string(64, 'a') + R"("})";
  send("audit", {who.applicant_no, sequence + 1, now, "user:rita", "retake", old, "4", "9", details, first});
  send("audit", {who.applicant_no, sequence + 2, now, "user:rita", "schedule", fresh, "0", "0", details, second});
  send("withdraw", {old, who.applicant_no});
  send("message", {fresh, sequence + 2, who.applicant_no, now});
  send("answer", {key, who.applicant_no, now + 2592000, first, std::string(90, 'x'), now});
  send("count", {who.track_no});
  send_plain("COMMIT");
  round_trip(-1);
}

}  // namespace bench
