"""How names of Python are spelled in GraphQL."""

__all__ = ["camel"]


def camel(name: str) -> str:
    """Spell a lower_snake_case name in camelCase: `rated_power_w` becomes `ratedPowerW`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
