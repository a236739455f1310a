#include "json_documents.hpp"

#include <span>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace hirenow::json_documents {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

value json(sys_seconds at) { return at.time_since_epoch().count(); }
value json(seconds span) { return span.count(); }
value json(std::uint64_t n) { return n; }
value json(double n) { return n; }
value json(const std::string& text) { return value(std::string_view(text)); }
value json(std::string_view text) { return value(text); }
value json(const interview_id& id) { return value(to_string(id)); }
value json(const digest& d) { return value(detail::hex(d)); }
value json(interview_state s) { return value(to_string(s)); }
value json(outcome o) { return value(to_string(o)); }
// Declared before the templates that call them.
value json(const interview& i);
value json(const policy_span& span);
value json(const rule_verdict& v);
value json(const eligibility& e);
value json(const error& e);
value json(const permitted_action& a);
value json(const list_row& r);
value json(const audit_entry& e);
value json(const message& m);
value json(const sweep_report::set_aside& s);
value json(const waiver& w);
value json(const stored_policy& p);
value json(const what_if_row& r);
template <class T>
value json(const std::optional<T>& v) {
  return v ? json(*v) : value(nullptr);
}
template <class T>
value json(std::span<const T> all) {
  array out;
  out.reserve(all.size());
  for (const auto& v : all) out.push_back(json(v));
  return out;
}
template <class T>
value json(const std::vector<T>& all) {
  return json(std::span<const T>(all));
}

value json(const interview& i) {
  return object{{"id", json(i.id)},
                {"track", json(i.track)},
                {"attempt", i.attempt},
                {"state", json(i.state)},
                {"outcome", json(i.outcome)},
                {"score", json(i.score)},
                {"time_limit_seconds", json(i.time_limit)},
                {"grace_seconds", json(i.grace)},
                {"overtime", i.overtime == overtime::submit ? "submit" : "expire"},
                {"accommodation", object{{"percent", i.accommodation.percent},
                                         {"extra_seconds", json(i.accommodation.extra)},
                                         {"pause_seconds", json(i.accommodation.pause)}}},
                {"ends_by", json(i.ends_by)},
                {"created_at", json(i.created_at)},
                {"start_by", json(i.start_by)},
                {"started_at", json(i.started_at)},
                {"deadline", json(i.deadline)},
                {"submitted_at", json(i.submitted_at)},
                {"decided_at", json(i.decided_at)},
                {"link_requested_at", json(i.link_requested_at)},
                {"changed_at", json(i.changed_at)},
                {"generation", i.link.generation},
                {"opens_at", json(i.link.not_before)},
                {"retake_of", json(i.retake_of)},
                {"superseded_by", json(i.superseded_by)}};
}

value json(const policy_span& span) {
  return object{
      {"months", span.months}, {"days", span.days}, {"seconds", span.exact.count()}, {"words", in_words(span)}};
}

value json(const rule_verdict& v) {
  return object{{"id", json(v.rule_id)},
                {"rule", json(v.rule)},
                {"group", json(v.group)},
                {"allowed", v.allowed},
                {"reason", json(v.reason)},
                {"advice", json(v.advice)},
                {"applies", v.applies},
                {"waived", v.waived},
                {"waiver_allows", v.waiver_allows},
                {"eligible_at", json(v.eligible_at)},
                {"eligible_until", json(v.eligible_until)},
                {"counted", v.counted},
                {"limit", json(v.limit)},
                {"span", json(v.span)},
                {"wait_seconds", json(v.wait)},
                {"since", json(v.since)},
                {"until", json(v.until)},
                {"newest", json(v.newest)},
                {"counted_from", json(v.counted_from)},
                {"subject", json(v.subject)},
                {"working_days", v.working_days},
                {"attempts", json(v.attempts)}};
}

value json(const eligibility& e) {
  array rules;
  for (const rule_verdict& v : e.rules) {
    object& row = rules.emplace_back(json(v)).as_object();
    row["sentence"] = describe(v, e.time_zone);
    row["sentence_de"] = describe(v, e.time_zone, explain_in::german);
  }
  return object{{"allowed", e.allowed},
                {"reason", json(e.reason)},
                {"eligible_at", json(e.eligible_at)},
                {"eligible_until", json(e.eligible_until)},
                {"attempts_left", json(e.attempts_left)},
                {"rules", std::move(rules)},
                {"all_reasons", json(e.all_reasons)},
                {"warnings", json(e.warnings)},
                {"waivers", json(e.waivers)},
                {"time_zone", json(e.time_zone)},
                {"policy_version", json(e.policy_version)},
                {"policy_hash", json(e.policy_hash)},
                {"sentence", describe(e)},
                {"sentence_de", describe(e, explain_in::german)}};
}

value json(const error& e) {
  return object{{"status", static_cast<int>(e.code)},
                {"name", to_string(e.code)},
                {"message", json(e.message)},
                {"reason", json(e.reason)},
                {"superseded_by", json(e.superseded_by)},
                {"eligible_at", json(e.eligible_at)}};
}

value json(const permitted_action& a) {
  return object{{"use_case", to_string(a.what)},
                {"event", to_string(a.event)},
                {"allowed", a.allowed},
                {"why", json(a.why)},
                {"eligibility", json(a.eligibility)}};
}

value json(const list_row& r) {
  return object{{"applicant_id", json(r.applicant_id)},
                {"applicant_name", json(r.applicant_name)},
                {"applicant_email", json(r.applicant_email)},
                {"interview", json(r.interview)}};
}

value json(const audit_entry& e) {
  boost::system::error_code code;
  auto details = boost::json::parse(e.details, code);
  return object{{"sequence", e.sequence},
                {"at", json(e.at)},
                {"actor", json(e.actor)},
                {"event", json(e.event)},
                {"interview", json(e.interview)},
                {"from", json(e.from)},
                {"to", json(e.to)},
                {"details", code ? json(e.details) : std::move(details)},
                {"note", json(e.note)},
                {"previous", json(e.previous)},
                {"hash", json(e.hash)}};
}

value json(const message& m) {
  return object{{"interview", json(m.key.interview)}, {"kind", to_string(m.key.kind)},
                {"occasion", m.key.occasion},         {"generation", m.generation},
                {"created_at", json(m.created_at)},   {"due_at", json(m.due_at)},
                {"state", to_string(m.state)},        {"tries", m.tries},
                {"last_answer", json(m.last_answer)}};
}

value json(const applicant& a) {
  return object{{"id", json(a.id)},
                {"email", json(a.email)},
                {"name", json(a.name)},
                {"locale", json(a.locale)},
                {"time_zone", json(a.time_zone)}};
}

value json(const sweep_report::set_aside& s) {
  return object{{"tenant", json(s.record.tenant)},
                {"applicant_id", json(s.record.applicant_id)},
                {"limit", json(s.record.limit)},
                {"error", json(s.error)}};
}

value json(const waiver& w) {
  return object{{"number", w.number},
                {"track", json(w.track)},
                {"rule", json(w.rule_id)},
                {"reason_code", json(w.reason_code)},
                {"floor", json(w.floor)},
                {"state", to_string(w.state)},
                {"granted_by", json(w.granted_by)},
                {"approved_by", json(w.approved_by)},
                {"granted_at", json(w.granted_at)},
                {"expires_at", json(w.expires_at)},
                {"used_for", json(w.used_for)}};
}

value json(const stored_policy& p) {
  return object{{"track", json(p.track)},
                {"document", json(p.document)},
                {"hash", json(p.hash)},
                {"set_by", json(p.set_by)},
                {"set_at", json(p.set_at)},
                {"active_from", json(p.active_from)},
                {"running_waits", to_string(p.running_waits)},
                {"number", p.number}};
}

value json(const what_if_row& r) {
  return object{{"applicant_id", json(r.applicant_id)},
                {"track", json(r.track)},
                {"newest", json(r.newest)},
                {"eligible_now", r.eligible_now},
                {"eligible_then", r.eligible_then},
                {"reason_now", json(r.reason_now)},
                {"reason_then", json(r.reason_then)},
                {"eligible_at_now", json(r.eligible_at_now)},
                {"eligible_at_then", json(r.eligible_at_then)}};
}

/// A document: the format's version, and then the members.
std::string document(object members) {
  object out{{"hirenow_json", version}};
  for (auto& [name, member] : members) out[name] = std::move(member);
  return boost::json::serialize(out);
}

}  // namespace

std::string of(const interview& i) { return document(json(i).as_object()); }
std::string of(const eligibility& e) { return document(json(e).as_object()); }
std::string of(const std::vector<permitted_action>& actions) { return document({{"actions", json(actions)}}); }
std::string of(const std::vector<audit_entry>& entries) { return document({{"entries", json(entries)}}); }
std::string of(const std::vector<message>& messages) { return document({{"messages", json(messages)}}); }

std::string of(const list_page& page) {
  value counts = nullptr;
  if (page.counts) {
    object by_state;
    for (std::size_t n = 0; n < interview_state_count; ++n)
      by_state[to_string(static_cast<interview_state>(n))] = (*page.counts)[n];
    counts = std::move(by_state);
  }
  return document({{"rows", json(page.rows)}, {"next", json(page.next)}, {"counts", std::move(counts)}});
}

std::string of(const track_history& h) {
  return document({{"person", json(h.person)},
                   {"erased", h.erased},
                   {"attempts", json(h.attempts)},
                   {"entries", json(h.entries)},
                   {"messages", json(h.messages)}});
}

std::string of(const sweep_report& r) {
  return document({{"records", r.records}, {"events", r.events}, {"failed", json(r.failed)}, {"more", r.more}});
}

std::string of(const std::vector<waiver>& waivers) { return document({{"waivers", json(waivers)}}); }
std::string of(const waiver_changed& changed) { return of(std::vector<waiver>{changed.waiver}); }
std::string of(const std::vector<stored_policy>& policies) { return document({{"policies", json(policies)}}); }
std::string of(const what_if_page& page) {
  const what_if_counts& c = page.counts;
  return document({{"rows", json(page.rows)},
                   {"counts", object{{"applicants", c.applicants},
                                     {"interviews", c.interviews},
                                     {"tracks", c.tracks},
                                     {"eligible_now", c.eligible_now},
                                     {"eligible_then", c.eligible_then},
                                     {"become", c.become},
                                     {"cease", c.cease},
                                     {"sooner", c.sooner},
                                     {"later", c.later}}},
                   {"next", json(page.next)}});
}

std::string of(const token_claims& c) {
  return document({{"iss", json(c.issuer)},
                   {"aud", json(c.audience)},
                   {"sub", json(c.subject)},
                   {"tenant", json(c.tenant)},
                   {"interview_id", json(c.interview)},
                   {"generation", c.generation},
                   {"attempt", c.attempt},
                   {"iat", json(c.issued_at)},
                   {"nbf", json(c.not_before)},
                   {"exp", json(c.expires_at)}});
}

}  // namespace hirenow::json_documents
