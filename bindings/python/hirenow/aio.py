"""The engine for asyncio: the same calls, awaited. Each runs on a worker thread and leaves the event loop free.

    engine = await hirenow.aio.open("sqlite:ats.db", keys="keys.json")
    await engine.retake(interview_id, actor=recruiter, idempotency_key=key)

A call that is cancelled while it waits for a thread is not made; one that has begun ends as it would have, and its
answer is dropped. Give every change an idempotency key, and what became of it can be asked again.

Calls come from whatever thread is free. A connection of Python's `sqlite3` that was opened with `check_same_thread`
(its default) refuses that: around `engine.on(connection)` give `AsyncEngine` an executor whose one thread opened the
connection, or open it with `check_same_thread=False`.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from concurrent.futures import Executor
import threading
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Coroutine, Iterator, Optional, TypeVar

from . import _engine
from ._dispatcher import Dispatcher
from ._engine import Engine, InterviewId
from ._mail_model import DispatchReport
from ._model import Actor, AuditEntry, ListPage, ListRow, Message
from ._policies import Document
from ._policy_model import StoredPolicy, WhatIfPage
from ._words import InterviewState, MessageState, RunningWaits

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec, Self

    _P = ParamSpec("_P")
_R = TypeVar("_R")


def _awaited(
    method: Callable[Concatenate[Engine, _P], _R],
) -> Callable[Concatenate[AsyncEngine, _P], Coroutine[Any, Any, _R]]:
    async def call(self: AsyncEngine, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        context = contextvars.copy_context()
        work = functools.partial(context.run, method, self.engine, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)

    functools.update_wrapper(call, method)
    return call


def _opening(function: Callable[_P, Engine]) -> Callable[_P, Coroutine[Any, Any, AsyncEngine]]:
    async def call(*args: _P.args, **kwargs: _P.kwargs) -> AsyncEngine:
        work = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
        return AsyncEngine(await asyncio.get_running_loop().run_in_executor(None, work))

    functools.update_wrapper(call, function)
    return call


class AsyncEngine:
    """An engine whose calls are awaited. Calls run on `executor`, or on the loop's own."""

    def __init__(self, engine: Engine, executor: Optional[Executor] = None) -> None:
        self.engine = engine
        self.executor = executor

    async def __aenter__(self) -> Self:
        """The engine itself; the block's end closes it."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Closes the engine."""
        await self.close()

    close = _awaited(Engine.close)
    schedule = _awaited(Engine.schedule)
    retake_eligibility = _awaited(Engine.retake_eligibility)
    retake = _awaited(Engine.retake)
    reissue = _awaited(Engine.reissue)
    request_link = _awaited(Engine.request_link)
    inspect = _awaited(Engine.inspect)
    start = _awaited(Engine.start)
    resume = _awaited(Engine.resume)
    checkpoint = _awaited(Engine.checkpoint)
    submit = _awaited(Engine.submit)
    withdraw = _awaited(Engine.withdraw)
    decide = _awaited(Engine.decide)
    reopen = _awaited(Engine.reopen)
    void_attempt = _awaited(Engine.void_attempt)
    accommodate = _awaited(Engine.accommodate)
    cancel = _awaited(Engine.cancel)
    update_applicant = _awaited(Engine.update_applicant)
    record_fact = _awaited(Engine.record_fact)
    set_policy = _awaited(Engine.set_policy)
    grant_waiver = _awaited(Engine.grant_waiver)
    approve_waiver = _awaited(Engine.approve_waiver)
    revoke_waiver = _awaited(Engine.revoke_waiver)
    waivers = _awaited(Engine.waivers)
    redrive = _awaited(Engine.redrive)
    drop = _awaited(Engine.drop)
    erase_applicant = _awaited(Engine.erase_applicant)
    sweep = _awaited(Engine.sweep)
    find = _awaited(Engine.find)
    permitted_actions = _awaited(Engine.permitted_actions)
    list = _awaited(Engine.list)
    history = _awaited(Engine.history)
    read_progress = _awaited(Engine.read_progress)
    read_audit = _awaited(Engine.read_audit)
    verify_audit = _awaited(Engine.verify_audit)
    audit_checkpoint = _awaited(Engine.audit_checkpoint)
    verify_audit_checkpoint = _awaited(Engine.verify_audit_checkpoint)
    read_messages = _awaited(Engine.read_messages)
    link_of = _awaited(Engine.link_of)
    link_for_row = _awaited(Engine.link_for_row)

    async def pages(
        self,
        *,
        actor: Actor,
        state: Optional[InterviewState] = None,
        track: str = "",
        applicant_id: str = "",
        limit: int = 50,
        with_counts: bool = False,
    ) -> AsyncIterator[ListPage]:
        """All pages, one after the other."""
        cursor = ""
        while True:
            page = await self.list(
                actor=actor,
                state=state,
                track=track,
                applicant_id=applicant_id,
                cursor=cursor,
                limit=limit,
                with_counts=with_counts,
            )
            yield page
            if not page.next:
                return
            cursor = page.next

    async def interviews(
        self, *, actor: Actor, state: Optional[InterviewState] = None, track: str = "", applicant_id: str = ""
    ) -> AsyncIterator[ListRow]:
        """All rows of all pages."""
        async for page in self.pages(actor=actor, state=state, track=track, applicant_id=applicant_id, limit=500):
            for row in page.rows:
                yield row

    async def audit(self, applicant_id: str, *, actor: Actor) -> AsyncIterator[AuditEntry]:
        """All audit entries, read page by page."""
        after = 0
        while True:
            entries = await self.read_audit(applicant_id, actor=actor, after=after, limit=500)
            for entry in entries:
                yield entry
            if len(entries) < 500:
                return
            after = entries[-1].sequence

    async def messages(
        self, *, actor: Actor, interview_id: Optional[InterviewId] = None, state: Optional[MessageState] = None
    ) -> AsyncIterator[Message]:
        """All messages of the actor's tenant, by key; the next page is read when it is reached."""
        after = None
        while True:
            page = await self.read_messages(
                actor=actor, interview_id=interview_id, state=state, after=after, limit=500
            )
            for message in page:
                yield message
            if len(page) < 500:
                return
            after = page[-1].key

    async def policies(self, *, actor: Actor, track: str = "") -> AsyncIterator[StoredPolicy]:
        """All policies of the actor's tenant, or of one track: the last one first, planned ones among them."""
        async for policy in self._each(self.engine.policies(actor=actor, track=track)):
            yield policy

    async def what_if(
        self,
        document: Document,
        *,
        actor: Actor,
        track: str = "",
        limit: int = 100,
        cursor: str = "",
        running_waits: RunningWaits = RunningWaits.REPLACE,
    ) -> AsyncIterator[WhatIfPage]:
        """What would change if this policy were set now: pages of `limit` applicants each."""
        pages = self.engine.what_if(
            document, actor=actor, track=track, limit=limit, cursor=cursor, running_waits=running_waits
        )
        async for page in self._each(pages):
            yield page

    async def _each(self, iterator: Iterator[_R]) -> AsyncIterator[_R]:
        """What an iterator of the engine's gives, each taken on a worker thread."""
        while True:
            work = functools.partial(contextvars.copy_context().run, next, iterator, None)
            one = await asyncio.get_running_loop().run_in_executor(self.executor, work)
            if one is None:
                return
            yield one


open = _opening(_engine.open)  # noqa: A001: reads as aio.open
"""`hirenow.open`, awaited: what may migrate a file, or wait for its lock."""


async def dispatch_due(
    dispatcher: Dispatcher, limit: int = 1000, *, executor: Optional[Executor] = None
) -> DispatchReport:
    """`Dispatcher.dispatch_due`, awaited. One that is cancelled goes on to its end."""
    work = functools.partial(contextvars.copy_context().run, dispatcher.dispatch_due, limit)
    return await asyncio.get_running_loop().run_in_executor(executor, work)


async def run_dispatcher(dispatcher: Dispatcher, workers: int = 1) -> DispatchReport:
    """Runs a dispatcher beside the loop until the task is cancelled; then what is being sent is finished first.

    It has a thread of its own and takes none of the loop's. What the run raises after the cancellation, the loop's
    exception handler is told.
    """
    loop = asyncio.get_running_loop()
    running: asyncio.Future[DispatchReport] = loop.create_future()

    def tell(report: Optional[DispatchReport], error: Optional[BaseException]) -> None:
        if running.done():
            return
        if error is not None:
            running.set_exception(error)
        elif report is not None:
            running.set_result(report)

    def work() -> None:
        report = error = None
        try:
            report = dispatcher.run(workers)
        except BaseException as raised:  # noqa: B902: handed on
            error = raised
        try:
            loop.call_soon_threadsafe(tell, report, error)
        except RuntimeError:  # the loop was closed meanwhile
            pass

    threading.Thread(
        target=contextvars.copy_context().run, args=(work,), name="hirenow-dispatcher", daemon=True
    ).start()
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():  # a stop that comes before the run has begun would be missed
            dispatcher.stop()
            try:
                await asyncio.wait([running], timeout=0.05)
            except asyncio.CancelledError:
                pass  # cancelled again: it still ends first
        failed = running.exception()
        if failed is not None:
            loop.call_exception_handler(
                {"message": "a dispatcher failed after its task was cancelled", "exception": failed, "future": running}
            )
        raise


__all__ = ["AsyncEngine", "dispatch_due", "open", "run_dispatcher"]
