"""What a mutation answers when it is refused: a code, a sentence, and where in the input it is."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

import attrs
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLString

from energycore.errors import Conflict, EnergycoreError, InvalidValue, NotAllowed, NotFound
from energycore.graphql.schema.resolving import required

__all__ = ["EXPECTED", "Place", "Places", "UserError", "refusal", "user_error_type"]

EXPECTED: Final = (InvalidValue, NotFound, Conflict, NotAllowed)
"""Refusals that a client can do something about; all other errors are faults."""

Place = tuple[str, ...]
"""A way into the input by the names of its fields."""

Places = Mapping[str, Place]
"""The place of each field that the services name, noun that they miss, and code of an error."""

_MAX_SHOWN: Final = 80


@attrs.frozen
class UserError:
    """An expected refusal."""

    code: str
    message: str
    path: tuple[str, ...]


def user_error_type() -> GraphQLObjectType:
    """The type UserError."""
    return GraphQLObjectType(
        "UserError",
        {
            "code": required(GraphQLString, "code", "For programs: it never changes."),
            "message": required(GraphQLString, "message", "For people: it may change."),
            "path": required(
                GraphQLList(GraphQLNonNull(GraphQLString)),
                "path",
                "The way to it by the names of arguments and fields, positions in lists as digits.",
            ),
        },
        description="An expected refusal: a stable code, a sentence, and where in the input it is.",
    )


def refusal(
    error: EnergycoreError, given: Mapping[str, Any], places: Places, otherwise: Place = ()
) -> UserError:
    """Say in the words of the schema what the services refused.

    Args:
        error: one of `EXPECTED`.
        given: the argument `input`.
        places: where in it the error can be.
        otherwise: the place of an error that `places` does not know.
    """
    place = places.get(_topic(error))
    message = error.message if place is None else _message(error, place, given)
    return UserError(error.code, message, ("input", *(otherwise if place is None else place)))


def _topic(error: EnergycoreError) -> str:
    if isinstance(error, InvalidValue):
        return error.field
    return error.noun if isinstance(error, NotFound) else error.code


def _message(error: EnergycoreError, place: Place, given: Mapping[str, Any]) -> str:
    if isinstance(error, InvalidValue):
        value = _value_at(place, given, error.value)
        return f"{place[-1]} must be {error.limit}, not {_shown(value)}"
    if isinstance(error, NotFound):
        # The number inside is nobody's business: show the ID that was sent.
        return f"there is no {error.noun} {_shown(_value_at(place, given, None))}"
    return error.message


def _value_at(place: Place, given: Any, otherwise: object) -> object:
    for name in place:
        if not isinstance(given, Mapping) or name not in given:
            return otherwise
        given = given[name]
    # Of a list, the error knows which item is wrong.
    return otherwise if isinstance(given, list) else given


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, Enum):
        return value.name
    text = value.isoformat() if isinstance(value, datetime) else repr(value)
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 3] + "..."
