"""Executing a request that passed all rules, whichever way it came."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import CoroutineType
from typing import Any, Final, TypeGuard

from attrs import frozen
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationType,
    execute,
    get_operation_ast,
    get_variable_values,
)

from energycore.graphql.deadlines import Deadline
from energycore.graphql.documents import Document
from energycore.graphql.faults import ErrorReporter
from energycore.graphql.limits import Limits
from energycore.graphql.plans import NotPlanned

__all__ = ["Executed", "Prepared", "run"]

_MAX_VARIABLE_ERRORS: Final = 3


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
        omitted_errors: how many errors were left out.
    """

    data: dict[str, Any] | None
    errors: list[dict[str, object]]
    has_run: bool = True
    omitted_errors: int = 0

    def response(self) -> dict[str, object]:
        """The response as GraphQL writes it."""
        if not self.errors:
            return {"data": self.data}
        if not self.has_run:
            return {"errors": self.errors}
        content: dict[str, object] = {"errors": self.errors, "data": self.data}
        if self.omitted_errors:
            content["extensions"] = {"omittedErrors": self.omitted_errors}
        return content


def run(
    prepared: Prepared,
    context_value: object,
    root_value: object,
    *,
    limits: Limits,
    reporter: ErrorReporter,
    hide_suggestions: bool,
) -> Executed:
    """Execute a request in this thread; see `GraphQLEngine.execute`."""
    plan = prepared.document.plan(prepared.operation_name)
    data: Any = None
    result: object = None
    with _operation(context_value, Deadline.after(limits.timeout_s)) as context:
        if plan is not None:
            try:
                data = plan.run(context, prepared.variables, root_value)
            except NotPlanned as given_up:
                _begin_again(context, given_up.__cause__)
                plan = None
        if plan is None:
            wrong = _wrong_variables(prepared, hide_suggestions=hide_suggestions)
            if wrong:
                return Executed(data=None, errors=reporter.describe(wrong), has_run=False)
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
    if plan is not None:
        return Executed(data=data, errors=[])
    if not isinstance(result, ExecutionResult):
        raise TypeError("the schema has an asynchronous resolver")
    if not result.errors:
        return Executed(data=result.data, errors=[])
    errors = reporter.describe(result.errors, limits.max_errors)
    # Errors of fields have a path; those without one stopped the request before any field ran.
    if result.data is None and all(error.path is None for error in result.errors):
        return Executed(data=None, errors=errors, has_run=False)
    omitted = len(result.errors) - len(errors)
    return Executed(data=result.data, errors=errors, omitted_errors=omitted)


def _wrong_variables(prepared: Prepared, *, hide_suggestions: bool) -> list[GraphQLError]:
    """What is wrong with the variables; graphql-core itself would tell fifty times as much."""
    operation = get_operation_ast(prepared.document.ast, prepared.operation_name)
    if operation is None:
        return []  # execution says so
    found = get_variable_values(
        prepared.document.schema,
        operation.variable_definitions or (),
        dict(prepared.variables or {}),
        max_errors=_MAX_VARIABLE_ERRORS,
        hide_suggestions=hide_suggestions,
    )
    return found if isinstance(found, list) else []


def _operation(context_value: object, deadline: Deadline) -> AbstractContextManager[object]:
    opened: Callable[[Deadline], AbstractContextManager[object]] | None
    opened = getattr(context_value, "open_operation", None)
    return nullcontext(context_value) if opened is None else opened(deadline)


def _begin_again(context: object, error: BaseException | None) -> None:
    begin_again: Callable[[BaseException | None], None] | None
    begin_again = getattr(context, "begin_again", None)
    if begin_again is not None:
        begin_again(error)


def _is_coroutine(value: object) -> TypeGuard[Awaitable[Any]]:
    # One test instead of graphql-core's three. It may not be left out: the attributes of a
    # coroutine would be read as missing fields, which become null without a word.
    if isinstance(value, CoroutineType):
        value.close()
        raise TypeError("a resolver must be synchronous")
    return False
