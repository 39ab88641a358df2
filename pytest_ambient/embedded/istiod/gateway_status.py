"""What istiod reports of Gateways, those of waypoints and those of ingress, and of their GatewayClasses."""

from ..objects import Object, name_of, namespace_of
from .binding import HBONE_PORT, address_of
from .conditions import Said, merged
from .ingress import attached, is_ingress, workload_name
from .view import GATEWAY_API, View, spec_of

_NO_ERRORS = "No errors found"
_LISTENER = (
    Said("Accepted", True, "Accepted", _NO_ERRORS),
    Said("Conflicted", False, "NoConflicts", _NO_ERRORS),
    Said("Programmed", True, "Programmed", _NO_ERRORS),
    Said("ResolvedRefs", True, "ResolvedRefs", _NO_ERRORS),
)
_KINDS = tuple({"group": GATEWAY_API, "kind": kind} for kind in ("HTTPRoute", "GRPCRoute"))
_WRONG_LISTENER = Said(
    "Accepted", False, "UnsupportedProtocol", f'Expected a single listener on port {HBONE_PORT} with protocol "HBONE"'
)


def class_status(item: Object, now: str) -> Object:
    """The status of a GatewayClass that istiod handles."""
    status: Object = item.get("status") or {}
    accepted = Said("Accepted", True, "Accepted", "Handled by Istio controller")
    return {**status, "conditions": merged(_ours(status, item), [accepted], now, _generation(item))}


def gateway_status(view: View, gateway: Object, now: str) -> Object:
    """The status of a Gateway; a waypoint's addresses, once given, stay."""
    status: Object = gateway.get("status") or {}
    generation = _generation(gateway)
    said = [Said("Accepted", True, "Accepted", "Resource accepted"), _programmed(view, gateway)]
    result: Object = {
        **({"addresses": addresses} if (addresses := _addresses(view, gateway)) else {}),
        "conditions": merged(_ours(status, gateway), said, now, generation),
        "listeners": [_listener(view, gateway, each, now) for each in spec_of(gateway).get("listeners") or ()],
    }
    return result


def _generation(item: Object) -> int:
    return int(item.get("metadata", {}).get("generation", 1))


def _ours(status: Object, item: Object) -> list[Object]:
    """Present conditions, less what the API's default says of an object that no controller has seen."""
    present: list[Object] = status.get("conditions") or []
    return [each for each in present if each.get("status") != "Unknown"]


def _service_name(gateway: Object) -> str:
    return workload_name(gateway) if is_ingress(gateway) else name_of(gateway)


def _hostname(gateway: Object) -> str:
    return f"{_service_name(gateway)}.{namespace_of(gateway)}.svc.cluster.local"


def _addresses(view: View, gateway: Object) -> list[Object]:
    if is_ingress(gateway):  # reached by name alone, as its Service of type ClusterIP asks for
        there = f"{namespace_of(gateway)}/{_service_name(gateway)}" in view.service_by_key
        return [{"type": "Hostname", "value": _hostname(gateway)}] if there else []
    address = address_of(view, gateway)
    if not address:
        return []
    return [{"type": "IPAddress", "value": address}, {"type": "Hostname", "value": _hostname(gateway)}]


def _programmed(view: View, gateway: Object) -> Said:
    """Istio looks at the Service alone, not at its pods: a waypoint without pods stays programmed."""
    host = _hostname(gateway)
    service = view.service_by_key.get(f"{namespace_of(gateway)}/{_service_name(gateway)}")
    failed = "Failed to assign to any requested addresses: "
    if service is None:
        return Said("Programmed", False, "AddressNotAssigned", f'{failed}hostname "{host}" not found')
    offered = {port.get("port") for port in spec_of(service).get("ports") or ()}
    wanted = [int(each.get("port", 0)) for each in spec_of(gateway).get("listeners") or ()]
    missing = "; ".join(f'port {port} not found for hostname "{host}"' for port in wanted if port not in offered)
    found = " and ".join(f"{host}:{port}" for port in wanted if port in offered)
    if not missing:
        return Said("Programmed", True, "Programmed", f"Resource programmed, assigned to service(s) {found}")
    if found:
        failed = f"Assigned to service(s) {found}, but failed to assign to all requested addresses: "
    return Said("Programmed", False, "AddressNotUsable", failed + missing)


def _listener(view: View, gateway: Object, listener: Object, now: str) -> Object:
    name = str(listener.get("name", ""))
    listed: list[Object] = (gateway.get("status") or {}).get("listeners") or []
    present: Object = next((each for each in listed if each.get("name") == name), {})
    ingress = is_ingress(gateway)
    right = ingress or (listener.get("protocol") == "HBONE" and listener.get("port") == HBONE_PORT)
    said = _LISTENER if right else (_WRONG_LISTENER, *_LISTENER[1:])
    return {
        # an HBONE listener admits no kind of route
        "attachedRoutes": len(attached(view, gateway, listener)) if ingress else 0,
        "conditions": merged(present.get("conditions") or [], said, now, _generation(gateway)),
        "name": name,
        "supportedKinds": list(_KINDS) if ingress else [],
    }
