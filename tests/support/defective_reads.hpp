#pragma once
/// More memory stores with one planted defect each: lists, due records, the outbox, the audit.
///
/// Threads: as a store; what a defect remembers stands under a lock.

#include <charconv>
#include <map>
#include <mutex>
#include <thread>

#include "hirenow/audit.hpp"
#include "hirenow/detail/pace.hpp"
#include "support/defective_stores.hpp"

namespace hirenow::support {

// Lists.

struct list_as_stored : defective_store {
  result<list_page> list(const list_request& r) override {
    list_request early = r;
    early.at = min_instant;
    return sound().list(early);
  }
};
struct list_a_second_late : defective_store {
  result<list_page> list(const list_request& r) override {
    list_request early = r;
    early.at -= seconds{1};
    return sound().list(early);
  }
};
struct list_of_all_tenants : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (!page) return page;
    for (const auto& tenant : tenants()) {
      if (tenant == r.tenant) continue;
      list_request other = r;
      other.tenant = tenant;
      other.cursor = {};
      const auto more = sound().list(other);
      page->rows.insert(page->rows.end(), more->rows.begin(), more->rows.end());
    }
    return page;
  }
};
struct list_keeps_erased_names : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    const std::lock_guard lock(mutex_);
    if (page)
      for (auto& row : page->rows) {
        auto& name = names[{std::string(r.tenant), row.applicant_id}];
        if (row.applicant_name.empty())
          row.applicant_name = name;
        else
          name = row.applicant_name;
      }
    return page;
  }
  std::map<std::pair<std::string, std::string>, std::string> names;
};
/// A load leaves sittings out that it has to bring.
template <auto IsLeftOut>
struct sitting_left_out : defective_store {
  result<loaded> load(const load_request& r) override {
    auto data = sound().load(r);
    if (data)
      for (auto& i : data->record.interviews)
        if (IsLeftOut(r, i)) i.sitting = {};
    return data;
  }
};
inline constexpr auto in_progress_unless_named = [](const load_request& r, const interview& i) {
  return i.state == interview_state::in_progress && !r.with_sitting;
};
inline constexpr auto over_though_named = [](const load_request& r, const interview& i) {
  return i.state != interview_state::in_progress && r.with_sitting;
};
inline constexpr auto in_progress_unless_all_come = [](const load_request& r, const interview& i) {
  return i.state == interview_state::in_progress && !r.with_others;
};
/// A load of one interview brings another of the same record.
struct load_brings_another : defective_store {
  result<loaded> load(const load_request& r) override {
    auto data = sound().load(r);
    if (data && !r.with_others && data->record.interviews.size() > 1)
      std::erase_if(data->record.interviews, [&](const interview& i) { return i.id == std::get<interview_id>(r.who); });
    return data;
  }
};
/// A load of one interview brings no more than it.
struct load_brings_no_head : defective_store {
  result<loaded> load(const load_request& r) override {
    auto data = sound().load(r);
    if (data && !r.with_others) data->record.person.email.clear();
    return data;
  }
};
/// Several loads at once are a join: in the order of the ids, and each of them once.
struct load_each_sorted : defective_store {
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    std::vector<interview_reference> sorted(wanted.begin(), wanted.end());
    std::ranges::sort(sorted, {}, &interview_reference::interview);
    return defective_store::load_each(sorted);
  }
};
struct load_each_stops_at_16 : defective_store {
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    auto found = defective_store::load_each(wanted.first(std::min<std::size_t>(wanted.size(), 16)));
    if (found) found->resize(wanted.size());
    return found;
  }
};
/// An id is one tenant's only, so the tenant is not looked at.
struct load_each_of_any_tenant : defective_store {
  result<std::vector<applicant_record>> load_each(std::span<const interview_reference> wanted) override {
    std::vector<applicant_record> out;
    for (const auto& one : wanted) {
      out.emplace_back();
      for (const auto& tenant : tenants())
        if (auto found = load({.tenant = tenant, .who = one.interview, .with_rules = false, .with_others = false});
            found && found->record.version != 0)
          out.back() = std::move(found->record);
    }
    return out;
  }
};
struct list_shows_the_sitting : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (page)
      for (auto& row : page->rows) {
        const auto record = record_of(r.tenant, row.applicant_id);
        row.interview.sitting = find_interview(record, row.interview.id)->sitting;
      }
    return page;
  }
};
struct list_oldest_first : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (page) std::reverse(page->rows.begin(), page->rows.end());
    return page;
  }
};
struct track_as_prefix : defective_store {
  result<list_page> list(const list_request& r) override {
    if (r.track.empty()) return sound().list(r);
    list_request wide = r;
    wide.track = {};
    wide.limit = 100'000;
    auto page = sound().list(wide);
    if (page) {
      std::erase_if(page->rows, [&](const list_row& row) { return !row.interview.track.starts_with(r.track); });
      if (r.with_counts) page->counts = sound().list(r)->counts;
    }
    return page;
  }
};
struct cursor_skips_a_row : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (page && !r.cursor.empty() && !page->rows.empty()) page->rows.erase(page->rows.begin());
    return page;
  }
};
struct cursor_is_an_offset : defective_store {
  result<list_page> list(const list_request& r) override {
    std::size_t offset = 0;
    if (!r.cursor.empty() &&
        std::from_chars(r.cursor.data(), r.cursor.data() + r.cursor.size(), offset).ec != std::errc{})
      return error{.code = errc::invalid_argument, .message = {}};
    list_request whole = r;
    whole.cursor = {};
    whole.limit = 100'000;
    auto page = sound().list(whole);
    const std::size_t from = std::min(offset, page->rows.size()), to = std::min(from + r.limit, page->rows.size());
    if (to < page->rows.size()) page->next = std::to_string(to);
    page->rows = {page->rows.begin() + static_cast<std::ptrdiff_t>(from),
                  page->rows.begin() + static_cast<std::ptrdiff_t>(to)};
    return page;
  }
};
struct full_page_has_a_next_one : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (page && page->rows.size() == r.limit && page->next.empty()) page->next = "l.2d31...";
    return page;
  }
};
struct bad_cursor_starts_over : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (page) return page;
    list_request first = r;
    first.cursor = {};
    return sound().list(first);
  }
};
/// Counts that come from elsewhere: `Other` says from which list.
template <class Other>
struct other_counts : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    if (!page || !r.with_counts) return page;
    list_request other = r;
    other.cursor = {};
    other.limit = 100'000;
    Other{}(other);
    const auto rows = sound().list(other);
    page->counts.emplace();
    for (const auto& row : rows->rows) ++(*page->counts)[static_cast<std::size_t>(row.interview.state)];
    return page;
  }
};
struct counts_as_stored {
  void operator()(list_request& r) const {
    r.state = {};
    r.applicant_id = {};
    r.at = min_instant;
  }
};
struct counts_of_the_tenant {
  void operator()(list_request& r) const {
    r.state = {};
    r.applicant_id = {};
    r.track = {};
  }
};
struct counts_of_the_state {
  void operator()(list_request& r) const { r.applicant_id = {}; }
};
struct counts_of_the_person {
  void operator()(list_request& r) const { r.state = {}; }
};
struct counts_lag_behind : defective_store {
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    const std::lock_guard lock(mutex_);
    if (page && page->counts)
      std::swap(*page->counts,
                last.try_emplace({std::string(r.tenant), std::string(r.track)}, *page->counts).first->second);
    return page;
  }
  std::map<std::pair<std::string, std::string>, std::array<std::uint64_t, interview_state_count>> last;
};
/// Reads rows and counts in two snapshots: right until somebody commits between them.
struct counts_from_another_snapshot : defective_store {
  result<void> commit(const change_set& c) override {
    auto r = defective_store::commit(c);
    ++commits;
    return r;
  }
  result<list_page> list(const list_request& r) override {
    auto page = sound().list(r);
    const int before = commits;
    wait_for_others([&] { return commits != before; });
    if (page && r.with_counts) {
      list_request again = r;
      again.cursor = {};
      page->counts = sound().list(again)->counts;
    }
    return page;
  }
  std::atomic<int> commits = 0;
};

// Due records.

/// Sees interviews without their grace.
struct due_forgets_grace : defective_store {
  result<void> commit(const change_set& c) override {
    change_set without = c;
    for (auto& i : without.interviews) i.after.grace = seconds{0};
    (void)shadow->commit(without);
    return defective_store::commit(c);
  }
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return shadow->due(at, limit, cursor);
  }
  std::unique_ptr<store> shadow = open_memory_store();
};
struct due_a_second_late : defective_store {
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return sound().due(at - seconds{1}, limit, cursor);
  }
};
struct due_row_for_each_interview : defective_store {
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    auto page = sound().due(at, limit, cursor);
    if (!page) return page;
    std::vector<due_record> rows;
    for (const auto& row : page->rows)
      for (const auto& i : record_of(row.tenant, row.applicant_id).interviews)
        if (const auto end = clock_limit(i); end && *end <= at) rows.push_back({row.tenant, row.applicant_id, *end});
    page->rows = rows;
    return page;
  }
};
struct due_cursor_skips_a_row : defective_store {
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    auto page = sound().due(at, limit, cursor);
    if (page && !cursor.empty() && !page->rows.empty()) page->rows.erase(page->rows.begin());
    return page;
  }
};
struct due_always_from_the_start : defective_store {
  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    if (auto page = sound().due(at, limit, cursor); !page) return page;
    return sound().due(at, limit, {});
  }
};

// The outbox.

/// Claims and settles with requests that were bent before.
template <class Bend>
struct bent_settle : defective_store {
  result<std::vector<bool>> settle(std::span<const settlement> all) override {
    std::vector<settlement> bent(all.begin(), all.end());
    for (auto& one : bent) Bend{}(one);
    return sound().settle(bent);
  }
};
struct retry_not_counted {
  void operator()(settlement& s) const {
    if (s.what == settlement::verdict::retry) s.what = settlement::verdict::release;
  }
};
struct release_counted {
  void operator()(settlement& s) const {
    if (s.what == settlement::verdict::release) s.what = settlement::verdict::retry;
  }
};
struct retry_at_once {
  void operator()(settlement& s) const {
    if (s.what == settlement::verdict::retry) s.at = min_instant;
  }
};
struct dead_is_withdrawn {
  void operator()(settlement& s) const {
    if (s.what == settlement::verdict::dead) s.what = settlement::verdict::withdrawn;
  }
};
struct answer_not_kept {
  void operator()(settlement& s) const { s.answer = {}; }
};
struct answer_kept_too_short {
  void operator()(settlement& s) const { s.answer = s.answer.substr(0, 499); }
};
struct renewal_a_second_short {
  void operator()(settlement& s) const {
    if (s.what == settlement::verdict::renew) s.at -= seconds{1};
  }
};
struct renewal_lost : defective_store {
  result<std::vector<bool>> settle(std::span<const settlement> all) override {
    std::vector<settlement> kept;
    for (const auto& one : all)
      if (one.what != settlement::verdict::renew) kept.push_back(one);
    if (kept.size() == all.size()) return sound().settle(all);
    const auto held = sound().settle(kept).value();
    std::vector<bool> out;
    std::size_t next = 0;
    for (const auto& one : all) out.push_back(one.what == settlement::verdict::renew || held[next++]);
    return out;
  }
};
/// Remembers who claimed what, for stores that do not ask.
struct remembers_claims : defective_store {
  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    auto out = sound().claim(r);
    const std::lock_guard lock(mutex_);
    for (const auto& c : *out) claims[c.mail.key] = {c.tenant, r.token};
    return out;
  }
  std::map<message_key, std::pair<std::string, lease_token>> claims;
};
struct lease_token_ignored : remembers_claims {
  result<std::vector<bool>> settle(std::span<const settlement> all) override {
    std::vector<settlement> bent(all.begin(), all.end());
    {
      const std::lock_guard lock(mutex_);
      for (auto& one : bent) one.token = claims[one.key].second;
    }
    return sound().settle(bent);
  }
};
struct settle_for_any_tenant : remembers_claims {
  result<std::vector<bool>> settle(std::span<const settlement> all) override {
    std::vector<settlement> bent(all.begin(), all.end());
    {
      const std::lock_guard lock(mutex_);
      for (auto& one : bent)
        if (claims.contains(one.key)) one.tenant = claims[one.key].first;
    }
    return sound().settle(bent);
  }
};
struct lost_lease_stops_the_batch : defective_store {
  result<std::vector<bool>> settle(std::span<const settlement> all) override {
    std::vector<bool> out(all.size());
    for (std::size_t n = 0; n < all.size(); ++n)
      if (!(out[n] = sound().settle(all.subspan(n, 1)).value().at(0))) break;
    return out;
  }
};
/// Asks for places with requests that were bent before.
template <class Bend>
struct bent_allow : defective_store {
  result<std::vector<allowance>> allow(std::span<const allowance_request> all) override {
    std::vector<allowance_request> bent(all.begin(), all.end());
    for (auto& one : bent) Bend{}(one);
    return sound().allow(bent);
  }
};
struct tenants_share_a_limit {
  void operator()(allowance_request& r) const {
    if (!r.tenant.empty()) r.tenant = "all tenants";
  }
};
struct tenants_count_as_all_mail {
  void operator()(allowance_request& r) const { r.tenant = {}; }
};
struct nothing_is_taken_back {
  void operator()(allowance_request& r) const { r.returned = 0; }
};
struct a_mail_a_second_more {
  void operator()(allowance_request& r) const { r.per_minute += 60; }
};
struct everything_is_allowed : defective_store {
  result<std::vector<allowance>> allow(std::span<const allowance_request> all) override {
    std::vector<allowance> out;
    for (const auto& one : all) out.push_back({one.wanted});
    return out;
  }
};
struct each_thread_counts_for_itself : defective_store {
  result<std::vector<allowance>> allow(std::span<const allowance_request> all) override {
    const std::lock_guard lock(mutex_);
    return own[std::this_thread::get_id()].allow(all);
  }
  std::map<std::thread::id, hirenow::detail::paces> own;
};
struct first_answer_for_all : defective_store {
  result<std::vector<allowance>> allow(std::span<const allowance_request> all) override {
    auto answers = sound().allow(all);
    if (answers && !answers->empty()) answers->assign(answers->size(), answers->front());
    return answers;
  }
};
struct claimed_twice : defective_store {
  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    auto out = sound().claim(r);
    const std::lock_guard lock(mutex_);
    auto again = std::exchange(last, *out);
    out->insert(out->end(), again.begin(), again.end());
    return out;
  }
  std::vector<claimed_message> last;
};
struct claims_of_one_tenant_first : defective_store {
  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    claim_request all = r;
    all.limit = 100'000;
    auto out = sound().claim(all);
    std::sort(out->begin(), out->end(), [](const auto& a, const auto& b) {
      return std::tie(a.tenant, a.mail.due_at, a.mail.key) < std::tie(b.tenant, b.mail.due_at, b.mail.key);
    });
    while (out->size() > r.limit) {
      const settlement back{out->back().mail.key,         out->back().tenant,      r.token,
                            settlement::verdict::release, out->back().mail.due_at, {}};
      static_cast<void>(sound().settle({&back, 1}));
      out->pop_back();
    }
    return out;
  }
};
template <class Bend>
struct bent_claim : defective_store {
  result<std::vector<claimed_message>> claim(const claim_request& r) override {
    claim_request bent = r;
    Bend{}(bent);
    return sound().claim(bent);
  }
};
struct lease_a_second_short {
  void operator()(claim_request& r) const { r.lease -= seconds{1}; }
};
struct claim_a_second_late {
  void operator()(claim_request& r) const {
    r.now -= seconds{1};
    r.lease += seconds{1};
  }
};
struct claim_without_limit {
  void operator()(claim_request& r) const { r.limit = 100'000; }
};
struct next_due_forgets_leases : defective_store {
  result<std::optional<sys_seconds>> next_due() override {
    std::optional<sys_seconds> next;
    for (const auto& tenant : tenants())
      for (const auto& m : messages_of(tenant, message_state::queued))
        if (!next || m.due_at < *next) next = m.due_at;
    return next;
  }
};
struct messages_of_all_tenants : defective_store {
  result<std::vector<message>> messages(const message_query& q) override {
    std::vector<message> out;
    for (const auto& tenant : tenants()) {
      message_query other = q;
      other.tenant = tenant;
      const auto more = sound().messages(other).value();
      out.insert(out.end(), more.begin(), more.end());
    }
    std::sort(out.begin(), out.end(), [](const message& a, const message& b) { return a.key < b.key; });
    return out;
  }
};
struct messages_by_age : defective_store {
  result<std::vector<message>> messages(const message_query& q) override {
    auto out = sound().messages(q);
    std::sort(out->begin(), out->end(), [](const message& a, const message& b) {
      return std::tie(a.key.occasion, a.key) < std::tie(b.key.occasion, b.key);
    });
    return out;
  }
};
struct server_words_not_erased : defective_store {
  result<std::vector<message>> messages(const message_query& q) override {
    auto out = sound().messages(q);
    const std::lock_guard lock(mutex_);
    for (auto& m : *out) {
      auto& kept = words[m.key];
      if (m.last_answer.empty())
        m.last_answer = kept;
      else
        kept = m.last_answer;
    }
    return out;
  }
  std::map<message_key, std::string> words;
};

// The audit, policies, pruning.

struct notes_not_erased : defective_store {
  result<void> commit(const change_set& c) override {
    auto r = defective_store::commit(c);
    const std::lock_guard lock(mutex_);
    if (r)
      for (const auto& entry : c.audit) notes[entry.hash] = entry.note;
    return r;
  }
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    auto out = sound().read_audit(tenant, applicant_id, after, limit);
    const std::lock_guard lock(mutex_);
    for (auto& entry : *out) entry.note = notes[entry.hash];
    return out;
  }
  std::map<digest, std::string> notes;
};
struct erasure_cuts_the_audit : defective_store {
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    if (record_of(tenant, applicant_id).erased) return std::vector<audit_entry>{};
    return sound().read_audit(tenant, applicant_id, after, limit);
  }
};
struct audit_from_one_too_early : defective_store {
  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return sound().read_audit(tenant, applicant_id, after == 0 ? 0 : after - 1, limit);
  }
};
struct heads_by_length : defective_store {
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    auto out = sound().audit_heads(tenant, after, limit);
    std::sort(out->begin(), out->end(), [](const audit_head& a, const audit_head& b) {
      return std::make_pair(a.applicant_id.size(), a.applicant_id) <
             std::make_pair(b.applicant_id.size(), b.applicant_id);
    });
    return out;
  }
};
struct tenant_among_the_heads : defective_store {
  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    auto out = sound().audit_heads(tenant, after, limit);
    const auto own = record_of(tenant, "");
    if (after.empty() && own.version != 0) out->insert(out->begin(), {"", own.sequence, own.audit_head});
    return out;
  }
};
struct prunes_everything : defective_store {
  result<std::size_t> prune(sys_seconds, std::size_t limit) override { return sound().prune(max_instant, limit); }
};
struct prunes_without_limit : defective_store {
  result<std::size_t> prune(sys_seconds now, std::size_t) override { return sound().prune(now, 100'000); }
};

// Manners.

struct throws_at_load : defective_store {
  result<loaded> load(const load_request&) override { throw std::runtime_error("the database is away"); }
};
struct throws_something_else : defective_store {
  result<std::optional<sys_seconds>> next_due() override { throw 7; }
};

}  // namespace hirenow::support
