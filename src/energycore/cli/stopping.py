"""What a server of uvicorn cuts off when it ends."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["CutOffRequests"]


class CutOffRequests(logging.Filter):
    """Counts the requests that a server of uvicorn cuts off at its end, and keeps its log short."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Read the server's log within the block."""
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(self)
        try:
            yield
        finally:
            logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, asyncio.CancelledError):
            self.count += 1
            return False
        return not record.getMessage().endswith("timeout graceful shutdown exceeded")
