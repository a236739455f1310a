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

static void *at(const struct array *a, size_t size, size_t n) { return (char *)a->data + size * n; }

/* Room for one more at the end; NULL for want of memory. */
static void *push(struct array *a, size_t size, const void *value) {
  void *grown = realloc(a->data, size * (a->count + 1));
  if (!grown) return NULL;
  a->data = grown;
  memcpy(at(a, size, a->count), value, size);
  return at(a, size, a->count++);
}

static int copy(struct array *to, const struct array *from, size_t size) {
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

struct memory_store {
  pthread_mutex_t mutex;
  struct text *texts;
  struct array records;  /* struct record */
  struct array answers;  /* struct answer */
  struct array policies; /* struct policy */
  int *destroyed;
};

/* Keeps bytes, with a NUL behind them, until the store is destroyed. */
static const char *keep(struct memory_store *s, const void *bytes, size_t size) {
  struct text *t = malloc(sizeof *t + size);
  if (!t) return NULL;
  if (size) memcpy(t->bytes, bytes, size);
  t->bytes[size] = '\0';
  t->next = s->texts;
  s->texts = t;
  return t->bytes;
}

static int keep_text(struct memory_store *s, const char **text) {
  *text = keep(s, *text ? *text : "", *text ? strlen(*text) : 0);
  return *text != NULL;
}

static int same(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* ---- Looking things up ---- */

static struct record *record_at(struct memory_store *s, size_t n) { return at(&s->records, sizeof(struct record), n); }

static hirenow_interview_row *interview_at(const struct record *r, size_t n) {
  return at(&r->interviews, sizeof(hirenow_interview_row), n);
}

static struct message_and_lease *message_at(const struct record *r, size_t n) {
  return at(&r->messages, sizeof(struct message_and_lease), n);
}

static hirenow_interview_row *find_interview(const struct record *r, const char *id) {
  for (size_t n = 0; n < r->interviews.count; ++n)
    if (same(interview_at(r, n)->id, id)) return interview_at(r, n);
  return NULL;
}

static struct record *find_applicant(struct memory_store *s, const char *tenant, const char *applicant_id) {
  for (size_t n = 0; n < s->records.count; ++n)
    if (same(record_at(s, n)->tenant, tenant) && same(record_at(s, n)->row.applicant_id, applicant_id))
      return record_at(s, n);
  return NULL;
}

static struct record *find_by_interview(struct memory_store *s, const char *tenant, const char *id) {
  for (size_t n = 0; n < s->records.count; ++n)
    if (same(record_at(s, n)->tenant, tenant) && find_interview(record_at(s, n), id)) return record_at(s, n);
  return NULL;
}

static struct answer *find_answer(struct memory_store *s, const char *tenant, const uint8_t *key) {
  for (size_t n = 0; n < s->answers.count; ++n) {
    struct answer *a = at(&s->answers, sizeof *a, n);
    if (same(a->tenant, tenant) && memcmp(a->row.key, key, sizeof a->row.key) == 0) return a;
  }
  return NULL;
}

static struct policy *find_policy(struct memory_store *s, const char *tenant, const char *track) {
  for (size_t n = 0; n < s->policies.count; ++n) {
    struct policy *p = at(&s->policies, sizeof *p, n);
    if (same(p->tenant, tenant) && same(p->row.track, track)) return p;
  }
  return NULL;
}

static struct message_and_lease *find_message(const struct record *r, const hirenow_message_key *key) {
  for (size_t n = 0; n < r->messages.count; ++n) {
    const hirenow_message_key *k = &message_at(r, n)->row.key;
    if (same(k->interview_id, key->interview_id) && k->kind == key->kind && k->occasion == key->occasion)
      return message_at(r, n);
  }
  return NULL;
}

static struct saved *find_saved(const struct record *r, const char *interview_id) {
  for (size_t n = 0; n < r->saved.count; ++n) {
    struct saved *p = at(&r->saved, sizeof *p, n);
    if (same(p->interview_id, interview_id)) return p;
  }
  return NULL;
}

static void free_record(struct record *r) {
  free(r->interviews.data);
  free(r->facts.data);
  free(r->audit.data);
  free(r->messages.data);
  free(r->saved.data);
}

static int is_current(int32_t state) {
  return state != HIRENOW_STATE_ARCHIVED && state != HIRENOW_STATE_CANCELLED && state != HIRENOW_STATE_VOIDED;
}

/* The instant at which the clock acts on an open interview, or HIRENOW_NONE. */
static int64_t clock_limit(const hirenow_interview_row *i) {
  if (i->state == HIRENOW_STATE_SCHEDULED) return i->start_by;
  if (i->state == HIRENOW_STATE_IN_PROGRESS && i->deadline != HIRENOW_NONE) return i->deadline + i->grace_seconds;
  return HIRENOW_NONE;
}

/* ---- Load ---- */

static hirenow_status load(void *ctx, const hirenow_load_request *request, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  pthread_mutex_lock(&s->mutex);
  const struct record *r = request->interview_id ? find_by_interview(s, request->tenant, request->interview_id)
                                                 : find_applicant(s, request->tenant, request->applicant_id);
  const char *track = request->track;
  if (r) {
    hirenow_reply_set_record(reply, &r->row);
    for (size_t n = 0; n < r->interviews.count; ++n) hirenow_reply_add_interview(reply, interview_at(r, n));
    for (size_t n = 0; n < r->facts.count; ++n)
      hirenow_reply_add_fact(reply, at(&r->facts, sizeof(hirenow_fact_row), n));
    if (request->interview_id && !track[0]) track = find_interview(r, request->interview_id)->track;
    if (request->interview_id && request->with_progress) {
      const struct saved *p = find_saved(r, request->interview_id);
      if (p) hirenow_reply_set_progress(reply, p->bytes, p->size, p->at);
    }
  }
  const struct policy *p = find_policy(s, request->tenant, track);
  if (!p) p = find_policy(s, request->tenant, "");
  if (p) hirenow_reply_set_policy(reply, &p->row);
  const struct answer *a = request->answer ? find_answer(s, request->tenant, request->answer) : NULL;
  if (a) hirenow_reply_set_answer(reply, &a->row);
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK; /* what the reply refused has made this call fail */
}

/* ---- Commit ---- */

static hirenow_status write_interview(struct memory_store *s, struct record *r, const hirenow_interview_change *c) {
  hirenow_interview_row after = c->after;
  hirenow_interview_row *stored = find_interview(r, after.id);
  if (c->before == HIRENOW_STATE_NONE) {
    if (after.state != HIRENOW_STATE_SCHEDULED || stored) return HIRENOW_CONSTRAINT_VIOLATED;
    for (size_t n = 0; n < s->records.count; ++n)
      if (find_interview(record_at(s, n), after.id)) return HIRENOW_CONSTRAINT_VIOLATED;
    if (!c->sitting_changed) {
      after.fence = 0;
      after.open = 0;
      memset(after.key_hash, 0, sizeof after.key_hash);
    }
  } else {
    if (!stored || stored->state != c->before || !hirenow_is_lawful_step(stored->state, after.state))
      return HIRENOW_CONSTRAINT_VIOLATED;
    if (!c->sitting_changed) {
      after.fence = stored->fence;
      after.open = stored->open;
      memcpy(after.key_hash, stored->key_hash, sizeof after.key_hash);
    }
  }
  if (!keep_text(s, &after.track) || !keep_text(s, &after.kid)) return HIRENOW_OUT_OF_MEMORY;
  if (stored)
    *stored = after;
  else if (!push(&r->interviews, sizeof after, &after))
    return HIRENOW_OUT_OF_MEMORY;
  int current = 0;
  for (size_t n = 0; n < r->interviews.count; ++n)
    current += same(interview_at(r, n)->track, after.track) && is_current(interview_at(r, n)->state);
  return current > 1 ? HIRENOW_CONSTRAINT_VIOLATED : HIRENOW_OK;
}

static hirenow_status write_audit(struct memory_store *s, struct record *r, const hirenow_change_set *c) {
  for (size_t n = 0; n < c->audit_count; ++n) {
    hirenow_audit_row e = *c->audit[n];
    if (e.sequence != r->row.sequence + 1 || memcmp(e.previous, r->row.audit_head, sizeof e.previous) != 0)
      return HIRENOW_CONSTRAINT_VIOLATED;
    if (!keep_text(s, &e.actor) || !keep_text(s, &e.event) || !keep_text(s, &e.details) || !keep_text(s, &e.note) ||
        !push(&r->audit, sizeof e, &e))
      return HIRENOW_OUT_OF_MEMORY;
    r->row.sequence = e.sequence;
    memcpy(r->row.audit_head, e.hash, sizeof e.hash);
  }
  return c->head->sequence == r->row.sequence &&
                 memcmp(c->head->audit_head, r->row.audit_head, sizeof r->row.audit_head) == 0
             ? HIRENOW_OK
             : HIRENOW_CONSTRAINT_VIOLATED;
}

static hirenow_status write_outbox(struct memory_store *s, struct record *r, const hirenow_change_set *c) {
  for (size_t w = 0; w < c->withdrawal_count; ++w)
    for (size_t n = 0; n < r->messages.count; ++n) {
      hirenow_message_row *m = &message_at(r, n)->row;
      if (same(m->key.interview_id, c->withdrawals[w]->interview_id) && m->state <= HIRENOW_MESSAGE_STATE_LEASED &&
          (c->withdrawals[w]->kinds >> m->key.kind & 1u))
        m->state = HIRENOW_MESSAGE_STATE_WITHDRAWN;
    }
  for (size_t n = 0; n < c->message_count; ++n) {
    struct message_and_lease m = {*c->messages[n], {0}, 0};
    if (!find_interview(r, m.row.key.interview_id) || find_message(r, &m.row.key)) return HIRENOW_CONSTRAINT_VIOLATED;
    if (!keep_text(s, &m.row.last_answer) || !push(&r->messages, sizeof m, &m)) return HIRENOW_OUT_OF_MEMORY;
  }
  for (size_t n = 0; n < c->redrive_count; ++n) {
    struct message_and_lease *m = find_message(r, c->redrives[n]);
    if (!m || m->row.state != HIRENOW_MESSAGE_STATE_DEAD) return HIRENOW_CONSTRAINT_VIOLATED;
    m->row.state = HIRENOW_MESSAGE_STATE_QUEUED;
    m->row.due_at = c->head->last_instant;
    m->row.tries = 0;
  }
  return HIRENOW_OK;
}

static hirenow_status write_progress(struct memory_store *s, struct record *r, const char *interview_id,
                                     const void *bytes, size_t size, int64_t when) {
  struct saved p = {{0}, keep(s, bytes, size), size, when};
  if (!p.bytes) return HIRENOW_OUT_OF_MEMORY;
  snprintf(p.interview_id, sizeof p.interview_id, "%s", interview_id);
  struct saved *stored = find_saved(r, interview_id);
  if (stored)
    *stored = p;
  else if (!push(&r->saved, sizeof p, &p))
    return HIRENOW_OUT_OF_MEMORY;
  return HIRENOW_OK;
}

static void erase(struct record *r) {
  r->row.email = r->row.name = r->row.locale = r->row.time_zone = "";
  r->row.salt_size = 0;
  r->row.erased = 1;
  r->facts.count = 0;
  r->saved.count = 0;
  for (size_t n = 0; n < r->audit.count; ++n)
    ((hirenow_audit_row *)at(&r->audit, sizeof(hirenow_audit_row), n))->note = "";
  for (size_t n = 0; n < r->messages.count; ++n) message_at(r, n)->row.last_answer = "";
}

/* Brings a copy of the record to where the change set wants it. */
static hirenow_status write_record(struct memory_store *s, struct record *r, const hirenow_change_set *c) {
  hirenow_status status;
  r->row.version = c->expected_version + 1;
  memcpy(r->row.subject, c->head->subject, sizeof r->row.subject);
  r->row.salt = (const uint8_t *)keep(s, c->head->salt, c->head->salt_size);
  r->row.salt_size = c->head->salt_size;
  r->row.last_instant = c->head->last_instant;
  if (!r->row.salt) return HIRENOW_OUT_OF_MEMORY;
  if (c->write_person) {
    r->row.email = c->head->email;
    r->row.name = c->head->name;
    r->row.locale = c->head->locale;
    r->row.time_zone = c->head->time_zone;
    if (!keep_text(s, &r->row.email) || !keep_text(s, &r->row.name) || !keep_text(s, &r->row.locale) ||
        !keep_text(s, &r->row.time_zone))
      return HIRENOW_OUT_OF_MEMORY;
  }
  for (size_t n = 0; n < c->interview_count; ++n)
    if ((status = write_interview(s, r, c->interviews[n]))) return status;
  for (size_t n = 0; n < c->fact_count; ++n) {
    hirenow_fact_row f = *c->facts[n];
    if (!keep_text(s, &f.name) || !keep_text(s, &f.track) || !keep_text(s, &f.value) || !push(&r->facts, sizeof f, &f))
      return HIRENOW_OUT_OF_MEMORY;
  }
  if ((status = write_audit(s, r, c)) || (status = write_outbox(s, r, c))) return status;
  if (c->final_progress_interview) {
    if (!find_interview(r, c->final_progress_interview)) return HIRENOW_CONSTRAINT_VIOLATED;
    if ((status = write_progress(s, r, c->final_progress_interview, c->final_progress, c->final_progress_size,
                                 c->final_progress_at)))
      return status;
  }
  if (c->erase) erase(r);
  return HIRENOW_OK;
}

/* Whether the answer may be stored; `*a` is then ready. */
static hirenow_status ready_answer(struct memory_store *s, const hirenow_change_set *c, struct answer *a) {
  const struct answer *older = find_answer(s, c->tenant, c->answer->key);
  if (older && older->row.expires_at > c->head->last_instant &&
      !(c->erase && same(older->applicant_id, c->applicant_id)))
    return HIRENOW_CONFLICT;
  a->tenant = c->tenant;
  a->applicant_id = c->applicant_id;
  a->row = *c->answer;
  return keep_text(s, &a->tenant) && keep_text(s, &a->applicant_id) && keep_text(s, &a->row.answer)
             ? HIRENOW_OK
             : HIRENOW_OUT_OF_MEMORY;
}

static void drop_answers(struct memory_store *s, const char *tenant, const char *applicant_id, const uint8_t *key) {
  size_t kept = 0;
  for (size_t n = 0; n < s->answers.count; ++n) {
    const struct answer *a = at(&s->answers, sizeof *a, n);
    const int drop = same(a->tenant, tenant) && ((applicant_id && same(a->applicant_id, applicant_id)) ||
                                                 (key && memcmp(a->row.key, key, sizeof a->row.key) == 0));
    if (!drop) memmove(at(&s->answers, sizeof *a, kept++), a, sizeof *a);
  }
  s->answers.count = kept;
}

static hirenow_status commit_locked(struct memory_store *s, const hirenow_change_set *c) {
  struct record *stored = find_applicant(s, c->tenant, c->applicant_id);
  if ((stored ? stored->row.version : 0) != c->expected_version) return HIRENOW_CONFLICT;
  struct record r;
  memset(&r, 0, sizeof r);
  hirenow_status status = HIRENOW_OK;
  if (stored) {
    r = *stored;
    const int copied = copy(&r.interviews, &stored->interviews, sizeof(hirenow_interview_row)) &
                       copy(&r.facts, &stored->facts, sizeof(hirenow_fact_row)) &
                       copy(&r.audit, &stored->audit, sizeof(hirenow_audit_row)) &
                       copy(&r.messages, &stored->messages, sizeof(struct message_and_lease)) &
                       copy(&r.saved, &stored->saved, sizeof(struct saved));
    if (!copied) status = HIRENOW_OUT_OF_MEMORY;
  } else {
    r.tenant = c->tenant;
    r.row.struct_size = sizeof r.row;
    r.row.applicant_id = c->applicant_id;
    r.row.email = r.row.name = r.row.locale = r.row.time_zone = "";
    if (!keep_text(s, &r.tenant) || !keep_text(s, &r.row.applicant_id)) status = HIRENOW_OUT_OF_MEMORY;
  }
  struct answer a;
  if (!status) status = write_record(s, &r, c);
  if (!status && c->answer) status = ready_answer(s, c, &a);
  /* Room for the answer is made before anything is changed. */
  if (!status && c->answer) {
    void *room = realloc(s->answers.data, sizeof a * (s->answers.count + 1));
    if (room) s->answers.data = room;
    if (!room) status = HIRENOW_OUT_OF_MEMORY;
  }
  if (!status && !stored && !push(&s->records, sizeof r, &r)) status = HIRENOW_OUT_OF_MEMORY;
  if (status) {
    free_record(&r);
    return status;
  }
  if (stored) {
    free_record(stored);
    *stored = r;
  }
  if (c->erase) drop_answers(s, c->tenant, c->applicant_id, NULL);
  if (c->answer) {
    drop_answers(s, c->tenant, NULL, c->answer->key);
    memcpy(at(&s->answers, sizeof a, s->answers.count++), &a, sizeof a);
  }
  return HIRENOW_OK;
}

static hirenow_status commit(void *ctx, const hirenow_change_set *c, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  pthread_mutex_lock(&s->mutex);
  const hirenow_status status = commit_locked(s, c);
  pthread_mutex_unlock(&s->mutex);
  return status ? hirenow_reply_fail(reply, status, "the change set was refused", "") : HIRENOW_OK;
}

static hirenow_status save_progress(void *ctx, const hirenow_checkpoint_request *request, int32_t *saved,
                                    hirenow_reply *reply) {
  struct memory_store *s = ctx;
  (void)reply;
  hirenow_status status = HIRENOW_OK;
  pthread_mutex_lock(&s->mutex);
  struct record *r = find_by_interview(s, request->tenant, request->interview_id);
  const hirenow_interview_row *i = r ? find_interview(r, request->interview_id) : NULL;
  if (i && i->open && i->fence == request->fence &&
      memcmp(i->key_hash, request->key_hash, sizeof i->key_hash) == 0 && i->deadline != HIRENOW_NONE &&
      request->at < i->deadline) {
    status = write_progress(s, r, request->interview_id, request->bytes, request->size, request->at);
    *saved = status == HIRENOW_OK;
  }
  pthread_mutex_unlock(&s->mutex);
  return status;
}

/* ---- Lists ---- */

struct list_entry {
  int64_t key; /* minus the sort instant */
  const struct record *record;
  hirenow_interview_row row;
};

static int compare_keys(int64_t a_key, const char *a_applicant, const char *a_track, int64_t a_attempt, int64_t b_key,
                        const char *b_applicant, const char *b_track, int64_t b_attempt) {
  if (a_key != b_key) return a_key < b_key ? -1 : 1;
  int c = strcmp(a_applicant, b_applicant);
  if (c == 0) c = strcmp(a_track, b_track);
  return c ? c : (a_attempt > b_attempt) - (a_attempt < b_attempt);
}

static int compare_entries(const void *x, const void *y) {
  const struct list_entry *a = x, *b = y;
  return compare_keys(a->key, a->record->row.applicant_id, a->row.track, a->row.attempt, b->key,
                      b->record->row.applicant_id, b->row.track, b->row.attempt);
}

/* A cursor: a letter, two numbers, the length of the first text, and two texts. */
struct cursor {
  long long key, attempt;
  char first[512], second[512];
};

static int read_cursor(char kind, const char *text, struct cursor *c) {
  char letter;
  unsigned long long length;
  int end = 0;
  if (sscanf(text, "%c:%lld:%lld:%llu:%n", &letter, &c->key, &c->attempt, &length, &end) != 4 || end == 0 ||
      letter != kind || length >= sizeof c->first || strlen(text + end) < length ||
      strlen(text + end) - length >= sizeof c->second)
    return 0;
  memcpy(c->first, text + end, (size_t)length);
  c->first[length] = '\0';
  strcpy(c->second, text + end + length);
  return 1;
}

static void write_cursor(char *to, size_t size, char kind, int64_t key, int64_t attempt, const char *first,
                         const char *second) {
  snprintf(to, size, "%c:%lld:%lld:%llu:%s%s", kind, (long long)key, (long long)attempt,
           (unsigned long long)strlen(first), first, second);
}

static hirenow_status list(void *ctx, const hirenow_list_request *request, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  struct cursor after;
  if (request->cursor[0] && !read_cursor('l', request->cursor, &after))
    return hirenow_reply_fail(reply, HIRENOW_INVALID_ARGUMENT, "not a cursor of this list", "");
  pthread_mutex_lock(&s->mutex);
  uint64_t counts[HIRENOW_STATE_COUNT] = {0};
  struct array entries = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n) {
    const struct record *r = record_at(s, n);
    for (size_t m = 0; same(r->tenant, request->tenant) && m < r->interviews.count; ++m) {
      struct list_entry e = {0, r, *interview_at(r, m)};
      if (request->track[0] && !same(e.row.track, request->track)) continue;
      hirenow_interview_row_after_clock(&e.row, request->at);
      ++counts[e.row.state];
      if (request->state != HIRENOW_STATE_NONE && request->state != e.row.state) continue;
      if (request->applicant_id[0] && !same(r->row.applicant_id, request->applicant_id)) continue;
      e.key = -(clock_limit(&e.row) != HIRENOW_NONE ? clock_limit(&e.row) : e.row.changed_at);
      if (request->cursor[0] && compare_keys(e.key, r->row.applicant_id, e.row.track, e.row.attempt, after.key,
                                             after.first, after.second, after.attempt) <= 0)
        continue;
      if (!push(&entries, sizeof e, &e)) hirenow_reply_fail(reply, HIRENOW_OUT_OF_MEMORY, "", "");
    }
  }
  if (entries.count) qsort(entries.data, entries.count, sizeof(struct list_entry), compare_entries);
  for (size_t n = 0; n < entries.count && n < request->limit; ++n) {
    const struct list_entry *e = at(&entries, sizeof *e, n);
    hirenow_reply_add_list_row(reply, e->record->row.applicant_id, e->record->row.name, e->record->row.email, &e->row);
    if (n + 1 == request->limit && n + 1 < entries.count) {
      char next[1200];
      write_cursor(next, sizeof next, 'l', e->key, e->row.attempt, e->record->row.applicant_id, e->row.track);
      hirenow_reply_set_next(reply, next);
    }
  }
  if (request->with_counts) hirenow_reply_set_counts(reply, counts);
  free(entries.data);
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
}

struct due_entry {
  int64_t limit;
  const struct record *record;
};

static int compare_due(const void *x, const void *y) {
  const struct due_entry *a = x, *b = y;
  return compare_keys(a->limit, a->record->tenant, a->record->row.applicant_id, 0, b->limit, b->record->tenant,
                      b->record->row.applicant_id, 0);
}

static hirenow_status due(void *ctx, int64_t when, size_t limit, const char *cursor, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  struct cursor after;
  if (cursor[0] && !read_cursor('d', cursor, &after))
    return hirenow_reply_fail(reply, HIRENOW_INVALID_ARGUMENT, "not a cursor of this list", "");
  pthread_mutex_lock(&s->mutex);
  struct array entries = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n) {
    struct due_entry e = {HIRENOW_NONE, record_at(s, n)};
    for (size_t m = 0; m < e.record->interviews.count; ++m) {
      const int64_t end = clock_limit(interview_at(e.record, m));
      if (end != HIRENOW_NONE && end <= when && (e.limit == HIRENOW_NONE || end < e.limit)) e.limit = end;
    }
    if (e.limit == HIRENOW_NONE) continue;
    if (cursor[0] && compare_keys(e.limit, e.record->tenant, e.record->row.applicant_id, 0, after.key, after.first,
                                  after.second, 0) <= 0)
      continue;
    if (!push(&entries, sizeof e, &e)) hirenow_reply_fail(reply, HIRENOW_OUT_OF_MEMORY, "", "");
  }
  if (entries.count) qsort(entries.data, entries.count, sizeof(struct due_entry), compare_due);
  for (size_t n = 0; n < entries.count && n < limit; ++n) {
    const struct due_entry *e = at(&entries, sizeof *e, n);
    hirenow_reply_add_due(reply, e->record->tenant, e->record->row.applicant_id, e->limit);
    if (n + 1 == limit && n + 1 < entries.count) {
      char next[1200];
      write_cursor(next, sizeof next, 'd', e->limit, 0, e->record->tenant, e->record->row.applicant_id);
      hirenow_reply_set_next(reply, next);
    }
  }
  free(entries.data);
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
}

/* ---- The outbox ---- */

static int64_t claimable_from(const struct message_and_lease *m) {
  if (m->row.state == HIRENOW_MESSAGE_STATE_QUEUED) return m->row.due_at;
  return m->row.state == HIRENOW_MESSAGE_STATE_LEASED ? m->lease_end : HIRENOW_NONE;
}

static int compare_message_keys(const hirenow_message_key *a, const hirenow_message_key *b) {
  const int c = strcmp(a->interview_id, b->interview_id);
  if (c) return c;
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  return (a->occasion > b->occasion) - (a->occasion < b->occasion);
}

struct claim_entry {
  int64_t from;
  const struct record *record;
  struct message_and_lease *message;
};

static int compare_claims(const void *x, const void *y) {
  const struct claim_entry *a = x, *b = y;
  if (a->from != b->from) return a->from < b->from ? -1 : 1;
  return compare_message_keys(&a->message->row.key, &b->message->row.key);
}

static hirenow_status claim(void *ctx, const hirenow_claim_request *request, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  hirenow_status status = HIRENOW_OK;
  pthread_mutex_lock(&s->mutex);
  struct array entries = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n)
    for (size_t m = 0; m < record_at(s, n)->messages.count; ++m) {
      struct claim_entry e = {0, record_at(s, n), message_at(record_at(s, n), m)};
      e.from = claimable_from(e.message);
      if (e.from != HIRENOW_NONE && e.from <= request->now && !push(&entries, sizeof e, &e))
        status = HIRENOW_OUT_OF_MEMORY;
    }
  if (entries.count) qsort(entries.data, entries.count, sizeof(struct claim_entry), compare_claims);
  if (entries.count > request->limit) entries.count = request->limit;
  for (size_t n = 0; n < entries.count && !status; ++n) {
    const struct claim_entry *e = at(&entries, sizeof *e, n);
    hirenow_message_row row = e->message->row;
    row.state = HIRENOW_MESSAGE_STATE_LEASED;
    status = hirenow_reply_add_claimed(reply, e->record->tenant, e->record->row.applicant_id, &row);
  }
  for (size_t n = 0; n < entries.count && !status; ++n) {
    const struct claim_entry *e = at(&entries, sizeof *e, n);
    e->message->row.state = HIRENOW_MESSAGE_STATE_LEASED;
    e->message->lease_end = request->now + request->lease_seconds;
    memcpy(e->message->token, request->token, sizeof e->message->token);
  }
  free(entries.data);
  pthread_mutex_unlock(&s->mutex);
  return status;
}

static hirenow_status settle(void *ctx, const hirenow_settlement *const *all, size_t count, int32_t *ours,
                             hirenow_reply *reply) {
  struct memory_store *s = ctx;
  hirenow_status status = HIRENOW_OK;
  (void)reply;
  pthread_mutex_lock(&s->mutex);
  const char **answers = calloc(count + 1, sizeof *answers); /* kept before anything is changed */
  if (!answers) status = HIRENOW_OUT_OF_MEMORY;
  for (size_t n = 0; n < count && !status; ++n) {
    answers[n] = all[n]->answer;
    if (!keep_text(s, &answers[n])) status = HIRENOW_OUT_OF_MEMORY;
  }
  for (size_t n = 0; n < count && !status; ++n) {
    const struct record *r = find_by_interview(s, all[n]->tenant, all[n]->key.interview_id);
    struct message_and_lease *m = r ? find_message(r, &all[n]->key) : NULL;
    if (!m || m->row.state != HIRENOW_MESSAGE_STATE_LEASED ||
        memcmp(m->token, all[n]->token, sizeof m->token) != 0)
      continue;
    ours[n] = 1;
    if (answers[n][0]) m->row.last_answer = answers[n];
    switch (all[n]->what) {
      case HIRENOW_SETTLE_ACCEPTED: m->row.state = HIRENOW_MESSAGE_STATE_ACCEPTED; break;
      case HIRENOW_SETTLE_WITHDRAWN: m->row.state = HIRENOW_MESSAGE_STATE_WITHDRAWN; break;
      case HIRENOW_SETTLE_DEAD: m->row.state = HIRENOW_MESSAGE_STATE_DEAD; break;
      case HIRENOW_SETTLE_RENEW: m->lease_end = all[n]->at; break;
      case HIRENOW_SETTLE_RETRY:
      case HIRENOW_SETTLE_RELEASE:
        m->row.state = HIRENOW_MESSAGE_STATE_QUEUED;
        m->row.due_at = all[n]->at;
        break;
    }
    m->row.tries += all[n]->what == HIRENOW_SETTLE_ACCEPTED || all[n]->what == HIRENOW_SETTLE_RETRY ||
                    all[n]->what == HIRENOW_SETTLE_DEAD;
  }
  free(answers);
  pthread_mutex_unlock(&s->mutex);
  return status;
}

static hirenow_status next_due(void *ctx, int64_t *when, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  (void)reply;
  pthread_mutex_lock(&s->mutex);
  for (size_t n = 0; n < s->records.count; ++n)
    for (size_t m = 0; m < record_at(s, n)->messages.count; ++m) {
      const int64_t from = claimable_from(message_at(record_at(s, n), m));
      if (from != HIRENOW_NONE && (*when == HIRENOW_NONE || from < *when)) *when = from;
    }
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
}

static int compare_messages(const void *x, const void *y) {
  const hirenow_message_row *a = x, *b = y;
  return compare_message_keys(&a->key, &b->key);
}

static hirenow_status messages(void *ctx, const hirenow_message_request *request, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  hirenow_status status = HIRENOW_OK;
  pthread_mutex_lock(&s->mutex);
  struct array found = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n) {
    const struct record *r = record_at(s, n);
    for (size_t m = 0; same(r->tenant, request->tenant) && m < r->messages.count; ++m) {
      const hirenow_message_row *row = &message_at(r, m)->row;
      if (request->interview_id && !same(row->key.interview_id, request->interview_id)) continue;
      if (request->state != -1 && row->state != request->state) continue;
      if (request->after && compare_message_keys(&row->key, request->after) <= 0) continue;
      if (!push(&found, sizeof *row, row)) status = HIRENOW_OUT_OF_MEMORY;
    }
  }
  if (found.count) qsort(found.data, found.count, sizeof(hirenow_message_row), compare_messages);
  for (size_t n = 0; n < found.count && n < request->limit; ++n)
    hirenow_reply_add_message(reply, at(&found, sizeof(hirenow_message_row), n));
  free(found.data);
  pthread_mutex_unlock(&s->mutex);
  return status;
}

/* ---- Audit, policies, answers ---- */

static hirenow_status read_audit(void *ctx, const char *tenant, const char *applicant_id, uint64_t after, size_t limit,
                                 hirenow_reply *reply) {
  struct memory_store *s = ctx;
  pthread_mutex_lock(&s->mutex);
  const struct record *r = find_applicant(s, tenant, applicant_id);
  size_t given = 0;
  for (size_t n = 0; r && n < r->audit.count && given < limit; ++n) {
    const hirenow_audit_row *e = at(&r->audit, sizeof *e, n);
    if (e->sequence > after && ++given) hirenow_reply_add_audit(reply, e);
  }
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
}

static int compare_records(const void *x, const void *y) {
  const struct record *const *a = x, *const *b = y;
  return strcmp((*a)->row.applicant_id, (*b)->row.applicant_id);
}

static hirenow_status audit_heads(void *ctx, const char *tenant, const char *after, size_t limit,
                                  hirenow_reply *reply) {
  struct memory_store *s = ctx;
  hirenow_status status = HIRENOW_OK;
  pthread_mutex_lock(&s->mutex);
  struct array found = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n) {
    const struct record *r = record_at(s, n);
    if (same(r->tenant, tenant) && strcmp(r->row.applicant_id, after) > 0 && !push(&found, sizeof r, &r))
      status = HIRENOW_OUT_OF_MEMORY;
  }
  if (found.count) qsort(found.data, found.count, sizeof(struct record *), compare_records);
  for (size_t n = 0; n < found.count && n < limit; ++n) {
    const struct record *r = *(struct record *const *)at(&found, sizeof r, n);
    hirenow_reply_add_head(reply, r->row.applicant_id, r->row.sequence, r->row.audit_head);
  }
  free(found.data);
  pthread_mutex_unlock(&s->mutex);
  return status;
}

static hirenow_status set_policy(void *ctx, const char *tenant, const hirenow_policy_row *policy,
                                 hirenow_reply *reply) {
  struct memory_store *s = ctx;
  (void)reply;
  struct policy p = {tenant, *policy};
  hirenow_status status = HIRENOW_OK;
  pthread_mutex_lock(&s->mutex);
  struct policy *stored = find_policy(s, tenant, policy->track);
  if (!policy->document[0]) {
    if (stored) memmove(stored, at(&s->policies, sizeof p, --s->policies.count), sizeof p);
  } else if (!keep_text(s, &p.tenant) || !keep_text(s, &p.row.track) || !keep_text(s, &p.row.document) ||
             !keep_text(s, &p.row.set_by)) {
    status = HIRENOW_OUT_OF_MEMORY;
  } else if (stored) {
    *stored = p;
  } else if (!push(&s->policies, sizeof p, &p)) {
    status = HIRENOW_OUT_OF_MEMORY;
  }
  pthread_mutex_unlock(&s->mutex);
  return status;
}

static hirenow_status prune(void *ctx, int64_t now, size_t limit, size_t *pruned, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  (void)reply;
  pthread_mutex_lock(&s->mutex);
  size_t kept = 0;
  for (size_t n = 0; n < s->answers.count; ++n) {
    const struct answer *a = at(&s->answers, sizeof *a, n);
    if (now >= a->row.expires_at && *pruned < limit)
      ++*pruned;
    else
      memmove(at(&s->answers, sizeof *a, kept++), a, sizeof *a);
  }
  s->answers.count = kept;
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
}

static void destroy(void *ctx) {
  struct memory_store *s = ctx;
  for (size_t n = 0; n < s->records.count; ++n) free_record(record_at(s, n));
  free(s->records.data);
  free(s->answers.data);
  free(s->policies.data);
  while (s->texts) {
    struct text *t = s->texts;
    s->texts = t->next;
    free(t);
  }
  pthread_mutex_destroy(&s->mutex);
  if (s->destroyed) ++*s->destroyed;
  free(s);
}

hirenow_status memory_store_open(hirenow_store **out, int *destroyed, hirenow_error **error) {
  struct memory_store *s = calloc(1, sizeof *s);
  if (!s) return HIRENOW_OUT_OF_MEMORY;
  pthread_mutex_init(&s->mutex, NULL);
  s->destroyed = destroyed;
  const hirenow_store_callbacks callbacks = {
      sizeof callbacks, s,        load,     commit,     save_progress, list,       due,   claim,
      settle,           next_due, messages, read_audit, audit_heads,   set_policy, prune, destroy};
  const hirenow_status status = hirenow_store_new(&callbacks, out, error);
  if (status) {
    s->destroyed = NULL;
    destroy(s); /* the registration failed, so that nobody else will */
  }
  return status;
}
