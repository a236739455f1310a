#include "http.hpp"

#include <utility>

namespace ats {
namespace {

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

std::string url_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t n = 0; n < text.size(); ++n) {
    const int high = text[n] == '%' && n + 2 < text.size() ? hex_digit(text[n + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[n + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      n += 2;
    } else {
      out += text[n] == '+' ? ' ' : text[n];
    }
  }
  return out;
}

/// Calls `take(name, value)` for each pair.
template <class Take>
void each_pair(std::string_view text, char separator, Take&& take) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    take(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
  }
}

}  // namespace

fields fields::of_form(std::string_view text) {
  fields out;
  each_pair(text, '&', [&](std::string_view name, std::string_view value) {
    out.values_.insert_or_assign(url_decoded(name), url_decoded(value));
  });
  return out;
}

fields fields::of_cookies(std::string_view header) {
  fields out;
  each_pair(header, ';', [&](std::string_view name, std::string_view value) {
    out.values_.insert_or_assign(std::string(name), std::string(value));
  });
  return out;
}

response redirect(std::string to) {
  response out;
  out.status = 303;
  out.location = std::move(to);
  return out;
}

std::string url_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain)
      out += c;
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace ats
