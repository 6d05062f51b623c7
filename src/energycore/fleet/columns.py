"""Many devices side by side: one set of columns for each kind, ordered by site."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
from numpy.typing import NDArray

from energycore.devices.base import Device, Role, fields_of_kind
from energycore.quantities.units import FloatArray, IntArray
from energycore.simulation.behaviour import Columns
from energycore.simulation.dispatch import Dispatch, Manual
from energycore.simulation.noise import KeyArray

__all__ = ["DeviceState", "Fleet", "KindColumns", "Member"]

DeviceState = Mapping[str, int | float]
"""The internal state of one device by name, in the columns of its kind's behaviour."""


@attrs.frozen(kw_only=True)
class Member:
    """One device on its way into a fleet."""

    device_id: int
    device: Device
    noise_key: int
    site: int | None
    """Any number that devices of one site share; None for a device that belongs to none."""
    zone: ZoneInfo
    state: DeviceState
    dispatch: Dispatch | None = None
    """The strategy of a storage; None for all others."""


@attrs.frozen(kw_only=True, eq=False)
class KindColumns:
    """The n devices of one kind, ordered by site; arrays of shape (n,).

    `site_index` counts the sites of the fleet from 0; devices that belong to none carry the
    number of sites. `dispatch_index` points into `dispatches`, both empty unless storage.
    """

    kind: type[Device]
    device_id: IntArray
    site_index: NDArray[np.int32]
    zone_index: NDArray[np.int32]
    noise_key: KeyArray
    ratings: Columns
    """As `Behaviour.prepare` made them."""
    state: Columns
    dispatches: tuple[Dispatch, ...] = ()
    dispatch_index: NDArray[np.int16] = attrs.field(factory=lambda: np.empty(0, dtype=np.int16))

    def __len__(self) -> int:
        return len(self.device_id)

    @property
    def is_storage(self) -> bool:
        """Whether devices of this kind keep energy."""
        return self.kind.role is Role.STORAGE


@attrs.frozen(kw_only=True, eq=False)
class Fleet:
    """Columns of all kinds, and the sites and time zones that they point to."""

    kinds: tuple[KindColumns, ...]
    zones: tuple[ZoneInfo, ...]
    site_count: int

    def __len__(self) -> int:
        return sum(len(columns) for columns in self.kinds)

    @classmethod
    def of(cls, members: Iterable[Member]) -> "Fleet":
        """Lay members out as columns; their order does not matter."""
        everyone = list(members)
        keys = sorted({member.site for member in everyone if member.site is not None})
        sites: dict[int | None, int] = {key: index for index, key in enumerate(keys)}
        sites[None] = len(keys)
        zones = {key: index for index, key in enumerate(sorted({m.zone.key for m in everyone}))}
        by_kind: dict[type[Device], list[Member]] = {}
        for member in everyone:
            by_kind.setdefault(type(member.device), []).append(member)
        return cls(
            kinds=tuple(
                _columns(kind, by_kind[kind], sites, zones)
                for kind in sorted(by_kind, key=lambda kind: kind.kind)
            ),
            zones=tuple(ZoneInfo(key) for key in zones),
            site_count=len(keys),
        )

    def device_states(self) -> dict[int, DeviceState]:
        """The internal state of each device, as plain numbers."""
        states: dict[int, DeviceState] = {}
        for columns in self.kinds:
            names = list(columns.state)
            rows = zip(*(columns.state[name].tolist() for name in names), strict=True)
            if names:
                ids = columns.device_id.tolist()
                states |= {
                    device: dict(zip(names, row, strict=True))
                    for device, row in zip(ids, rows, strict=True)
                }
        return states


def _columns(
    kind: type[Device],
    members: Sequence[Member],
    sites: Mapping[int | None, int],
    zones: Mapping[str, int],
) -> KindColumns:
    # Names differ within a site, so that equal noise keys leave nothing to the order of members.
    members = sorted(
        members, key=lambda m: (sites[m.site], m.noise_key, m.device.name, m.device_id)
    )
    dispatches, dispatch_index = _dispatches(kind, members)
    return KindColumns(
        kind=kind,
        device_id=np.array([m.device_id for m in members], dtype=np.int64),
        site_index=np.array([sites[m.site] for m in members], dtype=np.int32),
        zone_index=np.array([zones[m.zone.key] for m in members], dtype=np.int32),
        noise_key=np.array([m.noise_key for m in members], dtype=np.uint64),
        ratings=kind.behaviour.prepare(_ratings(kind, [m.device for m in members])),
        state=_states(kind, [m.state for m in members]),
        dispatches=dispatches,
        dispatch_index=dispatch_index,
    )


def _ratings(kind: type[Device], devices: Sequence[Device]) -> dict[str, FloatArray]:
    return {
        field.name: np.array([getattr(device, field.name) for device in devices], dtype=np.float64)
        for field in fields_of_kind(kind)
    }


def _states(kind: type[Device], states: Sequence[DeviceState]) -> dict[str, NDArray[Any]]:
    return {
        name: np.array([state.get(name, column.initial) for state in states], dtype=column.dtype)
        for name, column in kind.behaviour.state_columns.items()
    }


def _dispatches(
    kind: type[Device], members: Sequence[Member]
) -> tuple[tuple[Dispatch, ...], NDArray[np.int16]]:
    if kind.role is not Role.STORAGE:
        return (), np.empty(0, dtype=np.int16)
    chosen = [member.dispatch or Manual() for member in members]
    distinct = tuple(dict.fromkeys(chosen))
    position = {dispatch: index for index, dispatch in enumerate(distinct)}
    return distinct, np.array([position[dispatch] for dispatch in chosen], dtype=np.int16)
