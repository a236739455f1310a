/* Structs as a program of an older version has them: shorter than ours, with something else right behind them. Part of
 * c_survival_test.c. The cuts are where the first version of a struct ended. */

#define OLD_SIZE(type, first_later_field) offsetof(type, first_later_field)

/* The beginning of a struct, alone in its block, so that a sanitizer sees whoever looks behind it. */
static void *old_struct(const void *whole, size_t size) {
  unsigned char *old = malloc(size);
  if (!old) exit(1);
  memcpy(old, whole, size);
  memcpy(old, &size, sizeof size);
  return old;
}

/* The same in a place that goes on, and whose rest must stay as it is. */
struct old_place {
  union {
    size_t struct_size;
    unsigned char bytes[1024];
  } u;
};
static void *old_place(struct old_place *p, const void *whole, size_t size) {
  memset(p, 0xa5, sizeof *p);
  memcpy(p, whole, size);
  p->u.struct_size = size;
  return p;
}
static int untouched(const struct old_place *p, size_t size) {
  if (p->u.struct_size != size) return 0;
  for (size_t n = size; n < sizeof *p; ++n)
    if (p->u.bytes[n] != 0xa5) return 0;
  return 1;
}

/* A store whose rows are of an older version: it answers one interview. */
struct old_store {
  void *interview;
  char id[40];
};
static hirenow_status load_old(void *ctx, const hirenow_load_request *request, hirenow_reply *reply) {
  const struct old_store *s = ctx;
  static const uint8_t salt[16] = {1};
  hirenow_record_row record = HIRENOW_RECORD_ROW_INIT;
  record.applicant_id = "old";
  record.email = "old@example.com";
  record.salt = salt;
  record.salt_size = sizeof salt;
  record.version = record.sequence = 1;
  record.last_instant = start;
  (void)request;
  IS(hirenow_reply_set_record(reply, &record), HIRENOW_OK);
  return hirenow_reply_add_interview(reply, s->interview);
}

static void test_rows_of_an_old_store(struct world *w, hirenow_interview *i) {
  const size_t size = OLD_SIZE(hirenow_interview_row, ends_by);
  struct old_store old;
  hirenow_interview_row row = HIRENOW_INTERVIEW_ROW_INIT;
  IS(hirenow_interview_get_row(i, &row, NULL), HIRENOW_OK);
  old.interview = old_struct(&row, size);
  hirenow_store_callbacks c = HIRENOW_STORE_CALLBACKS_INIT;
  fill_store_callbacks(&c);
  c.ctx = &old;
  c.load = load_old;
  hirenow_store *store = NULL;
  hirenow_engine *engine = NULL;
  hirenow_interview *found = NULL;
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  options.clock = w->clock;
  IS(hirenow_store_new(&c, &store, NULL), HIRENOW_OK);
  IS(hirenow_engine_new(store, &options, &engine, NULL), HIRENOW_OK);
  hirenow_store_free(store);
  IS(hirenow_find(engine, row.id, &w->admin, &found, NULL), HIRENOW_OK);
  hirenow_interview_row told = HIRENOW_INTERVIEW_ROW_INIT;
  IS(hirenow_interview_get_row(found, &told, NULL), HIRENOW_OK);
  CHECK(told.extra_percent == 100 && told.ends_by == HIRENOW_NONE && told.start_by == row.start_by);
  hirenow_interview_free(found);
  free(old.interview);

  /* One that knows the newer fields and leaves them zero says 100 percent, not none. */
  row.extra_percent = 0;
  old.interview = &row;
  IS(hirenow_find(engine, row.id, &w->admin, &found, NULL), HIRENOW_OK);
  IS(hirenow_interview_get_row(found, &told, NULL), HIRENOW_OK);
  CHECK(told.extra_percent == 100);
  hirenow_interview_free(found);
  hirenow_deadline_terms terms = HIRENOW_DEADLINE_TERMS_INIT;
  IS(hirenow_interview_row_deadline(&row, start, &terms, NULL), HIRENOW_OK);
  CHECK(terms.deadline == start + row.time_limit_seconds && row.time_limit_seconds > 0);
  hirenow_engine_free(engine);
}

static void test_old_program(struct world *w) {
  hirenow_applicant person = HIRENOW_APPLICANT_INIT;
  person.id = "old";
  person.email = "old@example.com";
  hirenow_schedule_request request = HIRENOW_SCHEDULE_REQUEST_INIT;
  request.applicant = &person;
  request.track = "old";
  request.ends_by = 1; /* long over: refused where it is read */
  hirenow_interview *out = NULL;
  IS(hirenow_schedule(w->engine, &request, &w->recruiter, &out, NULL), HIRENOW_INVALID_ARGUMENT);
  void *old = old_struct(&request, OLD_SIZE(hirenow_schedule_request, ends_by));
  IS(hirenow_schedule(w->engine, old, &w->recruiter, &out, NULL), HIRENOW_OK);
  free(old);
  if (!out) return;

  hirenow_retake_options terms = HIRENOW_RETAKE_OPTIONS_INIT;
  hirenow_interview *again = NULL;
  terms.extend_by_seconds = -1;
  IS(hirenow_reissue(w->engine, hirenow_interview_get_id(out), &w->recruiter, &terms, &again, NULL),
     HIRENOW_INVALID_ARGUMENT);
  old = old_struct(&terms, OLD_SIZE(hirenow_retake_options, ends_by));
  IS(hirenow_reissue(w->engine, hirenow_interview_get_id(out), &w->recruiter, old, &again, NULL), HIRENOW_OK);
  hirenow_interview_free(again);
  free(old);

  hirenow_dispatcher_options dispatching = HIRENOW_DISPATCHER_OPTIONS_INIT;
  hirenow_dispatcher *dispatcher = NULL;
  dispatching.sender_address = "old@example.com";
  old = old_struct(&dispatching, OLD_SIZE(hirenow_dispatcher_options, render));
  IS(hirenow_dispatcher_new(w->engine, w->mailer, old, &dispatcher, NULL), HIRENOW_OK);
  IS(hirenow_dispatcher_dispatch_due(dispatcher, 0, NULL, NULL), HIRENOW_OK);
  hirenow_dispatcher_free(dispatcher);
  free(old);

  /* What is to be filled is filled as far as it reaches. */
  const size_t size = OLD_SIZE(hirenow_interview_row, ends_by);
  struct old_place p;
  hirenow_interview_row *row = old_place(&p, &(hirenow_interview_row)HIRENOW_INTERVIEW_ROW_INIT, size);
  IS(hirenow_interview_get_row(out, row, NULL), HIRENOW_OK);
  CHECK(untouched(&p, size) && row->state == HIRENOW_STATE_SCHEDULED && row->generation == 1);
  IS(hirenow_interview_row_apply(row, HIRENOW_EVENT_START, HIRENOW_AUTHORITY_TOKEN, w->now, NULL), HIRENOW_OK);
  CHECK(untouched(&p, size) && row->state == HIRENOW_STATE_IN_PROGRESS);
  CHECK(row->deadline == w->now + row->time_limit_seconds);
  p.u.struct_size = size - 8; /* older than the first */
  IS(hirenow_interview_get_row(out, row, NULL), HIRENOW_INVALID_ARGUMENT);

  test_rows_of_an_old_store(w, out);
  hirenow_interview_free(out);
}
