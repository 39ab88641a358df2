"""The caller's half of ztunnel: who is taken where, and the way into tunnels."""

from collections.abc import Sequence

from ..objects import Object
from .lines import FORWARDED, TUNNELLED
from .matching import by_address, chain
from .nearest import Way
from .xds import access_log, original_dst, remember, state, tcp_proxy


def originate() -> Object:
    """The internal listener that opens tunnels."""
    choice = state("envoy.tcp_proxy.cluster", "tunnel~%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", shared=False)
    tunnel = {"hostname": "%DOWNSTREAM_LOCAL_ADDRESS%", "headers_to_add": [FORWARDED]}
    proxy = tcp_proxy("nothing", tunneling_config=tunnel, access_log=access_log(TUNNELLED))
    return {
        "name": "originate",
        "internal_listener": {},
        "listener_filters": [original_dst()],
        "filter_chains": [{"filters": [remember(choice), proxy]}],
    }


def listener(
    name: str,
    address: Object,
    callers: Sequence[Object],
    captured: list[Object],
    others: list[Object],
    ways: Sequence[Way] = (),
) -> Object:
    """A listener that treats captured callers in one way and all others in another; `ways` are for some of either.

    Who is captured stands in the matcher, not in the chains: a chain that changes ends its open connections.
    """
    special = [{"ranges": list(ranges), "on_match": chain(way)} for way, ranges, _ in ways]
    chosen = {"ranges": callers, "on_match": chain("captured")}
    chains = {"captured": captured, "others": others} | {way: filters for way, _, filters in ways}
    return {
        "name": name,
        "address": address,
        "filter_chains": [{"name": way, "filters": filters} for way, filters in chains.items()],
        "filter_chain_matcher": by_address("SourceIPInput", [*special, chosen], chain("others")),
    }
