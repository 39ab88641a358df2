"""Every pod that we ever make may run where pod security is restricted, as one user with a number."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ambient.manifest import free
from pytest_ambient.mesh.bookinfo import FOLDER
from pytest_ambient.probe.lent import CURL_USER, curl_container, user_of
from tests.pod_security import refused

SUITE = Path(__file__).parent.parent / "conformance"
FILES = sorted([*FOLDER.rglob("*.yaml"), *SUITE.rglob("*.yaml")])
THE_MESHS = ("${ISTIOD_NAMESPACE}", "${CNI_NAMESPACE}", "${ZTUNNEL_NAMESPACE}")
CURL = curl_container("curl", "curl", 100)


def templates() -> Iterator[tuple[str, dict[str, Any]]]:
    """The pod specs in all our manifests, by file and name; those of the mesh's own workloads are not ours."""
    for path in FILES:
        for item in yaml.safe_load_all(path.read_text()):
            if ((item or {}).get("metadata") or {}).get("namespace") in THE_MESHS:
                continue
            spec = (item or {}).get("spec") or {}
            pod = spec if (item or {}).get("kind") == "Pod" else (spec.get("template") or {}).get("spec")
            if pod:
                yield f"{path.name} {item['metadata']['name']}", pod


@pytest.mark.parametrize("pod", [pytest.param(pod, id=name) for name, pod in templates()])
def test_a_manifests_pods_are_taken_where_security_is_restricted(pod: dict[str, Any]) -> None:
    """And their users have numbers, for an image's own may be a name, of which nobody can tell that it is not root."""
    assert refused(pod) == []
    assert all(isinstance(one["securityContext"]["runAsUser"], int) for one in pod["containers"])


def test_pods_and_containers_with_curl_are_taken_too() -> None:
    """Twin pods and ephemeral containers, whatever the user."""
    assert refused({"containers": [CURL]}) == []
    assert refused({"ephemeralContainers": [CURL]}) == []


@pytest.mark.parametrize(
    ("spec", "user"),
    [
        ({"containers": [{"name": "a", "securityContext": {"runAsUser": 1001}}]}, 1001),
        ({"securityContext": {"runAsUser": 7}, "containers": [{"name": "a"}]}, 7),
        ({"securityContext": {"runAsUser": 7}, "containers": [{"name": "a", "securityContext": {"runAsUser": 8}}]}, 8),
        ({"containers": [{"name": "a", "securityContext": {"runAsUser": 0}}]}, CURL_USER),
        ({"containers": [{"name": "a"}]}, CURL_USER),
    ],
)
def test_curl_runs_as_the_user_of_its_pod(spec: dict[str, Any], user: int) -> None:
    """A cluster that assigns users takes no other; root is never taken over."""
    assert user_of({"spec": spec}) == user


def test_a_cluster_that_assigns_users_gets_pods_without_one() -> None:
    """All else of their security stays."""
    template = {"spec": {"containers": [copy.deepcopy(CURL)]}}
    item = {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"template": template}}
    template["spec"]["initContainers"] = [copy.deepcopy(CURL)]
    pod = free(item)["spec"]["template"]["spec"]
    for container in (*pod["containers"], *pod["initContainers"]):
        assert "runAsUser" not in container["securityContext"]
    assert refused(pod) == []
    assert "runAsUser" in template["spec"]["containers"][0]["securityContext"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"allowPrivilegeEscalation": None}, "allowPrivilegeEscalation is not false"),
        ({"capabilities": {"drop": ["NET_RAW"]}}, "capabilities are not all dropped"),
        ({"runAsNonRoot": False}, "runAsNonRoot is not true"),
        ({"runAsUser": 0}, "runs as root"),
        ({"seccompProfile": None}, "no seccompProfile"),
        ({"privileged": True}, "privileged"),
    ],
)
def test_the_checker_sees_each_lack(change: dict[str, Any], reason: str) -> None:
    """One thing missing is one reason."""
    container = {**CURL, "securityContext": {**CURL["securityContext"], **change}}
    assert refused({"containers": [container]}) == [f"curl: {reason}"]


def test_the_checker_sees_what_a_pod_asks_of_its_host() -> None:
    """Namespaces and folders of the host."""
    spec = {"containers": [CURL], "hostNetwork": True, "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}
    assert refused(spec) == ["hostNetwork is used", "volume v: not allowed"]
