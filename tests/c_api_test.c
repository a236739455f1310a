/* The C interface from strict C99: what every function does, and what it survives. A store, a mailer and a clock written
 * in C stand under all of it. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "c/memory_store.h"

static int failures, checks;

#define CHECK(condition) \
  (++checks, (condition) ? (void)0 : (++failures, (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition)))
#define IS(call, expected) is((call), (expected), #call, __LINE__)

static void is(hirenow_status got, hirenow_status expected, const char *call, int line) {
  ++checks;
  if (got == expected) return;
  ++failures;
  fprintf(stderr, "%s:%d: %s is %s (%d), not %s\n", __FILE__, line, call, hirenow_status_name(got), (int)got,
          hirenow_status_name(expected));
}

static int has(const hirenow_text *text, const char *part) {
  return text && strstr(hirenow_text_get(text), part) != NULL;
}

static const char *token_of(const char *link) {
  const char *mark = link ? strchr(link, '#') : NULL;
  return mark ? mark + 1 : "";
}

/* ---- A world: clock, keys, store, engine, mailer, dispatcher ---- */

static const int64_t start = 1772442000; /* 2026-03-02T09:00:00Z */
static const int64_t day = 86400;

struct world {
  int64_t now;
  hirenow_engine *engine;
  hirenow_dispatcher *dispatcher;
  hirenow_clock *clock;
  hirenow_keys *keys;
  hirenow_mailer *mailer;
  hirenow_actor admin, recruiter, nobody;
  int32_t outcome; /* of the next delivery */
  int mails, events, warnings, destroyed;
  char text[8192];
  /* What a callback does beside its work. */
  void (*meddle)(struct world *w);
  hirenow_status meddled;
};

static void meddle(struct world *w) {
  void (*with)(struct world *) = w->meddle;
  w->meddle = NULL;
  if (with) with(w);
}

static int64_t tell_time(void *ctx) {
  struct world *w = ctx;
  meddle(w);
  return w->now;
}
static hirenow_status take_mail(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  struct world *w = ctx;
  ++w->mails;
  snprintf(w->text, sizeof w->text, "%s\n%s", mail->subject, mail->text);
  meddle(w);
  *outcome = w->outcome;
  return hirenow_reply_set_delivery(reply, w->outcome ? 550 : 250, "answered");
}
static void take_event(void *ctx, const hirenow_dispatch_event *event) {
  struct world *w = ctx;
  CHECK(event->struct_size == sizeof *event && strcmp(event->answer, "answered") == 0);
  __atomic_fetch_add(&w->events, 1, __ATOMIC_SEQ_CST);
}
static void take_warning(void *ctx, const char *message) {
  struct world *w = ctx;
  w->warnings += message[0] != '\0';
}
static void count_destroy(void *ctx) { ++((struct world *)ctx)->destroyed; }

static hirenow_actor actor(const char *id, uint32_t roles) {
  hirenow_actor a = HIRENOW_ACTOR_INIT;
  a.id = id;
  a.tenant = "acme";
  a.roles = roles;
  return a;
}

static void open_world(struct world *w, hirenow_store *store) {
  memset(w, 0, sizeof *w);
  w->now = start;
  w->admin = actor("anna", HIRENOW_ROLE_ADMIN);
  w->recruiter = actor("rosa", HIRENOW_ROLE_RECRUITER);
  w->nobody = actor("nemo", 0);
  hirenow_clock_callbacks clock = HIRENOW_CLOCK_CALLBACKS_INIT;
  clock.ctx = w;
  clock.now = tell_time;
  clock.destroy = count_destroy;
  IS(hirenow_clock_new(&clock, &w->clock, NULL), HIRENOW_OK);
  hirenow_text *document;
  IS(hirenow_key_document_new(HIRENOW_KEY_HS256, "k1", &document, NULL), HIRENOW_OK);
  IS(hirenow_keys_from_json(hirenow_text_get(document), &w->keys, NULL), HIRENOW_OK);
  hirenow_text_free(document);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  options.clock = w->clock;
  options.link_base = "https://example.com/i";
  IS(hirenow_engine_new(store, &options, &w->engine, NULL), HIRENOW_OK);
  hirenow_mailer_callbacks mailer = HIRENOW_MAILER_CALLBACKS_INIT;
  mailer.ctx = w;
  mailer.send = take_mail;
  mailer.destroy = count_destroy;
  IS(hirenow_mailer_new(&mailer, &w->mailer, NULL), HIRENOW_OK);
  hirenow_dispatcher_options dispatching = HIRENOW_DISPATCHER_OPTIONS_INIT;
  dispatching.sender_address = "jobs@example.com";
  dispatching.ctx = w;
  dispatching.on_event = take_event;
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &dispatching, &w->dispatcher, NULL), HIRENOW_OK);
}

static void close_world(struct world *w) {
  /* In an order that shows that handles keep what they need. */
  hirenow_clock_free(w->clock);
  hirenow_keys_free(w->keys);
  hirenow_mailer_free(w->mailer);
  hirenow_engine_free(w->engine);
  CHECK(w->destroyed == 0);
  IS(hirenow_dispatcher_run_once(w->dispatcher, 0, NULL, NULL), HIRENOW_OK);
  hirenow_dispatcher_free(w->dispatcher);
  CHECK(w->destroyed == 2);
}

static hirenow_interview *schedule(struct world *w, const char *person, const char *track) {
  hirenow_applicant a = HIRENOW_APPLICANT_INIT;
  a.id = person;
  a.email = "someone@example.com";
  a.name = "J\xc3\xb6rg";
  const int64_t reminders[] = {3600, 60};
  hirenow_schedule_request r = HIRENOW_SCHEDULE_REQUEST_INIT;
  r.applicant = &a;
  r.track = track;
  r.reminder_seconds = reminders;
  r.reminder_count = 2;
  r.grace_seconds = 30;
  hirenow_interview *out = NULL;
  hirenow_error *error;
  IS(hirenow_schedule(w->engine, &r, &w->recruiter, &out, &error), HIRENOW_OK);
  hirenow_error_free(error);
  return out;
}

static hirenow_interview *sit_and_submit(struct world *w, const char *person, const char *track) {
  hirenow_interview *i = schedule(w, person, track), *submitted = NULL;
  hirenow_sitting *s = NULL;
  IS(hirenow_start(w->engine, token_of(hirenow_interview_get_link(i)), "a key of sixteen bytes", &s, NULL), HIRENOW_OK);
  hirenow_session session = HIRENOW_SESSION_INIT;
  IS(hirenow_sitting_get_session(s, &session), HIRENOW_OK);
  IS(hirenow_submit(w->engine, &session, "a\0b", 3, NULL, &submitted, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_state(submitted) == HIRENOW_STATE_SUBMITTED);
  hirenow_interview_free(submitted);
  hirenow_sitting_free(s);
  return i;
}

/* ---- What every function does ---- */

static void test_inviting_and_sitting(struct world *w) {
  hirenow_error *error = NULL;
  hirenow_interview *i = schedule(w, "ada", "inviting"), *other = NULL;
  const char *id = hirenow_interview_get_id(i);
  char token[8192];
  snprintf(token, sizeof token, "%s", token_of(hirenow_interview_get_link(i)));
  CHECK(strlen(id) == 36 && strcmp(hirenow_interview_get_track(i), "inviting") == 0);
  CHECK(hirenow_interview_get_attempt(i) == 1 && hirenow_interview_get_state(i) == HIRENOW_STATE_SCHEDULED);
  CHECK(hirenow_interview_get_outcome(i) == HIRENOW_OUTCOME_PENDING && !hirenow_interview_get_replayed(i));
  CHECK(hirenow_interview_get_start_by(i) == w->now + 3 * day && hirenow_interview_get_deadline(i) == HIRENOW_NONE);
  CHECK(!*hirenow_interview_get_retake_of(i) && !*hirenow_interview_get_superseded_by(i));
  CHECK(hirenow_interview_get_archived(i) == NULL);
  hirenow_text *json = NULL, *link = NULL;
  IS(hirenow_interview_json(i, &json, NULL), HIRENOW_OK);
  CHECK(has(json, "\"hirenow_json\":1") && has(json, "\"state\":\"scheduled\"") && !has(json, token));
  hirenow_text_free(json);
  IS(hirenow_link_of(w->engine, "ada", id, &w->recruiter, &link, NULL), HIRENOW_OK);
  CHECK(link && strcmp(hirenow_text_get(link), hirenow_interview_get_link(i)) == 0);
  hirenow_text_free(link);
  hirenow_actor reviewer = actor("vik", HIRENOW_ROLE_REVIEWER);
  IS(hirenow_link_of(w->engine, "ada", id, &reviewer, &link, NULL), HIRENOW_PERMISSION_DENIED);
  IS(hirenow_link_of(w->engine, "bob", id, &w->recruiter, &link, NULL), HIRENOW_NOT_FOUND);

  hirenow_inspection *seen = NULL;
  IS(hirenow_inspect(w->engine, token, &seen, NULL), HIRENOW_OK);
  CHECK(hirenow_inspection_get_verdict(seen) == HIRENOW_VERDICT_VALID && !*hirenow_inspection_get_reason(seen));
  CHECK(strcmp(hirenow_inspection_get_applicant_name(seen), "J\xc3\xb6rg") == 0);
  CHECK(!*hirenow_inspection_get_locale(seen) && !*hirenow_inspection_get_time_zone(seen));
  CHECK(hirenow_inspection_get_seconds_left(seen) == 3 * day && hirenow_inspection_get_interview(seen));
  hirenow_inspection_free(seen);
  IS(hirenow_inspect(w->engine, "no token", &seen, NULL), HIRENOW_OK);
  CHECK(hirenow_inspection_get_verdict(seen) == HIRENOW_VERDICT_INVALID && *hirenow_inspection_get_reason(seen));
  CHECK(!hirenow_inspection_get_interview(seen) && hirenow_inspection_get_seconds_left(seen) == HIRENOW_NONE);
  hirenow_inspection_free(seen);

  /* A reissue kills the link; its holder asks for the new one. */
  IS(hirenow_reissue(w->engine, id, &w->recruiter, NULL, &other, NULL), HIRENOW_OK);
  snprintf(token, sizeof token, "%s", token_of(hirenow_interview_get_link(other)));
  hirenow_interview_free(other);
  hirenow_retake_options terms = HIRENOW_RETAKE_OPTIONS_INIT;
  terms.has_grace = 1;
  IS(hirenow_reissue(w->engine, id, &w->recruiter, &terms, &other, NULL), HIRENOW_INVALID_ARGUMENT);
  int32_t queued = -1, noted = -1;
  IS(hirenow_request_link(w->engine, token_of(hirenow_interview_get_link(i)), "ask", &queued, &noted, NULL), HIRENOW_OK);
  CHECK(queued == 1 && noted == 1);

  hirenow_sitting *first = NULL, *second = NULL;
  IS(hirenow_start(w->engine, token, "short", &first, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(first == NULL);
  IS(hirenow_start(w->engine, token, "a key of sixteen bytes", &first, NULL), HIRENOW_OK);
  CHECK(hirenow_sitting_get_seconds_left(first) == day && hirenow_sitting_get_progress(first) == NULL);
  CHECK(hirenow_interview_get_deadline(hirenow_sitting_get_interview(first)) == w->now + day);
  hirenow_session session = HIRENOW_SESSION_INIT;
  IS(hirenow_sitting_get_session(first, &session), HIRENOW_OK);
  CHECK(session.fence == 1 && strcmp(session.interview_id, id) == 0 && strcmp(session.tenant, "acme") == 0);
  int64_t saved = 0;
  IS(hirenow_checkpoint(w->engine, &session, "x\0y", 3, &saved, NULL), HIRENOW_OK);
  CHECK(saved == w->now);
  IS(hirenow_resume(w->engine, token, "another key of 16 bytes", &second, NULL), HIRENOW_OK);
  CHECK(hirenow_sitting_get_progress_size(second) == 3 && memcmp(hirenow_sitting_get_progress(second), "x\0y", 4) == 0);
  IS(hirenow_checkpoint(w->engine, &session, "z", 1, &saved, &error), HIRENOW_STALE_SESSION);
  CHECK(hirenow_error_get_status(error) == HIRENOW_STALE_SESSION && *hirenow_error_get_message(error));
  CHECK(!*hirenow_error_get_reason(error) && !*hirenow_error_get_superseded_by(error));
  CHECK(saved == HIRENOW_NONE && hirenow_error_get_eligible_at(error) == HIRENOW_NONE);
  hirenow_error_free(error);
  hirenow_text *progress = NULL;
  IS(hirenow_read_progress(w->engine, id, &w->admin, &progress, &saved, NULL), HIRENOW_OK);
  CHECK(hirenow_text_get_size(progress) == 3 && saved == w->now);
  hirenow_text_free(progress);
  hirenow_interview *bob = schedule(w, "bob", "inviting");
  IS(hirenow_read_progress(w->engine, hirenow_interview_get_id(bob), &w->admin, &progress, &saved, NULL), HIRENOW_OK);
  CHECK(progress == NULL && saved == HIRENOW_NONE);
  hirenow_change change = HIRENOW_CHANGE_INIT;
  change.notify = HIRENOW_NOTIFY_NONE;
  IS(hirenow_withdraw(w->engine, token_of(hirenow_interview_get_link(bob)), &change, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_outcome(other) == HIRENOW_OUTCOME_WITHDRAWN);
  hirenow_interview_free(other);
  IS(hirenow_cancel(w->engine, id, &w->recruiter, NULL, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_state(other) == HIRENOW_STATE_CANCELLED);
  hirenow_interview_free(other);
  hirenow_interview_free(bob);
  hirenow_sitting_free(second);
  hirenow_sitting_free(first);
  hirenow_interview_free(i);
}

static void test_deciding_and_retake(struct world *w) {
  hirenow_error *error = NULL;
  hirenow_interview *i = sit_and_submit(w, "cleo", "deciding"), *other = NULL;
  char id[40];
  snprintf(id, sizeof id, "%s", hirenow_interview_get_id(i));
  hirenow_change change = HIRENOW_CHANGE_INIT;
  change.outcome = HIRENOW_OUTCOME_PASSED;
  change.has_score = 1;
  change.score = 0.5;
  IS(hirenow_decide(w->engine, id, &w->nobody, &change, &other, NULL), HIRENOW_PERMISSION_DENIED);
  IS(hirenow_decide(w->engine, id, &w->admin, &change, &other, NULL), HIRENOW_OK);
  hirenow_interview_free(other);
  hirenow_change reopening = HIRENOW_CHANGE_INIT;
  reopening.reason = "a mistake";
  IS(hirenow_reopen(w->engine, id, &w->admin, &reopening, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_state(other) == HIRENOW_STATE_ON_HOLD);
  hirenow_interview_free(other);
  change.outcome = HIRENOW_OUTCOME_FAILED;
  change.idempotency_key = "decide-1";
  IS(hirenow_decide(w->engine, id, &w->admin, &change, &other, NULL), HIRENOW_OK);
  hirenow_interview_free(other);
  IS(hirenow_decide(w->engine, id, &w->admin, &change, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_replayed(other));
  hirenow_interview_free(other);
  change.score = 0.75;
  IS(hirenow_decide(w->engine, id, &w->admin, &change, &other, NULL), HIRENOW_IDEMPOTENCY_MISMATCH);
  CHECK(other == NULL);

  hirenow_eligibility *may = NULL;
  IS(hirenow_retake_eligibility(w->engine, id, &w->recruiter, &may, NULL), HIRENOW_OK);
  CHECK(!hirenow_eligibility_get_allowed(may) && strcmp(hirenow_eligibility_get_reason(may), "cooldown") == 0);
  CHECK(hirenow_eligibility_get_eligible_at(may) == w->now + 14 * day);
  CHECK(hirenow_eligibility_get_eligible_until(may) == HIRENOW_NONE);
  CHECK(hirenow_eligibility_get_attempts_left(may) == HIRENOW_NONE);
  hirenow_text *text = NULL;
  IS(hirenow_eligibility_json(may, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"wait_seconds\":1209600") && has(text, "\"policy_hash\":\""));
  hirenow_text_free(text);
  IS(hirenow_eligibility_describe(may, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "14 days after the last attempt"));
  hirenow_text_free(text);
  hirenow_eligibility_free(may);

  hirenow_actions *actions = NULL;
  IS(hirenow_permitted_actions(w->engine, id, &w->recruiter, &actions, NULL), HIRENOW_OK);
  int seen = 0;
  for (size_t n = 0; n < hirenow_actions_get_count(actions); ++n)
    if (strcmp(hirenow_actions_get_event(actions, n), "retake") == 0)
      seen = !hirenow_actions_get_allowed(actions, n) &&
             hirenow_actions_get_status(actions, n) == HIRENOW_NOT_ELIGIBLE;
  CHECK(seen && hirenow_actions_get_event(actions, 1000) == NULL);
  IS(hirenow_actions_json(actions, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"event\":\"retake\""));
  hirenow_text_free(text);
  hirenow_actions_free(actions);

  IS(hirenow_retake(w->engine, id, &w->recruiter, NULL, &other, &error), HIRENOW_NOT_ELIGIBLE);
  CHECK(hirenow_error_get_eligible_at(error) == w->now + 14 * day);
  hirenow_error_free(error);
  w->now += 14 * day;
  hirenow_retake_options terms = HIRENOW_RETAKE_OPTIONS_INIT;
  terms.idempotency_key = "again";
  terms.has_overtime = 1;
  terms.overtime = HIRENOW_OVERTIME_SUBMIT;
  IS(hirenow_retake(w->engine, id, &w->recruiter, &terms, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_attempt(other) == 2 && strcmp(hirenow_interview_get_retake_of(other), id) == 0);
  const hirenow_interview *archived = hirenow_interview_get_archived(other);
  CHECK(hirenow_interview_get_state(archived) == HIRENOW_STATE_ARCHIVED);
  CHECK(strcmp(hirenow_interview_get_superseded_by(archived), hirenow_interview_get_id(other)) == 0);
  hirenow_interview *late = NULL;
  IS(hirenow_retake(w->engine, id, &w->recruiter, NULL, &late, &error), HIRENOW_SUPERSEDED);
  CHECK(strcmp(hirenow_error_get_superseded_by(error), hirenow_interview_get_id(other)) == 0);
  hirenow_error_free(error);
  hirenow_interview_free(other);

  hirenow_interview *spoilt = sit_and_submit(w, "dora", "deciding");
  change = (hirenow_change)HIRENOW_CHANGE_INIT;
  IS(hirenow_void(w->engine, hirenow_interview_get_id(spoilt), &w->admin, &change, &other, NULL),
     HIRENOW_INVALID_ARGUMENT);
  change.reason_code = "power_cut";
  IS(hirenow_void(w->engine, hirenow_interview_get_id(spoilt), &w->admin, &change, &other, NULL), HIRENOW_OK);
  hirenow_interview_free(other);
  hirenow_interview_free(spoilt);
  hirenow_interview_free(i);
}

static void test_records_and_reading(struct world *w) {
  hirenow_interview *i = schedule(w, "eve", "reading"), *found = NULL;
  const char *id = hirenow_interview_get_id(i);
  hirenow_applicant person = HIRENOW_APPLICANT_INIT;
  person.id = "eve";
  person.email = "eve@example.com";
  int32_t replayed = -1;
  for (int n = 0; n < 2; ++n) {
    IS(hirenow_update_applicant(w->engine, &person, &w->recruiter, "update", &replayed, NULL), HIRENOW_OK);
    CHECK(replayed == n);
  }
  hirenow_fact fact = HIRENOW_FACT_INIT;
  fact.kind = HIRENOW_FACT_PERIOD;
  fact.name = "leave";
  fact.at = w->now;
  fact.until = w->now + day;
  IS(hirenow_record_fact(w->engine, "eve", &fact, &w->recruiter, NULL, &replayed, NULL), HIRENOW_OK);
  hirenow_error *error = NULL;
  IS(hirenow_set_policy(w->engine, "reading", "{", &w->admin, &error), HIRENOW_POLICY_INVALID);
  hirenow_error_free(error);
  IS(hirenow_set_policy(w->engine, "reading", "{\"hirenow_policy\":1,\"version\":\"v\",\"rules\":[]}", &w->admin, NULL),
     HIRENOW_OK);
  IS(hirenow_set_policy(w->engine, "reading", NULL, &w->admin, NULL), HIRENOW_OK);
  IS(hirenow_find(w->engine, id, &w->recruiter, &found, NULL), HIRENOW_OK);
  CHECK(strcmp(hirenow_interview_get_id(found), id) == 0 && !*hirenow_interview_get_link(found));
  hirenow_interview_free(found);
  hirenow_actor stranger = w->admin;
  stranger.tenant = "other";
  IS(hirenow_find(w->engine, id, &stranger, &found, NULL), HIRENOW_NOT_FOUND);

  hirenow_list_query query = HIRENOW_LIST_QUERY_INIT;
  hirenow_page *page = NULL;
  query.limit = 1;
  size_t rows = 0;
  char cursor[2048] = "";
  do {
    query.cursor = cursor;
    IS(hirenow_list(w->engine, &query, &w->recruiter, &page, NULL), HIRENOW_OK);
    rows += hirenow_page_get_count(page);
    CHECK(hirenow_page_get_applicant_id(page, 0) && hirenow_page_get_interview(page, 0));
    CHECK(hirenow_page_get_interview(page, 1) == NULL);
    snprintf(cursor, sizeof cursor, "%s", hirenow_page_get_next(page));
    hirenow_page_free(page);
  } while (cursor[0] && rows < 100);
  IS(hirenow_list(w->engine, NULL, &w->recruiter, &page, NULL), HIRENOW_OK);
  int64_t counted = 0;
  for (int32_t s = 0; s < HIRENOW_STATE_COUNT; ++s) counted += hirenow_page_get_state_count(page, s);
  CHECK(rows == hirenow_page_get_count(page) && counted == (int64_t)rows);
  CHECK(hirenow_page_get_state_count(page, 99) == HIRENOW_NONE);
  hirenow_text *text = NULL;
  IS(hirenow_page_json(page, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"counts\":{\"scheduled\":"));
  hirenow_text_free(text);
  hirenow_page_free(page);
  query = (hirenow_list_query)HIRENOW_LIST_QUERY_INIT;
  query.state = 77;
  IS(hirenow_list(w->engine, &query, &w->recruiter, &page, NULL), HIRENOW_INVALID_ARGUMENT);

  IS(hirenow_history(w->engine, id, &w->recruiter, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"email\":\"eve@example.com\"") && has(text, "\"attempts\":[{"));
  hirenow_text_free(text);
  IS(hirenow_read_audit(w->engine, "eve", &w->recruiter, 0, 0, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"sequence\":1,") && has(text, "\"event\":\"record_fact\""));
  hirenow_text_free(text);
  uint64_t entries = 0;
  uint8_t head[32] = {0};
  IS(hirenow_verify_audit(w->engine, "eve", &w->recruiter, &entries, head, NULL), HIRENOW_OK);
  CHECK(entries >= 3 && (head[0] || head[1] || head[2]));
  IS(hirenow_audit_checkpoint(w->engine, &w->admin, &text, NULL), HIRENOW_OK);
  size_t records = 0;
  IS(hirenow_verify_audit_checkpoint(w->engine, hirenow_text_get(text), &w->admin, &records, NULL), HIRENOW_OK);
  CHECK(records >= 1);
  IS(hirenow_verify_audit_checkpoint(w->engine, "{}", &w->admin, &records, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_text_free(text);
  hirenow_message_query which = HIRENOW_MESSAGE_QUERY_INIT;
  which.interview_id = id;
  IS(hirenow_read_messages(w->engine, &which, &w->recruiter, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"kind\":\"reminder\""));
  hirenow_text_free(text);
  hirenow_message_key key;
  memset(&key, 0, sizeof key);
  snprintf(key.interview_id, sizeof key.interview_id, "%s", id);
  key.occasion = 1;
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_INVALID_TRANSITION);
  memset(key.interview_id, 'x', sizeof key.interview_id); /* without its NUL */
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_erase_applicant(w->engine, "eve", &w->admin, "erase", NULL), HIRENOW_OK);
  IS(hirenow_update_applicant(w->engine, &person, &w->recruiter, NULL, &replayed, NULL), HIRENOW_ERASED);
  hirenow_interview *due = schedule(w, "finn", "reading");
  w->now += 4 * day;
  IS(hirenow_sweep(w->engine, 0, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"failed\":[]") && has(text, "\"more\":false"));
  hirenow_text_free(text);
  hirenow_interview_free(due);
  hirenow_interview_free(i);
}

static void *run_dispatcher(void *ctx) {
  struct world *w = ctx;
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  IS(hirenow_dispatcher_run(w->dispatcher, 2, &report, NULL), HIRENOW_OK);
  CHECK(report.accepted >= 1);
  return NULL;
}

static void test_mail(struct world *w) {
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  IS(hirenow_dispatcher_run_once(w->dispatcher, 0, &report, NULL), HIRENOW_OK);
  hirenow_interview *i = schedule(w, "gus", "mail");
  IS(hirenow_dispatcher_run_once(w->dispatcher, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.accepted == 1 && strstr(w->text, hirenow_interview_get_link(i)));
  hirenow_interview_free(i);
  w->outcome = HIRENOW_DELIVERY_PERMANENT;
  i = schedule(w, "hal", "mail");
  IS(hirenow_dispatcher_run_once(w->dispatcher, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.dead == 1);
  hirenow_message_key key;
  memset(&key, 0, sizeof key);
  snprintf(key.interview_id, sizeof key.interview_id, "%s", hirenow_interview_get_id(i));
  key.occasion = 1;
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_OK);
  hirenow_interview_free(i);
  w->outcome = HIRENOW_DELIVERY_ACCEPTED;
  const int before = __atomic_load_n(&w->events, __ATOMIC_SEQ_CST);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run_dispatcher, w) == 0);
  IS(hirenow_dispatcher_wake(w->dispatcher), HIRENOW_OK);
  while (__atomic_load_n(&w->events, __ATOMIC_SEQ_CST) == before) sched_yield();
  IS(hirenow_dispatcher_run_once(w->dispatcher, 0, NULL, NULL), HIRENOW_REENTRANT_CALL);
  IS(hirenow_dispatcher_stop(w->dispatcher), HIRENOW_OK);
  pthread_join(thread, NULL);

  hirenow_templates *templates = NULL;
  IS(hirenow_templates_new(&templates, NULL), HIRENOW_OK);
  IS(hirenow_templates_set(templates, HIRENOW_MESSAGE_CANCELLED, "en", "Off", "{{nonsense}}", NULL, NULL),
     HIRENOW_TEMPLATE_INVALID);
  IS(hirenow_templates_set(templates, 99, "en", "Off", "x", NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_templates_set(templates, HIRENOW_MESSAGE_INVITATION, "en", "Come to {{track_title}}", "{{link}}", NULL,
                           NULL),
     HIRENOW_OK);
  hirenow_dispatcher_options options = HIRENOW_DISPATCHER_OPTIONS_INIT;
  options.templates = templates;
  hirenow_dispatcher *other = NULL;
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &other, NULL), HIRENOW_INVALID_ARGUMENT);
  options.sender_address = "x@example.com";
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &other, NULL), HIRENOW_OK);
  hirenow_templates_free(templates);
  i = schedule(w, "ivy", "mail");
  IS(hirenow_dispatcher_run_once(other, 0, NULL, NULL), HIRENOW_OK);
  CHECK(strncmp(w->text, "Come to mail", 12) == 0);
  hirenow_dispatcher_free(other);
  hirenow_interview_free(i);
  hirenow_smtp_options smtp = HIRENOW_SMTP_OPTIONS_INIT;
  hirenow_mailer *mailer = NULL;
  IS(hirenow_mailer_open_smtp(&smtp, &mailer, NULL), HIRENOW_INVALID_ARGUMENT);
  smtp.host = "localhost";
  smtp.port = 70000;
  IS(hirenow_mailer_open_smtp(&smtp, &mailer, NULL), HIRENOW_INVALID_ARGUMENT);
  smtp.port = 25;
  IS(hirenow_mailer_open_smtp(&smtp, &mailer, NULL), HIRENOW_OK);
  hirenow_mailer_free(mailer);
}

static void test_keys_tokens_policies(void) {
  hirenow_text *document = NULL, *text = NULL;
  hirenow_keys *keys = NULL;
  IS(hirenow_key_document_new(7, "k", &document, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_key_document_new(HIRENOW_KEY_ED25519, "", &document, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_key_document_new(HIRENOW_KEY_ED25519, "k", &document, NULL), HIRENOW_OK);
  IS(hirenow_keys_from_file("/nonexistent", &keys, NULL), HIRENOW_KEY_INVALID);
  IS(hirenow_keys_from_environment("HIRENOW_NO_SUCH_VARIABLE", &keys, NULL), HIRENOW_KEY_INVALID);
  IS(hirenow_keys_from_json(hirenow_text_get(document), &keys, NULL), HIRENOW_OK);
  IS(hirenow_keys_signing_kid(keys, &text, NULL), HIRENOW_OK);
  CHECK(text && strcmp(hirenow_text_get(text), "k") == 0);
  hirenow_text_free(text);
  IS(hirenow_keys_public_jwks(keys, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"OKP\"") && !has(text, "\"d\":"));
  hirenow_text_free(text);
  IS(hirenow_keys_reload(keys, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_reload(keys, "{}", NULL), HIRENOW_KEY_INVALID);
  IS(hirenow_keys_reload(keys, hirenow_text_get(document), NULL), HIRENOW_OK);
  hirenow_token_claims claims = HIRENOW_TOKEN_CLAIMS_INIT;
  claims.issuer = "i";
  claims.audience = "a";
  claims.subject = "s";
  claims.tenant = "t";
  claims.interview_id = "0190f5fe-7c00-7a3b-8d41-5e6f708192a3";
  claims.generation = claims.attempt = 1;
  claims.expires_at = 100;
  IS(hirenow_token_mint(keys, "other", &claims, &text, NULL), HIRENOW_KEY_INVALID);
  IS(hirenow_token_mint(keys, "k", &claims, &text, NULL), HIRENOW_OK);
  hirenow_text *read = NULL;
  IS(hirenow_token_verify(keys, hirenow_text_get(text), "i", "a", &read, NULL), HIRENOW_OK);
  CHECK(has(read, "\"sub\":\"s\"") && has(read, "\"exp\":100"));
  hirenow_text_free(read);
  hirenow_error *error = NULL;
  IS(hirenow_token_verify(keys, hirenow_text_get(text), "i", "other", &read, &error), HIRENOW_TOKEN_INVALID);
  CHECK(strcmp(hirenow_error_get_reason(error), "audience") == 0);
  hirenow_error_free(error);
  hirenow_text_free(text);
  hirenow_keys_free(keys);
  hirenow_text_free(document);

  hirenow_policy *policy = NULL;
  IS(hirenow_policy_parse("[]", &policy, NULL), HIRENOW_POLICY_INVALID);
  IS(hirenow_policy_parse(NULL, &policy, NULL), HIRENOW_OK);
  CHECK(*hirenow_policy_get_version(policy) && strlen(hirenow_policy_get_hash(policy)) == 64);
  const hirenow_attempt attempt = {"", start, HIRENOW_NONE, HIRENOW_OUTCOME_FAILED, 0, 0.0};
  hirenow_eligibility *may = NULL;
  IS(hirenow_policy_evaluate(policy, &attempt, 1, start + 14 * day, 0, &may, NULL), HIRENOW_OK);
  CHECK(hirenow_eligibility_get_allowed(may));
  hirenow_eligibility_free(may);
  IS(hirenow_policy_evaluate(policy, NULL, 1, start, 0, &may, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policy_evaluate(policy, &attempt, 1, start, 9, &may, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policy_evaluate_case(policy, "{\"history\": 1}", &may, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policy_evaluate_case(policy,
                                  "{\"now\": \"2026-03-02T00:00:00Z\", \"history\": "
                                  "[{\"at\": \"2026-03-01T00:00:00Z\", \"outcome\": \"failed\"}]}",
                                  &may, NULL),
     HIRENOW_OK);
  CHECK(hirenow_eligibility_get_eligible_at(may) == 1773532800);
  hirenow_text *german = NULL;
  IS(hirenow_eligibility_describe_in(may, "de-AT", &german, NULL), HIRENOW_OK);
  CHECK(strstr(hirenow_text_get(german), "14 Tage nach dem letzten Versuch"));
  hirenow_text_free(german);
  hirenow_eligibility_free(may);
  hirenow_policy_free(policy);
  int32_t months = -1;
  int64_t seconds = -1;
  IS(hirenow_span_parse("P1M", &months, &seconds, NULL), HIRENOW_OK);
  CHECK(months == 1 && seconds == 0);
  IS(hirenow_span_parse("1M", &months, &seconds, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(strcmp(hirenow_state_name(3), "passed") == 0 && strcmp(hirenow_state_name(-1), "unknown") == 0);
  CHECK(strcmp(hirenow_outcome_name(4), "no_show") == 0 && strcmp(hirenow_verdict_name(7), "valid") == 0);
  CHECK(strcmp(hirenow_verdict_name(-9), "unknown") == 0 && strcmp(hirenow_status_name(-9), "unknown") == 0);
  CHECK(strcmp(hirenow_version(), "0.1.0") == 0);
  CHECK(hirenow_is_lawful_step(0, 1) && !hirenow_is_lawful_step(9, 0) && !hirenow_is_lawful_step(-5, 77));
}

/* ---- What every function survives ---- */

#include "c/bad_input.h"

static void ask_again(struct world *w) {
  hirenow_page *page = NULL;
  w->meddled = hirenow_list(w->engine, NULL, &w->recruiter, &page, NULL);
  hirenow_page_free(page);
}

static hirenow_status load_and_ask(void *ctx, const hirenow_load_request *request, hirenow_reply *reply) {
  (void)request;
  ask_again(ctx);
  CHECK(hirenow_reply_add_message(reply, NULL) == HIRENOW_INVALID_ARGUMENT);
  return hirenow_reply_fail(reply, 1234, "of the host's own", "finer");
}

static void test_callbacks(struct world *w) {
  /* From the clock, on the calling thread; from the mailer, on a worker's. */
  hirenow_interview *found = NULL;
  w->meddle = ask_again;
  w->meddled = -1;
  IS(hirenow_find(w->engine, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->admin, &found, NULL), HIRENOW_NOT_FOUND);
  hirenow_page *page = NULL;
  IS(hirenow_list(w->engine, NULL, &w->admin, &page, NULL), HIRENOW_OK);
  hirenow_page_free(page);
  IS(w->meddled, HIRENOW_REENTRANT_CALL);
  hirenow_interview *i = schedule(w, "kim", "callbacks");
  w->meddled = -1;
  w->meddle = NULL;
  w->meddle = ask_again;
  IS(hirenow_dispatcher_run_once(w->dispatcher, 0, NULL, NULL), HIRENOW_OK);
  IS(w->meddled, HIRENOW_REENTRANT_CALL);
  hirenow_interview_free(i);
  /* Afterwards the thread may call again. */
  ask_again(w);
  IS(w->meddled, HIRENOW_OK);

  /* From a store; its own status and words come through. Another engine may be called. */
  hirenow_store *good = NULL, *store = NULL;
  IS(memory_store_open(&good, NULL, NULL), HIRENOW_OK);
  struct world inner;
  hirenow_store_callbacks c = HIRENOW_STORE_CALLBACKS_INIT;
  memset(&inner, 0, sizeof inner);
  inner.recruiter = w->recruiter;
  c.ctx = &inner;
  c.destroy = count_destroy;
  IS(hirenow_store_new(&c, &store, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(store == NULL && inner.destroyed == 0); /* not registered: not destroyed */
  fill_store_callbacks(&c);
  c.load = load_and_ask;
  IS(hirenow_store_new(&c, &store, NULL), HIRENOW_OK);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  IS(hirenow_engine_new(store, &options, &inner.engine, NULL), HIRENOW_OK);
  hirenow_store_free(store);
  hirenow_error *error = NULL;
  IS(hirenow_find(inner.engine, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->admin, &found, &error), 1234);
  CHECK(strcmp(hirenow_error_get_message(error), "of the host's own") == 0);
  hirenow_error_free(error);
  IS(inner.meddled, HIRENOW_REENTRANT_CALL);
  hirenow_engine *own = inner.engine;
  inner.engine = w->engine;
  IS(hirenow_find(own, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->admin, &found, NULL), 1234);
  IS(inner.meddled, HIRENOW_OK);
  CHECK(inner.destroyed == 0);
  hirenow_engine_free(own);
  CHECK(inner.destroyed == 1);
  hirenow_store_free(good);
}

static void test_fork(struct world *w) {
  hirenow_interview *i = schedule(w, "lea", "fork");
  const pid_t child = fork();
  if (child == 0) {
    failures = 0;
    hirenow_interview *found = NULL;
    hirenow_error *error = NULL;
    hirenow_text *text = NULL;
    IS(hirenow_find(w->engine, hirenow_interview_get_id(i), &w->admin, &found, &error), HIRENOW_FORKED);
    CHECK(hirenow_error_get_status(error) == HIRENOW_FORKED);
    hirenow_error_free(error);
    IS(hirenow_sweep(w->engine, 0, &text, NULL), HIRENOW_FORKED);
    IS(hirenow_keys_signing_kid(w->keys, &text, NULL), HIRENOW_FORKED);
    IS(hirenow_dispatcher_run_once(w->dispatcher, 0, NULL, NULL), HIRENOW_FORKED);
    IS(hirenow_dispatcher_stop(w->dispatcher), HIRENOW_FORKED);
    IS(hirenow_dispatcher_wake(w->dispatcher), HIRENOW_FORKED);
    hirenow_dispatcher_options options = HIRENOW_DISPATCHER_OPTIONS_INIT;
    hirenow_dispatcher *dispatcher = NULL;
    options.sender_address = "x@example.com";
    IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &dispatcher, NULL), HIRENOW_FORKED);
    hirenow_dispatcher_free(w->dispatcher);
    hirenow_engine_free(w->engine);
    hirenow_mailer_free(w->mailer);
    hirenow_keys_free(w->keys);
    CHECK(w->destroyed == 0); /* what is the parent's is left alone */
    /* What the child opens itself works. */
    struct world own;
    hirenow_store *store = NULL;
    IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
    open_world(&own, store);
    hirenow_store_free(store);
    hirenow_interview_free(schedule(&own, "mia", "fork"));
    close_world(&own);
    _exit(failures ? 1 : 0);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  hirenow_interview_free(i);
}

int main(void) {
  char file[256];
  snprintf(file, sizeof file, "sqlite:/tmp/hirenow-c-api-test-%ld.db", (long)getpid());
  for (int which = 0; which < 3; ++which) {
    struct world w;
    hirenow_store *store = NULL;
    int destroyed = 0;
    hirenow_logger_callbacks callbacks = HIRENOW_LOGGER_CALLBACKS_INIT;
    callbacks.ctx = &w;
    callbacks.warn = take_warning;
    hirenow_logger *logger = NULL;
    IS(hirenow_logger_new(&callbacks, &logger, NULL), HIRENOW_OK);
    hirenow_store_options options = HIRENOW_STORE_OPTIONS_INIT;
    options.logger = logger;
    if (which == 0) IS(memory_store_open(&store, &destroyed, NULL), HIRENOW_OK);
    if (which == 1) IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
    if (which == 2) IS(hirenow_store_open(file, &options, &store, NULL), HIRENOW_OK);
    hirenow_logger_free(logger);
    open_world(&w, store);
    hirenow_store_free(store);
    test_inviting_and_sitting(&w);
    test_deciding_and_retake(&w);
    test_records_and_reading(&w);
    test_bad_input(&w);
    test_callbacks(&w);
    test_fork(&w);
    test_mail(&w);
    close_world(&w);
    CHECK(destroyed == (which == 0));
  }
  static const char *const parts[] = {"", "-wal", "-shm", "-hirenow-lock"};
  for (size_t n = 0; n < 4; ++n) {
    char name[300];
    snprintf(name, sizeof name, "%s%s", file + strlen("sqlite:"), parts[n]);
    unlink(name);
  }
  test_keys_tokens_policies();
  printf("%d checks, %d failed\n", checks, failures);
  return failures ? 1 : 0;
}
