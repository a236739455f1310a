/// Policies as they are kept: versions, the instant from which one is in force, waits that run, and trying one out.

#include <boost/json/parse.hpp>

#include "support/store_in_between.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

std::string with_wait(std::string_view version, std::string_view wait) {
  return R"({"hirenow_policy": 1, "version": ")" + std::string(version) +
         R"(", "rules": [{"rule": "wait", "id": "w", "after": [")" + std::string(wait) + R"("]}]})";
}

std::vector<std::string> versions_of(const std::vector<stored_policy>& all) {
  std::vector<std::string> out;
  for (const auto& p : all) out.push_back(p.document.empty() ? "" : retake_policy::parse(p.document)->version());
  return out;
}

TEST_CASE("every policy that was set is kept, and in force from its instant on", "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  const auto asked = [&] { return w.bench.retake_eligibility(at.id, w.recruiter).value().policy_version; };
  w.clock.set(monday + 1h);
  REQUIRE(w.bench.set_policy("", with_wait("one", "P20D"), w.admin));
  REQUIRE(w.bench.set_policy("", with_wait("two", "P21D"), w.admin, {.from = monday + 3h}));
  REQUIRE(w.bench.set_policy("", with_wait("three", "P22D"), w.admin, {.from = monday + 2h}));
  REQUIRE(w.bench.set_policy(w.track, with_wait("own", "P1D"), w.admin, {.from = monday + 4h}));
  CHECK(asked() == "one");
  w.clock.set(monday + 2h - 1s);
  CHECK(asked() == "one");
  w.clock.set(monday + 2h);
  CHECK(asked() == "three");
  w.clock.set(monday + 3h);
  CHECK(asked() == "two");
  w.clock.set(monday + 4h);
  CHECK(asked() == "own");
  REQUIRE(w.bench.set_policy(w.track, "", w.admin, {.from = monday + 5h}));
  w.clock.set(monday + 5h);
  CHECK(asked() == "two");

  auto all = w.bench.policies("", w.recruiter).value();
  CHECK(versions_of(all) == std::vector<std::string>{"two", "three", "one"});
  CHECK(all.front().set_by == "anna");
  CHECK(all.front().set_at == monday + 1h);
  CHECK(all.front().number == 2);
  const auto rest = w.bench.policies("", w.recruiter, policy_place{all[0].active_from, all[0].number}, 1).value();
  CHECK(versions_of(rest) == std::vector<std::string>{"three"});
  CHECK(versions_of(w.bench.policies(w.track, w.recruiter).value()) == std::vector<std::string>{"", "own"});
  CHECK(w.bench.policies("elsewhere", w.recruiter).value().empty());
  CHECK(w.bench.policies("", w.stranger).value().empty());

  // The same document again writes nothing.
  REQUIRE(w.bench.set_policy("", with_wait("two", "P21D"), w.admin));
  REQUIRE(w.bench.set_policy(w.track, "", w.admin));
  CHECK(w.bench.policies("", w.recruiter).value().size() == 3);
  CHECK(code_of(w.bench.set_policy("", "", w.admin, {.from = w.clock.now() - 1s})) == errc::invalid_argument);
  CHECK(code_of(w.bench.set_policy("", "", w.admin, {.running_waits = running_waits{7}})) == errc::invalid_argument);
  CHECK(code_of(w.bench.policies("", w.recruiter, {}, 0)) == errc::invalid_argument);
  CHECK(code_of(w.bench.policies("", w.recruiter, {}, limits::page + 1)) == errc::invalid_argument);
}

TEST_CASE("two of one second: the later one holds, and the earlier is not forgotten", "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");
  REQUIRE(w.bench.set_policy("", with_wait("one", "P20D"), w.admin));
  REQUIRE(w.bench.set_policy("", with_wait("two", "P20D"), w.admin));
  CHECK(w.bench.retake_eligibility(at.id, w.recruiter).value().policy_version == "two");
  CHECK(versions_of(w.bench.policies("", w.recruiter).value()) == std::vector<std::string>{"two", "one"});
}

TEST_CASE("waits that run keep their rule where the policy says so", "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "failed");  // attempted on monday
  const auto asked = [&] { return w.bench.retake_eligibility(at.id, w.recruiter).value().policy_version; };
  const auto after = [&](auto span) { w.clock.set(monday + days{14} + span); };
  const activation keep{.running_waits = running_waits::keep};
  after(1h);
  // Nobody had set one: the engine's own stays.
  REQUIRE(w.bench.set_policy("", with_wait("tenant", "P60D"), w.admin, keep));
  CHECK(asked() == "standard-1");
  after(2h);
  REQUIRE(w.bench.set_policy(w.track, with_wait("track", "P60D"), w.admin, keep));
  CHECK(asked() == "standard-1");
  after(3h);
  REQUIRE(w.bench.set_policy(w.track, with_wait("track replaced", "P1D"), w.admin));
  CHECK(asked() == "track replaced");
  after(4h);
  REQUIRE(w.bench.set_policy(w.track, with_wait("track kept", "P60D"), w.admin, keep));
  CHECK(asked() == "track replaced");
  // A retake, under the old rule, and a failure: from now on the new one.
  const auto again = w.bench.retake(at.id, w.recruiter).value();
  for (const auto& e : w.audit())
    if (e.event == "retake") CHECK(e.details.find("track replaced") != std::string::npos);
  const auto open = w.bench.start(token_in(again.link), key_one).value().session;
  w.bench.submit(open).value();
  w.bench.decide(again.interview.id, w.reviewer, {.outcome = outcome::failed}).value();
  CHECK(w.bench.retake_eligibility(again.interview.id, w.recruiter).value().policy_version == "track kept");
}

TEST_CASE("trying a policy out says who becomes eligible and who ceases to be, and changes nothing",
          "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  // Applicants whose failure is 0, 5, 10, …, 45 days old; the standard policy asks for 14.
  constexpr int people = 10;
  for (int n = 0; n < people; ++n) {
    w.clock.set(monday + days{5 * n});
    auto request = w.terms();
    request.applicant.id = "app-" + std::to_string(n);
    request.track = n % 2 == 0 ? "even" : "odd";
    const auto invited = w.bench.schedule(request, w.recruiter).value();
    const auto open = w.bench.start(token_in(invited.link), key_one).value().session;
    w.bench.submit(open).value();
    w.bench.decide(invited.interview.id, w.reviewer, {.outcome = outcome::failed}).value();
  }
  auto active = w.terms();  // nothing is asked of it
  active.applicant.id = "app-active";
  w.bench.schedule(active, w.recruiter).value();
  const auto before = w.dump();
  const auto all_pages = [&](what_if_query query) {
    what_if_page all;
    do {
      auto page = w.bench.what_if(query, w.admin).value();
      CHECK(page.counts.applicants <= query.limit);
      all.counts += page.counts;
      all.rows.insert(all.rows.end(), page.rows.begin(), page.rows.end());
      query.cursor = page.next;
    } while (!query.cursor.empty());
    return all;
  };
  for (const std::size_t limit : {1U, 3U, 11U, 12U, 500U}) {
    INFO(limit);
    const auto stricter = all_pages({.document = with_wait("stricter", "P31D"), .limit = limit});
    CHECK(stricter.counts == what_if_counts{.applicants = 11,
                                            .interviews = 11,
                                            .tracks = 10,
                                            .eligible_now = 7,
                                            .eligible_then = 3,
                                            .cease = 4,
                                            .later = 3});
    REQUIRE(stricter.rows.size() == 7);
    CHECK(stricter.rows.front().applicant_id == "app-3");  // 30 days old
    CHECK(stricter.rows.front().eligible_now);
    CHECK_FALSE(stricter.rows.front().eligible_then);
    CHECK(stricter.rows.front().reason_then == "cooldown");
    CHECK(stricter.rows.front().eligible_at_then == monday + days{15 + 31});
    const auto laxer = all_pages({.document = with_wait("laxer", "P7D"), .limit = limit});
    CHECK(laxer.counts.become == 1);
    CHECK(laxer.counts.sooner == 2);
    CHECK(laxer.counts.cease == 0);
  }
  const auto one_track = all_pages({.document = with_wait("stricter", "P31D"), .track = "even"});
  CHECK(one_track.counts.tracks == 5);
  // A track with a policy of its own has nothing to do with the tenant's.
  REQUIRE(w.bench.set_policy("odd", with_wait("odd", "P1D"), w.admin));
  CHECK(all_pages({.document = with_wait("stricter", "P31D")}).counts.tracks == 5);
  CHECK(all_pages({.document = with_wait("stricter", "P31D"), .track = "odd"}).counts.cease == 3);
  CHECK(w.dump() == before);
  CHECK(w.bench.what_if({.document = with_wait("v", "P1D")}, w.stranger).value().counts == what_if_counts{});

  CHECK(code_of(w.bench.what_if({.document = "{}"}, w.admin)) == errc::policy_invalid);
  CHECK(code_of(w.bench.what_if({.document = with_wait("v", "P1D"), .limit = 0}, w.admin)) == errc::invalid_argument);
  CHECK(code_of(w.bench.what_if({.document = with_wait("v", "P1D")}, w.recruiter)) == errc::permission_denied);
}

}  // namespace
