"""How much a document asks for, found in one walk over its syntax before it is validated.

Each fragment is walked once, and what it asks for is added wherever it is spread. Nothing of the
document is trusted yet: a field or type that the schema does not have counts like any other.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs
from graphql import (
    ConstDirectiveNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)

from energycore.graphql.costs import (
    DEFAULT_SIZE,
    FIELD_OF_DOCUMENT,
    VALUE_OF_ARGUMENT,
    Cost,
    FieldCost,
    Variables,
    field_cost,
    plus,
    times,
)
from energycore.graphql.introspection import IntrospectionSizes
from energycore.graphql.json_text import MAX_DIGITS

__all__ = ["Measure", "NotMeasured", "measure_document"]

_NOTHING: Final[Mapping[str, Any]] = {}


class NotMeasured(Exception):
    """A document that no limit can be applied to, and why; the error names the place."""

    def __init__(self, code: str, error: GraphQLError) -> None:
        super().__init__(error.message)
        self.code = code
        self.error = error


@attrs.frozen
class Measure:
    """What a selection asks for.

    Args:
        depth: fields inside of fields.
        list_depth: lists of objects inside of lists of objects.
        fields, aliases, directives: how many, those of fragments at each spread.
        statements: what its fields need of a database.
        flat: the cost of what is selected once for each object.
        items: the cost of one item of each list whose length its parent tells.
    """

    depth: int = 0
    list_depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    statements: int = 0
    flat: Cost = 0
    items: Cost = 0


_EMPTY: Final = Measure()


def measure_document(
    schema: GraphQLSchema, document: DocumentNode, introspection: IntrospectionSizes
) -> tuple[Mapping[OperationDefinitionNode, Measure], Measure]:
    """What each operation asks for, and all fragments that none of them reaches together.

    Args:
        schema: whose fields tell their costs.
        document: parsed, and not validated yet.
        introspection: the sizes of that schema itself.

    Raises:
        NotMeasured: fragments spread each other in a circle, a value cannot be meant, or fragments
            lie too deep inside of each other.
    """
    walk = _Walk(schema, document, introspection)
    try:
        operations = {
            node: walk.operation(node)
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        return operations, walk.unreached()
    except RecursionError:
        error = GraphQLError("The fragments nest too deeply.")
        raise NotMeasured("LIMIT_EXCEEDED", error) from None


class _Walk:
    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, introspection: IntrospectionSizes
    ) -> None:
        self._schema = schema
        self._types = schema.type_map
        self._introspection = introspection
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure] = {}
        self._open: set[str] = set()

    def operation(self, node: OperationDefinitionNode) -> Measure:
        root = self._schema.get_root_type(node.operation)
        inside = self._selections(
            node.selection_set, root, is_query_root=node.operation is OperationType.QUERY
        )
        directives = inside.directives + self._directives(node.directives)
        for definition in node.variable_definitions or ():
            directives += self._directives(definition.directives)
            if definition.default_value is not None:
                _check_value(definition.default_value)
        # A root list whose length nothing tells.
        items = times(DEFAULT_SIZE, inside.items)
        flat = plus([inside.fields * FIELD_OF_DOCUMENT, inside.flat, items])
        return attrs.evolve(inside, directives=directives, flat=flat, items=0)

    def unreached(self) -> Measure:
        left = [self._fragment(name) for name in self._fragments if name not in self._measured]
        return _together(left)

    def _fragment(self, name: str) -> Measure:
        found = self._measured.get(name)
        if found is not None:
            return found
        node = self._fragments.get(name)
        if node is None:
            return _EMPTY
        if name in self._open:
            error = GraphQLError(f"The fragment {name} spreads itself.", node)
            raise NotMeasured("GRAPHQL_VALIDATION_FAILED", error)
        self._open.add(name)
        condition = self._types.get(node.type_condition.name.value)
        inside = self._selections(
            node.selection_set, condition, is_query_root=condition is self._schema.query_type
        )
        directives = inside.directives + self._directives(node.directives)
        self._open.discard(name)
        self._measured[name] = attrs.evolve(inside, directives=directives)
        return self._measured[name]

    def _selections(
        self, node: SelectionSetNode, parent: GraphQLNamedType | None, *, is_query_root: bool
    ) -> Measure:
        parts: list[Measure] = []
        directives = 0
        for selection in node.selections:
            if selection.directives:
                directives += self._directives(selection.directives)
            if isinstance(selection, FieldNode):
                parts.append(self._field(selection, parent, is_query_root=is_query_root))
            elif isinstance(selection, FragmentSpreadNode):
                parts.append(self._fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                inner, is_root = parent, is_query_root
                if selection.type_condition is not None:
                    inner = self._types.get(selection.type_condition.name.value)
                    is_root = inner is self._schema.query_type
                parts.append(
                    self._selections(selection.selection_set, inner, is_query_root=is_root)
                )
        found = _together(parts)
        return attrs.evolve(found, directives=found.directives + directives)

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, *, is_query_root: bool
    ) -> Measure:
        for argument in node.arguments or ():
            _check_value(argument.value)
        name = node.name.value
        definition = _definition(parent, name)
        kind = get_named_type(definition.type) if definition else None
        if is_query_root and name in _META_TYPES:
            kind = self._types[_META_TYPES[name]]
        inside = _EMPTY
        if node.selection_set is not None:
            inside = self._selections(node.selection_set, kind, is_query_root=False)
        is_list = definition is not None and _is_list(definition)
        flat, items = self._cost(node, parent, definition, inside)
        return Measure(
            depth=1 + inside.depth,
            list_depth=inside.list_depth + (is_list and node.selection_set is not None),
            fields=1 + inside.fields,
            aliases=inside.aliases + (node.alias is not None),
            directives=inside.directives,
            statements=field_cost(definition).statements + inside.statements,
            flat=flat,
            items=items,
        )

    def _cost(
        self,
        node: FieldNode,
        parent: GraphQLNamedType | None,
        definition: GraphQLField | None,
        inside: Measure,
    ) -> tuple[Cost, Cost]:
        if (parent is not None and parent.name.startswith("__")) or node.name.value in _META_TYPES:
            owner = "" if parent is None else parent.name
            return self._introspection.cost(owner, node.name.value, inside.flat, inside.items)
        own = field_cost(definition)
        size = _size(own, node)
        call = plus([1 + own.call, *_inputs(definition, node)])
        if size is not None:
            call = plus([call, times(own.each, size)])
        if definition is not None and _is_list(definition):
            each = plus([inside.flat, times(DEFAULT_SIZE, inside.items)])
            return (call, each) if size is None else (plus([call, times(size, each)]), 0)
        items = times(DEFAULT_SIZE if size is None else size, inside.items)
        return plus([call, inside.flat, items]), 0

    def _directives(self, nodes: Iterable[DirectiveNode | ConstDirectiveNode] | None) -> int:
        count = 0
        for node in nodes or ():
            count += 1
            for argument in node.arguments or ():
                _check_value(argument.value)
        return count


_META_TYPES: Final = {"__schema": "__Schema", "__type": "__Type"}


def _together(parts: Sequence[Measure]) -> Measure:
    if len(parts) == 1:
        return parts[0]
    return Measure(
        depth=max((part.depth for part in parts), default=0),
        list_depth=max((part.list_depth for part in parts), default=0),
        fields=sum(part.fields for part in parts),
        aliases=sum(part.aliases for part in parts),
        directives=sum(part.directives for part in parts),
        statements=sum(part.statements for part in parts),
        flat=plus(part.flat for part in parts),
        items=plus(part.items for part in parts),
    )


def _definition(parent: GraphQLNamedType | None, name: str) -> GraphQLField | None:
    if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
        found: GraphQLField | None = parent.fields.get(name)
        return found
    return None


def _is_list(definition: GraphQLField) -> bool:
    type_ = definition.type
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    return isinstance(type_, GraphQLList)


def _size(own: FieldCost, node: FieldNode) -> Cost | None:
    size = own.size
    if size is None:
        return None
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    values = [given.get(name) for name in own.arguments]
    if any(value is not None and _has_variables(value) for value in values):
        return lambda variables: size(*(_plain(value, variables) for value in values))
    return size(*(_plain(value, _NOTHING) for value in values))


def _plain(value: ValueNode | None, variables: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    if isinstance(value, VariableNode):
        return variables.get(value.name.value)
    return value_from_ast_untyped(value, dict(variables))


def _inputs(definition: GraphQLField | None, node: FieldNode) -> list[Cost]:
    """What the values inside of lists and objects cost that are arguments."""
    costs: list[Cost] = []
    for argument in node.arguments or ():
        known = definition.args.get(argument.name.value) if definition else None
        if known is None or not _is_wide(known.type):
            continue
        fixed = 0
        waiting: list[ValueNode] = [argument.value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, ListValueNode):
                waiting.extend(value.values)
            elif isinstance(value, ObjectValueNode):
                waiting.extend(field.value for field in value.fields)
            elif isinstance(value, VariableNode):
                costs.append(_leaves_of(value.name.value))
            else:
                fixed += VALUE_OF_ARGUMENT
        costs.append(fixed)
    return costs


def _leaves_of(name: str) -> Callable[[Variables], int]:
    return lambda variables: VALUE_OF_ARGUMENT * variables.leaves(name)


def _is_wide(type_: object) -> bool:
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    return isinstance(type_, GraphQLList | GraphQLInputObjectType)


def _has_variables(value: ValueNode) -> bool:
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, VariableNode):
            return True
        if isinstance(inside, ListValueNode):
            waiting.extend(inside.values)
        elif isinstance(inside, ObjectValueNode):
            waiting.extend(field.value for field in inside.fields)
    return False


def _check_value(value: ValueNode) -> None:
    """Refuse what Python, JSON or a database has no value for.

    Raises:
        NotMeasured: a number is not finite or has too many digits, or a text holds a NUL.
    """
    waiting = [value]
    while waiting:
        inside = waiting.pop()
        problem = None
        if isinstance(inside, ListValueNode):
            waiting.extend(inside.values)
        elif isinstance(inside, ObjectValueNode):
            waiting.extend(field.value for field in inside.fields)
        elif isinstance(inside, IntValueNode):
            if len(inside.value) > MAX_DIGITS:
                problem = "A number has too many digits."
        elif isinstance(inside, FloatValueNode):
            if len(inside.value) > MAX_DIGITS or not math.isfinite(float(inside.value)):
                problem = "A number is too large."
        elif isinstance(inside, StringValueNode) and "\0" in inside.value:
            problem = "A text holds the character NUL."
        if problem is not None:
            raise NotMeasured("BAD_USER_INPUT", GraphQLError(problem, inside))
