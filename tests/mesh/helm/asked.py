"""What is asked of Helm, and what it answers."""

import json
from pathlib import Path
from typing import Any

from pytest_ambient.mesh.helm import Helm
from tests.doubles import Doubles
from tests.mesh.landing import ROOT, Cluster, FakeTarget, release, spec

ANY = "--deployed --failed --pending --uninstalled --uninstalling"
WHERE = "--kubeconfig /k/config --kube-context c1"
OURS = "--selector pytest-ambient/run=r1"
PENDING = "UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress"


def willing(doubles: Doubles, cluster: Cluster) -> None:
    """Let it install and uninstall; Istio is there with ztunnel and gone with it."""
    marks = {"installed": str(cluster.marks / "installed"), "removed": str(cluster.marks / "removed")}
    doubles.answer("helm", "list .*", "[]")
    doubles.answer("helm", "upgrade --install ztunnel .*", "STATUS: deployed", files={marks["installed"]: "1"})
    doubles.answer("helm", "upgrade --install .*", "STATUS: deployed")
    doubles.answer("helm", "uninstall ztunnel .*", 'release "ztunnel" uninstalled', files={marks["removed"]: "1"})
    doubles.answer("helm", "uninstall .*", "release uninstalled")


def lists(doubles: Doubles, name: str, status: str, selector: str = ".*", namespace: str = ROOT) -> None:
    """Let it know of a release (recorded from Helm 3.19)."""
    one = {"name": name, "namespace": namespace, "revision": "1", "status": status, "chart": f"{name}-1.30.3"}
    line = rf"list {ANY} --filter \^{name}\$ --output json {selector}--namespace {namespace} .*"
    doubles.answer("helm", line, json.dumps([one]))


def install(whole: FakeTarget, tmp_path: Path, **more: Any) -> None:
    """Do all steps of the installer, one after another, from a local release unless told otherwise."""
    wanted = spec(tmp_path, **{"within": 5, "release": release(tmp_path), **more})
    for group in Helm().steps(whole, wanted):
        for step in group:
            step.do()


def uninstall(whole: FakeTarget, tmp_path: Path) -> None:
    """Take it out."""
    Helm().uninstall(whole, spec(tmp_path, within=2))


def lines(doubles: Doubles, verb: str) -> list[str]:
    """The calls with a verb."""
    return [line for line in doubles.lines("helm") if line.startswith(verb)]
