"""Tiers: the resolutions that totals are kept in, and for how long."""

from datetime import timedelta
from enum import Enum
from typing import Any, Final

import attrs

from energycore.errors import InvalidValue

__all__ = ["US_PER_DAY", "US_PER_QUARTER", "Retention", "SeriesKind", "Tier"]

US_PER_QUARTER: Final = 900_000_000
US_PER_DAY: Final = 86_400_000_000


class Tier(Enum):
    """A resolution of kept totals, from fine to coarse."""

    QUARTER_HOUR = "quarter_hour"
    """Aligned in UTC, from which local hours and days follow in every zone from 1973 on."""
    DAY = "day"
    """In the zone of the site, or the tenant's default zone."""
    MONTH = "month"
    """In the same zone."""


class SeriesKind(Enum):
    """What totals are kept of."""

    DEVICE = "device"
    SITE = "site"
    """The counted devices of a site while they were its members."""
    FLEET = "fleet"
    """All counted devices of a tenant; its identity is 0."""


def _kept(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if value is not None and not (isinstance(value, timedelta) and value >= timedelta(days=1)):
        raise InvalidValue(attribute.name, value, "a timedelta of a day or more, or None for ever")


@attrs.frozen(kw_only=True)
class Retention:
    """For how long each resolution is kept in the database; None is for ever.

    Raises:
        InvalidValue: a time is shorter than a day, or than that of a finer resolution.
    """

    raw: timedelta | None = attrs.field(default=timedelta(days=7), validator=_kept)
    quarter_hour: timedelta | None = attrs.field(default=timedelta(days=90), validator=_kept)
    day: timedelta | None = attrs.field(default=timedelta(days=730), validator=_kept)
    month: timedelta | None = attrs.field(default=None, validator=_kept)

    def __attrs_post_init__(self) -> None:
        times = [self.raw, self.quarter_hour, self.day, self.month]
        names = [field.name for field in attrs.fields(Retention)]
        for finer, coarser, name in zip(times[:-1], times[1:], names[1:], strict=True):
            if coarser is not None and (finer is None or finer > coarser):
                raise InvalidValue(name, coarser, "at least as long as a finer resolution is kept")
