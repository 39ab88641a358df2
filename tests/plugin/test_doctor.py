"""`pytest-ambient doctor`: what it looks at, what it says, and when it fails."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_ambient import _http
from pytest_ambient.cli import main
from pytest_ambient.cluster import lease, provider
from pytest_ambient.cluster.lease import Lease
from pytest_ambient.cluster.permissions import MANIFEST
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.finding import Finding
from pytest_ambient.testing import FakeKube, FakeProvider

Object = dict[str, Any]


class Looks(FakeProvider):
    """A provider that has found something."""

    told: tuple[Finding, ...] = ()

    def findings(self, spec: ClusterSpec) -> tuple[Finding, ...]:
        """What the test says."""
        return self.told


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looks]:
    """`--ambient-cluster=looks`, with registries that answer."""
    fake = Looks(tmp_path / "diary")
    provider.register("looks", lambda: fake)
    monkeypatch.setattr(_http, "unreachable", lambda url, within=5.0: "")
    yield fake
    provider.forget("looks")


def test_each_finding_is_a_line_with_its_remedy(looks: Looks, capsys: pytest.CaptureFixture[str]) -> None:
    """What is good, what might do harm, what cannot be known; none of these fails."""
    looks.told = (
        Finding("runtime", "ok", "docker 29"),
        Finding("inotify", "warning", "128", "sysctl -w x=512"),
        Finding("kernel", "unknown", "not here"),
    )
    assert main(["doctor", "--ambient-cluster=looks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok    pytest-ambient: ")
    assert "ok    runtime: docker 29" in lines
    assert "warn  inotify: 128: sysctl -w x=512" in lines
    assert "?     kernel: not here" in lines
    assert "ok    registry docker.io: answers this machine" in lines


def test_a_failed_finding_fails(looks: Looks, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 1; what would come after it is not asked."""
    looks.told = (Finding("runtime", "failed", "none", "install docker"),)
    assert main(["doctor", "--ambient-cluster=looks"]) == 1
    said = capsys.readouterr().out
    assert "FAIL  runtime: none: install docker" in said
    assert "registry" not in said


def test_it_answers_in_json(looks: Looks, capsys: pytest.CaptureFixture[str]) -> None:
    """One list, alone on standard output."""
    looks.told = (Finding("runtime", "failed", "none", "install docker"),)
    assert main(["doctor", "--ambient-cluster=looks", "-o", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"what": "runtime", "state": "failed", "seen": "none", "remedy": "install docker"} in found


def test_it_prints_the_roles(capsys: pytest.CaptureFixture[str]) -> None:
    """As they are, for kubectl."""
    assert main(["doctor", "--rbac"]) == 0
    assert capsys.readouterr().out == MANIFEST.read_text()


def test_without_a_cluster_only_this_machine_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing else to look at."""
    assert main(["doctor"]) == 0
    assert {line.split()[1].rstrip(":") for line in capsys.readouterr().out.splitlines()} == {
        "pytest-ambient",
        "kubectl",
    }


def test_a_wrong_use_is_told_as_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown cluster is exit code 2."""
    assert main(["doctor", "--ambient-cluster=nowhere"]) == 2
    assert "unknown cluster 'nowhere'" in capsys.readouterr().err


def test_what_dead_runs_left_is_told(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the way to remove it."""
    cluster = Cluster("c", Path("config"), "c", owned=False, provider="existing")
    one = lease.lease(cluster, "r1")
    assert one.owner is not None
    Lease(cluster, "r1", type(one.owner)(one.owner.pid, "another start")).write()
    assert main(["doctor"]) == 0
    told = "warn  left behind: namespaces of run r1 in context c: pytest-ambient cleanup"
    assert told in capsys.readouterr().out.splitlines()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig, and registries that do not answer."""
    (tmp_path / "config").write_text("{current-context: c, contexts: [{name: c}]}")
    monkeypatch.setattr(_http, "unreachable", lambda url, within=5.0: "Connection refused")
    return tmp_path / "config"


def existing(monkeypatch: pytest.MonkeyPatch, config: Path, kube: FakeKube, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of an existing cluster."""
    monkeypatch.setattr("pytest_ambient._kube.Kube", lambda path, context: kube)
    main(["doctor", "--ambient-cluster=existing", f"--ambient-kubeconfig={config}"])
    return capsys.readouterr().out


def test_a_cluster_without_a_mesh(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fails, and says what is not there; a registry that this machine does not reach fails nothing."""
    said = existing(monkeypatch, config, FakeKube(), capsys)
    assert "ok    API server: Kubernetes v1.34.4" in said
    assert "FAIL  mesh: there is none: no istiod: no Deployment with label app=istiod" in said
    assert "warn  registry docker.io: not reached from this machine: Connection refused: images come from there" in said


def test_an_embedded_cluster_that_runs_pulls_nothing(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So no registry is asked, however somebody attaches to it."""
    kube, runtime = FakeKube(), {"nodeInfo": {"containerRuntimeVersion": "embedded://1"}}
    kube.objects["v1/Node", "", "n"] = {"metadata": {"name": "n"}, "status": runtime}
    said = existing(monkeypatch, config, kube, capsys)
    assert "ok    API server: Kubernetes v1.34.4" in said
    assert "registry" not in said


def part(kind: str, name: str, label: str, *, ready: int) -> tuple[tuple[str, str, str], Object]:
    """A part of the mesh that should run once on each of two nodes."""
    spec: Object = {"replicas": 2, "template": {"metadata": {"labels": dict([label.split("=")])}}}
    spec["template"]["spec"] = {"containers": [{"name": "c", "image": "istio/pilot:1.30.3"}]}
    status = {"availableReplicas": ready, "numberReady": ready, "desiredNumberScheduled": 2}
    meta = {"name": name, "namespace": "istio-system", "labels": dict([label.split("=")])}
    return (f"apps/v1/{kind}", "istio-system", name), {"metadata": meta, "spec": spec, "status": status, "kind": kind}


def test_a_mesh_with_troubles(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each part on its line; pods that should be captured and are not, and policies of others, are told too."""
    kube = FakeKube()
    kube.objects |= dict(
        [
            part("Deployment", "istiod", "app=istiod", ready=2),
            part("DaemonSet", "istio-cni-node", "k8s-app=istio-cni-node", ready=2),
            part("DaemonSet", "ztunnel", "app=ztunnel", ready=1),
        ]
    )
    labels = {"istio.io/dataplane-mode": "ambient"}
    kube.objects["v1/Namespace", "", "shop"] = {"metadata": {"name": "shop", "labels": labels}}
    running: Object = {"spec": {"containers": [{"name": "c"}]}, "status": {"phase": "Running"}}
    for name, more in (("a", {}), ("b", {"labels": {"istio.io/dataplane-mode": "none"}})):
        meta = {"name": name, "namespace": "shop", **more}
        kube.objects["v1/Pod", "shop", name] = {"metadata": meta, **running}
    beside: Object = {"containers": [{"name": "c"}], "initContainers": [{"name": "istio-proxy"}]}
    native: Object = {"metadata": {"name": "c", "namespace": "shop"}, **running, "spec": beside}
    injected = {"name": "d", "namespace": "shop", "annotations": {"sidecar.istio.io/status": "{}"}}
    kube.objects["v1/Pod", "shop", "c"] = native
    kube.objects["v1/Pod", "shop", "d"] = {"metadata": injected, **running}
    policy = {"metadata": {"name": "deny-all", "namespace": "istio-system"}, "spec": {}}
    kube.objects["security.istio.io/v1/AuthorizationPolicy", "istio-system", "deny-all"] = policy
    lines = existing(monkeypatch, config, kube, capsys).splitlines()
    assert "ok    istiod: ready, 1.30.3" in lines
    assert "FAIL  ztunnel: ztunnel in istio-system: 1 of 2 ready: kubectl describe its pods" in lines
    assert (
        "warn  captured pods: 1 of 1 in enrolled namespaces are not: shop/a: delete such a pod, so that its successor "
        "is captured"
    ) in lines
    assert any(line.startswith("warn  policies for all namespaces: AuthorizationPolicy deny-all: ") for line in lines)


def test_a_server_that_answers_anything_is_reachable() -> None:
    """Registries answer 401 to whoever does not log in; nobody there is told with the reason."""

    class Refuses(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/v2/"
        assert _http.unreachable(url) == ""
        server.shutdown()
        thread.join()
    assert _http.unreachable(url) == "Connection refused"
