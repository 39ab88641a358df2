"""Archives: whole or not at all, and never outside of their folder."""

import io
import tarfile
from pathlib import Path

import pytest

from pytest_ambient._archive import unpack
from pytest_ambient.errors import FetchFailed


def archive(path: Path, *members: tuple[str, bytes], link: tuple[str, str] | None = None) -> Path:
    """A tar.gz of these files."""
    with tarfile.open(path, "w:gz") as tar:
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(body), 0o755
            tar.addfile(info, io.BytesIO(body))
        if link is not None:
            info = tarfile.TarInfo(link[0])
            info.type, info.linkname = tarfile.SYMTYPE, link[1]
            tar.addfile(info)
    return path


def test_an_archive_is_unpacked_whole_or_by_one_member(tmp_path: Path) -> None:
    """Programs stay programs; what is there already is taken as it is."""
    packed = archive(tmp_path / "a.tgz", ("tool-1/bin/tool", b"x"), ("tool-1/README", b"y"))
    whole = unpack(packed, None, tmp_path / "whole")
    assert (whole / "tool-1/README").read_bytes() == b"y"
    one = unpack(packed, "tool-1/bin/tool", tmp_path / "one")
    assert one == tmp_path / "one/tool-1/bin/tool"
    assert (one.read_bytes(), one.stat().st_mode & 0o100) == (b"x", 0o100)
    assert [path.name for path in (tmp_path / "one/tool-1").iterdir()] == ["bin"]
    one.write_bytes(b"changed")
    assert unpack(packed, "tool-1/bin/tool", tmp_path / "one").read_bytes() == b"changed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz", "one", "whole"]


@pytest.mark.parametrize("name", ["../out", "tool/../../out"])
def test_nothing_is_put_outside_the_folder(tmp_path: Path, name: str) -> None:
    """Neither by a path nor by a link; then nothing at all is unpacked."""
    (tmp_path / "in").mkdir()
    by_path = archive(tmp_path / "p.tgz", ("good", b"x"), (name, b"evil"))
    by_link = archive(tmp_path / "l.tgz", ("good", b"x"), link=("out", "../../../out"))
    for packed in (by_path, by_link):
        with pytest.raises(FetchFailed, match=rf"{packed}: cannot be unpacked to .*/in/to: "):
            unpack(packed, None, tmp_path / "in/to")
    assert list((tmp_path / "in").iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    """Cut short, no archive, without the member."""
    packed = archive(tmp_path / "a.tgz", ("tool", b"x" * 10_000))
    with pytest.raises(FetchFailed, match=r"a.tgz: holds no other$"):
        unpack(packed, "other", tmp_path / "to")
    (tmp_path / "cut.tgz").write_bytes(packed.read_bytes()[:60])
    (tmp_path / "none.tgz").write_bytes(b"<html>")
    for name in ("cut", "none"):
        with pytest.raises(FetchFailed, match=rf"{name}.tgz: cannot be unpacked to"):
            unpack(tmp_path / f"{name}.tgz", None, tmp_path / "to")
    assert not (tmp_path / "to").exists()
