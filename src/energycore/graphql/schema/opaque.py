"""Short texts that clients hand back unread: base64url without padding, in one spelling only."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

__all__ = ["reveal", "reveal_bytes", "seal", "seal_bytes"]


def seal(text: str) -> str:
    """Write a text as base64url."""
    return seal_bytes(text.encode("utf-8"))


def seal_bytes(content: bytes) -> str:
    """Write bytes as base64url."""
    return urlsafe_b64encode(content).decode("ascii").rstrip("=")


def reveal(sealed: str) -> str:
    """Read a text back.

    Raises:
        ValueError: `seal` never wrote this.
    """
    return reveal_bytes(sealed).decode("utf-8")


def reveal_bytes(sealed: str) -> bytes:
    """Read bytes back.

    Raises:
        ValueError: `seal_bytes` never wrote this.
    """
    content = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    # The decoder overlooks foreign characters and spare bits: bytes have one spelling here.
    if seal_bytes(content) != sealed:
        raise ValueError("not base64url as it is written here")
    return content
