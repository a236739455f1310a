/// The PostgreSQL store keeps the promises of a store, and says clearly what is wrong with a database.

#include "hirenow/adapters/postgres.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "hirenow/testing/check_store.hpp"
#include "support/postgres.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::fresh_schema;
using test::plain_postgres;

/// As the next version lets further kinds of messages in.
std::string let_kind_42_in(const std::string& schema) {
  return "ALTER TABLE " + schema +
         ".hirenow_outbox DROP CONSTRAINT hirenow_outbox_kind_check, ADD CONSTRAINT hirenow_outbox_kind_check CHECK "
         "(kind BETWEEN 0 AND 42)";
}

}  // namespace

TEST_CASE("the PostgreSQL store keeps every promise of a store", "[store][postgres][threads]") {
  const fresh_schema schema;
  bool opened = false;
  const auto report = testing::check_store(
      [&] {
        if (std::exchange(opened, true)) schema.empty();
        return schema.open().value();
      },
      {.histories = 25});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

// As behind a pooler that pools transactions.
TEST_CASE("without prepared statements the PostgreSQL store keeps every promise, too", "[store][postgres][threads]") {
  const fresh_schema schema;
  bool opened = false;
  const auto report = testing::check_store(
      [&] {
        if (std::exchange(opened, true)) schema.empty();
        return schema.open({.prepared_statements = false, .clock = postgres_clock::caller}).value();
      },
      {.histories = 3});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

TEST_CASE("processes that open one new schema at the same time all succeed", "[postgres][concurrent]") {
  const bool has_schema = GENERATE(false, true);
  constexpr int processes = 8;
  fresh_schema schema;
  schema.url += "&application_name=" + schema.name;
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  std::vector<pid_t> children;
  for (int n = 0; n < processes; ++n) {
    const pid_t child = ::fork();
    if (child == 0) {
      char unused = 0;
      ::close(gate[1]);
      if (::read(gate[0], &unused, 1) < 0) ::_exit(1);
      const auto store = schema.open();
      record_writer w("person-" + std::to_string(n), "acme");
      w.schedule("backend", instant(n));
      ::_exit(store && (*store)->commit(w.take()) ? 0 : 1);
    }
    children.push_back(child);
  }
  ::close(gate[0]);
  // Somebody else is about to make what they have to make first, and gives it up when all of them wait for it. Without
  // the lock they would go on together: one makes it, and to the others it is there already.
  plain_postgres other, sql;
  if (has_schema) other.run("CREATE SCHEMA " + schema.name);
  other.run("BEGIN; CREATE " +
            (has_schema ? "TABLE " + schema.name + ".hirenow_version (version bigint)" : "SCHEMA " + schema.name));
  ::close(gate[1]);
  const std::string waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = '" + schema.name +
      "'";
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
       sql.number(waiting) < processes && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  CHECK(sql.number(waiting) == processes);
  other.run("ROLLBACK");
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  CHECK(schema.open({.create_tables = false, .clock = postgres_clock::caller}));  // everything is as it has to be
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_version") == 1);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_applicant") == processes);
}

TEST_CASE("a message that somebody changes while it is settled is settled", "[store][postgres]") {
  const fresh_schema schema;
  const auto store = schema.open().value();
  std::vector<settlement> all;
  claim_request wanted{instant(20), seconds{30}, 2, {}};
  wanted.token.fill(7);
  for (const auto* who : {"ada", "bob"})
    all.push_back({.key = testing::detail::store_promise(*store, who).key, .tenant = "acme", .token = wanted.token});
  REQUIRE(store->claim(wanted)->size() == 2);
  plain_postgres other(schema.url), sql(schema.url);
  other.run("BEGIN; UPDATE " + schema.name + ".hirenow_outbox SET due_at = due_at");
  auto settled = std::async(std::launch::async, [&] { return store->settle(all); });
  const std::string waits =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%" + schema.name + "%'";
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
       sql.number(waits) == 0 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  CHECK(sql.number(waits) == 1);
  other.run("COMMIT");
  CHECK(settled.get().value() == std::vector<bool>{true, true});
}

// What the next version may do to the tables while nodes of this one run: it adds.
TEST_CASE("this version keeps every promise over the tables of a newer one", "[store][postgres]") {
  const fresh_schema schema;
  const std::string s = schema.name;
  plain_postgres sql(schema.url);
  const auto in_every_table = [&](const std::string& change) {
    sql.run("DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '" + s +
            "' AND tablename <> 'hirenow_later' LOOP EXECUTE format('ALTER TABLE " + s + ".%I " + change +
            "', t); END LOOP; END $$");
  };
  schema.open().value();
  bool is_wide = false, comes_first = false;
  const auto report = testing::check_store(
      [&] {
        schema.empty();
        comes_first = !comes_first;
        if (!comes_first) return schema.open().value();  // a node that is started after the newer one came
        if (is_wide) {
          in_every_table("DROP COLUMN later");
          sql.run("DROP TABLE " + s + ".hirenow_later; DELETE FROM " + s + ".hirenow_version WHERE version = 2");
        }
        auto running = schema.open().value();  // a node that is there when it comes
        in_every_table("ADD COLUMN later text DEFAULT 1");
        sql.run("CREATE INDEX ON " + s + ".hirenow_interview (later); CREATE TABLE " + s +
                ".hirenow_later (something text PRIMARY KEY); INSERT INTO " + s +
                ".hirenow_version VALUES (2, 1, ''); " + let_kind_42_in(s));
        is_wide = true;
        return running;
      },
      {.histories = 2});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}

TEST_CASE("in PostgreSQL messages of a kind that only a newer version has are left to it", "[store][postgres]") {
  const bool is_running = GENERATE(true, false);  // this node, when the newer one comes
  const fresh_schema schema;
  auto store = schema.open().value();
  plain_postgres sql(schema.url);
  sql.run("SET search_path = " + schema.name);
  const auto promise = [&](const std::string& tenant, int number, seconds::rep due) {
    testing::detail::store_promise(*store, "person " + std::to_string(number), tenant, instant(due));
  };
  const lease_token token = testing::detail::lease_of(1);
  const auto claim_at = [&](seconds::rep now, std::size_t limit) {
    return store->claim({.now = instant(now), .lease = seconds{30}, .limit = limit, .token = token}).value();
  };
  const auto has_known_kind = [](const claimed_message& m) { return is_known(m.mail.key.kind); };
  // Beside each message three of kind 42, due before it: one waits, of one the lease has run out, one is dead.
  const auto promise_theirs = [&] {
    sql.run(
        "INSERT INTO hirenow_outbox (interview, kind, occasion, tenant_no, applicant_no, generation, created_at, "
        "due_at, wake_at, state, tries, lease, last_answer) SELECT o.interview, 42, o.occasion + v.state, o.tenant_no, "
        "o.applicant_no, o.generation, o.created_at, o.due_at - 5, o.due_at - 5, v.state, 0, CASE WHEN v.state = 1 "
        "THEN decode(repeat('09', 16), 'hex') END, '' FROM hirenow_outbox AS o, (VALUES (0), (1), (4)) AS v (state) "
        "WHERE o.kind < 42 ON CONFLICT DO NOTHING");
  };
  const auto theirs = [&] {
    return sql.value(
        "SELECT count(*) || ': ' || string_agg(o.ctid::text || o::text, '/' ORDER BY o.interview, o.occasion) FROM "
        "hirenow_outbox AS o WHERE o.kind = 42");
  };

  promise("acme", 0, 10);
  CHECK(claim_at(9, 1).empty());
  sql.run(let_kind_42_in(schema.name) + "; INSERT INTO hirenow_version VALUES (2, 1, '')");
  if (!is_running) store = schema.open().value();
  promise_theirs();
  const std::string few_of_theirs = theirs();
  REQUIRE(few_of_theirs.starts_with("3: "));
  CHECK(store->next_due().value() == instant(10));
  CHECK(store->outbox(instant(20)).value() == outbox_figures{.queued = 1, .due = 1, .oldest_due = instant(10)});
  // All that is due is taken at once, though there is more of theirs than was asked for.
  const auto few = claim_at(20, 1);
  REQUIRE(few.size() == 1);
  CHECK(has_known_kind(few[0]));
  CHECK(store->next_due().value() == instant(50));
  CHECK(store->outbox(instant(20)).value() == outbox_figures{.leased = 1});
  const settlement done{
      .key = few[0].mail.key, .tenant = "acme", .token = token, .what = settlement::verdict::accepted};
  CHECK(store->settle({&done, 1}).value() == std::vector<bool>{true});
  CHECK_FALSE(store->next_due().value());
  CHECK(store->outbox(instant(20)).value() == outbox_figures{});
  CHECK(theirs() == few_of_theirs);

  // More is due than is asked for. Two of the tenants have nothing but theirs, and no share.
  for (int n = 0; n < 6; ++n) promise("many", n, 10);
  for (int n = 0; n < 2; ++n) promise("some", n, 12);
  promise("one", 0, 13);
  promise("newer", 0, 10);
  promise_theirs();
  sql.run(
      "DELETE FROM hirenow_outbox WHERE kind < 42 AND tenant_no = (SELECT tenant_no FROM hirenow_tenant WHERE tenant = "
      "'newer')");
  const std::string many_of_theirs = theirs();
  REQUIRE(many_of_theirs.starts_with("33: "));
  const auto crowd = claim_at(20, 6);
  CHECK(std::ranges::all_of(crowd, has_known_kind));
  const auto taken_of = [&](std::string_view tenant) {
    return std::count_if(crowd.begin(), crowd.end(), [&](const auto& m) { return m.tenant == tenant; });
  };
  CHECK(crowd.size() == 6);
  CHECK(taken_of("many") == 3);
  CHECK(taken_of("some") == 2);
  CHECK(taken_of("one") == 1);
  CHECK(store->outbox(instant(20)).value() ==
        outbox_figures{.queued = 3, .due = 3, .leased = 6, .oldest_due = instant(10)});
  const auto rest = claim_at(20, 6);
  CHECK(rest.size() == 3);
  CHECK(std::ranges::all_of(rest, has_known_kind));
  CHECK(claim_at(20, 6).empty());
  CHECK(store->next_due().value() == instant(50));
  CHECK(theirs() == many_of_theirs);
}
