"""Where endpoints that a ServiceEntry writes down lie: in the cluster, as its DNS knows it, or outside."""

from collections.abc import Iterator

from ..entries import in_cluster, is_address
from ..istiod.model import Mesh, Place, Service, Workload

_DOMAIN = "cluster.local"


def looked_up(mesh: Mesh, place: str, namespace: str) -> list[str]:
    """The cluster's addresses that a place means to a proxy in that namespace; none when it lies outside."""
    if not in_cluster(place):
        return []
    if is_address(place):
        return [place]
    name, own = place.rstrip(".").removesuffix(f".svc.{_DOMAIN}").removesuffix(".svc"), namespace
    if "." in name:
        name, own = name.split(".", 1)
    service = mesh.services.get(f"{own}/{name}")
    if service is None or service.vip:
        return [service.vip] if service else []
    return [pod.address for pod in _pods(mesh, service)]


def beyond(place: Place) -> list[str]:
    """Where the place is when it lies outside of the cluster."""
    return [] if in_cluster(place.address) and not place.outside else [place.address]


def pod_at(mesh: Mesh, address: str) -> Workload | None:
    """The ready pod that has the address."""
    return next((each for each in mesh.workloads.values() if each.address == address and each.ready), None)


def behind(mesh: Mesh, address: str, port: int) -> Iterator[tuple[Workload, int]]:
    """The pods, each with its port, to which a node leads what is addressed to a pod or a Service."""
    if pod := pod_at(mesh, address):
        yield pod, port
    service = next((each for each in mesh.services.values() if each.vip == address and not each.host), None)
    for each in service.endpoints if service else ():
        found = mesh.workloads.get(each.workload)
        if found is not None and found.ready and port in each.ports:
            yield found, each.ports[port]


def _pods(mesh: Mesh, service: Service) -> Iterator[Workload]:
    for each in service.endpoints:
        pod = mesh.workloads.get(each.workload)
        if pod is not None and pod.ready:
            yield pod
