"""The admin at /admin/, GraphQL at /energy/graphql, GraphiQL at /energy/."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", RedirectView.as_view(url="/energy/" if settings.DEBUG else "/admin/")),
    path("admin/", admin.site.urls),
    path("energy/", include("energycore_django.urls")),
]
