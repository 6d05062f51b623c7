"""Whether a document stays within the limits, before it is validated and before it is executed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from energycore.graphql.costs import Cost, Variables
from energycore.graphql.introspection import IntrospectionSizes
from energycore.graphql.limits import Limits
from energycore.graphql.measuring import Measure, NotMeasured, measure_document

__all__ = ["LIMIT_EXCEEDED", "Charge", "Refusal", "exceeded", "judge"]

LIMIT_EXCEEDED = "LIMIT_EXCEEDED"


@attrs.frozen(kw_only=True)
class Refusal:
    """Why a document is not executed: a stable code and the errors behind it."""

    code: str
    errors: Sequence[GraphQLError]


@attrs.frozen
class Charge:
    """What an operation costs, once the variables of a request are known."""

    _cost: Cost
    _defaults: Mapping[str, Any]

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same with any variables."""
        return isinstance(self._cost, int)

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """The cost with these variables, as they were sent."""
        cost = self._cost
        if isinstance(cost, int):
            return cost
        return cost(Variables({**self._defaults, **(variables or {})}))


def judge(
    schema: GraphQLSchema, document: DocumentNode, limits: Limits, introspection: IntrospectionSizes
) -> Refusal | Mapping[str | None, Charge]:
    """Refuse a document that asks for too much, or tell what each operation costs.

    Args:
        schema: whose fields tell their costs.
        document: parsed, and not validated yet.
        limits: what it may ask for.
        introspection: the sizes of that schema itself.
    """
    fragments = sum(isinstance(node, FragmentDefinitionNode) for node in document.definitions)
    if limits.max_fragments is not None and fragments > limits.max_fragments:
        return exceeded("max_fragments", limits.max_fragments, fragments)
    try:
        operations, unreached = measure_document(schema, document, introspection)
    except NotMeasured as problem:
        return Refusal(code=problem.code, errors=[problem.error])
    everything = [*operations.values(), unreached]
    for measure in everything:
        refusal = _beyond(limits, measure)
        if refusal is not None:
            return refusal
    # Validation goes through all operations, whichever is executed.
    fields = sum(measure.fields for measure in everything)
    if fields > limits.max_fields:
        return exceeded("max_fields", limits.max_fields, fields)
    if limits.max_repeats is not None:
        repeats = _repeats(document)
        if repeats > limits.max_repeats:
            return exceeded("max_repeats", limits.max_repeats, repeats)
    for node, measure in operations.items():
        root = _root_fields(document, node)
        if limits.max_root_fields is not None and root > limits.max_root_fields:
            return exceeded("max_root_fields", limits.max_root_fields, root)
        cost = measure.flat
        if limits.max_cost is not None and isinstance(cost, int) and cost > limits.max_cost:
            return exceeded("max_cost", limits.max_cost, cost)
    return {
        node.name.value if node.name else None: Charge(measure.flat, _defaults(node))
        for node, measure in operations.items()
    }


def exceeded(limit: str, maximum: int, found: int) -> Refusal:
    """The refusal of a document or request that is beyond a limit."""
    what = _WORDS[limit]
    error = GraphQLError(
        f"{what} is {_shown(found)}, and may be {maximum}.",
        extensions={"limit": limit, "maximum": maximum},
    )
    return Refusal(code=LIMIT_EXCEEDED, errors=[error])


_WORDS = {
    "max_characters": "The length of the document, in characters,",
    "max_lines": "The number of lines",
    "max_depth": "The depth of the document",
    "max_list_depth": "The depth of lists within lists",
    "max_root_fields": "The number of root fields",
    "max_fields": "The number of fields",
    "max_aliases": "The number of aliases",
    "max_repeats": "The number of repeated fields",
    "max_fragments": "The number of fragments",
    "max_directives": "The number of directives",
    "max_cost": "The cost of the request",
    "max_statements": "The number of database statements that the request may need",
}
_MOST_SHOWN = 1_000_000


def _shown(found: int) -> str:
    # The doubling of fragments makes numbers that nobody wants to read.
    return str(found) if found <= _MOST_SHOWN else f"more than {_MOST_SHOWN}"


def _beyond(limits: Limits, measure: Measure) -> Refusal | None:
    for limit, maximum, found in (
        ("max_depth", limits.max_depth, measure.depth),
        ("max_list_depth", limits.max_list_depth, measure.list_depth),
        ("max_fields", limits.max_fields, measure.fields),
        ("max_aliases", limits.max_aliases, measure.aliases),
        ("max_directives", limits.max_directives, measure.directives),
        ("max_statements", limits.max_statements, measure.statements),
    ):
        if maximum is not None and found > maximum:
            return exceeded(limit, maximum, found)
    return None


def _defaults(node: OperationDefinitionNode) -> dict[str, Any]:
    return {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in node.variable_definitions or ()
        if definition.default_value is not None
    }


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def _root_fields(document: DocumentNode, node: OperationDefinitionNode) -> int:
    return sum(
        len(nodes) for nodes in _collected([node.selection_set], _fragments(document)).values()
    )


def _repeats(document: DocumentNode) -> int:
    """How many fields validation has to compare with one before them, fragments unfolded.

    Those of operations, or of fragments that stand alone: it goes through both. The number of
    fields is limited already, so that this ends soon.
    """
    fragments = _fragments(document)
    return max(
        _repeats_in(
            (n.selection_set for n in document.definitions if isinstance(n, kind)), fragments
        )
        for kind in (OperationDefinitionNode, FragmentDefinitionNode)
    )


def _repeats_in(
    selections: Iterable[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> int:
    count = 0
    waiting = [[selection] for selection in selections]
    while waiting:
        for nodes in _collected(waiting.pop(), fragments).values():
            count += len(nodes) - 1
            inside = [node.selection_set for node in nodes if node.selection_set is not None]
            if inside:
                waiting.append(inside)
    return count


def _collected(
    selections: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, list[FieldNode]]:
    """The fields of each name in the response, whatever the type of their object."""
    found: dict[str, list[FieldNode]] = {}
    seen: set[str] = set()
    waiting = list(selections)
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                if node.name.value in fragments:
                    waiting.append(fragments[node.name.value].selection_set)
    return found
