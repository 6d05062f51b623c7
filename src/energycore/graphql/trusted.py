"""Trusted documents: those that the own clients send, by the sha256 of their text."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import attrs
from graphql import GraphQLError, GraphQLSchema, parse, validate

from energycore.errors import InvalidValue
from energycore.graphql.judging import Refusal
from energycore.graphql.limits import Limits

__all__ = [
    "NO_TRUSTED_DOCUMENTS",
    "Chosen",
    "TrustedDocuments",
    "document_id",
    "id_of",
    "make_manifest",
    "relaxed",
]

_PREFIX: Final = "sha256:"
_FORM: Final = "an object of JSON: the sha256 of each document, in hex, to its text"


@attrs.frozen
class Chosen:
    """The text of the document that a request means, and whether it is a trusted one."""

    source: str
    is_trusted: bool


@attrs.frozen(eq=False)
class TrustedDocuments:
    """Documents that a request may name by their id instead of sending them.

    Args:
        documents: texts by id, the sha256 of the UTF-8 of the text in hex.
        enforce: whether any other document is refused.

    Raises:
        InvalidValue: an id is not that of its text.
    """

    documents: Mapping[str, str] = attrs.field(factory=dict)
    enforce: bool = attrs.field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        for key, source in self.documents.items():
            if key != document_id(source):
                raise InvalidValue(
                    "the id of a document", key, f"its sha256, {document_id(source)}"
                )

    @classmethod
    def load(cls, path: str | Path, *, enforce: bool = False) -> "TrustedDocuments":
        """Read a manifest: a file of JSON, such as `{"6f8a...": "query Home { ... }"}`.

        Args:
            path: the file.
            enforce: whether any other document is refused.

        Raises:
            InvalidValue: the file cannot be read or is no manifest.
        """
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InvalidValue("the manifest of documents", str(path), _FORM) from error
        if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
            raise InvalidValue("the manifest of documents", str(path), _FORM)
        return cls(content, enforce=enforce)

    def choose(self, query: str | None, key: str | None) -> Chosen | Refusal:
        """The document that a request means.

        Args:
            query: the text that it sends, if any.
            key: the id that it sends, if any; there is one of the two.
        """
        if key is None:
            assert query is not None
            return self._sent(query)
        key = key.removeprefix(_PREFIX).lower()
        if query is not None:
            if document_id(query) != key:
                return _refusal("PERSISTED_QUERY_MISMATCH", "The hash is not that of the query.")
            return self._sent(query)
        if not self.documents:
            return _refusal("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        source = self.documents.get(key)
        if source is None:
            return _refusal("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        return Chosen(source, is_trusted=True)

    def _sent(self, query: str) -> Chosen | Refusal:
        is_trusted = bool(self.documents) and document_id(query) in self.documents
        if self.enforce and not is_trusted:
            return _refusal(
                "DOCUMENT_NOT_TRUSTED", "Only the documents that this server knows are served."
            )
        return Chosen(query, is_trusted)


NO_TRUSTED_DOCUMENTS: Final = TrustedDocuments()


def relaxed(limits: Limits) -> Limits:
    """The limits of a trusted document: whoever wrote it may be trusted with its form.

    What it costs with the variables of a request is limited as ever.
    """
    return attrs.evolve(
        limits,
        max_characters=limits.max_body_bytes,
        max_tokens=limits.max_body_bytes,
        max_depth=None,
        max_list_depth=None,
        max_root_fields=None,
        max_aliases=None,
        max_repeats=None,
        max_fragments=None,
        max_directives=None,
    )


def document_id(source: str) -> str:
    """The id of a document: the sha256 of its UTF-8, in hex."""
    return sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def make_manifest(
    files: Iterable[str | Path], schema: GraphQLSchema | None = None
) -> dict[str, str]:
    """Make a manifest of files that hold one document each, just as a client sends it.

    Args:
        files: their paths.
        schema: what they must be valid for; not checked unless given.

    Raises:
        InvalidValue: a file cannot be read, or holds no valid document.
    """
    manifest: dict[str, str] = {}
    for path in files:
        name = str(path)
        try:
            source = Path(path).read_bytes().decode("utf-8")
            document = parse(source)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidValue("a document", name, "a file of UTF-8 that can be read") from error
        except GraphQLError as error:
            raise InvalidValue("a document", name, f"GraphQL: {error.message}") from error
        errors = [] if schema is None else validate(schema, document)
        if errors:
            raise InvalidValue("a document", name, f"valid: {errors[0].message}")
        manifest[document_id(source)] = source
    return manifest


def id_of(parameters: Mapping[str, Any]) -> str | None:
    """The id that a request sends, as `documentId` or in `extensions`, if it sends one.

    Raises:
        ValueError: it sends one that is no text.
    """
    key = parameters.get("documentId")
    if key is None:
        persisted = (parameters.get("extensions") or {}).get("persistedQuery")
        if persisted is None:
            return None
        if not isinstance(persisted, dict):
            raise ValueError("The extension persistedQuery must be an object.")
        key = persisted.get("sha256Hash")
    if not isinstance(key, str):
        raise ValueError("The id of a document must be a string.")
    return key


def _refusal(code: str, message: str) -> Refusal:
    return Refusal(code=code, errors=[GraphQLError(message)])
