"""Pages of lists in the shape of Relay: connections, edges, page information, arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
)

from energycore.graphql.costs import charged
from energycore.graphql.schema.charges import COUNTED
from energycore.graphql.schema.cursors import Listing, decode_cursor, encode_cursor
from energycore.graphql.schema.resolving import required
from energycore.protocols.records import DEFAULT_PAGE, MAX_PAGE, Cursor, PageRequest

__all__ = [
    "Connection",
    "connection_type",
    "page_arguments",
    "page_info_type",
    "page_request",
]

Node = TypeVar("Node")

_SIZE = f"At most {MAX_PAGE}; {DEFAULT_PAGE} where neither first nor last is given."
_FORWARD_SIZE = f"At most {MAX_PAGE}; {DEFAULT_PAGE} unless given."


@attrs.define(eq=False)
class _Edge(Generic[Node]):
    node: Node
    cursor: str


@attrs.define(kw_only=True, eq=False)
class Connection(Generic[Node]):
    """A page as the resolvers of a connection type take it.

    Args:
        nodes: what stands on the page.
        cursors: the place of each.
        listing: what binds cursors to this list and its order.
        has_next: whether something follows.
        has_previous: whether something precedes, or tells it when that is asked for.
        count: counts the whole list, when that is asked for.
        encode: writes a place as a cursor.
    """

    nodes: Sequence[Node]
    cursors: Sequence[Any]
    listing: Listing
    has_next: bool
    has_previous: bool | Callable[[], bool]
    count: Callable[[], int] | None = None
    encode: Callable[[Listing, Any], str] = encode_cursor

    def edges(self) -> list[_Edge[Node]]:
        """The nodes with their cursors."""
        return [
            _Edge(node, self.encode(self.listing, place))
            for node, place in zip(self.nodes, self.cursors, strict=True)
        ]

    def is_preceded(self) -> bool:
        """Whether something precedes the page."""
        known = self.has_previous
        return known if isinstance(known, bool) else known()

    def cursor_at(self, position: int) -> str | None:
        """The cursor of the node at a position; None on an empty page."""
        return self.encode(self.listing, self.cursors[position]) if self.cursors else None


def page_request(listing: Listing, given: Mapping[str, Any]) -> PageRequest:
    """Read the arguments of a list.

    Raises:
        InvalidValue: a count is negative, or both `first` and `last` are given.
        PageTooLarge: a count is too large.
        InvalidCursor: a cursor is not of this list in this order.
    """
    return PageRequest(
        first=given.get("first"),
        after=_place(listing, "after", given),
        last=given.get("last"),
        before=_place(listing, "before", given),
    )


def _place(listing: Listing, argument: str, given: Mapping[str, Any]) -> Cursor | None:
    text = given.get(argument)
    return None if text is None else decode_cursor(listing, argument, text)


def page_arguments(*, backward: bool = True) -> dict[str, GraphQLArgument]:
    """The arguments of a list that can be paged through forward, and backward if asked for."""
    arguments = {
        "first": GraphQLArgument(GraphQLInt, description=_SIZE if backward else _FORWARD_SIZE),
        "after": GraphQLArgument(GraphQLString, description="The cursor that the page follows."),
    }
    if backward:
        arguments["last"] = GraphQLArgument(GraphQLInt, description=_SIZE)
        arguments["before"] = GraphQLArgument(
            GraphQLString, description="The cursor that the page precedes."
        )
    return arguments


def page_info_type() -> GraphQLObjectType:
    """The type PageInfo."""
    return GraphQLObjectType(
        "PageInfo",
        {
            "hasNextPage": required(
                GraphQLBoolean, "has_next", "Whether something follows the page."
            ),
            "hasPreviousPage": GraphQLField(
                GraphQLNonNull(GraphQLBoolean),
                resolve=lambda page, _: page.is_preceded(),
                description="Whether something precedes the page.",
            ),
            "startCursor": GraphQLField(
                GraphQLString,
                resolve=lambda page, _: page.cursor_at(0),
                description="For `before`: what precedes the page. Null on an empty page.",
            ),
            "endCursor": GraphQLField(
                GraphQLString,
                resolve=lambda page, _: page.cursor_at(-1),
                description="For `after`: what follows the page. Null on an empty page.",
            ),
        },
        description="Where a page stands in its list.",
    )


def connection_type(
    node: GraphQLObjectType | GraphQLInterfaceType,
    name: str,
    page_info: GraphQLObjectType,
    items: str,
    *,
    counted: bool = True,
) -> GraphQLObjectType:
    """The types of the edges and of the connection of a list; returns the connection's.

    Args:
        node: what is listed.
        name: the name of that type.
        page_info: the type PageInfo of the same schema.
        items: what is listed, in plain words and the plural.
        counted: whether the list tells its length.
    """
    edge = GraphQLObjectType(
        f"{name}Edge",
        {
            "cursor": required(
                GraphQLString, "cursor", "The place in the list, for `after` and `before`."
            ),
            "node": required(node, "node", "What stands there."),
        },
        description=f"A place in a list of {items}.",
    )
    fields = {
        "edges": GraphQLField(
            GraphQLNonNull(GraphQLList(GraphQLNonNull(edge))),
            resolve=lambda page, _: page.edges(),
            description="What stands on the page, each with its cursor.",
        ),
        "nodes": required(
            GraphQLList(GraphQLNonNull(node)), "nodes", "The same without the cursors."
        ),
        "pageInfo": GraphQLField(
            GraphQLNonNull(page_info),
            resolve=lambda page, _: page,
            description="Where the page stands in the list.",
        ),
    }
    if counted:
        fields["totalCount"] = charged(
            GraphQLField(
                GraphQLInt,
                resolve=lambda page, _: page.count(),
                description="The length of the whole list; counted only where it is asked for.",
            ),
            COUNTED,
        )
    return GraphQLObjectType(
        f"{name}Connection", fields, description=f"A page of a list of {items}."
    )
