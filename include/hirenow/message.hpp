#pragma once
/// Messages: promised by committed changes, kept in the outbox, sent by the dispatcher.
///
/// A message is a row (interview, kind, occasion). The occasion is the sequence of the audit entry that promised it,
/// so one intent is one row, and the Message-ID (RFC 5322 §3.6.4) is made of the three.
/// Threads: plain values.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "hirenow/interview.hpp"

namespace hirenow {

/// What a message is about. The numbers are stored.
enum class message_kind : std::uint8_t {
  invitation = 0,
  retake_invitation = 1,
  reissued_link = 2,
  reminder = 3,
  decision_passed = 4,
  decision_failed = 5,
  decision_on_hold = 6,
  cancelled = 7,
};
inline constexpr std::size_t message_kind_count = 8;

/// The kind's word; templates are named by it.
constexpr std::string_view to_string(message_kind k) {
  constexpr std::array<std::string_view, message_kind_count> words{
      "invitation",      "retake_invitation", "reissued_link",    "reminder",
      "decision_passed", "decision_failed",   "decision_on_hold", "cancelled"};
  const auto n = static_cast<std::size_t>(k);
  return n < words.size() ? words[n] : "unknown";
}

/// True where this version knows the kind; one of a newer version's is left to nodes that do.
constexpr bool is_known(message_kind k) { return static_cast<std::size_t>(k) < message_kind_count; }

/// True where the message carries a link, and so must never be sent once that link is dead.
constexpr bool carries_link(message_kind k) {
  return k == message_kind::invitation || k == message_kind::retake_invitation || k == message_kind::reissued_link ||
         k == message_kind::reminder;
}

/// Where a message stands. The numbers are stored.
enum class message_state : std::uint8_t {
  queued = 0,     ///< waiting for `due_at`
  leased = 1,     ///< a worker is at it
  accepted = 2,   ///< the mail server took it
  withdrawn = 3,  ///< a later change made it senseless, or somebody dropped it when it was dead
  dead = 4,       ///< refused for good, or tried too often; may be redriven or dropped
};
inline constexpr std::size_t message_state_count = 5;

/// The state's word.
constexpr std::string_view to_string(message_state s) {
  constexpr std::array<std::string_view, message_state_count> words{"queued", "leased", "accepted", "withdrawn",
                                                                    "dead"};
  const auto n = static_cast<std::size_t>(s);
  return n < words.size() ? words[n] : "unknown";
}

/// What names a message.
struct message_key {
  interview_id interview{};
  message_kind kind = message_kind::invitation;
  std::uint64_t occasion = 0;  ///< sequence of the audit entry that promised it

  friend bool operator==(const message_key&, const message_key&) = default;
  friend bool operator<(const message_key& a, const message_key& b) {
    return std::tie(a.interview, a.kind, a.occasion) < std::tie(b.interview, b.kind, b.occasion);
  }
};

/// A row of the outbox.
struct message {
  message_key key{};
  std::uint32_t generation = 1;  ///< of the link it is to carry
  sys_seconds created_at{};
  sys_seconds due_at{};  ///< not sent before; moved by each temporary failure
  message_state state = message_state::queued;
  std::uint32_t tries = 0;    ///< deliveries tried so far
  std::string last_answer{};  ///< what the server said last; at most 500 bytes are kept

  friend bool operator==(const message&, const message&) = default;
};

/// The part of a server's answer that is kept: its first 500 bytes, ending between two UTF-8 characters.
constexpr std::string_view kept_answer(std::string_view answer) {
  std::size_t end = 500;
  if (answer.size() <= end) return answer;
  while (end > 0 && (static_cast<unsigned char>(answer[end]) & 0xc0) == 0x80) --end;
  return answer.substr(0, end);
}

/// The Message-ID without its brackets: interview, kind and occasion at the sender's domain.
inline std::string message_id(const message_key& key, std::string_view domain) {
  return to_string(key.interview) + "." + std::string(to_string(key.kind)) + "." + std::to_string(key.occasion) + "@" +
         std::string(domain);
}

}  // namespace hirenow
