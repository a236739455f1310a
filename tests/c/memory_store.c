/* Loading and committing a record; its audit, policies and stored answers. */

#include "memory_store_parts.h"

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
    for (size_t n = 0; n < r->waivers.count; ++n)
      hirenow_reply_add_waiver(reply, at(&r->waivers, sizeof(hirenow_waiver_row), n));
    if (request->interview_id && !track[0]) track = find_interview(r, request->interview_id)->track;
    if (request->interview_id && request->with_progress) {
      const struct saved *p = find_saved(r, request->interview_id);
      if (p) hirenow_reply_set_progress(reply, p->bytes, p->size, p->at);
    }
  }
  const int64_t behind = request->at == HIRENOW_NONE ? INT64_MAX : request->at + 1;
  const struct policy *p = find_policy(s, request->tenant, track, behind, 0);
  if (!p || !p->row.document[0]) p = find_policy(s, request->tenant, "", behind, 0);
  if (p && p->row.document[0]) hirenow_reply_set_policy(reply, &p->row);
  const struct answer *a = request->answer ? find_answer(s, request->tenant, request->answer) : NULL;
  if (a) hirenow_reply_set_answer(reply, &a->row);
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK; /* what the reply refused has made this call fail */
}

/* ---- Commit ---- */

static hirenow_status write_interview(struct memory_store *s, struct record *r, const hirenow_interview_change *c) {
  hirenow_interview_row after = *c->after;
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

static hirenow_status write_waiver(struct memory_store *s, struct record *r, const hirenow_waiver_change *c) {
  hirenow_waiver_row w = *c->after;
  hirenow_waiver_row *stored = find_waiver(r, w.number);
  if ((w.state == HIRENOW_WAIVER_USED) != (w.used_for[0] != '\0')) return HIRENOW_CONSTRAINT_VIOLATED;
  if (w.approved_by[0] && (w.state == HIRENOW_WAIVER_PROPOSED || same(w.approved_by, w.granted_by)))
    return HIRENOW_CONSTRAINT_VIOLATED;
  if (c->before == HIRENOW_WAIVER_STATE_NONE) {
    if (stored || !is_open_waiver(w.state) || w.approved_by[0]) return HIRENOW_CONSTRAINT_VIOLATED;
    for (size_t n = 0; n < r->waivers.count; ++n) {
      const hirenow_waiver_row *other = at(&r->waivers, sizeof w, n);
      if (is_open_waiver(other->state) && same(other->track, w.track) && same(other->rule_id, w.rule_id))
        return HIRENOW_CONSTRAINT_VIOLATED;
    }
    return keep_text(s, &w.track) && keep_text(s, &w.rule_id) && keep_text(s, &w.reason_code) &&
                   keep_text(s, &w.floor) && keep_text(s, &w.granted_by) && keep_text(s, &w.approved_by) &&
                   push(&r->waivers, sizeof w, &w)
               ? HIRENOW_OK
               : HIRENOW_OUT_OF_MEMORY;
  }
  if (!stored || stored->state != c->before || !hirenow_is_lawful_waiver_step(stored->state, w.state) ||
      !same(stored->track, w.track) || !same(stored->rule_id, w.rule_id) || !same(stored->floor, w.floor) ||
      !same(stored->reason_code, w.reason_code) || !same(stored->granted_by, w.granted_by) ||
      stored->granted_at != w.granted_at || stored->expires_at != w.expires_at ||
      (stored->approved_by[0] && !same(stored->approved_by, w.approved_by)))
    return HIRENOW_CONSTRAINT_VIOLATED;
  stored->state = w.state;
  memcpy(stored->used_for, w.used_for, sizeof w.used_for);
  stored->approved_by = w.approved_by;
  return keep_text(s, &stored->approved_by) ? HIRENOW_OK : HIRENOW_OUT_OF_MEMORY;
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
  for (size_t n = 0; n < c->drop_count; ++n) {
    struct message_and_lease *m = find_message(r, c->drops[n]);
    if (!m || m->row.state != HIRENOW_MESSAGE_STATE_DEAD) return HIRENOW_CONSTRAINT_VIOLATED;
    m->row.state = HIRENOW_MESSAGE_STATE_WITHDRAWN;
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
  for (size_t n = 0; n < c->waiver_count; ++n)
    if ((status = write_waiver(s, r, c->waivers[n]))) return status;
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

static hirenow_status add_policy(struct memory_store *s, const char *tenant, const hirenow_policy_row *policy) {
  struct policy p = {tenant, *policy};
  p.row.number = 1;
  for (size_t n = 0; n < s->policies.count; ++n) {
    const struct policy *other = at(&s->policies, sizeof p, n);
    p.row.number += same(other->tenant, tenant) && same(other->row.track, policy->track);
  }
  return keep_text(s, &p.tenant) && keep_text(s, &p.row.track) && keep_text(s, &p.row.document) &&
                 keep_text(s, &p.row.set_by) && push(&s->policies, sizeof p, &p)
             ? HIRENOW_OK
             : HIRENOW_OUT_OF_MEMORY;
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
                       copy(&r.waivers, &stored->waivers, sizeof(hirenow_waiver_row)) &
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
  const size_t policies_before = s->policies.count;
  for (size_t n = 0; !status && n < c->policy_count; ++n) status = add_policy(s, c->tenant, c->policies[n]);
  if (!status && !stored && !push(&s->records, sizeof r, &r)) status = HIRENOW_OUT_OF_MEMORY;
  if (status) {
    s->policies.count = policies_before;
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

static hirenow_status policies(void *ctx, const hirenow_policy_request *request, hirenow_reply *reply) {
  struct memory_store *s = ctx;
  int64_t active_from = request->before_active_from == HIRENOW_NONE ? INT64_MAX : request->before_active_from;
  uint64_t number = request->before_number;
  pthread_mutex_lock(&s->mutex);
  for (size_t n = 0; n < request->limit; ++n) {
    const struct policy *p = find_policy(s, request->tenant, request->track, active_from, number);
    if (!p) break;
    hirenow_reply_add_policy(reply, &p->row);
    active_from = p->row.active_from;
    number = p->row.number;
  }
  pthread_mutex_unlock(&s->mutex);
  return HIRENOW_OK;
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
  free(s->paces.data);
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
      sizeof callbacks,   s,           load,       commit, save_progress, memory_store_list, memory_store_due,
      memory_store_claim, memory_store_settle, memory_store_next_due, memory_store_messages, read_audit, audit_heads,
      prune,              destroy, memory_store_outbox, policies, memory_store_allow};
  const hirenow_status status = hirenow_store_new(&callbacks, out, error);
  if (status) {
    s->destroyed = NULL;
    destroy(s); /* the registration failed, so that nobody else will */
  }
  return status;
}
