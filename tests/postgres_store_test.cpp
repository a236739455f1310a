/// The PostgreSQL store keeps the promises of a store, and says clearly what is wrong with a database.

#include "hirenow/adapters/postgres.hpp"

#include <chrono>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/testing/check_store.hpp"
#include "support/postgres.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::fresh_schema;
using test::plain_postgres;

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
                ".hirenow_later (something text PRIMARY KEY); INSERT INTO " + s + ".hirenow_version VALUES (2, 1, '')");
        is_wide = true;
        return running;
      },
      {.histories = 2});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}
