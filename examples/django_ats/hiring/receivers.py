"""What is done once a transaction with promised mail is committed."""

import functools
import logging
import os
import threading

from django.dispatch import receiver

from hirenow.contrib.django import mail_promised

from .tasks import send_mail

_wanted = threading.Event()


@receiver(mail_promised)
def wake_a_worker(using, **_):
    """Has the mail sent at once. Nobody waits for the broker: where it is away, its client tries for seconds, so that
    is left to a thread, and beat's next firing does the work."""
    _waker(os.getpid())
    _wanted.set()


@functools.lru_cache(maxsize=None)
def _waker(pid):
    """The thread of this process; a forked one has none of its parent's."""
    threading.Thread(target=_wake, name="waker", daemon=True).start()


def _wake():
    while True:
        _wanted.wait()
        _wanted.clear()
        try:
            send_mail.apply_async(retry=False, expires=60)
        except Exception:
            logging.getLogger(__name__).warning("no worker was woken", exc_info=True)
