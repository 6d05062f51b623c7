"""What the files are: folders that query engines know, plain columns, few bytes."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import energycore as ec
from energycore.archive.names import tenant_folder
from energycore.errors import ArchiveDamaged
from energycore.protocols.scope import Scope
from energycore.telemetry.readings import ReadingBatch
from energycore.testing.archives import put
from energycore.testing.contract import readings

DAY_US = 86_400_000_000
DAY = 20_605


def minutes(devices):
    """A day of devices that report once a minute."""
    at_us = DAY * DAY_US + np.arange(1_440) * 60_000_000
    device_id = np.repeat(np.arange(devices), len(at_us))
    return ReadingBatch(
        device_id=device_id,
        at_us=np.tile(at_us, devices),
        power_mw=np.arange(len(device_id)) % 977,
        stored_mwh=device_id * 1_000,
    )


def test_the_folders_say_whose_readings_of_which_day_they_hold(folder, folder_archive):
    scope = Scope("Müller & Söhne/7")
    name = put(folder_archive, scope, DAY, readings((1, DAY * DAY_US, -5, None))).name
    tenant, day, file = name.split("/")
    assert (tenant, day) == ("tenant=%4D%C3%BCller%20%26%20%53%C3%B6hne%2F7", "day=2026-06-01")
    assert (folder / name).is_file()
    assert len(file) == len(".parquet") + 32
    table = ds.dataset(folder, partitioning="hive").to_table()
    assert table.column("tenant").to_pylist() == [scope.tenant]
    assert table.column("day").to_pylist() == ["2026-06-01"]


def test_other_readers_than_the_one_that_wrote_it_read_a_file(folder, folder_archive, scope):
    batch = minutes(120)
    frame = pl.read_parquet(folder / put(folder_archive, scope, DAY, batch).name)
    assert frame.schema == {
        "device_id": pl.Int64,
        "at": pl.Datetime("ms"),
        "power_mw": pl.Int64,
        "stored_mwh": pl.Int64,
    }
    assert np.array_equal(frame["at"].dt.epoch("us"), batch.at_us)
    for column in ("device_id", "power_mw", "stored_mwh"):
        assert np.array_equal(frame[column], getattr(batch, column))


def test_columns_are_whole_numbers_and_instants_without_a_zone(folder, folder_archive, scope):
    name = put(
        folder_archive,
        scope,
        DAY,
        readings((7, DAY * DAY_US + 1_000, -5, None), (8, DAY * DAY_US, 6, 9)),
    ).name
    frame = pd.read_parquet(folder / name)
    assert frame.dtypes.astype(str).to_dict() == {
        "device_id": "int64",
        "at": "datetime64[ms]",
        "power_mw": "int64",
        "stored_mwh": "float64",  # as pandas shows whole numbers of which some are absent
    }
    assert frame["at"].tolist() == [
        pd.Timestamp("2026-06-01T00:00:00.001"),
        pd.Timestamp("2026-06-01"),
    ]
    assert frame["power_mw"].tolist() == [-5, 6]
    assert frame["stored_mwh"].isna().tolist() == [True, False]


def test_an_instant_that_is_finer_than_a_millisecond_is_kept_as_it_is(
    folder, folder_archive, scope
):
    batch = readings((1, DAY * DAY_US + 1, 5, None))
    name = put(folder_archive, scope, DAY, batch).name
    assert str(pq.read_schema(folder / name).field("at").type) == "timestamp[us]"
    assert folder_archive.read(scope, name).at_us.tolist() == [DAY * DAY_US + 1]


def test_a_file_says_what_it_is(folder, folder_archive):
    scope = Scope("Zoë")
    name = put(folder_archive, scope, DAY, readings((1, DAY * DAY_US, 5, None))).name
    kept = pq.read_metadata(folder / name).metadata
    assert kept == {
        b"energycore.format": b"1",
        b"energycore.tenant": scope.tenant.encode(),
        b"energycore.day": b"2026-06-01",
        b"energycore.file": Path(name).stem.encode(),
        b"energycore.rows": b"1",
    }


def test_columns_are_packed_and_compressed(folder, folder_archive, scope):
    metadata = pq.read_metadata(folder / put(folder_archive, scope, DAY, minutes(250)).name)
    assert [metadata.row_group(i).num_rows for i in range(3)] == [144_000, 144_000, 72_000]
    for column in range(4):
        chunk = metadata.row_group(0).column(column)
        assert chunk.compression == "ZSTD"
        assert "DELTA_BINARY_PACKED" in chunk.encodings
        assert not chunk.has_dictionary_page


def test_reading_a_device_unpacks_only_the_rows_around_it(folder, folder_archive, scope):
    """So damage elsewhere in the file does not matter to it."""
    batch = minutes(250)
    name = put(folder_archive, scope, DAY, batch).name
    first_page = pq.read_metadata(folder / name).row_group(0).column(2).data_page_offset
    content = bytearray((folder / name).read_bytes())
    content[first_page + 100] ^= 1
    (folder / name).write_bytes(content)
    found = folder_archive.read(scope, name, ids=[249, 120])
    assert found.device_id.tolist() == [120] * 1_440 + [249] * 1_440
    assert np.array_equal(found.power_mw, batch.power_mw[np.isin(batch.device_id, [120, 249])])
    with pytest.raises(ArchiveDamaged):
        folder_archive.read(scope, name, ids=[99])


def test_a_reading_of_a_simulated_home_takes_two_bytes_at_most(folder_archive, scope):
    batches = []
    for home in range(40):
        run = ec.simulate(
            [
                ec.SolarPanel(name=f"Roof {home}", rated_power_w=5_000 + 100 * home),
                ec.Battery(
                    name=f"Wall {home}",
                    capacity_wh=9_000,
                    max_charge_w=4_000,
                    max_discharge_w=4_000,
                ),
                ec.ElectricVehicle(
                    name=f"Car {home}",
                    capacity_wh=50_000,
                    max_charge_w=11_000,
                    max_discharge_w=7_000,
                ),
                ec.Appliance(name=f"Pump {home}", average_power_w=300 + home),
            ],
            start="2026-06-01",
            days=1,
        )
        batches.append(
            ReadingBatch(
                device_id=np.repeat(np.arange(4 * home, 4 * home + 4), 1_440),
                at_us=np.tile(run.at_us, 4),
                power_mw=run.power_mw.T.ravel(),
                stored_mwh=run.stored_mwh.T.ravel(),
            )
        )
    file = put(folder_archive, scope, DAY, ReadingBatch.concatenate(batches))
    assert file.size_bytes < 2 * file.rows


@given(st.lists(st.text("aA~%4/.\u00e9", max_size=8) | st.text(max_size=200), unique=True))
@example(["Home", "home"])
def test_tenants_share_no_folder_even_where_small_letters_equal_capitals(tenants):
    tenants = [tenant.encode(errors="replace").decode() for tenant in tenants]
    folders = {tenant_folder(tenant).casefold() for tenant in tenants}
    assert len(folders) == len(set(tenants))
    for folder in folders:
        assert folder.isascii()
        assert len(folder) <= 200
        assert not set(folder) & set("/\\.:*?\"<>| '\0")
