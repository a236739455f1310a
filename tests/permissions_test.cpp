// Who may do what, against the hand-written table in tests/spec/lifecycle.json.

#include "hirenow/permissions.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

namespace {

using namespace hirenow;
namespace json = boost::json;

json::value read_spec() {
  std::ifstream file(HIRENOW_SOURCE_DIR "/tests/spec/lifecycle.json");
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

bool names(const json::value& list, role r) {
  for (const auto& v : list.as_array())
    if (v.as_string() == std::string(to_string(r))) return true;
  return false;
}

}  // namespace

TEST_CASE("every use case has a row, and the row says who may", "[permissions][spec]") {
  const json::value spec = read_spec();
  const auto& rows = spec.at("use_cases").as_object();
  REQUIRE(rows.size() == use_case_count);
  for (std::size_t n = 0; n < use_case_count; ++n) {
    const auto what = static_cast<use_case>(n);
    const permission& row = default_permissions[n];
    CAPTURE(row.word);
    REQUIRE(row.what == what);
    REQUIRE(to_string(what) == row.word);
    const auto* expected = rows.if_contains(row.word);
    REQUIRE(expected != nullptr);
    CHECK(row.token == expected->at("token").as_bool());
    CHECK(row.system == expected->at("system").as_bool());
    CHECK((row.token || row.system || !row.staff.empty()));
    for (const role r : all_roles) {
      CAPTURE(to_string(r));
      const auto answer = check_permission(default_permissions, what, {"a", "t", r});
      CHECK(answer.has_value() == names(expected->at("roles"), r));
      if (answer.has_error()) {
        CHECK(answer.error().code == errc::permission_denied);
        CHECK(answer.error().message.find(row.word) != std::string::npos);
      }
    }
  }
  CHECK(to_string(static_cast<use_case>(use_case_count)) == "unknown");
}

TEST_CASE("an actor without a role may nothing, one with several what any of them may", "[permissions]") {
  for (std::size_t n = 0; n < use_case_count; ++n) {
    const auto what = static_cast<use_case>(n);
    const auto may = [&](role_set roles) {
      return check_permission(default_permissions, what, {"a", "t", roles}).has_value();
    };
    CAPTURE(to_string(what));
    CHECK_FALSE(may({}));
    CHECK(may(role::recruiter | role::reviewer) == (may(role::recruiter) || may(role::reviewer)));
    // admin: all of the first two, and more
    CHECK((may(role::admin) || !may(role::recruiter | role::reviewer)));
  }
}

TEST_CASE("what only an admin may", "[permissions]") {
  using enum use_case;
  for (const use_case what :
       {reopen, set_policy, redrive, drop, erase_applicant, grant_waiver, approve_waiver, revoke_waiver, what_if}) {
    CHECK(check_permission(default_permissions, what, {"a", "t", role::admin}).has_value());
    CHECK(check_permission(default_permissions, what, {"a", "t", role::recruiter | role::reviewer}).has_error());
  }
}

TEST_CASE("the applicant's token and the engine itself have what the lifecycle needs", "[permissions]") {
  for (const auto& row : transition_table) {
    CAPTURE(to_string(row.on));
    const auto what = use_case_of(row.on);
    REQUIRE((what || row.on == event::expire));
    if (!what) continue;
    const permission& p = default_permissions[static_cast<std::size_t>(*what)];
    if (row.by == authority::token) CHECK(p.token);
    if (row.by == authority::clock) CHECK(p.system);
    if (row.by == authority::staff) CHECK_FALSE(p.staff.empty());
  }
}

TEST_CASE("the host can replace the table", "[permissions]") {
  permission_table own = default_permissions;
  own[static_cast<std::size_t>(use_case::decide)].staff = role::recruiter;
  CHECK(check_permission(own, use_case::decide, {"a", "t", role::recruiter}).has_value());
  CHECK(check_permission(own, use_case::decide, {"a", "t", role::admin}).has_error());
  CHECK(check_permission(default_permissions, use_case::decide, {"a", "t", role::recruiter}).has_error());
}

TEST_CASE("sets of roles", "[permissions]") {
  const role_set both = role::recruiter | role::admin;
  CHECK(both.has(role::recruiter));
  CHECK(both.has(role::admin));
  CHECK_FALSE(both.has(role::reviewer));
  CHECK(both.meets(role::admin));
  CHECK_FALSE(both.meets(role::reviewer));
  CHECK_FALSE(both.meets({}));
  CHECK(role_set{}.empty());
  CHECK_FALSE(both.empty());
  CHECK((both | role::reviewer) == (role::reviewer | role::admin | role_set(role::recruiter)));
  CHECK(to_string(role::reviewer) == "reviewer");
}
