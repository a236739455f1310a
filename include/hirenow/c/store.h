#ifndef HIRENOW_C_STORE_H
#define HIRENOW_C_STORE_H
/* A store asked directly, without an engine: for a host that writes its own dispatcher, and for whoever looks after the
 * records. What each call promises stands in store.hpp at its C++ twin. Errors of every call: store_unavailable and its
 * like, invalid_argument and too_large for what is handed in; beside those that are named.
 * Threads: as the store's. */

#include "hirenow/c/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Loads one record and what a decision on it needs. hirenow_rows_get_record() is NULL where there is none. Since: 0.1
 * */
HIRENOW_API hirenow_status hirenow_store_load(hirenow_store *store, const hirenow_load_request *request,
                                              hirenow_rows **out, hirenow_error **error);
/* Writes a change set, all of it or none. Errors: conflict, constraint_violated. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_commit(hirenow_store *store, const hirenow_change_set *changes,
                                                hirenow_error **error);
/* Saves progress under an open session. *saved, which may be NULL, is 0 where the session is not open. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_save_progress(hirenow_store *store, const hirenow_checkpoint_request *request,
                                                       int32_t *saved, hirenow_error **error);
/* A page of interviews: interviews and owners, counts, next. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_list(hirenow_store *store, const hirenow_list_request *request,
                                              hirenow_rows **out, hirenow_error **error);
/* Records on which the clock has something to do: owners, next. The cursor may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_due(hirenow_store *store, int64_t at, size_t limit, const char *cursor,
                                             hirenow_rows **out, hirenow_error **error);
/* Takes due messages under a lease: messages and owners. The token must be fresh and random: every later write must
 * present it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_claim(hirenow_store *store, const hirenow_claim_request *request,
                                               hirenow_rows **out, hirenow_error **error);
/* Writes what came of claimed messages, in one commit. `ours`, of so many numbers, or NULL, says of each whether the
 * lease was still the caller's; where it was not, nothing was written for it. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_settle(hirenow_store *store, const hirenow_settlement *const *settlements,
                                                size_t count, int32_t *ours, hirenow_error **error);
/* Counts mail that is to leave, so that all who send for this store keep to one limit together. `granted` and
 * `wait_seconds`, of `count` numbers each, or NULL: how many may leave, and how long until one more may. *counts is 0
 * where the store does not count. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_allow(hirenow_store *store, const hirenow_allowance_request *const *requests,
                                               size_t count, size_t *granted, int64_t *wait_seconds, int32_t *counts,
                                               hirenow_error **error);
/* When the next message will be due or a lease run out; HIRENOW_NONE where the outbox is empty. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_next_due(hirenow_store *store, int64_t *at, hirenow_error **error);
/* How the outbox stands. *counts is 0 where the store does not count. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_outbox(hirenow_store *store, int64_t now, hirenow_outbox_figures *figures,
                                                int32_t *counts, hirenow_error **error);
/* Messages of a tenant, by key. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_messages(hirenow_store *store, const hirenow_message_request *request,
                                                  hirenow_rows **out, hirenow_error **error);
/* Entries of a record's audit after a sequence; of the tenant's own where the id is empty. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_read_audit(hirenow_store *store, const char *tenant, const char *applicant_id,
                                                    uint64_t after, size_t limit, hirenow_rows **out,
                                                    hirenow_error **error);
/* Heads of a tenant's records after an applicant's id, which may be NULL: owners. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_audit_heads(hirenow_store *store, const char *tenant, const char *after,
                                                     size_t limit, hirenow_rows **out, hirenow_error **error);
/* Policies of a tenant or of one of its tracks, those that are not in force yet among them. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_policies(hirenow_store *store, const hirenow_policy_request *request,
                                                  hirenow_rows **out, hirenow_error **error);
/* Deletes stored answers that have expired, at most so many. `pruned` may be NULL. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_store_prune(hirenow_store *store, int64_t now, size_t limit, size_t *pruned,
                                               hirenow_error **error);

/* Judges the link behind verified claims against what hirenow_store_load() answered: a HIRENOW_VERDICT. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_judge_link(const hirenow_token *token, const hirenow_rows *record, int64_t now,
                                              int32_t *verdict, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
