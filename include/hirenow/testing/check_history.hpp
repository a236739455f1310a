#pragma once
/// Checks of `check_store()`: the audit is read as it was written, and an erasure takes what is personal and no more.

#include "hirenow/testing/check_personal.hpp"

namespace hirenow::testing::detail {

inline void expect_chain_verifies(store& s, std::string_view applicant_id = "ada", std::string_view tenant = "acme") {
  const applicant_record record = load_record(s, applicant_id, tenant);
  audit_verifier verifier(record);
  for (const auto& entry : all_audit(s, applicant_id, tenant)) must(verifier.take(entry), "audit_verifier::take()");
  must(verifier.finish(), "audit_verifier::finish()");
}

/// A stored record with one of everything that is personal, and the key of its message, which a server has refused.
struct personal_rows {
  record_writer w;
  interview_id id;
  message_key refused;
};
inline personal_rows store_personal_rows(store& s, std::string applicant_id = "ada", std::string tenant = "acme",
                                         std::uint8_t answer = 1) {
  auto w = full_record(std::move(applicant_id), std::move(tenant));
  w.entry("reopen", instant(400), "free text about a person");
  const message_key key = w.pending.messages.front().key;
  const auto id = w.schedule("practice", instant(401));
  w.step(id, event::start, instant(402));
  w.pending.answer = answer_of(answer, "ids", max_instant);
  w.commit(s);
  expect(save(s, w, id, instant(500), "my thoughts"), "save_progress() returned false");
  claim(s, instant(600));
  expect(settle(s, key, settlement::verdict::dead, {}, "550 no such user <ada@example.org>", 1, w.record.tenant),
         "the lease was lost");
  return {w, id, key};
}

inline const std::vector<store_check>& audit_checks() {
  static const std::vector<store_check> all{
      {"Audit entries are read in order, every field as it was committed",
       [](store& s) {
         auto w = full_record();
         auto due = w.pending.audit;
         w.commit(s);
         w.entry("note", instant(900), "ein Wört \xf0\x9f\xa6\x8a", w.record.interviews[0].id,
                 interview_state::archived);
         w.entry("note", instant(901), std::string(2048, 'n'), std::nullopt, std::nullopt, interview_state::passed);
         due.insert(due.end(), w.pending.audit.begin(), w.pending.audit.end());
         w.commit(s);
         same_all("read_audit()", all_audit(s), due);
       }},
      {"The details of an audit entry come back byte by byte",
       [](store& s) {
         record_writer w;
         audit_entry e{.at = instant(), .actor = "applicant", .event = "start"};
         e.details = "{ \"b\" : 1.0,\t\"a\":\"\\u0000\", \"long\":\"" + std::string(9000, 'x') + "\" }";
         w.pending.audit.push_back(append_audit(w.record, e));
         w.commit(s);
         w.commit(s);
         same("details", all_audit(s).at(0).details, e.details);
         expect_chain_verifies(s);
       }},
      {"The audit that is read verifies",
       [](store& s) {
         auto w = full_record();
         w.commit(s);
         for (int n = 0; n < 20; ++n) {
           w.entry("note", instant(900 + n), n % 2 == 0 ? "why" : "");
           if (n % 3 == 0) w.commit(s);
         }
         w.commit(s);
         expect_chain_verifies(s);
       }},
      {"The audit is read from any entry on, in pages of any size",
       [](store& s) {
         record_writer w;
         for (int n = 0; n < 23; ++n) w.entry("note", instant(n));
         w.commit(s);
         const auto due = all_audit(s);
         same("entries", due.size(), std::size_t{23});
         for (const std::size_t limit : std::vector<std::size_t>{1, 2, 5, 22, 23, 24}) {
           std::vector<audit_entry> read;
           for (;;) {
             const auto page = must(s.read_audit("acme", "ada", read.size(), limit), "read_audit()");
             expect(page.size() <= limit, "a page is longer than was asked for");
             if (page.empty()) break;
             read.insert(read.end(), page.begin(), page.end());
           }
           same_all("pages of " + std::to_string(limit), read, due);
         }
         same("entries after the last", must(s.read_audit("acme", "ada", 23, 10), "read_audit()").size(),
              std::size_t{0});
         same("entries far after the last", must(s.read_audit("acme", "ada", 1'000'000, 10), "read_audit()").size(),
              std::size_t{0});
       }},
      {"The audit of nobody is empty",
       [](store& s) { same("entries", all_audit(s, "nobody").size(), std::size_t{0}); }},
      {"The audit of a record is no other's",
       [](store& s) {
         auto ada = full_record(), bob = full_record("bob"), twin = full_record("ada", "other");
         const auto due = bob.pending.audit;
         ada.commit(s);
         bob.commit(s);
         same("entries of another tenant", all_audit(s, "ada", "other").size(), std::size_t{0});
         twin.commit(s);
         same_all("bob's audit", all_audit(s, "bob"), due);
         expect_chain_verifies(s);
         expect_chain_verifies(s, "ada", "other");
       }},
      {"The heads of a tenant are its records' newest entries",
       [](store& s) {
         auto ada = full_record(), bob = full_record("bob");
         ada.commit(s);
         bob.commit(s);
         full_record("carl", "other").commit(s);
         bob.entry("note", instant(900));
         bob.commit(s);
         const auto heads = must(s.audit_heads("acme", "", 10), "audit_heads()");
         same("heads", heads,
              std::vector<audit_head>{{"ada", ada.record.sequence, ada.record.audit_head},
                                      {"bob", bob.record.sequence, bob.record.audit_head}});
         same("heads of nobody", must(s.audit_heads("nobody", "", 10), "audit_heads()").size(), std::size_t{0});
       }},
      {"Heads come by applicant id, byte by byte, in pages of any size",
       [](store& s) {
         std::vector<std::string> ids{"b",         "B",  "a",  "10", "9", "\xc3\xa9", "z",
                                      "e\xcc\x81", "aa", "a ", "Z",  "_", "-"};
         for (const auto& id : ids) record_writer(id).commit(s);
         std::sort(ids.begin(), ids.end());
         for (const std::size_t limit : std::vector<std::size_t>{1, 3, 13, 20}) {
           std::vector<std::string> read;
           for (;;) {
             const auto page = must(s.audit_heads("acme", read.empty() ? "" : read.back(), limit), "audit_heads()");
             expect(page.size() <= limit, "a page is longer than was asked for");
             if (page.empty()) break;
             for (const auto& head : page) read.push_back(head.applicant_id);
             expect(read.size() <= ids.size(), "heads come twice");
           }
           same("the ids in pages of " + std::to_string(limit), read, ids);
         }
       }},
  };
  return all;
}

inline const std::vector<store_check>& erasure_checks() {
  static const std::vector<store_check> all{
      {"An erasure leaves of the person the id alone, and no salt",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.erase(instant(700));
         p.w.commit(s);
         const auto r = load_record(s);
         same("load()", r.person, applicant{"ada", ""});
         same("salt", r.salt, "");
         same("erased", r.erased, true);
       }},
      {"An erasure empties person and salt, whatever the head says",
       [](store& s) {
         auto p = store_personal_rows(s);
         const applicant person = p.w.record.person;
         const std::string salt = p.w.record.salt;
         p.w.erase(instant(700));
         p.w.record.person = person;
         p.w.record.salt = salt;
         p.w.pending.write_person = true;
         p.w.commit(s);
         same("load()", load_record(s).person, applicant{"ada", ""});
         same("salt", load_record(s).salt, "");
       }},
      {"An erasure deletes the facts, those of its own commit too",
       [](store& s) {
         auto p = store_personal_rows(s);
         expect(!load_record(s).facts.empty(), "there was no fact to erase");
         p.w.add_fact({.name = "late", .at = instant(699)});
         p.w.erase(instant(700));
         p.w.commit(s);
         same("facts", load_record(s).facts.size(), std::size_t{0});
       }},
      {"An erasure deletes the notes, those of its own commit too",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.erase(instant(700), "she asked for it");
         p.w.commit(s);
         for (const auto& entry : all_audit(s)) same("note of entry " + std::to_string(entry.sequence), entry.note, "");
       }},
      {"An erasure leaves the audit as it was but for the notes, and it verifies",
       [](store& s) {
         auto p = store_personal_rows(s);
         auto due = all_audit(s);
         p.w.erase(instant(700), "she asked for it");
         due.push_back(p.w.pending.audit.back());
         p.w.commit(s);
         for (auto& entry : due) entry.note.clear();
         same_all("read_audit()", all_audit(s), due);
         expect_chain_verifies(s);
       }},
      {"An erasure deletes the progress, that of its own commit too",
       [](store& s) {
         auto p = store_personal_rows(s);
         const auto other = p.w.record.interviews[0].id;
         p.w.pending.final_progress = std::pair(other, progress{"bytes", instant(700)});
         p.w.erase(instant(700));
         p.w.commit(s);
         expect(!load_progress(s, p.id), "saved progress outlived the erasure");
         expect(!load_progress(s, other), "final progress outlived the erasure");
       }},
      {"An erasure deletes the record's stored answers and leaves all others",
       [](store& s) {
         auto ada = store_personal_rows(s);
         store_personal_rows(s, "bob", "acme", 2);
         store_personal_rows(s, "ada", "other", 1);
         ada.w.erase(instant(700));
         ada.w.commit(s);
         expect(!load_answer(s, answer_of(1, {}, {}).key), "a stored answer outlived the erasure");
         expect(load_answer(s, answer_of(2, {}, {}).key).has_value(), "another's stored answer was erased");
         expect(load_answer(s, answer_of(1, {}, {}).key, "other").has_value(),
                "another tenant's stored answer was erased");
       }},
      {"The answer to the erasure itself is stored",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.erase(instant(700));
         p.w.pending.answer = answer_of(5, "erased", max_instant);
         p.w.commit(s);
         same("answer", load_answer(s, answer_of(5, {}, {}).key), std::optional(answer_of(5, "erased", max_instant)));
         expect(!load_answer(s, answer_of(1, {}, {}).key), "an earlier answer outlived the erasure");
       }},
      {"The answer to an erasure may have the key of one that the erasure deletes",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.erase(instant(700));
         p.w.pending.answer = answer_of(1, "erased", max_instant);
         p.w.commit(s);
         same("answer", load_answer(s, answer_of(1, {}, {}).key), std::optional(answer_of(1, "erased", max_instant)));
       }},
      {"An erasure leaves the interviews",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.step(p.id, event::cancel, instant(699));
         p.w.erase(instant(700));
         p.w.commit(s);
         expect_stored(s, p.w);
       }},
      {"An erasure leaves the messages, but for what servers said about them",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.promise(p.id, message_kind::cancelled, instant(650));
         p.w.commit(s);
         auto due = all_messages(s);
         same("messages", due.size(), std::size_t{2});
         same("what the server said", find_message(s, p.refused).last_answer, "550 no such user <ada@example.org>");
         p.w.erase(instant(700));
         p.w.commit(s);
         for (auto& m : due) m.last_answer.clear();
         same_all("messages()", all_messages(s), due);
       }},
      {"The withdrawals of an erasure are carried out",
       [](store& s) {
         auto p = store_personal_rows(s);
         const auto key = p.w.promise(p.id, message_kind::reminder, instant(650));
         p.w.commit(s);
         p.w.pending.withdrawals.push_back({p.id});
         p.w.erase(instant(700));
         p.w.commit(s);
         same("state", find_message(s, key).state, message_state::withdrawn);
       }},
      {"An erasure leaves every other record as it was",
       [](store& s) {
         auto ada = store_personal_rows(s);
         auto bob = store_personal_rows(s, "bob", "acme", 2);
         auto twin = store_personal_rows(s, "ada", "other", 3);
         const auto bob_audit = all_audit(s, "bob"), twin_audit = all_audit(s, "ada", "other");
         ada.w.erase(instant(700));
         ada.w.commit(s);
         expect_stored(s, bob.w);
         expect_stored(s, twin.w);
         same_all("bob's audit", all_audit(s, "bob"), bob_audit);
         same_all("the twin's audit", all_audit(s, "ada", "other"), twin_audit);
         same("bob's progress", saved_bytes(s, bob.id), "my thoughts");
         same("the twin's progress", saved_bytes(s, twin.id, "other"), "my thoughts");
         same("what the server said about bob", find_message(s, bob.refused).last_answer,
              "550 no such user <ada@example.org>");
       }},
      {"An erased record takes lawful changes and stays erased",
       [](store& s) {
         auto p = store_personal_rows(s);
         p.w.erase(instant(700));
         p.w.commit(s);
         p.w.step(p.id, event::submit, instant(800), authority::token);
         p.w.commit(s);
         expect_stored(s, p.w);
         same("erased", load_record(s).erased, true);
         expect_chain_verifies(s);
       }},
      {"An erased person has rows in the list, without name and address",
       [](store& s) {
         auto p = store_personal_rows(s);
         const auto before = whole_list(s, instant(701));
         p.w.erase(instant(700));
         p.w.commit(s);
         const auto after = whole_list(s, instant(701));
         same("rows", after.rows.size(), before.rows.size());
         same("counts", after.counts, before.counts);
         for (const auto& row : after.rows) {
           same("applicant_id", row.applicant_id, "ada");
           same("applicant_name", row.applicant_name, "");
           same("applicant_email", row.applicant_email, "");
         }
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
