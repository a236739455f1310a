#pragma once
/// A mail as it goes over the wire, in ASCII but for addresses that are not: encoded words (RFC 2047), mailboxes and
/// dates (RFC 5322), the parts of the body (RFC 2045, RFC 2046).
///
/// libcurl's own MIME costs more than sending the mail does.
/// Threads: pure functions.

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "hirenow/clock.hpp"
#include "hirenow/crypto.hpp"
#include "hirenow/detail/base64url.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/mailer.hpp"

namespace hirenow::detail {

/// True where the text is printable ASCII.
inline bool is_printable_ascii(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7e) return false;
  return true;
}

/// The text in encoded words, one a line of at most 76 characters, never cut within a character (RFC 2047 §2, §4.2).
/// The first line has `used` characters before it.
inline std::string encoded_words(std::string_view text, std::size_t used) {
  constexpr std::string_view opening = "=?UTF-8?Q?";
  constexpr std::size_t line = 76 - opening.size() - 2;
  std::size_t room = line - used;
  std::string out;
  std::string word;
  const auto close_word = [&] {
    if (!out.empty()) out += "\r\n ";
    out += opening;
    out += word;
    out += "?=";
    word.clear();
    room = line - 1;
  };
  for (std::size_t n = 0; n < text.size();) {
    std::string one;
    do {
      const char c = text[n++];
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        one += c;
      else if (c == ' ')
        one += '_';
      else {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(c);
        one += {'=', digits[byte >> 4], digits[byte & 15]};
      }
    } while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xc0) == 0x80);
    if (word.size() + one.size() > room) close_word();
    word += one;
  }
  if (!word.empty()) close_word();
  return out;
}

/// An unstructured header field. What does not fit a line of 78 or looks encoded already is encoded, and so folded.
inline std::string text_field(std::string_view name, std::string_view value) {
  std::string field = std::string(name) + ": ";
  const bool plain = is_printable_ascii(value) && field.size() + value.size() <= 78 &&
                     value.find("=?") == std::string_view::npos && !value.starts_with(' ') && !value.ends_with(' ');
  return field + (plain ? std::string(value) : encoded_words(value, field.size()));
}

/// A header field with one mailbox: `To: "Ada Lovelace" <ada@example.org>`.
inline std::string mailbox_field(std::string_view name, std::string_view person, std::string_view address) {
  std::string field = std::string(name) + ": ";
  if (person.empty()) return field + std::string(address);
  if (is_printable_ascii(person) && person.size() <= 60 && person.find("=?") == std::string_view::npos) {
    field += '"';
    for (const char c : person) {
      if (c == '"' || c == '\\') field += '\\';
      field += c;
    }
    field += '"';
  } else {
    field += encoded_words(person, field.size());
  }
  return field + "\r\n <" + std::string(address) + ">";
}

/// A header field with a date, in UTC (RFC 5322 §3.3).
inline std::string date_field(sys_seconds at) {
  constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  char text[64];
  std::snprintf(text, sizeof text, "Date: %s, %02u %s %04d %02d:%02d:%02d +0000",
                days[std::chrono::weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

/// A body's text with the line ends of the wire.
inline std::string with_wire_lines(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16 + 2);
  while (!text.empty()) {
    const auto end = text.find('\n');
    out.append(text.substr(0, end));
    if (end == std::string_view::npos) break;
    out.append(end > 0 && text[end - 1] == '\r' ? "\n" : "\r\n");
    text.remove_prefix(end + 1);
  }
  return out;
}

/// True where a text with the line ends of the wire may travel as it is: ASCII, lines of at most 998 (RFC 5321
/// §4.5.3.1.6), none that begins with a dot, no control character but line ends and tabs.
inline bool may_travel_as_it_is(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    if (line.size() > 998 || line.starts_with('.')) return false;
    if (limits::any_byte(line, [](char c) { return ((c < 0x20) | (c == 0x7f)) & (c != '\t'); })) return false;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 2);
  }
  return true;
}

/// Base64 in lines of 76 characters (RFC 2045 §6.8).
inline void append_base64_lines(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t line = 57;
  for (std::size_t n = 0; n < bytes.size(); n += 3) {
    const auto byte = [&](std::size_t at) { return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U; };
    const unsigned three = byte(n) << 16 | byte(n + 1) << 8 | byte(n + 2);
    out += digits[three >> 18];
    out += digits[three >> 12 & 63];
    out += n + 1 < bytes.size() ? digits[three >> 6 & 63] : '=';
    out += n + 2 < bytes.size() ? digits[three & 63] : '=';
    if ((n + 3) % line == 0 || n + 3 >= bytes.size()) out += "\r\n";
  }
}

/// One part of the body, up to the line end that belongs to the boundary behind it (RFC 2046 §5.1.1). ASCII travels as
/// it is, the rest in base64; either way no line begins with a dot, which would have to be doubled (RFC 5321 §4.5.2).
inline void append_part(std::string& out, std::string_view type, std::string_view text) {
  const std::string wire = with_wire_lines(text);
  const bool plain = may_travel_as_it_is(wire);
  out.append("Content-Type: ").append(type).append("; charset=utf-8\r\n");
  out.append(plain ? "Content-Transfer-Encoding: 7bit\r\n\r\n" : "Content-Transfer-Encoding: base64\r\n\r\n");
  if (plain)
    out.append(wire).append("\r\n");
  else
    append_base64_lines(out, wire);
}

/// The whole mail: header fields, an empty line, the text, with its HTML beside it where there is one, and the final
/// dot.
inline std::string wire_mail(const outgoing_mail& mail, sys_seconds now) {
  std::string out;
  out.reserve(1024 + (mail.text.size() + mail.html.size()) * 3 / 2);
  const auto put = [&](std::string_view field) { out.append(field).append("\r\n"); };
  put(date_field(now));
  put(mailbox_field("From", mail.from_name, mail.from_address));
  put(mailbox_field("To", mail.to_name, mail.to_address));
  put(text_field("Subject", mail.subject));
  out.append("Message-ID: <").append(mail.message_id).append(">\r\n");
  put("Auto-Submitted: auto-generated");
  if (!mail.language.empty()) out.append("Content-Language: ").append(mail.language).append("\r\n");
  put("MIME-Version: 1.0");
  // Random, so that no text can hold it.
  std::array<std::uint8_t, 18> random;
  random_bytes(random);
  std::array<char, 24> word;
  base64url_encode({reinterpret_cast<const char*>(random.data()), random.size()}, word.data());
  const std::string boundary = "--=_" + std::string(word.data(), word.size());
  out.append("Content-Type: multipart/alternative;\r\n boundary=\"").append(boundary, 2).append("\"\r\n\r\n");
  put(boundary);
  append_part(out, "text/plain", mail.text);
  if (!mail.html.empty()) {
    put(boundary);
    append_part(out, "text/html", mail.html);
  }
  out.append(boundary).append("--\r\n.\r\n");
  return out;
}

}  // namespace hirenow::detail
