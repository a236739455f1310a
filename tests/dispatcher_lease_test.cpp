// The dispatcher among others: leases and their fence, workers that die, stand still or are stopped, stores that fail,
// many workers at once.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hirenow/dispatcher.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

/// A door that mailers wait at until the test opens it.
class gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --waiting_;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// Waits until so many stand at the door.
  void await(int many) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, 60s, [&] { return waiting_ >= many; });
    REQUIRE(came);
  }

 private:
  std::mutex mutex_{};
  std::condition_variable changed_{};
  int waiting_ = 0;
  bool open_ = false;
};

/// Time for a dispatcher that passes when the test says so: what the clock on the wall shows is another matter.
class manual_steady {
 public:
  std::chrono::steady_clock::time_point now() const { return std::chrono::steady_clock::time_point(passed_.load()); }
  void advance(std::chrono::steady_clock::duration by) {
    for (auto before = passed_.load(); !passed_.compare_exchange_weak(before, before + by);) {
    }
  }
  dispatcher_options in(dispatcher_options options) const {
    options.steady_now = [this] { return now(); };
    return options;
  }

 private:
  std::atomic<std::chrono::steady_clock::duration> passed_{std::chrono::hours(1)};
};

/// Lets time fly for a dispatcher, a tenth of a second every other millisecond.
std::jthread let_time_fly(manual_steady& time, dispatcher& d) {
  return std::jthread([&](const std::stop_token& stop) {
    for (; !stop.stop_requested(); std::this_thread::sleep_for(2ms)) {
      time.advance(100ms);
      d.wake();
    }
  });
}

/// Waits for what another thread is going to do. Long, because it is only as long as a failure takes.
bool in_the_end(const std::function<bool()>& it_holds) {
  for (const auto end = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < end;) {
    if (it_holds()) return true;
    std::this_thread::sleep_for(2ms);
  }
  return it_holds();
}

/// A store that fails when it is told to.
class failing_store : public store_in_between {
 public:
  using store_in_between::store_in_between;

  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    if (fails(claims)) return broken();
    return next_.claim(r);
  }
  result<std::vector<bool>> settle(std::span<const settlement> s) override {
    if (fails(settles)) return broken();
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

void schedule_many(engine& e, const world& w, int many) {
  for (int n = 0; n < many; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    terms.applicant.email = terms.applicant.id + "@example.org";
    e.schedule(terms, w.recruiter).value();
  }
}
void schedule_many(world& w, int many) { schedule_many(w.bench, w, many); }

std::size_t count_in(const world& w, message_state s) {
  std::size_t all = 0;
  std::optional<message_key> after;
  for (;;) {
    const auto page = w.data->messages({.tenant = acme, .state = s, .after = after, .limit = 500}).value();
    all += page.size();
    if (page.size() < 500) return all;
    after = page.back().key;
  }
}

/// Every mail came once.
bool each_once(const recording_mailer& box, std::size_t many) {
  const auto copies = box.copies();
  return copies.size() == many &&
         std::all_of(copies.begin(), copies.end(), [](const auto& c) { return c.second == 1; });
}

const delivery taken{delivery_outcome::accepted, 250, "250 taken"};

}  // namespace

TEST_CASE("a zombie finishes nothing", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 1);
  recording_mailer box, other_box;
  dispatcher zombie(w.bench, box, dispatch_options()), other(w.bench, other_box, dispatch_options());
  other_box.answer = [](const outgoing_mail&) { return delivery{delivery_outcome::permanent, 550, "550 no"}; };
  dispatch_report others{};
  box.answer = [&](const outgoing_mail&) {
    // It stands still in the middle of sending until its lease is over and another has done the work.
    w.clock.advance(30s);
    others = other.dispatch_due().value();
    return taken;
  };
  const auto report = zombie.dispatch_due().value();
  CHECK(others.dead == 1);
  CHECK(report.lost == 1);
  CHECK(report.accepted == 0);
  const auto rows = w.data->messages({.tenant = acme}).value();
  REQUIRE(rows.size() == 1);
  CHECK(rows.front().state == message_state::dead);
  CHECK(rows.front().last_answer == "550 no");
  CHECK(rows.front().tries == 1);
}

TEST_CASE("a dead worker's messages are free when its lease has ended", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 5);
  lease_token dead_mans{};
  dead_mans.fill(7);
  CHECK(w.data->claim({w.clock.now(), 30s, 5, dead_mans})->size() == 5);  // and then it dies
  recording_mailer box;
  dispatcher d(w.bench, box, dispatch_options());
  w.clock.advance(29s);
  CHECK(d.dispatch_due()->accepted == 0);
  w.clock.advance(1s);
  CHECK(d.dispatch_due()->accepted == 5);
  CHECK(each_once(box, 5));
}

TEST_CASE("a living worker keeps its messages however long the server takes", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 3);
  manual_steady time;
  auto options = time.in(dispatch_options());
  options.lease = 2s;
  options.renew_every = 1s;
  recording_mailer box, other_box;
  gate door;
  box.answer = [&](const outgoing_mail&) {
    door.pass();
    return taken;
  };
  dispatcher living(w.bench, box, options), other(w.bench, other_box, options);
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = living.run(1, std::move(stop)); });
  door.await(1);
  // One is being sent, two wait for the same worker: all three stay his, though the server takes a minute.
  bool renewed = true;
  for (int second = 0; renewed && second < 60; ++second) {
    w.clock.advance(1s);
    time.advance(1s);
    living.wake();
    renewed = in_the_end([&] { return w.data->next_due().value() == w.clock.now() + 2s; });
    CHECK(other.dispatch_due()->accepted == 0);
  }
  CHECK(renewed);
  door.open();
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 3; }));
  worker.request_stop();
  worker.join();
  CHECK(report.accepted == 3);
  CHECK(report.lost == 0);
  CHECK(each_once(box, 3));
  CHECK(other_box.count() == 0);
}

TEST_CASE("a worker that stood still before sending asks whether it may", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool taken_over = GENERATE(true, false);
  schedule_many(w, 2);
  recording_mailer box, other_box;
  manual_steady time;
  auto options = time.in(dispatch_options());
  options.lease = 2s;
  options.renew_every = 1s;
  dispatcher other(w.bench, other_box, options);
  // The clerk's own renewals hang in a slow disk until the sender has asked, or has sent without asking.
  struct slow_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<bool>> settle(std::span<const settlement> s) override {
      const bool renews = s.front().what == settlement::verdict::renew;
      if (renews && std::this_thread::get_id() == clerk)
        CHECK(in_the_end([&] { return asked || sent_anyway(); }));
      else if (renews)
        asked = true;
      return next_.settle(s);
    }
    const std::thread::id clerk = std::this_thread::get_id();
    std::atomic<bool> asked{false};
    std::function<bool()> sent_anyway{};
  } slow(*w.data);
  slow.sent_anyway = [&] { return box.count() == 2; };
  auto bench = w.another(slow);
  dispatcher d(bench, box, options);
  box.answer = [&](const outgoing_mail&) {
    if (box.count() > 1) return taken;
    w.clock.advance(2s);
    if (taken_over) CHECK(other.dispatch_due()->accepted == 2);
    time.advance(1100ms);  // by this, not by the clock on the wall, a process knows that it stood still
    return taken;
  };
  const auto report = d.dispatch_due().value();
  CHECK(slow.asked);
  CHECK(box.count() == (taken_over ? 1 : 2));
  CHECK(report.accepted == (taken_over ? 0 : 2));
  CHECK(report.lost == (taken_over ? 2 : 0));
  CHECK(count_in(w, message_state::accepted) == 2);
}

TEST_CASE("a look at several messages is one call, and good for ten milliseconds", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 100);
  struct counting_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
      ++calls;
      most = std::max(most, wanted.size());
      return next_.load_each(wanted);
    }
    std::size_t calls = 0, most = 0;
  } counting(*w.data);
  auto bench = w.another(counting);
  recording_mailer box;
  manual_steady time;
  dispatcher d(bench, box, time.in(dispatch_options()));
  SECTION("many mails are sent while it lasts") {
    CHECK(d.dispatch_due()->accepted == 100);
    CHECK(each_once(box, 100));
    CHECK(counting.most == 32);
    CHECK(counting.calls <= 15);
  }
  SECTION("a server takes long, and what was looked at together dies meanwhile") {
    const bool takes_long = GENERATE(true, false);
    box.answer = [&](const outgoing_mail&) {
      if (box.count() != 5) return taken;  // the first of four that were looked at together
      std::vector<interview_id> unsent;
      for (const auto& m : w.data->messages({.tenant = acme, .limit = 500}).value())
        if (box.copies().count(message_id(m.key, "acme.example")) == 0) unsent.push_back(m.key.interview);
      for (const auto& id : unsent) w.bench.cancel(id, w.recruiter, {.notify = notify::none()}).value();
      CHECK(unsent.size() == 95);
      if (takes_long) time.advance(11ms);
      return taken;
    };
    d.dispatch_due().value();
    CHECK(box.count() == (takes_long ? 5 : 8));
  }
  SECTION("servers that take long are looked at one by one") {
    box.answer = [&](const outgoing_mail&) {
      time.advance(11ms);
      return taken;
    };
    CHECK(d.dispatch_due()->accepted == 100);
    CHECK(counting.most == 1);
  }
}

TEST_CASE("senders that look ahead at the same time look at different messages", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  constexpr int many = 200;
  schedule_many(w, many);
  struct counting_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
      looked += wanted.size();
      auto records = next_.load_each(wanted);
      std::this_thread::sleep_for(1ms);  // so that others come meanwhile
      return records;
    }
    std::atomic<std::size_t> looked{0};
  } counting(*w.data);
  auto bench = w.another(counting);
  recording_mailer box;
  manual_steady time;  // stands still: no look grows too old
  auto options = time.in(dispatch_options());
  std::stop_source stop;
  int accepted = 0;
  options.on_event = [&](const dispatch_event&) {
    if (++accepted == many) stop.request_stop();
  };
  dispatcher d(bench, box, options);
  CHECK(d.run(4, stop.get_token()).accepted == many);
  CHECK(each_once(box, many));
  CHECK(counting.looked == many);
}

TEST_CASE("a lease of its own that ran out is taken up, not sent again", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 40);
  recording_mailer box;
  gate door;
  box.answer = [&](const outgoing_mail&) {
    door.pass();
    return taken;
  };
  auto options = dispatch_options();
  options.poll_every = 10ms;
  dispatcher d(w.bench, box, options);
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(4, std::move(stop)); });
  door.await(4);
  // The machine's clock leaps, as after a suspension: every lease is over, and the dispatcher finds its own messages.
  w.clock.advance(31s);
  CHECK(in_the_end([&] { return w.data->next_due().value() > w.clock.now(); }));
  door.open();
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 40; }));
  worker.request_stop();
  worker.join();
  CHECK(each_once(box, 40));
  CHECK(report.accepted == 40);
  CHECK(report.lost == 0);
}

TEST_CASE("a graceful stop finishes what is being sent and gives the rest back", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 60);
  recording_mailer box;
  gate door;
  box.answer = [&](const outgoing_mail&) {
    door.pass();
    return taken;
  };
  dispatcher d(w.bench, box, dispatch_options());
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(2, std::move(stop)); });
  door.await(2);
  worker.request_stop();
  // What waits is given back at once, not only when the slow server has answered.
  CHECK(in_the_end([&] { return count_in(w, message_state::leased) == 2; }));
  CHECK(box.count() == 2);
  door.open();
  worker.join();
  CHECK(report.accepted == 2);
  CHECK(report.released == 58);
  CHECK(report.lost == 0);
  CHECK(count_in(w, message_state::queued) == 58);
  for (const auto& m : w.data->messages({.tenant = acme, .state = message_state::queued, .limit = 100}).value())
    CHECK(m.tries == 0);
  box.answer = {};
  CHECK(dispatcher(w.bench, box, dispatch_options()).dispatch_due()->accepted == 58);
  CHECK(each_once(box, 60));
}

TEST_CASE("a run that was stopped before it began sends nothing", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 3);
  recording_mailer box;
  dispatcher d(w.bench, box, dispatch_options());
  std::stop_source stop;
  stop.request_stop();
  const auto report = d.run(4, stop.get_token());
  CHECK(report.accepted + report.released + report.lost == 0);
  CHECK(box.count() == 0);
  CHECK(count_in(w, message_state::queued) == 3);
}

TEST_CASE("wake is heard at once", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  recording_mailer box;
  auto options = dispatch_options();
  options.poll_every = std::chrono::hours(1);
  dispatcher d(w.bench, box, options);
  d.wake();  // nobody runs: nothing happens
  std::jthread worker([&](std::stop_token stop) { d.run(2, std::move(stop)); });
  for (std::size_t n = 1; n <= 5; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    w.bench.schedule(terms, w.recruiter).value();
    d.wake();
    CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == n; }));
  }
}

TEST_CASE("answers are written down while another worker waits for its server", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 6);
  recording_mailer box;
  gate door;
  box.answer = [&](const outgoing_mail& mail) {
    if (mail.to_address == "app3@example.org") door.pass();
    return taken;
  };
  auto options = dispatch_options();
  options.poll_every = std::chrono::hours(1);  // it is the age of the answers that matters, not the next poll
  dispatcher d(w.bench, box, options);
  std::jthread worker([&](std::stop_token stop) { d.run(2, std::move(stop)); });
  door.await(1);
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 5; }));
  door.open();
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 6; }));
}

TEST_CASE("no more than 32 answers a worker are ever unrecorded", "[dispatcher][concurrent]") {
  HIRENOW_IN_EVERY_STORE(w);
  const std::size_t workers = GENERATE(std::size_t{1}, std::size_t{4});
  schedule_many(w, 400);
  // Between a mail's acceptance and its settlement lies what a crash would send again.
  struct watching_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<bool>> settle(std::span<const settlement> s) override {
      std::this_thread::sleep_for(3ms);  // a slow disk, so that the senders run ahead
      auto out = next_.settle(s);
      for (const auto& one : s) unrecorded -= one.what == settlement::verdict::accepted ? 1 : 0;
      return out;
    }
    std::atomic<int> unrecorded{0};
  } slow(*w.data);
  auto bench = w.another(slow);
  recording_mailer box;
  std::atomic<int> most{0};
  box.answer = [&](const outgoing_mail&) {
    const int now = ++slow.unrecorded;
    int before = most.load();
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    return taken;
  };
  dispatcher d(bench, box, dispatch_options());
  std::jthread worker([&](std::stop_token stop) { d.run(workers, std::move(stop)); });
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 400; }));
  worker.request_stop();
  worker.join();
  CHECK(each_once(box, 400));
  CHECK(most <= static_cast<int>(32 * workers));
  CHECK(most > static_cast<int>(8 * workers));  // and they are batched at all
}

TEST_CASE("a store that fails for a while loses nothing and doubles nothing", "[dispatcher]") {
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

TEST_CASE("nothing more is sent while answers cannot be written down", "[dispatcher]") {
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
  struct slow_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<claimed_message>> claim(const claim_request& r) override {
      auto claimed = next_.claim(r);
      if (claimed) found += claimed->size();
      return claimed;
    }
    result<std::vector<bool>> settle(std::span<const settlement> s) override {
      if (!std::exchange(was_slow, true)) meanwhile();
      return next_.settle(s);
    }
    std::function<void()> meanwhile{};
    std::atomic<std::size_t> found{0};
    bool was_slow = false;
  } slow(*w.data);
  auto bench = w.another(slow);
  recording_mailer box;
  dispatcher d(bench, box, dispatch_options());
  slow.meanwhile = [&] {
    w.clock.advance(dispatch_options().lease);
    CHECK(in_the_end([&] {
      d.wake();
      return slow.found == 2;
    }));
  };
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(1, std::move(stop)); });
  CHECK(in_the_end([&] { return count_in(w, message_state::accepted) == 1; }));
  worker.request_stop();
  worker.join();
  CHECK(box.count() == 1);
  CHECK(report.accepted == 1);
  CHECK(report.lost == 0);
}

TEST_CASE("a message that its own run claims before it knows that it was put off is tried again", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 1);
  struct late_store : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<claimed_message>> claim(const claim_request& r) override {
      auto claimed = next_.claim(r);
      if (claimed) found += claimed->size();
      return claimed;
    }
    result<std::vector<bool>> settle(std::span<const settlement> s) override {
      auto done = next_.settle(s);
      if (!std::exchange(was_late, true)) meanwhile();
      return done;
    }
    std::function<void()> meanwhile{};
    std::atomic<std::size_t> found{0};
    bool was_late = false;
  } late(*w.data);
  auto bench = w.another(late);
  recording_mailer box;
  std::atomic<int> sent{0};
  box.answer = [&](const outgoing_mail&) {
    return delivery{sent++ == 0 ? delivery_outcome::temporary : delivery_outcome::accepted, 0, "said"};
  };
  auto options = dispatch_options();
  options.first_backoff = options.longest_backoff = 1s;
  dispatcher d(bench, box, options);
  late.meanwhile = [&] {
    w.clock.advance(10s);  // beyond the backoff, within a lease
    CHECK(in_the_end([&] {
      d.wake();
      return late.found == 2;
    }));
  };
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(1, std::move(stop)); });
  CHECK(in_the_end([&] {
    d.wake();
    return count_in(w, message_state::accepted) == 1;
  }));
  worker.request_stop();
  worker.join();
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

TEST_CASE("eight workers send each of a thousand messages once", "[dispatcher][concurrent]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 1000);
  recording_mailer box;
  std::atomic<int> inside{0}, most{0};
  box.answer = [&](const outgoing_mail&) {
    const int now = ++inside;
    int before = most.load();
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(300));  // as a server would
    --inside;
    return taken;
  };
  std::atomic<std::size_t> told{0};
  auto options = dispatch_options();
  options.on_event = [&](const dispatch_event&) { ++told; };
  dispatcher d(w.bench, box, options);
  dispatch_report report{};
  std::jthread worker([&](std::stop_token stop) { report = d.run(8, std::move(stop)); });
  CHECK(in_the_end([&] { return told == 1000; }));
  worker.request_stop();
  worker.join();
  CHECK(each_once(box, 1000));
  CHECK(report.accepted == 1000);
  CHECK(report.lost == 0);
  CHECK(count_in(w, message_state::accepted) == 1000);
  CHECK(most > 4);  // they really overlapped
}

TEST_CASE("two dispatchers on one store send each message once", "[dispatcher][concurrent]") {
  HIRENOW_IN_EVERY_STORE(w);
  recording_mailer box;
  auto options = dispatch_options();
  options.poll_every = 5ms;
  dispatcher one(w.bench, box, options), two(w.bench, box, options);
  dispatch_report first{}, second{};
  {
    std::jthread a([&](std::stop_token stop) { first = one.run(3, std::move(stop)); });
    std::jthread b([&](std::stop_token stop) { second = two.run(3, std::move(stop)); });
    // The host goes on scheduling meanwhile, until both have something to do, and cancels some.
    const auto has_sent = [](dispatcher& d) { return d.stats()->sent.accepted > 0; };
    for (int n = 0; n < 400 || (n < 5000 && !(has_sent(one) && has_sent(two))); ++n) {
      auto terms = w.terms();
      terms.applicant.id = "app" + std::to_string(n);
      const auto made = w.bench.schedule(terms, w.recruiter).value();
      if (n % 10 == 0) w.bench.cancel(made.interview.id, w.recruiter, {.notify = notify::none()}).value();
      if (n % 50 == 0) one.wake();
    }
    CHECK(in_the_end([&] { return count_in(w, message_state::queued) + count_in(w, message_state::leased) == 0; }));
  }
  for (const auto& [id, copies] : box.copies()) CHECK(copies == 1);
  CHECK(first.accepted + second.accepted == count_in(w, message_state::accepted));
  CHECK(first.accepted > 0);
  CHECK(second.accepted > 0);
  CHECK(count_in(w, message_state::accepted) >= 360);
}
