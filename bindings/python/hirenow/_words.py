"""Enumerations: every member is a word, the same in C++, C, SQL and Python."""

from __future__ import annotations

import enum


class _Word(str, enum.Enum):
    def __str__(self) -> str:
        return str(self.value)

    __hash__ = str.__hash__  # what equals its word has its word's hash


class InterviewState(_Word):
    """Where an interview stands."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    PASSED = "passed"
    FAILED = "failed"
    ON_HOLD = "on_hold"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    VOIDED = "voided"
    ARCHIVED = "archived"


class Outcome(_Word):
    """What came of an attempt; kept for ever once archived."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    ON_HOLD = "on_hold"
    NO_SHOW = "no_show"
    INCOMPLETE = "incomplete"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    VOID = "void"


class Overtime(_Word):
    """What the clock does when the time for an answer has run out."""

    EXPIRE = "expire"
    SUBMIT = "submit"


class Event(_Word):
    """What can happen to an interview."""

    SCHEDULE = "schedule"
    START = "start"
    RESUME = "resume"
    SUBMIT = "submit"
    EXPIRE = "expire"
    REISSUE = "reissue"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    REQUEST_LINK = "request_link"
    PASS = "pass"
    FAIL = "fail"
    HOLD = "hold"
    REOPEN = "reopen"
    VOID = "void"
    RETAKE = "retake"
    ACCOMMODATE = "accommodate"


class Authority(_Word):
    """On whose authority an event happens."""

    STAFF = "staff"
    TOKEN = "token"
    CLOCK = "clock"


class UseCase(_Word):
    """Everything that can be asked of the engine."""

    SCHEDULE = "schedule"
    INSPECT = "inspect"
    START = "start"
    RESUME = "resume"
    CHECKPOINT = "checkpoint"
    SUBMIT = "submit"
    DECIDE = "decide"
    REOPEN = "reopen"
    VOID = "void"
    RETAKE_ELIGIBILITY = "retake_eligibility"
    RETAKE = "retake"
    REISSUE = "reissue"
    REQUEST_LINK = "request_link"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    UPDATE_APPLICANT = "update_applicant"
    RECORD_FACT = "record_fact"
    SET_POLICY = "set_policy"
    SWEEP = "sweep"
    PERMITTED_ACTIONS = "permitted_actions"
    LIST = "list"
    HISTORY = "history"
    READ_PROGRESS = "read_progress"
    READ_AUDIT = "read_audit"
    VERIFY_AUDIT = "verify_audit"
    READ_MESSAGES = "read_messages"
    REDRIVE = "redrive"
    DISPATCH = "dispatch"
    ERASE_APPLICANT = "erase_applicant"
    ACCOMMODATE = "accommodate"
    DROP = "drop"
    GRANT_WAIVER = "grant_waiver"
    APPROVE_WAIVER = "approve_waiver"
    REVOKE_WAIVER = "revoke_waiver"
    READ_WAIVERS = "read_waivers"
    READ_POLICIES = "read_policies"
    WHAT_IF = "what_if"


class Role(_Word):
    """What a member of the host's staff may be."""

    RECRUITER = "recruiter"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class WaiverState(_Word):
    """Where a waiver stands: proposed waits for a second person; lapsed was ended by the clock."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    USED = "used"
    LAPSED = "lapsed"
    REVOKED = "revoked"


class RunningWaits(_Word):
    """What becomes of waits that run when a policy takes another's place."""

    REPLACE = "replace"
    KEEP = "keep"


class FactKind(_Word):
    """What a policy may ask about and hirenow does not make."""

    EVENT = "event"
    PERIOD = "period"
    CREDENTIAL = "credential"
    PURCHASE = "purchase"
    ATTRIBUTE = "attribute"
    SCORE = "score"


class Verdict(_Word):
    """What a genuine token's link is worth, in the order in which it is decided."""

    INVALID = "invalid"
    CANCELLED = "cancelled"
    SUPERSEDED_INTERVIEW = "superseded_interview"
    COMPLETED = "completed"
    SUPERSEDED_LINK = "superseded_link"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    VALID = "valid"


class MessageKind(_Word):
    """What a message is about; templates are named by it."""

    INVITATION = "invitation"
    RETAKE_INVITATION = "retake_invitation"
    REISSUED_LINK = "reissued_link"
    REMINDER = "reminder"
    DECISION_PASSED = "decision_passed"
    DECISION_FAILED = "decision_failed"
    DECISION_ON_HOLD = "decision_on_hold"
    CANCELLED = "cancelled"


class MessageState(_Word):
    """Where a message stands."""

    QUEUED = "queued"
    LEASED = "leased"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    DEAD = "dead"


class DeliveryOutcome(_Word):
    """What came of one delivery."""

    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    AMBIGUOUS = "ambiguous"


class SettlementVerdict(_Word):
    """What a worker writes about a message it holds."""

    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    RETRY = "retry"
    DEAD = "dead"
    RENEW = "renew"
    RELEASE = "release"


class AttemptKind(_Word):
    """What a further attempt would be."""

    RETAKE = "retake"
    SCHEDULE = "schedule"


class KeyAlgorithm(_Word):
    """How a key signs."""

    HS256 = "HS256"
    ED25519 = "EdDSA"


class SmtpSecurity(_Word):
    """How the connection to the mail server is protected."""

    STARTTLS = "starttls"
    IMPLICIT_TLS = "implicit_tls"
    PLAINTEXT = "plaintext"


class Durability(_Word):
    """How much of the machine's failing a commit to SQLite survives."""

    FULL = "full"
    NORMAL = "normal"


__all__ = [
    "AttemptKind",
    "Authority",
    "DeliveryOutcome",
    "Durability",
    "Event",
    "FactKind",
    "InterviewState",
    "KeyAlgorithm",
    "MessageKind",
    "MessageState",
    "Outcome",
    "Overtime",
    "Role",
    "RunningWaits",
    "SettlementVerdict",
    "SmtpSecurity",
    "UseCase",
    "Verdict",
    "WaiverState",
]
