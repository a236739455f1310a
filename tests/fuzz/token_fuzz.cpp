// Fuzzes what reads tokens and key documents. The first byte says what the rest is: a token, the claims of a
// well-signed token (an attacker cannot sign, but the reader of claims must not rely on it), its header, or a key
// document.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hirenow/token.hpp"

namespace {

using namespace hirenow;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view keys =
    R"({"keys":[{"kid":"h","status":"signing","kty":"oct","alg":"HS256",
                 "k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
                {"kid":"e","status":"verify_only","kty":"OKP","crv":"Ed25519",
                 "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                 "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]})";

const key_ring& ring() {
  static const auto made = key_ring::from_json(keys).value();
  return made;
}

std::string signed_token(std::string_view header, std::string_view claims) {
  auto token = detail::to_base64url(header) + "." + detail::to_base64url(claims);
  std::uint8_t mac[32];
  ring().keys().find("h")->sign(token, mac);
  return token + "." + detail::to_base64url({reinterpret_cast<const char*>(mac), sizeof mac});
}

void check_token(std::string_view token) {
  const auto read = verify_token(ring(), token, {"i", "a"});
  if (!read) {
    require(read.error().code == errc::token_invalid && !read.error().reason.empty());
    return;
  }
  // Whatever is accepted can be minted, and says the same again.
  const auto again = mint_token(ring(), "h", *read);
  require(again.has_value() && verify_token(ring(), *again, {"i", "a"}).value() == *read);
  applicant_record nobody;
  require(judge_link(*read, &nobody, read->expires_at) == verdict::invalid);
}

void check_claims(std::string_view claims) {
  check_token(signed_token(R"({"alg":"HS256","kid":"h","typ":"interview+jwt"})", claims));
  // The quick reader of claims reads nothing that the thorough one would read otherwise.
  if (const auto plain = detail::read_plain_claims(claims)) {
    detail::token_object object;
    require(!object.read(claims));
    for (std::size_t n = 0; n < plain->size(); ++n) {
      const auto& quick = (*plain)[n];
      const auto thorough = object.member(detail::claim_names[n]);
      require(quick.is == thorough.is && quick.text == thorough.text && quick.integer == thorough.integer);
    }
  }
}

void check_keys(std::string_view document) {
  const auto read = key_ring::from_json(document);
  if (!read) {
    require(!read.error().message.empty());
    return;
  }
  if (const auto kid = read->signing_kid()) require(read->sign_text(*kid, "p", "t").has_value());
  require(key_ring::from_json(read->public_jwks()).has_value() == (read->public_jwks() == "{\"keys\":[]}"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: check_token(rest); break;
    case 1: check_claims(rest); break;
    case 2: check_token(signed_token(rest, R"({"iss":"i","aud":"a"})")); break;
    case 3: check_keys(rest); break;
  }
  return 0;
}
