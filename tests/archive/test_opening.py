"""An archive is opened by its URL, and needs its packages only then."""

import subprocess
import sys
from pathlib import Path

import pytest

from energycore.archive import open_archive
from energycore.errors import InvalidValue, MissingExtra
from energycore.testing.archives import put
from energycore.testing.contract import readings

BATCH = readings((1, 0, 5, None))


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}", "file://{}/"])
def test_a_folder_is_opened_by_its_path_or_url(tmp_path, scope, form):
    archive = open_archive(form.format(tmp_path / "a folder/über"))
    file = put(archive, scope, 0, BATCH)
    assert (tmp_path / "a folder/über" / file.name).stat().st_size == file.size_bytes
    assert archive.names(scope) == [file.name]


def test_a_relative_folder_stays_where_it_was(tmp_path, scope, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = open_archive("cold")
    monkeypatch.chdir("/")
    file = put(archive, scope, 0, BATCH)
    assert (tmp_path / "cold" / file.name).is_file()
    assert len(archive.read(scope, file.name)) == 1


def test_opening_writes_nothing(folder):
    open_archive(str(folder))
    assert not folder.exists()


@pytest.mark.parametrize(
    "url",
    [
        *("", None, 7, Path("cold"), "cold\n", "a::b", "file:cold", "file:///", "file://host/cold"),
        *("file://", "s3://", "s3://b", "s3:///prefix", "s3:bucket", "S3://bucket", "s3://b//c"),
        *("s3://k3y:s3cret@bucket", "s3://bucket?k3y=s3cret", "s3://bucket/#s3cret"),
        *("http://k3y:s3cret@host/a", "gs://bucket", "simplecache::s3://bucket", "memory:"),
    ],
)
def test_what_is_no_url_of_an_archive_is_refused(url):
    with pytest.raises(InvalidValue, match="archive must be a folder, file:///folder") as caught:
        open_archive(url)
    for secret in ("k3y", "s3cret"):
        assert secret not in caught.value.message
        assert secret not in repr(caught.value.value)


def test_options_that_contradict_each_other_are_refused_without_showing_them():
    with pytest.raises(InvalidValue, match="storage_options") as caught:
        open_archive("s3://bucket", key="k3y", username="joe")
    assert caught.value.value == "key, username"


@pytest.mark.parametrize(
    ("module", "url", "extra"),
    [
        ("pyarrow.parquet", "cold", "archive"),
        ("fsspec.core", "cold", "archive"),
        ("s3fs", "s3://bucket", "s3"),
    ],
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    monkeypatch, module, url, extra
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf'pip install "energycore\[{extra}\]"'):
        open_archive(url)


def test_importing_the_package_loads_none_of_the_libraries():
    program = "import energycore.archive, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "energycore" in loaded
    assert not loaded & {"pyarrow", "fsspec", "s3fs", "pandas"}


def test_a_program_that_used_a_bucket_ends_quietly(s3_url, bucket, tmp_path):
    program = """
import sys
from energycore.archive import open_archive
from energycore.protocols.scope import Scope

archive = open_archive(sys.argv[1], endpoint_url=sys.argv[2], key="tests", secret="tests")
print(archive.names(Scope("nobody")))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, f"s3://{bucket}", s3_url],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
