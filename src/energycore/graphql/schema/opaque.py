"""Short texts that clients hand back unread: base64url without padding, in one spelling only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

__all__ = ["reveal", "seal"]


def seal(text: str) -> str:
    """Write a text as base64url."""
    return urlsafe_b64encode(text.encode("utf-8")).decode("ascii").rstrip("=")


def reveal(sealed: str) -> str:
    """Read a text back.

    Raises:
        ValueError: `seal` never wrote this.
    """
    text = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)).decode("utf-8")
    # The decoder overlooks foreign characters and spare bits: a text has one spelling here.
    if seal(text) != sealed:
        raise ValueError("not base64url as it is written here")
    return text
