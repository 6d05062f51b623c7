"""The input types of the schema, those of device kinds made from their classes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
)

from energycore.devices.base import DataSource
from energycore.graphql.schema.connections import page_arguments
from energycore.graphql.schema.enums import Enums, summary_of
from energycore.graphql.schema.ids import IdKind, number_of
from energycore.graphql.schema.kinds import INITIAL_CHARGE, KindShape
from energycore.graphql.schema.names import ABOUT_ZONE
from energycore.protocols.records import DeviceFilter, DeviceOrder
from energycore.protocols.telemetry import ConflictPolicy
from energycore.telemetry.series import GapPolicy

__all__ = [
    "Inputs",
    "device_arguments",
    "filter_argument",
    "make_inputs",
    "parse_filter",
    "parse_order",
]


_TEXT: Final = "1 to 200 printable characters without blanks around them"
_TAGS: Final = "Words to find and group it by, at most 50."
_FROM_NOW_ON: Final = "Reported devices only; holds from now on; cannot be null."


@attrs.frozen(kw_only=True)
class Inputs:
    """The input types of one schema that arguments name."""

    device_filter: GraphQLInputObjectType
    device_order: GraphQLInputObjectType
    register_site: GraphQLInputObjectType
    update_site: GraphQLInputObjectType
    register_device: GraphQLInputObjectType
    update_device: GraphQLInputObjectType
    device_id: GraphQLInputObjectType
    set_storage_mode: GraphQLInputObjectType
    set_dispatch: GraphQLInputObjectType
    record_readings: GraphQLInputObjectType


def parse_filter(given: Mapping[str, Any] | None) -> DeviceFilter:
    """Read a DeviceFilter; a field that is null is not given."""
    if not given:
        return DeviceFilter()
    return DeviceFilter(
        ids=_numbers(IdKind.DEVICE, given.get("ids")),
        kinds=_tuple(given.get("kinds")),
        site_ids=_numbers(IdKind.SITE, given.get("siteIds")),
        tags=_tuple(given.get("tags")),
        name_contains=given.get("nameContains"),
        is_active=given.get("isActive"),
        data_sources=_tuple(given.get("dataSources")),
    )


def parse_order(given: Mapping[str, Any] | None) -> DeviceOrder:
    """Read a DeviceOrder; by registration unless given."""
    if given is None:
        return DeviceOrder()
    return DeviceOrder(field=given["field"], descending=given["direction"])


def filter_argument(inputs: Inputs) -> GraphQLArgument:
    """The argument that chooses devices."""
    return GraphQLArgument(
        inputs.device_filter, out_name="filter_", description="Which devices; all unless given."
    )


def device_arguments(inputs: Inputs) -> dict[str, GraphQLArgument]:
    """The arguments of a list of devices."""
    return {
        "filter": filter_argument(inputs),
        "orderBy": GraphQLArgument(
            inputs.device_order,
            out_name="order_by",
            description="By registration, the first one first, unless given.",
        ),
        **page_arguments(),
    }


def _numbers(kind: IdKind, ids: Sequence[str] | None) -> tuple[int, ...] | None:
    return None if ids is None else tuple(number_of(kind, text) for text in ids)


def _tuple(values: Sequence[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


def make_inputs(shapes: Sequence[KindShape], enums: Enums, date_time: GraphQLScalarType) -> Inputs:
    """Make the input types of a schema with these kinds."""
    spec = _device_spec(shapes)
    return Inputs(
        device_filter=_device_filter(enums),
        device_order=_input(
            "DeviceOrder",
            {
                "field": _given(enums.device_order_field, "What to compare."),
                "direction": GraphQLInputField(
                    GraphQLNonNull(enums.order_direction),
                    default_value=False,
                    description="Which end comes first.",
                ),
            },
            "An order of devices.",
        ),
        register_site=_input(
            "RegisterSiteInput",
            {
                "name": _given(GraphQLString, f"{_TEXT}."),
                "timeZone": _given(GraphQLString, ABOUT_ZONE),
                **_coordinates(),
                "externalId": _maybe(
                    GraphQLString,
                    "The caller's own key, unique within the tenant: registering it twice returns "
                    "the first site.",
                ),
            },
            "A home or building to register.",
        ),
        update_site=_input(
            "UpdateSiteInput",
            {
                "id": _given(GraphQLID, "The site."),
                "name": _maybe(GraphQLString, f"{_TEXT}; cannot be null."),
                "timeZone": _maybe(
                    GraphQLString, f"{ABOUT_ZONE} Holds from now on; cannot be null."
                ),
                **_coordinates(),
            },
            "Absent keeps, null clears (latitude and longitude, together).",
        ),
        register_device=_register_device(enums, spec),
        update_device=_update_device(enums, spec),
        device_id=_input(
            "DeviceIdInput", {"id": _given(GraphQLID, "The device.")}, "Names a device."
        ),
        set_storage_mode=_set_storage_mode(enums),
        set_dispatch=_set_dispatch(),
        record_readings=_record_readings(enums, date_time),
    )


def _device_filter(enums: Enums) -> GraphQLInputObjectType:
    return _input(
        "DeviceFilter",
        {
            "ids": _maybe(
                _list(GraphQLID), "Any of these devices; an ID that nothing has matches nothing."
            ),
            "kinds": _maybe(_list(enums.device_kind), "Devices of any of these kinds."),
            "siteIds": _maybe(
                _list(GraphQLID),
                "Devices of any of these sites; an ID that nothing has matches nothing.",
            ),
            "tags": _maybe(_list(GraphQLString), "Devices that carry any of these tags."),
            "nameContains": _maybe(GraphQLString, "Part of the name; letter case does not matter."),
            "isActive": _maybe(GraphQLBoolean, "Only active devices, or only inactive ones."),
            "dataSources": _maybe(
                _list(enums.data_source), "Devices with any of these data sources."
            ),
        },
        "Every given field must match; one filter serves lists, summaries, histories and "
        "subscriptions. A field that is null is not given; an empty list matches nothing.",
    )


def _device_spec(shapes: Sequence[KindShape]) -> GraphQLInputObjectType:
    return GraphQLInputObjectType(
        "DeviceSpecInput",
        {
            shape.spec_field: GraphQLInputField(
                _kind_input(shape), description=summary_of(shape.kind)
            )
            for shape in shapes
        },
        description="Exactly one kind.",
        is_one_of=True,
    )


def _kind_input(shape: KindShape) -> GraphQLInputObjectType:
    fields = {
        rating.name: GraphQLInputField(
            GraphQLNonNull(rating.scalar) if rating.is_required else rating.scalar,
            description=rating.input_description,
        )
        for rating in shape.ratings
    }
    if shape.is_storage:
        fields[INITIAL_CHARGE] = _maybe(
            GraphQLFloat,
            "Energy inside [watt-hours], of a simulated device. Default: half of the capacity when "
            "it is registered, what is there when it is updated.",
        )
    return _input(f"{shape.type_name}Input", fields, summary_of(shape.kind))


def _register_device(enums: Enums, spec: GraphQLInputObjectType) -> GraphQLInputObjectType:
    return _input(
        "RegisterDeviceInput",
        {
            "name": _given(GraphQLString, f"{_TEXT}, unique within its site."),
            "siteId": _maybe(GraphQLID, "Where it stands."),
            "tags": _maybe(_list(GraphQLString), _TAGS),
            "externalId": _maybe(
                GraphQLString,
                "The caller's own key, unique within the tenant: registering it twice returns the "
                "first device.",
            ),
            "dataSource": GraphQLInputField(
                enums.data_source,
                default_value=DataSource.SIMULATED,
                description="Whether ticks or readings say what it does; never changes.",
            ),
            "maxGapSeconds": _maybe(
                GraphQLInt,
                "Reported devices only: how long one reading's power holds [seconds], default 300.",
            ),
            "gapPolicy": GraphQLInputField(
                enums.gap_policy,
                default_value=GapPolicy.HOLD,
                description="Of reported devices; simulated ones hold.",
            ),
            "spec": _given(spec, "Its kind and ratings."),
        },
        "A device to register.",
    )


def _update_device(enums: Enums, spec: GraphQLInputObjectType) -> GraphQLInputObjectType:
    return _input(
        "UpdateDeviceInput",
        {
            "id": _given(GraphQLID, "The device."),
            "expectedVersion": _maybe(
                GraphQLInt,
                "The version that the change is based on: VERSION_CONFLICT if it is another one by "
                "now. Without it the last change wins.",
            ),
            "name": _maybe(GraphQLString, f"{_TEXT}, unique within its site; cannot be null."),
            "siteId": _maybe(GraphQLID, "Where it stands from now on; null for nowhere."),
            "tags": _maybe(_list(GraphQLString), f"{_TAGS} They replace all that it has."),
            "maxGapSeconds": _maybe(
                GraphQLInt, "How long one reading's power holds [seconds]. " + _FROM_NOW_ON
            ),
            "gapPolicy": _maybe(
                enums.gap_policy, "What is known between two readings. " + _FROM_NOW_ON
            ),
            "spec": _maybe(spec, "New ratings, all of them; the kind stays as it is."),
        },
        "Absent keeps, null clears (siteId, tags); spec replaces all ratings, cannot change the "
        "kind, and keeps the stored energy unless storedWh is given.",
    )


def _set_storage_mode(enums: Enums) -> GraphQLInputObjectType:
    return _input(
        "SetStorageModeInput",
        {
            "id": _given(GraphQLID, "The storage."),
            "mode": _given(enums.storage_mode, "What to do until a bound ends it."),
            "powerW": _maybe(
                GraphQLFloat,
                "With what power [watts], a magnitude of at least 0.001; the device's limit unless "
                "given.",
            ),
        },
        "Sets dispatch to manual. powerW is a magnitude above 0, by default and at most the "
        "device's limit; refused with IDLE.",
    )


def _set_dispatch() -> GraphQLInputObjectType:
    return _input(
        "SetDispatchInput",
        {
            "id": _given(GraphQLID, "The storage."),
            "strategy": _given(
                GraphQLString, "The strategy that steers it: manual, self_consumption, ..."
            ),
            "parametersJson": _maybe(
                GraphQLString,
                "The strategy's typed parameters as a JSON object; its defaults unless given.",
            ),
        },
        "Chooses the strategy that steers a storage from the next tick on.",
    )


def _record_readings(enums: Enums, date_time: GraphQLScalarType) -> GraphQLInputObjectType:
    reading = _input(
        "ReadingInput",
        {
            "deviceId": _given(GraphQLID, "The device, one that is REPORTED."),
            "at": _given(date_time, "From when on the power holds; kept to the millisecond."),
            "powerW": _given(
                GraphQLFloat,
                "Holds from this instant on [watts]: positive produces, negative consumes.",
            ),
            "storedWh": _maybe(
                GraphQLFloat, "Energy inside at this instant [watt-hours]; of storages only."
            ),
        },
        "What a device did from an instant on.",
    )
    return _input(
        "RecordReadingsInput",
        {
            "readings": _given(
                _list(reading),
                "As many as the body of a request may hold; each is stored or rejected by itself.",
            ),
            "onConflict": GraphQLInputField(
                enums.conflict_policy,
                default_value=ConflictPolicy.REJECT,
                description="What happens where an instant is taken by other values.",
            ),
        },
        "Readings to record. Recording them again changes nothing.",
    )


def _coordinates() -> dict[str, GraphQLInputField]:
    return {
        "latitude": _maybe(GraphQLFloat, "Degrees, + north; with longitude or not at all."),
        "longitude": _maybe(GraphQLFloat, "Degrees, + east."),
    }


def _input(
    name: str, fields: Mapping[str, GraphQLInputField], description: str | None = None
) -> GraphQLInputObjectType:
    return GraphQLInputObjectType(name, dict(fields), description=description)


def _given(type_: Any, description: str | None = None) -> GraphQLInputField:
    return GraphQLInputField(GraphQLNonNull(type_), description=description)


def _maybe(type_: GraphQLInputType, description: str | None = None) -> GraphQLInputField:
    return GraphQLInputField(type_, description=description)


def _list(item: Any) -> GraphQLList[Any]:
    return GraphQLList(GraphQLNonNull(item))
