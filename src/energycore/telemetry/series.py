"""What holds of a device's series: how its gaps are filled, and where it belonged, at each time."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Final

import attrs

from energycore.errors import InvalidValue

__all__ = ["BEGINNING_US", "END_US", "GapPolicy", "SeriesTable", "SeriesVersion", "gap_policy"]

BEGINNING_US: Final = -(1 << 62)
"""Before every instant that a reading may have."""
END_US: Final = 1 << 62
"""After every instant that a reading may have."""


class GapPolicy(Enum):
    """What is known of the time between two readings that are at most `max_gap` apart."""

    HOLD = "hold"
    """The power of a reading holds until the next one, and of the newest until now."""
    LINEAR = "linear"
    """The power changes evenly from one reading to the next."""
    NONE = "none"
    """Nothing: a reading is a sample of its instant, without energy."""


def gap_policy(given: GapPolicy | str) -> GapPolicy:
    """A policy as it is, or by its name.

    Raises:
        InvalidValue: it is neither.
    """
    for policy in GapPolicy:
        if given in (policy, policy.value):
            return policy
    names = ", ".join(policy.value for policy in GapPolicy)
    raise InvalidValue("gap_policy", given, f"one of {names}")


@attrs.frozen(kw_only=True)
class SeriesVersion:
    """What is true of one device from an instant on, until its next version."""

    device_id: int
    valid_from_us: int
    """The first version begins with the device: its registration, or its first reading before."""
    site_id: int | None
    is_active: bool
    """Whether readings are expected."""
    gap_policy: GapPolicy
    max_gap_us: int
    """How long a power is held at most, or how far apart readings of a line are: up to 24 hours."""
    capacity_mwh: int | None
    """What a storage can hold; None for all others."""


@attrs.frozen(eq=False)
class SeriesTable:
    """All versions of some devices, by device and instant."""

    _by_device: Mapping[int, Sequence[SeriesVersion]]

    @classmethod
    def of(cls, versions: Sequence[SeriesVersion]) -> "SeriesTable":
        """A table of versions in any order."""
        by_device: dict[int, list[SeriesVersion]] = {}
        for version in sorted(versions, key=lambda v: (v.device_id, v.valid_from_us)):
            by_device.setdefault(version.device_id, []).append(version)
        return cls(by_device)

    @property
    def device_ids(self) -> tuple[int, ...]:
        """The devices, in order."""
        return tuple(self._by_device)

    def select(self, ids: Sequence[int]) -> "SeriesTable":
        """The versions of these devices only."""
        wanted = sorted(set(ids) & self._by_device.keys())
        return SeriesTable({device_id: self._by_device[device_id] for device_id in wanted})

    def versions(self, device_id: int) -> Sequence[SeriesVersion]:
        """The versions of one device, oldest first."""
        return self._by_device.get(device_id, ())

    def spans(self, device_id: int, site_id: int | None = None) -> list[tuple[int, int]]:
        """When readings of a device are expected, as [from, to) in epoch microseconds.

        Args:
            device_id: the device.
            site_id: only the time that it spent in this site.
        """
        return _joined(
            (version.valid_from_us, end_us)
            for version, end_us in self._with_ends(device_id)
            if version.is_active and (site_id is None or version.site_id == site_id)
        )

    def stays(self, device_id: int, site_id: int) -> list[tuple[int, int]]:
        """When a device belonged to a site, in service or not."""
        return _joined(
            (version.valid_from_us, end_us)
            for version, end_us in self._with_ends(device_id)
            if version.site_id == site_id
        )

    def longest_gap_us(self, *, linear: bool = False) -> int:
        """The longest time that any reading tells something about.

        Args:
            linear: only of the devices whose power is interpolated, where a reading also tells
                something about the time before it.
        """
        return max(
            (
                version.max_gap_us
                for versions in self._by_device.values()
                for version in versions
                if not linear or version.gap_policy is GapPolicy.LINEAR
            ),
            default=0,
        )

    @property
    def reach_us(self) -> tuple[int, int]:
        """How far before and after its instant a reading of any of these says anything."""
        return self.longest_gap_us(linear=True), self.longest_gap_us()

    def with_stops(self, device_id: int) -> list[tuple[SeriesVersion, int]]:
        """The versions of a device, each with the instant from which on its readings are void.

        That is when the device is next taken out of service, `END_US` where it never is, and the
        beginning of the version where it is out of service in that one.

        Args:
            device_id: the device, which has versions.

        Returns:
            The pairs, oldest first.
        """
        result: list[tuple[SeriesVersion, int]] = []
        stop_us = END_US
        for version in reversed(self._by_device[device_id]):
            if not version.is_active:
                stop_us = version.valid_from_us
            result.append((version, stop_us))
        return result[::-1]

    def _with_ends(self, device_id: int) -> list[tuple[SeriesVersion, int]]:
        versions = self.versions(device_id)
        ends = [version.valid_from_us for version in versions[1:]]
        return list(zip(versions, [*ends, END_US], strict=False))


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for begin, end in spans:
        if joined and joined[-1][1] == begin:
            joined[-1] = joined[-1][0], end
        elif begin < end:
            joined.append((begin, end))
    return joined
