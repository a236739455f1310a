"""The whole site in a real browser: what HR and the applicant see. The mail server's list and the engine over its own
connection are the judges."""

import json
import os
import re
import shutil
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import axe_playwright_python
import pytest

from hirenow import InterviewState
from hirenow.contrib.django import store_engine

from . import settings
from .site import Site, wait_for

pytestmark = pytest.mark.skipif(settings.KIND != "postgresql", reason="one database is enough for the browser")
CHROMIUM = shutil.which("chromium")
HEADLESS = shutil.which("chromium-headless-shell") or CHROMIUM  # the same without windows: quicker
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"), os.environ["DATABASE_URL"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # its loop runs in this thread, and is no concern of Django's
        yield started


@pytest.fixture(scope="module")
def browser(playwright):
    assert CHROMIUM, "chromium is missing: tests/support/install_dependencies.sh tests"
    started = playwright.chromium.launch(executable_path=HEADLESS, args=FLAGS)
    yield started
    started.close()


@pytest.fixture
def fresh(browser):
    """Opens a page in a profile that nobody has used."""
    contexts = []

    def page(**how):
        contexts.append(browser.new_context(**how))
        contexts[-1].set_default_timeout(15000)
        return contexts[-1].new_page()

    yield page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def logins(site, browser):
    """Everybody logs in once."""
    states = {}

    def state(name):
        if name not in states:
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{site.url}/accounts/login/")
            page.fill("#id_username", name)
            page.fill("#id_password", "demo")
            page.click("main form button")
            page.wait_for_url(f"{site.url}/")
            states[name] = context.storage_state()
            context.close()
        return states[name]

    return state


@pytest.fixture
def staff(site, browser, logins):
    """The board, as somebody who is logged in has it."""
    contexts = []

    def page(name="rosa", path="/", **how):
        contexts.append(browser.new_context(storage_state=logins(name), **how))
        contexts[-1].set_default_timeout(15000)
        made = contexts[-1].new_page()
        made.goto(site.url + path)
        return made

    yield page
    for context in contexts:
        context.close()


def retake_button(page, interview_id):
    return page.locator(f"tr[data-interview='{interview_id}'] button.retake")


def shows(page, section):
    page.wait_for_selector(f"body[data-shows='{section}']")


def post(page, path, key="another click"):
    """The status of a request that the page's own script might make."""
    return page.evaluate(
        """([path, key]) => fetch(path, {method: 'POST', body: '{}', headers: {'Content-Type': 'application/json',
        'Idempotency-Key': key, 'X-CSRFToken': document.cookie.match(/csrftoken=([^;]*)/)[1]}}).then(a => a.status)""",
        [path, key],
    )


def begin(page, link):
    page.goto(link)
    shows(page, "welcome")
    page.click("#begin")
    shows(page, "sitting")


def saved(page):
    page.wait_for_selector("#saved:text-is('saved')")


def write(page, text):
    page.fill("#q1", text)
    saved(page)


# ---- Mail and links --------------------------------------------------------------------------------------------------


def test_a_fresh_message_in_a_fresh_profile_starts_the_interview(site, staff, fresh):
    person, old, dead = site.failed()
    board = staff()
    retake_button(board, old).click()
    board.wait_for_selector("#notice:not([hidden])")
    assert "archived" in board.inner_text("#notice")
    link = site.smtp.link_to(person.email)  # nobody looks at a clock: the commit has woken the worker
    token, page, seen = link.partition("#")[2], fresh(), []
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    page.goto(link)
    shows(page, "welcome")
    assert page.get_attribute("body", "data-verdict") == "valid"
    assert "Backend engineer" in page.inner_text("#welcome") and "Start" in page.inner_text("#begin")
    page.click("#begin")
    shows(page, "sitting")
    assert re.fullmatch(r"60:00|59:\d\d", page.inner_text("#left"))
    write(page, "I am proud of this one")
    page.click("text=Hand in")
    shows(page, "handed-in")
    assert {url.partition("#")[0] for url in seen} == {f"{site.url}/interview/"}  # no redirect, to no expired page
    assert page.url == f"{site.url}/interview/" and token not in page.evaluate(
        "JSON.stringify(history.state) + location"
    )
    new = site.attempts(old)[-1]
    assert new.state is InterviewState.SUBMITTED and site.answers(new.id)["q1"] == "I am proud of this one"
    (mail,) = site.smtp.to(person.email)
    assert dead.partition("#")[2] not in mail.as_string()
    for name in ("web", "worker"):
        assert token not in site.log(name)
        assert token.partition(".")[0] not in site.log(name)


def test_a_double_click_gives_one_retake(site, staff):
    person, old, _ = site.failed()
    board = staff()
    retake_button(board, old).dblclick()
    board.wait_for_selector("#notice:not([hidden])")
    # A third press of the same click, as a browser has it that lost the answer.
    assert post(board, f"/api/interviews/{old}/retake/", retake_button(board, old).get_attribute("data-key")) == 201
    assert [a.attempt for a in site.attempts(old)] == [1, 2]
    site.smtp.link_to(person.email)
    assert len(site.smtp.to(person.email)) == 1


def test_an_archived_link_is_dead_and_asks_for_the_current_one(site, staff, fresh):
    person, old, dead = site.failed()
    board = staff()
    retake_button(board, old).click()
    board.wait_for_selector("#notice:not([hidden])")
    new_link = site.smtp.link_to(person.email)
    page = fresh()
    page.goto(dead)
    shows(page, "superseded_interview")
    assert post(page, "/api/sitting/begin/") == 410
    page.click("#superseded_interview .ask")
    shows(page, "asked")
    assert site.smtp.link_to(person.email, 1) == new_link
    assert site.attempts(old)[0].state is InterviewState.ARCHIVED


def test_prefetch_consumes_nothing(site, fresh):
    _, interview_id, link = site.invited()
    for method in ("GET", "HEAD"):
        assert site.get("/interview/", method) == 200
    scanner = fresh()  # one that runs scripts, too
    scanner.goto(link)
    shows(scanner, "welcome")
    assert site.attempts(interview_id)[0].state is InterviewState.SCHEDULED
    begin(fresh(), link)
    assert site.attempts(interview_id)[0].state is InterviewState.IN_PROGRESS


def test_a_mail_server_that_takes_ten_seconds_is_not_noticed(site, staff):
    people = [site.failed() for _ in range(3)]
    site.smtp.held, times = True, []
    try:
        board = staff()
        for _, old, _ in people:
            retake_button(board, old).click()
            board.wait_for_selector(f"tr[data-interview='{old}'] .retake[disabled]")
            times.append(int(board.get_attribute("body", "data-milliseconds")))
        assert site.smtp.to(people[-1][0].email) == []
    finally:
        site.smtp.held = False
    assert min(times) < 200 and max(times) < 5000, times
    for person, _, _ in people:
        assert site.smtp.link_to(person.email)


# ---- Who may ---------------------------------------------------------------------------------------------------------


def test_a_wrong_role_is_refused(site, staff):
    _, old, _ = site.failed()
    board = staff("viktor")
    assert board.locator(f"tr[data-interview='{old}']").count() == 1 and retake_button(board, old).count() == 0
    assert post(board, f"/api/interviews/{old}/retake/") == 403
    assert site.attempts(old)[-1].state is InterviewState.FAILED


def test_a_retake_is_offered_only_where_it_is_allowed(site, staff):
    _, interview_id, _ = site.invited()
    button = retake_button(staff(), interview_id)
    assert button.is_disabled() and button.get_attribute("title")
    _, old, _ = site.failed()
    assert retake_button(staff(), old).is_enabled()


def test_german_for_staff_and_applicants(site, staff, fresh):
    _, old, _ = site.failed()
    board = staff(locale="de-DE")
    assert retake_button(board, old).inner_text() == "Wiederholung erlauben"
    retake_button(board, old).click()
    board.wait_for_selector("#notice:has-text('Das alte Interview ist archiviert.')")
    assert board.inner_text(f"tr[data-interview='{old}'] .state") == "archiviert"
    page = fresh(locale="de-DE")
    page.goto(site.invited()[2])
    shows(page, "welcome")
    assert page.get_attribute("html", "lang") == "de"
    assert "Ihr Interview für: Backend-Entwicklung. Ab dem Beginn haben Sie 60 Minuten." in page.inner_text("#welcome")
    assert page.inner_text("#begin") == "Interview beginnen"
    page.click("#begin")
    shows(page, "sitting")
    page.fill("#q1", "Auf dieses hier")
    page.wait_for_selector("#saved:text-is('gespeichert')")
    page.click("text=Abgeben")
    shows(page, "handed-in")
    assert page.inner_text("#handed-in h1") == "Vielen Dank"


# ---- Accessibility ---------------------------------------------------------------------------------------------------

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def faults(page):
    """What axe finds on the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [(page.url, v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in found["violations"]]


def test_staff_pages_are_accessible(site, staff, fresh):
    _, old, _ = site.failed()
    login = fresh()
    login.goto(f"{site.url}/accounts/login/")
    board = staff()
    assert faults(login) + faults(board) == []
    board.goto(f"{site.url}/interviews/{old}/")
    board.click("button.retake:enabled")
    board.wait_for_selector("#notice:not([hidden])")
    assert faults(board) == []


def test_all_that_applicants_see_is_accessible(site, fresh):
    page = fresh()
    begin(page, site.invited()[2])
    sections = page.eval_on_selector_all("main > section", "all => all.map(s => s.id)")
    assert len(sections) == 14
    for section in sections:
        page.evaluate("id => show(id)", section)
        assert page.locator("main > section:visible").count() == 1 and faults(page) == []


# ---- Sittings --------------------------------------------------------------------------------------------------------


def test_a_second_window_takes_over_and_the_first_says_so(site, fresh):
    _, interview_id, link = site.invited()
    first = fresh()
    begin(first, link)
    write(first, "from the first window")
    second = first.context.new_page()  # the same browser; the cookie is shared
    begin(second, link)
    assert second.input_value("#q1") == "from the first window"
    write(second, "from the second window")
    first.fill("#q1", "lost")
    shows(first, "elsewhere")
    assert site.answers(interview_id)["q1"] == "from the second window"
    first.click("#take-over")
    shows(first, "sitting")
    assert first.input_value("#q1") == "from the second window"


def test_a_killed_browser_goes_on_where_it_was(site, playwright, fresh, tmp_path):
    _, interview_id, link = site.invited()
    process = subprocess.Popen(
        [CHROMIUM, "--headless=new", *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={tmp_path}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        port = wait_for(
            lambda: (tmp_path / "DevToolsActivePort").exists() and (tmp_path / "DevToolsActivePort").read_text().split()
        )[0]
        page = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0].new_page()
        begin(page, link)
        write(page, "written before the lights went out")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
    page = fresh()
    page.goto(link)
    shows(page, "welcome")
    assert page.inner_text("#begin") == "Continue the interview"
    page.click("#begin")
    shows(page, "sitting")
    assert page.input_value("#q1") == "written before the lights went out"
    assert len(site.attempts(interview_id)) == 1


def test_a_killed_server_loses_nothing(site, fresh):
    _, interview_id, link = site.invited()
    page = fresh()
    begin(page, link)
    write(page, "before")
    site.kill("web")
    page.fill("#q1", "before, and while nobody was there")
    page.wait_for_selector("#saved:has-text('not saved')")
    assert site.answers(interview_id)["q1"] == "before"
    site.start_web()
    saved(page)
    assert site.answers(interview_id)["q1"] == "before, and while nobody was there"
    page.click("text=Hand in")
    shows(page, "handed-in")


# ---- The clock -------------------------------------------------------------------------------------------------------


@pytest.fixture
def invitation(live_server, committed):
    """In this process, where the clock is the test's: a link of the site's, and whose it is."""
    interview_id = committed.invited()
    return f"{live_server.url}/interview/#{committed.token(interview_id)}", interview_id, committed


@pytest.mark.parametrize("slept", [False, True], ids=["the page counts to nought", "the page's clock stood still"])
def test_time_runs_out_while_the_page_is_open(invitation, fresh, slept):
    link, interview_id, world = invitation
    page, seen = fresh(), []
    page.clock.install()
    begin(page, link)
    page.fill("#q1", "nearly done")
    page.clock.fast_forward(500)
    saved(page)
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    settings.clock.advance(timedelta(hours=1))
    if slept:  # a computer that was closed: the page believes that there is time, and is told otherwise
        page.fill("#q1", "too late")
        page.clock.fast_forward(500)
    else:
        page.clock.fast_forward("01:00:00")
    shows(page, "expired")
    assert page.inner_text("#expired h1") == "This link has run out" and seen == []
    page.click("#expired .ask")
    shows(page, "asked")
    settings.clock.advance(timedelta(minutes=5))  # the grace is over, too
    store_engine().sweep()
    assert world.state(interview_id) is InterviewState.EXPIRED
    kept = store_engine().read_progress(interview_id, actor=world.reviewer)
    assert json.loads(kept.data)["q1"] == "nearly done"


# ---- The broker is away: last, because it stays away -----------------------------------------------------------------


def test_without_a_broker_nothing_is_lost(site, staff):
    person, old, _ = site.failed()
    board = staff()
    site.kill("broker")
    retake_button(board, old).click()
    board.wait_for_selector("#notice:not([hidden])")
    assert len(site.attempts(old)) == 2 and site.smtp.to(person.email) == []
    assert int(board.get_attribute("body", "data-milliseconds")) < 5000
    assert "1 accepted" in site.manage("hirenow_dispatch", "--once")
    assert len(site.smtp.to(person.email)) == 1
