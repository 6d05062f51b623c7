"""Putting the schema together from the device kinds, and printing it."""

from collections.abc import Mapping
from typing import Any

import attrs
from graphql import GraphQLSchema, print_schema

from energycore.devices.base import Device
from energycore.devices.registry import device_kinds
from energycore.graphql.http import GraphQLEngine
from energycore.graphql.schema.enums import make_enums
from energycore.graphql.schema.inputs import make_inputs
from energycore.graphql.schema.kinds import kind_shapes
from energycore.graphql.schema.mutations import mutation_type
from energycore.graphql.schema.outputs import DEVICE_FIELDS, make_outputs
from energycore.graphql.schema.queries import query_type
from energycore.graphql.schema.refusals import user_error_type
from energycore.graphql.schema.scalars import date_time_type
from energycore.graphql.schema.specs import Specs
from energycore.graphql.schema.subscriptions import subscription_type

__all__ = ["build_engine", "build_schema", "sdl"]


def build_schema(kinds: Mapping[str, type[Device]] | None = None) -> GraphQLSchema:
    """Make the schema; each call makes one of its own.

    Args:
        kinds: the device kinds by name; all that are installed unless given.

    Raises:
        DeviceKindConflict: a kind cannot be shown beside the others.
    """
    shapes = kind_shapes(device_kinds() if kinds is None else kinds, DEVICE_FIELDS)
    date_time = date_time_type()
    enums = make_enums(shapes)
    inputs = make_inputs(shapes, enums, date_time)
    outputs = make_outputs(shapes, enums, inputs, date_time)
    return GraphQLSchema(
        query_type(outputs, inputs, enums, date_time),
        mutation_type(outputs, inputs, user_error_type(), Specs(shapes)),
        subscription_type(outputs, inputs),
        # What is named here comes first when the schema is printed.
        types=[
            date_time,
            outputs.node,
            *attrs.astuple(enums, recurse=False),
            outputs.site,
            outputs.device,
            *outputs.kinds,
        ],
        description="Homes and their devices: what they are, do, and add up to.",
    )


def build_engine(kinds: Mapping[str, type[Device]] | None = None, **options: Any) -> GraphQLEngine:
    """Make an engine that answers HTTP requests, each with a `GraphQLContext`.

    Args:
        kinds: as in `build_schema`.
        options: arguments of `GraphQLEngine` other than the schema.
    """
    return GraphQLEngine(build_schema(kinds), **options)


def sdl(kinds: Mapping[str, type[Device]] | None = None) -> str:
    """The schema in its definition language, ending with a line break.

    Args:
        kinds: as in `build_schema`.
    """
    return print_schema(build_schema(kinds)).strip() + "\n"
