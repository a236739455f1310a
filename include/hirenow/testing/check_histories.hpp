#pragma once
/// Checks of `check_store()`: random histories, lawful and unlawful, whose every answer is compared with that of the
/// memory store.
///
/// Where store.hpp leaves an order to the store, instants are kept apart or rows are sorted before they are compared.

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "hirenow/adapters/memory.hpp"
#include "hirenow/testing/check_lists.hpp"
#include "hirenow/testing/check_outbox.hpp"

namespace hirenow::testing::detail {

class random_history {
 public:
  random_history(store& tested, std::uint64_t seed)
      : tested_(tested), reference_owner_(open_memory_store()), reference_(*reference_owner_), random_(seed) {}

  void run(std::size_t steps) {
    for (std::size_t n = 1; n <= steps; ++n) {
      std::string what = "a step";
      try {
        now_ = free_instant(now_ + seconds{chance(20) ? 200'000 : 1 + static_cast<seconds::rep>(below(900))});
        what = step();
        compare_everything();
      } catch (const broken_promise& broken) {
        throw broken_promise{"step " + std::to_string(n) + ", " + what + ": " + broken.what};
      }
    }
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  template <class T>
  const T& any_of(const std::vector<T>& some) {
    return some[below(some.size())];
  }

  /// An instant that was not given out before, so that no two messages are due at one instant.
  sys_seconds free_instant(sys_seconds from) {
    while (!used_.insert(from).second) from += seconds{1};
    return from;
  }

  std::string step() {
    const std::size_t kind = below(21);
    if (kind < 9) return change(false);
    if (kind < 12) return change(true);
    if (kind < 14) return save();
    if (kind < 16) return claim_some();
    if (kind < 18) return settle_some();
    if (kind < 19) return set_a_policy();
    if (kind < 20) return allow_some();
    return prune_answers();
  }

  applicant_record record_of(std::string_view tenant, std::string_view who) {
    return must(reference_.load({.tenant = tenant, .who = who}), "load() of the memory store").record;
  }
  applicant_record any_record() {
    const std::string &tenant = any_of(tenants_), &who = any_of(applicants_);
    return record_of(tenant, who);
  }
  record_writer any_writer() {
    const std::string &tenant = any_of(tenants_), &who = any_of(applicants_);
    auto stored = record_of(tenant, who);
    return stored.version == 0 ? record_writer(who, tenant) : record_writer(std::move(stored));
  }

  /// An interview of any record, in this state where there is one. The record is empty where there is none at all.
  std::pair<applicant_record, interview> any_interview(interview_state wanted) {
    std::pair<applicant_record, interview> found;
    bool in_state = false;
    for (const auto& tenant : tenants_)
      for (const auto& who : applicants_) {
        const auto record = record_of(tenant, who);
        for (const auto& i : record.interviews) {
          if (in_state && i.state != wanted) continue;
          if (found.first.interviews.empty() || (i.state == wanted && !in_state) || chance(3)) found = {record, i};
          in_state = in_state || i.state == wanted;
        }
      }
    return found;
  }

  // Commits.

  std::string change(bool spoilt) {
    record_writer w = any_writer();
    for (std::size_t n = 1 + below(3); n > 0; --n) act(w);
    // What is redriven is due at the commit's last instant, which must be now: the clock's events lie further back.
    if (!w.pending.redrives.empty()) w.entry("redrive", now_);
    std::string what = "a commit";
    if (spoilt) {
      w.pending.answer.reset();
      what = "a commit with " + spoil(w);
    }
    const change_set set = w.take();
    const auto got = tested_.commit(set);
    const auto due = reference_.commit(set);
    const auto shown = [](const result<void>& r) {
      return r ? std::string("ok") : std::string(to_string(r.error().code));
    };
    same("the answer to " + what, shown(got), shown(due));
    return what;
  }

  /// One more thing that a use case might do.
  void act(record_writer& w) {
    switch (below(13)) {
      case 12: return change_waivers(w);
      case 0:
      case 1: return schedule_or_step(w);
      case 2:
      case 3:
      case 4:
      case 5: return any_step(w);
      case 6: return promise_or_redrive(w);
      case 7:
        if (!w.record.interviews.empty())
          w.pending.withdrawals.push_back({any_of(w.record.interviews).id, static_cast<std::uint16_t>(random_())});
        w.entry("withdraw", now_);
        return;
      case 8:
        if (!w.record.erased)
          w.add_fact({.kind = static_cast<fact_kind>(below(fact_kind_count)),
                      .name = "fact",
                      .at = now_,
                      .value = std::string(below(50), 'v')});
        return;
      case 9: w.entry("note", now_, w.record.erased ? "" : "because " + std::to_string(below(1000))); return;
      case 10:
        w.entry("answer", now_);
        w.pending.answer = answer_of(static_cast<std::uint8_t>(below(6)), "{}", now_ + seconds{below(300'000)});
        return;
      default: return change_person(w);
    }
  }

  void schedule_or_step(record_writer& w) {
    const std::string track = any_of(tracks_);
    if (current_interview(w.record, track)) return any_step(w);
    const auto id = w.schedule(track, now_, seconds{1 + below(500'000)});
    interview& i = w.find(id);
    i.overtime = chance(2) ? overtime::submit : overtime::expire;
    i.time_limit = seconds{1 + below(100'000)};
    i.grace = seconds{below(2) * below(1000)};
    if (chance(3)) i.ends_by = i.start_by + seconds{below(100'000)};
    w.pending.interviews.back().after = i;
    if (chance(2)) w.promise(id, message_kind::invitation, free_instant(now_));
  }

  void any_step(record_writer& w) {
    if (w.record.interviews.empty()) return;
    const interview i = any_of(w.record.interviews);
    const auto limit = clock_limit(i);  // none for one that a spoilt commit brought into progress without a deadline
    std::vector<transition> possible;
    for (const auto& row : transition_table) {
      if (row.from != i.state) continue;
      const bool by_clock = row.by == authority::clock;
      if (by_clock && (!limit || now_ < *limit)) continue;
      if (apply(i, row.on, row.by, by_clock ? *limit : now_)) possible.push_back(row);
    }
    if (possible.empty()) return;
    const transition row = any_of(possible);
    if (row.on == event::retake) {
      const auto next = w.retake(i.id, now_);
      w.pending.withdrawals.push_back({i.id});
      w.promise(next, message_kind::retake_invitation, free_instant(now_));
      return;
    }
    if (row.on == event::pass || row.on == event::fail) w.find(i.id).score = static_cast<double>(below(1000)) / 7;
    if (row.on == event::accommodate)
      w.find(i.id).accommodation = {100 + static_cast<std::uint32_t>(below(100)), seconds{below(1000)},
                                    seconds{below(9)}};
    w.step(i.id, row.on, row.by == authority::clock ? *limit : now_, row.by);
    if (row.on == event::submit && !w.record.erased && chance(2))
      w.pending.final_progress = std::pair(i.id, progress{"final " + std::to_string(random_()), now_});
  }

  void promise_or_redrive(record_writer& w) {
    if (w.record.interviews.empty()) return;
    const auto about = any_of(w.record.interviews).id;
    if (w.pending.redrives.empty() && w.pending.drops.empty()) {
      const auto dead =
          must(reference_.messages(
                   {.tenant = w.record.tenant, .interview = about, .state = message_state::dead, .limit = 1}),
               "messages() of the memory store");
      if (!dead.empty() && chance(3)) {
        w.entry("drop", now_);
        w.pending.drops.push_back(dead[0].key);
        return;
      }
      if (!dead.empty()) {
        w.pending.redrives.push_back(dead[0].key);
        return;
      }
    }
    w.entry("promise", now_);
    w.promise(about, static_cast<message_kind>(below(message_kind_count)), free_instant(now_ + seconds{below(2000)}));
  }

  void change_waivers(record_writer& w) {
    if (!w.record.waivers.empty() && chance(2)) {
      const waiver one = any_of(w.record.waivers);
      const auto to = static_cast<waiver_state>(below(waiver_state_count));
      if (!is_lawful_step(one.state, to) || (to == waiver_state::used && w.record.interviews.empty())) return;
      w.step_waiver(one.number, to, now_,
                    to == waiver_state::used ? std::optional(any_of(w.record.interviews).id) : std::nullopt);
      return;
    }
    const std::string track = any_of(tracks_), rule = chance(2) ? "wait" : "cap";
    for (const auto& other : w.record.waivers)
      if (is_open(other.state) && other.track == track && other.rule_id == rule) return;
    w.add_waiver(track, rule, now_, chance(2) ? waiver_state::granted : waiver_state::proposed);
  }

  void change_person(record_writer& w) {
    if (w.record.erased) return;
    if (w.record.version > 0 && chance(4)) {
      for (const auto& i : std::vector<interview>(w.record.interviews))
        if (is_active(i.state)) w.step(i.id, event::cancel, now_);
      for (const auto& i : w.record.interviews) w.pending.withdrawals.push_back({i.id});
      w.pending.facts.clear();
      w.erase(now_);
      return;
    }
    w.entry("update_applicant", now_);
    w.record.person.name = "Name " + std::to_string(below(100));
    w.record.person.email = std::to_string(below(100)) + "@example.org";
    w.pending.write_person = true;
  }

  /// Makes a change set unlawful, or too old. Returns what is wrong with it.
  std::string spoil(record_writer& w) {
    auto& set = w.pending;
    const auto stranger = any_record();
    switch (below(10)) {
      case 0: set.expected_version += 1 + below(2); return "a version that is to come";
      case 1:
        if (set.expected_version > 0) --set.expected_version;
        w.entry("late", now_);
        return "an older version";
      case 2:
        if (!set.interviews.empty())
          any_change(set).before = static_cast<interview_state>(below(interview_state_count));
        return "another state before";
      case 3:
        if (!set.interviews.empty())
          any_change(set).after.state = static_cast<interview_state>(below(interview_state_count));
        return "another state after";
      case 4:
        if (!set.audit.empty()) set.audit[below(set.audit.size())].sequence += 1 + below(2);
        return "a gap in the audit";
      case 5:
        if (!set.audit.empty()) set.audit[below(set.audit.size())].previous = sha256("another");
        return "a broken chain";
      case 6: ++w.record.sequence; return "a head that runs ahead";
      case 7:
        if (!set.messages.empty()) set.messages.push_back(set.messages.front());
        return "a message twice";
      case 8:
        if (!stranger.interviews.empty())
          set.messages.push_back(
              {.key = {any_of(stranger.interviews).id, message_kind::cancelled, random_() % 1'000'000},
               .due_at = free_instant(now_)});
        return "a message of some interview";
      default:
        if (!stranger.interviews.empty() && !current_interview(w.record, "x")) {
          w.schedule("x", now_);
          set.interviews.back().after.id = any_of(stranger.interviews).id;
        }
        return "an id that is taken";
    }
  }
  interview_change& any_change(change_set& set) { return set.interviews[below(set.interviews.size())]; }

  // Everything else that writes.

  std::string save() {
    const auto [record, i] = any_interview(interview_state::in_progress);
    if (record.interviews.empty()) return "nothing to save for";
    checkpoint_request request{record.tenant, i.id, i.sitting.fence, i.sitting.key_hash, now_, "some bytes"};
    if (i.deadline) request.at = *i.deadline - seconds{1 + below(5)};
    switch (below(8)) {
      case 0: request.tenant = any_of(tenants_); break;
      case 1: request.fence += chance(2) ? 1 : -1; break;
      case 2: request.key_hash[below(32)] ^= 1; break;
      case 3: request.at += seconds{below(10)}; break;
      default: break;
    }
    same("save_progress()", must(tested_.save_progress(request), "save_progress()"),
         must(reference_.save_progress(request), "save_progress() of the memory store"));
    compare_load({.tenant = record.tenant, .who = i.id}, true);
    return "a checkpoint";
  }

  /// Time passes faster between steps than mail is counted, so one step asks several times.
  std::string allow_some() {
    for (std::size_t call = 0; call < 4; ++call) {
      now_ = free_instant(now_ + seconds{below(10)});
      std::vector<allowance_request> requests(1 + below(4));
      for (auto& r : requests) {
        if (chance(2)) r.tenant = any_of(tenants_);
        r.now = now_;
        r.per_minute = std::array{90U, 6U, 600U}[r.tenant.size() % 3];  // a limit that stays what it was
        r.wanted = below(12);
        if (chance(4)) r.returned = below(8);
      }
      const auto got = must(tested_.allow(requests), "allow()");
      if (got.empty()) return "a store that does not count mail";
      const auto due = must(reference_.allow(requests), "allow() of the memory store");
      same("answers", got.size(), due.size());
      for (std::size_t n = 0; n < due.size(); ++n) {
        same("granted", got[n].granted, due[n].granted);
        same("seconds to wait", got[n].wait.count(), due[n].wait.count());
      }
    }
    return "mail that is counted";
  }

  lease_token fresh_token() {
    lease_token token{};
    for (auto& byte : token) byte = static_cast<std::uint8_t>(random_());
    return token;
  }

  std::string claim_some() {
    // A claim of one cannot be a matter of taste, because no two messages can be claimed from one instant on. A claim
    // of all gives them one lease, which is pulled apart at once.
    const bool all = chance(2);
    const sys_seconds end = free_instant(now_ + seconds{1 + below(2000)});
    claim_request request{now_, end - now_, all ? std::size_t{1000} : std::size_t{1}, fresh_token()};
    if (const auto next = next_due(reference_); next && chance(2)) {
      request.now = *next - seconds{below(2)};
      request.lease = end - request.now;
    }
    auto got = must(tested_.claim(request), "claim()"),
         due = must(reference_.claim(request), "claim() of the memory store");
    const auto by_key = [](const claimed_message& a, const claimed_message& b) { return a.mail.key < b.mail.key; };
    std::sort(got.begin(), got.end(), by_key);
    std::sort(due.begin(), due.end(), by_key);
    same("messages claimed", got.size(), due.size());
    std::vector<settlement> renewals;
    for (std::size_t n = 0; n < due.size(); ++n) {
      same("claim()", got[n].mail, due[n].mail);
      same("claim(): tenant", got[n].tenant, due[n].tenant);
      same("claim(): applicant_id", got[n].applicant_id, due[n].applicant_id);
      leases_[due[n].mail.key] = request.token;
      renewals.push_back({.key = due[n].mail.key,
                          .tenant = due[n].tenant,
                          .token = request.token,
                          .what = verdict::renew,
                          .at = free_instant(now_ + seconds{1 + below(2000)})});
    }
    if (all) settle_both(renewals);
    return all ? "a claim of all" : "a claim of one";
  }

  std::string settle_some() {
    std::vector<settlement> batch;
    for (const auto& tenant : tenants_)
      for (const auto& m : all_messages(reference_, tenant)) {
        if (!chance(m.state == message_state::leased ? 2 : 8)) continue;
        settlement one{.key = m.key,
                       .tenant = chance(12) ? std::string_view(any_of(tenants_)) : tenant,
                       .token = leases_[m.key],
                       .what = static_cast<verdict>(below(6)),
                       .at = free_instant(now_ + seconds{below(2000)}),
                       .answer = chance(2) ? "" : "250 or 451 or 550"};
        if (chance(6)) one.token = fresh_token();
        batch.push_back(one);
        if (chance(6)) {
          one.at = free_instant(now_ + seconds{below(2000)});
          batch.push_back(one);
        }
      }
    settle_both(batch);
    return "a settlement of " + std::to_string(batch.size());
  }

  void settle_both(const std::vector<settlement>& batch) {
    same("settle()", must(tested_.settle(batch), "settle()"),
         must(reference_.settle(batch), "settle() of the memory store"));
  }

  std::string set_a_policy() {
    stored_policy p{.track = chance(2) ? "" : any_of(tracks_), .document = chance(4) ? "" : std::to_string(random_())};
    p.hash = sha256(p.document);
    p.set_by = "staff:rita";
    const std::string& tenant = any_of(tenants_);
    p.set_at = std::max(now_, record_of(tenant, "").last_instant);
    const auto set = policy_change(record_of(tenant, ""), tenant, {p});
    must(tested_.commit(set), "commit() of a policy");
    must(reference_.commit(set), "commit() of a policy by the memory store");
    return "a policy";
  }

  std::string prune_answers() {
    same("prune()", must(tested_.prune(now_, 1000), "prune()"),
         must(reference_.prune(now_, 1000), "prune() of the memory store"));
    return "a pruning";
  }

  // Reading.

  void compare_everything() {
    for (const auto& tenant : tenants_) {
      for (const auto& who : applicants_) {
        compare_load({.tenant = tenant, .who = std::string_view(who), .track = any_of(tracks_)});
        const std::size_t limit = 1 + below(40);
        const std::uint64_t after = below(20);
        same_all("read_audit()", must(tested_.read_audit(tenant, who, after, limit), "read_audit()"),
                 must(reference_.read_audit(tenant, who, after, limit), "read_audit() of the memory store"));
      }
      same_all("messages()", all_messages(tested_, tenant), all_messages(reference_, tenant));
      same("audit_heads()", must(tested_.audit_heads(tenant, "", 100), "audit_heads()"),
           must(reference_.audit_heads(tenant, "", 100), "audit_heads() of the memory store"));
    }
    same("next_due()", next_due(tested_), next_due(reference_));
    const auto record = any_record();
    if (!record.interviews.empty()) compare_load({.tenant = any_of(tenants_), .who = any_of(record.interviews).id});
    if (record.version != 0) expect_each_loaded(tested_, record);
    compare_list();
    compare_due();
  }

  void compare_load(load_request request, bool with_progress = false) {
    request.answer = answer_of(static_cast<std::uint8_t>(below(6)), {}, {}).key;
    request.with_progress = with_progress || chance(2);
    auto got = must(tested_.load(request), "load()"),
         due = must(reference_.load(request), "load() of the memory store");
    // Attempts of different tracks that were made in one second come in an order of the store's own.
    const auto earlier = [](const interview& a, const interview& b) {
      return std::tie(a.created_at, a.track, a.attempt) < std::tie(b.created_at, b.track, b.attempt);
    };
    for (std::size_t n = 1; n < got.record.interviews.size(); ++n)
      expect(got.record.interviews[n - 1].created_at <= got.record.interviews[n].created_at,
             "load(): interviews are not in the order of their creation");
    std::sort(got.record.interviews.begin(), got.record.interviews.end(), earlier);
    std::sort(due.record.interviews.begin(), due.record.interviews.end(), earlier);
    same("load()", got.record, due.record);
    same("load(): policy", got.policy, due.policy);
    same("load(): answer", got.answer, due.answer);
    same("load(): progress", got.progress, due.progress);
  }

  /// An instant before, at or after now; or at the limit of an interview, a second before or after.
  sys_seconds some_instant() {
    if (chance(3)) return now_;
    if (const auto limit = clock_limit(any_interview(interview_state::scheduled).second); limit && chance(2))
      return *limit + seconds{static_cast<seconds::rep>(below(3)) - 1};
    return now_ + seconds{static_cast<seconds::rep>(below(800'000)) - 200'000};
  }

  void compare_list() {
    list_request request{.tenant = any_of(tenants_), .at = some_instant(), .limit = 1 + below(12)};
    if (chance(3)) request.state = static_cast<interview_state>(below(interview_state_count));
    if (chance(3)) request.track = any_of(tracks_);
    if (chance(4)) request.applicant_id = any_of(applicants_);
    const auto rows = read_pages(tested_, request);
    expect_newest_first(rows);
    request.limit = 100'000;
    const auto due = list(reference_, request);
    same_all("list()", settled_order(rows), settled_order(due.rows));
    same("list(): counts", list(tested_, request).counts, due.counts);
  }

  void compare_due() {
    const sys_seconds at = some_instant();
    auto got = read_due(tested_, at, 1 + below(4), [](const auto&) {});
    for (std::size_t n = 1; n < got.size(); ++n)
      expect(got[n - 1].limit <= got[n].limit, "due(): a later limit comes first");
    auto due = all_due(reference_, at);
    const auto order = [](const due_record& a, const due_record& b) {
      return std::tie(a.limit, a.tenant, a.applicant_id) < std::tie(b.limit, b.tenant, b.applicant_id);
    };
    std::sort(got.begin(), got.end(), order);
    std::sort(due.begin(), due.end(), order);
    same("due(): number of records", got.size(), due.size());
    same("due(): the records are those of the memory store", got == due, true);
  }

  store& tested_;
  std::unique_ptr<store> reference_owner_;
  store& reference_;
  std::mt19937_64 random_;
  sys_seconds now_ = instant();
  std::set<sys_seconds> used_;
  std::map<message_key, lease_token> leases_;
  const std::vector<std::string> tenants_{"acme", "other"};
  const std::vector<std::string> applicants_{"ada", "bob", "carl"};
  const std::vector<std::string> tracks_{"t", "u", "v"};
};

inline void replay_history(store& tested, std::uint64_t seed, std::size_t steps) {
  random_history(tested, seed).run(steps);
}

}  // namespace hirenow::testing::detail
