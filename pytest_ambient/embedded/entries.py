"""ServiceEntries as the hosts that they name: which of them count, and at which addresses each is called."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, ip_address
from typing import Any

from .objects import Object, labels_of, name_of, namespace_of

GROUP = "networking.istio.io"
AUTOMATIC = "networking.istio.io/enable-autoallocate-ip"
_SUFFIX = "svc.cluster.local"
_BLOCK = "127."
"""How addresses of the cluster begin."""


def host_items(entries: Iterable[Object], services: Iterable[Object]) -> list[Object]:
    """One item for each host, in a Service's shape with the field `host`; in a namespace the oldest has its host.

    A Service of the same namespace goes before every entry.
    """
    taken = {(namespace_of(each), f"{name_of(each)}.{namespace_of(each)}.{_SUFFIX}") for each in services}
    found = []
    for entry in sorted(entries, key=_age):
        for host in entry.get("spec", {}).get("hosts") or ():
            if (namespace_of(entry), host) not in taken:
                taken.add((namespace_of(entry), host))
                found.append(_item(entry, str(host)))
    return found


def key_of_host(namespace: str, host: str) -> str:
    """What tells the host from others, and from Services: their names have no dot."""
    return f"{namespace}/{host}."


def wants_addresses(entry: Object) -> bool:
    """Whether its hosts get addresses of their own accord."""
    spec = entry.get("spec", {})
    refused = labels_of(entry).get(AUTOMATIC, "").lower() == "false"
    return not refused and not spec.get("addresses") and spec.get("resolution", "NONE") != "NONE"


def addresses(item: Object) -> tuple[str, ...]:
    """The addresses that stand for the host: those that its user gave, else those that it got."""
    given = tuple(str(each) for each in item["spec"].get("addresses") or ())
    if given or not wants_addresses(item):
        return given
    return tuple(str(each["value"]) for each in allotted(item) if each.get("host") == item["host"])


def allotted(entry: Object) -> list[Object]:
    """The addresses that its status says its hosts got."""
    found: list[Object] = (entry.get("status") or {}).get("addresses") or []
    return found


def callable_at(found: Iterable[str]) -> tuple[str, ...]:
    """Those of some addresses that a pod here can call: it has no IPv6."""
    return tuple(each for each in found if is_address(each) and isinstance(ip_address(each), IPv4Address))


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def in_cluster(place: str) -> bool:
    """Whether an address is one of this cluster, or the cluster's DNS alone is asked for a name."""
    if is_address(place):
        return place.startswith(_BLOCK)
    name = place.rstrip(".")
    return "." not in name or name.endswith((".svc", ".cluster.local"))


def seen_from(items: Sequence[Object], services: Iterable[Object], namespace: str) -> Iterator[Object]:
    """Of several with one host, the one that ztunnel takes for a caller in that namespace.

    Its own namespace's, else the Service of that name, which is none of these, else the oldest.
    """
    real = {f"{name_of(each)}.{namespace_of(each)}.{_SUFFIX}" for each in services}
    best: dict[str, Object] = {}
    for each in items:
        if namespace_of(each) == namespace or (each["host"] not in real and each["host"] not in best):
            best[each["host"]] = each
    yield from best.values()


def target_port(port: Mapping[str, Any]) -> int:
    """Where a port of an entry leads, unless an endpoint says otherwise."""
    return int(port.get("targetPort") or port["number"])


def _item(entry: Object, host: str) -> Object:
    spec = entry.get("spec", {})
    ports = [{**each, "port": each.get("number")} for each in spec.get("ports") or ()]
    return {**entry, "host": host, "spec": {**spec, "ports": ports}}


def _age(entry: Object) -> tuple[str, str, str]:
    return (str(entry.get("metadata", {}).get("creationTimestamp", "")), namespace_of(entry), name_of(entry))
