"""The admin of sites."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from energycore.errors import EnergycoreError
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import DeviceFilter
from energycore_django.access import energy
from energycore_django.admin.base import TenantAdmin
from energycore_django.admin.cells import UNKNOWN, charge_bar, joined, power
from energycore_django.admin.pages import site_page
from energycore_django.forms.sites import SiteForm
from energycore_django.models import Site

__all__ = ["SiteAdmin"]


class SummedSites(ChangeList):
    """A page of sites, each with what its devices add up to now."""

    def get_results(self, request: HttpRequest) -> None:
        """Ask for all sites of the page at once."""
        super().get_results(request)
        sites = list(self.result_list)
        self.result_list = sites
        own = energy()
        filter_ = DeviceFilter(site_ids=tuple(site.pk for site in sites))
        try:
            found = dict(own.services.insight.summaries(own.scope, SummaryGroup.SITE, filter_))
        except EnergycoreError:
            found = {}
        for site in sites:
            site.summary = found.get(site.pk)


@admin.register(Site)
class SiteAdmin(TenantAdmin):
    """Sites: where they are, what happens in them, what they are called."""

    form = SiteForm
    list_display = ("name", "time_zone", "device_count", "net_power", "charge")
    list_filter = ("time_zone",)
    list_per_page = 50
    search_fields = ("name__icontains", "external_id__istartswith")
    fieldsets = (
        (None, {"fields": ("name", "time_zone", "external_id", "seen_version")}),
        ("Place", {"fields": (("latitude", "longitude"),)}),
    )

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        """The list with its sums."""
        return SummedSites

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The key of a site is given once."""
        return () if obj is None else ("external_id",)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with what the site does above the form."""
        site = context.get("original")
        if site is not None and not context.get("is_popup"):
            context.update(site_page(site))
        return super().render_change_form(request, context, *args, **options)

    @admin.display(description="active devices")
    def device_count(self, site: Any) -> SafeString:
        """How many devices there are, and how many of them are silent."""
        page = reverse("admin:energycore_device_changelist", current_app=self.admin_site.name)
        count = 0 if site.summary is None else site.summary.device_count
        silent = 0 if site.summary is None else site.summary.silent_count
        link = format_html('<a href="{}?site={}">{}</a>', page, site.pk, count)
        return joined(("number", link), ("silent", f"{silent} silent")) if silent else link

    @admin.display(description="net power")
    def net_power(self, site: Any) -> str:
        """+ exports, - imports; unknown where no device speaks."""
        summary = site.summary
        speaks = summary is not None and summary.device_count > summary.silent_count
        return power(summary.net_power_w) if speaks else UNKNOWN

    @admin.display(description="charge")
    def charge(self, site: Any) -> SafeString | str:
        """Of all storage whose charge is known."""
        storage = None if site.summary is None else site.summary.storage
        return charge_bar(None if storage is None else storage.state_of_charge)
