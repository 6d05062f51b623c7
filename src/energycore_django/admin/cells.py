"""How values look in tables: with their unit, and a dash where nothing is known."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

__all__ = ["UNKNOWN", "charge_bar", "joined", "local_time", "percent", "power", "quantity"]

UNKNOWN: Final = "—"

_FEW: Final = 100


def quantity(value: float | None, unit: str, *, digits: int | None = None) -> str:
    """A number with its unit.

    Args:
        value: what is known; None is a dash.
        unit: its symbol.
        digits: after the decimal point; by default those that a reader cares about.
    """
    if value is None:
        return UNKNOWN
    places = digits if digits is not None else 0 if abs(value) >= _FEW or value == 0 else 1
    return f"{_number(value, places)} {unit}"


def power(value_w: float | None, *, digits: int | None = None) -> str:
    """A power of which the sign matters: + produces, - consumes."""
    sign = "+" if value_w is not None and value_w > 0 else ""
    return sign + quantity(value_w, "W", digits=digits)


def percent(fraction: float | None) -> str:
    """A fraction as a percentage, never rounded up to 100."""
    if fraction is None:
        return UNKNOWN
    shown = min(round(100 * fraction), 99) if fraction < 1 else 100
    return f"{shown} %"


def charge_bar(fraction: float | None, title: str = "") -> SafeString | str:
    """A state of charge as a bar with its percentage."""
    if fraction is None:
        return UNKNOWN
    text = percent(fraction)
    return format_html(
        '<span class="energycore-charge" title="{}"><meter min="0" max="1" low="0.15"'
        ' optimum="1" value="{}">{}</meter> {}</span>',
        title,
        f"{fraction:.4f}",
        text,
        text,
    )


def local_time(at: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """An instant on the clocks of a zone, with the zone's abbreviation."""
    if at is None:
        return UNKNOWN
    form = "%Y-%m-%d %H:%M:%S %Z" if seconds else "%Y-%m-%d %H:%M %Z"
    return at.astimezone(zone).strftime(form)


def joined(*classes_and_texts: tuple[str, object]) -> SafeString:
    """Some words, each in a span of its class."""
    spans = [
        format_html('<span class="energycore-{}">{}</span>', name, text)
        for name, text in classes_and_texts
    ]
    return format_html(" ".join(["{}"] * len(spans)), *spans)


def _number(value: float, places: int) -> str:
    shown = number_format(abs(value), decimal_pos=places, force_grouping=True)
    return f"−{shown}" if value < 0 else str(shown)
