"""What is refused in ServiceEntries: the API's and Istio's own objections, and what is not carried out here."""

from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from ..api.errors import Cause
from ..entries import in_cluster, is_address, wants_addresses
from ..objects import Object, labels_of
from .exports import export_mistakes
from .filter_rules import wrong
from .hosts import domain_mistakes, is_label
from .unimplemented import not_implemented
from .view import spec_of

_PROTOCOLS = ("", "tcp", "udp", "grpc", "grpc-web", "http", "http_proxy", "http2", "https", "tls", "mongo", "redis")
_KNOWN = (*_PROTOCOLS, "mysql")
_BY_HOST = ("http", "http2", "http_proxy", "grpc", "grpc-web", "https", "tls")
_TUNNEL = "networking.istio.io/tunnel"


def entry_causes(item: Object) -> Iterator[Cause]:
    """What the API refuses beyond the schema, then what of it the mesh here can't do."""
    spec = spec_of(item)
    yield from _schema_causes(spec)
    resolution = spec.get("resolution", "NONE")
    if resolution in ("NONE", "DYNAMIC_DNS"):
        what = f"ServiceEntries of resolution {resolution}, only of STATIC, DNS and DNS_ROUND_ROBIN"
        yield not_implemented("spec.resolution", what)
    for position, host in enumerate(spec.get("hosts") or ()):
        if host.startswith("*") and host != "*":
            yield not_implemented(f"spec.hosts[{position}]", "hosts with a wildcard")
    for position, address in enumerate(spec.get("addresses") or ()):
        if "/" in address:
            yield not_implemented(f"spec.addresses[{position}]", "addresses that are ranges")
    if _TUNNEL in labels_of(item):
        yield not_implemented(f"metadata.labels[{_TUNNEL}]", f"the label {_TUNNEL}")
    yield from _endpoint_causes(spec)


def _schema_causes(spec: Object) -> Iterator[Cause]:
    """The rules of the definition itself."""
    endpoints, resolution = spec.get("endpoints"), spec.get("resolution", "NONE")
    if "workloadSelector" in spec and endpoints is not None:
        yield wrong("spec", "object", "only one of WorkloadSelector or Endpoints can be set")
    if any("/" in each for each in spec.get("addresses") or ()) and resolution not in ("STATIC", "NONE"):
        yield wrong("spec", "object", "CIDR addresses are allowed only for NONE/STATIC resolution types")
    if resolution == "NONE" and endpoints is not None:
        yield wrong("spec", "object", "NONE mode cannot set endpoints")
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints or ()) > 1:
        yield wrong("spec", "object", "DNS_ROUND_ROBIN mode cannot have multiple endpoints")
    if "*" in spec["hosts"]:
        yield wrong(f"spec.hosts[{spec['hosts'].index('*')}]", "string", "hostname cannot be wildcard")
    ports: list[Object] = spec.get("ports") or []
    if len({each["number"] for each in ports}) < len(ports):
        yield wrong("spec.ports", "array", "port number cannot be duplicated")
    for position, each in enumerate(ports):
        for field in ("number", "targetPort"):
            if field in each and not 0 < each[field] <= 65535:
                yield wrong(f"spec.ports[{position}].{field}", "integer", "port must be between 1-65535")
    for position, each in enumerate(endpoints or ()):
        if "address" not in each and "network" not in each:
            yield wrong(f"spec.endpoints[{position}]", "object", "Address is required")
        for name, number in (each.get("ports") or {}).items():
            if not 0 < number <= 65535:
                yield wrong(f"spec.endpoints[{position}].ports[{name}]", "integer", "port must be between 1-65535")


def _endpoint_causes(spec: Object) -> Iterator[Cause]:
    inside: set[bool] = set()
    for position, each in enumerate(spec.get("endpoints") or ()):
        address = str(each.get("address", ""))
        for field in ("network", "locality", "weight"):
            if field in each:
                yield not_implemented(f"spec.endpoints[{position}].{field}", f"the {field} of an endpoint")
        if address.startswith("unix://"):
            yield not_implemented(f"spec.endpoints[{position}].address", "endpoints that are Unix sockets")
        inside.add(in_cluster(address))
    if len(inside) > 1:
        yield not_implemented("spec.endpoints", "endpoints inside and outside of the cluster in one ServiceEntry")


def entry_warnings(item: Object) -> list[str]:
    """What a writer of the entry should be told although it is accepted."""
    spec = spec_of(item)
    found = []
    if "workloadSelector" in spec and not (spec["workloadSelector"] or {}).get("labels"):
        why = "workload selector specified without labels"
        found.append(f"service entry: {why}, will be applied to all services in namespace")
    if not spec.get("addresses") and not wants_addresses(item):
        plain = [each for each in spec.get("ports") or () if each.get("protocol", "") in ("", "TCP")]
        why = "addresses are required for ports serving TCP (or unset) protocol when IP Autoallocation is not enabled"
        found += [why] * len(plain)
    return list(dict.fromkeys(found))


def entry_mistakes(item: Object) -> Iterator[str]:
    """What Istio's webhook objects to in a ServiceEntry."""
    spec = spec_of(item)
    for key, value in ((spec.get("workloadSelector") or {}).get("labels") or {}).items():
        if not key:
            yield f'empty key is not supported in selector: "{key}={value}"'
        if "*" in key or "*" in str(value):
            yield f'wildcard is not supported in selector: "{key}={value}"'
    for host in spec.get("hosts") or ():
        yield from domain_mistakes(str(host))
    for address in spec.get("addresses") or ():
        yield from _subnet(str(address))
    yield from _port_mistakes(spec.get("ports") or [])
    yield from _endpoint_mistakes(spec)
    protocols = [str(each.get("protocol", "")).lower() for each in spec.get("ports") or ()]
    if len(spec.get("hosts") or ()) > 1 and not set(protocols) <= set(_BY_HOST):
        yield "multiple hosts provided with non-HTTP, non-TLS ports"
    yield from export_mistakes(item)


def _port_mistakes(ports: list[Object]) -> Iterator[str]:
    for name, count in Counter(each["name"] for each in ports).items():
        if count > 1:
            yield f'service entry port name "{name}" already defined'
    for each in ports:
        if not is_label(each["name"]):
            yield f"invalid port name: {each['name']}"
        if str(each.get("protocol", "")).lower() not in _KNOWN:
            yield f"unsupported protocol: {each['protocol']}"


def _endpoint_mistakes(spec: Object) -> Iterator[str]:
    endpoints: list[Object] = spec.get("endpoints") or []
    static, resolution = spec.get("resolution") == "STATIC", spec.get("resolution")
    nameless = [each for host in spec.get("hosts") or () for each in domain_mistakes(str(host), wild=False)]
    if nameless and not endpoints and not static:
        where = f"if no endpoints are provided for resolution mode {resolution}"
        yield f"hosts must be FQDN or contain only prefix wildcards {where}, {nameless[0]}"
    names = [each["name"] for each in spec.get("ports") or ()]
    for each in endpoints:
        address = str(each.get("address", ""))
        if static and not is_address(address):
            yield f'endpoint address "{address}" is not a valid IP address'
        elif not is_address(address) and list(domain_mistakes(address, wild=False)):
            yield f'endpoint address "{address}" is not a valid FQDN or an IP address'
        for name, port in (each.get("ports") or {}).items():
            if name not in names:
                yield f"endpoint port {port} is not defined by the service entry"
            if not is_label(name):
                yield f"invalid port name: {name}"


def _subnet(text: str) -> Iterator[str]:
    try:
        ip_network(text, strict=False) if "/" in text else ip_address(text)
    except ValueError:
        yield f"{text} is not a valid {'CIDR block' if '/' in text else 'IP'}"
