/* What every function of the C interface survives: nothing at all, input that is none, calls from inside a callback,
 * and a fork. */

#include <sys/wait.h>

#include "c/world.h"

#include "c/absent_store.h"
#include "c/wrong_sizes.h"
#include "c/bad_input.h"
#include "c/old_program.h"

static void ask_again(struct world *w) {
  hirenow_page *page = NULL;
  w->meddled = hirenow_list(w->engine, NULL, &w->recruiter, &page, NULL);
  hirenow_page_free(page);
}

static hirenow_status load_and_ask(void *ctx, const hirenow_load_request *request, hirenow_reply *reply) {
  (void)request;
  ask_again(ctx);
  CHECK(hirenow_reply_add_message(reply, NULL) == HIRENOW_INVALID_ARGUMENT);
  return hirenow_reply_fail(reply, 1234, "of the host's own", "finer");
}

static void test_callbacks(struct world *w) {
  /* From the clock, on the calling thread; from the mailer, on a worker's. */
  hirenow_interview *found = NULL;
  w->meddle = ask_again;
  w->meddled = -1;
  IS(hirenow_find(w->engine, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->admin, &found, NULL), HIRENOW_NOT_FOUND);
  hirenow_page *page = NULL;
  IS(hirenow_list(w->engine, NULL, &w->admin, &page, NULL), HIRENOW_OK);
  hirenow_page_free(page);
  IS(w->meddled, HIRENOW_REENTRANT_CALL);
  hirenow_interview *i = schedule(w, "kim", "callbacks");
  w->meddled = -1;
  w->meddle = NULL;
  w->meddle = ask_again;
  IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 0, NULL, NULL), HIRENOW_OK);
  IS(w->meddled, HIRENOW_REENTRANT_CALL);
  hirenow_interview_free(i);
  /* Afterwards the thread may call again. */
  ask_again(w);
  IS(w->meddled, HIRENOW_OK);

  /* From a store; its own status and words come through. Another engine may be called. */
  hirenow_store *good = NULL, *store = NULL;
  IS(memory_store_open(&good, NULL, NULL), HIRENOW_OK);
  struct world inner;
  hirenow_store_callbacks c = HIRENOW_STORE_CALLBACKS_INIT;
  memset(&inner, 0, sizeof inner);
  inner.recruiter = w->recruiter;
  c.ctx = &inner;
  c.destroy = count_destroy;
  IS(hirenow_store_new(&c, &store, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(store == NULL && inner.destroyed == 0); /* not registered: not destroyed */
  fill_store_callbacks(&c);
  c.load = load_and_ask;
  IS(hirenow_store_new(&c, &store, NULL), HIRENOW_OK);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  IS(hirenow_engine_new(store, &options, &inner.engine, NULL), HIRENOW_OK);
  hirenow_store_free(store);
  hirenow_error *error = NULL;
  IS(hirenow_find(inner.engine, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->admin, &found, &error), 1234);
  CHECK(strcmp(hirenow_error_get_message(error), "of the host's own") == 0);
  hirenow_error_free(error);
  IS(inner.meddled, HIRENOW_REENTRANT_CALL);
  hirenow_engine *own = inner.engine;
  inner.engine = w->engine;
  IS(hirenow_find(own, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->admin, &found, NULL), 1234);
  IS(inner.meddled, HIRENOW_OK);
  CHECK(inner.destroyed == 0);
  hirenow_engine_free(own);
  CHECK(inner.destroyed == 1);
  hirenow_store_free(good);
}

static void test_fork(struct world *w) {
  hirenow_interview *i = schedule(w, "lea", "fork");
  hirenow_logger_callbacks callbacks = HIRENOW_LOGGER_CALLBACKS_INIT;
  callbacks.ctx = w;
  callbacks.warn = take_warning;
  callbacks.destroy = count_destroy;
  hirenow_logger *logger = NULL;
  IS(hirenow_logger_new(&callbacks, &logger, NULL), HIRENOW_OK);
  const pid_t child = fork();
  if (child == 0) {
    failures = 0;
    hirenow_interview *found = NULL;
    hirenow_error *error = NULL;
    hirenow_text *text = NULL;
    hirenow_sweep_report *swept = NULL;
    IS(hirenow_find(w->engine, hirenow_interview_get_id(i), &w->admin, &found, &error), HIRENOW_FORKED);
    CHECK(hirenow_error_get_status(error) == HIRENOW_FORKED);
    hirenow_error_free(error);
    IS(hirenow_sweep(w->engine, 0, &swept, NULL), HIRENOW_FORKED);
    IS(hirenow_keys_signing_kid(w->keys, &text, NULL), HIRENOW_FORKED);
    IS(hirenow_dispatcher_dispatch_due(w->dispatcher, 0, NULL, NULL), HIRENOW_FORKED);
    IS(hirenow_dispatcher_stop(w->dispatcher, NULL), HIRENOW_FORKED);
    IS(hirenow_dispatcher_wake(w->dispatcher, NULL), HIRENOW_FORKED);
    hirenow_dispatcher_options options = HIRENOW_DISPATCHER_OPTIONS_INIT;
    hirenow_dispatcher *dispatcher = NULL;
    options.sender_address = "x@example.com";
    IS(hirenow_dispatcher_new(w->engine, w->mailer, &options, &dispatcher, NULL), HIRENOW_FORKED);
    hirenow_engine_options with_clock = HIRENOW_ENGINE_OPTIONS_INIT;
    hirenow_engine *engine = NULL;
    hirenow_keys *keys = NULL;
    hirenow_text *document = NULL;
    hirenow_store *fresh = NULL;
    IS(hirenow_key_document_new(HIRENOW_KEY_HS256, "own", &document, NULL), HIRENOW_OK);
    IS(hirenow_keys_from_json(hirenow_text_get(document), &keys, NULL), HIRENOW_OK);
    IS(hirenow_store_open("memory:", NULL, &fresh, NULL), HIRENOW_OK);
    with_clock.keys = keys;
    with_clock.clock = w->clock; /* the parent's */
    IS(hirenow_engine_new(fresh, &with_clock, &engine, NULL), HIRENOW_FORKED);
    with_clock.clock = NULL;
    with_clock.logger = logger;
    IS(hirenow_engine_new(fresh, &with_clock, &engine, NULL), HIRENOW_FORKED);
    hirenow_logger_free(logger);
    hirenow_clock_free(w->clock);
    hirenow_store_free(fresh);
    hirenow_keys_free(keys);
    hirenow_text_free(document);
    hirenow_dispatcher_free(w->dispatcher);
    hirenow_engine_free(w->engine);
    hirenow_mailer_free(w->mailer);
    hirenow_keys_free(w->keys);
    CHECK(w->destroyed == 0); /* what is the parent's is left alone */
    /* What the child opens itself works. */
    struct world own;
    hirenow_store *store = NULL;
    IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
    open_world(&own, store);
    hirenow_store_free(store);
    hirenow_interview_free(schedule(&own, "mia", "fork"));
    close_world(&own);
    _exit(failures ? 1 : 0);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  hirenow_logger_free(logger);
  CHECK(w->destroyed == 1);
  w->destroyed = 0;
  hirenow_interview_free(i);
}

static void play(struct world *w) {
  test_bad_input(w);
  test_sizes(w);
  test_old_program(w);
  test_callbacks(w);
  test_fork(w);
}

int main(void) {
  for_every_store(play);
  return end_of_tests();
}
