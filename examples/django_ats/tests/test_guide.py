"""The code of docs/django.md is run, block after block, and does what the page says."""

import re

import pytest
from django.core import checks, mail
from django.shortcuts import redirect
from django.test import RequestFactory

import hirenow
from hirenow import InterviewState
from hirenow.contrib.django import mail_promised
from hirenow.contrib.django.testing import renew_tables
from hiring.models import Application

from . import settings as test_settings

PAGE = (test_settings.ROOT / "docs" / "django.md").read_text()


@pytest.fixture
def guide(committed, monkeypatch, tmp_path, settings):
    names = {"__name__": "guide", "BASE_DIR": tmp_path, "Application": Application, "redirect": redirect}
    (tmp_path / "keys.json").write_text(test_settings.keys.read_text())
    (tmp_path / "keys.json").chmod(0o600)
    before = list(mail_promised.receivers)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 8
    for n, block in enumerate(blocks):
        exec(compile(block, f"docs/django.md, block {n + 1}", "exec"), names)
    yield names
    mail_promised.receivers = before
    mail_promised.sender_receivers_cache.clear()
    names["INSTALLED_APPS"].clear()


def test_the_settings_are_enough(guide, settings):
    settings.HIRENOW = guide["HIRENOW"]
    assert checks.run_checks(tags=["hirenow"]) == []


def test_the_code_does_what_the_page_says(guide, committed):
    rosa, ada = committed.rosa, committed.application
    guide["invite"](ada, committed.recruiter)
    old = ada.interview_id
    assert committed.state(old) is InterviewState.SCHEDULED and mail.outbox == []
    assert guide["send_mail"]() == 1 and len(mail.outbox) == 1
    assert guide["let_the_clock_work"]() == 0

    request = RequestFactory().post("/", HTTP_AUTHORIZATION="Interview " + committed.token(old))
    assert b'"valid"' in guide["look"](request).content
    assert committed.state(old) is InterviewState.SCHEDULED
    assert b'"left": 3600' in guide["begin"](request).content
    assert b'"fence": 2' in guide["begin"](request).content  # a second window
    committed.clock.set(committed.clock.now().replace(hour=12))
    assert guide["let_the_clock_work"]() == 1

    old = next_failed(committed)
    button = guide["retake_button"](old, committed.recruiter)
    assert button["disabled"] and button["from"] > committed.clock.now() and "7 days" in button["title"]
    with pytest.raises(hirenow.CooldownError):
        guide["retake"](old, committed.recruiter, "click")
    committed.clock.set(button["from"])
    assert not guide["retake_button"](old, committed.recruiter)["disabled"]
    request = RequestFactory().post("/", {"click": "4711"})
    request.user = rosa
    assert guide["allow_retake"](request, old).status_code == 302
    committed.application.refresh_from_db()
    again = guide["retake"](old, committed.recruiter, "4711")  # the same click once more
    assert (committed.stage(), again.id) == ("retake", committed.application.interview_id)


def next_failed(world):
    renew_tables()
    world.application.interview_id = None
    world.application.save()
    world.clock.set(test_settings.MONDAY)
    return world.failed(cooled_down=False)


def test_the_permissions_are_named_as_the_page_names_them(committed):
    from hirenow.contrib.django.models import ROLE_PERMISSIONS

    for _, words in ROLE_PERMISSIONS:
        assert words.partition(":")[0] in PAGE


def test_every_setting_and_every_check_stands_on_the_page():
    from hirenow.contrib.django import checks as ours
    from hirenow.contrib.django._conf import DEFAULTS

    assert all(f"`{name}`" in PAGE for name in DEFAULTS)
    source = open(ours.__file__).read()
    ids = {f"E{int(n):03}" for n in re.findall(r"_error\((?:\d+ if link else )?(\d+)", source)}
    ids |= {f"W{int(n):03}" for n in re.findall(r"_warning\(\s*(\d+)", source)}
    missing = [i for i in ids if f"{i}`" not in PAGE]
    assert ids and not missing, missing
