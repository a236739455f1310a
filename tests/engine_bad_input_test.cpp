/// Bad input to every public call: a named error, nothing changed, nothing lost.

#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <regex>
#include <set>
#include <string>

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

struct bad_text {
  std::string_view name;
  std::string text;
  bool empty = false;
};

/// Texts that no id may be.
std::vector<bad_text> bad_ids() {
  return {{"empty", "", true},
          {"one byte too long", std::string(256, 'a')},
          {"two bytes a letter, too long",
           [] {
             std::string s;
             for (int n = 0; n < 128; ++n) s += "é";
             return s;
           }()},
          {"huge", std::string(1 << 20, 'x')},
          {"a lone continuation byte", "\x80"},
          {"overlong", "\xc0\xaf"},
          {"a surrogate", "\xed\xa0\x80"},
          {"cut off", "abc\xe2\x82"},
          {"beyond Unicode", "\xf4\x90\x80\x80"},
          {"a NUL", std::string("a\0b", 3)},
          {"a line break", "a\r\nb"}};
}

void expect_refusal(errc got) { CHECK((got == errc::invalid_argument || got == errc::too_large)); }

TEST_CASE("no id that is none gets past any call", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  const auto submitted = w.stored(at.id);
  const std::string document = retake_policy::standard().document();
  const waiver_request asked{w.ada.id, w.track, "wait-14-days", "r", w.clock.now() + days{1}};
  const auto before = w.dump();
  for (const auto& bad : bad_ids()) {
    INFO(bad.name);
    const auto with_terms = [&](auto change) {
      auto request = w.terms();
      request.track = "fresh";
      change(request);
      return code_of(w.bench.schedule(request, w.recruiter));
    };
    const auto with_waiver = [&](std::string waiver_request::* field) {
      auto request = asked;
      request.*field = bad.text;
      return code_of(w.bench.grant_waiver(request, w.admin));
    };
    expect_refusal(with_terms([&](auto& r) { r.applicant.id = bad.text; }));
    expect_refusal(with_terms([&](auto& r) { r.track = bad.text; }));
    if (!bad.empty) {
      expect_refusal(with_terms([&](auto& r) { r.applicant.email = bad.text; }));
      expect_refusal(with_terms([&](auto& r) { r.applicant.email = bad.text + "@example.org"; }));
      expect_refusal(with_terms([&](auto& r) { r.applicant.name = bad.text; }));
      expect_refusal(with_terms([&](auto& r) { r.applicant.locale = bad.text; }));
      expect_refusal(with_terms([&](auto& r) { r.applicant.time_zone = bad.text; }));
      expect_refusal(with_terms([&](auto& r) { r.idempotency_key = bad.text; }));
      expect_refusal(code_of(w.bench.retake(at.id, w.recruiter, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.reissue(at.id, w.recruiter, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.decide(at.id, w.reviewer, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.reopen(at.id, w.admin, {.reason = "r", .idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.void_attempt(at.id, w.admin, {.reason_code = "r", .idempotency_key = bad.text})));
      expect_refusal(code_of(
          w.bench.accommodate(at.id, w.recruiter, {.pause = 60s, .reason_code = "r", .idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.cancel(at.id, w.recruiter, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.update_applicant(w.ada, w.recruiter, bad.text)));
      expect_refusal(code_of(w.bench.erase_applicant(w.ada.id, w.admin, bad.text)));
      expect_refusal(code_of(w.bench.redrive({at.id}, w.admin, bad.text)));
      expect_refusal(code_of(w.bench.drop({at.id}, w.admin, bad.text)));
      expect_refusal(code_of(w.bench.request_link(at.token, bad.text)));
      expect_refusal(code_of(w.bench.withdraw(at.token, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.submit(at.open, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.list({.track = bad.text}, w.recruiter)));
      expect_refusal(code_of(w.bench.list({.applicant_id = bad.text}, w.recruiter)));
      expect_refusal(code_of(w.bench.list({.cursor = bad.text}, w.recruiter)));
      expect_refusal(code_of(w.bench.set_policy(bad.text, "", w.admin)));
      expect_refusal(code_of(w.bench.policies(bad.text, w.admin)));
      expect_refusal(code_of(w.bench.what_if({.document = document, .track = bad.text}, w.admin)));
      expect_refusal(code_of(w.bench.what_if({.document = document, .cursor = bad.text}, w.admin)));
      expect_refusal(with_waiver(&waiver_request::floor));
      expect_refusal(with_waiver(&waiver_request::idempotency_key));
      expect_refusal(code_of(w.bench.approve_waiver(w.ada.id, 1, w.admin, {.idempotency_key = bad.text})));
      expect_refusal(code_of(w.bench.revoke_waiver(w.ada.id, 1, w.admin, {.idempotency_key = bad.text})));
      expect_refusal(
          code_of(w.bench.record_fact(w.ada.id, {.name = "n", .track = bad.text, .at = monday}, w.recruiter)));
      for (const auto policy : {code_of(w.bench.set_policy("", bad.text, w.admin)),
                                code_of(w.bench.what_if({.document = bad.text}, w.admin))})
        CHECK((policy == errc::policy_invalid || policy == errc::too_large));
    }
    const auto with_person = [&](auto change) {
      auto person = w.ada;
      change(person);
      return code_of(w.bench.update_applicant(person, w.recruiter));
    };
    expect_refusal(with_person([&](auto& p) { p.email = bad.text; }));
    expect_refusal(with_person([&](auto& p) { p.id = bad.text; }));
    if (!bad.empty) {
      expect_refusal(with_person([&](auto& p) { p.name = bad.text; }));
      expect_refusal(with_person([&](auto& p) { p.locale = bad.text; }));
      expect_refusal(with_person([&](auto& p) { p.time_zone = bad.text; }));
      expect_refusal(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = monday}, w.recruiter, bad.text)));
    }
    for (const actor& who : {actor{bad.text, acme, role::admin}, actor{"anna", bad.text, role::admin}}) {
      expect_refusal(code_of(w.bench.schedule(w.terms(), who)));
      expect_refusal(code_of(w.bench.find(at.id, who)));
      expect_refusal(code_of(w.bench.list({}, who)));
      expect_refusal(code_of(w.bench.history(at.id, who)));
      expect_refusal(code_of(w.bench.permitted_actions(at.id, who)));
      expect_refusal(code_of(w.bench.read_progress(at.id, who)));
      expect_refusal(code_of(w.bench.retake_eligibility(at.id, who)));
      expect_refusal(code_of(w.bench.retake(at.id, who)));
      expect_refusal(code_of(w.bench.reissue(at.id, who)));
      expect_refusal(code_of(w.bench.link_of(at.id, who)));
      expect_refusal(code_of(w.bench.decide(at.id, who, {})));
      expect_refusal(code_of(w.bench.reopen(at.id, who, {.reason = "r"})));
      expect_refusal(code_of(w.bench.void_attempt(at.id, who, {.reason_code = "r"})));
      expect_refusal(code_of(w.bench.accommodate(at.id, who, {.pause = 60s, .reason_code = "r"})));
      expect_refusal(code_of(w.bench.cancel(at.id, who)));
      expect_refusal(code_of(w.bench.update_applicant(w.ada, who)));
      expect_refusal(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = monday}, who)));
      expect_refusal(code_of(w.bench.erase_applicant(w.ada.id, who)));
      expect_refusal(code_of(w.bench.redrive({at.id}, who)));
      expect_refusal(code_of(w.bench.drop({at.id}, who)));
      expect_refusal(code_of(w.bench.set_policy("", document, who)));
      expect_refusal(code_of(w.bench.policies("", who)));
      expect_refusal(code_of(w.bench.what_if({.document = document}, who)));
      expect_refusal(code_of(w.bench.grant_waiver(asked, who)));
      expect_refusal(code_of(w.bench.approve_waiver(w.ada.id, 1, who)));
      expect_refusal(code_of(w.bench.revoke_waiver(w.ada.id, 1, who)));
      expect_refusal(code_of(w.bench.waivers(w.ada.id, who)));
      expect_refusal(code_of(w.bench.read_messages({}, who)));
      expect_refusal(code_of(w.bench.read_audit(w.ada.id, who)));
      expect_refusal(code_of(w.bench.verify_audit(w.ada.id, who)));
      expect_refusal(code_of(w.bench.audit_checkpoint(who)));
      expect_refusal(code_of(w.bench.verify_audit_checkpoint("{}", who)));
    }
    expect_refusal(code_of(w.bench.record_fact(bad.text, {.name = "n", .at = monday}, w.recruiter)));
    expect_refusal(code_of(w.bench.record_fact(w.ada.id, {.name = bad.text, .at = monday}, w.recruiter)));
    expect_refusal(code_of(w.bench.void_attempt(at.id, w.reviewer, {.reason_code = bad.text})));
    expect_refusal(code_of(w.bench.accommodate(at.id, w.recruiter, {.pause = 60s, .reason_code = bad.text})));
    expect_refusal(code_of(w.bench.erase_applicant(bad.text, w.admin)));
    expect_refusal(code_of(w.bench.approve_waiver(bad.text, 1, w.admin)));
    expect_refusal(code_of(w.bench.revoke_waiver(bad.text, 1, w.admin)));
    expect_refusal(code_of(w.bench.waivers(bad.text, w.admin)));
    for (const auto field : {&waiver_request::applicant_id, &waiver_request::track, &waiver_request::rule_id,
                             &waiver_request::reason_code})
      expect_refusal(with_waiver(field));
    if (!bad.text.empty()) {  // the tenant's own audit has no applicant's id
      expect_refusal(code_of(w.bench.read_audit(bad.text, w.admin)));
      expect_refusal(code_of(w.bench.verify_audit(bad.text, w.admin)));
    }
    expect_refusal(code_of(w.bench.verify_audit_checkpoint(bad.text, w.admin)));
    expect_refusal(code_of(w.bench.link_of(bad.text, w.ada.id, submitted)));
    expect_refusal(code_of(w.bench.link_of(acme, bad.text, submitted)));
    expect_refusal(code_of(w.bench.checkpoint({bad.text, at.id, 1, key_one}, "x")));
    expect_refusal(code_of(w.bench.submit({bad.text, at.id, 1, key_one})));
    CHECK(code_of(w.bench.start(bad.text, key_one)) == errc::token_invalid);
    CHECK(code_of(w.bench.resume(bad.text, key_one)) == errc::token_invalid);
    CHECK(code_of(w.bench.withdraw(bad.text)) == errc::token_invalid);
    CHECK(code_of(w.bench.request_link(bad.text)) == errc::token_invalid);
    CHECK(w.bench.inspect(bad.text).value().verdict == verdict::invalid);
  }
  CHECK(w.dump() == before);
}

TEST_CASE("texts at their limit are taken, one byte more is too_large", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.applicant.id = std::string(255, 'i');
  request.applicant.name = std::string(255, 'n');
  request.applicant.email = std::string(64, 'e') + "@" + std::string(60, 'd') + "." + std::string(60, 'd') + "." +
                            std::string(60, 'd') + ".ee";
  request.track = std::string(255, 't');
  request.idempotency_key = std::string(255, 'k');
  const actor who{std::string(255, 'a'), acme, role::admin};
  const auto i = w.bench.schedule(request, who).value();
  CHECK(w.bench.start(token_in(i.link), std::string(255, 'k')));
  auto at = bring_to(w, "in_progress");
  CHECK(w.bench.checkpoint(at.open, std::string(limits::progress, 'p')));
  CHECK(code_of(w.bench.checkpoint(at.open, std::string(limits::progress + 1, 'p'))) == errc::too_large);
  CHECK(code_of(w.bench.submit(at.open, {.progress = std::string(limits::progress + 1, 'p')})) == errc::too_large);
  const std::string reason(limits::reason, 'r'), longer = reason + "r";
  CHECK(code_of(w.bench.cancel(at.id, w.recruiter, {.reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.withdraw(at.token, {.reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.decide(at.id, w.reviewer, {.reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.reopen(at.id, w.admin, {.reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.void_attempt(at.id, w.admin, {.reason_code = "c", .reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.accommodate(at.id, w.admin, {.pause = 60s, .reason_code = "c", .reason = longer})) ==
        errc::too_large);
  CHECK(code_of(w.bench.retake(at.id, w.admin, {.reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.reissue(at.id, w.admin, {.reason = longer})) == errc::too_large);
  waiver_request asked{w.ada.id, w.track, "wait-14-days", "r", w.clock.now() + days{1}};
  asked.reason = longer;
  CHECK(code_of(w.bench.grant_waiver(asked, w.admin)) == errc::too_large);
  CHECK(code_of(w.bench.approve_waiver(w.ada.id, 1, w.admin, {.reason = longer})) == errc::too_large);
  CHECK(code_of(w.bench.revoke_waiver(w.ada.id, 1, w.admin, {.reason = longer})) == errc::too_large);
  fact f{.name = "n", .at = monday, .value = longer};
  CHECK(code_of(w.bench.record_fact(w.ada.id, f, w.recruiter)) == errc::too_large);
  f.value.pop_back();
  CHECK(w.bench.record_fact(w.ada.id, f, w.recruiter));
  for (const auto& bad : {std::string("a\0b", 3), std::string("\xff")}) {
    CHECK(code_of(w.bench.cancel(at.id, w.recruiter, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.withdraw(at.token, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.decide(at.id, w.reviewer, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.reopen(at.id, w.admin, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.void_attempt(at.id, w.admin, {.reason_code = "c", .reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.accommodate(at.id, w.admin, {.pause = 60s, .reason_code = "c", .reason = bad})) ==
          errc::invalid_argument);
    CHECK(code_of(w.bench.retake(at.id, w.admin, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.reissue(at.id, w.admin, {.reason = bad})) == errc::invalid_argument);
    asked.reason = bad;
    CHECK(code_of(w.bench.grant_waiver(asked, w.admin)) == errc::invalid_argument);
    CHECK(code_of(w.bench.approve_waiver(w.ada.id, 1, w.admin, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.revoke_waiver(w.ada.id, 1, w.admin, {.reason = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = monday, .value = bad}, w.recruiter)) ==
          errc::invalid_argument);
  }
  asked.reason = reason;
  asked.idempotency_key = std::string(255, 'k');
  const auto granted = w.bench.grant_waiver(asked, w.admin).value().waiver;
  CHECK(w.bench.revoke_waiver(w.ada.id, granted.number, w.admin,
                              {.reason = reason, .idempotency_key = asked.idempotency_key}));
  CHECK(w.bench.submit(at.open, {.progress = std::string(limits::progress, '\0')}));
  CHECK(w.bench.decide(at.id, w.reviewer, {.reason = reason}));
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("a session key has 16 to 255 bytes, any of them", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  CHECK(code_of(w.bench.start(at.token, "")) == errc::invalid_argument);
  CHECK(code_of(w.bench.start(at.token, std::string(15, 'k'))) == errc::invalid_argument);
  CHECK(code_of(w.bench.start(at.token, std::string(256, 'k'))) == errc::too_large);
  const std::string binary("\0\xff\0\xfe\0\xfd\0\xfc\0\xfb\0\xfa\0\xf9\0\xf8", 16);
  CHECK(w.bench.start(at.token, binary));
  CHECK(code_of(w.bench.resume(at.token, "")) == errc::invalid_argument);
  CHECK(code_of(w.bench.resume(at.token, std::string(256, 'k'))) == errc::too_large);
  CHECK(code_of(w.bench.checkpoint({acme, at.id, 1, ""}, "x")) == errc::invalid_argument);
  CHECK(code_of(w.bench.submit({acme, at.id, 1, ""})) == errc::invalid_argument);
  CHECK(code_of(w.bench.submit({acme, at.id, std::numeric_limits<std::int64_t>::min(), binary})) ==
        errc::stale_session);
  CHECK(code_of(w.bench.submit({acme, at.id, std::numeric_limits<std::int64_t>::max(), binary})) ==
        errc::stale_session);
  CHECK(w.bench.submit({acme, at.id, 1, binary}));
}

TEST_CASE("instants and spans outside their range are refused by name", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto failed = bring_to(w, "failed");
  const std::string document = retake_policy::standard().document();
  const auto before = w.dump();
  const auto with_terms = [&](auto change) {
    auto request = w.terms();
    request.track = "fresh";
    change(request);
    return code_of(w.bench.schedule(request, w.recruiter));
  };
  const auto least = seconds::min(), most = seconds::max();
  for (const auto bad : {sys_seconds{least}, sys_seconds{-1s}, max_instant + 1s, sys_seconds{most}}) {
    CHECK(with_terms([&](auto& r) { r.opens_at = bad; }) == errc::invalid_argument);
    CHECK(with_terms([&](auto& r) { r.notify.at = bad; }) == errc::invalid_argument);
    CHECK(with_terms([&](auto& r) { r.ends_by = bad; }) == errc::invalid_argument);
    CHECK(code_of(w.bench.retake(failed.id, w.recruiter, {.ends_by = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.retake(failed.id, w.recruiter, {.opens_at = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.reissue(failed.id, w.recruiter, {.opens_at = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.decide(failed.id, w.reviewer, {.notify = {true, bad}})) == errc::invalid_argument);
    CHECK(code_of(w.bench.cancel(failed.id, w.recruiter, {.notify = {true, bad}})) == errc::invalid_argument);
    CHECK(code_of(w.bench.withdraw(failed.token, {.notify = {true, bad}})) == errc::invalid_argument);
    CHECK(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = bad}, w.recruiter)) == errc::invalid_argument);
    CHECK(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = monday, .until = bad}, w.recruiter)) ==
          errc::invalid_argument);
    CHECK(code_of(w.bench.set_policy("", "", w.admin, {.from = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.set_policy(w.track, document, w.admin, {.from = bad})) == errc::invalid_argument);
    const waiver_request asked{w.ada.id, w.track, "wait-14-days", "r", bad};
    CHECK(code_of(w.bench.grant_waiver(asked, w.admin)) == errc::invalid_argument);
    auto odd = w.stored(failed.id);
    odd.link.expires_at = bad;
    CHECK(code_of(w.bench.link_of(acme, w.ada.id, odd)) == errc::invalid_argument);
  }
  CHECK(with_terms([&](auto& r) { r.opens_at = max_instant; }) == errc::invalid_argument);
  for (const auto bad : {least, seconds{-1}, limits::longest_span + 1s, most}) {
    CHECK(with_terms([&](auto& r) { r.link_lifetime = bad; }) == errc::invalid_argument);
    CHECK(with_terms([&](auto& r) { r.time_limit = bad; }) == errc::invalid_argument);
    CHECK(with_terms([&](auto& r) { r.grace = bad; }) == errc::invalid_argument);
    CHECK(with_terms([&](auto& r) { r.reminders = {bad}; }) == errc::invalid_argument);
    CHECK(code_of(w.bench.retake(failed.id, w.recruiter, {.link_lifetime = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.retake(failed.id, w.recruiter, {.time_limit = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.retake(failed.id, w.recruiter, {.grace = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.retake(failed.id, w.recruiter, {.reminders = {bad}})) == errc::invalid_argument);
    CHECK(code_of(w.bench.reissue(failed.id, w.recruiter, {.link_lifetime = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.reissue(failed.id, w.recruiter, {.reminders = {bad}})) == errc::invalid_argument);
    CHECK(code_of(w.bench.reissue(failed.id, w.recruiter, {.extend_by = bad})) == errc::invalid_argument);
    CHECK(code_of(w.bench.accommodate(failed.id, w.recruiter, {.extra = bad, .reason_code = "c"})) ==
          errc::invalid_argument);
    CHECK(code_of(w.bench.accommodate(failed.id, w.recruiter, {.pause = bad, .reason_code = "c"})) ==
          errc::invalid_argument);
    CHECK(code_of(w.bench.accommodate(failed.id, w.recruiter, {.grace = bad, .reason_code = "c"})) ==
          errc::invalid_argument);
    engine_options options;
    options.answer_retention = bad;
    CHECK_THROWS_AS(w.another(*w.data, options), exception);
    options = {};
    options.link_lifetime = bad;
    CHECK_THROWS_AS(w.another(*w.data, options), exception);
    options = {};
    options.time_limit = bad;
    CHECK_THROWS_AS(w.another(*w.data, options), exception);
    options = {};
    options.link_request_interval = bad;
    CHECK_THROWS_AS(w.another(*w.data, options), exception);
  }
  CHECK(with_terms([&](auto& r) { r.reminders = {0s}; }) == errc::invalid_argument);
  CHECK(with_terms([&](auto& r) { r.reminders = std::vector<seconds>(17, 1h); }) == errc::too_large);
  CHECK(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = monday, .until = monday - 1s}, w.recruiter)) ==
        errc::invalid_argument);
  for (const auto* bad :
       {"soon", "P", "PT", "14", "p1d", "P1D ", "P-1D", "P1.5D", "P1201M", "P36601D", "P99999999999999999999D"}) {
    INFO(bad);
    waiver_request asked{w.ada.id, w.track, "wait-14-days", "r", w.clock.now() + days{1}};
    asked.floor = bad;
    CHECK(code_of(w.bench.grant_waiver(asked, w.admin)) == errc::invalid_argument);
  }
  CHECK(w.dump() == before);

  // The calendar's last instant is one.
  CHECK(w.bench.set_policy("", document, w.admin, {.from = max_instant}));
  CHECK(w.bench.policies("", w.admin).value().at(0).active_from == max_instant);
}

TEST_CASE("the longest terms there are work to their end", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.link_lifetime = request.time_limit = request.grace = limits::longest_span;
  request.opens_at = max_instant - 3 * limits::longest_span;
  const auto i = w.bench.schedule(request, w.recruiter).value();
  w.clock.set(i.interview.start_by - 1s);
  const auto open = w.bench.start(token_in(i.link), key_one).value();
  CHECK(open.left == limits::longest_span);
  w.clock.set(max_instant - 2s);
  CHECK(w.bench.submit(open.session));
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
  w.clock.set(max_instant);
  CHECK(code_of(w.bench.retake(i.interview.id, w.recruiter)) == errc::invalid_transition);
  request.track = "second";
  request.opens_at.reset();
  CHECK(code_of(w.bench.schedule(request, w.recruiter)) == errc::invalid_argument);
}

TEST_CASE("numbers and enumerators that are none are refused by name", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  const auto before = w.dump();
  using numbers = std::numeric_limits<double>;
  for (const auto bad : {numbers::quiet_NaN(), numbers::signaling_NaN(), numbers::infinity(), -numbers::infinity()})
    CHECK(code_of(w.bench.decide(at.id, w.reviewer, {.outcome = outcome::passed, .score = bad})) ==
          errc::invalid_argument);
  for (int n = 0; n < 256; ++n) {
    const auto o = static_cast<outcome>(n);
    if (o == outcome::passed || o == outcome::failed || o == outcome::on_hold) continue;
    CHECK(code_of(w.bench.decide(at.id, w.reviewer, {.outcome = o})) == errc::invalid_argument);
  }
  auto request = w.terms();
  request.track = "fresh";
  request.overtime = static_cast<overtime>(2);
  CHECK(code_of(w.bench.schedule(request, w.recruiter)) == errc::invalid_argument);
  CHECK(code_of(w.bench.retake(at.id, w.recruiter, {.overtime = static_cast<overtime>(255)})) ==
        errc::invalid_argument);
  CHECK(code_of(w.bench.record_fact(w.ada.id, {.kind = static_cast<fact_kind>(6), .name = "n", .at = monday},
                                    w.recruiter)) == errc::invalid_argument);
  CHECK(code_of(w.bench.list({.state = static_cast<interview_state>(10)}, w.recruiter)) == errc::invalid_argument);
  CHECK(code_of(w.bench.read_messages({.state = static_cast<message_state>(5)}, w.recruiter)) ==
        errc::invalid_argument);
  constexpr auto last = std::numeric_limits<std::uint64_t>::max();
  CHECK(code_of(w.bench.redrive({at.id, static_cast<message_kind>(99), 1}, w.admin)) == errc::not_found);
  CHECK(code_of(w.bench.redrive({at.id, message_kind::reminder, last}, w.admin)) == errc::not_found);
  CHECK(code_of(w.bench.drop({at.id, static_cast<message_kind>(99), 1}, w.admin)) == errc::not_found);
  CHECK(code_of(w.bench.drop({at.id, message_kind::reminder, last}, w.admin)) == errc::not_found);
  for (const std::uint64_t number : {std::uint64_t{0}, last}) {
    CHECK(code_of(w.bench.approve_waiver(w.ada.id, number, w.admin)) == errc::not_found);
    CHECK(code_of(w.bench.revoke_waiver(w.ada.id, number, w.admin)) == errc::not_found);
  }
  const std::string document = retake_policy::standard().document();
  CHECK(code_of(w.bench.set_policy("", document, w.admin, {.running_waits = static_cast<running_waits>(2)})) ==
        errc::invalid_argument);
  CHECK(code_of(w.bench.what_if({.document = document, .running_waits = static_cast<running_waits>(2)}, w.admin)) ==
        errc::invalid_argument);
  for (const std::uint32_t bad :
       {0U, 99U, limits::accommodation_percent + 1, std::numeric_limits<std::uint32_t>::max()})
    CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.percent = bad, .reason_code = "c"})) ==
          errc::invalid_argument);
  constexpr auto huge = std::numeric_limits<std::size_t>::max();
  for (const std::size_t bad : {std::size_t{0}, limits::page + 1, huge}) {
    CHECK(code_of(w.bench.list({.limit = bad}, w.recruiter)) == errc::invalid_argument);
    CHECK(code_of(w.bench.read_messages({.limit = bad}, w.recruiter)) == errc::invalid_argument);
    CHECK(code_of(w.bench.read_audit(w.ada.id, w.recruiter, 0, bad)) == errc::invalid_argument);
    CHECK(code_of(w.bench.policies("", w.recruiter, {}, bad)) == errc::invalid_argument);
    CHECK(code_of(w.bench.what_if({.document = document, .limit = bad}, w.admin)) == errc::invalid_argument);
  }
  CHECK(w.bench.read_audit(w.ada.id, w.recruiter, last).value().empty());
  for (const auto instant : {sys_seconds{seconds::min()}, sys_seconds{seconds::max()}})
    CHECK(w.bench.policies("", w.recruiter, policy_place{instant, last}).value().empty());
  CHECK(code_of(w.bench.sweep(0)) == errc::invalid_argument);
  CHECK(w.bench.sweep(huge));
  CHECK(w.dump() == before);

  // The extremes of a score are scores.
  for (const auto score : {numbers::max(), numbers::lowest(), numbers::denorm_min(), -0.0})
    CHECK(w.bench.decide(at.id, w.reviewer, {.outcome = outcome::on_hold, .score = score}).value().interview.score ==
          score);
  CHECK(w.stored(at.id).score == -0.0);
}

TEST_CASE("a clock beyond the calendar is an error and no crash", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  for (const auto wrong : {max_instant + 1s, sys_seconds{seconds::max()}}) {
    w.clock.set(wrong);
    CHECK(code_of(w.bench.schedule(w.terms(), w.recruiter)) == errc::invalid_argument);
  }
  CHECK(w.dump() == contents{});
  w.clock.set(sys_seconds{seconds::max()});
  CHECK(w.bench.list({}, w.recruiter).value().rows.empty());
  CHECK(w.bench.sweep().value().records == 0);
  CHECK(w.bench.now() == max_instant);
  CHECK(w.bench.audit_checkpoint(w.admin));
  CHECK(w.bench.set_policy("", "", w.admin));
  CHECK(code_of(w.bench.checkpoint({acme, interview_id{}, 1, key_one}, "x")) == errc::not_found);
  w.clock.set(sys_seconds{seconds::min()});
  CHECK(w.bench.now() == min_instant);
  CHECK(w.bench.schedule(w.terms(), w.recruiter).value().interview.created_at == min_instant);
}

/// The public functions of the engine: whatever begins, in the public part of the class, a line that is no comment with
/// a name and its parenthesis.
std::set<std::string> public_functions_of_the_engine() {
  std::ifstream file(HIRENOW_SOURCE_DIR "/include/hirenow/engine.hpp");
  const std::regex declaration(R"(^  (?:[^ /(][^(]*[ &*>])?([a-z0-9_]+)\()");
  std::set<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    inside = inside || line == "class engine {";
    if (inside && line == " private:") break;
    std::smatch found;
    if (inside && std::regex_search(line, found, declaration)) names.insert(found[1].str());
  }
  return names;
}

/// Those whose refusal is asked for in this file.
std::set<std::string> functions_that_refuse_here() {
  std::ifstream file(HIRENOW_SOURCE_DIR "/tests/engine_bad_input_test.cpp");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::regex refusal(R"(code_of\(\s*w\.bench\s*\.\s*([a-z0-9_]+)\()");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), refusal), end; at != end; ++at) names.insert((*at)[1].str());
  return names;
}

TEST_CASE("every public function of the engine is handed something bad here", "[engine]") {
  const std::set<std::string> without_refusal{
      "engine",   // throws: its options, above
      "inspect",  // answers a verdict instead of an error, above
      "on",       // takes a store, which cannot be bad, and cannot fail
      "now",      // takes nothing
      "options",  // the same
      "storage",  // the same
  };
  auto untried = public_functions_of_the_engine();
  REQUIRE(untried.contains("schedule"));
  REQUIRE(untried.contains("link_of"));  // one that is const
  for (const auto& name : functions_that_refuse_here()) untried.erase(name);
  CHECK(untried == without_refusal);
}

}  // namespace
