/// Policies as they are kept: versions, the instant from which one is in force, waits that run, and trying one out.

#include <limits>

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
  const policy_place beyond{all[0].active_from, std::numeric_limits<std::uint64_t>::max()};
  CHECK(w.bench.policies("", w.recruiter, beyond).value() == all);
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

/// Shows other policies than those that are stored.
class forged_policies final : public store_in_between {
 public:
  using store_in_between::store_in_between;
  std::function<void(std::vector<stored_policy>&)> forge{};
  result<std::vector<stored_policy>> policies(const policy_query& q) override {
    auto page = next_.policies(q);
    if (page && forge && !page->empty()) forge(*page);
    return page;
  }
};

TEST_CASE("the tenant's own audit tells who set which policy, and is verified like any other", "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  CHECK(w.bench.read_audit("", w.admin).value().empty());
  CHECK(w.bench.verify_audit("", w.admin).value().entries == 0);
  bring_to(w, "failed");
  w.clock.set(monday + 1h);
  const auto before = w.bench.audit_checkpoint(w.admin).value();
  const std::string one = with_wait("one", "P20D");
  REQUIRE(w.bench.set_policy("", one, w.admin));
  REQUIRE(w.bench.set_policy("", one, w.admin));  // the same again: no entry
  REQUIRE(w.bench.set_policy(w.track, with_wait("own", "P1D"), w.admin,
                             {.from = monday + 2h, .running_waits = running_waits::keep}));
  w.clock.set(monday + 2h);
  REQUIRE(w.bench.set_policy(w.track, "", w.admin));
  CHECK(code_of(w.bench.set_policy("", "{}", w.admin)) == errc::policy_invalid);

  const auto entries = w.bench.read_audit("", w.admin).value();
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].actor == "staff:anna");
  CHECK(entries[0].event == "set_policy");
  CHECK(entries[0].at == monday + 1h);
  const auto details = [](const audit_entry& e) { return boost::json::parse(e.details).as_object(); };
  const auto since = [](sys_seconds at) { return at.time_since_epoch().count(); };
  CHECK(details(entries[0]) == boost::json::object{{"active_from", since(monday + 1h)},
                                                   {"running_waits", "replace"},
                                                   {"version", "one"},
                                                   {"hash", detail::hex(sha256(one))}});
  CHECK(details(entries[1]) == boost::json::object{{"active_from", since(monday + 2h)},
                                                   {"running_waits", "keep"},
                                                   {"track", w.track},
                                                   {"version", "own"},
                                                   {"hash", detail::hex(sha256(with_wait("own", "P1D")))}});
  CHECK(details(entries[2]) == boost::json::object{{"active_from", since(monday + 2h)},  // taken away
                                                   {"running_waits", "replace"},
                                                   {"track", w.track}});
  const auto report = w.bench.verify_audit("", w.admin).value();
  CHECK(report.entries == 3);
  CHECK(report.head == entries.back().hash);
  CHECK(w.bench.read_audit("", w.stranger).value().empty());
  CHECK(code_of(w.bench.read_audit("", actor{"x", w.admin.tenant, {}})) == errc::permission_denied);

  // It is no applicant's.
  CHECK(w.bench.list({}, w.recruiter).value().rows.size() == 1);
  CHECK(w.bench.what_if({.document = one}, w.admin).value().counts.applicants == 1);
  CHECK(code_of(w.bench.erase_applicant("", w.admin)) == errc::invalid_argument);
  CHECK(code_of(w.bench.record_fact("", {.name = "f", .at = monday}, w.admin)) == errc::invalid_argument);
  auto nobody = w.terms();
  nobody.applicant.id = "";
  CHECK(code_of(w.bench.schedule(nobody, w.recruiter)) == errc::invalid_argument);

  // The signed checkpoint has it, and an older one still holds.
  CHECK(w.bench.verify_audit_checkpoint(before, w.admin).value() == 1);
  const auto now = w.bench.audit_checkpoint(w.admin).value();
  CHECK(w.bench.verify_audit_checkpoint(now, w.admin).value() == 2);

  forged_policies forged(*w.data);
  engine suspicious = w.another(forged);
  REQUIRE(suspicious.verify_audit("", w.admin));
  const std::array<std::pair<std::string_view, void (*)(stored_policy&)>, 7> edits{{
      {"document", [](stored_policy& p) { p.document += " "; }},
      {"hash", [](stored_policy& p) { p.hash[0] ^= 1; }},
      {"document with its hash", [](stored_policy& p) { p.hash = sha256(p.document += " "); }},
      {"set_by", [](stored_policy& p) { p.set_by = "mallory"; }},
      {"set_at", [](stored_policy& p) { p.set_at -= 1s; }},
      {"active_from", [](stored_policy& p) { p.active_from += 1s; }},
      {"running_waits", [](stored_policy& p) { p.running_waits = running_waits::keep; }},
  }};
  for (const auto& [what, edit] : edits) {
    INFO(what);
    forged.forge = [change = edit](auto& page) { change(page.front()); };
    CHECK(code_of(suspicious.verify_audit("", w.admin)) == errc::audit_broken);
  }
  forged.forge = [](auto& page) { page.pop_back(); };
  CHECK(code_of(suspicious.verify_audit("", w.admin)) == errc::audit_broken);
  forged.forge = [](auto& page) {
    page.push_back(page.front());
    page.back().number += 1;
  };
  CHECK(code_of(suspicious.verify_audit("", w.admin)) == errc::audit_broken);
}

TEST_CASE("what an invitation and a retake were decided by stands in the audit", "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  const std::string first = with_wait("one", "P1D"), second = with_wait("two", "P1D");
  REQUIRE(w.bench.set_policy("", first, w.admin));
  const auto at = bring_to(w, "failed");
  REQUIRE(w.bench.set_policy("", second, w.admin));
  w.clock.advance(std::chrono::days(2));
  REQUIRE(w.bench.retake(at.id, w.recruiter));
  std::vector<std::string> named;
  for (const auto& entry : w.bench.read_audit("app-1", w.admin).value()) {
    const auto details = boost::json::parse(entry.details).as_object();
    if (const auto* version = details.if_contains("policy_version"))
      named.push_back(entry.event + " " + std::string(version->as_string()) + " " +
                      std::string(details.at("policy").as_string()));
  }
  CHECK(named == std::vector<std::string>{"schedule one " + detail::hex(sha256(first)),
                                          "retake two " + detail::hex(sha256(second))});
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

TEST_CASE("trying a policy out tells what setting it would, whatever becomes of waits that run", "[engine][policies]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool of_track = GENERATE(false, true);
  const auto waits = GENERATE(running_waits::replace, running_waits::keep);
  INFO((of_track ? "the track's own, " : "the tenant's, ") << to_string(waits));
  const std::string track = of_track ? w.track : "";
  const auto at = bring_to(w, "failed");  // attempted on monday
  // One that keeps older waits stands already.
  w.clock.set(monday + days{1});
  REQUIRE(w.bench.set_policy("", with_wait("before", "P20D"), w.admin, {.running_waits = running_waits::keep}));
  w.clock.set(monday + days{30});
  const auto asked = [&] { return w.bench.retake_eligibility(at.id, w.recruiter).value(); };
  REQUIRE(asked().policy_version == "standard-1");
  REQUIRE(asked().allowed);

  const std::string document = with_wait("tried", "P60D");
  const auto page = w.bench.what_if({.document = document, .track = track, .running_waits = waits}, w.admin).value();
  CHECK(asked().policy_version == "standard-1");
  REQUIRE(w.bench.set_policy(track, document, w.admin, {.running_waits = waits}));
  const auto truly = asked();
  CHECK(truly.allowed == (waits == running_waits::keep));
  CHECK(page.counts.tracks == 1);
  CHECK(page.counts.eligible_now == 1);
  CHECK(page.counts.eligible_then == (truly.allowed ? 1 : 0));
  CHECK(page.counts.cease == (truly.allowed ? 0 : 1));
  REQUIRE(page.rows.size() == (truly.allowed ? 0 : 1));
  if (!truly.allowed) {
    CHECK(page.rows[0].eligible_at_then == truly.eligible_at);
    CHECK(page.rows[0].reason_then == truly.reason);
  }
  CHECK(code_of(w.bench.what_if({.document = document, .running_waits = running_waits{7}}, w.admin)) ==
        errc::invalid_argument);
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
  // A page that is asked for later says what the first one said: all of them are as of one instant.
  const auto started = w.clock.now();
  what_if_counts as_of_the_first;
  what_if_query slowly{.document = with_wait("stricter", "P31D"), .limit = 2};
  do {
    const auto page = w.bench.what_if(slowly, w.admin).value();
    as_of_the_first += page.counts;
    slowly.cursor = page.next;
    w.clock.advance(days{20});
  } while (!slowly.cursor.empty());
  w.clock.set(started);
  CHECK(as_of_the_first == all_pages({.document = with_wait("stricter", "P31D")}).counts);
  for (const char* const bad : {"app-3", "@app-3", "12@", "1x@app-3", "-1@app-3", "99999999999999@app-3"}) {
    slowly.cursor = bad;
    CHECK(code_of(w.bench.what_if(slowly, w.admin)) == errc::invalid_argument);
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
