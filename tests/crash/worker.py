"""An ingest worker that is going to be killed: `worker.py URL FIRST STEP COUNT ACKNOWLEDGED HOW`.

It sends the batches FIRST, FIRST + STEP, ... below COUNT that are not in ACKNOWLEDGED yet, and
writes each into that file once it is stored. Before each it says so
and waits for a line, so that whoever kills it knows where it is.
"""

import os
import sys
from pathlib import Path

import energycore as ec
from energycore.errors import StorageUnavailable
from tests.crash.load import Standing, batch, prepare


def main(url: str, first: str, step: str, count: str, acknowledged: str, how: str) -> None:
    """Send what is left."""
    done = {int(line) for line in Path(acknowledged).read_text().split()}
    file = os.open(acknowledged, os.O_WRONLY | os.O_APPEND)

    def acknowledge(number: int) -> None:
        os.write(file, f"{number}\n".encode())
        os.fsync(file)

    try:
        with ec.connect(url, clock=Standing()) as energy:
            ids = prepare(energy)
            for number in range(int(first), int(count), int(step)):
                if number in done:
                    continue
                if how == "acknowledge-first":
                    acknowledge(number)
                print(number, flush=True)
                sys.stdin.readline()
                result = energy.services.ingestion.record(energy.scope, batch(ids, number))
                assert not result.rejected, result.rejected[0]
                if how != "acknowledge-first":
                    acknowledge(number)
    except StorageUnavailable as error:
        # Whoever supervises it starts it again: the key makes a replay harmless.
        sys.exit(f"unavailable: {error}")
    print("end", flush=True)


main(*sys.argv[1:])
