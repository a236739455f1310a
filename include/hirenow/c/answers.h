#ifndef HIRENOW_C_ANSWERS_H
#define HIRENOW_C_ANSWERS_H
/* What the engine answers. A handle is filled once and never changes. */

#include "hirenow/c/requests.h"

#ifdef __cplusplus
extern "C" {
#endif

HIRENOW_API void hirenow_interview_free(hirenow_interview *interview);
HIRENOW_API const char *hirenow_interview_get_id(const hirenow_interview *interview);
HIRENOW_API const char *hirenow_interview_get_track(const hirenow_interview *interview);
HIRENOW_API uint32_t hirenow_interview_get_attempt(const hirenow_interview *interview);
HIRENOW_API int32_t hirenow_interview_get_state(const hirenow_interview *interview);
HIRENOW_API int32_t hirenow_interview_get_outcome(const hirenow_interview *interview);
HIRENOW_API int64_t hirenow_interview_get_start_by(const hirenow_interview *interview);
HIRENOW_API int64_t hirenow_interview_get_deadline(const hirenow_interview *interview);
/* The interview that this one retakes, or that took this one's place; empty where there is none. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_retake_of(const hirenow_interview *interview);
HIRENOW_API const char *hirenow_interview_get_superseded_by(const hirenow_interview *interview);
/* The link; empty where the call gives none, or where a replayed answer's link has been superseded. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_link(const hirenow_interview *interview);
/* 1 for the answer of an earlier call with the same idempotency key. Since: 0.1 */
HIRENOW_API int32_t hirenow_interview_get_replayed(const hirenow_interview *interview);
/* Of a retake's answer: the old interview; else NULL. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_interview_get_archived(const hirenow_interview *interview);
/* Everything about it but the link, as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_json(const hirenow_interview *interview, hirenow_text **out_json,
                                                  hirenow_error **error);

HIRENOW_API void hirenow_sitting_free(hirenow_sitting *sitting);
/* The session: fills the struct with texts that are borrowed from the sitting. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sitting_get_session(const hirenow_sitting *sitting, hirenow_session *session);
HIRENOW_API const hirenow_interview *hirenow_sitting_get_interview(const hirenow_sitting *sitting);
/* To the deadline, exact, never negative. Since: 0.1 */
HIRENOW_API int64_t hirenow_sitting_get_seconds_left(const hirenow_sitting *sitting);
/* The saved progress, NULL where there is none; and its size. Since: 0.1 */
HIRENOW_API const char *hirenow_sitting_get_progress(const hirenow_sitting *sitting);
HIRENOW_API size_t hirenow_sitting_get_progress_size(const hirenow_sitting *sitting);

HIRENOW_API void hirenow_inspection_free(hirenow_inspection *inspection);
HIRENOW_API int32_t hirenow_inspection_get_verdict(const hirenow_inspection *inspection);
/* Why the token is refused: for logs, not for the visitor. Since: 0.1 */
HIRENOW_API const char *hirenow_inspection_get_reason(const hirenow_inspection *inspection);
/* NULL for an invalid token. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_inspection_get_interview(const hirenow_inspection *inspection);
HIRENOW_API const char *hirenow_inspection_get_applicant_name(const hirenow_inspection *inspection);
HIRENOW_API const char *hirenow_inspection_get_locale(const hirenow_inspection *inspection);
HIRENOW_API const char *hirenow_inspection_get_time_zone(const hirenow_inspection *inspection);
/* To start_by or to the deadline, whichever counts; HIRENOW_NONE where neither does. Since: 0.1 */
HIRENOW_API int64_t hirenow_inspection_get_seconds_left(const hirenow_inspection *inspection);

HIRENOW_API void hirenow_eligibility_free(hirenow_eligibility *eligibility);
HIRENOW_API int32_t hirenow_eligibility_get_allowed(const hirenow_eligibility *eligibility);
/* "ok", or the deciding rule's reason. Since: 0.1 */
HIRENOW_API const char *hirenow_eligibility_get_reason(const hirenow_eligibility *eligibility);
HIRENOW_API int64_t hirenow_eligibility_get_eligible_at(const hirenow_eligibility *eligibility);
HIRENOW_API int64_t hirenow_eligibility_get_eligible_until(const hirenow_eligibility *eligibility);
/* The least that any rule leaves; HIRENOW_NONE where none limits it. Since: 0.1 */
HIRENOW_API int64_t hirenow_eligibility_get_attempts_left(const hirenow_eligibility *eligibility);
/* The answer as an English sentence, and with every rule's verdict as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_eligibility_describe(const hirenow_eligibility *eligibility, hirenow_text **out,
                                                        hirenow_error **error);
HIRENOW_API hirenow_status hirenow_eligibility_json(const hirenow_eligibility *eligibility, hirenow_text **out_json,
                                                    hirenow_error **error);

HIRENOW_API void hirenow_actions_free(hirenow_actions *actions);
HIRENOW_API size_t hirenow_actions_get_count(const hirenow_actions *actions);
/* The n-th action's event, for example "retake"; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_actions_get_event(const hirenow_actions *actions, size_t n);
HIRENOW_API int32_t hirenow_actions_get_allowed(const hirenow_actions *actions, size_t n);
/* Why not; HIRENOW_OK where it is allowed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_actions_get_status(const hirenow_actions *actions, size_t n);
HIRENOW_API hirenow_status hirenow_actions_json(const hirenow_actions *actions, hirenow_text **out_json,
                                                hirenow_error **error);

HIRENOW_API void hirenow_page_free(hirenow_page *page);
HIRENOW_API size_t hirenow_page_get_count(const hirenow_page *page);
/* Of the n-th row: the interview and whose it is; NULL beyond the end. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_page_get_interview(const hirenow_page *page, size_t n);
HIRENOW_API const char *hirenow_page_get_applicant_id(const hirenow_page *page, size_t n);
/* The next page's cursor; empty on the last page. Since: 0.1 */
HIRENOW_API const char *hirenow_page_get_next(const hirenow_page *page);
/* How many interviews are in this state; HIRENOW_NONE where counts were not asked for. Since: 0.1 */
HIRENOW_API int64_t hirenow_page_get_state_count(const hirenow_page *page, int32_t state);
HIRENOW_API hirenow_status hirenow_page_json(const hirenow_page *page, hirenow_text **out_json, hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
