"""Form fields for the strategy that steers a storage, and for the parameters of each strategy."""

from collections.abc import Mapping
from typing import Any, cast

import attrs
from django import forms

from energycore.encoding import encode_dispatch
from energycore.simulation.dispatch import DISPATCHES, Dispatch
from energycore_django.forms.fields import fields_of_class, first_sentence, words

__all__ = ["choice_field", "parameter_fields", "parameter_name", "parameters", "shown_parameters"]


def choice_field() -> forms.ChoiceField:
    """A choice of all strategies, which says what each does."""
    return forms.ChoiceField(
        label="Dispatch",
        choices=[(name, words(name)) for name in DISPATCHES],
        help_text="The strategy that steers it. "
        + " ".join(f"{words(name)}: {first_sentence(s)}" for name, s in DISPATCHES.items()),
    )


def parameter_name(strategy: str, parameter: str) -> str:
    """What the field of a parameter is called."""
    return f"dispatch_{strategy}_{parameter}"


def parameter_fields() -> dict[str, forms.Field]:
    """A field for each parameter of each strategy; they count where their strategy is chosen."""
    fields: dict[str, forms.Field] = {}
    for name, strategy in DISPATCHES.items():
        own = attrs.fields(cast(Any, strategy))
        for parameter, field in fields_of_class(strategy, own).items():
            field.label = f"{field.label} of {words(name).lower()}"
            field.help_text = f"Counts where dispatch is {words(name).lower()}. {field.help_text}"
            field.required = False
            fields[parameter_name(name, parameter)] = field
    return fields


def parameters(strategy: str, cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a strategy that were given."""
    own = attrs.fields(cast(Any, DISPATCHES[strategy])) if strategy in DISPATCHES else ()
    given = {field.name: cleaned.get(parameter_name(strategy, field.name)) for field in own}
    return {name: value for name, value in given.items() if value is not None}


def shown_parameters(dispatch: Dispatch) -> dict[str, Any]:
    """The parameters of a strategy, by the name of their field."""
    name, values = encode_dispatch(dispatch)
    return {parameter_name(name, parameter): value for parameter, value in values.items()}
