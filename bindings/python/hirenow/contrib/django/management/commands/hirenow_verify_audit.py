"""Verifies the audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

from django.core.management.base import BaseCommand, CommandError, CommandParser

import hirenow
from hirenow import Actor, Engine, Role
from hirenow.contrib.django import store_engine
from hirenow.contrib.django._conf import conf


class Command(BaseCommand):
    """`manage.py hirenow_verify_audit`."""

    help = (
        "Verifies the audit of every applicant with an interview and that of the policies, or the audit of those that "
        "are named: any edit, swap or deletion is found. With a checkpoint that was kept elsewhere, truncation and lost records too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The options."""
        parser.add_argument("applicants", nargs="*", help="ids of applicants; all of the tenant's if left out")
        parser.add_argument("--tenant", help="the tenant; the settings' one if left out")
        parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="compare with this earlier checkpoint, too")
        parser.add_argument(
            "--write-checkpoint",
            type=Path,
            metavar="FILE",
            help="write a checkpoint, where all is well: keep it outside the database",
        )
        parser.add_argument("--database", help="the alias of the database; the settings' one if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs it; ends with an error where something is broken."""
        tenant = options["tenant"]
        if not tenant and conf["TENANT_OF"]:
            raise CommandError("there are many tenants: say which with --tenant")
        tenant = tenant or conf["TENANT"]
        actor = Actor("hirenow_verify_audit", tenant, Role.ADMIN)
        engine = store_engine(options["database"])
        broken: List[str] = []
        entries = 0
        people = options["applicants"] or _everybody(engine, actor)
        # The tenant's own audit tells of its policies; it has no applicant's id.
        for applicant in people if options["applicants"] else ["", *people]:
            try:
                entries += engine.verify_audit(applicant, actor=actor).entries
            except (hirenow.AuditBrokenError, hirenow.NotFoundError) as error:
                broken.append(f"{applicant or 'policies'}: {error}")
        compared = ""
        if options["checkpoint"]:
            try:
                count = engine.verify_audit_checkpoint(options["checkpoint"].read_text(), actor=actor)
                compared = f", {count} compared with the checkpoint"
            except hirenow.Error as error:
                broken.append(f"checkpoint: {error}")
            except OSError as error:
                raise CommandError(str(error)) from error
        for line in broken:
            self.stderr.write(line)
        if broken:
            raise CommandError(f"{len(broken)} of {len(people)} do not verify")
        if options["write_checkpoint"]:
            options["write_checkpoint"].write_text(engine.audit_checkpoint(actor=actor))
        self.stdout.write(f"{len(people)} applicants, {entries} entries: verified{compared}")


def _everybody(engine: Engine, actor: Actor) -> List[str]:
    ids: Dict[str, None] = {row.applicant_id: None for row in engine.interviews(actor=actor)}
    return list(ids)
