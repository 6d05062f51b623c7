"""For `path("energy/", include("energycore_django.urls"))`: GraphQL, and GraphiQL if it is on."""

from energycore_django.routes import project_urls

__all__ = ["urlpatterns"]

urlpatterns = project_urls()
