"""A RabbitMQ server for tests: one that is named, or one started for them."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.support.brokers import NoBroker, answering, free_port

__all__ = ["server"]

VARIABLE = "ENERGYCORE_TEST_RABBITMQ"
_FILES = (
    "ADVANCED_CONFIG_FILE",
    "CONFIG_FILE",
    "CONF_ENV_FILE",
    "ENABLED_PLUGINS_FILE",
    "LOG_BASE",
    "MNESIA_BASE",
    "PID_FILE",
)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Give the URL of a server, as Celery takes it.

    Looked for in this order: the environment variable, rabbitmq-server on the PATH.

    Raises:
        NoBroker: none of these is here.
    """
    if named := os.environ.get(VARIABLE):
        yield named
    elif (program := shutil.which("rabbitmq-server")) and shutil.which("epmd"):
        with _throwaway(Path(program)) as url:
            yield url
    else:
        raise NoBroker(
            f"no RabbitMQ: set {VARIABLE}=amqp://guest:guest@host:5672//, or install the server"
        )


@contextlib.contextmanager
def _throwaway(program: Path) -> Iterator[str]:
    """Run a node of our own, with everything that it writes in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="energycore-", ignore_cleanup_errors=True) as folder:
        port, epmd_port = free_port(), str(free_port())
        files = {f"RABBITMQ_{name}": f"{folder}/{name.lower()}" for name in _FILES}
        own = os.environ | files
        own |= {
            "HOME": folder,
            "ERL_EPMD_PORT": epmd_port,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"energycore-{uuid.uuid4().hex[:8]}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
        }
        # Debian puts a wrapper in front of it, which only its own user may run.
        real = program.resolve().with_name("rabbitmq-server")
        process = subprocess.Popen(
            [real], env=own, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield answering(f"amqp://guest:guest@127.0.0.1:{port}//", process)
        finally:
            process.terminate()
            process.wait()
            # The node has started a directory of nodes, which would stay.
            subprocess.run(["epmd", "-port", epmd_port, "-kill"], capture_output=True)
