#pragma once
/// Cursors of the memory store: the sort key of the last row shown, its fields in hexadecimal, after a letter for the
/// kind of page. Threads: pure functions.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hirenow/error.hpp"

namespace hirenow::detail {

using cursor_fields = std::vector<std::string>;

inline std::string write_cursor(char kind, const cursor_fields& fields) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out(1, kind);
  for (const auto& field : fields) {
    out.push_back('.');
    for (const char c : field) {
      out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(digits[static_cast<unsigned char>(c) & 0xf]);
    }
  }
  return out;
}

inline result<cursor_fields> read_cursor(char kind, std::string_view text, std::size_t count) {
  const error refusal = fail(errc::invalid_argument, "not a cursor of this list");
  if (text.empty() || text.front() != kind) return refusal;
  text.remove_prefix(1);
  cursor_fields fields;
  while (!text.empty()) {
    if (text.front() != '.') return refusal;
    text.remove_prefix(1);
    const std::string_view field = text.substr(0, text.find('.'));
    text.remove_prefix(field.size());
    if (field.size() % 2 != 0) return refusal;
    std::string bytes;
    for (std::size_t at = 0; at < field.size(); at += 2) {
      unsigned value = 0;
      const auto [end, failed] = std::from_chars(field.data() + at, field.data() + at + 2, value, 16);
      if (failed != std::errc{} || end != field.data() + at + 2) return refusal;
      bytes.push_back(static_cast<char>(value));
    }
    fields.push_back(std::move(bytes));
  }
  if (fields.size() != count) return refusal;
  return fields;
}

inline std::optional<std::int64_t> read_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace hirenow::detail
