#ifndef HIRENOW_TESTS_C_MEMORY_STORE_PARTS_H
#define HIRENOW_TESTS_C_MEMORY_STORE_PARTS_H
/* Records lie in flat arrays. A commit works on a copy of the record's arrays and puts it in place when all of it was
 * lawful; texts go to a pool that lives as long as the store, so that copies may share them. One mutex. */

#include "memory_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Arrays and texts ---- */

struct array {
  void *data;
  size_t count;
};

static inline void *at(const struct array *a, size_t size, size_t n) { return (char *)a->data + size * n; }

/* Room for one more at the end; NULL for want of memory. */
static inline void *push(struct array *a, size_t size, const void *value) {
  void *grown = realloc(a->data, size * (a->count + 1));
  if (!grown) return NULL;
  a->data = grown;
  memcpy(at(a, size, a->count), value, size);
  return at(a, size, a->count++);
}

static inline int copy(struct array *to, const struct array *from, size_t size) {
  to->count = from->count;
  to->data = from->count ? malloc(size * from->count) : NULL;
  if (from->count && !to->data) return 0;
  if (from->count) memcpy(to->data, from->data, size * from->count);
  return 1;
}

struct text {
  struct text *next;
  char bytes[1];
};

struct message_and_lease {
  hirenow_message_row row;
  uint8_t token[16];
  int64_t lease_end;
};

struct saved {
  char interview_id[40];
  const char *bytes;
  size_t size;
  int64_t at;
};

struct record {
  const char *tenant;
  hirenow_record_row row;
  struct array interviews; /* hirenow_interview_row */
  struct array facts;      /* hirenow_fact_row */
  struct array waivers;    /* hirenow_waiver_row */
  struct array audit;      /* hirenow_audit_row */
  struct array messages;   /* struct message_and_lease */
  struct array saved;      /* struct saved */
};

struct answer {
  const char *tenant;
  const char *applicant_id;
  hirenow_answer_row row;
};

struct policy {
  const char *tenant;
  hirenow_policy_row row;
};

/* How full the measure of a limit was, and when: a mail fills it by 60, a second empties it by the limit. */
struct pace {
  const char *tenant;
  int64_t at;
  int64_t filled;
};

struct memory_store {
  pthread_mutex_t mutex;
  struct text *texts;
  struct array records;  /* struct record */
  struct array answers;  /* struct answer */
  struct array policies; /* struct policy, in the order they were set */
  struct array paces;    /* struct pace */
  int *destroyed;
};

/* Keeps bytes, with a NUL behind them, until the store is destroyed. */
static inline const char *keep(struct memory_store *s, const void *bytes, size_t size) {
  struct text *t = malloc(sizeof *t + size);
  if (!t) return NULL;
  if (size) memcpy(t->bytes, bytes, size);
  t->bytes[size] = '\0';
  t->next = s->texts;
  s->texts = t;
  return t->bytes;
}

static inline int keep_text(struct memory_store *s, const char **text) {
  *text = keep(s, *text ? *text : "", *text ? strlen(*text) : 0);
  return *text != NULL;
}

static inline int same(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* ---- Looking things up ---- */

static inline struct record *record_at(struct memory_store *s, size_t n) {
  return at(&s->records, sizeof(struct record), n);
}

static inline hirenow_interview_row *interview_at(const struct record *r, size_t n) {
  return at(&r->interviews, sizeof(hirenow_interview_row), n);
}

static inline struct message_and_lease *message_at(const struct record *r, size_t n) {
  return at(&r->messages, sizeof(struct message_and_lease), n);
}

static inline hirenow_interview_row *find_interview(const struct record *r, const char *id) {
  for (size_t n = 0; n < r->interviews.count; ++n)
    if (same(interview_at(r, n)->id, id)) return interview_at(r, n);
  return NULL;
}

static inline struct record *find_applicant(struct memory_store *s, const char *tenant, const char *applicant_id) {
  for (size_t n = 0; n < s->records.count; ++n)
    if (same(record_at(s, n)->tenant, tenant) && same(record_at(s, n)->row.applicant_id, applicant_id))
      return record_at(s, n);
  return NULL;
}

static inline struct record *find_by_interview(struct memory_store *s, const char *tenant, const char *id) {
  for (size_t n = 0; n < s->records.count; ++n)
    if (same(record_at(s, n)->tenant, tenant) && find_interview(record_at(s, n), id)) return record_at(s, n);
  return NULL;
}

static inline struct answer *find_answer(struct memory_store *s, const char *tenant, const uint8_t *key) {
  for (size_t n = 0; n < s->answers.count; ++n) {
    struct answer *a = at(&s->answers, sizeof *a, n);
    if (same(a->tenant, tenant) && memcmp(a->row.key, key, sizeof a->row.key) == 0) return a;
  }
  return NULL;
}

/* Whether one place among the policies of a tenant or track stands before another. */
static inline int is_before(const hirenow_policy_row *p, int64_t active_from, uint64_t number) {
  return p->active_from != active_from ? p->active_from < active_from : p->number < number;
}

/* The last one before a place; NULL where there is none. */
static inline struct policy *find_policy(struct memory_store *s, const char *tenant, const char *track,
                                         int64_t active_from, uint64_t number) {
  struct policy *found = NULL;
  for (size_t n = 0; n < s->policies.count; ++n) {
    struct policy *p = at(&s->policies, sizeof *p, n);
    if (same(p->tenant, tenant) && same(p->row.track, track) && is_before(&p->row, active_from, number) &&
        (!found || is_before(&found->row, p->row.active_from, p->row.number)))
      found = p;
  }
  return found;
}

static inline hirenow_waiver_row *find_waiver(const struct record *r, uint64_t number) {
  for (size_t n = 0; n < r->waivers.count; ++n) {
    hirenow_waiver_row *w = at(&r->waivers, sizeof *w, n);
    if (w->number == number) return w;
  }
  return NULL;
}

static inline int is_open_waiver(int32_t state) {
  return state == HIRENOW_WAIVER_PROPOSED || state == HIRENOW_WAIVER_GRANTED;
}

static inline struct message_and_lease *find_message(const struct record *r, const hirenow_message_key *key) {
  for (size_t n = 0; n < r->messages.count; ++n) {
    const hirenow_message_key *k = &message_at(r, n)->row.key;
    if (same(k->interview_id, key->interview_id) && k->kind == key->kind && k->occasion == key->occasion)
      return message_at(r, n);
  }
  return NULL;
}

static inline struct saved *find_saved(const struct record *r, const char *interview_id) {
  for (size_t n = 0; n < r->saved.count; ++n) {
    struct saved *p = at(&r->saved, sizeof *p, n);
    if (same(p->interview_id, interview_id)) return p;
  }
  return NULL;
}

static inline void free_record(struct record *r) {
  free(r->interviews.data);
  free(r->facts.data);
  free(r->waivers.data);
  free(r->audit.data);
  free(r->messages.data);
  free(r->saved.data);
}

static inline int is_current(int32_t state) {
  return state != HIRENOW_STATE_ARCHIVED && state != HIRENOW_STATE_CANCELLED && state != HIRENOW_STATE_VOIDED;
}

/* ---- The callbacks of memory_store_lists.c ---- */

hirenow_status memory_store_list(void *ctx, const hirenow_list_request *request, hirenow_reply *reply);
hirenow_status memory_store_due(void *ctx, int64_t when, size_t limit, const char *cursor, hirenow_reply *reply);
hirenow_status memory_store_claim(void *ctx, const hirenow_claim_request *request, hirenow_reply *reply);
hirenow_status memory_store_settle(void *ctx, const hirenow_settlement *const *all, size_t count, int32_t *ours,
                                   hirenow_reply *reply);
hirenow_status memory_store_allow(void *ctx, const hirenow_allowance_request *const *all, size_t count,
                                  size_t *granted, int64_t *wait, hirenow_reply *reply);
hirenow_status memory_store_next_due(void *ctx, int64_t *when, hirenow_reply *reply);
hirenow_status memory_store_outbox(void *ctx, int64_t now, hirenow_outbox_figures *figures, hirenow_reply *reply);
hirenow_status memory_store_messages(void *ctx, const hirenow_message_request *request, hirenow_reply *reply);

#endif
