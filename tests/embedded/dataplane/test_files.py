"""The files that an Envoy reads."""

import asyncio
from pathlib import Path

import pytest

from pytest_ambient.embedded.dataplane.encoding import Unwritable
from pytest_ambient.embedded.dataplane.envoy import Envoy
from pytest_ambient.embedded.dataplane.files import Files, file
from pytest_ambient.embedded.dataplane.resources import Resources
from pytest_ambient.embedded.objects import Object
from pytest_ambient.embedded.process import Processes

A, B, BAD = {"name": "a"}, {"name": "b"}, {"name": "c", "colour": "red"}


def test_versions(tmp_path: Path) -> None:
    """Each change is another version, in whatever order the items come; what is there already is none."""
    files = Files(tmp_path)
    written = [write(files, each) for each in ([A, B], [B, A], [A], [], [])]
    assert written == ["1", None, "2", "3", None]
    assert file(tmp_path, "clusters").read_bytes() == b"\n\x013"


def write(files: Files, items: list[Object]) -> str | None:
    """The version of these clusters."""
    return files.write("clusters", files.encoded("clusters", items))


def test_what_could_not_be_written_is_not_taken_for_written(tmp_path: Path) -> None:
    """The file stays as it was, and whoever writes the same again is not told that it is there."""
    files = Files(tmp_path)
    write(files, [A])
    before = file(tmp_path, "clusters").read_bytes()
    (tmp_path / "clusters.new").mkdir()
    for _ in range(2):
        with pytest.raises(OSError, match=r"clusters\.new"):
            write(files, [B])
    assert file(tmp_path, "clusters").read_bytes() == before
    assert write(files, [A]) is None


def test_an_envoy_takes_all_or_nothing_of_what_can_be_written(tmp_path: Path) -> None:
    """A listener that is no good keeps the new clusters, which are written first, from being taken too."""
    envoy = Envoy("ztunnel", tmp_path, Processes(), print, 1)
    asyncio.run(envoy.apply(Resources(clusters=[A])))
    before = file(tmp_path, "clusters").read_bytes()
    with pytest.raises(Unwritable, match=r"Listener has no field colour"):
        asyncio.run(envoy.apply(Resources(clusters=[A, B], listeners=[BAD])))
    assert file(tmp_path, "clusters").read_bytes() == before
    asyncio.run(envoy.apply(Resources(clusters=[A, B])))
    assert file(tmp_path, "clusters").read_bytes() != before
