"""Stores, mailers, clocks and renderers written in Python; what they raise comes back as it was raised."""

import asyncio
import socket
import threading
import warnings
from datetime import timedelta

import pytest
from conftest import KEY_ONE, MONDAY, Mailbox, World, token_in
from dict_store import DictStore

import hirenow
from hirenow import aio
from hirenow.testing import check_store

class Passing(hirenow.Store):
    """A store in Python over one of the library's: every record goes through Python and back."""

    def __init__(self, inner=None):
        self.inner = inner or hirenow.open_store("memory:")

    def load(self, request):
        return self.inner.load(request)

    def commit(self, changes):
        self.inner.commit(changes)

    def save_progress(self, request):
        return self.inner.save_progress(request)

    def list(self, request):
        return self.inner.list(request)

    def due(self, at, limit, cursor):
        return self.inner.due(at, limit, cursor)

    def claim(self, request):
        return self.inner.claim(request)

    def settle(self, settlements):
        return self.inner.settle(settlements)

    def allow(self, requests):
        return self.inner.allow(requests)

    def next_due(self):
        return self.inner.next_due()

    def messages(self, query):
        return self.inner.messages(query)

    def read_audit(self, tenant, applicant_id, after, limit):
        return self.inner.read_audit(tenant, applicant_id, after, limit)

    def audit_heads(self, tenant, after, limit):
        return self.inner.audit_heads(tenant, after, limit)

    def policies(self, query):
        return self.inner.policies(query)

    def prune(self, now, limit):
        return self.inner.prune(now, limit)

    def outbox(self, now):
        return self.inner.outbox(now)


class Failing(Passing):
    """Raises what it is told to, in the method it is told."""

    def __init__(self, method, exception):
        super().__init__()

        def fail(*_):
            raise exception

        self.armed = False
        original = getattr(self, method)
        setattr(self, method, lambda *args: fail() if self.armed else original(*args))


def test_a_python_store_keeps_every_promise():
    report = check_store(Passing, histories=5)
    assert report.passed, report
    assert report.checks > 240 and str(report).startswith(f"{report.checks} checks, 0 failed")


def test_a_limit_is_kept_by_the_store():
    store = hirenow.open_store("memory:")
    two = [hirenow.AllowanceRequest(MONDAY, 600, "acme", wanted=7)] * 2
    assert store.allow(two) == (hirenow.Allowance(7), hirenow.Allowance(3, timedelta(seconds=1)))
    assert store.allow([two[0].replace(tenant="", returned=3)])[0].granted == 7
    with pytest.raises(hirenow.InvalidArgumentError):
        store.allow([hirenow.AllowanceRequest(MONDAY, 0)])


def test_dispatchers_of_one_store_keep_to_a_limit_together():
    for store in ("memory:", DictStore()):
        w = World(store)
        for n in range(5):
            person = hirenow.Applicant(f"app-{n}", f"{n}@example.org", "Bo", "en", "Europe/London")
            w.engine.schedule(person, w.track, actor=w.recruiter)
        one, other = (hirenow.Dispatcher(w.engine, Mailbox(), sender="j@acme.example", most_per_minute=180)
                      for _ in range(2))
        assert [one.dispatch_due(2).accepted, other.dispatch_due().accepted, one.dispatch_due().accepted] == [2, 1, 0]
        w.clock.advance(timedelta(seconds=1))
        assert other.dispatch_due().accepted == 2


def test_a_store_written_in_python_keeps_every_promise():
    report = check_store(DictStore, histories=5)
    assert report.passed, report


def test_check_store_finds_what_a_python_store_does_wrong():
    class Forgetful(Passing):  # does not compare the version
        def commit(self, changes):
            version = self.inner.load(hirenow.LoadRequest(changes.tenant, changes.applicant_id)).record.version
            self.inner.commit(changes.replace(expected_version=version))

    class Careless(Passing):  # gives a message to everyone who asks
        def claim(self, request):
            return [*self.inner.claim(request)] * 2

    class Broken(Passing):
        def due(self, at, limit, cursor):
            return "nothing"

    class Generous(Passing):  # keeps to no limit
        def allow(self, requests):
            return [hirenow.Allowance(r.wanted) for r in requests]

    for defective, seen in ((Forgetful, "version"), (Careless, "claim"), (Broken, "DuePage"), (Generous, "granted")):
        report = check_store(defective, histories=0)
        assert not report.passed and seen in str(report), report
    assert not check_store(lambda: None, histories=0).passed


@pytest.mark.parametrize("store", [Passing, DictStore])
def test_the_whole_story_over_a_python_store(store):
    w = World(store())
    at = w.bring_to("archived")
    assert w.engine.verify_audit("app-1", actor=w.recruiter).entries == 6
    assert len(w.engine.history(at.id, actor=w.recruiter).attempts) == 2


# Each method of a store, and a call that comes to it.
# A dispatcher goes on trying to say what it knows until its lease ends.
SHORT = {"sender": "j@acme.example", "lease": timedelta(seconds=2), "renew_every": timedelta(seconds=1)}
REACHES = {
    "load": lambda w, at: w.engine.find(at.id, actor=w.recruiter),
    "commit": lambda w, at: w.engine.submit(at.session),
    "save_progress": lambda w, at: w.engine.checkpoint(at.session, "x"),
    "list": lambda w, at: w.engine.list(actor=w.recruiter),
    "due": lambda w, at: w.engine.sweep(),
    "prune": lambda w, at: w.engine.sweep(),
    "messages": lambda w, at: w.engine.read_messages(actor=w.admin),
    "read_audit": lambda w, at: w.engine.read_audit("app-1", actor=w.admin),
    "audit_heads": lambda w, at: w.engine.audit_checkpoint(actor=w.admin),
    "policies": lambda w, at: list(w.engine.policies(actor=w.admin)),
    "next_due": lambda w, at: hirenow.Dispatcher(w.engine, Mailbox(), sender="j@acme.example").dispatch_due(),
    "claim": lambda w, at: hirenow.Dispatcher(w.engine, Mailbox(), sender="j@acme.example").dispatch_due(),
    "allow": lambda w, at: hirenow.Dispatcher(w.engine, Mailbox(), sender="j@acme.example",
                                              most_per_minute=60).dispatch_due(),
    "settle": lambda w, at: hirenow.Dispatcher(w.engine, Mailbox(), **SHORT).dispatch_due(),
    "outbox": lambda w, at: hirenow.Dispatcher(w.engine, Mailbox(), sender="j@acme.example").stats(),
}


@pytest.mark.parametrize("method", REACHES)
def test_what_a_store_raises_reaches_the_caller_as_it_is(method):
    mine = ZeroDivisionError("mine")
    store = Failing(method, mine)
    w = World(store)
    at = w.bring_to("in_progress")
    bo = hirenow.Applicant("app-2", "bo@example.org", "Bo", "en", "Europe/London")
    w.engine.schedule(bo, w.track, actor=w.recruiter)  # so that there is mail
    store.armed = True
    with pytest.raises(ZeroDivisionError) as raised:
        REACHES[method](w, at)
    assert raised.value is mine
    store.armed = False
    w.engine.submit(at.session)
    assert w.engine.find(at.id, actor=w.recruiter).state is hirenow.InterviewState.SUBMITTED


def test_an_error_of_hirenows_is_an_answer_and_the_same_object():
    mine = hirenow.StoreFullError("no room", reason="quota")
    store = Failing("commit", mine)
    w = World(store)
    store.armed = True
    with pytest.raises(hirenow.StoreFullError) as raised:
        w.schedule()
    assert raised.value is mine

    class Racing(Passing):  # somebody else is faster, twice
        conflicts = 2

        def commit(self, changes):
            if self.conflicts:
                self.conflicts -= 1
                raise hirenow.ConflictError("somebody was faster")
            super().commit(changes)

    store = Racing()
    assert World(store).schedule().interview.attempt == 1 and store.conflicts == 0


def test_a_keyboard_interrupt_passes_too():
    store = Failing("load", KeyboardInterrupt())
    w = World(store)
    store.armed = True
    with pytest.raises(KeyboardInterrupt):
        w.schedule()


def test_a_wrong_answer_of_a_store_is_a_type_error():
    class Wrong(Passing):
        def load(self, request):
            return {"version": 0}

    with pytest.raises(TypeError, match="load must be a Loaded"):
        World(Wrong()).schedule()


class Ticking:
    def __init__(self):
        self.fails = None

    def now(self):
        if self.fails:
            raise self.fails
        return MONDAY


def test_a_python_clock():
    clock = Ticking()
    w = World(clock=clock)
    assert w.schedule().interview.created_at == MONDAY and w.engine.now() == MONDAY
    clock.fails = OSError("no time")
    with pytest.raises(OSError) as raised:
        w.engine.sweep()
    assert raised.value is clock.fails
    # On a dispatcher's own threads the machine's clock stands in, and the run says so.
    with pytest.raises(OSError):
        hirenow.Dispatcher(w.engine, Mailbox(), sender="jobs@acme.example").dispatch_due()


def test_what_a_mailer_raises_is_told_and_the_mail_tried_again(memory_world):
    w, mine = memory_world, ConnectionError("mine")

    class Down(Mailbox):
        def send(self, mail):
            raise mine

    invited = w.schedule()
    with pytest.raises(ConnectionError) as raised:
        hirenow.Dispatcher(w.engine, Down(), sender="jobs@acme.example").dispatch_due()
    assert raised.value is mine
    (m,) = w.engine.read_messages(actor=w.recruiter, interview_id=invited.interview.id)
    assert m.tries == 1 and "ConnectionError" in m.last_answer
    w.clock.advance(timedelta(minutes=2))
    told = []
    report = hirenow.Dispatcher(w.engine, Down(), sender="jobs@acme.example", on_error=told.append).dispatch_due()
    assert report.retried == 1 and told == [mine]
    w.clock.advance(timedelta(minutes=5))
    with pytest.raises(TypeError, match="send"):
        hirenow.Dispatcher(w.engine, type("M", (), {"send": lambda *_: None})(), sender="a@b.example").dispatch_due()


def test_a_python_renderer(memory_world):
    w, box, mine = memory_world, Mailbox(), LookupError("no such text")
    texts = []

    def render(kind, locale, view):
        if not texts:
            raise mine
        return hirenow.RenderedMessage(f"{kind} {locale}", f"{texts[0]} {view.link} {view.track}")

    w.schedule()
    d = hirenow.Dispatcher(w.engine, box, sender="jobs@acme.example", renderer=render)
    with pytest.raises(LookupError) as raised:
        d.dispatch_due()
    assert raised.value is mine and box.mails == []
    texts.append("Come:")
    w.clock.advance(timedelta(minutes=2))
    assert d.dispatch_due().accepted == 1
    assert box.mails[0].subject == "invitation en" and box.mails[0].text.startswith("Come: https://")


def test_a_dispatcher_runs_beside_the_host(world):
    w, box, sent = world, Mailbox(), threading.Event()
    d = hirenow.Dispatcher(w.engine, box, sender="jobs@acme.example", on_event=lambda _: sent.set())
    with d.running(workers=2):
        w.schedule()
        d.wake()
        assert sent.wait(30)
        with pytest.raises(hirenow.InvalidArgumentError, match="running"):
            d.run()
        assert d.dispatch_due() == hirenow.DispatchReport(0, 0, 0, 0, 0, 0, 0)  # may be called beside it
    assert len(box.mails) == 1


def test_a_signal_ends_a_running_dispatcher(memory_world):
    import signal

    d = hirenow.Dispatcher(memory_world.engine, Mailbox(), sender="jobs@acme.example")
    # What a shell starts in the background ignores the signal, unless it says otherwise.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            d.run()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_mail_server_is_spoken_to():
    import aiosmtpd.controller as aiosmtpd

    class Keep:
        def __init__(self):
            self.envelopes = []

        async def handle_DATA(self, server, session, envelope):
            self.envelopes.append(envelope)
            return "250 kept"

    keep = Keep()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = aiosmtpd.Controller(keep, hostname="127.0.0.1", port=port)
    server.start()
    try:
        w = World()
        w.schedule()
        mailer = hirenow.SmtpMailer("127.0.0.1", port, security=hirenow.SmtpSecurity.PLAINTEXT)
        assert hirenow.Dispatcher(w.engine, mailer, sender="jobs@acme.example").dispatch_due().accepted == 1
    finally:
        server.stop()
    assert keep.envelopes[0].rcpt_tos == ["ada@example.org"]
    with pytest.raises(hirenow.InvalidArgumentError):
        hirenow.SmtpMailer("")


def test_asyncio_does_not_block_the_loop():
    started, go_on = threading.Event(), threading.Event()

    class Slow(Passing):
        def load(self, request):
            started.set()
            assert go_on.wait(30)
            return super().load(request)

    async def story():
        w = World(Slow())
        async with aio.AsyncEngine(w.engine) as engine:
            scheduling = asyncio.ensure_future(engine.schedule(w.ada, w.track, actor=w.recruiter))
            while not started.is_set():  # the loop turns while the store waits
                await asyncio.sleep(0)
            assert not scheduling.done()
            go_on.set()
            invited = await scheduling
            sitting = await engine.start(token_in(invited.link), KEY_ONE)
            await engine.checkpoint(sitting.session, b"x")
            rows = [row async for row in engine.interviews(actor=w.recruiter)]
            assert [row.interview.id for row in rows] == [invited.interview.id]
            entries = [entry async for entry in engine.audit("app-1", actor=w.recruiter)]
            assert [entry.event for entry in entries] == ["schedule", "start"]
            with pytest.raises(hirenow.NotFoundError):
                await engine.find(invited.interview.id, actor=w.stranger)
            await engine.schedule(w.ada.replace(id="app-2"), w.track, actor=w.recruiter)
            box = Mailbox()
            running = asyncio.ensure_future(
                aio.run_dispatcher(hirenow.Dispatcher(w.engine, box, sender="jobs@acme.example")))
            while not box.mails:
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        assert w.engine.closed

    asyncio.run(asyncio.wait_for(story(), 60))


def test_the_asyncio_engine_has_every_call():
    own = {"on", "over", "now", "closed"}
    public = {name for name in dir(hirenow.Engine) if not name.startswith("_")}
    assert public - own == {name for name in dir(aio.AsyncEngine) if not name.startswith("_")} - {"engine", "executor"}


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        World().bring_to("archived")


def test_what_a_dispatcher_tells_is_read_by_prometheus(world):
    from prometheus_client.parser import text_string_to_metric_families

    w, box = world, Mailbox()
    d = hirenow.Dispatcher(w.engine, box, sender="jobs@acme.example")
    w.schedule()
    w.engine.schedule(w.ada, "later", actor=w.recruiter, notify=w.clock.now() + timedelta(hours=1))
    w.clock.advance(timedelta(seconds=61))
    figures = hirenow.OutboxFigures(queued=2, due=1, oldest_due=w.clock.now() - timedelta(seconds=61))
    nothing = hirenow.DispatchReport(0, 0, 0, 0, 0, 0, 0, 0)
    assert d.stats() == hirenow.DispatchStats(nothing, figures, 61)
    assert d.dispatch_due(limit=5) == nothing.replace(accepted=1)
    assert d.stats() == hirenow.DispatchStats(nothing.replace(accepted=1), hirenow.OutboxFigures(queued=1))
    w.clock.advance(timedelta(hours=1))

    families = {f.name: f for f in text_string_to_metric_families(d.prometheus_text())}
    assert {name: f.type for name, f in families.items()} == {
        "hirenow_outbox_messages": "gauge", "hirenow_outbox_oldest_due_age_seconds": "gauge",
        "hirenow_dispatched_messages": "counter", "hirenow_dispatcher_store_errors": "counter"}
    assert all(f.documentation for f in families.values())
    read = {(s.name, *s.labels.values()): s.value for f in families.values() for s in f.samples}
    assert read["hirenow_outbox_messages", "queued"] == read["hirenow_outbox_messages", "due"] == 1
    assert read["hirenow_outbox_oldest_due_age_seconds",] == 61
    assert read["hirenow_dispatched_messages_total", "accepted"] == 1
    assert len(read) == 14


def test_a_store_in_python_need_not_count():
    from dict_store import DictStore

    class Counting(DictStore):
        def outbox(self, now):
            return hirenow.OutboxFigures(dead=7)

    for store, seen in (DictStore(), None), (Counting(), hirenow.OutboxFigures(dead=7)):
        w = World(store)
        assert hirenow.Dispatcher(w.engine, Mailbox(), sender="a@b.example").stats().outbox == seen


def test_a_dead_letter_is_dropped(world):
    w = world

    class Refusing:
        def send(self, mail):
            return hirenow.Delivery(hirenow.DeliveryOutcome.PERMANENT, 550, "no such user")

    w.schedule()
    hirenow.Dispatcher(w.engine, Refusing(), sender="jobs@acme.example").dispatch_due()
    (dead,) = w.engine.read_messages(actor=w.admin, state=hirenow.MessageState.DEAD)
    with pytest.raises(hirenow.PermissionDeniedError):
        w.engine.drop(dead.key, actor=w.recruiter)
    w.engine.drop(dead.key, actor=w.admin, idempotency_key="click")
    assert w.engine.read_messages(actor=w.admin, state=hirenow.MessageState.DEAD) == ()
    assert [e.event for e in w.engine.audit("app-1", actor=w.admin)][-1] == "drop"
    with pytest.raises(hirenow.InvalidTransitionError):
        w.engine.drop(dead.key, actor=w.admin)
