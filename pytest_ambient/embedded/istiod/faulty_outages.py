"""The faults that show when a part of the mesh is away, was restarted, or is asked from outside. Part of `faulty`."""

from dataclasses import replace

from .model import ROOT_NAMESPACE, Mesh, WaypointRef


def ingress_past_waypoint(mesh: Mesh) -> Mesh:
    """Gateways go straight to pods."""
    return replace(mesh, services={key: replace(each, ingress_too=False) for key, each in mesh.services.items()})


def past_lost_waypoints(mesh: Mesh) -> Mesh:
    """Whoever is bound to a waypoint without a pod is called past it."""

    def left(ref: WaypointRef | None) -> WaypointRef | None:
        waypoint = mesh.waypoints.get(ref.key) if ref else None
        return ref if waypoint and waypoint.pods else None

    return replace(
        mesh,
        services={key: replace(each, waypoint=left(each.waypoint)) for key, each in mesh.services.items()},
        workloads={uid: replace(each, waypoint=left(each.waypoint)) for uid, each in mesh.workloads.items()},
    )


def istiod_away(mesh: Mesh) -> bool:
    """Whether no istiod is ready."""
    pods = (mesh.now or mesh).workloads.values()
    return not any(each.ready and _is(each.namespace, each.controller, "istiod") for each in pods)


def ztunnel_restarted(mesh: Mesh) -> bool:
    """Whether some ztunnel was restarted; a second restart, such as taking the first one's mark away, mends it."""
    return any(
        _is(each.namespace, each.controller, "ztunnel")
        and int(each.labels.get("pod-template-generation", "1")) % 2 == 0
        for each in (mesh.now or mesh).workloads.values()
    )


def _is(namespace: str, controller: str, name: str) -> bool:
    return (namespace, controller) == (ROOT_NAMESPACE, name)
