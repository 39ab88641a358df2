"""The parts of Envoy configuration that ztunnel and waypoints share, as JSON values."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from ..entries import in_cluster, is_address
from ..istiod.model import TRUST_DOMAIN
from ..objects import Object
from .ca import Leaf

ORIGINAL_DST = "envoy.filters.listener.original_dst"
LOCAL_IP = f"{ORIGINAL_DST}.local_ip"
REMOTE_IP = f"{ORIGINAL_DST}.remote_ip"
HBONE_PORT = 15008
ANNOUNCED: Object = {"version": "V2"}
"""How a connection begins that tells who calls: by the PROXY protocol."""
ROUTED = "routed"
"""The statistics prefix of whatever reads its routes from a file."""

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_LIMITS = dict.fromkeys(("max_connections", "max_pending_requests", "max_requests", "max_retries"), 4294967295)


def typed(kind: str, **fields: object) -> Object:
    """A message of that kind; `envoy.` is left out of the name."""
    return {"@type": f"type.googleapis.com/envoy.{kind}", **fields}


def part(name: str, kind: str, **fields: object) -> Object:
    """A named extension."""
    return {"name": name, "typed_config": typed(kind, **fields)}


def socket(address: str, port: int) -> Object:
    """A TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}


def pipe(path: str) -> Object:
    """A Unix socket."""
    return {"pipe": {"path": path}}


def outer(address: Object) -> Object:
    """An endpoint outside this Envoy."""
    return {"endpoint": {"address": address}}


def passed_on(address: Object) -> Object:
    """An endpoint outside this Envoy that is told by the PROXY protocol who calls."""
    return {**outer(address), "metadata": {"filter_metadata": {"envoy.transport_socket_match": {"passed": "true"}}}}


def inner(listener: str, name: str, **metadata: str) -> Object:
    """An internal listener as an endpoint, told some facts about it; `name` tells two of one cluster apart."""
    address = {"envoy_internal_address": {"server_listener_name": listener, "endpoint_id": name}}
    carried = {ORIGINAL_DST: metadata, "envoy.transport_socket_match": {"inner": "true"}}
    return {"endpoint": {"address": address}, "metadata": {"filter_metadata": carried}}


def within(endpoint: Object) -> bool:
    """Whether an endpoint is an internal listener."""
    return "envoy_internal_address" in endpoint["endpoint"]["address"]


def assignment(cluster: str, endpoints: Iterable[Object]) -> Object:
    """The endpoints of a cluster."""
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": list(endpoints)}]}


def cluster(name: str, **fields: object) -> Object:
    """A cluster without limits of its own."""
    return {"name": name, "connect_timeout": "10s", "circuit_breakers": limits(), **fields}


def limits(**named: object) -> Object:
    """The limits of a cluster; those that are not named are none."""
    return {"thresholds": [_LIMITS | named]}


def static(name: str, *endpoints: Object, **fields: object) -> Object:
    """A cluster with these endpoints; a resolver is asked for those that are names."""
    places = [place for each in endpoints if (place := _place(each))]
    if not all(map(in_cluster, places)):
        fields.pop("upstream_bind_config", None)  # what is outside of this machine can't be called from a pod's address
    if all(map(is_address, places)):
        kind = "STATIC"
    else:
        # an Envoy that starts, and whoever waits for it, does not wait for a resolver that never answers
        kind, fields = "STRICT_DNS", fields | {"dns_lookup_family": "V4_ONLY", "wait_for_warm_on_init": False}
    return cluster(name, type=kind, load_assignment=assignment(name, endpoints), **_transports(endpoints), **fields)


def _place(endpoint: Object) -> str:
    """The address or name of an endpoint that is one of the network."""
    return str(endpoint["endpoint"]["address"].get("socket_address", {}).get("address", ""))


def _transports(endpoints: Iterable[Object]) -> Object:
    """How the endpoints are reached; said once for all where they are of one kind, as nearly always."""
    kinds = {_kind(each) for each in endpoints}
    if kinds <= {"outer"}:
        return {}
    ways = {"inner": _inward, "passed": _passed, "outer": _raw}
    if len(kinds) == 1:
        return {"transport_socket": ways[kinds.pop()]()}
    named = [
        {"name": kind, "match": {} if kind == "outer" else {kind: "true"}, "transport_socket": way()}
        for kind, way in ways.items()
        if kind in kinds
    ]
    return {"transport_socket_matches": named}


def _kind(endpoint: Object) -> str:
    matched = endpoint.get("metadata", {}).get("filter_metadata", {}).get("envoy.transport_socket_match")
    return next(iter(matched)) if matched else "outer"


def watched(path: Path) -> Object:
    """Configuration that Envoy reads from a file, again whenever another one is renamed to it."""
    # each such source takes one of the machine's few inotify instances (128 by default), so there are three at most
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}


def tunnels(name: str, **fields: object) -> Object:
    """A cluster whose hosts are given by each connection: where HBONE connections go."""
    lookup = {"key": ORIGINAL_DST, "path": [{"key": "waypoint"}]}
    http2 = {"explicit_http_config": {"http2_protocol_options": {"allow_connect": True}}}
    return cluster(
        name,
        type="ORIGINAL_DST",
        lb_policy="CLUSTER_PROVIDED",
        cleanup_interval="60s",
        original_dst_lb_config={"upstream_port_override": HBONE_PORT, "metadata_key": lookup},
        typed_extension_protocol_options={HTTP_OPTIONS: typed(HTTP_OPTIONS.removeprefix("envoy."), **http2)},
        **fields,
    )


def tunnel_end(**fields: object) -> Object:
    """The network filter that ends HBONE tunnels; `fields` say where their streams go."""
    return part(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        codec_type="HTTP2",
        http2_protocol_options={"allow_connect": True, "max_concurrent_streams": 1000},
        upgrade_configs=[{"upgrade_type": "CONNECT"}],
        stream_idle_timeout="0s",
        **fields,
    )


def connected(cluster: str, **config: object) -> Object:
    """The part of a route that lets a tunnel's stream through to a cluster."""
    upgrade = {"upgrade_type": "CONNECT", "connect_config": config}
    return {"cluster": cluster, "timeout": "0s", "upgrade_configs": [upgrade]}


@cache
def _raw() -> Object:
    """No encryption."""
    return part("raw_buffer", "extensions.transport_sockets.raw_buffer.v3.RawBuffer")


@cache
def _inward() -> Object:
    """The transport to an internal listener; it carries the endpoint's metadata along."""
    kind = "extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport"
    carried = [{"kind": {"host": {}}, "name": ORIGINAL_DST}]
    return part("internal_upstream", kind, passthrough_metadata=carried, transport_socket=_raw())


@cache
def _passed() -> Object:
    """The transport that begins with the caller's address."""
    kind = "extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport"
    return part("upstream_proxy_protocol", kind, config=ANNOUNCED, transport_socket=_raw())


@lru_cache(maxsize=512)
def mutual_tls(leaf: Leaf, root: Path, *, server: bool) -> Object:
    """Mutual TLS among SPIFFE identities of the trust domain; made once for all who say the same, not to be changed."""
    name = {"san_type": "URI", "matcher": {"prefix": f"spiffe://{TRUST_DOMAIN}/"}}
    common = {
        "tls_params": dict.fromkeys(("tls_minimum_protocol_version", "tls_maximum_protocol_version"), "TLSv1_3"),
        "alpn_protocols": ["h2"],
        "tls_certificates": [
            {"certificate_chain": {"filename": str(leaf.chain)}, "private_key": {"filename": str(leaf.key)}}
        ],
        "validation_context": {"trusted_ca": {"filename": str(root)}, "match_typed_subject_alt_names": [name]},
    }
    kind = "extensions.transport_sockets.tls.v3"
    if server:
        return part("tls", f"{kind}.DownstreamTlsContext", common_tls_context=common, require_client_certificate=True)
    return part("tls", f"{kind}.UpstreamTlsContext", common_tls_context=common)


@cache
def original_dst() -> Object:
    """The listener filter that gives an internal connection its outer addresses back."""
    return part(ORIGINAL_DST, f"extensions.filters.listener.{ORIGINAL_DST.rsplit('.')[-1]}.v3.OriginalDst")


def state(key: str, text: str, *, shared: bool = True, factory: str = "") -> Object:
    """One value to keep with a connection, made from Envoy's format text."""
    found: Object = {"object_key": key, "format_string": {"text_format_source": {"inline_string": text}}}
    if shared:
        found["shared_with_upstream"] = "ONCE"  # carried further it would split the pool of HBONE connections
    if factory:
        found["factory_key"] = factory
    return found


def remember(*values: Object) -> Object:
    """The network filter that sets such values."""
    return part("remember", "extensions.filters.network.set_filter_state.v3.Config", on_new_connection=list(values))


def tcp_proxy(to: str | Object, **fields: object) -> Object:
    """The network filter that copies bytes to a cluster, or to weighted ones; idle connections stay open by default."""
    kind = "extensions.filters.network.tcp_proxy.v3.TcpProxy"
    chosen = {"cluster": to} if isinstance(to, str) else {"weighted_clusters": to}
    return part("tcp_proxy", kind, stat_prefix="tcp", **chosen, **{"idle_timeout": "0s", **fields})


def access_log(line: str, **only: object) -> list[Object]:
    """One line per connection or request on Envoy's standard output, where `only` holds."""
    text = {"text_format_source": {"inline_string": f"{line}\n"}}
    kind = "extensions.access_loggers.file.v3.FileAccessLog"
    log = part("envoy.access_loggers.file", kind, path="/dev/stdout", log_format=text)
    return [{**log, **({"filter": only} if only else {})}]


def holding(expression: str) -> Mapping[str, object]:
    """The access log filter for an expression of CEL."""
    name, kind = "envoy.access_loggers.extension_filters.cel", "extensions.access_loggers.filters.cel.v3"
    return {"extension_filter": part(name, f"{kind}.ExpressionFilter", expression=expression)}


def flagged(*flags: str) -> Mapping[str, object]:
    """The access log filter for these response flags."""
    return {"response_flag_filter": {"flags": list(flags)}}
