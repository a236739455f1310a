"""Signals."""

from __future__ import annotations

from django.dispatch import Signal

mail_promised = Signal()
"""Sent once a transaction in which mail was promised has been committed, with `using`, the database's alias.

Whatever makes the dispatcher look at once belongs here. A receiver that fails is logged and hurts nobody: the mail
stands in the outbox, and leaves when the dispatcher looks next. `sender` is `TransactionEngine`.
"""

__all__ = ["mail_promised"]
