#pragma once
/// Checks of `check_store()`: how fast mail may leave, for a store that counts it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hirenow/testing/check_tools.hpp"

namespace hirenow::testing::detail {

/// Asks for places under one limit. Nothing where the store does not count.
inline std::optional<allowance> allow(store& s, int at, std::uint32_t per_minute, std::size_t wanted,
                                      std::string_view tenant = {}, std::size_t returned = 0) {
  const allowance_request r{instant(at), tenant, per_minute, wanted, returned};
  const auto answers = must(s.allow({&r, 1}), "allow()");
  if (answers.empty()) return std::nullopt;
  same("answers", answers.size(), std::size_t{1});
  return answers[0];
}
inline bool counts_mail(store& s) { return allow(s, 0, 1, 0, "nobody").has_value(); }

inline void expect_allowed(store& s, int at, std::uint32_t per_minute, std::size_t wanted, allowance due,
                           std::string_view tenant = {}, std::size_t returned = 0) {
  const allowance got = *allow(s, at, per_minute, wanted, tenant, returned);
  const std::string when = "at second " + std::to_string(at) + ": ";
  same(when + "granted", got.granted, due.granted);
  same(when + "seconds to wait", got.wait.count(), due.wait.count());
}

inline const std::vector<store_check>& pace_checks() {
  static const std::vector<store_check> all{
      {"Mail is allowed at the rate that is asked for, and after a rest a second of it at once",
       [](store& s) {
         if (!counts_mail(s)) return;
         expect_allowed(s, 0, 600, 4, {4});
         expect_allowed(s, 0, 600, 100, {6, seconds{1}});
         expect_allowed(s, 0, 600, 100, {0, seconds{1}});
         expect_allowed(s, 1, 600, 100, {10, seconds{1}});
         expect_allowed(s, 100, 600, 100, {10, seconds{1}});
         expect_allowed(s, 100, 600, 100, {0, seconds{1}});
       }},
      {"A rate of less than one a second waits, one that is no whole number is kept on the whole",
       [](store& s) {
         if (!counts_mail(s)) return;
         expect_allowed(s, 0, 6, 5, {1, seconds{10}});
         expect_allowed(s, 9, 6, 5, {0, seconds{1}});
         expect_allowed(s, 10, 6, 5, {1, seconds{10}});
         std::size_t sent = 0;
         for (int second = 1000; second < 1060; ++second) sent += allow(s, second, 90, 5)->granted;
         same("in a minute", sent, std::size_t{90});
       }},
      {"One limit says nothing of another",
       [](store& s) {
         if (!counts_mail(s)) return;
         expect_allowed(s, 0, 60, 5, {1, seconds{1}}, "acme");
         expect_allowed(s, 0, 60, 5, {1, seconds{1}}, "other");
         expect_allowed(s, 0, 600, 5, {5});
         expect_allowed(s, 0, 60, 5, {0, seconds{1}}, "acme");
         expect_allowed(s, 0, 600, 5, {5, seconds{1}});
       }},
      {"Of requests in one call each sees what those before it took",
       [](store& s) {
         if (!counts_mail(s)) return;
         const std::vector<allowance_request> requests{{instant(), "b", 600, 7}, {instant(), {}, 600, 2},
                                                       {instant(), "a", 600, 7}, {instant(), "b", 600, 7},
                                                       {instant(), "a", 600, 7}, {instant(), "b", 600, 7}};
         const auto answers = must(s.allow(requests), "allow()");
         same("answers", answers.size(), requests.size());
         constexpr std::size_t due[] = {7, 2, 7, 3, 3, 0};
         for (std::size_t n = 0; n < requests.size(); ++n)
           same("granted to request " + std::to_string(n), answers[n].granted, due[n]);
       }},
      {"What is given back counts as if it had not been taken, and no more",
       [](store& s) {
         if (!counts_mail(s)) return;
         expect_allowed(s, 0, 600, 10, {10, seconds{1}});
         expect_allowed(s, 0, 600, 10, {4, seconds{1}}, {}, 4);
         expect_allowed(s, 0, 600, 100, {10, seconds{1}}, {}, 1000);
         expect_allowed(s, 0, 600, 0, {0}, {}, 3);
         expect_allowed(s, 0, 600, 10, {3, seconds{1}});
       }},
      {"A clock that is set back stops nothing",
       [](store& s) {
         if (!counts_mail(s)) return;
         expect_allowed(s, 90'000, 600, 10, {10, seconds{1}});
         expect_allowed(s, 0, 600, 10, {0, seconds{1}});
         expect_allowed(s, 1, 600, 10, {10, seconds{1}});
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
