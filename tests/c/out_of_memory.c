/* Memory runs out at each allocation in turn, inside every function of the library. Each time the call must answer with a
 * code, the records must stand as they did, and nothing may be lost. An interposed malloc() fails the n-th allocation
 * that the calling thread makes; n grows until the call succeeds. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory_store.h"

/* ---- The allocator of the C library, with a fault in it ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static __thread long until_failure; /* 0: not armed */
static __thread int failed;
static long live;

static int fails(void) {
  if (until_failure == 0 || --until_failure > 0) return 0;
  failed = 1;
  return 1;
}
static void *counted(void *p) {
  if (p) __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
  return p;
}
void *malloc(size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  return counted(__libc_malloc(size));
}
void *calloc(size_t count, size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  return counted(__libc_calloc(count, size));
}
void *realloc(void *old, size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  void *p = __libc_realloc(old, size);
  return old ? p : counted(p);
}
void *aligned_alloc(size_t alignment, size_t size) {
  if (fails()) return errno = ENOMEM, NULL;
  return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void **out, size_t alignment, size_t size) {
  if (fails()) return ENOMEM;
  *out = counted(__libc_memalign(alignment, size));
  return *out ? 0 : ENOMEM;
}
void free(void *p) {
  if (p) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
  __libc_free(p);
}

/* ---- A world ---- */

static int failures;
static long tried;

#define CHECK(condition) \
  ((condition) ? (void)0 : (++failures, (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition)))

struct world {
  int64_t now;
  hirenow_store *store;
  hirenow_engine *engine;
  hirenow_keys *keys;
  hirenow_policy *policy;
  hirenow_clock *clock;
  hirenow_mailer *mailer;
  hirenow_templates *templates;
  hirenow_eligibility *may;
  hirenow_page *page;
  hirenow_actions *actions;
  hirenow_text *key_document;
  hirenow_text *checkpoint;
  hirenow_interview *interview; /* of the case at hand */
  hirenow_sitting *sitting;
  hirenow_session session;
  hirenow_actor admin;
  const char *id;
  char token[8192];
};

static int64_t tell_time(void *ctx) { return ((struct world *)ctx)->now; }
static hirenow_status take_mail(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  (void)ctx, (void)mail, (void)reply;
  *outcome = HIRENOW_DELIVERY_ACCEPTED;
  return HIRENOW_OK;
}
static void take_warning(void *ctx, const char *message) { (void)ctx, (void)message; }

static void must(hirenow_status status, const char *what) {
  if (status == HIRENOW_OK) return;
  fprintf(stderr, "%s: %s\n", what, hirenow_status_name(status));
  exit(1);
}
#define MUST(call) must((call), #call)

/* ---- The calls: each frees what it is given ---- */

typedef hirenow_status call(struct world *w, hirenow_error **error);

#define CALL(name, type, expression)                                   \
  static hirenow_status name(struct world *w, hirenow_error **error) { \
    hirenow_##type *out = NULL;                                        \
    (void)w;                                                           \
    const hirenow_status status = (expression);                        \
    CHECK((status == HIRENOW_OK) == (out != NULL));                    \
    hirenow_##type##_free(out);                                        \
    return status;                                                     \
  }
#define PLAIN(name, expression) \
  static hirenow_status name(struct world *w, hirenow_error **error) { return (void)w, (expression); }

static hirenow_schedule_request request_for(hirenow_applicant *person) {
  static const int64_t reminders[] = {3600};
  hirenow_schedule_request r = HIRENOW_SCHEDULE_REQUEST_INIT;
  r.applicant = person;
  r.track = "a track with a name that no small string holds";
  r.reminder_seconds = reminders;
  r.reminder_count = 1;
  r.idempotency_key = "a key of an idempotent request, long enough";
  return r;
}
static hirenow_applicant person_of(const char *id) {
  hirenow_applicant a = HIRENOW_APPLICANT_INIT;
  a.id = id;
  a.email = "an.applicant.with.a.long.name@applicants.example";
  a.name = "An Applicant with a Name of some Length";
  return a;
}
static hirenow_status schedule_for(struct world *w, const char *id, hirenow_interview **out, hirenow_error **error) {
  hirenow_applicant person = person_of(id);
  hirenow_schedule_request r = request_for(&person);
  char key[64];
  snprintf(key, sizeof key, "schedule-%s-with-some-length", id);
  r.idempotency_key = key;
  return hirenow_schedule(w->engine, &r, &w->admin, out, error);
}
static hirenow_change change_with(int32_t outcome) {
  hirenow_change c = HIRENOW_CHANGE_INIT;
  c.outcome = outcome;
  c.reason = "a reason that is longer than any small string would hold";
  c.reason_code = "a_code_that_is_longer_than_small_strings_hold";
  c.idempotency_key = "change-with-a-long-key-of-its-own";
  return c;
}
static hirenow_status decide_as(struct world *w, int32_t outcome, hirenow_interview **out, hirenow_error **error) {
  hirenow_change c = change_with(outcome);
  return hirenow_decide(w->engine, w->id, &w->admin, &c, out, error);
}
static hirenow_status with_change(struct world *w, hirenow_interview **out, hirenow_error **error,
                                  hirenow_status (*f)(hirenow_engine *, const char *, const hirenow_actor *,
                                                      const hirenow_change *, hirenow_interview **, hirenow_error **)) {
  hirenow_change c = change_with(0);
  return f(w->engine, w->id, &w->admin, &c, out, error);
}
static hirenow_status retake_with_key(struct world *w, hirenow_interview **out, hirenow_error **error) {
  hirenow_retake_options o = HIRENOW_RETAKE_OPTIONS_INIT;
  o.idempotency_key = "click-4711-with-some-more-characters";
  o.reason = "a reason that is longer than any small string would hold";
  return hirenow_retake(w->engine, w->id, &w->admin, &o, out, error);
}
static hirenow_status make_engine(struct world *w, hirenow_engine **out, hirenow_error **error, int from_url) {
  const hirenow_link_base bases[] = {{"a tenant of quite some length", "https://example.com/another"}};
  hirenow_engine_options o = HIRENOW_ENGINE_OPTIONS_INIT;
  o.keys_json = hirenow_text_get(w->key_document);
  o.clock = w->clock;
  o.link_base = "https://interviews.example.com/go";
  o.link_bases = bases;
  o.link_base_count = 1;
  return from_url ? hirenow_open("memory:", &o, out, error) : hirenow_engine_new(w->store, &o, out, error);
}
static hirenow_status make_clock(hirenow_clock **out, hirenow_error **error) {
  hirenow_clock_callbacks c = HIRENOW_CLOCK_CALLBACKS_INIT;
  c.now = tell_time;
  return hirenow_clock_new(&c, out, error);
}
static hirenow_status make_logger(hirenow_logger **out, hirenow_error **error) {
  hirenow_logger_callbacks c = HIRENOW_LOGGER_CALLBACKS_INIT;
  c.warn = take_warning;
  return hirenow_logger_new(&c, out, error);
}
static hirenow_status make_mailer(hirenow_mailer **out, hirenow_error **error) {
  hirenow_mailer_callbacks c = HIRENOW_MAILER_CALLBACKS_INIT;
  c.send = take_mail;
  return hirenow_mailer_new(&c, out, error);
}
static hirenow_status make_dispatcher(struct world *w, hirenow_dispatcher **out, hirenow_error **error) {
  hirenow_dispatcher_options o = HIRENOW_DISPATCHER_OPTIONS_INIT;
  o.sender_address = "a.sender.with.some.length@example.com";
  o.templates = w->templates;
  return hirenow_dispatcher_new(w->engine, w->mailer, &o, out, error);
}
static hirenow_status mint(struct world *w, hirenow_text **out, hirenow_error **error) {
  hirenow_token_claims c = HIRENOW_TOKEN_CLAIMS_INIT;
  c.issuer = "an issuer with a long name";
  c.audience = "an audience with a long name";
  c.subject = "s";
  c.tenant = "t";
  c.interview_id = "0190f5fe-7c00-7a3b-8d41-5e6f708192a3";
  c.generation = c.attempt = 1;
  c.expires_at = 100;
  return hirenow_token_mint(w->keys, "k1", &c, out, error);
}
#define CASE                                                                                                    \
  "{\"track\": \"a track with a long name\", \"now\": \"2026-03-02T00:00:00Z\", \"history\": "                         \
  "[{\"at\": \"2026-03-01T00:00:00Z\", \"outcome\": \"failed\"}], \"facts\": [{\"kind\": \"event\", "                   \
  "\"name\": \"training\", \"at\": \"2026-03-01T00:00:00Z\"}], \"waivers\": [{\"rule\": \"some other rule\"}]}"
static hirenow_status evaluate(struct world *w, hirenow_eligibility **out, hirenow_error **error) {
  const hirenow_attempt a = {"", 1772442000, HIRENOW_NONE, HIRENOW_OUTCOME_FAILED, 0, 0.0};
  return hirenow_policy_evaluate(w->policy, &a, 1, 1772442001, 0, out, error);
}
static hirenow_status update(struct world *w, hirenow_error **error) {
  hirenow_applicant person = person_of("case");
  person.name = "Another Name that does not fit into a small string";
  return hirenow_update_applicant(w->engine, &person, &w->admin, "update-with-a-long-key-of-its-own", NULL, error);
}
static hirenow_status record(struct world *w, hirenow_error **error) {
  hirenow_fact f = HIRENOW_FACT_INIT;
  f.name = "a fact with a name that is long enough";
  f.value = "a value that is long enough to be allocated";
  f.at = w->now;
  return hirenow_record_fact(w->engine, "case", &f, &w->admin, "record-with-a-long-key-of-its-own", NULL, error);
}
static const char policy_document[] =
    "{\"hirenow_policy\":1,\"version\":\"a version of some length\",\"rules\":[{\"rule\":\"wait\",\"id\":\"cooldown of some "
    "length\",\"after\":[\"P14D\"]}]}";

CALL(c_schedule, interview, schedule_for(w, "newcomer with a long id of his own", &out, error))
CALL(c_eligibility, eligibility, hirenow_retake_eligibility(w->engine, w->id, &w->admin, &out, error))
CALL(c_retake, interview, retake_with_key(w, &out, error))
CALL(c_reissue, interview, hirenow_reissue(w->engine, w->id, &w->admin, NULL, &out, error))
PLAIN(c_request_link, hirenow_request_link(w->engine, w->token, "request-link-with-a-long-key", NULL, NULL, error))
CALL(c_link_of, text, hirenow_link_of(w->engine, "case", w->id, &w->admin, &out, error))
CALL(c_inspect, inspection, hirenow_inspect(w->engine, w->token, &out, error))
CALL(c_start, sitting, hirenow_start(w->engine, w->token, "a session key of more than 16 bytes", &out, error))
CALL(c_resume, sitting, hirenow_resume(w->engine, w->token, "another session key of so many bytes", &out, error))
PLAIN(c_checkpoint, hirenow_checkpoint(w->engine, &w->session, "an answer of more than fifteen bytes", 36, NULL, error))
CALL(c_submit, interview,
     hirenow_submit(w->engine, &w->session, "an answer of more than fifteen bytes", 36, "submit-with-a-long-key", &out,
                    error))
CALL(c_withdraw, interview, hirenow_withdraw(w->engine, w->token, NULL, &out, error))
CALL(c_decide, interview, decide_as(w, HIRENOW_OUTCOME_FAILED, &out, error))
CALL(c_reopen, interview, with_change(w, &out, error, hirenow_reopen))
CALL(c_void, interview, with_change(w, &out, error, hirenow_void))
CALL(c_cancel, interview, with_change(w, &out, error, hirenow_cancel))
PLAIN(c_update, update(w, error))
PLAIN(c_record, record(w, error))
PLAIN(c_set_policy, hirenow_set_policy(w->engine, "a track of its own", policy_document, &w->admin, error))
PLAIN(c_erase, hirenow_erase_applicant(w->engine, "case", &w->admin, "erase-with-a-long-key-of-its-own", error))
CALL(c_sweep, text, hirenow_sweep(w->engine, 0, &out, error))
CALL(c_find, interview, hirenow_find(w->engine, w->id, &w->admin, &out, error))
CALL(c_actions, actions, hirenow_permitted_actions(w->engine, w->id, &w->admin, &out, error))
CALL(c_list, page, hirenow_list(w->engine, NULL, &w->admin, &out, error))
CALL(c_history, text, hirenow_history(w->engine, w->id, &w->admin, &out, error))
CALL(c_progress, text, hirenow_read_progress(w->engine, w->id, &w->admin, &out, NULL, error))
CALL(c_audit, text, hirenow_read_audit(w->engine, "case", &w->admin, 0, 0, &out, error))
PLAIN(c_verify, hirenow_verify_audit(w->engine, "case", &w->admin, NULL, NULL, error))
CALL(c_statement, text, hirenow_audit_checkpoint(w->engine, &w->admin, &out, error))
PLAIN(c_compare, hirenow_verify_audit_checkpoint(w->engine, hirenow_text_get(w->checkpoint), &w->admin, NULL, error))
CALL(c_messages, text, hirenow_read_messages(w->engine, NULL, &w->admin, &out, error))
CALL(c_interview_json, text, hirenow_interview_json(w->interview, &out, error))
CALL(c_describe, text, hirenow_eligibility_describe(w->may, &out, error))
CALL(c_describe_in, text, hirenow_eligibility_describe_in(w->may, "de", &out, error))
CALL(c_eligibility_json, text, hirenow_eligibility_json(w->may, &out, error))
CALL(c_actions_json, text, hirenow_actions_json(w->actions, &out, error))
CALL(c_page_json, text, hirenow_page_json(w->page, &out, error))
CALL(c_key_document, text, hirenow_key_document_new(HIRENOW_KEY_ED25519, "a kid of more than fifteen bytes", &out, error))
CALL(c_keys, keys, hirenow_keys_from_json(hirenow_text_get(w->key_document), &out, error))
CALL(c_kid, text, hirenow_keys_signing_kid(w->keys, &out, error))
CALL(c_jwks, text, hirenow_keys_public_jwks(w->keys, &out, error))
PLAIN(c_reload, hirenow_keys_reload(w->keys, hirenow_text_get(w->key_document), error))
CALL(c_mint, text, mint(w, &out, error))
CALL(c_policy, policy, hirenow_policy_parse(policy_document, &out, error))
CALL(c_evaluate, eligibility, evaluate(w, &out, error))
CALL(c_evaluate_case, eligibility, hirenow_policy_evaluate_case(w->policy, CASE, &out, error))
CALL(c_store, store, hirenow_store_open("memory:", NULL, &out, error))
CALL(c_own_store, store, memory_store_open(&out, NULL, error))
CALL(c_engine, engine, make_engine(w, &out, error, 0))
CALL(c_open, engine, make_engine(w, &out, error, 1))
CALL(c_clock, clock, make_clock(&out, error))
CALL(c_logger, logger, make_logger(&out, error))
CALL(c_mailer, mailer, make_mailer(&out, error))
CALL(c_templates, templates, hirenow_templates_new(&out, error))
PLAIN(c_set_template, hirenow_templates_set(w->templates, HIRENOW_MESSAGE_CANCELLED, "de", "A subject of some length",
                                            "A text that speaks of {{track_title}}", NULL, error))
CALL(c_dispatcher, dispatcher, make_dispatcher(w, &out, error))

/* Where the interview of the case must stand. */
enum { SCHEDULED, EXPIRED, STARTED, SUBMITTED, FAILED, FAILED_LONG_AGO };

/* `grows`: a cache of the library may keep what it has read. */
static const struct {
  const char *name;
  call *make;
  int stands, grows;
} cases[] = {
    {"schedule", c_schedule, SCHEDULED, 0},
    {"retake_eligibility", c_eligibility, FAILED, 0},
    {"retake", c_retake, FAILED_LONG_AGO, 0},
    {"reissue", c_reissue, SCHEDULED, 0},
    {"link_of", c_link_of, SCHEDULED, 0},
    {"inspect", c_inspect, SCHEDULED, 0},
    {"start", c_start, SCHEDULED, 0},
    {"resume", c_resume, STARTED, 0},
    {"checkpoint", c_checkpoint, STARTED, 0},
    {"submit", c_submit, STARTED, 0},
    {"withdraw", c_withdraw, SCHEDULED, 0},
    {"decide", c_decide, SUBMITTED, 0},
    {"reopen", c_reopen, FAILED, 0},
    {"void", c_void, FAILED, 0},
    {"cancel", c_cancel, SCHEDULED, 0},
    {"update_applicant", c_update, SCHEDULED, 0},
    {"record_fact", c_record, SCHEDULED, 0},
    {"set_policy", c_set_policy, SCHEDULED, 0},
    {"erase_applicant", c_erase, SCHEDULED, 0},
    {"find", c_find, SCHEDULED, 0},
    {"permitted_actions", c_actions, FAILED, 0},
    {"list", c_list, FAILED, 0},
    {"history", c_history, FAILED, 0},
    {"read_progress", c_progress, SUBMITTED, 0},
    {"read_audit", c_audit, FAILED, 0},
    {"verify_audit", c_verify, FAILED, 0},
    {"audit_checkpoint", c_statement, FAILED, 0},
    {"verify_audit_checkpoint", c_compare, FAILED, 0},
    {"read_messages", c_messages, FAILED, 0},
    {"interview_json", c_interview_json, FAILED, 0},
    {"eligibility_describe", c_describe, FAILED, 0},
    {"eligibility_describe_in", c_describe_in, FAILED, 0},
    {"eligibility_json", c_eligibility_json, FAILED, 0},
    {"actions_json", c_actions_json, FAILED, 0},
    {"page_json", c_page_json, FAILED, 0},
    {"key_document_new", c_key_document, SCHEDULED, 0},
    {"keys_from_json", c_keys, SCHEDULED, 0},
    {"keys_signing_kid", c_kid, SCHEDULED, 0},
    {"keys_public_jwks", c_jwks, SCHEDULED, 0},
    {"keys_reload", c_reload, SCHEDULED, 1},
    {"token_mint", c_mint, SCHEDULED, 0},
    {"policy_parse", c_policy, SCHEDULED, 0},
    {"policy_evaluate", c_evaluate, SCHEDULED, 0},
    {"policy_evaluate_case", c_evaluate_case, SCHEDULED, 0},
    {"store_open", c_store, SCHEDULED, 0},
    {"store_new", c_own_store, SCHEDULED, 0},
    {"engine_new", c_engine, SCHEDULED, 0},
    {"open", c_open, SCHEDULED, 0},
    {"clock_new", c_clock, SCHEDULED, 0},
    {"logger_new", c_logger, SCHEDULED, 0},
    {"mailer_new", c_mailer, SCHEDULED, 0},
    {"templates_new", c_templates, SCHEDULED, 0},
    {"templates_set", c_set_template, SCHEDULED, 1},
    {"dispatcher_new", c_dispatcher, SCHEDULED, 0},
    {"request_link", c_request_link, EXPIRED, 0},
    {"sweep", c_sweep, EXPIRED, 0},
};

static void open_world(struct world *w, const char *url) {
  memset(w, 0, sizeof *w);
  w->now = 1772442000;
  w->admin = (hirenow_actor)HIRENOW_ACTOR_INIT;
  w->admin.id = "an administrator with a long id";
  w->admin.tenant = "a tenant with a long name of its own";
  w->admin.roles = HIRENOW_ROLE_ADMIN;
  hirenow_clock_callbacks c = HIRENOW_CLOCK_CALLBACKS_INIT;
  c.ctx = w;
  c.now = tell_time;
  MUST(hirenow_clock_new(&c, &w->clock, NULL));
  MUST(hirenow_key_document_new(HIRENOW_KEY_HS256, "k1", &w->key_document, NULL));
  MUST(hirenow_keys_from_json(hirenow_text_get(w->key_document), &w->keys, NULL));
  MUST(hirenow_policy_parse(NULL, &w->policy, NULL));
  MUST(hirenow_templates_new(&w->templates, NULL));
  MUST(make_mailer(&w->mailer, NULL));
  if (url)
    MUST(hirenow_store_open(url, NULL, &w->store, NULL));
  else
    MUST(memory_store_open(&w->store, NULL, NULL));
  hirenow_engine_options o = HIRENOW_ENGINE_OPTIONS_INIT;
  o.keys = w->keys;
  o.clock = w->clock;
  o.link_base = "https://interviews.example.com/go";
  MUST(hirenow_engine_new(w->store, &o, &w->engine, NULL));
  /* The record of the case, brought to where it must stand. */
}

static void bring_to(struct world *w, int stands) {
  hirenow_interview *step;
  MUST(schedule_for(w, "case", &w->interview, NULL));
  w->id = hirenow_interview_get_id(w->interview);
  snprintf(w->token, sizeof w->token, "%s", strchr(hirenow_interview_get_link(w->interview), '#') + 1);
  if (stands == EXPIRED) w->now += 4 * 86400;
  if (stands <= EXPIRED) return;
  MUST(hirenow_start(w->engine, w->token, "a session key of more than 16 bytes", &w->sitting, NULL));
  w->session = (hirenow_session)HIRENOW_SESSION_INIT;
  MUST(hirenow_sitting_get_session(w->sitting, &w->session));
  if (stands == STARTED) return;
  MUST(hirenow_submit(w->engine, &w->session, "the answer", 10, NULL, &step, NULL));
  hirenow_interview_free(step);
  if (stands == SUBMITTED) return;
  hirenow_change c = HIRENOW_CHANGE_INIT;
  c.outcome = HIRENOW_OUTCOME_FAILED;
  MUST(hirenow_decide(w->engine, w->id, &w->admin, &c, &step, NULL));
  hirenow_interview_free(step);
  MUST(hirenow_retake_eligibility(w->engine, w->id, &w->admin, &w->may, NULL));
  MUST(hirenow_permitted_actions(w->engine, w->id, &w->admin, &w->actions, NULL));
  MUST(hirenow_list(w->engine, NULL, &w->admin, &w->page, NULL));
  MUST(hirenow_audit_checkpoint(w->engine, &w->admin, &w->checkpoint, NULL));
  if (stands == FAILED_LONG_AGO) w->now += 15 * 86400;
}

static void close_world(struct world *w) {
  hirenow_text_free(w->checkpoint);
  hirenow_page_free(w->page);
  hirenow_actions_free(w->actions);
  hirenow_eligibility_free(w->may);
  hirenow_sitting_free(w->sitting);
  hirenow_interview_free(w->interview);
  hirenow_engine_free(w->engine);
  hirenow_store_free(w->store);
  hirenow_mailer_free(w->mailer);
  hirenow_templates_free(w->templates);
  hirenow_policy_free(w->policy);
  hirenow_keys_free(w->keys);
  hirenow_text_free(w->key_document);
  hirenow_clock_free(w->clock);
}

/* Where everything stands, as text. */
static char *dump(struct world *w) {
  hirenow_text *parts[4] = {NULL, NULL, NULL, NULL};
  hirenow_page *page = NULL;
  MUST(hirenow_history(w->engine, w->id, &w->admin, &parts[0], NULL));
  MUST(hirenow_read_audit(w->engine, "case", &w->admin, 0, 0, &parts[1], NULL));
  MUST(hirenow_read_messages(w->engine, NULL, &w->admin, &parts[2], NULL));
  MUST(hirenow_list(w->engine, NULL, &w->admin, &page, NULL));
  MUST(hirenow_page_json(page, &parts[3], NULL));
  hirenow_page_free(page);
  size_t size = 1;
  for (int n = 0; n < 4; ++n) size += hirenow_text_get_size(parts[n]);
  char *all = calloc(size, 1);
  for (int n = 0; n < 4; ++n) {
    strcat(all, hirenow_text_get(parts[n]));
    hirenow_text_free(parts[n]);
  }
  return all;
}

/* What all failed calls together have gained. A key keeps its MAC for the next call; a failure may drop that and a later
 * one make it anew, so one call alone may gain. Together they may not: what is lost is never given back. */
static long gained;

static void run_case(size_t which, const char *url) {
  struct world w;
  open_world(&w, url);
  bring_to(&w, cases[which].stands);
  for (long n = 1;; ++n) {
    char *before = dump(&w);
    const long live_before = __atomic_load_n(&live, __ATOMIC_RELAXED);
    hirenow_error *error = NULL;
    failed = 0;
    until_failure = n;
    const hirenow_status status = cases[which].make(&w, &error);
    until_failure = 0;
    /* The store in C fails by itself before it asks the library. */
    CHECK((status == HIRENOW_OK) == (error == NULL) || (cases[which].make == c_own_store && n == 1));
    if (status != HIRENOW_OK) {
      ++tried;
      const int typed = status == HIRENOW_OUT_OF_MEMORY;
      if (!typed || (error && hirenow_error_get_status(error) != status)) {
        ++failures;
        fprintf(stderr, "%s, allocation %ld: %s: %s\n", cases[which].name, n, hirenow_status_name(status),
                hirenow_error_get_message(error));
      }
    }
    hirenow_error_free(error);
    const long lost = __atomic_load_n(&live, __ATOMIC_RELAXED) - live_before;
    char *after = dump(&w);
    if (status != HIRENOW_OK && strcmp(before, after) != 0) {
      ++failures;
      fprintf(stderr, "%s, allocation %ld: something was half done\n", cases[which].name, n);
    }
    if (status != HIRENOW_OK && url && !cases[which].grows && (gained += lost) > 0) {
      ++failures;
      fprintf(stderr, "%s, allocation %ld: %ld blocks lost\n", cases[which].name, n, gained);
      gained = 0;
    }
    free(before);
    free(after);
    if (!failed || n > 20000) break;
    if (status == HIRENOW_OK) break; /* went on without that block */
  }
  close_world(&w);
}

int main(void) {
  /* Once without a fault, so that what is made once and kept is there. */
  for (size_t n = 0; n < sizeof cases / sizeof cases[0]; ++n) {
    struct world w;
    open_world(&w, "memory:");
    bring_to(&w, cases[n].stands);
    MUST(cases[n].make(&w, NULL));
    close_world(&w);
  }
  for (size_t n = 0; n < sizeof cases / sizeof cases[0]; ++n) run_case(n, "memory:");
  for (size_t n = 0; n < sizeof cases / sizeof cases[0]; ++n) run_case(n, NULL);
  printf("%d functions, %ld failed allocations, %d faults\n", (int)(sizeof cases / sizeof cases[0]), tried, failures);
  return failures ? 1 : 0;
}
