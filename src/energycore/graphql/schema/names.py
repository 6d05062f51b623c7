"""How names of Python are spelled in GraphQL."""

from typing import Final

__all__ = ["ABOUT_ID", "ABOUT_ZONE", "camel"]

ABOUT_ID: Final = "Globally unique and opaque: send it back as it is."
ABOUT_ZONE: Final = "IANA name, such as Europe/Berlin."


def camel(name: str) -> str:
    """Spell a lower_snake_case name in camelCase: `rated_power_w` becomes `ratedPowerW`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
