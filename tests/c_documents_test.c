/* Every JSON document of the C interface has the members that docs/c_documents.md lists, of those kinds, and no others. */

#include "c/spec.h"

#include "c/absent_store.h"

/* ---- The page: sections, and in them rows of a name and a kind ---- */

struct row {
  char section[32], member[32], kind[32];
};
static struct row rows[320];
static size_t row_count;
static char seen[64][32];
static size_t seen_count;

static void read_page(void) {
  char path[4096], line[1024], section[32] = "";
  snprintf(path, sizeof path, "%s/docs/c_documents.md", HIRENOW_SOURCE_DIR);
  FILE *file = fopen(path, "r");
  if (!file) stop("cannot read", path);
  while (fgets(line, sizeof line, file)) {
    struct row r;
    memset(&r, 0, sizeof r);
    if (sscanf(line, "### %31s", section) == 1) continue;
    if (!*section || sscanf(line, "| `%31[^`]` | %31[^ |] |", r.member, r.kind) != 2) continue;
    memcpy(r.section, section, sizeof section);
    if (row_count == sizeof rows / sizeof rows[0]) stop("too many rows", line);
    rows[row_count++] = r;
  }
  fclose(file);
}

static int is_section(const char *name) {
  for (size_t n = 0; n < row_count; ++n)
    if (strcmp(rows[n].section, name) == 0) return 1;
  return 0;
}
static void see(const char *section) {
  for (size_t n = 0; n < seen_count; ++n)
    if (strcmp(seen[n], section) == 0) return;
  snprintf(seen[seen_count++], sizeof seen[0], "%s", section);
}

static void fault(const char *section, const char *member_name, const char *what) {
  ++checks;
  ++failures;
  fprintf(stderr, "%s.%s: %s\n", section, member_name, what);
}

static void check_object(const char *section, const cJSON *object, int is_document);

static int is_of_kind(const cJSON *value, const char *kind) {
  char name[32];
  const size_t length = strlen(kind);
  if (strcmp(kind, "any") == 0) return 1;
  if (kind[length - 1] == '?') {
    snprintf(name, sizeof name, "%.*s", (int)length - 1, kind);
    return cJSON_IsNull(value) || is_of_kind(value, name);
  }
  if (kind[0] == '[') {
    snprintf(name, sizeof name, "%.*s", (int)length - 2, kind + 1);
    const cJSON *one = NULL;
    if (!cJSON_IsArray(value)) return 0;
    cJSON_ArrayForEach(one, value) if (!is_of_kind(one, name)) return 0;
    return 1;
  }
  if (strcmp(kind, "text") == 0) return cJSON_IsString(value);
  if (strcmp(kind, "number") == 0) return cJSON_IsNumber(value);
  if (strcmp(kind, "boolean") == 0) return cJSON_IsBool(value);
  if (!is_section(kind) || !cJSON_IsObject(value)) return 0;
  check_object(kind, value, 0);
  return 1;
}

static void check_object(const char *section, const cJSON *object, int is_document) {
  see(section);
  int listed = 0;
  for (size_t n = 0; n < row_count; ++n) {
    if (strcmp(rows[n].section, section) != 0) continue;
    ++listed;
    const cJSON *found = member(object, rows[n].member);
    if (!found)
      fault(section, rows[n].member, "is on the page and not in the document");
    else if (!is_of_kind(found, rows[n].kind))
      fault(section, rows[n].member, "is of another kind than the page says");
    else
      ++checks;
  }
  if (is_document && number_in(object, "hirenow_json") != 1) fault(section, "hirenow_json", "is not 1");
  const cJSON *one = NULL;
  cJSON_ArrayForEach(one, object) {
    int found = is_document && strcmp(one->string, "hirenow_json") == 0;
    for (size_t n = 0; n < row_count; ++n)
      found |= strcmp(rows[n].section, section) == 0 && strcmp(rows[n].member, one->string) == 0;
    if (!found) fault(section, one->string, "is in the document and not on the page");
  }
  if (!listed) fault(section, "", "is no section of the page");
}

static void check_document(const char *section, hirenow_status status, hirenow_text *text) {
  IS(status, HIRENOW_OK);
  cJSON *document = text ? cJSON_Parse(hirenow_text_get(text)) : NULL;
  CHECK(document != NULL);
  if (document) check_object(section, document, 1);
  cJSON_Delete(document);
  hirenow_text_free(text);
}

/* ---- The documents ---- */

static void check_rows(const char *section, hirenow_rows *some) {
  hirenow_text *text = NULL;
  const hirenow_status status = hirenow_rows_json(some, &text, NULL);
  check_document(section, status, text);
  hirenow_rows_free(some);
}

static int pages;
static int32_t look_at_page(void *ctx, const hirenow_what_if_counts *so_far, const char *page_json) {
  cJSON *document = cJSON_Parse(page_json);
  ++*(int *)ctx;
  CHECK(document && so_far->applicants > 0);
  if (document) check_object("what_if", document, 1);
  cJSON_Delete(document);
  return 0;
}
static int32_t stop_at_page(void *ctx, const hirenow_what_if_counts *so_far, const char *page_json) {
  struct world *w = ctx;
  hirenow_sweep_report *report = NULL;
  (void)so_far, (void)page_json;
  IS(hirenow_sweep(w->engine, 0, &report, NULL), HIRENOW_REENTRANT_CALL);
  return 1;
}

static void test_answers(struct world *w) {
  hirenow_text *text = NULL;
  hirenow_interview *i = sit_and_submit(w, "ada", "documents"), *failed = NULL;
  const char *id = hirenow_interview_get_id(i);
  hirenow_change change = HIRENOW_CHANGE_INIT;
  change.outcome = HIRENOW_OUTCOME_FAILED;
  change.has_score = 1;
  change.score = 0.5;
  IS(hirenow_decide(w->engine, id, &w->admin, &change, &failed, NULL), HIRENOW_OK);
  hirenow_status status = hirenow_interview_json(failed, &text, NULL);
  check_document("interview", status, text);
  hirenow_interview_free(failed);

  hirenow_eligibility *may = NULL;
  IS(hirenow_retake_eligibility(w->engine, id, &w->recruiter, &may, NULL), HIRENOW_OK);
  status = hirenow_eligibility_json(may, &text, NULL);
  check_document("eligibility", status, text);
  hirenow_eligibility_free(may);
  hirenow_actions *actions = NULL;
  IS(hirenow_permitted_actions(w->engine, id, &w->recruiter, &actions, NULL), HIRENOW_OK);
  status = hirenow_actions_json(actions, &text, NULL);
  check_document("actions", status, text);
  hirenow_actions_free(actions);
  hirenow_page *page = NULL;
  IS(hirenow_list(w->engine, NULL, &w->admin, &page, NULL), HIRENOW_OK);
  status = hirenow_page_json(page, &text, NULL);
  check_document("page", status, text);
  hirenow_page_free(page);

  hirenow_rows *some = NULL;
  IS(hirenow_history(w->engine, id, &w->admin, &some, NULL), HIRENOW_OK);
  check_rows("history", some);
  IS(hirenow_read_audit(w->engine, "ada", &w->admin, 0, 0, &some, NULL), HIRENOW_OK);
  check_rows("entries", some);
  IS(hirenow_read_messages(w->engine, NULL, &w->admin, &some, NULL), HIRENOW_OK);
  check_rows("messages", some);
  hirenow_store *store = NULL;
  IS(hirenow_engine_store(w->engine, &store, NULL), HIRENOW_OK);
  hirenow_list_request request = HIRENOW_LIST_REQUEST_INIT;
  request.tenant = "acme";
  request.at = w->now;
  request.limit = 5;
  IS(hirenow_store_list(store, &request, &some, NULL), HIRENOW_OK);
  check_rows("page", some);
  hirenow_store_free(store);

  hirenow_waiver_request exception = HIRENOW_WAIVER_REQUEST_INIT;
  exception.applicant_id = "ada";
  exception.track = "documents";
  exception.rule_id = "wait-14-days";
  exception.reason_code = "visa_delay";
  exception.expires_at = w->now + 86400;
  IS(hirenow_grant_waiver(w->engine, &exception, &w->admin, &some, NULL, NULL), HIRENOW_OK);
  check_rows("waivers", some);
  const char *policy = "{\"hirenow_policy\":1,\"version\":\"v\",\"rules\":[]}";
  IS(hirenow_set_policy(w->engine, "elsewhere", policy, &w->admin, NULL), HIRENOW_OK);
  IS(hirenow_policies(w->engine, "elsewhere", &w->admin, HIRENOW_NONE, 0, 0, &some, NULL), HIRENOW_OK);
  check_rows("policies", some);
  hirenow_what_if_query tried = HIRENOW_WHAT_IF_QUERY_INIT;
  hirenow_what_if_counts counts = HIRENOW_WHAT_IF_COUNTS_INIT;
  tried.document =
      "{\"hirenow_policy\":1,\"version\":\"v\",\"rules\":[{\"rule\":\"most\",\"id\":\"once\",\"attempts\":1}]}";
  IS(hirenow_what_if(w->engine, &tried, &w->admin, look_at_page, &pages, &counts, NULL), HIRENOW_OK);
  CHECK(pages == 1 && counts.tracks == 1 && counts.cease == 1 && counts.applicants == 1);
  IS(hirenow_what_if(w->engine, &tried, &w->admin, stop_at_page, w, &counts, NULL), HIRENOW_OPERATION_ABORTED);

  hirenow_token *token = NULL;
  IS(hirenow_token_verify(w->keys, token_of(hirenow_interview_get_link(i)), "hirenow", "interview", &token, NULL),
     HIRENOW_OK);
  status = hirenow_token_json(token, &text, NULL);
  check_document("token", status, text);
  hirenow_token_free(token);
  hirenow_interview_free(i);
}

/* A sweep whose one record cannot be loaded. */
static hirenow_status one_due(void *ctx, int64_t at, size_t limit, const char *cursor, hirenow_reply *reply) {
  (void)ctx, (void)limit, (void)cursor;
  return hirenow_reply_add_due(reply, "acme", "ada", at);
}
static hirenow_status prune_nothing(void *ctx, int64_t now, size_t limit, size_t *pruned, hirenow_reply *reply) {
  return (void)ctx, (void)now, (void)limit, (void)pruned, (void)reply, HIRENOW_OK;
}
static hirenow_status load_nothing(void *ctx, const hirenow_load_request *request, hirenow_reply *reply) {
  return (void)ctx, (void)request, hirenow_reply_fail(reply, HIRENOW_STORE_CORRUPT, "unreadable", "");
}
static void test_sweep(struct world *w) {
  hirenow_store_callbacks c = HIRENOW_STORE_CALLBACKS_INIT;
  fill_store_callbacks(&c);
  c.load = load_nothing;
  c.due = one_due;
  c.prune = prune_nothing;
  hirenow_store *store = NULL;
  hirenow_engine *engine = NULL;
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys = w->keys;
  IS(hirenow_store_new(&c, &store, NULL), HIRENOW_OK);
  IS(hirenow_engine_new(store, &options, &engine, NULL), HIRENOW_OK);
  hirenow_store_free(store);
  hirenow_sweep_report *report = NULL;
  hirenow_text *text = NULL;
  IS(hirenow_sweep(engine, 0, &report, NULL), HIRENOW_OK);
  CHECK(hirenow_sweep_report_get_failed_count(report) == 1);
  CHECK(strcmp(hirenow_sweep_report_get_failed_tenant(report, 0), "acme") == 0);
  CHECK(strcmp(hirenow_sweep_report_get_failed_applicant_id(report, 0), "ada") == 0);
  IS(hirenow_sweep_report_get_failed_status(report, 0), HIRENOW_STORE_CORRUPT);
  const hirenow_status status = hirenow_sweep_report_json(report, &text, NULL);
  check_document("sweep", status, text);
  hirenow_sweep_report_free(report);
  hirenow_engine_free(engine);
}

int main(void) {
  read_page();
  struct world w;
  hirenow_store *store = NULL;
  IS(hirenow_store_open("memory:", NULL, &store, NULL), HIRENOW_OK);
  open_world(&w, store);
  hirenow_store_free(store);
  test_answers(&w);
  test_sweep(&w);
  close_world(&w);
  for (size_t n = 0; n < row_count; ++n) {
    int was_seen = 0;
    for (size_t m = 0; m < seen_count; ++m) was_seen |= strcmp(seen[m], rows[n].section) == 0;
    if (!was_seen) fault(rows[n].section, rows[n].member, "no document showed it");
  }
  return end_of_tests();
}
