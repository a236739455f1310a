#pragma once
/// Errors: one numbered list, shared by C++, C and Python, and `result<T>`, which every call that can fail returns.
///
/// A number is never reused. 1000 to 1999 are left to users' own adapters.
/// Threads: plain values.

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

namespace hirenow {

/// What went wrong.
enum class errc : int {
  invalid_argument = 1,       ///< a value is malformed, out of range, not UTF-8, or holds a NUL
  too_large = 2,              ///< a value is longer than its documented limit
  not_found = 3,              ///< no such thing in this tenant
  permission_denied = 4,      ///< the actor's roles do not allow this
  invalid_transition = 5,     ///< the lifecycle has no such row; the message names state and event
  active_interview = 6,       ///< the track already has a current interview
  not_eligible = 7,           ///< the retake policy refuses; `reason` and `eligible_at` say why and until when
  superseded = 8,             ///< another interview took this one's place; see `superseded_by`
  archived = 9,               ///< an archived interview is never changed
  stale_session = 10,         ///< a newer session took over, or this one was closed
  already_started = 11,       ///< started under another session key: resume instead
  deadline_passed = 12,       ///< the time for this is over
  idempotency_mismatch = 13,  ///< the key was used before with another payload
  conflict = 14,              ///< the record changed under the call and kept changing
  retry_transaction = 15,     ///< the host's own transaction is stale; only the host can repeat it
  erased = 16,                ///< the person was erased
  limit_reached = 17,         ///< the record holds as many attempts as can be decided on
  no_transaction = 18,        ///< the host's connection has no transaction open that could be joined

  token_invalid = 30,               ///< not a link of ours; the precise reason is in `reason`, for logs only
  token_cancelled = 31,             ///< the interview was cancelled
  token_superseded_interview = 32,  ///< a newer interview took its place
  token_completed = 33,             ///< the interview is over
  token_superseded_link = 34,       ///< a newer link to the same interview was sent
  token_not_yet_valid = 35,         ///< the link opens later
  token_expired = 36,               ///< `now >= limit`

  key_invalid = 50,       ///< a key is too short, malformed or of another kind
  key_file_exposed = 51,  ///< others than its owner can read the key file
  no_signing_key = 52,    ///< the ring has no key that signs

  policy_invalid = 60,    ///< the policy document is refused; the message names the path of every fault
  template_invalid = 61,  ///< a message template cannot be used

  store_unavailable = 70,      ///< input or output failed
  store_busy = 71,             ///< somebody else held the lock too long
  store_full = 72,             ///< no room on the disk
  store_read_only = 73,        ///< the file or its folder cannot be written
  store_corrupt = 74,          ///< the database is damaged
  store_not_a_database = 75,   ///< the file is something else
  schema_too_new = 76,         ///< written by a newer hirenow
  schema_damaged = 77,         ///< tables, triggers or indexes of ours are missing or altered
  constraint_violated = 78,    ///< the database itself refused an unlawful change
  store_outcome_unknown = 79,  ///< the connection broke while a commit was under way: repeat the call, with the same
                               ///< idempotency key where it has one

  lease_lost = 80,  ///< reserved: no call of this version answers it; `store::settle` says whose lease was lost

  audit_broken = 90,  ///< the audit does not verify; the message names the first bad sequence

  internal = 100,           ///< a defect of ours, or of an adapter
  out_of_memory = 101,      ///< memory ran out; nothing was changed
  forked = 102,             ///< the call was made in the child of a fork, on what its parent opened
  operation_aborted = 103,  ///< an asynchronous call was cancelled before it began; nothing was done
  reentrant_call = 104,     ///< the engine was called from inside a callback of its own
};

namespace detail {
struct errc_name {
  errc code;
  std::string_view name;
};
inline constexpr std::array errc_names{
    errc_name{errc::invalid_argument, "invalid_argument"},
    errc_name{errc::too_large, "too_large"},
    errc_name{errc::not_found, "not_found"},
    errc_name{errc::permission_denied, "permission_denied"},
    errc_name{errc::invalid_transition, "invalid_transition"},
    errc_name{errc::active_interview, "active_interview"},
    errc_name{errc::not_eligible, "not_eligible"},
    errc_name{errc::superseded, "superseded"},
    errc_name{errc::archived, "archived"},
    errc_name{errc::stale_session, "stale_session"},
    errc_name{errc::already_started, "already_started"},
    errc_name{errc::deadline_passed, "deadline_passed"},
    errc_name{errc::idempotency_mismatch, "idempotency_mismatch"},
    errc_name{errc::conflict, "conflict"},
    errc_name{errc::retry_transaction, "retry_transaction"},
    errc_name{errc::erased, "erased"},
    errc_name{errc::limit_reached, "limit_reached"},
    errc_name{errc::no_transaction, "no_transaction"},
    errc_name{errc::token_invalid, "token_invalid"},
    errc_name{errc::token_cancelled, "token_cancelled"},
    errc_name{errc::token_superseded_interview, "token_superseded_interview"},
    errc_name{errc::token_completed, "token_completed"},
    errc_name{errc::token_superseded_link, "token_superseded_link"},
    errc_name{errc::token_not_yet_valid, "token_not_yet_valid"},
    errc_name{errc::token_expired, "token_expired"},
    errc_name{errc::key_invalid, "key_invalid"},
    errc_name{errc::key_file_exposed, "key_file_exposed"},
    errc_name{errc::no_signing_key, "no_signing_key"},
    errc_name{errc::policy_invalid, "policy_invalid"},
    errc_name{errc::template_invalid, "template_invalid"},
    errc_name{errc::store_unavailable, "store_unavailable"},
    errc_name{errc::store_busy, "store_busy"},
    errc_name{errc::store_full, "store_full"},
    errc_name{errc::store_read_only, "store_read_only"},
    errc_name{errc::store_corrupt, "store_corrupt"},
    errc_name{errc::store_not_a_database, "store_not_a_database"},
    errc_name{errc::schema_too_new, "schema_too_new"},
    errc_name{errc::schema_damaged, "schema_damaged"},
    errc_name{errc::constraint_violated, "constraint_violated"},
    errc_name{errc::store_outcome_unknown, "store_outcome_unknown"},
    errc_name{errc::lease_lost, "lease_lost"},
    errc_name{errc::audit_broken, "audit_broken"},
    errc_name{errc::internal, "internal"},
    errc_name{errc::out_of_memory, "out_of_memory"},
    errc_name{errc::forked, "forked"},
    errc_name{errc::operation_aborted, "operation_aborted"},
    errc_name{errc::reentrant_call, "reentrant_call"},
};
}  // namespace detail

/// The code's name, for example "not_found"; "unknown" for a number that is not in the list.
constexpr std::string_view to_string(errc code) {
  for (const auto& row : detail::errc_names)
    if (row.code == code) return row.name;
  return "unknown";
}

/// An error: its code, a sentence for a developer, and what a program may act on.
struct error {
  errc code = errc::internal;
  std::string message{};                                  ///< for logs and developers; never holds a secret
  std::string reason{};                                   ///< a finer code, for example "cooldown"; may be empty
  std::string superseded_by{};                            ///< with `superseded`: the interview that took over
  std::optional<std::chrono::sys_seconds> eligible_at{};  ///< with `not_eligible`: when it will be allowed

  friend bool operator==(const error&, const error&) = default;
};

/// A value or an error. `value()` throws `hirenow::exception` where there is an error.
template <class T>
using result = boost::system::result<T, error>;

/// Thrown by `result<T>::value()`, and by constructors that are given unusable options.
class exception : public std::runtime_error {
 public:
  /// Its `what()` is the code's name and the error's message.
  explicit exception(error e)
      : std::runtime_error(std::string(to_string(e.code)) + ": " + e.message), error_(std::move(e)) {}
  /// The error as it was returned.
  const error& details() const noexcept { return error_; }

 private:
  error error_;
};

/// Boost.System calls this from `result<T>::value()`.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw exception(e);
}

namespace detail {
// Cold: what leads here is compiled for size and stands out of the way.
[[gnu::cold]] inline error fail(errc code, std::string message, std::string reason = {}) {
  return error{.code = code, .message = std::move(message), .reason = std::move(reason)};
}
}  // namespace detail

}  // namespace hirenow
