#pragma once
/// Lengths of time as a policy writes them: ISO 8601 durations in whole units.
///
/// Threads: pure functions.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "hirenow/clock.hpp"
#include "hirenow/error.hpp"

namespace hirenow {

/// A length of time: calendar months, days, and an exact part. What a day is, 24 hours or a date, says the rule.
struct policy_span {
  std::int32_t months = 0;
  std::int32_t days = 0;
  seconds exact{0};

  friend bool operator==(const policy_span&, const policy_span&) = default;
};

/// The span without its months, where a day is 24 hours.
constexpr seconds exact_part(const policy_span& span) { return seconds{86'400LL * span.days} + span.exact; }

/// Reads a span: `PnW`, or `PnYnMnDTnHnMnS` with at least one part; whole numbers, at most 100 years.
/// Errors: invalid_argument.
inline result<policy_span> parse_span(std::string_view text) {
  constexpr std::int64_t most_months = 1200;
  constexpr std::int64_t most_days = 36'600;
  constexpr std::int64_t most_seconds = most_days * 86'400;
  struct unit {
    char letter;
    bool of_time;
    std::int64_t months, days, exact;
  };
  constexpr std::array units{unit{'Y', false, 12, 0, 0}, unit{'M', false, 1, 0, 0},   unit{'W', false, 0, 7, 0},
                             unit{'D', false, 0, 1, 0},  unit{'H', true, 0, 0, 3600}, unit{'M', true, 0, 0, 60},
                             unit{'S', true, 0, 0, 1}};
  const auto refused = [] {
    return detail::fail(errc::invalid_argument,
                        "must be an ISO 8601 duration in whole units and of at most 100 years, for example \"P14D\", "
                        "\"PT36H\" or \"P12M\"");
  };
  if (text.empty() || text.front() != 'P') return refused();
  std::int64_t months = 0, days = 0, exact = 0;
  bool in_time = false, weeks = false;
  std::size_t parts = 0, parts_of_time = 0, next_unit = 0;
  for (std::size_t at = 1; at < text.size();) {
    if (text[at] == 'T' && !in_time) {
      in_time = true;
      ++at;
      continue;
    }
    std::int64_t number = 0;
    const std::size_t first = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      number = number * 10 + (text[at] - '0');
      if (number > most_seconds) return refused();
    }
    if (at == first || at == text.size()) return refused();
    while (next_unit < units.size() && (units[next_unit].letter != text[at] || units[next_unit].of_time != in_time))
      ++next_unit;
    if (next_unit == units.size()) return refused();
    weeks = weeks || units[next_unit].letter == 'W';
    months += number * units[next_unit].months;
    days += number * units[next_unit].days;
    exact += number * units[next_unit].exact;
    if (months > most_months || days * 86'400 + exact > most_seconds) return refused();
    ++next_unit;
    ++at;
    ++parts;
    if (in_time) ++parts_of_time;
  }
  if (parts == 0 || (in_time && parts_of_time == 0) || (weeks && parts > 1)) return refused();
  return policy_span{static_cast<std::int32_t>(months), static_cast<std::int32_t>(days), seconds{exact}};
}

/// The languages that explanations are written in.
enum class explain_in : std::uint8_t { english, german };

/// A language by its tag (RFC 5646): German where the first subtag is "de", else English.
constexpr explain_in explain_language(std::string_view tag) {
  return tag.substr(0, tag.find_first_of("-_")) == "de" ? explain_in::german : explain_in::english;
}

namespace detail {

/// A noun in both languages; German in the nominative, and in the dative as after "von".
struct counted_noun {
  std::string_view english_one, english_many, german_one, german_many, german_of_many;
};
inline constexpr counted_noun noun_year{"year", "years", "Jahr", "Jahre", "Jahren"};
inline constexpr counted_noun noun_month{"month", "months", "Monat", "Monate", "Monaten"};
inline constexpr counted_noun noun_day{"day", "days", "Tag", "Tage", "Tagen"};
inline constexpr counted_noun noun_working_day{"working day", "working days", "Werktag", "Werktage", "Werktagen"};
inline constexpr counted_noun noun_hour{"hour", "hours", "Stunde", "Stunden", "Stunden"};
inline constexpr counted_noun noun_minute{"minute", "minutes", "Minute", "Minuten", "Minuten"};
inline constexpr counted_noun noun_second{"second", "seconds", "Sekunde", "Sekunden", "Sekunden"};
inline constexpr counted_noun noun_attempt{"attempt", "attempts", "Versuch", "Versuche", "Versuchen"};

/// How a span's words are used.
struct span_words {
  bool working_days = false;
  bool dative = false;
};

inline std::string in_number(std::int64_t n, const counted_noun& noun, explain_in language, bool dative = false) {
  const bool one = n == 1;
  return std::to_string(n) + " " +
         std::string(language == explain_in::english ? (one ? noun.english_one : noun.english_many)
                     : one                           ? noun.german_one
                     : dative                        ? noun.german_of_many
                                                     : noun.german_many);
}

}  // namespace detail

/// The span in words, for example "14 days", "1 year", "1 month and 36 hours".
inline std::string in_words(const policy_span& span, explain_in language = explain_in::english,
                            detail::span_words as = {}) {
  std::string words;
  const auto add = [&](std::int64_t n, const detail::counted_noun& noun) {
    if (!words.empty()) words += language == explain_in::german ? " und " : " and ";
    words += detail::in_number(n, noun, language, as.dative);
  };
  if (span.months != 0) {
    const bool years = span.months % 12 == 0;
    add(years ? span.months / 12 : span.months, years ? detail::noun_year : detail::noun_month);
  }
  const auto& day = as.working_days ? detail::noun_working_day : detail::noun_day;
  if (span.days != 0) add(span.days, day);
  if (const std::int64_t n = span.exact.count(); n != 0) {
    if (n % 3'600 == 0)
      add(n / 3'600, detail::noun_hour);
    else if (n % 60 == 0)
      add(n / 60, detail::noun_minute);
    else
      add(n, detail::noun_second);
  }
  if (words.empty()) add(0, day);
  return words;
}

}  // namespace hirenow
