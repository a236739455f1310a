#pragma once
/// Calendars: what cuts time into periods, which days are worked, and how a wait is counted on them in some zone.
///
/// A date opens at the first instant at which a clock in the zone shows it: midnight, or, where the clocks skip
/// midnight, the instant they are put forward.
/// Threads: plain values; a `wall_calendar` serves one thread.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hirenow/clock.hpp"
#include "hirenow/policy_span.hpp"
#include "hirenow/time_zone.hpp"

namespace hirenow {

using std::chrono::days;
using std::chrono::local_days;

/// From one instant to another, the latter not included; without one for ever.
struct known_period {
  sys_seconds from{};
  std::optional<sys_seconds> until{};
};

/// What cuts time into periods that follow one another.
struct period_calendar {
  /// Where its periods come from.
  enum class form : std::uint8_t { day, week, month, quarter, year, regular, listed, facts };
  /// One listed period: from the beginning of a day to that of another, or to the next period.
  struct dates {
    local_days from{};
    std::optional<local_days> until{};
  };

  std::string name;
  form is = form::day;
  local_days first{};             ///< regular: a day on which a period begins
  std::int32_t every_months = 0;  ///< regular: either this
  std::int32_t every_days = 0;    ///< or this
  std::vector<dates> listed{};    ///< listed: in order
  std::string fact{};             ///< facts: the name of the period facts
};

/// Which days are worked.
struct working_calendar {
  std::string name;
  std::uint8_t weekend = 0b1000001;    ///< bit n: weekday n of the C calendar, Sunday is 0
  std::vector<local_days> holidays{};  ///< in order
  std::string fact{};                  ///< the name of event facts that are holidays too; may be empty
};

/// From where a span is counted, and to what its end is moved up.
struct span_timing {
  /// Of which instant it is counted.
  enum class base : std::uint8_t {
    instant,   ///< the very instant; a day is 24 hours
    start_of,  ///< the first day of the period it lies in; a day is a date
    end_of,    ///< the first day of the period after that one
  };
  base from = base::instant;
  std::int16_t calendar = -1;    ///< of which the period is
  std::int16_t working = -1;     ///< days of the span are working days of this calendar
  std::int16_t opens_with = -1;  ///< the end is moved up to the next start of a period of this calendar

  friend bool operator==(const span_timing&, const span_timing&) = default;
};

/// A day some months later; the day of the month is clamped to the month's end.
inline local_days add_months(local_days day, std::int32_t months) {
  if (months == 0) return day;
  const std::chrono::year_month_day date{day};
  const std::chrono::year_month month = date.year() / date.month() + std::chrono::months{months};
  const auto last = (month / std::chrono::last).day();
  return local_days{month / std::min(date.day(), last)};
}

/// Arithmetic on the wall clock of one zone.
class wall_calendar {
 public:
  explicit wall_calendar(const zone_offsets& zone) : zone_(&zone), utc_(zone.is_utc()) {}

  const std::string& zone() const { return zone_->name(); }
  bool is_utc() const { return utc_; }

  /// The date there.
  local_days day_of(sys_seconds instant) const {
    return std::chrono::floor<days>(utc_ ? std::chrono::local_seconds{instant.time_since_epoch()}
                                         : zone_->local(instant, hint_));
  }
  /// The instant at which the date opens; nothing after `max_instant`.
  std::optional<sys_seconds> opening_of(local_days day) const {
    if (day.time_since_epoch() > last_day) return std::nullopt;
    return instant_of(std::chrono::local_seconds{day});
  }
  /// The instant some months later on the wall clock, and then so much later exactly; nothing after `max_instant`.
  std::optional<sys_seconds> add(sys_seconds from, std::int32_t months, seconds exact) const {
    if (months != 0) {
      const auto wall = utc_ ? std::chrono::local_seconds{from.time_since_epoch()} : zone_->local(from, hint_);
      const auto day = std::chrono::floor<days>(wall);
      const auto moved = add_months(day, months);
      if (moved.time_since_epoch() > last_day) return std::nullopt;
      from = instant_of(moved + (wall - day));
    }
    from += exact;
    if (from > max_instant) return std::nullopt;
    return from;
  }

 private:
  static constexpr days last_day{2'932'896};  // 9999-12-31

  sys_seconds instant_of(std::chrono::local_seconds wall) const {
    return utc_ ? sys_seconds{wall.time_since_epoch()} : zone_->instant(wall, hint_);
  }

  const zone_offsets* zone_;
  bool utc_;
  mutable std::size_t hint_ = 0;
};

/// A period calendar in a zone, with the periods that facts add.
class period_clock {
 public:
  /// Borrows all three.
  period_clock(const period_calendar& calendar, std::span<const known_period> facts, const wall_calendar& wall)
      : calendar_(calendar), facts_(facts), wall_(wall) {}

  /// The number of the period that holds the instant, or of the last one before it; -1 before the first of a list.
  std::int64_t index_at(sys_seconds instant) const {
    if (calendar_.is == period_calendar::form::facts)
      return std::upper_bound(facts_.begin(), facts_.end(), instant,
                              [](sys_seconds at, const known_period& p) { return at < p.from; }) -
             facts_.begin() - 1;
    return index_of(wall_.day_of(instant));
  }
  /// The first day of a period; nothing beyond a list's ends.
  std::optional<local_days> first_day(std::int64_t index) const {
    using form = period_calendar::form;
    using std::chrono::year;
    const auto month = [](std::int64_t n) {
      return local_days{year{static_cast<int>(n / 12)} / std::chrono::month{static_cast<unsigned>(n % 12) + 1} / 1};
    };
    switch (calendar_.is) {
      case form::day: return local_days{days{index}};
      case form::week: return local_days{days{index * 7 - 3}};
      case form::month: return month(index);
      case form::quarter: return month(index * 3);
      case form::year: return month(index * 12);
      case form::regular:
        if (index * (calendar_.every_days + 31LL * calendar_.every_months) > 4'000'000) return std::nullopt;
        return calendar_.every_days
                   ? calendar_.first + days{index * calendar_.every_days}
                   : add_months(calendar_.first, static_cast<std::int32_t>(index) * calendar_.every_months);
      case form::listed:
        if (!is_listed(index, calendar_.listed.size())) return std::nullopt;
        return calendar_.listed[static_cast<std::size_t>(index)].from;
      case form::facts:
        if (!is_listed(index, facts_.size())) return std::nullopt;
        return wall_.day_of(facts_[static_cast<std::size_t>(index)].from);
    }
    return std::nullopt;
  }
  /// The instant at which a period begins; nothing beyond a list's ends.
  std::optional<sys_seconds> start(std::int64_t index) const {
    if (calendar_.is == period_calendar::form::facts) {
      if (!is_listed(index, facts_.size())) return std::nullopt;
      return facts_[static_cast<std::size_t>(index)].from;
    }
    const auto day = first_day(index);
    return day ? wall_.opening_of(*day) : std::nullopt;
  }
  /// The instant at which a period ends: its own end where it has one, else the next one's start.
  std::optional<sys_seconds> end(std::int64_t index) const {
    if (calendar_.is == period_calendar::form::facts && is_listed(index, facts_.size()) &&
        facts_[static_cast<std::size_t>(index)].until)
      return facts_[static_cast<std::size_t>(index)].until;
    if (calendar_.is == period_calendar::form::listed && is_listed(index, calendar_.listed.size()) &&
        calendar_.listed[static_cast<std::size_t>(index)].until)
      return wall_.opening_of(*calendar_.listed[static_cast<std::size_t>(index)].until);
    return start(index + 1);
  }
  /// The first start of a period at an instant or after it.
  std::optional<sys_seconds> start_from(sys_seconds instant) const { return start(index_at(instant - seconds{1}) + 1); }

 private:
  static bool is_listed(std::int64_t index, std::size_t size) {
    return index >= 0 && static_cast<std::size_t>(index) < size;
  }
  static std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
  static std::int64_t months_of(local_days day) {
    const std::chrono::year_month_day date{day};
    return static_cast<int>(date.year()) * 12LL + static_cast<unsigned>(date.month()) - 1;
  }

  std::int64_t index_of(local_days day) const {
    using form = period_calendar::form;
    const std::int64_t n = day.time_since_epoch().count();
    switch (calendar_.is) {
      case form::week: return floor_div(n + 3, 7);
      case form::month: return months_of(day);
      case form::quarter: return months_of(day) / 3;
      case form::year: return months_of(day) / 12;
      case form::regular: {
        if (calendar_.every_days) return floor_div((day - calendar_.first).count(), calendar_.every_days);
        std::int64_t index = floor_div(months_of(day) - months_of(calendar_.first), calendar_.every_months);
        if (add_months(calendar_.first, static_cast<std::int32_t>(index) * calendar_.every_months) > day) --index;
        return index;
      }
      case form::listed:
        return std::upper_bound(calendar_.listed.begin(), calendar_.listed.end(), day,
                                [](local_days at, const period_calendar::dates& p) { return at < p.from; }) -
               calendar_.listed.begin() - 1;
      case form::day:
      case form::facts: break;
    }
    return n;
  }

  const period_calendar& calendar_;
  std::span<const known_period> facts_;
  const wall_calendar& wall_;
};

/// Working days, with the holidays that facts add.
class working_days {
 public:
  working_days(const working_calendar& calendar, std::span<const local_days> more) : calendar_(calendar), more_(more) {}

  bool is_worked(local_days day) const {
    const unsigned weekday = std::chrono::weekday{day}.c_encoding();
    return (calendar_.weekend >> weekday & 1u) == 0 &&
           !std::binary_search(calendar_.holidays.begin(), calendar_.holidays.end(), day) &&
           !std::binary_search(more_.begin(), more_.end(), day);
  }
  /// The day itself, or the first worked one after it.
  local_days worked_from(local_days day) const {
    while (!is_worked(day)) day += days{1};
    return day;
  }
  /// The n-th working day after a day.
  local_days add(local_days day, std::int32_t n) const {
    while (n > 0) {
      day += days{1};
      if (is_worked(day)) --n;
    }
    return day;
  }

 private:
  const working_calendar& calendar_;
  std::span<const local_days> more_;
};

}  // namespace hirenow
