"""hirenow in a Django project: an app for INSTALLED_APPS, with settings, checks, migrations and commands.

    INSTALLED_APPS = [..., "hirenow.contrib.django"]
    HIRENOW = {"KEYS": BASE_DIR / "keys.json", "LINK_BASE": "https://jobs.acme.example/interview/", "TENANT": "acme"}

    with transaction.atomic():
        Application.objects.filter(pk=pk).update(stage="retake")
        engine().retake(interview_id, actor=actor_of(request.user), idempotency_key=key)

`docs/django.md` is the guide. Importing this needs no settings yet; the first call does.
"""

from __future__ import annotations

from ._access import actor_of, roles_of, tenant_of
from ._engines import TransactionEngine, close, dispatcher, engine, run_in_transaction, store_engine
from ._status import http_status
from .signals import mail_promised

__all__ = [
    "TransactionEngine",
    "actor_of",
    "close",
    "dispatcher",
    "engine",
    "http_status",
    "mail_promised",
    "roles_of",
    "run_in_transaction",
    "store_engine",
    "tenant_of",
]
