#ifndef HIRENOW_C_MAIL_H
#define HIRENOW_C_MAIL_H
/* Templates, mailers, and the dispatcher that empties the outbox. */

#include "hirenow/c/requests.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the default templates, every kind in English and German. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_templates_new(hirenow_templates **out, hirenow_error **error);
/* Frees templates; a dispatcher has copied them. Since: 0.1 */
HIRENOW_API void hirenow_templates_free(hirenow_templates *templates);
/* Sets the Mustache sources of one kind in one locale; html may be NULL. Errors: template_invalid. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_templates_set(hirenow_templates *templates, int32_t kind, const char *locale,
                                                 const char *subject, const char *text, const char *html,
                                                 hirenow_error **error);

/* What a message speaks of. Instants are given as they are: the template's language and the time zone are seen to when
 * it is rendered. Since: 0.1 */
typedef struct hirenow_message_view {
  size_t struct_size;
  const char *applicant_name;
  const char *time_zone; /* IANA name; empty or unknown means UTC */
  const char *company_name;
  const char *track;
  const char *track_title; /* the track for a reader; empty: its id */
  const char *link;        /* needed by the kinds that carry one */
  uint32_t attempt;        /* 0: 1 */
  int64_t opens_at;        /* where the link is not valid at once; HIRENOW_NONE or 0: none */
  int64_t start_by;
  int64_t deadline;        /* once started; HIRENOW_NONE or 0: none */
  int64_t time_limit_seconds; /* from a start on; where an outer limit cuts it, what whoever starts soonest has */
  int64_t ends_by; /* before the start, where whoever starts late has less: until then at most; HIRENOW_NONE or 0: none */
} hirenow_message_view;
#define HIRENOW_MESSAGE_VIEW_INIT \
  {sizeof(hirenow_message_view), NULL, NULL, NULL, NULL, NULL, NULL, 0, HIRENOW_NONE, 0, HIRENOW_NONE, 0, HIRENOW_NONE}

/* Renders a message in the nearest locale that has a template.
 * Errors: invalid_argument for a value that is not UTF-8, or a missing link. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_templates_render(const hirenow_templates *templates, int32_t kind,
                                                    const char *locale, const hirenow_message_view *view,
                                                    hirenow_rendered **out, hirenow_error **error);
/* The language that a message of this kind is rendered in for somebody of this locale: lower case, "de" or "pt-br".
 * Errors: invalid_argument. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_templates_language_of(const hirenow_templates *templates, int32_t kind,
                                                         const char *locale, hirenow_text **out,
                                                         hirenow_error **error);
/* Frees the texts of a message. Since: 0.1 */
HIRENOW_API void hirenow_rendered_free(hirenow_rendered *rendered);
/* The subject: one line, no control characters. Since: 0.1 */
HIRENOW_API const char *hirenow_rendered_get_subject(const hirenow_rendered *rendered);
/* The text; lines end in "\n". Since: 0.1 */
HIRENOW_API const char *hirenow_rendered_get_text(const hirenow_rendered *rendered);
/* The HTML part; may be empty. Since: 0.1 */
HIRENOW_API const char *hirenow_rendered_get_html(const hirenow_rendered *rendered);
/* The locale of the template that was used. Since: 0.1 */
HIRENOW_API const char *hirenow_rendered_get_language(const hirenow_rendered *rendered);
/* Whether messages of this kind carry a link, and so must never be sent once it is dead. Since: 0.1 */
HIRENOW_API int32_t hirenow_message_carries_link(int32_t kind);
/* The Message-ID of a message, without brackets, at the sender's domain. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_message_id(const hirenow_message_key *key, const char *domain, hirenow_text **out,
                                              hirenow_error **error);

/* A rendered mail. Since: 0.1 */
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
#define HIRENOW_MAIL_INIT {sizeof(hirenow_mail), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL}

/* What came of a delivery. */
enum {
  HIRENOW_DELIVERY_ACCEPTED = 0,
  HIRENOW_DELIVERY_TEMPORARY = 1, /* try again later */
  HIRENOW_DELIVERY_PERMANENT = 2, /* trying again is no use */
  HIRENOW_DELIVERY_AMBIGUOUS = 3  /* it may have been taken */
};

/* How the connection to a mail server is protected: TLS after STARTTLS or no mail at all, TLS from the first byte, or
 * not at all. */
enum { HIRENOW_SMTP_STARTTLS = 0, HIRENOW_SMTP_IMPLICIT_TLS = 1, HIRENOW_SMTP_PLAINTEXT = 2 };

/* A mail server. Since: 0.1 */
typedef struct hirenow_smtp_options {
  size_t struct_size;
  const char *host;
  int32_t port;          /* 0: 587 */
  int32_t security;      /* HIRENOW_SMTP */
  const char *ca_file;
  const char *username;
  const char *password;
  const char *helo_name;
  int64_t connect_timeout_milliseconds;      /* 0: 5 minutes */
  int64_t response_timeout_milliseconds;     /* 0: 5 minutes */
  int64_t final_answer_timeout_milliseconds; /* 0: 10 minutes */
  uint32_t max_idle_connections; /* kept open between calls; 0: 8 */
  int64_t max_idle_seconds;      /* an older idle connection is not used again; 0: 100 */
  const hirenow_clock *clock;    /* for the Date header; NULL: the machine's */
} hirenow_smtp_options;
#define HIRENOW_SMTP_OPTIONS_INIT \
  {sizeof(hirenow_smtp_options), NULL, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL}

/* Makes a mailer for a mail server. Connects when there is a first mail. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_mailer_open_smtp(const hirenow_smtp_options *options, hirenow_mailer **out,
                                                    hirenow_error **error);
/* Frees a mailer; a dispatcher over it keeps it. Since: 0.1 */
HIRENOW_API void hirenow_mailer_free(hirenow_mailer *mailer);
/* Sends one mail, now. What came of it is `*outcome`, the server's reply code (0 where there was none) and its last
 * words; the last two may be NULL. Success means that the outcome is known, whatever it is. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_mailer_send(hirenow_mailer *mailer, const hirenow_mail *mail, int32_t *outcome,
                                               int32_t *code, hirenow_text **answer, hirenow_error **error);
/* How many seconds to wait after so many tries: `first` doubled with each, up to `longest`, and of that a random half
 * to whole; `chance` lies in [0, 1). 0: the dispatcher's defaults, 30 seconds and 6 hours. Since: 0.1 */
HIRENOW_API int64_t hirenow_backoff_after(uint32_t tries, double chance, int64_t first, int64_t longest);

/* Who a tenant's mail comes from. Never grows. Since: 0.1 */
typedef struct hirenow_sender {
  const char *tenant;
  const char *address;
  const char *name;
} hirenow_sender;

/* What a dispatcher tells of: what became of a message, or a call that the store failed. `outcome` is the word under which
 * it is counted: "accepted", "retried", "dead", "withdrawn", "released", "lost", "put_off"; or "store_error", which is no
 * message's: `answer` has the error's code and words. Since: 0.1 */
typedef struct hirenow_dispatch_event {
  size_t struct_size;
  const char *tenant;
  const char *applicant_id;
  hirenow_message_key key;
  int32_t state;      /* queued: it will be tried again, at next_try */
  const char *answer; /* the server's last words */
  int64_t next_try;
  const char *outcome;
} hirenow_dispatch_event;
#define HIRENOW_DISPATCH_EVENT_INIT \
  {sizeof(hirenow_dispatch_event), NULL, NULL, {"", 0, 0}, 0, NULL, HIRENOW_NONE, NULL}

/* How a dispatcher is to work. Since: 0.1 */
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
  void *ctx;                     /* of the callbacks below */
  /* Told of all that the dispatcher counts, of an answer once it is written down. */
  void (*on_event)(void *ctx, const hirenow_dispatch_event *event);
  /* The track for readers, in the language of the message: that of its template, or the applicant's locale where
   * `render` is set. Writes at most `size` bytes with NUL, and returns the length as snprintf() does; where that did not
   * fit it is asked again, with room for 16 KiB at most. Called from worker threads, several at once. */
  size_t (*track_title)(void *ctx, const char *tenant, const char *track, const char *locale, char *title, size_t size);
  /* Renders instead of the templates, and answers with hirenow_reply_set_rendered(). A status other than 0 is a
   * temporary failure. Called from worker threads, several at once. */
  hirenow_status (*render)(void *ctx, int32_t kind, const char *locale, const hirenow_message_view *view,
                           hirenow_reply *reply);
  void (*destroy)(void *ctx); /* runs once, when the dispatcher is gone, and only if it was made; may be NULL */
  /* So many mails a minute may leave, and so many of one tenant, through all dispatchers of a store that counts; what a
   * tenant has more is put off to when it may go. 0: as many as can. */
  uint32_t most_per_minute;
  uint32_t most_per_minute_of_tenant;
} hirenow_dispatcher_options;
#define HIRENOW_DISPATCHER_OPTIONS_INIT \
  {sizeof(hirenow_dispatcher_options), NULL, NULL, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, 0}
/* In render: the texts of the message; html and language may be empty. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_rendered(hirenow_reply *reply, const char *subject, const char *text,
                                                      const char *html, const char *language);

/* How a run went. Since: 0.1 */
typedef struct hirenow_dispatch_report {
  size_t struct_size;
  uint64_t accepted, retried, dead, withdrawn, released, lost, store_errors;
  uint64_t put_off; /* given back untried, because a limit of the rate did not let them go yet */
} hirenow_dispatch_report;
#define HIRENOW_DISPATCH_REPORT_INIT {sizeof(hirenow_dispatch_report), 0, 0, 0, 0, 0, 0, 0, 0}

/* Makes a dispatcher, which keeps engine and mailer alive. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_new(const hirenow_engine *engine, const hirenow_mailer *mailer,
                                                  const hirenow_dispatcher_options *options, hirenow_dispatcher **out,
                                                  hirenow_error **error);
/* Frees a dispatcher. No run may be under way. Since: 0.1 */
HIRENOW_API void hirenow_dispatcher_free(hirenow_dispatcher *dispatcher);
/* Sends what is due now, at most `limit` (0: 1000) messages, and returns when all of it is settled: a plain call for a
 * host that has workers of its own. Calls that overlap share the work and double nothing. The report may be NULL.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_dispatch_due(hirenow_dispatcher *dispatcher, size_t limit,
                                                           hirenow_dispatch_report *report, hirenow_error **error);
/* Sends until hirenow_dispatcher_stop(), with so many workers (1 to 256). The report may be NULL. One such run at a
 * time: another answers reentrant_call. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_run(hirenow_dispatcher *dispatcher, size_t workers,
                                                  hirenow_dispatch_report *report, hirenow_error **error);
/* Ends a run, now and for ever: what is being sent is finished, the rest given back. Any thread. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_stop(hirenow_dispatcher *dispatcher, hirenow_error **error);
/* Makes a running dispatcher look at once instead of at its next poll. Any thread. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_wake(hirenow_dispatcher *dispatcher, hirenow_error **error);
/* Calls `wake` when a PostgreSQL store with `announces_mail` has promised some, and once when it begins to listen, from
 * then on at every new beginning: then mail leaves within milliseconds. What is said while nobody listens is lost, so a
 * dispatcher polls all the same. `url` is the store's; a NULL schema is "hirenow". It answers before there is a
 * connection, which is its own and made anew where it broke. `wake` is called on the listener's thread; it may call
 * hirenow_dispatcher_wake(), and must not free the listener. Errors: invalid_argument. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_listen_for_mail(const char *url, const char *schema, void (*wake)(void *ctx),
                                                   void *ctx, hirenow_mail_listener **out, hirenow_error **error);
/* Ends it; `wake` is not called any more when this returns. Since: 0.1 */
HIRENOW_API void hirenow_mail_listener_free(hirenow_mail_listener *listener);
/* What this dispatcher has done since it was made, and how the outbox stands, now, for all of them. Either place may be
 * NULL; *counts, which may be NULL too, is 0 where the store does not count. Any thread, while it runs too. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_stats(hirenow_dispatcher *dispatcher, hirenow_dispatch_report *sent,
                                                    hirenow_outbox_figures *outbox, int32_t *counts,
                                                    hirenow_error **error);
/* The same as Prometheus reads it, in its text format 0.0.4. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_dispatcher_prometheus_text(hirenow_dispatcher *dispatcher, hirenow_text **out,
                                                              hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
