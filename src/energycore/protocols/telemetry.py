"""What storage promises about time: readings, the versions of series, and kept totals.

Days are UTC days, counted from 1970-01-01.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Protocol

import attrs
import numpy as np

from energycore.protocols.archive import ArchivedFile
from energycore.protocols.scope import Scope
from energycore.quantities.units import IntArray
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import SeriesTable, SeriesVersion
from energycore.telemetry.tiers import SeriesKind, Tier

__all__ = [
    "AppendResult",
    "ConflictPolicy",
    "Marks",
    "ReadingDay",
    "RollupState",
    "RollupStore",
    "SeriesStore",
    "TelemetryStore",
    "ZoneVersion",
]


class ConflictPolicy(Enum):
    """What happens to a reading whose device and instant are taken by other values."""

    REJECT = "reject"
    """It is refused, and told so."""
    FIRST = "first"
    """What came first stays; the reading is only counted."""
    LAST = "last"
    """It takes the place of what was stored."""


@attrs.frozen(kw_only=True)
class AppendResult:
    """What became of a batch of readings: every one is counted once."""

    accepted: int
    duplicates: int
    """Readings that were stored already with the same values, or stood twice in the batch."""
    conflicts: IntArray = attrs.field(eq=attrs.cmp_using(eq=np.array_equal))
    """Positions of readings whose device and instant were taken by other values: not stored, or,
    where the last one counts, stored in their place."""


@attrs.frozen(kw_only=True)
class ReadingDay:
    """Where the readings of a tenant's day are."""

    day: int
    has_rows: bool
    """Some are in the store itself."""
    file: ArchivedFile | None
    """The archived file that holds all others."""
    is_lost: bool
    """Readings of the day were dropped without having been archived."""
    revision: int
    """Grows whenever marks of the day are taken."""


class TelemetryStore(Protocol):
    """Keeps readings."""

    def append(
        self,
        scope: Scope,
        batch: ReadingBatch,
        *,
        policy: ConflictPolicy = ConflictPolicy.REJECT,
        reach_us: tuple[int, int] = (0, 0),
    ) -> AppendResult:
        """Store readings of known devices, one for each device and instant.

        Of several readings of one device and instant in a batch the policy takes them in their
        order. The first version of a device's series is moved back to its first reading, and days
        in between that have readings are marked for it. Readings
        that change totals up to the watermark mark their days: those that hold an instant from
        `reach_us[0]` before to `reach_us[1]` after a reading, if that begins before the watermark.

        Raises:
            NotFound: a device is unknown; nothing is stored.
        """
        ...

    def read(
        self,
        scope: Scope,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        limit: int | None = None,
    ) -> ReadingBatch:
        """The stored readings of these devices with start <= instant < end, by device and instant.

        With `limit`, only the first so many of each device.
        """
        ...

    def days(
        self,
        scope: Scope,
        *,
        start_day: int,
        end_day: int,
        hold: bool = False,
        only_lost: bool = False,
    ) -> Sequence[ReadingDay]:
        """The days in [start, end) of which there are or were readings, in order.

        With `hold`, in a writing transaction, no day is dropped until it ends. With `only_lost`
        those whose readings are gone for good.
        """
        ...

    def prepare(self, scope: Scope, *, start_day: int, end_day: int) -> None:
        """Make room for the readings of these days ahead of need.

        A store that needs none does nothing.
        """
        ...

    def drop_day(self, scope: Scope, day: int, *, revision: int, file: ArchivedFile | None) -> bool:
        """Remove a day's readings from the store; from now on they are in `file`, or lost.

        Returns False, and changes nothing, if the day is at another revision, is marked, or
        reaches beyond the watermark: then it holds more than was archived. No reading of the day
        is stored meanwhile.
        """
        ...


@attrs.frozen(kw_only=True)
class ZoneVersion:
    """The time zone of a site from an instant on."""

    valid_from_us: int
    time_zone: str


class SeriesStore(Protocol):
    """Keeps what was true of each device's series, and when."""

    def table(self, scope: Scope, ids: Collection[int] | None = None) -> SeriesTable:
        """The versions of these devices, or of all."""
        ...

    def members(self, scope: Scope, site_ids: Collection[int]) -> Sequence[int]:
        """The devices that belong to any of these sites or ever did, in order."""
        ...

    def put(self, scope: Scope, version: SeriesVersion) -> None:
        """Add a version; one that begins at or before the newest replaces that one's content.

        Raises:
            NotFound: there is no such device.
        """
        ...

    def zones(self, scope: Scope) -> Mapping[int, Sequence[ZoneVersion]]:
        """The time zones of each site, oldest first."""
        ...

    def put_zone(self, scope: Scope, site_id: int, version: ZoneVersion) -> None:
        """Add a zone of a site; one that begins at or before the newest replaces its content.

        Raises:
            NotFound: there is no such site.
        """
        ...


@attrs.frozen(kw_only=True)
class RollupState:
    """How far the totals of a tenant have come."""

    rolled_us: int | None = None
    """The watermark: totals up to here are kept, but for the marked days; None before the first."""
    kept_from_us: Mapping[Tier, int] = attrs.field(factory=dict)
    """Where the buckets of a tier begin to be kept; tiers that lost none are absent."""


@attrs.frozen(kw_only=True, eq=False)
class Marks:
    """Days of devices whose totals do not hold their readings yet; arrays of shape (n,)."""

    device_id: IntArray
    day: IntArray

    def __len__(self) -> int:
        return len(self.day)


class RollupStore(Protocol):
    """Keeps totals, and knows which of them are still to be computed."""

    def state(self, scope: Scope, *, hold: bool = False) -> RollupState:
        """How far the totals have come.

        With `hold`, in a writing transaction, no other unit of work that holds it goes on until
        this one ends: totals are computed by one at a time. Who stores readings is not held up.
        """
        ...

    def advance(self, scope: Scope, *, rolled_us: int) -> None:
        """Move the watermark forward, and mark what lies between for all devices.

        Marked are, from the day of the old watermark on, all days of which there are readings and
        those that follow one. Readings that are stored at the same moment come before it, and are
        covered by these marks, or after it, and mark their days themselves. A watermark that
        stands further on stays.
        """
        ...

    def marks(
        self, scope: Scope, *, ids: Collection[int] | None = None, start_day: int, end_day: int
    ) -> Marks:
        """The marked days in [start, end) of these devices, or of all; by day and device."""
        ...

    def take_marks(self, scope: Scope, day: int) -> Sequence[int]:
        """Remove the marks of a day, whose revision grows; the devices that were marked, in order.

        Whoever is storing readings of them is waited for: what this transaction reads afterwards
        holds them, and what comes later marks the day again.
        """
        ...

    def replace(
        self,
        scope: Scope,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
        buckets: Buckets,
    ) -> None:
        """Let these be the only buckets of these series that begin in [start, end)."""
        ...

    def read(
        self,
        scope: Scope,
        tier: Tier,
        kind: SeriesKind,
        ids: Collection[int],
        *,
        start_us: int,
        end_us: int,
    ) -> Buckets:
        """The buckets of these series that begin in [start, end), by series and start."""
        ...

    def sums(
        self, scope: Scope, tier: Tier, ids: Collection[int], *, start_us: int, end_us: int
    ) -> Buckets:
        """The buckets of these devices that begin in [start, end), added up by interval.

        As `Buckets.summed` gives them, for buckets of equal start and end.
        """
        ...

    def drop(self, scope: Scope, tier: Tier, *, end_us: int) -> int:
        """Remove the buckets that end at or before an instant; how many they were."""
        ...
