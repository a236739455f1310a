#pragma once
/// The dispatcher: empties the outbox. It keeps the promises that committed changes made, and no others.
///
/// Every message is held under a lease whose token each later write must present, so that a worker that was thought
/// dead can finish nothing. A living worker renews its lease while it waits for the mail server, as long as RFC 5321
/// §4.5.3.2.6 allows. Immediately before sending, the interview is loaded once more: a link that has died since is not
/// mailed. What the server said is written down in batches, none older than 100 ms, and no more is sent while 32
/// answers a worker are not written down: that is how many mails a crash or a failing store can make go out twice.
/// Threads: several dispatchers, in one process or many, may work on one store, and several threads may call one.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hirenow/detail/guarded.hpp"
#include "hirenow/detail/step.hpp"
#include "hirenow/dispatch_stats.hpp"
#include "hirenow/engine.hpp"
#include "hirenow/mailer.hpp"
#include "hirenow/message_template.hpp"

namespace hirenow {

/// Who a tenant's mail comes from.
struct mail_sender {
  std::string address;  ///< also gives Message-IDs their domain
  std::string name{};
};

/// What became of a message, for logs and screens.
struct dispatch_event {
  std::string tenant;
  std::string applicant_id;
  message_key key{};
  message_state state = message_state::queued;  ///< accepted, withdrawn, dead; queued: it will be tried again
  std::string answer{};                         ///< the server's last words, or why it was withdrawn
  std::optional<sys_seconds> next_try{};
};

struct dispatcher_options {
  mail_sender sender;                            ///< needed
  std::map<std::string, mail_sender> senders{};  ///< by tenant, where it differs
  message_templates templates{};
  /// Renders instead of `templates`, where it is set. Called from worker threads, several at once; an error of it, or
  /// what it throws, is a temporary failure. The subject is folded to one line as that of a template is.
  std::function<result<rendered_message>(message_kind kind, std::string_view locale, const message_view& view)>
      renderer{};
  /// The track for readers. Called from worker threads, several at once; what it throws is a temporary failure.
  std::function<std::string(std::string_view tenant, std::string_view track)> track_title{};
  std::uint32_t most_tries = 10;  ///< then a message is dead
  seconds first_backoff{30};      ///< doubles with every try
  seconds longest_backoff{6 * 3600};
  seconds lease{30};  ///< a dead worker's messages are free again after this
  seconds renew_every{10};
  std::chrono::milliseconds poll_every{200};  ///< how often an idle dispatcher looks, with jitter
  /// Told of every answer once it is written down, on the thread that runs the dispatcher. Must not throw: what it
  /// throws is lost.
  std::function<void(const dispatch_event&)> on_event{};
  /// How long something took: by this leases are renewed and stores given a rest. Must never step back; called from any
  /// thread. Empty: the machine's. Waiting is done in real time, so who moves another clock calls `wake()`.
  std::function<std::chrono::steady_clock::time_point()> steady_now{};
};

/// How long to wait after so many tries: the first backoff doubled each time, up to the longest, and of that a random
/// half to whole, so that messages that failed together do not come back together; never less than a second. `chance`
/// lies in [0, 1).
inline seconds backoff_after(std::uint32_t tries, double chance, const dispatcher_options& options) {
  double span = static_cast<double>(options.first_backoff.count());
  const double most = static_cast<double>(options.longest_backoff.count());
  for (std::uint32_t n = 1; n < tries && span < most; ++n) span *= 2;
  span = std::min(span, most);
  return seconds{static_cast<seconds::rep>(std::ceil(span / 2 + span / 2 * chance))};
}

class dispatcher {
 public:
  /// Owns: borrows engine and mailer, which must outlive it. Throws `exception` where an option is unusable.
  dispatcher(hirenow::engine& engine, hirenow::mailer& mailer, dispatcher_options options)
      : engine_(engine), mailer_(mailer), options_(std::move(options)) {
    const auto need = [](const result<void>& ok) {
      if (!ok) throw exception(ok.error());
    };
    const auto need_sender = [&](const mail_sender& s) {
      need(limits::check_email(s.address));
      need(limits::check_text("sender name", s.name, limits::name));
      if (limits::has_control(s.name))
        need(detail::fail(errc::invalid_argument, "the sender's name holds a control character"));
    };
    if (!engine_.options().permissions[static_cast<std::size_t>(use_case::dispatch)].system)
      need(detail::fail(errc::permission_denied, "the permission table does not let the engine dispatch"));
    need_sender(options_.sender);
    for (const auto& [tenant, sender] : options_.senders) need_sender(sender);
    need(limits::check_span("lease", options_.lease, seconds{1}));
    need(limits::check_span("renew_every", options_.renew_every, seconds{1}));
    need(limits::check_span("first_backoff", options_.first_backoff, seconds{1}));
    need(limits::check_span("longest_backoff", options_.longest_backoff, seconds{1}));
    if (options_.renew_every >= options_.lease || options_.most_tries == 0 || options_.poll_every.count() < 1)
      need(detail::fail(errc::invalid_argument,
                        "a lease is renewed before it ends, a message tried once at least, and a poll takes time"));
  }

  /// Sends what is due now, at most `limit` messages, and returns when all of it is settled. A plain call for a host
  /// that has workers of its own: a task of Celery's, a cron job, a thread. Calls that overlap, here or in another
  /// process, share the work and double nothing. Where a stop is asked for meanwhile, it finishes what is being sent
  /// and gives the rest back.
  /// Errors: invalid_argument, and the store's where it could not be asked at all.
  /// Since: 0.1
  result<dispatch_report> dispatch_due(std::size_t limit = 1000, std::stop_token stop = {}) {
    if (limit == 0) return detail::fail(errc::invalid_argument, "a run of nothing");
    shift s{*this, 1, limit, true, std::move(stop)};
    s.work();
    if (s.first_error_ && !s.claimed_any_) return *s.first_error_;
    return s.report_;
  }

  /// How this dispatcher fares and how the outbox stands, while it runs too. See `prometheus_text`.
  /// Errors: the store's.
  /// Since: 0.1
  result<dispatch_stats> stats() {
    const sys_seconds now = engine_.now();
    auto outbox = detail::guarded([&] { return engine_.storage().outbox(now); });
    if (!outbox) return outbox.error();
    dispatch_stats out{.outbox = *outbox};
    if (out.outbox && out.outbox->oldest_due)
      out.oldest_due_age = static_cast<std::uint64_t>(std::max(now - *out.outbox->oldest_due, seconds{0}).count());
    const std::lock_guard lock(totals_mutex_);
    out.sent = totals_;
    return out;
  }

  /// Sends for ever with so many workers (1 to 256), until a stop is asked for; then finishes what is being sent, gives
  /// the rest back and returns. A store that fails is asked again.
  dispatch_report run(std::size_t workers, std::stop_token stop) {
    shift s{*this, std::clamp<std::size_t>(workers, 1, 256), SIZE_MAX, false, std::move(stop)};
    s.work();
    return s.report_;
  }

  /// Makes a running dispatcher look at once instead of at its next poll. Any thread.
  void wake() {
    woken_ = true;
    const std::lock_guard lock(running_mutex_);
    for (shift* s : running_) s->look();
  }

 private:
  using steady = std::chrono::steady_clock;
  steady::time_point steady_now() const { return options_.steady_now ? options_.steady_now() : steady::now(); }

  static constexpr std::size_t batch = 32;                        // answers a worker may have unrecorded
  static constexpr std::chrono::milliseconds oldest_answer{100};  // and how old one may be
  static constexpr std::size_t most_ahead = 1024;                 // messages a fast run may hold before it needs them
  static constexpr std::chrono::milliseconds after_failure{200};  // until a store that failed is asked again

  struct held_message {
    claimed_message message;
    lease_token token{};
    steady::time_point renewed{};
  };
  struct finding {
    settlement::verdict what = settlement::verdict::accepted;
    sys_seconds at{};
    std::string text{};
    bool store_failed = false;
  };
  struct answer {
    message_key key{};
    finding found{};
  };

  /// One run: senders check, render and send; the clerk, the thread that called, does everything with the outbox.
  struct shift {
    shift(dispatcher& d, std::size_t workers, std::size_t limit, bool until_idle, std::stop_token stop)
        : d_(d),
          workers_(workers),
          until_idle_(until_idle),
          stop_(std::move(stop)),
          found_meanwhile_(batch * workers / 4),
          ahead_(batch * workers),
          left_(limit) {}

    void work() {
      // Whatever ends the run, these go in the opposite order: the senders are told, then joined.
      std::vector<std::jthread> senders;
      const ending tell_senders{*this};
      const std::stop_callback on_stop(stop_, [this] { look(); });
      for (std::size_t n = 0; n < workers_; ++n) senders.emplace_back([this] { send_loop(); });
      clerk_loop();
    }

    /// Wakes the clerk.
    void look() {
      const std::lock_guard lock(mutex_);
      clerk_wakes_.notify_one();
    }

    struct ending {
      explicit ending(shift& of) : s(of) {
        const std::lock_guard lock(s.d_.running_mutex_);
        s.d_.running_.push_back(&s);
      }
      ~ending() {
        {
          const std::lock_guard lock(s.d_.running_mutex_);
          std::erase(s.d_.running_, &s);
        }
        const std::lock_guard lock(s.mutex_);
        s.over_ = true;
        s.work_arrives_.notify_all();
      }
      shift& s;
    };

    // The clerk. Only he adds to `held_` or takes from it, so what he reads there needs no lock.

    void clerk_loop() {
      std::unique_lock lock(mutex_);
      for (;;) {
        if (d_.woken_.exchange(false)) next_look_ = {};
        if (stop_.stop_requested()) give_back();
        if (held_.empty() && (stop_.stop_requested() || (until_idle_ && left_ == 0))) return;
        // Each that is due has its turn before any has a second: a renewal that fails must not put off the rest.
        const auto now = d_.steady_now();
        const auto renewal = next_renewal(now), settling = next_settling(), claiming = next_claim();
        if (renewal <= now) renew(lock);
        if (settling <= now) settle(lock);
        if (claiming <= now) claim(lock);
        const auto next = std::min({renewal, settling, claiming, now + std::chrono::hours(1)});
        if (next > now) clerk_wakes_.wait_for(lock, next - now);
      }
    }

    /// Looked up among all that is held only when the instant that was found last has come.
    steady::time_point next_renewal(steady::time_point now) {
      if (held_.empty()) return steady::time_point::max();
      if (renewal_ <= now) {
        auto oldest = steady::time_point::max();
        for (const auto& [key, h] : held_) oldest = std::min(oldest, h.renewed);
        renewal_ = oldest + d_.options_.renew_every;
      }
      return std::max(renewal_, store_rests_until_);
    }
    steady::time_point next_settling() const {
      if (answers_.empty()) return steady::time_point::max();
      const bool at_once = answers_.size() >= settle_when() || answers_.size() == held_.size();
      return std::max(at_once ? oldest_ : oldest_ + oldest_answer, store_rests_until_);
    }
    steady::time_point next_claim() const {
      if (left_ == 0 || stop_.stop_requested() || queue_.size() > claim_when()) return steady::time_point::max();
      return next_look_;
    }
    /// As late as the senders need not wait: what is still allowed then is twice of what they found while the last
    /// answers were written down, and never more than three quarters.
    std::size_t settle_when() const {
      const std::size_t most = batch * workers_;
      return most - std::clamp<std::size_t>(2 * found_meanwhile_, 1, most * 3 / 4);
    }
    std::size_t claim_when() const { return ahead_ / 2; }

    /// Asks the outbox for more.
    void claim(std::unique_lock<std::mutex>& lock) {
      hirenow::store& store = d_.engine_.storage();
      const auto asked = d_.steady_now();
      claim_request wanted{d_.engine_.now(), d_.options_.lease, std::min(ahead_ - queue_.size(), left_), {}};
      random_bytes(wanted.token);
      lock.unlock();
      // Looking is a read; claiming is a commit, so an empty outbox is not claimed from.
      const auto next = detail::guarded([&] { return store.next_due(); });
      result<std::vector<claimed_message>> claimed{};
      if (next && *next && **next <= wanted.now) {
        HIRENOW_STEP("dispatcher: before claim");
        claimed = detail::guarded([&] { return store.claim(wanted); });
        HIRENOW_STEP("dispatcher: after claim");
      }
      lock.lock();
      if (!next) failed(next.error());
      if (!claimed) failed(claimed.error());
      const bool nothing = !claimed || claimed->empty();
      // Half to one and a half of the interval: dispatchers that started together do not stay together.
      next_look_ = nothing ? d_.steady_now() +
                                 std::chrono::duration_cast<steady::duration>(d_.options_.poll_every * (0.5 + chance()))
                           : steady::time_point{};
      if (nothing && until_idle_) left_ = 0;
      if (nothing) return;
      claimed_any_ = true;
      // A claim is a commit, and commits are dear: a run that is soon through with what it claimed claims more at a
      // time. One that is slow holds little, so that others may have it.
      if (asked - last_claim_ > std::chrono::seconds(1))
        ahead_ = batch * workers_;
      else if (asked - last_claim_ < std::chrono::milliseconds(250) && claimed->size() == wanted.limit)
        ahead_ = std::max(ahead_, std::min(2 * ahead_, most_ahead));
      last_claim_ = asked;
      left_ -= std::min(left_, claimed->size());
      for (auto& m : *claimed) {
        const message_key key = m.mail.key;
        const auto [at, added] = held_.try_emplace(key, held_message{std::move(m), wanted.token, asked});
        if (added) {
          queue_.push_back(&at->second);
        } else {
          // A lease of our own ran out, because the clock was moved or this process stood still. What is under way goes
          // on, under the new lease.
          at->second.token = wanted.token;
          at->second.renewed = asked;
        }
      }
      work_arrives_.notify_all();
    }

    /// What waits untried goes back to the outbox.
    void give_back() {
      const sys_seconds now = d_.engine_.now();
      for (const held_message* h : queue_) add({h->message.mail.key, {settlement::verdict::release, now, {}}});
      queue_.clear();
    }

    void add(answer a) {
      if (answers_.empty()) oldest_ = d_.steady_now();
      answers_.push_back(std::move(a));
    }

    static settlement settlement_of(const held_message& h, settlement::verdict what, sys_seconds at,
                                    std::string_view text = {}) {
      return {h.message.mail.key, h.message.tenant, h.token, what, at, text};
    }

    /// Lengthens leases. A message whose lease was lost is dropped, unless a sender has it: then settling will tell.
    void renew(std::unique_lock<std::mutex>& lock) {
      const sys_seconds until = d_.engine_.now() + d_.options_.lease;
      const auto asked = d_.steady_now();
      std::vector<settlement> all;
      std::vector<held_message*> of;
      for (auto& [key, h] : held_)
        if (h.renewed + d_.options_.renew_every <= asked) {
          all.push_back(settlement_of(h, settlement::verdict::renew, until));
          of.push_back(&h);
        }
      lock.unlock();
      const auto ours = detail::guarded([&] { return d_.engine_.storage().settle(all); });
      lock.lock();
      if (!ours) return failed(ours.error());
      for (std::size_t n = 0; n < of.size(); ++n) {
        of[n]->renewed = asked;
        if ((*ours)[n]) continue;
        if (const auto at = std::find(queue_.begin(), queue_.end(), of[n]); at != queue_.end()) {
          queue_.erase(at);
          held_.erase(all[n].key);
          tally(&dispatch_report::lost);
        }
      }
    }

    /// Writes down what the senders found.
    void settle(std::unique_lock<std::mutex>& lock) {
      const auto answers = std::exchange(answers_, {});
      const auto oldest = oldest_;
      lock.unlock();
      std::vector<settlement> all;
      for (const auto& a : answers)
        all.push_back(settlement_of(held_.at(a.key), a.found.what, a.found.at, a.found.text));
      HIRENOW_STEP("dispatcher: before settle");
      const auto ours = detail::guarded([&] { return d_.engine_.storage().settle(all); });
      HIRENOW_STEP("dispatcher: after settle");
      if (ours)
        for (std::size_t n = 0; n < answers.size(); ++n) count(held_.at(answers[n].key), answers[n].found, (*ours)[n]);
      lock.lock();
      found_meanwhile_ = answers_.size();
      if (!ours) {
        failed(ours.error());
        // Kept, and tried again: an answer that is forgotten is a mail that goes out twice. Only a run that is to end
        // cannot wait longer than its leases last.
        const bool to_end = until_idle_ || stop_.stop_requested();
        const auto expired = d_.steady_now() - d_.options_.lease;
        for (auto& a : answers) {
          if (!to_end || held_.at(a.key).renewed > expired) {
            answers_.push_back(a);
          } else {
            held_.erase(a.key);
            tally(&dispatch_report::lost);
          }
        }
        oldest_ = oldest;
        return;
      }
      for (const auto& a : answers) held_.erase(a.key);
      work_arrives_.notify_all();
    }

    void count(const held_message& h, const finding& found, bool ours) {
      using enum settlement::verdict;
      if (found.store_failed) tally(&dispatch_report::store_errors);
      if (!ours) {
        tally(&dispatch_report::lost);
        return;
      }
      dispatch_event told{h.message.tenant, h.message.applicant_id, h.message.mail.key};
      switch (found.what) {
        case accepted:
          tally(&dispatch_report::accepted);
          told.state = message_state::accepted;
          break;
        case withdrawn:
          tally(&dispatch_report::withdrawn);
          told.state = message_state::withdrawn;
          break;
        case dead:
          tally(&dispatch_report::dead);
          told.state = message_state::dead;
          break;
        case retry:
          tally(&dispatch_report::retried);
          told.next_try = found.at;
          break;
        case renew:
        case release: tally(&dispatch_report::released); return;
      }
      if (!d_.options_.on_event) return;
      told.answer = found.text;
      try {
        d_.options_.on_event(told);
      } catch (...) {
        // The mail is sent and written down; a listener's fault undoes neither.
      }
    }

    /// Counts one, for this run and for the dispatcher.
    void tally(std::size_t dispatch_report::* what) {
      ++(report_.*what);
      const std::lock_guard lock(d_.totals_mutex_);
      ++(d_.totals_.*what);
    }

    void failed(const error& e) {
      tally(&dispatch_report::store_errors);
      if (!first_error_) first_error_ = e;
      store_rests_until_ = d_.steady_now() + after_failure;
    }

    // The senders.

    void send_loop() {
      std::unique_lock lock(mutex_);
      for (;;) {
        work_arrives_.wait(lock, [&] { return over_ || may_send(); });
        if (over_) return;
        // The clerk renews leases under the mutex, so the sender looks at a copy; the message itself stays as it is.
        const held_message* held = queue_.front();
        const lease_token token = held->token;
        const auto renewed = held->renewed;
        queue_.pop_front();
        if (queue_.size() == claim_when()) clerk_wakes_.notify_one();
        lock.unlock();
        auto found = d_.handle(held->message, token, renewed);
        lock.lock();
        add({held->message.mail.key, std::move(found)});
        // Otherwise he has set his alarm already.
        if (answers_.size() == 1 || answers_.size() == settle_when() || answers_.size() == held_.size())
          clerk_wakes_.notify_one();
      }
    }
    /// Of what is held, all that does not wait in the queue is being sent or not written down yet.
    bool may_send() const {
      return !queue_.empty() && !stop_.stop_requested() && held_.size() - queue_.size() < batch * workers_;
    }

    dispatcher& d_;
    const std::size_t workers_;
    const bool until_idle_;
    const std::stop_token stop_;
    std::mutex mutex_{};
    std::condition_variable clerk_wakes_{};
    std::condition_variable work_arrives_{};
    std::map<message_key, held_message> held_{};  // claimed and not yet settled
    std::deque<const held_message*> queue_{};     // of these: not yet taken by a sender
    std::vector<answer> answers_{};               // of these: found, not yet written down
    steady::time_point oldest_{};                 // of the answers
    steady::time_point next_look_{};              // when the outbox is asked again
    steady::time_point store_rests_until_{};
    steady::time_point last_claim_{};
    steady::time_point renewal_{};  // no lease is to be renewed before
    std::size_t found_meanwhile_;   // answers that came while others were written down
    std::size_t ahead_;             // how many messages may wait in the queue
    std::size_t left_;
    bool over_ = false;
    // The clerk's alone.
    bool claimed_any_ = false;
    dispatch_report report_{};
    std::optional<error> first_error_{};
  };

  static double chance() {
    std::array<std::uint8_t, 4> bytes{};
    random_bytes(bytes);
    std::uint32_t n = 0;
    for (const auto b : bytes) n = n << 8 | b;
    return static_cast<double>(n) / 4294967296.0;
  }

  /// Why this message must not be sent any more; empty where it may.
  static std::string senseless(const message& m, const applicant_record& record, const interview* i, sys_seconds now) {
    if (record.erased || !i) return "the person was erased";
    const auto is = [&](interview_state s) { return i->state == s; };
    const std::string now_in = "the interview is " + std::string(to_string(i->state));
    switch (m.key.kind) {
      case message_kind::decision_passed: return is(interview_state::passed) ? "" : now_in;
      case message_kind::decision_failed: return is(interview_state::failed) ? "" : now_in;
      case message_kind::decision_on_hold: return is(interview_state::on_hold) ? "" : now_in;
      case message_kind::cancelled: return is(interview_state::cancelled) ? "" : now_in;
      case message_kind::reminder:
        if (!is(interview_state::scheduled)) return now_in;
        break;
      case message_kind::invitation:
      case message_kind::retake_invitation:
      case message_kind::reissued_link: break;
    }
    if (!is_active(i->state)) return now_in;
    if (m.generation != i->link.generation) return "a newer link was sent";
    const auto limit = i->deadline && is(interview_state::in_progress) ? *i->deadline : i->start_by;
    return now >= limit ? "the link has expired" : "";
  }

  /// Checks, renders and sends one message. Nothing that is thrown gets through.
  finding handle(const claimed_message& c, const lease_token& token, steady::time_point renewed) {
    using enum settlement::verdict;
    const auto now = [&] { return engine_.now(); };
    const auto again = [&](std::string text) {
      const std::uint32_t tries = c.mail.tries + 1;
      if (tries >= options_.most_tries) return finding{dead, now(), std::move(text)};
      return finding{retry, now() + backoff_after(tries, chance(), options_), std::move(text)};
    };
    // Untried: what the store does is no fault of the message.
    const auto give_back = [&](bool store_failed) {
      return finding{release, now() + backoff_after(1, chance(), options_), {}, store_failed};
    };
    if (!is_known(c.mail.key.kind)) return give_back(false);  // a store's that does not leave them to newer nodes
    // A worker that stood still past its lease may have been replaced: it asks before it goes on.
    if (steady_now() - renewed > options_.renew_every) {
      const settlement renewal{c.mail.key, c.tenant, token, renew, now() + options_.lease, {}};
      const auto ours = detail::guarded([&] { return engine_.storage().settle({&renewal, 1}); });
      if (!ours || !ours->front()) return give_back(!ours);
    }
    auto data = detail::guarded([&] {
      return engine_.storage().load(
          {.tenant = c.tenant, .who = c.mail.key.interview, .with_rules = false, .with_others = false});
    });
    if (!data) return give_back(true);
    detail::draft d(std::move(data->record), now());
    if (const auto ok = d.apply_clock(); !ok) return again(ok.error().message);
    const interview* i = find_interview(d.record(), c.mail.key.interview);
    if (auto why = senseless(c.mail, d.record(), i, d.now()); !why.empty()) return {withdrawn, now(), std::move(why)};

    // Temporary, even where it looks final: a template, a key ring and a link base can be put right, a letter that is
    // declared dead at once has to be looked for.
    const auto mail = detail::guarded([&] { return render(c, d.record(), *i); });
    if (!mail) return again("cannot be rendered: " + mail.error().message);
    HIRENOW_STEP("dispatcher: before send");
    auto said = detail::guarded([&]() -> result<delivery> { return mailer_.send(*mail); });
    HIRENOW_STEP("dispatcher: after send");
    if (!said) return again("the mailer threw: " + said.error().message);
    std::string text = storable(std::move(said->answer));
    switch (said->outcome) {
      case delivery_outcome::accepted: return {accepted, now(), std::move(text)};
      case delivery_outcome::permanent: return {dead, now(), std::move(text)};
      case delivery_outcome::temporary:
      case delivery_outcome::ambiguous: break;
    }
    return again(std::move(text));
  }

  /// A server's words, or an adapter's, as a store may rely on them: UTF-8 without NUL.
  static std::string storable(std::string text) {
    if (limits::is_text(text)) return text;
    for (char& c : text)
      if (c == '\0' || static_cast<unsigned char>(c) >= 0x80) c = '?';
    return text;
  }

  result<outgoing_mail> render(const claimed_message& c, const applicant_record& record, const interview& i) const {
    const auto own = options_.senders.find(c.tenant);
    const mail_sender& sender = own == options_.senders.end() ? options_.sender : own->second;
    message_view view;
    view.applicant_name = record.person.name;
    view.time_zone = record.person.time_zone;
    view.company_name = sender.name;
    view.track = i.track;
    if (options_.track_title) view.track_title = options_.track_title(c.tenant, i.track);
    view.attempt = i.attempt;
    if (i.link.not_before > i.link.issued_at) view.opens_at = i.link.not_before;
    view.start_by = i.start_by;
    view.deadline = i.deadline;
    const deadline_terms terms = deadline_breakdown(i, i.start_by);
    view.time_limit = terms.time_limit + terms.by_percent + terms.extra + terms.pause;
    if (carries_link(c.mail.key.kind)) {
      auto link = engine_.link_of(c.tenant, record.person.id, i);
      if (!link) return link.error();
      view.link = *link;
    }
    auto text = options_.renderer ? options_.renderer(c.mail.key.kind, record.person.locale, view)
                                  : options_.templates.render(c.mail.key.kind, record.person.locale, view);
    if (!text) return text.error();
    if (options_.renderer) {
      for (const std::string* part : {&text->subject, &text->text, &text->html, &text->language})
        if (!limits::is_text(*part))
          return detail::fail(errc::template_invalid, "the renderer's text is not UTF-8 without NUL");
      text->subject = detail::without_controls(text->subject);
      text->language = detail::without_controls(text->language);
    }
    outgoing_mail mail;
    mail.message_id = message_id(c.mail.key, std::string_view(sender.address).substr(sender.address.rfind('@') + 1));
    mail.from_address = sender.address;
    mail.from_name = sender.name;
    mail.to_address = record.person.email;
    mail.to_name = record.person.name;
    mail.subject = std::move(text->subject);
    mail.text = std::move(text->text);
    mail.html = std::move(text->html);
    mail.language = std::move(text->language);
    return mail;
  }

  hirenow::engine& engine_;
  hirenow::mailer& mailer_;
  dispatcher_options options_;
  std::mutex running_mutex_{};
  std::vector<shift*> running_{};
  std::mutex totals_mutex_{};
  dispatch_report totals_{};
  std::atomic<bool> woken_{false};
};

}  // namespace hirenow
