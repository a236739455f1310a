#ifndef HIRENOW_C_API_H
#define HIRENOW_C_API_H
/* The C interface of hirenow: everything that the C++ engine does. adapters.h beside it extends the library from C.
 * docs/c_abi.md is the guide for whoever wraps it in another language.
 *
 * Status: every function that can fail returns a hirenow_status; 0 is success. Where its last argument is not NULL, a
 *   failure leaves a hirenow_error there, and success NULL. Outputs are NULL (or zero) after a failure.
 * Owns: what a function puts into a `hirenow_x **` is the caller's, and is given back with hirenow_x_free(), which takes
 *   NULL. What `_get_` returns is borrowed from its handle and lives as long as that. Handles share what they need: a
 *   store may be freed while an engine still works on it.
 * Text: NUL-terminated UTF-8; NULL is the empty text. Ids of interviews are 36 characters.
 * Structs: begin with struct_size; start from the _INIT macro. A field that is left zero means the default.
 * Instants: whole UTC seconds since 1970. What may be absent is HIRENOW_NONE in an answer, and 0 in a request.
 * Threads: an engine, a store, a mailer, keys and a dispatcher serve any thread, all calls at once; every other handle
 *   one thread at a time. Inside a callback a call of the same engine answers HIRENOW_REENTRANT_CALL. In the child of a
 *   fork each call on what the parent opened answers HIRENOW_FORKED, and its _free does nothing.
 * Accessors take NULL and answer NULL, 0 or HIRENOW_NONE.
 */

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

/* Handles. */
typedef struct hirenow_error hirenow_error;             /* what went wrong */
typedef struct hirenow_text hirenow_text;               /* text or bytes handed to the caller; wiped when freed */
typedef struct hirenow_keys hirenow_keys;               /* the keys that sign and verify links */
typedef struct hirenow_policy hirenow_policy;           /* a retake policy */
typedef struct hirenow_templates hirenow_templates;     /* message templates */
typedef struct hirenow_store hirenow_store;             /* where records live */
typedef struct hirenow_mailer hirenow_mailer;           /* how mail leaves */
typedef struct hirenow_clock hirenow_clock;             /* where "now" comes from */
typedef struct hirenow_logger hirenow_logger;           /* who is told what a person should look at */
typedef struct hirenow_engine hirenow_engine;           /* all use cases */
typedef struct hirenow_dispatcher hirenow_dispatcher;   /* empties the outbox */
typedef struct hirenow_interview hirenow_interview;     /* an interview, and the link where a call gives one */
typedef struct hirenow_sitting hirenow_sitting;         /* what start and resume answer */
typedef struct hirenow_inspection hirenow_inspection;   /* what stands behind a link */
typedef struct hirenow_eligibility hirenow_eligibility; /* whether a further attempt is allowed, and why */
typedef struct hirenow_actions hirenow_actions;         /* what an actor may do now */
typedef struct hirenow_page hirenow_page;               /* a page of a dashboard */

/* ---- The library, its errors, its texts ------------------------------------------------------------------------- */

/* The version of the library, for example "0.1.0". Since: 0.1 */
HIRENOW_API const char *hirenow_version(void);
/* The name of a status, for example "not_found"; "unknown" for one that is not in the list. Since: 0.1 */
HIRENOW_API const char *hirenow_status_name(hirenow_status status);
/* The word of a state, an outcome or a verdict; "unknown" for a number that is none. Since: 0.1 */
HIRENOW_API const char *hirenow_state_name(int32_t state);
HIRENOW_API const char *hirenow_outcome_name(int32_t outcome);
HIRENOW_API const char *hirenow_verdict_name(int32_t verdict);

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

/* ---- Keys, tokens, policies -------------------------------------------------------------------------------------- */

/* Makes a key document with one fresh key, which signs. Keep it in a file of mode 0600. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_key_document_new(int32_t algorithm, const char *kid, hirenow_text **out,
                                                    hirenow_error **error);
/* Reads keys from a JSON text, a file of mode 0600, or an environment variable.
 * Errors: key_invalid, key_file_exposed, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_from_json(const char *json, hirenow_keys **out, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_keys_from_file(const char *path, hirenow_keys **out, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_keys_from_environment(const char *variable, hirenow_keys **out,
                                                         hirenow_error **error);
HIRENOW_API void hirenow_keys_free(hirenow_keys *keys);
/* Reads the keys again, from where they came (json NULL) or from this text; engines that hold them follow. A document
 * that cannot be used leaves the old keys in force. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_reload(hirenow_keys *keys, const char *json, hirenow_error **error);
/* The id of the key that signs. Errors: no_signing_key. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_signing_kid(const hirenow_keys *keys, hirenow_text **out,
                                                    hirenow_error **error);
/* The public halves as a JWK set. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_public_jwks(const hirenow_keys *keys, hirenow_text **out,
                                                    hirenow_error **error);

/* What a token says. */
typedef struct hirenow_token_claims {
  size_t struct_size;
  const char *issuer;
  const char *audience;
  const char *subject;
  const char *tenant;
  const char *interview_id;
  uint32_t generation;
  uint32_t attempt;
  int64_t issued_at;
  int64_t not_before;
  int64_t expires_at;
} hirenow_token_claims;
#define HIRENOW_TOKEN_CLAIMS_INIT {sizeof(hirenow_token_claims), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0}

/* Makes a token. The same claims and key give the same token. Errors: key_invalid. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_token_mint(const hirenow_keys *keys, const char *kid,
                                              const hirenow_token_claims *claims, hirenow_text **out,
                                              hirenow_error **error);
/* Checks that a token is genuine; time and revocation are the engine's to judge. Answers its claims as a JSON object.
 * Errors: token_invalid with the precise reason. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_token_verify(const hirenow_keys *keys, const char *token, const char *issuer,
                                                const char *audience, hirenow_text **claims_json,
                                                hirenow_error **error);

/* Reads a policy document; NULL is the standard policy. Errors: policy_invalid, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_parse(const char *json, hirenow_policy **out, hirenow_error **error);
HIRENOW_API void hirenow_policy_free(hirenow_policy *policy);
/* The name its author gave this version of it. Since: 0.1 */
HIRENOW_API const char *hirenow_policy_get_version(const hirenow_policy *policy);
/* SHA-256 of the document, 64 hexadecimal digits. Since: 0.1 */
HIRENOW_API const char *hirenow_policy_get_hash(const hirenow_policy *policy);

/* One attempt, as a policy sees it. Never grows. */
typedef struct hirenow_attempt {
  char id[40];          /* 36 characters and NUL; may be empty */
  int64_t at;           /* the start; where there was none, start_by */
  int64_t decided_at;   /* or HIRENOW_NONE */
  int32_t outcome;
  int32_t has_score;
  double score;
} hirenow_attempt;
/* Holds attempts, in any order, against a policy; `schedule` is 0 for a retake, 1 for a fresh interview. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_evaluate(const hirenow_policy *policy, const hirenow_attempt *attempts,
                                                   size_t attempt_count, int64_t now, int32_t schedule,
                                                   hirenow_eligibility **out, hirenow_error **error);
/* Holds a case document against a policy: {"track", "now", "kind", "time_zone", "history", "facts", "waivers"} as
 * hirenow/retake_case.hpp describes it. Errors: invalid_argument, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_evaluate_case(const hirenow_policy *policy, const char *case_json,
                                                        hirenow_eligibility **out, hirenow_error **error);
/* Reads an ISO 8601 span as a policy has it: calendar months and, beside them, seconds. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_span_parse(const char *text, int32_t *months, int64_t *seconds,
                                              hirenow_error **error);

/* ---- Opening ------------------------------------------------------------------------------------------------------ */

/* How a store is opened. */
typedef struct hirenow_store_options {
  size_t struct_size;
  int32_t durability;               /* 0: a commit survives the loss of power; 1: the death of the process */
  int32_t readers;                  /* connections that read at the same time; 0: 4 */
  int64_t busy_timeout_milliseconds; /* 0: 10 seconds */
  int64_t checkpoint_bytes;         /* 0: 64 MiB */
  int64_t cache_kib;                /* of each connection; 0: 16 MiB */
  hirenow_logger *logger;           /* told of what endangers the file; NULL: nobody */
} hirenow_store_options;
#define HIRENOW_STORE_OPTIONS_INIT {sizeof(hirenow_store_options), 0, 0, 0, 0, 0, NULL}

/* Opens "sqlite:PATH" or "memory:". Options may be NULL.
 * Errors: invalid_argument for another URL, store_unavailable and its like, schema_too_new. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_open(const char *url, const hirenow_store_options *options,
                                              hirenow_store **out, hirenow_error **error);
HIRENOW_API void hirenow_store_free(hirenow_store *store);

/* A tenant's own base for links, and a row of the table of permissions. Never grow. */
typedef struct hirenow_link_base {
  const char *tenant;
  const char *link_base;
} hirenow_link_base;
typedef struct hirenow_permission {
  const char *use_case; /* its word, for example "retake" */
  uint32_t roles;       /* which may */
  int32_t token;        /* whether the applicant's token may */
  int32_t system;       /* whether the engine itself may */
} hirenow_permission;

/* What an engine is told once. */
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
/* Opens a store with its standard options, and makes an engine over it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_open(const char *url, const hirenow_engine_options *options, hirenow_engine **out,
                                        hirenow_error **error);
/* Frees an engine. No call on it may be under way. Since: 0.1 */
HIRENOW_API void hirenow_engine_free(hirenow_engine *engine);

/* ---- Requests ----------------------------------------------------------------------------------------------------- */

/* Who asks: the host's id for the person, roles that the host has checked, and the tenant. */
typedef struct hirenow_actor {
  size_t struct_size;
  const char *id;
  const char *tenant;
  uint32_t roles;
} hirenow_actor;
#define HIRENOW_ACTOR_INIT {sizeof(hirenow_actor), NULL, NULL, 0}

/* A person, by the host's own id. */
typedef struct hirenow_applicant {
  size_t struct_size;
  const char *id;
  const char *email;
  const char *name;
  const char *locale;
  const char *time_zone;
} hirenow_applicant;
#define HIRENOW_APPLICANT_INIT {sizeof(hirenow_applicant), NULL, NULL, NULL, NULL, NULL}

/* Plans an interview. */
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
} hirenow_schedule_request;
#define HIRENOW_SCHEDULE_REQUEST_INIT \
  {sizeof(hirenow_schedule_request), NULL, NULL, 0, 0, NULL, 0, 0, 0, 0, 0, 0, NULL}

/* Terms of a retake or a reissue; what is left zero is as before. A reissue heeds neither time limit, grace nor
 * overtime, and refuses them. */
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
} hirenow_retake_options;
#define HIRENOW_RETAKE_OPTIONS_INIT \
  {sizeof(hirenow_retake_options), 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL}

/* A change of an interview: decide, reopen, void, cancel, withdraw. */
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

/* What the applicant's page holds while it is open. The key is a secret of at least 16 random bytes, as text. */
typedef struct hirenow_session {
  size_t struct_size;
  const char *tenant;
  const char *interview_id;
  int64_t fence;
  const char *key;
} hirenow_session;
#define HIRENOW_SESSION_INIT {sizeof(hirenow_session), NULL, NULL, 0, NULL}

/* Something that a policy may ask about. */
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

/* Which interviews a dashboard shows. */
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

/* What names a message. Never grows. */
typedef struct hirenow_message_key {
  char interview_id[40]; /* 36 characters and NUL */
  int32_t kind;
  uint64_t occasion;
} hirenow_message_key;

/* Which messages to show. */
typedef struct hirenow_message_query {
  size_t struct_size;
  const char *interview_id;         /* NULL: all */
  int32_t state;                    /* -1: all */
  const hirenow_message_key *after; /* the last of the page before */
  size_t limit;                     /* 0: 50 */
} hirenow_message_query;
#define HIRENOW_MESSAGE_QUERY_INIT {sizeof(hirenow_message_query), NULL, -1, NULL, 0}

/* ---- Inviting ------------------------------------------------------------------------------------------------------ */

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
/* The holder of a dead link asks for the current one, which is mailed. Show the same page whatever comes of it; the
 * outputs, each of which may be NULL, are for the log. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_request_link(hirenow_engine *engine, const char *token, const char *idempotency_key,
                                                int32_t *queued, int32_t *noted, hirenow_error **error);
/* The current link of an interview. Errors: key_invalid where its key was retired. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_link_of(hirenow_engine *engine, const char *applicant_id, const char *interview_id,
                                           const hirenow_actor *who, hirenow_text **out, hirenow_error **error);

/* ---- The applicant's sitting ---------------------------------------------------------------------------------------- */

/* What stands behind a link. Changes nothing. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_inspect(hirenow_engine *engine, const char *token, hirenow_inspection **out,
                                           hirenow_error **error);
/* Starts the interview. Errors: the token's verdict, already_started. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_start(hirenow_engine *engine, const char *token, const char *session_key,
                                         hirenow_sitting **out, hirenow_error **error);
/* Goes on in a newer session. Errors: the token's verdict, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_resume(hirenow_engine *engine, const char *token, const char *session_key,
                                          hirenow_sitting **out, hirenow_error **error);
/* Saves progress, any bytes, whole. saved_at may be NULL. Errors: stale_session, deadline_passed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_checkpoint(hirenow_engine *engine, const hirenow_session *session,
                                              const void *progress, size_t size, int64_t *saved_at,
                                              hirenow_error **error);
/* Submits the interview, with the last progress unless it is NULL. Errors: stale_session, deadline_passed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_submit(hirenow_engine *engine, const hirenow_session *session, const void *progress,
                                          size_t size, const char *idempotency_key, hirenow_interview **out,
                                          hirenow_error **error);
/* The applicant withdraws. The change may be NULL. Errors: the token's verdict. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_withdraw(hirenow_engine *engine, const char *token, const hirenow_change *change,
                                            hirenow_interview **out, hirenow_error **error);

/* ---- Deciding ------------------------------------------------------------------------------------------------------- */

/* Decides, takes a decision back (needs a reason), voids (needs a reason code), cancels (the change may be NULL).
 * Errors: archived, invalid_transition. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_decide(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_reopen(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_void(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                        const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_cancel(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                          const hirenow_change *change, hirenow_interview **out, hirenow_error **error);
/* Replaces the applicant's person, records a fact. `replayed` may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_update_applicant(hirenow_engine *engine, const hirenow_applicant *person,
                                                    const hirenow_actor *who, const char *idempotency_key,
                                                    int32_t *replayed, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_record_fact(hirenow_engine *engine, const char *applicant_id,
                                               const hirenow_fact *fact, const hirenow_actor *who,
                                               const char *idempotency_key, int32_t *replayed, hirenow_error **error);
/* Sets the policy of the actor's tenant or of one track; an empty document takes it away. Errors: policy_invalid.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_set_policy(hirenow_engine *engine, const char *track, const char *document,
                                              const hirenow_actor *who, hirenow_error **error);
/* Queues a dead message again. Errors: invalid_transition where it is not dead. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_redrive(hirenow_engine *engine, const hirenow_message_key *key,
                                           const hirenow_actor *who, const char *idempotency_key,
                                           hirenow_error **error);
/* Erases a person; interviews and audit stay. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_erase_applicant(hirenow_engine *engine, const char *applicant_id,
                                                   const hirenow_actor *who, const char *idempotency_key,
                                                   hirenow_error **error);
/* Lets the clock do what is due on every record. limit 0: 10,000. The report is a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sweep(hirenow_engine *engine, size_t limit, hirenow_text **report_json,
                                         hirenow_error **error);

/* ---- Reading: interviews are shown as the clock would have them now -------------------------------------------------- */

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
/* Everything about one track of one applicant, as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_history(hirenow_engine *engine, const char *interview_id, const hirenow_actor *who,
                                           hirenow_text **out_json, hirenow_error **error);
/* The newest saved progress; NULL where none was saved. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_read_progress(hirenow_engine *engine, const char *interview_id,
                                                 const hirenow_actor *who, hirenow_text **out, int64_t *saved_at,
                                                 hirenow_error **error);
/* Audit entries after a sequence, as a JSON document. limit 0: 500. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_read_audit(hirenow_engine *engine, const char *applicant_id,
                                              const hirenow_actor *who, uint64_t after, size_t limit,
                                              hirenow_text **out_json, hirenow_error **error);
/* Verifies an applicant's whole audit. The outputs (entries; head, 32 bytes) may be NULL.
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
/* Messages of the actor's tenant, as a JSON document. The query may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_read_messages(hirenow_engine *engine, const hirenow_message_query *query,
                                                 const hirenow_actor *who, hirenow_text **out_json,
                                                 hirenow_error **error);

/* ---- Answers ---------------------------------------------------------------------------------------------------------- */

HIRENOW_API void hirenow_interview_free(hirenow_interview *interview);
HIRENOW_API const char *hirenow_interview_get_id(const hirenow_interview *interview);
HIRENOW_API const char *hirenow_interview_get_track(const hirenow_interview *interview);
HIRENOW_API uint32_t hirenow_interview_get_attempt(const hirenow_interview *interview);
HIRENOW_API int32_t hirenow_interview_get_state(const hirenow_interview *interview);
HIRENOW_API int32_t hirenow_interview_get_outcome(const hirenow_interview *interview);
HIRENOW_API int64_t hirenow_interview_get_start_by(const hirenow_interview *interview);
HIRENOW_API int64_t hirenow_interview_get_deadline(const hirenow_interview *interview);
/* The interview that this one retakes, or that took this one's place; empty where there is none. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_retake_of(const hirenow_interview *interview);
HIRENOW_API const char *hirenow_interview_get_superseded_by(const hirenow_interview *interview);
/* The link; empty where the call gives none, or where a replayed answer's link has been superseded. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_link(const hirenow_interview *interview);
/* 1 for the answer of an earlier call with the same idempotency key. Since: 0.1 */
HIRENOW_API int32_t hirenow_interview_get_replayed(const hirenow_interview *interview);
/* Of a retake's answer: the old interview; else NULL. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_interview_get_archived(const hirenow_interview *interview);
/* Everything about it but the link, as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_json(const hirenow_interview *interview, hirenow_text **out_json,
                                                  hirenow_error **error);

HIRENOW_API void hirenow_sitting_free(hirenow_sitting *sitting);
/* The session: fills the struct with texts that are borrowed from the sitting. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sitting_get_session(const hirenow_sitting *sitting, hirenow_session *session);
HIRENOW_API const hirenow_interview *hirenow_sitting_get_interview(const hirenow_sitting *sitting);
/* To the deadline, exact, never negative. Since: 0.1 */
HIRENOW_API int64_t hirenow_sitting_get_seconds_left(const hirenow_sitting *sitting);
/* The saved progress, NULL where there is none; and its size. Since: 0.1 */
HIRENOW_API const char *hirenow_sitting_get_progress(const hirenow_sitting *sitting);
HIRENOW_API size_t hirenow_sitting_get_progress_size(const hirenow_sitting *sitting);

HIRENOW_API void hirenow_inspection_free(hirenow_inspection *inspection);
HIRENOW_API int32_t hirenow_inspection_get_verdict(const hirenow_inspection *inspection);
/* Why the token is refused: for logs, not for the visitor. Since: 0.1 */
HIRENOW_API const char *hirenow_inspection_get_reason(const hirenow_inspection *inspection);
/* NULL for an invalid token. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_inspection_get_interview(const hirenow_inspection *inspection);
HIRENOW_API const char *hirenow_inspection_get_applicant_name(const hirenow_inspection *inspection);
HIRENOW_API const char *hirenow_inspection_get_locale(const hirenow_inspection *inspection);
HIRENOW_API const char *hirenow_inspection_get_time_zone(const hirenow_inspection *inspection);
/* To start_by or to the deadline, whichever counts; HIRENOW_NONE where neither does. Since: 0.1 */
HIRENOW_API int64_t hirenow_inspection_get_seconds_left(const hirenow_inspection *inspection);

HIRENOW_API void hirenow_eligibility_free(hirenow_eligibility *eligibility);
HIRENOW_API int32_t hirenow_eligibility_get_allowed(const hirenow_eligibility *eligibility);
/* "ok", or the deciding rule's reason. Since: 0.1 */
HIRENOW_API const char *hirenow_eligibility_get_reason(const hirenow_eligibility *eligibility);
HIRENOW_API int64_t hirenow_eligibility_get_eligible_at(const hirenow_eligibility *eligibility);
HIRENOW_API int64_t hirenow_eligibility_get_eligible_until(const hirenow_eligibility *eligibility);
/* The least that any rule leaves; HIRENOW_NONE where none limits it. Since: 0.1 */
HIRENOW_API int64_t hirenow_eligibility_get_attempts_left(const hirenow_eligibility *eligibility);
/* The answer as an English sentence, and with every rule's verdict as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_eligibility_describe(const hirenow_eligibility *eligibility, hirenow_text **out,
                                                        hirenow_error **error);
/* The same in a language: "en" or "de"; others are answered in English. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_eligibility_describe_in(const hirenow_eligibility *eligibility, const char *language,
                                                           hirenow_text **out, hirenow_error **error);
HIRENOW_API hirenow_status hirenow_eligibility_json(const hirenow_eligibility *eligibility, hirenow_text **out_json,
                                                    hirenow_error **error);

HIRENOW_API void hirenow_actions_free(hirenow_actions *actions);
HIRENOW_API size_t hirenow_actions_get_count(const hirenow_actions *actions);
/* The n-th action's event, for example "retake"; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_actions_get_event(const hirenow_actions *actions, size_t n);
HIRENOW_API int32_t hirenow_actions_get_allowed(const hirenow_actions *actions, size_t n);
/* Why not; HIRENOW_OK where it is allowed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_actions_get_status(const hirenow_actions *actions, size_t n);
HIRENOW_API hirenow_status hirenow_actions_json(const hirenow_actions *actions, hirenow_text **out_json,
                                                hirenow_error **error);

HIRENOW_API void hirenow_page_free(hirenow_page *page);
HIRENOW_API size_t hirenow_page_get_count(const hirenow_page *page);
/* Of the n-th row: the interview and whose it is; NULL beyond the end. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_page_get_interview(const hirenow_page *page, size_t n);
HIRENOW_API const char *hirenow_page_get_applicant_id(const hirenow_page *page, size_t n);
/* The next page's cursor; empty on the last page. Since: 0.1 */
HIRENOW_API const char *hirenow_page_get_next(const hirenow_page *page);
/* How many interviews are in this state; HIRENOW_NONE where counts were not asked for. Since: 0.1 */
HIRENOW_API int64_t hirenow_page_get_state_count(const hirenow_page *page, int32_t state);
HIRENOW_API hirenow_status hirenow_page_json(const hirenow_page *page, hirenow_text **out_json, hirenow_error **error);

/* ---- Mail --------------------------------------------------------------------------------------------------------------- */

/* Makes the default templates, every kind in English and German. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_templates_new(hirenow_templates **out, hirenow_error **error);
HIRENOW_API void hirenow_templates_free(hirenow_templates *templates);
/* Sets the Mustache sources of one kind in one locale; html may be NULL. Errors: template_invalid. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_templates_set(hirenow_templates *templates, int32_t kind, const char *locale,
                                                 const char *subject, const char *text, const char *html,
                                                 hirenow_error **error);

/* A mail server. */
typedef struct hirenow_smtp_options {
  size_t struct_size;
  const char *host;
  int32_t port;          /* 0: 587 */
  int32_t security;      /* 0: STARTTLS; 1: TLS from the first byte; 2: none */
  const char *ca_file;
  const char *username;
  const char *password;
  const char *helo_name;
  int64_t connect_timeout_milliseconds;      /* 0: 5 minutes */
  int64_t response_timeout_milliseconds;     /* 0: 5 minutes */
  int64_t final_answer_timeout_milliseconds; /* 0: 10 minutes */
} hirenow_smtp_options;
#define HIRENOW_SMTP_OPTIONS_INIT {sizeof(hirenow_smtp_options), NULL, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0}

/* Makes a mailer for a mail server. Connects when there is a first mail. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_mailer_open_smtp(const hirenow_smtp_options *options, hirenow_mailer **out,
                                                    hirenow_error **error);
HIRENOW_API void hirenow_mailer_free(hirenow_mailer *mailer);

/* Who a tenant's mail comes from. Never grows. */
typedef struct hirenow_sender {
  const char *tenant;
  const char *address;
  const char *name;
} hirenow_sender;

/* What became of a message. */
typedef struct hirenow_dispatch_event {
  size_t struct_size;
  const char *tenant;
  const char *applicant_id;
  hirenow_message_key key;
  int32_t state;      /* queued: it will be tried again, at next_try */
  const char *answer; /* the server's last words */
  int64_t next_try;
} hirenow_dispatch_event;

/* How a dispatcher is to work. */
typedef struct hirenow_dispatcher_options {
  size_t struct_size;
  const char *sender_address;    /* needed */
  const char *sender_name;
  const hirenow_sender *senders; /* by tenant, where it differs */
  size_t sender_count;
  const hirenow_templates *templates; /* copied; NULL: the default ones */
  uint32_t most_tries;           /* 0: 10 */
  uint32_t poll_milliseconds;    /* 0: 200 */
  int64_t first_backoff_seconds; /* 0: 30 */
  int64_t longest_backoff_seconds; /* 0: 6 hours */
  int64_t lease_seconds;         /* 0: 30 */
  int64_t renew_seconds;         /* 0: 10 */
  void *ctx;                     /* of the callbacks below; must outlive the dispatcher */
  /* Told of every answer once it is written down. */
  void (*on_event)(void *ctx, const hirenow_dispatch_event *event);
  /* The track for readers: writes at most `size` bytes with NUL, and returns the length as snprintf() does. Called from
   * worker threads, several at once. */
  size_t (*track_title)(void *ctx, const char *tenant, const char *track, char *title, size_t size);
} hirenow_dispatcher_options;
#define HIRENOW_DISPATCHER_OPTIONS_INIT \
  {sizeof(hirenow_dispatcher_options), NULL, NULL, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL}

/* How a run went. */
typedef struct hirenow_dispatch_report {
  size_t struct_size;
  uint64_t accepted, retried, dead, withdrawn, released, lost, store_errors;
} hirenow_dispatch_report;
#define HIRENOW_DISPATCH_REPORT_INIT {sizeof(hirenow_dispatch_report), 0, 0, 0, 0, 0, 0, 0}

/* Makes a dispatcher, which keeps engine and mailer alive. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_new(const hirenow_engine *engine, const hirenow_mailer *mailer,
                                                  const hirenow_dispatcher_options *options, hirenow_dispatcher **out,
                                                  hirenow_error **error);
/* Frees a dispatcher. No run may be under way. Since: 0.1 */
HIRENOW_API void hirenow_dispatcher_free(hirenow_dispatcher *dispatcher);
/* Sends what is due now, at most `limit` (0: 1000) messages. The report may be NULL. One run at a time: another answers
 * reentrant_call. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_run_once(hirenow_dispatcher *dispatcher, size_t limit,
                                                       hirenow_dispatch_report *report, hirenow_error **error);
/* Sends until hirenow_dispatcher_stop(), with so many workers (1 to 256). Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_run(hirenow_dispatcher *dispatcher, size_t workers,
                                                  hirenow_dispatch_report *report, hirenow_error **error);
/* Ends a run, now and for ever: what is being sent is finished, the rest given back. Any thread. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_stop(hirenow_dispatcher *dispatcher);
/* Makes a running dispatcher look at once instead of at its next poll. Any thread. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_wake(hirenow_dispatcher *dispatcher);

#ifdef __cplusplus
}
#endif

#endif
