"""What mutations answer: the object as it is now, and what was refused."""

from typing import Final

import attrs
from graphql import (
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
)

from energycore.graphql.costs import FieldCost, charged
from energycore.graphql.schema.charges import MAX_DETAILED_ERRORS, REJECTED_READINGS, USER_ERRORS
from energycore.graphql.schema.nodes import DeviceNode, SiteNode
from energycore.graphql.schema.refusals import UserError
from energycore.graphql.schema.resolving import field, required
from energycore.services.ingestion import RecordResult

__all__ = [
    "Payload",
    "RecordPayload",
    "device_payload_type",
    "record_payload_type",
    "site_payload_type",
]

_ERRORS: Final = "Why nothing was changed; empty if it was."


@attrs.frozen(kw_only=True)
class Payload:
    """The answer to a change of one device or site."""

    device: DeviceNode | None = None
    site: SiteNode | None = None
    user_errors: tuple[UserError, ...] = ()


@attrs.frozen(kw_only=True)
class RecordPayload:
    """The answer to readings, each of which was stored, known or rejected."""

    result: RecordResult
    user_errors: tuple[UserError, ...]


def site_payload_type(site: GraphQLObjectType, user_error: GraphQLObjectType) -> GraphQLObjectType:
    """The type SitePayload."""
    return GraphQLObjectType(
        "SitePayload",
        {
            "site": field(site, "site", "The site as it is now; null where it was refused."),
            "userErrors": _errors(user_error, _ERRORS),
        },
        description="The answer to a change of a site.",
    )


def device_payload_type(
    device: GraphQLInterfaceType, user_error: GraphQLObjectType
) -> GraphQLObjectType:
    """The type DevicePayload."""
    return GraphQLObjectType(
        "DevicePayload",
        {
            "device": field(
                device,
                "device",
                "The device as it is now; null where the change was refused, unless by "
                "VERSION_CONFLICT.",
            ),
            "userErrors": _errors(user_error, _ERRORS),
        },
        description="The answer to a change of a device.",
    )


def record_payload_type(user_error: GraphQLObjectType) -> GraphQLObjectType:
    """The type RecordReadingsPayload."""
    return GraphQLObjectType(
        "RecordReadingsPayload",
        {
            "acceptedCount": required(GraphQLInt, "result.accepted", "Readings that were stored."),
            "duplicateCount": required(
                GraphQLInt,
                "result.duplicates",
                "Readings that were stored before with the same values.",
            ),
            "conflictCount": required(
                GraphQLInt,
                "result.conflicts",
                "Readings of an instant that was taken by other values, where the first or the "
                "last one counts; where they are rejected they are among rejectedCount.",
            ),
            "rejectedCount": GraphQLField(
                GraphQLNonNull(GraphQLInt),
                resolve=lambda payload, _: len(payload.result.rejected),
                description="Readings that were not stored.",
            ),
            "userErrors": _errors(
                user_error,
                f"The first {MAX_DETAILED_ERRORS} rejected readings, with their position in the "
                "input.",
                REJECTED_READINGS,
            ),
        },
        description="The answer to readings: each of them is counted once.",
    )


def _errors(
    user_error: GraphQLObjectType, description: str, cost: FieldCost = USER_ERRORS
) -> GraphQLField:
    errors = required(GraphQLList(GraphQLNonNull(user_error)), "user_errors", description)
    return charged(errors, cost)
