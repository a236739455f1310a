#ifndef HIRENOW_C_AUDIT_H
#define HIRENOW_C_AUDIT_H
/* The audit's hash chain, apart from any engine: for whoever checks it elsewhere, or commits to a store directly. A
 * hash has 32 bytes. */

#include "hirenow/c/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The salted commitment to a text, by which the audit names people. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_commitment(const void *salt, size_t salt_size, const char *text, uint8_t *out,
                                                    hirenow_error **error);
/* The hash that an entry of this record must carry. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_hash(const char *tenant, const hirenow_record_row *record,
                                              const hirenow_audit_row *entry, uint8_t *out, hirenow_error **error);
/* Gives the entry its place at the end of the record's chain, and moves the record's head to it: sets sequence,
 * previous and hash of the entry, and sequence, audit_head and last_instant of the record. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_append(const char *tenant, hirenow_record_row *record,
                                                hirenow_audit_row *entry, hirenow_error **error);
/* Begins to follow a record's chain. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_verifier_new(const char *tenant, const hirenow_record_row *record,
                                                      hirenow_audit_verifier **out, hirenow_error **error);
/* Frees a verifier. Since: 0.1 */
HIRENOW_API void hirenow_audit_verifier_free(hirenow_audit_verifier *verifier);
/* Takes the next entry. Errors: audit_broken, naming the sequence. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_verifier_take(hirenow_audit_verifier *verifier, const hirenow_audit_row *entry,
                                                       hirenow_error **error);
/* After the last entry: the chain must end where the record says. Errors: audit_broken. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_verifier_finish(const hirenow_audit_verifier *verifier, hirenow_error **error);
/* The Merkle root over heads, as hirenow_store_audit_heads() answers them. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_audit_merkle_root(const hirenow_rows *heads, uint8_t *out, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
