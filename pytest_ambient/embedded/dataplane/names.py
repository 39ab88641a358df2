"""The names of a waypoint's clusters, filter chains and routes."""

from collections.abc import Mapping

from ..istiod.model import Backend, Service


def upstream(port: int, protocol: str, hostname: str, subset: str = "") -> str:
    """The name of a Service port at a waypoint: of its filter chain, its routes and its cluster."""
    return f"inbound-vip|{port}|{protocol.lower()}{f'/{subset}' if subset else ''}|{hostname}"


def protocol(service: Service, port: int) -> str:
    """How a backend's port is dealt with: as HTTP unless it is known to speak something else."""
    return "tcp" if any(each.port == port and each.protocol == "TCP" for each in service.ports) else "http"


def destination(own: Service, backend: Backend, services: Mapping[str, Service]) -> str:
    """The cluster by which the waypoint of `own` reaches a backend; none there is for one that does not exist."""
    service = services.get(backend.service or "")
    if service is None:
        return "missing"
    if own.waypoint not in (None, service.waypoint):
        return f"outbound|{backend.port}|{backend.subset}|{service.hostname}"
    return upstream(backend.port, protocol(service, backend.port), service.hostname, backend.subset)
