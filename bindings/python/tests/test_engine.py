"""The engine from Python: every use case, its answers and its refusals."""

import copy
import pickle
from datetime import datetime, timedelta, timezone

import pytest
from conftest import KEY_ONE, KEY_TWO, MONDAY, Mailbox, World, token_in

import hirenow
from hirenow import Fact, FactKind, InterviewState, MessageState, Outcome, Role, UseCase, Verdict


def test_error_codes_are_those_of_the_core():
    from hirenow import _errors, _hirenow

    assert {code.name.lower(): int(code) for code in hirenow.ErrorCode} == _hirenow.error_codes()
    for code in hirenow.ErrorCode:
        made = _errors.make_error(int(code), "m", "", "", None)
        assert made.code is code and type(made) is not hirenow.Error and isinstance(made, hirenow.Error)
        assert str(made) == f"{code.name.lower()}: m"
    own = hirenow.Error("mine", code=1234)
    assert own.code == 1234 and own.name == "unknown"
    again = pickle.loads(pickle.dumps(hirenow.CooldownError("m", reason="cooldown", eligible_at=MONDAY)))
    assert type(again) is hirenow.CooldownError and again.eligible_at == MONDAY and again.message == "m"


def test_the_package_shows_every_record_and_every_error():
    from hirenow import _errors, _mail_model, _model, _store_model, _words

    assert {n for m in (_errors, _mail_model, _model, _store_model, _words) for n in m.__all__} < set(hirenow.__all__)
    assert all(hasattr(hirenow, name) for name in hirenow.__all__)


def test_the_whole_story(world):
    w, e = world, world.engine
    invited = w.schedule(reminders=[timedelta(hours=24)], idempotency_key="first")
    i = invited.interview
    assert (i.attempt, i.state, i.outcome, i.time_limit) == (1, InterviewState.SCHEDULED, Outcome.PENDING,
                                                           timedelta(hours=1))
    assert i.start_by == MONDAY + timedelta(hours=72) and i.id.version == 7
    assert w.schedule(reminders=[timedelta(hours=24)], idempotency_key="first").replayed
    with pytest.raises(hirenow.IdempotencyMismatchError):
        w.schedule(idempotency_key="first")
    with pytest.raises(hirenow.ActiveInterviewError):
        w.schedule()

    token = token_in(invited.link)
    seen = e.inspect(token)
    assert (seen.verdict, seen.applicant_name, seen.left) == (Verdict.VALID, "Ada Lovelace", timedelta(hours=72))
    first = e.start(token, KEY_ONE)
    assert first.left == timedelta(hours=1) and first.session.key == KEY_ONE and first.progress is None
    with pytest.raises(hirenow.AlreadyStartedError):
        e.start(token, KEY_TWO)
    w.clock.advance(timedelta(minutes=59, seconds=1))
    assert e.checkpoint(first.session, "caf\u00e9") == w.clock.now()
    second = e.resume(token, KEY_TWO.decode())
    assert second.progress.data == "caf\u00e9".encode() and second.left == timedelta(seconds=59)
    with pytest.raises(hirenow.StaleSessionError):
        e.checkpoint(first.session, b"too late")
    assert e.submit(second.session, progress=b"\x00\xff").interview.state is InterviewState.SUBMITTED
    assert e.read_progress(i.id, actor=w.reviewer).data == b"\x00\xff"
    assert e.inspect(token).verdict is Verdict.COMPLETED

    decided = e.decide(i.id, Outcome.FAILED, actor=w.reviewer, reason="too early", score=0.25)
    assert decided.interview.score == 0.25 and decided.interview.outcome is Outcome.FAILED
    may = e.retake_eligibility(str(i.id), actor=w.recruiter)
    assert not may.allowed and may.reason == "cooldown" and "14 days" in str(may)
    with pytest.raises(hirenow.CooldownError) as refused:
        e.retake(i.id, actor=w.recruiter)
    assert refused.value.eligible_at == may.eligible_at and refused.value.code is hirenow.ErrorCode.NOT_ELIGIBLE
    w.clock.set(may.eligible_at)
    again = e.retake(i.id, actor=w.recruiter, idempotency_key="click")
    assert again.archived.state is InterviewState.ARCHIVED and again.interview.retake_of == i.id
    assert e.retake(i.id, actor=w.recruiter, idempotency_key="click").link == again.link
    with pytest.raises(hirenow.SupersededError) as lost:
        e.retake(i.id, actor=w.recruiter)
    assert lost.value.superseded_by == again.interview.id
    with pytest.raises(hirenow.TokenSupersededInterviewError):
        e.resume(token, KEY_TWO)
    assert e.request_link(token).queued

    history = e.history(again.interview.id, actor=w.recruiter)
    assert [a.attempt for a in history.attempts] == [1, 2]
    assert [x.sequence for x in e.audit("app-1", actor=w.admin)] == list(range(1, len(history.entries) + 1))
    assert e.verify_audit("app-1", actor=w.admin).entries == len(history.entries)
    checkpoint = e.audit_checkpoint(actor=w.admin)
    assert e.verify_audit_checkpoint(checkpoint, actor=w.admin) == 1


def test_time_is_added_and_broken_down(world):
    w, e = world, world.engine
    at = w.bring_to("in_progress")
    before = e.find(at.id, actor=w.recruiter)
    longer = e.accommodate(at.id, actor=w.recruiter, percent=150, pause=timedelta(minutes=7), reason_code="fire_alarm",
                           idempotency_key="a")
    i = longer.interview
    assert i.accommodation == hirenow.Accommodation(150, timedelta(0), timedelta(minutes=7))
    assert i.deadline == before.deadline + before.time_limit / 2 + timedelta(minutes=7)
    assert e.accommodate(at.id, actor=w.recruiter, percent=150, pause=timedelta(minutes=7), reason_code="fire_alarm",
                         idempotency_key="a").replayed
    terms = hirenow.deadline_breakdown(i, i.started_at)
    assert (terms.deadline, terms.by_percent, terms.cut) == (i.deadline, i.time_limit / 2, False)
    cut = hirenow.deadline_breakdown(i.replace(ends_by=i.started_at + timedelta(minutes=1)), i.started_at)
    assert cut.cut and cut.deadline == i.started_at + timedelta(minutes=1)
    with pytest.raises(hirenow.InvalidArgumentError, match="percent"):
        e.accommodate(at.id, actor=w.recruiter, percent=99, reason_code="x")


def test_a_link_is_extended_and_an_outer_limit_kept(world):
    w, e = world, world.engine
    ends_by = w.clock.now() + timedelta(days=5)
    first = e.schedule(w.ada, "t/outer", actor=w.recruiter, link_lifetime=timedelta(days=3), ends_by=ends_by)
    assert first.interview.ends_by == ends_by
    longer = e.reissue(first.interview.id, actor=w.recruiter, extend_by=timedelta(days=1))
    assert longer.interview.start_by == first.interview.start_by + timedelta(days=1)
    longest = e.reissue(first.interview.id, actor=w.recruiter, extend_by=timedelta(days=30))
    assert longest.interview.start_by == ends_by


def test_the_other_use_cases(world):
    w, e = world, world.engine
    at = w.bring_to("passed")
    assert e.reopen(at.id, actor=w.admin, reason="a mistake").interview.state is InterviewState.ON_HOLD
    assert e.void_attempt(at.id, actor=w.reviewer, reason_code="power_cut").interview.outcome is Outcome.VOID
    fact = Fact(FactKind.EVENT, "training_completed", w.clock.now(), value="with honours")
    assert e.record_fact("app-1", fact, actor=w.recruiter).person == w.ada
    moved = w.ada.replace(email="ada@new.example")
    assert e.update_applicant(moved, actor=w.recruiter, idempotency_key="u").person == moved
    assert e.update_applicant(moved, actor=w.recruiter, idempotency_key="u").replayed
    policy = {"hirenow_policy": 1, "version": "tenant-1", "retake_after": ["void"], "rules": []}
    e.set_policy(policy, actor=w.admin)
    assert e.retake_eligibility(at.id, actor=w.recruiter).policy_version == "tenant-1"
    e.set_policy(None, actor=w.admin)
    assert e.retake_eligibility(at.id, actor=w.recruiter).policy_version != "tenant-1"
    with pytest.raises(hirenow.PolicyInvalidError, match="/rules"):
        e.set_policy({"hirenow_policy": 1, "version": "x", "rules": 7}, actor=w.admin)
    actions = {a.event.value: a for a in e.permitted_actions(at.id, actor=w.recruiter)}
    assert actions["retake"].allowed and actions["retake"].eligibility.reason == "ok"
    assert isinstance(actions["pass"].why, hirenow.PermissionDeniedError)
    w.clock.advance(timedelta(days=14))
    again = e.retake(at.id, actor=w.recruiter, time_limit=timedelta(hours=2), notify=False)
    assert again.interview.time_limit == timedelta(hours=2)
    fresh = e.reissue(again.interview.id, actor=w.recruiter, notify=w.clock.now() + timedelta(hours=1))
    assert fresh.interview.link.generation == 2
    assert e.link_of(again.interview.id, actor=w.recruiter) == fresh.link
    assert e.link_for_row("acme", "app-1", fresh.interview) == fresh.link
    with pytest.raises(hirenow.PermissionDeniedError):
        e.link_of(again.interview.id, actor=w.reviewer)
    assert e.withdraw(token_in(fresh.link), reason="found another").interview.outcome is Outcome.WITHDRAWN
    e.erase_applicant("app-1", actor=w.admin)
    assert e.history(at.id, actor=w.recruiter).erased
    with pytest.raises(hirenow.ErasedError):
        w.schedule()
    assert e.verify_audit("app-1", actor=w.admin).entries > 5


def test_lists_pages_and_the_sweep(world):
    w, e = world, world.engine
    for n in range(7):
        e.schedule(w.ada.replace(id=f"app-{n}"), "t", actor=w.recruiter)
    page = e.list(actor=w.recruiter, limit=3)
    assert len(page) == 3 and page.counts[InterviewState.SCHEDULED] == 7 and page.next
    assert [len(p) for p in e.pages(actor=w.recruiter, limit=3)] == [3, 3, 1]
    assert len({row.applicant_id for row in e.interviews(actor=w.recruiter)}) == 7
    assert [r.applicant_name for r in e.list(actor=w.recruiter, applicant_id="app-3")] == ["Ada Lovelace"]
    w.clock.advance(timedelta(days=4))
    assert e.list(actor=w.recruiter, state=InterviewState.EXPIRED, with_counts=False).counts is None
    report = e.sweep(limit=5)
    assert (report.records, report.more, report.failed) == (5, True, ())
    assert e.sweep().records == 2
    with pytest.raises(hirenow.InvalidArgumentError):
        e.list(actor=w.recruiter, cursor="no cursor")


def test_nothing_crosses_tenants_and_roles(world):
    w, e = world, world.engine
    at = w.bring_to("failed")
    with pytest.raises(hirenow.NotFoundError):
        e.find(at.id, actor=w.stranger)
    with pytest.raises(hirenow.PermissionDeniedError):
        e.retake(at.id, actor=w.reviewer)
    elsewhere = e.over(hirenow.open_store("memory:"))  # the same engine over another store
    with pytest.raises(hirenow.NotFoundError):
        elsewhere.find(at.id, actor=w.recruiter)


def test_permissions_can_be_replaced():
    w = World(permissions={UseCase.RETAKE: {Role.REVIEWER}})
    at = w.bring_to("failed")
    with pytest.raises(hirenow.PermissionDeniedError):
        w.engine.retake(at.id, actor=w.recruiter)
    assert w.engine.retake(at.id, actor=w.reviewer).interview.attempt == 2


BAD = ["", "a\0b", "x" * 256, "line\nbreak", "\ud800"]


@pytest.mark.parametrize("bad", BAD, ids=["empty", "NUL", "long", "control", "surrogate"])
def test_bad_texts_are_refused_with_a_code(memory_world, bad):
    w, e = memory_world, memory_world.engine
    at = w.bring_to("submitted")
    for call in (
        lambda: e.schedule(w.ada.replace(id=bad), "fresh", actor=w.recruiter),
        lambda: e.schedule(w.ada, bad, actor=w.recruiter),
        lambda: e.find(bad, actor=w.recruiter),
        lambda: e.find(at.id, actor=w.recruiter.replace(tenant=bad)),
        lambda: e.find(at.id, actor=w.recruiter.replace(id=bad)),
        lambda: e.void_attempt(at.id, actor=w.reviewer, reason_code=bad),
        lambda: e.waivers(bad, actor=w.recruiter),
        lambda: e.decide(at.id, Outcome.FAILED, actor=w.reviewer, idempotency_key=bad),
        lambda: e.start(bad, KEY_ONE),
    ):
        with pytest.raises((hirenow.InvalidArgumentError, hirenow.TooLargeError, hirenow.TokenInvalidError)):
            call()


def test_wrong_types_and_impossible_values_are_refused(memory_world):
    w, e = memory_world, memory_world.engine
    at = w.bring_to("submitted")
    for wrong in (
        lambda: e.schedule("ada", "t", actor=w.recruiter),
        lambda: e.find(7, actor=w.recruiter),
        lambda: e.find(at.id, actor=None),
        lambda: e.schedule(w.ada, "t", actor=w.recruiter, link_lifetime=3600),
        lambda: e.schedule(w.ada, "t", actor=w.recruiter, opens_at="tomorrow"),
        lambda: e.start("a.b.c", 7),
        lambda: e.find(at.id),
        lambda: hirenow.open(object(), keys=w.keys),
        lambda: hirenow.open("memory:", keys=w.keys, clock=object()),
    ):
        with pytest.raises(TypeError):
            wrong()
    for wrong in (
        lambda: e.schedule(w.ada, "t", actor=w.recruiter, opens_at=datetime(2026, 4, 1)),
        lambda: e.schedule(w.ada, "t", actor=w.recruiter, link_lifetime=timedelta(0)),
        lambda: e.schedule(w.ada, "t", actor=w.recruiter, link_lifetime=timedelta(milliseconds=1500)),
        lambda: e.schedule(w.ada, "t", actor=w.recruiter, opens_at=datetime(1969, 1, 1, tzinfo=timezone.utc)),
        lambda: e.decide(at.id, "splendid", actor=w.reviewer),
        lambda: e.decide(at.id, Outcome.NO_SHOW, actor=w.reviewer),
        lambda: e.list(actor=w.recruiter, limit=-1),
        lambda: e.list(actor=w.recruiter, limit=2**70),
        lambda: e.decide(at.id, Outcome.FAILED, actor=w.reviewer, score=float("nan")),
        lambda: hirenow.open("mysql://x", keys=w.keys),
        lambda: hirenow.open_store("sqlite:/tmp/x.db", readers=-1),
        lambda: hirenow.SmtpMailer("mail.example", 65536),
        lambda: hirenow.open("memory:", keys=w.keys, link_base="http://evil.example/"),
        lambda: hirenow.open("memory:", keys=w.keys, time_limit=timedelta(0)),
    ):
        with pytest.raises(hirenow.InvalidArgumentError) as refused:
            wrong()
        assert isinstance(refused.value, ValueError)
    assert e.find(at.id, actor=w.recruiter).state is InterviewState.SUBMITTED


def test_instants_of_other_zones_mean_the_same_moment(memory_world):
    w = memory_world
    vienna = timezone(timedelta(hours=2, minutes=30))
    opens = datetime(2026, 4, 1, 1, 0, 0, 999_999, vienna)
    i = w.schedule(opens_at=opens).interview
    assert i.link.not_before == datetime(2026, 3, 31, 22, 30, tzinfo=timezone.utc)
    assert i.link.not_before.tzinfo is timezone.utc


def test_records_are_frozen_values(memory_world):
    i = memory_world.schedule().interview
    with pytest.raises(AttributeError):
        i.state = InterviewState.PASSED
    with pytest.raises(AttributeError):
        del i.state
    with pytest.raises(AttributeError):
        i.other = 1
    same = pickle.loads(pickle.dumps(i))
    assert same == i and hash(same) == hash(i) and copy.deepcopy(i) == i
    assert i.replace(attempt=2) != i and "attempt=1" in repr(i) and i != "interview"
    with pytest.raises(TypeError):
        i.replace(nonsense=1)


def test_no_secret_shows(memory_world):
    w = memory_world
    invited = w.schedule()
    sitting = w.engine.start(token_in(invited.link), KEY_ONE)
    for shown in (repr(invited), repr(sitting), str(sitting.session)):
        assert token_in(invited.link) not in shown and KEY_ONE.decode() not in shown
    assert "hidden" in repr(invited)


def test_open_takes_files_dicts_and_objects(tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(hirenow.new_key_document(hirenow.KeyAlgorithm.ED25519, "k1"))
    keys.chmod(0o644)
    with pytest.raises(hirenow.KeyFileExposedError):
        hirenow.open("memory:", keys=keys)
    keys.chmod(0o600)
    policy = tmp_path / "policy.json"
    policy.write_text('{"hirenow_policy": 1, "version": "v7", "rules": []}')
    with hirenow.open(f"sqlite:{tmp_path / 'a.db'}", keys=str(keys), policy=policy) as engine:
        assert not engine.closed
    assert engine.closed and "closed" in repr(engine)
    with pytest.raises(hirenow.InvalidArgumentError, match="closed"):
        engine.sweep()
    ring = hirenow.key_ring(keys)
    assert ring.signing_kid() == "k1" and '"kid":"k1"' in ring.public_jwks().replace(" ", "")
    with pytest.raises(hirenow.KeyInvalidError):
        ring.reload("{}")
    assert hirenow.retake_policy(policy).version == "v7"
    assert hirenow.RetakePolicy.standard().retake_after == {Outcome.FAILED, Outcome.ON_HOLD, Outcome.VOID}
    with pytest.raises(hirenow.StoreError):
        hirenow.open(f"sqlite:{tmp_path}/no/such/folder/a.db", keys=keys)
    (tmp_path / "text.db").write_text("this is no database, and long enough to be read as one" * 40)
    with pytest.raises(hirenow.StoreNotADatabaseError):
        hirenow.open(f"sqlite:{tmp_path / 'text.db'}", keys=keys)


def test_two_engines_share_one_file(tmp_path):
    a = World(f"sqlite:{tmp_path / 'x.db'}")
    invited = a.schedule()
    b = hirenow.open(f"sqlite:{tmp_path / 'x.db'}", **a.options)
    assert b.find(invited.interview.id, actor=a.recruiter) == invited.interview
    assert b.inspect(token_in(invited.link)).verdict is Verdict.VALID


def test_mail_goes_out_and_messages_can_be_read(world):
    w, box = world, Mailbox()
    invited = w.schedule()
    events = []
    d = hirenow.Dispatcher(w.engine, box, sender=hirenow.MailSender("jobs@acme.example", "Acme"),
                           track_title=lambda tenant, track, locale: f"The {track} of {tenant} ({locale})", on_event=events.append)
    report = d.dispatch_due()
    assert (report.accepted, report.retried) == (1, 0)
    (mail,) = box.mails
    assert invited.link in mail.text and mail.to_address == "ada@example.org" and "of acme (en)" in mail.subject
    (m,) = w.engine.read_messages(actor=w.recruiter, interview_id=invited.interview.id)
    assert m.state is MessageState.ACCEPTED and m.last_answer == "kept"
    assert [(x.key, x.state, x.outcome) for x in events] == [(m.key, MessageState.ACCEPTED, "accepted")]
    with pytest.raises(hirenow.InvalidTransitionError):
        w.engine.redrive(m.key, actor=w.admin)


def test_templates_can_be_replaced(memory_world):
    w, box, templates = memory_world, Mailbox(), hirenow.MessageTemplates()
    with pytest.raises(hirenow.TemplateInvalidError, match="link"):
        templates.set(hirenow.MessageKind.INVITATION, "en", subject="Hi", text="no way in")
    templates.set(hirenow.MessageKind.INVITATION, "en", subject="Hi {{applicant_name}}", text="Go: {{link}}")
    w.schedule()
    hirenow.Dispatcher(w.engine, box, sender="jobs@acme.example", templates=templates).dispatch_due()
    assert box.mails[0].subject == "Hi Ada Lovelace" and box.mails[0].text.startswith("Go: https://")
    view = hirenow.MessageView(applicant_name="Bo", track="t", link="https://x#y", start_by=MONDAY)
    assert templates.render(hirenow.MessageKind.INVITATION, "fr", view).language == "en"
