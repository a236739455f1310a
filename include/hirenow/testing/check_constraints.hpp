#pragma once
/// Checks of `check_store()`: what a store refuses, and that a refusal writes nothing.

#include "hirenow/testing/check_records.hpp"

namespace hirenow::testing::detail {

/// Changes the one interview of a record straight to a state, whatever the lifecycle says.
inline void force(record_writer& w, const interview_id& id, interview_state to) {
  interview after = w.find(id);
  const interview_state from = after.state;
  after.state = to;
  after.changed_at += seconds{1};
  w.entry("forced", after.changed_at, {}, id, from, to);
  w.pending.interviews.push_back({after, from});
  w.find(id) = after;
}

/// Everything that a reader can see of acme and of its record "ada".
struct visible {
  loaded record;
  std::vector<message> messages;
  std::vector<audit_entry> audit;
  list_page page;
  std::optional<sys_seconds> next_due;
};
inline visible look(store& s, const interview_id& id) {
  visible v;
  v.record =
      must(s.load({.tenant = "acme", .who = id, .answer = answer_of(9, {}, {}).key, .with_progress = true}), "load()");
  v.messages = all_messages(s);
  v.audit = all_audit(s);
  v.page = whole_list(s, instant(1000));
  v.next_due = must(s.next_due(), "next_due()");
  return v;
}
inline void same(std::string_view what, const visible& got, const visible& due) {
  same(what, got.record.record, due.record.record);
  same(std::string(what) + ": the answer", got.record.answer, due.record.answer);
  same(std::string(what) + ": the progress", got.record.progress, due.record.progress);
  same_all(what, got.messages, due.messages);
  same_all(what, got.audit, due.audit);
  same_all(what, got.page.rows, due.page.rows);
  same(std::string(what) + ": the counts", got.page.counts, due.page.counts);
  same(std::string(what) + ": next_due()", got.next_due, due.next_due);
}

/// A record with an interview in progress, a queued message, a fact, a note, progress and an answer; and a pending
/// change that touches all of them.
inline std::pair<record_writer, interview_id> busy_record(store& s) {
  record_writer w;
  const auto id = bring_to(w, "t", interview_state::in_progress, instant());
  w.promise(id, message_kind::reminder, instant(50));
  w.pending.audit.back().note = "a note";
  w.add_fact({.name = "f", .at = instant(20)});
  w.pending.answer = answer_of(9, "first", instant(100));
  w.commit(s);
  must(s.save_progress({"acme", id, 1, w.find(id).sitting.key_hash, instant(30), "half"}), "save_progress()");

  w.record.person.name = "Another";
  w.pending.write_person = true;
  w.step(id, event::submit, instant(200), authority::token);
  w.pending.withdrawals.push_back({id});
  w.promise(id, message_kind::cancelled, instant(10));
  w.pending.final_progress = std::pair(id, progress{"whole", instant(200)});
  w.add_fact({.name = "g", .at = instant(200)});
  w.schedule("u", instant(200));
  w.pending.answer = answer_of(9, "second", instant(999));
  return {w, id};
}

/// Spoils the pending change of a busy record, and expects that nothing at all is written.
template <class Spoil>
void expect_nothing_written(store& s, errc code, Spoil spoil) {
  auto [w, id] = busy_record(s);
  const visible before = look(s, id);
  record_writer spoilt = w;
  spoil(spoilt, id);
  must_refuse(s.commit(spoilt.take()), code, "a spoilt change");
  same("after the refusal", look(s, id), before);
  w.commit(s);
  same("after the change that was not spoilt", load_record(s), w.record);
}

inline const std::vector<store_check>& constraint_checks() {
  static const std::vector<store_check> all{
      {"Every step that the lifecycle has is taken",
       [](store& s) {
         int n = 0;
         for (const auto from : all_states)
           for (const auto to : all_states) {
             if (!is_lawful_step(from, to)) continue;
             record_writer w("person-" + std::to_string(n++));
             const auto id = bring_to(w, "t", from, instant());
             w.commit(s);
             force(w, id, to);
             w.commit(s);
             expect_stored(s, w);
           }
       }},
      {"Every step that the lifecycle does not have is refused",
       [](store& s) {
         int n = 0;
         for (const auto from : all_states)
           for (const auto to : all_states) {
             if (is_lawful_step(from, to)) continue;
             record_writer w("person-" + std::to_string(n++));
             const auto id = bring_to(w, "t", from, instant());
             w.commit(s);
             force(w, id, to);
             expect_refused(s, w, errc::constraint_violated,
                            std::string(to_string(from)) + " to " + std::string(to_string(to)));
           }
       }},
      {"An archived interview is never changed, not even to itself",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::archived, instant());
         w.commit(s);
         record_writer same_again = w, other_outcome = w, other_link = w;
         force(same_again, id, interview_state::archived);
         expect_refused(s, same_again, errc::constraint_violated, "archived to archived");
         other_outcome.find(id).outcome = outcome::passed;
         force(other_outcome, id, interview_state::archived);
         expect_refused(s, other_outcome, errc::constraint_violated, "another outcome of an archived interview");
         other_link.find(id).link.generation = 9;
         force(other_link, id, interview_state::archived);
         expect_refused(s, other_link, errc::constraint_violated, "another link of an archived interview");
       }},
      {"An interview that one commit archives is not changed again by it",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::failed, instant());
         w.commit(s);
         w.step(id, event::retake, instant(500));
         force(w, id, interview_state::scheduled);
         expect_refused(s, w, errc::constraint_violated, "archived and scheduled again in one commit");
       }},
      {"A cancelled interview has no way out",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::cancelled, instant());
         w.commit(s);
         for (const auto to : all_states) {
           record_writer bad = w;
           force(bad, id, to);
           expect_refused(s, bad, errc::constraint_violated, "cancelled to " + std::string(to_string(to)));
         }
       }},
      {"A change that names another state than the store's is refused",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::submitted, instant());
         w.commit(s);
         w.step(id, event::pass, instant(50));
         w.pending.interviews.back().before = interview_state::on_hold;
         expect_refused(s, w, errc::constraint_violated, "a wrong `before`");
       }},
      {"The second step of a commit starts where the first one ended",
       [](store& s) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::submitted, instant());
         w.commit(s);
         w.step(id, event::hold, instant(50));
         w.step(id, event::pass, instant(60));
         w.pending.interviews.back().before = interview_state::submitted;
         expect_refused(s, w, errc::constraint_violated, "a `before` that the first step has left");
       }},
      {"An interview that is not there is not changed",
       [](store& s) {
         record_writer w;
         w.commit(s);
         w.schedule("t", instant());
         w.pending.interviews.back().before = interview_state::scheduled;
         expect_refused(s, w, errc::constraint_violated, "a change of no interview");
       }},
      {"An interview of another applicant is not changed",
       [](store& s) {
         record_writer ada, bob("bob");
         const auto id = ada.schedule("t", instant());
         ada.commit(s);
         bob.commit(s);
         bob.record.interviews.push_back(ada.find(id));
         bob.step(id, event::cancel, instant(5));
         expect_refused(s, bob, errc::constraint_violated, "a change of another's interview");
         expect_stored(s, ada);
       }},
      {"An interview of another tenant is not changed",
       [](store& s) {
         record_writer ada, twin("ada", "other");
         const auto id = ada.schedule("t", instant());
         ada.commit(s);
         twin.commit(s);
         twin.record.interviews.push_back(ada.find(id));
         twin.step(id, event::cancel, instant(5));
         expect_refused(s, twin, errc::constraint_violated, "a change of another tenant's interview");
         expect_stored(s, ada);
       }},
      {"An interview id is taken once in a record",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.commit(s);
         w.schedule("u", instant(5));
         w.pending.interviews.back().after.id = id;
         expect_refused(s, w, errc::constraint_violated, "a second interview of one id");
       }},
      {"An interview id is taken once in a commit",
       [](store& s) {
         record_writer w;
         w.commit(s);
         const auto id = w.schedule("t", instant());
         w.schedule("u", instant(5));
         w.pending.interviews.back().after.id = id;
         expect_refused(s, w, errc::constraint_violated, "two new interviews of one id");
       }},
      {"An interview id is taken once among applicants",
       [](store& s) {
         record_writer ada, bob("bob");
         const auto id = ada.schedule("t", instant());
         ada.commit(s);
         bob.schedule("t", instant(5));
         bob.pending.interviews.back().after.id = id;
         expect_refused(s, bob, errc::constraint_violated, "an id that another applicant's interview has");
         expect_stored(s, ada);
       }},
      {"An interview id is taken once among tenants",
       [](store& s) {
         record_writer ada, twin("ada", "other");
         const auto id = ada.schedule("t", instant());
         ada.commit(s);
         twin.schedule("t", instant(5));
         twin.pending.interviews.back().after.id = id;
         expect_refused(s, twin, errc::constraint_violated, "an id that another tenant's interview has");
         expect_stored(s, ada);
       }},
      {"A new interview is scheduled and nothing else",
       [](store& s) {
         for (const auto state : all_states) {
           if (state == interview_state::scheduled) continue;
           record_writer w;
           w.schedule("t", instant());
           w.pending.interviews.back().after.state = state;
           expect_refused(s, w, errc::constraint_violated, "a new interview that is " + std::string(to_string(state)));
         }
       }},
      {"A track has one current interview, whatever its state",
       [](store& s) {
         int n = 0;
         for (const auto state : all_states) {
           record_writer w("person-" + std::to_string(n++));
           bring_to(w, "t", state, instant());
           w.commit(s);
           w.schedule("t", instant(900));
           if (is_current(state))
             expect_refused(s, w, errc::constraint_violated,
                            "a second interview beside one that is " + std::string(to_string(state)));
         }
       }},
      {"An archived, cancelled or voided interview makes room on its track",
       [](store& s) {
         int n = 0;
         for (const auto state : all_states) {
           if (is_current(state)) continue;
           record_writer w("person-" + std::to_string(n++));
           bring_to(w, "t", state, instant());
           w.commit(s);
           w.schedule("t", instant(900));
           w.commit(s);
           expect_stored(s, w);
         }
       }},
      {"One commit does not put two current interviews on a track",
       [](store& s) {
         record_writer w;
         w.commit(s);
         w.schedule("t", instant());
         w.schedule("t", instant(1));
         expect_refused(s, w, errc::constraint_violated, "two new interviews on one track");
       }},
      {"Each track of each person has a current interview of its own",
       [](store& s) {
         for (const char* tenant : {"acme", "other"})
           for (const char* who : {"ada", "bob"}) {
             record_writer w(who, tenant);
             w.schedule("t", instant());
             w.schedule("u", instant());
             w.commit(s);
             expect_stored(s, w);
           }
       }},
      {"An audit entry that leaves a gap is refused",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         w.commit(s);
         w.entry("lost", instant(1));
         w.entry("note", instant(2));
         w.pending.audit.erase(w.pending.audit.begin());
         expect_refused(s, w, errc::constraint_violated, "a gap in the audit");
       }},
      {"A gap in the audit is refused even where the hashes join",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         w.commit(s);
         ++w.record.sequence;
         w.entry("note", instant(2));
         expect_refused(s, w, errc::constraint_violated, "a number left out in the audit");
       }},
      {"A second audit entry of one number is refused",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         w.commit(s);
         --w.record.sequence;
         w.entry("note", instant(2));
         expect_refused(s, w, errc::constraint_violated, "a second entry of one number");
       }},
      {"The first audit entry has number one and follows nothing",
       [](store& s) {
         record_writer late, chained;
         late.record.sequence = 1;
         late.entry("note", instant());
         expect_refused(s, late, errc::constraint_violated, "a first entry with number two");
         chained.record.audit_head = sha256("something");
         chained.entry("note", instant());
         expect_refused(s, chained, errc::constraint_violated, "a first entry that follows something");
       }},
      {"An audit entry with another hash before it is refused",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         w.commit(s);
         w.record.audit_head = sha256("another");
         w.entry("note", instant(2));
         expect_refused(s, w, errc::constraint_violated, "an entry that does not follow the one before it");
       }},
      {"The second audit entry of a commit follows the first",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         const digest first = w.record.audit_head;
         w.entry("note", instant(1));
         w.entry("note", instant(2));
         w.pending.audit.back().previous = first;
         expect_refused(s, w, errc::constraint_violated, "an entry that passes over the one before it");
       }},
      {"A head with another number than the newest audit entry is refused",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         ++w.record.sequence;
         expect_refused(s, w, errc::constraint_violated, "a head with another sequence");
       }},
      {"A head with another hash than the newest audit entry is refused",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         w.record.audit_head = sha256("another");
         expect_refused(s, w, errc::constraint_violated, "a head with another hash");
       }},
      {"A head does not move without an audit entry",
       [](store& s) {
         record_writer w;
         w.entry("note", instant());
         w.commit(s);
         ++w.record.sequence;
         expect_refused(s, w, errc::constraint_violated, "a head that moves alone");
       }},
      {"A message key is taken once in a commit",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.promise(id, message_kind::invitation, instant());
         w.promise(id, message_kind::invitation, instant(60));
         expect_refused(s, w, errc::constraint_violated, "two messages of one key");
         same("messages", all_messages(s).size(), std::size_t{0});
       }},
      {"A message key is taken for ever",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         const auto key = w.promise(id, message_kind::invitation, instant());
         w.commit(s);
         const auto again = [&](const std::string& state) {
           w.entry("note", instant(5));
           record_writer bad = w;
           bad.pending.messages.push_back({.key = key, .due_at = instant(60)});
           expect_refused(s, bad, errc::constraint_violated, "a second message of the key of one that is " + state);
         };
         again("queued");
         claim(s, instant(10));
         again("leased");
         expect(settle(s, key, settlement::verdict::accepted), "the lease was lost");
         again("accepted");
         same("messages", all_messages(s).size(), std::size_t{1});
       }},
      {"A message is of an interview of its own record",
       [](store& s) {
         record_writer ada, bob("bob");
         const auto id = ada.schedule("t", instant());
         ada.commit(s);
         bob.schedule("t", instant());
         bob.pending.messages.push_back({.key = {id, message_kind::reminder, 1}, .due_at = instant()});
         expect_refused(s, bob, errc::constraint_violated, "a message of another's interview");
         same("messages", all_messages(s).size(), std::size_t{0});
       }},
      {"Final progress is of an interview of its own record",
       [](store& s) {
         record_writer ada, bob("bob");
         const auto id = ada.schedule("t", instant());
         ada.commit(s);
         bob.schedule("t", instant());
         bob.pending.final_progress = std::pair(id, progress{"bytes", instant()});
         expect_refused(s, bob, errc::constraint_violated, "progress of another's interview");
         expect(!load_progress(s, id), "progress was written into another's interview");
       }},
      {"A refusal for its version writes nothing",
       [](store& s) {
         expect_nothing_written(s, errc::conflict,
                                [](record_writer& w, const interview_id&) { ++w.pending.expected_version; });
       }},
      {"A refusal for its version erases nothing",
       [](store& s) {
         expect_nothing_written(s, errc::conflict, [](record_writer& w, const interview_id&) {
           w.erase(instant(300));
           ++w.pending.expected_version;
         });
       }},
      {"A refusal for an interview writes nothing",
       [](store& s) {
         expect_nothing_written(s, errc::constraint_violated,
                                [](record_writer& w, const interview_id&) { w.schedule("u", instant(300)); });
       }},
      {"A refusal for an audit entry writes nothing",
       [](store& s) {
         expect_nothing_written(s, errc::constraint_violated, [](record_writer& w, const interview_id&) {
           w.pending.audit.back().previous = sha256("another");
         });
       }},
      {"A refusal for a message writes nothing",
       [](store& s) {
         expect_nothing_written(s, errc::constraint_violated, [](record_writer& w, const interview_id&) {
           w.pending.messages.push_back(w.pending.messages.back());
         });
       }},
      {"A refusal for a redrive writes nothing",
       [](store& s) {
         expect_nothing_written(s, errc::constraint_violated, [](record_writer& w, const interview_id& id) {
           w.pending.redrives.push_back({id, message_kind::reissued_link, 77});
         });
       }},
      {"A refusal for an answer writes nothing",
       [](store& s) {
         record_writer other("bob");
         other.entry("note", instant());
         other.pending.answer = answer_of(8, "other's", max_instant);
         other.commit(s);
         expect_nothing_written(s, errc::conflict, [](record_writer& w, const interview_id&) {
           w.pending.answer = answer_of(8, "mine", max_instant);
         });
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
