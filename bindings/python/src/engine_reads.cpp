// Opening an engine, and the use cases that only read.

#include "engine_core.hpp"
#include "engine_parts.hpp"
#include "records.hpp"

namespace hirenow::python {
namespace {

/// The default table, with the staff of some use cases replaced.
permission_table permissions_from(py::handle changes) {
  permission_table table = default_permissions;
  if (changes.is_none()) return table;
  for (const auto& [what, roles] : py::dict(py::reinterpret_borrow<py::object>(changes)))
    table[static_cast<std::size_t>(from_py<use_case>(what, "permissions"))].staff =
        from_py<role_set>(roles, "permissions");
  return table;
}

}  // namespace

void add_reads(py::class_<engine_core>& c) {
  using o = py::object;
  c.def("retake_eligibility", [](const engine_core& e, o id, o who) {
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.retake_eligibility(which, asks); }));
  });
  c.def("inspect", [](const engine_core& e, o token) {
    const auto text = from_py<std::string_view>(token, "token");
    return to_py(e.run([&](engine& x) { return x.inspect(text); }));
  });
  c.def("find", [](const engine_core& e, o id, o who) {
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.find(which, asks); }));
  });
  c.def("permitted_actions", [](const engine_core& e, o id, o who) {
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.permitted_actions(which, asks); }));
  });
  c.def("list", [](const engine_core& e, o who, o state, o track, o applicant_id, o cursor, o limit, o with_counts) {
    const dashboard_query query{.state = from_py<std::optional<interview_state>>(state, "state"),
                                .track = from_py<std::string>(track, "track"),
                                .applicant_id = from_py<std::string>(applicant_id, "applicant_id"),
                                .cursor = from_py<std::string>(cursor, "cursor"),
                                .limit = from_py<std::size_t>(limit, "limit"),
                                .with_counts = from_py<bool>(with_counts, "with_counts")};
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.list(query, asks); }));
  });
  c.def("history", [](const engine_core& e, o id, o who) {
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.history(which, asks); }));
  });
  c.def("read_progress", [](const engine_core& e, o id, o who) {
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.read_progress(which, asks); }));
  });
  c.def("read_audit", [](const engine_core& e, o applicant_id, o who, o after, o limit) {
    const auto of = from_py<std::string_view>(applicant_id, "applicant_id");
    const auto asks = from_py<actor>(who, "actor");
    const auto from = from_py<std::uint64_t>(after, "after");
    const auto most = from_py<std::size_t>(limit, "limit");
    return to_py(e.run([&](engine& x) { return x.read_audit(of, asks, from, most); }));
  });
  c.def("verify_audit", [](const engine_core& e, o applicant_id, o who) {
    const auto of = from_py<std::string_view>(applicant_id, "applicant_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.verify_audit(of, asks); }));
  });
  c.def("audit_checkpoint", [](const engine_core& e, o who) {
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.audit_checkpoint(asks); }));
  });
  c.def("verify_audit_checkpoint", [](const engine_core& e, o checkpoint, o who) {
    const auto text = from_py<std::string_view>(checkpoint, "checkpoint");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.verify_audit_checkpoint(text, asks); }));
  });
  c.def("read_messages", [](const engine_core& e, o who, o id, o state, o after, o limit) {
    const message_query query{.interview = from_py<std::optional<interview_id>>(id, "interview_id"),
                              .state = from_py<std::optional<message_state>>(state, "state"),
                              .after = from_py<std::optional<message_key>>(after, "after"),
                              .limit = from_py<std::size_t>(limit, "limit")};
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.read_messages(query, asks); }));
  });
  c.def("link_of", [](const engine_core& e, o id, o who) {
    const auto which = from_py<interview_id>(id, "interview_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.link_of(which, asks); }));
  });
  c.def("link_for_row", [](const engine_core& e, o tenant, o applicant_id, o i) {
    const auto of = from_py<std::string_view>(tenant, "tenant");
    const auto whose = from_py<std::string_view>(applicant_id, "applicant_id");
    const auto which = from_py<interview>(i, "interview");
    return to_py(e.run([&](engine& x) { return x.link_of(of, whose, which); }));
  });
  c.def("now",
        [](const engine_core& e) { return to_py(e.run([&](engine& x) { return result<sys_seconds>(x.now()); })); });
}

void add_engine(py::module_& m) {
  using o = py::object;
  py::class_<engine_core> c(m, "EngineCore", "The C++ engine behind `hirenow.Engine`.");
  c.def(py::init([](o store, const key_ring& keys, const retake_policy& policy, o clock, o link_base, o link_bases,
                    o issuer, o audience, o link_lifetime, o time_limit, o answer_retention, o link_request_interval,
                    o permissions) {
    engine_options options;
    options.link_base = from_py<std::string>(link_base, "link_base");
    for (const auto& [tenant, base] : py::dict(link_bases))
      options.link_bases[from_py<std::string>(tenant, "link_bases")] = from_py<std::string>(base, "link_bases");
    options.issuer = from_py<std::string>(issuer, "issuer");
    options.audience = from_py<std::string>(audience, "audience");
    options.link_lifetime = from_py<seconds>(link_lifetime, "link_lifetime");
    options.time_limit = from_py<seconds>(time_limit, "time_limit");
    options.answer_retention = from_py<seconds>(answer_retention, "answer_retention");
    options.link_request_interval = from_py<seconds>(link_request_interval, "link_request_interval");
    options.permissions = permissions_from(permissions);
    auto raised = std::make_shared<raised_list>();
    auto data = store_of(std::move(store), raised);
    auto time = clock_of(std::move(clock), raised);
    options.clock = time.get();
    return std::make_unique<engine_core>(
        new engine_core::state(std::move(data), std::move(time), std::move(raised), keys, policy, std::move(options)));
  }));
  c.def("on", [](const engine_core& e, o store) {
    const auto base = e.share();
    const at_work<engine_core::state> working(*base);
    const bool joined = py::isinstance<native_store>(store) && store.cast<native_store&>().joined;
    auto data = store_of(std::move(store), base->raised);
    return std::make_unique<engine_core>(new engine_core::state(*base, std::move(data), joined));
  });
  c.def("close", [](engine_core& e) { e.close(); });
  c.def_property_readonly("closed", &engine_core::closed);
  add_changes(c);
  add_reads(c);
  add_policies(c);
}

}  // namespace hirenow::python
