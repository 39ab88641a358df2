"""Answers of a Kiali of our own making: graphs and lists as its API gives them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pytest_ambient.verdict.outcome import Outcome

Edge = tuple[str, str, str | None]
"""Source and target workload, and how many per cent are mutual TLS; None where Kiali does not say."""

BOOKINFO: Sequence[Edge] = (
    ("visitor", "productpage-v1", "100"),
    ("productpage-v1", "details-v1", "100"),
    ("productpage-v1", "reviews-v2", None),
    ("productpage-v1", "reviews-waypoint", "100"),
    ("reviews-waypoint", "reviews-v2", "100"),
    ("reviews-v2", "ratings-v1", "100"),
)
"""What is drawn of Bookinfo with a waypoint before reviews and a visitor."""
WORKLOADS = (("istio-system", "ztunnel", "isZtunnel"), ("shop", "reviews-waypoint", "isWaypoint"), ("shop", "x", ""))


def graph(edges: Iterable[Edge] = BOOKINFO, namespace: str = "shop") -> str:
    """A graph by workload; every waypoint is marked as one and has no app."""
    edges = list(edges)
    names = dict.fromkeys(name for edge in edges for name in edge[:2])
    nodes = [_node(name, namespace) for name in names]
    drawn = [
        {"id": f"e{index}", "source": f"n-{source}", "target": f"n-{target}", "traffic": {"protocol": "tcp"}}
        | ({"isMTLS": share} if share is not None else {})
        for index, (source, target, share) in enumerate(edges)
    ]
    elements = {"nodes": [{"data": node} for node in nodes], "edges": [{"data": edge} for edge in drawn]}
    return json.dumps({"timestamp": 1, "duration": 60, "graphType": "workload", "elements": elements})


def _node(name: str, namespace: str) -> dict[str, Any]:
    node: dict[str, Any] = {"id": f"n-{name}", "nodeType": "workload", "namespace": namespace, "workload": name}
    if name.endswith("-waypoint"):
        return {**node, "isWaypoint": True}
    return {**node, "app": name.removesuffix("-v1").removesuffix("-v2"), "version": "v1", "isAmbient": True}


def workloads(items: Iterable[tuple[str, str, str]] = WORKLOADS) -> str:
    """A list of workloads: namespace, name, and the flag that is true of it."""
    listed = [
        {"namespace": namespace, "name": name, "isWaypoint": flag == "isWaypoint", "isZtunnel": flag == "isZtunnel"}
        for namespace, name, flag in items
    ]
    return json.dumps({"cluster": "Kubernetes", "workloads": listed, "validations": {}})


def answered(body: str, status: int = 200) -> Outcome:
    """The answer with that body."""
    return Outcome(0, status, body=body, connect_ms=1.0)
