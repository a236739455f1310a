#pragma once
/// Memory stores with one planted defect each: what `check_store()` has to find.
///
/// Each is the mistake of somebody who writes a store: a forgotten condition, an instant that is off by one, an order
/// that the database has and we do not want, a transaction that is two.
/// Threads: as a store; what a defect remembers stands under a lock.

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hirenow/adapters/memory.hpp"
#include "hirenow/detail/store_in_between.hpp"

namespace hirenow::support {

/// A memory store whose calls can be overridden one by one. It remembers which tenants there are.
class defective_store : public detail::store_in_between {
 public:
  defective_store() : defective_store(open_memory_store()) {}
  result<void> commit(const change_set& c) override {
    {
      const std::lock_guard lock(mutex_);
      tenants_.insert(c.tenant);
      threads_.insert(std::this_thread::get_id());
    }
    return inner_->commit(c);
  }

 protected:
  /// The store without the defect.
  store& sound() { return *inner_; }
  std::set<std::string> tenants() {
    const std::lock_guard lock(mutex_);
    return tenants_;
  }
  /// Gives other threads the time to come between, if this store has been used by several.
  template <class Come>
  void wait_for_others(Come others_came) {
    {
      const std::lock_guard lock(mutex_);
      threads_.insert(std::this_thread::get_id());
      if (threads_.size() == 1) return;
    }
    for (int n = 0; n < 1000 && !others_came(); ++n) std::this_thread::yield();
  }
  applicant_record record_of(std::string_view tenant, std::string_view applicant_id) {
    return inner_->load({.tenant = tenant, .who = applicant_id}).value().record;
  }
  /// Puts the commit's entries behind the audit as it now stands.
  static void follow(change_set& c, const applicant_record& now) {
    c.expected_version = now.version;
    c.head.sequence = now.sequence;
    c.head.audit_head = now.audit_head;
    for (auto& entry : c.audit) {
      entry.sequence = ++c.head.sequence;
      entry.previous = std::exchange(c.head.audit_head, entry.hash);
    }
  }
  /// Commits; where a constraint refuses, mends the change set and commits that instead.
  template <class Mend>
  result<void> commit_mended(const change_set& c, Mend mend) {
    auto r = defective_store::commit(c);
    if (r || r.error().code != errc::constraint_violated) return r;
    change_set mended = c;
    mend(mended);
    return inner_->commit(mended);
  }
  std::vector<message> messages_of(std::string_view tenant, std::optional<message_state> state = {}) {
    return inner_->messages({.tenant = tenant, .state = state, .limit = 100'000}).value();
  }

  std::mutex mutex_;

 private:
  explicit defective_store(std::unique_ptr<store> inner) : store_in_between(*inner), inner_(std::move(inner)) {}

  const std::unique_ptr<store> inner_;
  std::set<std::string> tenants_;
  std::set<std::thread::id> threads_;
};

// Commits.

struct version_not_compared : defective_store {
  result<void> commit(const change_set& c) override {
    change_set late = c;
    follow(late, record_of(c.tenant, c.applicant_id));
    return defective_store::commit(late);
  }
};
/// Compares and writes in two transactions: right until two callers meet.
struct version_compared_too_early : defective_store {
  result<void> commit(const change_set& c) override {
    if (record_of(c.tenant, c.applicant_id).version != c.expected_version) return defective_store::commit(c);
    ++inside;
    wait_for_others([&] { return inside > 1; });
    change_set late = c;
    if (const auto now = record_of(c.tenant, c.applicant_id); now.version != c.expected_version) follow(late, now);
    auto r = defective_store::commit(late);
    --inside;
    return r;
  }
  std::atomic<int> inside = 0;
};
struct audit_gap_accepted : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [&](change_set& m) { follow(m, record_of(c.tenant, c.applicant_id)); });
  }
};
struct unlawful_step_skipped : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [](change_set& m) { m.interviews.clear(); });
  }
};
struct new_interview_in_any_state : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [](change_set& m) {
      for (auto& i : m.interviews)
        if (!i.before) i.after.state = interview_state::scheduled;
    });
  }
};
struct before_not_compared : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [&](change_set& m) {
      const auto stored = record_of(c.tenant, c.applicant_id);
      for (auto& i : m.interviews)
        if (const auto* now = find_interview(stored, i.after.id)) i.before = now->state;
    });
  }
};
struct second_message_ignored : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [&](change_set& m) {
      std::set<message_key> taken;
      for (const auto& old : messages_of(c.tenant)) taken.insert(old.key);
      std::erase_if(m.messages, [&](const message& one) { return !taken.insert(one.key).second; });
    });
  }
};
struct drop_of_anything_ignored : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [](change_set& m) { m.drops.clear(); });
  }
};
struct drop_lost : defective_store {
  result<void> commit(const change_set& c) override {
    change_set kept = c;
    kept.drops.clear();
    return defective_store::commit(kept);
  }
};
struct figures_without_one : defective_store {
  result<std::optional<outbox_figures>> outbox(sys_seconds now) override {
    auto all = defective_store::outbox(now);
    if (all && *all && (**all).queued > 0) --(**all).queued;
    return all;
  }
};
struct redrive_of_anything_ignored : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [](change_set& m) { m.redrives.clear(); });
  }
};
struct refused_commit_half_written : defective_store {
  result<void> commit(const change_set& c) override {
    auto r = defective_store::commit(c);
    if (!r) {
      change_set half = c;
      half.messages.clear();
      half.redrives.clear();
      half.answer.reset();
      (void)sound().commit(half);
    }
    return r;
  }
};
struct withdrawal_lost : defective_store {
  result<void> commit(const change_set& c) override {
    change_set without = c;
    without.withdrawals.clear();
    return defective_store::commit(without);
  }
};
struct withdrawal_of_all_kinds : defective_store {
  result<void> commit(const change_set& c) override {
    change_set wide = c;
    for (auto& w : wide.withdrawals) w.kinds = 0xffff;
    return defective_store::commit(wide);
  }
};
struct withdrawal_after_messages : defective_store {
  result<void> commit(const change_set& c) override {
    change_set late = c;
    for (auto& m : late.messages)
      for (const auto& w : c.withdrawals)
        if (w.interview == m.key.interview && (w.kinds >> static_cast<unsigned>(m.key.kind) & 1U) != 0)
          m.state = message_state::withdrawn;
    return defective_store::commit(late);
  }
};
struct second_answer_dropped : defective_store {
  result<void> commit(const change_set& c) override {
    auto r = defective_store::commit(c);
    if (r || r.error().code != errc::conflict || !c.answer) return r;
    change_set without = c;
    without.answer.reset();
    return sound().commit(without);
  }
};
struct final_progress_lost : defective_store {
  result<void> commit(const change_set& c) override {
    change_set without = c;
    without.final_progress.reset();
    return defective_store::commit(without);
  }
};
struct person_always_written : defective_store {
  result<void> commit(const change_set& c) override {
    change_set more = c;
    more.write_person = true;
    return defective_store::commit(more);
  }
};
struct sitting_always_written : defective_store {
  result<void> commit(const change_set& c) override {
    change_set more = c;
    for (auto& i : more.interviews) i.sitting_changed = true;
    return defective_store::commit(more);
  }
};
struct sitting_never_closed : defective_store {
  result<void> commit(const change_set& c) override {
    change_set open = c;
    for (auto& i : open.interviews)
      if (i.before && i.after.sitting.fence > 0) i.after.sitting.open = true;
    return defective_store::commit(open);
  }
};
struct score_as_float : defective_store {
  result<void> commit(const change_set& c) override {
    change_set rounded = c;
    for (auto& i : rounded.interviews)
      if (i.after.score) i.after.score = static_cast<double>(static_cast<float>(*i.after.score));
    return defective_store::commit(rounded);
  }
};
struct salt_ends_at_nul : defective_store {
  result<void> commit(const change_set& c) override {
    change_set cut = c;
    cut.head.salt = cut.head.salt.c_str();
    return defective_store::commit(cut);
  }
};
struct first_instant_is_no_instant : defective_store {
  result<void> commit(const change_set& c) override {
    change_set cut = c;
    for (auto& i : cut.interviews)
      for (auto* at : {&i.after.started_at, &i.after.decided_at, &i.after.submitted_at})
        if (*at == min_instant) at->reset();
    return defective_store::commit(cut);
  }
};
struct namesake_erased_too : defective_store {
  result<void> commit(const change_set& c) override {
    auto r = defective_store::commit(c);
    if (r && c.erase)
      for (const auto& tenant : tenants())
        if (const auto twin = record_of(tenant, c.applicant_id); tenant != c.tenant && twin.version > 0) {
          change_set more{
              .tenant = tenant, .applicant_id = c.applicant_id, .expected_version = twin.version, .head = twin};
          more.erase = true;
          (void)sound().commit(more);
        }
    return r;
  }
};

// Loads.

struct case_ignored : defective_store {
  static std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
  }
  result<void> commit(const change_set& c) override {
    change_set folded = c;
    folded.applicant_id = lower(c.applicant_id);
    return defective_store::commit(folded);
  }
  result<loaded> load(const load_request& r) override {
    load_request folded = r;
    std::string who;
    if (const auto* id = std::get_if<std::string_view>(&r.who)) folded.who = std::string_view(who = lower(*id));
    return sound().load(folded);
  }
};
struct interview_of_any_tenant : defective_store {
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    if (found && found->record.version == 0 && std::holds_alternative<interview_id>(r.who))
      for (const auto& tenant : tenants()) {
        load_request other = r;
        other.tenant = tenant;
        if (auto leak = sound().load(other); leak->record.version > 0) return leak;
      }
    return found;
  }
};
struct answer_of_any_tenant : defective_store {
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    for (const auto& tenant : tenants()) {
      load_request other = r;
      other.tenant = tenant;
      if (!found->answer) found->answer = sound().load(other)->answer;
    }
    return found;
  }
};
struct answer_needs_a_record : defective_store {
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    if (found->record.version == 0) found->answer.reset();
    return found;
  }
};
struct tenant_policy_goes_first : defective_store {
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    if (auto own = sound().load({.tenant = r.tenant, .who = std::string_view("nobody")})->policy) found->policy = own;
    return found;
  }
};
struct policy_never_removed : defective_store {
  result<void> commit(const change_set& c) override {
    change_set fewer = c;
    std::erase_if(fewer.policies, [](const stored_policy& p) { return p.document.empty(); });
    return sound().commit(fewer);
  }
};
/// As one that writes policies apart from the commit that they come with.
struct policy_kept_of_a_refused_commit : defective_store {
  result<void> commit(const change_set& c) override {
    auto done = sound().commit(c);
    if (!done && !c.policies.empty())
      (void)sound().commit(testing::detail::policy_change(record_of(c.tenant, ""), c.tenant, c.policies));
    return done;
  }
};
struct policy_in_force_at_once : defective_store {
  result<loaded> load(const load_request& r) override {
    load_request later = r;
    later.at = max_instant;
    return sound().load(later);
  }
};
struct policies_forgotten : defective_store {
  result<std::vector<stored_policy>> policies(const policy_query& q) override {
    policy_query one = q;
    one.limit = 1;
    if (q.before) return std::vector<stored_policy>{};
    return sound().policies(one);
  }
};
struct waiver_steps_lost : defective_store {
  result<void> commit(const change_set& c) override {
    change_set fewer = c;
    std::erase_if(fewer.waivers, [](const waiver_change& w) { return w.before.has_value(); });
    return sound().commit(fewer);
  }
};
struct waiver_before_not_compared : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [&](change_set& m) {
      const auto stored = record_of(c.tenant, c.applicant_id);
      for (auto& w : m.waivers)
        if (const auto* now = find_waiver(stored, w.after.number)) w.before = now->state;
    });
  }
};
struct unlawful_waivers_left_out : defective_store {
  result<void> commit(const change_set& c) override {
    return commit_mended(c, [](change_set& m) { m.waivers.clear(); });
  }
};
struct due_without_waivers : defective_store {
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    auto page = sound().due(at, limit, cursor);
    if (page)
      std::erase_if(page->rows, [&](const due_record& row) {
        const auto record = record_of(row.tenant, row.applicant_id);
        return std::none_of(record.interviews.begin(), record.interviews.end(), [&](const interview& i) {
          const auto end = clock_limit(i);
          return end && *end <= at;
        });
      });
    return page;
  }
};
/// An erasure that forgets one kind of row: what was loaded once is loaded for ever.
struct facts_not_erased : defective_store {
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    const std::lock_guard lock(mutex_);
    auto& kept = facts[{found->record.tenant, found->record.person.id}];
    if (found->record.erased)
      found->record.facts = kept;
    else
      kept = found->record.facts;
    return found;
  }
  std::map<std::pair<std::string, std::string>, std::vector<fact>> facts;
};
struct salt_not_erased : defective_store {
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    if (found->record.erased) found->record.salt = "still the salt!!";
    return found;
  }
};
struct progress_not_erased : defective_store {
  result<bool> save_progress(const checkpoint_request& r) override {
    auto saved = sound().save_progress(r);
    const std::lock_guard lock(mutex_);
    if (*saved) kept[r.interview] = progress{std::string(r.bytes), r.at};
    return saved;
  }
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    const std::lock_guard lock(mutex_);
    if (const auto* id = std::get_if<interview_id>(&r.who); id && r.with_progress && found->record.erased)
      if (const auto at = kept.find(*id); at != kept.end()) found->progress = at->second;
    return found;
  }
  std::map<interview_id, progress> kept;
};
struct answers_not_erased : defective_store {
  result<void> commit(const change_set& c) override {
    auto r = defective_store::commit(c);
    const std::lock_guard lock(mutex_);
    if (r && c.answer) kept[{c.tenant, c.answer->key}] = *c.answer;
    return r;
  }
  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(kept, [&](const auto& row) { return row.second.expires_at <= now; });
    return sound().prune(now, limit);
  }
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    const std::lock_guard lock(mutex_);
    if (r.answer && !found->answer)
      if (const auto at = kept.find({std::string(r.tenant), *r.answer}); at != kept.end()) found->answer = at->second;
    return found;
  }
  std::map<std::pair<std::string, answer_key>, stored_answer> kept;
};
struct progress_moves_the_version : defective_store {
  result<bool> save_progress(const checkpoint_request& r) override {
    auto saved = sound().save_progress(r);
    const std::lock_guard lock(mutex_);
    if (*saved) ++saves[r.interview];
    return saved;
  }
  result<loaded> load(const load_request& r) override {
    auto found = sound().load(r);
    const std::lock_guard lock(mutex_);
    for (const auto& i : found->record.interviews)
      if (const auto at = saves.find(i.id); at != saves.end()) found->record.version += at->second;
    return found;
  }
  std::map<interview_id, std::uint64_t> saves;
};

// Progress.

/// Saves after filling in from the store what the request should have brought itself.
template <class Fill>
struct lenient_save : defective_store {
  result<bool> save_progress(const checkpoint_request& r) override {
    checkpoint_request filled = r;
    const auto record = sound().load({.tenant = r.tenant, .who = r.interview}).value().record;
    if (const auto* i = find_interview(record, r.interview)) Fill{}(filled, *i);
    return sound().save_progress(filled);
  }
};
struct fill_fence {
  void operator()(checkpoint_request& r, const interview& i) const { r.fence = i.sitting.fence; }
};
struct fill_key {
  void operator()(checkpoint_request& r, const interview& i) const { r.key_hash = i.sitting.key_hash; }
};
struct fill_instant {
  void operator()(checkpoint_request& r, const interview& i) const {
    if (i.deadline && r.at == *i.deadline) r.at -= seconds{1};
  }
};
struct fill_grace {
  void operator()(checkpoint_request& r, const interview& i) const {
    if (i.deadline && r.at > *i.deadline && r.at < *i.deadline + i.grace) r.at = *i.deadline - seconds{1};
  }
};
struct progress_of_any_tenant : defective_store {
  result<bool> save_progress(const checkpoint_request& r) override {
    for (const auto& tenant : tenants()) {
      checkpoint_request other = r;
      other.tenant = tenant;
      if (*sound().save_progress(other)) return true;
    }
    return false;
  }
};

}  // namespace hirenow::support
