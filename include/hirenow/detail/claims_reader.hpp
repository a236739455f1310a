#pragma once
/// Reads a token's JSON: the members that matter, as text or integer.
///
/// Threads: pure functions.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <boost/json/basic_parser_impl.hpp>

#include "hirenow/detail/strict_json.hpp"

namespace hirenow::detail {

/// A member's value. `text` borrows from what it was read from.
struct token_member {
  enum class kind : std::uint8_t { absent, text, integer, other };
  kind is = kind::absent;
  std::string_view text{};
  std::int64_t integer = 0;
};

/// The claims of a link's token, in the order in which they are written.
inline constexpr std::array<std::string_view, 11> claim_names{
    "iss", "aud", "sub", "tenant", "interview_id", "generation", "attempt", "iat", "nbf", "exp", "jti"};
enum claim : std::size_t { iss, aud, sub, tenant, interview_id_, generation, attempt, iat, nbf, exp_, jti };
using claim_members = std::array<token_member, claim_names.size()>;

/// Boost.JSON's handler for claims as we write them: one object, our members alone, no escapes. It stops at anything
/// else, and such a text, lawful or not, is then read as a whole document: several times slower, with the same result.
class plain_claims_handler {
 public:
  using error_code = boost::json::error_code;
  using chars = boost::json::string_view;
  static constexpr std::size_t max_object_size = 64;
  static constexpr std::size_t max_array_size = 0;
  static constexpr std::size_t max_key_size = 64;
  static constexpr std::size_t max_string_size = std::size_t{1} << 16;

  explicit plain_claims_handler(std::string_view input) : input_(input) {}

  claim_members members{};

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& e) { return depth_++ == 0 || stop(e); }
  bool on_object_end(std::size_t, error_code&) { return true; }
  bool on_array_begin(error_code& e) { return stop(e); }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(chars, std::size_t, error_code& e) { return stop(e); }
  bool on_key(chars key, std::size_t, error_code& e) {
    const std::string_view name(key.data(), key.size());
    if (at_ == claim_names.size() || claim_names[at_] != name) {
      at_ = 0;
      while (at_ < claim_names.size() && claim_names[at_] != name) ++at_;
    }
    return (at_ < claim_names.size() && members[at_].is == token_member::kind::absent) || stop(e);
  }
  bool on_string_part(chars, std::size_t, error_code& e) { return stop(e); }
  bool on_string(chars text, std::size_t, error_code& e) {
    // A text with escapes lies in a buffer of the parser's that is gone when it returns.
    const bool borrowed = !std::less<>()(text.data(), input_.data()) &&
                          !std::less<>()(input_.data() + input_.size(), text.data() + text.size());
    return borrowed ? put({token_member::kind::text, {text.data(), text.size()}, 0}, e) : stop(e);
  }
  bool on_number_part(chars, error_code&) { return true; }
  bool on_int64(std::int64_t n, chars, error_code& e) { return put({token_member::kind::integer, {}, n}, e); }
  bool on_uint64(std::uint64_t, chars, error_code& e) { return stop(e); }
  bool on_double(double, chars, error_code& e) { return stop(e); }
  bool on_bool(bool, error_code& e) { return stop(e); }
  bool on_null(error_code& e) { return stop(e); }
  bool on_comment_part(chars, error_code& e) { return stop(e); }
  bool on_comment(chars, error_code& e) { return stop(e); }

 private:
  static bool stop(error_code& e) {
    e = boost::json::error::syntax;
    return false;
  }
  bool put(const token_member& value, error_code& e) {
    if (depth_ == 0) return stop(e);
    members[at_++] = value;
    return true;
  }

  std::string_view input_;
  std::size_t depth_ = 0;
  std::size_t at_ = 0;  // the member whose value comes next, or whose turn it is
};

/// Reads claims as we write them. Returns nothing for any other text. Borrows from the text.
inline std::optional<claim_members> read_plain_claims(std::string_view text) {
  boost::json::basic_parser<plain_claims_handler> parser(boost::json::parse_options{}, text);
  boost::json::error_code code;
  if (parser.write_some(false, text.data(), text.size(), code) != text.size() || code) return std::nullopt;
  return parser.handler().members;
}

/// A JSON object that was read as a document, which the members borrow from.
class token_object {
 public:
  /// Reads the text. Returns nothing, or why it cannot be used: "json" or "duplicate_member".
  std::optional<std::string_view> read(std::string_view text) {
    constexpr std::size_t deepest = 16;
    auto document = read_json(text, deepest);
    if (!document || !document->value.is_object()) return "json";
    if (!document->repeated.empty()) return "duplicate_member";
    value_ = std::move(document->value);
    return std::nullopt;
  }

  bool contains(std::string_view name) const { return member(name).is != token_member::kind::absent; }

  token_member member(std::string_view name) const {
    const auto* value = value_.as_object().if_contains({name.data(), name.size()});
    if (!value) return {};
    if (const auto* text = value->if_string()) return {token_member::kind::text, {text->data(), text->size()}, 0};
    if (const auto* number = value->if_int64()) return {token_member::kind::integer, {}, *number};
    return {token_member::kind::other, {}, 0};
  }

 private:
  boost::json::value value_{};
};

}  // namespace hirenow::detail
