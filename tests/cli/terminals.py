"""Running a command in a terminal, as far as a program can tell."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.cli.served import DEADLINE_S

__all__ = ["in_terminal"]


def in_terminal(folder: Path, *arguments: str | Path, columns: int = 80) -> str:
    """Everything that a command writes into its terminal, with all control sequences."""
    import pty

    controller, terminal = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "energycore", *arguments],
            cwd=folder,
            env=os.environ | {"COLUMNS": str(columns), "TERM": "xterm-256color"},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        written = b""
        # Linux ends a terminal whose last program is gone with an error.
        with suppress(OSError):
            while part := os.read(controller, 65_536):
                written += part
        assert process.wait(DEADLINE_S) == 0, written
    finally:
        os.close(controller)
    return written.decode()
