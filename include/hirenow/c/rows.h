#ifndef HIRENOW_C_ROWS_H
#define HIRENOW_C_ROWS_H
/* Rows of a store and requests to one: what store.hpp says of their C++ twins holds of them. Structs here grow at their
 * end only: look at struct_size before you read what a later version added. */

#include "hirenow/c/requests.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Rows --------------------------------------------------------------------------------------------------------- */

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

#ifdef __cplusplus
}
#endif

#endif
