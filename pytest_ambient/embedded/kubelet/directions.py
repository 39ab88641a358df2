"""Where a pod's curl is led for each of the cluster's names and addresses.

ztunnel takes every connection of a captured pod, and every connection to one, before it knows whether anything listens
there; it then closes what leads nowhere. Without ztunnel the kernel refuses such a connection, as it does when a
Service has no endpoints. Where a node's ztunnel is gone, its captured pods are cut off: names do not resolve in them
(ztunnel answers for DNS), and whoever calls or is called there is refused.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..addresses import Addresses
from ..names import Name
from ..ports import bound

_CLOSING_PORT = 15001
_HBONE_PORT = 15008


@dataclass(frozen=True)
class Neighbour:
    """A pod as others reach it."""

    address: str
    ports: tuple[int, ...]
    captured: bool
    cut_off: bool = False
    """Whether it is captured and its node's ztunnel is gone."""


@dataclass(frozen=True)
class Ends:
    """Addresses at which nobody is at home."""

    closing: str
    """Accepts a connection and closes it."""
    refusing: str
    """Refuses it."""


class DeadEnd:
    """Listens at the closing address for as long as the cluster lives."""

    def __init__(self, addresses: Addresses) -> None:
        self.ends = Ends(*addresses.unused())
        self._listening = socket.create_server((self.ends.closing, _CLOSING_PORT), backlog=1024)
        self._listening.setblocking(False)
        asyncio.get_running_loop().add_reader(self._listening, self._take)

    def close(self) -> None:
        """Listen no more."""
        asyncio.get_running_loop().remove_reader(self._listening)
        self._listening.close()

    def _take(self) -> None:
        with contextlib.suppress(OSError):  # whoever called may have gone meanwhile
            self._listening.accept()[0].close()


_Lead = tuple[str, str, str, str]
"""From host and port (empty: any) to host and port (empty: the same)."""


def curl_names(
    names: Iterable[Name], namespace: str, neighbours: Sequence[Neighbour], ends: Ends, *, captured: bool
) -> list[str]:
    """curl's options for a pod of `namespace`, captured or not; the first that matches counts."""
    exact: list[_Lead] = []
    general: list[_Lead] = []
    names = list(names)
    lost = {each.address for each in neighbours if each.cut_off}
    for name in names:
        address = random.choice(name.addresses)  # noqa: S311 - as DNS would rotate a headless Service's
        served = name.headless or any(each not in lost for each in name.endpoints)
        literal = () if name.headless else (address,)
        for spelling in (*name.spellings(namespace), *literal):
            exact += _to_service(name, spelling, address, ends, captured=captured, served=served)
            if captured and not name.headless:
                general.append(_closed(spelling, ends))
            elif spelling != address:
                general.append((spelling, "", address, ""))
    for each in neighbours:
        if each.cut_off:
            general.append(_closed(each.address, ends) if captured else (each.address, "", ends.refusing, ""))
        elif captured or each.captured:
            ports = (*each.ports, _HBONE_PORT)
            exact += [(each.address, str(port), each.address, str(bound(port))) for port in ports]
            general.append(_closed(each.address, ends))
    low = sorted({port for name in names for port in name.low_ports} | {80})
    last = [("", str(port), "", str(bound(port))) for port in low]
    return [_option(each) for each in (*exact, *general, *last)]


def cut_off(names: Iterable[Name], neighbours: Sequence[Neighbour], ends: Ends) -> list[str]:
    """curl's options for a captured pod whose node's ztunnel is gone."""
    addresses = {address for name in names for address in name.addresses} | {each.address for each in neighbours}
    return [_option((each, "", ends.refusing, "")) for each in sorted(addresses)]


def _to_service(
    name: Name, spelling: str, address: str, ends: Ends, *, captured: bool, served: bool
) -> Iterator[_Lead]:
    if not captured and not served:
        yield from ((spelling, str(port), ends.refusing, str(bound(port))) for port in name.ports)
        return
    ports = name.ports if captured and not name.headless else name.low_ports
    yield from ((spelling, str(port), address, str(bound(port))) for port in ports)


def _closed(host: str, ends: Ends) -> _Lead:
    return host, "", ends.closing, str(_CLOSING_PORT)


def _option(lead: _Lead) -> str:
    return f'connect-to = "{":".join(lead)}"'
