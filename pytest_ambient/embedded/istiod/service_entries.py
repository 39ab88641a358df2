"""ServiceEntries as ztunnels and waypoints get them: a Service for each host."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from ..entries import addresses, callable_at, target_port
from ..objects import Object, labels_of, name_of, namespace_of
from .binding import Gate, ingress_too, service_gate
from .model import Endpoint, Place, Service, ServicePort, Workload
from .view import View, key_of, spec_of

At = Callable[[str], str]
"""Where connections to the host of that key are really taken."""

_HTTP = ("", "http", "http2", "grpc", "grpc-web", "http_proxy")
_HTTP2 = ("http2", "grpc", "grpc-web")
_BY_NAME = ("DNS", "DNS_ROUND_ROBIN")


def host_services(
    view: View, known: Mapping[str, Gate], workloads: Mapping[str, Workload], at: At
) -> Iterator[Service]:
    """Every host of every ServiceEntry."""
    pods = {f"{namespace_of(each)}/{name_of(each)}": each for each in view.pods}
    for item in view.hosts:
        found = callable_at(addresses(item))
        gate = service_gate(view, known, item)
        yield Service(
            name=name_of(item),
            namespace=namespace_of(item),
            vip=found[0] if found else "",
            ports=tuple(_port(each) for each in _ports(item)),
            endpoints=tuple(_selected(item, workloads, pods)),
            labels=labels_of(item),
            waypoint=gate.ref if isinstance(gate, Gate) else None,
            ingress_too=ingress_too(view, item),
            host=str(item["host"]),
            served_at=at(key_of(item)) if found else "",
            more_vips=tuple(each for each in addresses(item) if each not in found[:1]),
            places=tuple(_places(item)),
        )


def _ports(item: Object) -> list[Object]:
    found: list[Object] = spec_of(item).get("ports") or []
    return [each for each in found if str(each.get("protocol", "")).upper() != "UDP"]


def _port(port: Object) -> ServicePort:
    hint = str(port.get("protocol", "")).lower()
    kind: Literal["HTTP", "TCP"] = "HTTP" if hint in _HTTP else "TCP"
    return ServicePort(int(port["number"]), str(port["name"]), kind, sniffed=not hint, http2=hint in _HTTP2)


def _selected(item: Object, workloads: Mapping[str, Workload], pods: Mapping[str, Object]) -> Iterator[Endpoint]:
    """The pods of its namespace that it selects; a container's port of that name goes before the target port."""
    wanted: Mapping[str, str] = (spec_of(item).get("workloadSelector") or {}).get("labels") or {}
    for each in workloads.values():
        if not wanted or each.namespace != namespace_of(item) or not wanted.items() <= each.labels.items():
            continue
        named = _named_ports(pods[f"{each.namespace}/{each.name}"])
        ports = {int(port["number"]): named.get(port["name"], target_port(port)) for port in _ports(item)}
        yield Endpoint(each.uid, ports)


def _named_ports(pod: Object) -> dict[str, int]:
    containers: list[Object] = spec_of(pod).get("containers") or []
    ports = [port for each in containers for port in each.get("ports") or ()]
    return {str(port["name"]): int(port["containerPort"]) for port in ports if port.get("name")}


def _places(item: Object) -> Iterator[Place]:
    """The endpoints that are written down; a name without any is one itself."""
    spec = spec_of(item)
    written: list[Object] = spec.get("endpoints") or []
    if not written and "workloadSelector" not in spec and spec.get("resolution") in _BY_NAME:
        written = [{"address": item["host"]}]
    for each in written:
        own: Mapping[str, int] = each.get("ports") or {}
        ports = {int(port["number"]): int(own.get(port["name"], target_port(port))) for port in _ports(item)}
        yield Place(str(each.get("address", "")), ports, dict(each.get("labels") or {}))
