"""The door: Django's transaction holds the host's rows and hirenow's."""

import os
import threading

import pytest
from django.core import mail
from django.db import connection, connections, transaction

import hirenow
from hirenow import InterviewState
from hirenow.contrib.django import (
    actor_of,
    close,
    dispatcher,
    engine,
    mail_promised,
    run_in_transaction,
    store_engine,
    testing,
)
from hiring import interviews
from hiring.models import Application

from . import settings

FAILED, ARCHIVED = InterviewState.FAILED, InterviewState.ARCHIVED


def test_without_atomic_the_door_refuses(committed):
    old = committed.failed()
    for call in (engine().retake, engine().find, engine().retake_eligibility):
        with pytest.raises(hirenow.NoTransactionError):
            call(old, actor=committed.recruiter)
    assert committed.state(old) is FAILED


def test_both_commit_together(committed):
    old = committed.failed()
    with transaction.atomic():
        Application.objects.update(stage="retake")
        engine().retake(old, actor=committed.recruiter)
        assert store_engine().find(old, actor=committed.recruiter).state is FAILED  # nobody else sees it yet
    assert (committed.stage(), committed.state(old)) == ("retake", ARCHIVED)
    assert store_engine().find(old, actor=committed.recruiter).state is ARCHIVED


def test_both_roll_back_together(committed):
    old = committed.failed()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Application.objects.update(stage="retake")
        engine().retake(old, actor=committed.recruiter)
        1 / 0
    assert (committed.stage(), committed.state(old)) == ("rejected", FAILED)


def test_a_refusal_leaves_the_block_usable(world):
    old = world.failed(cooled_down=False)
    with transaction.atomic():
        with pytest.raises(hirenow.CooldownError) as refused:
            engine().retake(old, actor=world.recruiter)
        Application.objects.update(stage="new")
    assert refused.value.eligible_at > world.clock.now()
    assert world.stage() == "new"


def test_a_testcase_sees_its_own_rows_and_leaves_none(world):
    world.failed()
    with connection.cursor() as cursor:
        table = "hirenow_interview" if connection.vendor == "sqlite" else "hirenow.hirenow_interview"
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("again", [1, 2])
def test_a_testcase_begins_with_nothing(world, again):
    assert run_in_transaction(lambda e: list(e.interviews(actor=world.recruiter))) == []
    world.failed()


def test_tables_can_be_renewed_in_tests(committed):
    committed.failed()
    testing.renew_tables()
    assert run_in_transaction(lambda e: list(e.interviews(actor=committed.recruiter))) == []
    assert list(store_engine().interviews(actor=committed.recruiter)) == []


def test_tables_are_renewed_in_tests_only(committed, monkeypatch):
    committed.failed()
    monkeypatch.delattr(mail, "outbox")
    with pytest.raises(RuntimeError):
        testing.renew_tables()
    assert len(list(store_engine().interviews(actor=committed.recruiter))) == 1


# ---- The wake --------------------------------------------------------------------------------------------------------


@pytest.fixture
def woken():
    heard = []

    def hear(using, **_):
        heard.append((using, connections[using].in_atomic_block))

    mail_promised.connect(hear)
    yield heard
    mail_promised.disconnect(hear)


def test_the_dispatcher_is_woken_after_the_commit(committed, woken):
    old = committed.failed()
    woken.clear()
    with transaction.atomic():
        engine().retake(old, actor=committed.recruiter)
        assert woken == []
    assert woken == [("default", False)]


def test_it_is_woken_once_for_a_transaction(committed, woken):
    with transaction.atomic():
        for n in range(3):
            engine().schedule(committed.ada.as_applicant(), f"track-{n}", actor=committed.recruiter)
    assert len(woken) == 1


def test_a_savepoint_that_is_taken_back_takes_its_wake_along(committed, woken):
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            engine().schedule(committed.ada.as_applicant(), "lost", actor=committed.recruiter)
            1 / 0
    assert woken == []
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            engine().schedule(committed.ada.as_applicant(), "lost", actor=committed.recruiter)
            1 / 0
        engine().schedule(committed.ada.as_applicant(), "kept", actor=committed.recruiter)
    assert len(woken) == 1


def test_nothing_is_woken_by_a_rollback_or_by_reading(committed, woken):
    old = committed.failed()
    woken.clear()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        engine().retake(old, actor=committed.recruiter)
        1 / 0
    with transaction.atomic():
        engine().find(old, actor=committed.recruiter)
        with pytest.raises(hirenow.PermissionDeniedError):
            engine().retake(old, actor=committed.reviewer)
    assert woken == []


def test_a_receiver_that_fails_fails_no_request(committed, caplog):
    def broken(**_):
        raise RuntimeError("the broker is away")

    mail_promised.connect(broken)
    try:
        committed.invited()
    finally:
        mail_promised.disconnect(broken)
    assert "the broker is away" in caplog.text
    assert dispatcher().dispatch_due().accepted == 1


def test_in_a_testcase_callbacks_can_be_captured(world, woken, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        world.invited()
    assert len(callbacks) == len(woken) == 1


# ---- Two at once -----------------------------------------------------------------------------------------------------


def at_once(*works):
    """What each came to, all begun together."""
    gate, came = threading.Barrier(len(works)), [None] * len(works)

    def run(n):
        gate.wait(30)
        try:
            came[n] = works[n]()
        except Exception as error:
            came[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came


def test_two_clicks_make_one_retake(committed):
    for n in range(5):
        testing.renew_tables()
        committed.application.interview_id = None
        committed.application.save()
        settings.clock.set(settings.MONDAY)
        old = committed.failed()
        one, two = at_once(*[lambda: interviews.retake(old, committed.recruiter, "click") for _ in range(2)])
        assert one.id == two.id, (one, two)
        attempts = run_in_transaction(lambda e: e.history(old, actor=committed.recruiter)).attempts
        assert [a.attempt for a in attempts] == [1, 2]
        committed.application.refresh_from_db()
        assert committed.application.interview_id == one.id


def test_a_loser_without_a_key_is_told_of_the_winner(committed):
    old = committed.failed()
    came = at_once(*[lambda: interviews.retake(old, committed.recruiter) for _ in range(4)])
    (won,) = [c for c in came if not isinstance(c, Exception)]
    for lost in came:
        assert lost is won or (isinstance(lost, hirenow.SupersededError) and lost.superseded_by == won.id), lost


def test_work_is_repeated_where_only_that_helps(committed):
    old, tries = committed.failed(), []

    def work(e):
        tries.append(1)
        e.find(old, actor=committed.recruiter)
        if len(tries) < 3:
            raise hirenow.RetryTransactionError("somebody else was faster")
        return e.retake(old, actor=committed.recruiter)

    run_in_transaction(work)
    assert len(tries) == 3 and committed.state(old) is ARCHIVED

    def never(e):
        tries.append(1)
        raise hirenow.RetryTransactionError("somebody else was faster")

    tries.clear()
    with pytest.raises(hirenow.RetryTransactionError):
        run_in_transaction(never, attempts=2)
    assert len(tries) == 2
    tries.clear()
    with pytest.raises(hirenow.RetryTransactionError), transaction.atomic():  # the caller's to repeat
        run_in_transaction(never)
    assert len(tries) == 1


def test_a_transaction_that_came_too_late_is_repeated(committed, monkeypatch):
    if connection.vendor == "sqlite":  # deferred, as it is where nothing else is said
        monkeypatch.setattr(connection, "transaction_mode", None, raising=False)
        with connection.cursor() as cursor:  # before Django 5.1 no setting does that
            cursor.execute("PRAGMA journal_mode = WAL")
    old, tries = committed.failed(), []

    def work(e):
        tries.append(e.find(old, actor=committed.recruiter))
        if len(tries) == 1:
            store_engine().schedule(committed.ada.as_applicant(), "another", actor=committed.recruiter)
        Application.objects.update(stage="retake")
        return e.retake(old, actor=committed.recruiter)

    run_in_transaction(work)
    assert len(tries) == (2 if connection.vendor == "sqlite" else 1)
    assert (committed.stage(), committed.state(old)) == ("retake", ARCHIVED)


# ---- A store of its own ----------------------------------------------------------------------------------------------


def test_mail_goes_through_djangos_backend_and_carries_the_new_link_alone(committed):
    first = committed.failed()
    dead = committed.token(first)
    dispatcher().dispatch_due()
    mail.outbox.clear()
    again = interviews.retake(first, committed.recruiter)
    assert mail.outbox == []  # nothing leaves in the request
    assert dispatcher().dispatch_due().accepted == 1
    (sent,) = mail.outbox
    assert sent.to == ["Ada <ada@applicants.example>"]
    assert sent.from_email == "Acme Hiring <jobs@acme.example>"
    assert "Backend engineer" in sent.subject
    assert committed.token(again.id) in sent.body and dead not in sent.body
    assert sent.extra_headers["Message-ID"].startswith("<") and sent.extra_headers["Auto-Submitted"] == "auto-generated"
    assert sent.alternatives[0][1] == "text/html"


def test_after_a_fork_the_child_opens_its_own(committed):
    old = committed.failed()
    store_engine().find(old, actor=committed.recruiter)
    connections.close_all()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"failed"
        try:
            with transaction.atomic():
                engine().find(old, actor=committed.recruiter)
            store_engine().retake(old, actor=committed.recruiter)
            told = b"done"
        finally:
            os.write(writer, told)
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"done"
    assert store_engine().find(old, actor=committed.recruiter).state is ARCHIVED


def test_what_is_closed_opens_again(committed):
    old = committed.failed()
    before = store_engine()
    close()
    assert before.closed
    assert store_engine().find(old, actor=committed.recruiter).state is FAILED
    assert committed.state(old) is FAILED


def test_an_actor_is_made_of_the_requests_user(world, rf):
    request = rf.get("/")
    request.user = world.rosa
    assert actor_of(request) == hirenow.Actor(str(world.rosa.pk), "acme", {hirenow.Role.RECRUITER})
