"""One socket from connection_init to its end, as graphql-transport-ws says."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from graphql import GraphQLError

from energycore.errors import StorageUnavailable
from energycore.graphql.faults import MEANT_FOR_CLIENTS, shown
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.live.limits import SocketLimits
from energycore.graphql.live.messages import CloseCode, Closed, Message, encode, parse
from energycore.graphql.live.operations import Operation, Run
from energycore.graphql.parameters import NotServed, read_parameters

__all__ = ["ContextOf", "Session"]

_LOG: Final = logging.getLogger(__name__)
_TURNS: Final = 4
_GRACE_S: Final = 5.0

ContextOf = Callable[[Mapping[str, Any]], Awaitable[object]]
"""Makes the context value of a client from the payload of its connection_init."""


class Session:
    """A socket that has been accepted.

    Args:
        engine: answers.
        context_of: tells who the client is, or raises to refuse it.
        run: runs something in a thread.
        limits: of the socket.
        receive: gives the next event of the socket.
        send: takes an event for the socket.
    """

    def __init__(
        self,
        engine: GraphQLEngine,
        context_of: ContextOf,
        run: Run,
        limits: SocketLimits,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        self.engine = engine
        self.limits = limits
        self.run = run
        self.turns = asyncio.Semaphore(_TURNS)
        self._context_of = context_of
        self._receive = receive
        self._write = send
        self._writing = asyncio.Lock()
        self._payload: Mapping[str, Any] | None = None
        self._context: object = None
        self._is_acknowledged = False
        self._operations: dict[str, Operation] = {}
        self._executing = 0
        self._watching: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._heard_s = 0.0
        self._is_closed = False
        self._patience = asyncio.timeout(None)

    async def serve(self) -> None:
        """Serve the client until the socket is closed, by whichever side."""
        loop = asyncio.get_running_loop()
        self._heard_s = loop.time()
        try:
            async with self._patience:
                if self.limits.init_timeout_s is not None:
                    self._patience.reschedule(loop.time() + self.limits.init_timeout_s)
                await self._hear()
        except TimeoutError:
            await self._close(Closed(CloseCode.INIT_TIMEOUT, "Connection init timeout"))
        finally:
            self._end()
            await self._ended()

    def _end(self) -> None:
        self._is_closed = True
        for operation in self._operations.values():
            operation.end()

    async def _ended(self) -> None:
        """Let what is being executed come to its end; nothing waits for the client any more."""
        if self._watching is not None:
            self._watching.cancel()
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=_GRACE_S)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _hear(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return
            if self._is_closed:
                continue
            self._heard_s = asyncio.get_running_loop().time()
            try:
                message = parse(event.get("text"), self.limits.max_message_bytes)
                await self._take(message)
            except Closed as closed:
                await self._close(closed)

    async def _take(self, message: Message) -> None:
        if message.type == "connection_init":
            await self._init(message.payload or {})
        elif message.type == "ping":
            await self.send(encode("pong", payload=message.payload))
        elif message.type == "subscribe":
            await self._start(message)
        elif message.type == "complete":
            operation = self._operations.pop(message.id, None)
            if operation is not None:
                operation.end()

    async def _init(self, payload: Mapping[str, Any]) -> None:
        if self._payload is not None:
            raise Closed(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._payload = payload
        self._patience.reschedule(None)
        await self.context(anew=True)
        self._is_acknowledged = True
        await self.send(encode("connection_ack"))
        self._watching = self._keep(self._watch)

    async def _start(self, message: Message) -> None:
        if not self._is_acknowledged:
            raise Closed(CloseCode.UNAUTHORIZED, "Unauthorized")
        if message.id in self._operations:
            reason = f"Subscriber for {message.id} already exists"
            raise Closed(CloseCode.SUBSCRIBER_EXISTS, reason)
        try:
            parameters = read_parameters(message.payload or {})
        except NotServed as refusal:
            raise Closed(CloseCode.BAD_REQUEST, refusal.message) from None
        most = self.limits.max_operations
        if most is not None and self._executing >= most:
            problem = GraphQLError(f"A socket may have {most} operations at one time.")
            error = shown(problem, "TOO_MANY_OPERATIONS")
            await self.send(encode("error", message.id, [error]))
            return
        operation = Operation(self, message.id, parameters)
        self._operations[message.id] = operation
        # Counted until nothing of it is executed any more, whatever the client was told.
        self._executing += 1
        self._keep(partial(self._operate, operation))

    async def _operate(self, operation: Operation) -> None:
        try:
            await operation.serve()
        finally:
            self._executing -= 1
            if self._operations.get(operation.identity) is operation:
                del self._operations[operation.identity]

    async def context(self, *, anew: bool) -> object:
        """The context value of the client; made anew where it is asked again who that is."""
        if anew:
            made = await self._asked()
            if self._is_acknowledged and _tenant(made) != _tenant(self._context):
                raise Closed(CloseCode.FORBIDDEN, "Forbidden")
            self._context = made
        return self._context

    async def _asked(self) -> object:
        try:
            return await self._context_of(self._payload or {})
        except MEANT_FOR_CLIENTS as error:
            raise Closed(CloseCode.FORBIDDEN, error.message) from None
        except StorageUnavailable as error:
            self.engine.faulted(error)
            raise Closed(CloseCode.TRY_AGAIN_LATER, "Try again later") from None
        except Exception as error:  # noqa: BLE001 - the engine logs it, and no text of it gets out
            self.engine.faulted(error)
            raise Closed(CloseCode.INTERNAL_ERROR, "Internal server error") from None

    async def _watch(self) -> None:
        """Ping a client that is silent, and ask again who it is, as long as the socket is open."""
        loop = asyncio.get_running_loop()
        ping_s, recheck_s = self.limits.ping_s, self.limits.recheck_s
        rechecked_s = pinged_s = loop.time()
        while not self._is_closed:
            due = []
            if ping_s is not None:
                due.append(max(self._heard_s, pinged_s) + ping_s)
            if recheck_s is not None:
                due.append(rechecked_s + recheck_s)
            if not due:
                return
            await asyncio.sleep(max(0.0, min(due) - loop.time()))
            now_s = loop.time()
            if ping_s is not None and now_s - self._heard_s >= 2 * ping_s:
                raise Closed(CloseCode.SILENT, "The client does not answer")
            if ping_s is not None and now_s >= max(self._heard_s, pinged_s) + ping_s:
                pinged_s = now_s
                self._keep(partial(self.send, encode("ping")))
            if recheck_s is not None and now_s >= rechecked_s + recheck_s:
                rechecked_s = now_s
                await self.context(anew=True)

    def _keep(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._closing(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _closing(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work, whose failure ends the socket."""
        try:
            # Made here, for a task that is cancelled at once would leave it unawaited.
            await work()
        except Closed as closed:
            await self._close(closed)
        except Exception as error:  # noqa: BLE001 - the engine logs it, and no text of it gets out
            self.engine.faulted(error)
            await self._close(Closed(CloseCode.INTERNAL_ERROR, "Internal server error"))

    async def send(self, text: str) -> None:
        """Send a message; waits while the client does not read."""
        async with self._writing:
            if not self._is_closed:
                await self._put({"type": "websocket.send", "text": text})

    async def _put(self, event: dict[str, object]) -> None:
        try:
            await self._write(event)
        except OSError:
            # How a server says that the client has gone.
            self._end()

    async def _close(self, closed: Closed) -> None:
        if self._is_closed:
            return
        self._end()
        if not self._patience.expired():
            # A server that does not say that the socket has ended is not waited for.
            self._patience.reschedule(asyncio.get_running_loop().time() + _GRACE_S)
        await self._put(
            {"type": "websocket.close", "code": int(closed.code), "reason": closed.reason}
        )


def _tenant(context: object) -> object:
    return getattr(context, "scope", None)
