"""What a client is told of each GraphQL error, and what only the log is told."""

import logging
from collections.abc import Callable, Sequence

from attrs import frozen
from graphql import GraphQLError

from energycore.errors import (
    Conflict,
    EnergycoreError,
    InvalidValue,
    NotAllowed,
    NotFound,
    TimedOut,
)
from energycore.graphql.traces import trace

__all__ = ["INTERNAL_ERROR", "MEANT_FOR_CLIENTS", "ErrorReporter", "shown"]

INTERNAL_ERROR = "INTERNAL_ERROR"
_BAD_USER_INPUT = "BAD_USER_INPUT"
MEANT_FOR_CLIENTS = (InvalidValue, NotFound, Conflict, NotAllowed, TimedOut)
"""Errors whose words a client may read; those of all others may name hosts, files or tables."""
_ARGUMENT_COERCION = "graphql.execution.values"
_MAX_MESSAGE = 1_000


def shown(error: GraphQLError, code: str) -> dict[str, object]:
    """Describe an error whose message is meant for the client, under a stable code."""
    return _described(error, error.message, {**(error.extensions or {}), "code": code})


@frozen(kw_only=True)
class ErrorReporter:
    """Turns the errors of an execution into response errors and masks what nobody expected.

    Args:
        logger: gets the types and lines of each fault, under the identifier that the client sees.
        new_error_id: makes the identifier of the faults of one response.
        log_details: whether the log also gets what the exceptions say, which may be secret.
    """

    logger: logging.Logger
    new_error_id: Callable[[], str]
    log_details: bool = False

    def describe(
        self, errors: Sequence[GraphQLError], most: int | None = None
    ) -> list[dict[str, object]]:
        """Describe the first errors; the same fault at several places in a list is logged once.

        Args:
            errors: all of them; faults are logged also where they are not described.
            most: how many are described; all unless given.
        """
        faults = _FaultLog(self)
        described = [_describe(error, faults) for error in errors[:most]]
        for error in errors[len(described) :]:
            if _told(error) is None:
                faults.identify(_cause(error), _place(error))
        return described

    def fault(self, error: Exception) -> dict[str, object]:
        """Describe an error outside of any field; a fault is logged and loses its message."""
        if isinstance(error, MEANT_FOR_CLIENTS):
            return {"message": error.message, "extensions": {"code": error.code}}
        return _masked(error, _FaultLog(self).identify(error, "outside of the fields"))

    def log(self, error_id: str, place: str, error: BaseException) -> None:
        """Write a fault to the log."""
        if self.log_details:
            self.logger.error("GraphQL fault %s at %s", error_id, place, exc_info=error)
        else:
            self.logger.error("GraphQL fault %s at %s: %s", error_id, place, trace(error))


class _FaultLog:
    """The faults of one response: one identifier, each fault logged once."""

    def __init__(self, reporter: ErrorReporter) -> None:
        self._reporter = reporter
        self._error_id: str | None = None
        self._seen: set[tuple[type[BaseException], str]] = set()

    def identify(self, error: BaseException, place: str) -> str:
        if self._error_id is None:
            self._error_id = self._reporter.new_error_id()
        if (type(error), place) not in self._seen:
            self._seen.add((type(error), place))
            self._reporter.log(self._error_id, place, error)
        return self._error_id


def _describe(error: GraphQLError, faults: _FaultLog) -> dict[str, object]:
    told = _told(error)
    if told is not None:
        return _described(error, *told)
    cause = _cause(error)
    return {**_located(error), **_masked(cause, faults.identify(cause, _place(error)))}


def _told(error: GraphQLError) -> tuple[str, dict[str, object]] | None:
    """The message and the extensions of an error that clients may read; None for a fault."""
    cause = _cause(error)
    if isinstance(cause, MEANT_FOR_CLIENTS):
        # An error about a variable says which one, an error in a field only what is wrong.
        message = error.message if error.path is None else cause.message
        return message, {"code": cause.code}
    if isinstance(cause, GraphQLError):
        extensions = cause.extensions or {}
        if isinstance(extensions.get("code"), str):
            return error.message, dict(extensions)
    # Scalars refuse a value with a TypeError or ValueError; anything else is a defect in them.
    if _is_about_input(error) and isinstance(cause, GraphQLError | TypeError | ValueError):
        return error.message, {"code": _BAD_USER_INPUT}
    return None


def _place(error: GraphQLError) -> str:
    place = ".".join(str(key) for key in error.path or () if isinstance(key, str))
    return place or "the variables"


def _cause(error: GraphQLError) -> BaseException:
    """Look through the GraphQL errors that wrap others for the exception that began it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_about_input(error: GraphQLError) -> bool:
    if error.path is None:
        return True
    # An argument that only its variable's value makes wrong, such as null for a non-null
    # argument, is reported while its field runs, and only the traceback tells it from a fault.
    traceback = (error.original_error or error).__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__name__") == _ARGUMENT_COERCION:
            return True
        traceback = traceback.tb_next
    return False


def _masked(error: BaseException, error_id: str) -> dict[str, object]:
    code, message = INTERNAL_ERROR, "Internal error"
    if isinstance(error, EnergycoreError):
        code, message = error.code, "The server cannot answer this now"
    return {"message": message, "extensions": {"code": code, "errorId": error_id}}


def _described(
    error: GraphQLError, message: str, extensions: dict[str, object]
) -> dict[str, object]:
    return {"message": _short(message), **_located(error), "extensions": extensions}


def _short(message: str) -> str:
    """A message may repeat what was sent, which may be long."""
    if len(message) <= _MAX_MESSAGE:
        return message
    return f"{message[:_MAX_MESSAGE]}... ({len(message)} characters)"


def _located(error: GraphQLError) -> dict[str, object]:
    located: dict[str, object] = {}
    if error.locations:
        located["locations"] = [
            {"line": place.line, "column": place.column} for place in error.locations
        ]
    if error.path is not None:
        located["path"] = list(error.path)
    return located
