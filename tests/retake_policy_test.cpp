// The retake rules against tests/spec/retake_cases.json, and the document's reader against everything it must refuse.
// Properties over random policies and histories stand in retake_policy_property_test.cpp.

#include "hirenow/retake_policy.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>

#include "hirenow/retake_case.hpp"

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

interview_id numbered_id(std::size_t n) {
  interview_id id{};
  id.data[15] = static_cast<std::uint8_t>(n);
  id.data[14] = static_cast<std::uint8_t>(n >> 8);
  return id;
}

/// The members of a case that make the document of `retake_case`.
retake_case case_of(const json::object& c) {
  json::object document{{"track", "t"}};
  for (const char* const member : {"track", "now", "kind", "time_zone", "history", "facts", "waivers"})
    if (const auto* v = c.if_contains(member)) document[member] = *v;
  auto made = retake_case::parse(json::serialize(document));
  INFO((made ? "" : made.error().message));
  REQUIRE(made.has_value());
  return *made;
}

std::vector<std::string> texts_in(const json::value& list) {
  std::vector<std::string> all;
  for (const auto& v : list.as_array()) all.push_back(text_of(v));
  return all;
}
std::vector<std::string> texts_in(const std::vector<std::string_view>& list) { return {list.begin(), list.end()}; }

retake_policy policy_of(const json::value& document) {
  auto policy = retake_policy::parse(json::serialize(document));
  INFO((policy ? "" : policy.error().message));
  REQUIRE(policy.has_value());
  return *policy;
}

/// Refuses a member that this reader does not know: it would be looked at by nobody.
void only(const json::object& o, const std::set<std::string_view>& known) {
  for (const auto& member : o) {
    CAPTURE(member.key());
    REQUIRE(known.count(std::string_view(member.key())) == 1);
  }
}

template <class T>
std::optional<T> number_or_none(const json::value& v) {
  return v.is_null() ? std::nullopt : std::optional(v.to_number<T>());
}

void check_verdict(const json::object& expected, const rule_verdict& v, std::string_view zone) {
  CAPTURE(v.rule_id);
  CHECK(v.rule_id == text_of(expected.at("id")));
  CHECK(v.rule == text_of(expected.at("rule")));
  CHECK(v.allowed == expected.at("allowed").as_bool());
  CHECK(v.reason == text_of(expected.at("reason")));
  CHECK(v.counted == expected.at("counted").to_number<std::uint64_t>());
  if (const auto* x = expected.if_contains("limit")) CHECK(v.limit == number_or_none<std::uint64_t>(*x));
  for (const auto& [name, text] : {std::pair{"group", v.group}, std::pair{"advice", v.advice},
                                   std::pair{"counted_from", v.counted_from}, std::pair{"subject", v.subject}})
    if (const auto* x = expected.if_contains(name)) CHECK(text == text_of(*x));
  for (const auto& [name, is] :
       {std::pair{"applies", v.applies}, std::pair{"waived", v.waived}, std::pair{"waiver_allows", v.waiver_allows},
        std::pair{"working_days", v.working_days}})
    if (const auto* x = expected.if_contains(name)) CHECK(is == x->as_bool());
  for (const auto& [name, at] : {std::pair{"eligible_at", v.eligible_at}, std::pair{"eligible_until", v.eligible_until},
                                 std::pair{"since", v.since}, std::pair{"until", v.until}})
    if (const auto* x = expected.if_contains(name)) {
      CAPTURE(name);
      CHECK(at == instant_or_none(*x));
    }
  if (const auto* x = expected.if_contains("newest"))
    CHECK((v.newest ? std::string(to_string(*v.newest)) : "") == (x->is_null() ? "" : text_of(*x)));
  if (const auto* x = expected.if_contains("wait_seconds"))
    CHECK((v.wait ? std::optional(v.wait->count()) : std::nullopt) == number_or_none<std::int64_t>(*x));
  if (const auto* x = expected.if_contains("span")) {
    REQUIRE(v.span.has_value() == x->is_object());
    if (v.span)
      CHECK(json::object{{"months", v.span->months},
                         {"days", v.span->days},
                         {"seconds", v.span->exact.count()},
                         {"words", in_words(*v.span)}} == x->as_object());
  }
  if (const auto* x = expected.if_contains("sentence")) CHECK(describe(v, zone) == text_of(*x));
  if (const auto* x = expected.if_contains("sentence_de")) CHECK(describe(v, zone, explain_in::german) == text_of(*x));
  if (const auto* x = expected.if_contains("attempts")) {
    std::vector<interview_id> ids;
    for (const auto& n : x->as_array()) ids.push_back(numbered_id(n.to_number<std::size_t>() + 1));
    CHECK(std::vector(v.attempts.begin(), v.attempts.end()) == ids);
  }
  only(expected, {"id",           "rule",          "allowed",      "reason",   "counted",     "limit",
                  "group",        "advice",        "subject",      "applies",  "waived",      "since",
                  "counted_from", "waiver_allows", "working_days", "until",    "newest",      "span",
                  "wait_seconds", "sentence",      "sentence_de",  "attempts", "eligible_at", "eligible_until"});
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
  REQUIRE(spec.at("cases").as_array().size() >= 140);
  std::set<std::string> used;
  for (const auto& c : spec.at("cases").as_array()) {
    CAPTURE(text_of(c.at("id")), text_of(c.at("title")));
    const std::string name = text_of(c.at("policy"));
    used.insert(name);
    const auto policy = policy_of(policies.at(name).at("document"));
    auto asked = case_of(c.as_object());
    const auto& expected = c.at("expected").as_object();
    const auto at = [&](sys_seconds now) {
      asked.now = now;
      return evaluate(policy, asked.question());
    };

    const eligibility answer = evaluate(policy, asked.question());
    CHECK(answer.allowed == expected.at("allowed").as_bool());
    CHECK(answer.reason == text_of(expected.at("reason")));
    CHECK(answer.eligible_at == instant_or_none(expected.at("eligible_at")));
    CHECK(texts_in(answer.all_reasons) == texts_in(expected.at("all_reasons")));
    if (const auto* x = expected.if_contains("eligible_until")) CHECK(answer.eligible_until == instant_or_none(*x));
    if (const auto* x = expected.if_contains("warnings")) CHECK(texts_in(answer.warnings) == texts_in(*x));
    if (const auto* x = expected.if_contains("waivers")) CHECK(texts_in(answer.waivers) == texts_in(*x));
    if (const auto* left = expected.if_contains("attempts_left"))
      CHECK(answer.attempts_left == (left->is_null() ? std::nullopt : std::optional(left->to_number<std::uint64_t>())));
    if (const auto* sentence = expected.if_contains("sentence")) CHECK(describe(answer) == text_of(*sentence));
    if (const auto* sentence = expected.if_contains("sentence_de"))
      CHECK(describe(answer, explain_in::german) == text_of(*sentence));
    if (const auto* rules = expected.if_contains("rules")) {
      REQUIRE(answer.rules.size() == rules->as_array().size());
      for (std::size_t n = 0; n < answer.rules.size(); ++n)
        check_verdict(rules->as_array()[n].as_object(), answer.rules[n], answer.time_zone);
    }
    only(expected, {"allowed", "reason", "eligible_at", "eligible_until", "all_reasons", "warnings", "waivers",
                    "attempts_left", "sentence", "sentence_de", "rules"});
    only(c.as_object(), {"id", "policy", "title", "source", "kind", "track", "time_zone", "history", "facts", "waivers",
                         "now", "expected"});
    CHECK(answer.policy_version == policy.version());
    CHECK(answer.policy_hash == policy.hash());

    const auto eligible_at = answer.eligible_at, eligible_until = answer.eligible_until;
    if (eligible_at) {
      CHECK(at(*eligible_at).allowed);
      const auto before = at(*eligible_at - seconds{1});
      CHECK_FALSE(before.allowed);
      CHECK(before.eligible_at == eligible_at);
    }
    if (eligible_until) {
      CHECK_FALSE(at(*eligible_until).allowed);
      CHECK(at(*eligible_until - seconds{1}).allowed);
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
    CHECK(exact_part(*span) == seconds{s.at("seconds").to_number<std::int64_t>()});
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
  CHECK(words("P1DT12H") == "1 day and 12 hours");
  CHECK(in_words(parse_span("P1Y1D").value(), explain_in::german) == "1 Jahr und 1 Tag");
  CHECK(in_words(parse_span("P30D").value(), explain_in::german, {.dative = true}) == "30 Tagen");
  CHECK(in_words(parse_span("P10D").value(), explain_in::english, {.working_days = true}) == "10 working days");
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
  CHECK(standard.rules()[0].id == same.rules()[0].id);
  CHECK(std::get<wait_rule>(standard.rules()[0].is).after == std::get<wait_rule>(same.rules()[0].is).after);
  CHECK(std::ranges::equal(standard.selections(), same.selections()));
  CHECK(standard.retake_after() == default_retake_after);
}

TEST_CASE("instants out of range are no danger", "[policy]") {
  const auto policy = retake_policy::parse(R"({"hirenow_policy":1,"version":"v","rules":[
      {"rule":"wait","id":"a","after":["P100Y"]},{"rule":"most","id":"b","attempts":1,"in":"P100YT1S"}]})")
                          .value();
  for (const auto at : {sys_seconds::min(), sys_seconds::max(), min_instant, max_instant})
    for (const auto now : {sys_seconds::min(), sys_seconds::max(), min_instant, max_instant}) {
      const std::vector<attempt> history{{.track = "t", .at = at, .decided_at = at, .result = outcome::failed}};
      const auto answer = evaluate(policy, history, now);
      CHECK(answer.rules.size() == 3);
      CHECK((!answer.eligible_at || (*answer.eligible_at >= min_instant && *answer.eligible_at <= max_instant)));
    }
}

namespace {

std::vector<attempt> attempts_at_x(const applicant_record& record) {
  auto all = attempts_of(record);
  std::erase_if(all, [](const attempt& a) { return a.track != "x"; });
  return all;
}

}  // namespace

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

  const auto history = attempts_at_x(record);
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
  CHECK(attempts_of(record).size() == 7);
  CHECK(attempts_of({}).empty());
}

TEST_CASE("attempts at one instant keep the order they were made in", "[policy]") {
  applicant_record record{.tenant = "t", .person = {.id = "a", .email = "a@example.org"}};
  for (std::uint32_t n = 1; n <= 40; ++n) {
    interview i{.id = numbered_id(n), .track = "x", .attempt = n};
    i.outcome = n == 40 ? outcome::passed : outcome::failed;
    i.started_at = sys_seconds{seconds{1'700'000'000}};
    record.interviews.push_back(i);
  }
  const auto history = attempts_at_x(record);
  REQUIRE(history.size() == 40);
  for (std::uint32_t n = 1; n <= 40; ++n) CHECK(history[n - 1].id == numbered_id(n));
  CHECK(evaluate(retake_policy::standard(), history, sys_seconds{seconds{1'800'000'000}}).reason == "passed");
}

TEST_CASE("the recipes of the documentation are rules", "[policy]") {
  std::ifstream file(HIRENOW_SOURCE_DIR "/docs/retake_policy.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  int recipes = 0;
  for (auto at = text.find("`{\"rule\""); at != std::string::npos; at = text.find("`{\"rule\"", at + 1)) {
    auto rule = json::parse(text.substr(at + 1, text.find('`', at + 1) - at - 1));
    rule.as_object()["id"] = "recipe";
    CAPTURE(json::serialize(rule));
    policy_of({{"hirenow_policy", 1}, {"version", "v"}, {"rules", json::array{rule}}});
    ++recipes;
  }
  CHECK(recipes >= 5);
}

TEST_CASE("the published policies are examples that the cases use", "[policy][spec]") {
  const json::value spec = read_spec();
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(HIRENOW_SOURCE_DIR "/examples/policies")) {
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    files.insert(name);
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto policy = retake_policy::parse(text);
    INFO((policy ? "" : policy.error().message));
    CHECK(policy.has_value());
    const auto* const used = spec.at("policies").as_object().if_contains(name);
    REQUIRE(used);
    CHECK(json::parse(text) == used->at("document"));
    CHECK(used->at("source") == json::value(name));
  }
  CHECK(files.size() >= 26);
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
  CHECK(documents >= 2);
}
