"""What the command line refuses by itself, in a sentence of its own."""

from energycore.errors import InvalidValue

__all__ = ["InvalidOption"]


class InvalidOption(InvalidValue):
    """The value of an option cannot be used; the sentence says why, and what else to do."""

    def __init__(self, option: str, value: object, problem: str) -> None:
        super().__init__(option, value, problem)
        self.message = problem
        self.args = (problem,)
