"""The page of the GraphQL schema, as a client sees it with the device kinds that ship."""

from tools.reference_pages.markdown import NOTE

__all__ = ["render"]

PAGE = """# GraphQL schema

{note}

The schema with the device kinds that ship with energycore. A package that adds a kind adds its type
and its input to this. `energycore schema` prints the schema of your installation.

```graphql
{sdl}
```
"""


def render(sdl: str) -> str:
    """The whole page of a schema in its definition language."""
    return PAGE.format(note=NOTE, sdl=sdl.strip())
