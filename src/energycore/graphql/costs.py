"""What fields cost: declared beside each field, and summed up as far as variables allow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
from graphql import GraphQLField

from energycore.protocols.records import DEFAULT_PAGE

__all__ = [
    "COST",
    "DEFAULT_SIZE",
    "FIELD_OF_DOCUMENT",
    "PLAIN",
    "VALUE_OF_ARGUMENT",
    "Cost",
    "FieldCost",
    "Variables",
    "charged",
    "evaluate",
    "field_cost",
    "leaves",
    "plus",
    "times",
]

COST: Final = "energycore.cost"
"""The key of a field's cost among its extensions."""

DEFAULT_SIZE: Final = DEFAULT_PAGE
"""Length of a list of objects that nothing tells the length of."""

FIELD_OF_DOCUMENT: Final = 30
"""What a field costs once, however often it is resolved: it is parsed and validated."""

VALUE_OF_ARGUMENT: Final = 4
"""What a value in a list or object costs that is an argument: it is read and looked up."""

_MOST_LEAVES: Final = 50_000


class Variables(dict[str, Any]):
    """The variables of one request; how much each of them holds is counted once."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self._leaves: dict[str, int] = {}

    def leaves(self, name: str) -> int:
        """How many values a variable holds; 0 for one that is plain itself."""
        if name not in self._leaves:
            self._leaves[name] = leaves(self.get(name))
        return self._leaves[name]


def leaves(value: object) -> int:
    """How many values, lists and objects there are in one; 0 for a plain one.

    Not more than 50,000 are counted.
    """
    if not isinstance(value, list | dict):
        return 0
    count = 0
    waiting: list[object] = [value]
    while waiting and count < _MOST_LEAVES:
        inside = waiting.pop()
        count += 1
        if isinstance(inside, list):
            waiting.extend(inside)
        elif isinstance(inside, dict):
            waiting.extend(inside.values())
    return count


"""The variables of a request as they were sent, those that it leaves out by their defaults."""

Cost: TypeAlias = int | Callable[[Variables], int]
"""A number, or what gives it when variables are known."""


@attrs.frozen(kw_only=True)
class FieldCost:
    """What it costs to resolve a field, beside the one that every field costs.

    Args:
        call: for each time that it is resolved.
        each: for each of the items that it loads.
        arguments: the arguments that tell how many items there are.
        size: how many, from the values of these arguments; they are plain values, None where
            nothing is given. Without it the field has no size of its own.
        statements: what it needs of a database, for all its parents in a list together.
    """

    call: int = 0
    each: int = 0
    arguments: tuple[str, ...] = ()
    size: Callable[..., int] | None = None
    statements: int = 0


PLAIN: Final = FieldCost()


def charged(field: GraphQLField, cost: FieldCost) -> GraphQLField:
    """The same field with its cost."""
    field.extensions = {**field.extensions, COST: cost}
    return field


def field_cost(field: GraphQLField | None) -> FieldCost:
    """The cost that a field was given."""
    if field is None:
        return PLAIN
    cost = field.extensions.get(COST, PLAIN)
    assert isinstance(cost, FieldCost)
    return cost


def evaluate(cost: Cost, variables: Variables) -> int:
    """The number of a cost."""
    return cost if isinstance(cost, int) else cost(variables)


def plus(costs: Iterable[Cost]) -> Cost:
    """The sum."""
    fixed = 0
    open_: list[Callable[[Variables], int]] = []
    for cost in costs:
        if isinstance(cost, int):
            fixed += cost
        else:
            open_.append(cost)
    return _sum(fixed, open_) if open_ else fixed


def _sum(fixed: int, open_: Sequence[Callable[[Variables], int]]) -> Cost:
    if len(open_) == 1 and not fixed:
        return open_[0]
    return lambda variables: fixed + sum(cost(variables) for cost in open_)


def times(one: Cost, other: Cost) -> Cost:
    """The product."""
    if isinstance(one, int):
        if isinstance(other, int):
            return one * other
        one, other = other, one
    if isinstance(other, int):
        factor, open_ = other, one
        if factor == 0:
            return 0
        return one if factor == 1 else lambda variables: factor * open_(variables)
    left, right = one, other
    return lambda variables: left(variables) * right(variables)
