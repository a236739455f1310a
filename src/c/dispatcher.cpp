/// Templates, mailers and the dispatcher, for C.

#include "hirenow/dispatcher.hpp"

#include "handles.hpp"
#include "hirenow/adapters/smtp.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::c;

/// A mailer whose calls are known as the engine's callbacks.
class marked_mailer final : public mailer {
 public:
  marked_mailer(mailer& base, callback_threads& callbacks) : base_(base), callbacks_(callbacks) {}
  delivery send(const outgoing_mail& mail) override {
    const callback_threads::visit inside(callbacks_);
    return base_.send(mail);
  }

 private:
  mailer& base_;
  callback_threads& callbacks_;
};

struct dispatcher_state {
  std::shared_ptr<engine_state> engine{};
  std::shared_ptr<mailer> base{};
  std::unique_ptr<marked_mailer> marked{};
  std::optional<dispatcher> core{};
  std::stop_source stop{};
  std::atomic<bool> running{false};
};

}  // namespace

struct hirenow_dispatcher : of_this_process {
  std::shared_ptr<dispatcher_state> state{};
};

namespace {

std::string title_of(const hirenow_dispatcher_options& o, std::string_view tenant, std::string_view track) {
  std::string title(256, '\0');
  const std::string of_tenant(tenant), of_track(track);
  const std::size_t length =
      std::min<std::size_t>(o.track_title(o.ctx, of_tenant.c_str(), of_track.c_str(), title.data(), title.size()), 255);
  title.resize(length);
  return title;
}

void tell(const hirenow_dispatcher_options& o, const dispatch_event& e) {
  const hirenow_dispatch_event told{
      sizeof told,      e.tenant.c_str(),   e.applicant_id.c_str(), key_of(e.key), static_cast<int32_t>(e.state),
      e.answer.c_str(), instant(e.next_try)};
  o.on_event(o.ctx, &told);
}

dispatcher_options read_options(const hirenow_dispatcher_options& o, callback_threads& callbacks) {
  dispatcher_options out{.sender = {string(o.sender_address), string(o.sender_name)}};
  for (const auto& s : list(o.senders, o.sender_count, 1'000'000, "senders"))
    out.senders[string(s.tenant)] = {string(s.address), string(s.name)};
  if (o.templates) out.templates = o.templates->value;
  if (o.most_tries) out.most_tries = o.most_tries;
  if (o.poll_milliseconds) out.poll_every = std::chrono::milliseconds{o.poll_milliseconds};
  if (o.first_backoff_seconds) out.first_backoff = seconds{o.first_backoff_seconds};
  if (o.longest_backoff_seconds) out.longest_backoff = seconds{o.longest_backoff_seconds};
  if (o.lease_seconds) out.lease = seconds{o.lease_seconds};
  if (o.renew_seconds) out.renew_every = seconds{o.renew_seconds};
  if (o.track_title)
    out.track_title = [o, &callbacks](std::string_view tenant, std::string_view track) {
      const callback_threads::visit inside(callbacks);
      return title_of(o, tenant, track);
    };
  if (o.on_event)
    out.on_event = [o, &callbacks](const dispatch_event& e) {
      const callback_threads::visit inside(callbacks);
      tell(o, e);
    };
  return out;
}

dispatcher_state& state_of(hirenow_dispatcher* handle) { return *alive(handle, "dispatcher").state; }

/// Runs the dispatcher, alone.
template <class Run>
hirenow_status run(hirenow_dispatcher* handle, hirenow_dispatch_report* report, hirenow_error** error,
                   Run&& work) noexcept {
  return guard(error, [&]() -> result<void> {
    check_place(report, "report");
    const auto state = (state_of(handle), handle->state);  // outlives the run, whoever frees the handle
    if (state->engine->callbacks.holds_this_thread() || state->running.exchange(true))
      refuse("the dispatcher runs already", errc::reentrant_call);
    const struct ending {
      std::atomic<bool>& running;
      ~ending() { running = false; }
    } at_the_end{state->running};
    const result<dispatch_report> done = work(*state);
    if (!done) return done.error();
    if (report)
      *report = {sizeof *report,  done->accepted, done->retried, done->dead,
                 done->withdrawn, done->released, done->lost,    done->store_errors};
    return {};
  });
}

smtp_options read_smtp(const hirenow_smtp_options* given) {
  const auto o = read(given, "options");
  if (o.port < 0 || o.port > 65535) refuse("port is none");
  smtp_options out{.host = string(o.host),
                   .security = one_of<smtp_security>(o.security, 3, "security"),
                   .ca_file = string(o.ca_file),
                   .username = string(o.username),
                   .password = string(o.password),
                   .helo_name = string(o.helo_name)};
  if (o.port) out.port = static_cast<std::uint16_t>(o.port);
  const auto put_limit = [](std::chrono::milliseconds& to, std::int64_t n) {
    if (n != 0) to = std::chrono::milliseconds{n};
  };
  put_limit(out.connect_timeout, o.connect_timeout_milliseconds);
  put_limit(out.response_timeout, o.response_timeout_milliseconds);
  put_limit(out.final_answer_timeout, o.final_answer_timeout_milliseconds);
  return out;
}

}  // namespace

extern "C" {

hirenow_status hirenow_templates_new(hirenow_templates** out, hirenow_error** error) {
  return make(error, out, [](hirenow_templates&) { return result<void>(); });
}
void hirenow_templates_free(hirenow_templates* templates) { release(templates); }
hirenow_status hirenow_templates_set(hirenow_templates* templates, int32_t kind, const char* locale,
                                     const char* subject, const char* source, const char* html, hirenow_error** error) {
  return guard(error, [&] {
    return alive(templates, "templates")
        .value.set(one_of<message_kind>(kind, message_kind_count, "kind"), text(locale),
                   {string(subject), string(source), string(html)});
  });
}

hirenow_status hirenow_mailer_open_smtp(const hirenow_smtp_options* options, hirenow_mailer** out,
                                        hirenow_error** error) {
  return make(error, out, [&](hirenow_mailer& m) -> result<void> {
    return m.value = open_smtp_mailer(read_smtp(options)).value(), result<void>();
  });
}
void hirenow_mailer_free(hirenow_mailer* mailer) { release(mailer); }

hirenow_status hirenow_dispatcher_new(const hirenow_engine* engine, const hirenow_mailer* mailer,
                                      const hirenow_dispatcher_options* options, hirenow_dispatcher** out,
                                      hirenow_error** error) {
  return make(error, out, [&](hirenow_dispatcher& d) -> result<void> {
    (void)hirenow::c::state_of(engine);
    d.state = std::make_shared<dispatcher_state>();
    d.state->engine = engine->state;
    d.state->base = alive(mailer, "mailer").value;
    d.state->marked = std::make_unique<marked_mailer>(*d.state->base, engine->state->callbacks);
    d.state->core.emplace(*engine->state->core, *d.state->marked,
                          read_options(read(options, "options"), engine->state->callbacks));
    return {};
  });
}
void hirenow_dispatcher_free(hirenow_dispatcher* dispatcher) { release(dispatcher); }
hirenow_status hirenow_dispatcher_run_once(hirenow_dispatcher* dispatcher, size_t limit,
                                           hirenow_dispatch_report* report, hirenow_error** error) {
  return run(dispatcher, report, error, [&](auto& s) { return s.core->run_once(limit == 0 ? 1000 : limit); });
}
hirenow_status hirenow_dispatcher_run(hirenow_dispatcher* dispatcher, size_t workers, hirenow_dispatch_report* report,
                                      hirenow_error** error) {
  return run(dispatcher, report, error,
             [&](auto& s) -> result<dispatch_report> { return s.core->run(workers, s.stop.get_token()); });
}
hirenow_status hirenow_dispatcher_stop(hirenow_dispatcher* dispatcher) {
  return guard(nullptr, [&]() -> result<void> { return state_of(dispatcher).stop.request_stop(), result<void>(); });
}
hirenow_status hirenow_dispatcher_wake(hirenow_dispatcher* dispatcher) {
  return guard(nullptr, [&]() -> result<void> { return state_of(dispatcher).core->wake(), result<void>(); });
}

}  // extern "C"
