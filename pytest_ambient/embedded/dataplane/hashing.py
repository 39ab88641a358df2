"""Consistent hashing, as DestinationRules ask for it: like requests come to the same endpoint."""

from collections.abc import Iterable, Iterator, Mapping

from ..istiod.destination_model import Hash
from ..istiod.model import Backend, Destination
from ..objects import Object


def balancing(by: Hash) -> Object:
    """The part of a cluster that says how hashes choose endpoints."""
    if by.maglev:
        return {"lb_policy": "MAGLEV"} | ({"maglev_lb_config": {"table_size": by.size}} if by.size else {})
    return {"lb_policy": "RING_HASH"} | ({"ring_hash_lb_config": {"minimum_ring_size": by.size}} if by.size else {})


def hash_policies(destinations: Mapping[str, Destination], backends: Iterable[Backend]) -> Iterator[Object]:
    """What of a request a route to these backends hashes."""
    for each in backends:
        said = destinations.get(each.service or "")
        chosen = said.chosen(each.subset, each.port) if said else None
        if chosen and chosen.policy.hash:
            yield _hashed(chosen.policy.hash)


def _hashed(by: Hash) -> Object:
    match by.kind:
        case "header":
            return {"header": {"header_name": by.name}}
        case "query":
            return {"query_parameter": {"name": by.name}}
        case "source":
            return {"connection_properties": {"source_ip": True}}
    cookie: Object = {"name": by.name, "attributes": [{"name": name, "value": value} for name, value in by.attributes]}
    cookie |= {"path": by.path} if by.path else {}
    return {"cookie": cookie | ({"ttl": f"{by.ttl:f}s"} if by.ttl is not None else {})}
