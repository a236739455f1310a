#pragma once
/// Checks of `check_store()`: several threads at one store, each promise of which only one can have.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <exception>
#include <mutex>
#include <thread>

#include "hirenow/testing/check_lists.hpp"
#include "hirenow/testing/check_outbox.hpp"
#include "hirenow/testing/check_pace.hpp"

namespace hirenow::testing::detail {

/// One promise that is put to the test by several threads.
struct store_race {
  std::string_view name;
  void (*run)(store&, unsigned threads);
};

/// Runs `work(n)` in so many threads that start together. Throws what the first of them threw.
template <class Work>
void in_threads(unsigned threads, Work work) {
  std::barrier start(static_cast<std::ptrdiff_t>(threads));
  std::mutex mutex;
  std::exception_ptr thrown;
  std::vector<std::jthread> running;
  for (unsigned n = 0; n < threads; ++n)
    running.emplace_back([&, n] {
      start.arrive_and_wait();
      try {
        work(n);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!thrown) thrown = std::current_exception();
      }
    });
  running.clear();
  if (thrown) std::rethrow_exception(thrown);
}

/// Fires one change set from each thread at once.
/// Returns which of them were committed; all others have to be refused with `refusal`.
inline std::vector<std::size_t> commit_at_once(store& s, const std::vector<change_set>& sets, errc refusal) {
  std::vector<char> won(sets.size());
  in_threads(static_cast<unsigned>(sets.size()), [&](unsigned n) {
    const auto r = s.commit(sets[n]);
    won[n] = r.has_value();
    if (!r) must_refuse(r, refusal, "a commit that lost the race");
  });
  std::vector<std::size_t> winners;
  for (std::size_t n = 0; n < won.size(); ++n)
    if (won[n]) winners.push_back(n);
  return winners;
}

inline constexpr int race_rounds = 12;

inline const std::vector<store_race>& races() {
  static const std::vector<store_race> all{
      {"Of several commits at one version one wins",
       [](store& s, unsigned threads) {
         record_writer w;
         auto id = bring_to(w, "t", interview_state::failed, instant());
         w.commit(s);
         for (int round = 0; round < race_rounds; ++round) {
           std::vector<record_writer> rivals(threads, w);
           std::vector<change_set> sets;
           for (std::size_t n = 0; n < rivals.size(); ++n) {
             rivals[n].entry("rival " + std::to_string(n), instant(1000 + round * 100));
             const auto next = rivals[n].retake(id, instant(1000 + round * 100 + static_cast<seconds::rep>(n)));
             rivals[n].promise(next, message_kind::retake_invitation, instant());
             sets.push_back(rivals[n].take());
           }
           const auto winners = commit_at_once(s, sets, errc::conflict);
           same("winners", winners.size(), std::size_t{1});
           w = rivals[winners[0]];
           expect_stored(s, w);
           same("messages", all_messages(s).size(), static_cast<std::size_t>(round + 1));
           id = w.record.interviews.back().id;
           w.step(id, event::start, instant(1050 + round * 100));
           w.step(id, event::submit, instant(1051 + round * 100), authority::token);
           w.step(id, event::fail, instant(1052 + round * 100));
           w.commit(s);
         }
       }},
      {"Of several first commits of a record one wins",
       [](store& s, unsigned threads) {
         for (int round = 0; round < race_rounds; ++round) {
           std::vector<record_writer> rivals;
           std::vector<change_set> sets;
           for (unsigned n = 0; n < threads; ++n) {
             record_writer w("person " + std::to_string(round));
             w.schedule("track " + std::to_string(n), instant());
             rivals.push_back(w);
             sets.push_back(w.take());
             rivals.back().take();
           }
           const auto winners = commit_at_once(s, sets, errc::conflict);
           same("winners", winners.size(), std::size_t{1});
           expect_stored(s, rivals[winners[0]]);
         }
       }},
      {"Commits to different records all go through",
       [](store& s, unsigned threads) {
         std::vector<record_writer> writers;
         for (unsigned n = 0; n < threads; ++n) writers.emplace_back("person " + std::to_string(n));
         in_threads(threads, [&](unsigned n) {
           for (int round = 0; round < race_rounds; ++round) {
             record_writer& w = writers[n];
             w.step(w.schedule("t", instant(round)), event::cancel, instant(round));
             w.commit(s);
           }
         });
         for (const auto& w : writers) expect_stored(s, w);
         same("counts", count(s, {.tenant = "acme", .at = instant(100)}),
              count_of({{interview_state::cancelled, std::uint64_t{threads} * race_rounds}}));
       }},
      {"Of several answers under one key one is stored",
       [](store& s, unsigned threads) {
         for (int round = 0; round < race_rounds; ++round) {
           std::vector<record_writer> rivals;
           std::vector<change_set> sets;
           for (unsigned n = 0; n < threads; ++n) {
             record_writer w("person " + std::to_string(round) + "." + std::to_string(n));
             w.schedule("t", instant());
             w.pending.answer = answer_of(static_cast<std::uint8_t>(round), std::to_string(n), max_instant);
             sets.push_back(w.take());
             rivals.push_back(w);
           }
           const auto winners = commit_at_once(s, sets, errc::conflict);
           same("winners", winners.size(), std::size_t{1});
           same("answer",
                must(load_answer(s, answer_of(static_cast<std::uint8_t>(round), {}, {}).key), "answer").answer,
                std::to_string(winners[0]));
           for (std::size_t n = 0; n < rivals.size(); ++n)
             same("version", load_record(s, rivals[n].record.person.id).version, std::uint64_t{n == winners[0]});
         }
       }},
      {"Of several interviews of one id one is stored",
       [](store& s, unsigned threads) {
         for (int round = 0; round < race_rounds; ++round) {
           std::vector<change_set> sets;
           for (unsigned n = 0; n < threads; ++n) {
             record_writer w("person " + std::to_string(round) + "." + std::to_string(n));
             w.schedule("t", instant());
             w.pending.interviews.back().after.id = make_id(instant(round), "one id");
             sets.push_back(w.take());
           }
           same("winners", commit_at_once(s, sets, errc::constraint_violated).size(), std::size_t{1});
           same("rows", whole_list(s, instant()).rows.size(), static_cast<std::size_t>(round + 1));
         }
       }},
      {"Of several claims none is given a message that another has",
       [](store& s, unsigned threads) {
         std::vector<message_key> due;
         for (int n = 0; n < 60; ++n) due.push_back(store_promise(s, "person " + std::to_string(n)).key);
         std::vector<std::vector<message_key>> taken(threads);
         in_threads(threads, [&](unsigned n) {
           for (;;) {
             const auto claimed = claim(s, instant(20), static_cast<std::uint8_t>(n + 1), 3);
             if (claimed.empty()) return;
             for (const auto& c : claimed) {
               taken[n].push_back(c.mail.key);
               expect(settle(s, c.mail.key, verdict::accepted, {}, "250", static_cast<std::uint8_t>(n + 1)),
                      "settle() says that a fresh lease is lost");
             }
           }
         });
         std::vector<message_key> all_taken;
         for (const auto& some : taken) all_taken.insert(all_taken.end(), some.begin(), some.end());
         expect_keys("the messages claimed", all_taken, due);
         for (const auto& m : all_messages(s)) same("tries", m.tries, std::uint32_t{1});
       }},
      {"Several who ask at once are together allowed what one would be",
       [](store& s, unsigned threads) {
         if (!counts_mail(s)) return;
         for (int round = 0; round < race_rounds; ++round) {
           std::atomic<std::size_t> of_all = 0, of_acme = 0;
           in_threads(threads, [&](unsigned n) {
             // Nobody waits for another who waits for him, in whatever order they ask.
             std::vector<allowance_request> both{{instant(round), "acme", 240, 3}, {instant(round), {}, 300, 4}};
             if (n % 2) std::swap(both[0], both[1]);
             const auto answers = must(s.allow(both), "allow()");
             of_acme += answers.at(n % 2).granted;
             of_all += answers.at(1 - n % 2).granted;
           });
           same("granted of all mail", of_all.load(), std::size_t{5});
           same("granted of one tenant's", of_acme.load(), std::size_t{4});
         }
       }},
      {"A worker that comes late and the one that takes over do not both settle",
       [](store& s, unsigned) {
         for (int round = 0; round < race_rounds; ++round) {
           const auto p = store_promise(s, "person " + std::to_string(round));
           claim(s, instant(20), 1);
           bool late_settled = false, taken = false;
           in_threads(2, [&](unsigned n) {
             if (n == 0)
               late_settled = settle(s, p.key, verdict::accepted, {}, "250", 1);
             else
               taken = !claim(s, instant(9000), 2).empty();
           });
           same("the late worker settled", late_settled, !taken);
           if (taken) expect(settle(s, p.key, verdict::accepted, {}, "250", 2), "the new worker has lost its lease");
         }
       }},
      {"Of a withdrawal and a settlement one wins",
       [](store& s, unsigned) {
         for (int round = 0; round < race_rounds; ++round) {
           auto p = store_promise(s, "person " + std::to_string(round));
           claim(s, instant(20), 1);
           p.w.entry("note", instant(21));
           p.w.pending.withdrawals.push_back({p.id});
           const change_set set = p.w.take();
           bool settled = false;
           in_threads(2, [&](unsigned n) {
             if (n == 0)
               must(s.commit(set), "commit()");
             else
               settled = settle(s, p.key, verdict::accepted, {}, "250", 1);
           });
           same("state", find_message(s, p.key).state, settled ? message_state::accepted : message_state::withdrawn);
         }
       }},
      {"Saving progress is never refused for a version, and refuses none",
       [](store& s, unsigned threads) {
         record_writer w;
         const auto id = bring_to(w, "t", interview_state::in_progress, instant());
         w.commit(s);
         const sitting_state sitting = w.find(id).sitting;
         in_threads(threads + 1, [&](unsigned n) {
           for (int round = 0; round < race_rounds; ++round) {
             if (n == 0) {
               w.step(id, event::request_link, instant(20 + round));
               w.commit(s);
             } else {
               const std::string bytes(1000, static_cast<char>('a' + n % 26));
               expect(must(s.save_progress({"acme", id, sitting.fence, sitting.key_hash, instant(50), bytes}),
                           "save_progress()"),
                      "save_progress() returned false");
               const auto saved = load_progress(s, id);
               expect(saved && saved->bytes == std::string(1000, saved->bytes.at(0)),
                      "progress of two savers is mixed");
             }
           }
         });
         expect_stored(s, w);
       }},
      {"A reader sees a commit whole or not at all",
       [](store& s, unsigned threads) {
         record_writer w;
         w.schedule("t", instant());
         w.commit(s);
         std::atomic<bool> done = false;
         std::atomic<unsigned> reads = 0;
         in_threads(threads + 1, [&](unsigned n) {
           if (n == 0) {
             try {
               for (int round = 1; round <= 2 * race_rounds; ++round) {
                 w.step(w.record.interviews.back().id, event::cancel, instant(round));
                 w.schedule("t", instant(round));
                 w.commit(s);
                 // Reads and commits are to take turns, even on one processor.
                 for (unsigned before = reads, turn = 0; turn < 50 && reads == before; ++turn)
                   std::this_thread::yield();
               }
             } catch (...) {
               done = true;
               throw;
             }
             done = true;
             return;
           }
           while (!done) {
             const auto record = load_record(s);
             same("interviews in the record", record.interviews.size(), record.version);
             same("sequence of the record", record.sequence, 2 * record.version - 1);
             for (std::size_t i = 0; i < record.interviews.size(); ++i)
               same("state of an interview", record.interviews[i].state,
                    i + 1 == record.version ? interview_state::scheduled : interview_state::cancelled);
             const auto page = whole_list(s, instant(100));
             same("counts beside the rows", must(page.counts, "counts"),
                  count_of({{interview_state::scheduled, 1}, {interview_state::cancelled, page.rows.size() - 1}}));
             const auto audit = all_audit(s);
             same("entries in the audit", audit.size() % 2, std::size_t{1});
             same("the newest entry", audit.at(audit.size() - 1).sequence, std::uint64_t{audit.size()});
             ++reads;
           }
         });
         expect_stored(s, w);
       }},
  };
  return all;
}

}  // namespace hirenow::testing::detail
