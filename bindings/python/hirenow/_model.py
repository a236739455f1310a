"""Plain data: what an interview is, and what a use case answers.

Instants are aware `datetime`s in UTC and whole seconds; spans are `timedelta`s of whole seconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Collection, Iterator, Mapping, Optional, Tuple, Union
from uuid import UUID

from ._errors import Error
from ._record import Record, record
from ._words import (
    Event,
    FactKind,
    InterviewState,
    MessageKind,
    MessageState,
    Outcome,
    Overtime,
    Role,
    UseCase,
    Verdict,
)


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # the earliest instant, where nothing is said


# ---- People, interviews, facts ---------------------------------------------------------------------------------------


def _roles(value: Any) -> Any:
    return frozenset((value,)) if isinstance(value, str) else frozenset(value)


def _key(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            return value
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value


@record
class Actor(Record):
    """Who asks: the host's own id for the person, the tenant, and the roles that the host has checked."""

    id: str
    tenant: str
    roles: Union[Role, Collection[Role]] = frozenset()

    _made_by = {"roles": _roles}


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
    issued_at: datetime = _EPOCH
    not_before: datetime = _EPOCH
    expires_at: datetime = _EPOCH


@record
class SittingState(Record):
    """One open sitting of an interview; a newer one fences the older off."""

    fence: int = 0
    open: bool = False
    key_hash: bytes = bytes(32)

    _secret = ("key_hash",)


@record
class Accommodation(Record):
    """What lengthens an attempt: a percentage of its time limit (100 to 1,000), and what is added to that.

    `pause` is the credit for pauses, of this attempt alone; a retake takes the rest over.
    """

    percent: int = 100
    extra: timedelta = timedelta(0)
    pause: timedelta = timedelta(0)


@record
class DeadlineTerms(Record):
    """How a deadline comes about: `started_at + time_limit + by_percent + extra + pause`, cut at `ends_by`.

    From `last_submit` on nothing is accepted.
    """

    started_at: datetime
    time_limit: timedelta
    by_percent: timedelta
    extra: timedelta
    pause: timedelta
    ends_by: Optional[datetime]
    cut: bool
    deadline: datetime
    grace: timedelta
    last_submit: datetime


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
    accommodation: Accommodation
    ends_by: Optional[datetime]
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

    _secret = ("data",)


@record
class Session(Record):
    """What the applicant's page holds while an interview is open. The key is a secret."""

    tenant: str
    interview: UUID
    fence: int
    key: Union[bytes, str]

    _secret = ("key",)
    _made_by = {"key": _key}


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
    """A length of time as ISO 8601 writes it: calendar months, days, and beside them an exact part. `str()` gives it in
    English words."""

    months: int = 0
    days: int = 0
    exact: timedelta = timedelta(0)

    def describe(self, language: str = "en") -> str:
        """In English or German words, such as "1 month and 36 hours"."""
        from . import _hirenow

        return _hirenow.describe_span(self, language)

    def __str__(self) -> str:
        return self.describe()


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
class GrantedWaiver(Record):
    """An exception to one rule that was granted; of a wait, the floor stays."""

    rule_id: str
    floor: Optional[PolicySpan] = None


@record
class RuleVerdict(Record):
    """What one rule of a policy says, and what it looked at."""

    rule_id: str
    rule: str
    group: str
    allowed: bool
    reason: str
    advice: str
    applies: bool
    waived: bool
    waiver_allows: bool
    eligible_at: Optional[datetime]
    eligible_until: Optional[datetime]
    counted: int
    limit: Optional[int]
    span: Optional[PolicySpan]
    wait: Optional[timedelta]
    since: Optional[datetime]
    until: Optional[datetime]
    newest: Optional[Outcome]
    counted_from: str
    subject: str
    working_days: bool
    attempts: Tuple[UUID, ...]

    def describe(self, language: str = "en", time_zone: str = "") -> str:
        """One sentence for people, in English or German."""
        from . import _hirenow

        return _hirenow.describe_rule(self, time_zone, language)


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
    warnings: Tuple[str, ...]
    waivers: Tuple[str, ...]
    time_zone: str
    policy_version: str
    policy_hash: bytes

    def describe(self, language: str = "en") -> str:
        """One sentence for people, in English or German."""
        from . import _hirenow

        return _hirenow.describe(self, language)

    def __str__(self) -> str:
        return self.describe()


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


class StateCounts(Mapping[InterviewState, int]):
    """How many interviews are in each state. Never changes."""

    __slots__ = ("_counts",)
    _counts: Mapping[InterviewState, int]

    def __init__(self, counts: Mapping[InterviewState, int]) -> None:
        object.__setattr__(self, "_counts", dict(counts))

    def __getitem__(self, state: InterviewState) -> int:
        return self._counts[state]

    def __iter__(self) -> Iterator[InterviewState]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __hash__(self) -> int:
        return hash(frozenset(self._counts.items()))

    def __repr__(self) -> str:
        return f"StateCounts({self._counts!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"StateCounts is frozen: {name} cannot be assigned")

    def __reduce__(self) -> Tuple[Any, ...]:
        return StateCounts, (dict(self._counts),)


def _counts(value: Any) -> Any:
    return StateCounts(value) if isinstance(value, Mapping) and not isinstance(value, StateCounts) else value


@record
class ListPage(Record):
    """A page of a list. `next` is the cursor of the next page, empty on the last one. Iterates over its rows."""

    rows: Tuple[ListRow, ...]
    next: str = ""
    counts: Optional[Mapping[InterviewState, int]] = None

    _made_by = {"counts": _counts}

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


__all__ = [
    "Actor",
    "Applicant",
    "Attempt",
    "AuditEntry",
    "AuditHead",
    "AuditReport",
    "Changed",
    "DueRecord",
    "Eligibility",
    "Fact",
    "GrantedWaiver",
    "Inspection",
    "Interview",
    "Invited",
    "LinkRequested",
    "LinkStamp",
    "ListPage",
    "ListRow",
    "Message",
    "MessageKey",
    "PermittedAction",
    "PersonChanged",
    "PolicySpan",
    "Progress",
    "Retaken",
    "RuleVerdict",
    "Session",
    "SetAside",
    "Sitting",
    "SittingState",
    "StateCounts",
    "Accommodation",
    "DeadlineTerms",
    "SweepReport",
    "TokenClaims",
    "TrackHistory",
]
