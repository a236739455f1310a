"""Plain data: what an interview is, what a store keeps, what a use case answers.

Instants are aware `datetime`s in UTC and whole seconds; spans are `timedelta`s of whole seconds.
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import Collection, Iterator, Mapping, Optional, Tuple, Union
from uuid import UUID

from ._errors import Error
from ._record import Record, record


class _Word(str, enum.Enum):
    def __str__(self) -> str:
        return str(self.value)


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


class Role(_Word):
    """What a member of the host's staff may be."""

    RECRUITER = "recruiter"
    REVIEWER = "reviewer"
    ADMIN = "admin"


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


# ---- People, interviews, facts ---------------------------------------------------------------------------------------


@record
class Actor(Record):
    """Who asks: the host's own id for the person, the tenant, and the roles that the host has checked."""

    id: str
    tenant: str
    roles: Union[Role, Collection[Role]] = frozenset()


@record
class Applicant(Record):
    """A person, by the host's own id."""

    id: str
    email: str = ""
    name: str = ""
    locale: str = ""
    time_zone: str = ""


@record
class LinkStamp(Record):
    """The signed part of the current link's life."""

    generation: int = 1
    kid: str = ""
    issued_at: datetime = datetime.min
    not_before: datetime = datetime.min
    expires_at: datetime = datetime.min


@record
class SittingState(Record):
    """One open sitting of an interview; a newer one fences the older off."""

    fence: int = 0
    open: bool = False
    key_hash: bytes = bytes(32)


@record
class Interview(Record):
    """One attempt at a track."""

    id: UUID
    track: str
    attempt: int
    state: InterviewState
    outcome: Outcome
    score: Optional[float]
    time_limit: timedelta
    grace: timedelta
    overtime: Overtime
    created_at: datetime
    start_by: datetime
    started_at: Optional[datetime]
    deadline: Optional[datetime]
    submitted_at: Optional[datetime]
    decided_at: Optional[datetime]
    link_requested_at: Optional[datetime]
    changed_at: datetime
    link: LinkStamp
    sitting: SittingState
    retake_of: Optional[UUID] = None
    superseded_by: Optional[UUID] = None


@record
class Fact(Record):
    """A fact of an applicant: dated, audited, erasable. The engine sets the sequence."""

    kind: FactKind
    name: str
    at: datetime
    until: Optional[datetime] = None
    value: str = ""
    track: str = ""
    sequence: int = 0


@record
class Progress(Record):
    """Saved progress: the bytes of the newest checkpoint."""

    data: bytes
    saved_at: datetime


@record
class Session(Record):
    """What the applicant's page holds while an interview is open. The key is a secret."""

    tenant: str
    interview: UUID
    fence: int
    key: Union[bytes, str]

    _secret = ("key",)


# ---- Messages and audit ----------------------------------------------------------------------------------------------


@record
class MessageKey(Record):
    """What names a message."""

    interview: UUID
    kind: MessageKind
    occasion: int


@record
class Message(Record):
    """A row of the outbox."""

    key: MessageKey
    generation: int
    created_at: datetime
    due_at: datetime
    state: MessageState
    tries: int
    last_answer: str


@record
class AuditEntry(Record):
    """One entry of an applicant's audit."""

    sequence: int
    at: datetime
    actor: str
    event: str
    interview: Optional[UUID]
    from_state: Optional[InterviewState]
    to_state: Optional[InterviewState]
    details: str
    previous: bytes
    hash: bytes
    note: str


@record
class AuditHead(Record):
    """The newest entry of one applicant's audit."""

    applicant_id: str
    sequence: int
    hash: bytes


# ---- Retake policies -------------------------------------------------------------------------------------------------


@record
class PolicySpan(Record):
    """A length of time as ISO 8601 writes it: calendar months, and beside them an exact part."""

    months: int = 0
    exact: timedelta = timedelta(0)


@record
class Attempt(Record):
    """One attempt, as a policy sees it."""

    track: str
    at: datetime
    result: Outcome
    decided_at: Optional[datetime] = None
    score: Optional[float] = None
    id: UUID = UUID(int=0)


@record
class RuleVerdict(Record):
    """What one rule of a policy says, and what it looked at."""

    rule_id: str
    rule: str
    allowed: bool
    reason: str
    eligible_at: Optional[datetime]
    counted: int
    limit: Optional[int]
    span: Optional[PolicySpan]
    wait: Optional[timedelta]
    since: Optional[datetime]
    newest: Optional[Outcome]
    attempts: Tuple[UUID, ...]


@record
class Eligibility(Record):
    """Whether a further attempt is allowed at an instant, and why. `str()` gives one English sentence."""

    allowed: bool
    reason: str
    eligible_at: Optional[datetime]
    eligible_until: Optional[datetime]
    attempts_left: Optional[int]
    rules: Tuple[RuleVerdict, ...]
    all_reasons: Tuple[str, ...]
    policy_version: str
    policy_hash: bytes

    def __str__(self) -> str:
        from . import _hirenow

        return _hirenow.describe(self)


@record
class TokenClaims(Record):
    """What a token says."""

    issuer: str
    audience: str
    subject: str
    tenant: str
    interview: UUID
    generation: int
    attempt: int
    issued_at: datetime
    not_before: datetime
    expires_at: datetime


# ---- What use cases answer -------------------------------------------------------------------------------------------


@record
class Invited(Record):
    """An interview and the link to it; the link is empty where a replayed answer's link has been superseded."""

    interview: Interview
    link: str
    replayed: bool

    _secret = ("link",)


@record
class Retaken(Record):
    """A retake: the old interview, archived, and the new one."""

    interview: Interview
    archived: Interview
    link: str
    replayed: bool

    _secret = ("link",)


@record
class Changed(Record):
    """An interview after a change."""

    interview: Interview
    replayed: bool


@record
class PersonChanged(Record):
    """The applicant's person after a change."""

    person: Applicant
    replayed: bool


@record
class Sitting(Record):
    """What start and resume answer. `left` is the exact time to the deadline."""

    session: Session
    interview: Interview
    left: timedelta
    progress: Optional[Progress]


@record
class Inspection(Record):
    """What stands behind a link. For an invalid one everything is empty but `reason`, which is for logs."""

    verdict: Verdict
    reason: str
    interview: Optional[Interview]
    applicant_name: str
    locale: str
    time_zone: str
    left: Optional[timedelta]


@record
class LinkRequested(Record):
    """What came of a request for the current link. Show the visitor the same page whatever it holds."""

    interview: Optional[UUID]
    queued: bool
    noted: bool
    replayed: bool


@record
class PermittedAction(Record):
    """One thing an actor might do to an interview now, or why not."""

    what: UseCase
    event: Event
    allowed: bool
    why: Optional[Error]
    eligibility: Optional[Eligibility]


@record
class ListRow(Record):
    """A row of a list."""

    applicant_id: str
    applicant_name: str
    applicant_email: str
    interview: Interview


@record
class ListPage(Record):
    """A page of a list. `next` is the cursor of the next page, empty on the last one. Iterates over its rows."""

    rows: Tuple[ListRow, ...]
    next: str = ""
    counts: Optional[Mapping[InterviewState, int]] = None

    def __iter__(self) -> Iterator[ListRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@record
class TrackHistory(Record):
    """Everything about one track of one applicant."""

    person: Applicant
    erased: bool
    attempts: Tuple[Interview, ...]
    entries: Tuple[AuditEntry, ...]
    messages: Tuple[Message, ...]


@record
class AuditReport(Record):
    """A verified audit."""

    entries: int
    head: bytes


@record
class DueRecord(Record):
    """A record on which the clock has something to do, and the earliest limit that has passed."""

    tenant: str
    applicant_id: str
    limit: datetime


@record
class SetAside(Record):
    """A record that made a sweep fail, for a person to look at."""

    record: DueRecord
    error: Error


@record
class SweepReport(Record):
    """What a sweep did."""

    records: int
    events: int
    failed: Tuple[SetAside, ...]
    more: bool


# ---- Mail ------------------------------------------------------------------------------------------------------------


@record
class OutgoingMail(Record):
    """A rendered message, as a mailer gets it."""

    message_id: str
    from_address: str
    from_name: str
    to_address: str
    to_name: str
    subject: str
    text: str
    html: str
    language: str

    _secret = ("text", "html")


@record
class Delivery(Record):
    """What came of one delivery, and the server's last words for the log."""

    outcome: DeliveryOutcome
    code: int = 0
    answer: str = ""


@record
class MessageView(Record):
    """What a message speaks of, as a template renderer gets it."""

    applicant_name: str = ""
    time_zone: str = ""
    company_name: str = ""
    track: str = ""
    track_title: str = ""
    link: str = ""
    attempt: int = 1
    opens_at: Optional[datetime] = None
    start_by: datetime = datetime.min
    deadline: Optional[datetime] = None
    time_limit: timedelta = timedelta(0)

    _secret = ("link",)


@record
class RenderedMessage(Record):
    """A message ready to be sent."""

    subject: str
    text: str
    html: str = ""
    language: str = ""

    _secret = ("text", "html")


@record
class MailSender(Record):
    """Who a tenant's mail comes from."""

    address: str
    name: str = ""


@record
class DispatchEvent(Record):
    """What became of a message, for logs and screens."""

    tenant: str
    applicant_id: str
    key: MessageKey
    state: MessageState
    answer: str
    next_try: Optional[datetime]


@record
class DispatchReport(Record):
    """How a run of the dispatcher went."""

    accepted: int
    retried: int
    dead: int
    withdrawn: int
    released: int
    lost: int
    store_errors: int


# ---- What a store gets and answers -----------------------------------------------------------------------------------


@record
class ApplicantRecord(Record):
    """The applicant with all interviews and one version: the unit that is loaded, decided on, and committed."""

    tenant: str
    person: Applicant
    erased: bool = False
    version: int = 0
    subject: bytes = bytes(32)
    salt: bytes = b""
    sequence: int = 0
    audit_head: bytes = bytes(32)
    last_instant: datetime = datetime.min
    interviews: Tuple[Interview, ...] = ()
    facts: Tuple[Fact, ...] = ()

    _secret = ("salt",)


@record
class StoredPolicy(Record):
    """A retake policy as it stands in the store. An empty track is the tenant's own policy."""

    track: str
    document: str
    hash: bytes
    set_by: str
    set_at: datetime


@record
class StoredAnswer(Record):
    """The answer to a committed call, kept for its idempotency key."""

    key: bytes
    payload: bytes
    answer: str
    expires_at: datetime


@record
class LoadRequest(Record):
    """What to load: one applicant record, by the host's id (`str`) or by one of its interviews (`UUID`).

    Without `with_rules` the policy and the facts may be left out. Sittings must come of interviews in progress, and with
    `with_sitting` of the one that is named.
    """

    tenant: str
    who: Union[str, UUID]
    track: str = ""
    with_rules: bool = True
    answer: Optional[bytes] = None
    with_sitting: bool = False
    with_progress: bool = False


@record
class Loaded(Record):
    """One consistent snapshot of what was asked for."""

    record: ApplicantRecord
    policy: Optional[StoredPolicy] = None
    answer: Optional[StoredAnswer] = None
    progress: Optional[Progress] = None


@record
class InterviewChange(Record):
    """An interview as it is to be after one step."""

    after: Interview
    before: Optional[InterviewState] = None
    sitting_changed: bool = False


@record
class Withdrawal(Record):
    """Unsent messages of an interview that a change makes senseless. Bit n of `kinds`: the kind with number n."""

    interview: UUID
    kinds: int = 0xFFFF


@record
class FinalProgress(Record):
    """The progress that is written with a submission."""

    interview: UUID
    progress: Progress


@record
class ChangeSet(Record):
    """Everything that one commit writes, all of it or none of it."""

    tenant: str
    applicant_id: str
    expected_version: int
    head: ApplicantRecord
    write_person: bool = False
    interviews: Tuple[InterviewChange, ...] = ()
    facts: Tuple[Fact, ...] = ()
    audit: Tuple[AuditEntry, ...] = ()
    withdrawals: Tuple[Withdrawal, ...] = ()
    messages: Tuple[Message, ...] = ()
    redrives: Tuple[MessageKey, ...] = ()
    final_progress: Optional[FinalProgress] = None
    answer: Optional[StoredAnswer] = None
    erase: bool = False


@record
class CheckpointRequest(Record):
    """Progress to be saved under an open session."""

    tenant: str
    interview: UUID
    fence: int
    key_hash: bytes
    at: datetime
    data: bytes


@record
class ListRequest(Record):
    """Which interviews a list shows, as a sweep at `at` would leave them."""

    tenant: str
    at: datetime
    state: Optional[InterviewState] = None
    track: str = ""
    applicant_id: str = ""
    cursor: str = ""
    limit: int = 50
    with_counts: bool = True


@record
class DuePage(Record):
    """A page of due records, earliest limit first; `next` is empty on the last page."""

    rows: Tuple[DueRecord, ...]
    next: str = ""


@record
class ClaimRequest(Record):
    """Asks for messages to send."""

    now: datetime
    lease: timedelta
    limit: int
    token: bytes


@record
class ClaimedMessage(Record):
    """A message that a worker now holds."""

    tenant: str
    applicant_id: str
    mail: Message


@record
class Settlement(Record):
    """What a worker writes about a message it holds."""

    key: MessageKey
    tenant: str
    token: bytes
    what: SettlementVerdict
    at: datetime
    answer: str = ""


@record
class MessageQuery(Record):
    """Which messages to show; `after` is the last one of the page before."""

    tenant: str
    interview: Optional[UUID] = None
    state: Optional[MessageState] = None
    after: Optional[MessageKey] = None
    limit: int = 50


@record
class CheckFailure(Record):
    """A promise that a store did not keep."""

    check: str
    what: str


@record
class CheckReport(Record):
    """What came of all checks of a store."""

    checks: int
    failures: Tuple[CheckFailure, ...]

    @property
    def passed(self) -> bool:
        """True where checks were run and none failed."""
        return self.checks > 0 and not self.failures

    def __str__(self) -> str:
        lines = [f"{self.checks} checks, {len(self.failures)} failed"]
        for failure in self.failures:
            lines += [f"  {failure.check}", f"    {failure.what}"]
        return "\n".join(lines)


__all__ = [
    "Actor",
    "Applicant",
    "ApplicantRecord",
    "Attempt",
    "AttemptKind",
    "AuditEntry",
    "AuditHead",
    "AuditReport",
    "Authority",
    "ChangeSet",
    "Changed",
    "CheckFailure",
    "CheckReport",
    "CheckpointRequest",
    "ClaimRequest",
    "ClaimedMessage",
    "Delivery",
    "DeliveryOutcome",
    "DispatchEvent",
    "DispatchReport",
    "DuePage",
    "DueRecord",
    "Durability",
    "Eligibility",
    "Event",
    "Fact",
    "FactKind",
    "FinalProgress",
    "Inspection",
    "Interview",
    "InterviewChange",
    "InterviewState",
    "Invited",
    "KeyAlgorithm",
    "LinkRequested",
    "LinkStamp",
    "ListPage",
    "ListRequest",
    "ListRow",
    "LoadRequest",
    "Loaded",
    "MailSender",
    "Message",
    "MessageKey",
    "MessageKind",
    "MessageQuery",
    "MessageState",
    "MessageView",
    "Outcome",
    "OutgoingMail",
    "Overtime",
    "PermittedAction",
    "PersonChanged",
    "PolicySpan",
    "Progress",
    "RenderedMessage",
    "Retaken",
    "Role",
    "RuleVerdict",
    "Session",
    "SetAside",
    "Settlement",
    "SettlementVerdict",
    "Sitting",
    "SittingState",
    "SmtpSecurity",
    "StoredAnswer",
    "StoredPolicy",
    "SweepReport",
    "TokenClaims",
    "TrackHistory",
    "UseCase",
    "Verdict",
    "Withdrawal",
]
