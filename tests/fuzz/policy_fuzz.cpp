// Fuzzes the reader of policy documents and, where it accepts one, the evaluation. The first bytes make the history,
// the facts and the instant, the rest is the document.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "hirenow/retake_policy.hpp"

namespace {

using namespace hirenow;

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t header = 16;
  const std::size_t used = std::min(size, header);
  std::vector<attempt> history;
  sys_seconds at{seconds{1'577'836'800}};
  for (std::size_t n = 0; n + 1 < used; n += 2) {
    at += seconds{3'600 * data[n]};
    attempt a{.track = "t", .at = at, .result = static_cast<outcome>(data[n + 1] % outcome_count)};
    if (data[n + 1] & 0x80) a.decided_at = at + seconds{7'200};
    history.push_back(a);
  }
  const std::string_view document(reinterpret_cast<const char*>(data) + used, size - used);
  const auto policy = retake_policy::parse(document);
  if (policy.has_error()) {
    must(policy.error().code == errc::policy_invalid || policy.error().code == errc::too_large);
    must(!policy.error().message.empty());
    return 0;
  }
  must(policy->document() == document);
  // Facts that the rules ask for, dated around the attempts; every third ends.
  std::vector<fact> facts;
  const auto add = [&](const fact_ref& ref) {
    if (facts.size() == 8) return;
    fact f;
    f.kind = ref.kind;
    f.name = ref.name;
    f.at = sys_seconds{seconds{1'577'836'800}} + seconds{86'400 * (used ? data[facts.size() % used] : 1)};
    if (facts.size() % 3 == 0) f.until = f.at + seconds{90 * 86'400};
    facts.push_back(f);
  };
  for (const retake_rule& rule : policy->rules()) {
    if (const auto* r = std::get_if<require_rule>(&rule.is)) add(r->what);
    if (const auto* r = std::get_if<period_rule>(&rule.is); r && r->opened_by) add(*r->opened_by);
    if (const auto* r = std::get_if<passed_rule>(&rule.is); r && r->until) add(*r->until);
  }
  for (const attempt_selection& which : policy->selections())
    for (const fact_ref& ref : which.since) add(ref);
  for (const period_calendar& calendar : policy->calendars())
    if (!calendar.fact.empty()) add({fact_kind::period, calendar.fact});

  for (const auto kind : {attempt_kind::retake, attempt_kind::schedule}) {
    retake_question question{.track = "t", .attempts = history, .facts = facts, .now = at, .kind = kind};
    const auto answer = evaluate(*policy, question);
    must(!describe(answer).empty() && !describe(answer, explain_in::german).empty());
    must(answer.allowed == answer.all_reasons.empty());
    const auto allows = [&](sys_seconds now) {
      question.now = now;
      return evaluate(*policy, question).allowed;
    };
    if (answer.eligible_at) must(allows(*answer.eligible_at) && !allows(*answer.eligible_at - seconds{1}));
    if (answer.eligible_until) must(!allows(*answer.eligible_until) && allows(*answer.eligible_until - seconds{1}));
  }
  return 0;
}
