"""The project's settings: one dict `ENERGYCORE`, of which every key has a default."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any, Final

import attrs
from django.conf import settings as project
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from energycore.archive.opening import scheme_of
from energycore.channels import open_channel
from energycore.errors import EnergycoreError, InvalidValue
from energycore.graphql.limits import Limits
from energycore.graphql.live.limits import SocketLimits
from energycore.graphql.trusted import TrustedDocuments
from energycore.protocols.channel import Channel
from energycore.protocols.clock import Clock
from energycore.protocols.scope import DEFAULT_TENANT, Scope
from energycore.quantities.instants import to_epoch_us
from energycore.quantities.zones import load_zone
from energycore.services.histories import MAX_BUCKETS
from energycore.storage.sql.partitions import Partitioning
from energycore.telemetry.tiers import Retention

__all__ = ["SETTING", "DjangoSettings", "Problem", "current", "problems"]

SETTING: Final = "ENERGYCORE"


def _archive(value: object) -> object:
    if not isinstance(value, str | os.PathLike):
        raise InvalidValue("setting", value, "a folder, or a URL such as s3://bucket/prefix")
    url = os.fspath(value)
    scheme_of(url)
    return url


def _database(value: object) -> object:
    if not isinstance(value, str) or value not in project.DATABASES:
        raise InvalidValue("setting", value, f"one of DATABASES: {', '.join(project.DATABASES)}")
    return value


def _zone(value: object) -> object:
    if not isinstance(value, str):
        raise InvalidValue("setting", value, "the IANA name of a time zone")
    load_zone(value, "setting")
    return value


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise InvalidValue("setting", value, "True or False")
    return value


def _count(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidValue("setting", value, "a whole number of at least 1")
    return value


def _whole(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue("setting", value, "a whole number")
    return value


def _tenant(value: object) -> object:
    return Scope(value).tenant  # type: ignore[arg-type] # it says itself what it cannot take


def _retention(value: object) -> Retention:
    return Retention(**_given(value, Retention, _days))


def _partitioning(value: object) -> Partitioning:
    given = _given(value, Partitioning, lambda given: given)
    for name, read in (("hash_parts", _whole), ("brin", _flag)):
        if name in given:
            _of_key(name, given[name], read)
    return Partitioning(**given)


def _limits(value: object) -> Limits:
    return Limits(**_given(value, Limits, lambda given: given))


def _manifest(value: object) -> TrustedDocuments:
    if not isinstance(value, str | os.PathLike):
        raise InvalidValue("setting", value, "the path of a manifest of documents")
    return TrustedDocuments.load(os.fspath(value))


def _given(value: object, kind: type[Any], read: Callable[[Any], Any]) -> dict[str, Any]:
    names = [field.name.upper() for field in attrs.fields(kind)]
    if not isinstance(value, Mapping) or not set(value) <= set(names):
        raise InvalidValue("setting", value, f"a dict with any of the keys {', '.join(names)}")
    return {name.lower(): _of_key(name, given, read) for name, given in value.items()}


def _of_key(name: str, given: object, read: Callable[[Any], Any]) -> Any:
    try:
        return read(given)
    except InvalidValue as error:
        raise InvalidValue(name, given, error.limit) from error


def _days(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > timedelta.max.days:
            raise InvalidValue("setting", value, f"at most {timedelta.max.days:,} days")
        return timedelta(days=value)
    raise InvalidValue("setting", value, "a number of days, a timedelta, or None for ever")


def _named(value: object) -> Any:
    """A callable, or what has such a dotted path."""
    try:
        found = import_string(value) if isinstance(value, str) else value
    except ImportError:
        raise
    except Exception as error:  # a project's own module may raise anything
        limit = f"something that can be imported; it raised {type(error).__name__}: {error}"
        raise InvalidValue("setting", value, limit) from error
    if not callable(found):
        raise InvalidValue("setting", value, "a callable or its dotted path")
    return found


def _clock(value: object) -> Clock:
    clock: Clock = _called(value)
    if not callable(getattr(clock, "now", None)):
        raise InvalidValue("setting", value, "a callable that gives a clock, which has now()")
    try:
        to_epoch_us(_called(clock.now))
    except InvalidValue as error:
        limit = f"a callable that gives a clock, whose now() is {error.limit}"
        raise InvalidValue("setting", value, limit) from error
    return clock


def _channel(value: object) -> Channel:
    """A channel by its URL, or by the dotted path of a callable that gives one."""
    if isinstance(value, str) and "://" in value:
        return open_channel(value)
    channel: Channel = _called(value)
    return channel


def _called(value: object) -> Any:
    """What a project's own callable gives."""
    call = _named(value)
    try:
        return call()
    except Exception as error:  # it is not ours, and may raise anything
        limit = f"something that can be called; it raised {type(error).__name__}: {error}"
        raise InvalidValue("setting", value, limit) from error


def _sockets(value: object) -> SocketLimits | None:
    if value is None or value is False:
        return None
    return SocketLimits(**_given(value, SocketLimits, lambda given: given))


def _setting(read: Callable[[object], object], default: object = None) -> Any:
    return attrs.field(default=default, metadata={"read": read})


_PLAIN_RETENTION: Final = Retention()
_PLAIN_PARTITIONING: Final = Partitioning()
_PLAIN_LIMITS: Final = Limits()
_PLAIN_SOCKETS: Final = SocketLimits()


@attrs.frozen(kw_only=True)
class DjangoSettings:
    """What a project may set, under these names in capitals."""

    tenant: str = _setting(_tenant, DEFAULT_TENANT)
    """Whose data the project works with where nobody says otherwise."""
    database: str | None = _setting(_database)
    """Which of DATABASES holds the tables; by default whichever the routers name."""
    default_time_zone: str = _setting(_zone, "UTC")
    """IANA time zone of devices without a site; by default TIME_ZONE."""
    seed: int = _setting(_whole, 0)
    """Of the noise of simulated devices, for tenants that are new to the database."""
    clock: Clock | None = _setting(_clock)
    """Dotted path of a callable that gives a clock; by default the wall's."""
    archive: str | None = _setting(_archive)
    """Where old readings go: a folder or s3://bucket/prefix; nowhere unless it is set."""
    retention: Retention = _setting(_retention, _PLAIN_RETENTION)
    """How long each resolution is kept: RAW, QUARTER_HOUR, DAY and MONTH in days, None for ever."""
    max_buckets: int = _setting(_count, MAX_BUCKETS)
    """Most buckets of one history."""
    partitioning: Partitioning = _setting(_partitioning, _PLAIN_PARTITIONING)
    """How PostgreSQL's partitions of readings are made: HASH_PARTS and BRIN."""
    graphiql: bool = _setting(_flag, False)
    """Whether GraphiQL is served; by default where DEBUG is on."""
    limits: Limits = _setting(_limits, _PLAIN_LIMITS)
    """What a GraphQL request may ask for; None switches a limit off."""
    trusted_documents: TrustedDocuments | None = _setting(_manifest)
    """Path of a manifest of documents that clients may name by their sha256."""
    only_trusted: bool = _setting(_flag, False)
    """Whether documents that are not in the manifest are refused."""
    tenant_of: Callable[[Any], str] | None = _setting(_named)
    """Called with each GraphQL request; names its tenant, or raises PermissionDenied to refuse it.
    By default every request is of TENANT."""
    authorize: Callable[[Any], None] | None = _setting(_named)
    """Called with each GraphQL request; raises PermissionDenied to refuse it."""
    channel: Channel | None = _setting(_channel)
    """Where subscriptions learn of changes: redis://host:6379/0 between processes, or the dotted
    path of a callable that gives a channel; by default within this process."""
    sockets: SocketLimits | None = _setting(_sockets, _PLAIN_SOCKETS)
    """Limits of graphql-transport-ws, such as MAX_SOCKETS and ALLOWED_ORIGINS, None for no limit;
    False serves no sockets."""


@attrs.frozen
class Problem:
    """A key that cannot be meant."""

    key: str
    message: str
    hint: str | None = None
    is_unknown: bool = False


@cache
def current() -> DjangoSettings:
    """The settings in force.

    Raises:
        ImproperlyConfigured: one of them cannot be meant.
    """
    values, found = _read()
    if found:
        told = (f"{SETTING}: {one.message}. {one.hint or ''}".strip() for one in found)
        raise ImproperlyConfigured(" ".join(told))
    return DjangoSettings(**values)


def problems() -> list[Problem]:
    """What is wrong with the settings."""
    return _read()[1]


def _read() -> tuple[dict[str, Any], list[Problem]]:
    given = getattr(project, SETTING, {})
    fields = {field.name.upper(): field for field in attrs.fields(DjangoSettings)}
    if not isinstance(given, Mapping):
        return {}, [Problem(SETTING, f"{SETTING} is a dict, not {given!r}")]
    values: dict[str, Any] = {"default_time_zone": project.TIME_ZONE, "graphiql": project.DEBUG}
    found: list[Problem] = []
    for key, value in given.items():
        if key not in fields:
            found.append(_unknown(key, list(fields)))
            continue
        field = fields[key]
        if value is None and field.default is None:
            continue
        try:
            values[field.name] = field.metadata["read"](value)
        except (EnergycoreError, ImportError, OverflowError, TypeError) as error:
            found.append(Problem(key, f"{key} = {value!r} cannot be used: {_said(value, error)}"))
    return values, found


def _unknown(key: object, known: list[str]) -> Problem:
    close = get_close_matches(str(key).upper(), known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(known)}."
    return Problem(str(key), f"there is no key {key!r}", hint, is_unknown=True)


def _said(value: object, error: Exception) -> str:
    if not isinstance(error, InvalidValue):
        return str(error)
    of_key = isinstance(value, Mapping) and error.field != "setting"
    return f"{error.field.upper() if of_key else 'it'} must be {error.limit}"
