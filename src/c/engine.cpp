/// The engine's use cases, for C. Each function reads what it is handed, asks the engine, and fills a handle that was
/// made before. Where an engine comes from stands in open.cpp.

#include <type_traits>

#include "handles.hpp"
#include "json_documents.hpp"
#include "rows.hpp"

namespace {

using namespace hirenow;
using namespace hirenow::c;

// ---- Requests -------------------------------------------------------------------------------------------------------

actor read_actor(const hirenow_actor* given) {
  const auto a = read(given, "actor");
  return {string(a.id), string(a.tenant), roles_of(a.roles)};
}

applicant read_person(const hirenow_applicant* given) {
  const auto a = read(given, "applicant");
  return {string(a.id), string(a.email), string(a.name), string(a.locale), string(a.time_zone)};
}

notify read_notify(std::int32_t mode, std::int64_t when, const notify& otherwise = {}) {
  switch (mode) {
    case HIRENOW_NOTIFY_DEFAULT: return otherwise;
    case HIRENOW_NOTIFY_NOW: return notify::now();
    case HIRENOW_NOTIFY_NOT_BEFORE: return notify::not_before(at(when, "notify_at"));
    case HIRENOW_NOTIFY_NONE: return notify::none();
    default: refuse("notify is none of the list");
  }
}

std::vector<seconds> read_reminders(const std::int64_t* first, std::size_t count) {
  std::vector<seconds> out;
  for (const auto n : list(first, count, 1024, "reminders")) out.emplace_back(n);
  return out;
}

schedule_request read_schedule(const hirenow_schedule_request* given) {
  const auto r = read(given, "request");
  return {.applicant = read_person(r.applicant),
          .track = string(r.track),
          .opens_at = at_or_none(r.opens_at, "opens_at"),
          .link_lifetime = seconds{r.link_lifetime_seconds},
          .reminders = read_reminders(r.reminder_seconds, r.reminder_count),
          .time_limit = seconds{r.time_limit_seconds},
          .grace = seconds{r.grace_seconds},
          .overtime = overtime_of(r.overtime),
          .ends_by = at_or_none(r.ends_by, "ends_by"),
          .notify = read_notify(r.notify, r.notify_at),
          .idempotency_key = string(r.idempotency_key)};
}

retake_options read_terms(const hirenow_retake_options* given) {
  const auto r = read_or_standard(given, "options");
  return {.opens_at = at_or_none(r.opens_at, "opens_at"),
          .link_lifetime = seconds{r.link_lifetime_seconds},
          .reminders = read_reminders(r.reminder_seconds, r.reminder_count),
          .time_limit = seconds{r.time_limit_seconds},
          .grace = r.has_grace ? std::optional(seconds{r.grace_seconds}) : std::nullopt,
          .overtime = r.has_overtime ? std::optional(overtime_of(r.overtime)) : std::nullopt,
          .ends_by = at_or_none(r.ends_by, "ends_by"),
          .notify = read_notify(r.notify, r.notify_at),
          .reason = string(r.reason),
          .idempotency_key = string(r.idempotency_key)};
}

retake_options read_retake(const hirenow_retake_options* given) {
  if (read_or_standard(given, "options").extend_by_seconds != 0) refuse("only a reissue extends a link");
  return read_terms(given);
}

reissue_options read_reissue(const hirenow_retake_options* given) {
  auto r = read_terms(given);
  if (r.time_limit != seconds{0} || r.grace || r.overtime || r.ends_by) refuse("a reissue changes the link alone");
  return {.opens_at = r.opens_at,
          .link_lifetime = r.link_lifetime,
          .extend_by = seconds{read_or_standard(given, "options").extend_by_seconds},
          .reminders = std::move(r.reminders),
          .notify = r.notify,
          .reason = std::move(r.reason),
          .idempotency_key = std::move(r.idempotency_key)};
}

hirenow_change read_change(const hirenow_change* given) { return read_or_standard(given, "change"); }

decision read_decision(const hirenow_change* given) {
  const auto c = read(given, "change");
  return {.outcome = one_of<outcome>(c.outcome, outcome_count, "outcome"),
          .reason = string(c.reason),
          .score = score(c.has_score, c.score),
          .notify = read_notify(c.notify, c.notify_at),
          .idempotency_key = string(c.idempotency_key)};
}
reopen_options read_reopen(const hirenow_change* given) {
  const auto c = read(given, "change");
  return {.reason = string(c.reason), .idempotency_key = string(c.idempotency_key)};
}
void_options read_void(const hirenow_change* given) {
  const auto c = read(given, "change");
  return {string(c.reason_code), string(c.reason), string(c.idempotency_key)};
}
accommodate_options read_accommodation(const hirenow_accommodation* given) {
  const auto a = read(given, "terms");
  const auto maybe = [](std::int32_t has, std::int64_t n) { return has ? std::optional(seconds{n}) : std::nullopt; };
  return {.percent = a.percent ? std::optional(a.percent) : std::nullopt,
          .extra = maybe(a.has_extra, a.extra_seconds),
          .pause = maybe(a.has_pause, a.pause_seconds),
          .grace = maybe(a.has_grace, a.grace_seconds),
          .reason_code = string(a.reason_code),
          .reason = string(a.reason),
          .idempotency_key = string(a.idempotency_key)};
}
cancel_options read_cancel(const hirenow_change* given) {
  const auto c = read_change(given);
  return {string(c.reason), read_notify(c.notify, c.notify_at), string(c.idempotency_key)};
}
withdraw_options read_withdraw(const hirenow_change* given) {
  const auto c = read_change(given);
  return {string(c.reason), read_notify(c.notify, c.notify_at, notify::none()), string(c.idempotency_key)};
}

/// A session's key: bytes of this size, or text.
std::string_view session_key_of(const void* key, std::size_t size) {
  if (size == 0) return text(static_cast<const char*>(key));
  need(key, "the session's key");
  return {static_cast<const char*>(key), size};
}

session read_session(const hirenow_session* given) {
  const auto s = read(given, "session");
  return {string(s.tenant), id(s.interview_id), s.fence, std::string(session_key_of(s.key, s.key_size))};
}

std::string_view progress_of(const void* bytes, std::size_t size) {
  if (size != 0) need(bytes, "progress");
  return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

submit_options read_submit(const void* bytes, std::size_t size, const char* idempotency_key) {
  submit_options o{.progress = {}, .idempotency_key = string(idempotency_key)};
  if (bytes || size != 0) o.progress = std::string(progress_of(bytes, size));
  return o;
}

fact read_fact(const hirenow_fact* given) {
  const auto f = read(given, "fact");
  return {.kind = one_of<fact_kind>(f.kind, fact_kind_count, "kind"),
          .name = string(f.name),
          .track = string(f.track),
          .at = at(f.at, "at"),
          .until = at_or_none(f.until, "until"),
          .value = string(f.value)};
}

waiver_request read_waiver(const hirenow_waiver_request* given) {
  const auto w = read(given, "request");
  return {.applicant_id = string(w.applicant_id),
          .track = string(w.track),
          .rule_id = string(w.rule_id),
          .reason_code = string(w.reason_code),
          .expires_at = at(w.expires_at, "expires_at"),
          .floor = string(w.floor),
          .reason = string(w.reason),
          .idempotency_key = string(w.idempotency_key)};
}
waiver_step_options read_waiver_step(const hirenow_change* given) {
  const auto c = read_change(given);
  return {string(c.reason), string(c.idempotency_key)};
}
activation read_activation(const hirenow_activation* given) {
  const auto a = read_or_standard(given, "activation");
  return {.from = at_or_none(a.from, "from"),
          .running_waits = one_of<running_waits>(a.running_waits, running_waits_count, "running_waits"),
          .idempotency_key = string(a.idempotency_key)};
}

dashboard_query read_query(const hirenow_list_query* given) {
  const auto q = read_or_standard(given, "query");
  return {.state = state_or_none(q.state),
          .track = string(q.track),
          .applicant_id = string(q.applicant_id),
          .cursor = string(q.cursor),
          .limit = q.limit == 0 ? 50 : q.limit,
          .with_counts = q.without_counts == 0};
}

message_query read_query(const hirenow_message_query* given) {
  const auto q = read_or_standard(given, "query");
  message_query out{.limit = q.limit == 0 ? 50 : q.limit};
  if (q.interview_id) out.interview = id(q.interview_id);
  if (q.state != -1) out.state = one_of<message_state>(q.state, message_state_count, "state");
  if (q.after) out.after = key_of(*q.after);
  return out;
}

// ---- Answers: what fills a handle, and cannot fail ------------------------------------------------------------------

void fill(hirenow_interview& to, interview&& from) noexcept { to.take(std::move(from)); }
void fill(hirenow_interview& to, invited&& from) noexcept {
  to.link = std::move(from.link);
  to.replayed = from.replayed;
  to.take(std::move(from.interview));
}
void fill(hirenow_interview& to, retaken&& from) noexcept {
  to.link = std::move(from.link);
  to.replayed = from.replayed;
  to.take(std::move(from.interview));
  to.archived->take(std::move(from.archived));
}
void fill(hirenow_interview& to, changed&& from) noexcept {
  to.replayed = from.replayed;
  to.take(std::move(from.interview));
}
void fill(hirenow_sitting& to, sitting&& from) noexcept {
  to.interview.show(to.value.emplace(std::move(from)).interview);
}
void fill(hirenow_eligibility& to, eligibility&& from) noexcept { to.value = std::move(from); }
void fill(hirenow_actions& to, std::vector<permitted_action>&& from) noexcept { to.value = std::move(from); }
void fill(hirenow_sweep_report& to, sweep_report&& from) noexcept { to.value = std::move(from); }
void fill(hirenow_text& to, std::string&& from) noexcept { to.value = std::move(from); }
void fill(hirenow_person& to, person_changed&& from) noexcept { to.value = std::move(from); }
template <class Answer>
void fill(hirenow_rows& to, Answer&& from) {
  to.take(std::move(from));
}
void fill(hirenow_page& to, list_page&& from) {
  to.value = std::move(from);
  for (const auto& row : to.value.rows) to.rows.emplace_back(nullptr).show(row.interview);
}

/// Becomes what the call returns where it is written to, without a copy in between.
template <class Call>
struct in_place {
  const Call& call;
  operator std::invoke_result_t<const Call&>() const { return call(); }
};

/// Asks the engine, and fills the handle with its answer.
template <class Handle, class Ask>
hirenow_status ask(hirenow_engine* engine, hirenow_error** error, Handle** out, Ask&& question) noexcept {
  return make(error, out, [&](Handle& handle) -> result<void> {
    auto& core = core_of(engine);
    if constexpr (std::same_as<decltype(question(core)), result<retaken>>)
      handle.archived = std::make_unique<hirenow_interview>();
    auto answer = question(core);
    if (!answer) return std::move(answer.error());
    fill(handle, std::move(*answer));
    return {};
  });
}
/// As above, where the answer is looked at by `then`.
template <class Ask, class Then>
hirenow_status ask_then(hirenow_engine* engine, hirenow_error** error, Ask&& question, Then&& then) noexcept {
  return guard(error, [&]() -> result<void> {
    auto answer = question(core_of(engine));
    if (!answer) return std::move(answer.error());
    if constexpr (std::is_void_v<typename decltype(answer)::value_type>)
      then();
    else
      then(*answer);
    return {};
  });
}
/// As `ask`, where one waiver is answered.
template <class Ask>
hirenow_status ask_for_waiver(hirenow_engine* engine, hirenow_error** error, hirenow_rows** out, std::int32_t* replayed,
                              Ask&& question) noexcept {
  put<std::int32_t>(replayed, 0);
  return make(error, out, [&](hirenow_rows& rows) -> result<void> {
    auto& core = core_of(engine);
    rows.waivers.reserve(1);  // once the waiver is written, nothing may fail
    result<waiver_changed> changed = question(core);
    if (!changed) return changed.error();
    put<std::int32_t>(replayed, changed->replayed);
    return rows.take(std::move(*changed)), result<void>();
  });
}

constexpr auto nothing_more = [](auto&&...) {};

hirenow_status progress_of(hirenow_engine* engine, const char* interview, const hirenow_actor* who, hirenow_text** out,
                           std::int64_t* saved_at, hirenow_error** error) noexcept {
  if (out) *out = nullptr;
  put<std::int64_t>(saved_at, HIRENOW_NONE);
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    auto made = std::make_unique<hirenow_text>();
    auto answer = core_of(engine).read_progress(id(interview), read_actor(who));
    if (!answer) return answer.error();
    if (!*answer) return {};
    made->value = std::move((*answer)->bytes);
    put(saved_at, instant((*answer)->saved_at));
    *out = made.release();
    return {};
  });
}

hirenow_what_if_counts counts_of(const what_if_counts& c) noexcept {
  return {sizeof(hirenow_what_if_counts),
          c.applicants,
          c.interviews,
          c.tracks,
          c.eligible_now,
          c.eligible_then,
          c.become,
          c.cease,
          c.sooner,
          c.later};
}

/// Tries a policy out page by page, and lets the host look on.
result<what_if_counts> what_if(engine_state& state, const hirenow_what_if_query* given, const actor& who,
                               std::int32_t (*page)(void*, const hirenow_what_if_counts*, const char*), void* ctx) {
  const auto q = read(given, "query");
  what_if_query query{.document = string(q.document),
                      .track = string(q.track),
                      .cursor = string(q.cursor),
                      .limit = q.limit,
                      .running_waits = one_of<running_waits>(q.running_waits, running_waits_count, "running_waits")};
  if (query.limit == 0) query.limit = 100;
  what_if_counts so_far;
  do {
    auto found = state.core->what_if(query, who);
    if (!found) return found.error();
    so_far += found->counts;
    query.cursor = found->next;
    if (!page) continue;
    const std::string document = json_documents::of(*found);
    const auto told = counts_of(so_far);
    const callback_threads::visit inside(*state.callbacks);
    if (page(ctx, &told, document.c_str()) != 0)
      return hirenow::detail::fail(errc::operation_aborted, "the caller ended it");
  } while (!query.cursor.empty());
  return so_far;
}

/// A sweep's report, whose faults the logger hears of. What was swept stands: nothing fails here for want of memory.
result<sweep_report> sweep(engine_state& state, std::size_t limit) {
  auto report = state.core->sweep(limit == 0 ? 10'000 : limit);
  if (!report || !state.log) return report;
  const callback_threads::visit inside(*state.callbacks);
  for (const auto& f : report->failed) {
    try {
      const auto said = "sweep: set aside " + f.record.tenant + "/" + f.record.applicant_id + ": " + f.error.message;
      state.log->warn(said.c_str());
    } catch (const std::bad_alloc&) {
      state.log->warn("sweep: records were set aside");
    }
  }
  return report;
}

}  // namespace

extern "C" {

hirenow_status hirenow_schedule(hirenow_engine* engine, const hirenow_schedule_request* request,
                                const hirenow_actor* who, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.schedule(read_schedule(request), read_actor(who)); });
}
hirenow_status hirenow_retake_eligibility(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                                          hirenow_eligibility** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.retake_eligibility(id(interview_id), read_actor(who)); });
}
hirenow_status hirenow_retake(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                              const hirenow_retake_options* options, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.retake(id(interview_id), read_actor(who), read_retake(options)); });
}
hirenow_status hirenow_reissue(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                               const hirenow_retake_options* options, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.reissue(id(interview_id), read_actor(who), read_reissue(options)); });
}
hirenow_status hirenow_request_link(hirenow_engine* engine, const char* token, const char* idempotency_key,
                                    hirenow_link_requested* out, hirenow_error** error) {
  return ask_then(
      engine, error,
      [&](auto& e) {
        check_place(out, "the place for the answer");
        return e.request_link(text(token), text(idempotency_key));
      },
      [&](const link_requested& a) {
        if (!out) return;
        hirenow_link_requested told{sizeof told, {}, a.queued, a.noted, a.replayed};
        write_id(told.interview_id, a.interview);
        give(out, told, "the place for the answer");
      });
}
hirenow_status hirenow_link_of(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                               hirenow_text** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.link_of(id(interview_id), read_actor(who)); });
}
hirenow_status hirenow_link_for_row(hirenow_engine* engine, const char* tenant, const char* applicant_id,
                                    const hirenow_interview_row* interview, hirenow_text** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.link_of(text(tenant), text(applicant_id), interview_of(interview)); });
}

hirenow_status hirenow_inspect(hirenow_engine* engine, const char* token, hirenow_inspection** out,
                               hirenow_error** error) {
  return make(error, out, [&](hirenow_inspection& handle) -> result<void> {
    auto& core = core_of(engine);
    const auto call = [&] { return core.inspect(text(token)); };
    auto& answer = handle.answer.emplace(in_place{call});
    if (!answer) return answer.error();
    handle.value = &*answer;
    if (handle.value->interview) handle.interview.show(*handle.value->interview);
    return {};
  });
}
hirenow_status hirenow_start(hirenow_engine* engine, const char* token, const void* session_key,
                             size_t session_key_size, hirenow_sitting** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.start(text(token), session_key_of(session_key, session_key_size)); });
}
hirenow_status hirenow_resume(hirenow_engine* engine, const char* token, const void* session_key,
                              size_t session_key_size, hirenow_sitting** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.resume(text(token), session_key_of(session_key, session_key_size)); });
}
hirenow_status hirenow_checkpoint(hirenow_engine* engine, const hirenow_session* session, const void* progress,
                                  size_t size, int64_t* saved_at, hirenow_error** error) {
  put<int64_t>(saved_at, HIRENOW_NONE);
  return ask_then(
      engine, error, [&](auto& e) { return e.checkpoint(read_session(session), progress_of(progress, size)); },
      [&](const saved& s) { put(saved_at, instant(s.at)); });
}
hirenow_status hirenow_submit(hirenow_engine* engine, const hirenow_session* session, const void* progress, size_t size,
                              const char* idempotency_key, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.submit(read_session(session), read_submit(progress, size, idempotency_key)); });
}
hirenow_status hirenow_withdraw(hirenow_engine* engine, const char* token, const hirenow_change* change,
                                hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.withdraw(text(token), read_withdraw(change)); });
}

hirenow_status hirenow_decide(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                              const hirenow_change* change, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.decide(id(interview_id), read_actor(who), read_decision(change)); });
}
hirenow_status hirenow_reopen(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                              const hirenow_change* change, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.reopen(id(interview_id), read_actor(who), read_reopen(change)); });
}
hirenow_status hirenow_void(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                            const hirenow_change* change, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.void_attempt(id(interview_id), read_actor(who), read_void(change)); });
}
hirenow_status hirenow_accommodate(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                                   const hirenow_accommodation* terms, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.accommodate(id(interview_id), read_actor(who), read_accommodation(terms)); });
}
hirenow_status hirenow_cancel(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                              const hirenow_change* change, hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.cancel(id(interview_id), read_actor(who), read_cancel(change)); });
}
hirenow_status hirenow_update_applicant(hirenow_engine* engine, const hirenow_applicant* person,
                                        const hirenow_actor* who, const char* idempotency_key, hirenow_person** out,
                                        hirenow_error** error) {
  return ask(engine, error, out,
             [&](auto& e) { return e.update_applicant(read_person(person), read_actor(who), text(idempotency_key)); });
}
hirenow_status hirenow_record_fact(hirenow_engine* engine, const char* applicant_id, const hirenow_fact* fact,
                                   const hirenow_actor* who, const char* idempotency_key, hirenow_person** out,
                                   hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) {
    return e.record_fact(text(applicant_id), read_fact(fact), read_actor(who), text(idempotency_key));
  });
}
hirenow_status hirenow_set_policy(hirenow_engine* engine, const char* track, const char* document,
                                  const hirenow_actor* who, hirenow_error** error) {
  return ask_then(
      engine, error, [&](auto& e) { return e.set_policy(text(track), text(document), read_actor(who)); }, nothing_more);
}
hirenow_status hirenow_activate_policy(hirenow_engine* engine, const char* track, const char* document,
                                       const hirenow_actor* who, const hirenow_activation* when,
                                       hirenow_error** error) {
  return ask_then(
      engine, error,
      [&](auto& e) { return e.set_policy(text(track), text(document), read_actor(who), read_activation(when)); },
      nothing_more);
}
hirenow_status hirenow_policies(hirenow_engine* engine, const char* track, const hirenow_actor* who,
                                int64_t before_active_from, uint64_t before_number, size_t limit, hirenow_rows** out,
                                hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) {
    std::optional<policy_place> before;
    if (const auto from = at_or_none(before_active_from, "before_active_from", HIRENOW_NONE))
      before = policy_place{*from, before_number};
    return e.policies(text(track), read_actor(who), before, limit == 0 ? 50 : limit);
  });
}
hirenow_status hirenow_what_if(hirenow_engine* engine, const hirenow_what_if_query* query, const hirenow_actor* who,
                               int32_t (*page)(void* ctx, const hirenow_what_if_counts* so_far, const char* page_json),
                               void* ctx, hirenow_what_if_counts* counts, hirenow_error** error) {
  return ask_then(
      engine, error,
      [&](auto&) {
        check_place(counts, "counts");
        return what_if(*engine->state, query, read_actor(who), page, ctx);
      },
      [&](const what_if_counts& c) {
        if (counts) give(counts, counts_of(c), "counts");
      });
}
hirenow_status hirenow_grant_waiver(hirenow_engine* engine, const hirenow_waiver_request* request,
                                    const hirenow_actor* who, hirenow_rows** out, int32_t* replayed,
                                    hirenow_error** error) {
  return ask_for_waiver(engine, error, out, replayed,
                        [&](auto& e) { return e.grant_waiver(read_waiver(request), read_actor(who)); });
}
hirenow_status hirenow_approve_waiver(hirenow_engine* engine, const char* applicant_id, uint64_t number,
                                      const hirenow_actor* who, const hirenow_change* change, hirenow_rows** out,
                                      int32_t* replayed, hirenow_error** error) {
  return ask_for_waiver(engine, error, out, replayed, [&](auto& e) {
    return e.approve_waiver(text(applicant_id), number, read_actor(who), read_waiver_step(change));
  });
}
hirenow_status hirenow_revoke_waiver(hirenow_engine* engine, const char* applicant_id, uint64_t number,
                                     const hirenow_actor* who, const hirenow_change* change, hirenow_rows** out,
                                     int32_t* replayed, hirenow_error** error) {
  return ask_for_waiver(engine, error, out, replayed, [&](auto& e) {
    return e.revoke_waiver(text(applicant_id), number, read_actor(who), read_waiver_step(change));
  });
}
hirenow_status hirenow_waivers(hirenow_engine* engine, const char* applicant_id, const hirenow_actor* who,
                               hirenow_rows** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.waivers(text(applicant_id), read_actor(who)); });
}
hirenow_status hirenow_redrive(hirenow_engine* engine, const hirenow_message_key* key, const hirenow_actor* who,
                               const char* idempotency_key, hirenow_error** error) {
  return ask_then(
      engine, error,
      [&](auto& e) {
        need(key, "key");
        return e.redrive(key_of(*key), read_actor(who), text(idempotency_key));
      },
      nothing_more);
}
hirenow_status hirenow_drop(hirenow_engine* engine, const hirenow_message_key* key, const hirenow_actor* who,
                            const char* idempotency_key, hirenow_error** error) {
  return ask_then(
      engine, error,
      [&](auto& e) {
        need(key, "key");
        return e.drop(key_of(*key), read_actor(who), text(idempotency_key));
      },
      nothing_more);
}
hirenow_status hirenow_erase_applicant(hirenow_engine* engine, const char* applicant_id, const hirenow_actor* who,
                                       const char* idempotency_key, hirenow_error** error) {
  return ask_then(
      engine, error,
      [&](auto& e) { return e.erase_applicant(text(applicant_id), read_actor(who), text(idempotency_key)); },
      nothing_more);
}
hirenow_status hirenow_sweep(hirenow_engine* engine, size_t limit, hirenow_sweep_report** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto&) { return sweep(*engine->state, limit); });
}

hirenow_status hirenow_find(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                            hirenow_interview** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.find(id(interview_id), read_actor(who)); });
}
hirenow_status hirenow_permitted_actions(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                                         hirenow_actions** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.permitted_actions(id(interview_id), read_actor(who)); });
}
hirenow_status hirenow_list(hirenow_engine* engine, const hirenow_list_query* query, const hirenow_actor* who,
                            hirenow_page** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.list(read_query(query), read_actor(who)); });
}
hirenow_status hirenow_history(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                               hirenow_rows** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.history(id(interview_id), read_actor(who)); });
}
hirenow_status hirenow_read_progress(hirenow_engine* engine, const char* interview_id, const hirenow_actor* who,
                                     hirenow_text** out, int64_t* saved_at, hirenow_error** error) {
  return progress_of(engine, interview_id, who, out, saved_at, error);
}
hirenow_status hirenow_read_audit(hirenow_engine* engine, const char* applicant_id, const hirenow_actor* who,
                                  uint64_t after, size_t limit, hirenow_rows** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) {
    need(applicant_id, "applicant id");  // an empty one is the tenant's own
    return e.read_audit(text(applicant_id), read_actor(who), after, limit == 0 ? limits::page : limit);
  });
}
hirenow_status hirenow_verify_audit(hirenow_engine* engine, const char* applicant_id, const hirenow_actor* who,
                                    uint64_t* entries, uint8_t* head, hirenow_error** error) {
  put<uint64_t>(entries, 0);
  return ask_then(
      engine, error,
      [&](auto& e) {
        need(applicant_id, "applicant id");
        return e.verify_audit(text(applicant_id), read_actor(who));
      },
      [&](const audit_report& r) {
        put<uint64_t>(entries, r.entries);
        if (head) std::copy(r.head.begin(), r.head.end(), head);
      });
}
hirenow_status hirenow_audit_checkpoint(hirenow_engine* engine, const hirenow_actor* who, hirenow_text** out,
                                        hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.audit_checkpoint(read_actor(who)); });
}
hirenow_status hirenow_verify_audit_checkpoint(hirenow_engine* engine, const char* checkpoint, const hirenow_actor* who,
                                               size_t* records, hirenow_error** error) {
  put<size_t>(records, 0);
  return ask_then(
      engine, error, [&](auto& e) { return e.verify_audit_checkpoint(text(checkpoint), read_actor(who)); },
      [&](std::size_t n) { put(records, n); });
}
hirenow_status hirenow_read_messages(hirenow_engine* engine, const hirenow_message_query* query,
                                     const hirenow_actor* who, hirenow_rows** out, hirenow_error** error) {
  return ask(engine, error, out, [&](auto& e) { return e.read_messages(read_query(query), read_actor(who)); });
}

}  // extern "C"
