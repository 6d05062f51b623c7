"""A proxy in front of PostgreSQL's socket that cuts the connection after so many bytes."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

__all__ = ["cutting_proxy"]


async def _pipe(reader, writer, budget):
    """Carry bytes on; budget[0] is how many more may pass, or None for any number."""
    try:
        while data := await reader.read(4_096):
            if budget is not None:
                data = data[: budget[0]]
                budget[0] -= len(data)
            writer.write(data)
            await writer.drain()
            if budget is not None and budget[0] <= 0:
                break
    except ConnectionError:
        pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.contextmanager
def cutting_proxy(target: Path, folder: Path, budget: list[int]) -> Iterator[Path]:
    """Listen on a socket in a folder, and carry at most `budget[0]` bytes to the server.

    Args:
        target: the server's socket.
        folder: where the proxy's socket is, named as PostgreSQL's own.
        budget: bytes from clients that may pass; then both sides are cut.
    """
    path = folder / target.name
    loop = asyncio.new_event_loop()

    async def serve(reader, writer):
        up_reader, up_writer = await asyncio.open_unix_connection(target)
        await asyncio.gather(_pipe(reader, up_writer, budget), _pipe(up_reader, writer, None))

    async def run(ready, stop):
        async with await asyncio.start_unix_server(serve, path):
            ready.set()
            await stop.wait()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    ready, stop = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(ready, stop)))
    thread.start()
    try:
        assert ready.wait(10)
        yield path
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
