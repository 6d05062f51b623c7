"""Checks of what callers give when they register or change something."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from energycore.devices.base import DataSource, Device
from energycore.devices.fields import MAX_TEXT
from energycore.errors import InvalidValue, KindChanged
from energycore.quantities.instants import duration_us
from energycore.telemetry.series import GapPolicy, gap_policy

__all__ = [
    "check_external_id",
    "check_kept_kind",
    "check_kind",
    "clean_tags",
    "data_source_of",
    "max_gap_us",
    "series_gap_policy",
]

_MAX_TAGS: Final = 50


def clean_tags(tags: Iterable[object]) -> tuple[str, ...]:
    """Tags without repetition, in alphabetical order.

    Raises:
        InvalidValue: a tag is empty, too long or has blanks around it, or there are too many.
    """
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise InvalidValue("tags", tags, "several texts, not a single one")
    kept = sorted({_tag(tag) for tag in tags})
    if len(kept) > _MAX_TAGS:
        raise InvalidValue("tags", len(kept), f"at most {_MAX_TAGS}")
    return tuple(kept)


def _tag(tag: object) -> str:
    if (
        not isinstance(tag, str)
        or not 0 < len(tag) <= MAX_TEXT
        or tag != tag.strip()
        or not tag.isprintable()
    ):
        limit = f"1 to {MAX_TEXT} printable characters without blanks around them"
        raise InvalidValue("tags", tag, limit)
    return tag


def max_gap_us(source: DataSource, max_gap: timedelta | None, step_us: int) -> int:
    """How long a reading's power holds [us]: what is given, or the default of the data source.

    Raises:
        InvalidValue: it is no possible time, or given for a simulated device.
    """
    if max_gap is None:
        return source.default_max_gap_us(step_us)
    if source is DataSource.SIMULATED:
        raise InvalidValue("max_gap", max_gap, "absent for a simulated device")
    return duration_us(max_gap, "max_gap")


def series_gap_policy(source: DataSource, given: GapPolicy | str) -> GapPolicy:
    """The policy of that name, if a device with this data source can have it.

    Raises:
        InvalidValue: there is none, or the device is simulated, whose power always holds.
    """
    policy = gap_policy(given)
    if source is DataSource.SIMULATED and policy is not GapPolicy.HOLD:
        raise InvalidValue("gap_policy", given, "hold for a simulated device")
    return policy


def check_kind(device: Device) -> None:
    """Refuse what is no device.

    Raises:
        InvalidValue: it is none.
    """
    if not isinstance(device, Device):
        raise InvalidValue("device", device, "a device, such as Battery(...)")


def check_kept_kind(stored: Device, given: Device) -> None:
    """Refuse to make a device one of another kind.

    Raises:
        InvalidValue: it is no device.
        KindChanged: it is of another kind.
    """
    check_kind(given)
    if type(given) is not type(stored):
        raise KindChanged(f"the kind of a device cannot change from {stored.kind} to {given.kind}")


def data_source_of(given: object) -> DataSource:
    """A data source as it is, or by its name.

    Raises:
        InvalidValue: it is neither.
    """
    for source in DataSource:
        if given in (source, source.value):
            return source
    raise InvalidValue("data_source", given, "simulated or reported")


def check_external_id(external_id: object) -> None:
    """Refuse what cannot be a caller's own key; None is no key.

    Raises:
        InvalidValue: it is no text, empty, or too long.
    """
    if external_id is None:
        return
    if not isinstance(external_id, str) or not 0 < len(external_id) <= MAX_TEXT:
        raise InvalidValue("external_id", external_id, f"1 to {MAX_TEXT} characters")
