/// Waivers: exceptions to one rule, granted, used once, lapsed or revoked, and all of it in the audit.

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

retake_policy two_rules() {
  return retake_policy::parse(R"({"hirenow_policy": 1, "version": "two", "rules": [
    {"rule": "wait", "id": "wait", "after": ["P30D"], "floor": "P2D"},
    {"rule": "most", "id": "cap", "attempts": 1, "second_approver": true},
    {"rule": "status", "id": "never", "waivable": false, "when": {"number": {"at_least": 9}}},
    {"rule": "wait", "id": "hint", "after": ["P60D"], "advice": "soon"}]})")
      .value();
}

waiver_request exception_to(const world& w, std::string rule) {
  return {.applicant_id = w.ada.id,
          .track = w.track,
          .rule_id = std::move(rule),
          .reason_code = "visa_delay",
          .expires_at = w.clock.now() + days{7}};
}

const actor second_admin{"bert", acme, role::admin};

std::vector<std::string> events_of(const world& w) {
  std::vector<std::string> all;
  for (const auto& e : w.audit())
    if (e.event.ends_with("_waiver")) all.push_back(e.event);
  return all;
}

/// A failed attempt of yesterday's, under the one policy.
attempt_at_hand failed_yesterday(world& w) {
  const auto at = bring_to(w, "submitted");
  w.bench.decide(at.id, w.reviewer, {.outcome = outcome::failed}).value();
  w.clock.set(monday + days{3});
  return at;
}

TEST_CASE("a waiver lets one retake through, and is used up by it", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::parse(R"({"hirenow_policy": 1, "version": "w", "rules": [
    {"rule": "wait", "id": "wait", "after": ["P30D"]}]})")
                                .value());
  const auto at = failed_yesterday(w);
  const auto refused = w.bench.retake_eligibility(at.id, w.recruiter).value();
  CHECK_FALSE(refused.allowed);
  REQUIRE(refused.waivers.size() == 1);  // what would change the answer
  CHECK(refused.waivers.front() == "wait");

  const auto granted = w.bench.grant_waiver(exception_to(w, "wait"), w.admin).value().waiver;
  CHECK(granted.state == waiver_state::granted);
  CHECK(granted.granted_by == "anna");
  CHECK(granted.granted_at == w.clock.now());
  CHECK(w.record().waivers == std::vector{granted});
  CHECK(w.bench.waivers(w.ada.id, w.recruiter).value() == std::vector{granted});

  const auto allowed = w.bench.retake_eligibility(at.id, w.recruiter).value();
  CHECK(allowed.allowed);
  CHECK(std::any_of(allowed.rules.begin(), allowed.rules.end(), [](const auto& v) { return v.waived; }));

  const auto again = w.bench.retake(at.id, w.recruiter).value();
  const auto used = w.record().waivers.front();
  CHECK(used.state == waiver_state::used);
  CHECK(used.used_for == again.interview.id);
  CHECK(events_of(w) == std::vector<std::string>{"grant_waiver", "use_waiver"});
  CHECK(w.audit().back().event == "use_waiver");
  CHECK(w.audit().back().interview == again.interview.id);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));

  // Once: the next failure waits like any other.
  const auto token = token_in(again.link);
  const auto open = w.bench.start(token, key_one).value().session;
  w.bench.submit(open).value();
  w.bench.decide(again.interview.id, w.reviewer, {.outcome = outcome::failed}).value();
  w.clock.advance(days{1});
  CHECK(code_of(w.bench.retake(again.interview.id, w.recruiter)) == errc::not_eligible);
}

TEST_CASE("a waiver that an answer does without is kept for another time", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  const auto at = failed_yesterday(w);
  w.bench.grant_waiver(exception_to(w, "wait"), w.admin).value();
  const auto cap = w.bench.grant_waiver(exception_to(w, "cap"), w.admin).value().waiver;
  CHECK(cap.state == waiver_state::proposed);
  // Proposed is not granted.
  CHECK(w.bench.retake_eligibility(at.id, w.recruiter).value().reason == "lifetime_cap");
  CHECK(code_of(w.bench.approve_waiver(w.ada.id, cap.number, w.admin)) == errc::permission_denied);
  const auto approved = w.bench.approve_waiver(w.ada.id, cap.number, second_admin).value().waiver;
  CHECK(approved.state == waiver_state::granted);
  CHECK(approved.approved_by == "bert");
  CHECK(code_of(w.bench.approve_waiver(w.ada.id, cap.number, second_admin)) == errc::invalid_transition);

  w.clock.set(monday + days{40});  // the wait is over by itself, and its waiver has lapsed
  auto fresh = exception_to(w, "wait");
  fresh.expires_at = w.clock.now() + days{7};
  const auto wait = w.bench.grant_waiver(fresh, w.admin).value().waiver;
  auto second_cap = exception_to(w, "cap");
  second_cap.expires_at = w.clock.now() + days{7};
  const auto cap_again = w.bench.grant_waiver(second_cap, w.admin).value().waiver;
  w.bench.approve_waiver(w.ada.id, cap_again.number, second_admin).value();
  w.bench.retake(at.id, w.recruiter).value();
  CHECK(find_waiver(w.record(), wait.number)->state == waiver_state::granted);
  CHECK(find_waiver(w.record(), cap_again.number)->state == waiver_state::used);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("scheduling anew uses waivers too", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::parse(R"({"hirenow_policy": 1, "version": "w", "rules": [
    {"rule": "require", "id": "training", "fact": {"event": "training"}}]})")
                                .value());
  CHECK(code_of(w.bench.schedule(w.terms(), w.recruiter)) == errc::not_eligible);
  auto other = w.terms();
  other.track = "elsewhere";
  CHECK(code_of(w.bench.grant_waiver(exception_to(w, "training"), w.admin)) == errc::not_found);
  // The applicant comes to be under a tenant's policy that asks for nothing.
  w.bench.set_policy("elsewhere", R"({"hirenow_policy": 1, "version": "none", "rules": []})", w.admin).value();
  w.bench.schedule(other, w.recruiter).value();
  const auto granted = w.bench.grant_waiver(exception_to(w, "training"), w.admin).value().waiver;
  const auto invited = w.schedule();
  CHECK(find_waiver(w.record(), granted.number)->used_for == invited.interview.id);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("a waiver keeps its floor, and the rule's", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::parse(R"({"hirenow_policy": 1, "version": "w", "rules": [
    {"rule": "wait", "id": "wait", "after": ["P30D"], "floor": "P5D"}]})")
                                .value());
  const auto at = failed_yesterday(w);
  auto request = exception_to(w, "wait");
  request.floor = "P6D";
  w.bench.grant_waiver(request, w.admin).value();
  const auto e = w.bench.retake_eligibility(at.id, w.recruiter).value();
  CHECK_FALSE(e.allowed);
  CHECK(e.eligible_at == monday + days{6});
  w.clock.set(monday + days{6} - 1s);
  CHECK(code_of(w.bench.retake(at.id, w.recruiter)) == errc::not_eligible);
  w.clock.set(monday + days{6});
  CHECK(w.bench.retake(at.id, w.recruiter));
}

TEST_CASE("the clock ends a waiver at its instant, and the sweep finds it", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  const auto at = failed_yesterday(w);
  const auto granted = w.bench.grant_waiver(exception_to(w, "wait"), w.admin).value().waiver;
  const auto proposed = w.bench.grant_waiver(exception_to(w, "cap"), w.admin).value().waiver;
  w.clock.set(granted.expires_at - 1s);
  CHECK(w.bench.waivers(w.ada.id, w.admin).value().front().state == waiver_state::granted);
  CHECK(w.bench.sweep().value().events == 0);
  w.clock.set(granted.expires_at + 60s);
  CHECK(w.bench.waivers(w.ada.id, w.admin).value().front().state ==
        waiver_state::lapsed);  // as the clock would have it
  CHECK(w.record().waivers.front().state == waiver_state::granted);
  const auto swept = w.bench.sweep().value();
  CHECK(swept.records == 1);
  CHECK(swept.events == 2);
  CHECK(swept.failed.empty());
  for (const auto& w_ : w.record().waivers) CHECK(w_.state == waiver_state::lapsed);
  CHECK(w.audit().back().at == granted.expires_at);
  CHECK(w.audit().back().actor == "system");
  CHECK(w.bench.sweep().value().records == 0);
  CHECK(code_of(w.bench.approve_waiver(w.ada.id, proposed.number, second_admin)) == errc::invalid_transition);
  CHECK(code_of(w.bench.retake(at.id, w.recruiter)) == errc::not_eligible);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("a waiver is revoked once, and what is over stays over", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  failed_yesterday(w);
  const auto granted = w.bench.grant_waiver(exception_to(w, "wait"), w.admin).value().waiver;
  CHECK(code_of(w.bench.grant_waiver(exception_to(w, "wait"), w.admin)) == errc::invalid_transition);
  CHECK(code_of(w.bench.revoke_waiver(w.ada.id, granted.number + 1, w.admin)) == errc::not_found);
  const auto revoked = w.bench.revoke_waiver(w.ada.id, granted.number, w.admin, {.reason = "by mistake"}).value();
  CHECK(revoked.waiver.state == waiver_state::revoked);
  CHECK(w.audit().back().note == "by mistake");
  CHECK(code_of(w.bench.revoke_waiver(w.ada.id, granted.number, w.admin)) == errc::invalid_transition);
  CHECK(w.bench.grant_waiver(exception_to(w, "wait"), w.admin));  // another may be granted now
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("what is no exception that the policy knows is not granted", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  failed_yesterday(w);
  const auto before = w.dump();
  const auto refused = [&](auto change) {
    auto request = exception_to(w, "wait");
    change(request);
    return code_of(w.bench.grant_waiver(request, w.admin));
  };
  using enum errc;
  CHECK(refused([](auto& r) { r.rule_id = "no such rule"; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.rule_id = "never"; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.rule_id = "hint"; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.rule_id = "retake_after"; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.rule_id = ""; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.track = ""; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.reason_code = ""; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.floor = "soon"; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.rule_id = "cap", r.floor = "P1D"; }) == invalid_argument);
  CHECK(refused([&](auto& r) { r.expires_at = w.clock.now(); }) == invalid_argument);
  CHECK(refused([&](auto& r) { r.expires_at = w.clock.now() + limits::longest_span + 1s; }) == invalid_argument);
  CHECK(refused([&](auto& r) { r.expires_at = max_instant + 1s; }) == invalid_argument);
  CHECK(refused([](auto& r) { r.reason = std::string(limits::reason + 1, 'x'); }) == too_large);
  CHECK(refused([](auto& r) { r.applicant_id = "nobody"; }) == not_found);
  CHECK(code_of(w.bench.grant_waiver(exception_to(w, "wait"), w.recruiter)) == permission_denied);
  CHECK(code_of(w.bench.grant_waiver(exception_to(w, "wait"), w.stranger)) == not_found);
  CHECK(w.dump() == before);
}

TEST_CASE("a waiver's calls answer the same under one key", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  failed_yesterday(w);
  auto request = exception_to(w, "cap");
  request.idempotency_key = "g1";
  const auto first = w.bench.grant_waiver(request, w.admin).value();
  const auto again = w.bench.grant_waiver(request, w.admin).value();
  CHECK(again.replayed);
  CHECK(again.waiver == first.waiver);
  request.reason_code = "other";
  CHECK(code_of(w.bench.grant_waiver(request, w.admin)) == errc::idempotency_mismatch);
  const auto number = first.waiver.number;
  CHECK_FALSE(w.bench.approve_waiver(w.ada.id, number, second_admin, {.idempotency_key = "a1"}).value().replayed);
  CHECK(w.bench.approve_waiver(w.ada.id, number, second_admin, {.idempotency_key = "a1"}).value().replayed);
  CHECK_FALSE(w.bench.revoke_waiver(w.ada.id, number, w.admin, {.idempotency_key = "r1"}).value().replayed);
  CHECK(w.bench.revoke_waiver(w.ada.id, number, w.admin, {.idempotency_key = "r1"}).value().replayed);
  CHECK(events_of(w) == std::vector<std::string>{"grant_waiver", "approve_waiver", "revoke_waiver"});
}

TEST_CASE("erasing a person revokes what is open, and the waivers stay", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  failed_yesterday(w);
  auto request = exception_to(w, "wait");
  request.reason = "her visa came late";
  const auto granted = w.bench.grant_waiver(request, w.admin).value().waiver;
  w.bench.erase_applicant(w.ada.id, w.admin).value();
  REQUIRE(w.record().waivers.size() == 1);
  CHECK(w.record().waivers.front().state == waiver_state::revoked);
  for (const auto& e : w.audit()) CHECK(e.note.empty());
  CHECK(code_of(w.bench.revoke_waiver(w.ada.id, granted.number, w.admin)) == errc::erased);
  CHECK(code_of(w.bench.grant_waiver(exception_to(w, "cap"), w.admin)) == errc::erased);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("the audit finds a waiver that was edited, made up or lost", "[engine][waiver]") {
  HIRENOW_IN_EVERY_STORE(w, two_rules());
  failed_yesterday(w);
  w.bench.grant_waiver(exception_to(w, "wait"), w.admin).value();
  struct edited final : store_in_between {
    using store_in_between::store_in_between;
    std::function<void(std::vector<waiver>&)> edit{};
    result<loaded> load(const load_request& r) override {
      auto data = next_.load(r);
      if (data && edit) edit(data->record.waivers);
      return data;
    }
  } s(*w.data);
  auto bench = w.another(s);
  CHECK(bench.verify_audit(w.ada.id, w.admin));
  const std::vector<std::function<void(std::vector<waiver>&)>> edits{
      [](auto& all) { all.front().rule_id = "cap"; },
      [](auto& all) { all.front().track = "elsewhere"; },
      [](auto& all) { all.front().expires_at += days{1}; },
      [](auto& all) { all.front().floor = "P1D"; },
      [](auto& all) { all.front().granted_by = "bert"; },
      [](auto& all) { all.front().reason_code = "other"; },
      [](auto& all) { all.front().state = waiver_state::proposed; },
      [](auto& all) { all.front().number += 1; },
      [](auto& all) { all.push_back(all.front()); },
      [](auto& all) { all.clear(); },
  };
  for (std::size_t n = 0; n < edits.size(); ++n) {
    INFO("edit " << n);
    s.edit = edits[n];
    CHECK(code_of(bench.verify_audit(w.ada.id, w.admin)) == errc::audit_broken);
  }
}

}  // namespace
