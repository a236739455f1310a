/// Accommodations: what lengthens an attempt before it starts and while it runs, the outer limit that cuts it, and
/// links that are extended.

#include "support/recording_mailer.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

TEST_CASE("a deadline is its terms, one after the other", "[engine]") {
  interview i;
  i.time_limit = 50min;
  i.grace = 2min;
  const auto plain = deadline_breakdown(i, monday);
  CHECK(plain.deadline == monday + 50min);
  CHECK(plain.last_submit == monday + 52min);
  CHECK_FALSE(plain.cut);

  i.accommodation = {125, 10min, 3min};
  const auto longer = deadline_breakdown(i, monday);
  CHECK(longer.started_at == monday);
  CHECK(longer.time_limit == 50min);
  CHECK(longer.by_percent == 750s);
  CHECK(longer.extra == 10min);
  CHECK(longer.pause == 3min);
  CHECK(longer.deadline == monday + 50min + 750s + 13min);

  SECTION("an outer limit behind them changes nothing") {
    i.ends_by = longer.deadline;
    CHECK_FALSE(deadline_breakdown(i, monday).cut);
  }
  SECTION("an outer limit before them cuts, and the grace follows it") {
    i.ends_by = longer.deadline - 1s;
    const auto cut = deadline_breakdown(i, monday);
    CHECK(cut.cut);
    CHECK(cut.deadline == *i.ends_by);
    CHECK(cut.last_submit == *i.ends_by + 2min);
    CHECK(cut.ends_by == i.ends_by);
  }
  SECTION("a part of a second is not given") {
    i.time_limit = 3s;
    i.accommodation = {150, 0s, 0s};
    CHECK(deadline_breakdown(i, monday).by_percent == 1s);
  }
}

TEST_CASE("time that is added before the start counts from the start", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  const auto granted =
      w.bench.accommodate(at.id, w.recruiter, {.percent = 150, .extra = 5min, .grace = 1min, .reason_code = "dyslexia"})
          .value();
  CHECK(granted.interview.state == interview_state::scheduled);
  CHECK_FALSE(granted.interview.deadline);
  w.clock.advance(1h);
  const auto open = w.bench.start(at.token, key_one).value();
  CHECK(open.left == 95min);
  CHECK(w.stored(at.id).accommodation == accommodation{150, 5min, 0s});
  CHECK(w.stored(at.id).grace == 1min);
  w.clock.set(*open.interview.deadline + 59s);
  CHECK(w.bench.submit(open.session));
}

TEST_CASE("time that is added to a running attempt moves its deadline at once", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const auto deadline = *w.stored(at.id).deadline;
  w.clock.set(deadline - 1s);
  const auto longer = w.bench.accommodate(at.id, w.recruiter, {.pause = 10min, .reason_code = "fire_alarm"}).value();
  CHECK(longer.interview.deadline == deadline + 10min);

  SECTION("the sitting goes on, and its progress is taken to the new deadline") {
    w.clock.set(deadline + 10min - 1s);
    CHECK(w.bench.inspect(at.token).value().left == 1s);
    CHECK(w.bench.checkpoint(at.open, "late"));
    w.bench.sweep().value();
    CHECK(w.stored(at.id).state == interview_state::in_progress);
    w.clock.advance(1s);
    CHECK(code_of(w.bench.checkpoint(at.open, "too late")) == errc::deadline_passed);
    w.clock.advance(w.stored(at.id).grace);
    w.bench.sweep().value();
    CHECK(w.stored(at.id).state == interview_state::expired);
    CHECK(w.stored(at.id).changed_at == deadline + 10min + w.stored(at.id).grace);
  }
  SECTION("a term that is given takes the place of the one before, the others stay") {
    REQUIRE(w.bench.accommodate(at.id, w.recruiter, {.percent = 200, .reason_code = "more"}));
    CHECK(w.stored(at.id).deadline == deadline + 1h + 10min);
    REQUIRE(w.bench.accommodate(at.id, w.recruiter, {.pause = 0s, .reason_code = "mistake"}));
    CHECK(w.stored(at.id).deadline == deadline + 1h);
  }
  SECTION("no term is taken away that the attempt lives on") {
    w.clock.set(deadline + 1s);
    const auto before = w.dump();
    CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.pause = 0s, .reason_code = "x"})) ==
          errc::invalid_argument);
    CHECK(w.dump() == before);
  }
  SECTION("from the deadline on it is too late, within the grace and after it") {
    REQUIRE(w.bench.accommodate(at.id, w.recruiter, {.grace = 1h, .reason_code = "slow_network"}));
    w.clock.set(deadline + 10min);
    CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.pause = 1h, .reason_code = "x"})) == errc::deadline_passed);
    w.clock.advance(1h);
    CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.pause = 1h, .reason_code = "x"})) ==
          errc::invalid_transition);
  }
}

TEST_CASE("what was granted stands in the audit, the free words apart", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  REQUIRE(w.bench.accommodate(at.id, w.recruiter,
                              {.extra = 15min, .reason_code = "extra_time", .reason = "a doctor's letter"}));
  const auto entry = w.audit().back();
  CHECK(entry.event == "accommodate");
  CHECK(entry.actor == "staff:" + w.recruiter.id);
  CHECK(entry.details.find("\"reason_code\":\"extra_time\"") != std::string::npos);
  CHECK(entry.details.find("\"extra\":900") != std::string::npos);
  CHECK(entry.details.find("doctor") == std::string::npos);
  CHECK(entry.note == "a doctor's letter");
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
}

TEST_CASE("an accommodation answers again under its key", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const accommodate_options once{.pause = 5min, .reason_code = "power_cut", .idempotency_key = "k"};
  const auto first = w.bench.accommodate(at.id, w.recruiter, once).value();
  const auto before = w.dump();
  const auto again = w.bench.accommodate(at.id, w.recruiter, once).value();
  CHECK(again.replayed);
  CHECK(again.interview == first.interview);
  CHECK(w.dump() == before);
  auto other = once;
  other.pause = 6min;
  CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, other)) == errc::idempotency_mismatch);
}

TEST_CASE("an outer limit ends the link and the attempt", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.ends_by = monday + 2h;
  const auto at = bring_to(w, situation_of("scheduled"), request);
  CHECK(w.stored(at.id).start_by == monday + 2h);
  REQUIRE(w.bench.accommodate(at.id, w.recruiter, {.percent = 1000, .reason_code = "x"}));
  w.clock.set(monday + 2h - 1s);
  const auto open = w.bench.start(at.token, key_one).value();
  CHECK(open.left == 1s);
  CHECK(open.interview.deadline == request.ends_by);
  CHECK(deadline_breakdown(open.interview, *open.interview.started_at).cut);

  SECTION("a link that would open behind it is refused") {
    request.track = "another";
    request.opens_at = request.ends_by;
    CHECK(code_of(w.bench.schedule(request, w.recruiter)) == errc::invalid_argument);
  }
}

TEST_CASE("an invitation tells the time that there really is before an outer limit", "[engine][dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  recording_mailer box;
  dispatcher_options told = dispatch_options();
  const auto mail_of = [&](schedule_request request) {
    w.bench.schedule(request, w.recruiter).value();
    dispatcher(w.bench, box, told).dispatch_due().value();
    return box.last().text;
  };
  const auto has = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
  auto request = w.terms();  // an hour

  request.ends_by = monday + days{3} + 1h;  // whenever the applicant starts, there is the hour
  std::string text = mail_of(request);
  CHECK(has(text, "From then on you have 1 hour."));
  CHECK_FALSE(has(text, "no longer"));

  request.track = "late";
  request.ends_by = monday + 5h;  // who starts late has less
  text = mail_of(request);
  CHECK(has(text, "From then on you have 1 hour,\nbut no longer than until Monday, 2 March 2026, 14:00"));

  request.track = "never whole";
  request.ends_by = monday + 37min + 30s;  // even who starts at once has less
  text = mail_of(request);
  CHECK(has(text, "From then on you have 37 minutes,\nbut no longer than until Monday, 2 March 2026, 09:37"));

  request.track = "opens later";
  request.opens_at = monday + 10min;
  request.applicant.locale = "de";
  text = mail_of(request);
  CHECK(has(text, "Ihre Zeit von da an: 27 Minuten,\nlängstens aber bis Montag, 2. März 2026, 09:37"));

  // The host's own texts and renderer get the same.
  told.renderer = [](message_kind, std::string_view, const message_view& v) -> result<rendered_message> {
    return rendered_message{
        "s", std::to_string(v.time_limit.count()) + " until " + (v.ends_by ? to_string(*v.ends_by) : "-"), "", "en"};
  };
  request.track = "rendered";
  CHECK(mail_of(request) == "1620 until 2026-03-02T09:37:30Z");

  // Once it was started the deadline is told, which has the limit in it.
  told.renderer = [](message_kind, std::string_view, const message_view& v) -> result<rendered_message> {
    return rendered_message{"s", to_string(v.deadline.value()) + (v.ends_by ? " cut" : ""), "", "en"};
  };
  request.track = "started";
  request.opens_at.reset();
  const auto invited = w.bench.schedule(request, w.recruiter).value();
  w.bench.start(token_in(invited.link), key_one).value();
  w.bench.reissue(invited.interview.id, w.recruiter).value();
  dispatcher(w.bench, box, told).dispatch_due().value();
  CHECK(box.last().text == "2026-03-02T09:37:30Z");
}

TEST_CASE("an accommodation follows the person into the retake, a pause and an outer limit do not", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  auto request = w.terms();
  request.ends_by = monday + days{30};
  const auto at = bring_to(w, situation_of("in_progress"), request);
  REQUIRE(w.bench.accommodate(at.id, w.recruiter,
                              {.percent = 125, .extra = 2min, .pause = 4min, .reason_code = "extra_time"}));
  w.bench.submit(at.open).value();
  w.bench.decide(at.id, w.reviewer, {.outcome = outcome::failed}).value();
  w.clock.advance(days{60});
  const auto again = w.bench.retake(at.id, w.recruiter).value();
  CHECK(again.interview.accommodation == accommodation{125, 2min, 0s});
  CHECK_FALSE(again.interview.ends_by);
  CHECK(again.archived.accommodation == accommodation{125, 2min, 4min});
}

TEST_CASE("a live link is extended from its end, an expired one from now", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "scheduled");
  const auto end = w.stored(at.id).start_by;
  SECTION("live") {
    w.clock.set(end - 1s);
    const auto longer = w.bench.reissue(at.id, w.recruiter, {.extend_by = 24h}).value();
    CHECK(longer.interview.start_by == end + 24h);
    CHECK(longer.interview.link.expires_at == end + 24h);
    CHECK(longer.interview.link.generation == 2);
    CHECK(w.bench.inspect(at.token).value().verdict == verdict::superseded_link);
    w.clock.set(end + 24h - 1s);
    CHECK(w.bench.start(token_in(longer.link), key_one));
  }
  SECTION("expired") {
    w.clock.set(end + 48h);
    const auto longer = w.bench.reissue(at.id, w.recruiter, {.extend_by = 24h}).value();
    CHECK(longer.interview.state == interview_state::scheduled);
    CHECK(longer.interview.start_by == end + 72h);
  }
  SECTION("not yet open: it opens when it was to") {
    auto request = w.terms();
    request.track = "later";
    request.opens_at = monday + days{2};
    const auto later = w.bench.schedule(request, w.recruiter).value();
    const auto longer = w.bench.reissue(later.interview.id, w.recruiter, {.extend_by = 1h}).value();
    CHECK(longer.interview.link.not_before == monday + days{2});
    CHECK(longer.interview.start_by == later.interview.start_by + 1h);
  }
  SECTION("an extension is no lifetime, and no time for a started attempt") {
    CHECK(code_of(w.bench.reissue(at.id, w.recruiter, {.link_lifetime = 1h, .extend_by = 1h})) ==
          errc::invalid_argument);
    CHECK(code_of(w.bench.reissue(at.id, w.recruiter, {.opens_at = monday, .extend_by = 1h})) ==
          errc::invalid_argument);
    REQUIRE(w.bench.start(at.token, key_one));
    CHECK(code_of(w.bench.reissue(at.id, w.recruiter, {.extend_by = 1h})) == errc::invalid_argument);
  }
}

TEST_CASE("an accommodation of nothing, or out of its range, is refused", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "in_progress");
  const auto before = w.dump();
  CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.reason_code = "x"})) == errc::invalid_argument);
  for (const std::uint32_t percent : {0U, 99U, 1001U, 0xffffffffU})
    CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.percent = percent, .reason_code = "x"})) ==
          errc::invalid_argument);
  CHECK(code_of(w.bench.accommodate(at.id, w.recruiter, {.extra = limits::longest_span, .reason_code = "x"})) ==
        errc::invalid_argument);
  CHECK(w.dump() == before);
}

}  // namespace
