#pragma once
/// The dispatcher: empties the outbox. It keeps the promises that committed changes made, and no others.
///
/// Every message is held under a lease whose token each later write must present, so that a worker that was thought
/// dead can finish nothing. A living worker renews its lease while it waits for the mail server, as long as RFC 5321
/// §4.5.3.2.6 allows. Immediately before sending, the interview is loaded once more: a link that has died since is not
/// mailed. What the server said is written down in batches of at most 32 a worker, none older than 100 ms.
/// Threads: several dispatchers, in one process or many, may work on one store. One dispatcher runs once at a time.

#include <algorithm>
#include <atomic>
#include <chrono>
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

#include "hirenow/detail/step.hpp"
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
  mail_sender sender;                           ///< needed
  std::map<std::string, mail_sender> senders{}; ///< by tenant, where it differs
  message_templates templates{};
  std::function<std::string(std::string_view tenant, std::string_view track)> track_title{};  ///< for readers
  std::uint32_t most_tries = 10;                ///< then a message is dead
  seconds first_backoff{30};                    ///< doubles with every try
  seconds longest_backoff{6 * 3600};
  seconds lease{30};                            ///< a dead worker's messages are free again after this
  seconds renew_every{10};
  std::chrono::milliseconds poll_every{200};    ///< how often an idle dispatcher looks, with jitter
  std::function<void(const dispatch_event&)> on_event{};  ///< called from worker threads; must not throw
};

/// How a run went.
struct dispatch_report {
  std::size_t accepted = 0;
  std::size_t retried = 0;    ///< temporary or ambiguous: will be tried again
  std::size_t dead = 0;
  std::size_t withdrawn = 0;  ///< found senseless by the last check
  std::size_t released = 0;   ///< given back untried by a graceful stop
  std::size_t lost = 0;       ///< another worker had taken the lease: the fence held
  std::size_t store_errors = 0;
};

/// How long to wait after so many tries: the first backoff doubled each time, up to the longest, and of that a random
/// half to whole, so that messages that failed together do not come back together. `chance` lies in [0, 1).
inline seconds backoff_after(std::uint32_t tries, double chance, const dispatcher_options& options) {
  double span = static_cast<double>(options.first_backoff.count());
  const double most = static_cast<double>(options.longest_backoff.count());
  for (std::uint32_t n = 1; n < tries && span < most; ++n) span *= 2;
  span = std::min(span, most);
  return seconds{static_cast<seconds::rep>(span / 2 + span / 2 * chance)};
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
    need_sender(options_.sender);
    for (const auto& [tenant, sender] : options_.senders) need_sender(sender);
    need(limits::check_span("lease", options_.lease, seconds{1}));
    need(limits::check_span("renew_every", options_.renew_every, seconds{1}));
    need(limits::check_span("first_backoff", options_.first_backoff, seconds{1}));
    need(limits::check_span("longest_backoff", options_.longest_backoff, seconds{1}));
    if (options_.renew_every >= options_.lease || options_.most_tries == 0 || options_.poll_every.count() < 1)
      need(detail::fail(errc::invalid_argument, "a lease is renewed before it ends, and a message tried at least once"));
  }

  /// Sends what is due now, at most `limit` messages, and returns when all of it is settled.
  /// Errors: invalid_argument, and the store's where it could not be asked at all.
  result<dispatch_report> run_once(std::size_t limit = 1000) {
    if (limit == 0) return detail::fail(errc::invalid_argument, "a run of nothing");
    shift s{*this, 1, limit, true};
    s.work(std::stop_token());
    if (s.first_error_ && s.report_.store_errors > 0 && s.claimed_ == 0) return *s.first_error_;
    return s.report_;
  }

  /// Sends for ever with so many workers, until a stop is asked for; then finishes what is being sent, gives the rest
  /// back and returns. A store that fails is asked again.
  dispatch_report run(std::size_t workers, std::stop_token stop) {
    shift s{*this, std::clamp<std::size_t>(workers, 1, 256), SIZE_MAX, false};
    s.work(std::move(stop));
    return s.report_;
  }

  /// Makes a running dispatcher look at once instead of at its next poll. Any thread.
  void wake() {
    woken_ = true;
    const std::lock_guard lock(running_mutex_);
    if (running_) running_->look();
  }

 private:
  using steady = std::chrono::steady_clock;
  static constexpr std::size_t batch = 32;                       // answers a worker may have unrecorded
  static constexpr std::chrono::milliseconds oldest_answer{100};  // and how old one may be

  struct held_message {
    claimed_message message;
    lease_token token{};
    steady::time_point renewed{};
  };
  struct answer {
    held_message held;
    settlement::verdict what = settlement::verdict::accepted;
    sys_seconds at{};
    std::string text{};
  };

  /// One run: senders check, render and send; the clerk, the thread that called, does everything with the outbox.
  struct shift {
    shift(dispatcher& d, std::size_t workers, std::size_t limit, bool until_idle)
        : d_(d), workers_(workers), left_(limit), until_idle_(until_idle) {}

    void work(std::stop_token stop) {
      {
        const std::lock_guard lock(d_.running_mutex_);
        d_.running_ = this;
      }
      {
        const std::stop_callback on_stop(stop, [this] { look(); });
        std::vector<std::jthread> senders;
        for (std::size_t n = 0; n < workers_; ++n) senders.emplace_back([this] { send_loop(); });
        clerk_loop(stop);
        {
          const std::lock_guard lock(mutex_);
          over_ = true;
        }
        work_arrives_.notify_all();
      }
      const std::lock_guard lock(d_.running_mutex_);
      d_.running_ = nullptr;
    }

    /// Wakes the clerk.
    void look() {
      const std::lock_guard lock(mutex_);
      clerk_wakes_.notify_one();
    }

    void clerk_loop(const std::stop_token& stop) {
      bool nothing_due = false;
      for (;;) {
        std::vector<answer> answers;
        std::vector<held_message> to_renew;
        std::size_t room = 0;
        {
          std::unique_lock lock(mutex_);
          const auto idle = [&] { return queue_.empty() && sending_.empty(); };
          const auto deadline = steady::now() + pause(nothing_due);
          clerk_wakes_.wait_until(lock, deadline, [&] {
            return stop.stop_requested() || (!nothing_due && wants_claim()) || answers_.size() >= batch * workers_ ||
                   (!answers_.empty() && (idle() || steady::now() - oldest_ >= oldest_answer)) || d_.woken_.exchange(false) ||
                   (until_idle_ && idle());
          });
          if (!answers_.empty() && (idle() || answers_.size() >= batch || steady::now() - oldest_ >= oldest_answer))
            answers.swap(answers_);
          if (stop.stop_requested()) give_back(answers);
          collect_renewals(to_renew);
          if (!stop.stop_requested() && wants_claim()) room = std::min(batch * workers_ - queue_.size(), left_);
        }
        if (!answers.empty()) settle(std::move(answers));
        if (!to_renew.empty()) renew(to_renew);
        nothing_due = room > 0 && claim(room) == 0;
        const std::lock_guard lock(mutex_);
        const bool done = queue_.empty() && sending_.empty() && answers_.empty();
        if (done && (stop.stop_requested() || (until_idle_ && (nothing_due || left_ == 0)))) return;
      }
    }

    /// How long the clerk may sleep if nothing happens.
    steady::duration pause(bool nothing_due) const {
      if (!answers_.empty()) return oldest_answer;
      if (until_idle_ && queue_.empty() && sending_.empty()) return steady::duration::zero();
      if (!nothing_due) return std::chrono::milliseconds(50);
      // Half to one and a half of the interval: dispatchers that started together do not stay together.
      return std::chrono::duration_cast<steady::duration>(d_.options_.poll_every * (0.5 + chance()));
    }
    bool wants_claim() const { return left_ > 0 && queue_.size() <= batch * workers_ / 2; }

    /// Asks the outbox for more. Returns how many messages came.
    std::size_t claim(std::size_t room) {
      hirenow::store& store = d_.engine_.storage();
      const sys_seconds now = d_.engine_.time().now();
      // Looking is a read; claiming is a commit, so an empty outbox is not claimed from.
      const auto next = store.next_due();
      if (!next) return failed(next.error());
      if (!*next || **next > now) return 0;
      lease_token token{};
      random_bytes(token);
      HIRENOW_STEP("dispatcher: before claim");
      auto claimed = store.claim({now, d_.options_.lease, std::min(room, batch * workers_), token});
      HIRENOW_STEP("dispatcher: after claim");
      if (!claimed) return failed(claimed.error());
      const auto renewed = steady::now();
      {
        const std::lock_guard lock(mutex_);
        for (auto& m : *claimed) queue_.push_back({std::move(m), token, renewed});
        left_ -= std::min(left_, claimed->size());
        claimed_ += claimed->size();
      }
      work_arrives_.notify_all();
      return claimed->size();
    }

    /// Under the mutex: what waits untried goes back to the outbox.
    void give_back(std::vector<answer>& answers) {
      while (!queue_.empty()) {
        const sys_seconds due = queue_.front().message.mail.due_at;
        answers.push_back({std::move(queue_.front()), settlement::verdict::release, due, {}});
        queue_.pop_front();
        ++report_.released;
      }
    }

    /// Under the mutex.
    void collect_renewals(std::vector<held_message>& out) {
      const auto old = steady::now() - d_.options_.renew_every;
      for (const auto& h : queue_)
        if (h.renewed <= old) out.push_back(h);
      for (const auto& [key, h] : sending_)
        if (h.renewed <= old) out.push_back(h);
    }

    settlement settlement_of(const held_message& h, settlement::verdict what, sys_seconds at,
                             std::string_view text) const {
      return {h.message.mail.key, h.message.tenant, h.token, what, at, text};
    }

    /// Lengthens leases; a message whose lease was lost is dropped, unless it is being sent at this moment.
    void renew(const std::vector<held_message>& held) {
      const sys_seconds until = d_.engine_.time().now() + d_.options_.lease;
      std::vector<settlement> all;
      for (const auto& h : held) all.push_back(settlement_of(h, settlement::verdict::renew, until, {}));
      const auto asked = steady::now();
      const auto ours = d_.engine_.storage().settle(all);
      if (!ours) {
        failed(ours.error());
        return;
      }
      const std::lock_guard lock(mutex_);
      for (std::size_t n = 0; n < held.size(); ++n) {
        const message_key& key = held[n].message.mail.key;
        const auto in_queue = std::find_if(queue_.begin(), queue_.end(),
                                           [&](const held_message& h) { return h.message.mail.key == key; });
        if ((*ours)[n]) {
          if (in_queue != queue_.end()) in_queue->renewed = asked;
          if (const auto s = sending_.find(key); s != sending_.end()) s->second.renewed = asked;
        } else if (in_queue != queue_.end()) {
          queue_.erase(in_queue);
          ++report_.lost;
        }
      }
    }

    /// Writes down what the senders found.
    void settle(std::vector<answer> answers) {
      std::vector<settlement> all;
      for (const auto& a : answers) all.push_back(settlement_of(a.held, a.what, a.at, a.text));
      HIRENOW_STEP("dispatcher: before settle");
      const auto ours = d_.engine_.storage().settle(all);
      HIRENOW_STEP("dispatcher: after settle");
      if (!ours) {
        failed(ours.error());
        // Kept and tried again while the lease lasts; after that the message belongs to whoever claims it.
        const std::lock_guard lock(mutex_);
        const auto oldest_lease = steady::now() - d_.options_.lease;
        for (auto& a : answers) {
          if (a.held.renewed > oldest_lease)
            answers_.push_back(std::move(a));
          else
            ++report_.lost;
        }
        oldest_ = steady::now();
        return;
      }
      for (std::size_t n = 0; n < answers.size(); ++n) {
        if ((*ours)[n])
          count(answers[n]);
        else
          ++report_.lost;
      }
    }

    void count(const answer& a) {
      using enum settlement::verdict;
      message_state state = message_state::queued;
      switch (a.what) {
        case accepted: ++report_.accepted; state = message_state::accepted; break;
        case withdrawn: ++report_.withdrawn; state = message_state::withdrawn; break;
        case retry: ++report_.retried; break;
        case dead: ++report_.dead; state = message_state::dead; break;
        case renew:
        case release: return;
      }
      if (d_.options_.on_event)
        d_.options_.on_event({a.held.message.tenant, a.held.message.applicant_id, a.held.message.mail.key, state,
                              a.text, a.what == retry ? std::optional(a.at) : std::nullopt});
    }

    void send_loop() {
      for (;;) {
        held_message held;
        {
          std::unique_lock lock(mutex_);
          work_arrives_.wait(lock, [&] { return over_ || !queue_.empty(); });
          if (queue_.empty()) return;
          held = std::move(queue_.front());
          queue_.pop_front();
          sending_.emplace(held.message.mail.key, held);
          if (!until_idle_ && wants_claim()) clerk_wakes_.notify_one();
        }
        auto done = d_.handle(held);
        const std::lock_guard lock(mutex_);
        const auto mine = sending_.find(held.message.mail.key);
        held.renewed = mine->second.renewed;
        sending_.erase(mine);
        if (!done) {
          ++report_.lost;
        } else {
          if (answers_.empty()) oldest_ = steady::now();
          done->held = std::move(held);
          answers_.push_back(std::move(*done));
        }
        if (answers_.size() >= batch || (queue_.empty() && sending_.empty()) || wants_claim())
          clerk_wakes_.notify_one();
      }
    }

    std::size_t failed(const error& e) {
      ++report_.store_errors;
      if (!first_error_) first_error_ = e;
      // A run that was to end with the outbox cannot know that it did.
      if (until_idle_) left_ = 0;
      return 0;
    }

    dispatcher& d_;
    const std::size_t workers_;
    std::mutex mutex_{};
    std::condition_variable clerk_wakes_{};
    std::condition_variable work_arrives_{};
    std::deque<held_message> queue_{};                       // claimed, not yet taken by a sender
    std::map<message_key, held_message> sending_{};
    std::vector<answer> answers_{};                          // not yet written down
    steady::time_point oldest_{};                            // of the answers
    std::size_t left_;
    std::size_t claimed_ = 0;
    const bool until_idle_;
    bool over_ = false;
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

  /// Checks, renders and sends one message. Nothing where its lease was lost before it was sent.
  std::optional<answer> handle(held_message& held) {
    const claimed_message& c = held.message;
    const auto now = [&] { return engine_.time().now(); };
    const auto finish = [&](settlement::verdict what, sys_seconds at, std::string text) {
      return answer{{}, what, at, std::move(text)};
    };
    const auto again = [&](std::string text) {
      const std::uint32_t tries = c.mail.tries + 1;
      if (tries >= options_.most_tries) return finish(settlement::verdict::dead, now(), std::move(text));
      return finish(settlement::verdict::retry, now() + backoff_after(tries, chance(), options_), std::move(text));
    };
    // A worker that stood still past its lease may have been replaced: it asks before it goes on.
    if (steady::now() - held.renewed > options_.renew_every) {
      const settlement renewal{c.mail.key, c.tenant, held.token, settlement::verdict::renew, now() + options_.lease, {}};
      const auto asked = steady::now();
      const auto ours = engine_.storage().settle({&renewal, 1});
      if (!ours || !ours->front()) return std::nullopt;
      held.renewed = asked;
    }
    const auto data = engine_.storage().load({.tenant = c.tenant, .who = c.mail.key.interview});
    if (!data) return again("the record could not be loaded: " + data.error().message);
    detail::draft d(data->record, now());
    if (const auto ok = d.apply_clock(); !ok) return again(ok.error().message);
    const interview* i = find_interview(d.record(), c.mail.key.interview);
    if (auto why = senseless(c.mail, d.record(), i, d.now()); !why.empty())
      return finish(settlement::verdict::withdrawn, now(), std::move(why));

    auto mail = render(c, d.record(), *i);
    if (!mail) return finish(settlement::verdict::dead, now(), mail.error().message);
    HIRENOW_STEP("dispatcher: before send");
    delivery said;
    try {
      said = mailer_.send(*mail);
    } catch (const std::exception& e) {
      said = {delivery_outcome::temporary, 0, std::string("the mailer threw: ") + e.what()};
    }
    HIRENOW_STEP("dispatcher: after send");
    switch (said.outcome) {
      case delivery_outcome::accepted: return finish(settlement::verdict::accepted, now(), std::move(said.answer));
      case delivery_outcome::permanent: return finish(settlement::verdict::dead, now(), std::move(said.answer));
      case delivery_outcome::temporary:
      case delivery_outcome::ambiguous: break;
    }
    return again(std::move(said.answer));
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
    view.time_limit = i.time_limit;
    if (carries_link(c.mail.key.kind)) {
      auto link = engine_.link_of(c.tenant, record.person.id, i);
      if (!link) return link.error();
      view.link = *link;
    }
    auto text = options_.templates.render(c.mail.key.kind, record.person.locale, view);
    if (!text) return text.error();
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
  shift* running_ = nullptr;
  std::atomic<bool> woken_{false};
};

}  // namespace hirenow
