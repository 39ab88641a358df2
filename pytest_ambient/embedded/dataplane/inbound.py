"""The destination's half of ztunnel: where HBONE ends, and where plaintext comes in; both under the L4 policies."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..istiod.model import L4Policy, Workload
from ..objects import Object
from . import instead
from .ca import Leaf
from .lines import HBONE, PLAINTEXT, REFUSAL
from .policy import Arrival, Decision, decide
from .xds import (
    ANNOUNCED,
    HBONE_PORT,
    ROUTED,
    access_log,
    connected,
    mutual_tls,
    original_dst,
    part,
    remember,
    socket,
    state,
    tcp_proxy,
    tunnel_end,
    typed,
    watched,
)

_ROUTES = "inbound"
_RBAC = "extensions.filters.http.rbac.v3"
_REJECTED, _UNAUTHORIZED = 403, 401


def hbone_listener(
    workload: Workload, leaf: Leaf, root: Path, routes: Path, *, generation: int, unavailable: bool
) -> Object:
    """Port 15008 of a pod; what it lets in is read from the file `routes`.

    With another generation it ends the tunnels that are open.
    """
    manager = tunnel_end(
        stat_prefix=ROUTED,
        rds={"route_config_name": _ROUTES, "config_source": watched(routes)},
        http_filters=[*_policy_filters(unavailable), part("router", "extensions.filters.http.router.v3.Router")],
        local_reply_config={"mappers": [{"filter": _answered(_REJECTED), "status_code": _UNAUTHORIZED}]},
        access_log=access_log(HBONE),
    )
    return {
        "name": f"hbone~{workload.address}",
        "address": socket(workload.address, HBONE_PORT),
        "filter_chains": [
            {
                "name": f"generation-{generation}",
                "transport_socket": mutual_tls(leaf, root, server=True),
                "filters": [manager],
            }
        ],
    }


def inbound(workload: Workload) -> str:
    """The name of what a captured pod lets in."""
    return f"inbound~{workload.address}"


def application(workload: Workload, port: int) -> str:
    """The cluster of a program's socket, for whoever announces the caller."""
    return f"application~{workload.address}:{port}"


def announcing(workload: Workload, port: int) -> str:
    """The cluster of a program's socket that announces the caller of each connection."""
    return f"announcing~{workload.address}:{port}"


def hbone_routes(pods: Iterable[Workload], policies: Mapping[str, Sequence[L4Policy]], unavailable: bool) -> Object:
    """What pods let in by HBONE: a virtual host per port, with the policies (by address) as they bear on it."""
    hosts = [
        _host(pod, port, policies[pod.address], unavailable) for pod in pods for port in (*sorted(pod.sockets), None)
    ]
    return {"name": _ROUTES, "virtual_hosts": hosts}


def _host(pod: Workload, port: int | None, policies: Sequence[L4Policy], unavailable: bool) -> Object:
    address = f"{pod.address}:{'*' if port is None else port}"
    rules = decide(policies, Arrival(pod.address, port, mutual_tls=True)).rules
    route: Object = {
        "match": {"connect_matcher": {}},
        "typed_per_filter_config": {name: _override(name, each, unavailable) for name, each in rules.items()},
    }
    if port is None:
        route["direct_response"] = {"status": 503}
    else:
        route["route"] = connected(application(pod, port), proxy_protocol_config=ANNOUNCED)
    return {"name": address, "domains": [address], "routes": [route]}


def _override(name: str, rules: Object, unavailable: bool) -> Object:
    rbac = {"shadow_rules": rules, "shadow_rules_stat_prefix": f"{name}_"} if unavailable else {"rules": rules}
    return typed(f"{_RBAC}.RBACPerRoute", rbac=rbac)


def _policy_filters(unavailable: bool) -> list[Object]:
    filters = [part(each, f"{_RBAC}.RBAC") for each in ("deny", "allow")]
    return [*filters, instead.unavailable("")] if unavailable else filters


def _answered(status: int) -> Object:
    value = {"default_value": status, "runtime_key": "ambient.status"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def plaintext_listener(workload: Workload, policies: Sequence[L4Policy], unavailable: bool) -> Object:
    """The internal listener for whoever has no certificate; its name tells its content, so that it never changes."""

    def chain(port: int | None) -> Object:
        decision = decide(policies, Arrival(workload.address, port, mutual_tls=False))
        to = "nothing" if port is None else announcing(workload, port)
        return {"name": str(port), "filters": _plaintext_filters(decision, to, unavailable)}

    chains = [{**chain(port), "filter_chain_match": {"destination_port": port}} for port in sorted(workload.sockets)]
    content = {"filter_chains": chains, "default_filter_chain": chain(None)}
    return {
        "name": f"{inbound(workload)}~{zlib.crc32(repr(content).encode()):08x}",
        "internal_listener": {},
        "listener_filters": [original_dst()],
        "access_log": access_log(PLAINTEXT),
        **content,
    }


def _plaintext_filters(decision: Decision, to: str, unavailable: bool) -> list[Object]:
    if decision.refusal and unavailable:
        return [tcp_proxy("nothing")]
    if decision.refusal:
        # Envoy's RBAC filter would wait for the caller's first byte; ztunnel closes at once
        told = remember(state(REFUSAL, decision.refusal, shared=False, factory="envoy.string"))
        return [told, part("close", "extensions.filters.network.direct_response.v3.Config")]
    kind = "extensions.filters.network.rbac.v3.RBAC"
    checks = [part(name, kind, stat_prefix=name, rules=rules) for name, rules in decision.rules.items()]
    return [*checks, tcp_proxy(to)]
