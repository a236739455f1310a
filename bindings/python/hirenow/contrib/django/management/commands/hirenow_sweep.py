"""Lets the clock do what is due."""

from __future__ import annotations

from typing import Any, List

from django.core.management.base import BaseCommand, CommandError, CommandParser

from hirenow import SetAside
from hirenow.contrib.django import store_engine


class Command(BaseCommand):
    """`manage.py hirenow_sweep`."""

    help = (
        "Lets the clock do what is due: links and interviews expire, overtime is submitted, old answers to repeated "
        "requests are forgotten. For cron, once a minute."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--limit", type=int, default=10_000, help="at most so many records at a time")
        parser.add_argument("--database", help="the alias of the database; the settings' one if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs it, to the end of what is due."""
        engine = store_engine(options["database"])
        records = events = 0
        failed: List[SetAside] = []
        while True:
            report = engine.sweep(options["limit"])
            records, events = records + report.records, events + report.events
            failed += report.failed
            if not report.more or not report.records:
                break
        self.stdout.write(f"{records} records, {events} events")
        for aside in failed:
            self.stderr.write(f"set aside: {aside.record.tenant}/{aside.record.applicant_id}: {aside.error}")
        if failed:
            raise CommandError(f"{len(failed)} records could not be swept")
