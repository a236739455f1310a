#pragma once
/// The limits that a dispatcher keeps to: of all mail, and of one tenant's. The store counts, for all dispatchers
/// together; where it does not, the dispatcher counts for itself.
///
/// Threads: any.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hirenow/detail/guarded.hpp"
#include "hirenow/detail/pace.hpp"
#include "hirenow/store.hpp"

namespace hirenow::detail {

class mail_rate {
 public:
  using steady = std::chrono::steady_clock;

  /// 0 is no limit.
  mail_rate(std::uint32_t per_minute, std::uint32_t per_minute_of_tenant)
      : of_all_(per_minute), of_tenant_(per_minute_of_tenant) {}

  /// As many mails as may leave now, at most `wanted`. `asked` is the same instant, for measuring.
  result<allowance> take(store& from, sys_seconds now, steady::time_point asked, std::size_t wanted) {
    if (of_all_ == 0) return allowance{wanted};
    const allowance_request r{now, {}, of_all_, wanted, take_unused(asked)};
    auto answer = ask(from, {&r, 1});
    if (!answer) return answer.error();
    return answer->front();
  }
  /// So many that were taken do not leave after all.
  void give_back(std::size_t count, steady::time_point asked) {
    if (of_all_ == 0 || count == 0) return;
    const std::lock_guard lock(mutex_);
    unused_ = still_unused(asked) + count;
    unused_since_ = asked;
  }

  /// How long each of these tenants' mails, taken as they stand, has to wait; nothing where it may leave.
  result<std::vector<std::optional<seconds>>> put_off(store& from, sys_seconds now, steady::time_point asked,
                                                      std::span<const std::string_view> tenants) {
    std::vector<std::optional<seconds>> out(tenants.size());
    if (of_tenant_ == 0) return out;
    std::map<std::string_view, std::size_t> wanted;
    for (const auto& tenant : tenants) ++wanted[tenant];
    std::vector<allowance_request> requests;
    for (const auto& [tenant, count] : wanted) requests.push_back({now, tenant, of_tenant_, count});
    const auto answers = ask(from, requests);
    if (!answers) return answers.error();
    std::map<std::string_view, allowance> left;
    for (std::size_t n = 0; n < requests.size(); ++n) left[requests[n].tenant] = (*answers)[n];
    for (std::size_t n = 0; n < tenants.size(); ++n) {
      allowance& a = left[tenants[n]];
      if (a.granted > 0)
        --a.granted;
      else
        out[n] = next_turn(tenants[n], asked, a.wait);
    }
    return out;
  }

 private:
  result<std::vector<allowance>> ask(store& from, std::span<const allowance_request> requests) {
    auto answers = guarded([&] { return from.allow(requests); });
    if (!answers || answers->size() == requests.size()) return answers;
    if (!answers->empty())
      return fail(errc::internal, "the store answered another number of requests than it was asked");
    const std::lock_guard lock(mutex_);
    return own_.allow(requests);
  }

  std::size_t take_unused(steady::time_point asked) {
    const std::lock_guard lock(mutex_);
    const std::size_t unused = still_unused(asked);
    unused_ = 0;
    return unused;
  }
  /// What was given back, less what would have left meanwhile: its places others may have had.
  std::size_t still_unused(steady::time_point asked) const {
    const auto passed =
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(asked - unused_since_).count(), 0);
    const std::int64_t gone = passed > 60'000 ? INT32_MAX : (passed * of_all_ + 59'999) / 60'000;
    return static_cast<std::size_t>(std::max<std::int64_t>(static_cast<std::int64_t>(unused_) - gone, 0));
  }

  /// Gives out turns at which one mail each may leave, one after the other. Returns how long it is until then.
  seconds next_turn(std::string_view tenant, steady::time_point asked, seconds wait) {
    const std::lock_guard lock(mutex_);
    if (turns_.size() >= most_tenants) std::erase_if(turns_, [&](const auto& t) { return t.second <= asked; });
    auto at = turns_.find(tenant);
    if (at == turns_.end()) at = turns_.emplace(tenant, asked).first;
    const auto gap = std::chrono::duration_cast<steady::duration>(std::chrono::minutes(1)) / of_tenant_;
    at->second = std::max<steady::time_point>(at->second + gap, asked + std::max(wait, seconds{1}));
    return std::chrono::ceil<seconds>(at->second - asked);
  }

  static constexpr std::size_t most_tenants = 10'000;  // whose turns are remembered although they have come

  const std::uint32_t of_all_;
  const std::uint32_t of_tenant_;
  std::mutex mutex_{};
  std::size_t unused_ = 0;
  steady::time_point unused_since_{};
  paces own_{};
  std::map<std::string, steady::time_point, std::less<>> turns_{};
};

}  // namespace hirenow::detail
