#pragma once
/// Checks that a store keeps the promises of `store.hpp`. For whoever writes a store: call `check_store()` in a test.
///
///     auto report = hirenow::testing::check_store([] { return std::make_unique<my_store>(fresh_database()); });
///     std::cout << report.to_string();
///     return report.passed() ? 0 : 1;
///
/// No test framework is needed. Each check is one promise, runs on a fresh store of its own, and is named by a
/// sentence; there are more than 240. Then follow races of several threads, and random histories whose every answer is
/// compared with the memory store's: link `hirenow::memory` beside `hirenow::hirenow`.
/// Threads: `make` is called by one thread at a time; the stores it makes are used by several.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hirenow/store.hpp"
#include "hirenow/testing/check_histories.hpp"
#include "hirenow/testing/check_history.hpp"
#include "hirenow/testing/check_pace.hpp"
#include "hirenow/testing/check_races.hpp"
#include "hirenow/testing/check_waivers.hpp"

namespace hirenow::testing {

/// A promise that was not kept.
struct check_failure {
  std::string check;  ///< the promise
  std::string what;   ///< what was seen instead
};

/// What came of all checks.
struct check_report {
  std::size_t checks = 0;  ///< how many were run
  std::vector<check_failure> failures{};

  /// True where checks were run and none failed.
  bool passed() const { return checks > 0 && failures.empty(); }

  /// The report as text: a line of figures, then two lines for each failure.
  std::string to_string() const {
    std::string text = std::to_string(checks) + " checks, " + std::to_string(failures.size()) + " failed\n";
    for (const auto& f : failures) text += "  " + f.check + "\n    " + f.what + "\n";
    return text;
  }
};

/// How much is to be checked.
struct check_options {
  std::uint64_t seed = 1;      ///< of the first random history; each further one takes the next number
  std::size_t histories = 50;  ///< random histories
  std::size_t steps = 60;      ///< steps of a history
  unsigned threads = 4;        ///< threads of a race, at least 2
  bool until_failure = false;  ///< nothing is checked behind the first failure
};

namespace detail {

/// Runs one check on a fresh store. Whatever is thrown is a failure of that check.
template <class Check>
void run_check(check_report& report, const check_options& options, const std::function<std::unique_ptr<store>()>& make,
               std::string_view name, Check check) {
  if (options.until_failure && !report.failures.empty()) return;
  const auto failed = [&](std::string what) { report.failures.push_back({std::string(name), std::move(what)}); };
  ++report.checks;
  try {
    const auto fresh = make();
    if (!fresh) return failed("make() returned no store");
    check(*fresh);
  } catch (const broken_promise& broken) {
    failed(broken.what);
  } catch (const std::exception& e) {
    failed(std::string("an exception was thrown: ") + e.what());
  } catch (...) {
    failed("something was thrown that is no std::exception");
  }
}

}  // namespace detail

/// Runs every check. `make` must return a fresh, empty store each time it is called.
/// Returns the report; it never throws on behalf of a store.
inline check_report check_store(const std::function<std::unique_ptr<store>()>& make,
                                const check_options& options = {}) {
  check_report report;
  for (const auto* checks :
       {&detail::record_checks(), &detail::constraint_checks(), &detail::progress_checks(), &detail::answer_checks(),
        &detail::policy_checks(), &detail::waiver_checks(), &detail::audit_checks(), &detail::erasure_checks(),
        &detail::list_checks(), &detail::due_checks(), &detail::claim_checks(), &detail::settle_checks(),
        &detail::withdrawal_checks(), &detail::pace_checks()})
    for (const auto& check : *checks) detail::run_check(report, options, make, check.name, check.run);

  const unsigned threads = std::max(2U, options.threads);
  for (const auto& race : detail::races())
    detail::run_check(report, options, make, race.name, [&](store& s) { race.run(s, threads); });

  for (std::size_t n = 0; n < options.histories; ++n)
    detail::run_check(report, options, make,
                      "Random history " + std::to_string(options.seed + n) + " is answered as the memory store does",
                      [&](store& s) { detail::replay_history(s, options.seed + n, options.steps); });
  return report;
}

}  // namespace hirenow::testing
