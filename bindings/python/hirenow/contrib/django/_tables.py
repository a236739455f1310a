"""hirenow's own tables, through Django's connection."""

from __future__ import annotations

from typing import Any, List

import hirenow

_MIGRATION = hirenow.Actor("migration", "migration", hirenow.Role.ADMIN)


def _look(connection: Any, schema: str, create: bool) -> None:
    keys = hirenow.KeyRing.from_json(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "migration"))  # signs nothing
    with hirenow.open("memory:", keys=keys) as engine:
        with engine.on(connection, create_tables=create, schema=schema) as joined:
            joined.list(actor=_MIGRATION, limit=1, with_counts=False)


def create_tables(connection: Any, schema: str) -> None:
    """Makes the tables where there are none, in the transaction that is open on the connection."""
    if connection.vendor not in ("sqlite", "postgresql"):
        from django.core.exceptions import ImproperlyConfigured

        raise ImproperlyConfigured(f"hirenow's tables can be in SQLite and PostgreSQL, not in {connection.vendor}")
    _look(connection, schema, True)


def check_tables(connection: Any, schema: str) -> None:
    """Raises hirenow's error where the tables are missing or not right."""
    from django.db import transaction

    with transaction.atomic(using=connection.alias):
        _look(connection, schema, False)


def drop_tables(connection: Any, schema: str) -> None:
    """Drops the tables and all that is in them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for kind in "view", "table":
                sql = f"SELECT name FROM sqlite_master WHERE type = '{kind}' AND name LIKE 'hirenow!_%%' ESCAPE '!'"
                for name in _names(cursor, sql, []):
                    cursor.execute(f'DROP {kind} "{name}"')
            return
        quoted = connection.ops.quote_name(schema)
        for kind, sql in (
            (
                "TABLE",
                "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r' AND relname LIKE 'hirenow\\_%%' "
                "AND relnamespace = pg_catalog.to_regnamespace(%s)",
            ),
            (
                "VIEW",
                "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'v' AND relname LIKE 'hirenow\\_%%' "
                "AND relnamespace = pg_catalog.to_regnamespace(%s)",
            ),
            (
                "SEQUENCE",
                "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'S' AND relname LIKE 'hirenow\\_%%' "
                "AND relnamespace = pg_catalog.to_regnamespace(%s)",
            ),
            (
                "FUNCTION",
                "SELECT proname FROM pg_catalog.pg_proc WHERE proname LIKE 'hirenow\\_%%' "
                "AND pronamespace = pg_catalog.to_regnamespace(%s)",
            ),
        ):
            names = _names(cursor, sql, [quoted])
            if names:
                cursor.execute(f"DROP {kind} {', '.join(f'{quoted}.{name}' for name in names)} CASCADE")


def _names(cursor: Any, sql: str, parameters: List[str]) -> List[str]:
    cursor.execute(sql, parameters)
    return [name for (name,) in cursor.fetchall()]
