/// The applicant's sitting: start, resume, checkpoint, submit, withdraw, request_link and inspect, at their exact
/// limits.

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

TEST_CASE("a link opens at its instant, and a minute of leeway before", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  const sys_seconds opens = monday + 10h;
  request.opens_at = opens;
  const auto token = token_in(w.bench.schedule(request, w.recruiter).value().link);
  CHECK(w.bench.inspect(token).value().verdict == verdict::not_yet_valid);
  w.clock.set(opens - token_leeway - 1s);
  CHECK(code_of(w.bench.start(token, key_one)) == errc::token_not_yet_valid);
  CHECK(code_of(w.bench.withdraw(token)) == errc::token_not_yet_valid);
  w.clock.advance(1s);
  CHECK(w.bench.start(token, key_one).value().interview.deadline == opens - token_leeway + 1h);
}

TEST_CASE("a link ends at start_by without leeway", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  SECTION("one second before it still starts, and then the deadline alone decides") {
    w.clock.set(monday + 72h - 1s);
    CHECK(w.bench.inspect(at.token).value().left == 1s);
    const auto open = w.bench.start(at.token, key_one).value();
    CHECK(open.interview.deadline == monday + 73h - 1s);
    w.clock.set(monday + 73h - 2s);
    CHECK(w.bench.inspect(at.token).value().verdict == verdict::valid);
    CHECK(w.bench.resume(at.token, key_two).value().left == 1s);
  }
  SECTION("at the instant it is dead") {
    w.clock.set(monday + 72h);
    CHECK(code_of(w.bench.start(at.token, key_one)) == errc::token_expired);
  }
}

TEST_CASE("starting withdraws the mail that carries the link", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.reminders = {24h, 1h};
  const auto at = bring_to(w, situation_of("scheduled"), request);
  CHECK(w.unsent(at.id).size() == 3);
  REQUIRE(w.bench.start(at.token, key_one));
  CHECK(w.unsent(at.id).empty());
  for (const auto& m : w.messages(at.id)) CHECK(m.state == message_state::withdrawn);
}

TEST_CASE("submitting withdraws the mail that carries the link", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const auto fresh = w.bench.reissue(at.id, w.recruiter).value();
  const auto open = w.bench.resume(token_in(fresh.link), key_two).value();
  CHECK(w.unsent(at.id).size() == 1);
  REQUIRE(w.bench.submit(open.session));
  CHECK(w.unsent(at.id).empty());
}

TEST_CASE("start answers again under its key and refuses another", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  const auto first = w.bench.start(at.token, key_one).value();
  CHECK(first.left == 1h);
  CHECK(first.session.fence == 1);
  CHECK_FALSE(first.progress);
  REQUIRE(w.bench.checkpoint(first.session, "so far"));
  w.clock.advance(59min);
  const auto before = w.dump();
  const auto again = w.bench.start(at.token, key_one).value();
  CHECK(again.session.fence == first.session.fence);
  CHECK(again.interview == first.interview);
  CHECK(again.left == 1min);
  CHECK(again.progress->bytes == "so far");
  CHECK(code_of(w.bench.start(at.token, key_two)) == errc::already_started);
  CHECK(w.dump() == before);
}

TEST_CASE("the session key is stored hashed and its hash is handed to nobody who reads", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  CHECK(w.stored(at.id).sitting.key_hash == sha256(key_one));
  CHECK(w.bench.find(at.id, w.recruiter).value().sitting.key_hash == digest{});
  CHECK(w.bench.history(at.id, w.recruiter).value().attempts[0].sitting.key_hash == digest{});
  CHECK(w.bench.list({}, w.recruiter).value().rows[0].interview.sitting.key_hash == digest{});
  CHECK(w.bench.inspect(at.token).value().interview->sitting.key_hash == digest{});
  CHECK(w.bench.start(at.token, key_one).value().interview.sitting.key_hash == digest{});
  const accommodate_options more{.extra = 1min, .reason_code = "x", .idempotency_key = "k"};
  CHECK(w.bench.accommodate(at.id, w.recruiter, more).value().interview.sitting.key_hash == digest{});
  CHECK(w.bench.accommodate(at.id, w.recruiter, more).value().interview.sitting.key_hash == digest{});
  CHECK(w.bench.reissue(at.id, w.recruiter).value().interview.sitting.key_hash == digest{});
}

TEST_CASE("a resume fences the older session off", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  REQUIRE(w.bench.checkpoint(at.open, "first window"));
  const auto second = w.bench.resume(at.token, key_two).value();
  CHECK(second.session.fence == 2);
  CHECK(second.progress->bytes == "first window");
  CHECK(code_of(w.bench.checkpoint(at.open, "overwrites")) == errc::stale_session);
  CHECK(code_of(w.bench.submit(at.open, {.progress = "overwrites"})) == errc::stale_session);
  REQUIRE(w.bench.checkpoint(second.session, "second window"));
  CHECK(w.bench.read_progress(at.id, w.reviewer).value()->bytes == "second window");

  SECTION("the key of the open session gets that session again") {
    const auto before = w.dump();
    const auto same = w.bench.resume(at.token, key_two).value();
    CHECK(same.session.fence == 2);
    CHECK(w.dump() == before);
  }
  SECTION("the older window may come back, in a newer session") {
    const auto third = w.bench.resume(at.token, key_one).value();
    CHECK(third.session.fence == 3);
    CHECK(code_of(w.bench.checkpoint(second.session, "x")) == errc::stale_session);
    CHECK(w.bench.checkpoint(third.session, "third"));
  }
  SECTION("a session that is made up is nobody's") {
    session forged = second.session;
    forged.key = key_one;
    CHECK(code_of(w.bench.checkpoint(forged, "x")) == errc::stale_session);
    CHECK(code_of(w.bench.submit(forged)) == errc::stale_session);
    forged = second.session;
    forged.fence = 3;
    CHECK(code_of(w.bench.submit(forged)) == errc::stale_session);
    forged = second.session;
    forged.tenant = globex;
    CHECK(code_of(w.bench.checkpoint(forged, "x")) == errc::not_found);
    CHECK(code_of(w.bench.submit(forged)) == errc::not_found);
    forged = second.session;
    forged.interview = interview_id{};
    CHECK(code_of(w.bench.checkpoint(forged, "x")) == errc::not_found);
    CHECK(code_of(w.bench.submit(forged)) == errc::not_found);
  }
  SECTION("after the end, the older session still learns nothing") {
    REQUIRE(w.bench.submit(second.session));
    CHECK(code_of(w.bench.submit(at.open)) == errc::stale_session);
    CHECK(code_of(w.bench.checkpoint(at.open, "x")) == errc::stale_session);
    CHECK(code_of(w.bench.checkpoint(second.session, "x")) == errc::invalid_transition);
  }
}

TEST_CASE("a checkpoint moves no version and writes no audit", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const auto before = w.record();
  w.clock.advance(10s);
  CHECK(w.bench.checkpoint(at.open, std::string("any\0bytes\xff", 10)).value().at == monday + 10s);
  CHECK(w.record() == before);
  const auto saved = w.bench.read_progress(at.id, w.reviewer).value().value();
  CHECK(saved.bytes == std::string("any\0bytes\xff", 10));
  CHECK(saved.saved_at == monday + 10s);
}

TEST_CASE("seconds left are exact", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const sys_seconds deadline = monday + 1h;
  for (const auto left : {3600s, 60s, 59s, 1s}) {
    w.clock.set(deadline - left);
    CHECK(w.bench.inspect(at.token).value().left == left);
    CHECK(w.bench.start(at.token, key_one).value().left == left);
    CHECK(w.bench.resume(at.token, key_one).value().left == left);
  }
  w.clock.set(deadline);
  CHECK(w.bench.inspect(at.token).value().left == 0s);
  CHECK(w.bench.inspect(at.token).value().verdict == verdict::expired);
}

TEST_CASE("from the deadline to the end of the grace the applicant can only submit, and staff only end the attempt",
          "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const sys_seconds deadline = monday + 1h;
  w.clock.set(deadline - 1s);
  REQUIRE(w.bench.checkpoint(at.open, "in time"));
  w.clock.set(deadline);
  CHECK(code_of(w.bench.checkpoint(at.open, "late")) == errc::deadline_passed);
  CHECK(code_of(w.bench.start(at.token, key_one)) == errc::token_expired);
  CHECK(code_of(w.bench.resume(at.token, key_two)) == errc::token_expired);
  CHECK(code_of(w.bench.withdraw(at.token)) == errc::token_expired);
  CHECK(code_of(w.bench.reissue(at.id, w.recruiter)) == errc::deadline_passed);
  CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.extra = 1h, .reason_code = "x"})) == errc::deadline_passed);
  CHECK_FALSE(w.bench.request_link(at.token).value().queued);
  CHECK(w.bench.find(at.id, w.recruiter).value().state == interview_state::in_progress);

  SECTION("a recruiter may cancel") {
    CHECK(w.bench.cancel(at.id, w.recruiter).value().interview.state == interview_state::cancelled);
  }
  SECTION("a reviewer may void") {
    CHECK(w.bench.void_attempt(at.id, w.reviewer, {.reason_code = "x"}).value().interview.state ==
          interview_state::voided);
  }
  SECTION("within the grace") {
    w.clock.set(deadline + 5min - 1s);
    const auto done = w.bench.submit(at.open, {.progress = "last words"}).value().interview;
    CHECK(done.state == interview_state::submitted);
    CHECK(done.submitted_at == deadline + 5min - 1s);
    CHECK(w.bench.read_progress(at.id, w.reviewer).value()->bytes == "last words");
  }
  SECTION("at its end") {
    w.clock.set(deadline + 5min);
    const auto before = w.dump();
    CHECK(code_of(w.bench.submit(at.open, {.progress = "too late"})) == errc::deadline_passed);
    CHECK(w.dump() == before);
    CHECK(w.bench.find(at.id, w.recruiter).value().state == interview_state::expired);
    CHECK(w.bench.find(at.id, w.recruiter).value().outcome == outcome::incomplete);
    w.bench.sweep().value();
    CHECK(code_of(w.bench.submit(at.open, {.progress = "too late"})) == errc::deadline_passed);
    CHECK(w.stored(at.id).changed_at == deadline + 5min);
  }
}

TEST_CASE("without grace the deadline is the end of everything", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.grace = 0s;
  const auto at = bring_to(w, situation_of("in_progress"), request);
  w.clock.set(monday + 1h - 1s);
  const bool in_time = GENERATE(true, false);
  if (in_time) {
    CHECK(w.bench.submit(at.open));
  } else {
    w.clock.advance(1s);
    CHECK(code_of(w.bench.submit(at.open)) == errc::deadline_passed);
  }
}

TEST_CASE("overtime that means submit hands in what was saved last, at the limit", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.overtime = overtime::submit;
  const auto at = bring_to(w, situation_of("in_progress"), request);
  w.clock.advance(10min);
  REQUIRE(w.bench.checkpoint(at.open, "all I had"));
  w.clock.set(monday + 1h + 5min - 1s);
  CHECK(w.bench.find(at.id, w.reviewer).value().state == interview_state::in_progress);
  w.clock.advance(days{3});
  CHECK(w.bench.find(at.id, w.reviewer).value().state == interview_state::submitted);
  // A reviewer decides without anybody having swept.
  const auto decided = w.bench.decide(at.id, w.reviewer, {.outcome = outcome::passed}).value().interview;
  CHECK(decided.submitted_at == monday + 1h + 5min);
  CHECK(w.bench.read_progress(at.id, w.reviewer).value()->bytes == "all I had");
  const auto audit = w.audit();
  CHECK(audit[audit.size() - 2].event == "submit");
  CHECK(audit[audit.size() - 2].actor == "system");
  CHECK(audit[audit.size() - 2].at == monday + 1h + 5min);
  CHECK(code_of(w.bench.submit(at.open)) == errc::invalid_transition);
  CHECK(code_of(w.bench.checkpoint(at.open, "x")) == errc::invalid_transition);
}

TEST_CASE("a submission may carry the last progress, and keeps what was saved where it does not", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  REQUIRE(w.bench.checkpoint(at.open, "saved"));
  const bool carries = GENERATE(true, false);
  REQUIRE(w.bench.submit(at.open, {.progress = carries ? std::optional<std::string>("final") : std::nullopt}));
  CHECK(w.bench.read_progress(at.id, w.reviewer).value()->bytes == (carries ? "final" : "saved"));
  CHECK_FALSE(w.stored(at.id).sitting.open);
  CHECK(w.audit().back().details.find("final") == std::string::npos);
}

TEST_CASE("every event that ends a sitting closes its session in the same commit", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const int how = GENERATE(0, 1, 2, 3, 4);
  if (how == 0) w.bench.submit(at.open).value();
  if (how == 1) w.bench.cancel(at.id, w.recruiter).value();
  if (how == 2) w.bench.withdraw(at.token).value();
  if (how == 3) w.bench.void_attempt(at.id, w.reviewer, {.reason_code = "c"}).value();
  if (how == 4) w.bench.reissue(at.id, w.recruiter).value();
  CHECK_FALSE(w.stored(at.id).sitting.open);
  // Not even the store itself takes progress now.
  CHECK_FALSE(w.data
                  ->save_progress({.tenant = acme,
                                   .interview = at.id,
                                   .fence = at.open.fence,
                                   .key_hash = sha256(key_one),
                                   .at = w.clock.now(),
                                   .bytes = "x"})
                  .value());
}

TEST_CASE("inspect changes nothing, whoever looks and however often", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto s = GENERATE(from_range(situations));
  INFO(s.name);
  const auto at = bring_to(w, s);
  const auto before = w.dump();
  const auto seen = w.bench.inspect(at.token).value();
  CHECK(w.bench.inspect(at.token).value().verdict == seen.verdict);
  CHECK(w.dump() == before);
  REQUIRE(seen.interview);
  CHECK(seen.interview->id == at.id);
  CHECK(seen.applicant_name == "Ada Lovelace");
  CHECK(seen.locale == "en");
  using enum interview_state;
  CHECK(seen.verdict == (is_active(s.state)     ? verdict::valid
                         : s.state == expired   ? verdict::expired
                         : s.state == cancelled ? verdict::cancelled
                         : s.state == archived  ? verdict::superseded_interview
                                                : verdict::completed));
}

TEST_CASE("what is no link of ours shows nothing but a reason for the log", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  auto claims = verify_token(w.keys, at.token, {"hirenow", "interview"}).value();
  const auto refused = [&](const std::string& token, std::string_view reason) {
    INFO(reason);
    const auto seen = w.bench.inspect(token).value();
    CHECK(seen.verdict == verdict::invalid);
    CHECK(seen.reason == reason);
    CHECK_FALSE(seen.interview);
    CHECK(seen.applicant_name.empty());
    CHECK_FALSE(seen.left);
    CHECK(code_of(w.bench.start(token, key_one)) == errc::token_invalid);
    CHECK(code_of(w.bench.resume(token, key_one)) == errc::token_invalid);
    CHECK(code_of(w.bench.withdraw(token)) == errc::token_invalid);
    CHECK(code_of(w.bench.request_link(token)) == errc::token_invalid);
  };
  refused("", "form");
  refused("a.b", "form");
  refused(std::string(limits::token + 1, 'a'), "too_large");
  auto broken = at.token;
  broken.back() = broken.back() == 'A' ? 'E' : 'A';
  refused(broken, "signature");
  const auto foreign = key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value();
  refused(mint_token(foreign, "k1", claims).value(), "signature");

  // Signed with our own key, but of no link that was ever made.
  const auto forged = [&](auto change) {
    auto other = claims;
    change(other);
    return mint_token(w.keys, "k1", other).value();
  };
  refused(forged([](token_claims& c) { c.tenant = globex; }), "unknown");
  refused(forged([](token_claims& c) { c.subject = "app-2"; }), "unknown");
  refused(forged([](token_claims& c) { c.interview.data[3] ^= 1; }), "unknown");
  refused(forged([](token_claims& c) { c.generation = 2; }), "unknown");
  refused(forged([](token_claims& c) { c.attempt = 2; }), "unknown");
  refused(forged([](token_claims& c) { c.expires_at += 1h; }), "unknown");
  refused(forged([](token_claims& c) { c.issuer = "somebody"; }), "issuer");
  refused(forged([](token_claims& c) { c.audience = "somebody"; }), "audience");
}

TEST_CASE("withdrawing tells the applicant only where asked to", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  const bool loud = GENERATE(false, true);
  const auto done =
      w.bench.withdraw(at.token, {.reason = "found a job", .notify = loud ? notify::now() : notify::none()}).value();
  CHECK(done.interview.outcome == outcome::withdrawn);
  const auto unsent = w.unsent(at.id);
  REQUIRE(unsent.size() == (loud ? 1 : 0));
  if (loud) CHECK(unsent[0].key.kind == message_kind::cancelled);
  CHECK(w.audit().back().actor == "applicant");
  CHECK(w.audit().back().note == "found a job");
}

TEST_CASE("a dead link brings the current one, by mail, and only so often", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "archived");  // its successor is scheduled
  const auto queued = [&] { return w.unsent(*at.successor).size(); };
  CHECK(queued() == 1);
  const auto first = w.bench.request_link(at.token).value();
  CHECK(first.queued);
  CHECK(first.noted);
  CHECK(first.interview == at.successor);
  CHECK(queued() == 2);
  CHECK(w.messages(*at.successor).back().key.kind == message_kind::reissued_link);
  CHECK(w.stored(*at.successor).link.generation == 1);
  CHECK(w.stored(*at.successor).link_requested_at == w.clock.now());
  CHECK(w.audit().back().event == "request_link");

  w.clock.advance(15min - 1s);
  const auto before = w.dump();
  const auto hasty = w.bench.request_link(at.token).value();
  CHECK(hasty.interview == at.successor);
  CHECK_FALSE(hasty.queued);
  CHECK(w.dump() == before);
  w.clock.advance(1s);
  CHECK(w.bench.request_link(at.token).value().queued);
  CHECK(queued() == 3);
}

TEST_CASE("a link that a newer one replaced brings that one", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  CHECK(code_of(w.bench.request_link(at.token)) == errc::invalid_transition);
  w.bench.reissue(at.id, w.recruiter, {.notify = notify::none()}).value();
  CHECK(w.bench.request_link(at.token).value().queued);
  const auto unsent = w.unsent(at.id);
  REQUIRE(unsent.size() == 1);
  CHECK(unsent[0].generation == 2);
}

TEST_CASE("an expired interview has no link to send, but the recruiter sees who asked", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "expired, never started");
  const auto answer = w.bench.request_link(at.token).value();
  CHECK_FALSE(answer.queued);
  CHECK(answer.noted);
  CHECK(w.stored(at.id).state == interview_state::expired);
  CHECK(w.stored(at.id).link_requested_at == w.clock.now());
  CHECK(w.unsent(at.id).empty());
  // The note does not move the place in the list.
  CHECK(w.stored(at.id).changed_at == monday + 72h);
}

TEST_CASE("a link whose key was retired is dead, and one that only verifies is alive", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto document = new_key_document(key_algorithm::hs256, "old");
  auto ring = key_ring::from_json(document).value();
  engine bench(*w.data, ring, retake_policy::standard(), w.with_defaults({}));
  const auto token = token_in(bench.schedule(w.terms(), w.recruiter).value().link);
  const auto reload_as = [&](std::string_view status) {
    auto changed = document;
    changed.replace(changed.find("\"signing\""), 9, "\"" + std::string(status) + "\"");
    REQUIRE(ring.reload(changed));
  };
  reload_as("verify_only");
  CHECK(bench.inspect(token).value().verdict == verdict::valid);
  reload_as("retired");
  CHECK(bench.inspect(token).value().verdict == verdict::invalid);
  CHECK(bench.inspect(token).value().reason == "kid");
}

}  // namespace
