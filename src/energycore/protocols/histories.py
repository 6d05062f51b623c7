"""What storage promises about histories: all that answers one, in as few questions as can be."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

import attrs

from energycore.protocols.records import DeviceFilter
from energycore.protocols.scope import Scope
from energycore.protocols.telemetry import Marks, ReadingDay, RollupState, ZoneVersion
from energycore.telemetry.buckets import Buckets
from energycore.telemetry.readings import ReadingBatch
from energycore.telemetry.series import SeriesTable
from energycore.telemetry.tiers import SeriesKind, Tier

__all__ = ["Basis", "BucketPart", "HistoryStore", "ReadingPart", "Window"]


@attrs.frozen(kw_only=True, eq=False)
class Basis:
    """What a history is planned by."""

    table: SeriesTable
    """The versions of its devices."""
    zones: Mapping[int, Sequence[ZoneVersion]]
    """The time zones of each site of the tenant, oldest first."""
    state: RollupState
    """How far the totals have come."""
    setting: str | None
    """The text of the setting that was asked for."""
    marks: Marks
    """The marked days of its devices, by day and device."""
    days: Sequence[ReadingDay]
    """The days whose readings are archived or lost, at least in part; in order."""


class Window(NamedTuple):
    """The buckets of a tier that begin in [start, end)."""

    tier: Tier
    start_us: int
    end_us: int


@attrs.frozen(kw_only=True)
class BucketPart:
    """Kept totals that belong together."""

    series: Sequence[int]
    windows: Sequence[Window]
    """None overlaps another one of its tier."""


@attrs.frozen(kw_only=True)
class ReadingPart:
    """Readings that belong together."""

    ids: Sequence[int]
    stretches: Sequence[tuple[int, int]]
    """Time as [start, end) in epoch microseconds; none overlaps another one."""


class HistoryStore(Protocol):
    """Reads what histories are made of; a database of SQL needs one statement for each question."""

    def basis(
        self,
        scope: Scope,
        filter_: DeviceFilter,
        *,
        members_of: Collection[int] | None = None,
        start_day: int,
        end_day: int,
        setting: str,
    ) -> Basis:
        """What is known of the devices that match, and of the days in [start, end).

        Args:
            scope: the tenant.
            filter_: which devices.
            members_of: only those that belong to any of these sites, or ever did.
            start_day: the first day.
            end_day: the day after the last one.
            setting: the name of a setting.
        """
        ...

    def buckets(
        self, scope: Scope, kind: SeriesKind, parts: Sequence[BucketPart]
    ) -> Sequence[Buckets]:
        """The kept totals of each part, by series and start."""
        ...

    def sums(self, scope: Scope, parts: Sequence[BucketPart]) -> Sequence[Buckets]:
        """Those of each part, which is of devices, added up by interval.

        As `Buckets.summed` gives them, for buckets of equal start and end.
        """
        ...

    def readings(self, scope: Scope, parts: Sequence[ReadingPart]) -> Sequence[ReadingBatch]:
        """The stored readings of each part, by device and instant."""
        ...
