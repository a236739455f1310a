// The dispatcher among others: leases and their fence, workers that die, stand still or are stopped, many workers at
// once.

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
#include "support/dispatching.hpp"
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

TEST_CASE("a living worker keeps its messages however long the server takes", "[dispatcher][threads]") {
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

TEST_CASE("a worker that stood still before sending asks whether it may", "[dispatcher][threads]") {
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
      const bool renews = !s.empty() && s.front().what == settlement::verdict::renew;
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
    schedule_many(w, 300);
    CHECK(d.dispatch_due()->accepted == 300);
    CHECK(each_once(box, 300));
    CHECK(counting.most == 64);
    CHECK(counting.calls <= 20);
  }
  SECTION("a server takes long, and what was looked at together dies meanwhile") {
    schedule_many(w, 100);
    const bool takes_long = GENERATE(true, false);
    box.answer = [&](const outgoing_mail&) {
      if (box.count() != 5) return taken;  // the first of five that were looked at together
      std::vector<interview_id> unsent;
      for (const auto& m : w.data->messages({.tenant = acme, .limit = 500}).value())
        if (box.copies().count(message_id(m.key, "acme.example")) == 0) unsent.push_back(m.key.interview);
      for (const auto& id : unsent) w.bench.cancel(id, w.recruiter, {.notify = notify::none()}).value();
      CHECK(unsent.size() == 95);
      if (takes_long) time.advance(11ms);
      return taken;
    };
    d.dispatch_due().value();
    CHECK(box.count() == (takes_long ? 5 : 9));
  }
  SECTION("servers that take long are looked at one by one") {
    schedule_many(w, 100);
    box.answer = [&](const outgoing_mail&) {
      time.advance(11ms);
      return taken;
    };
    CHECK(d.dispatch_due()->accepted == 100);
    CHECK(counting.most == 1);
  }
}

TEST_CASE("senders that look ahead at the same time look at different messages", "[dispatcher][threads]") {
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

TEST_CASE("a lease of its own that ran out is taken up, not sent again", "[dispatcher][threads]") {
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

TEST_CASE("a graceful stop finishes what is being sent and gives the rest back", "[dispatcher][threads]") {
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

TEST_CASE("a run that was stopped before it began sends nothing", "[dispatcher][threads]") {
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

TEST_CASE("wake is heard at once", "[dispatcher][threads]") {
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

TEST_CASE("answers are written down when the first is 100 ms old, though another worker waits for its server",
          "[dispatcher][threads]") {
  HIRENOW_IN_EVERY_STORE(w);
  schedule_many(w, 6);
  recording_mailer box;
  gate door;
  box.answer = [&](const outgoing_mail& mail) {
    if (mail.to_address == "app3@example.org") door.pass();
    return taken;
  };
  manual_steady time;
  auto options = time.in(dispatch_options());
  options.poll_every = std::chrono::hours(1);  // it is the age of the answers that matters, not the next poll
  dispatcher d(w.bench, box, options);
  std::jthread worker([&](std::stop_token stop) { d.run(2, std::move(stop)); });
  door.await(1);
  CHECK(in_the_end([&] { return box.count() == 6; }));  // so the answers to four are there, and perhaps the fifth
  time.advance(99ms);
  d.wake();
  CHECK(count_in(w, message_state::accepted) == 0);
  time.advance(1ms);
  CHECK(in_the_end([&] {
    d.wake();
    return count_in(w, message_state::accepted) >= 4;
  }));
  CHECK(in_the_end([&] {
    time.advance(100ms);
    d.wake();
    return count_in(w, message_state::accepted) == 5;
  }));
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
