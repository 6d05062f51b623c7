"""The faults of a home file: each names the file, the line, the device and what was expected."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar
from zoneinfo import available_timezones

import attrs

from energycore.encoding.suggestions import close_to, key_meant
from energycore.encoding.toml_lines import KeyPath, line_of
from energycore.errors import InvalidHomeFile, InvalidValue, UnknownTimeZone
from energycore.quantities.units import Unit

__all__ = ["HomeText", "syntax_error"]

Value = TypeVar("Value")

_NO_UNITS: Final[Mapping[str, Unit]] = {}
_TOLD: Final = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)"
)


@attrs.frozen
class HomeText:
    """The text of a home file, which parses, and the checks that point into it."""

    file: str
    source: str

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the innermost table around it that is there."""
        for length in range(len(path), 0, -1):
            line = line_of(self.source, path[:length])
            if line is not None:
                return line
        return None

    def fault(self, path: KeyPath, value: object, limit: str, problem: str) -> InvalidHomeFile:
        """A fault at a key, told in a sentence of its own."""
        field = ".".join(map(str, path))
        return InvalidHomeFile(field, value, limit, self.file, self.line(path), problem)

    def wrong(
        self, path: KeyPath, owner: str, value: object, limit: str, meant: str | None = None
    ) -> InvalidHomeFile:
        """A value that its key cannot hold."""
        told = InvalidValue(str(path[-1]), value, limit).message
        question = f": did you mean {meant!r}?" if meant else ""
        return self.fault(path, value, limit, f"{_owned(owner)}{told}{question}")

    def missing(
        self, path: KeyPath, owner: str, key: str, unit: Unit | None = None
    ) -> InvalidHomeFile:
        """A key that has to be in a table and is not."""
        meaning = f" (in {unit.meaning})" if unit is not None and unit.symbol != "1" else ""
        return self.fault((*path, key), None, "given", f"{_owned(owner)}{key} is missing{meaning}")

    def known_keys(
        self,
        table: Mapping[str, Any],
        path: KeyPath,
        owner: str,
        known: Iterable[str],
        units: Mapping[str, Unit] = _NO_UNITS,
    ) -> None:
        """Refuse a key that the table does not have.

        Raises:
            InvalidHomeFile: with the key that was probably meant, or all that there are.
        """
        names = list(known)
        for key, value in table.items():
            if key not in names:
                meant = key_meant(key, value, names, units)
                hint = f"did you mean {meant}?" if meant else f"known are {', '.join(names)}"
                problem = f"{_owned(owner)}there is no key {key}: {hint}"
                raise self.fault((*path, key), value, f"one of {', '.join(names)}", problem)

    def known_tables(
        self, document: Mapping[str, Any], known: Sequence[str], several: Collection[str]
    ) -> None:
        """Refuse a table at the top that a home does not have.

        Args:
            document: the whole file.
            known: names of tables.
            several: those of them that stand in double brackets.

        Raises:
            InvalidHomeFile: with the table that was probably meant, or all that there are.
        """
        tables = {name: f"[[{name}]]" if name in several else f"[{name}]" for name in known}
        for key, value in document.items():
            if key not in tables:
                meant = close_to(key, known)
                limit = f"one of {', '.join(tables.values())}"
                hint = f"did you mean {tables[meant]}?" if meant else f"known are {limit[7:]}"
                problem = f"there is no {_written(key, value)}: {hint}"
                raise self.fault((key,), value, limit, problem)

    def table(self, parent: Mapping[str, Any], path: KeyPath, key: str) -> dict[str, Any]:
        """The table under a key; an empty one where it is absent.

        Raises:
            InvalidHomeFile: something else is there.
        """
        found = parent.get(key, {})
        if not isinstance(found, Mapping):
            raise self.wrong((*path, key), "", found, f"a table, such as [{key}]")
        return dict(found)

    def checked(self, path: KeyPath, owner: str, make: Callable[[], Value]) -> Value:
        """What `make` returns; its refusal becomes a fault of the table at `path`.

        Raises:
            InvalidHomeFile: `make` refused a value.
        """
        try:
            return make()
        except InvalidValue as error:
            meant = None
            if isinstance(error, UnknownTimeZone):
                meant = close_to(str(error.value), available_timezones())
            raise self.wrong((*path, error.field), owner, error.value, error.limit, meant) from None


def syntax_error(file: str, told: str) -> InvalidHomeFile:
    """A text that is no TOML, with the line that the parser names at the end of its message."""
    found = _TOLD.fullmatch(told)
    what = found["what"] if found else told
    line = int(found["line"]) if found and found["line"] else None
    if found:
        what += " at the end of the file" if line is None else f" at column {found['column']}"
        if found["what"] == "Invalid value":
            what += " (text stands in quotes)"
    return InvalidHomeFile("file", file, "TOML", file, line, f"not TOML: {what}")


def _written(key: str, value: object) -> str:
    """What a key at the top of a file is, as its author wrote it."""
    if isinstance(value, Mapping):
        return f"table [{key}]"
    is_tables = isinstance(value, list) and any(isinstance(item, Mapping) for item in value)
    return f"table [[{key}]]" if is_tables else f"key {key}"


def _owned(owner: str) -> str:
    return f"{owner}: " if owner else ""
