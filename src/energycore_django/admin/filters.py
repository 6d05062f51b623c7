"""The filters beside the list of devices."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest

from energycore.services.insight import SILENT_GAPS
from energycore.storage.rules import is_storable
from energycore_django.admin.scope import database, tenant
from energycore_django.models import DeviceTag, Site

__all__ = ["SiteFilter", "SpeakingFilter", "TagFilter", "is_id"]

_MOST_CHOICES: Final = 50
_NONE: Final = "none"


class SpeakingFilter(admin.SimpleListFilter):
    """By whether the newest reading is new enough to count."""

    title = "readings"
    parameter_name = "readings"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("now", "Up to date"), ("silent", "Silent"), ("never", "None yet")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The devices of a choice."""
        silent = Q(newest__at_us__lt=F("now_us") - SILENT_GAPS * F("max_gap_us"))
        if self.value() == "now":
            return queryset.filter(~silent, newest__at_us__isnull=False)
        if self.value() == "silent":
            return queryset.filter(silent)
        if self.value() == "never":
            return queryset.filter(newest__at_us__isnull=True)
        return queryset


class SiteFilter(admin.SimpleListFilter):
    """By site; where there are many sites, only the one that a link has chosen."""

    title = "site"
    parameter_name = "site"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        """The sites, and those without one."""
        sites = Site.objects.using(database()).for_tenant(tenant())
        few = list(sites.values_list("id", "name")[: _MOST_CHOICES + 1])
        if len(few) > _MOST_CHOICES:
            chosen = self.value() or ""
            few = list(sites.filter(id=chosen).values_list("id", "name")) if is_id(chosen) else []
        return [*((str(key), name) for key, name in few), (_NONE, "No site")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The devices of a site."""
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen == _NONE:
            return queryset.filter(site__isnull=True)
        return queryset.filter(site_id=int(chosen)) if is_id(chosen) else queryset.none()


class TagFilter(admin.SimpleListFilter):
    """By tag; of many tags the first."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The tags in use, and the chosen one."""
        tags = DeviceTag.objects.for_tenant(tenant()).using(database()).order_by("tag")
        few = list(tags.values_list("tag", flat=True).distinct()[:_MOST_CHOICES])
        chosen = self.value()
        if chosen is not None and chosen not in few:
            few.append(chosen)
        return [(tag, tag) for tag in few]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The devices that carry a tag."""
        chosen = self.value()
        if chosen is not None and not is_storable(chosen):
            return queryset.none()
        return queryset if chosen is None else queryset.tagged(chosen)  # type: ignore[attr-defined] # the queryset of devices


def is_id(text: str) -> bool:
    """Whether a text may be the identity of a row."""
    return text.isascii() and text.isdigit() and len(text) < 19
