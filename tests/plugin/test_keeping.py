"""What is kept of a case that does not hold: its own files, one scene for its state, all named in the failure."""

import os
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from pytest_ambient import GET, Answered, _keeping, case
from pytest_ambient._keeping import explain, keep, watched
from pytest_ambient._kube import Kube
from pytest_ambient.errors import NotInTime
from pytest_ambient.places import Places
from pytest_ambient.probe.result import CaseResult
from pytest_ambient.settings import Settings
from pytest_ambient.testing import FakeKube
from pytest_ambient.verdict.expectation import Word
from pytest_ambient.verdict.failure import Failure

CASE = case("is-reset", "curl", GET("http://a/"), Answered(200), unchanged=True, state="90-10")
TOLD = Failure(
    "curl", "b/curl-1", GET("http://a/"), "HTTP 200", "HTTP 405", 3, 1.0, 3, ["x.yaml: Pod b/a"], "kubectl exec"
)


def result(word: Word = Word.BROKEN) -> CaseResult:
    """What a rule run gives."""
    text = str(TOLD) if word is not Word.HOLDS else ""
    scene = {"pods.txt": "pods\n", "ztunnel.log": "Authorization: Bearer abcdefghijklmnop\n"}
    return CaseResult(CASE, word, failure=TOLD, text=text, manifest="kind: Pod", output="HTTP 405\n", scene=scene)


def kept(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_broken_case_keeps_all_that_shows_why(tmp_path: Path) -> None:
    """The line to repeat can be run; the scene carries its module's and its state's name; secrets are gone."""
    made, names = keep(Settings(report=tmp_path), "R4", "test_split", result())
    assert (
        kept(tmp_path)
        == sorted(map(str, names))
        == [
            "artifacts/R4/is-reset.curl.txt",
            "artifacts/R4/is-reset.manifest.yaml",
            "artifacts/R4/is-reset.repeat.sh",
            "artifacts/R4/scene-test_split-90-10/pods.txt",
            "artifacts/R4/scene-test_split-90-10/ztunnel.log",
        ]
    )
    repeat = tmp_path / "artifacts/R4/is-reset.repeat.sh"
    assert os.access(repeat, os.X_OK)
    assert repeat.read_text().splitlines() == [
        "#!/bin/sh",
        "# curl (b/curl-1) -> GET http://a/",
        "# wanted HTTP 200",
        "# the manifest was taken back; beside this file: kubectl apply --server-side -f is-reset.manifest.yaml",
        "kubectl exec",
    ]
    assert "abcdefghijklmnop" not in (tmp_path / str(names[-1])).read_text()
    assert made.text.splitlines()[-2:] == [
        f"  kept     {tmp_path}/artifacts/R4: is-reset.repeat.sh, is-reset.manifest.yaml, is-reset.curl.txt",
        f"           {tmp_path}/artifacts/R4/scene-test_split-90-10: pods.txt, ztunnel.log",
    ]


def test_a_scene_is_written_once_for_its_cases(tmp_path: Path) -> None:
    """The second case of a state names it and leaves it alone; another run of it is written anew."""
    settings, first = Settings(report=tmp_path), result()
    keep(settings, "R4", "test_split", first)
    file = tmp_path / "artifacts/R4/scene-test_split-90-10/pods.txt"
    file.write_text("mine")
    keep(settings, "R4", "test_split", replace(first, attempts=4))
    assert file.read_text() == "mine"
    keep(settings, "R4", "test_split", result())
    assert file.read_text() == "pods\n"


@pytest.mark.parametrize(
    ("settings", "word", "some"),
    [
        ({"artifacts": "off"}, Word.BROKEN, False),
        ({"artifacts": "on-failure"}, Word.HOLDS, False),
        ({"artifacts": "on-failure"}, Word.INCONCLUSIVE, True),
        ({"artifacts": "always"}, Word.HOLDS, True),
    ],
)
def test_it_is_kept_when_it_is_asked_for(tmp_path: Path, settings: dict[str, str], word: Word, some: bool) -> None:
    """Off, on failure, always; the text of what holds stays empty."""
    made, names = keep(Settings(report=tmp_path, **settings), "R4", "test_split", result(word))  # type: ignore[arg-type]  # words of the options
    assert bool(kept(tmp_path)) is bool(names) is some
    assert bool(made.text) is (word is not Word.HOLDS)


def test_an_error_says_where_its_scene_is(tmp_path: Path) -> None:
    """Once, whoever meets it; its files are written for the first."""
    error, settings = NotInTime("waypoint is not there"), Settings(report=tmp_path)
    assert explain(settings, "R4", "test_split", None, error) == []
    error.scene = {"pods.txt": "pods\n"}
    assert explain(Settings(), "R4", "test_split", None, error) == []
    for state in (None, "90-10"):
        assert explain(settings, "R4", "test_split", state, error) == ["artifacts/R4/scene-test_split/pods.txt"]
    assert kept(tmp_path) == ["artifacts/R4/scene-test_split/pods.txt"]
    where = tmp_path / "artifacts/R4/scene-test_split"
    assert str(error) == f"waypoint is not there\n  kept     {where}: pods.txt"


def test_scenes_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond their limit a line stands for each text; a case's own files are written all the same."""
    monkeypatch.setattr(_keeping, "_SPENT", {"scenes": 0})
    monkeypatch.setattr(_keeping, "MOST", 20)
    keep(Settings(report=tmp_path), "R4", "test_split", result())
    scene = tmp_path / "artifacts/R4/scene-test_split-90-10"
    assert (scene / "pods.txt").read_text() == "pods\n"
    assert (scene / "ztunnel.log").read_text() == "left out: this run has kept enough of scenes already\n"
    assert (tmp_path / "artifacts/R4/is-reset.curl.txt").read_text() == "HTTP 405\n"


def test_what_never_comes_up_leaves_its_scene(tmp_path: Path) -> None:
    """Pods and events of the run's namespaces, beside the run's results; without a report nobody looks."""
    kube, places = cast(Kube, FakeKube()), Places("shop", "other", "outside")
    pod = {"metadata": {"name": "late", "namespace": "shop"}, "spec": {}, "status": {"phase": "Pending"}}
    kube.apply({"apiVersion": "v1", "kind": "Pod", **pod})
    for settings in (Settings(), Settings(report=tmp_path)):
        with pytest.raises(NotInTime) as caught, watched(kube, places, settings, "bookinfo"):
            raise NotInTime("Bookinfo to be Ready")
        assert bool(caught.value.scene) is (settings.report is not None)
    assert "artifacts/bookinfo/scene-shop/pods.txt" in kept(tmp_path)
    assert (tmp_path / "artifacts/bookinfo/scene-shop/pods.txt").read_text().startswith("shop/late Pending")
    assert str(caught.value).splitlines()[1].startswith(f"  kept     {tmp_path}/artifacts/bookinfo/scene-shop: objects")


def test_a_folder_that_takes_nothing_costs_nothing() -> None:
    """The failure stays as it was."""
    made, names = keep(Settings(report=Path("/proc/nowhere")), "R4", "test_split", result())
    assert (made.text, names) == (str(TOLD), [])
    error = NotInTime("late")
    error.scene = {"pods.txt": "pods\n"}
    assert explain(Settings(report=Path("/proc/nowhere")), "R4", "test_split", None, error) == []
    assert str(error) == "late"
