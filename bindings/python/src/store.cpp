// Stores: the library's own for Python to hold, and Python's own for the library to call.

#include <pybind11/pybind11.h>

#include "binding.hpp"
#include "hirenow/adapters/memory.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "hirenow/adapters/sqlite.hpp"
#include "records.hpp"

namespace hirenow::python {

void call::fail(const error& e) const {
  for (const auto& [as, exception] : raised_)
    if (as == e) {
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
      throw py::error_already_set();
    }
  if (raised_.empty()) raise_error(e);
  // An error that was made of what a callback raised names it as its cause.
  const py::object made = to_py(e);
  PyException_SetCause(made.ptr(), py::object(raised_.back().second).release().ptr());
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
  throw py::error_already_set();
}

error caught(py::error_already_set& raised, raised_list& list) {
  const py::object exception = raised.value();
  static const py::object* const base =
      new py::object(py::module_::import("hirenow._errors").attr("Error"));  // outlives the interpreter
  if (py::isinstance(exception, *base)) {
    const error e = from_py<error>(exception, "exception");
    call::remember(e, exception);
    return e;
  }
  if (call::lets_pass()) throw py::error_already_set(raised);
  list.note(exception);
  return detail::fail(errc::internal, raised.what());
}

namespace {

/// Calls a store written in Python.
class python_store final : public store {
 public:
  python_store(py::object target, std::shared_ptr<raised_list> list)
      : target_(std::move(target)), list_(std::move(list)) {}

  result<loaded> load(const load_request& r) override { return ask<loaded>("load", r); }
  result<void> commit(const change_set& c) override { return tell("commit", c); }
  result<bool> save_progress(const checkpoint_request& r) override { return ask<bool>("save_progress", r); }
  result<list_page> list(const list_request& r) override { return ask<list_page>("list", r); }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return ask<due_page>("due", at, limit, cursor);
  }
  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    return ask<std::vector<claimed_message>>("claim", r);
  }
  result<std::vector<bool>> settle(std::span<const settlement> s) override {
    auto said = ask<std::vector<bool>>("settle", std::vector<settlement>(s.begin(), s.end()));
    if (said && said->size() != s.size())
      return detail::fail(errc::internal, "settle() answered another number of settlements");
    return said;
  }
  result<std::vector<allowance>> allow(std::span<const allowance_request> requests) override {
    {
      const gil_taken gil;
      if (!py::hasattr(target_.get(), "allow")) return store::allow(requests);
    }
    return ask<std::vector<allowance>>("allow", std::vector<allowance_request>(requests.begin(), requests.end()));
  }
  result<std::optional<sys_seconds>> next_due() override { return ask<std::optional<sys_seconds>>("next_due"); }
  result<std::optional<outbox_figures>> outbox(sys_seconds now) override {
    {
      const gil_taken gil;
      if (!py::hasattr(target_.get(), "outbox")) return store::outbox(now);
    }
    return ask<std::optional<outbox_figures>>("outbox", now);
  }
  result<std::vector<message>> messages(const message_query& q) override {
    return ask<std::vector<message>>("messages", q);
  }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return ask<std::vector<audit_entry>>("read_audit", tenant, applicant_id, after, limit);
  }
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return ask<std::vector<audit_head>>("audit_heads", tenant, after, limit);
  }
  result<std::vector<stored_policy>> policies(const policy_query& q) override {
    return ask<std::vector<stored_policy>>("policies", q);
  }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    return ask<std::size_t>("prune", now, limit);
  }

 private:
  template <class Answer, class... Arguments>
  result<Answer> ask(const char* method, const Arguments&... arguments) {
    const gil_taken gil;
    try {
      return from_py<Answer>(target_.get().attr(method)(to_py(arguments)...), method);
    } catch (py::error_already_set& raised) {
      return caught(raised, *list_);
    } catch (const py::builtin_exception& wrong) {
      return complain(wrong);
    }
  }
  template <class... Arguments>
  result<void> tell(const char* method, const Arguments&... arguments) {
    const gil_taken gil;
    try {
      target_.get().attr(method)(to_py(arguments)...);
      return {};
    } catch (py::error_already_set& raised) {
      return caught(raised, *list_);
    } catch (const py::builtin_exception& wrong) {
      return complain(wrong);
    }
  }
  /// What the conversions find wrong with an answer.
  error complain(const py::builtin_exception& wrong) {
    wrong.set_error();
    py::error_already_set raised;
    return caught(raised, *list_);
  }

  held_object target_;
  std::shared_ptr<raised_list> list_;
};

class python_clock final : public clock {
 public:
  python_clock(py::object target, std::shared_ptr<raised_list> list)
      : target_(std::move(target)), list_(std::move(list)) {}

  sys_seconds now() const override {
    const gil_taken gil;
    try {
      return from_py<sys_seconds>(target_.get().attr("now")(), "now()");
    } catch (py::error_already_set& raised) {
      return failed(raised);
    } catch (const py::builtin_exception& wrong) {
      wrong.set_error();
      py::error_already_set raised;
      return failed(raised);
    }
  }

 private:
  /// A clock has no error to return: it throws where that may pass, else the machine's clock stands in.
  sys_seconds failed(py::error_already_set& raised) const {
    if (call::lets_pass()) throw py::error_already_set(raised);
    list_->note(raised.value());
    return system_clock().now();
  }

  held_object target_;
  std::shared_ptr<raised_list> list_;
};

/// A method of a store of ours.
template <class F>
auto on_store(native_store& s, F&& f) {
  const at_work<native_store> working(s);
  call frame;
  return frame.unwrap(call::without_gil([&] { return f(*s.target); }));
}

}  // namespace

std::shared_ptr<store> store_of(py::object from, std::shared_ptr<raised_list> list) {
  if (py::isinstance<native_store>(from)) {
    auto& native = from.cast<native_store&>();
    const at_work<native_store> working(native);
    return native.target;
  }
  for (const char* method : {"load", "commit", "save_progress", "list", "due", "claim", "settle", "next_due",
                             "messages", "read_audit", "audit_heads", "policies", "prune"})
    if (!py::hasattr(from, method)) wrong_type("store", "a store (see hirenow.Store)", from);
  return std::shared_ptr<store>(new python_store(std::move(from), std::move(list)), careful_delete{});
}

std::shared_ptr<clock> clock_of(py::object from, std::shared_ptr<raised_list> list) {
  if (from.is_none()) return std::make_shared<system_clock>();
  if (py::isinstance<manual_clock>(from)) return from.cast<std::shared_ptr<manual_clock>>();
  if (!py::hasattr(from, "now")) wrong_type("clock", "a clock (see hirenow.Clock)", from);
  return std::shared_ptr<clock>(new python_clock(std::move(from), std::move(list)), careful_delete{});
}

sqlite_options sqlite_options_from(bool normal, py::handle busy_timeout, py::handle readers,
                                   py::handle checkpoint_bytes, py::handle cache_kib, py::object warn) {
  sqlite_options options;
  options.durability = normal ? sqlite_durability::normal : sqlite_durability::full;
  options.busy_timeout = from_py<std::chrono::milliseconds>(busy_timeout, "busy_timeout");
  options.readers = from_py<std::size_t>(readers, "readers");
  options.checkpoint_bytes = from_py<std::size_t>(checkpoint_bytes, "checkpoint_bytes");
  options.cache_kib = from_py<std::size_t>(cache_kib, "cache_kib");
  options.warn = [told = std::make_shared<held_object>(std::move(warn))](std::string_view text) {
    const gil_taken gil;
    try {
      told->get()(to_py(text));
    } catch (py::error_already_set& raised) {
      raised.discard_as_unraisable("hirenow: the warning of a SQLite store");
    }
  };
  return options;
}

void add_store(py::module_& m) {
  py::class_<manual_clock, std::shared_ptr<manual_clock>>(
      m, "ManualClock",
      "A clock that stands until it is moved: for tests, demonstrations and simulations. May be used in the child of "
      "a fork, which moves its own.")
      .def(py::init(
               [](py::object start) { return std::make_shared<manual_clock>(from_py<sys_seconds>(start, "start")); }),
           py::arg("start"))
      .def(
          "now", [](const manual_clock& c) { return to_py(c.now()); }, "The present instant.")
      .def(
          "set", [](manual_clock& c, py::object at) { c.set(from_py<sys_seconds>(at, "instant")); }, py::arg("instant"),
          "Moves the clock to an instant.")
      .def(
          "advance", [](manual_clock& c, py::object by) { c.advance(from_py<seconds>(by, "by")); }, py::arg("by"),
          "Moves the clock on.");

  py::class_<native_store>(m, "NativeStore", "A store of the library's own: see `hirenow.open_store`.")
      .def(
          "load",
          [](native_store& s, py::object r) {
            const auto request = from_py<load_request>(r, "request");
            return to_py(on_store(s, [&](store& t) { return t.load(request); }));
          },
          py::arg("request"),
          "Loads one record and what a decision on it needs, in one snapshot; version 0 where there is none.")
      .def(
          "commit",
          [](native_store& s, py::object c) {
            const auto changes = from_py<change_set>(c, "changes");
            on_store(s, [&](store& t) { return t.commit(changes); });
          },
          py::arg("changes"),
          "Writes a change set, all of it or none; ConflictError where the version is not the expected one.")
      .def(
          "save_progress",
          [](native_store& s, py::object r) {
            const auto request = from_py<checkpoint_request>(r, "request");
            return on_store(s, [&](store& t) { return t.save_progress(request); });
          },
          py::arg("request"),
          "Saves progress where fence, key hash, an open session and the deadline all hold; else says False.")
      .def(
          "list",
          [](native_store& s, py::object r) {
            const auto request = from_py<list_request>(r, "request");
            return to_py(on_store(s, [&](store& t) { return t.list(request); }));
          },
          py::arg("request"), "A page of interviews, with counts from the same snapshot.")
      .def(
          "due",
          [](native_store& s, py::object at, py::object limit, py::object cursor) {
            const auto instant = from_py<sys_seconds>(at, "at");
            const auto most = from_py<std::size_t>(limit, "limit");
            const auto from = from_py<std::string_view>(cursor, "cursor");
            return to_py(on_store(s, [&](store& t) { return t.due(instant, most, from); }));
          },
          py::arg("at"), py::arg("limit"), py::arg("cursor") = "",
          "Records on which the clock has something to do at `at`, of all tenants; one row a record.")
      .def(
          "claim",
          [](native_store& s, py::object r) {
            const auto request = from_py<claim_request>(r, "request");
            return to_py(on_store(s, [&](store& t) { return t.claim(request); }));
          },
          py::arg("request"), "Takes due messages, and those whose lease has run out, under a new lease.")
      .def(
          "settle",
          [](native_store& s, py::object r) {
            const py::tuple kept(r);  // the settlements borrow from it
            const auto all = from_py<std::vector<settlement>>(kept, "settlements");
            const auto said = on_store(s, [&](store& t) { return t.settle(all); });
            py::tuple out(said.size());
            for (std::size_t n = 0; n < said.size(); ++n) out[n] = py::bool_(said[n]);
            return out;
          },
          py::arg("settlements"),
          "Writes what workers found, in one commit. For each: whether the lease was still theirs.")
      .def(
          "allow",
          [](native_store& s, py::object r) {
            const py::tuple kept(r);  // the requests borrow from it
            const auto all = from_py<std::vector<allowance_request>>(kept, "requests");
            for (const auto& one : all)
              if (one.per_minute == 0) raise_error(detail::fail(errc::invalid_argument, "per_minute is 0"));
            return to_py(on_store(s, [&](store& t) { return t.allow(all); }));
          },
          py::arg("requests"), "Counts mail that is to leave under limits. For each request: how many may.")
      .def(
          "next_due", [](native_store& s) { return to_py(on_store(s, [](store& t) { return t.next_due(); })); },
          "When the next message will be due or a lease will run out; None where the outbox is empty.")
      .def(
          "outbox",
          [](native_store& s, py::object now) {
            const auto at = from_py<sys_seconds>(now, "now");
            return to_py(on_store(s, [&](store& t) { return t.outbox(at); }));
          },
          py::arg("now"), "How the outbox stands, all tenants together.")
      .def(
          "messages",
          [](native_store& s, py::object q) {
            const auto query = from_py<message_query>(q, "query");
            return to_py(on_store(s, [&](store& t) { return t.messages(query); }));
          },
          py::arg("query"), "Messages of a tenant, by key.")
      .def(
          "read_audit",
          [](native_store& s, py::object tenant, py::object applicant_id, py::object after, py::object limit) {
            const auto of = from_py<std::string_view>(tenant, "tenant");
            const auto who = from_py<std::string_view>(applicant_id, "applicant_id");
            const auto from = from_py<std::uint64_t>(after, "after");
            const auto most = from_py<std::size_t>(limit, "limit");
            return to_py(on_store(s, [&](store& t) { return t.read_audit(of, who, from, most); }));
          },
          py::arg("tenant"), py::arg("applicant_id"), py::arg("after"), py::arg("limit"),
          "Entries of a record's audit after `after`, in order, with their notes.")
      .def(
          "audit_heads",
          [](native_store& s, py::object tenant, py::object after, py::object limit) {
            const auto of = from_py<std::string_view>(tenant, "tenant");
            const auto from = from_py<std::string_view>(after, "after");
            const auto most = from_py<std::size_t>(limit, "limit");
            return to_py(on_store(s, [&](store& t) { return t.audit_heads(of, from, most); }));
          },
          py::arg("tenant"), py::arg("after"), py::arg("limit"),
          "Heads of a tenant's records after `after`, by applicant id, byte by byte.")
      .def(
          "policies",
          [](native_store& s, py::object q) {
            const auto query = from_py<policy_query>(q, "query");
            return to_py(on_store(s, [&](store& t) { return t.policies(query); }));
          },
          py::arg("query"), "Policies of a tenant or of one of its tracks, the last place first.")
      .def(
          "prune",
          [](native_store& s, py::object now, py::object limit) {
            const auto at = from_py<sys_seconds>(now, "now");
            const auto most = from_py<std::size_t>(limit, "limit");
            return on_store(s, [&](store& t) { return t.prune(at, most); });
          },
          py::arg("now"), py::arg("limit"), "Deletes stored answers that have expired; at most `limit`. Says how many.")
      .def(
          "close", [](native_store& s) { close_and_wait(s); },
          "Lets go of the store. Calls at work end first, later ones are refused; engines over it go on until they are "
          "closed too.")
      .def_property_readonly(
          "closed", [](const native_store& s) { return s.gate->closed(); }, "Whether `close` was called.")
      .def(
          "__enter__", [](py::object self) { return self; }, "The store itself; the block's end closes it.")
      .def("__exit__", [](native_store& s, const py::args&) { close_and_wait(s); }, "Closes the store.");

  m.def("open_memory_store",
        [] { return native_store{std::shared_ptr<store>(open_memory_store().release(), careful_delete{})}; });
  m.def(
      "open_sqlite_store",
      [](py::object path, bool normal, py::object busy_timeout, py::object readers, py::object checkpoint_bytes,
         py::object cache_kib, py::object warn) {
        const auto options =
            sqlite_options_from(normal, busy_timeout, readers, checkpoint_bytes, cache_kib, std::move(warn));
        const auto file = from_py<std::string>(path, "path");
        call frame;
        auto opened = frame.unwrap(call::without_gil([&] { return open_sqlite_store(file, options); }));
        return native_store{std::shared_ptr<store>(opened.release(), careful_delete{})};
      },
      py::arg("path"), py::arg("normal"), py::arg("busy_timeout"), py::arg("readers"), py::arg("checkpoint_bytes"),
      py::arg("cache_kib"), py::arg("warn"));
  m.def(
      "open_postgres_store",
      [](py::object url, py::object schema, py::object connections, py::object connect_timeout, py::object call_timeout,
         bool prepared_statements, bool create_tables, bool database_clock, bool row_security, bool announces_mail,
         py::object announce_every) {
        postgres_options options;
        options.schema = from_py<std::string>(schema, "schema");
        options.connections = from_py<std::size_t>(connections, "connections");
        options.connect_timeout = from_py<std::chrono::milliseconds>(connect_timeout, "connect_timeout");
        options.call_timeout = from_py<std::chrono::milliseconds>(call_timeout, "call_timeout");
        options.prepared_statements = prepared_statements;
        options.create_tables = create_tables;
        options.clock = database_clock ? postgres_clock::database : postgres_clock::caller;
        options.row_security = row_security;
        options.announces_mail = announces_mail;
        options.announce_every = from_py<std::chrono::milliseconds>(announce_every, "announce_every");
        const auto where = from_py<std::string>(url, "url");
        call frame;
        auto opened = frame.unwrap(call::without_gil([&] { return open_postgres_store(where, options); }));
        return native_store{std::shared_ptr<store>(opened.release(), careful_delete{})};
      },
      py::arg("url"), py::arg("schema"), py::arg("connections"), py::arg("connect_timeout"), py::arg("call_timeout"),
      py::arg("prepared_statements"), py::arg("create_tables"), py::arg("database_clock"), py::arg("row_security"),
      py::arg("announces_mail"), py::arg("announce_every"));
}

}  // namespace hirenow::python
