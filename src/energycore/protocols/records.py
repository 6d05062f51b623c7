"""What storage keeps: sites, devices, their states, shards; and how lists of them are asked for.

Identities are whole numbers, given by storage and never used again. Instants are epoch
microseconds.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Any, Generic, TypeVar

import attrs

from energycore.devices.base import DataSource, Device
from energycore.devices.registry import device_kind
from energycore.devices.site import Site
from energycore.errors import InvalidValue, PageTooLarge
from energycore.fleet.summary import StateTable
from energycore.simulation.dispatch import Dispatch
from energycore.telemetry.series import GapPolicy

__all__ = [
    "DEFAULT_PAGE",
    "MAX_PAGE",
    "Cursor",
    "DeviceFilter",
    "DeviceOrder",
    "DeviceOrderField",
    "DeviceRecord",
    "NewDevice",
    "NewSite",
    "Page",
    "PageRequest",
    "ShardRecord",
    "SiteRecord",
    "StateRecord",
    "StateTable",
]

Item = TypeVar("Item")

MAX_PAGE = 500
DEFAULT_PAGE = 100


@attrs.frozen(kw_only=True)
class NewSite:
    """A site to be stored."""

    site: Site
    registered_at_us: int
    external_id: str | None = None
    """The caller's own key, unique within the tenant."""


@attrs.frozen(kw_only=True)
class SiteRecord(NewSite):
    """A stored site."""

    id: int
    version: int = 1
    """Grows by one with each change."""


@attrs.frozen(kw_only=True)
class NewDevice:
    """A device to be stored."""

    device: Device
    noise_key: int
    """64 bits; the device's own `noise_key` is the same, or None."""
    site_id: int | None = None
    tags: tuple[str, ...] = ()
    """Without repetition, in alphabetical order."""
    external_id: str | None = None
    is_active: bool = True
    data_source: DataSource = DataSource.SIMULATED
    max_gap_us: int
    """How long the power of one reading holds."""
    gap_policy: GapPolicy = GapPolicy.HOLD
    """What is known of the time between two readings."""
    registered_at_us: int
    simulated_from_us: int
    """Ticks before this instant leave the device alone."""
    dispatch: Dispatch | None = None
    """The strategy of a storage, None for all other devices."""


@attrs.frozen(kw_only=True)
class DeviceRecord(NewDevice):
    """A stored device."""

    id: int
    version: int = 1
    """Grows by one with each change of name, site, tags, activity, ratings or dispatch."""


@attrs.frozen(kw_only=True)
class StateRecord:
    """The newest reading of a device: what the world may see of its state."""

    device_id: int
    at_us: int
    power_mw: int
    stored_mwh: int | None


@attrs.frozen(kw_only=True)
class ShardRecord:
    """The unit that ticks advance; each simulated device belongs to one."""

    id: int
    step_us: int
    seed: int
    last_tick_us: int | None
    """The watermark: the newest tick that is stored; None before the first."""


def _several(values: Iterable[Any] | None) -> tuple[Any, ...] | None:
    if isinstance(values, str):
        raise InvalidValue("filter", values, "several texts, not a single one")
    return None if values is None else tuple(values)


@attrs.frozen(kw_only=True)
class DeviceFilter:
    """Every given field must match; None matches all, an empty tuple matches nothing.

    Raises:
        InvalidValue: a single text stands where several are meant.
        UnknownDeviceKind: no installed package declares one of the kinds.
    """

    ids: tuple[int, ...] | None = attrs.field(default=None, converter=_several)
    kinds: tuple[str, ...] | None = attrs.field(default=None, converter=_several)
    site_ids: tuple[int, ...] | None = attrs.field(default=None, converter=_several)
    tags: tuple[str, ...] | None = attrs.field(default=None, converter=_several)
    """Devices that carry any of these tags."""
    name_contains: str | None = None
    """Letter case does not matter."""
    is_active: bool | None = None
    data_sources: tuple[DataSource, ...] | None = attrs.field(default=None, converter=_several)

    def __attrs_post_init__(self) -> None:
        for kind in self.kinds or ():
            device_kind(kind)


class DeviceOrderField(Enum):
    """What a list of devices may be ordered by; equal ones by identity."""

    NAME = "name"
    REGISTERED_AT = "registered_at"
    RATED_POWER = "rated_power"


@attrs.frozen(kw_only=True)
class DeviceOrder:
    """An order of devices; descending is the exact reverse of ascending.

    Names are compared after case folding, by code point.
    """

    field: DeviceOrderField = DeviceOrderField.REGISTERED_AT
    descending: bool = False


@attrs.frozen
class Cursor:
    """A place in an ordered list: the item's key in that order, and its identity."""

    key: str | int | float
    id: int


@attrs.frozen(kw_only=True)
class PageRequest:
    """One page of an ordered list: the first n after a place, or the last n before one.

    Raises:
        InvalidValue: a count is negative, or both `first` and `last` are given.
        PageTooLarge: a count is above `MAX_PAGE`.
    """

    first: int | None = None
    after: Cursor | None = None
    last: int | None = None
    before: Cursor | None = None

    def __attrs_post_init__(self) -> None:
        if self.first is not None and self.last is not None:
            raise InvalidValue("last", self.last, "absent when first is given")
        for field, count in (("first", self.first), ("last", self.last)):
            if count is not None and count < 0:
                raise InvalidValue(field, count, "0 or more")
            if count is not None and count > MAX_PAGE:
                raise PageTooLarge(field, count, f"at most {MAX_PAGE}")

    @property
    def size(self) -> int:
        """How many items are asked for."""
        asked = self.first if self.last is None else self.last
        return DEFAULT_PAGE if asked is None else asked

    @property
    def from_end(self) -> bool:
        """Whether the page is counted from the end of the list."""
        return self.last is not None


@attrs.frozen(kw_only=True)
class Page(Generic[Item]):
    """Items in the order asked for, with the place of each, and what lies around them."""

    items: tuple[Item, ...]
    cursors: tuple[Cursor, ...]
    has_next: bool
    has_previous: bool
    total: int | None = attrs.field(default=None, eq=False)
    """How many items the whole list has, where that was found on the way."""
