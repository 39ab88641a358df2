"""DestinationRules: which one holds for a Service at its waypoint or an ingress gateway, and what it says."""

from collections.abc import Callable, Mapping
from typing import Literal

from ..objects import Object, namespace_of
from .binding import Gate, service_gate
from .destination_model import Hash
from .exports import exported, exports
from .hosts import fits, hostname, resolved
from .model import ROOT_NAMESPACE, Destination, Ejection, Keepalive, Policy, RetryBudget, Subset
from .view import View, age_of, key_of, spec_of
from .words import seconds

_BALANCING = {"ROUND_ROBIN": "ROUND_ROBIN", "RANDOM": "RANDOM"}


def destinations(view: View, known: Mapping[str, Gate]) -> dict[str, Destination]:
    """What is said of each Service to its waypoint, by its key; Services of which nothing is said are left out."""

    def waypoint_namespace(service: Object) -> str:
        gate = service_gate(view, known, service)
        return gate.ref.namespace if isinstance(gate, Gate) else ""

    return _said(view, waypoint_namespace)


def destinations_from(view: View, namespace: str) -> dict[str, Destination]:
    """Likewise to the ingress gateways of a namespace."""
    return _said(view, lambda _: namespace)


def _said(view: View, proxy_namespace: Callable[[Object], str]) -> dict[str, Destination]:
    found = {}
    for service in view.called if view.destination_rules else ():
        if rules := _chosen(view, service, proxy_namespace(service)):
            found[key_of(service)] = _destination(rules)
    return found


def _chosen(view: View, service: Object, proxy_namespace: str) -> list[Object]:
    """The rules for the Service: the proxy's namespace before the Service's and the mesh's, the best host first.

    Several for one host in one namespace are taken together, the oldest first. A namespace's own proxies ask nobody to
    whom its rules are exported; those of the root namespace put their own first only if nobody else sees them.
    """
    ordered = sorted(view.destination_rules, key=age_of)
    rooted = proxy_namespace == ROOT_NAMESPACE
    local = [each for each in ordered if not rooted or exports(each) == {ROOT_NAMESPACE}]
    shared = [each for each in ordered if exported(each, proxy_namespace)]
    seen = ((proxy_namespace, local), (namespace_of(service), shared), (ROOT_NAMESPACE, shared))
    for namespace, rules in seen:
        named: dict[str, list[Object]] = {}
        for rule in rules:
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
            own = each.get("trafficPolicy") or {}
            ports = {port: _policy(_merged(written, own, port)) for port in (*_levels(written), *_levels(own))}
            labels = dict(each.get("labels") or {})
            subsets.setdefault(str(each["name"]), Subset(labels, _policy({**written, **own}), ports))
    return Destination(_policy(written), subsets, {port: _policy(each) for port, each in _levels(written).items()})


def _levels(written: Object) -> dict[int, Object]:
    """What is said of single ports; it inherits nothing."""
    return {int(each["port"]["number"]): each for each in written.get("portLevelSettings") or () if each.get("port")}


def _merged(written: Object, own: Object, port: int) -> Object:
    """What holds for a port of a subset: its own word for the port has the last word on everything that ports have."""
    mine, others = _levels(own).get(port), _levels(written).get(port, written)
    if mine is not None:
        return mine | ({"retryBudget": others["retryBudget"]} if "retryBudget" in others else {})
    return {**others, **own}


def _policy(written: Object) -> Policy:
    pool: Object = written.get("connectionPool") or {}
    tcp, http = pool.get("tcp") or {}, pool.get("http") or {}
    balancer: Object = written.get("loadBalancer") or {}
    simple = balancer.get("simple", "")
    return Policy(
        balancing=_BALANCING.get(simple, "LEAST_REQUEST"),
        max_connections=tcp.get("maxConnections") or None,
        max_pending=http.get("http1MaxPendingRequests") or None,
        max_requests=http.get("http2MaxRequests") or None,
        max_retries=http.get("maxRetries") or None,
        requests_per_connection=http.get("maxRequestsPerConnection") or None,
        connect_timeout=seconds(tcp.get("connectTimeout")) or None,
        ejection=_ejection(written.get("outlierDetection")),
        hash=_hash(balancer.get("consistentHash") or {}),
        keepalive=_keepalive(tcp.get("tcpKeepalive")),
        idle=_time(tcp, "idleTimeout"),
        http_idle=_time(http, "idleTimeout"),
        longest=_time(tcp, "maxConnectionDuration"),
        speaks=_protocol(http),
        streams=http.get("maxConcurrentStreams") or None,
        budget=_budget(written.get("retryBudget")),
    )


def _time(part: Object, field: str) -> float | None:
    return seconds(part[field]) if part.get(field) is not None else None


def _protocol(http: Object) -> Literal["", "HTTP/2", "client's"]:
    if http.get("useClientProtocol"):
        return "client's"
    return "HTTP/2" if http.get("h2UpgradePolicy") == "UPGRADE" else ""


def _keepalive(written: Object | None) -> Keepalive | None:
    if written is None:
        return None
    times = [_time(written, field) for field in ("time", "interval")]
    return Keepalive(written.get("probes") or None, *(int(each) if each is not None else None for each in times))


def _budget(written: Object | None) -> RetryBudget | None:
    if written is None:
        return None
    share = written.get("percent")
    return RetryBudget(20.0 if share is None else float(share), int(written.get("minRetryConcurrency") or 3))


def _hash(written: Object) -> Hash | None:
    maglev, ring = written.get("maglev"), written.get("ringHash")
    if maglev is not None:
        size = maglev.get("tableSize")
    else:
        size = (ring if ring is not None else written).get("minimumRingSize") or (1024 if ring is None else None)
    how: Object = {"maglev": maglev is not None, "size": int(size) if size else None}
    if cookie := written.get("httpCookie"):
        ttl = seconds(cookie["ttl"]) if "ttl" in cookie else None
        given = tuple((str(each["name"]), str(each.get("value", ""))) for each in cookie.get("attributes") or ())
        return Hash("cookie", str(cookie["name"]), ttl, str(cookie.get("path", "")), given, **how)
    if name := written.get("httpHeaderName"):
        return Hash("header", str(name), **how)
    if name := written.get("httpQueryParameterName"):
        return Hash("query", str(name), **how)
    return Hash("source", **how) if written.get("useSourceIp") else None


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
        apart=bool(written.get("splitExternalLocalOriginErrors")),
        own_errors=written.get("consecutiveLocalOriginFailures") or None,
    )
