"""Installs Istio in ambient mode by `istioctl install` from a file of values, takes it out by `uninstall --purge`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from pytest_ambient._kube import Kube
from pytest_ambient.errors import InstallerError
from pytest_ambient.mesh import claim, release, values, versions
from pytest_ambient.mesh.bookinfo import INSTALLER
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import CRD, verify
from pytest_ambient.mesh.planes import beyond, check_beyond, remove_beyond
from pytest_ambient.mesh.present import present, usable
from pytest_ambient.mesh.tool import told
from pytest_ambient.steps import Group, Step

LAST = 20.0
"""Seconds of a step that are left for what comes after istioctl's own wait."""


COMPONENT = "operator.istio.io/component"
"""The label by which istioctl knows what it may remove."""


class Istioctl:
    """The `istioctl` installer."""

    def check(self, spec: MeshSpec) -> None:
        """Refuse versions that are not known, and a local release without istioctl."""
        versions.of(spec.version)
        release.check(spec, "bin/istioctl")
        check_beyond(spec)

    def steps(self, target: Target, spec: MeshSpec) -> Sequence[Group]:
        """Install Istio, unless the wanted one is there; then what the data plane needs beyond it."""
        undo = None if target.owned else partial(self.uninstall, target, spec)
        return [
            [Step(f"istio {spec.version}", partial(_install, target, spec), undo)],
            *beyond(target, spec),
        ]

    def uninstall(self, target: Target, spec: MeshSpec) -> None:
        """Take out what is this run's, after its namespaces have left the mesh; InstallerError while others use it."""
        remove_beyond(target, spec)
        kube = target.kube()
        claim.give_back(kube, target, spec, partial(_purge, kube, target, spec))


def _install(target: Target, spec: MeshSpec) -> None:
    kube = target.kube()
    versions.refuse_old(kube.server_version(), spec.version)
    if usable(kube, target, spec):
        return
    release.istioctl(spec, target.say)  # before anything is made
    end = time.monotonic() + spec.within
    found = claim.claim(kube, target)
    path = values.write(spec.folder / "istio-operator.yaml", values.operator(target, spec, found.definitions))
    wait = max(spec.within - LAST, LAST)
    _istioctl(target, spec, "install", "-y", "-f", str(path), "--readiness-timeout", f"{wait:.0f}s")
    verify(kube, spec, within=max(end - time.monotonic(), LAST))


def _purge(kube: Kube, target: Target, spec: MeshSpec) -> None:
    """Remove Istio; not while another is there, as istioctl would remove that one, too."""
    strangers = [str(one) for one in present(kube) if one.namespace != claim.ROOT]
    if strangers:
        raise InstallerError(
            f"{', '.join(strangers)} came into the cluster meanwhile, and istioctl would remove it too: "
            f"take Istio {spec.version} out by hand: istioctl uninstall --revision default"
        )
    with _spared(kube, claim.found(kube).definitions):
        _istioctl(target, spec, "uninstall", "-y", "--purge")


@contextmanager
def _spared(kube: Kube, definitions: Sequence[str]) -> Iterator[None]:
    """Hide CRDs that were there before from istioctl, which removes all with its label and their objects with them."""
    marked = {}
    for name in definitions:
        labels = ((kube.get(CRD, name) or {}).get("metadata") or {}).get("labels") or {}
        if COMPONENT in labels:
            marked[name] = labels[COMPONENT]
            kube.patch(CRD, name, None, {"metadata": {"labels": {COMPONENT: None}}}, field_manager=INSTALLER)
    try:
        yield
    finally:
        for name, value in marked.items():
            kube.patch(CRD, name, None, {"metadata": {"labels": {COMPONENT: value}}}, field_manager=INSTALLER)


def _istioctl(target: Target, spec: MeshSpec, *words: str) -> None:
    path = release.istioctl(spec, target.say)
    where = ["--kubeconfig", str(target.kubeconfig), "--context", target.context]
    # A configuration file of the user's could name another namespace; istioctl refuses a name without a file.
    settings = values.write(spec.folder / "istioctl.yaml", {"istioNamespace": claim.ROOT})
    told([str(path), *words, *where], within=spec.within, environment={"ISTIOCONFIG": str(settings)})
