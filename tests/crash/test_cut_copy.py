"""A connection that is cut in the middle of COPY leaves no part of a batch behind."""

import random
from contextlib import closing

import energycore as ec
from energycore.errors import StorageUnavailable
from energycore.storage.sql import open_sql_storage
from energycore.telemetry.readings import ReadingBatch
from tests.crash.load import BATCH, Standing, batch, prepare
from tests.crash.proxy import cutting_proxy
from tests.support.postgresql import new_database

BATCHES = 10
"""So many of the usual ones in one call: about 800 kB on the wire."""


def columns(ids):
    parts = [batch(ids, number) for number in range(BATCHES)]
    return ReadingBatch.concatenate(
        [ReadingBatch.quantise(p.device_id, p.at_us, p.power_w, p.stored_wh) for p in parts]
    )


def append_at_once(storage, scope, readings):
    with storage.transaction(write=True) as work:
        work.telemetry.append(scope, readings)


def append_in_parts(storage, scope, readings):
    """What must not be: a batch in several transactions."""
    for part in range(BATCHES):
        rows = range(part * BATCH, (part + 1) * BATCH)
        append_at_once(storage, scope, readings.take(list(rows)))


def partial_batches(server, folder, append, cuts):
    """How many cuts left a part of the batch behind."""
    dice, partial, refused = random.Random(7), 0, 0
    for _ in range(cuts):
        with new_database(server.url) as url, ec.connect(url, clock=Standing()) as energy:
            ids = prepare(energy)
            readings = columns(ids)
            budget = [1_000_000_000]
            with cutting_proxy(server.socket, folder, budget) as path:
                through = url.replace(str(server.folder), str(path.parent))
                with closing(open_sql_storage(through)) as storage:
                    budget[0] = dice.randrange(5_000, 700_000)
                    try:
                        append(storage, energy.scope, readings)
                    except StorageUnavailable:
                        refused += 1
            found = len(energy.readings(ids, Standing.first(), Standing().now()))
            partial += found not in (0, len(readings))
            # Told again, all of it is there once.
            append_at_once(energy.services.storage, energy.scope, readings)
            again = len(energy.readings(ids, Standing.first(), Standing().now()))
            assert again == len(readings)
    assert refused > cuts // 2
    return partial


def test_no_part_of_a_batch_survives_a_cut_connection(server, tmp_path):
    """20 cuts at random offsets."""
    assert partial_batches(server, tmp_path, append_at_once, cuts=20) == 0


def test_a_batch_in_several_transactions_is_caught_here(server, tmp_path):
    assert partial_batches(server, tmp_path, append_in_parts, cuts=5) > 0
