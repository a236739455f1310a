// What a policy costs: reading a document, and holding a history against it.

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "hirenow/retake_policy.hpp"

namespace {

using namespace hirenow;

const char* const eight_rules =
    R"({"hirenow_policy": 1, "version": "bench", "retake_after": ["failed", "on_hold", "void"],
  "rules": [
    {"rule": "wait", "id": "wait", "after": ["P1D", "P14D", "P60D"]},
    {"rule": "wait", "id": "decision", "after": ["P1M"], "from": "decided_at"},
    {"rule": "wait", "id": "failed", "after": ["P7D"], "counts": ["failed"]},
    {"rule": "most_retakes", "id": "ever", "most": 500},
    {"rule": "most_in_window", "id": "month", "most": 4, "window": "P30D"},
    {"rule": "most_in_window", "id": "half-year", "most": 100, "window": "P180D"},
    {"rule": "most_in_window", "id": "year", "most": 200, "window": "P12M"},
    {"rule": "most_in_window", "id": "two-years", "most": 300, "window": "P2Y"}
  ]})";

std::vector<attempt> attempts(std::size_t n) {
  std::vector<attempt> history;
  for (std::size_t i = 0; i < n; ++i) {
    attempt a{.track = "backend",
              .at = sys_seconds{seconds{1'600'000'000 + static_cast<long>(i) * 20 * 86'400}},
              .result = outcome::failed};
    a.decided_at = a.at + seconds{86'400};
    a.id.data[15] = static_cast<std::uint8_t>(i);
    history.push_back(a);
  }
  return history;
}

void parse_eight_rules(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(retake_policy::parse(eight_rules));
}
BENCHMARK(parse_eight_rules);

void evaluate_eight_rules(benchmark::State& state) {
  const auto policy = retake_policy::parse(eight_rules).value();
  const auto history = attempts(static_cast<std::size_t>(state.range(0)));
  const sys_seconds now = history.back().at + seconds{40 * 86'400};
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(policy, history, now));
}
BENCHMARK(evaluate_eight_rules)->Arg(1)->Arg(20)->Arg(200)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
