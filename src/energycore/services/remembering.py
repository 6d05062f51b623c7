"""What answers the same question once: in one moment the answer does not change."""

from collections.abc import Callable, Collection, Hashable
from functools import partial
from typing import Any

import numpy as np

__all__ = ["Remembering"]


class Remembering:
    """Passes calls on to a service or repository and keeps what it answered, but no refusal.

    Args:
        service: whose methods take hashable arguments and collections.
        answers: what it answered until now.
        only: the methods whose answers are kept; all unless given.
    """

    def __init__(
        self,
        service: object,
        answers: dict[Hashable, Any],
        only: Collection[str] | None = None,
    ) -> None:
        self._service = service
        self._answers = answers
        self._only = only

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if self._only is not None and name not in self._only:
            method: Callable[..., Any] = getattr(self._service, name)
            return method
        return partial(self._ask, name, getattr(self._service, name))

    def _ask(self, name: str, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        key = (name, *map(_key, given), *((word, _key(value)) for word, value in named.items()))
        found = self._answers.get(key)
        if found is None:
            # The arguments stay alive with the answer, for the key holds identities of them.
            found = self._answers[key] = (method(*given, **named), given, named)
        return found[0]


def _key(value: Any) -> Hashable:
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, Collection) and not isinstance(value, str):
        return tuple([item if isinstance(item, int | str) else id(item) for item in value])
    return value if isinstance(value, Hashable) else id(value)
