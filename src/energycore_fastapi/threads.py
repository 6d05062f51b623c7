"""The threads in which an application answers its GraphQL requests."""

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from attrs import frozen

__all__ = ["RequestThreads"]

Result = TypeVar("Result")

_PATIENCE_S: Final = 2.0


class RequestThreads:
    """A bounded set of threads that belongs to one application.

    A hop into one of these threads and back costs two thirds of one through the standard
    executor, and less than half of one through anyio.

    A server starts an application's lifespan, but not that of an application mounted inside
    another: the threads therefore start with the first request, and end with the lifespan if
    there is one, else with the application itself.

    Args:
        max_threads: the most requests that are answered at one time; further ones wait.
        patience_s: how long the end waits for requests under way [s].
    """

    def __init__(self, max_threads: int, *, patience_s: float = _PATIENCE_S) -> None:
        self._max_threads = max_threads
        self._patience_s = patience_s
        self._started: _Started | None = None
        self._starting = threading.Lock()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread, with the context variables of the caller."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        started = self._started or self._start()
        started.tasks.put(_Task(work=work, future=future, loop=loop, context=copy_context()))
        return await future

    def close(self) -> None:
        """End the threads when all requests have been answered; the next request starts others.

        A server that stops has waited for its requests already. A thread that is still at one
        whose client was given up is not waited for longer than the patience: it ends with its
        request, or with the process.
        """
        started, self._started = self._started, None
        if started is not None:
            started.stop()
            end = time.monotonic() + self._patience_s
            for thread in started.threads:
                thread.join(max(0.0, end - time.monotonic()))

    @asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Close the threads at the end of an application."""
        try:
            yield
        finally:
            self.close()

    def _start(self) -> "_Started":
        with self._starting:
            if self._started is None:
                tasks: SimpleQueue[_Task | None] = SimpleQueue()
                threads = [_thread(tasks, number) for number in range(self._max_threads)]
                stop = weakref.finalize(self, _end, tasks, len(threads))
                self._started = _Started(tasks=tasks, threads=threads, stop=stop)
            return self._started


@frozen(kw_only=True)
class _Task:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    context: Context

    def run(self) -> None:
        if self.future.cancelled():
            return
        result, error = None, None
        try:
            result = self.context.run(self.work)
        except BaseException as raised:  # noqa: BLE001 - it belongs to whoever awaits the result
            error = raised
        try:
            self.loop.call_soon_threadsafe(_settle, self.future, result, error)
        except RuntimeError:
            # The loop was closed meanwhile: nobody waits any more.
            return


@frozen(kw_only=True)
class _Started:
    tasks: "SimpleQueue[_Task | None]"
    threads: list[threading.Thread]
    stop: Callable[[], object]


def _thread(tasks: "SimpleQueue[_Task | None]", number: int) -> threading.Thread:
    # A daemon, for an application that is never closed must not keep its process alive.
    thread = threading.Thread(
        target=_serve, args=(tasks,), name=f"energycore-graphql-{number}", daemon=True
    )
    thread.start()
    return thread


def _serve(tasks: "SimpleQueue[_Task | None]") -> None:
    while (task := tasks.get()) is not None:
        task.run()
        del task  # what the request held must not wait for the next one


def _end(tasks: "SimpleQueue[_Task | None]", count: int) -> None:
    for _ in range(count):
        tasks.put(None)


def _settle(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
