"""hirenow: the life of an interview, inside somebody else's hiring software.

    engine = hirenow.open("sqlite:ats.db", keys="keys.json", policy="policy.json", link_base="https://…")

`Engine` has all use cases, `Dispatcher` sends the mail. Refusals are `hirenow.Error`; its subclasses are chosen by the
code. `docs/python.md` is the guide.
"""

from __future__ import annotations

from datetime import datetime as _datetime
from datetime import timedelta as _timedelta
from typing import Dict as _Dict
from typing import FrozenSet as _FrozenSet
from typing import Iterable as _Iterable
from typing import Optional as _Optional
from typing import Sequence as _Sequence
from typing import Tuple as _Tuple

from . import _errors, _hirenow, _mail_model, _model, _policy_model, _store_model, _words
from ._errors import *  # noqa: F403
from ._mail_model import *  # noqa: F403
from ._model import *  # noqa: F403
from ._policy_model import *  # noqa: F403
from ._store_model import *  # noqa: F403
from ._words import *  # noqa: F403

_hirenow.bind(
    {
        **vars(_words),
        **vars(_model),
        **vars(_policy_model),
        **vars(_mail_model),
        **vars(_store_model),
        **vars(_errors),
    }
)

from ._adapters import Clock, Mailer, ManualClock, NativeStore, Renderer, SmtpMailer, Store  # noqa: E402
from ._dispatcher import Dispatcher  # noqa: E402
from ._engine import Engine, key_ring, open, open_store, retake_policy  # noqa: E402, A004
from ._hirenow import KeyRing, MessageTemplates, RetakePolicy  # noqa: E402

__version__ = _hirenow.__version__


def new_key_document(algorithm: _words.KeyAlgorithm, kid: str) -> str:
    """A fresh key document with one key, which signs: JSON text. Keep it in a file of mode 0600."""
    return _hirenow.new_key_document(algorithm, kid)


def verify_token(
    keys: KeyRing, token: str, *, issuer: str = "hirenow", audience: str = "interview"
) -> _model.TokenClaims:
    """Checks that a token is genuine and made for us; not whether its time has come or gone. See `judge_link`."""
    return _hirenow.verify_token(keys, token, issuer, audience)


def mint_token(keys: KeyRing, kid: str, claims: _model.TokenClaims) -> str:
    """Makes the token for these claims. The same key and claims always give the same token."""
    return _hirenow.mint_token(keys, kid, claims)


def judge_link(
    claims: _model.TokenClaims, record: _Optional[_store_model.ApplicantRecord], now: _datetime
) -> _words.Verdict:
    """What the link behind verified claims is worth, held against the applicant's record."""
    return _hirenow.judge_link(claims, record, now)


def deadline_breakdown(interview: _model.Interview, started_at: _datetime) -> _model.DeadlineTerms:
    """The deadline of an attempt that begins at an instant, and how it comes about."""
    return _hirenow.deadline_breakdown(interview, started_at)


def parse_span(text: str) -> _model.PolicySpan:
    """Reads a length of time as policies write it (ISO 8601), for example "P14D"."""
    return _hirenow.parse_span(text)


def apply(
    interview: _model.Interview, event: _words.Event, authority: _words.Authority, at: _datetime
) -> _model.Interview:
    """The interview as the lifecycle has it after the event, or the error that names both. Changes nothing."""
    return _hirenow.apply_event(interview, event, authority, at)


def after_the_clock(interview: _model.Interview, at: _datetime) -> _model.Interview:
    """The interview as a sweep at this instant would leave it. For stores: a list shows this."""
    return _hirenow.after_the_clock(interview, at)


def clock_limit(interview: _model.Interview) -> _Optional[_datetime]:
    """When the clock acts on an open interview if nobody else does; None for one that is not open. For stores."""
    return _hirenow.clock_limit(interview)


def transition(
    state: _Optional[_words.InterviewState], event: _words.Event, authority: _words.Authority
) -> _Optional[_Tuple[_words.InterviewState, str]]:
    """The row of the lifecycle for an event in a state (None: of an interview that does not exist yet) on that
    authority: the state that follows, and the condition beside the state in words, empty where there is none.
    None where it may not happen."""
    return _hirenow.transition(state, event, authority)


def message_id(key: _model.MessageKey, domain: str) -> str:
    """The Message-ID of a message, without brackets: the same for every try, so that a mail server can tell."""
    return _hirenow.message_id(key, domain)


def backoff_after(
    tries: int, chance: float, *, first: _timedelta = _timedelta(seconds=30), longest: _timedelta = _timedelta(hours=6)
) -> _timedelta:
    """How long a dispatcher waits after so many tries: `first` doubled with each, up to `longest`, and of that a random
    half to whole; `chance` lies in [0, 1)."""
    return _hirenow.backoff_after(tries, chance, first, longest)


def audit_hash(tenant: str, subject: bytes, entry: _model.AuditEntry) -> bytes:
    """The hash that an entry of a record must carry; `subject` is the record's."""
    return _hirenow.audit_hash(tenant, subject, entry)


def audit_commitment(salt: bytes, what: str) -> bytes:
    """What an entry keeps of a note: it proves the note while the salt is there, and nothing after an erasure."""
    return _hirenow.audit_commitment(salt, what)


def follow_audit(record: _store_model.ApplicantRecord, entries: _Iterable[_model.AuditEntry]) -> None:
    """Follows a record's chain, entry by entry, to where the record says it ends. For stores, and for who keeps a copy.
    Raises AuditBrokenError, which names the entry."""
    _hirenow.follow_audit(record, entries)


def merkle_root(heads: _Sequence[_model.AuditHead]) -> bytes:
    """The Merkle tree hash (RFC 6962, section 2.1) of the newest entries of a tenant's records, by applicant id."""
    return _hirenow.merkle_root(heads)


def default_permissions() -> _Dict[_words.UseCase, _Tuple[_FrozenSet[_words.Role], bool, bool]]:
    """Who may do what where nothing else is said: the roles of staff, whether a link may, whether the clock may."""
    return _hirenow.default_permissions()


def is_lawful_step(before: _words.InterviewState, after: _words.InterviewState) -> bool:
    """Whether some event leads from one state to the other: what a store must enforce."""
    return _hirenow.is_lawful_step(before, after)


def is_lawful_waiver_step(before: _words.WaiverState, after: _words.WaiverState) -> bool:
    """Whether a waiver may go from one state to the other: what a store must enforce."""
    return _hirenow.is_lawful_waiver_step(before, after)


__all__ = [
    "Accommodation",
    "ActiveInterviewError",
    "Actor",
    "AlreadyStartedError",
    "Applicant",
    "ApplicantRecord",
    "ArchivedError",
    "Attempt",
    "AttemptKind",
    "AuditBrokenError",
    "AuditEntry",
    "AuditHead",
    "AuditReport",
    "Authority",
    "ChangeSet",
    "Changed",
    "CheckFailure",
    "CheckReport",
    "CheckpointRequest",
    "AllowanceRequest",
    "Allowance",
    "ClaimRequest",
    "ClaimedMessage",
    "Clock",
    "ConflictError",
    "ConstraintViolatedError",
    "CooldownError",
    "DeadlinePassedError",
    "DeadlineTerms",
    "Delivery",
    "DeliveryOutcome",
    "DispatchEvent",
    "DispatchReport",
    "DispatchStats",
    "Dispatcher",
    "DuePage",
    "DueRecord",
    "Durability",
    "Eligibility",
    "Engine",
    "ErasedError",
    "Error",
    "ErrorCode",
    "Event",
    "Fact",
    "FactKind",
    "FinalProgress",
    "ForkedError",
    "GrantedWaiver",
    "IdempotencyMismatchError",
    "Inspection",
    "InternalError",
    "Interview",
    "InterviewChange",
    "InterviewState",
    "InvalidArgumentError",
    "InvalidTransitionError",
    "Invited",
    "KeyAlgorithm",
    "KeyFileExposedError",
    "KeyInvalidError",
    "KeyRing",
    "KeyRingError",
    "LeaseLostError",
    "LimitReachedError",
    "LinkRequested",
    "LinkStamp",
    "ListPage",
    "ListRequest",
    "ListRow",
    "LoadRequest",
    "Loaded",
    "MailSender",
    "Mailer",
    "ManualClock",
    "Message",
    "MessageKey",
    "MessageKind",
    "MessageQuery",
    "MessageState",
    "MessageTemplates",
    "MessageView",
    "NativeStore",
    "NoSigningKeyError",
    "NoTransactionError",
    "NotEligibleError",
    "NotFoundError",
    "OperationAbortedError",
    "OutOfMemoryError",
    "OutboxFigures",
    "Outcome",
    "OutgoingMail",
    "Overtime",
    "PermissionDeniedError",
    "PermittedAction",
    "PersonChanged",
    "PolicyInvalidError",
    "PolicyPlace",
    "PolicyQuery",
    "PolicySpan",
    "Progress",
    "ReentrantCallError",
    "RenderedMessage",
    "Renderer",
    "RetakePolicy",
    "Retaken",
    "RetryTransactionError",
    "Role",
    "RuleVerdict",
    "RunningWaits",
    "SchemaDamagedError",
    "SchemaTooNewError",
    "Session",
    "SetAside",
    "Settlement",
    "SettlementVerdict",
    "Sitting",
    "SittingState",
    "SmtpMailer",
    "SmtpSecurity",
    "StaleSessionError",
    "StateCounts",
    "Store",
    "StoreBusyError",
    "StoreCorruptError",
    "StoreError",
    "StoreFullError",
    "StoreNotADatabaseError",
    "StoreOutcomeUnknownError",
    "StoreReadOnlyError",
    "StoreUnavailableError",
    "StoredAnswer",
    "StoredPolicy",
    "SupersededError",
    "SweepReport",
    "TemplateInvalidError",
    "TokenCancelledError",
    "TokenClaims",
    "TokenCompletedError",
    "TokenError",
    "TokenExpiredError",
    "TokenInvalidError",
    "TokenNotYetValidError",
    "TokenSupersededInterviewError",
    "TokenSupersededLinkError",
    "TooLargeError",
    "TrackHistory",
    "UseCase",
    "Verdict",
    "Waiver",
    "WaiverChange",
    "WaiverChanged",
    "WaiverState",
    "WhatIfCounts",
    "WhatIfPage",
    "WhatIfRow",
    "Withdrawal",
    "after_the_clock",
    "apply",
    "audit_commitment",
    "audit_hash",
    "backoff_after",
    "clock_limit",
    "deadline_breakdown",
    "default_permissions",
    "follow_audit",
    "is_lawful_step",
    "is_lawful_waiver_step",
    "judge_link",
    "key_ring",
    "merkle_root",
    "message_id",
    "mint_token",
    "new_key_document",
    "open",
    "open_store",
    "parse_span",
    "retake_policy",
    "transition",
    "verify_token",
]
