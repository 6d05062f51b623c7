"""`python -m benchmarks [NAME ...]`: measure, print a table, write JSON; 1 if a limit is missed."""

import importlib
import json
import platform
import sys
from pathlib import Path
from typing import Final

import attrs

from benchmarks.measure import Line

NAMES: Final = (
    "imports",
    "tick",
    "year",
    "buckets",
    "graphql_requests",
    "graphql_limits",
    "django_requests",
    "django_ingest",
    "ingest",
    "sockets",
    "history",
    "archive",
)
RESULTS: Final = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all of them."""
    if unknown := set(arguments) - set(NAMES):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
        return 2
    missed = 0
    print(f"{'line':<22} {'ratio':>8} {'limit':>8}        figure and what the ratio says")
    for name in arguments or NAMES:
        lines = []
        for line in importlib.import_module(f"benchmarks.{name}").lines():
            lines.append(line)
            missed += not line.passed
            print(_row(line), flush=True)
        _write(name, lines)
    print(f"{missed} missed" if missed else "all limits hold")
    return 1 if missed else 0


def _row(line: Line) -> str:
    verdict = "info" if line.limit is None else "pass" if line.passed else "FAIL"
    measured = f"{line.name:<22} {line.ratio:>8.2f} {line.bound:>8} {verdict:<6}"
    return f"{measured} {line.figure}; {line.note}"


def _write(name: str, lines: list[Line]) -> None:
    RESULTS.mkdir(exist_ok=True)
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "lines": [{**attrs.asdict(line), "passed": line.passed} for line in lines],
    }
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
