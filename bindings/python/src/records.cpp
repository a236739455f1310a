// Tells C++ the Python classes: enumerations and records, by name.

#include "records.hpp"

#include "binding.hpp"
#include "hirenow/signing_key.hpp"

namespace hirenow::python {

py::object convert<role_set>::to(role_set value) {
  py::set out;
  for (const role r : all_roles)
    if (value.has(r)) out.add(class_of_enum<role>().members[r == role::recruiter ? 0 : r == role::reviewer ? 1 : 2]);
  return py::reinterpret_steal<py::object>(PyFrozenSet_New(out.ptr()));
}
role_set convert<role_set>::from(py::handle value, const char* what) {
  const auto one = [&](py::handle item) { return all_roles[class_of_enum<role>().find(item, what)]; };
  if (PyUnicode_Check(value.ptr())) return one(value);
  role_set roles;
  for (const auto item : py::iter(value)) roles = roles | one(item);
  return roles;
}

namespace {
py::object& state_counts() {
  static py::object* const made = new py::object;  // outlives the interpreter on purpose
  return *made;
}
}  // namespace

py::object counts_codec::to(const counts& value) {
  py::dict out;
  for (std::size_t n = 0; n < value.size(); ++n) out[to_py(static_cast<interview_state>(n))] = to_py(value[n]);
  return state_counts()(out);
}
counts_codec::counts counts_codec::from(py::handle value, const char* what) {
  counts out{};
  if (!py::hasattr(value, "items")) wrong_type(what, "a mapping", value);
  for (const auto& [state, count] : py::dict(py::reinterpret_borrow<py::object>(value)))
    out[static_cast<std::size_t>(from_py<interview_state>(state, what))] = from_py<std::uint64_t>(count, what);
  return out;
}

py::object final_progress_codec::to(const pair& value) { return to_py(final_progress{value.first, value.second}); }
final_progress_codec::pair final_progress_codec::from(py::handle value, const char* what) {
  auto read = from_py<final_progress>(value, what);
  return {read.interview, std::move(read.progress)};
}

namespace {

template <class E>
void words_of(py::dict classes, const char* name, std::size_t count) {
  std::vector<std::string> words;
  for (std::size_t n = 0; n < count; ++n) words.emplace_back(to_string(static_cast<E>(n)));
  bind_enum(class_of_enum<E>(), classes, name, std::move(words));
}
template <class E>
void given_words(py::dict classes, const char* name, std::vector<std::string> words) {
  bind_enum(class_of_enum<E>(), classes, name, std::move(words));
}

template <class... Records>
void records_of(py::dict classes) {
  (bind_record(class_of_record<Records>(), classes, record_of<Records>::name, convert<Records>::names()), ...);
}

}  // namespace

void bind_classes(py::dict classes) {
  bind_plain_classes(classes);
  state_counts() = classes["StateCounts"];
  words_of<interview_state>(classes, "InterviewState", interview_state_count);
  words_of<outcome>(classes, "Outcome", outcome_count);
  words_of<event>(classes, "Event", event_count);
  words_of<authority>(classes, "Authority", 3);
  words_of<use_case>(classes, "UseCase", use_case_count);
  words_of<waiver_state>(classes, "WaiverState", waiver_state_count);
  words_of<running_waits>(classes, "RunningWaits", running_waits_count);
  words_of<fact_kind>(classes, "FactKind", fact_kind_count);
  words_of<verdict>(classes, "Verdict", verdict_count);
  words_of<message_kind>(classes, "MessageKind", message_kind_count);
  words_of<message_state>(classes, "MessageState", message_state_count);
  words_of<key_algorithm>(classes, "KeyAlgorithm", 2);
  given_words<role>(classes, "Role", {"recruiter", "reviewer", "admin"});
  given_words<overtime>(classes, "Overtime", {"expire", "submit"});
  given_words<delivery_outcome>(classes, "DeliveryOutcome", {"accepted", "temporary", "permanent", "ambiguous"});
  given_words<settlement::verdict>(classes, "SettlementVerdict",
                                   {"accepted", "withdrawn", "retry", "dead", "renew", "release"});
  given_words<attempt_kind>(classes, "AttemptKind", {"retake", "schedule"});
  records_of<actor, applicant, link_stamp, sitting_state, accommodation, deadline_terms, interview, fact, progress,
             session, message_key, message, audit_entry, audit_head, policy_span, granted_waiver, attempt, rule_verdict,
             eligibility, token_claims, invited, retaken, changed, person_changed, waiver, waiver_changed, policy_place,
             policy_query, what_if_counts, what_if_row, what_if_page, sitting, inspection, link_requested,
             permitted_action, list_row, list_page, track_history, audit_report, due_record, sweep_report::set_aside,
             sweep_report, outgoing_mail, delivery, applicant_record, stored_policy, stored_answer, load_request,
             loaded, interview_change, waiver_change, withdrawal, final_progress, change_set, checkpoint_request,
             list_request, outbox_figures, due_page, claim_request, allowance_request, allowance, claimed_message,
             settlement, message_query>(classes);
  bind_dispatcher_classes(classes);
  bind_testing_classes(classes);
}

}  // namespace hirenow::python
