"""How a form takes an error of energycore: its sentence and code, at the field that is meant."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from energycore.errors import EnergycoreError, InvalidValue, VersionConflict

__all__ = ["RefusingForm"]


class RefusingForm(forms.ModelForm):  # type: ignore[type-arg] # Django's own takes no argument at run time
    """A form whose `clean` and whose owner put errors of energycore at its fields."""

    refusal: EnergycoreError | None = None
    """What the services said when the same input was saved; shown in place of saving again."""

    def places(self, error: EnergycoreError) -> Iterable[str]:
        """Names of the fields that an error may be about, the likeliest first."""
        if isinstance(error, InvalidValue):
            yield error.field.partition(".")[0]

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

    def validate_unique(self) -> None:
        """Leave it to the services, which say whose name it is."""

    def validate_constraints(self) -> None:
        """Leave it to the services."""

    def _new(self, found: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, errors in found.items():
            if name in self.fields and name not in self.errors:
                kept[name] = errors
            elif name not in self.fields and not self.errors:
                kept.setdefault(NON_FIELD_ERRORS, []).extend(errors)
        return kept
