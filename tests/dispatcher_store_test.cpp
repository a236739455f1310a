// The dispatcher and its store: one that fails, and claims beside settlements that take their time.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "hirenow/dispatcher.hpp"
#include "support/dispatching.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

/// A store that fails when it is told to.
class failing_store : public store_in_between {
 public:
  using store_in_between::store_in_between;

  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    if (fails(claims)) return broken();
    return next_.claim(r);
  }
  result<std::vector<bool>> settle(std::span<const settlement> s) override {
    if (!s.empty() && fails(settles)) return broken();
    return next_.settle(s);
  }
  result<std::optional<sys_seconds>> next_due() override {
    if (fails(looks)) return broken();
    return next_.next_due();
  }
  result<loaded> load(const load_request& r) override {
    if (fails(loads)) return broken();
    return next_.load(r);
  }

  /// How many of the next calls fail.
  std::atomic<int> claims{0}, settles{0}, looks{0}, loads{0};
  std::atomic<int> failed{0};
  bool throws = false;

 private:
  bool fails(std::atomic<int>& left) {
    if (left.load() <= 0 || left.fetch_sub(1) <= 0) return false;
    ++failed;
    if (throws) throw std::runtime_error("the disk is gone");
    return true;
  }
  static error broken() { return {.code = errc::store_unavailable, .message = "the disk is gone"}; }
};

/// A store with one message, whose first settlement takes so long that the run claims the message anew meanwhile.
class slow_store : public store_in_between {
 public:
  enum class when { before, after };

  slow_store(world& w, when slow, sys_seconds::duration takes)
      : store_in_between(*w.data), clock_(w.clock), when_(slow), takes_(takes) {}

  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    auto claimed = next_.claim(r);
    if (claimed) found_ += claimed->size();
    return claimed;
  }
  result<std::vector<bool>> settle(std::span<const settlement> s) override {
    const bool is_first = !s.empty() && !std::exchange(was_slow_, true);
    if (is_first && when_ == when::before) let_it_claim();
    auto done = next_.settle(s);
    if (is_first && when_ == when::after) let_it_claim();
    return done;
  }

  dispatcher* of = nullptr;

 private:
  void let_it_claim() {
    clock_.advance(takes_);
    CHECK(in_the_end([&] {
      of->wake();
      return found_ == 2;
    }));
  }

  manual_clock& clock_;
  const when when_;
  const sys_seconds::duration takes_;
  std::atomic<std::size_t> found_{0};
  bool was_slow_ = false;
};

/// Runs a dispatcher over the store until its message was accepted.
dispatch_report run_until_accepted(world& w, slow_store& slow, mailer& box, const dispatcher_options& options) {
  auto bench = w.another(slow);
  dispatcher d(bench, box, options);
  slow.of = &d;
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(1, std::move(stop)); });
  CHECK(in_the_end([&] {
    d.wake();
    return count_in(w, message_state::accepted) == 1;
  }));
  worker.request_stop();
  worker.join();
  return report;
}

}  // namespace

TEST_CASE("a store that fails for a while loses nothing and doubles nothing", "[dispatcher][threads]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 100);
  failing_store store(*w.data);
  store.throws = GENERATE(false, true);
  auto bench = w.another(store);
  recording_mailer box;
  auto options = dispatch_options();
  options.poll_every = 10ms;
  dispatcher d(bench, box, options);
  bool by_load = false;
  SECTION("looking") { store.looks = 3; }
  SECTION("claiming") { store.claims = 3; }
  SECTION("settling") { store.settles = 4; }
  SECTION("loading") {
    by_load = true;
    store.loads = 15;
  }
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(1, std::move(stop)); });
  if (by_load) {
    // Nothing is due any more, and nothing is at work.
    CHECK(in_the_end(
        [&] { return w.data->next_due().value() > w.clock.now() && count_in(w, message_state::leased) == 0; }));
    CHECK(store.failed == 15);
    // A look at several that failed is made again for each of them. Those whose own failed are given back untried: what
    // a store does is no fault of a message.
    CHECK(count_in(w, message_state::accepted) >= 85);
    CHECK(count_in(w, message_state::accepted) < 100);
    for (const auto& m : w.data->messages({.tenant = acme, .state = message_state::queued, .limit = 100}).value())
      CHECK(m.tries == 0);
    w.clock.advance(1min);
  }
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 100; }));
  worker.request_stop();
  worker.join();
  CHECK(each_once(box, 100));
  CHECK(report.accepted == 100);
  CHECK(report.lost == 0);
  CHECK(report.dead + report.retried == 0);
  CHECK(report.store_errors == static_cast<std::size_t>(store.failed.load()));
  CHECK(store.failed >= 3);
}

TEST_CASE("all that a dispatcher counts it tells, by the same words", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 3);
  failing_store store(*w.data);
  auto bench = w.another(store);
  recording_mailer box;
  manual_steady time;  // stands still
  auto options = time.in(dispatch_options());
  std::vector<dispatch_event> told;
  options.on_event = [&](const dispatch_event& e) { told.push_back(e); };
  SECTION("a store that fails") {
    store.claims = 1;
    dispatcher d(bench, box, options);
    CHECK(code_of(d.dispatch_due()) == errc::store_unavailable);
    REQUIRE(told.size() == 1);
    CHECK(told[0].outcome == "store_error");
    CHECK(told[0].answer == "store_unavailable: the disk is gone");
    CHECK(told[0].tenant.empty());
    CHECK(d.stats()->sent.store_errors == 1);
  }
  SECTION("what could not be looked at") {
    store.loads = 1000;
    dispatcher d(bench, box, options);
    const auto report = d.dispatch_due().value();
    CHECK(report.released == 3);
    CHECK(std::ranges::count(told, "released", &dispatch_event::outcome) == 3);
    CHECK(static_cast<std::size_t>(std::ranges::count(told, "store_error", &dispatch_event::outcome)) ==
          report.store_errors);
    CHECK(report.store_errors >= 3);
    for (const auto& e : told)
      if (e.outcome == "released") CHECK(e.next_try > w.clock.now());
  }
  SECTION("what was put off") {
    options.most_per_minute_of_tenant = 1;
    dispatcher d(bench, box, options);
    const auto report = d.dispatch_due().value();
    CHECK(report.put_off == 2);
    CHECK(std::ranges::count(told, "put_off", &dispatch_event::outcome) == 2);
    CHECK(std::ranges::count(told, "accepted", &dispatch_event::outcome) == 1);
  }
  SECTION("what was withdrawn or lost while it was sent") {
    box.answer = [&](const outgoing_mail& mail) {
      if (box.count() > 1) return taken;
      time.advance(11ms);  // so that the others are looked at again
      for (const auto& m : w.data->messages({.tenant = acme, .limit = 10}).value())
        if (message_id(m.key, "acme.example") != mail.message_id)
          w.bench.cancel(m.key.interview, w.recruiter, {.notify = notify::none()}).value();
      return taken;
    };
    dispatcher d(bench, box, options);
    const auto report = d.dispatch_due().value();
    CHECK(report.accepted == 1);
    CHECK(report.withdrawn + report.lost == 2);
    CHECK(static_cast<std::size_t>(std::ranges::count(told, "lost", &dispatch_event::outcome)) == report.lost);
    CHECK(static_cast<std::size_t>(std::ranges::count(told, "withdrawn", &dispatch_event::outcome)) ==
          report.withdrawn);
  }
}

TEST_CASE("an answer that comes while the host is told of an error is written down in time", "[dispatcher][threads]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 1);
  failing_store store(*w.data);
  auto bench = w.another(store);
  recording_mailer box;
  std::atomic<bool> is_told{false}, is_sent{false};
  box.answer = [&](const outgoing_mail&) {
    store.looks = 1;  // the claimer's next look fails, and the host is told of it
    CHECK(in_the_end([&] { return is_told.load(); }));
    is_sent = true;
    return taken;
  };
  auto options = dispatch_options();
  // Nothing but the answer itself wakes whoever writes it down.
  options.poll_every = options.renew_every = std::chrono::hours(1);
  options.lease = std::chrono::hours(2);
  options.on_event = [&](const dispatch_event& e) {
    if (e.outcome != "store_error") return;
    is_told = true;
    CHECK(in_the_end([&] { return is_sent.load(); }));
    std::this_thread::sleep_for(20ms);  // from there into the list of answers
  };
  dispatcher d(bench, box, options);
  std::jthread worker([&](std::stop_token stop) { d.run(1, std::move(stop)); });
  CHECK(in_the_end([&] { return box.count() == 1; }));
  d.wake();
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 1; }));
}

TEST_CASE("nothing more is sent while answers cannot be written down", "[dispatcher][threads]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 100);
  failing_store store(*w.data);
  store.settles = 1'000'000;
  auto bench = w.another(store);
  recording_mailer box;
  manual_steady time;
  auto options = time.in(dispatch_options());
  options.lease = 2s;
  options.renew_every = 1s;
  dispatcher d(bench, box, options);
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(1, std::move(stop)); });
  CHECK(in_the_end([&] { return box.count() == 32; }));
  // Even beyond the lease: an answer that nobody else has overtaken is worth keeping.
  const auto time_flies = let_time_fly(time, d);
  const auto begun = time.now();
  CHECK(in_the_end([&] { return store.failed >= 4 && time.now() > begun + 2500ms; }));
  CHECK(box.count() == 32);
  store.settles = 0;
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) >= 32; }));
  // A machine that is busy elsewhere may keep it from renewing its other leases, which then have to end.
  CHECK(in_the_end([&] {
    w.clock.advance(1s);
    return count_in(w, message_state::accepted) == 100;
  }));
  worker.request_stop();
  worker.join();
  CHECK(each_once(box, 100));
}

TEST_CASE("an answer is written down under the lease that its run took anew meanwhile", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 1);
  const auto options = dispatch_options();
  slow_store slow(w, slow_store::when::before, options.lease);
  recording_mailer box;
  const auto report = run_until_accepted(w, slow, box, options);
  CHECK(box.count() == 1);
  CHECK(report.accepted == 1);
  CHECK(report.lost == 0);
}

TEST_CASE("a message that its own run claims before it knows that it was put off is tried again", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 1);
  auto options = dispatch_options();
  options.first_backoff = options.longest_backoff = 1s;
  slow_store slow(w, slow_store::when::after, 10s);  // beyond the backoff, within a lease
  recording_mailer box;
  std::atomic<int> sent{0};
  box.answer = [&](const outgoing_mail&) {
    return delivery{sent++ == 0 ? delivery_outcome::temporary : delivery_outcome::accepted, 0, "said"};
  };
  const auto report = run_until_accepted(w, slow, box, options);
  CHECK(sent == 2);
  CHECK(report.retried == 1);
  CHECK(report.accepted == 1);
}

TEST_CASE("a store that cannot be asked makes a single run fail", "[dispatcher]") {
  world w(stores().front());
  schedule_many(w, 3);
  failing_store store(*w.data);
  auto bench = w.another(store);
  recording_mailer box;
  manual_steady time;
  auto options = time.in(dispatch_options());
  options.lease = 2s;
  options.renew_every = 1s;
  dispatcher d(bench, box, options);
  store.looks = 1;
  CHECK(code_of(d.dispatch_due()) == errc::store_unavailable);
  store.claims = 1;
  CHECK(code_of(d.dispatch_due()) == errc::store_unavailable);
  // Where it fails to the end, the run waits as long as its leases last and not longer.
  store.settles = 1'000'000;
  const auto time_flies = let_time_fly(time, d);
  const auto begun = time.now();
  const auto report = d.dispatch_due().value();
  CHECK(time.now() >= begun + 2s);
  CHECK(report.lost == 3);
  CHECK(report.store_errors > 0);
  store.settles = 0;
  w.clock.advance(2s);
  CHECK(d.dispatch_due()->accepted == 3);
}
