#pragma once
/// A signature over a text, for one stated purpose. The purpose stands before the text with a newline between, so that
/// such a signature can never be taken for a token's: a token's signed bytes hold no newline (RFC 7515 §5.1).
///
/// Threads: pure functions over a ring.

#include <string>
#include <string_view>

#include "hirenow/signing_key.hpp"

namespace hirenow::detail {

/// Signs with the key named. Returns base64url.
/// Errors: key_invalid.
inline result<std::string> sign_text(const key_ring& ring, std::string_view kid, std::string_view purpose,
                                     std::string_view text) {
  const signing_key* key = ring.keys().find(kid);
  if (!key || !key->can_sign()) return fail(errc::key_invalid, "the key cannot sign");
  std::string signature(key->signature_size(), '\0');
  key->sign(std::string(purpose) + "\n" + std::string(text), reinterpret_cast<std::uint8_t*>(signature.data()));
  return to_base64url(signature);
}

/// Errors: audit_broken where the signature is not that key's; key_invalid where there is no such key.
inline result<void> verify_text(const key_ring& ring, std::string_view kid, std::string_view purpose,
                                std::string_view text, std::string_view signature) {
  const signing_key* key = ring.keys().find(kid);
  if (!key || key->status() == key_status::retired) return fail(errc::key_invalid, "the ring has no such key");
  std::string bytes(signature.size(), '\0');
  const auto size = base64url_decode(signature, bytes.data());
  if (!size || !key->verify(std::string(purpose) + "\n" + std::string(text), std::string_view(bytes).substr(0, *size)))
    return fail(errc::audit_broken, "the signature does not fit");
  return {};
}

}  // namespace hirenow::detail
