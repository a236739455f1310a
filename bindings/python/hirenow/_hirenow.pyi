import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import Self

from ._adapters import Clock, Mailer, Renderer, Store
from ._mail_model import (
    Delivery,
    DispatchEvent,
    DispatchReport,
    DispatchStats,
    MailSender,
    MessageView,
    OutboxFigures,
    OutgoingMail,
    RenderedMessage,
)
from ._model import (
    Actor,
    Applicant,
    Attempt,
    AuditEntry,
    AuditHead,
    AuditReport,
    Changed,
    DeadlineTerms,
    Eligibility,
    Fact,
    GrantedWaiver,
    Inspection,
    Interview,
    Invited,
    LinkRequested,
    ListPage,
    Message,
    MessageKey,
    PermittedAction,
    PersonChanged,
    PolicySpan,
    Progress,
    Retaken,
    RuleVerdict,
    Session,
    Sitting,
    SweepReport,
    TokenClaims,
    TrackHistory,
)
from ._policy_model import PolicyPlace, PolicyQuery, StoredPolicy, Waiver, WaiverChanged, WhatIfPage
from ._store_model import (
    ApplicantRecord,
    ChangeSet,
    CheckReport,
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
from ._words import (
    AttemptKind,
    Authority,
    Event,
    InterviewState,
    KeyAlgorithm,
    MessageKind,
    MessageState,
    Outcome,
    Overtime,
    Role,
    SmtpSecurity,
    UseCase,
    Verdict,
    RunningWaits,
    WaiverState,
)
from ._dbapi import Driver
from ._engine import InterviewId, Notify

__version__: str

class ManualClock:
    """A clock that stands until it is moved: for tests, demonstrations and simulations."""

    def __init__(self, start: datetime) -> None: ...
    def now(self) -> datetime: ...
    def set(self, instant: datetime) -> None: ...
    def advance(self, by: timedelta) -> None: ...

class NativeStore:
    """A store of the library's own: see `hirenow.open_store`."""

    def load(self, request: LoadRequest) -> Loaded: ...
    def commit(self, changes: ChangeSet) -> None: ...
    def save_progress(self, request: CheckpointRequest) -> bool: ...
    def list(self, request: ListRequest) -> ListPage: ...
    def due(self, at: datetime, limit: int, cursor: str = "") -> DuePage: ...
    def claim(self, request: ClaimRequest) -> tuple[ClaimedMessage, ...]: ...
    def settle(self, settlements: Sequence[Settlement]) -> tuple[bool, ...]: ...
    def allow(self, requests: Sequence[AllowanceRequest]) -> tuple[Allowance, ...]: ...
    def next_due(self) -> datetime | None: ...
    def outbox(self, now: datetime) -> OutboxFigures | None: ...
    def messages(self, query: MessageQuery) -> tuple[Message, ...]: ...
    def read_audit(self, tenant: str, applicant_id: str, after: int, limit: int) -> tuple[AuditEntry, ...]: ...
    def audit_heads(self, tenant: str, after: str, limit: int) -> tuple[AuditHead, ...]: ...
    def policies(self, query: PolicyQuery) -> tuple[StoredPolicy, ...]: ...
    def prune(self, now: datetime, limit: int) -> int: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

class SmtpMailer:
    """Hands each mail to one mail server, over connections that are kept."""

    def __init__(
        self,
        host: str,
        port: int = 587,
        *,
        security: SmtpSecurity = ...,
        ca_file: str | bytes | os.PathLike[str] = "",
        username: str = "",
        password: str = "",
        helo_name: str = "",
        connect_timeout: timedelta | None = None,
        response_timeout: timedelta | None = None,
        final_answer_timeout: timedelta | None = None,
        max_idle_connections: int = 8,
        max_idle_age: timedelta | None = None,
    ) -> None: ...
    def send(self, mail: OutgoingMail) -> Delivery: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

class KeyRing:
    """The keys that sign and verify links. Copies share the keys."""

    @staticmethod
    def from_json(text: str) -> KeyRing: ...
    @staticmethod
    def from_file(path: str | bytes | os.PathLike[str]) -> KeyRing: ...
    @staticmethod
    def from_environment(variable: str) -> KeyRing: ...
    def reload(self, text: str | None = None) -> None: ...
    def signing_kid(self) -> str: ...
    def public_jwks(self) -> str: ...
    def sign_text(self, kid: str, purpose: str, text: str) -> str: ...
    def verify_text(self, kid: str, purpose: str, text: str, signature: str) -> None: ...

class RetakePolicy:
    """A retake policy: parsed and immutable."""

    @staticmethod
    def parse(text: str) -> RetakePolicy: ...
    @staticmethod
    def standard() -> RetakePolicy: ...
    @property
    def version(self) -> str: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def document(self) -> str: ...
    @property
    def retake_after(self) -> frozenset[Outcome]: ...
    def evaluate(
        self,
        history: Sequence[Attempt],
        now: datetime,
        kind: AttemptKind = ...,
        *,
        track: str | None = ...,
        facts: Sequence[Fact] = ...,
        waivers: Sequence[GrantedWaiver] = ...,
        time_zone: str = ...,
    ) -> Eligibility: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

class MessageTemplates:
    """The message templates of a host; at first the default texts."""

    def __init__(self) -> None: ...
    def set(self, kind: MessageKind, locale: str, *, subject: str, text: str, html: str = "") -> None: ...
    def render(self, kind: MessageKind, locale: str, view: MessageView) -> RenderedMessage: ...

class EngineCore:
    def __init__(
        self,
        store: Store | NativeStore,
        keys: KeyRing,
        policy: RetakePolicy,
        clock: Clock | None,
        link_base: str,
        link_bases: Mapping[str, str],
        issuer: str,
        audience: str,
        link_lifetime: timedelta,
        time_limit: timedelta,
        answer_retention: timedelta,
        link_request_interval: timedelta,
        permissions: Mapping[UseCase, Role | Collection[Role]] | None,
        /,
    ) -> None: ...
    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...
    def on(self, store: Store | NativeStore, /) -> EngineCore: ...
    def now(self) -> datetime: ...
    def schedule(
        self,
        applicant: Applicant,
        track: str,
        actor: Actor,
        opens_at: datetime | None,
        link_lifetime: timedelta | None,
        reminders: Sequence[timedelta],
        time_limit: timedelta | None,
        grace: timedelta | None,
        overtime: Overtime,
        ends_by: datetime | None,
        notify: Notify,
        idempotency_key: str | None,
        /,
    ) -> Invited: ...
    def retake_eligibility(self, interview_id: InterviewId, actor: Actor, /) -> Eligibility: ...
    def retake(
        self,
        interview_id: InterviewId,
        actor: Actor,
        opens_at: datetime | None,
        link_lifetime: timedelta | None,
        reminders: Sequence[timedelta],
        time_limit: timedelta | None,
        grace: timedelta | None,
        overtime: Overtime | None,
        ends_by: datetime | None,
        notify: Notify,
        reason: str,
        idempotency_key: str | None,
        /,
    ) -> Retaken: ...
    def reissue(
        self,
        interview_id: InterviewId,
        actor: Actor,
        opens_at: datetime | None,
        link_lifetime: timedelta | None,
        extend_by: timedelta | None,
        reminders: Sequence[timedelta],
        notify: Notify,
        reason: str,
        idempotency_key: str | None,
        /,
    ) -> Invited: ...
    def request_link(self, token: str, idempotency_key: str | None, /) -> LinkRequested: ...
    def inspect(self, token: str, /) -> Inspection: ...
    def start(self, token: str, session_key: str | bytes, /) -> Sitting: ...
    def resume(self, token: str, session_key: str | bytes, /) -> Sitting: ...
    def checkpoint(self, session: Session, progress: str | bytes, /) -> datetime: ...
    def submit(self, session: Session, progress: str | bytes | None, idempotency_key: str | None, /) -> Changed: ...
    def withdraw(self, token: str, reason: str, notify: Notify, idempotency_key: str | None, /) -> Changed: ...
    def decide(
        self,
        interview_id: InterviewId,
        outcome: Outcome,
        actor: Actor,
        reason: str,
        score: float | None,
        notify: Notify,
        idempotency_key: str | None,
        /,
    ) -> Changed: ...
    def reopen(
        self, interview_id: InterviewId, actor: Actor, reason: str, idempotency_key: str | None, /
    ) -> Changed: ...
    def void_attempt(
        self, interview_id: InterviewId, actor: Actor, reason_code: str, reason: str, idempotency_key: str | None, /
    ) -> Changed: ...
    def accommodate(
        self,
        interview_id: InterviewId,
        actor: Actor,
        reason_code: str,
        percent: int | None,
        extra: timedelta | None,
        pause: timedelta | None,
        grace: timedelta | None,
        reason: str,
        idempotency_key: str | None,
        /,
    ) -> Changed: ...
    def cancel(
        self, interview_id: InterviewId, actor: Actor, reason: str, notify: Notify, idempotency_key: str | None, /
    ) -> Changed: ...
    def update_applicant(self, applicant: Applicant, actor: Actor, idempotency_key: str | None, /) -> PersonChanged: ...
    def record_fact(
        self, applicant_id: str, fact: Fact, actor: Actor, idempotency_key: str | None, /
    ) -> PersonChanged: ...
    def set_policy(
        self,
        document: str,
        actor: Actor,
        track: str,
        active_from: datetime | None,
        running_waits: RunningWaits,
        idempotency_key: str | None,
        /,
    ) -> None: ...
    def policies(
        self, actor: Actor, track: str, before: PolicyPlace | None, limit: int, /
    ) -> tuple[StoredPolicy, ...]: ...
    def what_if(
        self, actor: Actor, document: str, track: str, cursor: str, limit: int, running_waits: RunningWaits, /
    ) -> WhatIfPage: ...
    def grant_waiver(
        self,
        applicant_id: str,
        actor: Actor,
        track: str,
        rule_id: str,
        reason_code: str,
        expires_at: datetime,
        floor: str,
        reason: str,
        idempotency_key: str | None,
        /,
    ) -> WaiverChanged: ...
    def approve_waiver(
        self, applicant_id: str, number: int, actor: Actor, reason: str, idempotency_key: str | None, /
    ) -> WaiverChanged: ...
    def revoke_waiver(
        self, applicant_id: str, number: int, actor: Actor, reason: str, idempotency_key: str | None, /
    ) -> WaiverChanged: ...
    def waivers(self, applicant_id: str, actor: Actor, /) -> tuple[Waiver, ...]: ...
    def redrive(self, key: MessageKey, actor: Actor, idempotency_key: str | None, /) -> None: ...
    def drop(self, key: MessageKey, actor: Actor, idempotency_key: str | None, /) -> None: ...
    def erase_applicant(self, applicant_id: str, actor: Actor, idempotency_key: str | None, /) -> None: ...
    def sweep(self, limit: int, /) -> SweepReport: ...
    def find(self, interview_id: InterviewId, actor: Actor, /) -> Interview: ...
    def permitted_actions(self, interview_id: InterviewId, actor: Actor, /) -> tuple[PermittedAction, ...]: ...
    def list(
        self,
        actor: Actor,
        state: InterviewState | None,
        track: str,
        applicant_id: str,
        cursor: str,
        limit: int,
        with_counts: bool,
        /,
    ) -> ListPage: ...
    def history(self, interview_id: InterviewId, actor: Actor, /) -> TrackHistory: ...
    def read_progress(self, interview_id: InterviewId, actor: Actor, /) -> Progress | None: ...
    def read_audit(self, applicant_id: str, actor: Actor, after: int, limit: int, /) -> tuple[AuditEntry, ...]: ...
    def verify_audit(self, applicant_id: str, actor: Actor, /) -> AuditReport: ...
    def audit_checkpoint(self, actor: Actor, /) -> str: ...
    def verify_audit_checkpoint(self, checkpoint: str, actor: Actor, /) -> int: ...
    def read_messages(
        self,
        actor: Actor,
        interview_id: InterviewId | None,
        state: MessageState | None,
        after: MessageKey | None,
        limit: int,
        /,
    ) -> tuple[Message, ...]: ...
    def link_of(self, interview_id: InterviewId, actor: Actor, /) -> str: ...
    def link_for_row(self, tenant: str, applicant_id: str, interview: Interview, /) -> str: ...

class DispatcherCore:
    def __init__(
        self,
        engine: EngineCore,
        mailer: Mailer,
        sender: MailSender,
        senders: Mapping[str, MailSender],
        templates: MessageTemplates | None,
        renderer: Renderer | None,
        track_title: Callable[[str, str, str], str] | None,
        most_tries: int,
        first_backoff: timedelta,
        longest_backoff: timedelta,
        lease: timedelta,
        renew_every: timedelta,
        poll_every: timedelta,
        most_per_minute: int,
        most_per_minute_of_tenant: int,
        on_event: Callable[[DispatchEvent], object] | None,
        on_error: Callable[[BaseException], object] | None,
        /,
    ) -> None: ...
    def dispatch_due(self, limit: int, /) -> DispatchReport: ...
    def stats(self, /) -> DispatchStats: ...
    def run(self, workers: int, /) -> DispatchReport: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    def stop(self) -> None: ...
    def wake(self) -> None: ...
    def listen(self, url: str, schema: str, /) -> None: ...

def bind(classes: dict[str, Any]) -> None: ...
def error_codes() -> dict[str, int]: ...
def default_permissions() -> dict[UseCase, tuple[frozenset[Role], bool, bool]]: ...
def open_memory_store() -> NativeStore: ...
def open_sqlite_store(
    path: str,
    normal: bool,
    busy_timeout: timedelta,
    readers: int,
    checkpoint_bytes: int,
    cache_kib: int,
    warn: Callable[[str], object],
) -> NativeStore: ...
def open_sqlite_store_through(
    path: str,
    opener: Callable[[], Driver],
    normal: bool,
    busy_timeout: timedelta,
    readers: int,
    checkpoint_bytes: int,
    cache_kib: int,
    warn: Callable[[str], object],
) -> NativeStore: ...
def open_postgres_store(
    url: str,
    schema: str,
    connections: int,
    connect_timeout: timedelta,
    call_timeout: timedelta,
    prepared_statements: bool,
    create_tables: bool,
    database_clock: bool,
    row_security: bool,
    announces_mail: bool,
    announce_every: timedelta,
) -> NativeStore: ...
def join_transaction(driver: object, create_tables: bool, schema: str) -> NativeStore: ...
def shares_sqlite_with(path: str) -> bool: ...
def prometheus_text(stats: DispatchStats) -> str: ...
def sqlite_version() -> str: ...
def new_key_document(algorithm: KeyAlgorithm, kid: str) -> str: ...
def mint_token(keys: KeyRing, kid: str, claims: TokenClaims) -> str: ...
def verify_token(keys: KeyRing, token: str, issuer: str, audience: str) -> TokenClaims: ...
def judge_link(claims: TokenClaims, record: ApplicantRecord | None, now: datetime) -> Verdict: ...
def describe(eligibility: Eligibility, language: str = ...) -> str: ...
def describe_span(span: PolicySpan, language: str = ...) -> str: ...
def describe_rule(verdict: RuleVerdict, time_zone: str = ..., language: str = ...) -> str: ...
def deadline_breakdown(interview: Interview, started_at: datetime) -> DeadlineTerms: ...
def parse_span(text: str) -> PolicySpan: ...
def apply_event(interview: Interview, event: Event, authority: Authority, at: datetime) -> Interview: ...
def after_the_clock(interview: Interview, at: datetime) -> Interview: ...
def clock_limit(interview: Interview) -> datetime | None: ...
def transition(
    state: InterviewState | None, event: Event, authority: Authority
) -> tuple[InterviewState, str] | None: ...
def message_id(key: MessageKey, domain: str) -> str: ...
def backoff_after(tries: int, chance: float, first: timedelta, longest: timedelta) -> timedelta: ...
def audit_hash(tenant: str, subject: bytes, entry: AuditEntry) -> bytes: ...
def audit_commitment(salt: bytes, what: str) -> bytes: ...
def follow_audit(record: ApplicantRecord, entries: Iterable[AuditEntry]) -> None: ...
def merkle_root(heads: Sequence[AuditHead]) -> bytes: ...
def is_lawful_waiver_step(before: WaiverState, after: WaiverState) -> bool: ...
def is_lawful_step(before: InterviewState, after: InterviewState) -> bool: ...
def check_store(
    make: Callable[[], Store | NativeStore], seed: int, histories: int, steps: int, threads: int
) -> CheckReport: ...
