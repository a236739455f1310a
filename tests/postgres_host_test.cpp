/// hirenow in a PostgreSQL transaction of the host's, on its own libpq handle, at every isolation level. Plain SQL on
/// another connection judges.

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "hirenow/adapters/host_connection.hpp"
#include "support/postgres.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using test::fresh_schema;
using test::plain_postgres;
using namespace std::chrono_literals;

test::store_kind kind_of(const fresh_schema& schema) {
  return {"postgres", [&schema](const std::filesystem::path&) { return schema.open().value(); }};
}

/// A host with a handle and a table of its own, beside a world that has an interview which may be retaken.
struct joint_world {
  explicit joint_world(std::string isolation = "READ COMMITTED") : begin_("BEGIN ISOLATION LEVEL " + isolation) {
    theirs.run("CREATE TABLE " + schema.name + ".application (id bigint GENERATED ALWAYS AS IDENTITY, stage text)");
  }

  fresh_schema schema{};
  test::world w{kind_of(schema)};
  plain_postgres theirs{schema.url};
  plain_postgres outside{schema.url};
  std::unique_ptr<host_connection> driver = host_connection_of(theirs.handle());
  std::unique_ptr<store> joined = join_transaction(*driver, {.schema = schema.name}).value();
  engine inside = w.bench.on(*joined);
  const interview_id failed = test::bring_to(w, "failed").id;

  void begin() { theirs.run(begin_); }
  void put(const std::string& stage) {
    theirs.run("INSERT INTO " + schema.name + ".application (stage) VALUES ('" + stage + "')");
  }
  long long count(const std::string& table) {
    return outside.number("SELECT count(*) FROM " + schema.name + "." + table);
  }

 private:
  std::string begin_;
};

const char* isolation() { return GENERATE("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"); }

}  // namespace

TEST_CASE("in PostgreSQL a retake and the host's rows commit together", "[host][postgres]") {
  joint_world j(isolation());
  const auto mails = j.count("hirenow_outbox");
  j.begin();
  j.put("retake");
  const auto again = j.inside.retake(j.failed, j.w.recruiter);
  REQUIRE(again);
  CHECK(j.count("application") == 0);
  CHECK(j.count("hirenow_interview") == 1);
  j.theirs.run("COMMIT");
  CHECK(j.count("application") == 1);
  CHECK(j.count("hirenow_interview") == 2);
  CHECK(j.count("hirenow_outbox") == mails + 1);
  CHECK(j.w.bench.inspect(test::token_in(again->link))->verdict == verdict::valid);
  CHECK(j.w.stored(j.failed).state == interview_state::archived);
  CHECK(j.w.bench.verify_audit("app-1", j.w.recruiter));
}

TEST_CASE("in PostgreSQL a retake and the host's rows roll back together", "[host][postgres]") {
  joint_world j(isolation());
  const auto before = j.w.dump();
  j.begin();
  REQUIRE(j.inside.retake(j.failed, j.w.recruiter));  // the first statement of the transaction
  j.put("retake");
  SECTION("the whole transaction") {
    j.theirs.run("ROLLBACK");
    CHECK(j.count("application") == 0);
    CHECK(j.w.dump() == before);
  }
  SECTION("back to a savepoint") {
    j.theirs.run("ROLLBACK");
    j.begin();
    j.put("kept");
    j.theirs.run("SAVEPOINT theirs");
    REQUIRE(j.inside.retake(j.failed, j.w.recruiter));
    j.theirs.run("ROLLBACK TO theirs");
    CHECK(j.inside.find(j.failed, j.w.recruiter)->state == interview_state::failed);
    j.theirs.run("COMMIT");
    CHECK(j.count("application") == 1);
    CHECK(j.w.dump() == before);
  }
}

TEST_CASE("in PostgreSQL a refusal of ours leaves the host's transaction usable", "[host][postgres]") {
  joint_world j(isolation());
  j.begin();
  j.put("before");
  CHECK(test::code_of(j.inside.cancel(j.failed, j.w.recruiter)) == errc::invalid_transition);
  // One that the database itself refuses, half way.
  change_set wrong;
  wrong.tenant = "acme";
  wrong.applicant_id = "app-1";
  wrong.head = j.w.record();
  wrong.expected_version = wrong.head.version;
  wrong.interviews.push_back({wrong.head.interviews.front(), interview_state::failed});
  wrong.interviews.front().after.state = interview_state::scheduled;
  const auto refused = j.joined->commit(wrong);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::constraint_violated);
  j.put("after");
  REQUIRE(j.inside.retake(j.failed, j.w.recruiter));
  j.theirs.run("COMMIT");
  CHECK(j.count("application") == 2);
  CHECK(j.count("hirenow_interview") == 2);
}

TEST_CASE("in PostgreSQL a host without a transaction, or with a failed one, is told so", "[host][postgres]") {
  joint_world j;
  CHECK(test::code_of(j.inside.retake(j.failed, j.w.recruiter)) == errc::no_transaction);
  j.begin();
  CHECK(j.theirs.refusal("SELECT 1 / 0") == "22012");
  CHECK(test::code_of(j.inside.retake(j.failed, j.w.recruiter)) == errc::retry_transaction);
  j.theirs.run("ROLLBACK");
  j.begin();
  REQUIRE(j.inside.retake(j.failed, j.w.recruiter));
  j.theirs.run("COMMIT");
  j.begin();
  j.outside.run("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(j.theirs.handle())) + ")");
  CHECK(test::code_of(j.inside.find(j.failed, j.w.recruiter)) == errc::store_unavailable);
  CHECK(test::code_of(j.inside.find(j.failed, j.w.recruiter)) == errc::store_unavailable);
  const auto none = host_connection_of(static_cast<PGconn*>(nullptr));
  CHECK(test::code_of(join_transaction(*none).value()->next_due()) == errc::store_unavailable);
}

TEST_CASE("in PostgreSQL whoever lost the record to somebody else repeats his transaction", "[host][postgres]") {
  const std::string level = isolation();
  joint_world j(level);
  j.begin();
  j.put("retake");
  REQUIRE(j.inside.find(j.failed, j.w.recruiter));  // takes the snapshot
  REQUIRE(j.w.bench.retake(j.failed, j.w.recruiter));
  const auto again = j.inside.retake(j.failed, j.w.recruiter);
  REQUIRE_FALSE(again);
  // READ COMMITTED sees the other's commit, and says what became of the interview.
  CHECK(again.error().code == (level == "READ COMMITTED" ? errc::superseded : errc::retry_transaction));
  j.theirs.run("ROLLBACK");
  j.begin();
  CHECK(test::code_of(j.inside.retake(j.failed, j.w.recruiter)) == errc::superseded);
  j.put("still usable");
  j.theirs.run("COMMIT");
  CHECK(j.count("application") == 1);
  CHECK(j.count("hirenow_interview") == 2);
}

TEST_CASE("the settings and look-alikes of a PostgreSQL session change nothing", "[host][postgres]") {
  joint_world j(isolation());
  const std::string evil = j.schema.name + "_evil";
  j.theirs.run("CREATE SCHEMA " + evil + "; CREATE TABLE " + evil + ".hirenow_interview (nothing int); CREATE TABLE " +
               evil + ".hirenow_applicant (nothing int); CREATE FUNCTION " + evil +
               ".length(bytea) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION " + evil +
               ".max(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 7::bigint'; SET search_path = " + evil +
               ", pg_catalog; SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = "
               "'sql_standard'; SET bytea_output = 'escape'; SET extra_float_digits = -15; SET "
               "standard_conforming_strings = off; SET client_encoding = 'UTF8'");
  j.begin();
  j.put("retake");
  REQUIRE(j.inside.retake(j.failed, j.w.recruiter));
  REQUIRE(j.inside.list({}, j.w.recruiter)->rows.size() == 2);
  REQUIRE(j.inside.verify_audit("app-1", j.w.recruiter));
  j.theirs.run("COMMIT");
  CHECK(j.w.stored(j.failed).state == interview_state::archived);
  CHECK(j.w.bench.verify_audit("app-1", j.w.recruiter));
  CHECK(j.outside.number("SELECT count(*) FROM " + evil + ".hirenow_interview") == 0);
  j.theirs.run("SET search_path = public; DROP SCHEMA " + evil + " CASCADE");
}

TEST_CASE("in PostgreSQL a whole life can be lived in the host's transaction", "[host][postgres]") {
  joint_world j(isolation());
  auto& e = j.inside;
  const auto settings = [&] {
    return j.theirs.value(
        "SELECT string_agg(name || ' ' || setting, ', ' ORDER BY name) FROM pg_settings "
        "WHERE name NOT LIKE 'plpgsql.%'");
  };
  j.begin();
  const auto settings_before = settings();
  auto terms = j.w.terms();
  terms.applicant.id = "another";
  terms.idempotency_key = "key-of-the-host";
  const auto invited = e.schedule(terms, j.w.recruiter).value();
  const auto sitting = e.start(test::token_in(invited.link), test::key_one).value();
  REQUIRE(e.checkpoint(sitting.session, "half way"));
  REQUIRE(e.submit(sitting.session));
  REQUIRE(e.decide(invited.interview.id, j.w.reviewer, {.outcome = outcome::failed, .score = 0.5}));
  CHECK(e.find(invited.interview.id, j.w.recruiter)->score == 0.5);
  REQUIRE(e.set_policy("", retake_policy::standard().document(), j.w.admin));
  REQUIRE(e.retake_eligibility(invited.interview.id, j.w.recruiter));
  CHECK(e.list({}, j.w.recruiter)->rows.size() == 2);
  CHECK(e.verify_audit("another", j.w.recruiter));
  const interview_reference looked_at{"acme", invited.interview.id};
  CHECK(j.joined->load_each({&looked_at, 1})->front().person.id == "another");
  CHECK(settings() == settings_before);
  CHECK(test::code_of(j.joined->claim({.now = j.w.clock.now()})) == errc::invalid_argument);
  j.theirs.run("COMMIT");
  CHECK(j.w.stored(invited.interview.id).state == interview_state::failed);
  CHECK(j.w.bench.schedule(terms, j.w.recruiter)->replayed);
  CHECK(j.w.bench.verify_audit("another", j.w.recruiter));
}

TEST_CASE("in PostgreSQL the tables are made in the host's transaction where that is wanted", "[host][postgres]") {
  fresh_schema schema;
  plain_postgres theirs(schema.url);
  const auto driver = host_connection_of(theirs.handle());
  const auto careful = join_transaction(*driver, {.schema = schema.name}).value();
  theirs.run("BEGIN");
  CHECK(test::code_of(careful->next_due()) == errc::schema_damaged);
  const auto making = join_transaction(*driver, {.schema = schema.name, .create_tables = true}).value();
  REQUIRE(making->next_due());
  CHECK(careful->next_due());
  theirs.run("ROLLBACK");
  theirs.run("BEGIN");
  CHECK(test::code_of(careful->next_due()) == errc::schema_damaged);
  theirs.run("ROLLBACK");
  CHECK(join_transaction(*driver, {.schema = "no\"good"}).error().code == errc::invalid_argument);
}
