#pragma once
/// Time: UTC in whole seconds (`std::chrono::sys_seconds`), handed in as an argument and never read inside a decision.
///
/// Threads: every clock here may be shared.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>

namespace hirenow {

using std::chrono::seconds;
using std::chrono::sys_seconds;

/// The first and the last instant that is accepted: 1970-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
inline constexpr sys_seconds min_instant{seconds{0}};
inline constexpr sys_seconds max_instant{seconds{253402300799}};

/// Where "now" comes from.
class clock {
 public:
  virtual ~clock() = default;
  /// The present instant. Must be callable from any thread. May step back; the engine then uses the record's last one.
  virtual sys_seconds now() const = 0;
};

/// The machine's clock, rounded down.
class system_clock final : public clock {
 public:
  sys_seconds now() const override { return std::chrono::floor<seconds>(std::chrono::system_clock::now()); }
};

/// A clock that stands until it is moved: for tests, demonstrations and simulations.
class manual_clock final : public clock {
 public:
  explicit manual_clock(sys_seconds start) : now_(start.time_since_epoch().count()) {}
  sys_seconds now() const override { return sys_seconds{seconds{now_.load()}}; }
  void set(sys_seconds instant) { now_.store(instant.time_since_epoch().count()); }
  void advance(seconds by) { now_.fetch_add(by.count()); }

 private:
  std::atomic<seconds::rep> now_;
};

/// The instant in the form of RFC 3339, for example "2026-03-01T09:00:00Z".
inline std::string to_string(sys_seconds instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{instant - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

}  // namespace hirenow
