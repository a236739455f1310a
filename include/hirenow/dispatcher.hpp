#pragma once
/// The dispatcher: empties the outbox. It keeps the promises that committed changes made, and no others.
///
/// Every message is held under a lease whose token each later write must present, so that a worker that was thought
/// dead can finish nothing. A living worker renews its lease while it waits for the mail server, as long as RFC 5321
/// §4.5.3.2.6 allows. When a message's turn comes the interview is loaded once more, unless that was done within the last
/// 10 ms: a link that has died since is not mailed. What the server said is written down in batches, none older than
/// 100 ms, and no more is sent while 32 answers a worker are not written down: that is how many mails a crash or a
/// failing store can make go out twice.
/// Threads: several dispatchers, in one process or many, may work on one store, and several threads may call one.

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include "hirenow/detail/dispatch_shift.hpp"
#include "hirenow/detail/guarded.hpp"
#include "hirenow/dispatch_stats.hpp"
#include "hirenow/dispatcher_options.hpp"
#include "hirenow/engine.hpp"
#include "hirenow/mailer.hpp"

namespace hirenow {

/// Sends the mail of one engine's store. Any number of them may work on it.
class dispatcher {
 public:
  /// Owns: borrows engine and mailer, which must outlive it. Throws `exception` where an option is unusable.
  dispatcher(hirenow::engine& engine, hirenow::mailer& mailer, dispatcher_options options)
      : desk_{engine, mailer, std::move(options)} {
    const auto need = [](const result<void>& ok) {
      if (!ok) throw exception(ok.error());
    };
    const auto need_sender = [&](const mail_sender& s) {
      need(limits::check_email(s.address));
      need(limits::check_text("sender name", s.name, limits::name));
      if (limits::has_control(s.name))
        need(detail::fail(errc::invalid_argument, "the sender's name holds a control character"));
    };
    if (!desk_.engine.options().permissions[static_cast<std::size_t>(use_case::dispatch)].system)
      need(detail::fail(errc::permission_denied, "the permission table does not let the engine dispatch"));
    need_sender(desk_.options.sender);
    for (const auto& [tenant, sender] : desk_.options.senders) need_sender(sender);
    need(limits::check_span("lease", desk_.options.lease, seconds{1}));
    need(limits::check_span("renew_every", desk_.options.renew_every, seconds{1}));
    need(limits::check_span("first_backoff", desk_.options.first_backoff, seconds{1}));
    need(limits::check_span("longest_backoff", desk_.options.longest_backoff, seconds{1}));
    if (desk_.options.renew_every >= desk_.options.lease || desk_.options.most_tries == 0 ||
        desk_.options.poll_every.count() < 1)
      need(detail::fail(errc::invalid_argument,
                        "a lease is renewed before it ends, a message tried once at least, and a poll takes time"));
  }

  /// Sends what is due now, at most `limit` messages, and returns when all of it is settled. A plain call for a host
  /// that has workers of its own: a task of Celery's, a cron job, a thread. Calls that overlap, here or in another
  /// process, share the work and double nothing. What a limit of the rate does not let go now is left. Where a stop is
  /// asked for meanwhile, it finishes what is being sent and gives the rest back.
  /// Errors: invalid_argument, and the store's where it could not be asked at all.
  result<dispatch_report> dispatch_due(std::size_t limit = 1000, std::stop_token stop = {}) {
    if (limit == 0) return detail::fail(errc::invalid_argument, "a run of nothing");
    detail::shift s{desk_, 1, limit, true, std::move(stop)};
    s.work();
    if (const auto failure = s.failure()) return *failure;
    return s.report();
  }

  /// How this dispatcher fares and how the outbox stands, while it runs too. See `prometheus_text`.
  /// Errors: the store's.
  result<dispatch_stats> stats() {
    const sys_seconds now = desk_.engine.now();
    auto outbox = detail::guarded([&] { return desk_.engine.storage().outbox(now); });
    if (!outbox) return outbox.error();
    dispatch_stats out{.outbox = *outbox};
    if (out.outbox && out.outbox->oldest_due)
      out.oldest_due_age = static_cast<std::uint64_t>(std::max(now - *out.outbox->oldest_due, seconds{0}).count());
    const std::lock_guard lock(desk_.totals_mutex);
    out.sent = desk_.totals;
    return out;
  }

  /// Sends for ever with so many workers (1 to 256), until a stop is asked for; then finishes what is being sent, gives
  /// the rest back and returns. A store that fails is asked again; one in a host's transaction ends the run at once.
  dispatch_report run(std::size_t workers, std::stop_token stop) {
    detail::shift s{desk_, std::clamp<std::size_t>(workers, 1, 256), SIZE_MAX, false, std::move(stop)};
    s.work();
    return s.report();
  }

  /// Makes a running dispatcher look at once instead of at its next poll. Any thread.
  void wake() {
    desk_.woken = true;
    const std::lock_guard lock(desk_.running_mutex);
    for (detail::shift* s : desk_.running) s->look();
  }

 private:
  detail::dispatch_desk desk_;
};

}  // namespace hirenow
