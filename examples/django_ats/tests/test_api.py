"""The example's API: staff and applicants, without a browser."""

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from hirenow import InterviewState
from hiring.models import Application

UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def no_throttle_of_before():
    cache.clear()


def staff(user):
    client = APIClient()
    client.force_login(user)
    return client


class Applicant:
    """A browser of the applicant's: cookies, and what its window knows."""

    def __init__(self, token=None, **how):
        self.client, self.fence = APIClient(**how), None
        self.by = {"HTTP_AUTHORIZATION": f"Interview {token}"} if token else {}

    def look(self):
        return self.client.post("/api/sitting/look/", **self.by)

    def begin(self):
        answer = self.client.post("/api/sitting/begin/", **self.by)
        self.fence = answer.json().get("fence")
        return answer

    def save(self, **answers):
        return self.client.put("/api/sitting/save/", {"fence": self.fence, "answers": answers}, format="json")

    def submit(self, **answers):
        body = {"fence": self.fence, "answers": answers} if answers else {"fence": self.fence}
        return self.client.post("/api/sitting/submit/", body, format="json")


# ---- Staff -----------------------------------------------------------------------------------------------------------


def test_from_the_invitation_to_the_retake(committed):
    rosa, viktor = staff(committed.rosa), staff(committed.viktor)
    answer = rosa.post(f"/api/applications/{committed.application.pk}/invite/")
    assert answer.status_code == 201 and committed.stage() == "interview"
    old = answer.json()["id"]
    ada = Applicant(committed.token(old))
    assert ada.begin().json()["left"] == 3600
    assert ada.submit(q1="an answer").json() == {"state": "submitted"}
    answer = viktor.post(f"/api/interviews/{old}/decide/", {"outcome": "failed", "reason": "too early"}, format="json")
    assert answer.json()["state"] == "failed" and committed.stage() == "rejected"

    answer = rosa.post(f"/api/interviews/{old}/retake/")
    assert answer.status_code == 409 and answer.json()["code"] == "not_eligible"
    assert answer.json()["eligible_at"] == "2026-03-09T09:00:00+00:00"
    shown = rosa.get(f"/api/interviews/{old}/").json()
    assert not shown["retake"]["allowed"] and "7 days" in shown["retake"]["words"]
    assert "retake" not in shown["actions"]

    committed.clock.set(committed.clock.now().replace(day=9))
    assert rosa.get(f"/api/interviews/{old}/").json()["retake"]["allowed"]
    answer = rosa.post(f"/api/interviews/{old}/retake/", HTTP_IDEMPOTENCY_KEY="click")
    new = answer.json()["id"]
    assert answer.status_code == 201 and answer.json()["attempt"] == 2 and answer.json()["retake_of"] == old
    assert rosa.post(f"/api/interviews/{old}/retake/", HTTP_IDEMPOTENCY_KEY="click").json()["id"] == new
    answer = rosa.post(f"/api/interviews/{old}/retake/", HTTP_IDEMPOTENCY_KEY="another click")
    assert answer.status_code == 409 and answer.json()["superseded_by"] == new
    assert (committed.stage(), str(Application.objects.get().interview_id)) == ("retake", new)
    assert committed.state(old) is InterviewState.ARCHIVED
    assert Applicant(committed.token(new)).look().json()["verdict"] == "valid"
    listed = rosa.get("/api/interviews/", {"state": "archived"}).json()
    assert [r["id"] for r in listed["rows"]] == [old] and listed["counts"] == {"scheduled": 1, "archived": 1}


def test_a_wrong_role_is_refused(world):
    old = world.failed()
    for who in (world.viktor, world.nobody):
        answer = staff(who).post(f"/api/interviews/{old}/retake/")
        assert answer.status_code == 403 and set(answer.json()) == {
            "detail"
        }  # the view's answer; the core was not asked
    assert (
        staff(world.rosa).post(f"/api/interviews/{old}/decide/", {"outcome": "passed"}, format="json").status_code
        == 403
    )
    assert staff(world.nobody).get("/api/interviews/").status_code == 403
    assert APIClient().get("/api/interviews/").status_code == 403
    assert staff(world.nobody).get("/").status_code == 403
    assert staff(world.nobody).get(f"/interviews/{old}/").status_code == 403
    assert APIClient().get("/").status_code == 302
    assert world.state(old) is InterviewState.FAILED


def test_the_core_refuses_too_where_a_view_forgets(world, monkeypatch):
    from hiring.staff_api import Interviews
    from rest_framework.permissions import AllowAny

    monkeypatch.setattr(Interviews.retake, "kwargs", {"permission_classes": [AllowAny]})
    monkeypatch.setattr(Interviews, "get_permissions", lambda self: [])
    old = world.failed()
    answer = staff(world.viktor).post(f"/api/interviews/{old}/retake/")
    assert answer.status_code == 403 and answer.json()["code"] == "permission_denied"


def test_a_request_from_another_site_is_refused(world):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(world.rosa)
    assert client.post(f"/api/interviews/{world.failed()}/retake/").status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"outcome": "archived"}, {"outcome": ["failed"]}, {"outcome": "failed", "reason": "x" * 3000}]
)
def test_a_body_that_is_none_is_refused(world, body):
    answer = staff(world.viktor).post(f"/api/interviews/{world.submitted()}/decide/", body, format="json")
    assert answer.status_code == 400


def test_what_is_not_there_is_not_found(world):
    rosa = staff(world.rosa)
    for path in (
        f"/api/interviews/{UNKNOWN}/",
        f"/interviews/{UNKNOWN}/",
        "/interviews/x/",
        "/api/interviews/?state=x",
        "/?state=x",
        "/?cursor=x",
    ):
        assert rosa.get(path).status_code == 404, path
    assert rosa.post(f"/api/interviews/{UNKNOWN}/retake/").status_code == 404
    assert rosa.post("/api/applications/4711/invite/").status_code == 404
    assert rosa.get("/api/interviews/?cursor=x").status_code == 400


def test_other_use_cases(world):
    rosa = staff(world.rosa)
    interview_id = world.invited()
    token = world.token(interview_id)
    assert rosa.post(f"/api/interviews/{interview_id}/reissue/").status_code == 200
    assert Applicant(token).look().json()["verdict"] == "superseded_link"
    assert (
        rosa.post(f"/api/interviews/{interview_id}/cancel/", {"reason": "filled"}, format="json").json()["state"]
        == "cancelled"
    )
    assert Applicant(token).look().json()["verdict"] == "cancelled"
    assert world.stage() == "new"


def test_the_pages_show_what_is_allowed_in_the_librarys_words(world):
    old = world.failed(cooled_down=False)
    html = staff(world.rosa).get("/").content.decode()
    assert "Backend engineer" in html and "7 days after the last attempt" in html and "disabled" in html
    assert "Allow retake" not in staff(world.viktor).get("/").content.decode()
    html = staff(world.rosa).get(f"/interviews/{old}/").content.decode()
    assert "verified," in html and "Archived" not in html
    world.clock.set(world.clock.now().replace(day=9))
    assert "disabled" not in staff(world.rosa).get("/").content.decode()
    staff(world.rosa).post(f"/api/interviews/{old}/retake/")
    html = staff(world.rosa).get(f"/interviews/{old}/").content.decode()
    assert "Archived: this attempt is never changed again" in html and "Allow retake" not in html


# ---- Applicants ------------------------------------------------------------------------------------------------------


def test_looking_changes_nothing(world):
    token = world.token(world.invited())
    before = world.application.interview_id
    for _ in range(3):
        seen = Applicant(token).look()
        assert seen.json()["verdict"] == "valid" and seen.json()["minutes"] == 60
        assert seen.headers["Cache-Control"] == "no-store"
    assert APIClient().get("/interview/").status_code == 200
    world.application.refresh_from_db()
    assert world.state(world.application.interview_id) is InterviewState.SCHEDULED and before is None


def test_the_second_window_takes_over(world):
    token = world.token(world.invited())
    first = Applicant(token)
    assert first.begin().status_code == 200
    assert first.save(q1="one").status_code == 200
    second = Applicant(token)
    assert second.begin().json()["answers"] == {"q1": "one"}
    answer = first.save(q1="lost")
    assert answer.status_code == 409 and answer.json()["code"] == "stale_session"
    assert first.submit().status_code == 409
    assert second.save(q1="two").status_code == 200


def test_two_windows_of_one_browser_are_two(world):
    one = Applicant(world.token(world.invited()))
    one.begin()
    two = Applicant()
    two.client, two.by = one.client, {}  # the cookie is shared
    assert two.begin().status_code == 200
    assert one.save(q1="lost").json()["code"] == "stale_session"
    assert two.save(q1="kept").status_code == 200


def test_the_cookie_goes_on_without_the_link(world):
    ada = Applicant(world.token(world.invited()))
    ada.look()
    cookie = ada.client.cookies["sitting"]
    assert (
        cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/api/sitting/" and cookie["secure"]
    )
    ada.by = {}
    assert ada.begin().status_code == 200 and ada.save(q1="x").status_code == 200


def test_a_cookie_from_another_site_is_refused(world):
    ada = Applicant(world.token(world.invited()), enforce_csrf_checks=True)
    assert ada.look().status_code == 200
    ada.by = {}
    assert ada.begin().status_code == 403


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", "x" * 9000])
def test_a_link_that_is_none_of_ours(world, token):
    ada = Applicant(token)
    assert ada.look().json()["verdict"] == "invalid" and "sitting" not in ada.client.cookies
    answer = ada.begin()
    assert answer.status_code in (401, 413) and set(answer.json()) == {"code"} | (
        set() if answer.status_code == 401 else {"message", "reason"}
    )
    assert APIClient().post("/api/sitting/begin/").status_code == 401


def test_saving_without_a_sitting(world):
    ada = Applicant(world.token(world.invited()))
    ada.look()
    ada.fence = 0
    assert ada.save(q1="x").json()["code"] == "stale_session"
    for body in ({}, {"fence": -1}, {"fence": "x"}, {"fence": 1, "answers": []}, {"fence": 1, "answers": {"q": {}}}):
        assert ada.client.put("/api/sitting/save/", body, format="json").status_code == 400, body


def test_a_link_is_asked_for_with_one_answer_whatever_comes_of_it(world):
    old = world.failed()
    dead = world.token(old)
    staff(world.rosa).post(f"/api/interviews/{old}/retake/")
    answers = [
        Applicant(token).client.post("/api/sitting/ask-for-link/", **Applicant(token).by)
        for token in (dead, dead, "nonsense")
    ]
    assert [(a.status_code, a.json()) for a in answers] == [(202, {})] * 3
    for _ in range(5):
        last = Applicant(dead).client.post("/api/sitting/ask-for-link/", **Applicant(dead).by)
    assert last.status_code == 429


def test_a_defect_is_no_refusal(world, monkeypatch):
    import hirenow
    from hiring import interviews

    def broken(*_):
        raise hirenow.InternalError("a defect")

    monkeypatch.setattr(interviews, "retake", broken)
    rosa = staff(world.rosa)
    rosa.raise_request_exception = False
    assert rosa.post(f"/api/interviews/{UNKNOWN}/retake/").status_code == 500

    def busy(*_):
        raise hirenow.StoreBusyError("somebody holds the lock")

    monkeypatch.setattr(interviews, "retake", busy)
    answer = rosa.post(f"/api/interviews/{UNKNOWN}/retake/")
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "1"
