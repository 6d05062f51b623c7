"""The form of a site."""

from typing import Any, Final
from zoneinfo import available_timezones

from django import forms

from energycore.errors import NameTaken
from energycore_django.forms.refusing import RefusingForm
from energycore_django.models import Site

__all__ = ["SiteForm"]


class ZoneInput(forms.TextInput):
    """A text that the browser completes to the name of a time zone."""

    template_name = "energycore/widgets/zone.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """What the template needs: the names as well."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{name}-zones"
        context["zones"] = sorted(zone for zone in available_timezones() if "/" in zone)
        return context


class SiteForm(RefusingForm):
    """A site."""

    class Meta:
        """What of the model is in the form."""

        model = Site
        fields = ("name", "time_zone", "latitude", "longitude", "external_id")
        widgets: Final = {
            "time_zone": ZoneInput(attrs={"class": "vTextField", "autocomplete": "off"})
        }
        labels: Final = {"latitude": "Latitude [°]", "longitude": "Longitude [°]"}
        help_texts: Final = {
            "time_zone": "IANA name, such as Europe/Berlin. Another zone holds from now on.",
        }

    def places(self, error: Any) -> Any:
        """Names of the fields that an error may be about."""
        yield from super().places(error)
        if isinstance(error, NameTaken):
            yield "external_id"

    def clean(self) -> dict[str, Any]:
        """Show what was refused when it was saved."""
        cleaned = super().clean()
        if self.refusal is not None:
            self.refuse(self.refusal)
        return cleaned
