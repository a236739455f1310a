"""The app as Django sees it: settings, checks, migrations, permissions, commands, mailers."""

import io
import json
import os
import signal
import smtplib
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import django
import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.core import checks, mail
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

import hirenow
from hirenow import Delivery, DeliveryOutcome, InterviewState, Role
from hirenow.contrib.django import actor_of, dispatcher, engine, http_status, roles_of, store_engine
from hirenow.contrib.django.mail import DjangoMailer, smtp_mailer

from . import settings as test_settings
from .conftest import user

PROJECT = Path(__file__).resolve().parents[1]


# ---- Settings and checks ---------------------------------------------------------------------------------------------


def found(databases=()):
    return {m.id for m in checks.run_checks(tags=["hirenow"], databases=list(databases))}


def test_the_example_has_nothing_to_complain_of():
    assert found() == set()


@pytest.mark.parametrize(
    "wrong,id",
    [
        ({"KEYS": None}, "hirenow.E004"),
        ({"KEYS": "/nowhere/keys.json"}, "hirenow.E004"),
        ({"KEYS": {"keys": []}}, "hirenow.E004"),
        ({"POLICY": {"hirenow_policy": 1}}, "hirenow.E005"),
        ({"POLICY": "/nowhere/policy.json"}, "hirenow.E005"),
        ({"LINK_BASE": ""}, "hirenow.E006"),
        ({"LINK_BASE": "http://jobs.acme.example/"}, "hirenow.E006"),
        ({"LINK_BASES": {"acme": "ftp://acme.example"}}, "hirenow.E006"),
        ({"LINKBASE": "https://x.example/"}, "hirenow.E002"),
        ({"DATABASE": "archive"}, "hirenow.E003"),
        ({"MAILER": "hiring.nothing"}, "hirenow.E007"),
        ({"TENANT_OF": "nothing.at_all"}, "hirenow.E007"),
        ({"DISPATCHER": {"track_title": "hiring.models.nothing"}}, "hirenow.E007"),
        ({"ROLES": {"boss": "hr.boss"}}, "hirenow.E008"),
        ({"ROLES": {"admin": "admin"}}, "hirenow.E008"),
        ({"ENGINE": {"lifetime": 3}}, "hirenow.E009"),
        ({"ENGINE": {"time_limit": timedelta(0)}}, "hirenow.E009"),
        ({"PERMISSIONS": {"retake": "boss"}}, "hirenow.E009"),
        ({"SENDER": "nobody"}, "hirenow.E010"),
        ({"SENDER": "webmaster@localhost"}, "hirenow.W003"),
    ],
    ids=str,
)
def test_what_is_wrong_in_the_settings_is_found(settings, wrong, id):
    settings.HIRENOW = {**test_settings.HIRENOW, **wrong}
    assert found() == {id}


def test_missing_settings_are_found(settings):
    del settings.HIRENOW
    assert found() == {"hirenow.E001"}
    settings.HIRENOW = ["KEYS"]
    assert found() == {"hirenow.E001"}


def test_a_mail_server_that_may_hang_is_found(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = None
    assert found() == {"hirenow.W004"}
    settings.HIRENOW = {**test_settings.HIRENOW, "MAILER": "hirenow.contrib.django.mail.smtp_mailer"}
    assert found() == set()


def test_a_database_that_is_not_fit_is_found(settings, monkeypatch):
    settings.HIRENOW = {**test_settings.HIRENOW, "DATABASE": "elsewhere"}

    assert found() == ({"hirenow.W001"} if django.VERSION >= (5, 1) else set())
    monkeypatch.setitem(connections["elsewhere"].settings_dict, "NAME", ":memory:")
    assert "hirenow.W002" in found()
    with pytest.raises(ImproperlyConfigured):
        store_engine()
    monkeypatch.setattr(connections["elsewhere"], "vendor", "oracle", raising=False)
    assert found() == {"hirenow.E003"}
    with pytest.raises(ImproperlyConfigured):
        store_engine()


def test_settings_that_are_missing_are_told_at_the_first_call(settings, db):
    settings.HIRENOW = {"LINK_BASE": "https://x.example/"}
    with pytest.raises(ImproperlyConfigured, match="KEYS"):
        engine()


def test_damaged_tables_are_found(db):
    assert found(databases=["default"]) == set()
    with transaction.atomic():
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TABLE hirenow_interview_key")
            else:
                cursor.execute("DROP TABLE hirenow.hirenow_version")
        assert found(databases=["default"]) == {"hirenow.E011"}
        assert found() == set()  # only who asks for the database asks the database
        transaction.set_rollback(True)


# ---- Migrations ------------------------------------------------------------------------------------------------------


def tables(alias):
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'hirenow!_%%' ESCAPE '!'")
        else:
            cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'hirenow!_%%' ESCAPE '!'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db(databases=["default", "elsewhere"])
def test_migrate_makes_the_tables_in_the_database_that_the_settings_name():
    assert {"hirenow_interview", "hirenow_person"} <= tables("default")
    assert tables("elsewhere") == set()


def test_the_models_and_the_migrations_agree(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_going_back_leaves_the_tables_and_what_is_in_them(committed):
    old = committed.failed()
    call_command("migrate", "hirenow", "zero", verbosity=0)
    assert committed.state(old) is InterviewState.FAILED
    call_command("migrate", "hirenow", verbosity=0)
    assert committed.state(old) is InterviewState.FAILED


def test_the_tables_are_made_in_the_migrations_transaction(committed):
    from hirenow.contrib.django import testing
    from hirenow.contrib.django._tables import create_tables, drop_tables

    with transaction.atomic():
        drop_tables(connection, "hirenow")
    assert tables("default") == set()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        create_tables(connection, "hirenow")
        assert tables("default")
        1 / 0
    assert tables("default") == set()
    with transaction.atomic(), pytest.raises(hirenow.SchemaDamagedError):
        engine().list(actor=committed.recruiter)
    testing.renew_tables()


def test_a_database_of_another_kind_is_refused():
    from hirenow.contrib.django._tables import create_tables

    with pytest.raises(ImproperlyConfigured, match="mysql"):
        create_tables(type("Connection", (), {"vendor": "mysql"}), "hirenow")


def test_dumpdata_goes_round_it(world):
    world.failed()
    out = io.StringIO()
    call_command("dumpdata", "hiring", "hirenow", "auth", stdout=out)
    assert "Backend engineer" in out.getvalue()


def test_checkpoints_of_sqlites_log_are_left_to_the_store(db):
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def test_the_store_is_opened_as_django_opens_the_database(committed, monkeypatch):
    committed.invited()
    if connection.vendor == "postgresql":
        monkeypatch.setitem(connection.settings_dict, "PASSWORD", "p&ss w/rd=%+#")
        monkeypatch.setitem(
            connection.settings_dict, "OPTIONS", {"application_name": "my site & co", "assume_role": "hirenow"}
        )
    assert len(list(store_engine().interviews(actor=committed.recruiter))) == 1
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'my site & co'")
            assert cursor.fetchone()[0] >= 1


# ---- Who may what ----------------------------------------------------------------------------------------------------


def test_permissions_make_roles(world):
    assert roles_of(world.rosa) == {Role.RECRUITER} and roles_of(world.alma) == {Role.ADMIN}
    assert roles_of(world.nobody) == frozenset()
    assert roles_of(User.objects.create_superuser("root")) == frozenset(Role)
    names = set(Permission.objects.filter(content_type__app_label="hirenow").values_list("codename", flat=True))
    assert names == {"recruiter", "reviewer", "admin"}


def test_somebody_who_is_not_logged_in_is_nobody(world):
    with pytest.raises(PermissionDenied):
        actor_of(AnonymousUser())
    world.rosa.is_active = False
    with pytest.raises(PermissionDenied):
        actor_of(world.rosa)


def test_a_host_may_have_its_own_permissions(world, settings):
    settings.HIRENOW = {**test_settings.HIRENOW, "ROLES": {"reviewer": "hiring.change_application"}}
    someone = user("someone")
    someone.user_permissions.add(Permission.objects.get(codename="change_application"))
    someone = User.objects.get(pk=someone.pk)
    assert roles_of(someone) == {Role.REVIEWER}
    assert roles_of(world.rosa) == {Role.RECRUITER}  # what is not named stays


def roles_by_group(user):
    return [name[:-1] for name in user.groups.values_list("name", flat=True)]


def tenant_by_name(user):
    return f"tenant-of-{user.username}"


def test_a_host_may_say_by_itself_who_is_what(world, settings):
    settings.HIRENOW = {
        **test_settings.HIRENOW,
        "ROLES_OF": "tests.test_app.roles_by_group",
        "TENANT_OF": tenant_by_name,
    }
    assert actor_of(world.viktor) == hirenow.Actor(str(world.viktor.pk), "tenant-of-viktor", {Role.REVIEWER})


def test_every_error_has_a_status():
    assert http_status(hirenow.NotFoundError()) == 404
    assert http_status(hirenow.CooldownError()) == 409
    assert http_status(hirenow.StoreBusyError()) == 503
    assert http_status(hirenow.TokenExpiredError()) == 410
    ours = {
        "InternalError",
        "OutOfMemoryError",
        "ForkedError",
        "ReentrantCallError",
        "NoTransactionError",
        "LeaseLostError",
        "AuditBrokenError",
        "KeyRingError",
        "KeyInvalidError",
        "KeyFileExposedError",
        "NoSigningKeyError",
        "TemplateInvalidError",
        "OperationAbortedError",
        "SchemaDamagedError",
        "SchemaTooNewError",
    }
    for name in hirenow.__all__:
        kind = getattr(hirenow, name)
        if isinstance(kind, type) and issubclass(kind, hirenow.Error) and kind is not hirenow.Error:
            assert (http_status(kind()) == 500) == (name in ours), name


# ---- Commands --------------------------------------------------------------------------------------------------------


def run(*command, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(*command, stdout=out, stderr=err, **options)
    return out.getvalue()


def test_dispatch_once(committed):
    committed.invited()
    assert run("hirenow_dispatch", once=True).startswith("1 accepted")
    assert run("hirenow_dispatch", once=True).startswith("0 accepted")
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_dispatch_runs_until_it_is_told_to_stop(committed, tmp_path, number):
    committed.clock.set(test_settings.MONDAY)
    committed.invited()
    program = (
        "import django; django.setup(); from django.core.management import call_command; "
        "from django.conf import settings as s; s.EMAIL_BACKEND = 'django.core.mail.backends.filebased.EmailBackend'; "
        f"s.EMAIL_FILE_PATH = {str(tmp_path)!r}; call_command('hirenow_dispatch', workers=2, sweep_every=0.2)"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "HIRENOW_TEST_DATABASE": "sqlite",
        "HIRENOW_TEST_KEYS": str(test_settings.keys),
        "HIRENOW_TEST_CONNECTION": json.dumps(connection_settings(), default=str),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    running = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        wait_for(lambda: message_states(committed) == {"accepted"} or running.poll() is not None)
        running.send_signal(number)
    finally:
        timer = threading.Timer(20, running.kill)
        timer.start()
        said = running.communicate()[0]
        timer.cancel()
        print(said)
    assert running.returncode == 0 and "stopped" in said
    assert len(list(tmp_path.iterdir())) == 1


def message_states(world):
    return {m.state for m in store_engine().messages(actor=world.recruiter)}


def connection_settings():
    kept = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")
    return {name: connection.settings_dict[name] for name in kept}


def wait_for(what, seconds=30):
    import time

    end = time.monotonic() + seconds
    while not what():  # another program cannot be waited for otherwise
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_first_key_is_made_and_never_touched_again(settings, tmp_path):
    file = tmp_path / "keys.json"
    settings.HIRENOW = {**test_settings.HIRENOW, "KEYS": file}
    run("hirenow_new_key", kid="2026-03")
    assert hirenow.KeyRing.from_file(file).signing_kid() == "2026-03" and file.stat().st_mode & 0o777 == 0o600
    before = file.read_text()
    with pytest.raises(CommandError):
        run("hirenow_new_key")
    assert file.read_text() == before
    settings.HIRENOW = {**test_settings.HIRENOW, "KEYS": {}}
    with pytest.raises(CommandError):
        run("hirenow_new_key")


def test_sweep(committed):
    interview_id = committed.invited()
    committed.clock.advance(timedelta(days=4))
    assert run("hirenow_sweep") == "1 records, 1 events\n"
    assert run("hirenow_sweep") == "0 records, 0 events\n"
    assert committed.state(interview_id) is InterviewState.EXPIRED


@pytest.mark.parametrize(
    "command", [("hirenow_dispatch", "--workers", "0"), ("hirenow_sweep", "--limit", "0")], ids=str
)
def test_options_that_make_no_sense_are_told_in_one_line(committed, command):
    with pytest.raises(CommandError, match="--workers|invalid_argument"):
        run(*command)


def test_verify_audit(committed, tmp_path):
    committed.failed()
    file = tmp_path / "checkpoint.json"
    assert "1 applicants" in run("hirenow_verify_audit", write_checkpoint=file)
    assert "compared with the checkpoint" in run("hirenow_verify_audit", checkpoint=file)
    assert run("hirenow_verify_audit", tenant="other").startswith("0 applicants")
    with pytest.raises(CommandError):
        run("hirenow_verify_audit", "nobody")
    forge(committed)
    with pytest.raises(CommandError, match="do not verify"):
        run("hirenow_verify_audit")


def forge(world):
    """Somebody with all rights edits an entry."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'hirenow_audit'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute("UPDATE hirenow_audit SET actor = 'somebody' WHERE sequence = 2")
            for _, sql in triggers:
                cursor.execute(sql.replace("%", "%%"))
        else:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE hirenow.hirenow_audit SET actor = 'somebody' WHERE sequence = 2")
            cursor.execute("SET session_replication_role = DEFAULT")


def test_verify_audit_asks_which_of_many_tenants(committed, settings):
    settings.HIRENOW = {**test_settings.HIRENOW, "TENANT_OF": tenant_by_name}
    with pytest.raises(CommandError, match="--tenant"):
        run("hirenow_verify_audit")
    assert run("hirenow_verify_audit", tenant="acme")


# ---- Mailers ---------------------------------------------------------------------------------------------------------

MAIL = hirenow.OutgoingMail(
    "id@acme.example",
    "jobs@acme.example",
    "Acme, Ümlaut",
    "ada@applicants.example",
    "Ada",
    "Hello",
    "the text",
    "<p>the text</p>",
    "de",
)


class Failing(BaseEmailBackend):
    raises, on_open, answers = None, None, 1

    def open(self):
        if self.on_open:
            raise self.on_open

    def send_messages(self, messages):
        if self.raises:
            raise self.raises
        return self.answers


@pytest.mark.parametrize(
    "how,expected",
    [
        ({}, (DeliveryOutcome.ACCEPTED, 250)),
        ({"answers": 0}, (DeliveryOutcome.TEMPORARY, 0)),
        ({"answers": None}, (DeliveryOutcome.ACCEPTED, 250)),
        ({"on_open": ConnectionRefusedError()}, (DeliveryOutcome.TEMPORARY, 0)),
        ({"on_open": smtplib.SMTPAuthenticationError(535, b"no")}, (DeliveryOutcome.TEMPORARY, 535)),
        ({"raises": smtplib.SMTPRecipientsRefused({"ada": (550, b"no such user")})}, (DeliveryOutcome.PERMANENT, 550)),
        ({"raises": smtplib.SMTPRecipientsRefused({"ada": (451, b"later")})}, (DeliveryOutcome.TEMPORARY, 451)),
        ({"raises": smtplib.SMTPDataError(554, b"spam")}, (DeliveryOutcome.PERMANENT, 554)),
        ({"raises": smtplib.SMTPDataError(451, b"later")}, (DeliveryOutcome.TEMPORARY, 451)),
        ({"raises": smtplib.SMTPServerDisconnected("gone")}, (DeliveryOutcome.AMBIGUOUS, 0)),
        ({"raises": TimeoutError()}, (DeliveryOutcome.AMBIGUOUS, 0)),
        ({"raises": ValueError("a defect of the backend's")}, (DeliveryOutcome.TEMPORARY, 0)),
    ],
    ids=str,
)
def test_what_a_backend_raises_is_understood(monkeypatch, how, expected):
    for name, value in how.items():
        monkeypatch.setattr(Failing, name, value)
    said = DjangoMailer("tests.test_app.Failing").send(MAIL)
    assert isinstance(said, Delivery) and (said.outcome, said.code) == expected


def test_the_mail_is_whole():
    DjangoMailer().send(MAIL)
    message = mail.outbox[0].message()
    assert message["Message-ID"] == "<id@acme.example>" and message["Content-Language"] == "de"
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
    assert "jobs@acme.example" in str(message["From"])
    assert "Ümlaut".encode() not in message.as_bytes().partition(b"\n\n")[0]  # RFC 2047


def test_hirenows_own_smtp_by_djangos_settings(settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 1
    assert smtp_mailer().send(MAIL).outcome is DeliveryOutcome.TEMPORARY
    settings.EMAIL_USE_TLS = True
    assert smtp_mailer()


MAILERS = """
from django.conf import settings
settings.configure(MAILERS={"default": {"OPTIONS": {"host": "127.0.0.1", "port": 9, "timeout": 1}}})
import hirenow
from hirenow.contrib.django.mail import DjangoMailer, backend_path, smtp_mailer, smtp_options
assert backend_path() == "django.core.mail.backends.smtp.EmailBackend" and smtp_options()["timeout"] == 1
for mailer in (DjangoMailer(), DjangoMailer("default"), smtp_mailer()):
    mail = hirenow.OutgoingMail("id@a.example", "jobs@a.example", "Acme", "ada@a.example", "Ada", "Hello", "text", "", "en")
    said = mailer.send(mail)  # nobody listens there
    assert said.outcome is hirenow.DeliveryOutcome.TEMPORARY, said
"""


@pytest.mark.skipif(django.VERSION < (6, 1), reason="Django has MAILERS since 6.1")
def test_where_djangos_mailers_are_set():
    subprocess.run([sys.executable, "-W", "error", "-c", MAILERS], cwd=PROJECT, check=True)


def test_the_mailer_of_the_settings_is_used(committed, settings):
    settings.HIRENOW = {**test_settings.HIRENOW, "MAILER": Kept}
    committed.invited()
    dispatcher().dispatch_due()
    assert len(Kept.mails) == 1 and mail.outbox == []


class Kept:
    mails = []

    def send(self, outgoing):
        self.mails.append(outgoing)
        return Delivery(DeliveryOutcome.ACCEPTED)
