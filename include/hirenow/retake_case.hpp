#pragma once
/// A record and a question about it as one JSON document: what a policy is tried out with, in every language.
///
/// ```json
/// {"track": "backend", "now": "2026-03-06T14:59:59Z", "kind": "retake", "time_zone": "Europe/Vienna",
///  "history": [{"at": "2026-02-20T15:00:00Z", "outcome": "failed", "track": "backend", "score": 12.5,
///               "decided_at": "2026-02-21T09:00:00Z", "id": "018f…"}],
///  "facts": [{"kind": "event", "name": "training_completed", "at": "2026-03-01T00:00:00Z"}],
///  "waivers": [{"rule": "cooldown", "floor": "P7D"}]}
/// ```
/// Only `now` is needed. An attempt without `track` was at the one that is asked for.
/// Threads: plain values.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hirenow/detail/document_reader.hpp"
#include "hirenow/retake_eligibility.hpp"

namespace hirenow {

/// A question with everything that it borrows.
struct retake_case {
  std::string track{};
  std::vector<attempt> attempts{};
  std::vector<fact> facts{};
  std::vector<granted_waiver> waivers{};
  std::string time_zone{};
  sys_seconds now{};
  attempt_kind kind = attempt_kind::retake;

  /// Reads a document of at most 4 MiB.
  /// Errors: invalid_argument, with the JSON pointer of every fault; too_large.
  static result<retake_case> parse(std::string_view json);

  /// The question. Borrows from the case.
  retake_question question() const { return {track, attempts, facts, waivers, time_zone, now, kind}; }
};

/// Reads one document.
class retake_case_reader : detail::document_reader {
 public:
  static result<retake_case> read(std::string_view json) {
    constexpr std::size_t most_bytes = std::size_t{4} << 20;
    if (json.size() > most_bytes) return detail::fail(errc::too_large, "the case has more than 4 MiB");
    auto document = detail::read_json(json, limits::policy_depth);
    if (!document) {
      const errc code = document.error().code == errc::too_large ? errc::too_large : errc::invalid_argument;
      return detail::fail(code, "the case is " + document.error().message);
    }
    retake_case_reader reader;
    for (const auto& path : document->repeated) reader.fault(path, "stands there more than once");
    reader.whole(document->value);
    if (!reader.faults().empty()) return detail::fail(errc::invalid_argument, reader.faults());
    return std::move(reader.made_);
  }

 private:
  void whole(const value& root) {
    const object* const o = an_object(root, "");
    if (!o) return;
    refuse_others(*o, "", {"track", "now", "kind", "time_zone", "history", "facts", "waivers"});
    if (o->if_contains("track")) made_.track = name(*o, "", "track");
    if (need(*o, "", "now")) made_.now = instant(*o, "", "now").value_or(sys_seconds{});
    if (const value* kind = o->if_contains("kind")) {
      made_.kind = string_in(*kind) == "schedule" ? attempt_kind::schedule : attempt_kind::retake;
      if (string_in(*kind) != "schedule" && string_in(*kind) != "retake")
        fault("/kind", "must be \"retake\" or \"schedule\"");
    }
    made_.time_zone = text(*o, "", "time_zone", limits::id);
    each(*o, "history", "attempts", limits::attempts, [&](const object& a, const std::string& path) { one(a, path); });
    each(*o, "facts", "facts", limits::attempts, [&](const object& f, const std::string& path) { fact_at(f, path); });
    each(*o, "waivers", "waivers", limits::attempts, [&](const object& w, const std::string& path) {
      refuse_others(w, path, {"rule", "floor"});
      made_.waivers.push_back({name(w, path, "rule"), span(w, path, "floor")});
    });
  }

  template <class Read>
  void each(const object& o, std::string_view member, std::string_view what, std::size_t most, Read&& read) {
    const value* const v = o.if_contains(member);
    const auto* const list = v ? a_list(*v, at("", member), what) : nullptr;
    if (!list) return;
    if (list->size() > most) return fault(at("", member), "holds more than " + std::to_string(most));
    for (std::size_t n = 0; n < list->size(); ++n)
      if (const object* found = an_object((*list)[n], at(at("", member), n))) read(*found, at(at("", member), n));
  }

  void one(const object& o, const std::string& path) {
    refuse_others(o, path, {"track", "at", "decided_at", "outcome", "score", "id"});
    attempt made{.track = made_.track};
    if (o.if_contains("track")) made.track = name(o, path, "track");
    if (need(o, path, "at")) made.at = instant(o, path, "at").value_or(sys_seconds{});
    made.decided_at = instant(o, path, "decided_at");
    if (const value* word = need(o, path, "outcome")) {
      const auto found = outcome_in(*word);
      if (!found) fault(at(path, "outcome"), "is no outcome");
      made.result = found.value_or(outcome::pending);
    }
    made.score = real(o, path, "score");
    if (const value* id = o.if_contains("id")) {
      const auto found = parse_interview_id(string_in(*id));
      if (!found) fault(at(path, "id"), found.error().message);
      if (found) made.id = *found;
    } else {
      const std::size_t n = made_.attempts.size() + 1;
      for (std::size_t byte = 0; byte < 4; ++byte) made.id.data[15 - byte] = static_cast<std::uint8_t>(n >> (8 * byte));
    }
    made_.attempts.push_back(std::move(made));
  }

  void fact_at(const object& o, const std::string& path) {
    refuse_others(o, path, {"kind", "name", "track", "at", "until", "value"});
    fact made;
    if (const value* word = need(o, path, "kind")) {
      std::size_t n = 0;
      while (n < fact_kind_count && to_string(static_cast<fact_kind>(n)) != string_in(*word)) ++n;
      if (n == fact_kind_count) fault(at(path, "kind"), "is no kind of fact");
      made.kind = static_cast<fact_kind>(n % fact_kind_count);
    }
    made.name = name(o, path, "name");
    if (o.if_contains("track")) made.track = name(o, path, "track");
    if (need(o, path, "at")) made.at = instant(o, path, "at").value_or(sys_seconds{});
    made.until = instant(o, path, "until");
    if (made.until && *made.until < made.at) fault(at(path, "until"), "is earlier than \"at\"");
    made.value = text(o, path, "value", limits::fact_value);
    made_.facts.push_back(std::move(made));
  }

  retake_case made_{};
};

inline result<retake_case> retake_case::parse(std::string_view json) { return retake_case_reader::read(json); }

}  // namespace hirenow
