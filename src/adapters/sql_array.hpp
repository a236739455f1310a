#pragma once
/// Values as PostgreSQL reads an array from text (its manual, "Array Input and Output Syntax").
///
/// Threads: a plain value.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sql_connection.hpp"

namespace hirenow::detail {

class sql_array {
 public:
  void add_bytes(std::span<const std::uint8_t> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    begin_next();
    text_ += R"("\\x)";
    for (const auto byte : bytes) {
      text_ += digits[byte >> 4];
      text_ += digits[byte & 15];
    }
    text_ += '"';
  }
  void add_number(std::int64_t number) {
    begin_next();
    text_ += std::to_string(number);
  }
  void add_text(std::string_view text) {
    begin_next();
    text_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') text_ += '\\';
      text_ += c;
    }
    text_ += '"';
  }
  void add_null() {
    begin_next();
    text_ += "NULL";
  }
  /// As a parameter, which borrows. Nothing can be added after it.
  sql_value value() {
    text_ += text_.empty() ? "{}" : "}";
    return std::string_view(text_);
  }

 private:
  void begin_next() { text_ += text_.empty() ? '{' : ','; }

  std::string text_;
};

}  // namespace hirenow::detail
