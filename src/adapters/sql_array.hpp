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
    text_ += text_.empty() ? R"({"\\x)" : R"(,"\\x)";
    for (const auto byte : bytes) {
      text_ += digits[byte >> 4];
      text_ += digits[byte & 15];
    }
    text_ += '"';
  }
  /// As a parameter, which borrows. Nothing can be added after it.
  sql_value value() {
    text_ += text_.empty() ? "{}" : "}";
    return std::string_view(text_);
  }

 private:
  std::string text_;
};

}  // namespace hirenow::detail
