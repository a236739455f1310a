// Exceptions to the retake policy: the dialogue that grants one, and what an administrator does to those there are.
//
//   GET  /interviews/<id>/waive   POST /interviews/<id>/waive
//   POST /interviews/<id>/waiver  with `number` and `step`: approve or revoke

#include <algorithm>
#include <charconv>

#include "office.hpp"

namespace ats {
namespace {

bool may(const office& o, const visitor& who, hirenow::use_case what) {
  return hirenow::check_permission(o.engine.options().permissions, what, who.actor).has_value();
}

/// The dialogue, with the rule chosen that stands in the way.
response waive_page(office& o, const visitor& who, const request& asked, const hirenow::interview_id& id,
                    const std::string& problem = {}, unsigned status = 200) {
  const auto history = o.engine.history(id, who.actor);
  const auto answer = o.engine.retake_eligibility(id, who.actor);
  const auto i = o.engine.find(id, who.actor);
  if (!history || !answer || !i) return not_found(o, who.lang);
  const auto in = who.lang == language::german ? hirenow::explain_in::german : hirenow::explain_in::english;
  data values;
  values.set("id", to_string(id));
  values.set("key", random_text());
  values.set("name", history->person.name);
  values.set("track", o.track_title(i->track, who.lang));
  values.set("why", describe(*answer, in));
  values.set("allowed", may(o, who, hirenow::use_case::grant_waiver));
  values.set("refusal", o.views.word(who.lang, "error.permission_denied"));
  list rules;
  for (const auto& r : answer->rules) {
    if (r.rule_id.empty() || r.rule == "retake_after" || r.rule == "state") continue;
    data row;
    row.set("rule", std::string(r.rule_id));
    row.set("words", describe(r, answer->time_zone, in));
    row.set("chosen", std::ranges::find(answer->waivers, r.rule_id) != answer->waivers.end());
    rules.push_back(row);
  }
  values.set("any", !rules.empty());
  values.set("rules", listed(std::move(rules)));
  if (!problem.empty()) values.set("problem", problem);
  auto out = staff_page(o, who, o.views.word(who.lang, "action.waive"), "waive", std::move(values), asked);
  out.status = status;
  return out;
}

}  // namespace

response answer_waiver(office& o, const visitor& who, const request& asked, const hirenow::interview_id& id,
                       std::string_view what) {
  if (!asked.is_post) return waive_page(o, who, asked, id);
  const auto history = o.engine.history(id, who.actor);
  const auto i = o.engine.find(id, who.actor);
  if (!history || !i) return not_found(o, who.lang);
  const std::string reason(asked.form["reason"]), key(asked.form["key"]);
  hirenow::result<hirenow::waiver_changed> done = hirenow::error{.code = hirenow::errc::invalid_argument};
  if (what == "waive") {
    long days = 0;
    const auto text = asked.form["days"];
    std::from_chars(text.data(), text.data() + text.size(), days);
    done = o.engine.grant_waiver({.applicant_id = history->person.id,
                                  .track = i->track,
                                  .rule_id = std::string(asked.form["rule"]),
                                  .reason_code = std::string(asked.form["code"]),
                                  .expires_at = o.clock.now() + hirenow::seconds{86400 * std::clamp(days, 1L, 365L)},
                                  .reason = reason,
                                  .idempotency_key = key},
                                 who.actor);
  } else {
    std::uint64_t number = 0;
    const auto text = asked.form["number"];
    std::from_chars(text.data(), text.data() + text.size(), number);
    done = asked.form["step"] == "approve" ? o.engine.approve_waiver(history->person.id, number, who.actor)
                                           : o.engine.revoke_waiver(history->person.id, number, who.actor);
  }
  if (done) return redirect("/interviews/" + to_string(id) + "?done=waive");
  const bool forbidden = done.error().code == hirenow::errc::permission_denied;
  return waive_page(o, who, asked, id, words_of(o, who.lang, done.error()), forbidden ? 403 : 409);
}

data waivers_of(office& o, const visitor& who, std::string_view applicant, std::string_view track) {
  list rows;
  if (const auto waivers = o.engine.waivers(applicant, who.actor))
    for (const auto& w : *waivers) {
      if (w.track != track) continue;
      data row;
      row.set("rule", w.rule_id);
      row.set("state", o.views.word(who.lang, "waiver." + std::string(to_string(w.state))));
      row.set("code", w.reason_code);
      row.set("until", instant_in(who.lang, w.expires_at, o.time_zone));
      row.set("number", std::to_string(w.number));
      row.set("may_approve", w.state == hirenow::waiver_state::proposed && w.granted_by != who.actor.id &&
                                 may(o, who, hirenow::use_case::approve_waiver));
      row.set("may_revoke", (w.state == hirenow::waiver_state::proposed || w.state == hirenow::waiver_state::granted) &&
                                may(o, who, hirenow::use_case::revoke_waiver));
      rows.push_back(row);
    }
  return listed(std::move(rows));
}

}  // namespace ats
