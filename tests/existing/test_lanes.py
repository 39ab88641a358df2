"""Modules judged side by side on somebody else's cluster: in namespaces of their own, which all go again."""

import signal
import subprocess
from pathlib import Path

import pytest

from .estate import ROOT, Estate, environment, roles, run_words
from .test_killed import until

RULE = """
from pytest_ambient import GET, Answered, case, cases

REVIEWS = GET("http://reviews.${NAMESPACE}:9080/reviews/0")


@cases(case("it-is-answered", "curl", REVIEWS, Answered(200), unchanged=True))
def test_rule(verdict):
    verdict.holds()
"""
BROKEN = RULE.replace("Answered(200)", "Answered(204)")
OWN = RULE.replace("def test_rule(verdict):", "def test_rule(verdict, own):") + (
    "\nimport pytest\n\n\n@pytest.fixture\ndef own():\n    return 1\n"
)
HELD = "hold=90"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder of rules, the last of them broken and the one before it with a fixture of its own."""
    folder = tmp_path / "rules"
    folder.mkdir()
    texts = {"a": RULE, "b": RULE, "c": RULE, "d": RULE, "e": OWN, "f": BROKEN}
    for name, text in texts.items():
        (folder / f"test_{name}.py").write_text(text.replace("test_rule", f"test_{name}"))
        (folder / f"test_{name}.yaml").write_text("")
    return folder


def test_lanes_judge_from_the_last_module_back(owned_by_others: Estate, rules: Path, tmp_path: Path) -> None:
    """The last rule is asked of the second lane's Bookinfo, one with a fixture of its own never; nothing is left."""
    config, before = owned_by_others.account("lanes", roles()), owned_by_others.names("v1/Namespace")
    words = [str(rules), "--rootdir", str(rules), "--ambient-lanes=2", "--ambient-timeout=control=3"]
    ran = owned_by_others.pytest(config, *words, state=tmp_path / "state", report=tmp_path / "report")
    where = {name.partition("[")[0]: second(row) for name, row in ran.rows.items()}
    assert {name: row["verdict"] for name, row in ran.rows.items() if row["verdict"] != "holds"} == {
        "test_f[it-is-answered]": "broken"
    }, ran.text
    assert (where["test_a"], where["test_e"], where["test_f"]) == (False, False, True), where
    assert owned_by_others.names("v1/Namespace") == before


def second(row: dict[str, object]) -> bool:
    """Whether the second lane's namespace was called."""
    return "-2:9080" in str(row)


def test_ctrl_c_ends_lanes_too(owned_by_others: Estate, rules: Path, tmp_path: Path) -> None:
    """Whatever a lane is at: it is put back, and its namespaces go."""
    before = owned_by_others.names("v1/Namespace")
    words = run_words(owned_by_others.cluster.kubeconfig, str(rules), "--rootdir", str(rules), "--ambient-lanes=2")
    words.append(f"--ambient-timeout={HELD}")
    heard = signal.signal(signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(
        words,
        cwd=ROOT,
        env=environment(tmp_path / "s"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    signal.signal(signal.SIGINT, heard)
    try:
        until(lambda: lane_is_there(owned_by_others) or run.poll() is not None, "the second lane's Bookinfo")
        assert run.poll() is None, run.communicate()[0]
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=120)
    finally:
        if run.poll() is None:
            run.kill()
            run.communicate()
    assert run.returncode == 2, said
    assert owned_by_others.names("v1/Namespace") == before, said


def lane_is_there(estate: Estate) -> bool:
    """Whether pods run in a second lane."""
    found = [name for name in estate.names("v1/Namespace") if name.startswith("bookinfo-r") and name.endswith("-2")]
    return any(pod["status"].get("phase") == "Running" for name in found for pod in estate.kube.list("v1/Pod", name))
