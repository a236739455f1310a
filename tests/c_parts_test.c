/* What the C interface offers beside the engine: keys, tokens and policies; a store asked directly, by which a
 * dispatcher of the host's own empties the outbox; templates and mailers; the lifecycle and the audit's chain; the
 * host's own SQLite transaction. */

#include <sqlite3.h>

#include "c/world.h"

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
  hirenow_token *read = NULL;
  IS(hirenow_token_verify(keys, hirenow_text_get(text), "i", "a", &read, NULL), HIRENOW_OK);
  hirenow_token_claims told = HIRENOW_TOKEN_CLAIMS_INIT;
  IS(hirenow_token_get_claims(read, &told, NULL), HIRENOW_OK);
  CHECK(strcmp(told.subject, "s") == 0 && told.expires_at == 100 && told.generation == 1);
  CHECK(strcmp(told.interview_id, claims.interview_id) == 0 && strcmp(told.tenant, "t") == 0);
  hirenow_text *said = NULL;
  IS(hirenow_token_json(read, &said, NULL), HIRENOW_OK);
  CHECK(has(said, "\"sub\":\"s\"") && has(said, "\"exp\":100"));
  hirenow_text_free(said);
  hirenow_token_free(read);
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

static void test_texts_that_are_signed(void) {
  hirenow_text *document = NULL, *signature = NULL;
  hirenow_keys *keys = NULL;
  IS(hirenow_key_document_new(HIRENOW_KEY_ED25519, "k", &document, NULL), HIRENOW_OK);
  IS(hirenow_keys_from_json(hirenow_text_get(document), &keys, NULL), HIRENOW_OK);
  IS(hirenow_keys_sign_text(keys, "other", "statement", "a text", &signature, NULL), HIRENOW_KEY_INVALID);
  IS(hirenow_keys_sign_text(keys, "k", "statement", "a text", &signature, NULL), HIRENOW_OK);
  const char *s = hirenow_text_get(signature);
  IS(hirenow_keys_verify_text(keys, "k", "statement", "a text", s, NULL), HIRENOW_OK);
  IS(hirenow_keys_verify_text(keys, "k", "statement", "another text", s, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_verify_text(keys, "k", "other", "a text", s, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_verify_text(keys, "other", "statement", "a text", s, NULL), HIRENOW_KEY_INVALID);
  hirenow_text_free(signature);
  hirenow_keys_free(keys);
  hirenow_text_free(document);
}

static void test_spans_and_words(void) {
  int64_t then = 0;
  IS(hirenow_span_add(1769817600 /* 2026-01-31 */, 1, 3600, &then, NULL), HIRENOW_OK);
  CHECK(then == 1772236800 + 3600 /* 2026-02-28, one hour later */);
  IS(hirenow_span_add(253402300799, 0, 1, &then, NULL), HIRENOW_OK);
  CHECK(then == HIRENOW_NONE);
  IS(hirenow_span_add(0, -1, 0, &then, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_text *words = NULL;
  IS(hirenow_span_words(18, 0, &words, NULL), HIRENOW_OK);
  CHECK(has(words, "18 months"));
  hirenow_text_free(words);
  CHECK(strcmp(hirenow_event_name(HIRENOW_EVENT_VOID), "void") == 0 && strcmp(hirenow_event_name(77), "unknown") == 0);
  CHECK(strcmp(hirenow_message_state_name(HIRENOW_MESSAGE_STATE_DEAD), "dead") == 0);
  CHECK(strcmp(hirenow_fact_kind_name(HIRENOW_FACT_SCORE), "score") == 0);
  CHECK(hirenow_verdict_status(HIRENOW_VERDICT_VALID) == HIRENOW_OK);
  CHECK(hirenow_verdict_status(HIRENOW_VERDICT_EXPIRED) == HIRENOW_TOKEN_EXPIRED);
  CHECK(hirenow_verdict_status(99) == HIRENOW_TOKEN_INVALID);
  CHECK(hirenow_message_carries_link(HIRENOW_MESSAGE_REMINDER) && !hirenow_message_carries_link(-1));
  CHECK(!hirenow_message_carries_link(HIRENOW_MESSAGE_CANCELLED));
  CHECK(hirenow_backoff_after(1, 0.999, 0, 0) == 30 && hirenow_backoff_after(3, 0, 10, 3600) == 20);
  CHECK(hirenow_backoff_after(1000, 0, 10, 3600) == 1800 && hirenow_backoff_after(1, 7.0, 10, 3600) == 5);
  hirenow_permission p = {NULL, 0, 0, 0};
  CHECK(hirenow_permission_default(0, &p) && strcmp(p.use_case, "schedule") == 0 && p.roles == 5);
  CHECK(!hirenow_permission_default(HIRENOW_PERMISSION_COUNT, &p));
}

static void test_templates(void) {
  hirenow_templates *templates = NULL;
  IS(hirenow_templates_new(&templates, NULL), HIRENOW_OK);
  hirenow_message_view view = HIRENOW_MESSAGE_VIEW_INIT;
  view.applicant_name = "Ada";
  view.track = "backend";
  view.start_by = start;
  hirenow_rendered *out = NULL;
  IS(hirenow_templates_render(templates, HIRENOW_MESSAGE_INVITATION, "de-AT", &view, &out, NULL),
     HIRENOW_INVALID_ARGUMENT); /* carries a link, and there is none */
  CHECK(out == NULL);
  view.link = "https://example.com/i#token";
  IS(hirenow_templates_render(templates, 99, "de-AT", &view, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_text *language = NULL;
  IS(hirenow_templates_language_of(templates, HIRENOW_MESSAGE_INVITATION, "de-AT", &language, NULL), HIRENOW_OK);
  CHECK(strcmp(hirenow_text_get(language), "de") == 0);
  hirenow_text_free(language);
  IS(hirenow_templates_language_of(templates, 99, "de-AT", &language, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_templates_render(templates, HIRENOW_MESSAGE_INVITATION, "de-AT", &view, &out, NULL), HIRENOW_OK);
  CHECK(strcmp(hirenow_rendered_get_language(out), "de") == 0 && *hirenow_rendered_get_subject(out));
  CHECK(strstr(hirenow_rendered_get_text(out), view.link) && strstr(hirenow_rendered_get_text(out), "Ada"));
  CHECK(strstr(hirenow_rendered_get_html(out), "<"));
  hirenow_rendered_free(out);
  hirenow_templates_free(templates);
}

/* ---- A dispatcher of the host's own ---- */

/* Takes what is due, checks each link once more, renders, sends, and writes down what came of it. */
static size_t dispatch_by_hand(struct world *w, hirenow_store *store, hirenow_templates *templates) {
  int64_t due = 0;
  IS(hirenow_store_next_due(store, &due, NULL), HIRENOW_OK);
  if (due == HIRENOW_NONE || due > w->now) return 0;
  hirenow_claim_request claim;
  memset(&claim, 0, sizeof claim);
  claim.struct_size = sizeof claim;
  claim.now = w->now;
  claim.lease_seconds = 30;
  hirenow_allowance_request pace = HIRENOW_ALLOWANCE_REQUEST_INIT;
  pace.now = w->now;
  pace.per_minute = 600;
  pace.wanted = 7;
  const hirenow_allowance_request *paces[] = {&pace, &pace};
  size_t granted[2] = {0, 0};
  int64_t wait[2] = {-1, -1};
  int32_t counts = 0;
  IS(hirenow_store_allow(store, paces, 2, granted, wait, &counts, NULL), HIRENOW_OK);
  CHECK(counts == 1 && granted[0] == 7 && wait[0] == 0 && granted[1] == 3 && wait[1] == 1);
  claim.limit = granted[0];
  memset(claim.token, 7, sizeof claim.token);
  hirenow_rows *claimed = NULL;
  IS(hirenow_store_claim(store, &claim, &claimed, NULL), HIRENOW_OK);
  size_t sent = 0;
  for (size_t n = 0; n < hirenow_rows_get_message_count(claimed); ++n) {
    const hirenow_message_row *m = hirenow_rows_get_message(claimed, n);
    const hirenow_owner_row *of = hirenow_rows_get_owner(claimed, n);
    hirenow_load_request load;
    memset(&load, 0, sizeof load);
    load.struct_size = sizeof load;
    load.tenant = of->tenant;
    load.interview_id = m->key.interview_id;
    hirenow_rows *record = NULL;
    IS(hirenow_store_load(store, &load, &record, NULL), HIRENOW_OK);
    const hirenow_interview_row *i = NULL;
    for (size_t k = 0; k < hirenow_rows_get_interview_count(record); ++k)
      if (strcmp(hirenow_rows_get_interview(record, k)->id, m->key.interview_id) == 0)
        i = hirenow_rows_get_interview(record, k);
    hirenow_settlement done;
    memset(&done, 0, sizeof done);
    done.struct_size = sizeof done;
    done.key = m->key;
    done.tenant = of->tenant;
    memcpy(done.token, claim.token, sizeof done.token);
    done.at = w->now;
    hirenow_text *link = NULL, *id = NULL, *answer = NULL;
    IS(hirenow_link_for_row(w->engine, of->tenant, of->applicant_id, i, &link, NULL), HIRENOW_OK);
    hirenow_token *token = NULL;
    IS(hirenow_token_verify(w->keys, token_of(hirenow_text_get(link)), "hirenow", "interview", &token, NULL),
       HIRENOW_OK);
    int32_t verdict = -1;
    IS(hirenow_judge_link(token, record, w->now, &verdict, NULL), HIRENOW_OK);
    if (verdict == HIRENOW_VERDICT_VALID && m->generation == i->generation) {
      hirenow_message_view view = HIRENOW_MESSAGE_VIEW_INIT;
      view.track = i->track;
      view.start_by = i->start_by;
      view.link = hirenow_text_get(link);
      hirenow_rendered *texts = NULL;
      IS(hirenow_templates_render(templates, m->key.kind, hirenow_rows_get_record(record)->locale, &view, &texts, NULL),
         HIRENOW_OK);
      IS(hirenow_message_id(&m->key, "example.com", &id, NULL), HIRENOW_OK);
      hirenow_mail mail;
      memset(&mail, 0, sizeof mail);
      mail.struct_size = sizeof mail;
      mail.message_id = hirenow_text_get(id);
      mail.from_address = "jobs@example.com";
      mail.to_address = hirenow_rows_get_record(record)->email;
      mail.subject = hirenow_rendered_get_subject(texts);
      mail.text = hirenow_rendered_get_text(texts);
      int32_t outcome = -1, code = -1;
      IS(hirenow_mailer_send(w->mailer, &mail, &outcome, &code, &answer, NULL), HIRENOW_OK);
      CHECK(outcome == HIRENOW_DELIVERY_ACCEPTED && code == 250 && has(answer, "answered"));
      done.what = HIRENOW_SETTLE_ACCEPTED;
      done.answer = hirenow_text_get(answer);
      hirenow_rendered_free(texts);
      ++sent;
    } else {
      done.what = HIRENOW_SETTLE_WITHDRAWN;
    }
    const hirenow_settlement *all[] = {&done};
    int32_t ours = -1;
    IS(hirenow_store_settle(store, all, 1, &ours, NULL), HIRENOW_OK);
    CHECK(ours == 1);
    IS(hirenow_store_settle(store, all, 1, &ours, NULL), HIRENOW_OK); /* it is settled: the lease is gone */
    CHECK(ours == 0);
    hirenow_text_free(answer);
    hirenow_text_free(id);
    hirenow_text_free(link);
    hirenow_token_free(token);
    hirenow_rows_free(record);
  }
  hirenow_rows_free(claimed);
  return sent;
}

static void test_dispatcher_by_hand(struct world *w) {
  hirenow_templates *templates = NULL;
  hirenow_store *store = NULL;
  IS(hirenow_templates_new(&templates, NULL), HIRENOW_OK);
  IS(hirenow_engine_store(w->engine, &store, NULL), HIRENOW_OK);
  hirenow_interview *i = schedule(w, "ada", "by hand");
  CHECK(dispatch_by_hand(w, store, templates) == 1 && strstr(w->text, hirenow_interview_get_link(i)));
  CHECK(dispatch_by_hand(w, store, templates) == 0);
  hirenow_message_request which;
  memset(&which, 0, sizeof which);
  which.struct_size = sizeof which;
  which.tenant = "acme";
  which.interview_id = hirenow_interview_get_id(i);
  which.state = HIRENOW_MESSAGE_STATE_ACCEPTED;
  which.limit = 10;
  hirenow_rows *rows = NULL;
  IS(hirenow_store_messages(store, &which, &rows, NULL), HIRENOW_OK);
  const hirenow_message_row *m = hirenow_rows_get_message(rows, 0);
  CHECK(hirenow_rows_get_message_count(rows) == 1 && m && m->tries == 1 && strcmp(m->last_answer, "answered") == 0);
  IS(hirenow_rows_json(rows, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_rows_free(rows);
  which.limit = 0;
  IS(hirenow_store_messages(store, &which, &rows, NULL), HIRENOW_INVALID_ARGUMENT);
  which.tenant = "\xff";
  which.limit = 10;
  IS(hirenow_store_messages(store, &which, &rows, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_mail mail;
  memset(&mail, 0, sizeof mail);
  int32_t outcome = -1;
  IS(hirenow_mailer_send(w->mailer, &mail, &outcome, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(outcome == HIRENOW_DELIVERY_TEMPORARY);
  hirenow_interview_free(i);
  hirenow_store_free(store);
  hirenow_templates_free(templates);
}

/* A renderer in place of the templates. */
static hirenow_status render(void *ctx, int32_t kind, const char *locale, const hirenow_message_view *view,
                             hirenow_reply *reply) {
  struct world *w = ctx;
  CHECK(kind == HIRENOW_MESSAGE_INVITATION && !*locale && view->attempt == 1 && view->deadline == HIRENOW_NONE);
  if (w->meddled) return hirenow_reply_fail(reply, 1007, "out of ink", "");
  char text[8192];
  snprintf(text, sizeof text, "rendered: %s", view->link);
  return hirenow_reply_set_rendered(reply, "A subject", text, NULL, "fr");
}

static void test_renderer(struct world *w) {
  hirenow_dispatcher_options options = HIRENOW_DISPATCHER_OPTIONS_INIT;
  options.sender_address = "jobs@example.com";
  options.ctx = w;
  options.render = render;
  hirenow_dispatcher *d = NULL;
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &d, NULL), HIRENOW_OK);
  hirenow_interview *i = schedule(w, "bob", "rendered");
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  w->meddled = 1;
  IS(hirenow_dispatcher_dispatch_due(d, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.retried == 1 && report.accepted == 0);
  w->meddled = 0;
  w->now += 60;
  IS(hirenow_dispatcher_dispatch_due(d, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.accepted == 1 && strncmp(w->text, "A subject\nrendered: https://", 28) == 0);
  hirenow_dispatcher_free(d);
  hirenow_interview_free(i);
}

/* ---- A store, asked directly ---- */

static hirenow_rows *load(hirenow_store *store, const char *applicant_id) {
  hirenow_load_request r;
  memset(&r, 0, sizeof r);
  r.struct_size = sizeof r;
  r.tenant = "acme";
  r.applicant_id = applicant_id;
  r.with_rules = 1;
  hirenow_rows *out = NULL;
  IS(hirenow_store_load(store, &r, &out, NULL), HIRENOW_OK);
  return out;
}

/* Commits one audit entry, made by hand. */
static void test_commit_by_hand(hirenow_store *store, const hirenow_rows *before, int64_t now) {
  hirenow_record_row head = *hirenow_rows_get_record(before);
  hirenow_audit_row entry;
  memset(&entry, 0, sizeof entry);
  entry.struct_size = sizeof entry;
  entry.at = now;
  entry.actor = "system";
  entry.event = "imported";
  entry.from = entry.to = HIRENOW_STATE_NONE;
  IS(hirenow_audit_append("acme", &head, &entry, NULL), HIRENOW_OK);
  CHECK(entry.sequence == hirenow_rows_get_record(before)->sequence + 1 && strcmp(entry.details, "{}") == 0);
  CHECK(memcmp(entry.previous, hirenow_rows_get_record(before)->audit_head, 32) == 0);
  uint8_t hash[32];
  IS(hirenow_audit_hash("acme", &head, &entry, hash, NULL), HIRENOW_OK);
  CHECK(memcmp(hash, entry.hash, 32) == 0 && memcmp(hash, head.audit_head, 32) == 0);
  const hirenow_audit_row *entries[] = {&entry};
  hirenow_change_set c;
  memset(&c, 0, sizeof c);
  c.struct_size = sizeof c;
  c.tenant = "acme";
  c.applicant_id = head.applicant_id;
  c.expected_version = head.version + 1;
  c.head = &head;
  c.audit = entries;
  c.audit_count = 1;
  IS(hirenow_store_commit(store, &c, NULL), HIRENOW_CONFLICT);
  c.expected_version = head.version;
  IS(hirenow_store_commit(store, &c, NULL), HIRENOW_OK);
  c.expected_version = head.version + 1;
  IS(hirenow_store_commit(store, &c, NULL), HIRENOW_CONSTRAINT_VIOLATED); /* not the next entry */
  c.applicant_id = "somebody else";
  IS(hirenow_store_commit(store, &c, NULL), HIRENOW_INVALID_ARGUMENT);
  c.applicant_id = head.applicant_id;
  entries[0] = NULL;
  IS(hirenow_store_commit(store, &c, NULL), HIRENOW_INVALID_ARGUMENT);
}

/* Sets a policy in a commit of the tenant's own record. */
static hirenow_status commit_policy(hirenow_store *store, const hirenow_policy_row *policy) {
  hirenow_rows *before = load(store, "");
  hirenow_record_row head = HIRENOW_RECORD_ROW_INIT;
  head.applicant_id = "";
  if (hirenow_rows_get_record(before)) head = *hirenow_rows_get_record(before);
  hirenow_audit_row entry;
  memset(&entry, 0, sizeof entry);
  entry.struct_size = sizeof entry;
  entry.at = policy->set_at > head.last_instant ? policy->set_at : head.last_instant;
  entry.actor = "staff:anna";
  entry.event = "set_policy";
  entry.from = entry.to = HIRENOW_STATE_NONE;
  IS(hirenow_audit_append("acme", &head, &entry, NULL), HIRENOW_OK);
  const hirenow_audit_row *entries[] = {&entry};
  const hirenow_policy_row *policies[] = {policy};
  hirenow_change_set c = HIRENOW_CHANGE_SET_INIT;
  c.tenant = "acme";
  c.applicant_id = "";
  c.expected_version = head.version;
  c.head = &head;
  c.audit = entries;
  c.audit_count = 1;
  c.policies = policies;
  c.policy_count = 1;
  const hirenow_status status = hirenow_store_commit(store, &c, NULL);
  policies[0] = NULL;
  IS(hirenow_store_commit(store, &c, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_rows_free(before);
  return status;
}

static void test_store_by_hand(struct world *w) {
  hirenow_store *store = NULL;
  IS(hirenow_engine_store(w->engine, &store, NULL), HIRENOW_OK);
  int64_t now = 0;
  IS(hirenow_engine_now(w->engine, &now, NULL), HIRENOW_OK);
  CHECK(now == w->now);
  hirenow_interview *i = sit_and_submit(w, "cleo", "by hand");
  hirenow_rows *rows = load(store, "cleo");
  CHECK(hirenow_rows_get_record(rows)->version == 3 && hirenow_rows_get_interview_count(rows) == 1);
  CHECK(hirenow_rows_get_policy(rows) == NULL && hirenow_rows_get_answer(rows) == NULL);
  CHECK(hirenow_rows_get_progress(rows, NULL, NULL) == NULL);
  test_commit_by_hand(store, rows, w->now);
  hirenow_policy *policy = NULL;
  hirenow_eligibility *may = NULL;
  IS(hirenow_policy_parse(NULL, &policy, NULL), HIRENOW_OK);
  IS(hirenow_policy_evaluate_track(policy, rows, "by hand", w->now, 0, &may, NULL), HIRENOW_OK);
  CHECK(strcmp(hirenow_eligibility_get_reason(may), "outcome_not_eligible") == 0);
  hirenow_eligibility_free(may);
  IS(hirenow_policy_evaluate_track(policy, rows, "another", w->now, 0, &may, NULL), HIRENOW_OK);
  CHECK(hirenow_eligibility_get_allowed(may));
  hirenow_eligibility_free(may);
  hirenow_policy_free(policy);
  hirenow_rows_free(rows);
  rows = load(store, "nobody");
  CHECK(hirenow_rows_get_record(rows) == NULL);
  hirenow_rows_free(rows);

  /* The whole chain, entry by entry. */
  rows = load(store, "cleo");
  hirenow_rows *entries = NULL;
  hirenow_audit_verifier *verifier = NULL;
  IS(hirenow_store_read_audit(store, "acme", "cleo", 0, 100, &entries, NULL), HIRENOW_OK);
  IS(hirenow_audit_verifier_new("acme", hirenow_rows_get_record(rows), &verifier, NULL), HIRENOW_OK);
  for (size_t n = 0; n < hirenow_rows_get_audit_count(entries); ++n) {
    IS(hirenow_audit_verifier_finish(verifier, NULL), HIRENOW_AUDIT_BROKEN);
    IS(hirenow_audit_verifier_take(verifier, hirenow_rows_get_audit(entries, n), NULL), HIRENOW_OK);
  }
  IS(hirenow_audit_verifier_finish(verifier, NULL), HIRENOW_OK);
  IS(hirenow_audit_verifier_take(verifier, hirenow_rows_get_audit(entries, 0), NULL), HIRENOW_AUDIT_BROKEN);
  hirenow_audit_verifier_free(verifier);
  uint8_t root[32] = {0}, commitment[32] = {0};
  IS(hirenow_audit_merkle_root(entries, root, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_rows_free(entries);
  const hirenow_record_row *r = hirenow_rows_get_record(rows);
  IS(hirenow_audit_commitment(r->salt, r->salt_size, "cleo", commitment, NULL), HIRENOW_OK);
  CHECK(memcmp(commitment, r->subject, sizeof commitment) == 0);
  hirenow_rows_free(rows);
  IS(hirenow_store_audit_heads(store, "acme", NULL, 100, &rows, NULL), HIRENOW_OK);
  IS(hirenow_audit_merkle_root(rows, root, NULL), HIRENOW_OK);
  CHECK(hirenow_rows_get_owner_count(rows) >= 1 && (root[0] || root[1] || root[2]));
  hirenow_rows_free(rows);

  hirenow_interview *due = schedule(w, "dora", "by hand");
  IS(hirenow_store_due(store, w->now + 4 * day, 10, NULL, &rows, NULL), HIRENOW_OK);
  const hirenow_owner_row *owner = hirenow_rows_get_owner(rows, 0);
  CHECK(owner && strcmp(owner->tenant, "acme") == 0 && owner->limit != HIRENOW_NONE && !*hirenow_rows_get_next(rows));
  hirenow_rows_free(rows);
  IS(hirenow_store_due(store, w->now, 0, NULL, &rows, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_list_request wanted;
  memset(&wanted, 0, sizeof wanted);
  wanted.struct_size = sizeof wanted;
  wanted.tenant = "acme";
  wanted.at = w->now;
  wanted.state = HIRENOW_STATE_NONE;
  wanted.with_counts = 1;
  wanted.limit = 1;
  IS(hirenow_store_list(store, &wanted, &rows, NULL), HIRENOW_OK);
  CHECK(hirenow_rows_get_interview_count(rows) == 1 && hirenow_rows_get_owner_count(rows) == 1);
  CHECK(*hirenow_rows_get_next(rows) && hirenow_rows_get_state_count(rows, HIRENOW_STATE_SUBMITTED) == 1);
  hirenow_rows_free(rows);
  IS(hirenow_store_list(store, NULL, &rows, NULL), HIRENOW_INVALID_ARGUMENT);

  const char *document = "{\"hirenow_policy\":1,\"version\":\"v\",\"rules\":[]}";
  hirenow_policy_row own = HIRENOW_POLICY_ROW_INIT;
  own.track = "by hand";
  own.document = document;
  own.set_by = "anna";
  own.set_at = 5;
  IS(commit_policy(store, &own), HIRENOW_OK);
  hirenow_load_request request;
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  request.tenant = "acme";
  request.interview_id = hirenow_interview_get_id(i);
  request.with_rules = request.with_progress = 1;
  IS(hirenow_store_load(store, &request, &rows, NULL), HIRENOW_OK);
  CHECK(hirenow_rows_get_policy(rows) && hirenow_rows_get_policy(rows)->set_at == 5);
  size_t size = 0;
  int64_t saved_at = 0;
  CHECK(hirenow_rows_get_progress(rows, &size, &saved_at) && size == 3 && saved_at == w->now);
  hirenow_text *text = NULL;
  IS(hirenow_rows_json(rows, &text, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_rows_free(rows);
  request.applicant_id = "cleo"; /* both */
  IS(hirenow_store_load(store, &request, &rows, NULL), HIRENOW_INVALID_ARGUMENT);
  own.document = "";
  IS(commit_policy(store, &own), HIRENOW_OK);
  IS(hirenow_read_audit(w->engine, NULL, &w->admin, 0, 0, &rows, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_verify_audit(w->engine, NULL, &w->admin, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_read_audit(w->engine, "", &w->admin, 0, 0, &rows, NULL), HIRENOW_OK);
  const hirenow_audit_row *told = hirenow_rows_get_audit(rows, hirenow_rows_get_audit_count(rows) - 1);
  CHECK(told && strcmp(told->actor, "staff:anna") == 0 && strcmp(told->event, "set_policy") == 0);
  hirenow_rows_free(rows);
  hirenow_checkpoint_request late;
  memset(&late, 0, sizeof late);
  late.struct_size = sizeof late;
  late.tenant = "acme";
  late.interview_id = hirenow_interview_get_id(i);
  late.at = w->now;
  late.bytes = "x";
  late.size = 1;
  int32_t saved = -1;
  IS(hirenow_store_save_progress(store, &late, &saved, NULL), HIRENOW_OK);
  CHECK(saved == 0); /* nobody sits there */
  size_t pruned = 7;
  IS(hirenow_store_prune(store, w->now, 10, &pruned, NULL), HIRENOW_OK);
  CHECK(pruned == 0);
  hirenow_interview_free(due);
  hirenow_interview_free(i);
  hirenow_store_free(store);
}

/* ---- The host's own transaction ---- */

static void sql(sqlite3 *db, const char *statement) {
  CHECK(sqlite3_exec(db, statement, NULL, NULL, NULL) == SQLITE_OK);
}

static void test_host_transaction(struct world *w) {
  sqlite3 *db = NULL;
  hirenow_store *joined = NULL;
  hirenow_engine *on = NULL, *of_world = w->engine;
  CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
  sql(db, "CREATE TABLE stage(name TEXT)");
  IS(hirenow_store_join(db, 1, &joined, NULL), HIRENOW_OK);
  IS(hirenow_engine_on(w->engine, joined, &on, NULL), HIRENOW_OK);
  hirenow_store_free(joined);
  w->engine = on;
  hirenow_interview *i = NULL;
  hirenow_page *page = NULL;
  IS(hirenow_list(on, NULL, &w->recruiter, &page, NULL), HIRENOW_NO_TRANSACTION);
  sql(db, "BEGIN");
  sql(db, "INSERT INTO stage VALUES ('invited')");
  i = schedule(w, "eve", "joined");
  CHECK(*hirenow_interview_get_link(i));
  sql(db, "ROLLBACK");
  hirenow_interview_free(i);
  sql(db, "BEGIN");
  IS(hirenow_list(on, NULL, &w->recruiter, &page, NULL), HIRENOW_OK);
  CHECK(hirenow_page_get_count(page) == 0);
  hirenow_page_free(page);
  sql(db, "INSERT INTO stage VALUES ('invited')");
  i = schedule(w, "eve", "joined");
  hirenow_interview *twice = NULL;
  IS(hirenow_cancel(on, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->recruiter, NULL, &twice, NULL), HIRENOW_NOT_FOUND);
  sql(db, "COMMIT"); /* usable after an error of ours */
  sql(db, "BEGIN");
  IS(hirenow_find(on, hirenow_interview_get_id(i), &w->recruiter, &twice, NULL), HIRENOW_OK);
  hirenow_interview_free(twice);
  sql(db, "COMMIT");
  hirenow_interview_free(i);
  w->engine = of_world;
  hirenow_engine_free(on);
  CHECK(sqlite3_close(db) == SQLITE_OK); /* nothing of ours is left on it */
}

/* ---- What a store warns of ---- */

struct watcher {
  hirenow_engine *engine;
  hirenow_actor who;
  int warnings;
  hirenow_status listed, scheduled;
};
static void look_around(void *ctx, const char *message) {
  struct watcher *w = ctx;
  if (!strstr(message, "another program commits")) return;
  ++w->warnings;
  hirenow_page *page = NULL;
  w->listed = hirenow_list(w->engine, NULL, &w->who, &page, NULL);
  hirenow_page_free(page);
  hirenow_applicant person = HIRENOW_APPLICANT_INIT;
  person.id = "from the logger";
  person.email = "x@example.com";
  hirenow_schedule_request request = HIRENOW_SCHEDULE_REQUEST_INIT;
  request.applicant = &person;
  request.track = "warned";
  hirenow_interview *out = NULL;
  w->scheduled = hirenow_schedule(w->engine, &request, &w->who, &out, NULL);
  hirenow_interview_free(out);
}

/* By hirenow_open() with the engine's logger, or by a store with one of its own. The logger is called with no lock held,
 * or this would never end; and the engine knows its thread. */
static void test_warnings(struct world *w, int by_open) {
  if (sqlite3_libversion_number() >= 3051003) return; /* nothing to warn of */
  char file[256], url[300];
  snprintf(file, sizeof file, "/tmp/hirenow-c-parts-%ld-%d.db", (long)getpid(), by_open);
  snprintf(url, sizeof url, "sqlite:%s", file);
  struct watcher watcher = {NULL, w->recruiter, 0, -1, -1};
  hirenow_logger_callbacks callbacks = HIRENOW_LOGGER_CALLBACKS_INIT;
  callbacks.ctx = &watcher;
  callbacks.warn = look_around;
  hirenow_logger *logger = NULL;
  IS(hirenow_logger_new(&callbacks, &logger, NULL), HIRENOW_OK);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  options.link_base = "https://example.com/i";
  if (by_open) {
    options.logger = logger;
    IS(hirenow_open(url, &options, &watcher.engine, NULL), HIRENOW_OK);
  } else {
    hirenow_store_options opening = HIRENOW_STORE_OPTIONS_INIT;
    hirenow_store *store = NULL;
    opening.logger = logger;
    IS(hirenow_store_open(url, &opening, &store, NULL), HIRENOW_OK);
    IS(hirenow_engine_new(store, &options, &watcher.engine, NULL), HIRENOW_OK);
    hirenow_store_free(store);
  }
  hirenow_logger_free(logger);
  hirenow_engine *of_world = w->engine;
  w->engine = watcher.engine;
  hirenow_interview_free(schedule(w, "ada", "first"));
  sqlite3 *stranger = NULL;
  CHECK(sqlite3_open(file, &stranger) == SQLITE_OK);
  sql(stranger, "CREATE TABLE theirs(id)");
  hirenow_interview_free(schedule(w, "ada", "second"));
  CHECK(watcher.warnings == 1);
  IS(watcher.listed, HIRENOW_REENTRANT_CALL);
  IS(watcher.scheduled, HIRENOW_REENTRANT_CALL);
  w->engine = of_world;
  hirenow_engine_free(watcher.engine);
  CHECK(sqlite3_close(stranger) == SQLITE_OK);
  static const char *const parts[] = {"", "-wal", "-shm", "-hirenow-lock"};
  for (size_t n = 0; n < 4; ++n) {
    char name[300];
    snprintf(name, sizeof name, "%s%s", file, parts[n]);
    unlink(name);
  }
}

static void play(struct world *w) {
  test_warnings(w, 0);
  test_warnings(w, 1);
  test_dispatcher_by_hand(w);
  test_renderer(w);
  test_store_by_hand(w);
  test_host_transaction(w);
}

int main(void) {
  for_every_store(play);
  test_keys_tokens_policies();
  test_texts_that_are_signed();
  test_spans_and_words();
  test_templates();
  return end_of_tests();
}
