/* Memory runs out at each allocation in turn, inside every function of the library. Each time the call must answer with
 * a code, the records must stand as they did, and nothing may be lost. An interposed malloc() fails the n-th allocation
 * that the calling thread makes; n = 1, 2, 3, … until the call succeeds. The argument says over which store: "memory",
 * "c" for the one that is written in C, or "sqlite". */

#include "failing_malloc.h"

#include "every_call_table.h"

static hirenow_text *document_of(hirenow_rows *rows) {
  hirenow_text *text = NULL;
  MUST(hirenow_rows_json(rows, &text, NULL));
  hirenow_rows_free(rows);
  return text;
}

/* Where everything stands, as text. */
static char *dump(struct world *w) {
  hirenow_text *parts[4] = {NULL, NULL, NULL, NULL};
  hirenow_page *page = NULL;
  hirenow_rows *rows = NULL;
  MUST(hirenow_history(w->engine, w->id, &w->admin, &rows, NULL));
  parts[0] = document_of(rows);
  MUST(hirenow_read_audit(w->engine, "case", &w->admin, 0, 0, &rows, NULL));
  parts[1] = document_of(rows);
  MUST(hirenow_read_messages(w->engine, NULL, &w->admin, &rows, NULL));
  parts[2] = document_of(rows);
  MUST(hirenow_list(w->engine, NULL, &w->admin, &page, NULL));
  MUST(hirenow_page_json(page, &parts[3], NULL));
  hirenow_page_free(page);
  size_t size = 1;
  for (int n = 0; n < 4; ++n) size += hirenow_text_get_size(parts[n]);
  char *all = calloc(size, 1);
  for (int n = 0; n < 4; ++n) {
    strcat(all, hirenow_text_get(parts[n]));
    hirenow_text_free(parts[n]);
  }
  return all;
}

/* What all failed calls together have gained. A key keeps its MAC for the next call; a failure may drop that and a
 * later one make it anew, so one call alone may gain. Together they may not: what is lost is never given back. SQLite
 * keeps pages and statements while it is open. When all is closed, nothing may be left over any store. */
static long gained;
static long tried;

static void complain(size_t which, const char *url, long n, const char *what) {
  ++failures;
  fprintf(stderr, "%s, %s, allocation %ld: %s\n", cases[which].name, url ? url : "the store in C", n, what);
}

/* Makes the call with its n-th allocation failing. Returns its status. */
static hirenow_status make_failing(struct world *w, size_t which, const char *url, long n) {
  const long live_before = __atomic_load_n(&live, __ATOMIC_RELAXED);
  const int flags = cases[which].flags & ~FREE;
  hirenow_error *error = NULL;
  failed = 0;
  until_failure = n;
  const hirenow_status status = cases[which].make(w, &error);
  until_failure = 0;
  /* The store in C fails by itself before it asks the library. */
  if ((status == HIRENOW_OK) != (error == NULL) && !(cases[which].make == c_own_store && n == 1))
    complain(which, url, n, "status and error do not agree");
  if (status != HIRENOW_OK) {
    ++tried;
    if (status != HIRENOW_OUT_OF_MEMORY || (error && hirenow_error_get_status(error) != status)) {
      complain(which, url, n, hirenow_status_name(status));
      if (error) fprintf(stderr, "  %s\n", hirenow_error_get_message(error));
    }
  }
  hirenow_error_free(error);
  const long lost = __atomic_load_n(&live, __ATOMIC_RELAXED) - live_before;
  if (status != HIRENOW_OK && url && url != sqlite_url && !(flags & (GROWS | LEASES)) && (gained += lost) > 0) {
    complain(which, url, n, "blocks were lost");
    gained = 0;
  }
  return status;
}

static void run_case(size_t which, const char *url) {
  const long live_before = __atomic_load_n(&live, __ATOMIC_RELAXED);
  struct world w;
  const int flags = cases[which].flags & ~FREE;
  begin(&w, which, url);
  char *before = flags ? NULL : dump(&w);
  for (long n = 1; n < 20000; ++n) {
    const hirenow_status status = make_failing(&w, which, url, n);
    if (!failed) break;
    if (status != HIRENOW_OK && before) {
      char *after = dump(&w);
      if (strcmp(before, after) != 0) complain(which, url, n, "something was half done");
      free(before);
      before = after;
    }
    if (status == HIRENOW_OK && !(flags & READS)) { /* went on without that block; the next begins anew */
      close_world(&w);
      begin(&w, which, url);
      free(before);
      before = flags ? NULL : dump(&w);
    }
  }
  free(before);
  close_world(&w);
  remove_file();
  if (__atomic_load_n(&live, __ATOMIC_RELAXED) != live_before) complain(which, url, 0, "blocks are left");
}

/* What is promised of a store whose every call fails: nothing is lost. */
static void send_after_all(const char *url) {
  struct world w;
  remove_file();
  open_world(&w, url);
  bring_to(&w, SCHEDULED);
  for (long n = 1; n < 400; n += 3) {
    hirenow_error *error = NULL;
    until_failure = n;
    (void)dispatch_due(&w, &error);
    until_failure = 0;
    hirenow_error_free(error);
  }
  w.now += 6 * 3600;
  (void)dispatch_due(&w, NULL);
  hirenow_rows *rows = NULL;
  MUST(list_messages(&w, &rows, NULL));
  CHECK(hirenow_rows_get_message(rows, 0)->state == HIRENOW_MESSAGE_STATE_ACCEPTED);
  hirenow_rows_free(rows);
  close_world(&w);
  remove_file();
}

/* What the accessors of all answers allocate: nothing. */
static void check_accessors(void) {
  struct world w;
  open_world(&w, "memory:");
  bring_to(&w, FAILED);
  failed = 0;
  until_failure = 1;
  for (int again = 0; again < 2; ++again) {
    hirenow_session session = HIRENOW_SESSION_INIT;
    hirenow_token_claims claims = HIRENOW_TOKEN_CLAIMS_INIT;
    hirenow_interview_row row = row_of(&w);
    hirenow_permission permission;
    CHECK(hirenow_sitting_get_session(w.sitting, &session, NULL) == HIRENOW_OK);
    CHECK(hirenow_token_get_claims(w.genuine, &claims, NULL) == HIRENOW_OK);
    CHECK(hirenow_interview_get_row(w.interview, &row, NULL) == HIRENOW_OK);
    CHECK(hirenow_eligibility_get_reason(w.may) && hirenow_page_get_interview(w.page, 0));
    CHECK(hirenow_rows_get_record(w.record) && hirenow_rows_get_audit(w.entries, 0));
    CHECK(hirenow_transition(0, 1, 1, NULL, NULL) && hirenow_permission_default(0, &permission));
    CHECK(hirenow_is_lawful_waiver_step(0, 1) && hirenow_interview_row_clock_limit(NULL) == HIRENOW_NONE);
    CHECK(hirenow_is_lawful_step(0, 1) && hirenow_message_carries_link(0) && hirenow_version());
    CHECK(hirenow_verdict_status(HIRENOW_VERDICT_VALID) == HIRENOW_OK && hirenow_state_name(0));
  }
  until_failure = 0;
  CHECK(!failed);
  close_world(&w);
}

int main(int argc, char **argv) {
  const size_t count = sizeof cases / sizeof cases[0];
  name_sqlite_file();
  const char *const store = argc == 2 ? argv[1] : "";
  const int in_c = strcmp(store, "c") == 0;
  const char *const url = strcmp(store, "memory") == 0 ? "memory:" : strcmp(store, "sqlite") == 0 ? sqlite_url : NULL;
  if (!url && !in_c) {
    fprintf(stderr, "usage: %s memory|c|sqlite\n", argv[0]);
    return 2;
  }
  /* Once without a fault, so that what is made once and kept is there. */
  for (size_t n = 0; n < count; ++n) {
    struct world w;
    begin(&w, n, url);
    MUST(cases[n].make(&w, NULL));
    close_world(&w);
  }
  for (size_t n = 0; n < count; ++n) run_case(n, url);
  send_after_all(url);
  check_accessors();
  printf("%d calls, %d kinds of names left out, %ld failed allocations, %d faults\n", (int)count,
         (int)(sizeof left_out / sizeof left_out[0]), tried, failures);
  return failures ? 1 : 0;
}
