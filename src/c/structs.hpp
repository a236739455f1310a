#pragma once
/// How the transparent structs of the C interface grow. A struct that is handed in may be as short as it was in its
/// first version: what it lacks is then as in its _INIT macro, never read from behind it. One that is to be filled is
/// filled as far as it reaches. A field is only ever added at the end, and never into padding that an older version
/// had.
///
/// Threads: pure values.

#include <cstddef>

#include "hirenow/c/adapters.h"

namespace hirenow::c {

/// The first version's size of a struct, and what its _INIT macro says.
template <class Struct>
struct struct_versions;

/// `last` is the last field of the first version. It is never changed: what comes behind it are later fields.
#define HIRENOW_STRUCT(type, last, init)                                                                 \
  template <>                                                                                            \
  struct struct_versions<type> {                                                                         \
    static constexpr type standard = init;                                                               \
    static constexpr std::size_t first =                                                                 \
        (offsetof(type, last) + sizeof(type::last) + alignof(type) - 1) / alignof(type) * alignof(type); \
  }

// clang-format off
HIRENOW_STRUCT(hirenow_actor, roles, HIRENOW_ACTOR_INIT);
HIRENOW_STRUCT(hirenow_applicant, time_zone, HIRENOW_APPLICANT_INIT);
HIRENOW_STRUCT(hirenow_schedule_request, idempotency_key, HIRENOW_SCHEDULE_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_retake_options, idempotency_key, HIRENOW_RETAKE_OPTIONS_INIT);
HIRENOW_STRUCT(hirenow_accommodation, idempotency_key, HIRENOW_ACCOMMODATION_INIT);
HIRENOW_STRUCT(hirenow_change, idempotency_key, HIRENOW_CHANGE_INIT);
HIRENOW_STRUCT(hirenow_session, key, HIRENOW_SESSION_INIT);
HIRENOW_STRUCT(hirenow_fact, value, HIRENOW_FACT_INIT);
HIRENOW_STRUCT(hirenow_list_query, limit, HIRENOW_LIST_QUERY_INIT);
HIRENOW_STRUCT(hirenow_message_query, limit, HIRENOW_MESSAGE_QUERY_INIT);
HIRENOW_STRUCT(hirenow_store_options, callers_clock, HIRENOW_STORE_OPTIONS_INIT);
HIRENOW_STRUCT(hirenow_engine_options, logger, HIRENOW_ENGINE_OPTIONS_INIT);
HIRENOW_STRUCT(hirenow_link_requested, replayed, HIRENOW_LINK_REQUESTED_INIT);
HIRENOW_STRUCT(hirenow_token_claims, expires_at, HIRENOW_TOKEN_CLAIMS_INIT);
HIRENOW_STRUCT(hirenow_message_view, time_limit_seconds, HIRENOW_MESSAGE_VIEW_INIT);
HIRENOW_STRUCT(hirenow_mail, language, HIRENOW_MAIL_INIT);
HIRENOW_STRUCT(hirenow_smtp_options, clock, HIRENOW_SMTP_OPTIONS_INIT);
HIRENOW_STRUCT(hirenow_dispatcher_options, track_title, HIRENOW_DISPATCHER_OPTIONS_INIT);
HIRENOW_STRUCT(hirenow_dispatch_report, store_errors, HIRENOW_DISPATCH_REPORT_INIT);
HIRENOW_STRUCT(hirenow_outbox_figures, oldest_due, HIRENOW_OUTBOX_FIGURES_INIT);
HIRENOW_STRUCT(hirenow_deadline_terms, cut, HIRENOW_DEADLINE_TERMS_INIT);
HIRENOW_STRUCT(hirenow_interview_row, key_hash, HIRENOW_INTERVIEW_ROW_INIT);
HIRENOW_STRUCT(hirenow_record_row, audit_head, HIRENOW_RECORD_ROW_INIT);
HIRENOW_STRUCT(hirenow_fact_row, sequence, HIRENOW_FACT_ROW_INIT);
HIRENOW_STRUCT(hirenow_audit_row, hash, HIRENOW_AUDIT_ROW_INIT);
HIRENOW_STRUCT(hirenow_message_row, last_answer, HIRENOW_MESSAGE_ROW_INIT);
HIRENOW_STRUCT(hirenow_policy_row, hash, HIRENOW_POLICY_ROW_INIT);
HIRENOW_STRUCT(hirenow_answer_row, expires_at, HIRENOW_ANSWER_ROW_INIT);
HIRENOW_STRUCT(hirenow_load_request, with_others, HIRENOW_LOAD_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_waiver_row, state, HIRENOW_WAIVER_ROW_INIT);
HIRENOW_STRUCT(hirenow_waiver_change, before, HIRENOW_WAIVER_CHANGE_INIT);
HIRENOW_STRUCT(hirenow_policy_request, limit, HIRENOW_POLICY_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_waiver_request, idempotency_key, HIRENOW_WAIVER_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_activation, idempotency_key, HIRENOW_ACTIVATION_INIT);
HIRENOW_STRUCT(hirenow_what_if_query, limit, HIRENOW_WHAT_IF_QUERY_INIT);
HIRENOW_STRUCT(hirenow_what_if_counts, later, HIRENOW_WHAT_IF_COUNTS_INIT);
HIRENOW_STRUCT(hirenow_interview_change, sitting_changed, HIRENOW_INTERVIEW_CHANGE_INIT);
HIRENOW_STRUCT(hirenow_withdrawal, kinds, HIRENOW_WITHDRAWAL_INIT);
HIRENOW_STRUCT(hirenow_change_set, drop_count, HIRENOW_CHANGE_SET_INIT);
HIRENOW_STRUCT(hirenow_checkpoint_request, size, HIRENOW_CHECKPOINT_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_list_request, limit, HIRENOW_LIST_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_claim_request, token, HIRENOW_CLAIM_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_allowance_request, returned, HIRENOW_ALLOWANCE_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_settlement, answer, HIRENOW_SETTLEMENT_INIT);
HIRENOW_STRUCT(hirenow_message_request, limit, HIRENOW_MESSAGE_REQUEST_INIT);
HIRENOW_STRUCT(hirenow_clock_callbacks, destroy, HIRENOW_CLOCK_CALLBACKS_INIT);
HIRENOW_STRUCT(hirenow_logger_callbacks, destroy, HIRENOW_LOGGER_CALLBACKS_INIT);
HIRENOW_STRUCT(hirenow_mailer_callbacks, destroy, HIRENOW_MAILER_CALLBACKS_INIT);
HIRENOW_STRUCT(hirenow_store_callbacks, outbox, HIRENOW_STORE_CALLBACKS_INIT);
HIRENOW_STRUCT(hirenow_check_options, threads, HIRENOW_CHECK_OPTIONS_INIT);
HIRENOW_STRUCT(hirenow_connection_callbacks, dialect, HIRENOW_CONNECTION_CALLBACKS_INIT);
HIRENOW_STRUCT(hirenow_connector_callbacks, destroy, HIRENOW_CONNECTOR_CALLBACKS_INIT);
// clang-format on
#undef HIRENOW_STRUCT

}  // namespace hirenow::c
