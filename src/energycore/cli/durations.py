"""How long something is kept, as people write it: 7d, 12w, 2y or forever."""

import re
from datetime import timedelta
from typing import Final

from energycore.errors import InvalidValue

__all__ = ["FOREVER", "parse_kept"]

FOREVER: Final = "forever"

_DAYS: Final = {"d": 1, "w": 7, "y": 365}
_KEPT: Final = re.compile(rf"(?P<count>[1-9][0-9]{{0,4}})(?P<unit>[{''.join(_DAYS)}])")
_LIMIT: Final = f"days, weeks or years of 365 days, such as 7d, 12w or 2y, or {FOREVER}"


def parse_kept(text: str, field: str) -> timedelta | None:
    """Read for how long something is kept; None is for ever.

    Args:
        text: a whole number from 1 to 99999 and d, w or y; or forever.
        field: what it is given for.

    Raises:
        InvalidValue: it is neither.

    Example:
        >>> parse_kept("2y", "keep-days")
        datetime.timedelta(days=730)
    """
    if text == FOREVER:
        return None
    found = _KEPT.fullmatch(text)
    if found is None:
        raise InvalidValue(field, text, _LIMIT)
    return timedelta(days=int(found["count"]) * _DAYS[found["unit"]])
