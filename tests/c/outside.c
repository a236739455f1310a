/* Every function of the library where it may not be called: from inside a callback of the engine that it asks, and in
 * the child of a fork. Each answers with a code, nothing has changed, and the engine goes on. */

#include <sys/wait.h>

#include "every_call_table.h"

static size_t which;
static hirenow_status answered;
static hirenow_error *because;

static void call_it(struct world *w) { answered = cases[which].make(w, &because); }

/* What was answered, and whether it was what is due. */
static int is_due(const char *where, hirenow_status due) {
  const int agreed = (answered == HIRENOW_OK) == (because == NULL);
  hirenow_error_free(because);
  because = NULL;
  if (answered == due && agreed) return 1;
  ++failures;
  fprintf(stderr, "%s %s: %s, not %s%s\n", cases[which].name, where, hirenow_status_name(answered),
          hirenow_status_name(due), agreed ? "" : ", and the error does not agree");
  return 0;
}

/* The call inside the engine's clock, which another call has asked for the time. Then the same call by itself. */
static void inside_a_callback(const char *url) {
  struct world w;
  begin(&w, which, url);
  int64_t now = 0;
  w.meddle = call_it;
  answered = -1;
  MUST(hirenow_engine_now(w.engine, &now, NULL));
  const int alone = (cases[which].flags & ALONE) != 0;
  is_due("inside a callback", alone ? HIRENOW_OK : HIRENOW_REENTRANT_CALL);
  if (!alone) {
    call_it(&w);
    is_due("after it", HIRENOW_OK);
  }
  close_world(&w);
  remove_file();
}

static void after_a_fork(const char *url) {
  struct world w;
  begin(&w, which, url);
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60); /* a call that waits for what the parent holds would wait for ever */
    call_it(&w);
    _exit(is_due("after a fork", (cases[which].flags & FREE) == FREE ? HIRENOW_OK : HIRENOW_FORKED) ? 0 : 1);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    ++failures;
    fprintf(stderr, "%s: the child ended with %d\n", cases[which].name, status);
  }
  call_it(&w);
  is_due("in the parent, after a fork", HIRENOW_OK);
  close_world(&w);
  remove_file();
}

/* A fork takes long where memory has a shadow: there each function has its fork over one store, in turn. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FORKS_OVER(u) (which % 3 == (size_t)(u))
#endif
#endif
#ifndef FORKS_OVER
#define FORKS_OVER(u) 1
#endif

int main(void) {
  name_sqlite_file();
  const char *const urls[] = {"memory:", NULL, sqlite_url};
  const size_t count = sizeof cases / sizeof cases[0];
  for (int u = 0; u < 3; ++u)
    for (which = 0; which < count; ++which) {
      inside_a_callback(urls[u]);
      if (FORKS_OVER(u)) after_a_fork(urls[u]);
    }
  printf("%d functions over 3 stores, %d faults\n", (int)count, failures);
  return failures != 0;
}
