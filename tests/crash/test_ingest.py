"""Workers and the server die in the midst of their work: nothing is lost or counted twice."""

import contextlib
import random
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

import energycore as ec
from energycore.telemetry.buckets import BUCKET_COLUMNS
from energycore.telemetry.tiers import SeriesKind, Tier
from tests.crash.load import BATCH, Standing, batch, prepare
from tests.crash.servers import Server
from tests.support.tree import ROOT

pytestmark = pytest.mark.slow
WORKERS = 2


@attrs.define
class Worker:
    """One process, started again whenever it ends early."""

    url: str
    number: int
    count: int
    acknowledged: Path
    how: str
    process: Any = attrs.field(init=False)

    def __attrs_post_init__(self):
        self.acknowledged.touch()
        self.start()

    def start(self):
        arguments = (self.url, self.number, WORKERS, self.count, self.acknowledged, self.how)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def next_line(self):
        """What it is about to do; an empty text if it ended."""
        return self.process.stdout.readline().strip()

    def go(self):
        """Let it send the batch that it told of."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def wait_within_batch(self, dice):
        """Some moment of a batch: wait for its beginning, and then for up to 20 ms for its end."""
        selector = selectors.DefaultSelector()
        selector.register(self.process.stdout, selectors.EVENT_READ)
        selector.select(dice.uniform(0.0, 0.02))
        selector.close()

    def end(self):
        self.process.kill()
        self.process.communicate()


def drive(server: Server, url: str, folder: Path, *, count, worker_kills, server_kills, how, dice):
    """Run the workers to their end, with kills spread over all batches."""
    workers = [
        Worker(url, number, count, folder / f"acknowledged-{number}", how)
        for number in range(WORKERS)
    ]
    victims = ["worker"] * worker_kills + ["server"] * server_kills
    dice.shuffle(victims)
    moments = sorted(dice.sample(range(1, count - 2 * WORKERS), len(victims)))
    seen = 0
    left = set(range(WORKERS))
    deadline = time.monotonic() + 900
    while left:
        assert time.monotonic() < deadline
        for number in sorted(left):
            worker = workers[number]
            line = worker.next_line()
            if line == "end":
                worker.process.communicate()
                left.discard(number)
                continue
            if not line:
                said = worker.process.communicate()[1]
                assert "unavailable" in said or how != "right", said
                worker.start()
                continue
            seen += 1
            worker.go()
            if moments and seen >= moments[0]:
                moments.pop(0)
                worker.wait_within_batch(dice)
                if victims.pop() == "worker":
                    worker.end()
                    worker.start()
                else:
                    server.kill()
                    server.start()
    assert not victims
    return workers


def stored(url):
    """All readings, and all quarter-hours and days after upkeep."""
    with ec.connect(url, clock=Standing()) as energy:
        ids = prepare(energy)
        batch_ = energy.services.histories.readings(energy.scope, ids, start_us=0, end_us=2**62)
        energy.upkeep(retain=False)
        return batch_, totals(energy, ids)


def totals(energy, ids):
    with energy.services.storage.transaction(write=False) as work:
        return [
            work.rollups.read(energy.scope, tier, kind, keys, start_us=0, end_us=2**62)
            for tier in (Tier.QUARTER_HOUR, Tier.DAY)
            for kind, keys in (
                (SeriesKind.DEVICE, ids),
                (SeriesKind.SITE, [1]),
                (SeriesKind.FLEET, [0]),
            )
        ]


def expected(count):
    """The same from a storage that nothing happens to."""
    with ec.connect("memory://", clock=Standing()) as energy:
        ids = prepare(energy)
        for number in range(count):
            energy.services.ingestion.record(energy.scope, batch(ids, number))
        batch_ = energy.services.histories.readings(energy.scope, ids, start_us=0, end_us=2**62)
        energy.upkeep(retain=False)
        return batch_, totals(energy, ids)


def lost_and_duplicated(found, wanted):
    have = list(zip(found.device_id.tolist(), found.at_us.tolist(), strict=True))
    want = set(zip(wanted.device_id.tolist(), wanted.at_us.tolist(), strict=True))
    return len(want - set(have)), len(have) - len(set(have))


def test_readings_survive_the_death_of_workers_and_of_the_server(server, tmp_path):
    """400,000 readings, 20 workers and 10 servers killed: 0 lost, 0 duplicated, right totals."""
    count = 400
    url = server.new_database()
    with ec.connect(url, clock=Standing()) as energy:
        prepare(energy)
        # Totals are kept from the middle of the readings on: half of the batches come late.
        energy.upkeep(retain=False)
    drive(
        server,
        url,
        tmp_path,
        count=count,
        worker_kills=20,
        server_kills=10,
        how="right",
        dice=random.Random(20_260_601),
    )
    found, found_totals = stored(url)
    wanted, wanted_totals = expected(count)
    assert lost_and_duplicated(found, wanted) == (0, 0)
    assert len(found) == count * BATCH
    assert np.array_equal(found.power_mw, wanted.power_mw)
    for one, other in zip(found_totals, wanted_totals, strict=True):
        for name in BUCKET_COLUMNS:
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_a_worker_that_acknowledges_first_loses_readings_here(server, tmp_path):
    """The same harness sees what a worker does that acknowledges before it has stored."""
    url = server.new_database()
    with ec.connect(url, clock=Standing()) as energy:
        ids = prepare(energy)
    drive(
        server,
        url,
        tmp_path,
        count=30,
        worker_kills=6,
        server_kills=1,
        how="acknowledge-first",
        dice=random.Random(1),
    )
    with ec.connect(url, clock=Standing()) as energy:
        found = energy.services.histories.readings(energy.scope, ids, start_us=0, end_us=2**62)
    lost, duplicated = lost_and_duplicated(found, expected(30)[0])
    assert lost >= BATCH
    assert duplicated == 0
