"""Envoy's matchers that choose a filter chain."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, collapse_addresses

from ..objects import Object
from .xds import typed


def addresses(values: Iterable[str]) -> list[Object]:
    """Address blocks that hold one address each."""
    return [{"address_prefix": each, "prefix_len": 32} for each in values]


def blocks(values: Iterable[str]) -> list[Object]:
    """The fewest address blocks that hold these addresses and no others."""
    return list(_blocks(tuple(values)))


@lru_cache(maxsize=64)
def _blocks(values: tuple[str, ...]) -> tuple[Object, ...]:
    return tuple(
        {"address_prefix": str(each.network_address), "prefix_len": each.prefixlen}
        for each in collapse_addresses(map(IPv4Network, values))
    )


def by_address(kind: str, ranges: Sequence[Object], otherwise: Object | None = None) -> Object:
    """Choose by an address of the connection, such as `DestinationIPInput`."""
    matcher = {"@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher", "range_matchers": list(ranges)}
    tree = {"input": _input(kind), "custom_match": {"name": "address", "typed_config": matcher}}
    return {"matcher_tree": tree} | ({"on_no_match": otherwise} if otherwise else {})


def by_value(kind: str, chosen: Mapping[str, Object], otherwise: Object | None = None) -> Object:
    """Choose by another property of the connection, such as `DestinationPortInput`."""
    tree = {"input": _input(kind), "exact_match_map": {"map": dict(chosen)}}
    return {"matcher": {"matcher_tree": tree} | ({"on_no_match": otherwise} if otherwise else {})}


def chain(name: str) -> Object:
    """Choose that filter chain."""
    value = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": name}
    return {"action": {"name": name, "typed_config": value}}


def _input(kind: str) -> Object:
    return {"name": kind, "typed_config": typed(f"extensions.matching.common_inputs.network.v3.{kind}")}
