// What needs no engine: keys, tokens, policies, the lifecycle.

#include "binding.hpp"
#include "hirenow/audit.hpp"
#include "hirenow/dispatcher_options.hpp"
#include "hirenow/message.hpp"
#include "hirenow/permissions.hpp"
#include "hirenow/retake_policy.hpp"
#include "hirenow/signing_key.hpp"
#include "hirenow/token.hpp"
#include "records.hpp"

namespace hirenow::python {

void add_plain(py::module_& m) {
  m.def("bind", &bind_classes, py::arg("classes"));
  m.def("error_codes", [] {
    py::dict codes;
    for (const auto& row : detail::errc_names) codes[to_py(row.name)] = static_cast<int>(row.code);
    return codes;
  });

  py::class_<key_ring>(
      m, "KeyRing", "The keys that sign and verify links. Copies share the keys. May be used in the child of a fork.")
      .def_static(
          "from_json",
          [](py::object text) { return value_of(key_ring::from_json(from_py<std::string>(text, "text"))); },
          py::arg("text"), "Reads the ring from a JSON Web Key set as text.")
      .def_static(
          "from_file",
          [](py::object path) {
            const auto file = path_from(path, "path");
            return value_of(call::without_gil([&] { return key_ring::from_file(file); }));
          },
          py::arg("path"), "Reads the ring from a file that nobody but its owner may open.")
      .def_static(
          "from_environment",
          [](py::object variable) {
            return value_of(key_ring::from_environment(from_py<std::string>(variable, "variable")));
          },
          py::arg("variable"), "Reads the ring from the text in an environment variable.")
      .def(
          "reload",
          [](key_ring& ring, py::object text) {
            if (text.is_none()) return value_of(call::without_gil([&] { return ring.reload(); }));
            const auto document = from_py<std::string>(text, "text");
            value_of(call::without_gil([&] { return ring.reload(document); }));
          },
          py::arg("text") = py::none(), "Reads the keys again, from where they came or from this text.")
      .def(
          "signing_kid", [](const key_ring& ring) { return to_py(value_of(ring.signing_kid())); },
          "The id of the key that signs new links.")
      .def(
          "public_jwks", [](const key_ring& ring) { return to_py(ring.public_jwks()); },
          "The public halves of the keys that are not retired, as a JWK set.")
      .def(
          "sign_text",
          [](const key_ring& ring, py::object kid, py::object purpose, py::object text) {
            return to_py(value_of(ring.sign_text(from_py<std::string_view>(kid, "kid"),
                                                 from_py<std::string_view>(purpose, "purpose"),
                                                 from_py<std::string_view>(text, "text"))));
          },
          py::arg("kid"), py::arg("purpose"), py::arg("text"),
          "Signs a text that is no token, such as a checkpoint of the audit. The purpose keeps signatures of one kind "
          "from being used as another's.")
      .def(
          "verify_text",
          [](const key_ring& ring, py::object kid, py::object purpose, py::object text, py::object signature) {
            value_of(ring.verify_text(
                from_py<std::string_view>(kid, "kid"), from_py<std::string_view>(purpose, "purpose"),
                from_py<std::string_view>(text, "text"), from_py<std::string_view>(signature, "signature")));
          },
          py::arg("kid"), py::arg("purpose"), py::arg("text"), py::arg("signature"),
          "Checks what sign_text() made; raises InvalidArgumentError for any other signature.");
  m.def(
      "new_key_document",
      [](py::object algorithm, py::object kid) {
        return to_py(
            new_key_document(from_py<key_algorithm>(algorithm, "algorithm"), from_py<std::string>(kid, "kid")));
      },
      py::arg("algorithm"), py::arg("kid"));

  m.def(
      "mint_token",
      [](const key_ring& ring, py::object kid, py::object claims) {
        return to_py(
            value_of(mint_token(ring, from_py<std::string_view>(kid, "kid"), from_py<token_claims>(claims, "claims"))));
      },
      py::arg("keys"), py::arg("kid"), py::arg("claims"));
  // Microseconds of pure computing: letting the GIL go would cost more than it gives.
  m.def(
      "verify_token",
      [](const key_ring& ring, py::object token, py::object issuer, py::object audience) {
        return to_py(value_of(
            verify_token(ring, from_py<std::string_view>(token, "token"),
                         {from_py<std::string>(issuer, "issuer"), from_py<std::string>(audience, "audience")})));
      },
      py::arg("keys"), py::arg("token"), py::arg("issuer"), py::arg("audience"));
  m.def(
      "judge_link",
      [](py::object claims, py::object record, py::object now) {
        const auto read = from_py<std::optional<applicant_record>>(record, "record");
        return to_py(judge_link(from_py<token_claims>(claims, "claims"), read ? &*read : nullptr,
                                from_py<sys_seconds>(now, "now")));
      },
      py::arg("claims"), py::arg("record"), py::arg("now"));

  py::class_<retake_policy>(m, "RetakePolicy",
                            "A retake policy: parsed and immutable. May be used in the child of a fork.")
      .def_static(
          "parse",
          [](py::object text) { return value_of(retake_policy::parse(from_py<std::string_view>(text, "text"))); },
          py::arg("text"), "Reads a policy document: JSON text.")
      .def_static(
          "standard", [] { return retake_policy::standard(); }, "The policy where nobody set one.")
      .def_property_readonly(
          "version", [](const retake_policy& p) { return to_py(p.version()); },
          "The name its author gave this version of it.")
      .def_property_readonly(
          "hash", [](const retake_policy& p) { return to_py(p.hash()); }, "SHA-256 of the document.")
      .def_property_readonly(
          "document", [](const retake_policy& p) { return to_py(p.document()); }, "The document as it was given.")
      .def_property_readonly(
          "retake_after",
          [](const retake_policy& p) {
            py::set out;
            for (std::size_t n = 0; n < outcome_count; ++n)
              if (p.retake_after().has(static_cast<outcome>(n))) out.add(to_py(static_cast<outcome>(n)));
            return py::reinterpret_steal<py::object>(PyFrozenSet_New(out.ptr()));
          },
          "The outcomes a retake may follow.")
      .def(
          "evaluate",
          [](const retake_policy& p, py::object history, py::object now, py::object kind, py::object track,
             py::object facts, py::object waivers, py::object time_zone) {
            const auto attempts = from_py<std::vector<attempt>>(history, "history");
            const auto known = from_py<std::vector<fact>>(facts, "facts");
            const auto granted = from_py<std::vector<granted_waiver>>(waivers, "waivers");
            const auto at = from_py<std::optional<std::string>>(track, "track");
            const std::string first = attempts.empty() ? std::string() : attempts.front().track;
            return to_py(evaluate(p, {.track = at ? *at : first,
                                      .attempts = attempts,
                                      .facts = known,
                                      .waivers = granted,
                                      .time_zone = from_py<std::string_view>(time_zone, "time_zone"),
                                      .now = from_py<sys_seconds>(now, "now"),
                                      .kind = from_py<attempt_kind>(kind, "kind")}));
          },
          py::arg("history"), py::arg("now"), py::arg("kind") = "retake", py::kw_only(), py::arg("track") = py::none(),
          py::arg("facts") = py::tuple(), py::arg("waivers") = py::tuple(), py::arg("time_zone") = "",
          "Holds a record against the policy at an instant: the attempts of all tracks and the facts. Without a track "
          "it "
          "is about the first attempt's.")
      .def(
          "__eq__", [](const retake_policy& a, const retake_policy& b) { return a.hash() == b.hash(); },
          py::is_operator())
      .def("__hash__", [](const retake_policy& p) { return py::hash(to_py(p.hash())); })
      .def("__repr__", [](const retake_policy& p) {
        return "<hirenow.RetakePolicy " + std::string(py::repr(to_py(p.version()))) + ">";
      });
  m.def(
      "describe",
      [](py::object e, py::object language) {
        return to_py(describe(from_py<eligibility>(e, "eligibility"),
                              explain_language(from_py<std::string_view>(language, "language"))));
      },
      py::arg("eligibility"), py::arg("language") = "en");
  m.def(
      "describe_rule",
      [](py::object v, py::object time_zone, py::object language) {
        return to_py(describe(from_py<rule_verdict>(v, "verdict"), from_py<std::string_view>(time_zone, "time_zone"),
                              explain_language(from_py<std::string_view>(language, "language"))));
      },
      py::arg("verdict"), py::arg("time_zone") = "", py::arg("language") = "en");
  m.def(
      "deadline_breakdown",
      [](py::object i, py::object started_at) {
        return to_py(
            deadline_breakdown(from_py<interview>(i, "interview"), from_py<sys_seconds>(started_at, "started_at")));
      },
      py::arg("interview"), py::arg("started_at"));
  m.def(
      "describe_span",
      [](py::object span, py::object language) {
        return to_py(in_words(from_py<policy_span>(span, "span"),
                              explain_language(from_py<std::string_view>(language, "language"))));
      },
      py::arg("span"), py::arg("language") = "en");
  m.def(
      "parse_span",
      [](py::object text) { return to_py(value_of(parse_span(from_py<std::string_view>(text, "text")))); },
      py::arg("text"));
  m.def(
      "apply_event",
      [](py::object i, py::object on, py::object by, py::object at) {
        return to_py(value_of(apply(from_py<interview>(i, "interview"), from_py<event>(on, "event"),
                                    from_py<authority>(by, "authority"), from_py<sys_seconds>(at, "at"))));
      },
      py::arg("interview"), py::arg("event"), py::arg("authority"), py::arg("at"));
  m.def(
      "after_the_clock",
      [](py::object i, py::object at) {
        return to_py(after_the_clock(from_py<interview>(i, "interview"), from_py<sys_seconds>(at, "at")));
      },
      py::arg("interview"), py::arg("at"));
  m.def(
      "clock_limit", [](py::object i) { return to_py(clock_limit(from_py<interview>(i, "interview"))); },
      py::arg("interview"));
  m.def(
      "is_lawful_waiver_step",
      [](py::object from, py::object to) {
        return is_lawful_step(from_py<waiver_state>(from, "before"), from_py<waiver_state>(to, "after"));
      },
      py::arg("before"), py::arg("after"));
  m.def(
      "is_lawful_step",
      [](py::object from, py::object to) {
        return is_lawful_step(from_py<interview_state>(from, "before"), from_py<interview_state>(to, "after"));
      },
      py::arg("before"), py::arg("after"));
  m.def(
      "transition",
      [](py::object from, py::object on, py::object by) -> py::object {
        const auto* row = find_transition(from_py<std::optional<interview_state>>(from, "state"),
                                          from_py<event>(on, "event"), from_py<authority>(by, "authority"));
        if (!row) return py::none();
        return py::make_tuple(to_py(row->to), to_py(to_string(row->when)));
      },
      py::arg("state"), py::arg("event"), py::arg("authority"));
  m.def(
      "message_id",
      [](py::object key, py::object domain) {
        return to_py(message_id(from_py<message_key>(key, "key"), from_py<std::string_view>(domain, "domain")));
      },
      py::arg("key"), py::arg("domain"));
  m.def(
      "backoff_after",
      [](py::object tries, py::object chance, py::object first, py::object longest) {
        const auto of = from_py<double>(chance, "chance");
        if (!(of >= 0 && of < 1)) unusable("chance", "must lie in [0, 1)");
        dispatcher_options options;
        options.first_backoff = from_py<seconds>(first, "first");
        options.longest_backoff = from_py<seconds>(longest, "longest");
        if (options.first_backoff < seconds{1} || options.longest_backoff < seconds{1})
          unusable("first and longest", "must be a second or more");
        return to_py(backoff_after(from_py<std::uint32_t>(tries, "tries"), of, options));
      },
      py::arg("tries"), py::arg("chance"), py::arg("first"), py::arg("longest"));
  m.def(
      "audit_hash",
      [](py::object tenant, py::object subject, py::object entry) {
        return to_py(audit_hash(from_py<std::string_view>(tenant, "tenant"), from_py<digest>(subject, "subject"),
                                from_py<audit_entry>(entry, "entry")));
      },
      py::arg("tenant"), py::arg("subject"), py::arg("entry"));
  m.def(
      "audit_commitment",
      [](py::object salt, py::object what) {
        const auto bytes = bytes_codec<std::string_view>::from(salt, "salt");
        return to_py(commitment(bytes, from_py<std::string_view>(what, "what")));
      },
      py::arg("salt"), py::arg("what"));
  m.def(
      "follow_audit",
      [](py::object record, py::iterable entries) {
        const auto of = from_py<applicant_record>(record, "record");
        audit_verifier verifier(of);
        for (const py::handle entry : entries)
          value_of(verifier.take(from_py<audit_entry>(py::reinterpret_borrow<py::object>(entry), "entries")));
        value_of(verifier.finish());
      },
      py::arg("record"), py::arg("entries"));
  m.def(
      "merkle_root",
      [](py::object heads) { return to_py(merkle_root(from_py<std::vector<audit_head>>(heads, "heads"))); },
      py::arg("heads"));
  m.def("default_permissions", [] {
    py::dict table;
    for (const auto& row : default_permissions)
      table[to_py(row.what)] = py::make_tuple(to_py(row.staff), row.token, row.system);
    return table;
  });
}

}  // namespace hirenow::python
