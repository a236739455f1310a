"""psycopg 3 and psycopg2 as drivers of the library's SQL for PostgreSQL.

Values go in and come out as PostgreSQL has them, whatever the host has registered for its process or its connection: on
a cursor of our own stand the drivers' own adapters, and psycopg2's parameters come quoted, so that it looks for none.
"""

from __future__ import annotations

import importlib
from typing import Any, List, Optional, Tuple

_IDLE, _UNKNOWN = 0, 4  # of libpq's PQtransactionStatus, which both drivers hand on


class _Both:
    """What the two have in common."""

    __slots__ = ("connection", "cursor")
    dialect = "postgresql"

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.cursor: Any = None  # made when it is first needed: a closed connection tells so then

    def _new_cursor(self) -> Any:
        raise NotImplementedError

    def _status(self) -> int:
        raise NotImplementedError

    def _run(self, cursor: Any, sql: str, parameters: Tuple[Any, ...]) -> None:
        raise NotImplementedError

    def execute(self, sql: str, parameters: Tuple[Any, ...]) -> Tuple[List[Tuple[Any, ...]], int]:
        """Runs one statement to its end: all rows, and how many an INSERT, UPDATE or DELETE changed."""
        if self.cursor is None or self.cursor.closed:
            self.cursor = self._new_cursor()
        cursor = self.cursor
        # The driver begins by itself, as the host told it to, before any statement: this one does not take a snapshot.
        self._run(cursor, "SHOW transaction_isolation" if sql == "BEGIN" else sql, parameters)
        return (cursor.fetchall() if cursor.description else []), cursor.rowcount

    def transaction(self) -> str:
        """How the connection stands to transactions."""
        status = int(self._status())
        if status == _UNKNOWN:
            self.connection.cursor()  # closed: the driver says it in its own words
        if status != _IDLE:
            return "open"
        return "none" if self.connection.autocommit else "begins_lazily"

    def _code(self, raised: Any, errors: Any, state: Optional[str]) -> Optional[Tuple[str, str]]:
        if not isinstance(raised, errors.Error):
            return None
        if state:
            return state, raised.diag.constraint_name or ""
        return None if isinstance(raised, (errors.ProgrammingError, errors.InterfaceError)) else ("", "")


class Psycopg(_Both):
    """A `psycopg.Connection`."""

    __slots__ = ()

    def _new_cursor(self) -> Any:
        psycopg = importlib.import_module("psycopg")
        numeric, string = (importlib.import_module(f"psycopg.types.{name}") for name in ("numeric", "string"))
        boolean = importlib.import_module("psycopg.types.bool")
        cursor = psycopg.Cursor(self.connection, row_factory=importlib.import_module("psycopg.rows").tuple_row)
        for kind, dumper in ((int, numeric.IntDumper), (float, numeric.FloatDumper), (str, string.StrDumper),
                             (bytes, string.BytesDumper)):
            cursor.adapters.register_dumper(kind, dumper)
        for oid, loader in ((16, boolean.BoolLoader), (17, string.ByteaLoader), (20, numeric.IntLoader),
                            (21, numeric.IntLoader), (23, numeric.IntLoader), (25, string.TextLoader),
                            (701, numeric.FloatLoader)):
            cursor.adapters.register_loader(oid, loader)
        return cursor

    def _status(self) -> int:
        status: int = self.connection.info.transaction_status
        return status

    def _run(self, cursor: Any, sql: str, parameters: Tuple[Any, ...]) -> None:
        cursor.execute(sql.replace("?", "%s").encode(), parameters or None)

    def code_of(self, raised: BaseException) -> Optional[Tuple[str, str]]:
        """SQLSTATE and constraint of what the driver raised; None where PostgreSQL has no part in it."""
        return self._code(raised, importlib.import_module("psycopg"), getattr(raised, "sqlstate", None))


class Psycopg2(_Both):
    """A `psycopg2` connection."""

    __slots__ = ()

    def _new_cursor(self) -> Any:
        e = importlib.import_module("psycopg2.extensions")
        cursor = e.cursor(self.connection)
        integer = e.new_type((20, 21, 23), "HIRENOW_INTEGER", lambda raw, _: None if raw is None else int(raw))
        real = e.new_type((701,), "HIRENOW_REAL", lambda raw, _: None if raw is None else float(raw))
        flag = e.new_type((16,), "HIRENOW_FLAG", lambda raw, _: None if raw is None else raw == "t")
        text = e.new_type((25,), "HIRENOW_TEXT", lambda raw, _: raw)
        binary = importlib.import_module("psycopg2").BINARY
        data = e.new_type((17,), "HIRENOW_BYTES", lambda raw, at: None if raw is None else bytes(binary(raw, at)))
        for kind in (integer, real, flag, text, data):
            e.register_type(kind, cursor)
        return cursor

    def _status(self) -> int:
        status: int = self.connection.get_transaction_status()
        return status

    def _run(self, cursor: Any, sql: str, parameters: Tuple[Any, ...]) -> None:
        e = importlib.import_module("psycopg2.extensions")

        def quoted(value: Any) -> Any:
            if isinstance(value, str):
                return e.QuotedString(value)
            if isinstance(value, bytes):
                return e.Binary(value)
            return e.AsIs(f"'{value!r}'")  # a number, inside a cast to its type

        cursor.execute(sql.replace("?", "%s"), tuple(map(quoted, parameters)) or None)

    def code_of(self, raised: BaseException) -> Optional[Tuple[str, str]]:
        """SQLSTATE and constraint of what the driver raised; None where PostgreSQL has no part in it."""
        return self._code(raised, importlib.import_module("psycopg2"), getattr(raised, "pgcode", None))


__all__ = ["Psycopg", "Psycopg2"]
