"""Which media type a response gets, by the Accept header, and whether a request's body is JSON."""

from collections.abc import Iterator, Mapping

__all__ = ["GRAPHQL_RESPONSE", "JSON", "is_json", "response_media_type"]

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"

# Media ranges by rising exactness: where several match, the most exact one decides (RFC 9110).
_RANGES = {
    JSON: ("*/*", "application/*", JSON),
    GRAPHQL_RESPONSE: ("*/*", "application/*", GRAPHQL_RESPONSE),
}


def response_media_type(accept: str | None) -> str | None:
    """Choose the media type that the client likes best, or None if it takes neither.

    Without a preference it is application/json, which every client understands. Of two types
    named with the same weight the first wins, and one that is named wins over a wildcard.
    """
    if accept is None or accept in ("*/*", JSON, ""):
        return JSON
    weights = _weights(accept)
    order = list(weights)
    best: tuple[float, int] | None = None
    chosen = None
    for media_type, ranges in _RANGES.items():
        matching = [name for name in ranges if name in weights]
        if not matching or weights[matching[-1]] <= 0:
            continue
        named = matching[-1] == media_type
        rank = (weights[matching[-1]], -order.index(media_type) if named else -len(order))
        if best is None or rank > best:
            best, chosen = rank, media_type
    return chosen


def is_json(content_type: str | None) -> bool:
    """Tell whether a Content-Type is application/json in UTF-8."""
    if content_type is None:
        return False
    if content_type == JSON:
        return True
    name, parameters = _media_range(content_type)
    return name == JSON and _is_utf_8(parameters)


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.split(","):
        name, parameters = _media_range(part)
        if not _is_utf_8(parameters):
            continue
        weight = _weight(parameters.get("q", "1"))
        weights[name] = max(weight, weights.get(name, 0.0))
    return weights


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def _media_range(text: str) -> tuple[str, Mapping[str, str]]:
    name, *parameters = text.split(";")
    return name.strip().lower(), dict(_parameters(parameters))


def _parameters(parts: list[str]) -> Iterator[tuple[str, str]]:
    for part in parts:
        name, _, value = part.partition("=")
        yield name.strip().lower(), value.strip().strip('"').lower()


def _is_utf_8(parameters: Mapping[str, str]) -> bool:
    return parameters.get("charset", "utf-8") in ("utf-8", "utf8")
