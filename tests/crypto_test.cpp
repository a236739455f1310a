// Hashes, MACs and signatures against published vectors; randomness across fork; the layout of ids.

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/base64url.hpp"

namespace {

using namespace hirenow;

std::string bytes(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t n = 0; n + 1 < hex.size(); n += 2)
    out.push_back(static_cast<char>(digit(hex[n]) * 16 + digit(hex[n + 1])));
  return out;
}
template <class Bytes>
std::string hex(const Bytes& data) {
  std::string out;
  for (const auto b : data) {
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(b) >> 4]);
    out.push_back("0123456789abcdef"[static_cast<unsigned char>(b) & 15]);
  }
  return out;
}
std::string decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  const auto size = detail::base64url_decode(text, out.data());
  REQUIRE(size.has_value());
  out.resize(*size);
  return out;
}
std::string encoded(std::string_view data) {
  std::string out(detail::base64url_length(data.size()), '\0');
  REQUIRE(detail::base64url_encode(data, out.data()) == out.data() + out.size());
  return out;
}
sys_seconds at(std::int64_t t) { return sys_seconds{seconds{t}}; }

/// What a forked child writes into a pipe.
template <class Write>
std::string from_child(Write write) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto child = ::fork();
  if (child == 0) {
    const std::string text = write();
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  REQUIRE(child > 0);
  ::close(ends[1]);
  std::string out;
  std::array<char, 256> part;
  for (ssize_t got; (got = ::read(ends[0], part.data(), part.size())) > 0;)
    out.append(part.data(), static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  return out;
}
std::string sixteen_random_bytes() {
  std::array<std::uint8_t, 16> out{};
  random_bytes(out);
  return hex(out);
}

}  // namespace

TEST_CASE("SHA-256 gives NIST's examples", "[crypto]") {
  // FIPS 180-4 examples, and the long message of NIST's CAVP.
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  CHECK(sha256(std::string_view()) == sha256(""));
}

TEST_CASE("HMAC-SHA-256 gives the examples of RFC 4231, once or often keyed", "[crypto]") {
  struct example {
    std::string key, data, mac;
  };
  const std::vector<example> examples{
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {std::string(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
       "hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& e : examples) {
    CHECK(hex(hmac_sha256(e.key, e.data)) == e.mac);
    const detail::mac_key key(e.key);
    for (int again = 0; again < 3; ++again) CHECK(hex(key.mac(e.data)) == e.mac);
  }
  // The empty key and text, as OpenSSL's command line and Python have them.
  const std::string none = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  CHECK(hex(hmac_sha256("", "")) == none);
  CHECK(hex(hmac_sha256({}, {})) == none);
}

TEST_CASE("an often keyed MAC is that of the example in RFC 7515 A.1", "[crypto]") {
  const detail::mac_key key(
      decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
  const auto mac = key.mac(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ");
  CHECK(encoded({reinterpret_cast<const char*>(mac.data()), mac.size()}) ==
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST_CASE("Ed25519 gives the examples of RFC 8037 A.4 and RFC 8032 7.1", "[crypto]") {
  const auto seed = decoded("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  const auto key = detail::ed25519_key::from_private(seed);
  const auto half = key.public_half();
  const std::string point(half.begin(), half.end());
  CHECK(encoded(point) == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  const std::string input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  for (int again = 0; again < 3; ++again) {
    const auto signature = key.sign(input);
    const std::string text(signature.begin(), signature.end());
    CHECK(encoded(text) == "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    CHECK(key.verify(input, text));
    CHECK(detail::ed25519_key::from_public(point).verify(input, text));
    CHECK(!key.verify(input + " ", text));
    CHECK(!key.verify(input, text.substr(1)));
    CHECK(!key.verify(input, ""));
  }
  CHECK(key.can_sign());
  CHECK(!detail::ed25519_key::from_public(point).can_sign());

  const auto empty = key.sign("");  // RFC 8032, test 1: the same key
  CHECK(
      hex(empty) ==
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
      "4655141438e7a100b");
}

TEST_CASE("one key gives the right MAC to many threads at once", "[crypto][concurrent]") {
  const std::string secret(32, 'k');
  const detail::mac_key key(secret);
  std::atomic<unsigned> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 24; ++t)  // more than there are slots
    threads.emplace_back([&, t] {
      for (int n = 0; n < 300; ++n) {
        const std::string data = std::to_string(t) + "/" + std::to_string(n);
        if (key.mac(data) != hmac_sha256(secret, data)) ++wrong;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("base64url gives the examples of RFC 4648 10, without padding, and back", "[crypto]") {
  const std::vector<std::pair<std::string, std::string>> examples{
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
  for (const auto& [data, text] : examples) {
    CHECK(encoded(data) == text);
    CHECK(decoded(text) == data);
  }
  for (std::size_t size = 0; size < 200; ++size) {
    std::string data(size, '\0');
    random_bytes({reinterpret_cast<std::uint8_t*>(data.data()), data.size()});
    CHECK(decoded(encoded(data)) == data);
  }
}

TEST_CASE("base64url writes no byte too many, and a wrong character is seen wherever it stands", "[crypto]") {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string data(size, '\x5a');
    std::string text = encoded(data), out(size + 8, '#');
    CHECK(detail::base64url_decode(text, out.data()) == size);
    CHECK(out == data + "########");
    for (char& c : text) {
      const char right = c;
      for (const char wrong : std::string("+/= \0\x80\xff", 7)) {
        c = wrong;
        CHECK(!detail::base64url_decode(text, out.data()));
      }
      c = right;
    }
  }
}

TEST_CASE("of all texts of up to three characters only the canonical ones are decoded", "[crypto]") {
  std::array<char, 4> out;
  std::set<std::string> seen;
  const auto check = [&](const std::string& text) {
    const auto size = detail::base64url_decode(text, out.data());
    if (!size) return false;
    const std::string data(out.data(), *size);
    // What is decoded is what would be encoded, and nothing else stands for the same bytes.
    REQUIRE(encoded(data) == text);
    REQUIRE(seen.insert(data).second);
    return true;
  };
  unsigned two = 0, three = 0;
  for (int a = 0; a < 256; ++a) {
    CHECK(!check(std::string(1, static_cast<char>(a))));
    for (int b = 0; b < 256; ++b) {
      const std::string pair{static_cast<char>(a), static_cast<char>(b)};
      two += check(pair);
      if (detail::base64url_alphabet.find(static_cast<char>(a)) == std::string_view::npos) continue;
      for (const char c : std::string("AQgw8-_=+/ \n\0.\xff", 15)) three += check(pair + c);
    }
  }
  CHECK(two == 256);
  CHECK(three == 64 * 64 * 5);  // the last of three has two pad bits: of those tried A, Q, g, w and 8 have them zero
}

TEST_CASE("comparison says whether texts are the same", "[crypto]") {
  CHECK(equal_in_constant_time("", ""));
  CHECK(equal_in_constant_time({}, ""));
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK(!equal_in_constant_time("abc", "abd"));
  CHECK(!equal_in_constant_time("abc", "ab"));
  CHECK(!equal_in_constant_time(std::string("a\0b", 3), std::string("a\0c", 3)));
}

TEST_CASE("random bytes fill what they are asked to fill, and no more", "[crypto]") {
  for (const std::size_t size : {0u, 1u, 15u, 16u, 1023u, 1024u, 1025u, 4096u, 10'000u}) {
    std::vector<std::uint8_t> out(size + 2, 0);
    random_bytes({out.data() + 1, size});
    CHECK(out.front() == 0);
    CHECK(out.back() == 0);
    if (size < 15) continue;
    // 15 bytes or more are all alike by chance once in 2^112 runs.
    CHECK(!std::all_of(out.begin() + 1, out.end() - 1, [&](auto b) { return b == out[1]; }));
  }
}

TEST_CASE("no random bytes are handed out twice, across buffers and threads", "[crypto][concurrent]") {
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made)
    threads.emplace_back([&mine] {
      for (int n = 0; n < 5000; ++n) mine.push_back(sixteen_random_bytes());
    });
  for (auto& t : threads) t.join();
  std::set<std::string> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  CHECK(all.size() == 20'000);
}

TEST_CASE("a forked child's random bytes and ids are its own", "[crypto]") {
  sixteen_random_bytes();  // so that there is a buffer to inherit
  std::set<std::string> all;
  for (int n = 0; n < 3; ++n) {
    const auto child = from_child([] {
      // The grandchild too: it inherits a buffer that the child has filled anew.
      const auto own = sixteen_random_bytes();
      return own + from_child(sixteen_random_bytes) + sixteen_random_bytes();
    });
    REQUIRE(child.size() == 96);
    for (std::size_t part = 0; part < 3; ++part) all.insert(child.substr(part * 32, 32));
    all.insert(sixteen_random_bytes());
  }
  CHECK(all.size() == 12);

  new_interview_id(at(1'700'000'000));
  const auto id_of_child = from_child([] { return to_string(new_interview_id(at(1'700'000'000))); });
  CHECK(id_of_child != to_string(new_interview_id(at(1'700'000'000))));
}

TEST_CASE("an interview id is a UUID of version 7 that begins with its second", "[crypto]") {
  for (const std::int64_t t :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{1'645'557'742}, std::int64_t{253402300799}}) {
    const auto id = new_interview_id(at(t));
    std::uint64_t ms = 0;
    for (int byte = 0; byte < 6; ++byte) ms = ms << 8 | id.data[byte];
    CHECK(ms / 1000 == static_cast<std::uint64_t>(t));
    CHECK(id.data[6] >> 4 == 7);
    CHECK(id.data[8] >> 6 == 2);
    CHECK(id.variant() == id.variant_rfc_4122);
    CHECK(parse_interview_id(to_string(id)).value() == id);
  }
  // The instant of the example in RFC 9562 A.6, which has more digits than a second: 017F22E2-79B0-7…
  CHECK(to_string(new_interview_id(at(1'645'557'742))).substr(0, 8) == "017f22e2");
}

TEST_CASE("ids of one thread ascend, within a second and from one to the next", "[crypto]") {
  std::vector<std::string> ids;
  for (std::int64_t t = 1'800'000'000; t < 1'800'000'003; ++t)
    for (int n = 0; n < 20'000; ++n) ids.push_back(to_string(new_interview_id(at(t))));
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("ids stay within their second and differ, even after four million of them", "[crypto]") {
  const auto second = at(1'900'000'000);
  const auto first = new_interview_id(second);
  interview_id last = first;
  for (int n = 1; n < 4'096'000; ++n) last = new_interview_id(second);
  const auto milliseconds = [](const interview_id& id) {
    std::uint64_t ms = 0;
    for (int byte = 0; byte < 6; ++byte) ms = ms << 8 | id.data[byte];
    return ms;
  };
  CHECK(milliseconds(first) == 1'900'000'000'000);
  CHECK(milliseconds(last) == 1'900'000'000'999);
  const auto anew = new_interview_id(second);
  CHECK(milliseconds(anew) == 1'900'000'000'000);
  CHECK(anew != first);
}

TEST_CASE("secret bytes are moved, not copied, and no two keys are the same", "[crypto]") {
  detail::secret_bytes first(std::string_view("a secret of some length"));
  const auto* const place = first.data();
  const detail::secret_bytes second(std::move(first));
  CHECK(second.view() == "a secret of some length");
  CHECK(second.view(8) == "a secret");
  CHECK(reinterpret_cast<const std::uint8_t*>(second.view().data()) == place);
  CHECK(detail::secret_bytes(4).view() == std::string(4, '\0'));
  CHECK(detail::new_secret(32).view() != detail::new_secret(32).view());
}
