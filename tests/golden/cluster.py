"""An embedded cluster with the recorded workloads in it, and the real kubectl beside it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pytest_ambient._kube import Kube

from .recording import FOLDER, Recording
from .words import owner

KUBECTL = shutil.which("kubectl")
NAMESPACES = ("bookinfo", "other")
"""Those that were enrolled."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit: int
    output: str
    errors: str


@dataclass
class Bench:
    """A cluster that serves, and its pods by workload."""

    state: Path
    pods: dict[str, tuple[str, str]] = field(default_factory=dict)
    """`namespace/workload`: name and address of its newest pod."""
    services: dict[str, str] = field(default_factory=dict)
    containers: dict[str, str] = field(default_factory=dict)
    """By a pod's name: its first container."""
    kube: Kube = field(init=False)

    def __post_init__(self) -> None:
        """Connect for the probes, of which there are too many to start a kubectl for each."""
        self.kube = Kube(self.state / "kubeconfig")

    def shell(self, command: str, stdin: str = "", within: float = 60) -> Ran:
        """A command line, kubectl going to this cluster."""
        environment = {
            "PATH": os.environ["PATH"],
            "KUBECONFIG": str(self.state / "kubeconfig"),
            "HOME": str(self.state),
        }
        ended = subprocess.run(
            ["sh", "-c", command],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=within,
            errors="replace",
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def kubectl(self, *words: str, stdin: str = "", within: float = 60) -> Ran:
        """What kubectl does."""
        return self.shell(_line(words), stdin, within)

    def exec(self, source: str, script: str) -> str:
        """What a script prints in a workload's pod."""
        pod = self.pod(source)
        ran = self.kube.exec(source.split("/")[0], pod, self.containers[pod], ["sh", "-c", script], timeout=60)
        return ran.stdout.decode(errors="replace")

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A kubectl that runs on."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.state)}
        return subprocess.Popen(
            ["kubectl", "--kubeconfig", str(self.state / "kubeconfig"), *words],
            env=environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def look(self) -> None:
        """Learn the pods and Services that there are now."""
        items = json.loads(self.kubectl("get", "pods,services", "-A", "-o", "json").output)["items"]
        self.pods, self.services = {}, {}
        for item in items:
            meta = item["metadata"]
            if meta.get("deletionTimestamp"):
                continue
            if item["kind"] == "Service":
                self.services[f"{meta['namespace']}/{meta['name']}"] = item["spec"].get("clusterIP", "")
            else:
                address = item.get("status", {}).get("podIP", "")
                self.containers[meta["name"]] = item["spec"]["containers"][0]["name"]
                self.pods[f"{meta['namespace']}/{owner(item)}"] = (meta["name"], address)

    def pod(self, of: str) -> str:
        """The name of a workload's pod."""
        if of not in self.pods:
            self.look()
        return self.pods[of][0]

    def ready(self, what: str, namespace: str) -> None:
        """Wait until a Deployment's (or every Deployment's) pods are ready."""
        self.kubectl("rollout", "status", what, "-n", namespace, "--timeout=60s")

    def translated(self, text: str, addresses: dict[str, str]) -> str:
        """A recorded text with this cluster's addresses and pods' names."""

        def here(found: re.Match[str]) -> str:
            name = addresses.get(found[0], "")
            if name.startswith("service "):
                return self.services.get(name.removeprefix("service "), found[0])
            return self.pods.get(name, ("", found[0]))[1] or found[0]

        text = re.sub(r"@([a-z-]+)@", lambda found: self.pod(f"bookinfo/{found[1]}"), text)
        return re.sub(r"\b10\.\d+\.\d+\.\d+\b", here, text)

    def logs(self, namespace: str, selector: str) -> list[str]:
        """The lines of all pods that carry a label."""
        return self.kubectl(
            "logs", "-n", namespace, "-l", selector, "--tail=-1", "--prefix=false"
        ).output.splitlines()  # fmt: skip

    def counters(self) -> str:
        """What every ztunnel counts."""
        pods = self.kubectl("get", "pods", "-n", "istio-system", "-l", "app=ztunnel", "-o", "name").output.split()
        path = "/api/v1/namespaces/istio-system/pods/{}:15020/proxy/metrics"
        return "".join(
            self.kubectl("get", "--raw", path.format(pod.removeprefix("pod/"))).output for pod in pods
        )  # fmt: skip


def _line(words: tuple[str, ...]) -> str:
    return "exec kubectl " + " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def wait(check: Callable[[], object], within: float = 30) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def running(state: Path, recording: Recording) -> Iterator[Bench]:
    """A cluster of one node, as recorded, in the state that the scenario starts from."""
    command = [sys.executable, "-m", "pytest_ambient.embedded", "--state", str(state), "--name", "golden"]
    with (
        (state / "log").open("w") as log,
        subprocess.Popen(
            [*command, "--nodes", "1", "--owner-pid", str(os.getpid())], stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait(lambda: (state / "ready.json").exists() or process.poll() is not None)
            assert process.poll() is None, (state / "log").read_text()
            bench = Bench(state)
            furnish(bench, recording.mesh)
            try:
                yield bench
            finally:
                bench.kube.close()
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def furnish(bench: Bench, mesh: str) -> None:
    """Make the recorded workloads and enrol them as far as the scenario wants."""
    documents = list(yaml.safe_load_all((FOLDER / "world.yaml").read_text()))
    for each in documents:
        if each["kind"] == "Namespace" and each["metadata"]["name"] in NAMESPACES:
            labels = {} if mesh in {"none", "unlabelled"} else {"istio.io/dataplane-mode": "ambient"}
            if mesh == "waypoint" and each["metadata"]["name"] == "bookinfo":
                labels["istio.io/use-waypoint"] = "waypoint"
            each["metadata"]["labels"] = labels
    if mesh == "waypoint":
        documents += yaml.safe_load_all((FOLDER / "waypoint.yaml").read_text())
    made = bench.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))
    assert made.exit == 0, made.errors
    if mesh == "waypoint":
        bench.kubectl("wait", "--for=create", "deployment/waypoint", "-n", "bookinfo", "--timeout=30s")
    there = bench.kubectl("wait", "--for=condition=Available", "deployments", "--all", "-A", "--timeout=60s")
    assert there.exit == 0, there.errors
    bench.look()
