#pragma once
/// Limits on what callers may hand in, and the checks that enforce them. One byte over is `too_large`.
///
/// Threads: pure functions.

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/nowide/utf/utf.hpp>

#include "hirenow/clock.hpp"
#include "hirenow/error.hpp"

namespace hirenow::limits {

inline constexpr std::size_t id = 255;                    ///< bytes of an id, a track, a locale, a time zone, a key
inline constexpr std::size_t email = 254;                 ///< bytes of an address (RFC 5321 §4.5.3.1.3)
inline constexpr std::size_t email_local = 64;            ///< bytes of an address before the @ (RFC 5321 §4.5.3.1.1)
inline constexpr std::size_t name = 255;                  ///< bytes of a person's name
inline constexpr std::size_t reason = 2 * 1024;           ///< bytes of a free-text reason
inline constexpr std::size_t token = 8 * 1024;            ///< bytes of a token
inline constexpr std::size_t policy = 64 * 1024;          ///< bytes of a policy document
inline constexpr std::size_t policy_depth = 16;           ///< nesting of a policy document
inline constexpr std::size_t progress = 256 * 1024;       ///< bytes of saved progress
inline constexpr std::size_t attempts = 10'000;           ///< interviews of one applicant that are read
inline constexpr std::size_t waivers = 1'000;             ///< waivers of one applicant
inline constexpr std::size_t fact_value = 2 * 1024;       ///< bytes of a fact's value
inline constexpr std::size_t reminders = 16;              ///< reminders of one link
inline constexpr std::size_t page = 500;                  ///< rows of one page
inline constexpr std::size_t session_key_min = 16;        ///< bytes of a session key, at least (128 bits)
inline constexpr unsigned accommodation_percent = 1'000;  ///< of a time limit, at most
inline constexpr seconds longest_span{10LL * 366 *
                                      86400};  ///< longest life of a link, time limit with what is added, or grace

/// True where a byte of the text is odd. Without a branch, so that many bytes are looked at in one step.
template <class IsOdd>
constexpr bool any_byte(std::string_view text, IsOdd is_odd) {
  unsigned char odd = 0;
  for (const char c : text) odd |= static_cast<unsigned char>(is_odd(c));
  return odd != 0;
}

/// True where the text is well-formed UTF-8 without a NUL.
inline bool is_text(std::string_view text) {
  if (!any_byte(text, [](char c) { return static_cast<signed char>(c) <= 0; })) return true;  // ASCII, as most is
  using utf8 = boost::nowide::utf::utf_traits<char>;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const auto code_point = utf8::decode(at, end);
    if (code_point == boost::nowide::utf::illegal || code_point == boost::nowide::utf::incomplete || code_point == 0)
      return false;
  }
  return true;
}

/// True where the text holds a control character (C0 or DEL): such a text never reaches a mail header.
inline bool has_control(std::string_view text) {
  return any_byte(text, [](char c) { return (static_cast<unsigned char>(c) < 0x20) | (c == 0x7f); });
}

/// Checks a text of at most `most` bytes; `what` names it in the message. Empty is allowed.
/// Errors: too_large, invalid_argument.
inline result<void> check_text(std::string_view what, std::string_view text, std::size_t most) {
  if (text.size() > most)
    return detail::fail(errc::too_large, std::string(what) + " has " + std::to_string(text.size()) +
                                             " bytes; at most " + std::to_string(most) + " are allowed");
  if (!is_text(text)) return detail::fail(errc::invalid_argument, std::string(what) + " is not UTF-8 without NUL");
  return {};
}

/// Checks an id: not empty, at most 255 bytes, UTF-8, no control characters.
/// Errors: too_large, invalid_argument.
inline result<void> check_id(std::string_view what, std::string_view text) {
  if (auto ok = check_text(what, text, id); !ok) return ok;
  if (text.empty()) return detail::fail(errc::invalid_argument, std::string(what) + " is empty");
  if (has_control(text)) return detail::fail(errc::invalid_argument, std::string(what) + " holds a control character");
  return {};
}

/// Checks an instant against `min_instant` and `max_instant`.
/// Errors: invalid_argument.
inline result<void> check_instant(std::string_view what, sys_seconds instant) {
  if (instant < min_instant || instant > max_instant)
    return detail::fail(errc::invalid_argument, std::string(what) + " lies outside 1970 to 9999");
  return {};
}

/// Checks a span of time: from `least` to ten years.
/// Errors: invalid_argument.
inline result<void> check_span(std::string_view what, seconds span, seconds least) {
  if (span < least || span > longest_span)
    return detail::fail(errc::invalid_argument, std::string(what) + " must lie between " +
                                                    std::to_string(least.count()) + " and " +
                                                    std::to_string(longest_span.count()) + " seconds");
  return {};
}

/// Checks an e-mail address as RFC 5321 §4.1.2 has it, with RFC 6531's UTF-8 and less quoted local parts and address
/// literals: enough to keep a header or an SMTP command from being forged, the rest is the server's to refuse.
/// Errors: too_large, invalid_argument.
inline result<void> check_email(std::string_view text) {
  if (auto ok = check_text("email", text, email); !ok) return ok;
  const auto refused = [] { return detail::fail(errc::invalid_argument, "email is not an address"); };
  const auto at = text.find('@');
  if (at == std::string_view::npos || at > email_local) return refused();
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ||
        std::string_view("<>()[],;:\\\"").find(c) != std::string_view::npos)
      return refused();
  const auto starts_or_ends_with = [](std::string_view part, char c) { return part.front() == c || part.back() == c; };
  for (const std::string_view side : {text.substr(0, at), text.substr(at + 1)})
    if (side.empty() || starts_or_ends_with(side, '.') || side.find("..") != std::string_view::npos ||
        side.find('@') != std::string_view::npos)
      return refused();
  const std::string_view domain = text.substr(at + 1);
  if (starts_or_ends_with(domain, '-') || domain.find(".-") != std::string_view::npos ||
      domain.find("-.") != std::string_view::npos)
    return refused();
  return {};
}

}  // namespace hirenow::limits
