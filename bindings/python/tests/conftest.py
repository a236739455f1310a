"""What the tests share: a world with one engine, and situations an interview can be in."""

import json
import pathlib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import settings

import hirenow
from hirenow import Actor, Applicant, Outcome, Role

settings.register_profile("hirenow", database=None, deadline=None)  # nothing is measured, and nothing left behind
settings.load_profile("hirenow")

ROOT = pathlib.Path(__file__).resolve().parents[3]
MONDAY = datetime(2026, 3, 2, 9, tzinfo=timezone.utc)
KEY_ONE, KEY_TWO = b"0123456789abcdef-one", b"0123456789abcdef-two"

SITUATIONS = [  # as in tests/support/world.hpp: name, state, started
    ("scheduled", "scheduled", False),
    ("in_progress", "in_progress", True),
    ("submitted", "submitted", True),
    ("passed", "passed", True),
    ("failed", "failed", True),
    ("on_hold", "on_hold", True),
    ("expired, never started", "expired", False),
    ("expired after its start", "expired", True),
    ("cancelled", "cancelled", False),
    ("voided", "voided", True),
    ("archived", "archived", True),
]


def spec(name):
    return json.loads((ROOT / "tests" / "spec" / name).read_text())


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def token_in(link):
    return link.partition("#")[2]


class Mailbox:
    """Keeps every mail, and answers as it is told."""

    def __init__(self):
        self.mails = []
        self.outcome = hirenow.DeliveryOutcome.ACCEPTED

    def send(self, mail):
        self.mails.append(mail)
        return hirenow.Delivery(self.outcome, 0, "kept")


class At:
    """An interview in some situation, and what its applicant holds."""

    def __init__(self, id, token, session=None):
        self.id, self.token, self.session = id, token, session


class World:
    recruiter = Actor("rita", "acme", Role.RECRUITER)
    reviewer = Actor("victor", "acme", [Role.REVIEWER])
    admin = Actor("anna", "acme", {Role.ADMIN})
    nobody = Actor("nora", "acme")
    stranger = Actor("gus", "globex", list(Role))
    ada = Applicant("app-1", "ada@example.org", "Ada Lovelace", "en", "Europe/London")
    track = "backend/technical"

    def __init__(self, store="memory:", **options):
        self.clock = hirenow.ManualClock(MONDAY)
        self.keys = hirenow.KeyRing.from_json(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k1"))
        self.options = {
            "keys": self.keys,
            "clock": self.clock,
            "link_base": "https://jobs.example.com/interview",
            **options,
        }
        self.engine = hirenow.open(store, **self.options)

    def schedule(self, **more):
        terms = {"link_lifetime": timedelta(hours=72), "time_limit": timedelta(hours=1), "grace": timedelta(minutes=5)}
        return self.engine.schedule(self.ada, self.track, actor=self.recruiter, **{**terms, **more})

    def bring_to(self, name, **more):
        _, state, started = next(row for row in SITUATIONS if row[0] == name)
        e = self.engine
        invited = self.schedule(**more)
        at = At(invited.interview.id, token_in(invited.link))
        at.session = hirenow.Session("acme", at.id, 0, KEY_ONE)
        if started:
            at.session = e.start(at.token, KEY_ONE).session
        decided = state in ("passed", "failed", "on_hold", "archived")
        if decided or state == "submitted":
            e.submit(at.session)
        if decided:
            e.decide(at.id, Outcome.FAILED if state == "archived" else Outcome(state), actor=self.reviewer)
        if state == "cancelled":
            e.cancel(at.id, actor=self.recruiter)
        if state == "voided":
            e.void_attempt(at.id, actor=self.reviewer, reason_code="network_outage")
        if state == "expired":
            i = e.find(at.id, actor=self.recruiter)
            self.clock.set(i.deadline + i.grace if started else i.start_by)
        if state in ("failed", "on_hold", "archived"):
            self.clock.advance(timedelta(days=14))
        if state == "archived":
            e.retake(at.id, actor=self.recruiter)
        return at


@pytest.fixture(params=["memory", "sqlite"])
def world(request, tmp_path):
    w = World("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'ats.db'}")
    with w.engine:
        yield w


@pytest.fixture
def memory_world():
    return World()
