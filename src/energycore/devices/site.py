"""Sites: the homes that devices belong to."""

from zoneinfo import ZoneInfo

import attrs

from energycore.devices.fields import about, between, number, text
from energycore.errors import InvalidValue
from energycore.quantities.zones import load_zone

__all__ = ["Site"]


def _time_zone(instance: object, attribute: "attrs.Attribute[str]", value: str) -> None:
    load_zone(value, attribute.name)


@attrs.frozen(kw_only=True)
class Site:
    """A home or building: a name, a time zone and, if known, a place.

    Args:
        name: what people call it.
        time_zone: IANA name, such as Europe/Berlin.
        latitude: degrees, + north; with `longitude` or not at all.
        longitude: degrees, + east.
    """

    name: str = attrs.field(validator=text, metadata=about("What people call it."))
    time_zone: str = attrs.field(
        default="UTC", validator=_time_zone, metadata=about("IANA time zone name.")
    )
    latitude: float | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(number),
        validator=attrs.validators.optional(between(-90.0, 90.0, "degrees")),
        metadata=about("Degrees, + north."),
    )
    longitude: float | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(number),
        validator=attrs.validators.optional(between(-180.0, 180.0, "degrees")),
        metadata=about("Degrees, + east."),
    )

    @longitude.validator
    def _check_both(self, attribute: "attrs.Attribute[float | None]", value: float | None) -> None:
        if (value is None) != (self.latitude is None):
            missing = "longitude" if value is None else "latitude"
            raise InvalidValue(missing, None, "given when the other coordinate is")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return load_zone(self.time_zone)
