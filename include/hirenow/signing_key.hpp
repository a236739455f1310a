#pragma once
/// Signing keys: a ring of keys with their status, read from a JSON Web Key set (RFC 7517; RFC 8037 for Ed25519).
///
/// The document is `{"keys": [...]}`, each key `{"kid", "kty": "oct", "alg": "HS256", "k"}` or `{"kid", "kty": "OKP",
/// "crv": "Ed25519", "x", "d"}`, and beside it `"status": "signing" | "verify_only" | "retired"`. To rotate, let a new
/// key be verify_only on every node first, then let it sign and the old one be verify_only, then retire the old one.
/// Secrets are wiped when they are no longer needed, and never stand in an error.
/// Threads: a ring may be used from any thread; its keys are read without a lock.

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/json/memory_resource.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/base64url.hpp"
#include "hirenow/detail/strict_json.hpp"
#include "hirenow/limits.hpp"

namespace hirenow {

/// What a key may do.
enum class key_status {
  signing,      ///< signs new links and verifies; at most one key of a ring
  verify_only,  ///< verifies, and derives again the links that it signed
  retired,      ///< neither: its links are refused
};

/// How a key signs.
enum class key_algorithm {
  hs256,    ///< HMAC-SHA-256 (RFC 7518 §3.2), "HS256"
  ed25519,  ///< Ed25519 (RFC 8037 §3.1), "EdDSA"
};

/// The algorithm as a token's header names it.
constexpr std::string_view to_string(key_algorithm a) { return a == key_algorithm::hs256 ? "HS256" : "EdDSA"; }

namespace detail {

inline constexpr std::size_t shortest_hs256_key = 32;            // RFC 7518 §3.2
inline constexpr std::size_t largest_key_document = 256 * 1024;  // bytes
inline constexpr std::size_t most_keys = 100;                    // of a ring; they are searched one by one
inline constexpr std::string_view token_type = "interview+jwt";

inline std::string json_text(std::string_view text) {
  return boost::json::serialize(boost::json::value(boost::json::string_view(text.data(), text.size())));
}

inline std::string to_base64url(std::string_view bytes) {
  std::string out(base64url_length(bytes.size()), '\0');
  base64url_encode(bytes, out.data());
  return out;
}

/// One key, ready for use. A retired one holds no secret.
class signing_key {
 public:
  signing_key(std::string kid, key_status status, std::string_view hs256_secret)
      : signing_key(std::move(kid), status, key_algorithm::hs256) {
    if (status != key_status::retired) mac_ = std::make_unique<mac_key>(hs256_secret);
  }
  signing_key(std::string kid, key_status status, ed25519_key key)
      : signing_key(std::move(kid), status, key_algorithm::ed25519) {
    if (status != key_status::retired) pair_ = std::make_unique<ed25519_key>(std::move(key));
  }

  const std::string& kid() const { return kid_; }
  key_status status() const { return status_; }
  key_algorithm algorithm() const { return algorithm_; }
  /// The first segment of every token of this key.
  const std::string& header_segment() const { return header_segment_; }
  bool can_sign() const { return mac_ || (pair_ && pair_->can_sign()); }

  /// Bytes of a signature.
  std::size_t signature_size() const { return mac_ ? digest{}.size() : ed25519_signature_size; }

  /// Writes the signature over `data` to `out`. Only where `can_sign()`.
  void sign(std::string_view data, std::uint8_t* out) const {
    const auto put = [&](const auto& signature) { std::copy(signature.begin(), signature.end(), out); };
    if (mac_)
      put(mac_->mac(data));
    else
      put(pair_->sign(data));
  }

  /// Whether the signature is this key's over `data`. Not for a retired key.
  bool verify(std::string_view data, std::string_view signature) const {
    if (!mac_) return pair_->verify(data, signature);
    const digest mac = mac_->mac(data);
    return equal_in_constant_time({reinterpret_cast<const char*>(mac.data()), mac.size()}, signature);
  }

  /// The public half as a JWK; nothing for a key that has none to show.
  std::optional<std::string> public_jwk() const {
    if (!pair_) return std::nullopt;
    const auto point = pair_->public_half();
    return R"({"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":)" + json_text(kid_) + R"(,"x":")" +
           to_base64url({reinterpret_cast<const char*>(point.data()), point.size()}) + "\"}";
  }

 private:
  signing_key(std::string kid, key_status status, key_algorithm algorithm)
      : kid_(std::move(kid)),
        status_(status),
        algorithm_(algorithm),
        header_segment_(to_base64url(R"({"alg":")" + std::string(to_string(algorithm)) + R"(","kid":)" +
                                     json_text(kid_) + R"(,"typ":")" + std::string(token_type) + "\"}")) {}

  std::string kid_;
  key_status status_;
  key_algorithm algorithm_;
  std::string header_segment_;
  std::unique_ptr<mac_key> mac_{};
  std::unique_ptr<ed25519_key> pair_{};
};

/// The keys of one document. Never changes.
struct key_set {
  digest document{};  ///< SHA-256 of the text it came from
  std::vector<signing_key> keys{};

  const signing_key* find(std::string_view kid) const {
    for (const auto& key : keys)
      if (key.kid() == kid) return &key;
    return nullptr;
  }
  const signing_key* find_header(std::string_view segment) const {
    for (const auto& key : keys)
      if (key.header_segment() == segment) return &key;
    return nullptr;
  }
};

/// Memory that is wiped before it is given back: for what a document with secrets is parsed into. Alignments are not
/// looked at: Boost.JSON needs none beyond that of operator new, and gives memory back with another than it asked for.
class wiping_memory final : public boost::json::memory_resource {
  void* do_allocate(std::size_t size, std::size_t) override { return ::operator new(size); }
  void do_deallocate(void* at, std::size_t size, std::size_t) override {
    wipe(at, size);
    ::operator delete(at);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

/// Reads one JWK. Errors name its place in the document and the member at fault, never a value.
class jwk_reader {
 public:
  jwk_reader(const boost::json::value& jwk, std::size_t place, std::string_view document)
      : jwk_(jwk), place_(place), document_(document) {}

  result<signing_key> read() const {
    if (!jwk_.is_object()) return fault("", "is not an object");
    const auto kid = text("kid");
    if (!kid) return fault("kid", "must be a text");
    if (const auto ok = limits::check_id("kid", *kid); !ok) return fault("kid", ok.error().message);
    const auto status = read_status();
    if (!status) return fault("status", "must be signing, verify_only or retired");
    if (jwk_.as_object().contains("use") && text("use") != "sig") return fault("use", "must be sig where it stands");
    if (text("kty") == "oct") return read_hs256(std::string(*kid), *status);
    if (text("kty") == "OKP") return read_ed25519(std::string(*kid), *status);
    return fault("kty", "must be oct or OKP");
  }

 private:
  result<signing_key> read_hs256(std::string kid, key_status status) const {
    if (text("alg") != "HS256") return fault("alg", "must be HS256");
    auto secret = bytes("k");
    if (!secret) return secret.error();
    if (secret->size() < shortest_hs256_key) return fault("k", "is shorter than 32 bytes");
    return signing_key(std::move(kid), status, secret->view());
  }

  result<signing_key> read_ed25519(std::string kid, key_status status) const {
    if (text("crv") != "Ed25519") return fault("crv", "must be Ed25519");
    if (jwk_.as_object().contains("alg") && text("alg") != "EdDSA")
      return fault("alg", "must be EdDSA where it stands");
    const auto point = bytes("x");
    if (!point) return point.error();
    if (point->size() != ed25519_key_size) return fault("x", "must have 32 bytes");
    if (!jwk_.as_object().contains("d")) {
      if (status == key_status::signing) return fault("d", "must be there in a key that signs");
      return signing_key(std::move(kid), status, ed25519_key::from_public(point->view()));
    }
    const auto seed = bytes("d");
    if (!seed) return seed.error();
    if (seed->size() != ed25519_key_size) return fault("d", "must have 32 bytes");
    auto key = ed25519_key::from_private(seed->view());
    const auto half = key.public_half();
    if (std::string_view(reinterpret_cast<const char*>(half.data()), half.size()) != point->view())
      return fault("x", "does not belong to d");
    return signing_key(std::move(kid), status, std::move(key));
  }

  std::optional<key_status> read_status() const {
    const auto word = text("status");
    if (word == "signing") return key_status::signing;
    if (word == "verify_only") return key_status::verify_only;
    if (word == "retired") return key_status::retired;
    return std::nullopt;
  }

  std::optional<std::string_view> text(std::string_view member) const {
    const auto* value = jwk_.as_object().if_contains(boost::json::string_view(member.data(), member.size()));
    if (!value || !value->is_string()) return std::nullopt;
    return std::string_view(value->get_string().data(), value->get_string().size());
  }

  result<secret_bytes> bytes(std::string_view member) const {
    const auto encoded = text(member);
    // A text with escapes has passed through a buffer of the parser that nobody wipes; base64url never needs one.
    if (!encoded || document_.find(*encoded) == std::string_view::npos)
      return fault(member, "must be a text without escapes");
    secret_bytes out(encoded->size());
    const auto size = base64url_decode(*encoded, reinterpret_cast<char*>(out.data()));
    if (!size) return fault(member, "is not base64url without padding");
    return secret_bytes(out.view(*size));
  }

  error fault(std::string_view member, std::string_view what) const {
    return fail(
        errc::key_invalid,
        "/keys/" + std::to_string(place_) + (member.empty() ? "" : "/") + std::string(member) + " " + std::string(what),
        std::string(member.empty() ? "keys" : member));
  }

  const boost::json::value& jwk_;
  std::size_t place_;
  std::string_view document_;
};

inline result<key_set> read_key_set(std::string_view document) {
  if (document.size() > largest_key_document)
    return fail(errc::too_large, "the key document has more than " + std::to_string(largest_key_document) + " bytes");
  wiping_memory memory;
  const auto parsed = read_json(document, limits::policy_depth, &memory);
  if (!parsed) return fail(errc::key_invalid, "the key document is " + parsed.error().message, "json");
  if (!parsed->repeated.empty())
    return fail(errc::key_invalid, parsed->repeated.front() + " stands twice in the key document", "duplicate_member");
  const auto* object = parsed->value.if_object();
  const auto* list = object ? object->if_contains("keys") : nullptr;
  if (!list || !list->is_array())
    return fail(errc::key_invalid, "the key document is no object with an array \"keys\"", "keys");
  if (list->get_array().size() > most_keys)
    return fail(errc::too_large, "the key document has more than " + std::to_string(most_keys) + " keys");
  key_set set{.document = sha256(document)};
  std::size_t signers = 0;
  for (const auto& jwk : list->get_array()) {
    const std::size_t place = set.keys.size();
    auto key = jwk_reader(jwk, place, document).read();
    if (!key) return key.error();
    if (set.find(key->kid()))
      return fail(errc::key_invalid, "/keys/" + std::to_string(place) + "/kid is that of an earlier key", "kid");
    if (key->status() == key_status::signing && ++signers > 1)
      return fail(errc::key_invalid, "/keys/" + std::to_string(place) + "/status: a ring has one key that signs",
                  "status");
    set.keys.push_back(std::move(*key));
  }
  return set;
}

inline result<secret_bytes> read_key_file(const std::string& path) {
  const auto refuse = [&](std::string_view why) {
    return fail(errc::key_invalid, "key file " + path + ": " + std::string(why), "file");
  };
  // Non-blocking, lest a pipe of that name hold the caller up; what was opened is what is looked at.
  const struct descriptor {
    int number;
    ~descriptor() {
      if (number >= 0) ::close(number);
    }
  } file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat about{};
  if (file.number < 0 || ::fstat(file.number, &about) != 0)
    return refuse(std::error_code(errno, std::generic_category()).message());
  if (!S_ISREG(about.st_mode)) return refuse("is not a regular file");
  if (about.st_mode & (S_IRWXG | S_IRWXO))
    return fail(errc::key_file_exposed,
                "key file " + path + " is open to others than its owner; it needs mode 0600 or 0400", "file");
  if (about.st_size > static_cast<off_t>(largest_key_document))
    return fail(errc::too_large, "the key file has more than " + std::to_string(largest_key_document) + " bytes");
  secret_bytes text(static_cast<std::size_t>(about.st_size) + 1);
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(file.number, text.data() + size, text.size() - size);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(std::error_code(errno, std::generic_category()).message());
    size += static_cast<std::size_t>(got);
  }
  if (size == text.size()) return refuse("grew while it was read");
  return secret_bytes(text.view(size));
}

}  // namespace detail

/// The keys that sign and verify links. A handle: copies share the keys, and what one reloads all have.
class key_ring {
 public:
  /// Reads the ring from a JSON text.
  /// Errors: key_invalid (the message names the member at fault), too_large.
  static result<key_ring> from_json(std::string_view text) { return make(origin::text, {}, text); }

  /// Reads the ring from a file that nobody but its owner may open, and remembers where it was.
  /// Errors: key_file_exposed, key_invalid, too_large.
  static result<key_ring> from_file(const std::string& path) {
    const auto text = detail::read_key_file(path);
    if (!text) return text.error();
    return make(origin::file, path, text->view());
  }

  /// Reads the ring from the text in an environment variable, and remembers its name.
  /// Errors: key_invalid, too_large.
  /// Threads: as getenv(), not while another thread changes the environment.
  static result<key_ring> from_environment(const std::string& variable) {
    const char* const text = std::getenv(variable.c_str());
    if (!text) return detail::fail(errc::key_invalid, "no environment variable " + variable, "environment");
    return make(origin::environment, variable, text);
  }

  key_ring(const key_ring&) = default;
  key_ring& operator=(const key_ring&) = default;

  /// Reads the keys again from where they came from. A document that cannot be used leaves the old keys in force.
  /// Errors: those of the function that made the ring; invalid_argument for one made from a text.
  result<void> reload() {
    switch (state_->from) {
      case origin::text: break;
      case origin::file: {
        const auto text = detail::read_key_file(state_->where);
        return text ? reload(text->view()) : result<void>(text.error());
      }
      case origin::environment: {
        const char* const text = std::getenv(state_->where.c_str());
        if (text) return reload(text);
        return detail::fail(errc::key_invalid, "no environment variable " + state_->where, "environment");
      }
    }
    return detail::fail(errc::invalid_argument, "a ring made from a text is reloaded with another text");
  }

  /// Takes the keys of this text from now on. A text that cannot be used leaves the old keys in force.
  /// Errors: key_invalid, too_large.
  result<void> reload(std::string_view text) {
    const digest document = sha256(text);
    const loaded_set* newest = state_->newest.load(std::memory_order_acquire);
    for (const loaded_set* known = newest; known; known = known->before)
      if (known->keys.document == document) {
        state_->current.store(&known->keys, std::memory_order_release);
        return {};
      }
    auto set = detail::read_key_set(text);
    if (!set) return set.error();
    auto* const made = new loaded_set{std::move(*set), newest};
    while (!state_->newest.compare_exchange_weak(made->before, made, std::memory_order_acq_rel)) continue;
    state_->current.store(&made->keys, std::memory_order_release);
    return {};
  }

  /// The id of the key that signs new links.
  /// Errors: no_signing_key.
  result<std::string> signing_kid() const {
    for (const auto& key : keys().keys)
      if (key.status() == key_status::signing) return key.kid();
    return detail::fail(errc::no_signing_key, "the key ring has no key with the status signing");
  }

  /// The public halves of the keys that are not retired, as a JWK set for others to verify with. HS256 keys have none.
  std::string public_jwks() const {
    std::string out = "{\"keys\":[";
    for (const auto& key : keys().keys)
      if (const auto jwk = key.public_jwk()) out += (out.back() == '[' ? "" : ",") + *jwk;
    out += "]}";
    return out;
  }

  /// Signs a text that is no token, such as a checkpoint of the audit. The purpose keeps signatures of one kind from
  /// being used as another's, and none is a token's; it holds no NUL.
  /// Returns base64url. Errors: key_invalid for a key that is unknown, retired or has no private half.
  result<std::string> sign_text(std::string_view kid, std::string_view purpose, std::string_view text) const {
    const auto* const key = keys().find(kid);
    if (!key || !key->can_sign())
      return detail::fail(errc::key_invalid, "the ring has no key of this id that may sign", "kid");
    std::array<std::uint8_t, detail::ed25519_signature_size> signature{};
    key->sign(purposeful(purpose, text), signature.data());
    return detail::to_base64url({reinterpret_cast<const char*>(signature.data()), key->signature_size()});
  }

  /// Checks what `sign_text` made.
  /// Errors: key_invalid for a key that is unknown or retired; invalid_argument for any other signature.
  result<void> verify_text(std::string_view kid, std::string_view purpose, std::string_view text,
                           std::string_view signature) const {
    const auto* const key = keys().find(kid);
    if (!key || key->status() == key_status::retired)
      return detail::fail(errc::key_invalid, "the ring has no key of this id that may verify", "kid");
    std::string bytes(signature.size(), '\0');
    const auto size = detail::base64url_decode(signature, bytes.data());
    if (!size || !key->verify(purposeful(purpose, text), std::string_view(bytes).substr(0, *size)))
      return detail::fail(errc::invalid_argument, "the text does not bear this key's signature", "signature");
    return {};
  }

  /// The keys now in force, for token.hpp. Borrows from the ring: a set lives as long as the last handle, so that the
  /// hot path shares no counter between threads; a ring therefore keeps each different document it has ever loaded.
  const detail::key_set& keys() const { return *state_->current.load(std::memory_order_acquire); }

 private:
  enum class origin { text, file, environment };
  struct loaded_set {
    detail::key_set keys;
    const loaded_set* before;
  };
  /// No lock: the child of a fork could wait for ever for a thread that its parent alone has.
  struct state {
    state(origin is_from, std::string is_where) : from(is_from), where(std::move(is_where)) {}
    ~state() {
      for (const loaded_set* set = newest.load(std::memory_order_acquire); set;) delete std::exchange(set, set->before);
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    const origin from;
    const std::string where;
    std::atomic<const loaded_set*> newest{nullptr};
    std::atomic<const detail::key_set*> current{nullptr};
  };

  // A token's signing input begins with a letter, this one with a NUL.
  static std::string purposeful(std::string_view purpose, std::string_view text) {
    std::string out(1, '\0');
    return out.append(purpose).append(1, '\0').append(text);
  }

  key_ring(origin from, std::string where) : state_(std::make_shared<state>(from, std::move(where))) {}

  static result<key_ring> make(origin from, std::string where, std::string_view text) {
    key_ring ring(from, std::move(where));
    if (const auto ok = ring.reload(text); !ok) return ok.error();
    return ring;
  }

  std::shared_ptr<state> state_;
};

/// A fresh key document with one key, which signs. Keep it in a file of mode 0600.
/// Returns JSON text; throws `exception` with what `limits::check_id` finds wrong with the kid.
inline std::string new_key_document(key_algorithm algorithm, std::string_view kid) {
  if (const auto ok = limits::check_id("kid", kid); !ok) throw exception(ok.error());
  const auto secret = detail::new_secret(32);
  const auto put = [](std::string& to, std::string_view bytes) {
    const auto length = to.size();
    to.resize(length + detail::base64url_length(bytes.size()));
    detail::base64url_encode(bytes, to.data() + length);
  };
  std::string out;
  out.reserve(1024 + kid.size() * 6);  // enough for all: a string that grows leaves copies behind
  out += R"({"keys":[{"kid":)" + detail::json_text(kid) + R"(,"status":"signing",)";
  if (algorithm == key_algorithm::hs256) {
    out += R"("kty":"oct","alg":"HS256","k":")";
  } else {
    const auto half = detail::ed25519_key::from_private(secret.view()).public_half();
    out += R"("kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":")";
    put(out, {reinterpret_cast<const char*>(half.data()), half.size()});
    out += R"(","d":")";
  }
  put(out, secret.view());
  out += "\"}]}\n";
  return out;
}

}  // namespace hirenow
