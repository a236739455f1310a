#pragma once
/// The rows of `c/rows.h` and their C++ twins, the reply through which a store answers, and the rows that are answered.
///
/// A row borrows its texts from what it was made of.
/// Threads: plain values.

#include <variant>

#include "handles.hpp"
#include "hirenow/adapters/host_connection.hpp"

struct hirenow_reply {
  // The part that the callback at hand may fill; the others are null.
  hirenow::loaded* data = nullptr;
  hirenow::list_page* page = nullptr;
  hirenow::due_page* due = nullptr;
  std::vector<hirenow::claimed_message>* claimed = nullptr;
  std::vector<hirenow::message>* mails = nullptr;
  std::vector<hirenow::audit_entry>* entries = nullptr;
  std::vector<hirenow::audit_head>* heads = nullptr;
  std::vector<hirenow::stored_policy>* policies = nullptr;
  hirenow::delivery* said = nullptr;
  hirenow::rendered_message* texts = nullptr;
  hirenow::host_answer* sql = nullptr;
  std::optional<hirenow::error> failed{};

  /// What the callback's failure is, given the status it returned.
  hirenow::error error_for(hirenow_status status) const {
    auto e = failed.value_or(hirenow::error{});
    if (status != HIRENOW_OK) e.code = static_cast<hirenow::errc>(status);
    e.code = static_cast<hirenow::errc>(hirenow::c::status_of(e.code));
    return e;
  }
};

namespace hirenow::c {

template <std::size_t Size>
void put_bytes(std::uint8_t (&to)[Size], const std::array<std::uint8_t, Size>& from) {
  std::copy(from.begin(), from.end(), to);
}
template <std::size_t Size>
std::array<std::uint8_t, Size> bytes_of(const std::uint8_t (&from)[Size]) {
  std::array<std::uint8_t, Size> out;
  std::copy(from, from + Size, out.begin());
  return out;
}
inline std::int32_t number_of(const std::optional<interview_state>& s) {
  return s ? static_cast<std::int32_t>(*s) : HIRENOW_STATE_NONE;
}
template <std::size_t Size>
std::optional<interview_id> id_or_none(const char (&given)[Size]) {
  if (!std::memchr(given, 0, Size)) refuse("interview id is not a UUID");
  if (given[0] == '\0') return std::nullopt;
  return id(given);
}

inline hirenow_interview_row row_of(const interview& i) {
  hirenow_interview_row r{};
  r.struct_size = sizeof r;
  write_id(r.id, i.id);
  write_id(r.retake_of, i.retake_of);
  write_id(r.superseded_by, i.superseded_by);
  r.track = i.track.c_str();
  r.attempt = i.attempt;
  r.state = static_cast<std::int32_t>(i.state);
  r.outcome = static_cast<std::int32_t>(i.outcome);
  r.overtime = static_cast<std::int32_t>(i.overtime);
  r.has_score = i.score.has_value();
  r.score = i.score.value_or(0);
  r.time_limit_seconds = i.time_limit.count();
  r.grace_seconds = i.grace.count();
  r.created_at = instant(i.created_at);
  r.start_by = instant(i.start_by);
  r.started_at = instant(i.started_at);
  r.deadline = instant(i.deadline);
  r.submitted_at = instant(i.submitted_at);
  r.decided_at = instant(i.decided_at);
  r.link_requested_at = instant(i.link_requested_at);
  r.changed_at = instant(i.changed_at);
  r.generation = i.link.generation;
  r.kid = i.link.kid.c_str();
  r.issued_at = instant(i.link.issued_at);
  r.not_before = instant(i.link.not_before);
  r.expires_at = instant(i.link.expires_at);
  r.fence = i.sitting.fence;
  r.open = i.sitting.open;
  put_bytes(r.key_hash, i.sitting.key_hash);
  r.extra_percent = i.accommodation.percent;
  r.extra_seconds = i.accommodation.extra.count();
  r.pause_seconds = i.accommodation.pause.count();
  r.ends_by = instant(i.ends_by);
  return r;
}

inline interview interview_of(const hirenow_interview_row* given) {
  const auto r = read(given, "interview");
  const auto maybe = [](std::int64_t n, const char* what) { return at_or_none(n, what, HIRENOW_NONE); };
  interview i;
  const auto own = id_or_none(r.id);
  if (!own) refuse("an interview has no id");
  i.id = *own;
  i.retake_of = id_or_none(r.retake_of);
  i.superseded_by = id_or_none(r.superseded_by);
  i.track = string(r.track);
  i.attempt = r.attempt;
  i.state = one_of<interview_state>(r.state, interview_state_count, "state");
  i.outcome = one_of<outcome>(r.outcome, outcome_count, "outcome");
  i.overtime = overtime_of(r.overtime);
  i.score = score(r.has_score, r.score);
  i.time_limit = seconds{r.time_limit_seconds};
  i.grace = seconds{r.grace_seconds};
  i.accommodation = {r.extra_percent == 0 ? 100 : r.extra_percent, seconds{r.extra_seconds}, seconds{r.pause_seconds}};
  i.ends_by = maybe(r.ends_by, "ends_by");
  i.created_at = at(r.created_at, "created_at");
  i.start_by = at(r.start_by, "start_by");
  i.started_at = maybe(r.started_at, "started_at");
  i.deadline = maybe(r.deadline, "deadline");
  i.submitted_at = maybe(r.submitted_at, "submitted_at");
  i.decided_at = maybe(r.decided_at, "decided_at");
  i.link_requested_at = maybe(r.link_requested_at, "link_requested_at");
  i.changed_at = at(r.changed_at, "changed_at");
  i.link = {r.generation, string(r.kid), at(r.issued_at, "issued_at"), at(r.not_before, "not_before"),
            at(r.expires_at, "expires_at")};
  i.sitting = {r.fence, r.open != 0, bytes_of(r.key_hash)};
  return i;
}

inline hirenow_record_row row_of(const applicant_record& a, const std::string& applicant_id) {
  hirenow_record_row r{};
  r.struct_size = sizeof r;
  r.applicant_id = applicant_id.c_str();
  r.email = a.person.email.c_str();
  r.name = a.person.name.c_str();
  r.locale = a.person.locale.c_str();
  r.time_zone = a.person.time_zone.c_str();
  r.erased = a.erased;
  r.salt = reinterpret_cast<const std::uint8_t*>(a.salt.data());
  r.salt_size = static_cast<std::uint32_t>(a.salt.size());
  r.version = a.version;
  r.sequence = a.sequence;
  r.last_instant = instant(a.last_instant);
  put_bytes(r.subject, a.subject);
  put_bytes(r.audit_head, a.audit_head);
  return r;
}

inline hirenow_fact_row row_of(const fact& f) {
  return {sizeof(hirenow_fact_row),
          static_cast<std::int32_t>(f.kind),
          f.name.c_str(),
          f.track.c_str(),
          instant(f.at),
          instant(f.until),
          f.value.c_str(),
          f.sequence};
}

inline hirenow_audit_row row_of(const audit_entry& e) {
  hirenow_audit_row r{};
  r.struct_size = sizeof r;
  r.sequence = e.sequence;
  r.at = instant(e.at);
  r.actor = e.actor.c_str();
  r.event = e.event.c_str();
  write_id(r.interview_id, e.interview);
  r.from = number_of(e.from);
  r.to = number_of(e.to);
  r.details = e.details.c_str();
  r.note = e.note.c_str();
  put_bytes(r.previous, e.previous);
  put_bytes(r.hash, e.hash);
  return r;
}

inline hirenow_message_row row_of(const message& m) {
  return {sizeof(hirenow_message_row),
          key_of(m.key),
          m.generation,
          m.tries,
          instant(m.created_at),
          instant(m.due_at),
          static_cast<std::int32_t>(m.state),
          m.last_answer.c_str()};
}

inline message message_of(const hirenow_message_row* given) {
  const auto r = read(given, "message");
  return {.key = key_of(r.key),
          .generation = r.generation,
          .created_at = at(r.created_at, "created_at"),
          .due_at = at(r.due_at, "due_at"),
          .state = one_of<message_state>(r.state, message_state_count, "state"),
          .tries = r.tries,
          .last_answer = string(r.last_answer)};
}

inline hirenow_policy_row row_of(const stored_policy& p) {
  hirenow_policy_row r = HIRENOW_POLICY_ROW_INIT;
  r.track = p.track.c_str();
  r.document = p.document.c_str();
  r.set_by = p.set_by.c_str();
  r.set_at = instant(p.set_at);
  put_bytes(r.hash, p.hash);
  r.active_from = instant(p.active_from);
  r.running_waits = static_cast<std::int32_t>(p.running_waits);
  r.number = p.number;
  return r;
}

inline hirenow_waiver_row row_of(const waiver& w) {
  hirenow_waiver_row r = HIRENOW_WAIVER_ROW_INIT;
  r.number = w.number;
  r.track = w.track.c_str();
  r.rule_id = w.rule_id.c_str();
  r.reason_code = w.reason_code.c_str();
  r.floor = w.floor.c_str();
  r.granted_by = w.granted_by.c_str();
  r.approved_by = w.approved_by.c_str();
  r.granted_at = instant(w.granted_at);
  r.expires_at = instant(w.expires_at);
  write_id(r.used_for, w.used_for);
  r.state = static_cast<std::int32_t>(w.state);
  return r;
}

inline waiver waiver_of(const hirenow_waiver_row* given) {
  const auto r = read(given, "waiver");
  return {.number = r.number,
          .track = string(r.track),
          .rule_id = string(r.rule_id),
          .reason_code = string(r.reason_code),
          .floor = string(r.floor),
          .state = one_of<waiver_state>(r.state, waiver_state_count, "state"),
          .granted_by = string(r.granted_by),
          .approved_by = string(r.approved_by),
          .granted_at = at(r.granted_at, "granted_at"),
          .expires_at = at(r.expires_at, "expires_at"),
          .used_for = id_or_none(r.used_for)};
}

inline fact fact_of(const hirenow_fact_row* given) {
  const auto f = read(given, "fact");
  return {one_of<fact_kind>(f.kind, fact_kind_count, "kind"), string(f.name),  string(f.track), at(f.at, "at"),
          at_or_none(f.until, "until", HIRENOW_NONE),         string(f.value), f.sequence};
}

inline audit_entry entry_of(const hirenow_audit_row* given) {
  const auto e = read(given, "audit entry");
  return {e.sequence,
          at(e.at, "at"),
          string(e.actor),
          string(e.event),
          id_or_none(e.interview_id),
          state_or_none(e.from),
          state_or_none(e.to),
          string(e.details),
          bytes_of(e.previous),
          bytes_of(e.hash),
          string(e.note)};
}

inline stored_policy policy_of(const hirenow_policy_row* given) {
  const auto p = read(given, "policy");
  return {.track = string(p.track),
          .document = string(p.document),
          .hash = bytes_of(p.hash),
          .set_by = string(p.set_by),
          .set_at = at(p.set_at, "set_at"),
          .active_from = at(p.active_from, "active_from"),
          .running_waits = one_of<running_waits>(p.running_waits, running_waits_count, "running_waits"),
          .number = p.number};
}

inline stored_answer answer_of(const hirenow_answer_row* given) {
  const auto a = read(given, "answer");
  return {bytes_of(a.key), bytes_of(a.payload), string(a.answer), at(a.expires_at, "expires_at")};
}

inline void read_head(applicant_record& to, const hirenow_record_row* given) {
  const auto r = read(given, "record");
  to.person = {string(r.applicant_id), string(r.email), string(r.name), string(r.locale), string(r.time_zone)};
  if (r.salt_size) need(r.salt, "salt");
  to.salt = r.salt_size ? std::string(reinterpret_cast<const char*>(r.salt), r.salt_size) : std::string();
  to.erased = r.erased != 0;
  to.version = r.version;
  to.sequence = r.sequence;
  to.last_instant = at(r.last_instant, "last_instant");
  to.subject = bytes_of(r.subject);
  to.audit_head = bytes_of(r.audit_head);
}

inline hirenow_answer_row row_of(const stored_answer& a) {
  hirenow_answer_row r{sizeof(hirenow_answer_row), {}, {}, a.answer.c_str(), instant(a.expires_at)};
  put_bytes(r.key, a.key);
  put_bytes(r.payload, a.payload);
  return r;
}

inline hirenow_owner_row owner_row(const std::string& applicant_id) {
  return {sizeof(hirenow_owner_row), "", applicant_id.c_str(), "", "", HIRENOW_NONE, 0, {}};
}

/// Fills one part of a reply; a failure is remembered, so that a callback that overlooks it has failed all the same.
template <class Part, class Fill>
hirenow_status fill(hirenow_reply* reply, Part hirenow_reply::* part, Fill&& with) noexcept {
  if (!reply) return HIRENOW_INVALID_ARGUMENT;
  hirenow_error* why = nullptr;
  const auto status = guard(&why, [&]() -> result<void> {
    if (!(reply->*part)) refuse("this callback has no such answer");
    return with(*(reply->*part)), result<void>();
  });
  if (status == HIRENOW_OK) return status;
  if (!reply->failed) reply->failed.emplace(error{.code = static_cast<errc>(status)});
  if (why && reply->failed->message.empty()) reply->failed->message.swap(why->value.message);
  hirenow_error_free(why);
  return status;
}

/// The record behind loaded rows.
const applicant_record& record_in(const hirenow_rows* rows);

/// A change set as rows. Borrows from it.
class change_rows {
 public:
  explicit change_rows(const change_set& c) : head_(row_of(c.head, c.applicant_id)) {
    after_.reserve(c.interviews.size());  // so that no row moves
    for (const auto& i : c.interviews) {
      const auto& after = after_.emplace_back(row_of(i.after));
      interviews_.push_back({sizeof(hirenow_interview_change), &after, number_of(i.before), i.sitting_changed ? 1 : 0});
    }
    for (const auto& f : c.facts) facts_.push_back(row_of(f));
    waivers_after_.reserve(c.waivers.size());
    for (const auto& w : c.waivers)
      waivers_.push_back({sizeof(hirenow_waiver_change), &waivers_after_.emplace_back(row_of(w.after)),
                          w.before ? static_cast<std::int32_t>(*w.before) : HIRENOW_WAIVER_STATE_NONE});
    for (const auto& p : c.policies) policies_.push_back(row_of(p));
    for (const auto& e : c.audit) audit_.push_back(row_of(e));
    for (const auto& w : c.withdrawals) {
      withdrawals_.push_back({sizeof(hirenow_withdrawal), {}, w.kinds});
      write_id(withdrawals_.back().interview_id, w.interview);
    }
    for (const auto& m : c.messages) messages_.push_back(row_of(m));
    for (const auto& k : c.redrives) redrives_.push_back(key_of(k));
    for (const auto& k : c.drops) drops_.push_back(key_of(k));
    set_.struct_size = sizeof set_;
    set_.tenant = c.tenant.c_str();
    set_.applicant_id = c.applicant_id.c_str();
    set_.expected_version = c.expected_version;
    set_.head = &head_;
    set_.write_person = c.write_person;
    set_.erase = c.erase;
    point(interviews_, interview_places_, set_.interviews, set_.interview_count);
    point(facts_, fact_places_, set_.facts, set_.fact_count);
    point(waivers_, waiver_places_, set_.waivers, set_.waiver_count);
    point(policies_, policy_places_, set_.policies, set_.policy_count);
    point(audit_, audit_places_, set_.audit, set_.audit_count);
    point(withdrawals_, withdrawal_places_, set_.withdrawals, set_.withdrawal_count);
    point(messages_, message_places_, set_.messages, set_.message_count);
    point(redrives_, redrive_places_, set_.redrives, set_.redrive_count);
    point(drops_, drop_places_, set_.drops, set_.drop_count);
    set_.final_progress_at = HIRENOW_NONE;
    if (c.final_progress) {
      write_id(progress_of_, c.final_progress->first);
      set_.final_progress_interview = progress_of_;
      set_.final_progress = c.final_progress->second.bytes.data();
      set_.final_progress_size = c.final_progress->second.bytes.size();
      set_.final_progress_at = instant(c.final_progress->second.saved_at);
    }
    if (c.answer) {
      answer_ = row_of(*c.answer);
      set_.answer = &answer_;
    }
  }
  change_rows(const change_rows&) = delete;
  change_rows& operator=(const change_rows&) = delete;
  const hirenow_change_set& set() const { return set_; }

 private:
  template <class Row>
  static void point(const std::vector<Row>& rows, std::vector<const Row*>& places, const Row* const*& to,
                    std::size_t& count) {
    for (const auto& row : rows) places.push_back(&row);
    to = places.data();
    count = places.size();
  }

  hirenow_record_row head_;
  std::vector<hirenow_interview_row> after_{};
  std::vector<hirenow_interview_change> interviews_{};
  std::vector<hirenow_fact_row> facts_{};
  std::vector<hirenow_waiver_row> waivers_after_{};
  std::vector<hirenow_waiver_change> waivers_{};
  std::vector<hirenow_policy_row> policies_{};
  std::vector<hirenow_audit_row> audit_{};
  std::vector<hirenow_withdrawal> withdrawals_{};
  std::vector<hirenow_message_row> messages_{};
  std::vector<hirenow_message_key> redrives_{};
  std::vector<hirenow_message_key> drops_{};
  std::vector<const hirenow_interview_change*> interview_places_{};
  std::vector<const hirenow_fact_row*> fact_places_{};
  std::vector<const hirenow_waiver_change*> waiver_places_{};
  std::vector<const hirenow_policy_row*> policy_places_{};
  std::vector<const hirenow_audit_row*> audit_places_{};
  std::vector<const hirenow_withdrawal*> withdrawal_places_{};
  std::vector<const hirenow_message_row*> message_places_{};
  std::vector<const hirenow_message_key*> redrive_places_{};
  std::vector<const hirenow_message_key*> drop_places_{};
  id_text progress_of_{};
  hirenow_answer_row answer_{};
  hirenow_change_set set_{};
};

}  // namespace hirenow::c

/// Rows that borrow from the answer they were made of.
struct hirenow_rows {
  std::variant<std::monostate, hirenow::loaded, hirenow::list_page, hirenow::due_page,
               std::vector<hirenow::claimed_message>, std::vector<hirenow::message>, std::vector<hirenow::audit_entry>,
               std::vector<hirenow::audit_head>, std::vector<hirenow::stored_policy>, std::vector<hirenow::waiver>,
               hirenow::waiver_changed, hirenow::track_history>
      value{};
  std::optional<hirenow_record_row> record{};
  std::optional<hirenow_policy_row> policy{};
  std::optional<hirenow_answer_row> answer{};
  std::vector<hirenow_interview_row> interviews{};
  std::vector<hirenow_fact_row> facts{};
  std::vector<hirenow_waiver_row> waivers{};
  std::vector<hirenow_policy_row> policies{};
  std::vector<hirenow_audit_row> audit{};
  std::vector<hirenow_message_row> messages{};
  std::vector<hirenow_owner_row> owners{};

  /// Takes an answer and makes its rows.
  template <class Answer>
  void take(Answer&& given) {
    show(value.emplace<std::remove_cvref_t<Answer>>(std::forward<Answer>(given)));
  }

 private:
  void show(const hirenow::loaded& of);
  void show(const hirenow::list_page& of);
  void show(const hirenow::due_page& of);
  void show(const std::vector<hirenow::claimed_message>& of);
  void show(const std::vector<hirenow::message>& of);
  void show(const std::vector<hirenow::audit_entry>& of);
  void show(const std::vector<hirenow::audit_head>& of);
  void show(const std::vector<hirenow::stored_policy>& of);
  void show(const std::vector<hirenow::waiver>& of);
  void show(const hirenow::waiver_changed& of);
  void show(const hirenow::track_history& of);
};
