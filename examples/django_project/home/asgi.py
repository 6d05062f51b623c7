"""For servers that speak ASGI: requests, and the sockets of subscriptions."""

import os

from django.core.asgi import get_asgi_application

__all__ = ["application"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "home.settings")

http = get_asgi_application()

from energycore_django.asgi import websockets  # noqa: E402 - it needs the project's settings

application = websockets(http)
