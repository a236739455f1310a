"""asyncio: what is awaited, what cancelling does, and that nothing holds up the loop or its threads."""

import asyncio
import concurrent.futures
import sqlite3
import threading

import pytest
from conftest import Mailbox, World
from test_adapters import Passing
from test_lifetimes import WAIT, Held, dispatcher_of

import hirenow
from hirenow import aio


def played(story):
    return asyncio.run(asyncio.wait_for(story, WAIT))


class Slow(Passing):
    """A store whose next load, once armed, waits to be let go."""

    def __init__(self):
        super().__init__()
        self.armed, self.arrived, self.go_on = False, threading.Event(), threading.Event()

    def load(self, request):
        if self.armed:
            self.arrived.set()
            assert self.go_on.wait(WAIT)
        return super().load(request)


async def seen(event):
    while not event.is_set():
        await asyncio.sleep(0.001)


def test_an_engine_is_opened_without_holding_up_the_loop(tmp_path):
    file = tmp_path / "a.db"
    hirenow.open_store(f"sqlite:{file}").close()
    w = World()

    async def story():
        holder = sqlite3.connect(file, isolation_level=None)
        holder.execute("PRAGMA journal_mode=WAL")
        engine = await aio.open(f"sqlite:{file}", **w.options)
        assert isinstance(engine, aio.AsyncEngine)
        async with engine:
            assert (await engine.schedule(w.ada, "t", actor=w.recruiter)).interview.attempt == 1
            assert [m.key.kind async for m in engine.messages(actor=w.recruiter)] == [hirenow.MessageKind.INVITATION]
        assert engine.engine.closed
        holder.close()
        with pytest.raises(hirenow.StoreError):
            await aio.open(f"sqlite:{tmp_path}/no/such/a.db", **w.options)

    played(story())


def test_opening_happens_on_another_thread(monkeypatch):
    threads = []
    real = hirenow.open_store
    monkeypatch.setattr("hirenow._engine.open_store", lambda url: threads.append(threading.current_thread()) or real(url))

    async def story():
        await aio.open("memory:", **World().options)

    played(story())
    assert len(threads) == 2 and threads[1] is not threading.main_thread()


def test_a_call_cancelled_while_it_waits_for_a_thread_is_not_made():
    w = World()
    go_on = threading.Event()

    async def story():
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            engine = aio.AsyncEngine(w.engine, pool)
            pool.submit(go_on.wait, WAIT)  # the only thread is taken
            waiting = asyncio.ensure_future(engine.schedule(w.ada, w.track, actor=w.recruiter))
            await asyncio.sleep(0.01)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            go_on.set()
            assert (await engine.list(actor=w.recruiter)).rows == ()

    played(story())


def test_a_call_that_has_begun_ends_as_it_would_have():
    store = Slow()
    w = World(store)

    async def story():
        engine = aio.AsyncEngine(w.engine)
        store.armed = True
        begun = asyncio.ensure_future(engine.schedule(w.ada, w.track, actor=w.recruiter, idempotency_key="k"))
        await seen(store.arrived)
        begun.cancel()
        with pytest.raises(asyncio.CancelledError):
            await begun
        store.armed = False
        store.go_on.set()
        await engine.close()  # waits for it
        again = hirenow.open(store, **w.options)
        assert again.schedule(w.ada, w.track, actor=w.recruiter, idempotency_key="k").replayed

    played(story())


def test_a_single_run_of_a_dispatcher_is_awaited(memory_world):
    w, held = memory_world, Held()
    w.schedule()

    async def story():
        sending = asyncio.ensure_future(aio.dispatch_due(dispatcher_of(w.engine, held)))
        await seen(held.arrived)
        assert not sending.done()
        held.go_on.set()
        assert (await sending).accepted == 1

    played(story())


def test_a_dispatcher_takes_none_of_the_loops_threads(memory_world):
    w, box = memory_world, Mailbox()

    async def story():
        asyncio.get_running_loop().set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
        running = asyncio.ensure_future(aio.run_dispatcher(dispatcher_of(w.engine, box)))
        await aio.AsyncEngine(w.engine).schedule(w.ada, w.track, actor=w.recruiter)  # needs the only thread
        while not box.mails:
            await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    played(story())


def test_what_a_dispatcher_raises_is_raised_or_told(memory_world):
    w = memory_world

    class Out(BaseException):
        pass

    class Ending(Held):
        def send(self, mail):
            super().send(mail)
            raise Out("mine")

    async def story():
        told = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        held = Ending()
        w.schedule()
        running = asyncio.ensure_future(aio.run_dispatcher(dispatcher_of(w.engine, held)))
        await seen(held.arrived)
        running.cancel()
        await asyncio.sleep(0.01)
        running.cancel()  # a second time: it still ends first
        held.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert [type(context["exception"]) for context in told] == [Out]

        held = Ending()
        held.go_on.set()
        w.engine.schedule(w.ada, "other", actor=w.recruiter)
        with pytest.raises(Out):
            await aio.run_dispatcher(dispatcher_of(w.engine, held))

    played(story())


def test_a_joined_sqlite_connection_belongs_to_its_thread(tmp_path):
    file = tmp_path / "a.db"
    w = World(f"sqlite:{file}")

    async def story():
        db = sqlite3.connect(file)
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.ProgrammingError, match="thread"):
            await aio.AsyncEngine(w.engine.on(db)).schedule(w.ada, "t", actor=w.recruiter)
        db.close()

        loop = asyncio.get_running_loop()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:  # the one way: its own thread
            db = await loop.run_in_executor(pool, sqlite3.connect, str(file))
            await loop.run_in_executor(pool, db.execute, "BEGIN IMMEDIATE")
            joined = await loop.run_in_executor(pool, w.engine.on, db)
            await aio.AsyncEngine(joined, pool).schedule(w.ada, "t", actor=w.recruiter)
            await loop.run_in_executor(pool, db.commit)
            await loop.run_in_executor(pool, db.close)
        assert len(w.engine.list(actor=w.recruiter)) == 1

    played(story())
