"""The page of the GraphQL schema, as a client sees it with the device kinds that ship."""

from energycore.graphql import sdl
from tools.reference_pages.devices import shipped_kinds
from tools.reference_pages.markdown import NOTE

__all__ = ["definitions", "page"]

PAGE = """# GraphQL schema

{note}

The schema with the device kinds that ship with energycore. A package that adds a kind adds its type
and its input to this. `energycore schema` prints the schema of your installation; the same as here
stands in [schema.graphql](schema.graphql), for tools that check queries or generate code.

```graphql
{sdl}
```
"""


def page() -> str:
    """The whole page."""
    return PAGE.format(note=NOTE, sdl=definitions().strip())


def definitions() -> str:
    """The same for tools, as `energycore schema` prints it."""
    return sdl(shipped_kinds())
