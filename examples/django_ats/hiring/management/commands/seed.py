"""Something to look at: positions, applicants, and three people who may do what."""

import random

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db import transaction

from hiring.models import Application, Candidate, Position

FIRST = "Ada Grace Edsger Barbara Donald Frances Alan Margaret Niklaus Radia Tony Shafi".split()
LAST = "Berger Costa Dubois Evans Fischer Garcia Haas Ivanova Jansen Kovac Lindqvist Moreau".split()


class Command(BaseCommand):
    help = "Makes positions, applicants and the users rosa (recruiter), viktor (reviewer) and alma (admin)."

    def add_arguments(self, parser):
        parser.add_argument("--applicants", type=int, default=12)
        parser.add_argument("--password", default="demo", help="of the three users")

    @transaction.atomic
    def handle(self, *, applicants, password, **options):
        for name, role in ("rosa", "recruiter"), ("viktor", "reviewer"), ("alma", "admin"):
            user, _ = get_user_model().objects.get_or_create(username=name)
            user.set_password(password)
            user.save()
            group, _ = Group.objects.get_or_create(name=f"{role}s")
            group.permissions.add(Permission.objects.get(content_type__app_label="hirenow", codename=role))
            user.groups.add(group)
        positions = [
            Position.objects.get_or_create(pk=slug, defaults={"title": title, "title_de": title_de})[0]
            for slug, title, title_de in (
                ("backend", "Backend engineer", "Backend-Entwicklung"),
                ("data", "Data engineer", "Datentechnik"),
                ("support", "Support engineer", "Technischer Kundendienst"),
            )
        ]
        pick = random.Random(2026)
        for n in range(applicants):
            name = f"{FIRST[n % len(FIRST)]} {pick.choice(LAST)}"
            candidate = Candidate.objects.create(
                name=name,
                email=f"{name.lower().replace(' ', '.')}.{n}@applicants.example",
                locale="de" if n % 3 == 1 else "en",
                time_zone="Europe/Berlin",
            )
            Application.objects.create(candidate=candidate, position=pick.choice(positions))
        self.stdout.write(f"{applicants} applicants; users rosa, viktor and alma")
