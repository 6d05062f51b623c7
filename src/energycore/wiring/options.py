"""What `connect` takes, as adapters read it from settings: checked early, loaded late."""

from typing import TYPE_CHECKING

from energycore.services.histories import MAX_BUCKETS
from energycore.wiring.connect import MEMORY

if TYPE_CHECKING:
    from energycore.storage.sql.partitions import Partitioning

__all__ = ["MAX_BUCKETS", "check_url", "partitioning_of"]


def check_url(url: str) -> None:
    """Refuse what cannot be the URL of a database, without connecting.

    Raises:
        UnsupportedDatabase: it is no URL, or there is no backend for it. The message has no part
            of a password.
    """
    if url == MEMORY:
        return
    from energycore.storage.sql.engine import parse_url

    parse_url(url)


def partitioning_of(*, hash_parts: int = 0, brin: bool = False) -> "Partitioning":
    """How PostgreSQL's partitions of readings are made.

    Args:
        hash_parts: so many parts of each day, by device; 0 for none.
        brin: whether each day has a block range index on the instant.

    Raises:
        InvalidValue: there is no such number of parts.
    """
    from energycore.storage.sql.partitions import Partitioning

    return Partitioning(hash_parts=hash_parts, brin=brin)
