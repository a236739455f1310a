"""Django's admin shows applicants and interviews, and changes neither."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from hiring import interviews
from hiring.models import Application, Candidate


@pytest.fixture
def boss(django_user_model, world):
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("boss"))
    return client


def page_of(row):
    return reverse(f"admin:hiring_{row._meta.model_name}_change", args=[row.pk])


def test_it_shows_all_attempts_with_a_link_to_each(world, boss):
    old = world.failed()
    new = interviews.retake(old, world.recruiter).id
    world.application.refresh_from_db()
    html = boss.get(page_of(world.application)).content.decode()
    assert f'<a href="/interviews/{old}/">attempt 1</a>: archived' in html
    assert f'<a href="/interviews/{new}/">attempt 2</a>: scheduled' in html
    for path in page_of(world.ada), reverse("admin:hiring_application_changelist"):
        html = boss.get(path).content.decode()
        assert f'<a href="/interviews/{new}/">open</a>' in html and str(old) not in html
    assert boss.get(f"/interviews/{new}/").status_code == 200


def test_it_shows_whoever_was_not_invited(world, boss):
    for path in page_of(world.application), page_of(world.ada), reverse("admin:hiring_application_changelist"):
        answer = boss.get(path)
        assert answer.status_code == 200 and "/interviews/" not in answer.content.decode()


def test_it_changes_nothing(world, boss):
    world.invited()
    before = list(Application.objects.values()), list(Candidate.objects.values())
    for row in world.application, world.ada:
        name = row._meta.model_name
        assert 'type="submit" value="Save"' not in boss.get(page_of(row)).content.decode()
        assert boss.post(page_of(row), {"name": "x", "email": "x@y.example", "stage": "offer"}).status_code == 403
        assert boss.post(page_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
        assert boss.get(reverse(f"admin:hiring_{name}_add")).status_code == 403
        boss.post(
            reverse(f"admin:hiring_{name}_changelist"),
            {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
        )
    assert (list(Application.objects.values()), list(Candidate.objects.values())) == before


def test_without_a_role_the_interviews_stay_closed(world):
    interview_id = world.invited()
    world.nobody.is_staff = True
    world.nobody.save()
    world.nobody.user_permissions.add(Permission.objects.get(codename="view_application"))
    client = Client()
    client.force_login(world.nobody)
    world.application.refresh_from_db()
    html = client.get(page_of(world.application)).content.decode()
    assert "only for recruiters, reviewers and admins" in html and "scheduled" not in html
    assert client.get(page_of(world.ada)).status_code == 403
    assert client.get(f"/interviews/{interview_id}/").status_code == 403
