"""What all device kinds share: a name, a role, a largest power, a behaviour."""

from enum import Enum
from typing import ClassVar

import attrs

from energycore.devices.fields import about, text
from energycore.errors import InvalidValue
from energycore.quantities.instants import US_PER_SECOND
from energycore.simulation.behaviour import Behaviour

__all__ = ["DataSource", "Device", "Role", "StorageMode", "fields_of_kind", "storage_mode"]


class Role(Enum):
    """What the power of a kind means in totals."""

    SOURCE = "source"
    """Generates; counted."""
    LOAD = "load"
    """Consumes; counted."""
    STORAGE = "storage"
    """Charges and discharges; counted."""
    METER = "meter"
    """Measures what others do; never counted."""

    @property
    def is_counted(self) -> bool:
        """Whether the power of the kind belongs into totals."""
        return self is not Role.METER


class StorageMode(Enum):
    """What a storage does: take energy in, give it back, or neither."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    IDLE = "idle"


def storage_mode(given: StorageMode | str) -> StorageMode:
    """A mode as it is, or by its name.

    Raises:
        InvalidValue: it is neither.
    """
    for mode in StorageMode:
        if given in (mode, mode.value):
            return mode
    raise InvalidValue("mode", given, f"one of {', '.join(mode.value for mode in StorageMode)}")


class DataSource(Enum):
    """Who says what a device does: a tick, or its readings."""

    SIMULATED = "simulated"
    REPORTED = "reported"

    def default_max_gap_us(self, step_us: int) -> int:
        """How long one reading's power holds: a step when simulated, 5 minutes when reported."""
        return step_us if self is DataSource.SIMULATED else 300 * US_PER_SECOND


def _noise_key(instance: object, attribute: "attrs.Attribute[int | None]", value: object) -> None:
    if value is not None and (not isinstance(value, int) or not 0 <= value < 1 << 64):
        raise InvalidValue(attribute.name, value, "a whole number of 64 bits, or None")


@attrs.frozen(kw_only=True)
class Device:
    """Anything that produces, consumes or stores energy, described by its ratings.

    A kind is a frozen subclass with the class variables below and one annotated field for each
    rating; from it follow storage, JSON, the GraphQL types and the reference pages.
    """

    kind: ClassVar[str]
    """Registered name in lower_snake_case, such as `solar_panel`."""
    role: ClassVar[Role]
    behaviour: ClassVar[Behaviour]
    """What devices of this kind do when simulated."""

    name: str = attrs.field(validator=text, metadata=about("Name, unique within its site."))
    noise_key: int | None = attrs.field(
        default=None,
        validator=_noise_key,
        metadata=about(
            "Key of the device's random numbers: from its names in a simulation or home file, "
            "drawn at registration otherwise."
        ),
    )

    @property
    def largest_power_w(self) -> float:
        """The largest power that the device can produce or draw [W]."""
        raise NotImplementedError(f"{type(self).__name__} declares no largest_power_w")


def fields_of_kind(kind: type[Device]) -> tuple["attrs.Attribute[object]", ...]:
    """The rating fields of a kind: all its fields but those that every device has."""
    shared = {field.name for field in attrs.fields(Device)}
    return tuple(field for field in attrs.fields(kind) if field.name not in shared)
