"""The archive keeps its contract in a folder, in memory and in an object store."""

import pytest

from energycore.testing.archives import ArchiveContract


class TestFolder(ArchiveContract):
    @pytest.fixture
    def archive(self, folder_archive):
        return folder_archive


class TestMemory(ArchiveContract):
    @pytest.fixture
    def archive(self, memory_archive):
        return memory_archive


class TestS3(ArchiveContract):
    @pytest.fixture
    def archive(self, s3_archive):
        return s3_archive
