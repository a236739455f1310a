#pragma once
/// What the audit says of a record: its entries are played one after the other, with the lifecycle's own `apply()`, and
/// what comes of it must be what the record holds. So an edit of a row is found even where the chain was left alone.
///
/// Pure: nothing is read here. Threads: one at a time.

#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "hirenow/audit.hpp"
#include "hirenow/detail/answers.hpp"
#include "hirenow/lifecycle.hpp"

namespace hirenow::detail {

/// The terms of a new interview as its audit entry holds them; what is not said is as a plain interview has it.
inline boost::json::object audited_terms(const interview& i) {
  boost::json::object terms{{"track", i.track},
                            {"attempt", i.attempt},
                            {"start_by", to_string(i.start_by)},
                            {"time_limit", i.time_limit.count()}};
  if (i.grace != seconds{0}) terms["grace"] = i.grace.count();
  if (i.overtime == overtime::submit) terms["overtime"] = "submit";
  if (i.accommodation.percent != 100) terms["percent"] = i.accommodation.percent;
  if (i.accommodation.extra != seconds{0}) terms["extra"] = i.accommodation.extra.count();
  if (i.ends_by) terms["ends_by"] = i.ends_by->time_since_epoch().count();
  if (i.retake_of) terms["retake_of"] = to_string(*i.retake_of);
  return terms;
}

/// What the audit commits to of a fact, which is personal and lies apart.
inline std::string fact_commitment(std::string_view salt, const fact& f) {
  payload_writer all;
  all.text(f.name).text(f.track).instant(f.at).instant(f.until).text(f.value);
  return hex(commitment(salt, bytes_of(all.hash())));
}

class audit_replay {
 public:
  /// Plays the next entry.
  /// Errors: audit_broken, naming the sequence, where the lifecycle does not allow it.
  result<void> take(const audit_entry& entry) {
    const auto broken = [&](std::string_view why) {
      return fail(errc::audit_broken, "audit entry " + std::to_string(entry.sequence) + ": " + std::string(why));
    };
    boost::system::error_code code;
    const auto value = boost::json::parse(entry.details, code);
    if (code || !value.is_object()) return broken("its details are no JSON object");
    const auto& details = value.get_object();
    if (entry.event == "set_policy")
      policies_[text(details, "track")].push_back(
          {.document = {},
           .hash = digest_of(text(details, "hash")),
           .set_by = staff_id(entry.actor),
           .set_at = entry.at,
           .active_from = sys_seconds{seconds{number(details, "active_from").value_or(0)}},
           .running_waits = text(details, "running_waits") == "keep" ? running_waits::keep : running_waits::replace});
    if (entry.event == "record_fact") facts_[entry.sequence] = text(details, "fact");
    if (entry.event.ends_with("_waiver") && !play_waiver(entry, details)) return broken("no waiver can go that step");
    if (!entry.interview || !entry.to) return {};

    const auto known = interviews_.find(*entry.interview);
    if (known == interviews_.end()) {
      if (entry.from || entry.event != to_string(event::schedule) || entry.to != interview_state::scheduled)
        return broken("does not begin where the interview stood");
      interviews_.emplace(*entry.interview, begun(entry, details));
      return {};
    }
    interview& i = known->second.as_told;
    if (entry.from != i.state) return broken("does not begin where the interview stood");
    const auto on = event_of(entry.event);
    if (!on) return broken("names no event");
    if (*on == event::accommodate) lengthen(i, details);
    const sys_seconds last_change = i.changed_at;
    auto after = apply(i, *on, authority_of(entry.actor), entry.at);
    if (!after || after->state != *entry.to) return broken("the lifecycle has no such step");
    i = *std::move(after);
    switch (*on) {
      case event::accommodate:
        if (i.started_at) i.deadline = deadline_breakdown(i, *i.started_at).deadline;
        break;
      case event::reissue:
        ++i.link.generation;
        known->second.start_by = text(details, "start_by");
        break;
      case event::request_link: i.changed_at = last_change; break;
      case event::submit: known->second.progress = text(details, "progress"); break;
      case event::pass:
      case event::fail:
      case event::hold:
        if (const auto* score = details.if_contains("score"); score && score->is_number())
          i.score = score->to_number<double>();
        break;
      case event::retake: known->second.superseded_by = text(details, "superseded_by"); break;
      default: break;
    }
    return {};
  }

  /// Compares what was told with what the record holds.
  /// Errors: audit_broken, naming the interview and the field.
  result<void> finish(const applicant_record& record) const {
    const auto broken = [](std::string why) { return fail(errc::audit_broken, std::move(why)); };
    if (interviews_.size() != record.interviews.size())
      return broken("the audit and the record do not have the same interviews");
    for (const interview& i : record.interviews) {
      const auto known = interviews_.find(i.id);
      const std::string_view other =
          known == interviews_.end() ? std::string_view("existence") : first_difference(known->second, i);
      if (!other.empty())
        return broken("interview " + to_string(i.id) + ": its " + std::string(other) + " is not what the audit has");
    }
    if (waivers_.size() != record.waivers.size())
      return broken("the audit and the record do not have the same waivers");
    for (const waiver& w : record.waivers)
      if (const auto known = waivers_.find(w.number); known == waivers_.end() || known->second != w)
        return broken("waiver " + std::to_string(w.number) + " is not as the audit has it");
    if (record.erased) return {};
    if (facts_.size() != record.facts.size()) return broken("the audit and the record do not have the same facts");
    for (const fact& f : record.facts) {
      const auto known = facts_.find(f.sequence);
      if (known == facts_.end() || known->second != fact_commitment(record.salt, f))
        return broken("the fact of audit entry " + std::to_string(f.sequence) + " is not the one that was recorded");
    }
    return {};
  }

  /// What the audit has of policies, without their documents: of each track, and of the tenant itself, which has no
  /// name; in the order in which they were set, which is that of their numbers.
  const std::map<std::string, std::vector<stored_policy>>& policies() const { return policies_; }

  /// Calls `take(interview id, commitment)` for each interview whose submission brought progress; the commitment is
  /// that of the bytes, in hex.
  template <class Take>
  void submitted_progress(Take&& take) const {
    for (const auto& [id, of] : interviews_)
      if (!of.progress.empty()) take(id, std::string_view(of.progress));
  }

 private:
  static digest digest_of(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    digest d{};
    for (std::size_t n = 0; n < d.size() && 2 * n + 1 < hex.size(); ++n)
      d[n] = static_cast<std::uint8_t>(digit(hex[2 * n]) * 16 + digit(hex[2 * n + 1]));
    return d;
  }
  static std::string staff_id(std::string_view actor) {
    constexpr std::string_view prefix = "staff:";
    return actor.starts_with(prefix) ? std::string(actor.substr(prefix.size())) : std::string();
  }
  /// Plays a waiver's step. Returns false where it cannot be.
  bool play_waiver(const audit_entry& entry, const boost::json::object& details) {
    if (entry.event == waiver_event(std::nullopt, waiver_state::granted)) {
      const auto expires_at = number(details, "expires_at");
      return expires_at &&
             waivers_
                 .emplace(entry.sequence,
                          waiver{.number = entry.sequence,
                                 .track = text(details, "track"),
                                 .rule_id = text(details, "rule"),
                                 .reason_code = text(details, "reason_code"),
                                 .floor = text(details, "floor"),
                                 .state = details.contains("proposed") ? waiver_state::proposed : waiver_state::granted,
                                 .granted_by = staff_id(entry.actor),
                                 .granted_at = entry.at,
                                 .expires_at = sys_seconds{seconds{*expires_at}}})
                 .second;
    }
    const auto known = waivers_.find(static_cast<std::uint64_t>(number(details, "waiver").value_or(0)));
    if (known == waivers_.end()) return false;
    waiver& w = known->second;
    for (std::size_t n = 0; n < waiver_state_count; ++n) {
      const auto to = static_cast<waiver_state>(n);
      if (!is_lawful_step(w.state, to) || waiver_event(w.state, to) != entry.event) continue;
      w.state = to;
      if (to == waiver_state::granted) w.approved_by = staff_id(entry.actor);
      if (to == waiver_state::used) w.used_for = entry.interview;
      return to != waiver_state::granted || w.approved_by != w.granted_by;
    }
    return false;
  }

  struct told {
    interview as_told;
    std::string start_by{};  // as text, like the next two
    std::string retake_of{};
    std::string superseded_by{};
    std::string progress{};
  };

  static std::string text(const boost::json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    return v && v->is_string() ? std::string(v->get_string()) : std::string();
  }
  static std::optional<std::int64_t> number(const boost::json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    return v && v->is_int64() ? std::optional(v->get_int64()) : std::nullopt;
  }
  static std::optional<event> event_of(std::string_view word) {
    for (std::size_t n = 0; n < event_count; ++n)
      if (to_string(static_cast<event>(n)) == word) return static_cast<event>(n);
    return std::nullopt;
  }
  static authority authority_of(std::string_view actor) {
    return actor == "applicant" ? authority::token : actor == "system" ? authority::clock : authority::staff;
  }
  static told begun(const audit_entry& entry, const boost::json::object& details) {
    told t;
    interview& i = t.as_told;
    i.id = *entry.interview;
    i.track = text(details, "track");
    i.attempt = static_cast<std::uint32_t>(number(details, "attempt").value_or(0));
    i.time_limit = seconds{number(details, "time_limit").value_or(0)};
    i.grace = seconds{number(details, "grace").value_or(0)};
    i.overtime = text(details, "overtime") == "submit" ? overtime::submit : overtime::expire;
    if (const auto ends_by = number(details, "ends_by")) i.ends_by = sys_seconds{seconds{*ends_by}};
    lengthen(i, details);
    i.created_at = i.changed_at = entry.at;
    t.start_by = text(details, "start_by");
    t.retake_of = text(details, "retake_of");
    return t;
  }
  static void lengthen(interview& i, const boost::json::object& details) {
    if (const auto percent = number(details, "percent")) i.accommodation.percent = static_cast<std::uint32_t>(*percent);
    if (const auto extra = number(details, "extra")) i.accommodation.extra = seconds{*extra};
    if (const auto pause = number(details, "pause")) i.accommodation.pause = seconds{*pause};
    if (const auto grace = number(details, "grace")) i.grace = seconds{*grace};
  }

  /// The first thing in which the stored interview is not what was told; empty where there is none.
  static std::string_view first_difference(const told& t, const interview& stored) {
    const interview& due = t.as_told;
    const auto text_of = [](const std::optional<interview_id>& id) { return id ? to_string(*id) : std::string(); };
    // A number that went through JSON may come back with another last bit.
    const auto same_score = [](const std::optional<double>& a, const std::optional<double>& b) {
      return a.has_value() == b.has_value() && (!a || std::abs(*a - *b) <= 1e-14 * std::abs(*a));
    };
    const std::array<std::pair<bool, std::string_view>, 21> all{{
        {stored.state == due.state, "state"},
        {stored.outcome == due.outcome, "outcome"},
        {stored.track == due.track, "track"},
        {stored.attempt == due.attempt, "attempt number"},
        {same_score(stored.score, due.score), "score"},
        {stored.time_limit == due.time_limit, "time limit"},
        {stored.grace == due.grace, "grace"},
        {stored.overtime == due.overtime, "overtime"},
        {stored.accommodation == due.accommodation, "accommodation"},
        {stored.ends_by == due.ends_by, "outer limit"},
        {stored.created_at == due.created_at, "creation"},
        {to_string(stored.start_by) == t.start_by, "start_by"},
        {stored.started_at == due.started_at, "start"},
        {stored.deadline == due.deadline, "deadline"},
        {stored.submitted_at == due.submitted_at, "submission"},
        {stored.decided_at == due.decided_at, "decision's instant"},
        {stored.link_requested_at == due.link_requested_at, "request for a link"},
        {stored.changed_at == due.changed_at, "last change"},
        {stored.link.generation == due.link.generation, "generation"},
        {text_of(stored.retake_of) == t.retake_of, "retake_of"},
        {text_of(stored.superseded_by) == t.superseded_by, "superseded_by"},
    }};
    for (const auto& [same, what] : all)
      if (!same) return what;
    return {};
  }

  std::map<interview_id, told> interviews_;
  std::map<std::uint64_t, std::string> facts_;
  std::map<std::uint64_t, waiver> waivers_;
  std::map<std::string, std::vector<stored_policy>> policies_;
};

}  // namespace hirenow::detail
