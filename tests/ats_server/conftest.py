"""The server under test, and people with browsers.

ATS_SERVER names the program, CHROMIUM the browser (/usr/bin/chromium). Chromium's headless shell, the same browser
without windows and a profile on the disk, takes its place where it is installed and nobody looks at the profile: it is
there in half the time. ATS_SCREENSHOTS is the folder that the screenshots are written to; without it they are taken and
thrown away.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

PROGRAM = os.environ.get("ATS_SERVER", "build/dev/examples/ats_server/ats_server")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
HEADLESS = shutil.which(CHROMIUM + "-headless-shell") or CHROMIUM
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


class Server:
    """One program with a folder of its own."""

    def __init__(self, folder, *options):
        self.folder = Path(folder)
        self.options = list(options)
        self.port = 0
        self.ahead = 0  # seconds that its clock was put forward
        self.start()

    def start(self):
        self.log = open(self.folder / "out.log", "ab")
        command = [PROGRAM, "--data", str(self.folder / "data"), "--port", str(self.port), *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        while True:
            line = self.process.stdout.readline()
            assert line, "the server ended: " + (self.folder / "out.log").read_text()
            if found := re.search(r"serving on (http://[^ ]+:(\d+))", line):
                self.base, self.port = found[1], int(found[2])
                return

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()
        self.log.close()
        return self.process.returncode

    def access_log(self):
        return (self.folder / "data" / "access.log").read_text()

    def sql(self, statement, *values):
        """Plain SQL, beside the library."""
        with sqlite3.connect(self.folder / "data" / "ats.db", timeout=10) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            return db.execute(statement, values).fetchall()

    def put_clock_forward(self, seconds):
        self.ahead += seconds
        hours, rest = divmod(seconds, 3600)
        self.http("/clock", {"hours": hours, "seconds": rest})

    def now(self):
        return time.time() + self.ahead

    def http(self, path, form=None, cookie=None, method=None, origin=None):
        """A request without a browser: status, headers, body. Redirects are not followed."""

        class NoRedirect(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.base + path, data=data, method=method)
        if cookie:
            request.add_header("Cookie", cookie)
        if origin:
            request.add_header("Origin", origin)
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()


@pytest.fixture(scope="session")
def make_server(tmp_path_factory):
    made = []

    def make(*options):
        made.append(Server(tmp_path_factory.mktemp("ats"), *options))
        return made[-1]

    yield make
    codes = [server.stop() for server in made if server.process.poll() is None]
    assert all(code == 0 for code in codes), codes


@pytest.fixture(scope="session")
def server(make_server):
    return make_server("--interviews", "300")


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as p:
        yield p


@pytest.fixture(scope="session")
def chromium(playwright):
    browser = playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
    yield browser
    browser.close()


class People:
    """Browser profiles, each fresh; what a page's console complains of fails the test."""

    def __init__(self, chromium, server):
        self.chromium = chromium
        self.server = server
        self.contexts = []
        self.complaints = []

    def someone(self, **options):
        options.setdefault("viewport", {"width": 1280, "height": 860})
        options.setdefault("locale", "en-GB")
        context = self.chromium.new_context(base_url=self.server.base, **options)
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda m: m.type == "error" and self.complaints.append(m.text))
        return page

    def staff(self, name="Rosa", **options):
        page = self.someone(**options)
        page.goto("/")
        page.get_by_role("button", name=re.compile(name)).click()
        page.wait_for_url("**/interviews")
        return page

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture
def people(chromium, server):
    them = People(chromium, server)
    yield them
    them.close()
    # A refused request is told on the console as well; it is what some tests are about.
    grave = [c for c in them.complaints if "Failed to load resource" not in c]
    assert grave == []


_count = 0


def invite(page, track="backend-2026/technical", name="Nadia Test", language="en"):
    """Invites somebody new through the form. Returns the address and the interview's id."""
    global _count
    _count += 1
    email = f"nadia{_count}.{os.getpid()}@applicants.example"
    page.goto("/interviews/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(email)
    page.locator("select[name=track]").select_option(track)
    page.locator("select[name=locale]").select_option(language)
    page.locator("section.action button.primary").click()
    page.wait_for_url("**?done=schedule")
    return email, page.url.split("/interviews/")[1].split("?")[0]


def links_of(server, email, at_least=1):
    """The links in the mails of this address, newest first, once so many have come."""
    for _ in range(100):
        text = server.http("/inbox?to=" + urllib.parse.quote(email))[2]
        links = re.findall(r'class="mail-link" href="([^"]+)"', text)
        if len(links) >= at_least:
            return links
        time.sleep(0.05)
    raise AssertionError(f"no mail for {email}")


def begin(page, link):
    """Opens a link and starts."""
    page.goto(link)
    page.wait_for_url("**/go/interview")
    page.get_by_role("button", name=re.compile("Start now|Jetzt beginnen")).click()
    page.locator("#q1:enabled").wait_for()


def write(page, text, field="#q1"):
    page.locator(field).fill(text)
    page.locator("#saved[data-now=saved]").wait_for()


class Hand:
    """Somebody without a browser, where the pages themselves are not what is tested."""

    def __init__(self, server):
        self.server = server
        self.cookies = {}

    def post(self, path, **form):
        status, headers, body = self.server.http(path, form, self.cookie(), origin=self.server.base)
        self.keep(headers)
        assert status < 400, body
        return headers["Location"] or json.loads(body)

    def get(self, path):
        status, headers, body = self.server.http(path, cookie=self.cookie())
        self.keep(headers)
        return body

    def csrf(self, path):
        return re.search(r'name="csrf" value="([^"]+)"', self.get(path))[1]

    def cookie(self):
        return "; ".join(f"{k}={v}" for k, v in self.cookies.items())

    def keep(self, headers):
        for text in headers.get_all("Set-Cookie") or []:
            name, value = text.split(";")[0].split("=", 1)
            self.cookies[name] = value

    @classmethod
    def of_staff(cls, server, who):
        hand = cls(server)
        hand.post("/sign-in", who=who)
        return hand


def invited(server, track="backend-2026/technical", **more):
    """Somebody who was invited. Returns the address, the interview's id and the link."""
    global _count
    _count += 1
    email = f"nadia{_count}.{os.getpid()}@applicants.example"
    recruiter = Hand.of_staff(server, "rosa")
    there = recruiter.post("/interviews/new", csrf=recruiter.csrf("/interviews/new"), key=f"{_count:032d}", name="Nadia Test",
                           email=email, track=track, **{"locale": "en", **more})
    return email, there.split("/interviews/")[1].split("?")[0], links_of(server, email)[0]


def started(server, link, applicant=None):
    """Opens the link and begins. Returns the applicant's hand, which keeps what the window had: `own`."""
    applicant = applicant or Hand(server)
    applicant.post("/go/open", token=link.split("#")[1])
    own = {"csrf": applicant.csrf("/go/interview"), "window": "w" * 32}
    applicant.post("/go/start", **own)
    sat = applicant.post("/go/sit", **own)
    applicant.own = {**own, "fence": sat["fence"]}
    return applicant


def failed_interview(server, days_later=15, applicant=None):
    """Somebody who was invited, answered and failed, so long ago that a retake is allowed.
    Returns the address, the interview's id and the link. The applicant's hand keeps what the window had: `own`."""
    email, interview, link = invited(server)
    reviewer = Hand.of_staff(server, "viktor")
    applicant = started(server, link, applicant)
    applicant.post("/go/submit", **applicant.own, answers=json.dumps({"q1": "an answer"}))
    reviewer.post(f"/interviews/{interview}/pass", csrf=reviewer.csrf("/interviews"), key=f"{_count:032d}", outcome="failed")
    server.put_clock_forward(days_later * 86400)
    return email, interview, link
