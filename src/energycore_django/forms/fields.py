"""Form fields of an attrs class: one for each of its fields, by type, unit and meaning."""

import csv
import inspect
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import attrs
from django import forms

from energycore.devices.fields import ABOUT
from energycore.errors import DeviceKindConflict
from energycore.quantities.units import Unit

__all__ = [
    "NumberField",
    "fields_of_class",
    "first_sentence",
    "joined_words",
    "label_of",
    "split_words",
    "words",
]

_DIMENSIONLESS: Final = "1"


class NumberField(forms.FloatField):
    """A number, shown without a fraction where it has none."""

    def prepare_value(self, value: Any) -> Any:
        """13500.0 as 13500."""
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return super().prepare_value(value)


_FIELDS: Final[Mapping[Any, type[forms.Field]]] = {
    float: NumberField,
    int: forms.IntegerField,
    bool: forms.BooleanField,
}


def fields_of_class(
    owner: type, fields: Iterable["attrs.Attribute[Any]"]
) -> dict[str, forms.Field]:
    """A form field for each field of an attrs class, by its name.

    Raises:
        DeviceKindConflict: one is neither a float nor an int nor a bool.
    """
    hints = get_type_hints(owner, include_extras=True)
    return {field.name: _field(owner, field, hints[field.name]) for field in fields}


def label_of(name: str, unit: Unit | None) -> str:
    """What a field is called, with its unit: `max_charge_w` is "Max charge [W]"."""
    if unit is None:
        return words(name)
    plain = name.removesuffix(f"_{unit.symbol.lower()}")
    shown = unit.meaning if unit.symbol == _DIMENSIONLESS else unit.symbol
    return f"{words(plain)} [{shown}]"


def words(name: str) -> str:
    """A name of the code for people: `solar_panel` is "Solar panel"."""
    return name.replace("_", " ").capitalize()


def split_words(text: str) -> list[str]:
    """Words with commas between them; one that has a comma itself is in quotation marks."""
    rows = csv.reader([text], skipinitialspace=True)
    return [word.strip() for row in rows for word in row if word.strip()]


def joined_words(several: Iterable[str]) -> str:
    """The same the other way round."""
    return ", ".join(_quoted(word) for word in several)


def first_sentence(owner: type) -> str:
    """What a class says of itself in one line."""
    return (inspect.getdoc(owner) or "").partition("\n")[0]


def _field(owner: type, field: "attrs.Attribute[Any]", hint: Any) -> forms.Field:
    unit = None
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        unit = next((note for note in notes if isinstance(note, Unit)), None)
    if hint not in _FIELDS:
        raise DeviceKindConflict(
            f"{owner.__name__}.{field.name} is neither a float nor an int nor a bool"
        )
    required = field.default is attrs.NOTHING
    default = None if required else field.default
    return _FIELDS[hint](
        label=label_of(field.name, unit),
        required=required and hint is not bool,
        initial=default,
        help_text=_help(field, default),
    )


def _help(field: "attrs.Attribute[Any]", default: Any) -> str:
    meaning = str(field.metadata.get(ABOUT, ""))
    if default is None or isinstance(default, bool):
        return meaning
    return f"{meaning} Default: {default:g}.".strip()


def _quoted(word: str) -> str:
    if not {",", '"'} & set(word):
        return word
    return '"' + word.replace('"', '""') + '"'
