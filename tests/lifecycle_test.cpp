// The lifecycle against tests/spec/lifecycle.json, which was written down by hand: every state × event × authority ×
// role. Then what apply() does to an interview beside its state.

#include "hirenow/lifecycle.hpp"

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>

#include "hirenow/permissions.hpp"

namespace {

using namespace hirenow;
using std::chrono::hours;
using std::chrono::minutes;
namespace json = boost::json;

const sys_seconds created = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + hours{9};
const sys_seconds later = created + hours{2};

json::value read_spec() {
  std::ifstream file(HIRENOW_SOURCE_DIR "/tests/spec/lifecycle.json");
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string text_of(const json::value& v) { return std::string(v.as_string()); }

std::optional<interview_state> state_of(const json::value& v) {
  for (std::size_t n = 0; n < interview_state_count; ++n)
    if (text_of(v) == to_string(static_cast<interview_state>(n))) return static_cast<interview_state>(n);
  REQUIRE(text_of(v) == "none");
  return std::nullopt;
}

event event_of(const json::value& v) {
  for (std::size_t n = 0; n < event_count; ++n)
    if (text_of(v) == to_string(static_cast<event>(n))) return static_cast<event>(n);
  FAIL("no event: " << v);
  return event::schedule;
}

/// An interview in that state, as it comes to be there.
interview sample(interview_state state, bool started, overtime over) {
  interview i{.track = "backend/technical", .attempt = 1, .state = state};
  i.time_limit = hours{4};
  i.grace = minutes{10};
  i.overtime = over;
  i.created_at = i.changed_at = created;
  i.start_by = created + hours{72};
  if (started) {
    i.started_at = created + hours{1};
    i.deadline = *i.started_at + i.time_limit;
    i.sitting = {.fence = 3, .open = state == interview_state::in_progress};
  }
  switch (state) {
    case interview_state::passed: i.outcome = outcome::passed; break;
    case interview_state::failed: i.outcome = outcome::failed; break;
    case interview_state::on_hold: i.outcome = outcome::on_hold; break;
    case interview_state::expired: i.outcome = started ? outcome::incomplete : outcome::no_show; break;
    case interview_state::cancelled: i.outcome = outcome::cancelled; break;
    case interview_state::voided: i.outcome = outcome::voided; break;
    case interview_state::archived: i.outcome = outcome::failed; break;
    default: break;
  }
  return i;
}

/// All ways to be in a state that a condition may tell apart.
std::vector<interview> samples(interview_state state) {
  using enum interview_state;
  std::vector<interview> all;
  for (const bool started : {false, true}) {
    if (state == scheduled && started) continue;
    if ((state == in_progress || state == submitted || state == passed || state == failed || state == on_hold) &&
        !started)
      continue;
    for (const overtime over : {overtime::expire, overtime::submit}) all.push_back(sample(state, started, over));
  }
  return all;
}

/// Whether the condition of a cell holds for this interview; those of a policy are not the lifecycle's to check.
bool holds(const std::string& when, const interview& i) {
  if (when == "never started") return !i.started_at;
  if (when == "overtime means submit") return i.overtime == overtime::submit;
  if (when == "overtime means expire") return i.overtime == overtime::expire;
  REQUIRE((when.empty() || when == "the policy allows it" || when == "the policy names the outcome and allows it"));
  return true;
}

/// Checks what one authority is answered in one cell.
void check_cell(const json::value& cell, std::optional<interview_state> from, event on, authority by) {
  const transition* row = find_transition(from, on, by);
  if (cell.is_string()) {
    CHECK(row == nullptr);
    if (!from) return;
    for (const interview& i : samples(*from)) {
      const auto after = apply(i, on, by, later);
      REQUIRE(after.has_error());
      CHECK(to_string(after.error().code) == text_of(cell));
      CHECK(after.error().message.find(to_string(on)) != std::string::npos);
      CHECK(after.error().message.find(to_string(*from)) != std::string::npos);
    }
    return;
  }
  const auto to = state_of(cell.at("to"));
  const auto* condition = cell.as_object().if_contains("when");
  const std::string when = condition ? text_of(*condition) : "";
  REQUIRE(row != nullptr);
  CHECK(row->to == to);
  CHECK(to_string(row->when) == when);
  if (!from) return;
  for (const interview& i : samples(*from)) {
    const auto after = apply(i, on, by, later);
    if (holds(when, i)) {
      REQUIRE(after.has_value());
      CHECK(after->state == to);
      CHECK(after->changed_at == later);
    } else {
      REQUIRE(after.has_error());
      CHECK(after.error().code == errc::invalid_transition);
    }
  }
}

/// Checks what an actor of the staff is answered in one cell: permission first, then the lifecycle.
void check_role(const json::value& cell, const json::value& staff, event on, role_set roles) {
  const auto what = use_case_of(on);
  const bool denied = !what || check_permission(default_permissions, *what, {"a", "t", roles}).has_error();
  CHECK(denied == (cell == "permission_denied"));
  if (!denied) CHECK(cell == staff);
}

}  // namespace

TEST_CASE("every state, event, authority and role answers as the specification says", "[lifecycle][spec]") {
  const json::value spec = read_spec();
  std::set<std::pair<std::string, std::string>> seen;
  std::set<std::pair<std::string, std::string>> steps;
  for (const auto& row : spec.at("cells").as_array()) {
    CAPTURE(json::serialize(row));
    seen.emplace(text_of(row.at("state")), text_of(row.at("event")));
    const auto from = state_of(row.at("state"));
    const event on = event_of(row.at("event"));
    check_cell(row.at("staff"), from, on, authority::staff);
    check_cell(row.at("token"), from, on, authority::token);
    check_cell(row.at("clock"), from, on, authority::clock);
    check_role(row.at("recruiter"), row.at("staff"), on, role::recruiter);
    check_role(row.at("reviewer"), row.at("staff"), on, role::reviewer);
    check_role(row.at("admin"), row.at("staff"), on, role::admin);
    check_role(row.at("nobody"), row.at("staff"), on, {});
    for (const char* who : {"staff", "token", "clock"})
      if (from && row.at(who).is_object()) steps.emplace(text_of(row.at("state")), text_of(row.at(who).at("to")));
  }
  CHECK(seen.size() == (interview_state_count + 1) * event_count);
  CHECK(spec.at("cells").as_array().size() == seen.size());

  for (std::size_t a = 0; a < interview_state_count; ++a)
    for (std::size_t b = 0; b < interview_state_count; ++b) {
      const auto from = static_cast<interview_state>(a), to = static_cast<interview_state>(b);
      CAPTURE(to_string(from), to_string(to));
      CHECK(is_lawful_step(from, to) == steps.contains({std::string(to_string(from)), std::string(to_string(to))}));
    }
}

TEST_CASE("states and events are those of the specification, in its order", "[lifecycle][spec]") {
  const json::value spec = read_spec();
  const auto& states = spec.at("states").as_array();
  const auto& events = spec.at("events").as_array();
  REQUIRE(states.size() == interview_state_count);
  REQUIRE(events.size() == event_count);
  for (std::size_t n = 0; n < states.size(); ++n)
    CHECK(to_string(static_cast<interview_state>(n)) == text_of(states[n]));
  for (std::size_t n = 0; n < events.size(); ++n) CHECK(to_string(static_cast<event>(n)) == text_of(events[n]));
  CHECK(to_string(static_cast<interview_state>(interview_state_count)) == "unknown");
  CHECK(to_string(static_cast<event>(event_count)) == "unknown");
}

TEST_CASE("an event changes what belongs to it and nothing else", "[lifecycle]") {
  using enum interview_state;
  const auto after = [](const interview& i, event on, authority by, sys_seconds at = later) {
    return apply(i, on, by, at).value();
  };
  const auto expected = [](interview i, interview_state state, sys_seconds at = later) {
    i.state = state;
    i.changed_at = at;
    return i;
  };
  const interview fresh = sample(scheduled, false, overtime::expire);
  const interview running = sample(in_progress, true, overtime::expire);
  const interview handed_in = sample(submitted, true, overtime::expire);

  SECTION("start sets the deadline from the time limit, not from start_by") {
    auto e = expected(fresh, in_progress);
    e.started_at = later;
    e.deadline = later + hours{4};
    CHECK(after(fresh, event::start, authority::token) == e);
  }
  SECTION("resume moves no deadline") {
    CHECK(after(running, event::resume, authority::token) == expected(running, in_progress));
  }
  SECTION("submit closes the sitting and keeps its fence") {
    auto e = expected(running, submitted);
    e.submitted_at = later;
    e.sitting.open = false;
    CHECK(after(running, event::submit, authority::token) == e);
    CHECK(e.sitting.fence == 3);
  }
  SECTION("the clock submits where overtime means so") {
    interview i = running;
    i.overtime = overtime::submit;
    const sys_seconds limit = *i.deadline + i.grace;
    auto e = expected(i, submitted, limit);
    e.submitted_at = limit;
    e.sitting.open = false;
    CHECK(after(i, event::submit, authority::clock, limit) == e);
  }
  SECTION("a link that runs out before the start is a no-show") {
    auto e = expected(fresh, expired);
    e.outcome = outcome::no_show;
    CHECK(after(fresh, event::expire, authority::clock) == e);
  }
  SECTION("a deadline that runs out leaves the attempt incomplete") {
    auto e = expected(running, expired);
    e.outcome = outcome::incomplete;
    e.sitting.open = false;
    CHECK(after(running, event::expire, authority::clock) == e);
  }
  SECTION("cancel and withdraw keep apart who broke off") {
    auto e = expected(running, cancelled);
    e.outcome = outcome::cancelled;
    e.sitting.open = false;
    CHECK(after(running, event::cancel, authority::staff) == e);
    e.outcome = outcome::withdrawn;
    CHECK(after(running, event::withdraw, authority::token) == e);
  }
  SECTION("reissue brings a no-show back, and closes the sitting of a running interview") {
    const interview lost = sample(expired, false, overtime::expire);
    auto e = expected(lost, scheduled);
    e.outcome = outcome::pending;
    CHECK(after(lost, event::reissue, authority::staff) == e);
    auto open = expected(running, in_progress);
    open.sitting.open = false;
    CHECK(after(running, event::reissue, authority::staff) == open);
  }
  SECTION("request_link is noted and changes nothing else") {
    for (const interview& i : {fresh, running, sample(expired, true, overtime::expire)}) {
      auto e = expected(i, i.state);
      e.link_requested_at = later;
      CHECK(after(i, event::request_link, authority::token) == e);
    }
  }
  SECTION("a decision is dated and is the outcome") {
    const std::array decisions{std::tuple{event::pass, passed, outcome::passed},
                               std::tuple{event::fail, failed, outcome::failed},
                               std::tuple{event::hold, on_hold, outcome::on_hold}};
    for (const auto& [on, state, result] : decisions) {
      auto e = expected(handed_in, state);
      e.outcome = result;
      e.decided_at = later;
      CHECK(after(handed_in, on, authority::staff) == e);
    }
  }
  SECTION("reopen puts the outcome on hold and keeps the date of the decision") {
    interview decided = sample(passed, true, overtime::expire);
    decided.decided_at = created + hours{1};
    auto e = expected(decided, on_hold);
    e.outcome = outcome::on_hold;
    CHECK(after(decided, event::reopen, authority::staff) == e);
  }
  SECTION("void closes the sitting") {
    auto e = expected(running, voided);
    e.outcome = outcome::voided;
    e.sitting.open = false;
    CHECK(after(running, event::void_attempt, authority::staff) == e);
  }
  SECTION("retake keeps the outcome for ever") {
    for (const interview_state s : {failed, on_hold, voided, passed, expired}) {
      const interview i = sample(s, true, overtime::expire);
      CHECK(after(i, event::retake, authority::staff) == expected(i, archived));
    }
  }
}

TEST_CASE("from the deadline on an applicant can only submit, until the grace is over", "[lifecycle]") {
  const interview running = sample(interview_state::in_progress, true, overtime::expire);
  const sys_seconds deadline = *running.deadline;
  const sys_seconds end = deadline + running.grace;
  const auto answer = [&](event on, authority by, sys_seconds at) {
    const auto after = apply(running, on, by, at);
    return after ? std::string("ok") : std::string(to_string(after.error().code));
  };
  for (const event on : {event::resume, event::withdraw, event::request_link}) {
    CAPTURE(to_string(on));
    CHECK(answer(on, authority::token, deadline - seconds{1}) == "ok");
    CHECK(answer(on, authority::token, deadline) == "deadline_passed");
    CHECK(answer(on, authority::token, end) == "deadline_passed");
  }
  CHECK(answer(event::reissue, authority::staff, deadline - seconds{1}) == "ok");
  CHECK(answer(event::reissue, authority::staff, deadline) == "deadline_passed");
  CHECK(answer(event::submit, authority::token, deadline) == "ok");
  CHECK(answer(event::submit, authority::token, end - seconds{1}) == "ok");
  CHECK(answer(event::submit, authority::token, end) == "deadline_passed");
  for (const event on : {event::cancel, event::void_attempt}) {
    CHECK(answer(on, authority::staff, deadline) == "ok");
    CHECK(answer(on, authority::staff, end) == "ok");
  }
  CHECK(answer(event::expire, authority::clock, end) == "ok");

  interview strict = running;
  strict.grace = seconds{0};
  CHECK(apply(strict, event::submit, authority::token, deadline - seconds{1}).has_value());
  CHECK(apply(strict, event::submit, authority::token, deadline).error().code == errc::deadline_passed);
}

TEST_CASE("the clock's limit is start_by before the start and deadline plus grace after it", "[lifecycle]") {
  using enum interview_state;
  const interview fresh = sample(scheduled, false, overtime::expire);
  const interview running = sample(in_progress, true, overtime::expire);
  CHECK(clock_limit(fresh) == fresh.start_by);
  CHECK(clock_limit(running) == *running.deadline + running.grace);
  for (const interview_state s : {submitted, passed, failed, on_hold, expired, cancelled, voided, archived})
    CHECK_FALSE(clock_limit(sample(s, true, overtime::expire)).has_value());
}

TEST_CASE("current and active", "[lifecycle]") {
  using enum interview_state;
  for (std::size_t n = 0; n < interview_state_count; ++n) {
    const auto s = static_cast<interview_state>(n);
    CAPTURE(to_string(s));
    CHECK(is_current(s) == (s != archived && s != cancelled && s != voided));
    CHECK(is_active(s) == (s == scheduled || s == in_progress));
  }
}
