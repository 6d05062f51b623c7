"""Requests that are made to hurt, each with the code that refuses it.

Most are the mistakes of others: docs/reference/limits.md says where they were made.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

__all__ = ["PROBES", "Probe"]


@attrs.frozen
class Probe:
    """A request and how it is refused."""

    body: bytes
    code: str
    limit: str | None = None
    media_type: str = "application/json"
    status: int | None = None


def _asked(query: str, variables: Mapping[str, Any] | None = None) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def _doubling(count: int) -> str:
    """Fragments of which each spreads the next one twice: 2 to the power of count fields."""
    fragments = [f"fragment F{count} on Query {{ energySummary {{ netPowerW }} }}"]
    fragments += [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(1, count)]
    return "{ ...F1 } " + " ".join(fragments)


def _nested(count: int, name: str = "site { devices { nodes") -> str:
    opening = name.count("{") + 1
    return f"{{ devices {{ nodes {{ {(name + ' { ') * count} id {'} ' * opening * count} }} }} }}"


def _limit(query: str, limit: str, variables: Mapping[str, Any] | None = None) -> Probe:
    return Probe(_asked(query, variables), "LIMIT_EXCEEDED", limit)


_SUMMARY: Final = "energySummary { netPowerW }"
_RANGE: Final = 'from: "2000-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z"'
_OF_FILTER: Final = "query ($f: DeviceFilter) { energySummary(filter: $f) { netPowerW } }"
_OF_NAME: Final = "query ($name: String) { devices(filter: {nameContains: $name}) { totalCount } }"

PROBES: Final[Mapping[str, Probe]] = {
    "a body that is too long": Probe(
        _asked("{ a }" + " " * 262_144), "CONTENT_TOO_LARGE", status=413
    ),
    "a document that is too long": _limit("{ a }" + " " * 100_000, "max_characters"),
    "a long text": _limit('{ a(b: "' + "x" * 200_000 + '") }', "max_characters"),
    "tokens": Probe(_asked("{" + " a" * 9_000 + "}"), "GRAPHQL_PARSE_FAILED"),
    "10,000 aliases": _limit(
        "{" + " ".join(f"a{n}: __typename" for n in range(10_000)) + "}", "max_characters"
    ),
    "1,200 aliases": Probe(
        _asked("{" + " ".join(f"a{n}:__typename" for n in range(1_200)) + "}"),
        "GRAPHQL_PARSE_FAILED",
    ),
    "aliases of one field": _limit(
        "{" + " ".join(f"a{n}: {_SUMMARY}" for n in range(60)) + "}", "max_aliases"
    ),
    "aliases behind fragments": _limit(
        "{ ...A ...B } "
        + " ".join(
            f"fragment {f} on Query {{" + " ".join(f"{f}{n}: __typename" for n in range(30)) + "}"
            for f in "AB"
        ),
        "max_aliases",
    ),
    "aliases behind one fragment, again and again": _limit(
        "{ energySummary { ...A storage { deviceCount } } again: energySummary { ...A } }"
        "fragment A on EnergySummary {" + " ".join(f"a{n}: netPowerW" for n in range(30)) + "}",
        "max_aliases",
    ),
    "doubling fragments": _limit(_doubling(10), "max_fields"),
    "doubling fragments, n = 30": _limit(_doubling(30), "max_fields"),
    "fragments in a circle": Probe(
        _asked(
            "{ ...A } fragment A on Query { __typename ...B } fragment B on Query { ...C }"
            " fragment C on Query { ...A }"
        ),
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "many fragments": _limit(
        "{ "
        + " ".join(f"...F{n}" for n in range(60))
        + " }"
        + " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(60)),
        "max_fragments",
    ),
    "500 repeated fields": _limit("{ " + "__typename " * 500 + "}", "max_repeats"),
    "repeated fields with repeated fields": _limit(
        "{ " + "__schema { queryType { name name name } } " * 25 + "}", "max_repeats"
    ),
    "depth": _limit(_nested(8), "max_depth"),
    "depth of what is called __schema": _limit(
        "{ __schema { types { fields { type " + "{ ofType " * 20 + "{ name" + "}" * 25, "max_depth"
    ),
    "depth behind fragments": _limit(
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on A {{ a {{ a {{ ...F{n + 1} }} }} }}" for n in range(9))
        + "fragment F9 on A { a }",
        "max_depth",
    ),
    "lists within lists": _limit(_nested(4, "site { devices(first: 1) { nodes"), "max_list_depth"),
    "the schema's lists within lists": _limit(
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name"
        + " }" * 10,
        "max_list_depth",
    ),
    "the fields of all types of all fields": _limit(
        "{ __schema { types { fields { type { fields { args { name } } } } } } }", "max_cost"
    ),
    "aliases that are called __schema": _limit(
        "{" + " ".join(f"__schema{n}: {_SUMMARY}" for n in range(60)) + "}", "max_aliases"
    ),
    "an operation that is called __schema": _limit(
        "query __schema {" + " ".join(f"a{n}: {_SUMMARY}" for n in range(60)) + "}", "max_aliases"
    ),
    "a fragment that is called __schema": _limit(
        _doubling(12).replace("F1 ", "__schema "), "max_fields"
    ),
    "root fields": _limit(
        "{" + " ".join(f"a{n}: {_SUMMARY}" for n in range(20)) + "}", "max_root_fields"
    ),
    "root fields behind a fragment": _limit(
        "{ ...A ... { ...B } } fragment A on Query {"
        + " ".join(f"a{n}: {_SUMMARY}" for n in range(6))
        + "} fragment B on Query {"
        + " ".join(f"b{n}: {_SUMMARY}" for n in range(6))
        + "}",
        "max_root_fields",
    ),
    "mutations in one request": _limit(
        "mutation {"
        + " ".join(
            f'a{n}: deactivateDevice(input: {{id: "x"}}) {{ userErrors {{ code }} }}'
            for n in range(20)
        )
        + "}",
        "max_root_fields",
    ),
    "directives": _limit("{ __typename " + "@include(if: true) " * 100 + "}", "max_directives"),
    "pages within pages": _limit(
        "{ sites(first: 500) { nodes { devices(first: 500) { nodes { id } } } } }", "max_cost"
    ),
    "pages that nobody gave a size": _limit(
        "{ sites { nodes { devices { nodes { id } } } } }", "max_cost"
    ),
    "pages whose size is null": _limit(
        "query ($n: Int) { sites(first: $n) { nodes { devices(first: $n) { nodes { id } } } } }",
        "max_cost",
        {"n": None},
    ),
    "pages whose size is a variable": _limit(
        "query ($n: Int) { sites(first: $n) { nodes { devices(first: $n) { nodes { id } } } } }",
        "max_cost",
        {"n": 500},
    ),
    "pages whose size is a variable's default": _limit(
        "query ($n: Int = 500) { sites(first: $n) { nodes { devices(first: $n) { nodes { id"
        " } } } } }",
        "max_cost",
    ),
    "the buckets of a history": _limit(
        f"{{ energyHistory({_RANGE}, interval: QUARTER_HOUR) {{ buckets {{ netWh }} }} }}",
        "max_cost",
    ),
    "the buckets of a range in variables": _limit(
        "query ($f: DateTime!, $t: DateTime!, $i: Interval!) { devices { nodes {"
        " history(from: $f, to: $t, interval: $i) { buckets { netWh } } } } }",
        "max_cost",
        {"f": "2026-01-01T00:00:00Z", "t": "2026-02-01T00:00:00Z", "i": "HOUR"},
    ),
    "many ids for many sites": _limit(
        "query ($f: DeviceFilter) { sites { nodes { devices(first: 1, filter: $f) { totalCount"
        " } } } }",
        "max_cost",
        {"f": {"ids": ["x"] * 20_000}},
    ),
    "many lines": _limit("{ a }" + "\n" * 2_000, "max_lines"),
    "many lines of another kind": _limit("{ a }" + "\r" * 2_000, "max_lines"),
    "one large variable, used ten times": _limit(
        "query ($f: DeviceFilter) {"
        + " ".join(f"a{n}: devices(first: 1, filter: $f) {{ totalCount }}" for n in range(10))
        + "}",
        "max_cost",
        {"f": {"ids": [1] * 60_000}},
    ),
    "unknown keys in a variable": Probe(
        _asked(_OF_FILTER, {"f": {f"k{n}": 1 for n in range(9_000)}}), "BAD_USER_INPUT"
    ),
    "misspelt keys in a variable": Probe(
        _asked(_OF_FILTER, {"f": {f"nameContain{n}": 1 for n in range(9_000)}}), "BAD_USER_INPUT"
    ),
    "unknown words in a variable": Probe(
        _asked(_OF_FILTER, {"f": {"kinds": ["SOLAR_PANE"] * 9_000}}), "BAD_USER_INPUT"
    ),
    "objects for ids": _limit(
        "query ($i: [ID!]!) { nodes(ids: $i) { id } }", "max_cost", {"i": [{}] * 15_000}
    ),
    "a long key in a variable": Probe(
        _asked(_OF_FILTER, {"f": {"A" * 200_000: 1}}), "BAD_USER_INPUT"
    ),
    "1e400": Probe(
        _asked(
            'mutation { setStorageMode(input: {id: "x", mode: IDLE, powerW: 1e400}) {'
            " userErrors { code } } }"
        ),
        "BAD_USER_INPUT",
    ),
    "1e400 in a variable": Probe(
        b'{"query": "query ($n: Int) { devices(first: $n) { totalCount } }",'
        b' "variables": {"n": 1e400}}',
        "BAD_REQUEST",
        status=400,
    ),
    "5,000 digits": Probe(
        _asked("{ devices(first: " + "9" * 5_000 + ") { totalCount } }"), "BAD_USER_INPUT"
    ),
    "5,000 digits for a text": Probe(
        _asked("{ node(id: " + "9" * 5_000 + ") { id } }"), "BAD_USER_INPUT"
    ),
    "5,000 digits in a variable": Probe(
        b'{"query": "query ($n: Int) { devices(first: $n) { totalCount } }",'
        b' "variables": {"n": ' + b"9" * 5_000 + b"}}",
        "BAD_REQUEST",
        status=400,
    ),
    "half of a surrogate pair": Probe(
        b'{"query": "{ devices(filter: {nameContains: \\"\\\\uD800\\"}) { totalCount } }"}',
        "GRAPHQL_PARSE_FAILED",
    ),
    "half of a surrogate pair as a character": Probe(
        b'{"query": "{ devices(filter: {nameContains: \\"\\uD800\\"}) { totalCount } }"}',
        "BAD_REQUEST",
        status=400,
    ),
    "half of a surrogate pair in a variable": Probe(
        b'{"query": "' + _OF_NAME.encode() + b'", "variables": {"name": "\\udfff"}}',
        "BAD_REQUEST",
        status=400,
    ),
    "NUL": Probe(
        _asked(r'{ devices(filter: {nameContains: "a\u0000b"}) { totalCount } }'),
        "BAD_USER_INPUT",
    ),
    "NUL in a variable": Probe(_asked(_OF_NAME, {"name": "a\0b"}), "BAD_REQUEST", status=400),
    "NUL in the document": Probe(_asked("{ \0 }"), "BAD_REQUEST", status=400),
    "no UTF-8": Probe(b'{"query": "{ \xff }"}', "BAD_REQUEST", status=400),
    "JSON without end": Probe(b"[" * 200_000, "BAD_REQUEST", status=400),
    "a batch": Probe(b"[" + _asked(f"{{ {_SUMMARY} }}") + b"]", "BAD_REQUEST", status=400),
    "a form of many parts": Probe(
        b'--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n'
        + _asked(f"{{ {_SUMMARY} }}")
        + b"\r\n--x--\r\n",
        "UNSUPPORTED_MEDIA_TYPE",
        media_type="multipart/form-data; boundary=x",
        status=415,
    ),
    "a form": Probe(
        b"query=%7B__typename%7D",
        "UNSUPPORTED_MEDIA_TYPE",
        media_type="application/x-www-form-urlencoded",
        status=415,
    ),
    "fields that do not exist": Probe(
        _asked("{ site(id: 1) { " + " ".join(f"nothing{n}" for n in range(100)) + " } }"),
        "GRAPHQL_VALIDATION_FAILED",
    ),
}
