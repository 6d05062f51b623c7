"""What an action did to each device, told once at its end."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Self

import attrs
from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from energycore.errors import EnergycoreError

__all__ = ["MOST_AT_ONCE", "Outcome", "too_many"]

MOST_AT_ONCE: Final = 900
"""Most devices that an action changes: each is a transaction of its own."""
_MOST_REASONS: Final = 20


@attrs.frozen
class Outcome:
    """How many devices were changed, how many were so already, and which were refused and why."""

    changed: int
    unchanged: int
    refused: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, devices: Iterable[Any], change: Callable[[Any], bool]) -> Self:
        """Change devices one after the other.

        Args:
            devices: as models.
            change: changes one, and says whether there was anything to change.
        """
        results = []
        refused = []
        for device in devices:
            try:
                results.append(change(device))
            except EnergycoreError as error:
                refused.append((str(device), error.message))
        return cls(sum(results), len(results) - sum(results), tuple(refused))

    def tell(self, request: HttpRequest, done: str, already: str) -> None:
        """Show it on the next page.

        Args:
            request: whose user is told.
            done: what follows the number of changed devices, such as "deactivated".
            already: what follows the number of the others, such as "inactive already".
        """
        if self.changed:
            messages.success(request, f"{_devices(self.changed)} {done}.")
        if self.unchanged:
            messages.info(request, f"{_devices(self.unchanged)} {already}.")
        if self.refused:
            messages.warning(request, self._reasons())

    def _reasons(self) -> SafeString:
        lines = [
            message if name in message else f"{name}: {message}"
            for name, message in self.refused[:_MOST_REASONS]
        ]
        if len(self.refused) > _MOST_REASONS:
            lines.append(f"and {len(self.refused) - _MOST_REASONS} more")
        shown = format_html_join(
            "", '<span class="energycore-reason">{}</span>', ((line,) for line in lines)
        )
        return format_html("{} refused: {}", _devices(len(self.refused)), shown)


def too_many(request: HttpRequest, count: int, most: int = MOST_AT_ONCE) -> bool:
    """Whether these are more devices than an action takes, which is then said."""
    if count > most:
        text = f"{count} devices are too many at once: choose at most {most}. Nothing was changed."
        messages.error(request, text)
    return count > most


def _devices(count: int) -> str:
    return f"{count} device" if count == 1 else f"{count} devices"
