"""The files that an Envoy reads."""

from pathlib import Path
from typing import Any

import pytest

from pytest_ambient.embedded.dataplane.encoding import Unwritable
from pytest_ambient.embedded.dataplane.files import Files, file

A, B, BAD = {"name": "a"}, {"name": "b"}, {"name": "c", "colour": "red"}


def test_versions(tmp_path: Path) -> None:
    """Each change is another version, in whatever order the items come; what is there already is none."""
    files = Files(tmp_path)
    assert [files.write("clusters", each) for each in ([A, B], [B, A], [A], [], [])] == ["1", None, "2", "3", None]
    assert file(tmp_path, "clusters").read_bytes() == b"\n\x013"


@pytest.mark.parametrize(
    ("broken", "error", "content"), [("", Unwritable, [BAD, B]), ("clusters.new", OSError, [B])], ids=str
)
def test_what_could_not_be_written_is_not_taken_for_written(
    broken: str, error: type[Exception], content: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The file stays as it was, and whoever writes the same again is not told that it is there."""
    files = Files(tmp_path)
    files.write("clusters", [A])
    before = file(tmp_path, "clusters").read_bytes()
    if broken:
        (tmp_path / broken).mkdir()
    for _ in range(2):
        with pytest.raises(error):
            files.write("clusters", content)
    assert file(tmp_path, "clusters").read_bytes() == before
    assert files.write("clusters", [A]) is None
