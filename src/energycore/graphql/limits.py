"""How much one GraphQL request may ask for, as numbers that a server can change."""

from typing import Any, Final

import attrs

from energycore.errors import InvalidValue

__all__ = ["Limits"]

_ALWAYS: Final = "a whole number of at least 1"
_OR_OFF: Final = f"{_ALWAYS}, or None where there is no limit"


def _count(default: int) -> Any:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InvalidValue(attribute.name, value, _ALWAYS)

    return attrs.field(default=default, validator=check)


def _maybe(default: int) -> Any:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None:
            return
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InvalidValue(attribute.name, value, _OR_OFF)

    return attrs.field(default=default, validator=check, metadata={"may_be_off": True})


def _seconds(default: float) -> Any:
    def check(_: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        if value is None:
            return
        if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
            limit = "a number of seconds above 0, or None where there is no limit"
            raise InvalidValue(attribute.name, value, limit)

    return attrs.field(default=default, validator=check, metadata={"may_be_off": True})


@attrs.frozen(kw_only=True)
class Limits:
    """The limits of one server; every one has a default, and most can be switched off by None.

    Fields, aliases, directives, costs and statements are counted as they are executed: a fragment
    counts each time that it is spread. Nothing is left out because of its name.

    Raises:
        InvalidValue: a limit is no number that can be meant.
    """

    max_body_bytes: int = _count(262_144)
    """Bytes of a request's body, or of its query string."""
    max_characters: int = _count(20_000)
    """Characters of a document; variables are not part of it."""
    max_lines: int = _count(1_000)
    """Lines of a document: each error in it counts them anew."""
    max_tokens: int = _count(1_200)
    """Words, numbers, texts and signs of a document."""
    max_depth: int | None = _maybe(16)
    """Fields inside of fields, the leaf included."""
    max_list_depth: int | None = _maybe(4)
    """Lists of objects inside of lists of objects."""
    max_root_fields: int | None = _maybe(10)
    """Fields of the query or mutation itself."""
    max_fields: int = _count(500)
    """Fields of a document."""
    max_aliases: int | None = _maybe(50)
    """Fields with another name in the response."""
    max_repeats: int | None = _maybe(100)
    """Fields that stand where the same name in the response stood before."""
    max_fragments: int | None = _maybe(50)
    """Named fragments of a document."""
    max_directives: int | None = _maybe(50)
    """Directives of a document."""
    max_cost: int | None = _maybe(40_000)
    """Cost of a request: about one for each value that is worked out; the page sizes, lists and
    ranges that it asks for count with the values of its variables."""
    max_statements: int | None = _maybe(40)
    """Statements that a request may need in a database."""
    max_errors: int | None = _maybe(20)
    """Errors of one response; how many more there were stands in its extensions."""
    timeout_s: float | None = _seconds(10.0)
    """Seconds after which a request begins no further step."""

    @property
    def switched_off(self) -> tuple[str, ...]:
        """The names of the limits that are None."""
        return tuple(name for name, value in attrs.asdict(self).items() if value is None)
