#pragma once
/// What each use case of the engine takes and answers. Plain data.
///
/// Every change takes an idempotency key: the same key with the same request gets the same answer again, with another
/// request `idempotency_mismatch`. Keys are scoped by tenant and operation and kept 30 days unless the engine's options
/// say otherwise. A refused call stores nothing and may be repeated with its key. An empty key means none.
/// Three changes take none, because repeating them is harmless by itself: `start` and `resume` answer again under their
/// session key and refuse another, `checkpoint` writes the whole of what it is given.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hirenow/audit.hpp"
#include "hirenow/interview.hpp"
#include "hirenow/permissions.hpp"
#include "hirenow/retake_policy.hpp"
#include "hirenow/store.hpp"
#include "hirenow/token.hpp"

namespace hirenow {

/// Whether and when a change's message goes out. A reminder that would come before it, or before the link opens, is not
/// promised.
struct notify {
  bool send = true;
  std::optional<sys_seconds> at{};  ///< not before; nothing: at once

  static notify now() { return {}; }
  static notify not_before(sys_seconds instant) { return {true, instant}; }
  static notify none() { return {false, std::nullopt}; }
};

/// Plans an interview. A span of 0 means the engine's default.
struct schedule_request {
  hirenow::applicant applicant;  ///< known by id; where its e-mail is empty the stored person is left as it is
  std::string track;
  std::optional<sys_seconds> opens_at{};  ///< the link is not yet valid before; nothing: at once
  seconds link_lifetime{0};               ///< from opening to `start_by`
  std::vector<seconds> reminders{};       ///< so long before `start_by`, each a message while not started; at most 16
  seconds time_limit{0};                  ///< from start to deadline
  seconds grace{0};                       ///< after the deadline, for submit alone
  hirenow::overtime overtime = hirenow::overtime::expire;
  std::optional<sys_seconds> ends_by{};  ///< the outer limit of `start_by` and of the deadline; nothing: none
  hirenow::notify notify{};
  std::string idempotency_key{};
};

/// A time limit, a grace and an overtime that are left empty are those of the interview that is retaken, and so is what
/// lengthens it: all of its accommodation but the pause credit. The link's terms are not: a lifetime left empty is the
/// engine's default, and without reminders and an outer limit there are none.
struct retake_options {
  std::optional<sys_seconds> opens_at{};
  seconds link_lifetime{0};
  std::vector<seconds> reminders{};
  seconds time_limit{0};  ///< 0: as before
  std::optional<seconds> grace{};
  std::optional<hirenow::overtime> overtime{};
  std::optional<sys_seconds> ends_by{};
  hirenow::notify notify{};
  std::string reason{};
  std::string idempotency_key{};
};

/// A fresh link to the same interview. For one in progress only the link is new: its deadline stays. Either a lifetime,
/// counted from the opening, or an extension.
struct reissue_options {
  std::optional<sys_seconds> opens_at{};
  seconds link_lifetime{0};
  seconds extend_by{0};  ///< lets a live link end so much later, and an expired one so long after now
  std::vector<seconds> reminders{};
  hirenow::notify notify{};
  std::string reason{};
  std::string idempotency_key{};
};

/// Passed, failed or on hold, with a reason.
struct decision {
  hirenow::outcome outcome = hirenow::outcome::on_hold;  ///< passed, failed or on_hold; nothing else
  std::string reason{};
  std::optional<double> score{};
  hirenow::notify notify{};
  std::string idempotency_key{};
};

/// Lengthens an attempt, before it starts or while it runs. A term that is given takes the place of the one before;
/// the others stay.
struct accommodate_options {
  std::optional<std::uint32_t> percent{};  ///< of the time limit: 100 to 1,000
  std::optional<seconds> extra{};          ///< added to that
  std::optional<seconds> pause{};          ///< all the credit for pauses, added too
  std::optional<seconds> grace{};          ///< after the deadline, for submit alone
  std::string reason_code;                 ///< the host's word, for example "extra_time_25"; goes into the audit
  std::string reason{};                    ///< free text, at most 2 KiB: personal, erased with the person
  std::string idempotency_key{};
};

/// Grants an exception to one rule of the retake policy.
struct waiver_request {
  std::string applicant_id;
  std::string track;
  std::string rule_id;       ///< of the policy that is in force for the track
  std::string reason_code;   ///< the host's word, for example "visa_delay"; goes into the audit
  sys_seconds expires_at{};  ///< what was not used by then lapses; at most ten years from now
  std::string floor{};       ///< of a wait or a lock-out: the part that stays, for example "P7D"; empty: none
  std::string reason{};      ///< free text, at most 2 KiB: personal, erased with the person
  std::string idempotency_key{};
};

/// What goes with the approval or the revocation of a waiver.
struct waiver_step_options {
  std::string reason{};  ///< free text, at most 2 KiB: personal, erased with the person
  std::string idempotency_key{};
};

/// When a policy is in force, and what becomes of waits that run then.
struct activation {
  std::optional<sys_seconds> from{};  ///< not before now; nothing: at once
  hirenow::running_waits running_waits = hirenow::running_waits::replace;
  std::string idempotency_key{};
};

/// Takes a decision back. Nobody is notified before the next one.
struct reopen_options {
  std::string reason;  ///< needed; free text, at most 2 KiB: personal, erased with the person
  std::string idempotency_key{};
};

/// Cancels an interview, and says whether the applicant hears of it.
struct cancel_options {
  std::string reason{};  ///< free text, at most 2 KiB: personal, erased with the person
  hirenow::notify notify{};
  std::string idempotency_key{};
};

/// Voids an attempt that a technical failure spoilt.
struct void_options {
  std::string reason_code;  ///< the host's word, for example "network_outage"; goes into the audit
  std::string reason{};
  std::string idempotency_key{};
};

/// The applicant's own withdrawal.
struct withdraw_options {
  std::string reason{};
  hirenow::notify notify = hirenow::notify::none();
  std::string idempotency_key{};
};

/// An interview and the link to it.
struct invited {
  hirenow::interview interview;
  std::string link{};     ///< empty where a replayed answer's link has been superseded
  bool replayed = false;  ///< the answer of an earlier call with the same idempotency key
};

/// A retake: the old interview, archived, and the new one.
struct retaken {
  hirenow::interview interview;
  hirenow::interview archived;
  std::string link{};
  bool replayed = false;
};

/// An interview after a change.
struct changed {
  hirenow::interview interview;
  bool replayed = false;
};

/// The applicant's person after a change.
struct person_changed {
  applicant person;
  bool replayed = false;
};

/// A waiver after a change.
struct waiver_changed {
  hirenow::waiver waiver;
  bool replayed = false;
};

/// What if this policy were set now? Asked page by page: each looks at so many applicants.
struct what_if_query {
  std::string document;     ///< the policy that is tried out
  std::string track{};      ///< whose policy it would be; empty: the tenant's own, so tracks that have one are left out
  std::string cursor{};     ///< `next` of the page before; empty: from the start. All pages are judged as of the first
  std::size_t limit = 100;  ///< applicants to look at, at most 500
  hirenow::running_waits running_waits = hirenow::running_waits::replace;  ///< as it would be set with
};

/// How many tracks of how many applicants a policy would change. Of each track the question is asked whether a further
/// attempt is allowed now; tracks with an active interview, or with none, are not counted.
struct what_if_counts {
  std::uint64_t applicants = 0;     ///< looked at
  std::uint64_t interviews = 0;     ///< theirs, all tracks together
  std::uint64_t tracks = 0;         ///< of which the question was asked
  std::uint64_t eligible_now = 0;   ///< as things stand
  std::uint64_t eligible_then = 0;  ///< with the policy that is tried out
  std::uint64_t become = 0;         ///< become eligible
  std::uint64_t cease = 0;          ///< cease to be
  std::uint64_t sooner = 0;         ///< not eligible before or after, but sooner
  std::uint64_t later = 0;          ///< not eligible before or after, and later, or never

  /// Adds up what several pages counted.
  what_if_counts& operator+=(const what_if_counts& other) {
    applicants += other.applicants, interviews += other.interviews, tracks += other.tracks;
    eligible_now += other.eligible_now, eligible_then += other.eligible_then;
    become += other.become, cease += other.cease, sooner += other.sooner, later += other.later;
    return *this;
  }
  friend bool operator==(const what_if_counts&, const what_if_counts&) = default;
};

/// A track for which the answer would change.
struct what_if_row {
  std::string applicant_id;
  std::string track;
  interview_id newest{};  ///< the newest interview of the track
  bool eligible_now = false;
  bool eligible_then = false;
  std::string reason_now{};
  std::string reason_then{};
  std::optional<sys_seconds> eligible_at_now{};
  std::optional<sys_seconds> eligible_at_then{};
};

/// A page: what would change for the applicants that it looked at, and how many.
struct what_if_page {
  std::vector<what_if_row> rows{};
  what_if_counts counts{};  ///< of this page; add them up
  std::string next{};       ///< empty on the last page
};

/// A session: what the applicant's page holds while it is open. The key is a secret.
struct session {
  std::string tenant;
  interview_id interview{};
  std::int64_t fence = 0;
  std::string key;
};

/// What start and resume answer.
struct sitting {
  hirenow::session session;
  hirenow::interview interview;
  seconds left{};  ///< to the deadline, exact, never negative
  std::optional<hirenow::progress> progress{};
};

/// A saved checkpoint.
struct saved {
  sys_seconds at{};
};

/// The last words of an attempt.
struct submit_options {
  std::optional<std::string> progress{};  ///< the last progress, saved with the submission
  std::string idempotency_key{};
};

/// What stands behind a link. For a verdict of `invalid` everything else is empty but `reason`, which is for logs.
struct inspection {
  hirenow::verdict verdict = hirenow::verdict::invalid;
  std::string reason{};
  std::optional<hirenow::interview> interview{};
  std::string applicant_name{};
  std::string locale{};
  std::string time_zone{};
  std::optional<seconds> left{};  ///< to `start_by` or to the deadline, whichever counts
};

/// What came of a request for the current link. Show the visitor the same page whatever it holds.
struct link_requested {
  std::optional<interview_id> interview{};  ///< the track's current interview
  bool queued = false;                      ///< a message with its link was queued
  bool noted = false;                       ///< the recruiter will see the request
  bool replayed = false;
};

/// One thing an actor might do to an interview now.
struct permitted_action {
  use_case what;
  hirenow::event event;
  bool allowed = false;
  std::optional<error> why{};                         ///< why not
  std::optional<hirenow::eligibility> eligibility{};  ///< of a retake
};

/// Which interviews a dashboard shows.
struct dashboard_query {
  std::optional<interview_state> state{};
  std::string track{};
  std::string applicant_id{};
  std::string cursor{};
  std::size_t limit = 50;
  bool with_counts = true;
};

/// Everything about one track of one applicant.
struct track_history {
  applicant person;
  bool erased = false;
  std::vector<interview> attempts{};   ///< by attempt number, as the clock would have them now
  std::vector<audit_entry> entries{};  ///< of these interviews and of the person, in order
  std::vector<message> messages{};
};

/// A verified audit.
struct audit_report {
  std::uint64_t entries = 0;
  digest head{};
};

/// What a sweep did.
struct sweep_report {
  /// A record that could not be moved, and why.
  struct set_aside {
    due_record record;
    hirenow::error error;
  };
  std::size_t records = 0;          ///< records changed
  std::size_t events = 0;           ///< interviews expired or submitted
  std::vector<set_aside> failed{};  ///< records that made it fail, for a person to look at
  bool more = false;                ///< the limit was reached before the end
};

}  // namespace hirenow
