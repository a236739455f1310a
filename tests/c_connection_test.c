/* The host's own connection, in C: a driver over SQLite through which a transaction is joined, and a store is opened. */

#include <sqlite3.h>

#include "c/world.h"

struct connection {
  sqlite3 *db;
  int *closed; /* counts connections that went */
};

static hirenow_status failed(sqlite3 *db, hirenow_reply *reply) {
  return hirenow_reply_fail_sqlite(reply, sqlite3_extended_errcode(db), sqlite3_errmsg(db));
}

static int bind_value(sqlite3_stmt *statement, int n, const hirenow_value *v) {
  switch (v->kind) {
    case HIRENOW_VALUE_NULL: return sqlite3_bind_null(statement, n);
    case HIRENOW_VALUE_INTEGER: return sqlite3_bind_int64(statement, n, v->integer);
    case HIRENOW_VALUE_REAL: return sqlite3_bind_double(statement, n, v->real);
    case HIRENOW_VALUE_TEXT: return sqlite3_bind_text(statement, n, v->size ? v->bytes : "", (int)v->size, NULL);
    case HIRENOW_VALUE_BYTES: return sqlite3_bind_blob(statement, n, v->size ? v->bytes : "", (int)v->size, NULL);
    default: return SQLITE_MISMATCH;
  }
}

static hirenow_status answer_row(sqlite3_stmt *statement, hirenow_reply *reply) {
  hirenow_value row[64];
  const int count = sqlite3_column_count(statement);
  for (int n = 0; n < count && n < 64; ++n) {
    memset(&row[n], 0, sizeof row[n]);
    switch (sqlite3_column_type(statement, n)) {
      case SQLITE_INTEGER:
        row[n].kind = HIRENOW_VALUE_INTEGER;
        row[n].integer = sqlite3_column_int64(statement, n);
        break;
      case SQLITE_FLOAT:
        row[n].kind = HIRENOW_VALUE_REAL;
        row[n].real = sqlite3_column_double(statement, n);
        break;
      case SQLITE_NULL: break;
      default:
        row[n].kind = sqlite3_column_type(statement, n) == SQLITE_TEXT ? HIRENOW_VALUE_TEXT : HIRENOW_VALUE_BYTES;
        row[n].bytes = sqlite3_column_blob(statement, n);
        row[n].size = (size_t)sqlite3_column_bytes(statement, n);
    }
  }
  return hirenow_reply_add_row(reply, row, (size_t)count);
}

static hirenow_status execute(void *ctx, const char *sql, const hirenow_value *parameters, size_t count,
                              hirenow_reply *reply) {
  sqlite3 *db = ((struct connection *)ctx)->db;
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  for (size_t n = 0; code == SQLITE_OK && n < count; ++n) code = bind_value(statement, (int)n + 1, &parameters[n]);
  hirenow_status status = HIRENOW_OK;
  if (code == SQLITE_OK)
    while (!status && (code = sqlite3_step(statement)) == SQLITE_ROW) status = answer_row(statement, reply);
  if (!status && code != SQLITE_DONE) status = failed(db, reply);
  sqlite3_finalize(statement);
  return status ? status : hirenow_reply_set_changed(reply, sqlite3_changes(db));
}

static hirenow_status in_transaction(void *ctx, int32_t *standing, hirenow_reply *reply) {
  (void)reply;
  *standing = sqlite3_get_autocommit(((struct connection *)ctx)->db) ? HIRENOW_TRANSACTION_NONE
                                                                     : HIRENOW_TRANSACTION_OPEN;
  return HIRENOW_OK;
}

static void count_gone(void *ctx) { ++*((struct connection *)ctx)->closed; }
static void close_connection(void *ctx) {
  struct connection *c = ctx;
  ++*c->closed;
  CHECK(sqlite3_close(c->db) == SQLITE_OK);
  free(c);
}

static hirenow_connection_callbacks driver_of(struct connection *c, void (*destroy)(void *)) {
  hirenow_connection_callbacks out = HIRENOW_CONNECTION_CALLBACKS_INIT;
  out.ctx = c;
  out.execute = execute;
  out.in_transaction = in_transaction;
  out.destroy = destroy;
  return out;
}

static void sql(sqlite3 *db, const char *statement) {
  CHECK(sqlite3_exec(db, statement, NULL, NULL, NULL) == SQLITE_OK);
}

/* Fails what asks for rows, and keeps its words and its texts. */
static hirenow_status keep_words(void *ctx, const char *statement, const hirenow_value *parameters, size_t count,
                                 hirenow_reply *reply) {
  char *said = ctx;
  if (!strstr(statement, "SELECT")) return HIRENOW_OK;
  snprintf(said, 4096, "%s", statement);
  for (size_t n = 0; n < count; ++n)
    if (parameters[n].kind == HIRENOW_VALUE_TEXT)
      snprintf(said + strlen(said), 4096 - strlen(said), " <%.*s>", (int)parameters[n].size,
               (const char *)parameters[n].bytes);
  return hirenow_reply_fail_postgres(reply, "42P01", "there is no such table", NULL);
}
static hirenow_status always_open(void *ctx, int32_t *standing, hirenow_reply *reply) {
  (void)ctx, (void)reply;
  *standing = HIRENOW_TRANSACTION_OPEN;
  return HIRENOW_OK;
}

/* In PostgreSQL the tables stand in the schema that is named. */
static void test_schema(struct world *w) {
  static const struct {
    const char *named, *asked;
  } cases[] = {{"acme_hr", "<acme_hr>"}, {NULL, "<hirenow>"}};
  for (size_t n = 0; n < 2; ++n) {
    char said[4096] = "";
    hirenow_connection_callbacks callbacks = HIRENOW_CONNECTION_CALLBACKS_INIT;
    callbacks.ctx = said;
    callbacks.execute = keep_words;
    callbacks.in_transaction = always_open;
    callbacks.dialect = HIRENOW_DIALECT_POSTGRESQL;
    hirenow_store *joined = NULL;
    hirenow_engine *on = NULL;
    hirenow_page *page = NULL;
    IS(hirenow_store_join_connection(&callbacks, cases[n].named, 0, &joined, NULL), HIRENOW_OK);
    IS(hirenow_engine_on(w->engine, joined, &on, NULL), HIRENOW_OK);
    CHECK(hirenow_list(on, NULL, &w->recruiter, &page, NULL) != HIRENOW_OK);
    CHECK(strstr(said, cases[n].asked) != NULL);
    hirenow_store_free(joined);
    hirenow_engine_free(on);
  }
}

static void test_join(struct world *w) {
  int gone = 0;
  struct connection c = {NULL, &gone};
  CHECK(sqlite3_open(":memory:", &c.db) == SQLITE_OK);
  sql(c.db, "CREATE TABLE stage(name TEXT)");
  hirenow_connection_callbacks callbacks = driver_of(&c, count_gone);
  hirenow_store *joined = NULL;
  callbacks.dialect = 2;
  IS(hirenow_store_join_connection(&callbacks, NULL, 1, &joined, NULL), HIRENOW_INVALID_ARGUMENT);
  callbacks.dialect = HIRENOW_DIALECT_SQLITE;
  callbacks.execute = NULL;
  IS(hirenow_store_join_connection(&callbacks, NULL, 1, &joined, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(gone == 0 && joined == NULL); /* not registered */
  callbacks.execute = execute;
  IS(hirenow_store_join_connection(&callbacks, NULL, 1, &joined, NULL), HIRENOW_OK);
  hirenow_engine *on = NULL, *of_world = w->engine;
  IS(hirenow_engine_on(w->engine, joined, &on, NULL), HIRENOW_OK);
  hirenow_store_free(joined);
  w->engine = on;
  hirenow_page *page = NULL;
  IS(hirenow_list(on, NULL, &w->recruiter, &page, NULL), HIRENOW_NO_TRANSACTION);
  sql(c.db, "BEGIN");
  sql(c.db, "INSERT INTO stage VALUES ('invited')");
  hirenow_interview_free(schedule(w, "eve", "joined"));
  sql(c.db, "ROLLBACK");
  sql(c.db, "BEGIN");
  IS(hirenow_list(on, NULL, &w->recruiter, &page, NULL), HIRENOW_OK);
  CHECK(hirenow_page_get_count(page) == 0);
  hirenow_page_free(page);
  hirenow_interview_free(schedule(w, "eve", "joined"));
  sql(c.db, "COMMIT");
  sql(c.db, "BEGIN");
  IS(hirenow_list(on, NULL, &w->recruiter, &page, NULL), HIRENOW_OK);
  CHECK(hirenow_page_get_count(page) == 1);
  hirenow_page_free(page);
  sql(c.db, "COMMIT");
  w->engine = of_world;
  CHECK(gone == 0);
  hirenow_engine_free(on);
  CHECK(gone == 1);
  CHECK(sqlite3_close(c.db) == SQLITE_OK);
}

/* Opens connections to one file. */
struct connector {
  char file[256];
  int opened, closed, destroyed, refuses;
};
static hirenow_status open_one(void *ctx, hirenow_connection_callbacks *out, hirenow_reply *reply) {
  struct connector *from = ctx;
  if (from->refuses) return hirenow_reply_fail(reply, 1234, "no more connections", "");
  struct connection *c = malloc(sizeof *c);
  if (!c) return HIRENOW_OUT_OF_MEMORY;
  c->closed = &from->closed;
  if (sqlite3_open(from->file, &c->db) != SQLITE_OK) {
    const hirenow_status status = failed(c->db, reply);
    sqlite3_close(c->db);
    free(c);
    return status;
  }
  ++from->opened;
  *out = driver_of(c, close_connection);
  return HIRENOW_OK;
}
static void destroy_connector(void *ctx) { ++((struct connector *)ctx)->destroyed; }

static void test_open_through(struct world *w) {
  struct connector from;
  memset(&from, 0, sizeof from);
  snprintf(from.file, sizeof from.file, "/tmp/hirenow-c-connection-%ld.db", (long)getpid());
  hirenow_connector_callbacks callbacks = HIRENOW_CONNECTOR_CALLBACKS_INIT;
  callbacks.ctx = &from;
  callbacks.destroy = destroy_connector;
  hirenow_store *store = NULL;
  IS(hirenow_store_open_through(from.file, &callbacks, NULL, &store, NULL), HIRENOW_INVALID_ARGUMENT);
  callbacks.open = open_one;
  from.refuses = 1;
  hirenow_error *error = NULL;
  IS(hirenow_store_open_through(from.file, &callbacks, NULL, &store, &error), 1234);
  CHECK(strcmp(hirenow_error_get_message(error), "no more connections") == 0);
  hirenow_error_free(error);
  from.refuses = 0;
  CHECK(store == NULL && from.destroyed == 0);
  IS(hirenow_store_open_through(from.file, &callbacks, NULL, &store, NULL), HIRENOW_OK);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  options.clock = w->clock;
  options.link_base = "https://example.com/i";
  hirenow_engine *engine = NULL, *of_world = w->engine;
  IS(hirenow_engine_new(store, &options, &engine, NULL), HIRENOW_OK);
  hirenow_store_free(store);
  w->engine = engine;
  hirenow_interview *i = schedule(w, "fay", "through");
  w->engine = of_world;
  hirenow_engine_free(engine);
  CHECK(from.opened > 0 && from.closed == from.opened && from.destroyed == 1);

  /* What was written through the host's connections is what a store of ours finds. */
  char url[300];
  snprintf(url, sizeof url, "sqlite:%s", from.file);
  hirenow_interview *found = NULL;
  IS(hirenow_open(url, &options, &engine, NULL), HIRENOW_OK);
  IS(hirenow_find(engine, hirenow_interview_get_id(i), &w->admin, &found, NULL), HIRENOW_OK);
  hirenow_interview_free(found);
  hirenow_interview_free(i);
  hirenow_engine_free(engine);
  static const char *const parts[] = {"", "-wal", "-shm", "-hirenow-lock"};
  for (size_t n = 0; n < 4; ++n) {
    char name[300];
    snprintf(name, sizeof name, "%s%s", from.file, parts[n]);
    unlink(name);
  }
}

int main(void) {
  struct world w;
  hirenow_store *store = NULL;
  IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
  open_world(&w, store);
  hirenow_store_free(store);
  test_schema(&w);
  test_join(&w);
  test_open_through(&w);
  close_world(&w);
  return end_of_tests();
}
