/* Structs of sizes that are none, for every struct of the interface that a caller hands in or has filled. Part of
 * c_survival_test.c; check_abi.py looks for all of them. */

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

/* The same, and the refusal must be about the size; `call` takes `&why` beside `s`. With the right size it must not
 * be. */
#define SAYS_WRONG_SIZE(type, last, value, call)                                           \
  do {                                                                                     \
    hirenow_error *why = NULL;                                                             \
    {                                                                                      \
      type sound = (value), *s = &sound;                                                   \
      (void)(call);                                                                        \
      CHECK(!why || !strstr(hirenow_error_get_message(why), "struct_size"));               \
      hirenow_error_free(why);                                                             \
      why = NULL;                                                                          \
      sound.struct_size = 1;                                                               \
      IS(call, HIRENOW_INVALID_ARGUMENT);                                                  \
      CHECK(why && strstr(hirenow_error_get_message(why), "struct_size"));                 \
    }                                                                                      \
    REFUSES_WRONG_SIZES(type, last, value, (hirenow_error_free(why), why = NULL, (call))); \
    hirenow_error_free(why);                                                               \
  } while (0)

/* What a change set holds, one row of it at a time. */
static void test_sizes_of_rows(hirenow_store *store) {
  static const char id[] = "0190f5fe-7c00-7a3b-8d41-5e6f708192a3";
  hirenow_record_row head = HIRENOW_RECORD_ROW_INIT;
  head.applicant_id = "sizes";
  hirenow_change_set c = HIRENOW_CHANGE_SET_INIT;
  c.tenant = "acme";
  c.applicant_id = "sizes";
  c.head = &head;
  SAYS_WRONG_SIZE(hirenow_change_set, drop_count, c, hirenow_store_commit(store, s, &why));
  SAYS_WRONG_SIZE(hirenow_record_row, audit_head, head, (c.head = s, hirenow_store_commit(store, &c, &why)));
  c.head = &head;

  hirenow_interview_row row = HIRENOW_INTERVIEW_ROW_INIT;
  hirenow_interview_change interview = HIRENOW_INTERVIEW_CHANGE_INIT;
  snprintf(row.id, sizeof row.id, "%s", id);
  row.track = row.kid = "t";
  interview.after = &row;
  const hirenow_interview_change *interviews[] = {&interview};
  c.interviews = interviews;
  c.interview_count = 1;
  SAYS_WRONG_SIZE(hirenow_interview_change, sitting_changed, interview,
                  (interviews[0] = s, hirenow_store_commit(store, &c, &why)));
  interviews[0] = &interview;
  SAYS_WRONG_SIZE(hirenow_interview_row, key_hash, row, (interview.after = s, hirenow_store_commit(store, &c, &why)));
  c.interview_count = 0;

  hirenow_waiver_row exception = HIRENOW_WAIVER_ROW_INIT;
  hirenow_waiver_change waiver = HIRENOW_WAIVER_CHANGE_INIT;
  exception.track = exception.rule_id = exception.reason_code = exception.granted_by = "w";
  waiver.after = &exception;
  const hirenow_waiver_change *waivers[] = {&waiver};
  c.waivers = waivers;
  c.waiver_count = 1;
  SAYS_WRONG_SIZE(hirenow_waiver_change, before, waiver, (waivers[0] = s, hirenow_store_commit(store, &c, &why)));
  waivers[0] = &waiver;
  SAYS_WRONG_SIZE(hirenow_waiver_row, state, exception, (waiver.after = s, hirenow_store_commit(store, &c, &why)));
  c.waiver_count = 0;

  hirenow_fact_row fact = HIRENOW_FACT_ROW_INIT;
  const hirenow_fact_row *facts[] = {&fact};
  c.facts = facts;
  c.fact_count = 1;
  SAYS_WRONG_SIZE(hirenow_fact_row, sequence, fact, (facts[0] = s, hirenow_store_commit(store, &c, &why)));
  c.fact_count = 0;

  hirenow_audit_row entry = HIRENOW_AUDIT_ROW_INIT;
  const hirenow_audit_row *audit[] = {&entry};
  c.audit = audit;
  c.audit_count = 1;
  SAYS_WRONG_SIZE(hirenow_audit_row, hash, entry, (audit[0] = s, hirenow_store_commit(store, &c, &why)));
  c.audit_count = 0;

  hirenow_withdrawal withdrawal = HIRENOW_WITHDRAWAL_INIT;
  snprintf(withdrawal.interview_id, sizeof withdrawal.interview_id, "%s", id);
  const hirenow_withdrawal *withdrawals[] = {&withdrawal};
  c.withdrawals = withdrawals;
  c.withdrawal_count = 1;
  SAYS_WRONG_SIZE(hirenow_withdrawal, kinds, withdrawal, (withdrawals[0] = s, hirenow_store_commit(store, &c, &why)));
  c.withdrawal_count = 0;

  hirenow_message_row message = HIRENOW_MESSAGE_ROW_INIT;
  snprintf(message.key.interview_id, sizeof message.key.interview_id, "%s", id);
  const hirenow_message_row *messages[] = {&message};
  c.messages = messages;
  c.message_count = 1;
  SAYS_WRONG_SIZE(hirenow_message_row, last_answer, message, (messages[0] = s, hirenow_store_commit(store, &c, &why)));
  c.message_count = 0;

  hirenow_policy_row policy = HIRENOW_POLICY_ROW_INIT;
  const hirenow_policy_row *policies[] = {&policy};
  c.policies = policies;
  c.policy_count = 1;
  SAYS_WRONG_SIZE(hirenow_policy_row, hash, policy, (policies[0] = s, hirenow_store_commit(store, &c, &why)));
  c.policy_count = 0;

  hirenow_answer_row answer = HIRENOW_ANSWER_ROW_INIT;
  SAYS_WRONG_SIZE(hirenow_answer_row, expires_at, answer, (c.answer = s, hirenow_store_commit(store, &c, &why)));
}

/* What a store is asked, and what is told of a claimed message. */
#define FRESH(rows) (hirenow_rows_free(rows), (rows) = NULL)
static void test_sizes_of_requests(hirenow_store *store) {
  hirenow_rows *rows = NULL;
  hirenow_load_request load = HIRENOW_LOAD_REQUEST_INIT;
  load.tenant = "acme";
  load.applicant_id = "sizes";
  SAYS_WRONG_SIZE(hirenow_load_request, with_others, load,
                  (FRESH(rows), hirenow_store_load(store, s, &rows, &why)));
  hirenow_list_request list = HIRENOW_LIST_REQUEST_INIT;
  list.tenant = "acme";
  list.limit = 1;
  SAYS_WRONG_SIZE(hirenow_list_request, limit, list, (FRESH(rows), hirenow_store_list(store, s, &rows, &why)));
  hirenow_policy_request policies = HIRENOW_POLICY_REQUEST_INIT;
  policies.tenant = "acme";
  policies.limit = 1;
  SAYS_WRONG_SIZE(hirenow_policy_request, limit, policies,
                  (FRESH(rows), hirenow_store_policies(store, s, &rows, &why)));
  hirenow_message_request messages = HIRENOW_MESSAGE_REQUEST_INIT;
  messages.tenant = "acme";
  messages.limit = 1;
  SAYS_WRONG_SIZE(hirenow_message_request, limit, messages,
                  (FRESH(rows), hirenow_store_messages(store, s, &rows, &why)));
  hirenow_claim_request claim = HIRENOW_CLAIM_REQUEST_INIT;
  SAYS_WRONG_SIZE(hirenow_claim_request, token, claim, (FRESH(rows), hirenow_store_claim(store, s, &rows, &why)));
  hirenow_rows_free(rows);
  hirenow_settlement settled = HIRENOW_SETTLEMENT_INIT;
  settled.tenant = "acme";
  snprintf(settled.key.interview_id, sizeof settled.key.interview_id, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3");
  const hirenow_settlement *all[] = {&settled};
  SAYS_WRONG_SIZE(hirenow_settlement, answer, settled,
                  (all[0] = s, hirenow_store_settle(store, all, 1, NULL, &why)));
  hirenow_allowance_request allowance = HIRENOW_ALLOWANCE_REQUEST_INIT;
  allowance.per_minute = 60;
  const hirenow_allowance_request *requests[] = {&allowance};
  SAYS_WRONG_SIZE(hirenow_allowance_request, returned, allowance,
                  (requests[0] = s, hirenow_store_allow(store, requests, 1, NULL, NULL, NULL, &why)));
  allowance.per_minute = 0;
  requests[0] = &allowance;
  IS(hirenow_store_allow(store, requests, 1, NULL, NULL, NULL, NULL), HIRENOW_INVALID_ARGUMENT);
  hirenow_checkpoint_request progress = HIRENOW_CHECKPOINT_REQUEST_INIT;
  progress.tenant = "acme";
  SAYS_WRONG_SIZE(hirenow_checkpoint_request, size, progress, hirenow_store_save_progress(store, s, NULL, &why));
}

static hirenow_status make_no_store(void *ctx, hirenow_store **out) {
  return (void)ctx, (void)out, HIRENOW_STORE_UNAVAILABLE;
}
static hirenow_status no_load(void *ctx, const hirenow_load_request *request, hirenow_reply *reply) {
  return (void)ctx, (void)request, (void)reply, HIRENOW_STORE_UNAVAILABLE;
}
static hirenow_status execute_nothing(void *ctx, const char *sql, const hirenow_value *parameters, size_t count,
                                      hirenow_reply *reply) {
  return (void)ctx, (void)sql, (void)parameters, (void)count, (void)reply, HIRENOW_STORE_UNAVAILABLE;
}
static hirenow_status stand_nowhere(void *ctx, int32_t *standing, hirenow_reply *reply) {
  return (void)ctx, (void)standing, (void)reply, HIRENOW_STORE_UNAVAILABLE;
}
static hirenow_status open_nothing(void *ctx, hirenow_connection_callbacks *connection, hirenow_reply *reply) {
  return (void)ctx, (void)connection, (void)reply, HIRENOW_STORE_UNAVAILABLE;
}

static void test_sizes_of_callbacks(void) {
  hirenow_store *made = NULL;
  hirenow_store_callbacks callbacks = HIRENOW_STORE_CALLBACKS_INIT;
  callbacks.load = no_load;
  fill_store_callbacks(&callbacks);
  SAYS_WRONG_SIZE(hirenow_store_callbacks, outbox, callbacks,
                  (hirenow_store_free(made), made = NULL, hirenow_store_new(s, &made, &why)));
  size_t done = 0, bad = 0;
  hirenow_text *report = NULL;
  hirenow_check_options few = HIRENOW_CHECK_OPTIONS_INIT;
  SAYS_WRONG_SIZE(hirenow_check_options, threads, few,
                  (hirenow_text_free(report), report = NULL,
                   hirenow_check_store(make_no_store, NULL, s, &done, &bad, &report, &why)));
  hirenow_text_free(report);
  hirenow_connection_callbacks connection = HIRENOW_CONNECTION_CALLBACKS_INIT;
  connection.execute = execute_nothing;
  connection.in_transaction = stand_nowhere;
  SAYS_WRONG_SIZE(hirenow_connection_callbacks, dialect, connection,
                  (hirenow_store_free(made), made = NULL, hirenow_store_join_connection(s, NULL, 0, &made, &why)));
  hirenow_connector_callbacks connector = HIRENOW_CONNECTOR_CALLBACKS_INIT;
  connector.open = open_nothing;
  SAYS_WRONG_SIZE(hirenow_connector_callbacks, destroy, connector,
                  hirenow_store_open_through("absent.db", s, NULL, &made, &why));
}

static void test_sizes(struct world *w) {
  hirenow_store *store = NULL;
  IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
  test_sizes_of_rows(store);
  test_sizes_of_requests(store);
  hirenow_store_free(store);
  test_sizes_of_callbacks();

  hirenow_interview *i = schedule(w, "sizes", "sizes"), *other = NULL;
  hirenow_interview_row row = HIRENOW_INTERVIEW_ROW_INIT;
  IS(hirenow_interview_get_row(i, &row, NULL), HIRENOW_OK);
  hirenow_deadline_terms due = HIRENOW_DEADLINE_TERMS_INIT;
  SAYS_WRONG_SIZE(hirenow_deadline_terms, cut, due, hirenow_interview_row_deadline(&row, w->now, s, &why));
  hirenow_accommodation more = HIRENOW_ACCOMMODATION_INIT;
  SAYS_WRONG_SIZE(hirenow_accommodation, idempotency_key, more,
                  hirenow_accommodate(w->engine, row.id, &w->admin, s, &other, &why));
  hirenow_link_requested answer = HIRENOW_LINK_REQUESTED_INIT;
  SAYS_WRONG_SIZE(hirenow_link_requested, replayed, answer,
                  hirenow_request_link(w->engine, token_of(hirenow_interview_get_link(i)), NULL, s, &why));
  hirenow_interview_free(i);

  hirenow_text *text = NULL;
  hirenow_token_claims claims = HIRENOW_TOKEN_CLAIMS_INIT;
  SAYS_WRONG_SIZE(hirenow_token_claims, expires_at, claims, hirenow_token_mint(w->keys, "k1", s, &text, &why));
  hirenow_mail mail = HIRENOW_MAIL_INIT;
  mail.subject = mail.text = "";
  int32_t outcome = 0, code = 0;
  SAYS_WRONG_SIZE(hirenow_mail, language, mail,
                  (hirenow_text_free(text), text = NULL,
                   hirenow_mailer_send(w->mailer, s, &outcome, &code, &text, &why)));
  hirenow_text_free(text);
  hirenow_templates *templates = NULL;
  IS(hirenow_templates_new(&templates, NULL), HIRENOW_OK);
  hirenow_message_view view = HIRENOW_MESSAGE_VIEW_INIT;
  hirenow_rendered *rendered = NULL;
  SAYS_WRONG_SIZE(hirenow_message_view, time_limit_seconds, view,
                  (hirenow_rendered_free(rendered), rendered = NULL,
                   hirenow_templates_render(templates, HIRENOW_MESSAGE_CANCELLED, "en", s, &rendered, &why)));
  hirenow_rendered_free(rendered);
  hirenow_templates_free(templates);
}
