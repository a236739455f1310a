// Fuzzes the reader of policy documents and, where it accepts one, the evaluation. The first bytes make the history
// and the instant, the rest is the document.

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
  for (const auto kind : {attempt_kind::retake, attempt_kind::schedule}) {
    const auto answer = evaluate(*policy, history, at, kind);
    must(!describe(answer).empty());
    must(answer.allowed == answer.all_reasons.empty());
    if (!answer.eligible_at) continue;
    must(evaluate(*policy, history, *answer.eligible_at, kind).allowed);
    must(!evaluate(*policy, history, *answer.eligible_at - seconds{1}, kind).allowed);
  }
  return 0;
}
