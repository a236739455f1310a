"""The app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class HirenowConfig(AppConfig):
    """`hirenow.contrib.django` in INSTALLED_APPS, "hirenow" in the names of migrations and permissions."""

    name = "hirenow.contrib.django"
    label = "hirenow"
    verbose_name = "hirenow"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the checks, and minds the connections to a SQLite file."""
        from . import checks

        checks.register()
        connection_created.connect(_leave_checkpoints_to_the_store, dispatch_uid="hirenow.contrib.django")


def _leave_checkpoints_to_the_store(connection: Any, **_: Any) -> None:
    # SQLite before 3.51.3 can corrupt a WAL file where two connections make checkpoints, so only the store may.
    from ._conf import conf

    if connection.vendor == "sqlite" and connection.alias == conf.database:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_autocheckpoint = 0")
