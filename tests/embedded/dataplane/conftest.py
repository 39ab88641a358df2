"""Meshes with real Envoys for all tests of this folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pytest_ambient.embedded.istiod.model import Service, Waypoint, WaypointRef, Workload

from .entrance import Entry, entered
from .world import World


@dataclass
class Bookinfo:
    """A small Bookinfo with a waypoint for reviews and for the pod `store`."""

    world: World
    curl: Workload
    outside: Workload
    details: Workload
    echo: Workload
    store: Workload
    reviews: tuple[Workload, Workload]
    dead: Workload
    to_details: Service
    to_reviews: Service
    to_echo: Service
    to_store: Service
    to_tcp: Service
    to_dead: Service
    waypoint: Waypoint


@pytest.fixture(scope="session")
def bookinfo() -> Iterator[Bookinfo]:
    """The mesh; its state is short-lived and its path short enough for Unix sockets."""
    with TemporaryDirectory(prefix="dataplane-") as folder:
        world = World(Path(folder))
        try:
            yield bookinfo_in(world)
        finally:
            world.close()


@pytest.fixture(scope="session")
def entry() -> Iterator[Entry]:
    """A mesh with an ingress gateway, likewise."""
    with TemporaryDirectory(prefix="entrance-") as folder:
        world = World(Path(folder))
        try:
            yield entered(world)
        finally:
            world.close()


def bookinfo_in(world: World) -> Bookinfo:
    """Fill a world with Bookinfo and let the data plane follow."""
    ref = WaypointRef("bookinfo", "waypoint")
    world.pod("ztunnel", namespace="istio-system", captured=False)
    details, echo = world.pod("details-v1", 9080), world.pod("echo", 80, namespace="outside", captured=False)
    reviews = world.pod("reviews-v1", 9080), world.pod("reviews-v2", 9080)
    dead = world.pod("dead-v1", 9080, dead=True)
    store = world.pod("store-v1", 9080, waypoint=ref)
    for index, each in enumerate(reviews, 1):
        world.service(f"reviews-v{index}", each)
    made = Bookinfo(
        world,
        curl=world.pod("curl"),
        outside=world.pod("curl", namespace="outside", captured=False),
        details=details,
        echo=echo,
        store=store,
        reviews=reviews,
        dead=dead,
        to_details=world.service("details", details),
        to_reviews=world.service("reviews", *reviews, waypoint=ref),
        to_echo=world.service("echo", echo, port=8000, target=80, namespace="outside", waypoint=None),
        to_store=world.service("store", store),
        to_tcp=world.service("tcp", details, port=9000, target=9080, protocol="TCP", waypoint=ref),
        to_dead=world.service("dead", dead),
        waypoint=world.waypoint(
            "waypoint",
            handles="all",
            services=("bookinfo/reviews", "bookinfo/tcp"),
            workloads=(store.uid,),
        ),
    )
    world.push()
    return made
