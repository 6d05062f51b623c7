"""What the admin of sites and of devices have in common: a tenant, no deletion, errors in forms."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from energycore.errors import EnergycoreError
from energycore_django.admin.cells import UNKNOWN
from energycore_django.admin.scope import database, tenant

__all__ = ["TenantAdmin"]

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin

_REFUSAL: Final = "energycore_refusal"


class TenantAdmin(Base):
    """The rows of the tenant of the settings, written by the services, never deleted.

    What the services refuse when a form is saved comes back as an error of that form.
    """

    empty_value_display = UNKNOWN
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        """Looks of cells and charts."""

        css: Final = {"all": ["energycore/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the tenant, from the database that the services write to."""
        return super().get_queryset(request).using(database()).filter(tenant_id=tenant())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: histories need what they are of."""
        return False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        """The form, which knows what was refused when it was saved a moment ago."""
        form: Any = super().get_form(request, obj, change, **options)
        refusal = getattr(request, _REFUSAL, None)
        return form if refusal is None else type(form)("Refused", (form,), {"refusal": refusal})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page that adds one."""
        view = super().add_view
        return _again(request, lambda: view(request, form_url, extra_context))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one."""
        view = super().change_view
        return _again(request, lambda: view(request, object_id, form_url, extra_context))


def _again(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Save a form; if the services refuse it, show the form anew with their reason.

    The transaction of the first attempt is rolled back by then.
    """
    try:
        return view()
    except EnergycoreError as error:
        if request.method != "POST":
            raise
        setattr(request, _REFUSAL, error)
        return view()
