"""What the GraphQL schema says of each device kind, read from its attrs class alone."""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import attrs
from graphql import GraphQLBoolean, GraphQLFloat, GraphQLInt, GraphQLScalarType

from energycore.devices.base import Device, fields_of_kind
from energycore.devices.fields import ABOUT
from energycore.devices.storage_device import StorageDevice
from energycore.errors import DeviceKindConflict
from energycore.graphql.schema.names import camel
from energycore.quantities.units import Unit

__all__ = ["INITIAL_CHARGE", "KindShape", "RatingShape", "kind_shapes", "rating_shapes"]

INITIAL_CHARGE: Final = "storedWh"
"""The field of a storage's input that is no rating."""

_SCALARS: Final[Mapping[Any, GraphQLScalarType]] = {
    float: GraphQLFloat,
    int: GraphQLInt,
    bool: GraphQLBoolean,
}


@attrs.frozen(kw_only=True)
class RatingShape:
    """One rating of a kind."""

    attribute: str
    """Its name in the class."""
    name: str
    """Its name in the schema."""
    scalar: GraphQLScalarType
    description: str
    """What it means, with its unit."""
    is_required: bool
    default: object

    @property
    def input_description(self) -> str:
        """The same with the default."""
        if not isinstance(self.default, float | int):
            return self.description
        shown = json.dumps(self.default).removesuffix(".0")
        return f"{self.description} Default: {shown}."


@attrs.frozen(kw_only=True)
class KindShape:
    """One kind."""

    kind: type[Device]
    ratings: tuple[RatingShape, ...]

    @property
    def type_name(self) -> str:
        """The name of its object type."""
        return self.kind.__name__

    @property
    def enum_value(self) -> str:
        """Its value of DeviceKind."""
        return self.kind.kind.upper()

    @property
    def spec_field(self) -> str:
        """Its field of DeviceSpecInput."""
        return camel(self.kind.kind)

    @property
    def is_storage(self) -> bool:
        """Whether it keeps energy."""
        return issubclass(self.kind, StorageDevice)


def kind_shapes(kinds: Mapping[str, type[Device]], taken: Iterable[str]) -> tuple[KindShape, ...]:
    """Describe kinds for the schema, in the order given.

    Args:
        kinds: by name.
        taken: fields that every device has, which no rating may be called.

    Raises:
        DeviceKindConflict: two kinds have classes of one name, a kind has no rating, or one that
            cannot be shown.
    """
    reserved = {*taken, INITIAL_CHARGE}
    owners: dict[str, type[Device]] = {}
    for kind in kinds.values():
        owner = owners.setdefault(kind.__name__, kind)
        if owner is not kind:
            raise DeviceKindConflict(
                f"the device kinds {owner.kind!r} and {kind.kind!r} both have a class "
                f"{kind.__name__}: GraphQL types need names of their own"
            )
    shapes = tuple(KindShape(kind=kind, ratings=rating_shapes(kind)) for kind in kinds.values())
    for shape in shapes:
        if not shape.ratings:
            raise DeviceKindConflict(f"{shape.type_name} has no rating, and its input no field")
        for rating in shape.ratings:
            if rating.name in reserved:
                raise DeviceKindConflict(
                    f"{shape.type_name}.{rating.attribute} would hide the field {rating.name} "
                    "that every device has: give it another name"
                )
    return shapes


def rating_shapes(kind: type[Device]) -> tuple[RatingShape, ...]:
    """Describe the ratings of a kind, or of a base of kinds, in the order of their declaration.

    Raises:
        DeviceKindConflict: a rating is neither a float nor an int nor a bool.
    """
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_rating(kind, field, hints[field.name]) for field in fields_of_kind(kind))


def _rating(kind: type[Device], field: "attrs.Attribute[Any]", hint: Any) -> RatingShape:
    unit = ""
    plain = hint
    if get_origin(hint) is Annotated:
        plain, *notes = get_args(hint)
        unit = "".join(f" [{note.meaning}]" for note in notes if isinstance(note, Unit))
    if plain not in _SCALARS:
        raise DeviceKindConflict(
            f"{kind.__name__}.{field.name} is neither a float nor an int nor a bool"
        )
    meaning = str(field.metadata.get(ABOUT, field.name.replace("_", " ").capitalize()))
    return RatingShape(
        attribute=field.name,
        name=camel(field.name),
        scalar=_SCALARS[plain],
        description=f"{meaning.removesuffix('.')}{unit}.",
        is_required=field.default is attrs.NOTHING,
        default=field.default,
    )
