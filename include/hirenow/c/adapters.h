#ifndef HIRENOW_C_ADAPTERS_H
#define HIRENOW_C_ADAPTERS_H
/* A store, a mailer, a clock and a logger written in C, or in whatever speaks C.
 *
 * A table of callbacks is copied and checked when it is registered; `destroy(ctx)` runs once, when the last user is
 * gone, and only if the registration succeeded. It may be NULL. Every other callback is needed.
 * A callback returns 0 or a hirenow_status: one of api.h, or 1000 to 1999 of the host's own; hirenow_reply_fail() adds
 * words to it. It answers through its outputs and through the reply, both of which it may use only until it returns;
 * so may it what it is handed. It must not unwind: no exception, no longjmp out of it.
 * Threads: callbacks come from any thread, several at once, with no lock of ours held. A call of the same engine from
 *   inside one answers HIRENOW_REENTRANT_CALL.
 * Structs here grow at their end only: look at struct_size before you read what a later version added.
 */

#include "hirenow/c/api.h"
#include "hirenow/c/connection.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Says why the callback fails, for logs. Returns the status, so that a callback can return it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_fail(hirenow_reply *reply, hirenow_status status, const char *message,
                                              const char *reason);

/* ---- Clock, logger, mailer --------------------------------------------------------------------------------------- */

/* A clock. Since: 0.1 */
typedef struct hirenow_clock_callbacks {
  size_t struct_size;
  void *ctx;
  int64_t (*now)(void *ctx); /* UTC seconds since 1970; may step back */
  void (*destroy)(void *ctx);
} hirenow_clock_callbacks;
#define HIRENOW_CLOCK_CALLBACKS_INIT {sizeof(hirenow_clock_callbacks), NULL, NULL, NULL}
/* Makes a clock. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_clock_new(const hirenow_clock_callbacks *callbacks, hirenow_clock **out,
                                             hirenow_error **error);
/* Frees a clock; what reads it keeps it. Since: 0.1 */
HIRENOW_API void hirenow_clock_free(hirenow_clock *clock);

/* A logger. Since: 0.1 */
typedef struct hirenow_logger_callbacks {
  size_t struct_size;
  void *ctx;
  void (*warn)(void *ctx, const char *message); /* something that a person should look at */
  void (*destroy)(void *ctx);
} hirenow_logger_callbacks;
#define HIRENOW_LOGGER_CALLBACKS_INIT {sizeof(hirenow_logger_callbacks), NULL, NULL, NULL}
/* Makes a logger. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_logger_new(const hirenow_logger_callbacks *callbacks, hirenow_logger **out,
                                              hirenow_error **error);
/* Frees a logger; what tells it keeps it. Since: 0.1 */
HIRENOW_API void hirenow_logger_free(hirenow_logger *logger);

/* A mailer. Since: 0.1 */
typedef struct hirenow_mailer_callbacks {
  size_t struct_size;
  void *ctx;
  /* Delivers one mail; may block, but must come back in the end. `*outcome` is set to temporary before. A status other
   * than 0 is a temporary failure. hirenow_reply_set_delivery() keeps the server's words. */
  hirenow_status (*send)(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply);
  void (*destroy)(void *ctx);
} hirenow_mailer_callbacks;
#define HIRENOW_MAILER_CALLBACKS_INIT {sizeof(hirenow_mailer_callbacks), NULL, NULL, NULL}
/* Makes a mailer. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_mailer_new(const hirenow_mailer_callbacks *callbacks, hirenow_mailer **out,
                                              hirenow_error **error);
/* In send: the reply code (0 where there was none) and the reply line. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_delivery(hirenow_reply *reply, int32_t code, const char *answer);

/* ---- The store --------------------------------------------------------------------------------------------------- */

/* The promises that a store must keep stand in store.hpp, and hirenow_check_store() tests them. Since: 0.1 */
typedef struct hirenow_store_callbacks {
  size_t struct_size;
  void *ctx;
  hirenow_status (*load)(void *ctx, const hirenow_load_request *request, hirenow_reply *reply);
  hirenow_status (*commit)(void *ctx, const hirenow_change_set *changes, hirenow_reply *reply);
  hirenow_status (*save_progress)(void *ctx, const hirenow_checkpoint_request *request, int32_t *saved,
                                  hirenow_reply *reply);
  hirenow_status (*list)(void *ctx, const hirenow_list_request *request, hirenow_reply *reply);
  hirenow_status (*due)(void *ctx, int64_t at, size_t limit, const char *cursor, hirenow_reply *reply);
  hirenow_status (*claim)(void *ctx, const hirenow_claim_request *request, hirenow_reply *reply);
  hirenow_status (*settle)(void *ctx, const hirenow_settlement *const *settlements, size_t count, int32_t *ours,
                           hirenow_reply *reply);
  hirenow_status (*next_due)(void *ctx, int64_t *at, hirenow_reply *reply); /* *at is HIRENOW_NONE before */
  hirenow_status (*messages)(void *ctx, const hirenow_message_request *request, hirenow_reply *reply);
  hirenow_status (*read_audit)(void *ctx, const char *tenant, const char *applicant_id, uint64_t after, size_t limit,
                               hirenow_reply *reply);
  hirenow_status (*audit_heads)(void *ctx, const char *tenant, const char *after, size_t limit, hirenow_reply *reply);
  hirenow_status (*prune)(void *ctx, int64_t now, size_t limit, size_t *pruned, hirenow_reply *reply);
  void (*destroy)(void *ctx);
  /* May be NULL: a store need not count. */
  hirenow_status (*outbox)(void *ctx, int64_t now, hirenow_outbox_figures *figures, hirenow_reply *reply);
  /* May be NULL in a store of an older version: it keeps the policy that was set last, and no others. */
  hirenow_status (*policies)(void *ctx, const hirenow_policy_request *request, hirenow_reply *reply);
  /* May be NULL: each dispatcher then counts for itself. Both places have `count` numbers, 0 before. */
  hirenow_status (*allow)(void *ctx, const hirenow_allowance_request *const *requests, size_t count, size_t *granted,
                          int64_t *wait_seconds, hirenow_reply *reply);
} hirenow_store_callbacks;
#define HIRENOW_STORE_CALLBACKS_INIT \
  {sizeof(hirenow_store_callbacks), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
   NULL, NULL, NULL, NULL}
/* Makes a store. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_new(const hirenow_store_callbacks *callbacks, hirenow_store **out,
                                             hirenow_error **error);

/* What a reply takes. A row that cannot be used, or in another callback than its own, is refused with invalid_argument,
 * and the callback then has failed. */

/* In load: the record. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_record(hirenow_reply *reply, const hirenow_record_row *row);
/* In load: one of its interviews, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_interview(hirenow_reply *reply, const hirenow_interview_row *row);
/* In load: one of its facts, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_fact(hirenow_reply *reply, const hirenow_fact_row *row);
/* In load: one of its waivers, by number. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_waiver(hirenow_reply *reply, const hirenow_waiver_row *row);
/* In policies: a policy, the last place first. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_policy(hirenow_reply *reply, const hirenow_policy_row *row);
/* In load: the policy that holds. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_policy(hirenow_reply *reply, const hirenow_policy_row *row);
/* In load: the answer that was looked up. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_answer(hirenow_reply *reply, const hirenow_answer_row *row);
/* In load: the progress that was asked for. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_progress(hirenow_reply *reply, const void *bytes, size_t size,
                                                      int64_t saved_at);
/* In list: a row, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_list_row(hirenow_reply *reply, const char *applicant_id, const char *name,
                                                      const char *email, const hirenow_interview_row *row);
/* In list: HIRENOW_STATE_COUNT counts, by state. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_counts(hirenow_reply *reply, const uint64_t *counts);
/* In list and due: the next page's cursor. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_next(hirenow_reply *reply, const char *cursor);
/* In due: a record, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_due(hirenow_reply *reply, const char *tenant, const char *applicant_id,
                                                 int64_t limit);
/* In claim: a message that the caller now holds. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_claimed(hirenow_reply *reply, const char *tenant,
                                                     const char *applicant_id, const hirenow_message_row *row);
/* In messages: a message, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_message(hirenow_reply *reply, const hirenow_message_row *row);
/* In read_audit: an entry, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_audit(hirenow_reply *reply, const hirenow_audit_row *row);
/* In audit_heads: a head, in order; the hash has 32 bytes. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_head(hirenow_reply *reply, const char *applicant_id, uint64_t sequence,
                                                  const uint8_t *hash);

/* How much check_store is to check. Since: 0.1 */
typedef struct hirenow_check_options {
  size_t struct_size;
  uint64_t seed;      /* 0: 1 */
  size_t histories;   /* 0: 50 */
  size_t steps;       /* 0: 60 */
  uint32_t threads;   /* 0: 4 */
} hirenow_check_options;
#define HIRENOW_CHECK_OPTIONS_INIT {sizeof(hirenow_check_options), 0, 0, 0, 0}
/* Checks that a store keeps its promises. `make` makes a fresh, empty store each time it is called. Options, `checks`
 * and `failures` may be NULL; the report is text. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_check_store(hirenow_status (*make)(void *ctx, hirenow_store **out), void *ctx,
                                               const hirenow_check_options *options, size_t *checks, size_t *failures,
                                               hirenow_text **report, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
