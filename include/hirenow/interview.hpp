#pragma once
/// Plain data: ids, states, the interview, the applicant and the applicant record, which is the unit that is loaded,
/// decided on, and committed.
///
/// Threads: plain values.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "hirenow/clock.hpp"
#include "hirenow/error.hpp"

namespace hirenow {

/// An interview's id: a UUID, version 7 (RFC 9562 §5.7), so that ids sort by the time they were made.
using interview_id = boost::uuids::uuid;

/// The id as 36 characters.
using boost::uuids::to_string;

/// Reads an id of exactly 36 characters, lower case.
/// Errors: invalid_argument.
inline result<interview_id> parse_interview_id(std::string_view text) {
  interview_id id{};
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  bool good = text.size() == 36;
  for (std::size_t at = 0, byte = 0; good && at < 36;) {
    if (at == 8 || at == 13 || at == 18 || at == 23) {
      good = text[at++] == '-';
      continue;
    }
    const int high = digit(text[at]), low = digit(text[at + 1]);
    good = high >= 0 && low >= 0;
    id.data[byte++] = static_cast<std::uint8_t>(good ? high * 16 + low : 0);
    at += 2;
  }
  if (!good) return detail::fail(errc::invalid_argument, "interview id is not a UUID");
  return id;
}

/// 32 bytes of SHA-256 or HMAC-SHA-256.
using digest = std::array<std::uint8_t, 32>;

/// Where an interview stands. The numbers are stored, and never reused.
enum class interview_state : std::uint8_t {
  scheduled = 0,
  in_progress = 1,
  submitted = 2,
  passed = 3,
  failed = 4,
  on_hold = 5,
  expired = 6,
  cancelled = 7,
  voided = 8,
  archived = 9,
};
inline constexpr std::size_t interview_state_count = 10;

/// The state's word, for example "in_progress".
constexpr std::string_view to_string(interview_state s) {
  constexpr std::array<std::string_view, interview_state_count> words{
      "scheduled", "in_progress", "submitted", "passed", "failed",
      "on_hold",   "expired",     "cancelled", "voided", "archived"};
  const auto n = static_cast<std::size_t>(s);
  return n < words.size() ? words[n] : "unknown";
}

/// Current: the one interview of its track that counts now.
constexpr bool is_current(interview_state s) {
  return s != interview_state::archived && s != interview_state::cancelled && s != interview_state::voided;
}
/// Active: the applicant still has something to do.
constexpr bool is_active(interview_state s) {
  return s == interview_state::scheduled || s == interview_state::in_progress;
}

/// What came of an attempt; kept for ever once archived. The numbers are stored.
enum class outcome : std::uint8_t {
  pending = 0,
  passed = 1,
  failed = 2,
  on_hold = 3,
  no_show = 4,     ///< the link ran out before a start
  incomplete = 5,  ///< the deadline ran out after a start
  cancelled = 6,   ///< by the recruiter
  withdrawn = 7,   ///< by the applicant
  voided = 8,      ///< by a reviewer, for a technical failure
};
inline constexpr std::size_t outcome_count = 9;

/// The outcome's word, as policies write it; `voided` is "void".
constexpr std::string_view to_string(outcome o) {
  constexpr std::array<std::string_view, outcome_count> words{
      "pending", "passed", "failed", "on_hold", "no_show", "incomplete", "cancelled", "withdrawn", "void"};
  const auto n = static_cast<std::size_t>(o);
  return n < words.size() ? words[n] : "unknown";
}

/// What the clock does when the time for an answer has run out.
enum class overtime : std::uint8_t {
  expire = 0,  ///< the attempt is lost
  submit = 1,  ///< the last saved progress is submitted
};

/// A person, by the host's own id.
struct applicant {
  std::string id;           ///< the host's, at most 255 bytes
  std::string email;        ///< where messages go; read when a message is rendered
  std::string name{};       ///< as it is greeted; may be empty
  std::string locale{};     ///< BCP 47, for example "de-AT"; empty means the engine's default
  std::string time_zone{};  ///< IANA name, for example "Europe/Vienna"; empty means UTC

  friend bool operator==(const applicant&, const applicant&) = default;
};

/// The signed part of the current link's life: from these the same token is made again at any time.
struct link_stamp {
  std::uint32_t generation = 1;  ///< a reissue raises it
  std::string kid{};             ///< the key that signs this generation
  sys_seconds issued_at{};       ///< iat
  sys_seconds not_before{};      ///< nbf
  sys_seconds expires_at{};      ///< exp; the same instant as `start_by`

  friend bool operator==(const link_stamp&, const link_stamp&) = default;
};

/// What lengthens an attempt for a person who needs it, or makes up for time that was lost.
struct accommodation {
  std::uint32_t percent = 100;  ///< of the time limit: 150 is time and a half; 100 to 1,000
  seconds extra{0};             ///< added to that
  seconds pause{0};  ///< credit for pauses, added too; of this attempt alone, so a retake does not take it over

  friend bool operator==(const accommodation&, const accommodation&) = default;
};

/// One open sitting of an interview; a newer one fences the older off.
struct sitting_state {
  std::int64_t fence = 0;  ///< 0: none was ever opened
  bool open = false;
  digest key_hash{};  ///< SHA-256 of the session key

  friend bool operator==(const sitting_state&, const sitting_state&) = default;
};

/// One attempt at a track.
struct interview {
  interview_id id{};
  std::string track;
  std::uint32_t attempt = 1;  ///< 1 + earlier interviews of the track
  interview_state state = interview_state::scheduled;
  hirenow::outcome outcome = hirenow::outcome::pending;
  std::optional<double> score{};

  seconds time_limit{86400};  ///< from start to deadline
  seconds grace{0};           ///< after the deadline, for submit alone
  hirenow::overtime overtime = hirenow::overtime::expire;
  hirenow::accommodation accommodation{};
  std::optional<sys_seconds> ends_by{};  ///< the outer limit: no deadline lies behind it, whatever is added

  sys_seconds created_at{};
  sys_seconds start_by{};  ///< ends the link of an interview that was not started
  std::optional<sys_seconds> started_at{};
  std::optional<sys_seconds> deadline{};  ///< start + time limit and what is added to it; once started it alone decides
  std::optional<sys_seconds> submitted_at{};
  std::optional<sys_seconds> decided_at{};
  std::optional<sys_seconds> link_requested_at{};  ///< when the applicant last asked for a link
  sys_seconds changed_at{};                        ///< the last event

  link_stamp link{};
  sitting_state sitting{};  ///< to be trusted while in progress; a load may leave it empty afterwards
  std::optional<interview_id> retake_of{};
  std::optional<interview_id> superseded_by{};

  friend bool operator==(const interview&, const interview&) = default;
};

/// How a deadline comes about, term by term: `started_at + time_limit + by_percent + extra + pause`, cut at `ends_by`.
struct deadline_terms {
  sys_seconds started_at{};
  seconds time_limit{};
  seconds by_percent{};  ///< what the accommodation's percentage adds to the time limit, rounded down
  seconds extra{};
  seconds pause{};
  std::optional<sys_seconds> ends_by{};
  bool cut = false;        ///< the outer limit made it earlier
  sys_seconds deadline{};  ///< after it only a submission is accepted
  seconds grace{};
  sys_seconds last_submit{};  ///< `deadline + grace`: from then on nothing is accepted
};

/// The deadline of an attempt that begins at an instant, and how it comes about.
inline deadline_terms deadline_breakdown(const interview& i, sys_seconds started_at) {
  deadline_terms t{.started_at = started_at,
                   .time_limit = i.time_limit,
                   .by_percent = i.time_limit * (static_cast<std::int64_t>(i.accommodation.percent) - 100) / 100,
                   .extra = i.accommodation.extra,
                   .pause = i.accommodation.pause,
                   .ends_by = i.ends_by,
                   .grace = i.grace};
  t.deadline = started_at + t.time_limit + t.by_percent + t.extra + t.pause;
  t.cut = i.ends_by && *i.ends_by < t.deadline;
  if (t.cut) t.deadline = *i.ends_by;
  t.last_submit = t.deadline + t.grace;
  return t;
}

/// The instant at which the clock acts on an open interview if nobody else does; nothing for one that is not open.
/// Expired means `now >= limit`.
inline std::optional<sys_seconds> clock_limit(const interview& i) {
  if (i.state == interview_state::scheduled) return i.start_by;
  if (i.state == interview_state::in_progress && i.deadline) return *i.deadline + i.grace;
  return std::nullopt;
}

/// Where an interview stands in a list: the clock's limit for an open one, else its last change. An interview that the
/// clock has ended keeps its place, because the clock's work is recorded at the limit.
inline sys_seconds sort_instant(const interview& i) { return clock_limit(i).value_or(i.changed_at); }

/// What a policy may ask about and hirenow does not make. The numbers are stored.
enum class fact_kind : std::uint8_t {
  event = 0,       ///< something happened outside, for example "training_completed"
  period = 1,      ///< from `at` to `until`
  credential = 2,  ///< held from `at`, expires at `until`
  purchase = 3,
  attribute = 4,  ///< of the applicant, or of the track where one is named
  score = 5,
};
inline constexpr std::size_t fact_kind_count = 6;

/// The kind's word.
constexpr std::string_view to_string(fact_kind k) {
  constexpr std::array<std::string_view, fact_kind_count> words{"event",    "period",    "credential",
                                                                "purchase", "attribute", "score"};
  const auto n = static_cast<std::size_t>(k);
  return n < words.size() ? words[n] : "unknown";
}

/// A fact of an applicant, dated, audited, erasable.
struct fact {
  fact_kind kind = fact_kind::event;
  std::string name;     ///< the host's word for it
  std::string track{};  ///< empty: of the applicant as a whole
  sys_seconds at{};
  std::optional<sys_seconds> until{};
  std::string value{};         ///< free, at most 2 KiB
  std::uint64_t sequence = 0;  ///< of the audit entry that recorded it; set by the engine

  friend bool operator==(const fact&, const fact&) = default;
};

/// Where a waiver stands. The numbers are stored.
enum class waiver_state : std::uint8_t {
  proposed = 0,  ///< waits for a second person's approval
  granted = 1,   ///< may be used
  used = 2,      ///< one further attempt was allowed by it
  lapsed = 3,    ///< the clock ended it
  revoked = 4,
};
inline constexpr std::size_t waiver_state_count = 5;

/// The state's word.
constexpr std::string_view to_string(waiver_state s) {
  constexpr std::array<std::string_view, waiver_state_count> words{"proposed", "granted", "used", "lapsed", "revoked"};
  const auto n = static_cast<std::size_t>(s);
  return n < words.size() ? words[n] : "unknown";
}
/// Open: something can still come of it.
constexpr bool is_open(waiver_state s) { return s == waiver_state::proposed || s == waiver_state::granted; }
/// Whether a waiver may go from one state to another.
constexpr bool is_lawful_step(waiver_state from, waiver_state to) {
  if (from == waiver_state::proposed && to == waiver_state::granted) return true;
  if (from == waiver_state::granted && to == waiver_state::used) return true;
  return is_open(from) && (to == waiver_state::lapsed || to == waiver_state::revoked);
}

/// An exception to one rule of the retake policy, for one applicant at one track. It is used once, and it expires; at
/// most one for a rule and a track is open.
struct waiver {
  std::uint64_t number = 0;  ///< of the audit entry that recorded it: its name within the record
  std::string track;
  std::string rule_id;
  std::string reason_code;  ///< the host's word, for example "visa_delay"
  std::string floor{};      ///< of a wait or a lock-out: the part that stays, as a policy writes a span; empty: none
  waiver_state state = waiver_state::granted;
  std::string granted_by;                  ///< an actor's id
  std::string approved_by{};               ///< another actor's, where the policy wants a second one
  sys_seconds granted_at{};                ///< when it was recorded, granted or proposed
  sys_seconds expires_at{};                ///< expired means `now >= expires_at`
  std::optional<interview_id> used_for{};  ///< the interview that it allowed

  friend bool operator==(const waiver&, const waiver&) = default;
};

/// The applicant with all interviews and one version.
struct applicant_record {
  std::string tenant;
  applicant person;  ///< once erased, only the id is left
  bool erased = false;
  std::uint64_t version = 0;            ///< 0: not stored yet; each commit adds one
  digest subject{};                     ///< the salted commitment by which the audit names the person
  std::string salt{};                   ///< 16 bytes; empty once erased
  std::uint64_t sequence = 0;           ///< of the newest audit entry
  digest audit_head{};                  ///< hash of the newest audit entry
  sys_seconds last_instant{};           ///< of the newest audit entry: time never runs backwards behind it
  std::vector<interview> interviews{};  ///< by creation
  std::vector<fact> facts{};            ///< by sequence
  std::vector<waiver> waivers{};        ///< by number

  friend bool operator==(const applicant_record&, const applicant_record&) = default;
};

/// The interview with this id, or nullptr. Borrows from the record.
inline const interview* find_interview(const applicant_record& record, const interview_id& id) {
  for (const auto& i : record.interviews)
    if (i.id == id) return &i;
  return nullptr;
}
/// The current interview of a track, or nullptr. Borrows from the record.
inline const interview* current_interview(const applicant_record& record, std::string_view track) {
  for (const auto& i : record.interviews)
    if (i.track == track && is_current(i.state)) return &i;
  return nullptr;
}
/// The waiver of this number, or nullptr. Borrows from the record.
inline const waiver* find_waiver(const applicant_record& record, std::uint64_t number) {
  for (const auto& w : record.waivers)
    if (w.number == number) return &w;
  return nullptr;
}
/// The newest interview of a track, in whatever state, or nullptr. Borrows from the record.
inline const interview* newest_interview(const applicant_record& record, std::string_view track) {
  const interview* newest = nullptr;
  for (const auto& i : record.interviews)
    if (i.track == track && (!newest || i.attempt > newest->attempt)) newest = &i;
  return newest;
}

}  // namespace hirenow
