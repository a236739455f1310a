#ifndef HIRENOW_C_REQUESTS_H
#define HIRENOW_C_REQUESTS_H
/* What the engine is asked with. Every struct starts from its _INIT macro; a field that is left zero means the
 * default. */

#include "hirenow/c/basics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who asks: the host's id for the person, roles that the host has checked, and the tenant. Since: 0.1 */
typedef struct hirenow_actor {
  size_t struct_size;
  const char *id;
  const char *tenant;
  uint32_t roles;
} hirenow_actor;
#define HIRENOW_ACTOR_INIT {sizeof(hirenow_actor), NULL, NULL, 0}

/* A person, by the host's own id. Since: 0.1 */
typedef struct hirenow_applicant {
  size_t struct_size;
  const char *id;
  const char *email;
  const char *name;
  const char *locale;
  const char *time_zone;
} hirenow_applicant;
#define HIRENOW_APPLICANT_INIT {sizeof(hirenow_applicant), NULL, NULL, NULL, NULL, NULL}

/* Plans an interview. Since: 0.1 */
typedef struct hirenow_schedule_request {
  size_t struct_size;
  const hirenow_applicant *applicant;
  const char *track;
  int64_t opens_at;
  int64_t link_lifetime_seconds;
  const int64_t *reminder_seconds; /* so long before start_by */
  size_t reminder_count;
  int64_t time_limit_seconds;
  int64_t grace_seconds;
  int32_t overtime;
  int32_t notify;
  int64_t notify_at;
  const char *idempotency_key;
  int64_t ends_by; /* the outer limit of start_by and of the deadline */
} hirenow_schedule_request;
#define HIRENOW_SCHEDULE_REQUEST_INIT \
  {sizeof(hirenow_schedule_request), NULL, NULL, 0, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, 0}

/* Terms of a retake or a reissue; what is left zero is as before. A reissue heeds neither time limit, grace nor
 * overtime, and refuses them. Since: 0.1 */
typedef struct hirenow_retake_options {
  size_t struct_size;
  int64_t opens_at;
  int64_t link_lifetime_seconds;
  const int64_t *reminder_seconds;
  size_t reminder_count;
  int64_t time_limit_seconds;
  int32_t has_grace;
  int32_t has_overtime;
  int64_t grace_seconds;
  int32_t overtime;
  int32_t notify;
  int64_t notify_at;
  const char *reason;
  const char *idempotency_key;
  int64_t ends_by;           /* retake: the outer limit, which is never as before */
  int64_t extend_by_seconds; /* reissue: lets a live link end so much later, an expired one so long after now */
} hirenow_retake_options;
#define HIRENOW_RETAKE_OPTIONS_INIT \
  {sizeof(hirenow_retake_options), 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, 0}

/* What lengthens an attempt. A term that is given takes the place of the one before; the others stay. Since: 0.1 */
typedef struct hirenow_accommodation {
  size_t struct_size;
  uint32_t percent;        /* of the time limit: 100 to 1,000; 0: as before */
  int32_t has_extra;
  int32_t has_pause;
  int32_t has_grace;
  int64_t extra_seconds;   /* added to that */
  int64_t pause_seconds;   /* all the credit for pauses, added too */
  int64_t grace_seconds;   /* after the deadline, for submit alone */
  const char *reason_code; /* the host's word; goes into the audit */
  const char *reason;      /* free text */
  const char *idempotency_key;
} hirenow_accommodation;
#define HIRENOW_ACCOMMODATION_INIT {sizeof(hirenow_accommodation), 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL}

/* A change of an interview: decide, reopen, void, cancel, withdraw. Since: 0.1 */
typedef struct hirenow_change {
  size_t struct_size;
  int32_t outcome;         /* decide: passed, failed or on_hold */
  int32_t has_score;       /* decide */
  double score;
  const char *reason_code; /* void */
  const char *reason;      /* free text */
  int32_t notify;          /* decide and cancel: now, where it is left zero; withdraw: not at all */
  int64_t notify_at;
  const char *idempotency_key;
} hirenow_change;
#define HIRENOW_CHANGE_INIT {sizeof(hirenow_change), 0, 0, 0.0, NULL, NULL, 0, 0, NULL}

/* What the applicant's page holds while it is open. The key is a secret of at least 16 random bytes. Since: 0.1 */
typedef struct hirenow_session {
  size_t struct_size;
  const char *tenant;
  const char *interview_id;
  int64_t fence;
  const char *key;
  size_t key_size; /* 0: the key is text, up to its NUL */
} hirenow_session;
#define HIRENOW_SESSION_INIT {sizeof(hirenow_session), NULL, NULL, 0, NULL, 0}

/* Something that a policy may ask about. Since: 0.1 */
typedef struct hirenow_fact {
  size_t struct_size;
  int32_t kind;
  const char *name;
  const char *track;
  int64_t at;
  int64_t until;
  const char *value;
} hirenow_fact;
#define HIRENOW_FACT_INIT {sizeof(hirenow_fact), 0, NULL, NULL, 0, 0, NULL}

/* Grants an exception to one rule of the retake policy. Since: 0.1 */
typedef struct hirenow_waiver_request {
  size_t struct_size;
  const char *applicant_id;
  const char *track;
  const char *rule_id;         /* of the policy that is in force for the track */
  const char *reason_code;     /* the host's word; goes into the audit */
  int64_t expires_at;          /* what was not used by then lapses; at most ten years from now */
  const char *floor;           /* of a wait or a lock-out: the part that stays, as "P7D"; NULL: none */
  const char *reason;          /* free text, at most 2 KiB: personal, erased with the person; may be NULL */
  const char *idempotency_key; /* may be NULL */
} hirenow_waiver_request;
#define HIRENOW_WAIVER_REQUEST_INIT {sizeof(hirenow_waiver_request), NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL}

/* When a policy is in force, and what becomes of waits that run then. Since: 0.1 */
typedef struct hirenow_activation {
  size_t struct_size;
  int64_t from;                /* not before now; 0: at once */
  int32_t running_waits;       /* HIRENOW_RUNNING_WAITS */
  const char *idempotency_key; /* may be NULL */
} hirenow_activation;
#define HIRENOW_ACTIVATION_INIT {sizeof(hirenow_activation), 0, 0, NULL}

/* What if this policy were set? Since: 0.1 */
typedef struct hirenow_what_if_query {
  size_t struct_size;
  const char *document;
  const char *track;  /* whose policy it would be; empty: the tenant's own, so tracks that have one are left out */
  const char *cursor; /* "next" of a page, to go on behind it; NULL: from the start */
  size_t limit;       /* applicants of one page, at most 500; 0: 100 */
  int32_t running_waits; /* HIRENOW_RUNNING_WAITS, as it would be set with */
} hirenow_what_if_query;
#define HIRENOW_WHAT_IF_QUERY_INIT {sizeof(hirenow_what_if_query), NULL, NULL, NULL, 0, 0}

/* How many tracks of how many applicants a policy would change. Since: 0.1 */
typedef struct hirenow_what_if_counts {
  size_t struct_size;
  uint64_t applicants;    /* looked at */
  uint64_t interviews;    /* theirs, all tracks together */
  uint64_t tracks;        /* of which it was asked whether a further attempt is allowed now */
  uint64_t eligible_now;
  uint64_t eligible_then; /* with the policy that is tried out */
  uint64_t become;        /* become eligible */
  uint64_t cease;         /* cease to be */
  uint64_t sooner;        /* not eligible before or after, but sooner */
  uint64_t later;         /* not eligible before or after, and later, or never */
} hirenow_what_if_counts;
#define HIRENOW_WHAT_IF_COUNTS_INIT {sizeof(hirenow_what_if_counts), 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* Which interviews a dashboard shows. Since: 0.1 */
typedef struct hirenow_list_query {
  size_t struct_size;
  int32_t state;          /* HIRENOW_STATE_NONE: all */
  int32_t without_counts;
  const char *track;
  const char *applicant_id;
  const char *cursor;     /* hirenow_page_get_next() of the page before */
  size_t limit;           /* 0: 50 */
} hirenow_list_query;
#define HIRENOW_LIST_QUERY_INIT {sizeof(hirenow_list_query), HIRENOW_STATE_NONE, 0, NULL, NULL, NULL, 0}

/* What names a message. Never grows. Since: 0.1 */
typedef struct hirenow_message_key {
  char interview_id[40]; /* 36 characters and NUL */
  int32_t kind;
  uint64_t occasion;
} hirenow_message_key;

/* Which messages to show. Since: 0.1 */
typedef struct hirenow_message_query {
  size_t struct_size;
  const char *interview_id;         /* NULL: all */
  int32_t state;                    /* -1: all */
  const hirenow_message_key *after; /* the last of the page before */
  size_t limit;                     /* 0: 50 */
} hirenow_message_query;
#define HIRENOW_MESSAGE_QUERY_INIT {sizeof(hirenow_message_query), NULL, -1, NULL, 0}

#ifdef __cplusplus
}
#endif

#endif
