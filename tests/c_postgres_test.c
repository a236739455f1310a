/* PostgreSQL from C: the host's own transaction on its PGconn, in which the host's rows and hirenow's commit together or
 * not at all; announcements of mail, and row security. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "c/world.h"

static PGconn *db;

static void sql(const char *statement) {
  PGresult *r = PQexec(db, statement);
  CHECK(PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK);
  PQclear(r);
}

static int count(const char *table) {
  char text[200];
  snprintf(text, sizeof text, "SELECT count(*) FROM %s", table);
  PGresult *r = PQexec(db, text);
  const int n = PQresultStatus(r) == PGRES_TUPLES_OK ? atoi(PQgetvalue(r, 0, 0)) : -1;
  PQclear(r);
  return n;
}


static const char *store_url(void) {
  static char url[300];
  const char *name = getenv("HIRENOW_TEST_POSTGRES");
  FILE *file = name ? fopen(name, "r") : NULL;
  CHECK(file && fgets(url, sizeof url, file));
  if (file) fclose(file);
  url[strcspn(url, "\n")] = '\0';
  return url;
}

static void connect_to_server(void) {
  db = PQconnectdb(store_url());
  CHECK(PQstatus(db) == CONNECTION_OK);
}

static void test_join(struct world *w, const char *schema) {
  char interviews[100], drop[100];
  snprintf(interviews, sizeof interviews, "%s.hirenow_interview", schema);
  snprintf(drop, sizeof drop, "DROP SCHEMA %s CASCADE", schema);
  hirenow_store *joined = NULL;
  hirenow_engine *on = NULL, *of_world = w->engine;
  IS(hirenow_store_join_postgres(db, "no$name", 1, &joined, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(joined == NULL);
  IS(hirenow_store_join_postgres(db, schema, 1, &joined, NULL), HIRENOW_OK);
  IS(hirenow_engine_on(w->engine, joined, &on, NULL), HIRENOW_OK);
  hirenow_store_free(joined);
  w->engine = on;
  hirenow_page *page = NULL;
  IS(hirenow_list(on, NULL, &w->recruiter, &page, NULL), HIRENOW_NO_TRANSACTION);
  sql("CREATE TEMP TABLE stage (name text)");
  sql("BEGIN");
  sql("INSERT INTO stage VALUES ('invited')");
  hirenow_interview_free(schedule(w, "eve", "joined"));
  sql("COMMIT");
  CHECK(count(interviews) == 1 && count("stage") == 1);
  sql("BEGIN");
  sql("INSERT INTO stage VALUES ('invited')");
  hirenow_interview *i = schedule(w, "fay", "joined"), *twice = NULL;
  CHECK(count(interviews) == 2);
  sql("ROLLBACK");
  CHECK(count(interviews) == 1 && count("stage") == 1);
  sql("BEGIN");
  IS(hirenow_find(on, hirenow_interview_get_id(i), &w->recruiter, &twice, NULL), HIRENOW_NOT_FOUND);
  hirenow_interview_free(i);
  IS(hirenow_cancel(on, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3", &w->recruiter, NULL, &twice, NULL), HIRENOW_NOT_FOUND);
  sql("INSERT INTO stage VALUES ('usable')"); /* after an error of ours */
  sql("COMMIT");
  CHECK(count("stage") == 2);
  w->engine = of_world;
  hirenow_engine_free(on);
  sql(drop);
}

/* ---- What only this store can do ---- */

struct bell {
  pthread_mutex_t mutex;
  pthread_cond_t rung;
  int count;
};

static void ring(void *ctx) {
  struct bell *b = ctx;
  pthread_mutex_lock(&b->mutex);
  ++b->count;
  pthread_cond_signal(&b->rung);
  pthread_mutex_unlock(&b->mutex);
}

/* Whether it has rung so often, or does within a minute. */
static int has_rung(struct bell *b, int count) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 60;
  pthread_mutex_lock(&b->mutex);
  while (b->count < count && pthread_cond_timedwait(&b->rung, &b->mutex, &until) == 0) continue;
  const int rung = b->count >= count;
  pthread_mutex_unlock(&b->mutex);
  return rung;
}

static void test_announcements_and_row_security(const char *schema) {
  char drop[100], secured[300];
  snprintf(drop, sizeof drop, "DROP SCHEMA %s CASCADE", schema);
  snprintf(secured, sizeof secured,
           "pg_class WHERE relnamespace = '%s'::regnamespace AND relname = 'hirenow_applicant' AND relrowsecurity", schema);
  hirenow_store_options options = HIRENOW_STORE_OPTIONS_INIT;
  options.schema = schema;
  options.callers_clock = 1;
  options.announces_mail = 1;
  options.announce_every_milliseconds = -1;
  hirenow_store *store = NULL;
  IS(hirenow_store_open(store_url(), &options, &store, NULL), HIRENOW_INVALID_ARGUMENT);
  options.announce_every_milliseconds = 1;
  IS(hirenow_store_open(store_url(), &options, &store, NULL), HIRENOW_OK);
  CHECK(count(secured) == 0);
  hirenow_store_free(store);
  options.row_security = 1;
  IS(hirenow_store_open(store_url(), &options, &store, NULL), HIRENOW_OK);
  CHECK(count(secured) == 1);

  struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
  hirenow_mail_listener *listener = NULL;
  IS(hirenow_listen_for_mail(store_url(), schema, NULL, &bell, &listener, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_listen_for_mail(store_url(), "no$name", ring, &bell, &listener, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(listener == NULL);
  IS(hirenow_listen_for_mail(store_url(), schema, ring, &bell, &listener, NULL), HIRENOW_OK);
  CHECK(has_rung(&bell, 1)); /* it listens */
  struct world w;
  open_world(&w, store);
  hirenow_store_free(store);
  hirenow_interview_free(schedule(&w, "gil", "announced"));
  CHECK(has_rung(&bell, 2));
  close_world(&w);
  hirenow_mail_listener_free(listener);
  sql(drop);
}

int main(void) {
  struct world w;
  hirenow_store *store = NULL;
  char schema[40];
  snprintf(schema, sizeof schema, "c%d", (int)getpid());
  connect_to_server();
  IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
  open_world(&w, store);
  hirenow_store_free(store);
  test_join(&w, schema);
  close_world(&w);
  test_announcements_and_row_security(schema);
  PQfinish(db);
  return end_of_tests();
}
