/// Announced mail: a dispatcher that would look only after an hour sends at once.

#include <atomic>
#include <chrono>
#include <thread>

#include <catch2/catch_test_macros.hpp>

#include "hirenow/adapters/postgres.hpp"
#include "hirenow/dispatcher.hpp"
#include "support/dispatching.hpp"
#include "support/postgres.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

using namespace hirenow;
using namespace hirenow::test;

namespace {

/// A world on PostgreSQL whose dispatcher polls once an hour.
struct quiet_world {
  explicit quiet_world(bool announces)
      : w({"postgres", [&](const std::filesystem::path&) {
             return schema
                 .open({.clock = postgres_clock::caller,
                        .announces_mail = announces,
                        .announce_every = std::chrono::milliseconds(50)})
                 .value();
           }}) {
    auto options = dispatch_options();
    options.poll_every = std::chrono::hours(1);
    sender.emplace(w.bench, box, options);
    running = std::jthread([this](std::stop_token stop) { sender->run(1, std::move(stop)); });
    listener = listen_for_mail(schema.url, schema.name, [this] {
                 sender->wake();
                 ++woken;
               }).value();
    REQUIRE(in_the_end([&] { return woken > 0; }));
  }
  void invite(int number) {
    auto terms = w.terms();
    terms.applicant.id = "app" + std::to_string(number);
    w.bench.schedule(terms, w.recruiter).value();
  }

  fresh_schema schema{};
  world w;
  recording_mailer box{};
  std::optional<dispatcher> sender{};
  std::atomic<int> woken{0};
  std::jthread running{};
  std::unique_ptr<mail_listener> listener{};
};

}  // namespace

TEST_CASE("a dispatcher listens as the guide has it", "[postgres][dispatcher]") {
  const std::string url = postgres_url();
  std::atomic<int> woken{0};
  struct {
    std::atomic<int>& woken;
    void wake() const { ++woken; }
  } const dispatcher{woken};
  const auto listener = hirenow::listen_for_mail(url, "hirenow", [&] { dispatcher.wake(); }).value();
  CHECK(in_the_end([&] { return woken > 0; }));  // it looks for what it may have missed
}

TEST_CASE("announced mail leaves without a poll", "[postgres][dispatcher]") {
  quiet_world q(true);
  q.invite(1);
  CHECK(in_the_end([&] { return q.box.count() == 1; }));
  // The mail may leave before the announcement arrives, with a look that was under way.
  CHECK(in_the_end([&] { return q.woken == 2; }));
  // What promises no mail announces none.
  const int before = q.woken;
  q.w.bench.update_applicant({"app1", "new@example.org", "Ada", "en", {}}, q.w.recruiter).value();
  std::this_thread::sleep_for(200ms);
  CHECK(q.woken == before);
  // A listener whose connection was ended begins anew, and looks for what it missed.
  plain_postgres(q.schema.url)
      .run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'hirenow listener'");
  q.invite(2);
  CHECK(in_the_end([&] { return q.box.count() == 2; }));
}

TEST_CASE("a store that announces nothing wakes nobody", "[postgres][dispatcher]") {
  quiet_world q(false);
  const int before = q.woken;
  q.invite(1);  // which a look that was under way may still find
  std::this_thread::sleep_for(500ms);
  CHECK(q.woken == before);
}

TEST_CASE("many commits are announced together", "[postgres][dispatcher]") {
  quiet_world q(true);
  const int before = q.woken;
  const auto begun = std::chrono::steady_clock::now();
  for (int n = 0; n < 100; ++n) q.invite(n);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  CHECK(in_the_end([&] { return q.box.count() == 100; }));
  CHECK(q.woken - before >= 1);
  CHECK(q.woken - before <= took.count() / 50 + 2);
}

TEST_CASE("who cannot listen is told so", "[postgres]") {
  CHECK(code_of(listen_for_mail(postgres_url(), "hirenow", {})) == errc::invalid_argument);
  CHECK(code_of(listen_for_mail(postgres_url(), "pg_own", [] {})) == errc::invalid_argument);
  CHECK(code_of(listen_for_mail(std::string("a\0b", 3), "hirenow", [] {})) == errc::invalid_argument);
  // One that never reaches its server can be ended.
  CHECK(listen_for_mail("postgresql://nobody@/none?host=/missing", "hirenow", [] {}));
}
