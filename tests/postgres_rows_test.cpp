/// Row security: the database shows a call its tenant's rows and no other, whatever the statement says.

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/adapters/host_connection.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "hirenow/dispatcher.hpp"
#include "hirenow/testing/check_store.hpp"
#include "support/postgres.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

/// A schema whose owner is no superuser, as a host's role is.
struct owned_schema {
  fresh_schema schema{};
  std::string url = schema.url;

  owned_schema() {
    plain_postgres sql(schema.url);
    sql.refusal("CREATE ROLE owner LOGIN");
    sql.run("CREATE SCHEMA " + schema.name + " AUTHORIZATION owner");
    url = url_of(schema.url, "owner");
  }
  /// The URL with another role in it.
  static std::string url_of(std::string url, const std::string& role_name) {
    return url.replace(url.find("hirenow@"), 7, role_name);
  }
  result<std::unique_ptr<store>> open(bool row_security = true) const {
    return open_postgres_store(url, {.schema = schema.name,
                                     .connect_timeout = std::chrono::seconds{60},
                                     .clock = postgres_clock::caller,
                                     .row_security = row_security});
  }
};

invited schedule_for(world& w, const std::string& tenant, const std::string& track) {
  auto terms = w.terms();
  terms.applicant.id = "of-" + tenant;
  terms.track = track;
  terms.idempotency_key = "key of " + track;
  return w.bench.schedule(terms, {"root", tenant, role::admin}).value();
}

/// Leaves rows of a tenant's in every table. What is counted is not summed up.
void fill_every_table(world& w, const std::string& tenant) {
  const actor who{"root", tenant, role::admin};
  const auto made = schedule_for(w, tenant, "backend");
  const std::string person = "of-" + tenant;
  const auto open = w.bench.start(token_in(made.link), key_one).value().session;
  w.bench.submit(open).value();
  w.bench.decide(made.interview.id, who, {.outcome = outcome::failed, .reason = "a note"}).value();
  w.bench.record_fact(person, {.name = "course", .at = w.clock.now()}, who).value();
  w.bench.set_policy("", retake_policy::standard().document(), who).value();
  w.bench
      .grant_waiver({.applicant_id = person,
                     .track = "backend",
                     .rule_id = "wait-14-days",
                     .reason_code = "visa_delay",
                     .expires_at = w.clock.now() + days{1}},
                    who)
      .value();
  const allowance_request one{w.clock.now(), tenant, 1, 1};
  w.data->allow({&one, 1}).value();
}

}  // namespace

TEST_CASE("a store whose rows are protected keeps every promise of a store", "[store][postgres][threads]") {
  const owned_schema owned;
  bool opened = false;
  const auto report = testing::check_store(
      [&] {
        if (std::exchange(opened, true)) owned.schema.empty();
        return owned.open().value();
      },
      {.histories = 3});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

TEST_CASE("in every table and view a session sees the rows of the tenant that it names, and no other", "[postgres]") {
  const owned_schema owned;
  const std::string s = owned.schema.name;
  world w({"postgres", [&](const std::filesystem::path&) { return owned.open().value(); }});
  for (const auto& tenant : {acme, globex}) fill_every_table(w, tenant);
  w.data->prune(w.clock.now(), 1).value();  // sums up what was counted, and the next is counted apart
  for (const auto& tenant : {acme, globex}) schedule_for(w, tenant, "another");

  plain_postgres above(owned.schema.url);  // a superuser's: the safeguard taken out
  above.refusal("CREATE ROLE reader LOGIN");
  above.run("GRANT USAGE ON SCHEMA " + s + " TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA " + s + " TO reader");
  plain_postgres owner(owned.url), reader(owned_schema::url_of(owned.schema.url, "reader"));
  for (auto* session : {&above, &owner, &reader}) session->run("SET search_path = " + s);
  above.run("SELECT set_config('hirenow.rows', 'all', false)");  // a view reads as its owner, whoever reads the view

  // Whatever there is, so that nothing that comes later is forgotten. The version, and the names of tenants and tracks,
  // are everybody's.
  std::istringstream relations(
      above.value("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = '" + s +
                  "'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND relname NOT IN ('hirenow_version', "
                  "'hirenow_tenant', 'hirenow_track')"));
  int tried = 0;
  for (std::string relation; relations >> relation; ++tried) {
    const auto has = [&](const std::string& column) {
      return above.number("SELECT count(*) FROM information_schema.columns WHERE table_schema = '" + s +
                          "' AND table_name = '" + relation + "' AND column_name = '" + column + "'") == 1;
    };
    const auto of = [&](const std::string& tenant) -> std::string {
      const std::string number = "(SELECT tenant_no FROM hirenow_tenant WHERE tenant = '" + tenant + "')";
      if (has("tenant")) return " WHERE tenant = '" + tenant + "'";
      if (has("tenant_no")) return " WHERE tenant_no = " + number;
      return " WHERE applicant_no IN (SELECT applicant_no FROM hirenow_applicant WHERE tenant_no = " + number + ")";
    };
    const std::string rows = "SELECT string_agg(r::text, '/' ORDER BY r::text) FROM " + relation + " AS r";
    for (auto* session : {&owner, &reader}) {
      INFO(relation << ", seen by " << session->value("SELECT current_user"));
      const auto shown = [&](const std::string& whose) {
        session->run("SELECT set_config('hirenow.rows', '" + whose + "', true)");
        return session->value(rows);
      };
      CHECK(session->value(rows).empty());
      session->run("BEGIN");
      for (const auto& tenant : {acme, globex}) {
        const std::string own = above.value(rows + of(tenant));
        CHECK_FALSE(own.empty());
        CHECK(shown("tenant " + tenant) == own);
      }
      CHECK(shown("tenant nobody").empty());
      CHECK(shown("all") == above.value(rows));
      session->run("COMMIT");
      CHECK(session->value(rows).empty());
    }
  }
  CHECK(tried >= 17);
  CHECK(above.value("SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = '" +
                    s + "'::regnamespace AND c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)") ==
        "hirenow_tenant hirenow_track");
}

TEST_CASE("every key begins with the tenant, but those of names and of an interview's id", "[postgres]") {
  fresh_schema schema;
  REQUIRE(schema.open());
  plain_postgres sql(schema.url);
  CHECK(
      sql.value("SELECT string_agg(i.relname, ' ' ORDER BY i.relname) FROM pg_index AS x JOIN pg_class AS i ON i.oid = "
                "x.indexrelid JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] WHERE "
                "x.indisunique AND a.attname <> 'tenant_no' AND i.relnamespace = '" +
                schema.name + "'::regnamespace") ==
      "hirenow_interview_once hirenow_tenant_tenant_key hirenow_track_pkey hirenow_version_pkey");
  CHECK(sql.number("SELECT count(*) FROM pg_class AS r WHERE r.relkind = 'r' AND r.relnamespace = '" + schema.name +
                   "'::regnamespace AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = r.oid AND "
                   "a.attname = 'tenant_no')") == 1);  // hirenow_version
}

TEST_CASE("what a session does not see it cannot write, and clock and dispatcher serve all tenants", "[postgres]") {
  owned_schema owned;
  world w({"postgres", [&](const std::filesystem::path&) { return owned.open().value(); }});
  static_cast<void>(bring_to(w, "archived"));
  const actor other{"olga", "other", role::recruiter};
  auto terms = w.terms();
  terms.applicant.id = "of-other";
  const auto theirs = w.bench.schedule(terms, other).value();
  plain_postgres sql(owned.url);
  sql.run("SET search_path = " + owned.schema.name);
  sql.run("BEGIN; SELECT set_config('hirenow.rows', 'tenant " + std::string(acme) + "', true)");
  CHECK(sql.value("WITH hit AS (UPDATE hirenow_person SET name = 'x' WHERE applicant_no IN (SELECT applicant_no FROM "
                  "hirenow_person) RETURNING 1) SELECT count(*) FROM hit") == "1");
  CHECK(sql.refusal(
            "INSERT INTO hirenow_policy (tenant_no, track_no, number, active_from, running_waits, document, hash, "
            "set_by, set_at) SELECT tenant_no, 0, 1, 0, 0, '{}', decode(repeat('00', 32), 'hex'), 'x', 0 FROM "
            "hirenow_tenant WHERE tenant = 'other'") == "42501");
  sql.run("ROLLBACK");
  // The clock and the dispatcher serve all tenants.
  recording_mailer box;
  CHECK(dispatcher(w.bench, box, dispatch_options()).dispatch_due()->accepted >= 2);
  w.clock.advance(std::chrono::days(30));
  CHECK(w.bench.sweep()->events >= 2);
  CHECK(w.bench.find(theirs.interview.id, other)->state == interview_state::expired);
}

TEST_CASE("a store and a transaction of the host's notice that rows are protected", "[postgres]") {
  owned_schema owned;
  REQUIRE(owned.open());
  world w({"postgres", [&](const std::filesystem::path&) { return owned.open(false).value(); }});
  const auto made = w.schedule();
  plain_postgres host(owned.url);
  const auto connection = host_connection_of(host.handle());
  const auto joined = join_transaction(*connection, {.schema = owned.schema.name}).value();
  auto on = w.bench.on(*joined);
  host.run("BEGIN");
  CHECK(on.find(made.interview.id, w.recruiter));
  CHECK(on.cancel(made.interview.id, w.recruiter));
  host.run("COMMIT");
  CHECK(w.stored(made.interview.id).state == interview_state::cancelled);
}
