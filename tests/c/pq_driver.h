#ifndef HIRENOW_TESTS_C_PQ_DRIVER_H
#define HIRENOW_TESTS_C_PQ_DRIVER_H
/* A host's own driver of two functions, over libpq. It holds hirenow to what adapters/host_connection.hpp promises of
 * statements and of the types of rows. */

#include <inttypes.h>

#include <libpq-fe.h>

#include "c/world.h"

/* Who begins a transaction: the host; the driver, but it lets a BEGIN pass that it is told; the driver before whatever
 * it runs first, as drivers do that take no look at it. */
enum { PQ_HOST_BEGINS, PQ_BEGINS_WHEN_TOLD, PQ_BEGINS_BY_ITSELF };

struct pq_driver {
  PGconn *db; /* NULL: closed, which libpq takes for a broken connection */
  int begins;
  int destroyed;
  const char *closes_at; /* closes before the first statement that begins so */
};

static inline hirenow_status pq_failed(const struct pq_driver *d, const PGresult *r, hirenow_reply *reply) {
  const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  return hirenow_reply_fail_postgres(reply, state ? state : "", PQerrorMessage(d->db),
                                     PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME));
}

/* ---- Statements and parameters ---- */

enum { PQ_MOST_VALUES = 64 };

struct pq_parameters {
  const char *values[PQ_MOST_VALUES];
  int lengths[PQ_MOST_VALUES], formats[PQ_MOST_VALUES];
  char numbers[PQ_MOST_VALUES][32];
};

/* Numbers as text. Types are left out: the cast around each place says them. */
static inline void pq_bind(struct pq_parameters *p, size_t n, const hirenow_value *v) {
  p->values[n] = p->numbers[n];
  p->lengths[n] = p->formats[n] = 0;
  switch (v->kind) {
    case HIRENOW_VALUE_NULL: p->values[n] = NULL; break;
    case HIRENOW_VALUE_INTEGER: snprintf(p->numbers[n], sizeof p->numbers[n], "%" PRId64, v->integer); break;
    case HIRENOW_VALUE_REAL: snprintf(p->numbers[n], sizeof p->numbers[n], "%.17g", v->real); break;
    default:
      CHECK(v->kind == HIRENOW_VALUE_TEXT || v->kind == HIRENOW_VALUE_BYTES);
      p->values[n] = v->size ? v->bytes : "";
      p->lengths[n] = (int)v->size;
      p->formats[n] = 1;
  }
}

/* The statement with $1, $2 and so on where a ? stands, to be freed. */
static inline char *pq_numbered(const char *sql, size_t count) {
  static const char cast[] = "CAST(? AS ";
  const size_t before = strlen("CAST(");
  char *text = malloc(strlen(sql) + 2 * count + 1), *to = text;
  size_t number = 0;
  CHECK(!strchr(sql, '%'));
  for (const char *from = sql; text && *from; ++from) {
    *to++ = *from;
    if (*from != '?') continue;
    CHECK((size_t)(from - sql) >= before && strncmp(from - before, cast, strlen(cast)) == 0);
    to[-1] = '$';
    if (number++ < count) to += snprintf(to, 3, "%d", (int)number);
  }
  if (text) *to = '\0';
  CHECK(number == count);
  return text;
}

/* ---- Rows ---- */

/* Numbers of types, from pg_type.dat. */
enum { PQ_BOOL = 16, PQ_INT8 = 20, PQ_INT2 = 21, PQ_INT4 = 23, PQ_FLOAT8 = 701 };
enum { PQ_BYTEA = 17, PQ_TEXT = 25, PQ_VOID = 2278 };

static inline uint64_t pq_bits(const char *bytes, int size) {
  uint64_t n = bytes[0] & 0x80 ? UINT64_MAX : 0;
  for (int at = 0; at < size; ++at) n = n << 8 | (unsigned char)bytes[at];
  return n;
}

/* Text and bytes are borrowed from the result. */
static inline hirenow_value pq_value(const PGresult *r, int row, int column) {
  hirenow_value out = {HIRENOW_VALUE_NULL, 0, 0.0, NULL, 0};
  if (PQgetisnull(r, row, column)) return out;
  const char *bytes = PQgetvalue(r, row, column);
  const int size = PQgetlength(r, row, column);
  uint64_t bits;
  switch (PQftype(r, column)) {
    case PQ_BOOL:
    case PQ_INT2:
    case PQ_INT4:
    case PQ_INT8:
      out.kind = HIRENOW_VALUE_INTEGER;
      out.integer = (int64_t)pq_bits(bytes, size);
      break;
    case PQ_FLOAT8:
      out.kind = HIRENOW_VALUE_REAL;
      bits = pq_bits(bytes, size);
      memcpy(&out.real, &bits, sizeof out.real);
      break;
    case PQ_VOID: break; /* of the lock under which tables are made; nobody reads it */
    default:
      CHECK(PQftype(r, column) == PQ_TEXT || PQftype(r, column) == PQ_BYTEA);
      out.kind = PQftype(r, column) == PQ_BYTEA ? HIRENOW_VALUE_BYTES : HIRENOW_VALUE_TEXT;
      out.bytes = bytes;
      out.size = (size_t)size;
  }
  return out;
}

static inline hirenow_status pq_answer(PGresult *r, hirenow_reply *reply) {
  hirenow_value values[PQ_MOST_VALUES];
  const int rows = PQntuples(r), columns = PQnfields(r);
  hirenow_status status = HIRENOW_OK;
  if (columns > PQ_MOST_VALUES) return hirenow_reply_fail(reply, HIRENOW_TOO_LARGE, "too many columns", "");
  for (int row = 0; !status && row < rows; ++row) {
    for (int column = 0; column < columns; ++column) values[column] = pq_value(r, row, column);
    status = hirenow_reply_add_row(reply, values, (size_t)columns);
  }
  return status ? status : hirenow_reply_set_changed(reply, atoll(PQcmdTuples(r)));
}

/* ---- The two functions ---- */

static inline void pq_begin_lazily(const struct pq_driver *d, const char *sql) {
  if (d->begins == PQ_HOST_BEGINS || PQtransactionStatus(d->db) != PQTRANS_IDLE) return;
  if (d->begins == PQ_BEGINS_BY_ITSELF || strcmp(sql, "BEGIN") != 0) PQclear(PQexec(d->db, "BEGIN"));
}

static inline void pq_close(struct pq_driver *d) {
  PQfinish(d->db);
  d->db = NULL;
}

static inline hirenow_status pq_execute(void *ctx, const char *sql, const hirenow_value *values, size_t count,
                                        hirenow_reply *reply) {
  struct pq_driver *d = ctx;
  if (count > PQ_MOST_VALUES) return hirenow_reply_fail(reply, HIRENOW_TOO_LARGE, "too many parameters", "");
  if (d->closes_at && strncmp(sql, d->closes_at, strlen(d->closes_at)) == 0) pq_close(d);
  char *text = pq_numbered(sql, count);
  if (!text) return HIRENOW_OUT_OF_MEMORY;
  struct pq_parameters p;
  for (size_t n = 0; n < count; ++n) pq_bind(&p, n, &values[n]);
  pq_begin_lazily(d, sql);
  PGresult *r = PQexecParams(d->db, text, (int)count, NULL, p.values, p.lengths, p.formats, 1);
  const int is_done = PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK;
  const hirenow_status status = is_done ? pq_answer(r, reply) : pq_failed(d, r, reply);
  PQclear(r);
  free(text);
  return status;
}

static inline hirenow_status pq_in_transaction(void *ctx, int32_t *standing, hirenow_reply *reply) {
  const struct pq_driver *d = ctx;
  switch (PQtransactionStatus(d->db)) {
    case PQTRANS_IDLE:
      *standing = d->begins == PQ_HOST_BEGINS ? HIRENOW_TRANSACTION_NONE : HIRENOW_TRANSACTION_BEGINS_LAZILY;
      return HIRENOW_OK;
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR: *standing = HIRENOW_TRANSACTION_OPEN; return HIRENOW_OK;
    default: return hirenow_reply_fail_postgres(reply, "", "the connection is closed", NULL);
  }
}

static inline void pq_destroy(void *ctx) { ++((struct pq_driver *)ctx)->destroyed; }

static inline hirenow_connection_callbacks pq_callbacks(struct pq_driver *d) {
  hirenow_connection_callbacks out = HIRENOW_CONNECTION_CALLBACKS_INIT;
  out.ctx = d;
  out.execute = pq_execute;
  out.in_transaction = pq_in_transaction;
  out.destroy = pq_destroy;
  out.dialect = HIRENOW_DIALECT_POSTGRESQL;
  return out;
}

/* A statement of the host's own, through its driver. Returns whether it was done. */
static inline int pq_run(const struct pq_driver *d, const char *sql) {
  pq_begin_lazily(d, sql);
  PGresult *r = PQexec(d->db, sql);
  const int is_done = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;
  PQclear(r);
  return is_done;
}

#endif
