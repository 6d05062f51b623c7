"""What the application is told, by variables that begin with HOMES_ or by the file .env."""

from pydantic_settings import SettingsConfigDict

from energycore_fastapi import EnergycoreSettings

__all__ = ["Settings"]


class Settings(EnergycoreSettings):
    """energycore's settings, and the project's own."""

    model_config = SettingsConfigDict(env_prefix="HOMES_", env_file=".env")

    title: str = "Homes"
    """What the application is called in its documentation."""
