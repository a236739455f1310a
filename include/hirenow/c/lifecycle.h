#ifndef HIRENOW_C_LIFECYCLE_H
#define HIRENOW_C_LIFECYCLE_H
/* The life of an interview, apart from any engine: for a store, which must refuse unlawful steps, and for whoever draws
 * buttons. */

#include "hirenow/c/rows.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the lifecycle has a step from one state to another, for a store that must refuse the others. Since: 0.1 */
HIRENOW_API int32_t hirenow_is_lawful_step(int32_t from, int32_t to);
/* The same for the states of a waiver. Since: 0.1 */
HIRENOW_API int32_t hirenow_is_lawful_waiver_step(int32_t from, int32_t to);
/* Looks a row of the lifecycle up: returns 1 where the event may happen in that state (HIRENOW_STATE_NONE: to an
 * interview that does not exist yet) on that authority, with the state that follows and the condition beside the
 * state, in words, empty where there is none. Each output may be NULL. Since: 0.1 */
HIRENOW_API int32_t hirenow_transition(int32_t from, int32_t event, int32_t authority, int32_t *to, const char **when);
/* Makes of a row what the event makes of it. Sets state, outcome and instants and closes the sitting where the event
 * ends one; what an event carries beside that is the caller's to set. Whether a policy allows is the caller's to have
 * asked. Errors: archived, invalid_transition, deadline_passed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_apply(hirenow_interview_row *row, int32_t event, int32_t authority,
                                                       int64_t at, hirenow_error **error);
/* How a deadline comes about, term by term: started_at and the terms in seconds, cut at ends_by. Since: 0.1 */
typedef struct hirenow_deadline_terms {
  size_t struct_size;
  int64_t started_at;
  int64_t time_limit_seconds;
  int64_t percent_seconds; /* what the accommodation's percentage adds to the time limit, rounded down */
  int64_t extra_seconds;
  int64_t pause_seconds;
  int64_t ends_by; /* HIRENOW_NONE where there is no outer limit */
  int64_t deadline; /* after it only a submission is accepted */
  int64_t grace_seconds;
  int64_t last_submit; /* deadline and grace: from then on nothing is accepted */
  int32_t cut;         /* the outer limit made the deadline earlier */
} hirenow_deadline_terms;
#define HIRENOW_DEADLINE_TERMS_INIT \
  {sizeof(hirenow_deadline_terms), 0, 0, 0, 0, 0, HIRENOW_NONE, 0, 0, 0, 0}
/* The deadline of an attempt that begins at an instant, and how it comes about. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_deadline(const hirenow_interview_row *row, int64_t started_at,
                                                          hirenow_deadline_terms *out, hirenow_error **error);
/* The instant at which the clock acts on an open interview if nobody else does, for a store's list of what is due;
 * HIRENOW_NONE for one that is not open, or is none. Allocates nothing. Since: 0.1 */
HIRENOW_API int64_t hirenow_interview_row_clock_limit(const hirenow_interview_row *row);
/* Makes of a row what a sweep at this instant would make of it; lists show it so. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_after_clock(hirenow_interview_row *row, int64_t at,
                                                             hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
