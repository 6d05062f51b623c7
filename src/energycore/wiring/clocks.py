"""Clocks for the outermost layer: the wall's, an accelerated one, and one that follows ticks."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

from energycore.devices.base import DataSource
from energycore.errors import ClockIsSimulated, InvalidValue
from energycore.protocols.clock import Clock
from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.storage import Storage
from energycore.quantities.instants import from_epoch_us
from energycore.services.settings import CLOCK_SETTING

__all__ = [
    "AcceleratedClock",
    "SystemClock",
    "TickClock",
    "store_speed",
    "stored_speed",
    "tenant_clock",
]

MAX_SPEED: Final = 86_400.0


@attrs.frozen
class SystemClock:
    """The computer's clock."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)


class AcceleratedClock:
    """Runs `speed` times as fast as the wall clock, from an instant on.

    Args:
        start: what it shows when it is made.
        speed: seconds of this clock in a second of the wall clock.
        monotonic: counts seconds of the wall clock.
    """

    def __init__(
        self, start: datetime, speed: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.start = start
        self.speed = speed
        self._monotonic = monotonic
        self._origin = monotonic()

    def now(self) -> datetime:
        """This instant by the accelerated clock."""
        return self.start + timedelta(seconds=(self._monotonic() - self._origin) * self.speed)


@attrs.frozen
class TickClock:
    """Stands where the newest stored tick of a tenant ends; before the first, at the wall clock.

    It is the clock of whoever opens a database whose time is not the wall's.
    """

    storage: Storage
    scope: Scope
    fallback: Clock

    def now(self) -> datetime:
        """The end of the newest tick."""
        with self.storage.transaction(write=False) as work:
            shards = work.fleet.shards(self.scope)
        ends = [s.last_tick_us + s.step_us for s in shards if s.last_tick_us is not None]
        return from_epoch_us(max(ends)) if ends else self.fallback.now()


def tenant_clock(storage: Storage, scope: Scope, known: str | None) -> Clock:
    """The clock of a tenant: the wall's, unless it was put on an accelerated one.

    Args:
        storage: where its ticks are.
        scope: the tenant.
        known: the speed that the storage remembers.
    """
    if known is None:
        return SystemClock()
    return TickClock(storage, scope, SystemClock())


def stored_speed(storage: Storage, scope: Scope) -> float | None:
    """How many times faster than the wall clock a tenant's clock runs; None for the wall's own."""
    with storage.transaction(write=False) as work:
        text = work.settings.get(scope, CLOCK_SETTING)
    return None if text is None else float(text)


def store_speed(storage: Storage, scope: Scope, speed: object) -> None:
    """Put a tenant on an accelerated clock, for good.

    Raises:
        InvalidValue: the speed is not above 0 and at most a day a second.
        ClockIsSimulated: the tenant has reported devices, whose readings come by the wall clock.
    """
    if not isinstance(speed, int | float) or not 0.0 < speed <= MAX_SPEED:
        raise InvalidValue("speed", speed, f"above 0 and at most {MAX_SPEED:g}")
    with storage.transaction(write=True) as work:
        reported = DeviceFilter(data_sources=(DataSource.REPORTED,))
        if work.devices.count(scope, reported):
            raise ClockIsSimulated(
                "this database has reported devices, whose readings come by the wall clock: "
                "it cannot run on an accelerated one"
            )
        work.settings.put(scope, CLOCK_SETTING, repr(float(speed)))
