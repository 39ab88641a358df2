"""Bookinfo in this run's own namespaces: installed, ready and captured; its namespaces go with their run."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_ambient._kube import MANAGER, Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import BrokenEnvironment, Forbidden, Inconclusive, NotFound, NotInTime
from pytest_ambient.manifest import INJECT, Document, read
from pytest_ambient.mesh import refusals
from pytest_ambient.mesh.capture import Capture, captured
from pytest_ambient.mesh.dataplane import ZTUNNEL, Dataplane
from pytest_ambient.mesh.discovery import INJECTION, NAME, needed
from pytest_ambient.mesh.images import CURL, own
from pytest_ambient.mesh.refusals import Patience
from pytest_ambient.mesh.serving import settle
from pytest_ambient.mesh.sidecars import INJECTED
from pytest_ambient.places import Places
from pytest_ambient.stuck import Waits

INSTALLER = f"{MANAGER}-install"
"""The field manager of what is installed: rules may change the same objects under a name of their own."""
RUN_LABEL = "pytest-ambient/run"
FOLDER = Path(__file__).parent / "manifests"
STAGES = (("namespaces",), ("accounts",), ("services", "workloads", "clients", "echo"))
"""Manifests by the order in which they are applied; those of one stage go side by side."""
CAPTURE_WITHIN = 10.0
"""Seconds after its readiness in which a pod must be captured; whether it is, is for a rule to say."""


@dataclass(frozen=True)
class Bookinfo:
    """Bookinfo, serving: where it is, and what ambient mode has not captured."""

    places: Places
    run: str
    captures: tuple[Capture, ...] = ()
    """What is said of every pod in an enrolled namespace by what redirects and, where there is one, by ztunnel."""
    curl: str = ""
    """The clients' image."""

    def uncaptured(self) -> str | None:
        """The pods that are not captured, one line each with who says so; None when all are.

        Raises Inconclusive when no ztunnel could be asked and the CNI agent's word is all there is.
        """
        doubt = next((one.doubt for one in self.captures if one.doubt), "")
        if doubt and all(one.annotation == "enabled" for one in self.captures):
            raise Inconclusive(f"no ztunnel told its workloads, the last one asked was {doubt}")
        return "\n".join(str(one) for one in self.captures if not one.complete) or None


def install(
    kube: Kube,
    places: Places,
    run: str,
    *,
    istio: str | None = None,
    hub: str | None = None,
    within: float = 180,
    dataplane: Dataplane = ZTUNNEL,
) -> Bookinfo:
    """Bookinfo with its clients, once all of it is Ready; what is there already is left as it is.

    The images are those of the samples of `istio`, its version, or else of the newest one that is known. Raises
    BrokenEnvironment for a namespace that is not this run's, NotInTime with what is not Ready and why.
    """
    refuse_foreign(kube, places, run)
    image = partial(own, version=istio, hub=hub)
    with ThreadPoolExecutor(8, thread_name_prefix="ambient-install") as threads:
        for stage in STAGES:
            documents = [item for name in stage for item in read(FOLDER / f"{name}.yaml", places, image=image)]
            items = [labelled(item, run, places.discovery, bare=places.injects) for item in documents]
            list(threads.map(lambda item: refusals.applied(kube, item, INSTALLER), items))
    until(partial(_ready, kube, places, Patience(), Waits()), what="Bookinfo to be Ready", within=within)
    _refuse_sidecars(kube, places)
    refusals.undecided(kube, places.ours, answered=settle(kube, places))
    return Bookinfo(places, run, _captures(kube, places, dataplane), image(CURL))


def refuse_foreign(kube: Kube, places: Places, run: str) -> None:
    """Raises BrokenEnvironment when one of the namespaces exists and does not belong to this run."""
    for name in places.ours:
        found = kube.get("v1/Namespace", name)
        if found is not None and _run_of(found) != run:
            owner = _run_of(found)
            whose = f"belongs to run {owner}" if owner else "was not made by pytest-ambient"
            raise BrokenEnvironment(f"namespace {name} exists and {whose}; choose another with --ambient-namespace")


def _refuse_sidecars(kube: Kube, places: Places) -> None:
    """BrokenEnvironment for a pod with a sidecar that it did not ask for: ambient mode leaves it alone."""
    for namespace in places.ours:
        for pod in kube.list("v1/Pod", namespace):
            meta = pod["metadata"]
            if INJECTED in (meta.get("annotations") or {}) and (meta.get("labels") or {}).get(INJECT) != "true":
                raise BrokenEnvironment(
                    f"pod {namespace}/{meta['name']} was given a sidecar, which keeps it out of ambient mode: let "
                    "whatever labels new namespaces for injection leave those with the label pytest-ambient/run alone"
                )


def labelled(document: Document, run: str, discovery: Sequence[Object] = (), *, bare: bool = False) -> Object:
    """The object, a Namespace with the label that says whose it is and those that let istiod look at it.

    A `bare` one is kept from injectors that give pods sidecars unasked.
    """
    item = document.object
    if item["kind"] != "Namespace":
        return item
    meta = item["metadata"]
    labels = {**meta.get("labels", {}), RUN_LABEL: run, **({INJECTION: "disabled"} if bare else {})}
    labels |= needed(discovery, {**labels, NAME: document.name})
    return {**item, "metadata": {**meta, "labels": labels}}


def users_assigned(kube: Kube) -> bool:
    """Whether the cluster gives every namespace a range of users of its own, as OpenShift does."""
    try:
        return bool(kube.list("security.openshift.io/v1/SecurityContextConstraints"))
    except NotFound:
        return False
    except Forbidden:
        return True  # there is such a kind


def _run_of(namespace: Object | None) -> str | None:
    labels = (namespace or {}).get("metadata", {}).get("labels") or {}
    label = labels.get(RUN_LABEL)
    return None if label is None else str(label)


def _ready(kube: Kube, places: Places, patience: Patience, waits: Waits) -> bool | NotYet:
    """Whether all Deployments are complete; if not, which are late, each with the reason of a pod that waits."""
    late, refused, stuck = list[str](), dict[str, str](), list[Object]()
    for namespace in places.ours:
        found = [item for item in kube.list("apps/v1/Deployment", namespace) if not _complete(item)]
        pods = kube.list("v1/Pod", namespace) if found else []
        for item in found:
            name, own = f"{namespace}/{item['metadata']['name']}", _pods_of(item, pods)
            late.append(f"{name} ({next(refusals.reasons(item, own), 'not Ready')})")
            refused |= {name: why} if (why := refusals.refusal(item)) else {}
            stuck += own
    patience.spend(refused)
    if never := waits.look(kube, stuck):
        raise BrokenEnvironment(never)
    return NotYet(", ".join(late) + waits.word) if late else True


def _complete(deployment: Object) -> bool:
    status, meta = deployment.get("status") or {}, deployment["metadata"]
    current = status.get("observedGeneration", 0) >= meta.get("generation", 1)
    return bool(current and status.get("availableReplicas", 0) >= deployment["spec"].get("replicas", 1))


def _pods_of(deployment: Object, pods: Sequence[Object]) -> list[Object]:
    return [pod for pod in pods if pod["metadata"]["name"].startswith(f"{deployment['metadata']['name']}-")]


def _captures(kube: Kube, places: Places, dataplane: Dataplane) -> tuple[Capture, ...]:
    enrolled = (places.namespace, places.other)

    def check() -> tuple[Capture, ...] | NotYet:
        found = captured(kube, enrolled, dataplane)
        late = [one.pod for one in found if not one.complete]
        return NotYet(", ".join(late)) if late else found

    try:
        return until(check, what="pods to be captured", within=CAPTURE_WITHIN)
    except NotInTime:
        return captured(kube, enrolled, dataplane)
