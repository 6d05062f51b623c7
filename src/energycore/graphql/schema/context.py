"""What every resolver is handed: the services, and whose data the request may see."""

from typing import Protocol

import attrs

from energycore.protocols.scope import Scope
from energycore.services.suite import Services

__all__ = ["GraphQLContext", "Info"]


@attrs.frozen(kw_only=True)
class GraphQLContext:
    """The context value of a request; a service that is called with no scope refuses.

    Args:
        services: what answers.
        scope: the tenant of whoever asks.
    """

    services: Services
    scope: Scope


class Info(Protocol):
    """What resolvers read of their second argument."""

    @property
    def context(self) -> GraphQLContext:
        """The context value of the request."""
        ...
