#pragma once
/// Who may do what: one row per use case. The core checks it, not the caller; the host can replace the table.
///
/// Threads: plain values.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hirenow/error.hpp"
#include "hirenow/lifecycle.hpp"

namespace hirenow {

/// What a member of the host's staff may be. `system` and the applicant are not roles: the engine makes them itself,
/// and no caller can claim them.
enum class role : std::uint8_t { recruiter = 1, reviewer = 2, admin = 4 };

/// The role's word.
constexpr std::string_view to_string(role r) {
  return r == role::recruiter ? "recruiter" : r == role::reviewer ? "reviewer" : r == role::admin ? "admin" : "unknown";
}
inline constexpr std::array all_roles{role::recruiter, role::reviewer, role::admin};

/// A set of roles.
class role_set {
 public:
  constexpr role_set() = default;
  constexpr role_set(role r) : bits_(static_cast<std::uint8_t>(r)) {}
  constexpr bool has(role r) const { return (bits_ & static_cast<std::uint8_t>(r)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  /// True where the two sets share a role.
  constexpr bool meets(role_set other) const { return (bits_ & other.bits_) != 0; }
  friend constexpr role_set operator|(role_set a, role_set b) {
    role_set both;
    both.bits_ = static_cast<std::uint8_t>(a.bits_ | b.bits_);
    return both;
  }
  friend constexpr bool operator==(role_set, role_set) = default;

 private:
  std::uint8_t bits_ = 0;
};
constexpr role_set operator|(role a, role b) { return role_set(a) | role_set(b); }

/// Who asks: the host's own id for the person, the roles the host has checked, and the tenant.
struct actor {
  std::string id;
  std::string tenant;
  role_set roles{};
};

/// Everything that can be asked of the engine.
enum class use_case : std::uint8_t {
  schedule,
  inspect,
  start,
  resume,
  checkpoint,
  submit,
  decide,
  reopen,
  void_attempt,
  retake_eligibility,
  retake,
  reissue,
  request_link,
  cancel,
  withdraw,
  update_applicant,
  record_fact,
  set_policy,
  sweep,
  permitted_actions,
  list,
  history,
  read_progress,
  read_audit,
  verify_audit,
  read_messages,
  redrive,
  dispatch,
  erase_applicant,
  accommodate,
  drop,
  grant_waiver,
  approve_waiver,
  revoke_waiver,
  read_waivers,
  read_policies,
  what_if,
};
inline constexpr std::size_t use_case_count = 37;

/// One row: which roles may, and whether the applicant's token or the engine itself may. Nobody can take
/// `submit` from the engine: it would leave overtime without an end.
struct permission {
  use_case what;
  std::string_view word;
  role_set staff;
  bool token = false;
  bool system = false;
};

/// The table. Made of `default_permissions` unless the host brings its own.
using permission_table = std::array<permission, use_case_count>;

/// Recruiters run interviews, reviewers judge them, an admin may do both and alone erases, reopens, redrives, drops,
/// sets and tries out policies, and grants waivers.
inline constexpr permission_table default_permissions = [] {
  constexpr role_set recruiter = role::recruiter | role::admin;
  constexpr role_set reviewer = role::reviewer | role::admin;
  constexpr role_set anyone = role::recruiter | role::reviewer | role::admin;
  constexpr role_set admin = role::admin;
  constexpr role_set nobody{};
  return permission_table{{
      {use_case::schedule, "schedule", recruiter},
      {use_case::inspect, "inspect", nobody, true},
      {use_case::start, "start", nobody, true},
      {use_case::resume, "resume", nobody, true},
      {use_case::checkpoint, "checkpoint", nobody, true},
      {use_case::submit, "submit", nobody, true, true},
      {use_case::decide, "decide", reviewer},
      {use_case::reopen, "reopen", admin},
      {use_case::void_attempt, "void", reviewer},
      {use_case::retake_eligibility, "retake_eligibility", anyone},
      {use_case::retake, "retake", recruiter},
      {use_case::reissue, "reissue", recruiter},
      {use_case::request_link, "request_link", nobody, true},
      {use_case::cancel, "cancel", recruiter},
      {use_case::withdraw, "withdraw", nobody, true},
      {use_case::update_applicant, "update_applicant", recruiter},
      {use_case::record_fact, "record_fact", recruiter},
      {use_case::set_policy, "set_policy", admin},
      {use_case::sweep, "sweep", nobody, false, true},
      {use_case::permitted_actions, "permitted_actions", anyone},
      {use_case::list, "list", anyone},
      {use_case::history, "history", anyone},
      {use_case::read_progress, "read_progress", reviewer},
      {use_case::read_audit, "read_audit", anyone},
      {use_case::verify_audit, "verify_audit", anyone},
      {use_case::read_messages, "read_messages", anyone},
      {use_case::redrive, "redrive", admin},
      {use_case::dispatch, "dispatch", nobody, false, true},
      {use_case::erase_applicant, "erase_applicant", admin},
      {use_case::accommodate, "accommodate", recruiter},
      {use_case::drop, "drop", admin},
      {use_case::grant_waiver, "grant_waiver", admin},
      {use_case::approve_waiver, "approve_waiver", admin},
      {use_case::revoke_waiver, "revoke_waiver", admin},
      {use_case::read_waivers, "read_waivers", anyone},
      {use_case::read_policies, "read_policies", anyone},
      {use_case::what_if, "what_if", admin},
  }};
}();

namespace detail {
constexpr bool rows_stand_at_their_number(const permission_table& table) {
  for (std::size_t n = 0; n < table.size(); ++n)
    if (static_cast<std::size_t>(table[n].what) != n) return false;
  return true;
}
static_assert(rows_stand_at_their_number(default_permissions));
}  // namespace detail

/// The use case's word.
constexpr std::string_view to_string(use_case what) {
  const auto n = static_cast<std::size_t>(what);
  return n < use_case_count ? default_permissions[n].word : "unknown";
}

/// The use case that an event belongs to; nothing for `expire`, which only the clock does.
constexpr std::optional<use_case> use_case_of(event on) {
  switch (on) {
    case event::schedule: return use_case::schedule;
    case event::start: return use_case::start;
    case event::resume: return use_case::resume;
    case event::submit: return use_case::submit;
    case event::expire: return std::nullopt;
    case event::reissue: return use_case::reissue;
    case event::cancel: return use_case::cancel;
    case event::withdraw: return use_case::withdraw;
    case event::request_link: return use_case::request_link;
    case event::pass:
    case event::fail:
    case event::hold: return use_case::decide;
    case event::reopen: return use_case::reopen;
    case event::void_attempt: return use_case::void_attempt;
    case event::retake: return use_case::retake;
    case event::accommodate: return use_case::accommodate;
  }
  return std::nullopt;
}

/// Whether one of the actor's roles allows the use case.
/// Errors: permission_denied.
inline result<void> check_permission(const permission_table& table, use_case what, const actor& who) {
  if (table[static_cast<std::size_t>(what)].staff.meets(who.roles)) return {};
  return detail::fail(errc::permission_denied, "no role of this actor allows " + std::string(to_string(what)));
}

}  // namespace hirenow
