"""`report compare` and `report history` over files: what they pair, print and refuse."""

import argparse
import errno
import json
import os
from pathlib import Path

import pytest

from pytest_ambient.cli import main
from pytest_ambient.commands import report_compare, report_history
from pytest_ambient.errors import Misuse
from tests.report.pairs import report, saved

GOOD = report({"R1": {"a": "holds"}, "R2": {"b": "holds"}})
BAD = report({"R1": {"a": "holds"}, "R2": {"b": "broken"}}, date="2026-11-21")


def run(verb: object, *words: str | Path) -> int:
    """One of the two, as the console script calls it."""
    parser = argparse.ArgumentParser()
    verb.arguments(parser)  # type: ignore[attr-defined]  # of a module
    return int(verb.act(parser.parse_args([str(word) for word in words])))  # type: ignore[attr-defined]


def test_a_report_without_promises_is_read_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of an earlier version do not say what their rules promise."""
    folders = []
    for name, document in (("old", GOOD), ("new", BAD)):
        rules = [{key: value for key, value in rule.items() if key != "about"} for rule in document["rules"]]
        folders.append(saved(tmp_path / name, {**document, "rules": rules}))
    assert run(report_compare, *folders) == 1
    assert "  worse  R2  success -> failure" in capsys.readouterr().out.splitlines()
    assert run(report_history, tmp_path, "--html", tmp_path / "page.html") == 0
    for form in ("html", "markdown"):
        assert main(["report", "render", str(folders[1]), "-o", form]) == 0


def test_two_files_or_folders_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Either way means the same document; 1 when something got worse, 0 when not."""
    old, new = saved(tmp_path / "old", GOOD), saved(tmp_path / "new", BAD)
    assert run(report_compare, old, new) == 1
    first = capsys.readouterr().out
    assert first.splitlines()[-1] == "worse: R2"
    assert run(report_compare, old / "report.yaml", new / "report.yaml") == 1
    assert capsys.readouterr().out == first
    assert run(report_compare, new, old) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing got worse; better: R2"


def test_two_nights_are_paired_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is new is no regression, what is missing is."""
    for name, one in (("old/a", GOOD), ("new/a", GOOD), ("new/b", BAD)):
        saved(tmp_path / name, one)
    assert run(report_compare, tmp_path / "old", tmp_path / "new") == 0
    told = capsys.readouterr().out
    assert told.startswith("a\nold  ")
    assert told.endswith("\nb is new, there is nothing to compare it with\n")
    assert run(report_compare, tmp_path / "new", tmp_path / "old") == 1
    assert capsys.readouterr().out.endswith("\nb is missing in the new folder\n")


def test_the_first_night_has_nothing_before_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder is that."""
    (tmp_path / "old").mkdir()
    saved(tmp_path / "new" / "a", BAD)
    assert run(report_compare, tmp_path / "old", tmp_path / "new") == 0
    assert capsys.readouterr().out == "a is new, there is nothing to compare it with\n"


def test_nights_as_markdown_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A section for each, or one object."""
    for name, one in (("old/a", GOOD), ("new/a", BAD), ("old/b", GOOD)):
        saved(tmp_path / name, one)
    assert run(report_compare, tmp_path / "old", tmp_path / "new", "-o", "markdown") == 1
    told = capsys.readouterr().out
    assert told.startswith("## a\n\n**worse: R2**\n")
    assert told.endswith("\n## b\n\n**it is missing in the new folder**\n")
    assert run(report_compare, tmp_path / "old", tmp_path / "new", "-o", "json") == 1
    values = json.loads(capsys.readouterr().out)
    assert (values["worse"], list(values["reports"]), list(values["alone"])) == (True, ["a"], ["b"])
    assert run(report_compare, tmp_path / "old" / "a", tmp_path / "new" / "a", "-o", "json") == 1
    assert json.loads(capsys.readouterr().out)["rules"][0]["what"] == "R2"


def test_what_is_no_report_is_one_line(tmp_path: Path) -> None:
    """Each says which file and what is wrong; the first one is told."""
    good = saved(tmp_path / "good", GOOD)
    newer, foreign, damaged, truncated = (saved(tmp_path / name, GOOD) / "report.yaml" for name in ("n", "f", "d", "t"))
    newer.write_text(newer.read_text().replace("pytest-ambient/v1", "pytest-ambient/v2"))
    foreign.write_text("kind: ConformanceReport\n")
    damaged.write_text("kind: [\n")
    truncated.write_text(truncated.read_text().partition("rules:")[0])
    for path, said in (
        (newer, "is written in pytest-ambient/v2, this version reads pytest-ambient/v1"),
        (foreign, "is no AmbientConformanceReport, it is of kind ConformanceReport"),
        (damaged, "is damaged: "),
        (truncated, "is truncated: "),
        (tmp_path / "nowhere", "no such file or folder"),
    ):
        with pytest.raises(Misuse) as told:
            run(report_compare, good, path)
        assert str(told.value).startswith(f"{path}: {said}")
        assert "\n" not in str(told.value)


def test_the_console_script_says_it_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2, whatever cannot be compared or drawn."""
    other = report({"R1": {"a": "holds"}}, digest="sha256:" + "b" * 64)
    old, new = saved(tmp_path / "old", GOOD), saved(tmp_path / "new", other)
    assert main(["report", "compare", str(old), str(new)]) == 2
    assert capsys.readouterr().err.startswith("pytest-ambient: the reports are of different suites, ")
    assert main(["report", "history", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err == f"pytest-ambient: {tmp_path}/nowhere: no such folder\n"
    assert main(["report", "compare", "--across", str(old), str(new)]) == 0


def test_a_folder_without_permission_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an empty history."""
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(Misuse, match=r"closed: cannot be read: Permission denied$"):
        run(report_history, tmp_path)


def test_a_history_is_printed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table on standard output, the page where it is asked for."""
    saved(tmp_path / "20" / "a", GOOD)
    saved(tmp_path / "21" / "a", BAD)
    page = tmp_path / "out" / "history.html"
    assert run(report_history, tmp_path, "--html", page) == 0
    said = capsys.readouterr()
    assert said.out == (
        "rule  Istio 1.30, Kubernetes 1.34, ztunnel, kind (2)\n"
        "R2    RED since 2026-11-21\n"
        "R1    ok\n"
    )  # fmt: skip
    assert said.err == f"drawn in {page}\n"
    assert page.read_text().startswith("<!doctype html>")
    assert run(report_history, tmp_path, "-o", "json") == 0
    assert list(json.loads(capsys.readouterr().out)[0]["red"]) == ["R2"]


def test_a_history_of_nothing_is_one_line(tmp_path: Path) -> None:
    """So is one that cannot be drawn; then nothing is left half written."""
    with pytest.raises(Misuse, match=r"it has no report.yaml, nor has a folder in it$"):
        run(report_history, tmp_path)
    with pytest.raises(Misuse, match=r"nowhere: no such folder$"):
        run(report_history, tmp_path / "nowhere")
    saved(tmp_path / "a", GOOD)
    (tmp_path / "taken").write_text("")
    with pytest.raises(Misuse, match=r"taken/page.html: cannot be written: .*"):
        run(report_history, tmp_path, "--html", tmp_path / "taken" / "page.html")
