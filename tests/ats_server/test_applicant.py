"""The applicant's side: links, sittings, and what a page says when a link is dead."""

import datetime
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from conftest import CHROMIUM, FLAGS, Hand, begin, failed_interview, invite, invited, links_of, write


def main_text(page):
    return page.locator("main").inner_text()


def test_a_fresh_message_opens_in_a_fresh_profile_and_starts(people, server):
    email, _ = invite(people.staff())
    link = links_of(server, email)[0]
    page = people.someone()
    visited = []
    page.on("framenavigated", lambda frame: visited.append(frame.url))
    page.goto(link)
    page.wait_for_url("**/go/interview")
    assert "Backend Engineer" in main_text(page) and "1 h 30 min" in main_text(page)
    assert page.locator("[data-page=welcome]").count() == 1
    page.get_by_role("button", name="Start now").click()
    page.locator("#q1:enabled").wait_for()
    assert re.fullmatch(r"1:(30:00|29:\d\d)", page.locator("#left").inner_text())
    assert not any("expired" in url or "unknown" in url for url in visited)


def test_looking_consumes_nothing(people, server):
    page = people.staff()
    email, interview = invite(page)
    entries = page.locator(".timeline li").count()
    link = links_of(server, email)[0]
    token = link.split("#")[1]
    # A scanner that only fetches, and one that runs scripts and follows everything.
    for method in ("GET", "HEAD"):
        for path in ("/go", "/go/interview", "/go/start", "/go/open?token=" + token):
            server.http(path, method=method)
    scanner = people.someone()
    for _ in range(3):
        scanner.goto(link)
        scanner.wait_for_url("**/go/interview")
    page.goto("/interviews/" + interview)
    assert page.locator(".page-head .state").inner_text() == "Scheduled"
    assert page.locator(".timeline li").count() == entries
    begin(people.someone(), link)


def test_answers_are_saved_as_typed_and_a_killed_browser_goes_on(people, server, playwright, tmp_path):
    email, _ = invite(people.staff())
    link = links_of(server, email)[0]
    options = dict(executable_path=CHROMIUM, args=FLAGS, base_url=server.base)
    first = playwright.chromium.launch_persistent_context(tmp_path / "profile", **options)
    page = first.new_page()
    begin(page, link)
    write(page, "Grüße, 東京 & <b>")
    # The browser dies; nothing is said, nothing is closed.
    for pid in os.listdir("/proc"):
        try:
            words = open(f"/proc/{pid}/cmdline", "rb").read().decode(errors="replace")
        except OSError:
            continue
        if pid.isdigit() and str(tmp_path / "profile") in words:
            os.kill(int(pid), signal.SIGKILL)
    try:
        first.close()
    except Exception:
        pass
    again = people.someone()
    again.goto(link)
    again.locator("#q1:enabled").wait_for()
    assert again.locator("#q1").input_value() == "Grüße, 東京 & <b>"
    write(again, "and on", "#q2")


def test_a_tab_that_is_closed_while_somebody_types_loses_nothing(people, server):
    email, _ = invite(people.staff())
    link = links_of(server, email)[0]
    begin(people.someone(), link)
    for words, is_saving in (("not saved yet", False), ("being saved", True)):
        page = people.someone()
        page.goto(link)
        page.locator("#q1:enabled").wait_for()
        if is_saving:  # a save that never arrives
            page.evaluate("() => { window.fetch = () => new Promise(() => {}) }")
        page.locator("#q1").fill(words)
        if is_saving:
            page.locator("#saved[data-now=saving]").wait_for()
        page.close(run_before_unload=False)
        again = people.someone()
        for _ in range(20):  # the last words travel after the tab is gone
            again.goto(link)
            again.locator("#q1:enabled").wait_for()
            if again.locator("#q1").input_value() == words:
                break
        assert again.locator("#q1").input_value() == words


def test_a_second_window_takes_over_and_the_first_says_so(people, server):
    email, _ = invite(people.staff())
    link = links_of(server, email)[0]
    first = people.someone()
    begin(first, link)
    write(first, "from the first")
    second = people.someone()
    second.goto(link)
    second.locator("#q1:enabled").wait_for()
    assert second.locator("#q1").input_value() == "from the first"
    write(second, "from the second")
    first.locator("#q1").type(" too late")
    first.locator("#notice-stale").wait_for()
    assert first.locator("#q1").is_disabled()
    # And back, by choice: with what the second had saved.
    first.locator("#take-over").click()
    first.locator("#q1:enabled").wait_for()
    assert first.locator("#q1").input_value() == "from the second"
    # It learns of it without typing.
    second.evaluate("dispatchEvent(new Event('focus'))")
    second.locator("#notice-stale").wait_for()


def test_two_windows_of_one_browser_are_two_sessions(people, server):
    email, _ = invite(people.staff())
    link = links_of(server, email)[0]
    first = people.someone()
    begin(first, link)
    write(first, "one")
    second = first.context.new_page()
    second.goto("/go/interview")
    second.locator("#q1:enabled").wait_for()
    first.locator("#q1").type(" more")
    first.locator("#notice-stale").wait_for()
    write(second, "two")
    second.reload()
    second.locator("#q1:enabled").wait_for()
    assert second.locator("#q1").input_value() == "two"


def test_a_killed_server_loses_nothing(people, make_server, chromium):
    own = make_server("--interviews", "5")
    them = type(people)(chromium, own)
    email, _ = invite(them.staff())
    page = them.someone()
    begin(page, links_of(own, email)[0])
    write(page, "before")
    own.kill()
    page.locator("#q1").fill("while it was away")
    page.locator("#saved[data-now=unsaved]").wait_for()
    own.start()
    page.locator("#saved[data-now=saved]").wait_for(timeout=15_000)
    page.reload()
    page.locator("#q1:enabled").wait_for()
    assert page.locator("#q1").input_value() == "while it was away"
    them.close()


def test_time_runs_out_while_the_page_is_open(people, server):
    page = people.staff()
    for track, kind in (("support-2026/screening", "completed"), ("data-2026/case", "ran_out")):
        email, interview = invite(page, track=track)
        applicant = people.someone()
        begin(applicant, links_of(server, email)[0])
        write(applicant, "nearly done")
        left = applicant.locator("#left").inner_text().split(":")
        seconds = sum(int(n) * 60**i for i, n in enumerate(reversed(left)))
        server.put_clock_forward(seconds - 3)
        applicant.evaluate("dispatchEvent(new Event('focus'))")
        applicant.locator("#notice-over").wait_for()
        applicant.locator(f"[data-kind={kind}]").wait_for(timeout=10_000)


def test_the_time_left_is_the_servers(people, server):
    email, _ = invite(people.staff())
    page = people.someone()
    page.add_init_script("Date.now = () => 0; const D = Date; Date = class extends D { constructor() { super(0); } };")
    begin(page, links_of(server, email)[0])
    assert re.fullmatch(r"1:(30:00|29:\d\d)", page.locator("#left").inner_text())


def test_an_expired_link_is_no_dead_end(people, server):
    recruiter = people.staff()
    email, interview = invite(recruiter)
    link = links_of(server, email)[0]
    server.put_clock_forward(73 * 3600)
    page = people.someone()
    page.goto(link)
    page.locator("[data-kind=expired]").wait_for()
    page.get_by_role("button", name="Ask the recruiter").click()
    page.wait_for_url("**/go/requested")
    recruiter.goto("/interviews/" + interview)
    assert recruiter.locator(".badge").inner_text() == "asks for a link"
    recruiter.get_by_role("link", name="Send a fresh link").click()
    recruiter.locator("dialog button.primary").click()
    recruiter.wait_for_url("**?done=reissue")
    begin(people.someone(), links_of(server, email, 2)[0])


def test_a_superseded_link_sends_the_current_one_to_the_address_on_file(people, server):
    recruiter = people.staff()
    email, interview, old = failed_interview(server)
    recruiter.goto(f"/interviews/{interview}/retake")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=retake")
    links_of(server, email, 2)
    page = people.someone()
    page.goto(old)
    page.locator("[data-kind=superseded_interview]").wait_for()
    page.locator("#ask").click()
    page.wait_for_url("**/go/requested")
    current = links_of(server, email, 3)
    assert current[0] == current[1] != old
    begin(people.someone(), current[0])


def test_a_superseded_generation_asks_with_its_own_token(people, server):
    recruiter = people.staff()
    email, interview = invite(recruiter)
    old = links_of(server, email)[0]
    recruiter.goto(f"/interviews/{interview}/reissue")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=reissue")
    links_of(server, email, 2)
    page = people.someone()
    page.goto(old)
    page.locator("[data-kind=superseded_link]").wait_for()
    page.locator("#ask").click()
    page.wait_for_url("**/go/requested")
    assert links_of(server, email, 3)[0] != old


def test_asking_looks_and_lasts_the_same_whatever_comes_of_it(server):
    recruiter = Hand.of_staff(server, "rosa")

    def act(interview, what):
        form = f"/interviews/{interview}/{what}"
        recruiter.post(form, csrf=recruiter.csrf(form), key=os.urandom(16).hex())

    late, _, run_out = invited(server)  # nothing is sent, the recruiter is told
    email, interview, old = failed_interview(server)
    act(interview, "retake")  # a link to the newer interview is sent
    other, replaced, older = invited(server)
    act(replaced, "reissue")  # a newer link to the same one
    seen = []
    for link in (old, older, run_out):
        hand = Hand(server)
        hand.post("/go/open", token=link.split("#")[1])
        csrf = hand.csrf("/go/interview")
        for _ in range(3):  # the first is heeded, the others come too soon
            began = time.monotonic()
            status, headers, body = server.http("/go/request-link", {"csrf": csrf}, hand.cookie(), origin=server.base)
            seen.append((status, headers["Location"], body, time.monotonic() - began))
    assert [len(links_of(server, of, n)) for of, n in ((email, 3), (other, 3), (late, 1))] == [3, 3, 1]
    assert len({s[:3] for s in seen}) == 1 and seen[0][1] == "/go/requested"
    assert all(0.7 <= s[3] < 1.2 for s in seen), seen


def test_whoever_asks_all_the_time_is_asked_to_wait(people, make_server, chromium):
    own = make_server("--interviews", "5")
    them = type(people)(chromium, own)
    email, _ = invite(them.staff())
    page = them.someone()
    own.put_clock_forward(73 * 3600)
    page.goto(links_of(own, email)[0])
    page.locator("[data-kind=expired]").wait_for()
    csrf = page.locator("input[name=csrf]").get_attribute("value")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies([own.base + "/go/request-link"]))
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: own.http("/go/request-link", {"csrf": csrf}, cookies)[0], range(24)))
    assert set(codes) == {303, 429} and 20 <= codes.count(303) <= 21
    them.close()


def test_cancelled_and_completed_and_unknown_are_kind(people, server):
    recruiter = people.staff()
    email, interview = invite(recruiter)
    link = links_of(server, email)[0]
    recruiter.goto(f"/interviews/{interview}/cancel")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=cancel")
    page = people.someone()
    page.goto(link)
    page.locator("[data-kind=cancelled]").wait_for()
    page.goto(link[:-4] + "AAAA")
    page.wait_for_url("**/go/unknown")
    assert "not complete" in main_text(page)
    page.goto("/go")
    page.goto("/go#nonsense")
    page.wait_for_url("**/go/unknown")


def test_cancelled_while_somebody_answers(people, server):
    recruiter = people.staff()
    email, interview = invite(recruiter)
    page = people.someone()
    begin(page, links_of(server, email)[0])
    page.evaluate("""() => new MutationObserver(() => sessionStorage.setItem("said-over", "yes"))
                           .observe(document.getElementById("notice-over"), {attributes: true})""")
    recruiter.goto(f"/interviews/{interview}/cancel")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=cancel")
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.locator("[data-kind=cancelled]").wait_for()
    assert page.evaluate("sessionStorage.getItem('said-over')") is None  # time was not up


def test_a_link_that_opens_later(people, server):
    day = datetime.datetime.fromtimestamp(server.now(), datetime.timezone.utc) + datetime.timedelta(days=3)
    recruiter = people.staff()
    recruiter.goto("/interviews/new")
    recruiter.get_by_label("Name").fill("Nadia Test")
    recruiter.get_by_label("E-mail").fill("later@applicants.example")
    recruiter.get_by_label("Not before").fill(day.strftime("%Y-%m-%d"))
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=schedule")
    link = links_of(server, "later@applicants.example")[0]
    page = people.someone()
    page.goto(link)
    page.locator("[data-kind=not_yet_valid]").wait_for()
    assert day.strftime("%Y") in main_text(page) and page.locator("#ask").count() == 0
    server.put_clock_forward(4 * 86400)
    begin(page, link)
    hand = Hand.of_staff(server, "rosa")
    refused = server.http("/interviews/new", {"csrf": hand.csrf("/interviews/new"), "key": "0" * 32, "name": "N", "email": "n@x.example",
                                              "track": "backend-2026/technical", "locale": "en", "opens": "2026-02-30"},
                          hand.cookie(), origin=server.base)
    assert "This is no date" in refused[2]


def test_german(people, server):
    email, _ = invite(people.staff(), language="de", name="Jürgen Groß")
    link = links_of(server, email)[0]
    mail = server.http("/inbox?to=" + email)[2]
    assert "Ihr Interview für Backend-Entwicklung, Fachrunde" in mail and "Backend Engineer" not in mail
    page = people.someone(locale="fr-FR")
    page.goto(link)
    page.wait_for_url("**/go/interview")
    assert page.locator("html").get_attribute("lang") == "de"
    assert "Guten Tag Jürgen Groß" in main_text(page) and "Jetzt beginnen" in main_text(page)
    begin(page, link)
    assert "Frage 1" in main_text(page) and "Verbleibende Zeit" in main_text(page)
    staff = people.someone(locale="de-DE")
    staff.goto("/")
    staff.get_by_role("button", name=re.compile("Rosa")).click()
    staff.wait_for_url("**/interviews")
    assert staff.locator("h1").inner_text() == "Interviews"
    assert "Geplant" in main_text(staff)
    staff.goto("/interviews?state=passed")
    assert staff.locator(".tip").first.text_content() == "Ein weiterer Versuch ist nicht möglich: der letzte Versuch wurde bestanden"


def test_phone_width(people, server):
    email, _ = invite(people.staff())
    phone = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    page = people.someone(**phone)
    page.goto(links_of(server, email)[0])
    page.wait_for_url("**/go/interview")
    recruiter = people.staff(**phone)
    pages = [page, recruiter]
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    for p in pages:
        assert p.evaluate(fits), p.url
    page.get_by_role("button", name="Start now").click()
    page.locator("#q1:enabled").wait_for()
    assert page.evaluate(fits)
    for path in ("/policy", "/interviews/" + recruiter.locator("tbody tr").first.get_attribute("data-id"), "/inbox"):
        recruiter.goto(path)
        assert recruiter.evaluate(fits), path
