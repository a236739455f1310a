#pragma once
/// Hashes, MACs, randomness and comparison: the only core header that includes OpenSSL.
///
/// Threads: every function may be called from any thread.

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "hirenow/interview.hpp"

namespace hirenow {

/// SHA-256 (FIPS 180-4).
inline digest sha256(std::string_view data) {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  digest out{};
  if (!algorithm || EVP_Digest(data.data(), data.size(), out.data(), nullptr, algorithm, nullptr) != 1)
    throw exception(detail::fail(errc::internal, "OpenSSL has no SHA-256"));
  return out;
}

/// HMAC-SHA-256 (RFC 2104, RFC 4231).
inline digest hmac_sha256(std::string_view key, std::string_view data) {
  digest out{};
  unsigned int size = 0;
  if (!HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            reinterpret_cast<const unsigned char*>(data.data()), data.size(), out.data(), &size))
    throw exception(detail::fail(errc::internal, "OpenSSL has no HMAC"));
  return out;
}

/// Compares in a time that depends on the length alone.
inline bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace detail {
/// Counts the forks of this process, so that no two processes hand out the same buffered bytes.
inline std::atomic<unsigned>& fork_count() {
  static std::atomic<unsigned> count{0};
  static const bool registered = [] {
    pthread_atfork(nullptr, nullptr, [] { fork_count().fetch_add(1); });
    return true;
  }();
  (void)registered;
  return count;
}
}  // namespace detail

/// Fills the bytes with randomness for ids, salts and lease tokens. Buffered per thread and safe across fork.
inline void random_bytes(std::span<std::uint8_t> out) {
  struct buffer {
    std::array<std::uint8_t, 4096> bytes;
    std::size_t used = sizeof(bytes);
    unsigned forks = 0;
    ~buffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  };
  thread_local buffer b;
  const auto take = [](std::uint8_t* at, std::size_t n) {
    if (RAND_bytes(at, static_cast<int>(n)) != 1)
      throw exception(detail::fail(errc::internal, "OpenSSL has no randomness"));
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

/// A new interview id: UUID version 7 (RFC 9562 §5.7) of the instant given, so that ids sort by the time they were made.
inline interview_id new_interview_id(sys_seconds at) {
  interview_id id{};
  random_bytes({id.data, 16});
  const auto ms = static_cast<std::uint64_t>(at.time_since_epoch().count()) * 1000;
  for (int byte = 0; byte < 6; ++byte) id.data[byte] = static_cast<std::uint8_t>(ms >> (40 - 8 * byte));
  id.data[6] = static_cast<std::uint8_t>(0x70 | (id.data[6] & 0x0f));
  id.data[8] = static_cast<std::uint8_t>(0x80 | (id.data[8] & 0x3f));
  return id;
}

}  // namespace hirenow
