"""Python's sqlite3 as a driver of the library's SQL: for a host's transaction, and for a whole store where Python's
sqlite3 is another copy of SQLite than the library's."""

from __future__ import annotations

import sqlite3
from typing import Any, Callable, List, Optional, Tuple

from . import _hirenow
from ._hirenow import NativeStore

_LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL, from Python 3.12 on


class Driver:
    """One connection. Rows come as they lie in the table, whatever factories and converters the host has set."""

    __slots__ = ("connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Tuple[Any, ...]) -> Tuple[List[Tuple[Any, ...]], int]:
        """Runs one statement to its end: all rows, and how many an INSERT, UPDATE or DELETE changed."""
        connection = self.connection
        cursor = sqlite3.Cursor(connection)  # not connection.cursor(): a subclass of the host's may make its own
        cursor.row_factory = None
        hosts_text, hosts_converters = connection.text_factory, _taken_converters()
        connection.text_factory = bytes
        try:
            cursor.execute(sql, parameters)
            return cursor.fetchall(), cursor.rowcount
        finally:
            connection.text_factory = hosts_text
            if hosts_converters:
                sqlite3.converters.update(hosts_converters)
            cursor.close()

    def transaction(self) -> str:
        """How the connection stands to transactions."""
        connection = self.connection
        if connection.in_transaction:
            return "open"
        if getattr(connection, "autocommit", _LEGACY) != _LEGACY or connection.isolation_level is None:
            return "none"
        return "begins_lazily"

    def code_of(self, raised: BaseException) -> Optional[int]:
        """SQLite's code for what the driver raised; 0 where it does not say, None where SQLite has no part in it."""
        if not isinstance(raised, sqlite3.Error):
            return None
        code = getattr(raised, "sqlite_errorcode", None)  # from Python 3.11 on
        if code is not None:
            return int(code)
        return None if isinstance(raised, (sqlite3.ProgrammingError, sqlite3.InterfaceError)) else 0


def _taken_converters() -> dict[str, Callable[[bytes], Any]]:
    # Converters are the process's, by declared type. Those of the types that our tables declare would change our
    # values. Hardly anybody has one; whoever has gets it back at once.
    converters: dict[str, Callable[[bytes], Any]] = sqlite3.converters
    return {name: converters.pop(name) for name in ("INTEGER", "TEXT", "BLOB", "REAL") if name in converters}


def joined(connection: object, create_tables: bool) -> NativeStore:
    """A store inside the transaction that is open on the connection."""
    inner = connection
    for _ in range(3):  # Django and SQLAlchemy wrap the driver's connection, one of them twice
        if isinstance(inner, sqlite3.Connection):
            return _hirenow.join_transaction(Driver(inner), create_tables)
        inner = getattr(inner, "driver_connection", None) or getattr(inner, "connection", None)
    raise TypeError(f"connection must be a sqlite3.Connection, not {type(connection).__name__}")


def opener(path: str, timeout: float) -> Callable[[], Driver]:
    """Opens connections to a file with which no statement begins a transaction by itself."""

    def open_driver() -> Driver:
        return Driver(sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False))

    return open_driver


def is_another_sqlite() -> bool:
    """Whether Python's sqlite3 is another copy of SQLite than the library's: two on one file lose committed rows."""
    import _sqlite3

    file = getattr(_sqlite3, "__file__", None)
    return file is None or not _hirenow.shares_sqlite_with(file)


__all__ = ["Driver", "joined", "opener", "is_another_sqlite"]
