// The use cases that change something.

#include "engine_core.hpp"
#include "engine_parts.hpp"
#include "records.hpp"

namespace hirenow::python {

std::string key_from(py::handle value) {
  if (value.is_none()) return {};
  auto key = from_py<std::string>(value, "idempotency_key");
  if (key.empty()) unusable("idempotency_key", "is empty");
  return key;
}

namespace {

/// A span that Python leaves out with None; a zero or less is for the core to refuse, not its word for the default.
seconds span_or_default(py::handle value, const char* what) {
  if (value.is_none()) return seconds{0};
  const auto span = from_py<seconds>(value, what);
  return span == seconds{0} ? seconds{-1} : span;
}

/// True: at once; False: not at all; a datetime: not before.
notify notify_from(py::handle value) {
  if (PyBool_Check(value.ptr())) return value.ptr() == Py_True ? notify::now() : notify::none();
  return notify::not_before(from_py<sys_seconds>(value, "notify"));
}

std::optional<std::string> progress_from(py::handle value) {
  if (value.is_none()) return std::nullopt;
  return secret_codec::from(value, "progress");
}

}  // namespace

void add_changes(py::class_<engine_core>& c) {
  using o = py::object;
  c.def("schedule", [](const engine_core& e, o person, o track, o who, o opens_at, o link_lifetime, o reminders,
                       o time_limit, o grace, o on_overtime, o ends_by, o tell, o key) {
    const schedule_request request{.applicant = from_py<applicant>(person, "applicant"),
                                   .track = from_py<std::string>(track, "track"),
                                   .opens_at = from_py<std::optional<sys_seconds>>(opens_at, "opens_at"),
                                   .link_lifetime = span_or_default(link_lifetime, "link_lifetime"),
                                   .reminders = from_py<std::vector<seconds>>(reminders, "reminders"),
                                   .time_limit = span_or_default(time_limit, "time_limit"),
                                   .grace = grace.is_none() ? seconds{0} : from_py<seconds>(grace, "grace"),
                                   .overtime = from_py<overtime>(on_overtime, "overtime"),
                                   .ends_by = from_py<std::optional<sys_seconds>>(ends_by, "ends_by"),
                                   .notify = notify_from(tell),
                                   .idempotency_key = key_from(key)};
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.schedule(request, asks); }));
  });
  c.def("retake", [](const engine_core& e, o id, o who, o opens_at, o link_lifetime, o reminders, o time_limit, o grace,
                     o on_overtime, o ends_by, o tell, o reason, o key) {
    const retake_options options{.opens_at = from_py<std::optional<sys_seconds>>(opens_at, "opens_at"),
                                 .link_lifetime = span_or_default(link_lifetime, "link_lifetime"),
                                 .reminders = from_py<std::vector<seconds>>(reminders, "reminders"),
                                 .time_limit = span_or_default(time_limit, "time_limit"),
                                 .grace = from_py<std::optional<seconds>>(grace, "grace"),
                                 .overtime = from_py<std::optional<overtime>>(on_overtime, "overtime"),
                                 .ends_by = from_py<std::optional<sys_seconds>>(ends_by, "ends_by"),
                                 .notify = notify_from(tell),
                                 .reason = from_py<std::string>(reason, "reason"),
                                 .idempotency_key = key_from(key)};
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.retake(which, asks, options); }));
  });
  c.def("reissue", [](const engine_core& e, o id, o who, o opens_at, o link_lifetime, o extend_by, o reminders, o tell,
                      o reason, o key) {
    const reissue_options options{.opens_at = from_py<std::optional<sys_seconds>>(opens_at, "opens_at"),
                                  .link_lifetime = span_or_default(link_lifetime, "link_lifetime"),
                                  .extend_by = span_or_default(extend_by, "extend_by"),
                                  .reminders = from_py<std::vector<seconds>>(reminders, "reminders"),
                                  .notify = notify_from(tell),
                                  .reason = from_py<std::string>(reason, "reason"),
                                  .idempotency_key = key_from(key)};
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.reissue(which, asks, options); }));
  });
  c.def("request_link", [](const engine_core& e, o token, o key) {
    const auto text = from_py<std::string_view>(token, "token");
    const auto once = key_from(key);
    return to_py(e.run([&](engine& x) { return x.request_link(text, once); }));
  });
  c.def("start", [](const engine_core& e, o token, o session_key) {
    const auto text = from_py<std::string_view>(token, "token");
    const auto secret = secret_codec::from(session_key, "session_key");
    return to_py(e.run([&](engine& x) { return x.start(text, secret); }));
  });
  c.def("resume", [](const engine_core& e, o token, o session_key) {
    const auto text = from_py<std::string_view>(token, "token");
    const auto secret = secret_codec::from(session_key, "session_key");
    return to_py(e.run([&](engine& x) { return x.resume(text, secret); }));
  });
  c.def("checkpoint", [](const engine_core& e, o open, o bytes) {
    const auto sits = from_py<session>(open, "session");
    const auto text = secret_codec::from(bytes, "progress");
    return to_py(e.run([&](engine& x) { return x.checkpoint(sits, text); }).at);
  });
  c.def("submit", [](const engine_core& e, o open, o last, o key) {
    const auto sits = from_py<session>(open, "session");
    const submit_options options{.progress = progress_from(last), .idempotency_key = key_from(key)};
    return to_py(e.run([&](engine& x) { return x.submit(sits, options); }));
  });
  c.def("withdraw", [](const engine_core& e, o token, o reason, o tell, o key) {
    const auto text = from_py<std::string_view>(token, "token");
    const withdraw_options options{.reason = from_py<std::string>(reason, "reason"),
                                   .notify = notify_from(tell),
                                   .idempotency_key = key_from(key)};
    return to_py(e.run([&](engine& x) { return x.withdraw(text, options); }));
  });
  c.def("decide", [](const engine_core& e, o id, o what, o who, o reason, o score, o tell, o key) {
    const decision made{.outcome = from_py<outcome>(what, "outcome"),
                        .reason = from_py<std::string>(reason, "reason"),
                        .score = from_py<std::optional<double>>(score, "score"),
                        .notify = notify_from(tell),
                        .idempotency_key = key_from(key)};
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.decide(which, asks, made); }));
  });
  c.def("reopen", [](const engine_core& e, o id, o who, o reason, o key) {
    const reopen_options options{.reason = from_py<std::string>(reason, "reason"), .idempotency_key = key_from(key)};
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.reopen(which, asks, options); }));
  });
  c.def("accommodate",
        [](const engine_core& e, o id, o who, o code, o percent, o extra, o pause, o grace, o reason, o key) {
          const accommodate_options options{.percent = from_py<std::optional<std::uint32_t>>(percent, "percent"),
                                            .extra = from_py<std::optional<seconds>>(extra, "extra"),
                                            .pause = from_py<std::optional<seconds>>(pause, "pause"),
                                            .grace = from_py<std::optional<seconds>>(grace, "grace"),
                                            .reason_code = from_py<std::string>(code, "reason_code"),
                                            .reason = from_py<std::string>(reason, "reason"),
                                            .idempotency_key = key_from(key)};
          const auto which = from_py<interview_id>(id, "interview_id");
          const auto asks = from_py<actor>(who, "actor");
          return to_py(e.run([&](engine& x) { return x.accommodate(which, asks, options); }));
        });
  c.def("void_attempt", [](const engine_core& e, o id, o who, o code, o reason, o key) {
    const void_options options{.reason_code = from_py<std::string>(code, "reason_code"),
                               .reason = from_py<std::string>(reason, "reason"),
                               .idempotency_key = key_from(key)};
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.void_attempt(which, asks, options); }));
  });
  c.def("cancel", [](const engine_core& e, o id, o who, o reason, o tell, o key) {
    const cancel_options options{.reason = from_py<std::string>(reason, "reason"),
                                 .notify = notify_from(tell),
                                 .idempotency_key = key_from(key)};
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.cancel(which, asks, options); }));
  });
  c.def("update_applicant", [](const engine_core& e, o person, o who, o key) {
    const auto to = from_py<applicant>(person, "applicant");
    const auto asks = from_py<actor>(who, "actor");
    const auto once = key_from(key);
    return to_py(e.run([&](engine& x) { return x.update_applicant(to, asks, once); }));
  });
  c.def("record_fact", [](const engine_core& e, o applicant_id, o what, o who, o key) {
    const auto of = from_py<std::string_view>(applicant_id, "applicant_id");
    const auto recorded = from_py<fact>(what, "fact");
    const auto asks = from_py<actor>(who, "actor");
    const auto once = key_from(key);
    return to_py(e.run([&](engine& x) { return x.record_fact(of, recorded, asks, once); }));
  });
  c.def("redrive", [](const engine_core& e, o key, o who, o once) {
    const auto which = from_py<message_key>(key, "key");
    const auto asks = from_py<actor>(who, "actor");
    const auto idempotency = key_from(once);
    e.run([&](engine& x) { return x.redrive(which, asks, idempotency); });
  });
  c.def("drop", [](const engine_core& e, o key, o who, o once) {
    const auto which = from_py<message_key>(key, "key");
    const auto asks = from_py<actor>(who, "actor");
    const auto idempotency = key_from(once);
    e.run([&](engine& x) { return x.drop(which, asks, idempotency); });
  });
  c.def("erase_applicant", [](const engine_core& e, o applicant_id, o who, o once) {
    const auto of = from_py<std::string_view>(applicant_id, "applicant_id");
    const auto asks = from_py<actor>(who, "actor");
    const auto idempotency = key_from(once);
    e.run([&](engine& x) { return x.erase_applicant(of, asks, idempotency); });
  });
  c.def("sweep", [](const engine_core& e, o limit) {
    const auto most = from_py<std::size_t>(limit, "limit");
    return to_py(e.run([&](engine& x) { return x.sweep(most); }));
  });
}

}  // namespace hirenow::python
