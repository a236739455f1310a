"""For the tests of a Django project.

`TestCase` needs nothing: what `engine()` writes is in the test's transaction, and gone with it. `TransactionTestCase`
empties Django's tables after each test, and cannot empty hirenow's, which refuse to forget: give each test a tenant of
its own, or call `renew_tables` in `setUp`.
"""

from __future__ import annotations

from typing import Optional


def renew_tables(using: Optional[str] = None) -> None:
    """Drops hirenow's tables with all that is in them, and makes them anew. In a test's database only."""
    from django.core import mail
    from django.db import connections, transaction

    from . import _engines
    from ._conf import conf
    from ._tables import create_tables, drop_tables

    if not hasattr(mail, "outbox"):  # Django's setup_test_environment makes it
        raise RuntimeError("tables are renewed in tests only")
    alias = using or conf.database
    _engines.close()
    with transaction.atomic(using=alias):
        drop_tables(connections[alias], conf.schema)
        create_tables(connections[alias], conf.schema)


__all__ = ["renew_tables"]
