// What there is to watch of a dispatcher: its figures, the outbox's, and both as Prometheus reads them. Messages of
// kinds that only a newer version knows, and calls that overlap.

#include <string>
#include <thread>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "hirenow/dispatcher.hpp"
#include "support/plain_sql.hpp"
#include "support/recording_mailer.hpp"
#include "support/store_in_between.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

interview_id invite(world& w, const std::string& applicant_id, const notify& n = {}) {
  auto terms = w.terms();
  terms.applicant.id = applicant_id;
  terms.link_lifetime = days{30};
  terms.notify = n;
  return w.bench.schedule(terms, w.recruiter).value().interview.id;
}

}  // namespace

TEST_CASE("the figures tell how the outbox stands and what a dispatcher has done", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  recording_mailer box;
  auto options = dispatch_options();
  options.most_tries = 2;
  dispatcher sender(w.bench, box, options);
  CHECK(sender.stats().value() == dispatch_stats{.outbox = outbox_figures{}});

  for (const auto* id : {"ada", "bob", "carl"}) invite(w, id);
  invite(w, "later", notify::not_before(monday + 24h));
  w.clock.advance(90s);
  auto now = sender.stats().value();
  CHECK(now.outbox == outbox_figures{.queued = 4, .due = 3, .oldest_due = monday});
  CHECK(now.oldest_due_age == 90U);

  // One is taken, one is refused for good, one is tried until it is dead.
  box.answer = [n = 0](const outgoing_mail&) mutable {
    const auto outcomes = {delivery_outcome::accepted, delivery_outcome::permanent, delivery_outcome::temporary};
    return delivery{outcomes.begin()[n++ % 3], 0, "said"};
  };
  REQUIRE(sender.dispatch_due());
  now = sender.stats().value();
  CHECK(now.sent == dispatch_report{.accepted = 1, .retried = 1, .dead = 1});
  CHECK(now.outbox->queued == 2);
  CHECK(now.outbox->due == 0);
  CHECK(now.outbox->dead == 1);
  CHECK_FALSE(now.oldest_due_age);
  box.answer = [](const outgoing_mail&) { return delivery{delivery_outcome::temporary, 451, "451 no"}; };
  w.clock.advance(2min);
  REQUIRE(sender.dispatch_due());
  now = sender.stats().value();
  CHECK(now.sent == dispatch_report{.accepted = 1, .retried = 1, .dead = 2});
  CHECK(now.outbox->dead == 2);

  // What a worker that died holds has a lease that runs out.
  const auto held = w.data->claim({.now = monday + 24h, .lease = 30s, .limit = 9, .token = {7}}).value();
  REQUIRE(held.size() == 1);
  w.clock.set(monday + 24h);
  CHECK(sender.stats()->outbox == outbox_figures{.leased = 1, .dead = 2});
  w.clock.advance(30s);
  CHECK(sender.stats()->outbox == outbox_figures{.leased = 1, .lapsed = 1, .dead = 2});

  // Another dispatcher has done nothing, and sees the same outbox.
  dispatcher other(w.bench, box, options);
  CHECK(other.stats()->sent == dispatch_report{});
  CHECK(other.stats()->outbox == sender.stats()->outbox);
}

TEST_CASE("an answer that comes after another took the lease is counted as lost", "[dispatcher]") {
  HIRENOW_IN_EVERY_STORE(w);
  recording_mailer box;
  dispatcher sender(w.bench, box, dispatch_options());
  invite(w, "ada");
  // While the mail is on its way its lease runs out, and another worker takes it.
  box.answer = [&](const outgoing_mail&) {
    REQUIRE(w.data->claim({.now = monday + 1h, .limit = 1, .token = {9}}).value().size() == 1);
    return delivery{delivery_outcome::accepted, 250, "250 taken"};
  };
  REQUIRE(sender.dispatch_due());
  CHECK(sender.stats()->sent == dispatch_report{.lost = 1});
}

TEST_CASE("a store that does not count leaves the gauges out", "[dispatcher]") {
  struct silent final : store_in_between {
    using store_in_between::store_in_between;
    result<std::optional<outbox_figures>> outbox(sys_seconds now) override { return store::outbox(now); }
  };
  world w(stores()[0]);
  silent quiet(*w.data);
  auto bench = w.another(quiet);
  recording_mailer box;
  dispatcher sender(bench, box, dispatch_options());
  const auto stats = sender.stats().value();
  CHECK_FALSE(stats.outbox);
  CHECK(prometheus_text(stats).find("outbox") == std::string::npos);
}

TEST_CASE("Prometheus reads the figures", "[dispatcher]") {
  dispatch_stats stats{.sent = {.accepted = 1, .retried = 2, .dead = 3, .withdrawn = 4, .released = 5, .lost = 6}};
  stats.sent.store_errors = 7;
  stats.sent.put_off = 11;
  stats.outbox = outbox_figures{10, 8, 2, 1, 9, monday};
  stats.oldest_due_age = 61;
  CHECK(prometheus_text(stats) ==
        "# HELP hirenow_outbox_messages Messages that are not settled, by state; due ones are queued too.\n"
        "# TYPE hirenow_outbox_messages gauge\n"
        "hirenow_outbox_messages{state=\"queued\"} 10\n"
        "hirenow_outbox_messages{state=\"due\"} 8\n"
        "hirenow_outbox_messages{state=\"leased\"} 2\n"
        "hirenow_outbox_messages{state=\"lapsed\"} 1\n"
        "hirenow_outbox_messages{state=\"dead\"} 9\n"
        "# HELP hirenow_outbox_oldest_due_age_seconds For how long the message due longest has been due.\n"
        "# TYPE hirenow_outbox_oldest_due_age_seconds gauge\n"
        "hirenow_outbox_oldest_due_age_seconds 61\n"
        "# HELP hirenow_dispatched_messages_total Messages this dispatcher was done with, by what came of them.\n"
        "# TYPE hirenow_dispatched_messages_total counter\n"
        "hirenow_dispatched_messages_total{outcome=\"accepted\"} 1\n"
        "hirenow_dispatched_messages_total{outcome=\"retried\"} 2\n"
        "hirenow_dispatched_messages_total{outcome=\"dead\"} 3\n"
        "hirenow_dispatched_messages_total{outcome=\"withdrawn\"} 4\n"
        "hirenow_dispatched_messages_total{outcome=\"released\"} 5\n"
        "hirenow_dispatched_messages_total{outcome=\"lost\"} 6\n"
        "hirenow_dispatched_messages_total{outcome=\"put_off\"} 11\n"
        "# HELP hirenow_dispatcher_store_errors_total Calls of this dispatcher's that the store failed.\n"
        "# TYPE hirenow_dispatcher_store_errors_total counter\n"
        "hirenow_dispatcher_store_errors_total 7\n");
}

TEST_CASE("a message of a kind that only a newer version knows is left to newer nodes", "[dispatcher]") {
  world w(stores()[1]);
  invite(w, "ada");
  const auto bob = invite(w, "bob");
  plain_sql outside(w.folder.path() / "ats.db");
  outside.run(
      "PRAGMA ignore_check_constraints = ON; UPDATE hirenow_outbox SET kind = 42 WHERE interview <> (SELECT "
      "max(interview) FROM hirenow_outbox)");
  REQUIRE(outside.number("SELECT count(*) FROM hirenow_outbox WHERE kind = 42") == 1);
  const auto before =
      outside.value("SELECT hex(interview) || state || tries || wake_at FROM hirenow_outbox WHERE kind = 42");
  recording_mailer box;
  dispatcher sender(w.bench, box, dispatch_options());
  for (int n = 0; n < 3; ++n) REQUIRE(sender.dispatch_due());
  CHECK(box.count() == 1);
  CHECK(w.messages(bob)[0].state == message_state::accepted);
  CHECK(sender.stats()->sent == dispatch_report{.accepted = 1});
  CHECK(sender.stats()->outbox == outbox_figures{});
  CHECK_FALSE(w.data->next_due().value());
  CHECK(outside.value("SELECT hex(interview) || state || tries || wake_at FROM hirenow_outbox WHERE kind = 42") ==
        before);
}

TEST_CASE("an unknown kind that a store hands out all the same is given back untried", "[dispatcher]") {
  struct newer final : store_in_between {
    using store_in_between::store_in_between;
    result<std::vector<claimed_message>> claim(const claim_request& r) override {
      auto claimed = store_in_between::claim(r);
      if (claimed)
        for (auto& m : *claimed) m.mail.key.kind = static_cast<message_kind>(42);
      return claimed;
    }
    result<std::vector<bool>> settle(std::span<const settlement> all) override {
      for (const auto& one : all) verdicts.push_back(one.what);
      return std::vector<bool>(all.size(), true);
    }
    std::vector<settlement::verdict> verdicts{};
  };
  world w(stores()[0]);
  newer store(*w.data);
  auto bench = w.another(store);
  invite(w, "ada");
  recording_mailer box;
  dispatcher sender(bench, box, dispatch_options());
  CHECK(sender.dispatch_due()->released == 1);
  CHECK(store.verdicts == std::vector{settlement::verdict::release});
  CHECK(box.count() == 0);
}

TEST_CASE("calls that overlap share the work and double nothing", "[dispatcher][concurrent]") {
  world w(stores()[static_cast<std::size_t>(GENERATE(0, 1))]);
  constexpr int people = 60;
  for (int n = 0; n < people; ++n) invite(w, "app-" + std::to_string(n));
  recording_mailer box;
  dispatcher sender(w.bench, box, dispatch_options()), other(w.bench, box, dispatch_options());
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&, n] {
      for (int round = 0; round < 5; ++round) {
        static_cast<void>((n == 0 ? other : sender).dispatch_due(9));
        static_cast<void>(sender.stats());
        sender.wake();
      }
    });
  for (auto& t : threads) t.join();
  REQUIRE(sender.dispatch_due());
  CHECK(box.count() == people);
  for (const auto& [id, copies] : box.copies()) CHECK(copies == 1);
  CHECK(sender.stats()->sent.accepted + other.stats()->sent.accepted == people);
}
