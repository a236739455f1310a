#pragma once
/// The rules of a retake policy, each one named function from what was counted and the instant to a verdict.
///
/// Threads: pure functions.

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hirenow/retake_eligibility.hpp"

namespace hirenow::detail {

/// An attempt as it is looked at again and again.
struct seen_attempt {
  sys_seconds at{};
  sys_seconds decided{};  ///< `at` where it was not
  const hirenow::attempt* whole = nullptr;
  outcome result = outcome::pending;
  bool at_track = false;  ///< at the one that is asked for
};

/// The attempts that count for a rule, oldest first.
class counted_attempts {
 public:
  counted_attempts() = default;
  counted_attempts(const seen_attempt* all, std::span<const std::uint32_t> which, std::span<const interview_id> ids)
      : all_(all), which_(which), ids_(ids) {}

  std::size_t size() const { return which_.size(); }
  bool empty() const { return which_.empty(); }
  const seen_attempt& operator[](std::size_t n) const { return all_[which_[n]]; }
  const seen_attempt& first() const { return all_[which_.front()]; }
  const seen_attempt& newest() const { return all_[which_.back()]; }
  std::span<const interview_id> ids() const { return ids_; }
  counted_attempts without_first(std::size_t n) const { return {all_, which_.subspan(n), ids_.subspan(n)}; }
  /// Those at an instant or after it.
  counted_attempts since(sys_seconds instant) const {
    std::size_t n = size();
    while (n > 0 && (*this)[n - 1].at >= instant) --n;
    return without_first(n);
  }

 private:
  const seen_attempt* all_ = nullptr;
  std::span<const std::uint32_t> which_{};
  std::span<const interview_id> ids_{};
};

/// What a record says at an instant: a question, and the instant from which it is looked at.
struct viewpoint {
  const retake_policy& policy;
  const retake_question& question;
  sys_seconds now;
  const wall_calendar& wall;
  std::span<const std::vector<known_period>> fact_periods;  ///< by calendar
  std::span<const std::vector<local_days>> fact_holidays;   ///< by working calendar
  std::vector<std::optional<sys_seconds>>* scratch;         ///< room for a list of instants
  std::vector<std::vector<interview_id>>* lists;            ///< keeps lists that are no tail of the counted ones

  bool is_about(const fact& f, const fact_ref& ref) const {
    return f.kind == ref.kind && f.name == ref.name && (f.track.empty() || f.track == question.track);
  }
  /// The newest fact by its instant, of those that are there yet; nullptr where none is.
  const fact* newest(const fact_ref& ref) const {
    const fact* found = nullptr;
    for (const fact& f : question.facts)
      if (f.at <= now && is_about(f, ref) && (!found || f.at >= found->at)) found = &f;
    return found;
  }
  period_clock clock_of(std::int16_t calendar) const {
    const auto n = static_cast<std::size_t>(calendar);
    return {policy.calendars()[n], fact_periods[n], wall};
  }

  /// A span after an instant, as the timing says. Returns nothing after `max_instant` or beyond a list of periods.
  std::optional<sys_seconds> after(sys_seconds anchor, const policy_span& span, const span_timing& timing) const {
    anchor = std::clamp(anchor, min_instant, max_instant);
    std::optional<sys_seconds> over;
    if (span == policy_span{}) {
      over = anchor;  // no wait, however it is counted
    } else if (timing.from == span_timing::base::instant) {
      over = wall.add(anchor, span.months, exact_part(span));
    } else {
      const auto periods = clock_of(timing.calendar);
      const bool end = timing.from == span_timing::base::end_of;
      const auto first = periods.first_day(periods.index_at(anchor) + (end ? 1 : 0));
      // Before the first period of a list there is none to begin with: the date itself stands for it.
      if (!first && end) return std::nullopt;
      local_days day = add_months(first.value_or(wall.day_of(anchor)), span.months);
      if (timing.working >= 0) {
        const auto n = static_cast<std::size_t>(timing.working);
        const working_days working(policy.working()[n], fact_holidays[n]);
        day = working.add(end ? working.worked_from(day) : day, span.days);
      } else {
        day += days{span.days};
      }
      over = wall.opening_of(day);
      if (over) over = wall.add(*over, 0, span.exact);
    }
    if (over && timing.opens_with >= 0) over = clock_of(timing.opens_with).start_from(*over);
    return over;
  }
};

// A rule fills in the verdict that it is given: it allows until something here forbids.

inline void forbid(rule_verdict& verdict, std::string_view reason, const std::optional<sys_seconds>& until) {
  verdict.allowed = false;
  verdict.reason = reason;
  verdict.eligible_at = until;
}

/// True where `a` ends before `b`; nothing is for ever.
inline bool ends_before(const std::optional<sys_seconds>& a, const std::optional<sys_seconds>& b) {
  return a && (!b || *a < *b);
}

/// Forbids for ever where the newest attempt's outcome is not one that a retake may follow.
inline void newest_outcome_bars_a_retake(rule_verdict& verdict, outcome_set retake_after,
                                         const counted_attempts& attempts) {
  if (attempts.empty()) return;
  const seen_attempt& newest = attempts.newest();
  verdict.counted = 1;
  verdict.newest = newest.whole->result;
  verdict.since = newest.at;
  verdict.attempts = attempts.ids().last(1);
  if (retake_after.has(newest.whole->result)) return;
  return forbid(verdict, newest.whole->result == outcome::passed ? "passed" : "outcome_not_eligible", {});
}

/// What a wait is counted from.
struct chosen_anchor {
  std::optional<sys_seconds> at{};
  std::string_view word{};     ///< as `rule_verdict::counted_from`
  std::string_view subject{};  ///< the fact's name

  /// Takes another one if it is later.
  void take(sys_seconds other, std::string_view its_word, std::string_view its_subject = {}) {
    if (!at || other > *at) *this = {other, its_word, its_subject};
  }
};

/// The latest of the anchors that are there, for the n-th attempt that counts (from 1; 0 where none does).
inline chosen_anchor latest_anchor(const viewpoint& view, std::span<const wait_anchor> anchors,
                                   const counted_attempts& counted, std::size_t n) {
  chosen_anchor latest;
  for (const wait_anchor& anchor : anchors) {
    switch (anchor.is) {
      case wait_anchor::what::attempt:
        if (n) latest.take(counted[n - 1].at, "attempt");
        break;
      case wait_anchor::what::decision:
        if (n) latest.take(counted[n - 1].decided, counted[n - 1].whole->decided_at ? "decision" : "attempt");
        break;
      case wait_anchor::what::first_attempt:
        if (n) latest.take(counted.first().at, "first_attempt");
        break;
      case wait_anchor::what::fact:
        if (const fact* f = view.newest(anchor.fact)) {
          const auto at = anchor.fact.kind == fact_kind::credential ? f->until : std::optional(f->at);
          if (at) latest.take(*at, to_string(anchor.fact.kind), anchor.fact.name);
        }
        break;
    }
  }
  if (latest.at) latest.at = std::clamp(*latest.at, min_instant, max_instant);
  return latest;
}

/// Says in a verdict what its wait is counted from. Returns false where there is nothing of that yet.
inline bool count_from(const chosen_anchor& anchor, rule_verdict& verdict) {
  verdict.since = anchor.at;
  verdict.counted_from = anchor.word;
  if (anchor.at) verdict.subject = anchor.subject;
  return anchor.at.has_value();
}

/// Whether attempts stand in a window at an instant. An attempt has surely left it, or surely not, by the most and the
/// least that its span can be; only for one between the two it is calculated.
class attempt_window {
 public:
  attempt_window(const viewpoint& view, const policy_span& span, const span_timing& timing)
      : view_(view), span_(span), timing_(timing) {
    seconds slack{view.wall.is_utc() ? 0 : 2 * 86'400};
    if (timing.from != span_timing::base::instant) {
      const auto longest = longest_period(view.policy.calendars()[static_cast<std::size_t>(timing.calendar)]);
      rough_ = longest > days{0};
      slack = longest + days{2};
    }
    if (timing.working >= 0 || timing.opens_with >= 0 || span == policy_span{}) rough_ = false;
    // Months are 30.44 days in the mean; clamping, February and leap years make less than five days of difference.
    if (span.months != 0) slack += days{5};
    const seconds mean = seconds{2'629'746LL * span.months} + exact_part(span);
    least_ = mean - slack;
    most_ = mean + slack;
  }

  std::optional<sys_seconds> leaves(sys_seconds at) const { return view_.after(at, span_, timing_); }
  bool has_surely_left(sys_seconds at, sys_seconds now) const {
    return rough_ && now >= std::clamp(at, min_instant, max_instant) + most_;
  }
  bool holds(sys_seconds at, sys_seconds now) const {
    if (has_surely_left(at, now)) return false;
    if (rough_ && now < std::clamp(at, min_instant, max_instant) + least_) return true;
    const auto left = leaves(at);
    return !left || now < *left;
  }

 private:
  static days longest_period(const period_calendar& calendar) {
    switch (calendar.is) {
      case period_calendar::form::day: return days{1};
      case period_calendar::form::week: return days{7};
      case period_calendar::form::month: return days{31};
      case period_calendar::form::quarter: return days{92};
      case period_calendar::form::year: return days{366};
      case period_calendar::form::regular: return days{31LL * calendar.every_months + calendar.every_days};
      case period_calendar::form::listed:
      case period_calendar::form::facts: break;
    }
    return days{0};
  }

  const viewpoint& view_;
  const policy_span& span_;
  const span_timing& timing_;
  bool rough_ = true;
  seconds least_{};
  seconds most_{};
};

/// Those of the counted attempts that came so shortly before the newest of them, and it.
inline counted_attempts numbered_attempts(const viewpoint& view, const std::optional<policy_span>& within,
                                          const span_timing& timing, counted_attempts counted) {
  if (!within || counted.empty()) return counted;
  span_timing plain = timing;
  plain.working = plain.opens_with = -1;
  const attempt_window window(view, *within, plain);
  const sys_seconds last = counted.newest().at;
  std::size_t n = counted.size() - 1;
  while (n > 0 && window.holds(counted[n - 1].at, last)) --n;
  return counted.without_first(n);
}

/// The end of a wait; where it is waived, of the part that stays.
struct wait_end {
  std::optional<sys_seconds> over{};
  std::optional<sys_seconds> floor_over{};  ///< nothing: a waiver leaves nothing
  bool has_floor = false;
};

inline wait_end end_of_wait(const viewpoint& view, sys_seconds anchor, const policy_span& span,
                            const span_timing& timing, const std::optional<policy_span>& floor,
                            const granted_waiver* waiver) {
  wait_end end{.over = view.after(anchor, span, timing)};
  const auto keep = [&](const std::optional<policy_span>& part) {
    if (!part) return;
    const auto until = view.after(anchor, *part, timing);
    if (!end.has_floor || ends_before(end.floor_over, until)) end.floor_over = until;
    end.has_floor = true;
  };
  keep(floor);
  if (waiver) keep(waiver->floor);
  return end;
}

/// Forbids until a wait's end, or, where it is waived, until the end of the part that stays.
inline void until_the_wait_is_over(rule_verdict& verdict, const viewpoint& view, const wait_end& end, bool waivable,
                                   const granted_waiver* waiver, std::string_view reason) {
  if (end.over) verdict.wait = *end.over - *verdict.since;
  verdict.until = end.over;
  const bool over = end.over && view.now >= *end.over;
  if (over) return;
  const bool floor_over = !end.has_floor || (end.floor_over && view.now >= *end.floor_over);
  if (waiver) {
    verdict.waived = true;
    if (floor_over) return;
    return forbid(verdict, reason, ends_before(end.over, end.floor_over) ? end.over : end.floor_over);
  }
  verdict.waiver_allows = waivable && floor_over;
  return forbid(verdict, reason, end.over);
}

/// Forbids until the wait after the newest counted attempt is over.
inline void retake_is_too_soon(rule_verdict& verdict, const viewpoint& view, const retake_rule& rule,
                               const wait_rule& wait, counted_attempts counted, const granted_waiver* waiver) {
  counted = numbered_attempts(view, wait.within, wait.timing, counted);
  verdict.counted = counted.size();
  verdict.attempts = counted.ids();
  verdict.working_days = wait.timing.working >= 0;
  for (const auto& anchor : wait.from)
    if (anchor.is == wait_anchor::what::fact) verdict.subject = anchor.fact.name;
  const auto span_of = [&](std::size_t n) {
    return wait.after[std::min(std::max<std::size_t>(n, 1), wait.after.size()) - 1];
  };
  policy_span span = span_of(counted.size());
  if (wait.penalty) {
    bool early = false;
    for (std::size_t n = 1; n < counted.size(); ++n) {
      policy_span then = span_of(n);
      if (early)
        then = {then.months + wait.penalty->months, then.days + wait.penalty->days, then.exact + wait.penalty->exact};
      const auto anchor = latest_anchor(view, wait.from, counted, n).at;
      const auto over = anchor ? view.after(*anchor, then, wait.timing) : std::nullopt;
      early = !over || counted[n].at < *over;
    }
    if (early)
      span = {span.months + wait.penalty->months, span.days + wait.penalty->days, span.exact + wait.penalty->exact};
  }
  if (!count_from(latest_anchor(view, wait.from, counted, counted.size()), verdict)) return;
  verdict.span = span;
  return until_the_wait_is_over(verdict, view, end_of_wait(view, *verdict.since, span, wait.timing, wait.floor, waiver),
                                rule.waivable, waiver, "cooldown");
}

/// Forbids for a span after every n-th attempt.
inline void attempts_are_locked(rule_verdict& verdict, const viewpoint& view, const retake_rule& rule,
                                const lockout_rule& lockout, const counted_attempts& counted,
                                const granted_waiver* waiver) {
  verdict.limit = lockout.after;
  verdict.span = lockout.lasts;
  verdict.working_days = lockout.timing.working >= 0;
  span_timing plain = lockout.timing;
  plain.working = plain.opens_with = -1;
  const policy_span within = lockout.within.value_or(policy_span{});
  const attempt_window window(view, within, plain);
  std::size_t begin = 0;  // of the block that is being counted
  for (std::size_t n = 0; n < counted.size(); ++n) {
    if (n - begin == lockout.after) begin = n;
    while (lockout.within && begin < n && !window.holds(counted[begin].at, counted[n].at)) ++begin;
  }
  const counted_attempts block = counted.without_first(begin);
  verdict.counted = block.size();
  verdict.attempts = block.ids();
  if (block.size() < lockout.after) return;
  if (!count_from(latest_anchor(view, lockout.from, block, block.size()), verdict)) return;
  until_the_wait_is_over(verdict, view,
                         end_of_wait(view, *verdict.since, lockout.lasts, lockout.timing, lockout.floor, waiver),
                         rule.waivable, waiver, "lockout");
  if (verdict.allowed) verdict.counted = 0, verdict.attempts = {};  // the count has started again
}

/// Forbids once as many attempts as there may be count, until enough of them have left the window.
inline void attempts_are_used_up(rule_verdict& verdict, const viewpoint& view, const retake_rule& rule,
                                 const most_rule& most, counted_attempts counted) {
  verdict.limit = most.attempts;
  verdict.span = most.window;
  verdict.waiver_allows = rule.waivable;
  const auto tell = [&](std::optional<sys_seconds> until, std::string_view reason) {
    verdict.counted = counted.size();
    if (verdict.attempts.empty()) verdict.attempts = counted.ids();
    if (!counted.empty()) verdict.since = counted.first().at;
    if (verdict.counted < most.attempts) return;
    verdict.until = until;
    return forbid(verdict, reason, until);
  };
  if (most.per >= 0) {
    const auto periods = view.clock_of(most.per);
    verdict.subject = view.policy.calendars()[static_cast<std::size_t>(most.per)].name;
    const auto k = static_cast<std::int64_t>(most.periods);
    const std::int64_t oldest = periods.index_at(view.now) - k + 1;
    // Before the first period of a list there is no start: then all are in.
    if (const auto start = periods.start(oldest)) counted = counted.since(*start);
    if (counted.size() < most.attempts) return tell({}, "window_cap");
    return tell(periods.start(periods.index_at(counted[counted.size() - most.attempts].at) + k), "window_cap");
  }
  if (!most.window)
    return tell({}, view.policy.selections()[rule.selection].since.empty() ? "lifetime_cap" : "window_cap");
  if (most.opened_by_first) {
    std::optional<sys_seconds> end;
    std::size_t begin = counted.size();
    for (std::size_t n = 0; n < counted.size(); ++n)
      if (begin == counted.size() || (end && counted[n].at >= *end)) {
        begin = n;
        end = view.after(counted[n].at, *most.window, most.timing);
      }
    if (end && view.now >= *end) begin = counted.size();
    counted = counted.without_first(begin);
    return tell(end, "window_cap");
  }

  const attempt_window window(view, *most.window, most.timing);
  const auto leaves = [&](std::size_t n) { return window.leaves(counted[n].at); };
  const auto is_in = [&](std::size_t n) { return window.holds(counted[n].at, view.now); };
  const bool exact = most.timing.from == span_timing::base::instant;
  if (!exact || most.window->months == 0) {  // they leave in the order they came
    std::size_t n = counted.size();
    while (n > 0 && is_in(n - 1)) --n;
    counted = counted.without_first(n);
    if (counted.size() < most.attempts) return tell({}, "window_cap");
    return tell(leaves(counted.size() - most.attempts), "window_cap");
  }
  // A month's clamping can let a later attempt leave before an earlier one.
  std::size_t begin = counted.size(), inside = 0;
  for (std::size_t n = counted.size(); n > 0; --n) {
    if (window.has_surely_left(counted[n - 1].at, view.now)) break;
    if (!is_in(n - 1)) continue;
    begin = n - 1;
    ++inside;
  }
  counted = counted.without_first(begin);
  if (inside == counted.size() && inside < most.attempts) return tell({}, "window_cap");
  auto& leaving = *view.scratch;
  leaving.clear();
  for (std::size_t n = 0; n < counted.size(); ++n)
    if (is_in(n)) leaving.push_back(leaves(n));
  if (inside < counted.size()) {
    auto& ids = view.lists->emplace_back();
    for (std::size_t n = 0; n < counted.size(); ++n)
      if (is_in(n)) ids.push_back(counted.ids()[n]);
    verdict.attempts = ids;
  }
  tell({}, "window_cap");
  verdict.counted = inside;
  if (inside < most.attempts) {
    verdict.allowed = true, verdict.reason = "ok";
    return;
  }
  const auto nth = leaving.begin() + static_cast<std::ptrdiff_t>(inside - most.attempts);
  std::nth_element(leaving.begin(), nth, leaving.end(), ends_before);
  verdict.until = *nth;
  return forbid(verdict, "window_cap", *nth);
}

/// Forbids for ever after such an attempt, or until shortly before a credential expires.
inline void passed_already(rule_verdict& verdict, const viewpoint& view, const retake_rule& rule,
                           const passed_rule& passed, const counted_attempts& counted) {
  verdict.counted = counted.size();
  if (counted.empty()) return;
  verdict.since = counted.newest().at;
  verdict.attempts = counted.ids();
  verdict.waiver_allows = rule.waivable;
  if (!passed.until) return forbid(verdict, "passed", {});
  verdict.subject = passed.until->name;
  verdict.span = passed.less;
  std::optional<sys_seconds> expiry;
  for (const fact& f : view.question.facts)
    if (f.at <= view.now && view.is_about(f, *passed.until) && f.until &&
        ends_before(expiry.value_or(min_instant), f.until))
      expiry = f.until;
  // A credential that had expired when this attempt was passed is not the one that it earned.
  if (!expiry || *expiry <= counted.newest().at) return forbid(verdict, "passed", {});
  const auto opens = view.wall.add(*expiry, -passed.less.months, -exact_part(passed.less));
  verdict.until = opens;
  if (opens && view.now >= *opens) return;
  return forbid(verdict, "passed", opens);
}

/// Forbids until something has happened.
inline void something_is_missing(rule_verdict& verdict, const viewpoint& view, const retake_rule& rule,
                                 const require_rule& require, counted_attempts counted) {
  verdict.subject = require.what.name;
  verdict.limit = require.after;
  const fact* newest = view.newest(require.what);
  if (newest) verdict.since = newest->at;
  if (require.resets && newest) counted = counted.since(newest->at);
  counted = numbered_attempts(view, require.within, {}, counted);
  verdict.counted = counted.size();
  verdict.attempts = counted.ids();
  verdict.waiver_allows = rule.waivable;
  const bool due = require.resets ? (newest ? counted.size() >= std::max<std::uint64_t>(require.after, 1)
                                            : counted.size() >= require.after)
                                  : counted.size() >= require.after;
  if (!due) return;
  const bool happened = newest && !require.resets && (require.after == 0 || newest->at > counted[require.after - 1].at);
  if (happened) return;
  // What is dated later has not happened yet, and will have then.
  std::optional<sys_seconds> next;
  for (const fact& f : view.question.facts)
    if (f.at > view.now && view.is_about(f, require.what) && (!next || f.at < *next)) next = f.at;
  return forbid(verdict, "prerequisite", next);
}

/// Forbids where no eligibility period is open.
inline void no_period_is_open(rule_verdict& verdict, const viewpoint& view, const retake_rule& rule,
                              const period_rule& period) {
  verdict.waiver_allows = rule.waivable;
  if (period.calendar >= 0) {
    verdict.subject = view.policy.calendars()[static_cast<std::size_t>(period.calendar)].name;
    const auto periods = view.clock_of(period.calendar);
    const std::int64_t n = periods.index_at(view.now);
    const auto start = periods.start(n), end = periods.end(n);
    if (start && (!end || view.now < *end)) {
      verdict.since = start;
      verdict.until = verdict.eligible_until = end;
      return;
    }
    return forbid(verdict, "period_expired", periods.start(n + 1));
  }
  verdict.subject = period.opened_by->name;
  bool ever = false, open = false;
  std::optional<sys_seconds> next;
  std::optional<sys_seconds> until = view.now;  // nothing: for ever
  const auto end_of = [&](const fact& f) {
    std::optional<sys_seconds> end = f.until;
    if (!end && period.lasts) end = view.wall.add(f.at, period.lasts->months, exact_part(*period.lasts));
    for (const fact& closing : view.question.facts)
      for (const fact_ref& ref : period.closed_by)
        if (view.is_about(closing, ref) && closing.at >= f.at && ends_before(closing.at, end)) end = closing.at;
    return end;
  };
  // Periods that touch are one; each round may join another.
  for (bool joined = true; joined;) {
    joined = false;
    for (const fact& f : view.question.facts) {
      if (!view.is_about(f, *period.opened_by)) continue;
      if (f.at > view.now && (!next || f.at < *next)) next = f.at;
      if (f.at <= view.now) ever = true;
      if (!until || f.at > *until) continue;
      const auto end = end_of(f);
      if (!ends_before(until, end) || (!open && f.at > view.now)) continue;
      if (!open || f.at < *verdict.since) verdict.since = f.at;
      until = end;
      open = joined = true;
    }
  }
  if (open) {
    verdict.until = verdict.eligible_until = until;
    return;
  }
  return forbid(verdict, ever ? "period_expired" : "prerequisite", next);
}

/// Forbids because its conditions hold.
inline void status_forbids(rule_verdict& verdict, const retake_rule& rule) {
  verdict.waiver_allows = rule.waivable;
  return forbid(verdict, "status", {});
}

}  // namespace hirenow::detail
