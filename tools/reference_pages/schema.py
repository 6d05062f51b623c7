"""The page of the GraphQL schema, as a client sees it with the device kinds that ship."""

from energycore.graphql import sdl
from tools.reference_pages.devices import shipped_kinds
from tools.reference_pages.markdown import NOTE

__all__ = ["page"]

PAGE = """# GraphQL schema

{note}

The schema with the device kinds that ship with energycore. A package that adds a kind adds its type
and its input to this. `energycore schema` prints the schema of your installation.

```graphql
{sdl}
```
"""


def page() -> str:
    """The whole page."""
    return PAGE.format(note=NOTE, sdl=sdl(shipped_kinds()).strip())
