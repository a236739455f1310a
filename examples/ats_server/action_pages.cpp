// What the staff does to an interview: each is a page with a form, which the dashboard's script shows as a dialogue.
//
//   GET  /interviews/new                POST /interviews/new
//   GET  /interviews/<id>/<event>       POST /interviews/<id>/<event>; of waivers: see waiver_pages.cpp
//   POST /messages/redrive
//
// A form brings its own idempotency key, made when it was shown: however often it is sent, it is done once.

#include <charconv>
#include <chrono>
#include <cstdio>

#include "hirenow/policy_calendar.hpp"
#include "office.hpp"

namespace ats {
namespace {

using hirenow::event;

std::optional<event> event_named(std::string_view word) {
  for (std::size_t n = 0; n < hirenow::event_count; ++n)
    if (to_string(static_cast<event>(n)) == word) return static_cast<event>(n);
  return std::nullopt;
}

/// What the library would answer a click now.
struct prospect {
  bool allowed = false;
  std::string why{};
  std::optional<hirenow::eligibility> eligibility{};
};

prospect prospect_of(office& o, const visitor& who, const hirenow::interview_id& id, event on) {
  const auto permitted = o.engine.permitted_actions(id, who.actor);
  if (!permitted) return {false, words_of(o, who.lang, permitted.error()), {}};
  for (const auto& action : *permitted)
    if (action.event == on) {
      prospect p{action.allowed, {}, action.eligibility};
      if (action.eligibility)
        p.why = describe(*action.eligibility,
                         who.lang == language::german ? hirenow::explain_in::german : hirenow::explain_in::english);
      if (action.why && (!action.eligibility || action.why->code == hirenow::errc::permission_denied))
        p.why = words_of(o, who.lang, *action.why);
      return p;
    }
  return {};
}

response form_page(office& o, const visitor& who, const request& asked, const hirenow::interview_id& id, event on,
                   const std::string& problem = {}, unsigned status = 200) {
  const auto i = o.engine.find(id, who.actor);
  const auto history = o.engine.history(id, who.actor);
  if (!i || !history) return not_found(o, who.lang);
  const language l = who.lang;
  const auto can = prospect_of(o, who, id, on);
  const std::string name(to_string(on == event::fail || on == event::hold ? event::pass : on));
  data values;
  values.set("id", to_string(id));
  values.set("event", name);
  values.set("is_" + name, true);
  values.set("key", random_text());
  values.set("name", history->person.name);
  values.set("email", history->person.email);
  values.set("track", o.track_title(i->track, l));
  values.set("attempt", std::to_string(i->attempt));
  values.set("next_attempt", std::to_string(i->attempt + 1));
  values.set("state_word", state_word(o, l, i->state));
  values.set("outcome", o.views.word(l, "outcome." + std::string(to_string(i->outcome))));
  values.set("link_lifetime", span_in(l, o.engine.options().link_lifetime));
  values.set("time_limit", span_in(l, i->time_limit));
  values.set("allowed", can.allowed);
  values.set("why", can.why);
  if (can.eligibility && can.eligibility->attempts_left)
    values.set("attempts_left", std::to_string(*can.eligibility->attempts_left));
  if (!problem.empty()) values.set("problem", problem);
  auto out = staff_page(o, who, o.views.word(l, "action." + name), "action", std::move(values), asked);
  out.status = status;
  return out;
}

/// The host's own word for where an application stands now.
std::string stage_after(hirenow::interview_state s) {
  switch (s) {
    case hirenow::interview_state::passed: return "passed";
    case hirenow::interview_state::failed: return "rejected";
    case hirenow::interview_state::cancelled: return "closed";
    default: return "interviewing";
  }
}

/// Does it: the host's row and the interview's change in one transaction of the host's.
/// Returns where the visitor goes next.
hirenow::result<std::string> perform(office& o, const visitor& who, const request& asked,
                                     const hirenow::interview_id& id, event on) {
  const std::string reason(asked.form["reason"]), key(asked.form["key"]);
  const std::string here = "/interviews/" + to_string(id);
  return o.data.in_transaction<std::string>([&](connection& c) -> hirenow::result<std::string> {
    auto engine = o.engine.on(c.joined());
    const auto history = engine.history(id, who.actor);
    if (!history) return history.error();
    const auto after = [&](const hirenow::interview& i) {
      database::write_application(c, history->person.id, i.track, stage_after(i.state), i.id);
    };
    const auto settled = [&](const hirenow::result<hirenow::changed>& done,
                             std::string_view word) -> hirenow::result<std::string> {
      if (!done) return done.error();
      after(done->interview);
      return here + "?done=" + std::string(word);
    };
    switch (on) {
      case event::retake: {
        hirenow::retake_options how;
        how.reminders = {hirenow::seconds{86400}};
        how.reason = reason;
        how.idempotency_key = key;
        const auto done = engine.retake(id, who.actor, how);
        if (!done) return done.error();
        after(done->interview);
        return "/interviews/" + to_string(done->interview.id) + "?done=retake";
      }
      case event::reissue: {
        hirenow::reissue_options how;
        how.reason = reason;
        how.idempotency_key = key;
        const auto done = engine.reissue(id, who.actor, how);
        if (!done) return done.error();
        return here + "?done=reissue";
      }
      case event::pass: {
        const auto word = asked.form["outcome"];
        const auto outcome = word == "passed"   ? hirenow::outcome::passed
                             : word == "failed" ? hirenow::outcome::failed
                                                : hirenow::outcome::on_hold;
        hirenow::decision what{.outcome = outcome, .reason = reason, .idempotency_key = key};
        if (double score = 0; !asked.form["score"].empty()) {
          const auto text = asked.form["score"];
          const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), score);
          if (wrong != std::errc{} || end != text.data() + text.size())
            return hirenow::error{.code = hirenow::errc::invalid_argument, .message = "the score is no number"};
          what.score = score;
        }
        return settled(engine.decide(id, who.actor, what), "decide");
      }
      case event::reopen:
        return settled(engine.reopen(id, who.actor, {.reason = reason, .idempotency_key = key}), "reopen");
      case event::void_attempt: {
        hirenow::void_options how{
            .reason_code = std::string(asked.form["code"]), .reason = reason, .idempotency_key = key};
        return settled(engine.void_attempt(id, who.actor, how), "void");
      }
      case event::cancel: {
        hirenow::cancel_options how;
        how.reason = reason;
        how.idempotency_key = key;
        return settled(engine.cancel(id, who.actor, how), "cancel");
      }
      case event::accommodate: {
        hirenow::accommodate_options how{.reason_code = "extra_time", .reason = reason, .idempotency_key = key};
        std::uint32_t percent = 100;
        const auto text = asked.form["percent"];
        std::from_chars(text.data(), text.data() + text.size(), percent);
        how.percent = percent;
        return settled(engine.accommodate(id, who.actor, how), "accommodate");
      }
      default: return hirenow::error{.code = hirenow::errc::invalid_argument, .message = "no such action"};
    }
  });
}

response invite_page(office& o, const visitor& who, const request& asked, const std::string& problem = {}) {
  data values;
  values.set("is_new", true);
  values.set(
      "allowed",
      hirenow::check_permission(o.engine.options().permissions, hirenow::use_case::schedule, who.actor).has_value());
  values.set("why", o.views.word(who.lang, "error.permission_denied"));
  values.set("key", random_text());
  list tracks;
  for (const auto& t : o.tracks) {
    data row;
    row.set("id", t.id);
    row.set("title", t.title(who.lang));
    row.set("chosen", asked.form["track"] == t.id);
    tracks.push_back(row);
  }
  values.set("tracks", listed(std::move(tracks)));
  for (const std::string_view field : {"new_name", "new_email", "new_opens"})
    values.set(std::string(field), std::string(asked.form[field.substr(4)]));
  if (!problem.empty()) values.set("problem", problem);
  return staff_page(o, who, o.views.word(who.lang, "invite.title"), "invite", std::move(values), asked);
}

/// The instant at which a date opens in the office's zone; nothing where it is none.
std::optional<hirenow::sys_seconds> opening_of(const office& o, std::string_view date) {
  int year = 0, month = 0, day = 0;
  if (date.size() != 10 || std::sscanf(std::string(date).c_str(), "%4d-%2d-%2d", &year, &month, &day) != 3)
    return std::nullopt;
  const std::chrono::year_month_day named{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                          std::chrono::day{static_cast<unsigned>(day)}};
  if (!named.ok()) return std::nullopt;
  const auto* zone = hirenow::zone_offsets::named(o.time_zone);
  return hirenow::wall_calendar(zone ? *zone : hirenow::zone_offsets::utc()).opening_of(hirenow::local_days{named});
}

response invite(office& o, const visitor& who, const request& asked) {
  const auto* t = o.find_track(asked.form["track"]);
  if (!t) return invite_page(o, who, asked, o.views.word(who.lang, "invite.no_track"));
  const auto opens = opening_of(o, asked.form["opens"]);
  if (!opens && !asked.form["opens"].empty())
    return invite_page(o, who, asked, o.views.word(who.lang, "invite.no_date"));
  const std::string email(asked.form["email"]);
  const auto known = o.data.person_with_email(email);
  const bool german = asked.form["locale"] == "de";
  const hirenow::applicant person{.id = known ? known->id : "a-" + random_text().substr(0, 12),
                                  .email = email,
                                  .name = std::string(asked.form["name"]),
                                  .locale = german ? "de" : "en",
                                  .time_zone = o.time_zone};
  const auto done = o.data.in_transaction<std::string>([&](connection& c) -> hirenow::result<std::string> {
    auto planned = o.engine.on(c.joined())
                       .schedule({.applicant = person,
                                  .track = t->id,
                                  .opens_at = opens,
                                  .reminders = {hirenow::seconds{86400}},
                                  .time_limit = t->time_limit,
                                  .overtime = t->overtime,
                                  .idempotency_key = std::string(asked.form["key"])},
                                 who.actor);
    if (!planned) return planned.error();
    database::write_person(c, person);
    database::write_application(c, person.id, t->id, "interviewing", planned->interview.id);
    return "/interviews/" + to_string(planned->interview.id) + "?done=schedule";
  });
  if (!done) {
    auto out = invite_page(o, who, asked, words_of(o, who.lang, done.error()));
    out.status = done.error().code == hirenow::errc::permission_denied ? 403 : 409;
    return out;
  }
  o.wake();
  return redirect(*done);
}

response redrive(office& o, const visitor& who, const request& asked) {
  const auto id = hirenow::parse_interview_id(asked.form["interview"]);
  if (!id) return not_found(o, who.lang);
  hirenow::message_key key{.interview = *id};
  unsigned kind = 0;
  const auto kind_text = asked.form["kind"], occasion = asked.form["occasion"];
  std::from_chars(kind_text.data(), kind_text.data() + kind_text.size(), kind);
  std::from_chars(occasion.data(), occasion.data() + occasion.size(), key.occasion);
  key.kind = static_cast<hirenow::message_kind>(kind);
  const auto done = o.engine.redrive(key, who.actor);
  o.wake();
  if (!done && done.error().code == hirenow::errc::permission_denied) {
    data values;
    values.set("title", o.views.word(who.lang, "refused.title"));
    values.set("why", words_of(o, who.lang, done.error()));
    return plain_page(o, who.lang, "refused", std::move(values), 403);
  }
  return redirect("/interviews/" + to_string(*id) + (done ? "?done=redrive" : ""));
}

}  // namespace

response answer_action(office& o, const visitor& who, const request& asked) {
  std::string_view path = asked.path;
  if (path == "/interviews/new") return asked.is_post ? invite(o, who, asked) : invite_page(o, who, asked);
  if (path == "/messages/redrive" && asked.is_post) return redrive(o, who, asked);
  constexpr std::string_view before = "/interviews/";
  if (!path.starts_with(before)) return not_found(o, who.lang);
  path.remove_prefix(before.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return not_found(o, who.lang);
  const auto id = hirenow::parse_interview_id(path.substr(0, slash));
  const auto what = path.substr(slash + 1);
  if (id && (what == "waive" || (what == "waiver" && asked.is_post))) return answer_waiver(o, who, asked, *id, what);
  const auto on = event_named(what);
  if (!id || !on) return not_found(o, who.lang);
  if (!asked.is_post) return form_page(o, who, asked, *id, *on);
  const auto done = perform(o, who, asked, *id, *on);
  if (!done) {
    // Somebody else was faster: the page of what came of it is what the visitor wants to see.
    if (done.error().code == hirenow::errc::superseded)
      return redirect("/interviews/" + done.error().superseded_by + "?done=superseded");
    const bool forbidden = done.error().code == hirenow::errc::permission_denied;
    return form_page(o, who, asked, *id, *on, words_of(o, who.lang, done.error()), forbidden ? 403 : 409);
  }
  o.wake();
  return redirect(*done);
}

}  // namespace ats
