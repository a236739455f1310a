#ifndef HIRENOW_C_BASICS_H
#define HIRENOW_C_BASICS_H
/* What every part of the C interface is made of: statuses, lists of numbers, handles, errors and texts. api.h says how
 * to use them. */

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define HIRENOW_API __attribute__((visibility("default")))
#else
#define HIRENOW_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. A library with the same major version and no lower one serves it. */
#define HIRENOW_VERSION_MAJOR 0
#define HIRENOW_VERSION_MINOR 1
#define HIRENOW_VERSION_PATCH 0

/* No instant, no span, no limit. */
#define HIRENOW_NONE INT64_MIN

/* What became of a call: 0, a number below, or 1000 to 1999 from an adapter of the host's own. */
typedef int32_t hirenow_status;
enum {
  HIRENOW_OK = 0,
  HIRENOW_INVALID_ARGUMENT = 1,
  HIRENOW_TOO_LARGE = 2,
  HIRENOW_NOT_FOUND = 3,
  HIRENOW_PERMISSION_DENIED = 4,
  HIRENOW_INVALID_TRANSITION = 5,
  HIRENOW_ACTIVE_INTERVIEW = 6,
  HIRENOW_NOT_ELIGIBLE = 7,
  HIRENOW_SUPERSEDED = 8,
  HIRENOW_ARCHIVED = 9,
  HIRENOW_STALE_SESSION = 10,
  HIRENOW_ALREADY_STARTED = 11,
  HIRENOW_DEADLINE_PASSED = 12,
  HIRENOW_IDEMPOTENCY_MISMATCH = 13,
  HIRENOW_CONFLICT = 14,
  HIRENOW_RETRY_TRANSACTION = 15,
  HIRENOW_ERASED = 16,
  HIRENOW_LIMIT_REACHED = 17,
  HIRENOW_NO_TRANSACTION = 18,
  HIRENOW_TOKEN_INVALID = 30,
  HIRENOW_TOKEN_CANCELLED = 31,
  HIRENOW_TOKEN_SUPERSEDED_INTERVIEW = 32,
  HIRENOW_TOKEN_COMPLETED = 33,
  HIRENOW_TOKEN_SUPERSEDED_LINK = 34,
  HIRENOW_TOKEN_NOT_YET_VALID = 35,
  HIRENOW_TOKEN_EXPIRED = 36,
  HIRENOW_KEY_INVALID = 50,
  HIRENOW_KEY_FILE_EXPOSED = 51,
  HIRENOW_NO_SIGNING_KEY = 52,
  HIRENOW_POLICY_INVALID = 60,
  HIRENOW_TEMPLATE_INVALID = 61,
  HIRENOW_STORE_UNAVAILABLE = 70,
  HIRENOW_STORE_BUSY = 71,
  HIRENOW_STORE_FULL = 72,
  HIRENOW_STORE_READ_ONLY = 73,
  HIRENOW_STORE_CORRUPT = 74,
  HIRENOW_STORE_NOT_A_DATABASE = 75,
  HIRENOW_SCHEMA_TOO_NEW = 76,
  HIRENOW_SCHEMA_DAMAGED = 77,
  HIRENOW_CONSTRAINT_VIOLATED = 78,
  HIRENOW_STORE_OUTCOME_UNKNOWN = 79,
  HIRENOW_LEASE_LOST = 80,
  HIRENOW_AUDIT_BROKEN = 90,
  HIRENOW_INTERNAL = 100,
  HIRENOW_OUT_OF_MEMORY = 101,
  HIRENOW_FORKED = 102,
  HIRENOW_OPERATION_ABORTED = 103,
  HIRENOW_REENTRANT_CALL = 104
};

/* Where an interview stands. */
enum {
  HIRENOW_STATE_SCHEDULED = 0,
  HIRENOW_STATE_IN_PROGRESS = 1,
  HIRENOW_STATE_SUBMITTED = 2,
  HIRENOW_STATE_PASSED = 3,
  HIRENOW_STATE_FAILED = 4,
  HIRENOW_STATE_ON_HOLD = 5,
  HIRENOW_STATE_EXPIRED = 6,
  HIRENOW_STATE_CANCELLED = 7,
  HIRENOW_STATE_VOIDED = 8,
  HIRENOW_STATE_ARCHIVED = 9,
  HIRENOW_STATE_COUNT = 10,
  HIRENOW_STATE_NONE = -1
};

/* What came of an attempt. */
enum {
  HIRENOW_OUTCOME_PENDING = 0,
  HIRENOW_OUTCOME_PASSED = 1,
  HIRENOW_OUTCOME_FAILED = 2,
  HIRENOW_OUTCOME_ON_HOLD = 3,
  HIRENOW_OUTCOME_NO_SHOW = 4,
  HIRENOW_OUTCOME_INCOMPLETE = 5,
  HIRENOW_OUTCOME_CANCELLED = 6,
  HIRENOW_OUTCOME_WITHDRAWN = 7,
  HIRENOW_OUTCOME_VOIDED = 8
};

/* What a link is worth. */
enum {
  HIRENOW_VERDICT_INVALID = 0,
  HIRENOW_VERDICT_CANCELLED = 1,
  HIRENOW_VERDICT_SUPERSEDED_INTERVIEW = 2,
  HIRENOW_VERDICT_COMPLETED = 3,
  HIRENOW_VERDICT_SUPERSEDED_LINK = 4,
  HIRENOW_VERDICT_NOT_YET_VALID = 5,
  HIRENOW_VERDICT_EXPIRED = 6,
  HIRENOW_VERDICT_VALID = 7
};

/* What the clock does when the time for an answer has run out. */
enum { HIRENOW_OVERTIME_EXPIRE = 0, HIRENOW_OVERTIME_SUBMIT = 1 };

/* Roles of an actor; may be added up. */
enum { HIRENOW_ROLE_RECRUITER = 1, HIRENOW_ROLE_REVIEWER = 2, HIRENOW_ROLE_ADMIN = 4 };

/* What a fact is. */
enum {
  HIRENOW_FACT_EVENT = 0,
  HIRENOW_FACT_PERIOD = 1,
  HIRENOW_FACT_CREDENTIAL = 2,
  HIRENOW_FACT_PURCHASE = 3,
  HIRENOW_FACT_ATTRIBUTE = 4,
  HIRENOW_FACT_SCORE = 5
};

/* What a message is about. */
enum {
  HIRENOW_MESSAGE_INVITATION = 0,
  HIRENOW_MESSAGE_RETAKE_INVITATION = 1,
  HIRENOW_MESSAGE_REISSUED_LINK = 2,
  HIRENOW_MESSAGE_REMINDER = 3,
  HIRENOW_MESSAGE_DECISION_PASSED = 4,
  HIRENOW_MESSAGE_DECISION_FAILED = 5,
  HIRENOW_MESSAGE_DECISION_ON_HOLD = 6,
  HIRENOW_MESSAGE_CANCELLED = 7
};

/* Where a message stands. */
enum {
  HIRENOW_MESSAGE_STATE_QUEUED = 0,
  HIRENOW_MESSAGE_STATE_LEASED = 1,
  HIRENOW_MESSAGE_STATE_ACCEPTED = 2,
  HIRENOW_MESSAGE_STATE_WITHDRAWN = 3,
  HIRENOW_MESSAGE_STATE_DEAD = 4
};

/* Whether and when a change's message goes out. */
enum { HIRENOW_NOTIFY_DEFAULT = 0, HIRENOW_NOTIFY_NOW = 1, HIRENOW_NOTIFY_NOT_BEFORE = 2, HIRENOW_NOTIFY_NONE = 3 };

/* What a key signs with. */
enum { HIRENOW_KEY_HS256 = 0, HIRENOW_KEY_ED25519 = 1 };

/* What can happen to an interview. */
enum {
  HIRENOW_EVENT_SCHEDULE = 0,
  HIRENOW_EVENT_START = 1,
  HIRENOW_EVENT_RESUME = 2,
  HIRENOW_EVENT_SUBMIT = 3,
  HIRENOW_EVENT_EXPIRE = 4,
  HIRENOW_EVENT_REISSUE = 5,
  HIRENOW_EVENT_CANCEL = 6,
  HIRENOW_EVENT_WITHDRAW = 7,
  HIRENOW_EVENT_REQUEST_LINK = 8,
  HIRENOW_EVENT_PASS = 9,
  HIRENOW_EVENT_FAIL = 10,
  HIRENOW_EVENT_HOLD = 11,
  HIRENOW_EVENT_REOPEN = 12,
  HIRENOW_EVENT_VOID = 13,
  HIRENOW_EVENT_RETAKE = 14,
  HIRENOW_EVENT_ACCOMMODATE = 15,
  HIRENOW_EVENT_COUNT = 16
};

/* On whose authority an event happens: an actor with a role, the applicant's link or session, the engine itself. */
enum { HIRENOW_AUTHORITY_STAFF = 0, HIRENOW_AUTHORITY_TOKEN = 1, HIRENOW_AUTHORITY_CLOCK = 2 };

/* Handles. */
typedef struct hirenow_error hirenow_error;             /* what went wrong */
typedef struct hirenow_text hirenow_text;               /* text or bytes handed to the caller; wiped when freed */
typedef struct hirenow_keys hirenow_keys;               /* the keys that sign and verify links */
typedef struct hirenow_policy hirenow_policy;           /* a retake policy */
typedef struct hirenow_templates hirenow_templates;     /* message templates */
typedef struct hirenow_store hirenow_store;             /* where records live */
typedef struct hirenow_mailer hirenow_mailer;           /* how mail leaves */
typedef struct hirenow_mail_listener hirenow_mail_listener; /* hears of promised mail */
typedef struct hirenow_clock hirenow_clock;             /* where "now" comes from */
typedef struct hirenow_logger hirenow_logger;           /* who is told what a person should look at */
typedef struct hirenow_engine hirenow_engine;           /* all use cases */
typedef struct hirenow_dispatcher hirenow_dispatcher;   /* empties the outbox */
typedef struct hirenow_interview hirenow_interview;     /* an interview, and the link where a call gives one */
typedef struct hirenow_sitting hirenow_sitting;         /* what start and resume answer */
typedef struct hirenow_inspection hirenow_inspection;   /* what stands behind a link */
typedef struct hirenow_eligibility hirenow_eligibility; /* whether a further attempt is allowed, and why */
typedef struct hirenow_actions hirenow_actions;         /* what an actor may do now */
typedef struct hirenow_sweep_report hirenow_sweep_report; /* what a sweep did */
typedef struct hirenow_page hirenow_page;               /* a page of a dashboard */
typedef struct hirenow_person hirenow_person;           /* a person after a change */
typedef struct hirenow_rows hirenow_rows;               /* audit entries, messages, a history; what a store answers */
typedef struct hirenow_token hirenow_token;             /* a token that is genuine */
typedef struct hirenow_rendered hirenow_rendered;       /* the texts of a message */
typedef struct hirenow_audit_verifier hirenow_audit_verifier; /* follows a record's audit, entry by entry */
typedef struct hirenow_reply hirenow_reply;             /* takes what a callback answers */

/* ---- The library, its errors, its texts -------------------------------------------------------------------------- */

/* The version of the library, for example "0.1.0". Since: 0.1 */
HIRENOW_API const char *hirenow_version(void);
/* The name of a status, for example "not_found"; "unknown" for one that is not in the list. Since: 0.1 */
HIRENOW_API const char *hirenow_status_name(hirenow_status status);
/* The word of a state; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_state_name(int32_t state);
/* The word of an outcome; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_outcome_name(int32_t outcome);
/* The word of a verdict; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_verdict_name(int32_t verdict);
/* The status that a verdict is; HIRENOW_OK for valid, token_invalid for a number that is none. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_verdict_status(int32_t verdict);
/* The word of an event, for example "retake"; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_event_name(int32_t event);
/* The word of a kind of message, by which templates are named; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_message_kind_name(int32_t kind);
/* The word of a message's state; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_message_state_name(int32_t state);
/* The word of a kind of fact; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_fact_kind_name(int32_t kind);
/* The word of what came of a delivery; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_delivery_name(int32_t outcome);

/* Frees an error. Since: 0.1 */
HIRENOW_API void hirenow_error_free(hirenow_error *error);
/* The error's number: what the call returned. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_error_get_status(const hirenow_error *error);
/* A sentence for logs and developers; never holds a secret. Since: 0.1 */
HIRENOW_API const char *hirenow_error_get_message(const hirenow_error *error);
/* A finer code, for example "cooldown"; may be empty. Since: 0.1 */
HIRENOW_API const char *hirenow_error_get_reason(const hirenow_error *error);
/* With HIRENOW_SUPERSEDED: the id of the interview that took over; else empty. Since: 0.1 */
HIRENOW_API const char *hirenow_error_get_superseded_by(const hirenow_error *error);
/* With HIRENOW_NOT_ELIGIBLE: when it will be allowed, or HIRENOW_NONE. Since: 0.1 */
HIRENOW_API int64_t hirenow_error_get_eligible_at(const hirenow_error *error);

/* Wipes and frees a text. Since: 0.1 */
HIRENOW_API void hirenow_text_free(hirenow_text *text);
/* The bytes, with a NUL behind them. Since: 0.1 */
HIRENOW_API const char *hirenow_text_get(const hirenow_text *text);
/* How many bytes, without that NUL. Since: 0.1 */
HIRENOW_API size_t hirenow_text_get_size(const hirenow_text *text);

#ifdef __cplusplus
}
#endif

#endif
