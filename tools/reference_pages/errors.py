"""The page of errors: every class below EnergycoreError, every code, and what each means."""

from collections.abc import Iterator

from energycore.errors import EnergycoreError
from tools.reference_pages.error_pages import TEXTS, below, children, meaning
from tools.reference_pages.markdown import NOTE, first_sentence, table

__all__ = ["page", "tree"]

PAGE = """# Errors

{note}

Whatever energycore refuses on purpose is one of these. Codes are stable: a program may rely on
them; texts may change. Each class is also of the built-in class in brackets, or of that of its
parent, so that `except ValueError` works as one expects. Each code has a page that says when it
happens, what it looks like, and what to do.

```text
{tree}
```

{table}

## Codes of the GraphQL server

These are answered by the server itself. Errors of a request or a field carry their code in
`extensions.code`; refused mutations carry theirs in `userErrors`.

{server}
"""


def page() -> str:
    """The whole page."""
    rows = [
        (_link(error.code), f"`{error.__name__}`", first_sentence(error))
        for error in sorted(below(EnergycoreError), key=lambda error: error.code)
    ]
    known = {error.code for error in below(EnergycoreError)}
    server = [(_link(code), meaning(code)) for code in sorted(TEXTS) if code not in known]
    return PAGE.format(
        note=NOTE,
        tree="\n".join(tree()),
        table=table(("code", "class", "meaning"), rows),
        server=table(("code", "meaning"), server),
    )


def _link(code: str) -> str:
    return f"[`{code}`](errors/{code}.md)" if code in TEXTS else f"`{code}`"


def tree() -> Iterator[str]:
    """The tree of classes, one line each."""
    yield EnergycoreError.__name__
    yield from _branches(EnergycoreError, "")


def _branches(parent: type[EnergycoreError], indent: str) -> Iterator[str]:
    branches = children(parent)
    for child in branches:
        is_last = child is branches[-1]
        builtin = [base.__name__ for base in child.__bases__ if base.__module__ == "builtins"]
        name = f"{child.__name__} ({builtin[0]})" if builtin else child.__name__
        branch = f"{indent}{'`' if is_last else '|'}-- {name}"
        yield f"{branch:<42} {child.code}"
        yield from _branches(child, indent + ("    " if is_last else "|   "))
