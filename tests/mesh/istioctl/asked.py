"""What is asked of istioctl, and what it answers."""

import json
from pathlib import Path
from typing import Any

import yaml

from pytest_ambient.mesh.istioctl import Istioctl
from tests.doubles import Doubles
from tests.mesh.landing import Cluster, FakeTarget, spec

WHERE = "--kubeconfig /k/config --context c1"
VERSION = json.dumps({"clientVersion": {"version": "1.30.3"}})
INSTALL = r"install -y -f (\S+) --readiness-timeout \S+ " + WHERE
PURGE = f"uninstall -y --purge {WHERE}"
FAILED = """        |\\
       / |
✘ Istiod encountered an error: failed to wait for resource: resources not ready after 20s: context deadline exceeded
- Processing resources for CNI.
Error: failed to install manifests: 1 error occurred:
	* failed to wait for resource: resources not ready after 20s: context deadline exceeded
  Deployment/istio-system/istiod (container failed to start: ImagePullBackOff: no such host)
"""
"""What istioctl 1.30 writes when istiod does not come up (recorded, shortened)."""


def willing(doubles: Doubles, cluster: Cluster) -> None:
    """Let it install and uninstall."""
    doubles.answer("istioctl", INSTALL, "✔ Installation complete", files={str(cluster.marks / "installed"): "1"})
    doubles.answer("istioctl", PURGE, "✔ Uninstall complete", files={str(cluster.marks / "removed"): "1"})


def install(whole: FakeTarget, tmp_path: Path, **more: Any) -> None:
    """Do all steps of the installer, one after another."""
    for group in Istioctl().steps(whole, spec(tmp_path, **{"within": 5, **more})):
        for step in group:
            step.do()


def uninstall(whole: FakeTarget, tmp_path: Path) -> None:
    """Take it out."""
    Istioctl().uninstall(whole, spec(tmp_path, within=2))


def written(tmp_path: Path) -> Any:
    """The spec of the IstioOperator that istioctl was given."""
    return yaml.safe_load((tmp_path / "istio-operator.yaml").read_text())["spec"]


def commands(doubles: Doubles) -> list[str]:
    """First words of the calls that touch a cluster."""
    return [line.split()[0] for line in doubles.lines("istioctl") if not line.startswith("version")]
