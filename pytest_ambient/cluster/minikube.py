"""The provider of minikube clusters: nodes in Docker containers, made by the minikube of this machine."""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pytest_ambient._fetch import cache_folder
from pytest_ambient.cluster import container, kernel, nodes, tool
from pytest_ambient.cluster.belongings import Belongings
from pytest_ambient.cluster.kept import fingerprint, keep, reusable
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.cluster.tool import Tool
from pytest_ambient.errors import Misuse, ProviderError
from pytest_ambient.finding import Finding

DEFAULT = "1.34"
"""The newest Kubernetes that Istio 1.28 to 1.31 all support; minikube's own is newer."""

OLDEST = 28
"""The oldest minor that minikube still makes."""

MINIKUBE = Tool("minikube", "1.37.0", "https://minikube.sigs.k8s.io/docs/start", asked=("version", "--short"))

RESERVED = ("start", "stop", "status", "delete", "config", "open", "profile", "addons", "cache", "logs")
"""Names that minikube keeps for itself."""

SPARE = 60.0
"""Seconds that minikube gets, after its own deadline, to say what is wrong."""

NETNS = {"docker": "/var/run/docker/netns"}
"""Folders of network namespaces by container runtime, where it is not the usual one."""

USUAL_NETNS = "/var/run/netns"
"""Said outright, because Istio takes every minikube for one with Docker inside."""


class Minikube:
    """A cluster of minikube's docker driver, in a minikube home of its own."""

    reuses = True

    def check(self, spec: ClusterSpec) -> None:
        """Misuse for a Kubernetes version or a name that minikube does not take."""
        wanted = spec.kubernetes_version or DEFAULT
        if int(wanted.split(".")[1]) < OLDEST:
            raise Misuse(f"--ambient-kubernetes-version={wanted}: minikube makes 1.{OLDEST} and newer")
        if len(spec.name) < 2 or spec.name in RESERVED:
            raise Misuse(f"--ambient-name={spec.name}: minikube takes no cluster of this name")

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """Whether minikube and Docker are there and fit, and this user is one that minikube serves."""
        return (MINIKUBE.found(), _user(), *kernel.under(container.docker, spec.kubernetes_version or DEFAULT))

    def create(self, spec: ClusterSpec) -> Cluster:
        """The cluster, or the kept one of the same configuration, with all its nodes ready."""
        deadline = time.monotonic() + spec.within
        for finding in self.findings(spec):
            if finding.state == "failed":
                raise ProviderError(str(finding))
        wanted = fingerprint(spec, "minikube", spec.kubernetes_version or DEFAULT)
        if reusable(spec.name, spec.folder, wanted):
            _there(spec)
        else:
            _clear(spec)
            _home(spec.folder)
        # the same for a kept one, which this machine's restart may have stopped
        _run(*_start(spec), folder=spec.folder, within=spec.within + SPARE)
        cluster = self._attached(spec, deadline - time.monotonic())
        keep(spec.folder, wanted)
        return cluster

    def delete(self, cluster: Cluster) -> None:
        """Remove containers, volumes, network and folder; fine when they are gone, or when none was ever made."""
        folder = _folder(cluster)
        if tool.begun(folder):
            if shutil.which(MINIKUBE.name):
                with suppress(ProviderError):  # what it could not remove is removed below, or told there
                    _run("delete", "--profile", cluster.name, folder=folder, within=container.LONG)
            _belongings(cluster.name).remove()
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise ProviderError(f"{folder}: cannot be removed")

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Bring an image of this machine to every node; ProviderError when it is not here or did not arrive."""
        folder = _folder(cluster)
        if not container.has_image(container.docker(), image):
            raise ProviderError(f"image {image} is not on this machine: the nodes pull it themselves")
        profile = ("--profile", cluster.name)
        _run("image", "load", image, "--daemon=true", *profile, folder=folder, within=container.LONG)
        # minikube counts a load that failed on a node as none: only what is there then tells
        if whole(image) not in _run("image", "ls", *profile, folder=folder, within=container.SOON).split():
            raise ProviderError(f"image {image} did not arrive in cluster {cluster.name}: its nodes pull it themselves")

    def subnets(self, cluster: Cluster) -> Sequence[str]:
        """The subnets of the network that the nodes are in."""
        return [str(one) for one in container.subnets(container.docker(), cluster.name)]

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Write what minikube said, its own gathering of logs, and the log of every node."""
        folder.mkdir(parents=True, exist_ok=True)
        own = _folder(cluster)
        if not tool.begun(own):
            return
        shutil.copyfile(own / tool.LOG, folder / tool.LOG)
        _belongings(cluster.name).save_logs(folder)
        target = ("--file", str(folder / "minikube.txt"))
        _run("logs", "--profile", cluster.name, *target, folder=own, within=container.LONG)

    def _attached(self, spec: ClusterSpec, within: float) -> Cluster:
        kubeconfig = spec.folder / "kubeconfig"
        try:
            kubeconfig.chmod(0o600)
        except OSError as error:
            raise ProviderError(f"{kubeconfig}: minikube wrote no kubeconfig: {error.strerror}") from None
        found = nodes.ready(kubeconfig, spec.name, spec.nodes, within)
        _belongings(spec.name).mount(nodes.names(found), spec.mounts)
        runtimes = [str(node["status"].get("nodeInfo", {}).get("containerRuntimeVersion", "")) for node in found]
        return Cluster(
            name=spec.name,
            kubeconfig=kubeconfig,
            context=spec.name,
            owned=True,
            provider="minikube",
            folder=spec.folder,
            platform="minikube",
            cni_netns_dir=NETNS.get(runtimes[0].partition(":")[0], USUAL_NETNS),
        )


def whole(image: str) -> str:
    """An image's whole name, as container runtimes write it."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"library/{image}"
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _start(spec: ClusterSpec) -> list[str]:
    command = ["start", "--profile", spec.name, "--driver", "docker", "--container-runtime", "docker"]
    command += ["--nodes", str(spec.nodes), "--kubernetes-version", f"v{spec.kubernetes_version or DEFAULT}"]
    command += ["--wait", "all", "--wait-timeout", f"{max(spec.within, 1):.0f}s"]
    return [*command, "--embed-certs", "--install-addons=false", "--interactive=false", "--auto-update-drivers=false"]


def _there(spec: ClusterSpec) -> None:
    if not _belongings(spec.name).nodes():
        raise ProviderError(f"cluster {spec.name} was kept and is gone: pytest-ambient down --ambient-name={spec.name}")


def _clear(spec: ClusterSpec) -> None:
    """See to it that there are no containers of this name; ProviderError when there are some that are not ours."""
    if tool.begun(spec.folder):  # ours, and interrupted
        _belongings(spec.name).remove()
    elif found := _belongings(spec.name).nodes():
        raise ProviderError(
            f"a minikube {spec.name} is there that is not ours (containers {', '.join(found)}): "
            "give another --ambient-name"
        )


def _user() -> Finding:
    if os.geteuid() == 0:
        remedy = "run as a user of the group docker"
        return Finding("user", "failed", "minikube's docker driver serves no root", remedy)
    return Finding("user", "ok", "not root")


def _home(folder: Path) -> None:
    """Make this cluster's minikube home, whose downloads go to this user's cache, where the next cluster finds them."""
    downloads = cache_folder() / "minikube"
    try:
        downloads.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / ".minikube").mkdir(exist_ok=True, mode=0o700)
        link = folder / ".minikube" / "cache"
        if not link.is_symlink():
            link.symlink_to(downloads)
    except OSError as error:
        raise ProviderError(f"{error.filename}: cannot be made: {error.strerror}") from None


def _run(*arguments: str, folder: Path, within: float) -> str:
    # a home of its own: the user's configuration, profiles and certificates are neither read nor written
    environment = {
        "KUBECONFIG": str(folder / "kubeconfig"),
        "MINIKUBE_HOME": str(folder),
        "MINIKUBE_IN_STYLE": "false",
        "MINIKUBE_WANTUPDATENOTIFICATION": "false",
    }
    return MINIKUBE.run(*arguments, folder=folder, within=within, environment=environment)


def _belongings(name: str) -> Belongings:
    ours = ("label=created_by.minikube.sigs.k8s.io=true", f"name=^{name}(-m[0-9]+)?$")
    return Belongings(container.docker(), ours, ours, (ours[0], f"name=^{name}$"))


def _folder(cluster: Cluster) -> Path:
    if cluster.folder is None:
        raise ProviderError(f"cluster {cluster.name}: its state folder is not known")
    return cluster.folder
