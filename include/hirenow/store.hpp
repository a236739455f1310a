#pragma once
/// Where records live: the interface that a store implements. `testing/check_store.hpp` checks that it keeps it.
///
/// A store holds rows and compares one version; it decides nothing. It never sees a secret: tokens are not stored, and
/// session keys arrive hashed. Callers check what they hand in (limits.hpp): a store may rely on lengths, on UTF-8 and
/// on pages of at least one row. Texts are compared byte by byte and come back byte by byte; salt and progress are any
/// bytes.
/// Threads: Must serve any thread, all calls at once.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hirenow/audit.hpp"
#include "hirenow/interview.hpp"
#include "hirenow/message.hpp"

namespace hirenow {

/// What becomes of waits that run when a policy takes another's place. The numbers are stored.
enum class running_waits : std::uint8_t {
  replace = 0,  ///< everybody is judged by the new policy
  keep = 1,     ///< whose newest attempt at the track is older stays with the policy before, up to the next attempt
};
inline constexpr std::size_t running_waits_count = 2;

/// The word: "replace" or "keep".
constexpr std::string_view to_string(running_waits r) {
  return r == running_waits::replace ? "replace" : r == running_waits::keep ? "keep" : "unknown";
}

/// A retake policy as it stands in the store. An empty track is the tenant's own policy. Nothing that was set is ever
/// changed or deleted: a later row takes the place of an earlier one. It is set in a commit of the tenant's own record,
/// whose audit tells of it: that record's applicant id is empty, which no applicant's is, and it has nothing but an
/// audit.
struct stored_policy {
  std::string track{};
  std::string document;  ///< JSON; empty: from then on there is none
  digest hash{};         ///< SHA-256 of the document
  std::string set_by{};
  sys_seconds set_at{};
  sys_seconds active_from{};  ///< in force from this instant on
  hirenow::running_waits running_waits = hirenow::running_waits::replace;
  std::uint64_t number = 0;  ///< 1, 2, 3, … among the tenant's own, or among the track's; given by the store

  friend bool operator==(const stored_policy&, const stored_policy&) = default;
};

/// A place among the policies of one tenant or track. The one in force is the last by instant, then by number, of those
/// whose instant has come.
struct policy_place {
  sys_seconds active_from{};
  std::uint64_t number = 0;

  friend bool operator==(const policy_place&, const policy_place&) = default;
  friend auto operator<=>(const policy_place&, const policy_place&) = default;
};

/// Which policies to show: the tenant's own, or those of one track.
struct policy_query {
  std::string_view tenant{};
  std::string_view track{};              ///< empty: the tenant's own
  std::optional<policy_place> before{};  ///< only those before this place; nothing: from the last one on
  std::size_t limit = 50;
};

/// What an idempotency key is looked up by: SHA-256 over operation and key, cut to 16 bytes. Scoped by tenant.
using answer_key = std::array<std::uint8_t, 16>;

/// The answer to a committed call, kept for its idempotency key.
struct stored_answer {
  answer_key key{};
  digest payload{};    ///< SHA-256 of what was asked
  std::string answer;  ///< ids only, never a token
  sys_seconds expires_at{};

  friend bool operator==(const stored_answer&, const stored_answer&) = default;
};

/// Saved progress of an interview: the bytes of the newest checkpoint.
struct progress {
  std::string bytes{};
  sys_seconds saved_at{};

  friend bool operator==(const progress&, const progress&) = default;
};

/// What to load: one applicant record, by the host's id or by one of its interviews, and what a decision on it needs.
/// Where neither a track nor a known interview is named, the policy is the tenant's own.
struct load_request {
  std::string_view tenant;
  std::variant<std::string_view, interview_id> who;  ///< applicant id, or interview id
  std::string_view track{};                          ///< whose policy is wanted; empty: that of the interview
  bool with_rules = true;        ///< bring what a retake is judged by, policy and facts; else they may be left out
  sys_seconds at = max_instant;  ///< bring the policy that is in force at this instant
  std::optional<answer_key> answer{};  ///< look this answer up as well
  bool with_sitting = false;           ///< bring the sitting of the interview that is named as well, even if it is over
  bool with_progress = false;          ///< bring the progress of the interview that is named as well
  bool with_others = true;             ///< bring all interviews and waivers; else what is not named may be left out
};

/// An interview of a tenant's.
struct interview_reference {
  std::string_view tenant;
  interview_id interview{};
};

/// One consistent snapshot. Interviews come by `created_at`, those of one track by attempt. Sittings must come of
/// interviews in progress and where one was asked for; those of others may be left empty, because nobody will ask.
struct loaded {
  applicant_record record{};              ///< version 0 where there is none
  std::optional<stored_policy> policy{};  ///< in force of (tenant, track), else of the tenant, else nothing
  std::optional<stored_answer> answer{};  ///< even one that has expired and was not pruned yet
  std::optional<hirenow::progress> progress{};
};

/// An interview as it is to be after one step. An interview that takes several steps in one commit (the clock's, then
/// the caller's) has a change for each. Id, track, attempt and `created_at` never change.
struct interview_change {
  interview after;
  std::optional<interview_state> before{};  ///< its state in the store; nothing for a new one
  bool sitting_changed = false;             ///< `after.sitting` is to be written too; else the stored one stays
};

/// A waiver as it is to be after one step. Only state, `approved_by` and `used_for` ever change.
struct waiver_change {
  waiver after;
  std::optional<waiver_state> before{};  ///< its state in the store; nothing for a new one
};

/// Unsent messages of an interview (queued or leased) that a change makes senseless.
struct withdrawal {
  interview_id interview{};
  std::uint16_t kinds = 0xffff;  ///< bit n: the kind with number n
};

/// Everything that one commit writes, all of it or none of it. Interviews and audit entries are written in their
/// order, each lawful where it stands; an erasure is done last, so it takes the notes of its own commit with it. Only
/// the answer is written after it.
struct change_set {
  std::string tenant;
  std::string applicant_id;
  std::uint64_t expected_version = 0;  ///< 0: the record must not exist yet
  applicant_record head{};             ///< version, sequence, audit_head, subject, salt and last_instant as they
                                       ///< are to be; its `erased`, interviews, facts and waivers are not looked at
  bool write_person = false;           ///< `head.person` is new or changed
  std::vector<interview_change> interviews{};  ///< in order; one interview may take several lawful steps in turn
  std::vector<fact> facts{};
  std::vector<waiver_change> waivers{};   ///< in order; one waiver may take several lawful steps in turn
  std::vector<stored_policy> policies{};  ///< added, each under the next number of its tenant or track; theirs are not
                                          ///< looked at. They come with the tenant's own record
  std::vector<audit_entry> audit{};       ///< finished entries, in order; a note goes to a row of its own
  std::vector<withdrawal> withdrawals{};  ///< done before `messages`
  std::vector<message> messages{};
  std::vector<message_key> redrives{};  ///< dead messages that are queued again, due at `head.last_instant`, with no
                                        ///< tries; what the server said stays
  std::vector<message_key> drops{};     ///< dead messages that are given up: withdrawn from now on
  std::optional<std::pair<interview_id, progress>> final_progress{};  ///< written with a submit
  std::optional<stored_answer> answer{};  ///< belongs to the record; takes the place of an expired one of its key
  bool erase = false;                     ///< delete personal rows: person, salt, facts, notes, progress, the
                                          ///< record's stored answers, and what servers said about its messages
                                          ///< (it may quote the address); `erased` from now on
};

/// Progress to be saved under an open session.
struct checkpoint_request {
  std::string_view tenant;
  interview_id interview{};
  std::int64_t fence = 0;
  digest key_hash{};
  sys_seconds at{};
  std::string_view bytes;
};

/// Which interviews a list shows.
struct list_request {
  std::string_view tenant;
  sys_seconds at{};                        ///< the list shows what a sweep at this instant would make true
  std::optional<interview_state> state{};  ///< only these
  std::string_view track{};                ///< only this one; empty: all
  std::string_view applicant_id{};         ///< only this person's; empty: all; counts are not narrowed by it
  std::string_view cursor{};               ///< `next` of the page before; empty: from the start
  std::size_t limit = 50;
  bool with_counts = true;  ///< counts by state of the tenant, or of the track where one is named
};

/// A row of a list.
struct list_row {
  std::string applicant_id;
  std::string applicant_name{};
  std::string applicant_email{};
  hirenow::interview interview;  ///< as it will be after the sweep; `sitting` is left empty
};

/// A page of a list: newest `sort_instant` first; rows of one instant stand in an order of the store's own, the same in
/// every call. A cursor marks a place in that order, not a row: what lies behind it is shown once, whatever is added,
/// changed or moved before it.
struct list_page {
  std::vector<list_row> rows{};
  std::string next{};                                                        ///< empty on the last page
  std::optional<std::array<std::uint64_t, interview_state_count>> counts{};  ///< from the same snapshot as the rows
};

/// A record on which the clock has something to do, and the earliest limit that has passed.
struct due_record {
  std::string tenant;
  std::string applicant_id;
  sys_seconds limit{};

  friend bool operator==(const due_record&, const due_record&) = default;
};

/// A page of due records, earliest limit first; those of one instant in an order of the store's own.
struct due_page {
  std::vector<due_record> rows{};
  std::string next{};  ///< empty on the last page
};

/// A lease token: whoever claims brings a fresh random one, and every later write must present it.
using lease_token = std::array<std::uint8_t, 16>;

/// Asks for messages to send.
struct claim_request {
  sys_seconds now{};
  seconds lease{30};
  std::size_t limit = 1;
  lease_token token{};
};

/// Asks whether mail may leave under a limit.
struct allowance_request {
  sys_seconds now{};
  std::string_view tenant{};     ///< whose mail the limit is about; empty: all mail
  std::uint32_t per_minute = 1;  ///< the limit; at least 1
  std::size_t wanted = 1;        ///< how many would leave
  std::size_t returned = 0;      ///< how many of those granted before did not, and need not have been counted
};

/// How many mails may leave.
struct allowance {
  std::size_t granted = 0;
  seconds wait{0};  ///< until one more may

  friend bool operator==(const allowance&, const allowance&) = default;
};

/// A message that a worker now holds.
struct claimed_message {
  std::string tenant;
  std::string applicant_id;
  message mail;
};

/// What a worker writes about a message it holds. It holds it while nobody else has claimed, settled or withdrawn it: a
/// lease that has run out but was not taken is still its own. `accepted`, `retry` and `dead` count one try more.
struct settlement {
  /// What became of the message.
  enum class verdict : std::uint8_t {
    accepted,
    withdrawn,  ///< the last check found it senseless
    retry,      ///< temporary: due again at `at`, one try more
    dead,
    renew,    ///< the lease lasts until `at`
    release,  ///< given back untried, due at `at`
  };
  message_key key{};
  std::string_view tenant;
  lease_token token{};
  verdict what = verdict::accepted;
  sys_seconds at{};
  std::string_view answer{};  ///< what the server said; kept as `kept_answer()` cuts it; empty: the older stays
};

/// How an outbox stands, all tenants together. Messages of kinds that this version does not know are not counted.
struct outbox_figures {
  std::uint64_t queued = 0;  ///< waiting, those that are due among them
  std::uint64_t due = 0;     ///< waiting although `now >= due_at`
  std::uint64_t leased = 0;  ///< a worker is at them, or was
  std::uint64_t lapsed = 0;  ///< of these: their lease has run out, as a dead worker leaves them
  std::uint64_t dead = 0;
  std::optional<sys_seconds> oldest_due{};  ///< since when the one that is due longest has been due

  friend bool operator==(const outbox_figures&, const outbox_figures&) = default;
};

/// Which messages to show.
struct message_query {
  std::string_view tenant{};
  std::optional<interview_id> interview{};
  std::optional<message_state> state{};
  std::optional<message_key> after{};  ///< the last of the page before
  std::size_t limit = 50;
};

/// A store. Errors of every call: store_unavailable, store_busy, store_full, store_read_only, store_corrupt,
/// out_of_memory; beside those that are named.
class store {
 public:
  virtual ~store() = default;

  /// Loads one record and what a decision on it needs, in one snapshot. Must answer with version 0 where the tenant has
  /// no such applicant or interview; must find an answer even then.
  virtual result<loaded> load(const load_request& request) = 0;

  /// Loads the records of several interviews, each as `load` would with nothing but what is named: the dispatcher looks
  /// at messages through this before it sends them. The records may come from snapshots of their own. May be left out:
  /// then each is loaded by itself.
  virtual result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) {
    std::vector<applicant_record> out;
    for (const auto& one : wanted) {
      auto found = load({.tenant = one.tenant, .who = one.interview, .with_rules = false, .with_others = false});
      if (!found) return found.error();
      out.push_back(std::move(found->record));
    }
    return out;
  }

  /// Writes a change set, all of it or none. Must compare the version, and must refuse with `conflict` where it
  /// differs, or where the tenant has an answer under the same key that has not expired at `head.last_instant`: another
  /// call was faster, and loading again finds its answer. Must be durable when it returns.
  /// Must refuse with `constraint_violated`: a step that no row of the lifecycle allows, an archived interview above
  /// all; a `before` that is not the state in the store; a new interview that is not scheduled, or whose id is taken by
  /// any tenant; a second current interview on a track; an audit entry that is not the next one or does not hold the
  /// hash of the one before, and a head that is not the last of them; a change, message or progress of an interview
  /// that is not of this record; a message whose key is taken; a redrive or a drop of a message that is not dead; a new
  /// waiver that is neither proposed nor granted, whose number is taken, or beside an open one of the same track and
  /// rule; an unlawful step of a waiver, a `before` that is not its state, or another value where none may change. A
  /// withdrawal that meets no unsent message of this record does nothing. Whether an entry's hash is right is not for
  /// the store to say.
  /// Errors: conflict, constraint_violated.
  virtual result<void> commit(const change_set& changes) = 0;

  /// Saves progress where fence, key hash, an open session and `at < deadline` all hold. Moves no version.
  /// Returns false where one of them does not hold.
  virtual result<bool> save_progress(const checkpoint_request& request) = 0;

  /// A page of interviews, with counts from the same snapshot.
  /// Errors: invalid_argument for a cursor that is none.
  virtual result<list_page> list(const list_request& request) = 0;

  /// Records on which the clock has something to do at `at`, of all tenants: an interview's limit has passed, or an
  /// open waiver's `expires_at`. One row a record, with the earliest.
  /// Errors: invalid_argument for a cursor that is none.
  virtual result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) = 0;

  /// Takes due messages, and those whose lease has run out (`now >= its end`), under a new lease until `now + lease`;
  /// of each tenant the earliest due or run out first. Where it cannot take all, it Must share: of n tenants with such
  /// messages each gets limit / n places, or as many as it can fill; May give the rest to any of them, and of very many
  /// tenants May look at a thousand, others each time.
  /// Must give a message to one claimer only, and must have committed before it returns.
  /// Must leave messages of kinds that it does not know to newer nodes, here and in `next_due`.
  virtual result<std::vector<claimed_message>> claim(const claim_request& request) = 0;

  /// Writes what workers found, in one commit.
  /// Returns for each whether the lease was still theirs; where it was not, nothing was written for it. A dispatcher
  /// begins with none, which only a store in a host's transaction refuses.
  virtual result<std::vector<bool>> settle(std::span<const settlement> settlements) = 0;

  /// Counts mail that is to leave, so that all who send for this store keep to one limit together: `per_minute`, spread
  /// evenly, and after a rest no more at once than make up a second of it, or one. Each limit is counted for itself. Of
  /// requests under one limit in a call each sees what those before it took. Must have committed before it returns. May
  /// be left out: then it answers nothing, and each dispatcher counts for itself.
  /// Returns an answer to each request.
  virtual result<std::vector<allowance>> allow(std::span<const allowance_request> /*requests*/) {
    return std::vector<allowance>{};
  }

  /// The instant at which the next message will be due or a lease will run out; nothing where the outbox is empty.
  /// Where one is due by a clock of the store's own, it May say any instant that has passed.
  virtual result<std::optional<sys_seconds>> next_due() = 0;

  /// How the outbox stands, in one snapshot, for whoever watches it, told by the caller's clock. It may take as long as the outbox is, but must
  /// keep nobody from writing. May be left out: then it answers nothing.
  virtual result<std::optional<outbox_figures>> outbox(sys_seconds /*now*/) { return std::optional<outbox_figures>{}; }

  /// Messages of a tenant, by key. `due_at` says something about queued ones only.
  virtual result<std::vector<message>> messages(const message_query& query) = 0;

  /// Entries of a record's audit after `after`, in order, with their notes. Empty where there is no such record.
  virtual result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                                      std::uint64_t after, std::size_t limit) = 0;

  /// Heads of a tenant's records after `after`, by applicant id, byte by byte; so the tenant's own is never among them.
  virtual result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                                      std::size_t limit) = 0;

  /// Policies of a tenant or of one of its tracks, the last place first; those that are not in force yet among them.
  virtual result<std::vector<stored_policy>> policies(const policy_query& query) = 0;

  /// Deletes stored answers that have expired (`now >= expires_at`); at most `limit`. Returns how many.
  virtual result<std::size_t> prune(sys_seconds now, std::size_t limit) = 0;
};

}  // namespace hirenow
