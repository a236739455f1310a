#pragma once
/// Checks of `check_store()`: progress, stored answers, policies, the audit, and what an erasure takes with it.

#include <algorithm>

#include "hirenow/testing/check_constraints.hpp"

namespace hirenow::testing::detail {

/// A stored record with one interview that was started at `instant(10)`; its deadline is an hour later.
inline std::pair<record_writer, interview_id> started(store& s, std::string applicant_id = "ada",
                                                      std::string tenant = "acme") {
  record_writer w(std::move(applicant_id), std::move(tenant));
  const auto id = bring_to(w, "t", interview_state::in_progress, instant());
  w.commit(s);
  return {w, id};
}
inline bool save(store& s, const record_writer& w, const interview_id& id, sys_seconds at, std::string_view bytes) {
  const sitting_state& sitting = find_interview(w.record, id)->sitting;
  return must(s.save_progress({w.record.tenant, id, sitting.fence, sitting.key_hash, at, bytes}), "save_progress()");
}
/// Expects that a save is turned down and leaves no progress.
inline void expect_unsaved(store& s, const checkpoint_request& request, const std::string& what) {
  same("save_progress() " + what, must(s.save_progress(request), "save_progress()"), false);
  expect(!load_progress(s, request.interview), "progress was written " + what);
}

inline const std::vector<store_check>& progress_checks() {
  static const std::vector<store_check> all{
      {"Progress that is saved is loaded with its interview",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, instant(100), "half"), "save_progress() returned false");
         same("progress", load_progress(s, id), std::optional(progress{"half", instant(100)}));
         expect_stored(s, w);
       }},
      {"The newest progress takes the place of the older",
       [](store& s) {
         auto [w, id] = started(s);
         for (const char* bytes : {"a longer one", "b", "", "c"}) {
           expect(save(s, w, id, instant(100), bytes), "save_progress() returned false");
           same("progress", load_progress(s, id), std::optional(progress{bytes, instant(100)}));
         }
       }},
      {"Progress is any bytes, up to 256 KiB",
       [](store& s) {
         auto [w, id] = started(s);
         std::string bytes(256 * 1024, '\0');
         for (std::size_t n = 0; n < bytes.size(); ++n) bytes[n] = static_cast<char>((n * 7 + n / 256) & 0xff);
         expect(save(s, w, id, instant(100), bytes), "save_progress() returned false");
         same("progress", load_progress(s, id), std::optional(progress{bytes, instant(100)}));
       }},
      {"Empty progress is progress",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, instant(100), ""), "save_progress() returned false");
         expect(load_progress(s, id).has_value(), "no progress was loaded");
       }},
      {"Progress is loaded only where it is asked for",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, instant(100), "half"), "save_progress() returned false");
         expect(!must(s.load({.tenant = "acme", .who = id}), "load()").progress, "progress that nobody asked for");
       }},
      {"Progress belongs to one interview",
       [](store& s) {
         record_writer w;
         const auto one = bring_to(w, "t", interview_state::in_progress, instant());
         const auto two = bring_to(w, "u", interview_state::in_progress, instant());
         w.commit(s);
         expect(save(s, w, one, instant(100), "of one"), "save_progress() returned false");
         expect(!load_progress(s, two), "another interview's progress was loaded");
         expect(save(s, w, two, instant(100), "of two"), "save_progress() returned false");
         same("progress", saved_bytes(s, one), "of one");
         expect(!load_progress(s, one, "other"), "another tenant loaded the progress");
       }},
      {"Progress under another fence is turned down",
       [](store& s) {
         auto [w, id] = started(s);
         const auto key = w.find(id).sitting.key_hash;
         for (const std::int64_t fence : {0, 2, -1})
           expect_unsaved(s, {"acme", id, fence, key, instant(100), "x"}, "under fence " + std::to_string(fence));
       }},
      {"Progress under another session key is turned down",
       [](store& s) {
         auto [w, id] = started(s);
         digest key = w.find(id).sitting.key_hash;
         key[31] ^= 1;
         expect_unsaved(s, {"acme", id, 1, key, instant(100), "x"}, "under another session key");
         expect_unsaved(s, {"acme", id, 1, digest{}, instant(100), "x"}, "under no session key");
       }},
      {"Progress under a closed session is turned down",
       [](store& s) {
         auto [w, id] = started(s);
         w.step(id, event::submit, instant(50), authority::token);
         w.commit(s);
         expect_unsaved(s, {"acme", id, 1, w.find(id).sitting.key_hash, instant(60), "x"}, "after the submit");
       }},
      {"A reissue closes the session to progress",
       [](store& s) {
         auto [w, id] = started(s);
         w.step(id, event::reissue, instant(50));
         w.commit(s);
         expect_unsaved(s, {"acme", id, 1, w.find(id).sitting.key_hash, instant(60), "x"}, "after a reissue");
       }},
      {"Progress is saved until the second before the deadline",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, *w.find(id).deadline - seconds{1}, "last"), "save_progress() returned false");
         same("save at the deadline", save(s, w, id, *w.find(id).deadline, "late"), false);
         same("progress", saved_bytes(s, id), "last");
       }},
      {"Grace is not for progress",
       [](store& s) {
         auto [w, id] = started(s);
         expect_unsaved(s, {"acme", id, 1, w.find(id).sitting.key_hash, *w.find(id).deadline + seconds{5}, "x"},
                        "within the grace");
       }},
      {"Progress before the start is turned down",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         w.commit(s);
         expect_unsaved(s, {"acme", id, 0, digest{}, instant(5), "x"}, "before the start");
         const auto opened = w.schedule("u", instant());
         w.find(opened).sitting = w.pending.interviews.back().after.sitting = {1, true, digest{}};
         w.pending.interviews.back().sitting_changed = true;
         w.commit(s);
         expect_unsaved(s, {"acme", opened, 1, digest{}, instant(5), "x"}, "where no deadline is set");
       }},
      {"Progress of no interview is turned down",
       [](store& s) { expect_unsaved(s, {"acme", make_id(instant(), "x"), 1, {}, instant(), "x"}, "of nothing"); }},
      {"Progress from another tenant is turned down",
       [](store& s) {
         auto [w, id] = started(s);
         expect_unsaved(s, {"other", id, 1, w.find(id).sitting.key_hash, instant(100), "x"}, "by another tenant");
       }},
      {"A newer session fences the older one off",
       [](store& s) {
         auto [w, id] = started(s);
         const record_writer older = w;
         expect(save(s, w, id, instant(20), "of the first"), "save_progress() returned false");
         w.step(id, event::resume, instant(30));
         w.commit(s);
         same("progress after the resume", saved_bytes(s, id), "of the first");
         same("save of the older session", save(s, older, id, instant(40), "late"), false);
         expect(save(s, w, id, instant(41), "of the second"), "save_progress() returned false");
         same("progress", load_progress(s, id), std::optional(progress{"of the second", instant(41)}));
       }},
      {"A session that one commit closes and reopens is the new one's",
       [](store& s) {
         auto [w, id] = started(s);
         const record_writer older = w;
         w.step(id, event::reissue, instant(30));
         w.step(id, event::resume, instant(31));
         w.commit(s);
         same("save of the older session", save(s, older, id, instant(40), "late"), false);
         expect(save(s, w, id, instant(41), "new"), "save_progress() returned false");
       }},
      {"Saving progress moves no version and disturbs no commit",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, instant(100), "half"), "save_progress() returned false");
         expect_stored(s, w);
         w.step(id, event::submit, instant(200), authority::token);
         w.commit(s);
         expect_stored(s, w);
         same("progress after the submit", saved_bytes(s, id), "half");
       }},
      {"Final progress takes the place of what was saved",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, instant(100), "half"), "save_progress() returned false");
         w.step(id, event::submit, instant(200), authority::token);
         w.pending.final_progress = std::pair(id, progress{std::string("\0whole\xff", 7), instant(200)});
         w.commit(s);
         same("progress", load_progress(s, id), std::optional(progress{std::string("\0whole\xff", 7), instant(200)}));
       }},
      {"Final progress needs nothing saved before",
       [](store& s) {
         auto [w, id] = started(s);
         w.step(id, event::submit, instant(200), authority::token);
         w.pending.final_progress = std::pair(id, progress{"whole", instant(200)});
         w.commit(s);
         same("progress", load_progress(s, id), std::optional(progress{"whole", instant(200)}));
       }},
      {"Progress outlives the archiving of its interview",
       [](store& s) {
         auto [w, id] = started(s);
         expect(save(s, w, id, instant(100), "half"), "save_progress() returned false");
         w.step(id, event::void_attempt, instant(200));
         w.retake(id, instant(300));
         w.commit(s);
         same("progress", saved_bytes(s, id), "half");
         expect(!load_progress(s, w.record.interviews.back().id), "the new interview has the old one's progress");
       }},
  };
  return all;
}

inline const std::vector<store_check>& answer_checks() {
  static const std::vector<store_check> all{
      {"A stored answer is loaded with the record, every field as it was committed",
       [](store& s) {
         record_writer w;
         w.pending.answer = answer_of(1, "{\"interview\":\"…\"}", instant(100));
         w.commit(s);
         const auto r = must(
             s.load({.tenant = "acme", .who = std::string_view("ada"), .answer = answer_of(1, {}, {}).key}), "load()");
         same("answer", r.answer, std::optional(answer_of(1, "{\"interview\":\"…\"}", instant(100))));
         same("load()", r.record, w.record);
       }},
      {"A stored answer is found where there is no such record",
       [](store& s) {
         record_writer w;
         w.pending.answer = answer_of(1, "a", instant(100));
         w.commit(s);
         expect(load_answer(s, answer_of(1, {}, {}).key).has_value(),
                "the answer was not found beside an unknown applicant");
         const auto r = must(
             s.load({.tenant = "acme", .who = make_id(instant(), "x"), .answer = answer_of(1, {}, {}).key}), "load()");
         expect(r.answer.has_value(), "the answer was not found beside an unknown interview");
       }},
      {"A stored answer is not found by another tenant",
       [](store& s) {
         record_writer w;
         w.pending.answer = answer_of(1, "a", instant(100));
         w.commit(s);
         expect(!load_answer(s, answer_of(1, {}, {}).key, "other"), "another tenant's answer was loaded");
       }},
      {"A stored answer is not found by another key",
       [](store& s) {
         record_writer w;
         w.pending.answer = answer_of(1, "a", instant(100));
         w.commit(s);
         answer_key key = answer_of(1, {}, {}).key;
         key[15] ^= 1;
         expect(!load_answer(s, key), "the answer of another key was loaded");
       }},
      {"A stored answer is loaded only where it is asked for",
       [](store& s) {
         record_writer w;
         w.pending.answer = answer_of(1, "a", instant(100));
         w.commit(s);
         expect(!must(s.load({.tenant = "acme", .who = std::string_view("ada")}), "load()").answer,
                "an answer that nobody asked for");
       }},
      {"Two tenants may each have an answer of one key",
       [](store& s) {
         for (const char* tenant : {"acme", "other"}) {
           record_writer w("ada", tenant);
           w.pending.answer = answer_of(1, tenant, instant(100));
           w.commit(s);
         }
         for (const char* tenant : {"acme", "other"})
           same("answer", must(load_answer(s, answer_of(1, {}, {}).key, tenant), "answer").answer, tenant);
       }},
      {"A second answer of one key is a conflict while the first has not expired",
       [](store& s) {
         record_writer ada, bob("bob");
         ada.entry("note", instant());
         ada.pending.answer = answer_of(1, "first", instant(100));
         ada.commit(s);
         bob.entry("note", instant(99));
         bob.pending.answer = answer_of(1, "second", instant(999));
         expect_refused(s, bob, errc::conflict, "a second answer of one key");
         ada.entry("note", instant(99));
         ada.pending.answer = answer_of(1, "third", instant(999));
         expect_refused(s, ada, errc::conflict, "a second answer of one key from the same record");
         same("answer", must(load_answer(s, answer_of(1, {}, {}).key), "answer").answer, "first");
       }},
      {"An answer takes the place of an expired one of its key",
       [](store& s) {
         record_writer ada, bob("bob");
         ada.entry("note", instant());
         ada.pending.answer = answer_of(1, "first", instant(100));
         ada.commit(s);
         bob.entry("note", instant(100));
         stored_answer second = answer_of(1, "second", instant(999));
         second.payload = sha256("another payload");
         bob.pending.answer = second;
         bob.commit(s);
         same("answer", load_answer(s, second.key), std::optional(second));
         bob.erase(instant(200));
         bob.commit(s);
         expect(!load_answer(s, second.key), "the answer went with another record");
       }},
      {"An expired answer is loaded until it is pruned",
       [](store& s) {
         record_writer w;
         w.pending.answer = answer_of(1, "a", min_instant);
         w.commit(s);
         expect(load_answer(s, answer_of(1, {}, {}).key).has_value(), "an expired answer was not loaded");
         same("prune()", must(s.prune(instant(), 10), "prune()"), std::size_t{1});
         expect(!load_answer(s, answer_of(1, {}, {}).key), "a pruned answer was loaded");
       }},
      {"Pruning takes what has expired and nothing else",
       [](store& s) {
         record_writer w;
         for (std::uint8_t n = 1; n <= 4; ++n) {
           w.entry("note", instant());
           w.pending.answer = answer_of(n, "a", instant(98 + n));
           w.commit(s);
         }
         same("prune()", must(s.prune(instant(100), 10), "prune()"), std::size_t{2});
         for (std::uint8_t n = 1; n <= 4; ++n)
           same("answer " + std::to_string(n) + " is there", load_answer(s, answer_of(n, {}, {}).key).has_value(),
                n > 2);
         same("prune() again", must(s.prune(instant(100), 10), "prune()"), std::size_t{0});
         expect_stored(s, w);
       }},
      {"Pruning takes no more than it was allowed",
       [](store& s) {
         record_writer w("ada"), v("ada", "other");
         for (std::uint8_t n = 1; n <= 5; ++n) {
           record_writer& one = n % 2 == 0 ? w : v;
           one.entry("note", instant());
           one.pending.answer = answer_of(n, "a", instant(1));
           one.commit(s);
         }
         for (const std::size_t due : std::vector<std::size_t>{2, 2, 1, 0})
           same("prune()", must(s.prune(instant(100), 2), "prune()"), due);
       }},
      {"Pruning an empty store deletes nothing",
       [](store& s) { same("prune()", must(s.prune(max_instant, 10), "prune()"), std::size_t{0}); }},
  };
  return all;
}

inline stored_policy policy_of(std::string track, std::string document) {
  stored_policy p{
      .track = std::move(track), .document = std::move(document), .set_by = "staff:änne", .set_at = instant(7)};
  p.active_from = instant(8);
  p.running_waits = running_waits::keep;
  p.hash = sha256(p.document);
  return p;
}
/// The document that is loaded for an applicant on a track; empty where there is none.
inline std::string policy_for(store& s, std::string_view track, std::string_view tenant = "acme") {
  const auto r = must(s.load({.tenant = tenant, .who = std::string_view("ada"), .track = track}), "load()");
  return r.policy ? r.policy->document : std::string();
}
inline void set_policy(store& s, const stored_policy& p, std::string_view tenant = "acme") {
  must(s.commit(policy_change(load_record(s, "", tenant), tenant, {p})), "commit() of a policy");
}
inline void set_policy(store& s, std::string track, std::string document, std::string_view tenant = "acme") {
  set_policy(s, policy_of(std::move(track), std::move(document)), tenant);
}

inline const std::vector<store_check>& policy_checks() {
  static const std::vector<store_check> all{
      {"A policy is loaded, every field as it was set",
       [](store& s) {
         for (const char* track : {"", "backend/technical"}) {
           auto p = policy_of(track, "{\"n\":\"" + std::string(64 * 1024 - 8, 'x') + "\"}");
           set_policy(s, p);
           p.number = 1;  // of its own list
           const auto r = must(s.load({.tenant = "acme", .who = std::string_view("ada"), .track = track}), "load()");
           same("policy", r.policy, std::optional(p));
         }
       }},
      {"A policy is loaded for an applicant who is not stored yet",
       [](store& s) {
         set_policy(s, "", "{}");
         same("policy", policy_for(s, "t"), "{}");
       }},
      {"Where there is no policy, none is loaded", [](store& s) { same("policy", policy_for(s, "t"), ""); }},
      {"A track's own policy goes before the tenant's",
       [](store& s) {
         set_policy(s, "", "tenant's");
         set_policy(s, "t", "track's");
         same("policy of t", policy_for(s, "t"), "track's");
         same("policy of u", policy_for(s, "u"), "tenant's");
         same("policy of no track", policy_for(s, ""), "tenant's");
       }},
      {"A track's policy is nobody else's",
       [](store& s) {
         set_policy(s, "t", "track's");
         for (const char* track : {"", "u", "T", "t/", "t%", "t "})
           same("policy of \"" + std::string(track) + "\"", policy_for(s, track), "");
       }},
      {"A policy is no other tenant's",
       [](store& s) {
         set_policy(s, "", "acme's");
         set_policy(s, "t", "acme's t");
         same("policy", policy_for(s, "t", "other"), "");
         set_policy(s, "", "other's", "other");
         same("policy", policy_for(s, "t", "other"), "other's");
         same("policy", policy_for(s, "t"), "acme's t");
       }},
      {"An interview that is loaded brings the policy of its track",
       [](store& s) {
         set_policy(s, "", "tenant's");
         set_policy(s, "t", "t's");
         record_writer w;
         const auto on_t = w.schedule("t", instant()), on_u = w.schedule("u", instant());
         w.commit(s);
         const auto policy_with = [&](const interview_id& id, std::string_view track) {
           return must(must(s.load({.tenant = "acme", .who = id, .track = track}), "load()").policy, "policy").document;
         };
         same("policy with the interview on t", policy_with(on_t, ""), "t's");
         same("policy with the interview on u", policy_with(on_u, ""), "tenant's");
         same("policy with the interview on u, where t is named", policy_with(on_u, "t"), "t's");
         same("policy with no interview", policy_with(make_id(instant(), "x"), ""), "tenant's");
       }},
      {"A policy takes the place of the older one",
       [](store& s) {
         set_policy(s, "t", "old");
         set_policy(s, "t", "new");
         same("policy", policy_for(s, "t"), "new");
       }},
      {"An empty document removes a policy, and that one alone",
       [](store& s) {
         set_policy(s, "", "tenant's");
         set_policy(s, "t", "t's");
         set_policy(s, "t", "x", "other");
         set_policy(s, "t", "");
         same("policy of t", policy_for(s, "t"), "tenant's");
         set_policy(s, "t", "t's again");
         set_policy(s, "", "");
         same("policy of t", policy_for(s, "t"), "t's again");
         same("policy of u", policy_for(s, "u"), "");
         same("policy of the other tenant", policy_for(s, "t", "other"), "x");
       }},
      {"The policy that is loaded is the one in force at the instant",
       [](store& s) {
         const auto at = [&](seconds::rep t) {
           const auto r = must(
               s.load({.tenant = "acme", .who = std::string_view("ada"), .track = "t", .at = instant(t)}), "load()");
           return r.policy ? r.policy->document : std::string();
         };
         const auto set = [&](std::string track, std::string document, seconds::rep from) {
           auto p = policy_of(std::move(track), std::move(document));
           p.active_from = instant(from);
           set_policy(s, p);
         };
         set("", "tenant's", 10);
         set("t", "third", 40);
         set("t", "first", 20);
         set("t", "second", 30);
         set("t", "second, said again", 30);
         set("t", "", 50);
         same("policy before any", at(9), "");
         same("policy of the tenant", at(10), "tenant's");
         same("policy one second before the first", at(19), "tenant's");
         same("first policy", at(20), "first");
         same("policy one second before the second", at(29), "first");
         same("of two at one instant", at(30), "second, said again");
         same("third policy", at(40), "third");
         same("policy that was taken away", at(50), "tenant's");
       }},
      {"Every policy that was set is listed, the last place first, page by page",
       [](store& s) {
         std::vector<stored_policy> due;
         std::uint64_t number = 0;
         for (const seconds::rep from : {20, 40, 20, 30}) {
           auto p = policy_of("t", "at " + std::to_string(from) + ", number " + std::to_string(++number));
           p.active_from = instant(from);
           set_policy(s, p);
           p.number = number;
           due.push_back(p);
         }
         set_policy(s, "", "tenant's");
         set_policy(s, "t", "other's", "other");
         std::sort(due.begin(), due.end(), [](const stored_policy& a, const stored_policy& b) {
           return policy_place{b.active_from, b.number} < policy_place{a.active_from, a.number};
         });
         for (const std::size_t limit : {1U, 2U, 4U, 9U}) {
           std::vector<stored_policy> got;
           policy_query query{.tenant = "acme", .track = "t", .limit = limit};
           for (;;) {
             const auto page = must(s.policies(query), "policies()");
             expect(page.size() <= limit, "policies() answers more than the limit");
             got.insert(got.end(), page.begin(), page.end());
             if (page.size() < limit) break;
             query.before = policy_place{page.back().active_from, page.back().number};
           }
           same("number of policies", got.size(), due.size());
           expect(got == due, "policies() are not those that were set, or in another order");
         }
         same("policies of the tenant", must(s.policies({.tenant = "acme"}), "policies()").size(), std::size_t{1});
         expect(must(s.policies({.tenant = "acme", .track = "u"}), "policies()").empty(), "a track has another's");
         expect(must(s.policies({.tenant = "nobody"}), "policies()").empty(), "a tenant has another's");
       }},
      {"A policy comes with the tenant's own record, whose audit is read under an empty applicant id",
       [](store& s) {
         const change_set first = policy_change(load_record(s, "", "acme"), "acme",
                                                {policy_of("", "one"), policy_of("t", "own"), policy_of("", "two")});
         must(s.commit(first), "commit() of policies");
         record_writer().commit(s);
         const change_set second = policy_change(load_record(s, "", "acme"), "acme", {policy_of("", "three")});
         must(s.commit(second), "commit() of a policy");
         auto due = first.audit;
         due.insert(due.end(), second.audit.begin(), second.audit.end());
         same_all("read_audit()", all_audit(s, ""), due);
         same("version", load_record(s, "").version, std::uint64_t{2});
         same("head", load_record(s, "").audit_head, second.head.audit_head);
         same("policies of the tenant", must(s.policies({.tenant = "acme"}), "policies()").size(), std::size_t{3});
         same("policy", policy_for(s, "u"), "three");
         const auto heads = must(s.audit_heads("acme", "", 10), "audit_heads()");
         expect(heads.size() == 1 && heads[0].applicant_id == "ada", "audit_heads() shows the tenant's own record");
         expect(all_audit(s, "", "other").empty(), "a tenant has another's audit");
         expect(must(s.list({.tenant = "acme", .limit = 10}), "list()").rows.empty(), "a list shows it");
       }},
      {"Of two who set a policy at once, one is refused and nothing of it stays",
       [](store& s) {
         set_policy(s, "", "first");
         const auto record = load_record(s, "", "acme");
         must(s.commit(policy_change(record, "acme", {policy_of("", "second")})), "commit() of a policy");
         const auto late = s.commit(policy_change(record, "acme", {policy_of("", "late"), policy_of("t", "late")}));
         same("the answer to the one that came late", late ? errc{} : late.error().code, errc::conflict);
         auto broken = policy_change(load_record(s, "", "acme"), "acme", {policy_of("", "broken")});
         broken.audit.front().sequence += 1;
         const auto refused = s.commit(broken);
         same("the answer to a gap", refused ? errc{} : refused.error().code, errc::constraint_violated);
         same("policy", policy_for(s, "t"), "second");
         same("policies of the tenant", must(s.policies({.tenant = "acme"}), "policies()").size(), std::size_t{2});
       }},
      {"Removing a policy that is not there does nothing",
       [](store& s) {
         set_policy(s, "t", "");
         set_policy(s, "", "");
         same("policy", policy_for(s, "t"), "");
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
