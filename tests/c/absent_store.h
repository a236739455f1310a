#ifndef HIRENOW_TESTS_C_ABSENT_STORE_H
#define HIRENOW_TESTS_C_ABSENT_STORE_H

#include "hirenow/c/adapters.h"

/* Callbacks for a store of which nothing but `load` is ever called. */
static hirenow_status never(void) { return HIRENOW_STORE_UNAVAILABLE; }
static hirenow_status never_commit(void *c, const hirenow_change_set *s, hirenow_reply *r) {
  return (void)c, (void)s, (void)r, never();
}
static hirenow_status never_save(void *c, const hirenow_checkpoint_request *q, int32_t *s, hirenow_reply *r) {
  return (void)c, (void)q, (void)s, (void)r, never();
}
static hirenow_status never_list(void *c, const hirenow_list_request *q, hirenow_reply *r) {
  return (void)c, (void)q, (void)r, never();
}
static hirenow_status never_due(void *c, int64_t a, size_t l, const char *u, hirenow_reply *r) {
  return (void)c, (void)a, (void)l, (void)u, (void)r, never();
}
static hirenow_status never_claim(void *c, const hirenow_claim_request *q, hirenow_reply *r) {
  return (void)c, (void)q, (void)r, never();
}
static hirenow_status never_settle(void *c, const hirenow_settlement *const *s, size_t n, int32_t *o,
                                   hirenow_reply *r) {
  return (void)c, (void)s, (void)n, (void)o, (void)r, never();
}
static hirenow_status never_next(void *c, int64_t *a, hirenow_reply *r) { return (void)c, (void)a, (void)r, never(); }
static hirenow_status never_messages(void *c, const hirenow_message_request *q, hirenow_reply *r) {
  return (void)c, (void)q, (void)r, never();
}
static hirenow_status never_audit(void *c, const char *t, const char *a, uint64_t f, size_t l, hirenow_reply *r) {
  return (void)c, (void)t, (void)a, (void)f, (void)l, (void)r, never();
}
static hirenow_status never_heads(void *c, const char *t, const char *a, size_t l, hirenow_reply *r) {
  return (void)c, (void)t, (void)a, (void)l, (void)r, never();
}
static hirenow_status never_prune(void *c, int64_t n, size_t l, size_t *p, hirenow_reply *r) {
  return (void)c, (void)n, (void)l, (void)p, (void)r, never();
}
static void fill_store_callbacks(hirenow_store_callbacks *c) {
  c->commit = never_commit;
  c->save_progress = never_save;
  c->list = never_list;
  c->due = never_due;
  c->claim = never_claim;
  c->settle = never_settle;
  c->next_due = never_next;
  c->messages = never_messages;
  c->read_audit = never_audit;
  c->audit_heads = never_heads;
  c->prune = never_prune;
}

#endif
