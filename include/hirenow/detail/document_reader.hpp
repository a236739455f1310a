#pragma once
/// Reads a JSON document member by member and notes every fault with its JSON pointer (RFC 6901). A faulty part is
/// noted and passed over, so that the next fault is found too.
///
/// Threads: a reader serves one thread.

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "hirenow/detail/strict_json.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/policy_span.hpp"
#include "hirenow/retake_rules.hpp"

namespace hirenow::detail {

/// What readers of documents share.
class document_reader {
 protected:
  using object = boost::json::object;
  using value = boost::json::value;

  /// The faults found so far, each with its place; empty where there is none.
  const std::string& faults() const { return faults_; }

  void fault(std::string_view path, std::string_view what) {
    if (!faults_.empty()) faults_ += "; ";
    faults_ += path.empty() ? std::string_view("the document") : path;
    faults_ += ": ";
    faults_ += what;
  }

  static std::string at(const std::string& path, std::string_view name) { return path + pointer_step(name); }
  static std::string at(const std::string& path, std::size_t n) { return path + "/" + std::to_string(n); }

  void refuse_others(const object& o, const std::string& path, std::span<const std::string_view> known) {
    for (const auto& member : o) {
      const std::string_view name(member.key().data(), member.key().size());
      if (std::find(known.begin(), known.end(), name) == known.end())
        fault(at(path, name), "is no member that is known here");
    }
  }
  void refuse_others(const object& o, const std::string& path, std::initializer_list<std::string_view> known) {
    refuse_others(o, path, std::span(known.begin(), known.size()));
  }

  const value* need(const object& o, const std::string& path, std::string_view name) {
    const value* v = o.if_contains(name);
    if (!v) fault(at(path, name), "is missing");
    return v;
  }
  const object* an_object(const value& v, const std::string& path) {
    if (v.is_object()) return &v.get_object();
    fault(path, "must be an object");
    return nullptr;
  }
  const boost::json::array* a_list(const value& v, const std::string& path, std::string_view of) {
    if (v.is_array()) return &v.get_array();
    fault(path, "must be a list of " + std::string(of));
    return nullptr;
  }

  /// The string's text; empty, which no member here allows, for another kind of value.
  static std::string_view string_in(const value& v) {
    if (!v.is_string()) return {};
    return {v.get_string().data(), v.get_string().size()};
  }
  /// A text that may name something.
  std::string name_in(const value& v, const std::string& path) {
    if (!v.is_string()) {
      fault(path, "must be a text");
      return {};
    }
    if (auto ok = limits::check_id("it", string_in(v)); !ok) {
      fault(path, ok.error().message);
      return {};
    }
    return std::string(string_in(v));
  }
  std::string name(const object& o, const std::string& path, std::string_view member) {
    const value* v = need(o, path, member);
    return v ? name_in(*v, at(path, member)) : std::string{};
  }
  std::string text(const object& o, const std::string& path, std::string_view member, std::size_t most) {
    const value* v = o.if_contains(member);
    if (!v) return {};
    if (!v->is_string())
      fault(at(path, member), "must be a text");
    else if (auto ok = limits::check_text("it", string_in(*v), most); !ok)
      fault(at(path, member), ok.error().message);
    else
      return std::string(string_in(*v));
    return {};
  }

  std::uint64_t number_in(const value& v, const std::string& path, std::int64_t least,
                          std::int64_t most = limits::attempts) {
    const std::int64_t n = v.is_int64() ? v.get_int64() : -1;
    if (n >= least && n <= most) return static_cast<std::uint64_t>(n);
    fault(path, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return static_cast<std::uint64_t>(least);
  }
  std::optional<std::uint64_t> number(const object& o, const std::string& path, std::string_view member,
                                      std::int64_t least) {
    const value* v = o.if_contains(member);
    if (!v) return std::nullopt;
    return number_in(*v, at(path, member), least);
  }
  std::uint64_t needed_number(const object& o, const std::string& path, std::string_view member, std::int64_t least) {
    const value* v = need(o, path, member);
    return v ? number_in(*v, at(path, member), least) : static_cast<std::uint64_t>(least);
  }
  std::optional<double> real(const object& o, const std::string& path, std::string_view member) {
    const value* v = o.if_contains(member);
    if (!v) return std::nullopt;
    if (v->is_number()) return v->to_number<double>();
    fault(at(path, member), "must be a number");
    return std::nullopt;
  }
  bool flag(const object& o, const std::string& path, std::string_view member, bool otherwise) {
    const value* v = o.if_contains(member);
    if (!v) return otherwise;
    if (v->is_bool()) return v->get_bool();
    fault(at(path, member), "must be true or false");
    return otherwise;
  }

  static std::optional<outcome> outcome_in(const value& v) {
    for (std::size_t n = 0; n < outcome_count; ++n)
      if (string_in(v) == to_string(static_cast<outcome>(n))) return static_cast<outcome>(n);
    return std::nullopt;
  }

  std::optional<policy_span> span_in(const value& v, const std::string& path) {
    const auto parsed = parse_span(string_in(v));
    if (parsed) return *parsed;
    fault(path, parsed.error().message);
    return std::nullopt;
  }
  std::optional<policy_span> span(const object& o, const std::string& path, std::string_view member) {
    const value* v = o.if_contains(member);
    if (!v) return std::nullopt;
    return span_in(*v, at(path, member));
  }

  /// A date of ISO 8601, from 1970 to 9999.
  std::optional<local_days> date_in(const value& v, const std::string& path) {
    const auto day = date_of(string_in(v));
    if (!day) fault(path, "must be a date from 1970 to 9999, for example \"2026-03-01\"");
    return day;
  }
  std::optional<local_days> date(const object& o, const std::string& path, std::string_view member) {
    const value* v = o.if_contains(member);
    if (!v) return std::nullopt;
    return date_in(*v, at(path, member));
  }
  static std::optional<local_days> date_of(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto y = digits(text.substr(0, 4)), m = digits(text.substr(5, 2)), d = digits(text.substr(8, 2));
    if (!y || !m || !d || *y < 1970) return std::nullopt;
    const std::chrono::year_month_day day{std::chrono::year{*y}, std::chrono::month{static_cast<unsigned>(*m)},
                                          std::chrono::day{static_cast<unsigned>(*d)}};
    if (!day.ok()) return std::nullopt;
    return local_days{day};
  }
  /// An instant of RFC 3339 in UTC, in whole seconds.
  std::optional<sys_seconds> instant_in(const value& v, const std::string& path) {
    const std::string_view t = string_in(v);
    if (t.size() == 20 && t[10] == 'T' && t[13] == ':' && t[16] == ':' && t[19] == 'Z') {
      const auto day = date_of(t.substr(0, 10));
      const auto h = digits(t.substr(11, 2)), m = digits(t.substr(14, 2)), s = digits(t.substr(17, 2));
      if (day && h && m && s && *h < 24 && *m < 60 && *s < 60)
        return sys_seconds{day->time_since_epoch()} + seconds{*h * 3600 + *m * 60 + *s};
    }
    fault(path, "must be an instant in UTC, for example \"2026-03-01T09:00:00Z\"");
    return std::nullopt;
  }
  std::optional<sys_seconds> instant(const object& o, const std::string& path, std::string_view member) {
    const value* v = o.if_contains(member);
    if (!v) return std::nullopt;
    return instant_in(*v, at(path, member));
  }

 private:
  static std::optional<int> digits(std::string_view text) {
    int n = 0;
    for (const char c : text) {
      if (c < '0' || c > '9') return std::nullopt;
      n = n * 10 + (c - '0');
    }
    return n;
  }

  std::string faults_{};
};

}  // namespace hirenow::detail
