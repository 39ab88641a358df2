"""What goes on while no istiod is there: proxies keep what they were told last, and nobody takes new configuration."""

from collections.abc import Iterator, Mapping
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
    """The mesh that proxies were told last, with what there is now beside it.

    Of a pod that came meanwhile ztunnel knows nothing, and the pod gets nowhere; without a ztunnel it goes anywhere.
    What calls a new Service ztunnel passes on, as it does with all that it does not know.
    """
    told = {uid: _workload(each, mesh.workloads.get(uid)) for uid, each in last.workloads.items()}
    new = {uid: each for uid, each in mesh.workloads.items() if not _is(each, told.get(uid))}
    return replace(
        last,
        workloads=told | dict(_going(new, last)),
        services=dict(_services(mesh, last)),
        now=mesh,
    )


def _is(one: Workload, other: Workload | None) -> bool:
    return other is not None and one.address == other.address


def _workload(told: Workload, now: Workload | None) -> Workload:
    """A pod as it was told, with what its node does without istiod; one that is gone has no port."""
    if now is None or not _is(now, told):
        return replace(told, sockets={})
    return replace(told, captured=now.captured, sockets=now.sockets)


def _going(new: Mapping[str, Workload], last: Mesh) -> Iterator[tuple[str, Workload]]:
    """Those that go on all the same: without a ztunnel, or taken for the pod of that name and account before them."""
    for uid, each in new.items():
        before = last.workloads.get(uid)
        if before is not None and before.identity == each.identity:
            yield f"{uid} {each.address}", replace(each, policies=before.policies, waypoint=before.waypoint)
        elif each.is_waypoint or not each.captured:
            yield uid if before is None else f"{uid} {each.address}", replace(each, policies=(), waypoint=None)


def _services(now: Mesh, last: Mesh) -> Iterator[tuple[str, Service]]:
    """Services as they were told, with their pods of then, for as long as they have their address."""
    for key, told in last.services.items():
        if key in now.services and now.services[key].vip == told.vip:
            yield key, told
