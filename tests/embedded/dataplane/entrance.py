"""A mesh with an ingress gateway, for these tests."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from pytest_ambient.embedded.istiod.model import (
    Backend,
    Endpoint,
    Identity,
    Ingress,
    Mesh,
    Route,
    RouteMatch,
    RouteRule,
    Service,
    ServicePort,
    Workload,
)

from .world import NODE, World

FRONT = Identity("bookinfo", "front-istio")


@dataclass(frozen=True)
class Entry:
    """A mesh with a gateway on port 8080 that leads `/reviews` to reviews."""

    world: World
    outsider: Workload
    reviews: Service
    pod: Workload
    front: Service
    gateway: Workload
    """The gateway's pod."""

    def following(self, *routes: Route, **more: Any) -> AbstractContextManager[Mesh]:
        """The mesh whose gateway follows these routes and has these fields, for a while."""
        ports = {8080: routes or (route(self.reviews),)}
        return self.world.having(
            ingresses={"bookinfo/front": Ingress("front", "bookinfo", "front-istio", ports, **more)}
        )


def route(service: Service, *hosts: str) -> Route:
    """What the gateway follows."""
    rule = RouteRule((RouteMatch("/reviews"),), (Backend(service.key, 9080),))
    return Route("r", "bookinfo", "", None, (rule,), hostnames=hosts)


def entered(world: World) -> Entry:
    """Fill a world with that mesh and let the data plane follow."""
    outsider = world.pod("curl", namespace="outside", captured=False)
    pod = world.pod("reviews", 9080)
    reviews = world.service("reviews", pod)
    address = world.addresses.pods.take()
    gateway = Workload(
        "front-istio-abc", "bookinfo", address, FRONT, NODE, {}, "front-istio", "deployment", True, False, {},
        gateway_ports=(8080, 80),
    )  # fmt: skip
    ends = (Endpoint(gateway.uid, {8080: 8080, 80: 80}),)
    ports = (ServicePort(8080, "http", "HTTP"), ServicePort(80, "web", "HTTP"))
    vip = world.addresses.services.take()
    front = Service("front-istio", "bookinfo", vip, ports, ends)
    world.mesh = replace(
        world.mesh,
        workloads={**world.mesh.workloads, gateway.uid: gateway},
        services={**world.mesh.services, front.key: front},
        ingresses={"bookinfo/front": Ingress("front", "bookinfo", "front-istio", {8080: (route(reviews),)})},
    )
    world.run(world.plane.start_gateway(gateway.name, "bookinfo", address, FRONT, "bookinfo/front"))
    world.push()
    return Entry(world, outsider, reviews, pod, front, gateway)
