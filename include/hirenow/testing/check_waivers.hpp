#pragma once
/// Checks of `check_store()`: waivers, what is refused of them, and when the clock has something to do about one.

#include "hirenow/testing/check_records.hpp"

namespace hirenow::testing::detail {

/// A record with one waiver in this state.
inline std::pair<record_writer, std::uint64_t> with_waiver(store& s, waiver_state state, std::string applicant_id) {
  record_writer w(std::move(applicant_id));
  const auto id = w.schedule("t", instant());
  const auto number = w.add_waiver("t", "wait", instant(10),
                                   state == waiver_state::proposed ? waiver_state::proposed : waiver_state::granted);
  if (!is_open(state))
    w.step_waiver(number, state, instant(20), state == waiver_state::used ? std::optional(id) : std::nullopt);
  w.commit(s);
  return {w, number};
}

inline const std::vector<store_check>& waiver_checks() {
  static const std::vector<store_check> all{
      {"Waivers are loaded by number, every field as it was committed",
       [](store& s) {
         record_writer w;
         const auto id = w.schedule("t", instant());
         for (int n = 0; n < 12; ++n) w.add_waiver(n % 2 ? "t" : "u", "rule " + std::to_string(n), instant(n));
         const auto proposed = w.add_waiver("t", "cap", instant(20), waiver_state::proposed);
         w.commit(s);
         expect_stored(s, w);
         w.step_waiver(proposed, waiver_state::granted, instant(30));
         w.step_waiver(w.record.waivers.front().number, waiver_state::used, instant(40), id);
         w.commit(s);
         expect_stored(s, w);
       }},
      {"A waiver is nobody else's",
       [](store& s) {
         with_waiver(s, waiver_state::granted, "ada");
         record_writer other("bob"), elsewhere("ada", "other");
         other.schedule("t", instant());
         other.commit(s);
         elsewhere.schedule("t", instant());
         elsewhere.commit(s);
         expect_stored(s, other);
         expect_stored(s, elsewhere);
       }},
      {"A waiver takes every lawful step, and no other",
       [](store& s) {
         int n = 0;
         for (std::size_t from = 0; from < waiver_state_count; ++from)
           for (std::size_t to = 0; to < waiver_state_count; ++to) {
             const auto before = static_cast<waiver_state>(from), after = static_cast<waiver_state>(to);
             auto [w, number] = with_waiver(s, before, "person-" + std::to_string(n++));
             w.step_waiver(number, after, instant(50),
                           after == waiver_state::used ? std::optional(w.record.interviews.front().id) : std::nullopt);
             if (is_lawful_step(before, after)) {
               w.commit(s);
               expect_stored(s, w);
             } else {
               expect_refused(s, w, errc::constraint_violated,
                              std::string(to_string(before)) + " to " + std::string(to_string(after)));
             }
           }
       }},
      {"What was granted is never changed",
       [](store& s) {
         const std::vector<void (*)(waiver&)> edits{[](waiver& w) { w.track = "u"; },
                                                    [](waiver& w) { w.rule_id = "cap"; },
                                                    [](waiver& w) { w.reason_code = "other"; },
                                                    [](waiver& w) { w.floor = "P1D"; },
                                                    [](waiver& w) { w.granted_by = "bob"; },
                                                    [](waiver& w) { w.granted_at -= seconds{1}; },
                                                    [](waiver& w) { w.expires_at += seconds{1}; },
                                                    [](waiver& w) { w.number += 1; }};
         int n = 0;
         for (const auto edit : edits) {
           auto [w, number] = with_waiver(s, waiver_state::granted, "person-" + std::to_string(n++));
           w.step_waiver(number, waiver_state::revoked, instant(50));
           edit(w.pending.waivers.back().after);
           expect_refused(s, w, errc::constraint_violated, "edit " + std::to_string(n));
         }
       }},
      {"A step from another state than the stored one is refused",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::granted, "ada");
         w.step_waiver(number, waiver_state::revoked, instant(50));
         w.pending.waivers.back().before = waiver_state::proposed;
         expect_refused(s, w, errc::constraint_violated, "another state before");
       }},
      {"A waiver begins proposed or granted",
       [](store& s) {
         int n = 0;
         for (const auto state : {waiver_state::used, waiver_state::lapsed, waiver_state::revoked}) {
           record_writer w("person-" + std::to_string(n++));
           const auto id = w.schedule("t", instant());
           w.commit(s);
           w.add_waiver("t", "wait", instant(10), state);
           if (state == waiver_state::used) w.pending.waivers.back().after.used_for = id;
           expect_refused(s, w, errc::constraint_violated, "a new waiver that is " + std::string(to_string(state)));
         }
       }},
      {"At most one waiver of a rule and a track is open",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::granted, "ada");
         record_writer second = w, elsewhere = w;
         second.add_waiver("t", "wait", instant(30));
         expect_refused(s, second, errc::constraint_violated, "a second open waiver");
         elsewhere.add_waiver("u", "wait", instant(30));
         elsewhere.add_waiver("t", "cap", instant(30));
         elsewhere.commit(s);
         expect_stored(s, elsewhere);
         elsewhere.step_waiver(number, waiver_state::revoked, instant(40));
         elsewhere.add_waiver("t", "wait", instant(41));
         elsewhere.commit(s);
         expect_stored(s, elsewhere);
       }},
      {"A waiver's number is taken once",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::revoked, "ada");
         w.add_waiver("u", "cap", instant(30));
         w.pending.waivers.back().after.number = number;
         expect_refused(s, w, errc::constraint_violated, "a number that is taken");
       }},
      {"A used waiver names its interview, and no other does",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::granted, "ada");
         record_writer nameless = w, named = w;
         nameless.step_waiver(number, waiver_state::used, instant(50));
         expect_refused(s, nameless, errc::constraint_violated, "a use for nothing");
         named.step_waiver(number, waiver_state::revoked, instant(50), w.record.interviews.front().id);
         expect_refused(s, named, errc::constraint_violated, "a revocation that names an interview");
       }},
      {"Nobody approves a waiver that he granted himself",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::proposed, "ada");
         w.step_waiver(number, waiver_state::granted, instant(50));
         w.pending.waivers.back().after.approved_by = w.find_waiver(number).granted_by;
         expect_refused(s, w, errc::constraint_violated, "an approval by the same person");
       }},
      {"A refused commit writes no waiver",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::granted, "ada");
         w.add_waiver("u", "cap", instant(30));
         w.step_waiver(number, waiver_state::revoked, instant(40));
         w.pending.audit.back().sequence += 1;
         expect_refused(s, w, errc::constraint_violated, "waivers with a broken audit");
       }},
      {"A record is due when an open waiver has expired, and as early as that",
       [](store& s) {
         record_writer w;
         w.add_waiver("t", "wait", instant(100));
         w.add_waiver("t", "cap", instant(50), waiver_state::proposed);
         w.commit(s);
         const sys_seconds first = w.record.waivers.back().expires_at;
         expect(must(s.due(first - seconds{1}, 10, ""), "due()").rows.empty(), "a waiver is due one second too early");
         auto rows = must(s.due(first + seconds{90'000}, 10, ""), "due()").rows;
         same("due records", rows.size(), std::size_t{1});
         same("whose", rows.at(0).applicant_id, "ada");
         same("limit", rows.at(0).limit, first);
         rows = must(s.due(first, 10, ""), "due()").rows;
         same("due records at the instant", rows.size(), std::size_t{1});
         // With an interview that is due earlier, there is one row still.
         w.schedule("t", instant(200), seconds{10});
         w.commit(s);
         rows = must(s.due(first, 10, ""), "due()").rows;
         same("due records", rows.size(), std::size_t{1});
         same("limit", rows.at(0).limit, instant(210));
         for (const auto& one : std::vector<waiver>(w.record.waivers))
           w.step_waiver(one.number, waiver_state::revoked, instant(300));
         w.step(w.record.interviews.front().id, event::expire, instant(310), authority::clock);
         w.commit(s);
         expect(must(s.due(first + seconds{90'000}, 10, ""), "due()").rows.empty(), "what is over is due");
       }},
      {"An erasure leaves the waivers",
       [](store& s) {
         auto [w, number] = with_waiver(s, waiver_state::granted, "ada");
         w.step(w.record.interviews.front().id, event::cancel, instant(60));
         w.step_waiver(number, waiver_state::revoked, instant(60));
         w.erase(instant(60));
         w.commit(s);
         expect_stored(s, w);
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
