"""The staff's side: the dashboard, the dialogues, roles, live updates, the history."""

import html
import re
import sqlite3
import subprocess
import time
import urllib.request
import uuid
from pathlib import Path

from playwright.sync_api import expect

from conftest import CHROMIUM, FLAGS, PROGRAM, Hand, begin, failed_interview, invite, links_of, write


def retakes_of(server, interview):
    """How many other interviews the person has on the track: plain SQL."""
    return server.sql(
        "SELECT count(*) - 1 FROM hirenow_interview AS mine JOIN hirenow_interview AS i USING (tenant_no, applicant_no, "
        "track_no) WHERE mine.interview = ?", blob(interview))[0][0]


def blob(interview):
    return bytes.fromhex(interview.replace("-", ""))


def test_a_form_that_is_sent_twice_is_done_once(server):
    hand = Hand.of_staff(server, "rosa")
    form = {"csrf": hand.csrf("/interviews/new"), "key": uuid.uuid4().hex, "name": "Twice", "email": "twice@applicants.example",
            "track": "backend-2026/technical", "locale": "en"}
    first, again = (hand.post("/interviews/new", **form) for _ in range(2))
    assert first == again
    interview = first.split("/interviews/")[1].split("?")[0]
    # Links may be sent anew as often as somebody wishes: only the form's key tells a wish from a repetition.
    form = {"csrf": form["csrf"], "key": uuid.uuid4().hex}
    assert len({hand.post(f"/interviews/{interview}/reissue", **form) for _ in range(2)}) == 1
    generation = "SELECT generation FROM hirenow_interview WHERE interview = ?"
    assert server.sql(generation, blob(interview)) == [(2,)]
    hand.post(f"/interviews/{interview}/reissue", csrf=form["csrf"], key=uuid.uuid4().hex)
    assert server.sql(generation, blob(interview)) == [(3,)]


def test_a_double_click_is_one_retake(people, server):
    recruiter = people.staff()
    email, interview, old = failed_interview(server)
    recruiter.goto("/interviews?q=" + email)
    recruiter.get_by_role("link", name=re.compile("Allow retake")).click()
    dialogue = recruiter.locator("dialog[open]")
    text = dialogue.inner_text()
    assert "is archived" in text and "attempt 2" in text and email in text
    # Twice by the mouse, and twice behind the script's back.
    form = dialogue.locator("form").evaluate("f => Object.fromEntries(new FormData(f))")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in recruiter.context.cookies())
    dialogue.locator("button.primary").dblclick()
    recruiter.wait_for_url("**?done=retake")
    newer = recruiter.url.split("/interviews/")[1].split("?")[0]
    for _ in range(2):
        status, headers, _ = server.http(f"/interviews/{interview}/retake", form, cookies, origin=server.base)
        assert (status, headers["Location"]) == (303, f"/interviews/{newer}?done=retake")
    assert retakes_of(server, interview) == 1
    assert len(links_of(server, email, 2)) == 2  # the invitation, and the one to the retake
    assert "is archived" in recruiter.locator(".notice.good").inner_text()
    recruiter.goto("/interviews/" + interview)
    assert "archived" in recruiter.locator(".notice.archived").inner_text()
    assert recruiter.locator("a.button.retake").count() == 0


def test_a_second_recruiter_sees_who_was_faster(people, server):
    recruiter = people.staff()
    _, interview, _ = failed_interview(server)
    other = people.staff("Inês")
    for page in (recruiter, other):
        page.goto(f"/interviews/{interview}/retake")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=retake")
    other.locator("section.action button.primary").click()
    other.wait_for_url("**?done=superseded")
    assert other.url.split("?")[0] == recruiter.url.split("?")[0]
    assert retakes_of(server, interview) == 1


WORDS = {
    "scheduled": "Retake is not possible: the track has an active interview",
    "in_progress": "Retake is not possible: the track has an active interview",
    "submitted": "Retake is not possible: the interview's state does not allow it",
    "passed": "Retake is not possible: the last attempt was passed",
    "failed": r"Retake is possible from .*\d{4}.*: 14 days after the last attempt",
    "cancelled": "Retake is not possible: the interview's state does not allow it",
    "archived": "Retake is not possible: the interview is archived",
}


def test_retake_is_offered_exactly_where_the_library_allows_it(people, make_server, chromium):
    own = make_server("--interviews", "200")
    them = type(people)(chromium, own)
    page = them.staff()
    allowed = 0
    for state in ("scheduled", "in_progress", "submitted", "passed", "failed", "on_hold", "cancelled", "voided", "archived"):
        page.goto("/interviews?state=" + state)
        rows = page.locator("tbody tr")
        assert rows.count() > 0, state
        for n in range(rows.count()):
            row = rows.nth(n)
            words = row.locator(".retake").get_attribute("title")
            if row.locator("a.retake").count():
                allowed += 1
                assert words.startswith("Retake is possible now"), words
            else:
                button = row.locator("button.retake")
                assert button.get_attribute("aria-disabled") == "true"
                assert row.locator(".tip").text_content() == words
                if state in WORDS:
                    assert re.fullmatch(WORDS[state], words), (state, words)
    assert allowed > 3
    # A reviewer is told that it is not for them, and why not beside that.
    reviewer = them.staff("Viktor")
    reviewer.goto("/interviews?state=failed")
    assert reviewer.locator("a.retake").count() == 0
    assert "Only recruiters allow retakes." in reviewer.locator("button.retake").first.get_attribute("title")
    them.close()


def test_an_exception_opens_the_retake_once(people, server):
    admin = people.staff("Inês")
    email, interview, _ = failed_interview(server, days_later=1)
    admin.goto("/interviews/" + interview)
    assert admin.locator("a.button.retake").count() == 0
    admin.get_by_role("link", name="Grant an exception").click()
    dialogue = admin.locator("dialog[open]")
    assert dialogue.locator("input[name=rule]:checked").get_attribute("value") == "cooldown"
    dialogue.locator("select[name=code]").select_option("our_fault")
    dialogue.locator("textarea[name=reason]").fill("the microphone was ours")
    dialogue.locator("button.primary").click()
    admin.wait_for_url("**?done=waive")
    assert "granted" in admin.locator(".waivers").inner_text()
    assert "the microphone was ours" in admin.locator(".timeline").inner_text()
    # A recruiter uses it, once, and can grant none.
    recruiter = people.staff()
    recruiter.goto("/interviews/" + interview)
    assert recruiter.get_by_role("link", name="Grant an exception").count() == 0
    recruiter.locator("a.button.retake").click()
    recruiter.locator("dialog[open] button.primary").click()
    recruiter.wait_for_url("**?done=retake")
    assert "used" in recruiter.locator(".waivers").inner_text()
    assert retakes_of(server, interview) == 1
    assert server.sql("SELECT state FROM hirenow_waiver WHERE applicant_no = (SELECT applicant_no FROM "
                      "hirenow_interview WHERE interview = ?)", blob(interview)) == [(2,)]


def test_an_exception_that_was_revoked_opens_nothing(people, server):
    admin, recruiter = people.staff("Inês"), people.staff()
    _, interview, _ = failed_interview(server, days_later=1)
    admin.goto(f"/interviews/{interview}/waive")
    admin.locator("section.action button.primary").click()
    admin.wait_for_url("**?done=waive")
    admin.get_by_role("button", name="Revoke").click()
    admin.wait_for_url("**?done=waive")
    assert "revoked" in admin.locator(".waivers").inner_text()
    recruiter.goto("/interviews/" + interview)
    assert recruiter.locator("a.button.retake").count() == 0
    recruiter.goto(f"/interviews/{interview}/waive")
    assert "Your role does not allow this." in recruiter.locator(".notice.bad").inner_text()


def test_an_archived_interview_cannot_be_resumed_by_any_saved_link(people, server):
    recruiter = people.staff()
    left_open = Hand(server)  # a window with everything it needs
    email, interview, old = failed_interview(server, applicant=left_open)
    recruiter.goto(f"/interviews/{interview}/retake")
    recruiter.locator("section.action button.primary").click()
    recruiter.wait_for_url("**?done=retake")
    def kept():
        return (server.sql("SELECT * FROM hirenow_interview WHERE interview = ?", blob(interview)),
                server.sql("SELECT count(*) FROM hirenow_audit"))

    before = kept()
    for path, refusal in (("/go/start", "/go/interview"), ("/go/sit", {"reload": True}), ("/go/save", {"reload": True}),
                          ("/go/submit", {"next": "/go/interview"}), ("/go/withdraw", "/go/interview")):
        assert left_open.post(path, **left_open.own, answers='{"q1": "another"}') == refusal, path
    assert "data-kind=superseded_interview" in left_open.get("/go/interview").replace('"', "")
    for link in links_of(server, email, 2)[1:]:
        page = people.someone()
        page.goto(link)
        page.locator("[data-kind=superseded_interview]").wait_for()
    assert kept() == before


def test_roles_see_and_may_what_is_theirs(people, server):
    recruiter, reviewer = people.staff(), people.staff("Viktor")
    email, interview, _ = failed_interview(server)
    key = {"key": "k" * 20}

    def post(page, path, **form):
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
        page.goto("/interviews")
        csrf = page.locator("form[action='/sign-out'] input[name=csrf]").get_attribute("value")
        return server.http(path, {"csrf": csrf, **form}, cookies, origin=server.base)

    status, _, body = post(reviewer, f"/interviews/{interview}/retake", **key)
    assert status == 403 and "Your role does not allow this." in body
    assert post(recruiter, f"/interviews/{interview}/reopen", reason="no", **key)[0] == 403
    assert post(recruiter, f"/interviews/{interview}/pass", outcome="passed", **key)[0] == 403
    assert post(reviewer, "/interviews/new", name="x", email="x@y.example", track="data-2026/case", **key)[0] == 403
    assert post(recruiter, "/policy", document='{"hirenow_policy": 1}')[0] == 403
    assert retakes_of(server, interview) == 0
    # What a role may do is offered, and nothing else.
    reviewer.goto("/interviews/" + interview)
    assert reviewer.locator(".actions a").all_inner_texts() == ["Void the attempt"]
    assert reviewer.locator(".answer").first.inner_text() == "an answer"
    recruiter.goto("/interviews/" + interview)
    assert recruiter.locator(".answer").count() == 0
    admin = people.staff("Inês")
    admin.goto("/interviews/" + interview)
    assert "Reopen the decision" in admin.locator(".actions").inner_text()
    # Without a session there is nothing.
    assert "Sign in" in server.http("/interviews/" + interview)[2]


def test_forms_of_others_are_refused(people, server):
    page = people.staff()
    _, interview = invite(page)
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
    csrf = page.locator("form[action='/sign-out'] input[name=csrf]").get_attribute("value")
    other = people.staff()
    other_csrf = other.locator("form[action='/sign-out'] input[name=csrf]").get_attribute("value")
    path = f"/interviews/{interview}/cancel"
    assert csrf != other_csrf
    assert server.http(path, {"key": "k" * 20, "csrf": other_csrf}, cookies)[0] == 403
    assert server.http(path, {"key": "k" * 20}, cookies)[0] == 403
    assert server.http(path, {"key": "k" * 20, "csrf": csrf}, cookies, origin="https://evil.example")[0] == 403
    assert server.http("/go/open", {"token": "x"}, origin="https://evil.example")[0] == 403
    forged = cookies.replace("viktor", "ines").replace("rosa", "ines")
    assert "Sign in" in server.http("/interviews", cookie=forged)[2]
    assert server.http(path, {"key": "k" * 20, "csrf": csrf}, cookies, origin=server.base)[0] == 303


def test_every_answer_carries_the_security_headers(people, server):
    for path in ("/", "/go", "/go/unknown", "/inbox", "/static/style.css", "/static/applicant.js", "/nowhere"):
        headers = server.http(path)[1]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == ("private, max-age=3600" if path.startswith("/static") else "no-store")
    page = people.staff()
    for cookie in page.context.cookies():
        assert cookie["httpOnly"] and cookie["sameSite"] == "Lax", cookie


def test_the_token_is_in_no_log_no_referer_and_no_history(people, server, tmp_path, playwright):
    email, _ = invite(people.staff())
    link = links_of(server, email)[0]
    token = link.split("#")[1]
    sent = []
    profile = playwright.chromium.launch_persistent_context(
        tmp_path / "profile", executable_path=CHROMIUM, args=FLAGS, base_url=server.base)
    page = profile.new_page()
    page.on("request", lambda r: sent.append(r))
    page.goto(link)
    page.get_by_role("button", name="Start now").click()
    page.locator("#q1:enabled").wait_for()
    write(page, "text")
    page.reload()
    page.locator("#q1:enabled").wait_for()
    sent = [(r.method, r.url, r.all_headers(), r.post_data or "") for r in sent]
    # Posted once; the fragment of the first navigation is the browser's own and is not sent.
    assert [m for m, url, _, body in sent if token in body] == ["POST"]
    assert not any(token in url.split("#")[0] for _, url, _, _ in sent)
    assert not any(token in str(headers) for _, _, headers, _ in sent)
    entries = page.context.new_cdp_session(page).send("Page.getNavigationHistory")["entries"]
    assert not any(token in e["url"] for e in entries), entries
    assert token not in page.evaluate("JSON.stringify([...Object.entries(sessionStorage), ...Object.entries(localStorage)])")
    assert not any(token in c["value"] for c in profile.cookies())
    profile.close()
    # On disk the browser keeps the address that was clicked, as of every link in a mail; no page of ours adds to that.
    with sqlite3.connect(tmp_path / "profile" / "Default" / "History") as history:
        visited = [url.removeprefix(server.base) for url, in history.execute("SELECT url FROM urls ORDER BY id")]
    assert visited == ["/go#" + token, "/go", "/go/interview"]
    log = server.access_log()
    assert "POST /go/open 200" in log and token not in log and token[:40] not in log
    assert token not in (server.folder / "out.log").read_text()


def test_search_filters_and_pages_agree_with_plain_sql(people, server):
    page = people.staff()
    invite(page, name="Zäzilia Överström")
    page.goto("/interviews?q=zaz")
    assert page.locator("tbody th a").all_inner_texts() == ["Zäzilia Överström"]
    page.goto("/interviews?q=overs")
    assert page.locator("tbody tr").count() == 1
    interview = page.locator("tbody tr").get_attribute("data-id")
    page.goto("/interviews?q=" + interview)
    assert page.locator("tbody tr").get_attribute("data-id") == interview
    # The beginning of an interview's id finds that one, and not what else its person has.
    page.goto("/interviews?q=" + interview[:20].upper())
    assert page.locator("tbody tr").get_attribute("data-id") == interview
    both = server.sql("SELECT a.interview, b.interview FROM hirenow_interview AS a JOIN hirenow_interview AS b USING "
                      "(tenant_no, applicant_no, track_no) WHERE a.attempt = 1 AND b.attempt = 2")[0]
    for one in both:
        page.goto("/interviews?q=" + str(uuid.UUID(bytes=one))[:20])
        assert page.locator("tbody tr").get_attribute("data-id") == str(uuid.UUID(bytes=one))
    page.goto("/interviews?q=nobody-is-called-so")
    assert page.locator(".empty").count() == 1
    # Every state's count is the number of rows that paging through it shows.
    page.goto("/interviews")
    tabs = {t.get_attribute("data-state"): (t.get_attribute("href"), int(t.locator(".count").inner_text()))
            for t in page.locator(".tabs a").all()}
    assert tabs["all"][1] == sum(count for state, (_, count) in tabs.items() if state != "all")
    for state in ("passed", "failed", "expired", "scheduled"):
        href, count = tabs[state]
        seen = []
        while href:
            page.goto(href)
            seen += [r.get_attribute("data-id") for r in page.locator("tbody tr").all()]
            more = page.locator("a[rel=next]")
            href = more.get_attribute("href") if more.count() else None
        assert len(seen) == len(set(seen)) == count, state


def rows_and_counts(hand, path):
    """All rows of a search, page by page, as (id, state), and the counts shown beside them (None: none)."""
    rows, counts = [], None
    while path:
        body = html.unescape(hand.get(path))
        rows += re.findall(r'<tr data-id="([^"]+)" data-state="([^"]+)"', body)
        now = {state: int(n) for state, n in re.findall(r'data-state="(\w+)"[^>]*>[^<]*<span class="count">(\d+)<', body)}
        assert counts in (None, now)
        counts, more = now, re.search(r'href="([^"]+)" rel="next"', body)
        path = more and more[1]
    assert len(rows) == len(set(rows))
    return rows, counts


def test_the_counts_of_a_search_are_those_of_its_rows(server):
    hand = Hand.of_staff(server, "rosa")
    everybody = dict(server.sql("SELECT id, name FROM ats_applicant"))
    for search, track in (("ma", ""), ("ma", "&track=support-2026/screening"), ("a-10001", ""), ("nobody-here", "")):
        rows, counts = rows_and_counts(hand, f"/interviews?q={search}{track}")
        assert counts.pop("all") == len(rows)
        assert counts == {state: sum(s == state for _, s in rows) for state in counts}
        for state in ("passed", "archived", "expired"):
            narrowed, again = rows_and_counts(hand, f"/interviews?q={search}{track}&state={state}")
            assert sorted(narrowed) == sorted(r for r in rows if r[1] == state)
            assert {**counts, "all": len(rows)} == again
    assert len(rows_and_counts(hand, "/interviews?q=a-10001")[0]) >= 10
    # More people than are counted: all rows are there, and no count says otherwise.
    rows, counts = rows_and_counts(hand, "/interviews?q=a-")
    seeded = [i for i in everybody if i.startswith("a-")]
    assert len(seeded) > 100 and counts == {}
    assert len(rows) == server.sql("SELECT count(*) FROM ats_interview")[0][0]
    assert "Many people are found" in hand.get("/interviews?q=a-")
    some, _ = rows_and_counts(hand, "/interviews?q=a-&state=voided")
    assert sorted(some) == sorted(r for r in rows if r[1] == "voided") != []


def test_the_list_is_live(people, server):
    watcher = people.staff()
    other = people.staff("Inês")
    email, interview = invite(other)
    watcher.locator(f"tr[data-id='{interview}']").wait_for()
    assert watcher.locator(f"tr[data-id='{interview}'] .state").inner_text() == "Scheduled"
    before = int(watcher.locator("[data-state=cancelled] .count").inner_text())
    other.goto(f"/interviews/{interview}/cancel")
    other.locator("section.action button.primary").click()
    other.wait_for_url("**?done=cancel")
    expect(watcher.locator("[data-state=cancelled] .count")).to_have_text(str(before + 1))
    assert watcher.locator("#refreshed").text_content() == "The list was refreshed."


def test_a_button_opens_where_somebody_watches(people, server):
    # Nothing of the interview changes: an exception does, which is the person's.
    watcher, admin = people.staff(), people.staff("Inês")
    email, interview, _ = failed_interview(server, days_later=1)
    watcher.goto("/interviews?q=" + email)
    row = watcher.locator(f"tr[data-id='{interview}']")
    assert row.locator("button.retake[aria-disabled=true]").count() == 1
    admin.goto(f"/interviews/{interview}/waive")
    admin.locator("select[name=code]").select_option("our_fault")
    admin.locator("textarea[name=reason]").fill("the microphone was ours")
    admin.locator("section.action button.primary").click()
    admin.wait_for_url("**?done=waive")
    expect(row.locator("a.retake")).to_have_count(1)
    assert row.locator("a.retake").get_attribute("title").startswith("Retake is possible now")


def test_another_language_keeps_what_was_asked_for(people):
    page = people.staff()
    page.goto("/interviews?state=failed&q=lin")
    page.locator("form[action='/language'] button").first.click()
    page.wait_for_url("**/interviews?state=failed&q=lin")
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.locator("input[name=q]").input_value() == "lin"


def outcomes_of(server, interview):
    """Events of the interview's audit, in order: plain SQL."""
    return [event for (event,) in server.sql(
        "SELECT event FROM hirenow_audit WHERE applicant_no = (SELECT applicant_no FROM hirenow_interview WHERE "
        "interview = ?) ORDER BY sequence", blob(interview))]


def test_each_dialogue_says_what_will_happen_and_does_it_once(people, server):
    pages = {name: people.staff(name) for name in ("Rosa", "Viktor", "Inês")}
    email, open_one = invite(pages["Rosa"])
    _, failed, _ = failed_interview(server, days_later=0)
    _, judged, _ = failed_interview(server, days_later=0)
    # Who, where, what the link is called, what the dialogue says, what is filled in, the audit's word, who may not.
    steps = [
        ("Rosa", open_one, "accommodate", "Give more time", "The time limit is lengthened", {"percent": "150"}, "Viktor"),
        ("Rosa", open_one, "cancel", "Cancel the interview", "the applicant is told by e-mail", {"reason": "filled"}, "Viktor"),
        ("Inês", judged, "reopen", "Reopen the decision", "taken back to on hold", {"reason": "misread"}, "Rosa"),
        ("Viktor", failed, "void", "Void the attempt", "The attempt does not count", {"reason": "our outage"}, "Rosa"),
    ]
    for name, interview, event, word, says, fields, other in steps:
        refused = pages[other]
        refused.goto("/interviews/" + interview)
        assert refused.get_by_role("link", name=word).count() == 0, event
        refused.goto(f"/interviews/{interview}/{event}")
        assert "Your role does not allow this." in refused.locator(".notice.bad").inner_text()
        assert refused.locator("section.action form").count() == 0
        page = pages[name]
        page.goto("/interviews/" + interview)
        page.get_by_role("link", name=word).click()
        dialogue = page.locator("dialog[open]")
        assert says in dialogue.inner_text(), event
        for field, text in fields.items():
            dialogue.locator(f"[name={field}]").fill(text)
        form = dialogue.locator("form").evaluate("f => Object.fromEntries(new FormData(f))")
        before = outcomes_of(server, interview)
        dialogue.locator("button.primary").dblclick()
        page.wait_for_url(f"**?done={event}")
        assert page.locator(".notice.good").inner_text() != ""
        # And once more behind the script's back, by the one who may and by the one who may not.
        cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
        assert server.http(f"/interviews/{interview}/{event}", form, cookies, origin=server.base)[0] == 303
        assert outcomes_of(server, interview) == before + [event], event
        hand = Hand.of_staff(server, {"Rosa": "rosa", "Viktor": "viktor"}[other])
        own = {**form, "csrf": hand.csrf("/interviews"), "key": "k" * 32}
        assert server.http(f"/interviews/{interview}/{event}", own, hand.cookie(), origin=server.base)[0] == 403
    pages["Rosa"].goto("/interviews/" + open_one)
    assert pages["Rosa"].locator(".page-head .state").inner_text() == "Cancelled"


def test_a_withdrawal_is_asked_once_more_and_done_once(people, server):
    email, interview = invite(people.staff())
    page = people.someone()
    page.goto(links_of(server, email)[0])
    page.wait_for_url("**/go/interview")
    page.get_by_text("I do not want to take part").click()
    assert "cannot be undone by you" in page.locator("details").inner_text()
    form = page.locator("details form").evaluate("f => Object.fromEntries(new FormData(f))")
    page.get_by_role("button", name="Withdraw").dblclick()
    page.locator("[data-kind=cancelled]").wait_for()
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies([server.base + "/go/withdraw"]))
    assert server.http("/go/withdraw", form, cookies, origin=server.base)[0] == 303
    assert outcomes_of(server, interview).count("withdraw") == 1


def test_the_keyboard_is_enough(people, server):
    page = people.staff()
    page.goto("/interviews?state=scheduled")
    button = page.locator("button.retake").first
    button.focus()
    assert page.locator(".tip").first.evaluate("t => getComputedStyle(t).visibility") == "visible"
    page.keyboard.press("Enter")
    assert page.url.endswith("state=scheduled")
    page.goto("/interviews")
    page.get_by_role("link", name="Invite").focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    assert page.evaluate("document.activeElement.name") == "name"
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    page.goto("/interviews")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"


def test_a_dead_message_is_shown_and_sent_again_by_an_admin(people, server):
    page = people.staff("Inês")
    page.goto("/interviews/new")
    page.get_by_label("Name").fill("Nobody There")
    page.get_by_label("E-mail").fill("nobody@undeliverable.example")
    page.locator("section.action button.primary").click()
    page.wait_for_url("**?done=schedule")
    for _ in range(50):
        if page.locator(".message-state.dead").count():
            break
        page.reload()
        time.sleep(0.1)
    assert "550 5.1.1" in page.locator(".answer-line").first.inner_text()
    page.get_by_role("button", name="Send again").click()
    page.wait_for_url("**?done=redrive")
    assert "queued again" in page.locator(".notice.good").inner_text()
    recruiter = people.staff()
    recruiter.goto(page.url.split("?")[0])
    assert recruiter.get_by_role("button", name="Send again").count() == 0


def test_the_lifecycle_is_drawn_in_both_languages(server):
    known = {state: server.http(f"/lifecycle/{code}/passed.svg")[2] for code, state in (("en", "passed"), ("de", "bestanden"))}
    for state, picture in known.items():
        assert f'>{state}</text>' in picture and "#1d4ed8;stroke" in picture
    words = [set(re.findall(r">([^<>]+)</t(?:span|ext)>", picture)) for picture in known.values()]
    assert len(words[0]) == len(words[1]) and words[0] & words[1] == {" · "}  # nothing was left in English


def test_the_one_command_serves(tmp_path):
    demo = Path(__file__).parents[2] / "examples" / "demo.sh"
    command = [demo, "--program", PROGRAM, "--serve", "--data", tmp_path / "data", "--port", "0", "--interviews", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        for line in served.stdout:
            if found := re.search(r"serving on (http://[^ ]+)", line):
                break
        with urllib.request.urlopen(found[1]) as page:
            assert page.status == 200 and "Rosa" in page.read().decode()
        served.terminate()
        served.stdout.read()
    assert served.returncode == 0


def test_a_history_that_was_edited_says_where(people, make_server, chromium):
    own = make_server("--interviews", "5")
    them = type(people)(chromium, own)
    page = them.staff()
    email, interview = invite(page)
    begin(them.someone(), links_of(own, email)[0])
    page.goto("/interviews/" + interview)
    assert "Verified" in page.locator(".verified").inner_text()
    assert page.locator("img.lifecycle").get_attribute("src") == "/lifecycle/en/in_progress.svg"
    assert page.locator("img.lifecycle").evaluate("i => i.complete && i.naturalWidth") == 1600
    # Whoever has the database's password takes the guards away first.
    with sqlite3.connect(own.folder / "data" / "ats.db") as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'hirenow_audit'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute("UPDATE hirenow_audit SET at = at - 1 WHERE sequence = 2 AND applicant_no = (SELECT applicant_no FROM "
                   "hirenow_interview WHERE interview = ?)", (blob(interview),))
    page.reload()
    assert "audit entry 2" in page.locator(".notice.bad").inner_text()
    assert page.locator(".timeline li.broken .sequence").all_inner_texts() == ["2", "3"]
    assert page.locator(".verified").count() == 0
    them.close()


def test_a_slow_mail_server_leaves_the_click_quick(people, make_server, chromium):
    """A mail server that takes ten seconds for each mail: the click is answered before it has even said hello."""
    code = (
        "import asyncio\nfrom aiosmtpd.controller import Controller\n"
        "class Slow:\n"
        "    async def handle_DATA(self, server, session, envelope):\n"
        "        await asyncio.sleep(10)\n        return '250 taken'\n"
        "import socket, sys\nfree = socket.create_server(('127.0.0.1', 0))\nport = free.getsockname()[1]\nfree.close()\n"
        "c = Controller(Slow(), hostname='127.0.0.1', port=port)\nc.start()\nprint(port, flush=True)\nsys.stdin.read()\n"
    )
    mail = subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(mail.stdout.readline())
    own = make_server("--interviews", "60", "--smtp", f"127.0.0.1:{port}")
    them = type(people)(chromium, own)
    page = them.staff()
    page.goto("/interviews?state=failed")
    page.locator("a.retake").first.click()
    page.locator("dialog[open] button.primary").wait_for()
    with page.expect_response(lambda r: r.request.method == "POST" and r.url.endswith("/retake")) as answered:
        page.locator("dialog[open] button.primary").click()
    page.wait_for_url("**?done=retake")
    took = answered.value.request.timing["responseStart"]
    print(f"the click took {took:.0f} ms")
    assert took < 200
    them.close()
    own.kill()
    mail.kill()
    mail.wait()


def test_the_policy_is_explained_and_set(people, server):
    page = people.staff("Inês")
    page.goto("/interviews?state=failed")
    interview = page.locator("tbody tr").first.get_attribute("data-id")
    words = page.locator(".retake").first.get_attribute("title")
    page.goto("/policy?interview=" + interview)
    assert page.locator(".verdict").inner_text() == words
    assert page.locator("svg.timeline-picture circle").count() >= 1
    page.goto("/policy")
    page.get_by_role("button", name="Explain").click()
    assert "30 days after the last attempt" in page.locator(".verdict").inner_text()
    page.locator("textarea[name=case]").fill('{"now": 5}')
    page.get_by_role("button", name="Explain").click()
    assert "/now" in page.locator(".notice.bad").inner_text()
    document = page.locator("textarea[name=document]").input_value()
    page.locator("textarea[name=document]").fill(document.replace("P14D", "P99X"))
    page.get_by_role("button", name="Put into force").click()
    assert "/rules/0/after/0" in page.locator(".notice.bad").inner_text()
    page.locator("textarea[name=document]").fill(document.replace('"acme-2026-11"', '"acme-2026-12"'))
    page.get_by_role("button", name="Put into force").click()
    page.wait_for_url("**?done=policy")
    assert "acme-2026-12" in page.locator(".page-head").inner_text()
