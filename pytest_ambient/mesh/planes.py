"""What a data plane needs beyond Istio itself, for every installer of Istio alike."""

from collections.abc import Sequence

from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.steps import Group


def check_beyond(spec: MeshSpec) -> None:
    """Misuse for a data plane that does not go with the wanted Istio."""
    if spec.dataplane == "kmesh":
        from pytest_ambient.mesh import kmesh

        kmesh.check(spec)


def beyond(target: Target, spec: MeshSpec) -> Sequence[Group]:
    """The steps that come after istiod: Kmesh's own, nothing for ztunnel, which is a part of Istio."""
    if spec.dataplane != "kmesh":
        return ()
    from pytest_ambient.mesh import kmesh

    return kmesh.steps(target, spec)


def remove_beyond(target: Target, spec: MeshSpec) -> None:
    """Take out what `beyond` puts in."""
    if spec.dataplane == "kmesh":
        from pytest_ambient.mesh import kmesh

        kmesh.uninstall(target, spec)
