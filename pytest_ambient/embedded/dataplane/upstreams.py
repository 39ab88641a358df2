"""The clusters of a waypoint: the endpoints of Services and of their subsets, and how it deals with them."""

import zlib
from collections.abc import Iterable, Iterator, Mapping

from ..istiod.model import (
    ROOT_NAMESPACE,
    Authorizer,
    Destination,
    Mesh,
    Service,
    ServicePort,
    Tracer,
    Workload,
)
from ..objects import Object
from ..ports import bound
from .names import destination, upstream
from .nearest import nearest, serving
from .places import beyond, looked_up, pod_at
from .policy import policies_of
from .pools import handled
from .routes import backends
from .xds import inner, outer, socket, static


class Upstreams:
    """Collects the clusters that a waypoint needs; `fields` are those of each of them."""

    def __init__(self, mesh: Mesh, namespace: str = ROOT_NAMESPACE, node: str = "", **fields: object) -> None:
        """`namespace` is that of the proxy, which looks up names; `node` tells which endpoints are near to it."""
        self._mesh, self._namespace, self._node, self._fields = mesh, namespace, node, fields
        self._made: dict[str, Object] = {}

    def __iter__(self) -> Iterator[Object]:
        return iter(self._made.values())

    def add(self, service: Service, port: ServicePort) -> None:
        """The cluster of a port, two where connections show what they are, and those that its routes name."""
        for kind in (port.protocol, *(["TCP"] if port.sniffed else [])):
            self._add(service, port.port, upstream(port.port, kind, service.hostname))
        for each in backends(self._mesh.routes.get(service.key, ())):
            found = self._mesh.services.get(each.service or "")
            if found and any(port.port == each.port for port in found.ports):  # else a cluster that is not there
                self._add(found, each.port, destination(service, each, self._mesh.services), each.subset)

    def ask(self, others: Iterable[Authorizer | Tracer]) -> None:
        """The clusters of authorizers and collectors."""
        for each in others:
            if found := self._mesh.services.get(each.service):
                self._add(found, each.port, upstream(each.port, "http", found.hostname))

    def _add(self, service: Service, port: int, name: str, subset: str = "") -> None:
        said = self._mesh.destinations.get(service.key, Destination())
        chosen = said.chosen(subset, port)
        if chosen is not None:  # else a cluster that is not there
            found = [*endpoints(self._mesh, service, port, chosen.labels, self._node)]
            found += places(self._mesh, service, port, chosen.labels, self._namespace)
            dealt = handled(chosen.policy, known_port(service, port), beyond=name.startswith("outbound|"))
            self._made[name] = static(name, *found, **dealt, **self._fields)


def known_port(service: Service, number: int) -> ServicePort:
    """The port with that number; one of HTTP/1.1 where there is none."""
    return next((each for each in service.ports if each.port == number), ServicePort(number, "", "HTTP"))


def endpoints(mesh: Mesh, service: Service, port: int, labels: Mapping[str, str], node: str = "") -> Iterator[Object]:
    """The pods with these labels behind a port, for a proxy (on that node) that opens tunnels itself."""
    found = [each for each in serving(mesh, service, port) if labels.items() <= each[0].labels.items()]
    for pod, target in nearest(mesh, service.nearness, found, node) if node else found:
        if pod.captured:
            address = f"{pod.address}:{target}"
            yield inner("connect_originate", f"{address}{_generation(mesh, pod)}", local=address)
        else:
            yield outer(socket(pod.address, bound(target)))


def places(mesh: Mesh, service: Service, port: int, labels: Mapping[str, str], namespace: str) -> Iterator[Object]:
    """The endpoints that a ServiceEntry writes down, likewise; to what has a name or is no pod, no tunnel leads."""
    for each in service.places:
        target = each.ports.get(port)
        if target is None or not labels.items() <= each.labels.items():
            continue
        pod = pod_at(mesh, each.address)
        if pod is not None and pod.captured:
            address = f"{pod.address}:{target}"
            yield inner("connect_originate", f"{address}{_generation(mesh, pod)}", local=address)
        else:
            inside = ((found, bound(target)) for found in looked_up(mesh, each.address, namespace))
            outside = ((found, target) for found in beyond(each))
            yield from (outer(socket(*where)) for where in (*inside, *outside))


def _generation(mesh: Mesh, pod: Workload) -> str:
    """A mark of the pod's policies that are not bound to a selector.

    ztunnel cuts open connections when one of those changes; as another endpoint the pod gets fresh ones.
    """
    bearing = [each for each in policies_of(mesh, pod) if each.scope != "WorkloadSelector"]
    return f"#{zlib.crc32(repr(bearing).encode()):08x}" if bearing else ""
