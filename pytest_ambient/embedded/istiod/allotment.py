"""The addresses that hosts of ServiceEntries get, of 240.240.0.0/16 and 2001:2::/48, as Istio's allocator does it."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network

from ..entries import allotted, is_address, wants_addresses
from ..objects import Object
from .view import age_of, key_of, spec_of

IPV4, IPV6 = IPv4Network("240.240.0.0/16"), IPv6Network("2001:2::/48")


class Allotment:
    """Remembers what is taken; what was given away is not given again while the cluster lives."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._next = [1, 1]

    def follow(self, entries: Iterable[Object]) -> dict[str, list[Object]]:
        """What `status.addresses` should be, by the entry's key; entries whose addresses are right are left out.

        Where two have one address the older keeps it, unless its user gave it to one of them.
        """
        ordered = sorted(entries, key=age_of)
        for each in ordered:
            self._take(each, (str(one) for one in spec_of(each).get("addresses") or ()))
        wanted = {}
        for each in ordered:
            mine = self._take(each, (str(one["value"]) for one in allotted(each)))
            found = list(self._addresses(each, mine)) if wants_addresses(each) else []
            if found != allotted(each):
                wanted[key_of(each)] = found
        return wanted

    def _take(self, entry: Object, found: Iterable[str]) -> frozenset[str]:
        """Those of the addresses that are its own from now on."""
        key = key_of(entry)
        known = [each for each in found if is_address(each)]
        return frozenset(each for each in known if self._owners.setdefault(each, key) == key)

    def _addresses(self, entry: Object, mine: frozenset[str]) -> Iterator[Object]:
        present = allotted(entry)
        kept = all(each["value"] in mine for each in present)  # a conflict gives all its hosts new ones
        for host in dict.fromkeys(str(each) for each in spec_of(entry).get("hosts") or ()):
            old = [each for each in present if each.get("host") == host] if kept else []
            yield from old or ({"host": host, "value": each} for each in self._fresh(key_of(entry)))

    def _fresh(self, key: str) -> Iterator[str]:
        blocks: tuple[IPv4Network | IPv6Network, ...] = (IPV4, IPV6)
        for index, block in enumerate(blocks):
            while True:
                address = str(block[self._next[index]])
                self._next[index] = self._next[index] % (block.num_addresses - 1) + 1
                if address not in self._owners:
                    self._owners[address] = key
                    yield address
                    break
