/// What the lifecycle forbids, the file itself forbids to whoever writes to it: attacks with plain SQL.

#include <catch2/catch_test_macros.hpp>

#include "hirenow/lifecycle.hpp"
#include "hirenow/testing/check_tools.hpp"
#include "support/plain_sql.hpp"
#include "support/world.hpp"

namespace {

using namespace hirenow;
using hirenow::testing::detail::instant;
using hirenow::testing::detail::record_writer;
using test::plain_sql;

/// A file with one record: an archived first interview, and a current second one.
struct attacked_file {
  attacked_file() {
    record_writer w;
    first = w.schedule("backend", instant(0));
    w.commit(*store);
    w.step(first, event::start, instant(10));
    w.commit(*store);
    w.step(first, event::submit, instant(20));
    w.step(first, event::fail, instant(30));
    w.commit(*store);
    second = w.retake(first, instant(40));
    w.promise(second, message_kind::retake_invitation, instant(40));
    w.commit(*store);
    record = store->load({.tenant = "acme", .who = second}).value().record;
  }
  test::temporary_folder folder{};
  std::filesystem::path path = folder.path() / "a.db";
  std::unique_ptr<hirenow::store> store = open_sqlite_store(path.string()).value();
  plain_sql sql{path};
  interview_id first{}, second{};
  applicant_record record{};

  /// Expects a refusal that holds these words, and nothing changed.
  void refuses(const std::string& attack, const std::string& words) {
    INFO(attack);
    const auto complaint = sql.refusal(attack);
    CHECK(complaint.find(words) != std::string::npos);
    CHECK(complaint != "");
    const auto now = store->load({.tenant = "acme", .who = second}).value().record;
    CHECK(now == record);
  }
};

std::string number_of(interview_state s) { return std::to_string(static_cast<int>(s)); }

}  // namespace

TEST_CASE("plain SQL cannot change, delete or replace an archived interview", "[sqlite]") {
  attacked_file f;
  const std::string archived = " WHERE state = 9";
  for (const char* change :
       {"score = 100", "outcome = 1", "state = 0, slot = 0, sort_at = start_by, clock = 0", "kid = 'x'",
        "state = 4, slot = 0, sort_at = changed_at", "superseded_by = NULL", "state = 9"})
    for (const char* verb : {"UPDATE ", "UPDATE OR REPLACE ", "UPDATE OR IGNORE "})
      f.refuses(std::string(verb) + "hirenow_interview SET " + change + archived, "archived is for ever");
  f.refuses("DELETE FROM hirenow_interview" + archived, "never deleted");
  f.refuses("INSERT OR REPLACE INTO hirenow_interview SELECT * FROM hirenow_interview" + archived, "hirenow:");
  f.refuses("PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = OFF; DELETE FROM hirenow_interview",
            "never deleted");
}

TEST_CASE("plain SQL can move an interview from state to state only as the lifecycle has it", "[sqlite]") {
  attacked_file f;
  // For every pair: an interview is put into `from` where the triggers do not see it, and then moved.
  const std::string trigger = f.sql.value("SELECT sql FROM sqlite_schema WHERE name = 'hirenow_interview_update'");
  const auto set_state = [](int state) {
    const auto s = static_cast<interview_state>(state);
    return "UPDATE hirenow_interview SET deadline = 5, state = " + std::to_string(state) +
           ", slot = " + (is_current(s) ? "0" : "attempt") + ", sort_at = CASE " + std::to_string(state) +
           " WHEN 0 THEN start_by WHEN 1 THEN 5 + grace ELSE changed_at END, clock = CASE WHEN " +
           std::to_string(state) + " < 2 THEN 0 END WHERE attempt = 2";
  };
  std::size_t lawful = 0;
  for (int from = 0; from < static_cast<int>(interview_state_count); ++from)
    for (int to = 0; to < static_cast<int>(interview_state_count); ++to) {
      INFO(from << " to " << to);
      f.sql.run("BEGIN; DROP TRIGGER hirenow_interview_update; " + set_state(from) + "; " + trigger);
      const bool done = f.sql.refusal(set_state(to)).empty();
      CHECK(done == is_lawful_step(static_cast<interview_state>(from), static_cast<interview_state>(to)));
      lawful += done;
      f.sql.run("ROLLBACK");
    }
  CHECK(lawful > 20);
  CHECK(f.store->load({.tenant = "acme", .who = f.second})->record == f.record);
}

TEST_CASE("plain SQL cannot add an interview that is not new, not alone, or not named", "[sqlite]") {
  attacked_file f;
  const auto copy = [](const std::string& changes) {
    return "CREATE TEMP TABLE one AS SELECT * FROM hirenow_interview WHERE attempt = 2; UPDATE one SET " + changes +
           "; INSERT INTO hirenow_interview SELECT * FROM one";
  };
  const std::string drop = "DROP TABLE IF EXISTS one; ";
  f.refuses(copy("attempt = 3"), "has a current interview");
  f.refuses(drop + copy("attempt = 3, state = 9, slot = 3, sort_at = changed_at, clock = NULL"),
            "a new interview is scheduled");
  f.refuses(drop + copy("attempt = 3, state = 3, sort_at = changed_at, clock = NULL"), "a new interview is scheduled");
  f.refuses(drop + copy("track_no = 7, attempt = 1, interview = randomblob(16)"), "an id of its own");
  f.refuses("INSERT OR REPLACE INTO hirenow_interview SELECT * FROM hirenow_interview WHERE attempt = 2",
            "has a current interview");
  f.refuses("INSERT INTO hirenow_interview_key SELECT * FROM hirenow_interview_key", "id is taken");
  f.refuses("INSERT OR REPLACE INTO hirenow_interview_key SELECT interview, 1, 99, 1, 1 FROM hirenow_interview_key",
            "id is taken");
  f.refuses("UPDATE hirenow_interview_key SET applicant_no = 99", "keeps its id");
  f.refuses("DELETE FROM hirenow_interview_key", "keeps its id");
}

TEST_CASE("plain SQL cannot give an interview another name, place or slot", "[sqlite]") {
  attacked_file f;
  const std::string current = " WHERE attempt = 2";
  for (const char* change : {"interview = randomblob(16)", "applicant_no = 99", "track_no = 99", "tenant_no = 99",
                             "attempt = 1", "created_at = 5", "retake_of = NULL"})
    f.refuses(std::string("UPDATE hirenow_interview SET ") + change + current, "keeps its name and place");
  f.refuses("UPDATE hirenow_interview SET slot = 2" + current, "CHECK constraint failed");
  f.refuses("UPDATE hirenow_interview SET sort_at = sort_at + 1" + current, "CHECK constraint failed");
  f.refuses("UPDATE OR REPLACE hirenow_interview SET slot = 1, state = 7, sort_at = changed_at, clock = NULL" + current,
            "another interview in this slot");
  f.refuses("UPDATE hirenow_interview SET clock = NULL, sort_at = changed_at" + current, "CHECK constraint failed");
}

TEST_CASE("plain SQL can only append to the audit", "[sqlite]") {
  attacked_file f;
  f.refuses("UPDATE hirenow_audit SET actor = 'staff:eve' WHERE audit_no = 1", "append-only");
  f.refuses("UPDATE OR IGNORE hirenow_audit SET at = 0", "append-only");
  f.refuses("DELETE FROM hirenow_audit", "append-only");
  f.refuses("INSERT OR REPLACE INTO hirenow_audit SELECT * FROM hirenow_audit WHERE audit_no = 1",
            "written at its end");
  f.refuses(
      "INSERT INTO hirenow_audit SELECT 1, applicant_no, prev, sequence, at, actor, event, interview, from_state, "
      "to_state, details, hash FROM hirenow_audit LIMIT 1",
      "written at its end");
}

TEST_CASE("plain SQL cannot turn a record back, rename, replace or delete it", "[sqlite]") {
  attacked_file f;
  f.refuses("UPDATE hirenow_applicant SET version = version", "moves the version by one");
  f.refuses("UPDATE hirenow_applicant SET version = 1", "moves the version by one");
  f.refuses("UPDATE hirenow_applicant SET version = version + 1, sequence = 1", "never becomes shorter");
  f.refuses("UPDATE hirenow_applicant SET version = version + 1, applicant = 'eve'", "keeps its name");
  f.refuses("UPDATE hirenow_applicant SET version = version + 1, subject = zeroblob(32)", "keeps its name");
  f.refuses("DELETE FROM hirenow_applicant", "never deleted");
  f.refuses(
      "INSERT OR REPLACE INTO hirenow_applicant SELECT applicant_no, tenant_no, applicant, 1, sequence, audit_no, "
      "last_instant, erased, subject, audit_head FROM hirenow_applicant",
      "never replaced");
}

TEST_CASE("plain SQL on several rows ends at the one that is refused, and its transaction can be taken back",
          "[sqlite]") {
  attacked_file f;
  const std::string attack = "UPDATE hirenow_interview SET kid = 'x'";  // the current one comes first
  f.sql.run("BEGIN");
  CHECK(f.sql.refusal(attack).find("archived is for ever") != std::string::npos);
  CHECK(f.sql.value("SELECT kid FROM hirenow_interview WHERE slot = 0") == "x");
  CHECK(f.sql.value("SELECT kid FROM hirenow_interview WHERE slot = 1") != "x");
  f.sql.run("ROLLBACK");
  CHECK(f.sql.value("SELECT kid FROM hirenow_interview WHERE slot = 0") != "x");
}

TEST_CASE("a head of the audit that plain SQL has cut short is found by who verifies it", "[sqlite]") {
  test::world w(test::stores()[1]);
  w.bench.schedule({.applicant = w.ada, .track = w.track}, w.recruiter).value();
  CHECK(w.bench.verify_audit(w.ada.id, w.admin));
  plain_sql(w.folder.path() / "ats.db")
      .run("UPDATE hirenow_applicant SET version = version + 1, audit_head = substr(audit_head, 1, 16)");
  CHECK(w.bench.verify_audit(w.ada.id, w.admin).error().code == errc::audit_broken);
}

TEST_CASE("the counts of the file are those of its rows", "[sqlite]") {
  attacked_file f;
  record_writer other("bob");
  const auto id = other.schedule("frontend", instant(50));
  other.schedule("backend", instant(50));
  other.commit(*f.store);
  other.step(id, event::cancel, instant(60));
  other.commit(*f.store);
  for (std::size_t n = 0; n < interview_state_count; ++n) {
    const auto state = static_cast<interview_state>(n);
    const std::string word(to_string(state));
    INFO(word);
    CHECK(f.sql.number("SELECT " + word + " FROM hirenow_count WHERE track_no = 0") ==
          f.sql.number("SELECT count(*) FROM hirenow_interview WHERE state = " + number_of(state)));
    CHECK(f.sql.number("SELECT sum(" + word + ") FROM hirenow_count WHERE track_no <> 0") ==
          f.sql.number("SELECT count(*) FROM hirenow_interview WHERE state = " + number_of(state)));
  }
}
