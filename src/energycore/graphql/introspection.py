"""What questions about the schema itself cost: the sizes of its own lists are known."""

from collections.abc import Mapping
from typing import Final

import attrs
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
)

from energycore.graphql.costs import Cost, plus, times

__all__ = ["IntrospectionSizes"]

_NAMED: Final = ("interfaces", "possibleTypes")


@attrs.frozen
class _Size:
    """Of the lists of one name: their items together, how many lists, and the longest one."""

    total: int
    count: int
    most: int

    @classmethod
    def of(cls, sizes: list[int]) -> "_Size":
        return cls(sum(sizes), max(1, len(sizes)), max(sizes, default=0))

    def mean(self, cost: Cost) -> Cost:
        """The cost of a list of mean length."""
        total, count = self.total, self.count
        if isinstance(cost, int):
            return -(-total * cost // count)
        return lambda variables: -(-total * cost(variables) // count)


@attrs.frozen
class IntrospectionSizes:
    """The lengths of the lists that `__schema` and `__type` lead to.

    All types together have as many fields as their mean says; one that is named may have the most.
    So a selection of types has two costs: one for the mean, and what it costs more at the most.
    """

    _types: int
    _sizes: Mapping[tuple[str, str], _Size]

    @classmethod
    def of(cls, schema: GraphQLSchema) -> "IntrospectionSizes":
        """Those of a schema."""
        return _counted(schema)

    def cost(self, owner: str, field: str, flat: Cost, items: Cost) -> tuple[Cost, Cost]:
        """The cost of a field, for the mean and what it costs more at the most.

        Args:
            owner: the type that has the field.
            field: its name.
            flat: the cost of what is selected in it, for the mean.
            items: what that costs more at the most.
        """
        if (owner, field) == ("__Schema", "types"):
            # All types, each once: here the mean is exact.
            return plus([1, times(self._types, flat)]), 0
        whole = plus([flat, items])
        size = self._sizes.get((owner, field))
        if size is None:
            return plus([1, whole]), 0
        # Types that others name are not all of them, so no mean holds inside.
        mean = size.mean(whole if field in _NAMED else flat)
        return plus([1, mean]), plus([times(size.most, whole), times(-1, mean)])


def _counted(schema: GraphQLSchema) -> IntrospectionSizes:
    types = list(schema.type_map.values())
    fields = [
        field
        for type_ in types
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        for field in type_.fields.values()
    ]
    return IntrospectionSizes(
        len(types),
        {
            ("__Schema", "directives"): _most([len(schema.directives)]),
            ("__Type", "fields"): _Size.of([_field_count(type_) for type_ in types]),
            ("__Type", "inputFields"): _Size.of(
                [len(t.fields) if isinstance(t, GraphQLInputObjectType) else 0 for t in types]
            ),
            ("__Type", "enumValues"): _Size.of(
                [len(t.values) if isinstance(t, GraphQLEnumType) else 0 for t in types]
            ),
            ("__Type", "interfaces"): _Size.of([_interface_count(type_) for type_ in types]),
            ("__Type", "possibleTypes"): _Size.of(
                [_possible_count(schema, type_) for type_ in types]
            ),
            ("__Field", "args"): _Size.of([len(field.args) for field in fields]),
            ("__Directive", "args"): _most([len(one.args) for one in schema.directives]),
        },
    )


def _most(sizes: list[int]) -> _Size:
    return _Size(max(sizes, default=0), 1, max(sizes, default=0))


def _field_count(type_: GraphQLNamedType) -> int:
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return len(type_.fields)
    return 0


def _interface_count(type_: GraphQLNamedType) -> int:
    if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return len(type_.interfaces)
    return 0


def _possible_count(schema: GraphQLSchema, type_: GraphQLNamedType) -> int:
    if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
        return len(schema.get_possible_types(type_))
    return 0
