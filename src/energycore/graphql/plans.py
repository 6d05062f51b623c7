"""Plans: a validated query turned into nested functions once, and run many times.

graphql-core works out again for each request, and for each item of a list, which fields an object
has and what their types are. A plan does that once. It only knows how things go well: whatever
does not (an error, a null where none may be, a resolver that wants more than its context) ends in
`NotPlanned`, and the caller executes the query from the start with graphql-core, which knows all
rules. Queries change nothing, so running one twice does no harm.
"""

import threading
from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Any, Final, NoReturn, TypeAlias

from attrs import define, field
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_argument_values,
    get_variable_values,
    is_abstract_type,
    is_leaf_type,
)

__all__ = ["FieldBudget", "NotPlanned", "Plan", "plan_of"]

_MAX_FIELDS: Final = 200


class NotPlanned(Exception):
    """This query, or this answer to it, needs graphql-core."""


@define
class _Run:
    """What resolvers are given as `info` while a plan runs."""

    context: object
    variable_values: Any


Complete: TypeAlias = Callable[[Any, _Run], Any]
"""Turns what a resolver returned into what the response holds."""

_Step: TypeAlias = tuple[
    str, Callable[..., Any], Callable[[_Run], Mapping[str, Any]] | None, Complete
]
"""Response key, resolver, arguments if the field takes any, and what becomes of the value."""


@define(eq=False)
class FieldBudget:
    """How many more fields the plans of one document may have, each counted for each type."""

    _left: int = _MAX_FIELDS
    lock: Any = field(factory=threading.RLock, init=False)
    """Held by whoever plans."""

    def spend(self) -> None:
        """Count one field.

        Raises:
            NotPlanned: there were enough.
        """
        self._left -= 1
        if self._left < 0:
            raise NotPlanned


@define
class Plan:
    """One operation of a document, ready to run.

    What it does with an object of an abstract type is planned when the first one of that type
    comes along: of many possible types, few do.
    """

    _schema: GraphQLSchema
    _operation: OperationDefinitionNode
    _planner: "_Planner"
    _answer: Complete

    def run(
        self,
        context_value: object,
        variables: Mapping[str, Any] | None,
        root_value: object = None,
    ) -> Any:
        """The data of the response.

        Raises:
            NotPlanned: only graphql-core can answer.
        """
        if self._planner.has_failed:
            raise NotPlanned
        values: Any = None
        if self._operation.variable_definitions:
            # One error is enough to give up, and each takes long where there are many.
            values = get_variable_values(
                self._schema,
                self._operation.variable_definitions,
                dict(variables or {}),
                max_errors=1,
            )
            if isinstance(values, list):
                raise NotPlanned
        try:
            return self._answer(root_value, _Run(context_value, values))
        except NotPlanned:
            raise
        except Exception as error:
            # It happens again where it is dealt with.
            raise NotPlanned from error


def plan_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    name: str | None,
    budget: FieldBudget | None = None,
) -> Plan | None:
    """Plan an operation of a validated document; None where graphql-core must execute it.

    Args:
        schema: the schema that it is valid against.
        document: with the operation.
        name: of the operation; None is enough where the document has only one.
        budget: what the plans of the document share; the plan's own unless given.
    """
    operation = _operation(document, name)
    if operation is None or operation.directives:
        return None
    # Of a subscription, each event is a query of its own.
    roots = {
        OperationType.QUERY: schema.query_type,
        OperationType.SUBSCRIPTION: schema.subscription_type,
    }
    root = roots.get(operation.operation)
    if root is None:
        return None
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    planner = _Planner(schema, fragments, FieldBudget() if budget is None else budget)
    try:
        answer = planner.plan(root, [operation.selection_set])
    except NotPlanned:
        return None
    return Plan(schema, operation, planner, answer)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    operations = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (name is None or (node.name is not None and node.name.value == name))
    ]
    return operations[0] if len(operations) == 1 else None


@define
class _Planner:
    _schema: GraphQLSchema
    _fragments: Mapping[str, FragmentDefinitionNode]
    _budget: FieldBudget
    has_failed: bool = field(default=False, init=False)
    """Something has no plan: whoever runs into it again would only lose time."""

    def plan(self, type_: GraphQLObjectType, selections: list[SelectionSetNode]) -> Complete:
        """Plan the fields of an object, in any thread.

        Raises:
            NotPlanned: one of them has no plan, or there are too many.
        """
        with self._budget.lock:
            try:
                return self._object(type_, selections)
            except (NotPlanned, RecursionError) as error:
                self.has_failed = True
                raise NotPlanned from error

    def _object(self, type_: GraphQLObjectType, selections: list[SelectionSetNode]) -> Complete:
        steps = [
            self._step(type_, key, nodes) for key, nodes in self._collect(type_, selections).items()
        ]

        def complete(source: Any, run: _Run) -> dict[str, Any]:
            if isinstance(source, CoroutineType):
                _give_up(source)
            return {
                key: finish(
                    resolve(source, run)
                    if arguments is None
                    else resolve(source, run, **arguments(run)),
                    run,
                )
                for key, resolve, arguments, finish in steps
            }

        return complete

    def _step(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> _Step:
        self._budget.spend()
        name = nodes[0].name.value
        if name == "__typename":
            type_name = parent.name
            return key, lambda _source, _run: type_name, None, lambda value, _run: value
        definition = parent.fields.get(name)
        if definition is None or definition.resolve is None:
            raise NotPlanned
        resolve = definition.resolve
        arguments = _arguments(definition, nodes[0])
        return key, resolve, arguments, self._complete(definition.type, nodes)

    def _complete(self, type_: Any, nodes: list[FieldNode]) -> Complete:
        if isinstance(type_, GraphQLNonNull):
            return _never_null(self._present(type_.of_type, nodes))
        return _maybe_null(self._present(type_, nodes))

    def _present(self, type_: Any, nodes: list[FieldNode]) -> Complete:
        """How a value that is not null is completed."""
        if isinstance(type_, GraphQLList):
            return _list(self._complete(type_.of_type, nodes))
        if is_leaf_type(type_):
            return _leaf(type_)
        selections = [node.selection_set for node in nodes if node.selection_set is not None]
        if isinstance(type_, GraphQLObjectType):
            if type_.is_type_of is not None:
                raise NotPlanned
            return self._object(type_, selections)
        if is_abstract_type(type_):
            return self._abstract(type_, selections)
        raise NotPlanned

    def _abstract(self, type_: GraphQLAbstractType, selections: list[SelectionSetNode]) -> Complete:
        if type_.resolve_type is None:
            raise NotPlanned
        resolve_type: Callable[..., Any] = type_.resolve_type
        by_name: dict[str, Complete] = {}

        def first(name: str) -> Complete:
            with self._budget.lock:
                for possible in self._schema.get_possible_types(type_):
                    # Another thread may have been faster.
                    if possible.name == name and name not in by_name:
                        by_name[name] = self.plan(possible, selections)
            return by_name[name]

        def complete(value: Any, run: _Run) -> Any:
            name = resolve_type(value, run, type_)
            return (by_name.get(name) or first(name))(value, run)

        return complete

    def _collect(
        self, type_: GraphQLObjectType, selections: list[SelectionSetNode]
    ) -> dict[str, list[FieldNode]]:
        """The field nodes of each response key, fragments unfolded once for each object."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        waiting = [node for selection in selections for node in selection.selections]
        waiting.reverse()
        while waiting:
            node = waiting.pop()
            if node.directives:
                raise NotPlanned
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
                continue
            inside: InlineFragmentNode | FragmentDefinitionNode
            if isinstance(node, InlineFragmentNode):
                inside = node
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                inside = self._fragments[node.name.value]
            else:
                continue
            if self._applies(inside, type_):
                waiting.extend(reversed(inside.selection_set.selections))
        return found

    def _applies(
        self, fragment: InlineFragmentNode | FragmentDefinitionNode, type_: GraphQLObjectType
    ) -> bool:
        if fragment.directives:
            raise NotPlanned
        if fragment.type_condition is None:
            return True
        condition = self._schema.get_type(fragment.type_condition.name.value)
        if isinstance(condition, GraphQLInterfaceType | GraphQLUnionType):
            return self._schema.is_sub_type(condition, type_)
        return condition is type_


def _arguments(
    definition: GraphQLField, node: FieldNode
) -> Callable[[_Run], Mapping[str, Any]] | None:
    if not definition.args:
        return None
    if not node.arguments:
        # Defaults only: the same for every request.
        fixed = get_argument_values(definition, node)
        return lambda _run: fixed
    return lambda run: get_argument_values(definition, node, run.variable_values)


def _never_null(present: Complete) -> Complete:
    def complete(value: Any, run: _Run) -> Any:
        if value is None:
            raise NotPlanned
        return present(value, run)

    return complete


def _maybe_null(present: Complete) -> Complete:
    def complete(value: Any, run: _Run) -> Any:
        return None if value is None else present(value, run)

    return complete


def _list(item: Complete) -> Complete:
    def complete(values: Any, run: _Run) -> list[Any]:
        if not isinstance(values, list | tuple):
            _give_up(values)
        return [item(value, run) for value in values]

    return complete


def _leaf(type_: Any) -> Complete:
    # The 3.3 line of graphql-core has a new name for it; the old one warns there.
    serialize = getattr(type_, "coerce_output_value", None) or type_.serialize

    def complete(value: Any, _run: _Run) -> Any:
        try:
            result = serialize(value)
        except Exception:  # noqa: BLE001 - it happens again where it is dealt with
            _give_up(value)
        if result is None:
            raise NotPlanned
        return result

    return complete


def _give_up(value: object) -> NoReturn:
    if isinstance(value, CoroutineType):
        value.close()
    raise NotPlanned
