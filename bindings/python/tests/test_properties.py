"""Policies and tokens at their edges, with inputs that nobody thought of."""

import base64
import json
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import hirenow
from hirenow import Attempt, Outcome, RetakePolicy

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
RING = hirenow.key_ring(json.loads(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k")))
ED = hirenow.key_ring(json.loads(hirenow.new_key_document(hirenow.KeyAlgorithm.ED25519, "k")))

instants = st.integers(0, 253402300799).map(lambda s: EPOCH + timedelta(seconds=s))
usual_instants = st.integers(1_500_000_000, 2_500_000_000).map(lambda s: EPOCH + timedelta(seconds=s))
ids = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=60)
uuids = st.integers(0, 2**128 - 1).map(lambda n: UUID(int=n))
counts = st.integers(1, 2**32 - 1)
claims = st.builds(
    hirenow.TokenClaims, issuer=ids, audience=ids, subject=ids, tenant=ids, interview=uuids, generation=counts,
    attempt=counts, issued_at=instants, not_before=instants, expires_at=instants,
)
attempts = st.lists(st.builds(
    Attempt, track=st.just("t"), at=usual_instants, result=st.sampled_from(list(Outcome)),
    decided_at=st.none() | usual_instants, id=uuids,
), max_size=12)
spans = st.one_of(st.integers(0, 36_000).map(lambda n: f"P{n}D"), st.integers(0, 1200).map(lambda n: f"P{n}M"),
                  st.integers(0, 100_000).map(lambda n: f"PT{n}M"))
counted = st.lists(st.sampled_from([o.value for o in Outcome]), min_size=1, max_size=4, unique=True)
rules = st.lists(st.one_of(
    st.fixed_dictionaries({"rule": st.just("wait"), "after": st.lists(spans, min_size=1, max_size=3),
                           "from": st.sampled_from(["attempt", "decision", "first_attempt"])}),
    st.fixed_dictionaries({"rule": st.just("most"), "attempts": st.integers(1, 20)}),
    st.fixed_dictionaries({"rule": st.just("most"), "attempts": st.integers(1, 20),
                           "in": spans.filter(lambda s: s not in ("P0D", "P0M", "PT0M"))}),
), max_size=4)


@st.composite
def policies(draw):
    made = [{**rule, "id": f"r{n}"} for n, rule in enumerate(draw(rules))]
    return RetakePolicy.parse(json.dumps(
        {"hirenow_policy": 1, "version": "v", "retake_after": draw(counted), "rules": made}))


@given(policies(), attempts, usual_instants, st.sampled_from(list(hirenow.AttemptKind)), st.randoms())
def test_a_policys_answer_is_consistent(policy, history, now, kind, random):
    answer = policy.evaluate(history, now, kind)
    assert answer.allowed == all(rule.allowed for rule in answer.rules)
    assert answer.allowed == (answer.reason == "ok") == (not answer.all_reasons)
    shuffled = list(history)
    random.shuffle(shuffled)
    if len({a.at for a in history}) == len(history):
        assert policy.evaluate(shuffled, now, kind).replace(rules=()) == answer.replace(rules=())
    if answer.eligible_at is not None:
        assert not answer.allowed and answer.eligible_at > now
        assert policy.evaluate(history, answer.eligible_at, kind).allowed
        assert not policy.evaluate(history, answer.eligible_at - timedelta(seconds=1), kind).allowed
    if answer.allowed:
        assert answer.eligible_until is None  # no rule of these closes again
        assert policy.evaluate(history, now + timedelta(days=400), kind).allowed
    assert str(answer).startswith("Retake is ")


@given(st.text(max_size=60))
def test_no_text_is_mistaken_for_a_policy(text):
    with pytest.raises(hirenow.PolicyInvalidError):
        RetakePolicy.parse(text)


@given(st.text(max_size=12))
def test_a_span_is_read_or_refused(text):
    try:
        span = hirenow.parse_span(text)
    except hirenow.InvalidArgumentError:
        return
    assert text.startswith("P") and span.months >= 0 and span.exact >= timedelta(0)


@given(claims, st.sampled_from([RING, ED]))
def test_claims_survive_a_token_and_the_token_is_always_the_same(made, ring):
    token = hirenow.mint_token(ring, "k", made)
    assert hirenow.mint_token(ring, "k", made) == token
    assert hirenow.verify_token(ring, token, issuer=made.issuer, audience=made.audience) == made
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert payload["sub"] == made.subject and payload["exp"] == int(made.expires_at.timestamp())
    with pytest.raises(hirenow.TokenInvalidError):
        hirenow.verify_token(ring, token, issuer=made.issuer + "x", audience=made.audience)


@given(claims, st.sampled_from([RING, ED]), st.data())
def test_no_edited_token_is_accepted(made, ring, data):
    token = hirenow.mint_token(ring, "k", made)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_.=+/ \u00e9"))
    edited = token[:at] + letter + token[at + 1:]
    assume(edited != token)
    with pytest.raises(hirenow.TokenInvalidError) as refused:
        hirenow.verify_token(ring, edited, issuer=made.issuer, audience=made.audience)
    assert refused.value.reason


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()))
def test_no_noise_is_mistaken_for_a_token(noise):
    with pytest.raises((hirenow.TokenInvalidError, hirenow.InvalidArgumentError)):
        hirenow.verify_token(RING, noise)


@given(instants, uuids, st.timedeltas(timedelta(seconds=-10**9), timedelta(seconds=10**9)))
def test_values_go_through_and_come_back(instant, uuid, span):
    span -= timedelta(microseconds=span.microseconds)
    clock = hirenow.ManualClock(instant)
    assert clock.now() == instant and clock.now().utcoffset() == timedelta(0)
    offset = timezone(timedelta(hours=5, minutes=45))
    if instant.year < 9999:
        clock.set(instant.astimezone(offset))
        assert clock.now() == instant
    attempt = Attempt("t", instant, Outcome.FAILED, id=uuid)
    answer = RetakePolicy.standard().evaluate([attempt], instant, "retake")
    assert answer.rules[0].attempts == (uuid,) and answer.rules[0].since == instant
