"""schemathesis asks every field of Query and Mutation, and never finds the server at fault."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLID,
    GraphQLSchema,
    ObjectFieldNode,
    ObjectValueNode,
    SelectionSetNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_input_object_type,
    parse,
    parse_value,
    print_ast,
    visit,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.graphql import nodes

import energycore as ec
from energycore.graphql import build_schema
from energycore.graphql.schema.ids import device_id, site_id
from energycore_fastapi import create_app
from tools.reference_pages.domain_texts import DOMAIN_TEXTS
from tools.reference_pages.limit_texts import LIMIT_TEXTS
from tools.reference_pages.server_texts import SERVER_TEXTS

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EACH = 60
"""Cases for each field."""
EXPECTED = {*DOMAIN_TEXTS, *LIMIT_TEXTS, *SERVER_TEXTS} - {"INTERNAL_ERROR"}
"""What a client may be told; all other codes say that the server is at fault."""
ONE_KIND = "solarPanel: {ratedPowerW: 5000}"
_ZONE = StringValueNode(value="Asia/Kolkata", block=False)
_USER_ERRORS = parse("{ userErrors { code } }").definitions[0].selection_set  # type: ignore[attr-defined] # an operation


class Clock:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def energy() -> Iterator[ec.Energy]:
    """A home with a device of each kind, with readings, and a device without a site."""
    with ec.connect("memory://", clock=Clock()) as energy:
        site = energy.register_site(ec.Site(name="Home", time_zone="Europe/Berlin"))
        battery = ec.Battery(
            name="b", capacity_wh=13_500, max_charge_w=5_000, max_discharge_w=5_000
        )
        car = ec.ElectricVehicle(
            name="c", capacity_wh=60_000, max_charge_w=11_000, max_discharge_w=11_000
        )
        energy.register(ec.SolarPanel(name="a", rated_power_w=5_000), site=site, tags=["roof"])
        energy.register(battery, site=site)
        energy.register(car, site=site)
        energy.register(ec.Appliance(name="d", average_power_w=600))
        reported = ec.SolarPanel(name="e", rated_power_w=900)
        energy.register(reported, data_source=ec.DataSource.REPORTED)
        energy.tick(NOON - timedelta(minutes=1))
        energy.tick(NOON)
        yield energy


class Sensible(Visitor):
    """Turns a case that the schema would only refuse into one that reaches the resolvers.

    schemathesis does not know @oneOf: of several kinds the first one stays. Most of its IDs and
    cursors are of nothing, so that no resolver would have anything to say: some become real IDs,
    and cursors go.
    """

    def __init__(self, info: TypeInfo, seed: int) -> None:
        super().__init__()
        self._info = info
        self._seed = seed

    def leave_object_value(self, node: ObjectValueNode, *_: Any) -> ObjectValueNode | None:
        type_ = get_named_type(self._info.get_input_type())
        if not is_input_object_type(type_) or not type_.is_one_of:
            return None
        given = [field for field in node.fields if field.value.kind == "object_value"]
        if not given:
            return parse_value(f"{{{ONE_KIND}}}")  # type: ignore[return-value] # it is an object
        return ObjectValueNode(fields=(given[self._seed % len(given)],))

    def leave_string_value(self, _node: StringValueNode, *_: Any) -> StringValueNode | None:
        type_ = self._info.get_input_type()
        if type_ is None or get_named_type(type_) is not GraphQLID or self._seed % 4 == 1:
            return None
        real = [*(device_id(number) for number in range(1, 6)), site_id(1)]
        return StringValueNode(value=real[self._seed % len(real)], block=False)

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode | None:
        if node.name.value != "timeZone" or self._seed % 5 == 1:
            return None
        return ObjectFieldNode(name=node.name, value=_ZONE)

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode | None:
        given: dict[str, Any] = {argument.name.value: argument for argument in node.arguments or ()}
        if self._seed % 5 != 1:
            given = {name: given[name] for name in given if name not in ("after", "before")}
            if "first" in given:
                given.pop("last", None)
            if "timeZone" in given:
                given["timeZone"] = ArgumentNode(name=given["timeZone"].name, value=_ZONE)
            if "from" in given:
                begin, end = sorted(
                    (given["from"].value, given["to"].value), key=lambda value: value.value
                )
                given["from"] = ArgumentNode(name=given["from"].name, value=begin)
                given["to"] = ArgumentNode(name=given["to"].name, value=end)
        selected = node.selection_set
        parent = self._info.get_parent_type()
        if parent is not None and parent.name == "Mutation" and selected is not None:
            selections = (*selected.selections, *_USER_ERRORS.selections)
            selected = SelectionSetNode(selections=selections)
        return FieldNode(
            name=node.name,
            alias=node.alias,
            arguments=tuple(given.values()),
            directives=node.directives or (),
            selection_set=selected,
        )


def sensible(schema: GraphQLSchema, document: str, seed: int) -> str:
    info = TypeInfo(schema)
    ast = parse(document)
    return print_ast(visit(ast, TypeInfoVisitor(info, Sensible(info, seed))))


def check(response: Any) -> Counter[str]:
    """Hold an answer to what every answer promises; returns its codes."""
    assert response.status_code in (200, 400)
    answer = response.json()
    assert set(answer) <= {"data", "errors", "extensions"}
    errors = answer.get("errors", [])
    for error in errors:
        assert "errorId" not in error["extensions"], error
    codes = [error["extensions"]["code"] for error in errors]
    for payload in (answer.get("data") or {}).values():
        if isinstance(payload, dict):
            codes += [error["code"] for error in payload.get("userErrors") or [] if "code" in error]
    assert set(codes) <= EXPECTED
    return Counter(codes or ["none"])


def ask_many(operation: Any, own: GraphQLSchema) -> tuple[int, Counter[str]]:
    """Ask one field; returns how often, and the codes of the answers."""
    asked = 0
    codes: Counter[str] = Counter()

    @settings(
        max_examples=EACH,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), seed=st.integers(0, 119))
    def ask(case: Any, seed: int) -> None:
        nonlocal asked
        case.body = sensible(own, case.body, seed)
        codes.update(check(case.call()))
        asked += 1

    ask()
    return asked, codes


@pytest.mark.slow
def test_a_thousand_cases_find_no_fault_of_the_server(energy):
    near = st.integers(-2_000, 2_000).map(lambda minutes: NOON + timedelta(minutes=minutes))
    instants = near | st.datetimes(timezones=st.just(UTC))
    schemathesis.graphql.scalar(
        "DateTime", instants.map(lambda at: nodes.String(at.isoformat("T", "milliseconds")))
    )
    own = build_schema()
    tested = schemathesis.graphql.from_asgi("/graphql", create_app(energy))
    found_operations: list[Any] = list(tested.get_all_operations())
    operations = {found.ok().label: found.ok() for found in found_operations}
    roots: dict[str, Any] = {"Query": own.query_type, "Mutation": own.mutation_type}
    fields = {f"{name}.{field}" for name, type_ in roots.items() for field in type_.fields}
    assert set(operations) == fields
    found = {name: ask_many(operation, own) for name, operation in operations.items()}
    assert sum(asked for asked, _ in found.values()) >= 1_000
    # Most of what is asked reaches the resolvers, and some of it is done.
    refused = sum(codes["GRAPHQL_VALIDATION_FAILED"] for _, codes in found.values())
    assert refused < 50
    assert all(codes["none"] for name, (_, codes) in found.items() if "Query" in name), found
