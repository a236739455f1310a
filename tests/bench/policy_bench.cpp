// What a policy costs: reading a document, and holding a history against it; in time and in allocations.

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "hirenow/retake_policy.hpp"

namespace {

std::uint64_t allocations = 0;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

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

/// So many rules as one policy, of all kinds that have something to keep in the answer.
std::string many_rules(std::size_t n) {
  std::string text = R"({"hirenow_policy": 1, "version": "bench", "zone": "Europe/Vienna", "rules": [)";
  for (std::size_t i = 0; i < n; ++i) {
    const std::string id = R"("id": "r)" + std::to_string(i) + "\"";
    text += std::string(i ? "," : "") +
            (i % 4 == 0   ? R"({"rule": "wait", "after": ["P60D"], "from_start_of": "day", )" + id + "}"
             : i % 4 == 1 ? R"({"rule": "most", "attempts": 4, "in": "P12M", "advice": "many", )" + id + "}"
             : i % 4 == 2 ? R"({"rule": "lockout", "after": 2, "for": "P1Y", "from": "decision", )" + id + "}"
                          : R"({"rule": "most", "attempts": 3, "per": "year", )" + id + "}");
  }
  return text + "]}";
}

std::uint64_t allocations_of(std::size_t rules, const std::vector<attempt>& history, sys_seconds now) {
  const auto policy = retake_policy::parse(many_rules(rules)).value();
  evaluate(policy, history, now);  // what is made once: time zones
  const std::uint64_t before = allocations;
  const auto answer = evaluate(policy, history, now);
  if (answer.allowed) std::abort();
  return allocations - before;
}

/// A refusal in which most rules forbid, warn or could be waived; `allocations` must be the same for 8 and 64 rules.
void evaluate_many_rules(benchmark::State& state) {
  const auto rules = static_cast<std::size_t>(state.range(0));
  const auto policy = retake_policy::parse(many_rules(rules)).value();
  const auto history = attempts(20);
  const sys_seconds now = history.back().at + seconds{86'400};
  for (auto _ : state) benchmark::DoNotOptimize(evaluate(policy, history, now));
  const std::uint64_t of_eight = allocations_of(8, history, now), these = allocations_of(rules, history, now);
  state.counters["allocations"] = static_cast<double>(these);
  if (these > of_eight) state.SkipWithError("allocations grow with the number of rules");
}
BENCHMARK(evaluate_many_rules)->Arg(8)->Arg(16)->Arg(32)->Arg(64);

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
