#pragma once
/// Time zones: what the clock on an applicant's wall shows. The only core header that includes the date library.
///
/// Rules come from the system's IANA database; until the compiler has `std::chrono::time_zone`, through Howard
/// Hinnant's library (link `date::date-tz`). It reads no rule past the year 2037: later instants are shown in the
/// zone's last known offset.
/// Threads: pure functions; the database is read once.

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <pthread.h>

// The library's classes differ by this switch; it must be what the distribution built the library with.
#ifndef USE_OS_TZDB
#define USE_OS_TZDB 1
#endif
#include <date/tz.h>

#include "hirenow/clock.hpp"

namespace hirenow {

/// An instant as a wall clock in some zone shows it.
struct local_time {
  std::chrono::year_month_day date{};
  std::chrono::weekday weekday{};
  std::chrono::hh_mm_ss<seconds> time{};
  seconds offset{};  ///< local time less UTC
  std::string zone;  ///< the IANA name, or "UTC"
};

/// Reads the wall clock of a zone. An empty, unknown or unreadable zone is UTC: a message must not fail for it.
inline local_time to_local(sys_seconds instant, std::string_view zone) {
  seconds offset{0};
  std::string name = "UTC";
  try {
    if (!zone.empty()) {
      const date::time_zone* const found = date::locate_zone(zone);
      offset = found->get_info(instant).offset;
      name = found->name();
    }
  } catch (const std::exception&) {
    // not in the database, or there is none
  }
  const sys_seconds shifted = instant + offset;
  const auto day = std::chrono::floor<std::chrono::days>(shifted);
  return {std::chrono::year_month_day{day}, std::chrono::weekday{day}, std::chrono::hh_mm_ss<seconds>{shifted - day},
          offset, std::move(name)};
}

/// A zone's offsets from UTC over time, and what follows from them: which day it is there, and when a day begins.
/// Threads: immutable; shared for the life of the process.
class zone_offsets {
 public:
  /// The zone of this IANA name; an empty one is UTC.
  /// Returns nullptr where the system's database does not know it.
  static const zone_offsets* named(std::string_view name) {
    if (name.empty()) name = "UTC";
    auto& all = known_zones::all();
    const std::lock_guard lock(all.mutex);
    if (const auto found = all.zones.find(name); found != all.zones.end()) return found->second.get();
    try {
      auto made = std::unique_ptr<const zone_offsets>(new zone_offsets(name));
      return all.zones.emplace(std::string(name), std::move(made)).first->second.get();
    } catch (const std::exception&) {
      return nullptr;  // not in the database, or there is none
    }
  }
  /// UTC.
  static const zone_offsets& utc() {
    static const zone_offsets zone;
    return zone;
  }

  const std::string& name() const { return name_; }
  bool is_utc() const { return ranges_.size() == 1 && ranges_.front().offset == seconds{0}; }

  /// The wall clock at an instant. `hint` is where the last search ended; it saves searching.
  std::chrono::local_seconds local(sys_seconds instant, std::size_t& hint) const {
    hint = range_of(instant, hint);
    return std::chrono::local_seconds{(instant + ranges_[hint].offset).time_since_epoch()};
  }
  /// The first instant at which the wall clock shows this time or a later one: a time that the clocks skip is the
  /// instant they are put forward, one that comes twice is the first of the two.
  sys_seconds instant(std::chrono::local_seconds wall, std::size_t& hint) const {
    const sys_seconds as_utc{wall.time_since_epoch()};
    for (std::size_t n = range_of(as_utc - std::chrono::hours{16}, hint);; ++n) {
      const sys_seconds found = std::max(as_utc - ranges_[n].offset, ranges_[n].begin);
      if (n + 1 < ranges_.size() && found >= ranges_[n + 1].begin) continue;
      hint = n;
      return found;
    }
  }

 private:
  /// Every zone that was asked for, once. A fork waits for whoever is at it, lest the child find it locked for ever.
  struct known_zones {
    std::mutex mutex{};
    std::map<std::string, std::unique_ptr<const zone_offsets>, std::less<>> zones{};

    static known_zones& all() {
      static known_zones* const one = [] {
        auto* made = new known_zones;  // outlives every fork's handler
        ::pthread_atfork([] { all().mutex.lock(); }, [] { all().mutex.unlock(); }, [] { all().mutex.unlock(); });
        return made;
      }();
      return *one;
    }
  };
  static const bool are_ready;  // a fork in the middle of the first call would leave the child none
  struct range {
    sys_seconds begin{};
    seconds offset{};
  };
  static constexpr sys_seconds beginning{seconds{-(1LL << 40)}};

  zone_offsets() : name_("UTC"), ranges_{{beginning, seconds{0}}} {}
  explicit zone_offsets(std::string_view name) : name_("UTC") {
    ranges_.push_back({beginning, seconds{0}});
    if (name == "UTC") return;
    const date::time_zone* const zone = date::locate_zone(name);
    name_ = zone->name();
    const sys_seconds last = std::chrono::sys_days{std::chrono::year{2100} / 1 / 1};
    for (sys_seconds at = min_instant; at < last;) {
      const auto info = zone->get_info(at);
      if (at == min_instant)
        ranges_.front().offset = info.offset;
      else if (info.offset != ranges_.back().offset)
        ranges_.push_back({at, info.offset});
      const sys_seconds end{info.end.time_since_epoch()};
      if (end <= at) break;
      at = end;
    }
  }

  std::size_t range_of(sys_seconds instant, std::size_t hint) const {
    const auto holds = [&](std::size_t n) {
      return ranges_[n].begin <= instant && (n + 1 == ranges_.size() || instant < ranges_[n + 1].begin);
    };
    if (hint < ranges_.size() && holds(hint)) return hint;
    const auto next = std::upper_bound(ranges_.begin(), ranges_.end(), instant,
                                       [](sys_seconds at, const range& r) { return at < r.begin; });
    return next == ranges_.begin() ? 0 : static_cast<std::size_t>(std::distance(ranges_.begin(), next)) - 1;
  }

  std::string name_;
  std::vector<range> ranges_{};
};

inline const bool zone_offsets::are_ready = (known_zones::all(), true);

}  // namespace hirenow
