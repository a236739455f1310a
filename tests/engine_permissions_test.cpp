/// Who may ask what: every use case for every role, a table of the host's own, and other tenants.

#include "support/recording_mailer.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

/// Every call of the staff, on whatever stands there. What it answers beside permission is not the matter here.
struct staff_call {
  use_case what;
  std::optional<error> (*make)(engine&, const attempt_at_hand&, const actor&);
};

const std::array staff_calls{
    staff_call{use_case::schedule,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.schedule(
                     {.applicant = {.id = "app-1", .email = "x@example.org"}, .track = "backend/technical"}, who));
               }},
    staff_call{use_case::decide, [](engine& e, const attempt_at_hand& a,
                                    const actor& who) { return refusal_of(e.decide(a.id, who, {})); }},
    staff_call{use_case::reopen, [](engine& e, const attempt_at_hand& a,
                                    const actor& who) { return refusal_of(e.reopen(a.id, who, {.reason = "r"})); }},
    staff_call{use_case::void_attempt,
               [](engine& e, const attempt_at_hand& a, const actor& who) {
                 return refusal_of(e.void_attempt(a.id, who, {.reason_code = "r"}));
               }},
    staff_call{use_case::retake_eligibility,
               [](engine& e, const attempt_at_hand& a, const actor& who) {
                 return refusal_of(e.retake_eligibility(a.id, who));
               }},
    staff_call{use_case::retake,
               [](engine& e, const attempt_at_hand& a, const actor& who) { return refusal_of(e.retake(a.id, who)); }},
    staff_call{use_case::reissue,
               [](engine& e, const attempt_at_hand& a, const actor& who) { return refusal_of(e.reissue(a.id, who)); }},
    staff_call{use_case::cancel,
               [](engine& e, const attempt_at_hand& a, const actor& who) { return refusal_of(e.cancel(a.id, who)); }},
    staff_call{use_case::accommodate,
               [](engine& e, const attempt_at_hand& a, const actor& who) {
                 return refusal_of(e.accommodate(a.id, who, {.pause = 60s, .reason_code = "power_cut"}));
               }},
    staff_call{use_case::update_applicant,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.update_applicant({.id = "app-1", .email = "x@example.org"}, who));
               }},
    staff_call{use_case::record_fact,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.record_fact("app-1", {.name = "n", .at = monday}, who));
               }},
    staff_call{use_case::permitted_actions,
               [](engine& e, const attempt_at_hand& a, const actor& who) {
                 return refusal_of(e.permitted_actions(a.id, who));
               }},
    staff_call{use_case::list,
               [](engine& e, const attempt_at_hand& a, const actor& who) { return refusal_of(e.find(a.id, who)); }},
    staff_call{use_case::history,
               [](engine& e, const attempt_at_hand& a, const actor& who) { return refusal_of(e.history(a.id, who)); }},
    staff_call{use_case::read_progress, [](engine& e, const attempt_at_hand& a,
                                           const actor& who) { return refusal_of(e.read_progress(a.id, who)); }},
    staff_call{use_case::read_audit, [](engine& e, const attempt_at_hand&,
                                        const actor& who) { return refusal_of(e.read_audit("app-1", who)); }},
    staff_call{use_case::verify_audit, [](engine& e, const attempt_at_hand&,
                                          const actor& who) { return refusal_of(e.verify_audit("app-1", who)); }},
    staff_call{use_case::grant_waiver,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.grant_waiver({.applicant_id = "app-1",
                                                   .track = "backend/technical",
                                                   .rule_id = "wait-14-days",
                                                   .reason_code = "r",
                                                   .expires_at = monday + days{30}},
                                                  who));
               }},
    staff_call{use_case::approve_waiver,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.approve_waiver("app-1", 1, who));
               }},
    staff_call{use_case::revoke_waiver, [](engine& e, const attempt_at_hand&,
                                           const actor& who) { return refusal_of(e.revoke_waiver("app-1", 1, who)); }},
    staff_call{use_case::read_waivers,
               [](engine& e, const attempt_at_hand&, const actor& who) { return refusal_of(e.waivers("app-1", who)); }},
    staff_call{use_case::redrive,
               [](engine& e, const attempt_at_hand& a, const actor& who) {
                 return refusal_of(e.redrive({a.id, message_kind::invitation, 1}, who));
               }},
    staff_call{use_case::drop,
               [](engine& e, const attempt_at_hand& a, const actor& who) {
                 return refusal_of(e.drop({a.id, message_kind::invitation, 1}, who));
               }},
    staff_call{use_case::erase_applicant, [](engine& e, const attempt_at_hand&,
                                             const actor& who) { return refusal_of(e.erase_applicant("app-1", who)); }},
};

/// Calls of the staff that name no interview and no person.
const std::array tenant_calls{
    staff_call{use_case::set_policy, [](engine& e, const attempt_at_hand&,
                                        const actor& who) { return refusal_of(e.set_policy("", "", who)); }},
    staff_call{use_case::read_policies,
               [](engine& e, const attempt_at_hand&, const actor& who) { return refusal_of(e.policies("", who)); }},
    staff_call{use_case::what_if,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.what_if({.document = retake_policy::standard().document()}, who));
               }},
    staff_call{use_case::list,
               [](engine& e, const attempt_at_hand&, const actor& who) { return refusal_of(e.list({}, who)); }},
    staff_call{use_case::read_messages, [](engine& e, const attempt_at_hand&,
                                           const actor& who) { return refusal_of(e.read_messages({}, who)); }},
    staff_call{use_case::verify_audit,
               [](engine& e, const attempt_at_hand&, const actor& who) { return refusal_of(e.audit_checkpoint(who)); }},
    staff_call{use_case::verify_audit,
               [](engine& e, const attempt_at_hand&, const actor& who) {
                 return refusal_of(e.verify_audit_checkpoint("{}", who));
               }},
};

std::vector<staff_call> all_staff_calls() {
  std::vector<staff_call> all(staff_calls.begin(), staff_calls.end());
  all.insert(all.end(), tenant_calls.begin(), tenant_calls.end());
  return all;
}

bool is_denied(const std::optional<error>& a) { return a && a->code == errc::permission_denied; }

TEST_CASE("every use case that the staff may ask for is tried here", "[engine]") {
  for (const auto& row : default_permissions) {
    INFO(row.word);
    bool tried = false;
    for (const auto& c : all_staff_calls()) tried = tried || c.what == row.what;
    CHECK(tried == !row.staff.empty());
  }
}

TEST_CASE("each role may do what its row says and nothing else", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  const auto before = w.dump();
  for (const auto& c : all_staff_calls())
    for (const auto roles : {role_set{}, role_set{role::recruiter}, role_set{role::reviewer}, role_set{role::admin},
                             role::recruiter | role::reviewer}) {
      INFO(to_string(c.what));
      const bool may = default_permissions[static_cast<std::size_t>(c.what)].staff.meets(roles);
      if (may) continue;  // done below, each in a world of its own
      const auto got = c.make(w.bench, at, {"someone", acme, roles});
      REQUIRE(got);
      CHECK(got->code == errc::permission_denied);
      CHECK(got->message.find(to_string(c.what)) != std::string::npos);
    }
  CHECK(w.dump() == before);
  for (const auto& c : all_staff_calls())
    for (const auto r : all_roles) {
      if (!default_permissions[static_cast<std::size_t>(c.what)].staff.has(r)) continue;
      INFO(to_string(c.what) << " as " << to_string(r));
      world other(stores().front());
      CHECK_FALSE(is_denied(c.make(other.bench, bring_to(other, "submitted"), {"someone", acme, r})));
    }
}

TEST_CASE("an actor cannot claim to be the engine or an applicant", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  for (const auto* name : {"system", "applicant"}) {
    CHECK(is_denied(refusal_of(w.bench.decide(at.id, {name, acme, {}}, {}))));
    w.bench.decide(at.id, {name, acme, role::reviewer}, {.outcome = outcome::on_hold}).value();
    CHECK(w.audit().back().actor == "staff:" + std::string(name));
  }
}

TEST_CASE("a table of the host's own is the one that counts", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  engine_options options;
  const auto row = [&](use_case what) -> permission& { return options.permissions[static_cast<std::size_t>(what)]; };

  SECTION("it takes rights away and gives others") {
    row(use_case::decide).staff = role::recruiter;
    auto bench = w.another(*w.data, options);
    CHECK(is_denied(refusal_of(bench.decide(at.id, w.reviewer, {}))));
    CHECK(is_denied(refusal_of(bench.decide(at.id, w.admin, {}))));
    for (const auto& action : bench.permitted_actions(at.id, w.recruiter).value())
      if (action.what == use_case::decide) CHECK(action.allowed);
    for (const auto& action : bench.permitted_actions(at.id, w.admin).value())
      if (action.what == use_case::decide) CHECK_FALSE(action.allowed);
    CHECK(bench.decide(at.id, w.recruiter, {}));
  }
  SECTION("it closes what links may do") {
    auto request = w.terms();
    request.track = "other";
    const auto token = token_in(w.bench.schedule(request, w.recruiter).value().link);
    for (const auto what : {use_case::inspect, use_case::start, use_case::resume, use_case::checkpoint,
                            use_case::submit, use_case::withdraw, use_case::request_link})
      row(what).token = false;
    auto bench = w.another(*w.data, options);
    const session open{acme, at.id, 1, key_one};
    CHECK(is_denied(refusal_of(bench.inspect(token))));
    CHECK(is_denied(refusal_of(bench.start(token, key_one))));
    CHECK(is_denied(refusal_of(bench.resume(token, key_one))));
    CHECK(is_denied(refusal_of(bench.checkpoint(open, "x"))));
    CHECK(is_denied(refusal_of(bench.submit(open))));
    CHECK(is_denied(refusal_of(bench.withdraw(token))));
    CHECK(is_denied(refusal_of(bench.request_link(token))));
  }
  SECTION("it closes the sweep") {
    row(use_case::sweep).system = false;
    auto bench = w.another(*w.data, options);
    CHECK(is_denied(refusal_of(bench.sweep())));
  }
  SECTION("it closes the dispatcher") {
    row(use_case::dispatch).system = false;
    auto bench = w.another(*w.data, options);
    recording_mailer box;
    dispatcher_options sends;
    sends.sender = {"jobs@acme.example", "Acme"};
    CHECK_THROWS_AS(dispatcher(bench, box, sends), exception);
  }
  SECTION("it cannot take overtime's submission from the clock") {
    row(use_case::submit).system = false;
    CHECK_THROWS_AS(w.another(*w.data, options), exception);
  }
  SECTION("who may schedule but not update changes no person by scheduling") {
    row(use_case::update_applicant).staff = role::admin;
    auto bench = w.another(*w.data, options);
    auto request = w.terms();
    request.track = "other";
    request.applicant.email = "elsewhere@example.org";
    CHECK(is_denied(refusal_of(bench.schedule(request, w.recruiter))));
    CHECK(w.record().person == w.ada);
    request.applicant = w.ada;
    CHECK(bench.schedule(request, w.recruiter));
  }
  SECTION("its rows stand in the order of the use cases") {
    std::swap(options.permissions[3], options.permissions[4]);
    CHECK_THROWS_AS(w.another(*w.data, options), exception);
  }
}

TEST_CASE("nothing of one tenant is found by another, whatever the role", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  INFO(s.name);
  const auto at = bring_to(w, s);
  const auto before = w.dump();
  const auto page = w.bench.list({}, w.admin).value();
  for (const auto& c : staff_calls) {
    if (c.what == use_case::schedule) continue;  // makes a record of its own, below
    INFO(to_string(c.what));
    const auto got = c.make(w.bench, at, w.stranger);
    REQUIRE(got);
    CHECK(got->code == errc::not_found);
  }
  CHECK(w.bench.list({}, w.stranger).value().rows.empty());
  CHECK(w.bench.list({.applicant_id = w.ada.id}, w.stranger).value().rows.empty());
  CHECK(w.bench.read_messages({.tenant = acme, .interview = at.id}, w.stranger).value().empty());
  if (!page.next.empty()) CHECK(w.bench.list({.cursor = page.next}, w.stranger).value().rows.empty());

  // The same applicant id at another tenant is another person.
  const auto theirs = w.bench.schedule(w.terms(), w.stranger).value();
  CHECK(theirs.interview.attempt == 1);
  CHECK(w.dump() == before);
  CHECK(w.bench.erase_applicant(w.ada.id, w.stranger));
  CHECK(w.dump() == before);
}

}  // namespace
