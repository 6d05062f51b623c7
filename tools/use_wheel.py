"""What `nox -s wheel` asks of a wheel with nothing installed beside it: simulate, store."""

import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import energycore as ec

__all__ = ["main"]


def main() -> None:
    """Use the base install once, and ask for what only an extra brings."""
    for name in ("energycore", "energycore_django", "energycore_fastapi"):
        spec = importlib.util.find_spec(name)
        _expect(spec is not None and spec.origin is not None, f"the wheel holds {name}")
        package = Path(str(spec and spec.origin)).parent
        _expect(Path(sys.prefix) in package.parents, f"{name} is the installed one: {package}")
        _expect((package / "py.typed").is_file(), f"{name} says that it is typed")

    panel = ec.SolarPanel(name="Roof", rated_power_w=5_000)
    run = ec.simulate([panel], start="2026-06-01", days=1, step="15min", seed=7)
    _expect(run.summary().produced_wh > 0, "the sun shines")
    with tempfile.TemporaryDirectory() as folder:
        with ec.connect(f"sqlite:///{folder}/home.db") as energy:
            energy.register(panel)
            _expect(len(energy.devices().items) == 1, "a database is made and keeps a device")
        command = Path(sys.executable).with_name("energycore")
        told = subprocess.run([command, "--help"], cwd=folder, capture_output=True, text=True)
    _expect(
        told.returncode != 0 and 'pip install "energycore[cli]"' in told.stderr,
        f"the command says which extra it needs: {told.stdout}{told.stderr}",
    )
    _expect("Traceback" not in told.stderr, f"and says it in one line: {told.stderr}")
    print(f"energycore {importlib.metadata.version('energycore')} works from its wheel")


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise SystemExit(f"not so: {what}")


if __name__ == "__main__":
    main()
