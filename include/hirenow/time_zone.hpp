#pragma once
/// Time zones: what the clock on an applicant's wall shows. The only core header that includes the date library.
///
/// Rules come from the system's IANA database; until the compiler has `std::chrono::time_zone`, through Howard
/// Hinnant's library (link `date::date-tz`). It reads no rule past the year 2037: later instants are shown in the
/// zone's last known offset.
/// Threads: pure functions; the database is read once.

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

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

}  // namespace hirenow
