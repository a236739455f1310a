"""Python's sqlite3 as a driver of the library's SQL: for a host's transaction, and for a whole store where Python's
sqlite3 is another copy of SQLite than the library's."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import _hirenow

_LEGACY = -1  # sqlite3.LEGACY_TRANSACTION_CONTROL, from Python 3.12 on


class Driver:
    """One connection. Rows come as they lie in the table, whatever factories, converters and adapters the host has set:
    what is the process's is gone round, never changed."""

    __slots__ = ("connection",)
    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Tuple[Any, ...]) -> Tuple[List[Tuple[Any, ...]], int]:
        """Runs one statement to its end: all rows, and how many an INSERT, UPDATE or DELETE changed."""
        connection = self.connection
        if not _CONVERTED.isdisjoint(sqlite3.converters):
            sql = _without_types(sql)
        if not _ADAPTED.isdisjoint(sqlite3.adapters):
            sql, parameters = _not_adapted(sql, parameters)
        cursor = sqlite3.Cursor(connection)  # not connection.cursor(): a subclass of the host's may make its own
        cursor.row_factory = None
        hosts_text = connection.text_factory
        connection.text_factory = bytes
        try:
            cursor.execute(sql, parameters)
            return cursor.fetchall(), cursor.rowcount
        finally:
            connection.text_factory = hosts_text
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


# ---- What a host has set for the whole process ---------------------------------------------------------------------------

# A converter is chosen by the type that a column was declared with; these are what our tables declare.
_CONVERTED = frozenset(("INTEGER", "TEXT", "BLOB", "REAL"))
# An adapter is chosen by the very class of a parameter.
_ADAPTED = frozenset((kind, sqlite3.PrepareProtocol) for kind in (int, float, str, bytes, type(None)))

_WORDS = re.compile(r"'(?:[^']|'')*'|[(),]|\b(?:SELECT|RETURNING|FROM|WHERE|UNION|ORDER|LIMIT)\b")
_untyped: Dict[str, str] = {}


def _without_types(sql: str) -> str:
    """The statement with each column of its answer as an expression, which has no declared type: `+a` for `a`."""
    known = _untyped.get(sql)
    if known is None:
        known = _untyped[sql] = _with_expressions(sql)
    return known


def _with_expressions(sql: str) -> str:
    depth, in_list = 0, False

    def mark(word: "re.Match[str]") -> str:
        nonlocal depth, in_list
        text = word.group()
        depth += (text == "(") - (text == ")")
        if depth > 0 or text in "()" or text.startswith("'"):
            return text
        if text == ",":
            return ", +" if in_list else text
        in_list = text in ("SELECT", "RETURNING")
        return text + " +" if in_list else text

    return _WORDS.sub(mark, sql)


class _Integer(int):
    __slots__ = ()


class _Real(float):
    __slots__ = ()


class _Text(str):
    __slots__ = ()


class _Bytes(bytes):
    __slots__ = ()


_OURS = {int: _Integer, float: _Real, str: _Text, bytes: _Bytes}


def _not_adapted(sql: str, parameters: Tuple[Any, ...]) -> Tuple[str, Tuple[Any, ...]]:
    """The same with values of classes that nobody has an adapter for; None has one class only, so it is written out."""
    if None in parameters:
        places = ["NULL" if value is None else "?" for value in parameters] + [""]
        sql = "".join(text + place for text, place in zip(sql.split("?"), places))
    return sql, tuple(_OURS[type(value)](value) for value in parameters if value is not None)


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


__all__ = ["Driver", "opener", "is_another_sqlite"]
