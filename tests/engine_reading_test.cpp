/// Reading: one interview, the dashboard, histories, messages and audit, in pages.

#include <limits>

#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::test;

TEST_CASE("reads page through, and say what they cannot find", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  std::vector<interview_id> ids;
  for (std::size_t n = 0; n < 7; ++n) {
    auto request = w.terms();
    request.track = "t" + std::to_string(n);
    if (n % 2 == 1) request.applicant = {.id = "app-2", .email = "b@example.org"};
    ids.push_back(w.bench.schedule(request, w.recruiter).value().interview.id);
    w.clock.advance(1min);
  }
  SECTION("the dashboard, newest first, each once") {
    std::vector<interview_id> seen;
    dashboard_query query{.limit = 3};
    for (;;) {
      const auto page = w.bench.list(query, w.reviewer).value();
      CHECK(page.rows.size() <= 3);
      CHECK((*page.counts)[0] == 7);
      for (const auto& row : page.rows) seen.push_back(row.interview.id);
      if (page.next.empty()) break;
      query.cursor = page.next;
    }
    CHECK(seen == std::vector<interview_id>(ids.rbegin(), ids.rend()));
    CHECK(w.bench.list({.applicant_id = "app-2"}, w.reviewer).value().rows.size() == 3);
    CHECK(w.bench.list({.track = "t4"}, w.reviewer).value().rows.size() == 1);
    CHECK(w.bench.list({.state = interview_state::passed}, w.reviewer).value().rows.empty());
    CHECK_FALSE(w.bench.list({.with_counts = false}, w.reviewer).value().counts);
    CHECK(w.bench.list({}, w.reviewer).value().rows[0].applicant_name == "Ada Lovelace");
  }
  SECTION("the audit") {
    const auto all = w.bench.read_audit(w.ada.id, w.reviewer).value();
    CHECK(all.size() == 4);
    const auto rest = w.bench.read_audit(w.ada.id, w.reviewer, 1, 2).value();
    REQUIRE(rest.size() == 2);
    CHECK(rest[0] == all[1]);
    CHECK(code_of(w.bench.read_audit("nobody", w.reviewer)) == errc::not_found);
  }
  SECTION("the history, of one track alone") {
    const auto history = w.bench.history(ids[0], w.reviewer).value();
    CHECK(history.person == w.ada);
    CHECK(history.attempts.size() == 1);
    CHECK(history.entries.size() == 1);
    CHECK(history.messages.size() == 1);
  }
  SECTION("messages, by key") {
    const auto all = w.bench.read_messages({}, w.reviewer).value();
    REQUIRE(all.size() == 7);
    const auto rest = w.bench.read_messages({.after = all[4].key, .limit = 5}, w.reviewer).value();
    REQUIRE(rest.size() == 2);
    CHECK(rest[1] == all[6]);
    auto beyond = all[6].key;  // greater than any that there is
    beyond.occasion = std::numeric_limits<std::uint64_t>::max();
    CHECK(w.bench.read_messages({.after = beyond}, w.reviewer).value().empty());
  }
  SECTION("nothing") {
    const interview_id unknown{};
    CHECK(code_of(w.bench.find(unknown, w.reviewer)) == errc::not_found);
    CHECK(code_of(w.bench.history(unknown, w.reviewer)) == errc::not_found);
    CHECK(code_of(w.bench.read_progress(unknown, w.reviewer)) == errc::not_found);
    CHECK(code_of(w.bench.permitted_actions(unknown, w.reviewer)) == errc::not_found);
    CHECK(code_of(w.bench.retake_eligibility(unknown, w.reviewer)) == errc::not_found);
    CHECK_FALSE(w.bench.read_progress(ids[0], w.reviewer).value());
  }
}

TEST_CASE("a history holds all attempts of a track and the messages of each", "[engine]") {
  HIRENOW_IN_EVERY_STORE(w);
  const auto at = bring_to(w, "archived");
  auto request = w.terms();
  request.track = "elsewhere";
  w.bench.schedule(request, w.recruiter).value();
  const auto history = w.bench.history(at.id, w.reviewer).value();
  REQUIRE(history.attempts.size() == 2);
  CHECK(history.attempts[0].id == at.id);
  CHECK(history.attempts[1].id == *at.successor);
  CHECK(history.entries.size() == w.audit().size() - 1);
  CHECK(history.messages.size() == 3);
  CHECK(w.bench.history(*at.successor, w.reviewer).value().entries == history.entries);
}

}  // namespace
