"""What is mailed, and how a dispatcher fares."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Optional

from ._model import _EPOCH, MessageKey
from ._record import Record, record
from ._words import DeliveryOutcome, MessageState


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
    start_by: datetime = _EPOCH
    deadline: Optional[datetime] = None
    time_limit: timedelta = timedelta(0)
    ends_by: Optional[datetime] = None

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
    """What a dispatcher tells of, for logs and screens: what became of a message, or a call that the store failed.

    `outcome` is the word under which it is counted: "accepted", "retried", "dead", "withdrawn", "released", "lost",
    "put_off"; or "store_error", which is no message's: `answer` has the error's code and words.
    """

    tenant: str
    applicant_id: str
    key: MessageKey
    state: MessageState
    answer: str
    next_try: Optional[datetime]
    outcome: str = ""


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
    put_off: int = 0


@record
class OutboxFigures(Record):
    """How an outbox stands, all tenants together: `due` messages are queued ones, `lapsed` leases leased ones."""

    queued: int = 0
    due: int = 0
    leased: int = 0
    lapsed: int = 0
    dead: int = 0
    oldest_due: Optional[datetime] = None


@record
class DispatchStats(Record):
    """What this dispatcher has done since it was made, and how the outbox of all of them stands.

    `outbox` is None where the store does not count, `oldest_due_age` (seconds) where no message is due.
    """

    sent: DispatchReport
    outbox: Optional[OutboxFigures] = None
    oldest_due_age: Optional[int] = None


__all__ = [
    "Delivery",
    "DispatchEvent",
    "DispatchReport",
    "DispatchStats",
    "MailSender",
    "MessageView",
    "OutboxFigures",
    "OutgoingMail",
    "RenderedMessage",
]
