#ifndef HIRENOW_C_KEYS_H
#define HIRENOW_C_KEYS_H
/* Keys, and the tokens that they sign. */

#include "hirenow/c/basics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a key document with one fresh key, which signs. Keep it in a file of mode 0600. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_key_document_new(int32_t algorithm, const char *kid, hirenow_text **out,
                                                    hirenow_error **error);
/* Reads keys from a JSON text. Errors: key_invalid, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_from_json(const char *json, hirenow_keys **out, hirenow_error **error);
/* Reads keys from a file of mode 0600. Errors: key_invalid, key_file_exposed, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_from_file(const char *path, hirenow_keys **out, hirenow_error **error);
/* Reads keys from an environment variable. Errors: key_invalid, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_from_environment(const char *variable, hirenow_keys **out,
                                                         hirenow_error **error);
/* Frees the keys; engines that hold them keep them. Since: 0.1 */
HIRENOW_API void hirenow_keys_free(hirenow_keys *keys);
/* Reads the keys again, from where they came (json NULL) or from this text; engines that hold them follow. A document
 * that cannot be used leaves the old keys in force. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_reload(hirenow_keys *keys, const char *json, hirenow_error **error);
/* The id of the key that signs. Errors: no_signing_key. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_signing_kid(const hirenow_keys *keys, hirenow_text **out,
                                                    hirenow_error **error);
/* The public halves as a JWK set. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_public_jwks(const hirenow_keys *keys, hirenow_text **out,
                                                    hirenow_error **error);

/* What a token says. Since: 0.1 */
typedef struct hirenow_token_claims {
  size_t struct_size;
  const char *issuer;
  const char *audience;
  const char *subject;
  const char *tenant;
  const char *interview_id;
  uint32_t generation;
  uint32_t attempt;
  int64_t issued_at;
  int64_t not_before;
  int64_t expires_at;
} hirenow_token_claims;
#define HIRENOW_TOKEN_CLAIMS_INIT {sizeof(hirenow_token_claims), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0}

/* Makes a token. The same claims and key give the same token. Errors: key_invalid. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_token_mint(const hirenow_keys *keys, const char *kid,
                                              const hirenow_token_claims *claims, hirenow_text **out,
                                              hirenow_error **error);
/* Checks that a token is genuine; time and revocation are the engine's to judge.
 * Errors: token_invalid with the precise reason. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_token_verify(const hirenow_keys *keys, const char *token, const char *issuer,
                                                const char *audience, hirenow_token **out, hirenow_error **error);
/* Frees a token. Since: 0.1 */
HIRENOW_API void hirenow_token_free(hirenow_token *token);
/* What it says: fills the struct with texts that are borrowed from the token. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_token_get_claims(const hirenow_token *token, hirenow_token_claims *claims,
                                                    hirenow_error **error);
/* What it says, as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_token_json(const hirenow_token *token, hirenow_text **out_json,
                                              hirenow_error **error);

/* Signs a text that is no token. The purpose keeps signatures of one kind from being used as another's.
 * Errors: key_invalid for a key that is unknown, retired or has no private half. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_sign_text(const hirenow_keys *keys, const char *kid, const char *purpose,
                                                  const char *text, hirenow_text **out, hirenow_error **error);
/* Checks what hirenow_keys_sign_text() made. Errors: key_invalid, invalid_argument for any other signature.
 * Since: 0.1 */
HIRENOW_API hirenow_status hirenow_keys_verify_text(const hirenow_keys *keys, const char *kid, const char *purpose,
                                                    const char *text, const char *signature, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
