/* Lists of interviews and of due records, and the outbox. */

#include "memory_store_parts.h"

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

hirenow_status memory_store_list(void *ctx, const hirenow_list_request *request, hirenow_reply *reply) {
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
      hirenow_interview_row_after_clock(&e.row, request->at, NULL);
      ++counts[e.row.state];
      if (request->state != HIRENOW_STATE_NONE && request->state != e.row.state) continue;
      if (request->applicant_id[0] && !same(r->row.applicant_id, request->applicant_id)) continue;
      const int64_t limit = hirenow_interview_row_clock_limit(&e.row);
      e.key = -(limit != HIRENOW_NONE ? limit : e.row.changed_at);
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

hirenow_status memory_store_due(void *ctx, int64_t when, size_t limit, const char *cursor, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  struct cursor after;
  if (cursor[0] && !read_cursor('d', cursor, &after))
    return hirenow_reply_fail(reply, HIRENOW_INVALID_ARGUMENT, "not a cursor of this list", "");
  pthread_mutex_lock(&s->mutex);
  struct array entries = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n) {
    struct due_entry e = {HIRENOW_NONE, record_at(s, n)};
    for (size_t m = 0; m < e.record->interviews.count; ++m) {
      const int64_t end = hirenow_interview_row_clock_limit(interview_at(e.record, m));
      if (end != HIRENOW_NONE && end <= when && (e.limit == HIRENOW_NONE || end < e.limit)) e.limit = end;
    }
    for (size_t m = 0; m < e.record->waivers.count; ++m) {
      const hirenow_waiver_row *w = at(&e.record->waivers, sizeof *w, m);
      if (is_open_waiver(w->state) && w->expires_at <= when && (e.limit == HIRENOW_NONE || w->expires_at < e.limit))
        e.limit = w->expires_at;
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
  size_t turn;
  int64_t from;
  const struct record *record;
  struct message_and_lease *message;
};

/* Every tenant's first, then every tenant's second: so where not all can be taken, each has its share. */
static int compare_turns(const void *x, const void *y) {
  const struct claim_entry *a = x, *b = y;
  if (a->turn != b->turn) return a->turn < b->turn ? -1 : 1;
  if (a->from != b->from) return a->from < b->from ? -1 : 1;
  return compare_message_keys(&a->message->row.key, &b->message->row.key);
}

static int compare_claims(const void *x, const void *y) {
  const struct claim_entry *a = x, *b = y;
  const int tenants = strcmp(a->record->tenant, b->record->tenant);
  if (tenants) return tenants;
  if (a->from != b->from) return a->from < b->from ? -1 : 1;
  return compare_message_keys(&a->message->row.key, &b->message->row.key);
}

hirenow_status memory_store_claim(void *ctx, const hirenow_claim_request *request, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  hirenow_status status = HIRENOW_OK;
  pthread_mutex_lock(&s->mutex);
  struct array entries = {NULL, 0};
  for (size_t n = 0; n < s->records.count; ++n)
    for (size_t m = 0; m < record_at(s, n)->messages.count; ++m) {
      struct claim_entry e = {0, 0, record_at(s, n), message_at(record_at(s, n), m)};
      e.from = claimable_from(e.message);
      if (e.from != HIRENOW_NONE && e.from <= request->now && !push(&entries, sizeof e, &e))
        status = HIRENOW_OUT_OF_MEMORY;
    }
  if (entries.count) qsort(entries.data, entries.count, sizeof(struct claim_entry), compare_claims);
  for (size_t n = 1; n < entries.count; ++n) {
    struct claim_entry *e = at(&entries, sizeof *e, n), *before = at(&entries, sizeof *e, n - 1);
    if (strcmp(e->record->tenant, before->record->tenant) == 0) e->turn = before->turn + 1;
  }
  if (entries.count) qsort(entries.data, entries.count, sizeof(struct claim_entry), compare_turns);
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

hirenow_status memory_store_settle(void *ctx, const hirenow_settlement *const *all, size_t count, int32_t *ours,
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

static struct pace *pace_of(struct memory_store *s, const char *tenant) {
  for (size_t n = 0; n < s->paces.count; ++n) {
    struct pace *p = at(&s->paces, sizeof *p, n);
    if (strcmp(p->tenant, tenant) == 0) return p;
  }
  struct pace fresh = {tenant, 0, 0};
  if (!keep_text(s, &fresh.tenant)) return NULL;
  return push(&s->paces, sizeof fresh, &fresh);
}

hirenow_status memory_store_allow(void *ctx, const hirenow_allowance_request *const *all, size_t count,
                                  size_t *granted, int64_t *wait, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  hirenow_status status = HIRENOW_OK;
  (void)reply;
  pthread_mutex_lock(&s->mutex);
  for (size_t n = 0; n < count && !status; ++n) /* made before anything is counted */
    if (!pace_of(s, all[n]->tenant)) status = HIRENOW_OUT_OF_MEMORY;
  for (size_t n = 0; n < count && !status; ++n) {
    struct pace *p = pace_of(s, all[n]->tenant);
    const int64_t rate = all[n]->per_minute, at_once = (rate + 59) / 60;
    if (p->at - all[n]->now > 60) p->at = all[n]->now; /* the clock was moved back */
    const int64_t passed = all[n]->now > p->at ? all[n]->now - p->at : 0;
    int64_t filled = passed > p->filled / rate ? 0 : p->filled - passed * rate;
    if (filled < 0) filled = 0;
    const int64_t held = filled / 60;
    filled -= 60 * ((uint64_t)held < all[n]->returned ? held : (int64_t)all[n]->returned);
    const int64_t room = filled < 60 * at_once ? (60 * at_once - filled) / 60 : 0;
    granted[n] = all[n]->wanted < (size_t)room ? all[n]->wanted : (size_t)room;
    filled += 60 * (int64_t)granted[n];
    const int64_t over = filled - 60 * (at_once - 1);
    wait[n] = over > 0 ? (over + rate - 1) / rate : 0;
    p->filled = filled;
    if (all[n]->now > p->at) p->at = all[n]->now;
  }
  pthread_mutex_unlock(&s->mutex);
  return status;
}

hirenow_status memory_store_next_due(void *ctx, int64_t *when, hirenow_reply *reply) {
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

hirenow_status memory_store_outbox(void *ctx, int64_t now, hirenow_outbox_figures *figures, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  (void)reply;
  pthread_mutex_lock(&s->mutex);
  for (size_t n = 0; n < s->records.count; ++n)
    for (size_t m = 0; m < record_at(s, n)->messages.count; ++m) {
      const struct message_and_lease *one = message_at(record_at(s, n), m);
      const int64_t from = claimable_from(one);
      const int is_queued = one->row.state == HIRENOW_MESSAGE_STATE_QUEUED;
      if (one->row.state == HIRENOW_MESSAGE_STATE_DEAD) ++figures->dead;
      if (from == HIRENOW_NONE) continue;
      ++*(is_queued ? &figures->queued : &figures->leased);
      if (from > now) continue;
      ++*(is_queued ? &figures->due : &figures->lapsed);
      if (is_queued && (figures->oldest_due == HIRENOW_NONE || from < figures->oldest_due)) figures->oldest_due = from;
    }
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
}

static int compare_messages(const void *x, const void *y) {
  const hirenow_message_row *a = x, *b = y;
  return compare_message_keys(&a->key, &b->key);
}

hirenow_status memory_store_messages(void *ctx, const hirenow_message_request *request, hirenow_reply *reply) {
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
