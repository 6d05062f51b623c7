"""Devices and simulated days as CSV, sent row by row."""

import csv
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from energycore_django.admin.observing import observed, zone_of

__all__ = ["devices_as_csv", "streamed"]

_AT_ONCE: Final = 1_000
_COLUMNS: Final = (
    "id",
    "external_id",
    "name",
    "kind",
    "site",
    "time_zone",
    "tags",
    "data_source",
    "dispatch",
    "is_active",
    "ratings",
    "at",
    "is_silent",
    "power_w",
    "stored_wh",
    "state_of_charge",
    "mode",
)
_FORMULA: Final = ("=", "+", "-", "@")


class _Line:
    """Gives each line back instead of writing it."""

    def write(self, line: str) -> str:
        """The line."""
        return line


def devices_as_csv(request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
    """The devices with their newest readings; what is not known is left empty."""
    found = queryset.order_by("pk").select_related("site", "newest").prefetch_related("tag_rows")
    devices = found.iterator(chunk_size=_AT_ONCE)
    return streamed(request, "devices.csv", _COLUMNS, (_row(device) for device in devices))


def streamed(
    request: HttpRequest, name: str, columns: Iterable[str], rows: Iterable[Iterable[object]]
) -> StreamingHttpResponse:
    """A table as a download; texts that a spreadsheet would compute are quoted for it."""
    lines = _lines(columns, rows)
    return StreamingHttpResponse(
        _by_parts(lines) if isinstance(request, ASGIRequest) else lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _lines(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow(map(_cell, row))


async def _by_parts(lines: Iterator[str]) -> AsyncIterator[str]:
    """Many lines at a time, made in the thread of the request, which holds its connections."""
    while part := await sync_to_async(_next_part)(lines):
        yield part


def _next_part(lines: Iterator[str]) -> str:
    return "".join(islice(lines, _AT_ONCE))


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip().startswith(_FORMULA):
        return f"'{value}"
    return value


def _row(device: Any) -> Iterator[object]:
    zone = zone_of(device)
    yield from (device.pk, device.external_id, device.name, device.kind)
    yield from (device.site and device.site.name, zone.key, ",".join(device.tags))
    yield from (device.data_source, device.dispatch, device.is_active)
    yield json.dumps(device.ratings, sort_keys=True)
    state = observed(device, device.now_us)
    if state is None:
        yield from [None] * 6
        return
    yield from (state.at.astimezone(zone).isoformat(), state.is_stale)
    yield from (state.power_w, state.stored_wh, state.state_of_charge)
    yield None if state.mode is None else state.mode.value
