"""What a run would find: this machine, the cluster, the mesh in it, and what earlier runs left; a finding each."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ambient import __version__
from pytest_ambient.errors import AmbientError, Misuse
from pytest_ambient.finding import Finding

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import ClusterSpec
    from pytest_ambient.settings import Settings

CLEANUP = "pytest-ambient cleanup"


def look(settings: "Settings", spec: "ClusterSpec") -> Iterator[Finding]:
    """Every finding, as soon as it is there; a check that cannot be done is `unknown`, never an error."""
    yield Finding("pytest-ambient", "ok", f"{__version__}, Python {sys.version.partition(' ')[0]}")
    yield from _tools()
    if settings.cluster is not None:
        found = _guarded("cluster", lambda: _provider(settings, spec))
        yield from found
        if not any(finding.state == "failed" for finding in found):
            if settings.cluster == "existing":
                yield from _guarded("mesh", lambda: _mesh(settings, spec))
            yield from _guarded("registries", lambda: _registries(settings) if _pulls(settings, spec) else [])
    yield from _leases()


def _guarded(what: str, look: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    try:
        return look()
    except Misuse:
        raise
    except AmbientError as error:
        return [Finding(what, "failed", str(error))]


def _tools() -> Iterator[Finding]:
    path = shutil.which("kubectl")
    if path is None:
        yield Finding("kubectl", "warning", "not on PATH", "no test needs it, the commands that failures tell do")
    else:
        yield Finding("kubectl", "ok", path)


def _provider(settings: "Settings", spec: "ClusterSpec") -> Sequence[Finding]:
    from pytest_ambient.cluster.provider import find

    assert settings.cluster is not None
    provider = find(settings.cluster)
    provider.check(spec)
    return provider.findings(spec)


def _mesh(settings: "Settings", spec: "ClusterSpec") -> Sequence[Finding]:
    from pytest_ambient._kube import Kube
    from pytest_ambient.mesh import health

    return health.findings(Kube(spec.kubeconfig, spec.context), settings.istio_version)


def _pulls(settings: "Settings", spec: "ClusterSpec") -> bool:
    """Whether nodes pull images: those of an embedded cluster have programs of these names."""
    if settings.cluster != "existing":
        return settings.cluster != "embedded"
    from pytest_ambient._kube import Kube
    from pytest_ambient.cluster.existing import is_bench

    return not is_bench(Kube(spec.kubeconfig, spec.context))


def _registries(settings: "Settings") -> Sequence[Finding]:
    from pytest_ambient import _http
    from pytest_ambient.mesh import images, versions

    version = versions.patch(settings.istio_version)
    needed = images.needed(version, installs=settings.cluster != "existing", hub=settings.hub)
    hosts = dict.fromkeys(image.name.partition("/")[0] for image in needed)
    findings = []
    for host in hosts:
        reason = _http.unreachable(f"https://{'registry-1.docker.io' if host == 'docker.io' else host}/v2/")
        findings.append(_registry(host, reason))
    return findings


def _registry(host: str, reason: str) -> Finding:
    """The nodes pull, not this machine: what it cannot reach is no more than a hint."""
    if not reason:
        return Finding(f"registry {host}", "ok", "answers this machine")
    remedy = "images come from there: let the nodes reach it, or give a mirror with --ambient-hub"
    return Finding(f"registry {host}", "warning", f"not reached from this machine: {reason}", remedy)


def _leases() -> Iterator[Finding]:
    from pytest_ambient.cluster import lease

    left = [one for one in lease.leases() if one.left_behind]
    for one in left:
        yield Finding("left behind", "warning", lease.words(one), CLEANUP)
    for path in (*lease.damaged(), *lease.orphans()):
        yield Finding("left behind", "warning", str(path), CLEANUP)
