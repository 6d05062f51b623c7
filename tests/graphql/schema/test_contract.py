"""The schema keeps its promises, whatever kinds are installed."""

from typing import ClassVar

import attrs
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLInputObjectType,
    GraphQLObjectType,
    assert_valid_schema,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)
from graphql import (
    build_schema as parse_sdl,
)
from graphql.utilities import find_breaking_changes

from energycore.devices.base import DataSource, Device, Role, StorageMode
from energycore.devices.fields import about, number, power
from energycore.devices.kinds.battery import Battery
from energycore.devices.kinds.solar_panel import SolarPanel
from energycore.errors import DeviceKindConflict
from energycore.graphql import build_schema, sdl
from energycore.protocols.groups import SummaryGroup
from energycore.protocols.records import DeviceOrderField
from energycore.protocols.telemetry import ConflictPolicy
from energycore.quantities.units import Watts
from energycore.simulation.behaviour import Behaviour
from energycore.simulation.solar import SolarDay
from energycore.telemetry.calendar import Interval
from energycore.telemetry.series import GapPolicy
from tests.support import contract

CONTRACT = contract.CONTRACT.read_text(encoding="utf-8")


@attrs.frozen(kw_only=True)
class PoolPump(Device):
    """A pump that runs all day."""

    kind: ClassVar[str] = "pool_pump"
    role: ClassVar[Role] = Role.LOAD
    behaviour: ClassVar[Behaviour] = SolarDay()

    motor_power_w: Watts = attrs.field(
        converter=number, validator=power, metadata=about("Power of the motor.")
    )
    speeds: int = attrs.field(default=2, metadata=about("How many speeds it has."))
    is_heated: bool = False

    @property
    def largest_power_w(self) -> float:
        return self.motor_power_w


@pytest.fixture(scope="module")
def shipped():
    return build_schema()


def fields(schema, name):
    type_ = schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType | GraphQLInputObjectType)
    return type_.fields


def test_nothing_that_was_promised_is_renamed_or_removed(shipped):
    changes = [change.description for change in find_breaking_changes(parse_sdl(CONTRACT), shipped)]
    assert changes == []


@pytest.mark.parametrize(
    "promise", ["type Site ", "input DeviceFilter ", "enum DeviceKind ", "type Query "]
)
def test_a_promise_that_is_not_kept_would_be_found(shipped, promise):
    more = "MORE " if promise.startswith("enum") else "more: Int "
    wider = f"{CONTRACT}\nextend {promise}{{ {more}}}"
    assert find_breaking_changes(parse_sdl(wider), shipped)


def test_exactly_one_kind_can_be_given(shipped):
    spec = shipped.type_map["DeviceSpecInput"]
    assert isinstance(spec, GraphQLInputObjectType)
    assert spec.is_one_of


def test_the_printed_schema_is_the_schema_and_always_the_same(shipped):
    printed = sdl()
    assert printed == sdl()
    assert find_breaking_changes(shipped, parse_sdl(printed)) == []
    assert find_breaking_changes(parse_sdl(printed), shipped) == []


def test_each_rating_says_its_meaning_unit_and_default(shipped):
    assert fields(shipped, "Battery")["capacityWh"].description == "Energy that fits [watt-hours]."
    assert fields(shipped, "ApplianceInput")["dutyCycle"].description == (
        "Share of the time that it runs [fraction, 0 to 1]. Default: 0.4."
    )


UNITS = {
    "W": "[watts",
    "Wh": "[watt-hours",
    "Seconds": "[seconds",
    "S": "[seconds",
    "StateOfCharge": "0 to 1",
    "stateOfCharge": "0 to 1",
    "coverage": "0 to 1",
    "Efficiency": "0 to 1",
    "Cycle": "0 to 1",
    "itude": "Degrees",
}


def described(schema):
    """Everything in a schema that has a name: its path, its type if it has one, what it says."""
    for type_ in schema.type_map.values():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        yield type_.name, None, type_.description
        for name, value in getattr(type_, "values", {}).items():
            yield f"{type_.name}.{name}", None, value.description
        for name, field in getattr(type_, "fields", {}).items():
            yield f"{type_.name}.{name}", get_named_type(field.type), field.description
            for argument, arg in getattr(field, "args", {}).items():
                path = f"{type_.name}.{name}({argument}:)"
                yield path, get_named_type(arg.type), arg.description


def test_everything_with_a_name_says_what_it_is(shipped):
    plugin = build_schema({"pool_pump": PoolPump, "battery": Battery})
    for schema in (shipped, plugin):
        for path, _, text in described(schema):
            assert text, f"{path} has no description"
            assert text == text.strip(), path
            assert text.endswith("."), f"{path}: {text}"
            assert len(text) <= 260, f"{path} says too much: {text}"


def test_every_number_says_its_unit(shipped):
    numbers = 0
    for path, type_, text in described(shipped):
        if type_ is not GraphQLFloat:
            continue
        name = path.partition(".")[2].rstrip(":)").rpartition("(")[2]
        units = [unit for end, unit in UNITS.items() if name.endswith(end)]
        assert units, f"{path} is a number whose name has no unit"
        assert any(unit in text for unit in units), f"{path} does not say {units}: {text}"
        numbers += 1
    assert numbers > 60


def test_an_enumeration_has_every_member(shipped):
    for name, enum in (
        ("StorageMode", StorageMode),
        ("DataSource", DataSource),
        ("GapPolicy", GapPolicy),
        ("ConflictPolicy", ConflictPolicy),
        ("Interval", Interval),
        ("DeviceOrderField", DeviceOrderField),
        ("SummaryGroup", SummaryGroup),
    ):
        type_ = shipped.type_map[name]
        assert isinstance(type_, GraphQLEnumType)
        assert {value: shown.value for value, shown in type_.values.items()} == dict(
            enum.__members__
        )


def test_a_kind_appears_by_itself():
    schema = build_schema({"pool_pump": PoolPump, "battery": Battery})
    assert_valid_schema(schema)
    kinds = schema.type_map["DeviceKind"]
    assert isinstance(kinds, GraphQLEnumType)
    assert list(kinds.values) == ["POOL_PUMP", "BATTERY"]
    given = fields(schema, "PoolPumpInput")
    shown = {name: str(field.type) for name, field in given.items()}
    assert shown == {"motorPowerW": "Float!", "speeds": "Int", "isHeated": "Boolean"}
    assert given["speeds"].description == "How many speeds it has. Default: 2."
    assert given["isHeated"].description == "Is heated. Default: false."
    assert str(fields(schema, "DeviceSpecInput")["poolPump"].type) == "PoolPumpInput"
    pump = schema.type_map["PoolPump"]
    assert isinstance(pump, GraphQLObjectType)
    assert [interface.name for interface in pump.interfaces] == ["Node", "Device"]
    assert str(pump.fields["isHeated"].type) == "Boolean!"
    assert "SolarPanel" not in schema.type_map


def test_schemas_of_different_kinds_do_not_disturb_each_other(shipped):
    build_schema({"pool_pump": PoolPump})
    assert "PoolPump" not in build_schema().type_map
    assert "SolarPanel" in shipped.type_map


def test_two_kinds_with_classes_of_one_name_are_refused():
    @attrs.frozen(kw_only=True)
    class Battery(PoolPump):
        kind: ClassVar[str] = "other_battery"

    from energycore.devices.kinds import battery

    with pytest.raises(DeviceKindConflict, match="both have a class Battery"):
        build_schema({"battery": battery.Battery, "other_battery": Battery})


def test_a_rating_that_would_hide_a_field_of_all_devices_is_refused():
    @attrs.frozen(kw_only=True)
    class Odd(SolarPanel):
        kind: ClassVar[str] = "odd"
        max_gap_seconds: float = 1.0

    with pytest.raises(DeviceKindConflict, match=r"Odd\.max_gap_seconds"):
        build_schema({"odd": Odd})


def test_a_rating_that_is_no_number_is_refused():
    @attrs.frozen(kw_only=True)
    class Odd(SolarPanel):
        kind: ClassVar[str] = "odd"
        colour: str = "blue"

    with pytest.raises(DeviceKindConflict, match=r"Odd\.colour"):
        build_schema({"odd": Odd})


def test_a_kind_without_ratings_is_refused():
    @attrs.frozen(kw_only=True)
    class Bare(Device):
        kind: ClassVar[str] = "bare"

    with pytest.raises(DeviceKindConflict, match="Bare has no rating"):
        build_schema({"bare": Bare})
