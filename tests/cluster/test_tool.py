"""A tool is found and weighed, what it says is kept, and its failure is told in one line of its own words."""

from pathlib import Path

import pytest

from pytest_ambient._run import Ran
from pytest_ambient.cluster import tool
from pytest_ambient.cluster.tool import Tool, reason
from pytest_ambient.errors import ProviderError
from pytest_ambient.finding import Finding
from tests.doubles import Doubles

THING = Tool("thing", "5.7.0", "https://thing.example/install", asked=("version",))
REMEDY = "get thing 5.7.0 or newer: https://thing.example/install"


@pytest.fixture
def doubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doubles:
    """A PATH of doubles, and a folder beside it."""
    (tmp_path / "bin").mkdir()
    found = Doubles(tmp_path / "bin")
    monkeypatch.setenv("PATH", found.path)
    return found


def ran(tmp_path: Path, *arguments: str, keep: bool = True) -> str:
    """What the tool answers."""
    return THING.run(*arguments, folder=tmp_path, within=10.0, environment={"OURS": "1"}, keep=keep)


SAID = {
    "new enough": ("thing version v5.10.2\nk3s version v1.35.5-k3s1 (default)\n", "ok", "5.10.2 at {path}", ""),
    "oldest": ("thing version v5.7.0\n", "ok", "5.7.0 at {path}", ""),
    "too old": ("thing version v5.6.3\n", "failed", "{path} is 5.6.3", REMEDY),
    "no version": ("thing version v5-dev\n", "warning", "{path} does not tell its version", REMEDY),
}


@pytest.mark.parametrize(("said", "state", "seen", "remedy"), SAID.values(), ids=SAID)
def test_a_version_is_weighed_by_numbers(doubles: Doubles, said: str, state: str, seen: str, remedy: str) -> None:
    """5.10 is newer than 5.7; one that cannot be told is let through with a warning."""
    doubles.answer("thing", "version", said)
    assert THING.found() == Finding("thing", state, seen.format(path=doubles.folder / "thing"), remedy)  # type: ignore[arg-type]  # one of its states


def test_a_missing_or_broken_tool_says_where_to_get_it(doubles: Doubles, tmp_path: Path) -> None:
    """When it is looked for and when it is used."""
    assert str(THING.found()) == f"thing: not on PATH: {REMEDY}"
    with pytest.raises(ProviderError, match=rf"^thing is not on PATH: {REMEDY}$"):
        ran(tmp_path, "go")
    assert not tool.begun(tmp_path)
    doubles.answer("thing", "version", stderr="no libc\n", status=127)
    assert str(THING.found()) == f"thing: {doubles.folder}/thing version: exit 127: no libc: {REMEDY}"


def test_what_it_says_is_kept_but_no_secret(doubles: Doubles, tmp_path: Path) -> None:
    """An answer that is a kubeconfig is given and not logged; our additions are in its environment."""
    doubles.answer("thing", "go", "out\n", stderr="err\n")
    doubles.answer("thing", "kubeconfig", "client-key-data: c2VjcmV0\n")
    assert ran(tmp_path, "go") == "out\n"
    assert tool.begun(tmp_path)
    assert ran(tmp_path, "kubeconfig", keep=False) == "client-key-data: c2VjcmV0\n"
    assert (tmp_path / "tool.log").read_text() == "$ thing go\nerr\nout\n$ thing kubeconfig\n"
    assert (tmp_path / "tool.log").stat().st_mode & 0o077 == 0
    assert doubles.calls("thing")[0].env["OURS"] == "1"
    tool.forget(tmp_path)
    assert not tool.begun(tmp_path)


def test_a_failure_and_a_delay_are_one_line_and_kept(doubles: Doubles, tmp_path: Path) -> None:
    """With the command, ready to paste; and the log that cannot be written is named."""
    doubles.answer("thing", "go --fast", stderr='INFO[0001] trying\nFATA[0002] it "fell"\n', status=1)
    doubles.answer("thing", "go --slow", seconds=30)
    with pytest.raises(ProviderError, match=r'^thing go --fast: exit 1: it "fell$'):
        ran(tmp_path, "go", "--fast")
    with pytest.raises(ProviderError, match=r"thing go --slow: not done within 0.3 s$"):
        THING.run("go", "--slow", folder=tmp_path, within=0.3, environment={})
    assert "FATA[0002]" in (tmp_path / "tool.log").read_text()
    assert (tmp_path / "tool.log").read_text().endswith("go --slow: not done within 0.3 s\n")
    with pytest.raises(ProviderError, match=r"/nowhere/tool\.log: cannot be written: No such file or directory$"):
        ran(tmp_path / "nowhere", "go")


REASONS = {
    "k3d v5.9.0 without docker": (
        "\x1b[31mERRO\x1b[0m[0000] Failed Cluster Preparation: Cannot connect to the Docker daemon \n"
        "\x1b[36mINFO\x1b[0m[0000] Deleting cluster 'bench' \n"
        "\x1b[31mERRO\x1b[0m[0000] Failed to create cluster >>> Rolling Back    \n"
        "\x1b[31mFATA\x1b[0m[0000] Cluster creation FAILED, all changes have been rolled back! \n",
        "Failed Cluster Preparation: Cannot connect to the Docker daemon; Failed to create cluster >>> Rolling Back; "
        "Cluster creation FAILED, all changes have been rolled back!",
    ),
    "k3d v5.9.0 with a wrong flag": (
        'Usage:\n  k3d cluster create NAME\n\ntime="2026-11-21T11:43:16Z" level=fatal msg="unknown flag: --bogus"\n',
        "unknown flag: --bogus",
    ),
    "minikube v1.38 without docker": (
        "* minikube v1.38.1 on Debian 12\n\nX Exiting due to PROVIDER_DOCKER_NOT_RUNNING: docker is not running\n"
        "* Suggestion: Start the Docker service\n",
        "PROVIDER_DOCKER_NOT_RUNNING: docker is not running",
    ),
    "another": ("first\nlast  \n\n", "last"),
    "nothing": ("", "it said nothing"),
    "too much": (f"ERRO[0001] {'x' * 900}", f"{'x' * 400}…"),
    "the same twice": ("ERRO[0001] no\nERRO[0002] no\n", "no"),
}


@pytest.mark.parametrize(("said", "told"), REASONS.values(), ids=REASONS)
def test_the_reason_is_what_the_tool_itself_calls_fatal(said: str, told: str) -> None:
    """Without colours, blanks and repetition; the last line where it marks none."""
    assert reason(Ran(1, "", said)) == told
    assert reason(Ran(1, said, "")) == told
