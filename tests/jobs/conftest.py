"""Services in memory, with a clock that moves while the tick job waits."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from energycore.protocols.scope import Scope
from energycore.services.suite import Services
from energycore.storage.memory import MemoryStorage

START = datetime(2026, 6, 1, 12, 0, 20, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, at=START):
        self.at = at

    def now(self):
        return self.at


class Waits(threading.Event):
    """Instead of waiting it moves the clock on, and after so many waits it is set."""

    def __init__(self, clock, count, speed=1.0):
        super().__init__()
        self.clock = clock
        self.left = count
        self.speed = speed
        self.lengths_s = []

    def wait(self, timeout=None):
        self.lengths_s.append(timeout)
        self.clock.at += timedelta(seconds=timeout * self.speed)
        self.left -= 1
        if self.left == 0:
            self.set()
        return self.is_set()


@pytest.fixture
def scope():
    return Scope("acme")


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def services(clock):
    return Services.over(MemoryStorage(), clock, draw_noise_key=lambda: 1, seed=7)
