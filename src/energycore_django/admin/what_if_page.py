"""The page of a simulated day of chosen devices."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from energycore.errors import EnergycoreError
from energycore.quantities.zones import load_zone
from energycore_django.access import energy
from energycore_django.admin.cells import UNKNOWN, quantity
from energycore_django.admin.exporting import streamed
from energycore_django.admin.what_if import MOST_DEVICES, WhatIf, rows_of, simulated_days
from energycore_django.conf import current
from energycore_django.forms.commands import WhatIfForm

__all__ = ["what_if_page"]

_COLUMNS = ("at", "site", "device", "power_w", "stored_wh")


def what_if_page(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Simulate a day of devices and show it, or send it as CSV; nothing is stored.

    Raises:
        PermissionDenied: the user may not see devices.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    today = energy().clock.now().astimezone(load_zone(current().default_time_zone)).date()
    given = request.GET.dict()
    form = WhatIfForm({"day": today.isoformat(), **given})
    found = _simulated(model_admin, request, form)
    if found and given.get("format") == "csv":
        return streamed(
            request, f"simulated-{form.cleaned_data['day']}.csv", _COLUMNS, rows_of(found)
        )
    query = request.GET.copy()
    query["format"] = "csv"
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Simulated day",
        "opts": model_admin.opts,
        "form": form,
        "homes": [(home, _totals(home)) for home in found],
        "csv": f"?{query.urlencode()}",
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/energycore/device/what_if.html", context)


def _simulated(model_admin: Any, request: HttpRequest, form: WhatIfForm) -> list[WhatIf]:
    if not form.is_valid():
        return []
    ids = form.cleaned_data["ids"]
    if len(ids) > MOST_DEVICES:
        form.add_error(None, f"These are {len(ids)} devices; choose at most {MOST_DEVICES}.")
        return []
    seen = list(model_admin.get_queryset(request).filter(pk__in=ids).values_list("pk", flat=True))
    try:
        return simulated_days(
            energy(), seen, form.cleaned_data["day"], form.cleaned_data["dispatch"]
        )
    except EnergycoreError as error:
        form.add_error(None, ValidationError(error.message, code=error.code))
        return []


def _totals(home: WhatIf) -> list[tuple[str, ...]]:
    """A row for each device, and one for all of them."""
    summary = home.run.summary()
    rows = []
    for device in summary.devices:
        stored = UNKNOWN
        if device.stored_start_wh is not None:
            begin, end = device.stored_start_wh, device.stored_end_wh
            stored = f"{quantity(begin, 'Wh')} to {quantity(end, 'Wh')}"
        produced, consumed = quantity(device.produced_wh, "Wh"), quantity(device.consumed_wh, "Wh")
        rows.append((device.name, produced, consumed, stored))
    exported, imported = quantity(summary.exported_wh, "Wh"), quantity(summary.imported_wh, "Wh")
    return [*rows, ("To and from the grid", exported, imported, "")]
