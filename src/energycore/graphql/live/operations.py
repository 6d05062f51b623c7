"""One operation on a socket: answered once, or for as long as somebody listens."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import attrs
from graphql import OperationType

from energycore.errors import NotAllowed
from energycore.graphql.documents import Refusal
from energycore.graphql.executing import Executed, Prepared
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.live.feeds import Feed, feed_of, root_field
from energycore.graphql.live.limits import SocketLimits
from energycore.graphql.live.messages import encode
from energycore.graphql.parameters import Parameters
from energycore.protocols.channel import Change, Channel, Listening

__all__ = ["Holder", "Operation", "Run"]

Result = TypeVar("Result")

_LOG: Final = logging.getLogger(__name__)


class Run(Protocol):
    """Runs something in a thread; the result is awaited."""

    def __call__(self, work: Callable[[], Result], /) -> Awaitable[Result]:
        """The result of the work."""
        ...


class Holder(Protocol):
    """The socket of an operation, as the operation sees it."""

    engine: GraphQLEngine
    limits: SocketLimits
    run: Run
    turns: asyncio.Semaphore
    """Held while something is executed and sent."""

    async def context(self, *, anew: bool) -> object:
        """The context value of whoever is at the other end.

        Raises:
            Closed: it is nobody any more.
        """
        ...

    async def send(self, text: str) -> None:
        """Send a message; waits while the client does not read."""
        ...


@attrs.define(eq=False)
class Operation:
    """An operation and, of a subscription, what it waits for.

    Args:
        holder: the socket.
        identity: by which the client knows it.
        parameters: what it asks.
    """

    holder: Holder
    identity: str
    parameters: Parameters
    is_over: bool = attrs.field(default=False, init=False)
    """Whether the client knows no such operation any more, and nothing is to be sent for it."""
    _woken: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    _listening: Listening | None = attrs.field(default=None, init=False)

    def end(self) -> None:
        """Send nothing more, and end as soon as what is being executed has come to its end."""
        self.is_over = True
        self._woken.set()

    async def serve(self) -> None:
        """Answer until there is nothing more to answer.

        Raises:
            Closed: the client may not ask any more.
        """
        holder, asked = self.holder, self.parameters
        async with holder.turns:
            context = await holder.context(anew=True)
            prepared = await holder.run(partial(holder.engine.prepare, asked))
            if isinstance(prepared, Refusal):
                await self._refuse(holder.engine.refused(prepared))
                return
            if prepared.operation_type is not OperationType.SUBSCRIPTION:
                await self._answer(prepared, context)
                return
        try:
            await self._subscribe(prepared, context)
        finally:
            self.end()
            if self._listening is not None:
                self._listening.close()

    async def _answer(self, prepared: Prepared, context: object) -> None:
        executed = await self._execute(prepared, context)
        if not executed.has_run:
            await self._refuse(executed)
            return
        await self._send("next", executed.response())
        await self._send("complete")
        self.is_over = True

    async def _subscribe(self, prepared: Prepared, context: object) -> None:
        holder = self.holder
        field = root_field(prepared.document.ast, prepared.operation_name)
        feed = None if field is None else feed_of(field, holder.limits)
        channel: Channel | None = getattr(getattr(context, "services", None), "channel", None)
        scope = getattr(context, "scope", None)
        if feed is None or channel is None or scope is None:
            problem = NotAllowed("there is nothing here that a subscription could listen to")
            await self._refuse(holder.engine.faulted(problem))
            return
        # Before anything is read: what changes from here on is heard of.
        listen = partial(channel.subscribe, scope.tenant, self._waker(feed))
        self._listening = await holder.run(listen)
        if await self._tell(prepared, feed, is_first=True):
            while not self.is_over:
                await self._due(feed)
                if not self.is_over:
                    await self._tell(prepared, feed)

    def _waker(self, feed: Feed) -> Callable[[Change], None]:
        loop = asyncio.get_running_loop()

        def wake(change: Change) -> None:
            if feed.add(change):
                try:
                    loop.call_soon_threadsafe(self._woken.set)
                except RuntimeError:
                    _LOG.debug("a change came after the end of the event loop")

        return wake

    async def _due(self, feed: Feed) -> None:
        """Wait until there is something to ask for, or nobody to ask for."""
        loop = asyncio.get_running_loop()
        while not self.is_over:
            delay_s = feed.due_in(loop.time())
            if delay_s is not None and delay_s <= 0:
                return
            try:
                async with asyncio.timeout(delay_s):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()

    async def _tell(self, prepared: Prepared, feed: Feed, *, is_first: bool = False) -> bool:
        """Ask for what is due and tell it; whether the subscription goes on."""
        loop = asyncio.get_running_loop()
        async with self.holder.turns:
            if self.is_over:
                return False
            context = await self.holder.context(anew=False)
            event = feed.event()
            executed = await self._execute(prepared, context, event)
            if executed.data is None:
                if is_first:
                    # Nothing of it can be answered: a filter that cannot be meant, for example.
                    await self._refuse(executed)
                    return False
                feed.failed(event, loop.time())
            elif not feed.is_news(event, executed.data, loop.time()):
                return True
            await self._send("next", executed.response())
        return True

    async def _execute(self, prepared: Prepared, context: object, event: object = None) -> Executed:
        engine = self.holder.engine

        def execute() -> Executed:
            try:
                return engine.execute(prepared, context, event)
            except Exception as error:  # noqa: BLE001 - the last net: no text of a fault gets out
                return engine.faulted(error)

        return await self.holder.run(execute)

    async def _refuse(self, executed: Executed) -> None:
        await self._send("error", executed.errors)
        self.is_over = True

    async def _send(self, kind: str, payload: Any = None) -> None:
        if not self.is_over:
            await self.holder.send(encode(kind, self.identity, payload))
