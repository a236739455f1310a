// Properties of the whole policy language, over random documents, records, facts, waivers and zones. There is no second
// reading of the rules here: what must hold is what an answer says about other instants, orders and records.

#include <algorithm>
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/retake_case.hpp"
#include "hirenow/retake_policy.hpp"

namespace {

using namespace hirenow;

/// Random documents and cases, always the same ones.
class document_maker {
 public:
  explicit document_maker(std::uint64_t seed) : random_(seed) {}

  std::int64_t below(std::int64_t n) { return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  void shuffle(std::vector<T>& list) {
    std::shuffle(list.begin(), list.end(), random_);
  }
  std::string one_of(std::initializer_list<const char*> words) {
    return words.begin()[below(static_cast<std::int64_t>(words.size()))];
  }
  std::string member(int percent, const std::string& text) { return chance(percent) ? "," + text : ""; }

  std::string span() {
    return one_of({"P1D", "P3D", "P10D", "P30D", "P1M", "P2M", "P1Y", "PT36H", "P1MT5H", "P2W", "P5D"});
  }
  std::string calendar() {
    return one_of({"day", "day", "week", "month", "quarter", "year", "ten", "listed", "sessions"});
  }
  std::string outcomes() {
    std::string list;
    for (std::size_t n = 0; n < outcome_count; ++n)
      if (chance(60)) list += (list.empty() ? "\"" : ",\"") + std::string(to_string(static_cast<outcome>(n))) + "\"";
    return "[" + (list.empty() ? "\"failed\"" : list) + "]";
  }
  std::string fact_ref() {
    return one_of({R"({"event":"training"})", R"({"event":"release"})", R"({"purchase":"seat"})",
                   R"({"period":"approval"})", R"({"credential":"certificate"})"});
  }
  std::string condition() {
    return "{" +
           one_of({R"("applicant":{"plan":"a"})", R"("applicant":{"plan":["b","c"]})", R"("track":{"kind":"x"})",
                   R"("newest":{"outcomes":["failed","passed"]})", R"("first":{"from":"2026-03-01"})",
                   R"("number":{"at_least":2})", R"("number":{"at_most":3})", R"("kind":"schedule")",
                   R"("newest":{"score":{"at_least":50}})"}) +
           "}";
  }
  std::string timing() {
    std::string text;
    if (chance(50)) {
      text += std::string(chance(50) ? R"(,"from_start_of":")" : R"(,"from_end_of":")") +
              (chance(70) ? "day" : calendar()) + "\"";
      text += member(25, R"("working_days":"work")");
    }
    return text + member(15, R"("opens_with":")" + calendar() + "\"");
  }
  std::string anchors() {
    return one_of({R"("attempt")", R"("decision")", R"("first_attempt")", R"(["attempt",{"event":"release"}])",
                   R"({"credential":"certificate"})"});
  }

  std::string rule(int depth, bool caps_only = false) {
    const std::string id = "r" + std::to_string(++ids_);
    std::string text = R"({"id":")" + id + "\"";
    if (!caps_only) {
      text += member(15, R"("when":)" + condition()) + member(10, R"("unless":)" + condition());
      text += member(10, R"("broken_by":["passed"])") + member(15, R"("since":)" + fact_ref());
      text += member(15, R"("waivable":false)");
      if (depth == 0) text += member(8, R"("advice":"mind_this")");
    }
    text += member(50, R"("counts":)" + outcomes());
    text += member(20, R"("same":)" + one_of({"[]", R"(["family"])", R"(["track","version"])"}));
    text += member(8, R"("score":{"at_least":40})");
    text += member(8, R"("except":[{"from":"2026-02-01","until":"2026-03-01"}])");
    switch (caps_only ? 2 + below(3) : below(depth < 2 ? 12 : 11)) {
      case 0:
      case 1:
        return text + R"(,"rule":"wait","after":[)" + (chance(30) ? "\"PT0S\"," : "") + "\"" + span() + "\"" +
               member(50, "\"" + span() + "\"") + "]" + member(30, R"("from":)" + anchors()) +
               member(15, R"("within":")" + span() + "\"") + member(15, R"("penalty":")" + span() + "\"") +
               member(20, R"("floor":"P1D")") + timing() + "}";
      case 2: return text + R"(,"rule":"most","attempts":)" + std::to_string(1 + below(6)) + "}";
      case 3:
        return text + R"(,"rule":"most","attempts":)" + std::to_string(1 + below(4)) + R"(,"in":")" + span() + "\"" +
               member(25, R"("opened_by_first":true)") + timing() + "}";
      case 4:
        return text + R"(,"rule":"most","attempts":)" + std::to_string(1 + below(3)) + R"(,"per":")" + calendar() +
               "\"" + member(40, R"("periods":)" + std::to_string(1 + below(4))) + "}";
      case 5:
        return text + R"(,"rule":"lockout","after":)" + std::to_string(1 + below(3)) + R"(,"for":")" + span() + "\"" +
               member(30, R"("within":")" + span() + "\"") + timing() + "}";
      case 6:
        return text + R"(,"rule":"passed")" +
               member(60, R"("until":{"credential":"certificate"})" + member(50, R"("less":"P10D")")) + "}";
      case 7:
        return text + R"(,"rule":"require","fact":)" + fact_ref() +
               member(70, R"("after":)" + std::to_string(below(4))) + member(50, R"("resets":true)") + "}";
      case 8:
      case 9:
      case 10:
        if (chance(40)) return text + R"(,"rule":"period","calendar":")" + calendar() + "\"}";
        return text + R"(,"rule":"period","opened_by":)" + fact_ref() + member(50, R"("lasts":")" + span() + "\"") +
               member(40, R"("closed_by":{"event":"training"})") + "}";
      default: {
        text += std::string(R"(,"rule":")") + (depth > 0 && chance(50) ? "all_of" : "any_of") + R"(","rules":[)";
        for (std::int64_t n = 1 + below(3); n > 0; --n) text += rule(depth + 1) + (n > 1 ? "," : "");
        return text + "]}";
      }
    }
  }

  std::vector<std::string> rules(bool caps_only = false) {
    ids_ = 0;
    std::vector<std::string> list;
    for (std::int64_t n = 1 + below(4); n > 0; --n) list.push_back(rule(0, caps_only));
    return list;
  }
  std::string zone() {
    return one_of({"UTC", "UTC", "Europe/Vienna", "America/New_York", "Africa/Cairo", "Asia/Kolkata", "applicant"});
  }

  std::string instant() {
    return to_string(sys_seconds{seconds{1'767'225'600 + below(200) * 86'400 + below(8) * 10'800}});
  }
  sys_seconds some_instant() { return sys_seconds{seconds{1'767'225'600 + below(500 * 86'400)}}; }

  retake_case record() {
    retake_case made{.track = "t"};
    for (std::int64_t n = below(7); n > 0; --n) {
      attempt a{
          .track = chance(80) ? "t" : "u", .at = some_time(), .result = static_cast<outcome>(below(outcome_count))};
      if (chance(40)) a.decided_at = a.at + seconds{below(10) * 86'400};
      if (chance(40)) a.score = static_cast<double>(below(100));
      a.id.data[15] = static_cast<std::uint8_t>(made.attempts.size() + 1);
      made.attempts.push_back(a);
    }
    for (std::int64_t n = below(7); n > 0; --n) {
      fact f;
      f.at = some_time();
      switch (below(6)) {
        case 0: f.kind = fact_kind::event, f.name = one_of({"training", "release", "closed"}); break;
        case 1: f.kind = fact_kind::period, f.name = one_of({"approval", "session", "session"}); break;
        case 2: f.kind = fact_kind::credential, f.name = "certificate"; break;
        case 3: f.kind = fact_kind::purchase, f.name = "seat"; break;
        case 4: f.kind = fact_kind::attribute, f.name = "plan", f.value = one_of({"a", "b", "c", "d"}); break;
        default:
          f.kind = fact_kind::attribute, f.name = one_of({"family", "version", "kind"}), f.value = one_of({"x", "y"});
          f.track = one_of({"t", "u"});
      }
      if (chance(50)) f.until = f.at + seconds{below(300) * 86'400};
      made.facts.push_back(f);
    }
    if (chance(20))
      made.waivers.push_back({"r1", chance(30) ? std::optional(parse_span("P2D").value()) : std::nullopt});
    if (chance(50)) made.time_zone = one_of({"Europe/Vienna", "Pacific/Apia", "Nowhere/At_all"});
    made.now = some_instant();
    made.kind = chance(30) ? attempt_kind::schedule : attempt_kind::retake;
    return made;
  }

 private:
  sys_seconds some_time() { return sys_seconds{seconds{1'767'225'600 + below(300) * 86'400 + below(6) * 14'400}}; }

  std::mt19937_64 random_;
  int ids_ = 0;
};

std::string document(const std::vector<std::string>& rules, const std::string& zone) {
  std::string text =
      R"({"hirenow_policy":1,"version":"random","zone":")" + zone +
      R"(","retake_after":["passed","failed","on_hold","no_show","incomplete","cancelled","withdrawn","void"],
    "calendars":{"ten":{"from":"2026-01-01","every":"P10D"},"sessions":{"fact":"session"},
      "listed":{"periods":[{"from":"2026-01-05","until":"2026-02-01"},{"from":"2026-04-01","until":"2026-04-20"},
        {"from":"2026-04-20","until":"2026-05-01"},{"from":"2026-10-01"},{"from":"2027-02-01","until":"2027-03-01"}]}},
    "working_days":{"work":{"weekend":["friday","saturday"],"holidays":["2026-03-03","2026-03-04"],"fact":"closed"}},
    "rules":[)";
  for (std::size_t n = 0; n < rules.size(); ++n) text += (n ? "," : "") + rules[n];
  return text + "]}";
}

retake_policy parsed(const std::string& text) {
  const auto policy = retake_policy::parse(text);
  INFO(text << (policy ? "" : policy.error().message));
  REQUIRE(policy.has_value());
  return *policy;
}

constexpr int documents_tried = 4000 / HIRENOW_CRASH_STRIDE;  // fewer under sanitizers, as of the crashes

}  // namespace

TEST_CASE("an answer is true of the instants it names", "[policy][property]") {
  document_maker make(20'261'125);
  int refused = 0, dated = 0, ending = 0;
  for (int round = 0; round < documents_tried; ++round) {
    const auto policy = parsed(document(make.rules(), make.zone()));
    auto record = make.record();
    CAPTURE(round, policy.document(), to_string(record.now));
    const auto at = [&](sys_seconds now) {
      record.now = now;
      return evaluate(policy, record.question());
    };
    const auto now = record.now;
    const auto answer = at(now);
    REQUIRE((answer.reason == "ok") == answer.allowed);
    REQUIRE(answer.all_reasons.empty() == answer.allowed);
    REQUIRE_FALSE(describe(answer).empty());
    for (const auto& v : answer.rules) REQUIRE_FALSE(describe(v, answer.time_zone, explain_in::german).empty());
    if (!answer.allowed) {
      ++refused;
      REQUIRE(std::count(answer.all_reasons.begin(), answer.all_reasons.end(), answer.reason) == 1);
      const auto limit = answer.eligible_at.value_or(now + seconds{500 * 86'400});
      // Not allowed at any instant before.
      for (int n = 0; n < 6; ++n) {
        const auto earlier = now + seconds{make.below(std::max<std::int64_t>((limit - now).count(), 1))};
        REQUIRE_FALSE(at(earlier).allowed);
      }
    } else {
      REQUIRE_FALSE(answer.eligible_at);
    }
    if (answer.eligible_at) {
      ++dated;
      REQUIRE(*answer.eligible_at > now);
      REQUIRE(at(*answer.eligible_at).allowed);
      REQUIRE_FALSE(at(*answer.eligible_at - seconds{1}).allowed);
      REQUIRE(at(*answer.eligible_at).eligible_until == answer.eligible_until);
    }
    if (answer.allowed || answer.eligible_at) {
      const auto begin = answer.eligible_at.value_or(now);
      const auto limit = answer.eligible_until.value_or(begin + seconds{500 * 86'400});
      for (int n = 0; n < 6; ++n) REQUIRE(at(begin + seconds{make.below((limit - begin).count())}).allowed);
    }
    if (answer.eligible_until) {
      ++ending;
      REQUIRE_FALSE(at(*answer.eligible_until).allowed);
      REQUIRE(at(*answer.eligible_until - seconds{1}).allowed);
    }
    // A waiver of all that it names allows it.
    if (!answer.waivers.empty()) {
      record.now = now;
      for (const auto id : answer.waivers) record.waivers.push_back({std::string(id), {}});
      REQUIRE(evaluate(policy, record.question()).allowed);
    }
  }
  // The random cases are worth something only where all kinds of answer are among them.
  CHECK(refused > documents_tried / 4);
  CHECK(dated > documents_tried / 10);
  CHECK(ending > documents_tried / 100);
}

TEST_CASE("no order changes an answer", "[policy][property]") {
  document_maker make(17);
  for (int round = 0; round < documents_tried / 2; ++round) {
    auto rules = make.rules();
    const auto zone = make.zone();
    auto record = make.record();
    for (std::size_t n = 0; n < record.attempts.size(); ++n)  // two at one instant have no order to keep
      record.attempts[n].at += seconds{static_cast<long>(n)};
    for (std::size_t n = 0; n < record.facts.size(); ++n) record.facts[n].at += seconds{100 + static_cast<long>(n)};
    for (auto& f : record.facts)
      if (f.until) *f.until = std::max(*f.until, f.at);
    const auto policy = parsed(document(rules, zone));
    CAPTURE(round, policy.document(), to_string(record.now));
    const auto answer = evaluate(policy, record.question());
    make.shuffle(rules);
    make.shuffle(record.attempts);
    make.shuffle(record.facts);
    const auto other = evaluate(parsed(document(rules, zone)), record.question());
    REQUIRE(answer.allowed == other.allowed);
    REQUIRE(answer.reason == other.reason);
    REQUIRE(answer.eligible_at == other.eligible_at);
    REQUIRE(answer.eligible_until == other.eligible_until);
    REQUIRE(answer.attempts_left == other.attempts_left);
    REQUIRE(answer.all_reasons == other.all_reasons);
    REQUIRE(describe(answer) == describe(other));
  }
}

// A window that its first attempt opens is the one exception, and only for an attempt that turns up before others: it
// opens another window, so that theirs may fall differently. There the further attempt is the newest one.
TEST_CASE("more history makes no cap looser, in any zone and calendar", "[policy][property]") {
  document_maker make(23);
  int tightened = 0, anchored = 0;
  for (int round = 0; round < documents_tried / 2; ++round) {
    const auto policy = parsed(document(make.rules(true), make.zone()));
    auto record = make.record();
    record.kind = attempt_kind::schedule;
    record.waivers.clear();
    CAPTURE(round, policy.document());
    const auto before = evaluate(policy, record.question());
    attempt more{.track = "t", .result = static_cast<outcome>(make.below(outcome_count)), .score = 70};
    more.at = record.now - seconds{make.below(100 * 86'400)};
    if (policy.document().find("opened_by_first") != std::string::npos) {
      for (const attempt& a : record.attempts) more.at = std::max(more.at, a.at);
      if (more.at > record.now) continue;
      ++anchored;
    }
    record.attempts.push_back(more);
    const auto after = evaluate(policy, record.question());
    REQUIRE((before.allowed || !after.allowed));
    REQUIRE((!before.attempts_left || after.attempts_left.value_or(0) <= *before.attempts_left));
    if (!before.allowed && before.eligible_at && after.eligible_at) REQUIRE(*after.eligible_at >= *before.eligible_at);
    if (!before.allowed && !before.eligible_at) REQUIRE_FALSE(after.eligible_at);
    if (before.allowed && !after.allowed) ++tightened;
  }
  CHECK(tightened > documents_tried / 80);
  CHECK(anchored > documents_tried / 40);
}
