#pragma once
/// The JSON form of a retake policy, and its reader. Every fault of a document is reported at once, each with its JSON
/// pointer (RFC 6901). `docs/retake_policy.schema.json` says the same as a JSON Schema, as far as a schema can.
///
/// Threads: pure functions.

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hirenow/detail/document_reader.hpp"
#include "hirenow/retake_eligibility.hpp"

namespace hirenow {

/// Reads one document.
class policy_reader : detail::document_reader {
 public:
  static result<retake_policy> read(std::string_view json) {
    if (json.size() > limits::policy)
      return detail::fail(errc::too_large, "the policy has " + std::to_string(json.size()) + " bytes; at most " +
                                               std::to_string(limits::policy) + " are allowed");
    auto document = detail::read_json(json, limits::policy_depth);
    if (!document) {
      if (document.error().code == errc::too_large)
        return detail::fail(errc::too_large, "the policy is " + document.error().message);
      return detail::fail(errc::policy_invalid, "the policy is " + document.error().message);
    }
    policy_reader reader;
    for (const auto& path : document->repeated) reader.fault(path, "stands there more than once");
    reader.policy(document->value);
    if (!reader.faults().empty()) return detail::fail(errc::policy_invalid, reader.faults());
    reader.made_.document = json;
    reader.made_.hash = sha256(json);
    return retake_policy(std::move(reader.made_));
  }

 private:
  static constexpr std::size_t most_rules = 64;
  static constexpr std::array<std::string_view, 5> built_in{"day", "week", "month", "quarter", "year"};

  /// The members that a kind of rule may have beside those that all have.
  struct rule_kind {
    std::string_view word;
    std::array<std::string_view, 9> known;  // the rest is empty
    outcome_set counts;
    void (policy_reader::*read)(const object&, const std::string& path, retake_rule& to);
  };
  static const std::array<rule_kind, 9>& kinds() {
    static const std::array<rule_kind, 9> all{
        rule_kind{"wait",
                  {"after", "from", "within", "floor", "penalty", "from_start_of", "from_end_of", "working_days",
                   "opens_with"},
                  default_counts,
                  &policy_reader::wait},
        rule_kind{"most",
                  {"attempts", "in", "opened_by_first", "from_start_of", "from_end_of", "working_days", "opens_with",
                   "per", "periods"},
                  default_counts,
                  &policy_reader::most},
        rule_kind{
            "lockout",
            {"after", "for", "from", "within", "floor", "from_start_of", "from_end_of", "working_days", "opens_with"},
            {outcome::failed},
            &policy_reader::lockout},
        rule_kind{"passed", {"until", "less"}, {outcome::passed}, &policy_reader::passed},
        rule_kind{"require", {"fact", "after", "resets", "within"}, {outcome::failed}, &policy_reader::require},
        rule_kind{"period", {"opened_by", "lasts", "closed_by", "calendar"}, default_counts, &policy_reader::period},
        rule_kind{"status", {}, default_counts, &policy_reader::status},
        rule_kind{"any_of", {"rules"}, default_counts, nullptr},
        rule_kind{"all_of", {"rules"}, default_counts, nullptr}};
    return all;
  }
  static constexpr std::array<std::string_view, 14> common{"rule",   "id",     "description", "counts",         "same",
                                                           "score",  "except", "broken_by",   "since",          "when",
                                                           "unless", "advice", "waivable",    "second_approver"};

  void policy(const value& root) {
    const object* const whole = an_object(root, "");
    if (!whole) return;
    const object& o = *whole;
    refuse_others(o, "",
                  {"$schema", "hirenow_policy", "version", "name", "description", "zone", "calendars", "working_days",
                   "retake_after", "rules"});
    text(o, "", "$schema", limits::reason);
    if (const value* form = need(o, "", "hirenow_policy"); form && !(form->is_int64() && form->get_int64() == 1))
      fault("/hirenow_policy", "must be 1");
    made_.version = name(o, "", "version");
    text(o, "", "name", limits::name);
    text(o, "", "description", limits::reason);
    if (const value* zone = o.if_contains("zone")) {
      made_.zone = string_in(*zone) == "applicant" ? nullptr : zone_offsets::named(string_in(*zone));
      if (string_in(*zone) != "applicant" && (!made_.zone || string_in(*zone).empty()))
        fault("/zone", "must be \"applicant\" or an IANA time zone that this machine knows, as \"Europe/Vienna\"");
    }
    if (const value* all = o.if_contains("calendars")) calendars(*all);
    if (const value* all = o.if_contains("working_days")) working_calendars(*all);
    if (const value* v = o.if_contains("retake_after")) made_.retake_after = outcomes(*v, "/retake_after");
    if (const value* list = need(o, "", "rules")) {
      if (const auto* all = a_list(*list, "/rules", "rules")) {
        for (std::size_t n = 0; n < all->size() && !too_many_; ++n) rule((*all)[n], at("/rules", n), {}, false);
        if (too_many_) fault("/rules", "holds more than " + std::to_string(most_rules) + " rules");
      }
    }
  }

  // ---- Calendars ----------------------------------------------------------------------------------------------------

  void calendars(const value& v) {
    const object* const all = an_object(v, "/calendars");
    if (!all) return;
    for (const auto& member : *all) {
      const std::string key(member.key().data(), member.key().size());
      const std::string path = at("/calendars", key);
      period_calendar made{.name = key};
      if (auto ok = limits::check_id("its name", key); !ok) fault(path, ok.error().message);
      if (std::find(built_in.begin(), built_in.end(), key) != built_in.end())
        fault(path, "is the name of a calendar that is built in");
      if (const object* o = an_object(member.value(), path)) {
        refuse_others(*o, path, {"from", "every", "periods", "fact"});
        const int forms = !!o->if_contains("every") + !!o->if_contains("periods") + !!o->if_contains("fact");
        if (forms != 1) fault(path, "must have one of \"every\" (with \"from\"), \"periods\" and \"fact\"");
        if (o->if_contains("every")) regular(*o, path, made);
        if (const value* list = o->if_contains("periods")) listed(*list, at(path, "periods"), made);
        if (o->if_contains("fact")) made.is = period_calendar::form::facts, made.fact = name(*o, path, "fact");
        if (o->if_contains("from") && !o->if_contains("every")) fault(at(path, "from"), "stands with \"every\" only");
      }
      made_.calendars.push_back(std::move(made));
    }
  }
  void regular(const object& o, const std::string& path, period_calendar& to) {
    to.is = period_calendar::form::regular;
    if (need(o, path, "from")) to.first = date(o, path, "from").value_or(local_days{});
    to.every_days = 1;
    const auto every = span(o, path, "every");
    if (!every) return;
    if (every->exact != seconds{0} || (every->months != 0) == (every->days != 0)) {
      fault(at(path, "every"), "must be whole days, or whole months");
      return;
    }
    to.every_months = every->months;
    to.every_days = every->days;
  }
  void listed(const value& v, const std::string& path, period_calendar& to) {
    to.is = period_calendar::form::listed;
    const auto* const all = a_list(v, path, "periods");
    if (!all) return;
    if (all->empty()) fault(path, "holds no period");
    for (std::size_t n = 0; n < all->size(); ++n) {
      const object* const o = an_object((*all)[n], at(path, n));
      if (!o) continue;
      refuse_others(*o, at(path, n), {"from", "until"});
      if (!need(*o, at(path, n), "from")) continue;
      const auto from = date(*o, at(path, n), "from");
      const auto until = date(*o, at(path, n), "until");
      if (!from) continue;
      if (until && *until <= *from) fault(at(path, n) + "/until", "is not later than \"from\"");
      if (!to.listed.empty() && *from < to.listed.back().until.value_or(to.listed.back().from + days{1}))
        fault(at(path, n) + "/from", "begins before the period ahead of it is over");
      to.listed.push_back({*from, until});
    }
  }
  void working_calendars(const value& v) {
    static constexpr std::array<std::string_view, 7> weekdays{"sunday",   "monday", "tuesday", "wednesday",
                                                              "thursday", "friday", "saturday"};
    const object* const all = an_object(v, "/working_days");
    if (!all) return;
    for (const auto& member : *all) {
      working_calendar made{.name = std::string(member.key().data(), member.key().size())};
      const std::string path = at("/working_days", made.name);
      if (auto ok = limits::check_id("its name", made.name); !ok) fault(path, ok.error().message);
      if (const object* o = an_object(member.value(), path)) {
        refuse_others(*o, path, {"weekend", "holidays", "fact"});
        if (const value* list = o->if_contains("weekend"))
          if (const auto* named = a_list(*list, at(path, "weekend"), "weekdays")) {
            made.weekend = 0;
            for (std::size_t n = 0; n < named->size(); ++n) {
              const auto found = std::find(weekdays.begin(), weekdays.end(), string_in((*named)[n]));
              if (found == weekdays.end())
                fault(at(at(path, "weekend"), n), "is no weekday");
              else
                made.weekend = static_cast<std::uint8_t>(made.weekend | 1u << (found - weekdays.begin()));
            }
            if (made.weekend == 0x7f) fault(at(path, "weekend"), "leaves no day to work");
          }
        if (const value* list = o->if_contains("holidays"))
          if (const auto* dates = a_list(*list, at(path, "holidays"), "dates"))
            for (std::size_t n = 0; n < dates->size(); ++n)
              if (const auto day = date_in((*dates)[n], at(at(path, "holidays"), n))) made.holidays.push_back(*day);
        std::sort(made.holidays.begin(), made.holidays.end());
        if (o->if_contains("fact")) made.fact = name(*o, path, "fact");
      }
      made_.working.push_back(std::move(made));
    }
  }

  std::int16_t calendar_named(const value& v, const std::string& path) {
    const std::string_view wanted = string_in(v);
    for (std::size_t n = 0; n < made_.calendars.size(); ++n)
      if (made_.calendars[n].name == wanted) return static_cast<std::int16_t>(n);
    for (std::size_t n = 0; n < built_in.size(); ++n)
      if (built_in[n] == wanted) {
        made_.calendars.push_back({.name = std::string(wanted), .is = static_cast<period_calendar::form>(n)});
        return static_cast<std::int16_t>(made_.calendars.size() - 1);
      }
    fault(path, "must be day, week, month, quarter, year or the name of a calendar of this document");
    return -1;
  }
  std::int16_t working_named(const value& v, const std::string& path) {
    for (std::size_t n = 0; n < made_.working.size(); ++n)
      if (made_.working[n].name == string_in(v)) return static_cast<std::int16_t>(n);
    fault(path, "must be the name under \"working_days\" of this document");
    return -1;
  }

  // ---- What all rules have ------------------------------------------------------------------------------------------

  void rule(const value& v, const std::string& path, const std::string& group, bool all_of_allowed) {
    if (made_.rules.size() == most_rules) {
      too_many_ = true;
      return;
    }
    const object* const whole = an_object(v, path);
    if (!whole) return;
    const object& o = *whole;
    retake_rule made{.id = name(o, path, "id"), .group = group};
    if (!made.id.empty()) {
      if (made.id == "retake_after" || made.id == "state") fault(path + "/id", "is a name that is not for rules");
      if (std::find(ids_.begin(), ids_.end(), made.id) != ids_.end())
        fault(path + "/id", "is the id of another rule too");
      ids_.push_back(made.id);
    }
    // A rule of no kind is read as far as all rules are alike.
    const rule_kind* const kind = kind_of(o, path, all_of_allowed);
    if (kind) {
      std::vector<std::string_view> known(common.begin(), common.end());
      std::copy_if(kind->known.begin(), kind->known.end(), std::back_inserter(known),
                   [](std::string_view member) { return !member.empty(); });
      refuse_others(o, path, known);
    }
    text(o, path, "description", limits::reason);
    made.selection = selection(o, path, kind ? kind->counts : default_counts);
    if (const value* c = o.if_contains("when")) made.when = condition(*c, at(path, "when"));
    if (const value* c = o.if_contains("unless")) made.unless = condition(*c, at(path, "unless"));
    if (o.if_contains("advice")) {
      made.advice = name(o, path, "advice");
      if (!group.empty()) fault(path + "/advice", "stands at a group, not at its members");
    }
    made.waivable = flag(o, path, "waivable", true);
    made.second_approver = flag(o, path, "second_approver", false);
    if (made.second_approver && !made.waivable) fault(path + "/second_approver", "stands at a rule that can be waived");
    if (kind && kind->read) {
      (this->*kind->read)(o, path, made);
      made_.rules.push_back(std::move(made));
      return;
    }
    made.is = group_rule{.any = kind && kind->word == "any_of"};
    const std::size_t place = made_.rules.size();
    const std::string its_id = made.id;
    made_.rules.push_back(std::move(made));
    if (const value* list = kind ? need(o, path, "rules") : o.if_contains("rules"))
      if (const auto* members_of = a_list(*list, at(path, "rules"), "rules")) {
        if (members_of->empty()) fault(at(path, "rules"), "holds no rule");
        for (std::size_t n = 0; n < members_of->size(); ++n)
          rule((*members_of)[n], at(at(path, "rules"), n), its_id, true);
      }
    made_.rules[place].descendants = static_cast<std::uint16_t>(made_.rules.size() - place - 1);
  }

  const rule_kind* kind_of(const object& o, const std::string& path, bool all_of_allowed) {
    const value* const word = need(o, path, "rule");
    if (!word) return nullptr;
    std::string known;
    for (const rule_kind& k : kinds()) {
      if (k.word == "all_of" && !all_of_allowed) continue;
      if (k.word == string_in(*word)) return &k;
      known += (known.empty() ? "" : ", ") + std::string(k.word);
    }
    fault(path + "/rule", "must be one of " + known);
    return nullptr;
  }

  std::uint16_t selection(const object& o, const std::string& path, outcome_set otherwise) {
    attempt_selection made{.counts = otherwise};
    if (const value* v = o.if_contains("counts")) {
      made.counts = outcomes(*v, at(path, "counts"));
      if (made.counts.empty()) fault(at(path, "counts"), "names no outcome, so that nothing would ever count");
    }
    if (const value* v = o.if_contains("same"))
      if (const auto* list = a_list(*v, at(path, "same"), "\"track\" and attributes of tracks")) {
        made.same_track = false;
        for (std::size_t n = 0; n < list->size(); ++n) {
          const std::string attribute = name_in((*list)[n], at(at(path, "same"), n));
          if (attribute == "track")
            made.same_track = true;
          else if (!attribute.empty())
            made.same.push_back(attribute);
        }
      }
    if (const value* v = o.if_contains("score")) made.score = score(*v, at(path, "score"));
    if (const value* v = o.if_contains("except"))
      if (const auto* list = a_list(*v, at(path, "except"), "dates from and until"))
        for (std::size_t n = 0; n < list->size(); ++n)
          if (const object* r = an_object((*list)[n], at(at(path, "except"), n))) {
            refuse_others(*r, at(at(path, "except"), n), {"from", "until"});
            made.except.push_back(dates(*r, at(at(path, "except"), n)));
            if (r->empty()) fault(at(at(path, "except"), n), "needs \"from\" or \"until\"");
          }
    if (const value* v = o.if_contains("broken_by")) made.broken_by = outcomes(*v, at(path, "broken_by"));
    if (const value* v = o.if_contains("since")) made.since = facts(*v, at(path, "since"));
    const auto found = std::find(made_.selections.begin(), made_.selections.end(), made);
    const auto place = static_cast<std::uint16_t>(found - made_.selections.begin());
    if (found == made_.selections.end()) made_.selections.push_back(std::move(made));
    return place;
  }

  outcome_set outcomes(const value& v, const std::string& path) {
    outcome_set set;
    const auto* const list = a_list(v, path, "outcomes");
    for (std::size_t n = 0; list && n < list->size(); ++n) {
      const auto found = outcome_in((*list)[n]);
      if (!found)
        fault(at(path, n), "is no outcome");
      else if (set.has(*found))
        fault(at(path, n), "stands in the list more than once");
      else
        set.add(*found);
    }
    // A fault in the list is one fault, not two.
    if (list && !list->empty() && set.empty()) set.add(outcome::pending);
    if (!list) set = default_counts;
    return set;
  }

  score_range score(const value& v, const std::string& path) {
    const object* const o = an_object(v, path);
    if (!o) return {};
    refuse_others(*o, path, {"at_least", "at_most"});
    if (o->empty()) fault(path, "needs \"at_least\" or \"at_most\"");
    return {real(*o, path, "at_least"), real(*o, path, "at_most")};
  }
  date_range dates(const object& o, const std::string& path) {
    const date_range range{date(o, path, "from"), date(o, path, "until")};
    if (range.from && range.until && *range.until <= *range.from) fault(path + "/until", "is not later than \"from\"");
    return range;
  }

  std::optional<fact_ref> fact(const value& v, const std::string& path) {
    const object* const o = an_object(v, path);
    if (!o) return std::nullopt;
    if (o->size() == 1)
      for (std::size_t n = 0; n < fact_kind_count; ++n) {
        const auto word = to_string(static_cast<fact_kind>(n));
        if (static_cast<fact_kind>(n) != fact_kind::attribute && o->if_contains(word))
          return fact_ref{static_cast<fact_kind>(n), name(*o, path, word)};
      }
    fault(path,
          "must name one fact, for example {\"event\": \"training_completed\"}; event, period, credential, "
          "purchase and score are known");
    return std::nullopt;
  }
  std::vector<fact_ref> facts(const value& v, const std::string& path) {
    std::vector<fact_ref> all;
    if (v.is_array()) {
      if (v.get_array().empty()) fault(path, "names no fact");
      for (std::size_t n = 0; n < v.get_array().size(); ++n)
        if (auto f = fact(v.get_array()[n], at(path, n))) all.push_back(std::move(*f));
    } else if (auto f = fact(v, path)) {
      all.push_back(std::move(*f));
    }
    return all;
  }

  attempt_test test(const value& v, const std::string& path) {
    attempt_test made;
    const object* const o = an_object(v, path);
    if (!o) return made;
    refuse_others(*o, path, {"outcomes", "score", "from", "until"});
    if (const value* list = o->if_contains("outcomes")) made.outcomes = outcomes(*list, at(path, "outcomes"));
    if (const value* range = o->if_contains("score")) made.score = score(*range, at(path, "score"));
    made.dates = dates(*o, path);
    if (o->empty()) fault(path, "asks for nothing");
    return made;
  }
  void attributes(const value& v, const std::string& path, bool of_track, rule_condition& to) {
    const object* const o = an_object(v, path);
    if (!o) return;
    if (o->empty()) fault(path, "names no attribute");
    for (const auto& member : *o) {
      attribute_test made{of_track, std::string(member.key().data(), member.key().size())};
      const std::string here = at(path, made.name);
      const auto add = [&](const value& one, const std::string& where) {
        if (!one.is_string())
          fault(where, "must be a text");
        else
          made.values.emplace_back(string_in(one));
      };
      if (member.value().is_array()) {
        if (member.value().get_array().empty()) fault(here, "names no value");
        for (std::size_t n = 0; n < member.value().get_array().size(); ++n)
          add(member.value().get_array()[n], at(here, n));
      } else {
        add(member.value(), here);
      }
      to.attributes.push_back(std::move(made));
    }
  }
  rule_condition condition(const value& v, const std::string& path) {
    rule_condition made;
    const object* const o = an_object(v, path);
    if (!o) return made;
    refuse_others(*o, path, {"kind", "applicant", "track", "newest", "first", "number"});
    if (o->empty()) fault(path, "asks for nothing");
    if (const value* kind = o->if_contains("kind")) {
      made.kind = string_in(*kind) == "schedule" ? attempt_kind::schedule : attempt_kind::retake;
      if (string_in(*kind) != "schedule" && string_in(*kind) != "retake")
        fault(at(path, "kind"), "must be \"retake\" or \"schedule\"");
    }
    if (const value* all = o->if_contains("applicant")) attributes(*all, at(path, "applicant"), false, made);
    if (const value* all = o->if_contains("track")) attributes(*all, at(path, "track"), true, made);
    if (const value* one = o->if_contains("newest")) made.newest = test(*one, at(path, "newest"));
    if (const value* one = o->if_contains("first")) made.first = test(*one, at(path, "first"));
    if (const value* range = o->if_contains("number"))
      if (const object* r = an_object(*range, at(path, "number"))) {
        refuse_others(*r, at(path, "number"), {"at_least", "at_most"});
        if (r->empty()) fault(at(path, "number"), "needs \"at_least\" or \"at_most\"");
        made.at_least = number(*r, at(path, "number"), "at_least", 0);
        made.at_most = number(*r, at(path, "number"), "at_most", 0);
      }
    return made;
  }

  // ---- What a kind of rule has --------------------------------------------------------------------------------------

  span_timing timing(const object& o, const std::string& path) {
    span_timing made;
    const value* const start = o.if_contains("from_start_of");
    const value* const end = o.if_contains("from_end_of");
    if (start && end) fault(at(path, "from_end_of"), "cannot stand beside \"from_start_of\"");
    if (start) {
      made.from = span_timing::base::start_of;
      made.calendar = calendar_named(*start, at(path, "from_start_of"));
    } else if (end) {
      made.from = span_timing::base::end_of;
      made.calendar = calendar_named(*end, at(path, "from_end_of"));
    }
    if (const value* v = o.if_contains("working_days")) {
      made.working = working_named(*v, at(path, "working_days"));
      if (!start && !end) fault(at(path, "working_days"), "needs \"from_start_of\" or \"from_end_of\"");
    }
    if (const value* v = o.if_contains("opens_with")) made.opens_with = calendar_named(*v, at(path, "opens_with"));
    return made;
  }
  std::vector<wait_anchor> anchors(const object& o, const std::string& path) {
    const value* const v = o.if_contains("from");
    if (!v) return {wait_anchor{}};
    std::vector<wait_anchor> all;
    const auto add = [&](const value& one, const std::string& where) {
      using what = wait_anchor::what;
      const std::string_view word = string_in(one);
      if (one.is_object()) {
        if (auto f = fact(one, where)) all.push_back({what::fact, std::move(*f)});
      } else if (word == "attempt" || word == "decision" || word == "first_attempt") {
        all.push_back({word == "attempt"    ? what::attempt
                       : word == "decision" ? what::decision
                                            : what::first_attempt,
                       {}});
      } else {
        fault(where, "must be \"attempt\", \"decision\", \"first_attempt\" or a fact, as {\"event\": \"release\"}");
      }
    };
    if (v->is_array()) {
      if (v->get_array().empty()) fault(at(path, "from"), "names nothing to count from");
      for (std::size_t n = 0; n < v->get_array().size(); ++n) add(v->get_array()[n], at(at(path, "from"), n));
    } else {
      add(*v, at(path, "from"));
    }
    return all;
  }
  std::optional<policy_span> positive(const object& o, const std::string& path, std::string_view member) {
    auto made = span(o, path, member);
    if (made && *made == policy_span{}) fault(at(path, member), "must be longer than nothing");
    return made;
  }

  void wait(const object& o, const std::string& path, retake_rule& to) {
    wait_rule made;
    if (const value* list = need(o, path, "after"))
      if (const auto* all = a_list(*list, at(path, "after"), "durations")) {
        if (all->empty()) fault(at(path, "after"), "holds no duration");
        for (std::size_t n = 0; n < all->size(); ++n)
          if (auto s = span_in((*all)[n], at(at(path, "after"), n))) made.after.push_back(*s);
      }
    made.from = anchors(o, path);
    made.within = positive(o, path, "within");
    made.floor = span(o, path, "floor");
    made.penalty = positive(o, path, "penalty");
    made.timing = timing(o, path);
    to.is = std::move(made);
  }

  void most(const object& o, const std::string& path, retake_rule& to) {
    most_rule made{.attempts = needed_number(o, path, "attempts", 1)};
    made.window = positive(o, path, "in");
    made.opened_by_first = flag(o, path, "opened_by_first", false);
    made.timing = timing(o, path);
    if (const value* v = o.if_contains("per")) made.per = calendar_named(*v, at(path, "per"));
    made.periods = number(o, path, "periods", 1).value_or(1);
    if (o.if_contains("in") && o.if_contains("per")) fault(at(path, "per"), "cannot stand beside \"in\"");
    if (o.if_contains("periods") && !o.if_contains("per")) fault(at(path, "periods"), "needs \"per\"");
    if (!o.if_contains("in"))
      for (const std::string_view member :
           {"opened_by_first", "from_start_of", "from_end_of", "working_days", "opens_with"})
        if (o.if_contains(member)) fault(at(path, member), "needs \"in\"");
    to.is = std::move(made);
  }

  void lockout(const object& o, const std::string& path, retake_rule& to) {
    lockout_rule made{.after = needed_number(o, path, "after", 1)};
    if (need(o, path, "for")) made.lasts = positive(o, path, "for").value_or(policy_span{});
    made.from = anchors(o, path);
    made.within = positive(o, path, "within");
    made.floor = span(o, path, "floor");
    made.timing = timing(o, path);
    to.is = std::move(made);
  }

  void passed(const object& o, const std::string& path, retake_rule& to) {
    passed_rule made;
    if (const value* v = o.if_contains("until")) {
      made.until = fact(*v, at(path, "until"));
      if (made.until && made.until->kind != fact_kind::credential && made.until->kind != fact_kind::period)
        fault(at(path, "until"), "must be a credential or a period: others have no end");
    }
    made.less = span(o, path, "less").value_or(policy_span{});
    if (o.if_contains("less") && !o.if_contains("until")) fault(at(path, "less"), "needs \"until\"");
    to.is = std::move(made);
  }

  void require(const object& o, const std::string& path, retake_rule& to) {
    require_rule made;
    if (const value* v = need(o, path, "fact")) made.what = fact(*v, at(path, "fact")).value_or(fact_ref{});
    made.after = number(o, path, "after", 0).value_or(0);
    made.resets = flag(o, path, "resets", false);
    made.within = positive(o, path, "within");
    to.is = std::move(made);
  }

  void period(const object& o, const std::string& path, retake_rule& to) {
    period_rule made;
    const bool by_calendar = o.if_contains("calendar") != nullptr;
    if (by_calendar == (o.if_contains("opened_by") != nullptr))
      fault(path, "must have one of \"opened_by\" and \"calendar\"");
    if (const value* v = o.if_contains("opened_by")) made.opened_by = fact(*v, at(path, "opened_by"));
    made.lasts = positive(o, path, "lasts");
    if (const value* v = o.if_contains("closed_by")) made.closed_by = facts(*v, at(path, "closed_by"));
    if (const value* v = o.if_contains("calendar")) {
      made.calendar = calendar_named(*v, at(path, "calendar"));
      for (const std::string_view member : {"lasts", "closed_by"})
        if (o.if_contains(member)) fault(at(path, member), "needs \"opened_by\"");
    }
    to.is = std::move(made);
  }

  void status(const object&, const std::string& path, retake_rule& to) {
    if (!to.when && !to.unless) fault(path, "needs \"when\" or \"unless\": it would always forbid");
    to.is = status_rule{};
  }

  retake_policy::contents made_{};
  std::vector<std::string> ids_{};
  bool too_many_ = false;
};

inline result<retake_policy> retake_policy::parse(std::string_view json) { return policy_reader::read(json); }

inline const retake_policy& retake_policy::standard() {
  static const retake_policy policy = parse(R"({
  "hirenow_policy": 1,
  "version": "standard-1",
  "name": "hirenow standard",
  "description": "A retake after failed, on hold or void; 14 days after the last attempt.",
  "retake_after": ["failed", "on_hold", "void"],
  "rules": [
    {"rule": "wait", "id": "wait-14-days", "after": ["P14D"]}
  ]
})")
                                          .value();
  return policy;
}

}  // namespace hirenow
