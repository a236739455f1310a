/// Every event from every state, through the engine: what happens, and what the refusal is called. The table of answers
/// is written down here from the lifecycle's prose, not taken from the transition table.

#include <map>

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

struct call {
  std::string_view name;
  std::optional<error> (*make)(world&, const attempt_at_hand&);
};

constexpr std::array calls{
    call{"start", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.start(a.token, key_two)); }},
    call{"resume", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.resume(a.token, key_two)); }},
    call{"checkpoint", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.checkpoint(a.open, "x")); }},
    call{"submit", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.submit(a.open)); }},
    call{"withdraw", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.withdraw(a.token)); }},
    call{"request_link", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.request_link(a.token)); }},
    call{"reissue", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.reissue(a.id, w.admin)); }},
    call{"cancel", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.cancel(a.id, w.admin)); }},
    call{"pass",
         [](world& w, const attempt_at_hand& a) {
           return refusal_of(w.bench.decide(a.id, w.admin, {.outcome = outcome::passed}));
         }},
    call{"fail",
         [](world& w, const attempt_at_hand& a) {
           return refusal_of(w.bench.decide(a.id, w.admin, {.outcome = outcome::failed}));
         }},
    call{"hold",
         [](world& w, const attempt_at_hand& a) {
           return refusal_of(w.bench.decide(a.id, w.admin, {.outcome = outcome::on_hold}));
         }},
    call{"reopen",
         [](world& w, const attempt_at_hand& a) {
           return refusal_of(w.bench.reopen(a.id, w.admin, {.reason = "a mistake"}));
         }},
    call{"void",
         [](world& w, const attempt_at_hand& a) {
           return refusal_of(w.bench.void_attempt(a.id, w.admin, {.reason_code = "power_cut"}));
         }},
    call{"accommodate",
         [](world& w, const attempt_at_hand& a) {
           return refusal_of(w.bench.accommodate(a.id, w.admin, {.percent = 150, .reason_code = "extra_time"}));
         }},
    call{"retake", [](world& w, const attempt_at_hand& a) { return refusal_of(w.bench.retake(a.id, w.admin)); }},
};

/// The state after a call that succeeds.
const std::map<std::pair<std::string_view, std::string_view>, interview_state> succeeds{
    {{"scheduled", "start"}, interview_state::in_progress},
    {{"scheduled", "withdraw"}, interview_state::cancelled},
    {{"scheduled", "reissue"}, interview_state::scheduled},
    {{"scheduled", "accommodate"}, interview_state::scheduled},
    {{"scheduled", "cancel"}, interview_state::cancelled},
    {{"in_progress", "resume"}, interview_state::in_progress},
    {{"in_progress", "checkpoint"}, interview_state::in_progress},
    {{"in_progress", "submit"}, interview_state::submitted},
    {{"in_progress", "withdraw"}, interview_state::cancelled},
    {{"in_progress", "reissue"}, interview_state::in_progress},
    {{"in_progress", "accommodate"}, interview_state::in_progress},
    {{"in_progress", "cancel"}, interview_state::cancelled},
    {{"in_progress", "void"}, interview_state::voided},
    {{"submitted", "pass"}, interview_state::passed},
    {{"submitted", "fail"}, interview_state::failed},
    {{"submitted", "hold"}, interview_state::on_hold},
    {{"submitted", "void"}, interview_state::voided},
    {{"passed", "reopen"}, interview_state::on_hold},
    {{"failed", "reopen"}, interview_state::on_hold},
    {{"failed", "void"}, interview_state::voided},
    {{"failed", "retake"}, interview_state::archived},
    {{"on_hold", "pass"}, interview_state::passed},
    {{"on_hold", "fail"}, interview_state::failed},
    {{"on_hold", "hold"}, interview_state::on_hold},
    {{"on_hold", "void"}, interview_state::voided},
    {{"on_hold", "retake"}, interview_state::archived},
    {{"expired, never started", "reissue"}, interview_state::scheduled},
    {{"expired, never started", "request_link"}, interview_state::expired},
    {{"expired, never started", "void"}, interview_state::voided},
    {{"expired after its start", "request_link"}, interview_state::expired},
    {{"expired after its start", "void"}, interview_state::voided},
    {{"voided", "retake"}, interview_state::archived},
    {{"archived", "request_link"}, interview_state::archived},
};

/// What a link is worth to one who wants to sit, by situation; nothing where it works.
std::optional<errc> verdict_in(const situation& s) {
  switch (s.state) {
    case interview_state::scheduled:
    case interview_state::in_progress: return std::nullopt;
    case interview_state::expired: return errc::token_expired;
    case interview_state::cancelled: return errc::token_cancelled;
    case interview_state::archived: return errc::token_superseded_interview;
    default: return errc::token_completed;
  }
}

errc expected_refusal(const situation& s, std::string_view call) {
  using enum interview_state;
  if (call == "start" || call == "resume" || call == "withdraw" || call == "request_link") {
    if (const auto v = verdict_in(s)) return *v;
    if (call == "start") return errc::already_started;
    return errc::invalid_transition;
  }
  if (call == "checkpoint" || call == "submit") {
    if (!s.started) return errc::stale_session;
    if (s.state == expired) return errc::deadline_passed;
    if (s.state == archived && call == "submit") return errc::archived;
    return errc::invalid_transition;
  }
  if (call == "retake") {
    if (s.state == archived) return errc::superseded;
    if (s.state == passed || s.state == expired) return errc::not_eligible;
    return errc::invalid_transition;
  }
  return s.state == archived ? errc::archived : errc::invalid_transition;
}

TEST_CASE("every call from every state does what the lifecycle says, or names why not and changes nothing",
          "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  const auto c = GENERATE(from_range(calls));
  INFO(s.name << " × " << c.name);
  const auto at = bring_to(w, s);
  const auto before = w.dump();
  const auto got = c.make(w, at);
  const auto expected = succeeds.find({s.name, c.name});
  if (expected != succeeds.end()) {
    INFO((got ? got->message : ""));
    REQUIRE_FALSE(got);
    CHECK(w.stored(at.id).state == expected->second);
    // A request for a link is noted on the interview that took over.
    const auto subject = c.name == "request_link" ? at.successor.value_or(at.id) : at.id;
    std::vector<audit_entry> of_this;
    for (const auto& e : w.audit())
      if (e.interview == subject && e.to) of_this.push_back(e);
    if (c.name != "checkpoint") {
      CHECK(of_this.back().event == c.name);
      CHECK(of_this.back().to == w.stored(subject).state);
    }
    CHECK(w.bench.verify_audit(w.ada.id, w.admin));
  } else {
    REQUIRE(got);
    CHECK(got->code == expected_refusal(s, c.name));
    if (got->code == errc::invalid_transition && c.name != "checkpoint") {
      CHECK(got->message.find(c.name) != std::string::npos);
      if (c.name != "request_link") CHECK(got->message.find(to_string(s.state)) != std::string::npos);
    }
    if (got->code == errc::superseded) CHECK(got->superseded_by == to_string(*at.successor));
    CHECK(w.dump() == before);
  }
}

TEST_CASE("an archived interview is never changed, whatever is tried", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "archived");
  const auto archived = w.stored(at.id);
  CHECK(archived.outcome == outcome::failed);
  for (const auto& c : calls) c.make(w, at);
  w.clock.advance(days{400});
  w.bench.sweep().value();
  for (const auto& c : calls) c.make(w, at);
  CHECK(w.stored(at.id) == archived);
}

TEST_CASE("permitted_actions agree with what the calls then do, for every state and role", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  const auto r = GENERATE(role::recruiter, role::reviewer, role::admin);
  const bool erased = GENERATE(false, true);
  INFO(s.name << " × " << to_string(r) << (erased ? ", erased" : ""));
  const actor who{"someone", acme, r};

  const auto perform = [&](world& x, const interview_id& id, event on) -> std::optional<error> {
    switch (on) {
      case event::reissue: return refusal_of(x.bench.reissue(id, who));
      case event::accommodate:
        return refusal_of(x.bench.accommodate(id, who, {.percent = 200, .reason_code = "extra_time"}));
      case event::cancel: return refusal_of(x.bench.cancel(id, who));
      case event::pass: return refusal_of(x.bench.decide(id, who, {.outcome = outcome::passed}));
      case event::fail: return refusal_of(x.bench.decide(id, who, {.outcome = outcome::failed}));
      case event::hold: return refusal_of(x.bench.decide(id, who, {.outcome = outcome::on_hold}));
      case event::reopen: return refusal_of(x.bench.reopen(id, who, {.reason = "why"}));
      case event::void_attempt: return refusal_of(x.bench.void_attempt(id, who, {.reason_code = "c"}));
      case event::retake: return refusal_of(x.bench.retake(id, who));
      default: FAIL("not an event of the staff: " << to_string(on)); return std::nullopt;
    }
  };

  // A fresh world for each action, since an action that succeeds changes what is permitted.
  const auto at = bring_to(w, s);
  if (erased) w.bench.erase_applicant(w.ada.id, w.admin).value();
  const auto actions = w.bench.permitted_actions(at.id, who).value();
  CHECK(actions.size() == 9);
  for (const auto& action : actions) {
    INFO(to_string(action.event));
    CHECK(action.allowed == !action.why);
    world other(store_kind_);
    const auto there = bring_to(other, s);
    if (erased) other.bench.erase_applicant(other.ada.id, other.admin).value();
    const auto got = perform(other, there.id, action.event);
    CHECK(action.allowed == !got);
    if (action.why && got) {
      CHECK(action.why->code == got->code);
      CHECK(action.why->reason == got->reason);
      CHECK(action.why->eligible_at == got->eligible_at);
      CHECK(action.why->superseded_by.empty() == got->superseded_by.empty());
    }
  }
}

TEST_CASE("a refusal leaves even what the clock did to the sweep", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "expired, never started");
  const auto before = w.dump();
  CHECK(w.stored(at.id).state == interview_state::scheduled);
  CHECK(code_of(w.bench.cancel(at.id, w.recruiter)) == errc::invalid_transition);
  CHECK(code_of(w.bench.start(at.token, key_one)) == errc::token_expired);
  CHECK(code_of(w.bench.retake(at.id, w.recruiter)) == errc::not_eligible);
  CHECK(w.dump() == before);
}

TEST_CASE("a call first lets the clock do what is due, on every track, each at its own limit", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  std::vector<attempt_at_hand> all;
  // Limits in another order than the schedules: 30 h, 10 h after a start with overtime submit, 20 h.
  auto request = w.terms();
  request.link_lifetime = 30h;
  all.push_back(bring_to(w, situation_of("scheduled"), request));
  request.track = "second";
  request.time_limit = 10h - 5min;
  request.overtime = overtime::submit;
  all.push_back(bring_to(w, situation_of("in_progress"), request));
  request.track = "third";
  request.link_lifetime = 20h;
  all.push_back(bring_to(w, situation_of("scheduled"), request));
  REQUIRE(w.bench.checkpoint(all[1].open, "what there was"));

  w.clock.advance(100h);
  const auto entries_before = w.audit().size();
  const auto expected_version = w.record().version + 1;
  request.track = "fourth";
  REQUIRE(w.bench.schedule(request, w.recruiter));

  const auto record = w.record();
  CHECK(record.version == expected_version);
  const auto audit = w.audit();
  REQUIRE(audit.size() == entries_before + 4);
  const auto entry = [&](std::size_t n) { return audit[entries_before + n]; };
  CHECK(entry(0).at == monday + 10h);
  CHECK(entry(0).event == "submit");
  CHECK(entry(0).actor == "system");
  CHECK(entry(1).at == monday + 20h);
  CHECK(entry(1).event == "expire");
  CHECK(entry(2).at == monday + 30h);
  CHECK(entry(3).at == monday + 100h);
  CHECK(entry(3).event == "schedule");

  const auto submitted = w.stored(all[1].id);
  CHECK(submitted.state == interview_state::submitted);
  CHECK(submitted.submitted_at == monday + 10h);
  CHECK_FALSE(submitted.sitting.open);
  CHECK(w.bench.read_progress(all[1].id, w.reviewer).value()->bytes == "what there was");
  CHECK(w.stored(all[0].id).changed_at == monday + 30h);
  CHECK(w.stored(all[0].id).outcome == outcome::no_show);
  for (const auto& a : all) CHECK(w.unsent(a.id).empty());
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("where the clock steps back, the record's last instant is now", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  w.clock.advance(2h);
  w.bench.decide(at.id, w.reviewer, {.outcome = outcome::on_hold}).value();
  w.clock.set(monday - 48h);
  const auto decided = w.bench.decide(at.id, w.reviewer, {.outcome = outcome::failed}).value().interview;
  CHECK(decided.decided_at == monday + 2h);
  auto request = w.terms();
  request.track = "second";
  const auto second = w.bench.schedule(request, w.recruiter).value();
  CHECK(second.interview.created_at == monday + 2h);
  CHECK(second.interview.start_by == monday + 2h + 72h);
  CHECK(w.bench.start(token_in(second.link), key_one).value().interview.started_at == monday + 2h);
  CHECK(w.record().last_instant == monday + 2h);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

}  // namespace
