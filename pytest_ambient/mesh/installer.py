"""What an installer of meshes is, and the registry that finds one by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pytest_ambient._fetch import quiet
from pytest_ambient._kube import Kube
from pytest_ambient._registry import Registry
from pytest_ambient.errors import InstallerError
from pytest_ambient.steps import Group

GROUP = "pytest_ambient.installers"

BUILT_IN = {
    "argocd": "pytest_ambient.mesh.argocd:ArgoCd",
    "helm": "pytest_ambient.mesh.helm:Helm",
    "istioctl": "pytest_ambient.mesh.istioctl:Istioctl",
    "sail": "pytest_ambient.mesh.sail:Sail",
}

VERBS = ("check", "steps", "uninstall")
"""What an installer must be able to do."""

NONE = "none"
"""The word for a mesh that is there already: nothing is installed and nothing removed."""


@dataclass(frozen=True)
class Target:
    """The cluster that a mesh goes into, as installers see it."""

    kubeconfig: Path
    context: str
    owned: bool
    """Whether the cluster goes with the run; then nothing needs to be taken out of it again."""
    run: str
    """What everything that is made carries as the label `pytest-ambient/run`."""
    platform: str = ""
    """Istio's word for what must be set differently: k3d, k3s, minikube, openshift, gke; empty for none of them."""
    cni_bin_dir: str = ""
    """Folder of CNI programs on the nodes as read from them; empty where it is the usual one."""
    cni_conf_dir: str = ""
    """Folder of CNI configurations on the nodes as read from them; empty where it is the usual one."""
    cni_netns_dir: str = ""
    """Folder of network namespaces on the nodes; empty where it is the usual one."""
    subnets: tuple[str, ...] = ()
    """The subnets of the network that the nodes are in, `172.18.0.0/16`; none where nobody knows them."""
    say: Callable[[str], None] = field(default=quiet, compare=False)
    """Takes lines that people should read, such as that a mesh which is there is used as it is."""

    def kube(self) -> Kube:
        """A client of the cluster."""
        return Kube(self.kubeconfig, self.context)


@dataclass(frozen=True)
class MeshSpec:
    """What is wanted of a mesh."""

    version: str
    """Istio's version, with its patch: `1.30.3`."""
    folder: Path
    """A folder of this run's own for values and rendered files; it exists."""
    dataplane: Literal["ztunnel", "kmesh"] = "ztunnel"
    release: Path | None = None
    """An unpacked Istio release, for use without a network: `bin/istioctl`, `manifests/charts`, `samples/addons`."""
    hub: str | None = None
    """The mirror that all images come from."""
    gateway_api: Literal["standard", "experimental"] = "standard"
    """The channel of the Gateway API's CRDs."""
    within: float = 300.0
    """Seconds that each step may take."""


class Installer(Protocol):
    """Puts an ambient mesh into a cluster and takes it out again; knows nothing of pytest or of providers."""

    def check(self, spec: MeshSpec) -> None:
        """Refuse what can never work, before anything is made: Misuse in one line."""

    def steps(self, target: Target, spec: MeshSpec) -> Sequence[Group]:
        """What to do after the Gateway API is there, each step with its undo; nothing is done yet."""
        ...

    def uninstall(self, target: Target, spec: MeshSpec) -> None:
        """Remove what `steps` installs, half of it too, but only what is this run's; fine when all is gone."""


REGISTRY: Registry[Installer] = Registry("installer", "installer", GROUP, BUILT_IN, VERBS, InstallerError, (NONE,))
register, forget, known, find = REGISTRY.register, REGISTRY.forget, REGISTRY.known, REGISTRY.find
