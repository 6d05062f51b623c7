"""The page of errors: every class below EnergycoreError, its code, and what it carries."""

from collections.abc import Iterator

from energycore import errors
from energycore.errors import EnergycoreError
from tools.reference_pages.markdown import NOTE, first_sentence, table

__all__ = ["page", "tree"]

PAGE = """# Errors

{note}

Whatever energycore refuses on purpose is one of these. Codes are stable: a program may rely on
them; texts may change. Each class is also of the built-in class in brackets, or of that of its
parent, so that `except ValueError` works as one expects.

```text
{tree}
```

{table}
"""


def page() -> str:
    """The whole page."""
    rows = [
        (f"`{error.code}`", f"`{error.__name__}`", first_sentence(error))
        for error in sorted(_below(EnergycoreError), key=lambda error: error.code)
    ]
    rendered = table(("code", "class", "meaning"), rows)
    return PAGE.format(note=NOTE, tree="\n".join(tree()), table=rendered)


def tree() -> Iterator[str]:
    """The tree of classes, one line each."""
    yield EnergycoreError.__name__
    yield from _branches(EnergycoreError, "")


def _branches(parent: type[EnergycoreError], indent: str) -> Iterator[str]:
    children = _children(parent)
    for child in children:
        is_last = child is children[-1]
        builtin = [base.__name__ for base in child.__bases__ if base.__module__ == "builtins"]
        name = f"{child.__name__} ({builtin[0]})" if builtin else child.__name__
        branch = f"{indent}{'`' if is_last else '|'}-- {name}"
        yield f"{branch:<42} {child.code}"
        yield from _branches(child, indent + ("    " if is_last else "|   "))


def _children(parent: type[EnergycoreError]) -> list[type[EnergycoreError]]:
    """The classes right below one, in the order of the module."""
    declared = [thing for thing in vars(errors).values() if isinstance(thing, type)]
    return [thing for thing in declared if parent in thing.__bases__]


def _below(parent: type[EnergycoreError]) -> Iterator[type[EnergycoreError]]:
    for child in _children(parent):
        yield child
        yield from _below(child)
