// Trying a policy out on a million interviews: how fast, and in how much memory.

#include <fstream>
#include <iostream>

#include "hirenow/engine.hpp"
#include "large_files.hpp"

namespace {

using namespace hirenow;

/// The memory that this process holds now, in MiB.
double memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

}  // namespace

int main() {
  const bench::working_copy file(bench::store_file());
  const auto store = bench::open(file.path(), sqlite_durability::full);
  const manual_clock clock{bench::epoch};
  engine over{*store,
              key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value(),
              retake_policy::standard(),
              {.link_base = "https://jobs.example/go", .clock = &clock}};
  const actor admin{"anna", "acme", role::admin};
  what_if_query query{.document = R"({"hirenow_policy": 1, "version": "tried", "rules": [
      {"rule": "wait", "id": "wait", "after": ["P14D", "P30D", "P90D"]},
      {"rule": "most", "id": "year", "attempts": 3, "in": "P12M"}]})",
                      .limit = 500};
  what_if_counts total;
  double after_the_first = 0, most = 0;
  const auto begin = bench::stopwatch::now();
  do {
    auto page = over.what_if(query, admin).value();
    total += page.counts;
    query.cursor = std::move(page.next);
    most = std::max(most, memory());
    if (after_the_first == 0) after_the_first = most;
  } while (!query.cursor.empty());
  const double took = bench::seconds_since(begin);
  bench::print_note("what_if: interviews looked at", static_cast<double>(total.interviews), "");
  bench::print_note("what_if: tracks asked about", static_cast<double>(total.tracks), "");
  bench::print_note("what_if: become eligible", static_cast<double>(total.become), "");
  bench::print_note("what_if: cease to be", static_cast<double>(total.cease), "");
  bench::print_note("what_if: milliseconds in all", took * 1000, "ms");
  bench::print_note("what_if: interviews a second", static_cast<double>(total.interviews) / took, "1/s");
  bench::print_note("what_if: memory after the first page", after_the_first, "MiB");
  bench::print_note("what_if: most memory after any page", most, "MiB");
  // A page is bounded; what grows beyond is SQLite's cache, which is bounded too.
  return total.interviews >= 1'000'000 && most < after_the_first + 64 ? 0 : 1;
}
