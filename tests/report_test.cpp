// The views for reports say what the engine says.

#include <cstdio>
#include <string>
#include <vector>

#include "support/plain_sql.hpp"
#include "support/postgres.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

std::string hex_of(const digest& d) {
  std::string out;
  for (const auto byte : d) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(byte));
    out += two;
  }
  return out;
}

/// What the views should hold of these worlds, a line a row.
std::string expected(const world& w) {
  std::string out;
  for (const auto& m : w.bench.storage().messages({.tenant = acme, .limit = 100}).value())
    out += std::string(acme) + "|app-1|" + to_string(m.key.interview) + "|" + std::string(to_string(m.key.kind)) + "|" +
           std::to_string(m.key.occasion) + "|" + std::to_string(m.generation) + "|" + std::string(to_string(m.state)) +
           "|" + std::to_string(m.tries) + "|" + to_string(m.created_at) + "|" + to_string(m.due_at) + "|" +
           m.last_answer + "\n";
  for (const auto& e : w.audit())
    out += std::string(acme) + "|app-1|" + std::to_string(e.sequence) + "|" + to_string(e.at) + "|" + e.actor + "|" +
           e.event + "|" + (e.interview ? to_string(*e.interview) : "") + "|" +
           (e.from ? std::string(to_string(*e.from)) : "") + "|" + (e.to ? std::string(to_string(*e.to)) : "") + "|" +
           e.details + "|" + hex_of(e.hash) + "\n";
  return out;
}

/// Everything that shows: messages in each state, a retake, an entry that is about no interview.
void live(world& w) {
  static_cast<void>(bring_to(w, "archived"));
  auto terms = w.terms();
  terms.track = "another";
  w.bench.schedule(terms, w.recruiter).value();
  const lease_token token{3};
  const auto claimed = w.data->claim({w.clock.now(), seconds{30}, 2, token}).value();
  REQUIRE(claimed.size() == 2);
  const settlement settled[] = {
      {claimed[0].mail.key, acme, token, settlement::verdict::accepted, w.clock.now(), "250 taken"},
      {claimed[1].mail.key, acme, token, settlement::verdict::dead, w.clock.now(), "550 it's no use"}};
  w.data->settle(settled).value();
  w.bench.update_applicant({"app-1", "new@example.org", "Ada", "en", {}}, w.recruiter).value();
}

// The columns by name: a view may grow at its end.
constexpr const char* message_columns =
    "tenant || '|' || applicant || '|' || interview || '|' || kind || '|' || occasion || '|' || generation || '|' || "
    "state "
    "|| '|' || tries || '|' || I(created_at) || '|' || I(due_at) || '|' || last_answer";
constexpr const char* audit_columns =
    "tenant || '|' || applicant || '|' || sequence || '|' || I(at) || '|' || actor || '|' || event || '|' || "
    "coalesce(CAST(interview AS text), '') || '|' || coalesce(from_state, '') || '|' || coalesce(to_state, '') || '|' "
    "|| "
    "details || '|' || hash";

std::string query(std::string text, const std::string& instant_before, const std::string& instant_after) {
  for (auto at = text.find("I("); at != std::string::npos; at = text.find("I(", at)) {
    const auto end = text.find(')', at);
    text.replace(at, end - at + 1, instant_before + text.substr(at + 2, end - at - 2) + instant_after);
  }
  return text;
}

}  // namespace

TEST_CASE("the views for reports say in SQLite what the engine says", "[sqlite]") {
  world w(stores().at(1));
  live(w);
  plain_sql sql(w.folder.path() / "ats.db");
  const std::string rows = sql.value("SELECT group_concat(line, '') FROM (SELECT " + query(message_columns, "", "") +
                                     " || char(10) AS line FROM hirenow_message_report ORDER BY interview, occasion)") +
                           sql.value("SELECT group_concat(line, '') FROM (SELECT " + query(audit_columns, "", "") +
                                     " || char(10) AS line FROM hirenow_audit_report ORDER BY sequence)");
  CHECK(rows == expected(w));
}

TEST_CASE("the views for reports say in PostgreSQL what the engine says", "[postgres]") {
  fresh_schema schema;
  world w({"postgres", [&](const std::filesystem::path&) { return schema.open().value(); }});
  live(w);
  plain_postgres sql(schema.url);
  sql.run("SET search_path = " + schema.name);
  const std::string before = "to_char(", after = " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
  const std::string rows = sql.value("SELECT string_agg(" + query(message_columns, before, after) +
                                     " || chr(10), '' ORDER BY interview, occasion) FROM hirenow_message_report") +
                           sql.value("SELECT string_agg(" + query(audit_columns, before, after) +
                                     " || chr(10), '' ORDER BY sequence) FROM hirenow_audit_report");
  CHECK(rows == expected(w));
}
