"""Where the lines of a run go: an earlier run's stay until the report of this one is whole."""

import json
from pathlib import Path

import pytest

from pytest_ambient.report import files
from pytest_ambient.report.lines import Lines, kept

OLD = {"nodeid": "a", "kept": ["artifacts/R1/a.curl.txt", "artifacts/R1/scene/pods.txt", "artifacts/R2/b.curl.txt"]}
NEW = {"nodeid": "a", "kept": ["artifacts/R2/b.curl.txt"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What an earlier run has left."""
    (tmp_path / "results.jsonl").write_text(json.dumps(OLD) + "\n")
    for name in (*OLD["kept"], "artifacts/R1/mine.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def names(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_first_run_of_a_folder_writes_where_its_lines_stay(tmp_path: Path) -> None:
    """As each comes."""
    lines = Lines(tmp_path / "out")
    lines.write("{}\n")
    assert (tmp_path / "out" / "results.jsonl").read_text() == "{}\n"
    lines.settle()
    lines.close()
    assert names(tmp_path) == ["out/results.jsonl"]


def test_an_earlier_run_s_lines_stay_until_the_report_is_whole(folder: Path) -> None:
    """Then they go, with what they kept and nobody else's."""
    lines = Lines(folder)
    lines.write(json.dumps(NEW) + "\n")
    assert json.loads((folder / "results.jsonl").read_text()) == OLD
    assert json.loads((folder / "results.new.jsonl").read_text()) == NEW
    lines.settle()
    lines.close()
    assert json.loads((folder / "results.jsonl").read_text()) == NEW
    assert names(folder) == ["artifacts/R1/mine.txt", "artifacts/R2/b.curl.txt", "results.jsonl"]


def test_nothing_outside_the_artefacts_is_ever_removed(tmp_path: Path) -> None:
    """Whatever the lines of another say."""
    told = ["artifacts/../report.yaml", "report.yaml", "/etc/passwd", 7]
    (tmp_path / "results.jsonl").write_text('damaged\n"text"\n' + json.dumps({"kept": told}) + '\n{"kept": 1}\n')
    assert kept(tmp_path / "results.jsonl") == set()


def test_a_report_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """What finds no room leaves all of the earlier report, and nothing is done beside."""
    old = {tmp_path / "report.yaml": "old", tmp_path / "report.html": "old page"}
    files.write_all(old)
    done: list[str] = []
    with pytest.raises(UnicodeEncodeError):
        files.write_all({tmp_path / "report.yaml": "new", tmp_path / "report.html": "\udcff"}, lambda: done.append("x"))
    assert {path: path.read_text() for path in tmp_path.iterdir()} == old
    assert done == []
