#ifndef HIRENOW_TESTS_C_EVERY_CALL_TABLE_H
#define HIRENOW_TESTS_C_EVERY_CALL_TABLE_H
/* The list of every function, and the world in which each is called. check_abi.py compares the names with symbols.txt.
 * For out_of_memory.c and outside.c. */

#include <sys/stat.h>
#include <unistd.h>

#include "every_call.h"

/* Where the interview of the case must stand; or its message, of one that is scheduled. */
enum { SCHEDULED, EXPIRED, CLAIMED, DEAD, STARTED, SUBMITTED, FAILED, WAIVED, FAILED_LONG_AGO };

/* READS: it changes no record. GROWS: a cache of the library may keep what it has read. LEASES: a failed call may have
 * taken messages, whose lease runs out. ALONE: it asks no engine. FREE: nor anything else that must not be used in the
 * child of a fork. */
enum { READS = 1, GROWS = 2, LEASES = 4, ALONE = 8, FREE = 16 | ALONE };

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
    {"store_policies", c_policy_rows, SCHEDULED, READS | ALONE},
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
    {"interview_json", c_interview_json, FAILED, READS | FREE},
    {"eligibility_describe", c_describe, FAILED, READS | FREE},
    {"eligibility_json", c_eligibility_json, FAILED, READS | FREE},
    {"actions_json", c_actions_json, FAILED, READS | FREE},
    {"page_json", c_page_json, FAILED, READS | FREE},
    {"key_document_new", c_key_document, SCHEDULED, READS | FREE},
    {"keys_from_json", c_keys, SCHEDULED, READS | FREE},
    {"keys_signing_kid", c_kid, SCHEDULED, READS | ALONE},
    {"keys_public_jwks", c_jwks, SCHEDULED, READS | ALONE},
    {"keys_reload", c_reload, SCHEDULED, READS | GROWS | ALONE},
    {"token_mint", c_mint, SCHEDULED, READS | ALONE},
    {"policy_parse", c_policy, SCHEDULED, READS | FREE},
    {"policy_evaluate", c_evaluate, SCHEDULED, READS | FREE},
    {"policy_evaluate_case", c_evaluate_case, SCHEDULED, READS | FREE},
    {"eligibility_describe_in", c_describe_in, FAILED, READS | FREE},
    {"store_open", c_store, SCHEDULED, READS | FREE},
    {"store_new", c_own_store, SCHEDULED, READS | FREE},
    {"engine_new", c_engine, SCHEDULED, READS | ALONE},
    {"open", c_open, SCHEDULED, READS | ALONE},
    {"clock_new", c_clock, SCHEDULED, READS | FREE},
    {"logger_new", c_logger, SCHEDULED, READS | FREE},
    {"mailer_new", c_mailer, SCHEDULED, READS | FREE},
    {"templates_new", c_templates, SCHEDULED, READS | FREE},
    {"templates_set", c_set_template, SCHEDULED, READS | GROWS | FREE},
    {"dispatcher_new", c_dispatcher, SCHEDULED, READS},
    {"request_link", c_request_link, EXPIRED, 0},
    {"sweep", c_sweep, EXPIRED, 0},
    {"sweep_report_json", c_sweep_json, SCHEDULED, READS},
    {"store_join_connection", c_join_connection, SCHEDULED, READS | FREE},
    {"accommodate", c_accommodate, SCHEDULED, 0},
    {"redrive", c_redrive, DEAD, 0},
    {"drop", c_drop, DEAD, 0},
    {"dispatcher_dispatch_due", c_dispatch_due, SCHEDULED, LEASES},
    {"dispatcher_stats", c_stats, SCHEDULED, READS},
    {"dispatcher_prometheus_text", c_prometheus, SCHEDULED, READS},
    {"store_outbox", c_outbox, SCHEDULED, READS | ALONE},
    {"templates_language_of", c_language_of, SCHEDULED, READS | FREE},
    {"templates_render", c_render, SCHEDULED, READS | FREE},
    {"mailer_send", c_send, SCHEDULED, READS | ALONE},
    {"message_id", c_message_id, CLAIMED, READS | FREE},
    {"mailer_open_smtp", c_smtp, SCHEDULED, READS | FREE},
    {"dispatcher_run", c_run, SCHEDULED, READS},
    {"check_store", c_check_store, SCHEDULED, READS | FREE},
    {"engine_on", c_on, SCHEDULED, READS},
    {"engine_store", c_store_of, SCHEDULED, READS},
    {"engine_now", c_now, SCHEDULED, READS},
    {"link_for_row", c_link_for_row, SCHEDULED, READS},
    {"rows_json", c_rows_json, FAILED, READS | FREE},
    {"keys_from_file", c_keys_file, SCHEDULED, READS | FREE},
    {"keys_from_environment", c_keys_environment, SCHEDULED, READS | FREE},
    {"keys_sign_text", c_sign, SCHEDULED, READS | ALONE},
    {"keys_verify_text", c_verify_text, SCHEDULED, READS | ALONE},
    {"token_verify", c_verify_token, SCHEDULED, READS | ALONE},
    {"token_json", c_token_json, SCHEDULED, READS | FREE},
    {"policy_evaluate_track", c_evaluate_track, FAILED, READS | FREE},
    {"span_parse", c_span, SCHEDULED, READS | FREE},
    {"span_add", c_add_span, SCHEDULED, READS | FREE},
    {"span_words", c_words, SCHEDULED, READS | FREE},
    {"store_load", c_load, SUBMITTED, READS | ALONE},
    {"store_commit", c_commit, SCHEDULED, ALONE},
    {"store_save_progress", c_save_progress, STARTED, ALONE},
    {"store_list", c_list_rows, FAILED, READS | ALONE},
    {"store_due", c_due, SCHEDULED, READS | ALONE},
    {"store_claim", c_claim, SCHEDULED, LEASES | ALONE},
    {"store_settle", c_settle, CLAIMED, ALONE},
    {"store_allow", c_allow, SCHEDULED, READS | ALONE},
    {"store_next_due", c_next_due, SCHEDULED, READS | ALONE},
    {"store_messages", c_message_rows, SCHEDULED, READS | ALONE},
    {"store_read_audit", c_entries, FAILED, READS | ALONE},
    {"store_audit_heads", c_heads, FAILED, READS | ALONE},
    {"store_commit of a policy", c_commit_policy, SCHEDULED, ALONE},
    {"store_prune", c_prune, SCHEDULED, READS | ALONE},
    {"judge_link", c_judge, SCHEDULED, READS | FREE},
    {"audit_commitment", c_commitment, SCHEDULED, READS | FREE},
    {"audit_hash", c_hash, SCHEDULED, READS | FREE},
    {"audit_verifier_new", c_chain, FAILED, READS | FREE},
    {"audit_merkle_root", c_root, SCHEDULED, READS | FREE},
    {"interview_row_apply", c_apply, SCHEDULED, READS | FREE},
    {"interview_row_after_clock", c_after_clock, SCHEDULED, READS | FREE},
    {"interview_row_deadline", c_deadline, SCHEDULED, READS | FREE},
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
  if (!getenv("HIRENOW_EVERY_CALL_KEYS")) setenv("HIRENOW_EVERY_CALL_KEYS", hirenow_text_get(w->key_document), 1);
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

static char sqlite_url[64];

/* In memory where the machine offers that: what is tested is not the disk. */
static void name_sqlite_file(void) {
  const char *const folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(sqlite_url, sizeof sqlite_url, "sqlite:%s/hirenow-%ld.db", folder, (long)getpid());
}

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

#endif
