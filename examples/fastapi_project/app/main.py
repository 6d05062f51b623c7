"""The application: `uvicorn --factory app.main:create`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.auth import Customers
from app.routes import router
from app.settings import Settings
from energycore_fastapi import provide_energy

__all__ = ["create"]


def create(settings: Settings | None = None) -> FastAPI:
    """Make the application; each worker of a server makes its own."""
    settings = Settings() if settings is None else settings
    energy = settings.connect()
    customers = Customers(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with energy, customers:
            async with settings.ticking(energy, tenants=customers.tenants):
                yield

    app = FastAPI(title=settings.title, lifespan=lifespan)
    provide_energy(app, energy, scope_of=customers.scope_of)
    app.include_router(router)
    app.mount("/energy", settings.create_app(energy, scope_of=customers.scope_of))
    return app
