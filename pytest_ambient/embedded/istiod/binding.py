"""Which waypoint handles the traffic of a Service, a pod or a namespace."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..api.selectors import matches
from ..objects import Object, labels_of, name_of, namespace_of
from .model import Handles, WaypointRef
from .view import MANAGED, MANAGED_BY_MESH, WAYPOINT_CLASS, View, key_of, spec_of

USE_WAYPOINT = "istio.io/use-waypoint"
INGRESS_USE_WAYPOINT = "istio.io/ingress-use-waypoint"
USE_WAYPOINT_NAMESPACE = "istio.io/use-waypoint-namespace"
WAYPOINT_FOR = "istio.io/waypoint-for"
REVISION = "istio.io/rev"
HBONE_PORT = 15008


@dataclass(frozen=True)
class Gate:
    """A waypoint Gateway that has an address, and whom it lets attach."""

    ref: WaypointRef
    address: str
    handles: Handles
    attaches: Object
    """`allowedRoutes.namespaces` of its HBONE listener."""
    tunnelled: bool = True
    """Whether its Service has the port of tunnels; what is bound to one without is not answered."""

    def admits(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether objects of that namespace, which has these labels, may bind to it."""
        return admits(self.attaches, self.ref.namespace, namespace, labels)


def admits(attaches: Object, own: str, namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether `allowedRoutes.namespaces` of a Gateway in namespace `own` lets in those of a namespace with labels."""
    match attaches.get("from", "Same"):
        case "All":
            return True
        case "Selector":
            return matches(attaches.get("selector") or {}, labels)
    return namespace == own


@dataclass(frozen=True)
class Refusal:
    """Why something that asks for a waypoint has none."""

    reason: str
    message: str


def is_ours(gateway: Object) -> bool:
    """Whether a Gateway is for this istiod, or for one of another revision."""
    return labels_of(gateway).get(REVISION, "default") == "default"


def is_waypoint(gateway: Object) -> bool:
    """Whether this istiod looks after the Gateway as a waypoint."""
    return is_ours(gateway) and spec_of(gateway).get("gatewayClassName") == WAYPOINT_CLASS


def address_of(view: View, gateway: Object) -> str:
    """The Gateway's virtual address, that of its Service; once given it stays when the Service goes, and its pods."""
    service = view.service_by_key.get(key_of(gateway), {})
    address = str(spec_of(service).get("clusterIP") or "")
    if address not in ("", "None"):
        return address
    known = gateway.get("status", {}).get("addresses") or ()
    return next((str(each["value"]) for each in known if each.get("type") == "IPAddress"), "")


def gates(view: View) -> dict[str, Gate]:
    """The waypoints that traffic can be sent to, by `NAMESPACE/NAME`."""
    found = {}
    for gateway in view.gateways:
        address = address_of(view, gateway) if is_waypoint(gateway) else ""
        if address:
            ref = WaypointRef(namespace_of(gateway), name_of(gateway))
            tunnelled = HBONE_PORT in _ports(view, gateway)
            found[ref.key] = Gate(ref, address, _handles(view, gateway), _attaches(gateway), tunnelled)
    return found


def _ports(view: View, gateway: Object) -> set[int]:
    """What its Service offers; without one, what its listeners ask for."""
    service = view.service_by_key.get(key_of(gateway))
    listed = spec_of(gateway).get("listeners") if service is None else spec_of(service).get("ports")
    return {int(each.get("port", 0)) for each in listed or ()}


def asked_for(labels: Mapping[str, str], namespace: str) -> WaypointRef | None:
    """The waypoint that labels name, seen from a namespace; None without the label or when it says `none`."""
    name = labels.get(USE_WAYPOINT, "none")
    return None if name == "none" else WaypointRef(labels.get(USE_WAYPOINT_NAMESPACE, namespace), name)


def ingress_too(view: View, service: Object) -> bool:
    """Whether ingress gateways send traffic for the Service through its waypoint, too."""
    inherited = view.namespace_labels.get(namespace_of(service), {})
    return labels_of(service).get(INGRESS_USE_WAYPOINT, inherited.get(INGRESS_USE_WAYPOINT)) == "true"


def service_gate(view: View, known: Mapping[str, Gate], service: Object) -> Gate | Refusal | None:
    """What handles traffic addressed to a Service; None when nothing is asked for."""
    if labels_of(service).get(MANAGED) == MANAGED_BY_MESH:
        return None
    return _gate(view, known, service, "service")


def workload_gate(view: View, known: Mapping[str, Gate], pod: Object) -> Gate | Refusal | None:
    """What handles traffic addressed to a pod itself; None when nothing is asked for."""
    if labels_of(pod).get(MANAGED) == MANAGED_BY_MESH:
        return None
    return _gate(view, known, pod, "workload")


def _gate(view: View, known: Mapping[str, Gate], item: Object, traffic: str) -> Gate | Refusal | None:
    namespace = namespace_of(item)
    inherited = view.namespace_labels.get(namespace, {})
    labels = labels_of(item)
    ref = asked_for(labels if USE_WAYPOINT in labels else inherited, namespace)
    if ref is None:
        return None
    gate = known.get(ref.key)
    if gate is None:
        return Refusal("WaypointIsNotReady", f'waypoint "{ref.key}" is not ready')
    if not gate.admits(namespace, inherited):
        why = f'we are not permitted to attach to waypoint "{ref.key}" (missing allowedRoutes?)'
        return Refusal("AttachmentDenied", why)
    if gate.handles not in (traffic, "all"):
        why = f'attempting to bind to traffic type "{traffic}" which the waypoint "{ref.key}" does not support'
        return Refusal("UnsupportedTrafficType", why)
    return gate


def _handles(view: View, gateway: Object) -> Handles:
    inherited = labels_of(view.class_by_name.get(WAYPOINT_CLASS, {})).get(WAYPOINT_FOR, "service")
    match labels_of(gateway).get(WAYPOINT_FOR, inherited):
        case "service":
            return "service"
        case "workload":
            return "workload"
        case "all":
            return "all"
    return "none"  # a word that Istio does not know binds nothing either


def _attaches(gateway: Object) -> Object:
    for listener in spec_of(gateway).get("listeners") or ():
        if listener.get("protocol") == "HBONE" and listener.get("port") == HBONE_PORT:
            namespaces: Object = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
            return namespaces
    return {}
