#pragma once
/// What a retake policy is asked, and what it answers.
///
/// Threads: pure functions and immutable values.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hirenow/clock.hpp"
#include "hirenow/crypto.hpp"
#include "hirenow/error.hpp"
#include "hirenow/interview.hpp"
#include "hirenow/policy_calendar.hpp"
#include "hirenow/policy_span.hpp"
#include "hirenow/retake_rules.hpp"

namespace hirenow {

/// One attempt, as a policy sees it.
struct attempt {
  std::string track;
  sys_seconds at{};  ///< the start; where there was none, `start_by`
  std::optional<sys_seconds> decided_at{};
  outcome result = outcome::pending;
  std::optional<double> score{};
  interview_id id{};

  friend bool operator==(const attempt&, const attempt&) = default;
};

/// The attempts of a record, oldest first. An interview that was cancelled or withdrawn before its start is none; a
/// scheduled one is, as `pending`, because it will use up an attempt.
std::vector<attempt> attempts_of(const applicant_record& record);

/// An exception to one rule that was granted.
struct granted_waiver {
  std::string rule_id;
  std::optional<policy_span>
      floor{};  ///< of a wait or a lock-out: the part that stays; the longer of this and the rule's

  friend bool operator==(const granted_waiver&, const granted_waiver&) = default;
};

/// May there be a further attempt? With everything that the answer may depend on. Borrows all of it.
struct retake_question {
  std::string_view track{};             ///< at which the further attempt would be
  std::span<const attempt> attempts{};  ///< of the whole record, in any order
  std::span<const fact> facts{};        ///< of the record
  std::span<const granted_waiver> waivers{};
  std::string_view time_zone{};  ///< the applicant's, for policies whose zone is "applicant"; empty means UTC
  sys_seconds now{};
  attempt_kind kind = attempt_kind::retake;
};

/// A retake policy: parsed, immutable, cheap to copy.
class retake_policy {
 public:
  /// Reads a document of at most 64 KiB, nested at most 16 deep.
  /// Errors: policy_invalid, with the JSON pointer of every fault and what is wrong there; too_large.
  static result<retake_policy> parse(std::string_view json);

  /// The policy where nobody set one: a retake after failed, on_hold or void, 14 days after the last attempt.
  static const retake_policy& standard();

  /// The name its author gave this version of it.
  const std::string& version() const { return data_->version; }
  /// SHA-256 of the document.
  const digest& hash() const { return data_->hash; }
  /// The document as it was given.
  const std::string& document() const { return data_->document; }
  /// The outcomes a retake may follow.
  outcome_set retake_after() const { return data_->retake_after; }
  /// The time zone of its dates; nullptr where it is the applicant's.
  const zone_offsets* zone() const { return data_->zone; }
  /// The rules, in the document's order; the members of a group follow it. Borrows from the policy.
  std::span<const retake_rule> rules() const { return data_->rules; }
  /// Which attempts the rules count. Borrows from the policy.
  std::span<const attempt_selection> selections() const { return data_->selections; }
  /// What the rules name. Borrows from the policy.
  std::span<const period_calendar> calendars() const { return data_->calendars; }
  std::span<const working_calendar> working() const { return data_->working; }

 private:
  friend class policy_reader;
  struct contents {
    std::string version{};
    digest hash{};
    std::string document{};
    outcome_set retake_after = default_retake_after;
    const zone_offsets* zone = &zone_offsets::utc();
    std::vector<retake_rule> rules{};
    std::vector<attempt_selection> selections{};
    std::vector<period_calendar> calendars{};
    std::vector<working_calendar> working{};
  };
  explicit retake_policy(contents c) : data_(std::make_shared<const contents>(std::move(c))) {}

  std::shared_ptr<const contents> data_;
};

/// What one rule says, and what it looked at. Texts and attempts are borrowed from the answer that it belongs to.
struct rule_verdict {
  std::string_view rule_id{};
  std::string_view rule{};  ///< its word in the document; "retake_after", or "state" for what the engine itself forbids
  std::string_view group{};  ///< the id of the group it belongs to; the group decides, not its members
  bool allowed = true;
  std::string_view reason = "ok";  ///< "ok", or why it forbids: passed, outcome_not_eligible, status, lifetime_cap,
                                   ///< lockout, prerequisite, period_expired, window_cap, cooldown
  std::string_view advice{};   ///< the warning's code of a rule that only warns: it may forbid, and nothing comes of it
  bool applies = true;         ///< its conditions hold
  bool waived = false;         ///< a waiver was taken into account
  bool waiver_allows = false;  ///< where it forbids: a waiver of this rule would end that now
  std::optional<sys_seconds> eligible_at{};     ///< where it forbids: until when; nothing means no date is known
  std::optional<sys_seconds> eligible_until{};  ///< when it will forbid (again), where that is known
  std::uint64_t counted = 0;                    ///< attempts that counted
  std::optional<std::uint64_t> limit{};  ///< most attempts that may count; of `require`, after how many it is needed
  std::optional<policy_span> span{};     ///< the wait that applies, the window, or the lead, as the policy writes it
  std::optional<seconds> wait{};         ///< the wait that applies, in seconds
  std::optional<sys_seconds> since{};    ///< where the wait, the window or the period began
  std::optional<sys_seconds> until{};    ///< where it ends
  std::optional<outcome> newest{};       ///< retake_after: the outcome of the newest attempt
  std::string_view counted_from{};       ///< of a wait or a lock-out, where `since` comes from: attempt, decision,
                                         ///< first_attempt, or the kind of a fact, which `subject` names
  std::string_view subject{};            ///< the fact or calendar that it asked for
  bool working_days = false;             ///< the days of `span` are working days
  std::span<const interview_id> attempts{};  ///< those that counted, oldest first
};

/// Whether a further attempt is allowed at an instant, and why.
struct eligibility {
  bool allowed = true;
  std::string_view reason = "ok";                ///< "ok", or the deciding rule's reason
  std::optional<sys_seconds> eligible_at{};      ///< where not allowed: from when; nothing means no date is known
  std::optional<sys_seconds> eligible_until{};   ///< when a further attempt allowed now, or from then, no longer is
  std::optional<std::uint64_t> attempts_left{};  ///< the least that any rule leaves now; nothing where none limits it
  std::vector<rule_verdict> rules{};             ///< every rule's verdict, in the policy's order
  std::vector<std::string_view> all_reasons{};   ///< of all rules that forbid, sorted, each once
  std::vector<std::string_view> warnings{};      ///< codes of advice that applies, in the policy's order
  std::vector<std::string_view> waivers{};       ///< ids of the rules whose waiver would allow it now; all are needed
  std::string time_zone{};                       ///< in which dates were counted
  std::string policy_version{};
  digest policy_hash{};
  std::shared_ptr<const void> memory{};  ///< what the texts and attempts are borrowed from
};

/// Holds a record against a policy. Allowed only where all rules allow.
eligibility evaluate(const retake_policy& policy, const retake_question& question);

/// The same for attempts at one track and nothing else.
inline eligibility evaluate(const retake_policy& policy, std::span<const attempt> history, sys_seconds now,
                            attempt_kind kind = attempt_kind::retake) {
  return evaluate(policy, {.track = history.empty() ? std::string_view{} : std::string_view(history.front().track),
                           .attempts = history,
                           .now = now,
                           .kind = kind});
}

/// The answer as one sentence for people, for example "Retake is possible from 2026-03-15T10:00:00Z: 14 days after the
/// last attempt".
std::string describe(const eligibility& answer, explain_in language = explain_in::english);

/// What one rule says, as one sentence for people.
std::string describe(const rule_verdict& verdict, std::string_view time_zone,
                     explain_in language = explain_in::english);

}  // namespace hirenow
