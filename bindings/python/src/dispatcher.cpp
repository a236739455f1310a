// The dispatcher, mailers and message templates.

#include <chrono>
#include <condition_variable>
#include <exception>
#include <optional>
#include <stop_token>
#include <thread>

#include "binding.hpp"
#include "engine_core.hpp"
#include "hirenow/adapters/postgres.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "hirenow/dispatcher.hpp"
#include "records.hpp"

namespace hirenow::python {

HIRENOW_RECORD(message_view, "MessageView", plain("applicant_name", &t::applicant_name),
               plain("time_zone", &t::time_zone), plain("company_name", &t::company_name), plain("track", &t::track),
               plain("track_title", &t::track_title), plain("link", &t::link), plain("attempt", &t::attempt),
               plain("opens_at", &t::opens_at), plain("start_by", &t::start_by), plain("deadline", &t::deadline),
               plain("time_limit", &t::time_limit), plain("ends_by", &t::ends_by));
HIRENOW_RECORD(rendered_message, "RenderedMessage", plain("subject", &t::subject), plain("text", &t::text),
               plain("html", &t::html), plain("language", &t::language));
HIRENOW_RECORD(mail_sender, "MailSender", plain("address", &t::address), plain("name", &t::name));
HIRENOW_RECORD(dispatch_event, "DispatchEvent", plain("tenant", &t::tenant), plain("applicant_id", &t::applicant_id),
               plain("key", &t::key), plain("state", &t::state), plain("answer", &t::answer),
               plain("next_try", &t::next_try), plain("outcome", &t::outcome));
HIRENOW_RECORD(dispatch_report, "DispatchReport", plain("accepted", &t::accepted), plain("retried", &t::retried),
               plain("dead", &t::dead), plain("withdrawn", &t::withdrawn), plain("released", &t::released),
               plain("lost", &t::lost), plain("store_errors", &t::store_errors), plain("put_off", &t::put_off));
HIRENOW_RECORD(dispatch_stats, "DispatchStats", plain("sent", &t::sent), plain("outbox", &t::outbox),
               plain("oldest_due_age", &t::oldest_due_age));

void bind_dispatcher_classes(py::dict classes) {
  bind_enum(class_of_enum<smtp_security>(), classes, "SmtpSecurity", {"starttls", "implicit_tls", "plaintext"});
  const auto bind = [&]<class T>(T*) {
    bind_record(class_of_record<T>(), classes, record_of<T>::name, convert<T>::names());
  };
  bind(static_cast<message_view*>(nullptr));
  bind(static_cast<rendered_message*>(nullptr));
  bind(static_cast<mail_sender*>(nullptr));
  bind(static_cast<dispatch_event*>(nullptr));
  bind(static_cast<dispatch_report*>(nullptr));
  bind(static_cast<dispatch_stats*>(nullptr));
}

namespace {

/// Calls Python on a thread of the dispatcher's. What is raised is noted, and thrown as its text.
template <class F>
auto call_python(raised_list& list, F&& f) {
  const gil_taken gil;
  const auto give_up = [&](py::error_already_set& raised) {
    list.note(raised.value());
    throw std::runtime_error(raised.what());
  };
  try {
    return f();
  } catch (py::error_already_set& raised) {
    give_up(raised);
    throw;
  } catch (const py::builtin_exception& wrong) {
    wrong.set_error();
    py::error_already_set raised;
    give_up(raised);
    throw;
  }
}

class python_mailer final : public mailer {
 public:
  python_mailer(py::object target, std::shared_ptr<raised_list> list)
      : target_(std::move(target)), list_(std::move(list)) {}
  /// Throws what Python raised, as text: the dispatcher tries the mail again.
  delivery send(const outgoing_mail& mail) override {
    return call_python(*list_, [&] { return from_py<delivery>(target_.get().attr("send")(to_py(mail)), "send()"); });
  }

 private:
  held_object target_;
  std::shared_ptr<raised_list> list_;
};

struct native_mailer {
  static constexpr const char* name = "mailer";
  std::shared_ptr<mailer> target;
  fork_guard guard{};
  std::unique_ptr<work_gate> gate = std::make_unique<work_gate>();
  void let_go() { target.reset(); }
};

std::shared_ptr<mailer> mailer_of(py::object from, std::shared_ptr<raised_list> list) {
  if (py::isinstance<native_mailer>(from)) {
    auto& native = from.cast<native_mailer&>();
    const at_work<native_mailer> working(native);
    return native.target;
  }
  if (!py::hasattr(from, "send")) wrong_type("mailer", "a mailer (see hirenow.Mailer)", from);
  return std::shared_ptr<mailer>(new python_mailer(std::move(from), std::move(list)), careful_delete{});
}

class dispatcher_core {
 public:
  static constexpr const char* name = "dispatcher";

  dispatcher_core(std::shared_ptr<engine_core::state> engine, std::shared_ptr<mailer> m,
                  std::shared_ptr<raised_list> raised, dispatcher_options options, py::object on_error)
      : engine_(std::move(engine)),
        mailer_(std::move(m)),
        raised_(std::move(raised)),
        on_error_(std::move(on_error)),
        dispatcher_(std::in_place, *engine_->engine, *mailer_, std::move(options)) {}

  dispatch_report dispatch_due(std::size_t limit) {
    const at_work<dispatcher_core> working(*this);
    const std::shared_ptr<engine_core::state> engine = engine_;
    const at_work<engine_core::state> dispatching(*engine);
    call frame(false);
    std::stop_source stop;
    const stopped_by_close on_close(*engine_, stop);
    const auto work = [&] { return dispatcher_->dispatch_due(limit, stop.get_token()); };
    auto report = engine->joined ? call::without_gil(work) : attend(frame, stop, false, work);
    tell_of_raised(true);
    return frame.unwrap(std::move(report));
  }

  dispatch_report run(std::size_t workers) {
    const alone busy(*this);
    call frame(false);
    std::stop_source stop;
    stop_ = stop;
    const stopped_by_close on_close(*engine_, stop);
    return attend(frame, stop, true, [&] { return dispatcher_->run(workers, stop.get_token()); });
  }

  dispatch_stats stats() {
    const at_work<dispatcher_core> working(*this);
    const std::shared_ptr<engine_core::state> engine = engine_;
    const at_work<engine_core::state> reading(*engine);
    call frame(false);
    auto all = call::without_gil([&] { return dispatcher_->stats(); });
    tell_of_raised(true);
    return frame.unwrap(std::move(all));
  }

  void stop() {
    guard.check();
    ask_to_stop(stop_);
  }
  void wake() {
    const at_work<dispatcher_core> working(*this);
    const std::shared_ptr<engine_core::state> engine = engine_;
    const at_work<engine_core::state> dispatching(*engine);
    call::without_gil([&] { dispatcher_->wake(); });
  }
  /// Wakes the dispatcher from the listener's thread, which never calls Python.
  void listen(const std::string& url, const std::string& schema) {
    const at_work<dispatcher_core> working(*this);
    call frame(false);
    auto made =
        frame.unwrap(call::without_gil([&] { return listen_for_mail(url, schema, [this] { dispatcher_->wake(); }); }));
    std::unique_ptr<mail_listener, careful_delete> one(made.release());
    std::swap(listener_, one);
  }
  void close() {
    if (!guard.forked()) ask_to_stop(stop_);
    close_and_wait(*this);
  }
  bool closed() const { return gate->closed(); }
  void let_go() {
    listener_.reset();
    dispatcher_.reset();
    mailer_.reset();
    engine_.reset();
  }

  fork_guard guard{};
  std::unique_ptr<work_gate> gate = std::make_unique<work_gate>();

 private:
  /// One run at a time, of a dispatcher and an engine that are open.
  struct alone {
    explicit alone(dispatcher_core& d) : of(d), working(d), engine(d.engine_), dispatching(*engine) {
      if (std::exchange(of.running_, true))
        raise_error(detail::fail(errc::invalid_argument, "the dispatcher is running already", "running"));
    }
    ~alone() { of.running_ = false; }
    dispatcher_core& of;
    const at_work<dispatcher_core> working;
    const std::shared_ptr<engine_core::state> engine;
    const at_work<engine_core::state> dispatching;
  };

  /// Closing the engine stops the run. Made and ended without the GIL: the one who closes may be calling.
  class stopped_by_close {
   public:
    stopped_by_close(engine_core::state& engine, std::stop_source stop) {
      call::without_gil([&] { callback_.emplace(engine.ending.get_token(), asks{std::move(stop)}); });
    }
    ~stopped_by_close() {
      call::without_gil([&] { callback_.reset(); });
    }

   private:
    struct asks {
      std::stop_source stop;
      void operator()() { stop.request_stop(); }
    };
    std::optional<std::stop_callback<asks>> callback_{};
  };

  static void ask_to_stop(std::stop_source source) {
    call::without_gil([&] { source.request_stop(); });
  }

  /// Does it on a thread of its own. Signals are Python's to handle, on this one: without a look now and then Ctrl-C
  /// would wait for ever. A handler that raises asks for a stop; its exception is raised once the run has ended.
  template <class Work>
  auto attend(call& frame, const std::stop_source& stop, bool goes_on, Work work) -> decltype(work()) {
    std::optional<decltype(work())> report;
    std::exception_ptr thrown;
    bool done = false;
    std::mutex mutex;
    std::condition_variable ended;
    py::object interrupted;
    {
      std::jthread clerk([&] {
        const call::lent working_for(frame);
        try {
          report.emplace(work());
        } catch (...) {
          thrown = std::current_exception();
        }
        const std::lock_guard lock(mutex);
        done = true;
        ended.notify_all();
      });
      for (bool over = false; !over;) {
        over = call::without_gil([&] {
          std::unique_lock lock(mutex);
          return ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return done; });
        });
        try {
          if (PyErr_CheckSignals() != 0) throw py::error_already_set();
          if (goes_on) tell_of_raised(false);
        } catch (py::error_already_set& raised) {
          if (!interrupted) interrupted = raised.value();
          ask_to_stop(stop);
        }
      }
      call::without_gil([&] { clerk.join(); });
    }
    if (thrown) std::rethrow_exception(thrown);
    if (interrupted) {
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(interrupted.ptr())), interrupted.ptr());
      throw py::error_already_set();
    }
    return std::move(*report);
  }

  /// Hands what callbacks raised to `on_error`. Where there is none, raises the first in a run that is waited for, and
  /// reports it as unraisable in one that goes on. What is no `Exception`, such as KeyboardInterrupt, is always raised.
  void tell_of_raised(bool waited_for) {
    auto all = raised_->take();
    for (auto& more : engine_->raised->take()) all.push_back(std::move(more));
    for (const auto& exception : all) {
      if (PyObject_IsInstance(exception.ptr(), PyExc_Exception) == 1 && !on_error_.is_none()) {
        on_error_(exception);
        continue;
      }
      PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
      py::error_already_set raised;
      if (waited_for || PyObject_IsInstance(exception.ptr(), PyExc_Exception) != 1) throw raised;
      raised.discard_as_unraisable("a callback of hirenow.Dispatcher");
    }
  }

  std::shared_ptr<engine_core::state> engine_;
  std::shared_ptr<mailer> mailer_;
  std::shared_ptr<raised_list> raised_;
  py::object on_error_;
  std::stop_source stop_{};
  bool running_ = false;  // guarded by the GIL
  std::optional<dispatcher> dispatcher_;
  std::unique_ptr<mail_listener, careful_delete> listener_{};  // goes first
};

}  // namespace

void add_dispatcher(py::module_& m) {
  using o = py::object;
  m.def(
      "prometheus_text", [](o stats) { return to_py(prometheus_text(from_py<dispatch_stats>(stats, "stats"))); },
      py::arg("stats"));
  py::class_<message_templates>(
      m, "MessageTemplates",
      "The message templates of a host; at first the default texts. May be used in the child of a fork.")
      .def(py::init<>())
      .def(
          "set",
          [](message_templates& all, o kind, o locale, o subject, o text, o html) {
            value_of(all.set(from_py<message_kind>(kind, "kind"), from_py<std::string_view>(locale, "locale"),
                             {from_py<std::string>(subject, "subject"), from_py<std::string>(text, "text"),
                              from_py<std::string>(html, "html")}));
          },
          py::arg("kind"), py::arg("locale"), py::kw_only(), py::arg("subject"), py::arg("text"), py::arg("html") = "",
          "Adds or replaces the Mustache template of one kind in one locale.")
      .def(
          "render",
          [](const message_templates& all, o kind, o locale, o view) {
            return to_py(
                value_of(all.render(from_py<message_kind>(kind, "kind"), from_py<std::string_view>(locale, "locale"),
                                    from_py<message_view>(view, "view"))));
          },
          py::arg("kind"), py::arg("locale"), py::arg("view"),
          "Renders a message in the nearest locale that has a template.");

  py::class_<native_mailer>(m, "SmtpMailer", "Hands each mail to one mail server, over connections that are kept.")
      .def(py::init([](o host, o port, o security, o ca_file, o username, o password, o helo_name, o connect_timeout,
                       o response_timeout, o final_answer_timeout, o max_idle_connections, o max_idle_age) {
             smtp_options options;
             options.host = from_py<std::string>(host, "host");
             options.port = from_py<std::uint16_t>(port, "port");
             options.security = from_py<smtp_security>(security, "security");
             options.ca_file = path_from(ca_file, "ca_file");
             options.username = from_py<std::string>(username, "username");
             options.password = from_py<std::string>(password, "password");
             options.helo_name = from_py<std::string>(helo_name, "helo_name");
             if (!connect_timeout.is_none())
               options.connect_timeout = from_py<std::chrono::milliseconds>(connect_timeout, "connect_timeout");
             if (!response_timeout.is_none())
               options.response_timeout = from_py<std::chrono::milliseconds>(response_timeout, "response_timeout");
             if (!final_answer_timeout.is_none())
               options.final_answer_timeout =
                   from_py<std::chrono::milliseconds>(final_answer_timeout, "final_answer_timeout");
             options.max_idle_connections = from_py<std::size_t>(max_idle_connections, "max_idle_connections");
             if (!max_idle_age.is_none()) options.max_idle_age = from_py<seconds>(max_idle_age, "max_idle_age");
             auto opened = call::without_gil([&] { return open_smtp_mailer(std::move(options)); });
             return native_mailer{std::shared_ptr<mailer>(value_of(std::move(opened)).release(), careful_delete{})};
           }),
           py::arg("host"), py::arg("port") = 587, py::kw_only(), py::arg("security") = "starttls",
           py::arg("ca_file") = "", py::arg("username") = "", py::arg("password") = "", py::arg("helo_name") = "",
           py::arg("connect_timeout") = py::none(), py::arg("response_timeout") = py::none(),
           py::arg("final_answer_timeout") = py::none(), py::arg("max_idle_connections") = 8,
           py::arg("max_idle_age") = py::none())
      .def(
          "send",
          [](native_mailer& self, o mail) {
            const auto letter = from_py<outgoing_mail>(mail, "mail");
            const at_work<native_mailer> working(self);
            return to_py(call::without_gil([&] { return self.target->send(letter); }));
          },
          py::arg("mail"), "Delivers one mail and says what came of it.")
      .def(
          "close", [](native_mailer& self) { close_and_wait(self); },
          "Lets go of the connections. Mails at work end first, later ones are refused; dispatchers that use it go on "
          "until they are closed too.")
      .def_property_readonly(
          "closed", [](const native_mailer& self) { return self.gate->closed(); }, "Whether `close` was called.")
      .def(
          "__enter__", [](o self) { return self; }, "The mailer itself; the block's end closes it.")
      .def("__exit__", [](native_mailer& self, const py::args&) { close_and_wait(self); }, "Closes the mailer.");

  py::class_<dispatcher_core>(m, "DispatcherCore", "The C++ dispatcher behind `hirenow.Dispatcher`.")
      .def(py::init([](const engine_core& over, o mail, o sender, o senders, o templates, o renderer, o track_title,
                       o most_tries, o first_backoff, o longest_backoff, o lease, o renew_every, o poll_every,
                       o most_per_minute, o most_per_minute_of_tenant, o on_event, o on_error) {
        auto raised = std::make_shared<raised_list>();
        dispatcher_options options;
        options.sender = from_py<mail_sender>(sender, "sender");
        for (const auto& [tenant, own] : py::dict(senders))
          options.senders[from_py<std::string>(tenant, "senders")] = from_py<mail_sender>(own, "senders");
        if (!templates.is_none()) options.templates = templates.cast<const message_templates&>();
        if (!renderer.is_none())
          options.renderer = [raised, held = std::make_shared<held_object>(renderer)](
                                 message_kind kind, std::string_view locale,
                                 const message_view& view) -> result<rendered_message> {
            return call_python(*raised, [&] {
              return from_py<rendered_message>(held->get()(to_py(kind), to_py(locale), to_py(view)), "renderer()");
            });
          };
        if (!track_title.is_none())
          options.track_title = [raised, held = std::make_shared<held_object>(track_title)](
                                    std::string_view tenant, std::string_view track, std::string_view locale) {
            return call_python(*raised, [&] {
              return from_py<std::string>(held->get()(to_py(tenant), to_py(track), to_py(locale)), "track_title()");
            });
          };
        options.most_tries = from_py<std::uint32_t>(most_tries, "most_tries");
        options.first_backoff = from_py<seconds>(first_backoff, "first_backoff");
        options.longest_backoff = from_py<seconds>(longest_backoff, "longest_backoff");
        options.lease = from_py<seconds>(lease, "lease");
        options.renew_every = from_py<seconds>(renew_every, "renew_every");
        options.poll_every = from_py<std::chrono::milliseconds>(poll_every, "poll_every");
        options.most_per_minute = from_py<std::uint32_t>(most_per_minute, "most_per_minute");
        options.most_per_minute_of_tenant =
            from_py<std::uint32_t>(most_per_minute_of_tenant, "most_per_minute_of_tenant");
        if (!on_event.is_none())
          options.on_event = [raised, held = std::make_shared<held_object>(on_event)](const dispatch_event& e) {
            call_python(*raised, [&] { held->get()(to_py(e)); });
          };
        auto letters = mailer_of(std::move(mail), raised);
        const auto engine = over.share();
        const at_work<engine_core::state> working(*engine);
        return std::unique_ptr<dispatcher_core>(
            new dispatcher_core(engine, std::move(letters), raised, std::move(options), std::move(on_error)));
      }))
      .def("dispatch_due",
           [](dispatcher_core& d, o limit) { return to_py(d.dispatch_due(from_py<std::size_t>(limit, "limit"))); })
      .def("run", [](dispatcher_core& d, o workers) { return to_py(d.run(from_py<std::size_t>(workers, "workers"))); })
      .def("stats", [](dispatcher_core& d) { return to_py(d.stats()); })
      .def("close", &dispatcher_core::close)
      .def_property_readonly("closed", &dispatcher_core::closed)
      .def("stop", &dispatcher_core::stop)
      .def("wake", &dispatcher_core::wake)
      .def("listen", [](dispatcher_core& d, o url, o schema) {
        d.listen(from_py<std::string>(url, "url"), from_py<std::string>(schema, "schema"));
      });
}

}  // namespace hirenow::python
