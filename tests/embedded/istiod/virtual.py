"""VirtualServices and DestinationRules that tests write, and what waypoints make of them."""

from collections.abc import Sequence

import pytest

from pytest_ambient.embedded.api.errors import ApiError
from pytest_ambient.embedded.api.store import Store, find
from pytest_ambient.embedded.istiod.binding import gates
from pytest_ambient.embedded.istiod.destination_rules import destinations
from pytest_ambient.embedded.istiod.model import (
    Backend,
    Destination,
    Route,
    RouteMatch,
    RouteRule,
)
from pytest_ambient.embedded.istiod.routes import routes_by_service
from pytest_ambient.embedded.istiod.validate import guard
from pytest_ambient.embedded.istiod.view import NETWORKING, View
from pytest_ambient.embedded.objects import Object

from .world import USE_WAYPOINT, meta, namespace, service, waypoint_objects

TO: Object = {"destination": {"host": "reviews"}}
OWN = Backend("bookinfo/reviews", 9080)
EVERYTHING = (RouteMatch(path_kind="Prefix"),)


def virtual(*rules: Object, hosts: Sequence[str] = ("reviews",), name: str = "v", space: str = "bookinfo") -> Object:
    """A VirtualService."""
    spec = {"hosts": list(hosts), "http": list(rules)}
    return {"apiVersion": f"{NETWORKING}/v1", "kind": "VirtualService", "metadata": meta(name, space), "spec": spec}


def rule_for(host: str, space: str = "bookinfo", **spec: object) -> Object:
    """A DestinationRule."""
    spec = {"host": host, **spec}
    return {"apiVersion": f"{NETWORKING}/v1", "kind": "DestinationRule", "metadata": meta(host, space), "spec": spec}


def pooled(pool: Object) -> Object:
    """A DestinationRule that says this of connections."""
    return rule_for("a", trafficPolicy={"connectionPool": pool})


def seen(*items: Object) -> View:
    """Services reviews and ratings, bound to a waypoint in namespace other, and these objects."""
    gateway, own = waypoint_objects("way", "other")
    gateway["spec"]["listeners"][0]["allowedRoutes"] = {"namespaces": {"from": "All"}}
    labels = {USE_WAYPOINT: "way", "istio.io/use-waypoint-namespace": "other"}
    return View(
        [namespace("bookinfo"), namespace("other")],
        [service("reviews", labels=labels), service("ratings", labels=labels), own],
        gateways=[gateway],
        routes=[each for each in items if each["kind"] == "HTTPRoute"],
        virtual_services=[each for each in items if each["kind"] == "VirtualService"],
        destination_rules=[each for each in items if each["kind"] == "DestinationRule"],
    )


def routes(*items: Object) -> tuple[Route, ...]:
    """The routes of Service reviews."""
    view = seen(*items)
    return routes_by_service(view, gates(view)).get("bookinfo/reviews", ())


def rule(**asked: object) -> RouteRule:
    """The only rule, as the waypoint gets it."""
    return routes(virtual({"route": [TO], **asked}))[0].rules[0]


def said(*items: Object) -> Destination | None:
    """What DestinationRules say of Service reviews."""
    view = seen(*items)
    return destinations(view, gates(view)).get("bookinfo/reviews")


def refusal(item: Object) -> ApiError:
    """The error with which a guarded store refuses the object."""
    store = Store()
    guard(store)
    with pytest.raises(ApiError) as caught:
        store.create(find(item["kind"], NETWORKING), item)
    return caught.value


def connections(*rules: Object) -> Object:
    """A VirtualService for connections."""
    made = virtual()
    return {**made, "spec": {"hosts": ["reviews"], "tcp": list(rules)}}
