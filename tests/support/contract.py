"""The contract that clients were promised, and the schema as it is printed."""

from typing import Final

from tests.support.tree import ROOT

__all__ = ["AWAITED", "CONTRACT", "PRINTED"]

CONTRACT: Final = ROOT / "tests" / "graphql" / "schema" / "contract.graphql"
PRINTED: Final = ROOT / "docs" / "reference" / "schema.graphql"

AWAITED: Final = ("Subscription",)
"""Types of the contract that the schema does not have yet. The day one of them is there, a test
fails and says so: take it off this list."""
