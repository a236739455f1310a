#pragma once
/// Reads JSON as RFC 8259 has it and as I-JSON (RFC 7493 §2.3) narrows it: one document, no member twice, no comments,
/// no trailing commas, well-formed UTF-8, a bound on the nesting.
///
/// Threads: pure functions.

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

#include "hirenow/error.hpp"

namespace hirenow::detail {

/// A member's name as a step of a JSON pointer (RFC 6901 §3).
inline std::string pointer_step(std::string_view name) {
  std::string step = "/";
  for (const char c : name) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

/// A document as it was read.
struct json_document {
  boost::json::value value{};
  std::vector<std::string> repeated{};  ///< JSON pointers of members that stand there more than once
};

/// Builds the value, and notes members that repeat: Boost's own parser would keep the last one silently.
class strict_json_handler {
 public:
  using error_code = boost::json::error_code;
  using text = boost::json::string_view;
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  json_document take() { return {values_.release(), std::move(repeated_)}; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return open(true); }
  bool on_object_end(std::size_t n, error_code&) {
    levels_.pop_back();
    values_.push_object(n);
    return true;
  }
  bool on_array_begin(error_code&) { return open(false); }
  bool on_array_end(std::size_t n, error_code&) {
    levels_.pop_back();
    values_.push_array(n);
    return true;
  }
  bool on_key_part(text part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    values_.push_chars(part);
    return true;
  }
  bool on_key(text part, std::size_t, error_code&) {
    key_.append(part.data(), part.size());
    values_.push_key(part);
    level& here = levels_.back();
    const bool fresh = here.names.insert(key_).second;
    here.step = std::exchange(key_, {});
    if (!fresh) repeated_.push_back(pointer());
    return true;
  }
  bool on_string_part(text part, std::size_t, error_code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_string(text part, std::size_t, error_code&) {
    count();
    values_.push_string(part);
    return true;
  }
  bool on_number_part(text, error_code&) { return true; }
  bool on_int64(std::int64_t n, text, error_code&) {
    count();
    values_.push_int64(n);
    return true;
  }
  bool on_uint64(std::uint64_t n, text, error_code&) {
    count();
    values_.push_uint64(n);
    return true;
  }
  bool on_double(double n, text, error_code&) {
    count();
    values_.push_double(n);
    return true;
  }
  bool on_bool(bool b, error_code&) {
    count();
    values_.push_bool(b);
    return true;
  }
  bool on_null(error_code&) {
    count();
    values_.push_null();
    return true;
  }
  bool on_comment_part(text, error_code&) { return true; }
  bool on_comment(text, error_code&) { return true; }

  explicit strict_json_handler(boost::json::storage_ptr memory) : values_(memory) { values_.reset(std::move(memory)); }

 private:
  struct level {
    bool object = false;
    std::size_t elements = 0;
    std::string step{};
    std::unordered_set<std::string> names{};
  };

  void count() {
    if (!levels_.empty() && !levels_.back().object) levels_.back().step = std::to_string(levels_.back().elements++);
  }
  bool open(bool object) {
    count();
    levels_.push_back({.object = object});
    return true;
  }
  std::string pointer() const {
    std::string path;
    for (const level& l : levels_) path += pointer_step(l.step);
    return path;
  }

  boost::json::value_stack values_;
  std::vector<level> levels_{};
  std::string key_{};
  std::vector<std::string> repeated_{};
};

/// Reads one document into the memory given. Members that repeat are listed and left to the caller to refuse.
/// Errors: too_large for a document that is nested deeper than `depth`; invalid_argument for one that is not JSON.
inline result<json_document> read_json(std::string_view text, std::size_t depth, boost::json::storage_ptr memory = {}) {
  boost::json::parse_options options;
  options.max_depth = depth;
  boost::json::basic_parser<strict_json_handler> parser(options, std::move(memory));
  boost::json::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (!code && used < text.size()) code = boost::json::error::extra_data;
  if (code == boost::json::error::too_deep)
    return fail(errc::too_large, "nested deeper than " + std::to_string(depth) + " levels");
  if (code) return fail(errc::invalid_argument, "not JSON at byte " + std::to_string(used) + ": " + code.message());
  return parser.handler().take();
}

}  // namespace hirenow::detail
