"""The settings: one dict, HIRENOW."""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, Mapping

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

DEFAULTS: Dict[str, Any] = {
    "DATABASE": "default",  # the alias of the database that has hirenow's tables
    "SCHEMA": "hirenow",  # PostgreSQL: the schema that they are in
    "KEYS": None,  # a file's path, or the document as a dict; needed
    "LINK_BASE": "",  # the https address of the applicant's page; needed
    "LINK_BASES": {},  # by tenant, where it differs
    "POLICY": None,  # a file's path, or the document as a dict; else the standard policy
    "TENANT": "default",  # the one tenant
    "TENANT_OF": None,  # or a callable that tells a user's
    "ROLES": {},  # role: permission, where it is not hirenow's own
    "ROLES_OF": None,  # or a callable that tells a user's roles
    "PERMISSIONS": {},  # use case: roles, where they are not the library's
    "CLOCK": None,  # for tests
    "ENGINE": {},  # what else hirenow.open takes: link_lifetime, time_limit, …
    "STORE": {},  # what hirenow.open_store takes, for dispatcher and commands
    "MAILER": "hirenow.contrib.django.mail.DjangoMailer",  # a callable that makes one
    "SENDER": None,  # an address, or a hirenow.MailSender; else DEFAULT_FROM_EMAIL
    "SENDERS": {},  # by tenant, where it differs
    "DISPATCHER": {},  # what else hirenow.Dispatcher takes: templates, track_title, on_error, …
}

CALLABLES: FrozenSet[str] = frozenset(("TENANT_OF", "ROLES_OF", "MAILER", "CLOCK"))
"""What may be a callable, or its dotted path."""

DISPATCHER_CALLABLES: FrozenSet[str] = frozenset(("renderer", "track_title", "on_event", "on_error"))


def resolved(value: Any) -> Any:
    """What a dotted path names; anything else as it is."""
    return import_string(value) if isinstance(value, str) and "." in value else value


class _Conf:
    """HIRENOW with its defaults, read when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        given = getattr(settings, "HIRENOW", None) or {}
        if not isinstance(given, Mapping):
            raise ImproperlyConfigured("HIRENOW must be a dict")
        return given.get(name, DEFAULTS[name])

    @property
    def database(self) -> str:
        return str(self["DATABASE"])

    @property
    def schema(self) -> str:
        return str(self["SCHEMA"])

    def callable(self, name: str) -> Any:
        """The setting, with a dotted path followed."""
        return resolved(self[name])

    def sender(self) -> Any:
        """Who mail comes from where a tenant has nobody of its own."""
        import hirenow

        sender = self["SENDER"] or settings.DEFAULT_FROM_EMAIL
        if not isinstance(sender, str):
            return sender
        from email.utils import parseaddr

        name, address = parseaddr(sender)
        return hirenow.MailSender(address, name)

    def dispatcher_options(self) -> Dict[str, Any]:
        """What else the dispatcher is made with."""
        return {
            name: _between_connections(resolved(value)) if name in DISPATCHER_CALLABLES and value else value
            for name, value in dict(self["DISPATCHER"]).items()
        }


def _between_connections(work: Callable[..., Any]) -> Callable[..., Any]:
    """The callable on a dispatcher's thread, which lives long: as between two requests, connections that broke or are
    too old are not used again."""
    from django.db import close_old_connections

    def done(*arguments: Any) -> Any:
        close_old_connections()
        try:
            return work(*arguments)
        finally:
            close_old_connections()

    return done


conf = _Conf()


def _forget(setting: str, **_: Any) -> None:
    # In tests: what was opened by other settings.
    if setting in ("HIRENOW", "DATABASES"):
        from . import _engines

        _engines.close()


setting_changed.connect(_forget, dispatch_uid="hirenow.contrib.django")

__all__ = ["CALLABLES", "DEFAULTS", "DISPATCHER_CALLABLES", "conf", "resolved"]
