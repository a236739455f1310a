#pragma once
/// How instants and spans read in a message, by language. English and German are written out; every other language gets
/// figures that need no words (the date of ISO 8601, "2 h 30 min").
///
/// Threads: pure functions.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hirenow/time_zone.hpp"

namespace hirenow::detail {

/// The languages whose words are known here.
enum class message_language : unsigned char { english, german, other };

/// The language of a lower-case locale: its first subtag decides.
inline message_language language_of(std::string_view locale) {
  const auto primary = locale.substr(0, locale.find('-'));
  return primary == "en"   ? message_language::english
         : primary == "de" ? message_language::german
                           : message_language::other;
}

/// The zone for a reader: "UTC", "Europe/Vienna, UTC+1", "Asia/Kolkata, UTC+5:30".
inline std::string zone_text(const local_time& local) {
  if (local.zone == "UTC") return local.zone;
  const auto minutes = std::abs(local.offset.count()) / 60;
  char text[32];
  std::snprintf(text, sizeof text, minutes % 60 ? "UTC%c%d:%02d" : "UTC%c%d", local.offset.count() < 0 ? '-' : '+',
                static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
  return local.zone + ", " + text;
}

/// An instant for a reader, to the minute, with its zone named: "Tuesday, 3 March 2026, 14:00 (Europe/Vienna, UTC+1)".
/// Seconds are dropped, so that a limit never reads later than it is; for the start of something pass it rounded up.
inline std::string instant_text(message_language language, sys_seconds instant, std::string_view zone) {
  constexpr std::array<std::string_view, 7> english_days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                         "Thursday", "Friday", "Saturday"};
  constexpr std::array<std::string_view, 7> german_days{"Sonntag",    "Montag",  "Dienstag", "Mittwoch",
                                                        "Donnerstag", "Freitag", "Samstag"};
  constexpr std::array<std::string_view, 12> english_months{"January",   "February", "March",    "April",
                                                            "May",       "June",     "July",     "August",
                                                            "September", "October",  "November", "December"};
  constexpr std::array<std::string_view, 12> german_months{"Januar",    "Februar", "März",     "April",
                                                           "Mai",       "Juni",    "Juli",     "August",
                                                           "September", "Oktober", "November", "Dezember"};
  const local_time local = to_local(instant, zone);
  const auto day = static_cast<unsigned>(local.date.day());
  const auto month = static_cast<unsigned>(local.date.month());
  const int year = static_cast<int>(local.date.year());
  char clock[16];
  std::snprintf(clock, sizeof clock, "%02d:%02d", static_cast<int>(local.time.hours().count()),
                static_cast<int>(local.time.minutes().count()));
  const std::size_t weekday = local.weekday.c_encoding();
  const std::string zone_name = " (" + zone_text(local) + ")";
  switch (language) {
    case message_language::english:
      return std::string(english_days[weekday]) + ", " + std::to_string(day) + " " +
             std::string(english_months[month - 1]) + " " + std::to_string(year) + ", " + clock + zone_name;
    case message_language::german:
      return std::string(german_days[weekday]) + ", " + std::to_string(day) + ". " +
             std::string(german_months[month - 1]) + " " + std::to_string(year) + ", " + clock + " Uhr" + zone_name;
    case message_language::other: break;
  }
  char date[32];
  std::snprintf(date, sizeof date, "%04d-%02u-%02u ", year, month, day);
  return date + std::string(clock) + zone_name;
}

/// A span for a reader: "2 hours 30 minutes", "24 hours", "3 days". Exact: no unit is dropped.
inline std::string span_text(message_language language, seconds span) {
  struct unit {
    long long size;
    std::array<std::array<std::string_view, 2>, 3> words;  // by language: one, several
  };
  static constexpr std::array<unit, 4> units{{
      {86400, {{{"day", "days"}, {"Tag", "Tage"}, {"d", "d"}}}},
      {3600, {{{"hour", "hours"}, {"Stunde", "Stunden"}, {"h", "h"}}}},
      {60, {{{"minute", "minutes"}, {"Minute", "Minuten"}, {"min", "min"}}}},
      {1, {{{"second", "seconds"}, {"Sekunde", "Sekunden"}, {"s", "s"}}}},
  }};
  std::string text;
  long long left = span.count() < 0 ? 0 : span.count();
  // A day and a half is better told in hours.
  for (std::size_t n = left < 2 * 86400 ? 1 : 0; n < units.size(); ++n) {
    const long long count = left / units[n].size;
    left %= units[n].size;
    if (count == 0 && !(n + 1 == units.size() && text.empty())) continue;
    if (!text.empty()) text += ' ';
    text += std::to_string(count) + " ";
    text += units[n].words[static_cast<std::size_t>(language)][count == 1 ? 0 : 1];
  }
  return text;
}

}  // namespace hirenow::detail
