/* Whole stories with a clock, from tests/spec/scenarios.json, played from strict C99 over each store. What a step does
 * not ask for is a mistake in the file. */

#include "c/scenario.h"

/* ---- Mails ---- */

static hirenow_status take(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  struct player *p = ctx;
  (void)reply;
  *outcome = p->server;
  const char *begin = strchr(mail->message_id, '.') + 1; /* the kind stands in the Message-ID */
  char kind[64];
  snprintf(kind, sizeof kind, "%.*s", (int)(strchr(begin, '.') - begin), begin);
  cJSON *one = cJSON_CreateObject();
  cJSON_AddItemToObject(one, "kind", cJSON_CreateString(kind));
  cJSON_AddItemToObject(one, "to", cJSON_CreateString(mail->to_address));
  const char *link = NULL;
  for (size_t n = 0; n < p->count; ++n)
    if (p->names[n].link[0] && strstr(mail->text, p->names[n].link)) link = p->names[n].name;
  cJSON_AddItemToObject(one, "link", link ? cJSON_CreateString(link) : cJSON_CreateNull());
  if (p->mail_count == sizeof p->mails / sizeof p->mails[0]) stop("too many mails", kind);
  p->mails[p->mail_count++] = one;
  return HIRENOW_OK;
}

static int compare_mails(const void *a, const void *b) {
  const cJSON *x = *(const cJSON *const *)a, *y = *(const cJSON *const *)b;
  const int c = strcmp(text_in(x, "kind"), text_in(y, "kind"));
  return c ? c : strcmp(text_in(x, "to"), text_in(y, "to"));
}
static void answer_mails(struct player *p) {
  qsort(p->mails, p->mail_count, sizeof p->mails[0], compare_mails);
  cJSON *all = cJSON_AddArrayToObject(p->answer, "mails");
  for (size_t n = 0; n < p->mail_count; ++n) cJSON_AddItemToArray(all, p->mails[n]);
}

/* ---- Calls ---- */

static int play_inviting(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  hirenow_interview *i = NULL;
  char email[128];
  if (strcmp(what, "schedule") == 0) {
    only(step, OF_EVERY_STEP, " as applicant track opens_at link_lifetime time_limit grace overtime idempotency_key ");
    const hirenow_actor a = who(step);
    const hirenow_applicant of = person(step, email, sizeof email);
    hirenow_schedule_request r = HIRENOW_SCHEDULE_REQUEST_INIT;
    r.applicant = &of;
    r.track = text_in(step, "track");
    if (member(step, "opens_at")) r.opens_at = instant_in(step, "opens_at");
    r.link_lifetime_seconds = number_or(step, "link_lifetime", 0);
    r.time_limit_seconds = number_or(step, "time_limit", 0);
    r.grace_seconds = number_or(step, "grace", 0);
    r.overtime = strcmp(text_or(step, "overtime", "expire"), "submit") == 0;
    r.idempotency_key = text_or(step, "idempotency_key", NULL);
    (void)hirenow_schedule(e, &r, &a, &i, &p->error);
    answer_invited(p, step, i);
  } else if (strcmp(what, "retake") == 0 || strcmp(what, "reissue") == 0) {
    const hirenow_actor a = who(step);
    hirenow_retake_options o = HIRENOW_RETAKE_OPTIONS_INIT;
    o.idempotency_key = text_or(step, "idempotency_key", NULL);
    o.link_lifetime_seconds = number_or(step, "link_lifetime", 0);
    only(step, OF_EVERY_STEP, *what == 'r' && what[2] == 't' ? " as interview idempotency_key " : " as interview link_lifetime ");
    if (what[2] == 't')
      (void)hirenow_retake(e, about(p, step), &a, &o, &i, &p->error);
    else
      (void)hirenow_reissue(e, about(p, step), &a, &o, &i, &p->error);
    answer_invited(p, step, i);
  } else if (strcmp(what, "request_link") == 0) {
    only(step, OF_EVERY_STEP, " link ");
    hirenow_link_requested r = HIRENOW_LINK_REQUESTED_INIT;
    if (hirenow_request_link(e, token(p, step), NULL, &r, &p->error) == HIRENOW_OK) {
      put_flag(p, "queued", r.queued);
      put_flag(p, "noted", r.noted);
    }
  } else {
    return 0;
  }
  return 1;
}

static int play_sitting(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  hirenow_interview *i = NULL;
  hirenow_sitting *s = NULL;
  if (strcmp(what, "start") == 0 || strcmp(what, "resume") == 0) {
    only(step, OF_EVERY_STEP, " link key ");
    if (*what == 's')
      (void)hirenow_start(e, token(p, step), text_in(step, "key"), 0, &s, &p->error);
    else
      (void)hirenow_resume(e, token(p, step), text_in(step, "key"), 0, &s, &p->error);
    answer_sitting(p, step, s);
  } else if (strcmp(what, "checkpoint") == 0) {
    only(step, OF_EVERY_STEP, " session progress ");
    const hirenow_session session = session_of(p, step);
    const char *progress = text_in(step, "progress");
    (void)hirenow_checkpoint(e, &session, progress, strlen(progress), NULL, &p->error);
  } else if (strcmp(what, "submit") == 0) {
    only(step, OF_EVERY_STEP, " session ");
    const hirenow_session session = session_of(p, step);
    (void)hirenow_submit(e, &session, NULL, 0, NULL, &i, &p->error);
    answer_changed(p, i);
  } else if (strcmp(what, "withdraw") == 0) {
    only(step, OF_EVERY_STEP, " link ");
    (void)hirenow_withdraw(e, token(p, step), NULL, &i, &p->error);
    answer_changed(p, i);
  } else if (strcmp(what, "inspect") == 0) {
    only(step, OF_EVERY_STEP, " link ");
    hirenow_inspection *seen = NULL;
    IS(hirenow_inspect(e, token(p, step), &seen, NULL), HIRENOW_OK);
    put_text(p, "verdict", hirenow_verdict_name(hirenow_inspection_get_verdict(seen)));
    if (hirenow_inspection_get_seconds_left(seen) != HIRENOW_NONE)
      put_number(p, "left", hirenow_inspection_get_seconds_left(seen));
    const hirenow_interview *of = hirenow_inspection_get_interview(seen);
    if (of) put_text(p, "state", hirenow_state_name(hirenow_interview_get_state(of)));
    hirenow_inspection_free(seen);
  } else {
    return 0;
  }
  return 1;
}

static int play_deciding(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  hirenow_interview *i = NULL;
  hirenow_change c = HIRENOW_CHANGE_INIT;
  if (strcmp(what, "accommodate") == 0) {
    only(step, OF_EVERY_STEP, " as interview percent extra pause grace reason_code idempotency_key ");
    const hirenow_actor a = who(step);
    hirenow_accommodation more = HIRENOW_ACCOMMODATION_INIT;
    more.percent = (uint32_t)number_or(step, "percent", 0);
    more.has_extra = member(step, "extra") != NULL;
    more.has_pause = member(step, "pause") != NULL;
    more.has_grace = member(step, "grace") != NULL;
    more.extra_seconds = number_or(step, "extra", 0);
    more.pause_seconds = number_or(step, "pause", 0);
    more.grace_seconds = number_or(step, "grace", 0);
    more.reason_code = text_in(step, "reason_code");
    more.idempotency_key = text_or(step, "idempotency_key", NULL);
    (void)hirenow_accommodate(e, about(p, step), &a, &more, &i, &p->error);
  } else if (strcmp(what, "cancel") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    (void)hirenow_cancel(e, about(p, step), &a, &c, &i, &p->error);
  } else if (strcmp(what, "void") == 0) {
    only(step, OF_EVERY_STEP, " as interview reason_code ");
    const hirenow_actor a = who(step);
    c.reason_code = text_or(step, "reason_code", NULL);
    (void)hirenow_void(e, about(p, step), &a, &c, &i, &p->error);
  } else if (strcmp(what, "reopen") == 0) {
    only(step, OF_EVERY_STEP, " as interview reason ");
    const hirenow_actor a = who(step);
    c.reason = text_or(step, "reason", NULL);
    (void)hirenow_reopen(e, about(p, step), &a, &c, &i, &p->error);
  } else if (strcmp(what, "decide") == 0) {
    only(step, OF_EVERY_STEP, " as interview outcome ");
    const hirenow_actor a = who(step);
    c.outcome = number_of(text_in(step, "outcome"), hirenow_outcome_name, 9);
    (void)hirenow_decide(e, about(p, step), &a, &c, &i, &p->error);
  } else {
    return 0;
  }
  answer_changed(p, i);
  return 1;
}

static int play_persons(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  char email[128];
  if (strcmp(what, "update_applicant") == 0) {
    only(step, OF_EVERY_STEP, " as applicant email ");
    const hirenow_actor a = who(step);
    hirenow_applicant of = person(step, email, sizeof email);
    of.email = text_in(step, "email");
    hirenow_person *changed = NULL;
    (void)hirenow_update_applicant(e, &of, &a, NULL, &changed, &p->error);
    hirenow_person_free(changed);
  } else if (strcmp(what, "erase") == 0) {
    only(step, OF_EVERY_STEP, " as applicant ");
    const hirenow_actor a = who(step);
    (void)hirenow_erase_applicant(e, text_in(step, "applicant"), &a, NULL, &p->error);
  } else if (strcmp(what, "record_fact") == 0) {
    only(step, OF_EVERY_STEP, " as applicant kind name track at until idempotency_key ");
    const hirenow_actor a = who(step);
    hirenow_person *of = NULL;
    hirenow_fact f = HIRENOW_FACT_INIT;
    f.kind = number_of(text_in(step, "kind"), hirenow_fact_kind_name, 6);
    f.name = text_in(step, "name");
    f.track = text_or(step, "track", NULL);
    f.at = instant_in(step, "at");
    f.until = member(step, "until") ? instant_in(step, "until") : 0;
    (void)hirenow_record_fact(e, text_in(step, "applicant"), &f, &a, text_or(step, "idempotency_key", NULL), &of,
                              &p->error);
    if (of) put_flag(p, "replayed", hirenow_person_get_replayed(of));
    hirenow_person_free(of);
  } else if (strcmp(what, "verify_audit") == 0) {
    only(step, OF_EVERY_STEP, " as applicant ");
    const hirenow_actor a = who(step);
    uint64_t entries = 0;
    if (hirenow_verify_audit(e, text_in(step, "applicant"), &a, &entries, NULL, &p->error) == HIRENOW_OK)
      put_number(p, "entries", (int64_t)entries);
  } else {
    return 0;
  }
  return 1;
}

/* ---- What stands beside an interview ---- */

static hirenow_rows *messages_of(struct player *p, const cJSON *step, const hirenow_actor *a) {
  hirenow_message_query q = HIRENOW_MESSAGE_QUERY_INIT;
  hirenow_rows *rows = NULL;
  q.interview_id = about(p, step);
  IS(hirenow_read_messages(p->w->engine, &q, a, &rows, NULL), HIRENOW_OK);
  return rows;
}
static hirenow_message_key nth_message(struct player *p, const cJSON *step, const hirenow_actor *a) {
  hirenow_rows *rows = messages_of(p, step, a);
  const hirenow_message_row *m = hirenow_rows_get_message(rows, (size_t)number_in(step, "message"));
  if (!m) stop("no such message", NULL);
  const hirenow_message_key key = m->key;
  hirenow_rows_free(rows);
  return key;
}

static int play_messages(struct player *p, const char *what, const cJSON *step) {
  if (strcmp(what, "messages") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    hirenow_rows *rows = messages_of(p, step, &a);
    cJSON *all = cJSON_AddArrayToObject(p->answer, "messages");
    for (size_t n = 0; n < hirenow_rows_get_message_count(rows); ++n) {
      const hirenow_message_row *m = hirenow_rows_get_message(rows, n);
      cJSON *one = cJSON_CreateObject();
      cJSON_AddStringToObject(one, "kind", hirenow_message_kind_name(m->key.kind));
      cJSON_AddStringToObject(one, "state", hirenow_message_state_name(m->state));
      cJSON_AddNumberToObject(one, "tries", m->tries);
      cJSON_AddItemToArray(all, one);
    }
    hirenow_rows_free(rows);
  } else if (strcmp(what, "redrive") == 0 || strcmp(what, "drop") == 0) {
    only(step, OF_EVERY_STEP, " as interview message ");
    const hirenow_actor a = who(step);
    const hirenow_message_key key = nth_message(p, step, &a);
    if (*what == 'r')
      (void)hirenow_redrive(p->w->engine, &key, &a, NULL, &p->error);
    else
      (void)hirenow_drop(p->w->engine, &key, &a, NULL, &p->error);
  } else {
    return 0;
  }
  return 1;
}

static int play_record(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  hirenow_rows *rows = NULL;
  hirenow_text *text = NULL;
  if (strcmp(what, "history") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    IS(hirenow_history(e, about(p, step), &a, &rows, NULL), HIRENOW_OK);
    cJSON *states = cJSON_AddArrayToObject(p->answer, "attempts");
    for (size_t n = 0; n < hirenow_rows_get_interview_count(rows); ++n)
      cJSON_AddItemToArray(states,
                           cJSON_CreateString(hirenow_state_name(hirenow_rows_get_interview(rows, n)->state)));
    put_number(p, "entries", (int64_t)hirenow_rows_get_audit_count(rows));
    put_number(p, "messages", (int64_t)hirenow_rows_get_message_count(rows));
    put_flag(p, "erased", hirenow_rows_get_record(rows)->erased);
    hirenow_rows_free(rows);
  } else if (strcmp(what, "read_progress") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    (void)hirenow_read_progress(e, about(p, step), &a, &text, NULL, &p->error);
    if (text) put_text(p, "progress", hirenow_text_get(text));
    hirenow_text_free(text);
  } else if (strcmp(what, "read_audit") == 0) {
    only(step, OF_EVERY_STEP, " as applicant ");
    const hirenow_actor a = who(step);
    IS(hirenow_read_audit(e, text_in(step, "applicant"), &a, 0, 0, &rows, NULL), HIRENOW_OK);
    cJSON *events = cJSON_AddArrayToObject(p->answer, "events");
    for (size_t n = 0; n < hirenow_rows_get_audit_count(rows); ++n)
      cJSON_AddItemToArray(events, cJSON_CreateString(hirenow_rows_get_audit(rows, n)->event));
    hirenow_rows_free(rows);
  } else if (strcmp(what, "audit_checkpoint") == 0) {
    only(step, OF_EVERY_STEP, " as ");
    const hirenow_actor a = who(step);
    if (hirenow_audit_checkpoint(e, &a, &text, &p->error) == HIRENOW_OK) {
      const size_t size = hirenow_text_get_size(text) + 1;
      struct named *n = name_it(p, step);
      n->checkpoint = malloc(size);
      if (!n->checkpoint) stop("out of memory", NULL);
      memcpy(n->checkpoint, hirenow_text_get(text), size);
    }
    hirenow_text_free(text);
  } else if (strcmp(what, "verify_checkpoint") == 0) {
    only(step, OF_EVERY_STEP, " as checkpoint ");
    const hirenow_actor a = who(step);
    size_t records = 0;
    if (hirenow_verify_audit_checkpoint(e, named(p, text_in(step, "checkpoint"))->checkpoint, &a, &records,
                                        &p->error) == HIRENOW_OK)
      put_number(p, "records", (int64_t)records);
  } else {
    return 0;
  }
  return 1;
}

/* ---- Policies and exceptions to them ---- */

static const char *waiver_state(int32_t state) {
  static const char *const words[] = {"proposed", "granted", "used", "lapsed", "revoked"};
  return state >= 0 && state < HIRENOW_WAIVER_STATE_COUNT ? words[state] : "unknown";
}
static void answer_waiver(struct player *p, const cJSON *step, hirenow_rows *rows, int32_t replayed) {
  if (!rows) return;
  const hirenow_waiver_row *w = hirenow_rows_get_waiver(rows, 0);
  CHECK(hirenow_rows_get_waiver_count(rows) == 1 && w);
  if (w) {
    name_it(p, step)->number = w->number;
    put_text(p, "state", waiver_state(w->state));
    put_flag(p, "replayed", replayed);
  }
  hirenow_rows_free(rows);
}

static int play_exceptions(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  hirenow_rows *rows = NULL;
  int32_t replayed = 0;
  if (strcmp(what, "grant_waiver") == 0) {
    only(step, OF_EVERY_STEP, " as applicant track rule reason_code expires_in floor idempotency_key ");
    const hirenow_actor a = who(step);
    hirenow_waiver_request r = HIRENOW_WAIVER_REQUEST_INIT;
    r.applicant_id = text_in(step, "applicant");
    r.track = text_in(step, "track");
    r.rule_id = text_in(step, "rule");
    r.reason_code = text_in(step, "reason_code");
    r.expires_at = p->w->now + number_in(step, "expires_in");
    r.floor = text_or(step, "floor", NULL);
    r.idempotency_key = text_or(step, "idempotency_key", NULL);
    (void)hirenow_grant_waiver(e, &r, &a, &rows, &replayed, &p->error);
    answer_waiver(p, step, rows, replayed);
  } else if (strcmp(what, "approve_waiver") == 0 || strcmp(what, "revoke_waiver") == 0) {
    only(step, OF_EVERY_STEP, " as applicant waiver ");
    const hirenow_actor a = who(step);
    const uint64_t number = named(p, text_in(step, "waiver"))->number;
    if (*what == 'a')
      (void)hirenow_approve_waiver(e, text_in(step, "applicant"), number, &a, NULL, &rows, &replayed, &p->error);
    else
      (void)hirenow_revoke_waiver(e, text_in(step, "applicant"), number, &a, NULL, &rows, &replayed, &p->error);
    answer_waiver(p, step, rows, replayed);
  } else if (strcmp(what, "waivers") == 0) {
    only(step, OF_EVERY_STEP, " as applicant ");
    const hirenow_actor a = who(step);
    IS(hirenow_waivers(e, text_in(step, "applicant"), &a, &rows, NULL), HIRENOW_OK);
    cJSON *states = cJSON_AddArrayToObject(p->answer, "states");
    for (size_t n = 0; n < hirenow_rows_get_waiver_count(rows); ++n)
      cJSON_AddItemToArray(states, cJSON_CreateString(waiver_state(hirenow_rows_get_waiver(rows, n)->state)));
    hirenow_rows_free(rows);
  } else if (strcmp(what, "set_policy") == 0) {
    only(step, OF_EVERY_STEP, " as track policy active_from running_waits idempotency_key ");
    const hirenow_actor a = who(step);
    hirenow_activation when = HIRENOW_ACTIVATION_INIT;
    if (member(step, "active_from")) when.from = instant_in(step, "active_from");
    when.running_waits = strcmp(text_or(step, "running_waits", "replace"), "keep") == 0;
    when.idempotency_key = text_or(step, "idempotency_key", NULL);
    char *document = cJSON_PrintUnformatted(need(step, "policy"));
    (void)hirenow_activate_policy(e, text_in(step, "track"), document, &a, &when, &p->error);
    free(document);
  } else if (strcmp(what, "what_if") == 0) {
    only(step, OF_EVERY_STEP, " as track policy running_waits ");
    const hirenow_actor a = who(step);
    char *document = cJSON_PrintUnformatted(need(step, "policy"));
    hirenow_what_if_query q = HIRENOW_WHAT_IF_QUERY_INIT;
    q.document = document;
    q.track = text_in(step, "track");
    if (strcmp(text_or(step, "running_waits", "replace"), "keep") == 0) q.running_waits = HIRENOW_RUNNING_WAITS_KEEP;
    hirenow_what_if_counts c = HIRENOW_WHAT_IF_COUNTS_INIT;
    if (hirenow_what_if(e, &q, &a, NULL, NULL, &c, &p->error) == HIRENOW_OK) {
      put_number(p, "applicants", (int64_t)c.applicants);
      put_number(p, "interviews", (int64_t)c.interviews);
      put_number(p, "tracks", (int64_t)c.tracks);
      put_number(p, "eligible_now", (int64_t)c.eligible_now);
      put_number(p, "eligible_then", (int64_t)c.eligible_then);
      put_number(p, "become", (int64_t)c.become);
      put_number(p, "cease", (int64_t)c.cease);
      put_number(p, "sooner", (int64_t)c.sooner);
      put_number(p, "later", (int64_t)c.later);
    }
    free(document);
  } else if (strcmp(what, "policies") == 0) {
    only(step, OF_EVERY_STEP, " as track ");
    const hirenow_actor a = who(step);
    IS(hirenow_policies(e, text_in(step, "track"), &a, HIRENOW_NONE, 0, 0, &rows, NULL), HIRENOW_OK);
    put_number(p, "count", (int64_t)hirenow_rows_get_policy_count(rows));
    hirenow_rows_free(rows);
  } else {
    return 0;
  }
  return 1;
}

static int compare_words(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void answer_actions(struct player *p, const hirenow_actions *actions) {
  const char *words[HIRENOW_EVENT_COUNT];
  int count = 0;
  for (size_t n = 0; n < hirenow_actions_get_count(actions) && count < HIRENOW_EVENT_COUNT; ++n)
    if (hirenow_actions_get_allowed(actions, n)) words[count++] = hirenow_actions_get_event(actions, n);
  qsort(words, (size_t)count, sizeof words[0], compare_words);
  cJSON_AddItemToObject(p->answer, "allowed", cJSON_CreateStringArray(words, count));
}

static int play_reading(struct player *p, const char *what, const cJSON *step) {
  hirenow_engine *e = p->w->engine;
  if (strcmp(what, "eligibility") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    hirenow_eligibility *may = NULL;
    IS(hirenow_retake_eligibility(e, about(p, step), &a, &may, NULL), HIRENOW_OK);
    put_flag(p, "allowed", hirenow_eligibility_get_allowed(may));
    put_text(p, "reason", hirenow_eligibility_get_reason(may));
    put_instant(p, "eligible_at", hirenow_eligibility_get_eligible_at(may));
    put_number(p, "attempts_left", hirenow_eligibility_get_attempts_left(may));
    hirenow_eligibility_free(may);
  } else if (strcmp(what, "find") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    hirenow_interview *i = NULL;
    IS(hirenow_find(e, about(p, step), &a, &i, NULL), HIRENOW_OK);
    answer_interview(p, i);
    hirenow_interview_free(i);
  } else if (strcmp(what, "actions") == 0) {
    only(step, OF_EVERY_STEP, " as interview ");
    const hirenow_actor a = who(step);
    hirenow_actions *actions = NULL;
    IS(hirenow_permitted_actions(e, about(p, step), &a, &actions, NULL), HIRENOW_OK);
    answer_actions(p, actions);
    hirenow_actions_free(actions);
  } else if (strcmp(what, "sweep") == 0) {
    only(step, OF_EVERY_STEP, "");
    hirenow_sweep_report *swept = NULL;
    hirenow_text *report = NULL;
    IS(hirenow_sweep(e, 0, &swept, NULL), HIRENOW_OK);
    IS(hirenow_sweep_report_json(swept, &report, NULL), HIRENOW_OK);
    cJSON_Delete(p->answer);
    p->answer = cJSON_Parse(hirenow_text_get(report));
    hirenow_text_free(report);
    hirenow_sweep_report_free(swept);
  } else if (strcmp(what, "list") == 0) {
    only(step, OF_EVERY_STEP, " as ");
    const hirenow_actor a = who(step);
    hirenow_page *page = NULL;
    IS(hirenow_list(e, NULL, &a, &page, NULL), HIRENOW_OK);
    put_number(p, "rows", (int64_t)hirenow_page_get_count(page));
    cJSON *counts = cJSON_AddObjectToObject(p->answer, "counts");
    for (int32_t s = 0; s < HIRENOW_STATE_COUNT; ++s)
      if (hirenow_page_get_state_count(page, s) > 0)
        cJSON_AddNumberToObject(counts, hirenow_state_name(s), (double)hirenow_page_get_state_count(page, s));
    hirenow_page_free(page);
  } else {
    return 0;
  }
  return 1;
}

static void make(struct player *p, const cJSON *step) {
  const char *what = text_in(step, "do");
  if (strcmp(what, "wait") == 0) {
    only(step, OF_EVERY_STEP, " seconds ");
    p->w->now += number_in(step, "seconds");
  } else if (strcmp(what, "dispatch") == 0) {
    only(step, OF_EVERY_STEP, " server ");
    const char *server = text_or(step, "server", "takes");
    p->server = strcmp(server, "refuses") == 0  ? HIRENOW_DELIVERY_PERMANENT
                : strcmp(server, "defers") == 0 ? HIRENOW_DELIVERY_TEMPORARY
                                                : HIRENOW_DELIVERY_ACCEPTED;
    p->mail_count = 0;
    IS(hirenow_dispatcher_dispatch_due(p->dispatcher, 0, NULL, NULL), HIRENOW_OK);
    answer_mails(p);
  } else if (!play_inviting(p, what, step) && !play_sitting(p, what, step) && !play_deciding(p, what, step) &&
             !play_persons(p, what, step) && !play_messages(p, what, step) && !play_record(p, what, step) &&
             !play_exceptions(p, what, step) && !play_reading(p, what, step)) {
    stop("unknown call", what);
  }
}

static void compare(const struct player *p, const cJSON *due) {
  const cJSON *m;
  cJSON_ArrayForEach(m, due) same_json(p->where, m->string, member(p->answer, m->string), m);
}

static void answer_error(struct player *p) {
  put_text(p, "reason", hirenow_error_get_reason(p->error));
  put_instant(p, "eligible_at", hirenow_error_get_eligible_at(p->error));
  for (size_t n = 0; n < p->count; ++n)
    if (p->names[n].id[0] && strcmp(p->names[n].id, hirenow_error_get_superseded_by(p->error)) == 0)
      put_text(p, "superseded_by", p->names[n].name);
}

static void play_step(struct player *p, const cJSON *step) {
  char *where = cJSON_PrintUnformatted(step);
  p->where = where;
  p->answer = cJSON_CreateObject();
  make(p, step);
  same_text(where, "the error", p->error ? hirenow_status_name(hirenow_error_get_status(p->error)) : "ok",
            text_or(step, "error", "ok"));
  if (p->error && member(step, "error")) {
    answer_error(p);
    if (member(step, "error_has")) compare(p, member(step, "error_has"));
  } else if (!p->error && member(step, "expect")) {
    compare(p, member(step, "expect"));
  }
  hirenow_error_free(p->error);
  p->error = NULL;
  cJSON_Delete(p->answer);
  free(where);
}

static const cJSON *scenario; /* the one at hand */
static int played;

static void play(struct world *w) {
  char *policy = cJSON_PrintUnformatted(need(scenario, "policy"));
  hirenow_engine *of_world = w->engine;
  hirenow_store *store = NULL;
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  IS(hirenow_engine_store(w->engine, &store, NULL), HIRENOW_OK);
  options.keys = w->keys;
  options.clock = w->clock;
  options.policy_json = policy;
  options.link_base = "https://example.com/i";
  IS(hirenow_engine_new(store, &options, &w->engine, NULL), HIRENOW_OK);
  struct player *p = calloc(1, sizeof *p);
  if (!p) stop("out of memory", NULL);
  p->w = w;
  hirenow_mailer_callbacks mailer = HIRENOW_MAILER_CALLBACKS_INIT;
  mailer.ctx = p;
  mailer.send = take;
  IS(hirenow_mailer_new(&mailer, &p->mailer, NULL), HIRENOW_OK);
  hirenow_dispatcher_options dispatching = HIRENOW_DISPATCHER_OPTIONS_INIT;
  dispatching.sender_address = "jobs@acme.example";
  IS(hirenow_dispatcher_new(w->engine, p->mailer, &dispatching, &p->dispatcher, NULL), HIRENOW_OK);
  const cJSON *step;
  cJSON_ArrayForEach(step, need(scenario, "steps")) {
    play_step(p, step);
    ++played;
  }
  hirenow_dispatcher_free(p->dispatcher);
  hirenow_mailer_free(p->mailer);
  hirenow_engine_free(w->engine);
  hirenow_store_free(store);
  w->engine = of_world;
  for (size_t n = 0; n < p->count; ++n) free(p->names[n].checkpoint);
  free(p);
  free(policy);
}

int main(void) {
  cJSON *spec = read_spec("scenarios.json");
  cJSON_ArrayForEach(scenario, need(spec, "scenarios")) for_every_store(play);
  CHECK(cJSON_GetArraySize(need(spec, "scenarios")) >= 10 && played >= 480);
  cJSON_Delete(spec);
  return end_of_tests();
}
