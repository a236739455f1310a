/// Errors, texts, keys, tokens, policies, and the accessors of all answers, for C.

#include "handles.hpp"
#include "json_documents.hpp"
#include "rows.hpp"

#include "hirenow/retake_case.hpp"
#include "hirenow/token.hpp"

namespace hirenow::c {

hirenow_error* no_memory() noexcept {
  static hirenow_error it{{.code = errc::out_of_memory}};
  return &it;
}

}  // namespace hirenow::c

namespace {

using namespace hirenow;
using namespace hirenow::c;

// The lists of the C header are those of the core.
static_assert(HIRENOW_STATE_COUNT == interview_state_count && HIRENOW_STATE_ARCHIVED == int(interview_state::archived));
static_assert(HIRENOW_OUTCOME_VOIDED == int(outcome::voided) && outcome_count == 9);
static_assert(HIRENOW_VERDICT_VALID == int(verdict::valid) && verdict_count == 8);
static_assert(HIRENOW_MESSAGE_CANCELLED == int(message_kind::cancelled) && message_kind_count == 8);
static_assert(HIRENOW_MESSAGE_STATE_DEAD == int(message_state::dead) && message_state_count == 5);
static_assert(HIRENOW_FACT_SCORE == int(fact_kind::score) && fact_kind_count == 6);
static_assert(HIRENOW_ROLE_RECRUITER == int(role::recruiter) && HIRENOW_ROLE_REVIEWER == int(role::reviewer) &&
              HIRENOW_ROLE_ADMIN == int(role::admin));
static_assert(HIRENOW_EVENT_COUNT == event_count && HIRENOW_EVENT_ACCOMMODATE == int(event::accommodate) &&
              HIRENOW_AUTHORITY_CLOCK == int(authority::clock) && HIRENOW_PERMISSION_COUNT == use_case_count);
static_assert(HIRENOW_OVERTIME_SUBMIT == int(overtime::submit) && HIRENOW_KEY_ED25519 == int(key_algorithm::ed25519));

template <class Handle>
hirenow_status make_json(const Handle* handle, const char* what, hirenow_error** error, hirenow_text** out) noexcept {
  return make_text(error, out, [&]() -> result<std::string> { return json_documents::of(alive(handle, what).value); });
}
/// The word of an enumeration that is kept in one byte.
template <class Enum>
const char* word_of(std::int32_t n) noexcept {
  return n < 0 || n > 255 ? "unknown" : to_string(static_cast<Enum>(n)).data();
}
hirenow_status make_keys(hirenow_error** error, hirenow_keys** out, const char* from, const char* what,
                         result<key_ring> (*open)(const char*)) noexcept {
  return make(error, out, [&](hirenow_keys& k) -> result<void> {
    need(from, what);
    return k.value = open(from).value(), result<void>();
  });
}

token_claims read_claims(const hirenow_token_claims* given) {
  const auto c = read(given, "claims");
  return {.issuer = string(c.issuer),
          .audience = string(c.audience),
          .subject = string(c.subject),
          .tenant = string(c.tenant),
          .interview = id(c.interview_id),
          .generation = c.generation,
          .attempt = c.attempt,
          .issued_at = sys_seconds{seconds{c.issued_at}},
          .not_before = sys_seconds{seconds{c.not_before}},
          .expires_at = sys_seconds{seconds{c.expires_at}}};
}

std::vector<attempt> read_attempts(const hirenow_attempt* first, std::size_t count) {
  std::vector<attempt> out;
  for (const auto& a : list(first, count, limits::attempts, "attempts")) {
    if (!std::memchr(a.id, 0, sizeof a.id)) refuse("interview id is not a UUID");
    out.push_back({.track = {},
                   .at = at(a.at, "at"),
                   .decided_at = at_or_none(a.decided_at, "decided_at", HIRENOW_NONE),
                   .result = one_of<outcome>(a.outcome, outcome_count, "outcome"),
                   .score = score(a.has_score, a.score),
                   .id = a.id[0] ? id(a.id) : interview_id{}});
  }
  return out;
}

/// A span that a policy may have.
policy_span span_of(std::int32_t months, std::int64_t span) {
  if (months < 0 || months > 1200 || span < 0 || span > 36'600LL * 86'400) refuse("a span is out of range");
  return {months, static_cast<std::int32_t>(span / 86'400), seconds{span % 86'400}};
}

result<void> read_policy(hirenow_policy& to, const char* json) {
  to.value = json ? retake_policy::parse(json).value() : retake_policy::standard();
  detail::hex(to.value->hash()).copy(to.hash, 64);
  return {};
}

}  // namespace

extern "C" {

// ---- Library, errors, texts -----------------------------------------------------------------------------------------

const char* hirenow_version(void) { return HIRENOW_VERSION; }
const char* hirenow_status_name(hirenow_status status) {
  return status == HIRENOW_OK ? "ok" : to_string(static_cast<errc>(status)).data();
}
const char* hirenow_state_name(int32_t state) { return word_of<interview_state>(state); }
const char* hirenow_outcome_name(int32_t outcome) { return word_of<hirenow::outcome>(outcome); }
const char* hirenow_verdict_name(int32_t verdict) { return to_string(static_cast<hirenow::verdict>(verdict)).data(); }
hirenow_status hirenow_verdict_status(int32_t verdict) {
  if (verdict == HIRENOW_VERDICT_VALID) return HIRENOW_OK;
  if (verdict < 0 || verdict > HIRENOW_VERDICT_VALID) return HIRENOW_TOKEN_INVALID;
  return static_cast<hirenow_status>(error_of(static_cast<hirenow::verdict>(verdict)));
}
const char* hirenow_event_name(int32_t event) { return word_of<hirenow::event>(event); }
const char* hirenow_message_kind_name(int32_t kind) { return word_of<message_kind>(kind); }
const char* hirenow_message_state_name(int32_t state) { return word_of<message_state>(state); }
const char* hirenow_fact_kind_name(int32_t kind) { return word_of<fact_kind>(kind); }
const char* hirenow_delivery_name(int32_t outcome) {
  static constexpr const char* words[] = {"accepted", "temporary", "permanent", "ambiguous"};
  return outcome < 0 || outcome > HIRENOW_DELIVERY_AMBIGUOUS ? "unknown" : words[outcome];
}

void hirenow_error_free(hirenow_error* error) {
  if (error != no_memory()) release(error);
}
hirenow_status hirenow_error_get_status(const hirenow_error* error) {
  return get(error, HIRENOW_OK, [](auto& e) { return static_cast<hirenow_status>(e.value.code); });
}
const char* hirenow_error_get_message(const hirenow_error* error) {
  return get(error, nullptr, [](auto& e) { return e.value.message.c_str(); });
}
const char* hirenow_error_get_reason(const hirenow_error* error) {
  return get(error, nullptr, [](auto& e) { return e.value.reason.c_str(); });
}
const char* hirenow_error_get_superseded_by(const hirenow_error* error) {
  return get(error, nullptr, [](auto& e) { return e.value.superseded_by.c_str(); });
}
int64_t hirenow_error_get_eligible_at(const hirenow_error* error) {
  return get(error, HIRENOW_NONE, [](auto& e) { return instant(e.value.eligible_at); });
}

void hirenow_text_free(hirenow_text* text) { release(text); }
const char* hirenow_text_get(const hirenow_text* text) {
  return get(text, nullptr, [](auto& t) { return t.value.c_str(); });
}
size_t hirenow_text_get_size(const hirenow_text* text) {
  return get(text, 0, [](auto& t) { return t.value.size(); });
}

// ---- Keys, tokens, policies -----------------------------------------------------------------------------------------

hirenow_status hirenow_key_document_new(int32_t algorithm, const char* kid, hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> {
    return new_key_document(one_of<key_algorithm>(algorithm, 2, "algorithm"), text(kid));
  });
}
hirenow_status hirenow_keys_from_json(const char* json, hirenow_keys** out, hirenow_error** error) {
  return make_keys(error, out, json, "json", [](const char* from) { return key_ring::from_json(from); });
}
hirenow_status hirenow_keys_from_file(const char* path, hirenow_keys** out, hirenow_error** error) {
  return make_keys(error, out, path, "path", [](const char* from) { return key_ring::from_file(from); });
}
hirenow_status hirenow_keys_from_environment(const char* variable, hirenow_keys** out, hirenow_error** error) {
  return make_keys(error, out, variable, "variable", [](const char* from) { return key_ring::from_environment(from); });
}
void hirenow_keys_free(hirenow_keys* keys) { release(keys); }
hirenow_status hirenow_keys_reload(hirenow_keys* keys, const char* json, hirenow_error** error) {
  return guard(error, [&] {
    auto& ring = *alive(keys, "keys").value;
    return json ? ring.reload(json) : ring.reload();
  });
}
hirenow_status hirenow_keys_signing_kid(const hirenow_keys* keys, hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&] { return alive(keys, "keys").value->signing_kid(); });
}
hirenow_status hirenow_keys_public_jwks(const hirenow_keys* keys, hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> { return alive(keys, "keys").value->public_jwks(); });
}
hirenow_status hirenow_token_mint(const hirenow_keys* keys, const char* kid, const hirenow_token_claims* claims,
                                  hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&] { return mint_token(*alive(keys, "keys").value, text(kid), read_claims(claims)); });
}
hirenow_status hirenow_token_verify(const hirenow_keys* keys, const char* token, const char* issuer,
                                    const char* audience, hirenow_token** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_token& t) -> result<void> {
    auto claims = verify_token(*alive(keys, "keys").value, text(token), {string(issuer), string(audience)});
    if (!claims) return claims.error();
    t.value = std::move(*claims);
    write_id(t.id, t.value.interview);
    return {};
  });
}
void hirenow_token_free(hirenow_token* token) { release(token); }
hirenow_status hirenow_token_get_claims(const hirenow_token* token, hirenow_token_claims* claims,
                                        hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    const auto& c = alive(token, "token").value;
    give(claims,
         {0, c.issuer.c_str(), c.audience.c_str(), c.subject.c_str(), c.tenant.c_str(), token->id, c.generation,
          c.attempt, instant(c.issued_at), instant(c.not_before), instant(c.expires_at)},
         "claims");
    return {};
  });
}
hirenow_status hirenow_token_json(const hirenow_token* token, hirenow_text** out_json, hirenow_error** error) {
  return make_json(token, "token", error, out_json);
}
hirenow_status hirenow_keys_sign_text(const hirenow_keys* keys, const char* kid, const char* purpose, const char* what,
                                      hirenow_text** out, hirenow_error** error) {
  return make_text(error, out,
                   [&] { return alive(keys, "keys").value->sign_text(text(kid), text(purpose), text(what)); });
}
hirenow_status hirenow_keys_verify_text(const hirenow_keys* keys, const char* kid, const char* purpose,
                                        const char* what, const char* signature, hirenow_error** error) {
  return guard(error, [&] {
    return alive(keys, "keys").value->verify_text(text(kid), text(purpose), text(what), text(signature));
  });
}

hirenow_status hirenow_policy_parse(const char* json, hirenow_policy** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_policy& p) { return read_policy(p, json); });
}
void hirenow_policy_free(hirenow_policy* policy) { release(policy); }
const char* hirenow_policy_get_version(const hirenow_policy* policy) {
  return get(policy, nullptr, [](auto& p) { return p.value->version().c_str(); });
}
const char* hirenow_policy_get_hash(const hirenow_policy* policy) {
  return get(policy, nullptr, [](auto& p) -> const char* { return p.hash; });
}
const char* hirenow_policy_get_document(const hirenow_policy* policy) {
  return get(policy, nullptr, [](auto& p) { return p.value->document().c_str(); });
}
hirenow_status hirenow_policy_evaluate(const hirenow_policy* policy, const hirenow_attempt* attempts,
                                       size_t attempt_count, int64_t now, int32_t schedule, hirenow_eligibility** out,
                                       hirenow_error** error) {
  return make(error, out, [&](hirenow_eligibility& e) -> result<void> {
    e.value = evaluate(*alive(policy, "policy").value, read_attempts(attempts, attempt_count), at(now, "now"),
                       one_of<attempt_kind>(schedule, 2, "schedule"));
    return {};
  });
}
hirenow_status hirenow_policy_evaluate_case(const hirenow_policy* policy, const char* case_json,
                                            hirenow_eligibility** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_eligibility& e) -> result<void> {
    const auto& against = *alive(policy, "policy").value;
    const auto read = retake_case::parse(text(case_json));
    if (!read) return read.error();
    e.value = evaluate(against, read->question());
    return {};
  });
}
hirenow_status hirenow_policy_evaluate_track(const hirenow_policy* policy, const hirenow_rows* record,
                                             const char* track, int64_t now, int32_t schedule,
                                             hirenow_eligibility** out, hirenow_error** error) {
  return make(error, out, [&](hirenow_eligibility& e) -> result<void> {
    const auto& r = record_in(record);
    const auto attempts = attempts_of(r);
    e.value = evaluate(*alive(policy, "policy").value, {.track = text(track),
                                                        .attempts = attempts,
                                                        .facts = r.facts,
                                                        .time_zone = r.person.time_zone,
                                                        .now = at(now, "now"),
                                                        .kind = one_of<attempt_kind>(schedule, 2, "schedule")});
    return {};
  });
}
hirenow_status hirenow_span_add(int64_t from, int32_t months, int64_t span, int64_t* out, hirenow_error** error) {
  put(out, HIRENOW_NONE);
  return guard(error, [&]() -> result<void> {
    need(out, "the place for the answer");
    const auto of = span_of(months, span);
    return *out = instant(wall_calendar(zone_offsets::utc()).add(at(from, "from"), of.months, exact_part(of))),
           result<void>();
  });
}
hirenow_status hirenow_span_words(int32_t months, int64_t span, hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> { return in_words(span_of(months, span)); });
}
hirenow_status hirenow_span_parse(const char* given, int32_t* months, int64_t* span, hirenow_error** error) {
  put(months, 0);
  put<int64_t>(span, 0);
  return guard(error, [&]() -> result<void> {
    const auto read = parse_span(text(given));
    if (!read) return read.error();
    put(months, read->months);
    put<int64_t>(span, exact_part(*read).count());
    return {};
  });
}

// ---- Answers --------------------------------------------------------------------------------------------------------

void hirenow_interview_free(hirenow_interview* interview) { release(interview); }
const char* hirenow_interview_get_id(const hirenow_interview* interview) {
  return get(interview, nullptr, [](auto& i) -> const char* { return i.id; });
}
const char* hirenow_interview_get_track(const hirenow_interview* interview) {
  return get(interview, nullptr, [](auto& i) { return i.value->track.c_str(); });
}
uint32_t hirenow_interview_get_attempt(const hirenow_interview* interview) {
  return get(interview, 0, [](auto& i) { return i.value->attempt; });
}
int32_t hirenow_interview_get_state(const hirenow_interview* interview) {
  return get(interview, HIRENOW_STATE_NONE, [](auto& i) { return static_cast<int32_t>(i.value->state); });
}
int32_t hirenow_interview_get_outcome(const hirenow_interview* interview) {
  return get(interview, HIRENOW_OUTCOME_PENDING, [](auto& i) { return static_cast<int32_t>(i.value->outcome); });
}
int64_t hirenow_interview_get_start_by(const hirenow_interview* interview) {
  return get(interview, HIRENOW_NONE, [](auto& i) { return instant(i.value->start_by); });
}
int64_t hirenow_interview_get_deadline(const hirenow_interview* interview) {
  return get(interview, HIRENOW_NONE, [](auto& i) { return instant(i.value->deadline); });
}
const char* hirenow_interview_get_retake_of(const hirenow_interview* interview) {
  return get(interview, nullptr, [](auto& i) -> const char* { return i.retake_of; });
}
const char* hirenow_interview_get_superseded_by(const hirenow_interview* interview) {
  return get(interview, nullptr, [](auto& i) -> const char* { return i.superseded_by; });
}
const char* hirenow_interview_get_link(const hirenow_interview* interview) {
  return get(interview, nullptr, [](auto& i) { return i.link.c_str(); });
}
int32_t hirenow_interview_get_replayed(const hirenow_interview* interview) {
  return get(interview, 0, [](auto& i) { return static_cast<int32_t>(i.replayed); });
}
const hirenow_interview* hirenow_interview_get_archived(const hirenow_interview* interview) {
  return get(interview, nullptr, [](auto& i) -> const hirenow_interview* { return i.archived.get(); });
}
hirenow_status hirenow_interview_get_row(const hirenow_interview* interview, hirenow_interview_row* row,
                                         hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    const auto& i = alive(interview, "interview");
    return give(row, row_of(*i.value), "row"), result<void>();
  });
}
hirenow_status hirenow_interview_json(const hirenow_interview* interview, hirenow_text** out_json,
                                      hirenow_error** error) {
  return make_text(error, out_json,
                   [&]() -> result<std::string> { return json_documents::of(*alive(interview, "interview").value); });
}

void hirenow_sitting_free(hirenow_sitting* sitting) { release(sitting); }
hirenow_status hirenow_sitting_get_session(const hirenow_sitting* sitting, hirenow_session* session,
                                           hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    const auto& s = alive(sitting, "sitting");
    give(session,
         {0, s.value->session.tenant.c_str(), s.interview.id, s.value->session.fence, s.value->session.key.c_str(),
          s.value->session.key.size()},
         "session");
    return {};
  });
}
const hirenow_interview* hirenow_sitting_get_interview(const hirenow_sitting* sitting) {
  return get(sitting, nullptr, [](auto& s) { return &s.interview; });
}
int64_t hirenow_sitting_get_seconds_left(const hirenow_sitting* sitting) {
  return get(sitting, HIRENOW_NONE, [](auto& s) -> int64_t { return s.value->left.count(); });
}
const char* hirenow_sitting_get_progress(const hirenow_sitting* sitting) {
  return get(sitting, nullptr,
             [](auto& s) -> const char* { return s.value->progress ? s.value->progress->bytes.c_str() : nullptr; });
}
size_t hirenow_sitting_get_progress_size(const hirenow_sitting* sitting) {
  return get(sitting, 0, [](auto& s) { return s.value->progress ? s.value->progress->bytes.size() : std::size_t{0}; });
}
int64_t hirenow_sitting_get_progress_saved_at(const hirenow_sitting* sitting) {
  return get(sitting, HIRENOW_NONE,
             [](auto& s) { return s.value->progress ? instant(s.value->progress->saved_at) : HIRENOW_NONE; });
}

void hirenow_inspection_free(hirenow_inspection* inspection) { release(inspection); }
int32_t hirenow_inspection_get_verdict(const hirenow_inspection* inspection) {
  return get(inspection, HIRENOW_VERDICT_INVALID, [](auto& i) { return static_cast<int32_t>(i.value->verdict); });
}
const char* hirenow_inspection_get_reason(const hirenow_inspection* inspection) {
  return get(inspection, nullptr, [](auto& i) { return i.value->reason.c_str(); });
}
const hirenow_interview* hirenow_inspection_get_interview(const hirenow_inspection* inspection) {
  return get(inspection, nullptr, [](auto& i) { return i.value->interview ? &i.interview : nullptr; });
}
const char* hirenow_inspection_get_applicant_name(const hirenow_inspection* inspection) {
  return get(inspection, nullptr, [](auto& i) { return i.value->applicant_name.c_str(); });
}
const char* hirenow_inspection_get_locale(const hirenow_inspection* inspection) {
  return get(inspection, nullptr, [](auto& i) { return i.value->locale.c_str(); });
}
const char* hirenow_inspection_get_time_zone(const hirenow_inspection* inspection) {
  return get(inspection, nullptr, [](auto& i) { return i.value->time_zone.c_str(); });
}
int64_t hirenow_inspection_get_seconds_left(const hirenow_inspection* inspection) {
  return get(inspection, HIRENOW_NONE, [](auto& i) { return i.value->left ? i.value->left->count() : HIRENOW_NONE; });
}

void hirenow_eligibility_free(hirenow_eligibility* eligibility) { release(eligibility); }
int32_t hirenow_eligibility_get_allowed(const hirenow_eligibility* eligibility) {
  return get(eligibility, 0, [](auto& e) { return static_cast<int32_t>(e.value.allowed); });
}
const char* hirenow_eligibility_get_reason(const hirenow_eligibility* eligibility) {
  return get(eligibility, nullptr, [](auto& e) { return e.value.reason.data(); });  // a literal
}
int64_t hirenow_eligibility_get_eligible_at(const hirenow_eligibility* eligibility) {
  return get(eligibility, HIRENOW_NONE, [](auto& e) { return instant(e.value.eligible_at); });
}
int64_t hirenow_eligibility_get_eligible_until(const hirenow_eligibility* eligibility) {
  return get(eligibility, HIRENOW_NONE, [](auto& e) { return instant(e.value.eligible_until); });
}
int64_t hirenow_eligibility_get_attempts_left(const hirenow_eligibility* eligibility) {
  return get(eligibility, HIRENOW_NONE, [](auto& e) {
    return e.value.attempts_left ? static_cast<int64_t>(*e.value.attempts_left) : HIRENOW_NONE;
  });
}
hirenow_status hirenow_eligibility_describe(const hirenow_eligibility* eligibility, hirenow_text** out,
                                            hirenow_error** error) {
  return make_text(error, out,
                   [&]() -> result<std::string> { return describe(alive(eligibility, "eligibility").value); });
}
hirenow_status hirenow_eligibility_describe_in(const hirenow_eligibility* eligibility, const char* language,
                                               hirenow_text** out, hirenow_error** error) {
  return make_text(error, out, [&]() -> result<std::string> {
    const auto& answer = alive(eligibility, "eligibility").value;
    return describe(answer, explain_language(text(language)));
  });
}
hirenow_status hirenow_eligibility_json(const hirenow_eligibility* eligibility, hirenow_text** out_json,
                                        hirenow_error** error) {
  return make_json(eligibility, "eligibility", error, out_json);
}

void hirenow_actions_free(hirenow_actions* actions) { release(actions); }
size_t hirenow_actions_get_count(const hirenow_actions* actions) {
  return get(actions, 0, [](auto& a) { return a.value.size(); });
}
const char* hirenow_actions_get_event(const hirenow_actions* actions, size_t n) {
  return nth(actions ? &actions->value : nullptr, n, nullptr, [](auto& a) { return to_string(a.event).data(); });
}
const char* hirenow_actions_get_use_case(const hirenow_actions* actions, size_t n) {
  return nth(actions ? &actions->value : nullptr, n, nullptr, [](auto& a) { return to_string(a.what).data(); });
}
int32_t hirenow_actions_get_allowed(const hirenow_actions* actions, size_t n) {
  return nth(actions ? &actions->value : nullptr, n, 0, [](auto& a) { return static_cast<int32_t>(a.allowed); });
}
hirenow_status hirenow_actions_get_status(const hirenow_actions* actions, size_t n) {
  return nth(actions ? &actions->value : nullptr, n, HIRENOW_OK,
             [](auto& a) { return a.why ? status_of(a.why->code) : HIRENOW_OK; });
}
const char* hirenow_actions_get_reason(const hirenow_actions* actions, size_t n) {
  return nth(actions ? &actions->value : nullptr, n, nullptr,
             [](auto& a) -> const char* { return a.why ? a.why->reason.c_str() : ""; });
}
int64_t hirenow_actions_get_eligible_at(const hirenow_actions* actions, size_t n) {
  return nth(actions ? &actions->value : nullptr, n, HIRENOW_NONE,
             [](auto& a) { return a.why ? instant(a.why->eligible_at) : HIRENOW_NONE; });
}
hirenow_status hirenow_actions_json(const hirenow_actions* actions, hirenow_text** out_json, hirenow_error** error) {
  return make_json(actions, "actions", error, out_json);
}

void hirenow_page_free(hirenow_page* page) { release(page); }
size_t hirenow_page_get_count(const hirenow_page* page) {
  return get(page, 0, [](auto& p) { return p.rows.size(); });
}
const hirenow_interview* hirenow_page_get_interview(const hirenow_page* page, size_t n) {
  return nth(page ? &page->rows : nullptr, n, nullptr, [](auto& i) { return &i; });
}
const char* hirenow_page_get_applicant_id(const hirenow_page* page, size_t n) {
  return nth(page ? &page->value.rows : nullptr, n, nullptr, [](auto& r) { return r.applicant_id.c_str(); });
}
const char* hirenow_page_get_applicant_name(const hirenow_page* page, size_t n) {
  return nth(page ? &page->value.rows : nullptr, n, nullptr, [](auto& r) { return r.applicant_name.c_str(); });
}
const char* hirenow_page_get_applicant_email(const hirenow_page* page, size_t n) {
  return nth(page ? &page->value.rows : nullptr, n, nullptr, [](auto& r) { return r.applicant_email.c_str(); });
}
const char* hirenow_page_get_next(const hirenow_page* page) {
  return get(page, nullptr, [](auto& p) { return p.value.next.c_str(); });
}
int64_t hirenow_page_get_state_count(const hirenow_page* page, int32_t state) {
  if (!page || !page->value.counts || state < 0 || state >= HIRENOW_STATE_COUNT) return HIRENOW_NONE;
  return static_cast<int64_t>((*page->value.counts)[static_cast<std::size_t>(state)]);
}
hirenow_status hirenow_page_json(const hirenow_page* page, hirenow_text** out_json, hirenow_error** error) {
  return make_json(page, "page", error, out_json);
}

void hirenow_sweep_report_free(hirenow_sweep_report* report) { release(report); }
size_t hirenow_sweep_report_get_records(const hirenow_sweep_report* report) {
  return get(report, 0, [](auto& r) { return r.value.records; });
}
size_t hirenow_sweep_report_get_events(const hirenow_sweep_report* report) {
  return get(report, 0, [](auto& r) { return r.value.events; });
}
int32_t hirenow_sweep_report_get_more(const hirenow_sweep_report* report) {
  return get(report, 0, [](auto& r) { return static_cast<int32_t>(r.value.more); });
}
size_t hirenow_sweep_report_get_failed_count(const hirenow_sweep_report* report) {
  return get(report, 0, [](auto& r) { return r.value.failed.size(); });
}
const char* hirenow_sweep_report_get_failed_tenant(const hirenow_sweep_report* report, size_t n) {
  return nth(report ? &report->value.failed : nullptr, n, nullptr, [](auto& f) { return f.record.tenant.c_str(); });
}
const char* hirenow_sweep_report_get_failed_applicant_id(const hirenow_sweep_report* report, size_t n) {
  return nth(report ? &report->value.failed : nullptr, n, nullptr,
             [](auto& f) { return f.record.applicant_id.c_str(); });
}
hirenow_status hirenow_sweep_report_get_failed_status(const hirenow_sweep_report* report, size_t n) {
  return nth(report ? &report->value.failed : nullptr, n, HIRENOW_OK, [](auto& f) { return status_of(f.error.code); });
}
hirenow_status hirenow_sweep_report_json(const hirenow_sweep_report* report, hirenow_text** out_json,
                                         hirenow_error** error) {
  return make_json(report, "report", error, out_json);
}

void hirenow_person_free(hirenow_person* person) { release(person); }
hirenow_status hirenow_person_get(const hirenow_person* person, hirenow_applicant* out, hirenow_error** error) {
  return guard(error, [&]() -> result<void> {
    const auto& p = alive(person, "person").value.person;
    give(out, {0, p.id.c_str(), p.email.c_str(), p.name.c_str(), p.locale.c_str(), p.time_zone.c_str()}, "applicant");
    return {};
  });
}
int32_t hirenow_person_get_replayed(const hirenow_person* person) {
  return get(person, 0, [](auto& p) { return static_cast<int32_t>(p.value.replayed); });
}

}  // extern "C"
