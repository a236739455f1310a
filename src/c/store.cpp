/// A store asked directly, and the rows that are answered, for C. What is handed in is checked here: a store relies on
/// it.

#include "hirenow/lifecycle.hpp"

#include "json_documents.hpp"
#include "rows.hpp"

using namespace hirenow;
using namespace hirenow::c;

// ---- Rows -----------------------------------------------------------------------------------------------------------

void hirenow_rows::show(const loaded& of) {
  if (of.record.version != 0) record = row_of(of.record, of.record.person.id);
  for (const auto& i : of.record.interviews) interviews.push_back(row_of(i));
  for (const auto& f : of.record.facts) facts.push_back(row_of(f));
  show(of.record.waivers);
  if (of.policy) policy = row_of(*of.policy);
  if (of.answer) answer = row_of(*of.answer);
}
void hirenow_rows::show(const list_page& of) {
  for (const auto& r : of.rows) {
    interviews.push_back(row_of(r.interview));
    owners.push_back(owner_row(r.applicant_id));
    owners.back().name = r.applicant_name.c_str();
    owners.back().email = r.applicant_email.c_str();
  }
}
void hirenow_rows::show(const due_page& of) {
  for (const auto& r : of.rows) {
    owners.push_back(owner_row(r.applicant_id));
    owners.back().tenant = r.tenant.c_str();
    owners.back().limit = instant(r.limit);
  }
}
void hirenow_rows::show(const std::vector<claimed_message>& of) {
  for (const auto& m : of) {
    messages.push_back(row_of(m.mail));
    owners.push_back(owner_row(m.applicant_id));
    owners.back().tenant = m.tenant.c_str();
  }
}
void hirenow_rows::show(const std::vector<message>& of) {
  for (const auto& m : of) messages.push_back(row_of(m));
}
void hirenow_rows::show(const std::vector<audit_entry>& of) {
  for (const auto& e : of) audit.push_back(row_of(e));
}
void hirenow_rows::show(const std::vector<audit_head>& of) {
  for (const auto& h : of) {
    owners.push_back(owner_row(h.applicant_id));
    owners.back().sequence = h.sequence;
    put_bytes(owners.back().hash, h.hash);
  }
}
void hirenow_rows::show(const std::vector<stored_policy>& of) {
  for (const auto& p : of) policies.push_back(row_of(p));
}
void hirenow_rows::show(const std::vector<waiver>& of) {
  for (const auto& w : of) waivers.push_back(row_of(w));
}
void hirenow_rows::show(const waiver_changed& of) { waivers.push_back(row_of(of.waiver)); }
void hirenow_rows::show(const track_history& of) {
  auto& r = record.emplace(hirenow_record_row{});
  r.struct_size = sizeof r;
  r.applicant_id = of.person.id.c_str();
  r.email = of.person.email.c_str();
  r.name = of.person.name.c_str();
  r.locale = of.person.locale.c_str();
  r.time_zone = of.person.time_zone.c_str();
  r.erased = of.erased;
  for (const auto& i : of.attempts) interviews.push_back(row_of(i));
  show(of.entries);
  show(of.messages);
}

const applicant_record& hirenow::c::record_in(const hirenow_rows* rows) {
  const auto* data = std::get_if<loaded>(&alive(rows, "record").value);
  if (!data) refuse("these rows are no loaded record");
  return data->record;
}

namespace {

template <class Row>
const Row* pointer_to(const std::optional<Row>& row) noexcept {
  return row ? &*row : nullptr;
}
template <class Row>
const Row* row_at(const std::vector<Row>& all, std::size_t n) noexcept {
  return n < all.size() ? &all[n] : nullptr;
}
template <class Answer>
const Answer* answer_in(const hirenow_rows* rows) noexcept {
  return rows ? std::get_if<Answer>(&rows->value) : nullptr;
}

// ---- What a store relies on -----------------------------------------------------------------------------------------

void must(const result<void>& ok) {
  if (!ok) throw exception(ok.error());
}
std::string_view id_text_of(const char* given, const char* what) {
  return must(limits::check_id(what, text(given))), text(given);
}
/// An id, or the empty text.
std::string_view id_or_empty(const char* given, const char* what) {
  return text(given).empty() ? std::string_view() : id_text_of(given, what);
}
std::string_view text_of(std::string_view given, const char* what, std::size_t most = 64 * 1024) {
  return must(limits::check_text(what, given, most)), given;
}
std::size_t limit_of(std::size_t given, std::size_t most = 10'000) {
  if (given == 0 || given > most) refuse("limit is 0, or too large");
  return given;
}

load_request read_load(const hirenow_load_request& r, std::optional<answer_key>& key) {
  if ((r.applicant_id != nullptr) == (r.interview_id != nullptr))
    refuse("a record is loaded by its applicant or by an interview");
  load_request out{.tenant = id_text_of(r.tenant, "tenant"),
                   .who = std::string_view(),
                   .track = id_or_empty(r.track, "track"),
                   .with_rules = r.with_rules != 0,
                   .at = at_or_none(r.at, "at", HIRENOW_NONE).value_or(max_instant),
                   .with_sitting = r.with_sitting != 0,
                   .with_progress = r.with_progress != 0};
  if (r.applicant_id)
    out.who = id_or_empty(r.applicant_id, "applicant id");
  else
    out.who = id(r.interview_id);
  if (r.answer) std::copy(r.answer, r.answer + key.emplace().size(), key->begin());
  out.answer = key;
  return out;
}

/// The rows behind an array of pointers.
template <class Row, class Read>
void read_all(const Row* const* rows, std::size_t count, const char* what, Read&& take) {
  for (const Row* row : list(rows, count, limits::attempts, what)) take(row);
}

interview checked(interview i) {
  must(limits::check_id("track", i.track));
  must(limits::check_id("kid", i.link.kid));
  must(limits::check_span("time_limit", i.time_limit, seconds{1}));
  must(limits::check_span("grace", i.grace, seconds{0}));
  return i;
}

stored_policy checked(stored_policy p) {
  text_of(p.track, "track", limits::id);
  text_of(p.document, "policy", limits::policy);
  text_of(p.set_by, "set_by", limits::id);
  return p;
}

change_set read_changes(const hirenow_change_set* given) {
  const auto c = read(given, "change set");
  change_set out;
  out.tenant = id_text_of(c.tenant, "tenant");
  need(c.applicant_id, "applicant id");
  out.applicant_id = id_or_empty(c.applicant_id, "applicant id");  // the tenant's own record has none
  out.expected_version = c.expected_version;
  read_head(out.head, c.head);
  out.head.tenant = out.tenant;
  if (out.head.person.id != out.applicant_id) refuse("the head is of another applicant");
  text_of(out.head.person.email, "email", limits::email);
  text_of(out.head.person.name, "name", limits::name);
  text_of(out.head.person.locale, "locale", limits::id);
  text_of(out.head.person.time_zone, "time zone", limits::id);
  out.write_person = c.write_person != 0;
  out.erase = c.erase != 0;
  read_all(c.interviews, c.interview_count, "interviews", [&](const hirenow_interview_change* i) {
    const auto one = read(i, "interview change");
    out.interviews.push_back({checked(interview_of(one.after)), state_or_none(one.before), one.sitting_changed != 0});
  });
  read_all(c.facts, c.fact_count, "facts", [&](const hirenow_fact_row* f) {
    out.facts.push_back(fact_of(f));
    must(limits::check_id("fact", out.facts.back().name));
    text_of(out.facts.back().track, "track", limits::id);
    text_of(out.facts.back().value, "value", limits::fact_value);
  });
  read_all(c.waivers, c.waiver_count, "waivers", [&](const hirenow_waiver_change* given_one) {
    const auto one = read(given_one, "waiver change");
    waiver after = waiver_of(one.after);
    must(limits::check_id("track", after.track));
    must(limits::check_id("rule", after.rule_id));
    must(limits::check_id("reason code", after.reason_code));
    text_of(after.floor, "floor", limits::id);
    text_of(after.granted_by, "granted_by", limits::id);
    text_of(after.approved_by, "approved_by", limits::id);
    out.waivers.push_back(
        {std::move(after), one.before == HIRENOW_WAIVER_STATE_NONE
                               ? std::nullopt
                               : std::optional(one_of<waiver_state>(one.before, waiver_state_count, "before"))});
  });
  read_all(c.policies, c.policy_count, "policies",
           [&](const hirenow_policy_row* given_one) { out.policies.push_back(checked(policy_of(given_one))); });
  read_all(c.audit, c.audit_count, "audit", [&](const hirenow_audit_row* e) {
    out.audit.push_back(entry_of(e));
    text_of(out.audit.back().actor, "actor");
    text_of(out.audit.back().event, "event");
    text_of(out.audit.back().details, "details");
    text_of(out.audit.back().note, "note");
  });
  read_all(c.withdrawals, c.withdrawal_count, "withdrawals", [&](const hirenow_withdrawal* given_one) {
    const auto w = read(given_one, "withdrawal");
    const auto of = id_or_none(w.interview_id);
    if (!of || w.kinds > 0xffff) refuse("a withdrawal names no interview, or kinds that are none");
    out.withdrawals.push_back({*of, static_cast<std::uint16_t>(w.kinds)});
  });
  read_all(c.messages, c.message_count, "messages", [&](const hirenow_message_row* m) {
    out.messages.push_back(message_of(m));
    text_of(out.messages.back().last_answer, "last_answer", 500);
  });
  read_all(c.redrives, c.redrive_count, "redrives", [&](const hirenow_message_key* k) {
    need(k, "redrive");
    out.redrives.push_back(key_of(*k));
  });
  read_all(c.drops, c.drop_count, "drops", [&](const hirenow_message_key* k) {
    need(k, "drop");
    out.drops.push_back(key_of(*k));
  });
  if (c.final_progress_interview) {
    if (c.final_progress_size) need(c.final_progress, "progress");
    if (c.final_progress_size > limits::progress) refuse("progress is too large", errc::too_large);
    out.final_progress = {
        id(c.final_progress_interview),
        {c.final_progress_size ? std::string(static_cast<const char*>(c.final_progress), c.final_progress_size) : "",
         at(c.final_progress_at, "final_progress_at")}};
  }
  if (c.answer) {
    out.answer = answer_of(c.answer);
    text_of(out.answer->answer, "answer");
  }
  return out;
}

list_request read_list(const hirenow_list_request& r) {
  return {.tenant = id_text_of(r.tenant, "tenant"),
          .at = at(r.at, "at"),
          .state = state_or_none(r.state),
          .track = id_or_empty(r.track, "track"),
          .applicant_id = id_or_empty(r.applicant_id, "applicant id"),
          .cursor = text(r.cursor),
          .limit = limit_of(r.limit),
          .with_counts = r.with_counts != 0};
}

std::vector<settlement> read_settlements(const hirenow_settlement* const* all, std::size_t count) {
  std::vector<settlement> out;
  read_all(all, count, "settlements", [&](const hirenow_settlement* given) {
    const auto s = read(given, "settlement");
    out.push_back({key_of(s.key), id_text_of(s.tenant, "tenant"), bytes_of(s.token),
                   one_of<settlement::verdict>(s.what, 6, "what"), at(s.at, "at"), text_of(text(s.answer), "answer")});
  });
  return out;
}

std::vector<allowance_request> read_allowances(const hirenow_allowance_request* const* all, std::size_t count) {
  std::vector<allowance_request> out;
  read_all(all, count, "requests", [&](const hirenow_allowance_request* given) {
    const auto r = read(given, "request");
    if (r.per_minute == 0) refuse("per_minute is 0");
    out.push_back({at(r.now, "now"), id_or_empty(r.tenant, "tenant"), r.per_minute, r.wanted, r.returned});
  });
  return out;
}

/// Asks the store behind a handle; what it answers becomes rows.
template <class Ask>
hirenow_status ask(hirenow_store* handle, hirenow_error** error, hirenow_rows** out, Ask&& question) noexcept {
  return make(error, out, [&](hirenow_rows& rows) -> result<void> {
    auto answer = question(*alive(handle, "store").value);
    if (!answer) return std::move(answer.error());
    return rows.take(std::move(*answer)), result<void>();
  });
}

}  // namespace

extern "C" {

void hirenow_rows_free(hirenow_rows* rows) { release(rows); }
const hirenow_record_row* hirenow_rows_get_record(const hirenow_rows* rows) {
  return get(rows, nullptr, [](auto& r) { return pointer_to(r.record); });
}
const hirenow_policy_row* hirenow_rows_get_policy(const hirenow_rows* rows) {
  return get(rows, nullptr, [](auto& r) { return pointer_to(r.policy); });
}
const hirenow_answer_row* hirenow_rows_get_answer(const hirenow_rows* rows) {
  return get(rows, nullptr, [](auto& r) { return pointer_to(r.answer); });
}
const void* hirenow_rows_get_progress(const hirenow_rows* rows, size_t* size, int64_t* saved_at) {
  const auto* data = answer_in<loaded>(rows);
  const progress* p = data && data->progress ? &*data->progress : nullptr;
  put<std::size_t>(size, p ? p->bytes.size() : 0);
  put<std::int64_t>(saved_at, p ? instant(p->saved_at) : HIRENOW_NONE);
  return p ? p->bytes.data() : nullptr;
}
size_t hirenow_rows_get_interview_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.interviews.size(); });
}
const hirenow_interview_row* hirenow_rows_get_interview(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.interviews, n); });
}
size_t hirenow_rows_get_fact_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.facts.size(); });
}
const hirenow_fact_row* hirenow_rows_get_fact(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.facts, n); });
}
size_t hirenow_rows_get_waiver_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.waivers.size(); });
}
const hirenow_waiver_row* hirenow_rows_get_waiver(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.waivers, n); });
}
size_t hirenow_rows_get_policy_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.policies.size(); });
}
const hirenow_policy_row* hirenow_rows_get_policy_at(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.policies, n); });
}
size_t hirenow_rows_get_audit_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.audit.size(); });
}
const hirenow_audit_row* hirenow_rows_get_audit(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.audit, n); });
}
size_t hirenow_rows_get_message_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.messages.size(); });
}
const hirenow_message_row* hirenow_rows_get_message(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.messages, n); });
}
size_t hirenow_rows_get_owner_count(const hirenow_rows* rows) {
  return get(rows, 0, [](auto& r) { return r.owners.size(); });
}
const hirenow_owner_row* hirenow_rows_get_owner(const hirenow_rows* rows, size_t n) {
  return get(rows, nullptr, [n](auto& r) { return row_at(r.owners, n); });
}
int64_t hirenow_rows_get_state_count(const hirenow_rows* rows, int32_t state) {
  const auto* page = answer_in<list_page>(rows);
  if (!page || !page->counts || state < 0 || state >= HIRENOW_STATE_COUNT) return HIRENOW_NONE;
  return static_cast<int64_t>((*page->counts)[static_cast<std::size_t>(state)]);
}
const char* hirenow_rows_get_next(const hirenow_rows* rows) {
  if (const auto* page = answer_in<list_page>(rows)) return page->next.c_str();
  if (const auto* page = answer_in<due_page>(rows)) return page->next.c_str();
  return rows ? "" : nullptr;
}
hirenow_status hirenow_rows_json(const hirenow_rows* rows, hirenow_text** out_json, hirenow_error** error) {
  return make_text(error, out_json, [&] {
    return std::visit(
        [](const auto& answer) -> result<std::string> {
          if constexpr (requires { json_documents::of(answer); })
            return json_documents::of(answer);
          else
            return hirenow::detail::fail(errc::invalid_argument, "there is no document of these rows");
        },
        alive(rows, "rows").value);
  });
}

hirenow_status hirenow_store_load(hirenow_store* store, const hirenow_load_request* request, hirenow_rows** out,
                                  hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) {
    const auto r = read(request, "request");
    std::optional<answer_key> key;
    auto data = s.load(read_load(r, key));
    if (data) data->record.tenant = string(r.tenant);
    return data;
  });
}
hirenow_status hirenow_store_commit(hirenow_store* store, const hirenow_change_set* changes, hirenow_error** error) {
  return guard(error, [&] { return alive(store, "store").value->commit(read_changes(changes)); });
}
hirenow_status hirenow_store_save_progress(hirenow_store* store, const hirenow_checkpoint_request* request,
                                           int32_t* saved, hirenow_error** error) {
  put(saved, 0);
  return guard(error, [&]() -> result<void> {
    const auto r = read(request, "request");
    if (r.size) need(r.bytes, "progress");
    if (r.size > limits::progress) refuse("progress is too large", errc::too_large);
    const auto done = alive(store, "store")
                          .value->save_progress({.tenant = id_text_of(r.tenant, "tenant"),
                                                 .interview = id(r.interview_id),
                                                 .fence = r.fence,
                                                 .key_hash = bytes_of(r.key_hash),
                                                 .at = at(r.at, "at"),
                                                 .bytes = {static_cast<const char*>(r.bytes), r.size}});
    if (!done) return done.error();
    return put(saved, static_cast<int32_t>(*done)), result<void>();
  });
}
hirenow_status hirenow_store_list(hirenow_store* store, const hirenow_list_request* request, hirenow_rows** out,
                                  hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) { return s.list(read_list(read(request, "request"))); });
}
hirenow_status hirenow_store_due(hirenow_store* store, int64_t when, size_t limit, const char* cursor,
                                 hirenow_rows** out, hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) { return s.due(at(when, "at"), limit_of(limit), text(cursor)); });
}
hirenow_status hirenow_store_claim(hirenow_store* store, const hirenow_claim_request* request, hirenow_rows** out,
                                   hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) {
    const auto r = read(request, "request");
    must(limits::check_span("lease", seconds{r.lease_seconds}, seconds{1}));
    return s.claim({at(r.now, "now"), seconds{r.lease_seconds}, limit_of(r.limit), bytes_of(r.token)});
  });
}
hirenow_status hirenow_store_settle(hirenow_store* store, const hirenow_settlement* const* settlements, size_t count,
                                    int32_t* ours, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    auto& base = *alive(store, "store").value;
    const auto all = read_settlements(settlements, count);
    if (ours) std::fill(ours, ours + all.size(), 0);
    const auto done = base.settle(all);
    if (!done) return done.error();
    if (ours) std::copy(done->begin(), done->end(), ours);
    return {};
  });
}
hirenow_status hirenow_store_allow(hirenow_store* store, const hirenow_allowance_request* const* requests, size_t count,
                                   size_t* granted, int64_t* wait_seconds, int32_t* counts, hirenow_error** error) {
  put(counts, 0);
  return guard(error, [&]() -> result<void> {
    auto& base = *alive(store, "store").value;
    const auto all = read_allowances(requests, count);
    if (granted) std::fill(granted, granted + all.size(), 0);
    if (wait_seconds) std::fill(wait_seconds, wait_seconds + all.size(), 0);
    const auto answers = base.allow(all);
    if (!answers) return answers.error();
    for (std::size_t n = 0; n < answers->size(); ++n) {
      if (granted) granted[n] = (*answers)[n].granted;
      if (wait_seconds) wait_seconds[n] = (*answers)[n].wait.count();
    }
    return put(counts, answers->empty() ? 0 : 1), result<void>();
  });
}
hirenow_status hirenow_store_next_due(hirenow_store* store, int64_t* when, hirenow_error** error) {
  put(when, HIRENOW_NONE);
  return guard(error, [&]() -> result<void> {
    need(when, "the place for the answer");
    const auto next = alive(store, "store").value->next_due();
    if (!next) return next.error();
    return *when = instant(*next), result<void>();
  });
}
hirenow_status hirenow_store_outbox(hirenow_store* store, int64_t now, hirenow_outbox_figures* figures, int32_t* counts,
                                    hirenow_error** error) {
  put(counts, 0);
  return guard(error, [&]() -> result<void> {
    check_place(figures, "figures");
    need(figures, "the place for the answer");
    const auto found = alive(store, "store").value->outbox(at(now, "now"));
    if (!found) return found.error();
    give(figures, figures_of(found->value_or(outbox_figures{})), "figures");
    return put(counts, found->has_value() ? 1 : 0), result<void>();
  });
}
hirenow_status hirenow_store_messages(hirenow_store* store, const hirenow_message_request* request, hirenow_rows** out,
                                      hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) {
    const auto r = read(request, "request");
    message_query query{.tenant = id_text_of(r.tenant, "tenant"), .limit = limit_of(r.limit)};
    if (r.interview_id) query.interview = id(r.interview_id);
    if (r.state != -1) query.state = one_of<message_state>(r.state, message_state_count, "state");
    if (r.after) query.after = key_of(*r.after);
    return s.messages(query);
  });
}
hirenow_status hirenow_store_read_audit(hirenow_store* store, const char* tenant, const char* applicant_id,
                                        uint64_t after, size_t limit, hirenow_rows** out, hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) {
    need(applicant_id, "applicant id");
    return s.read_audit(id_text_of(tenant, "tenant"), id_or_empty(applicant_id, "applicant id"), after,
                        limit_of(limit));
  });
}
hirenow_status hirenow_store_audit_heads(hirenow_store* store, const char* tenant, const char* after, size_t limit,
                                         hirenow_rows** out, hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) {
    return s.audit_heads(id_text_of(tenant, "tenant"), id_or_empty(after, "after"), limit_of(limit));
  });
}
hirenow_status hirenow_store_policies(hirenow_store* store, const hirenow_policy_request* request, hirenow_rows** out,
                                      hirenow_error** error) {
  return ask(store, error, out, [&](auto& s) {
    const auto r = read(request, "request");
    policy_query query{
        .tenant = id_text_of(r.tenant, "tenant"), .track = id_or_empty(r.track, "track"), .limit = limit_of(r.limit)};
    if (const auto from = at_or_none(r.before_active_from, "before_active_from", HIRENOW_NONE))
      query.before = policy_place{*from, r.before_number};
    return s.policies(query);
  });
}
hirenow_status hirenow_store_prune(hirenow_store* store, int64_t now, size_t limit, size_t* pruned,
                                   hirenow_error** error) {
  put<size_t>(pruned, 0);
  return guard(error, [&]() -> result<void> {
    const auto done = alive(store, "store").value->prune(at(now, "now"), limit_of(limit, 1'000'000));
    if (!done) return done.error();
    return put(pruned, *done), result<void>();
  });
}

hirenow_status hirenow_judge_link(const hirenow_token* token, const hirenow_rows* record, int64_t now, int32_t* verdict,
                                  hirenow_error** error) {
  put<int32_t>(verdict, HIRENOW_VERDICT_INVALID);
  return guard(error, [&]() -> result<void> {
    need(verdict, "the place for the answer");
    const auto& claims = alive(token, "token").value;
    const auto& of = record_in(record);
    return *verdict = static_cast<int32_t>(judge_link(claims, &of, at(now, "now"))), result<void>();
  });
}

}  // extern "C"
