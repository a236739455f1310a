// Several tenants and limits: who gets which part of a claim, and how fast mail leaves.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "hirenow/dispatcher.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

/// Invites so many people of a tenant's.
void invite(world& w, const std::string& tenant, int many) {
  const actor who{"rita", tenant, role::recruiter};
  for (int n = 0; n < many; ++n) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(n);
    terms.applicant.email = terms.applicant.id + "@" + tenant + ".example";
    w.bench.schedule(terms, who).value();
  }
}

std::size_t sent_to(const recording_mailer& box, const std::string& tenant) {
  const auto all = box.mails();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](const auto& mail) { return mail.to_address.ends_with("@" + tenant + ".example"); }));
}

/// A world's clock, and the one by which a dispatcher measures; both go together.
struct timed {
  world& w;
  std::atomic<std::chrono::steady_clock::duration> passed{std::chrono::hours(1)};

  dispatcher_options options() {
    auto o = dispatch_options();
    o.steady_now = [this] { return std::chrono::steady_clock::time_point(passed.load()); };
    return o;
  }
  void advance(seconds by) {
    w.clock.advance(by);
    passed = passed.load() + by;
  }
};

}  // namespace

TEST_CASE("a tenant with a backlog keeps no other waiting", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "large", 200);
  w.clock.advance(60s);  // all of it is older than what follows
  invite(w, "small", 3);
  invite(w, "tiny", 1);
  recording_mailer box;
  dispatcher d(w.bench, box, dispatch_options());
  CHECK(d.dispatch_due(32)->accepted == 32);
  CHECK(sent_to(box, "small") == 3);
  CHECK(sent_to(box, "tiny") == 1);
  // Within a claim they take turns, too.
  const auto mails = box.mails();
  for (std::size_t n = 0; n < 8; ++n) {
    INFO(n);
    if (n < 3)
      CHECK(std::count_if(mails.begin(), mails.begin() + 3,
                          [](const auto& m) { return m.to_address.ends_with("@large.example"); }) == 1);
  }
  CHECK(d.dispatch_due()->accepted == 172);
}

TEST_CASE("no more mail leaves in a minute than may", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "acme", 100);
  timed time{w};
  auto options = time.options();
  options.most_per_minute = 600;
  recording_mailer box;
  dispatcher d(w.bench, box, options);
  CHECK(d.dispatch_due()->accepted == 10);  // a second's worth at once
  CHECK(d.dispatch_due()->accepted == 0);
  time.advance(1s);
  CHECK(d.dispatch_due(4)->accepted == 4);
  CHECK(d.dispatch_due()->accepted == 6);
  time.advance(60s);  // what was not used is not saved up
  CHECK(d.dispatch_due()->accepted == 10);
  for (int n = 0; n < 7; ++n) {
    time.advance(1s);
    CHECK(d.dispatch_due()->accepted == 10);
  }
  CHECK(box.count() == 100);
  CHECK(d.stats()->sent.released == 0);
}

TEST_CASE("a limit of one tenant's mail puts off that tenant's alone", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "large", 10);
  invite(w, "small", 1);
  timed time{w};
  auto options = time.options();
  options.most_per_minute_of_tenant = 30;
  recording_mailer box;
  dispatcher d(w.bench, box, options);
  const auto first = d.dispatch_due().value();
  CHECK(first.accepted == 2);
  CHECK(first.put_off == 9);
  CHECK(first.released == 0);
  CHECK(sent_to(box, "small") == 1);
  // Each is due at an instant of its own, untried.
  std::set<sys_seconds> instants;
  for (const auto& m : w.data->messages({.tenant = "large", .state = message_state::queued, .limit = 50}).value()) {
    CHECK(m.tries == 0);
    instants.insert(m.due_at);
  }
  CHECK(instants.size() == 9);
  CHECK(*instants.begin() == w.clock.now() + 2s);
  CHECK(*instants.rbegin() == w.clock.now() + 18s);
  for (int n = 0; n < 9; ++n) {
    time.advance(1s);
    CHECK(d.dispatch_due()->accepted == 0);
    time.advance(1s);
    CHECK(d.dispatch_due()->accepted == 1);
  }
  CHECK(box.count() == 11);
  CHECK(d.stats()->sent.put_off == 9);
}

TEST_CASE("dispatchers of one store keep to its limits together", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "acme", 20);
  invite(w, "other", 20);
  timed time{w};
  auto options = time.options();
  options.most_per_minute = 600;
  options.most_per_minute_of_tenant = 360;
  recording_mailer box;
  dispatcher first(w.bench, box, options), second(w.bench, box, options);
  CHECK(first.dispatch_due(4)->accepted == 4);
  CHECK(second.dispatch_due()->accepted == 6);
  CHECK(first.dispatch_due()->accepted == 0);
  CHECK(sent_to(box, "acme") == 5);
  time.advance(1s);
  CHECK(second.dispatch_due()->accepted == 10);
  CHECK(first.dispatch_due()->accepted == 0);
  time.advance(1s);
  CHECK(first.dispatch_due(10)->accepted == 10);
  CHECK(sent_to(box, "acme") == 15);
}

TEST_CASE("what one tenant may not send is left to the others", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "large", 30);
  invite(w, "small", 1);
  timed time{w};
  auto options = time.options();
  options.most_per_minute = 600;
  options.most_per_minute_of_tenant = 60;
  recording_mailer box;
  dispatcher d(w.bench, box, options);
  const auto first = d.dispatch_due().value();
  CHECK(first.accepted == 2);
  CHECK(first.put_off == 29);
  for (int n = 0; n < 9; ++n) invite(w, "late" + std::to_string(n), 1);
  CHECK(d.dispatch_due()->accepted == 8);  // ten in all
  // What could have left meanwhile is not taken back: somebody else may have had its place.
  time.advance(1s);
  CHECK(d.dispatch_due()->accepted == 2);
  for (int n = 0; n < 9; ++n) invite(w, "later" + std::to_string(n), 1);
  time.passed = time.passed.load() + 500ms;
  CHECK(d.dispatch_due()->accepted == 3);  // of eight, five had left
}

TEST_CASE("where the store does not count, each dispatcher counts for itself", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "acme", 40);
  struct no_counter : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<allowance>> allow(std::span<const allowance_request> r) override { return store::allow(r); }
  } plain(*w.data);
  auto bench = w.another(plain);
  timed time{w};
  auto options = time.options();
  options.most_per_minute = 600;
  options.most_per_minute_of_tenant = 300;
  recording_mailer box;
  dispatcher first(bench, box, options), second(bench, box, options);
  CHECK(first.dispatch_due(10)->accepted == 5);
  CHECK(second.dispatch_due(10)->accepted == 5);
  CHECK(first.dispatch_due(10)->accepted == 0);
}

TEST_CASE("nothing leaves while the store cannot say whether it may", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "acme", 3);
  struct failing_counter : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<allowance>> allow(std::span<const allowance_request> r) override {
      if (r[0].tenant.empty() ? all_fail : tenants_fail) return hirenow::detail::fail(errc::store_busy, "no answer");
      return next_.allow(r);
    }
    bool all_fail = false, tenants_fail = false;
  } failing(*w.data);
  auto bench = w.another(failing);
  auto options = dispatch_options();
  options.most_per_minute = 600;
  options.most_per_minute_of_tenant = 600;
  recording_mailer box;
  dispatcher d(bench, box, options);
  failing.all_fail = true;
  CHECK(d.dispatch_due().error().code == errc::store_busy);
  failing.all_fail = false;
  failing.tenants_fail = true;
  const auto report = d.dispatch_due().value();
  CHECK(report.accepted == 0);
  CHECK(report.put_off == 3);
  CHECK(report.store_errors == 1);
  failing.tenants_fail = false;
  CHECK(d.dispatch_due()->accepted == 0);
  w.clock.advance(1s);
  CHECK(d.dispatch_due()->accepted == 3);
}

TEST_CASE("a running dispatcher keeps to its limits as well", "[dispatcher][concurrent]") {
  HIRENOW_IN_EVERY_STORE(w);
  invite(w, "acme", 30);
  timed time{w};
  auto options = time.options();
  options.most_per_minute = 600;
  options.poll_every = 1ms;
  recording_mailer box;
  dispatcher d(w.bench, box, options);
  std::jthread worker([&](std::stop_token stop) { d.run(2, std::move(stop)); });
  for (std::size_t due = 10; due <= 30; due += 10) {
    for (const auto end = std::chrono::steady_clock::now() + 60s;
         box.count() < due && std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(2ms))
      d.wake();
    for (int n = 0; n < 20; ++n) {
      d.wake();
      std::this_thread::sleep_for(1ms);
    }
    CHECK(box.count() == due);
    time.advance(1s);
  }
}

TEST_CASE("a worker whose database was slow asks whether it may still send", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  const bool taken_over = GENERATE(true, false);
  invite(w, "acme", 1);
  timed time{w};
  recording_mailer box, other_box;
  struct slow_store : store_in_between {
    using store_in_between::store_in_between;
    result<loaded> load(const load_request& r) override {
      auto data = next_.load(r);
      const std::lock_guard lock(busy);
      meanwhile();
      return data;
    }
    // No lease is renewed between the end of it and the taking over.
    result<std::vector<bool>> settle(std::span<const settlement> s) override {
      const std::lock_guard lock(busy);
      return next_.settle(s);
    }
    std::function<void()> meanwhile{};
    std::mutex busy{};
  } slow(*w.data);
  auto bench = w.another(slow);
  dispatcher d(bench, box, time.options()), other(w.bench, other_box, time.options());
  slow.meanwhile = [&] {
    time.advance(31s);  // longer than its lease
    if (taken_over) CHECK(other.dispatch_due()->accepted == 1);
  };
  const auto report = d.dispatch_due(1).value();  // one: it must not take over itself what it has lost
  CHECK(box.count() == (taken_over ? 0 : 1));
  CHECK(report.accepted == (taken_over ? 0 : 1));
  CHECK(report.lost == (taken_over ? 1 : 0));
}
