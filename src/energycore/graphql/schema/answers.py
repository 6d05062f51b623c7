"""Answers that one look-up gives for all siblings of a list, refusals included."""

from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Generic, TypeVar

from energycore.errors import EnergycoreError

__all__ = ["Answers"]

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


class Answers(Generic[Question, Answer]):
    """Looks each question up once, however many siblings ask it.

    Args:
        look_up: answers a question for all of them.
    """

    def __init__(self, look_up: Callable[[Question], Answer]) -> None:
        self._look_up = look_up
        self._found: dict[Question, Answer] = {}
        self._failed: dict[Question, tuple[EnergycoreError, TracebackType | None]] = {}

    def __call__(self, question: Question) -> Answer:
        """The answer; a look-up that failed fails for every sibling, and is not repeated."""
        if question in self._failed:
            error, traceback = self._failed[question]
            raise error.with_traceback(traceback)
        if question not in self._found:
            try:
                self._found[question] = self._look_up(question)
            except EnergycoreError as error:
                self._failed[question] = error, error.__traceback__
                raise
        return self._found[question]
