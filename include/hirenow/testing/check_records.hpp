#pragma once
/// Checks of `check_store()`: what is committed is loaded, and a version moves with each commit.

#include <limits>

#include "hirenow/testing/check_tools.hpp"

namespace hirenow::testing::detail {

/// A record with everything a record can hold.
inline record_writer full_record(std::string applicant_id = "ada", std::string tenant = "acme") {
  record_writer w(std::move(applicant_id), std::move(tenant));
  const auto id = w.schedule("backend/technical", instant());
  w.find(id).score = 61.5;
  w.find(id).overtime = overtime::submit;
  w.find(id).link.not_before = instant(30);
  w.step(id, event::request_link, instant(40));
  w.step(id, event::start, instant(60));
  w.step(id, event::submit, instant(120), authority::token);
  w.step(id, event::fail, instant(180));
  w.promise(id, message_kind::decision_failed, instant(180));
  w.add_fact({fact_kind::period, "leave", "backend/technical", instant(190), instant(99999), "väl\"ue", 0});
  w.pending.audit.back().note = "said so on the phone";
  w.retake(id, instant(200));
  w.schedule("backend/culture", instant(300));
  const auto proposed = w.add_waiver("backend/technical", "wait", instant(310), waiver_state::proposed);
  w.step_waiver(proposed, waiver_state::granted, instant(320));
  w.add_waiver("backend/culture", "wait", instant(330));
  return w;
}

/// Commits a record in which one interview is changed by hand before its first step.
template <class Change>
void round_trip(store& s, Change change) {
  record_writer w;
  const auto id = w.schedule("t", instant());
  change(w.find(id));
  w.pending.interviews.back().after = w.find(id);
  w.commit(s);
  expect_stored(s, w);
}

inline void two_people(store& s, const std::string& one, const std::string& other) {
  record_writer a(one), b(other);
  a.schedule(one, instant());
  a.commit(s);
  expect_stored(s, a);
  same("version of the other id before it is stored", load_record(s, other).version, std::uint64_t{0});
  b.schedule(other, instant(5));
  b.commit(s);
  expect_stored(s, a);
  expect_stored(s, b);
  const auto page = must(s.list({.tenant = "acme", .at = instant(), .applicant_id = one}), "list()");
  same("rows of the one", page.rows.size(), std::size_t{1});
  same("applicant_id", page.rows.at(0).applicant_id, one);
  const auto on_track = must(s.list({.tenant = "acme", .at = instant(), .track = other}), "list()");
  same("rows of the other's track", on_track.rows.size(), std::size_t{1});
  same("applicant_id", on_track.rows.at(0).applicant_id, other);
}

inline const std::vector<store_check>& record_checks() {
  static const std::vector<store_check> all{
      {"An empty store has no record of an applicant",
       [](store& s) { same("version", load_record(s).version, std::uint64_t{0}); }},
      {"An empty store has no record of an interview",
       [](store& s) {
         const auto r =
             must(s.load({.tenant = "acme", .who = make_id(instant(), "x"), .with_progress = true}), "load()");
         same("version", r.record.version, std::uint64_t{0});
         expect(!r.progress && !r.answer && !r.policy, "nothing is there, and something was loaded");
       }},
      {"A record is loaded by its applicant, every field as it was committed",
       [](store& s) {
         auto w = full_record();
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A record is loaded by each of its interviews",
       [](store& s) {
         auto w = full_record();
         w.commit(s);
         same("interviews", w.record.interviews.size(), std::size_t{3});
         for (const auto& i : w.record.interviews)
           same("load()", must(s.load({.tenant = "acme", .who = i.id}), "load()").record, w.record);
       }},
      {"Interviews of many records and tenants are loaded at once, in the order in which they were asked for",
       [](store& s) {
         std::vector<record_writer> writers;
         for (int n = 0; n < 40; ++n) {
           writers.emplace_back("a" + std::to_string(n), n % 3 == 0 ? "other" : "acme");
           writers.back().schedule("t" + std::to_string(n % 5), instant(n));
           writers.back().commit(s);
         }
         std::vector<interview_reference> wanted;
         for (const auto& w : writers) wanted.push_back({w.record.tenant, w.record.interviews[0].id});
         const auto found = must(s.load_each(wanted), "load_each()");
         same("records", found.size(), writers.size());
         for (std::size_t n = 0; n < writers.size(); ++n) same("load_each()", found[n], writers[n].record);
         same("records of no interview", must(s.load_each({}), "load_each()").size(), std::size_t{0});
       }},
      {"Another tenant does not find a record by its applicant",
       [](store& s) {
         full_record().commit(s);
         same("version", load_record(s, "ada", "other").version, std::uint64_t{0});
       }},
      {"Another tenant does not find a record by its interview",
       [](store& s) {
         auto w = full_record();
         w.commit(s);
         full_record("ada", "other").commit(s);
         const auto r = must(s.load({.tenant = "other", .who = w.record.interviews[0].id}), "load()");
         same("version", r.record.version, std::uint64_t{0});
       }},
      {"Two tenants may each have an applicant of one id",
       [](store& s) {
         auto a = full_record(), b = full_record("ada", "other");
         a.commit(s);
         b.pending.interviews.clear();
         b.pending.messages.clear();
         b.record.interviews.clear();
         b.commit(s);
         expect_stored(s, a);
         expect_stored(s, b);
       }},
      {"A commit in one tenant moves no version in another",
       [](store& s) {
         auto a = full_record(), b = full_record("ada", "other");
         a.commit(s);
         b.commit(s);
         a.entry("note", instant(900));
         a.commit(s);
         expect_stored(s, b);
         b.entry("note", instant(900));
         b.commit(s);
         expect_stored(s, a);
       }},
      {"Ids that differ in case alone name two people and two tracks", [](store& s) { two_people(s, "Ada", "ada"); }},
      {"Ids that differ in a trailing space name two people and two tracks",
       [](store& s) { two_people(s, "ada", "ada "); }},
      {"Ids that differ in their Unicode form name two people and two tracks",
       [](store& s) { two_people(s, "caf\xc3\xa9", "cafe\xcc\x81"); }},
      {"Ids of digits with leading zeros name two people and two tracks", [](store& s) { two_people(s, "7", "007"); }},
      {"Ids are no patterns", [](store& s) { two_people(s, "a%_*?[b]\\", "a-----b"); }},
      {"Ids are no part of a statement",
       [](store& s) { two_people(s, "x'); DELETE FROM hirenow_interview; --", "x\" $1 ?1 :a @b"); }},
      {"Ids of 255 bytes are told apart by their last byte",
       [](store& s) { two_people(s, std::string(254, 'a') + "1", std::string(254, 'a') + "2"); }},
      {"Tenants that differ in case alone are two",
       [](store& s) {
         record_writer a("ada", "Acme"), b("bob", "acme");
         a.schedule("t", instant());
         b.schedule("t", instant());
         a.commit(s);
         b.commit(s);
         same("version", load_record(s, "ada", "acme").version, std::uint64_t{0});
         same("rows", whole_list(s, instant(), "acme").rows.size(), std::size_t{1});
       }},
      {"Tenant and applicant do not run into each other",
       [](store& s) {
         record_writer a("bc", "a"), b("c", "ab");
         a.commit(s);
         b.commit(s);
         same("version", load_record(s, "abc", "").version, std::uint64_t{0});
         expect_stored(s, a);
         expect_stored(s, b);
       }},
      {"The first and the last instant come back",
       [](store& s) {
         round_trip(s, [](interview& i) {
           i.created_at = i.changed_at = i.link.issued_at = min_instant;
           i.start_by = i.link.expires_at = max_instant;
           i.link.not_before = min_instant;
           i.started_at = min_instant;
           i.deadline = max_instant;
           i.submitted_at = max_instant;
           i.decided_at = min_instant;
           i.link_requested_at = max_instant;
         });
       }},
      {"An instant that is not set is not the first instant",
       [](store& s) {
         round_trip(s, [](interview& i) { i.started_at = min_instant; });
         record_writer w("bob");
         w.schedule("t", instant());
         w.commit(s);
         expect(!load_record(s, "bob").interviews.at(0).started_at, "started_at came from nowhere");
       }},
      {"Scores come back to the last bit",
       [](store& s) {
         record_writer w;
         for (const double score :
              {0.1, 1.0 / 3, 1e300, 5e-324, -1e-300, 123456789.123456789, std::numeric_limits<double>::max()}) {
           const auto id = w.schedule("t" + std::to_string(w.record.interviews.size()), instant());
           w.find(id).score = w.pending.interviews.back().after.score = score;
         }
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A score of zero is not the lack of one",
       [](store& s) {
         record_writer w;
         const auto zero = w.schedule("zero", instant());
         w.find(zero).score = w.pending.interviews.back().after.score = 0.0;
         w.schedule("none", instant());
         w.commit(s);
         expect_stored(s, w);
       }},
      {"The largest fence, generation and attempt come back",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         interview& i = w.find(id);
         i.attempt = 10'000;
         i.link.generation = std::numeric_limits<std::uint32_t>::max();
         i.time_limit = i.grace = seconds{10LL * 366 * 86400};
         i.accommodation = {limits::accommodation_percent, seconds{10LL * 366 * 86400}, seconds{10LL * 366 * 86400}};
         i.ends_by = max_instant;
         i.sitting = {std::numeric_limits<std::int64_t>::max(), true, sha256("s")};
         w.pending.interviews.back() = {i, std::nullopt, true};
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A salt and a commitment are any bytes",
       [](store& s) {
         record_writer w;
         w.record.salt = std::string("\0\0\xff\x80'\\%\"\n\r\x1a\x01\x7f\xc3\x28\0", 16);
         w.record.subject = {};
         w.record.subject[31] = 0xff;
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A person's texts come back in any script",
       [](store& s) {
         record_writer w;
         w.record.person = {"ada", "ada+x@bücher.example", "Ada \xf0\x9f\xa6\x8a O'Hara \"李小龍\" \xd9\x85\xd8\xb1",
                            "zh-Hant-TW", "America/Argentina/Buenos_Aires"};
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A person's empty texts stay empty",
       [](store& s) {
         record_writer w;
         w.record.person = {"ada", ""};
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A person is changed where the commit says so",
       [](store& s) {
         record_writer w;
         w.commit(s);
         w.record.person = {"ada", "new@example.org", "New Name", "en", "UTC"};
         w.pending.write_person = true;
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A person is not touched where the commit does not say so",
       [](store& s) {
         record_writer w;
         w.commit(s);
         const applicant before = w.record.person;
         w.record.person = {"ada", "new@example.org", "New Name", "en", "UTC"};
         w.entry("note", instant(10));
         w.commit(s);
         w.record.person = before;
         expect_stored(s, w);
       }},
      {"A record without interviews is a record",
       [](store& s) {
         record_writer w;
         w.entry("update_applicant", instant());
         w.commit(s);
         expect_stored(s, w);
         same("version", load_record(s).version, std::uint64_t{1});
       }},
      {"Interviews come in the order of their creation",
       [](store& s) {
         record_writer w;
         for (const char* track : {"z", "a", "m", "b", "y"})
           w.schedule(track, instant(static_cast<seconds::rep>(w.record.interviews.size())));
         w.commit(s);
         w.step(w.record.interviews[1].id, event::start, instant(60));
         w.step(w.record.interviews[0].id, event::cancel, instant(70));
         w.schedule("z", instant(80));
         w.commit(s);
         expect_stored(s, w);
       }},
      {"Attempts of one second come in the order of their numbers",
       [](store& s) {
         record_writer w;
         for (int n = 0; n < 12; ++n) w.step(w.schedule("t", instant()), event::cancel, instant());
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A record with 300 attempts comes back whole",
       [](store& s) {
         record_writer w;
         auto id = bring_to(w, "t", interview_state::failed, instant());
         for (int n = 1; n < 300; ++n) {
           id = w.retake(id, instant(n * 100));
           w.step(id, event::start, instant(n * 100 + 1));
           w.step(id, event::submit, instant(n * 100 + 2), authority::token);
           w.step(id, event::fail, instant(n * 100 + 3));
         }
         w.commit(s);
         expect_stored(s, w);
         same("audit entries", all_audit(s).size(), w.record.sequence);
       }},
      {"An interview comes back in each state, with its outcome",
       [](store& s) {
         record_writer w;
         for (const auto state : all_states)
           bring_to(w, "track " + std::string(to_string(state)), state,
                    instant(static_cast<seconds::rep>(w.record.interviews.size())));
         w.commit(s);
         expect_stored(s, w);
       }},
      {"An interview comes back after each step, committed one by one",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.commit(s);
         for (const event on : {event::request_link, event::reissue, event::start, event::resume, event::reissue,
                                event::resume, event::submit, event::hold, event::pass, event::reopen, event::fail,
                                event::void_attempt, event::retake}) {
           w.step(id, on, w.record.last_instant + seconds{5});
           w.commit(s);
           expect_stored(s, w);
         }
       }},
      {"A retake links the two interviews",
       [](store& s) {
         record_writer w;
         const auto old = bring_to(w, "t", interview_state::failed, instant());
         w.commit(s);
         const auto next = w.retake(old, instant(500));
         w.commit(s);
         expect_stored(s, w);
         const auto stored = load_record(s);
         same("superseded_by", stored.interviews.at(0).superseded_by, std::optional(next));
         same("retake_of", stored.interviews.at(1).retake_of, std::optional(old));
       }},
      {"A sitting is written where the change says so",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.commit(s);
         w.step(id, event::start, instant(10));
         w.commit(s);
         same("sitting.open", load_record(s).interviews.at(0).sitting.open, true);
         expect_stored(s, w);
         w.step(id, event::resume, instant(20));
         w.commit(s);
         same("sitting.fence", load_record(s).interviews.at(0).sitting.fence, std::int64_t{2});
         expect_stored(s, w);
       }},
      {"A sitting is not touched where the change does not say so",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::in_progress, instant());
         w.commit(s);
         const sitting_state before = w.find(id).sitting;
         w.find(id).sitting = {77, false, sha256("another")};
         w.step(id, event::request_link, instant(20));
         w.pending.interviews.back().sitting_changed = false;
         w.commit(s);
         w.find(id).sitting = before;
         expect_stored(s, w);
         w.schedule("u", instant(30));
         w.pending.interviews.back().after.sitting = {5, true, sha256("a new one's")};
         w.commit(s);
         expect_stored(s, w);
       }},
      {"Facts come back with every field, by sequence",
       [](store& s) {
         record_writer w;
         for (std::size_t n = 0; n < fact_kind_count; ++n) {
           fact f{.kind = static_cast<fact_kind>(n), .name = "näme " + std::to_string(n)};
           f.at = instant(static_cast<seconds::rep>(100 - n));
           if (n % 2 == 0) f.track = "backend/technical";
           if (n % 3 == 0) f.until = max_instant;
           if (n != 4) f.value = std::string(n * 400, 'v');
           w.add_fact(std::move(f));
         }
         w.commit(s);
         expect_stored(s, w);
         w.add_fact({.kind = fact_kind::score, .name = "näme 0", .at = instant(5)});
         w.commit(s);
         expect_stored(s, w);
       }},
      {"Each commit adds one to the version",
       [](store& s) {
         record_writer w;
         for (std::uint64_t n = 1; n <= 5; ++n) {
           w.entry("note", instant(static_cast<seconds::rep>(n)));
           w.commit(s);
           same("version", load_record(s).version, n);
         }
       }},
      {"A commit at an older version is refused",
       [](store& s) {
         record_writer w;
         w.commit(s);
         record_writer late = w;
         w.entry("note", instant(1));
         w.commit(s);
         late.entry("note", instant(2));
         expect_refused(s, late, errc::conflict, "an older version");
         expect_stored(s, w);
       }},
      {"A commit at a version that is still to come is refused",
       [](store& s) {
         record_writer w;
         w.commit(s);
         record_writer early = w;
         early.entry("note", instant(1));
         early.pending.expected_version = 2;
         expect_refused(s, early, errc::conflict, "a later version");
       }},
      {"A record is made once",
       [](store& s) {
         record_writer w;
         w.commit(s);
         record_writer again;
         again.schedule("t", instant());
         expect_refused(s, again, errc::conflict, "a second record of one applicant");
       }},
      {"A record that is not there is not changed",
       [](store& s) {
         record_writer w;
         w.pending.expected_version = 1;
         w.entry("note", instant());
         expect_refused(s, w, errc::conflict, "a change of no record");
       }},
      {"An older version is refused whatever else is wrong with the change",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.commit(s);
         record_writer late = w;
         w.step(id, event::cancel, instant(5));
         w.commit(s);
         late.step(id, event::start, instant(6));
         expect_refused(s, late, errc::conflict, "the slower of two steps");
       }},
      {"One commit may take an interview two steps",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::in_progress, instant());
         w.commit(s);
         w.step(id, event::expire, *w.find(id).deadline + seconds{60});
         w.retake(id, instant(9000));
         w.commit(s);
         expect_stored(s, w);
       }},
      {"One commit may change interviews of several tracks",
       [](store& s) {
         record_writer w;
         for (const char* track : {"a", "b", "c"}) w.schedule(track, instant());
         w.commit(s);
         w.step(w.record.interviews[0].id, event::start, instant(5));
         w.step(w.record.interviews[1].id, event::cancel, instant(6));
         w.step(w.record.interviews[2].id, event::reissue, instant(7));
         w.schedule("d", instant(8));
         w.commit(s);
         expect_stored(s, w);
       }},
      {"The interviews, the facts and `erased` of a head are not looked at",
       [](store& s) {
         auto w = full_record();
         change_set set = w.take();
         set.head.interviews = {interview{.id = make_id(instant(), "stray"), .track = "stray"}};
         set.head.facts = {fact{.name = "stray"}};
         set.head.erased = true;
         must(s.commit(set), "commit()");
         expect_stored(s, w);
       }},
      {"A commit without an audit entry leaves the head where it is",
       [](store& s) {
         auto w = full_record();
         w.commit(s);
         w.pending.answer = answer_of(1, "{}", max_instant);
         w.commit(s);
         expect_stored(s, w);
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
