// Properties of the retake rules over random policies and histories, with a second reading of the rules as the oracle:
// it asks "is it allowed at this instant?" rule by rule from the definitions, does calendar arithmetic with the C
// library, and finds `eligible_at` by trying every instant at which anything could change.

#include "hirenow/retake_policy.hpp"

#include <algorithm>
#include <ctime>
#include <random>
#include <string>

#include <catch2/catch_test_macros.hpp>

namespace {

using namespace hirenow;

/// A rule as the oracle holds it.
struct plain_rule {
  enum { wait, most_ever, most_in, per_month, lockout } kind = wait;
  std::vector<std::pair<int, std::int64_t>> spans;  ///< months and seconds
  std::uint64_t most = 0;
  bool from_decision = false;
  bool by_date = false;    ///< from the start of the day
  bool by_streak = false;  ///< a pass ends the count
  std::vector<outcome> counts;

  bool counted(outcome o) const { return std::find(counts.begin(), counts.end(), o) != counts.end(); }
};

struct plain_policy {
  std::vector<outcome> retake_after;
  std::vector<plain_rule> rules;
};

std::int64_t later(std::int64_t from, std::pair<int, std::int64_t> span) {
  const std::time_t start = from;
  std::tm date{};
  ::gmtime_r(&start, &date);
  const int day = date.tm_mday;
  date.tm_mday = 1;
  date.tm_mon += span.first;
  std::time_t month = ::timegm(&date);
  std::tm first{};
  ::gmtime_r(&month, &first);
  // Steps back from the wanted day until the month is the right one.
  for (int wanted = day;; --wanted) {
    std::tm tried = first;
    tried.tm_mday = wanted;
    const std::time_t t = ::timegm(&tried);
    std::tm got{};
    ::gmtime_r(&t, &got);
    if (got.tm_mon == first.tm_mon) return t + span.second;
  }
}

std::int64_t count(sys_seconds s) { return s.time_since_epoch().count(); }

bool rule_allows(const plain_rule& rule, const std::vector<attempt>& history, std::int64_t now) {
  std::vector<attempt> counted;
  for (const auto& a : history) {
    if (rule.by_streak && a.result == outcome::passed)
      counted.clear();
    else if (rule.counted(a.result))
      counted.push_back(a);
  }
  const auto over = [&](std::int64_t from, std::pair<int, std::int64_t> span) {
    if (rule.by_date && span != std::pair<int, std::int64_t>{}) from -= from % 86'400;
    return later(from, span);
  };
  const auto month_of = [](std::int64_t at) {
    const std::time_t t = at;
    std::tm date{};
    ::gmtime_r(&t, &date);
    return date.tm_year * 12 + date.tm_mon;
  };
  switch (rule.kind) {
    case plain_rule::wait: {
      if (counted.empty()) return true;
      const auto& last = counted.back();
      const auto span = counted.size() > rule.spans.size() ? rule.spans.back() : rule.spans[counted.size() - 1];
      const auto from = rule.from_decision && last.decided_at ? *last.decided_at : last.at;
      return now >= over(count(from), span);
    }
    case plain_rule::most_ever: return counted.size() < rule.most;
    case plain_rule::per_month:
      return rule.most >
             static_cast<std::uint64_t>(std::count_if(counted.begin(), counted.end(), [&](const attempt& a) {
               return month_of(count(a.at)) >= month_of(now);
             }));
    case plain_rule::lockout:
      if (counted.empty() || counted.size() % rule.most != 0) return true;
      return now >= over(count(counted.back().at), rule.spans[0]);
    case plain_rule::most_in: {
      std::uint64_t inside = 0;
      for (const auto& a : counted)
        if (now < over(count(a.at), rule.spans[0])) ++inside;
      return inside + 1 <= rule.most;
    }
  }
  return false;
}

bool outcome_allows(const plain_policy& policy, const std::vector<attempt>& history) {
  return history.empty() || std::find(policy.retake_after.begin(), policy.retake_after.end(), history.back().result) !=
                                policy.retake_after.end();
}

bool allows(const plain_policy& policy, const std::vector<attempt>& history, std::int64_t now, attempt_kind kind) {
  const bool after_a_void = !history.empty() && history.back().result == outcome::voided;
  if ((kind == attempt_kind::retake || after_a_void) && !outcome_allows(policy, history)) return false;
  return std::all_of(policy.rules.begin(), policy.rules.end(),
                     [&](const plain_rule& r) { return rule_allows(r, history, now); });
}

/// The first instant after `now` at which the policy allows; nothing where there is none.
std::optional<std::int64_t> first_allowed(const plain_policy& policy, const std::vector<attempt>& history,
                                          std::int64_t now, attempt_kind kind) {
  std::vector<std::int64_t> instants;
  for (const auto& rule : policy.rules)
    for (const auto& span : rule.spans)
      for (const auto& a : history) {
        for (const auto from : {count(a.at), a.decided_at ? count(*a.decided_at) : count(a.at)}) {
          instants.push_back(later(from, span));
          instants.push_back(later(from - from % 86'400, span));
        }
      }
  for (const auto& a : history) {  // the first of the next month
    const std::int64_t at = count(a.at);
    for (std::int64_t t = at - at % 86'400; t < at + 32 * 86'400; t += 86'400) instants.push_back(t);
  }
  std::sort(instants.begin(), instants.end());
  for (const auto t : instants)
    if (t > now && allows(policy, history, t, kind)) return t;
  return std::nullopt;
}

/// Random policies and histories, always the same ones.
class maker {
 public:
  explicit maker(std::uint64_t seed) : random_(seed) {}

  std::int64_t below(std::int64_t n) { return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  void shuffle(std::vector<T>& list) {
    std::shuffle(list.begin(), list.end(), random_);
  }

  std::vector<outcome> outcomes() {
    std::vector<outcome> list;
    for (std::size_t n = 0; n < outcome_count; ++n)
      if (chance(60)) list.push_back(static_cast<outcome>(n));
    if (list.empty()) list.push_back(outcome::failed);
    return list;
  }

  std::pair<int, std::int64_t> span(bool zero_allowed) {
    switch (below(4)) {
      case 0: return {static_cast<int>(1 + below(30)), 0};
      case 1: return {static_cast<int>(1 + below(3)), 3600 * below(100)};
      case 2: return {0, 86'400 * (1 + below(40))};
      default: return {0, zero_allowed ? 3600 * below(50) : 3600 * (1 + below(50))};
    }
  }

  plain_policy policy() {
    plain_policy p{.retake_after = outcomes(), .rules = {}};
    for (std::int64_t n = below(5); n > 0; --n) {
      plain_rule r;
      r.counts = outcomes();
      r.by_streak = chance(15);
      switch (below(5)) {
        case 0:
          r.kind = plain_rule::wait;
          for (std::int64_t m = 1 + below(4); m > 0; --m) r.spans.push_back(span(true));
          r.from_decision = chance(30);
          r.by_date = chance(30);
          break;
        case 1:
          r.kind = plain_rule::most_ever;
          r.most = static_cast<std::uint64_t>(1 + below(8));
          break;
        case 2:
          r.kind = plain_rule::per_month;
          r.most = static_cast<std::uint64_t>(1 + below(3));
          break;
        case 3:
          r.kind = plain_rule::lockout;
          r.spans.push_back(span(false));
          r.most = static_cast<std::uint64_t>(1 + below(3));
          r.by_date = chance(30);
          break;
        default:
          r.kind = plain_rule::most_in;
          r.spans.push_back(span(false));
          r.most = static_cast<std::uint64_t>(1 + below(4));
          r.by_date = chance(30);
      }
      p.rules.push_back(r);
    }
    return p;
  }

  std::vector<attempt> history() {
    std::vector<attempt> list;
    std::int64_t at = 1'577'836'800 + below(4 * 366 * 86'400);  // from 2020
    for (std::int64_t n = below(9); n > 0; --n) {
      attempt a{.track = "t", .at = sys_seconds{seconds{at}}, .result = static_cast<outcome>(below(outcome_count))};
      if (chance(50)) a.decided_at = a.at + seconds{below(20 * 86'400)};
      a.id.data[15] = static_cast<std::uint8_t>(list.size());
      list.push_back(a);
      at += chance(10) ? 0 : chance(50) ? below(3 * 86'400) : 86'400 * below(60);
    }
    return list;
  }

 private:
  std::mt19937_64 random_;
};

std::string words_of(const std::vector<outcome>& list) {
  std::string text = "[";
  for (const auto o : list) text += (text.size() > 1 ? ",\"" : "\"") + std::string(to_string(o)) + "\"";
  return text + "]";
}

std::string iso(std::pair<int, std::int64_t> span) {
  return "P" + (span.first ? std::to_string(span.first) + "M" : "") + "T" + std::to_string(span.second) + "S";
}

retake_policy parsed(const plain_policy& p, const std::vector<std::size_t>& order) {
  std::string text =
      R"({"hirenow_policy":1,"version":"random","retake_after":)" + words_of(p.retake_after) + R"(,"rules":[)";
  bool first = true;
  for (const std::size_t n : order) {
    const plain_rule& r = p.rules[n];
    text += std::string(first ? "" : ",") + R"({"id":"r)" + std::to_string(n) + R"(","counts":)" + words_of(r.counts);
    first = false;
    if (r.by_date) text += R"(,"from_start_of":"day")";
    if (r.by_streak) text += R"(,"broken_by":["passed"])";
    switch (r.kind) {
      case plain_rule::wait:
        text += R"(,"rule":"wait","from":)" + std::string(r.from_decision ? R"("decision")" : R"("attempt")") +
                R"(,"after":[)";
        for (std::size_t m = 0; m < r.spans.size(); ++m) text += (m ? ",\"" : "\"") + iso(r.spans[m]) + "\"";
        text += "]}";
        break;
      case plain_rule::lockout:
        text += R"(,"rule":"lockout","after":)" + std::to_string(r.most) + R"(,"for":")" + iso(r.spans[0]) + "\"}";
        break;
      case plain_rule::most_ever:
      case plain_rule::most_in:
      case plain_rule::per_month:
        text += R"(,"rule":"most","attempts":)" + std::to_string(r.most);
        if (r.kind == plain_rule::most_in) text += R"(,"in":")" + iso(r.spans[0]) + "\"";
        text += r.kind == plain_rule::per_month ? R"(,"per":"month"})" : "}";
    }
  }
  return retake_policy::parse(text + "]}").value();
}

std::vector<std::size_t> in_order(const plain_policy& p) {
  std::vector<std::size_t> order(p.rules.size());
  for (std::size_t n = 0; n < order.size(); ++n) order[n] = n;
  return order;
}

/// An instant around the history: now and then exactly where something changes.
std::int64_t some_instant(maker& make, const plain_policy& policy, const std::vector<attempt>& history) {
  const std::int64_t start = history.empty() ? 1'600'000'000 : count(history.front().at);
  if (!history.empty() && !policy.rules.empty() && make.chance(40)) {
    const auto& rule =
        policy.rules[static_cast<std::size_t>(make.below(static_cast<std::int64_t>(policy.rules.size())))];
    const auto& a = history[static_cast<std::size_t>(make.below(static_cast<std::int64_t>(history.size())))];
    if (!rule.spans.empty()) return later(count(a.at), rule.spans[0]) - make.below(2);
  }
  return start + make.below(400 * 86'400);
}

constexpr int rounds = 10'000;

}  // namespace

TEST_CASE("the evaluator agrees with a second reading of the rules", "[policy][property]") {
  maker make(20'260'301);
  int denied = 0, dated = 0, permanent = 0;
  for (int round = 0; round < rounds; ++round) {
    const auto plain = make.policy();
    const auto policy = parsed(plain, in_order(plain));
    const auto history = make.history();
    const std::int64_t now = some_instant(make, plain, history);
    const auto kind = make.chance(30) ? attempt_kind::schedule : attempt_kind::retake;
    CAPTURE(round, policy.document(), now);

    const auto answer = evaluate(policy, history, sys_seconds{seconds{now}}, kind);
    REQUIRE(answer.allowed == allows(plain, history, now, kind));
    REQUIRE((answer.reason == "ok") == answer.allowed);
    REQUIRE(answer.all_reasons.empty() == answer.allowed);
    REQUIRE_FALSE(describe(answer).empty());
    if (answer.allowed) {
      REQUIRE_FALSE(answer.eligible_at);
      continue;
    }
    ++denied;
    REQUIRE(std::find(answer.all_reasons.begin(), answer.all_reasons.end(), answer.reason) != answer.all_reasons.end());
    const auto first = first_allowed(plain, history, now, kind);
    REQUIRE(answer.eligible_at.has_value() == first.has_value());
    if (!first) {
      ++permanent;
      continue;
    }
    ++dated;
    REQUIRE(count(*answer.eligible_at) == *first);
    REQUIRE(evaluate(policy, history, *answer.eligible_at, kind).allowed);
    REQUIRE_FALSE(evaluate(policy, history, *answer.eligible_at - seconds{1}, kind).allowed);
  }
  // The random cases are worth something only where all kinds of answer are among them.
  CHECK(denied > rounds / 10);
  CHECK(dated > rounds / 20);
  CHECK(permanent > rounds / 20);
}

TEST_CASE("neither the order of the rules nor that of the attempts changes the answer", "[policy][property]") {
  maker make(7);
  for (int round = 0; round < rounds / 4; ++round) {
    const auto plain = make.policy();
    auto history = make.history();
    for (std::size_t n = 1; n < history.size(); ++n)  // two attempts at one instant have no order to keep
      if (history[n].at <= history[n - 1].at) history[n].at = history[n - 1].at + seconds{1};
    const sys_seconds now{seconds{some_instant(make, plain, history)}};
    auto order = in_order(plain);
    const auto answer = evaluate(parsed(plain, order), history, now);
    make.shuffle(order);
    make.shuffle(history);
    const auto other = evaluate(parsed(plain, order), history, now);
    CAPTURE(round);
    REQUIRE(answer.allowed == other.allowed);
    REQUIRE(answer.reason == other.reason);
    REQUIRE(answer.eligible_at == other.eligible_at);
    REQUIRE(answer.attempts_left == other.attempts_left);
    REQUIRE(answer.all_reasons == other.all_reasons);
    REQUIRE(describe(answer) == describe(other));
  }
}

TEST_CASE("more history never makes a cap looser", "[policy][property]") {
  maker make(11);
  int tightened = 0;
  for (int round = 0; round < rounds / 4; ++round) {
    auto plain = make.policy();
    std::erase(plain.retake_after, outcome::voided);
    plain.retake_after.push_back(outcome::voided);  // which outcomes may be followed is no cap
    std::erase_if(plain.rules, [](const plain_rule& r) {
      return r.kind == plain_rule::wait || r.kind == plain_rule::lockout || r.by_streak;
    });
    const auto policy = parsed(plain, in_order(plain));
    auto history = make.history();
    const sys_seconds now{seconds{some_instant(make, plain, history)}};
    const auto before = evaluate(policy, history, now, attempt_kind::schedule);
    attempt more{.track = "t", .result = static_cast<outcome>(make.below(outcome_count))};
    more.at = now - seconds{make.below(100 * 86'400)};
    history.push_back(more);
    const auto after = evaluate(policy, history, now, attempt_kind::schedule);
    CAPTURE(round);
    REQUIRE((before.allowed || !after.allowed));
    REQUIRE(after.attempts_left.value_or(0) <= before.attempts_left.value_or(0));
    if (!before.allowed && before.eligible_at && after.eligible_at) REQUIRE(*after.eligible_at >= *before.eligible_at);
    if (!before.allowed && !before.eligible_at) REQUIRE_FALSE(after.eligible_at);
    if (before.allowed && !after.allowed) ++tightened;
  }
  CHECK(tightened > 50);
}

TEST_CASE("damaged documents are refused or read, never more", "[policy][property]") {
  maker make(13);
  const std::string bytes = "{}[]\",:0123456789PTDMYW\\u/ \xff\x80-+.eafnultr" + std::string(1, '\0');
  int refused = 0;
  for (int round = 0; round < rounds / 2; ++round) {
    const auto plain = make.policy();
    std::string text = parsed(plain, in_order(plain)).document();
    for (std::int64_t n = 1 + make.below(4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(make.below(static_cast<std::int64_t>(text.size())));
      const char byte = bytes[static_cast<std::size_t>(make.below(static_cast<std::int64_t>(bytes.size())))];
      switch (make.below(4)) {
        case 0: text[at] = byte; break;
        case 1: text.insert(at, 1, byte); break;
        case 2: text.erase(at, 1 + static_cast<std::size_t>(make.below(8))); break;
        default: text.insert(at, text.substr(at, static_cast<std::size_t>(make.below(40))));
      }
      if (text.empty()) text = "{";
    }
    const auto policy = retake_policy::parse(text);
    if (policy.has_error()) {
      ++refused;
      REQUIRE((policy.error().code == errc::policy_invalid || policy.error().code == errc::too_large));
      REQUIRE_FALSE(policy.error().message.empty());
    } else {
      const auto history = make.history();
      evaluate(*policy, history, sys_seconds{seconds{some_instant(make, plain, history)}});
    }
  }
  CHECK(refused > rounds / 4);
}
