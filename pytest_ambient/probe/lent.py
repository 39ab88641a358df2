"""A curl for pods that have none: in an ephemeral container of theirs, or in a twin pod."""

from collections.abc import Callable

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.manifest import INJECT, PROXY, REVISION
from pytest_ambient.probe.ready import is_ready
from pytest_ambient.stuck import Waits

EPHEMERAL = "pytest-ambient-curl"
TWIN_LABEL = "pytest-ambient/twin-of"
MESHED_BY = ("istio.io/dataplane-mode", INJECT, REVISION)
"""The labels by which a pod is in the mesh in one way or another."""

SECURITY: Object = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What the restricted pod security standard asks of a container, beside a user that is not root."""
CURL_USER = 100
"""The user of curl's image, as a number since the image only names it."""


def ephemeral(kube: Kube, pod: Object, image: str, within: float) -> str:
    """The name of an ephemeral container with curl that runs in a pod; KubeError where none may be added."""
    meta = pod["metadata"]
    statuses = (pod.get("status") or {}).get("ephemeralContainerStatuses") or []
    states = {entry["name"]: entry.get("state") or {} for entry in statuses}
    made = {one["name"]: one.get("image") for one in pod["spec"].get("ephemeralContainers") or ()}
    used = [name for name in made if name.startswith(EPHEMERAL)]
    # The kubelet goes on with one that gets no image: another of that image would fare no better.
    alike = [name for name in used if made[name] == image and "terminated" not in states.get(name, {})]
    name = next((name for name in used if "running" in states.get(name, {})), next(iter(alike), None))
    if name is None:
        name = f"{EPHEMERAL}-{len(used) + 1}" if used else EPHEMERAL
        container = curl_container(name, image, user_of(pod))
        body: Object = {"spec": {"ephemeralContainers": [container]}}
        kube.patch("v1/Pod", meta["name"], meta["namespace"], body, "strategic", "ephemeralcontainers")

    waits = Waits()

    def running() -> bool | NotYet:
        now = kube.get("v1/Pod", meta["name"], meta["namespace"]) or {}
        statuses = (now.get("status") or {}).get("ephemeralContainerStatuses") or []
        own = [entry for entry in statuses if entry["name"] == name]
        state: Object = (own[0].get("state") or {}) if own else {}
        if "running" in state:
            return True
        never = waits.look(kube, [{"metadata": meta, "status": {"containerStatuses": own}}])
        return NotYet(never or f"state {state or 'unknown'}", given_up=bool(never))

    until(running, what=f"curl in pod {meta['namespace']}/{meta['name']}", within=within)
    return name


def twin(kube: Kube, pod: Object, workload: str, image: str, within: float) -> Object:
    """A pod with curl that is to the mesh what the other is: same account, same wish to be in it."""
    meta, spec = pod["metadata"], pod["spec"]
    kept = {key: value for key, value in (meta.get("labels") or {}).items() if key in MESHED_BY}
    made: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{workload}-twin",
            "namespace": meta["namespace"],
            "labels": {**kept, TWIN_LABEL: workload},
        },
        "spec": {
            "serviceAccountName": spec.get("serviceAccountName", "default"),
            "containers": [curl_container("curl", image, user_of(pod))],
            "terminationGracePeriodSeconds": 0,
        },
    }
    kube.apply(made)
    where = (f"{workload}-twin", meta["namespace"])
    return until(_ready(kube, *where), what=f"twin pod {where[1]}/{where[0]}", within=within)


def _ready(kube: Kube, name: str, namespace: str) -> Callable[[], Object | NotYet]:
    waits = Waits()

    def check() -> Object | NotYet:
        pod = kube.get("v1/Pod", name, namespace)
        if pod is not None and is_ready(pod):
            return pod
        never = waits.look(kube, [pod] if pod is not None else [])
        return NotYet(never or f"not Ready{waits.word}", given_up=bool(never))

    return check


def curl_container(name: str, image: str, user: int) -> Object:
    """A container that has curl and waits to be used."""
    return {
        "name": name,
        "image": image,
        "command": ["sleep", "infinity"],
        "securityContext": {**SECURITY, "runAsUser": user},
    }


def user_of(pod: Object) -> int:
    """A user that may run in a pod: its own, since a cluster may allow no other (OpenShift), or else curl's."""
    contexts = [part.get("securityContext") or {} for part in (*own_containers(pod), pod["spec"])]
    return next((int(one["runAsUser"]) for one in contexts if one.get("runAsUser")), CURL_USER)


def own_containers(pod: Object) -> list[Object]:
    """The containers but for a sidecar: calls from there, and of its user anywhere in the pod, go past the mesh."""
    containers: list[Object] = pod["spec"]["containers"]
    return [one for one in containers if one["name"] != PROXY] or containers
