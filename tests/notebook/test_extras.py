"""What a run gives to other libraries: frames, Arrow tables and pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest

import energycore as ec
from energycore.errors import MissingExtra


@pytest.fixture(scope="module")
def run():
    devices = [
        ec.SolarPanel(name="Roof", rated_power_w=5_000),
        ec.Battery(name="Wall", capacity_wh=9_000, max_charge_w=3_000, max_discharge_w=3_000),
    ]
    site = ec.Site(name="Home", time_zone="Asia/Kathmandu")
    return ec.simulate(devices, site=site, start="2026-06-01", days=2, step="5min")


def test_the_arrow_table_holds_what_the_frame_holds(run):
    frame, table = run.to_pandas(), run.to_arrow()
    assert table.column_names == list(frame.columns)
    assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
    back = table.to_pandas()
    assert back["name"].tolist() == frame["name"].tolist()
    for column in ("at", "device_id", "power_w"):
        assert (back[column] == frame[column]).all(), column
    assert np.array_equal(back["stored_wh"], frame["stored_wh"], equal_nan=True)
    assert table.column("stored_wh").null_count == 576


def test_a_plot_shows_each_device_the_net_power_and_the_charge(run, tmp_path):
    figure = run.plot()
    power, charge = figure.axes
    assert power.get_legend_handles_labels()[1] == ["Roof", "Wall", "net"]
    assert charge.get_legend_handles_labels()[1] == ["Wall"]
    highest = max(line.get_ydata().max() for line in charge.lines)
    assert highest == pytest.approx(100 * np.nanmax(run.state_of_charge), abs=0.5)
    picture = Path(tmp_path / "run.png")
    figure.savefig(picture)
    assert picture.stat().st_size > 10_000


def test_a_home_without_storage_has_one_panel():
    lamp = ec.Appliance(name="Lamp", average_power_w=10)
    figure = ec.simulate([lamp], start="2026-06-01", days=1).plot()
    assert len(figure.axes) == 1


@pytest.mark.parametrize(
    ("module", "call", "extra"),
    [
        ("pandas", "to_pandas", "pandas"),
        ("pyarrow", "to_arrow", "arrow"),
        ("matplotlib.figure", "plot", "plot"),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    run, monkeypatch, module, call, extra
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf'pip install "energycore\[{extra}\]"'):
        getattr(run, call)()
