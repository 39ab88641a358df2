"""What a run puts beside what is there: labelled as its own, never over another's, taken out by its label."""

from collections.abc import Iterator, Mapping, Sequence

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import InstallerError, NotFound
from pytest_ambient.mesh.bookinfo import INSTALLER, RUN_LABEL

PART_LABEL = "pytest-ambient/part"
"""Which part of what a run installs an object belongs to, such as an addon's name."""

KINDS = (
    "v1/Namespace",
    "apiextensions.k8s.io/v1/CustomResourceDefinition",
    "v1/ServiceAccount",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1/Role",
    "rbac.authorization.k8s.io/v1/RoleBinding",
    "v1/Secret",
    "v1/ConfigMap",
    "v1/Service",
    "apps/v1/Deployment",
    "apps/v1/DaemonSet",
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration",
    "telemetry.istio.io/v1/Telemetry",
    "metallb.io/v1beta1/L2Advertisement",
    "metallb.io/v1beta1/IPAddressPool",
)
"""The kinds that parts are made of, those that others depend on first."""

CONTROLLERS = ("Deployment", "DaemonSet")


def kind_of(item: Object) -> str:
    """`GROUP/VERSION/Kind`."""
    return f"{item['apiVersion']}/{item['kind']}"


def labelled(item: Object, run: str, part: str) -> Object:
    """The object with the labels that say whose it is."""
    meta = item["metadata"]
    labels = {**(meta.get("labels") or {}), RUN_LABEL: run, PART_LABEL: part}
    return {**item, "metadata": {**meta, "labels": labels}}


def put(kube: Kube, item: Object, run: str, part: str) -> None:
    """Apply an object as this run's own; InstallerError when it is there and somebody else's."""
    meta = item["metadata"]
    found = kube.get(kind_of(item), meta["name"], meta.get("namespace"))
    if found is not None and not _has(found, {RUN_LABEL: run}):
        where = f"{meta['namespace']}/{meta['name']}" if meta.get("namespace") else meta["name"]
        raise InstallerError(
            f"{item['kind']} {where} is there already and not of this run: {part} cannot be put in beside it"
        )
    # Not strict: a field that another Kubernetes does not know is its business.
    kube.apply(labelled(item, run, part), force=True, field_manager=INSTALLER, strict=False)


def take(kube: Kube, run: str, part: str, within: float) -> None:
    """Remove all that this run put in for a part, the last kinds first, and wait until it is gone."""
    for kind in reversed(KINDS):
        try:
            items = kube.list(kind, labels=f"{RUN_LABEL}={run},{PART_LABEL}={part}")
        except NotFound:
            continue
        for item in items:
            kube.delete(kind, item["metadata"]["name"], item["metadata"].get("namespace"), wait=within)


def foreign(kube: Kube, items: Sequence[Object], run: str) -> bool:
    """Whether what the objects are about runs already, put in by somebody else."""
    wanted = [item for item in items if item["kind"] in CONTROLLERS]
    found = [kube.get(kind_of(item), item["metadata"]["name"], item["metadata"].get("namespace")) for item in wanted]
    return any(one is not None and not _has(one, {RUN_LABEL: run}) for one in found)


def rolled_out(kube: Kube, items: Sequence[Object], *, what: str, within: float) -> None:
    """Wait until all Deployments and DaemonSets among the objects run; NotInTime names the late ones and why."""
    wanted = [item for item in items if item["kind"] in CONTROLLERS]

    def check() -> bool | NotYet:
        late = [reason for item in wanted for reason in _late(kube, item)]
        return NotYet("; ".join(late)) if late else True

    until(check, what=f"{what} to be ready", within=within)


def _late(kube: Kube, item: Object) -> Iterator[str]:
    name, namespace = item["metadata"]["name"], item["metadata"].get("namespace")
    found = kube.get(kind_of(item), name, namespace) or item
    status = found.get("status") or {}
    wanted, ready = _numbers(found)
    current = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 1)
    if not current or ready < wanted:
        labels = (item["spec"].get("selector") or {}).get("matchLabels") or {}
        pods = kube.list("v1/Pod", namespace, ",".join(f"{key}={value}" for key, value in labels.items()))
        reason = next((why for pod in pods for why in waiting(pod)), "")
        yield f"{item['kind']} {namespace}/{name}: {ready} of {wanted} ready" + (f" ({reason})" if reason else "")


def _numbers(item: Object) -> tuple[int, int]:
    """How many pods are wanted of a Deployment or DaemonSet, and how many of its present template are ready."""
    status = item.get("status") or {}
    if item["kind"] == "DaemonSet":
        ready = min(status.get("numberReady", 0), status.get("updatedNumberScheduled", 0))
        return max(status.get("desiredNumberScheduled", 0), 1), ready
    return item["spec"].get("replicas", 1), min(status.get("availableReplicas", 0), status.get("updatedReplicas", 0))


def waiting(pod: Object) -> Iterator[str]:
    """Why containers of a pod do not run: `ImagePullBackOff: …`."""
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        state = (container.get("state") or {}).get("waiting")
        if state:
            yield ": ".join(filter(None, (state.get("reason"), state.get("message")))) or "waiting"


def _has(item: Object, labels: Mapping[str, str]) -> bool:
    found = item["metadata"].get("labels") or {}
    return all(found.get(key) == value for key, value in labels.items())
