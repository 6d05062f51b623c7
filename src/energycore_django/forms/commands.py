"""The forms of actions: what storage is to do, and which day is to be simulated how."""

from collections.abc import Sequence
from typing import Any

from django import forms

from energycore.devices.base import StorageMode
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.errors import InvalidValue
from energycore.simulation.dispatch import DISPATCHES
from energycore_django.forms.fields import NumberField, words

__all__ = ["AS_STORED", "ModeForm", "WhatIfForm"]

AS_STORED = ""
"""Leaves each storage its own strategy."""


class ModeForm(forms.Form):
    """What storage is to do.

    Args:
        storages: the chosen ones; input that fits none of them is refused.
    """

    mode = forms.ChoiceField(choices=[(mode.value, words(mode.value)) for mode in StorageMode])
    power_w = NumberField(
        label="Power [W]",
        required=False,
        help_text="The limit of each storage unless given; empty for idle.",
    )

    def __init__(self, *args: Any, storages: Sequence[StorageDevice] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self._storages = storages

    def clean(self) -> dict[str, Any]:
        """Let the domain judge the power, if it says the same of every storage."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors or not self._storages:
            return cleaned
        refusals = [refusal for device in self._storages if (refusal := _refusal(cleaned, device))]
        if len(refusals) == len(self._storages):
            self.add_error(
                "power_w", forms.ValidationError(refusals[0].message, code=refusals[0].code)
            )
        return cleaned


class WhatIfForm(forms.Form):
    """Which day is simulated, and what steers storage in it."""

    ids = forms.CharField(widget=forms.HiddenInput)
    day = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="From midnight to midnight on the clocks of each site.",
    )
    dispatch = forms.ChoiceField(
        required=False,
        choices=[(AS_STORED, "As stored"), *((name, words(name)) for name in DISPATCHES)],
        help_text="The strategy that steers storage on that day.",
    )

    def clean_ids(self) -> list[int]:
        """The identities of the devices."""
        given = self.cleaned_data["ids"].split(",")
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in given):
            raise forms.ValidationError("These are no devices.", code=InvalidValue.code)
        return [int(part) for part in given]


def _refusal(cleaned: dict[str, Any], device: StorageDevice) -> InvalidValue | None:
    try:
        StorageState(mode=cleaned["mode"], power_w=cleaned["power_w"]).setpoint_w(device)
    except InvalidValue as error:
        return error
    return None
