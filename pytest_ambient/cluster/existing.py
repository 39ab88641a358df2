"""The provider of a cluster that is already there: attaches to it, never makes or deletes anything of it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient.cluster import permissions, platform
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import BrokenEnvironment, Forbidden, Misuse, ProviderError
from pytest_ambient.finding import Finding

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube

Object: TypeAlias = dict[str, Any]


class Existing:
    """Attaches to a cluster by kubeconfig and context."""

    def check(self, spec: ClusterSpec) -> None:
        """Misuse when the kubeconfig cannot be read or does not have the context."""
        _context(spec)

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """Whether the API server answers, what this user may do there, and what the platform needs to be told."""
        from pytest_ambient._kube import Kube

        path, context = _context(spec)
        try:
            return _Look.at(Kube(path, context)).findings
        except BrokenEnvironment as error:
            return (Finding("API server", "failed", str(error), "look at --ambient-kubeconfig and --ambient-context"),)

    def create(self, spec: ClusterSpec) -> Cluster:
        """The cluster, untouched; BrokenEnvironment when it does not answer or does not let this user do enough."""
        from pytest_ambient._kube import Kube

        path, context = _context(spec)
        kube = Kube(path, context)
        seen = _Look.at(kube)
        failed = [str(finding) for finding in seen.findings if finding.state == "failed"]
        if failed:
            raise ProviderError("; ".join(failed))
        return Cluster(
            context,
            path,
            context,
            owned=False,
            provider="existing",
            publishable=not is_bench(kube),
            read_only=seen.read_only,
            notes=seen.notes,
            platform=seen.platform,
        )

    def delete(self, cluster: Cluster) -> None:
        """Refused: ProviderError."""
        raise ProviderError(f"cluster {cluster.name} was not made by pytest-ambient and is not deleted")

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Nothing to do: the cluster pulls its images itself."""

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Nothing to do: what nodes log is out of our reach; pods' logs are evidence of the probes."""


@dataclass(frozen=True)
class _Look:
    """What is there before anything is touched."""

    findings: tuple[Finding, ...]
    may: Finding
    """The one about permissions."""
    read_only: str = ""
    platform: str = ""

    @property
    def notes(self) -> str:
        """What a run should say at its start, a line each."""
        skips = [f"{self.read_only}: what has to write is skipped"] if self.read_only else []
        return "\n".join(
            [*skips, *(str(one) for one in self.findings if one.state == "warning" and one is not self.may)]
        )

    @classmethod
    def at(cls, kube: "Kube") -> "_Look":
        """Ask the API server; BrokenEnvironment when it gives no answer."""
        version = Finding("API server", "ok", f"Kubernetes {kube.server_version()}")
        may = permissions.ask(kube)
        finding = may.finding
        if may.missing:  # what could be asked beyond that may be among it
            return cls((version, finding), finding)
        found, told = platform.look(kube)
        return cls((version, finding, *told), finding, may.read_only, found.word)


def is_bench(kube: "Kube") -> bool:
    """Whether this is an embedded mesh that somebody left running: its nodes say so."""
    try:
        nodes = kube.list("v1/Node")
    except Forbidden:
        return False
    runtimes = [node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "") for node in nodes]
    return any(runtime.startswith("embedded:") for runtime in runtimes)


def _context(spec: ClusterSpec) -> tuple[Path, str]:
    path = _path(spec)
    names, current = _contexts(path)
    wanted = spec.context or current
    if not wanted:
        raise Misuse(f"{path}: no current context: give --ambient-context, known are {', '.join(names) or 'none'}")
    if wanted not in names:
        raise Misuse(f"--ambient-context: {path} has no context {wanted!r}, known are {', '.join(names) or 'none'}")
    return path, wanted


def _path(spec: ClusterSpec) -> Path:
    if spec.kubeconfig is not None:
        return spec.kubeconfig
    listed = [entry for entry in os.environ.get("KUBECONFIG", "").split(os.pathsep) if entry]
    if len(listed) > 1:
        raise Misuse("$KUBECONFIG names several files: give --ambient-kubeconfig FILE")
    return Path(listed[0]) if listed else Path.home() / ".kube" / "config"


def _contexts(path: Path) -> tuple[list[str], str]:
    import yaml

    try:
        config: Object = yaml.safe_load(path.read_bytes())
        return [entry["name"] for entry in config.get("contexts") or ()], config.get("current-context") or ""
    except OSError as error:
        raise Misuse(f"--ambient-kubeconfig: {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
        raise Misuse(f"--ambient-kubeconfig: {path} is not a kubeconfig") from None
