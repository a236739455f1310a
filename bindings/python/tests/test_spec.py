"""Behaviour as data: tests/spec/*.json, read here as in every other language."""

import json
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from conftest import SITUATIONS, World, instant, spec

import hirenow
from hirenow import (
    Attempt,
    AttemptKind,
    Authority,
    Event,
    Fact,
    FactKind,
    GrantedWaiver,
    InterviewState,
    Outcome,
    Overtime,
    RetakePolicy,
    UseCase,
)

LIFECYCLE, RETAKES, TOKENS = spec("lifecycle.json"), spec("retake_cases.json"), spec("token_vectors.json")


# What this file reads of a case: a member that it does not know would be looked at by nobody.
MEMBERS_OF_A_CASE = {"id", "policy", "title", "source", "kind", "track", "time_zone", "history", "facts", "waivers",
                     "now", "expected"}
MEMBERS_OF_AN_ANSWER = {"allowed", "reason", "eligible_at", "eligible_until", "all_reasons", "warnings", "waivers",
                        "attempts_left", "sentence", "sentence_de", "rules"}


def named(rows, key):
    return [pytest.param(row, id=str(row[key])) for row in rows]


# ---- The lifecycle ---------------------------------------------------------------------------------------------------

CALLS = {  # what staff may ask for; the applicant's own events are those of the token
    "reissue": lambda w, at, who: w.engine.reissue(at.id, actor=who),
    "accommodate": lambda w, at, who: w.engine.accommodate(at.id, actor=who, percent=150, reason_code="extra_time"),
    "cancel": lambda w, at, who: w.engine.cancel(at.id, actor=who),
    "pass": lambda w, at, who: w.engine.decide(at.id, Outcome.PASSED, actor=who),
    "fail": lambda w, at, who: w.engine.decide(at.id, Outcome.FAILED, actor=who),
    "hold": lambda w, at, who: w.engine.decide(at.id, Outcome.ON_HOLD, actor=who),
    "reopen": lambda w, at, who: w.engine.reopen(at.id, actor=who, reason="a mistake"),
    "void": lambda w, at, who: w.engine.void_attempt(at.id, actor=who, reason_code="network_outage"),
    "retake": lambda w, at, who: w.engine.retake(at.id, actor=who),
}


def test_states_and_events_are_those_of_the_specification():
    assert [s.value for s in InterviewState] == LIFECYCLE["states"]
    assert [e.value for e in Event] == LIFECYCLE["events"]
    assert len(LIFECYCLE["cells"]) == (len(InterviewState) + 1) * len(Event)


@pytest.mark.parametrize("cell", LIFECYCLE["cells"], ids=lambda c: f"{c['state']}-{c['event']}")
def test_transitions_are_those_of_the_specification(cell):
    state = None if cell["state"] == "none" else InterviewState(cell["state"])
    for authority in Authority:
        row, expected = hirenow.transition(state, Event(cell["event"]), authority), cell[authority.value]
        if isinstance(expected, dict):
            assert row == (InterviewState(expected["to"]), expected.get("when", ""))
        else:
            assert row is None


def test_permissions_are_those_of_the_specification():
    table = hirenow.default_permissions()
    assert {u.value for u in UseCase} == set(LIFECYCLE["use_cases"])
    for word, row in LIFECYCLE["use_cases"].items():
        staff, token, system = table[UseCase(word)]
        assert (sorted(r.value for r in staff), token, system) == (sorted(row["roles"]), row["token"], row["system"])


@pytest.mark.parametrize("cell", [c for c in LIFECYCLE["cells"] if c["state"] != "none"],
                         ids=lambda c: f"{c['state']}-{c['event']}")
def test_apply_answers_as_the_specification_says(cell):
    for name, state, started in SITUATIONS:
        if state != cell["state"]:
            continue
        for overtime in Overtime:
            w = World()
            # An attempt whose overtime submits does not expire: that one is made of the other.
            at = w.bring_to(name, overtime=Overtime.EXPIRE if state == "expired" else overtime)
            i = w.engine.find(at.id, actor=w.recruiter).replace(overtime=overtime)
            later = i.changed_at + timedelta(seconds=1)
            for authority in Authority:
                expected = cell[authority.value]
                holds = isinstance(expected, dict) and {
                    "never started": i.started_at is None,
                    "overtime means submit": overtime is Overtime.SUBMIT,
                    "overtime means expire": overtime is Overtime.EXPIRE,
                }.get(expected.get("when"), True)
                if holds:
                    after = hirenow.apply(i, Event(cell["event"]), authority, later)
                    assert (after.state.value, after.changed_at) == (expected["to"], later)
                else:
                    with pytest.raises(hirenow.Error) as refused:
                        hirenow.apply(i, Event(cell["event"]), authority, later)
                    assert refused.value.name == (expected if isinstance(expected, str) else "invalid_transition")
                    assert cell["event"] in refused.value.message and state in refused.value.message


@pytest.mark.parametrize("role", ["recruiter", "reviewer", "admin", "nobody"])
@pytest.mark.parametrize("cell", [c for c in LIFECYCLE["cells"] if c["event"] in CALLS and c["state"] != "none"],
                         ids=lambda c: f"{c['state']}-{c['event']}")
def test_the_engine_answers_each_role_as_the_specification_says(cell, role):
    expected = cell[role]
    for name, state, started in SITUATIONS:
        if state != cell["state"]:
            continue
        w = World()
        at = w.bring_to(name)
        when = expected.get("when", "") if isinstance(expected, dict) else ""
        call = CALLS[cell["event"]]
        if isinstance(expected, str):
            # An archived interview was retaken: there the refusal names the one that took its place.
            code = "superseded" if (cell["event"], state, expected) == ("retake", "archived", "archived") else expected
            if cell["event"] == "retake" and expected == "invalid_transition":
                code = None  # the policy is asked first, and refuses in its own words
            with pytest.raises(hirenow.Error) as refused:
                call(w, at, getattr(w, role))
            assert code is None or refused.value.name == code
            assert code is not None or refused.value.name in ("not_eligible", "active_interview", "invalid_transition")
        elif when == "never started" and started:
            with pytest.raises(hirenow.InvalidTransitionError):
                call(w, at, getattr(w, role))
        elif when == "the policy names the outcome and allows it":
            with pytest.raises(hirenow.NotEligibleError):
                call(w, at, getattr(w, role))
        else:
            after = call(w, at, getattr(w, role))
            assert (after.archived if cell["event"] == "retake" else after.interview).state.value == expected["to"]


# ---- Retake policies -------------------------------------------------------------------------------------------------


def track_of(case):
    return case.get("track", "t")


def fact_of(row):
    return Fact(
        kind=FactKind(row["kind"]),
        name=row["name"],
        track=row.get("track", ""),
        at=instant(row["at"]),
        until=instant(row["until"]) if row.get("until") else None,
        value=row.get("value", ""),
    )


def waiver_of(row):
    return GrantedWaiver(row["rule"], hirenow.parse_span(row["floor"]) if "floor" in row else None)


def history_of(case):
    return [
        Attempt(
            track=row.get("track", track_of(case)),
            at=instant(row["at"]),
            result=Outcome(row["outcome"]),
            decided_at=instant(row["decided_at"]) if row.get("decided_at") else None,
            score=row.get("score"),
            id=UUID(int=n + 1),
        )
        for n, row in enumerate(case["history"])
    ]


def member_of_a_verdict(rule, name, zone):
    """As the specification writes it."""
    if name in ("eligible_at", "eligible_until", "since", "until"):
        at = getattr(rule, name)
        return at and at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "id": lambda: rule.rule_id,
        "wait_seconds": lambda: rule.wait and int(rule.wait.total_seconds()),
        "newest": lambda: rule.newest and rule.newest.value,
        "attempts": lambda: [i.int - 1 for i in rule.attempts],
        "span": lambda: rule.span and {"months": rule.span.months, "days": rule.span.days,
                                       "seconds": int(rule.span.exact.total_seconds()), "words": str(rule.span)},
        "sentence": lambda: rule.describe("en", zone),
        "sentence_de": lambda: rule.describe("de", zone),
    }.get(name, lambda: getattr(rule, name))()


@pytest.mark.parametrize("case", named(RETAKES["cases"], "id"))
def test_retake_case(case):
    assert not case.keys() - MEMBERS_OF_A_CASE and not case["expected"].keys() - MEMBERS_OF_AN_ANSWER
    policy = RetakePolicy.parse(json.dumps(RETAKES["policies"][case["policy"]]["document"]))
    asked = partial(
        policy.evaluate, history_of(case), kind=AttemptKind(case["kind"]), track=track_of(case),
        facts=[fact_of(row) for row in case.get("facts", [])],
        waivers=[waiver_of(row) for row in case.get("waivers", [])], time_zone=case.get("time_zone", ""))
    expected = case["expected"]
    answer = asked(instant(case["now"]))
    assert answer.allowed is expected["allowed"] and answer.reason == expected["reason"]
    eligible_at = expected["eligible_at"] and instant(expected["eligible_at"])
    assert answer.eligible_at == eligible_at
    assert list(answer.all_reasons) == expected["all_reasons"]
    if "attempts_left" in expected:
        assert answer.attempts_left == expected["attempts_left"]
    if "sentence" in expected:
        assert str(answer) == expected["sentence"]
    if "sentence_de" in expected:
        assert answer.describe("de") == expected["sentence_de"]
    for name in ("warnings", "waivers"):
        if name in expected:
            assert list(getattr(answer, name)) == expected[name]
    if "eligible_until" in expected:
        assert answer.eligible_until == (expected["eligible_until"] and instant(expected["eligible_until"]))
    for rule, wanted in zip(answer.rules, expected.get("rules", [])):
        for name, value in wanted.items():
            assert member_of_a_verdict(rule, name, answer.time_zone) == value, (wanted["id"], name)
    if "rules" in expected:
        assert len(answer.rules) == len(expected["rules"])
    assert (answer.policy_version, answer.policy_hash) == (policy.version, policy.hash)
    if eligible_at:
        assert asked(eligible_at).allowed
        assert not asked(eligible_at - timedelta(seconds=1)).allowed
    if answer.eligible_until:
        assert not asked(answer.eligible_until).allowed
        assert asked(answer.eligible_until - timedelta(seconds=1)).allowed
    for rule in answer.rules:
        assert rule.describe("de", answer.time_zone) and rule.describe()


@pytest.mark.parametrize("case", named(RETAKES["refused"], "id"))
def test_refused_policy(case):
    with pytest.raises(hirenow.Error) as refused:
        RetakePolicy.parse(case["text"] if "text" in case else json.dumps(case["document"]))
    assert refused.value.name == case["error"]
    paths = [part.split(": ")[0] for part in refused.value.message.split("; ") if part.startswith("/")]
    assert paths == case["paths"]


@pytest.mark.parametrize("case", named(RETAKES["spans"], "text"))
def test_span(case):
    span = hirenow.parse_span(case["text"])
    assert (span.months, timedelta(span.days) + span.exact) == (case["months"], timedelta(seconds=case["seconds"]))


# ---- Tokens ----------------------------------------------------------------------------------------------------------

RING = hirenow.key_ring(TOKENS["keys"])


@pytest.mark.parametrize("vector", named(TOKENS["vectors"], "name"))
def test_token_vector(vector):
    expectation = TOKENS["expectation"]
    if vector["expect"] != "ok":
        with pytest.raises(hirenow.TokenInvalidError) as refused:
            hirenow.verify_token(RING, vector["token"], **expectation)
        assert refused.value.reason == vector["expect"]
        return
    claims = hirenow.verify_token(RING, vector["token"], **expectation)
    wanted = vector["claims"]
    assert (claims.issuer, claims.audience, claims.subject, claims.tenant) == (
        wanted["iss"], wanted["aud"], wanted["sub"], wanted["tenant"])
    assert claims.interview == UUID(wanted["interview_id"])
    assert (claims.generation, claims.attempt) == (wanted["generation"], wanted["attempt"])
    for name, at in (("iat", claims.issued_at), ("nbf", claims.not_before), ("exp", claims.expires_at)):
        assert at.timestamp() == wanted[name]
    if "minted_by" in vector:
        assert hirenow.mint_token(RING, vector["minted_by"], claims) == vector["token"]


def test_every_part_of_the_specification_was_read():
    assert len(RETAKES["cases"]) >= 140 and len(TOKENS["vectors"]) >= 50 and len(RETAKES["refused"]) >= 20
