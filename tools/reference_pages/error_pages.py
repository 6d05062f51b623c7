"""One page for each code: what it means, when it happens, an example, and what to do."""

from collections.abc import Iterator, Mapping
from typing import Final

from energycore import errors
from energycore.errors import EnergycoreError
from tools.reference_pages.domain_texts import DOMAIN_TEXTS
from tools.reference_pages.limit_texts import LIMIT_TEXTS
from tools.reference_pages.markdown import NOTE, first_sentence
from tools.reference_pages.program_texts import PROGRAM_TEXTS
from tools.reference_pages.server_texts import SERVER_TEXTS
from tools.reference_pages.texts import Text

__all__ = ["TEXTS", "below", "children", "meaning", "page"]

TEXTS: Final[Mapping[str, Text]] = {
    **DOMAIN_TEXTS,
    **LIMIT_TEXTS,
    **PROGRAM_TEXTS,
    **SERVER_TEXTS,
}
"""The text of each code. A code without one has no page, and a test fails."""

PAGE = """# {code}

{note}

{meaning}

{origin}

## When it happens

{when}

## Example

{example}

## What to do

{do}
"""


def page(code: str) -> str:
    """The page of a code."""
    text = TEXTS[code]
    return PAGE.format(
        code=code,
        note=NOTE,
        meaning=meaning(code),
        origin=_origin(code),
        when=text.when,
        example=text.example.shown(),
        do=text.do,
    )


def meaning(code: str) -> str:
    """One sentence: that of the class of the exception, else one of the text's own."""
    kind = _kinds().get(code)
    return TEXTS[code].meaning if kind is None else first_sentence(kind)


def _origin(code: str) -> str:
    kind = _kinds().get(code)
    if kind is None:
        return "The GraphQL server answers with it; no class of Python has this code."
    bases = [
        base.__name__
        for base in kind.__mro__[1:]
        if base is not EnergycoreError and (issubclass(base, EnergycoreError) or _is_public(base))
    ]
    names = f"`{kind.__module__}.{kind.__name__}`"
    return f"In Python it is {names}, which is also {' and '.join(f'`{name}`' for name in bases)}."


def _is_public(base: type) -> bool:
    return base not in (BaseException, Exception, object)


def _kinds() -> Mapping[str, type[EnergycoreError]]:
    return {kind.code: kind for kind in below(EnergycoreError)}


def children(parent: type[EnergycoreError]) -> list[type[EnergycoreError]]:
    """The classes right below one, in the order of the module."""
    declared = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    return [thing for thing in declared if parent in thing.__bases__]


def below(parent: type[EnergycoreError]) -> Iterator[type[EnergycoreError]]:
    """All classes below one."""
    for child in children(parent):
        yield child
        yield from below(child)
