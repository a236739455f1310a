"""Waivers, policies as they are kept, and what comes of trying one out."""

from __future__ import annotations

from datetime import datetime
from typing import Iterator, Optional, Tuple
from uuid import UUID

from ._model import _EPOCH
from ._record import Record, record
from ._words import RunningWaits, WaiverState


@record
class Waiver(Record):
    """An exception to one rule of the retake policy, for one applicant at one track: used once, and it expires.

    `number` is its name within the applicant's record.
    """

    number: int
    track: str
    rule_id: str
    reason_code: str
    floor: str = ""
    state: WaiverState = WaiverState.GRANTED
    granted_by: str = ""
    approved_by: str = ""
    granted_at: datetime = _EPOCH
    expires_at: datetime = _EPOCH
    used_for: Optional[UUID] = None


@record
class WaiverChanged(Record):
    """A waiver after a change."""

    waiver: Waiver
    replayed: bool = False


@record
class StoredPolicy(Record):
    """A retake policy as it stands in the store. An empty track is the tenant's own policy.

    An empty document says that from then on there is none. `number` is given by the store.
    """

    track: str
    document: str
    hash: bytes
    set_by: str
    set_at: datetime
    active_from: datetime = _EPOCH
    running_waits: RunningWaits = RunningWaits.REPLACE
    number: int = 0


@record
class PolicyPlace(Record):
    """A place among the policies of one tenant or track: by instant, then by number."""

    active_from: datetime
    number: int = 0


@record
class PolicyQuery(Record):
    """Which policies to show: those before a place, the last one first. An empty track: the tenant's own."""

    tenant: str
    track: str = ""
    before: Optional[PolicyPlace] = None
    limit: int = 50


@record
class WhatIfCounts(Record):
    """How many tracks of how many applicants a policy would change. Counts of several pages can be added."""

    applicants: int = 0
    interviews: int = 0
    tracks: int = 0
    eligible_now: int = 0
    eligible_then: int = 0
    become: int = 0
    cease: int = 0
    sooner: int = 0
    later: int = 0

    def __add__(self, other: WhatIfCounts) -> WhatIfCounts:
        if not isinstance(other, WhatIfCounts):
            return NotImplemented
        return WhatIfCounts(*(getattr(self, name) + getattr(other, name) for name in self.__match_args__))


@record
class WhatIfRow(Record):
    """A track for which the answer would change."""

    applicant_id: str
    track: str
    newest: UUID
    eligible_now: bool = False
    eligible_then: bool = False
    reason_now: str = ""
    reason_then: str = ""
    eligible_at_now: Optional[datetime] = None
    eligible_at_then: Optional[datetime] = None


@record
class WhatIfPage(Record):
    """What would change for the applicants that a page looked at. Iterates over its rows."""

    rows: Tuple[WhatIfRow, ...]
    counts: WhatIfCounts
    next: str = ""

    def __iter__(self) -> Iterator[WhatIfRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


__all__ = [
    "PolicyPlace",
    "PolicyQuery",
    "StoredPolicy",
    "Waiver",
    "WaiverChanged",
    "WhatIfCounts",
    "WhatIfPage",
    "WhatIfRow",
]
