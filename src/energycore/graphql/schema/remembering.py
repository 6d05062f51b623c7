"""A service that answers the same question once: in one moment the answer does not change."""

from collections.abc import Callable, Collection, Hashable
from functools import partial
from typing import Any

__all__ = ["Remembering"]


class Remembering:
    """Passes calls on to a service and keeps what it answered; a refusal is not kept.

    A query that a plan could not finish is worked out again from the start. It then asks the
    same questions again, and they cost nothing.

    Args:
        service: whose methods take hashable arguments and collections.
        answers: what it answered until now.
    """

    def __init__(self, service: object, answers: dict[Hashable, Any]) -> None:
        self._service = service
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._ask, name, getattr(self._service, name))

    def _ask(self, name: str, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        key = (name, *map(_key, given), *((word, _key(value)) for word, value in named.items()))
        found = self._answers.get(key)
        if found is None:
            # The arguments stay alive with the answer, for the key holds identities of them.
            found = self._answers[key] = (method(*given, **named), given, named)
        return found[0]


def _key(value: Any) -> Hashable:
    if isinstance(value, Collection) and not isinstance(value, str):
        return tuple([item if isinstance(item, int | str) else id(item) for item in value])
    return value if isinstance(value, Hashable) else id(value)
