"""Codes of limits and of trusted documents."""

from collections.abc import Mapping
from typing import Final

from energycore.errors import TimedOut
from energycore.graphql.limits import Limits
from energycore.graphql.trusted import TrustedDocuments, document_id
from tools.reference_pages.error_examples import Asked, Raised, Sent, Told
from tools.reference_pages.texts import Text

__all__ = ["LIMIT_TEXTS"]

_KNOWN: Final = "{ sites { totalCount } }"
_TRUSTED: Final = {"trusted": TrustedDocuments({document_id(_KNOWN): _KNOWN}, enforce=True)}


def _by_hash(sha256: str, query: str = "") -> str:
    sent = f'"query": "{query}", ' if query else ""
    return f'{{{sent}"extensions": {{"persistedQuery": {{"sha256Hash": "{sha256}"}}}}}}'


LIMIT_TEXTS: Final[Mapping[str, Text]] = {
    "DOCUMENT_NOT_TRUSTED": Text(
        meaning="The server answers only the documents that it knows, and this is none of them.",
        when="Trusted documents are enforced, and the text that was sent is not in the manifest: "
        "one blank more or less is another text.",
        do="Add the document to the manifest and let the server read it, or send one of those.",
        example=Asked("{ devices { totalCount } }", options=_TRUSTED),
    ),
    "LIMIT_EXCEEDED": Text(
        meaning="The document asks for more than one request may.",
        when="It is too long, too deep, has too many fields, aliases, fragments or directives, or "
        "costs too much with the page sizes and ranges that it asks for. It is refused before "
        "anything is read.",
        do="Ask for smaller pages, fewer fields or a shorter range, or split the request. The "
        "message names the limit; whoever runs the server can change it.",
        example=Asked(
            "{ devices { nodes { site { devices { nodes { id } } } } } }",
            options={"limits": Limits(max_depth=3)},
        ),
    ),
    "PERSISTED_QUERY_MISMATCH": Text(
        meaning="The hash that was sent is not that of the document that was sent with it.",
        when="The client hashed another text than the one that it sends.",
        do="Send the sha256 of the UTF-8 of the very text, in hex.",
        example=Sent("POST", _by_hash("00", "{ sites { totalCount } }"), options=_TRUSTED),
    ),
    "PERSISTED_QUERY_NOT_FOUND": Text(
        meaning="The server has no document of the hash that was sent.",
        when="A document is named by its hash and is not in the server's manifest.",
        do="Send its text, or add it to the manifest. Documents that are sent are never kept under "
        "their hash.",
        example=Sent("POST", _by_hash("00"), options=_TRUSTED),
    ),
    "PERSISTED_QUERY_NOT_SUPPORTED": Text(
        meaning="The server has no trusted documents, so it finds none by a hash.",
        when="A document is named by its hash, and no manifest is set.",
        do="Send the text of the document.",
        example=Sent("POST", _by_hash("00")),
    ),
    "TIMEOUT": Text(
        when="A request takes longer than the server allows, 10 seconds unless set otherwise.",
        do="Ask for less at once. Changes that were told as done are done; of one that was not, "
        "ask what is stored before you repeat it.",
        example=Raised(lambda: TimedOut("the request took longer than 10 s")),
    ),
    "TOO_MANY_OPERATIONS": Text(
        meaning="One socket has as many operations as it may have at one time.",
        when="A client subscribes again and again without completing what it does not need any "
        "more. The operation is refused; the socket and the others stay.",
        do="Complete operations, or open another socket; whoever runs the server can change "
        "`max_operations`.",
        example=Told(
            '{"type": "error", "id": "21", "payload": [{"message": "A socket may have 20 operations'
            ' at one time.", "extensions": {"code": "TOO_MANY_OPERATIONS"}}]}'
        ),
    ),
}
