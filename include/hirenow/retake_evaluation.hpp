#pragma once
/// Holds a record against a retake policy: which attempts count, which rules apply, when all of them allow.
///
/// Every rule is judged as of one instant. What a rule says changes at instants that are known: where its own verdict
/// says so, and where a fact is dated later. `eligible_at` is found by going from one of these to the next, so that the
/// very same evaluation allows at it and forbids one second before.
/// Threads: pure functions.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "hirenow/detail/retake_judgement.hpp"
#include "hirenow/retake_eligibility.hpp"

namespace hirenow {

inline std::vector<attempt> attempts_of(const applicant_record& record) {
  std::vector<attempt> history;
  history.reserve(record.interviews.size());
  for (const auto& i : record.interviews) {
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

namespace detail {

/// What the texts and attempts of an answer are borrowed from.
struct evaluation_memory {
  explicit evaluation_memory(const retake_policy& p) : policy(p) {}
  retake_policy policy;
  std::vector<interview_id> ids{};                 ///< of the attempts that count, one selection after the other
  std::vector<std::vector<interview_id>> lists{};  ///< those that are no tail of the former
};

/// What is the same for all instants of an evaluation.
class evaluation {
 public:
  evaluation(const retake_policy& policy, const retake_question& question)
      : policy_(policy), question_(question), wall_(zone_of(policy, question)) {
    seen_.reserve(question.attempts.size());
    bool in_order = true;
    for (const hirenow::attempt& a : question.attempts) {
      in_order = in_order && (seen_.empty() || a.at >= seen_.back().at);
      seen_.push_back({a.at, a.decided_at.value_or(a.at), &a, a.result, a.track == question.track});
    }
    if (!in_order)  // those at one instant keep the order they were given in
      std::sort(seen_.begin(), seen_.end(), [](const seen_attempt& a, const seen_attempt& b) {
        return a.at != b.at ? a.at < b.at : a.whole < b.whole;
      });
    fact_periods_.resize(policy.calendars().size());
    for (std::size_t n = 0; n < fact_periods_.size(); ++n)
      if (policy.calendars()[n].is == period_calendar::form::facts) read_periods(n);
    fact_holidays_.resize(policy.working().size());
    for (std::size_t n = 0; n < fact_holidays_.size(); ++n)
      if (!policy.working()[n].fact.empty()) read_holidays(n);
  }

  const wall_calendar& wall() const { return wall_; }

  /// Every rule's verdict as of an instant. Members of a group stand behind it.
  void judge(sys_seconds now, evaluation_memory& memory, std::vector<rule_verdict>& verdicts) {
    const viewpoint view{policy_, question_, now, wall_, fact_periods_, fact_holidays_, &scratch_, &memory.lists};
    select(view, memory);
    memory.lists.clear();
    verdicts.clear();
    verdicts.reserve(policy_.rules().size() + 1);
    // Cancelling leaves a track free to be scheduled anew; voiding must not, where a policy lets no void be retaken.
    const bool after_a_void = !counted_[0].empty() && counted_[0].newest().whole->result == outcome::voided;
    if (question_.kind == attempt_kind::retake || after_a_void)
      newest_outcome_bars_a_retake(
          verdicts.emplace_back(rule_verdict{.rule_id = "retake_after", .rule = "retake_after"}),
          policy_.retake_after(), counted_[0]);
    for (std::size_t n = 0; n < policy_.rules().size(); n += 1u + policy_.rules()[n].descendants)
      judge_rule(view, n, verdicts);
  }

  /// The first instant after this one at which a fact begins to be there, or an attribute ends.
  std::optional<sys_seconds> next_change(sys_seconds after) const {
    std::optional<sys_seconds> next;
    const auto look_at = [&](sys_seconds at) {
      if (at > after && (!next || at < *next)) next = at;
    };
    for (const fact& f : question_.facts) {
      look_at(f.at);
      if (f.kind == fact_kind::attribute && f.until) look_at(*f.until);
    }
    return next;
  }

 private:
  static const zone_offsets& zone_of(const retake_policy& policy, const retake_question& question) {
    if (policy.zone()) return *policy.zone();
    const zone_offsets* const zone = zone_offsets::named(question.time_zone);
    return zone ? *zone : zone_offsets::utc();
  }
  void read_periods(std::size_t n) {
    auto& periods = fact_periods_[n];
    const fact_ref ref{fact_kind::period, policy_.calendars()[n].fact};
    for (const fact& f : question_.facts)
      if (f.kind == ref.kind && f.name == ref.name && (f.track.empty() || f.track == question_.track))
        periods.push_back({f.at, f.until});
    std::sort(periods.begin(), periods.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  }
  void read_holidays(std::size_t n) {
    auto& holidays = fact_holidays_[n];
    for (const fact& f : question_.facts)
      if (f.kind == fact_kind::event && f.name == policy_.working()[n].fact &&
          (f.track.empty() || f.track == question_.track))
        holidays.push_back(wall_.day_of(f.at));
    std::sort(holidays.begin(), holidays.end());
  }

  /// An attribute's value at an instant: the newest dated at it or before; else, where it became known later only, the
  /// oldest. Returns nothing where there is none.
  std::optional<std::string_view> attribute(const viewpoint& view, std::string_view track, std::string_view name,
                                            sys_seconds at) const {
    const fact *newest = nullptr, *oldest = nullptr;
    for (const fact& f : question_.facts) {
      if (f.kind != fact_kind::attribute || f.name != name || f.track != track || f.at > view.now) continue;
      if (f.until && at >= *f.until) continue;
      if (f.at <= at && (!newest || f.at >= newest->at)) newest = &f;
      if (!oldest || f.at < oldest->at) oldest = &f;
    }
    const fact* const found = newest ? newest : oldest;
    return found ? std::optional<std::string_view>(found->value) : std::nullopt;
  }

  /// Which attempts count, for every selection of the policy: the first is "every attempt at this track".
  void select(const viewpoint& view, evaluation_memory& memory) {
    const auto selections = policy_.selections();
    // Every list has room for all, and a list that is like the first shares it.
    picked_.resize(seen_.size() * (selections.size() + 1));
    memory.ids.resize(picked_.size());
    counted_.clear();
    counted_.reserve(selections.size() + 1);
    std::uint32_t* picked = picked_.data();
    interview_id* ids = memory.ids.data();
    std::size_t size = 0;
    const auto take = [&](std::size_t n) {
      picked[size] = static_cast<std::uint32_t>(n);
      ids[size++] = seen_[n].whole->id;
    };
    const auto finish = [&](std::size_t begin) {
      counted_.emplace_back(seen_.data(), std::span(picked + begin, size - begin),
                            std::span(ids + begin, size - begin));
      picked += size, ids += size, size = 0;
    };
    outcome_set outcomes;
    for (std::size_t n = 0; n < seen_.size(); ++n) {
      if (!seen_[n].at_track) continue;
      outcomes.add(seen_[n].result);
      take(n);
    }
    finish(0);
    for (const attempt_selection& which : selections) {
      const bool plain = which.same_track && which.same.empty() && which.broken_by.empty() && which.except.empty() &&
                         which.score == score_range{};
      if (plain && which.counts.has_all(outcomes)) {
        counted_.push_back(counted_.front());
      } else {
        std::size_t begin = 0;
        for (std::size_t n = 0; n < seen_.size(); ++n) {
          const seen_attempt& a = seen_[n];
          const bool breaks = which.broken_by.has(a.result);
          if ((!breaks && !which.counts.has(a.result)) || (which.same_track && !a.at_track)) continue;
          if (!plain) {
            if (!which.same.empty() && !shares_attributes(view, which, *a.whole, a.at_track)) continue;
            if (breaks) {
              begin = size;
              continue;
            }
            if (!which.score.holds(a.whole->score) || is_exempt(which, a.at)) continue;
          }
          take(n);
        }
        finish(begin);
      }
      for (const fact_ref& ref : which.since)
        if (const fact* f = view.newest(ref)) counted_.back() = counted_.back().since(f->at);
    }
  }
  bool shares_attributes(const viewpoint& view, const attempt_selection& which, const hirenow::attempt& a,
                         bool same_track) const {
    for (const auto& name : which.same) {
      const auto wanted = attribute(view, question_.track, name, view.now);
      const auto its = attribute(view, a.track, name, a.at);
      if (wanted != its || (!wanted && !same_track)) return false;
    }
    return true;
  }
  bool is_exempt(const attempt_selection& which, sys_seconds at) const {
    if (which.except.empty()) return false;
    const local_days day = wall_.day_of(std::clamp(at, min_instant, max_instant));
    return std::any_of(which.except.begin(), which.except.end(), [&](const date_range& r) { return r.holds(day); });
  }

  bool passes(const attempt_test& test, const seen_attempt& a) const {
    return (!test.outcomes || test.outcomes->has(a.whole->result)) && test.score.holds(a.whole->score) &&
           test.dates.holds(wall_.day_of(std::clamp(a.at, min_instant, max_instant)));
  }
  bool holds(const viewpoint& view, const rule_condition& condition, const counted_attempts& counted) const {
    if (condition.kind && *condition.kind != question_.kind) return false;
    if (condition.at_least && counted.size() < *condition.at_least) return false;
    if (condition.at_most && counted.size() > *condition.at_most) return false;
    if (condition.newest && (counted.empty() || !passes(*condition.newest, counted.newest()))) return false;
    if (condition.first && (counted.empty() || !passes(*condition.first, counted.first()))) return false;
    for (const attribute_test& test : condition.attributes) {
      const auto value = attribute(view, test.of_track ? question_.track : std::string_view{}, test.name, view.now);
      if (!value || std::find(test.values.begin(), test.values.end(), *value) == test.values.end()) return false;
    }
    return true;
  }

  const granted_waiver* waiver_of(const retake_rule& rule) const {
    if (!rule.waivable) return nullptr;
    for (const granted_waiver& w : question_.waivers)
      if (w.rule_id == rule.id) return &w;
    return nullptr;
  }

  void judge_rule(const viewpoint& view, std::size_t n, std::vector<rule_verdict>& verdicts) const {
    const retake_rule& rule = policy_.rules()[n];
    const counted_attempts& counted = counted_[rule.selection + 1u];
    const std::size_t place = verdicts.size();
    rule_verdict& verdict = verdicts.emplace_back(
        rule_verdict{.rule_id = rule.id, .rule = word_of(rule), .group = rule.group, .advice = rule.advice});
    verdict.applies =
        (!rule.when || holds(view, *rule.when, counted)) && (!rule.unless || !holds(view, *rule.unless, counted));
    if (const auto* group = std::get_if<group_rule>(&rule.is)) {
      for (std::size_t m = n + 1; m <= n + rule.descendants; m += 1u + policy_.rules()[m].descendants)
        judge_rule(view, m, verdicts);
      if (verdicts[place].applies) close_group(*group, rule, verdicts, place);
    } else if (verdict.applies) {
      judge_single(view, rule, counted, verdict);
    }
    rule_verdict& made = verdicts[place];
    if (!made.allowed && !made.waived && std::get_if<wait_rule>(&rule.is) == nullptr &&
        std::get_if<lockout_rule>(&rule.is) == nullptr && waiver_of(rule)) {
      made.allowed = made.waived = true;
      made.reason = "ok";
      made.eligible_at.reset();
    }
    if (made.allowed) made.waiver_allows = false;
  }

  void judge_single(const viewpoint& view, const retake_rule& rule, const counted_attempts& counted,
                    rule_verdict& verdict) const {
    struct visitor {
      const viewpoint& view;
      const retake_rule& rule;
      const counted_attempts& counted;
      rule_verdict& verdict;
      const granted_waiver* waiver;
      void operator()(const wait_rule& r) const { return retake_is_too_soon(verdict, view, rule, r, counted, waiver); }
      void operator()(const most_rule& r) const { return attempts_are_used_up(verdict, view, rule, r, counted); }
      void operator()(const lockout_rule& r) const {
        return attempts_are_locked(verdict, view, rule, r, counted, waiver);
      }
      void operator()(const passed_rule& r) const { return passed_already(verdict, view, rule, r, counted); }
      void operator()(const require_rule& r) const { return something_is_missing(verdict, view, rule, r, counted); }
      void operator()(const period_rule& r) const { return no_period_is_open(verdict, view, rule, r); }
      void operator()(const status_rule&) const { return status_forbids(verdict, rule); }
      void operator()(const group_rule&) const {}
    };
    return std::visit(visitor{view, rule, counted, verdict, waiver_of(rule)}, rule.is);
  }

  /// Any: the member that allows first. All: the member that allows last. `eligible_at` and `eligible_until` of a group
  /// are instants at which something changes, not more; the search goes on from there.
  static void close_group(const group_rule& group, const retake_rule& rule, std::vector<rule_verdict>& verdicts,
                          std::size_t place) {
    const rule_verdict* decides = nullptr;
    std::optional<sys_seconds> closes;
    bool allowed = !group.any, for_ever = false;
    for (std::size_t n = place + 1; n < verdicts.size(); ++n) {
      const rule_verdict& v = verdicts[n];
      if (v.group != rule.id) continue;
      if (v.allowed) {
        if (group.any) {
          allowed = true;
          for_ever = for_ever || !v.eligible_until;
          if (!closes || ends_before(closes, v.eligible_until)) closes = v.eligible_until;
        } else if (ends_before(v.eligible_until, closes)) {
          closes = v.eligible_until;
        }
        continue;
      }
      if (!group.any) allowed = false;
      const bool sooner = decides && ends_before(v.eligible_at, decides->eligible_at);
      const bool later = decides && ends_before(decides->eligible_at, v.eligible_at);
      if (!decides || (group.any ? sooner : later)) decides = &v;
    }
    rule_verdict& verdict = verdicts[place];
    verdict.allowed = allowed;
    if (allowed) {
      if (!for_ever) verdict.eligible_until = closes;
      return;
    }
    verdict.reason = decides ? decides->reason : "prerequisite";
    if (decides) verdict.eligible_at = decides->eligible_at, verdict.subject = decides->rule_id;
    verdict.waiver_allows = rule.waivable;
  }

  const retake_policy& policy_;
  const retake_question& question_;
  wall_calendar wall_;
  std::vector<seen_attempt> seen_{};
  std::vector<std::uint32_t> picked_{};
  std::vector<counted_attempts> counted_{};
  std::vector<std::vector<known_period>> fact_periods_{};
  std::vector<std::vector<local_days>> fact_holidays_{};
  std::vector<std::optional<sys_seconds>> scratch_{};
};

/// True where the verdict has a say: it is no advice and no member of a group.
inline bool has_a_say(const rule_verdict& v) { return v.advice.empty() && v.group.empty(); }

/// True where verdict `a`, not `b`, is to be named as the reason: without a date before dated, later before sooner, and
/// then by a fixed order, so that the order of the rules changes nothing.
inline bool decides_before(const rule_verdict& a, const rule_verdict& b) {
  if (a.eligible_at.has_value() != b.eligible_at.has_value()) return !a.eligible_at;
  if (a.eligible_at != b.eligible_at) return *a.eligible_at > *b.eligible_at;
  constexpr std::array<std::string_view, 9> order{"passed",       "outcome_not_eligible", "status",
                                                  "lifetime_cap", "prerequisite",         "period_expired",
                                                  "lockout",      "window_cap",           "cooldown"};
  const auto rank = [&](const rule_verdict& v) { return std::find(order.begin(), order.end(), v.reason); };
  return rank(a) != rank(b) ? rank(a) < rank(b) : a.rule_id < b.rule_id;
}

/// The verdict that decides a refusal; nullptr where every rule allows. Borrows from the answer.
inline const rule_verdict* deciding_rule(const eligibility& answer) {
  const rule_verdict* deciding = nullptr;
  for (const rule_verdict& v : answer.rules)
    if (!v.allowed && has_a_say(v) && (!deciding || decides_before(v, *deciding))) deciding = &v;
  return deciding;
}

/// What all verdicts say together as of one instant.
struct joint_verdict {
  bool allowed = true;
  bool dated = true;                          ///< where not allowed: every rule that forbids has a date
  std::optional<sys_seconds> next_opening{};  ///< where dated: before it, it is surely not allowed
  std::optional<sys_seconds> next_closing{};  ///< where allowed: until it, it surely is
};
inline joint_verdict joint(std::span<const rule_verdict> verdicts) {
  joint_verdict all;
  for (const rule_verdict& v : verdicts) {
    if (!has_a_say(v)) continue;
    if (v.allowed) {
      if (ends_before(v.eligible_until, all.next_closing)) all.next_closing = v.eligible_until;
      continue;
    }
    all.allowed = false;
    if (!v.eligible_at)
      all.dated = false;
    else if (!all.next_opening || *v.eligible_at > *all.next_opening)
      all.next_opening = v.eligible_at;
  }
  return all;
}

/// Finds from when, and from there until when, it is allowed.
class opening_search {
 public:
  opening_search(const retake_policy& policy, evaluation& from) : evaluation_(from), memory_(policy) {}

  void run(eligibility& answer, sys_seconds now) {
    joint_verdict here = joint(answer.rules);
    sys_seconds at = now;
    while (!here.allowed) {
      const auto change = evaluation_.next_change(at);
      const auto opening = here.dated ? here.next_opening : std::nullopt;
      const auto next = ends_before(change, opening) ? change : opening;
      if (!next || *next <= at || *next > max_instant || !step()) return;
      at = *next;
      here = look(at);
    }
    if (at != now) answer.eligible_at = at;
    while (here.allowed) {
      const auto change = evaluation_.next_change(at);
      const auto next = ends_before(change, here.next_closing) ? change : here.next_closing;
      if (!next || *next <= at || *next > max_instant || !step()) return;
      at = *next;
      here = look(at);
    }
    answer.eligible_until = at;
  }

 private:
  static constexpr int most_steps = 2000;  // a guard: facts and listed periods are finite

  bool step() { return ++steps_ < most_steps; }
  joint_verdict look(sys_seconds at) {
    evaluation_.judge(at, memory_, verdicts_);
    return joint(verdicts_);
  }

  evaluation& evaluation_;
  evaluation_memory memory_;
  std::vector<rule_verdict> verdicts_{};
  int steps_ = 0;
};

}  // namespace detail

inline eligibility evaluate(const retake_policy& policy, const retake_question& question) {
  auto memory = std::make_shared<detail::evaluation_memory>(policy);
  detail::evaluation evaluation(policy, question);
  eligibility answer;
  answer.time_zone = evaluation.wall().zone();
  answer.policy_version = policy.version();
  answer.policy_hash = policy.hash();
  evaluation.judge(question.now, *memory, answer.rules);
  answer.memory = std::move(memory);

  answer.all_reasons.reserve(answer.rules.size());
  answer.warnings.reserve(answer.rules.size());
  bool waivers_help = true;
  for (const rule_verdict& v : answer.rules) {
    if (!v.advice.empty()) {
      if (!v.allowed) answer.warnings.push_back(v.advice);
      continue;
    }
    if (!v.group.empty()) continue;
    if (v.limit && v.applies && !v.waived && v.rule != "require") {
      const std::uint64_t left = *v.limit - std::min(v.counted, *v.limit);
      answer.attempts_left = std::min(left, answer.attempts_left.value_or(left));
    }
    if (v.allowed) continue;
    answer.all_reasons.push_back(v.reason);
    waivers_help = waivers_help && v.waiver_allows;
  }
  std::sort(answer.all_reasons.begin(), answer.all_reasons.end());
  answer.all_reasons.erase(std::unique(answer.all_reasons.begin(), answer.all_reasons.end()), answer.all_reasons.end());
  if (const rule_verdict* deciding = detail::deciding_rule(answer)) {
    answer.allowed = false;
    answer.reason = deciding->reason;
    answer.waivers.reserve(waivers_help ? answer.rules.size() : 0);
    if (waivers_help)
      for (const rule_verdict& v : answer.rules)
        if (!v.allowed && detail::has_a_say(v)) answer.waivers.push_back(v.rule_id);
  }
  detail::opening_search(policy, evaluation).run(answer, question.now);
  return answer;
}

}  // namespace hirenow
