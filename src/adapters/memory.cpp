/// The memory store. One mutex, ordered maps, and a commit that works on a copy of the record: what the copy does not
/// survive never becomes visible.

#include "hirenow/adapters/memory.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <new>
#include <tuple>
#include <utility>

#include "hirenow/detail/pace.hpp"
#include "hirenow/lifecycle.hpp"
#include "memory_cursor.hpp"

namespace hirenow {
namespace {

using detail::read_cursor;
using detail::read_number;
using detail::write_cursor;

using record_key = std::pair<std::string, std::string>;  // tenant, applicant id

struct outbox_row {
  message mail;
  lease_token lease{};
  sys_seconds lease_end{};
};

struct record_rows {
  applicant_record record;
  std::vector<audit_entry> audit;
  std::map<interview_id, progress> saved;
  std::map<message_key, outbox_row> outbox;
};

struct answer_row {
  stored_answer answer;
  std::string applicant_id;  // goes when this person is erased
};

bool is_unsent(const message& m) { return m.state == message_state::queued || m.state == message_state::leased; }

/// The instant from which the message may be claimed; nothing for one that is done with.
std::optional<sys_seconds> claimable_from(const outbox_row& row) {
  if (row.mail.state == message_state::queued) return row.mail.due_at;
  if (row.mail.state == message_state::leased) return row.lease_end;
  return std::nullopt;
}

/// Newest first, then by applicant, track and attempt.
using list_key = std::tuple<std::int64_t, std::string, std::string, std::int64_t>;

list_key key_of(const list_row& row) {
  return {-sort_instant(row.interview).time_since_epoch().count(), row.applicant_id, row.interview.track,
          row.interview.attempt};
}

result<list_key> read_list_cursor(std::string_view text) {
  auto fields = read_cursor('l', text, 4);
  if (!fields) return fields.error();
  const auto at = read_number((*fields)[0]), attempt = read_number((*fields)[3]);
  if (!at || !attempt) return detail::fail(errc::invalid_argument, "not a cursor of this list");
  return list_key{*at, (*fields)[1], (*fields)[2], *attempt};
}

/// Earliest limit first, then by tenant and applicant.
using due_key = std::tuple<std::int64_t, std::string, std::string>;

due_key key_of(const due_record& row) { return {row.limit.time_since_epoch().count(), row.tenant, row.applicant_id}; }

result<due_key> read_due_cursor(std::string_view text) {
  auto fields = read_cursor('d', text, 3);
  if (!fields) return fields.error();
  const auto at = read_number((*fields)[0]);
  if (!at) return detail::fail(errc::invalid_argument, "not a cursor of this list");
  return due_key{*at, (*fields)[1], (*fields)[2]};
}

/// Sorts rows by key, drops those up to the cursor, cuts to the limit, and says where the next page begins.
template <class Row, class Key, class Write>
std::string cut_page(std::vector<Row>& rows, const std::optional<Key>& after, std::size_t limit, Write write_key) {
  std::erase_if(rows, [&](const Row& row) { return after && key_of(row) <= *after; });
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return key_of(a) < key_of(b); });
  if (rows.size() <= limit) return {};
  rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end());
  return rows.empty() ? std::string() : write_key(key_of(rows.back()));
}

error violated(std::string why) { return detail::fail(errc::constraint_violated, std::move(why)); }

/// Writes one interview into a record, if it may stand there.
result<void> write_interview(applicant_record& record, const interview_change& change) {
  auto& all = record.interviews;
  const auto at = std::find_if(all.begin(), all.end(), [&](const interview& i) { return i.id == change.after.id; });
  if (!change.before) {
    if (change.after.state != interview_state::scheduled) return violated("a new interview is scheduled");
    all.push_back(change.after);
    if (!change.sitting_changed) all.back().sitting = {};
  } else {
    if (at == all.end()) return violated("the record has no interview " + to_string(change.after.id));
    if (at->state != *change.before)
      return violated("interview " + to_string(change.after.id) + " is " + std::string(to_string(at->state)) +
                      ", not " + std::string(to_string(*change.before)));
    if (!is_lawful_step(at->state, change.after.state))
      return violated("no event leads from " + std::string(to_string(at->state)) + " to " +
                      std::string(to_string(change.after.state)));
    const sitting_state sitting = change.sitting_changed ? change.after.sitting : at->sitting;
    *at = change.after;
    at->sitting = sitting;
  }
  const auto current = std::count_if(
      all.begin(), all.end(), [&](const interview& i) { return i.track == change.after.track && is_current(i.state); });
  if (current > 1) return violated("track " + change.after.track + " already has a current interview");
  return {};
}

/// Writes one step of a waiver into a record, if it may be.
result<void> write_waiver(applicant_record& record, const waiver_change& change) {
  auto& all = record.waivers;
  const waiver& after = change.after;
  const auto at = std::find_if(all.begin(), all.end(), [&](const waiver& w) { return w.number == after.number; });
  if ((after.state == waiver_state::used) != after.used_for.has_value())
    return violated("a waiver names an interview once it is used");
  if (!after.approved_by.empty() && (after.state == waiver_state::proposed || after.approved_by == after.granted_by))
    return violated("a waiver is approved by a second person, and proposed before");
  if (!change.before) {
    if (at != all.end()) return violated("waiver " + std::to_string(after.number) + " is there");
    if (!is_open(after.state) || !after.approved_by.empty()) return violated("a new waiver is proposed or granted");
    if (std::any_of(all.begin(), all.end(), [&](const waiver& w) {
          return is_open(w.state) && w.track == after.track && w.rule_id == after.rule_id;
        }))
      return violated("the rule has an open waiver");
    const auto place = std::find_if(all.begin(), all.end(), [&](const waiver& w) { return w.number > after.number; });
    all.insert(place, after);
    return {};
  }
  if (at == all.end() || at->state != *change.before)
    return violated("the record has no such waiver in the state that it was decided on in");
  waiver kept = *at;
  kept.state = after.state;
  kept.used_for = after.used_for;
  if (kept.approved_by.empty()) kept.approved_by = after.approved_by;
  if (!is_lawful_step(at->state, after.state) || kept != after) return violated("no waiver can go that step");
  *at = after;
  return {};
}

/// Appends audit entries, if they continue the chain and the head is where they end.
result<void> write_audit(record_rows& rows, const change_set& changes) {
  applicant_record& record = rows.record;
  for (const auto& entry : changes.audit) {
    if (entry.sequence != record.sequence + 1) return violated("the audit would have a gap or a second entry");
    if (entry.previous != record.audit_head) return violated("an audit entry does not follow the one before it");
    record.sequence = entry.sequence;
    record.audit_head = entry.hash;
    rows.audit.push_back(entry);
  }
  if (changes.head.sequence != record.sequence || changes.head.audit_head != record.audit_head)
    return violated("the head does not agree with the newest audit entry");
  return {};
}

/// Withdraws, adds, redrives and drops messages.
result<void> write_outbox(record_rows& rows, const change_set& changes) {
  for (const auto& w : changes.withdrawals)
    for (auto& [key, row] : rows.outbox)
      if (key.interview == w.interview && is_unsent(row.mail) &&
          ((w.kinds >> static_cast<unsigned>(key.kind)) & 1U) != 0)
        row.mail.state = message_state::withdrawn;
  for (const auto& m : changes.messages) {
    if (!find_interview(rows.record, m.key.interview)) return violated("a message of an interview of another record");
    if (!rows.outbox.emplace(m.key, outbox_row{m}).second) return violated("two messages of one key");
  }
  for (const auto& key : changes.redrives) {
    const auto at = rows.outbox.find(key);
    if (at == rows.outbox.end() || at->second.mail.state != message_state::dead)
      return violated("only a dead message is redriven");
    at->second.mail.state = message_state::queued;
    at->second.mail.due_at = changes.head.last_instant;
    at->second.mail.tries = 0;
  }
  for (const auto& key : changes.drops) {
    const auto at = rows.outbox.find(key);
    if (at == rows.outbox.end() || at->second.mail.state != message_state::dead)
      return violated("only a dead message is dropped");
    at->second.mail.state = message_state::withdrawn;
  }
  return {};
}

void erase_person(record_rows& rows) {
  rows.record.person = applicant{rows.record.person.id, {}};
  rows.record.salt.clear();
  rows.record.erased = true;
  rows.record.facts.clear();
  rows.saved.clear();
  for (auto& entry : rows.audit) entry.note.clear();
  for (auto& [key, row] : rows.outbox) row.mail.last_answer.clear();
}

/// Brings the rows of one record to where the change set wants them.
result<void> write_record(record_rows& rows, const change_set& changes) {
  applicant_record& record = rows.record;
  record.tenant = changes.tenant;
  record.version = changes.expected_version + 1;
  record.subject = changes.head.subject;
  record.salt = changes.head.salt;
  record.last_instant = changes.head.last_instant;
  if (changes.write_person) record.person = changes.head.person;
  record.person.id = changes.applicant_id;

  for (const auto& change : changes.interviews)
    if (auto ok = write_interview(record, change); !ok) return ok;
  record.facts.insert(record.facts.end(), changes.facts.begin(), changes.facts.end());
  for (const auto& change : changes.waivers)
    if (auto ok = write_waiver(record, change); !ok) return ok;
  if (auto ok = write_audit(rows, changes); !ok) return ok;
  if (auto ok = write_outbox(rows, changes); !ok) return ok;
  if (changes.final_progress) {
    if (!find_interview(record, changes.final_progress->first))
      return violated("progress of an interview of another record");
    rows.saved[changes.final_progress->first] = changes.final_progress->second;
  }
  if (changes.erase) erase_person(rows);
  return {};
}

class memory_store final : public store {
 public:
  result<loaded> load(const load_request& request) override {
    return guarded([&]() -> result<loaded> {
      loaded out;
      const auto* wanted = std::get_if<interview_id>(&request.who);
      const record_rows* rows =
          wanted ? find(request.tenant, *wanted) : find(request.tenant, std::get<std::string_view>(request.who));
      std::string track(request.track);
      if (rows) {
        out.record = rows->record;
        if (wanted && track.empty()) track = find_interview(rows->record, *wanted)->track;
        if (wanted && request.with_progress)
          if (const auto at = rows->saved.find(*wanted); at != rows->saved.end()) out.progress = at->second;
      }
      for (const std::string& of : {track, std::string()}) {
        const stored_policy* policy = policy_before(request.tenant, of, {request.at + seconds{1}, 0});
        if (!policy || policy->document.empty()) continue;
        out.policy = *policy;
        break;
      }
      if (request.answer)
        if (const auto at = answers_.find({std::string(request.tenant), *request.answer}); at != answers_.end())
          out.answer = at->second.answer;
      return out;
    });
  }

  result<void> commit(const change_set& changes) override {
    return guarded([&]() -> result<void> {
      const record_key key{changes.tenant, changes.applicant_id};
      const auto stored = records_.find(key);
      const std::uint64_t version = stored == records_.end() ? 0 : stored->second.record.version;
      if (version != changes.expected_version)
        return detail::fail(errc::conflict, "the record is at version " + std::to_string(version));

      record_rows rows = stored == records_.end() ? record_rows{} : stored->second;
      if (auto ok = write_record(rows, changes); !ok) return ok;

      std::map<interview_id, record_key> new_owners;
      for (const auto& change : changes.interviews)
        if (!change.before && (owners_.contains(change.after.id) || !new_owners.emplace(change.after.id, key).second))
          return violated("interview id " + to_string(change.after.id) + " is taken");

      std::map<std::pair<std::string, answer_key>, answer_row> new_answers;
      if (changes.answer) {
        const std::pair<std::string, answer_key> name{changes.tenant, changes.answer->key};
        const auto older = answers_.find(name);
        if (older != answers_.end() && older->second.answer.expires_at > changes.head.last_instant &&
            !(changes.erase && older->second.applicant_id == changes.applicant_id))
          return detail::fail(errc::conflict, "another call has answered under this idempotency key");
        new_answers.emplace(name, answer_row{*changes.answer, changes.applicant_id});
      }
      std::map<record_key, record_rows> new_records;
      if (stored == records_.end()) new_records.emplace(key, std::move(rows));
      std::map<std::pair<std::string, std::string>, std::map<policy_place, stored_policy>> new_policies;
      for (stored_policy p : changes.policies) {
        const std::pair<std::string, std::string> name{changes.tenant, p.track};
        const auto known = policies_.find(name);
        auto& of_track = new_policies[name];
        p.number = (known == policies_.end() ? 0 : known->second.size()) + of_track.size() + 1;
        of_track.emplace(policy_place{p.active_from, p.number}, std::move(p));
      }

      // From here on nothing allocates, so nothing can fail half way.
      if (stored == records_.end())
        records_.merge(new_records);
      else
        stored->second = std::move(rows);
      owners_.merge(new_owners);
      for (auto& [name, of_track] : new_policies)
        if (const auto known = policies_.find(name); known != policies_.end()) known->second.merge(of_track);
      policies_.merge(new_policies);  // those of tracks that had none; what is left is empty
      if (changes.erase)
        std::erase_if(answers_, [&](const auto& row) {
          return row.first.first == changes.tenant && row.second.applicant_id == changes.applicant_id;
        });
      if (!new_answers.empty()) {
        answers_.erase(new_answers.begin()->first);
        answers_.merge(new_answers);
      }
      return {};
    });
  }

  result<bool> save_progress(const checkpoint_request& request) override {
    return guarded([&]() -> result<bool> {
      record_rows* rows = find(request.tenant, request.interview);
      if (!rows) return false;
      const interview& i = *find_interview(rows->record, request.interview);
      if (!i.sitting.open || i.sitting.fence != request.fence || i.sitting.key_hash != request.key_hash) return false;
      if (!i.deadline || request.at >= *i.deadline) return false;
      rows->saved[request.interview] = progress{std::string(request.bytes), request.at};
      return true;
    });
  }

  result<list_page> list(const list_request& request) override {
    return guarded([&]() -> result<list_page> {
      std::optional<list_key> after;
      if (!request.cursor.empty()) {
        auto key = read_list_cursor(request.cursor);
        if (!key) return key.error();
        after = std::move(*key);
      }
      list_page page;
      if (request.with_counts) page.counts.emplace();
      for (const auto& [key, rows] : records_) {
        if (key.first != request.tenant) continue;
        for (const auto& i : rows.record.interviews) {
          if (!request.track.empty() && i.track != request.track) continue;
          list_row row{key.second, rows.record.person.name, rows.record.person.email, after_the_clock(i, request.at)};
          row.interview.sitting = {};
          if (page.counts) ++(*page.counts)[static_cast<std::size_t>(row.interview.state)];
          if (request.state && row.interview.state != *request.state) continue;
          if (!request.applicant_id.empty() && key.second != request.applicant_id) continue;
          page.rows.push_back(std::move(row));
        }
      }
      page.next = cut_page(page.rows, after, request.limit, [](const list_key& last) {
        return write_cursor('l', {std::to_string(std::get<0>(last)), std::get<1>(last), std::get<2>(last),
                                  std::to_string(std::get<3>(last))});
      });
      return page;
    });
  }

  result<due_page> due(sys_seconds at, std::size_t limit, std::string_view cursor) override {
    return guarded([&]() -> result<due_page> {
      std::optional<due_key> after;
      if (!cursor.empty()) {
        auto key = read_due_cursor(cursor);
        if (!key) return key.error();
        after = std::move(*key);
      }
      due_page page;
      for (const auto& [key, rows] : records_) {
        std::optional<sys_seconds> earliest;
        for (const auto& i : rows.record.interviews)
          if (const auto end = clock_limit(i); end && *end <= at && (!earliest || *end < *earliest)) earliest = end;
        for (const auto& w : rows.record.waivers)
          if (is_open(w.state) && w.expires_at <= at && (!earliest || w.expires_at < *earliest))
            earliest = w.expires_at;
        if (earliest) page.rows.push_back({key.first, key.second, *earliest});
      }
      page.next = cut_page(page.rows, after, limit, [](const due_key& last) {
        return write_cursor('d', {std::to_string(std::get<0>(last)), std::get<1>(last), std::get<2>(last)});
      });
      return page;
    });
  }

  result<std::vector<claimed_message>> claim(const claim_request& request) override {
    return guarded([&]() -> result<std::vector<claimed_message>> {
      struct candidate {
        sys_seconds from;
        const record_key* owner;
        outbox_row* row;
      };
      std::vector<candidate> ready;
      for (auto& [key, rows] : records_)
        for (auto& [name, row] : rows.outbox)
          if (const auto from = claimable_from(row); from && *from <= request.now) ready.push_back({*from, &key, &row});
      std::sort(ready.begin(), ready.end(), [](const candidate& a, const candidate& b) {
        return std::tie(a.from, a.row->mail.key) < std::tie(b.from, b.row->mail.key);
      });
      // Every tenant's first, then every tenant's second: so where not all can be taken, each has its share.
      std::map<std::string_view, std::size_t> taken;
      std::vector<std::pair<std::size_t, std::size_t>> order;  // by turn, then by place
      for (std::size_t n = 0; n < ready.size(); ++n) order.emplace_back(taken[ready[n].owner->first]++, n);
      std::sort(order.begin(), order.end());
      if (order.size() > request.limit) order.resize(request.limit);
      std::vector<candidate> in_turn;
      for (const auto& [turn, n] : order) in_turn.push_back(ready[n]);
      ready = std::move(in_turn);

      std::vector<claimed_message> out;
      for (const auto& c : ready) {
        out.push_back({c.owner->first, c.owner->second, c.row->mail});
        out.back().mail.state = message_state::leased;
      }
      for (const auto& c : ready) {
        c.row->mail.state = message_state::leased;
        c.row->lease = request.token;
        c.row->lease_end = request.now + request.lease;
      }
      return out;
    });
  }

  result<std::vector<bool>> settle(std::span<const settlement> settlements) override {
    return guarded([&]() -> result<std::vector<bool>> {
      std::vector<bool> out(settlements.size());
      std::vector<std::string> answers;  // made before anything is changed
      for (const auto& s : settlements) answers.emplace_back(kept_answer(s.answer));
      for (std::size_t n = 0; n < settlements.size(); ++n) {
        const settlement& s = settlements[n];
        record_rows* rows = find(s.tenant, s.key.interview);
        if (!rows) continue;
        const auto at = rows->outbox.find(s.key);
        if (at == rows->outbox.end()) continue;
        outbox_row& row = at->second;
        if (row.mail.state != message_state::leased || row.lease != s.token) continue;
        out[n] = true;
        if (!answers[n].empty()) row.mail.last_answer = std::move(answers[n]);
        switch (s.what) {
          case settlement::verdict::accepted:
            row.mail.state = message_state::accepted;
            ++row.mail.tries;
            break;
          case settlement::verdict::withdrawn: row.mail.state = message_state::withdrawn; break;
          case settlement::verdict::retry:
            row.mail.state = message_state::queued;
            row.mail.due_at = s.at;
            ++row.mail.tries;
            break;
          case settlement::verdict::dead:
            row.mail.state = message_state::dead;
            ++row.mail.tries;
            break;
          case settlement::verdict::renew: row.lease_end = s.at; break;
          case settlement::verdict::release:
            row.mail.state = message_state::queued;
            row.mail.due_at = s.at;
            break;
        }
      }
      return out;
    });
  }

  result<std::vector<allowance>> allow(std::span<const allowance_request> requests) override {
    return guarded([&]() -> result<std::vector<allowance>> { return paces_.allow(requests); });
  }

  result<std::optional<sys_seconds>> next_due() override {
    return guarded([&]() -> result<std::optional<sys_seconds>> {
      std::optional<sys_seconds> next;
      for (const auto& [key, rows] : records_)
        for (const auto& [name, row] : rows.outbox)
          if (const auto from = claimable_from(row); from && (!next || *from < *next)) next = from;
      return next;
    });
  }

  result<std::optional<outbox_figures>> outbox(sys_seconds now) override {
    return guarded([&]() -> result<std::optional<outbox_figures>> {
      outbox_figures out;
      for (const auto& [key, rows] : records_)
        for (const auto& [name, row] : rows.outbox) {
          if (!is_known(name.kind)) continue;
          if (row.mail.state == message_state::dead) ++out.dead;
          const auto from = claimable_from(row);
          if (!from) continue;
          const bool is_queued = row.mail.state == message_state::queued;
          ++(is_queued ? out.queued : out.leased);
          if (*from > now) continue;
          ++(is_queued ? out.due : out.lapsed);
          if (is_queued && (!out.oldest_due || *from < *out.oldest_due)) out.oldest_due = from;
        }
      return std::optional(out);
    });
  }

  result<std::vector<message>> messages(const message_query& query) override {
    return guarded([&]() -> result<std::vector<message>> {
      std::vector<message> out;
      for (const auto& [key, rows] : records_) {
        if (key.first != query.tenant) continue;
        for (const auto& [name, row] : rows.outbox) {
          if (query.interview && name.interview != *query.interview) continue;
          if (query.state && row.mail.state != *query.state) continue;
          if (query.after && !(*query.after < name)) continue;
          out.push_back(row.mail);
        }
      }
      std::sort(out.begin(), out.end(), [](const message& a, const message& b) { return a.key < b.key; });
      if (out.size() > query.limit) out.resize(query.limit);
      return out;
    });
  }

  result<std::vector<audit_entry>> read_audit(std::string_view tenant, std::string_view applicant_id,
                                              std::uint64_t after, std::size_t limit) override {
    return guarded([&]() -> result<std::vector<audit_entry>> {
      std::vector<audit_entry> out;
      if (const record_rows* rows = find(tenant, applicant_id))
        for (const auto& entry : rows->audit)
          if (entry.sequence > after && out.size() < limit) out.push_back(entry);
      return out;
    });
  }

  result<std::vector<audit_head>> audit_heads(std::string_view tenant, std::string_view after,
                                              std::size_t limit) override {
    return guarded([&]() -> result<std::vector<audit_head>> {
      std::vector<audit_head> out;
      for (const auto& [key, rows] : records_)
        if (key.first == tenant && key.second > after && out.size() < limit)
          out.push_back({key.second, rows.record.sequence, rows.record.audit_head});
      return out;
    });
  }

  result<std::vector<stored_policy>> policies(const policy_query& query) override {
    return guarded([&]() -> result<std::vector<stored_policy>> {
      std::vector<stored_policy> out;
      const stored_policy* policy =
          policy_before(query.tenant, query.track, query.before.value_or(policy_place{max_instant + seconds{1}, 0}));
      for (; policy && out.size() < query.limit;
           policy = policy_before(query.tenant, query.track, {policy->active_from, policy->number}))
        out.push_back(*policy);
      return out;
    });
  }

  result<std::size_t> prune(sys_seconds now, std::size_t limit) override {
    return guarded([&]() -> result<std::size_t> {
      std::size_t deleted = 0;
      for (auto at = answers_.begin(); at != answers_.end() && deleted < limit;)
        if (at->second.answer.expires_at <= now) {
          at = answers_.erase(at);
          ++deleted;
        } else {
          ++at;
        }
      return deleted;
    });
  }

 private:
  /// Runs one call alone, and turns want of memory into its code.
  template <class Call>
  auto guarded(Call call) -> decltype(call()) {
    const std::lock_guard lock(mutex_);
    try {
      return call();
    } catch (const std::bad_alloc&) {
      return error{.code = errc::out_of_memory, .message = {}};
    }
  }

  record_rows* find(std::string_view tenant, std::string_view applicant_id) {
    const auto at = records_.find({std::string(tenant), std::string(applicant_id)});
    return at == records_.end() ? nullptr : &at->second;
  }
  record_rows* find(std::string_view tenant, const interview_id& id) {
    const auto at = owners_.find(id);
    return at == owners_.end() || at->second.first != tenant ? nullptr : find(tenant, at->second.second);
  }

  const stored_policy* policy_before(std::string_view tenant, std::string_view track, const policy_place& place) {
    const auto all = policies_.find({std::string(tenant), std::string(track)});
    if (all == policies_.end()) return nullptr;
    const auto after = all->second.lower_bound(place);
    return after == all->second.begin() ? nullptr : &std::prev(after)->second;
  }

  std::mutex mutex_;
  std::map<record_key, record_rows> records_;
  std::map<interview_id, record_key> owners_;
  std::map<std::pair<std::string, answer_key>, answer_row> answers_;
  std::map<std::pair<std::string, std::string>, std::map<policy_place, stored_policy>> policies_;  // tenant and track
  detail::paces paces_;
};

}  // namespace

std::unique_ptr<store> open_memory_store() { return std::make_unique<memory_store>(); }

}  // namespace hirenow
