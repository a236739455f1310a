#pragma once
/// How benchmarks print what they reached beside its target, and how they end: with a failure where one was missed.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace bench {

inline double percentile(std::vector<double> all, double part) {
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1, static_cast<std::size_t>(part * static_cast<double>(all.size())))];
}
inline double median(const std::vector<double>& all) { return percentile(all, 0.5); }

inline int missed = 0;
/// `relation` is "<=" or ">=".
inline void print_row(const std::string& what, double reached, const char* relation, double target) {
  const bool met = relation[0] == '<' ? reached <= target : reached >= target;
  if (!met) ++missed;
  std::printf("%-78s | %8.2f | %s %.2f  %s\n", what.c_str(), reached, relation, target, met ? "met" : "MISSED");
  std::fflush(stdout);
}
/// A figure without a target.
inline void print_note(const std::string& what, double reached, const char* unit) {
  std::printf("%-78s | %8.2f | %s\n", what.c_str(), reached, unit);
  std::fflush(stdout);
}

/// What main() returns.
inline int ending() {
  std::printf("%d target(s) missed\n", missed);
  return missed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace bench
