"""The host's connection, as its driver has it or as its framework wraps it, for the library's SQL to run through."""

from __future__ import annotations

import sys
from typing import Any, List, Protocol, Tuple

from . import _hirenow
from ._hirenow import NativeStore

Answer = Tuple[List[Tuple[Any, ...]], int]


class Driver(Protocol):
    """A driver's connection, as the library uses it: DB-API's, but for what the host may have changed of it."""

    connection: Any
    dialect: str
    """ "sqlite" or "postgresql". """

    def execute(self, sql: str, parameters: Tuple[Any, ...]) -> Answer:
        """Runs one statement to its end: all rows, and how many an INSERT, UPDATE or DELETE changed."""

    def transaction(self) -> str:
        """How the connection stands to transactions: "none", "begins_lazily" or "open"."""

    def code_of(self, raised: BaseException) -> Any:
        """What the database says of the failure that the driver raised; None where the database has no part in it."""


def _driver_of(connection: object, outer: object) -> Driver:
    def comes_from(module: str, name: str) -> bool:  # whoever has such a connection has imported the module
        return isinstance(connection, getattr(sys.modules.get(module), name, ()))

    if comes_from("sqlite3", "Connection"):
        from ._dbapi import Driver as Sqlite3

        return Sqlite3(connection)  # type: ignore[arg-type]
    if comes_from("psycopg", "Connection"):
        from ._psycopg import Psycopg

        return Psycopg(connection)
    if comes_from("psycopg2.extensions", "connection"):
        from ._psycopg import Psycopg2

        return Psycopg2(connection)
    inside = "" if connection is outer else f" around {type(connection).__module__}.{type(connection).__qualname__}"
    raise TypeError(
        "connection must be one of sqlite3's, psycopg's or psycopg2's, or Django's or SQLAlchemy's around one, "
        f"not {type(outer).__name__}{inside}"
    )


class _Outer:
    """A framework's connection: its driver's is asked for when a call begins, because it may be another by then."""

    __slots__ = ("outer", "driver")

    def __init__(self, outer: Any) -> None:
        self.outer = outer
        self.driver = _driver_of(self.inner(), outer)

    def inner(self) -> Any:
        raise NotImplementedError

    @property
    def dialect(self) -> str:
        return self.driver.dialect

    def transaction(self) -> str:
        inner = self.inner()
        if inner is not self.driver.connection:
            self.driver = _driver_of(inner, self.outer)
        return self.driver.transaction()

    def execute(self, sql: str, parameters: Tuple[Any, ...]) -> Answer:
        return self.driver.execute(sql, parameters)

    def code_of(self, raised: BaseException) -> Any:
        return self.driver.code_of(raised)


class _Django(_Outer):
    """`django.db.connection`, `connections[...]`."""

    __slots__ = ()

    def inner(self) -> Any:
        self.outer.ensure_connection()
        return self.outer.connection

    def transaction(self) -> str:
        # What may not be done any more, in a block that is broken, Django tells itself.
        self.outer.validate_no_broken_transaction()
        return super().transaction()


class _SqlAlchemy(_Outer):
    """A `sqlalchemy.Connection`. Its transaction begins with whatever is run first, and it knows of that only if it was
    run through it: what it does not know of it does not commit."""

    __slots__ = ()

    def inner(self) -> Any:
        return self.outer.connection.driver_connection

    def transaction(self) -> str:
        stands = super().transaction()
        return stands if self.outer.in_transaction() else "begins_lazily"

    def execute(self, sql: str, parameters: Tuple[Any, ...]) -> Answer:
        if self.outer.in_transaction():
            return super().execute(sql, parameters)
        begun = self.outer.begin()
        try:  # the first statement is our BEGIN; where the host's own events have begun already, there is none needed
            stands = self.driver.transaction()
            if stands == "begins_lazily":
                return super().execute(sql, parameters)
        except BaseException:
            begun.rollback()
            raise
        if stands == "none":  # it commits each statement by itself
            begun.rollback()
        return [], 0


def joined(connection: object, create_tables: bool, schema: str) -> NativeStore:
    """A store inside the transaction that is open on the connection."""
    driver: Any
    if hasattr(connection, "validate_no_broken_transaction"):
        driver = _Django(connection)
    elif hasattr(connection, "exec_driver_sql"):
        driver = _SqlAlchemy(connection)
    else:
        driver = _driver_of(connection, connection)
    return _hirenow.join_transaction(driver, create_tables, schema)


__all__ = ["Driver", "joined"]
