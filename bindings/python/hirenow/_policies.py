"""The engine's calls about policies and exceptions to them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Iterator, Mapping, Optional, Tuple, Union

from . import _hirenow
from ._model import Actor
from ._policy_model import PolicyPlace, StoredPolicy, Waiver, WaiverChanged, WhatIfPage
from ._words import RunningWaits

Document = Union[str, Mapping[str, Any]]


def _text(document: Document) -> str:
    return document if isinstance(document, str) else json.dumps(document)


class PolicyCalls:
    """Policies and waivers: a part of `Engine`."""

    __slots__ = ()
    _core: _hirenow.EngineCore

    def set_policy(
        self,
        document: Optional[Document],
        *,
        actor: Actor,
        track: str = "",
        active_from: Optional[datetime] = None,
        running_waits: RunningWaits = RunningWaits.REPLACE,
        idempotency_key: Optional[str] = None,
    ) -> None:
        """Sets the retake policy of the actor's tenant, or of one track, at once or from an instant on.

        None takes it away. With `RunningWaits.KEEP` an applicant whose newest attempt is older stays with the policy
        before, up to the next attempt. Where the same document would be in force then anyway, nothing is written. A
        repetition that comes late puts it in the place of what was set since, unless both bear one idempotency key.
        """
        text = "" if document is None else _text(document)
        self._core.set_policy(text, actor, track, active_from, running_waits, idempotency_key)

    def policies(self, *, actor: Actor, track: str = "") -> Iterator[StoredPolicy]:
        """All policies of the actor's tenant, or of one track: the last one first, planned ones among them."""
        before = None
        while True:
            page = self._core.policies(actor, track, before, 50)
            yield from page
            if len(page) < 50:
                return
            before = PolicyPlace(page[-1].active_from, page[-1].number)

    def what_if(
        self,
        document: Document,
        *,
        actor: Actor,
        track: str = "",
        limit: int = 100,
        cursor: str = "",
        running_waits: RunningWaits = RunningWaits.REPLACE,
    ) -> Iterator[WhatIfPage]:
        """What would change if this policy were set now: pages of `limit` applicants each, read when they are reached.

        Changes nothing. `running_waits` is what it would be set with. The counts of a page are its own: add them up.
        """
        text = _text(document)
        while True:
            page = self._core.what_if(actor, text, track, cursor, limit, running_waits)
            yield page
            if not page.next:
                return
            cursor = page.next

    def grant_waiver(
        self,
        applicant_id: str,
        *,
        actor: Actor,
        track: str,
        rule_id: str,
        reason_code: str,
        expires_at: datetime,
        floor: str = "",
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> WaiverChanged:
        """Grants an exception to one rule, or proposes it where the policy wants a second person.

        `schedule` and `retake` use what they need, and nothing else. `floor` is the part of a wait that stays: "P7D".
        """
        return self._core.grant_waiver(
            applicant_id, actor, track, rule_id, reason_code, expires_at, floor, reason, idempotency_key
        )

    def approve_waiver(
        self,
        applicant_id: str,
        number: int,
        *,
        actor: Actor,
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> WaiverChanged:
        """Approves a proposed waiver. Somebody else does it than who proposed it."""
        return self._core.approve_waiver(applicant_id, number, actor, reason, idempotency_key)

    def revoke_waiver(
        self,
        applicant_id: str,
        number: int,
        *,
        actor: Actor,
        reason: str = "",
        idempotency_key: Optional[str] = None,
    ) -> WaiverChanged:
        """Revokes a waiver that is open."""
        return self._core.revoke_waiver(applicant_id, number, actor, reason, idempotency_key)

    def waivers(self, applicant_id: str, *, actor: Actor) -> Tuple[Waiver, ...]:
        """All waivers of an applicant, by number, as the clock would have them now."""
        return self._core.waivers(applicant_id, actor)
