"""Files that are not there, stores that are not reached, and files that are not what they were."""

import os
from contextlib import contextmanager
from hashlib import blake2b

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from energycore.archive import open_archive
from energycore.errors import ArchiveDamaged, ArchiveUnavailable
from energycore.testing.archives import put
from energycore.testing.contract import new_scope, readings, rows_of
from tests.support import s3

ROWS = [
    (device_id, second * 1_000_000, device_id * second * 7_919, stored)
    for device_id, stored in ((1, None), (2, 77), (3, None))
    for second in range(40)
]
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def name(folder_archive, scope):
    return put(folder_archive, scope, 0, readings(*ROWS)).name


def test_no_flipped_bit_changes_what_is_read(folder, folder_archive, scope, name):
    content = (folder / name).read_bytes()
    damaged = 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        (folder / name).write_bytes(changed)
        try:
            assert rows_of(folder_archive.read(scope, name)) == ROWS
        except ArchiveDamaged:
            damaged += 1
    assert damaged > 0.8 * len(content)


def test_a_file_that_was_cut_off_or_went_on_is_damaged(folder, folder_archive, scope, name):
    content = (folder / name).read_bytes()
    cut = [content[:length] for length in (0, 3, 8, 100, len(content) - 1)]
    for changed in (*cut, content[7:], content + b"\0", content + content[-8:], b"PAR1" * 200):
        (folder / name).write_bytes(changed)
        for ids in (None, [2]):
            with pytest.raises(ArchiveDamaged, match="does not hold what was written"):
                folder_archive.read(scope, name, ids=ids)


def test_a_footer_longer_than_is_read_at_first_is_read_whole(
    folder_archive, scope, name, monkeypatch
):
    monkeypatch.setattr("energycore.archive.columns._TAIL_BYTES", 100)
    assert rows_of(folder_archive.read(scope, name)) == ROWS


@pytest.mark.parametrize("other", ["tenant", "day", "file"])
def test_a_file_in_the_place_of_another_is_damaged(folder, folder_archive, scope, name, other):
    there = new_scope() if other == "tenant" else scope
    place = folder_archive.new_name(there, 1 if other == "day" else 0)
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).rename(folder / place)
    with pytest.raises(ArchiveDamaged, match=f"energycore.{other} is not"):
        folder_archive.read(there, place)


@pytest.mark.parametrize("column", ["device_id", "at", "power_mw", "stored_mwh"])
def test_a_file_of_other_columns_is_damaged(folder, folder_archive, scope, name, column):
    table = pq.read_table(folder / name)
    position = table.column_names.index(column)
    table = table.set_column(position, column, table[column].cast(pa.string()))
    pq.write_table(table, folder / name)
    content = (folder / name).read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    digest = blake2b(content[start:], digest_size=16).digest()
    (folder / name).write_bytes(content[:start] + digest + content[start:])
    with pytest.raises(ArchiveDamaged, match="other columns"):
        folder_archive.read(scope, name)


def test_a_write_that_fails_leaves_nothing(folder, folder_archive, scope):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(ArchiveUnavailable, match="File too large"):
            put(folder_archive, scope, 0, readings(*ROWS))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_what_a_writer_left_that_died_is_no_file_and_is_deleted_by_its_name(
    folder, folder_archive, scope, name
):
    unused = folder_archive.new_name(scope, 0)
    part = (folder / unused).with_name(f".{(folder / unused).name}.part")
    part.write_bytes(b"PAR1")
    assert folder_archive.names(scope) == [name]
    assert len(ds.dataset(folder, partitioning="hive").files) == 1
    folder_archive.delete(scope, unused)
    assert not part.exists()
    part.write_bytes(b"PAR1")
    folder_archive.write(scope, 0, readings(*ROWS), name=unused)
    assert not part.exists()
    assert rows_of(folder_archive.read(scope, unused)) == ROWS


def test_what_others_put_into_the_folders_is_no_file_of_the_archive(
    folder, folder_archive, scope, name
):
    for stray in ("_SUCCESS", "day=1970-01-01/.DS_Store", "day=1970-01-01/mine.parquet"):
        (folder / name.split("/")[0] / stray).write_bytes(b"")
    assert folder_archive.names(scope) == [name]


def test_a_folder_that_is_a_file_is_not_available(tmp_path, scope):
    (tmp_path / "file").write_text("taken")
    archive = open_archive(str(tmp_path / "file"))
    with pytest.raises(ArchiveUnavailable, match="Not a directory"):
        archive.names(scope)
    with pytest.raises(ArchiveUnavailable):
        put(archive, scope, 0, readings(*ROWS))


@contextmanager
def nobody():
    """Be a user who may do nothing, where this process is one who may do everything."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="folders have other permissions elsewhere")
def test_a_folder_that_may_not_be_read_is_not_an_empty_one(folder, folder_archive, scope, name):
    day = (folder / name).parent
    day.chmod(0)
    try:
        with nobody():
            for call in (
                lambda: folder_archive.names(scope),
                lambda: folder_archive.read(scope, name),
                lambda: folder_archive.delete(scope, name),
            ):
                with pytest.raises(ArchiveUnavailable, match="Permission denied"):
                    call()
    finally:
        day.chmod(0o700)
    assert folder_archive.names(scope) == [name]


class TestS3:
    """The faults that only an object store has."""

    @pytest.fixture(autouse=True)
    def _one_try(self, monkeypatch):
        monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)

    def assert_unavailable(self, archive, scope, match):
        name = archive.new_name(scope, 0)
        for call in (
            lambda: put(archive, scope, 0, readings(*ROWS)),
            lambda: archive.names(scope),
            lambda: archive.read(scope, name),
            lambda: archive.delete(scope, name),
        ):
            with pytest.raises(ArchiveUnavailable, match=match):
                call()

    def test_a_bucket_that_is_not_there_is_not_an_empty_one(self, s3_url, scope):
        archive = open_archive("s3://nowhere/prefix", endpoint_url=s3_url, **s3.LOGIN)
        self.assert_unavailable(archive, scope, "bucket does not exist|no file")

    def test_a_store_that_nobody_answers_for_is_unavailable(self, scope):
        archive = open_archive("s3://bucket", endpoint_url=UNREACHABLE, **s3.LOGIN)
        self.assert_unavailable(archive, scope, r'connect to the endpoint URL: "\.\.\."')

    def test_a_message_shows_no_login(self, scope):
        archive = open_archive(
            "s3://bucket", endpoint_url="http://joe:pa55@127.0.0.1:9", key="k3y", secret="s3cret"
        )
        with pytest.raises(ArchiveUnavailable) as caught:
            archive.names(scope)
        for secret in ("joe", "pa55", "k3y", "s3cret"):
            assert secret not in caught.value.message
            assert secret not in repr(archive)

    def test_credentials_and_address_come_from_the_environment(
        self, s3_url, bucket, scope, monkeypatch
    ):
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(variable, "from-the-environment")
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
        archive = open_archive(f"s3://{bucket}")
        name = put(archive, scope, 0, readings(*ROWS)).name
        assert archive.names(scope) == [name]

    def test_without_credentials_it_is_unavailable(self, s3_url, scope, monkeypatch, tmp_path):
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(variable, raising=False)
        for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(variable, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        archive = open_archive("s3://bucket", endpoint_url=s3_url)
        with pytest.raises(ArchiveUnavailable, match="Unable to locate credentials"):
            archive.names(scope)

    def test_a_damaged_file_in_a_bucket_is_damaged(self, s3_url, bucket, s3_archive, scope):
        name = put(s3_archive, scope, 0, readings(*ROWS)).name
        s3.put(s3_url, bucket, f"cold/storage/{name}", b"PAR1" * 50)
        for ids in (None, [1]):
            with pytest.raises(ArchiveDamaged):
                s3_archive.read(scope, name, ids=ids)

    def test_a_file_that_goes_away_while_it_is_read_is_not_damaged(self, s3_archive, scope):
        name = put(s3_archive, scope, 0, readings(*ROWS)).name

        class Late(list):
            """Devices that are looked at once the end of the file is read."""

            def __iter__(self):
                s3_archive.delete(scope, name)
                return super().__iter__()

        with pytest.raises(ArchiveUnavailable, match="no file"):
            s3_archive.read(scope, name, ids=Late([1]))
