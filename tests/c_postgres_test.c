/* PostgreSQL from C: the host's own transaction, on its PGconn and through a driver of its own, in which the host's
 * rows and hirenow's commit together or not at all; announcements of mail, and row security. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "c/pq_driver.h"
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
  sql("SET client_min_messages = warning"); /* what falls with a schema is not told */
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

/* ---- Through a driver of the host's own: plain SQL on the connection above judges ---- */

struct host {
  struct pq_driver driver;
  const char *schema;
  hirenow_engine *of_world;
  int warnings; /* of the server's */
};

static void count_warning(void *ctx, const PGresult *r) {
  (void)r;
  ++((struct host *)ctx)->warnings;
}

static void run(const struct host *h, const char *statement) { CHECK(pq_run(&h->driver, statement)); }
static void put(const struct host *h) { run(h, "INSERT INTO stage VALUES ('invited')"); }
static void begin(const struct host *h) {
  if (h->driver.begins == PQ_HOST_BEGINS) run(h, "BEGIN");
}

/* Whether so many rows of the host's and so many interviews are committed. */
static int stand(const struct host *h, int stages, int interviews) {
  char stage[100], interview[100];
  snprintf(stage, sizeof stage, "%s.stage", h->schema);
  snprintf(interview, sizeof interview, "%s.hirenow_interview", h->schema);
  return count(stage) == stages && count(interview) == interviews;
}

static hirenow_status ask_for_list(struct world *w) {
  hirenow_page *page = NULL;
  const hirenow_status status = hirenow_list(w->engine, NULL, &w->recruiter, &page, NULL);
  CHECK((page != NULL) == (status == HIRENOW_OK));
  hirenow_page_free(page);
  return status;
}

/* With the words of what came of it. */
static hirenow_status try_to_schedule(struct world *w, const char *person, const hirenow_actor *who,
                                      const char *words) {
  hirenow_applicant a = HIRENOW_APPLICANT_INIT;
  a.id = person;
  a.email = "someone@example.com";
  hirenow_schedule_request r = HIRENOW_SCHEDULE_REQUEST_INIT;
  r.applicant = &a;
  r.track = "driver";
  hirenow_interview *i = NULL;
  hirenow_error *error = NULL;
  const hirenow_status status = hirenow_schedule(w->engine, &r, who, &i, &error);
  CHECK(i == NULL && hirenow_error_get_status(error) == status);
  CHECK(strstr(hirenow_error_get_message(error), words) != NULL);
  hirenow_interview_free(i);
  hirenow_error_free(error);
  return status;
}

static void invite(struct world *w, const char *person) { hirenow_interview_free(schedule(w, person, "driver")); }

/* hirenow's tables are made in a transaction of the host's too, and go with it. */
static void make_tables(struct world *w, const struct host *h) {
  begin(h);
  IS(ask_for_list(w), HIRENOW_OK);
  run(h, "ROLLBACK");
  CHECK(stand(h, 0, -1));
  begin(h);
  IS(ask_for_list(w), HIRENOW_OK);
  run(h, "COMMIT");
  CHECK(stand(h, 0, 0));
}

/* A host with a table of its own, to which the world's engine is moved. */
static void open_host(struct host *h, struct world *w, const char *schema, int begins) {
  char text[200];
  memset(h, 0, sizeof *h);
  h->schema = schema;
  h->of_world = w->engine;
  snprintf(text, sizeof text, "CREATE SCHEMA %s; CREATE TABLE %s.stage (name text)", schema, schema);
  sql(text);
  h->driver.db = PQconnectdb(store_url());
  PQsetNoticeReceiver(h->driver.db, count_warning, h);
  snprintf(text, sizeof text, "SET search_path = %s", schema);
  run(h, text);
  h->driver.begins = begins;
  const hirenow_connection_callbacks callbacks = pq_callbacks(&h->driver);
  hirenow_store *joined = NULL;
  IS(hirenow_store_join_connection(&callbacks, "no$name", 1, &joined, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(joined == NULL && h->driver.destroyed == 0);
  IS(hirenow_store_join_connection(&callbacks, schema, 1, &joined, NULL), HIRENOW_OK);
  IS(hirenow_engine_on(h->of_world, joined, &w->engine, NULL), HIRENOW_OK);
  hirenow_store_free(joined);
  make_tables(w, h);
}

static void close_host(struct host *h, struct world *w) {
  char drop[100];
  CHECK(h->driver.destroyed == 0);
  hirenow_engine_free(w->engine);
  CHECK(h->driver.destroyed == 1);
  w->engine = h->of_world;
  pq_close(&h->driver);
  snprintf(drop, sizeof drop, "DROP SCHEMA %s CASCADE", h->schema);
  sql(drop);
}

static void test_driver_commits_and_rolls_back(struct world *w, const char *schema) {
  struct host h;
  open_host(&h, w, schema, PQ_HOST_BEGINS);
  IS(ask_for_list(w), HIRENOW_NO_TRANSACTION);
  IS(try_to_schedule(w, "eve", &w->recruiter, "no transaction"), HIRENOW_NO_TRANSACTION);
  CHECK(stand(&h, 0, 0) && PQtransactionStatus(h.driver.db) == PQTRANS_IDLE);
  run(&h, "BEGIN");
  put(&h);
  invite(w, "eve");
  CHECK(stand(&h, 0, 0));
  run(&h, "COMMIT");
  CHECK(stand(&h, 1, 1));
  run(&h, "BEGIN");
  invite(w, "fay"); /* the first statement */
  put(&h);
  run(&h, "ROLLBACK");
  CHECK(stand(&h, 1, 1) && h.warnings == 0);
  close_host(&h, w);
}

static void test_driver_and_savepoints(struct world *w, const char *schema) {
  struct host h;
  open_host(&h, w, schema, PQ_HOST_BEGINS);
  run(&h, "BEGIN");
  put(&h);
  run(&h, "SAVEPOINT theirs");
  put(&h);
  hirenow_interview *i = schedule(w, "eve", "driver"), *found = NULL;
  IS(hirenow_find(w->engine, hirenow_interview_get_id(i), &w->recruiter, &found, NULL), HIRENOW_OK);
  hirenow_interview_free(found);
  run(&h, "ROLLBACK TO theirs");
  IS(hirenow_find(w->engine, hirenow_interview_get_id(i), &w->recruiter, &found, NULL), HIRENOW_NOT_FOUND);
  hirenow_interview_free(i);
  invite(w, "fay");
  run(&h, "RELEASE theirs");
  run(&h, "COMMIT");
  CHECK(stand(&h, 1, 1));
  char fay[100];
  snprintf(fay, sizeof fay, "%s.hirenow_applicant WHERE applicant = 'fay'", schema);
  CHECK(count(fay) == 1);
  close_host(&h, w);
}

/* What a session writes once it has been taken over. */
static void write_in_a_stale_session(struct world *w, const hirenow_interview *i) {
  hirenow_sitting *first = NULL, *second = NULL;
  hirenow_session session = HIRENOW_SESSION_INIT;
  const char *token = token_of(hirenow_interview_get_link(i));
  IS(hirenow_start(w->engine, token, "a key of sixteen bytes", 0, &first, NULL), HIRENOW_OK);
  IS(hirenow_resume(w->engine, token, "another key of 16 bytes", 0, &second, NULL), HIRENOW_OK);
  IS(hirenow_sitting_get_session(first, &session, NULL), HIRENOW_OK);
  IS(hirenow_checkpoint(w->engine, &session, "late", 4, NULL, NULL), HIRENOW_STALE_SESSION);
  hirenow_sitting_free(first);
  hirenow_sitting_free(second);
}

static void test_driver_after_an_error_of_ours(struct world *w, const char *schema) {
  struct host h;
  open_host(&h, w, schema, PQ_HOST_BEGINS);
  run(&h, "BEGIN");
  put(&h);
  hirenow_interview *i = schedule(w, "eve", "driver");
  IS(try_to_schedule(w, "eve", &w->recruiter, ""), HIRENOW_ACTIVE_INTERVIEW);
  IS(try_to_schedule(w, "fay", &w->nobody, ""), HIRENOW_PERMISSION_DENIED);
  write_in_a_stale_session(w, i);
  hirenow_interview_free(i);
  put(&h);
  run(&h, "COMMIT");
  CHECK(stand(&h, 2, 1));

  /* One that the database refuses, half way: another made the record since the host's snapshot. */
  hirenow_store_options options = HIRENOW_STORE_OPTIONS_INIT;
  options.schema = schema;
  hirenow_store *store = NULL;
  hirenow_engine *rival = NULL, *on_host = w->engine;
  IS(hirenow_store_open(store_url(), &options, &store, NULL), HIRENOW_OK);
  IS(hirenow_engine_on(h.of_world, store, &rival, NULL), HIRENOW_OK);
  hirenow_store_free(store);
  run(&h, "BEGIN ISOLATION LEVEL REPEATABLE READ");
  put(&h);
  w->engine = rival;
  invite(w, "gil");
  w->engine = on_host;
  IS(try_to_schedule(w, "gil", &w->recruiter, "hirenow_applicant_name"), HIRENOW_RETRY_TRANSACTION);
  CHECK(PQtransactionStatus(h.driver.db) == PQTRANS_INTRANS);
  put(&h);
  run(&h, "COMMIT");
  CHECK(stand(&h, 4, 2));
  hirenow_engine_free(rival);
  close_host(&h, w);
}

static void test_driver_after_an_error_of_the_hosts(struct world *w, const char *schema) {
  struct host h;
  open_host(&h, w, schema, PQ_HOST_BEGINS);
  run(&h, "BEGIN");
  put(&h);
  CHECK(!pq_run(&h.driver, "SELECT 1 / 0"));
  IS(ask_for_list(w), HIRENOW_RETRY_TRANSACTION);
  IS(try_to_schedule(w, "eve", &w->recruiter, "transaction is aborted"), HIRENOW_RETRY_TRANSACTION);
  run(&h, "ROLLBACK");
  run(&h, "BEGIN");
  invite(w, "eve");
  run(&h, "COMMIT");
  CHECK(stand(&h, 0, 1));
  close_host(&h, w);
}

static void test_driver_that_begins_lazily(struct world *w, const char *schema, int begins) {
  struct host h;
  open_host(&h, w, schema, begins);
  CHECK(PQtransactionStatus(h.driver.db) == PQTRANS_IDLE);
  invite(w, "eve"); /* the first statement */
  CHECK(PQtransactionStatus(h.driver.db) == PQTRANS_INTRANS && stand(&h, 0, 0));
  put(&h);
  run(&h, "ROLLBACK");
  CHECK(stand(&h, 0, 0) && PQtransactionStatus(h.driver.db) == PQTRANS_IDLE);
  IS(ask_for_list(w), HIRENOW_OK); /* reading begins too */
  CHECK(PQtransactionStatus(h.driver.db) == PQTRANS_INTRANS);
  IS(try_to_schedule(w, "eve", &w->nobody, ""), HIRENOW_PERMISSION_DENIED);
  invite(w, "eve");
  put(&h);
  CHECK(stand(&h, 0, 0));
  run(&h, "COMMIT");
  CHECK(stand(&h, 1, 1) && PQtransactionStatus(h.driver.db) == PQTRANS_IDLE);
  put(&h); /* here the host's own is the first */
  invite(w, "fay");
  run(&h, "COMMIT");
  CHECK(stand(&h, 2, 2));
  /* To one that has begun by itself the BEGIN that it is told says nothing new: in four transactions of five. */
  CHECK(h.warnings == (begins == PQ_BEGINS_BY_ITSELF ? 4 : 0));
  close_host(&h, w);
}

static void test_driver_that_is_closed(struct world *w, const char *schema) {
  struct host h;
  char end[100];
  open_host(&h, w, schema, PQ_HOST_BEGINS);
  run(&h, "BEGIN");
  put(&h);
  invite(w, "eve");
  snprintf(end, sizeof end, "SELECT pg_terminate_backend(%d, 60000)", PQbackendPID(h.driver.db));
  sql(end); /* by the server, of which libpq knows nothing yet */
  IS(ask_for_list(w), HIRENOW_STORE_UNAVAILABLE);
  IS(try_to_schedule(w, "fay", &w->recruiter, "the connection is closed"), HIRENOW_STORE_UNAVAILABLE);
  pq_close(&h.driver); /* by the host */
  IS(ask_for_list(w), HIRENOW_STORE_UNAVAILABLE);
  IS(try_to_schedule(w, "fay", &w->recruiter, "the connection is closed"), HIRENOW_STORE_UNAVAILABLE);
  CHECK(stand(&h, 0, 0));
  close_host(&h, w);

  open_host(&h, w, schema, PQ_HOST_BEGINS);
  run(&h, "BEGIN");
  put(&h);
  h.driver.closes_at = "INSERT"; /* half way */
  IS(try_to_schedule(w, "eve", &w->recruiter, "the host must roll back"), HIRENOW_RETRY_TRANSACTION);
  CHECK(h.driver.db == NULL && stand(&h, 0, 0));
  close_host(&h, w);
}

/* Values of every kind go to the database and come back as they were. */
static void test_driver_carries_values(struct world *w, const char *schema) {
  struct host h;
  open_host(&h, w, schema, PQ_HOST_BEGINS);
  run(&h, "BEGIN");
  hirenow_interview *i = sit_and_submit(w, "eve", "driver"), *decided = NULL; /* of bytes with a NUL */
  hirenow_change change = HIRENOW_CHANGE_INIT;
  change.outcome = HIRENOW_OUTCOME_FAILED;
  change.has_score = 1;
  change.score = 0.1;
  IS(hirenow_decide(w->engine, hirenow_interview_get_id(i), &w->admin, &change, &decided, NULL), HIRENOW_OK);
  hirenow_interview_free(decided);
  hirenow_interview_free(i);
  uint64_t entries = 0;
  IS(hirenow_verify_audit(w->engine, "eve", &w->admin, &entries, NULL, NULL), HIRENOW_OK);
  CHECK(entries >= 4);
  run(&h, "COMMIT");
  char text[200];
  snprintf(text, sizeof text, "%s.hirenow_interview WHERE score = 0.1::float8", schema);
  CHECK(count(text) == 1);
  snprintf(text, sizeof text, "%s.hirenow_session WHERE progress = '\\x610062'", schema);
  CHECK(count(text) == 1);
  snprintf(text, sizeof text, "%s.hirenow_person WHERE name = U&'J\\00F6rg'", schema);
  CHECK(count(text) == 1);
  close_host(&h, w);
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
  test_driver_commits_and_rolls_back(&w, schema);
  test_driver_and_savepoints(&w, schema);
  test_driver_after_an_error_of_ours(&w, schema);
  test_driver_after_an_error_of_the_hosts(&w, schema);
  test_driver_that_begins_lazily(&w, schema, PQ_BEGINS_WHEN_TOLD);
  test_driver_that_begins_lazily(&w, schema, PQ_BEGINS_BY_ITSELF);
  test_driver_that_is_closed(&w, schema);
  test_driver_carries_values(&w, schema);
  close_world(&w);
  test_announcements_and_row_security(schema);
  PQfinish(db);
  return end_of_tests();
}
