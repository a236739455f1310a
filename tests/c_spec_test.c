/* Behaviour as data, from strict C99: every token vector, every case of a retake policy, every cell of the lifecycle.
 * */

#include "c/spec.h"

/* ---- Tokens ------------------------------------------------------------------------------------------------------ */

static void check_claims(const char *where, const hirenow_token *token, const cJSON *due, const hirenow_keys *keys,
                         const char *kid, const char *serialised) {
  hirenow_token_claims c = HIRENOW_TOKEN_CLAIMS_INIT;
  IS(hirenow_token_get_claims(token, &c, NULL), HIRENOW_OK);
  same_text(where, "iss", c.issuer, text_in(due, "iss"));
  same_text(where, "aud", c.audience, text_in(due, "aud"));
  same_text(where, "sub", c.subject, text_in(due, "sub"));
  same_text(where, "tenant", c.tenant, text_in(due, "tenant"));
  same_text(where, "interview_id", c.interview_id, text_in(due, "interview_id"));
  same_number(where, "generation", c.generation, number_in(due, "generation"));
  same_number(where, "attempt", c.attempt, number_in(due, "attempt"));
  same_number(where, "iat", c.issued_at, number_in(due, "iat"));
  same_number(where, "nbf", c.not_before, number_in(due, "nbf"));
  same_number(where, "exp", c.expires_at, number_in(due, "exp"));
  if (!kid) return;
  hirenow_text *minted = NULL;
  IS(hirenow_token_mint(keys, kid, &c, &minted, NULL), HIRENOW_OK);
  same_text(where, "what is minted", hirenow_text_get(minted), serialised);
  hirenow_text_free(minted);
}

static void play_token_vectors(void) {
  cJSON *spec = read_spec("token_vectors.json");
  char *document = cJSON_PrintUnformatted(need(spec, "keys"));
  hirenow_keys *keys = NULL;
  IS(hirenow_keys_from_json(document, &keys, NULL), HIRENOW_OK);
  const char *issuer = text_in(need(spec, "expectation"), "issuer");
  const char *audience = text_in(need(spec, "expectation"), "audience");
  int played = 0, minted = 0;
  const cJSON *v;
  cJSON_ArrayForEach(v, need(spec, "vectors")) {
    const char *name = text_in(v, "name"), *token = text_in(v, "token"), *expect = text_in(v, "expect");
    if (!is_text(token)) continue;
    ++played;
    hirenow_token *read = NULL;
    hirenow_error *error = NULL;
    const hirenow_status status = hirenow_token_verify(keys, token, issuer, audience, &read, &error);
    same_text(name, "the answer", status == HIRENOW_OK ? "ok" : hirenow_error_get_reason(error), expect);
    if (status != HIRENOW_OK) same_text(name, "the error", hirenow_status_name(status), "token_invalid");
    if (status == HIRENOW_OK && strcmp(expect, "ok") == 0)
      check_claims(name, read, need(v, "claims"), keys, text_or(v, "minted_by", NULL), token);
    minted += member(v, "minted_by") != NULL;
    hirenow_error_free(error);
    hirenow_token_free(read);
  }
  CHECK(played >= 250 && minted >= 10);
  hirenow_keys_free(keys);
  free(document);
  cJSON_Delete(spec);
}

/* ---- Retake policies --------------------------------------------------------------------------------------------- */

static void numbered_id(char *id, size_t size, size_t n) {
  snprintf(id, size, "00000000-0000-0000-0000-%012x", (unsigned)n + 1);
}

static hirenow_eligibility *evaluate_case(const hirenow_policy *policy, const cJSON *c, int64_t now) {
  static const char *const members[] = {"track", "kind", "time_zone", "history", "facts", "waivers"};
  cJSON *asked = cJSON_CreateObject();
  cJSON_AddStringToObject(asked, "track", text_or(c, "track", "t"));
  for (size_t n = 1; n < sizeof members / sizeof members[0]; ++n)
    if (member(c, members[n])) cJSON_AddItemToObject(asked, members[n], cJSON_Duplicate(member(c, members[n]), 1));
  char instant[40];
  const time_t at = (time_t)now;
  strftime(instant, sizeof instant, "%Y-%m-%dT%H:%M:%SZ", gmtime(&at));
  cJSON_AddStringToObject(asked, "now", instant);
  char *document = cJSON_PrintUnformatted(asked);
  hirenow_eligibility *may = NULL;
  hirenow_error *error = NULL;
  if (hirenow_policy_evaluate_case(policy, document, &may, &error) != HIRENOW_OK)
    stop(hirenow_error_get_message(error), text_in(c, "id"));
  free(document);
  cJSON_Delete(asked);
  return may;
}

static cJSON *document_of(const hirenow_eligibility *may) {
  hirenow_text *text = NULL;
  IS(hirenow_eligibility_json(may, &text, NULL), HIRENOW_OK);
  cJSON *out = cJSON_Parse(hirenow_text_get(text));
  if (!out) stop("no JSON", "eligibility");
  hirenow_text_free(text);
  return out;
}

static int64_t instant_or_number(const cJSON *due) {
  return cJSON_IsNull(due) ? HIRENOW_NONE : instant_of(due->valuestring);
}
static int64_t number_or_null(const cJSON *got) {
  return cJSON_IsNumber(got) ? (int64_t)got->valuedouble : HIRENOW_NONE;
}

/* Instants are texts in the file and numbers in the document; attempts are indexes there and ids here. */
static void check_verdict(const char *where, const cJSON *due, const cJSON *got) {
  const cJSON *m;
  cJSON_ArrayForEach(m, due) {
    const cJSON *g = member(got, m->string);
    if (strcmp(m->string, "eligible_at") == 0 || strcmp(m->string, "eligible_until") == 0 ||
        strcmp(m->string, "since") == 0 || strcmp(m->string, "until") == 0) {
      same_number(where, m->string, number_or_null(g), instant_or_number(m));
    } else if (strcmp(m->string, "attempts") == 0) {
      same_number(where, "attempts", cJSON_GetArraySize(g), cJSON_GetArraySize(m));
      for (int n = 0; n < cJSON_GetArraySize(m) && n < cJSON_GetArraySize(g); ++n) {
        char id[40];
        numbered_id(id, sizeof id, (size_t)cJSON_GetArrayItem(m, n)->valuedouble);
        same_text(where, "an attempt", cJSON_GetArrayItem(g, n)->valuestring, id);
      }
    } else {
      same_json(where, m->string, g, m);
    }
  }
}

static void play_case(const cJSON *c, const hirenow_policy *policy) {
  const char *where = text_in(c, "id");
  const cJSON *expected = need(c, "expected"), *m;
  only(c, " id policy title source kind track time_zone history facts waivers now expected ", "");
  only(expected, " allowed reason eligible_at eligible_until all_reasons warnings waivers attempts_left ",
       " sentence sentence_de rules ");
  hirenow_eligibility *may = evaluate_case(policy, c, instant_in(c, "now"));
  cJSON *got = document_of(may);
  same_number(where, "allowed", hirenow_eligibility_get_allowed(may), cJSON_IsTrue(need(expected, "allowed")));
  same_text(where, "reason", hirenow_eligibility_get_reason(may), text_in(expected, "reason"));
  const int64_t at = hirenow_eligibility_get_eligible_at(may);
  if (member(expected, "eligible_at")) same_number(where, "eligible_at", at, instant_in(expected, "eligible_at"));
  if (member(expected, "eligible_until"))
    same_number(where, "eligible_until", number_or_null(need(got, "eligible_until")),
                instant_or_number(member(expected, "eligible_until")));
  if (member(expected, "attempts_left"))
    same_number(where, "attempts_left", hirenow_eligibility_get_attempts_left(may),
                number_or_null(member(expected, "attempts_left")));
  if (member(expected, "sentence")) {
    hirenow_text *sentence = NULL;
    IS(hirenow_eligibility_describe(may, &sentence, NULL), HIRENOW_OK);
    same_text(where, "sentence", hirenow_text_get(sentence), text_in(expected, "sentence"));
    hirenow_text_free(sentence);
  }
  if (member(expected, "sentence_de")) {
    hirenow_text *sentence = NULL;
    IS(hirenow_eligibility_describe_in(may, "de", &sentence, NULL), HIRENOW_OK);
    same_text(where, "sentence_de", hirenow_text_get(sentence), text_in(expected, "sentence_de"));
    hirenow_text_free(sentence);
  }
  cJSON_ArrayForEach(m, expected) {
    if (strcmp(m->string, "rules") != 0) continue;
    const cJSON *rules = need(got, "rules");
    same_number(where, "the rules", cJSON_GetArraySize(rules), cJSON_GetArraySize(m));
    for (int n = 0; n < cJSON_GetArraySize(m) && n < cJSON_GetArraySize(rules); ++n)
      check_verdict(where, cJSON_GetArrayItem(m, n), cJSON_GetArrayItem(rules, n));
  }
  static const char *const lists[] = {"all_reasons", "warnings", "waivers"};
  for (size_t n = 0; n < sizeof lists / sizeof lists[0]; ++n)
    if (member(expected, lists[n])) same_json(where, lists[n], member(got, lists[n]), member(expected, lists[n]));
  same_text(where, "policy_version", text_in(got, "policy_version"), hirenow_policy_get_version(policy));
  same_text(where, "policy_hash", text_in(got, "policy_hash"), hirenow_policy_get_hash(policy));
  cJSON_Delete(got);
  hirenow_eligibility_free(may);
  for (int n = 0; n < 2 && at != HIRENOW_NONE; ++n) { /* allowed at it, denied one second before */
    may = evaluate_case(policy, c, at - n);
    same_number(where, "allowed at eligible_at", hirenow_eligibility_get_allowed(may), !n);
    hirenow_eligibility_free(may);
  }
}

/* The JSON pointers that a refusal's message names, one behind the other. */
static cJSON *paths_in(const char *message) {
  cJSON *paths = cJSON_CreateArray();
  while (*message) {
    const char *end = strstr(message, "; "), *colon = strstr(message, ": ");
    if (!end) end = message + strlen(message);
    if (*message == '/') {
      char path[1024];
      const size_t size = (size_t)((colon && colon < end ? colon : end) - message);
      snprintf(path, sizeof path, "%.*s", (int)size, message);
      cJSON_AddItemToArray(paths, cJSON_CreateString(path));
    }
    message = *end ? end + 2 : end;
  }
  return paths;
}

static void play_retake_cases(void) {
  cJSON *spec = read_spec("retake_cases.json");
  const cJSON *row;
  int played = 0, refused = 0;
  cJSON_ArrayForEach(row, need(spec, "policies")) {
    char *document = cJSON_PrintUnformatted(need(row, "document"));
    hirenow_policy *policy = NULL;
    IS(hirenow_policy_parse(document, &policy, NULL), HIRENOW_OK);
    same_text(row->string, "document", hirenow_policy_get_document(policy), document);
    const cJSON *c;
    cJSON_ArrayForEach(c, need(spec, "cases")) {
      if (strcmp(text_in(c, "policy"), row->string) != 0) continue;
      play_case(c, policy);
      ++played;
    }
    hirenow_policy_free(policy);
    free(document);
  }
  same_number("cases", "played", played, cJSON_GetArraySize(need(spec, "cases")));
  cJSON_ArrayForEach(row, need(spec, "refused")) {
    char *document = member(row, "text") ? NULL : cJSON_PrintUnformatted(need(row, "document"));
    const char *text = document ? document : text_in(row, "text");
    if (is_text(text)) {
      hirenow_policy *policy = NULL;
      hirenow_error *error = NULL;
      const hirenow_status status = hirenow_policy_parse(text, &policy, &error);
      same_text(text_in(row, "id"), "the error", hirenow_status_name(status), text_in(row, "error"));
      cJSON *paths = paths_in(error ? hirenow_error_get_message(error) : "");
      same_json(text_in(row, "id"), "paths", paths, need(row, "paths"));
      cJSON_Delete(paths);
      hirenow_error_free(error);
      hirenow_policy_free(policy);
      ++refused;
    }
    free(document);
  }
  cJSON_ArrayForEach(row, need(spec, "spans")) {
    int32_t months = -1;
    int64_t seconds = -1;
    IS(hirenow_span_parse(text_in(row, "text"), &months, &seconds, NULL), HIRENOW_OK);
    same_number(text_in(row, "text"), "months", months, number_in(row, "months"));
    same_number(text_in(row, "text"), "seconds", seconds, number_in(row, "seconds"));
  }
  CHECK(played >= 70 && refused >= 40);
  cJSON_Delete(spec);
}

/* ---- The lifecycle ----------------------------------------------------------------------------------------------- */

static const int64_t later = 1772442000 + 7200;

/* An interview in that state, as it comes to be there. */
static hirenow_interview_row sample(int32_t state, int started, int32_t over) {
  hirenow_interview_row i;
  memset(&i, 0, sizeof i);
  i.struct_size = sizeof i;
  snprintf(i.id, sizeof i.id, "0190f5fe-7c00-7a3b-8d41-5e6f708192a3");
  i.track = "backend/technical";
  i.kid = "k";
  i.attempt = 1;
  i.generation = 1;
  i.state = state;
  i.overtime = over;
  i.extra_percent = 100;
  i.time_limit_seconds = 4 * 3600;
  i.grace_seconds = 600;
  i.created_at = i.changed_at = start;
  i.start_by = start + 3 * day;
  i.started_at = started ? start + 3600 : HIRENOW_NONE;
  i.deadline = started ? i.started_at + i.time_limit_seconds : HIRENOW_NONE;
  i.submitted_at = i.decided_at = i.link_requested_at = i.ends_by = HIRENOW_NONE;
  return i;
}

static int holds(const char *when, const hirenow_interview_row *i) {
  if (strcmp(when, "never started") == 0) return i->started_at == HIRENOW_NONE;
  if (strcmp(when, "overtime means submit") == 0) return i->overtime == HIRENOW_OVERTIME_SUBMIT;
  if (strcmp(when, "overtime means expire") == 0) return i->overtime == HIRENOW_OVERTIME_EXPIRE;
  if (*when && strcmp(when, "the policy allows it") != 0 &&
      strcmp(when, "the policy names the outcome and allows it") != 0)
    stop("is no condition", when);
  return 1; /* a policy is not the lifecycle's to ask */
}

/* What one authority is answered in one cell. */
static void check_cell(const char *where, const cJSON *cell, int32_t from, int32_t event, int32_t by) {
  int32_t to = 99;
  const char *when = NULL;
  const int found = hirenow_transition(from, event, by, &to, &when);
  same_number(where, "a row", found, cJSON_IsObject(cell));
  if (cJSON_IsObject(cell)) {
    same_number(where, "to", to, number_of(text_in(cell, "to"), hirenow_state_name, HIRENOW_STATE_COUNT));
    same_text(where, "when", when, text_or(cell, "when", ""));
  }
  if (from == HIRENOW_STATE_NONE) return;
  const int only_started = from != HIRENOW_STATE_SCHEDULED && from != HIRENOW_STATE_EXPIRED &&
                           from != HIRENOW_STATE_CANCELLED && from != HIRENOW_STATE_VOIDED &&
                           from != HIRENOW_STATE_ARCHIVED;
  for (int started = only_started; started <= (from != HIRENOW_STATE_SCHEDULED); ++started)
    for (int32_t over = 0; over < 2; ++over) {
      hirenow_interview_row i = sample(from, started, over);
      const int lawful = cJSON_IsObject(cell) && holds(text_or(cell, "when", ""), &i);
      hirenow_error *error = NULL;
      const hirenow_status status = hirenow_interview_row_apply(&i, event, by, later, &error);
      if (lawful) {
        same_text(where, "the answer", hirenow_status_name(status), "ok");
        same_text(where, "the state", hirenow_state_name(i.state), text_in(cell, "to"));
        same_number(where, "changed_at", i.changed_at, later);
      } else {
        same_text(where, "the answer", hirenow_status_name(status),
                  cJSON_IsString(cell) ? cell->valuestring : "invalid_transition");
        CHECK(i.state == from && strstr(hirenow_error_get_message(error), hirenow_event_name(event)));
        CHECK(strstr(hirenow_error_get_message(error), hirenow_state_name(from)) != NULL);
      }
      hirenow_error_free(error);
    }
}

/* The roles that may cause an event; 0 where nobody may. */
static uint32_t roles_for(int32_t event) {
  const char *word = hirenow_event_name(event);
  if (event == HIRENOW_EVENT_PASS || event == HIRENOW_EVENT_FAIL || event == HIRENOW_EVENT_HOLD) word = "decide";
  hirenow_permission p;
  for (size_t n = 0; hirenow_permission_default(n, &p); ++n)
    if (strcmp(p.use_case, word) == 0) return p.roles;
  return 0; /* only the clock does it */
}

static void check_role(const char *where, const cJSON *cell, const cJSON *staff, int32_t event, uint32_t role) {
  const int denied = (roles_for(event) & role) == 0;
  same_number(where, "a denial", cJSON_IsString(cell) && strcmp(cell->valuestring, "permission_denied") == 0, denied);
  if (!denied) same_json(where, "what a role is answered", cell, staff);
}

static void play_lifecycle(void) {
  cJSON *spec = read_spec("lifecycle.json");
  static const struct {
    const char *name;
    uint32_t role;
  } roles[] = {{"recruiter", HIRENOW_ROLE_RECRUITER},
               {"reviewer", HIRENOW_ROLE_REVIEWER},
               {"admin", HIRENOW_ROLE_ADMIN},
               {"nobody", 0}};
  static const char *const authorities[] = {"staff", "token", "clock"};
  same_number("states", "their number", cJSON_GetArraySize(need(spec, "states")), HIRENOW_STATE_COUNT);
  same_number("events", "their number", cJSON_GetArraySize(need(spec, "events")), HIRENOW_EVENT_COUNT);
  for (int n = 0; n < HIRENOW_STATE_COUNT; ++n)
    same_text("states", "the next", hirenow_state_name(n), cJSON_GetArrayItem(need(spec, "states"), n)->valuestring);
  for (int n = 0; n < HIRENOW_EVENT_COUNT; ++n)
    same_text("events", "the next", hirenow_event_name(n), cJSON_GetArrayItem(need(spec, "events"), n)->valuestring);
  int steps[HIRENOW_STATE_COUNT][HIRENOW_STATE_COUNT] = {{0}};
  int played = 0;
  const cJSON *cell;
  cJSON_ArrayForEach(cell, need(spec, "cells")) {
    char where[100];
    const char *state = text_in(cell, "state");
    snprintf(where, sizeof where, "%s x %s", state, text_in(cell, "event"));
    const int32_t from = strcmp(state, "none") == 0 ? HIRENOW_STATE_NONE
                                                    : number_of(state, hirenow_state_name, HIRENOW_STATE_COUNT);
    const int32_t event = number_of(text_in(cell, "event"), hirenow_event_name, HIRENOW_EVENT_COUNT);
    for (int32_t by = 0; by < 3; ++by) {
      const cJSON *answer = need(cell, authorities[by]);
      check_cell(where, answer, from, event, by);
      if (from != HIRENOW_STATE_NONE && cJSON_IsObject(answer))
        steps[from][number_of(text_in(answer, "to"), hirenow_state_name, HIRENOW_STATE_COUNT)] = 1;
    }
    for (int n = 0; n < 4; ++n)
      check_role(where, need(cell, roles[n].name), need(cell, "staff"), event, roles[n].role);
    ++played;
  }
  same_number("cells", "played", played, (HIRENOW_STATE_COUNT + 1) * HIRENOW_EVENT_COUNT);
  for (int a = 0; a < HIRENOW_STATE_COUNT; ++a)
    for (int b = 0; b < HIRENOW_STATE_COUNT; ++b)
      same_number(hirenow_state_name(a), hirenow_state_name(b), hirenow_is_lawful_step(a, b), steps[a][b]);
  /* The table of permissions. */
  hirenow_permission p;
  size_t n = 0;
  for (; hirenow_permission_default(n, &p); ++n) {
    const cJSON *row = need(need(spec, "use_cases"), p.use_case), *role;
    uint32_t due = 0;
    cJSON_ArrayForEach(role, need(row, "roles")) {
      for (int k = 0; k < 3; ++k) due |= strcmp(role->valuestring, roles[k].name) == 0 ? roles[k].role : 0;
    }
    same_number(p.use_case, "roles", p.roles, due);
    same_number(p.use_case, "token", p.token, cJSON_IsTrue(need(row, "token")));
    same_number(p.use_case, "system", p.system, cJSON_IsTrue(need(row, "system")));
  }
  same_number("use cases", "their number", (int64_t)n, cJSON_GetArraySize(need(spec, "use_cases")));
  cJSON_Delete(spec);
}

int main(void) {
  play_token_vectors();
  play_retake_cases();
  play_lifecycle();
  return end_of_tests();
}
