"""Gateways of class istio: where requests come into the mesh, and which routes they follow there."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..objects import Object, name_of, namespace_of
from .backends import parent_key
from .binding import admits, is_ours
from .certificates import shown
from .conditions import Said
from .destination_rules import destinations_from
from .http_route import every_route, http_route
from .ingress_policies import logged_at, policies_at, tokens_at
from .model import Ingress, Route, Secured
from .view import GATEWAY_API, INGRESS_CLASS, View, age_of, key_of, spec_of

_KINDS = tuple({"group": GATEWAY_API, "kind": kind} for kind in ("HTTPRoute", "GRPCRoute"))
_NEAREST = ("NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent")
"""Why listeners take no route, those first that come nearest to taking it."""


def is_ingress(gateway: Object) -> bool:
    """Whether this istiod runs the Gateway as an ingress gateway."""
    return is_ours(gateway) and spec_of(gateway).get("gatewayClassName") == INGRESS_CLASS


def workload_name(gateway: Object) -> str:
    """What its Deployment, Service and account are called."""
    return f"{name_of(gateway)}-{INGRESS_CLASS}"


def gateway_parents(view: View, route: Object) -> Iterator[Object]:
    """The parents that are ingress gateways which exist; Istio says nothing about others."""
    for parent in spec_of(route).get("parentRefs") or ():
        if parent.get("kind") == "Gateway" and parent.get("group") == GATEWAY_API and _gateway(view, route, parent):
            yield parent


def accepted(view: View, route: Object, parent: Object) -> Said:
    """Whether the Gateway takes the route, as its status says it: of refusals the nearest to a success."""
    gateway = _gateway(view, route, parent) or {}
    said = [_refusal(view, gateway, each, route, parent) for each in spec_of(gateway).get("listeners") or ()]
    taken = said.count(None)
    if taken:
        more = f", bound to {taken} parents" if taken > 1 else ""
        return Said("Accepted", True, "Accepted", f"Route was valid{more}")
    refusals = [each for each in said if each]
    reason = min((each.reason for each in refusals), key=_NEAREST.index, default=_NEAREST[-1])
    return Said("Accepted", False, reason, "; ".join(each.message for each in refusals if each.reason == reason))


def _refusal(view: View, gateway: Object, listener: Object, route: Object, parent: Object) -> Said | None:
    """Why a listener does not take the route, None when it does."""
    port, section = parent.get("port"), parent.get("sectionName")
    own, hostname = namespace_of(route), str(listener.get("hostname") or "")
    if port and port != listener.get("port"):
        return Said("Accepted", False, "NoMatchingParent", f"port {port} not found")
    if section and section != listener.get("name"):
        return Said("Accepted", False, "NoMatchingParent", f'sectionName "{section}" not found')
    if _hosts(listener, route) is None:
        why = f'no hostnames matched parent hostname "{hostname}"'
        return Said("Accepted", False, "NoMatchingListenerHostname", why)
    if not _admits_namespace(view, gateway, listener, own):
        why = f'hostnames matched parent hostname "{hostname}", but namespace "{own}" is not allowed by the parent'
        return Said("Accepted", False, "NotAllowedByListeners", why)
    if not _admits_kind(listener, route):
        why = f"kind {GATEWAY_API}/v1/{route.get('kind', 'HTTPRoute')} is not allowed"
        return Said("Accepted", False, "NotAllowedByListeners", why)
    return None


def supported(listener: Object) -> tuple[list[Object], bool]:
    """The kinds of routes that a listener takes, and whether it asks for no other."""
    able: list[Object] = list(_KINDS) if listener.get("protocol") in ("HTTP", "HTTPS") else []
    asked = [
        (each.get("group", GATEWAY_API), each["kind"])
        for each in (listener.get("allowedRoutes") or {}).get("kinds") or ()
    ]
    if not asked:
        return able, True
    both = [each for each in able if (each["group"], each["kind"]) in asked]
    return both, len(both) == len(asked)


def attached(view: View, gateway: Object, listener: Object) -> list[Object]:
    """The routes that a listener takes, the oldest first."""
    found = []
    for route in sorted(every_route(view), key=age_of):
        parents = [each for each in gateway_parents(view, route) if parent_key(route, each) == key_of(gateway)]
        if any(listener in _named(gateway, each) and _lets_in(view, gateway, listener, route) for each in parents):
            found.append(route)
    return found


def ingresses(view: View) -> dict[str, Ingress]:
    """All ingress gateways by `NAMESPACE/NAME`."""
    return {key_of(each): _ingress(view, each) for each in view.gateways if is_ingress(each)}


def _ingress(view: View, gateway: Object) -> Ingress:
    ports: dict[int, tuple[Route, ...]] = {}
    secured: dict[int, tuple[Secured, ...]] = {}
    for listener in spec_of(gateway).get("listeners") or ():
        port = int(listener.get("port", 0))
        more = tuple(_route(view, listener, each) for each in attached(view, gateway, listener))
        if not listener.get("tls"):
            ports[port] = (*ports.get(port, ()), *(each for each in more if each not in ports.get(port, ())))
        elif certificates := shown(view, gateway, listener).certificates:
            one = Secured(str(listener.get("hostname") or ""), certificates, more)
            secured[port] = (*secured.get(port, ()), one)
    held = policies_at(view, gateway), tokens_at(view, gateway)
    return Ingress(
        name_of(gateway),
        namespace_of(gateway),
        workload_name(gateway),
        ports,
        *held,
        secured,
        destinations=destinations_from(view, namespace_of(gateway)),
        logged=logged_at(view, gateway),
    )


def _route(view: View, listener: Object, route: Object) -> Route:
    return replace(http_route(view, route, {}), hostnames=_hosts(listener, route) or ())


def _gateway(view: View, route: Object, parent: Object) -> Object | None:
    key = parent_key(route, parent)
    return next((each for each in view.gateways if is_ingress(each) and key_of(each) == key), None)


def _named(gateway: Object, parent: Object) -> Iterator[Object]:
    """The listeners that a parentRef means."""
    for each in spec_of(gateway).get("listeners") or ():
        wanted = (parent.get("sectionName") or each.get("name"), parent.get("port") or each.get("port"))
        if wanted == (each.get("name"), each.get("port")):
            yield each


def _hosts(listener: Object, route: Object) -> tuple[str, ...] | None:
    """The host names that both are for, empty for any; None when there is none."""
    wanted, hosts = str(listener.get("hostname") or ""), tuple(route["spec"].get("hostnames") or ())
    if not wanted or not hosts:
        return hosts or ((wanted,) if wanted else ())
    both = [
        each if _covers(wanted, each) else wanted for each in hosts if _covers(wanted, each) or _covers(each, wanted)
    ]
    return tuple(dict.fromkeys(both)) or None


def _covers(wide: str, host: str) -> bool:
    return wide == host or (wide.startswith("*.") and host.endswith(wide[1:]))


def _lets_in(view: View, gateway: Object, listener: Object, route: Object) -> bool:
    if _hosts(listener, route) is None or not _admits_kind(listener, route):
        return False
    return _admits_namespace(view, gateway, listener, namespace_of(route))


def _admits_kind(listener: Object, route: Object) -> bool:
    return route.get("kind", "HTTPRoute") in [each["kind"] for each in supported(listener)[0]]


def _admits_namespace(view: View, gateway: Object, listener: Object, own: str) -> bool:
    namespaces: Object = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    labels: Mapping[str, str] = view.namespace_labels.get(own, {})
    return admits(namespaces, namespace_of(gateway), own, labels)
