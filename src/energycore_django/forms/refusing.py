"""How a form takes an error of energycore: its sentence and code, at the field that is meant."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from energycore.errors import EnergycoreError, InvalidValue, NameTaken, VersionConflict
from energycore_django.models.writing import checked_alias

__all__ = ["RefusingForm"]


class RefusingForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own takes no argument at run time
    """A form of a row that the services write, with errors of energycore at its fields.

    Its `seen_version` is the one that the input was made from.
    """

    refusal: EnergycoreError | None = None
    """What the services said when the same input was saved; shown in place of saving again."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        row = self.instance
        if row.pk is None:
            row._state.db = checked_alias(row.tenant_id, None)[2]
        else:
            self.initial["seen_version"] = row.version

    def places(self, error: EnergycoreError) -> Iterable[str]:
        """Names of the fields that an error may be about, the likeliest first."""
        if isinstance(error, InvalidValue):
            yield error.field.partition(".")[0]

    def clean_external_id(self) -> str | None:
        """A key that no other row has: one that has it would be taken for this one."""
        given: str | None = self.cleaned_data["external_id"] or None
        row = self.instance
        if given is None or row.pk is not None:
            return given
        known = type(row).objects.using(row._state.db).for_tenant(row.tenant_id)
        if known.filter(external_id=given).exists():
            message = f"another {row._meta.verbose_name} has the external id {given!r}"
            raise ValidationError(message, code=NameTaken.code)
        return given

    def clean(self) -> dict[str, Any]:
        """Note which version the input was made from."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk is not None and cleaned.get("seen_version") is not None:
            self.instance.version = cleaned["seen_version"]
        return cleaned

    def refuse(self, error: EnergycoreError) -> None:
        """Show an error at its field, or above the form if it is of none."""
        message = error.message
        if isinstance(error, VersionConflict):
            message = (
                f"Somebody else was faster: {message}. Nothing was saved. Open this page anew to"
                " see what is stored now, and make your change there."
            )
        place = next((name for name in self.places(error) if name in self.fields), None)
        super().add_error(place, ValidationError(message, code=error.code))

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error; the model repeats nothing that was found already.

        The model's `clean` judges what `clean` of the form has judged with better knowledge of
        the fields, so that what it says is new only where nothing was found.
        """
        found = getattr(error, "error_dict", None)
        if field is None and found is not None:
            error = self._new(found)
        elif field is None and self.errors:
            return
        if error:
            super().add_error(field, error)

    def _new(self, found: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, errors in found.items():
            if name in self.fields and name not in self.errors:
                kept[name] = errors
            elif name not in self.fields and not self.errors:
                for error in errors:
                    kept.setdefault(self._place_above(error), []).append(error)
        return kept

    def _place_above(self, error: ValidationError) -> str:
        """Where an error of no field is told; a taken external id was told of already."""
        is_of_name = error.code == NameTaken.code and "name" in self.fields
        return "name" if is_of_name else NON_FIELD_ERRORS
