"""System checks: everything that the settings say is tried before the first request meets it."""

from __future__ import annotations

from typing import Any, Collection, List, Mapping, Optional

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import import_string

import hirenow

from ._access import permission_of
from ._conf import CALLABLES, DEFAULTS, DISPATCHER_CALLABLES, conf
from .mail import backend_path, smtp_options

TAG = "hirenow"


def register() -> None:
    """Tells Django of the checks."""
    checks.register(check_settings, TAG)
    checks.register(check_database, TAG, checks.Tags.database)


def _error(number: int, text: str, hint: Optional[str] = None) -> checks.Error:
    return checks.Error(text, hint=hint, id=f"hirenow.E{number:03}")


def _warning(number: int, text: str, hint: Optional[str] = None) -> checks.Warning:
    return checks.Warning(text, hint=hint, id=f"hirenow.W{number:03}")


def check_settings(app_configs: Any = None, **_: Any) -> List[checks.CheckMessage]:
    """E001 to E009 and W001 to W004; see docs/django.md."""
    given = getattr(settings, "HIRENOW", None)
    if not isinstance(given, Mapping):
        return [
            _error(1, "HIRENOW is missing from the settings, or is no dict.", "It needs KEYS and LINK_BASE at least.")
        ]
    found: List[checks.CheckMessage] = [
        _error(2, f"HIRENOW has no setting {name!r}.", f"There are {', '.join(sorted(DEFAULTS))}.")
        for name in given
        if name not in DEFAULTS
    ]
    found += _check_alias()
    found += _check_callables()
    found += _check_engine()
    found += _check_mail()
    return found


def _check_alias() -> List[checks.CheckMessage]:
    alias = conf.database
    if alias not in connections:
        return [_error(3, f"HIRENOW['DATABASE'] names no database: {alias!r}.")]
    connection: Any = connections[alias]
    if connection.vendor not in ("sqlite", "postgresql"):
        return [
            _error(
                3, f"The database {alias!r} is {connection.vendor}; hirenow's tables can be in SQLite and PostgreSQL."
            )
        ]
    if connection.vendor != "sqlite":
        return []
    found: List[checks.CheckMessage] = []
    options = connection.settings_dict.get("OPTIONS", {})
    import django

    if django.VERSION >= (5, 1) and str(options.get("transaction_mode", "")).upper() not in ("IMMEDIATE", "EXCLUSIVE"):
        found.append(
            _warning(
                1,
                f"Transactions on the SQLite database {alias!r} are deferred: one that has read cannot write once "
                "somebody else has written.",
                "Set OPTIONS['transaction_mode'] to 'IMMEDIATE', or repeat them with run_in_transaction().",
            )
        )
    if connection.is_in_memory_db():
        found.append(
            _warning(
                2,
                f"The SQLite database {alias!r} is in memory: no dispatcher and no command can reach it.",
                "Give it a file.",
            )
        )
    return found


def _check_callables() -> List[checks.CheckMessage]:
    found: List[checks.CheckMessage] = []
    named = [(f"HIRENOW[{name!r}]", conf[name]) for name in sorted(CALLABLES)]
    options = conf["DISPATCHER"]
    if isinstance(options, Mapping):
        named += [
            (f"HIRENOW['DISPATCHER'][{name!r}]", value)
            for name, value in options.items()
            if name in DISPATCHER_CALLABLES
        ]
    for name, value in named:
        if isinstance(value, str) and "." in value:
            try:
                import_string(value)
            except ImportError as error:
                found.append(_error(7, f"{name} names nothing that can be imported: {error}."))
    try:
        wrong = [name for name in permission_of(conf["ROLES"]).values() if str(name).count(".") != 1]
    except (ValueError, AttributeError) as error:
        return [
            *found,
            _error(
                8,
                f"HIRENOW['ROLES'] cannot be used: {error}.",
                "A dict of recruiter, reviewer and admin, and the permission that makes somebody one.",
            ),
        ]
    found += [_error(8, f"HIRENOW['ROLES']: {name!r} is no permission.", "Write app_label.codename.") for name in wrong]
    return found


def _check_engine() -> List[checks.CheckMessage]:
    from ._engines import template_engine

    found: List[checks.CheckMessage] = []
    # Each by itself first, so that the message names the setting and not only what is wrong.
    keys, policy, base = conf["KEYS"], conf["POLICY"], conf["LINK_BASE"]
    if not keys:
        found.append(
            _error(
                4,
                "HIRENOW['KEYS'] is missing.",
                "A file's path, of mode 0600: hirenow.new_key_document makes a first one.",
            )
        )
    else:
        try:
            hirenow.key_ring(keys).signing_kid()
        except (hirenow.Error, OSError, TypeError) as error:
            found.append(_error(4, f"HIRENOW['KEYS'] cannot be used: {error}."))
    if policy is not None:
        try:
            hirenow.retake_policy(policy)
        except (hirenow.Error, OSError, TypeError) as error:
            found.append(_error(5, f"HIRENOW['POLICY'] cannot be used: {error}."))
    if not base:
        found.append(_error(6, "HIRENOW['LINK_BASE'] is missing.", "The https address of the applicant's page."))
    if found:
        return found
    try:
        template_engine().close()
    except hirenow.InvalidArgumentError as error:
        link = "link base" in str(error)
        found.append(_error(6 if link else 9, f"HIRENOW{'[LINK_BASE]' if link else ''} cannot be used: {error}."))
    except (hirenow.Error, ImproperlyConfigured, TypeError, ValueError, ImportError) as error:
        found.append(_error(9, f"HIRENOW cannot be used: {error}."))
    return found


def _check_mail() -> List[checks.CheckMessage]:
    found: List[checks.CheckMessage] = []
    try:
        address = conf.sender().address
    except (TypeError, AttributeError, hirenow.Error) as error:
        return [_error(10, f"HIRENOW['SENDER'] cannot be used: {error}.")]
    if "@" not in address:
        found.append(_error(10, f"HIRENOW['SENDER'] is no address: {address!r}."))
    elif address.endswith("@localhost"):
        found.append(_warning(3, f"Mail would come from {address}.", "Set HIRENOW['SENDER'] or DEFAULT_FROM_EMAIL."))
    if (
        conf["MAILER"] == DEFAULTS["MAILER"]
        and backend_path() == "django.core.mail.backends.smtp.EmailBackend"
        and not smtp_options().get("timeout")
    ):
        found.append(
            _warning(
                4,
                "E-mail has no timeout (EMAIL_TIMEOUT, or in MAILERS): a mail server that hangs holds a worker for ever.",
                "Set it, or let HIRENOW['MAILER'] be 'hirenow.contrib.django.mail.smtp_mailer'.",
            )
        )
    return found


def check_database(
    app_configs: Any = None, databases: Optional[Collection[str]] = None, **_: Any
) -> List[checks.CheckMessage]:
    """E011: the tables are there and whole. With `manage.py check --database`, and before `migrate` makes them."""
    from django.db.migrations.recorder import MigrationRecorder

    from ._tables import check_tables

    if not isinstance(getattr(settings, "HIRENOW", None), Mapping):
        return []
    alias = conf.database
    if not databases or alias not in databases or alias not in connections:
        return []
    connection: Any = connections[alias]
    if connection.vendor not in ("sqlite", "postgresql"):
        return []
    applied = ("hirenow", "0001_initial") in MigrationRecorder(connection).applied_migrations()
    if not applied:  # `migrate` is about to make them
        return []
    try:
        check_tables(connection, conf.schema)
    except hirenow.Error as error:
        return [_error(11, f"hirenow's tables in the database {alias!r} cannot be used: {error}.")]
    return []
