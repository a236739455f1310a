"""What a store gets and answers, and what the checks of a store find."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional, Tuple, Union
from uuid import UUID

from ._model import (
    _EPOCH,
    Applicant,
    AuditEntry,
    DueRecord,
    Fact,
    Interview,
    Message,
    MessageKey,
    Progress,
)
from ._policy_model import StoredPolicy, Waiver
from ._record import Record, record
from ._words import (
    InterviewState,
    MessageState,
    SettlementVerdict,
    WaiverState,
)

_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc)


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
    last_instant: datetime = _EPOCH
    interviews: Tuple[Interview, ...] = ()
    facts: Tuple[Fact, ...] = ()
    waivers: Tuple[Waiver, ...] = ()

    _secret = ("salt",)


@record
class StoredAnswer(Record):
    """The answer to a committed call, kept for its idempotency key."""

    key: bytes
    payload: bytes
    answer: str
    expires_at: datetime

    _secret = ("answer",)


@record
class LoadRequest(Record):
    """What to load: one applicant record, by the host's id (`str`) or by one of its interviews (`UUID`).

    Without `with_rules` the policy and the facts may be left out. Sittings must come of interviews in progress, and with
    `with_sitting` of the one that is named. Without `with_others` the interviews that are not named may be left out,
    and the waivers. The policy is the one that is in force `at` an instant.
    """

    tenant: str
    who: Union[str, UUID]
    track: str = ""
    with_rules: bool = True
    answer: Optional[bytes] = None
    with_sitting: bool = False
    with_progress: bool = False
    with_others: bool = True
    at: datetime = _LAST


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
class WaiverChange(Record):
    """A waiver as it is to be after one step."""

    after: Waiver
    before: Optional[WaiverState] = None


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
    drops: Tuple[MessageKey, ...] = ()
    final_progress: Optional[FinalProgress] = None
    answer: Optional[StoredAnswer] = None
    erase: bool = False
    waivers: Tuple[WaiverChange, ...] = ()
    policies: Tuple[StoredPolicy, ...] = ()


@record
class CheckpointRequest(Record):
    """Progress to be saved under an open session."""

    tenant: str
    interview: UUID
    fence: int
    key_hash: bytes
    at: datetime
    data: bytes

    _secret = ("key_hash", "data")


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

    _secret = ("token",)


@record
class AllowanceRequest(Record):
    """Asks whether mail may leave under a limit of so many a minute: a tenant's, or, without one, that of all mail.

    `returned`: how many of those granted before did not leave, and need not have been counted.
    """

    now: datetime
    per_minute: int
    tenant: str = ""
    wanted: int = 1
    returned: int = 0


@record
class Allowance(Record):
    """How many mails may leave, and how long until one more may."""

    granted: int = 0
    wait: timedelta = timedelta(0)


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

    _secret = ("token",)


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
    "ApplicantRecord",
    "ChangeSet",
    "CheckFailure",
    "CheckReport",
    "CheckpointRequest",
    "AllowanceRequest",
    "Allowance",
    "ClaimRequest",
    "ClaimedMessage",
    "DuePage",
    "FinalProgress",
    "InterviewChange",
    "ListRequest",
    "LoadRequest",
    "Loaded",
    "MessageQuery",
    "Settlement",
    "StoredAnswer",
    "WaiverChange",
    "Withdrawal",
]
