#pragma once
/// Which C++ struct is which Python record, and which enumeration which. `bind_classes` compares both with the Python
/// classes, so that neither side can be changed alone.

#include <span>

#include "convert.hpp"
#include "hirenow/lifecycle.hpp"
#include "hirenow/mailer.hpp"
#include "hirenow/use_cases.hpp"

namespace hirenow::python {

// ---- Codecs of single fields ----------------------------------------------------------------------------------------

/// Roles: one, or any number of them.
template <>
struct convert<role_set> {
  static py::object to(role_set value);
  static role_set from(py::handle value, const char* what);
};

/// An applicant id (str) or an interview id (UUID).
struct subject_codec {
  using subject = std::variant<std::string_view, interview_id>;
  static py::object to(const subject& value) {
    return std::visit([](const auto& v) { return to_py(v); }, value);
  }
  static subject from(py::handle value, const char* what) {
    if (PyUnicode_Check(value.ptr())) return from_py<std::string_view>(value, what);
    return from_py<interview_id>(value, what);
  }
};

/// Counts by state: a `StateCounts`; any mapping is read.
struct counts_codec {
  using counts = std::array<std::uint64_t, interview_state_count>;
  static py::object to(const counts& value);
  static counts from(py::handle value, const char* what);
};

/// The ids of a verdict's attempts: borrowed, so that there is no way back from Python.
struct attempts_codec {
  static py::object to(std::span<const interview_id> value) {
    py::tuple out(value.size());
    for (std::size_t n = 0; n < value.size(); ++n) out[n] = to_py(value[n]);
    return out;
  }
  static std::span<const interview_id> from(py::handle, const char*) { return {}; }
};

struct final_progress {
  interview_id interview{};
  hirenow::progress progress{};
};
struct final_progress_codec {
  using pair = std::pair<interview_id, progress>;
  static py::object to(const pair& value);
  static pair from(py::handle value, const char* what);
};

// ---- Records --------------------------------------------------------------------------------------------------------

#define HIRENOW_RECORD(type, python_name, ...)                   \
  template <>                                                    \
  struct record_of<type> {                                       \
    using t = type;                                              \
    static constexpr const char* name = python_name;             \
    static constexpr auto fields = std::make_tuple(__VA_ARGS__); \
  }
using bytes_field = bytes_codec<std::string>;
using view_bytes = bytes_codec<std::string_view>;

HIRENOW_RECORD(actor, "Actor", plain("id", &t::id), plain("tenant", &t::tenant), plain("roles", &t::roles));
HIRENOW_RECORD(applicant, "Applicant", plain("id", &t::id), plain("email", &t::email), plain("name", &t::name),
               plain("locale", &t::locale), plain("time_zone", &t::time_zone));
HIRENOW_RECORD(link_stamp, "LinkStamp", plain("generation", &t::generation), plain("kid", &t::kid),
               plain("issued_at", &t::issued_at), plain("not_before", &t::not_before),
               plain("expires_at", &t::expires_at));
HIRENOW_RECORD(sitting_state, "SittingState", plain("fence", &t::fence), plain("open", &t::open),
               plain("key_hash", &t::key_hash));
HIRENOW_RECORD(accommodation, "Accommodation", plain("percent", &t::percent), plain("extra", &t::extra),
               plain("pause", &t::pause));
HIRENOW_RECORD(deadline_terms, "DeadlineTerms", plain("started_at", &t::started_at),
               plain("time_limit", &t::time_limit), plain("by_percent", &t::by_percent), plain("extra", &t::extra),
               plain("pause", &t::pause), plain("ends_by", &t::ends_by), plain("cut", &t::cut),
               plain("deadline", &t::deadline), plain("grace", &t::grace), plain("last_submit", &t::last_submit));
HIRENOW_RECORD(interview, "Interview", plain("id", &t::id), plain("track", &t::track), plain("attempt", &t::attempt),
               plain("state", &t::state), plain("outcome", &t::outcome), plain("score", &t::score),
               plain("time_limit", &t::time_limit), plain("grace", &t::grace), plain("overtime", &t::overtime),
               plain("accommodation", &t::accommodation), plain("ends_by", &t::ends_by),
               plain("created_at", &t::created_at), plain("start_by", &t::start_by),
               plain("started_at", &t::started_at), plain("deadline", &t::deadline),
               plain("submitted_at", &t::submitted_at), plain("decided_at", &t::decided_at),
               plain("link_requested_at", &t::link_requested_at), plain("changed_at", &t::changed_at),
               plain("link", &t::link), plain("sitting", &t::sitting), plain("retake_of", &t::retake_of),
               plain("superseded_by", &t::superseded_by));
HIRENOW_RECORD(fact, "Fact", plain("kind", &t::kind), plain("name", &t::name), plain("at", &t::at),
               plain("until", &t::until), plain("value", &t::value), plain("track", &t::track),
               plain("sequence", &t::sequence));
HIRENOW_RECORD(progress, "Progress", coded<bytes_field>("data", &t::bytes), plain("saved_at", &t::saved_at));
HIRENOW_RECORD(session, "Session", plain("tenant", &t::tenant), plain("interview", &t::interview),
               plain("fence", &t::fence), coded<secret_codec>("key", &t::key));
HIRENOW_RECORD(message_key, "MessageKey", plain("interview", &t::interview), plain("kind", &t::kind),
               plain("occasion", &t::occasion));
HIRENOW_RECORD(message, "Message", plain("key", &t::key), plain("generation", &t::generation),
               plain("created_at", &t::created_at), plain("due_at", &t::due_at), plain("state", &t::state),
               plain("tries", &t::tries), plain("last_answer", &t::last_answer));
HIRENOW_RECORD(audit_entry, "AuditEntry", plain("sequence", &t::sequence), plain("at", &t::at),
               plain("actor", &t::actor), plain("event", &t::event), plain("interview", &t::interview),
               plain("from_state", &t::from), plain("to_state", &t::to), plain("details", &t::details),
               plain("previous", &t::previous), plain("hash", &t::hash), plain("note", &t::note));
HIRENOW_RECORD(audit_head, "AuditHead", plain("applicant_id", &t::applicant_id), plain("sequence", &t::sequence),
               plain("hash", &t::hash));
HIRENOW_RECORD(policy_span, "PolicySpan", plain("months", &t::months), plain("days", &t::days),
               plain("exact", &t::exact));
HIRENOW_RECORD(granted_waiver, "GrantedWaiver", plain("rule_id", &t::rule_id), plain("floor", &t::floor));
HIRENOW_RECORD(attempt, "Attempt", plain("track", &t::track), plain("at", &t::at), plain("result", &t::result),
               plain("decided_at", &t::decided_at), plain("score", &t::score), plain("id", &t::id));
HIRENOW_RECORD(rule_verdict, "RuleVerdict", plain("rule_id", &t::rule_id), plain("rule", &t::rule),
               plain("group", &t::group), plain("allowed", &t::allowed), plain("reason", &t::reason),
               plain("advice", &t::advice), plain("applies", &t::applies), plain("waived", &t::waived),
               plain("waiver_allows", &t::waiver_allows), plain("eligible_at", &t::eligible_at),
               plain("eligible_until", &t::eligible_until), plain("counted", &t::counted), plain("limit", &t::limit),
               plain("span", &t::span), plain("wait", &t::wait), plain("since", &t::since), plain("until", &t::until),
               plain("newest", &t::newest), plain("counted_from", &t::counted_from), plain("subject", &t::subject),
               plain("working_days", &t::working_days), coded<attempts_codec>("attempts", &t::attempts));
HIRENOW_RECORD(eligibility, "Eligibility", plain("allowed", &t::allowed), plain("reason", &t::reason),
               plain("eligible_at", &t::eligible_at), plain("eligible_until", &t::eligible_until),
               plain("attempts_left", &t::attempts_left), plain("rules", &t::rules),
               plain("all_reasons", &t::all_reasons), plain("warnings", &t::warnings), plain("waivers", &t::waivers),
               plain("time_zone", &t::time_zone), plain("policy_version", &t::policy_version),
               plain("policy_hash", &t::policy_hash));
HIRENOW_RECORD(token_claims, "TokenClaims", plain("issuer", &t::issuer), plain("audience", &t::audience),
               plain("subject", &t::subject), plain("tenant", &t::tenant), plain("interview", &t::interview),
               plain("generation", &t::generation), plain("attempt", &t::attempt), plain("issued_at", &t::issued_at),
               plain("not_before", &t::not_before), plain("expires_at", &t::expires_at));

HIRENOW_RECORD(invited, "Invited", plain("interview", &t::interview), plain("link", &t::link),
               plain("replayed", &t::replayed));
HIRENOW_RECORD(retaken, "Retaken", plain("interview", &t::interview), plain("archived", &t::archived),
               plain("link", &t::link), plain("replayed", &t::replayed));
HIRENOW_RECORD(changed, "Changed", plain("interview", &t::interview), plain("replayed", &t::replayed));
HIRENOW_RECORD(person_changed, "PersonChanged", plain("person", &t::person), plain("replayed", &t::replayed));
HIRENOW_RECORD(waiver, "Waiver", plain("number", &t::number), plain("track", &t::track), plain("rule_id", &t::rule_id),
               plain("reason_code", &t::reason_code), plain("floor", &t::floor), plain("state", &t::state),
               plain("granted_by", &t::granted_by), plain("approved_by", &t::approved_by),
               plain("granted_at", &t::granted_at), plain("expires_at", &t::expires_at),
               plain("used_for", &t::used_for));
HIRENOW_RECORD(waiver_changed, "WaiverChanged", plain("waiver", &t::waiver), plain("replayed", &t::replayed));
HIRENOW_RECORD(what_if_counts, "WhatIfCounts", plain("applicants", &t::applicants), plain("interviews", &t::interviews),
               plain("tracks", &t::tracks), plain("eligible_now", &t::eligible_now),
               plain("eligible_then", &t::eligible_then), plain("become", &t::become), plain("cease", &t::cease),
               plain("sooner", &t::sooner), plain("later", &t::later));
HIRENOW_RECORD(what_if_row, "WhatIfRow", plain("applicant_id", &t::applicant_id), plain("track", &t::track),
               plain("newest", &t::newest), plain("eligible_now", &t::eligible_now),
               plain("eligible_then", &t::eligible_then), plain("reason_now", &t::reason_now),
               plain("reason_then", &t::reason_then), plain("eligible_at_now", &t::eligible_at_now),
               plain("eligible_at_then", &t::eligible_at_then));
HIRENOW_RECORD(what_if_page, "WhatIfPage", plain("rows", &t::rows), plain("counts", &t::counts),
               plain("next", &t::next));
HIRENOW_RECORD(sitting, "Sitting", plain("session", &t::session), plain("interview", &t::interview),
               plain("left", &t::left), plain("progress", &t::progress));
HIRENOW_RECORD(inspection, "Inspection", plain("verdict", &t::verdict), plain("reason", &t::reason),
               plain("interview", &t::interview), plain("applicant_name", &t::applicant_name),
               plain("locale", &t::locale), plain("time_zone", &t::time_zone), plain("left", &t::left));
HIRENOW_RECORD(link_requested, "LinkRequested", plain("interview", &t::interview), plain("queued", &t::queued),
               plain("noted", &t::noted), plain("replayed", &t::replayed));
HIRENOW_RECORD(permitted_action, "PermittedAction", plain("what", &t::what), plain("event", &t::event),
               plain("allowed", &t::allowed), plain("why", &t::why), plain("eligibility", &t::eligibility));
HIRENOW_RECORD(list_row, "ListRow", plain("applicant_id", &t::applicant_id),
               plain("applicant_name", &t::applicant_name), plain("applicant_email", &t::applicant_email),
               plain("interview", &t::interview));
HIRENOW_RECORD(list_page, "ListPage", plain("rows", &t::rows), plain("next", &t::next),
               coded<optional_codec<counts_codec, counts_codec::counts>>("counts", &t::counts));
HIRENOW_RECORD(track_history, "TrackHistory", plain("person", &t::person), plain("erased", &t::erased),
               plain("attempts", &t::attempts), plain("entries", &t::entries), plain("messages", &t::messages));
HIRENOW_RECORD(audit_report, "AuditReport", plain("entries", &t::entries), plain("head", &t::head));
HIRENOW_RECORD(due_record, "DueRecord", plain("tenant", &t::tenant), plain("applicant_id", &t::applicant_id),
               plain("limit", &t::limit));
HIRENOW_RECORD(sweep_report::set_aside, "SetAside", plain("record", &t::record), plain("error", &t::error));
HIRENOW_RECORD(sweep_report, "SweepReport", plain("records", &t::records), plain("events", &t::events),
               plain("failed", &t::failed), plain("more", &t::more));

HIRENOW_RECORD(outgoing_mail, "OutgoingMail", plain("message_id", &t::message_id),
               plain("from_address", &t::from_address), plain("from_name", &t::from_name),
               plain("to_address", &t::to_address), plain("to_name", &t::to_name), plain("subject", &t::subject),
               plain("text", &t::text), plain("html", &t::html), plain("language", &t::language));
HIRENOW_RECORD(delivery, "Delivery", plain("outcome", &t::outcome), plain("code", &t::code),
               plain("answer", &t::answer));

HIRENOW_RECORD(applicant_record, "ApplicantRecord", plain("tenant", &t::tenant), plain("person", &t::person),
               plain("erased", &t::erased), plain("version", &t::version), plain("subject", &t::subject),
               coded<bytes_field>("salt", &t::salt), plain("sequence", &t::sequence),
               plain("audit_head", &t::audit_head), plain("last_instant", &t::last_instant),
               plain("interviews", &t::interviews), plain("facts", &t::facts), plain("waivers", &t::waivers));
HIRENOW_RECORD(stored_policy, "StoredPolicy", plain("track", &t::track), plain("document", &t::document),
               plain("hash", &t::hash), plain("set_by", &t::set_by), plain("set_at", &t::set_at),
               plain("active_from", &t::active_from), plain("running_waits", &t::running_waits),
               plain("number", &t::number));
HIRENOW_RECORD(policy_place, "PolicyPlace", plain("active_from", &t::active_from), plain("number", &t::number));
HIRENOW_RECORD(policy_query, "PolicyQuery", plain("tenant", &t::tenant), plain("track", &t::track),
               plain("before", &t::before), plain("limit", &t::limit));
HIRENOW_RECORD(stored_answer, "StoredAnswer", plain("key", &t::key), plain("payload", &t::payload),
               plain("answer", &t::answer), plain("expires_at", &t::expires_at));
HIRENOW_RECORD(load_request, "LoadRequest", plain("tenant", &t::tenant), coded<subject_codec>("who", &t::who),
               plain("track", &t::track), plain("with_rules", &t::with_rules), plain("answer", &t::answer),
               plain("with_sitting", &t::with_sitting), plain("with_progress", &t::with_progress),
               plain("with_others", &t::with_others), plain("at", &t::at));
HIRENOW_RECORD(loaded, "Loaded", plain("record", &t::record), plain("policy", &t::policy), plain("answer", &t::answer),
               plain("progress", &t::progress));
HIRENOW_RECORD(interview_change, "InterviewChange", plain("after", &t::after), plain("before", &t::before),
               plain("sitting_changed", &t::sitting_changed));
HIRENOW_RECORD(waiver_change, "WaiverChange", plain("after", &t::after), plain("before", &t::before));
HIRENOW_RECORD(withdrawal, "Withdrawal", plain("interview", &t::interview), plain("kinds", &t::kinds));
HIRENOW_RECORD(final_progress, "FinalProgress", plain("interview", &t::interview), plain("progress", &t::progress));
HIRENOW_RECORD(change_set, "ChangeSet", plain("tenant", &t::tenant), plain("applicant_id", &t::applicant_id),
               plain("expected_version", &t::expected_version), plain("head", &t::head),
               plain("write_person", &t::write_person), plain("interviews", &t::interviews), plain("facts", &t::facts),
               plain("audit", &t::audit), plain("withdrawals", &t::withdrawals), plain("messages", &t::messages),
               plain("redrives", &t::redrives), plain("drops", &t::drops),
               coded<optional_codec<final_progress_codec, final_progress_codec::pair>>("final_progress",
                                                                                       &t::final_progress),
               plain("answer", &t::answer), plain("erase", &t::erase), plain("waivers", &t::waivers),
               plain("policies", &t::policies));
HIRENOW_RECORD(checkpoint_request, "CheckpointRequest", plain("tenant", &t::tenant), plain("interview", &t::interview),
               plain("fence", &t::fence), plain("key_hash", &t::key_hash), plain("at", &t::at),
               coded<view_bytes>("data", &t::bytes));
HIRENOW_RECORD(list_request, "ListRequest", plain("tenant", &t::tenant), plain("at", &t::at), plain("state", &t::state),
               plain("track", &t::track), plain("applicant_id", &t::applicant_id), plain("cursor", &t::cursor),
               plain("limit", &t::limit), plain("with_counts", &t::with_counts));
HIRENOW_RECORD(outbox_figures, "OutboxFigures", plain("queued", &t::queued), plain("due", &t::due),
               plain("leased", &t::leased), plain("lapsed", &t::lapsed), plain("dead", &t::dead),
               plain("oldest_due", &t::oldest_due));
HIRENOW_RECORD(due_page, "DuePage", plain("rows", &t::rows), plain("next", &t::next));
HIRENOW_RECORD(claim_request, "ClaimRequest", plain("now", &t::now), plain("lease", &t::lease),
               plain("limit", &t::limit), plain("token", &t::token));
HIRENOW_RECORD(allowance_request, "AllowanceRequest", plain("now", &t::now), plain("per_minute", &t::per_minute),
               plain("tenant", &t::tenant), plain("wanted", &t::wanted), plain("returned", &t::returned));
HIRENOW_RECORD(allowance, "Allowance", plain("granted", &t::granted), plain("wait", &t::wait));
HIRENOW_RECORD(claimed_message, "ClaimedMessage", plain("tenant", &t::tenant), plain("applicant_id", &t::applicant_id),
               plain("mail", &t::mail));
HIRENOW_RECORD(settlement, "Settlement", plain("key", &t::key), plain("tenant", &t::tenant), plain("token", &t::token),
               plain("what", &t::what), plain("at", &t::at), plain("answer", &t::answer));
HIRENOW_RECORD(message_query, "MessageQuery", plain("tenant", &t::tenant), plain("interview", &t::interview),
               plain("state", &t::state), plain("after", &t::after), plain("limit", &t::limit));

}  // namespace hirenow::python
