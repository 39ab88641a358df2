"""What the Gateway API's definitions fill in where a user said nothing."""

from ..objects import Object
from .view import spec_of

_WAITING = {
    "lastTransitionTime": "1970-01-01T00:00:00Z",
    "message": "Waiting for controller",
    "reason": "Pending",
    "status": "Unknown",
}


def complete_gateway(gateway: Object) -> None:
    """Fill in a Gateway's defaults, those of its status included."""
    for listener in spec_of(gateway).get("listeners") or ():
        listener.setdefault("allowedRoutes", {}).setdefault("namespaces", {}).setdefault("from", "Same")
    waiting = [{**_WAITING, "type": kind} for kind in ("Accepted", "Programmed")]
    gateway.setdefault("status", {}).setdefault("conditions", waiting)


def complete_class(item: Object) -> None:
    """Fill in a GatewayClass's default status."""
    item.setdefault("status", {}).setdefault("conditions", [{**_WAITING, "type": "Accepted"}])


def complete_route(route: Object) -> None:
    """Fill in an HTTPRoute's defaults."""
    spec = spec_of(route)
    for parent in spec.get("parentRefs") or ():
        parent.setdefault("group", "gateway.networking.k8s.io")
        parent.setdefault("kind", "Gateway")
    for rule in spec.setdefault("rules", [{}]) if spec else ():
        _complete_rule(rule)


def _complete_rule(rule: Object) -> None:
    for match in rule.setdefault("matches", [{}]):
        path = match.setdefault("path", {})
        path.setdefault("type", "PathPrefix")
        path.setdefault("value", "/")
        for pair in (*(match.get("headers") or ()), *(match.get("queryParams") or ())):
            pair.setdefault("type", "Exact")
    for ref in rule.get("backendRefs") or ():
        ref.setdefault("group", "")
        ref.setdefault("kind", "Service")
        ref.setdefault("weight", 1)
