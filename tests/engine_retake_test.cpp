/// The retake: a new life in one commit, and only where the policy allows.

#include <algorithm>
#include <set>

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

retake_policy policy(std::string_view members) {
  return retake_policy::parse(R"({"hirenow_policy": 1, "version": "test-1", )" + std::string(members) + "}").value();
}

TEST_CASE("a retake archives the old interview and plans a new one in one commit", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.overtime = overtime::submit;
  request.reminders = {2h};
  const auto at = bring_to(w, situation_of("failed"), request);
  const auto old = w.stored(at.id);
  REQUIRE_FALSE(w.unsent(at.id).empty());  // the decision, which nobody has sent yet
  const auto version = w.record().version;

  const auto answer = w.bench.retake(at.id, w.recruiter, {.reason = "second chance"}).value();
  CHECK_FALSE(answer.replayed);
  const auto fresh = w.stored(answer.interview.id), archived = w.stored(at.id);
  CHECK(fresh == answer.interview);
  CHECK(hirenow::detail::shown(archived) == answer.archived);
  CHECK(w.record().version == version + 1);

  // Lineage both ways, and a new life in every respect.
  CHECK(fresh.id != old.id);
  CHECK(fresh.retake_of == old.id);
  CHECK_FALSE(fresh.superseded_by);
  CHECK(archived.superseded_by == fresh.id);
  CHECK(fresh.attempt == 2);
  CHECK(fresh.track == old.track);
  CHECK(fresh.state == interview_state::scheduled);
  CHECK(fresh.outcome == outcome::pending);
  CHECK_FALSE(fresh.started_at);
  CHECK_FALSE(fresh.deadline);
  CHECK_FALSE(fresh.decided_at);
  CHECK(fresh.link.generation == 1);
  CHECK(fresh.start_by == w.clock.now() + 72h);
  CHECK(fresh.time_limit == old.time_limit);
  CHECK(fresh.grace == old.grace);
  CHECK(fresh.overtime == overtime::submit);

  // The old one keeps what came of it.
  CHECK(archived.state == interview_state::archived);
  CHECK(archived.outcome == outcome::failed);
  CHECK(archived.decided_at == old.decided_at);
  CHECK(archived.started_at == old.started_at);
  CHECK(archived.score == old.score);

  // The old link is dead at once, the new one is not.
  CHECK(token_in(answer.link) != at.token);
  CHECK(w.bench.inspect(at.token).value().verdict == verdict::superseded_interview);
  CHECK(code_of(w.bench.start(at.token, key_one)) == errc::token_superseded_interview);
  CHECK(w.bench.inspect(token_in(answer.link)).value().verdict == verdict::valid);

  // One message, of the right kind, and none of the old interview's left.
  CHECK(w.unsent(at.id).empty());
  const auto mail = w.messages(fresh.id);
  REQUIRE(mail.size() == 1);
  CHECK(mail[0].key.kind == message_kind::retake_invitation);
  CHECK(mail[0].state == message_state::queued);

  const auto audit = w.audit();
  const auto& last = audit.back();
  const auto& one_before = audit[audit.size() - 2];
  CHECK(one_before.event == "retake");
  CHECK(one_before.interview == old.id);
  CHECK(one_before.to == interview_state::archived);
  CHECK(one_before.note == "second chance");
  CHECK(one_before.details.find("standard-1") != std::string::npos);
  CHECK(last.event == "schedule");
  CHECK(last.interview == fresh.id);
  CHECK(mail[0].key.occasion == last.sequence);
  CHECK(w.bench.start(token_in(answer.link), key_two));
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("a retake's own terms replace those of before", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  const auto fresh = w.bench
                         .retake(at.id, w.recruiter,
                                 {.opens_at = w.clock.now() + 5h,
                                  .link_lifetime = 20h,
                                  .reminders = {1h, 3h},
                                  .time_limit = 30min,
                                  .grace = 0s,
                                  .overtime = overtime::submit,
                                  .notify = notify::not_before(w.clock.now() + 1h)})
                         .value()
                         .interview;
  CHECK(fresh.start_by == w.clock.now() + 25h);
  CHECK(fresh.link.not_before == w.clock.now() + 5h);
  CHECK(fresh.time_limit == 30min);
  CHECK(fresh.grace == 0s);
  CHECK(fresh.overtime == overtime::submit);
  CHECK(w.messages(fresh.id).size() == 3);
  CHECK(w.messages(fresh.id)[0].due_at == w.clock.now() + 1h);
}

TEST_CASE("a wait is over at its instant and not one second before", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");  // started on Monday
  w.clock.set(monday + days{14} - 1s);
  const auto before = w.dump();
  const auto early = w.bench.retake_eligibility(at.id, w.reviewer).value();
  CHECK_FALSE(early.allowed);
  CHECK(early.reason == "cooldown");
  CHECK(early.eligible_at == monday + days{14});
  const auto refused = w.bench.retake(at.id, w.recruiter);
  CHECK(code_of(refused) == errc::not_eligible);
  CHECK(refused.error().reason == "cooldown");
  CHECK(refused.error().eligible_at == monday + days{14});
  CHECK(w.dump() == before);
  w.clock.advance(1s);
  CHECK(w.bench.retake_eligibility(at.id, w.reviewer).value().allowed);
  CHECK(w.bench.retake(at.id, w.recruiter));
}

TEST_CASE("caps hold over the whole track", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, policy(R"("rules": [
      {"rule": "most", "id": "two-ever", "attempts": 3},
      {"rule": "most", "id": "two-a-month", "attempts": 2, "in": "P30D"}])"));
  auto at = bring_to(w, "failed");  // started at day 0, now day 14
  const auto fail_again = [&](const retaken& r) {
    const auto sitting = w.bench.start(token_in(r.link), key_one).value();
    w.bench.submit(sitting.session).value();
    w.bench.decide(r.interview.id, w.reviewer, {.outcome = outcome::failed}).value();
    return r.interview.id;
  };
  const auto second = fail_again(w.bench.retake(at.id, w.recruiter).value());  // day 14
  const auto windowed = w.bench.retake(second, w.recruiter);
  CHECK(code_of(windowed) == errc::not_eligible);
  CHECK(windowed.error().reason == "window_cap");
  CHECK(windowed.error().eligible_at == monday + days{30});
  w.clock.set(monday + days{30} - 1s);
  CHECK(code_of(w.bench.retake(second, w.recruiter)) == errc::not_eligible);
  w.clock.advance(1s);
  const auto third = fail_again(w.bench.retake(second, w.recruiter).value());
  w.clock.advance(days{1000});
  const auto never = w.bench.retake(third, w.recruiter);
  CHECK(code_of(never) == errc::not_eligible);
  CHECK(never.error().reason == "lifetime_cap");
  CHECK_FALSE(never.error().eligible_at);
  const auto e = w.bench.retake_eligibility(third, w.recruiter).value();
  CHECK(e.attempts_left == 0u);
  CHECK(e.policy_version == "test-1");
}

TEST_CASE("a policy sees the attempts at every track, and the facts", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, policy(R"("zone": "applicant", "rules": [
      {"rule": "wait", "id": "any-track", "after": ["P14D"], "same": []},
      {"rule": "require", "id": "course", "fact": {"event": "course"}, "after": 1}])"));
  const auto at = bring_to(w, "failed");
  w.clock.set(monday + days{14} - 1s);
  auto other = w.terms();
  other.track = "another/track";
  const auto refused = w.bench.schedule(other, w.recruiter);
  CHECK(code_of(refused) == errc::not_eligible);
  CHECK(refused.error().reason == "cooldown");
  CHECK(refused.error().eligible_at == monday + days{14});
  w.clock.advance(1s);
  // The failure at the one track requires nothing at the other, and the retake the course.
  CHECK(w.bench.schedule(other, w.recruiter));
  const auto both = w.bench.retake_eligibility(at.id, w.recruiter).value();  // the other attempt is to come
  CHECK(std::set<std::string>(both.all_reasons.begin(), both.all_reasons.end()) ==
        std::set<std::string>{"cooldown", "prerequisite"});
  w.clock.set(monday + days{40});
  CHECK(w.bench.retake(at.id, w.recruiter).error().reason == "prerequisite");
  w.bench.record_fact(w.ada.id, {.name = "course", .at = monday + days{30}}, w.recruiter).value();
  CHECK(w.bench.retake(at.id, w.recruiter));
}

TEST_CASE("cancelling in mid-attempt and scheduling anew is no way round a wait", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool by_applicant = GENERATE(false, true);
  const auto at = bring_to(w, "in_progress");
  w.clock.advance(10min);
  if (by_applicant)
    w.bench.withdraw(at.token).value();
  else
    w.bench.cancel(at.id, w.recruiter).value();
  w.clock.set(monday + days{14} - 1s);
  const auto refused = w.bench.schedule(w.terms(), w.recruiter);
  CHECK(code_of(refused) == errc::not_eligible);
  CHECK(refused.error().reason == "cooldown");
  CHECK(refused.error().eligible_at == monday + days{14});
  w.clock.advance(1s);
  CHECK(w.bench.schedule(w.terms(), w.recruiter).value().interview.attempt == 2);
}

TEST_CASE("an interview that was cancelled before its start costs nothing", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  w.bench.cancel(at.id, w.recruiter).value();
  const auto again = w.bench.schedule(w.terms(), w.recruiter).value();
  CHECK(again.interview.attempt == 2);
  CHECK(w.bench.inspect(at.token).value().verdict == verdict::cancelled);
}

TEST_CASE("a voided attempt may be retaken, unless something newer stands on the track", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "voided");
  SECTION("at once, since a void attempt counts for no wait") {
    const auto answer = w.bench.retake(at.id, w.recruiter).value();
    CHECK(answer.archived.outcome == outcome::voided);
    CHECK(answer.interview.attempt == 2);
  }
  SECTION("not while a later one is current") {
    const auto later = w.bench.schedule(w.terms(), w.recruiter).value().interview;
    const auto refused = w.bench.retake(at.id, w.recruiter);
    CHECK(code_of(refused) == errc::active_interview);
    CHECK(refused.error().superseded_by == to_string(later.id));
    CHECK_FALSE(w.bench.retake_eligibility(at.id, w.recruiter).value().allowed);
  }
  SECTION("nor after the later one was cancelled") {
    const auto later = w.bench.schedule(w.terms(), w.recruiter).value().interview;
    w.bench.cancel(later.id, w.recruiter).value();
    CHECK(code_of(w.bench.retake(at.id, w.recruiter)) == errc::invalid_transition);
  }
}

TEST_CASE("what the policy does not list may not be retaken, and what it adds may", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, policy(R"("retake_after": ["failed", "passed", "no_show", "incomplete"], "rules": [])"));
  const auto s = GENERATE(from_range(situations));
  INFO(s.name);
  const auto at = bring_to(w, s);
  const auto now = w.bench.retake(at.id, w.recruiter);
  using enum interview_state;
  if (s.state == failed || s.state == passed || s.state == expired) {
    REQUIRE(now);
    CHECK(now->archived.outcome == (s.state == failed   ? outcome::failed
                                    : s.state == passed ? outcome::passed
                                    : s.started         ? outcome::incomplete
                                                        : outcome::no_show));
    CHECK(w.bench.verify_audit(w.ada.id, w.admin));
  } else if (s.state == voided || s.state == on_hold) {
    CHECK(code_of(now) == errc::not_eligible);
    CHECK(now.error().reason == "outcome_not_eligible");
  } else {
    CHECK_FALSE(now);
  }
}

TEST_CASE("the loser of two retakes learns which interview took over", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  const auto winner = w.bench.retake(at.id, w.recruiter).value();
  const auto before = w.dump();
  const auto loser = w.bench.retake(at.id, w.recruiter);
  CHECK(code_of(loser) == errc::superseded);
  CHECK(loser.error().superseded_by == to_string(winner.interview.id));
  CHECK(w.dump() == before);
}

TEST_CASE("a retake that meets a faster one decides again and loses", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  /// Lets somebody else commit first, once.
  class overtaken final : public store_in_between {
   public:
    overtaken(store& next, std::function<void()> meanwhile)
        : store_in_between(next), meanwhile_(std::move(meanwhile)) {}
    result<void> commit(const change_set& c) override {
      if (meanwhile_) std::exchange(meanwhile_, nullptr)();
      return next_.commit(c);
    }

   private:
    std::function<void()> meanwhile_;
  };
  SECTION("by another retake") {
    std::string winner;
    overtaken s(*w.data, [&] { winner = to_string(w.bench.retake(at.id, w.recruiter).value().interview.id); });
    auto slow = w.another(s);
    const auto loser = slow.retake(at.id, w.recruiter);
    CHECK(code_of(loser) == errc::superseded);
    CHECK(loser.error().superseded_by == winner);
  }
  SECTION("by the same one under the same key") {
    interview_id winner{};
    overtaken s(*w.data, [&] {
      winner = w.bench.retake(at.id, w.recruiter, {.idempotency_key = "click"}).value().interview.id;
    });
    auto slow = w.another(s);
    const auto second = slow.retake(at.id, w.recruiter, {.idempotency_key = "click"}).value();
    CHECK(second.replayed);
    CHECK(second.interview.id == winner);
  }
  SECTION("by a change that leaves it possible") {
    overtaken s(*w.data,
                [&] { w.bench.record_fact(w.ada.id, {.name = "training", .at = monday}, w.recruiter).value(); });
    auto slow = w.another(s);
    CHECK(slow.retake(at.id, w.recruiter));
    CHECK(w.bench.verify_audit(w.ada.id, w.admin));
  }
  const auto mail = w.dump().messages;
  CHECK(std::count_if(mail.begin(), mail.end(),
                      [](const message& m) { return m.key.kind == message_kind::retake_invitation; }) == 1);
}

TEST_CASE("a record that never stops changing ends in a conflict", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  class restless final : public store_in_between {
   public:
    using store_in_between::store_in_between;
    result<void> commit(const change_set&) override { return detail::fail(errc::conflict, "somebody was faster"); }
  };
  restless s(*w.data);
  auto slow = w.another(s);
  CHECK(code_of(slow.retake(at.id, w.recruiter)) == errc::conflict);
}

TEST_CASE("the policy is the track's, else the tenant's, else the engine's", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto with_wait = [](std::string_view version, std::string_view wait) {
    return R"({"hirenow_policy": 1, "version": ")" + std::string(version) +
           R"(", "rules": [{"rule": "wait", "id": "w", "after": [")" + std::string(wait) + R"("]}]})";
  };
  const auto at = bring_to(w, "failed");
  const auto asked = [&] {
    const auto e = w.bench.retake_eligibility(at.id, w.recruiter).value();
    return std::pair(e.policy_version, e.eligible_at);
  };
  w.clock.set(monday + 1h);
  CHECK(asked() == std::pair(std::string("standard-1"), std::optional(monday + days{14})));
  REQUIRE(w.bench.set_policy("", with_wait("tenant", "P20D"), w.admin));
  CHECK(asked() == std::pair(std::string("tenant"), std::optional(monday + days{20})));
  REQUIRE(w.bench.set_policy(w.track, with_wait("track", "P30D"), w.admin));
  CHECK(asked() == std::pair(std::string("track"), std::optional(monday + days{30})));
  REQUIRE(w.bench.set_policy("another track", with_wait("other", "P1D"), w.admin));
  REQUIRE(w.bench.set_policy(w.track, with_wait("of another tenant", "P1D"), w.stranger));
  CHECK(asked() == std::pair(std::string("track"), std::optional(monday + days{30})));
  CHECK(code_of(w.bench.retake(at.id, w.recruiter)) == errc::not_eligible);
  REQUIRE(w.bench.set_policy(w.track, "", w.admin));
  CHECK(asked().first == "tenant");
  REQUIRE(w.bench.set_policy("", "", w.admin));
  CHECK(asked().first == "standard-1");

  CHECK(code_of(w.bench.set_policy("", "{}", w.admin)) == errc::policy_invalid);
  CHECK(code_of(w.bench.set_policy("", std::string(limits::policy + 1, ' '), w.admin)) == errc::too_large);
  CHECK(asked().first == "standard-1");
}

TEST_CASE("a stored policy that is not the one that was set is refused, and none is taken for another", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  struct exchanged final : store_in_between {
    using store_in_between::store_in_between;
    std::optional<stored_policy> shown{};
    result<loaded> load(const load_request& r) override {
      auto data = next_.load(r);
      if (data && shown) data->policy = shown;
      return data;
    }
  } s(*w.data);
  auto bench = w.another(s);
  const std::string strict = R"({"hirenow_policy": 1, "version": "strict", "retake_after": ["void"], "rules": []})";
  const std::string lax = R"({"hirenow_policy": 1, "version": "lax", "retake_after": ["failed"], "rules": []})";
  s.shown = stored_policy{.document = strict, .hash = sha256(strict)};
  CHECK_FALSE(bench.retake_eligibility(at.id, w.recruiter).value().allowed);
  s.shown->document = lax;
  CHECK(code_of(bench.retake_eligibility(at.id, w.recruiter)) == errc::store_corrupt);
  s.shown->hash = sha256(lax);
  CHECK(bench.retake_eligibility(at.id, w.recruiter).value().policy_version == "lax");
}

TEST_CASE("eligibility says what no policy can allow before what the policy says", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  INFO(s.name);
  const auto at = bring_to(w, s);
  const auto e = w.bench.retake_eligibility(at.id, w.recruiter).value();
  using enum interview_state;
  const std::string expected = s.state == failed || s.state == on_hold || s.state == voided ? "ok"
                               : s.state == archived                                        ? "archived"
                               : is_active(s.state)                                         ? "active_interview"
                               : s.state == passed                                          ? "passed"
                               : s.state == expired                                         ? "outcome_not_eligible"
                                                                                            : "status";
  CHECK(e.reason == expected);
  CHECK(e.allowed == (expected == "ok"));
  CHECK_FALSE(describe(e).empty());
}

}  // namespace
