#ifndef HIRENOW_C_POLICY_H
#define HIRENOW_C_POLICY_H
/* Retake policies, apart from any engine. */

#include "hirenow/c/basics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a policy document; NULL is the standard policy. Errors: policy_invalid, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_parse(const char *json, hirenow_policy **out, hirenow_error **error);
/* Frees a policy. Since: 0.1 */
HIRENOW_API void hirenow_policy_free(hirenow_policy *policy);
/* The name its author gave this version of it. Since: 0.1 */
HIRENOW_API const char *hirenow_policy_get_version(const hirenow_policy *policy);
/* SHA-256 of the document, 64 hexadecimal digits. Since: 0.1 */
HIRENOW_API const char *hirenow_policy_get_hash(const hirenow_policy *policy);

/* The document as it was given. Since: 0.1 */
HIRENOW_API const char *hirenow_policy_get_document(const hirenow_policy *policy);

/* One attempt, as a policy sees it. Never grows. Since: 0.1 */
typedef struct hirenow_attempt {
  char id[40];          /* 36 characters and NUL; may be empty */
  int64_t at;           /* the start; where there was none, start_by */
  int64_t decided_at;   /* or HIRENOW_NONE */
  int32_t outcome;
  int32_t has_score;
  double score;
} hirenow_attempt;
/* Holds attempts, in any order, against a policy; `schedule` is 0 for a retake, 1 for a fresh interview. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_evaluate(const hirenow_policy *policy, const hirenow_attempt *attempts,
                                                   size_t attempt_count, int64_t now, int32_t schedule,
                                                   hirenow_eligibility **out, hirenow_error **error);
/* As above, for the attempts at a track that stand in what hirenow_store_load() answered. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_evaluate_track(const hirenow_policy *policy, const hirenow_rows *record,
                                                         const char *track, int64_t now, int32_t schedule,
                                                         hirenow_eligibility **out, hirenow_error **error);
/* Holds a case document against a policy: {"track", "now", "kind", "time_zone", "history", "facts", "waivers"} as
 * hirenow/retake_case.hpp describes it. Errors: invalid_argument, too_large. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_policy_evaluate_case(const hirenow_policy *policy, const char *case_json,
                                                        hirenow_eligibility **out, hirenow_error **error);
/* Reads an ISO 8601 span as a policy has it: calendar months and, beside them, seconds. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_span_parse(const char *text, int32_t *months, int64_t *seconds,
                                              hirenow_error **error);
/* The instant a span after another: months by the calendar in UTC, then seconds. *out is HIRENOW_NONE where that lies
 * beyond the year 9999. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_span_add(int64_t from, int32_t months, int64_t seconds, int64_t *out,
                                            hirenow_error **error);
/* A span in English words, for example "14 days". Since: 0.1 */
HIRENOW_API hirenow_status hirenow_span_words(int32_t months, int64_t seconds, hirenow_text **out,
                                              hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
