#pragma once
/// The rules of a retake policy as plain data: what `retake_policy_document.hpp` reads and what is held against a
/// record. `docs/retake_policy.md` describes them.
///
/// Threads: plain values.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hirenow/interview.hpp"
#include "hirenow/policy_calendar.hpp"
#include "hirenow/policy_span.hpp"

namespace hirenow {

/// A set of outcomes.
class outcome_set {
 public:
  constexpr outcome_set() = default;
  constexpr outcome_set(std::initializer_list<outcome> members) {
    for (const outcome o : members) add(o);
  }
  constexpr void add(outcome o) { bits_ = static_cast<std::uint16_t>(bits_ | bit(o)); }
  constexpr bool has(outcome o) const { return (bits_ & bit(o)) != 0; }
  constexpr bool has_all(outcome_set others) const { return (others.bits_ & ~bits_) == 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(outcome_set, outcome_set) = default;

 private:
  static constexpr unsigned bit(outcome o) { return 1u << static_cast<unsigned>(o); }
  std::uint16_t bits_ = 0;
};

/// The outcomes a retake may follow where a policy does not say.
inline constexpr outcome_set default_retake_after{outcome::failed, outcome::on_hold, outcome::voided};

/// The outcomes a wait or a cap counts where it does not say. Cancelled and withdrawn attempts were started: that they
/// count keeps anyone from getting round a wait by breaking off. No-shows and voided attempts do not count.
inline constexpr outcome_set default_counts{outcome::passed,   outcome::failed,     outcome::on_hold,
                                            outcome::pending,  outcome::incomplete, outcome::cancelled,
                                            outcome::withdrawn};

/// What the further attempt would be.
enum class attempt_kind : std::uint8_t {
  retake,    ///< follows an attempt directly: its outcome must be one that may be retaken
  schedule,  ///< a fresh interview: of outcomes a void alone is asked about, and every other rule holds
};

/// The facts of one kind and name: of the applicant, or of the track that is asked for.
struct fact_ref {
  fact_kind kind = fact_kind::event;
  std::string name;

  friend bool operator==(const fact_ref&, const fact_ref&) = default;
};

/// Dates from one to another, the latter not included.
struct date_range {
  std::optional<local_days> from{};
  std::optional<local_days> until{};

  bool holds(local_days day) const { return (!from || day >= *from) && (!until || day < *until); }
  friend bool operator==(const date_range&, const date_range&) = default;
};

/// A score from one value to another, both included. Where a bound is set, an attempt without a score is outside.
struct score_range {
  std::optional<double> at_least{};
  std::optional<double> at_most{};

  bool holds(const std::optional<double>& score) const {
    if (!at_least && !at_most) return true;
    return score && (!at_least || *score >= *at_least) && (!at_most || *score <= *at_most);
  }
  friend bool operator==(const score_range&, const score_range&) = default;
};

/// Which attempts of the record a rule counts.
struct attempt_selection {
  outcome_set counts = default_counts;
  bool same_track = true;           ///< only those at the track that is asked for
  std::vector<std::string> same{};  ///< only those whose track has the same value of these attributes
  score_range score{};
  std::vector<date_range> except{};  ///< attempts on these dates do not count
  outcome_set broken_by{};           ///< such an attempt ends the count; it starts anew after it
  std::vector<fact_ref> since{};     ///< so does such a fact

  friend bool operator==(const attempt_selection&, const attempt_selection&) = default;
};

/// What an attempt must be.
struct attempt_test {
  std::optional<outcome_set> outcomes{};
  score_range score{};
  date_range dates{};
};

/// An attribute of the applicant or of the track, and the values it must have one of.
struct attribute_test {
  bool of_track = false;
  std::string name;
  std::vector<std::string> values{};
};

/// When a rule applies: where all of it holds.
struct rule_condition {
  std::optional<attempt_kind> kind{};
  std::vector<attribute_test> attributes{};
  std::optional<attempt_test> newest{};  ///< the newest attempt that counts
  std::optional<attempt_test> first{};   ///< the first one
  std::optional<std::uint64_t> at_least{};
  std::optional<std::uint64_t> at_most{};  ///< so many attempts count
};

/// What a wait is counted from.
struct wait_anchor {
  enum class what : std::uint8_t {
    attempt,        ///< the newest attempt that counts
    decision,       ///< the decision on it; the attempt itself where there is none
    first_attempt,  ///< the first attempt that counts
    fact,           ///< the newest fact; of a credential, its expiry
  };
  what is = what::attempt;
  fact_ref fact{};
};

/// After the n-th attempt, the n-th wait; the last one repeats. Counted from the latest of its anchors.
struct wait_rule {
  std::vector<policy_span> after{};
  std::vector<wait_anchor> from{wait_anchor{}};
  span_timing timing{};
  std::optional<policy_span> within{};   ///< only attempts so shortly before the newest one are numbered
  std::optional<policy_span> floor{};    ///< the part that no waiver takes away
  std::optional<policy_span> penalty{};  ///< added where the attempt came before the wait then running was over
};

/// At most so many attempts: ever, in a window, or in calendar periods.
struct most_rule {
  std::uint64_t attempts = 0;
  std::optional<policy_span> window{};  ///< an attempt leaves it a span after itself
  bool opened_by_first = false;         ///< all leave together, a span after the first of them
  span_timing timing{};                 ///< of the window
  std::int16_t per = -1;                ///< a calendar: an attempt leaves with the end of its period
  std::uint64_t periods = 1;            ///< or with the end of so many periods from its own on
};

/// After every n-th attempt, locked for a span; then the count starts again.
struct lockout_rule {
  std::uint64_t after = 1;
  policy_span lasts{};
  std::vector<wait_anchor> from{wait_anchor{}};
  span_timing timing{};
  std::optional<policy_span> within{};
  std::optional<policy_span> floor{};
};

/// An attempt that counts bars any further one: for ever, or until a credential's expiry less a lead.
struct passed_rule {
  std::optional<fact_ref> until{};
  policy_span less{};
};

/// Something must have happened: at all, or after the n-th attempt that counts.
struct require_rule {
  fact_ref what{};
  std::uint64_t after = 0;
  bool resets = false;  ///< the count starts anew with it
  std::optional<policy_span> within{};
};

/// An eligibility period must be open, or a period of a calendar be running.
struct period_rule {
  std::optional<fact_ref> opened_by{};
  std::optional<policy_span> lasts{};  ///< where the fact has no end
  std::vector<fact_ref> closed_by{};
  std::int16_t calendar = -1;
};

/// Forbids wherever its conditions hold.
struct status_rule {};

/// Allows where any, or where all, of the rules that follow it allow.
struct group_rule {
  bool any = true;
};

/// Any rule of a policy. A policy holds them flat: the members of a group follow it.
struct retake_rule {
  std::string id;
  std::uint16_t selection = 0;    ///< in the policy's list
  std::uint16_t descendants = 0;  ///< so many rules that follow belong to it
  std::string group{};            ///< the id of the group it belongs to
  std::string advice{};           ///< not empty: the rule warns with this code, and never forbids
  bool waivable = true;
  bool second_approver = false;            ///< a waiver needs the approval of a second person
  std::optional<rule_condition> when{};    ///< applies where this holds
  std::optional<rule_condition> unless{};  ///< does not apply where this holds
  std::variant<wait_rule, most_rule, lockout_rule, passed_rule, require_rule, period_rule, status_rule, group_rule>
      is{};
};

/// The rule's word in a document.
inline std::string_view word_of(const retake_rule& rule) {
  constexpr std::string_view words[] = {"wait", "most", "lockout", "passed", "require", "period", "status", "any_of"};
  if (const auto* group = std::get_if<group_rule>(&rule.is); group && !group->any) return "all_of";
  return words[rule.is.index()];
}

}  // namespace hirenow
