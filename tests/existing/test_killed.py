"""A run that is killed, two at once, namespaces of others: nothing of theirs changes, nothing of ours stays."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .estate import ROOT, Estate, environment, results, run_words

POLICY = "security.istio.io/v1/AuthorizationPolicy"
MESH = """
import pytest
pytestmark = pytest.mark.ambient(scope="mesh", disruptive=True)

def test_hangs(ambient_apply):
    ambient_apply("mesh.yaml")
    import time, pathlib
    pathlib.Path(__file__).with_name("applied").touch()
    time.sleep(120)
"""
MANIFEST = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: from-a-run, namespace: "${ROOT_NAMESPACE}"}
spec: {action: DENY, rules: [{to: [{operation: {ports: ["4711"]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: of-others, namespace: "${ROOT_NAMESPACE}", annotations: {x: ours}}
spec: {action: DENY, rules: [{to: [{operation: {ports: ["4712"]}}]}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: class-of-a-run}
spec: {controllerName: example.com/none}
"""


def command(estate: Estate, *words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """One verb of the console script."""
    code = "import sys; from pytest_ambient.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT, env=environment(state), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def until(seen: Callable[[], object], what: str, within: float = 60.0) -> None:
    """Wait for something."""
    end = time.monotonic() + within
    while not seen():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.1)


@pytest.fixture
def theirs(owned_by_others: Estate) -> dict[str, Any]:
    """A policy of others in the root namespace, harmless."""
    rules = [{"to": [{"operation": {"ports": ["22"]}}]}]
    policy: dict[str, Any] = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy"}
    policy["metadata"] = {"name": "of-others", "namespace": "istio-system", "annotations": {"x": "theirs"}}
    return owned_by_others.kube.apply({**policy, "spec": {"action": "DENY", "rules": rules}}, field_manager="them")


def test_a_killed_run_is_reaped_whole(owned_by_others: Estate, theirs: dict[str, Any], tmp_path: Path) -> None:
    """Its namespaces, its cluster-wide objects and its policy in the root namespace go, what it changed is put back."""
    kube, before = owned_by_others.kube, owned_by_others.names("v1/Namespace")
    (tmp_path / "test_mesh.py").write_text(MESH)
    (tmp_path / "mesh.yaml").write_text(MANIFEST)
    state = tmp_path / "state"
    words = run_words(owned_by_others.cluster.kubeconfig, str(tmp_path / "test_mesh.py"), "--ambient-disruptive")
    run = subprocess.Popen(
        words, cwd=tmp_path, env=environment(state), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        until((tmp_path / "applied").exists, "the manifest")
    finally:
        os.kill(run.pid, signal.SIGKILL)
        said, _ = run.communicate(timeout=30)
    mine = kube.get(POLICY, "from-a-run", "istio-system")
    changed = kube.get(POLICY, "of-others", "istio-system")
    assert mine is not None, said
    assert changed is not None, said
    assert set(mine["metadata"]["labels"]) == {"pytest-ambient/run"}
    assert "labels" not in changed["metadata"]
    assert changed["metadata"]["annotations"] == {"x": "ours"}
    dry = command(owned_by_others, "cleanup", "--dry-run", state=state)
    run_id = mine["metadata"]["labels"]["pytest-ambient/run"]
    assert f"would remove namespaces of run {run_id} in context ambient-estate" in dry.stderr
    assert "would take back AuthorizationPolicy istio-system/from-a-run, unless that was done" in dry.stderr
    assert "would take back GatewayClass class-of-a-run" in dry.stderr
    assert kube.get(POLICY, "from-a-run", "istio-system") is not None
    done = command(owned_by_others, "cleanup", state=state)
    assert done.returncode == 0, done.stderr
    assert kube.get(POLICY, "from-a-run", "istio-system") is None
    assert kube.get("gateway.networking.k8s.io/v1/GatewayClass", "class-of-a-run") is None
    restored = kube.get(POLICY, "of-others", "istio-system")
    assert restored is not None
    assert (restored["spec"], restored["metadata"]["annotations"]) == (theirs["spec"], {"x": "theirs"})
    assert {entry["manager"] for entry in restored["metadata"]["managedFields"]} <= {
        "them",
        "istiod",
        "pilot-discovery",
    }
    assert owned_by_others.names("v1/Namespace") == before
    assert list((state / "pytest-ambient" / "changes").iterdir()) == []
    assert list((state / "pytest-ambient" / "leases").iterdir()) == []


def test_two_runs_at_once_do_not_meet(owned_by_others: Estate, tmp_path: Path) -> None:
    """Side by side on one cluster, both hold, and both leave nothing."""
    before = owned_by_others.names("v1/Namespace")
    config, test = owned_by_others.cluster.kubeconfig, "conformance/l4/test_allow_principal.py"
    runs = [
        subprocess.Popen(
            run_words(config, test, report=tmp_path / name), cwd=ROOT, env=environment(tmp_path / f"{name}-state"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for name in ("a", "b")
    ]  # fmt: skip
    said = [run.communicate(timeout=200)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert {row["word"] for name in ("a", "b") for row in results(tmp_path / name).values()} == {"holds"}
    assert owned_by_others.names("v1/Namespace") == before


def test_a_namespace_of_others_is_refused_and_left(owned_by_others: Estate, tmp_path: Path) -> None:
    """Whatever its name: nothing is written into it, and it is not removed at the end."""
    kube = owned_by_others.kube
    made = kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop-other"}}, field_manager="them"
    )
    try:
        ran = owned_by_others.pytest(
            owned_by_others.cluster.kubeconfig, "conformance/l4/test_allow_principal.py", "--ambient-namespace=shop",
            state=tmp_path,
        )  # fmt: skip
        assert ran.status == 1
        told = "namespace shop-other exists and was not made by pytest-ambient; choose another with --ambient-namespace"
        assert told in ran.text
        now = kube.get("v1/Namespace", "shop-other")
        assert now is not None
        assert now["metadata"]["uid"] == made["metadata"]["uid"]
        assert kube.list("v1/ServiceAccount", "shop-other") == [] or owned_by_others.names(
            "v1/ServiceAccount", "shop-other"
        ) == {"default"}
        assert not {"shop", "shop-outside"} & owned_by_others.names("v1/Namespace")
    finally:
        kube.delete("v1/Namespace", "shop-other", wait=30)


def test_what_is_outside_is_not_written_without_being_asked_for(owned_by_others: Estate, tmp_path: Path) -> None:
    """scope=mesh skips with the option's name; a manifest that leaves its place by itself is refused."""
    (tmp_path / "mesh.yaml").write_text(MANIFEST)
    (tmp_path / "test_mesh.py").write_text(MESH.replace("disruptive=True", "").replace("time.sleep(120)", ""))
    (tmp_path / "test_slips.py").write_text(MESH.replace('scope="mesh", disruptive=True', ""))
    config = owned_by_others.cluster.kubeconfig
    ran = owned_by_others.pytest(config, str(tmp_path), "-rs", state=tmp_path / "state")
    assert "scope=mesh writes outside our own namespaces: --ambient-disruptive" in ran.text
    assert "would change namespace istio-system; a case without scope='mesh' may only write to" in ran.text
    assert owned_by_others.kube.get(POLICY, "from-a-run", "istio-system") is None
