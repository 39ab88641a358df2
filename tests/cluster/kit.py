"""A provider beside what it needs to be tried."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ambient.cluster.provider import Cluster, ClusterSpec, Provider, find
from tests.cluster.pretend import Machine


@dataclass(frozen=True)
class Kit:
    """A provider, and what it needs to be tried."""

    provider_name: str
    machine: Machine
    spec: ClusterSpec

    @property
    def provider(self) -> Provider:
        """The provider, new each time: it keeps nothing in memory."""
        return find(self.provider_name)

    def create(self, **changes: Any) -> Cluster:
        """A cluster as the life cycle makes one: the specification checked, the folder there."""
        spec = replace(self.spec, **changes)
        self.provider.check(spec)
        if self.provider_name != "existing":
            spec.folder.mkdir(exist_ok=True)
        return self.provider.create(spec)

    @property
    def begun(self) -> Cluster:
        """What a lease names while the cluster is being made."""
        return Cluster(self.spec.name, self.spec.folder / "kubeconfig", "x", True, self.provider_name, self.spec.folder)

    @property
    def nothing_left(self) -> bool:
        """Whether all is gone that a creation made."""
        return self.machine.things == [] and not self.spec.folder.exists()


def home(folder: Path) -> Path:
    """A user's home with what tools like to change."""
    for name, text in {".kube/config": "the user's own", ".docker/config.json": "{}", ".bashrc": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
