"""What happens to this application's rows when something happens to an interview: both in one transaction.

Each function may be repeated from its start, so it does nothing that a rollback does not undo: no mail, no broker.
"""

from hirenow import Outcome
from hirenow.contrib.django import run_in_transaction

from .models import Application

Stage = Application.Stage


def invite(application_id, actor, key=None):
    """Plans the first interview of an application."""

    def work(engine):
        application = (
            Application.objects.select_for_update(of=("self",)).select_related("candidate").get(pk=application_id)
        )
        invited = engine.schedule(
            application.candidate.as_applicant(), application.track, actor=actor, idempotency_key=key
        )
        application.interview_id, application.stage = invited.interview.id, Stage.INTERVIEW
        application.save(update_fields=["interview_id", "stage"])
        return invited.interview

    return run_in_transaction(work)


def retake(interview_id, actor, key=None, reason=""):
    """A new life: the old interview is archived, the application goes on with the new one."""

    def work(engine):
        again = engine.retake(interview_id, actor=actor, reason=reason, idempotency_key=key)
        Application.objects.filter(interview_id=interview_id).update(
            interview_id=again.interview.id, stage=Stage.RETAKE
        )
        return again.interview

    return run_in_transaction(work)


AFTER = {Outcome.PASSED: Stage.OFFER, Outcome.FAILED: Stage.REJECTED, Outcome.ON_HOLD: Stage.INTERVIEW}


def decide(interview_id, actor, outcome, reason="", key=None):
    """Passed, failed or on hold."""

    def work(engine):
        done = engine.decide(interview_id, outcome, actor=actor, reason=reason, idempotency_key=key)
        Application.objects.filter(interview_id=interview_id).update(stage=AFTER[outcome])
        return done.interview

    return run_in_transaction(work)


def reissue(interview_id, actor, key=None):
    """A fresh link to the same interview."""
    return run_in_transaction(lambda engine: engine.reissue(interview_id, actor=actor, idempotency_key=key)).interview


def cancel(interview_id, actor, reason="", key=None):
    """Cancels it."""

    def work(engine):
        done = engine.cancel(interview_id, actor=actor, reason=reason, idempotency_key=key)
        Application.objects.filter(interview_id=interview_id).update(stage=Stage.NEW)
        return done.interview

    return run_in_transaction(work)
