// The key ring: what documents it takes, where from, how it is reloaded, and that secrets leave no trace.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include "hirenow/signing_key.hpp"
#include "hirenow/time_zone.hpp"

namespace {

using namespace hirenow;

const std::string k32(43, 'A');  // 32 zero bytes
// RFC 8037 A.1
const std::string ed_d = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const std::string ed_x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

std::string hs(std::string_view kid, std::string_view status, std::string_view k = k32) {
  return R"({"kty":"oct","alg":"HS256","kid":")" + std::string(kid) + R"(","status":")" + std::string(status) +
         R"(","k":")" + std::string(k) + "\"}";
}
std::string ed(std::string_view kid, std::string_view status, std::string_view d = ed_d, std::string_view x = ed_x) {
  return R"({"kty":"OKP","crv":"Ed25519","kid":")" + std::string(kid) + R"(","status":")" + std::string(status) +
         R"(","x":")" + std::string(x) + "\"" + (d.empty() ? "" : ",\"d\":\"" + std::string(d) + "\"") + "}";
}
std::string set_of(const std::vector<std::string>& keys) {
  std::string out = "{\"keys\":[";
  for (const auto& key : keys) out += (out.back() == '[' ? "" : ",") + key;
  return out + "]}";
}
std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

/// A directory of this test's own, gone when it ends.
class scratch {
 public:
  scratch() {
    char name[] = "/tmp/hirenow-keys-XXXXXX";
    REQUIRE(::mkdtemp(name));
    path_ = name;
  }
  ~scratch() { std::filesystem::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    const auto path = path_ + "/" + name;
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

errc refusal(const std::string& document) {
  const auto ring = key_ring::from_json(document);
  INFO(document);
  REQUIRE(ring.has_error());
  // Never a secret in an error: neither as it stands in the document nor in part.
  for (const auto& secret : {k32.substr(0, 12), ed_d.substr(0, 12)})
    CHECK(ring.error().message.find(secret) == std::string::npos);
  CHECK(!ring.error().reason.empty() == (ring.error().code == errc::key_invalid));
  return ring.error().code;
}

/// How often a text stands in this process's writable memory. It is given inverted, so as not to stand there itself.
/// The stack is left out: what a compiler spills there nobody can wipe, and the next calls overwrite it.
std::size_t times_in_memory(const std::string& inverted) {
  constexpr std::size_t window = 1 << 20;
  auto* const buffer =
      static_cast<char*>(::mmap(nullptr, window, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(buffer != MAP_FAILED);
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  std::ifstream maps("/proc/self/maps");
  std::size_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::string rights;
    std::istringstream(line) >> std::hex >> begin >> dash >> end >> rights;
    if (rights.substr(0, 2) != "rw" || end - begin > std::uintptr_t{1} << 30 || line.ends_with("[stack]")) continue;
    for (auto at = begin; at < end; at += window - inverted.size()) {
      const auto got = ::pread(memory, buffer, std::min<std::size_t>(window, end - at), static_cast<off_t>(at));
      for (ssize_t n = 0; n + static_cast<ssize_t>(inverted.size()) <= got; ++n) {
        const auto left = static_cast<std::size_t>(got - n) - inverted.size() + 1;
        const void* const candidate = std::memchr(buffer + n, static_cast<char>(~inverted[0]), left);
        if (!candidate) break;
        n = static_cast<const char*>(candidate) - buffer;
        std::size_t same = 0;
        while (same < inverted.size() && buffer[n + static_cast<ssize_t>(same)] == static_cast<char>(~inverted[same]))
          ++same;
        const auto place = at + static_cast<std::uintptr_t>(n);
        const auto own = reinterpret_cast<std::uintptr_t>(buffer);
        if (same == inverted.size() && (place + inverted.size() <= own || place >= own + window)) ++found;
      }
    }
  }
  detail::wipe(buffer, window);
  ::munmap(buffer, window);
  ::close(memory);
  return found;
}

}  // namespace

TEST_CASE("a ring reads both kinds of keys and says which one signs", "[keys]") {
  const auto ring = key_ring::from_json(set_of({hs("a", "verify_only"), ed("b", "signing"), hs("c", "retired")}));
  REQUIRE(ring.has_value());
  CHECK(ring->signing_kid().value() == "b");
  const auto& keys = ring->keys();
  REQUIRE(keys.keys.size() == 3);
  CHECK(keys.find("a")->algorithm() == key_algorithm::hs256);
  CHECK(keys.find("b")->algorithm() == key_algorithm::ed25519);
  CHECK(keys.find("a")->can_sign());
  CHECK(keys.find("b")->can_sign());
  CHECK(!keys.find("c")->can_sign());
  CHECK(keys.find("d") == nullptr);

  for (const auto& none : {set_of({}), set_of({hs("a", "verify_only"), hs("c", "retired")})})
    CHECK(key_ring::from_json(none).value().signing_kid().error().code == errc::no_signing_key);
}

TEST_CASE("members that a JWK may have beside ours are let be", "[keys]") {
  const auto with = [](std::string key, std::string_view more) { return set_of({key.insert(1, more)}); };
  CHECK(key_ring::from_json(with(hs("a", "signing"), R"("use":"sig","key_ops":["sign",{"x":1}],"x5t":null,)"))
            .has_value());
  CHECK(key_ring::from_json(with(ed("a", "signing"), R"("alg":"EdDSA","use":"sig",)")).has_value());
  CHECK(key_ring::from_json(replaced(set_of({hs("a", "signing")}), "{", "{\"name\":\"v1\",")).has_value());
  CHECK(key_ring::from_json(set_of({ed("a", "verify_only", "")})).has_value());
  CHECK(key_ring::from_json(set_of({hs("a\\u0062", "signing")})).value().signing_kid().value() == "ab");
}

TEST_CASE("documents that cannot be used are refused by name", "[keys]") {
  const auto good = set_of({hs("a", "signing")}), pair = set_of({ed("a", "signing")});
  REQUIRE(key_ring::from_json(good).has_value());
  REQUIRE(key_ring::from_json(pair).has_value());

  for (const std::string document : {"", "x", "[]", "null", "{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[1]}",
                                     "{\"keys\":[[]]}", "{\"keys\":[{}]}", "{\"keys\":[],\"keys\":[]}",
                                     "{\"keys\":[]}x", "{\"keys\":[],}", "\xef\xbb\xbf{\"keys\":[]}"})
    CHECK(refusal(document) == errc::key_invalid);
  CHECK(refusal(std::string("{\"keys\":[]}\0", 12)) == errc::key_invalid);

  for (const std::string kid : {"", "a\\u0000b", "a\\nb", "\xff"})
    CHECK(refusal(set_of({hs(kid, "signing")})) == errc::key_invalid);
  CHECK(refusal(set_of({hs(std::string(256, 'k'), "signing")})) == errc::key_invalid);
  CHECK(key_ring::from_json(set_of({hs(std::string(255, 'k'), "signing")})).has_value());
  CHECK(refusal(replaced(good, "\"a\"", "1")) == errc::key_invalid);
  CHECK(refusal(set_of({hs("a", "signing"), ed("a", "retired")})) == errc::key_invalid);
  CHECK(refusal(set_of({hs("a", "signing"), ed("b", "signing")})) == errc::key_invalid);
  CHECK(refusal(replaced(good, "\"kid\"", "\"kid\":\"b\",\"kid\"")) == errc::key_invalid);

  for (const std::string status : {"", "Signing", "active", "verify-only"})
    CHECK(refusal(set_of({hs("a", status)})) == errc::key_invalid);
  CHECK(refusal(replaced(good, ",\"status\":\"signing\"", "")) == errc::key_invalid);
  CHECK(refusal(replaced(good, "\"oct\"", "\"RSA\"")) == errc::key_invalid);
  CHECK(refusal(replaced(good, "\"oct\"", "\"OKP\"")) == errc::key_invalid);
  CHECK(refusal(replaced(good, "\"HS256\"", "\"HS512\"")) == errc::key_invalid);
  CHECK(refusal(replaced(good, "\"alg\":\"HS256\",", "")) == errc::key_invalid);
  CHECK(refusal(replaced(good, "{\"kty\"", "{\"use\":\"enc\",\"kty\"")) == errc::key_invalid);
  CHECK(refusal(replaced(pair, "\"Ed25519\"", "\"X25519\"")) == errc::key_invalid);
  CHECK(refusal(replaced(pair, "\"crv\"", "\"alg\":\"HS256\",\"crv\"")) == errc::key_invalid);

  // 31 bytes, padding, pad bits, the other alphabet, white space, escapes, another type.
  for (const auto& k : {std::string(), std::string(42, 'A'), k32 + "=", std::string(42, 'A') + "B",
                        std::string(42, 'A') + "+", std::string(42, 'A') + " ", std::string(42, 'A') + "\\u0041"})
    CHECK(refusal(set_of({hs("a", "retired", k)})) == errc::key_invalid);
  CHECK(refusal(replaced(good, "\"" + k32 + "\"", "7")) == errc::key_invalid);
  CHECK(key_ring::from_json(set_of({hs("a", "signing", std::string(1366, 'A'))})).has_value());

  CHECK(refusal(set_of({ed("a", "signing", "")})) == errc::key_invalid);
  CHECK(refusal(set_of({ed("a", "signing", k32)})) == errc::key_invalid);  // not the private half of this x
  CHECK(refusal(set_of({ed("a", "signing", ed_d, k32)})) == errc::key_invalid);
  CHECK(refusal(set_of({ed("a", "retired", ed_d, k32)})) == errc::key_invalid);
  CHECK(refusal(set_of({ed("a", "signing", ed_d + "A", ed_x)})) == errc::key_invalid);
  CHECK(refusal(set_of({ed("a", "verify_only", "", ed_x.substr(0, 42))})) == errc::key_invalid);
  CHECK(refusal(replaced(pair, "\"x\"", "\"y\"")) == errc::key_invalid);

  std::vector<std::string> many;
  for (int n = 0; n < 100; ++n) many.push_back(hs(std::to_string(n), "verify_only"));
  CHECK(key_ring::from_json(set_of(many)).has_value());
  many.push_back(hs("x", "signing"));
  CHECK(refusal(set_of(many)) == errc::too_large);
  CHECK(refusal(good + std::string(256 * 1024, ' ')) == errc::too_large);
  CHECK(refusal(std::string(1000, '[')) == errc::key_invalid);
}

TEST_CASE("an error about a document names the member at fault", "[keys]") {
  const auto message = [](const std::string& document) { return key_ring::from_json(document).error().message; };
  CHECK(message(set_of({ed("a", "signing"), hs("b", "verify_only", "AAAA")})) == "/keys/1/k is shorter than 32 bytes");
  CHECK(message(set_of({hs("a", "on")})) == "/keys/0/status must be signing, verify_only or retired");
}

TEST_CASE("a key file is read only if nobody but its owner may open it", "[keys]") {
  const scratch dir;
  const auto document = set_of({hs("a", "signing")});
  for (const mode_t mode : {0600u, 0400u})
    CHECK(key_ring::from_file(dir.write("good" + std::to_string(mode), document, mode)).has_value());
  for (const mode_t mode : {0640u, 0604u, 0660u, 0644u, 0620u, 0602u, 0610u, 0601u, 0777u}) {
    const auto ring = key_ring::from_file(dir.write("bad" + std::to_string(mode), document, mode));
    REQUIRE(ring.has_error());
    CHECK(ring.error().code == errc::key_file_exposed);
  }
  const auto code = [](const std::string& path) { return key_ring::from_file(path).error().code; };
  CHECK(code(dir.path() + "/missing") == errc::key_invalid);
  CHECK(code(dir.path()) == errc::key_invalid);
  CHECK(code("") == errc::key_invalid);
  CHECK(code(dir.write("empty", "")) == errc::key_invalid);
  CHECK(code(dir.write("large", std::string(256 * 1024 + 1, ' '))) == errc::too_large);
  const auto pipe = dir.path() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(key_ring::from_file(pipe).error().message == "key file " + pipe + ": is not a regular file");
  // Through a link it is the file's mode that counts.
  std::filesystem::create_symlink(dir.write("target", document, 0644), dir.path() + "/link");
  CHECK(code(dir.path() + "/link") == errc::key_file_exposed);
}

TEST_CASE("a reload takes the new document, and a bad one leaves the old keys in force", "[keys]") {
  const scratch dir;
  const auto path = dir.write("keys", set_of({hs("a", "signing")}));
  auto ring = key_ring::from_file(path).value();
  const auto copy = ring;
  const auto* const before = &copy.keys();

  dir.write("keys", set_of({hs("a", "verify_only"), hs("b", "signing")}));
  CHECK(ring.signing_kid().value() == "a");
  REQUIRE(ring.reload().has_value());
  CHECK(ring.signing_kid().value() == "b");
  CHECK(copy.signing_kid().value() == "b");
  CHECK(before->find("a")->status() == key_status::signing);  // who still works with the old keys may finish

  const auto* const now = &copy.keys();
  for (const auto& bad : {std::string("{"), set_of({hs("b", "signing", "AAAA")})}) {
    dir.write("keys", bad);
    CHECK(ring.reload().error().code == errc::key_invalid);
    CHECK(&copy.keys() == now);
  }
  dir.write("keys", set_of({hs("c", "signing")}), 0644);
  CHECK(ring.reload().error().code == errc::key_file_exposed);
  std::filesystem::remove(path);
  CHECK(ring.reload().error().code == errc::key_invalid);
  CHECK(&copy.keys() == now);

  // The same document again, or an earlier one, makes nothing new.
  dir.write("keys", set_of({hs("a", "signing")}));
  REQUIRE(ring.reload().has_value());
  REQUIRE(ring.reload().has_value());
  CHECK(&copy.keys() == before);
}

TEST_CASE("the child of a fork has keys and zones, whatever the parent's threads were at", "[keys]") {
  const std::string one = new_key_document(key_algorithm::hs256, "k1"),
                    two = new_key_document(key_algorithm::hs256, "k2");
  auto ring = key_ring::from_json(one).value();
  std::atomic<bool> over{false};
  std::vector<std::thread> busy;
  for (int n = 0; n < 2; ++n) {
    busy.emplace_back([&, mine = ring]() mutable {
      while (!over) (void)mine.reload(one);
    });
    busy.emplace_back([&] {
      while (!over) (void)zone_offsets::named("Europe/Vienna");
    });
  }
  int well = 0;
  constexpr int children = 50;
  for (int n = 0; n < children; ++n) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(10);  // ends one that waits for what no thread of its own has
      const bool good = ring.reload(two) && ring.signing_kid().value() == "k2" && zone_offsets::named("Asia/Tokyo");
      ::_exit(good ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    well += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (well <= n) break;
  }
  over = true;
  for (auto& thread : busy) thread.join();
  CHECK(well == children);
  CHECK(ring.signing_kid().value() == "k1");
}

TEST_CASE("keys that are loaded at once by many all stay usable", "[keys][threads]") {
  std::vector<std::string> documents;
  for (int n = 0; n < 8; ++n) documents.push_back(new_key_document(key_algorithm::hs256, "k" + std::to_string(n)));
  auto ring = key_ring::from_json(documents[0]).value();
  std::atomic<int> faults{0};
  std::vector<std::thread> threads;
  for (const auto& document : documents)
    threads.emplace_back([&ring, &document, &faults, mine = ring]() mutable {
      for (int n = 0; n < 20; ++n) {
        const auto& before = ring.keys();
        if (!mine.reload(document) || !before.keys.front().kid().starts_with("k")) ++faults;  // sets outlive reloads
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(faults == 0);
  for (const auto& document : documents) REQUIRE(ring.reload(document).has_value());
  CHECK(ring.signing_kid().value() == "k7");
}

TEST_CASE("a ring made from a text is reloaded with a text", "[keys]") {
  auto ring = key_ring::from_json(set_of({hs("a", "signing")})).value();
  CHECK(ring.reload().error().code == errc::invalid_argument);
  REQUIRE(ring.reload(set_of({hs("b", "signing")})).has_value());
  CHECK(ring.signing_kid().value() == "b");
}

TEST_CASE("a ring is read from the environment, and again", "[keys]") {
  const std::string name = "HIRENOW_TEST_KEYS";
  ::unsetenv(name.c_str());
  CHECK(key_ring::from_environment(name).error().code == errc::key_invalid);
  ::setenv(name.c_str(), set_of({hs("a", "signing")}).c_str(), 1);
  auto ring = key_ring::from_environment(name).value();
  CHECK(ring.signing_kid().value() == "a");
  ::setenv(name.c_str(), set_of({hs("b", "signing")}).c_str(), 1);
  REQUIRE(ring.reload().has_value());
  CHECK(ring.signing_kid().value() == "b");
  ::unsetenv(name.c_str());
  CHECK(ring.reload().error().code == errc::key_invalid);
  CHECK(ring.signing_kid().value() == "b");
}

TEST_CASE("only public halves of keys in force are exported", "[keys]") {
  const auto ring =
      key_ring::from_json(set_of({hs("a", "signing"), ed("b\\\"c", "verify_only"), ed("d", "retired")})).value();
  const auto text = ring.public_jwks();
  CHECK(text.find(ed_d) == std::string::npos);
  CHECK(text.find(k32) == std::string::npos);
  CHECK(boost::json::parse(text) == boost::json::value({{"keys", boost::json::array{{{"kty", "OKP"},
                                                                                     {"crv", "Ed25519"},
                                                                                     {"alg", "EdDSA"},
                                                                                     {"use", "sig"},
                                                                                     {"kid", "b\"c"},
                                                                                     {"x", ed_x}}}}}));
  CHECK(key_ring::from_json(set_of({hs("a", "signing")})).value().public_jwks() == "{\"keys\":[]}");
}

TEST_CASE("a fresh key document makes a ring that signs, and no two are the same", "[keys]") {
  for (const auto algorithm : {key_algorithm::hs256, key_algorithm::ed25519})
    for (const std::string kid : {"2026-03", "a \"quoted\" \\ kid", "schlüssel"}) {
      const auto document = new_key_document(algorithm, kid);
      CHECK(document != new_key_document(algorithm, kid));
      const auto ring = key_ring::from_json(document);
      REQUIRE(ring.has_value());
      CHECK(ring->signing_kid().value() == kid);
      CHECK(ring->keys().find(kid)->algorithm() == algorithm);
    }
  CHECK_THROWS_AS(new_key_document(key_algorithm::hs256, ""), exception);
  CHECK_THROWS_AS(new_key_document(key_algorithm::hs256, "a\nb"), exception);
}

TEST_CASE("a text is signed for one purpose, by one key", "[keys]") {
  const auto ring =
      key_ring::from_json(set_of({hs("a", "signing"), ed("b", "verify_only"), hs("c", "retired")})).value();
  for (const std::string kid : {"a", "b"}) {
    const auto signature = ring.sign_text(kid, "purpose", "text").value();
    CHECK(ring.verify_text(kid, "purpose", "text", signature).has_value());
    CHECK(ring.verify_text(kid, "purpose", "text!", signature).error().code == errc::invalid_argument);
    CHECK(ring.verify_text(kid, "other", "text", signature).error().code == errc::invalid_argument);
    CHECK(ring.verify_text(kid, "purpose", "text", signature + "=").error().code == errc::invalid_argument);
    CHECK(ring.verify_text(kid, "purpose", "text", "").error().code == errc::invalid_argument);
    CHECK(ring.verify_text(kid == "a" ? "b" : "a", "purpose", "text", signature).error().code ==
          errc::invalid_argument);
    CHECK(ring.verify_text("c", "purpose", "text", signature).error().code == errc::key_invalid);
  }
  CHECK(ring.sign_text("c", "purpose", "text").error().code == errc::key_invalid);
  CHECK(ring.sign_text("x", "purpose", "text").error().code == errc::key_invalid);
  CHECK(ring.verify_text("x", "purpose", "text", "").error().code == errc::key_invalid);
}

TEST_CASE("when a ring has died its secrets stand nowhere in memory", "[keys]") {
  const scratch dir;
  for (const auto algorithm : {key_algorithm::hs256, key_algorithm::ed25519}) {
    std::string inverted_text, inverted_bytes;
    const auto path = dir.path() + "/keys";
    {
      auto document = new_key_document(algorithm, "k");
      const std::string_view member = algorithm == key_algorithm::hs256 ? "\"k\":\"" : "\"d\":\"";
      const auto at = document.find(member) + member.size();
      std::array<char, 64> bytes;
      const auto size = detail::base64url_decode(std::string_view(document).substr(at, 43), bytes.data());
      REQUIRE(size == 32u);
      // Their last parts: the first 16 bytes of what is freed belong to the allocator.
      for (std::size_t n = 19; n < 43; ++n) inverted_text.push_back(static_cast<char>(~document[at + n]));
      for (std::size_t n = 16; n < 32; ++n) inverted_bytes.push_back(static_cast<char>(~bytes[n]));
      const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
      REQUIRE(::write(file, document.data(), document.size()) == static_cast<ssize_t>(document.size()));
      ::close(file);
      detail::wipe(document.data(), document.size());
      detail::wipe(bytes.data(), bytes.size());
    }
    {
      const auto ring = key_ring::from_file(path).value();
      CHECK(ring.sign_text("k", "purpose", "text").has_value());
      CHECK(times_in_memory(inverted_bytes) > 0);  // the search finds what is there
      CHECK(times_in_memory(inverted_text) == 0);
    }
    CHECK(times_in_memory(inverted_bytes) == 0);
    CHECK(times_in_memory(inverted_text) == 0);
  }
}
