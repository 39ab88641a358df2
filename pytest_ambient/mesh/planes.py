"""What a data plane needs beyond Istio itself, for every installer of Istio alike."""

from collections.abc import Sequence
from importlib import import_module

from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.steps import Group

KMESH = "pytest_ambient.mesh.kmesh"


def beyond(target: Target, spec: MeshSpec) -> Sequence[Group]:
    """The steps that come after istiod: Kmesh's own, nothing for ztunnel, which is a part of Istio."""
    if spec.dataplane != "kmesh":
        return ()
    found: Sequence[Group] = import_module(KMESH).steps(target, spec)
    return found


def remove_beyond(target: Target, spec: MeshSpec) -> None:
    """Take out what `beyond` puts in."""
    if spec.dataplane == "kmesh":
        import_module(KMESH).uninstall(target, spec)
