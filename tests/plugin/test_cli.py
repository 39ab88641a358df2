"""The console script: exit codes, texts, and what it leaves."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_ambient
from pytest_ambient import _probing
from pytest_ambient.cli import VERBS, main
from pytest_ambient.cluster import lease
from pytest_ambient.cluster.provider import Cluster
from pytest_ambient.errors import BrokenEnvironment
from pytest_ambient.mesh import gateway_api
from pytest_ambient.testing import FakeProvider, fake_installer

UP = ["up", "--ambient-cluster=fake"]


def test_up_leaves_a_cluster_and_says_what_to_try(
    fake: FakeProvider, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole answer; nobody owns the cluster any more."""
    assert main(UP) == 0
    kubeconfig = state / "clusters" / "bench" / "kubeconfig"
    assert capsys.readouterr().out.splitlines() == [
        "cluster bench (fake) is up",
        f"  kubeconfig  {kubeconfig}",
        f"  try         export KUBECONFIG={kubeconfig}",
        "              kubectl get pods -A",
        "              kubectl -n bookinfo exec deploy/curl -- curl -sS http://productpage:9080/productpage",
        f"  test        pytest --ambient-cluster=existing --ambient-kubeconfig={kubeconfig}",
        "  remove      pytest-ambient down --ambient-name=bench",
    ]
    found = lease.of_cluster("bench")
    assert found is not None
    assert found.owner is None


def test_up_answers_in_json(fake: FakeProvider, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, alone on standard output; without Bookinfo there is no namespace."""
    assert main([*UP, "-o", "json", "--ambient-name=a", "--ambient-namespace=books"]) == 0
    kubeconfig = str(state / "clusters" / "a" / "kubeconfig")
    expected = {"name": "a", "kubeconfig": kubeconfig, "context": "a", "namespace": "books"}
    assert json.loads(capsys.readouterr().out) == expected
    assert main([*UP, "-o", "json", "--ambient-name=b", "--no-bookinfo"]) == 0
    assert json.loads(capsys.readouterr().out)["namespace"] is None


def test_up_of_a_name_that_is_up_says_so(fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, and nothing is harmed."""
    assert main(UP) == 0
    assert main(UP) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(
        "pytest-ambient: cluster fake did not come up: cluster bench (fake) is there already: "
        "pytest-ambient down --ambient-name=bench, or test it with --ambient-cluster=existing --ambient-kubeconfig="
    )
    assert fake.asked() == ["create"]


def test_up_takes_everything_back_when_bookinfo_does_not_come(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left half made."""

    def broken(*_: object) -> str:
        raise BrokenEnvironment("Bookinfo to be Ready: not within 180 s")

    monkeypatch.setattr(_probing, "furnish", broken)
    assert main(UP) == 1
    assert "pytest-ambient: Bookinfo to be Ready: not within 180 s" in capsys.readouterr().err
    assert fake.asked() == ["create", "delete"]
    assert list(lease.leases()) == []


def test_down_removes_what_up_left(fake: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, and only once."""
    main([*UP, "--ambient-name=a"])
    assert main(["down", "--ambient-name=a"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "removed cluster a (fake)"
    assert fake.asked() == ["create", "delete"]
    assert main(["down", "--ambient-name=a"]) == 1
    assert capsys.readouterr().err == "pytest-ambient: there is no cluster a, there are none\n"


def test_down_leaves_a_cluster_of_a_run_that_goes_on(
    fake: FakeProvider, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It would pull it away from under its tests."""
    lease.lease(Cluster("a", tmp_path, "a", True, "fake"), "r1").claim()
    assert main(["down", "--ambient-name=a"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pytest-ambient: cluster a (fake) belongs to a run that goes on (process ")


WRONG = {
    "no-cluster": (["up"], "pytest-ambient: up: give --ambient-cluster=embedded, kind, k3d or minikube"),
    "existing": (
        ["up", "--ambient-cluster=existing"],
        "pytest-ambient: up: give --ambient-cluster=embedded, kind, k3d or minikube, existing is up already",
    ),
    "unknown": (
        ["up", "--ambient-cluster=x"],
        "pytest-ambient: unknown cluster 'x', known are embedded, existing, fake, k3d, kind, minikube",
    ),
    "nodes": ([*UP, "--ambient-nodes=x"], "pytest-ambient: --ambient-nodes: wanted a number from 1 to 99, got 'x'"),
    "fault": (
        [*UP, "--ambient-fault=policy-ignored"],
        "pytest-ambient: --ambient-fault needs --ambient-cluster=embedded, not fake: "
        "no other mesh is broken on purpose",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_use_is_one_line_and_exit_2(
    fake: FakeProvider, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """Before anything is made."""
    assert main(arguments) == 2
    assert capsys.readouterr().err == message + "\n"
    assert fake.asked() == []


@pytest.mark.parametrize("arguments", [[], ["upp"], ["up", "--ambient-clust=fake"], ["down", "--ambient-cluster=fake"]])
def test_an_unknown_word_is_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is abbreviated, and a verb takes its own options only."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: pytest-ambient")


def test_options_come_from_the_environment_too(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As under pytest; those that the verb does not take are not asked."""
    monkeypatch.setenv("AMBIENT_CLUSTER", "fake")
    monkeypatch.setenv("AMBIENT_CONTEXT", "prod")
    assert main(["up", "--ambient-name=env"]) == 0
    assert main(["down", "--ambient-name=env"]) == 0


def test_the_version_has_one_place() -> None:
    """The script tells what the package says."""
    done = subprocess.run(
        [sys.executable, "-c", "from pytest_ambient.cli import main; main(['--version'])"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"pytest-ambient {pytest_ambient.__version__}\n"


def test_a_verb_alone_is_loaded() -> None:
    """The others cost nothing, whatever they need; the list of all of them has a line each."""
    code = "import sys; from pytest_ambient.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: pass\n"
    code += "print(sorted(name for name in sys.modules if name.startswith('pytest_ambient.commands.')))"

    def said(*arguments: str) -> list[str]:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()

    assert said("down", "--help")[-1] == "['pytest_ambient.commands.down']"
    lines = {line.split()[0]: line for line in said("--help") if line.startswith("    ")}
    assert set(VERBS) <= set(lines)
    assert lines["down"].strip() == "down      remove a cluster that up or --ambient-keep left running"


def test_a_variable_with_a_slip_in_its_name_is_told(
    fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error: the answer stays alone on the other."""
    monkeypatch.setenv("AMBIENT_NODS", "3")
    assert main([*UP, "-o", "json"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == "pytest-ambient: AMBIENT_NODS is not read, is AMBIENT_NODES meant?"
    assert said.out.startswith("{")


def test_up_brings_a_mesh_into_a_bare_cluster(
    fake: FakeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays with the cluster, and the lease says what it is."""
    fake.meshed = False
    monkeypatch.setattr(gateway_api, "steps", lambda target, spec: [])
    with fake_installer(tmp_path / "mesh") as mesh:
        assert main([*UP, "--ambient-installer=fake", "--ambient-istio-version=1.30.3"]) == 0
        assert sorted(mesh.asked()) == ["do agents", "do control-plane", "do proxies"]
        found = lease.of_cluster("bench")
        assert found is not None
        assert found.installed is not None
        assert (found.owner, found.installed["words"]) == (None, "Istio 1.30.3 (fake)")
        mesh.fails = "agents"
        assert main([*UP, "--ambient-name=b", "--ambient-installer=fake"]) == 1
        lines = capsys.readouterr().err.splitlines()
        assert lines[-2].startswith("pytest-ambient: the mesh in cluster fake did not come up: agents of Istio ")
        assert lines[-1].startswith("  evidence in ")
    assert fake.asked()[-2:] == ["save_logs", "delete"]


def test_a_reader_that_goes_is_no_error() -> None:
    """`pytest-ambient matrix | head -n 1` prints one line and no traceback."""
    program = "import sys; from pytest_ambient.cli import main; sys.exit(main(['matrix']))"
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} | head -n 1"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Istio")
    assert done.stderr == ""
