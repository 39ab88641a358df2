"""Doubles of a provider and of an installer, which make nothing and write down what they were asked."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient.cluster import provider
from pytest_ambient.cluster.provider import Cluster, ClusterSpec
from pytest_ambient.errors import InstallerError, Misuse, ProviderError
from pytest_ambient.finding import Finding
from pytest_ambient.mesh import installer
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.steps import Group, Step


@dataclass
class FakeProvider:
    """A provider that makes a folder for a cluster and writes what it was asked into `diary`, one JSON list a line."""

    diary: Path
    fails: str | None = None
    """The text of a bring-up that fails."""
    meshed: bool = True
    """Whether its clusters come with a mesh; otherwise one is installed."""
    reuses: bool = False
    """Whether a cluster that was kept is used again."""
    host: tuple[str, ...] = ()
    """The images that this machine has."""

    def check(self, spec: ClusterSpec) -> None:
        """Accept everything."""

    def findings(self, spec: ClusterSpec) -> Sequence[Finding]:
        """Nothing to look at."""
        return ()

    def create(self, spec: ClusterSpec) -> Cluster:
        """A cluster of nothing but a kubeconfig file."""
        self._write("create", spec.name)
        if self.fails is not None:
            raise ProviderError(self.fails)
        kubeconfig = spec.folder / "kubeconfig"
        kubeconfig.write_text("{}")
        return Cluster(spec.name, kubeconfig, spec.name, owned=True, provider="fake", folder=spec.folder)

    def delete(self, cluster: Cluster) -> None:
        """Remove the folder."""
        self._write("delete", cluster.name)
        if cluster.folder is not None:
            shutil.rmtree(cluster.folder)

    def load_image(self, cluster: Cluster, image: str) -> None:
        """Write it down; ProviderError for an image that the machine has not."""
        self._write("load_image", image)
        if image not in self.host:
            raise ProviderError(f"{image} is not on this machine")

    def save_logs(self, cluster: Cluster, folder: Path) -> None:
        """Leave a log."""
        self._write("save_logs", str(folder))
        (folder / "log").write_text("nothing happened\n")

    def asked(self) -> list[str]:
        """What it was asked so far, by any process: verbs in order."""
        return [verb for verb, _ in _entries(self.diary)]

    def _write(self, verb: str, about: str) -> None:
        _enter(self.diary, verb, about)


@dataclass
class FakeInstaller:
    """An installer of three steps, two of them side by side, that only writes what it was asked into `diary`."""

    diary: Path
    fails: str | None = None
    """The name of a step that fails: `control-plane`, `agents` or `proxies`."""
    refuses: str | None = None
    """The text of a check that refuses."""

    def check(self, spec: MeshSpec) -> None:
        """Accept everything, or refuse with the text."""
        if self.refuses is not None:
            raise Misuse(self.refuses)

    def steps(self, target: Target, spec: MeshSpec) -> Sequence[Group]:
        """The control plane, then agents and proxies."""
        return [[self._step("control-plane", spec)], [self._step("agents", spec), self._step("proxies", spec)]]

    def uninstall(self, target: Target, spec: MeshSpec) -> None:
        """Write it down."""
        _enter(self.diary, "uninstall", target.run)

    def asked(self) -> list[str]:
        """What it was asked so far, by any process: verbs and names of steps in order."""
        return [" ".join(entry) for entry in _entries(self.diary)]

    def _step(self, name: str, spec: MeshSpec) -> Step:
        def do() -> None:
            _enter(self.diary, "do", name)
            if self.fails == name:
                raise InstallerError(f"{name} of Istio {spec.version} does not come")

        return Step(name, do, lambda: _enter(self.diary, "undo", name))


def _entries(diary: Path) -> list[list[str]]:
    return [json.loads(line) for line in diary.read_text().splitlines()] if diary.exists() else []


def _enter(diary: Path, verb: str, about: str) -> None:
    with diary.open("a") as file:
        file.write(json.dumps([verb, about]) + "\n")


@contextmanager
def fake_provider(diary: Path, *, fails: str | None = None, name: str = "fake") -> Iterator[FakeProvider]:
    """Make `--ambient-cluster=fake` known in this process for a while."""
    fake = FakeProvider(diary, fails)
    provider.register(name, lambda: fake)
    try:
        yield fake
    finally:
        provider.forget(name)


@contextmanager
def fake_installer(diary: Path, *, name: str = "fake", **behaviour: str) -> Iterator[FakeInstaller]:
    """Make `--ambient-installer=fake` known in this process for a while; `behaviour` is FakeInstaller's."""
    fake = FakeInstaller(diary, **behaviour)
    installer.register(name, lambda: fake)
    try:
        yield fake
    finally:
        installer.forget(name)
