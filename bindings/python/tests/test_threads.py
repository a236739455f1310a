"""Threads, forks and the GIL."""

import os
import subprocess
import sys
import threading

import pytest
from conftest import KEY_ONE, World, token_in

import hirenow


def in_threads(count, work):
    failures, barrier = [], threading.Barrier(count)

    def run(n):
        try:
            barrier.wait(30)
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert not failures, failures


def test_many_threads_retake_once(world):
    w = world
    at = w.bring_to("failed")
    made, lost = [], []

    def click(n):
        try:
            made.append(w.engine.retake(at.id, actor=w.recruiter))
        except hirenow.SupersededError as error:
            lost.append(error.superseded_by)

    in_threads(8, click)
    assert len(made) == 1 and lost == [made[0].interview.id] * 7


def test_many_threads_write_at_once(world):
    w = world

    def work(n):
        for k in range(5):
            invited = w.engine.schedule(w.ada.replace(id=f"a-{n}-{k}"), "t", actor=w.recruiter)
            sitting = w.engine.start(token_in(invited.link), KEY_ONE)
            w.engine.submit(sitting.session)

    in_threads(6, work)
    assert w.engine.list(actor=w.recruiter).counts[hirenow.InterviewState.SUBMITTED] == 30


def test_the_gil_is_free_while_sqlite_waits(tmp_path):
    """While another connection holds the file's lock, Python goes on: it is Python that lets the lock go."""
    import sqlite3

    w = World(f"sqlite:{tmp_path / 'a.db'}")
    holder = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: holder.execute("COMMIT")).start()
    assert w.schedule().interview.attempt == 1
    holder.close()


def test_closing_waits_for_nobody_and_harms_nobody(world):
    w = world

    def work(n):
        try:
            for k in range(20):
                w.engine.schedule(w.ada.replace(id=f"c-{n}-{k}"), "t", actor=w.recruiter)
                if n == 0 and k == 5:
                    w.engine.close()
        except hirenow.InvalidArgumentError as error:
            assert error.reason == "closed"

    in_threads(4, work)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_is_refused_and_harms_nothing(world):
    w = world
    invited = w.schedule()
    store = hirenow.open_store("memory:")
    dispatcher = hirenow.Dispatcher(w.engine, object_with_send(), sender="jobs@acme.example")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        answer = b"fault"
        try:
            codes = []
            for call in (
                lambda: w.engine.inspect(token_in(invited.link)),
                lambda: w.engine.sweep(),
                lambda: store.next_due(),
                lambda: dispatcher.dispatch_due(),
                lambda: w.engine.over(store),
            ):
                try:
                    call()
                    codes.append("none")
                except hirenow.ForkedError as error:
                    codes.append(error.name)
            fresh = hirenow.open("memory:", **w.options)  # what the child opens itself is its own
            fresh.schedule(w.ada, "t", actor=w.recruiter)
            w.engine.close()
            answer = ",".join(codes).encode()
        finally:
            os.write(write, answer)
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == b",".join([b"forked"] * 5)
    os.waitpid(child, 0)
    w.engine.cancel(invited.interview.id, actor=w.recruiter)


def object_with_send():
    from conftest import Mailbox

    return Mailbox()


def test_the_interpreter_ends_cleanly_whatever_is_still_open(tmp_path):
    program = """
import hirenow, threading
class Clock:
    def now(self):
        import datetime
        return datetime.datetime.now(datetime.timezone.utc)
class Mailer:
    def send(self, mail): return hirenow.Delivery(hirenow.DeliveryOutcome.ACCEPTED)
keys = hirenow.KeyRing.from_json(hirenow.new_key_document(hirenow.KeyAlgorithm.HS256, "k"))
engine = hirenow.open("sqlite:" + FILE, keys=keys, clock=Clock(), link_base="https://x.example/go")
engine.schedule(hirenow.Applicant("a", "a@b.example"), "t", actor=hirenow.Actor("r", "acme", hirenow.Role.RECRUITER))
dispatcher = hirenow.Dispatcher(engine, Mailer(), sender="a@b.example")
threading.Thread(target=dispatcher.run, daemon=True).start()
dispatcher.wake()
def call():
    while True: engine.sweep()
for _ in range(3): threading.Thread(target=call, daemon=True).start()
import time; time.sleep(0.3)
print("end")
"""
    done = subprocess.run([sys.executable, "-c", program.replace("FILE", repr(str(tmp_path / "a.db")))],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout == "end\n" and done.stderr == "", done


def test_import_is_quick_and_lean():
    program = "import sys, hirenow; print(*[m for m in ('asyncio', 'sqlite3', 'dataclasses', 'typing_extensions') "\
              "if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "", done
