/// The PostgreSQL store keeps the promises of a store, and says clearly what is wrong with a database.

#include "hirenow/adapters/postgres.hpp"

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

TEST_CASE("the PostgreSQL store keeps every promise of a store", "[store][postgres][concurrent]") {
  std::vector<std::unique_ptr<fresh_schema>> schemas;
  const auto report = testing::check_store(
      [&] {
        schemas.clear();
        schemas.push_back(std::make_unique<fresh_schema>());
        return schemas.back()->open().value();
      },
      {.histories = 25});
  INFO(report.to_string());
  CHECK(report.passed());
  CHECK(report.checks >= 120);
}
