#ifndef HIRENOW_TESTS_C_SPEC_H
#define HIRENOW_TESTS_C_SPEC_H
/* Reads the files of tests/spec/ from C. */

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c/world.h"

/* Stands for a NUL, which no text in C can hold: U+E000. */
#define NUL_MARK "\xee\x80\x80"

static inline int is_text(const char *s) { return strstr(s, NUL_MARK) == NULL; }

static inline void stop(const char *what, const char *which) {
  fprintf(stderr, "%s: %s\n", what, which ? which : "");
  exit(1);
}

static inline cJSON *read_spec(const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/spec/%s", HIRENOW_SOURCE_DIR, name);
  FILE *file = fopen(path, "rb");
  if (!file) stop("cannot read", path);
  char *bytes = NULL;
  size_t size = 0, room = 0;
  do {
    room += 1 << 20;
    bytes = realloc(bytes, room + 1);
    if (!bytes) stop("out of memory", path);
    size += fread(bytes + size, 1, room - size, file);
  } while (size == room);
  fclose(file);
  bytes[size] = '\0';
  for (char *at = bytes; (at = strstr(at, "\\u0000")); at += 6) memcpy(at, "\\ue000", 6);
  cJSON *out = cJSON_Parse(bytes);
  free(bytes);
  if (!out) stop("is no JSON", path);
  return out;
}

static inline const cJSON *member(const cJSON *object, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}
static inline const cJSON *need(const cJSON *object, const char *name) {
  const cJSON *found = member(object, name);
  if (!found) stop("missing member", name);
  return found;
}
static inline const char *text_in(const cJSON *object, const char *name) {
  const cJSON *found = need(object, name);
  if (!cJSON_IsString(found)) stop("is no text", name);
  return found->valuestring;
}
static inline const char *text_or(const cJSON *object, const char *name, const char *otherwise) {
  return member(object, name) ? text_in(object, name) : otherwise;
}
static inline int64_t number_in(const cJSON *object, const char *name) {
  const cJSON *found = need(object, name);
  if (!cJSON_IsNumber(found)) stop("is no number", name);
  return (int64_t)found->valuedouble;
}
static inline int64_t number_or(const cJSON *object, const char *name, int64_t otherwise) {
  return member(object, name) ? number_in(object, name) : otherwise;
}

/* Refuses a member whose name, between spaces, stands in neither list: it would be looked at by nobody. */
static inline void only(const cJSON *object, const char *known, const char *also) {
  const cJSON *m;
  cJSON_ArrayForEach(m, object) {
    char word[80];
    snprintf(word, sizeof word, " %s ", m->string);
    if (!strstr(known, word) && !strstr(also, word)) stop("unknown member", m->string);
  }
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static inline int64_t days_of(int64_t year, int64_t month, int64_t mday) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + mday - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}
static inline int64_t instant_of(const char *text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (sscanf(text, "%d-%d-%dT%d:%d:%dZ", &y, &mo, &d, &h, &mi, &s) != 6) stop("is no instant", text);
  return days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
}
static inline int64_t instant_in(const cJSON *object, const char *name) {
  const cJSON *found = need(object, name);
  return cJSON_IsNull(found) ? HIRENOW_NONE : instant_of(text_in(object, name));
}
static inline int64_t instant_or_none(const cJSON *object, const char *name) {
  return member(object, name) ? instant_in(object, name) : HIRENOW_NONE;
}

/* The number whose word this is, of a list of so many. */
static inline int32_t number_of(const char *word, const char *(*name)(int32_t), int32_t count) {
  for (int32_t n = 0; n < count; ++n)
    if (strcmp(name(n), word) == 0) return n;
  stop("is no word of the list", word);
  return -1;
}

/* Says what went wrong, and where in the file. */
static inline void faulty(const char *where, const char *what, const char *got, const char *due) {
  ++failures;
  fprintf(stderr, "%s: %s is %s, not %s\n", where, what, got ? got : "(none)", due ? due : "(none)");
}
static inline void same_text(const char *where, const char *what, const char *got, const char *due) {
  ++checks;
  if (!got || strcmp(got, due) != 0) faulty(where, what, got, due);
}
static inline void same_number(const char *where, const char *what, int64_t got, int64_t due) {
  char a[32], b[32];
  ++checks;
  if (got == due) return;
  snprintf(a, sizeof a, "%lld", (long long)got);
  snprintf(b, sizeof b, "%lld", (long long)due);
  faulty(where, what, got == HIRENOW_NONE ? NULL : a, due == HIRENOW_NONE ? NULL : b);
}
static inline void same_json(const char *where, const char *what, const cJSON *got, const cJSON *due) {
  ++checks;
  if (got && cJSON_Compare(got, due, 1)) return;
  char *a = got ? cJSON_PrintUnformatted(got) : NULL, *b = cJSON_PrintUnformatted(due);
  faulty(where, what, a, b);
  free(a);
  free(b);
}

#endif
