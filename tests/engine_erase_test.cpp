/// Erasing a person: everything personal goes, everything else stays and still verifies.

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

TEST_CASE("an erased person leaves no personal row, and interviews and audit stay", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  INFO(s.name);
  const auto at = bring_to(w, s);
  w.bench.record_fact(w.ada.id, {.name = "course", .at = monday}, w.recruiter).value();
  auto second = w.terms();
  second.track = "second";
  const auto other = bring_to(w, situation_of("in_progress"), second);
  REQUIRE(w.bench.checkpoint(other.open, "her words"));
  w.bench.void_attempt(other.id, w.reviewer, {.reason_code = "c", .reason = "Ada's cable"}).value();
  second.track = "third";
  const auto open = bring_to(w, situation_of("in_progress"), second);
  REQUIRE(w.bench.checkpoint(open.open, "more of them"));
  const auto before = w.record();
  const auto audit_before = w.audit();

  REQUIRE(w.bench.erase_applicant(w.ada.id, w.admin));
  const auto after = w.record();
  CHECK(after.erased);
  CHECK(after.person == applicant{.id = w.ada.id, .email = ""});
  CHECK(after.salt.empty());
  CHECK(after.facts.empty());
  CHECK(after.subject == before.subject);
  REQUIRE(after.interviews.size() == before.interviews.size());
  for (std::size_t n = 0; n < after.interviews.size(); ++n) {
    const auto &was = before.interviews[n], &is = after.interviews[n];
    const auto limit = clock_limit(was);
    const bool ran_out = limit && *limit <= w.clock.now();
    if (is_active(was.state) && !ran_out) {
      CHECK(is.state == interview_state::cancelled);
      CHECK_FALSE(is.sitting.open);
    } else if (!ran_out) {
      CHECK(is == was);
    }
    CHECK(w.unsent(is.id).empty());
    CHECK_FALSE(w.data->load({.tenant = acme, .who = is.id, .with_progress = true}).value().progress);
  }
  // The audit is the old one and what the erasure added; the notes alone are gone.
  const auto audit = w.audit();
  REQUIRE(audit.size() > audit_before.size());
  for (std::size_t n = 0; n < audit.size(); ++n) {
    CHECK(audit[n].note.empty());
    if (n < audit_before.size()) CHECK(audit[n].hash == audit_before[n].hash);
  }
  CHECK(audit.back().event == "erase");
  CHECK(audit.back().actor == "staff:anna");
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));

  // Links are dead for good, and nothing can be changed.
  for (const auto& token : {at.token, other.token, open.token}) {
    CHECK(w.bench.inspect(token).value().verdict == verdict::invalid);
    CHECK(code_of(w.bench.start(token, key_one)) == errc::token_invalid);
    CHECK(code_of(w.bench.request_link(token)) == errc::token_invalid);
    CHECK(code_of(w.bench.withdraw(token)) == errc::token_invalid);
  }
  const auto dump = w.dump();
  CHECK(code_of(w.bench.checkpoint(open.open, "x")) == errc::not_found);
  CHECK(code_of(w.bench.submit(open.open)) == errc::not_found);
  CHECK(code_of(w.bench.schedule(w.terms(), w.recruiter)) == errc::erased);
  CHECK(code_of(w.bench.retake(at.id, w.recruiter)) == errc::erased);
  CHECK(code_of(w.bench.reissue(at.id, w.recruiter)) == errc::erased);
  CHECK(code_of(w.bench.cancel(at.id, w.recruiter)) == errc::erased);
  CHECK(code_of(w.bench.decide(at.id, w.reviewer, {})) == errc::erased);
  CHECK(code_of(w.bench.reopen(at.id, w.admin, {.reason = "r"})) == errc::erased);
  CHECK(code_of(w.bench.void_attempt(at.id, w.reviewer, {.reason_code = "r"})) == errc::erased);
  CHECK(code_of(w.bench.update_applicant(w.ada, w.recruiter)) == errc::erased);
  CHECK(code_of(w.bench.record_fact(w.ada.id, {.name = "n", .at = monday}, w.recruiter)) == errc::erased);
  CHECK(code_of(w.bench.redrive(w.messages(at.id).at(0).key, w.admin)) == errc::erased);
  CHECK(w.bench.erase_applicant(w.ada.id, w.admin));  // twice is once
  CHECK(w.dump() == dump);

  // Reading goes on, without the person.
  CHECK(w.bench.find(at.id, w.recruiter));
  CHECK(w.bench.history(at.id, w.recruiter).value().erased);
  CHECK(w.bench.retake_eligibility(at.id, w.recruiter).value().reason == "erased");
  for (const auto& row : w.bench.list({}, w.recruiter).value().rows) {
    CHECK(row.applicant_name.empty());
    CHECK(row.applicant_email.empty());
  }
  w.clock.advance(days{100});
  CHECK(w.bench.sweep().value().failed.empty());
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("an erasure drops the person's stored answers and nobody else's", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.idempotency_key = "hers";
  w.bench.schedule(request, w.recruiter).value();
  auto his = request;
  his.applicant.id = "app-2";
  his.idempotency_key = "his";
  w.bench.schedule(his, w.recruiter).value();
  REQUIRE(w.bench.erase_applicant(w.ada.id, w.admin));
  const auto kept = [&](std::string_view key) {
    return w.data
        ->load({.tenant = acme,
                .who = std::string_view(w.ada.id),
                .answer = detail::answer_key_of(use_case::schedule, key)})
        .value()
        .answer.has_value();
  };
  CHECK_FALSE(kept("hers"));
  CHECK(kept("his"));
  CHECK(code_of(w.bench.schedule(request, w.recruiter)) == errc::erased);
  CHECK(w.bench.schedule(his, w.recruiter).value().replayed);
}

TEST_CASE("what a mail server said about an erased person is gone", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto id = w.schedule().interview.id;
  const lease_token lease{7};
  REQUIRE(w.data->claim({.now = monday, .limit = 1, .token = lease}).value().size() == 1);
  const settlement s{.key = w.messages(id)[0].key,
                     .tenant = acme,
                     .token = lease,
                     .what = settlement::verdict::dead,
                     .at = monday,
                     .answer = "550 ada@example.org: no such user"};
  REQUIRE(w.data->settle({&s, 1}).value().at(0));
  REQUIRE(w.bench.erase_applicant(w.ada.id, w.admin));
  CHECK(w.messages(id)[0].last_answer.empty());
}

TEST_CASE("erasing whom nobody knows is not_found", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  CHECK(code_of(w.bench.erase_applicant("nobody", w.admin)) == errc::not_found);
}

}  // namespace
