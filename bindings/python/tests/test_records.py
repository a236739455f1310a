"""Records: frozen, hashable, equal where they say the same, and silent about secrets. Every record class is tried."""

import copy
import pickle
import re
import typing
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from conftest import KEY_ONE, MONDAY, World, token_in

import hirenow
from hirenow import Actor, InterviewState, Role, _mail_model, _model, _record, _store_model

RECORDS = sorted((getattr(m, name) for m in (_mail_model, _model, _store_model) for name in m.__all__
                  if isinstance(getattr(m, name), type) and issubclass(getattr(m, name), _record.Record)),
                 key=lambda cls: cls.__name__)
ONE = UUID("0190f5fe-7c00-7a3b-8d41-5e6f708192a3")

# What repr() must not show: each is a secret, what opens one, or what an applicant wrote.
HIDDEN = {
    ("Session", "key"), ("Invited", "link"), ("Retaken", "link"), ("MessageView", "link"), ("Progress", "data"),
    ("SittingState", "key_hash"), ("OutgoingMail", "text"), ("OutgoingMail", "html"), ("RenderedMessage", "text"),
    ("RenderedMessage", "html"), ("ApplicantRecord", "salt"), ("StoredAnswer", "answer"),
    ("CheckpointRequest", "key_hash"), ("CheckpointRequest", "data"), ("ClaimRequest", "token"),
    ("Settlement", "token"),
}


def hints(cls):
    names = {**vars(typing), **vars(_model), **vars(_mail_model), **vars(_store_model), **vars(hirenow), "datetime": datetime,
             "timedelta": timedelta, "UUID": UUID}
    # A record is made anew by its decorator, without annotations; its __init__ has the fields, the source their types.
    import inspect
    source = inspect.getsource(__import__(cls.__module__, fromlist=["x"]))
    body = re.search(rf"^class {cls.__name__}\(Record\):\n(.*?)^(?=\S)", source + "\nend", re.S | re.M).group(1)
    found = re.findall(r"^    ([a-z]\w*): ([^=\n]+?)(?: = .*)?$", body, re.M)
    assert tuple(name for name, _ in found) == cls.__match_args__
    return {name: eval(kind, names) for name, kind in found}


def sample(kind, mark):
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        return sample(inside[0], mark)
    if origin is tuple:
        return (sample(inside[0], mark),)
    if origin is not None and issubclass(origin, typing.get_origin(typing.Mapping)):
        return {state: n for n, state in enumerate(InterviewState)}
    if isinstance(kind, type) and issubclass(kind, _record.Record):
        return filled(kind)
    if kind is hirenow.Error:
        return hirenow.CooldownError(mark, reason="cooldown", eligible_at=MONDAY)
    if isinstance(kind, type) and issubclass(kind, Role):
        return Role.ADMIN
    if isinstance(kind, type) and issubclass(kind, str) and kind is not str:
        return next(iter(kind))
    return {str: mark, bytes: mark.encode(), bool: True, int: 7, float: 0.5, datetime: MONDAY, UUID: ONE,
            timedelta: timedelta(minutes=3)}[kind]


def filled(cls):
    return cls(**{name: sample(kind, f"mark-{cls.__name__}-{name}") for name, kind in hints(cls).items()})


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_every_record_is_a_frozen_value(cls):
    one, other = filled(cls), filled(cls)
    assert one == other and hash(one) == hash(other) and one is not other
    for same in (pickle.loads(pickle.dumps(one)), copy.copy(one), copy.deepcopy(one), one.replace(), one.__replace__()):
        assert type(same) is cls and same == one and hash(same) == hash(one) and repr(same) == repr(one)
    assert one != "something else" and len({one, other}) == 1
    for name in cls.__match_args__:
        with pytest.raises(AttributeError):
            setattr(one, name, None)
        with pytest.raises(AttributeError):
            delattr(one, name)
        assert one.replace(**{name: "changed"}) != one
    assert repr(one).startswith(cls.__name__ + "(")


@pytest.mark.parametrize("cls", RECORDS, ids=lambda cls: cls.__name__)
def test_no_record_shows_a_secret(cls):
    shown = repr(filled(cls))
    for name, kind in hints(cls).items():
        if sample(kind, "x") in ("x", b"x"):
            assert (f"mark-{cls.__name__}-{name}" in shown) == ((cls.__name__, name) not in HIDDEN), (name, shown)


def test_copy_replace():
    if not hasattr(copy, "replace"):  # before Python 3.13
        pytest.skip("no copy.replace")
    assert copy.replace(World.ada, email="a@b.example").email == "a@b.example"


def test_what_can_be_given_in_several_forms_is_kept_in_one():
    forms = [Role.RECRUITER, "recruiter", {Role.RECRUITER}, [Role.RECRUITER], (r for r in [Role.RECRUITER])]
    actors = [Actor("r", "acme", form) for form in forms]
    assert len(set(actors)) == 1 and actors[0].roles == frozenset((Role.RECRUITER,))
    assert Actor("r", "acme") != actors[0]
    sessions = {hirenow.Session("acme", who, 1, key) for who in (ONE, str(ONE))
                for key in ("0123456789abcdef", b"0123456789abcdef", bytearray(b"0123456789abcdef"))}
    assert len(sessions) == 1
    assert hirenow.ListPage([]) == hirenow.ListPage(()) and hash(hirenow.ListPage([])) == hash(hirenow.ListPage(()))
    assert hirenow.Progress(bytearray(b"x"), MONDAY) == hirenow.Progress(b"x", MONDAY)


def test_what_the_engine_answers_can_be_compared_and_hashed(world):
    w, e = world, world.engine
    at = w.bring_to("failed")
    w.clock.set(MONDAY + timedelta(days=1))
    session = e.start(token_in(e.schedule(w.ada, "other", actor=w.recruiter).link), KEY_ONE.decode()).session
    assert session == hirenow.Session(session.tenant, str(session.interview), session.fence, KEY_ONE.decode())
    for call in (
        lambda: e.list(actor=w.recruiter),
        lambda: e.permitted_actions(at.id, actor=w.recruiter),
        lambda: e.history(at.id, actor=w.recruiter),
        lambda: e.retake_eligibility(at.id, actor=w.recruiter),
        lambda: e.read_messages(actor=w.recruiter),
    ):
        one, other = call(), call()
        assert one == other and hash(one) == hash(other) and pickle.loads(pickle.dumps(one)) == one
    refused = [a.why for a in e.permitted_actions(at.id, actor=w.recruiter) if a.why]
    assert refused and all(isinstance(why, hirenow.Error) for why in refused)


def test_counts_never_change(memory_world):
    w = memory_world
    w.schedule()
    counts = w.engine.list(actor=w.recruiter).counts
    assert counts[InterviewState.SCHEDULED] == 1 and counts["scheduled"] == 1 and len(counts) == len(InterviewState)
    assert dict(counts)[InterviewState.VOIDED] == 0 and counts == dict(counts)
    for change in (lambda: counts.__setitem__("scheduled", 2), lambda: counts.clear(), lambda: setattr(counts, "x", 1)):
        with pytest.raises(AttributeError):
            change()


def test_errors_are_equal_where_they_say_the_same():
    one = hirenow.CooldownError("m", reason="cooldown", eligible_at=MONDAY)
    assert one == hirenow.CooldownError("m", reason="cooldown", eligible_at=MONDAY)
    assert one == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) and len({one, copy.copy(one)}) == 1
    for other in (hirenow.CooldownError("m", reason="cooldown"), hirenow.CooldownError("n", reason="cooldown"),
                  hirenow.NotEligibleError("m", reason="cooldown", eligible_at=MONDAY), ValueError("m"), "m"):
        assert one != other


def test_words_have_the_hash_of_their_text():
    for enumeration in (InterviewState, Role, hirenow.Outcome, hirenow.KeyAlgorithm):
        assert all(hash(word) == hash(word.value) and word == word.value for word in enumeration)


def test_naive_instants_are_refused_whatever_their_year(memory_world):
    w = memory_world
    for naive in (datetime.min, datetime(1, 12, 31), datetime(2026, 4, 1)):
        for call in (
            lambda: w.engine.schedule(w.ada, "t", actor=w.recruiter, opens_at=naive),
            lambda: w.engine.schedule(w.ada, "t", actor=w.recruiter, notify=naive),
            lambda: hirenow.ManualClock(naive),
        ):
            with pytest.raises(hirenow.InvalidArgumentError, match="naive"):
                call()
    assert w.engine.list(actor=w.recruiter).rows == ()


def test_instants_that_nobody_gave_are_aware_and_can_be_compared():
    stamp = hirenow.LinkStamp()
    view = hirenow.MessageView()
    record = hirenow.ApplicantRecord("acme", World.ada)
    for at in (stamp.issued_at, stamp.not_before, stamp.expires_at, view.start_by, record.last_instant):
        assert at < MONDAY and at.tzinfo is timezone.utc
    hirenow.open_store("memory:").load(hirenow.LoadRequest("acme", "a"))
    made = hirenow.judge_link(
        hirenow.TokenClaims("i", "a", "s", "acme", ONE, 1, 1, MONDAY, MONDAY, MONDAY), record, MONDAY)
    assert isinstance(made, hirenow.Verdict)
