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
/* Looks a row of the lifecycle up: returns 1 where the event may happen in that state (HIRENOW_STATE_NONE: to an
 * interview that does not exist yet) on that authority, with the state that follows and the condition beside the
 * state, in words, empty where there is none. Each output may be NULL. Since: 0.1 */
HIRENOW_API int32_t hirenow_transition(int32_t from, int32_t event, int32_t authority, int32_t *to, const char **when);
/* Makes of a row what the event makes of it. Sets state, outcome and instants and closes the sitting where the event
 * ends one; what an event carries beside that is the caller's to set. Whether a policy allows is the caller's to have
 * asked. Errors: archived, invalid_transition, deadline_passed. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_apply(hirenow_interview_row *row, int32_t event, int32_t authority,
                                                       int64_t at, hirenow_error **error);
/* When the deadline of an attempt would be that begins at this instant: its time limit and what is added to it, cut at
 * its outer limit. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_deadline(const hirenow_interview_row *row, int64_t started_at,
                                                          int64_t *out, hirenow_error **error);
/* Makes of a row what a sweep at this instant would make of it; lists show it so. Since: 0.1 */
HIRENOW_API hirenow_status hirenow_interview_row_after_clock(hirenow_interview_row *row, int64_t at,
                                                             hirenow_error **error);

#ifdef __cplusplus
}
#endif

#endif
