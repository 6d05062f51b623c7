"""The page of device kinds: role, behaviour and ratings of each kind that ships with energycore."""

import typing
from collections.abc import Mapping

import attrs

from energycore.devices.base import Device, fields_of_kind
from energycore.devices.fields import ABOUT
from energycore.devices.registry import device_kinds
from energycore.quantities.units import Unit
from tools.reference_pages.markdown import NOTE, first_sentence, table

__all__ = ["COLUMNS", "field_row", "page", "shipped_kinds"]

COLUMNS = ("field", "unit", "default", "meaning")
ROLES = {
    "source": "it generates.",
    "load": "it consumes.",
    "storage": "it charges and discharges.",
    "meter": "it measures what others do and is never counted.",
}

HEAD = """# Device kinds

{note}

Each kind is a class of `energycore` with the fields below. Its kind's name is what stands in the
database and, in capitals, in GraphQL. Packages can add kinds; this page lists those that ship.

Every device also has:

{shared}
"""

KIND = """## {name}

{about}

Kind `{kind}`, role **{role}**: {role_about} Largest power: {largest}

{fields}
"""


def page() -> str:
    """The whole page."""
    shared = [field_row(Device, field) for field in attrs.fields(Device)]
    head = HEAD.format(note=NOTE, shared=table(COLUMNS, shared))
    return "\n".join([head, *map(_kind, shipped_kinds().values())])


def shipped_kinds() -> Mapping[str, type[Device]]:
    """The kinds of energycore itself, whatever else is installed here."""
    return {
        name: kind
        for name, kind in device_kinds().items()
        if kind.__module__.startswith("energycore.")
    }


def _kind(kind: type[Device]) -> str:
    return KIND.format(
        name=kind.__name__,
        about=first_sentence(kind),
        kind=kind.kind,
        role=kind.role.value,
        role_about=ROLES[kind.role.value],
        largest=_uncapitalised(first_sentence(kind.largest_power_w)),
        fields=table(COLUMNS, (field_row(kind, field) for field in fields_of_kind(kind))),
    )


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def field_row(kind: type, field: "attrs.Attribute[object]") -> tuple[str, str, str, str]:
    """A field of a device or a site as a line of a table of `COLUMNS`."""
    hint = typing.get_type_hints(kind, include_extras=True)[field.name]
    units = [part for part in getattr(hint, "__metadata__", ()) if isinstance(part, Unit)]
    default = "required" if field.default is attrs.NOTHING else _default(field.default)
    unit = ""
    if units:
        unit = units[0].meaning if units[0].symbol == "1" else units[0].symbol
    return f"`{field.name}`", unit, default, str(field.metadata.get(ABOUT, ""))


def _default(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)
