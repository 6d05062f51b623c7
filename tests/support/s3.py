"""A server that speaks S3, for tests: moto's, in a thread of this process."""

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["LOGIN", "make_bucket", "put", "server"]

LOGIN = {"key": "tests", "secret": "not-so-secret"}
"""What s3fs needs to sign its requests; the server believes everybody."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Give the address of a server that has no bucket yet."""
    from moto.server import ThreadedMotoServer  # most tests do without its second of imports

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        running.stop()


def make_bucket(url: str, bucket: str) -> None:
    """Make an empty bucket on the server."""
    with _client(url) as client:
        client.create_bucket(Bucket=bucket)


def put(url: str, bucket: str, key: str, content: bytes) -> None:
    """Write an object past everything that is tested."""
    with _client(url) as client:
        client.put_object(Bucket=bucket, Key=key, Body=content)


def _client(url: str) -> "contextlib.closing[Any]":
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=LOGIN["key"],
        aws_secret_access_key=LOGIN["secret"],
    )
    return contextlib.closing(client)
