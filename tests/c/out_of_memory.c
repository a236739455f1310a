/* Memory runs out at each allocation in turn, inside every function of the library. Each time the call must answer with
 * a code, the records must stand as they did, and nothing may be lost. An interposed malloc() fails the n-th allocation
 * that the calling thread makes; n grows until the call succeeds. Over the store in C and over SQLite every 17th beyond
 * the first 40 fails, and over SQLite in those calls alone that change something; with the argument "every" it is every
 * one of all. check_abi.py compares the names with symbols.txt. */

#include <sys/stat.h>

#include "out_of_memory_calls.h"

/* Where the interview of the case must stand; or its message, of one that is scheduled. */
enum { SCHEDULED, EXPIRED, CLAIMED, DEAD, STARTED, SUBMITTED, FAILED, WAIVED, FAILED_LONG_AGO };

/* READS: it changes no record. GROWS: a cache of the library may keep what it has read. LEASES: a failed call may have
 * taken messages, whose lease runs out. */
enum { READS = 1, GROWS = 2, LEASES = 4 };

static const struct {
  const char *name;
  call *make;
  int stands, flags;
} cases[] = {
    {"schedule", c_schedule, SCHEDULED, 0},
    {"retake_eligibility", c_eligibility, FAILED, READS},
    {"retake", c_retake, FAILED_LONG_AGO, 0},
    {"reissue", c_reissue, SCHEDULED, 0},
    {"link_of", c_link_of, SCHEDULED, READS},
    {"inspect", c_inspect, SCHEDULED, READS},
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
    {"activate_policy", c_activate, SCHEDULED, 0},
    {"policies", c_policies, SCHEDULED, READS},
    {"what_if", c_what_if, FAILED, READS},
    {"grant_waiver", c_grant, FAILED, 0},
    {"revoke_waiver", c_revoke, WAIVED, 0},
    {"waivers", c_waivers, FAILED, READS},
    {"store_policies", c_policy_rows, SCHEDULED, READS},
    {"erase_applicant", c_erase, SCHEDULED, 0},
    {"find", c_find, SCHEDULED, READS},
    {"permitted_actions", c_actions, FAILED, READS},
    {"list", c_list, FAILED, READS},
    {"history", c_history, FAILED, READS},
    {"read_progress", c_progress, SUBMITTED, READS},
    {"read_audit", c_audit, FAILED, READS},
    {"verify_audit", c_verify, FAILED, READS},
    {"audit_checkpoint", c_statement, FAILED, READS},
    {"verify_audit_checkpoint", c_compare, FAILED, READS},
    {"read_messages", c_messages, FAILED, READS},
    {"interview_json", c_interview_json, FAILED, READS},
    {"eligibility_describe", c_describe, FAILED, READS},
    {"eligibility_json", c_eligibility_json, FAILED, READS},
    {"actions_json", c_actions_json, FAILED, READS},
    {"page_json", c_page_json, FAILED, READS},
    {"key_document_new", c_key_document, SCHEDULED, READS},
    {"keys_from_json", c_keys, SCHEDULED, READS},
    {"keys_signing_kid", c_kid, SCHEDULED, READS},
    {"keys_public_jwks", c_jwks, SCHEDULED, READS},
    {"keys_reload", c_reload, SCHEDULED, READS | GROWS},
    {"token_mint", c_mint, SCHEDULED, READS},
    {"policy_parse", c_policy, SCHEDULED, READS},
    {"policy_evaluate", c_evaluate, SCHEDULED, READS},
    {"policy_evaluate_case", c_evaluate_case, SCHEDULED, READS},
    {"eligibility_describe_in", c_describe_in, FAILED, READS},
    {"store_open", c_store, SCHEDULED, READS},
    {"store_new", c_own_store, SCHEDULED, READS},
    {"engine_new", c_engine, SCHEDULED, READS},
    {"open", c_open, SCHEDULED, READS},
    {"clock_new", c_clock, SCHEDULED, READS},
    {"logger_new", c_logger, SCHEDULED, READS},
    {"mailer_new", c_mailer, SCHEDULED, READS},
    {"templates_new", c_templates, SCHEDULED, READS},
    {"templates_set", c_set_template, SCHEDULED, READS | GROWS},
    {"dispatcher_new", c_dispatcher, SCHEDULED, READS},
    {"request_link", c_request_link, EXPIRED, 0},
    {"sweep", c_sweep, EXPIRED, 0},
    {"sweep_report_json", c_sweep_json, SCHEDULED, READS},
    {"store_join_connection", c_join_connection, SCHEDULED, READS},
    {"accommodate", c_accommodate, SCHEDULED, 0},
    {"redrive", c_redrive, DEAD, 0},
    {"drop", c_drop, DEAD, 0},
    {"dispatcher_dispatch_due", c_dispatch_due, SCHEDULED, LEASES},
    {"dispatcher_stats", c_stats, SCHEDULED, READS},
    {"dispatcher_prometheus_text", c_prometheus, SCHEDULED, READS},
    {"store_outbox", c_outbox, SCHEDULED, READS},
    {"templates_render", c_render, SCHEDULED, READS},
    {"mailer_send", c_send, SCHEDULED, READS},
    {"message_id", c_message_id, CLAIMED, READS},
    {"mailer_open_smtp", c_smtp, SCHEDULED, READS},
    {"dispatcher_run", c_run, SCHEDULED, READS},
    {"check_store", c_check_store, SCHEDULED, READS},
    {"engine_on", c_on, SCHEDULED, READS},
    {"engine_store", c_store_of, SCHEDULED, READS},
    {"engine_now", c_now, SCHEDULED, READS},
    {"link_for_row", c_link_for_row, SCHEDULED, READS},
    {"rows_json", c_rows_json, FAILED, READS},
    {"keys_from_file", c_keys_file, SCHEDULED, READS},
    {"keys_from_environment", c_keys_environment, SCHEDULED, READS},
    {"keys_sign_text", c_sign, SCHEDULED, READS},
    {"keys_verify_text", c_verify_text, SCHEDULED, READS},
    {"token_verify", c_verify_token, SCHEDULED, READS},
    {"token_json", c_token_json, SCHEDULED, READS},
    {"policy_evaluate_track", c_evaluate_track, FAILED, READS},
    {"span_parse", c_span, SCHEDULED, READS},
    {"span_add", c_add_span, SCHEDULED, READS},
    {"span_words", c_words, SCHEDULED, READS},
    {"store_load", c_load, SUBMITTED, READS},
    {"store_commit", c_commit, SCHEDULED, 0},
    {"store_save_progress", c_save_progress, STARTED, 0},
    {"store_list", c_list_rows, FAILED, READS},
    {"store_due", c_due, SCHEDULED, READS},
    {"store_claim", c_claim, SCHEDULED, LEASES},
    {"store_settle", c_settle, CLAIMED, 0},
    {"store_next_due", c_next_due, SCHEDULED, READS},
    {"store_messages", c_message_rows, SCHEDULED, READS},
    {"store_read_audit", c_entries, FAILED, READS},
    {"store_audit_heads", c_heads, FAILED, READS},
    {"store_commit of a policy", c_commit_policy, SCHEDULED, 0},
    {"store_prune", c_prune, SCHEDULED, READS},
    {"judge_link", c_judge, SCHEDULED, READS},
    {"audit_commitment", c_commitment, SCHEDULED, READS},
    {"audit_hash", c_hash, SCHEDULED, READS},
    {"audit_verifier_new", c_chain, FAILED, READS},
    {"audit_merkle_root", c_root, SCHEDULED, READS},
    {"interview_row_apply", c_apply, SCHEDULED, READS},
    {"interview_row_after_clock", c_after_clock, SCHEDULED, READS},
    {"interview_row_deadline", c_deadline, SCHEDULED, READS},
};

/* Names that are not among them, and why. */
static const struct {
  const char *names, *why;
} left_out[] = {
    {"*_free", "gives back what the others took, and is called for all of it"},
    {"*_get_*", "borrows from an answer; check_accessors() sees that it allocates nothing"},
    {"*_get", "as those"},
    {"*_name", "a word of a table"},
    {"approve_waiver", "revoke_waiver, but for the state"},
    {"version", "a word"},
    {"listen_for_mail", "its thread takes memory, too: c_postgres_test.c"},
    {"verdict_status", "a number of a table"},
    {"transition", "a row of a table"},
    {"is_lawful_step", "a row of a table"},
    {"is_lawful_waiver_step", "a row of a table"},
    {"interview_row_clock_limit", "arithmetic over a row"},
    {"permission_default", "a row of a table"},
    {"message_carries_link", "a row of a table"},
    {"backoff_after", "a number"},
    {"reply_*", "called inside the calls over the store in C, whose callbacks fail with them"},
    {"store_join", "with engine_on"},
    {"store_join_postgres", "store_join, over a server"},
    {"store_open_through", "store_open, over the host's driver; c_connection has one"},
    {"audit_append", "with store_commit"},
    {"audit_verifier_*", "with audit_verifier_new"},
    {"dispatcher_stop", "sets a flag; with dispatcher_run"},
    {"dispatcher_wake", "sets a flag"},
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
  hirenow_store_options opening = HIRENOW_STORE_OPTIONS_INIT;
  opening.durability = 1; /* the power is not cut here */
  if (url)
    MUST(hirenow_store_open(url, &opening, &w->store, NULL));
  else
    MUST(memory_store_open(&w->store, NULL, NULL));
  hirenow_engine_options o = HIRENOW_ENGINE_OPTIONS_INIT;
  o.keys = w->keys;
  o.clock = w->clock;
  o.link_base = "https://interviews.example.com/go";
  MUST(hirenow_engine_new(w->store, &o, &w->engine, NULL));
  MUST(make_dispatcher(w, &w->dispatcher, NULL));
  if (sqlite3_open(":memory:", &w->db) != SQLITE_OK) must(HIRENOW_INTERNAL, "sqlite3_open");
  sqlite3_exec(w->db, "BEGIN", NULL, NULL, NULL);
  MUST(hirenow_keys_sign_text(w->keys, "k1", "a purpose", "a text of more than fifteen bytes", &w->signature, NULL));
  snprintf(w->key_file, sizeof w->key_file, "/tmp/hirenow-oom-keys-%ld", (long)getpid());
  FILE *file = fopen(w->key_file, "w");
  if (!file || chmod(w->key_file, 0600) != 0 || fputs(hirenow_text_get(w->key_document), file) < 0 || fclose(file) != 0)
    must(HIRENOW_INTERNAL, w->key_file);
  setenv("HIRENOW_OUT_OF_MEMORY_KEYS", hirenow_text_get(w->key_document), 1);
}

/* The record of the case, brought to where it must stand. */
static void walk_to(struct world *w, int stands) {
  hirenow_interview *step;
  MUST(schedule_for(w, "case", &w->interview, NULL));
  w->id = hirenow_interview_get_id(w->interview);
  snprintf(w->token, sizeof w->token, "%s", strchr(hirenow_interview_get_link(w->interview), '#') + 1);
  if (stands == EXPIRED) w->now += 4 * 86400;
  if (stands == CLAIMED || stands == DEAD) MUST(claim_messages(w, &w->claimed, NULL));
  if (stands == DEAD) MUST(settle_one(w, HIRENOW_SETTLE_DEAD, NULL));
  if (stands <= EXPIRED) return;
  MUST(hirenow_start(w->engine, w->token, "a session key of more than 16 bytes", 0, &w->sitting, NULL));
  w->session = (hirenow_session)HIRENOW_SESSION_INIT;
  MUST(hirenow_sitting_get_session(w->sitting, &w->session, NULL));
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
  if (stands == WAIVED) {
    hirenow_rows *granted;
    MUST(grant(w, &granted, NULL));
    w->waiver = hirenow_rows_get_waiver(granted, 0)->number;
    hirenow_rows_free(granted);
  }
  if (stands == FAILED_LONG_AGO) w->now += 15 * 86400;
}

static void bring_to(struct world *w, int stands) {
  walk_to(w, stands);
  MUST(load_record(w, &w->record, NULL));
  MUST(hirenow_store_read_audit(w->store, w->admin.tenant, "case", 0, 100, &w->entries, NULL));
  MUST(hirenow_store_audit_heads(w->store, w->admin.tenant, NULL, 100, &w->heads, NULL));
  MUST(hirenow_token_verify(w->keys, w->token, "hirenow", "interview", &w->genuine, NULL));
}

static void close_world(struct world *w) {
  hirenow_rows_free(w->claimed);
  hirenow_rows_free(w->record);
  hirenow_rows_free(w->entries);
  hirenow_rows_free(w->heads);
  hirenow_token_free(w->genuine);
  hirenow_text_free(w->signature);
  hirenow_dispatcher_free(w->dispatcher);
  sqlite3_close(w->db);
  unlink(w->key_file);
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

static hirenow_text *document_of(hirenow_rows *rows) {
  hirenow_text *text = NULL;
  MUST(hirenow_rows_json(rows, &text, NULL));
  hirenow_rows_free(rows);
  return text;
}

/* Where everything stands, as text. */
static char *dump(struct world *w) {
  hirenow_text *parts[4] = {NULL, NULL, NULL, NULL};
  hirenow_page *page = NULL;
  hirenow_rows *rows = NULL;
  MUST(hirenow_history(w->engine, w->id, &w->admin, &rows, NULL));
  parts[0] = document_of(rows);
  MUST(hirenow_read_audit(w->engine, "case", &w->admin, 0, 0, &rows, NULL));
  parts[1] = document_of(rows);
  MUST(hirenow_read_messages(w->engine, NULL, &w->admin, &rows, NULL));
  parts[2] = document_of(rows);
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

/* What all failed calls together have gained. A key keeps its MAC for the next call; a failure may drop that and a
 * later one make it anew, so one call alone may gain. Together they may not: what is lost is never given back. SQLite
 * keeps pages and statements as it pleases: there, what is left when all is closed is looked at. */
static long gained;

static char sqlite_url[64];

static void remove_file(void) {
  static const char *const parts[] = {"", "-wal", "-shm", "-hirenow-lock"};
  for (size_t n = 0; n < 4; ++n) {
    char name[100];
    snprintf(name, sizeof name, "%s%s", sqlite_url + strlen("sqlite:"), parts[n]);
    unlink(name);
  }
}

static void begin(struct world *w, size_t which, const char *url) {
  remove_file();
  open_world(w, url);
  bring_to(w, cases[which].stands);
}

static void complain(size_t which, const char *url, long n, const char *what) {
  ++failures;
  fprintf(stderr, "%s, %s, allocation %ld: %s\n", cases[which].name, url ? url : "the store in C", n, what);
}

/* Makes the call with its n-th allocation failing. Returns its status. */
static hirenow_status make_failing(struct world *w, size_t which, const char *url, long n) {
  const long live_before = __atomic_load_n(&live, __ATOMIC_RELAXED);
  const int flags = cases[which].flags;
  hirenow_error *error = NULL;
  failed = 0;
  until_failure = n;
  const hirenow_status status = cases[which].make(w, &error);
  until_failure = 0;
  /* The store in C fails by itself before it asks the library. */
  if ((status == HIRENOW_OK) != (error == NULL) && !(cases[which].make == c_own_store && n == 1))
    complain(which, url, n, "status and error do not agree");
  if (status != HIRENOW_OK) {
    ++tried;
    if (status != HIRENOW_OUT_OF_MEMORY || (error && hirenow_error_get_status(error) != status)) {
      complain(which, url, n, hirenow_status_name(status));
      if (error) fprintf(stderr, "  %s\n", hirenow_error_get_message(error));
    }
  }
  hirenow_error_free(error);
  const long lost = __atomic_load_n(&live, __ATOMIC_RELAXED) - live_before;
  if (status != HIRENOW_OK && url && url != sqlite_url && !(flags & (GROWS | LEASES)) && (gained += lost) > 0) {
    complain(which, url, n, "blocks were lost");
    gained = 0;
  }
  return status;
}

/* `stride`: beyond the first 40 allocations, every so many of them. */
static void run_case(size_t which, const char *url, long stride) {
  struct world w;
  const int flags = cases[which].flags;
  begin(&w, which, url);
  char *before = flags ? NULL : dump(&w);
  for (long n = 1; n < 20000; n += n < 40 ? 1 : stride) {
    const hirenow_status status = make_failing(&w, which, url, n);
    if (!failed) break;
    if (status != HIRENOW_OK && before) {
      char *after = dump(&w);
      if (strcmp(before, after) != 0) complain(which, url, n, "something was half done");
      free(before);
      before = after;
    }
    if (status == HIRENOW_OK && !(flags & READS)) { /* went on without that block; the next begins anew */
      close_world(&w);
      begin(&w, which, url);
      free(before);
      before = flags ? NULL : dump(&w);
    }
  }
  free(before);
  close_world(&w);
  remove_file();
}

/* What is promised of a store whose every call fails: nothing is lost. */
static void send_after_all(const char *url) {
  struct world w;
  remove_file();
  open_world(&w, url);
  bring_to(&w, SCHEDULED);
  for (long n = 1; n < 400; n += 3) {
    hirenow_error *error = NULL;
    until_failure = n;
    (void)dispatch_due(&w, &error);
    until_failure = 0;
    hirenow_error_free(error);
  }
  w.now += 6 * 3600;
  (void)dispatch_due(&w, NULL);
  hirenow_rows *rows = NULL;
  MUST(list_messages(&w, &rows, NULL));
  CHECK(hirenow_rows_get_message(rows, 0)->state == HIRENOW_MESSAGE_STATE_ACCEPTED);
  hirenow_rows_free(rows);
  close_world(&w);
  remove_file();
}

/* What the accessors of all answers allocate: nothing. */
static void check_accessors(void) {
  struct world w;
  open_world(&w, "memory:");
  bring_to(&w, FAILED);
  failed = 0;
  until_failure = 1;
  for (int again = 0; again < 2; ++again) {
    hirenow_session session = HIRENOW_SESSION_INIT;
    hirenow_token_claims claims = HIRENOW_TOKEN_CLAIMS_INIT;
    hirenow_interview_row row = row_of(&w);
    hirenow_permission permission;
    CHECK(hirenow_sitting_get_session(w.sitting, &session, NULL) == HIRENOW_OK);
    CHECK(hirenow_token_get_claims(w.genuine, &claims, NULL) == HIRENOW_OK);
    CHECK(hirenow_interview_get_row(w.interview, &row, NULL) == HIRENOW_OK);
    CHECK(hirenow_eligibility_get_reason(w.may) && hirenow_page_get_interview(w.page, 0));
    CHECK(hirenow_rows_get_record(w.record) && hirenow_rows_get_audit(w.entries, 0));
    CHECK(hirenow_transition(0, 1, 1, NULL, NULL) && hirenow_permission_default(0, &permission));
    CHECK(hirenow_is_lawful_waiver_step(0, 1) && hirenow_interview_row_clock_limit(NULL) == HIRENOW_NONE);
    CHECK(hirenow_is_lawful_step(0, 1) && hirenow_message_carries_link(0) && hirenow_version());
    CHECK(hirenow_verdict_status(HIRENOW_VERDICT_VALID) == HIRENOW_OK && hirenow_state_name(0));
  }
  until_failure = 0;
  CHECK(!failed);
  close_world(&w);
}

int main(int argc, char **argv) {
  const long stride = argc > 1 && strcmp(argv[1], "every") == 0 ? 1 : 17;
  const size_t count = sizeof cases / sizeof cases[0];
  snprintf(sqlite_url, sizeof sqlite_url, "sqlite:/tmp/hirenow-oom-%ld.db", (long)getpid());
  const char *const urls[] = {"memory:", NULL, sqlite_url};
  for (int u = 0; u < 3; ++u) {
    /* Once without a fault, so that what is made once and kept is there. */
    for (size_t n = 0; n < count; ++n) {
      struct world w;
      begin(&w, n, urls[u]);
      MUST(cases[n].make(&w, NULL));
      close_world(&w);
    }
    const long live_before = __atomic_load_n(&live, __ATOMIC_RELAXED);
    for (size_t n = 0; n < count; ++n)
      if (u != 2 || stride == 1 || cases[n].flags == 0) run_case(n, urls[u], u == 0 ? 1 : stride);
    const long left = __atomic_load_n(&live, __ATOMIC_RELAXED) - live_before;
    printf("%s: %ld failed allocations so far, %ld blocks more than before\n", urls[u] ? urls[u] : "the store in C",
           tried, left);
    send_after_all(urls[u]);
  }
  check_accessors();
  printf("%d calls, %d kinds of names left out, %ld failed allocations, %d faults\n", (int)count,
         (int)(sizeof left_out / sizeof left_out[0]), tried, failures);
  return failures ? 1 : 0;
}
