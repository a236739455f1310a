"""The engine over Django's database: inside its transaction, and on a store of its own.

What is opened belongs to one process and is opened when it is first needed, so that a server may fork when it likes.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, TypeVar
from urllib.parse import quote, urlencode

from django.core.exceptions import ImproperlyConfigured
from django.db import connections, transaction
from django.db.utils import OperationalError

import hirenow
from hirenow import Engine

from ._conf import conf
from .signals import mail_promised

T = TypeVar("T")

# ---- In Django's transaction -----------------------------------------------------------------------------------------


class _Wake:
    """What is done after the commit; one for a transaction is enough."""

    def __init__(self, using: str) -> None:
        self.using = using

    def __call__(self) -> None:
        for receiver, answer in mail_promised.send_robust(TransactionEngine, using=self.using):
            if isinstance(answer, Exception):
                logging.getLogger("hirenow").error("mail was promised, and %r failed", receiver, exc_info=answer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wake) and other.using == self.using

    def __hash__(self) -> int:
        return hash(self.using)


class TransactionEngine(Engine):
    """The engine inside the transaction of a Django connection. Whatever promises mail sends `mail_promised` once that
    transaction is committed."""

    __slots__ = ("_using",)

    def __init__(self, core: Any, using: str) -> None:
        super().__init__(core)
        self._using = using

    def _promised(self) -> None:
        connection = connections[self._using]
        wake = _Wake(self._using)
        pending = connection.run_on_commit
        if pending and pending[-1][1] == wake and pending[-1][0] == set(connection.savepoint_ids):
            return
        transaction.on_commit(wake, using=self._using, robust=True)


def _promising(call: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(call)
    def promise(self: TransactionEngine, *arguments: Any, **more: Any) -> T:
        answer = call(self, *arguments, **more)
        self._promised()
        return answer

    return promise


for _name in ("schedule", "retake", "reissue", "request_link", "decide", "cancel", "withdraw", "redrive"):
    setattr(TransactionEngine, _name, _promising(getattr(Engine, _name)))


def engine(using: Optional[str] = None) -> TransactionEngine:
    """The engine inside the transaction that is open on Django's connection: use it within `transaction.atomic()`.

    The host's rows and hirenow's commit or roll back together. Reading, too, needs a transaction. Outside of one each
    call raises `hirenow.NoTransactionError`.
    """
    alias = using or conf.database
    joined = _this_process().template().on(connections[alias], schema=conf.schema)
    return TransactionEngine(joined._core, alias)


def run_in_transaction(work: Callable[[TransactionEngine], T], *, using: Optional[str] = None, attempts: int = 5) -> T:
    """Calls `work(engine)` in `transaction.atomic()`, and again where only repeating it from its start can help: where
    somebody else committed first (`hirenow.RetryTransactionError`, a serialization failure at the commit).

    So `work` must do nothing that a rollback does not undo. Within an atomic block of the caller's, it is called once:
    it is the caller's to repeat.
    """
    alias = using or conf.database
    last = 1 if connections[alias].in_atomic_block else max(1, attempts)
    for attempt in range(1, last + 1):
        try:
            with transaction.atomic(using=alias):
                return work(engine(alias))
        except hirenow.RetryTransactionError:
            if attempt == last:
                raise
        except OperationalError as error:
            if attempt == last or not _is_worth_repeating(error):
                raise
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
    raise AssertionError("unreachable")


def _is_worth_repeating(error: BaseException) -> bool:
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state in ("40001", "40P01") or str(cause) == "database is locked"


# ---- On a store of its own -------------------------------------------------------------------------------------------


def store_engine(using: Optional[str] = None) -> Engine:
    """The engine over a store of hirenow's own on the same database: for dispatchers, sweeps and audits.

    It knows nothing of Django's transactions: each call commits by itself, and sees what was committed.
    """
    return _this_process().over_a_store(using or conf.database)


def dispatcher(using: Optional[str] = None) -> hirenow.Dispatcher:
    """The dispatcher of this process, with the settings' mailer: for a Celery task, or a loop."""
    return _this_process().dispatcher(using or conf.database)


def close() -> None:
    """Closes what this process has opened. The next call opens it anew."""
    with _lock:
        gone = _processes.pop(os.getpid(), None)
    if gone is not None:
        gone.close()


_LIBPQ = frozenset(
    (
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "passfile",
        "require_auth",
        "channel_binding",
        "connect_timeout",
        "client_encoding",
        "options",
        "application_name",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "gssencmode",
        "sslmode",
        "sslcompression",
        "sslcert",
        "sslkey",
        "sslpassword",
        "sslrootcert",
        "sslcrl",
        "sslcrldir",
        "sslsni",
        "sslcertmode",
        "requirepeer",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "krbsrvname",
        "gsslib",
        "gssdelegation",
        "service",
        "target_session_attrs",
        "load_balance_hosts",
    )
)


def store_url(alias: str) -> str:
    """The URL by which hirenow opens the database of this alias. It may hold a password."""
    connection: Any = connections[alias]
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        if connection.is_in_memory_db():
            raise ImproperlyConfigured(
                f"the database {alias!r} is in this process's memory, where only engine() can reach it: give it a file"
            )
        if name.startswith("file:"):
            raise ImproperlyConfigured(f"the database {alias!r} must be named by its file's path, not by a URI")
        return f"sqlite:{os.path.abspath(name)}"
    if connection.vendor == "postgresql":
        given = dict(connection.get_connection_params())
        if "database" in given:
            given["dbname"] = given.pop("database")
        role = connection.settings_dict.get("OPTIONS", {}).get("assume_role")
        if role:
            given["options"] = f"{given.get('options', '')} -c role={role}".strip()
        words = {name: value for name, value in given.items() if name in _LIBPQ and value not in (None, "")}
        words.pop("client_encoding", None)  # a store's own
        return "postgresql:///?" + urlencode(words, quote_via=quote)
    raise ImproperlyConfigured(
        f"hirenow's tables can be in SQLite and PostgreSQL; the database {alias!r} is {connection.vendor}"
    )


def template_engine() -> Engine:
    """An engine of all that the settings say, over nothing. Raises what is wrong with them."""
    return hirenow.open(
        "memory:",
        keys=_needed("KEYS"),
        policy=conf["POLICY"],
        clock=_made(conf.callable("CLOCK")),
        link_base=_needed("LINK_BASE"),
        link_bases=conf["LINK_BASES"],
        permissions=conf["PERMISSIONS"] or None,
        **conf["ENGINE"],
    )


def _needed(name: str) -> Any:
    value = conf[name]
    if not value:
        raise ImproperlyConfigured(f"HIRENOW[{name!r}] is missing")
    return value


def _made(clock: Any) -> Any:
    return clock() if isinstance(clock, type) else clock


class _Process:
    """What one process has opened."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._template: Optional[Engine] = None
        self._engines: Dict[Tuple[str, str], Engine] = {}
        self._dispatchers: Dict[Tuple[str, str], hirenow.Dispatcher] = {}

    def template(self) -> Engine:
        if self._template is None:
            with self._lock:
                if self._template is None:
                    self._template = template_engine()
        return self._template

    def over_a_store(self, alias: str) -> Engine:
        key = alias, store_url(alias)
        with self._lock:
            found = self._engines.get(key)
            if found is None:
                found = self._engines[key] = self.template().over(_store(alias, key[1]))
            return found

    def dispatcher(self, alias: str) -> hirenow.Dispatcher:
        key = alias, store_url(alias)
        with self._lock:
            found = self._dispatchers.get(key)
            if found is None:
                found = self._dispatchers[key] = hirenow.Dispatcher(
                    self.over_a_store(alias),
                    conf.callable("MAILER")(),
                    sender=conf.sender(),
                    senders=conf["SENDERS"],
                    **conf.dispatcher_options(),
                )
            return found

    def close(self) -> None:
        with self._lock:
            for one in self._opened():
                one.close()
            self._template = None
            self._engines.clear()
            self._dispatchers.clear()

    def _opened(self) -> Iterator[Any]:
        yield from self._dispatchers.values()
        yield from self._engines.values()
        if self._template is not None:
            yield self._template


def _store(alias: str, url: str) -> Any:
    options: Dict[str, Any] = dict(conf["STORE"])
    if connections[alias].vendor == "postgresql":
        options.setdefault("schema", conf.schema)
        options.setdefault("create_tables", False)  # `migrate` makes them
        # Django's own word for a pooler in front that pools transactions.
        pooled = connections[alias].settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
        options.setdefault("prepared_statements", not pooled)
    else:
        # That others commit to the file is as it should be here: Django does, and leaves checkpoints alone (apps.py).
        options.setdefault("warn", logging.getLogger("hirenow").info)
    return hirenow.open_store(url, **options)


_lock = threading.Lock()
_processes: Dict[int, _Process] = {}


def _this_process() -> _Process:
    found = _processes.get(os.getpid())
    if found is None:
        with _lock:
            found = _processes.setdefault(os.getpid(), _Process())
    return found


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # its holder is not in the child
    # What the parent opened is left alone, as its connections are: it is kept, so that nothing of it is closed here.
    for pid in [pid for pid in _processes if pid != os.getpid()]:
        _left.append(_processes.pop(pid))


_left: List[_Process] = []
os.register_at_fork(after_in_child=_after_fork)

__all__ = ["TransactionEngine", "close", "dispatcher", "engine", "run_in_transaction", "store_engine"]
