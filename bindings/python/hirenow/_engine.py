"""The engine: all use cases over one store, key ring, policy and clock."""

from __future__ import annotations

import io
import os
from datetime import datetime, timedelta
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    Union,
)
from uuid import UUID

from . import _hirenow
from ._adapters import Clock, NativeStore, Store
from ._errors import InvalidArgumentError
from ._hirenow import KeyRing, RetakePolicy
from ._model import (
    Actor,
    Applicant,
    AuditEntry,
    AuditReport,
    Changed,
    Eligibility,
    Fact,
    Inspection,
    Interview,
    Invited,
    LinkRequested,
    ListPage,
    ListRow,
    Message,
    MessageKey,
    PermittedAction,
    PersonChanged,
    Progress,
    Retaken,
    Session,
    Sitting,
    SweepReport,
    TrackHistory,
)
from ._policies import PolicyCalls
from ._words import Durability, InterviewState, MessageState, Outcome, Overtime, Role, UseCase

if TYPE_CHECKING:
    from typing_extensions import Self

InterviewId = Union[UUID, str]
Notify = Union[bool, datetime]
"""True: a message goes out at once; False: none does; a datetime: not before."""

Keys = Union[KeyRing, "os.PathLike[str]", str, Mapping[str, Any]]
Policy = Union[RetakePolicy, "os.PathLike[str]", str, Mapping[str, Any]]


def _json(document: Mapping[str, Any]) -> str:
    import json

    return json.dumps(document)


def key_ring(keys: Keys) -> KeyRing:
    """A key ring from a file's path, or from a JSON Web Key set as a dict."""
    if isinstance(keys, KeyRing):
        return keys
    if isinstance(keys, Mapping):
        return KeyRing.from_json(_json(keys))
    return KeyRing.from_file(keys)


def retake_policy(policy: Policy) -> RetakePolicy:
    """A retake policy from a file's path, or from its document as a dict."""
    if isinstance(policy, RetakePolicy):
        return policy
    if isinstance(policy, Mapping):
        return RetakePolicy.parse(_json(policy))
    with io.open(policy, encoding="utf-8") as file:
        return RetakePolicy.parse(file.read())


def open_store(
    url: str,
    *,
    durability: Durability = Durability.FULL,
    busy_timeout: timedelta = timedelta(seconds=10),
    readers: int = 4,
    checkpoint_bytes: int = 64 * 1024 * 1024,
    cache_kib: int = 16 * 1024,
    warn: Optional[Callable[[str], object]] = None,
    schema: str = "hirenow",
    connections: int = 8,
    connect_timeout: timedelta = timedelta(seconds=5),
    call_timeout: timedelta = timedelta(seconds=30),
    prepared_statements: bool = True,
    create_tables: bool = True,
    database_clock: bool = True,
    row_security: bool = False,
    announces_mail: bool = False,
    announce_every: timedelta = timedelta(milliseconds=5),
) -> NativeStore:
    """Opens a store of the library's own: "memory:", "sqlite:" and a file's path, or a URL of libpq's ("postgresql://…").

    From `schema` on the options are PostgreSQL's, the others but for the URL SQLite's. `row_security` turns it on for the
    tables, as their owner. `announces_mail` tells dispatchers that `listen` when mail was promised, not more often than
    every `announce_every`.

    `warn` is told what endangers a SQLite file; without it, Python's `warnings` are. Where Python's `sqlite3` is
    another copy of SQLite than the library's, the library's SQL runs through it, so that one copy touches the file.
    """
    if url == "memory:":
        return _hirenow.open_memory_store()
    scheme, colon, path = url.partition(":")
    if scheme in ("postgresql", "postgres"):
        return _hirenow.open_postgres_store(
            url,
            schema,
            connections,
            connect_timeout,
            call_timeout,
            prepared_statements,
            create_tables,
            database_clock,
            row_security,
            announces_mail,
            announce_every,
        )
    if scheme != "sqlite" or not colon or not path:
        raise InvalidArgumentError(f"no store is opened by this URL: {scheme}{colon}…", reason="url")
    if not isinstance(busy_timeout, timedelta):
        raise TypeError(f"busy_timeout must be a timedelta, not {type(busy_timeout).__name__}")
    normal = Durability(durability) is Durability.NORMAL
    if _has_another_sqlite():
        from ._dbapi import opener

        connect = opener(path, busy_timeout.total_seconds())
        return _hirenow.open_sqlite_store_through(
            path, connect, normal, busy_timeout, readers, checkpoint_bytes, cache_kib, warn or _warn
        )
    return _hirenow.open_sqlite_store(
        path, normal, busy_timeout, readers, checkpoint_bytes, cache_kib, warn or _warn
    )


def _has_another_sqlite() -> bool:
    try:
        from ._dbapi import is_another_sqlite
    except ImportError:  # a Python without sqlite3
        return False
    return is_another_sqlite()


def _warn(text: str) -> None:
    import warnings

    warnings.warn(text, RuntimeWarning, stacklevel=2)


def open(  # noqa: A001: reads as hirenow.open
    store: Union[str, Store, NativeStore],
    *,
    keys: Keys,
    policy: Optional[Policy] = None,
    clock: Optional[Clock] = None,
    link_base: str = "",
    link_bases: Optional[Mapping[str, str]] = None,
    issuer: str = "hirenow",
    audience: str = "interview",
    link_lifetime: timedelta = timedelta(hours=72),
    time_limit: timedelta = timedelta(hours=24),
    answer_retention: timedelta = timedelta(days=30),
    link_request_interval: timedelta = timedelta(minutes=15),
    permissions: Optional[Mapping[UseCase, Union[Role, Collection[Role]]]] = None,
) -> Engine:
    """Opens an engine over a store: a URL ("sqlite:ats.db", "memory:"), or any `Store`.

    `keys` is a key ring, the path of its file, or its document; `policy` likewise, and without one the standard policy
    holds. `link_base` is the https address that links are built on, `link_bases` those of tenants where they differ.
    `permissions` replaces the roles of some use cases.
    """
    return Engine(
        _hirenow.EngineCore(
            open_store(store) if isinstance(store, str) else store,
            key_ring(keys),
            RetakePolicy.standard() if policy is None else retake_policy(policy),
            clock,
            link_base,
            dict(link_bases or {}),
            issuer,
            audience,
            link_lifetime,
            time_limit,
            answer_retention,
            link_request_interval,
            permissions,
        )
    )


class Engine(PolicyCalls):
    """All use cases. `hirenow.open` makes one. Any thread may call it; a call that waits lets other threads run.

    A refusal is a `hirenow.Error` and changes nothing. Every change takes an `idempotency_key`: the same key with the
    same request gets the same answer again. After a fork every call raises `ForkedError`: open a new one in the child.
    """

    __slots__ = ("_core", "__weakref__")

    def __init__(self, core: _hirenow.EngineCore) -> None:
        self._core = core

    def close(self) -> None:
        """Lets go of the store. Calls at work end first, and dispatchers over this engine stop; later calls are refused.

        In a callback of the library's, which such a call may be waiting for, it does not wait.
        """
        self._core.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._core.closed

    def __enter__(self) -> Self:
        """The engine itself; the block's end closes it."""
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Closes the engine."""
        self.close()

    def __repr__(self) -> str:
        return f"<hirenow.Engine {'closed' if self.closed else 'open'}>"

    def over(self, store: Union[Store, NativeStore]) -> Engine:
        """The same engine over another store: keys, policies, options and clock are shared."""
        return Engine(self._core.on(store))

    def on(self, connection: object, *, create_tables: bool = False, schema: str = "hirenow") -> Engine:
        """The same engine inside the transaction that is open on this connection of the host's: one of `sqlite3`,
        `psycopg` or `psycopg2`, a `sqlalchemy.Connection`, or Django's. `schema` is where PostgreSQL has the tables.

        The library's SQL runs through the connection, so that the host's rows and hirenow's commit or roll back
        together; hirenow neither begins nor ends the transaction, but one that the driver begins lazily is made to
        begin. An error of ours leaves it as it was, and usable. A link returned there must not be used before the
        host's commit.

        Raises `NoTransactionError` where none is open, `RetryTransactionError` where only the host can repeat it (or
        where it could not be begun, because somebody else holds the lock), and whatever else the host's driver raises.
        """
        from ._host import joined

        return Engine(self._core.on(joined(connection, create_tables, schema)))

    def now(self) -> datetime:
        """The present instant by the engine's clock."""
        return self._core.now()

    # ---- Inviting ----------------------------------------------------------------------------------------------------

    def schedule(
        self,
        applicant: Applicant,
        track: str,
        *,
        actor: Actor,
        opens_at: Optional[datetime] = None,
        link_lifetime: Optional[timedelta] = None,
        reminders: Sequence[timedelta] = (),
        time_limit: Optional[timedelta] = None,
        grace: Optional[timedelta] = None,
        overtime: Overtime = Overtime.EXPIRE,
        ends_by: Optional[datetime] = None,
        notify: Notify = True,
        idempotency_key: Optional[str] = None,
    ) -> Invited:
        """Plans an interview and promises the invitation.

        Needs a track without a current interview; where it has a past, its retake policy must allow. `ends_by` is the
        outer limit: no link and no deadline lies behind it, whatever is added.
        """
        return self._core.schedule(
            applicant,
            track,
            actor,
            opens_at,
            link_lifetime,
            reminders,
            time_limit,
            grace,
            overtime,
            ends_by,
            notify,
            idempotency_key,
        )

    def retake_eligibility(self, interview_id: InterviewId, *, actor: Actor) -> Eligibility:
        """Whether this interview may be retaken now; the very decision that `retake` enforces."""
        return self._core.retake_eligibility(interview_id, actor)

    def retake(
        self,
        interview_id: InterviewId,
        *,
        actor: Actor,
        opens_at: Optional[datetime] = None,
        link_lifetime: Optional[timedelta] = None,
        reminders: Sequence[timedelta] = (),
        time_limit: Optional[timedelta] = None,
        grace: Optional[timedelta] = None,
        overtime: Optional[Overtime] = None,
        ends_by: Optional[datetime] = None,
        notify: Notify = True,
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> Retaken:
        """Archives the interview and plans a new one with a new id, a new token and one message, in one commit.

        What is left out is taken from the interview that is retaken. Raises `CooldownError` and its kind, with
        `eligible_at`, and `SupersededError` with `superseded_by`.
        """
        return self._core.retake(
            interview_id,
            actor,
            opens_at,
            link_lifetime,
            reminders,
            time_limit,
            grace,
            overtime,
            ends_by,
            notify,
            reason,
            idempotency_key,
        )

    def reissue(
        self,
        interview_id: InterviewId,
        *,
        actor: Actor,
        opens_at: Optional[datetime] = None,
        link_lifetime: Optional[timedelta] = None,
        extend_by: Optional[timedelta] = None,
        reminders: Sequence[timedelta] = (),
        notify: Notify = True,
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> Invited:
        """Gives the same interview a fresh link; every older one is dead at once.

        It lives `link_lifetime` from its opening, or `extend_by` longer: a live link from its end, an expired one from
        now.
        """
        return self._core.reissue(
            interview_id, actor, opens_at, link_lifetime, extend_by, reminders, notify, reason, idempotency_key
        )

    def request_link(self, token: str, *, idempotency_key: Optional[str] = None) -> LinkRequested:
        """The holder of a superseded or expired link asks for the current one; it is mailed to the address on file."""
        return self._core.request_link(token, idempotency_key)

    # ---- The applicant's sitting -------------------------------------------------------------------------------------

    def inspect(self, token: str) -> Inspection:
        """What stands behind a link. Changes nothing, so that a mail scanner's visit is harmless."""
        return self._core.inspect(token)

    def start(self, token: str, session_key: Union[str, bytes]) -> Sitting:
        """Starts the interview under a session key of at least 16 random bytes. The same key gets the same answer."""
        return self._core.start(token, session_key)

    def resume(self, token: str, session_key: Union[str, bytes]) -> Sitting:
        """Goes on with a started interview in a newer session, which fences the older one off."""
        return self._core.resume(token, session_key)

    def checkpoint(self, session: Session, progress: Union[str, bytes]) -> datetime:
        """Saves the progress of an open session, whole; says when."""
        return self._core.checkpoint(session, progress)

    def submit(
        self,
        session: Session,
        *,
        progress: Optional[Union[str, bytes]] = None,
        idempotency_key: Optional[str] = None,
    ) -> Changed:
        """Submits the interview, to the end of its grace."""
        return self._core.submit(session, progress, idempotency_key)

    def withdraw(
        self, token: str, *, reason: str = "", notify: Notify = False, idempotency_key: Optional[str] = None
    ) -> Changed:
        """The applicant withdraws."""
        return self._core.withdraw(token, reason, notify, idempotency_key)

    # ---- Deciding ----------------------------------------------------------------------------------------------------

    def decide(
        self,
        interview_id: InterviewId,
        outcome: Outcome,
        *,
        actor: Actor,
        reason: str = "",
        score: Optional[float] = None,
        notify: Notify = True,
        idempotency_key: Optional[str] = None,
    ) -> Changed:
        """Decides a submitted interview, or one on hold: passed, failed or on_hold."""
        return self._core.decide(interview_id, outcome, actor, reason, score, notify, idempotency_key)

    def reopen(
        self, interview_id: InterviewId, *, actor: Actor, reason: str, idempotency_key: Optional[str] = None
    ) -> Changed:
        """Takes a pass or a failure back to on hold. Needs a reason."""
        return self._core.reopen(interview_id, actor, reason, idempotency_key)

    def void_attempt(
        self,
        interview_id: InterviewId,
        *,
        actor: Actor,
        reason_code: str,
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> Changed:
        """Voids an attempt that a technical failure spoilt."""
        return self._core.void_attempt(interview_id, actor, reason_code, reason, idempotency_key)

    def accommodate(
        self,
        interview_id: InterviewId,
        *,
        actor: Actor,
        reason_code: str,
        percent: Optional[int] = None,
        extra: Optional[timedelta] = None,
        pause: Optional[timedelta] = None,
        grace: Optional[timedelta] = None,
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> Changed:
        """Lengthens an attempt that is scheduled or runs; the deadline of one that runs moves at once.

        A term that is given takes the place of the one before, the others stay. See `hirenow.deadline_breakdown`.
        """
        return self._core.accommodate(
            interview_id, actor, reason_code, percent, extra, pause, grace, reason, idempotency_key
        )

    def cancel(
        self,
        interview_id: InterviewId,
        *,
        actor: Actor,
        reason: str = "",
        notify: Notify = True,
        idempotency_key: Optional[str] = None,
    ) -> Changed:
        """Cancels an interview that is not over."""
        return self._core.cancel(interview_id, actor, reason, notify, idempotency_key)

    def update_applicant(
        self, applicant: Applicant, *, actor: Actor, idempotency_key: Optional[str] = None
    ) -> PersonChanged:
        """Replaces the applicant's person. Messages already promised go to the new address."""
        return self._core.update_applicant(applicant, actor, idempotency_key)

    def record_fact(
        self, applicant_id: str, fact: Fact, *, actor: Actor, idempotency_key: Optional[str] = None
    ) -> PersonChanged:
        """Records something that a policy may ask about."""
        return self._core.record_fact(applicant_id, fact, actor, idempotency_key)

    def redrive(self, key: MessageKey, *, actor: Actor, idempotency_key: Optional[str] = None) -> None:
        """Queues a dead message again."""
        self._core.redrive(key, actor, idempotency_key)

    def drop(self, key: MessageKey, *, actor: Actor, idempotency_key: Optional[str] = None) -> None:
        """Gives a dead message up: it is withdrawn, and no longer among the dead."""
        self._core.drop(key, actor, idempotency_key)

    def erase_applicant(self, applicant_id: str, *, actor: Actor, idempotency_key: Optional[str] = None) -> None:
        """Erases a person; interviews and audit stay, and the audit stays valid."""
        self._core.erase_applicant(applicant_id, actor, idempotency_key)

    def sweep(self, limit: int = 10_000) -> SweepReport:
        """Lets the clock do what is due on every record of every tenant."""
        return self._core.sweep(limit)

    # ---- Reading: interviews are shown as the clock would have them now ----------------------------------------------

    def find(self, interview_id: InterviewId, *, actor: Actor) -> Interview:
        """An interview."""
        return self._core.find(interview_id, actor)

    def permitted_actions(self, interview_id: InterviewId, *, actor: Actor) -> Tuple[PermittedAction, ...]:
        """What this actor may do to the interview now, and why not the rest."""
        return self._core.permitted_actions(interview_id, actor)

    def list(
        self,
        *,
        actor: Actor,
        state: Optional[InterviewState] = None,
        track: str = "",
        applicant_id: str = "",
        cursor: str = "",
        limit: int = 50,
        with_counts: bool = True,
    ) -> ListPage:
        """A page for a dashboard, with counts by state from the same snapshot."""
        return self._core.list(actor, state, track, applicant_id, cursor, limit, with_counts)

    def pages(
        self,
        *,
        actor: Actor,
        state: Optional[InterviewState] = None,
        track: str = "",
        applicant_id: str = "",
        limit: int = 50,
        with_counts: bool = False,
    ) -> Iterator[ListPage]:
        """All pages, one after the other."""
        cursor = ""
        while True:
            page = self._core.list(actor, state, track, applicant_id, cursor, limit, with_counts)
            yield page
            if not page.next:
                return
            cursor = page.next

    def interviews(
        self,
        *,
        actor: Actor,
        state: Optional[InterviewState] = None,
        track: str = "",
        applicant_id: str = "",
    ) -> Iterator[ListRow]:
        """All rows of all pages; the next page is read when it is reached."""
        for page in self.pages(actor=actor, state=state, track=track, applicant_id=applicant_id, limit=500):
            yield from page.rows

    def history(self, interview_id: InterviewId, *, actor: Actor) -> TrackHistory:
        """Everything about one track of one applicant."""
        return self._core.history(interview_id, actor)

    def read_progress(self, interview_id: InterviewId, *, actor: Actor) -> Optional[Progress]:
        """The newest saved progress; after a submission, what was submitted. None where none was saved."""
        return self._core.read_progress(interview_id, actor)

    def read_audit(
        self, applicant_id: str, *, actor: Actor, after: int = 0, limit: int = 500
    ) -> Tuple[AuditEntry, ...]:
        """Audit entries after `after`, at most `limit` (at most 500).

        An empty id reads the tenant's own audit, which tells of its policies.
        """
        return self._core.read_audit(applicant_id, actor, after, limit)

    def audit(self, applicant_id: str, *, actor: Actor) -> Iterator[AuditEntry]:
        """All audit entries, read page by page; of the tenant's own audit where the id is empty."""
        after = 0
        while True:
            entries = self._core.read_audit(applicant_id, actor, after, 500)
            yield from entries
            if len(entries) < 500:
                return
            after = entries[-1].sequence

    def verify_audit(self, applicant_id: str, *, actor: Actor) -> AuditReport:
        """Verifies an applicant's whole audit, and that it ends where the interviews stand.

        An empty id verifies the tenant's own audit, and that its policies are those that it tells of.
        """
        return self._core.verify_audit(applicant_id, actor)

    def audit_checkpoint(self, *, actor: Actor) -> str:
        """A signed statement of where every record of the tenant stands: JSON, to be kept outside the database."""
        return self._core.audit_checkpoint(actor)

    def verify_audit_checkpoint(self, checkpoint: str, *, actor: Actor) -> int:
        """Compares the tenant's records with an earlier checkpoint. Says how many were compared."""
        return self._core.verify_audit_checkpoint(checkpoint, actor)

    def read_messages(
        self,
        *,
        actor: Actor,
        interview_id: Optional[InterviewId] = None,
        state: Optional[MessageState] = None,
        after: Optional[MessageKey] = None,
        limit: int = 50,
    ) -> Tuple[Message, ...]:
        """Messages of the actor's tenant, by key."""
        return self._core.read_messages(actor, interview_id, state, after, limit)

    def messages(
        self, *, actor: Actor, interview_id: Optional[InterviewId] = None, state: Optional[MessageState] = None
    ) -> Iterator[Message]:
        """All messages of the actor's tenant, by key; the next page is read when it is reached."""
        after = None
        while True:
            messages = self._core.read_messages(actor, interview_id, state, after, 500)
            yield from messages
            if len(messages) < 500:
                return
            after = messages[-1].key

    def link_of(self, interview_id: InterviewId, *, actor: Actor) -> str:
        """The link to an interview's current generation. A link is a credential: the actor needs what `reissue` needs."""
        return self._core.link_of(interview_id, actor)

    def link_for_row(self, tenant: str, applicant_id: str, interview: Interview) -> str:
        """The same from a stored row. Asks nobody's permission: for a dispatcher of one's own, which acts for the
        engine."""
        return self._core.link_for_row(tenant, applicant_id, interview)


__all__ = ["open", "open_store", "Engine", "key_ring", "retake_policy", "InterviewId", "Notify"]
