#pragma once
/// Reading: one interview, permitted actions, lists, histories, progress, messages, audit. Nothing here writes.

#include <boost/json/array.hpp>

#include "hirenow/detail/audit_replay.hpp"
#include "hirenow/engine.hpp"

namespace hirenow {

inline result<loaded> engine::load_for(use_case what, const actor& who,
                                       std::variant<std::string_view, interview_id> subject) const {
  if (auto ok = check_actor(what, who); !ok) return ok.error();
  const bool by_interview = std::holds_alternative<interview_id>(subject);
  const bool of_tenant = !by_interview && std::get<std::string_view>(subject).empty() &&
                         (what == use_case::read_audit || what == use_case::verify_audit);
  if (!by_interview && !of_tenant)
    if (auto ok = limits::check_id("applicant id", std::get<std::string_view>(subject)); !ok) return ok.error();
  auto data = store_.load(
      {.tenant = who.tenant, .who = subject, .at = now(), .with_progress = what == use_case::read_progress});
  if (!data) return data.error();
  if (of_tenant && data->record.version == 0) return data;  // no policy was set yet
  if (data->record.version == 0 || (by_interview && !find_interview(data->record, std::get<interview_id>(subject))))
    return detail::fail(errc::not_found, by_interview ? "no such interview" : "no such applicant");
  return data;
}

inline result<interview> engine::find(const interview_id& id, const actor& who) {
  auto data = load_for(use_case::list, who, id);
  if (!data) return data.error();
  draft d(std::move(data->record), clock_->now());
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  return detail::shown(*find_interview(d.record(), id));
}

inline result<std::string> engine::link_of(const interview_id& id, const actor& who) const {
  const auto data = load_for(use_case::reissue, who, id);
  if (!data) return data.error();
  return link_of(who.tenant, data->record.person.id, *find_interview(data->record, id));
}

inline result<std::vector<permitted_action>> engine::permitted_actions(const interview_id& id, const actor& who) {
  auto data = load_for(use_case::permitted_actions, who, id);
  if (!data) return data.error();
  draft d(std::move(data->record), clock_->now());
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  const interview& i = *find_interview(d.record(), id);

  std::vector<permitted_action> actions;
  for (std::size_t n = 0; n < event_count; ++n) {
    const auto on = static_cast<event>(n);
    const bool for_staff = std::any_of(transition_table.begin(), transition_table.end(), [&](const transition& row) {
      return row.on == on && row.from && row.by == authority::staff;
    });
    if (!for_staff) continue;
    permitted_action action{.what = *use_case_of(on), .event = on};
    if (on == event::retake) {
      auto e = judge_retake(*data, d.record(), i, d.now());
      if (!e) return e.error();
      if (!e->answer.allowed) action.why = refusal_of(e->answer, d.record(), &i);
      action.eligibility = std::move(e->answer);
    } else if (const auto after = apply(i, on, authority::staff, d.now()); !after) {
      action.why = after.error();
    }
    if (d.record().erased) action.why = detail::fail(errc::erased, "the person was erased");
    // A role that is missing is said first: nothing else the actor could do would help.
    if (const auto ok = check_permission(options_.permissions, action.what, who); !ok) action.why = ok.error();
    action.allowed = !action.why;
    actions.push_back(std::move(action));
  }
  return actions;
}

inline result<list_page> engine::list(const dashboard_query& query, const actor& who) {
  if (auto ok = check_actor(use_case::list, who); !ok) return ok.error();
  if (query.state && static_cast<std::size_t>(*query.state) >= interview_state_count)
    return detail::fail(errc::invalid_argument, "there is no such state");
  if (!query.track.empty())
    if (auto ok = limits::check_id("track", query.track); !ok) return ok.error();
  if (!query.applicant_id.empty())
    if (auto ok = limits::check_id("applicant id", query.applicant_id); !ok) return ok.error();
  if (query.limit == 0 || query.limit > limits::page)
    return detail::fail(errc::invalid_argument, "a page has 1 to " + std::to_string(limits::page) + " rows");
  return store_.list({.tenant = who.tenant,
                      .at = now(),
                      .state = query.state,
                      .track = query.track,
                      .applicant_id = query.applicant_id,
                      .cursor = query.cursor,
                      .limit = query.limit,
                      .with_counts = query.with_counts});
}

inline result<track_history> engine::history(const interview_id& id, const actor& who) {
  auto data = load_for(use_case::history, who, id);
  if (!data) return data.error();
  const std::string applicant_id = data->record.person.id;
  draft d(std::move(data->record), clock_->now());
  if (auto ok = d.apply_clock(); !ok) return ok.error();
  track_history answer;
  answer.person = d.record().person;
  answer.erased = d.record().erased;
  const std::string track = find_interview(d.record(), id)->track;
  const auto of_this_track = [&](const std::optional<interview_id>& i) {
    const interview* found = i ? find_interview(d.record(), *i) : nullptr;
    return !found || found->track == track;
  };
  for (std::uint64_t after = 0;;) {
    const auto entries = store_.read_audit(who.tenant, applicant_id, after, limits::page);
    if (!entries) return entries.error();
    if (entries->empty()) break;
    after = entries->back().sequence;
    for (const auto& entry : *entries)
      if (of_this_track(entry.interview)) answer.entries.push_back(entry);
  }
  for (const auto& i : d.record().interviews) {
    if (i.track != track) continue;
    answer.attempts.push_back(detail::shown(i));
    message_query query{.tenant = who.tenant, .interview = i.id, .limit = limits::page};
    for (;;) {
      auto messages = store_.messages(query);
      if (!messages) return messages.error();
      answer.messages.insert(answer.messages.end(), messages->begin(), messages->end());
      if (messages->size() < query.limit) break;
      query.after = messages->back().key;
    }
  }
  std::sort(answer.attempts.begin(), answer.attempts.end(),
            [](const interview& a, const interview& b) { return a.attempt < b.attempt; });
  return answer;
}

inline result<std::optional<progress>> engine::read_progress(const interview_id& id, const actor& who) {
  auto data = load_for(use_case::read_progress, who, id);
  if (!data) return data.error();
  return std::move(data->progress);
}

inline result<std::vector<message>> engine::read_messages(message_query query, const actor& who) {
  if (auto ok = check_actor(use_case::read_messages, who); !ok) return ok.error();
  if (query.limit == 0 || query.limit > limits::page)
    return detail::fail(errc::invalid_argument, "a page has 1 to " + std::to_string(limits::page) + " rows");
  if (query.state && static_cast<std::size_t>(*query.state) >= message_state_count)
    return detail::fail(errc::invalid_argument, "there is no such state of a message");
  query.tenant = who.tenant;
  return store_.messages(query);
}

inline result<std::vector<audit_entry>> engine::read_audit(std::string_view applicant_id, const actor& who,
                                                           std::uint64_t after, std::size_t limit) {
  if (limit == 0 || limit > limits::page)
    return detail::fail(errc::invalid_argument, "a page has 1 to " + std::to_string(limits::page) + " rows");
  auto data = load_for(use_case::read_audit, who, applicant_id);
  if (!data) return data.error();
  if (after >= data->record.sequence) return std::vector<audit_entry>();
  return store_.read_audit(who.tenant, applicant_id, after, limit);
}

inline result<audit_report> engine::verify_audit(std::string_view applicant_id, const actor& who) {
  for (int round = 0;; ++round) {
    const auto data = load_for(use_case::verify_audit, who, applicant_id);
    if (!data) return data.error();
    auto report = verify_record(data->record);
    if (report || report.error().code != errc::audit_broken || round == most_rounds) return report;
    // Record and entries are read one after the other: only a record that stood still meanwhile is broken.
    const auto again = load_for(use_case::verify_audit, who, applicant_id);
    if (!again) return again.error();
    if (again->record == data->record) return report;
  }
}

namespace detail {

/// Compares the policies that stand in the store with what the audit of the tenant's own record has.
inline result<void> verify_policies(hirenow::store& store, std::string_view tenant, const audit_replay& replay) {
  for (const auto& [track, told] : replay.policies()) {
    const auto broken = [&](std::string_view why) {
      const std::string whose = track.empty() ? "the tenant's own policies" : "the policies of track " + track;
      return fail(errc::audit_broken, whose + " are not those that the audit has: " + std::string(why));
    };
    std::size_t found = 0;
    policy_query query{.tenant = tenant, .track = track, .limit = limits::page};
    for (;;) {
      const auto page = store.policies(query);
      if (!page) return page.error();
      for (const stored_policy& p : *page) {
        if (p.number == 0 || p.number > told.size()) return broken("one was added");
        const stored_policy& due = told[p.number - 1];
        const bool genuine = p.document.empty() ? p.hash == digest{} : p.hash == sha256(p.document);
        if (!genuine || p.hash != due.hash || p.set_by != due.set_by || p.set_at != due.set_at ||
            p.active_from != due.active_from || p.running_waits != due.running_waits)
          return broken("number " + std::to_string(p.number) + " was edited");
        ++found;
      }
      if (page->size() < query.limit) break;
      query.before = policy_place{page->back().active_from, page->back().number};
    }
    if (found != told.size()) return broken("one is missing");
  }
  return {};
}

}  // namespace detail

inline result<audit_report> engine::verify_record(const applicant_record& record) const {
  audit_verifier verifier(record);
  detail::audit_replay replay;
  for (std::uint64_t after = 0;;) {
    const auto entries = store_.read_audit(record.tenant, record.person.id, after, limits::page);
    if (!entries) return entries.error();
    if (entries->empty()) break;
    for (const auto& entry : *entries) {
      if (auto ok = verifier.take(entry); !ok) return ok.error();
      if (auto ok = replay.take(entry); !ok) return ok.error();
      after = entry.sequence;
    }
  }
  if (auto ok = verifier.finish(); !ok) return ok.error();
  if (auto ok = replay.finish(record); !ok) return ok.error();
  if (auto ok = detail::verify_policies(store_, record.tenant, replay); !ok) return ok.error();
  std::optional<error> wrong;
  replay.submitted_progress([&](const interview_id& id, std::string_view committed) {
    if (wrong || record.erased) return;
    const auto data = store_.load({.tenant = record.tenant, .who = id, .with_rules = false, .with_progress = true});
    if (!data)
      wrong = data.error();
    else if (!data->progress || detail::hex(commitment(record.salt, data->progress->bytes)) != committed)
      wrong = detail::fail(errc::audit_broken,
                           "the progress of interview " + to_string(id) + " is not the one that was submitted");
  });
  if (wrong) return *wrong;
  return audit_report{record.sequence, record.audit_head};
}

namespace detail {

/// The tenant's own record first, if it has one, and then its applicants'.
inline result<std::vector<audit_head>> read_heads(hirenow::store& store, std::string_view tenant) {
  std::vector<audit_head> heads;
  const auto own = store.load({.tenant = tenant, .who = std::string_view(), .with_rules = false});
  if (!own) return own.error();
  if (own->record.version != 0) heads.push_back({"", own->record.sequence, own->record.audit_head});
  for (;;) {
    const auto page =
        store.audit_heads(tenant, heads.empty() ? std::string_view() : heads.back().applicant_id, limits::page);
    if (!page) return page.error();
    if (page->empty()) return heads;
    heads.insert(heads.end(), page->begin(), page->end());
  }
}

inline constexpr std::string_view checkpoint_purpose = "hirenow audit checkpoint 1";

inline boost::json::object checkpoint_statement(std::string_view tenant, std::string_view at, std::size_t records,
                                                const digest& root) {
  return {{"tenant", tenant}, {"at", at}, {"records", records}, {"root", hex(root)}};
}

}  // namespace detail

inline result<std::string> engine::audit_checkpoint(const actor& who) {
  if (auto ok = check_actor(use_case::verify_audit, who); !ok) return ok.error();
  const auto heads = detail::read_heads(store_, who.tenant);
  if (!heads) return heads.error();
  const std::string statement = boost::json::serialize(
      detail::checkpoint_statement(who.tenant, to_string(now()), heads->size(), merkle_root(*heads)));
  const auto kid = keys_.signing_kid();
  if (!kid) return kid.error();
  auto signature = keys_.sign_text(*kid, detail::checkpoint_purpose, statement);
  if (!signature) return signature.error();
  boost::json::array rows;
  rows.reserve(heads->size());
  for (const auto& head : *heads)
    rows.push_back(boost::json::array{head.applicant_id, head.sequence, detail::hex(head.hash)});
  return boost::json::serialize(boost::json::object{
      {"statement", statement}, {"kid", *kid}, {"signature", *signature}, {"heads", std::move(rows)}});
}

inline result<std::size_t> engine::verify_audit_checkpoint(std::string_view checkpoint, const actor& who) {
  if (auto ok = check_actor(use_case::verify_audit, who); !ok) return ok.error();
  const auto malformed = [] { return detail::fail(errc::invalid_argument, "this is no audit checkpoint"); };
  boost::system::error_code code;
  const auto value = boost::json::parse(checkpoint, code);
  if (code || !value.is_object()) return malformed();
  const auto member = [&](const char* name) -> std::string {
    const auto* v = value.get_object().if_contains(name);
    return v && v->is_string() ? std::string(v->get_string()) : std::string();
  };
  const auto* rows = value.get_object().if_contains("heads");
  if (!rows || !rows->is_array() || member("kid").empty()) return malformed();
  const auto genuine =
      keys_.verify_text(member("kid"), detail::checkpoint_purpose, member("statement"), member("signature"));
  // A key that was retired or taken away tells nothing: the checkpoint may be genuine.
  if (!genuine && genuine.error().code == errc::key_invalid) return genuine.error();
  if (!genuine) return detail::fail(errc::audit_broken, "the checkpoint does not bear its key's signature");
  const auto statement = boost::json::parse(member("statement"), code);
  if (code || !statement.is_object()) return malformed();

  std::vector<audit_head> heads;
  for (const auto& row : rows->get_array()) {
    if (!row.is_array() || row.get_array().size() != 3) return malformed();
    const auto& fields = row.get_array();
    if (!fields[0].is_string() || !fields[1].is_int64() || fields[1].get_int64() < 1 || !fields[2].is_string() ||
        fields[2].get_string().size() != 64)
      return malformed();
    audit_head head{std::string(fields[0].get_string()), static_cast<std::uint64_t>(fields[1].get_int64()), {}};
    const std::string text(fields[2].get_string());
    for (std::size_t n = 0; n < 32; ++n) {
      const auto digit = [&](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
      head.hash[n] = static_cast<std::uint8_t>(digit(text[2 * n]) * 16 + digit(text[2 * n + 1]));
    }
    if (detail::hex(head.hash) != text) return malformed();
    heads.push_back(std::move(head));
  }
  const auto* at = statement.get_object().if_contains("at");
  // Compared as text: Boost.JSON's comparison of objects ends the process where memory runs out in it.
  if (!at || !at->is_string() ||
      member("statement") !=
          boost::json::serialize(detail::checkpoint_statement(
              who.tenant, {at->get_string().data(), at->get_string().size()}, heads.size(), merkle_root(heads))))
    return detail::fail(errc::audit_broken, "the checkpoint's rows are not those that were signed");

  for (const auto& head : heads) {
    const auto entry = store_.read_audit(who.tenant, head.applicant_id, head.sequence - 1, 1);
    if (!entry) return entry.error();
    if (entry->empty())
      return detail::fail(errc::audit_broken,
                          "the audit of a record ends before entry " + std::to_string(head.sequence));
    if (entry->front().sequence != head.sequence || entry->front().hash != head.hash)
      return detail::fail(errc::audit_broken, "audit entry " + std::to_string(head.sequence) + " was exchanged");
  }
  return heads.size();
}

}  // namespace hirenow
