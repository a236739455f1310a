#ifndef HIRENOW_C_ENGINE_H
#define HIRENOW_C_ENGINE_H
/* Stores and engines are opened here, and the engine is asked. */

#include "hirenow/c/requests.h"
#include "hirenow/c/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

/* What a commit survives: the loss of power, or the death of the process alone. */
enum { HIRENOW_DURABILITY_FULL = 0, HIRENOW_DURABILITY_NORMAL = 1 };

/* How a store is opened. Since: 0.1 */
typedef struct hirenow_store_options {
  size_t struct_size;
  int32_t durability;               /* HIRENOW_DURABILITY */
  int32_t readers;                  /* connections that read at the same time; 0: 4 */
  int64_t busy_timeout_milliseconds; /* 0: 10 seconds */
  int64_t checkpoint_bytes;         /* 0: 64 MiB */
  int64_t cache_kib;                /* of each connection; 0: 4 MiB */
  hirenow_logger *logger;           /* told of what endangers the file; NULL: nobody */
  /* PostgreSQL's. */
  const char *schema;               /* where the tables stand; NULL: "hirenow" */
  int32_t connections;              /* at most so many at once; 0: 8 */
  int32_t without_prepared_statements; /* other than 0: for a pooler that pools transactions */
  int64_t call_timeout_milliseconds;   /* for a whole call; 0: 30 seconds */
  int32_t no_tables;                /* other than 0: make no tables, they have to be there */
  int32_t callers_clock;            /* other than 0: the engine's clock, not the server's, ends leases; for tests */
  int32_t row_security;             /* other than 0: turn it on for the tables, which takes their owner */
  int32_t announces_mail;           /* other than 0: tell those who listen of promised mail: hirenow_listen_for_mail() */
  int64_t announce_every_milliseconds; /* not more often; 0: 5 ms */
  int64_t connect_timeout_milliseconds; /* until a connection stands; 0: 5 seconds */
} hirenow_store_options;
#define HIRENOW_STORE_OPTIONS_INIT \
  {sizeof(hirenow_store_options), 0, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Opens "sqlite:PATH", "memory:" or "postgresql://…" (a URL of libpq's), with the options that concern it.
 * Options may be NULL. Errors: invalid_argument for another URL, store_unavailable and its like, schema_too_new.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_open(const char *url, const hirenow_store_options *options,
                                              hirenow_store **out, hirenow_error **error);
/* Frees a store; what was made over it keeps it. Since: 0.1 */
HIRENOW_API void hirenow_store_free(hirenow_store *store);

/* SQLite's own handle, of the libsqlite3 that this library is linked with. */
struct sqlite3;
/* Makes a store for transactions of the host's own on its SQLite connection, to be given to hirenow_engine_on(). Every
 * call needs an open transaction, which hirenow neither begins nor ends, and which stays usable after an error.
 * `create_tables` other than 0: make hirenow's tables where there are none. Errors of the calls, beside a store's:
 * no_transaction; retry_transaction where only the host can repeat its work. Owns: borrows the connection, which must
 * outlive the store and be closed after it. Threads: one call at a time. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_join(struct sqlite3 *connection, int32_t create_tables, hirenow_store **out,
                                              hirenow_error **error);
/* libpq's own handle, PGconn. */
struct pg_conn;
/* The same on a PostgreSQL connection of the host's, which must not be in pipeline mode. hirenow's tables stand in
 * `schema`; NULL is "hirenow". Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_join_postgres(struct pg_conn *connection, const char *schema,
                                                       int32_t create_tables, hirenow_store **out,
                                                       hirenow_error **error);

/* A tenant's own base for links. Never grows. Since: 0.1 */
typedef struct hirenow_link_base {
  const char *tenant;
  const char *link_base;
} hirenow_link_base;
/* A row of the table of permissions. Never grows. Since: 0.1 */
typedef struct hirenow_permission {
  const char *use_case; /* its word, for example "retake" */
  uint32_t roles;       /* which may */
  int32_t token;        /* whether the applicant's token may */
  int32_t system;       /* whether the engine itself may */
} hirenow_permission;

/* What an engine is told once. Since: 0.1 */
typedef struct hirenow_engine_options {
  size_t struct_size;
  const hirenow_keys *keys;             /* needed, or keys_json, or keys_file */
  const char *keys_json;
  const char *keys_file;
  const char *policy_json;              /* NULL: the standard policy, 14 days */
  const char *link_base;                /* https address that links are built on; needed for links */
  const hirenow_link_base *link_bases;  /* by tenant, where it differs */
  size_t link_base_count;
  const char *issuer;                   /* NULL: "hirenow" */
  const char *audience;                 /* NULL: "interview" */
  int64_t link_lifetime_seconds;        /* 0: 72 hours */
  int64_t time_limit_seconds;           /* 0: 24 hours */
  int64_t answer_retention_seconds;     /* 0: 30 days */
  int64_t link_request_interval_seconds; /* 0: 15 minutes; below 0: every request is heeded */
  const hirenow_permission *permissions; /* rows in place of the standard ones */
  size_t permission_count;
  const hirenow_clock *clock;           /* NULL: the machine's */
  hirenow_logger *logger;               /* told of records that a sweep set aside; NULL: nobody */
} hirenow_engine_options;
#define HIRENOW_ENGINE_OPTIONS_INIT \
  {sizeof(hirenow_engine_options), NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, 0, 0, 0, 0, NULL, 0, NULL, NULL}

/* Makes an engine over a store. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_engine_new(const hirenow_store *store, const hirenow_engine_options *options,
                                              hirenow_engine **out, hirenow_error **error);
/* Opens a store with its standard options and the engine's logger, and makes an engine over it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_open(const char *url, const hirenow_engine_options *options, hirenow_engine **out,
                                        hirenow_error **error);
/* The same engine over another store: keys, policies, options and clock are shared. Made for one transaction of the
 * host's, over what hirenow_store_join() gives; it costs next to nothing. The first may be freed before it. Since: 0.1
 * */
HIRENOW_API hirenow_status hirenow_engine_on(const hirenow_engine *engine, const hirenow_store *store,
                                             hirenow_engine **out, hirenow_error **error);
/* Frees an engine. No call on it may be under way. Since: 0.1 */
HIRENOW_API void hirenow_engine_free(hirenow_engine *engine);
/* The engine's store, for the calls in store.h. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_engine_store(const hirenow_engine *engine, hirenow_store **out,
                                                hirenow_error **error);
/* The instant that the engine's clock tells. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_engine_now(const hirenow_engine *engine, int64_t *out, hirenow_error **error);
/* The n-th row of the standard table of permissions, of HIRENOW_PERMISSION_COUNT. Returns 0 beyond its end. Since: 0.1
 * */
#define HIRENOW_PERMISSION_COUNT 37
HIRENOW_API int32_t hirenow_permission_default(size_t n, hirenow_permission *out);

/* ---- Inviting ---------------------------------------------------------------------------------------------------- */

/* Plans an interview and promises the invitation. Errors: active_interview, not_eligible. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_schedule(hirenow_engine *engine, const hirenow_schedule_request *request,
                                            const hirenow_actor *who, hirenow_interview **out, hirenow_error **error);
/* Whether this interview may be retaken now; the very decision that a retake enforces. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_retake_eligibility(hirenow_engine *engine, const char *interview_id,
                                                      const hirenow_actor *who, hirenow_eligibility **out,
                                                      hirenow_error **error);
/* Archives the interview and plans a new one, in one commit. Options may be NULL.
 * Errors: not_eligible, superseded, archived. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_retake(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_retake_options *options, hirenow_interview **out,
                                          hirenow_error **error);
/* Gives the same interview a fresh link. Options may be NULL. Errors: archived, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reissue(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                           const hirenow_retake_options *options, hirenow_interview **out,
                                           hirenow_error **error);
/* What came of a request for the current link. Show the visitor the same page whatever it holds. Since: 0.1 */
typedef struct hirenow_link_requested {
  size_t struct_size;
  char interview_id[40]; /* the track's current interview; empty where there is none */
  int32_t queued;        /* a message with its link was queued */
  int32_t noted;         /* the recruiter will see the request */
  int32_t replayed;
} hirenow_link_requested;
#define HIRENOW_LINK_REQUESTED_INIT {sizeof(hirenow_link_requested), "", 0, 0, 0}
/* The holder of a dead link asks for the current one, which is mailed, never handed out. `out` may be NULL.
 * Errors: the token's verdict where it has no link to send. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_request_link(hirenow_engine *engine, const char *token, const char *idempotency_key,
                                                hirenow_link_requested *out, hirenow_error **error);
/* The current link of an interview. A link is a credential: the actor needs what a reissue needs.
 * Errors: key_invalid where its key was retired. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_link_of(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                           hirenow_text **out, hirenow_error **error);
/* The link of an interview as it stands in a store, for a dispatcher of the host's own, which acts for the engine:
 * nobody's permission is asked. Errors: key_invalid where its key was retired. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_link_for_row(hirenow_engine *engine, const char *tenant, const char *applicant_id,
                                                const hirenow_interview_row *interview, hirenow_text **out,
                                                hirenow_error **error);

/* ---- The applicant's sitting ------------------------------------------------------------------------------------- */

/* What stands behind a link. Changes nothing. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_inspect(hirenow_engine *engine, const char *token, hirenow_inspection **out,
                                           hirenow_error **error);
/* Starts the interview. The session's key is any bytes, at least 16; with a size of 0 it is text, up to its NUL.
 * Errors: the token's verdict, already_started. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_start(hirenow_engine *engine, const char *token, const void *session_key,
                                         size_t session_key_size, hirenow_sitting **out, hirenow_error **error);
/* Goes on in a newer session, with a key of its own. Errors: the token's verdict, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_resume(hirenow_engine *engine, const char *token, const void *session_key,
                                          size_t session_key_size, hirenow_sitting **out, hirenow_error **error);
/* Saves progress, any bytes, whole. saved_at may be NULL. Errors: stale_session, deadline_passed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_checkpoint(hirenow_engine *engine, const hirenow_session *session,
                                              const void *progress, size_t size, int64_t *saved_at,
                                              hirenow_error **error);
/* Submits the interview, with the last progress unless it is NULL. Errors: stale_session, deadline_passed. Since: 0.1
 * */
HIRENOW_API hirenow_status hirenow_submit(hirenow_engine *engine, const hirenow_session *session, const void *progress,
                                          size_t size, const char *idempotency_key, hirenow_interview **out,
                                          hirenow_error **error);
/* The applicant withdraws. The change may be NULL. Errors: the token's verdict. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_withdraw(hirenow_engine *engine, const char *token, const hirenow_change *change,
                                            hirenow_interview **out, hirenow_error **error);

/* ---- Deciding ---------------------------------------------------------------------------------------------------- */

/* Decides a submitted interview, or one on hold. Errors: archived, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_decide(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
/* Takes a pass or a failure back to on hold. Needs a reason. Errors: archived, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reopen(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
/* Voids an attempt that a technical failure spoilt. Needs a reason code. Errors: archived, invalid_transition.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_void(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                        const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
/* Lengthens an attempt that is scheduled or runs; the deadline of one that runs moves at once, at most to its outer
 * limit. Errors: archived, invalid_transition, deadline_passed; invalid_argument where the deadline would be over.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_accommodate(hirenow_engine *engine, const char *interview_id,
                                               const hirenow_actor *who, const hirenow_accommodation *terms,
                                               hirenow_interview **out, hirenow_error **error);
/* Cancels an interview that is not over. The change may be NULL. Errors: archived, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_cancel(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
/* Replaces the applicant's person. Messages already promised go to the new address. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_update_applicant(hirenow_engine *engine, const hirenow_applicant *person,
                                                    const hirenow_actor *who, const char *idempotency_key,
                                                    hirenow_person **out, hirenow_error **error);
/* Records something that a policy may ask about. Answers the person whom it is of. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_record_fact(hirenow_engine *engine, const char *applicant_id,
                                               const hirenow_fact *fact, const hirenow_actor *who,
                                               const char *idempotency_key, hirenow_person **out,
                                               hirenow_error **error);
/* Sets the policy of the actor's tenant or of one track; an empty document takes it away. Errors: policy_invalid.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_set_policy(hirenow_engine *engine, const char *track, const char *document,
                                              const hirenow_actor *who, hirenow_error **error);
/* The same at once or from an instant on, what becomes of waits that run, and an idempotency key: without one a
 * repetition that comes late puts it in the place of what was set since. Errors: policy_invalid; invalid_argument where
 * it would be in force before now. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_activate_policy(hirenow_engine *engine, const char *track, const char *document,
                                                   const hirenow_actor *who, const hirenow_activation *when,
                                                   hirenow_error **error);
/* The policies of the actor's tenant, or of one track, the last place first: hirenow_rows_get_policy_at(). The place
 * before which to go on is (active_from, number) of the last row of the page before; HIRENOW_NONE: from the last one
 * on. A limit of 0 is 50. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policies(hirenow_engine *engine, const char *track, const hirenow_actor *who,
                                            int64_t before_active_from, uint64_t before_number, size_t limit,
                                            hirenow_rows **out, hirenow_error **error);
/* What would change if this policy were set now, for all applicants of the actor's tenant. Changes nothing. `page` is
 * called after each page, with what was counted so far and the page's rows as a JSON document; it may be NULL, and ends
 * it by returning other than 0. Memory is bounded by a page. `counts` may be NULL.
 * Errors: policy_invalid; operation_aborted where `page` ended it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_what_if(hirenow_engine *engine, const hirenow_what_if_query *query,
                                           const hirenow_actor *who,
                                           int32_t (*page)(void *ctx, const hirenow_what_if_counts *so_far,
                                                           const char *page_json),
                                           void *ctx, hirenow_what_if_counts *counts, hirenow_error **error);
/* Grants an exception to one rule, or proposes it where the policy wants a second person: one waiver. `replayed` may be
 * NULL. Errors: invalid_argument, invalid_transition where one for this rule and track is open. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_grant_waiver(hirenow_engine *engine, const hirenow_waiver_request *request,
                                                const hirenow_actor *who, hirenow_rows **out, int32_t *replayed,
                                                hirenow_error **error);
/* Approves a proposed waiver; somebody else does it than who proposed it. The change's reason and key count; it may be
 * NULL, and so may `replayed`. Errors: invalid_transition, permission_denied. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_approve_waiver(hirenow_engine *engine, const char *applicant_id, uint64_t number,
                                                  const hirenow_actor *who, const hirenow_change *change,
                                                  hirenow_rows **out, int32_t *replayed, hirenow_error **error);
/* Revokes an open waiver. As hirenow_approve_waiver(). Since: 0.1 */
HIRENOW_API hirenow_status hirenow_revoke_waiver(hirenow_engine *engine, const char *applicant_id, uint64_t number,
                                                 const hirenow_actor *who, const hirenow_change *change,
                                                 hirenow_rows **out, int32_t *replayed, hirenow_error **error);
/* All waivers of an applicant, by number. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_waivers(hirenow_engine *engine, const char *applicant_id, const hirenow_actor *who,
                                           hirenow_rows **out, hirenow_error **error);
/* Queues a dead message again. Errors: invalid_transition where it is not dead. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_redrive(hirenow_engine *engine, const hirenow_message_key *key,
                                           const hirenow_actor *who, const char *idempotency_key,
                                           hirenow_error **error);
/* Gives a dead message up: it is withdrawn, and no longer among the dead. Errors: invalid_transition where it is not
 * dead. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_drop(hirenow_engine *engine, const hirenow_message_key *key,
                                        const hirenow_actor *who, const char *idempotency_key, hirenow_error **error);
/* Erases a person; interviews and audit stay. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_erase_applicant(hirenow_engine *engine, const char *applicant_id,
                                                   const hirenow_actor *who, const char *idempotency_key,
                                                   hirenow_error **error);
/* Lets the clock do what is due on every record, each in a commit of its own. limit 0: 10,000. Where memory runs out
 * after the first of them, the report says that there is more. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sweep(hirenow_engine *engine, size_t limit, hirenow_sweep_report **out,
                                         hirenow_error **error);

/* ---- Reading: interviews are shown as the clock would have them now ---------------------------------------------- */

/* An interview. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_find(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                        hirenow_interview **out, hirenow_error **error);
/* What this actor may do to the interview now, and why not the rest. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_permitted_actions(hirenow_engine *engine, const char *interview_id,
                                                     const hirenow_actor *who, hirenow_actions **out,
                                                     hirenow_error **error);
/* A page for a dashboard, with counts by state. The query may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_list(hirenow_engine *engine, const hirenow_list_query *query,
                                        const hirenow_actor *who, hirenow_page **out, hirenow_error **error);
/* Everything about one track of one applicant: the person as a record, attempts, audit entries, messages.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_history(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                           hirenow_rows **out, hirenow_error **error);
/* The newest saved progress; NULL where none was saved. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_read_progress(hirenow_engine *engine, const char *interview_id,
                                                 const hirenow_actor *who, hirenow_text **out, int64_t *saved_at,
                                                 hirenow_error **error);
/* Audit entries after a sequence. limit 0: 500. An empty applicant_id reads the tenant's own audit, which tells of its
 * policies. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_read_audit(hirenow_engine *engine, const char *applicant_id,
                                              const hirenow_actor *who, uint64_t after, size_t limit,
                                              hirenow_rows **out, hirenow_error **error);
/* Verifies an applicant's whole audit; where applicant_id is empty, the tenant's own, and that its policies are those
 * which that tells of. The outputs (entries; head, 32 bytes) may be NULL.
 * Errors: audit_broken. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_verify_audit(hirenow_engine *engine, const char *applicant_id,
                                                const hirenow_actor *who, uint64_t *entries, uint8_t *head,
                                                hirenow_error **error);
/* A signed statement of where every record of the tenant stands, to be kept elsewhere. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_checkpoint(hirenow_engine *engine, const hirenow_actor *who,
                                                    hirenow_text **out, hirenow_error **error);
/* Compares the tenant's records with an earlier statement. `records` may be NULL. Errors: audit_broken. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_verify_audit_checkpoint(hirenow_engine *engine, const char *checkpoint,
                                                           const hirenow_actor *who, size_t *records,
                                                           hirenow_error **error);
/* Messages of the actor's tenant. The query may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_read_messages(hirenow_engine *engine, const hirenow_message_query *query,
                                                 const hirenow_actor *who, hirenow_rows **out, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
