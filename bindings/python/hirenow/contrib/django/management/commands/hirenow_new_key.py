"""Makes the first key file."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

import hirenow
from hirenow import KeyAlgorithm
from hirenow.contrib.django._conf import conf


class Command(BaseCommand):
    """`manage.py hirenow_new_key`."""

    help = "Makes the file that HIRENOW['KEYS'] names, with one key that signs. It never touches one that is there."
    requires_system_checks = []  # which would miss the file

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("--kid", default="first", help="the key's name")
        parser.add_argument("--algorithm", choices=[a.value for a in KeyAlgorithm], default=KeyAlgorithm.ED25519.value)

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs it."""
        path = conf["KEYS"]
        if not isinstance(path, (str, os.PathLike)):
            raise CommandError("HIRENOW['KEYS'] names no file")
        try:
            document = hirenow.new_key_document(KeyAlgorithm(options["algorithm"]), options["kid"])
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # nobody else's to read, from the first
        except (hirenow.Error, OSError) as error:
            raise CommandError(str(error)) from error
        with open(file, "w", encoding="utf-8") as out:
            out.write(document)
        self.stdout.write(f"made {os.fspath(path)}")
