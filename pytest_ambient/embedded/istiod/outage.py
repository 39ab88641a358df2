"""What goes on while no istiod is there: proxies keep what they were told last, and nobody takes new configuration."""

from dataclasses import replace

from ..api.errors import ApiError
from ..api.store import Store, find
from .model import ROOT_NAMESPACE, Mesh, Service, Workload
from .view import DISCOVERY

_SLICE = find("EndpointSlice", DISCOVERY)
_NAME = "istiod"


class Presence:
    """Whether an istiod that was there has gone; before the first one is ready nothing counts as an outage."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen = False

    def away(self) -> bool:
        """Whether no istiod is ready any more."""
        ready = self._ready()
        self._seen = self._seen or ready
        return self._seen and not ready

    def check(self) -> None:
        """ApiError, as the API server says it, when nobody is there to check an object of Istio's."""
        if self.away():
            raise unchecked()

    def _ready(self) -> bool:
        slices = self._store.list(_SLICE, ROOT_NAMESPACE, {"kubernetes.io/service-name": _NAME})
        endpoints = [each for one in slices for each in one.get("endpoints") or ()]
        return any((each.get("conditions") or {}).get("ready") for each in endpoints)


def unchecked() -> ApiError:
    """What becomes of a write that Istio's webhook must admit and cannot (recorded on Istio 1.30.3)."""
    call = f'failed to call webhook: Post "https://{_NAME}.{ROOT_NAMESPACE}.svc:443/validate?timeout=10s"'
    why = f'failed calling webhook "validation.istio.io": {call}: no endpoints available for service "{_NAME}"'
    return ApiError(500, "InternalError", f"Internal error occurred: {why}", {"causes": [{"message": why}]})


def held(mesh: Mesh, last: Mesh) -> Mesh:
    """The mesh with pods and Services of now and all that is configuration as it was told last.

    A real ztunnel would not even hear of new pods.
    """
    return replace(
        last,
        workloads={uid: _workload(each, last) for uid, each in mesh.workloads.items()},
        services={key: _service(each, last) for key, each in mesh.services.items()},
        waypoints={
            key: replace(each, pods=mesh.waypoints[key].pods) if key in mesh.waypoints else each
            for key, each in last.waypoints.items()
        },
    )


def _workload(now: Workload, last: Mesh) -> Workload:
    """A pod that is new meets the policies that are known and select it."""
    before = last.workloads.get(now.uid)
    if before is None:
        return replace(now, policies=tuple(key for key in now.policies if key in last.l4_policies))
    return replace(now, policies=before.policies, waypoint=before.waypoint)


def _service(now: Service, last: Mesh) -> Service:
    before = last.services.get(now.key)
    if before is None:
        return now
    return replace(now, waypoint=before.waypoint, ingress_too=before.ingress_too)
