"""The contract that clients were promised, and the schema as it is printed."""

from typing import Final

from tests.support.tree import ROOT

__all__ = ["CONTRACT", "PRINTED"]

CONTRACT: Final = ROOT / "tests" / "graphql" / "schema" / "contract.graphql"
PRINTED: Final = ROOT / "docs" / "reference" / "schema.graphql"
