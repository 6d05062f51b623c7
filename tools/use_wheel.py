"""What `nox -s wheel` asks of an installed wheel with nothing beside it: import, store, answer."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import energycore as ec

__all__ = ["main"]


def main() -> None:
    """Use the base install once, end to end."""
    package = Path(ec.__file__).parent
    if Path(sys.prefix) not in package.parents:
        raise SystemExit(f"not the installed wheel: {package}")
    for name in ("energycore", "energycore_fastapi"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise SystemExit(f"the wheel holds no package {name}")
        if not (Path(spec.origin).parent / "py.typed").is_file():
            raise SystemExit(f"{name} says nothing about its types: no py.typed")

    home = ec.Site(name="Home", time_zone="Europe/Berlin")
    panel = ec.SolarPanel(name="Roof", rated_power_w=5_000)
    run = ec.simulate([panel], site=home, start="2026-06-01", days=1, step="15min", seed=7)
    print(importlib.metadata.version("energycore"), run.summary())


if __name__ == "__main__":
    main()
