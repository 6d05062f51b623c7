"""The settings of an application, read from the environment by pydantic-settings."""

import json
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, Self

import attrs
from fastapi import FastAPI
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ModelWrapValidatorHandler,
    PlainSerializer,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from energycore import Retention
from energycore.channels import check_channel_url
from energycore.errors import EnergycoreError, InvalidSettings, InvalidValue
from energycore.graphql import Limits, TrustedDocuments, build_engine
from energycore.graphql.live import SocketLimits
from energycore.protocols.clock import Clock
from energycore.protocols.scope import DEFAULT_TENANT, Scope
from energycore.quantities.zones import load_zone
from energycore.wiring.connect import connect
from energycore.wiring.energy import Energy
from energycore.wiring.options import MAX_BUCKETS, check_url, partitioning_of
from energycore_fastapi.app import create_app
from energycore_fastapi.application import Lifespan
from energycore_fastapi.ticking import ticking

__all__ = ["EnergycoreSettings"]

_UNKNOWN: Final = "extra_forbidden"
_NEARLY: Final = 0.8
"""How alike the names of a setting and of a misspelt one are at least, from 0 to 1."""


def _url(value: SecretStr) -> SecretStr:
    check_url(value.get_secret_value())
    return value


def _tenant(value: str) -> str:
    return Scope(value).tenant


def _zone(value: str) -> str:
    load_zone(value, "setting")
    return value


def _days(value: object) -> timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    limit = "a number of days, or null for ever"
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue("setting", value, limit)
    try:
        return timedelta(days=value)
    except OverflowError:
        raise InvalidValue("setting", value, limit) from None


def _retention(value: object) -> object:
    if isinstance(value, Retention):
        return value
    given = _object(value, [field.name for field in attrs.fields(Retention)])
    return Retention(**{name: _days(kept) for name, kept in given.items()})


def _partitioning(value: object) -> object:
    if not isinstance(value, str | dict):
        return value
    try:
        return partitioning_of(**_object(value, ["hash_parts", "brin"]))
    except TypeError:
        limit = 'JSON such as {"hash_parts": 4, "brin": true}'
        raise InvalidValue("setting", value, limit) from None


def _limits(value: object) -> object:
    return value if isinstance(value, Limits) else _of_fields(Limits, value)


def _sockets(value: object) -> object:
    if value is None or isinstance(value, SocketLimits):
        return value
    if value is False or value in ("false", "False", "0", "off", "no"):
        return None
    return _of_fields(SocketLimits, value)


def _of_fields(kind: type[Any], value: object) -> Any:
    return kind(**_object(value, [field.name for field in attrs.fields(kind)]))


def _channel(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        check_channel_url(value.get_secret_value())
    return value


def _object(value: object, names: list[str]) -> dict[str, Any]:
    """An object with some of these keys, in any case; as such, or as the text of a variable."""
    read = value
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except ValueError:
            read = None
    if isinstance(read, dict):
        given = {str(name).lower(): part for name, part in read.items()}
        if set(given) <= set(names):
            return given
    raise InvalidValue("setting", value, f"JSON with any of the keys {', '.join(names)}")


def _plain(value: attrs.AttrsInstance | None) -> dict[str, Any] | None:
    """What gives the value back when it is read."""
    if value is None:
        return None
    return {name: _plain_part(part) for name, part in attrs.asdict(value).items()}


def _plain_part(part: object) -> object:
    if isinstance(part, frozenset):
        return sorted(part)
    return getattr(part, "days", part)


_AS_JSON: Final = PlainSerializer(_plain, when_used="json")


class EnergycoreSettings(BaseSettings):
    """What an application is told: each field is read from a variable of the environment.

    The variable of `default_time_zone` is `ENERGYCORE_DEFAULT_TIME_ZONE`. A class of your own may
    have another prefix, a file beside the environment, and more fields:
    `model_config = SettingsConfigDict(env_prefix="MY_", env_file=".env")`. An empty variable counts
    as none.

    Raises:
        InvalidSettings: a value cannot be used, or there is no such setting. A variable with the
            prefix that is nearly a setting is refused too: it was probably misspelt.
    """

    model_config = SettingsConfigDict(
        env_prefix="ENERGYCORE_",
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
        arbitrary_types_allowed=True,
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: Annotated[SecretStr, AfterValidator(_url)] = SecretStr("sqlite:///energycore.db")
    """Which database; shown nowhere, for it may hold a password."""
    tenant: Annotated[str, AfterValidator(_tenant)] = DEFAULT_TENANT
    """Whose data the application works with where nobody says otherwise."""
    default_time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """IANA time zone of devices without a site."""
    seed: int = 0
    """Of the noise of simulated devices, for tenants that are new to the database."""
    archive: str | None = None
    """Where old readings go: a folder or s3://bucket/prefix; nowhere unless it is set."""
    retention: Annotated[Retention, BeforeValidator(_retention), _AS_JSON] = Retention()
    """How long each resolution is kept: raw, quarter_hour, day and month in days, null for ever."""
    max_buckets: PositiveInt = MAX_BUCKETS
    """Most buckets of one history."""
    partitioning: Annotated[Any, BeforeValidator(_partitioning), _AS_JSON] = None
    """How PostgreSQL's partitions of readings are made: hash_parts and brin."""
    graphiql: bool = False
    """Whether GraphiQL is served."""
    limits: Annotated[Limits, BeforeValidator(_limits), _AS_JSON] = Limits()
    """What a GraphQL request may ask for, such as max_cost; null switches a limit off."""
    trusted_documents: Path | None = None
    """A manifest of documents that clients may name by their sha256."""
    only_trusted: bool = False
    """Whether documents that are not in the manifest are refused."""
    channel: Annotated[SecretStr | None, AfterValidator(_channel)] = None
    """Where subscriptions learn of changes: redis://host:6379/0 between processes; by default
    within this process."""
    sockets: Annotated[SocketLimits | None, BeforeValidator(_sockets), _AS_JSON] = SocketLimits()
    """Limits of graphql-transport-ws, such as max_sockets; false serves no sockets."""
    max_threads: PositiveInt = 8
    """Most GraphQL requests that are answered at one time; further ones wait."""
    ticks: bool = True
    """Whether ticks and roll-ups run beside the requests."""

    def connect(self, *, clock: Clock | None = None) -> Energy:
        """Open the database, as `energycore.connect` does.

        Args:
            clock: where every "now" comes from; by default the wall's.

        Raises:
            StorageUnavailable, SchemaOutdated, MissingExtra: see `energycore.connect`.
        """
        return connect(
            self.database_url.get_secret_value(),
            tenant=self.tenant,
            clock=clock,
            default_zone=self.default_time_zone,
            seed=self.seed,
            archive=self.archive,
            retention=self.retention,
            max_buckets=self.max_buckets,
            partitioning=self.partitioning,
            channel=None if self.channel is None else self.channel.get_secret_value(),
        )

    def create_app(
        self,
        energy: Energy,
        *,
        scope_of: Callable[..., Scope | Awaitable[Scope]] | None = None,
        lifespan: Lifespan | None = None,
    ) -> FastAPI:
        """Make the application of `create_app`, as the settings say.

        Args:
            energy: the database.
            scope_of: a FastAPI dependency that tells the tenant of a request.
            lifespan: entered before the first request and left after the last one.

        Raises:
            InvalidValue: the manifest of trusted documents cannot be read.
        """
        return create_app(
            energy,
            engine=build_engine(limits=self.limits, trusted=self._trusted()),
            scope_of=scope_of,
            graphiql=self.graphiql,
            max_threads=self.max_threads,
            lifespan=lifespan,
            sockets=self.sockets,
        )

    def _trusted(self) -> TrustedDocuments:
        path = self.trusted_documents
        found = TrustedDocuments() if path is None else TrustedDocuments.load(path)
        return attrs.evolve(found, enforce=self.only_trusted)

    def ticking(
        self, energy: Energy, *, tenants: Callable[[], Iterable[str]] | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Tick beside the requests, unless `ticks` is off; see `ticking`.

        Args:
            energy: the database.
            tenants: whose devices, asked before each round; by default those of `energy`.
        """
        return ticking(energy, tenants=tenants) if self.ticks else nullcontext()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources of pydantic-settings, and variables that are nearly a setting."""
        given = init_settings, env_settings, dotenv_settings, file_secret_settings
        return *given, _Misspelt(settings_cls, env_settings)

    @model_validator(mode="wrap")
    @classmethod
    def _readable(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            problems = [_problem(cls, detail) for detail in error.errors(include_url=False)]
        # Outside of the block: what pydantic says would show what was given, such as passwords.
        raise InvalidSettings("; ".join(problems))


class _Misspelt(PydanticBaseSettingsSource):
    """Variables of the environment that are nearly a setting, which pydantic would pass over."""

    def __init__(self, settings_cls: type[BaseSettings], env: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._env = env

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing: there are no fields of these names."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The unknown keys, which are then refused."""
        if not isinstance(self._env, EnvSettingsSource) or not self._env.env_prefix:
            return {}
        prefix, fields = self._env.env_prefix.lower(), self.settings_cls.model_fields
        names = (key.lower() for key in self._env.env_vars)
        given = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
        return {
            name: None
            for name in sorted(given - fields.keys())
            if get_close_matches(name, fields, n=1, cutoff=_NEARLY)
        }


def _problem(settings: type[BaseSettings], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    prefix = settings.model_config.get("env_prefix", "").upper()
    key = f"{prefix}{name.upper()}"
    if detail["type"] == _UNKNOWN:
        close = get_close_matches(name.lower(), settings.model_fields, n=1)
        meant = [f"{prefix}{field.upper()}" for field in close or settings.model_fields]
        hint = f"did you mean {meant[0]}?" if close else f"there are {', '.join(meant)}"
        return f"there is no setting {key}: {hint}"
    return f"{key} cannot be used: {_said(detail)}"


def _said(detail: ErrorDetails) -> str:
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, InvalidValue):
        return str(type(error)("it", error.value, error.limit))
    if isinstance(error, EnergycoreError):
        return error.message
    return detail["msg"][0].lower() + detail["msg"][1:]
