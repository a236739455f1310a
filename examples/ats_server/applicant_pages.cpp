// What an applicant sees.
//
//   GET  /go                the page a link leads to: its script takes the token out of the fragment
//   POST /go/open           the token, once; from then on a cookie names the interview and the link's generation
//   GET  /go/interview      who, what, how long; the questions; or why the link does not work
//   POST /go/start          the consuming call
//   POST /go/sit            a window begins to answer, or goes on; a newer window fences the older one off
//   POST /go/save           the answers, whenever they were changed
//   GET  /go/left           seconds left, whether this window still holds the interview, and whether time ended it
//   POST /go/submit  /go/withdraw  /go/request-link
//
// No GET changes anything. The token of a link that works is never kept: it is derived again where a call needs it.

#include <boost/json.hpp>

#include "office.hpp"

namespace ats {
namespace {

constexpr long visit_lasts = 14 * 86400;  // seconds
constexpr auto request_takes = std::chrono::milliseconds(700);

/// What the cookie says.
struct visit {
  std::string secret;
  hirenow::interview_id interview{};
  std::uint32_t generation = 0;
  std::string token{};  ///< of a link that is dead, for request_link alone
};

std::optional<visit> visit_of(const office& o, const request& asked) {
  const auto text = o.seals.open("visit", asked.cookies["ats_visit"]);
  if (!text) return std::nullopt;
  const auto first = text->find('.'), second = text->find('.', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const auto id = hirenow::parse_interview_id(text->substr(first + 1, second - first - 1));
  if (!id) return std::nullopt;
  return visit{text->substr(0, first), *id, static_cast<std::uint32_t>(std::stoul(text->substr(second + 1))),
               std::string(asked.cookies["ats_old_link"])};
}

/// A visit, what the store says of its interview, and how its link is judged now.
struct look {
  hirenow::verdict verdict = hirenow::verdict::invalid;
  hirenow::applicant person{};
  hirenow::interview interview{};
  std::optional<hirenow::interview> newest{};  ///< of the same track
};

look look_at(office& o, const visit& v) {
  look out;
  const auto stored =
      o.engine.storage().load({.tenant = o.tenant, .who = v.interview, .with_rules = false, .with_sitting = true});
  if (!stored) throw hirenow::exception(stored.error());
  auto record = stored->record;
  if (record.version == 0) return out;
  const auto now = std::max(o.engine.now(), record.last_instant);
  for (auto& i : record.interviews) i = hirenow::after_the_clock(i, now);
  const auto* found = hirenow::find_interview(record, v.interview);
  if (!found) return out;
  hirenow::token_claims claims;
  claims.subject = record.person.id;
  claims.tenant = o.tenant;
  claims.interview = v.interview;
  claims.generation = v.generation;
  claims.attempt = found->attempt;
  claims.issued_at = found->link.issued_at;
  claims.not_before = found->link.not_before;
  claims.expires_at = found->link.expires_at;
  out.verdict = hirenow::judge_link(claims, &record, now);
  out.person = record.person;
  out.interview = *found;
  if (const auto* newest = hirenow::newest_interview(record, found->track)) out.newest = *newest;
  return out;
}

/// The token of the visit's link: derived, as long as it is the current one.
std::string token_of(const office& o, const visit& v, const look& seen) {
  if (seen.interview.link.generation != v.generation) return v.token;
  const auto link = o.engine.link_of(o.tenant, seen.person.id, seen.interview);
  return link ? link->substr(link->find('#') + 1) : std::string();
}

std::string csrf_of(const office& o, const visit& v) { return o.seals.derived("applicant csrf", v.secret); }

/// Each window of a browser has a key of its own, so that two of them are two sessions although they share the cookie.
std::string session_key(const office& o, const visit& v, std::string_view window) {
  return o.seals.derived("sitting", v.secret + "." + std::string(window.substr(0, 64)));
}

hirenow::session session_of(const office& o, const visit& v, const request& asked) {
  return {o.tenant, v.interview, std::strtoll(std::string(asked.form["fence"]).c_str(), nullptr, 10),
          session_key(o, v, asked.form["window"])};
}

response json(boost::json::object body, unsigned status = 200) {
  response out;
  out.status = status;
  out.content_type = "application/json";
  out.body = boost::json::serialize(body);
  return out;
}

/// An applicant reads the language of the record, unless another was chosen.
language language_for(const request& asked, const hirenow::applicant& person) {
  if (asked.query.has("lang") || asked.cookies.has("ats_lang") || person.locale.empty()) return language_of(asked);
  return person.locale.starts_with("de") ? language::german : language::english;
}

std::string left_text(language l, hirenow::seconds left) { return span_in(l, left); }

response too_many(const office& o, language l) {
  data values;
  values.set("title", o.views.word(l, "refused.title"));
  values.set("why", o.views.word(l, "refused.many"));
  return plain_page(o, l, "refused", std::move(values), 429);
}

/// Takes the token, once.
response open_link(office& o, const request& asked) {
  if (!o.opened.allows(asked.peer_address)) return json({{"next", "/go/slow-down"}}, 429);
  const auto token = asked.form["token"];
  const auto claims = hirenow::verify_token(o.keys, token, {o.engine.options().issuer, o.engine.options().audience});
  const auto seen = o.engine.inspect(token);
  if (!seen) return json({{"next", "/go/trouble"}}, 503);
  if (!claims || seen->verdict == hirenow::verdict::invalid || claims->tenant != o.tenant)
    return json({{"next", "/go/unknown"}});
  auto out = json({{"next", "/go/interview"}});
  const std::string text =
      random_text() + "." + to_string(claims->interview) + "." + std::to_string(claims->generation);
  out.cookies.push_back(set_cookie(o, "ats_visit", o.seals.seal("visit", text), "/go", visit_lasts));
  // A dead link opens nothing; it is needed where the visitor asks for the current one.
  if (seen->verdict == hirenow::verdict::superseded_link)
    out.cookies.push_back(set_cookie(o, "ats_old_link", token, "/go/request-link", 1800));
  return out;
}

/// A page for a link that does not open an interview, never a dead end.
response closed_page(office& o, const visit& v, const look& seen, language l) {
  const std::string_view zone = seen.person.time_zone;
  const auto word = [&](std::string_view key) { return o.views.word(l, "closed." + std::string(key)); };
  const auto& i = seen.interview;
  data values;
  std::string kind(to_string(seen.verdict));
  // An attempt that ran out in the middle is told otherwise than a link nobody opened.
  if (seen.verdict == hirenow::verdict::expired && i.started_at) kind = "ran_out";
  if (seen.verdict == hirenow::verdict::completed && i.state == hirenow::interview_state::voided) kind = "voided";
  values.set("title", word(kind + ".title"));
  values.set("text", word(kind + ".text"));
  values.set("kind", kind);
  values.set("track", o.track_title(i.track, l));
  if (!seen.person.name.empty()) values.set("name", seen.person.name);
  const auto when = [&](std::string_view label, hirenow::sys_seconds at) {
    values.set("when_label", word(label));
    values.set("when", instant_in(l, at, zone));
  };
  if (kind == "expired") when("ended", i.start_by);
  if (kind == "ran_out" && i.deadline) when("ended", *i.deadline);
  if (kind == "not_yet_valid") when("opens", i.link.not_before);
  if (kind == "completed" && i.submitted_at) when("handed_in", *i.submitted_at);
  const bool may_ask = seen.verdict == hirenow::verdict::expired ||
                       seen.verdict == hirenow::verdict::superseded_interview ||
                       seen.verdict == hirenow::verdict::superseded_link;
  if (may_ask) {
    values.set("ask", word(seen.verdict == hirenow::verdict::expired ? "ask_recruiter" : "ask_link"));
    values.set("csrf", csrf_of(o, v));
  }
  return plain_page(o, l, "applicant_closed", std::move(values));
}

response simple_page(const office& o, language l, std::string_view kind, unsigned status = 200) {
  data values;
  values.set("title", o.views.word(l, "closed." + std::string(kind) + ".title"));
  values.set("text", o.views.word(l, "closed." + std::string(kind) + ".text"));
  values.set("kind", std::string(kind));
  return plain_page(o, l, "applicant_closed", std::move(values), status);
}

response interview_page(office& o, const request& asked) {
  const auto v = visit_of(o, asked);
  if (!v) return simple_page(o, language_of(asked), "unknown");
  const look seen = look_at(o, *v);
  const language l = language_for(asked, seen.person);
  if (seen.verdict == hirenow::verdict::invalid) return simple_page(o, l, "unknown");
  if (seen.verdict != hirenow::verdict::valid) return closed_page(o, *v, seen, l);

  const auto& i = seen.interview;
  const auto* t = o.find_track(i.track);
  data values;
  values.set("csrf", csrf_of(o, *v));
  values.set("name", seen.person.name);
  values.set("track", o.track_title(i.track, l));
  values.set("title", o.track_title(i.track, l));
  values.set("attempt", std::to_string(i.attempt));
  values.set("is_retake", i.attempt > 1);
  list questions;
  int number = 0;
  if (t)
    for (const auto& q : t->questions) {
      data row;
      row.set("id", q.id);
      row.set("number", std::to_string(++number));
      row.set("text", l == language::german ? q.german : q.english);
      questions.push_back(row);
    }
  values.set("question_count", std::to_string(number));
  values.set("questions", listed(std::move(questions)));
  if (i.state == hirenow::interview_state::scheduled) {
    values.set("time_limit", left_text(l, hirenow::deadline_breakdown(i, o.engine.now()).deadline - o.engine.now()));
    values.set("start_by", instant_in(l, i.start_by, seen.person.time_zone));
    values.set("zone", seen.person.time_zone.empty() ? std::string("UTC") : seen.person.time_zone);
    values.set("submits", i.overtime == hirenow::overtime::submit);
    return plain_page(o, l, "applicant_welcome", std::move(values));
  }
  values.set("deadline", instant_in(l, *i.deadline, seen.person.time_zone));
  return plain_page(o, l, "applicant_sitting", std::move(values));
}

boost::json::value answers_of(const std::optional<hirenow::progress>& saved) {
  if (!saved) return boost::json::object();
  boost::system::error_code wrong;
  auto parsed = boost::json::parse(saved->bytes, wrong);
  return wrong || !parsed.is_object() ? boost::json::value(boost::json::object()) : parsed;
}

/// A window sits down: the key of the open session gets that session again, another one takes over.
response sit(office& o, const visit& v, const request& asked) {
  if (asked.form["window"].size() < 16) return json({{"reload", true}});
  const look seen = look_at(o, v);
  const auto sitting = o.engine.resume(token_of(o, v, seen), session_key(o, v, asked.form["window"]));
  if (!sitting) return json({{"reload", true}});
  boost::json::object out;
  out["fence"] = sitting->session.fence;
  out["left"] = sitting->left.count();
  out["answers"] = answers_of(sitting->progress);
  if (sitting->progress)
    out["saved"] = instant_in(language_for(asked, seen.person), sitting->progress->saved_at, seen.person.time_zone);
  return json(std::move(out));
}

/// How a save or a submission went wrong, for the script.
response trouble_of(const hirenow::error& e) {
  if (e.code == hirenow::errc::stale_session) return json({{"stale", true}});
  if (e.code == hirenow::errc::deadline_passed) return json({{"over", true}});
  if (e.code == hirenow::errc::store_busy || e.code == hirenow::errc::store_unavailable)
    return json({{"again", true}}, 503);
  return json({{"reload", true}});
}

response save(office& o, const visit& v, const request& asked) {
  const auto saved = o.engine.checkpoint(session_of(o, v, asked), asked.form["answers"]);
  if (!saved) return trouble_of(saved.error());
  return json({{"saved", hirenow::to_string(saved->at)}});
}

response submit(office& o, const visit& v, const request& asked) {
  hirenow::submit_options last;
  last.progress = std::string(asked.form["answers"]);
  last.idempotency_key = o.seals.derived("submit", v.secret + std::string(asked.form["fence"]));
  const auto done = o.engine.submit(session_of(o, v, asked), last);
  // A repeated one, or the clock was faster: the page says what came of it.
  if (!done && done.error().code != hirenow::errc::invalid_transition &&
      done.error().code != hirenow::errc::idempotency_mismatch)
    return trouble_of(done.error());
  return json({{"next", "/go/interview"}});
}

response left(office& o, const visit& v, const request& asked) {
  const look seen = look_at(o, v);
  const auto& i = seen.interview;
  const bool open = seen.verdict == hirenow::verdict::valid && i.state == hirenow::interview_state::in_progress;
  const auto now = o.engine.now();
  boost::json::object out{{"open", open}};
  out["over"] = !open && i.deadline && now >= *i.deadline;  // else somebody ended it
  out["left"] = open && *i.deadline > now ? (*i.deadline - now).count() : 0;
  out["holder"] = std::to_string(i.sitting.fence) == asked.query["fence"] && i.sitting.open;
  return json(std::move(out));
}

response start(office& o, const visit& v, const request& asked, language l) {
  if (asked.form["window"].size() < 16) return redirect("/go/interview");
  const look seen = look_at(o, v);
  const auto started = o.engine.start(token_of(o, v, seen), session_key(o, v, asked.form["window"]));
  // Whatever the link is now, the page says it.
  if (!started &&
      (started.error().code == hirenow::errc::store_busy || started.error().code == hirenow::errc::store_unavailable))
    return simple_page(o, l, "trouble", 503);
  return redirect("/go/interview");
}

response withdraw(office& o, const visit& v) {
  const look seen = look_at(o, v);
  if (o.engine.withdraw(token_of(o, v, seen))) o.wake();
  return redirect("/go/interview");
}

/// Whatever comes of it, the visitor gets the same page after the same time.
response request_link(office& o, const visit& v, const request& asked, language l) {
  if (!o.asked.allows(asked.peer_address)) return too_many(o, l);
  const look seen = look_at(o, v);
  if (const auto token = token_of(o, v, seen); !token.empty())
    if (const auto done = o.engine.request_link(token); done && done->queued) o.wake();
  auto out = redirect("/go/requested");
  out.takes_at_least = request_takes;
  return out;
}

}  // namespace

response answer_applicant(office& o, const request& asked) {
  const language l = language_of(asked);
  const std::string_view path = asked.path;
  if (!asked.is_post) {
    if (path == "/go") {
      data values;
      values.set("title", o.views.word(l, "opening.title"));
      values.set("has_visit", visit_of(o, asked).has_value());
      return plain_page(o, l, "applicant_opening", std::move(values));
    }
    if (path == "/go/interview") return interview_page(o, asked);
    if (path == "/go/left")
      if (const auto v = visit_of(o, asked)) return left(o, *v, asked);
    if (path == "/go/left") return json({{"open", false}, {"over", false}, {"left", 0}, {"holder", false}});
    for (const std::string_view kind : {"unknown", "requested", "slow-down", "trouble"})
      if (path == "/go/" + std::string(kind)) return simple_page(o, l, kind);
    return not_found(o, l);
  }
  if (path == "/go/open") return open_link(o, asked);
  const auto v = visit_of(o, asked);
  if (!v) return redirect("/go/interview");
  if (!hirenow::equal_in_constant_time(asked.form["csrf"], csrf_of(o, *v))) {
    // Another interview was opened in this browser meanwhile: the cookie is that one's.
    if (path == "/go/save" || path == "/go/sit" || path == "/go/submit") return json({{"stale", true}});
    return redirect("/go/interview");
  }
  if (path == "/go/start") return start(o, *v, asked, l);
  if (path == "/go/sit") return sit(o, *v, asked);
  if (path == "/go/save") return save(o, *v, asked);
  if (path == "/go/submit") return submit(o, *v, asked);
  if (path == "/go/withdraw") return withdraw(o, *v);
  if (path == "/go/request-link") return request_link(o, *v, asked, l);
  return not_found(o, l);
}

}  // namespace ats
