"""What every resolver is handed: the services, and whose data the request may see."""

from collections.abc import Hashable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Protocol, cast

import attrs

from energycore.errors import StorageUnavailable
from energycore.graphql.deadlines import NO_DEADLINE, Deadline
from energycore.protocols.scope import Scope
from energycore.services.histories import Histories
from energycore.services.insight import Insight
from energycore.services.remembering import Remembering
from energycore.services.suite import Services

__all__ = ["GraphQLContext", "Info", "Operation"]


@attrs.frozen(kw_only=True)
class GraphQLContext:
    """The context value of requests; a service that is called with no scope refuses.

    Args:
        services: what answers.
        scope: the tenant of whoever asks.
    """

    services: Services
    scope: Scope

    def open_operation(
        self, deadline: Deadline = NO_DEADLINE
    ) -> AbstractContextManager["Operation"]:
        """What the resolvers of one operation are handed, until the block ends.

        Args:
            deadline: until when services may be called.
        """
        return Operation(self.services, self.scope, deadline)


@attrs.define(eq=False)
class Operation:
    """One operation while it is answered, in one thread.

    All that it reads, it reads from one state of the storage and at one instant. Where nothing is
    read, no transaction is opened.
    """

    services: Services
    scope: Scope
    deadline: Deadline = NO_DEADLINE
    bucket_count: int = attrs.field(default=0, init=False)
    """How many buckets its histories have, at most."""
    _moment: AbstractContextManager[Insight] | None = attrs.field(default=None, init=False)
    _insight: Insight | None = attrs.field(default=None, init=False)
    _answers: dict[Hashable, Any] = attrs.field(factory=dict, init=False)

    def __enter__(self) -> "Operation":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end_reading()

    @property
    def insight(self) -> Insight:
        """Answers questions, as things stood when the first of them was asked.

        Raises:
            ScopeRequired: there is no scope.
            StorageUnavailable: there is no transaction to be had.
            TimedOut: the deadline has passed.
        """
        self.deadline.check()
        return cast("Insight", Remembering(self._at_one_moment(), self._answers))

    @property
    def histories(self) -> Histories:
        """Answers what happened until then, by the same state of the storage.

        Raises:
            ScopeRequired: there is no scope.
            StorageUnavailable: there is no transaction to be had.
            TimedOut: the deadline has passed.
        """
        self.deadline.check()
        moment = self._at_one_moment()
        histories = attrs.evolve(
            self.services.histories, storage=moment.storage, clock=moment.clock
        )
        return cast("Histories", Remembering(histories, self._answers))

    def begin_again(self, error: BaseException | None) -> None:
        """Answer from the start, by the same state of the storage if it can still be asked.

        Args:
            error: what ended the first attempt.
        """
        self.bucket_count = 0
        if isinstance(error, StorageUnavailable):
            self.end_reading()

    def end_reading(self) -> None:
        """Forget how things stood: what is read from now on sees what was written until now."""
        moment, self._moment, self._insight, self._answers = self._moment, None, None, {}
        if moment is not None:
            # What was read is read: a connection that breaks now takes nothing back.
            with suppress(StorageUnavailable):
                moment.__exit__(None, None, None)

    def _at_one_moment(self) -> Insight:
        if self._insight is None:
            moment = self.services.insight.snapshot(self.scope)
            self._insight = moment.__enter__()
            self._moment = moment
        return self._insight


class Info(Protocol):
    """What resolvers read of their second argument."""

    @property
    def context(self) -> Operation:
        """The operation that is being answered."""
        ...
