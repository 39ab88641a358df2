"""DestinationRules: which one holds for a Service at its waypoint, and what it says."""

from collections.abc import Mapping

from ..objects import Object, namespace_of
from .binding import Gate, service_gate
from .hosts import fits, hostname, resolved
from .model import ROOT_NAMESPACE, Destination, Ejection, Policy, Subset
from .view import View, age_of, key_of, spec_of
from .words import seconds

_BALANCING = {"ROUND_ROBIN": "ROUND_ROBIN", "RANDOM": "RANDOM"}


def destinations(view: View, known: Mapping[str, Gate]) -> dict[str, Destination]:
    """What is said of each Service, by its key; Services of which nothing is said are left out."""
    found = {}
    for service in view.services if view.destination_rules else ():
        gate = service_gate(view, known, service)
        rules = _chosen(view, service, gate.ref.namespace if isinstance(gate, Gate) else "")
        if rules:
            found[key_of(service)] = _destination(rules)
    return found


def _chosen(view: View, service: Object, waypoint_namespace: str) -> list[Object]:
    """The rules for the Service: the waypoint's namespace before the Service's and the mesh's, the best host first.

    Several for one host in one namespace are taken together, the oldest first.
    """
    for namespace in (waypoint_namespace, namespace_of(service), ROOT_NAMESPACE):
        named: dict[str, list[Object]] = {}
        for rule in sorted(view.destination_rules, key=age_of):
            host = resolved(str(spec_of(rule).get("host", "")), namespace_of(rule))
            if namespace_of(rule) == namespace and fits(host, hostname(service)):
                named.setdefault(host, []).append(rule)
        if named:
            return named[max(named, key=lambda host: (not host.startswith("*"), len(host)))]
    return []


def _destination(rules: list[Object]) -> Destination:
    written: Object = next((spec_of(each)["trafficPolicy"] for each in rules if spec_of(each).get("trafficPolicy")), {})
    subsets: dict[str, Subset] = {}
    for rule in rules:
        for each in spec_of(rule).get("subsets") or ():
            own = {**written, **(each.get("trafficPolicy") or {})}
            subsets.setdefault(str(each["name"]), Subset(dict(each.get("labels") or {}), _policy(own)))
    return Destination(_policy(written), subsets)


def _policy(written: Object) -> Policy:
    pool: Object = written.get("connectionPool") or {}
    tcp, http = pool.get("tcp") or {}, pool.get("http") or {}
    simple = (written.get("loadBalancer") or {}).get("simple", "")
    return Policy(
        balancing=_BALANCING.get(simple, "LEAST_REQUEST"),
        max_connections=tcp.get("maxConnections") or None,
        max_pending=http.get("http1MaxPendingRequests") or None,
        max_requests=http.get("http2MaxRequests") or None,
        max_retries=http.get("maxRetries") or None,
        requests_per_connection=http.get("maxRequestsPerConnection") or None,
        connect_timeout=seconds(tcp.get("connectTimeout")) or None,
        ejection=_ejection(written.get("outlierDetection")),
    )


def _ejection(written: Object | None) -> Ejection | None:
    if written is None:
        return None
    return Ejection(
        errors=written.get("consecutive5xxErrors"),
        gateway_errors=written.get("consecutiveGatewayErrors"),
        interval=seconds(written.get("interval")) or None,
        base_time=seconds(written.get("baseEjectionTime")) or None,
        max_percent=written.get("maxEjectionPercent") or None,
        min_health=int(written.get("minHealthPercent", 0)),
    )
