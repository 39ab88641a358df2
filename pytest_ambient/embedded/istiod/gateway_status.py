"""What istiod reports of Gateways, those of waypoints and those of ingress, and of their GatewayClasses."""

from ..entries import is_address
from ..objects import Object, annotations_of, name_of, namespace_of
from .binding import HBONE_PORT, address_of
from .certificates import shown
from .conditions import Said, merged
from .ingress import attached, is_ingress, supported, workload_name
from .view import View, spec_of

_ADDRESS_TYPE = "networking.istio.io/address-type"
_NO_ERRORS = "No errors found"
_LISTENER = (
    Said("Accepted", True, "Accepted", _NO_ERRORS),
    Said("Conflicted", False, "NoConflicts", _NO_ERRORS),
    Said("Programmed", True, "Programmed", _NO_ERRORS),
    Said("ResolvedRefs", True, "ResolvedRefs", _NO_ERRORS),
)
_BAD_TLS = Said("Programmed", False, "Invalid", "Bad TLS configuration")
_WRONG_KINDS = Said("ResolvedRefs", False, "InvalidRouteKinds", "Invalid route kinds")
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
    """Those of its Service that its class, or an annotation, asks for; once told they stay."""
    ingress, service = is_ingress(gateway), _service(view, gateway) or {}
    if ingress and (given := _external(service)):
        return [{"type": "IPAddress" if is_address(each) else "Hostname", "value": each} for each in given]
    usual = "Hostname" if ingress else ""
    wanted = annotations_of(gateway).get(_ADDRESS_TYPE, usual)
    address = _own_address(service) if ingress else address_of(view, gateway)
    if not address or (ingress and _pending(service)):
        known: list[Object] = (gateway.get("status") or {}).get("addresses") or []
        return known if ingress else []
    found = [{"type": "IPAddress", "value": address}, {"type": "Hostname", "value": _hostname(gateway)}]
    return [each for each in found if wanted in ("", each["type"])]


def _own_address(service: Object) -> str:
    """What stands for a Service inside the cluster."""
    return str(spec_of(service).get("clusterIP") or "") if service else ""


def _service(view: View, gateway: Object) -> Object | None:
    return view.service_by_key.get(f"{namespace_of(gateway)}/{_service_name(gateway)}")


def _external(service: Object) -> list[str]:
    """The addresses that a load balancer gave the Service."""
    given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return sorted(str(each.get("ip") or each.get("hostname", "")) for each in given)


def _pending(service: Object) -> bool:
    return spec_of(service).get("type") == "LoadBalancer" and not _external(service)


def _programmed(view: View, gateway: Object) -> Said:
    """Istio looks at the Service alone, not at its pods: a waypoint without pods stays programmed."""
    host = _hostname(gateway)
    service = _service(view, gateway)
    failed = "Failed to assign to any requested addresses: "
    if service is None:
        return Said("Programmed", False, "AddressNotAssigned", f'{failed}hostname "{host}" not found')
    offered = {port.get("port") for port in spec_of(service).get("ports") or ()}
    wanted = sorted({int(each.get("port", 0)) for each in spec_of(gateway).get("listeners") or ()})
    missing = [f'port {port} not found for hostname "{host}"' for port in wanted if port not in offered]
    found = _joined(sorted(f"{host}:{port}" for port in wanted if port in offered))
    warned = sorted([*missing, *([f'address pending for hostname "{host}"'] if found and _pending(service) else [])])
    if not warned:
        return Said("Programmed", True, "Programmed", f"Resource programmed, assigned to service(s) {found}")
    if found:
        failed = f"Assigned to service(s) {found}, but failed to assign to all requested addresses: "
    reason = "AddressNotUsable" if missing else "AddressNotAssigned"
    return Said("Programmed", False, reason, failed + "; ".join(warned))


def _joined(words: list[str]) -> str:
    """As a sentence lists them."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"


def _listener(view: View, gateway: Object, listener: Object, now: str) -> Object:
    name = str(listener.get("name", ""))
    listed: list[Object] = (gateway.get("status") or {}).get("listeners") or []
    present: Object = next((each for each in listed if each.get("name") == name), {})
    ingress = is_ingress(gateway)
    right = ingress or (listener.get("protocol") == "HBONE" and listener.get("port") == HBONE_PORT)
    said = _LISTENER if right else (_WRONG_LISTENER, *_LISTENER[1:])
    problem = shown(view, gateway, listener).problem if ingress else None
    if problem is not None:
        said = (*said[:2], _BAD_TLS, Said("ResolvedRefs", False, problem.reason, problem.message))
    kinds, known = supported(listener)
    said = said if known else (*said[:-1], _WRONG_KINDS)
    return {
        # an HBONE listener admits no kind of route
        "attachedRoutes": len(attached(view, gateway, listener)) if ingress else 0,
        "conditions": merged(present.get("conditions") or [], said, now, _generation(gateway)),
        "name": name,
        "supportedKinds": kinds,
    }
