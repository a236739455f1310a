"""Policies as they are kept, trying one out, and exceptions."""

import asyncio
from datetime import timedelta

import pytest
from conftest import World

import hirenow
from hirenow import Actor, Role, RunningWaits, WaiverState, WhatIfCounts, aio


def with_wait(version, wait, **more):
    return {"hirenow_policy": 1, "version": version, "rules": [{"rule": "wait", "id": "w", "after": [wait], **more}]}


@pytest.fixture(params=["memory", "sqlite"])
def failed(request, tmp_path):
    w = World("memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'ats.db'}")
    at = w.bring_to("failed")
    with w.engine:
        yield w, at


def test_a_waiver_is_granted_used_and_listed(failed):
    w, at = failed
    w.engine.set_policy(with_wait("v", "P60D", second_approver=True), actor=w.admin)
    with pytest.raises(hirenow.CooldownError):
        w.engine.retake(at.id, actor=w.recruiter)
    granted = w.engine.grant_waiver(
        "app-1", actor=w.admin, track=w.track, rule_id="w", reason_code="visa_delay", floor="P1D",
        expires_at=w.clock.now() + timedelta(days=7), idempotency_key="k")
    assert granted.waiver.state is WaiverState.PROPOSED and not granted.replayed
    assert granted.waiver.granted_by == w.admin.id and granted.waiver.used_for is None
    number = granted.waiver.number
    with pytest.raises(hirenow.PermissionDeniedError):
        w.engine.approve_waiver("app-1", number, actor=w.admin)
    approved = w.engine.approve_waiver("app-1", number, actor=Actor("bert", "acme", {Role.ADMIN}))
    assert approved.waiver == granted.waiver.replace(state=WaiverState.GRANTED, approved_by="bert")
    again = w.engine.retake(at.id, actor=w.recruiter)
    (used,) = w.engine.waivers("app-1", actor=w.recruiter)
    assert used.state is WaiverState.USED and used.used_for == again.interview.id
    with pytest.raises(hirenow.InvalidTransitionError):
        w.engine.revoke_waiver("app-1", number, actor=w.admin)
    assert w.engine.verify_audit("app-1", actor=w.admin).entries > 0


def test_policies_are_kept_and_planned(failed):
    w, at = failed
    now = w.clock.now()
    for n in range(3):
        w.engine.set_policy(with_wait(f"v{n}", f"P{n + 1}D"), actor=w.admin, active_from=now + timedelta(hours=n))
    w.engine.set_policy(with_wait("v3", "P90D"), actor=w.admin, active_from=now + timedelta(hours=3),
                        running_waits=RunningWaits.KEEP)
    kept = list(w.engine.policies(actor=w.recruiter))
    assert [p.number for p in kept] == [4, 3, 2, 1] and kept[0].running_waits is RunningWaits.KEEP
    told = list(w.engine.audit("", actor=w.admin))
    assert [(e.event, e.actor) for e in told] == [("set_policy", f"staff:{w.admin.id}")] * 4
    assert '"running_waits":"keep"' in told[3].details and '"version":"v3"' in told[3].details
    assert w.engine.verify_audit("", actor=w.admin).entries == 4
    for hours, version in [(0, "v0"), (1, "v1"), (2, "v2"), (3, "v2")]:
        w.clock.set(now + timedelta(hours=hours))
        assert w.engine.retake_eligibility(at.id, actor=w.recruiter).policy_version == version
    with pytest.raises(hirenow.InvalidArgumentError):
        w.engine.set_policy(None, actor=w.admin, active_from=now)


def test_a_policy_is_tried_out_page_by_page(failed):
    w, at = failed
    before = w.engine.verify_audit("app-1", actor=w.admin)
    pages = list(w.engine.what_if(with_wait("strict", "P365D"), actor=w.admin, limit=1))
    total = sum((page.counts for page in pages), WhatIfCounts())
    assert total == WhatIfCounts(applicants=1, interviews=1, tracks=1, eligible_now=1, cease=1)
    (row,) = [row for page in pages for row in page]
    assert row.newest == at.id and row.eligible_now and not row.eligible_then and row.reason_then == "cooldown"
    assert row.eligible_at_then is not None and w.engine.verify_audit("app-1", actor=w.admin) == before
    with pytest.raises(hirenow.PolicyInvalidError):
        next(w.engine.what_if({"hirenow_policy": 1}, actor=w.admin))


def test_the_same_for_asyncio(failed):
    w, _ = failed

    async def ask():
        engine = aio.AsyncEngine(w.engine)
        await engine.set_policy(with_wait("one", "P1D"), actor=w.admin)
        kept = [p async for p in engine.policies(actor=w.admin)]
        pages = [page async for page in engine.what_if(with_wait("two", "P2D"), actor=w.admin)]
        return len(kept), len(pages), await engine.waivers("app-1", actor=w.admin)

    assert asyncio.run(ask()) == (1, 1, ())
