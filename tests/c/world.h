#ifndef HIRENOW_TESTS_C_WORLD_H
#define HIRENOW_TESTS_C_WORLD_H
/* What the tests of the C interface share: checks, and a world with a clock, keys, an engine, a mailer and a
 * dispatcher. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "c/memory_store.h"

static int failures, checks;

#define CHECK(condition) \
  (++checks, (condition) ? (void)0 : (++failures, (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition)))
#define IS(call, expected) is((call), (expected), #call, __LINE__)

static inline void is(hirenow_status got, hirenow_status expected, const char *call, int line) {
  ++checks;
  if (got == expected) return;
  ++failures;
  fprintf(stderr, "%s:%d: %s is %s (%d), not %s\n", __FILE__, line, call, hirenow_status_name(got), (int)got,
          hirenow_status_name(expected));
}

static inline int has(const hirenow_text *text, const char *part) {
  return text && strstr(hirenow_text_get(text), part) != NULL;
}

static inline const char *token_of(const char *link) {
  const char *mark = link ? strchr(link, '#') : NULL;
  return mark ? mark + 1 : "";
}

/* ---- A world: clock, keys, store, engine, mailer, dispatcher ----------------------------------------------------- */

static const int64_t start = 1772442000; /* 2026-03-02T09:00:00Z */
static const int64_t day = 86400;

struct world {
  int64_t now;
  hirenow_engine *engine;
  hirenow_dispatcher *dispatcher;
  hirenow_clock *clock;
  hirenow_keys *keys;
  hirenow_mailer *mailer;
  hirenow_actor admin, recruiter, nobody;
  int32_t outcome; /* of the next delivery */
  int mails, events, warnings, destroyed;
  char text[8192];
  /* What a callback does beside its work. */
  void (*meddle)(struct world *w);
  hirenow_status meddled;
};

static inline void meddle(struct world *w) {
  void (*with)(struct world *) = w->meddle;
  w->meddle = NULL;
  if (with) with(w);
}

static int64_t tell_time(void *ctx) {
  struct world *w = ctx;
  meddle(w);
  return w->now;
}
static inline hirenow_status take_mail(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  struct world *w = ctx;
  ++w->mails;
  snprintf(w->text, sizeof w->text, "%s\n%s", mail->subject, mail->text);
  meddle(w);
  *outcome = w->outcome;
  return hirenow_reply_set_delivery(reply, w->outcome ? 550 : 250, "answered");
}
static inline void take_event(void *ctx, const hirenow_dispatch_event *event) {
  struct world *w = ctx;
  const int is_accepted = strcmp(event->outcome, "accepted") == 0;
  CHECK(event->struct_size == sizeof *event && event->outcome[0] != '\0');
  CHECK((event->state == HIRENOW_MESSAGE_STATE_ACCEPTED) == is_accepted);
  CHECK(!is_accepted || strcmp(event->answer, "answered") == 0);
  if (is_accepted) __atomic_fetch_add(&w->events, 1, __ATOMIC_SEQ_CST);
}
static inline void take_warning(void *ctx, const char *message) {
  struct world *w = ctx;
  w->warnings += message[0] != '\0';
}
static inline void count_destroy(void *ctx) { ++((struct world *)ctx)->destroyed; }

static inline hirenow_actor actor(const char *id, uint32_t roles) {
  hirenow_actor a = HIRENOW_ACTOR_INIT;
  a.id = id;
  a.tenant = "acme";
  a.roles = roles;
  return a;
}

static inline void open_world(struct world *w, hirenow_store *store) {
  memset(w, 0, sizeof *w);
  w->now = start;
  w->admin = actor("anna", HIRENOW_ROLE_ADMIN);
  w->recruiter = actor("rosa", HIRENOW_ROLE_RECRUITER);
  w->nobody = actor("nemo", 0);
  hirenow_clock_callbacks clock = HIRENOW_CLOCK_CALLBACKS_INIT;
  clock.ctx = w;
  clock.now = tell_time;
  clock.destroy = count_destroy;
  IS(hirenow_clock_new(&clock, &w->clock, NULL), HIRENOW_OK);
  hirenow_text *document;
  IS(hirenow_key_document_new(HIRENOW_KEY_HS256, "k1", &document, NULL), HIRENOW_OK);
  IS(hirenow_keys_from_json(hirenow_text_get(document), &w->keys, NULL), HIRENOW_OK);
  hirenow_text_free(document);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  options.clock = w->clock;
  options.link_base = "https://example.com/i";
  IS(hirenow_engine_new(store, &options, &w->engine, NULL), HIRENOW_OK);
  hirenow_mailer_callbacks mailer = HIRENOW_MAILER_CALLBACKS_INIT;
  mailer.ctx = w;
  mailer.send = take_mail;
  mailer.destroy = count_destroy;
  IS(hirenow_mailer_new(&mailer, &w->mailer, NULL), HIRENOW_OK);
  hirenow_dispatcher_options dispatching = HIRENOW_DISPATCHER_OPTIONS_INIT;
  dispatching.sender_address = "jobs@example.com";
  dispatching.ctx = w;
  dispatching.on_event = take_event;
  IS(hirenow_dispatcher_new(w->engine, w->mailer, &dispatching, &w->dispatcher, NULL), HIRENOW_OK);
}

static inline void close_world(struct world *w) {
  /* In an order that shows that handles keep what they need. */
  hirenow_clock_free(w->clock);
  hirenow_keys_free(w->keys);
  hirenow_mailer_free(w->mailer);
  hirenow_engine_free(w->engine);
  CHECK(w->destroyed == 0);
  IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 0, NULL, NULL), HIRENOW_OK);
  hirenow_dispatcher_free(w->dispatcher);
  CHECK(w->destroyed == 2);
}

static inline hirenow_interview *schedule(struct world *w, const char *person, const char *track) {
  hirenow_applicant a = HIRENOW_APPLICANT_INIT;
  a.id = person;
  a.email = "someone@example.com";
  a.name = "J\xc3\xb6rg";
  const int64_t reminders[] = {3600, 60};
  hirenow_schedule_request r = HIRENOW_SCHEDULE_REQUEST_INIT;
  r.applicant = &a;
  r.track = track;
  r.reminder_seconds = reminders;
  r.reminder_count = 2;
  r.grace_seconds = 30;
  hirenow_interview *out = NULL;
  hirenow_error *error;
  IS(hirenow_schedule(w->engine, &r, &w->recruiter, &out, &error), HIRENOW_OK);
  hirenow_error_free(error);
  return out;
}

static inline hirenow_interview *sit_and_submit(struct world *w, const char *person, const char *track) {
  hirenow_interview *i = schedule(w, person, track), *submitted = NULL;
  hirenow_sitting *s = NULL;
  IS(hirenow_start(w->engine, token_of(hirenow_interview_get_link(i)), "a key of sixteen bytes", 0, &s, NULL), HIRENOW_OK);
  hirenow_session session = HIRENOW_SESSION_INIT;
  IS(hirenow_sitting_get_session(s, &session, NULL), HIRENOW_OK);
  IS(hirenow_submit(w->engine, &session, "a\0b", 3, NULL, &submitted, NULL), HIRENOW_OK);
  CHECK(hirenow_interview_get_state(submitted) == HIRENOW_STATE_SUBMITTED);
  hirenow_interview_free(submitted);
  hirenow_sitting_free(s);
  return i;
}

/* Plays in a fresh world over each store: one in C, the one in memory, and SQLite. */
static inline void for_every_store(void (*play)(struct world *w)) {
  char file[256];
  snprintf(file, sizeof file, "sqlite:/tmp/hirenow-c-test-%ld.db", (long)getpid());
  for (int which = 0; which < 3; ++which) {
    struct world w;
    hirenow_store *store = NULL;
    int destroyed = 0;
    hirenow_logger_callbacks callbacks = HIRENOW_LOGGER_CALLBACKS_INIT;
    callbacks.ctx = &w;
    callbacks.warn = take_warning;
    hirenow_logger *logger = NULL;
    IS(hirenow_logger_new(&callbacks, &logger, NULL), HIRENOW_OK);
    hirenow_store_options options = HIRENOW_STORE_OPTIONS_INIT;
    options.logger = logger;
    if (which == 0) IS(memory_store_open(&store, &destroyed, NULL), HIRENOW_OK);
    if (which == 1) IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
    if (which == 2) IS(hirenow_store_open(file, &options, &store, NULL), HIRENOW_OK);
    hirenow_logger_free(logger);
    open_world(&w, store);
    hirenow_store_free(store);
    play(&w);
    close_world(&w);
    CHECK(destroyed == (which == 0));
  }
  static const char *const parts[] = {"", "-wal", "-shm", "-hirenow-lock"};
  for (size_t n = 0; n < 4; ++n) {
    char name[300];
    snprintf(name, sizeof name, "%s%s", file + strlen("sqlite:"), parts[n]);
    unlink(name);
  }
}

static inline int end_of_tests(void) {
  printf("%d checks, %d failed\n", checks, failures);
  return failures ? 1 : 0;
}

#endif
