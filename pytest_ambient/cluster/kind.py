"""The provider of kind clusters: Kubernetes nodes in containers of this machine, made through pytest-kind."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient.cluster import container, kernel, kind_binary, nodes, tool
from pytest_ambient.cluster.kept import fingerprint, keep, reusable
from pytest_ambient.cluster.kind_binary import Choice
from pytest_ambient.cluster.kind_child import Order, Verb
from pytest_ambient.cluster.kind_made import Made, made, wrapper
from pytest_ambient.cluster.kind_table import table
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import BrokenEnvironment, CommandFailed, Misuse, ProviderError
from pytest_ambient.finding import Finding

Object: TypeAlias = dict[str, Any]

SHORT, LONG = 60.0, 300.0
"""Seconds that kind may take for a question, and for moving images and logs."""

NETWORK = "KIND_EXPERIMENTAL_DOCKER_NETWORK"
"""kind's own variable for another network than its usual one."""

TAINT = "node-role.kubernetes.io/control-plane"


class Kind:
    """A cluster of one control plane and workers, each a container."""

    reuses = True

    def check(self, spec: ClusterSpec) -> None:
        """Misuse on a system without kind, and for a Kubernetes version that no kind brings."""
        if sys.platform not in ("linux", "darwin"):
            raise Misuse(f"--ambient-cluster=kind runs on Linux and macOS, this is {sys.platform}")
        table().bringing(spec.kubernetes_version or table().default)

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """The extra, the container runtime, which kind is used, and what nodes need of the kernel."""
        choice = kind_binary.choose(spec.kubernetes_version)
        return (_extra(), kind_binary.finding(choice), *kernel.under(container.find, choice.kubernetes))

    def create(self, spec: ClusterSpec) -> Cluster:
        """The cluster, or the kept one of the same configuration, once all its nodes are ready."""
        deadline = time.monotonic() + spec.within
        for finding in self.findings(spec):
            if finding.state == "failed":
                raise ProviderError(str(finding))
        choice, shape = kind_binary.choose(spec.kubernetes_version), json.dumps(_shape(spec.nodes))
        wanted = fingerprint(spec, "kind", choice.image, shape)
        if reusable(spec.name, spec.folder, wanted):
            _attached(spec)
        else:
            _made(spec, choice, shape, deadline)
        cluster = _ready(spec, deadline - time.monotonic())
        keep(spec.folder, wanted)
        return cluster

    def delete(self, cluster: Cluster) -> None:
        """Remove nodes and folder, half-made ones too; nothing but the folder when none was ever begun."""
        folder = _folder(cluster)
        begun = made(cluster.name, folder)
        if begun is not None:
            _removed(begun)
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise ProviderError(f"{folder}: cannot be removed")

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Bring an image of this machine to every node; ProviderError when it is not here or cannot be brought."""
        begun = _begun(cluster)
        if not container.has_image(begun.runtime, image):
            raise ProviderError(f"image {image} is not on this machine: the nodes pull it themselves")
        with tempfile.TemporaryDirectory(dir=begun.folder) as there:
            archive = Path(there) / "image.tar"
            try:
                container.save_image(begun.runtime, image, archive, within=LONG)
                begun.run("load", "image-archive", str(archive), "--name", cluster.name, within=LONG)
            except (CommandFailed, ProviderError):
                # kind's own way: it knows runtimes that give out no archives, and fails where ours does not
                begun.order(_order("load", begun, image), within=LONG)

    def subnets(self, cluster: Cluster) -> Sequence[str]:
        """The subnets of the network that the nodes are in."""
        network = os.environ.get(NETWORK) or "kind"
        return [str(one) for one in container.subnets(_begun(cluster).runtime, network)]

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Write what kind said, and what the nodes and their pods logged; nothing when none was begun."""
        begun = made(cluster.name, _folder(cluster))
        if begun is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        if tool.begun(begun.folder):
            shutil.copyfile(begun.folder / tool.LOG, folder / tool.LOG)
        if begun.nodes:
            begun.run("export", "logs", str(folder / "kind"), "--name", cluster.name, within=LONG)


def _shape(count: int) -> Object:
    """The configuration for kind; all nodes run pods, the control plane too."""
    workers = [{"role": "worker"} for _ in range(count - 1)]
    return {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": [{"role": "control-plane"}, *workers]}


def _made(spec: ClusterSpec, choice: Choice, shape: str, deadline: float) -> None:
    runtime = container.find()
    binary = kind_binary.fetched(choice, within=max(deadline - time.monotonic(), 1.0))
    begun, earlier = Made(spec.name, spec.folder, binary, runtime), made(spec.name, spec.folder)
    if earlier is not None:  # ours, and interrupted
        _removed(earlier)
    elif begun.nodes:
        raise ProviderError(
            f"a kind cluster {spec.name} is there that is not ours: kind delete cluster --name {spec.name}, "
            "or give another --ambient-name"
        )
    begun.write()
    (spec.folder / "kind.yaml").write_text(shape)
    order = _order("create", begun, choice.image, str(spec.folder / "kind.yaml"))
    begun.order(order, within=max(round(deadline - time.monotonic()), 1))


def _attached(spec: ClusterSpec) -> None:
    """Start a kept cluster's nodes, and write its kubeconfig again: pytest-kind would leave it empty."""
    begun = made(spec.name, spec.folder)
    if begun is None or not begun.nodes:
        raise ProviderError(f"cluster {spec.name} was kept and is gone: pytest-ambient down --ambient-name={spec.name}")
    begun.unlock()
    words = ("export", "kubeconfig", "--name", spec.name, "--kubeconfig", str(begun.kubeconfig))
    try:
        begun.belongings.start()
        begun.run(*words, within=SHORT)
    except ProviderError as error:
        raise ProviderError(f"{error}: pytest-ambient down --ambient-name={spec.name}") from None


def _ready(spec: ClusterSpec, within: float) -> Cluster:
    kubeconfig, context = spec.folder / "kubeconfig", f"kind-{spec.name}"
    found = nodes.ready(kubeconfig, context, spec.nodes, within)
    _open(kubeconfig, context, found)
    cluster = Cluster(spec.name, kubeconfig, context, owned=True, provider="kind", folder=spec.folder)
    _begun(cluster).belongings.mount(nodes.names(found), spec.mounts)
    return cluster


def _open(kubeconfig: Path, context: str, found: Sequence[Object]) -> None:
    """Let the control plane run pods beside workers, as it does alone: two nodes are to be two that can be used."""
    from pytest_ambient._kube import Kube

    kube = Kube(kubeconfig, context)
    try:
        for node in found:
            taints = node.get("spec", {}).get("taints") or []
            left = [taint for taint in taints if taint["key"] != TAINT]
            if left != taints:
                kube.patch("v1/Node", node["metadata"]["name"], None, {"spec": {"taints": left or None}})
    finally:
        kube.close()


def _removed(begun: Made) -> None:
    begun.unlock()
    complaint = ""
    if begun.kind.exists() and find_spec("pytest_kind") is not None:
        try:
            begun.order(_order("delete", begun), within=LONG)
        except BrokenEnvironment as error:
            complaint = f": {error}"
    begun.belongings.remove()  # what kind could not, or there is no kind any more
    if begun.nodes:
        raise ProviderError(f"cluster {begun.name}: some nodes stay{complaint}")


def _order(verb: Verb, begun: Made, image: str = "", config: str = "") -> Order:
    program = str(wrapper(begun.folder, begun.kind))
    return Order(verb, begun.name, str(begun.folder), str(begun.kubeconfig), program, image, config)


def _extra() -> Finding:
    if find_spec("pytest_kind") is None:
        return Finding("pytest-kind", "failed", "not installed", "pip install 'pytest-ambient[kind]'")
    return Finding("pytest-kind", "ok", "installed")


def _begun(cluster: Cluster) -> Made:
    begun = made(cluster.name, _folder(cluster))
    if begun is None:
        raise ProviderError(f"cluster {cluster.name}: not made by kind, or not begun")
    return begun


def _folder(cluster: Cluster) -> Path:
    if cluster.folder is None:
        raise ProviderError(f"cluster {cluster.name}: its state folder is not known")
    return cluster.folder
