"""An embedded cluster for a benchmark: brought up by the console script, and removed."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAME = "benchmark"

WAYPOINT = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: reviews-waypoint, namespace: bookinfo}
spec:
  gatewayClassName: istio-waypoint
  listeners: [{name: mesh, port: 15008, protocol: HBONE}]
"""


@dataclass(frozen=True)
class Cluster:
    """A running cluster with Bookinfo."""

    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints."""
        command = ["kubectl", "--kubeconfig", str(self.kubeconfig), "-n", "bookinfo", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout

    def add_waypoint(self) -> None:
        """Put a waypoint before reviews and wait until it serves."""
        self.kubectl("apply", "-f", "-", stdin=WAYPOINT)
        self.kubectl("label", "service", "reviews", "istio.io/use-waypoint=reviews-waypoint")
        self.kubectl("wait", "--for=condition=available", "deployment/reviews-waypoint", "--timeout=30s")

    @property
    def pid(self) -> int:
        """The process of the cluster itself."""
        return int(json.loads((self.kubeconfig.parent / "ready.json").read_text())["pid"])


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster with mesh and Bookinfo for as long as this lasts."""
    up = ["pytest-ambient", "up", "--ambient-cluster=embedded", f"--ambient-name={NAME}", "-o", "json"]
    done = subprocess.run(up, capture_output=True, text=True, check=True)
    try:
        yield Cluster(Path(json.loads(done.stdout)["kubeconfig"]))
    finally:
        subprocess.run(["pytest-ambient", "down", f"--ambient-name={NAME}"], capture_output=True, check=True)
