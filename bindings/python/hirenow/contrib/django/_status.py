"""What an error of hirenow's is over HTTP."""

from __future__ import annotations

from typing import Tuple, Type

import hirenow

_STATUS: Tuple[Tuple[Type[hirenow.Error], int], ...] = (
    (hirenow.TooLargeError, 413),
    (hirenow.PolicyInvalidError, 400),
    (hirenow.InvalidArgumentError, 400),
    (hirenow.NotFoundError, 404),
    (hirenow.PermissionDeniedError, 403),
    (hirenow.IdempotencyMismatchError, 422),
    (hirenow.ErasedError, 410),
    (hirenow.TokenInvalidError, 401),
    (hirenow.TokenNotYetValidError, 403),
    (hirenow.TokenError, 410),
    (hirenow.ConflictError, 503),
    (hirenow.RetryTransactionError, 503),
    (hirenow.SchemaDamagedError, 500),
    (hirenow.SchemaTooNewError, 500),
    (hirenow.StoreError, 503),
    (hirenow.InvalidTransitionError, 409),
    (hirenow.ActiveInterviewError, 409),
    (hirenow.NotEligibleError, 409),
    (hirenow.SupersededError, 409),
    (hirenow.ArchivedError, 409),
    (hirenow.StaleSessionError, 409),
    (hirenow.AlreadyStartedError, 409),
    (hirenow.DeadlinePassedError, 409),
    (hirenow.LimitReachedError, 409),
)


def http_status(error: hirenow.Error) -> int:
    """The status that tells a client what it may do: 409 look again, 410 never, 503 repeat the same; 500 is ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


__all__ = ["http_status"]
