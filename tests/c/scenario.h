/* What plays a scenario: what its names stand for, and the answer of the step at hand, made of what C answers. */
#ifndef HIRENOW_TESTS_C_SCENARIO_H
#define HIRENOW_TESTS_C_SCENARIO_H

#include "spec.h"

struct named {
  char name[64];
  char id[40]; /* of an interview */
  char link[8192];
  char session_key[64]; /* of a session, with the next two */
  char session_interview[40];
  int64_t fence;
  uint64_t number;        /* of a waiver */
  char *checkpoint;       /* of the audit */
};

struct player {
  struct world *w;
  hirenow_dispatcher *dispatcher;
  hirenow_mailer *mailer;
  struct named names[32];
  size_t count;
  hirenow_error *error; /* of the step at hand */
  cJSON *answer;        /* of the step at hand */
  cJSON *mails[32];     /* of the dispatch at hand */
  size_t mail_count;
  int32_t server; /* what it answers: HIRENOW_DELIVERY_… */
  const char *where;
};

static struct named *named(struct player *p, const char *name) {
  for (size_t n = 0; n < p->count; ++n)
    if (strcmp(p->names[n].name, name) == 0) return &p->names[n];
  stop("nothing has this name", name);
  return NULL;
}
static struct named *name_it(struct player *p, const cJSON *step) {
  static struct named forgotten;
  if (!member(step, "names")) return &forgotten;
  const char *name = text_in(step, "names");
  struct named *place = NULL;
  for (size_t n = 0; n < p->count; ++n)
    if (strcmp(p->names[n].name, name) == 0) place = &p->names[n];
  if (!place) {
    if (p->count == sizeof p->names / sizeof p->names[0]) stop("too many names", name);
    place = &p->names[p->count++];
  }
  free(place->checkpoint);
  memset(place, 0, sizeof *place);
  snprintf(place->name, sizeof place->name, "%s", name);
  return place;
}

/* What every step may have. */
#define OF_EVERY_STEP " do expect error error_has names id "

static void put_text(struct player *p, const char *name, const char *text) {
  cJSON_AddItemToObject(p->answer, name, cJSON_CreateString(text));
}
static void put_number(struct player *p, const char *name, int64_t n) {
  cJSON_AddItemToObject(p->answer, name, n == HIRENOW_NONE ? cJSON_CreateNull() : cJSON_CreateNumber((double)n));
}
static void put_flag(struct player *p, const char *name, int flag) {
  cJSON_AddItemToObject(p->answer, name, cJSON_CreateBool(flag));
}
static cJSON *instant_text(int64_t at) {
  if (at == HIRENOW_NONE) return cJSON_CreateNull();
  int64_t year = 1970, month = 1;
  while (days_of(year + 1, 1, 1) * 86400 <= at) ++year;
  while (month < 12 && days_of(year, month + 1, 1) * 86400 <= at) ++month;
  const int64_t left = at - days_of(year, month, 1) * 86400;
  char text[64];
  snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year, (int)month, (int)(left / 86400 + 1),
           (int)(left / 3600 % 24), (int)(left / 60 % 60), (int)(left % 60));
  return cJSON_CreateString(text);
}
static void put_instant(struct player *p, const char *name, int64_t at) {
  cJSON_AddItemToObject(p->answer, name, instant_text(at));
}

static hirenow_actor who(const cJSON *step) {
  const char *word = text_in(step, "as");
  const uint32_t role = strcmp(word, "recruiter") == 0  ? HIRENOW_ROLE_RECRUITER
                        : strcmp(word, "reviewer") == 0 ? HIRENOW_ROLE_REVIEWER
                        : strcmp(word, "admin") == 0    ? HIRENOW_ROLE_ADMIN
                                                        : 0;
  if (role == 0 && strcmp(word, "nobody") != 0) stop("is no role", word);
  return actor(text_or(step, "id", word), role);
}
static hirenow_applicant person(const cJSON *step, char *email, size_t size) {
  hirenow_applicant a = HIRENOW_APPLICANT_INIT;
  a.id = a.name = text_in(step, "applicant");
  snprintf(email, size, "%s@applicants.example", a.id);
  a.email = email;
  a.locale = "en";
  a.time_zone = "Europe/Vienna";
  return a;
}
static const char *about(struct player *p, const cJSON *step) { return named(p, text_in(step, "interview"))->id; }
static const char *token(struct player *p, const cJSON *step) {
  return token_of(named(p, text_in(step, "link"))->link);
}

/* ---- Answers ---- */

static void answer_interview(struct player *p, const hirenow_interview *i) {
  if (!i) return;
  put_text(p, "state", hirenow_state_name(hirenow_interview_get_state(i)));
  put_number(p, "attempt", hirenow_interview_get_attempt(i));
  put_text(p, "outcome", hirenow_outcome_name(hirenow_interview_get_outcome(i)));
  put_instant(p, "start_by", hirenow_interview_get_start_by(i));
  put_instant(p, "deadline", hirenow_interview_get_deadline(i));
}
static void answer_invited(struct player *p, const cJSON *step, hirenow_interview *i) {
  if (!i) return;
  struct named *n = name_it(p, step);
  snprintf(n->id, sizeof n->id, "%s", hirenow_interview_get_id(i));
  snprintf(n->link, sizeof n->link, "%s", hirenow_interview_get_link(i));
  answer_interview(p, i);
  put_flag(p, "link", *hirenow_interview_get_link(i) != '\0');
  put_flag(p, "replayed", hirenow_interview_get_replayed(i));
  if (hirenow_interview_get_archived(i))
    put_text(p, "archived", hirenow_state_name(hirenow_interview_get_state(hirenow_interview_get_archived(i))));
  hirenow_interview_free(i);
}
static void answer_changed(struct player *p, hirenow_interview *i) {
  if (!i) return;
  answer_interview(p, i);
  put_flag(p, "replayed", hirenow_interview_get_replayed(i));
  hirenow_interview_free(i);
}
static void answer_sitting(struct player *p, const cJSON *step, hirenow_sitting *s) {
  if (!s) return;
  struct named *n = name_it(p, step);
  hirenow_session session = HIRENOW_SESSION_INIT;
  IS(hirenow_sitting_get_session(s, &session, NULL), HIRENOW_OK);
  snprintf(n->session_key, sizeof n->session_key, "%s", session.key);
  snprintf(n->session_interview, sizeof n->session_interview, "%s", session.interview_id);
  n->fence = session.fence;
  answer_interview(p, hirenow_sitting_get_interview(s));
  put_number(p, "left", hirenow_sitting_get_seconds_left(s));
  const char *progress = hirenow_sitting_get_progress(s);
  cJSON_AddItemToObject(p->answer, "progress", progress ? cJSON_CreateString(progress) : cJSON_CreateNull());
  hirenow_sitting_free(s);
}
static hirenow_session session_of(struct player *p, const cJSON *step) {
  const struct named *n = named(p, text_in(step, "session"));
  hirenow_session s = HIRENOW_SESSION_INIT;
  s.tenant = "acme";
  s.interview_id = n->session_interview;
  s.fence = n->fence;
  s.key = n->session_key;
  return s;
}

#endif
