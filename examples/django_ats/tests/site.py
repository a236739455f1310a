"""The whole site as it is deployed: gunicorn, a Celery worker, Redis, PostgreSQL, a mail server; and browsers."""

import asyncio
import contextlib
import email
import email.policy
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import psycopg
from aiosmtpd.controller import Controller

import hirenow
from hirenow import Actor, Applicant, Outcome, Role

PROJECT = Path(__file__).resolve().parents[1]
POLICY = {
    "hirenow_policy": 1,
    "version": "test",
    "retake_after": ["failed"],
    "rules": [{"rule": "most", "id": "cap", "attempts": 3}],
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds=30, beside=lambda: None):
    """What comes of it once it is something: another program cannot be waited for otherwise."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < end, "it did not come"
        beside()
        time.sleep(0.02)


class MailServer:
    """Keeps every mail. While it is held, it answers no mail for ten seconds."""

    def __init__(self):
        self.mails, self.held, self.freed = [], False, threading.Event()
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.controller.start()
        self.port = self.controller.port

    async def handle_DATA(self, server, session, envelope):
        end = time.monotonic() + 10
        while self.held and time.monotonic() < end:
            await asyncio.sleep(0.02)
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 taken"

    def to(self, address):
        return [mail for mail in self.mails if address in mail["To"]]

    def link_to(self, address, number=0):
        """The link in the mail of that number, once it is there."""
        mail = wait_for(lambda: self.to(address)[number:])[0]
        text = mail.get_body(("plain",)).get_content()
        return next(word for word in text.split() if "#" in word and word.startswith("http"))


class Site:
    recruiter, reviewer = Actor("rita", "acme", Role.RECRUITER), Actor("victor", "acme", Role.REVIEWER)

    def __init__(self, folder, cluster_url):
        self.folder, self.running, self.count = folder, {}, 0
        with psycopg.connect(cluster_url, autocommit=True) as db:
            db.execute("DROP DATABASE IF EXISTS site")
            db.execute("CREATE DATABASE site")
        self.database = cluster_url.replace("/postgres?", "/site?")
        self.smtp = MailServer()
        self.port, self.broker_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "policy.json").write_text(json.dumps(POLICY))
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "ats.settings",
            "DATABASE_URL": self.database,
            "BROKER_URL": f"redis://127.0.0.1:{self.broker_port}/0",
            "HIRENOW_KEYS": str(folder / "keys.json"),
            "HIRENOW_POLICY": str(folder / "policy.json"),
            "LINK_BASE": f"{self.url}/interview/",
            "SECRET_KEY": "test",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self.smtp.port),
            "C_FORCE_ROOT": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.start_broker()
        self.manage("hirenow_new_key")
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed", "--applicants", "1")
        self.start_web()
        self.start(
            "worker",
            sys.executable,
            "-m",
            "celery",
            "--app",
            "ats",
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "INFO",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        )
        wait_for(lambda: "ready." in self.log("worker"))
        self.engine = hirenow.open(
            self.database,
            keys=folder / "keys.json",
            policy=POLICY,
            link_base=f"{self.url}/interview/",
            time_limit=timedelta(hours=1),
        )

    def close(self):
        self.engine.close()
        for name in list(self.running):
            self.kill(name, signal.SIGTERM)
        self.smtp.controller.stop()

    # ---- Programs

    def start(self, name, *command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name, number=signal.SIGKILL):
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(30)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def manage(self, *command):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_broker(self):
        assert shutil.which("redis-server"), "redis-server is missing: tests/support/install_dependencies.sh tests"
        self.start(
            "broker",
            "redis-server",
            "--port",
            str(self.broker_port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self.folder),
        )
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", self.broker_port)) == 0)

    def start_web(self):
        self.start(
            "web",
            sys.executable,
            "-m",
            "gunicorn",
            "ats.wsgi",
            "--bind",
            f"127.0.0.1:{self.port}",
            "--workers",
            "2",
            "--threads",
            "4",
            "--access-logfile",
            "-",
            "--worker-tmp-dir",
            str(self.folder),
        )
        wait_for(lambda: self.get("/interview/") == 200)

    def get(self, path, method="GET"):
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, method=method), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    # ---- What is in it

    def person(self):
        self.count += 1
        return Applicant(
            f"person-{self.count}", f"person-{self.count}@applicants.example", f"Person {self.count}", "en"
        )

    def invited(self):
        """An invitation that nobody has opened: person, interview, link."""
        person = self.person()
        invited = self.engine.schedule(person, "backend/technical", actor=self.recruiter, notify=False)
        return person, invited.interview.id, invited.link

    def failed(self):
        """An interview that may be retaken, whose mail is gone."""
        person, interview_id, link = self.invited()
        self.engine.submit(self.engine.start(link.partition("#")[2], "a secret of sixteen bytes").session)
        self.engine.decide(interview_id, Outcome.FAILED, actor=self.reviewer, notify=False)
        return person, interview_id, link

    def attempts(self, interview_id):
        return self.engine.history(interview_id, actor=self.recruiter).attempts

    def answers(self, interview_id):
        saved = self.engine.read_progress(interview_id, actor=self.reviewer)
        return json.loads(saved.data) if saved else None
