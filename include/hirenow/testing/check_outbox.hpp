#pragma once
/// Checks of `check_store()`: messages are claimed once, settled under their lease alone, and withdrawn in time.

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "hirenow/testing/check_tools.hpp"

namespace hirenow::testing::detail {

/// A stored record with one interview, and the messages promised for it.
struct promised {
  record_writer w;
  interview_id id;
  message_key key;  ///< an invitation, due at `instant(10)`
};
inline promised store_promise(store& s, std::string applicant_id = "ada", std::string tenant = "acme",
                              sys_seconds due_at = instant(10)) {
  record_writer w(std::move(applicant_id), std::move(tenant));
  const auto id = w.schedule("t", instant());
  const auto key = w.promise(id, message_kind::invitation, due_at);
  w.commit(s);
  return {w, id, key};
}

inline std::vector<message_key> keys_of(const std::vector<claimed_message>& claimed) {
  std::vector<message_key> keys;
  for (const auto& c : claimed) keys.push_back(c.mail.key);
  return keys;
}
inline std::vector<message_key> keys_of(const std::vector<message>& messages) {
  std::vector<message_key> keys;
  for (const auto& m : messages) keys.push_back(m.key);
  return keys;
}
inline void expect_keys(std::string_view what, std::vector<message_key> got, std::vector<message_key> due) {
  std::sort(got.begin(), got.end());
  std::sort(due.begin(), due.end());
  same(std::string(what) + ": their number", got.size(), due.size());
  for (std::size_t n = 0; n < due.size(); ++n) same(what, message_id(got[n], "example"), message_id(due[n], "example"));
}

/// Brings a stored message to a state by claiming and settling it.
inline void bring_message_to(store& s, const message_key& key, message_state state, sys_seconds now = instant(20)) {
  if (state == message_state::queued) return;
  claim(s, now, 9);
  if (state == message_state::leased) return;
  const auto what = state == message_state::accepted    ? settlement::verdict::accepted
                    : state == message_state::withdrawn ? settlement::verdict::withdrawn
                                                        : settlement::verdict::dead;
  expect(settle(s, key, what, {}, "an answer", 9), "settle() says that a fresh lease is lost");
}
inline constexpr std::array all_message_states{message_state::queued, message_state::leased, message_state::accepted,
                                               message_state::withdrawn, message_state::dead};
static_assert(all_message_states.size() == message_state_count);

inline std::optional<sys_seconds> next_due(store& s) { return must(s.next_due(), "next_due()"); }

using verdict = settlement::verdict;

/// Expects that no message but a dead one can be listed in this member of a change set.
inline void expect_only_dead_ones(store& s, const std::string& what, std::vector<message_key> change_set::* marks) {
  for (const auto state : all_message_states) {
    if (state == message_state::dead) continue;
    auto p = store_promise(s, "person " + std::string(to_string(state)));
    bring_message_to(s, p.key, state);
    const auto before = find_message(s, p.key);
    p.w.entry(what, instant(100));
    (p.w.pending.*marks).push_back(p.key);
    expect_refused(s, p.w, errc::constraint_violated,
                   "a " + what + " of a message that is " + std::string(to_string(state)));
    same("messages()", find_message(s, p.key), before);
  }
}

inline const std::vector<store_check>& claim_checks() {
  static const std::vector<store_check> all{
      {"A promised message is queued, every field as it was committed",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         std::vector<message> due;
         for (std::size_t kind = 0; kind < message_kind_count; ++kind) {
           message m{.key = {id, static_cast<message_kind>(kind), 1 + (std::uint64_t{kind} << 40)}};
           m.generation = kind == 0 ? std::numeric_limits<std::uint32_t>::max() : static_cast<std::uint32_t>(kind);
           m.created_at = instant();
           m.due_at = kind == 3 ? max_instant : instant(static_cast<seconds::rep>(kind));
           due.push_back(m);
         }
         w.pending.messages = due;
         w.commit(s);
         same_all("messages()", all_messages(s), due);
       }},
      {"Messages of one interview and kind differ by their occasion",
       [](store& s) {
         auto p = store_promise(s);
         p.w.entry("note", instant(1));
         const auto second = p.w.promise(p.id, message_kind::invitation, instant(10));
         p.w.commit(s);
         expect_keys("messages()", keys_of(all_messages(s)), {p.key, second});
       }},
      {"There is nothing to claim in an empty store",
       [](store& s) { same("claimed", claim(s, max_instant).size(), std::size_t{0}); }},
      {"A message is claimed from its due second on",
       [](store& s) {
         const auto p = store_promise(s);
         same("claimed a second before", claim(s, instant(9)).size(), std::size_t{0});
         same("claimed", claim(s, instant(10)).size(), std::size_t{1});
       }},
      {"A claimed message comes with its tenant, its applicant and all its fields",
       [](store& s) {
         auto p = store_promise(s, "änne", "acme gmbh");
         const auto claimed = claim(s, instant(20));
         same("claimed", claimed.size(), std::size_t{1});
         same("tenant", claimed.at(0).tenant, "acme gmbh");
         same("applicant_id", claimed.at(0).applicant_id, "änne");
         message m{.key = p.key, .created_at = instant(), .state = message_state::leased};
         same("claim()", claimed.at(0).mail, m);
         same("messages()", find_message(s, p.key, "acme gmbh"), m);
       }},
      {"A claimed message is not claimed again while its lease lasts",
       [](store& s) {
         store_promise(s);
         claim(s, instant(20), 1);
         same("claimed by another", claim(s, instant(20), 2).size(), std::size_t{0});
         same("claimed by the same", claim(s, instant(21), 1).size(), std::size_t{0});
         same("claimed a second before the end", claim(s, instant(49), 2).size(), std::size_t{0});
       }},
      {"A lease that has run out is claimed by another",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20), 1);
         const auto claimed = claim(s, instant(50), 2);
         expect_keys("claim()", keys_of(claimed), {p.key});
         same("tries", claimed.at(0).mail.tries, std::uint32_t{0});
         same("claimed again", claim(s, instant(79), 3).size(), std::size_t{0});
         same("claimed again when the second lease has run out", claim(s, instant(80), 3).size(), std::size_t{1});
       }},
      {"A claim takes no more than it was allowed",
       [](store& s) {
         for (int n = 0; n < 7; ++n) store_promise(s, "person " + std::to_string(n));
         std::vector<message_key> seen;
         for (const std::size_t due : std::vector<std::size_t>{3, 3, 1, 0}) {
           const auto claimed = claim(s, instant(20), 1, 3);
           same("claimed", claimed.size(), due);
           for (const auto& c : claimed) seen.push_back(c.mail.key);
         }
         expect_keys("claim()", seen, keys_of(all_messages(s)));
       }},
      {"The earliest due is claimed first",
       [](store& s) {
         for (int n = 0; n < 6; ++n)
           store_promise(s, "person " + std::to_string(n), n % 2 == 0 ? "acme" : "other", instant(10 + n * 5 % 6));
         for (int due = 0; due < 6; ++due) {
           const auto claimed = claim(s, instant(20), 1, 1);
           same("claimed", claimed.size(), std::size_t{1});
           same("applicant_id", claimed.at(0).applicant_id, "person " + std::to_string(due * 5 % 6));
         }
       }},
      {"Among due messages and leases that have run out the earliest is claimed first",
       [](store& s) {
         store_promise(s, "ada");
         claim(s, instant(10), 1);  // until 40
         store_promise(s, "bob", "acme", instant(39));
         store_promise(s, "carl", "acme", instant(41));
         for (const char* due : {"bob", "ada", "carl"}) {
           const auto claimed = claim(s, instant(50), 2, 1);
           same("claimed", claimed.size(), std::size_t{1});
           same("applicant_id", claimed.at(0).applicant_id, due);
         }
       }},
      {"A claim that cannot take all gives each tenant its share, and the rest to the earliest",
       [](store& s) {
         for (int n = 0; n < 12; ++n) store_promise(s, "person " + std::to_string(n), "many", instant(n % 3));
         for (int n = 0; n < 4; ++n) store_promise(s, "person " + std::to_string(n), "some", instant(8));
         store_promise(s, "person 0", "one", instant(9));
         const auto taken_of = [](const std::vector<claimed_message>& claimed, std::string_view tenant) {
           return std::count_if(claimed.begin(), claimed.end(), [&](const auto& c) { return c.tenant == tenant; });
         };
         const auto first = claim(s, instant(20), 1, 9);
         same("claimed", first.size(), std::size_t{9});
         same("of the tenant with one", taken_of(first, "one"), std::ptrdiff_t{1});
         expect(taken_of(first, "some") >= 3, "a tenant does not get its third of a claim");
         expect(taken_of(first, "many") >= 3, "a tenant does not get its third of a claim");
         const auto second = claim(s, instant(20), 2, 7);
         same("claimed", second.size(), std::size_t{7});
         expect(taken_of(second, "many") >= 6, "a claim is not filled up with what there is");
         same("claimed in the end", claim(s, instant(20), 3, 9).size(), std::size_t{1});
       }},
      {"Messages are claimed for all tenants",
       [](store& s) {
         const auto a = store_promise(s), b = store_promise(s, "ada", "other");
         expect_keys("claim()", keys_of(claim(s, instant(20))), {a.key, b.key});
       }},
      {"A lease is as long as was asked for",
       [](store& s) {
         const auto p = store_promise(s);
         must(s.claim({.now = instant(20), .lease = seconds{5}, .limit = 1, .token = lease_of(1)}), "claim()");
         same("next_due()", next_due(s), std::optional(instant(25)));
         same("claimed a second before", claim(s, instant(24), 2).size(), std::size_t{0});
         same("claimed", claim(s, instant(25), 2).size(), std::size_t{1});
       }},
      {"The outbox's next instant is that of the earliest message",
       [](store& s) {
         same("next_due() of an empty store", next_due(s), std::nullopt);
         store_promise(s, "ada", "acme", instant(300));
         same("next_due()", next_due(s), std::optional(instant(300)));
         store_promise(s, "bob", "other", instant(100));
         store_promise(s, "carl", "acme", instant(200));
         same("next_due()", next_due(s), std::optional(instant(100)));
       }},
      {"The outbox's next instant counts leases by their end, and not what is done with",
       [](store& s) {
         const auto p = store_promise(s);
         store_promise(s, "bob", "acme", instant(500));
         claim(s, instant(20), 1);
         same("next_due() under a lease", next_due(s), std::optional(instant(50)));
         expect(settle(s, p.key, verdict::renew, instant(90)), "the lease was lost");
         same("next_due() after a renewal", next_due(s), std::optional(instant(90)));
         expect(settle(s, p.key, verdict::accepted), "the lease was lost");
         same("next_due() after the end", next_due(s), std::optional(instant(500)));
       }},
      {"The outbox has no next instant when all is done",
       [](store& s) {
         for (const auto state : {message_state::accepted, message_state::withdrawn, message_state::dead}) {
           const auto p = store_promise(s, "person " + std::string(to_string(state)));
           bring_message_to(s, p.key, state);
           same("next_due()", next_due(s), std::nullopt);
           same("claimed", claim(s, max_instant - seconds{60}).size(), std::size_t{0});
         }
       }},
      {"Messages are read by key, in pages of any size",
       [](store& s) {
         for (int n = 0; n < 8; ++n) {
           record_writer w("person " + std::to_string(n));
           const auto id = w.schedule("t", instant(n * 5 % 8));
           w.entry("note", instant(10));
           w.promise(id, message_kind::reminder, instant(10));
           w.promise(id, message_kind::invitation, instant(10));
           w.entry("note", instant(11));
           w.promise(id, message_kind::invitation, instant(10));
           w.commit(s);
         }
         const auto whole = all_messages(s);
         same("messages", whole.size(), std::size_t{24});
         for (std::size_t n = 1; n < whole.size(); ++n)
           expect(whole[n - 1].key < whole[n].key, "message " + std::to_string(n) + " is out of order");
         for (const std::size_t limit : std::vector<std::size_t>{1, 5, 23, 24, 25}) {
           std::vector<message> read;
           for (;;) {
             message_query query{.tenant = "acme", .limit = limit};
             if (!read.empty()) query.after = read.back().key;
             const auto page = must(s.messages(query), "messages()");
             expect(page.size() <= limit, "a page is longer than was asked for");
             if (page.empty()) break;
             read.insert(read.end(), page.begin(), page.end());
             expect(read.size() <= whole.size(), "messages come twice");
           }
           same_all("pages of " + std::to_string(limit), read, whole);
         }
       }},
      {"Messages can be narrowed to an interview, a state and a tenant",
       [](store& s) {
         const auto a = store_promise(s), b = store_promise(s, "bob", "acme", instant(900)),
                    c = store_promise(s, "ada", "other");
         bring_message_to(s, a.key, message_state::leased);
         const auto keys = [&](message_query query) { return keys_of(must(s.messages(query), "messages()")); };
         expect_keys("of acme", keys({.tenant = "acme"}), {a.key, b.key});
         expect_keys("of other", keys({.tenant = "other"}), {c.key});
         expect_keys("of nobody", keys({.tenant = "nobody"}), {});
         expect_keys("of an interview", keys({.tenant = "acme", .interview = b.id}), {b.key});
         expect_keys("of another tenant's interview", keys({.tenant = "other", .interview = b.id}), {});
         expect_keys("queued", keys({.tenant = "acme", .state = message_state::queued}), {b.key});
         expect_keys("leased", keys({.tenant = "acme", .state = message_state::leased}), {a.key});
         expect_keys("leased, of an interview",
                     keys({.tenant = "acme", .interview = b.id, .state = message_state::leased}), {});
       }},
  };
  return all;
}

inline const std::vector<store_check>& settle_checks() {
  static const std::vector<store_check> all{
      {"An accepted message is done, with one try more and the server's answer",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         same("settle()", settle(s, p.key, verdict::accepted, {}, "250 2.0.0 öK"), true);
         message due{.key = p.key, .created_at = instant(), .state = message_state::accepted, .tries = 1};
         due.last_answer = "250 2.0.0 öK";
         same("messages()", find_message(s, p.key), due);
         same("claimed", claim(s, instant(9000), 2).size(), std::size_t{0});
       }},
      {"A message that the worker found senseless is withdrawn, untried",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         same("settle()", settle(s, p.key, verdict::withdrawn), true);
         same("messages()", find_message(s, p.key),
              message{.key = p.key, .created_at = instant(), .state = message_state::withdrawn});
         same("claimed", claim(s, instant(9000), 2).size(), std::size_t{0});
       }},
      {"A message that is to be retried is due again at the instant that was named, with one try more",
       [](store& s) {
         const auto p = store_promise(s);
         for (int n = 1; n <= 3; ++n) {
           same("claimed", claim(s, instant(100 * n)).size(), std::size_t{1});
           same("settle()", settle(s, p.key, verdict::retry, instant(100 * n + 100), "451 later"), true);
           message due{.key = p.key,
                       .created_at = instant(),
                       .due_at = instant(100 * n + 100),
                       .tries = static_cast<std::uint32_t>(n)};
           due.last_answer = "451 later";
           same("messages()", find_message(s, p.key), due);
           same("next_due()", next_due(s), std::optional(due.due_at));
           same("claimed a second before", claim(s, instant(100 * n + 99), 2).size(), std::size_t{0});
         }
       }},
      {"A dead message is not claimed, with one try more and the server's answer",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         same("settle()", settle(s, p.key, verdict::dead, {}, "550 no"), true);
         message due{.key = p.key, .created_at = instant(), .state = message_state::dead, .tries = 1};
         due.last_answer = "550 no";
         same("messages()", find_message(s, p.key), due);
         same("claimed", claim(s, instant(9000), 2).size(), std::size_t{0});
       }},
      {"A renewed lease lasts until the instant that was named",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         same("settle()", settle(s, p.key, verdict::renew, instant(70)), true);
         same("state", find_message(s, p.key).state, message_state::leased);
         same("tries", find_message(s, p.key).tries, std::uint32_t{0});
         same("claimed a second before its end", claim(s, instant(69), 2).size(), std::size_t{0});
         same("settled by its worker", settle(s, p.key, verdict::renew, instant(80)), true);
         same("claimed at its end", claim(s, instant(80), 2).size(), std::size_t{1});
       }},
      {"A released message is due at the instant that was named, untried",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         same("settle()", settle(s, p.key, verdict::release, instant(25)), true);
         same("messages()", find_message(s, p.key),
              message{.key = p.key, .created_at = instant(), .due_at = instant(25)});
         same("claimed a second before", claim(s, instant(24), 2).size(), std::size_t{0});
         same("claimed", claim(s, instant(25), 2).size(), std::size_t{1});
       }},
      {"Another lease token settles nothing",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20), 1);
         const auto before = find_message(s, p.key);
         for (const auto what :
              {verdict::accepted, verdict::withdrawn, verdict::retry, verdict::dead, verdict::renew, verdict::release})
           same("settle()", settle(s, p.key, what, instant(30), "answer", 2), false);
         same("messages()", find_message(s, p.key), before);
         same("next_due()", next_due(s), std::optional(instant(50)));
         lease_token close = lease_of(1);
         close[15] ^= 1;
         const settlement one{.key = p.key, .tenant = "acme", .token = close};
         same("settle() with a token that differs in one bit", must(s.settle({&one, 1}), "settle()"),
              std::vector<bool>{false});
         same("settled by its worker", settle(s, p.key, verdict::accepted), true);
       }},
      {"Another tenant settles nothing",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         same("settle()", settle(s, p.key, verdict::accepted, {}, "", 1, "other"), false);
         same("state", find_message(s, p.key).state, message_state::leased);
       }},
      {"A message that is not there is not settled",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         message_key key = p.key;
         ++key.occasion;
         same("settle()", settle(s, key, verdict::accepted), false);
         key = p.key;
         key.kind = message_kind::reminder;
         same("settle()", settle(s, key, verdict::accepted), false);
         same("messages", all_messages(s).size(), std::size_t{1});
         same("state", find_message(s, p.key).state, message_state::leased);
       }},
      {"A message that nobody holds is not settled",
       [](store& s) {
         for (const auto state : all_message_states) {
           if (state == message_state::leased) continue;
           const auto p = store_promise(s, "person " + std::string(to_string(state)));
           bring_message_to(s, p.key, state);
           const auto before = find_message(s, p.key);
           for (const std::uint8_t worker : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{9}})
             same("settle()", settle(s, p.key, verdict::retry, instant(30), "answer", worker), false);
           same("messages()", find_message(s, p.key), before);
         }
       }},
      {"A lease that was taken by another settles nothing any more",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20), 1);
         claim(s, instant(50), 2);
         for (const auto what : {verdict::accepted, verdict::retry, verdict::dead, verdict::renew, verdict::release})
           same("settled by the first", settle(s, p.key, what, instant(60), "", 1), false);
         same("state", find_message(s, p.key).state, message_state::leased);
         same("settled by the second", settle(s, p.key, verdict::accepted, {}, "", 2), true);
       }},
      {"A lease that has run out but was not taken still settles",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20), 1);
         same("claims of what is not due", claim(s, instant(49), 2).size(), std::size_t{0});
         same("settle()", settle(s, p.key, verdict::accepted, instant(9000)), true);
       }},
      {"Settlements are answered one by one, in their order",
       [](store& s) {
         const auto a = store_promise(s, "ada"), b = store_promise(s, "bob"), c = store_promise(s, "carl", "other");
         claim(s, instant(20));
         message_key unknown = a.key;
         ++unknown.occasion;
         const std::vector<settlement> batch{
             {.key = unknown, .tenant = "acme", .token = lease_of(1)},
             {.key = c.key, .tenant = "other", .token = lease_of(1), .what = verdict::dead, .answer = "550 c"},
             {.key = b.key, .tenant = "acme", .token = lease_of(2)},
             {.key = a.key, .tenant = "acme", .token = lease_of(1), .what = verdict::retry, .at = instant(99)}};
         same("settle()", must(s.settle(batch), "settle()"), std::vector<bool>{false, true, false, true});
         same("a", find_message(s, a.key).due_at, instant(99));
         same("b", find_message(s, b.key).state, message_state::leased);
         same("c", find_message(s, c.key, "other").state, message_state::dead);
       }},
      {"A message that is settled twice in one call is settled once",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         const std::vector<settlement> batch{
             {.key = p.key, .tenant = "acme", .token = lease_of(1), .what = verdict::renew, .at = instant(60)},
             {.key = p.key, .tenant = "acme", .token = lease_of(1), .what = verdict::accepted, .answer = "250"},
             {.key = p.key, .tenant = "acme", .token = lease_of(1), .what = verdict::dead, .answer = "550"}};
         same("settle()", must(s.settle(batch), "settle()"), std::vector<bool>{true, true, false});
         same("state", find_message(s, p.key).state, message_state::accepted);
         same("answer", find_message(s, p.key).last_answer, "250");
       }},
      {"What a server answered to several messages is kept as it is",
       [](store& s) {
         const std::array<std::string, 4> answers{R"(250 "a\b",{c})", "NULL", "250 ä\r\n, 'quoted'", "{}"};
         std::vector<settlement> batch;
         for (const auto& answer : answers)
           batch.push_back({.key = store_promise(s, "about " + answer.substr(0, 3) + std::to_string(batch.size())).key,
                            .tenant = "acme",
                            .token = lease_of(1),
                            .what = verdict::dead,
                            .answer = answer});
         claim(s, instant(20));
         same("settle()", must(s.settle(batch), "settle()"), std::vector<bool>{true, true, true, true});
         for (const auto& one : batch) same("answer", find_message(s, one.key).last_answer, std::string(one.answer));
       }},
      {"Settling nothing is no error",
       [](store& s) { same("answers", must(s.settle({}), "settle()").size(), std::size_t{0}); }},
      {"Of a server's answer 500 bytes are kept",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         settle(s, p.key, verdict::retry, instant(20), std::string(500, 'a'));
         same("an answer of 500 bytes", find_message(s, p.key).last_answer, std::string(500, 'a'));
         claim(s, instant(20));
         settle(s, p.key, verdict::retry, instant(20), std::string(499, 'b') + "cd");
         same("an answer of 501 bytes", find_message(s, p.key).last_answer, std::string(499, 'b') + "c");
         claim(s, instant(20));
         std::string wide = "x";
         for (int n = 0; n < 300; ++n) wide += "ü";
         settle(s, p.key, verdict::retry, instant(20), wide);
         same("an answer of two-byte characters", find_message(s, p.key).last_answer, wide.substr(0, 499));
       }},
      {"A settlement without an answer leaves the older one",
       [](store& s) {
         const auto p = store_promise(s);
         claim(s, instant(20));
         settle(s, p.key, verdict::retry, instant(20), "451 later");
         claim(s, instant(20));
         settle(s, p.key, verdict::renew, instant(60));
         settle(s, p.key, verdict::release, instant(30));
         same("answer", find_message(s, p.key).last_answer, "451 later");
         claim(s, instant(30));
         settle(s, p.key, verdict::dead);
         same("answer", find_message(s, p.key).last_answer, "451 later");
       }},
      {"Settling moves no version",
       [](store& s) {
         auto p = store_promise(s);
         claim(s, instant(20));
         settle(s, p.key, verdict::accepted);
         expect_stored(s, p.w);
         p.w.entry("note", instant(30));
         p.w.commit(s);
       }},
  };
  return all;
}

inline const std::vector<store_check>& withdrawal_checks() {
  static const std::vector<store_check> all{
      {"A queued message is withdrawn and never claimed",
       [](store& s) {
         auto p = store_promise(s);
         p.w.entry("note", instant(1));
         p.w.pending.withdrawals.push_back({p.id});
         p.w.commit(s);
         same("messages()", find_message(s, p.key),
              message{.key = p.key, .created_at = instant(), .state = message_state::withdrawn});
         same("claimed", claim(s, instant(9000)).size(), std::size_t{0});
         same("next_due()", next_due(s), std::nullopt);
       }},
      {"A leased message is withdrawn from its worker",
       [](store& s) {
         auto p = store_promise(s);
         claim(s, instant(20), 1);
         p.w.pending.withdrawals.push_back({p.id});
         p.w.entry("note", instant(21));
         p.w.commit(s);
         for (const auto what : {verdict::accepted, verdict::retry, verdict::dead, verdict::renew, verdict::release})
           same("settle()", settle(s, p.key, what, instant(60), "answer", 1), false);
         same("state", find_message(s, p.key).state, message_state::withdrawn);
         same("claimed when its lease has run out", claim(s, instant(9000), 2).size(), std::size_t{0});
       }},
      {"A message that is done with is not withdrawn",
       [](store& s) {
         for (const auto state : {message_state::accepted, message_state::dead}) {
           auto p = store_promise(s, "person " + std::string(to_string(state)));
           bring_message_to(s, p.key, state);
           p.w.entry("note", instant(60));
           p.w.pending.withdrawals.push_back({p.id});
           p.w.commit(s);
           same("state", find_message(s, p.key).state, state);
         }
       }},
      {"Of an interview's messages those of the named kinds are withdrawn",
       [](store& s) {
         for (std::size_t wanted = 0; wanted < message_kind_count; ++wanted) {
           record_writer w("person " + std::to_string(wanted));
           const auto id = w.schedule("t", instant());
           for (std::size_t kind = 0; kind < message_kind_count; ++kind)
             w.promise(id, static_cast<message_kind>(kind), instant(10));
           w.commit(s);
           w.entry("note", instant(1));
           w.pending.withdrawals.push_back({id, static_cast<std::uint16_t>(1U << wanted)});
           w.commit(s);
           for (std::size_t kind = 0; kind < message_kind_count; ++kind)
             same("state of kind " + std::to_string(kind),
                  find_message(s, {id, static_cast<message_kind>(kind), 1}).state,
                  kind == wanted ? message_state::withdrawn : message_state::queued);
         }
       }},
      {"All messages of a kind are withdrawn, whatever their occasion",
       [](store& s) {
         auto p = store_promise(s);
         p.w.entry("note", instant(1));
         p.w.promise(p.id, message_kind::invitation, instant(900));
         p.w.commit(s);
         p.w.entry("note", instant(2));
         p.w.pending.withdrawals.push_back({p.id});
         p.w.commit(s);
         for (const auto& m : all_messages(s)) same("state", m.state, message_state::withdrawn);
       }},
      {"A withdrawal leaves the messages of other interviews",
       [](store& s) {
         auto p = store_promise(s);
         const auto other = p.w.schedule("u", instant(1));
         const auto key = p.w.promise(other, message_kind::invitation, instant(10));
         p.w.commit(s);
         p.w.entry("note", instant(2));
         p.w.pending.withdrawals.push_back({p.id});
         p.w.commit(s);
         same("state", find_message(s, key).state, message_state::queued);
       }},
      {"A withdrawal leaves the messages of other records and tenants",
       [](store& s) {
         auto ada = store_promise(s);
         const auto bob = store_promise(s, "bob"), twin = store_promise(s, "ada", "other");
         ada.w.entry("note", instant(2));
         ada.w.pending.withdrawals = {{bob.id}, {twin.id}, {make_id(instant(), "nobody's")}};
         ada.w.commit(s);
         same("state of bob's", find_message(s, bob.key).state, message_state::queued);
         same("state of the twin's", find_message(s, twin.key, "other").state, message_state::queued);
         same("claimed", claim(s, instant(20)).size(), std::size_t{3});
       }},
      {"Withdrawals come before the messages of the same commit",
       [](store& s) {
         auto p = store_promise(s);
         p.w.step(p.id, event::reissue, instant(5));
         p.w.pending.withdrawals.push_back({p.id});
         const auto next = p.w.promise(p.id, message_kind::invitation, instant(5));
         p.w.commit(s);
         same("state of the old", find_message(s, p.key).state, message_state::withdrawn);
         same("state of the new", find_message(s, next).state, message_state::queued);
         expect_keys("claim()", keys_of(claim(s, instant(20))), {next});
       }},
      {"A retake withdraws the old messages and promises a new one, all in one commit",
       [](store& s) {
         record_writer w;
         const auto old = bring_to(w, "t", interview_state::failed, instant());
         const auto old_key = w.promise(old, message_kind::decision_failed, instant(40));
         w.commit(s);
         const auto next = w.retake(old, instant(50));
         w.pending.withdrawals.push_back({old});
         const auto key = w.promise(next, message_kind::retake_invitation, instant(50));
         w.commit(s);
         expect_stored(s, w);
         expect_keys("messages()", keys_of(all_messages(s)), {old_key, key});
         expect_keys("claim()", keys_of(claim(s, instant(60))), {key});
       }},
      {"A redriven message is queued at the commit's last instant, with no tries and its old answer",
       [](store& s) {
         auto p = store_promise(s);
         bring_message_to(s, p.key, message_state::dead);
         p.w.entry("redrive", instant(100));
         p.w.pending.redrives.push_back(p.key);
         p.w.commit(s);
         message due{.key = p.key, .created_at = instant(), .due_at = instant(100)};
         due.last_answer = "an answer";
         same("messages()", find_message(s, p.key), due);
         same("next_due()", next_due(s), std::optional(instant(100)));
         same("settled under the old lease", settle(s, p.key, verdict::accepted, {}, "", 9), false);
         expect_keys("claim()", keys_of(claim(s, instant(100))), {p.key});
         same("settled", settle(s, p.key, verdict::accepted), true);
       }},
      {"Only a dead message is redriven", [](store& s) { expect_only_dead_ones(s, "redrive", &change_set::redrives); }},
      {"A dropped message is withdrawn, and never sent",
       [](store& s) {
         auto p = store_promise(s);
         bring_message_to(s, p.key, message_state::dead);
         auto before = find_message(s, p.key);
         p.w.entry("drop", instant(100));
         p.w.pending.drops.push_back(p.key);
         p.w.commit(s);
         before.state = message_state::withdrawn;
         same("messages()", find_message(s, p.key), before);
         same("next_due()", next_due(s), std::nullopt);
         expect_keys("claim()", keys_of(claim(s, max_instant)), {});
         same("settled under the old lease", settle(s, p.key, verdict::accepted, {}, "", 9), false);
       }},
      {"Only a dead message of the same record is dropped",
       [](store& s) {
         expect_only_dead_ones(s, "drop", &change_set::drops);
         auto ada = store_promise(s), bob = store_promise(s, "bob");
         bring_message_to(s, bob.key, message_state::dead);
         ada.w.entry("drop", instant(100));
         ada.w.pending.drops.push_back(bob.key);
         expect_refused(s, ada.w, errc::constraint_violated, "a drop of no message of this record");
         same("state of bob's", find_message(s, bob.key).state, message_state::dead);
       }},
      {"The figures of the outbox are those of its messages, if it has any",
       [](store& s) {
         const auto figures = [&](int at) { return must(s.outbox(instant(at)), "outbox()"); };
         if (!figures(0)) return;
         same("of an empty outbox", *figures(100), outbox_figures{});
         // The one that waits comes last: the others' claims would take it.
         using enum message_state;
         for (const auto state : {accepted, withdrawn, dead, leased, queued}) {
           const auto p = store_promise(s, "person " + std::string(to_string(state)));
           bring_message_to(s, p.key, state);
         }
         store_promise(s, "ada", "other", instant(15));
         store_promise(s, "bob", "other", instant(60));
         same("while one is due", *figures(12), outbox_figures{3, 1, 1, 0, 1, instant(10)});
         same("when a lease has run out", *figures(59), outbox_figures{3, 2, 1, 1, 1, instant(10)});
         same("when all are due", *figures(60), outbox_figures{3, 3, 1, 1, 1, instant(10)});
         same("before any is due", *figures(9), outbox_figures{3, 0, 1, 0, 1, std::nullopt});
       }},
      {"Only a message of the same record is redriven",
       [](store& s) {
         auto ada = store_promise(s), bob = store_promise(s, "bob"), twin = store_promise(s, "ada", "other");
         bring_message_to(s, bob.key, message_state::dead);
         expect(settle(s, twin.key, verdict::dead, {}, "", 9, "other"), "the lease was lost");
         ada.w.entry("redrive", instant(100));
         for (const auto& key : {bob.key, twin.key, message_key{ada.id, message_kind::reminder, 5}}) {
           record_writer bad = ada.w;
           bad.pending.redrives.push_back(key);
           expect_refused(s, bad, errc::constraint_violated, "a redrive of no message of this record");
         }
         same("state of bob's", find_message(s, bob.key).state, message_state::dead);
         same("state of the twin's", find_message(s, twin.key, "other").state, message_state::dead);
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
