"""The form of a device: what every device has, and the ratings of its kind."""

from collections.abc import Iterable
from typing import Any, ClassVar, Final

from django import forms

from energycore.devices.base import DataSource, fields_of_kind
from energycore.devices.base import Device as DomainDevice
from energycore.devices.registry import device_kind
from energycore.devices.storage_device import StorageDevice, StorageState
from energycore.encoding import decode_device, decode_dispatch
from energycore.errors import (
    DeviceIsInactive,
    DeviceIsNotStorage,
    DeviceIsReported,
    EnergycoreError,
    InvalidValue,
    NameTaken,
    NotFound,
    UnknownDeviceKind,
)
from energycore.services.control import initial_state
from energycore.services.given import clean_tags, data_source_of
from energycore_django.access import energy
from energycore_django.forms.dispatches import (
    choice_field,
    parameter_fields,
    parameter_name,
    parameters,
    shown_parameters,
)
from energycore_django.forms.fields import (
    NumberField,
    fields_of_class,
    joined_words,
    split_words,
)
from energycore_django.forms.refusing import RefusingForm
from energycore_django.models import Device

__all__ = ["DeviceForm", "device_form", "rating_name"]

_US_PER_MINUTE: Final = 60_000_000
_TAKES_NO_DISPATCH: Final = DeviceIsInactive, DeviceIsNotStorage, DeviceIsReported
_NAME_TO_JUDGE_RATINGS_BY: Final = "Device"


def rating_name(rating: str) -> str:
    """What the field of a rating is called, so that no rating can hide another field."""
    return f"rating_{rating}"


class DeviceForm(RefusingForm):
    """A device of one kind; `device_form` makes the class of a kind."""

    kind_name: ClassVar[str] = ""
    rating_names: ClassVar[tuple[str, ...]] = ()

    tags = forms.CharField(
        required=False,
        help_text="Words to find it by, separated by commas.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    class Meta:
        """What of the model every kind has."""

        model = Device
        fields = ("name", "site", "external_id", "data_source", "gap_policy", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        device = self.instance
        if device.pk is None:
            device.kind, device.ratings = self.kind_name, {}
        else:
            self.initial = {**self._stored(), **self.initial}

    def _stored(self) -> dict[str, Any]:
        device = self.instance
        stored = {rating_name(name): value for name, value in device.ratings.items()}
        stored["tags"] = joined_words(device.tags)
        stored["max_gap_min"] = device.max_gap_us / _US_PER_MINUTE
        try:
            strategy = device.strategy()
        except EnergycoreError:
            return stored
        if strategy is None:
            return stored
        return stored | {"dispatch": device.dispatch} | shown_parameters(strategy)

    def places(self, error: EnergycoreError) -> Iterable[str]:
        """Names of the fields that an error may be about."""
        yield from super().places(error)
        if isinstance(error, InvalidValue):
            yield rating_name(error.field)
            yield parameter_name(self._chosen(), error.field)
            yield f"{error.field}_min"
        elif isinstance(error, NameTaken):
            known = getattr(error.current, "external_id", None)
            taken = known is not None and known == self.cleaned_data.get("external_id")
            yield "external_id" if taken else "name"
        elif isinstance(error, NotFound) and error.noun == "site":
            yield "site"
        elif isinstance(error, _TAKES_NO_DISPATCH):
            yield "dispatch"

    def clean_tags(self) -> list[str]:
        """The words, or what the domain has against one of them."""
        try:
            return list(clean_tags(split_words(self.cleaned_data["tags"])))
        except InvalidValue as error:
            raise forms.ValidationError(error.message, code=error.code) from error

    def clean(self) -> dict[str, Any]:
        """Let the domain judge the ratings and the strategy, each at its field."""
        cleaned = super().clean()
        device = self.instance
        if "tags" in cleaned:
            device.tags = cleaned["tags"]
        if cleaned.get("max_gap_min") is not None:
            device.max_gap_us = round(cleaned["max_gap_min"] * _US_PER_MINUTE)
        self._judge_ratings(cleaned)
        self._judge_dispatch(cleaned)
        if not self.errors:
            self._judge_charge(cleaned)
        if self.refusal is not None:
            self.refuse(self.refusal)
        return cleaned

    def _judge_ratings(self, cleaned: dict[str, Any]) -> None:
        names = {name: rating_name(name) for name in self.rating_names}
        if any(field in self.errors for field in names.values()):
            return
        given = {name: cleaned.get(field) for name, field in names.items()}
        device = self.instance
        ratings = {name: value for name, value in given.items() if value is not None}
        name = cleaned.get("name") or _NAME_TO_JUDGE_RATINGS_BY
        try:
            decode_device(device.kind, name=name, ratings=ratings)
        except EnergycoreError as error:
            self.refuse(error)
        else:
            device.ratings = ratings

    def _judge_dispatch(self, cleaned: dict[str, Any]) -> None:
        chosen = self._chosen()
        if not chosen:
            return
        given = parameters(chosen, cleaned)
        self.instance.dispatch, self.instance.dispatch_parameters = chosen, given
        try:
            decode_dispatch(chosen, given)
        except EnergycoreError as error:
            self.refuse(error)

    def _judge_charge(self, cleaned: dict[str, Any]) -> None:
        device, stored_wh = self.instance, cleaned.get("stored_wh")
        if stored_wh is None:
            return
        source = data_source_of(cleaned.get("data_source") or device.data_source)
        name = cleaned.get("name") or _NAME_TO_JUDGE_RATINGS_BY
        try:
            storage = decode_device(device.kind, name=name, ratings=device.ratings)
            initial_state(storage, source, StorageState(stored_wh=stored_wh))
        except InvalidValue as error:
            super().add_error("stored_wh", forms.ValidationError(error.message, code=error.code))

    def save(self, commit: bool = True) -> Device:
        """Save the device, and with it the energy inside if that is given.

        Raises:
            EnergycoreError: see `Device.save`.
        """
        device: Device = super().save(commit=False)
        if commit:
            self.store()
        return device

    def store(self) -> None:
        """Store what `save(commit=False)` left.

        Raises:
            EnergycoreError: see `Device.save`; nothing is stored then.
        """
        device, stored_wh = self.instance, self.cleaned_data.get("stored_wh")
        own = energy(device.tenant_id)
        with own.services.storage.transaction(write=True):
            device.save()
            if stored_wh is not None:
                own.update(device.pk, stored_wh=stored_wh)

    def _chosen(self) -> str:
        return str(self.cleaned_data.get("dispatch") or "")


def device_form(kind_name: str, *, of: Device | None = None) -> type[DeviceForm]:
    """The form class of a kind: to register one, or to change a device.

    A kind that is not installed any more has no fields for its ratings; such a device cannot be
    saved.

    Args:
        kind_name: registered name, such as `solar_panel`.
        of: the device that is changed; None to register one.
    """
    fields: dict[str, Any] = {}
    try:
        kind = device_kind(kind_name)
    except UnknownDeviceKind:
        names: tuple[str, ...] = ()
    else:
        own = fields_of_class(kind, fields_of_kind(kind))
        names = tuple(own)
        fields |= {rating_name(name): field for name, field in own.items()}
        fields |= _fields_of_role(kind, of)
    if of is None or of.data_source == DataSource.REPORTED.value:
        fields["max_gap_min"] = NumberField(
            label="Longest gap [min]",
            required=False,
            max_value=1e9,
            help_text="How long the power of one reading holds; of reported devices only,"
            " 5 minutes unless given.",
        )
    fields |= {"kind_name": kind_name, "rating_names": names}
    maker: Any = type(DeviceForm)
    form: type[DeviceForm] = maker("KindForm", (DeviceForm,), fields)
    return form


def _fields_of_role(kind: type[DomainDevice], of: Device | None) -> dict[str, forms.Field]:
    """What a storage has beside its ratings."""
    if not issubclass(kind, StorageDevice):
        return {}
    if of is not None and of.data_source == DataSource.REPORTED.value:
        return {}
    otherwise = "Half of the capacity" if of is None else "Stays as it is"
    stored = NumberField(
        label="Stored energy [Wh]" if of is None else "Set stored energy to [Wh]",
        required=False,
        help_text=f"Energy inside, of simulated storage only. {otherwise} unless given.",
    )
    return {"stored_wh": stored, "dispatch": choice_field(), **parameter_fields()}
