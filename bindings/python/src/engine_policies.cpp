// The engine's calls about policies and exceptions to them, for Python.

#include "binding.hpp"
#include "engine_core.hpp"
#include "engine_parts.hpp"
#include "records.hpp"

namespace hirenow::python {

void add_policies(py::class_<engine_core>& c) {
  using o = py::object;
  c.def("set_policy", [](const engine_core& e, o document, o who, o track, o from, o waits, o key) {
    const auto text = from_py<std::string_view>(document, "document");
    const auto of = from_py<std::string_view>(track, "track");
    const auto asks = from_py<actor>(who, "actor");
    const activation when{.from = from_py<std::optional<sys_seconds>>(from, "active_from"),
                          .running_waits = from_py<running_waits>(waits, "running_waits"),
                          .idempotency_key = key_from(key)};
    e.run([&](engine& x) { return x.set_policy(of, text, asks, when); });
  });
  c.def("policies", [](const engine_core& e, o who, o track, o before, o limit) {
    const auto asks = from_py<actor>(who, "actor");
    const auto of = from_py<std::string_view>(track, "track");
    const auto place = from_py<std::optional<policy_place>>(before, "before");
    const auto most = from_py<std::size_t>(limit, "limit");
    return to_py(e.run([&](engine& x) { return x.policies(of, asks, place, most); }));
  });
  c.def("what_if", [](const engine_core& e, o who, o document, o track, o cursor, o limit, o waits) {
    const auto asks = from_py<actor>(who, "actor");
    const what_if_query query{.document = from_py<std::string>(document, "document"),
                              .track = from_py<std::string>(track, "track"),
                              .cursor = from_py<std::string>(cursor, "cursor"),
                              .limit = from_py<std::size_t>(limit, "limit"),
                              .running_waits = from_py<running_waits>(waits, "running_waits")};
    return to_py(e.run([&](engine& x) { return x.what_if(query, asks); }));
  });
  c.def("grant_waiver",
        [](const engine_core& e, o applicant_id, o who, o track, o rule, o code, o expires, o floor, o reason, o key) {
          const waiver_request request{.applicant_id = from_py<std::string>(applicant_id, "applicant_id"),
                                       .track = from_py<std::string>(track, "track"),
                                       .rule_id = from_py<std::string>(rule, "rule_id"),
                                       .reason_code = from_py<std::string>(code, "reason_code"),
                                       .expires_at = from_py<sys_seconds>(expires, "expires_at"),
                                       .floor = from_py<std::string>(floor, "floor"),
                                       .reason = from_py<std::string>(reason, "reason"),
                                       .idempotency_key = key_from(key)};
          const auto asks = from_py<actor>(who, "actor");
          return to_py(e.run([&](engine& x) { return x.grant_waiver(request, asks); }));
        });
  const auto step = [](auto method) {
    return [method](const engine_core& e, o applicant_id, o number, o who, o reason, o key) {
      const auto of = from_py<std::string_view>(applicant_id, "applicant_id");
      const auto which = from_py<std::uint64_t>(number, "number");
      const auto asks = from_py<actor>(who, "actor");
      const waiver_step_options options{from_py<std::string>(reason, "reason"), key_from(key)};
      return to_py(e.run([&](engine& x) { return (x.*method)(of, which, asks, options); }));
    };
  };
  c.def("approve_waiver", step(&engine::approve_waiver));
  c.def("revoke_waiver", step(&engine::revoke_waiver));
  c.def("waivers", [](const engine_core& e, o applicant_id, o who) {
    const auto of = from_py<std::string_view>(applicant_id, "applicant_id");
    const auto asks = from_py<actor>(who, "actor");
    return to_py(e.run([&](engine& x) { return x.waivers(of, asks); }));
  });
}

}  // namespace hirenow::python
