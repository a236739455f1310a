#ifndef HIRENOW_C_MAIL_H
#define HIRENOW_C_MAIL_H
/* Templates, mailers, and the dispatcher that empties the outbox. */

#include "hirenow/c/requests.h"

#ifdef __cplusplus
extern "C" {
#endif

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
