"""The page of what one GraphQL request may ask for: each limit, its default, and its codes."""

from collections.abc import Iterator

import attrs

from energycore.graphql.limits import Limits
from tools.reference_pages.markdown import NOTE, table
from tools.reference_pages.names import attribute_docstrings

__all__ = ["page"]

PAGE = """# Limits of GraphQL

{note}

All of these are on unless you change them: [how](../how-to/limit-graphql.md). They are counted
before a document is validated, and as it would be executed: a fragment counts each time that it
is spread, and nothing is left out because of its name. A request beyond one is refused before any
resolver is called.

{limits}

The code is `LIMIT_EXCEEDED`, and `extensions` name the `limit` and its `maximum`, with these
exceptions: a body is answered with 413 and `CONTENT_TOO_LARGE`, a query string with 414 and
`URI_TOO_LONG`; too many tokens are `GRAPHQL_PARSE_FAILED`; a request that is out of time gets
`TIMEOUT` for what it had not begun; of errors, `extensions.omittedErrors` counts those that are
not shown. Of an invalid document at most ten errors are told.

## Cost

A unit is the time that a plain value takes into a response, some 5 microseconds of CPU. A
field costs one each time that it is resolved, and 30 once, for it is parsed and validated. Beside
that:

- A list costs what is selected in it times the page size; absent or null, `first` counts as 100,
  and one above 500, which is refused with `PAGE_TOO_LARGE`, as 500. Each item that is loaded
  costs more: a device 20, a site 10, a reading 3, an object by its ID 65.
- A history costs what is selected in a bucket times the number of buckets that its range has at
  most, and 120 for each device or 1,000 for each site that it is asked of.
- A value inside a list or object that is an argument costs 2, each time that it is read.
- A mutation costs 1,300.
- Introspection costs what this schema has: the usual query of GraphiQL fits.

Page sizes, ranges and lists that are variables count with the values of the request. The estimate
is never below the number of resolvers that are called.

## What no limit here bounds

- A statement that the database has begun is not interrupted, and neither is a history that is
  being added up. The time limit is looked at before each step that asks a service. Set the
  database's own `statement_timeout` too.
- How much a summary or a history reads depends on how many devices and readings there are. A
  history of a part of a fleet with `minPowerW` or `maxPowerW` reads all readings of its range.
- Statements are counted for devices in one time zone; histories of a list in several zones need
  up to three more for each.
- Mutations are bounded by their number and cost; their statements are not counted.
- How many requests a client sends: put a proxy with a rate limit in front.

## Numbers and texts

A whole number of more than 308 digits, a number that is not finite, half of a surrogate pair and
the character NUL are refused wherever they stand: in the JSON of a request with `BAD_REQUEST`, in
a document with `BAD_USER_INPUT` or `GRAPHQL_PARSE_FAILED`.

## What is not served at all

Batches, forms, uploads and bodies that are compressed or not JSON; mutations by GET.
"""


def page() -> str:
    """The whole page."""
    return PAGE.format(
        note=NOTE, limits=table(("limit", "default", "what it counts", "may be off"), _rows())
    )


def _rows() -> Iterator[tuple[str, str, str, str]]:
    meanings = attribute_docstrings(Limits)
    for field in attrs.fields(Limits):
        off = "yes" if field.metadata.get("may_be_off") else "no"
        yield f"`{field.name}`", f"{field.default:,}", meanings[field.name], off
