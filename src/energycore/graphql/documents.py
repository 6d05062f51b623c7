"""Parsed and validated GraphQL documents, kept so that a query seen before costs no parsing."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
    version_info,
)

from energycore.graphql.introspection import IntrospectionSizes
from energycore.graphql.judging import Charge, Refusal, exceeded, judge
from energycore.graphql.limits import Limits
from energycore.graphql.plans import FieldBudget, Plan, plan_of

__all__ = ["Document", "DocumentCache", "DocumentRules", "Refusal"]

# Each may look for names that are meant, which takes a while; one more tells that there are more.
_MAX_INVALID = 9

# The 3.3 line accepts `{ }` unless told otherwise; the 3.2 line knows no such option.
_PARSE_OPTIONS: dict[str, Any] = (
    {"allow_empty_selection_sets": False} if version_info >= (3, 3) else {}
)


@frozen(kw_only=True, eq=False)
class Document:
    """A document that passed validation, with the type and the cost of each operation by name."""

    schema: GraphQLSchema
    ast: DocumentNode
    operation_types: Mapping[str | None, OperationType]
    _charges: Mapping[str | None, Charge]
    _plans: dict[str | None, Plan | None] = field(init=False, factory=dict)
    _budget: FieldBudget = field(init=False, factory=FieldBudget)

    def plan(self, name: str | None) -> Plan | None:
        """The plan of an operation, made once; None where only graphql-core can execute it.

        Args:
            name: the request's operation name, for which `operation_type` gave a type.
        """
        # With and without its name, the only operation is the same.
        key = None if len(self.operation_types) == 1 else name
        if key not in self._plans:
            self._plans[key] = plan_of(self.schema, self.ast, name, self._budget)
        return self._plans[key]

    def cost(self, name: str | None, variables: Mapping[str, Any] | None) -> int:
        """The cost of an operation.

        Args:
            name: the request's operation name, for which `operation_type` gave a type.
            variables: as they were sent.
        """
        if len(self._charges) == 1:
            (charge,) = self._charges.values()
        else:
            charge = self._charges[name]
        return charge.of(variables)

    def operation_type(self, name: str | None) -> OperationType | Refusal:
        """Tell whether the operation that a request names is a query, mutation or subscription.

        Args:
            name: the request's operation name; None is enough where the document has only one.
        """
        if name is None and len(self.operation_types) == 1:
            return next(iter(self.operation_types.values()))
        found = self.operation_types.get(name)
        if found is not None:
            return found
        if not self.operation_types:
            problem = "The document has no operation."
        elif name is None:
            problem = "The document has several operations: name one in operationName."
        else:
            problem = "The document has no operation of the name given in operationName."
        return Refusal(code="OPERATION_RESOLUTION_FAILURE", errors=[GraphQLError(problem)])


@frozen(kw_only=True, eq=False)
class DocumentRules:
    """What a document must satisfy before it is executed.

    Args:
        schema: the schema that it is validated against.
        limits: what it may ask for.
        introspection: whether `__schema` and `__type` may be asked, and refusals suggest names.
    """

    schema: GraphQLSchema
    limits: Limits = field(factory=Limits)
    introspection: bool = True
    _sizes: IntrospectionSizes = field(init=False, repr=False)

    @_sizes.default
    def _count_sizes(self) -> IntrospectionSizes:
        return IntrospectionSizes.of(self.schema)

    def check(self, source: str) -> Document | Refusal:
        """Parse, measure and validate the source text of a document."""
        limits = self.limits
        if len(source) > limits.max_characters:
            return exceeded("max_characters", limits.max_characters, len(source))
        lines = 1 + source.count("\n") + source.count("\r")
        if lines > limits.max_lines:
            return exceeded("max_lines", limits.max_lines, lines)
        try:
            ast = parse(
                source,
                max_lexical_tokens=limits.max_tokens,
                max_comments=limits.max_tokens,
                **_PARSE_OPTIONS,
            )
        except GraphQLError as error:
            return Refusal(code="GRAPHQL_PARSE_FAILED", errors=[error])
        charges = judge(self.schema, ast, limits, self._sizes)
        if isinstance(charges, Refusal):
            return charges
        rules = specified_rules
        if not self.introspection:
            rules = (*specified_rules, NoSchemaIntrospectionCustomRule)
        # A suggestion tells names of the schema.
        errors = validate(
            self.schema,
            ast,
            rules,
            max_errors=_MAX_INVALID,
            hide_suggestions=not self.introspection,
        )
        if errors:
            return Refusal(code="GRAPHQL_VALIDATION_FAILED", errors=errors)
        return Document(
            schema=self.schema,
            ast=ast,
            operation_types=_operation_types(ast),
            charges=charges,
        )


class DocumentCache:
    """The valid documents used last, bounded in number and in size; safe to share by threads.

    The rules are part of the key, so engines with different schemas may share one cache. A refused
    document is never kept: a stream of nonsense cannot push out what real clients use.

    Args:
        max_documents: the most documents that are kept; the plans of one take up to 210 KB, so
            the default is worth at most 105 MB. A usual one takes 60 KB with its syntax tree.
        max_characters: the most characters of source that are kept; a syntax tree takes up to
            250 bytes for each, so the default is worth at most 65 MB.
    """

    def __init__(self, *, max_documents: int = 500, max_characters: int = 262_144) -> None:
        self._max_documents = max_documents
        self._max_characters = max_characters
        self._kept: OrderedDict[tuple[DocumentRules, str], Document] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def characters(self) -> int:
        """The characters of source of all documents that are kept."""
        return self._characters

    def load(self, rules: DocumentRules, source: str) -> Document | Refusal:
        """Return the document of a source text, parsed and validated now or before."""
        key = (rules, source)
        with self._lock:
            document = self._kept.get(key)
            if document is not None:
                self._kept.move_to_end(key)
                return document
        # Checked outside the lock: a slow document must not hold up those that are kept.
        checked = rules.check(source)
        if isinstance(checked, Document) and len(source) <= self._max_characters:
            self._keep(key, checked)
        return checked

    def _keep(self, key: tuple[DocumentRules, str], document: Document) -> None:
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = document
            self._characters += len(key[1])
            while len(self._kept) > self._max_documents or self._characters > self._max_characters:
                (_, oldest), _ = self._kept.popitem(last=False)
                self._characters -= len(oldest)


def _operation_types(ast: DocumentNode) -> dict[str | None, OperationType]:
    return {
        node.name.value if node.name else None: node.operation
        for node in ast.definitions
        if isinstance(node, OperationDefinitionNode)
    }
