"""What the Gateway API refuses in routes and Gateways beyond what their schemas say."""

import re
from collections.abc import Iterator, Sequence

from ..api.errors import Cause
from ..objects import Object, annotations_of
from .filter_rules import filter_causes, rule_causes, wrong
from .unimplemented import not_implemented
from .view import GATEWAY_API, INGRESS_CLASS, NETWORKING, WAYPOINT_CLASS, spec_of

SERVICE_TYPE = "networking.istio.io/service-type"
_SERVICES = (("Service", ""), ("Service", "core"), ("ServiceEntry", NETWORKING))
_WITHOUT_TLS = ("HTTP", "TCP", "UDP")
_FORBIDDEN = {
    "contain": ("//", "/./", "/../", "%2f", "%2F", "#"),
    "end with": ("/..", "/."),
}
_PLAIN = r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+"
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]"
)
_OTHER_CLASSES = ("istio-remote", "istio-east-west", "istio-agentgateway", "istio-agentgateway-waypoint")


def route_causes(route: Object) -> Iterator[Cause]:
    """What is wrong with an HTTPRoute whose fields are right one by one."""
    yield from parent_causes(route, gateways=True)
    yield from _twins(spec_of(route).get("parentRefs") or ())
    for position, rule in enumerate(spec_of(route).get("rules") or ()):
        path = f"spec.rules[{position}]"
        for number, match in enumerate(rule.get("matches") or ()):
            if route.get("kind") != "GRPCRoute":
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


def _twins(parents: Sequence[Object]) -> Iterator[Cause]:
    """Parents that are named twice without different sections."""
    named: dict[tuple[str, ...], list[str]] = {}
    for each in parents:
        key = tuple(str(each.get(field) or "") for field in ("group", "kind", "namespace", "name"))
        named.setdefault(key, []).append(str(each.get("sectionName") or ""))
    more = "when parentRefs includes 2 or more references to the same parent"
    if any("" in sections and any(sections) for sections in named.values()):
        yield wrong("spec.parentRefs", "array", f"sectionName must be specified {more}")
    if any(len(set(sections)) < len(sections) for sections in named.values()):
        yield wrong("spec.parentRefs", "array", f"sectionName must be unique {more}")


def port_causes(rule: Object, path: str) -> Iterator[Cause]:
    """Services that are named as backends without a port."""
    for number, ref in enumerate(rule.get("backendRefs") or ()):
        if ref.get("kind") == "Service" and ref.get("group") == "" and not ref.get("port"):
            yield wrong(f"{path}.backendRefs[{number}]", "object", "Must have port for Service reference")


def gateway_causes(gateway: Object) -> Iterator[Cause]:
    """What is wrong with a Gateway whose fields are right one by one."""
    name = spec_of(gateway).get("gatewayClassName")
    listeners: Sequence[Object] = spec_of(gateway).get("listeners") or ()
    yield from _tls_causes(listeners)
    if len({each.get("name") for each in listeners}) < len(listeners):
        yield wrong("spec.listeners", "array", "Listener name must be unique within the Gateway")
    if len({(each.get("port"), each.get("protocol"), each.get("hostname")) for each in listeners}) < len(listeners):
        why = "Combination of port, protocol and hostname must be unique for each listener"
        yield wrong("spec.listeners", "array", why)
    for field, word in (("labels", "Label"), ("annotations", "Annotation")):
        keys = (spec_of(gateway).get("infrastructure") or {}).get(field) or {}
        if not all(_LABEL_KEY.fullmatch(key) for key in keys):
            form = "an optional DNS subdomain prefix followed by a required name segment of up to 63 characters"
            yield wrong(f"spec.infrastructure.{field}", "object", f"{word} keys must be in the form of {form}.")
    if name in _OTHER_CLASSES:
        what = f"Gateways of class {name}, only of {WAYPOINT_CLASS} and {INGRESS_CLASS}"
        yield not_implemented("spec.gatewayClassName", what)
    if name == INGRESS_CLASS:
        yield from _ingress_causes(gateway)
        return
    for position, each in enumerate(listeners):
        if "tls" in each:
            yield not_implemented(f"spec.listeners[{position}].tls", "TLS of a waypoint's listeners")


def _tls_causes(listeners: Sequence[Object]) -> Iterator[Cause]:
    """Listeners whose TLS and protocol do not go together (the rules of the Gateway API's definitions, v1.5.1)."""
    path = "spec.listeners"
    for position, each in enumerate(listeners):
        tls: Object = each.get("tls") or {}
        ends = "tls" in each and tls.get("mode", "Terminate") == "Terminate"
        if ends and not (tls.get("certificateRefs") or tls.get("options")):
            why = "certificateRefs or options must be specified when mode is Terminate"
            yield wrong(f"{path}[{position}].tls", "object", why)
    by_protocol = [(each.get("protocol"), each.get("tls") or {}, each) for each in listeners]
    if any(protocol in _WITHOUT_TLS and "tls" in each for protocol, _, each in by_protocol):
        yield wrong(path, "array", "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']")
    if any(protocol == "HTTPS" and tls.get("mode", "Terminate") != "Terminate" for protocol, tls, _ in by_protocol):
        yield wrong(path, "array", "tls mode must be Terminate for protocol HTTPS")
    if any(protocol == "TLS" and not tls.get("mode") for protocol, tls, _ in by_protocol):
        yield wrong(path, "array", "tls mode must be set for protocol TLS")


def _ingress_causes(gateway: Object) -> Iterator[Cause]:
    kind = annotations_of(gateway).get(SERVICE_TYPE, "LoadBalancer")
    if kind not in ("ClusterIP", "LoadBalancer", "NodePort"):
        what = f"Services of type {kind} for Gateways"
        yield not_implemented(f"metadata.annotations[{SERVICE_TYPE}]", what)
    for position, each in enumerate(spec_of(gateway).get("listeners") or ()):
        if each.get("protocol") == "HTTPS" and not each.get("tls"):
            yield not_implemented(f"spec.listeners[{position}].tls", "listeners of HTTPS without a certificate")
        if each.get("protocol") not in ("HTTP", "HTTPS"):
            what = f"listeners of protocol {each.get('protocol')}, only of HTTP and HTTPS"
            yield not_implemented(f"spec.listeners[{position}].protocol", what)


def _match_causes(match: Object, path: str) -> Iterator[Cause]:
    where: Object = match.get("path") or {}
    kind, value = where.get("type", "PathPrefix"), str(where.get("value", "/"))
    # whether an expression is one, only the proxy finds out
    if kind == "RegularExpression":
        return
    of_both = "when type one of ['Exact', 'PathPrefix']"
    found = [] if value.startswith("/") else [f"value must be an absolute path and start with '/' {of_both}"]
    found += [f"must not contain '{each}' {of_both}" for each in _FORBIDDEN["contain"] if each in value]
    found += [f"must not end with '{each}' {of_both}" for each in _FORBIDDEN["end with"] if value.endswith(each)]
    if not re.fullmatch(_PLAIN, value):
        found.append(f"must only contain valid characters (matching ^{_PLAIN}$) for types ['Exact', 'PathPrefix']")
    yield from (wrong(f"{path}.path", "object", why) for why in found)
