"""The same as `energycore_django.urls` with a view that is a coroutine, for ASGI."""

from energycore_django.routes import project_urls

__all__ = ["urlpatterns"]

urlpatterns = project_urls(is_async=True)
