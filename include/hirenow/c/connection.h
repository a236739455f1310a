#ifndef HIRENOW_C_CONNECTION_H
#define HIRENOW_C_CONNECTION_H
/* The host's own database connection, as a driver of two callbacks: for a host whose SQLite is another copy than the one
 * that this library is linked with, or whose transactions belong to a driver of its language. What each must do stands
 * in adapters/host_connection.hpp at its C++ twin. Part of adapters.h, whose rules for callbacks hold. */

#include "hirenow/c/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a value is. */
enum {
  HIRENOW_VALUE_NULL = 0,
  HIRENOW_VALUE_INTEGER = 1,
  HIRENOW_VALUE_REAL = 2,
  HIRENOW_VALUE_TEXT = 3, /* UTF-8, with a size and no NUL behind it */
  HIRENOW_VALUE_BYTES = 4
};

/* A parameter of a statement, or a value of a row. Never grows. Since: 0.1 */
typedef struct hirenow_value {
  int32_t kind;
  int64_t integer;
  double real;
  const void *bytes; /* of text and bytes, with the next one */
  size_t size;
} hirenow_value;

/* How a connection stands to transactions: none is open and a statement would commit by itself; none is open yet, and
 * what the host runs next would open one; one is open. */
enum { HIRENOW_TRANSACTION_NONE = 0, HIRENOW_TRANSACTION_BEGINS_LAZILY = 1, HIRENOW_TRANSACTION_OPEN = 2 };
/* Whose SQL a connection speaks. */
enum { HIRENOW_DIALECT_SQLITE = 0, HIRENOW_DIALECT_POSTGRESQL = 1 };

/* A connection. Since: 0.1 */
typedef struct hirenow_connection_callbacks {
  size_t struct_size;
  void *ctx;
  /* Runs one statement to its end; each `?` in it takes the next parameter. Answers with hirenow_reply_add_row() and
   * hirenow_reply_set_changed(); fails best with hirenow_reply_fail_sqlite() or hirenow_reply_fail_postgres(). */
  hirenow_status (*execute)(void *ctx, const char *sql, const hirenow_value *parameters, size_t count,
                            hirenow_reply *reply);
  /* `*standing` is none before. Must not change anything. */
  hirenow_status (*in_transaction)(void *ctx, int32_t *standing, hirenow_reply *reply);
  void (*destroy)(void *ctx);
  int32_t dialect;
} hirenow_connection_callbacks;
#define HIRENOW_CONNECTION_CALLBACKS_INIT {sizeof(hirenow_connection_callbacks), NULL, NULL, NULL, NULL, 0}

/* In execute: a row, in order. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_add_row(hirenow_reply *reply, const hirenow_value *values, size_t count);
/* In execute: how many rows an INSERT, UPDATE or DELETE changed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_set_changed(hirenow_reply *reply, int64_t count);
/* Says why a callback fails, by SQLite's extended result code (0: unknown, the message decides). Returns the status that
 * this means to hirenow, for the callback to return. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_fail_sqlite(hirenow_reply *reply, int32_t code, const char *message);
/* The same by PostgreSQL's SQLSTATE, which is empty where there was no answer. The name of the constraint that was
 * violated may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_reply_fail_postgres(hirenow_reply *reply, const char *sqlstate, const char *message,
                                                       const char *constraint);

/* As hirenow_store_join(), through a connection of the host's. With PostgreSQL hirenow's tables stand in `schema`; NULL
 * is "hirenow". Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_join_connection(const hirenow_connection_callbacks *callbacks,
                                                         const char *schema, int32_t create_tables,
                                                         hirenow_store **out, hirenow_error **error);

/* Opens connections to one SQLite file. Since: 0.1 */
typedef struct hirenow_connector_callbacks {
  size_t struct_size;
  void *ctx;
  /* Fills the callbacks of a fresh connection, whose `destroy` closes it. Called when the store is opened, and for each
   * reader when one is first needed. */
  hirenow_status (*open)(void *ctx, hirenow_connection_callbacks *connection, hirenow_reply *reply);
  void (*destroy)(void *ctx);
} hirenow_connector_callbacks;
#define HIRENOW_CONNECTOR_CALLBACKS_INIT {sizeof(hirenow_connector_callbacks), NULL, NULL, NULL}
/* Opens the store of a SQLite file that only the host's connections touch. `path` is the file that they open. Options
 * may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_open_through(const char *path, const hirenow_connector_callbacks *callbacks,
                                                      const hirenow_store_options *options, hirenow_store **out,
                                                      hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
