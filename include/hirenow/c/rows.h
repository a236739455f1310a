#ifndef HIRENOW_C_ROWS_H
#define HIRENOW_C_ROWS_H
/* Rows of a store and requests to one: what store.hpp says of their C++ twins holds of them. Structs here grow at their
 * end only: look at struct_size before you read what a later version added. One that you hand in may be as short as an
 * older version's. */

#include "hirenow/c/requests.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

/* An interview. Since: 0.1 */
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
  int64_t ends_by;           /* the outer limit; HIRENOW_NONE */
  int64_t extra_seconds;     /* of its accommodation, with the next two */
  int64_t pause_seconds;
  uint32_t extra_percent;    /* of the time limit, 100 (or 0) to 1,000 */
} hirenow_interview_row;
#define HIRENOW_INTERVIEW_ROW_INIT \
  {sizeof(hirenow_interview_row), "", "", "", NULL, 0, 0, 0, 0, 0, 0, 0.0, 0, 0, 0, 0, HIRENOW_NONE, HIRENOW_NONE, \
   HIRENOW_NONE, HIRENOW_NONE, HIRENOW_NONE, 0, NULL, 0, 0, 0, 0, 0, {0}, HIRENOW_NONE, 0, 0, 0}

/* The applicant record without its interviews and facts. Since: 0.1 */
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
#define HIRENOW_RECORD_ROW_INIT \
  {sizeof(hirenow_record_row), NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, 0, 0, 0, {0}, {0}}

/* A fact. Since: 0.1 */
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
#define HIRENOW_FACT_ROW_INIT {sizeof(hirenow_fact_row), 0, NULL, NULL, 0, HIRENOW_NONE, NULL, 0}

/* An audit entry. Since: 0.1 */
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
#define HIRENOW_AUDIT_ROW_INIT \
  {sizeof(hirenow_audit_row), 0, 0, NULL, NULL, "", HIRENOW_STATE_NONE, HIRENOW_STATE_NONE, NULL, NULL, {0}, {0}}

/* A message of the outbox. Since: 0.1 */
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
#define HIRENOW_MESSAGE_ROW_INIT {sizeof(hirenow_message_row), {"", 0, 0}, 0, 0, 0, 0, 0, NULL}

/* A retake policy as it stands in the store. Since: 0.1 */
typedef struct hirenow_policy_row {
  size_t struct_size;
  const char *track; /* empty: the tenant's own */
  const char *document;
  const char *set_by;
  int64_t set_at;
  uint8_t hash[32];
  int64_t active_from;   /* in force from this instant on */
  int32_t running_waits; /* HIRENOW_RUNNING_WAITS */
  uint64_t number;       /* given by the store */
} hirenow_policy_row;
#define HIRENOW_POLICY_ROW_INIT {sizeof(hirenow_policy_row), NULL, NULL, NULL, 0, {0}, 0, 0, 0}

/* What becomes of waits that run when a policy takes another's place. */
enum {
  HIRENOW_RUNNING_WAITS_REPLACE = 0, /* everybody is judged by the new policy */
  HIRENOW_RUNNING_WAITS_KEEP = 1     /* whose newest attempt is older stays with the one before, up to the next */
};

/* Where a waiver stands. */
enum {
  HIRENOW_WAIVER_PROPOSED = 0, /* waits for a second person's approval */
  HIRENOW_WAIVER_GRANTED = 1,
  HIRENOW_WAIVER_USED = 2,
  HIRENOW_WAIVER_LAPSED = 3,
  HIRENOW_WAIVER_REVOKED = 4
};
#define HIRENOW_WAIVER_STATE_COUNT 5
#define HIRENOW_WAIVER_STATE_NONE (-1)

/* An exception to one rule of the retake policy. Since: 0.1 */
typedef struct hirenow_waiver_row {
  size_t struct_size;
  uint64_t number;         /* its name within the record */
  const char *track;
  const char *rule_id;
  const char *reason_code;
  const char *floor;       /* the part of a wait that stays; may be empty */
  const char *granted_by;
  const char *approved_by; /* empty where nobody did */
  int64_t granted_at;
  int64_t expires_at;
  char used_for[40];       /* the interview that it allowed; empty: none */
  int32_t state;           /* HIRENOW_WAIVER */
} hirenow_waiver_row;
#define HIRENOW_WAIVER_ROW_INIT \
  {sizeof(hirenow_waiver_row), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, "", HIRENOW_WAIVER_GRANTED}

/* The answer to a committed call, kept for its idempotency key. Since: 0.1 */
typedef struct hirenow_answer_row {
  size_t struct_size;
  uint8_t key[16];
  uint8_t payload[32];
  const char *answer;
  int64_t expires_at;
} hirenow_answer_row;
#define HIRENOW_ANSWER_ROW_INIT {sizeof(hirenow_answer_row), {0}, {0}, NULL, 0}

/* ---- Requests to a store ----------------------------------------------------------------------------------------- */

/* What to load. Since: 0.1 */
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
  int32_t with_others;      /* 0: interviews that are not named, and waivers, may be left out */
  int64_t at;               /* the policy that is in force then; HIRENOW_NONE: the last one that was set */
} hirenow_load_request;
#define HIRENOW_LOAD_REQUEST_INIT \
  {sizeof(hirenow_load_request), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, HIRENOW_NONE}

/* Which policies to show: the last place first. Since: 0.1 */
typedef struct hirenow_policy_request {
  size_t struct_size;
  const char *tenant;
  const char *track;          /* empty: the tenant's own */
  int64_t before_active_from; /* only those before this place; HIRENOW_NONE: from the last one on */
  uint64_t before_number;
  size_t limit;
} hirenow_policy_request;
#define HIRENOW_POLICY_REQUEST_INIT {sizeof(hirenow_policy_request), NULL, NULL, HIRENOW_NONE, 0, 0}

/* A waiver after one step. Since: 0.1 */
typedef struct hirenow_waiver_change {
  size_t struct_size;
  const hirenow_waiver_row *after;
  int32_t before; /* HIRENOW_WAIVER_STATE_NONE for a new one */
} hirenow_waiver_change;
#define HIRENOW_WAIVER_CHANGE_INIT {sizeof(hirenow_waiver_change), NULL, HIRENOW_WAIVER_STATE_NONE}

/* An interview after one step. Since: 0.1 */
typedef struct hirenow_interview_change {
  size_t struct_size;
  const hirenow_interview_row *after;
  int32_t before; /* HIRENOW_STATE_NONE for a new one */
  int32_t sitting_changed;
} hirenow_interview_change;
#define HIRENOW_INTERVIEW_CHANGE_INIT {sizeof(hirenow_interview_change), NULL, HIRENOW_STATE_NONE, 0}

/* Unsent messages of an interview that a change makes senseless. Since: 0.1 */
typedef struct hirenow_withdrawal {
  size_t struct_size;
  char interview_id[40];
  uint32_t kinds; /* bit n: the kind with number n */
} hirenow_withdrawal;
#define HIRENOW_WITHDRAWAL_INIT {sizeof(hirenow_withdrawal), "", 0}

/* Everything that one commit writes. Arrays of pointers, so that rows may grow. Since: 0.1 */
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
  const hirenow_message_key *const *drops;
  size_t drop_count;
  const hirenow_waiver_change *const *waivers; /* written before the audit */
  size_t waiver_count;
  const hirenow_policy_row *const *policies; /* with the tenant's own record, whose applicant_id is "" */
  size_t policy_count;
} hirenow_change_set;
#define HIRENOW_CHANGE_SET_INIT \
  {sizeof(hirenow_change_set), NULL, NULL, 0, NULL, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, \
   NULL, 0, HIRENOW_NONE, NULL, NULL, 0, NULL, 0, NULL, 0}

/* How an outbox stands, all tenants together. Since: 0.1 */
typedef struct hirenow_outbox_figures {
  size_t struct_size;
  uint64_t queued; /* waiting, those that are due among them */
  uint64_t due;
  uint64_t leased; /* a worker is at them, or was */
  uint64_t lapsed; /* of these: their lease has run out */
  uint64_t dead;
  int64_t oldest_due; /* HIRENOW_NONE where none is due */
} hirenow_outbox_figures;
#define HIRENOW_OUTBOX_FIGURES_INIT {sizeof(hirenow_outbox_figures), 0, 0, 0, 0, 0, HIRENOW_NONE}

/* Progress to be saved under an open session. Since: 0.1 */
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
#define HIRENOW_CHECKPOINT_REQUEST_INIT {sizeof(hirenow_checkpoint_request), NULL, NULL, 0, {0}, 0, NULL, 0}

/* Which interviews a list shows. Since: 0.1 */
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
#define HIRENOW_LIST_REQUEST_INIT \
  {sizeof(hirenow_list_request), NULL, 0, HIRENOW_STATE_NONE, 0, NULL, NULL, NULL, 0}

/* Asks for messages to send. Since: 0.1 */
typedef struct hirenow_claim_request {
  size_t struct_size;
  int64_t now;
  int64_t lease_seconds;
  size_t limit;
  uint8_t token[16];
} hirenow_claim_request;
#define HIRENOW_CLAIM_REQUEST_INIT {sizeof(hirenow_claim_request), 0, 0, 0, {0}}

/* Asks whether mail may leave under a limit. Since: 0.1 */
typedef struct hirenow_allowance_request {
  size_t struct_size;
  int64_t now;
  const char *tenant;  /* whose mail the limit is about; empty or NULL: all mail */
  uint32_t per_minute; /* the limit; at least 1 */
  size_t wanted;       /* how many would leave */
  size_t returned;     /* how many of those granted before did not, and need not have been counted */
} hirenow_allowance_request;
#define HIRENOW_ALLOWANCE_REQUEST_INIT {sizeof(hirenow_allowance_request), 0, NULL, 0, 0, 0}

/* What a worker writes about a message it holds. */
enum {
  HIRENOW_SETTLE_ACCEPTED = 0,
  HIRENOW_SETTLE_WITHDRAWN = 1,
  HIRENOW_SETTLE_RETRY = 2,
  HIRENOW_SETTLE_DEAD = 3,
  HIRENOW_SETTLE_RENEW = 4,
  HIRENOW_SETTLE_RELEASE = 5
};
/* What became of a message that the caller holds. Since: 0.1 */
typedef struct hirenow_settlement {
  size_t struct_size;
  hirenow_message_key key;
  const char *tenant;
  uint8_t token[16];
  int32_t what;
  int64_t at;
  const char *answer; /* already cut; empty: the older stays */
} hirenow_settlement;
#define HIRENOW_SETTLEMENT_INIT {sizeof(hirenow_settlement), {"", 0, 0}, NULL, {0}, 0, 0, NULL}

/* Which messages to show. Since: 0.1 */
typedef struct hirenow_message_request {
  size_t struct_size;
  const char *tenant;
  const char *interview_id;         /* NULL: all */
  int32_t state;                    /* -1: all */
  const hirenow_message_key *after; /* NULL: from the start */
  size_t limit;
} hirenow_message_request;
#define HIRENOW_MESSAGE_REQUEST_INIT {sizeof(hirenow_message_request), NULL, NULL, -1, NULL, 0}

/* ---- Rows that are answered -------------------------------------------------------------------------------------- */

/* Whose a row is: the n-th of a list goes with the n-th interview, that of a claim with the n-th message. Since: 0.1 */
typedef struct hirenow_owner_row {
  size_t struct_size;
  const char *tenant;       /* empty in a list and for heads, which are of one tenant */
  const char *applicant_id;
  const char *name;         /* in a list, as the next one */
  const char *email;
  int64_t limit;            /* of a due record: the earliest limit that has passed; else HIRENOW_NONE */
  uint64_t sequence;        /* of a head, as the next one */
  uint8_t hash[32];
} hirenow_owner_row;
#define HIRENOW_OWNER_ROW_INIT {sizeof(hirenow_owner_row), NULL, NULL, NULL, NULL, HIRENOW_NONE, 0, {0}}

/* Frees rows. Since: 0.1 */
HIRENOW_API void hirenow_rows_free(hirenow_rows *rows);
/* The record; of a history the person and `erased` alone. NULL where there is none. Since: 0.1 */
HIRENOW_API const hirenow_record_row *hirenow_rows_get_record(const hirenow_rows *rows);
/* The policy that holds; NULL where nobody set one. Since: 0.1 */
HIRENOW_API const hirenow_policy_row *hirenow_rows_get_policy(const hirenow_rows *rows);
/* The stored answer that was looked up; NULL where there is none. Since: 0.1 */
HIRENOW_API const hirenow_answer_row *hirenow_rows_get_answer(const hirenow_rows *rows);
/* The progress that was asked for, NULL where none was saved; size and instant may be NULL. Since: 0.1 */
HIRENOW_API const void *hirenow_rows_get_progress(const hirenow_rows *rows, size_t *size, int64_t *saved_at);
/* How many interviews. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_interview_count(const hirenow_rows *rows);
/* The n-th interview; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_interview_row *hirenow_rows_get_interview(const hirenow_rows *rows, size_t n);
/* How many facts. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_fact_count(const hirenow_rows *rows);
/* The n-th fact; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_fact_row *hirenow_rows_get_fact(const hirenow_rows *rows, size_t n);
/* How many waivers. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_waiver_count(const hirenow_rows *rows);
/* The n-th waiver; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_waiver_row *hirenow_rows_get_waiver(const hirenow_rows *rows, size_t n);
/* Of a list of policies: how many. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_policy_count(const hirenow_rows *rows);
/* Of a list of policies: the n-th; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_policy_row *hirenow_rows_get_policy_at(const hirenow_rows *rows, size_t n);
/* How many audit entries. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_audit_count(const hirenow_rows *rows);
/* The n-th audit entry; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_audit_row *hirenow_rows_get_audit(const hirenow_rows *rows, size_t n);
/* How many messages. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_message_count(const hirenow_rows *rows);
/* The n-th message; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_message_row *hirenow_rows_get_message(const hirenow_rows *rows, size_t n);
/* How many owners. Since: 0.1 */
HIRENOW_API size_t hirenow_rows_get_owner_count(const hirenow_rows *rows);
/* The n-th owner; NULL beyond the end. Since: 0.1 */
HIRENOW_API const hirenow_owner_row *hirenow_rows_get_owner(const hirenow_rows *rows, size_t n);
/* Of a list: how many interviews are in this state; HIRENOW_NONE where counts were not asked for. Since: 0.1 */
HIRENOW_API int64_t hirenow_rows_get_state_count(const hirenow_rows *rows, int32_t state);
/* The next page's cursor; empty on the last page. Since: 0.1 */
HIRENOW_API const char *hirenow_rows_get_next(const hirenow_rows *rows);
/* The rows as a JSON document: of a history, of audit entries, of messages, of waivers, of policies, of a list.
 * Errors: invalid_argument for rows of other kinds. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_rows_json(const hirenow_rows *rows, hirenow_text **out_json, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
