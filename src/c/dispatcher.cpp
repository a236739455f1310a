/// Templates, mailers and the dispatcher, for C.

#include "hirenow/dispatcher.hpp"

#include "handles.hpp"
#include "hirenow/adapters/smtp.hpp"
#include "rows.hpp"

namespace hirenow::c {

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

/// A mailer that reads a clock of the host's. The mailer goes first.
struct mailer_and_clock {
  std::shared_ptr<const hirenow::clock> time{};
  std::unique_ptr<mailer> base{};
};

/// What the host's callbacks were given, and how it is given back. In the child of a fork it is the parent's.
struct host_context : of_this_process {
  void* ctx = nullptr;
  void (*destroy)(void* ctx) = nullptr;
  host_context() = default;
  host_context(const host_context&) = delete;
  host_context& operator=(const host_context&) = delete;
  ~host_context() {
    if (destroy && !is_forked()) destroy(ctx);
  }
};

struct dispatcher_state {
  host_context context{};  // goes last
  std::shared_ptr<engine_state> engine{};
  std::shared_ptr<mailer> base{};
  std::unique_ptr<marked_mailer> marked{};
  std::optional<dispatcher> core{};
  std::stop_source stop{};
  std::atomic<bool> running{false};
};

}  // namespace hirenow::c

struct hirenow_dispatcher : hirenow::c::of_this_process {
  std::shared_ptr<hirenow::c::dispatcher_state> state{};
};

namespace {

using namespace hirenow;
using namespace hirenow::c;

/// Drops a character that a cut has left incomplete at the end.
void drop_half_a_character(std::string& text) {
  std::size_t first = text.size();
  while (first > 0 && (static_cast<unsigned char>(text[first - 1]) & 0xc0) == 0x80) --first;
  if (first == 0) return;
  const auto lead = static_cast<unsigned char>(text[first - 1]);
  const std::size_t whole = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() - (first - 1) < whole) text.resize(first - 1);
}

/// Asks for a title as one asks snprintf(): again, with room, where it was longer than the first place.
std::string title_of(const hirenow_dispatcher_options& o, std::string_view tenant, std::string_view track,
                     std::string_view locale) {
  constexpr std::size_t longest = 16 * 1024;
  const std::string of_tenant(tenant), of_track(track), of_locale(locale);
  std::string title(256, '\0');
  const auto ask = [&] {
    return o.track_title(o.ctx, of_tenant.c_str(), of_track.c_str(), of_locale.c_str(), title.data(), title.size());
  };
  std::size_t length = ask();
  if (length >= title.size()) {
    title.assign(std::min(length, longest) + 1, '\0');
    length = ask();
  }
  const bool is_cut = length >= title.size();
  title.resize(std::min(std::strlen(title.c_str()), title.size() - 1));
  if (is_cut) drop_half_a_character(title);
  return title;
}

void tell(const hirenow_dispatcher_options& o, const dispatch_event& e) {
  const std::string outcome(e.outcome);
  const hirenow_dispatch_event told{
      sizeof told,      e.tenant.c_str(),    e.applicant_id.c_str(), key_of(e.key), static_cast<int32_t>(e.state),
      e.answer.c_str(), instant(e.next_try), outcome.c_str()};
  o.on_event(o.ctx, &told);
}

/// Asks the host's renderer. The view borrows for the call.
result<rendered_message> render_by(const hirenow_dispatcher_options& o, message_kind kind, std::string_view locale,
                                   const message_view& v) {
  const std::string of_locale(locale);
  const hirenow_message_view view{
      sizeof view,           v.applicant_name.c_str(), v.time_zone.c_str(), v.company_name.c_str(), v.track.c_str(),
      v.track_title.c_str(), v.link.c_str(),           v.attempt,           instant(v.opens_at),    instant(v.start_by),
      instant(v.deadline),   v.time_limit.count(),     instant(v.ends_by)};
  rendered_message texts;
  hirenow_reply reply;
  reply.texts = &texts;
  const auto status = o.render(o.ctx, static_cast<int32_t>(kind), of_locale.c_str(), &view, &reply);
  if (status != HIRENOW_OK || reply.failed) return reply.error_for(status);
  return texts;
}

message_view read_view(const hirenow_message_view* given) {
  const auto v = read(given, "view");
  const auto maybe = [](std::int64_t n, const char* what) {
    return n == 0 ? std::nullopt : at_or_none(n, what, HIRENOW_NONE);
  };
  return {.applicant_name = string(v.applicant_name),
          .time_zone = string(v.time_zone),
          .company_name = string(v.company_name),
          .track = string(v.track),
          .track_title = string(v.track_title),
          .link = string(v.link),
          .attempt = v.attempt == 0 ? 1 : v.attempt,
          .opens_at = maybe(v.opens_at, "opens_at"),
          .start_by = at(v.start_by, "start_by"),
          .deadline = maybe(v.deadline, "deadline"),
          .time_limit = seconds{v.time_limit_seconds},
          .ends_by = maybe(v.ends_by, "ends_by")};
}

outgoing_mail read_mail(const hirenow_mail* given) {
  const auto m = read(given, "mail");
  return {string(m.message_id), string(m.from_address), string(m.from_name), string(m.to_address), string(m.to_name),
          string(m.subject),    string(m.text),         string(m.html),      string(m.language)};
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
  out.most_per_minute = o.most_per_minute;
  out.most_per_minute_of_tenant = o.most_per_minute_of_tenant;
  if (o.track_title)
    out.track_title = [o, &callbacks](std::string_view tenant, std::string_view track, std::string_view locale) {
      const callback_threads::visit inside(callbacks);
      return title_of(o, tenant, track, locale);
    };
  if (o.render)
    out.renderer = [o, &callbacks](message_kind kind, std::string_view locale, const message_view& view) {
      const callback_threads::visit inside(callbacks);
      return render_by(o, kind, locale, view);
    };
  if (o.on_event)
    out.on_event = [o, &callbacks](const dispatch_event& e) {
      const callback_threads::visit inside(callbacks);
      tell(o, e);
    };
  return out;
}

dispatcher_state& state_of(hirenow_dispatcher* handle) { return *alive(handle, "dispatcher").state; }

hirenow_dispatch_report report_of(const dispatch_report& r) {
  return {sizeof(hirenow_dispatch_report),
          r.accepted,
          r.retried,
          r.dead,
          r.withdrawn,
          r.released,
          r.lost,
          r.store_errors,
          r.put_off};
}

/// The dispatcher's state, which outlives a call, whoever frees the handle. Not from inside a callback.
std::shared_ptr<dispatcher_state> enter(hirenow_dispatcher* handle) {
  auto state = (state_of(handle), handle->state);
  if (state->engine->callbacks->holds_this_thread())
    refuse("a callback of the engine calls its dispatcher", errc::reentrant_call);
  return state;
}

/// Runs the dispatcher, alone.
template <class Run>
hirenow_status run(hirenow_dispatcher* handle, hirenow_dispatch_report* report, hirenow_error** error,
                   Run&& work) noexcept {
  return guard(error, [&]() -> result<void> {
    check_place(report, "report");
    const auto state = enter(handle);
    if (state->running.exchange(true)) refuse("the dispatcher runs already", errc::reentrant_call);
    const struct ending {
      std::atomic<bool>& running;
      ~ending() { running = false; }
    } at_the_end{state->running};
    const result<dispatch_report> done = work(*state);
    if (!done) return done.error();
    if (report) give(report, report_of(*done), "report");
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
  if (o.max_idle_seconds < 0) refuse("max_idle_seconds is below 0");
  if (o.max_idle_connections) out.max_idle_connections = o.max_idle_connections;
  if (o.max_idle_seconds) out.max_idle_age = seconds{o.max_idle_seconds};
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

hirenow_status hirenow_templates_render(const hirenow_templates* templates, int32_t kind, const char* locale,
                                        const hirenow_message_view* view, hirenow_rendered** out,
                                        hirenow_error** error) {
  return make(error, out, [&](hirenow_rendered& r) -> result<void> {
    auto texts =
        alive(templates, "templates")
            .value.render(one_of<message_kind>(kind, message_kind_count, "kind"), text(locale), read_view(view));
    if (!texts) return texts.error();
    return r.value = std::move(*texts), result<void>();
  });
}
hirenow_status hirenow_templates_language_of(const hirenow_templates* templates, int32_t kind, const char* locale,
                                             hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> {
    return alive(templates, "templates")
        .value.language_of(one_of<message_kind>(kind, message_kind_count, "kind"), text(locale));
  });
}
void hirenow_rendered_free(hirenow_rendered* rendered) { release(rendered); }
const char* hirenow_rendered_get_subject(const hirenow_rendered* rendered) {
  return get(rendered, nullptr, [](auto& r) { return r.value.subject.c_str(); });
}
const char* hirenow_rendered_get_text(const hirenow_rendered* rendered) {
  return get(rendered, nullptr, [](auto& r) { return r.value.text.c_str(); });
}
const char* hirenow_rendered_get_html(const hirenow_rendered* rendered) {
  return get(rendered, nullptr, [](auto& r) { return r.value.html.c_str(); });
}
const char* hirenow_rendered_get_language(const hirenow_rendered* rendered) {
  return get(rendered, nullptr, [](auto& r) { return r.value.language.c_str(); });
}
int32_t hirenow_message_carries_link(int32_t kind) {
  return kind >= 0 && static_cast<std::size_t>(kind) < message_kind_count &&
         carries_link(static_cast<message_kind>(kind));
}
hirenow_status hirenow_message_id(const hirenow_message_key* key, const char* domain, hirenow_text** out,
                                  hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> {
    need(key, "key");
    if (text(domain).empty()) refuse("a Message-ID needs a domain");
    return message_id(key_of(*key), text(domain));
  });
}

hirenow_status hirenow_mailer_open_smtp(const hirenow_smtp_options* options, hirenow_mailer** out,
                                        hirenow_error** error) {
  return make(error, out, [&](hirenow_mailer& m) -> result<void> {
    const auto clock = read(options, "options").clock;
    const auto both = std::make_shared<mailer_and_clock>();
    if (clock) both->time = alive(clock, "clock").value;
    auto told = read_smtp(options);
    told.clock = both->time.get();
    both->base = open_smtp_mailer(std::move(told)).value();
    m.value = {both, both->base.get()};
    return {};
  });
}
void hirenow_mailer_free(hirenow_mailer* mailer) { release(mailer); }
hirenow_status hirenow_mailer_send(hirenow_mailer* mailer, const hirenow_mail* mail, int32_t* outcome, int32_t* code,
                                   hirenow_text** answer, hirenow_error** error) {
  put<int32_t>(outcome, HIRENOW_DELIVERY_TEMPORARY);
  put(code, 0);
  if (answer) *answer = nullptr;
  return guard(error, [&]() -> result<void> {
    need(outcome, "the place for the outcome");
    auto& base = *alive(mailer, "mailer").value;
    const auto what = read_mail(mail);
    auto words = answer ? std::make_unique<hirenow_text>() : nullptr;
    auto said = base.send(what);
    *outcome = static_cast<int32_t>(said.outcome);
    put(code, static_cast<int32_t>(said.code));
    if (!words) return {};
    words->value = std::move(said.answer);
    return *answer = words.release(), result<void>();
  });
}
int64_t hirenow_backoff_after(uint32_t tries, double chance, int64_t first, int64_t longest) {
  dispatcher_options o;
  if (first > 0) o.first_backoff = seconds{first};
  if (longest > 0) o.longest_backoff = seconds{longest};
  return backoff_after(std::min(tries, 64U), chance >= 0 && chance < 1 ? chance : 0, o).count();
}

hirenow_status hirenow_dispatcher_new(const hirenow_engine* engine, const hirenow_mailer* mailer,
                                      const hirenow_dispatcher_options* options, hirenow_dispatcher** out,
                                      hirenow_error** error) {
  return make(error, out, [&](hirenow_dispatcher& d) -> result<void> {
    (void)hirenow::c::state_of(engine);
    d.state = std::make_shared<dispatcher_state>();
    d.state->engine = engine->state;
    d.state->base = alive(mailer, "mailer").value;
    d.state->marked = std::make_unique<marked_mailer>(*d.state->base, *engine->state->callbacks);
    const auto o = read(options, "options");
    d.state->core.emplace(*engine->state->core, *d.state->marked, read_options(o, *engine->state->callbacks));
    d.state->context.ctx = o.ctx;
    d.state->context.destroy = o.destroy;  // from here on nothing fails
    return {};
  });
}
void hirenow_dispatcher_free(hirenow_dispatcher* dispatcher) { release(dispatcher); }
hirenow_status hirenow_dispatcher_dispatch_due(hirenow_dispatcher* dispatcher, size_t limit,
                                               hirenow_dispatch_report* report, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    check_place(report, "report");
    const auto done = enter(dispatcher)->core->dispatch_due(limit == 0 ? 1000 : limit);
    if (!done) return done.error();
    if (report) give(report, report_of(*done), "report");
    return {};
  });
}
hirenow_status hirenow_dispatcher_stats(hirenow_dispatcher* dispatcher, hirenow_dispatch_report* sent,
                                        hirenow_outbox_figures* outbox, int32_t* counts, hirenow_error** error) {
  put(counts, 0);
  return guard(error, [&]() -> result<void> {
    check_place(sent, "sent");
    check_place(outbox, "outbox");
    const auto stats = enter(dispatcher)->core->stats();
    if (!stats) return stats.error();
    if (sent) give(sent, report_of(stats->sent), "sent");
    if (outbox) give(outbox, figures_of(stats->outbox.value_or(outbox_figures{})), "outbox");
    return put(counts, stats->outbox ? 1 : 0), result<void>();
  });
}
hirenow_status hirenow_dispatcher_prometheus_text(hirenow_dispatcher* dispatcher, hirenow_text** out,
                                                  hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> {
    const auto stats = enter(dispatcher)->core->stats();
    if (!stats) return stats.error();
    return prometheus_text(*stats);
  });
}
hirenow_status hirenow_dispatcher_run(hirenow_dispatcher* dispatcher, size_t workers, hirenow_dispatch_report* report,
                                      hirenow_error** error) {
  return run(dispatcher, report, error,
             [&](auto& s) -> result<dispatch_report> { return s.core->run(workers, s.stop.get_token()); });
}
hirenow_status hirenow_dispatcher_stop(hirenow_dispatcher* dispatcher, hirenow_error** error) {
  return guard(error, [&]() -> result<void> { return state_of(dispatcher).stop.request_stop(), result<void>(); });
}
hirenow_status hirenow_dispatcher_wake(hirenow_dispatcher* dispatcher, hirenow_error** error) {
  return guard(error, [&]() -> result<void> { return state_of(dispatcher).core->wake(), result<void>(); });
}

}  // extern "C"
