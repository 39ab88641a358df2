"""What the Gateway API refuses in routes and Gateways beyond what their schemas say."""

from collections.abc import Iterator

from ..api.errors import Cause
from ..objects import Object, annotations_of
from .filter_rules import filter_causes, rule_causes, wrong
from .unimplemented import not_implemented
from .view import GATEWAY_API, INGRESS_CLASS, NETWORKING, WAYPOINT_CLASS, spec_of

SERVICE_TYPE = "networking.istio.io/service-type"
_SERVICES = (("Service", ""), ("Service", "core"), ("ServiceEntry", NETWORKING))
_OTHER_CLASSES = ("istio-remote", "istio-east-west", "istio-agentgateway", "istio-agentgateway-waypoint")


def route_causes(route: Object) -> Iterator[Cause]:
    """What is wrong with an HTTPRoute whose fields are right one by one."""
    yield from parent_causes(route, gateways=True)
    for position, rule in enumerate(spec_of(route).get("rules") or ()):
        path = f"spec.rules[{position}]"
        for number, match in enumerate(rule.get("matches") or ()):
            yield from _match_causes(match, f"{path}.matches[{number}]")
        yield from filter_causes(rule.get("filters") or (), path)
        yield from rule_causes(rule, path)
        for number, ref in enumerate(rule.get("backendRefs") or ()):
            yield from filter_causes(ref.get("filters") or (), f"{path}.backendRefs[{number}]")
        yield from port_causes(rule, path)


def parent_causes(route: Object, *, gateways: bool) -> Iterator[Cause]:
    """Parents of which no route is carried out here."""
    known = (*_SERVICES, ("Gateway", GATEWAY_API)) if gateways else _SERVICES
    for position, parent in enumerate(spec_of(route).get("parentRefs") or ()):
        if (parent.get("kind"), parent.get("group")) not in known:
            fit = "a Service, a ServiceEntry or a Gateway" if gateways else "a Service or a ServiceEntry"
            what = f"{route.get('kind')}s of a {parent.get('kind')}, only of {fit}"
            yield not_implemented(f"spec.parentRefs[{position}].kind", what)


def port_causes(rule: Object, path: str) -> Iterator[Cause]:
    """Services that are named as backends without a port."""
    for number, ref in enumerate(rule.get("backendRefs") or ()):
        if ref.get("kind") == "Service" and ref.get("group") == "" and not ref.get("port"):
            yield wrong(f"{path}.backendRefs[{number}]", "object", "Must have port for Service reference")


def gateway_causes(gateway: Object) -> Iterator[Cause]:
    """What is wrong with a Gateway whose fields are right one by one."""
    name = spec_of(gateway).get("gatewayClassName")
    if name in _OTHER_CLASSES:
        what = f"Gateways of class {name}, only of {WAYPOINT_CLASS} and {INGRESS_CLASS}"
        yield not_implemented("spec.gatewayClassName", what)
    if name == INGRESS_CLASS:
        yield from _ingress_causes(gateway)


def _ingress_causes(gateway: Object) -> Iterator[Cause]:
    kind = annotations_of(gateway).get(SERVICE_TYPE, "LoadBalancer")
    if kind not in ("ClusterIP", "LoadBalancer", "NodePort"):
        what = f"Services of type {kind} for Gateways"
        yield not_implemented(f"metadata.annotations[{SERVICE_TYPE}]", what)
    for position, each in enumerate(spec_of(gateway).get("listeners") or ()):
        if each.get("protocol") != "HTTP":
            what = f"listeners of protocol {each.get('protocol')}, only of HTTP"
            yield not_implemented(f"spec.listeners[{position}].protocol", what)


def _match_causes(match: Object, path: str) -> Iterator[Cause]:
    where: Object = match.get("path") or {}
    kind, value = where.get("type", "PathPrefix"), str(where.get("value", "/"))
    # whether an expression is one, only the proxy finds out
    if kind != "RegularExpression" and not value.startswith("/"):
        why = "value must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']"
        yield wrong(f"{path}.path", "object", why)
