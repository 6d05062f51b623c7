"""Writes the pages of docs/reference that are drawn from the code: `python -m tools.reference`.

Without arguments the pages are rewritten; with `--check` the program only says which of them are
out of date, and ends with 1 if any is.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tools.reference_pages import (
    cli,
    devices,
    django,
    error_pages,
    errors,
    fastapi,
    home_file,
    limits,
    python,
    schema,
)

__all__ = ["PAGES", "main", "outdated"]

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli.page,
    "devices.md": devices.page,
    "django.md": django.page,
    "errors.md": errors.page,
    **{f"errors/{code}.md": partial(error_pages.page, code) for code in error_pages.TEXTS},
    "fastapi.md": fastapi.page,
    "home-file.md": home_file.page,
    "limits.md": limits.page,
    "python.md": python.page,
    "schema.graphql": schema.definitions,
    "schema.md": schema.page,
}


def outdated(folder: Path = FOLDER) -> list[str]:
    """The pages whose text in the folder is not what the code says."""
    return [name for name, page in PAGES.items() if _text(folder / name) != page()]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    names = outdated()
    for name in names:
        if not check:
            (FOLDER / name).parent.mkdir(exist_ok=True)
            (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"{name} {'is out of date' if check else 'written'}")
    return int(check and bool(names))


if __name__ == "__main__":
    sys.exit(main())
