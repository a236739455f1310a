#ifndef HIRENOW_C_API_H
#define HIRENOW_C_API_H
/* The C interface of hirenow: everything that the C++ engine does. adapters.h beside it extends the library from C.
 * docs/c_abi.md is the guide for whoever wraps it in another language.
 *
 * Status: every function that can fail returns a hirenow_status; 0 is success. Where its last argument is not NULL, a
 *   failure leaves a hirenow_error there, and success NULL. Outputs are NULL (or zero) after a failure. What fills a
 *   reply (hirenow_reply_…) has no such argument: the reply keeps why, and gives it to the call that asked.
 * Owns: what a function puts into a `hirenow_x **` is the caller's, and is given back with hirenow_x_free(), which
 *   takes NULL. What `_get_` returns is borrowed from its handle and lives as long as that. Handles share what they need:
 *   a store may be freed while an engine still works on it.
 * Text: NUL-terminated UTF-8; NULL is the empty text. Ids of interviews are 36 characters.
 * Structs: begin with struct_size; start from the _INIT macro. A field that is left zero means the default.
 * Instants: whole UTC seconds since 1970. What may be absent is HIRENOW_NONE in an answer, and 0 in a request.
 * Threads: an engine, a store, a mailer, keys and a dispatcher serve any thread, all calls at once; every other handle
 *   one thread at a time. Inside a callback a call of the same engine answers HIRENOW_REENTRANT_CALL. In the child of a
 *   fork each call on what the parent opened answers HIRENOW_FORKED, and its _free does nothing.
 * Accessors take NULL and answer NULL, 0 or HIRENOW_NONE.
 */

#include "hirenow/c/answers.h"
#include "hirenow/c/audit.h"
#include "hirenow/c/basics.h"
#include "hirenow/c/engine.h"
#include "hirenow/c/keys.h"
#include "hirenow/c/lifecycle.h"
#include "hirenow/c/mail.h"
#include "hirenow/c/policy.h"
#include "hirenow/c/requests.h"
#include "hirenow/c/rows.h"
#include "hirenow/c/store.h"

#endif
