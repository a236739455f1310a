/* The C interface from strict C99: what every function does. A store, a mailer and a clock written in C stand under all
 * of it. What the functions survive stands in c_survival_test.c. */

#include "c/world.h"

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
  IS(hirenow_link_of(w->engine, id, &w->recruiter, &link, NULL), HIRENOW_OK);
  CHECK(link && strcmp(hirenow_text_get(link), hirenow_interview_get_link(i)) == 0);
  hirenow_text_free(link);
  hirenow_actor reviewer = actor("vik", HIRENOW_ROLE_REVIEWER), stranger = w->recruiter;
  stranger.tenant = "other";
  IS(hirenow_link_of(w->engine, id, &reviewer, &link, NULL), HIRENOW_PERMISSION_DENIED);
  IS(hirenow_link_of(w->engine, id, &stranger, &link, NULL), HIRENOW_NOT_FOUND);
  hirenow_interview_row row;
  memset(&row, 0, sizeof row);
  row.struct_size = sizeof row;
  IS(hirenow_interview_get_row(i, &row, NULL), HIRENOW_OK);
  CHECK(row.generation == 1 && row.grace_seconds == 30 && row.created_at == w->now && row.started_at == HIRENOW_NONE);
  IS(hirenow_link_for_row(w->engine, "acme", "ada", &row, &link, NULL), HIRENOW_OK);
  CHECK(link && strcmp(hirenow_text_get(link), hirenow_interview_get_link(i)) == 0);
  hirenow_text_free(link);

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
  terms = (hirenow_retake_options)HIRENOW_RETAKE_OPTIONS_INIT;
  terms.extend_by_seconds = day;
  IS(hirenow_retake(w->engine, id, &w->recruiter, &terms, &other, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_link_requested asked = HIRENOW_LINK_REQUESTED_INIT;
  for (int n = 0; n < 2; ++n) {
    IS(hirenow_request_link(w->engine, token_of(hirenow_interview_get_link(i)), "ask", &asked, NULL), HIRENOW_OK);
    CHECK(asked.queued == 1 && asked.noted == 1 && asked.replayed == n && strcmp(asked.interview_id, id) == 0);
  }

  hirenow_sitting *first = NULL, *second = NULL;
  IS(hirenow_start(w->engine, token, "short", 0, &first, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(first == NULL);
  IS(hirenow_start(w->engine, token, "a key of sixteen bytes", 0, &first, NULL), HIRENOW_OK);
  CHECK(hirenow_sitting_get_seconds_left(first) == day && hirenow_sitting_get_progress(first) == NULL);
  CHECK(hirenow_interview_get_deadline(hirenow_sitting_get_interview(first)) == w->now + day);
  hirenow_session session = HIRENOW_SESSION_INIT;
  IS(hirenow_sitting_get_session(first, &session, NULL), HIRENOW_OK);
  CHECK(session.fence == 1 && strcmp(session.interview_id, id) == 0 && strcmp(session.tenant, "acme") == 0);
  int64_t saved = 0;
  IS(hirenow_checkpoint(w->engine, &session, "x\0y", 3, &saved, NULL), HIRENOW_OK);
  CHECK(saved == w->now);
  CHECK(hirenow_sitting_get_progress_saved_at(first) == HIRENOW_NONE);
  IS(hirenow_resume(w->engine, token, "another key of 16 bytes", 0, &second, NULL), HIRENOW_OK);
  CHECK(hirenow_sitting_get_progress_saved_at(second) == w->now);
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
  hirenow_accommodation more = HIRENOW_ACCOMMODATION_INIT;
  IS(hirenow_accommodate(w->engine, id, &w->recruiter, &more, &other, NULL), HIRENOW_INVALID_ARGUMENT);
  more.reason_code = "extra_time_50";
  more.percent = 150;
  more.has_pause = 1;
  more.pause_seconds = 60;
  IS(hirenow_accommodate(w->engine, id, &reviewer, &more, &other, NULL), HIRENOW_PERMISSION_DENIED);
  IS(hirenow_accommodate(w->engine, id, &w->recruiter, &more, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_deadline(other) == w->now + day * 3 / 2 + 60);
  IS(hirenow_interview_get_row(other, &row, NULL), HIRENOW_OK);
  hirenow_deadline_terms due = HIRENOW_DEADLINE_TERMS_INIT;
  IS(hirenow_interview_row_deadline(&row, w->now, &due, NULL), HIRENOW_OK);
  CHECK(row.extra_percent == 150 && due.deadline == w->now + day * 3 / 2 + 60 && !due.cut);
  CHECK(due.started_at == w->now && due.time_limit_seconds == day && due.percent_seconds == day / 2);
  CHECK(due.extra_seconds == 0 && due.pause_seconds == 60 && due.ends_by == HIRENOW_NONE);
  CHECK(due.grace_seconds == row.grace_seconds && due.last_submit == due.deadline + row.grace_seconds);
  CHECK(hirenow_interview_row_clock_limit(&row) == due.last_submit);
  row.ends_by = w->now + day; /* an outer limit cuts it */
  IS(hirenow_interview_row_deadline(&row, w->now, &due, NULL), HIRENOW_OK);
  CHECK(due.cut && due.deadline == row.ends_by && due.ends_by == row.ends_by);
  hirenow_interview_free(other);
  IS(hirenow_cancel(w->engine, id, &w->recruiter, NULL, &other, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_state(other) == HIRENOW_STATE_CANCELLED);
  hirenow_interview_free(other);
  hirenow_interview_free(bob);
  hirenow_sitting_free(second);
  hirenow_sitting_free(first);
  hirenow_interview_free(i);
}

/* A key is any bytes; what stands behind a NUL counts. */
static void test_session_keys(struct world *w) {
  static const unsigned char key[16] = {'k', 0, 1}, other[16] = {'k', 0, 2};
  hirenow_interview *i = schedule(w, "kay", "keys"), *done = NULL;
  const char *token = token_of(hirenow_interview_get_link(i));
  hirenow_sitting *s = NULL, *again = NULL;
  IS(hirenow_start(w->engine, token, key, 0, &s, NULL), HIRENOW_INVALID_ARGUMENT); /* "k", as text */
  IS(hirenow_start(w->engine, token, NULL, 16, &s, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_start(w->engine, token, key, sizeof key, &s, NULL), HIRENOW_OK);
  IS(hirenow_start(w->engine, token, other, sizeof other, &again, NULL), HIRENOW_ALREADY_STARTED);
  hirenow_session session = HIRENOW_SESSION_INIT;
  IS(hirenow_sitting_get_session(s, &session, NULL), HIRENOW_OK);
  CHECK(session.key_size == sizeof key && memcmp(session.key, key, sizeof key) == 0);
  const hirenow_session own = session;
  session.key = (const char *)other;
  IS(hirenow_checkpoint(w->engine, &session, "x", 1, NULL, NULL), HIRENOW_STALE_SESSION);
  IS(hirenow_checkpoint(w->engine, &own, "x", 1, NULL, NULL), HIRENOW_OK);
  IS(hirenow_submit(w->engine, &own, NULL, 0, NULL, &done, NULL), HIRENOW_OK);
  hirenow_interview_free(done);
  hirenow_sitting_free(s);
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
             hirenow_actions_get_status(actions, n) == HIRENOW_NOT_ELIGIBLE &&
             strcmp(hirenow_actions_get_use_case(actions, n), "retake") == 0 &&
             strcmp(hirenow_actions_get_reason(actions, n), "cooldown") == 0 &&
             hirenow_actions_get_eligible_at(actions, n) == w->now + 14 * day;
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
  person.name = "Eve";
  hirenow_person *changed = NULL;
  for (int n = 0; n < 2; ++n) {
    hirenow_applicant after = HIRENOW_APPLICANT_INIT;
    IS(hirenow_update_applicant(w->engine, &person, &w->recruiter, "update", &changed, NULL), HIRENOW_OK);
    IS(hirenow_person_get(changed, &after, NULL), HIRENOW_OK);
    CHECK(hirenow_person_get_replayed(changed) == n && strcmp(after.name, "Eve") == 0 && strcmp(after.id, "eve") == 0);
    CHECK(strcmp(after.email, "eve@example.com") == 0 && !*after.locale && !*after.time_zone);
    hirenow_person_free(changed);
  }
  hirenow_fact fact = HIRENOW_FACT_INIT;
  fact.kind = HIRENOW_FACT_PERIOD;
  fact.name = "leave";
  fact.at = w->now;
  fact.until = w->now + day;
  IS(hirenow_record_fact(w->engine, "eve", &fact, &w->recruiter, NULL, &changed, NULL), HIRENOW_OK);
  hirenow_applicant whose = HIRENOW_APPLICANT_INIT;
  IS(hirenow_person_get(changed, &whose, NULL), HIRENOW_OK);
  CHECK(strcmp(whose.email, "eve@example.com") == 0);
  hirenow_person_free(changed);
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
    CHECK(strchr(hirenow_page_get_applicant_email(page, 0), '@') && hirenow_page_get_applicant_name(page, 0));
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

  hirenow_rows *rows_of = NULL;
  IS(hirenow_history(w->engine, id, &w->recruiter, &rows_of, NULL), HIRENOW_OK);
  CHECK(strcmp(hirenow_rows_get_record(rows_of)->email, "eve@example.com") == 0);
  CHECK(hirenow_rows_get_interview_count(rows_of) == 1 && hirenow_rows_get_message_count(rows_of) == 3);
  CHECK(hirenow_rows_get_audit_count(rows_of) >= 3 && strcmp(hirenow_rows_get_interview(rows_of, 0)->id, id) == 0);
  IS(hirenow_rows_json(rows_of, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"email\":\"eve@example.com\"") && has(text, "\"attempts\":[{"));
  hirenow_text_free(text);
  hirenow_rows_free(rows_of);
  IS(hirenow_read_audit(w->engine, "eve", &w->recruiter, 0, 0, &rows_of, NULL), HIRENOW_OK);
  const hirenow_audit_row *entry = hirenow_rows_get_audit(rows_of, 0);
  CHECK(entry && entry->sequence == 1 && strcmp(entry->event, "schedule") == 0);
  CHECK(entry && strcmp(entry->actor, "staff:rosa") == 0);
  CHECK(entry && entry->from == HIRENOW_STATE_NONE && entry->to == HIRENOW_STATE_SCHEDULED && entry->at == w->now);
  CHECK(hirenow_rows_get_audit(rows_of, hirenow_rows_get_audit_count(rows_of)) == NULL);
  IS(hirenow_rows_json(rows_of, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"sequence\":1,") && has(text, "\"event\":\"record_fact\""));
  hirenow_text_free(text);
  hirenow_rows_free(rows_of);
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
  IS(hirenow_read_messages(w->engine, &which, &w->recruiter, &rows_of, NULL), HIRENOW_OK);
  const hirenow_message_row *first = hirenow_rows_get_message(rows_of, 0);
  CHECK(hirenow_rows_get_message_count(rows_of) == 3 && first && first->state == HIRENOW_MESSAGE_STATE_QUEUED);
  CHECK(first && strcmp(hirenow_message_kind_name(first->key.kind), "invitation") == 0 && first->tries == 0);
  IS(hirenow_rows_json(rows_of, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"kind\":\"reminder\""));
  hirenow_text_free(text);
  hirenow_rows_free(rows_of);
  hirenow_message_key key;
  memset(&key, 0, sizeof key);
  snprintf(key.interview_id, sizeof key.interview_id, "%s", id);
  key.occasion = 1;
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_INVALID_TRANSITION);
  memset(key.interview_id, 'x', sizeof key.interview_id); /* without its NUL */
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_erase_applicant(w->engine, "eve", &w->admin, "erase", NULL), HIRENOW_OK);
  IS(hirenow_update_applicant(w->engine, &person, &w->recruiter, NULL, &changed, NULL), HIRENOW_ERASED);
  hirenow_interview *due = schedule(w, "finn", "reading");
  w->now += 4 * day;
  hirenow_sweep_report *swept = NULL;
  IS(hirenow_sweep(w->engine, 0, &swept, NULL), HIRENOW_OK);
  CHECK(hirenow_sweep_report_get_records(swept) >= 1 && hirenow_sweep_report_get_events(swept) >= 1);
  CHECK(!hirenow_sweep_report_get_more(swept) && hirenow_sweep_report_get_failed_count(swept) == 0);
  CHECK(hirenow_sweep_report_get_failed_tenant(swept, 0) == NULL);
  IS(hirenow_sweep_report_json(swept, &text, NULL), HIRENOW_OK);
  CHECK(has(text, "\"failed\":[]") && has(text, "\"more\":false"));
  hirenow_text_free(text);
  hirenow_sweep_report_free(swept);
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

/* Titles as snprintf() writes them: one of 301 bytes, and one that no place is long enough for. */
static size_t long_title(void *ctx, const char *tenant, const char *track, const char *locale, char *title,
                         size_t size) {
  (void)ctx, (void)tenant;
  if (strcmp(locale, "en") != 0) return 0;
  const size_t length = strcmp(track, "endless") == 0 ? 1000001 : 301;
  for (size_t n = 0; n < length && n + 1 < size; ++n) title[n] = n == 0 ? 'x' : n % 2 ? '\xc3' : '\xbc';
  if (size) title[length < size ? length : size - 1] = '\0';
  return length;
}

static void test_titles_and_context(struct world *w) {
  hirenow_templates *templates = NULL;
  IS(hirenow_templates_new(&templates, NULL), HIRENOW_OK);
  IS(hirenow_templates_set(templates, HIRENOW_MESSAGE_INVITATION, "en", "Come", "{{track_title}}|{{link}}", NULL, NULL),
     HIRENOW_OK);
  hirenow_dispatcher_options options = HIRENOW_DISPATCHER_OPTIONS_INIT;
  options.templates = templates;
  options.ctx = w;
  options.destroy = count_destroy;
  options.track_title = long_title;
  hirenow_dispatcher *dispatcher = NULL;
  const int before = w->destroyed;
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &dispatcher, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(w->destroyed == before); /* no sender: not made, and the context still the caller's */
  options.sender_address = "x@example.com";
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &dispatcher, NULL), HIRENOW_OK);
  hirenow_templates_free(templates);
  hirenow_interview *i = schedule(w, "uma", "long");
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  IS(hirenow_dispatcher_dispatch_due(dispatcher, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.accepted == 1 && strchr(w->text, '|') && strchr(w->text, '|') - strchr(w->text, 'x') == 301);
  hirenow_interview_free(i);
  i = schedule(w, "uma", "endless");
  IS(hirenow_dispatcher_dispatch_due(dispatcher, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.accepted == 1 && report.retried == 0); /* cut, and still UTF-8, or it would not be rendered */
  hirenow_interview_free(i);
  CHECK(w->destroyed == before);
  hirenow_dispatcher_free(dispatcher);
  CHECK(w->destroyed == before + 1);
  w->destroyed = before;
}

static void test_mail(struct world *w) {
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 0, &report, NULL), HIRENOW_OK);
  hirenow_interview *i = schedule(w, "gus", "mail");
  IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.accepted == 1 && strstr(w->text, hirenow_interview_get_link(i)));
  hirenow_interview_free(i);
  w->outcome = HIRENOW_DELIVERY_PERMANENT;
  i = schedule(w, "hal", "mail");
  IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 0, &report, NULL), HIRENOW_OK);
  CHECK(report.dead == 1);
  hirenow_message_key key;
  memset(&key, 0, sizeof key);
  snprintf(key.interview_id, sizeof key.interview_id, "%s", hirenow_interview_get_id(i));
  key.occasion = 1;
  hirenow_dispatch_report sent = HIRENOW_DISPATCH_REPORT_INIT;
  hirenow_outbox_figures outbox = HIRENOW_OUTBOX_FIGURES_INIT;
  int32_t counts = -1;
  IS(hirenow_dispatcher_stats(w->dispatcher, &sent, &outbox, &counts, NULL), HIRENOW_OK);
  CHECK(sent.accepted >= 1 && sent.dead == 1);
  const uint64_t dead = outbox.dead;
  CHECK(counts == 0 || (dead >= 1 && outbox.due == 0 && outbox.oldest_due == HIRENOW_NONE));
  hirenow_text *prometheus = NULL;
  IS(hirenow_dispatcher_prometheus_text(w->dispatcher, &prometheus, NULL), HIRENOW_OK);
  CHECK(has(prometheus, "hirenow_dispatched_messages_total{outcome=\"dead\"} 1\n"));
  CHECK(has(prometheus, "hirenow_outbox_messages{state=\"dead\"}") == (counts == 1));
  hirenow_text_free(prometheus);
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_OK);
  IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 5, &report, NULL), HIRENOW_OK);
  CHECK(report.dead == 1); /* again */
  IS(hirenow_drop(w->engine, &key, &w->recruiter, NULL, NULL), HIRENOW_PERMISSION_DENIED);
  IS(hirenow_drop(w->engine, &key, &w->admin, "drop", NULL), HIRENOW_OK);
  IS(hirenow_redrive(w->engine, &key, &w->admin, NULL, NULL), HIRENOW_INVALID_TRANSITION);
  IS(hirenow_dispatcher_stats(w->dispatcher, NULL, &outbox, NULL, NULL), HIRENOW_OK);
  CHECK(counts == 0 || outbox.dead == dead - 1);
  hirenow_interview_free(i);
  hirenow_interview_free(schedule(w, "ida", "mail"));
  w->outcome = HIRENOW_DELIVERY_ACCEPTED;
  const int before = __atomic_load_n(&w->events, __ATOMIC_SEQ_CST);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, run_dispatcher, w) == 0);
  IS(hirenow_dispatcher_wake(w->dispatcher, NULL), HIRENOW_OK);
  while (__atomic_load_n(&w->events, __ATOMIC_SEQ_CST) == before) sched_yield();
  IS(hirenow_dispatcher_run(w->dispatcher, 1, NULL, NULL), HIRENOW_REENTRANT_CALL); /* it runs */
  IS(hirenow_dispatcher_stop(w->dispatcher, NULL), HIRENOW_OK);
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
  IS(hirenow_dispatcher_dispatch_due(other, 0, NULL, NULL), HIRENOW_OK);
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

static void play(struct world *w) {
  test_inviting_and_sitting(w);
  test_session_keys(w);
  test_deciding_and_retake(w);
  test_records_and_reading(w);
  test_mail(w);
  test_titles_and_context(w);
}

int main(void) {
  for_every_store(play);
  return end_of_tests();
}
