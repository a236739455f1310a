"""examples/celery with a real broker, real workers and a real mail server. The server's own list of what it took is the
judge."""

import asyncio
import collections
import contextlib
import email
import gc
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from email.utils import parseaddr

import pytest
import redis
from aiosmtpd.controller import Controller
from conftest import ROOT, World

import hirenow

PEOPLE = 40


class Server:
    """Takes every mail; where `together`, the first only when a second one is on its way beside it."""

    def __init__(self):
        self.taken, self.at_once, self.beside, self.together = [], 0, None, False

    async def handle_DATA(self, server, session, envelope):
        if self.beside is None:
            self.beside = asyncio.Event()
        self.at_once += 1
        if self.at_once > 1 or not self.together:
            self.beside.set()
        try:
            await asyncio.wait_for(self.beside.wait(), 60)
        finally:
            self.at_once -= 1
        self.taken.append(email.message_from_bytes(envelope.content))
        return "250 taken"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def program(*command, **more):
    """Runs it meanwhile; what it said is shown where the test fails."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    try:
        yield process
    finally:
        process.terminate()
        print(process.communicate(timeout=60)[0])


@pytest.fixture
def broker(tmp_path):
    assert shutil.which("redis-server"), "redis-server is missing: tests/support/install_dependencies.sh tests"
    port = free_port()
    with program("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)):
        client = redis.Redis(port=port)
        for _ in range(200):
            with contextlib.suppress(redis.exceptions.ConnectionError):
                if client.ping():
                    break
            time.sleep(0.05)  # another program's start cannot be waited for otherwise
        yield f"redis://127.0.0.1:{port}/0"
        client.close()


@pytest.fixture
def mail_server():
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, f"127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def example(monkeypatch):
    """The example, as a program that sends tasks has it."""

    def load(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        spec = importlib.util.spec_from_file_location("tasks", ROOT / "examples" / "celery" / "tasks.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def site(tmp_path, broker, mail_server, example):
    """The tasks with all that they need, and what a worker of theirs is started with."""
    (tmp_path / "keys.json").write_text(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k1"))
    os.chmod(tmp_path / "keys.json", 0o600)
    tasks = example(
        BROKER_URL=broker, HIRENOW_STORE=f"sqlite:{tmp_path / 'ats.db'}", HIRENOW_KEYS=tmp_path / "keys.json",
        LINK_BASE="https://jobs.example.com/interview", SMTP_SERVER=mail_server[1], SMTP_SECURITY="plaintext",
        MAIL_FROM="jobs@acme.example")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "C_FORCE_ROOT": "1"}

    def worker(*more):
        return program(
            sys.executable, "-m", "celery", "--app", "tasks", "worker", "--loglevel", "WARNING", "--without-gossip",
            "--without-mingle", "--without-heartbeat", *more, cwd=ROOT / "examples" / "celery", env=environment)

    yield tasks, worker
    tasks.engine().close()


def test_tasks_that_overlap_send_every_mail_once(site, mail_server):
    server, _ = mail_server
    server.together = True
    tasks, worker = site
    e = tasks.engine()  # this process is a web server of the host's: it invites, and leaves the rest to the workers
    for n in range(PEOPLE):
        e.schedule(World.ada.replace(id=f"app-{n}", email=f"p{n}@example.org"), "backend", actor=World.recruiter)
    with worker("--concurrency", "3"):
        fired = [tasks.send_mail.delay(limit=8) for _ in range(12)]  # as a beat that is faster than the workers
        reports = [one.get(timeout=120) for one in fired]
        clock = tasks.let_the_clock_work.delay().get(timeout=60)
        del fired  # a result that dies asks the broker, for minutes where it is gone
        gc.collect()

    copies = collections.Counter(mail["Message-ID"] for mail in server.taken)
    assert len(copies) == PEOPLE and set(copies.values()) == {1}
    assert {parseaddr(mail["To"])[1] for mail in server.taken} == {f"p{n}@example.org" for n in range(PEOPLE)}
    assert sum(r["accepted"] for r in reports) == PEOPLE
    assert len({r["worker"] for r in reports if r["accepted"]}) > 1  # the work was shared
    assert all(r["retried"] == r["dead"] == 0 for r in reports)
    assert clock == {"records": 0, "events": 0, "set_aside": 0}
    stats = hirenow.Dispatcher(e, hirenow.SmtpMailer("127.0.0.1"), sender="jobs@acme.example").stats()
    assert stats.outbox == hirenow.OutboxFigures()


def test_beat_has_mail_sent_that_nobody_asked_for(tmp_path, site, mail_server):
    server, _ = mail_server
    tasks, worker = site
    tasks.engine().schedule(World.ada, "backend", actor=World.recruiter)
    with worker("--concurrency", "1", "--beat", "--schedule", str(tmp_path / "beat")):
        for _ in range(1200):
            if server.taken:
                break
            time.sleep(0.05)  # another program's clock
    assert [parseaddr(mail["To"])[1] for mail in server.taken] == [World.ada.email]


def test_beat_is_told_what_to_fire(example):
    tasks = example(BROKER_URL="memory://", RESULT_URL="cache+memory://")
    assert tasks.app.conf.beat_schedule
    for entry in tasks.app.conf.beat_schedule.values():
        assert entry["task"] in tasks.app.tasks and entry["options"]["expires"] <= entry["schedule"]
