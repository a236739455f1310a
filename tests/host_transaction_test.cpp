/// hirenow in a transaction of the host's: both commit, or neither does. Plain SQL on another connection judges.

#include <catch2/catch_test_macros.hpp>

#include "hirenow/dispatcher.hpp"
#include "support/host.hpp"
#include "support/recording_mailer.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using test::host;
using test::plain_sql;
using namespace std::chrono_literals;

/// A host beside a world that has an interview which may be retaken.
struct joint_world : test::world {
  explicit joint_world(const join_options& options = {})
      : test::world(test::stores()[1]), joined(join_transaction(theirs.driver(), options).value()) {}

  host theirs{folder.path() / "ats.db"};
  plain_sql outside{folder.path() / "ats.db"};
  std::unique_ptr<store> joined;
  engine inside = bench.on(*joined);
  const interview_id failed = test::bring_to(*this, "failed").id;

  long long applications() { return outside.number("SELECT count(*) FROM application"); }
  long long interviews() { return outside.number("SELECT count(*) FROM hirenow_interview"); }
  long long mails() { return outside.number("SELECT count(*) FROM hirenow_outbox"); }
};

}  // namespace

TEST_CASE("a retake and the host's rows commit together", "[host]") {
  joint_world w;
  const auto mails = w.mails();
  w.theirs.begin();
  w.theirs.put("retake");
  const auto again = w.inside.retake(w.failed, w.recruiter);
  REQUIRE(again);
  CHECK(w.applications() == 0);
  CHECK(w.interviews() == 1);
  w.theirs.commit();
  CHECK(w.applications() == 1);
  CHECK(w.interviews() == 2);
  CHECK(w.mails() == mails + 1);
  CHECK(w.bench.inspect(test::token_in(again->link))->verdict == verdict::valid);
  CHECK(w.stored(w.failed).state == interview_state::archived);
}

TEST_CASE("a retake and the host's rows roll back together", "[host]") {
  joint_world w;
  const auto before = w.dump();
  w.theirs.begin();
  const auto again = w.inside.retake(w.failed, w.recruiter);
  REQUIRE(again);
  w.theirs.put("retake");
  w.theirs.roll_back();
  CHECK(w.applications() == 0);
  CHECK(w.dump() == before);
  CHECK(w.bench.inspect(test::token_in(again->link))->verdict == verdict::invalid);
}

TEST_CASE("rolling back to the host's savepoint takes back what came after it", "[host]") {
  joint_world w;
  const auto mails = w.mails();
  w.theirs.begin();
  w.theirs.put("kept");
  w.theirs.sql.run("SAVEPOINT theirs");
  w.theirs.put("lost");
  REQUIRE(w.inside.retake(w.failed, w.recruiter));
  w.theirs.sql.run("ROLLBACK TO theirs");
  CHECK(w.inside.find(w.failed, w.recruiter)->state == interview_state::failed);
  w.theirs.sql.run("RELEASE theirs");
  w.theirs.commit();
  CHECK(w.outside.value("SELECT group_concat(stage) FROM application") == "kept");
  CHECK(w.interviews() == 1);
  CHECK(w.mails() == mails);
}

TEST_CASE("nothing is remembered of what the host rolled back", "[host]") {
  joint_world w;
  const auto schedule_for = [&](const std::string& tenant, const std::string& person) {
    auto terms = w.terms();
    terms.applicant.id = person;
    return w.inside.schedule(terms, {"rita", tenant, role::recruiter});
  };
  w.theirs.begin();
  w.theirs.sql.run("SAVEPOINT theirs");
  REQUIRE(schedule_for("initech", "one"));
  REQUIRE(w.inside.list({}, {"rita", "initech", role::recruiter})->rows.size() == 1);
  w.theirs.sql.run("ROLLBACK TO theirs");
  REQUIRE(schedule_for("umbrella", "two"));  // takes the number that was free again
  REQUIRE(schedule_for("initech", "three"));
  w.theirs.commit();
  const std::string of =
      "SELECT group_concat(applicant) FROM hirenow_applicant JOIN hirenow_tenant USING (tenant_no) "
      "WHERE tenant = ";
  CHECK(w.outside.value(of + "'umbrella'") == "two");
  CHECK(w.outside.value(of + "'initech'") == "three");
}

TEST_CASE("without a transaction every call is refused, and runs nothing", "[host]") {
  joint_world w;
  auto& s = *w.joined;
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::no_transaction);
  CHECK(test::code_of(w.inside.sweep()) == errc::no_transaction);
  CHECK(test::code_of(s.load({.tenant = "acme", .who = std::string_view("app-1")})) == errc::no_transaction);
  CHECK(s.commit({}).error().code == errc::no_transaction);
  CHECK(test::code_of(s.save_progress({})) == errc::no_transaction);
  CHECK(test::code_of(s.list({.tenant = "acme"})) == errc::no_transaction);
  CHECK(test::code_of(s.due({}, 1, {})) == errc::no_transaction);
  CHECK(test::code_of(s.next_due()) == errc::no_transaction);
  CHECK(test::code_of(s.messages({.tenant = "acme"})) == errc::no_transaction);
  CHECK(test::code_of(s.read_audit("acme", "app-1", 0, 1)) == errc::no_transaction);
  CHECK(test::code_of(s.audit_heads("acme", {}, 1)) == errc::no_transaction);
  CHECK(test::code_of(s.policies({.tenant = "acme"})) == errc::no_transaction);
  CHECK(test::code_of(s.prune({}, 1)) == errc::no_transaction);
  CHECK(w.theirs.driver().seen.empty());
}

TEST_CASE("a driver that begins lazily is made to begin, and the host ends what was begun", "[host]") {
  joint_world w;
  w.theirs.driver().lazy = true;
  const bool commits = GENERATE(true, false);
  REQUIRE(w.inside.retake(w.failed, w.recruiter));
  CHECK(w.theirs.driver().count("BEGIN IMMEDIATE") == 1);
  CHECK(w.theirs.driver().count("COMMIT") == 0);
  CHECK(w.interviews() == 1);
  w.theirs.put("retake");
  if (commits)
    w.theirs.commit();
  else
    w.theirs.roll_back();
  CHECK(w.applications() == (commits ? 1 : 0));
  CHECK(w.interviews() == (commits ? 2 : 1));
}

TEST_CASE("a driver that only says that it begins is refused", "[host]") {
  joint_world w;
  w.theirs.driver().lazy = true;
  w.theirs.driver().after = [&](std::string_view sql, host_answer&) {
    if (sql.starts_with("BEGIN")) w.theirs.roll_back();
  };
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::no_transaction);
  CHECK(w.theirs.driver().count("SAVEPOINT") == 0);
  CHECK(w.interviews() == 1);
}

TEST_CASE("after an error of the host's own its transaction can still be joined", "[host]") {
  joint_world w;
  w.theirs.begin();
  w.theirs.put("retake");
  REQUIRE_FALSE(w.theirs.sql.refusal("INSERT INTO application (stage) VALUES ('retake')").empty());
  REQUIRE(w.inside.retake(w.failed, w.recruiter));
  w.theirs.commit();
  CHECK(w.applications() == 1);
  CHECK(w.interviews() == 2);
}

TEST_CASE("a refusal leaves the host's transaction as it was", "[host]") {
  joint_world w;
  w.theirs.begin();
  w.theirs.put("one");
  CHECK(test::code_of(w.inside.schedule({.applicant = w.ada, .track = w.track}, w.recruiter)) ==
        errc::active_interview);
  REQUIRE(w.inside.retake(w.failed, w.recruiter));
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::superseded);
  w.theirs.put("two");
  w.theirs.commit();
  CHECK(w.applications() == 2);
  CHECK(w.interviews() == 2);
}

TEST_CASE("a change that fails half way is undone, at whichever statement it fails", "[host]") {
  joint_world w;
  const auto before = w.dump();
  std::size_t at = 0;
  for (bool failed = true; failed; ++at) {
    INFO("statement " << at);
    w.theirs.begin();
    w.theirs.put("kept " + std::to_string(at));
    std::size_t n = 0;
    failed = false;
    w.theirs.driver().before = [&](std::string_view) -> result<void> {
      if (n++ != at) return {};
      failed = true;
      return sqlite_error(SQLITE_FULL, "database or disk is full");
    };
    const auto again = w.inside.retake(w.failed, w.recruiter, {.idempotency_key = "click"});
    w.theirs.driver().before = nullptr;
    REQUIRE(again.has_value() == !failed);
    if (failed) {
      CHECK(again.error().code == errc::store_full);
      CHECK(w.inside.find(w.failed, w.recruiter)->state == interview_state::failed);
    }
    w.theirs.commit();
    CHECK((w.dump() == before) == failed);
    REQUIRE(w.applications() == static_cast<long long>(at) + 1);
  }
  CHECK(at > 15);  // all the statements of a retake
  CHECK(w.interviews() == 2);
}

TEST_CASE("what the host's driver throws comes back as that very exception, and is undone", "[host]") {
  struct host_exception {
    int number;
  };
  joint_world w;
  const auto before = w.dump();
  w.theirs.begin();
  w.theirs.put("kept");
  const auto thrown = std::make_exception_ptr(host_exception{7});
  w.theirs.driver().before = [&](std::string_view sql) -> result<void> {
    if (sql.starts_with("INSERT INTO main.hirenow_outbox")) std::rethrow_exception(thrown);
    return {};
  };
  std::exception_ptr caught;
  try {
    (void)w.inside.retake(w.failed, w.recruiter);
  } catch (...) {
    caught = std::current_exception();
  }
  CHECK(caught == thrown);
  w.theirs.driver().before = nullptr;
  CHECK(w.inside.find(w.failed, w.recruiter)->state == interview_state::failed);
  w.theirs.commit();
  CHECK(w.applications() == 1);
  CHECK(w.dump() == before);
}

TEST_CASE("a closed connection is an error with a name", "[host]") {
  joint_world w;
  w.theirs.driver().closed = true;
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::store_unavailable);
  // In the middle of a call, too: there is nothing left to undo with.
  w.theirs.driver().closed = false;
  w.theirs.begin();
  w.theirs.driver().before = [&](std::string_view sql) -> result<void> {
    if (!sql.starts_with("INSERT")) return {};
    w.theirs.driver().closed = true;
    return detail::fail(errc::store_unavailable, "the connection is closed");
  };
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::retry_transaction);
  w.theirs.roll_back();

  const auto nothing = host_connection_of(static_cast<sqlite3*>(nullptr));
  const auto joined = join_transaction(*nothing).value();
  CHECK(test::code_of(joined->next_due()) == errc::store_unavailable);
  CHECK(nothing->execute("SELECT 1", {}).error().code == errc::store_unavailable);
}

TEST_CASE("a stale snapshot ends in retry_transaction, and the host repeats its transaction", "[host]") {
  joint_world w;
  w.theirs.begin();  // deferred: the first read takes the snapshot
  REQUIRE(w.inside.find(w.failed, w.recruiter));
  plain_sql(w.folder.path() / "ats.db").run("INSERT INTO application (stage) VALUES ('somebody else')");
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::retry_transaction);
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::retry_transaction);
  CHECK(w.inside.find(w.failed, w.recruiter)->state == interview_state::failed);
  w.theirs.roll_back();
  w.theirs.begin();
  REQUIRE(w.inside.retake(w.failed, w.recruiter));
  w.theirs.commit();
  CHECK(w.interviews() == 2);
}

TEST_CASE("where another writes at the same time, only the host can repeat its transaction", "[host]") {
  joint_world w;
  sqlite3_busy_timeout(w.theirs.sql.handle(), 0);
  plain_sql other(w.folder.path() / "ats.db");
  w.theirs.begin();
  REQUIRE(w.inside.find(w.failed, w.recruiter));
  other.run("BEGIN IMMEDIATE");
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::retry_transaction);
  w.theirs.roll_back();
  // So it is where the transaction could not even be begun.
  w.theirs.driver().lazy = true;
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::retry_transaction);
  other.run("COMMIT");
  CHECK(w.inside.retake(w.failed, w.recruiter));
}

TEST_CASE("a conflict in the host's own snapshot is not decided again", "[host]") {
  /// Moves the version behind the engine's back, between its load and its commit.
  struct moving_store final : test::store_in_between {
    moving_store(store& next, host& h) : store_in_between(next), theirs(h) {}
    result<loaded> load(const load_request& r) override {
      ++loads;
      auto answer = next_.load(r);
      theirs.sql.run("UPDATE hirenow_applicant SET version = version + 1");
      return answer;
    }
    host& theirs;
    int loads = 0;
  };
  joint_world w;
  moving_store moving(*w.joined, w.theirs);
  w.theirs.begin();
  CHECK(test::code_of(w.bench.on(moving).retake(w.failed, w.recruiter)) == errc::retry_transaction);
  CHECK(moving.loads == 1);
  // A sweep stops too: every further record would fail alike.
  auto terms = w.terms();
  for (int n = 0; n < 3; ++n) {
    terms.applicant.id = "late-" + std::to_string(n);
    REQUIRE(w.inside.schedule(terms, w.recruiter));
  }
  w.clock.advance(100h);
  moving.loads = 0;
  CHECK(test::code_of(w.bench.on(moving).sweep()) == errc::retry_transaction);
  CHECK(moving.loads == 1);
}

TEST_CASE("the idempotency key commits and rolls back with the rest", "[host]") {
  joint_world w;
  w.theirs.begin();
  const auto first = w.inside.retake(w.failed, w.recruiter, {.idempotency_key = "click"}).value();
  const auto again = w.inside.retake(w.failed, w.recruiter, {.idempotency_key = "click"}).value();
  CHECK(again.replayed);
  CHECK(again.interview == first.interview);
  CHECK(again.link == first.link);
  w.theirs.roll_back();
  w.theirs.begin();
  const auto anew = w.inside.retake(w.failed, w.recruiter, {.idempotency_key = "click"}).value();
  CHECK_FALSE(anew.replayed);
  CHECK(anew.interview.id != first.interview.id);
  w.theirs.commit();
  CHECK(w.bench.retake(w.failed, w.recruiter, {.idempotency_key = "click"}).value().interview == anew.interview);
}

TEST_CASE("a whole life can be lived in the host's transaction, and read there", "[host]") {
  joint_world w;
  auto& e = w.inside;
  auto terms = w.terms();
  terms.applicant.id = "app-2";
  w.theirs.begin();
  const auto invited = e.schedule(terms, w.recruiter).value();
  const auto token = test::token_in(invited.link);
  CHECK(e.inspect(token)->verdict == verdict::valid);
  auto sitting = e.start(token, test::key_one).value();
  REQUIRE(e.checkpoint(sitting.session, "half"));
  sitting = e.resume(token, test::key_two).value();
  CHECK(sitting.progress->bytes == "half");
  REQUIRE(e.submit(sitting.session));
  REQUIRE(e.decide(invited.interview.id, w.reviewer, {.outcome = outcome::failed, .reason = "not yet"}));
  CHECK(e.read_progress(invited.interview.id, w.reviewer).value()->bytes == "half");
  w.clock.advance(std::chrono::days{20});
  CHECK(e.retake_eligibility(invited.interview.id, w.recruiter)->allowed);
  const auto again = e.retake(invited.interview.id, w.recruiter).value();
  CHECK(e.history(again.interview.id, w.recruiter)->attempts.size() == 2);
  CHECK(e.list({.track = w.track}, w.recruiter)->rows.size() == 3);
  CHECK(e.permitted_actions(again.interview.id, w.recruiter));
  CHECK(e.read_messages({.interview = again.interview.id}, w.recruiter)->size() == 1);
  CHECK(e.read_audit("app-2", w.admin)->size() >= 6);
  CHECK(e.verify_audit("app-2", w.admin));
  const auto statement = e.audit_checkpoint(w.admin).value();
  CHECK(e.verify_audit_checkpoint(statement, w.admin).value() == 2);
  REQUIRE(e.sweep());
  REQUIRE(e.set_policy(w.track, R"({"hirenow_policy": 1, "version": "v2", "rules": []})", w.admin));
  // Nobody else sees any of it yet.
  CHECK(test::code_of(w.bench.find(again.interview.id, w.recruiter)) == errc::not_found);
  w.theirs.commit();
  CHECK(w.bench.find(again.interview.id, w.recruiter)->state == interview_state::scheduled);
  CHECK(w.bench.verify_audit("app-2", w.admin));
}

TEST_CASE("what else a use case can do, it can do in the host's transaction", "[host]") {
  joint_world w;
  auto& e = w.inside;
  w.theirs.begin();
  const auto id = e.retake(w.failed, w.recruiter).value().interview.id;
  const auto first_link = test::token_in(e.reissue(id, w.recruiter)->link);
  const auto second_link = test::token_in(e.reissue(id, w.recruiter)->link);
  w.clock.advance(1h);
  CHECK(e.request_link(first_link)->queued);
  w.theirs.sql.run("UPDATE hirenow_outbox SET state = 4 WHERE state = 0 AND applicant_no = 1");
  const auto dead = e.read_messages({.state = message_state::dead}, w.admin).value();
  REQUIRE(!dead.empty());
  CHECK(e.redrive(dead.front().key, w.admin));
  auto moved = w.ada;
  moved.email = "ada@elsewhere.example";
  CHECK(e.update_applicant(moved, w.recruiter));
  CHECK(e.record_fact("app-1", {.kind = fact_kind::event, .name = "training", .at = test::monday}, w.recruiter));
  REQUIRE(e.start(second_link, test::key_one));
  CHECK(e.void_attempt(id, w.reviewer, {.reason_code = "network_outage"}));
  auto terms = w.terms();
  terms.applicant.id = "app-2";
  const auto theirs = e.schedule(terms, w.recruiter).value();
  CHECK(e.withdraw(test::token_in(theirs.link)));
  terms.track = "frontend";
  CHECK(e.cancel(e.schedule(terms, w.recruiter)->interview.id, w.recruiter));
  terms.track = "design";
  const auto reopened = e.schedule(terms, w.recruiter).value();
  const auto sitting = e.start(test::token_in(reopened.link), test::key_one).value();
  REQUIRE(e.submit(sitting.session));
  REQUIRE(e.decide(reopened.interview.id, w.reviewer, {.outcome = outcome::passed}));
  CHECK(e.reopen(reopened.interview.id, w.admin, {.reason = "a second look"}));
  CHECK(e.erase_applicant("app-2", w.admin));
  CHECK(test::code_of(w.bench.find(reopened.interview.id, w.recruiter)) == errc::not_found);
  w.theirs.commit();
  CHECK(w.record("app-2").erased);
  CHECK(w.record().person.email == "ada@elsewhere.example");
  CHECK(w.stored(id).state == interview_state::voided);
  CHECK(w.bench.verify_audit("app-1", w.admin));
  CHECK(w.bench.verify_audit("app-2", w.admin));
  // Every statement came through the driver, and none of them began or ended the host's transaction.
  auto& driver = w.theirs.driver();
  CHECK(driver.count("SAVEPOINT hirenow_call") > 30);
  CHECK(driver.count("RELEASE hirenow_call") == driver.count("SAVEPOINT hirenow_call"));
  for (const char* verb : {"BEGIN", "COMMIT", "END", "ROLLBACK"}) CHECK(driver.count(verb) == 0);
}

TEST_CASE("a statement that the host has not finished survives a failure of ours", "[host]") {
  joint_world w;
  w.theirs.begin();
  for (const char* stage : {"one", "two", "three"}) w.theirs.put(stage);
  sqlite3_stmt* reading = nullptr;
  REQUIRE(sqlite3_prepare_v2(w.theirs.sql.handle(), "SELECT stage FROM application ORDER BY id", -1, &reading,
                             nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_step(reading) == SQLITE_ROW);
  w.theirs.driver().before = [](std::string_view sql) -> result<void> {
    if (sql.starts_with("INSERT INTO main.hirenow_outbox")) return sqlite_error(SQLITE_FULL, "disk is full");
    return {};
  };
  CHECK(test::code_of(w.inside.retake(w.failed, w.recruiter)) == errc::store_full);
  CHECK(sqlite3_step(reading) == SQLITE_ROW);
  w.theirs.driver().before = nullptr;
  CHECK(w.inside.retake(w.failed, w.recruiter));
  CHECK(sqlite3_step(reading) == SQLITE_ROW);
  CHECK(sqlite3_step(reading) == SQLITE_DONE);
  sqlite3_finalize(reading);
  w.theirs.commit();
  CHECK(w.applications() == 3);
  CHECK(w.interviews() == 2);
}

TEST_CASE("the host's settings and look-alikes change nothing", "[host]") {
  joint_world w;
  w.theirs.sql.run(
      "PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = ON; PRAGMA reverse_unordered_selects = ON; "
      "PRAGMA case_sensitive_like = ON");
  for (const char* table : {"version", "tenant", "track", "applicant", "person", "interview", "interview_key", "audit",
                            "note", "fact", "session", "outbox", "answer", "policy", "count"})
    w.theirs.sql.run("CREATE TEMP TABLE hirenow_" + std::string(table) + " (decoy)");
  w.theirs.begin();
  const auto again = w.inside.retake(w.failed, w.recruiter, {.idempotency_key = "click"});
  REQUIRE(again);
  CHECK(w.inside.verify_audit("app-1", w.admin));
  // The lifecycle is enforced by the tables in the file, not by those that look like them.
  CHECK(w.theirs.sql.refusal("UPDATE main.hirenow_interview SET score = 1 WHERE state = 9")
            .find("archived is for ever") != std::string::npos);
  w.theirs.commit();
  CHECK(w.interviews() == 2);
  CHECK(w.bench.verify_audit("app-1", w.admin));
}

TEST_CASE("messages are never claimed or settled in the host's transaction", "[host]") {
  joint_world w;
  w.theirs.begin();
  const auto claimed = w.joined->claim({.now = test::monday + 1h});
  REQUIRE_FALSE(claimed);
  CHECK(claimed.error().code == errc::invalid_argument);
  CHECK(claimed.error().reason == "host_transaction");
  CHECK(w.joined->settle({}).error().reason == "host_transaction");
  // Not even a dispatcher that finds nothing due asks the connection, which is the thread's that calls.
  test::recording_mailer box;
  dispatcher d(w.inside, box, test::dispatch_options());
  CHECK(test::code_of(d.dispatch_due()) == errc::invalid_argument);
  CHECK(d.run(2, {}).store_errors == 1);
  CHECK(w.theirs.driver().seen.empty());
}

TEST_CASE("an engine over another store shares its keys and outlives the first", "[host]") {
  test::temporary_folder folder;
  const auto one = open_memory_store(), two = open_memory_store();
  manual_clock clock(test::monday);
  auto ring = key_ring::from_json(new_key_document(key_algorithm::hs256, "k1")).value();
  auto first =
      std::make_unique<engine>(*one, ring, retake_policy::standard(),
                               engine_options{.link_base = "https://jobs.example.com/interview", .clock = &clock});
  engine second = first->on(*two);
  first.reset();
  CHECK(&second.storage() == two.get());
  CHECK(second.now() == clock.now());
  const actor rita{"rita", "acme", role::recruiter};
  const auto invited =
      second.schedule({.applicant = {.id = "a", .email = "a@example.org"}, .track = "t"}, rita).value();
  CHECK(invited.interview.link.kid == "k1");
  CHECK(one->audit_heads("acme", {}, 10)->empty());
  REQUIRE(ring.reload(new_key_document(key_algorithm::hs256, "k2")));
  const auto later = second.schedule({.applicant = {.id = "b", .email = "b@example.org"}, .track = "t"}, rita).value();
  CHECK(later.interview.link.kid == "k2");
}
