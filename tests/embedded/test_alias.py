"""A deep state folder gets a short name for as long as it is used."""

from pathlib import Path

import pytest

from pytest_ambient.embedded.alias import LONGEST, short


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of this test."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def deep(tmp_path: Path) -> Path:
    """A folder whose path is too long for sockets."""
    folder = tmp_path / ("d" * LONGEST)
    folder.mkdir()
    return folder


def test_a_short_path_is_taken_as_it_is() -> None:
    """Nothing is made for a folder whose sockets fit."""
    with short(Path("/tmp/x")) as folder:
        assert folder == Path("/tmp/x")


def test_a_deep_folder_has_a_link_that_ends_with_its_use(tmp_path: Path, temporary: Path) -> None:
    """What is written through the link lies in the folder, and nothing of the link is left."""
    with short(deep(tmp_path)) as folder:
        (folder / "file").write_text("here")
        assert folder.parent == temporary
        assert (tmp_path / ("d" * LONGEST) / "file").read_text() == "here"
    assert list(temporary.iterdir()) == []


def test_a_link_left_by_a_killed_process_is_taken_over(tmp_path: Path, temporary: Path) -> None:
    """The same folder gets the same name again."""
    folder = deep(tmp_path)
    with short(folder) as link:
        left = link
    left.symlink_to(folder)
    with short(folder) as link:
        assert link == left


def test_a_strangers_file_is_not_touched(tmp_path: Path, temporary: Path) -> None:
    """A file of the link's name that leads elsewhere is an error."""
    folder = deep(tmp_path)
    with short(folder) as link:
        name = link
    name.symlink_to(tmp_path)
    with pytest.raises(FileExistsError), short(folder):
        pass
    assert name.readlink() == tmp_path
