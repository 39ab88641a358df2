"""Refuses settings that cannot work together, before anything is made: one line each."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import _bringup, _heading
from pytest_ambient._words import unknown
from pytest_ambient.cluster.preflight import writable
from pytest_ambient.cluster.provider import Provider, find
from pytest_ambient.errors import Misuse
from pytest_ambient.mesh.names import FEATURES
from pytest_ambient.settings import Settings

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import ClusterSpec

FOR_EXISTING = ("context", "kubeconfig")
FOR_CREATED = ("name", "nodes", "kubernetes_version")
FOR_BARE = ("kubernetes_version", "istio_dir", "addons", "gateway_api")
"""What is said of a cluster that comes without a mesh."""
BENCH = "python -m pytest_ambient.embedded --help"
RELEASE = ("bin/istioctl", "manifests/charts")
"""What an unpacked Istio release has, one of them at least."""


def check(settings: Settings, spec: "Callable[[], ClusterSpec]") -> None:
    """Misuse for settings that contradict each other or name what does not exist."""
    reason = _alone(settings) if settings.cluster is None else _together(settings, settings.cluster)
    reason = reason or _features(settings) or _report(settings)
    if reason is not None:
        raise Misuse(reason)
    _heading.implementation(settings)
    if settings.cluster is not None:
        _provided(settings, find(settings.cluster), spec())


def _provided(settings: Settings, provider: Provider, spec: "ClusterSpec") -> None:
    reason = _meshed(settings, provider) if _bringup.meshed(provider) else _installed(settings, provider)
    if reason is not None:
        raise Misuse(reason)
    provider.check(spec)
    _goes_on(settings, str(getattr(provider, "mesh", "")))
    mesh = _bringup.installation(settings, provider, spec.folder / "mesh")
    if mesh is not None:
        _paired(settings, mesh.spec.version)
        _goes_on(settings, mesh.spec.version if mesh.installer != _bringup.NONE else "")
        mesh.check()


def _alone(settings: Settings) -> str | None:
    """Only what stands on the command line asks for a cluster: an ini file may hold values for runs that have one."""
    for name, wanted in (("fault", "embedded"), *((name, "existing") for name in FOR_EXISTING)):
        if settings.source.get(name) == "option":
            return f"--ambient-{name} needs --ambient-cluster={wanted}"
    return None


def _together(settings: Settings, cluster: str) -> str | None:
    if settings.fault and cluster != "embedded":
        fault = settings.spelled("fault")
        return f"{fault} needs --ambient-cluster=embedded, not {cluster}: no other mesh is broken on purpose"
    for name in FOR_EXISTING:
        if settings.said(name) and cluster != "existing":
            return f"{settings.spelled(name)} is for --ambient-cluster=existing: {cluster} makes its own"
    for name in FOR_CREATED:
        if settings.said(name) and cluster == "existing":
            which = settings.spelled(name)
            return f"{which} is for a cluster that is created: existing is found by --ambient-context"
    return _faults(settings)


def _meshed(settings: Settings, provider: Provider) -> str | None:
    said = [name for name in FOR_BARE if settings.said(name)]
    said += ["installer"] if settings.installer not in (None, _bringup.NONE) else []
    said += ["dataplane"] if settings.dataplane != "ztunnel" else []
    if not said:
        return _own_version(settings, str(getattr(provider, "mesh", "")))
    return f"{settings.spelled(said[0])} is for clusters without a mesh: {settings.cluster} comes with its own"


def _own_version(settings: Settings, own: str) -> str | None:
    wanted = settings.istio_version
    if wanted is None or not own or own == wanted or own.startswith(f"{wanted}."):
        return None
    return f"{settings.spelled('istio_version')}: {settings.cluster} comes with Istio {own}, wanted {wanted}"


def _installed(settings: Settings, provider: Provider) -> str | None:
    release(settings)
    folder, which = settings.istio_dir, settings.spelled("istio_dir")
    if _bringup.installer(settings, provider) != _bringup.NONE:
        return None
    if settings.said("gateway_api"):
        return f"{settings.spelled('gateway_api')} is for a mesh that is installed: give --ambient-installer"
    if folder is not None and not settings.addons:
        return f"{which} is for what is installed: give --ambient-installer or --ambient-addons"
    return None


def release(settings: Settings) -> None:
    """Misuse for a folder that is named as an unpacked Istio release and is none."""
    folder, which = settings.istio_dir, settings.spelled("istio_dir")
    if folder is not None and not any((folder / part).exists() for part in RELEASE):
        raise Misuse(f"{which}: {folder} is no unpacked Istio release, it has neither {' nor '.join(RELEASE)}")


def _paired(settings: Settings, version: str) -> None:
    """Misuse for a Kubernetes that this Istio refuses."""
    from pytest_ambient.mesh import versions

    asked, row = settings.kubernetes_version, versions.of(version)
    if asked is not None and versions.number(versions.minor(asked)) < versions.number(row.kubernetes_minimum):
        which = settings.spelled("kubernetes_version")
        raise Misuse(f"{which}: Istio {version} needs Kubernetes {row.kubernetes_minimum} or newer, got {asked}")


def _goes_on(settings: Settings, version: str) -> None:
    """Misuse for a version that the mesh which will be there cannot go to; nobody knows one that is there already."""
    from pytest_ambient.mesh import upgrade

    reason = upgrade.wrong(version, settings.upgrade_to) if version and settings.upgrade_to else None
    if reason is not None:
        raise Misuse(f"{settings.spelled('upgrade_to')}: {reason}")


def _faults(settings: Settings) -> str | None:
    if not settings.fault:
        return None
    from pytest_ambient.embedded.faults import Fault

    wrong = unknown(settings.fault, [fault.value for fault in Fault])
    listed = f"{BENCH} lists all {len(Fault)}"
    return f"{settings.spelled('fault')}: unknown {', '.join(wrong)}; {listed}" if wrong else None


def _features(settings: Settings) -> str | None:
    for key, names in (("features", settings.features), ("skip_features", settings.skip_features)):
        wrong = unknown(names, FEATURES) if names else []
        if wrong:
            which = settings.spelled(key)
            return f"{which}: unknown {', '.join(wrong)}, known are {', '.join(sorted(FEATURES))}"
    both = [name for name in settings.features or () if name in settings.skip_features]
    ways = f"{settings.spelled('features')} and {settings.spelled('skip_features')}"
    return f"{ways} both name {', '.join(both)}" if both else None


def _report(settings: Settings) -> str | None:
    if settings.report is None:
        asked = settings.source.get("artifacts") == "option"
        return "--ambient-artifacts needs --ambient-report DIR, the folder that they go to" if asked else None
    taken = next((path for path in (settings.report, *settings.report.parents) if path.exists()), Path("/"))
    which = settings.spelled("report")
    if not taken.is_dir():
        return f"{which}: {taken} is a file, wanted a folder"
    return None if writable(taken) else f"{which}: {taken} cannot be written"
