"""The dispatcher: empties the outbox."""

from __future__ import annotations

import atexit
import os
import time
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Iterator, List, Mapping, Optional, Set, Type, Union

from . import _hirenow
from ._adapters import Mailer, Renderer
from ._engine import Engine
from ._hirenow import MessageTemplates
from ._mail_model import DispatchEvent, DispatchReport, DispatchStats, MailSender

if TYPE_CHECKING:
    from typing_extensions import Self


class Dispatcher:
    """Empties the outbox: keeps the promises that committed changes made, and no others.

    Several dispatchers, in one process or many, may work on one store. What a callback raises is a temporary failure of
    its message. `on_error` is told of it; without it `dispatch_due` raises the first, once all is settled, and `run` hands
    it to `sys.unraisablehook`. `most_per_minute` and `most_per_minute_of_tenant` limit the rate at which mail leaves; all
    dispatchers of a store that counts, as those of the library do, keep to a limit together. 0 is no limit; what a tenant has
    more is put off to when it may go. Closing its engine stops it and closes it to all but `close`. A signal's handler that
    raises, as Ctrl-C's does, ends a run: what is being sent is finished first, and the rest given back.
    """

    __slots__ = ("_core", "__weakref__")

    def __init__(
        self,
        engine: Engine,
        mailer: Mailer,
        *,
        sender: Union[MailSender, str],
        senders: Optional[Mapping[str, MailSender]] = None,
        templates: Optional[MessageTemplates] = None,
        renderer: Optional[Renderer] = None,
        track_title: Optional[Callable[[str, str, str], str]] = None,
        most_tries: int = 10,
        first_backoff: timedelta = timedelta(seconds=30),
        longest_backoff: timedelta = timedelta(hours=6),
        lease: timedelta = timedelta(seconds=30),
        renew_every: timedelta = timedelta(seconds=10),
        poll_every: timedelta = timedelta(milliseconds=200),
        most_per_minute: int = 0,
        most_per_minute_of_tenant: int = 0,
        on_event: Optional[Callable[[DispatchEvent], object]] = None,
        on_error: Optional[Callable[[BaseException], object]] = None,
    ) -> None:
        self._core = _hirenow.DispatcherCore(
            engine._core,
            mailer,
            MailSender(sender) if isinstance(sender, str) else sender,
            dict(senders or {}),
            templates,
            renderer,
            track_title,
            most_tries,
            first_backoff,
            longest_backoff,
            lease,
            renew_every,
            poll_every,
            most_per_minute,
            most_per_minute_of_tenant,
            on_event,
            on_error,
        )

    def dispatch_due(self, limit: int = 1000) -> DispatchReport:
        """Sends what is due now, at most `limit` messages, and returns when all of it is settled.

        A plain call for a host that has workers of its own: a Celery task, a cron job, a thread. Calls that overlap, of
        one dispatcher or of several, here or in other processes, share the work and double nothing.
        """
        return self._core.dispatch_due(limit)

    def stats(self) -> DispatchStats:
        """What this dispatcher has done, and how the outbox stands. Any thread, while it runs too."""
        return self._core.stats()

    def prometheus_text(self) -> str:
        """The same for Prometheus: the body of an answer of type `text/plain; version=0.0.4`."""
        return _hirenow.prometheus_text(self.stats())

    def run(self, workers: int = 1) -> DispatchReport:
        """Sends for ever with so many workers, until `stop` is called from another thread or a signal's handler raises.

        Then what is being sent is finished, and the rest given back.
        """
        _running.add(self)
        try:
            return self._core.run(workers)
        finally:
            _running.discard(self)

    def stop(self) -> None:
        """Asks a running dispatcher to come to an end. Any thread."""
        self._core.stop()

    def close(self) -> None:
        """Stops it and lets go of engine and mailer, once its runs have ended. Later calls are refused.

        In a callback of the library's it does not wait.
        """
        self._core.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._core.closed

    def __enter__(self) -> Self:
        """The dispatcher itself; the block's end closes it."""
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Closes the dispatcher."""
        self.close()

    def wake(self) -> None:
        """Makes a running dispatcher look at once instead of at its next poll. Any thread."""
        self._core.wake()

    def listen(self, url: str, *, schema: str = "hirenow") -> None:
        """Hears of mail that a PostgreSQL store with `announces_mail` promised, and wakes a run at once.

        `url` is the store's; the listener has a connection of its own until the dispatcher is closed, which is made anew
        where it broke. What is said while there is none is lost, so a run polls all the same. Another call takes the
        place of the first.
        """
        self._core.listen(url, schema)

    @contextmanager
    def running(self, workers: int = 1) -> Iterator[Dispatcher]:
        """Runs it on a thread of its own while the `with` block lasts. What the run raises, the block's end raises."""
        import threading

        failed: List[BaseException] = []

        def work() -> None:
            try:
                self.run(workers)
            except BaseException as error:  # noqa: B902: handed on below
                failed.append(error)

        thread = threading.Thread(target=work, name="hirenow-dispatcher", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            while thread.is_alive():  # a stop that comes before the run has begun would be missed
                self.stop()
                thread.join(0.05)
        if failed:
            raise failed[0]


_running: Set[Dispatcher] = set()
os.register_at_fork(after_in_child=_running.clear)  # the threads that run them are the parent's


@atexit.register
def _stop_dispatchers() -> None:
    # What is still running on a daemon thread ends before the interpreter does: what was sent is written down.
    for _ in range(600):
        if not _running:
            return
        for dispatcher in list(_running):
            dispatcher.stop()
        time.sleep(0.05)


__all__ = ["Dispatcher"]
