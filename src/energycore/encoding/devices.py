"""Devices as the name of their kind and their ratings by name, and back."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast, get_type_hints

from energycore.devices.base import Device, fields_of_kind
from energycore.devices.registry import device_kind
from energycore.encoding.structure import structure
from energycore.errors import InvalidValue

__all__ = ["decode_device", "encode_ratings"]


def encode_ratings(device: Device) -> dict[str, float]:
    """The ratings of a device by name, each in the unit of its field."""
    return {name: getattr(device, name) for name in _rating_names(cast(Any, type(device)))}


def decode_device(
    kind_name: str, *, name: str, ratings: Mapping[str, Any], noise_key: int | None = None
) -> Device:
    """Make a device from the name of its kind and its ratings.

    Args:
        kind_name: registered name, such as `solar_panel`.
        name: the device's name.
        ratings: by name, each in the unit of its field; those with a default may be left out.
        noise_key: the device's own key of random numbers, if it was given one.

    Raises:
        UnknownDeviceKind: no installed package declares the kind.
        InvalidValue: the ratings are no mapping, or one of them is unknown, missing, no number
            or outside of its limits.
    """
    kind = device_kind(kind_name)
    if not isinstance(ratings, Mapping):
        raise InvalidValue("ratings", ratings, "an object")
    names = _rating_names(cast(Any, kind))
    are_floats = all(type(rating) is float for rating in ratings.values())
    if are_floats and ratings.keys() == names.keys() and _takes_numbers(cast(Any, kind)):
        # As stored: there is nothing to convert, and the class itself checks its limits.
        return kind(name=name, noise_key=noise_key, **ratings)
    if not ratings.keys() <= names.keys():
        unknown = min(map(str, ratings.keys() - names.keys()))
        limit = f"a rating of {kind_name} ({', '.join(sorted(names))})"
        raise InvalidValue(unknown, ratings.get(unknown), limit)
    return structure({**ratings, "name": name, "noise_key": noise_key}, kind)


# The kind is Any below because mypy takes the classes of attrs for unhashable.
@cache
def _rating_names(kind: Any) -> Mapping[str, None]:
    """The names in the order of their declaration; a mapping, for its keys act as a set."""
    return dict.fromkeys(field.name for field in fields_of_kind(kind))


@cache
def _takes_numbers(kind: Any) -> bool:
    """Whether each rating is a number, and nothing else."""
    types = get_type_hints(kind)
    return all(types[name] is float for name in _rating_names(kind))
