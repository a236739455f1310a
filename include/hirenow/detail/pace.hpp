#pragma once
/// How fast mail may leave: so many a minute, spread evenly, and after a rest no more at once than make up a second of
/// it, or one. It is the leaky bucket as a meter (ITU-T I.371), in whole numbers: a mail fills it by 60, a second empties
/// it by the limit.
///
/// Threads: pure functions; `paces` serves one at a time.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "hirenow/store.hpp"

namespace hirenow::detail {

/// How full the measure of one limit was, and when.
struct pace {
  sys_seconds at{};
  std::int64_t filled = 0;

  friend bool operator==(const pace&, const pace&) = default;
};

inline constexpr std::int64_t pace_of_a_mail = 60;

/// What is left in it at an instant; where that is an earlier one, all of it.
inline std::int64_t filled_at(const pace& p, sys_seconds now, std::uint32_t per_minute) {
  const std::int64_t passed = std::max<std::int64_t>((now - p.at).count(), 0);
  return passed > p.filled / per_minute ? 0 : std::max<std::int64_t>(p.filled - passed * per_minute, 0);
}

/// Answers a request at an instant, and fills the measure by what it grants.
inline allowance take_places(pace& p, const allowance_request& r, sys_seconds now) {
  const std::int64_t rate = r.per_minute;
  const std::int64_t room = (rate + pace_of_a_mail - 1) / pace_of_a_mail * pace_of_a_mail;
  std::int64_t filled = filled_at(p, now, r.per_minute);
  filled -= std::min(filled / pace_of_a_mail, static_cast<std::int64_t>(std::min<std::size_t>(r.returned, INT32_MAX))) *
            pace_of_a_mail;
  const std::int64_t free = std::max<std::int64_t>(room - filled, 0) / pace_of_a_mail;
  const auto granted = std::min(r.wanted, static_cast<std::size_t>(free));
  filled += static_cast<std::int64_t>(granted) * pace_of_a_mail;
  // Several who ask at once may be a little apart. A clock that is further back was moved, and goes on from there.
  const bool moved_back = p.at - now > seconds{60};
  if (granted > 0 || r.returned > 0 || moved_back) p = {moved_back ? now : std::max(now, p.at), filled};
  const std::int64_t over = std::max<std::int64_t>(filled - (room - pace_of_a_mail), 0);
  return {granted, seconds{(over + rate - 1) / rate}};
}

/// The measures of all limits, by tenant; that of all mail under the empty name.
class paces {
 public:
  std::vector<allowance> allow(std::span<const allowance_request> requests) {
    std::vector<allowance> out;
    out.reserve(requests.size());
    for (const auto& r : requests) {
      if (kept_.size() >= most_kept)
        std::erase_if(kept_, [&](const auto& p) { return filled_at(p.second, r.now, r.per_minute) == 0; });
      auto at = kept_.find(r.tenant);
      if (at == kept_.end()) at = kept_.emplace(r.tenant, pace{}).first;
      out.push_back(take_places(at->second, r, r.now));
    }
    return out;
  }

 private:
  static constexpr std::size_t most_kept = 10'000;  // although they are empty

  std::map<std::string, pace, std::less<>> kept_{};
};

}  // namespace hirenow::detail
