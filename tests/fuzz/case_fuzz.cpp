// Fuzzes the reader of cases, and the evaluation with what it accepts: any history, facts, waivers, zone and instant.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hirenow/retake_case.hpp"
#include "hirenow/retake_policy.hpp"

namespace {

using namespace hirenow;

void must(bool holds) {
  if (!holds) std::abort();
}

/// A policy that asks for everything that a case can hold.
const retake_policy& curious() {
  static const retake_policy policy = retake_policy::parse(R"({"hirenow_policy": 1, "version": "v", "zone": "applicant",
  "calendars": {"sessions": {"fact": "session"}}, "working_days": {"office": {"fact": "closed"}},
  "retake_after": ["passed", "failed", "on_hold", "no_show", "incomplete", "cancelled", "withdrawn", "void"],
  "rules": [
    {"rule": "wait", "id": "wait", "after": ["P1D", "P1M"], "from": ["decision", {"event": "release"}], "floor": "PT1H",
     "penalty": "P1D", "within": "P2Y", "from_end_of": "day", "working_days": "office", "opens_with": "sessions"},
    {"rule": "most", "id": "year", "attempts": 3, "in": "P12M", "same": ["family"], "score": {"at_most": 50}},
    {"rule": "most", "id": "first", "attempts": 2, "in": "P90D", "opened_by_first": true, "since": {"event": "course"}},
    {"rule": "most", "id": "session", "attempts": 4, "per": "sessions", "counts": ["failed", "void", "no_show"]},
    {"rule": "lockout", "id": "lock", "after": 2, "for": "P1M", "within": "P1Y", "broken_by": ["passed"]},
    {"rule": "passed", "id": "passed", "until": {"credential": "certificate"}, "less": "P30D"},
    {"rule": "require", "id": "course", "fact": {"event": "course"}, "after": 2, "resets": true},
    {"rule": "any_of", "id": "door", "rules": [
      {"rule": "period", "id": "approved", "opened_by": {"period": "approval"}, "lasts": "P1Y",
       "closed_by": {"event": "closed"}},
      {"rule": "status", "id": "plan", "unless": {"applicant": {"plan": ["a", "b"]}}}]}
  ]})")
                                          .value();
  return policy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = retake_case::parse({reinterpret_cast<const char*>(data), size});
  if (read.has_error()) {
    must(read.error().code == errc::invalid_argument || read.error().code == errc::too_large);
    must(!read.error().message.empty());
    return 0;
  }
  must(read->now >= min_instant && read->now <= max_instant);
  for (const retake_policy* const policy : {&retake_policy::standard(), &curious()}) {
    retake_question question = read->question();
    const auto answer = evaluate(*policy, question);
    must(!describe(answer).empty() && !describe(answer, explain_in::german).empty());
    must(answer.allowed == answer.all_reasons.empty());
    for (const rule_verdict& v : answer.rules) {
      must(!describe(v, answer.time_zone).empty());
      must(v.attempts.size() == v.counted || v.attempts.empty());
    }
    const auto allows = [&](sys_seconds now) {
      question.now = now;
      return evaluate(*policy, question).allowed;
    };
    if (answer.eligible_at) must(allows(*answer.eligible_at) && !allows(*answer.eligible_at - seconds{1}));
    if (answer.eligible_until) must(!allows(*answer.eligible_until) && allows(*answer.eligible_until - seconds{1}));
  }
  return 0;
}
