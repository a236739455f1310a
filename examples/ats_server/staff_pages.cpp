// The dashboard and the page of one interview.

#include <algorithm>
#include <charconv>
#include <numeric>

#include <boost/json.hpp>

#include "office.hpp"

namespace ats {
namespace {

using hirenow::interview_state;

constexpr std::size_t rows_a_page = 25;
/// A search that finds more people than this shows no counts: they would have to be read one by one.
constexpr std::size_t most_people_counted = 100;
/// Up to so many names, addresses and ids that begin as typed, all people are put in order; beyond, a page at a time.
constexpr std::size_t most_keys_ordered = 1000;
/// So many people are looked at for one page of a broad search; what lies behind them is the next page.
constexpr std::size_t most_people_read = 500;

std::string id_text(const hirenow::interview_id& id) { return to_string(id); }

/// What a row shows beside the interview itself.
struct offer {
  bool may_retake = false;
  bool role_may_retake = true;
  std::string retake_words{};  ///< the library's own
  std::string next{};          ///< the event to offer; empty: it is the applicant's turn, or nobody's
};

offer offer_for(office& o, const visitor& who, const hirenow::interview_id& id) {
  offer out;
  const auto actions = o.engine.permitted_actions(id, who.actor);
  if (!actions) {
    out.retake_words = words_of(o, who.lang, actions.error());
    return out;
  }
  using hirenow::event;
  // What is most likely wanted stands first.
  for (const event wanted : {event::pass, event::retake, event::reissue})
    for (const auto& action : *actions) {
      if (action.event == wanted && action.allowed && out.next.empty()) out.next = to_string(wanted);
      if (action.event != wanted || wanted != event::retake) continue;
      out.may_retake = action.allowed;
      out.role_may_retake = !action.why || action.why->code != hirenow::errc::permission_denied;
      out.retake_words = describe(*action.eligibility, who.lang == language::german ? hirenow::explain_in::german
                                                                                    : hirenow::explain_in::english);
    }
  return out;
}

/// "until 3 Mar 2026, 14:00" for an open interview; when it was changed for another.
std::string limit_text(const office& o, language l, const hirenow::interview& i) {
  const auto at = i.state == interview_state::scheduled     ? std::optional(i.start_by)
                  : i.state == interview_state::in_progress ? i.deadline
                                                            : std::nullopt;
  if (at)
    return o.views.word(l, i.state == interview_state::scheduled ? "until.start" : "until.deadline") + " " +
           instant_in(l, *at, o.time_zone);
  return o.views.word(l, "since") + " " + instant_in(l, i.changed_at, o.time_zone);
}

bool asked_for_link(const hirenow::interview& i) {
  return i.link_requested_at && *i.link_requested_at >= i.link.issued_at &&
         (hirenow::is_active(i.state) || i.state == interview_state::expired);
}

data row_of(office& o, const visitor& who, const hirenow::list_row& r) {
  const auto& i = r.interview;
  offer can = offer_for(o, who, i.id);
  // A link that works and that nobody asked for is the applicant's to use.
  if (can.next == "reissue" && i.state != interview_state::expired && !asked_for_link(i)) can.next.clear();
  data row;
  row.set("id", id_text(i.id));
  row.set("name", r.applicant_name.empty() ? o.views.word(who.lang, "erased.name") : r.applicant_name);
  row.set("email", r.applicant_email);
  row.set("track", o.track_title(i.track, who.lang));
  row.set("attempt", std::to_string(i.attempt));
  row.set("state", std::string(to_string(i.state)));
  row.set("state_word", state_word(o, who.lang, i.state));
  row.set("limit", limit_text(o, who.lang, i));
  row.set("asked", asked_for_link(i));
  row.set("may_retake", can.may_retake);
  row.set("retake_words",
          can.role_may_retake ? can.retake_words : o.views.word(who.lang, "retake.role") + " " + can.retake_words);
  if (!can.next.empty() && can.next != "retake") {
    row.set("next", can.next);
    row.set("next_word", o.views.word(who.lang, "next." + can.next));
  } else {
    row.set("turn", o.views.word(who.lang, "turn." + (can.may_retake ? "retake" : std::string(to_string(i.state)))));
  }
  return row;
}

/// What the visitor asked to see.
struct wish {
  std::optional<interview_state> state{};
  std::string track{}, search{}, after{};
};

std::optional<interview_state> state_named(std::string_view word) {
  for (std::size_t n = 0; n < hirenow::interview_state_count; ++n)
    if (to_string(static_cast<interview_state>(n)) == word) return static_cast<interview_state>(n);
  return std::nullopt;
}

wish wish_of(const request& asked) {
  std::string search(asked.query["q"]);
  search.erase(0, search.find_first_not_of(' '));
  while (!search.empty() && search.back() == ' ') search.pop_back();
  return {state_named(asked.query["state"]), std::string(asked.query["track"]), search,
          std::string(asked.query["after"])};
}

struct answer {
  hirenow::list_page page{};
  std::string error{};
};

/// The interviews of somebody whom a search found, of all states.
hirenow::result<std::vector<hirenow::list_row>> rows_of(office& o, const visitor& who, const wish& w,
                                                        const found_person& person) {
  hirenow::dashboard_query query{.track = w.track, .applicant_id = person.id, .limit = 100, .with_counts = false};
  const std::string beginning = search_key(w.search);
  std::vector<hirenow::list_row> rows;
  do {
    auto page = o.engine.list(query, who.actor);
    if (!page) return page.error();
    for (auto& row : page->rows)
      if (person.is_whole || id_text(row.interview.id).starts_with(beginning)) rows.push_back(std::move(row));
    query.cursor = page->next;
  } while (!query.cursor.empty());
  return rows;
}

/// The rows for a search. People are found in the host's own tables and their interviews asked for one person at a
/// time; the cursor is the last person shown. Counts are there where all who are found could be counted.
answer search(office& o, const visitor& who, const wish& w) {
  answer out;
  auto all = o.data.find_all_people(w.search, most_keys_ordered);
  const bool is_counted = all && all->size() <= most_people_counted;
  if (is_counted) out.page.counts.emplace();
  std::vector<found_person> people;
  std::size_t at = 0, read = 0;
  std::string last_read = w.after;
  // The next who was found; of a broad search by and by, from where the page begins.
  const auto next_person = [&]() -> std::optional<found_person> {
    if (at == people.size() && !all) {
      people = o.data.find_people(w.search, last_read, 2 * rows_a_page);
      at = 0;
    }
    if (at == people.size()) return std::nullopt;
    return people[at++];
  };
  if (all) people = *all;
  while (const auto person = next_person()) {
    const bool is_shown = person->id > w.after;
    const bool is_full = out.page.rows.size() >= rows_a_page || read == most_people_read;
    if (!is_counted && !is_shown) continue;
    if (!is_counted && is_full) {
      out.page.next = last_read;
      break;
    }
    auto rows = rows_of(o, who, w, *person);
    if (!rows) return {{}, words_of(o, who.lang, rows.error())};
    for (auto& row : *rows) {
      if (is_counted) ++(*out.page.counts)[static_cast<std::size_t>(row.interview.state)];
      if (!is_shown || (w.state && row.interview.state != *w.state)) continue;
      if (is_full)
        out.page.next = last_read;
      else
        out.page.rows.push_back(std::move(row));
    }
    if (is_shown && !is_full) {
      last_read = person->id;
      ++read;
    }
  }
  return out;
}

/// The rows for a wish.
answer find(office& o, const visitor& who, const wish& w) {
  if (!w.search.empty()) return search(o, who, w);
  auto page = o.engine.list({.state = w.state, .track = w.track, .cursor = w.after, .limit = rows_a_page}, who.actor);
  if (!page) return {{}, words_of(o, who.lang, page.error())};
  return {std::move(*page), {}};
}

std::string query_of(const wish& w, std::string_view without = {}) {
  std::string out;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (value.empty() || name == without) return;
    out += (out.empty() ? "?" : "&") + std::string(name) + "=" + url_encoded(value);
  };
  if (w.state) put("state", to_string(*w.state));
  put("track", w.track);
  put("q", w.search);
  put("after", w.after);
  return out;
}

/// The rows as they are shown, in short: whatever changes them, a person, a policy or the clock, makes them another.
std::string version_of(std::string_view shown) {
  const auto digest = hirenow::sha256(shown);
  std::uint64_t first = 0;
  for (int n = 0; n < 8; ++n) first = first << 8 | digest[static_cast<std::size_t>(n)];
  return std::to_string(first);
}

/// The part of the dashboard that is renewed when something changes, with its `version`.
data rows_part(office& o, const visitor& who, const wish& w) {
  const auto found = find(o, who, w);
  data values;
  if (!found.error.empty()) values.set("error", found.error);
  list rows;
  for (const auto& r : found.page.rows) rows.push_back(row_of(o, who, r));
  values.set("any", !rows.empty());
  values.set("paged", !rows.empty() || !found.page.next.empty() || !w.after.empty());
  values.set("shown", std::to_string(rows.size()));
  values.set("rows", listed(std::move(rows)));
  values.set("uncounted", found.error.empty() && !found.page.counts);

  list tabs;
  wish other = w;
  other.after.clear();
  const auto tab = [&](std::optional<interview_state> s, std::uint64_t count) {
    other.state = s;
    data t;
    t.set("href", "/interviews" + query_of(other));
    t.set("word", s ? state_word(o, who.lang, *s) : o.views.word(who.lang, "all"));
    t.set("state", s ? std::string(to_string(*s)) : std::string("all"));
    if (found.page.counts) t.set("count", std::to_string(count));
    t.set("chosen", s == w.state);
    tabs.push_back(t);
  };
  const auto counts = found.page.counts.value_or(decltype(found.page.counts)::value_type{});
  tab(std::nullopt, std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  for (std::size_t n = 0; n < hirenow::interview_state_count; ++n) tab(static_cast<interview_state>(n), counts[n]);
  values.set("tabs", listed(std::move(tabs)));
  if (!found.page.next.empty()) {
    wish next = w;
    next.after = found.page.next;
    values.set("next_href", "/interviews" + query_of(next));
  }
  if (!w.after.empty()) values.set("first_href", "/interviews" + query_of(w, "after"));
  const std::string query = query_of(w);
  values.set("rows_href", "/interviews/rows" + query);
  const std::string version = version_of(o.views.render("interview_rows", who.lang, values));
  values.set("version", version);
  values.set("events_href", "/interviews/events" + query + (query.empty() ? "?" : "&") + "version=" + version);
  return values;
}

response dashboard(office& o, const visitor& who, const request& asked) {
  const wish w = wish_of(asked);
  data values = rows_part(o, who, w);
  values.set("search", w.search);
  if (w.state) values.set("state_chosen", std::string(to_string(*w.state)));
  list tracks;
  for (const auto& t : o.tracks) {
    data row;
    row.set("id", t.id);
    row.set("title", t.title(who.lang));
    row.set("chosen", t.id == w.track);
    tracks.push_back(row);
  }
  values.set("tracks", listed(std::move(tracks)));
  values.set(
      "may_invite",
      hirenow::check_permission(o.engine.options().permissions, hirenow::use_case::schedule, who.actor).has_value());
  return staff_page(o, who, o.views.word(who.lang, "interviews.title"), "interviews", std::move(values), asked);
}

/// Says "changed" once the page would be shown otherwise.
response events(office& o, const visitor& who, const request& asked) {
  response out;
  out.events = [&o, who, w = wish_of(asked), version = std::string(asked.query["version"]),
                said = false]() mutable -> std::optional<std::string> {
    if (said || rows_part(o, who, w).get("version")->string_value() == version) return std::nullopt;
    said = true;
    return "changed";
  };
  return out;
}

// ---- One interview ------------------------------------------------------------------------------------------------------

std::string person_word(const office& o, language l, std::string_view actor) {
  if (actor == "applicant") return o.views.word(l, "actor.applicant");
  if (actor == "system") return o.views.word(l, "actor.system");
  for (const auto& m : staff())
    if (actor == "staff:" + m.id) return m.name;
  return std::string(actor.substr(actor.find(':') + 1));
}

/// The sequence that a broken audit names; 0 where it names none.
std::uint64_t broken_at(std::string_view message) {
  constexpr std::string_view before = "audit entry ";
  const auto at = message.find(before);
  std::uint64_t n = 0;
  if (at != std::string_view::npos)
    std::from_chars(message.data() + at + before.size(), message.data() + message.size(), n);
  return n;
}

data timeline_of(office& o, const visitor& who, const hirenow::track_history& history, std::uint64_t broken) {
  list entries;
  for (const auto& e : history.entries) {
    data row;
    row.set("sequence", std::to_string(e.sequence));
    row.set("at", instant_in(who.lang, e.at, o.time_zone));
    row.set("who", person_word(o, who.lang, e.actor));
    const std::string key = "event." + e.event;
    const std::string word = o.views.word(who.lang, key);
    row.set("what", word == key ? e.event : word);
    if (e.to) row.set("to", state_word(o, who.lang, *e.to));
    if (e.to) row.set("to_state", std::string(to_string(*e.to)));
    if (!e.note.empty()) row.set("note", e.note);
    for (const auto& a : history.attempts)
      if (e.interview == a.id) row.set("attempt", std::to_string(a.attempt));
    row.set("broken", broken != 0 && e.sequence >= broken);
    entries.push_back(row);
  }
  return listed(std::move(entries));
}

data messages_of(office& o, const visitor& who, const hirenow::track_history& history) {
  const bool may_redrive =
      hirenow::check_permission(o.engine.options().permissions, hirenow::use_case::redrive, who.actor).has_value();
  auto messages = history.messages;
  std::sort(messages.begin(), messages.end(), [](const auto& a, const auto& b) { return a.created_at < b.created_at; });
  list rows;
  for (const auto& m : messages) {
    data row;
    row.set("kind", o.views.word(who.lang, "message." + std::string(to_string(m.key.kind))));
    row.set("state", std::string(to_string(m.state)));
    row.set("state_word", o.views.word(who.lang, "message.state." + std::string(to_string(m.state))));
    row.set("at", instant_in(who.lang, m.created_at, o.time_zone));
    if (m.tries > 0) row.set("tries", std::to_string(m.tries));
    if (!m.last_answer.empty()) row.set("answer", m.last_answer);
    for (const auto& a : history.attempts)
      if (m.key.interview == a.id) row.set("attempt", std::to_string(a.attempt));
    if (m.state == hirenow::message_state::dead && may_redrive) {
      row.set("redrive", true);
      row.set("interview", id_text(m.key.interview));
      row.set("kind_number", std::to_string(static_cast<int>(m.key.kind)));
      row.set("occasion", std::to_string(m.key.occasion));
    }
    rows.push_back(row);
  }
  return listed(std::move(rows));
}

}  // namespace

response answer_interview(office& o, const visitor& who, const request& asked) {
  const auto id = hirenow::parse_interview_id(asked.path.substr(std::string_view("/interviews/").size()));
  if (!id) return not_found(o, who.lang);
  const auto history = o.engine.history(*id, who.actor);
  if (!history) return not_found(o, who.lang);
  const language l = who.lang;
  const hirenow::interview* i = nullptr;
  for (const auto& a : history->attempts)
    if (a.id == *id) i = &a;
  if (!i) return not_found(o, l);

  data values;
  const std::string name = history->erased ? o.views.word(l, "erased.name") : history->person.name;
  values.set("id", id_text(i->id));
  values.set("name", name);
  values.set("email", history->person.email);
  values.set("applicant", history->person.id);
  values.set("locale", history->person.locale);
  values.set("track", o.track_title(i->track, l));
  values.set("attempt", std::to_string(i->attempt));
  values.set("state", std::string(to_string(i->state)));
  values.set("state_word", state_word(o, l, i->state));
  values.set("limit", limit_text(o, l, *i));
  values.set("outcome", o.views.word(l, "outcome." + std::string(to_string(i->outcome))));
  if (const auto stage = o.data.stage_of(history->person.id, i->track); !stage.empty())
    values.set("stage", o.views.word(l, "stage." + stage));
  if (i->score) values.set("score", std::to_string(static_cast<long>(*i->score)));
  values.set("asked", asked_for_link(*i));
  if (i->state == interview_state::archived) {
    values.set("archived", true);
    if (i->superseded_by) values.set("superseded_by", id_text(*i->superseded_by));
  }

  data waivers = waivers_of(o, who, history->person.id, i->track);
  values.set("has_waivers", !waivers.list_value().empty());
  values.set("waivers", std::move(waivers));
  values.set("may_waive",
             !hirenow::is_active(i->state) && i->state != interview_state::archived &&
                 hirenow::check_permission(o.engine.options().permissions, hirenow::use_case::grant_waiver, who.actor)
                     .has_value());

  list lineage;
  for (const auto& a : history->attempts) {
    data row;
    row.set("id", id_text(a.id));
    row.set("attempt", std::to_string(a.attempt));
    row.set("state", std::string(to_string(a.state)));
    row.set("state_word", state_word(o, l, a.state));
    row.set("outcome", o.views.word(l, "outcome." + std::string(to_string(a.outcome))));
    row.set("at", instant_in(l, a.created_at, o.time_zone));
    row.set("here", a.id == i->id);
    lineage.push_back(row);
  }
  values.set("lineage", listed(std::move(lineage)));

  const auto verified = o.engine.verify_audit(history->person.id, who.actor);
  std::uint64_t broken = 0;
  if (verified) {
    values.set("verified", std::to_string(verified->entries));
  } else {
    broken = broken_at(verified.error().message);
    values.set("broken", verified.error().message);
  }
  values.set("timeline", timeline_of(o, who, *history, broken));
  values.set("messages", messages_of(o, who, *history));

  list actions;
  std::string retake_words;
  bool may_retake = false, role_may = true;
  if (const auto permitted = o.engine.permitted_actions(i->id, who.actor))
    for (const auto& action : *permitted) {
      using hirenow::event;
      if (action.event == event::retake) {
        may_retake = action.allowed;
        role_may = !action.why || action.why->code != hirenow::errc::permission_denied;
        retake_words = describe(*action.eligibility,
                                l == language::german ? hirenow::explain_in::german : hirenow::explain_in::english);
        continue;
      }
      // Pass, fail and hold are one dialogue.
      if (!action.allowed || action.event == event::fail || action.event == event::hold) continue;
      data row;
      row.set("event", std::string(to_string(action.event)));
      row.set("word", o.views.word(l, "action." + std::string(to_string(action.event))));
      actions.push_back(row);
    }
  values.set("actions", listed(std::move(actions)));
  values.set("may_retake", may_retake);
  values.set("retake_words", role_may ? retake_words : o.views.word(l, "retake.role") + " " + retake_words);

  // What was answered, for those who judge it.
  if (const auto progress = o.engine.read_progress(i->id, who.actor); progress && *progress) {
    boost::system::error_code wrong;
    const auto answers = boost::json::parse((*progress)->bytes, wrong);
    const auto* t = o.find_track(i->track);
    list rows;
    if (!wrong && answers.is_object() && t)
      for (const auto& q : t->questions)
        if (const auto* text = answers.get_object().if_contains(q.id); text && text->is_string()) {
          data row;
          row.set("question", l == language::german ? q.german : q.english);
          row.set("answer", std::string(text->get_string()));
          rows.push_back(row);
        }
    values.set("has_answers", !rows.empty());
    values.set("answers", listed(std::move(rows)));
    values.set("saved_at", instant_in(l, (*progress)->saved_at, o.time_zone));
  }
  values.set("lifecycle_alt", o.views.word(l, "lifecycle.alt") + " " + state_word(o, l, i->state));
  return staff_page(o, who, name, "interview", std::move(values), asked);
}

response answer_staff(office& o, const visitor& who, const request& asked) {
  const std::string_view path = asked.path;
  if (!asked.is_post && path == "/interviews") return dashboard(o, who, asked);
  if (!asked.is_post && path == "/interviews/rows") {
    data values = rows_part(o, who, wish_of(asked));
    return plain_page(o, who.lang, "interview_rows", std::move(values));
  }
  if (!asked.is_post && path == "/interviews/events") return events(o, who, asked);
  // /interviews/<id> is a page, what stands behind it an action.
  const bool is_page = path.starts_with("/interviews/") &&
                       path.find('/', std::string_view("/interviews/").size()) == std::string_view::npos &&
                       path != "/interviews/new";
  if (is_page && !asked.is_post) return answer_interview(o, who, asked);
  return answer_action(o, who, asked);
}

}  // namespace ats
