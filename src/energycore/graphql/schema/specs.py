"""DeviceSpecInput, which holds exactly one kind's ratings, as a device and back to its places."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from energycore.devices.base import Device
from energycore.devices.fields import every_fault
from energycore.errors import InvalidValue
from energycore.graphql.schema.kinds import INITIAL_CHARGE, KindShape
from energycore.graphql.schema.refusals import Places

__all__ = ["Spec", "Specs"]


@attrs.frozen
class Spec:
    """The kind and ratings that were given."""

    shape: KindShape
    given: Mapping[str, Any]

    def device(self, name: str) -> Device:
        """The device of that name; a rating that is null has its default.

        Raises:
            InvalidValue: a rating or the name cannot be held.
        """
        return self.shape.kind(name=name, **self._ratings())

    def faults(self, name: str) -> tuple[InvalidValue, ...]:
        """Everything that is wrong with the name and the ratings."""
        return every_fault(self.shape.kind, {"name": name, **self._ratings()})

    def _ratings(self) -> dict[str, Any]:
        return {
            rating.attribute: self.given[rating.name]
            for rating in self.shape.ratings
            if self.given.get(rating.name) is not None
        }

    @property
    def stored_wh(self) -> float | None:
        """The charge that was given with a storage."""
        value: float | None = self.given.get(INITIAL_CHARGE) if self.shape.is_storage else None
        return value

    @property
    def places(self) -> Places:
        """Where in the input each rating stands, by the name of its attribute."""
        way = "spec", self.shape.spec_field
        charge = (*way, INITIAL_CHARGE)
        ratings = {rating.attribute: (*way, rating.name) for rating in self.shape.ratings}
        return {**ratings, "stored_wh": charge, "initial state": charge}


class Specs:
    """Reads what was given as a DeviceSpecInput of one schema."""

    def __init__(self, shapes: Iterable[KindShape]) -> None:
        self._shapes = {shape.spec_field: shape for shape in shapes}

    def read(self, given: Mapping[str, Any]) -> Spec:
        """The one kind that was given."""
        ((name, ratings),) = given.items()
        return Spec(self._shapes[name], ratings)
