"""What a provider of clusters is, and the registry that finds one by name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from pytest_ambient._registry import Registry
from pytest_ambient.errors import ProviderError
from pytest_ambient.finding import Finding

GROUP = "pytest_ambient.providers"

BUILT_IN = {
    "embedded": "pytest_ambient.cluster.embedded:Embedded",
    "existing": "pytest_ambient.cluster.existing:Existing",
    "k3d": "pytest_ambient.cluster.k3d:K3d",
    "kind": "pytest_ambient.cluster.kind:Kind",
    "minikube": "pytest_ambient.cluster.minikube:Minikube",
}

VERBS = ("check", "findings", "create", "delete", "load_image", "save_logs")
"""What a provider must be able to do."""


@dataclass(frozen=True)
class ClusterSpec:
    """What is wanted of a cluster; a provider takes what concerns it."""

    name: str
    folder: Path
    """A folder of this cluster's own, empty; `delete` removes it. An existing cluster has none."""
    nodes: int = 2
    kubeconfig: Path | None = None
    context: str | None = None
    kubernetes_version: str | None = None
    """`1.34` or `1.34.0`; None for what the provider knows best."""
    istio_version: str | None = None
    faults: tuple[str, ...] = ()
    owner: int | None = None
    """Process that the cluster must not outlive; None for a cluster that is to stay."""
    within: float = 120.0
    """Seconds until it must answer."""
    mounts: tuple[tuple[str, str], ...] = ()
    """File systems that a node must have, by type and folder, where a provider's nodes may lack them."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that answers."""

    name: str
    kubeconfig: Path
    context: str
    owned: bool
    """Whether we made it, and so may delete it and write anywhere in it."""
    provider: str
    folder: Path | None = None
    publishable: bool = True
    """False for a test bench: its reports say nothing about anybody's mesh."""
    read_only: str = ""
    """Why nothing can be written here, in words for a skip; empty where something can."""
    notes: str = ""
    """What a run should know of it, a line each."""
    platform: str = ""
    """Istio's word for what it must set differently here: k3d, k3s, minikube, openshift, gke; empty for nothing."""
    cni_bin_dir: str = ""
    """Folder of CNI programs on the nodes, where it is not the usual one."""
    cni_conf_dir: str = ""
    """Folder of CNI configurations on the nodes, where it is not the usual one."""
    cni_netns_dir: str = ""
    """Folder of network namespaces on the nodes, where it is not the usual one."""

    def to_json(self) -> dict[str, str | bool | None]:
        """Plain values, for a lease or another process."""
        return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, plain: Mapping[str, str | bool | None]) -> "Cluster":
        """The cluster that `to_json` wrote; ProviderError when something is missing or of a wrong kind."""
        try:
            folder = plain.get("folder")
            return cls(
                name=str(plain["name"]),
                kubeconfig=Path(str(plain["kubeconfig"])),
                context=str(plain["context"]),
                owned=plain["owned"] is True,
                provider=str(plain["provider"]),
                folder=Path(str(folder)) if folder else None,
                publishable=plain.get("publishable") is not False,
                read_only=str(plain.get("read_only") or ""),
                notes=str(plain.get("notes") or ""),
                platform=str(plain.get("platform") or ""),
                cni_bin_dir=str(plain.get("cni_bin_dir") or ""),
                cni_conf_dir=str(plain.get("cni_conf_dir") or ""),
                cni_netns_dir=str(plain.get("cni_netns_dir") or ""),
            )
        except KeyError as error:
            raise ProviderError(f"a cluster's record lacks {error}") from None


class Provider(Protocol):
    """Brings one Kubernetes cluster into being and lets it go again; knows nothing of pytest or of meshes.

    Some attributes may be left out. `meshed`: clusters come with a mesh of their own and none is installed; `mesh` is
    then its Istio version, empty where nobody knows that before. `reuses`: `create` takes a cluster that was kept under
    the name when it is as wanted. The method `subnets(cluster)`, which may be left out as well, gives the subnets of
    the network that the nodes are in, for an addon to give addresses out of.
    """

    def check(self, spec: ClusterSpec) -> None:
        """Refuse what can never work, before anything is made: Misuse in one line."""

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """What this machine has and lacks for `create`: the checks of `doctor`; `create` refuses a failed one."""
        ...

    def create(self, spec: ClusterSpec) -> Cluster:
        """Make the cluster, or attach to it, and return it when its API answers; ProviderError in one line if not."""
        ...

    def delete(self, cluster: Cluster) -> None:
        """Remove all that `create` made, half-made clusters too; never called for one that is not owned or is kept."""

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Bring an image of this machine into the cluster."""

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Write what the cluster itself logged into `folder`."""


REGISTRY: Registry[Provider] = Registry("provider", "cluster", GROUP, BUILT_IN, VERBS, ProviderError)
register, forget, known, find = REGISTRY.register, REGISTRY.forget, REGISTRY.known, REGISTRY.find
