/// Plans: what PostgreSQL reads for a call of the outbox does not depend on what was sent, and on what else waits.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "hirenow/clock.hpp"
#include "hirenow/crypto.hpp"
#include "support/postgres.hpp"
#include "support/postgres_bulk.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;
using namespace std::chrono_literals;

namespace {

/// What a connection has read is known to others when it is gone. `name`: the application_name that it bears.
void wait_until_gone(plain_postgres& sql, const std::string& name) {
  const std::string is_there = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name + "'";
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (sql.number(is_there) > 0 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
  CHECK(sql.number(is_there) == 0);
}

/// How many rows were read of a schema's tables whose names are like this one, with and without an index. What this
/// connection itself read is counted now, not up to ten seconds later.
long long rows_read(plain_postgres& sql, const std::string& schema, const std::string& table) {
  sql.run("SELECT pg_stat_force_next_flush()");
  const std::string of = " WHERE schemaname = '" + schema + "' AND relname LIKE '" + table + "'";
  return sql.number("SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables" + of) +
         sql.number("SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes" + of);
}
std::string by_index(plain_postgres& sql, const std::string& schema, const std::string& table) {
  return sql.value(
      "SELECT string_agg(indexrelname || ' ' || idx_tup_read, ', ' ORDER BY idx_tup_read DESC) FROM "
      "pg_stat_user_indexes WHERE schemaname = '" +
      schema + "' AND relname LIKE '" + table + "'");
}

/// A database in which nobody else is at work.
struct own_database {
  own_database() {
    server.run("CREATE DATABASE " + name);
    url.replace(url.find("/postgres?"), std::string_view("/postgres").size(), "/" + name);
  }
  ~own_database() { static_cast<void>(server.refusal("DROP DATABASE " + name + " WITH (FORCE)")); }

  std::string name = fresh_schema_name();
  std::string url = postgres_url();
  plain_postgres server{};
};

/// How often the server has written down that it made a plan: only sessions with log_planner_stats have it do that.
int plans_made() {
  std::ifstream where(postgres_file() + ".folder");
  std::string folder, line;
  std::getline(where, folder);
  std::ifstream log(folder + "/log");
  int made = 0;
  while (std::getline(log, line)) made += line.find("PLANNER STATISTICS") != line.npos ? 1 : 0;
  return made;
}

/// An engine over a store with a single connection, which bears the schema's name.
struct site {
  fresh_schema schema{};
  std::unique_ptr<hirenow::store> store =
      open_postgres_store(schema.url + "&application_name=" + schema.name,
                          {.schema = schema.name, .connections = 1, .clock = postgres_clock::caller})
          .value();
  manual_clock clock{monday};
  engine bench{*store,
               key_ring::from_json(new_key_document(key_algorithm::hs256, "plans")).value(),
               retake_policy::parse(R"({"hirenow_policy": 1, "version": "plans", "rules": []})").value(),
               {.link_base = "https://jobs.acme.example/interview", .clock = &clock}};
  actor recruiter{.id = "rita", .tenant = acme, .roles = role::recruiter};
  actor reviewer{.id = "victor", .tenant = acme, .roles = role::reviewer};
  actor admin{.id = "root", .tenant = acme, .roles = role::admin};
};

}  // namespace

TEST_CASE("a call of the outbox reads what it is about, however much lies beside it", "[postgres]") {
  site at;
  int made = 0;
  const auto schedule = [&] {
    const std::string id = "p" + std::to_string(++made);
    return at.bench.schedule({.applicant = {.id = id, .email = "ada@example.org"}, .track = "backend"}, at.recruiter)
        .value()
        .interview.id;
  };
  const auto claim_and_settle = [&](settlement::verdict what, std::size_t limit) {
    claim_request wanted{at.clock.now(), seconds{30}, limit, {}};
    random_bytes(wanted.token);
    const auto claimed = at.store->claim(wanted).value();
    std::vector<settlement> all;
    for (const auto& m : claimed) all.push_back({m.mail.key, m.tenant, wanted.token, what, at.clock.now(), "said"});
    for (const bool ours : at.store->settle(all).value()) CHECK(ours);
    return claimed.size();
  };
  const auto dead = [&] {
    return at.store->messages({.tenant = "acme", .state = message_state::dead, .limit = 100}).value();
  };
  constexpr long long many = 20'000;
  plain_postgres sql(at.schema.url);
  sql.run("SET search_path = " + at.schema.name);
  const auto lay = [&](const char* state, const std::string& tenant_no = "1") {
    sql.run(std::string("INSERT INTO hirenow_outbox SELECT a.tenant_no, decode(lpad(to_hex(n), 24, '0') || '") + state +
            "000000" + tenant_no +
            "', 'hex'), 1, n, a.applicant_no, 1, 1772441000, 1772441000, 1772441000 - a.tenant_no, " + state +
            ", 1, NULL, '' FROM generate_series(1, " + std::to_string(many) +
            ") AS n, (SELECT tenant_no, applicant_no FROM hirenow_applicant WHERE tenant_no = " + tenant_no +
            " LIMIT 1) AS a");
  };
  // Each statement is planned while next to nothing waits or is dead: PostgreSQL keeps a plan after five uses. It has
  // seen nothing yet, or all that was sent.
  const bool is_analysed = GENERATE(false, true);
  INFO((is_analysed ? "analysed when all was sent" : "never analysed"));
  schedule();
  at.bench
      .schedule({.applicant = {.id = "p", .email = "ada@example.org"}, .track = "backend"},
                {.id = "rosa", .tenant = "other", .roles = role::recruiter})
      .value();
  CHECK(claim_and_settle(settlement::verdict::accepted, 2) == 2);
  if (is_analysed) {
    lay("2");
    sql.run("VACUUM ANALYZE hirenow_outbox");
  }
  for (int n = 0; n < 12; ++n) {
    const auto id = schedule();
    CHECK(claim_and_settle(settlement::verdict::dead, 1) == 1);
    at.bench.redrive(dead().front().key, at.admin).value();
    CHECK(claim_and_settle(settlement::verdict::accepted, 1) == 1);
    at.bench.cancel(id, at.recruiter, {.notify = notify::none()}).value();
  }
  for (int n = 0; n < 5; ++n) schedule();
  CHECK(claim_and_settle(settlement::verdict::dead, 5) == 5);
  const auto to_redrive = dead();
  CHECK(to_redrive.size() == 5);

  if (!is_analysed) lay("2");
  lay("0");
  lay("0", "2");  // another tenant's, all of them due before
  lay("4");
  const auto before = rows_read(sql, at.schema.name, "hirenow_outbox");
  for (int n = 0; n < 5; ++n) {
    const auto id = schedule();
    CHECK(claim_and_settle(settlement::verdict::accepted, 10) == 10);
    CHECK(claim_and_settle(settlement::verdict::accepted, 1) == 1);
    at.bench.redrive(to_redrive[static_cast<std::size_t>(n)].key, at.admin).value();
    at.bench.cancel(id, at.recruiter, {.notify = notify::none()}).value();
  }
  at.store.reset();
  wait_until_gone(sql, at.schema.name);
  INFO(by_index(sql, at.schema.name, "hirenow_outbox"));
  CHECK(rows_read(sql, at.schema.name, "hirenow_outbox") - before < many / 10);
}

TEST_CASE("a use case reads its own record, however many others its tenant has", "[postgres]") {
  site at;
  int made = 0;
  const auto whole_life = [&] {
    const std::string id = "one" + std::to_string(++made);
    const auto first =
        at.bench.schedule({.applicant = {.id = id, .email = "ada@example.org"}, .track = "track-1"}, at.recruiter)
            .value();
    const auto link = at.bench.link_of(first.interview.id, at.recruiter).value();
    const std::string token = link.substr(link.find('#') + 1);
    CHECK(at.bench.inspect(token)->verdict == verdict::valid);
    const interview_reference looked_at{"acme", first.interview.id};
    CHECK(at.store->load_each({&looked_at, 1})->front().person.id == id);
    const auto open = at.bench.start(token, "session-key-of-" + id).value();
    at.bench.checkpoint(open.session, "half").value();
    at.bench.submit(open.session, {.progress = "whole"}).value();
    at.bench.record_fact(id, {.kind = fact_kind::event, .name = "course", .at = at.clock.now()}, at.recruiter).value();
    at.bench.decide(first.interview.id, at.reviewer, {.outcome = outcome::failed, .reason = "no"}).value();
    at.bench.retake(first.interview.id, at.recruiter, {.idempotency_key = id}).value();
    CHECK(at.bench.history(first.interview.id, at.recruiter)->attempts.size() == 2);
    CHECK(at.bench.list({.applicant_id = id, .with_counts = false}, at.recruiter)->rows.size() == 2);
    CHECK(at.bench.read_audit(id, at.recruiter)->size() >= 6);
  };
  plain_postgres sql(at.schema.url);
  sql.run("SET search_path = " + at.schema.name);
  // Each statement is planned while there is next to nothing: PostgreSQL keeps a plan after five uses.
  for (int n = 0; n < 12; ++n) whole_life();
  constexpr long long many = 50'000;
  bulk{.tenant = "acme", .applicants = many, .attempts = 2, .analyse = false}.write(sql, at.schema.name);
  const auto before = rows_read(sql, at.schema.name, "%");
  for (int n = 0; n < 5; ++n) whole_life();
  at.store.reset();
  wait_until_gone(sql, at.schema.name);
  INFO(by_index(sql, at.schema.name, "%"));
  CHECK(rows_read(sql, at.schema.name, "%") - before < many);
}

TEST_CASE("a look at several records is planned once, however many they are", "[postgres]") {
  // Whoever makes a schema has every plan of the database made anew.
  const own_database database;
  std::vector<interview_reference> wanted;
  for (int n = 0; n < 10; ++n) wanted.push_back({"acme", new_interview_id(monday)});
  // Where others do very much PostgreSQL may forget all plans at any time; it does not three times in a row.
  int fewest = 100;
  for (int connection = 0; connection < 3; ++connection) {
    const auto store =
        open_postgres_store(database.url + "&options=-clog_planner_stats%3Don", {.connections = 1}).value();
    plain_postgres(database.url)
        .run("INSERT INTO hirenow.hirenow_tenant (tenant) VALUES ('acme') ON CONFLICT DO NOTHING");
    const auto look = [&](std::size_t many) { CHECK(store->load_each({wanted.data(), many})->size() == many); };
    const int before = plans_made();
    look(1);
    const int first = plans_made();
    CHECK(first > before);
    for (std::size_t n = 1; n <= wanted.size(); ++n) look(n);
    fewest = std::min(fewest, plans_made() - first);
  }
  CHECK(fewest < 3);  // five where PostgreSQL is free to choose
}

TEST_CASE("a store opens by reading its own schema, however many others the database has", "[postgres]") {
  // A database of its own, which counts nothing but what the store's connection reads.
  const own_database database;
  const std::string& url = database.url;
  plain_postgres(url).run("ALTER DATABASE " + database.name + " SET track_counts = off");
  plain_postgres sql(url);
  const auto open = [&] {
    open_postgres_store(url + "&options=-ctrack_counts%3Don&application_name=" + database.name, {.connections = 1})
        .value();
    wait_until_gone(sql, database.name);
  };
  const auto read = [&] {
    return sql.number("SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_sys_tables");
  };
  const auto read_to_open = [&] {
    const auto before = read();
    open();
    return read() - before;
  };
  open();  // makes the tables
  const auto alone = read_to_open();
  constexpr int others = 300;
  sql.run(
      "DO $$ BEGIN FOR n IN 1.." + std::to_string(others) +
      " LOOP EXECUTE format('CREATE SCHEMA other%s; CREATE TABLE other%1$s.hirenow_audit (a int PRIMARY KEY, b int "
      "CHECK (b > 0)); CREATE FUNCTION other%1$s.hirenow_audit_insert() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN "
      "RETURN NEW; END''; CREATE TRIGGER hirenow_audit_insert BEFORE INSERT ON other%1$s.hirenow_audit FOR EACH ROW "
      "EXECUTE FUNCTION other%1$s.hirenow_audit_insert()', n); END LOOP; END $$");
  if (GENERATE(false, true)) sql.run("ANALYZE");
  const auto beside_others = read_to_open();
  INFO(alone << " rows read alone, " << beside_others << " beside " << others << " schemas");
  CHECK(alone > 100);
  CHECK(beside_others < alone + 3 * others);
}
