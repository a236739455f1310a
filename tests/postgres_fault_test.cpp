/// What the PostgreSQL store does when connections break, time runs out, or somebody else was faster.

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "hirenow/adapters/postgres.hpp"
#include "hirenow/dispatcher.hpp"
#include "hirenow/testing/check_tools.hpp"
#include "support/dispatching.hpp"
#include "support/postgres.hpp"
#include "support/postgres_proxy.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using namespace std::chrono_literals;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::fresh_schema;
using test::plain_postgres;
using test::postgres_proxy;

/// A world whose store speaks through a proxy.
struct watched_world {
  explicit watched_world(postgres_options options = {}) : options_(std::move(options)) {}

  fresh_schema schema{};
  postgres_proxy proxy{};
  postgres_options options_;
  test::world w{{"postgres", [this](const std::filesystem::path&) {
                   options_.schema = schema.name;
                   options_.clock = postgres_clock::caller;
                   return open_postgres_store(proxy.url(), options_).value();
                 }}};
  plain_postgres outside{schema.url};

  long long count(const std::string& table) {
    return outside.number("SELECT count(*) FROM " + schema.name + "." + table);
  }
  /// How many round trips a call takes.
  template <class Call>
  std::uint64_t trips(Call call) {
    const auto before = proxy.syncs();
    call();
    return proxy.syncs() - before;
  }
};

/// A server that a test may stop.
struct own_server {
  own_server() {
    REQUIRE(std::system((script + " start " + file + " " + std::to_string(::getpid()) + " >/dev/null").c_str()) == 0);
    std::ifstream in(file);
    REQUIRE(std::getline(in, url));
  }
  ~own_server() { static_cast<void>(std::system((script + " stop " + file).c_str())); }
  own_server(const own_server&) = delete;
  own_server& operator=(const own_server&) = delete;

  /// Sends a signal to the server's processes.
  void signal_all(int number) const {
    std::string where, first;
    std::ifstream in(file + ".folder");
    std::getline(in, where);
    std::ifstream pids(where + "/data/postmaster.pid");
    std::getline(pids, first);
    const std::string how = "kill -" + std::to_string(number) + " " + first + " $(pgrep -P " + first + ")";
    REQUIRE(std::system(how.c_str()) == 0);
  }

  test::temporary_folder folder{};
  const std::string file = (folder.path() / "url").string(), script = HIRENOW_SOURCE_DIR "/tests/support/postgres.sh";
  std::string url{};
};

change_set next_person(int number) {
  record_writer w("person-" + std::to_string(number), "acme");
  const auto id = w.schedule("backend", instant(number));
  w.promise(id, message_kind::invitation, instant(number));
  return w.take();
}

std::size_t people(store& s) { return s.audit_heads("acme", {}, 10'000).value().size(); }

}  // namespace

TEST_CASE("a use case costs two round trips", "[postgres]") {
  watched_world j;
  const auto warm = test::bring_to(j.w, "failed");  // makes tenant and track, prepares what is needed
  auto terms = j.w.terms();
  terms.applicant.id = "another";
  std::optional<invited> made;
  CHECK(j.trips([&] { made = j.w.bench.schedule(terms, j.w.recruiter).value(); }) == 2);
  std::optional<session> open;
  CHECK(j.trips([&] { open = j.w.bench.start(test::token_in(made->link), test::key_one).value().session; }) == 2);
  CHECK(j.trips([&] { j.w.bench.checkpoint(*open, "half way").value(); }) == 2);
  CHECK(j.trips([&] { j.w.bench.submit(*open).value(); }) == 2);
  CHECK(j.trips([&] { j.w.bench.decide(made->interview.id, j.w.reviewer, {.outcome = outcome::failed}).value(); }) ==
        2);
  CHECK(j.trips([&] { j.w.bench.retake_eligibility(warm.id, j.w.recruiter).value(); }) == 1);
  CHECK(j.trips([&] { j.w.bench.retake(warm.id, j.w.recruiter, {.idempotency_key = "click"}).value(); }) == 2);
  CHECK(j.trips([&] { j.w.bench.retake(warm.id, j.w.recruiter, {.idempotency_key = "click"}).value(); }) == 1);
  CHECK(j.trips([&] { test::code_of(j.w.bench.retake(warm.id, j.w.recruiter)); }) == 1);
}

TEST_CASE("a stale version in the pipeline commits nothing", "[postgres]") {
  fresh_schema schema;
  const auto store = schema.open().value();
  record_writer first;
  const auto id = first.schedule("backend", instant(0));
  first.commit(*store);
  record_writer second = first;
  first.step(id, event::cancel, instant(1));
  first.commit(*store);
  second.step(id, event::start, instant(2));
  second.promise(id, message_kind::reminder, instant(2));
  const auto late = second.take();
  const auto shape = [&] {
    plain_postgres sql(schema.url);
    std::string all;
    for (const char* table : {"interview", "audit", "outbox", "session", "count_delta"})
      all += sql.value("SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '/' ORDER BY t::text)), '') FROM " +
                       schema.name + ".hirenow_" + table + " AS t") +
             "; ";
    return all;
  };
  const auto before = shape();
  CHECK(test::code_of(store->commit(late)) == errc::conflict);
  CHECK(shape() == before);
  // It is the database that refuses. Without its trigger the commit goes on, until another promise of it breaks.
  plain_postgres(schema.url)
      .run("ALTER TABLE " + schema.name + ".hirenow_applicant DISABLE TRIGGER hirenow_applicant_update");
  CHECK(test::code_of(store->commit(late)) == errc::constraint_violated);
}

TEST_CASE("a commit is done once, wherever in it the connection breaks", "[postgres]") {
  watched_world j;
  const bool after = GENERATE(false, true);
  std::size_t cuts = 0, again = 0;
  for (std::uint64_t n = 1;; ++n) {
    auto terms = j.w.terms();
    terms.applicant.id = "person-" + std::to_string(n);
    const auto made = j.w.bench.schedule(terms, j.w.recruiter).value();
    // The call's first message is the load's; from somewhere on they are the commit's.
    const auto before = j.proxy.connections();
    j.proxy.cut(n, after);
    const auto done =
        j.w.bench.cancel(made.interview.id, j.w.recruiter, {.idempotency_key = "key-" + std::to_string(n)});
    const bool cut = j.proxy.has_cut();
    j.proxy.do_not_cut();
    INFO("message " << n << (after ? ", after it" : ", before it"));
    REQUIRE(done);
    if (!cut) break;
    ++cuts;
    again += j.proxy.connections() > before ? 1U : 0U;
    CHECK(j.w.stored(made.interview.id).state == interview_state::cancelled);
    const auto audit = j.w.audit(terms.applicant.id);
    CHECK(audit.size() == 2);
    CHECK(j.w.messages(made.interview.id).size() <= 2);
    CHECK(j.w.bench.verify_audit(terms.applicant.id, j.w.recruiter));
  }
  CHECK(cuts > 20);
  CHECK(again == cuts);
}

TEST_CASE("a commit whose outcome nobody can tell says so", "[postgres]") {
  watched_world j;
  const auto open = j.w.bench.start(test::token_in(j.w.schedule().link), test::key_one).value().session;
  REQUIRE(j.w.bench.checkpoint(open, "none"));  // from now on each takes as many messages
  // What moves no version cannot be looked for.
  const auto messages = j.proxy.messages();
  REQUIRE(j.w.bench.checkpoint(open, "one"));
  const auto length = j.proxy.messages() - messages;
  j.proxy.cut(length - 1, true);  // the COMMIT; the last is the Sync
  CHECK(test::code_of(j.w.bench.checkpoint(open, "two")) == errc::store_outcome_unknown);
  CHECK(j.outside.value("SELECT convert_from(progress, 'UTF8') FROM " + j.schema.name + ".hirenow_session") == "two");
}

TEST_CASE("sessions that the server ended are replaced, and nobody notices", "[postgres]") {
  fresh_schema schema;
  const auto store = schema.open().value();
  plain_postgres outside(schema.url);
  for (int n = 0; n < 20; ++n) {
    REQUIRE(store->commit(next_person(n)));
    outside.run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE application_name = 'hirenow'");
    if (n % 2) REQUIRE(people(*store) == static_cast<std::size_t>(n + 1));
  }
  CHECK(people(*store) == 20);
}

TEST_CASE("sessions that are ended in the middle of commits lose and double nothing", "[postgres][concurrent]") {
  fresh_schema schema;
  const auto store = schema.open({.connections = 4, .clock = postgres_clock::caller}).value();
  std::atomic<int> done{0}, failed{0}, ended{0};
  std::atomic<bool> stop{false};
  std::jthread enemy([&] {
    plain_postgres outside(schema.url);
    while (!stop) {
      ended += static_cast<int>(outside.number(
          "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE application_name = "
          "'hirenow' AND state <> 'idle' LIMIT 1) AS one"));
      std::this_thread::sleep_for(1ms);
    }
  });
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 4; ++t)
      callers.emplace_back([&, t] {
        for (int n = t; n < 400; n += 4) (store->commit(next_person(n)) ? done : failed)++;
      });
  }
  stop = true;
  enemy.join();
  INFO(ended << " sessions ended, " << failed << " commits failed");
  CHECK(ended > 0);
  plain_postgres sql(schema.url);
  const auto rows = sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_applicant");
  CHECK(rows >= done);
  CHECK(rows <= done + failed);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_audit") == rows);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_outbox") == rows);
}

TEST_CASE("a store survives the restart of its server", "[postgres]") {
  const own_server server;
  const std::string &url = server.url, &file = server.file;
  const auto store = open_postgres_store(url).value();
  REQUIRE(store->commit(next_person(1)));
  const std::string stopped = GENERATE("fast", "immediate");
  REQUIRE(std::system((file + ".ctl stop --mode=" + stopped).c_str()) == 0);
  CHECK(test::code_of(store->commit(next_person(2))) == errc::store_unavailable);
  CHECK(test::code_of(store->next_due()) == errc::store_unavailable);
  REQUIRE(std::system((file + ".ctl start >/dev/null").c_str()) == 0);
  REQUIRE(store->commit(next_person(2)));
  CHECK(people(*store) == 2);
}

TEST_CASE("a call that takes too long is given up, and has done nothing", "[postgres]") {
  fresh_schema schema;
  const auto store = schema.open({.connections = 2, .call_timeout = 200ms, .clock = postgres_clock::caller}).value();
  record_writer writer;
  const auto id = writer.schedule("backend", instant(0));
  writer.commit(*store);
  plain_postgres outside(schema.url);
  outside.run("BEGIN; SELECT * FROM " + schema.name + ".hirenow_applicant FOR UPDATE");
  writer.step(id, event::cancel, instant(1));
  const auto late = writer.take();
  const auto begun = std::chrono::steady_clock::now();
  // The COMMIT was sent already, but a commit can be looked for: it waits behind the lock, and so does its repetition.
  const auto given_up = test::code_of(store->commit(late));
  CHECK((given_up == errc::store_busy || given_up == errc::store_outcome_unknown));
  CHECK(std::chrono::steady_clock::now() - begun < 5s);
  outside.run("COMMIT");
  // What was given up was cancelled: it is not done later.
  CHECK(outside.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hirenow' AND wait_event_type = "
                       "'Lock'") == 0);
  CHECK(store->load({.tenant = "acme", .who = std::string_view("ada")})->record.version == 1);
  REQUIRE(store->commit(late));
}

TEST_CASE("a server that stands still keeps no call longer than it may take", "[postgres][threads]") {
  const own_server server;
  const auto store = open_postgres_store(server.url, {.call_timeout = 300ms}).value();
  REQUIRE(store->commit(next_person(1)));
  std::atomic<int> woken{0};
  auto listener = listen_for_mail(server.url, "hirenow", [&] { ++woken; }).value();
  for (const auto end = std::chrono::steady_clock::now() + 60s; woken == 0 && std::chrono::steady_clock::now() < end;)
    std::this_thread::sleep_for(2ms);
  CHECK(woken > 0);
  server.signal_all(SIGSTOP);
  const auto begun = std::chrono::steady_clock::now();
  const auto commit = store->commit(next_person(2));
  const auto look = store->next_due();
  listener.reset();
  const auto took = std::chrono::steady_clock::now() - begun;
  server.signal_all(SIGCONT);
  CHECK((test::code_of(commit) == errc::store_busy || test::code_of(commit) == errc::store_outcome_unknown));
  CHECK((test::code_of(look) == errc::store_busy || test::code_of(look) == errc::store_unavailable));
  CHECK(took < 20s);  // it was for ever
  REQUIRE(open_postgres_store(server.url).value()->commit(next_person(3)));
}

TEST_CASE("no more connections are made than were allowed", "[postgres][concurrent]") {
  fresh_schema schema;
  postgres_proxy proxy;
  const auto store =
      open_postgres_store(proxy.url(), {.schema = schema.name, .connections = 3, .clock = postgres_clock::caller})
          .value();
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 16; ++t)
      callers.emplace_back([&, t] {
        for (int n = t; n < 160; n += 16) failed += store->commit(next_person(n)) ? 0 : 1;
      });
  }
  CHECK(failed == 0);
  CHECK(proxy.connections() <= 3);
  CHECK(people(*store) == 160);
}

TEST_CASE("the child of a fork is told to open its own PostgreSQL store, and harms nothing", "[postgres]") {
  fresh_schema schema;
  auto store = schema.open().value();
  REQUIRE(store->commit(next_person(1)));
  const pid_t child = ::fork();
  if (child == 0) {
    int status = 0;
    if (store->commit(next_person(2)).error().code != errc::forked) status = 1;
    store.reset();  // must say nothing to the parent's session
    const auto own = schema.open();
    if (!own || !(*own)->commit(next_person(2))) status = 2;
    ::_exit(status);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  REQUIRE(store->commit(next_person(3)));
  CHECK(people(*store) == 3);
}

TEST_CASE("behind PgBouncer, which pools transactions, the store works without prepared statements", "[postgres]") {
  test::temporary_folder folder;
  // postgresql://hirenow@/postgres?host=FOLDER&port=NUMBER
  const std::string url = test::postgres_url();
  const auto host = url.find("host=") + 5, port = url.find("&port=");
  {
    std::ofstream ini(folder.path() / "pgbouncer.ini");
    const std::string server = " = host=" + url.substr(host, port - host) + " port=" + url.substr(port + 6);
    ini << "[databases]\npostgres" << server << " user=hirenow\nowned" << server
        << " dbname=postgres user=owner\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = " << folder.path().string()
        << "\nlisten_port = 6432\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\nlogfile = "
        << (folder.path() / "log").string() << "\n";
  }
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  const pid_t bouncer = ::fork();
  if (bouncer == 0) {
    const std::string ini = (folder.path() / "pgbouncer.ini").string();
    if (::geteuid() == 0)  // it does not run as root
      ::execlp("pgbouncer", "pgbouncer", "-q", "-u", "postgres", ini.c_str(), nullptr);
    else
      ::execlp("pgbouncer", "pgbouncer", "-q", ini.c_str(), nullptr);
    ::_exit(127);
  }
  struct at_end {
    pid_t process;
    ~at_end() {
      ::kill(process, SIGKILL);
      ::waitpid(process, nullptr, 0);
    }
  } const stop{bouncer};
  for (int n = 0; n < 500 && !std::filesystem::exists(folder.path() / ".s.PGSQL.6432"); ++n)
    std::this_thread::sleep_for(10ms);
  fresh_schema schema;
  const std::string pooled = url.substr(0, host) + folder.path().string() + "&port=6432";
  const auto open = [&](bool prepared) {
    return open_postgres_store(
        pooled,
        {.schema = schema.name, .connections = 4, .prepared_statements = prepared, .clock = postgres_clock::caller});
  };
  const auto commits = [&](store& s, int first) {
    std::atomic<int> failed{0};
    std::vector<std::jthread> callers;
    for (int t = 0; t < 4; ++t)
      callers.emplace_back([&, t] {
        for (int n = t; n < 80; n += 4) failed += s.commit(next_person(first + n)) ? 0 : 1;
      });
    callers.clear();
    return failed.load();
  };
  const auto store = open(false);
  REQUIRE(store);
  CHECK(commits(**store, 0) == 0);
  CHECK(people(**store) == 80);
  // So do dispatchers, and row security, whose setting is a transaction's. Nothing protects a superuser's rows.
  const fresh_schema owned;
  plain_postgres above;
  above.refusal("CREATE ROLE owner LOGIN");
  above.run("CREATE SCHEMA " + owned.name + " AUTHORIZATION owner");
  std::string as_owner = pooled;
  as_owner.replace(as_owner.find("/postgres?"), std::string_view("/postgres").size(), "/owned");
  test::world w({"postgres", [&](const std::filesystem::path&) {
                   return open_postgres_store(as_owner, {.schema = owned.name,
                                                         .connections = 4,
                                                         .prepared_statements = false,
                                                         .clock = postgres_clock::caller,
                                                         .row_security = true})
                       .value();
                 }});
  test::schedule_many(w, 40);
  test::recording_mailer box;
  dispatcher d(w.bench, box, test::dispatch_options());
  {
    std::jthread run([&](std::stop_token stop) { d.run(4, std::move(stop)); });
    CHECK(test::in_the_end([&] { return test::count_in(w, message_state::accepted) == 40; }));
  }
  CHECK(test::each_once(box, 40));
  CHECK(above.value("SELECT string_agg(r.relname, ' ') FROM pg_class AS r WHERE r.relrowsecurity AND r.relname = "
                    "'hirenow_outbox' AND r.relnamespace = '" +
                    owned.name + "'::regnamespace") == "hirenow_outbox");
  // With them it cannot work: a session's statements are gone with the next transaction.
  const auto other = open(true);
  CHECK((!other || commits(**other, 1000) > 0));
}

TEST_CASE("the server's clock says when a message is due and when a lease ends", "[postgres]") {
  fresh_schema schema;
  const auto store = schema.open({.clock = postgres_clock::database}).value();
  plain_postgres outside(schema.url);
  const auto real = sys_seconds{seconds{outside.number("SELECT floor(extract(epoch FROM now()))::bigint")}};
  const auto hour_ahead = real + 1h, hour_behind = real - 1h;
  record_writer w;
  const auto id = w.schedule("backend", hour_ahead);
  w.promise(id, message_kind::invitation, hour_ahead);  // due at once, by a clock that is ahead
  w.commit(*store);
  const auto claim = [&](sys_seconds now, std::uint8_t token) {
    return store->claim({.now = now, .lease = 30s, .limit = 10, .token = testing::detail::lease_of(token)}).value();
  };
  const auto held = claim(hour_behind, 1);  // which is not due by this clock
  REQUIRE(held.size() == 1);
  CHECK(claim(hour_ahead, 2).empty());  // nothing is taken early
  const auto& key = held[0].mail.key;
  const auto settle = [&](std::uint8_t token, settlement::verdict what, sys_seconds at) -> bool {
    const settlement one{key, "acme", testing::detail::lease_of(token), what, at, {}};
    return store->settle({&one, 1}).value().front();
  };
  // The last claim was made by the clock that is ahead.
  CHECK(settle(1, settlement::verdict::renew, hour_ahead + 30s));
  const auto wakes = [&] {
    return sys_seconds{seconds{outside.number("SELECT wake_at FROM " + schema.name + ".hirenow_outbox")}};
  };
  CHECK(wakes() >= real + 30s);
  CHECK(wakes() <= real + 60s);
  outside.run("UPDATE " + schema.name + ".hirenow_outbox SET wake_at = floor(extract(epoch FROM now()))::bigint");
  CHECK(claim(hour_behind, 3).size() == 1);                           // nobody waits long
  CHECK_FALSE(settle(1, settlement::verdict::accepted, hour_ahead));  // the fence
  CHECK(settle(3, settlement::verdict::accepted, hour_behind));
}

TEST_CASE("a dispatcher alone sends what is due, however far its clock is from the server's",
          "[postgres][dispatcher]") {
  const auto off_by = GENERATE(-1h, 1h);
  const bool is_leased = GENERATE(false, true);  // a message, or the lease that a dead worker left
  CAPTURE(off_by.count(), is_leased);
  const fresh_schema schema;
  const auto real = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  test::world w{{"postgres", [&](const std::filesystem::path&) {
                   return schema.open({.clock = postgres_clock::database}).value();
                 }}};
  w.clock.set(real);
  w.schedule();
  if (is_leased)
    plain_postgres(schema.url)
        .run("UPDATE " + schema.name +
             ".hirenow_outbox SET state = 1, lease = decode(repeat('07', 16), 'hex'), wake_at = "
             "floor(extract(epoch FROM now()))::bigint - 1");
  w.clock.set(real + off_by);
  test::recording_mailer box;
  dispatcher d(w.bench, box, test::dispatch_options());
  const auto before = d.stats().value();
  CHECK(before.outbox->due == (is_leased ? 0U : 1U));
  CHECK(before.outbox->lapsed == (is_leased ? 1U : 0U));
  CHECK(before.oldest_due_age < 60);
  const auto report = d.dispatch_due().value();
  CHECK(report.accepted == 1);
  CHECK(box.count() == 1);
}

TEST_CASE("nodes whose clocks are hours apart keep to one limit by the server's", "[postgres]") {
  fresh_schema schema;
  const auto one = schema.open({.clock = postgres_clock::database}).value();
  const auto other = schema.open({.clock = postgres_clock::database}).value();
  const auto real = std::chrono::floor<seconds>(std::chrono::system_clock::now());
  const auto ask = [&](store& s, sys_seconds now) {
    const allowance_request r{now, "acme", 1, 5};
    return s.allow({&r, 1}).value().at(0);
  };
  CHECK(ask(*one, real - 1h) == allowance{1, 60s});
  for (const auto now : {real + 1h, real - 1h, real + 2h}) {
    const auto later = ask(*other, now);
    CHECK(later.granted == 0);
    CHECK(later.wait > 0s);
    CHECK(later.wait <= 60s);
  }
}

TEST_CASE("of 8 processes with 8 threads that retake one interview in PostgreSQL, one does", "[postgres][concurrent]") {
  fresh_schema schema;
  const std::string keys = new_key_document(key_algorithm::hs256, "k1");
  const auto engine_over = [&](store& s, manual_clock& clock) {
    return engine(s, key_ring::from_json(keys).value(), retake_policy::standard(),
                  {.link_base = "https://jobs.example/go", .clock = &clock});
  };
  const actor staff{"rita", "acme", role::recruiter | role::reviewer};
  interview_id failed{};
  {
    const auto store = schema.open().value();
    manual_clock clock(test::monday);
    auto e = engine_over(*store, clock);
    const auto made =
        e.schedule({.applicant = {"ada", "ada@example.org", "Ada"}, .track = "backend", .link_lifetime = 72h}, staff)
            .value();
    failed = made.interview.id;
    const auto open = e.start(test::token_in(made.link), test::key_one).value().session;
    e.submit(open).value();
    e.decide(failed, staff, {.outcome = outcome::failed}).value();
  }
  int gate[2], told[2];
  REQUIRE(::pipe(gate) == 0);
  REQUIRE(::pipe(told) == 0);
  std::vector<pid_t> children;
  for (int p = 0; p < 8; ++p) {
    const pid_t child = ::fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    ::close(gate[1]);
    const auto store = schema.open().value();
    manual_clock clock(test::monday + std::chrono::days{30});
    auto e = engine_over(*store, clock);
    static_cast<void>(e.find(failed, staff));
    char unused = 0;
    if (::read(gate[0], &unused, 1) < 0) ::_exit(1);
    {
      std::vector<std::jthread> all;
      for (int t = 0; t < 8; ++t)
        all.emplace_back([&] {
          const auto done = e.retake(failed, staff);
          const char word = done ? 'd' : done.error().code == errc::superseded ? 's' : '?';
          if (::write(told[1], &word, 1) != 1) ::_exit(1);
        });
    }
    ::_exit(0);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  ::close(told[1]);
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  std::string words(100, ' ');
  words.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(told[0], words.data(), words.size()), 0)));
  ::close(told[0]);
  CHECK(std::count(words.begin(), words.end(), 'd') == 1);
  CHECK(std::count(words.begin(), words.end(), 's') == 63);
  plain_postgres sql(schema.url);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_interview") == 2);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_outbox WHERE kind = 1") == 1);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_audit WHERE event = 'retake'") >= 1);
}

TEST_CASE("a PostgreSQL database that cannot be used is refused with a name", "[postgres]") {
  const auto code = [](const std::string& url, const postgres_options& options) {
    return test::code_of(open_postgres_store(url, options));
  };
  CHECK(code("postgresql://nobody@/none?host=/missing", {}) == errc::store_unavailable);
  CHECK(code(test::postgres_url() + "&dbname=missing", {}) == errc::store_unavailable);
  CHECK(code("no = such = thing", {}) == errc::store_unavailable);
  CHECK(code(std::string("a\0b", 3), {}) == errc::invalid_argument);
  for (const char* name : {"", "pg_own", "semi\"colon", "a$b"})
    CHECK(code(test::postgres_url(), {.schema = name}) == errc::invalid_argument);
  fresh_schema schema;
  CHECK(code(schema.url, {.schema = schema.name, .create_tables = false}) == errc::schema_damaged);
  REQUIRE(schema.open());
  plain_postgres sql(schema.url);
  const auto in_schema = [&](std::string text) {
    for (auto at = text.find("S."); at != std::string::npos; at = text.find("S.", at))
      text.replace(at, 2, schema.name + ".");
    return text;
  };
  struct damage {
    const char* done;
    const char* undone;
  };
  for (const auto& [done, undone] : {
           damage{"ALTER TABLE S.hirenow_person ADD COLUMN nickname text",
                  "ALTER TABLE S.hirenow_person DROP COLUMN nickname"},
           damage{"ALTER TABLE S.hirenow_audit DISABLE TRIGGER hirenow_audit_no_delete",
                  "ALTER TABLE S.hirenow_audit ENABLE TRIGGER hirenow_audit_no_delete"},
           damage{"ALTER TABLE S.hirenow_applicant RENAME CONSTRAINT hirenow_applicant_name TO other",
                  "ALTER TABLE S.hirenow_applicant RENAME CONSTRAINT other TO hirenow_applicant_name"},
           damage{"ALTER TABLE S.hirenow_note RENAME TO elsewhere", "ALTER TABLE S.elsewhere RENAME TO hirenow_note"},
           damage{"INSERT INTO S.hirenow_version VALUES (9, 9, '')", "DELETE FROM S.hirenow_version WHERE version = 9"},
       }) {
    INFO(done);
    sql.run(in_schema(done));
    const auto refused = test::code_of(schema.open());
    CHECK(refused == (std::string_view(done).starts_with("INSERT") ? errc::schema_too_new : errc::schema_damaged));
    sql.run(in_schema(undone));
    CHECK(schema.open());
  }
  // A newer program's tables may be used by an older one where they say so.
  sql.run(in_schema("INSERT INTO S.hirenow_version VALUES (9, 1, '')"));
  CHECK(schema.open());
  sql.run(in_schema("DELETE FROM S.hirenow_version WHERE version = 9"));
  // Somebody who may read, and nothing else.
  sql.run(in_schema("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"));
  sql.run("GRANT USAGE ON SCHEMA " + schema.name + " TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA " + schema.name +
          " TO reader");
  std::string url = schema.url;
  url.replace(url.find("hirenow@"), 8, "reader@");
  const auto reader = open_postgres_store(url, {.schema = schema.name});
  REQUIRE(reader);
  CHECK((*reader)->next_due());
  CHECK(test::code_of((*reader)->commit(next_person(1))) == errc::store_read_only);
}

TEST_CASE("in PostgreSQL what is archived, audited or an id can be changed by nobody", "[postgres]") {
  fresh_schema schema;
  test::world w{{"postgres", [&](const std::filesystem::path&) { return schema.open().value(); }}};
  const auto at = test::bring_to(w, "archived");
  plain_postgres sql(schema.url);
  const std::string s = schema.name + ".hirenow_";
  for (const std::string& text :
       {"UPDATE " + s + "interview SET score = 1 WHERE state = 9", "DELETE FROM " + s + "interview",
        "TRUNCATE " + s + "interview", "UPDATE " + s + "interview SET state = 9, slot = attempt WHERE state = 0",
        "UPDATE " + s + "interview SET attempt = 7, slot = 0 WHERE state = 0", "UPDATE " + s + "audit SET actor = ''",
        "DELETE FROM " + s + "audit", "TRUNCATE " + s + "audit", "UPDATE " + s + "interview_key SET attempt = 9",
        "DELETE FROM " + s + "applicant", "UPDATE " + s + "applicant SET version = version",
        "UPDATE " + s + "applicant SET version = version + 1, applicant = 'other'"}) {
    INFO(text);
    const auto refused = sql.refusal(text);
    CHECK((refused == "HN003" || refused == "HN001"));
  }
  CHECK(w.bench.verify_audit("app-1", w.recruiter));
}

TEST_CASE("counts are right while others append and sum up", "[postgres][concurrent]") {
  fresh_schema schema;
  const auto store = schema.open().value();
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::jthread pruner([&] {
    while (!stop) static_cast<void>(store->prune(instant(0), 10));
  });
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 3; ++t)
      callers.emplace_back([&, t] {
        for (int n = t; n < 300; n += 3) {
          if (!store->commit(next_person(n))) ++wrong;
          // The counts and the rows come from one snapshot.
          const auto page = store->list({.tenant = "acme", .at = instant(0), .limit = 400}).value();
          if ((*page.counts)[0] != page.rows.size()) ++wrong;
        }
      });
  }
  stop = true;
  pruner.join();
  CHECK(wrong == 0);
  CHECK((*store->list({.tenant = "acme", .at = instant(0)})->counts)[0] == 300);
  REQUIRE(store->prune(instant(0), 10));
  plain_postgres sql(schema.url);
  CHECK(sql.number("SELECT count(*) FROM " + schema.name + ".hirenow_count_delta") == 0);
  CHECK(sql.number("SELECT scheduled FROM " + schema.name + ".hirenow_count WHERE track_no = 0") == 300);
}
