"""Services over each storage backend, with a clock that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.services.suite import Services
from energycore.wiring.connect import open_storage

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@pytest.fixture
def scope() -> Scope:
    return Scope("acme")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "memory":
        url = "memory://"
    elif request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    else:
        url = request.getfixturevalue("postgresql_url")
    opened = open_storage(url)
    yield opened
    opened.close()


@pytest.fixture
def services(storage: Storage, clock: HandClock) -> Services:
    keys = iter(range(1_000, 2_000))
    return Services.over(storage, clock, draw_noise_key=lambda: next(keys), seed=7)
