"""Sends the mail that committed changes have promised."""

from __future__ import annotations

import signal
import threading
from datetime import datetime, timezone
from types import FrameType
from typing import Any, Optional

from django.core.management.base import BaseCommand, CommandParser

from hirenow.contrib.django import dispatcher, store_engine


class Command(BaseCommand):
    """`manage.py hirenow_dispatch`."""

    help = "Sends the mail that committed changes have promised: for ever, until SIGTERM or SIGINT, or once."

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--once", action="store_true", help="send what is due now, and end")
        parser.add_argument("--limit", type=int, default=1000, help="with --once: at most so many messages")
        parser.add_argument("--workers", type=int, default=1, help="how many mails are sent at once")
        parser.add_argument(
            "--sweep-every",
            type=float,
            default=0,
            metavar="SECONDS",
            help="let the clock work beside it, as hirenow_sweep does",
        )
        parser.add_argument("--database", help="the alias of the database; the settings' one if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs it."""
        sending = dispatcher(options["database"])
        if options["once"]:
            if options["sweep_every"]:
                store_engine(options["database"]).sweep()
            self._report(sending.dispatch_due(options["limit"]))
            return
        stopped = threading.Event()
        sweeper = threading.Thread(target=self._sweep, args=(options, stopped), daemon=True)
        if options["sweep_every"]:
            sweeper.start()

        def stop(number: int, frame: Optional[FrameType]) -> None:
            raise KeyboardInterrupt  # ends the run: what is being sent is finished first

        before = signal.signal(signal.SIGTERM, stop)
        try:
            self._report(sending.run(options["workers"]))
        except KeyboardInterrupt:
            self.stdout.write("stopped")
        finally:
            signal.signal(signal.SIGTERM, before)
            stopped.set()
            if sweeper.is_alive():
                sweeper.join()

    def _sweep(self, options: Any, stopped: threading.Event) -> None:
        while not stopped.wait(options["sweep_every"]):
            try:
                store_engine(options["database"]).sweep()
            except Exception as error:  # the next one may do better, and mail goes on meanwhile
                self.stderr.write(f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ} sweep: {error}")

    def _report(self, report: Any) -> None:
        self.stdout.write(
            f"{report.accepted} accepted, {report.retried} to be tried again, {report.dead} given up, "
            f"{report.withdrawn} withdrawn"
        )
