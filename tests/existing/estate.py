"""Somebody else's cluster: an embedded one in a process of its own, and accounts in it that may do only so much."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pytest_ambient._kube import Kube
from pytest_ambient.cluster.embedded import Embedded
from pytest_ambient.cluster.permissions import MANIFEST
from pytest_ambient.cluster.provider import Cluster, ClusterSpec

ROOT = Path(__file__).parent.parent.parent
LIMIT = 240.0
"""Seconds for one run."""

Object = dict[str, Any]


def roles() -> list[Object]:
    """The documented ClusterRoles."""
    return list(yaml.safe_load_all(MANIFEST.read_text()))


@dataclass(frozen=True)
class Ran:
    """What one run of pytest came to."""

    status: int
    text: str
    rows: Mapping[str, Object]
    """The results by the last part of their test's id."""


@dataclass(frozen=True)
class Estate:
    """The cluster, as its administrator sees it."""

    cluster: Cluster
    folder: Path
    kube: Kube

    def account(self, name: str, granted: Sequence[Object]) -> Path:
        """The kubeconfig of a new service account with these ClusterRoles and no other right."""
        items: list[Object] = [
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": "default"}}
        ]
        for index, role in enumerate(granted):
            own = f"{name}-{index}"
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": own}
            subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
            binding = {"kind": "ClusterRoleBinding", "metadata": {"name": own}, "roleRef": reference}
            items += [{**role, "metadata": {"name": own}}]
            items += [{"apiVersion": role["apiVersion"], **binding, "subjects": [subject]}]
        for item in items:
            self.kube.apply(item)
        return self.config(name, {"token": self.token(name)})

    def token(self, name: str) -> str:
        """A token of a service account."""
        words = ["kubectl", "--kubeconfig", str(self.cluster.kubeconfig), "create", "token", name]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.strip()

    def config(self, name: str, user: Object) -> Path:
        """A kubeconfig of this cluster for a user."""
        config = yaml.safe_load(self.cluster.kubeconfig.read_text())
        config["users"] = [{"name": entry["name"], "user": user} for entry in config["users"]]
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    def names(self, kind: str, namespace: str | None = None) -> set[str]:
        """The names of what there is of a kind."""
        return {item["metadata"]["name"] for item in self.kube.list(kind, namespace)}

    def pytest(self, kubeconfig: Path, *words: str, state: Path, report: Path | None = None) -> Ran:
        """Run pytest against the cluster with a user's kubeconfig."""
        command = run_words(kubeconfig, *words, report=report)
        done = subprocess.run(
            command, cwd=ROOT, env=environment(state), capture_output=True, text=True, timeout=LIMIT, check=False
        )
        return Ran(done.returncode, done.stdout + done.stderr, results(report))


def run_words(kubeconfig: Path, *words: str, report: Path | None = None) -> list[str]:
    """The command of a run on an existing cluster."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["--ambient-cluster=existing", f"--ambient-kubeconfig={kubeconfig}"]
    return [*command, *([f"--ambient-report={report}"] if report else []), *words]


def environment(state: Path) -> dict[str, str]:
    """Nobody's choices, and a state folder of one's own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "AMBIENT_"))}
    clean.pop("KUBECONFIG", None)
    return {**clean, "XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def results(report: Path | None) -> dict[str, Object]:
    """The rows of a report."""
    file = report / "results.jsonl" if report else None
    lines = map(json.loads, file.read_text().splitlines() if file and file.exists() else [])
    return {str(row["nodeid"]).rpartition("::")[2]: row for row in lines if "nodeid" in row}


@contextmanager
def estate(folder: Path, nodes: int = 2) -> Iterator[Estate]:
    """A cluster with a mesh and nothing else, until the block ends."""
    state = folder / "c"
    state.mkdir()
    provider = Embedded()
    cluster = provider.create(ClusterSpec("estate", state, nodes=nodes, owner=os.getpid()))
    kube = Kube(cluster.kubeconfig, cluster.context)
    try:
        yield Estate(cluster, folder, kube)
    finally:
        kube.close()
        provider.delete(cluster)
