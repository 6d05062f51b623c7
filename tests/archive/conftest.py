"""The archive in a folder, in memory, and in a bucket of a server that speaks S3."""

from uuid import uuid4

import pytest

from energycore.archive import open_archive
from energycore.testing.contract import new_scope
from tests.support import s3


@pytest.fixture
def scope():
    return new_scope()


@pytest.fixture
def folder(tmp_path):
    """Where the archive of a test will be; it is not there yet."""
    return tmp_path / "cold storage" / "archive"


@pytest.fixture
def folder_archive(folder):
    return open_archive(str(folder))


@pytest.fixture
def memory_archive():
    return open_archive(f"memory://{uuid4().hex}/readings")


@pytest.fixture(scope="session")
def s3_url():
    with s3.server() as url:
        yield url


@pytest.fixture(scope="session")
def bucket(s3_url):
    """A bucket for all tests that keep to tenants of their own."""
    s3.make_bucket(s3_url, "readings")
    return "readings"


@pytest.fixture(scope="session")
def s3_archive(s3_url, bucket):
    """One for all tests: a client of S3 takes long to make."""
    return open_archive(f"s3://{bucket}/cold/storage", endpoint_url=s3_url, **s3.LOGIN)
