/// The lifecycle and the audit's chain, for C.

#include "hirenow/lifecycle.hpp"

#include "rows.hpp"

struct hirenow_audit_verifier {
  hirenow::applicant_record record{};
  hirenow::audit_verifier value{record};
};

namespace {

using namespace hirenow;
using namespace hirenow::c;

/// A row after a change that leaves its texts as they are.
void replace(hirenow_interview_row& row, const interview& after) {
  auto made = row_of(after);
  made.track = row.track;
  made.kid = row.kid;
  give(&row, made, "interview");
}

/// An interview whose spans are such that no sum of them runs over.
interview sane(const hirenow_interview_row* row) {
  auto i = interview_of(row);
  for (const auto span : {i.time_limit, i.grace, i.accommodation.extra, i.accommodation.pause})
    if (span < seconds{0} || span > limits::longest_span) refuse("a span of the interview is out of range");
  if (i.accommodation.percent > 1000) refuse("the interview's percentage is out of range");
  return i;
}

/// The record's head as an audit's reader needs it.
applicant_record head_of(const char* tenant, const hirenow_record_row* given) {
  applicant_record record;
  read_head(record, given);
  record.tenant = string(tenant);
  return record;
}

}  // namespace

extern "C" {

int32_t hirenow_is_lawful_step(int32_t from, int32_t to) {
  const auto is_state = [](int32_t s) { return s >= 0 && s < HIRENOW_STATE_COUNT; };
  return is_state(from) && is_state(to) &&
         hirenow::is_lawful_step(static_cast<interview_state>(from), static_cast<interview_state>(to));
}
int32_t hirenow_is_lawful_waiver_step(int32_t from, int32_t to) {
  const auto is_state = [](int32_t s) { return s >= 0 && s < HIRENOW_WAIVER_STATE_COUNT; };
  return is_state(from) && is_state(to) &&
         hirenow::is_lawful_step(static_cast<waiver_state>(from), static_cast<waiver_state>(to));
}
int32_t hirenow_transition(int32_t from, int32_t event, int32_t by, int32_t* to, const char** when) {
  put<int32_t>(to, HIRENOW_STATE_NONE);
  put<const char*>(when, nullptr);
  if (from < HIRENOW_STATE_NONE || from >= HIRENOW_STATE_COUNT || event < 0 || event >= HIRENOW_EVENT_COUNT || by < 0 ||
      by > HIRENOW_AUTHORITY_CLOCK)
    return 0;
  const auto* row =
      find_transition(from == HIRENOW_STATE_NONE ? std::nullopt : std::optional(static_cast<interview_state>(from)),
                      static_cast<hirenow::event>(event), static_cast<authority>(by));
  if (!row) return 0;
  put(to, static_cast<int32_t>(row->to));
  put(when, to_string(row->when).data());
  return 1;
}
hirenow_status hirenow_interview_row_apply(hirenow_interview_row* row, int32_t event, int32_t by, int64_t when,
                                           hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    const auto after = apply(sane(row), one_of<hirenow::event>(event, event_count, "event"),
                             one_of<authority>(by, 3, "authority"), at(when, "at"));
    if (!after) return after.error();
    return replace(*row, *after), result<void>();
  });
}
hirenow_status hirenow_interview_row_deadline(const hirenow_interview_row* row, int64_t started_at,
                                              hirenow_deadline_terms* out, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    const deadline_terms t = deadline_breakdown(sane(row), at(started_at, "started_at"));
    hirenow_deadline_terms terms = HIRENOW_DEADLINE_TERMS_INIT;
    terms.started_at = instant(t.started_at);
    terms.time_limit_seconds = t.time_limit.count();
    terms.percent_seconds = t.by_percent.count();
    terms.extra_seconds = t.extra.count();
    terms.pause_seconds = t.pause.count();
    terms.ends_by = instant(t.ends_by);
    terms.deadline = instant(t.deadline);
    terms.grace_seconds = t.grace.count();
    terms.last_submit = instant(t.last_submit);
    terms.cut = t.cut;
    return give(out, terms, "the place for the answer"), result<void>();
  });
}
int64_t hirenow_interview_row_clock_limit(const hirenow_interview_row* row) {
  const auto is_instant = [](int64_t t) { return t >= instant(min_instant) && t <= instant(max_instant); };
  if (!row || row->struct_size < struct_versions<hirenow_interview_row>::first || row->state < 0 ||
      row->state >= HIRENOW_STATE_COUNT || !is_instant(row->start_by) || !is_instant(row->grace_seconds))
    return HIRENOW_NONE;
  interview i;
  i.state = static_cast<interview_state>(row->state);
  i.start_by = sys_seconds{seconds{row->start_by}};
  if (is_instant(row->deadline)) i.deadline = sys_seconds{seconds{row->deadline}};
  i.grace = seconds{row->grace_seconds};
  return instant(clock_limit(i));
}
hirenow_status hirenow_interview_row_after_clock(hirenow_interview_row* row, int64_t when, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    const auto after = after_the_clock(sane(row), at(when, "at"));
    return replace(*row, after), result<void>();
  });
}

hirenow_status hirenow_audit_commitment(const void* salt, size_t salt_size, const char* what, uint8_t* out,
                                        hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    if (salt_size) need(salt, "salt");
    const auto d = commitment({static_cast<const char*>(salt), salt_size}, text(what));
    return std::copy(d.begin(), d.end(), out), result<void>();
  });
}
hirenow_status hirenow_audit_hash(const char* tenant, const hirenow_record_row* record, const hirenow_audit_row* entry,
                                  uint8_t* out, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    const auto d = audit_hash(text(tenant), bytes_of(read(record, "record").subject), entry_of(entry));
    return std::copy(d.begin(), d.end(), out), result<void>();
  });
}
hirenow_status hirenow_audit_append(const char* tenant, hirenow_record_row* record, hirenow_audit_row* entry,
                                    hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    auto head = head_of(tenant, record);
    const auto done = append_audit(head, entry_of(entry));
    if (!entry->details || !*entry->details) entry->details = "{}";
    entry->sequence = done.sequence;
    put_bytes(entry->previous, done.previous);
    put_bytes(entry->hash, done.hash);
    record->sequence = head.sequence;
    record->last_instant = instant(head.last_instant);
    put_bytes(record->audit_head, head.audit_head);
    return {};
  });
}
hirenow_status hirenow_audit_verifier_new(const char* tenant, const hirenow_record_row* record,
                                          hirenow_audit_verifier** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_audit_verifier& v) -> result<void> {
    return v.record = head_of(tenant, record), result<void>();
  });
}
void hirenow_audit_verifier_free(hirenow_audit_verifier* verifier) { release(verifier); }
hirenow_status hirenow_audit_verifier_take(hirenow_audit_verifier* verifier, const hirenow_audit_row* entry,
                                           hirenow_error** error) {
  return guard(error, [&] { return alive(verifier, "verifier").value.take(entry_of(entry)); });
}
hirenow_status hirenow_audit_verifier_finish(const hirenow_audit_verifier* verifier, hirenow_error** error) {
  return guard(error, [&] { return alive(verifier, "verifier").value.finish(); });
}
hirenow_status hirenow_audit_merkle_root(const hirenow_rows* heads, uint8_t* out, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    const auto* all = std::get_if<std::vector<audit_head>>(&alive(heads, "heads").value);
    if (!all) refuse("these rows are no heads");
    const auto d = merkle_root(*all);
    return std::copy(d.begin(), d.end(), out), result<void>();
  });
}

}  // extern "C"
