#pragma once
/// base64url without padding (RFC 4648 §5, as RFC 7515 §2 uses it), in its one canonical form: RFC 4648 §3.5 lets a
/// reader refuse pad bits that are not zero, and this one does, so that no two texts stand for the same bytes.
///
/// Threads: pure functions.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace hirenow::detail {

inline constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The two characters for each 12 bits: half the look-ups of a table of single characters.
inline constexpr auto base64url_pairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t n = 0; n < pairs.size(); ++n) pairs[n] = {base64url_alphabet[n >> 6], base64url_alphabet[n & 63]};
  return pairs;
}();

/// The 6 bits of each character at its place among four, first character first; a bit above the 24 for no character.
inline constexpr std::uint32_t base64url_no_character = 1u << 31;
inline constexpr auto base64url_places = [] {
  std::array<std::array<std::uint32_t, 256>, 4> places{};
  for (auto& place : places) place.fill(base64url_no_character);
  for (std::size_t n = 0; n < base64url_alphabet.size(); ++n)
    for (std::size_t at = 0; at < 4; ++at)
      places[at][static_cast<unsigned char>(base64url_alphabet[n])] = static_cast<std::uint32_t>(n << (18 - 6 * at));
  return places;
}();

/// How many characters stand for so many bytes.
constexpr std::size_t base64url_length(std::size_t bytes) { return (bytes * 4 + 2) / 3; }

/// Writes the characters for the bytes, `base64url_length(bytes.size())` of them.
/// Returns the end of what it wrote.
inline char* base64url_encode(std::string_view bytes, char* out) {
  const auto byte = [&](std::size_t n) { return std::uint32_t{static_cast<unsigned char>(bytes[n])}; };
  const auto put_pair = [&](std::uint32_t bits) {
    std::memcpy(out, base64url_pairs[bits & 0xfff].data(), 2);
    out += 2;
  };
  std::size_t n = 0;
  for (; bytes.size() - n >= 3; n += 3) {
    const std::uint32_t bits = byte(n) << 16 | byte(n + 1) << 8 | byte(n + 2);
    put_pair(bits >> 12);
    put_pair(bits);
  }
  if (bytes.size() - n == 2) {
    const std::uint32_t bits = byte(n) << 10 | byte(n + 1) << 2;
    put_pair(bits >> 6);
    *out++ = base64url_alphabet[bits & 63];
  } else if (bytes.size() - n == 1) {
    put_pair(byte(n) << 4);
  }
  return out;
}

constexpr std::uint64_t byte_swapped(std::uint64_t n) {
  n = (n & 0x00ff00ff00ff00ff) << 8 | (n >> 8 & 0x00ff00ff00ff00ff);
  n = (n & 0x0000ffff0000ffff) << 16 | (n >> 16 & 0x0000ffff0000ffff);
  return n << 32 | n >> 32;
}

/// Writes the bytes that the characters stand for: fewer than there are characters.
/// Returns how many, or nothing where the text is not canonical base64url.
inline std::optional<std::size_t> base64url_decode(std::string_view text, char* out) {
  const auto place = [&](std::size_t at, std::size_t n) {
    return base64url_places[at][static_cast<unsigned char>(text[n])];
  };
  char* const begin = out;
  const auto put = [&](std::uint32_t bits, int shift) { *out++ = static_cast<char>(bits >> shift & 0xff); };
  const auto four = [&](std::size_t n) { return place(0, n) | place(1, n + 1) | place(2, n + 2) | place(3, n + 3); };
  std::uint32_t seen = 0;
  std::size_t n = 0;
  // Eight at a time, written as eight bytes of which six count: what follows overwrites the others.
  for (; text.size() - n >= 12; n += 8) {
    const std::uint32_t first = four(n), second = four(n + 4);
    seen |= first | second;
    std::uint64_t bits = std::uint64_t{first} << 40 | std::uint64_t{second} << 16;
    if constexpr (std::endian::native == std::endian::little) bits = byte_swapped(bits);
    std::memcpy(out, &bits, sizeof bits);
    out += 6;
  }
  for (; text.size() - n >= 4; n += 4) {
    const std::uint32_t bits = four(n);
    seen |= bits;
    put(bits, 16);
    put(bits, 8);
    put(bits, 0);
  }
  const std::size_t left = text.size() - n;
  if (left == 1) return std::nullopt;
  if (left >= 2) {
    const std::uint32_t bits = place(0, n) | place(1, n + 1) | (left == 3 ? place(2, n + 2) : 0);
    const std::uint32_t pad_bits = left == 3 ? 0xff : 0xffff;
    if (bits & pad_bits) return std::nullopt;
    seen |= bits;
    put(bits, 16);
    if (left == 3) put(bits, 8);
  }
  if (seen & base64url_no_character) return std::nullopt;
  return static_cast<std::size_t>(out - begin);
}

}  // namespace hirenow::detail
