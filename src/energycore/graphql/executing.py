"""Executing a request that passed all rules, whichever way it came."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import CoroutineType
from typing import Any, TypeGuard

from attrs import frozen
from graphql import ExecutionResult, OperationType, execute

from energycore.graphql.documents import Document
from energycore.graphql.faults import ErrorReporter
from energycore.graphql.plans import NotPlanned

__all__ = ["Executed", "Prepared", "run"]


@frozen(kw_only=True, eq=False)
class Prepared:
    """A request that passed all rules and limits."""

    document: Document
    operation_type: OperationType
    operation_name: str | None
    variables: Mapping[str, Any] | None


@frozen(kw_only=True, eq=False)
class Executed:
    """The response to a request.

    Args:
        data: None where nothing is left of it.
        errors: as clients may see them; faults are masked and logged.
        has_run: whether any field was resolved; where none was, the request itself is wrong.
    """

    data: dict[str, Any] | None
    errors: list[dict[str, object]]
    has_run: bool = True

    def response(self) -> dict[str, object]:
        """The response as GraphQL writes it."""
        if not self.errors:
            return {"data": self.data}
        if not self.has_run:
            return {"errors": self.errors}
        return {"errors": self.errors, "data": self.data}


def run(
    prepared: Prepared,
    context_value: object,
    root_value: object,
    *,
    reporter: ErrorReporter,
    hide_suggestions: bool,
) -> Executed:
    """Execute a request in this thread; see `GraphQLEngine.execute`."""
    plan = prepared.document.plan(prepared.operation_name)
    if plan is not None:
        try:
            with _operation(context_value) as context:
                data = plan.run(context, prepared.variables, root_value)
        except NotPlanned:
            pass
        else:
            return Executed(data=data, errors=[])
    with _operation(context_value) as context:
        result = execute(
            prepared.document.schema,
            prepared.document.ast,
            root_value,
            context,
            None if prepared.variables is None else dict(prepared.variables),
            prepared.operation_name,
            is_awaitable=_is_coroutine,
            hide_suggestions=hide_suggestions,
        )
    if not isinstance(result, ExecutionResult):
        raise TypeError("the schema has an asynchronous resolver")
    if not result.errors:
        return Executed(data=result.data, errors=[])
    # Errors of fields have a path; those without one stopped the request before any field ran.
    has_run = result.data is not None or any(error.path is not None for error in result.errors)
    return Executed(data=result.data, errors=reporter.describe(result.errors), has_run=has_run)


def _operation(context_value: object) -> AbstractContextManager[object]:
    opened: Callable[[], AbstractContextManager[object]] | None
    opened = getattr(context_value, "open_operation", None)
    return nullcontext(context_value) if opened is None else opened()


def _is_coroutine(value: object) -> TypeGuard[Awaitable[Any]]:
    # One test instead of graphql-core's three. It may not be left out: the attributes of a
    # coroutine would be read as missing fields, which become null without a word.
    if isinstance(value, CoroutineType):
        value.close()
        raise TypeError("a resolver must be synchronous")
    return False
