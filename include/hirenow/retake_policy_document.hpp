#pragma once
/// The JSON form of a retake policy, and its reader. Every fault of a document is reported at once, each with its JSON
/// pointer (RFC 6901).
///
/// Threads: pure functions.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include "hirenow/detail/strict_json.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/retake_policy.hpp"

namespace hirenow {

/// Reads one document. A faulty part is noted and passed over, so that the next fault is found too.
class policy_reader {
 public:
  static result<retake_policy> read(std::string_view json) {
    if (json.size() > limits::policy)
      return detail::fail(errc::too_large, "the policy has " + std::to_string(json.size()) + " bytes; at most " +
                                               std::to_string(limits::policy) + " are allowed");
    auto document = detail::read_json(json, limits::policy_depth);
    if (!document) {
      if (document.error().code == errc::too_large)
        return detail::fail(errc::too_large, "the policy is " + document.error().message);
      return detail::fail(errc::policy_invalid, "the policy is " + document.error().message);
    }
    policy_reader reader;
    for (const auto& path : document->repeated) reader.fault(path, "stands there more than once");
    auto contents = reader.policy(document->value);
    if (!reader.faults_.empty()) return detail::fail(errc::policy_invalid, std::move(reader.faults_));
    contents.document = json;
    contents.hash = sha256(json);
    return retake_policy(std::move(contents));
  }

 private:
  using object = boost::json::object;
  using value = boost::json::value;

  /// A kind of rule: its word in the document, the members it may have beside "rule" and "id", and who reads it.
  struct kind {
    std::string_view word;
    std::array<std::string_view, 3> members;
    retake_rule (policy_reader::*read)(const object&, const std::string& path, std::string id);
  };
  static const std::array<kind, 3>& kinds() {
    static constexpr std::array<kind, 3> all{
        kind{"wait", {"counts", "after", "from"}, &policy_reader::wait},
        kind{"most_retakes", {"counts", "most", ""}, &policy_reader::most_retakes},
        kind{"most_in_window", {"counts", "most", "window"}, &policy_reader::most_in_window}};
    return all;
  }
  static constexpr std::size_t most_rules = 64;

  void fault(std::string_view path, std::string_view what) {
    if (!faults_.empty()) faults_ += "; ";
    faults_ += path.empty() ? std::string_view("the document") : path;
    faults_ += ": ";
    faults_ += what;
  }

  retake_policy::contents policy(const value& root) {
    retake_policy::contents c;
    if (!root.is_object()) {
      fault("", "must be an object");
      return c;
    }
    const object& o = root.get_object();
    refuse_others(o, "", {"hirenow_policy", "version", "name", "description", "retake_after", "rules"});
    if (const value* form = need(o, "", "hirenow_policy"); form && !(form->is_int64() && form->get_int64() == 1))
      fault("/hirenow_policy", "must be 1");
    c.version = id(o, "", "version");
    text(o, "", "name", limits::name);
    text(o, "", "description", limits::reason);
    c.retake_after = outcomes(o, "", "retake_after", default_retake_after);
    if (const value* list = need(o, "", "rules")) {
      if (!list->is_array())
        fault("/rules", "must be a list of rules");
      else if (list->get_array().size() > most_rules)
        fault("/rules", "holds more than " + std::to_string(most_rules) + " rules");
      else
        for (std::size_t n = 0; n < list->get_array().size(); ++n) {
          auto r = rule(list->get_array()[n], "/rules/" + std::to_string(n));
          if (r) c.rules.push_back(std::move(*r));
        }
    }
    return c;
  }

  std::optional<retake_rule> rule(const value& v, const std::string& path) {
    if (!v.is_object()) {
      fault(path, "must be an object");
      return std::nullopt;
    }
    const object& o = v.get_object();
    std::string its_id = id(o, path, "id");
    if (!its_id.empty()) {
      if (its_id == "retake_after") fault(path + "/id", "is the name of the policy's own list of outcomes");
      for (const auto& other : ids_)
        if (other == its_id) fault(path + "/id", "is the id of another rule too");
      ids_.push_back(its_id);
    }
    const value* word = need(o, path, "rule");
    if (!word) return std::nullopt;
    for (const kind& k : kinds())
      if (string_in(*word) == k.word) {
        refuse_others(o, path, {"rule", "id", k.members[0], k.members[1], k.members[2]});
        return (this->*k.read)(o, path, std::move(its_id));
      }
    std::string known;
    for (const kind& k : kinds()) known += (known.empty() ? "" : ", ") + std::string(k.word);
    fault(path + "/rule", "must be one of " + known);
    return std::nullopt;
  }

  retake_rule wait(const object& o, const std::string& path, std::string its_id) {
    wait_rule r{.id = std::move(its_id), .counts = counts(o, path)};
    if (const value* list = need(o, path, "after")) {
      if (!list->is_array() || list->get_array().empty())
        fault(path + "/after", "must be a list of at least one duration");
      else
        for (std::size_t n = 0; n < list->get_array().size(); ++n)
          if (auto s = span(list->get_array()[n], path + "/after/" + std::to_string(n))) r.spans.push_back(*s);
    }
    if (const value* from = o.if_contains("from")) {
      if (string_in(*from) == "decided_at")
        r.from = wait_anchor::decided_at;
      else if (string_in(*from) != "at")
        fault(path + "/from", "must be \"at\" or \"decided_at\"");
    }
    return r;
  }

  retake_rule most_retakes(const object& o, const std::string& path, std::string its_id) {
    return most_retakes_rule{.id = std::move(its_id), .counts = counts(o, path), .most = number(o, path, "most", 0)};
  }

  retake_rule most_in_window(const object& o, const std::string& path, std::string its_id) {
    most_in_window_rule r{.id = std::move(its_id), .counts = counts(o, path), .most = number(o, path, "most", 1)};
    if (const value* window = need(o, path, "window"))
      if (auto s = span(*window, path + "/window")) {
        if (*s == policy_span{}) fault(path + "/window", "must be longer than nothing");
        r.window = *s;
      }
    return r;
  }

  void refuse_others(const object& o, const std::string& path, std::initializer_list<std::string_view> known) {
    for (const auto& member : o) {
      const std::string_view name(member.key().data(), member.key().size());
      bool found = false;
      for (const auto k : known) found = found || (!k.empty() && k == name);
      if (!found) fault(path + detail::pointer_step(name), "is no member that is known here");
    }
  }

  const value* need(const object& o, const std::string& path, std::string_view name) {
    const value* v = o.if_contains(name);
    if (!v) fault(path + "/" + std::string(name), "is missing");
    return v;
  }

  std::string id(const object& o, const std::string& path, std::string_view name) {
    const value* v = need(o, path, name);
    if (!v) return {};
    const std::string here = path + "/" + std::string(name);
    if (!v->is_string()) {
      fault(here, "must be a text");
      return {};
    }
    const std::string_view text = string_in(*v);
    if (auto ok = limits::check_id("it", text); !ok) {
      fault(here, ok.error().message);
      return {};
    }
    return std::string(text);
  }

  void text(const object& o, const std::string& path, std::string_view name, std::size_t most) {
    const value* v = o.if_contains(name);
    if (!v) return;
    const std::string here = path + "/" + std::string(name);
    if (!v->is_string())
      fault(here, "must be a text");
    else if (auto ok = limits::check_text("it", string_in(*v), most); !ok)
      fault(here, ok.error().message);
  }

  std::uint64_t number(const object& o, const std::string& path, std::string_view name, std::int64_t least) {
    const value* v = need(o, path, name);
    if (!v) return 0;
    const std::int64_t n = v->is_int64() ? v->get_int64() : -1;
    if (n >= least && n <= static_cast<std::int64_t>(limits::attempts)) return static_cast<std::uint64_t>(n);
    fault(path + "/" + std::string(name),
          "must be a whole number from " + std::to_string(least) + " to " + std::to_string(limits::attempts));
    return 0;
  }

  outcome_set counts(const object& o, const std::string& path) {
    const outcome_set set = outcomes(o, path, "counts", default_counts);
    if (set.empty()) fault(path + "/counts", "names no outcome, so that the rule would never forbid");
    return set;
  }

  outcome_set outcomes(const object& o, const std::string& path, std::string_view name, outcome_set otherwise) {
    const value* v = o.if_contains(name);
    if (!v) return otherwise;
    const std::string here = path + "/" + std::string(name);
    if (!v->is_array()) {
      fault(here, "must be a list of outcomes");
      return otherwise;
    }
    outcome_set set;
    for (std::size_t n = 0; n < v->get_array().size(); ++n) {
      const std::string at = here + "/" + std::to_string(n);
      const auto found = outcome_named(v->get_array()[n]);
      if (!found)
        fault(at, "is no outcome");
      else if (set.has(*found))
        fault(at, "stands in the list more than once");
      else
        set.add(*found);
    }
    return set;
  }

  /// The string's text; empty, which no member here allows, for another kind of value.
  static std::string_view string_in(const value& v) {
    if (!v.is_string()) return {};
    return {v.get_string().data(), v.get_string().size()};
  }

  static std::optional<outcome> outcome_named(const value& v) {
    for (std::size_t n = 0; n < outcome_count; ++n)
      if (string_in(v) == to_string(static_cast<outcome>(n))) return static_cast<outcome>(n);
    return std::nullopt;
  }

  std::optional<policy_span> span(const value& v, const std::string& path) {
    const auto parsed = parse_span(string_in(v));
    if (parsed) return *parsed;
    fault(path, parsed.error().message);
    return std::nullopt;
  }

  std::string faults_{};
  std::vector<std::string> ids_{};
};

inline result<retake_policy> retake_policy::parse(std::string_view json) { return policy_reader::read(json); }

inline const retake_policy& retake_policy::standard() {
  static const retake_policy policy = parse(R"({
  "hirenow_policy": 1,
  "version": "standard-1",
  "name": "hirenow standard",
  "description": "A retake after failed, on hold or void; 14 days after the last attempt.",
  "retake_after": ["failed", "on_hold", "void"],
  "rules": [
    {"rule": "wait", "id": "wait-14-days", "after": ["P14D"]}
  ]
})")
                                          .value();
  return policy;
}

}  // namespace hirenow
