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

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hirenow_reply hirenow_reply; /* takes what a callback answers */

/* Says why the callback fails, for logs. Returns the status, so that a callback can return it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_fail(hirenow_reply *reply, hirenow_status status, const char *message,
                                              const char *reason);

/* ---- Clock, logger, mailer --------------------------------------------------------------------------------------- */

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
HIRENOW_API void hirenow_clock_free(hirenow_clock *clock);

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
HIRENOW_API void hirenow_logger_free(hirenow_logger *logger);

/* A rendered mail. */
typedef struct hirenow_mail {
  size_t struct_size;
  const char *message_id; /* without brackets */
  const char *from_address;
  const char *from_name;
  const char *to_address;
  const char *to_name;
  const char *subject;
  const char *text; /* lines end in "\n" */
  const char *html; /* may be empty */
  const char *language;
} hirenow_mail;

/* What came of a delivery. */
enum {
  HIRENOW_DELIVERY_ACCEPTED = 0,
  HIRENOW_DELIVERY_TEMPORARY = 1, /* try again later */
  HIRENOW_DELIVERY_PERMANENT = 2, /* trying again is no use */
  HIRENOW_DELIVERY_AMBIGUOUS = 3  /* it may have been taken */
};

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

/* ---- Rows of a store: what store.hpp says of their C++ twins holds of them ------------------------------------------ */

typedef struct hirenow_interview_row {
  size_t struct_size;
  char id[40];            /* 36 characters and NUL */
  char retake_of[40];     /* empty: none */
  char superseded_by[40]; /* empty: none */
  const char *track;
  uint32_t attempt;
  int32_t state;
  int32_t outcome;
  int32_t overtime;
  int32_t has_score;
  uint32_t generation;
  double score;
  int64_t time_limit_seconds;
  int64_t grace_seconds;
  int64_t created_at;
  int64_t start_by;
  int64_t started_at;        /* HIRENOW_NONE, as the next four */
  int64_t deadline;
  int64_t submitted_at;
  int64_t decided_at;
  int64_t link_requested_at;
  int64_t changed_at;
  const char *kid;           /* of the current link, with the next three */
  int64_t issued_at;
  int64_t not_before;
  int64_t expires_at;
  int64_t fence;             /* of the sitting, with the next two */
  int32_t open;
  uint8_t key_hash[32];
} hirenow_interview_row;

/* The applicant record without its interviews and facts. */
typedef struct hirenow_record_row {
  size_t struct_size;
  const char *applicant_id;
  const char *email;
  const char *name;
  const char *locale;
  const char *time_zone;
  int32_t erased;
  uint32_t salt_size;
  const uint8_t *salt;
  uint64_t version;
  uint64_t sequence;
  int64_t last_instant;
  uint8_t subject[32];
  uint8_t audit_head[32];
} hirenow_record_row;

typedef struct hirenow_fact_row {
  size_t struct_size;
  int32_t kind;
  const char *name;
  const char *track;
  int64_t at;
  int64_t until; /* or HIRENOW_NONE */
  const char *value;
  uint64_t sequence;
} hirenow_fact_row;

typedef struct hirenow_audit_row {
  size_t struct_size;
  uint64_t sequence;
  int64_t at;
  const char *actor;
  const char *event;
  char interview_id[40]; /* empty: none */
  int32_t from;          /* HIRENOW_STATE_NONE: none */
  int32_t to;
  const char *details;
  const char *note;
  uint8_t previous[32];
  uint8_t hash[32];
} hirenow_audit_row;

typedef struct hirenow_message_row {
  size_t struct_size;
  hirenow_message_key key;
  uint32_t generation;
  uint32_t tries;
  int64_t created_at;
  int64_t due_at;
  int32_t state;
  const char *last_answer; /* at most 500 bytes */
} hirenow_message_row;

typedef struct hirenow_policy_row {
  size_t struct_size;
  const char *track; /* empty: the tenant's own */
  const char *document;
  const char *set_by;
  int64_t set_at;
  uint8_t hash[32];
} hirenow_policy_row;

typedef struct hirenow_answer_row {
  size_t struct_size;
  uint8_t key[16];
  uint8_t payload[32];
  const char *answer;
  int64_t expires_at;
} hirenow_answer_row;

/* ---- Requests to a store ----------------------------------------------------------------------------------------- */

typedef struct hirenow_load_request {
  size_t struct_size;
  const char *tenant;
  const char *applicant_id; /* NULL: by the interview */
  const char *interview_id; /* NULL: by the applicant */
  const char *track;        /* whose policy is wanted; empty: that of the interview */
  const uint8_t *answer;    /* 16 bytes: look this answer up; or NULL */
  int32_t with_rules;       /* 0: policy and facts may be left out */
  int32_t with_sitting;     /* bring the sitting of the interview that is named, even if it is over */
  int32_t with_progress;    /* bring the progress of the interview that is named */
  int32_t with_others;      /* 0: interviews that are not named may be left out */
} hirenow_load_request;

typedef struct hirenow_interview_change {
  hirenow_interview_row after;
  int32_t before;          /* HIRENOW_STATE_NONE for a new one */
  int32_t sitting_changed;
} hirenow_interview_change;

typedef struct hirenow_withdrawal {
  char interview_id[40];
  uint32_t kinds; /* bit n: the kind with number n */
} hirenow_withdrawal;

/* Everything that one commit writes. Arrays of pointers, so that rows may grow. */
typedef struct hirenow_change_set {
  size_t struct_size;
  const char *tenant;
  const char *applicant_id;
  uint64_t expected_version;
  const hirenow_record_row *head;
  int32_t write_person;
  int32_t erase;
  const hirenow_interview_change *const *interviews;
  size_t interview_count;
  const hirenow_fact_row *const *facts;
  size_t fact_count;
  const hirenow_audit_row *const *audit;
  size_t audit_count;
  const hirenow_withdrawal *const *withdrawals;
  size_t withdrawal_count;
  const hirenow_message_row *const *messages;
  size_t message_count;
  const hirenow_message_key *const *redrives;
  size_t redrive_count;
  const char *final_progress_interview; /* NULL: none */
  const void *final_progress;
  size_t final_progress_size;
  int64_t final_progress_at;
  const hirenow_answer_row *answer; /* NULL: none */
} hirenow_change_set;

typedef struct hirenow_checkpoint_request {
  size_t struct_size;
  const char *tenant;
  const char *interview_id;
  int64_t fence;
  uint8_t key_hash[32];
  int64_t at;
  const void *bytes;
  size_t size;
} hirenow_checkpoint_request;

typedef struct hirenow_list_request {
  size_t struct_size;
  const char *tenant;
  int64_t at;
  int32_t state; /* HIRENOW_STATE_NONE: all */
  int32_t with_counts;
  const char *track;
  const char *applicant_id;
  const char *cursor;
  size_t limit;
} hirenow_list_request;

typedef struct hirenow_claim_request {
  size_t struct_size;
  int64_t now;
  int64_t lease_seconds;
  size_t limit;
  uint8_t token[16];
} hirenow_claim_request;

/* What a worker writes about a message it holds. */
enum {
  HIRENOW_SETTLE_ACCEPTED = 0,
  HIRENOW_SETTLE_WITHDRAWN = 1,
  HIRENOW_SETTLE_RETRY = 2,
  HIRENOW_SETTLE_DEAD = 3,
  HIRENOW_SETTLE_RENEW = 4,
  HIRENOW_SETTLE_RELEASE = 5
};
typedef struct hirenow_settlement {
  size_t struct_size;
  hirenow_message_key key;
  const char *tenant;
  uint8_t token[16];
  int32_t what;
  int64_t at;
  const char *answer; /* already cut; empty: the older stays */
} hirenow_settlement;

typedef struct hirenow_message_request {
  size_t struct_size;
  const char *tenant;
  const char *interview_id;         /* NULL: all */
  int32_t state;                    /* -1: all */
  const hirenow_message_key *after; /* NULL: from the start */
  size_t limit;
} hirenow_message_request;

/* ---- The store --------------------------------------------------------------------------------------------------- */

/* The promises that a store must keep stand in store.hpp, and hirenow_check_store() tests them. */
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
  hirenow_status (*set_policy)(void *ctx, const char *tenant, const hirenow_policy_row *policy, hirenow_reply *reply);
  hirenow_status (*prune)(void *ctx, int64_t now, size_t limit, size_t *pruned, hirenow_reply *reply);
  void (*destroy)(void *ctx);
} hirenow_store_callbacks;
#define HIRENOW_STORE_CALLBACKS_INIT \
  {sizeof(hirenow_store_callbacks), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL}
/* Makes a store. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_new(const hirenow_store_callbacks *callbacks, hirenow_store **out,
                                             hirenow_error **error);

/* What a reply takes: in load the first six, in list the next two, and so on. A row that cannot be used, or in another
 * callback than its own, is refused with invalid_argument, and the callback then has failed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_record(hirenow_reply *reply, const hirenow_record_row *row);
HIRENOW_API hirenow_status hirenow_reply_add_interview(hirenow_reply *reply, const hirenow_interview_row *row);
HIRENOW_API hirenow_status hirenow_reply_add_fact(hirenow_reply *reply, const hirenow_fact_row *row);
HIRENOW_API hirenow_status hirenow_reply_set_policy(hirenow_reply *reply, const hirenow_policy_row *row);
HIRENOW_API hirenow_status hirenow_reply_set_answer(hirenow_reply *reply, const hirenow_answer_row *row);
HIRENOW_API hirenow_status hirenow_reply_set_progress(hirenow_reply *reply, const void *bytes, size_t size,
                                                      int64_t saved_at);
HIRENOW_API hirenow_status hirenow_reply_add_list_row(hirenow_reply *reply, const char *applicant_id, const char *name,
                                                      const char *email, const hirenow_interview_row *row);
HIRENOW_API hirenow_status hirenow_reply_set_counts(hirenow_reply *reply, const uint64_t *counts); /* by state */
HIRENOW_API hirenow_status hirenow_reply_set_next(hirenow_reply *reply, const char *cursor);       /* list, due */
HIRENOW_API hirenow_status hirenow_reply_add_due(hirenow_reply *reply, const char *tenant, const char *applicant_id,
                                                 int64_t limit);
HIRENOW_API hirenow_status hirenow_reply_add_claimed(hirenow_reply *reply, const char *tenant,
                                                     const char *applicant_id, const hirenow_message_row *row);
HIRENOW_API hirenow_status hirenow_reply_add_message(hirenow_reply *reply, const hirenow_message_row *row);
HIRENOW_API hirenow_status hirenow_reply_add_audit(hirenow_reply *reply, const hirenow_audit_row *row);
HIRENOW_API hirenow_status hirenow_reply_add_head(hirenow_reply *reply, const char *applicant_id, uint64_t sequence,
                                                  const uint8_t *hash);

/* Whether the lifecycle has a step from one state to another, for a store that must refuse the others. Since: 0.1 */
HIRENOW_API int32_t hirenow_is_lawful_step(int32_t from, int32_t to);
/* Makes of a row what a sweep at this instant would make of it; lists show it so. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_after_clock(hirenow_interview_row *row, int64_t at);

/* How much check_store is to check. */
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
