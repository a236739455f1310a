// Tokens: against vectors that other software made, and the verdict on a link in every state, generation and time.

#include <atomic>
#include <chrono>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>

#include "hirenow/token.hpp"

namespace {

using namespace hirenow;

std::string text_of(const boost::json::value& v) { return std::string(v.as_string().c_str(), v.as_string().size()); }

sys_seconds at(std::int64_t t) { return sys_seconds{seconds{t}}; }

struct vector_file {
  vector_file() {
    std::ifstream in(HIRENOW_SOURCE_DIR "/tests/spec/token_vectors.json");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    document = boost::json::parse(text);
  }
  key_ring ring() const { return key_ring::from_json(boost::json::serialize(document.at("keys"))).value(); }
  token_expectation expectation() const {
    return {text_of(document.at("expectation").at("issuer")), text_of(document.at("expectation").at("audience"))};
  }
  const boost::json::array& vectors() const { return document.at("vectors").as_array(); }
  boost::json::value document;
};

token_claims claims_of(const boost::json::value& v) {
  return {.issuer = text_of(v.at("iss")),
          .audience = text_of(v.at("aud")),
          .subject = text_of(v.at("sub")),
          .tenant = text_of(v.at("tenant")),
          .interview = parse_interview_id(text_of(v.at("interview_id"))).value(),
          .generation = v.at("generation").to_number<std::uint32_t>(),
          .attempt = v.at("attempt").to_number<std::uint32_t>(),
          .issued_at = at(v.at("iat").to_number<std::int64_t>()),
          .not_before = at(v.at("nbf").to_number<std::int64_t>()),
          .expires_at = at(v.at("exp").to_number<std::int64_t>())};
}

const interview_id id = parse_interview_id("0190f5fe-7c00-7a3b-8d41-5e6f708192a3").value();
constexpr std::int64_t opens = 1'000'000, ends = 2'000'000, deadline = 1'500'000;

/// Claims of generation 2 of the interview in `record_in`.
token_claims good_claims() {
  return {.issuer = "issuer",
          .audience = "audience",
          .subject = "ada",
          .tenant = "acme",
          .interview = id,
          .generation = 2,
          .attempt = 3,
          .issued_at = at(opens),
          .not_before = at(opens),
          .expires_at = at(ends)};
}

applicant_record record_in(interview_state state) {
  applicant_record record;
  record.tenant = "acme";
  record.person.id = "ada";
  record.version = 7;
  interview i;
  i.id = id;
  i.attempt = 3;
  i.state = state;
  i.start_by = at(ends);
  i.link = {.generation = 2, .kid = "k", .issued_at = at(opens), .not_before = at(opens), .expires_at = at(ends)};
  if (state == interview_state::in_progress) i.deadline = at(deadline);
  record.interviews = {interview{}, i};
  return record;
}

}  // namespace

TEST_CASE("tokens that other software made are accepted and refused as the vectors say", "[token]") {
  const vector_file file;
  const auto ring = file.ring();
  std::set<std::string> reasons;
  for (const auto& vector : file.vectors()) {
    const auto name = text_of(vector.at("name")), token = text_of(vector.at("token")),
               expect = text_of(vector.at("expect"));
    INFO(name);
    const auto read = verify_token(ring, token, file.expectation());
    reasons.insert(expect);
    if (expect != "ok") {
      REQUIRE(read.has_error());
      CHECK(read.error().code == errc::token_invalid);
      CHECK(read.error().reason == expect);
      continue;
    }
    REQUIRE((read ? "" : read.error().reason) == "");
    const auto claims = claims_of(vector.at("claims"));
    CHECK(*read == claims);
    if (const auto* kid = vector.as_object().if_contains("minted_by"))
      CHECK(mint_token(ring, text_of(*kid), claims).value() == token);
  }
  CHECK(reasons == std::set<std::string>{"ok", "too_large", "form", "base64", "json", "duplicate_member", "algorithm",
                                         "typ", "crit", "kid", "signature", "claims", "time_range", "issuer",
                                         "audience"});
}

TEST_CASE("a token with any one character changed is refused", "[token]") {
  for (const auto algorithm : {key_algorithm::hs256, key_algorithm::ed25519}) {
    const auto ring = key_ring::from_json(new_key_document(algorithm, "k")).value();
    const auto token = mint_token(ring, "k", good_claims()).value();
    REQUIRE(verify_token(ring, token, {"issuer", "audience"}).has_value());
    const std::size_t step = algorithm == key_algorithm::hs256 ? 1 : 7;
    for (std::size_t n = 0; n < token.size(); n += step)
      for (const char c : {'A', 'z', '-', '.', '=', '\0', '\xff'}) {
        if (token[n] == c) continue;
        auto changed = token;
        changed[n] = c;
        const auto read = verify_token(ring, changed, {"issuer", "audience"});
        REQUIRE(read.has_error());
        REQUIRE(read.error().code == errc::token_invalid);
      }
    for (std::size_t n = 0; n < token.size(); ++n)
      REQUIRE(verify_token(ring, std::string_view(token).substr(0, n), {"issuer", "audience"}).has_error());
  }
}

TEST_CASE("an error about a token repeats nothing of it", "[token]") {
  const vector_file file;
  const auto ring = file.ring();
  for (const auto& vector : file.vectors()) {
    const auto token = text_of(vector.at("token"));
    const auto read = verify_token(ring, token, file.expectation());
    if (!read) CHECK(read.error().message == "the token is refused: " + read.error().reason);
  }
}

TEST_CASE("minting is deterministic, and works again after a rotation", "[token]") {
  for (const auto algorithm : {key_algorithm::hs256, key_algorithm::ed25519}) {
    auto document = new_key_document(algorithm, "k");
    auto ring = key_ring::from_json(document).value();
    const auto token = mint_token(ring, "k", good_claims()).value();
    CHECK(mint_token(ring, "k", good_claims()).value() == token);

    document.replace(document.find("signing"), 7, "verify_only");
    REQUIRE(ring.reload(document).has_value());
    CHECK(mint_token(ring, "k", good_claims()).value() == token);
    CHECK(verify_token(ring, token, {"issuer", "audience"}).value() == good_claims());

    document.replace(document.find("verify_only"), 11, "retired");
    REQUIRE(ring.reload(document).has_value());
    CHECK(mint_token(ring, "k", good_claims()).error().code == errc::key_invalid);
    CHECK(verify_token(ring, token, {"issuer", "audience"}).error().reason == "kid");
  }
}

TEST_CASE("claims that no token may carry are not minted", "[token]") {
  const auto ring = key_ring::from_json(new_key_document(key_algorithm::hs256, "k")).value();
  const auto code_of = [&](auto change) {
    auto claims = good_claims();
    change(claims);
    const auto token = mint_token(ring, "k", claims);
    REQUIRE(token.has_error());
    return token.error().code;
  };
  for (const auto member :
       {&token_claims::issuer, &token_claims::audience, &token_claims::subject, &token_claims::tenant}) {
    for (const auto& bad : {std::string(), std::string("a\0b", 3), std::string("\xff"), std::string("a\nb"),
                            std::string("\xc0\x80"), std::string("plain until the very end\x7f")})
      CHECK(code_of([&](token_claims& c) { c.*member = bad; }) == errc::invalid_argument);
    CHECK(code_of([&](token_claims& c) { c.*member = std::string(256, 'x'); }) == errc::too_large);
    CHECK(code_of([&](token_claims& c) { c.*member = std::string(1'000'000, '"'); }) == errc::too_large);
  }
  for (const auto member : {&token_claims::issued_at, &token_claims::not_before, &token_claims::expires_at})
    for (const auto bad : {min_instant - seconds{1}, max_instant + seconds{1}, sys_seconds::min(), sys_seconds::max()})
      CHECK(code_of([&](token_claims& c) { c.*member = bad; }) == errc::invalid_argument);
  CHECK(code_of([](token_claims& c) { c.generation = 0; }) == errc::invalid_argument);
  CHECK(code_of([](token_claims& c) { c.attempt = 0; }) == errc::invalid_argument);
  for (const auto& kid : {std::string(), std::string("K"), std::string("k\0", 2)})
    CHECK(mint_token(ring, kid, good_claims()).error().code == errc::key_invalid);
}

TEST_CASE("every id that limits accept comes back from a token as it was", "[token]") {
  const auto ring = key_ring::from_json(new_key_document(key_algorithm::hs256, "k")).value();
  for (int byte = 1; byte < 256; ++byte)
    for (const std::size_t place : {0u, 3u, 7u, 8u, 12u}) {
      std::string id_text(13, 'x');
      id_text[place] = static_cast<char>(byte);
      auto claims = good_claims();
      claims.subject = id_text;
      const auto token = mint_token(ring, "k", claims);
      REQUIRE(token.has_value() == limits::check_id("id", id_text).has_value());
      if (token) REQUIRE(verify_token(ring, *token, {"issuer", "audience"}).value() == claims);
    }
}

TEST_CASE("a link is judged by state, generation and time, in the design's order", "[token]") {
  using enum interview_state;
  struct moment {
    std::int64_t now;
    bool early, past_deadline, past_start_by;
  };
  const std::vector<moment> moments{
      {0, true, false, false},          {opens - 61, true, false, false},    {opens - 60, false, false, false},
      {opens, false, false, false},     {deadline - 1, false, false, false}, {deadline, false, true, false},
      {ends - 1, false, true, false},   {ends, false, true, true},           {ends + 59, false, true, true},
      {253402300799, false, true, true}};
  std::set<verdict> seen;
  for (std::size_t s = 0; s < interview_state_count; ++s)
    for (const bool superseded : {false, true})
      for (const std::uint32_t generation : {1u, 2u, 3u})
        for (const auto& m : moments) {
          const auto state = static_cast<interview_state>(s);
          auto record = record_in(state);
          if (superseded) record.interviews[1].superseded_by = interview_id{};
          auto claims = good_claims();
          claims.generation = generation;
          INFO(to_string(state) << " superseded " << superseded << " generation " << generation << " now " << m.now);

          // The same order again, as a list of what each state means, instead of a chain of questions.
          verdict expected = verdict::valid;
          if (generation == 3) {
            expected = verdict::invalid;
          } else if (state == cancelled) {
            expected = verdict::cancelled;
          } else if (state == archived || superseded) {
            expected = verdict::superseded_interview;
          } else if (std::set{submitted, passed, failed, on_hold, voided}.contains(state)) {
            expected = verdict::completed;
          } else if (generation == 1) {
            expected = verdict::superseded_link;
          } else if (m.early) {
            expected = verdict::not_yet_valid;
          } else if (state == interview_state::expired || (state == scheduled && m.past_start_by) ||
                     (state == in_progress && m.past_deadline)) {
            expected = verdict::expired;
          }
          CHECK(judge_link(claims, &record, at(m.now)) == expected);
          seen.insert(expected);
        }
  CHECK(seen.size() == verdict_count);
}

TEST_CASE("a link outlives start_by once it was opened, and an old one never counts by its own times", "[token]") {
  auto record = record_in(interview_state::in_progress);
  record.interviews[1].deadline = at(ends + 3600);
  CHECK(judge_link(good_claims(), &record, at(ends + 3599)) == verdict::valid);
  CHECK(judge_link(good_claims(), &record, at(ends + 3600)) == verdict::expired);

  // An older generation was stamped otherwise, and that is no reason to call it a forgery.
  auto older = good_claims();
  older.generation = 1;
  older.issued_at = older.not_before = at(1);
  older.expires_at = at(2);
  CHECK(judge_link(older, &record, at(opens)) == verdict::superseded_link);
}

TEST_CASE("claims that belong to no link of ours are invalid, whatever the state", "[token]") {
  const auto judge = [](auto change) {
    std::set<verdict> all;
    for (std::size_t s = 0; s < interview_state_count; ++s) {
      auto record = record_in(static_cast<interview_state>(s));
      auto claims = good_claims();
      change(record, claims);
      all.insert(judge_link(claims, &record, at(opens)));
    }
    return all;
  };
  using record = applicant_record;
  using claims = token_claims;
  const std::set<verdict> invalid{verdict::invalid};
  CHECK(judge([](record&, claims&) {}).contains(verdict::valid));
  CHECK(judge([](record& r, claims&) { r.version = 0; }) == invalid);
  CHECK(judge([](record& r, claims&) { r.erased = true; }) == invalid);
  CHECK(judge([](record& r, claims&) { r.tenant = "acm"; }) == invalid);
  CHECK(judge([](record& r, claims&) { r.person.id = "eve"; }) == invalid);
  CHECK(judge([](record& r, claims&) { r.interviews.clear(); }) == invalid);
  CHECK(judge([](record&, claims& c) { c.tenant = "other"; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.subject = "eve"; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.interview.data[0] ^= 1; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.attempt = 2; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.attempt = 4; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.generation = 3; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.issued_at += seconds{1}; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.not_before -= seconds{1}; }) == invalid);
  CHECK(judge([](record&, claims& c) { c.expires_at += seconds{1}; }) == invalid);
  CHECK(judge_link(good_claims(), nullptr, at(opens)) == verdict::invalid);
}

TEST_CASE("each verdict has a word and, but for valid, an error of its own", "[token]") {
  std::set<errc> codes;
  std::set<std::string_view> words;
  for (std::size_t n = 0; n < verdict_count; ++n) {
    const auto v = static_cast<verdict>(n);
    words.insert(to_string(v));
    const auto made = to_error(v);
    CHECK(made.has_value() == (v == verdict::valid));
    if (made) continue;
    CHECK(made.error().code == error_of(v));
    CHECK(to_string(made.error().code) == "token_" + std::string(to_string(v)));
    codes.insert(made.error().code);
  }
  CHECK(codes.size() == verdict_count - 1);
  CHECK(words.size() == verdict_count);
  CHECK(to_string(static_cast<verdict>(99)) == "unknown");
}

TEST_CASE("tokens are minted and verified while the keys are reloaded", "[token][concurrent]") {
  const auto document = [](std::string_view old_status, std::string_view new_status, int nonce) {
    const std::string k(43, 'A');
    const auto key = [&](std::string_view kid, std::string_view status) {
      return R"({"kty":"oct","alg":"HS256","k":")" + k + R"(","kid":")" + std::string(kid) + R"(","status":")" +
             std::string(status) + "\"}";
    };
    return "{\"keys\":[" + key("old", old_status) + "," + key("new", new_status) +
           "],\"nonce\":" + std::to_string(nonce) + "}";
  };
  auto ring = key_ring::from_json(document("signing", "verify_only", 0)).value();
  const auto claims = good_claims();
  const auto expected = mint_token(ring, "new", claims).value();
  std::atomic<bool> stop{false};
  std::atomic<unsigned> checked{0}, wrong{0};
  std::vector<std::thread> workers;
  for (int n = 0; n < 20; ++n)  // more than there are slots for contexts
    workers.emplace_back([&, mine = ring] {
      while (!stop.load()) {
        const auto kid = mine.signing_kid();
        const auto token = mint_token(mine, "new", claims);
        const auto read = verify_token(mine, expected, {"issuer", "audience"});
        if (!kid || !token || *token != expected || !read || !(*read == claims)) ++wrong;
        ++checked;
      }
    });
  for (int n = 1; n <= 200; ++n) {
    const bool turned = n % 2;
    const auto loaded =
        ring.reload(document(turned ? "verify_only" : "signing", turned ? "signing" : "verify_only", n));
    CHECK(loaded.has_value());
    CHECK(ring.signing_kid().value() == (turned ? "new" : "old"));
  }
  while (checked.load() < 2000) std::this_thread::yield();
  stop = true;
  for (auto& w : workers) w.join();
  CHECK(wrong.load() == 0);
}
