/* Every function of the library with nothing at all, and the functions that take something with what they must refuse.
 * Part of c_survival_test.c. */

static void test_nothing_at_all(void) {
  IS(hirenow_key_document_new(0, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_from_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_from_file(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_from_environment(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_reload(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_signing_kid(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_public_jwks(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_token_mint(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_token_verify(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policy_parse(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policy_evaluate(NULL, NULL, 0, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policy_evaluate_case(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_span_parse(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_open(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_listen_for_mail(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_engine_new(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_open(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_schedule(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_retake_eligibility(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_retake(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reissue(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_request_link(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_link_of(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_inspect(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_start(NULL, NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_resume(NULL, NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_checkpoint(NULL, NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_submit(NULL, NULL, NULL, 0, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_withdraw(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_decide(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reopen(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_void(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_accommodate(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_interview_row_deadline(NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_interview_row_clock_limit(NULL) == HIRENOW_NONE);
  for (int32_t from = -1; from <= HIRENOW_WAIVER_STATE_COUNT; ++from)
    for (int32_t to = -1; to <= HIRENOW_WAIVER_STATE_COUNT; ++to) {
      const int open = from == HIRENOW_WAIVER_PROPOSED || from == HIRENOW_WAIVER_GRANTED;
      const int lawful = (from == HIRENOW_WAIVER_PROPOSED && to == HIRENOW_WAIVER_GRANTED) ||
                         (from == HIRENOW_WAIVER_GRANTED && to == HIRENOW_WAIVER_USED) ||
                         (open && (to == HIRENOW_WAIVER_LAPSED || to == HIRENOW_WAIVER_REVOKED));
      CHECK(hirenow_is_lawful_waiver_step(from, to) == lawful);
    }
  IS(hirenow_cancel(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_update_applicant(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_record_fact(NULL, NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_set_policy(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_activate_policy(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_policies(NULL, NULL, NULL, HIRENOW_NONE, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_what_if(NULL, NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_grant_waiver(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_approve_waiver(NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_revoke_waiver(NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_waivers(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_policies(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_redrive(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_drop(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_outbox(NULL, 0, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_erase_applicant(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_sweep(NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_find(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_permitted_actions(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_list(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_history(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_read_progress(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_read_audit(NULL, NULL, NULL, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_verify_audit(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_audit_checkpoint(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_verify_audit_checkpoint(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_read_messages(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_interview_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_sitting_get_session(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_eligibility_describe(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_eligibility_describe_in(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_eligibility_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_actions_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_page_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_templates_new(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_templates_set(NULL, 0, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_mailer_open_smtp(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_new(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_run(NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_dispatch_due(NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_stats(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_prometheus_text(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_stop(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_dispatcher_wake(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_fail(NULL, 0, NULL, NULL), HIRENOW_INTERNAL);
  IS(hirenow_clock_new(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_logger_new(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_mailer_new(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_delivery(NULL, 0, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_new(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_record(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_interview(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_fact(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_policy(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_policy(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_waiver(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_answer(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_progress(NULL, NULL, 0, 0), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_list_row(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_counts(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_next(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_due(NULL, NULL, NULL, 0), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_claimed(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_message(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_audit(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_head(NULL, NULL, 0, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_interview_row_after_clock(NULL, 0, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_check_store(NULL, NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_version() != NULL);
  CHECK(hirenow_status_name(0) != NULL);
  CHECK(hirenow_state_name(0) != NULL);
  CHECK(hirenow_outcome_name(0) != NULL);
  CHECK(hirenow_verdict_name(0) != NULL);
  hirenow_error_free(NULL);
  CHECK(hirenow_error_get_status(NULL) == HIRENOW_OK);
  CHECK(hirenow_error_get_message(NULL) == NULL);
  CHECK(hirenow_error_get_reason(NULL) == NULL);
  CHECK(hirenow_error_get_superseded_by(NULL) == NULL);
  CHECK(hirenow_error_get_eligible_at(NULL) == HIRENOW_NONE);
  hirenow_text_free(NULL);
  CHECK(hirenow_text_get(NULL) == NULL);
  CHECK(hirenow_text_get_size(NULL) == 0);
  hirenow_keys_free(NULL);
  hirenow_policy_free(NULL);
  CHECK(hirenow_policy_get_version(NULL) == NULL);
  CHECK(hirenow_policy_get_hash(NULL) == NULL);
  hirenow_store_free(NULL);
  hirenow_engine_free(NULL);
  hirenow_interview_free(NULL);
  CHECK(hirenow_interview_get_id(NULL) == NULL);
  CHECK(hirenow_interview_get_track(NULL) == NULL);
  CHECK(hirenow_interview_get_attempt(NULL) == 0);
  CHECK(hirenow_interview_get_state(NULL) == HIRENOW_STATE_NONE);
  CHECK(hirenow_interview_get_outcome(NULL) == 0);
  CHECK(hirenow_interview_get_start_by(NULL) == HIRENOW_NONE);
  CHECK(hirenow_interview_get_deadline(NULL) == HIRENOW_NONE);
  CHECK(hirenow_interview_get_retake_of(NULL) == NULL);
  CHECK(hirenow_interview_get_superseded_by(NULL) == NULL);
  CHECK(hirenow_interview_get_link(NULL) == NULL);
  CHECK(hirenow_interview_get_replayed(NULL) == 0);
  CHECK(hirenow_interview_get_archived(NULL) == NULL);
  hirenow_sitting_free(NULL);
  CHECK(hirenow_sitting_get_interview(NULL) == NULL);
  CHECK(hirenow_sitting_get_seconds_left(NULL) == HIRENOW_NONE);
  CHECK(hirenow_sitting_get_progress(NULL) == NULL);
  CHECK(hirenow_sitting_get_progress_size(NULL) == 0);
  hirenow_inspection_free(NULL);
  CHECK(hirenow_inspection_get_verdict(NULL) == 0);
  CHECK(hirenow_inspection_get_reason(NULL) == NULL);
  CHECK(hirenow_inspection_get_interview(NULL) == NULL);
  CHECK(hirenow_inspection_get_applicant_name(NULL) == NULL);
  CHECK(hirenow_inspection_get_locale(NULL) == NULL);
  CHECK(hirenow_inspection_get_time_zone(NULL) == NULL);
  CHECK(hirenow_inspection_get_seconds_left(NULL) == HIRENOW_NONE);
  hirenow_eligibility_free(NULL);
  CHECK(hirenow_eligibility_get_allowed(NULL) == 0);
  CHECK(hirenow_eligibility_get_reason(NULL) == NULL);
  CHECK(hirenow_eligibility_get_eligible_at(NULL) == HIRENOW_NONE);
  CHECK(hirenow_eligibility_get_eligible_until(NULL) == HIRENOW_NONE);
  CHECK(hirenow_eligibility_get_attempts_left(NULL) == HIRENOW_NONE);
  hirenow_actions_free(NULL);
  CHECK(hirenow_actions_get_count(NULL) == 0);
  CHECK(hirenow_actions_get_event(NULL, 0) == NULL);
  CHECK(hirenow_actions_get_allowed(NULL, 0) == 0);
  CHECK(hirenow_actions_get_status(NULL, 0) == HIRENOW_OK);
  hirenow_page_free(NULL);
  CHECK(hirenow_page_get_count(NULL) == 0);
  CHECK(hirenow_page_get_interview(NULL, 0) == NULL);
  CHECK(hirenow_page_get_applicant_id(NULL, 0) == NULL);
  CHECK(hirenow_page_get_next(NULL) == NULL);
  CHECK(hirenow_page_get_state_count(NULL, 0) == HIRENOW_NONE);
  hirenow_templates_free(NULL);
  hirenow_mailer_free(NULL);
  hirenow_mail_listener_free(NULL);
  hirenow_dispatcher_free(NULL);
  hirenow_clock_free(NULL);
  hirenow_logger_free(NULL);
  CHECK(hirenow_is_lawful_step(0, 0) == 1);
  IS(hirenow_interview_get_row(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_page_get_applicant_name(NULL, 0) == NULL);
  CHECK(hirenow_page_get_applicant_email(NULL, 0) == NULL);
  hirenow_person_free(NULL);
  IS(hirenow_person_get(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_person_get_replayed(NULL) == 0);
  IS(hirenow_audit_commitment(NULL, 0, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_audit_hash(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_audit_append(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_audit_verifier_new(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_audit_verifier_free(NULL);
  IS(hirenow_audit_verifier_take(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_audit_verifier_finish(NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_audit_merkle_root(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_verdict_status(0), HIRENOW_TOKEN_INVALID);
  CHECK(hirenow_event_name(0) != NULL);
  CHECK(hirenow_message_kind_name(0) != NULL);
  CHECK(hirenow_message_state_name(0) != NULL);
  CHECK(hirenow_fact_kind_name(0) != NULL);
  CHECK(hirenow_delivery_name(0) != NULL);
  CHECK(hirenow_actions_get_use_case(NULL, 0) == NULL);
  CHECK(hirenow_actions_get_reason(NULL, 0) == NULL);
  CHECK(hirenow_actions_get_eligible_at(NULL, 0) == HIRENOW_NONE);
  CHECK(hirenow_sitting_get_progress_saved_at(NULL) == HIRENOW_NONE);
  hirenow_sweep_report_free(NULL);
  CHECK(hirenow_sweep_report_get_records(NULL) == 0);
  CHECK(hirenow_sweep_report_get_events(NULL) == 0);
  CHECK(hirenow_sweep_report_get_more(NULL) == 0);
  CHECK(hirenow_sweep_report_get_failed_count(NULL) == 0);
  CHECK(hirenow_sweep_report_get_failed_tenant(NULL, 0) == NULL);
  CHECK(hirenow_sweep_report_get_failed_applicant_id(NULL, 0) == NULL);
  CHECK(hirenow_sweep_report_get_failed_status(NULL, 0) == HIRENOW_OK);
  IS(hirenow_sweep_report_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_join(NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_join_postgres(NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_engine_on(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_engine_store(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_engine_now(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_permission_default(0, NULL) == 0);
  IS(hirenow_link_for_row(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_token_free(NULL);
  IS(hirenow_token_get_claims(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_token_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_sign_text(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_keys_verify_text(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_transition(0, 1, 1, NULL, NULL) == 1);
  IS(hirenow_interview_row_apply(NULL, 0, 0, 0, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_templates_render(NULL, 0, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_rendered_free(NULL);
  CHECK(hirenow_rendered_get_subject(NULL) == NULL);
  CHECK(hirenow_rendered_get_text(NULL) == NULL);
  CHECK(hirenow_rendered_get_html(NULL) == NULL);
  CHECK(hirenow_rendered_get_language(NULL) == NULL);
  CHECK(hirenow_message_carries_link(0) == 1);
  IS(hirenow_message_id(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_mailer_send(NULL, NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_backoff_after(0, 0.0, 0, 0) == 15);
  IS(hirenow_reply_set_rendered(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_policy_get_document(NULL) == NULL);
  IS(hirenow_policy_evaluate_track(NULL, NULL, NULL, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_span_add(0, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_span_words(0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_rows_free(NULL);
  CHECK(hirenow_rows_get_record(NULL) == NULL);
  CHECK(hirenow_rows_get_policy(NULL) == NULL);
  CHECK(hirenow_rows_get_answer(NULL) == NULL);
  CHECK(hirenow_rows_get_progress(NULL, NULL, NULL) == NULL);
  CHECK(hirenow_rows_get_interview_count(NULL) == 0);
  CHECK(hirenow_rows_get_interview(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_fact_count(NULL) == 0);
  CHECK(hirenow_rows_get_fact(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_audit_count(NULL) == 0);
  CHECK(hirenow_rows_get_audit(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_message_count(NULL) == 0);
  CHECK(hirenow_rows_get_message(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_owner_count(NULL) == 0);
  CHECK(hirenow_rows_get_owner(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_waiver_count(NULL) == 0);
  CHECK(hirenow_rows_get_waiver(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_policy_count(NULL) == 0);
  CHECK(hirenow_rows_get_policy_at(NULL, 0) == NULL);
  CHECK(hirenow_rows_get_state_count(NULL, 0) == HIRENOW_NONE);
  CHECK(hirenow_rows_get_next(NULL) == NULL);
  IS(hirenow_rows_json(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_load(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_commit(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_save_progress(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_list(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_due(NULL, 0, 0, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_claim(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_settle(NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_next_due(NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_messages(NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_read_audit(NULL, NULL, NULL, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_audit_heads(NULL, NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_prune(NULL, 0, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_judge_link(NULL, NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_add_row(NULL, NULL, 0), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_reply_set_changed(NULL, 0), HIRENOW_INVALID_ARGUMENT);
  CHECK(hirenow_reply_fail_sqlite(NULL, 0, NULL) != HIRENOW_OK);
  CHECK(hirenow_reply_fail_postgres(NULL, NULL, NULL, NULL) != HIRENOW_OK);
  IS(hirenow_store_join_connection(NULL, 0, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_open_through(NULL, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
}

/* A struct in a place that is longer than it, as a newer program would have it. */
#define LONGER 64
struct place {
  union {
    size_t struct_size;
    unsigned char bytes[1024];
  } u;
};

/* Hands the struct over with sizes that are none, and as a newer program might; `last` is the last field of its first
 * version; `call` uses `s`. */
#define REFUSES_WRONG_SIZES(type, last, value, call)                                      \
  do {                                                                                    \
    const size_t first = offsetof(type, last); /* the first version went on behind it */   \
    const size_t wrong[] = {0, 1, sizeof(size_t), first, sizeof(type) - 1, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - 7}; \
    struct place p;                                                                       \
    type *s = (type *)(void *)&p;                                                         \
    for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; ++n) {                         \
      memset(&p, 0, sizeof p);                                                            \
      memcpy(&p, &(value), sizeof(type));                                                 \
      p.u.struct_size = wrong[n];                                                         \
      IS(call, HIRENOW_INVALID_ARGUMENT);                                                 \
    }                                                                                     \
    memcpy(&p, &(value), sizeof(type));                                                   \
    p.u.struct_size = sizeof(type) + LONGER;                                              \
    p.u.bytes[sizeof(type) + LONGER - 1] = 1; /* says something that we do not know */    \
    IS(call, HIRENOW_INVALID_ARGUMENT);                                                   \
  } while (0)

static void test_bad_input(struct world *w) {
  test_nothing_at_all();
  hirenow_engine *e = w->engine;
  hirenow_interview *out = NULL;
  hirenow_text *text = NULL;
  hirenow_rows *some = NULL;
  hirenow_person *changed = NULL;
  hirenow_sitting *sitting = NULL;
  hirenow_page *page = NULL;
  hirenow_engine *engine = NULL;
  hirenow_store *store = NULL;
  hirenow_mailer *mailer = NULL;
  hirenow_dispatcher *dispatcher = NULL;
  hirenow_clock *clock = NULL;
  hirenow_logger *logger = NULL;
  static const char no_id[] = "0190F5FE-7c00-7a3b-8d41-5e6f708192a3"; /* upper case */
  static const char id[] = "0190f5fe-7c00-7a3b-8d41-5e6f708192a3";
  static const char no_utf8[] = "\xff\xfe";
  hirenow_applicant person = HIRENOW_APPLICANT_INIT;
  person.id = "bad";
  person.email = "bad@example.com";
  hirenow_schedule_request request = HIRENOW_SCHEDULE_REQUEST_INIT;
  request.applicant = &person;
  request.track = "bad";
  hirenow_change change = HIRENOW_CHANGE_INIT;
  hirenow_retake_options terms = HIRENOW_RETAKE_OPTIONS_INIT;
  hirenow_session session = HIRENOW_SESSION_INIT;
  session.tenant = "acme";
  session.interview_id = id;
  session.key = "0123456789abcdef";
  hirenow_fact fact = HIRENOW_FACT_INIT;
  fact.name = "f";
  hirenow_list_query query = HIRENOW_LIST_QUERY_INIT;
  hirenow_message_query mails = HIRENOW_MESSAGE_QUERY_INIT;
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  hirenow_store_options store_options = HIRENOW_STORE_OPTIONS_INIT;
  hirenow_dispatcher_options dispatching = HIRENOW_DISPATCHER_OPTIONS_INIT;
  dispatching.sender_address = "x@example.com";
  hirenow_smtp_options smtp = HIRENOW_SMTP_OPTIONS_INIT;
  smtp.host = "localhost";
  hirenow_clock_callbacks clock_callbacks = HIRENOW_CLOCK_CALLBACKS_INIT;
  clock_callbacks.now = tell_time;
  hirenow_logger_callbacks logger_callbacks = HIRENOW_LOGGER_CALLBACKS_INIT;
  logger_callbacks.warn = take_warning;
  hirenow_mailer_callbacks mailer_callbacks = HIRENOW_MAILER_CALLBACKS_INIT;
  mailer_callbacks.send = take_mail;
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  hirenow_outbox_figures figures = HIRENOW_OUTBOX_FIGURES_INIT;
  const hirenow_actor *who = &w->admin;
  hirenow_waiver_request waiver = HIRENOW_WAIVER_REQUEST_INIT;
  waiver.applicant_id = waiver.track = waiver.rule_id = waiver.reason_code = "bad";
  waiver.expires_at = w->now + 1;
  hirenow_activation when = HIRENOW_ACTIVATION_INIT;
  hirenow_what_if_query what_if = HIRENOW_WHAT_IF_QUERY_INIT;
  what_if.document = "{\"hirenow_policy\":1,\"version\":\"v\",\"rules\":[]}";
  hirenow_what_if_counts what_if_counts = HIRENOW_WHAT_IF_COUNTS_INIT;
  REFUSES_WRONG_SIZES(hirenow_actor, roles, w->admin, hirenow_schedule(e, &request, s, &out, NULL));
  REFUSES_WRONG_SIZES(hirenow_schedule_request, idempotency_key, request, hirenow_schedule(e, s, who, &out, NULL));
  REFUSES_WRONG_SIZES(hirenow_applicant, time_zone, person, hirenow_update_applicant(e, s, who, NULL, &changed, NULL));
  REFUSES_WRONG_SIZES(hirenow_retake_options, idempotency_key, terms, hirenow_retake(e, id, who, s, &out, NULL));
  REFUSES_WRONG_SIZES(hirenow_change, idempotency_key, change, hirenow_cancel(e, id, who, s, &out, NULL));
  REFUSES_WRONG_SIZES(hirenow_session, key, session, hirenow_checkpoint(e, s, "x", 1, NULL, NULL));
  REFUSES_WRONG_SIZES(hirenow_fact, value, fact, hirenow_record_fact(e, "bad", s, who, NULL, &changed, NULL));
  REFUSES_WRONG_SIZES(hirenow_waiver_request, idempotency_key, waiver,
                      hirenow_grant_waiver(e, s, who, &some, NULL, NULL));
  REFUSES_WRONG_SIZES(hirenow_activation, running_waits, when,
                      hirenow_activate_policy(e, "bad", what_if.document, who, s, NULL));
  REFUSES_WRONG_SIZES(hirenow_what_if_query, limit, what_if, hirenow_what_if(e, s, who, NULL, NULL, NULL, NULL));
  REFUSES_WRONG_SIZES(hirenow_what_if_counts, later, what_if_counts,
                      hirenow_what_if(e, &what_if, who, NULL, NULL, s, NULL));
  REFUSES_WRONG_SIZES(hirenow_list_query, limit, query, hirenow_list(e, s, who, &page, NULL));
  REFUSES_WRONG_SIZES(hirenow_message_query, limit, mails, hirenow_read_messages(e, s, who, &some, NULL));
  REFUSES_WRONG_SIZES(hirenow_engine_options, logger, options, hirenow_open("memory:", s, &engine, NULL));
  REFUSES_WRONG_SIZES(hirenow_store_options, callers_clock, store_options,
                      hirenow_store_open("sqlite:x.db", s, &store, NULL));
  REFUSES_WRONG_SIZES(hirenow_dispatcher_options, track_title, dispatching,
                      hirenow_dispatcher_new(e, w->mailer, s, &dispatcher, NULL));
  REFUSES_WRONG_SIZES(hirenow_smtp_options, clock, smtp, hirenow_mailer_open_smtp(s, &mailer, NULL));
  REFUSES_WRONG_SIZES(hirenow_clock_callbacks, destroy, clock_callbacks, hirenow_clock_new(s, &clock, NULL));
  REFUSES_WRONG_SIZES(hirenow_logger_callbacks, destroy, logger_callbacks, hirenow_logger_new(s, &logger, NULL));
  REFUSES_WRONG_SIZES(hirenow_mailer_callbacks, destroy, mailer_callbacks, hirenow_mailer_new(s, &mailer, NULL));
  REFUSES_WRONG_SIZES(hirenow_dispatch_report, store_errors, report,
                      hirenow_dispatcher_dispatch_due(w->dispatcher, 1, s, NULL));
  REFUSES_WRONG_SIZES(hirenow_dispatch_report, store_errors, report,
                      hirenow_dispatcher_stats(w->dispatcher, s, NULL, NULL, NULL));
  REFUSES_WRONG_SIZES(hirenow_outbox_figures, oldest_due, figures,
                      hirenow_dispatcher_stats(w->dispatcher, NULL, s, NULL, NULL));

  /* A newer program's struct whose additions are left zero is as good as ours. */
  struct place p;
  memset(&p, 0, sizeof p);
  memcpy(&p, &query, sizeof query);
  p.u.struct_size = sizeof query + LONGER;
  IS(hirenow_list(e, (hirenow_list_query *)(void *)&p, who, &page, NULL), HIRENOW_OK);
  hirenow_page_free(page);

  /* Texts that are none, ids that are none, numbers that are none; and the place for the answer missing. */
  IS(hirenow_schedule(e, &request, who, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_find(e, NULL, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_find(e, no_id, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_find(e, id, NULL, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_start(e, NULL, "0123456789abcdef", 0, &sitting, NULL), HIRENOW_TOKEN_INVALID);
  IS(hirenow_checkpoint(e, &session, NULL, 5, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  request.track = no_utf8;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.track = NULL;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.track = "bad";
  person.name = no_utf8;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  person.name = NULL;
  request.notify = 9;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.notify = 0;
  request.overtime = -1;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.overtime = 0;
  request.opens_at = INT64_MAX;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.opens_at = 0;
  request.link_lifetime_seconds = INT64_MIN;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.link_lifetime_seconds = 0;
  request.reminder_count = SIZE_MAX;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  request.reminder_seconds = (const int64_t *)(const void *)&p;
  IS(hirenow_schedule(e, &request, who, &out, NULL), HIRENOW_TOO_LARGE);
  hirenow_actor odd = w->admin;
  odd.roles = 8;
  IS(hirenow_find(e, id, &odd, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  fact.kind = 6;
  IS(hirenow_record_fact(e, "bad", &fact, who, NULL, &changed, NULL), HIRENOW_INVALID_ARGUMENT);
  change.outcome = -3;
  IS(hirenow_decide(e, id, who, &change, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_open("mysql:x", NULL, &store, NULL), HIRENOW_INVALID_ARGUMENT);
  IS(hirenow_store_open("sqlite:", NULL, &store, NULL), HIRENOW_INVALID_ARGUMENT);
  options.keys_json = "{}";
  IS(hirenow_open("memory:", &options, &engine, NULL), HIRENOW_INVALID_ARGUMENT);
  options.keys_json = NULL;
  options.link_base = "http://example.com";
  IS(hirenow_open("memory:", &options, &engine, NULL), HIRENOW_INVALID_ARGUMENT);
  options.link_base = NULL;
  const hirenow_permission none = {"fly", 1, 0, 0};
  options.permissions = &none;
  options.permission_count = 1;
  IS(hirenow_open("memory:", &options, &engine, NULL), HIRENOW_INVALID_ARGUMENT);
  CHECK(!out && !text && !sitting && !engine && !store && !mailer && !dispatcher && !clock && !logger);
}
