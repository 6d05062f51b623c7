"""GraphiQL, the query editor for the browser, as one page and assets that need no other server."""

import json
import posixpath
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Final

from energycore.errors import NotFound

__all__ = [
    "ASSETS",
    "ASSET_HEADERS",
    "ASSET_NAMES",
    "CONTENT_SECURITY_POLICY",
    "EXAMPLE",
    "PAGE_HEADERS",
    "asset",
    "located",
    "page",
]

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"
_MEDIA_TYPES = {
    "graphiql.min.css": _STYLE,
    "graphiql.min.js": _SCRIPT,
    "react-dom.production.min.js": _SCRIPT,
    "react.production.min.js": _SCRIPT,
    "start.css": _STYLE,
    "start.js": _SCRIPT,
}

ASSET_NAMES = tuple(_MEDIA_TYPES)

# Its dialogs put style elements into the page; scripts need no exception.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
ASSET_HEADERS = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
ASSETS = "graphiql-assets"
"""The folder beside the page under which adapters serve the assets."""

EXAMPLE: Final = """\
# The devices of the home,
# and what they add up to right now.
{
  energySummary {
    productionW
    consumptionW
    netPowerW
    storage { storedWh stateOfCharge }
  }
  devices(first: 10) {
    nodes {
      id
      name
      kind
      state { at powerW storedWh mode }
    }
    totalCount
  }
}
"""
"""What whoever opens the page of a fleet for the first time may ask."""

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>energycore GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/graphiql.min.css">
<link rel="stylesheet" href="{assets}/start.css">
<script src="{assets}/react.production.min.js" defer></script>
<script src="{assets}/react-dom.production.min.js" defer></script>
<script src="{assets}/graphiql.min.js" defer></script>
<script src="{assets}/start.js" defer></script>
</head>
<body>
<div id="graphiql" data-endpoint="{endpoint}" data-example="{example}" data-headers="{headers}">
<noscript>GraphiQL needs JavaScript. GraphQL itself is served at {endpoint}.</noscript>
</div>
</body>
</html>
"""


def page(
    endpoint: str,
    *,
    assets: str = ASSETS,
    example: str = "",
    headers: Mapping[str, str] | None = None,
) -> str:
    """Write the HTML page of GraphiQL; send it with `PAGE_HEADERS`.

    Args:
        endpoint: the URL of the GraphQL endpoint, best relative to the page, so that it holds
            under any prefix.
        assets: the URL under which `asset` is served, without a slash at its end.
        example: the query that somebody sees who opens the page for the first time.
        headers: sent with each request, such as a token against forged ones.
    """
    return _PAGE.format(
        endpoint=escape(endpoint),
        assets=escape(assets.rstrip("/")),
        example=escape(example),
        headers=escape(json.dumps(dict(headers or {}))),
    )


def located(path: str, relative: str | None) -> str | None:
    """Where something is that is named as seen from a path, under whatever prefix that has."""
    if relative is None:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))


def asset(name: str) -> tuple[str, bytes]:
    """Read an asset of the page and return its media type and its bytes.

    Raises:
        NotFound: the page has no asset of that name.
    """
    media_type = _MEDIA_TYPES.get(name)
    if media_type is None:
        raise NotFound("GraphiQL asset", name)
    return media_type, files("energycore.graphql").joinpath("static", name).read_bytes()
