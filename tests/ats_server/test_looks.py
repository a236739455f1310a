"""What the pages look like: axe-core on each, and the screenshots that docs/ shows."""

import datetime
import os
import re
from pathlib import Path

import axe_playwright_python

from conftest import Hand, begin, failed_interview, invite, invited, links_of, started, write

# The pictures that docs/ keeps.
KEPT = {"interviews", "allow-retake", "interview", "decide", "policy", "waive", "inbox", "applicant-welcome", "applicant-sitting",
        "applicant-newer-interview", "applicant-phone-german", "interviews-phone-german"}
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def look_at(page, name, tmp_path, full=False):
    """Axe finds nothing, and a picture is kept."""
    page.wait_for_load_state("networkidle") if "/interviews" not in page.url else page.wait_for_timeout(300)
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    faults = [(v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in found["violations"]]
    folder = Path(os.environ.get("ATS_SCREENSHOTS", tmp_path)) if name in KEPT else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=full)
    assert faults == [], name


def test_main_pages(people, make_server, chromium, tmp_path):
    own = make_server("--interviews", "260")
    them = type(people)(chromium, own)
    page = them.someone()
    page.goto("/")
    look_at(page, "sign-in", tmp_path)
    page.get_by_role("button", name=re.compile("Inês")).click()
    page.wait_for_url("**/interviews")
    page.goto("/interviews?q=b")
    look_at(page, "interviews", tmp_path)
    page.goto("/interviews?state=failed")
    page.locator("button.retake").first.hover()
    look_at(page, "retake-not-yet", tmp_path)
    page.locator("a.retake").first.click()
    page.locator("dialog[open] .consequences").wait_for()
    page.wait_for_timeout(250)
    look_at(page, "allow-retake", tmp_path)
    page.locator("dialog[open] button.primary").click()
    page.wait_for_url("**?done=retake")
    look_at(page, "retake-allowed", tmp_path, full=True)
    page.locator(".lineage a").first.click()
    page.locator(".notice.archived").wait_for()
    look_at(page, "interview", tmp_path, full=True)
    page.goto("/interviews?state=submitted")
    page.get_by_role("link", name=re.compile("^Decide")).first.click()
    page.locator("dialog[open] fieldset").wait_for()
    page.wait_for_timeout(250)
    look_at(page, "decide", tmp_path)
    page.goto("/interviews?state=failed")
    failed = page.locator("tbody tr").first.get_attribute("data-id")
    page.goto("/policy?interview=" + failed)
    look_at(page, "policy", tmp_path, full=True)
    page.goto("/interviews/" + failed)
    page.get_by_role("link", name="Grant an exception").click()
    page.locator("dialog[open] fieldset").wait_for()
    page.wait_for_timeout(250)
    look_at(page, "waive", tmp_path)
    for what in ("reissue", "cancel", "void", "reopen", "accommodate"):  # dialogues that are pages of their own, too
        page.goto(f"/interviews/{failed}/{what}")
        look_at(page, "dialogue-" + what, tmp_path)
    page.goto("/no-such-page")
    look_at(page, "missing", tmp_path)
    page.goto("/inbox")
    look_at(page, "inbox", tmp_path)
    page.goto("/interviews/new")
    look_at(page, "invite", tmp_path)

    recruiter = them.staff()
    email, interview, old = failed_interview(own)
    recruiter.goto(f"/interviews/{interview}/retake")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=retake")
    late = them.someone()
    late.goto(old)
    late.locator("[data-kind=superseded_interview]").wait_for()
    look_at(late, "applicant-newer-interview", tmp_path)

    applicant = them.someone()
    applicant.goto(links_of(own, email, 2)[0])
    applicant.wait_for_url("**/go/interview")
    look_at(applicant, "applicant-welcome", tmp_path)
    begin(applicant, links_of(own, email, 2)[0])
    write(applicant, "First I would put a queue between the two, and let the consumer acknowledge only after its own commit.")
    look_at(applicant, "applicant-sitting", tmp_path)

    phone = them.someone(viewport={"width": 390, "height": 780}, device_scale_factor=2, is_mobile=True, has_touch=True,
                         locale="de-DE")
    email, _ = invite(recruiter, language="de", name="Jürgen Groß")
    begin(phone, links_of(own, email)[0])
    write(phone, "Zuerst messen.")
    look_at(phone, "applicant-phone-german", tmp_path)
    desk = them.staff(viewport={"width": 390, "height": 780}, device_scale_factor=2, is_mobile=True, has_touch=True,
                      locale="de-DE")
    look_at(desk, "interviews-phone-german", tmp_path)
    for kind in ("unknown", "requested"):
        late.goto("/go/" + kind)
        look_at(late, "applicant-" + kind, tmp_path)
    them.close()


def test_pages_of_links_that_open_nothing(people, make_server, chromium, tmp_path):
    own = make_server("--interviews", "5")
    them = type(people)(chromium, own)
    recruiter, reviewer = Hand.of_staff(own, "rosa"), Hand.of_staff(own, "viktor")

    def act(who, interview, what, **more):
        form = f"/interviews/{interview}/{what}"
        who.post(form, csrf=who.csrf(form), key=os.urandom(16).hex(), **more)

    links = {}
    for language in ("en", "de"):
        for kind, track in (("expired", "backend-2026/technical"), ("ran_out", "data-2026/case")):
            links[language, kind] = invited(own, track, locale=language)[2]
        started(own, links[language, "ran_out"])
    own.put_clock_forward(73 * 3600)
    for language in ("en", "de"):
        for kind, what in (("superseded_link", "reissue"), ("cancelled", "cancel")):
            _, interview, links[language, kind] = invited(own, locale=language)
            act(recruiter, interview, what)
        for kind in ("completed", "voided"):
            _, interview, links[language, kind] = invited(own, locale=language)
            hand = started(own, links[language, kind])
            hand.post("/go/submit", **hand.own, answers="{}")
            if kind == "voided":
                act(reviewer, interview, "void", code="power_cut")
        later = datetime.datetime.fromtimestamp(own.now(), datetime.timezone.utc) + datetime.timedelta(days=3)
        links[language, "not_yet_valid"] = invited(own, locale=language, opens=later.strftime("%Y-%m-%d"))[2]
    titles = {}
    for (language, kind), link in links.items():
        page = them.someone()
        page.goto(link)
        page.locator(f"[data-kind={kind}]").wait_for()
        assert page.locator("html").get_attribute("lang") == language
        titles[language, kind] = page.locator("h1").inner_text()
        look_at(page, f"applicant-{kind}-{language}", tmp_path)
        page.context.close()
    assert len(set(titles.values())) == len(titles) == 14
    them.close()
