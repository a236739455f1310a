"""From the first invitation to a retake, with a clock and a mailer of the host's own. quickstart.cpp and quickstart.c
tell the same story, and the tests hold all of them to the same lines."""

import json
import os
import tempfile
from datetime import datetime, timedelta, timezone

import hirenow
from hirenow import Actor, Applicant, Delivery, DeliveryOutcome, Outcome, Role


class KeptMail:
    """Where the mails of this story go."""

    def __init__(self):
        self.mails = []

    def send(self, mail):
        self.mails.append(mail)
        return Delivery(DeliveryOutcome.ACCEPTED, 250, "kept")


class StandingClock:
    """Stands until it is moved."""

    def __init__(self, instant):
        self.instant = instant

    def now(self):
        return self.instant


def yes_or_no(value):
    return "yes" if value else "no"


def written(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def token_of(link):
    return link.partition("#")[2]


def main(file):
    clock = StandingClock(datetime(2026, 3, 2, 9, tzinfo=timezone.utc))
    mailbox = KeptMail()

    # A store, keys, the standard policy, a clock: the engine.
    keys = json.loads(hirenow.new_key_document(hirenow.KeyAlgorithm.ED25519, "2026-03"))
    engine = hirenow.open(f"sqlite:{file}", keys=keys, clock=clock, link_base="https://interviews.acme.example/go")
    dispatcher = hirenow.Dispatcher(engine, mailbox, sender=hirenow.MailSender("jobs@acme.example", "Acme"))
    recruiter = Actor("rosa", "acme", Role.RECRUITER)
    reviewer = Actor("viktor", "acme", Role.REVIEWER)

    # Schedule. The invitation is promised in the same commit, and sent by the dispatcher.
    ada = Applicant("ada", "ada@applicants.example", "Ada")
    invited = engine.schedule(
        ada,
        "backend/technical",
        actor=recruiter,
        link_lifetime=timedelta(hours=72),
        time_limit=timedelta(hours=1),
    )
    interview = invited.interview
    print(f"scheduled: attempt {interview.attempt}, {interview.state}, start by {written(interview.start_by)}")
    print(f"dispatched: {dispatcher.dispatch_due().accepted} accepted")
    mail = mailbox.mails[-1]
    print(f"mail to {mail.to_address}, holds the link: {yes_or_no(invited.link in mail.text)}")

    # The applicant opens the link, answers, and goes on in a second window.
    token = token_of(invited.link)
    print(f"link: {engine.inspect(token).verdict}")
    first = engine.start(token, "the first window's secret")
    print(f"started: {first.left.total_seconds():.0f} seconds left")
    clock.instant += timedelta(minutes=10)
    print(f"saved at {written(engine.checkpoint(first.session, 'the first answer'))}")
    second = engine.resume(token, "the second window's secret")
    print(f'resumed: "{second.progress.data.decode()}", {second.left.total_seconds():.0f} seconds left')
    try:
        engine.checkpoint(first.session, "too late")
    except hirenow.StaleSessionError as stale:
        print(f"first window: {stale.name}")
    engine.submit(second.session)

    # A reviewer decides. When is a retake possible?
    decided = engine.decide(interview.id, Outcome.FAILED, actor=reviewer, reason="too early")
    print(f"decided: {decided.interview.state}")
    print(f"dispatched: {dispatcher.dispatch_due().accepted} accepted")
    may = engine.retake_eligibility(interview.id, actor=recruiter)
    print(f"retake allowed: {yes_or_no(may.allowed)}, {may.reason}, from {written(may.eligible_at)}")
    print(may)
    try:
        engine.retake(interview.id, actor=recruiter, idempotency_key="click-4711")
    except hirenow.CooldownError as refused:
        print(f"retake now: {refused.name}, {refused.reason}, from {written(refused.eligible_at)}")

    # The day comes. Two clicks make one retake, and the old link is dead at once.
    clock.instant = may.eligible_at
    again = engine.retake(interview.id, actor=recruiter, idempotency_key="click-4711")
    print(f"retake: attempt {again.interview.attempt}, {again.interview.state}")
    twice = engine.retake(interview.id, actor=recruiter, idempotency_key="click-4711")
    print(
        f"same click: replayed {yes_or_no(twice.replayed)}, "
        f"same interview {yes_or_no(twice.interview.id == again.interview.id)}, "
        f"same link {yes_or_no(twice.link == again.link)}"
    )
    print(f"old link: {engine.inspect(token).verdict}")
    print(f"old interview: {engine.find(interview.id, actor=recruiter).state}")
    print(f"dispatched: {dispatcher.dispatch_due().accepted} accepted")
    mail = mailbox.mails[-1]
    print(
        f"mail to {mail.to_address}, holds the new link: {yes_or_no(again.link in mail.text)}, "
        f"the old one: {yes_or_no(invited.link in mail.text)}"
    )
    print(f"new link: {engine.inspect(token_of(again.link)).verdict}")

    # Whatever happened stands in the audit, and the audit verifies.
    print(f"audit: {engine.verify_audit('ada', actor=recruiter).entries} entries, verified")
    engine.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(os.path.join(folder, "quickstart.db"))
