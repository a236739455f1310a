"""What a host may bring: a store, a mailer, a clock, a template renderer."""

from __future__ import annotations

import abc
from datetime import datetime
from typing import Callable, List, Optional, Protocol, Sequence, Tuple

from ._hirenow import ManualClock, NativeStore, SmtpMailer
from ._mail_model import Delivery, MessageView, OutboxFigures, OutgoingMail, RenderedMessage
from ._model import AuditEntry, AuditHead, ListPage, Message
from ._policy_model import PolicyQuery, StoredPolicy
from ._store_model import (
    ChangeSet,
    CheckpointRequest,
    Allowance,
    AllowanceRequest,
    ClaimRequest,
    ClaimedMessage,
    DuePage,
    ListRequest,
    LoadRequest,
    Loaded,
    MessageQuery,
    Settlement,
)
from ._words import MessageKind


class Store(abc.ABC):
    """Where records live. `hirenow.testing.check_store` checks that a store keeps every promise.

    All calls may come at once, from any thread. A refusal is raised: `ConflictError` for a version that is not the
    expected one, `ConstraintViolatedError` for an unlawful change, `StoreError` and its kind for a failing store.
    Any other exception reaches whoever called the engine, as it is. The promises stand in `include/hirenow/store.hpp`.
    """

    @abc.abstractmethod
    def load(self, request: LoadRequest) -> Loaded:
        """Loads one record and what a decision on it needs, in one snapshot; version 0 where there is none."""

    @abc.abstractmethod
    def commit(self, changes: ChangeSet) -> None:
        """Writes a change set, all of it or none. Must compare the version."""

    @abc.abstractmethod
    def save_progress(self, request: CheckpointRequest) -> bool:
        """Saves progress where fence, key hash, an open session and `at < deadline` all hold; else says False."""

    @abc.abstractmethod
    def list(self, request: ListRequest) -> ListPage:
        """A page of interviews, with counts from the same snapshot."""

    @abc.abstractmethod
    def due(self, at: datetime, limit: int, cursor: str) -> DuePage:
        """Records on which the clock has something to do at `at`, of all tenants; one row a record."""

    @abc.abstractmethod
    def claim(self, request: ClaimRequest) -> Sequence[ClaimedMessage]:
        """Takes due messages, and those whose lease has run out, under a new lease. Where it cannot take all, each of n
        tenants gets `limit` / n places, or as many as it can fill."""

    @abc.abstractmethod
    def settle(self, settlements: Tuple[Settlement, ...]) -> Sequence[bool]:
        """Writes what workers found, in one commit. For each: whether the lease was still theirs."""

    def allow(self, requests: Tuple[AllowanceRequest, ...]) -> Sequence[Allowance]:
        """Counts mail that is to leave, so that all who send for this store keep to one limit together: spread evenly,
        after a rest no more at once than a second's worth, or one. Of requests under one limit in a call each sees what
        those before it took. May be left out: nothing, and each dispatcher counts for itself."""
        return ()

    @abc.abstractmethod
    def next_due(self) -> Optional[datetime]:
        """When the next message will be due or a lease will run out; None where the outbox is empty."""

    def outbox(self, now: datetime) -> Optional[OutboxFigures]:
        """How the outbox stands, for whoever watches it. May be left out: None."""
        return None

    @abc.abstractmethod
    def messages(self, query: MessageQuery) -> Sequence[Message]:
        """Messages of a tenant, by key."""

    @abc.abstractmethod
    def read_audit(self, tenant: str, applicant_id: str, after: int, limit: int) -> Sequence[AuditEntry]:
        """Entries of a record's audit after `after`, in order, with their notes."""

    @abc.abstractmethod
    def audit_heads(self, tenant: str, after: str, limit: int) -> Sequence[AuditHead]:
        """Heads of a tenant's records after `after`, by applicant id, byte by byte."""

    @abc.abstractmethod
    def policies(self, query: PolicyQuery) -> Sequence[StoredPolicy]:
        """Policies of a tenant or of one of its tracks, the last place first; those that are planned among them."""

    @abc.abstractmethod
    def prune(self, now: datetime, limit: int) -> int:
        """Deletes stored answers that have expired; at most `limit`. Says how many."""


class Mailer(Protocol):
    """How a message leaves."""

    def send(self, mail: OutgoingMail) -> Delivery:
        """Delivers one mail and says what came of it. May block; called from several threads at once.

        An exception is a temporary failure of this mail, and reaches `Dispatcher.dispatch_due`'s caller or `on_error`.
        """


class Clock(Protocol):
    """Where "now" comes from."""

    def now(self) -> datetime:
        """The present instant: an aware datetime, taken to whole seconds. Called from any thread."""


Renderer = Callable[[MessageKind, str, MessageView], RenderedMessage]
"""Renders a message of a kind in a locale (BCP 47). Called from several threads at once."""

Store.register(NativeStore)

__all__: List[str] = ["Store", "Mailer", "Clock", "Renderer", "ManualClock", "NativeStore", "SmtpMailer"]
