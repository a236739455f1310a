/// Row security: the database shows a call its tenant's rows and no other, whatever the statement says.

#include <memory>
#include <string>

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
    url.replace(url.find("hirenow@"), 8, "owner@");
  }
  result<std::unique_ptr<store>> open(bool row_security = true) const {
    return open_postgres_store(url,
                               {.schema = schema.name, .clock = postgres_clock::caller, .row_security = row_security});
  }
};

}  // namespace

TEST_CASE("a store whose rows are protected keeps the promises of a store", "[postgres]") {
  // Of each kind of call some: a schema for every check takes its time.
  namespace checks = testing::detail;
  testing::check_report report;
  std::unique_ptr<owned_schema> owned;
  const auto make = [&] {
    owned = std::make_unique<owned_schema>();
    return owned->open().value();
  };
  for (const auto* all :
       {&checks::record_checks(), &checks::progress_checks(), &checks::policy_checks(), &checks::erasure_checks(),
        &checks::list_checks(), &checks::due_checks(), &checks::claim_checks(), &checks::settle_checks()})
    for (std::size_t n = 0; n < all->size(); n += 4) checks::run_check(report, {}, make, (*all)[n].name, (*all)[n].run);
  checks::run_check(report, {}, make, "A random history", [](store& s) { checks::replay_history(s, 1, 60); });
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks > 20);
}

TEST_CASE("without a word about whose rows are meant there are none", "[postgres]") {
  owned_schema owned;
  world w({"postgres", [&](const std::filesystem::path&) { return owned.open().value(); }});
  static_cast<void>(bring_to(w, "archived"));
  const actor other{"olga", "other", role::recruiter};
  auto terms = w.terms();
  terms.applicant.id = "of-other";
  const auto theirs = w.bench.schedule(terms, other).value();
  plain_postgres sql(owned.url);
  sql.run("SET search_path = " + owned.schema.name);
  const char* const tables[] = {"applicant", "person", "interview", "interview_key", "audit", "outbox", "count_delta"};
  for (const std::string table : tables) {
    INFO(table);
    const std::string count = "SELECT count(*) FROM hirenow_" + table;
    sql.run("BEGIN");
    CHECK(sql.number(count) == 0);
    sql.run("SELECT set_config('hirenow.rows', 'tenant other', true)");
    const auto of_other = sql.number(count);
    sql.run("SELECT set_config('hirenow.rows', 'tenant " + std::string(acme) + "', true)");
    const auto of_acme = sql.number(count);
    sql.run("SELECT set_config('hirenow.rows', 'all', true)");
    CHECK(of_other > 0);
    CHECK(of_acme > 0);
    CHECK(sql.number(count) == of_acme + of_other);
    sql.run("COMMIT");
    CHECK(sql.number(count) == 0);
  }
  // No table was forgotten: the names of tenants and tracks alone are everybody's.
  CHECK(sql.value("SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON "
                  "n.oid = c.relnamespace WHERE n.nspname = '" +
                  owned.schema.name + "' AND c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)") ==
        "hirenow_tenant hirenow_track");
  // Nor can they be written.
  sql.run("BEGIN; SELECT set_config('hirenow.rows', 'tenant " + std::string(acme) + "', true)");
  CHECK(sql.value("WITH hit AS (UPDATE hirenow_person SET name = 'x' WHERE applicant_no IN (SELECT applicant_no FROM "
                  "hirenow_person) RETURNING 1) SELECT count(*) FROM hit") == "1");
  CHECK(sql.refusal(
            "INSERT INTO hirenow_policy (tenant_no, track_no, number, active_from, running_waits, document, hash, "
            "set_by, set_at) SELECT tenant_no, 0, 1, 0, 0, '{}', decode(repeat('00', 32), 'hex'), 'x', 0 FROM "
            "hirenow_tenant WHERE tenant = 'other'") == "42501");
  sql.run("ROLLBACK");
  // The safeguard taken out: everything shows.
  plain_postgres above(owned.schema.url);
  CHECK(above.number("SELECT count(*) FROM " + owned.schema.name + ".hirenow_applicant") == 2);
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
