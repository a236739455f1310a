/// Inviting: schedule, reissue, request_link, and what each promises by mail.

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

TEST_CASE("schedule plans an interview and promises one invitation", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.opens_at = monday + 24h;
  request.reminders = {24h, 1h};
  request.overtime = overtime::submit;
  const auto answer = w.bench.schedule(request, w.recruiter).value();

  const interview i = w.stored(answer.interview.id);
  CHECK(i == answer.interview);
  CHECK(i.state == interview_state::scheduled);
  CHECK(i.outcome == outcome::pending);
  CHECK(i.attempt == 1);
  CHECK(i.track == w.track);
  CHECK(i.time_limit == 1h);
  CHECK(i.grace == 5min);
  CHECK(i.overtime == overtime::submit);
  CHECK(i.created_at == monday);
  CHECK(i.start_by == monday + 24h + 72h);
  CHECK(i.link.generation == 1);
  CHECK(i.link.expires_at == i.start_by);
  CHECK(i.link.not_before == monday + 24h);
  CHECK_FALSE(i.deadline);

  const auto claims = verify_token(w.keys, token_in(answer.link), {"hirenow", "interview"}).value();
  CHECK(claims.interview == i.id);
  CHECK(claims.tenant == acme);
  CHECK(claims.subject == w.ada.id);
  CHECK(claims.generation == 1);
  CHECK(claims.expires_at == i.start_by);
  CHECK(answer.link.starts_with("https://jobs.example.com/interview#"));

  const auto mail = w.messages(i.id);
  REQUIRE(mail.size() == 3);
  CHECK(mail[0].key.kind == message_kind::invitation);
  CHECK(mail[0].due_at == monday);
  CHECK(mail[1].key.kind == message_kind::reminder);
  CHECK(mail[2].key.kind == message_kind::reminder);
  CHECK(std::min(mail[1].due_at, mail[2].due_at) == i.start_by - 24h);
  CHECK(std::max(mail[1].due_at, mail[2].due_at) == i.start_by - 1h);

  const auto record = w.record();
  CHECK(record.version == 1);
  CHECK(record.person == w.ada);
  const auto audit = w.audit();
  REQUIRE(audit.size() == 3);
  CHECK(audit[0].event == "schedule");
  CHECK(audit[0].actor == "staff:rita");
  CHECK(audit[0].sequence == mail[0].key.occasion);
}

TEST_CASE("what is left out of a request is the engine's default", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::standard(), engine_options{.link_lifetime = 48h, .time_limit = 2h});
  const auto i = w.bench.schedule({.applicant = w.ada, .track = w.track}, w.recruiter).value().interview;
  CHECK(i.start_by == monday + 48h);
  CHECK(i.time_limit == 2h);
  CHECK(i.grace == 0s);
  CHECK(i.overtime == overtime::expire);
}

TEST_CASE("notify says when, and whether at all", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.notify = notify::not_before(monday + 6h);
  const auto later = w.bench.schedule(request, w.recruiter).value().interview;
  REQUIRE(w.messages(later.id).size() == 1);
  CHECK(w.messages(later.id)[0].due_at == monday + 6h);

  request.track = "other";
  request.notify = notify::none();
  request.reminders = {1h};
  CHECK(w.messages(w.bench.schedule(request, w.recruiter).value().interview.id).empty());

  request.track = "third";
  request.notify = notify::not_before(monday - 6h);
  const auto past = w.bench.schedule(request, w.recruiter).value().interview;
  for (const auto& m : w.messages(past.id))
    if (m.key.kind == message_kind::invitation) CHECK(m.due_at == monday);
}

TEST_CASE("a reminder whose time has passed is not promised", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.reminders = {72h, 73h, 71h};
  const auto i = w.bench.schedule(request, w.recruiter).value().interview;
  CHECK(w.messages(i.id).size() == 2);
}

TEST_CASE("nobody is reminded twice at once, before the invitation, or before the link opens", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.reminders = {24h, 1h, 24h};
  CHECK(w.messages(w.bench.schedule(request, w.recruiter).value().interview.id).size() == 3);

  request.track = "told late";
  request.notify = notify::not_before(monday + 48h);  // the instant of the reminder of 24 hours
  CHECK(w.messages(w.bench.schedule(request, w.recruiter).value().interview.id).size() == 2);

  request.track = "opens late";
  request.notify = notify::now();
  request.opens_at = monday + 10h;
  request.link_lifetime = 24h;
  CHECK(w.messages(w.bench.schedule(request, w.recruiter).value().interview.id).size() == 2);
}

TEST_CASE("schedule is refused while the track has a current interview, and names it", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  INFO(s.name);
  const auto at = bring_to(w, s);
  w.clock.advance(days{30});
  const auto before = w.dump();
  const auto again = w.bench.schedule(w.terms(), w.recruiter);
  const interview_state now = w.bench.find(at.id, w.recruiter).value().state;
  if (now == interview_state::cancelled || now == interview_state::voided) {
    REQUIRE(again);
    CHECK(again->interview.attempt == 2);
    CHECK_FALSE(again->interview.retake_of);
  } else {
    CHECK(code_of(again) == errc::active_interview);
    CHECK(again.error().superseded_by == to_string(at.successor.value_or(at.id)));
    CHECK(w.dump() == before);
  }
  // Another track of the same person is another matter.
  auto elsewhere = w.terms();
  elsewhere.track = "frontend/technical";
  CHECK(w.bench.schedule(elsewhere, w.recruiter));
}

TEST_CASE("schedule knows the applicant by id and takes a new address along", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  w.schedule();
  auto request = w.terms();
  request.track = "second";
  request.applicant = {.id = w.ada.id, .email = ""};
  REQUIRE(w.bench.schedule(request, w.recruiter));
  CHECK(w.record().person == w.ada);
  request.track = "third";
  request.applicant = {.id = w.ada.id, .email = "ada@new.example.org", .name = "Ada King"};
  REQUIRE(w.bench.schedule(request, w.recruiter));
  CHECK(w.record().person == request.applicant);
  CHECK(w.audit()[2].event == "update_applicant");

  request.applicant = {.id = "unknown", .email = ""};
  CHECK(code_of(w.bench.schedule(request, w.recruiter)) == errc::invalid_argument);
}

TEST_CASE("without a signing key or a link base nothing is scheduled", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto before = w.dump();
  engine homeless(*w.data, w.keys, retake_policy::standard(), {.clock = &w.clock});
  CHECK(code_of(homeless.schedule(w.terms(), w.recruiter)) == errc::invalid_argument);
  auto document = new_key_document(key_algorithm::hs256, "k2");
  document.replace(document.find("\"signing\""), 9, "\"verify_only\"");
  engine keyless(*w.data, key_ring::from_json(document).value(), retake_policy::standard(),
                 {.link_base = "https://x.example", .clock = &w.clock});
  CHECK(code_of(keyless.schedule(w.terms(), w.recruiter)) == errc::no_signing_key);
  CHECK(w.dump() == before);
}

TEST_CASE("a tenant's own link base is used for it alone", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w, retake_policy::standard(),
                         engine_options{.link_bases = {{"globex", "https://globex.example/i"}}});
  CHECK(w.schedule().link.starts_with("https://jobs.example.com/interview#"));
  CHECK(w.bench.schedule(w.terms(), w.stranger).value().link.starts_with("https://globex.example/i#"));
}

TEST_CASE("a link base must be https, or this very machine", "[engine]") {
  const auto kind = stores().front();
  for (const auto* good :
       {"https://a.example", "https://a.example/x?y=1", "http://localhost:8080/i", "http://127.0.0.1"})
    CHECK_NOTHROW(world(kind, retake_policy::standard(), {.link_base = good}));
  for (const auto* bad : {"http://a.example", "https://", "ftp://a", "https://a.example/#x", "https://a b",
                          "http://localhost.evil.example", "javascript:alert(1)", "https://a\"b", "https://a\nb"}) {
    INFO(bad);
    CHECK_THROWS_AS(world(kind, retake_policy::standard(), {.link_base = bad}), exception);
  }
}

TEST_CASE("reissue gives the same interview a fresh link and kills every older one", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.reminders = {24h};
  const auto first = w.bench.schedule(request, w.recruiter).value();
  w.clock.advance(1h);
  const auto second =
      w.bench.reissue(first.interview.id, w.recruiter, {.link_lifetime = 10h, .reminders = {2h}}).value();
  CHECK(second.interview.id == first.interview.id);
  CHECK(second.interview.link.generation == 2);
  CHECK(second.interview.attempt == 1);
  CHECK(second.interview.start_by == monday + 11h);
  CHECK(second.link != first.link);
  CHECK(w.bench.inspect(token_in(first.link)).value().verdict == verdict::superseded_link);
  CHECK(w.bench.inspect(token_in(second.link)).value().verdict == verdict::valid);
  CHECK(code_of(w.bench.start(token_in(first.link), key_one)) == errc::token_superseded_link);

  const auto unsent = w.unsent(first.interview.id);
  REQUIRE(unsent.size() == 2);
  for (const auto& m : unsent) CHECK(m.generation == 2);
  CHECK(unsent[0].key.kind == message_kind::reissued_link);
  CHECK(unsent[1].key.kind == message_kind::reminder);
  CHECK(unsent[1].due_at == monday + 9h);
  CHECK(w.bench.start(token_in(second.link), key_one));
}

TEST_CASE("an interview that was never started is revived by a reissue", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool swept = GENERATE(false, true);
  const auto at = bring_to(w, "expired, never started");
  if (swept) w.bench.sweep().value();
  CHECK(w.bench.find(at.id, w.recruiter).value().outcome == outcome::no_show);
  const auto fresh = w.bench.reissue(at.id, w.recruiter).value();
  CHECK(fresh.interview.id == at.id);
  CHECK(fresh.interview.state == interview_state::scheduled);
  CHECK(fresh.interview.outcome == outcome::pending);
  CHECK(fresh.interview.start_by > w.clock.now());
  CHECK(code_of(w.bench.start(at.token, key_one)) == errc::token_superseded_link);
  CHECK(w.bench.start(token_in(fresh.link), key_one));
}

TEST_CASE("an attempt that ran out after its start is not reissued", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "expired after its start");
  const auto before = w.dump();
  CHECK(code_of(w.bench.reissue(at.id, w.recruiter)) == errc::invalid_transition);
  CHECK(w.dump() == before);
}

TEST_CASE("reissuing an interview in progress keeps deadline and progress and closes the session", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  REQUIRE(w.bench.checkpoint(at.open, "half an answer"));
  w.clock.advance(20min);
  const auto fresh = w.bench.reissue(at.id, w.recruiter, {.link_lifetime = 240h}).value();
  CHECK(fresh.interview.state == interview_state::in_progress);
  CHECK(fresh.interview.deadline == monday + 1h);
  CHECK(code_of(w.bench.checkpoint(at.open, "more")) == errc::stale_session);
  CHECK(code_of(w.bench.submit(at.open)) == errc::stale_session);
  CHECK(code_of(w.bench.resume(at.token, key_one)) == errc::token_superseded_link);
  CHECK(code_of(w.bench.start(token_in(fresh.link), key_one)) == errc::already_started);

  const auto sitting = w.bench.resume(token_in(fresh.link), key_two).value();
  CHECK(sitting.left == 40min);
  REQUIRE(sitting.progress);
  CHECK(sitting.progress->bytes == "half an answer");
  const auto unsent = w.unsent(at.id);
  REQUIRE(unsent.size() == 1);
  CHECK(unsent[0].key.kind == message_kind::reissued_link);
}

/// Plans so many interviews of the world's applicant, each on a track of its own, in one commit past the engine.
void plan_past_the_engine(world& w, std::size_t count) {
  change_set changes{.tenant = acme, .applicant_id = w.ada.id, .expected_version = w.record().version};
  applicant_record record = w.record();
  const std::size_t first = record.interviews.size();
  for (std::size_t n = 0; n < count; ++n) {
    interview i{.id = new_interview_id(monday),
                .track = "track-" + std::to_string(first + n),
                .created_at = monday,
                .start_by = monday + 72h,
                .changed_at = monday};
    i.link = {1, "k1", monday, monday, i.start_by};
    changes.audit.push_back(append_audit(
        record, {.at = monday, .actor = "staff:rita", .event = "schedule", .interview = i.id, .to = i.state}));
    changes.interviews.push_back({std::move(i)});
  }
  ++record.version;
  record.interviews.clear();
  changes.head = std::move(record);
  w.data->commit(changes).value();
}

TEST_CASE("a record of 10,000 interviews takes no more, and one that has more is not decided on", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto first = w.schedule();
  plan_past_the_engine(w, limits::attempts - 2);
  auto terms = w.terms();
  terms.track = "the last one";
  const auto last = w.bench.schedule(terms, w.recruiter).value();
  terms.track = "one too many";
  CHECK(code_of(w.bench.schedule(terms, w.recruiter)) == errc::limit_reached);
  // What makes no new interview goes on.
  w.bench.cancel(last.interview.id, w.recruiter).value();
  CHECK(w.stored(last.interview.id).state == interview_state::cancelled);

  plan_past_the_engine(w, 1);
  const auto before = w.record();
  CHECK(before.interviews.size() == limits::attempts + 1);
  CHECK(code_of(w.bench.cancel(first.interview.id, w.recruiter)) == errc::limit_reached);
  CHECK(w.record() == before);
}

}  // namespace
