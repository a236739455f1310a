/// Deciding and keeping: decisions and their mail, reopening, voiding, cancelling, the person, facts and redrive.

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

TEST_CASE("a decision is recorded with its score and reason and promised by mail", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto what = GENERATE(outcome::passed, outcome::failed, outcome::on_hold);
  const auto at = bring_to(w, "submitted");
  w.clock.advance(1h);
  const auto done =
      w.bench.decide(at.id, w.reviewer, {.outcome = what, .reason = "clear and quick", .score = 87.5}).value();
  const auto stored = w.stored(at.id);
  CHECK(hirenow::detail::shown(stored) == done.interview);
  CHECK(stored.outcome == what);
  CHECK(to_string(stored.state) == to_string(what));
  CHECK(stored.score == 87.5);
  CHECK(stored.decided_at == monday + 1h);
  const auto unsent = w.unsent(at.id);
  REQUIRE(unsent.size() == 1);
  CHECK(unsent[0].key.kind == (what == outcome::passed   ? message_kind::decision_passed
                               : what == outcome::failed ? message_kind::decision_failed
                                                         : message_kind::decision_on_hold));
  const auto entry = w.audit().back();
  CHECK(entry.actor == "staff:victor");
  CHECK(entry.note == "clear and quick");
  CHECK(entry.details.find("clear") == std::string::npos);
  CHECK(entry.details.find("8.75E1") != std::string::npos);
}

TEST_CASE("a later decision takes the unsent mail of the earlier one back", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "submitted");
  w.bench.decide(at.id, w.reviewer, {.outcome = outcome::on_hold, .score = 50.0}).value();
  const auto failed = w.bench.decide(at.id, w.reviewer, {.outcome = outcome::failed}).value();
  CHECK(failed.interview.score == 50.0);
  auto unsent = w.unsent(at.id);
  REQUIRE(unsent.size() == 1);
  CHECK(unsent[0].key.kind == message_kind::decision_failed);
  const auto reopened = w.bench.reopen(at.id, w.admin, {.reason = "wrong sheet"}).value();
  CHECK(reopened.interview.outcome == outcome::on_hold);
  CHECK(w.audit().back().note == "wrong sheet");
  CHECK(w.unsent(at.id).empty());
  w.bench.decide(at.id, w.reviewer, {.outcome = outcome::passed, .notify = notify::none()}).value();
  CHECK(w.unsent(at.id).empty());
}

TEST_CASE("reopening needs a reason and voiding a reason code", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  CHECK(code_of(w.bench.reopen(at.id, w.admin, {})) == errc::invalid_argument);
  CHECK(code_of(w.bench.void_attempt(at.id, w.reviewer, {})) == errc::invalid_argument);
  const auto done =
      w.bench.void_attempt(at.id, w.reviewer, {.reason_code = "power_cut", .reason = "Ada says so"}).value();
  CHECK(done.interview.outcome == outcome::voided);
  CHECK(w.audit().back().details.find("power_cut") != std::string::npos);
  CHECK(w.audit().back().details.find("Ada") == std::string::npos);
  CHECK(w.unsent(at.id).empty());
}

TEST_CASE("a cancellation takes the invitation back and says so unless told not to", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool loud = GENERATE(true, false);
  auto request = w.terms();
  request.reminders = {1h};
  const auto at = bring_to(w, situation_of("scheduled"), request);
  w.bench.cancel(at.id, w.recruiter, {.reason = "filled", .notify = loud ? notify::now() : notify::none()}).value();
  const auto unsent = w.unsent(at.id);
  REQUIRE(unsent.size() == (loud ? 1 : 0));
  if (loud) CHECK(unsent[0].key.kind == message_kind::cancelled);
  CHECK(w.stored(at.id).outcome == outcome::cancelled);
}

TEST_CASE("a new address replaces the person and nothing else", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const auto before = w.record();
  const auto mail = w.dump().messages;
  applicant moved = w.ada;
  moved.email = "ada@new.example.org";
  CHECK(w.bench.update_applicant(moved, w.recruiter).value().person == moved);
  auto after = w.record();
  CHECK(after.person == moved);
  CHECK(after.interviews == before.interviews);
  CHECK(after.subject == before.subject);
  CHECK(w.dump().messages == mail);
  CHECK(w.audit().back().event == "update_applicant");
  CHECK(w.audit().back().details == "{}");
  CHECK(w.bench.inspect(at.token).value().verdict == verdict::valid);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));

  // The same person again is no change.
  const auto version = w.record().version;
  CHECK(w.bench.update_applicant(moved, w.recruiter));
  CHECK(w.record().version == version);

  moved.id = "nobody";
  CHECK(code_of(w.bench.update_applicant(moved, w.recruiter)) == errc::not_found);
}

TEST_CASE("a fact is recorded, dated and audited without its content", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  w.schedule();
  const auto kind = GENERATE(range(0, static_cast<int>(fact_kind_count)));
  const fact f{.kind = static_cast<fact_kind>(kind),
               .name = "lovelace_certificate",
               .track = w.track,
               .at = monday - days{30},
               .until = monday + days{335},
               .value = "gold"};
  w.bench.record_fact(w.ada.id, f, w.recruiter).value();
  const auto facts = w.record().facts;
  REQUIRE(facts.size() == 1);
  const auto entry = w.audit().back();
  auto expected = f;
  expected.sequence = entry.sequence;
  CHECK(facts[0] == expected);
  CHECK(entry.event == "record_fact");
  CHECK(entry.details.find(to_string(f.kind)) != std::string::npos);
  CHECK(entry.details.find("lovelace") == std::string::npos);
  CHECK(entry.details.find("gold") == std::string::npos);
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
  CHECK(code_of(w.bench.record_fact("nobody", f, w.recruiter)) == errc::not_found);
}

TEST_CASE("the audit holds nothing personal, whatever is done", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const applicant person{"app-1", "zebedee@example.org", "Zebedee Quux", "en", "UTC"};
  auto request = w.terms();
  request.applicant = person;
  const auto scheduled = w.bench.schedule(request, w.recruiter).value();
  const auto sitting = w.bench.start(token_in(scheduled.link), key_one).value();
  w.bench.submit(sitting.session, {.progress = "Zebedee wrote this"}).value();
  w.bench.decide(scheduled.interview.id, w.reviewer, {.outcome = outcome::failed, .reason = "Zebedee was late"})
      .value();
  w.bench.reopen(scheduled.interview.id, w.admin, {.reason = "Zebedee complained"}).value();
  w.bench.record_fact(person.id, {.name = "Zebedee's course", .at = monday, .value = "Quux"}, w.recruiter).value();
  auto moved = person;
  moved.name = "Zebedee Q.";
  w.bench.update_applicant(moved, w.recruiter).value();
  w.clock.advance(days{14});
  const auto again = w.bench.retake(scheduled.interview.id, w.recruiter, {.reason = "Zebedee insists"}).value();
  w.bench.reissue(again.interview.id, w.recruiter, {.reason = "Zebedee lost it"}).value();
  w.bench.cancel(again.interview.id, w.recruiter, {.reason = "Zebedee gave up"}).value();
  const auto audit = w.audit();
  CHECK(audit.size() == 11);
  for (const auto& e : audit) {
    INFO(e.event << " " << e.details);
    for (const auto* personal : {"Zebedee", "zebedee", "Quux", "app-1", "@example", "wrote", "late", "complained"}) {
      CHECK(e.details.find(personal) == std::string::npos);
      CHECK(e.actor.find(personal) == std::string::npos);
      CHECK(e.event.find(personal) == std::string::npos);
    }
  }
}

TEST_CASE("a dead message is found and shown behind hundreds of others of its interview", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.notify = notify::none();
  const auto id = w.bench.schedule(request, w.recruiter).value().interview.id;
  for (int n = 0; n < 505; ++n) REQUIRE(w.bench.reissue(id, w.recruiter));
  const lease_token lease{1, 2, 3};
  const auto claimed = w.data->claim({.now = monday, .limit = 10, .token = lease}).value();
  REQUIRE(claimed.size() == 1);  // the newest alone is not withdrawn
  const auto key = claimed[0].mail.key;
  const settlement s{.key = key, .tenant = acme, .token = lease, .what = settlement::verdict::dead, .at = monday};
  REQUIRE(w.data->settle({&s, 1}).value().at(0));
  CHECK(w.bench.history(id, w.recruiter).value().messages.size() == 505);
  CHECK(w.bench.redrive(key, w.admin));
}

TEST_CASE("a dead message is dropped by an admin, and no other is, even of a person who was erased", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool erased = GENERATE(false, true);
  const auto id = w.schedule().interview.id;
  const auto key = w.messages(id)[0].key;
  CHECK(code_of(w.bench.drop(key, w.admin)) == errc::invalid_transition);
  const lease_token lease{1, 2, 3};
  REQUIRE(w.data->claim({.now = monday, .limit = 10, .token = lease}).value().size() == 1);
  const settlement s{
      .key = key, .tenant = acme, .token = lease, .what = settlement::verdict::dead, .at = monday, .answer = "550 no"};
  REQUIRE(w.data->settle({&s, 1}).value().at(0));
  CHECK(w.data->outbox(monday).value().value().dead == 1);
  if (erased) REQUIRE(w.bench.erase_applicant("app-1", w.admin));
  CHECK(code_of(w.bench.drop(key, w.recruiter)) == errc::permission_denied);
  REQUIRE(w.bench.drop(key, w.admin, "once"));
  REQUIRE(w.bench.drop(key, w.admin, "once"));  // the answer of the first
  CHECK(w.messages(id)[0].state == message_state::withdrawn);
  CHECK(w.data->outbox(monday).value().value().dead == 0);
  CHECK(w.audit().back().event == "drop");
  CHECK(w.audit().back().actor == "staff:" + w.admin.id);
  CHECK(w.bench.verify_audit("app-1", w.admin));
  CHECK(code_of(w.bench.drop(key, w.admin)) == errc::invalid_transition);
  CHECK(code_of(w.bench.redrive(key, w.admin)) == (erased ? errc::erased : errc::invalid_transition));
}

TEST_CASE("a dead message is queued again by an admin, and no other is", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto id = w.schedule().interview.id;
  const auto key = w.messages(id)[0].key;
  CHECK(code_of(w.bench.redrive(key, w.admin)) == errc::invalid_transition);
  const lease_token lease{1, 2, 3};
  REQUIRE(w.data->claim({.now = monday, .limit = 10, .token = lease}).value().size() == 1);
  CHECK(code_of(w.bench.redrive(key, w.admin)) == errc::invalid_transition);
  const settlement s{.key = key,
                     .tenant = acme,
                     .token = lease,
                     .what = settlement::verdict::dead,
                     .at = monday,
                     .answer = "550 no such user"};
  REQUIRE(w.data->settle({&s, 1}).value().at(0));
  CHECK(w.bench.read_messages({.state = message_state::dead}, w.recruiter).value().size() == 1);
  w.clock.advance(1h);
  REQUIRE(w.bench.redrive(key, w.admin));
  const auto m = w.messages(id)[0];
  CHECK(m.state == message_state::queued);
  CHECK(m.due_at == monday + 1h);
  CHECK(m.tries == 0);
  CHECK(w.audit().back().event == "redrive");
  CHECK(code_of(w.bench.redrive(key, w.admin)) == errc::invalid_transition);
  auto other = key;
  other.occasion += 1;
  CHECK(code_of(w.bench.redrive(other, w.admin)) == errc::not_found);
  other = key;
  other.interview.data[5] ^= 1;
  CHECK(code_of(w.bench.redrive(other, w.admin)) == errc::not_found);
}

}  // namespace
