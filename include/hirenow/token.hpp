#pragma once
/// Tokens: the signed link to one interview and one generation of it. A JWT (RFC 7519) in JWS compact form (RFC 7515
/// §7.1), held to the strict reading of RFC 8725: algorithm fixed by the key, an explicit type, canonical encoding, no
/// member twice.
///
/// Signatures are deterministic, so a token is not stored: the same claims and key give the same token again.
/// Whether a token is genuine (`verify_token`) and what its link is worth now (`judge_link`) are two questions.
/// Threads: pure functions; a ring may be reloaded meanwhile.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "hirenow/detail/base64url.hpp"
#include "hirenow/detail/claims_reader.hpp"
#include "hirenow/interview.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/signing_key.hpp"

namespace hirenow {

/// What a token says. `jti` is not kept: it is always the interview's id, a dot, and the generation.
struct token_claims {
  std::string issuer, audience;  ///< iss, aud: at most 255 bytes each
  std::string subject;           ///< sub: the applicant's id
  std::string tenant;
  interview_id interview{};  ///< interview_id
  std::uint32_t generation = 1, attempt = 1;
  sys_seconds issued_at{}, not_before{}, expires_at{};  ///< iat, nbf, exp

  friend bool operator==(const token_claims&, const token_claims&) = default;
};

/// For whom a token must have been made.
struct token_expectation {
  std::string issuer;
  std::string audience;
};

/// How far the clocks of two nodes may differ: applied to nbf and iat, never to a limit.
inline constexpr seconds token_leeway{60};

namespace detail {

/// True where every byte is a printable ASCII character that JSON writes as itself: most ids are, and need no more.
/// Looks at eight bytes at a time: `zero` sets the highest bit of a byte that is zero, `word - 0x20…` that of a byte
/// below 0x20; a borrow can mark a byte too many, but only above one that is rightly marked.
inline bool is_plain(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = ones * 0x80;
  const auto zero = [](std::uint64_t word) { return (word - ones) & ~word; };
  std::uint64_t marks = 0;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word = ones * ' ';
    std::memcpy(&word, text.data() + at, std::min(text.size() - at, sizeof word));
    marks |= word | ((word - ones * 0x20) & ~word) | zero(word ^ ones * 0x7f) | zero(word ^ ones * '"') |
             zero(word ^ ones * '\\');
  }
  return (marks & tops) == 0;
}

/// True where the text is one that `limits::check_id` accepts.
inline bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= limits::id && (is_plain(text) || limits::check_id("", text));
}

/// Writes claims as JSON, and checks them on the way.
class claims_writer {
 public:
  /// Errors: too_large, invalid_argument.
  result<void> write(const token_claims& c) {
    std::array<char, 36> id{};
    boost::uuids::to_chars(c.interview, id.data());
    const std::string_view id_text(id.data(), id.size());
    put("{\"iss\":\"");
    put_text("issuer", c.issuer);
    put("\",\"aud\":\"");
    put_text("audience", c.audience);
    put("\",\"sub\":\"");
    put_text("subject", c.subject);
    put("\",\"tenant\":\"");
    put_text("tenant", c.tenant);
    put("\",\"interview_id\":\"");
    put(id_text);
    put("\",\"generation\":");
    put_count("generation", c.generation);
    put(",\"attempt\":");
    put_count("attempt", c.attempt);
    put(",\"iat\":");
    put_instant("issued_at", c.issued_at);
    put(",\"nbf\":");
    put_instant("not_before", c.not_before);
    put(",\"exp\":");
    put_instant("expires_at", c.expires_at);
    put(",\"jti\":\"");
    put(id_text);
    put(".");
    put_number(c.generation);
    put("\"}");
    return std::move(checked_);
  }
  std::string_view text() const { return {text_.data(), static_cast<std::size_t>(end_ - text_.data())}; }

 private:
  void put(std::string_view part) {
    std::memcpy(end_, part.data(), part.size());
    end_ += part.size();
  }
  void put_text(std::string_view what, std::string_view text) {
    const bool plain = is_plain(text);
    if (!check(text.empty() || text.size() > limits::id || !plain, [&] { return limits::check_id(what, text); }))
      return;
    if (plain) return put(text);
    for (const char c : text) {
      if (c == '"' || c == '\\') *end_++ = '\\';
      *end_++ = c;
    }
  }
  void put_count(std::string_view what, std::uint32_t n) {
    check(n == 0, [&] { return result<void>(fail(errc::invalid_argument, std::string(what) + " counts from 1")); });
    put_number(n);
  }
  void put_instant(std::string_view what, sys_seconds at) {
    check(at < min_instant || at > max_instant, [&] { return limits::check_instant(what, at); });
    put_number(at.time_since_epoch().count());
  }
  template <class Number>
  void put_number(Number n) {
    end_ = std::to_chars(end_, text_.data() + text_.size(), n).ptr;
  }
  /// Makes the check where it may fail, and keeps the first fault. Returns whether there was none.
  template <class Check>
  bool check(bool needed, Check&& make) {
    if (!needed) return true;
    auto made = make();
    const bool good = made.has_value();
    if (!good && checked_) checked_ = std::move(made);
    return good;
  }

  // Four texts at their longest, each byte escaped, and some 350 bytes beside them. Not zeroed: `end_` says how much of
  // it was written.
  std::array<char, 4 * 2 * limits::id + 512> text_;
  char* end_ = text_.data();
  result<void> checked_{};
};

}  // namespace detail

/// Makes the token for these claims. The same key and claims always give the same token.
/// Returns the compact serialisation; the key may be verify_only, because a link that it signed is derived again later.
/// Errors: key_invalid for a key that is unknown, retired or has no private half; invalid_argument, too_large.
inline result<std::string> mint_token(const key_ring& ring, std::string_view kid, const token_claims& claims) {
  detail::claims_writer payload;
  if (const auto ok = payload.write(claims); !ok) return ok.error();
  const auto* const key = ring.keys().find(kid);
  if (!key || !key->can_sign())
    return detail::fail(errc::key_invalid, "the ring has no key of this id that may derive a link", "kid");

  const std::string& header = key->header_segment();
  const std::size_t signing_input = header.size() + 1 + detail::base64url_length(payload.text().size());
  std::string token(signing_input + 1 + detail::base64url_length(key->signature_size()), '.');
  std::memcpy(token.data(), header.data(), header.size());
  detail::base64url_encode(payload.text(), token.data() + header.size() + 1);
  detail::ed25519_signature signature;
  key->sign({token.data(), signing_input}, signature.data());
  detail::base64url_encode({reinterpret_cast<const char*>(signature.data()), key->signature_size()},
                           token.data() + signing_input + 1);
  return token;
}

namespace detail {

inline error refused(std::string_view reason) {
  return fail(errc::token_invalid, "the token is refused: " + std::string(reason), std::string(reason));
}

/// Finds the key that a header names, where the header is one that we accept.
inline result<const signing_key*> key_for_header(const key_set& keys, std::string_view segment) {
  if (const auto* key = keys.find_header(segment); key && key->status() != key_status::retired) return key;
  std::array<char, limits::token> buffer;
  const auto size = base64url_decode(segment, buffer.data());
  if (!size) return refused("base64");
  token_object header;
  if (const auto fault = header.read({buffer.data(), *size})) return refused(*fault);
  const auto algorithm = header.member("alg").text;
  if (algorithm != to_string(key_algorithm::hs256) && algorithm != to_string(key_algorithm::ed25519))
    return refused("algorithm");
  if (header.member("typ").text != token_type) return refused("typ");
  if (header.contains("crit")) return refused("crit");  // RFC 7515 §4.1.11: we understand no extension
  const auto* key = keys.find(header.member("kid").text);
  if (!key || key->status() == key_status::retired) return refused("kid");
  if (algorithm != to_string(key->algorithm())) return refused("algorithm");
  return key;
}

inline result<token_claims> claims_from(const claim_members& members, const token_expectation& expected) {
  for (const auto at : {claim::iss, claim::aud, claim::sub, claim::tenant})
    if (members[at].is != token_member::kind::text || !is_id(members[at].text)) return refused("claims");
  for (const auto at : {claim::generation, claim::attempt})
    if (members[at].is != token_member::kind::integer || members[at].integer < 1 ||
        members[at].integer > std::numeric_limits<std::uint32_t>::max())
      return refused("claims");
  const auto id = parse_interview_id(members[claim::interview_id_].text);
  if (!id) return refused("claims");
  const std::string_view jti = members[claim::jti].text;
  std::array<char, 10> digits;
  const auto* const end =
      std::to_chars(digits.data(), digits.data() + digits.size(), members[claim::generation].integer).ptr;
  if (jti.size() < 37 || jti.substr(0, 36) != members[claim::interview_id_].text || jti[36] != '.' ||
      jti.substr(37) != std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())))
    return refused("claims");
  for (const auto at : {claim::iat, claim::nbf, claim::exp_}) {
    if (members[at].is != token_member::kind::integer) return refused("claims");
    if (members[at].integer < min_instant.time_since_epoch().count() ||
        members[at].integer > max_instant.time_since_epoch().count())
      return refused("time_range");
  }
  if (members[claim::iss].text != expected.issuer) return refused("issuer");
  if (members[claim::aud].text != expected.audience) return refused("audience");
  const auto instant = [&](claim at) { return sys_seconds{seconds{members[at].integer}}; };
  return token_claims{.issuer = std::string(members[claim::iss].text),
                      .audience = std::string(members[claim::aud].text),
                      .subject = std::string(members[claim::sub].text),
                      .tenant = std::string(members[claim::tenant].text),
                      .interview = *id,
                      .generation = static_cast<std::uint32_t>(members[claim::generation].integer),
                      .attempt = static_cast<std::uint32_t>(members[claim::attempt].integer),
                      .issued_at = instant(claim::iat),
                      .not_before = instant(claim::nbf),
                      .expires_at = instant(claim::exp_)};
}

inline result<token_claims> read_token(const key_set& keys, std::string_view token, const token_expectation& expected) {
  if (token.size() > limits::token) return refused("too_large");
  const auto first = token.find('.');
  const auto second = first == token.npos ? first : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) return refused("form");
  const auto key = key_for_header(keys, token.substr(0, first));
  if (!key) return key.error();
  // Encodings first (RFC 7515 §5.2, steps 2 to 7), then the signature, and only then a look at what was signed.
  std::array<char, limits::token> buffer;
  const auto payload_size = base64url_decode(token.substr(first + 1, second - first - 1), buffer.data());
  if (!payload_size) return refused("base64");
  const std::string_view payload(buffer.data(), *payload_size);
  char* const rest = buffer.data() + *payload_size;
  const auto signature_size = base64url_decode(token.substr(second + 1), rest);
  if (!signature_size) return refused("base64");
  if (!(*key)->verify(token.substr(0, second), {rest, *signature_size})) return refused("signature");
  if (const auto plain = read_plain_claims(payload)) return claims_from(*plain, expected);
  token_object object;
  if (const auto fault = object.read(payload)) return refused(*fault);
  claim_members members;
  for (std::size_t n = 0; n < members.size(); ++n) members[n] = object.member(claim_names[n]);
  return claims_from(members, expected);
}

}  // namespace detail

/// Checks that a token is genuine, well-formed and made for us; not whether its time has come or gone.
/// Errors: token_invalid; `reason` says in one word, for logs and never for the visitor, why: too_large, form, base64,
/// json, duplicate_member, algorithm, typ, crit, kid, signature, claims, time_range, issuer or audience.
inline result<token_claims> verify_token(const key_ring& ring, std::string_view token,
                                         const token_expectation& expected) {
  return detail::read_token(ring.keys(), token, expected);
}

/// What a genuine token's link is worth, in the order in which it is decided: the first that holds.
enum class verdict {
  invalid,               ///< not a link of ours, or no longer
  cancelled,             ///< the interview was cancelled
  superseded_interview,  ///< a newer interview took its place
  completed,             ///< the interview is over
  superseded_link,       ///< a newer link to the same interview was sent
  not_yet_valid,         ///< the link opens later
  expired,               ///< `now >= limit`
  valid,
};
inline constexpr std::size_t verdict_count = 8;

/// The verdict's word.
constexpr std::string_view to_string(verdict v) {
  constexpr std::array<std::string_view, verdict_count> words{
      "invalid", "cancelled", "superseded_interview", "completed", "superseded_link", "not_yet_valid",
      "expired", "valid"};
  const auto n = static_cast<std::size_t>(v);
  return n < words.size() ? words[n] : "unknown";
}

namespace detail {

/// True where the claims are not those of any link that this interview ever had.
inline bool claims_do_not_fit(const token_claims& claims, const applicant_record& record, const interview& i) {
  if (claims.subject != record.person.id || claims.attempt != i.attempt || claims.generation > i.link.generation)
    return true;
  return claims.generation == i.link.generation &&
         (claims.issued_at != i.link.issued_at || claims.not_before != i.link.not_before ||
          claims.expires_at != i.link.expires_at);
}

}  // namespace detail

/// Judges the link behind verified claims at `now`. Pass null, or a record of version 0, where there is none.
inline verdict judge_link(const token_claims& claims, const applicant_record* record, sys_seconds now) {
  if (!record || record->version == 0 || record->erased || record->tenant != claims.tenant) return verdict::invalid;
  const interview* const i = find_interview(*record, claims.interview);
  if (!i || detail::claims_do_not_fit(claims, *record, *i)) return verdict::invalid;
  const auto over = [&] {
    switch (i->state) {
      case interview_state::submitted:
      case interview_state::passed:
      case interview_state::failed:
      case interview_state::on_hold:
      case interview_state::voided: return true;
      default: return false;
    }
  };
  // A link that was never opened ends at start_by; once it was, the deadline alone decides.
  const auto expired = [&] {
    return i->state == interview_state::expired || (i->state == interview_state::scheduled && now >= i->start_by) ||
           (i->state == interview_state::in_progress && i->deadline && now >= *i->deadline);
  };
  if (i->state == interview_state::cancelled) return verdict::cancelled;
  if (i->state == interview_state::archived || i->superseded_by) return verdict::superseded_interview;
  if (over()) return verdict::completed;
  if (claims.generation < i->link.generation) return verdict::superseded_link;
  if (now + token_leeway < claims.not_before || now + token_leeway < claims.issued_at) return verdict::not_yet_valid;
  if (expired()) return verdict::expired;
  return verdict::valid;
}

/// The error that a verdict is; `internal` for `valid`, which is none.
constexpr errc error_of(verdict v) {
  switch (v) {
    case verdict::invalid: return errc::token_invalid;
    case verdict::cancelled: return errc::token_cancelled;
    case verdict::superseded_interview: return errc::token_superseded_interview;
    case verdict::completed: return errc::token_completed;
    case verdict::superseded_link: return errc::token_superseded_link;
    case verdict::not_yet_valid: return errc::token_not_yet_valid;
    case verdict::expired: return errc::token_expired;
    case verdict::valid: break;
  }
  return errc::internal;
}

/// Success for `valid`, else the verdict's error.
/// Errors: token_invalid, token_cancelled, token_superseded_interview, token_completed, token_superseded_link,
/// token_not_yet_valid, token_expired.
inline result<void> to_error(verdict v) {
  if (v == verdict::valid) return {};
  return detail::fail(error_of(v), "the link is " + std::string(to_string(v)));
}

}  // namespace hirenow
