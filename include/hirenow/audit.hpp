#pragma once
/// The audit: the append-only, hash-chained history of an applicant record.
///
/// Each entry's hash covers a canonical, length-prefixed encoding of every field and the hash before it (the linking of
/// RFC 6962 §2 reduced to one chain). People are named by a salted commitment, so that erasing a person leaves the
/// chain valid.
/// Threads: pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hirenow/crypto.hpp"
#include "hirenow/interview.hpp"

namespace hirenow {

/// One entry. A reader that finds two entries out of order, a gap, or a hash that does not fit has found a forgery.
struct audit_entry {
  std::uint64_t sequence = 0;  ///< 1, 2, 3, … within the record, without gaps
  sys_seconds at{};
  std::string actor{};  ///< "staff:<id>", "applicant" or "system"
  std::string event{};  ///< the lifecycle's word, or "record_fact", "update_applicant", "erase", …
  std::optional<interview_id> interview{};
  std::optional<interview_state> from{};
  std::optional<interview_state> to{};
  std::string details{};  ///< a JSON object without personal data; "{}" where there is nothing to say
  digest previous{};      ///< hash of the entry before, zeros for the first
  digest hash{};
  std::string note{};  ///< free-text reason: personal, kept apart, not hashed; details hold its commitment

  friend bool operator==(const audit_entry&, const audit_entry&) = default;
};

/// The salted commitment to a text: HMAC-SHA-256 under the record's salt (RFC 2104).
inline digest commitment(std::string_view salt, std::string_view text) { return hmac_sha256(salt, text); }

namespace detail {

inline void put_number(std::string& out, std::uint64_t n) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>((n >> shift) & 0xff));
}
inline void put_field(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text);
}
inline std::string_view bytes_of(const digest& d) { return {reinterpret_cast<const char*>(d.data()), d.size()}; }

inline std::string hex(const digest& d) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const auto byte : d) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

/// How the audit calls a waiver's step; `from` is nothing for a new one.
constexpr std::string_view waiver_event(std::optional<waiver_state> from, waiver_state to) {
  if (!from) return "grant_waiver";
  switch (to) {
    case waiver_state::granted: return "approve_waiver";
    case waiver_state::used: return "use_waiver";
    case waiver_state::lapsed: return "lapse_waiver";
    case waiver_state::revoked: return "revoke_waiver";
    case waiver_state::proposed: break;
  }
  return "unknown";
}

/// Whether the note is the one that the details commit to. Quotes inside a JSON string are escaped, so that the
/// member's name can stand in the text as a member only.
inline bool note_fits(std::string_view salt, const audit_entry& entry) {
  constexpr std::string_view member = "\"note\":\"";
  const auto at = entry.details.find(member);
  if (at == std::string::npos) return true;
  const auto committed = std::string_view(entry.details).substr(at + member.size());
  return !entry.note.empty() && committed.starts_with(hex(commitment(salt, entry.note)) + '"');
}

}  // namespace detail

/// The hash that an entry of this record must carry.
inline digest audit_hash(std::string_view tenant, const digest& subject, const audit_entry& entry) {
  std::string text;
  text.reserve(320 + entry.details.size());
  detail::put_field(text, "hirenow audit 1");
  detail::put_field(text, tenant);
  detail::put_field(text, detail::bytes_of(subject));
  detail::put_number(text, entry.sequence);
  detail::put_number(text, static_cast<std::uint64_t>(entry.at.time_since_epoch().count()));
  detail::put_field(text, entry.actor);
  detail::put_field(text, entry.event);
  detail::put_field(text, entry.interview ? std::string_view(reinterpret_cast<const char*>(entry.interview->data), 16)
                                          : std::string_view());
  detail::put_field(text, entry.from ? to_string(*entry.from) : std::string_view());
  detail::put_field(text, entry.to ? to_string(*entry.to) : std::string_view());
  detail::put_field(text, entry.details);
  detail::put_field(text, detail::bytes_of(entry.previous));
  return sha256(text);
}

/// Gives the entry its place at the end of the record's chain, and moves the record's head to it.
/// Returns the finished entry.
inline audit_entry append_audit(applicant_record& record, audit_entry entry) {
  entry.sequence = record.sequence + 1;
  entry.previous = record.audit_head;
  if (entry.details.empty()) entry.details = "{}";
  entry.hash = audit_hash(record.tenant, record.subject, entry);
  record.sequence = entry.sequence;
  record.audit_head = entry.hash;
  record.last_instant = entry.at;
  return entry;
}

/// Follows a chain piece by piece, so that a long one need not be held in memory.
class audit_verifier {
 public:
  explicit audit_verifier(const applicant_record& record) : record_(record) {}

  /// Takes the next entry.
  /// Errors: audit_broken, naming the sequence.
  result<void> take(const audit_entry& entry) {
    const auto broken = [&](std::string_view why) {
      return detail::fail(errc::audit_broken, "audit entry " + std::to_string(sequence_ + 1) + ": " + std::string(why));
    };
    if (entry.sequence != sequence_ + 1) return broken("missing or out of order");
    if (entry.previous != head_) return broken("does not follow the entry before it");
    if (entry.at < last_) return broken("is older than the entry before it");
    if (audit_hash(record_.tenant, record_.subject, entry) != entry.hash) return broken("was edited");
    if (!record_.salt.empty() && !detail::note_fits(record_.salt, entry)) return broken("has another note or lost it");
    sequence_ = entry.sequence;
    head_ = entry.hash;
    last_ = entry.at;
    return {};
  }

  /// Call after the last entry: the chain must end where the record says it ends.
  /// Errors: audit_broken.
  result<void> finish() const {
    if (sequence_ != record_.sequence || head_ != record_.audit_head)
      return detail::fail(errc::audit_broken, "the audit ends at entry " + std::to_string(sequence_) +
                                                  ", the record at " + std::to_string(record_.sequence));
    return {};
  }

 private:
  const applicant_record& record_;
  std::uint64_t sequence_ = 0;
  digest head_{};
  sys_seconds last_{min_instant};
};

/// The newest entry of one record, as a tenant's checkpoint holds it.
struct audit_head {
  std::string applicant_id;
  std::uint64_t sequence = 0;
  digest hash{};

  friend bool operator==(const audit_head&, const audit_head&) = default;
};

/// The Merkle tree hash of RFC 6962 §2.1 over the heads, in the order given (by applicant id).
/// Each leaf is the length-prefixed encoding of applicant id, sequence and hash.
inline digest merkle_root(std::span<const audit_head> heads) {
  if (heads.empty()) return sha256("");
  if (heads.size() == 1) {
    std::string leaf(1, '\0');
    detail::put_field(leaf, heads[0].applicant_id);
    detail::put_number(leaf, heads[0].sequence);
    detail::put_field(leaf, detail::bytes_of(heads[0].hash));
    return sha256(leaf);
  }
  std::size_t left = 1;
  while (left * 2 < heads.size()) left *= 2;
  std::string node(1, '\1');
  node.append(detail::bytes_of(merkle_root(heads.first(left))));
  node.append(detail::bytes_of(merkle_root(heads.subspan(left))));
  return sha256(node);
}

}  // namespace hirenow
