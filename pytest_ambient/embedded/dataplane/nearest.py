"""Which pods behind a Service a connection may go to, and which of them are near enough to a caller's node."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import takewhile

from ..istiod.model import Mesh, Nearness, Service, Workload
from ..objects import Object
from .matching import blocks

Serving = list[tuple[Workload, int]]
"""Pods, each with its own port."""

Way = tuple[str, Sequence[Object], list[Object]]
"""A filter chain's name, whose connections it takes, and its filters."""

_SCOPES = {"zone": ("Region", "Zone"), "node": ("Region", "Zone", "Subzone", "Node"), "own-node": ("Node",)}


def serving(mesh: Mesh, service: Service, port: int) -> Serving:
    """All pods behind that port of the Service."""
    found = ((mesh.workloads.get(each.workload), each.ports.get(port)) for each in service.endpoints)
    return [(pod, to) for pod, to in found if pod and to is not None and (pod.ready or service.unready_too)]


def nearest(mesh: Mesh, wanted: Nearness, found: Serving, node: str) -> Serving:
    """Those of them that a caller on that node is led to."""
    if wanted == "anywhere":
        return found
    scopes = _SCOPES[wanted]
    ranks = [_shared(mesh, scopes, node, pod.node) for pod, _ in found]
    best = len(scopes) if wanted == "own-node" else max(ranks, default=0)
    return [each for each, rank in zip(found, ranks, strict=True) if rank == best]


@dataclass(frozen=True)
class Group:
    """Address blocks of the pods on one node."""

    captured: Sequence[Object]
    others: Sequence[Object]


def by_node(mesh: Mesh, captured: Set[str]) -> dict[str, Group]:
    """The pods of each node, those with a `captured` address and the others apart."""
    found: dict[str, list[str]] = {}
    for each in mesh.workloads.values():
        if each.address and each.node:
            found.setdefault(each.node, []).append(each.address)
    return {
        node: Group(
            blocks(each for each in addresses if each in captured),
            blocks(each for each in addresses if each not in captured),
        )
        for node, addresses in sorted(found.items())
    }


def balancing(service: Service) -> Object | None:
    """How ztunnel's config_dump tells of it; None where there is nothing to tell."""
    if service.nearness == "anywhere" and not service.unready_too:
        return None
    scopes = list(_SCOPES.get(service.nearness, ()))
    modes = {"anywhere": "Standard", "own-node": "Strict"}
    return {
        "routingPreferences": scopes if service.nearness in modes else ["Network", *scopes],
        "mode": modes.get(service.nearness, "Failover"),
        "healthPolicy": "AllowAll" if service.unready_too else "OnlyHealthy",
    }


def _shared(mesh: Mesh, scopes: tuple[str, ...], one: str, other: str) -> int:
    """In how many scopes, from the widest, two nodes are the same."""
    here, there = (_place(mesh, each) for each in (one, other))
    return len(list(takewhile(lambda scope: here[scope] == there[scope], scopes)))


def _place(mesh: Mesh, node: str) -> dict[str, str]:
    region, zone, subzone = mesh.localities.get(node, ("", "", ""))
    return {"Region": region, "Zone": zone, "Subzone": subzone, "Node": node}
