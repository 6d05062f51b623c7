"""Numbers of other systems become watts of ours: + produces, - consumes, exact to the last bit."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energycore.errors import InvalidValue
from energycore.quantities import signs
from energycore.quantities.signs import (
    SignConvention,
    convention_of,
    scale_of_energy,
    scale_of_power,
    to_energy_wh,
    to_power_w,
)

OPPOSITES = [
    (SignConvention.PRODUCTION_POSITIVE, SignConvention.CONSUMPTION_POSITIVE),
    (SignConvention.EXPORT_POSITIVE, SignConvention.IMPORT_POSITIVE),
    (SignConvention.DISCHARGE_POSITIVE, SignConvention.CHARGE_POSITIVE),
]
WATTS = st.floats(-1e8, 1e8)


@pytest.mark.parametrize(("here", "there"), OPPOSITES)
def test_what_produces_is_positive_here_whatever_it_is_elsewhere(here, there):
    values = np.array([1_500.0, -250.0])
    assert to_power_w(values, here).tolist() == [1_500.0, -250.0]
    assert to_power_w(values, there).tolist() == [-1_500.0, 250.0]


def test_every_convention_has_its_opposite():
    assert {convention for pair in OPPOSITES for convention in pair} == set(SignConvention)


@given(st.lists(WATTS), st.sampled_from(SignConvention))
def test_a_power_that_is_turned_twice_is_what_it_was(values, convention):
    given_ = np.array(values, dtype=np.float64)
    before = given_.copy()
    assert to_power_w(to_power_w(given_, convention), convention).tolist() == values
    assert given_.tolist() == before.tolist()


def test_nothing_stays_nothing_and_absent_stays_absent():
    turned = to_power_w(np.array([0.0, math.nan]), SignConvention.IMPORT_POSITIVE)
    assert math.copysign(1.0, turned[0]) == 1.0
    assert math.isnan(turned[1])


@pytest.mark.parametrize("convention", SignConvention)
def test_a_convention_is_found_by_its_name(convention):
    assert convention_of(convention.value) is convention


@pytest.mark.parametrize("name", ["", "import", "IMPORT POSITIVE", "+"])
def test_a_name_that_is_no_convention_is_refused_with_those_that_are(name):
    with pytest.raises(InvalidValue) as refused:
        convention_of(name)
    assert all(convention.value in str(refused.value) for convention in SignConvention)


def test_the_table_of_systems_names_conventions_that_exist():
    table = [line for line in signs.__doc__.splitlines() if line.startswith("| ")]
    named = {cell for line in table for cell in line.split("`")[1::2]}
    assert named == {
        "export_positive",
        "import_positive",
        "discharge_positive",
        "charge_positive",
    }
    assert named < {convention.value for convention in SignConvention}


def test_units_are_exact_factors():
    assert scale_of_power("mW") == Fraction(1, 1_000)
    assert [scale_of_power(unit) for unit in ("W", "kW", "MW")] == [1, 1_000, 1_000_000]
    assert [scale_of_energy(unit) for unit in ("Wh", "kWh", "MWh")] == [1, 1_000, 1_000_000]


@given(WATTS, st.sampled_from(["mW", "W", "kW", "MW"]))
def test_a_power_in_another_unit_is_rounded_once(value, unit):
    (power_w,) = to_power_w(np.array([value]), SignConvention.PRODUCTION_POSITIVE, unit).tolist()
    assert power_w == float(Fraction(value) * scale_of_power(unit))


@given(st.floats(0, 1e9), st.sampled_from(["Wh", "kWh", "MWh"]))
def test_an_energy_in_another_unit_is_rounded_once(value, unit):
    (energy_wh,) = to_energy_wh(np.array([value]), unit).tolist()
    assert energy_wh == float(Fraction(value) * scale_of_energy(unit))


@pytest.mark.parametrize("unit", ["", "w", "KW", "kWh", "J"])
def test_a_unit_that_is_no_power_is_refused_with_those_that_are(unit):
    with pytest.raises(InvalidValue, match="power_unit must be one of mW, W, kW, MW, not"):
        to_power_w(np.array([1.0]), SignConvention.PRODUCTION_POSITIVE, unit)


@pytest.mark.parametrize("unit", ["", "wh", "kW", "mWh", "J"])
def test_a_unit_that_is_no_energy_is_refused_with_those_that_are(unit):
    with pytest.raises(InvalidValue, match="energy_unit must be one of Wh, kWh, MWh, not"):
        to_energy_wh(np.array([1.0]), unit)
