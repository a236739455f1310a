#pragma once
/// The engine: all use cases over one store, key ring, policy and clock.
///
/// Every change has one shape: load one applicant record, check token or actor, let the clock do what is due, decide
/// with pure functions, commit with the version that was loaded; on a conflict load and decide again. A refusal commits
/// nothing.
/// Threads: an engine serves any thread.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hirenow/clock.hpp"
#include "hirenow/detail/answers.hpp"
#include "hirenow/detail/draft.hpp"
#include "hirenow/detail/link.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/permissions.hpp"
#include "hirenow/retake_policy.hpp"
#include "hirenow/signing_key.hpp"
#include "hirenow/store.hpp"
#include "hirenow/token.hpp"
#include "hirenow/use_cases.hpp"

namespace hirenow {

/// What an engine is told once.
struct engine_options {
  std::string link_base{};                          ///< https address that links are built on; needed for links
  std::map<std::string, std::string> link_bases{};  ///< by tenant, where it differs
  std::string issuer = "hirenow";                   ///< of tokens (iss)
  std::string audience = "interview";               ///< of tokens (aud)
  seconds link_lifetime{72 * 3600};                 ///< where a request names none
  seconds time_limit{24 * 3600};                    ///< where a request names none
  seconds answer_retention{30 * 86400};             ///< how long an idempotency key is remembered
  seconds link_request_interval{15 * 60};           ///< an applicant's request is heeded this often
  permission_table permissions = default_permissions;
  const hirenow::clock* clock = nullptr;  ///< borrowed; nothing: the machine's
};

/// All use cases. Errors of every call, beside those that are named: the store's (see store.hpp), invalid_argument and
/// too_large for what is handed in, permission_denied, not_found (also for what belongs to another tenant), and for
/// changes conflict, erased, idempotency_mismatch and limit_reached.
class engine {
 public:
  /// Owns: borrows the store and the clock, which must outlive it. Throws `exception` where an option is unusable.
  engine(hirenow::store& store, key_ring keys, retake_policy policy, engine_options options = {});

  /// The same engine over another store: keys, policies, options and clock are shared, none is copied. Made for one
  /// transaction of the host's, over what `join_transaction` gives; it costs next to nothing.
  /// Owns: borrows the other store and the clock; this engine may be gone before it.
  engine on(hirenow::store& other) const { return engine(other, shared_); }

  // Inviting.

  /// Plans an interview and promises the invitation. Needs a track without a current interview, and that the retake
  /// policy allows: on a first interview a policy has a say where it counts other tracks, or requires something.
  /// Errors: active_interview, not_eligible, no_signing_key.
  result<invited> schedule(const schedule_request& request, const actor& who);

  /// Whether this interview may be retaken now; the very decision that `retake` enforces.
  result<eligibility> retake_eligibility(const interview_id& id, const actor& who);

  /// Archives the interview and plans a new one with a new id, a new token and one message, in one commit.
  /// Errors: not_eligible (with `reason`, `eligible_at`), superseded (with `superseded_by`), archived,
  /// active_interview, no_signing_key.
  result<retaken> retake(const interview_id& id, const actor& who, const retake_options& options = {});

  /// Gives the same interview a fresh link; every older one is dead at once. One in progress keeps deadline and
  /// progress and loses its open session.
  /// Errors: archived, invalid_transition, no_signing_key.
  result<invited> reissue(const interview_id& id, const actor& who, const reissue_options& options = {});

  /// The holder of a superseded or expired link asks for the current one. It is mailed to the address on file, never
  /// handed out. Requests that come too soon after another are answered alike and do nothing. Unlike the other calls
  /// that promise a message it takes no `notify`: the applicant asks for this very mail and waits for it, so it is due
  /// at once.
  /// Errors: token_invalid and the other verdicts that have no link to send.
  result<link_requested> request_link(std::string_view token, std::string_view idempotency_key = {});

  // The applicant's sitting.

  /// What stands behind a link. Changes nothing, so that a mail scanner's visit is harmless.
  result<inspection> inspect(std::string_view token);

  /// Starts the interview under a session key of at least 16 random bytes. The same key again gets the same answer.
  /// Errors: the token's verdict, already_started.
  result<sitting> start(std::string_view token, std::string_view session_key);

  /// Goes on with a started interview in a newer session, which fences the older one off. The key of the open session
  /// gets that session again.
  /// Errors: the token's verdict, invalid_transition, deadline_passed.
  result<sitting> resume(std::string_view token, std::string_view session_key);

  /// Saves the progress of an open session, whole. Moves no version and waits for no other change.
  /// Errors: stale_session, deadline_passed, invalid_transition.
  result<saved> checkpoint(const session& open, std::string_view progress);

  /// Submits the interview, to the end of its grace.
  /// Errors: stale_session, deadline_passed, invalid_transition.
  result<changed> submit(const session& open, const submit_options& options = {});

  /// The applicant withdraws.
  /// Errors: the token's verdict.
  result<changed> withdraw(std::string_view token, const withdraw_options& options = {});

  // Deciding.

  /// Decides a submitted interview, or one on hold.
  /// Errors: archived, invalid_transition.
  result<changed> decide(const interview_id& id, const actor& who, const decision& what);

  /// Takes a pass or a failure back to on hold. Needs a reason.
  /// Errors: archived, invalid_transition.
  result<changed> reopen(const interview_id& id, const actor& who, const reopen_options& options);

  /// Voids an attempt that a technical failure spoilt. Needs a reason code.
  /// Errors: archived, invalid_transition.
  result<changed> void_attempt(const interview_id& id, const actor& who, const void_options& options);

  /// Lengthens an attempt that is scheduled or runs; the deadline of one that runs moves at once, at most to its outer
  /// limit. See `deadline_breakdown()`.
  /// Errors: archived, invalid_transition, deadline_passed; invalid_argument where the deadline would be over.
  result<changed> accommodate(const interview_id& id, const actor& who, const accommodate_options& options);

  /// Cancels an interview that is not over.
  /// Errors: archived, invalid_transition.
  result<changed> cancel(const interview_id& id, const actor& who, const cancel_options& options = {});

  /// Replaces the applicant's person. Messages already promised go to the new address.
  result<person_changed> update_applicant(const applicant& person, const actor& who,
                                          std::string_view idempotency_key = {});

  /// Records something that a policy may ask about.
  result<person_changed> record_fact(std::string_view applicant_id, const fact& what, const actor& who,
                                     std::string_view idempotency_key = {});

  // Policies and exceptions to them.

  /// Sets the retake policy of the actor's tenant, or of one track, at once or from an instant on; an empty document
  /// takes it away. Nothing that was set is forgotten: `policies` lists it, decisions name its hash, and the tenant's
  /// own audit tells who set it (`read_audit` of an empty applicant id). Where the very same document would be in force
  /// then anyway, nothing is written. A repetition that comes late puts it in the place of what was set since, unless
  /// both bear one idempotency key.
  /// Errors: policy_invalid; invalid_argument where it would be in force before now.
  result<void> set_policy(std::string_view track, std::string_view document, const actor& who,
                          const activation& when = {});

  /// The policies of the actor's tenant, or of one track: the last one first, those that are planned among them.
  result<std::vector<stored_policy>> policies(std::string_view track, const actor& who,
                                              const std::optional<policy_place>& before = {}, std::size_t limit = 50);

  /// What would change if this policy were set now, for so many applicants at a time. Changes nothing.
  /// Errors: policy_invalid.
  result<what_if_page> what_if(const what_if_query& query, const actor& who);

  /// Grants an exception to one rule, or proposes it where the policy wants a second person. `schedule` and `retake`
  /// use what they need, and nothing else.
  /// Errors: invalid_argument where the policy in force has no such rule or does not let it be waived;
  /// invalid_transition where one for this rule and track is open.
  result<waiver_changed> grant_waiver(const waiver_request& request, const actor& who);

  /// Approves a proposed waiver. Somebody else does it than who proposed it.
  /// Errors: invalid_transition where it is not proposed.
  result<waiver_changed> approve_waiver(std::string_view applicant_id, std::uint64_t number, const actor& who,
                                        const waiver_step_options& options = {});

  /// Revokes a waiver that is open.
  /// Errors: invalid_transition where it is used, lapsed or revoked.
  result<waiver_changed> revoke_waiver(std::string_view applicant_id, std::uint64_t number, const actor& who,
                                       const waiver_step_options& options = {});

  /// All waivers of an applicant, by number, as the clock would have them now.
  result<std::vector<waiver>> waivers(std::string_view applicant_id, const actor& who);

  /// Queues a dead message again.
  /// Errors: invalid_transition where it is not dead.
  result<void> redrive(const message_key& key, const actor& who, std::string_view idempotency_key = {});

  /// Gives a dead message up: it is withdrawn, and no longer among the dead.
  /// Errors: invalid_transition where it is not dead.
  result<void> drop(const message_key& key, const actor& who, std::string_view idempotency_key = {});

  /// Erases a person: name, address, reasons, progress, facts and stored answers are deleted, active interviews
  /// cancelled, unsent messages withdrawn. Interviews and audit stay, and the audit stays valid.
  result<void> erase_applicant(std::string_view applicant_id, const actor& who, std::string_view idempotency_key = {});

  /// Lets the clock do what is due on every record of every tenant. A record that fails is set aside and reported.
  /// Once an hour it also deletes stored answers that have expired.
  /// Errors: permission_denied; those of the store where it cannot prune or tell what is due: what had been done stays,
  /// and what was set aside is reported by the next sweep. Where memory runs out after the first record was changed,
  /// the report says that there is more.
  result<sweep_report> sweep(std::size_t limit = 10'000);

  // Reading. Interviews are shown as the clock would have them now.

  /// An interview.
  result<interview> find(const interview_id& id, const actor& who);

  /// What this actor may do to the interview now, and why not the rest.
  result<std::vector<permitted_action>> permitted_actions(const interview_id& id, const actor& who);

  /// A page for a dashboard, with counts by state from the same snapshot.
  result<list_page> list(const dashboard_query& query, const actor& who);

  /// Everything about one track of one applicant.
  result<track_history> history(const interview_id& id, const actor& who);

  /// The newest saved progress; after a submission, what was submitted. Nothing where none was saved.
  result<std::optional<progress>> read_progress(const interview_id& id, const actor& who);

  /// Audit entries after `after`, at most `limit` (at most 500). An empty applicant id reads the tenant's own audit,
  /// which tells of its policies; it is empty where none was set.
  result<std::vector<audit_entry>> read_audit(std::string_view applicant_id, const actor& who, std::uint64_t after = 0,
                                              std::size_t limit = limits::page);

  /// Verifies an applicant's whole audit, and that it ends where the interviews stand.
  /// Plays every entry and compares what comes of it with what is stored: states, outcomes, instants, lineage, facts,
  /// and the progress that was submitted.
  /// An empty applicant id verifies the tenant's own audit: every policy that it tells of is there as it was set, and
  /// its tracks have no others.
  /// Errors: audit_broken, naming the first entry or field that is wrong.
  result<audit_report> verify_audit(std::string_view applicant_id, const actor& who);

  /// A signed statement of where every record of the tenant stands: JSON, to be kept outside the database.
  /// Errors: no_signing_key.
  result<std::string> audit_checkpoint(const actor& who);

  /// Compares the tenant's records with an earlier checkpoint: finds truncated and lost records.
  /// Returns the number of records compared. Errors: audit_broken, invalid_argument; key_invalid where its key was
  /// retired or taken away, so that nobody can tell: verify checkpoints before that, and sign new ones.
  result<std::size_t> verify_audit_checkpoint(std::string_view checkpoint, const actor& who);

  /// Messages of the actor's tenant.
  result<std::vector<message>> read_messages(message_query query, const actor& who);

  /// The link to an interview's current generation. A link is a credential: the actor needs what `reissue` needs.
  /// Errors: key_invalid where its key was retired.
  result<std::string> link_of(const interview_id& id, const actor& who) const;

  // For the dispatcher, and for hosts that build their own.

  /// The link to an interview's current generation, made again from what is stored. Asks nobody's permission, because a
  /// dispatcher acts for the engine; for a person ask the other `link_of`.
  /// Errors: key_invalid where its key was retired.
  result<std::string> link_of(std::string_view tenant, std::string_view applicant_id, const interview& i) const;
  /// The store it works on. Borrows.
  hirenow::store& storage() const { return store_; }
  /// The present instant by the engine's clock; one that has left the calendar stands at its end.
  sys_seconds now() const { return std::clamp(clock_->now(), min_instant, max_instant); }
  /// What it was told. Borrows.
  const engine_options& options() const { return options_; }

 private:
  /// How often a change is decided again because somebody else was faster. Sixty-four callers that all change one
  /// record need as many rounds at the worst.
  static constexpr int most_rounds = 200;

  /// What engines over different stores share.
  struct shared_state {
    shared_state(key_ring ring, retake_policy standard, engine_options told)
        : keys(std::move(ring)), policy(std::move(standard)), options(std::move(told)) {}
    key_ring keys;
    retake_policy policy;
    engine_options options;
    system_clock machine_clock{};
    std::mutex policies_mutex{};
    std::map<digest, retake_policy> policies{};       ///< parsed documents of tenants and tracks
    std::atomic<sys_seconds> pruned_at{min_instant};  ///< when expired answers were last looked for, and none was left
  };
  engine(hirenow::store& store, std::shared_ptr<shared_state> shared);

  /// Sweeps until the end, the limit or an error, and reports how far it came.
  result<void> sweep_into(sweep_report& report, std::size_t limit);

  using draft = detail::draft;
  using author = detail::author;
  using payload_writer = detail::payload_writer;

  /// One change: load, replay or decide, commit, and again on a conflict. `Decide` is called as
  /// `result<Answer>(draft&, const loaded&)`.
  template <class Answer, class Decide>
  result<Answer> change(use_case what, load_request request, std::string_view idempotency_key, const digest& payload,
                        Decide&& decide);
  /// As above, for an actor's change of one interview that exists: `Decide` is called as
  /// `result<Answer>(draft&, const loaded&, const interview&, const author&)`.
  template <class Answer, class Decide>
  result<Answer> change_interview(use_case what, const interview_id& id, const actor& who,
                                  std::string_view idempotency_key, const payload_writer& payload, Decide&& decide);
  /// What redrive and drop share: an actor's change of one dead message, which `mark` marks in the draft.
  result<void> change_dead_message(use_case what, const message_key& key, const actor& who,
                                   std::string_view idempotency_key, void (draft::*mark)(const message_key&));
  /// As above, for an actor's change of a person: `Decide` is called as `result<Answer>(draft&, const author&)`.
  template <class Answer, class Decide>
  result<Answer> change_person(use_case what, std::string_view applicant_id, const actor& who,
                               std::string_view idempotency_key, const payload_writer& payload, Decide&& decide);

  detail::answer_ids ids_of(const invited& a) const { return {a.interview.id, a.interview.link.generation, {}, {}}; }
  detail::answer_ids ids_of(const retaken& a) const {
    return {a.interview.id, a.interview.link.generation, a.archived.id, {}};
  }
  detail::answer_ids ids_of(const changed& a) const { return {a.interview.id, 0, {}, {}}; }
  detail::answer_ids ids_of(const person_changed&) const { return {}; }
  detail::answer_ids ids_of(const waiver_changed& a) const { return {.waiver = a.waiver.number}; }
  detail::answer_ids ids_of(const link_requested& a) const { return {a.interview, 0, {}, a.queued}; }
  template <class Answer>
  static void show(Answer& answer);
  result<void> rebuild(invited& a, const applicant_record& record, const detail::answer_ids& ids) const;
  result<void> rebuild(retaken& a, const applicant_record& record, const detail::answer_ids& ids) const;
  result<void> rebuild(changed& a, const applicant_record& record, const detail::answer_ids& ids) const;
  result<void> rebuild(person_changed& a, const applicant_record& record, const detail::answer_ids& ids) const;
  result<void> rebuild(waiver_changed& a, const applicant_record& record, const detail::answer_ids& ids) const;
  result<void> rebuild(link_requested& a, const applicant_record& record, const detail::answer_ids& ids) const;

  /// What start and resume share.
  result<sitting> sit_down(use_case what, event on, std::string_view token, std::string_view session_key);

  result<void> check_actor(use_case what, const actor& who) const;
  result<void> check_token_may(use_case what) const;
  result<retake_policy> policy_of(const std::optional<stored_policy>& stored) const;
  /// The policy before this one, in its own scope or else in the tenant's; nothing where there was none.
  result<std::optional<stored_policy>> policy_before(std::string_view tenant, const stored_policy& of) const;
  /// The policy that judges a further attempt at a track: the one in force, or, where that lets waits run on, an older.
  result<retake_policy> policy_for(const loaded& data, const applicant_record& record, std::string_view track,
                                   std::span<const attempt> attempts) const;
  /// The same, still unread.
  result<std::optional<stored_policy>> judging(std::optional<stored_policy> in_force, const applicant_record& record,
                                               std::string_view track, std::span<const attempt> attempts) const;
  result<token_claims> claims_behind(std::string_view token) const;
  std::string link_base_of(std::string_view tenant) const;

  struct link_plan {
    std::string kid;
    sys_seconds opens_at;
    sys_seconds start_by;
  };
  result<link_plan> plan_link(sys_seconds now, const std::optional<sys_seconds>& opens_at, seconds lifetime,
                              const std::optional<sys_seconds>& ends_by) const;
  static result<void> check_terms(const std::optional<sys_seconds>& opens_at, seconds lifetime,
                                  const std::vector<seconds>& reminders, const notify& n);
  static result<void> check_sitting(seconds time_limit, seconds grace, overtime o,
                                    const std::optional<sys_seconds>& ends_by);
  static result<void> check_person(const applicant& person, bool with_email);
  static void promise_link(draft& d, const interview& i, message_kind kind, std::uint64_t occasion, const notify& n,
                           const std::vector<seconds>& reminders, const author& who);
  /// An answer, and the numbers of the waivers that it needs.
  struct judgement {
    eligibility answer;
    std::vector<std::uint64_t> waivers{};
  };
  static judgement judge(const retake_policy& policy, const applicant_record& record, retake_question question);
  result<judgement> judge_retake(const loaded& data, const applicant_record& record, const interview& i,
                                 sys_seconds now) const;
  /// Adds to an answer what no policy can allow.
  static void judge_state(eligibility& e, const applicant_record& record, const interview& i);
  static void use_waivers(draft& d, const std::vector<std::uint64_t>& numbers, const author& who,
                          const interview_id& interview);
  result<waiver_changed> step_waiver(use_case what, std::string_view applicant_id, std::uint64_t number,
                                     const actor& who, const waiver_step_options& options);
  static error refusal_of(const eligibility& e, const applicant_record& record, const interview* i);
  result<audit_report> verify_record(const applicant_record& record) const;
  result<loaded> load_for(use_case what, const actor& who, std::variant<std::string_view, interview_id> subject) const;

  hirenow::store& store_;
  std::shared_ptr<shared_state> shared_;
  const key_ring& keys_;
  const retake_policy& policy_;
  const engine_options& options_;
  const hirenow::clock* clock_;
};

}  // namespace hirenow

#include "hirenow/detail/engine_core.hpp"
#include "hirenow/detail/engine_deciding.hpp"
#include "hirenow/detail/engine_inviting.hpp"
#include "hirenow/detail/engine_policies.hpp"
#include "hirenow/detail/engine_reading.hpp"
#include "hirenow/detail/engine_sitting.hpp"
#include "hirenow/detail/engine_waivers.hpp"
