"""The admin of devices."""

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import BigIntegerField, QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from energycore.devices.registry import device_kinds
from energycore.storage.rules import name_key
from energycore_django.admin.actions import ACTIONS
from energycore_django.admin.base import TenantAdmin
from energycore_django.admin.columns import DeviceColumns
from energycore_django.admin.filters import SiteFilter, SpeakingFilter, TagFilter, is_id
from energycore_django.admin.observing import now_us
from energycore_django.admin.pages import device_page
from energycore_django.admin.scope import database, tenant
from energycore_django.admin.what_if_page import what_if_page
from energycore_django.forms.devices import device_form
from energycore_django.forms.fields import first_sentence, words
from energycore_django.models import Device, Site

__all__ = ["DeviceAdmin"]

_ON_ADD: Final = ("name", "site", "tags", "external_id")
_ON_CHANGE: Final = ("name", "site", "tags", "is_active", "seen_version")
_ON_VIEW: Final = ("name", "site", "tag_words", "is_active")
_IDENTITY: Final = ("kind", "external_id", "data_source", "registered")


@admin.register(Device)
class DeviceAdmin(DeviceColumns, TenantAdmin):
    """Devices: what they do, what they are rated for, what they are told to do."""

    list_display = (
        "name",
        "state",
        "charge",
        "last_seen",
        "kind",
        "site_name",
        "is_active",
    )
    list_filter = ("kind", "is_active", SpeakingFilter, "data_source", SiteFilter, TagFilter)
    list_select_related = ("site", "newest")
    list_per_page = 50
    search_fields = (
        "name_key__contains",
        "external_id__istartswith",
        "site__name__icontains",
        "tag_rows__tag__iexact",
    )
    search_help_text = "Words of the name or of the site, a tag, or the beginning of an external id"
    autocomplete_fields = ("site",)
    actions = ACTIONS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Devices with all that a row of the list shows."""
        now = Value(now_us(), output_field=BigIntegerField())
        found: QuerySet[Any] = super().get_queryset(request).annotate(now_us=now)
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those that match every word; letter case does not matter."""
        return super().get_search_results(request, queryset, name_key(search_term))

    def get_urls(self) -> list[URLPattern]:
        """The pages, and that of a simulated day."""
        page = path(
            "what-if/", self.admin_site.admin_view(self.what_if), name="energycore_device_what_if"
        )
        return [page, *super().get_urls()]

    def what_if(self, request: HttpRequest) -> Any:
        """The page of a simulated day."""
        return what_if_page(self, request)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        """The form of the device's kind, or of the kind that was chosen first."""
        kind = _chosen_kind(request) if obj is None else obj.kind
        return super().get_form(
            request, obj, change, **{"form": device_form(kind or "", of=obj), **options}
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The fields of the kind, in groups."""
        if obj is not None and not self.has_change_permission(request, obj):
            plain = (_ON_VIEW, ("shown_ratings",), ("shown_dispatch",), (*_IDENTITY, "longest_gap"))
            return _sections(*plain)
        kind = _chosen_kind(request) if obj is None else obj.kind
        own = device_form(kind or "", of=obj).base_fields
        ratings = [name for name in own if name.startswith("rating_")]
        steering = [name for name in own if name.startswith(("dispatch", "stored_wh"))]
        readings = ["max_gap_min"] if "max_gap_min" in own else []
        if obj is None:
            return _sections(_ON_ADD, ratings, steering, ["data_source", "gap_policy", *readings])
        if readings:
            readings.append("gap_policy")
        return _sections(_ON_CHANGE, ratings, steering, [*_IDENTITY, *readings])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is given once, at registration."""
        return () if obj is None else _IDENTITY

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """The choice of a site, among those of the tenant."""
        if db_field.name == "site":
            options |= {
                "using": database(),
                "queryset": Site.objects.using(database()).for_tenant(tenant()),
            }
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """What the link says; a site that cannot be one is left out."""
        given = dict(super().get_changeform_initial_data(request))
        if not is_id(str(given.get("site", ""))):
            given.pop("site", None)
        return given

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """First the choice of a kind, then its form."""
        kind = _chosen_kind(request)
        if kind is None and self.has_add_permission(request):
            return self._kinds(request)
        context = {"title": f"Add {words(kind or '').lower()}", **(extra_context or {})}
        return super().add_view(request, form_url or f"?{urlencode({'kind': kind})}", context)

    def _kinds(self, request: HttpRequest) -> HttpResponse:
        kinds = []
        for name, kind in device_kinds().items():
            query = request.GET.copy()
            query["kind"] = name
            kinds.append((f"?{query.urlencode()}", words(name), first_sentence(kind)))
        context = {
            **self.admin_site.each_context(request),
            "title": "Add device",
            "opts": self.opts,
            "kinds": kinds,
            "media": self.media,
            "is_popup": "_popup" in request.GET,
        }
        return TemplateResponse(request, "admin/energycore/device/kinds.html", context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it through the services, and with it the energy inside if that is given."""
        form.store()

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **options: Any
    ) -> HttpResponse:
        """The page, with what the device does above the form."""
        device = context.get("original")
        if device is not None and not context.get("is_popup"):
            context.update(device_page(device))
        return super().render_change_form(request, context, *args, **options)


def _chosen_kind(request: HttpRequest) -> str | None:
    chosen = request.GET.get("kind", "")
    return chosen if chosen in device_kinds() else None


def _sections(own: Any, ratings: Any, steering: Any, given_once: Any) -> list[tuple[Any, Any]]:
    """Groups of fields, those that are empty left out."""
    named = [
        (None, own),
        ("Ratings", ratings),
        ("Storage", steering),
        ("Registration", given_once),
    ]
    return [(name, {"fields": list(fields)}) for name, fields in named if fields]
