"""Services as the mesh knows them: their addresses, ports and the endpoints that EndpointSlices tell of."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ..front_door import API_SERVICE
from ..objects import Object, labels_of, name_of, namespace_of
from .binding import Gate, ingress_too, service_gate
from .model import Endpoint, Place, Service, Workload
from .nearness import nearness
from .protocols import service_port
from .view import View, key_of, spec_of


def services_of(view: View, known: Mapping[str, Gate], workloads: Mapping[str, Workload]) -> Iterator[Service]:
    """All Services but those that are other names for something."""
    slices: dict[str, list[Object]] = defaultdict(list)
    for each in view.slices:
        slices[f"{namespace_of(each)}/{labels_of(each).get('kubernetes.io/service-name', '')}"].append(each)
    for item in view.services:
        if spec_of(item).get("type") == "ExternalName":
            continue
        address = str(spec_of(item).get("clusterIP") or "")
        gate = service_gate(view, known, item)
        yield Service(
            name=name_of(item),
            namespace=namespace_of(item),
            vip="" if address == "None" else address,
            ports=tuple(service_port(each) for each in _tcp_ports(item)),
            endpoints=tuple(_endpoints(item, slices[key_of(item)], workloads)),
            places=tuple(_places(item, slices[key_of(item)])),
            labels=labels_of(item),
            waypoint=gate.ref if isinstance(gate, Gate) else None,
            ingress_too=ingress_too(view, item),
            nearness=nearness(item, item, view.namespace_by_name.get(namespace_of(item), {})),
            node_nearness=nearness(item),
            unready_too=bool(spec_of(item).get("publishNotReadyAddresses")),
            sticky=spec_of(item).get("sessionAffinity") == "ClientIP",
        )


def _tcp_ports(service: Object) -> list[Object]:
    ports: list[Object] = spec_of(service).get("ports") or []
    return [each for each in ports if each.get("protocol", "TCP") == "TCP"]


def _ready(service: Object, slices: list[Object]) -> Iterator[tuple[Object, Object, Mapping[int, int]]]:
    """Ready endpoints with their slices; a slice's ports are those of the Service by name, if they have a number."""
    for each in slices:
        numbered = [port for port in each.get("ports") or () if port.get("port") is not None]
        targets = {str(port.get("name") or ""): int(port["port"]) for port in numbered}
        ports = {
            int(port["port"]): targets[str(port.get("name") or "")]
            for port in _tcp_ports(service)
            if str(port.get("name") or "") in targets
        }
        for endpoint in each.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True):
                yield each, endpoint, ports


def _endpoints(service: Object, slices: list[Object], workloads: Mapping[str, Workload]) -> Iterator[Endpoint]:
    for _, endpoint, ports in _ready(service, slices):
        target = endpoint.get("targetRef") or {}
        uid = f"Kubernetes//Pod/{namespace_of(service)}/{target.get('name', '')}"
        if target.get("kind", "Pod") == "Pod" and uid in workloads:
            yield Endpoint(uid, ports)


def _places(service: Object, slices: list[Object]) -> Iterator[Place]:
    """The endpoints that name no pod, even if they have a pod's address: istiod knows nothing more about them.

    Where the API itself answers is outside of the cluster like all else.
    """
    for item, endpoint, ports in _ready(service, slices):
        if "targetRef" not in endpoint:
            outside = key_of(service) == API_SERVICE
            yield from (Place(each, ports, {}, name_of(item), outside) for each in endpoint.get("addresses") or ())
