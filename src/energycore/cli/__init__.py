"""The command `energycore`: simulate a home, serve it over GraphQL, look after its database."""

import sys

from energycore.errors import MissingExtra
from energycore.extras import load_extra

__all__ = ["main"]

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; what it needs beyond the core is named in one line where missing."""
    try:
        for module in ("typer", "rich"):
            load_extra(module, feature="the command line", extra="cli")
        from energycore.cli.app import app
    except MissingExtra as error:
        sys.stderr.write(f"error: {error.message} ({error.code})\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    app()
