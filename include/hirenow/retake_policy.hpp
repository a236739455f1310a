#pragma once
/// The retake rules: a policy is a JSON document, parsed once, versioned and hashed; `evaluate()` holds a history of
/// attempts against it. `docs/retake_policy.md` describes the document.
///
/// Every rule is one named pure function from (rule, history, now) to a verdict; a policy allows only where all its
/// rules allow. No clock is read here: the same arguments give the same answer for ever.
/// Threads: pure functions and immutable values.

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hirenow/clock.hpp"
#include "hirenow/crypto.hpp"
#include "hirenow/error.hpp"
#include "hirenow/interview.hpp"

namespace hirenow {

/// One attempt, as a policy sees it.
struct attempt {
  std::string track;
  sys_seconds at{};  ///< the start; where there was none, `start_by`
  std::optional<sys_seconds> decided_at{};
  outcome result = outcome::pending;
  std::optional<double> score{};
  interview_id id{};

  friend bool operator==(const attempt&, const attempt&) = default;
};

/// The attempts at a track, oldest first. An interview that was cancelled or withdrawn before its start is none; a
/// scheduled one is, as `pending`, because it will use up an attempt.
inline std::vector<attempt> attempts_of(const applicant_record& record, std::string_view track) {
  std::vector<attempt> history;
  for (const auto& i : record.interviews) {
    if (i.track != track) continue;
    if (!i.started_at && (i.outcome == outcome::cancelled || i.outcome == outcome::withdrawn)) continue;
    attempt a{.track = i.track,
              .at = i.started_at.value_or(i.start_by),
              .decided_at = i.decided_at,
              .result = i.outcome,
              .score = i.score,
              .id = i.id};
    const auto place = std::upper_bound(history.begin(), history.end(), a,
                                        [](const attempt& x, const attempt& y) { return x.at < y.at; });
    history.insert(place, std::move(a));
  }
  return history;
}

/// A set of outcomes.
class outcome_set {
 public:
  constexpr outcome_set() = default;
  constexpr outcome_set(std::initializer_list<outcome> members) {
    for (const outcome o : members) add(o);
  }
  constexpr void add(outcome o) { bits_ = static_cast<std::uint16_t>(bits_ | bit(o)); }
  constexpr bool has(outcome o) const { return (bits_ & bit(o)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(outcome_set, outcome_set) = default;

 private:
  static constexpr unsigned bit(outcome o) { return 1u << static_cast<unsigned>(o); }
  std::uint16_t bits_ = 0;
};

/// The outcomes a retake may follow where a policy does not say.
inline constexpr outcome_set default_retake_after{outcome::failed, outcome::on_hold, outcome::voided};

/// The outcomes a rule counts where it does not say. Cancelled and withdrawn attempts were started: that they count
/// keeps anyone from getting round a wait by breaking off. No-shows and voided attempts do not count.
inline constexpr outcome_set default_counts{outcome::passed,   outcome::failed,     outcome::on_hold,
                                            outcome::pending,  outcome::incomplete, outcome::cancelled,
                                            outcome::withdrawn};

/// A length of time as ISO 8601 writes it: calendar months, and beside them an exact part (a day is 24 hours).
struct policy_span {
  std::int32_t months = 0;
  seconds exact{0};

  friend bool operator==(const policy_span&, const policy_span&) = default;
};

/// Reads a span: `PnW`, or `PnYnMnDTnHnMnS` with at least one part; whole numbers, at most 100 years.
/// Errors: invalid_argument.
inline result<policy_span> parse_span(std::string_view text) {
  constexpr std::int64_t most_months = 1200;
  constexpr std::int64_t most_seconds = 36'600LL * 86'400;
  struct unit {
    char letter;
    bool of_time;
    std::int64_t months;
    std::int64_t exact;
  };
  constexpr std::array units{unit{'Y', false, 12, 0},     unit{'M', false, 1, 0},    unit{'W', false, 0, 7 * 86'400},
                             unit{'D', false, 0, 86'400}, unit{'H', true, 0, 3'600}, unit{'M', true, 0, 60},
                             unit{'S', true, 0, 1}};
  const auto refused = [] {
    return detail::fail(errc::invalid_argument,
                        "must be an ISO 8601 duration in whole units and of at most 100 years, for example \"P14D\", "
                        "\"PT36H\" or \"P12M\"");
  };
  if (text.empty() || text.front() != 'P') return refused();
  std::int64_t months = 0, exact = 0;
  bool in_time = false, weeks = false;
  std::size_t parts = 0, parts_of_time = 0, next_unit = 0;
  for (std::size_t at = 1; at < text.size();) {
    if (text[at] == 'T' && !in_time) {
      in_time = true;
      ++at;
      continue;
    }
    std::int64_t number = 0;
    const std::size_t first = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      number = number * 10 + (text[at] - '0');
      if (number > most_seconds) return refused();
    }
    if (at == first || at == text.size()) return refused();
    while (next_unit < units.size() && (units[next_unit].letter != text[at] || units[next_unit].of_time != in_time))
      ++next_unit;
    if (next_unit == units.size()) return refused();
    weeks = weeks || units[next_unit].letter == 'W';
    months += number * units[next_unit].months;
    exact += number * units[next_unit].exact;
    if (months > most_months || exact > most_seconds) return refused();
    ++next_unit;
    ++at;
    ++parts;
    if (in_time) ++parts_of_time;
  }
  if (parts == 0 || (in_time && parts_of_time == 0) || (weeks && parts > 1)) return refused();
  return policy_span{.months = static_cast<std::int32_t>(months), .exact = seconds{exact}};
}

/// The span in English, for example "14 days", "1 year", "1 month and 36 hours".
inline std::string in_words(const policy_span& span) {
  const auto counted = [](std::int64_t n, std::string_view unit) {
    return std::to_string(n) + " " + std::string(unit) + (n == 1 ? "" : "s");
  };
  std::string words;
  if (span.months != 0)
    words = span.months % 12 == 0 ? counted(span.months / 12, "year") : counted(span.months, "month");
  if (span.months != 0 && span.exact == seconds{0}) return words;
  if (span.months != 0) words += " and ";
  const std::int64_t n = span.exact.count();
  return words + (n % 86'400 == 0  ? counted(n / 86'400, "day")
                  : n % 3'600 == 0 ? counted(n / 3'600, "hour")
                  : n % 60 == 0    ? counted(n / 60, "minute")
                                   : counted(n, "second"));
}

/// The instant a span after another. Months are added first, by the calendar in UTC: the day is clamped to the end of
/// the month and the time of day stays; then the exact part.
/// Returns nothing where that lies after `max_instant`.
inline std::optional<sys_seconds> add_span(sys_seconds from, const policy_span& span) {
  from = std::clamp(from, min_instant, max_instant);
  if (span.months != 0) {
    using namespace std::chrono;
    const auto day = floor<days>(from);
    const year_month_day date{day};
    const year_month month = date.year() / date.month() + std::chrono::months{span.months};
    const auto last = (month / std::chrono::last).day();
    from = sys_days{month / std::min(date.day(), last)} + (from - day);
  }
  from += span.exact;
  if (from > max_instant) return std::nullopt;
  return from;
}

/// From which instant of an attempt a wait is counted.
enum class wait_anchor : std::uint8_t {
  at,          ///< the attempt itself
  decided_at,  ///< the decision on it; the attempt itself where there is none
};

/// After the n-th counted attempt, the n-th wait; the last one repeats.
struct wait_rule {
  std::string id;
  outcome_set counts = default_counts;
  std::vector<policy_span> spans{};
  wait_anchor from = wait_anchor::at;
};

/// At most so many retakes ever: one attempt more than that.
struct most_retakes_rule {
  std::string id;
  outcome_set counts = default_counts;
  std::uint64_t most = 0;
};

/// At most so many attempts in a window that rolls: an attempt has left it once `now >= attempt + window`.
struct most_in_window_rule {
  std::string id;
  outcome_set counts = default_counts;
  std::uint64_t most = 1;
  policy_span window{};
};

/// Any rule of a policy.
using retake_rule = std::variant<wait_rule, most_retakes_rule, most_in_window_rule>;

/// A retake policy: parsed, immutable, cheap to copy.
class retake_policy {
 public:
  /// Reads a document of at most 64 KiB, nested at most 16 deep.
  /// Errors: policy_invalid, with the JSON pointer of every fault and what is wrong there; too_large.
  static result<retake_policy> parse(std::string_view json);

  /// The policy where nobody set one: a retake after failed, on_hold or void, 14 days after the last attempt.
  static const retake_policy& standard();

  /// The name its author gave this version of it.
  const std::string& version() const { return data_->version; }
  /// SHA-256 of the document.
  const digest& hash() const { return data_->hash; }
  /// The document as it was given.
  const std::string& document() const { return data_->document; }
  /// The outcomes a retake may follow.
  outcome_set retake_after() const { return data_->retake_after; }
  /// The rules, in the document's order. Borrows from the policy.
  std::span<const retake_rule> rules() const { return data_->rules; }

 private:
  friend class policy_reader;
  struct contents {
    std::string version{};
    digest hash{};
    std::string document{};
    outcome_set retake_after = default_retake_after;
    std::vector<retake_rule> rules{};
  };
  explicit retake_policy(contents c) : data_(std::make_shared<const contents>(std::move(c))) {}

  std::shared_ptr<const contents> data_;
};

/// What one rule says, and what it looked at.
struct rule_verdict {
  std::string rule_id;
  std::string rule;  ///< "retake_after", "wait", "most_retakes" or "most_in_window"
  bool allowed = true;
  std::string reason = "ok";                 ///< "ok", or why it forbids: passed, outcome_not_eligible, lifetime_cap,
                                             ///< window_cap, cooldown
  std::optional<sys_seconds> eligible_at{};  ///< where it forbids: until when; nothing means for ever
  std::uint64_t counted = 0;                 ///< attempts that counted
  std::optional<std::uint64_t> limit{};      ///< most attempts that may count: n retakes are n + 1 attempts
  std::optional<policy_span> span{};         ///< the wait that applies, or the window, as the policy writes it
  std::optional<seconds> wait{};             ///< the wait that applies, in seconds
  std::optional<sys_seconds> since{};        ///< where the wait or the window's oldest counted attempt began
  std::optional<outcome> newest{};           ///< retake_after: the outcome of the newest attempt
  std::vector<interview_id> attempts{};      ///< those that counted
};

/// Whether a further attempt is allowed at an instant, and why.
struct eligibility {
  bool allowed = true;
  std::string reason = "ok";                    ///< "ok", or the deciding rule's reason
  std::optional<sys_seconds> eligible_at{};     ///< where not allowed: from when; nothing means never under this policy
  std::optional<sys_seconds> eligible_until{};  ///< the last moment, where a rule sets one
  std::optional<std::uint64_t> attempts_left{};  ///< the least that any rule leaves now; nothing where none limits it
  std::vector<rule_verdict> rules{};             ///< every rule's verdict, in the policy's order
  std::vector<std::string> all_reasons{};        ///< of all rules that forbid, sorted, each once
  std::string policy_version{};
  digest policy_hash{};
};

/// What the further attempt would be.
enum class attempt_kind : std::uint8_t {
  retake,    ///< follows an attempt directly: its outcome must be one that may be retaken
  schedule,  ///< a fresh interview on a track with a past: the outcome is not asked, every other rule holds
};

/// Forbids for ever where the newest attempt's outcome is not one that a retake may follow.
inline rule_verdict newest_outcome_bars_a_retake(outcome_set retake_after, std::span<const attempt> history) {
  rule_verdict verdict{.rule_id = "retake_after", .rule = "retake_after"};
  const attempt* newest = nullptr;
  for (const attempt& a : history)
    if (!newest || a.at >= newest->at) newest = &a;
  if (!newest) return verdict;
  verdict.counted = 1;
  verdict.newest = newest->result;
  verdict.since = newest->at;
  verdict.attempts = {newest->id};
  if (retake_after.has(newest->result)) return verdict;
  verdict.allowed = false;
  verdict.reason = newest->result == outcome::passed ? "passed" : "outcome_not_eligible";
  return verdict;
}

/// Forbids until the wait after the newest counted attempt is over.
inline rule_verdict retake_is_too_soon(const wait_rule& rule, std::span<const attempt> history, sys_seconds now) {
  rule_verdict verdict{.rule_id = rule.id, .rule = "wait"};
  const attempt* newest = nullptr;
  for (const attempt& a : history) {
    if (!rule.counts.has(a.result)) continue;
    ++verdict.counted;
    verdict.attempts.push_back(a.id);
    if (!newest || a.at >= newest->at) newest = &a;
  }
  if (!newest) return verdict;
  verdict.span = rule.spans[std::min<std::size_t>(verdict.counted, rule.spans.size()) - 1];
  const sys_seconds anchor =
      rule.from == wait_anchor::decided_at ? newest->decided_at.value_or(newest->at) : newest->at;
  verdict.since = std::clamp(anchor, min_instant, max_instant);
  const auto over = add_span(*verdict.since, *verdict.span);
  if (over) verdict.wait = *over - *verdict.since;
  if (over && now >= *over) return verdict;
  verdict.allowed = false;
  verdict.reason = "cooldown";
  verdict.eligible_at = over;
  return verdict;
}

/// Forbids for ever once as many retakes were counted as there may be.
inline rule_verdict retakes_are_used_up(const most_retakes_rule& rule, std::span<const attempt> history) {
  rule_verdict verdict{.rule_id = rule.id, .rule = "most_retakes", .limit = rule.most + 1};
  for (const attempt& a : history) {
    if (!rule.counts.has(a.result)) continue;
    ++verdict.counted;
    verdict.attempts.push_back(a.id);
  }
  if (verdict.counted < *verdict.limit) return verdict;
  verdict.allowed = false;
  verdict.reason = "lifetime_cap";
  return verdict;
}

/// Forbids until enough attempts have left the window.
inline rule_verdict window_is_full(const most_in_window_rule& rule, std::span<const attempt> history, sys_seconds now) {
  rule_verdict verdict{.rule_id = rule.id, .rule = "most_in_window", .limit = rule.most, .span = rule.window};
  // A month's clamping can let a later attempt leave before an earlier one, so the order of leaving is sorted anew.
  std::vector<std::optional<sys_seconds>> leaving;
  const seconds longest = seconds{86'400} * (31LL * rule.window.months) + rule.window.exact;
  for (const attempt& a : history) {
    if (!rule.counts.has(a.result) || now >= std::clamp(a.at, min_instant, max_instant) + longest) continue;
    const auto leaves = add_span(a.at, rule.window);
    if (leaves && now >= *leaves) continue;
    leaving.push_back(leaves);
    verdict.attempts.push_back(a.id);
    if (!verdict.since || a.at < *verdict.since) verdict.since = a.at;
  }
  verdict.counted = leaving.size();
  if (verdict.counted < rule.most) return verdict;
  verdict.allowed = false;
  verdict.reason = "window_cap";
  const auto nth = leaving.begin() + static_cast<std::ptrdiff_t>(verdict.counted - rule.most);
  std::nth_element(leaving.begin(), nth, leaving.end(), [](const auto& a, const auto& b) {
    return a && (!b || *a < *b);  // an attempt that never leaves comes last
  });
  verdict.eligible_at = *nth;
  return verdict;
}

/// The rule's verdict.
inline rule_verdict judge(const retake_rule& rule, std::span<const attempt> history, sys_seconds now) {
  struct visitor {
    std::span<const attempt> history;
    sys_seconds now;
    rule_verdict operator()(const wait_rule& r) const { return retake_is_too_soon(r, history, now); }
    rule_verdict operator()(const most_retakes_rule& r) const { return retakes_are_used_up(r, history); }
    rule_verdict operator()(const most_in_window_rule& r) const { return window_is_full(r, history, now); }
  };
  return std::visit(visitor{history, now}, rule);
}

namespace detail {

/// True where verdict `a`, not `b`, is to be named as the reason: for ever before until, later before sooner, and then
/// by a fixed order, so that the order of the rules changes nothing.
inline bool decides_before(const rule_verdict& a, const rule_verdict& b) {
  if (a.eligible_at.has_value() != b.eligible_at.has_value()) return !a.eligible_at;
  if (a.eligible_at != b.eligible_at) return *a.eligible_at > *b.eligible_at;
  constexpr std::array<std::string_view, 5> order{"passed", "outcome_not_eligible", "lifetime_cap", "window_cap",
                                                  "cooldown"};
  const auto rank = [&](const rule_verdict& v) { return std::find(order.begin(), order.end(), v.reason); };
  return rank(a) != rank(b) ? rank(a) < rank(b) : a.rule_id < b.rule_id;
}

/// The verdict that decides a refusal; nullptr where every rule allows. Borrows from the answer.
inline const rule_verdict* deciding_rule(const eligibility& answer) {
  const rule_verdict* deciding = nullptr;
  for (const rule_verdict& v : answer.rules)
    if (!v.allowed && (!deciding || decides_before(v, *deciding))) deciding = &v;
  return deciding;
}

}  // namespace detail

/// Holds a history against a policy. Allowed only where all rules allow; then the answer changes with a new attempt
/// only, because no rule of these closes again. Attempts may stand in any order.
inline eligibility evaluate(const retake_policy& policy, std::span<const attempt> history, sys_seconds now,
                            attempt_kind kind = attempt_kind::retake) {
  eligibility answer{.policy_version = policy.version(), .policy_hash = policy.hash()};
  answer.rules.reserve(policy.rules().size() + 1);
  if (kind == attempt_kind::retake)
    answer.rules.push_back(newest_outcome_bars_a_retake(policy.retake_after(), history));
  for (const retake_rule& rule : policy.rules()) answer.rules.push_back(judge(rule, history, now));

  for (const rule_verdict& v : answer.rules) {
    if (v.limit) {
      const std::uint64_t left = *v.limit - std::min(v.counted, *v.limit);
      answer.attempts_left = std::min(left, answer.attempts_left.value_or(left));
    }
    if (!v.allowed) answer.all_reasons.push_back(v.reason);
  }
  std::sort(answer.all_reasons.begin(), answer.all_reasons.end());
  answer.all_reasons.erase(std::unique(answer.all_reasons.begin(), answer.all_reasons.end()), answer.all_reasons.end());
  if (const rule_verdict* deciding = detail::deciding_rule(answer)) {
    answer.allowed = false;
    answer.reason = deciding->reason;
    answer.eligible_at = deciding->eligible_at;
  }
  return answer;
}

/// The answer as one English sentence, for example "Retake is possible from 2026-03-15T10:00:00Z: 14 days after the
/// last attempt".
inline std::string describe(const eligibility& answer) {
  const auto counted = [](std::uint64_t n, std::string_view unit) {
    return std::to_string(n) + " " + std::string(unit) + (n == 1 ? "" : "s");
  };
  // What the engine refuses whatever the policy says.
  if (answer.reason == "erased") return "Retake is not possible: the person was erased";
  if (answer.reason == "archived") return "Retake is not possible: the interview is archived";
  if (answer.reason == "active_interview") return "Retake is not possible: the track has an active interview";
  if (answer.reason == "status") return "Retake is not possible: the interview's state does not allow it";
  const rule_verdict* const v = detail::deciding_rule(answer);
  if (!v) {
    if (!answer.attempts_left) return "Retake is possible now";
    return "Retake is possible now; " + counted(*answer.attempts_left, "attempt") +
           (*answer.attempts_left == 1 ? " is left" : " are left");
  }
  std::string text =
      v->eligible_at ? "Retake is possible from " + to_string(*v->eligible_at) + ": " : "Retake is not possible: ";
  if (v->reason == "passed") return text + "the last attempt was passed";
  if (v->reason == "outcome_not_eligible")
    return text + "the policy allows none after an attempt that is " +
           std::string(to_string(v->newest.value_or(outcome::pending)));
  if (v->reason == "cooldown") return text + in_words(v->span.value_or(policy_span{})) + " after the last attempt";
  text += "at most " + counted(v->limit.value_or(0), "attempt");
  text += v->limit == 1u ? " is allowed" : " are allowed";
  if (v->span) text += " in " + in_words(*v->span);
  return text + ", and " + std::to_string(v->counted) + (v->counted == 1 ? " counts" : " count");
}

}  // namespace hirenow

#include "hirenow/retake_policy_document.hpp"  // IWYU pragma: export
