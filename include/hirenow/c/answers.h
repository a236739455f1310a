#ifndef HIRENOW_C_ANSWERS_H
#define HIRENOW_C_ANSWERS_H
/* What the engine answers. A handle is filled once and never changes. */

#include "hirenow/c/requests.h"
#include "hirenow/c/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frees an interview. Since: 0.1 */
HIRENOW_API void hirenow_interview_free(hirenow_interview *interview);
/* Its id, 36 characters. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_id(const hirenow_interview *interview);
/* The track, by the host's own id. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_track(const hirenow_interview *interview);
/* The attempt's number, from 1. Since: 0.1 */
HIRENOW_API uint32_t hirenow_interview_get_attempt(const hirenow_interview *interview);
/* Where it stands. Since: 0.1 */
HIRENOW_API int32_t hirenow_interview_get_state(const hirenow_interview *interview);
/* What came of it. Since: 0.1 */
HIRENOW_API int32_t hirenow_interview_get_outcome(const hirenow_interview *interview);
/* When the link ends. Since: 0.1 */
HIRENOW_API int64_t hirenow_interview_get_start_by(const hirenow_interview *interview);
/* When the time for an answer ends; HIRENOW_NONE before the start. Since: 0.1 */
HIRENOW_API int64_t hirenow_interview_get_deadline(const hirenow_interview *interview);
/* The interview that this one retakes; empty where there is none. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_retake_of(const hirenow_interview *interview);
/* The interview that took this one's place; empty where there is none. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_superseded_by(const hirenow_interview *interview);
/* The link; empty where the call gives none, or where a replayed answer's link has been superseded. Since: 0.1 */
HIRENOW_API const char *hirenow_interview_get_link(const hirenow_interview *interview);
/* 1 for the answer of an earlier call with the same idempotency key. Since: 0.1 */
HIRENOW_API int32_t hirenow_interview_get_replayed(const hirenow_interview *interview);
/* Of a retake's answer: the old interview; else NULL. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_interview_get_archived(const hirenow_interview *interview);
/* All its fields: fills the row with texts that are borrowed from the interview. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_get_row(const hirenow_interview *interview, hirenow_interview_row *row,
                                                     hirenow_error **error);
/* Everything about it but the link, as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_json(const hirenow_interview *interview, hirenow_text **out_json,
                                                  hirenow_error **error);

/* Frees a sitting. Since: 0.1 */
HIRENOW_API void hirenow_sitting_free(hirenow_sitting *sitting);
/* The session: fills the struct with texts that are borrowed from the sitting. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sitting_get_session(const hirenow_sitting *sitting, hirenow_session *session,
                                                       hirenow_error **error);
/* The interview. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_sitting_get_interview(const hirenow_sitting *sitting);
/* To the deadline, exact, never negative. Since: 0.1 */
HIRENOW_API int64_t hirenow_sitting_get_seconds_left(const hirenow_sitting *sitting);
/* The saved progress, NULL where there is none. Since: 0.1 */
HIRENOW_API const char *hirenow_sitting_get_progress(const hirenow_sitting *sitting);
/* The progress's size. Since: 0.1 */
HIRENOW_API size_t hirenow_sitting_get_progress_size(const hirenow_sitting *sitting);
/* When the progress was saved; HIRENOW_NONE where there is none. Since: 0.1 */
HIRENOW_API int64_t hirenow_sitting_get_progress_saved_at(const hirenow_sitting *sitting);

/* Frees an inspection. Since: 0.1 */
HIRENOW_API void hirenow_inspection_free(hirenow_inspection *inspection);
/* What the link is worth. Since: 0.1 */
HIRENOW_API int32_t hirenow_inspection_get_verdict(const hirenow_inspection *inspection);
/* Why the token is refused: for logs, not for the visitor. Since: 0.1 */
HIRENOW_API const char *hirenow_inspection_get_reason(const hirenow_inspection *inspection);
/* NULL for an invalid token. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_inspection_get_interview(const hirenow_inspection *inspection);
/* The applicant's name; may be empty. Since: 0.1 */
HIRENOW_API const char *hirenow_inspection_get_applicant_name(const hirenow_inspection *inspection);
/* The applicant's locale; may be empty. Since: 0.1 */
HIRENOW_API const char *hirenow_inspection_get_locale(const hirenow_inspection *inspection);
/* The applicant's time zone; may be empty. Since: 0.1 */
HIRENOW_API const char *hirenow_inspection_get_time_zone(const hirenow_inspection *inspection);
/* To start_by or to the deadline, whichever counts; HIRENOW_NONE where neither does. Since: 0.1 */
HIRENOW_API int64_t hirenow_inspection_get_seconds_left(const hirenow_inspection *inspection);

/* Frees an eligibility. Since: 0.1 */
HIRENOW_API void hirenow_eligibility_free(hirenow_eligibility *eligibility);
/* 1 where a further attempt is allowed. Since: 0.1 */
HIRENOW_API int32_t hirenow_eligibility_get_allowed(const hirenow_eligibility *eligibility);
/* "ok", or the deciding rule's reason. Since: 0.1 */
HIRENOW_API const char *hirenow_eligibility_get_reason(const hirenow_eligibility *eligibility);
/* From when it will be allowed; HIRENOW_NONE where it is, or never will be. Since: 0.1 */
HIRENOW_API int64_t hirenow_eligibility_get_eligible_at(const hirenow_eligibility *eligibility);
/* The last moment, where a rule sets one; else HIRENOW_NONE. Since: 0.1 */
HIRENOW_API int64_t hirenow_eligibility_get_eligible_until(const hirenow_eligibility *eligibility);
/* The least that any rule leaves; HIRENOW_NONE where none limits it. Since: 0.1 */
HIRENOW_API int64_t hirenow_eligibility_get_attempts_left(const hirenow_eligibility *eligibility);
/* The answer as an English sentence. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_eligibility_describe(const hirenow_eligibility *eligibility, hirenow_text **out,
                                                        hirenow_error **error);
/* The same in a language: "en" or "de"; others are answered in English. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_eligibility_describe_in(const hirenow_eligibility *eligibility, const char *language,
                                                           hirenow_text **out, hirenow_error **error);
/* The answer with every rule's verdict, as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_eligibility_json(const hirenow_eligibility *eligibility, hirenow_text **out_json,
                                                    hirenow_error **error);

/* Frees actions. Since: 0.1 */
HIRENOW_API void hirenow_actions_free(hirenow_actions *actions);
/* How many actions. Since: 0.1 */
HIRENOW_API size_t hirenow_actions_get_count(const hirenow_actions *actions);
/* The n-th action's use case, by the word that the table of permissions has; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_actions_get_use_case(const hirenow_actions *actions, size_t n);
/* The n-th action's event, for example "retake"; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_actions_get_event(const hirenow_actions *actions, size_t n);
/* 1 where the n-th action is allowed. Since: 0.1 */
HIRENOW_API int32_t hirenow_actions_get_allowed(const hirenow_actions *actions, size_t n);
/* Why not; HIRENOW_OK where it is allowed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_actions_get_status(const hirenow_actions *actions, size_t n);
/* The finer code of why not, for example "cooldown"; may be empty; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_actions_get_reason(const hirenow_actions *actions, size_t n);
/* When it will be allowed; HIRENOW_NONE where it is, or nobody knows. Since: 0.1 */
HIRENOW_API int64_t hirenow_actions_get_eligible_at(const hirenow_actions *actions, size_t n);
/* The actions as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_actions_json(const hirenow_actions *actions, hirenow_text **out_json,
                                                hirenow_error **error);

/* Frees a page. Since: 0.1 */
HIRENOW_API void hirenow_page_free(hirenow_page *page);
/* How many rows. Since: 0.1 */
HIRENOW_API size_t hirenow_page_get_count(const hirenow_page *page);
/* The n-th row's interview; NULL beyond the end. Borrows. Since: 0.1 */
HIRENOW_API const hirenow_interview *hirenow_page_get_interview(const hirenow_page *page, size_t n);
/* Whose the n-th row's interview is; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_page_get_applicant_id(const hirenow_page *page, size_t n);
/* That person's name; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_page_get_applicant_name(const hirenow_page *page, size_t n);
/* That person's address; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_page_get_applicant_email(const hirenow_page *page, size_t n);
/* The next page's cursor; empty on the last page. Since: 0.1 */
HIRENOW_API const char *hirenow_page_get_next(const hirenow_page *page);
/* How many interviews are in this state; HIRENOW_NONE where counts were not asked for. Since: 0.1 */
HIRENOW_API int64_t hirenow_page_get_state_count(const hirenow_page *page, int32_t state);
/* The page as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_page_json(const hirenow_page *page, hirenow_text **out_json, hirenow_error **error);

/* Frees a sweep's report. Since: 0.1 */
HIRENOW_API void hirenow_sweep_report_free(hirenow_sweep_report *report);
/* How many records it changed. Since: 0.1 */
HIRENOW_API size_t hirenow_sweep_report_get_records(const hirenow_sweep_report *report);
/* How many interviews expired or were submitted. Since: 0.1 */
HIRENOW_API size_t hirenow_sweep_report_get_events(const hirenow_sweep_report *report);
/* 1 where it ended before all was done: sweep again. Since: 0.1 */
HIRENOW_API int32_t hirenow_sweep_report_get_more(const hirenow_sweep_report *report);
/* How many records made it fail, for a person to look at. Since: 0.1 */
HIRENOW_API size_t hirenow_sweep_report_get_failed_count(const hirenow_sweep_report *report);
/* Whose the n-th of these is; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_sweep_report_get_failed_tenant(const hirenow_sweep_report *report, size_t n);
/* Which applicant's the n-th is; NULL beyond the end. Since: 0.1 */
HIRENOW_API const char *hirenow_sweep_report_get_failed_applicant_id(const hirenow_sweep_report *report, size_t n);
/* What failed at the n-th; HIRENOW_OK beyond the end. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sweep_report_get_failed_status(const hirenow_sweep_report *report, size_t n);
/* The report as a JSON document. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_sweep_report_json(const hirenow_sweep_report *report, hirenow_text **out_json,
                                                     hirenow_error **error);

/* Frees a person. Since: 0.1 */
HIRENOW_API void hirenow_person_free(hirenow_person *person);
/* The person: fills the struct with texts that are borrowed from the handle. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_person_get(const hirenow_person *person, hirenow_applicant *out,
                                              hirenow_error **error);
/* 1 for the answer of an earlier call with the same idempotency key. Since: 0.1 */
HIRENOW_API int32_t hirenow_person_get_replayed(const hirenow_person *person);

#ifdef __cplusplus
}
#endif

#endif
