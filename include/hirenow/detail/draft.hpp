#pragma once
/// A record on its way to being changed: what a use case decides is applied to a copy and written down as a change set.
///
/// Pure: no clock is read and nothing is stored here.
/// Threads: one at a time.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "hirenow/audit.hpp"
#include "hirenow/lifecycle.hpp"
#include "hirenow/message.hpp"
#include "hirenow/store.hpp"

namespace hirenow::detail {

/// A bit set of message kinds, as `withdrawal::kinds` has it.
template <class... Kinds>
constexpr std::uint16_t kinds_of(Kinds... kinds) {
  return static_cast<std::uint16_t>((0 | ... | (1u << static_cast<unsigned>(kinds))));
}
inline constexpr std::uint16_t link_kinds = kinds_of(message_kind::invitation, message_kind::retake_invitation,
                                                     message_kind::reissued_link, message_kind::reminder);
inline constexpr std::uint16_t decision_kinds =
    kinds_of(message_kind::decision_passed, message_kind::decision_failed, message_kind::decision_on_hold);
inline constexpr std::uint16_t all_kinds = 0xffff;

/// How the audit names who did it.
struct author {
  authority by = authority::staff;
  std::string name{};  ///< "staff:<id>", "applicant" or "system"
};
inline author staff_author(std::string_view id) { return {authority::staff, "staff:" + std::string(id)}; }
inline author applicant_author() { return {authority::token, "applicant"}; }
inline author system_author() { return {authority::clock, "system"}; }

class draft {
 public:
  /// Takes over a loaded record. Where the clock stepped back, the record's last instant is "now"; a clock that has
  /// left the calendar stands at its end, so that no sum of instant and span overflows.
  draft(applicant_record record, sys_seconds clock_now)
      : record_(std::move(record)),
        now_(std::max(std::clamp(clock_now, min_instant, max_instant), record_.last_instant)) {
    changes_.tenant = record_.tenant;
    changes_.applicant_id = record_.person.id;
    changes_.expected_version = record_.version;
  }

  const applicant_record& record() const { return record_; }
  sys_seconds now() const { return now_; }

  /// Gives a new record its salt and its commitment.
  void create(std::string_view tenant, const applicant& person) {
    record_.tenant = tenant;
    changes_.tenant = tenant;
    changes_.applicant_id = person.id;
    record_.salt.resize(16);
    random_bytes({reinterpret_cast<std::uint8_t*>(record_.salt.data()), 16});
    record_.subject = commitment(record_.salt, person.id);
    set_person(person);
  }
  void set_person(const applicant& person) {
    record_.person = person;
    changes_.write_person = true;
  }

  /// Lets the clock do what is due on every interview and every waiver, each at its own limit, earliest first.
  /// Returns how many events that were. Errors: invalid_transition for a record that this library did not write.
  result<std::size_t> apply_clock() {
    std::vector<std::tuple<sys_seconds, std::uint64_t, interview_id>> due;  // a waiver's number, or 0 and an interview
    for (const auto& i : record_.interviews)
      if (const auto limit = clock_limit(i); limit && now_ >= *limit) due.emplace_back(*limit, 0, i.id);
    for (const auto& w : record_.waivers)
      if (is_open(w.state) && now_ >= w.expires_at) due.emplace_back(w.expires_at, w.number, interview_id{});
    std::sort(due.begin(), due.end());
    for (const auto& [limit, waiver_number, id] : due) {
      if (waiver_number != 0) {
        close_waiver(*find_waiver(record_, waiver_number), waiver_state::lapsed, system_author(), {}, limit);
        continue;
      }
      const interview before = *find_interview(record_, id);
      const event on = before.state == interview_state::in_progress && before.overtime == overtime::submit
                           ? event::submit
                           : event::expire;
      auto after = apply(before, on, authority::clock, limit);
      if (!after) return after.error();
      step(before, *after, on, system_author(), {}, {}, limit);
      withdraw_messages(id, link_kinds);
    }
    return due.size();
  }

  /// Writes one step of an interview and its audit entry; `before` is nothing for a new one.
  /// Returns the entry's sequence, which is the occasion of a message that this step promises.
  std::uint64_t step(const std::optional<interview>& before, const interview& after, event on, const author& who,
                     boost::json::object details = {}, std::string_view note = {},
                     std::optional<sys_seconds> at = std::nullopt) {
    interview_change change{after, std::nullopt, !before || before->sitting != after.sitting};
    if (before) {
      change.before = before->state;
      for (auto& i : record_.interviews)
        if (i.id == after.id) i = after;
    } else {
      change.sitting_changed = false;
      record_.interviews.push_back(after);
    }
    changes_.interviews.push_back(std::move(change));
    return write_entry(to_string(on), who, after.id, before ? std::optional(before->state) : std::nullopt, after.state,
                       std::move(details), note, at);
  }

  /// Records a new waiver under the number of its audit entry.
  const waiver& add_waiver(waiver w, const author& who, std::string_view note) {
    boost::json::object details{{"track", w.track},
                                {"rule", w.rule_id},
                                {"reason_code", w.reason_code},
                                {"expires_at", w.expires_at.time_since_epoch().count()}};
    if (!w.floor.empty()) details["floor"] = w.floor;
    if (w.state == waiver_state::proposed) details["proposed"] = true;
    w.number = write_entry(waiver_event(std::nullopt, w.state), who, {}, {}, {}, std::move(details), note);
    changes_.waivers.push_back({w, std::nullopt});
    return record_.waivers.emplace_back(std::move(w));
  }
  void approve_waiver(waiver w, const author& who, std::string_view approved_by, std::string_view note) {
    w.approved_by = approved_by;
    step_waiver(std::move(w), waiver_state::granted, who, note, {});
  }
  void use_waiver(waiver w, const author& who, const interview_id& interview) {
    w.used_for = interview;
    step_waiver(std::move(w), waiver_state::used, who, {}, {});
  }
  /// Revokes or lapses one.
  void close_waiver(waiver w, waiver_state as, const author& who, std::string_view note = {},
                    std::optional<sys_seconds> at = std::nullopt) {
    step_waiver(std::move(w), as, who, note, at);
  }

  /// Writes an audit entry alone.
  /// Returns its sequence.
  std::uint64_t write_entry(std::string_view what, const author& who, std::optional<interview_id> interview = {},
                            std::optional<interview_state> from = {}, std::optional<interview_state> to = {},
                            boost::json::object details = {}, std::string_view note = {},
                            std::optional<sys_seconds> at = std::nullopt) {
    audit_entry entry;
    entry.at = std::max(at.value_or(now_), record_.last_instant);
    entry.actor = who.name;
    entry.event = what;
    entry.interview = interview;
    entry.from = from;
    entry.to = to;
    if (!note.empty()) {
      // The text itself is personal and lies apart; the commitment shows later that it was not exchanged.
      details["note"] = hex(commitment(record_.salt, note));
      entry.note = note;
    }
    entry.details = details.empty() ? "{}" : boost::json::serialize(details);
    changes_.audit.push_back(append_audit(record_, std::move(entry)));
    return record_.sequence;
  }

  /// Sets a policy; of the tenant's own record. The entry says what the row holds, without its document.
  void set_policy(stored_policy policy, std::string_view version, const author& who) {
    boost::json::object details{{"active_from", policy.active_from.time_since_epoch().count()},
                                {"running_waits", to_string(policy.running_waits)}};
    if (!policy.track.empty()) details["track"] = policy.track;
    if (!policy.document.empty()) {
      details["version"] = version;
      details["hash"] = hex(policy.hash);
    }
    write_entry("set_policy", who, {}, {}, {}, std::move(details));
    changes_.policies.push_back(std::move(policy));
  }

  void promise(const interview& about, message_kind kind, std::uint64_t occasion, sys_seconds due_at) {
    message m;
    m.key = {about.id, kind, occasion};
    m.generation = about.link.generation;
    m.created_at = now_;
    m.due_at = due_at;
    changes_.messages.push_back(std::move(m));
  }
  void withdraw_messages(const interview_id& interview, std::uint16_t kinds) {
    changes_.withdrawals.push_back({interview, kinds});
  }
  void add_fact(fact f) {
    record_.facts.push_back(f);
    changes_.facts.push_back(std::move(f));
  }
  void redrive(const message_key& key) { changes_.redrives.push_back(key); }
  void drop(const message_key& key) { changes_.drops.push_back(key); }
  void save_final_progress(const interview_id& interview, std::string bytes) {
    changes_.final_progress = std::pair(interview, progress{std::move(bytes), now_});
  }
  void erase_person() {
    changes_.erase = true;
    record_.erased = true;
    record_.salt.clear();
    record_.person = applicant{.id = record_.person.id, .email = {}};
    record_.facts.clear();
  }
  void store_answer(stored_answer answer) { changes_.answer = std::move(answer); }

  /// The change set, finished. The draft is of no use afterwards.
  change_set take() {
    record_.version += 1;
    record_.interviews.clear();
    record_.facts.clear();
    record_.waivers.clear();
    changes_.head = std::move(record_);
    return std::move(changes_);
  }

 private:
  void step_waiver(waiver w, waiver_state to, const author& who, std::string_view note, std::optional<sys_seconds> at) {
    const waiver_state from = w.state;
    w.state = to;
    write_entry(waiver_event(from, to), who, w.used_for, {}, {}, {{"waiver", static_cast<std::int64_t>(w.number)}},
                note, at);
    for (auto& known : record_.waivers)
      if (known.number == w.number) known = w;
    changes_.waivers.push_back({std::move(w), from});
  }

  applicant_record record_;
  sys_seconds now_;
  change_set changes_;
};

}  // namespace hirenow::detail
