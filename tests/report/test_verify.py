"""`report verify`: an edited count is told, a damaged file is one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pytest_ambient.cli import main
from pytest_ambient.report import files, verify
from tests.doubles import Doubles
from tests.report.runs import RED, WHOLE, Object, beside, feature, folder


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A folder as a run leaves it, with one row that is red."""
    return folder(tmp_path / "out", [*WHOLE, RED], beside(feature("Waypoint")))


def edit(report: Path, change: Callable[[Object], object]) -> None:
    """Write the document with a change in it."""
    made = yaml.safe_load((report / "report.yaml").read_text())
    change(made)
    (report / "report.yaml").write_text(files.dumped(made))


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[str], list[str]]:
    """Exit code, and the lines of both outputs."""
    code = main(["report", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out.splitlines(), [line for line in err.splitlines() if not line.startswith("note: ")]


def test_a_report_that_nobody_touched_verifies(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its folder or its file."""
    line = f"{report}/report.yaml: failure; all of it follows from 4 rows of results.jsonl"
    assert said(capsys, "verify", report) == (0, [line], [])
    assert said(capsys, "verify", report / "report.yaml") == (0, [line], [])


EDITS: dict[str, tuple[Callable[[Object], object], str]] = {
    "count": (
        lambda made: made["profiles"][1]["core"].update(failed=0),
        "profiles[AMBIENT-L7].core.failed: the document says 0, results.jsonl give 1",
    ),
    "result": (
        lambda made: made.update(result="success"),
        "result: the document says 'success', results.jsonl give 'failure'",
    ),
    "word": (
        lambda made: made["rules"][1]["cases"][1].update(word="holds"),
        "rules[R3].cases[delete-is-denied].word: the document says 'holds', results.jsonl give 'broken'",
    ),
    "time": (
        lambda made: made["rules"][1]["convergence"].update(median=1.0),
        "rules[R3].convergence.median: the document says 1.0, results.jsonl give 120.0",
    ),
    "feature": (
        lambda made: made["features"][0].update(passed=2),
        "features[Waypoint].passed: the document says 2, results.jsonl give 1",
    ),
    "publishable": (
        lambda made: made.update(publishable=False),
        "publishable: the document says False, results.jsonl give True",
    ),
    "left out": (
        lambda made: made["rules"].pop(0),
        "rules: the document has 2 entries, results.jsonl give 3",
    ),
    "end": (
        lambda made: made.update(seconds=1.0),
        "seconds: the document says 1.0, results.jsonl give 12.5",
    ),
    "environment": (
        lambda made: made["environment"].update(istio="1.31.0"),
        "environment.istio: the document says '1.31.0', results.jsonl give '1.30.3'",
    ),
    "feature's state": (
        lambda made: made["features"][0].update(state="absent"),
        "features[Waypoint].state: the document says 'absent', results.jsonl give 'verified'",
    ),
    "schema": (lambda made: made.update(more=1), "unknown 'more'"),
    "run": (
        lambda made: made["run"].update(id="r2"),
        "run.id: the document is of run r2, results.jsonl of run r1",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_told(report: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Where it is, what stands there and what the results give; exit code 1."""
    change, line = EDITS[name]
    edit(report, change)
    code, out, err = said(capsys, "verify", report)
    assert (code, out[0], err) == (1, line, [f"{report}/report.yaml: {len(out)} wrong"])


def test_edited_results_are_told_too(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By their digest, and by every count that depends on them."""
    path = report / "results.jsonl"
    path.write_text(path.read_text().replace('"broken"', '"holds"'))
    code, out, _ = said(capsys, "verify", report)
    assert code == 1
    assert any(line.startswith("results.sha256: the document says ") for line in out)
    assert "profiles[AMBIENT-L7].core.failed: the document says 1, results.jsonl give 0" in out


def test_results_without_their_end_prove_nothing(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody knows what came after the last of them."""
    path = report / "results.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    code, out, _ = said(capsys, "verify", report)
    wanted = "results.jsonl: its last line, which says how the run ended, is missing: it was cut, or the run was killed"
    assert (code, out[0], out[2]) == (1, wanted, "results.lines: the document says 6, results.jsonl give 5")


def test_without_results_nothing_is_proven(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document alone is a claim."""
    (report / "results.jsonl").unlink()
    assert said(capsys, "verify", report)[:2] == (
        1, ["results.jsonl is not beside it, so that no count can be made again"],
    )  # fmt: skip


def write(name: str, text: str | bytes) -> Callable[[Path], object]:
    """Puts a text in a file's place."""
    return lambda report: (report / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def replaced(name: str, old: str, new: str) -> Callable[[Path], object]:
    """Changes a text in a file."""
    return lambda report: (report / name).write_text((report / name).read_text().replace(old, new, 1))


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda report: (report / "report.yaml").unlink(), "{}: it has no report.yaml"),
    "empty": (write("report.yaml", ""), "{}/report.yaml: is no AmbientConformanceReport, it is something else"),
    "damaged": (write("report.yaml", "a: ["), "{}/report.yaml: is damaged: line *"),
    "binary": (write("report.yaml", b"\xff\xfe"), "{}/report.yaml: is damaged: it is no text"),
    "truncated": (
        lambda report: (report / "report.yaml").write_text(
            (report / "report.yaml").read_text().partition("features")[0]
        ),
        "{}/report.yaml: is truncated: it has no results at its end",
    ),
    "foreign": (
        replaced("report.yaml", "AmbientConformanceReport", "ConformanceReport"),
        "{}/report.yaml: is no AmbientConformanceReport, it is of kind ConformanceReport",
    ),
    "newer": (
        replaced("report.yaml", "pytest-ambient/v1", "pytest-ambient/v2"),
        "{}/report.yaml: is written in pytest-ambient/v2, this version reads pytest-ambient/v1",
    ),
    "newer results": (
        replaced("results.jsonl", "pytest-ambient/v1", "pytest-ambient/v2"),
        "{}/results.jsonl: is written in pytest-ambient/v2, this version reads pytest-ambient/v1",
    ),
    "cut results": (
        lambda report: (report / "results.jsonl").write_text((report / "results.jsonl").read_text()[:-9]),
        "{}/results.jsonl: line 6 is damaged",
    ),
    "end without a state": (replaced("results.jsonl", '"state"', '"stat"'), "{}/results.jsonl: line 6 lacks state"),
    "a line that is no object": (
        lambda report: (report / "results.jsonl").write_text((report / "results.jsonl").read_text() + "[]\n"),
        "{}/results.jsonl: line 7 is damaged",
    ),
    "no results": (write("results.jsonl", ""), "{}/results.jsonl: is empty"),
    "headless results": (replaced("results.jsonl", '"run"', '"ran"'), "{}/results.jsonl: line 1 lacks run"),
    "unknown word": (
        replaced("results.jsonl", '"word": "broken"', '"word": "fine"'),
        "{}/results.jsonl: line 5: unknown word 'fine'",
    ),
    "head without settings": (
        replaced("results.jsonl", '"weakening"', '"strengthening"'),
        "{}/results.jsonl: is damaged: KeyError('weakening')",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_one_line(report: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Exit code 2, nothing on standard output."""
    damage, line = UNREADABLE[name]
    damage(report)
    code, out, err = said(capsys, "verify", report)
    assert (code, out, len(err)) == (2, [], 1)
    wanted = f"pytest-ambient: {line.format(report)}"
    assert err[0].startswith(wanted[:-1]) if wanted.endswith("*") else err[0] == wanted


def test_a_path_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the path as it was given."""
    line = f"pytest-ambient: {tmp_path}/nowhere: no such file or folder"
    assert said(capsys, "verify", tmp_path / "nowhere") == (2, [], [line])


def test_a_signature_is_made_and_checked_by_what_is_there(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """minisign first; a report that is not signed does not verify with a key."""
    (tmp_path / "tools").mkdir()
    tools = Doubles(tmp_path / "tools")
    monkeypatch.setenv("PATH", str(tools.path))
    file, key = report / "report.yaml", tmp_path / "key"
    line = "it is not signed: neither report.yaml.minisig nor report.yaml.cosign is beside it"
    assert said(capsys, "verify", report, "--key", key)[:2] == (1, [line])
    tools.answer("minisign", "-S .* -x (.*)", times=1, files={r"\1": "a signature"})
    tools.answer("minisign", "-S .*", stderr="Wrong password for that key\n", status=1)
    tools.answer("minisign", "-V .*", "Signature and comment signature verified\n", times=1)
    tools.answer("minisign", "-V .*", "", stderr="Signature verification failed\n", status=1)
    assert said(capsys, "sign", report, "--key", key)[1] == [f"{file}.minisig"]
    (line,) = tools.lines("minisign")
    assert line.startswith(f"-S -s {key} -m {file} -x ")
    code, _, err = said(capsys, "sign", report, "--key", key)
    assert (code, err[0].rpartition(": ")[2]) == (1, "Wrong password for that key")
    assert Path(f"{file}.minisig").read_text() == "a signature"  # the one that there was
    code, out, _ = said(capsys, "verify", report, "--key", key)
    assert (code, out[0].rpartition(", ")[2]) == (0, "its signature holds")
    code, out, _ = said(capsys, "verify", report, "--key", key)
    assert code == 1
    assert out[0].startswith("its signature does not hold: minisign -V")
    assert "Signature verification failed" in out[0]


def test_without_a_program_nothing_is_signed(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names both."""
    monkeypatch.setenv("PATH", str(tmp_path))
    line = "pytest-ambient: minisign and cosign cannot be found on the PATH"
    assert said(capsys, "sign", report, "--key", tmp_path / "key") == (2, [], [line])


def test_a_report_of_another_version_is_noted(report: Path) -> None:
    """What makes counts may have changed with it."""
    edit(report, lambda made: made["suite"].update(version="0.0.1"))
    assert verify.notes(report)[0].startswith("it was made by pytest-ambient 0.0.1, this is ")


def test_nothing_is_overwritten_unless_whole(tmp_path: Path) -> None:
    """A file that cannot be finished leaves the old one and no trace."""
    path = tmp_path / "report.yaml"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        files.write(path, "new \udcff")
    assert (path.read_text(), [one.name for one in tmp_path.iterdir()]) == ("old", ["report.yaml"])
    files.write(path, json.dumps({}))
    assert path.read_text() == "{}"
