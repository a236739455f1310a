#ifndef HIRENOW_TESTS_C_EVERY_CALL_H
#define HIRENOW_TESTS_C_EVERY_CALL_H
/* Every function of the library as a call that succeeds: for out_of_memory.c and outside.c. */

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory_store.h"

/* ---- A world ---- */

static int failures;

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
  hirenow_text *signature;
  hirenow_rows *record, *entries, *heads, *claimed; /* of the case */
  hirenow_token *genuine;
  hirenow_dispatcher *dispatcher;
  sqlite3 *db; /* the host's own */
  char key_file[64];
  hirenow_interview *interview; /* of the case at hand */
  hirenow_sitting *sitting;
  hirenow_session session;
  hirenow_actor admin;
  const char *id;
  uint64_t waiver; /* of the case */
  char token[8192];
  void (*meddle)(struct world *w); /* what the clock does once beside telling the time */
};

static int64_t tell_time(void *ctx) {
  struct world *w = ctx;
  void (*with)(struct world *) = w->meddle;
  w->meddle = NULL;
  if (with) with(w);
  return w->now;
}
static hirenow_status take_mail(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  (void)ctx, (void)mail;
  *outcome = HIRENOW_DELIVERY_ACCEPTED;
  return hirenow_reply_set_delivery(reply, 250, "250 the words of a server that says a lot");
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
  static hirenow_status name(struct world *w, hirenow_error **error) { return (void)w, (void)error, (expression); }

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
static hirenow_status render(void *ctx, int32_t kind, const char *locale, const hirenow_message_view *view,
                             hirenow_reply *reply) {
  (void)ctx, (void)kind, (void)locale, (void)view;
  return hirenow_reply_set_rendered(reply, "A subject of some length", "A text of more than fifteen bytes", "", "en");
}
static hirenow_status make_dispatcher(struct world *w, hirenow_dispatcher **out, hirenow_error **error) {
  hirenow_dispatcher_options o = HIRENOW_DISPATCHER_OPTIONS_INIT;
  o.sender_address = "a.sender.with.some.length@example.com";
  o.templates = w->templates;
  o.render = render;
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
static hirenow_status evaluate(struct world *w, hirenow_eligibility **out, hirenow_error **error) {
  const hirenow_attempt a = {"", 1772442000, HIRENOW_NONE, HIRENOW_OUTCOME_FAILED, 0, 0.0};
  return hirenow_policy_evaluate(w->policy, &a, 1, 1772442001, 0, out, error);
}
static hirenow_status update(struct world *w, hirenow_person **out, hirenow_error **error) {
  hirenow_applicant person = person_of("case");
  person.name = "Another Name that does not fit into a small string";
  return hirenow_update_applicant(w->engine, &person, &w->admin, "update-with-a-long-key-of-its-own", out, error);
}
static hirenow_status record(struct world *w, hirenow_person **out, hirenow_error **error) {
  hirenow_fact f = HIRENOW_FACT_INIT;
  f.name = "a fact with a name that is long enough";
  f.value = "a value that is long enough to be allocated";
  f.at = w->now;
  return hirenow_record_fact(w->engine, "case", &f, &w->admin, "record-with-a-long-key-of-its-own", out, error);
}
static const char policy_document[] =
    "{\"hirenow_policy\":1,\"version\":\"a version of some length\",\"rules\":[{\"rule\":\"wait\",\"id\":\"cooldown of "
    "some length\",\"after\":[\"P14D\"]}]}";

CALL(c_schedule, interview, schedule_for(w, "newcomer with a long id of his own", &out, error))
CALL(c_eligibility, eligibility, hirenow_retake_eligibility(w->engine, w->id, &w->admin, &out, error))
CALL(c_retake, interview, retake_with_key(w, &out, error))
CALL(c_reissue, interview, hirenow_reissue(w->engine, w->id, &w->admin, NULL, &out, error))
PLAIN(c_request_link, hirenow_request_link(w->engine, w->token, "request-link-with-a-long-key", NULL, error))
CALL(c_link_of, text, hirenow_link_of(w->engine, w->id, &w->admin, &out, error))
CALL(c_inspect, inspection, hirenow_inspect(w->engine, w->token, &out, error))
CALL(c_start, sitting, hirenow_start(w->engine, w->token, "a session key of more than 16 bytes", 0, &out, error))
CALL(c_resume, sitting, hirenow_resume(w->engine, w->token, "another session key of so many bytes", 0, &out, error))
PLAIN(c_checkpoint, hirenow_checkpoint(w->engine, &w->session, "an answer of more than fifteen bytes", 36, NULL, error))
CALL(c_submit, interview,
     hirenow_submit(w->engine, &w->session, "an answer of more than fifteen bytes", 36, "submit-with-a-long-key", &out,
                    error))
CALL(c_withdraw, interview, hirenow_withdraw(w->engine, w->token, NULL, &out, error))
CALL(c_decide, interview, decide_as(w, HIRENOW_OUTCOME_FAILED, &out, error))
CALL(c_reopen, interview, with_change(w, &out, error, hirenow_reopen))
CALL(c_void, interview, with_change(w, &out, error, hirenow_void))
CALL(c_cancel, interview, with_change(w, &out, error, hirenow_cancel))
CALL(c_update, person, update(w, &out, error))
CALL(c_record, person, record(w, &out, error))
PLAIN(c_set_policy, hirenow_set_policy(w->engine, "a track of its own", policy_document, &w->admin, error))
static hirenow_status activate(struct world *w, hirenow_error **error) {
  hirenow_activation when = HIRENOW_ACTIVATION_INIT;
  when.from = w->now + 3600;
  when.idempotency_key = "a policy that comes later";
  return hirenow_activate_policy(w->engine, "a track of its own", policy_document, &w->admin, &when, error);
}
static int32_t take_page(void *ctx, const hirenow_what_if_counts *so_far, const char *page_json) {
  return (void)ctx, (void)so_far, (void)page_json, 0;
}
static hirenow_status try_out(struct world *w, hirenow_error **error) {
  hirenow_what_if_query q = HIRENOW_WHAT_IF_QUERY_INIT;
  q.document = policy_document;
  return hirenow_what_if(w->engine, &q, &w->admin, take_page, NULL, NULL, error);
}
static hirenow_status grant(struct world *w, hirenow_rows **out, hirenow_error **error) {
  hirenow_waiver_request r = HIRENOW_WAIVER_REQUEST_INIT;
  r.applicant_id = "case";
  r.track = "a track with a name that no small string holds";
  r.rule_id = "wait-14-days";
  r.reason_code = "a_code_that_is_longer_than_small_strings_hold";
  r.floor = "P1DT1H1M1S";
  r.reason = "a reason that is longer than any small string would hold";
  r.expires_at = w->now + 86400;
  r.idempotency_key = "grant-with-a-long-key-of-its-own";
  return hirenow_grant_waiver(w->engine, &r, &w->admin, out, NULL, error);
}
static hirenow_status revoke(struct world *w, hirenow_rows **out, hirenow_error **error) {
  hirenow_change c = change_with(0);
  return hirenow_revoke_waiver(w->engine, "case", w->waiver, &w->admin, &c, out, NULL, error);
}
PLAIN(c_activate, activate(w, error))
CALL(c_policies, rows, hirenow_policies(w->engine, "", &w->admin, HIRENOW_NONE, 0, 0, &out, error))
PLAIN(c_what_if, try_out(w, error))
CALL(c_grant, rows, grant(w, &out, error))
CALL(c_revoke, rows, revoke(w, &out, error))
CALL(c_waivers, rows, hirenow_waivers(w->engine, "case", &w->admin, &out, error))
PLAIN(c_erase, hirenow_erase_applicant(w->engine, "case", &w->admin, "erase-with-a-long-key-of-its-own", error))
CALL(c_sweep, sweep_report, hirenow_sweep(w->engine, 0, &out, error))
static hirenow_status sweep_and_tell(struct world *w, hirenow_text **out, hirenow_error **error) {
  hirenow_sweep_report *report = NULL;
  hirenow_status status = hirenow_sweep(w->engine, 0, &report, error);
  if (!status) status = hirenow_sweep_report_json(report, out, error);
  hirenow_sweep_report_free(report);
  return status;
}
CALL(c_sweep_json, text, sweep_and_tell(w, &out, error))
static hirenow_status no_sql(void *ctx, const char *sql, const hirenow_value *all, size_t count, hirenow_reply *reply) {
  return (void)ctx, (void)sql, (void)all, (void)count, hirenow_reply_fail_sqlite(reply, 0, "there is none");
}
static hirenow_status no_standing(void *ctx, int32_t *standing, hirenow_reply *reply) {
  return (void)ctx, (void)standing, (void)reply, HIRENOW_OK;
}
static hirenow_status join_none(hirenow_store **out, hirenow_error **error) {
  hirenow_connection_callbacks c = HIRENOW_CONNECTION_CALLBACKS_INIT;
  c.execute = no_sql;
  c.in_transaction = no_standing;
  return hirenow_store_join_connection(&c, NULL, 0, out, error);
}
CALL(c_join_connection, store, join_none(&out, error))
CALL(c_find, interview, hirenow_find(w->engine, w->id, &w->admin, &out, error))
CALL(c_actions, actions, hirenow_permitted_actions(w->engine, w->id, &w->admin, &out, error))
CALL(c_list, page, hirenow_list(w->engine, NULL, &w->admin, &out, error))
CALL(c_history, rows, hirenow_history(w->engine, w->id, &w->admin, &out, error))
CALL(c_progress, text, hirenow_read_progress(w->engine, w->id, &w->admin, &out, NULL, error))
CALL(c_audit, rows, hirenow_read_audit(w->engine, "case", &w->admin, 0, 0, &out, error))
PLAIN(c_verify, hirenow_verify_audit(w->engine, "case", &w->admin, NULL, NULL, error))
CALL(c_statement, text, hirenow_audit_checkpoint(w->engine, &w->admin, &out, error))
PLAIN(c_compare, hirenow_verify_audit_checkpoint(w->engine, hirenow_text_get(w->checkpoint), &w->admin, NULL, error))
CALL(c_messages, rows, hirenow_read_messages(w->engine, NULL, &w->admin, &out, error))
CALL(c_interview_json, text, hirenow_interview_json(w->interview, &out, error))
CALL(c_describe, text, hirenow_eligibility_describe(w->may, &out, error))
CALL(c_eligibility_json, text, hirenow_eligibility_json(w->may, &out, error))
CALL(c_actions_json, text, hirenow_actions_json(w->actions, &out, error))
CALL(c_page_json, text, hirenow_page_json(w->page, &out, error))
CALL(c_key_document, text,
     hirenow_key_document_new(HIRENOW_KEY_ED25519, "a kid of more than fifteen bytes", &out, error))
CALL(c_keys, keys, hirenow_keys_from_json(hirenow_text_get(w->key_document), &out, error))
CALL(c_kid, text, hirenow_keys_signing_kid(w->keys, &out, error))
CALL(c_jwks, text, hirenow_keys_public_jwks(w->keys, &out, error))
PLAIN(c_reload, hirenow_keys_reload(w->keys, hirenow_text_get(w->key_document), error))
CALL(c_mint, text, mint(w, &out, error))
CALL(c_policy, policy, hirenow_policy_parse(policy_document, &out, error))
CALL(c_evaluate, eligibility, evaluate(w, &out, error))
#define CASE                                                                                           \
  "{\"track\": \"a track with a long name\", \"now\": \"2026-03-02T00:00:00Z\", \"history\": "               \
  "[{\"at\": \"2026-03-01T00:00:00Z\", \"outcome\": \"failed\"}], \"facts\": [{\"kind\": \"event\", "        \
  "\"name\": \"training\", \"at\": \"2026-03-01T00:00:00Z\"}], \"waivers\": [{\"rule\": \"some other rule\"}]}"
CALL(c_evaluate_case, eligibility, hirenow_policy_evaluate_case(w->policy, CASE, &out, error))
CALL(c_describe_in, text, hirenow_eligibility_describe_in(w->may, "de", &out, error))
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

/* ---- Beside the engine ---- */

static hirenow_status accommodate(struct world *w, hirenow_interview **out, hirenow_error **error) {
  hirenow_accommodation a = HIRENOW_ACCOMMODATION_INIT;
  a.percent = 150;
  a.reason_code = "a_code_that_is_longer_than_small_strings_hold";
  a.reason = "a reason that is longer than any small string would hold";
  a.idempotency_key = "accommodate-with-a-long-key-of-its-own";
  return hirenow_accommodate(w->engine, w->id, &w->admin, &a, out, error);
}
static hirenow_status redrive(struct world *w, hirenow_error **error) {
  hirenow_message_key key = hirenow_rows_get_message(w->claimed, 0)->key;
  return hirenow_redrive(w->engine, &key, &w->admin, "redrive-with-a-long-key-of-its-own", error);
}
static hirenow_status drop(struct world *w, hirenow_error **error) {
  hirenow_message_key key = hirenow_rows_get_message(w->claimed, 0)->key;
  return hirenow_drop(w->engine, &key, &w->admin, "drop-with-a-long-key-of-its-own", error);
}
static hirenow_status render_invitation(struct world *w, hirenow_rendered **out, hirenow_error **error) {
  hirenow_message_view v = HIRENOW_MESSAGE_VIEW_INIT;
  v.track = "a track with a name that no small string holds";
  v.link = "https://interviews.example.com/go#token";
  return hirenow_templates_render(w->templates, HIRENOW_MESSAGE_INVITATION, "de-AT-with-more", &v, out, error);
}
static hirenow_status send_mail(struct world *w, hirenow_text **out, hirenow_error **error) {
  hirenow_mail m;
  memset(&m, 0, sizeof m);
  m.struct_size = sizeof m;
  m.message_id = "a.message.id.of.some.length@example.com";
  m.text = "a text that no small string would hold";
  int32_t outcome = -1;
  return hirenow_mailer_send(w->mailer, &m, &outcome, NULL, out, error);
}
static hirenow_status message_id(struct world *w, hirenow_text **out, hirenow_error **error) {
  const hirenow_message_key key = hirenow_rows_get_message(w->claimed, 0)->key;
  return hirenow_message_id(&key, "example.com", out, error);
}
static hirenow_status open_smtp(hirenow_mailer **out, hirenow_error **error) {
  hirenow_smtp_options o = HIRENOW_SMTP_OPTIONS_INIT;
  o.host = "a.mail.server.with.a.long.name.example.com";
  o.helo_name = "a.host.with.a.long.name.example.com";
  return hirenow_mailer_open_smtp(&o, out, error);
}
static hirenow_status run_stopped(struct world *w, hirenow_error **error) {
  hirenow_dispatcher *d = NULL;
  hirenow_status status = make_dispatcher(w, &d, error);
  if (status) return status;
  (void)hirenow_dispatcher_stop(d, NULL);
  status = hirenow_dispatcher_run(d, 1, NULL, error);
  hirenow_dispatcher_free(d);
  return status;
}
static hirenow_status dispatch_due(struct world *w, hirenow_error **error) {
  w->now += 31; /* what a failed run took has run out */
  return hirenow_dispatcher_dispatch_due(w->dispatcher, 0, NULL, error);
}
static hirenow_status no_store(void *ctx, hirenow_store **out) {
  (void)ctx, (void)out;
  return HIRENOW_STORE_UNAVAILABLE;
}
static hirenow_status check_none(hirenow_text **out, hirenow_error **error) {
  hirenow_check_options o = HIRENOW_CHECK_OPTIONS_INIT;
  o.histories = 1;
  return hirenow_check_store(no_store, NULL, &o, NULL, NULL, out, error);
}
static hirenow_status join(struct world *w, hirenow_engine **out, hirenow_error **error) {
  hirenow_store *s = NULL;
  hirenow_status status = hirenow_store_join(w->db, 1, &s, error);
  if (!status) status = hirenow_engine_on(w->engine, s, out, error);
  hirenow_store_free(s);
  return status;
}

/* ---- A store, asked directly ---- */

#define REQUEST(type, name)      \
  hirenow_##type name;           \
  memset(&name, 0, sizeof name); \
  name.struct_size = sizeof name

static hirenow_status load_record(struct world *w, hirenow_rows **out, hirenow_error **error) {
  REQUEST(load_request, r);
  r.tenant = w->admin.tenant;
  r.applicant_id = "case";
  r.with_rules = r.with_sitting = r.with_progress = 1;
  return hirenow_store_load(w->store, &r, out, error);
}
static hirenow_status list_rows(struct world *w, hirenow_rows **out, hirenow_error **error) {
  REQUEST(list_request, r);
  r.tenant = w->admin.tenant;
  r.at = w->now;
  r.state = HIRENOW_STATE_NONE;
  r.with_counts = 1;
  r.limit = 10;
  return hirenow_store_list(w->store, &r, out, error);
}
static hirenow_status claim_messages(struct world *w, hirenow_rows **out, hirenow_error **error) {
  REQUEST(claim_request, r);
  w->now += 31; /* what a failed claim took has run out */
  r.now = w->now;
  r.lease_seconds = 30;
  r.limit = 10;
  return hirenow_store_claim(w->store, &r, out, error);
}
static hirenow_status settle_one(struct world *w, int32_t what, hirenow_error **error) {
  REQUEST(settlement, s);
  s.key = hirenow_rows_get_message(w->claimed, 0)->key;
  s.tenant = w->admin.tenant;
  s.what = what;
  s.at = w->now;
  s.answer = "the words of a server that says a lot";
  const hirenow_settlement *all[] = {&s};
  return hirenow_store_settle(w->store, all, 1, NULL, error);
}
static hirenow_status allow(struct world *w, hirenow_error **error) {
  REQUEST(allowance_request, of_all);
  of_all.now = w->now;
  of_all.per_minute = 600;
  of_all.wanted = 3;
  hirenow_allowance_request of_tenant = of_all;
  of_tenant.tenant = w->admin.tenant;
  const hirenow_allowance_request *all[] = {&of_all, &of_tenant};
  return hirenow_store_allow(w->store, all, 2, NULL, NULL, NULL, error);
}
static hirenow_status list_messages(struct world *w, hirenow_rows **out, hirenow_error **error) {
  REQUEST(message_request, r);
  r.tenant = w->admin.tenant;
  r.state = -1;
  r.limit = 10;
  return hirenow_store_messages(w->store, &r, out, error);
}
static hirenow_status save_progress(struct world *w, hirenow_error **error) {
  REQUEST(checkpoint_request, r);
  r.tenant = w->admin.tenant;
  r.interview_id = w->id;
  r.at = w->now;
  r.bytes = "an answer of more than fifteen bytes";
  r.size = 36;
  return hirenow_store_save_progress(w->store, &r, NULL, error);
}
static hirenow_audit_row imported(const struct world *w) {
  REQUEST(audit_row, e);
  e.at = w->now;
  e.actor = "system";
  e.event = "an event with a name of some length";
  e.from = e.to = HIRENOW_STATE_NONE;
  return e;
}
static hirenow_status commit_policy(struct world *w, hirenow_error **error) {
  hirenow_audit_row entry = imported(w);
  REQUEST(record_row, head);
  head.last_instant = w->now;
  const hirenow_status status = hirenow_audit_append(w->admin.tenant, &head, &entry, error);
  if (status) return status;
  REQUEST(policy_row, r);
  r.track = "a track of its own, with a long name";
  r.document = policy_document;
  r.set_by = "an administrator with a long id";
  const hirenow_audit_row *entries[] = {&entry};
  const hirenow_policy_row *policies[] = {&r};
  REQUEST(change_set, c);
  c.tenant = w->admin.tenant;
  c.applicant_id = "";
  c.head = &head;
  c.audit = entries;
  c.audit_count = 1;
  c.policies = policies;
  c.policy_count = 1;
  return hirenow_store_commit(w->store, &c, error);
}
static hirenow_status commit(struct world *w, hirenow_error **error) {
  hirenow_record_row head = *hirenow_rows_get_record(w->record);
  hirenow_audit_row entry = imported(w);
  const hirenow_status status = hirenow_audit_append(w->admin.tenant, &head, &entry, error);
  if (status) return status;
  const hirenow_audit_row *entries[] = {&entry};
  REQUEST(change_set, c);
  c.tenant = w->admin.tenant;
  c.applicant_id = "case";
  c.expected_version = head.version;
  c.head = &head;
  c.audit = entries;
  c.audit_count = 1;
  return hirenow_store_commit(w->store, &c, error);
}

/* ---- The audit's chain and the lifecycle ---- */

static hirenow_status hash_entry(struct world *w, hirenow_error **error) {
  const hirenow_audit_row entry = imported(w);
  uint8_t hash[32];
  return hirenow_audit_hash(w->admin.tenant, hirenow_rows_get_record(w->record), &entry, hash, error);
}
static hirenow_status verify_chain(struct world *w, hirenow_audit_verifier **out, hirenow_error **error) {
  hirenow_status status =
      hirenow_audit_verifier_new(w->admin.tenant, hirenow_rows_get_record(w->record), out, error);
  for (size_t n = 0; !status && n < hirenow_rows_get_audit_count(w->entries); ++n)
    status = hirenow_audit_verifier_take(*out, hirenow_rows_get_audit(w->entries, n), error);
  if (!status) status = hirenow_audit_verifier_finish(*out, error);
  if (!status) return status;
  hirenow_audit_verifier_free(*out);
  return *out = NULL, status;
}
static hirenow_status digest_by(hirenow_status (*f)(const hirenow_rows *, uint8_t *, hirenow_error **),
                                const hirenow_rows *rows, hirenow_error **error) {
  uint8_t out[32];
  return f(rows, out, error);
}
static hirenow_status commit_to(hirenow_error **error) {
  uint8_t out[32];
  return hirenow_audit_commitment("a salt", 6, "a text that no small string would hold", out, error);
}
static hirenow_interview_row row_of(const struct world *w) { return *hirenow_rows_get_interview(w->record, 0); }
static hirenow_status apply(struct world *w, hirenow_error **error) {
  hirenow_interview_row r = row_of(w);
  return hirenow_interview_row_apply(&r, HIRENOW_EVENT_CANCEL, HIRENOW_AUTHORITY_STAFF, w->now, error);
}
static hirenow_status after_clock(struct world *w, hirenow_error **error) {
  hirenow_interview_row r = row_of(w);
  return hirenow_interview_row_after_clock(&r, w->now, error);
}
static hirenow_status deadline(struct world *w, hirenow_error **error) {
  hirenow_interview_row r = row_of(w);
  hirenow_deadline_terms out = HIRENOW_DEADLINE_TERMS_INIT;
  return hirenow_interview_row_deadline(&r, w->now, &out, error);
}
static hirenow_status judge(struct world *w, hirenow_error **error) {
  int32_t verdict = -1;
  return hirenow_judge_link(w->genuine, w->record, w->now, &verdict, error);
}
static hirenow_status add_span(hirenow_error **error) {
  int64_t out = 0;
  return hirenow_span_add(0, 1, 1, &out, error);
}
static hirenow_status tell_now(struct world *w, hirenow_error **error) {
  int64_t out = 0;
  return hirenow_engine_now(w->engine, &out, error);
}
static hirenow_status outbox(struct world *w, hirenow_error **error) {
  hirenow_outbox_figures figures = HIRENOW_OUTBOX_FIGURES_INIT;
  return hirenow_store_outbox(w->store, w->now, &figures, NULL, error);
}
static hirenow_status next_due(struct world *w, hirenow_error **error) {
  int64_t out = 0;
  return hirenow_store_next_due(w->store, &out, error);
}

CALL(c_accommodate, interview, accommodate(w, &out, error))
PLAIN(c_redrive, redrive(w, error))
PLAIN(c_drop, drop(w, error))
PLAIN(c_dispatch_due, dispatch_due(w, error))
PLAIN(c_stats, hirenow_dispatcher_stats(w->dispatcher, NULL, NULL, NULL, error))
CALL(c_prometheus, text, hirenow_dispatcher_prometheus_text(w->dispatcher, &out, error))
PLAIN(c_outbox, outbox(w, error))
CALL(c_render, rendered, render_invitation(w, &out, error))
CALL(c_language_of, text, hirenow_templates_language_of(w->templates, HIRENOW_MESSAGE_INVITATION, "de-AT", &out, error))
CALL(c_send, text, send_mail(w, &out, error))
CALL(c_message_id, text, message_id(w, &out, error))
CALL(c_smtp, mailer, open_smtp(&out, error))
PLAIN(c_run, run_stopped(w, error))
CALL(c_check_store, text, check_none(&out, error))
CALL(c_on, engine, join(w, &out, error))
CALL(c_store_of, store, hirenow_engine_store(w->engine, &out, error))
PLAIN(c_now, tell_now(w, error))
CALL(c_link_for_row, text,
     hirenow_link_for_row(w->engine, w->admin.tenant, "case", hirenow_rows_get_interview(w->record, 0), &out, error))
CALL(c_rows_json, text, hirenow_rows_json(w->entries, &out, error))
CALL(c_keys_file, keys, hirenow_keys_from_file(w->key_file, &out, error))
CALL(c_keys_environment, keys, hirenow_keys_from_environment("HIRENOW_EVERY_CALL_KEYS", &out, error))
CALL(c_sign, text, hirenow_keys_sign_text(w->keys, "k1", "a purpose", "a text of more than fifteen bytes", &out, error))
PLAIN(c_verify_text, hirenow_keys_verify_text(w->keys, "k1", "a purpose", "a text of more than fifteen bytes",
                                              hirenow_text_get(w->signature), error))
CALL(c_verify_token, token, hirenow_token_verify(w->keys, w->token, "hirenow", "interview", &out, error))
CALL(c_token_json, text, hirenow_token_json(w->genuine, &out, error))
CALL(c_evaluate_track, eligibility,
     hirenow_policy_evaluate_track(w->policy, w->record, "a track with a name that no small string holds", w->now, 0,
                                   &out, error))
PLAIN(c_span, hirenow_span_parse("P1Y2M3DT4H5M6S", NULL, NULL, error))
PLAIN(c_add_span, add_span(error))
CALL(c_words, text, hirenow_span_words(18, 3600, &out, error))
CALL(c_load, rows, load_record(w, &out, error))
PLAIN(c_commit, commit(w, error))
PLAIN(c_save_progress, save_progress(w, error))
CALL(c_list_rows, rows, list_rows(w, &out, error))
CALL(c_due, rows, hirenow_store_due(w->store, w->now + 8 * 86400, 10, NULL, &out, error))
CALL(c_claim, rows, claim_messages(w, &out, error))
PLAIN(c_allow, allow(w, error))
PLAIN(c_settle, settle_one(w, HIRENOW_SETTLE_ACCEPTED, error))
PLAIN(c_next_due, next_due(w, error))
CALL(c_message_rows, rows, list_messages(w, &out, error))
CALL(c_entries, rows, hirenow_store_read_audit(w->store, w->admin.tenant, "case", 0, 10, &out, error))
CALL(c_heads, rows, hirenow_store_audit_heads(w->store, w->admin.tenant, NULL, 10, &out, error))
PLAIN(c_commit_policy, commit_policy(w, error))
static hirenow_status list_policies(struct world *w, hirenow_rows **out, hirenow_error **error) {
  REQUEST(policy_request, r);
  r.tenant = w->admin.tenant;
  r.before_active_from = HIRENOW_NONE;
  r.limit = 10;
  return hirenow_store_policies(w->store, &r, out, error);
}
CALL(c_policy_rows, rows, list_policies(w, &out, error))
PLAIN(c_prune, hirenow_store_prune(w->store, w->now, 10, NULL, error))
PLAIN(c_judge, judge(w, error))
PLAIN(c_commitment, commit_to(error))
PLAIN(c_hash, hash_entry(w, error))
CALL(c_chain, audit_verifier, verify_chain(w, &out, error))
PLAIN(c_root, digest_by(hirenow_audit_merkle_root, w->heads, error))
PLAIN(c_apply, apply(w, error))
PLAIN(c_after_clock, after_clock(w, error))
PLAIN(c_deadline, deadline(w, error))

#endif
