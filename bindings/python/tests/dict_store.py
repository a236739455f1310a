"""A store written in Python: dicts under one lock. Plainly right, not fast."""

import base64
import json
import threading
from datetime import timedelta

import hirenow
from hirenow import (
    Allowance,
    ApplicantRecord,
    AuditHead,
    ClaimedMessage,
    ConflictError,
    ConstraintViolatedError,
    DuePage,
    DueRecord,
    InterviewState,
    InvalidArgumentError,
    ListPage,
    ListRow,
    Loaded,
    MessageState,
    Progress,
    SettlementVerdict,
    SittingState,
    WaiverState,
)

NOT_CURRENT = {InterviewState.ARCHIVED, InterviewState.CANCELLED, InterviewState.VOIDED}
OPEN_WAIVERS = {WaiverState.PROPOSED, WaiverState.GRANTED}
UNSENT = {MessageState.QUEUED, MessageState.LEASED}
KINDS = {kind: n for n, kind in enumerate(hirenow.MessageKind)}


def message_order(key):
    return key.interview.int, KINDS[key.kind], key.occasion


def kept(answer):
    """At most 500 bytes of what a server said, cut between two characters."""
    return answer.encode()[:500].decode(errors="ignore")


class Cursor:
    """Marks a place in an order: the kind of page and the key of the last row shown."""

    @staticmethod
    def write(kind, key):
        return base64.urlsafe_b64encode(json.dumps([kind, *key]).encode()).decode()

    @staticmethod
    def read(kind, text, types):
        if not text:
            return None
        try:
            found, *key = json.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        except Exception:
            raise InvalidArgumentError("not a cursor of this list") from None
        if found != kind or [type(part) for part in key] != types:
            raise InvalidArgumentError("not a cursor of this list")
        return key


def cut(kind, rows, after, limit):
    """Rows are (key, row): those behind the cursor, at most `limit`, and where the next page begins."""
    rows = sorted((pair for pair in rows if after is None or list(pair[0]) > after), key=lambda pair: pair[0])
    shown = rows[:limit]
    return tuple(row for _, row in shown), Cursor.write(kind, shown[-1][0]) if len(rows) > limit else ""


class Rows:
    """All that belongs to one applicant record."""

    def __init__(self, record):
        self.record, self.audit, self.saved, self.outbox = record, [], {}, {}

    def copy(self):
        other = Rows(self.record)
        other.audit, other.saved, other.outbox = list(self.audit), dict(self.saved), dict(self.outbox)
        return other


class DictStore(hirenow.Store):
    def __init__(self):
        self.lock = threading.Lock()
        self.paces = {}
        self.rows = {}      # (tenant, applicant id) -> Rows
        self.owners = {}    # interview id -> (tenant, applicant id)
        self.answers = {}   # (tenant, key) -> (answer, applicant id)
        self.kept_policies = {}  # (tenant, track) -> policies, in the order they were set

    def _of(self, tenant, interview):
        owner = self.owners.get(interview)
        return self.rows[owner] if owner and owner[0] == tenant else None

    def load(self, request):
        with self.lock:
            by_id = not isinstance(request.who, str)
            rows = self._of(request.tenant, request.who) if by_id else self.rows.get((request.tenant, request.who))
            track, progress = request.track, None
            if rows and by_id:
                track = track or next(i.track for i in rows.record.interviews if i.id == request.who)
                progress = rows.saved.get(request.who) if request.with_progress else None
            answer = self.answers.get((request.tenant, request.answer)) if request.answer is not None else None
            return Loaded(
                rows.record if rows else ApplicantRecord("", hirenow.Applicant("")),
                self._in_force(request.tenant, track, request.at) or self._in_force(request.tenant, "", request.at),
                answer[0] if answer else None,
                progress,
            )

    def _in_force(self, tenant, track, at):
        come = [p for p in self.kept_policies.get((tenant, track), ()) if p.active_from <= at]
        last = max(come, key=lambda p: (p.active_from, p.number), default=None)
        return last if last and last.document else None

    def commit(self, changes):
        with self.lock:
            name = changes.tenant, changes.applicant_id
            stored = self.rows.get(name)
            if (stored.record.version if stored else 0) != changes.expected_version:
                raise ConflictError("the record moved on")
            rows = stored.copy() if stored else Rows(ApplicantRecord(changes.tenant, hirenow.Applicant("")))
            self._write(rows, changes)
            new = [c.after.id for c in changes.interviews if c.before is None]
            if len(set(new)) < len(new) or any(i in self.owners for i in new):
                raise ConstraintViolatedError("an interview id is taken")
            if changes.answer:
                older = self.answers.get((changes.tenant, changes.answer.key))
                erased = older and changes.erase and older[1] == changes.applicant_id
                if older and older[0].expires_at > changes.head.last_instant and not erased:
                    raise ConflictError("another call has answered under this idempotency key")
            # From here on nothing can fail.
            self.rows[name] = rows
            self.owners.update((i, name) for i in new)
            for policy in changes.policies:
                known = self.kept_policies.setdefault((changes.tenant, policy.track), [])
                known.append(policy.replace(number=len(known) + 1))
            if changes.erase:
                self.answers = {
                    k: v for k, v in self.answers.items() if k[0] != changes.tenant or v[1] != changes.applicant_id
                }
            if changes.answer:
                self.answers[changes.tenant, changes.answer.key] = changes.answer, changes.applicant_id

    def _write(self, rows, changes):
        head, interviews = changes.head, list(rows.record.interviews)
        for change in changes.interviews:
            self._step(interviews, change)
        waivers = {w.number: w for w in rows.record.waivers}
        for change in changes.waivers:
            self._step_waiver(waivers, change)
        sequence, hash_ = rows.record.sequence, rows.record.audit_head
        for entry in changes.audit:
            if (entry.sequence, entry.previous) != (sequence + 1, hash_):
                raise ConstraintViolatedError("an audit entry is not the next one")
            sequence, hash_ = entry.sequence, entry.hash
            rows.audit.append(entry)
        if (head.sequence, head.audit_head) != (sequence, hash_):
            raise ConstraintViolatedError("the head is not the newest audit entry")
        ids = {i.id for i in interviews}
        self._write_outbox(rows, changes, ids)
        if changes.final_progress:
            if changes.final_progress.interview not in ids:
                raise ConstraintViolatedError("progress of an interview of another record")
            rows.saved[changes.final_progress.interview] = changes.final_progress.progress
        person = head.person if changes.write_person else rows.record.person
        rows.record = head.replace(
            tenant=changes.tenant,
            person=person.replace(id=changes.applicant_id),
            erased=rows.record.erased,
            version=changes.expected_version + 1,
            interviews=tuple(interviews),
            facts=rows.record.facts + changes.facts,
            waivers=tuple(waivers[number] for number in sorted(waivers)),
        )
        if changes.erase:
            nobody = hirenow.Applicant(changes.applicant_id)
            rows.record = rows.record.replace(person=nobody, salt=b"", erased=True, facts=())
            rows.saved = {}
            rows.audit = [entry.replace(note="") for entry in rows.audit]
            rows.outbox = {k: (m.replace(last_answer=""), *lease) for k, (m, *lease) in rows.outbox.items()}

    @staticmethod
    def _step(interviews, change):
        at = next((n for n, i in enumerate(interviews) if i.id == change.after.id), None)
        if change.before is None:
            if change.after.state is not InterviewState.SCHEDULED:
                raise ConstraintViolatedError("a new interview is scheduled")
            sitting = change.after.sitting if change.sitting_changed else SittingState()
            interviews.append(change.after.replace(sitting=sitting))
        else:
            if at is None or interviews[at].state is not change.before:
                raise ConstraintViolatedError("the interview is not in that state")
            if not hirenow.is_lawful_step(change.before, change.after.state):
                raise ConstraintViolatedError("no event leads there")
            sitting = change.after.sitting if change.sitting_changed else interviews[at].sitting
            interviews[at] = change.after.replace(sitting=sitting)
        if sum(i.track == change.after.track and i.state not in NOT_CURRENT for i in interviews) > 1:
            raise ConstraintViolatedError("the track has a current interview")

    @staticmethod
    def _step_waiver(waivers, change):
        after, stored = change.after, waivers.get(change.after.number)
        if (after.state is WaiverState.USED) != (after.used_for is not None):
            raise ConstraintViolatedError("a waiver names an interview once it is used")
        if after.approved_by and (after.state is WaiverState.PROPOSED or after.approved_by == after.granted_by):
            raise ConstraintViolatedError("a waiver is approved by a second person")
        if change.before is None:
            if stored or after.state not in OPEN_WAIVERS or after.approved_by:
                raise ConstraintViolatedError("a new waiver is proposed or granted")
            for w in waivers.values():
                if w.state in OPEN_WAIVERS and (w.track, w.rule_id) == (after.track, after.rule_id):
                    raise ConstraintViolatedError("the rule has an open waiver")
        else:
            if stored is None or stored.state is not change.before:
                raise ConstraintViolatedError("the waiver is not in that state")
            kept = stored.replace(state=after.state, used_for=after.used_for,
                                  approved_by=stored.approved_by or after.approved_by)
            if not hirenow.is_lawful_waiver_step(stored.state, after.state) or kept != after:
                raise ConstraintViolatedError("no waiver can go that step")
        waivers[after.number] = after

    @staticmethod
    def _write_outbox(rows, changes, ids):
        for w in changes.withdrawals:
            for key, (m, *lease) in rows.outbox.items():
                if key.interview == w.interview and m.state in UNSENT and w.kinds >> KINDS[key.kind] & 1:
                    rows.outbox[key] = (m.replace(state=MessageState.WITHDRAWN), *lease)
        for m in changes.messages:
            if m.key.interview not in ids or m.key in rows.outbox:
                raise ConstraintViolatedError("a message of another record, or its key is taken")
            rows.outbox[m.key] = m, None, None
        for key in changes.redrives:
            m, *lease = rows.outbox.get(key, (None,))
            if m is None or m.state is not MessageState.DEAD:
                raise ConstraintViolatedError("only a dead message is redriven")
            due = changes.head.last_instant
            rows.outbox[key] = (m.replace(state=MessageState.QUEUED, due_at=due, tries=0), *lease)
        for key in changes.drops:
            m, *lease = rows.outbox.get(key, (None,))
            if m is None or m.state is not MessageState.DEAD:
                raise ConstraintViolatedError("only a dead message is dropped")
            rows.outbox[key] = (m.replace(state=MessageState.WITHDRAWN), *lease)

    def save_progress(self, request):
        with self.lock:
            rows = self._of(request.tenant, request.interview)
            if not rows:
                return False
            i = next(i for i in rows.record.interviews if i.id == request.interview)
            if i.sitting != SittingState(request.fence, True, request.key_hash):
                return False
            if i.deadline is None or request.at >= i.deadline:
                return False
            rows.saved[request.interview] = Progress(request.data, request.at)
            return True

    def list(self, request):
        after = Cursor.read("list", request.cursor, [float, str, str, int])
        counts = {state: 0 for state in InterviewState} if request.with_counts else None
        found = []
        with self.lock:
            for (tenant, applicant_id), rows in self.rows.items():
                if tenant != request.tenant:
                    continue
                person = rows.record.person
                for stored in rows.record.interviews:
                    if request.track and stored.track != request.track:
                        continue
                    i = hirenow.after_the_clock(stored, request.at).replace(sitting=SittingState())
                    if counts is not None:
                        counts[i.state] += 1
                    if request.state not in (None, i.state) or request.applicant_id not in ("", applicant_id):
                        continue
                    place = hirenow.clock_limit(i) or i.changed_at
                    key = (-place.timestamp(), applicant_id, i.track, i.attempt)
                    found.append((key, ListRow(applicant_id, person.name, person.email, i)))
        rows, following = cut("list", found, after, request.limit)
        return ListPage(rows, following, counts)

    def due(self, at, limit, cursor):
        after = Cursor.read("due", cursor, [float, str, str])
        found = []
        with self.lock:
            for (tenant, applicant_id), rows in self.rows.items():
                limits = [hirenow.clock_limit(i) for i in rows.record.interviews]
                limits += [w.expires_at for w in rows.record.waivers if w.state in OPEN_WAIVERS]
                passed = [end for end in limits if end is not None and end <= at]
                if passed:
                    end = min(passed)
                    found.append(((end.timestamp(), tenant, applicant_id), DueRecord(tenant, applicant_id, end)))
        rows, following = cut("due", found, after, limit)
        return DuePage(rows, following)

    @staticmethod
    def _claimable_from(m, lease_end):
        return {MessageState.QUEUED: m.due_at, MessageState.LEASED: lease_end}.get(m.state)

    def _outbox(self):
        for owner, rows in self.rows.items():
            for key, (m, _, lease_end) in rows.outbox.items():
                start = self._claimable_from(m, lease_end)
                if start is not None:
                    yield start, message_order(key), owner, rows, m

    def claim(self, request):
        with self.lock:
            ready = sorted((x for x in self._outbox() if x[0] <= request.now), key=lambda x: x[:2])
            # Every tenant's first, then every tenant's second: so where not all can be taken, each has its share.
            turns = {}
            for n, x in enumerate(ready):
                turns.setdefault(x[2][0], []).append((len(turns.get(x[2][0], ())), n))
            order = sorted(place for places in turns.values() for place in places)[: request.limit]
            out = []
            for _, n in order:
                _, _, owner, rows, m = ready[n]
                leased = m.replace(state=MessageState.LEASED)
                rows.outbox[m.key] = leased, request.token, request.now + request.lease
                out.append(ClaimedMessage(*owner, leased))
            return out

    def settle(self, settlements):
        with self.lock:
            return [self._settle(s) for s in settlements]

    def _settle(self, s):
        rows = self._of(s.tenant, s.key.interview)
        m, token, lease_end = rows.outbox.get(s.key, (None, None, None)) if rows else (None, None, None)
        if m is None or m.state is not MessageState.LEASED or token != s.token:
            return False
        tried = s.what in (SettlementVerdict.ACCEPTED, SettlementVerdict.RETRY, SettlementVerdict.DEAD)
        m = m.replace(tries=m.tries + tried, last_answer=kept(s.answer) or m.last_answer)
        if s.what is SettlementVerdict.RENEW:
            lease_end = s.at
        elif s.what in (SettlementVerdict.RETRY, SettlementVerdict.RELEASE):
            m = m.replace(state=MessageState.QUEUED, due_at=s.at)
        else:
            m = m.replace(state=MessageState(s.what.value))
        rows.outbox[s.key] = m, token, lease_end
        return True

    def allow(self, requests):
        with self.lock:
            return [self._allow(r) for r in requests]

    def _allow(self, r):
        at, filled = self.paces.get(r.tenant, (r.now, 0))  # a mail fills it by 60, a second empties it by the limit
        room = 60 * -(-r.per_minute // 60)
        filled = max(filled - max(int((r.now - at).total_seconds()), 0) * r.per_minute, 0)
        filled -= 60 * min(filled // 60, r.returned)
        granted = min(r.wanted, max(room - filled, 0) // 60)
        filled += 60 * granted
        moved_back = at - r.now > timedelta(minutes=1)
        self.paces[r.tenant] = r.now if moved_back else max(r.now, at), filled
        over = max(filled - (room - 60), 0)
        return Allowance(granted, timedelta(seconds=-(-over // r.per_minute)))

    def next_due(self):
        with self.lock:
            return min((start for start, *_ in self._outbox()), default=None)

    def messages(self, query):
        with self.lock:
            found = [
                m
                for (tenant, _), rows in self.rows.items()
                if tenant == query.tenant
                for key, (m, *_) in rows.outbox.items()
                if query.interview in (None, key.interview)
                and query.state in (None, m.state)
                and (query.after is None or message_order(query.after) < message_order(key))
            ]
        return sorted(found, key=lambda m: message_order(m.key))[: query.limit]

    def read_audit(self, tenant, applicant_id, after, limit):
        with self.lock:
            rows = self.rows.get((tenant, applicant_id))
            return [entry for entry in rows.audit if entry.sequence > after][:limit] if rows else []

    def audit_heads(self, tenant, after, limit):
        with self.lock:
            heads = [
                AuditHead(applicant_id, rows.record.sequence, rows.record.audit_head)
                for (of, applicant_id), rows in self.rows.items()
                if of == tenant and applicant_id.encode() > after.encode()
            ]
        return sorted(heads, key=lambda head: head.applicant_id.encode())[:limit]

    def policies(self, query):
        with self.lock:
            known = list(self.kept_policies.get((query.tenant, query.track), ()))
        known.sort(key=lambda p: (p.active_from, p.number))
        before = query.before and (query.before.active_from, query.before.number)
        return [p for p in reversed(known) if not before or (p.active_from, p.number) < before][: query.limit]

    def prune(self, now, limit):
        with self.lock:
            expired = [name for name, (answer, _) in self.answers.items() if answer.expires_at <= now][:limit]
            for name in expired:
                del self.answers[name]
            return len(expired)
