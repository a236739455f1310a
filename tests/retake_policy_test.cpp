// The retake rules against tests/spec/retake_cases.json, and the document's reader against everything it must refuse.
// Properties over random policies and histories stand in retake_policy_property_test.cpp.

#include "hirenow/retake_policy.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>

namespace {

using namespace hirenow;
namespace json = boost::json;

json::value read_spec() {
  std::ifstream file(HIRENOW_SOURCE_DIR "/tests/spec/retake_cases.json");
  return json::parse(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string text_of(const json::value& v) { return std::string(v.as_string()); }

sys_seconds instant_of(const json::value& v) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  REQUIRE(std::sscanf(v.as_string().c_str(), "%d-%d-%dT%d:%d:%dZ", &year, &month, &day, &hour, &minute, &second) == 6);
  return std::chrono::sys_days{std::chrono::year{year} / month / day} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + seconds{second};
}

std::optional<sys_seconds> instant_or_none(const json::value& v) {
  if (v.is_null()) return std::nullopt;
  return instant_of(v);
}

outcome outcome_of(const json::value& v) {
  for (std::size_t n = 0; n < outcome_count; ++n)
    if (v.as_string() == std::string(to_string(static_cast<outcome>(n)))) return static_cast<outcome>(n);
  FAIL("no outcome: " << v);
  return outcome::pending;
}

interview_id numbered_id(std::size_t n) {
  interview_id id{};
  id.data[15] = static_cast<std::uint8_t>(n);
  id.data[14] = static_cast<std::uint8_t>(n >> 8);
  return id;
}

std::vector<attempt> history_of(const json::value& list) {
  std::vector<attempt> history;
  for (const auto& v : list.as_array()) {
    const auto& o = v.as_object();
    attempt a{.track = "t", .at = instant_of(o.at("at")), .result = outcome_of(o.at("outcome"))};
    if (const auto* decided = o.if_contains("decided_at")) a.decided_at = instant_of(*decided);
    a.id = numbered_id(history.size());
    history.push_back(a);
  }
  return history;
}

retake_policy policy_of(const json::value& document) {
  auto policy = retake_policy::parse(json::serialize(document));
  INFO((policy ? "" : policy.error().message));
  REQUIRE(policy.has_value());
  return *policy;
}

void check_verdict(const json::object& expected, const rule_verdict& v) {
  CAPTURE(v.rule_id);
  CHECK(v.rule_id == text_of(expected.at("id")));
  CHECK(v.rule == text_of(expected.at("rule")));
  CHECK(v.allowed == expected.at("allowed").as_bool());
  CHECK(v.reason == text_of(expected.at("reason")));
  CHECK(v.counted == expected.at("counted").to_number<std::uint64_t>());
  if (const auto* x = expected.if_contains("limit")) CHECK(v.limit == x->to_number<std::uint64_t>());
  if (const auto* x = expected.if_contains("eligible_at")) CHECK(v.eligible_at == instant_or_none(*x));
  if (const auto* x = expected.if_contains("since")) CHECK(v.since == instant_of(*x));
  if (const auto* x = expected.if_contains("wait_seconds")) CHECK(v.wait == seconds{x->to_number<std::int64_t>()});
  if (const auto* x = expected.if_contains("attempts")) {
    std::vector<interview_id> ids;
    for (const auto& n : x->as_array()) ids.push_back(numbered_id(n.to_number<std::size_t>()));
    CHECK(v.attempts == ids);
  }
}

/// The JSON pointers that a policy's refusal names, in order.
std::vector<std::string> paths_in(const std::string& message) {
  std::vector<std::string> paths;
  for (std::size_t at = 0; at <= message.size();) {
    const std::size_t end = std::min(message.find("; ", at), message.size());
    const std::string part = message.substr(at, end - at);
    if (part.starts_with("/")) paths.push_back(part.substr(0, part.find(": ")));
    at = end + 2;
  }
  return paths;
}

std::string hex(const digest& d) {
  std::string text;
  for (const auto byte : d) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(byte));
    text += two;
  }
  return text;
}

}  // namespace

TEST_CASE("every case of retake_cases.json holds", "[policy][spec]") {
  const json::value spec = read_spec();
  const auto& policies = spec.at("policies").as_object();
  REQUIRE(spec.at("cases").as_array().size() >= 70);
  std::set<std::string> used;
  for (const auto& c : spec.at("cases").as_array()) {
    CAPTURE(text_of(c.at("id")), text_of(c.at("title")));
    const std::string name = text_of(c.at("policy"));
    used.insert(name);
    const auto policy = policy_of(policies.at(name).at("document"));
    const auto history = history_of(c.at("history"));
    const auto now = instant_of(c.at("now"));
    REQUIRE((c.at("kind") == "retake" || c.at("kind") == "schedule"));
    const auto kind = c.at("kind") == "retake" ? attempt_kind::retake : attempt_kind::schedule;
    const auto& expected = c.at("expected").as_object();

    const eligibility answer = evaluate(policy, history, now, kind);
    CHECK(answer.allowed == expected.at("allowed").as_bool());
    CHECK(answer.reason == text_of(expected.at("reason")));
    CHECK(answer.eligible_at == instant_or_none(expected.at("eligible_at")));
    CHECK_FALSE(answer.eligible_until);
    std::vector<std::string> reasons;
    for (const auto& r : expected.at("all_reasons").as_array()) reasons.push_back(text_of(r));
    CHECK(answer.all_reasons == reasons);
    if (const auto* left = expected.if_contains("attempts_left"))
      CHECK(answer.attempts_left == (left->is_null() ? std::nullopt : std::optional(left->to_number<std::uint64_t>())));
    if (const auto* sentence = expected.if_contains("sentence")) CHECK(describe(answer) == text_of(*sentence));
    if (const auto* rules = expected.if_contains("rules")) {
      REQUIRE(answer.rules.size() == rules->as_array().size());
      for (std::size_t n = 0; n < answer.rules.size(); ++n)
        check_verdict(rules->as_array()[n].as_object(), answer.rules[n]);
    }
    CHECK(answer.policy_version == policy.version());
    CHECK(answer.policy_hash == policy.hash());

    if (answer.eligible_at) {
      CHECK(evaluate(policy, history, *answer.eligible_at, kind).allowed);
      const auto before = evaluate(policy, history, *answer.eligible_at - seconds{1}, kind);
      CHECK_FALSE(before.allowed);
      CHECK(before.eligible_at == answer.eligible_at);
    }
  }
  CHECK(used.size() == policies.size());
}

TEST_CASE("a bad policy is refused with the path of every fault", "[policy][spec]") {
  const json::value spec = read_spec();
  for (const auto& r : spec.at("refused").as_array()) {
    CAPTURE(text_of(r.at("id")));
    const auto* text = r.as_object().if_contains("text");
    const auto policy = retake_policy::parse(text ? text_of(*text) : json::serialize(r.at("document")));
    REQUIRE(policy.has_error());
    CAPTURE(policy.error().message);
    CHECK(to_string(policy.error().code) == text_of(r.at("error")));
    std::vector<std::string> paths;
    for (const auto& p : r.at("paths").as_array()) paths.push_back(text_of(p));
    CHECK(paths_in(policy.error().message) == paths);
    CHECK_FALSE(policy.error().message.empty());
  }
}

TEST_CASE("durations are ISO 8601", "[policy][spec]") {
  const json::value spec = read_spec();
  for (const auto& s : spec.at("spans").as_array()) {
    CAPTURE(text_of(s.at("text")));
    const auto span = parse_span(text_of(s.at("text")));
    REQUIRE(span.has_value());
    CHECK(span->months == s.at("months").to_number<std::int32_t>());
    CHECK(span->exact == seconds{s.at("seconds").to_number<std::int64_t>()});
  }
}

TEST_CASE("durations in words", "[policy]") {
  const auto words = [](const char* text) { return in_words(parse_span(text).value()); };
  CHECK(words("P14D") == "14 days");
  CHECK(words("P1D") == "1 day");
  CHECK(words("PT36H") == "36 hours");
  CHECK(words("PT90M") == "90 minutes");
  CHECK(words("PT1S") == "1 second");
  CHECK(words("PT0S") == "0 days");
  CHECK(words("P12M") == "1 year");
  CHECK(words("P18M") == "18 months");
  CHECK(words("P2YT1H") == "2 years and 1 hour");
}

TEST_CASE("a policy document has at most 64 KiB", "[policy]") {
  std::string text = R"({"hirenow_policy":1,"version":"v","rules":[]})";
  text.append(limits::policy - text.size(), ' ');
  CHECK(retake_policy::parse(text).has_value());
  const auto longer = retake_policy::parse(text + ' ');
  REQUIRE(longer.has_error());
  CHECK(longer.error().code == errc::too_large);
}

TEST_CASE("a policy keeps its document and is named by version and hash", "[policy]") {
  const std::string text = R"({"hirenow_policy":1,"version":"2026-03 \u00e4","rules":[]})";
  const auto policy = retake_policy::parse(text).value();
  CHECK(policy.document() == text);
  CHECK(policy.version() == "2026-03 \xc3\xa4");
  // hashlib.sha256(text).hexdigest() of Python
  CHECK(hex(policy.hash()) == "eb736facbc6682e8611eeb3a1bc46161eb1e09cae158dbb3da7844b93b4bdcc6");
  CHECK(retake_policy::parse(text + " ").value().hash() != policy.hash());
}

TEST_CASE("the standard policy is the one of the specification", "[policy]") {
  const json::value spec = read_spec();
  const auto& standard = retake_policy::standard();
  const auto same = policy_of(spec.at("policies").at("standard").at("document"));
  CHECK(standard.version() == same.version());
  CHECK(standard.retake_after() == same.retake_after());
  REQUIRE(standard.rules().size() == 1);
  const auto& rule = std::get<wait_rule>(standard.rules()[0]);
  const auto& other = std::get<wait_rule>(same.rules()[0]);
  CHECK(rule.id == other.id);
  CHECK(rule.counts == other.counts);
  CHECK(rule.spans == other.spans);
  CHECK(rule.from == other.from);
  CHECK(standard.retake_after() == default_retake_after);
}

TEST_CASE("instants out of range are no danger", "[policy]") {
  const auto policy = retake_policy::parse(R"({"hirenow_policy":1,"version":"v","rules":[
      {"rule":"wait","id":"a","after":["P100Y"]},{"rule":"most_in_window","id":"b","most":1,"window":"P100YT1S"}]})")
                          .value();
  for (const auto at : {sys_seconds::min(), sys_seconds::max(), min_instant, max_instant})
    for (const auto now : {sys_seconds::min(), sys_seconds::max(), min_instant, max_instant}) {
      const std::vector<attempt> history{{.track = "t", .at = at, .decided_at = at, .result = outcome::failed}};
      const auto answer = evaluate(policy, history, now);
      CHECK(answer.rules.size() == 3);
      CHECK((!answer.eligible_at || (*answer.eligible_at >= min_instant && *answer.eligible_at <= max_instant)));
    }
}

TEST_CASE("what an attempt is", "[policy]") {
  const auto at = [](int n) { return sys_seconds{seconds{1'700'000'000 + n}}; };
  applicant_record record{.tenant = "t", .person = {.id = "a", .email = "a@example.org"}};
  std::uint32_t number = 0;
  const auto add = [&](std::string track, outcome result, std::optional<int> started, int start_by) -> interview& {
    interview i{.id = numbered_id(++number), .track = std::move(track), .attempt = number};
    i.outcome = result;
    i.start_by = at(start_by);
    if (started) i.started_at = at(*started);
    return record.interviews.emplace_back(i);
  };
  add("x", outcome::no_show, std::nullopt, 100);
  add("x", outcome::cancelled, std::nullopt, 900);
  add("x", outcome::withdrawn, std::nullopt, 900);
  add("y", outcome::failed, 150, 900);
  add("x", outcome::withdrawn, 300, 900);
  add("x", outcome::cancelled, 200, 900);
  auto& decided = add("x", outcome::failed, 400, 900);
  decided.decided_at = at(500);
  decided.score = 0.5;
  add("x", outcome::voided, std::nullopt, 600);
  add("x", outcome::pending, std::nullopt, 700);

  const auto history = attempts_of(record, "x");
  REQUIRE(history.size() == 6);
  CHECK(history[0] == attempt{.track = "x", .at = at(100), .result = outcome::no_show, .id = numbered_id(1)});
  CHECK(history[1] == attempt{.track = "x", .at = at(200), .result = outcome::cancelled, .id = numbered_id(6)});
  CHECK(history[2] == attempt{.track = "x", .at = at(300), .result = outcome::withdrawn, .id = numbered_id(5)});
  CHECK(history[3] == attempt{.track = "x",
                              .at = at(400),
                              .decided_at = at(500),
                              .result = outcome::failed,
                              .score = 0.5,
                              .id = numbered_id(7)});
  CHECK(history[4] == attempt{.track = "x", .at = at(600), .result = outcome::voided, .id = numbered_id(8)});
  CHECK(history[5] == attempt{.track = "x", .at = at(700), .result = outcome::pending, .id = numbered_id(9)});
  CHECK(attempts_of(record, "z").empty());
}

TEST_CASE("attempts at one instant keep the order they were made in", "[policy]") {
  applicant_record record{.tenant = "t", .person = {.id = "a", .email = "a@example.org"}};
  for (std::uint32_t n = 1; n <= 40; ++n) {
    interview i{.id = numbered_id(n), .track = "x", .attempt = n};
    i.outcome = n == 40 ? outcome::passed : outcome::failed;
    i.started_at = sys_seconds{seconds{1'700'000'000}};
    record.interviews.push_back(i);
  }
  const auto history = attempts_of(record, "x");
  REQUIRE(history.size() == 40);
  for (std::uint32_t n = 1; n <= 40; ++n) CHECK(history[n - 1].id == numbered_id(n));
  CHECK(evaluate(retake_policy::standard(), history, sys_seconds{seconds{1'800'000'000}}).reason == "passed");
}

TEST_CASE("the documentation shows policies that are real", "[policy]") {
  std::ifstream file(HIRENOW_SOURCE_DIR "/docs/retake_policy.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  CHECK(text.find("```json\n" + retake_policy::standard().document() + "\n```") != std::string::npos);
  const std::string fence = "```json\n";
  int documents = 0;
  for (auto at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const auto begin = at + fence.size();
    CHECK(retake_policy::parse(text.substr(begin, text.find("```", begin) - begin)).has_value());
    ++documents;
  }
  CHECK(documents == 2);
}
