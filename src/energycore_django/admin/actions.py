"""Actions on the chosen devices; each goes through the services, device by device."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from energycore.devices.storage_device import StorageDevice
from energycore.errors import EnergycoreError
from energycore_django.access import energy
from energycore_django.admin.exporting import devices_as_csv
from energycore_django.admin.outcomes import Outcome, too_many
from energycore_django.admin.what_if import MOST_DEVICES
from energycore_django.forms.commands import ModeForm

__all__ = ["ACTIONS"]

_MOST_NAMES: Final = 20


@admin.action(description="Deactivate selected devices", permissions=["change"])
def deactivate(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Take the devices out of ticks, totals and ingest; their history stays."""

    def change(device: Any) -> bool:
        energy().deactivate(device.pk)
        return bool(device.is_active)

    if outcome := _each(model_admin, request, queryset, change, "Deactivated."):
        outcome.tell(request, "deactivated, history stays", "inactive already")


@admin.action(description="Reactivate selected devices", permissions=["change"])
def reactivate(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """Put the devices back into service."""

    def change(device: Any) -> bool:
        energy().reactivate(device.pk)
        return not device.is_active

    if outcome := _each(model_admin, request, queryset, change, "Reactivated."):
        outcome.tell(request, "reactivated", "active already")


@admin.action(description="Set the mode of selected storage", permissions=["change"])
def set_mode(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Tell storage to charge, to discharge or to be idle; what is asked for is asked on a page."""
    if too_many(request, queryset.count()):
        return None
    devices = list(queryset)
    storages = _storages(devices)
    form = ModeForm(request.POST if "apply" in request.POST else None, storages=storages)
    if not form.is_valid():
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Set the mode of storage",
            "opts": model_admin.opts,
            "form": form,
            "devices": devices,
            "shown": devices[:_MOST_NAMES],
            "storage_count": len(storages),
            "media": model_admin.media + form.media,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/energycore/device/set_mode.html", context)
    mode, power_w = form.cleaned_data["mode"], form.cleaned_data["power_w"]

    def change(device: Any) -> bool:
        energy().set_mode(device.pk, mode, power_w)
        return True

    power = "" if power_w is None else f" with {power_w:g} W"
    outcome = Outcome.of(devices, _logged(model_admin, request, change, f"Set to {mode}{power}."))
    outcome.tell(request, f"set to {mode}{power}, from the next tick on", "so already")
    return None


@admin.action(description="Simulate a day of selected devices", permissions=["view"])
def simulate_day(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Show what the devices would do on a day; nothing is stored."""
    if too_many(request, queryset.count(), MOST_DEVICES):
        return None
    ids = ",".join(str(pk) for pk in queryset.values_list("pk", flat=True))
    page = reverse("admin:energycore_device_what_if", current_app=model_admin.admin_site.name)
    return HttpResponseRedirect(f"{page}?{urlencode({'ids': ids})}")


@admin.action(description="Export selected devices as CSV", permissions=["view"])
def export_csv(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]
) -> StreamingHttpResponse:
    """Send the devices with their states, row by row."""
    return devices_as_csv(request, queryset)


ACTIONS: Final = (deactivate, reactivate, set_mode, simulate_day, export_csv)


def _each(
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet[Any],
    change: Callable[[Any], bool],
    said: str,
) -> Outcome | None:
    if too_many(request, queryset.count()):
        return None
    return Outcome.of(list(queryset), _logged(model_admin, request, change, said))


def _logged(
    model_admin: Any, request: HttpRequest, change: Callable[[Any], bool], said: str
) -> Callable[[Any], bool]:
    """The same change, which leaves a line in the history that the admin shows."""

    def changed(device: Any) -> bool:
        is_changed = change(device)
        if is_changed:
            model_admin.log_change(request, device, said)
        return is_changed

    return changed


def _storages(devices: list[Any]) -> list[StorageDevice]:
    found = []
    for device in devices:
        try:
            domain = device.domain()
        except EnergycoreError:
            continue
        if isinstance(domain, StorageDevice):
            found.append(domain)
    return found
