#pragma once
/// The life of an interview: one table, and `apply()`, which is the only way from one state to the next.
///
/// The engine's checks, the database's constraints and triggers, the diagram in the documentation and the exhaustive
/// test all come from `transition_table`. Nothing else knows the lifecycle.
/// Threads: pure functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hirenow/interview.hpp"

namespace hirenow {

/// What can happen to an interview.
enum class event : std::uint8_t {
  schedule,
  start,
  resume,
  submit,
  expire,
  reissue,
  cancel,
  withdraw,
  request_link,
  pass,
  fail,
  hold,
  reopen,
  void_attempt,  ///< "void" in every text
  retake,
  accommodate,
};
inline constexpr std::size_t event_count = 16;

/// The event's word; `void_attempt` is "void".
constexpr std::string_view to_string(event e) {
  constexpr std::array<std::string_view, event_count> words{
      "schedule",     "start", "resume", "submit", "expire", "reissue", "cancel", "withdraw",
      "request_link", "pass",  "fail",   "hold",   "reopen", "void",    "retake", "accommodate"};
  const auto n = static_cast<std::size_t>(e);
  return n < words.size() ? words[n] : "unknown";
}

/// On whose authority an event happens. Which roles of the staff may do what stands in permissions.hpp.
enum class authority : std::uint8_t {
  staff,  ///< an actor with a role
  token,  ///< the applicant, by a link or a session opened with it
  clock,  ///< the engine itself
};

/// The authority's word.
constexpr std::string_view to_string(authority a) {
  return a == authority::staff ? "staff" : a == authority::token ? "token" : "clock";
}

/// What must hold beside the state.
enum class condition : std::uint8_t {
  always,
  never_started,     ///< the link ran out before a start
  overtime_submits,  ///< the interview says that overtime means submit
  overtime_expires,  ///< the interview says that overtime means expire
  policy_allows,     ///< the retake policy lists the outcome and every rule allows
  policy_adds,       ///< as above, and the outcome is one that a policy must name itself
};

/// The condition as the documentation has it; empty for `always`.
constexpr std::string_view to_string(condition c) {
  switch (c) {
    case condition::always: return "";
    case condition::never_started: return "never started";
    case condition::overtime_submits: return "overtime means submit";
    case condition::overtime_expires: return "overtime means expire";
    case condition::policy_allows: return "the policy allows it";
    case condition::policy_adds: return "the policy names the outcome and allows it";
  }
  return "unknown";
}

/// One row of the lifecycle. `from` is nothing for an interview that does not exist yet.
struct transition {
  std::optional<interview_state> from;
  event on;
  interview_state to;
  authority by;
  condition when = condition::always;
};

/// The lifecycle.
inline constexpr auto transition_table = [] {
  using enum interview_state;
  using enum authority;
  using enum condition;
  return std::array{
      transition{std::nullopt, event::schedule, scheduled, staff},
      transition{scheduled, event::start, in_progress, token},
      transition{in_progress, event::resume, in_progress, token},
      transition{in_progress, event::submit, submitted, token},
      transition{in_progress, event::submit, submitted, authority::clock, overtime_submits},
      transition{scheduled, event::expire, expired, authority::clock},
      transition{in_progress, event::expire, expired, authority::clock, overtime_expires},
      transition{scheduled, event::reissue, scheduled, staff},
      transition{expired, event::reissue, scheduled, staff, never_started},
      transition{in_progress, event::reissue, in_progress, staff},
      transition{scheduled, event::accommodate, scheduled, staff},
      transition{in_progress, event::accommodate, in_progress, staff},
      transition{scheduled, event::cancel, cancelled, staff},
      transition{in_progress, event::cancel, cancelled, staff},
      transition{scheduled, event::withdraw, cancelled, token},
      transition{in_progress, event::withdraw, cancelled, token},
      transition{scheduled, event::request_link, scheduled, token},
      transition{in_progress, event::request_link, in_progress, token},
      transition{expired, event::request_link, expired, token},
      transition{submitted, event::pass, passed, staff},
      transition{submitted, event::fail, failed, staff},
      transition{submitted, event::hold, on_hold, staff},
      transition{on_hold, event::pass, passed, staff},
      transition{on_hold, event::fail, failed, staff},
      transition{on_hold, event::hold, on_hold, staff},
      transition{passed, event::reopen, on_hold, staff},
      transition{failed, event::reopen, on_hold, staff},
      transition{in_progress, event::void_attempt, voided, staff},
      transition{submitted, event::void_attempt, voided, staff},
      transition{expired, event::void_attempt, voided, staff},
      transition{failed, event::void_attempt, voided, staff},
      transition{on_hold, event::void_attempt, voided, staff},
      transition{failed, event::retake, archived, staff, policy_allows},
      transition{on_hold, event::retake, archived, staff, policy_allows},
      transition{voided, event::retake, archived, staff, policy_allows},
      transition{passed, event::retake, archived, staff, policy_adds},
      transition{expired, event::retake, archived, staff, policy_adds},
  };
}();

/// The row for this state, event and authority; nullptr where there is none. Borrows from the table.
constexpr const transition* find_transition(std::optional<interview_state> from, event on, authority by) {
  for (const auto& row : transition_table)
    if (row.from == from && row.on == on && row.by == by) return &row;
  return nullptr;
}

/// True where some event leads from one state to the other: what the database's own constraints enforce.
constexpr bool is_lawful_step(interview_state from, interview_state to) {
  for (const auto& row : transition_table)
    if (row.from == from && row.to == to) return true;
  return false;
}

namespace detail {

constexpr bool has_duplicate_row() {
  for (std::size_t a = 0; a < transition_table.size(); ++a)
    for (std::size_t b = a + 1; b < transition_table.size(); ++b)
      if (transition_table[a].from == transition_table[b].from && transition_table[a].on == transition_table[b].on &&
          transition_table[a].by == transition_table[b].by)
        return true;
  return false;
}

constexpr bool every_state_is_reachable() {
  std::array<bool, interview_state_count> reached{};
  for (std::size_t round = 0; round <= interview_state_count; ++round)
    for (const auto& row : transition_table)
      if (!row.from || reached[static_cast<std::size_t>(*row.from)]) reached[static_cast<std::size_t>(row.to)] = true;
  for (const bool r : reached)
    if (!r) return false;
  return true;
}

constexpr bool has_way_out(interview_state s) {
  for (const auto& row : transition_table)
    if (row.from == s) return true;
  return false;
}

static_assert(!has_duplicate_row(), "two rows for one state, event and authority");
static_assert(every_state_is_reachable(), "a state that no path reaches");
static_assert(!has_way_out(interview_state::archived) && !has_way_out(interview_state::cancelled),
              "archived and cancelled have no way out");
static_assert(has_way_out(interview_state::scheduled) && has_way_out(interview_state::voided));

/// Closes the sitting: the older windows get `stale_session` from now on.
inline void close_sitting(interview& i) { i.sitting.open = false; }

}  // namespace detail

/// The interview as it is after the event, or why that cannot be. Sets state, outcome and instants and closes the
/// sitting where the event ends one; what an event carries beside that (a new link, a score, a session key) is the
/// caller's to set. Whether a policy allows is the caller's to have asked.
/// Errors: archived, invalid_transition, deadline_passed.
inline result<interview> apply(interview i, event on, authority by, sys_seconds at) {
  if (i.state == interview_state::archived)
    return detail::fail(errc::archived, "interview " + to_string(i.id) + " is archived: " + std::string(to_string(on)) +
                                            " is not possible");
  const transition* row = find_transition(i.state, on, by);
  const auto refuse = [&](std::string_view why) {
    return detail::fail(errc::invalid_transition, std::string(to_string(on)) + " is not possible in state " +
                                                      std::string(to_string(i.state)) + std::string(why));
  };
  if (!row) return refuse("");
  if (row->when == condition::never_started && i.started_at) return refuse(": the attempt was started");
  if (row->when == condition::overtime_submits && i.overtime != overtime::submit) return refuse(": overtime expires");
  if (row->when == condition::overtime_expires && i.overtime != overtime::expire) return refuse(": overtime submits");
  // From the deadline on the applicant can only submit, a fresh link would open nothing, and no time that is added
  // brings the attempt back; to cancel or to void ends it at any time.
  const bool needs_time =
      on == event::reissue || on == event::accommodate || (by == authority::token && on != event::submit);
  if (needs_time && i.state == interview_state::in_progress && i.deadline && at >= *i.deadline)
    return detail::fail(errc::deadline_passed,
                        "the deadline has passed: " + std::string(to_string(on)) + " is not possible any more");
  if (on == event::submit && by == authority::token && i.deadline && at >= *i.deadline + i.grace)
    return detail::fail(errc::deadline_passed, "the deadline and its grace have passed");

  i.state = row->to;
  i.changed_at = at;
  switch (on) {
    case event::start:
      i.started_at = at;
      i.deadline = deadline_breakdown(i, at).deadline;
      break;
    case event::submit:
      i.submitted_at = at;
      detail::close_sitting(i);
      break;
    case event::expire:
      i.outcome = i.started_at ? outcome::incomplete : outcome::no_show;
      detail::close_sitting(i);
      break;
    case event::reissue:
      i.outcome = outcome::pending;
      detail::close_sitting(i);
      break;
    case event::cancel:
    case event::withdraw:
      i.outcome = on == event::cancel ? outcome::cancelled : outcome::withdrawn;
      detail::close_sitting(i);
      break;
    case event::request_link: i.link_requested_at = at; break;
    case event::pass:
    case event::fail:
    case event::hold:
      i.outcome = on == event::pass ? outcome::passed : on == event::fail ? outcome::failed : outcome::on_hold;
      i.decided_at = at;
      break;
    case event::reopen: i.outcome = outcome::on_hold; break;
    case event::void_attempt:
      i.outcome = outcome::voided;
      detail::close_sitting(i);
      break;
    case event::schedule:
    case event::resume:
    case event::retake:
    case event::accommodate: break;
  }
  return i;
}

/// The interview as a sweep at this instant would leave it.
inline interview after_the_clock(const interview& i, sys_seconds at) {
  const auto limit = clock_limit(i);
  if (!limit || at < *limit) return i;
  const bool submits = i.state == interview_state::in_progress && i.overtime == overtime::submit;
  return apply(i, submits ? event::submit : event::expire, authority::clock, *limit).value();
}

}  // namespace hirenow
