// What a policy costs: reading a document, and holding a history against it.

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "hirenow/retake_policy.hpp"

namespace {

using namespace hirenow;

const char* const eight_rules =
    R"({"hirenow_policy": 1, "version": "bench", "zone": "Europe/Vienna", "retake_after": ["failed", "on_hold", "void"],
  "rules": [
    {"rule": "wait", "id": "wait", "after": ["P1D", "P14D", "P60D"], "from_start_of": "day"},
    {"rule": "wait", "id": "decision", "after": ["P1M"], "from": "decision", "from_end_of": "day"},
    {"rule": "wait", "id": "failed", "after": ["P7D"], "from_start_of": "day", "counts": ["failed"], "within": "P2Y"},
    {"rule": "most", "id": "ever", "attempts": 500},
    {"rule": "most", "id": "month", "attempts": 4, "in": "P30D", "from_start_of": "day"},
    {"rule": "most", "id": "half-year", "attempts": 100, "per": "quarter", "periods": 2},
    {"rule": "most", "id": "year", "attempts": 200, "in": "P12M", "from_start_of": "day"},
    {"rule": "most", "id": "two-years", "attempts": 300, "in": "P2Y", "from_start_of": "month"}
  ]})";

std::vector<attempt> attempts(std::size_t n) {
  std::vector<attempt> history;
  for (std::size_t i = 0; i < n; ++i) {
    attempt a{.track = "backend",
              .at = sys_seconds{seconds{1'600'000'000 + static_cast<long>(i) * 20 * 86'400}},
              .result = outcome::failed};
    if (i % 7 == 3) a.result = outcome::no_show;  // does not count
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

/// A day after the last attempt: rules forbid, each with its instant.
void evaluate_refused(benchmark::State& state) {
  const auto policy = retake_policy::parse(eight_rules).value();
  const auto history = attempts(static_cast<std::size_t>(state.range(0)));
  const sys_seconds now = history.back().at + seconds{86'400};
  if (evaluate(policy, history, now).allowed) state.SkipWithError("it should be refused");
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(policy, history, now));
}
BENCHMARK(evaluate_refused)->Arg(20)->Arg(200);

}  // namespace

BENCHMARK_MAIN();
