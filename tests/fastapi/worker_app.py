"""The application of a server with several workers; the environment says over which database."""

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI

from energycore.wiring.clocks import SystemClock
from energycore_fastapi import EnergycoreSettings

__all__ = ["TENANTS", "create"]

TENANTS = ("default", "acme")

_LOG = logging.getLogger(__name__)


class Started:
    """Shows `start` at the instant `since`, and runs so many times as fast as the computer's.

    All workers read it alike, however late they start.
    """

    def __init__(self, start: str, since: str, speed: float) -> None:
        self._start = datetime.fromisoformat(start)
        self._since = datetime.fromisoformat(since)
        self._speed = speed

    def now(self) -> datetime:
        return self._start + (SystemClock().now() - self._since) * self._speed


def create() -> FastAPI:
    settings = EnergycoreSettings()
    energy = settings.connect(clock=Started(**json.loads(os.environ["TEST_CLOCK"])))

    def tenants() -> tuple[str, ...]:
        _LOG.warning("worker %d begins a round", os.getpid())
        return TENANTS

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with energy:
            async with settings.ticking(energy, tenants=tenants):
                yield

    return settings.create_app(energy, lifespan=lifespan)
