"""What the command line refuses by itself, in a sentence of its own."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Final

from energycore.errors import InvalidValue, NotFound

__all__ = ["InvalidOption", "NoSuchName"]

_MOST: Final = 8


class InvalidOption(InvalidValue):
    """The value of an option cannot be used; the sentence says why, and what else to do."""

    def __init__(self, option: str, value: object, problem: str) -> None:
        super().__init__(option, value, problem)
        self.message = problem
        self.args = (problem,)


class NoSuchName(NotFound):
    """Nothing is called like that; the sentence says what is, the most similar first."""

    def __init__(self, noun: str, name: str, known: Iterable[str]) -> None:
        super().__init__(noun, name)
        self.message = f"{self.message}: {_alternatives(noun, name, sorted(set(known)))}"
        self.args = (self.message,)


def _alternatives(noun: str, name: str, known: Sequence[str]) -> str:
    if not known:
        return f"there is no {noun} at all"
    folded = {text.casefold(): text for text in known}
    if close := get_close_matches(name.casefold(), folded, n=_MOST, cutoff=0.6):
        return f"did you mean {' or '.join(repr(folded[text]) for text in close)}?"
    more = f" and {len(known) - _MOST:,} more" if len(known) > _MOST else ""
    return f"there are {', '.join(map(repr, known[:_MOST]))}{more}"
