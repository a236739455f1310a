/* From the first invitation to a retake, with a clock and a mailer of the host's own, in C. quickstart.cpp and
 * quickstart.py tell the same story, and the tests hold all of them to the same lines. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hirenow/c/adapters.h"

/* ---- The host's clock and mailer ---- */

static int64_t the_time = 1772442000; /* 2026-03-02T09:00:00Z */

static int64_t now(void *ctx) {
  (void)ctx;
  return the_time;
}

struct mailbox {
  char to[256];
  char text[8192];
};

static hirenow_status keep(void *ctx, const hirenow_mail *mail, int32_t *outcome, hirenow_reply *reply) {
  struct mailbox *box = ctx;
  snprintf(box->to, sizeof box->to, "%s", mail->to_address);
  snprintf(box->text, sizeof box->text, "%s", mail->text);
  *outcome = HIRENOW_DELIVERY_ACCEPTED;
  return hirenow_reply_set_delivery(reply, 250, "kept");
}

/* ---- Small helps ---- */

static void must(hirenow_status status, hirenow_error *error) {
  if (status == HIRENOW_OK) return;
  fprintf(stderr, "%s: %s\n", hirenow_status_name(status), hirenow_error_get_message(error));
  hirenow_error_free(error);
  exit(1);
}

static const char *when(int64_t instant) {
  static char text[32];
  const time_t seconds = (time_t)instant;
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
  return text;
}

static const char *yes_or_no(int value) { return value ? "yes" : "no"; }

static const char *token_of(const char *link) { return strchr(link, '#') + 1; }

static const char *verdict_of(hirenow_engine *engine, const char *token) {
  hirenow_error *error;
  hirenow_inspection *seen;
  must(hirenow_inspect(engine, token, &seen, &error), error);
  const int32_t verdict = hirenow_inspection_get_verdict(seen);
  hirenow_inspection_free(seen);
  return hirenow_verdict_name(verdict);
}

static void dispatch(hirenow_dispatcher *dispatcher) {
  hirenow_error *error;
  hirenow_dispatch_report report = HIRENOW_DISPATCH_REPORT_INIT;
  must(hirenow_dispatcher_dispatch_due(dispatcher, 0, &report, &error), error);
  printf("dispatched: %d accepted\n", (int)report.accepted);
}

int main(void) {
  hirenow_error *error;
  char url[512], path[480];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/hirenow-quickstart-c.db", folder ? folder : "/tmp");
  static const char *const parts[] = {"", "-wal", "-shm", "-hirenow-lock"};
  for (size_t n = 0; n < sizeof parts / sizeof parts[0]; ++n) {
    snprintf(url, sizeof url, "%s%s", path, parts[n]);
    remove(url);
  }
  snprintf(url, sizeof url, "sqlite:%s", path);

  /* A store, keys, the standard policy, a clock: the engine. */
  hirenow_clock_callbacks clock_callbacks = HIRENOW_CLOCK_CALLBACKS_INIT;
  clock_callbacks.now = now;
  hirenow_clock *clock;
  must(hirenow_clock_new(&clock_callbacks, &clock, &error), error);
  hirenow_text *keys;
  must(hirenow_key_document_new(HIRENOW_KEY_ED25519, "2026-03", &keys, &error), error);
  hirenow_engine_options options = HIRENOW_ENGINE_OPTIONS_INIT;
  options.keys_json = hirenow_text_get(keys);
  options.link_base = "https://interviews.acme.example/go";
  options.clock = clock;
  hirenow_engine *engine;
  must(hirenow_open(url, &options, &engine, &error), error);

  struct mailbox box;
  hirenow_mailer_callbacks mailer_callbacks = HIRENOW_MAILER_CALLBACKS_INIT;
  mailer_callbacks.ctx = &box;
  mailer_callbacks.send = keep;
  hirenow_mailer *mailer;
  must(hirenow_mailer_new(&mailer_callbacks, &mailer, &error), error);
  hirenow_dispatcher_options dispatcher_options = HIRENOW_DISPATCHER_OPTIONS_INIT;
  dispatcher_options.sender_address = "jobs@acme.example";
  dispatcher_options.sender_name = "Acme";
  hirenow_dispatcher *dispatcher;
  must(hirenow_dispatcher_new(engine, mailer, &dispatcher_options, &dispatcher, &error), error);

  hirenow_actor recruiter = HIRENOW_ACTOR_INIT, reviewer = HIRENOW_ACTOR_INIT;
  recruiter.id = "rosa";
  recruiter.tenant = "acme";
  recruiter.roles = HIRENOW_ROLE_RECRUITER;
  reviewer.id = "viktor";
  reviewer.tenant = "acme";
  reviewer.roles = HIRENOW_ROLE_REVIEWER;

  /* Schedule. The invitation is promised in the same commit, and sent by the dispatcher. */
  hirenow_applicant ada = HIRENOW_APPLICANT_INIT;
  ada.id = "ada";
  ada.email = "ada@applicants.example";
  ada.name = "Ada";
  hirenow_schedule_request request = HIRENOW_SCHEDULE_REQUEST_INIT;
  request.applicant = &ada;
  request.track = "backend/technical";
  request.link_lifetime_seconds = 72 * 3600;
  request.time_limit_seconds = 3600;
  hirenow_interview *invited;
  must(hirenow_schedule(engine, &request, &recruiter, &invited, &error), error);
  const char *id = hirenow_interview_get_id(invited), *link = hirenow_interview_get_link(invited);
  printf("scheduled: attempt %u, %s, start by %s\n", (unsigned)hirenow_interview_get_attempt(invited),
         hirenow_state_name(hirenow_interview_get_state(invited)), when(hirenow_interview_get_start_by(invited)));
  dispatch(dispatcher);
  printf("mail to %s, holds the link: %s\n", box.to, yes_or_no(strstr(box.text, link) != NULL));

  /* The applicant opens the link, answers, and goes on in a second window. */
  printf("link: %s\n", verdict_of(engine, token_of(link)));
  hirenow_sitting *first, *second;
  hirenow_session window = HIRENOW_SESSION_INIT;
  must(hirenow_start(engine, token_of(link), "the first window's secret", 0, &first, &error), error);
  must(hirenow_sitting_get_session(first, &window, &error), error);
  printf("started: %d seconds left\n", (int)hirenow_sitting_get_seconds_left(first));
  the_time += 600;
  int64_t saved_at;
  must(hirenow_checkpoint(engine, &window, "the first answer", strlen("the first answer"), &saved_at, &error), error);
  printf("saved at %s\n", when(saved_at));
  must(hirenow_resume(engine, token_of(link), "the second window's secret", 0, &second, &error), error);
  printf("resumed: \"%s\", %d seconds left\n", hirenow_sitting_get_progress(second),
         (int)hirenow_sitting_get_seconds_left(second));
  printf("first window: %s\n",
         hirenow_status_name(hirenow_checkpoint(engine, &window, "too late", strlen("too late"), NULL, NULL)));
  must(hirenow_sitting_get_session(second, &window, &error), error);
  hirenow_interview *submitted;
  must(hirenow_submit(engine, &window, NULL, 0, NULL, &submitted, &error), error);

  /* A reviewer decides. When is a retake possible? */
  hirenow_change verdict = HIRENOW_CHANGE_INIT;
  verdict.outcome = HIRENOW_OUTCOME_FAILED;
  verdict.reason = "too early";
  hirenow_interview *decided;
  must(hirenow_decide(engine, id, &reviewer, &verdict, &decided, &error), error);
  printf("decided: %s\n", hirenow_state_name(hirenow_interview_get_state(decided)));
  dispatch(dispatcher);
  hirenow_eligibility *may;
  hirenow_text *sentence;
  must(hirenow_retake_eligibility(engine, id, &recruiter, &may, &error), error);
  printf("retake allowed: %s, %s, from %s\n", yes_or_no(hirenow_eligibility_get_allowed(may)),
         hirenow_eligibility_get_reason(may), when(hirenow_eligibility_get_eligible_at(may)));
  must(hirenow_eligibility_describe(may, &sentence, &error), error);
  printf("%s\n", hirenow_text_get(sentence));
  hirenow_retake_options click = HIRENOW_RETAKE_OPTIONS_INIT;
  click.idempotency_key = "click-4711";
  hirenow_interview *again, *twice, *old;
  const hirenow_status refused = hirenow_retake(engine, id, &recruiter, &click, &again, &error);
  printf("retake now: %s, %s, from %s\n", hirenow_status_name(refused), hirenow_error_get_reason(error),
         when(hirenow_error_get_eligible_at(error)));
  hirenow_error_free(error);

  /* The day comes. Two clicks make one retake, and the old link is dead at once. */
  the_time = hirenow_eligibility_get_eligible_at(may);
  must(hirenow_retake(engine, id, &recruiter, &click, &again, &error), error);
  printf("retake: attempt %u, %s\n", (unsigned)hirenow_interview_get_attempt(again),
         hirenow_state_name(hirenow_interview_get_state(again)));
  must(hirenow_retake(engine, id, &recruiter, &click, &twice, &error), error);
  const char *new_link = hirenow_interview_get_link(again);
  printf("same click: replayed %s, same interview %s, same link %s\n",
         yes_or_no(hirenow_interview_get_replayed(twice)),
         yes_or_no(strcmp(hirenow_interview_get_id(twice), hirenow_interview_get_id(again)) == 0),
         yes_or_no(strcmp(hirenow_interview_get_link(twice), new_link) == 0));
  printf("old link: %s\n", verdict_of(engine, token_of(link)));
  must(hirenow_find(engine, id, &recruiter, &old, &error), error);
  printf("old interview: %s\n", hirenow_state_name(hirenow_interview_get_state(old)));
  dispatch(dispatcher);
  printf("mail to %s, holds the new link: %s, the old one: %s\n", box.to,
         yes_or_no(strstr(box.text, new_link) != NULL), yes_or_no(strstr(box.text, link) != NULL));
  printf("new link: %s\n", verdict_of(engine, token_of(new_link)));

  /* Whatever happened stands in the audit, and the audit verifies. */
  uint64_t entries;
  must(hirenow_verify_audit(engine, "ada", &recruiter, &entries, NULL, &error), error);
  printf("audit: %d entries, verified\n", (int)entries);

  hirenow_interview_free(old);
  hirenow_interview_free(twice);
  hirenow_interview_free(again);
  hirenow_text_free(sentence);
  hirenow_eligibility_free(may);
  hirenow_interview_free(decided);
  hirenow_interview_free(submitted);
  hirenow_sitting_free(second);
  hirenow_sitting_free(first);
  hirenow_interview_free(invited);
  hirenow_dispatcher_free(dispatcher);
  hirenow_mailer_free(mailer);
  hirenow_engine_free(engine);
  hirenow_text_free(keys);
  hirenow_clock_free(clock);
  return 0;
}
