"""The parts of a page about an error that no code says."""

import attrs

from tools.reference_pages.error_examples import Example

__all__ = ["Text"]


@attrs.frozen
class Text:
    """What is written by hand of a code.

    Args:
        when: when it happens.
        do: what to do about it.
        example: what it looks like.
        meaning: what it means, where no exception class says it.
    """

    when: str
    do: str
    example: Example
    meaning: str = ""
