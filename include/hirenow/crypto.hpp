#pragma once
/// Hashes, MACs, signatures, randomness and comparison: the only core header that includes OpenSSL.
///
/// Where OpenSSL itself fails, these functions throw `exception`: `out_of_memory`, or `internal` where its installation
/// is broken. No input can make them fail.
/// Threads: every function, and every const member, may be called from any thread.

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "hirenow/interview.hpp"

namespace hirenow {

namespace detail {

/// Looks at what OpenSSL says of its failure, and clears it. Providers that cannot allocate say nothing; malloc() does.
[[noreturn]] inline void openssl_failed(std::string_view what) {
  bool for_want_of_memory = errno == ENOMEM;
  while (const auto code = ERR_get_error())
    for_want_of_memory = for_want_of_memory || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
  ERR_clear_error();
  if (for_want_of_memory) throw exception(error{.code = errc::out_of_memory});
  throw exception(fail(errc::internal, "OpenSSL cannot " + std::string(what)));
}
inline const unsigned char* octets(std::string_view data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

}  // namespace detail

/// SHA-256 (FIPS 180-4).
inline digest sha256(std::string_view data) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  digest out{};
  if (!algorithm || EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr) != 1)
    detail::openssl_failed("compute SHA-256");
  return out;
}

/// HMAC-SHA-256 (RFC 2104, RFC 4231), for a key that is used once; `detail::mac_key` is for one that is used often.
inline digest hmac_sha256(std::string_view key, std::string_view data) {
  digest out{};
  unsigned int size = 0;
  const char none = 0;  // OpenSSL takes a null pointer for "the key of before"
  if (key.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !HMAC(EVP_sha256(), key.empty() ? &none : key.data(), static_cast<int>(key.size()), detail::octets(data),
            data.size(), out.data(), &size))
    detail::openssl_failed("compute HMAC-SHA-256");
  return out;
}

/// Compares in a time that depends on the lengths alone.
inline bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace detail {
/// Counts the forks of this process, so that no two processes hand out the same buffered bytes.
inline std::atomic<unsigned>& fork_count() {
  static std::atomic<unsigned> count{0};
  static const bool registered = [] {
    if (pthread_atfork(nullptr, nullptr, [] { fork_count().fetch_add(1, std::memory_order_relaxed); }) != 0)
      throw exception(fail(errc::out_of_memory, "no memory to watch for forks"));
    return true;
  }();
  (void)registered;
  return count;
}
}  // namespace detail

/// Fills the bytes with randomness for ids, salts and lease tokens. Buffered per thread, because a call of OpenSSL for
/// 16 bytes costs more than a whole token, and safe across fork.
inline void random_bytes(std::span<std::uint8_t> out) {
  struct buffer {
    std::array<std::uint8_t, 4096> bytes;
    std::size_t used = sizeof(bytes);
    unsigned forks = 0;
    ~buffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  };
  thread_local buffer b;
  const auto take = [](std::uint8_t* at, std::size_t n) {
    if (n > static_cast<std::size_t>(std::numeric_limits<int>::max()) || RAND_bytes(at, static_cast<int>(n)) != 1)
      detail::openssl_failed("make random bytes");
  };
  if (out.size() > b.bytes.size() / 4) return take(out.data(), out.size());
  const unsigned forks = detail::fork_count().load(std::memory_order_relaxed);
  if (b.forks != forks || b.bytes.size() - b.used < out.size()) {
    take(b.bytes.data(), b.bytes.size());
    b.used = 0;
    b.forks = forks;
  }
  std::memcpy(out.data(), b.bytes.data() + b.used, out.size());
  OPENSSL_cleanse(b.bytes.data() + b.used, out.size());
  b.used += out.size();
}

/// A new interview id: UUID version 7 (RFC 9562 §5.7) of the instant given, so that ids sort by the time they were
/// made. Instants are whole seconds; inside a second the milliseconds and `rand_a` together count the ids of a thread
/// (RFC 9562 §6.2, method 1), 4,096,000 before they begin anew, so that one thread's ids ascend. 62 bits are random.
inline interview_id new_interview_id(sys_seconds at) {
  constexpr std::uint32_t ids_in_a_second = 1000 * 4096;
  thread_local sys_seconds second = sys_seconds::min();
  thread_local std::uint32_t made = 0;
  if (second != at || made == ids_in_a_second) {
    second = at;
    made = 0;
  }
  const auto ms = static_cast<std::uint64_t>(at.time_since_epoch().count()) * 1000 + made / 4096;
  const auto count = made++ % 4096;
  interview_id id{};
  random_bytes({id.data + 8, 8});
  for (int byte = 0; byte < 6; ++byte) id.data[byte] = static_cast<std::uint8_t>(ms >> (40 - 8 * byte));
  id.data[6] = static_cast<std::uint8_t>(0x70 | (count >> 8));
  id.data[7] = static_cast<std::uint8_t>(count);
  id.data[8] = static_cast<std::uint8_t>(0x80 | (id.data[8] & 0x3f));
  return id;
}

namespace detail {

/// A fixed number of secret bytes, wiped when they die.
class secret_bytes {
 public:
  explicit secret_bytes(std::size_t size) : bytes_(new std::uint8_t[size]()), size_(size) {}
  explicit secret_bytes(std::string_view copied) : secret_bytes(copied.size()) {
    std::copy(copied.begin(), copied.end(), bytes_.get());
  }
  secret_bytes(secret_bytes&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  secret_bytes& operator=(secret_bytes&&) = delete;
  ~secret_bytes() {
    if (bytes_) OPENSSL_cleanse(bytes_.get(), size_);
  }

  std::uint8_t* data() { return bytes_.get(); }
  std::size_t size() const { return size_; }
  /// The first `size` bytes, or all of them. Borrows.
  std::string_view view(std::size_t size = std::numeric_limits<std::size_t>::max()) const {
    return {reinterpret_cast<const char*>(bytes_.get()), size < size_ ? size : size_};
  }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_;
};

/// Wipes memory that held a secret, in a way that the compiler keeps.
inline void wipe(void* at, std::size_t size) { OPENSSL_cleanse(at, size); }

/// Random bytes for a key, from the generator that OpenSSL keeps for secrets, unbuffered.
inline secret_bytes new_secret(std::size_t size) {
  secret_bytes out(size);
  if (RAND_priv_bytes(out.data(), static_cast<int>(size)) != 1) openssl_failed("make a random key");
  return out;
}

struct openssl_deleter {
  void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
template <class T>
using openssl_ptr = std::unique_ptr<T, openssl_deleter>;

/// A key for HMAC-SHA-256 that is used often. Keying a context costs more than a short MAC, so keyed contexts are kept:
/// each thread finds one in a slot of its own cache line, and they die, wiped by OpenSSL, with the key.
class mac_key {
 public:
  explicit mac_key(std::string_view key) {
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    char name[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                     OSSL_PARAM_construct_end()};
    keyed_.reset(algorithm ? EVP_MAC_CTX_new(algorithm) : nullptr);
    if (!keyed_ || EVP_MAC_init(keyed_.get(), octets(key), key.size(), parameters) != 1)
      openssl_failed("key HMAC-SHA-256");
  }
  mac_key(const mac_key&) = delete;
  mac_key& operator=(const mac_key&) = delete;
  ~mac_key() {
    for (auto& s : slots_) EVP_MAC_CTX_free(s.idle.load(std::memory_order_acquire));
  }

  /// The MAC of the data.
  digest mac(std::string_view data) const {
    auto& idle = slots_[thread_number() % slots_.size()].idle;
    openssl_ptr<EVP_MAC_CTX> context(idle.exchange(nullptr, std::memory_order_acquire));
    if (!context) context.reset(EVP_MAC_CTX_dup(keyed_.get()));
    digest out{};
    std::size_t size = 0;
    if (!context || EVP_MAC_init(context.get(), nullptr, 0, nullptr) != 1 ||
        EVP_MAC_update(context.get(), octets(data), data.size()) != 1 ||
        EVP_MAC_final(context.get(), out.data(), &size, out.size()) != 1)
      openssl_failed("compute HMAC-SHA-256");
    // Another thread of the same slot may have put its context back in the meantime: one of the two goes.
    context.reset(idle.exchange(context.release(), std::memory_order_acq_rel));
    return out;
  }

 private:
  struct alignas(64) slot {
    std::atomic<EVP_MAC_CTX*> idle{nullptr};
  };
  static std::size_t thread_number() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return number;
  }

  openssl_ptr<EVP_MAC_CTX> keyed_;  // only ever duplicated
  mutable std::array<slot, 16> slots_{};
};

inline constexpr std::size_t ed25519_key_size = 32;
inline constexpr std::size_t ed25519_signature_size = 64;
using ed25519_signature = std::array<std::uint8_t, ed25519_signature_size>;

/// A key for Ed25519 (RFC 8032), whole or its public half. OpenSSL wipes it when it dies.
class ed25519_key {
 public:
  /// The key with this private half of 32 bytes.
  static ed25519_key from_private(std::string_view seed) {
    return ed25519_key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()), true);
  }
  /// The key with this public half of 32 bytes, which can only verify.
  static ed25519_key from_public(std::string_view point) {
    return ed25519_key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(point), point.size()), false);
  }

  bool can_sign() const { return signing_ != nullptr; }

  /// The public half.
  std::array<std::uint8_t, ed25519_key_size> public_half() const {
    std::array<std::uint8_t, ed25519_key_size> out{};
    std::size_t size = out.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), out.data(), &size) != 1) openssl_failed("read an Ed25519 key");
    return out;
  }

  /// Signs the data. The key must be able to.
  ed25519_signature sign(std::string_view data) const {
    const auto context = copy_of(signing_);
    ed25519_signature out{};
    std::size_t size = out.size();
    if (EVP_DigestSign(context.get(), out.data(), &size, octets(data), data.size()) != 1)
      openssl_failed("sign with Ed25519");
    return out;
  }

  /// Whether the signature is this key's over the data.
  bool verify(std::string_view data, std::string_view signature) const {
    const auto context = copy_of(verifying_);
    return EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(data), data.size()) == 1;
  }

 private:
  ed25519_key(EVP_PKEY* key, bool whole) : key_(key) {
    if (!key_) openssl_failed("read an Ed25519 key");
    verifying_.reset(EVP_MD_CTX_new());
    if (whole) signing_.reset(EVP_MD_CTX_new());
    if (!verifying_ || EVP_DigestVerifyInit(verifying_.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
        (whole && (!signing_ || EVP_DigestSignInit(signing_.get(), nullptr, nullptr, nullptr, key_.get()) != 1)))
      openssl_failed("prepare an Ed25519 key");
  }
  // A context serves one call; to copy a prepared one costs less than to prepare one.
  static openssl_ptr<EVP_MD_CTX> copy_of(const openssl_ptr<EVP_MD_CTX>& prepared) {
    openssl_ptr<EVP_MD_CTX> out(EVP_MD_CTX_new());
    if (!out || !prepared || EVP_MD_CTX_copy_ex(out.get(), prepared.get()) != 1)
      openssl_failed("copy an Ed25519 context");
    return out;
  }

  openssl_ptr<EVP_PKEY> key_;
  openssl_ptr<EVP_MD_CTX> signing_, verifying_;  // only ever copied
};

}  // namespace detail

}  // namespace hirenow
