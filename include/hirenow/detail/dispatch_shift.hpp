#pragma once
/// One run of a dispatcher: senders check, render and send; the clerk, the thread that called, writes down what they
/// find and renews leases; another thread claims, so that neither waits for the other's commit.
/// Threads: as each part says.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "hirenow/crypto.hpp"
#include "hirenow/detail/dispatch_sending.hpp"
#include "hirenow/detail/guarded.hpp"
#include "hirenow/detail/mail_rate.hpp"
#include "hirenow/detail/step.hpp"
#include "hirenow/dispatch_stats.hpp"
#include "hirenow/dispatcher_options.hpp"
#include "hirenow/engine.hpp"
#include "hirenow/mailer.hpp"

namespace hirenow::detail {

class shift;

/// What the runs of one dispatcher share.
struct dispatch_desk {
  hirenow::engine& engine;
  hirenow::mailer& mailer;
  const dispatcher_options options;
  std::mutex running_mutex{};
  std::vector<shift*> running{};
  std::mutex totals_mutex{};
  dispatch_report totals{};
  std::atomic<bool> woken{false};
  mail_rate rate{options.most_per_minute, options.most_per_minute_of_tenant};
};

class shift {
 public:
  shift(dispatch_desk& desk, std::size_t workers, std::size_t limit, bool until_idle, std::stop_token stop)
      : desk_(desk),
        sender_(desk.engine, desk.mailer, desk.options),
        workers_(workers),
        until_idle_(until_idle),
        stop_(std::move(stop)),
        found_meanwhile_(batch * workers / 4),
        ahead_(batch * workers),
        left_(limit) {}

  void work() {
    // A store in a host's transaction refuses even to settle nothing. It is asked here, because its connection belongs
    // to the thread that called.
    const auto may = guarded([&] { return desk_.engine.storage().settle({}); });
    if (!may && may.error().reason == "host_transaction") {
      failed(may.error());
    } else {
      // Whatever ends the run, these go in the opposite order: the others are told, then joined.
      std::vector<std::jthread> others;
      const ending tell_them{*this};
      const std::stop_callback on_stop(stop_, [this] { look(); });
      for (std::size_t n = 0; n < workers_; ++n) others.emplace_back([this] { send_loop(); });
      others.emplace_back([this] { claim_loop(); });
      clerk_loop();
    }
    std::unique_lock lock(mutex_);
    tell(lock);
  }

  /// Wakes whoever waits for an instant.
  void look() {
    const std::lock_guard lock(mutex_);
    clerk_wakes_.notify_one();
    claimer_wakes_.notify_one();
  }

  /// How it went. For the thread that called work(), when it has returned.
  const dispatch_report& report() const { return report_; }
  /// Why the store could not be asked at all. As report().
  std::optional<error> failure() const { return claimed_any_ ? std::nullopt : first_error_; }

 private:
  static constexpr std::size_t batch = 32;                        // answers a worker may have unrecorded
  static constexpr std::chrono::milliseconds oldest_answer{100};  // and how old one may be
  static constexpr std::size_t most_together = 64;                // messages that are looked at in one go
  static constexpr std::size_t most_ahead = 1024;                 // messages a fast run may hold before it needs them
  static constexpr std::chrono::milliseconds after_failure{200};  // until a store that failed is asked again

  struct held_message {
    claimed_message message;
    lease_token token{};
    steady::time_point renewed{};
    std::optional<applicant_record> seen{};  ///< what somebody saw who looked ahead
    steady::time_point seen_at{};
    bool is_looked_at = false;  ///< by somebody, now; nobody takes it meanwhile
  };
  struct answer {
    held_message* about;
    finding found{};
  };

  struct ending {
    explicit ending(shift& of) : s(of) {
      const std::lock_guard lock(s.desk_.running_mutex);
      s.desk_.running.push_back(&s);
    }
    ~ending() {
      {
        const std::lock_guard lock(s.desk_.running_mutex);
        std::erase(s.desk_.running, &s);
      }
      const std::lock_guard lock(s.mutex_);
      s.over_ = true;
      s.work_arrives_.notify_all();
      s.claimer_wakes_.notify_one();
    }
    shift& s;
  };

  // The clerk. Only he takes from `held_`, and nobody else knows of what he takes.

  void clerk_loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      // What is given back while a claim is under way would be claimed by that.
      if (stop_.stop_requested() && !is_claiming_) give_back();
      if (held_.empty() && !is_claiming_ && (stop_.stop_requested() || (until_idle_ && left_ == 0))) return;
      // Each that is due has its turn before any has a second: a renewal that fails must not put off the rest.
      const auto now = sender_.steady_now();
      const auto renewal = next_renewal(now), settling = next_settling();
      if (renewal <= now) renew(lock);
      if (settling <= now) settle(lock);
      if (tell(lock)) continue;  // what came meanwhile woke nobody
      const auto next = std::min({renewal, settling, now + std::chrono::hours(1)});
      if (next > now) clerk_wakes_.wait_for(lock, next - now);
    }
  }

  /// Looked up among all that is held only when the instant that was found last has come.
  steady::time_point next_renewal(steady::time_point now) {
    if (held_.empty()) return steady::time_point::max();
    if (renewal_ <= now) {
      auto oldest = steady::time_point::max();
      for (const auto& [key, h] : held_) oldest = std::min(oldest, h.renewed);
      renewal_ = oldest + desk_.options.renew_every;
    }
    return std::max(renewal_, store_rests_until_);
  }
  steady::time_point next_settling() const {
    if (answers_.empty()) return steady::time_point::max();
    const bool at_once = answers_.size() >= settle_when() || answers_.size() == held_.size();
    return std::max(at_once ? oldest_ : oldest_ + oldest_answer, store_rests_until_);
  }
  /// As late as the senders need not wait: what is still allowed then is twice of what they found while the last
  /// answers were written down, and between a half (they may have waited then) and three quarters.
  std::size_t settle_when() const {
    const std::size_t most = batch * workers_;
    return most - std::clamp<std::size_t>(2 * found_meanwhile_, most / 2, most * 3 / 4);
  }

  // The claimer. Only he adds to `held_`.

  void claim_loop() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      if (desk_.woken.exchange(false)) next_look_ = {};
      const auto now = sender_.steady_now();
      const auto next = std::min(next_claim(), now + std::chrono::hours(1));
      if (next > now) {
        claimer_wakes_.wait_for(lock, next - now);
        continue;
      }
      is_claiming_ = true;
      const auto done = guarded([&]() -> result<void> {
        claim(lock);
        return {};
      });
      if (!lock.owns_lock()) lock.lock();
      if (!done) failed(done.error());
      is_claiming_ = false;
      ++claims_made_;
      clerk_wakes_.notify_one();
    }
  }
  steady::time_point next_claim() const {
    if (left_ == 0 || stop_.stop_requested() || queue_.size() > claim_when()) return steady::time_point::max();
    return next_look_;
  }
  /// A quarter at a time.
  std::size_t claim_when() const { return ahead_ / 4 * 3; }

  /// Asks the outbox for more.
  void claim(std::unique_lock<std::mutex>& lock) {
    hirenow::store& store = desk_.engine.storage();
    const auto asked = sender_.steady_now();
    claim_request wanted{desk_.engine.now(), desk_.options.lease, std::min(ahead_ - queue_.size(), left_), {}};
    random_bytes(wanted.token);
    lock.unlock();
    // Looking is a read; claiming is a commit, so an empty outbox is not claimed from.
    const auto next = guarded([&] { return store.next_due(); });
    result<allowance> allowed{};
    result<std::vector<claimed_message>> claimed{};
    result<std::vector<std::optional<seconds>>> put_off{};
    if (next && *next && **next <= wanted.now) {
      allowed = desk_.rate.take(store, wanted.now, asked, wanted.limit);
      wanted.limit = allowed ? allowed->granted : 0;
    }
    if (allowed && allowed->granted > 0) {
      HIRENOW_STEP("dispatcher: before claim");
      claimed = guarded([&] { return store.claim(wanted); });
      HIRENOW_STEP("dispatcher: after claim");
      std::vector<std::string_view> tenants;
      if (claimed)
        for (const auto& m : *claimed) tenants.push_back(m.tenant);
      put_off = desk_.rate.put_off(store, wanted.now, asked, tenants);
      desk_.rate.give_back(wanted.limit - std::min(wanted.limit, tenants.size()), asked);
    }
    lock.lock();
    if (!next) failed(next.error());
    if (!allowed) failed(allowed.error());
    if (!claimed) failed(claimed.error());
    if (!put_off) failed(put_off.error());
    const bool nothing = !claimed || claimed->empty();
    // Half to one and a half of the interval: dispatchers that started together do not stay together.
    auto rest = std::chrono::duration_cast<steady::duration>(desk_.options.poll_every * (0.5 + chance()));
    if (allowed && allowed->granted == 0) rest = std::max<steady::duration>(rest, allowed->wait);
    next_look_ = nothing ? sender_.steady_now() + rest : steady::time_point{};
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
    for (std::size_t n = 0; n < claimed->size(); ++n) {
      auto& m = (*claimed)[n];
      const message_key key = m.mail.key;
      const auto [at, added] = held_.try_emplace(key, held_message{std::move(m), wanted.token, asked, {}, {}, false});
      if (added) {
        // Where nobody could say whether it may leave, it goes back, too.
        if (const auto later = put_off ? (*put_off)[n] : seconds{1}) {
          add({&at->second, {settlement::verdict::release, wanted.now + *later, {}, true}});
          desk_.rate.give_back(1, asked);
        } else
          queue_.push_back(&at->second);
      } else {
        // A lease of our own ran out. What is under way goes on, under the new lease.
        at->second.token = wanted.token;
        at->second.renewed = asked;
      }
    }
    work_arrives_.notify_all();
  }

  /// What waits untried goes back to the outbox.
  void give_back() {
    const sys_seconds now = desk_.engine.now();
    for (held_message* h : queue_) add({h, {settlement::verdict::release, now, {}}});
    queue_.clear();
  }

  void add(answer a) {
    if (answers_.empty()) oldest_ = sender_.steady_now();
    answers_.push_back(std::move(a));
  }

  static settlement settlement_of(const held_message& h, settlement::verdict what, sys_seconds at,
                                  std::string_view text = {}) {
    return {h.message.mail.key, h.message.tenant, h.token, what, at, text};
  }

  /// Lengthens leases. A message whose lease was lost is dropped, unless a sender has it: then settling will tell.
  void renew(std::unique_lock<std::mutex>& lock) {
    const sys_seconds until = desk_.engine.now() + desk_.options.lease;
    const auto asked = sender_.steady_now();
    std::vector<settlement> all;
    std::vector<held_message*> of;
    for (auto& [key, h] : held_)
      if (h.renewed + desk_.options.renew_every <= asked) {
        all.push_back(settlement_of(h, settlement::verdict::renew, until));
        of.push_back(&h);
      }
    lock.unlock();
    const auto ours = guarded([&] { return desk_.engine.storage().settle(all); });
    lock.lock();
    if (!ours) return failed(ours.error());
    for (std::size_t n = 0; n < of.size(); ++n) {
      if ((*ours)[n]) {
        of[n]->renewed = std::max(of[n]->renewed, asked);
        continue;
      }
      if (is_ours_again(lock, *of[n], all[n].token)) continue;
      of[n]->renewed = asked;
      if (const auto at = std::find(queue_.begin(), queue_.end(), of[n]); at != queue_.end()) {
        queue_.erase(at);
        lost(*of[n]);
        held_.erase(all[n].key);
      }
    }
  }

  /// True where this run itself took the lease that was lost: it ran out, because the clock was moved or this process
  /// stood still. A claim that is under way is waited for.
  bool is_ours_again(std::unique_lock<std::mutex>& lock, const held_message& h, const lease_token& lost) {
    clerk_wakes_.wait(lock, [&, made = claims_made_] { return !is_claiming_ || claims_made_ != made; });
    return h.token != lost;
  }

  /// Writes down what the senders found.
  void settle(std::unique_lock<std::mutex>& lock) {
    auto answers = std::exchange(answers_, {});
    const auto oldest = oldest_;
    std::vector<settlement> all;
    for (const auto& a : answers) all.push_back(settlement_of(*a.about, a.found.what, a.found.at, a.found.text));
    lock.unlock();
    HIRENOW_STEP("dispatcher: before settle");
    const auto ours = guarded([&] { return desk_.engine.storage().settle(all); });
    HIRENOW_STEP("dispatcher: after settle");
    lock.lock();
    found_meanwhile_ = answers_.size();
    if (!ours) {
      failed(ours.error());
      // Kept, and tried again: an answer that is forgotten is a mail that goes out twice. Only a run that is to end
      // cannot wait longer than its leases last.
      const bool to_end = until_idle_ || stop_.stop_requested();
      const auto expired = sender_.steady_now() - desk_.options.lease;
      for (std::size_t n = 0; n < answers.size(); ++n) {
        answer& a = answers[n];
        if (!to_end || a.about->renewed > expired) {
          answers_.push_back(std::move(a));
        } else {
          lost(*a.about);
          held_.erase(all[n].key);
        }
      }
      oldest_ = oldest;
      return;
    }
    for (std::size_t n = 0; n < answers.size(); ++n)
      if (!(*ours)[n] && is_ours_again(lock, *answers[n].about, all[n].token))
        add({std::exchange(answers[n].about, nullptr), std::move(answers[n].found)});
    for (std::size_t n = 0; n < answers.size(); ++n)
      if (answers[n].about) count(*answers[n].about, answers[n].found, (*ours)[n]);
    const sys_seconds now = desk_.engine.now();
    for (std::size_t n = 0; n < answers.size(); ++n) {
      held_message* const h = answers[n].about;
      // What was to be tried later was due already, and is claimed anew: as it was before, so it goes back once more.
      if (h && h->token != all[n].token)
        add({h, {settlement::verdict::release, now, {}}});
      else if (h)
        held_.erase(all[n].key);
    }
    work_arrives_.notify_all();
  }

  void count(const held_message& h, const finding& found, bool ours) {
    using enum settlement::verdict;
    for (const auto& e : found.store_errors) store_failed(e);
    if (!ours) return lost(h);
    switch (found.what) {
      case accepted: return counted(&dispatch_report::accepted, "accepted", h, message_state::accepted, found);
      case withdrawn: return counted(&dispatch_report::withdrawn, "withdrawn", h, message_state::withdrawn, found);
      case dead: return counted(&dispatch_report::dead, "dead", h, message_state::dead, found);
      case retry: return counted(&dispatch_report::retried, "retried", h, message_state::queued, found);
      case renew:
      case release:
        return found.put_off ? counted(&dispatch_report::put_off, "put_off", h, message_state::queued, found)
                             : counted(&dispatch_report::released, "released", h, message_state::queued, found);
    }
  }
  void lost(const held_message& h) { counted(&dispatch_report::lost, "lost", h, message_state::leased, {}); }

  /// Counts a message and keeps what there is to tell of it.
  void counted(std::size_t dispatch_report::* as, std::string_view outcome, const held_message& h, message_state state,
               const finding& found) {
    tally(as);
    keep([&] {
      dispatch_event one{h.message.tenant, h.message.applicant_id, h.message.mail.key, state, found.text, {}, outcome};
      if (state == message_state::queued) one.next_try = found.at;
      return one;
    });
  }

  /// Keeps an event for the host, if that listens. Where there is no memory for it, it was counted all the same.
  template <class Make>
  void keep(Make event) noexcept {
    if (!desk_.options.on_event) return;
    try {
      untold_.push_back(event());
    } catch (const std::bad_alloc&) {
    }
  }

  /// Counts one, for this run and for the dispatcher.
  void tally(std::size_t dispatch_report::* what) {
    const std::lock_guard lock(desk_.totals_mutex);
    ++(report_.*what);
    ++(desk_.totals.*what);
  }

  void store_failed(const error& e) {
    tally(&dispatch_report::store_errors);
    keep([&] {
      dispatch_event one{};
      one.answer = std::string(to_string(e.code)) + ": " + e.message;
      one.outcome = "store_error";
      return one;
    });
  }
  void failed(const error& e) {
    store_failed(e);
    if (!first_error_) first_error_ = e;
    store_rests_until_ = sender_.steady_now() + after_failure;
  }

  /// Tells the host what was kept for it, without holding anybody up. Returns whether there was anything.
  bool tell(std::unique_lock<std::mutex>& lock) {
    if (untold_.empty()) return false;
    const auto all = std::exchange(untold_, {});
    lock.unlock();
    for (const auto& one : all) {
      try {
        desk_.options.on_event(one);
      } catch (...) {
        // The mail is sent and written down; a listener's fault undoes neither.
      }
    }
    lock.lock();
    return true;
  }

  // The senders.

  using place = std::deque<held_message*>::iterator;

  void send_loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      place next{};
      work_arrives_.wait(lock, [&] { return over_ || (next = next_to_send()) != queue_.end(); });
      if (over_) return;
      // The clerk renews leases under the mutex, so the sender looks at a copy; the message itself stays as it is.
      held_message* const held = *next;
      queue_.erase(next);
      if (queue_.size() == claim_when()) claimer_wakes_.notify_one();
      const auto now = sender_.steady_now();
      count_taken(now);
      const bool is_known = is_seen(*held, now) && !knows_little(now);
      auto failed = is_known ? std::nullopt : look_ahead(lock, *held, now);
      const taken_message taken{&held->message, held->token, held->renewed};
      auto seen = std::exchange(held->seen, {});
      const auto seen_at = held->seen_at;
      lock.unlock();
      auto found = sender_.handle(taken, std::move(seen), seen_at);
      if (failed) found.store_errors.push_back(*std::move(failed));
      lock.lock();
      add({held, std::move(found)});
      // Otherwise he has set his alarm already.
      if (answers_.size() == 1 || answers_.size() == settle_when() || answers_.size() == held_.size())
        clerk_wakes_.notify_one();
    }
  }

  /// The place of the message that a sender may take; the end of the queue where there is none.
  place next_to_send() {
    // Of what is held, all that does not wait in the queue is being sent or not written down yet.
    if (stop_.stop_requested() || held_.size() - queue_.size() >= batch * workers_) return queue_.end();
    const auto next = std::ranges::find(queue_, false, &held_message::is_looked_at);
    const auto looked_at = static_cast<std::size_t>(next - queue_.begin());
    // What others look at will be enough for a while, and is to be had in a moment, where less than two would be left to
    // look at.
    const bool is_enough = looked_at > 0 && looked_at + 2 > sent_soon_;
    if (next != queue_.end() && is_enough && !is_seen(**next, sender_.steady_now())) return queue_.end();
    return next;
  }

  /// Learns how many are taken in half the time that a look lasts: what the last such span had, and this one already has.
  void count_taken(steady::time_point now) {
    ++taken_;
    sent_soon_ = std::max(sent_soon_, taken_);
    const auto past = now - counted_at_;
    if (past < look_lasts / 2) return;
    sent_soon_ = static_cast<std::size_t>(static_cast<std::int64_t>(taken_) * (look_lasts / 2) / past);
    taken_ = 0;
    counted_at_ = now;
  }

  static bool is_seen(const held_message& h, steady::time_point now) { return h.seen && now - h.seen_at <= look_lasts; }

  /// Whether the senders will come upon something unseen before a look that begins now is likely to be there.
  bool knows_little(steady::time_point now) const {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), sent_soon_ / 4));
    return std::any_of(queue_.begin(), end,
                       [&](const held_message* h) { return !h->is_looked_at && !is_seen(*h, now); });
  }

  /// Looks at a message and at those that will be sent soon after it, whoever sends them: one way to the database and
  /// back. Where none will be in time it does nothing, and the sender looks at its own. Returns why it failed.
  std::optional<error> look_ahead(std::unique_lock<std::mutex>& lock, held_message& first, steady::time_point now) {
    std::vector<held_message*> unknown;
    const auto add = [&](held_message* h) {
      if (!h->is_looked_at && !is_seen(*h, now)) unknown.push_back(h);
    };
    add(&first);
    for (auto at = queue_.begin(); at != queue_.end() && unknown.size() < most_together; ++at) {
      if (static_cast<std::size_t>(at - queue_.begin()) + 1 >= sent_soon_ + sent_soon_ / 4) break;
      add(*at);
    }
    if (unknown.size() < 2) return std::nullopt;
    // What stands in the queue may be dropped meanwhile: copies are looked at.
    struct glance {
      message_key key;
      std::string tenant;
    };
    std::vector<glance> some;
    for (auto* const h : unknown) {
      h->is_looked_at = true;
      some.push_back({h->message.mail.key, h->message.tenant});
    }
    lock.unlock();
    std::vector<interview_reference> wanted;
    for (const auto& one : some) wanted.push_back({one.tenant, one.key.interview});
    auto records = sender_.look_at(wanted);
    lock.lock();
    for (std::size_t n = 0; n < some.size(); ++n)
      if (const auto at = held_.find(some[n].key); at != held_.end()) {
        at->second.is_looked_at = false;
        if (!records) continue;
        at->second.seen = std::move((*records)[n]);
        at->second.seen_at = now;
      }
    work_arrives_.notify_all();
    return records ? std::nullopt : std::optional(records.error());
  }

  dispatch_desk& desk_;
  const message_sender sender_;
  const std::size_t workers_;
  const bool until_idle_;
  const std::stop_token stop_;
  std::mutex mutex_{};
  std::condition_variable clerk_wakes_{};
  std::condition_variable claimer_wakes_{};
  std::condition_variable work_arrives_{};
  std::map<message_key, held_message> held_{};  // claimed and not yet settled
  std::deque<held_message*> queue_{};           // of these: not yet taken by a sender
  std::vector<answer> answers_{};               // of these: found, not yet written down
  std::vector<dispatch_event> untold_{};
  steady::time_point oldest_{};     // of the answers
  steady::time_point next_look_{};  // when the outbox is asked again
  steady::time_point store_rests_until_{};
  steady::time_point last_claim_{};
  steady::time_point renewal_{};     // no lease is to be renewed before
  steady::time_point counted_at_{};  // since when `taken_` is counted
  std::size_t taken_ = 0;
  std::size_t sent_soon_ = 0;    // how many are taken in half the time that a look lasts
  std::size_t found_meanwhile_;  // answers that came while others were written down
  std::size_t ahead_;            // how many messages may wait in the queue
  std::size_t left_;
  bool over_ = false;
  bool is_claiming_ = false;
  std::uint64_t claims_made_ = 0;
  bool claimed_any_ = false;
  dispatch_report report_{};  // guarded by `totals_mutex`
  std::optional<error> first_error_{};
};

}  // namespace hirenow::detail
