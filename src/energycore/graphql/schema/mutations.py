"""The fields of Mutation: each calls one service and answers refusals as user errors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
)

from energycore.devices.base import DataSource
from energycore.devices.fields import every_fault
from energycore.devices.site import Site
from energycore.devices.storage_device import StorageState
from energycore.encoding import decode_dispatch
from energycore.errors import InvalidValue, VersionConflict
from energycore.graphql import json_text
from energycore.graphql.costs import FieldCost, charged
from energycore.graphql.schema.charges import CHANGE, RECORD
from energycore.graphql.schema.context import Info, Operation
from energycore.graphql.schema.ids import IdKind, number_of
from energycore.graphql.schema.inputs import Inputs
from energycore.graphql.schema.names import camel
from energycore.graphql.schema.nodes import DeviceBatch, DeviceNode, SiteBatch
from energycore.graphql.schema.outputs import Outputs
from energycore.graphql.schema.payloads import (
    Payload,
    device_payload_type,
    record_payload_type,
    site_payload_type,
)
from energycore.graphql.schema.recording import record_readings
from energycore.graphql.schema.refusals import EXPECTED, Place, Places, refusal
from energycore.graphql.schema.resolving import Resolver
from energycore.graphql.schema.specs import Specs
from energycore.protocols.records import DeviceRecord, SiteRecord
from energycore.services.given import check_external_id, clean_tags
from energycore.services.registration import KEEP
from energycore.telemetry.series import GapPolicy

__all__ = ["mutation_type"]

Given = Mapping[str, Any]

_SOME_NAME: Final = "ratings"
_SITE_FIELDS: Final[Places] = {
    "name": ("name",),
    "time_zone": ("timeZone",),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
}
_SITE_PLACES: Final[Places] = {
    **_SITE_FIELDS,
    "site": ("id",),
    "external_id": ("externalId",),
}
_COMMAND_PLACES: Final[Places] = {
    "device": ("id",),
    "DEVICE_IS_NOT_STORAGE": ("id",),
    "DEVICE_IS_REPORTED": ("id",),
    "DEVICE_IS_INACTIVE": ("id",),
    "mode": ("mode",),
    "power_w": ("powerW",),
    "dispatch": ("strategy",),
    "parametersJson": ("parametersJson",),
}


def mutation_type(
    outputs: Outputs, inputs: Inputs, user_error: GraphQLObjectType, specs: Specs
) -> GraphQLObjectType:
    """The type Mutation of a schema."""
    site = site_payload_type(outputs.site, user_error)
    device = device_payload_type(outputs.device, user_error)
    record = record_payload_type(user_error)
    return GraphQLObjectType(
        "Mutation",
        {
            "registerSite": _field(
                site,
                inputs.register_site,
                _register_site,
                "Registers a site; one that is known by its externalId is returned as it is.",
            ),
            "updateSite": _field(site, inputs.update_site, _update_site, "Changes a site."),
            "registerDevice": _field(
                device,
                inputs.register_device,
                _register_device(specs),
                "Registers a device; one that is known by its externalId is returned as it is.",
            ),
            "updateDevice": _field(
                device, inputs.update_device, _update_device(specs), "Changes a device."
            ),
            "deactivateDevice": _field(
                device,
                inputs.device_id,
                _deactivate,
                "Takes a device out of ticks, totals and readings; its history stays.",
            ),
            "reactivateDevice": _field(
                device, inputs.device_id, _reactivate, "Puts a device back into service."
            ),
            "setStorageMode": _field(
                device,
                inputs.set_storage_mode,
                _set_mode,
                "Tells a simulated storage what to do from the next tick on.",
            ),
            "setDispatch": _field(
                device,
                inputs.set_dispatch,
                _set_dispatch,
                "Chooses what steers a simulated storage from the next tick on.",
            ),
            "recordReadings": _field(
                record,
                inputs.record_readings,
                record_readings,
                "Stores what reported devices did.",
                cost=RECORD,
            ),
        },
        description="What can be changed. What is refused is told in userErrors; the fields of one "
        "request are run in their order, and none undoes another.",
    )


def _field(
    payload: GraphQLObjectType,
    input_: GraphQLInputObjectType,
    resolve: Callable[[Operation, Given], object],
    description: str,
    *,
    cost: FieldCost = CHANGE,
) -> GraphQLField:
    def resolver(_root: object, info: Info, given: Given) -> object:
        info.context.deadline.check()
        # Each payload shows things as they are after its own change.
        info.context.end_reading()
        return resolve(info.context, given)

    answer: Resolver = resolver
    argument = GraphQLArgument(
        GraphQLNonNull(input_), out_name="given", description="All that the change needs."
    )
    return charged(
        GraphQLField(GraphQLNonNull(payload), {"input": argument}, answer, description=description),
        cost,
    )


def _register_site(context: Operation, given: Given) -> Payload:
    fields: dict[str, Any] = {name: given.get(place[0]) for name, place in _SITE_FIELDS.items()}

    def call() -> SiteRecord:
        return context.services.registration.register_site(
            context.scope, Site(**fields), external_id=given.get("externalId")
        )

    faults = [*every_fault(Site, fields), *_faults(check_external_id, given.get("externalId"))]
    return _site_payload(context, given, call, faults)


def _update_site(context: Operation, given: Given) -> Payload:
    def call() -> SiteRecord:
        return context.services.registration.update_site(
            context.scope,
            number_of(IdKind.SITE, given["id"]),
            name=given.get("name"),
            time_zone=given.get("timeZone"),
            latitude=given.get("latitude", KEEP),
            longitude=given.get("longitude", KEEP),
        )

    return _site_payload(context, given, call, _nulls(given, name="name", time_zone="timeZone"))


def _register_device(specs: Specs) -> Callable[[Operation, Given], Payload]:
    def resolve(context: Operation, given: Given) -> Payload:
        spec = specs.read(given["spec"])

        def call() -> DeviceRecord:
            site = given.get("siteId")
            stored_wh = spec.stored_wh
            return context.services.registration.register_device(
                context.scope,
                spec.device(given["name"]),
                site_id=None if site is None else number_of(IdKind.SITE, site),
                tags=given.get("tags") or (),
                external_id=given.get("externalId"),
                data_source=given.get("dataSource") or DataSource.SIMULATED,
                max_gap=_seconds(given.get("maxGapSeconds")),
                gap_policy=given.get("gapPolicy") or GapPolicy.HOLD,
                initial=None if stored_wh is None else StorageState(stored_wh=stored_wh),
            )

        faults = [
            *spec.faults(given["name"]),
            *_faults(clean_tags, given.get("tags") or ()),
            *_faults(check_external_id, given.get("externalId")),
        ]
        return _device_payload(context, given, _device_places(spec.places), call, faults)

    return resolve


def _update_device(specs: Specs) -> Callable[[Operation, Given], Payload]:
    def resolve(context: Operation, given: Given) -> Payload:
        spec = specs.read(given["spec"]) if given.get("spec") else None

        def call() -> DeviceRecord:
            site = given.get("siteId", KEEP)
            return context.services.registration.update_device(
                context.scope,
                number_of(IdKind.DEVICE, given["id"]),
                expected_version=given.get("expectedVersion"),
                name=given.get("name"),
                site_id=number_of(IdKind.SITE, site) if isinstance(site, str) else site,
                tags=given.get("tags", KEEP),
                # A device cannot do without a name; the service keeps the stored one.
                device=None if spec is None else spec.device(_SOME_NAME),
                stored_wh=None if spec is None else spec.stored_wh,
                max_gap=_seconds(given.get("maxGapSeconds")),
                gap_policy=given.get("gapPolicy"),
            )

        places = {**_device_places({} if spec is None else spec.places), "device": ("id",)}
        faults = [
            *_nulls(
                given, name="name", spec="spec", max_gap="maxGapSeconds", gap_policy="gapPolicy"
            ),
            *(() if spec is None else spec.faults(given.get("name") or _SOME_NAME)),
            *_faults(clean_tags, given.get("tags") or ()),
        ]
        return _device_payload(context, given, places, call, faults)

    return resolve


def _deactivate(context: Operation, given: Given) -> Payload:
    return _command(context, given, context.services.registration.deactivate)


def _reactivate(context: Operation, given: Given) -> Payload:
    return _command(context, given, context.services.registration.reactivate)


def _set_mode(context: Operation, given: Given) -> Payload:
    set_mode = context.services.control.set_mode
    return _command(context, given, set_mode, given["mode"], given.get("powerW"))


def _command(
    context: Operation, given: Given, service: Callable[..., DeviceRecord], *parts: object
) -> Payload:
    number = number_of(IdKind.DEVICE, given["id"])
    return _device_payload(
        context, given, _COMMAND_PLACES, lambda: service(context.scope, number, *parts)
    )


def _set_dispatch(context: Operation, given: Given) -> Payload:
    def call() -> DeviceRecord:
        dispatch = decode_dispatch(given["strategy"], _parameters(given.get("parametersJson")))
        number = number_of(IdKind.DEVICE, given["id"])
        return context.services.control.set_dispatch(context.scope, number, dispatch)

    # What is in no place of its own is a parameter of the strategy.
    return _device_payload(context, given, _COMMAND_PLACES, call, otherwise=("parametersJson",))


def _parameters(text: str | None) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        parameters = json_text.decode(text.encode("utf-8"))
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise InvalidValue("parametersJson", text, "a JSON object")
    return parameters


def _site_payload(
    context: Operation,
    given: Given,
    call: Callable[[], SiteRecord],
    faults: Sequence[InvalidValue] = (),
) -> Payload:
    if faults:
        return _refused(faults, given, _SITE_PLACES)
    try:
        record = call()
    except EXPECTED as error:
        return Payload(user_errors=(refusal(error, given, _SITE_PLACES),))
    return Payload(site=SiteBatch(context, [record]).node(record))


def _device_payload(
    context: Operation,
    given: Given,
    places: Places,
    call: Callable[[], DeviceRecord],
    faults: Sequence[InvalidValue] = (),
    otherwise: Place = (),
) -> Payload:
    if faults:
        return _refused(faults, given, places)
    try:
        record = call()
    except EXPECTED as error:
        current = error.current if isinstance(error, VersionConflict) else None
        return Payload(
            device=_node(context, current) if isinstance(current, DeviceRecord) else None,
            user_errors=(refusal(error, given, places, otherwise),),
        )
    return Payload(device=_node(context, record))


def _refused(faults: Iterable[InvalidValue], given: Given, places: Places) -> Payload:
    return Payload(user_errors=tuple(refusal(fault, given, places) for fault in faults))


def _faults(check: Callable[[Any], object], value: object) -> tuple[InvalidValue, ...]:
    """What a check has against a value; the service makes it again, and stops at the first."""
    try:
        check(value)
    except InvalidValue as fault:
        return (fault,)
    return ()


def _node(context: Operation, record: DeviceRecord) -> DeviceNode:
    return DeviceBatch(context, [record]).node(record)


def _device_places(spec: Places) -> Places:
    names = ("name", "tags", "external_id", "data_source", "spec")
    return {
        **{name: (camel(name),) for name in names},
        "site": ("siteId",),
        "max_gap": ("maxGapSeconds",),
        "gap_policy": ("gapPolicy",),
        "NAME_TAKEN": ("name",),
        "VERSION_CONFLICT": ("expectedVersion",),
        "KIND_CHANGED": ("spec",),
        "CLOCK_IS_SIMULATED": ("dataSource",),
        **spec,
    }


def _seconds(given: int | None) -> timedelta | None:
    return None if given is None else timedelta(seconds=given)


def _nulls(given: Given, **names: str) -> list[InvalidValue]:
    return [
        InvalidValue(attribute, None, "given or absent: it cannot be cleared")
        for attribute, name in names.items()
        if name in given and given[name] is None
    ]
