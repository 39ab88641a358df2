"""The Gateway API's CRDs: the bundle that the Istio version is built with, applied unless there are some already."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import Forbidden, InstallerError, Invalid, NotFound
from pytest_ambient.mesh import bundle, versions
from pytest_ambient.mesh.bookinfo import INSTALLER, RUN_LABEL
from pytest_ambient.mesh.bundle import BUNDLE, CHANNEL, GROUP, NEEDED, annotation
from pytest_ambient.mesh.installer import MeshSpec, Target
from pytest_ambient.mesh.landed import CRD, established
from pytest_ambient.steps import Group, Step

GROUPS = (GROUP, "gateway.networking.x-k8s.io")

OLDEST = {(1, 30): "v1.5.0", (1, 24): "v1.1.0"}
"""The oldest bundle that Istio reads, by the version from which on that holds: 1.30 asks for kinds that came in 1.5."""

POLICY = f"safe-upgrades.{GROUP}"
ADMISSION = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
GUARDS = (f"{ADMISSION}Binding", ADMISSION)
"""Bundles from v1.5 on bring a policy that refuses older bundles and the other channel; this one installs none."""


def steps(target: Target, spec: MeshSpec) -> Group:
    """One step that brings the CRDs in."""
    name = f"gateway-api {versions.of(spec.version).gateway_api}"
    undo = None if target.owned else partial(uninstall, target, spec)
    return [Step(name, partial(install, target, spec), undo)]


def install(target: Target, spec: MeshSpec) -> None:
    """Apply the CRDs and wait until they are served; those of others are taken as they are, never replaced.

    Raises InstallerError when these are too old for the Istio version, or a policy of the cluster refuses ours.
    """
    kube = target.kube()
    there = _definitions(kube)
    if any(not _ours(item, target) for item in there):
        _accept(there, target, spec)
        return
    wanted = [_labelled(item, target.run) for item in bundle.bring(spec, target.say)]
    if target.owned:
        _disarm(kube)
    try:
        with ThreadPoolExecutor(4, thread_name_prefix="ambient-crds") as threads:
            list(threads.map(lambda item: kube.apply(item, force=True, field_manager=INSTALLER), wanted))
    except (Invalid, Forbidden) as error:
        if POLICY not in str(error):
            raise
        raise InstallerError(
            f"the cluster's ValidatingAdmissionPolicy {POLICY} refuses the Gateway API "
            f"{_bundle_of(wanted)}: remove the policy and its binding, or install the CRDs yourself"
        ) from None
    names = [item["metadata"]["name"] for item in wanted]
    until(partial(_established, kube, names), what="the Gateway API's CRDs to be established", within=spec.within)


def uninstall(target: Target, spec: MeshSpec) -> None:
    """Remove the CRDs of this run, unless others have objects of their kinds: then all stay, which is said."""
    kube = target.kube()
    ours = [item for item in _definitions(kube) if _has_run(item, target.run)]
    if not ours:
        return
    used = [] if target.owned else [name for item in ours for name in _others(kube, item, target.run)]
    if used:
        more = f" and {len(used) - 3} more" if len(used) > 3 else ""
        target.say(f"the Gateway API's CRDs stay, others use them: {', '.join(used[:3])}{more}")
        return
    for item in ours:
        kube.delete(CRD, item["metadata"]["name"], wait=spec.within)


def _accept(there: Sequence[Object], target: Target, spec: MeshSpec) -> None:
    """Say that CRDs which are there are used; InstallerError when they cannot be."""
    names = {item["metadata"]["name"].partition(".")[0] for item in there}
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise InstallerError(f"the cluster's Gateway API lacks {', '.join(missing)}: install the whole bundle")
    found, oldest = _bundle_of(there), _oldest(spec.version)
    if versions.number(found) < versions.number(oldest):
        raise InstallerError(
            f"the cluster's Gateway API {found or 'of unknown version'} is too old for Istio {spec.version}, "
            f"which needs {oldest} or newer; it was not installed by this run and is left as it is"
        )
    channel = annotation(there[0], CHANNEL)
    other = f", {channel} channel where {spec.gateway_api} was asked for" if channel != spec.gateway_api else ""
    target.say(f"Gateway API {found} is there already and used as it is{other}")


def _labelled(item: Object, run: str) -> Object:
    """The CRD with our label, without the empty status that generated files have."""
    meta = {key: value for key, value in item["metadata"].items() if key != "creationTimestamp"}
    labels = {**(meta.get("labels") or {}), RUN_LABEL: run}
    return {**{key: value for key, value in item.items() if key != "status"}, "metadata": {**meta, "labels": labels}}


def _disarm(kube: Kube) -> None:
    """Remove the policy from a cluster of our own that is used again with another bundle."""
    for kind in GUARDS:
        try:
            there = kube.get(kind, POLICY)
        except NotFound:
            continue
        if there is not None:
            kube.delete(kind, POLICY)


def _definitions(kube: Kube) -> list[Object]:
    return [item for item in kube.list(CRD) if item["spec"]["group"] in GROUPS]


def _established(kube: Kube, names: Sequence[str]) -> bool | NotYet:
    late = [name for name in names if not established(kube.get(CRD, name))]
    return NotYet(", ".join(late)) if late else True


def _others(kube: Kube, crd: Object, run: str) -> Iterator[str]:
    """Objects of a kind that are not in namespaces of this run; the classes that an istiod made are nobody's."""
    spec = crd["spec"]
    served = [version["name"] for version in spec["versions"] if version.get("served")]
    if not served:
        return
    ours = {item["metadata"]["name"] for item in kube.list("v1/Namespace", labels=f"{RUN_LABEL}={run}")}
    try:
        items = kube.list(f"{spec['group']}/{served[0]}/{spec['names']['kind']}")
    except NotFound:
        return
    for item in items:
        meta = item["metadata"]
        istios = str((item.get("spec") or {}).get("controllerName", "")).startswith("istio.io/")
        if not istios and meta.get("namespace") not in ours:
            yield f"{spec['names']['kind']} {'/'.join(filter(None, (meta.get('namespace'), meta['name'])))}"


def _bundle_of(items: Sequence[Object]) -> str:
    """The oldest bundle version among CRDs that waypoints need; empty when one does not say."""
    needed = [item for item in items if item["metadata"]["name"].partition(".")[0] in NEEDED]
    told = [annotation(item, BUNDLE) for item in needed]
    return min(told, key=versions.number, default="")


def _oldest(version: str) -> str:
    return next(bundle for since, bundle in OLDEST.items() if versions.number(version) >= since)


def _ours(item: Object, target: Target) -> bool:
    return _has_run(item, target.run) or (target.owned and RUN_LABEL in (item["metadata"].get("labels") or {}))


def _has_run(item: Object, run: str) -> bool:
    return bool((item["metadata"].get("labels") or {}).get(RUN_LABEL) == run)
