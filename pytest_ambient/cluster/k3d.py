"""The provider of k3d clusters: k3s in Docker containers, made by the k3d of this machine."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pytest_ambient.cluster import container, kernel, nodes, tool
from pytest_ambient.cluster.belongings import Belongings
from pytest_ambient.cluster.k3d_node import CONTAINERD, cni_folders, default, image, table
from pytest_ambient.cluster.kept import fingerprint, keep, reusable
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.cluster.tool import Tool
from pytest_ambient.errors import CommandFailed, ProviderError
from pytest_ambient.finding import Finding

K3D = Tool("k3d", **table()["k3d"], asked=("version",))

LONGEST_NAME = 32
"""Characters of a name that k3d takes."""

LEFT_OUT = ("traefik", "servicelb", "metrics-server")
"""What k3s brings and nothing here needs; Traefik's CRDs and ports would even be in the way."""

SPARE = 60.0
"""Seconds that k3d gets, after its own deadline, to say what is wrong."""


class K3d:
    """A cluster of k3s nodes in Docker."""

    reuses = True

    def check(self, spec: ClusterSpec) -> None:
        """Misuse for a Kubernetes version that no node image is known for."""
        image(spec.kubernetes_version)

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """Whether k3d and Docker are there and fit, and the kernel for its nodes."""
        return (K3D.found(), *kernel.under(container.docker, spec.kubernetes_version or default()))

    def create(self, spec: ClusterSpec) -> Cluster:
        """The cluster, or the kept one of the same configuration, with all its nodes ready."""
        deadline = time.monotonic() + spec.within
        for finding in self.findings(spec):
            if finding.state == "failed":
                raise ProviderError(str(finding))
        node_image = image(spec.kubernetes_version)
        wanted = fingerprint(spec, "k3d", node_image)
        if reusable(spec.name, spec.folder, wanted):
            self._wake(spec)
        else:
            self._make(spec, node_image)
        cluster = self._attached(spec, deadline - time.monotonic())
        keep(spec.folder, wanted)
        return cluster

    def delete(self, cluster: Cluster) -> None:
        """Remove containers, volume, network and folder; fine when they are gone, or when none was ever made."""
        folder = _folder(cluster)
        if tool.begun(folder):
            if shutil.which(K3D.name):
                with suppress(ProviderError):  # what it could not remove is removed below, or told there
                    _run("cluster", "delete", called(cluster.name), folder=folder, within=container.LONG)
            _belongings(cluster.name).remove()
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise ProviderError(f"{folder}: cannot be removed")

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Bring an image of this machine to every node; ProviderError when it is not here or cannot be brought."""
        folder, runtime = _folder(cluster), container.docker()
        if not container.has_image(runtime, image):
            raise ProviderError(f"image {image} is not on this machine: the nodes pull it themselves")
        # the mode `tools` would tell of no failure on a node
        command = ("image", "import", "--mode", "direct", "--cluster", called(cluster.name))
        with tempfile.TemporaryDirectory(dir=folder) as there:
            archive = Path(there) / "image.tar"
            try:
                # what k3d itself takes from Docker's containerd store names layers of other processors, too, which are
                # not there: an archive of one processor's does not (https://github.com/kubernetes-sigs/kind/issues/3795)
                container.save_image(runtime, image, archive, within=container.LONG)
                _run(*command, str(archive), folder=folder, within=container.LONG)
            except (CommandFailed, ProviderError):
                _run(*command, image, folder=folder, within=container.LONG)

    def subnets(self, cluster: Cluster) -> Sequence[str]:
        """The subnets of the network that the nodes are in."""
        return [str(one) for one in container.subnets(container.docker(), f"k3d-{called(cluster.name)}")]

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Write what k3d said, how its nodes are, and the log of every node."""
        folder.mkdir(parents=True, exist_ok=True)
        own = _folder(cluster)
        if not tool.begun(own):
            return
        shutil.copyfile(own / tool.LOG, folder / tool.LOG)
        if containers := _belongings(cluster.name).save_logs(folder):
            listed = _run("node", "list", *containers, folder=own, within=container.SOON)
            (folder / "nodes.txt").write_text(listed)

    def _make(self, spec: ClusterSpec, node_image: str) -> None:
        name = called(spec.name)
        if tool.begun(spec.folder):  # ours, and interrupted
            _belongings(spec.name).remove()
        elif _belongings(spec.name).nodes():
            raise ProviderError(
                f"a k3d cluster {name} is there that is not ours: k3d cluster delete {name}, "
                "or give another --ambient-name"
            )
        command = ["cluster", "create", name, "--servers", "1", "--agents", str(spec.nodes - 1), "--image", node_image]
        # no roll-back: the nodes of a creation that failed are looked at first, and removed by `delete`
        command += ["--wait", "--timeout", f"{max(spec.within, 1):.0f}s", "--no-rollback"]
        command += ["--kubeconfig-update-default=false", "--kubeconfig-switch-context=false"]
        if not os.environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:")):
            command += ["--api-port", "127.0.0.1:random"]  # k3d's default answers on every address of this machine
        for part in LEFT_OUT:
            command += ["--k3s-arg", f"--disable={part}@server:*"]
        try:
            _run(*command, folder=spec.folder, within=spec.within + SPARE)
        except ProviderError as error:
            if "a cluster with that name already exists" in str(error):  # somebody was faster: it is not ours to delete
                tool.forget(spec.folder)
            raise

    def _wake(self, spec: ClusterSpec) -> None:
        """Start a kept cluster, which this machine's restart may have stopped."""
        if not _belongings(spec.name).nodes():
            raise ProviderError(
                f"cluster {spec.name} was kept and is gone: pytest-ambient down --ambient-name={spec.name}"
            )
        timeout = f"{max(spec.within, 1):.0f}s"
        command = ("cluster", "start", called(spec.name), "--wait", "--timeout", timeout)
        _run(*command, folder=spec.folder, within=spec.within + SPARE)

    def _attached(self, spec: ClusterSpec, within: float) -> Cluster:
        name = called(spec.name)
        kubeconfig, context = spec.folder / "kubeconfig", f"k3d-{name}"
        _write(kubeconfig, _run("kubeconfig", "get", name, folder=spec.folder, within=container.SOON, keep=False))
        found, belongings = nodes.ready(kubeconfig, context, spec.nodes, within), _belongings(spec.name)
        belongings.mount(nodes.names(found), spec.mounts)
        programs, configurations = cni_folders(belongings.read(f"k3d-{name}-server-0", CONTAINERD))
        return Cluster(
            name=spec.name,
            kubeconfig=kubeconfig,
            context=context,
            owned=True,
            provider="k3d",
            folder=spec.folder,
            platform="k3d",
            cni_bin_dir=programs,
            cni_conf_dir=configurations,
        )


def called(name: str) -> str:
    """What k3d calls the cluster: its name, shortened where k3d takes no longer one."""
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _run(*arguments: str, folder: Path, within: float, keep: bool = True) -> str:
    # `k3d cluster delete` edits the default kubeconfig, whatever `create` was told, and makes its configuration folder
    environment = {"KUBECONFIG": str(folder / "kubeconfig"), "XDG_CONFIG_HOME": str(folder)}
    return K3D.run(*arguments, folder=folder, within=within, environment=environment, keep=keep)


def _belongings(name: str) -> Belongings:
    label = f"label=k3d.cluster={called(name)}"
    return Belongings(container.docker(), (label,), (label,), ("label=app=k3d", f"name=^k3d-{called(name)}$"))


def _folder(cluster: Cluster) -> Path:
    if cluster.folder is None:
        raise ProviderError(f"cluster {cluster.name}: its state folder is not known")
    return cluster.folder


def _write(kubeconfig: Path, text: str) -> None:
    draft = kubeconfig.with_name("kubeconfig.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(kubeconfig)
