"""Errors: one exception class for each code, all of them `hirenow.Error`."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, ClassVar, Dict, Optional, Type, Union
from uuid import UUID


class ErrorCode(enum.IntEnum):
    """What went wrong. The numbers are those of C++ and C, and never reused; 1000 to 1999 are left to adapters."""

    INVALID_ARGUMENT = 1
    TOO_LARGE = 2
    NOT_FOUND = 3
    PERMISSION_DENIED = 4
    INVALID_TRANSITION = 5
    ACTIVE_INTERVIEW = 6
    NOT_ELIGIBLE = 7
    SUPERSEDED = 8
    ARCHIVED = 9
    STALE_SESSION = 10
    ALREADY_STARTED = 11
    DEADLINE_PASSED = 12
    IDEMPOTENCY_MISMATCH = 13
    CONFLICT = 14
    RETRY_TRANSACTION = 15
    ERASED = 16
    LIMIT_REACHED = 17
    NO_TRANSACTION = 18
    TOKEN_INVALID = 30
    TOKEN_CANCELLED = 31
    TOKEN_SUPERSEDED_INTERVIEW = 32
    TOKEN_COMPLETED = 33
    TOKEN_SUPERSEDED_LINK = 34
    TOKEN_NOT_YET_VALID = 35
    TOKEN_EXPIRED = 36
    KEY_INVALID = 50
    KEY_FILE_EXPOSED = 51
    NO_SIGNING_KEY = 52
    POLICY_INVALID = 60
    TEMPLATE_INVALID = 61
    STORE_UNAVAILABLE = 70
    STORE_BUSY = 71
    STORE_FULL = 72
    STORE_READ_ONLY = 73
    STORE_CORRUPT = 74
    STORE_NOT_A_DATABASE = 75
    SCHEMA_TOO_NEW = 76
    SCHEMA_DAMAGED = 77
    CONSTRAINT_VIOLATED = 78
    STORE_OUTCOME_UNKNOWN = 79
    LEASE_LOST = 80
    AUDIT_BROKEN = 90
    INTERNAL = 100
    OUT_OF_MEMORY = 101
    FORKED = 102
    OPERATION_ABORTED = 103
    REENTRANT_CALL = 104


class Error(Exception):
    """A refusal. `code` says what it is, `message` is for developers, `reason` is a finer code and may be empty."""

    default_code: ClassVar[ErrorCode] = ErrorCode.INTERNAL

    def __init__(
        self,
        message: str = "",
        *,
        code: Optional[Union[ErrorCode, int]] = None,
        reason: str = "",
        superseded_by: Optional[Union[UUID, str]] = None,
        eligible_at: Optional[datetime] = None,
    ) -> None:
        super().__init__(message)
        number = int(self.default_code if code is None else code)
        known = number in ErrorCode._value2member_map_
        self.code: Union[ErrorCode, int] = ErrorCode(number) if known else number
        self.message = message
        self.reason = reason
        if isinstance(superseded_by, str):
            superseded_by = UUID(superseded_by) if superseded_by else None
        self.superseded_by: Optional[UUID] = superseded_by
        self.eligible_at = eligible_at

    @property
    def name(self) -> str:
        """The code's name, for example "not_found"."""
        return self.code.name.lower() if isinstance(self.code, ErrorCode) else "unknown"

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"

    def _state(self) -> Dict[str, Any]:
        return {
            "code": self.code,
            "reason": self.reason,
            "superseded_by": self.superseded_by,
            "eligible_at": self.eligible_at,
        }

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Error):
            return NotImplemented
        return self.message == other.message and self._state() == other._state()

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.message, *self._state().values()))

    def __reduce__(self) -> Any:
        return _restored, (type(self), self.message, self._state())


def _restored(cls: Type[Error], message: str, state: Dict[str, Any]) -> Error:
    return cls(message, **state)


class InvalidArgumentError(Error, ValueError):
    """A value is malformed, out of range, not UTF-8, or holds a NUL."""

    default_code = ErrorCode.INVALID_ARGUMENT


class TooLargeError(Error, ValueError):
    """A value is longer than its documented limit."""

    default_code = ErrorCode.TOO_LARGE


class NotFoundError(Error, LookupError):
    """There is no such thing in this tenant."""

    default_code = ErrorCode.NOT_FOUND


class PermissionDeniedError(Error, PermissionError):
    """The actor's roles do not allow this."""

    default_code = ErrorCode.PERMISSION_DENIED


class InvalidTransitionError(Error):
    """The lifecycle has no such row; the message names state and event."""

    default_code = ErrorCode.INVALID_TRANSITION


class ActiveInterviewError(Error):
    """The track already has a current interview."""

    default_code = ErrorCode.ACTIVE_INTERVIEW


class NotEligibleError(Error):
    """The retake policy refuses; `reason` and `eligible_at` say why and until when."""

    default_code = ErrorCode.NOT_ELIGIBLE


class CooldownError(NotEligibleError):
    """The wait since an earlier attempt is not over; it ends at `eligible_at`."""


class SupersededError(Error):
    """Another interview took this one's place: `superseded_by`."""

    default_code = ErrorCode.SUPERSEDED


class ArchivedError(Error):
    """An archived interview is never changed."""

    default_code = ErrorCode.ARCHIVED


class StaleSessionError(Error):
    """A newer session took over, or this one was closed."""

    default_code = ErrorCode.STALE_SESSION


class AlreadyStartedError(Error):
    """Started under another session key: resume instead."""

    default_code = ErrorCode.ALREADY_STARTED


class DeadlinePassedError(Error):
    """The time for this is over."""

    default_code = ErrorCode.DEADLINE_PASSED


class IdempotencyMismatchError(Error):
    """The key was used before with another payload."""

    default_code = ErrorCode.IDEMPOTENCY_MISMATCH


class ConflictError(Error):
    """The record changed under the call and kept changing. A store raises it for a version that is not the expected."""

    default_code = ErrorCode.CONFLICT


class RetryTransactionError(Error):
    """The host's own transaction is stale; only the host can repeat it."""

    default_code = ErrorCode.RETRY_TRANSACTION


class ErasedError(Error):
    """The person was erased."""

    default_code = ErrorCode.ERASED


class LimitReachedError(Error):
    """The record holds as many attempts as can be decided on."""

    default_code = ErrorCode.LIMIT_REACHED


class NoTransactionError(Error):
    """The host's connection has no transaction open that could be joined."""

    default_code = ErrorCode.NO_TRANSACTION


class TokenError(Error):
    """A link that opens nothing."""


class TokenInvalidError(TokenError):
    """Not a link of ours; the precise reason is in `reason`, for logs only."""

    default_code = ErrorCode.TOKEN_INVALID


class TokenCancelledError(TokenError):
    """The interview was cancelled."""

    default_code = ErrorCode.TOKEN_CANCELLED


class TokenSupersededInterviewError(TokenError):
    """A newer interview took its place."""

    default_code = ErrorCode.TOKEN_SUPERSEDED_INTERVIEW


class TokenCompletedError(TokenError):
    """The interview is over."""

    default_code = ErrorCode.TOKEN_COMPLETED


class TokenSupersededLinkError(TokenError):
    """A newer link to the same interview was sent."""

    default_code = ErrorCode.TOKEN_SUPERSEDED_LINK


class TokenNotYetValidError(TokenError):
    """The link opens later."""

    default_code = ErrorCode.TOKEN_NOT_YET_VALID


class TokenExpiredError(TokenError):
    """The link has run out."""

    default_code = ErrorCode.TOKEN_EXPIRED


class KeyRingError(Error):
    """Something is wrong with the signing keys."""


class KeyInvalidError(KeyRingError):
    """A key is too short, malformed or of another kind."""

    default_code = ErrorCode.KEY_INVALID


class KeyFileExposedError(KeyRingError):
    """Others than its owner can read the key file."""

    default_code = ErrorCode.KEY_FILE_EXPOSED


class NoSigningKeyError(KeyRingError):
    """The ring has no key that signs."""

    default_code = ErrorCode.NO_SIGNING_KEY


class PolicyInvalidError(Error, ValueError):
    """The policy document is refused; the message names the path of every fault."""

    default_code = ErrorCode.POLICY_INVALID


class TemplateInvalidError(Error, ValueError):
    """A message template cannot be used."""

    default_code = ErrorCode.TEMPLATE_INVALID


class StoreError(Error):
    """The store failed."""

    default_code = ErrorCode.STORE_UNAVAILABLE


class StoreUnavailableError(StoreError):
    """Input or output failed."""


class StoreBusyError(StoreError):
    """Somebody else held the lock too long."""

    default_code = ErrorCode.STORE_BUSY


class StoreFullError(StoreError):
    """There is no room on the disk."""

    default_code = ErrorCode.STORE_FULL


class StoreReadOnlyError(StoreError):
    """The file or its folder cannot be written."""

    default_code = ErrorCode.STORE_READ_ONLY


class StoreCorruptError(StoreError):
    """The database is damaged."""

    default_code = ErrorCode.STORE_CORRUPT


class StoreNotADatabaseError(StoreError):
    """The file is something else."""

    default_code = ErrorCode.STORE_NOT_A_DATABASE


class StoreOutcomeUnknownError(StoreError):
    """The connection broke while a commit was under way: repeat the call, with the same idempotency key."""

    default_code = ErrorCode.STORE_OUTCOME_UNKNOWN


class SchemaTooNewError(StoreError):
    """Written by a newer hirenow."""

    default_code = ErrorCode.SCHEMA_TOO_NEW


class SchemaDamagedError(StoreError):
    """Tables, triggers or indexes of ours are missing or altered."""

    default_code = ErrorCode.SCHEMA_DAMAGED


class ConstraintViolatedError(StoreError):
    """The database itself refused an unlawful change."""

    default_code = ErrorCode.CONSTRAINT_VIOLATED


class LeaseLostError(Error):
    """Reserved: nothing of this version raises it. Whose lease was lost is told by what `Store.settle` answers."""

    default_code = ErrorCode.LEASE_LOST


class AuditBrokenError(Error):
    """The audit does not verify; the message names the first bad sequence."""

    default_code = ErrorCode.AUDIT_BROKEN


class InternalError(Error):
    """A defect of ours, or of an adapter."""

    default_code = ErrorCode.INTERNAL


class OutOfMemoryError(Error, MemoryError):
    """Memory ran out; nothing was changed."""

    default_code = ErrorCode.OUT_OF_MEMORY


class ForkedError(Error):
    """The call was made in the child of a fork, on what its parent opened. Open a new engine in the child."""

    default_code = ErrorCode.FORKED


class OperationAbortedError(Error):
    """The call was cancelled before it began; nothing was done."""

    default_code = ErrorCode.OPERATION_ABORTED


class ReentrantCallError(Error):
    """The engine was called from inside a callback of its own."""

    default_code = ErrorCode.REENTRANT_CALL


_classes: Dict[int, Type[Error]] = {}
for _value in list(globals().values()):
    if isinstance(_value, type) and issubclass(_value, Error) and "default_code" in _value.__dict__:
        if _value not in (Error, StoreError):
            _classes[int(_value.default_code)] = _value
_classes[int(ErrorCode.STORE_UNAVAILABLE)] = StoreUnavailableError


def make_error(
    code: int, message: str, reason: str, superseded_by: Optional[str], eligible_at: Optional[datetime]
) -> Error:
    """The exception for an error of the library, of the class that its code chooses."""
    cls = _classes.get(code, Error)
    if cls is NotEligibleError and reason == "cooldown":
        cls = CooldownError
    return cls(message, code=code, reason=reason, superseded_by=superseded_by, eligible_at=eligible_at)


__all__ = [
    "ActiveInterviewError",
    "AlreadyStartedError",
    "ArchivedError",
    "AuditBrokenError",
    "ConflictError",
    "ConstraintViolatedError",
    "CooldownError",
    "DeadlinePassedError",
    "ErasedError",
    "Error",
    "ErrorCode",
    "ForkedError",
    "IdempotencyMismatchError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidTransitionError",
    "KeyFileExposedError",
    "KeyInvalidError",
    "KeyRingError",
    "LeaseLostError",
    "LimitReachedError",
    "NoSigningKeyError",
    "NoTransactionError",
    "NotEligibleError",
    "NotFoundError",
    "OperationAbortedError",
    "OutOfMemoryError",
    "PermissionDeniedError",
    "PolicyInvalidError",
    "ReentrantCallError",
    "RetryTransactionError",
    "SchemaDamagedError",
    "SchemaTooNewError",
    "StaleSessionError",
    "StoreBusyError",
    "StoreCorruptError",
    "StoreError",
    "StoreFullError",
    "StoreNotADatabaseError",
    "StoreOutcomeUnknownError",
    "StoreReadOnlyError",
    "StoreUnavailableError",
    "SupersededError",
    "TemplateInvalidError",
    "TokenCancelledError",
    "TokenCompletedError",
    "TokenError",
    "TokenExpiredError",
    "TokenInvalidError",
    "TokenNotYetValidError",
    "TokenSupersededInterviewError",
    "TokenSupersededLinkError",
    "TooLargeError",
]
