"""A recruiter, a reviewer, an admin, an applicant, and interviews brought to where a test wants them."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from hirenow import Outcome
from hirenow.contrib.django import actor_of, close, engine, testing
from hiring import interviews
from hiring.models import Application, Candidate, Position

from . import settings

KEY = "a secret of sixteen bytes"


def token_of(link):
    return link.partition("#")[2]


def user(name, role=None, **more):
    made = User.objects.create_user(name, **more)
    if role:
        group, _ = Group.objects.get_or_create(name=f"{role}s")
        group.permissions.add(Permission.objects.get(content_type__app_label="hirenow", codename=role))
        made.groups.add(group)
    return made


class World:
    """Everything that a test needs, in the database that the test may use."""

    clock = settings.clock

    def __init__(self):
        self.rosa, self.viktor, self.alma = user("rosa", "recruiter"), user("viktor", "reviewer"), user("alma", "admin")
        self.nobody = user("nobody")
        self.position = Position.objects.create(slug="backend", title="Backend engineer")
        self.ada = Candidate.objects.create(name="Ada", email="ada@applicants.example")
        self.application = Application.objects.create(candidate=self.ada, position=self.position)
        self.recruiter, self.reviewer, self.admin = map(actor_of, (self.rosa, self.viktor, self.alma))

    def invited(self):
        return interviews.invite(self.application.pk, self.recruiter).id

    def token(self, interview_id):
        with transaction.atomic():
            e = engine()
            return token_of(e.link_of(interview_id, actor=self.recruiter))

    def submitted(self):
        interview_id = self.invited()
        token = self.token(interview_id)
        with transaction.atomic():
            engine().submit(engine().start(token, KEY).session)
        return interview_id

    def failed(self, cooled_down=True):
        """An interview that was failed, and may be retaken."""
        interview_id = self.submitted()
        interviews.decide(interview_id, self.reviewer, Outcome.FAILED)
        if cooled_down:
            with transaction.atomic():
                self.clock.set(engine().retake_eligibility(interview_id, actor=self.recruiter).eligible_at)
        return interview_id

    def stage(self):
        self.application.refresh_from_db()
        return self.application.stage

    def state(self, interview_id):
        with transaction.atomic():
            return engine().find(interview_id, actor=self.recruiter).state


@pytest.fixture(autouse=True)
def monday():
    settings.clock.set(settings.MONDAY)


@pytest.fixture
def world(db):
    """In a transaction that the test's end takes back, as TestCase has it."""
    return World()


@pytest.fixture
def committed(transactional_db):
    """With commits of its own, as TransactionTestCase has it."""
    testing.renew_tables()
    yield World()
    close()  # else PostgreSQL finds the test's database in use when it is to be dropped
