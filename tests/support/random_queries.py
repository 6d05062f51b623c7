"""Queries made at random from a schema, valid by construction, with fragments and variables."""

import random
from collections.abc import Sequence
from typing import Any, Final

import attrs
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

__all__ = ["RandomQuery", "make_query"]

_RANGES: Final = (
    ("2026-06-01T09:30:00Z", "2026-06-01T10:10:00Z"),
    ("2026-06-01T10:00:00.500Z", "2026-06-02T10:00:00+02:00"),
    ("2026-03-28T00:00:00+01:00", "2026-03-30T00:00:00+02:00"),
)
_INTERVALS: Final = ("QUARTER_HOUR", "HOUR", "DAY", "WEEK", "MONTH")


@attrs.frozen
class RandomQuery:
    """A query and its variables."""

    text: str
    variables: dict[str, Any]


@attrs.define
class _Maker:
    dice: random.Random
    schema: GraphQLSchema
    ids: Sequence[str]
    variables: dict[str, Any] = attrs.field(factory=dict)
    declared: list[str] = attrs.field(factory=list)
    fragments: list[str] = attrs.field(factory=list)
    names: int = 0

    def query(self) -> RandomQuery:
        root = self.schema.query_type
        assert root is not None
        # A directive leaves the query to graphql-core.
        body = self.selections(root, depth=0, lists=0) + " is: __typename @include(if: true)"
        head = f"query Q({', '.join(self.declared)})" if self.declared else "query Q"
        text = f"{head} {{ {body} }} {' '.join(self.fragments)}"
        return RandomQuery(text, self.variables)

    def selections(self, type_: GraphQLNamedType, *, depth: int, lists: int) -> str:
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        fields = list(type_.fields.items())
        chosen = self.dice.sample(fields, min(len(fields), self.dice.randint(1, 4)))
        parts = [self.field(n, f, depth=depth, lists=lists) for n, f in chosen]
        parts = [part for part in parts if part] or ["__typename"]
        if isinstance(type_, GraphQLInterfaceType) and self.dice.random() < 0.4:
            kind = self.dice.choice(self.schema.get_possible_types(type_))
            inside = self.selections(kind, depth=depth, lists=lists)
            parts.append(f"... on {kind.name} {{ {inside} }}")
        if self.dice.random() < 0.2:
            self.names += 1
            self.fragments.append(f"fragment F{self.names} on {type_.name} {{ {' '.join(parts)} }}")
            # The same fields twice are one.
            return f"...F{self.names} ...F{self.names}"
        return " ".join(parts)

    def field(self, name: str, field: GraphQLField, *, depth: int, lists: int) -> str:
        kind = get_named_type(field.type)
        inner = lists + ("Connection" in kind.name or name in ("nodes", "buckets"))
        if not is_leaf_type(kind) and (depth >= 7 or inner > 4):
            return ""
        self.names += 1
        # Without an alias two fields of one name might differ in their arguments.
        head = f"a{self.names}: {name}{self.arguments(name, field)}"
        if is_leaf_type(kind):
            return head
        return f"{head} {{ {self.selections(kind, depth=depth + 1, lists=inner)} }}"

    def arguments(self, name: str, field: GraphQLField) -> str:
        given = [
            f"{argument}: {value}"
            for argument, definition in field.args.items()
            if (value := self.argument(name, argument, definition)) is not None
        ]
        if "from" in field.args:
            start, end = self.dice.choice(_RANGES)
            given += [self.maybe("from", "DateTime!", start), self.maybe("to", "DateTime!", end)]
        return f"({', '.join(given)})" if given else ""

    def maybe(self, argument: str, type_: str, value: str) -> str:
        if self.dice.random() < 0.5:
            return f'{argument}: "{value}"'
        return f"{argument}: {self.variable(type_, value)}"

    def variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self.declared)}"
        self.declared.append(f"${name}: {type_}")
        self.variables[name] = value
        return f"${name}"

    def argument(self, field: str, name: str, definition: GraphQLArgument) -> str | None:
        if name == "ids":
            chosen = [self.dice.choice(self.ids) for _ in range(self.dice.randint(0, 5))]
            if self.dice.random() < 0.5:
                return self.variable("[ID!]!", chosen)
            return "[" + ", ".join(f'"{key}"' for key in chosen) + "]"
        if name == "id":
            return f'"{self.dice.choice(self.ids)}"'
        if name == "interval":
            value = self.dice.choice(_INTERVALS)
            return self.variable("Interval!", value) if self.dice.random() < 0.5 else value
        if name == "timeZone":
            return '"Europe/Berlin"'  # or sites in several zones would refuse a history
        if name == "groupBy":
            return self.dice.choice(("SITE", "KIND", "TAG"))
        if name == "filter" and self.dice.random() < 0.2:
            return "{kinds: [BATTERY, SOLAR_PANEL], isActive: true}"
        if name in ("first", "last"):
            return self.page(name)
        return None

    def page(self, name: str) -> str | None:
        dice = self.dice.random()
        if name == "last":
            return None
        if dice < 0.5:
            return str(self.dice.randint(0, 4))
        if dice < 0.8:
            value = self.dice.choice((0, 1, 2, 3, None))
            return self.variable("Int", value)
        if dice < 0.9:
            self.declared.append(f"$v{len(self.declared)}: Int = {self.dice.randint(0, 3)}")
            return f"$v{len(self.declared) - 1}"
        return None


def make_query(dice: random.Random, schema: GraphQLSchema, ids: Sequence[str]) -> RandomQuery:
    """Make one query.

    Args:
        dice: decides.
        schema: what it is valid for.
        ids: of what there is.
    """
    return _Maker(dice, schema, ids).query()
