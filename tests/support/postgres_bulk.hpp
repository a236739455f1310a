#pragma once
/// Very many records, written into a schema by plain SQL: what campaigns and benchmarks work on.
///
/// Threads: one at a time.

#include <string>

#include "support/postgres.hpp"

namespace hirenow::test {

/// One tenant's applicants p1, p2, … on one track of ten. All attempts but the last are archived; the last is failed, or
/// scheduled with an invitation that has been due for a while.
struct bulk {
  std::string tenant = "acme";
  long long applicants = 0;
  int attempts = 1;
  bool is_waiting = false;
  int poison_every = 0;  ///< every so many-th applicant has an address that begins with "poison"; 0: nobody
  bool analyse = true;   ///< or PostgreSQL learns of it later

  /// Triggers are put aside meanwhile, and nothing else differs from tables that grew.
  void write(plain_postgres& sql, const std::string& schema) const {
    sql.run("SET search_path = " + schema);
    sql.run("SET session_replication_role = replica");
    sql.run("INSERT INTO hirenow_tenant (tenant) VALUES ('" + tenant + "') ON CONFLICT DO NOTHING");
    sql.run("INSERT INTO hirenow_track (tenant_no, track) SELECT " + tenant_no() +
            ", 'track-' || n FROM generate_series(0, 9) AS n ORDER BY n ON CONFLICT DO NOTHING");
    const std::string first = "(SELECT coalesce(max(applicant_no), 0) + 64 FROM hirenow_applicant)";
    sql.run("CREATE TEMP TABLE place AS SELECT " + tenant_no() + " AS tenant_no, " + first +
            " AS base, (SELECT min(track_no) FROM hirenow_track WHERE tenant_no = " + tenant_no() +
            ") AS track, extract(epoch FROM now())::bigint AS now");
    const std::string people = " FROM place, generate_series(1, " + std::to_string(applicants) + ") AS n";
    const std::string lives = people + ", generate_series(1, " + std::to_string(attempts) + ") AS a";
    const std::string last = "a = " + std::to_string(attempts);
    const std::string zeros = "decode(repeat('00', 32), 'hex')";
    const auto id = [](const std::string& attempt) {
      return "decode('01900000000070008000' || lpad(to_hex(base + n), 10, '0') || lpad(to_hex(" + attempt +
             "), 2, '0'), 'hex')";
    };
    sql.run("INSERT INTO hirenow_applicant SELECT tenant_no, base + n, 'p' || n, 1, 1, now, 0, " + zeros + ", " +
            zeros + people);
    const std::string name =
        poison_every > 0 ? "CASE WHEN n % " + std::to_string(poison_every) + " = 0 THEN 'poison' ELSE 'p' END || n"
                         : "'p' || n";
    sql.run("INSERT INTO hirenow_person SELECT tenant_no, base + n, '', " + name +
            " || '@applicants.example', 'Somebody', 'en', 'UTC'" + people);
    sql.run("INSERT INTO hirenow_audit SELECT tenant_no, base + n, 1, now, 'bulk', 'bulk', NULL, NULL, NULL, '{}', " +
            zeros + people);
    sql.run("INSERT INTO hirenow_interview_key SELECT tenant_no, " + id("a") + ", base + n, track + n % 10, a" + lives);
    const std::string state = is_waiting ? "0" : "4";
    const std::string begun = "now - 9000 - (" + std::to_string(attempts) + " - a) * 86400";
    sql.run(
        "INSERT INTO hirenow_interview (tenant_no, applicant_no, track_no, slot, attempt, interview, state, outcome, "
        "overtime, sort_at, clock, time_limit, grace, extra_percent, extra_time, pause_credit, created_at, start_by, "
        "started_at, deadline, submitted_at, decided_at, changed_at, generation, kid, issued_at, not_before, "
        "expires_at, retake_of, superseded_by) SELECT tenant_no, base + n, track + n % 10, CASE WHEN " +
        last + " THEN 0 ELSE a END, a, " + id("a") + ", CASE WHEN " + last + " THEN " + state + " ELSE 9 END, " +
        (is_waiting ? "0" : "2") + ", 0, " + (is_waiting ? "now + 864000, 0" : begun + ", NULL") +
        ", 86400, 0, 100, 0, 0, " + begun + ", " +
        (is_waiting ? "now + 864000, NULL, NULL, NULL, NULL"
                    : begun + ", " + begun + ", " + begun + " + 86400, " + begun + ", " + begun) +
        ", " + begun + ", 1, 'k1', " + begun + ", " + begun + ", " + (is_waiting ? "now + 864000" : begun) +
        ", CASE WHEN a > 1 THEN " + id("a - 1") + " END, CASE WHEN NOT " + last + " THEN " + id("a + 1") + " END" +
        lives);
    if (is_waiting)
      sql.run(
          "INSERT INTO hirenow_outbox (interview, kind, occasion, tenant_no, applicant_no, generation, created_at, "
          "due_at, wake_at, state, tries, last_answer) SELECT " +
          id(std::to_string(attempts)) +
          ", 0, 1, tenant_no, base + n, 1, now - 9000, now - 9000, now - 9000, 0, 0, ''" + people);
    sql.run("SELECT setval('hirenow_applicant_no', (SELECT max(applicant_no) + 64 FROM hirenow_applicant))");
    sql.run("DROP TABLE place");
    sql.run("RESET session_replication_role");
    if (!analyse) return;
    sql.run(
        "ANALYZE hirenow_applicant, hirenow_person, hirenow_interview, hirenow_interview_key, hirenow_audit, "
        "hirenow_outbox");
  }
  /// The id of an applicant's newest interview.
  std::string newest(long long n) const {
    return "SELECT encode(interview, 'hex') FROM hirenow_interview JOIN hirenow_applicant USING (applicant_no) WHERE "
           "applicant = 'p" +
           std::to_string(n) + "' AND slot = 0";
  }

 private:
  std::string tenant_no() const { return "(SELECT tenant_no FROM hirenow_tenant WHERE tenant = '" + tenant + "')"; }
};

}  // namespace hirenow::test
