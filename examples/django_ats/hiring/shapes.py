"""Answers of the engine as JSON shows them, and bodies of requests as DRF checks them."""

from django.utils.translation import get_language
from rest_framework import serializers

from hirenow import Outcome


def moment(instant):
    return instant.isoformat().replace("+00:00", "Z") if instant else None


def interview(i):
    return {
        "id": str(i.id),
        "track": i.track,
        "attempt": i.attempt,
        "state": i.state,
        "outcome": i.outcome,
        "start_by": moment(i.start_by),
        "deadline": moment(i.deadline),
        "retake_of": i.retake_of and str(i.retake_of),
        "superseded_by": i.superseded_by and str(i.superseded_by),
    }


def row(r):
    return {**interview(r.interview), "applicant": {"id": r.applicant_id, "name": r.applicant_name}}


def words(e):
    """Why, and from when, in the reader's language."""
    return e.describe(get_language())


def eligibility(e):
    return {
        "allowed": e.allowed,
        "reason": e.reason,
        "words": words(e),
        "eligible_at": moment(e.eligible_at),
        "attempts_left": e.attempts_left,
        "policy_version": e.policy_version,
    }


class Decision(serializers.Serializer):
    outcome = serializers.ChoiceField([Outcome.PASSED.value, Outcome.FAILED.value, Outcome.ON_HOLD.value])
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class Reason(serializers.Serializer):
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class Answers(serializers.Serializer):
    fence = serializers.IntegerField(min_value=0)
    answers = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=20000), required=False
    )
