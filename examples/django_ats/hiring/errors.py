"""What a refusal of hirenow's looks like to a client."""

from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

import hirenow
from hirenow.contrib.django import http_status


def answer_to(error, context):
    """DRF's exception handler."""
    if not isinstance(error, hirenow.Error):
        return exception_handler(error, context)
    status = http_status(error)
    if status >= 500 and not isinstance(
        error, (hirenow.StoreError, hirenow.ConflictError, hirenow.RetryTransactionError)
    ):
        return None  # a defect: Django logs it and answers 500
    set_rollback()
    body = {"code": error.name}
    if not isinstance(error, hirenow.TokenError):  # why a link is none of ours is for logs
        body.update(message=error.message, reason=error.reason)
    if error.eligible_at:
        body["eligible_at"] = error.eligible_at.isoformat()
    if error.superseded_by:
        body["superseded_by"] = str(error.superseded_by)
    return Response(body, status=status, headers={"Retry-After": "1"} if status == 503 else None)
