#pragma once
/// What the checks of `check_store()` are written with: how one fails, how values are compared, and a writer that makes
/// lawful change sets for one record.
///
/// Threads: one at a time, but for the functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hirenow/audit.hpp"
#include "hirenow/lifecycle.hpp"
#include "hirenow/limits.hpp"
#include "hirenow/store.hpp"

namespace hirenow::testing::detail {

/// Thrown where a store does not keep a promise.
struct broken_promise {
  std::string what;
};

/// One promise of store.hpp and how it is put to the test. The store is fresh and empty.
struct store_check {
  std::string_view name;
  void (*run)(store&);
};

inline void expect(bool holds, const std::string& what) {
  if (!holds) throw broken_promise{what};
}

/// The value of a result that has to be one.
template <class T>
T must(result<T> r, std::string_view call) {
  if (!r)
    throw broken_promise{std::string(call) + " failed: " + std::string(to_string(r.error().code)) + ": " +
                         r.error().message};
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

/// The value of an optional that has to be one.
template <class T>
T must(std::optional<T> value, std::string_view what) {
  if (!value) throw broken_promise{std::string(what) + " is missing"};
  return std::move(*value);
}

/// Expects that a call is refused with this code.
template <class T>
void must_refuse(const result<T>& r, errc code, const std::string& what) {
  if (r) throw broken_promise{what + " was accepted; " + std::string(to_string(code)) + " was due"};
  if (r.error().code != code)
    throw broken_promise{what + " was refused with " + std::string(to_string(r.error().code)) + "; " +
                         std::string(to_string(code)) + " was due"};
}

/// A value as a failure shows it.
template <class T>
std::string show(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_convertible_v<T, std::string_view>) {
    const std::string_view text(value);
    std::string shown(text.substr(0, 60));
    const bool is_text = limits::is_text(shown);
    for (char& c : shown)  // a failure is one line of UTF-8
      if (static_cast<unsigned char>(c) < 0x20 || (!is_text && static_cast<unsigned char>(c) >= 0x80)) c = '.';
    return "\"" + shown + (text.size() > 60 ? "…" : "") + "\" (" + std::to_string(text.size()) + " bytes)";
  } else if constexpr (requires { std::to_string(value); }) {
    return std::to_string(value);
  } else if constexpr (requires {
                         value.has_value();
                         *value;
                       }) {
    return value ? show(*value) : "nothing";
  } else if constexpr (std::is_same_v<T, seconds>) {
    return std::to_string(value.count()) + " s";
  } else if constexpr (requires { std::string(to_string(value)); }) {
    return std::string(to_string(value));
  } else {
    return "another value";
  }
}

/// Expects that two values are equal.
template <class T>
void same(std::string_view what, const T& got, const std::type_identity_t<T>& due) {
  if (!(got == due)) throw broken_promise{std::string(what) + " is " + show(got) + "; " + show(due) + " was due"};
}

// Values of several fields that differ are compared field by field, so that a failure names the field.

inline void same(std::string_view what, const outbox_figures& got, const outbox_figures& due) {
  if (got == due) return;
  const std::string in = std::string(what) + ": ";
  same(in + "queued", got.queued, due.queued);
  same(in + "due", got.due, due.due);
  same(in + "leased", got.leased, due.leased);
  same(in + "lapsed", got.lapsed, due.lapsed);
  same(in + "dead", got.dead, due.dead);
  same(in + "oldest_due", got.oldest_due, due.oldest_due);
}

inline void same(std::string_view what, const sitting_state& got, const sitting_state& due) {
  same(std::string(what) + "sitting.fence", got.fence, due.fence);
  same(std::string(what) + "sitting.open", got.open, due.open);
  same(std::string(what) + "sitting.key_hash", got.key_hash, due.key_hash);
}

inline void same(std::string_view what, const interview& got, const interview& due) {
  if (got == due) return;
  const std::string in = std::string(what) + ": interview " + to_string(due.id) + ": ";
  same(in + "id", got.id, due.id);
  same(in + "track", got.track, due.track);
  same(in + "attempt", got.attempt, due.attempt);
  same(in + "state", got.state, due.state);
  same(in + "outcome", got.outcome, due.outcome);
  same(in + "score", got.score, due.score);
  same(in + "time_limit", got.time_limit, due.time_limit);
  same(in + "grace", got.grace, due.grace);
  same(in + "accommodation.percent", got.accommodation.percent, due.accommodation.percent);
  same(in + "accommodation.extra", got.accommodation.extra, due.accommodation.extra);
  same(in + "accommodation.pause", got.accommodation.pause, due.accommodation.pause);
  same(in + "ends_by", got.ends_by, due.ends_by);
  same(in + "overtime submits", got.overtime == overtime::submit, due.overtime == overtime::submit);
  same(in + "created_at", got.created_at, due.created_at);
  same(in + "start_by", got.start_by, due.start_by);
  same(in + "started_at", got.started_at, due.started_at);
  same(in + "deadline", got.deadline, due.deadline);
  same(in + "submitted_at", got.submitted_at, due.submitted_at);
  same(in + "decided_at", got.decided_at, due.decided_at);
  same(in + "link_requested_at", got.link_requested_at, due.link_requested_at);
  same(in + "changed_at", got.changed_at, due.changed_at);
  same(in + "link.generation", got.link.generation, due.link.generation);
  same(in + "link.kid", got.link.kid, due.link.kid);
  same(in + "link.issued_at", got.link.issued_at, due.link.issued_at);
  same(in + "link.not_before", got.link.not_before, due.link.not_before);
  same(in + "link.expires_at", got.link.expires_at, due.link.expires_at);
  if (due.state == interview_state::in_progress) same(in, got.sitting, due.sitting);
  same(in + "retake_of", got.retake_of, due.retake_of);
  same(in + "superseded_by", got.superseded_by, due.superseded_by);
}

inline void same(std::string_view what, const fact& got, const fact& due) {
  if (got == due) return;
  const std::string in = std::string(what) + ": fact " + std::to_string(due.sequence) + ": ";
  same(in + "kind", got.kind, due.kind);
  same(in + "name", got.name, due.name);
  same(in + "track", got.track, due.track);
  same(in + "at", got.at, due.at);
  same(in + "until", got.until, due.until);
  same(in + "value", got.value, due.value);
  same(in + "sequence", got.sequence, due.sequence);
}

inline void same(std::string_view what, const waiver& got, const waiver& due) {
  const std::string in = std::string(what) + ": waiver " + std::to_string(due.number) + ": ";
  same(in + "number", got.number, due.number);
  same(in + "track", got.track, due.track);
  same(in + "rule_id", got.rule_id, due.rule_id);
  same(in + "reason_code", got.reason_code, due.reason_code);
  same(in + "floor", got.floor, due.floor);
  same(in + "state", got.state, due.state);
  same(in + "granted_by", got.granted_by, due.granted_by);
  same(in + "approved_by", got.approved_by, due.approved_by);
  same(in + "granted_at", got.granted_at, due.granted_at);
  same(in + "expires_at", got.expires_at, due.expires_at);
  same(in + "used_for", got.used_for, due.used_for);
}

inline void same(std::string_view what, const message& got, const message& due) {
  const std::string in = std::string(what) + ": message " + message_id(due.key, "example") + ": ";
  same(in + "key", message_id(got.key, "example"), message_id(due.key, "example"));
  same(in + "generation", got.generation, due.generation);
  same(in + "created_at", got.created_at, due.created_at);
  same(in + "state", got.state, due.state);
  if (due.state == message_state::queued) same(in + "due_at", got.due_at, due.due_at);
  same(in + "tries", got.tries, due.tries);
  same(in + "last_answer", got.last_answer, due.last_answer);
}

inline void same(std::string_view what, const audit_entry& got, const audit_entry& due) {
  if (got == due) return;
  const std::string in = std::string(what) + ": audit entry " + std::to_string(due.sequence) + ": ";
  same(in + "sequence", got.sequence, due.sequence);
  same(in + "at", got.at, due.at);
  same(in + "actor", got.actor, due.actor);
  same(in + "event", got.event, due.event);
  same(in + "interview", got.interview, due.interview);
  same(in + "from", got.from, due.from);
  same(in + "to", got.to, due.to);
  same(in + "details", got.details, due.details);
  same(in + "previous", got.previous, due.previous);
  same(in + "hash", got.hash, due.hash);
  same(in + "note", got.note, due.note);
}

inline void same(std::string_view what, const list_row& got, const list_row& due) {
  const std::string in = std::string(what) + ": row ";
  same(in + "applicant_id", got.applicant_id, due.applicant_id);
  same(in + "applicant_name", got.applicant_name, due.applicant_name);
  same(in + "applicant_email", got.applicant_email, due.applicant_email);
  same(what, got.interview, due.interview);
  same(in, got.interview.sitting, due.interview.sitting);
}

template <class T>
void same_all(std::string_view what, const std::vector<T>& got, const std::vector<T>& due) {
  same(std::string(what) + ": their number", got.size(), due.size());
  for (std::size_t n = 0; n < due.size(); ++n) same(what, got[n], due[n]);
}

inline void same(std::string_view what, const applicant& got, const applicant& due) {
  if (got == due) return;
  const std::string in = std::string(what) + ": person ";
  same(in + "id", got.id, due.id);
  same(in + "email", got.email, due.email);
  same(in + "name", got.name, due.name);
  same(in + "locale", got.locale, due.locale);
  same(in + "time_zone", got.time_zone, due.time_zone);
}

inline void same(std::string_view what, const applicant_record& got, const applicant_record& due) {
  if (got == due) return;
  const std::string in = std::string(what) + ": record ";
  same(in + "version", got.version, due.version);
  if (due.version == 0) return;
  same(in + "tenant", got.tenant, due.tenant);
  same(what, got.person, due.person);
  same(in + "erased", got.erased, due.erased);
  same(in + "subject", got.subject, due.subject);
  same(in + "salt", got.salt, due.salt);
  same(in + "sequence", got.sequence, due.sequence);
  same(in + "audit_head", got.audit_head, due.audit_head);
  same(in + "last_instant", got.last_instant, due.last_instant);
  same_all(in + "interviews", got.interviews, due.interviews);
  same_all(in + "facts", got.facts, due.facts);
  same_all(in + "waivers", got.waivers, due.waivers);
}

/// The checks count their instants from here: 2026-01-05T08:00:00Z, a Monday.
constexpr sys_seconds instant(seconds::rep after = 0) { return sys_seconds{seconds{1767600000 + after}}; }

inline constexpr seconds link_life{3 * 86400};

/// An id that depends on its arguments alone, made as a UUID version 7 is.
inline interview_id make_id(sys_seconds at, std::string_view from) {
  const digest noise = sha256(from);
  const auto ms = static_cast<std::uint64_t>(at.time_since_epoch().count()) * 1000;
  interview_id id{};
  for (std::size_t n = 0; n < 16; ++n) id.data[n] = n < 6 ? static_cast<std::uint8_t>(ms >> (40 - 8 * n)) : noise[n];
  id.data[6] = static_cast<std::uint8_t>(0x70 | (id.data[6] & 0x0f));
  id.data[8] = static_cast<std::uint8_t>(0x80 | (id.data[8] & 0x3f));
  return id;
}

inline lease_token lease_of(std::uint8_t n) {
  lease_token token{};
  token.fill(n);
  return token;
}

inline stored_answer answer_of(std::uint8_t n, std::string text, sys_seconds expires_at) {
  stored_answer answer{.answer = std::move(text), .expires_at = expires_at};
  answer.key.fill(n);
  answer.payload.fill(static_cast<std::uint8_t>(n + 1));
  return answer;
}

/// Makes lawful change sets for one record, one after the other, as an engine would. A copy goes its own way.
class record_writer {
 public:
  /// A person who is not stored yet.
  explicit record_writer(std::string applicant_id = "ada", std::string tenant = "acme") {
    record.tenant = std::move(tenant);
    record.salt = std::string("\0\xff'\";--", 8) + std::string(8, static_cast<char>(applicant_id.size()));
    record.subject = commitment(record.salt, applicant_id);
    record.person = {applicant_id, applicant_id + "@example.org", "Name of " + applicant_id, "de-AT", "Europe/Vienna"};
    begin();
    pending.write_person = true;
  }
  /// Goes on from a record that was loaded.
  explicit record_writer(applicant_record stored) : record(std::move(stored)) { begin(); }

  /// Appends an audit entry. Returns it, to be read.
  const audit_entry& entry(std::string event_word, sys_seconds at, std::string note = {},
                           std::optional<interview_id> about = {}, std::optional<interview_state> from = {},
                           std::optional<interview_state> to = {}) {
    audit_entry e{.at = at, .actor = "staff:rita", .event = std::move(event_word), .interview = about, .from = from};
    e.to = to;
    e.note = std::move(note);
    pending.audit.push_back(append_audit(record, std::move(e)));
    return pending.audit.back();
  }

  /// Schedules a new interview.
  interview_id schedule(std::string track, sys_seconds at, seconds life = link_life) {
    const interview* before = newest_interview(record, track);
    interview i{.track = std::move(track), .created_at = at, .start_by = at + life, .changed_at = at};
    i.attempt = before ? before->attempt + 1 : 1;
    i.id = make_id(at, record.tenant + "/" + record.person.id + "/" + i.track + "/" + std::to_string(i.attempt));
    i.time_limit = seconds{3600};
    i.grace = seconds{60};
    i.link = {1, "key-1", at, at, i.start_by};
    record.interviews.push_back(i);
    pending.interviews.push_back({i});
    entry("schedule", at, {}, i.id, std::nullopt, i.state);
    return i.id;
  }

  /// The interview as it is to be. A change of it is committed by the next step, or by hand.
  interview& find(const interview_id& id) {
    for (auto& i : record.interviews)
      if (i.id == id) return i;
    throw broken_promise{"the check has no interview " + to_string(id)};
  }

  /// Lets an event happen to an interview, on the authority of the first row of the lifecycle that has it.
  interview& step(const interview_id& id, event on, sys_seconds at) {
    for (const authority by : {authority::staff, authority::token, authority::clock})
      if (find_transition(find(id).state, on, by)) return step(id, on, at, by);
    throw broken_promise{"the lifecycle has no " + std::string(to_string(on)) + " from " +
                         std::string(to_string(find(id).state))};
  }
  interview& step(const interview_id& id, event on, sys_seconds at, authority by) {
    interview& i = find(id);
    const interview before = i;
    i = must(apply(before, on, by, at), "apply()");
    if (on == event::start || on == event::resume) {
      i.sitting = {before.sitting.fence + 1, true, sha256("session " + std::to_string(before.sitting.fence + 1))};
    } else if (on == event::reissue) {
      ++i.link.generation;
      i.link.issued_at = at;
      if (i.state == interview_state::scheduled) i.link.expires_at = i.start_by = at + link_life;
    }
    pending.interviews.push_back({i, before.state, before.sitting != i.sitting});
    entry(std::string(to_string(on)), at, {}, id, before.state, i.state);
    return i;
  }

  /// Archives an interview and schedules the next. Returns the new one's id.
  interview_id retake(const interview_id& id, sys_seconds at, seconds life = link_life) {
    const std::string track = find(id).track;
    step(id, event::retake, at);
    const std::size_t archived = pending.interviews.size() - 1;
    const interview_id next = schedule(track, at, life);
    find(next).retake_of = pending.interviews.back().after.retake_of = id;
    find(id).superseded_by = pending.interviews[archived].after.superseded_by = next;
    return next;
  }

  /// Promises a message; the newest audit entry is its occasion.
  message_key promise(const interview_id& id, message_kind kind, sys_seconds due_at) {
    message m{.key = {id, kind, record.sequence}, .created_at = record.last_instant, .due_at = due_at};
    m.generation = find(id).link.generation;
    pending.messages.push_back(m);
    return m.key;
  }

  /// Records a fact with an audit entry of its own.
  void add_fact(fact f) {
    f.sequence = entry("record_fact", f.at).sequence;
    record.facts.push_back(f);
    pending.facts.push_back(std::move(f));
  }

  /// Records a waiver of seven days with an audit entry of its own. Returns its number.
  std::uint64_t add_waiver(std::string track, std::string rule_id, sys_seconds at,
                           waiver_state state = waiver_state::granted) {
    waiver w{.track = std::move(track),
             .rule_id = std::move(rule_id),
             .reason_code = "visa delay",
             .floor = "P2D",
             .state = state,
             .granted_by = "änne",
             .granted_at = at,
             .expires_at = at + seconds{7 * 86400}};
    w.number = entry("grant_waiver", at).sequence;
    record.waivers.push_back(w);
    pending.waivers.push_back({std::move(w), std::nullopt});
    return record.waivers.back().number;
  }
  /// The waiver as it is to be.
  waiver& find_waiver(std::uint64_t number) {
    for (auto& w : record.waivers)
      if (w.number == number) return w;
    throw broken_promise{"the check has no waiver " + std::to_string(number)};
  }
  /// Brings a waiver to another state, with an entry.
  waiver& step_waiver(std::uint64_t number, waiver_state to, sys_seconds at,
                      std::optional<interview_id> used_for = std::nullopt) {
    waiver& w = find_waiver(number);
    const waiver_state before = w.state;
    w.state = to;
    w.used_for = used_for;
    if (before == waiver_state::proposed && to == waiver_state::granted) w.approved_by = "bert";
    entry(std::string(to_string(to)), at);
    pending.waivers.push_back({w, before});
    return w;
  }

  /// Asks for the person to be erased, with an entry.
  void erase(sys_seconds at, std::string note = {}) {
    entry("erase", at, std::move(note));
    record.person = {record.person.id, {}};
    record.salt.clear();
    record.facts.clear();
    record.erased = true;
    pending.erase = true;
  }

  /// The change set, finished. The next one begins.
  change_set take() {
    change_set done = std::move(pending);
    ++record.version;
    done.head = record;
    done.head.interviews.clear();
    done.head.facts.clear();
    done.head.waivers.clear();
    begin();
    return done;
  }

  /// Commits what is pending; it has to succeed.
  void commit(store& s) { must(s.commit(take()), "commit()"); }

  /// As the store must give it back once `pending` is committed. Kept up to date by the functions above.
  applicant_record record;
  /// What the next commit will write; a check may add to it or spoil it.
  change_set pending;

 private:
  void begin() {
    pending = {};
    pending.tenant = record.tenant;
    pending.applicant_id = record.person.id;
    pending.expected_version = record.version;
  }
};

inline applicant_record load_record(store& s, std::string_view applicant_id = "ada", std::string_view tenant = "acme") {
  return must(s.load({.tenant = tenant, .who = applicant_id}), "load()").record;
}

/// A commit of the tenant's own record, as it was loaded, that sets policies, with an audit entry for each.
inline change_set policy_change(applicant_record record, std::string_view tenant,
                                const std::vector<stored_policy>& policies) {
  change_set changes{.tenant = std::string(tenant), .applicant_id = {}, .expected_version = record.version};
  if (record.version == 0) {
    record.tenant = tenant;
    record.salt = std::string(16, 's');
    record.subject = commitment(record.salt, "");
    changes.write_person = true;
  }
  for (const stored_policy& p : policies) {
    audit_entry e{.at = p.set_at, .actor = p.set_by, .event = "set_policy"};
    changes.audit.push_back(append_audit(record, std::move(e)));
  }
  record.version += 1;
  changes.policies = policies;
  changes.head = std::move(record);
  return changes;
}

/// The interviews of a record that are asked for one by one: all; of a long record some, the newest among them, because
/// every answer may bring the whole record.
inline std::vector<const interview*> asked_for_singly(const applicant_record& record) {
  const std::size_t count = record.interviews.size(), every = count / 32 + 1;
  std::vector<const interview*> some;
  for (std::size_t n = 0; n < count; ++n)
    if ((count - 1 - n) % every == 0) some.push_back(&record.interviews[n]);
  return some;
}

/// Expects that load_each() answers for a record's interviews, the last first and each twice, and for what the tenant
/// does not have.
inline void expect_each_loaded(store& s, const applicant_record& due) {
  const auto some = asked_for_singly(due);
  std::vector<interview_reference> wanted;
  for (int twice = 0; twice < 2; ++twice) {
    for (auto i = some.rbegin(); i != some.rend(); ++i) wanted.push_back({due.tenant, (*i)->id});
    wanted.push_back({due.tenant, make_id(instant(), "nobody")});
    if (!due.interviews.empty()) wanted.push_back({"another tenant", due.interviews.front().id});
  }
  auto found = must(s.load_each(wanted), "load_each()");
  same("load_each(): records", found.size(), wanted.size());
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    const interview* is = find_interview(due, wanted[n].interview);
    if (!is || wanted[n].tenant != due.tenant) {
      same("load_each(): version of what is not there", found[n].version, std::uint64_t{0});
      continue;
    }
    const interview* brought = find_interview(found[n], is->id);
    if (!brought) throw broken_promise{"load_each() does not bring interview " + to_string(is->id)};
    interview expected = *is;
    if (is->state != interview_state::in_progress) expected.sitting = brought->sitting;
    same("load_each()", *brought, expected);
    found[n].interviews = due.interviews;
    found[n].facts = due.facts;
    found[n].waivers = due.waivers;
    same("load_each()", found[n], due);
  }
}

/// Expects that the store holds the record as the writer has it.
inline void expect_stored(store& s, const record_writer& due) {
  same("load()", load_record(s, due.record.person.id, due.record.tenant), due.record);
  for (const interview* one : asked_for_singly(due.record)) {
    const interview& i = *one;
    const auto named = must(s.load({.tenant = due.record.tenant, .who = i.id, .with_sitting = true}), "load()").record;
    const interview* found = find_interview(named, i.id);
    if (!found) throw broken_promise{"load() by interview " + to_string(i.id) + " does not bring it"};
    same("load() with_sitting: interview " + to_string(i.id) + ": ", found->sitting, i.sitting);

    auto alone = must(s.load({.tenant = due.record.tenant, .who = i.id, .with_rules = false, .with_others = false}),
                      "load() without others")
                     .record;
    const interview* brought = find_interview(alone, i.id);
    if (!brought) throw broken_promise{"load() by interview " + to_string(i.id) + " without others does not bring it"};
    interview expected = i;
    if (i.state != interview_state::in_progress) expected.sitting = brought->sitting;
    same("load() without others", *brought, expected);
    alone.interviews = due.record.interviews;
    alone.facts = due.record.facts;
    alone.waivers = due.record.waivers;
    same("load() without others", alone, due.record);
  }
  expect_each_loaded(s, due.record);
}

/// Expects that what the writer has pending is refused, and that the record stays as it was. The writer is not moved.
inline void expect_refused(store& s, record_writer pending, errc code, const std::string& what) {
  const applicant_record before = load_record(s, pending.record.person.id, pending.record.tenant);
  must_refuse(s.commit(pending.take()), code, what);
  same("after a refused commit", load_record(s, pending.record.person.id, pending.record.tenant), before);
}

inline std::optional<progress> load_progress(store& s, const interview_id& id, std::string_view tenant = "acme") {
  return must(s.load({.tenant = tenant, .who = id, .with_progress = true}), "load()").progress;
}

inline std::string saved_bytes(store& s, const interview_id& id, std::string_view tenant = "acme") {
  return must(load_progress(s, id, tenant), "progress").bytes;
}

inline std::optional<stored_answer> load_answer(store& s, const answer_key& key, std::string_view tenant = "acme") {
  return must(s.load({.tenant = tenant, .who = std::string_view("nobody"), .answer = key}), "load()").answer;
}

inline std::vector<message> all_messages(store& s, std::string_view tenant = "acme") {
  return must(s.messages({.tenant = tenant, .limit = 100'000}), "messages()");
}

inline message find_message(store& s, const message_key& key, std::string_view tenant = "acme") {
  for (auto& m : all_messages(s, tenant))
    if (m.key == key) return m;
  throw broken_promise{"messages() does not show " + message_id(key, "example")};
}

inline std::vector<audit_entry> all_audit(store& s, std::string_view applicant_id = "ada",
                                          std::string_view tenant = "acme") {
  return must(s.read_audit(tenant, applicant_id, 0, 100'000), "read_audit()");
}

inline list_page whole_list(store& s, sys_seconds at, std::string_view tenant = "acme") {
  return must(s.list({.tenant = tenant, .at = at, .limit = 100'000}), "list()");
}

inline std::vector<claimed_message> claim(store& s, sys_seconds now, std::uint8_t worker = 1,
                                          std::size_t limit = 1000) {
  return must(s.claim({.now = now, .lease = seconds{30}, .limit = limit, .token = lease_of(worker)}), "claim()");
}

/// Settles one message of tenant "acme". Returns whether the lease was still the worker's.
inline bool settle(store& s, const message_key& key, settlement::verdict what, sys_seconds at = {},
                   std::string_view answer = {}, std::uint8_t worker = 1, std::string_view tenant = "acme") {
  const settlement one{
      .key = key, .tenant = tenant, .token = lease_of(worker), .what = what, .at = at, .answer = answer};
  const auto held = must(s.settle({&one, 1}), "settle()");
  same("settle(): number of answers", held.size(), std::size_t{1});
  return held[0];
}

/// The states from which the lifecycle leads on, and a record that has an interview in the wanted state.
inline interview_id bring_to(record_writer& w, const std::string& track, interview_state state, sys_seconds at) {
  using enum interview_state;
  const interview_id id = w.schedule(track, at);
  switch (state) {
    case scheduled: return id;
    case expired: w.step(id, event::expire, w.find(id).start_by); return id;
    case cancelled: w.step(id, event::cancel, at); return id;
    default: break;
  }
  w.step(id, event::start, at + seconds{10});
  if (state == in_progress) return id;
  if (state == voided) return w.step(id, event::void_attempt, at + seconds{20}).id;
  w.step(id, event::submit, at + seconds{20}, authority::token);
  if (state == submitted) return id;
  w.step(id, state == passed ? event::pass : state == on_hold ? event::hold : event::fail, at + seconds{30});
  if (state == archived) w.step(id, event::retake, at + seconds{40});
  return id;
}

inline constexpr std::array all_states{
    interview_state::scheduled, interview_state::in_progress, interview_state::submitted, interview_state::passed,
    interview_state::failed,    interview_state::on_hold,     interview_state::expired,   interview_state::cancelled,
    interview_state::voided,    interview_state::archived};
static_assert(all_states.size() == interview_state_count);

}  // namespace hirenow::testing::detail
