/// Idempotency keys, on every call that changes something.

#include <algorithm>
#include <set>

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

/// What a call answered, as far as the calls have it in common.
struct reply {
  std::optional<errc> refused{};
  bool replayed = false;
  std::optional<interview_id> interview{};
  std::string link{};
  std::optional<hirenow::waiver> waiver{};
};

template <class T>
reply reply_of(const result<T>& r) {
  if (!r) return {.refused = r.error().code};
  reply answer;
  if constexpr (requires { r->replayed; }) answer.replayed = r->replayed;
  if constexpr (requires { r->interview.id; }) answer.interview = r->interview.id;
  if constexpr (requires { r->link.size(); }) answer.link = r->link;
  if constexpr (requires { r->waiver.number; }) answer.waiver = r->waiver;
  return answer;
}
reply reply_of(const result<void>& r) { return r ? reply{} : reply{.refused = r.error().code}; }

/// A call with a key, and the same with another payload.
struct keyed_call {
  std::string_view name;
  std::string_view from;  ///< the situation it needs
  reply (*make)(world&, const attempt_at_hand&, const std::string& key, bool other);
  bool shows_replay = true;
  bool gives_link = false;
};

applicant person_for(const world& w, bool other) {
  applicant p = w.ada;
  p.email = other ? "b@example.org" : "a@example.org";
  return p;
}

/// The mail server refuses the only message for good.
void let_die(world& w, const message_key& key) {
  const lease_token lease{9};
  REQUIRE(w.data->claim({.now = w.clock.now(), .limit = 1, .token = lease}).value().size() == 1);
  const settlement s{
      .key = key, .tenant = acme, .token = lease, .what = settlement::verdict::dead, .at = w.clock.now()};
  REQUIRE(w.data->settle({&s, 1}).value().at(0));
}

/// The number of Ada's waiver. The first time it is proposed.
std::uint64_t waiver_to_approve(world& w) {
  if (w.record().waivers.empty()) {
    w.bench
        .set_policy("", R"({"hirenow_policy": 1, "version": "four-eyes", "rules": [
    {"rule": "wait", "id": "wait", "after": ["P14D"], "second_approver": true}]})",
                    w.admin)
        .value();
    w.bench
        .grant_waiver({.applicant_id = w.ada.id,
                       .track = w.track,
                       .rule_id = "wait",
                       .reason_code = "visa_delay",
                       .expires_at = monday + days{7}},
                      w.admin)
        .value();
  }
  return w.record().waivers.at(0).number;
}

std::string policy_of_version(std::string_view version) {
  return R"({"hirenow_policy": 1, "version": ")" + std::string(version) + R"(", "rules": []})";
}

const std::array keyed_calls{
    keyed_call{"schedule", "cancelled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 auto request = w.terms();
                 request.idempotency_key = key;
                 if (other) request.grace += 1s;
                 return reply_of(w.bench.schedule(request, w.recruiter));
               },
               true, true},
    keyed_call{"retake", "failed",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(
                     w.bench.retake(a.id, w.recruiter, {.reason = other ? "x" : "", .idempotency_key = key}));
               },
               true, true},
    keyed_call{"reissue", "scheduled",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(
                     w.bench.reissue(a.id, w.recruiter, {.link_lifetime = other ? 1h : 2h, .idempotency_key = key}));
               },
               true, true},
    keyed_call{"request_link", "archived",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 // Another payload is another token: that of a link of the successor that was replaced.
                 if (!other) return reply_of(w.bench.request_link(a.token, key));
                 const auto successor = w.stored(*a.successor);
                 const auto token = token_in(w.bench.link_of(acme, w.ada.id, successor).value());
                 if (successor.link.generation == 1)
                   w.bench.reissue(*a.successor, w.recruiter, {.notify = notify::none()}).value();
                 return reply_of(w.bench.request_link(token, key));
               }},
    keyed_call{"submit", "in_progress",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(w.bench.submit(a.open, {.progress = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"withdraw", "scheduled",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(w.bench.withdraw(a.token, {.reason = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"decide", "submitted",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(
                     w.bench.decide(a.id, w.reviewer,
                                    {.outcome = outcome::on_hold, .score = other ? 1.0 : 2.0, .idempotency_key = key}));
               }},
    keyed_call{"reopen", "failed",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(w.bench.reopen(a.id, w.admin, {.reason = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"void", "submitted",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(w.bench.void_attempt(a.id, w.reviewer,
                                                      {.reason_code = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"accommodate", "in_progress",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(w.bench.accommodate(
                     a.id, w.recruiter,
                     {.pause = other ? 6min : 5min, .reason_code = "power_cut", .idempotency_key = key}));
               }},
    keyed_call{"cancel", "scheduled",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 return reply_of(
                     w.bench.cancel(a.id, w.recruiter, {.reason = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"update_applicant", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 return reply_of(w.bench.update_applicant(person_for(w, other), w.recruiter, key));
               }},
    keyed_call{"record_fact", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 return reply_of(w.bench.record_fact(
                     w.ada.id, {.name = "course", .at = monday, .value = other ? "x" : "y"}, w.recruiter, key));
               }},
    keyed_call{"grant_waiver", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 return reply_of(w.bench.grant_waiver({.applicant_id = w.ada.id,
                                                       .track = w.track,
                                                       .rule_id = "wait-14-days",
                                                       .reason_code = other ? "x" : "y",
                                                       .expires_at = monday + days{7},
                                                       .idempotency_key = key},
                                                      w.admin));
               }},
    keyed_call{"approve_waiver", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 const auto number = waiver_to_approve(w);
                 return reply_of(w.bench.approve_waiver(w.ada.id, number, {"bert", acme, role::admin},
                                                        {.reason = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"revoke_waiver", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 const auto number = waiver_to_approve(w);
                 return reply_of(w.bench.revoke_waiver(w.ada.id, number, w.admin,
                                                       {.reason = other ? "x" : "y", .idempotency_key = key}));
               }},
    keyed_call{"set_policy", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 return reply_of(w.bench.set_policy(other ? w.track : "", policy_of_version("new"), w.admin,
                                                    {.idempotency_key = key}));
               },
               false},
    keyed_call{"redrive", "scheduled",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 auto message = w.messages(a.id).at(0).key;
                 if (w.messages(a.id)[0].state == message_state::queued && !w.record().facts.empty())
                   return reply_of(
                       w.bench.redrive(other ? message_key{a.id, message_kind::reminder, 1} : message, w.admin, key));
                 // The first time: let it die first, and remember by a fact that it did.
                 let_die(w, message);
                 w.bench.record_fact(w.ada.id, {.name = "died", .at = monday}, w.recruiter).value();
                 return reply_of(w.bench.redrive(message, w.admin, key));
               },
               false},
    keyed_call{"drop", "scheduled",
               [](world& w, const attempt_at_hand& a, const std::string& key, bool other) {
                 const auto message = w.messages(a.id).at(0);
                 if (message.state == message_state::queued) let_die(w, message.key);  // the first time
                 return reply_of(
                     w.bench.drop(other ? message_key{a.id, message_kind::reminder, 1} : message.key, w.admin, key));
               },
               false},
    keyed_call{"erase_applicant", "scheduled",
               [](world& w, const attempt_at_hand&, const std::string& key, bool other) {
                 return reply_of(w.bench.erase_applicant(other ? "app-2" : w.ada.id, w.admin, key));
               },
               false},
};

TEST_CASE("every call that takes a key is tried here", "[engine]") {
  using enum use_case;
  const std::set<use_case> reading{inspect,       retake_eligibility, permitted_actions, list,
                                   history,       read_progress,      read_audit,        verify_audit,
                                   read_messages, read_waivers,       read_policies,     what_if};
  const std::set<use_case> harmless_to_repeat{start, resume, checkpoint};
  const std::set<use_case> of_the_engine{sweep, dispatch};
  for (const auto& row : default_permissions) {
    INFO(row.word);
    const bool tried =
        std::any_of(keyed_calls.begin(), keyed_calls.end(), [&](const keyed_call& c) { return c.name == row.word; });
    CHECK(tried ==
          !(reading.contains(row.what) || harmless_to_repeat.contains(row.what) || of_the_engine.contains(row.what)));
  }
}

TEST_CASE("a repetition that comes late does not bring back a policy that was replaced", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto set = [&](std::string_view version, const std::string& key) {
    return w.bench.set_policy("", policy_of_version(version), w.admin, {.idempotency_key = key});
  };
  const auto in_force = [&] { return w.bench.policies("", w.recruiter).value().front().document; };
  REQUIRE(set("old", "first"));
  w.clock.advance(1s);
  REQUIRE(set("new", ""));
  w.clock.advance(1s);
  REQUIRE(set("old", "first"));
  CHECK(in_force() == policy_of_version("new"));
  CHECK(code_of(set("another", "first")) == errc::idempotency_mismatch);
  CHECK(w.bench.policies("", w.recruiter)->size() == 2);
  REQUIRE(set("old", "second"));
  CHECK(in_force() == policy_of_version("old"));
}

TEST_CASE("the same key and request give the same answer, another request is refused, on every changing call",
          "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto c = GENERATE(from_range(keyed_calls));
  INFO(c.name);
  const auto at = bring_to(w, c.from);
  const auto first = c.make(w, at, "key", false);
  REQUIRE_FALSE(first.refused);
  CHECK_FALSE(first.replayed);
  CHECK(first.link.empty() != c.gives_link);

  w.clock.advance(1min);
  const auto before = w.dump();
  const auto again = c.make(w, at, "key", false);
  REQUIRE_FALSE(again.refused);
  CHECK(again.replayed == c.shows_replay);
  CHECK(again.interview == first.interview);
  CHECK(again.link == first.link);
  CHECK(again.waiver == first.waiver);
  CHECK(w.dump() == before);

  CHECK(c.make(w, at, "key", true).refused == errc::idempotency_mismatch);
}

TEST_CASE("a refused call stores nothing and may be repeated with its key", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  w.clock.set(monday + 1h);
  CHECK(code_of(w.bench.retake(at.id, w.recruiter, {.reason = "first", .idempotency_key = "click"})) ==
        errc::not_eligible);
  w.clock.set(monday + days{14});
  // Even with another payload: nothing was stored.
  const auto done = w.bench.retake(at.id, w.recruiter, {.reason = "second", .idempotency_key = "click"}).value();
  CHECK_FALSE(done.replayed);
}

TEST_CASE("keys are scoped by tenant and by operation", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.idempotency_key = "k";
  const auto ours = w.bench.schedule(request, w.recruiter).value();
  const auto theirs = w.bench.schedule(request, w.stranger).value();
  CHECK_FALSE(theirs.replayed);
  CHECK(theirs.interview.id != ours.interview.id);
  const auto reissued = w.bench.reissue(ours.interview.id, w.recruiter, {.idempotency_key = "k"}).value();
  CHECK_FALSE(reissued.replayed);
  CHECK_FALSE(w.bench.cancel(ours.interview.id, w.recruiter, {.idempotency_key = "k"}).value().replayed);
  CHECK(w.bench.schedule(request, w.recruiter).value().interview.id == ours.interview.id);
}

TEST_CASE("a key is not for another person's record either", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.idempotency_key = "k";
  w.bench.schedule(request, w.recruiter).value();
  request.applicant.id = "app-2";
  CHECK(code_of(w.bench.schedule(request, w.recruiter)) == errc::idempotency_mismatch);
}

TEST_CASE("a replay gives the link while that generation is current, and none afterwards", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.idempotency_key = "k";
  const auto first = w.bench.schedule(request, w.recruiter).value();
  const auto replay = [&] { return w.bench.schedule(request, w.recruiter).value(); };
  SECTION("started, it is still the link to resume with") {
    w.bench.start(token_in(first.link), key_one).value();
    CHECK(replay().link == first.link);
    CHECK(replay().interview.state == interview_state::in_progress);
  }
  SECTION("reissued") {
    w.bench.reissue(first.interview.id, w.recruiter).value();
    CHECK(replay().link.empty());
    CHECK(replay().interview.link.generation == 2);
  }
  SECTION("cancelled") {
    w.bench.cancel(first.interview.id, w.recruiter).value();
    CHECK(replay().link.empty());
    CHECK(replay().interview.state == interview_state::cancelled);
  }
  SECTION("expired, though nobody has swept") {
    w.clock.advance(72h);
    CHECK(replay().link.empty());
    CHECK(replay().interview.state == interview_state::expired);
  }
  SECTION("its key retired") {
    const auto document = new_key_document(key_algorithm::hs256, "k2");
    REQUIRE(w.keys.reload(document));
    CHECK(replay().link.empty());
    CHECK(replay().interview.id == first.interview.id);
  }
}

TEST_CASE("no stored answer holds a token", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  /// Remembers what was stored.
  class listening final : public store_in_between {
   public:
    using store_in_between::store_in_between;
    result<void> commit(const change_set& c) override {
      if (c.answer) stored.push_back(c.answer->answer);
      return next_.commit(c);
    }
    std::vector<std::string> stored{};
  };
  listening s(*w.data);
  auto bench = w.another(s);
  auto request = w.terms();
  request.idempotency_key = "k";
  const auto first = bench.schedule(request, w.recruiter).value();
  const auto fresh = bench.reissue(first.interview.id, w.recruiter, {.idempotency_key = "k"}).value();
  REQUIRE(s.stored.size() == 2);
  for (const auto& text : s.stored)
    for (const auto& link : {first.link, fresh.link}) {
      const auto token = token_in(link);
      CHECK(text.find(token) == std::string::npos);
      CHECK(text.find(token.substr(token.rfind('.') + 1)) == std::string::npos);
    }
}

TEST_CASE("a key is forgotten after its retention, pruned or not", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::standard(), engine_options{.answer_retention = 24h});
  const bool pruned = GENERATE(false, true);
  const auto id = w.schedule().interview.id;
  const auto first = w.bench.reissue(id, w.recruiter, {.link_lifetime = 40h, .idempotency_key = "k"}).value();
  w.clock.set(monday + 24h - 1s);
  CHECK(w.bench.reissue(id, w.recruiter, {.link_lifetime = 40h, .idempotency_key = "k"}).value().replayed);
  CHECK(code_of(w.bench.reissue(id, w.recruiter, {.link_lifetime = 50h, .idempotency_key = "k"})) ==
        errc::idempotency_mismatch);
  w.clock.advance(1s);
  if (pruned) w.bench.sweep().value();
  const auto later = w.bench.reissue(id, w.recruiter, {.link_lifetime = 50h, .idempotency_key = "k"}).value();
  CHECK_FALSE(later.replayed);
  CHECK(later.interview.link.generation == first.interview.link.generation + 1);
  CHECK(w.bench.reissue(id, w.recruiter, {.link_lifetime = 50h, .idempotency_key = "k"}).value().replayed);
}

TEST_CASE("a replay is for those who may make the call", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  w.bench.retake(at.id, w.recruiter, {.idempotency_key = "k"}).value();
  CHECK(code_of(w.bench.retake(at.id, w.reviewer, {.idempotency_key = "k"})) == errc::permission_denied);
}

}  // namespace
