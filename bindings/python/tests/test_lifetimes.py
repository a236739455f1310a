"""Closing, forking, signals, and the GIL: what each kind of call does to those around it."""

import gc
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from conftest import MONDAY, Mailbox, World, token_in

import hirenow
from hirenow.testing import check_store

WAIT = 60


def dispatcher_of(engine, mailer=None, **more):
    return hirenow.Dispatcher(engine, mailer or Mailbox(), sender="jobs@acme.example", **more)


class Held(Mailbox):
    """A mailer in which mails stay until they are let go."""

    def __init__(self):
        super().__init__()
        self.arrived, self.go_on = threading.Event(), threading.Event()

    def send(self, mail):
        self.arrived.set()
        assert self.go_on.wait(WAIT)
        return super().send(mail)


def beside(work):
    """Runs it on a thread; what it returned or raised is in the list."""
    out = []

    def run():
        try:
            out.append(work())
        except BaseException as error:
            out.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, out


# ---- Closing ---------------------------------------------------------------------------------------------------------


def open_files(path):
    return [link for link in pathlib.Path("/proc/self/fd").iterdir() if link.exists() and
            os.path.realpath(link) == str(path)]


def test_close_waits_for_the_calls_at_work(tmp_path):
    from test_adapters import Passing

    arrived, go_on = threading.Event(), threading.Event()

    class Slow(Passing):
        def load(self, request):
            arrived.set()
            assert go_on.wait(WAIT)
            return super().load(request)

    w = World(Slow())
    call, answer = beside(w.schedule)
    assert arrived.wait(WAIT)
    closing, closed = beside(w.engine.close)
    while not w.engine.closed:
        time.sleep(0.001)
    with pytest.raises(hirenow.InvalidArgumentError, match="closed"):
        w.engine.sweep()
    closing.join(0.3)
    assert closing.is_alive() and not closed, "close came back while a call was at work"
    go_on.set()
    call.join(WAIT), closing.join(WAIT)
    assert isinstance(answer[0], hirenow.Invited) and closed == [None]


def test_close_ends_a_running_dispatcher_and_nothing_is_sent_afterwards(memory_world):
    w, held = memory_world, Held()
    w.schedule()
    d = dispatcher_of(w.engine, held)
    running, report = beside(d.run)
    assert held.arrived.wait(WAIT)
    closing, closed = beside(w.engine.close)
    closing.join(0.3)
    assert closing.is_alive(), "close came back while a mail was being sent"
    held.go_on.set()
    closing.join(WAIT), running.join(WAIT)
    assert closed == [None] and report[0].accepted == 1
    for call in (d.dispatch_due, d.run, d.wake):
        with pytest.raises(hirenow.InvalidArgumentError, match="closed") as refused:
            call()
        assert refused.value.reason == "closed"
    d.close()
    with pytest.raises(hirenow.InvalidArgumentError, match="closed"):
        dispatcher_of(w.engine)


def test_close_gives_the_file_back_whatever_else_is_alive(tmp_path):
    file = tmp_path / "a.db"
    w = World(f"sqlite:{file}")
    w.schedule()
    d = dispatcher_of(w.engine)
    assert d.dispatch_due().accepted == 1 and open_files(file)
    w.engine.close()
    assert not open_files(file) and d is not None


def test_stores_mailers_and_dispatchers_can_be_closed(tmp_path):
    file = tmp_path / "a.db"
    with hirenow.open_store(f"sqlite:{file}") as store:
        assert store.next_due() is None and not store.closed and open_files(file)
    assert store.closed and not open_files(file)
    with pytest.raises(hirenow.InvalidArgumentError, match="closed") as refused:
        store.next_due()
    assert refused.value.reason == "closed"
    with pytest.raises(hirenow.InvalidArgumentError, match="closed"):
        hirenow.open(store, keys=World().keys)
    store.close()

    store = hirenow.open_store(f"sqlite:{file}")
    w = World(store)
    store.close()  # the engine holds it still
    w.schedule()
    assert open_files(file)
    with dispatcher_of(w.engine) as d:
        assert d.dispatch_due().accepted == 1 and not d.closed
    assert d.closed
    with pytest.raises(hirenow.InvalidArgumentError, match="dispatcher is closed"):
        d.dispatch_due()
    w.engine.close()
    assert not open_files(file)

    with hirenow.SmtpMailer("127.0.0.1", 1, security=hirenow.SmtpSecurity.PLAINTEXT) as mailer:
        assert mailer.send(LETTER).outcome is hirenow.DeliveryOutcome.TEMPORARY
    assert mailer.closed
    with pytest.raises(hirenow.InvalidArgumentError, match="mailer is closed"):
        mailer.send(LETTER)


def test_closing_in_a_callback_does_not_wait_for_itself(memory_world):
    w = memory_world
    w.schedule()

    class Closing(Mailbox):
        def send(self, mail):
            w.engine.close()
            d.close()
            return super().send(mail)

    box = Closing()
    d = dispatcher_of(w.engine, box)
    thread, report = beside(d.dispatch_due)
    thread.join(WAIT)
    assert report[0].accepted == 1 and len(box.mails) == 1 and w.engine.closed and d.closed


def test_an_engine_over_another_store_outlives_its_parent(memory_world):
    w = memory_world
    other = w.engine.over(hirenow.open_store("memory:"))
    w.engine.close()
    gc.collect()
    assert other.schedule(w.ada, "t", actor=w.recruiter).interview.attempt == 1 and not other.closed


# ---- Forks -----------------------------------------------------------------------------------------------------------

LETTER = hirenow.OutgoingMail("m@acme.example", "jobs@acme.example", "", "ada@example.org", "", "s", "t\n", "", "en")


def answer_of_child(work):
    """What it returns, as text, in a forked child."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "fault"
        try:
            answer = repr(work())
        except BaseException as error:
            answer = repr(error)
        finally:
            os.write(write, answer.encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


def test_every_handle_is_refused_in_the_child_of_a_fork(world, tmp_path):
    w = world
    keys = tmp_path / "keys.json"
    keys.touch(0o600)
    keys.write_text(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k1"))
    ring = hirenow.KeyRing.from_file(keys)
    token = token_in(w.schedule().link)
    store = hirenow.open_store(f"sqlite:{tmp_path / 'b.db'}")
    mailer = hirenow.SmtpMailer("127.0.0.1", 1, security=hirenow.SmtpSecurity.PLAINTEXT)
    d = dispatcher_of(w.engine)
    policy, templates = hirenow.RetakePolicy.standard(), hirenow.MessageTemplates()
    calls = [lambda: w.engine.inspect(token), lambda: w.engine.now(), lambda: w.engine.over(store), store.next_due,
             lambda: mailer.send(LETTER), d.dispatch_due, d.run, d.stop, d.wake, lambda: d.listen("x"),
             lambda: hirenow.open(store, keys=ring), lambda: dispatcher_of(w.engine),
             lambda: dispatcher_of(hirenow.open("memory:", keys=ring), mailer)]

    def work():
        names = []
        for call in calls:
            try:
                call()
                names.append("none")
            except hirenow.Error as error:
                names.append(error.name)
        for handle in (w.engine, store, mailer, d):  # each may be closed, which touches nothing
            handle.close()
            assert handle.closed
        # What holds memory alone goes on, so that keys can be read before the workers are forked.
        ring.reload()
        assert ring.signing_kid() == "k1" and ring.public_jwks()
        assert policy.evaluate((), w.clock.now(), time_zone="Europe/Vienna").policy_version == policy.version
        assert templates.render(hirenow.MessageKind.CANCELLED, "de", hirenow.MessageView(track="t")).language == "de"
        w.clock.advance(timedelta(seconds=1))
        fresh = hirenow.open("memory:", keys=ring, clock=w.clock, link_base="https://x.example/go")
        fresh.schedule(w.ada, "t", actor=w.recruiter)
        return names

    assert answer_of_child(work) == repr(["forked"] * len(calls))
    assert w.engine.inspect(token).verdict is hirenow.Verdict.VALID and store.next_due() is None


def test_a_child_may_use_keys_whatever_its_parents_threads_were_at():
    documents = [hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, f"k{n}") for n in range(3)]
    ring = hirenow.KeyRing.from_json(documents[0])
    over = threading.Event()

    def reload_keys():
        while not over.is_set():
            ring.reload(documents[0])
            ring.reload(documents[1])

    threads = [threading.Thread(target=reload_keys) for _ in range(2)]
    for thread in threads:
        thread.start()

    def work():
        signal.alarm(WAIT)  # ends a child that waits for what no thread of its own has
        ring.reload(documents[2])
        return ring.signing_kid()

    try:
        for _ in range(40):
            assert answer_of_child(work) == "'k2'"
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert ring.signing_kid() in ("k0", "k1"), "a child's keys are its own"


class Conversation:
    """A mail server that takes everything and keeps count of what was said on each connection."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.heard, self.hold = [], None
        self.data = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.heard.append([])
            threading.Thread(target=self.talk, args=(connection, self.heard[-1]), daemon=True).start()

    def talk(self, connection, heard):
        file = connection.makefile("rwb")

        def say(line):
            file.write(line + b"\r\n")
            file.flush()

        say(b"220 here")
        in_data = False
        for line in file:
            line = line.rstrip(b"\r\n")
            if in_data:
                if line == b".":
                    in_data = False
                    if self.hold:
                        self.data.set()
                        self.hold.wait(WAIT)
                    say(b"250 kept")
                continue
            heard.append(line.split(b" ")[0].upper())
            if heard[-1] == b"DATA":
                in_data = True
                say(b"354 go on")
            else:
                say(b"221 bye" if heard[-1] == b"QUIT" else b"250 fine")

    def close(self):
        self.listener.close()


@pytest.fixture
def server():
    s = Conversation()
    yield s
    s.close()


def test_a_child_says_nothing_on_its_parents_connection(server):
    mailer = hirenow.SmtpMailer("127.0.0.1", server.port, security=hirenow.SmtpSecurity.PLAINTEXT)
    assert mailer.send(LETTER).outcome is hirenow.DeliveryOutcome.ACCEPTED

    def work():
        try:
            mailer.send(LETTER)
        except hirenow.ForkedError:
            pass
        mailer.close()
        return "done"

    before = list(server.heard[0])
    assert answer_of_child(work) == "'done'"
    assert server.heard == [before]
    assert mailer.send(LETTER).outcome is hirenow.DeliveryOutcome.ACCEPTED
    assert len(server.heard) == 1, "the parent's connection did not live on"


def test_a_forked_child_of_a_running_dispatcher_ends_at_once():
    program = """
import hirenow, os, sys, threading, time
class Mailer:
    def send(self, mail): return hirenow.Delivery(hirenow.DeliveryOutcome.ACCEPTED)
keys = hirenow.KeyRing.from_json(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k"))
engine = hirenow.open("memory:", keys=keys, link_base="https://x.example/go")
with hirenow.Dispatcher(engine, Mailer(), sender="a@b.example").running():
    from hirenow import _dispatcher
    while not _dispatcher._running: time.sleep(0.001)
    begun = time.monotonic()
    child = os.fork()
    if child == 0: sys.exit(7)  # by way of atexit
    _, status = os.waitpid(child, 0)
    print(os.WEXITSTATUS(status), time.monotonic() - begun < 10)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=WAIT)
    assert (done.stdout, done.stderr) == ("7 True\n", "")


# ---- Signals ---------------------------------------------------------------------------------------------------------


@contextmanager
def interrupt_after(event):
    """Ctrl-C, once it has happened. Main thread."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def strike():
        if event.wait(WAIT):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=strike, daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_single_run_with_the_mail_at_work(memory_world):
    w, held = memory_world, Held()
    for n in range(5):
        w.engine.schedule(w.ada.replace(id=f"a-{n}"), "t", actor=w.recruiter)
    d = dispatcher_of(w.engine, held)
    handled = threading.Event()

    def on_signal(*_):
        handled.set()
        raise KeyboardInterrupt

    with interrupt_after(held.arrived):
        signal.signal(signal.SIGINT, on_signal)
        threading.Thread(target=lambda: (handled.wait(WAIT), time.sleep(0.2), held.go_on.set()), daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            d.dispatch_due()
    assert handled.is_set() and len(held.mails) == 1
    states = [m.state for m in w.engine.messages(actor=w.recruiter)]
    assert sorted(states) == ["accepted"] + ["queued"] * 4, "what was not sent was not given back"
    assert d.dispatch_due().accepted == 4


# ---- The GIL ---------------------------------------------------------------------------------------------------------


def lets_others_run(call, seconds=30):
    """Whether a call gives up the GIL. With an endless switch interval another thread gets on only where one does."""
    interval, gate, seen = sys.getswitchinterval(), threading.Lock(), []
    gate.acquire()
    other = threading.Thread(target=lambda: (gate.acquire(), seen.append(1)), daemon=True)
    other.start()
    time.sleep(0.05)  # it waits for the gate now
    sys.setswitchinterval(1000)
    try:
        gate.release()
        end = time.monotonic() + seconds
        while not seen and time.monotonic() < end:
            call()
        return bool(seen)
    finally:
        sys.setswitchinterval(interval)
        other.join(WAIT)


def gil_calls(tmp_path, server):
    keys = tmp_path / "keys.json"
    keys.touch(0o600)
    keys.write_text(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k1"))
    ca = tmp_path / "ca.pem"
    ca.write_text("none")
    w = World("memory:")
    at = w.bring_to("in_progress")
    store = hirenow.open_store("memory:")
    ring = hirenow.KeyRing.from_file(keys)
    mailer = hirenow.SmtpMailer("127.0.0.1", server.port, security=hirenow.SmtpSecurity.PLAINTEXT)
    d = dispatcher_of(w.engine)
    load = hirenow.LoadRequest("acme", "a")
    closed = hirenow.open_store("memory:")
    closed.close()
    return {
        "engine, reading": lambda: w.engine.find(at.id, actor=w.recruiter),
        "engine, writing": lambda: w.engine.checkpoint(at.session, b"x"),
        "engine, close": lambda: hirenow.open("memory:", keys=ring).close(),
        "store, load": lambda: store.load(load),
        "store, next_due": store.next_due,
        "store, claim": lambda: store.claim(hirenow.ClaimRequest(MONDAY, timedelta(seconds=5), 1, bytes(16))),
        "store, settle": lambda: store.settle(()),
        "store, allow": lambda: store.allow([hirenow.AllowanceRequest(MONDAY, 60)]),
        "open_store": lambda: hirenow.open_store(f"sqlite:{tmp_path / 'g.db'}").close(),
        "check_store": lambda: check_store(lambda: None, histories=0),
        "key ring, from_file": lambda: hirenow.KeyRing.from_file(keys),
        "key ring, reload": ring.reload,
        "mailer, made": lambda: hirenow.SmtpMailer("127.0.0.1", 1, ca_file=ca),
        "mailer, send": lambda: mailer.send(LETTER),
        "dispatcher, dispatch_due": d.dispatch_due,
        "dispatcher, stop": d.stop,
        "dispatcher, wake": d.wake,
    }


GIL_CALLS = ["engine, reading", "engine, writing", "engine, close", "store, load", "store, next_due", "store, claim",
             "store, settle", "store, allow", "open_store", "check_store", "key ring, from_file", "key ring, reload", "mailer, made",
             "mailer, send", "dispatcher, dispatch_due", "dispatcher, stop", "dispatcher, wake"]


@pytest.mark.parametrize("name", GIL_CALLS)
def test_the_gil_is_given_up(name, tmp_path, server):
    calls = gil_calls(tmp_path, server)
    assert list(calls) == GIL_CALLS
    assert lets_others_run(calls[name]), name


def test_what_only_computes_keeps_the_gil():
    """The probe itself: it must be able to say no."""
    assert not lets_others_run(lambda: hirenow.parse_span("P14D"), seconds=0.5)


# ---- Spans and paths -------------------------------------------------------------------------------------------------


def test_waits_may_be_milliseconds(tmp_path):
    import sqlite3

    file = tmp_path / "a.db"
    hirenow.open_store(f"sqlite:{file}").close()
    w = World(hirenow.open_store(f"sqlite:{file}", busy_timeout=timedelta(milliseconds=150)))
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(hirenow.StoreBusyError):
        w.schedule()
    assert 0.1 < time.monotonic() - begun < 5
    holder.execute("ROLLBACK")
    holder.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        mailer = hirenow.SmtpMailer("127.0.0.1", silent.getsockname()[1], security=hirenow.SmtpSecurity.PLAINTEXT,
                                    connect_timeout=timedelta(milliseconds=250))
        assert mailer.send(LETTER).outcome is hirenow.DeliveryOutcome.TEMPORARY
        assert time.monotonic() - begun < 10
    for microseconds in (1, 1500):
        with pytest.raises(hirenow.InvalidArgumentError, match="milliseconds"):
            hirenow.SmtpMailer("h", connect_timeout=timedelta(microseconds=microseconds))
    for wrong in (lambda: dispatcher_of(w.engine, poll_every=5), lambda: hirenow.SmtpMailer("h", connect_timeout=1),
                  lambda: hirenow.open_store(f"sqlite:{file}", busy_timeout=5),
                  lambda: hirenow.KeyRing.from_file(7), lambda: hirenow.SmtpMailer("h", ca_file=7)):
        with pytest.raises(TypeError):
            wrong()


def test_a_path_may_be_a_path(tmp_path):
    keys = tmp_path / "k\u00e9ys.json"
    keys.touch(0o600)
    keys.write_text(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k1"))
    for path in (keys, str(keys), os.fsencode(keys)):
        assert hirenow.KeyRing.from_file(path).signing_kid() == "k1"
    with pytest.raises(hirenow.InvalidArgumentError):
        hirenow.KeyRing.from_file("a\0b")
    with pytest.raises(hirenow.InvalidArgumentError, match="ca_file"):
        hirenow.SmtpMailer("h", ca_file=tmp_path / "none.pem")


def test_messages_are_read_page_by_page(memory_world):
    w, e = memory_world, memory_world.engine
    for n in range(251):
        e.schedule(w.ada.replace(id=f"m-{n}"), "t", actor=w.recruiter, reminders=[timedelta(hours=1)])
    first = e.read_messages(actor=w.recruiter, limit=500)
    everything = first + e.read_messages(actor=w.recruiter, limit=500, after=first[-1].key)
    assert len(everything) == 502 and tuple(e.messages(actor=w.recruiter)) == everything
    interview = everything[0].key.interview
    assert {m.key.interview for m in e.messages(actor=w.recruiter, interview_id=interview)} == {interview}
    assert list(e.messages(actor=w.recruiter, state=hirenow.MessageState.DEAD)) == []
