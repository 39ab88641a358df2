"""Where a pod's curl is led for each of the cluster's names and addresses.

ztunnel takes every connection of a captured pod, and every connection to one, before it knows whether anything listens
there; it then closes what leads nowhere. Without ztunnel the kernel refuses such a connection, as it does when a
Service has no endpoints. Where a node's ztunnel is gone, its captured pods are cut off: names do not resolve in them
(ztunnel answers for DNS), and whoever calls or is called there is refused.
"""

import asyncio
import contextlib
import random
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..addresses import Addresses
from ..names import Name
from ..ports import bound

_CLOSING_PORT, _SILENT_PORT = 15001, 15053
_HBONE_PORT = 15008
_HOST = re.compile(rb"^host: *[^\s:]+(?::(\d+))?\r$", re.IGNORECASE | re.MULTILINE)
_REQUEST, _PATIENCE = 4096, 0.2
"""Bytes and seconds in which a request says what it is about."""


@dataclass(frozen=True)
class Neighbour:
    """A pod as others reach it."""

    address: str
    ports: tuple[int, ...]
    captured: bool
    cut_off: bool = False
    """Whether it is captured and its node's ztunnel is gone."""
    waits: bool = False
    """Whether it is captured and ztunnel waits to be told of it."""


@dataclass(frozen=True)
class Ends:
    """Addresses at which nobody is at home."""

    closing: str
    """Accepts a connection and closes it."""
    refusing: str
    """Refuses it."""

    @property
    def silent(self) -> str:
        """The address and port of a server that never says a word."""
        return f"{self.closing}:{_SILENT_PORT}"


class DeadEnd:
    """Takes connections that lead nowhere, and closes them, for as long as the cluster lives.

    It is at the closing address, and at each Service's for the ports that the Service does not have; of a connection to
    one of those it tells who called what, with how many bytes, as far as the request says it: curl was led to another
    port than it asked for.
    """

    def __init__(self, addresses: Addresses, tell: Callable[[str, str, int], None]) -> None:
        self.ends = Ends(*addresses.unused())
        self._tell = tell
        self._silent = socket.create_server((self.ends.closing, _SILENT_PORT), backlog=1024)
        self._listening: dict[str, socket.socket] = {}
        self._taken: set[asyncio.Task[None]] = set()
        self.serve(())

    def serve(self, services: Iterable[str]) -> None:
        """Listen at the closing address and those of these Services, and nowhere else."""
        wanted = {self.ends.closing, *services}
        for address in self._listening.keys() - wanted:
            self._leave(address)
        for address in wanted - self._listening.keys():
            listening = socket.create_server((address, _CLOSING_PORT), backlog=1024)
            listening.setblocking(False)
            self._listening[address] = listening
            asyncio.get_running_loop().add_reader(listening, self._take, address)

    def close(self) -> None:
        """Listen no more."""
        self._silent.close()
        for address in list(self._listening):
            self._leave(address)
        for task in self._taken:
            task.cancel()

    def _leave(self, address: str) -> None:
        listening = self._listening.pop(address)
        asyncio.get_running_loop().remove_reader(listening)
        listening.close()

    def _take(self, address: str) -> None:
        with contextlib.suppress(OSError):  # whoever called may have gone meanwhile
            taken, (host, port) = self._listening[address].accept()
            if address == self.ends.closing:
                taken.close()
                return
            task = asyncio.create_task(self._heard(taken, f"{host}:{port}", address))
            self._taken.add(task)
            task.add_done_callback(self._taken.discard)

    async def _heard(self, taken: socket.socket, source: str, address: str) -> None:
        with taken, contextlib.suppress(OSError, TimeoutError):
            taken.setblocking(False)
            asked = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(taken, _REQUEST), _PATIENCE)
            if named := _HOST.search(asked):
                self._tell(source, f"{address}:{(named[1] or b'80').decode()}", len(asked))


Lead = tuple[str, str, str, str]
"""From host and port (empty: any) to host and port (empty: the same)."""


def curl_names(
    names: Iterable[Name],
    namespace: str,
    neighbours: Sequence[Neighbour],
    ends: Ends,
    *,
    captured: bool,
    named: bool = True,
) -> list[str]:
    """curl's options for a pod of `namespace`, captured or not; the first that matches counts.

    One that is not `named` gets none for names: its resolver has yet to answer.
    """
    exact: list[Lead] = []
    general: list[Lead] = []
    names = list(names)
    lost = {each.address for each in neighbours if each.cut_off}
    near = {each.address: each for each in neighbours}
    for name in names:
        address = random.choice(name.addresses)  # noqa: S311 - as DNS would rotate a headless Service's
        served = name.headless or any(each not in lost for each in name.endpoints)
        for spelling in (*(name.spellings(namespace) if named else ()), *name.literals):
            if captured and name.headless and address in near:  # the pod itself is called, at whatever port it has
                ports = (*near[address].ports, _HBONE_PORT)
                exact += [(spelling, str(port), address, str(bound(port))) for port in ports]
                general.append(_closed(spelling, ends))
                continue
            exact += _to_service(name, spelling, address, ends, captured=captured, served=served)
            if captured and not name.headless:
                general.append((spelling, "", address, str(_CLOSING_PORT)))
            elif spelling != address:
                general.append((spelling, "", address, ""))
    for each in neighbours:
        if each.cut_off:
            general.append(_closed(each.address, ends) if captured else (each.address, "", ends.refusing, ""))
        elif captured or each.captured:
            ports = (*each.ports, _HBONE_PORT)
            exact += [(each.address, str(port), each.address, str(bound(port))) for port in ports]
            waiting = each.address, "", each.address, str(_HBONE_PORT)
            general.append(waiting if each.waits else _closed(each.address, ends))
    low = sorted({port for name in names for port in name.low_ports} | {80})
    last = [("", str(port), "", str(bound(port))) for port in low]
    return [option(each) for each in (*exact, *general, *last)]


def cut_off(names: Iterable[Name], neighbours: Sequence[Neighbour], ends: Ends) -> list[str]:
    """curl's options for a captured pod whose node's ztunnel is gone."""
    addresses = {address for name in names for address in name.addresses} | {each.address for each in neighbours}
    return [option((each, "", ends.refusing, "")) for each in sorted(addresses)]


def _to_service(name: Name, spelling: str, address: str, ends: Ends, *, captured: bool, served: bool) -> Iterator[Lead]:
    if not captured and not served:
        yield from ((spelling, str(port), ends.refusing, str(bound(port))) for port in name.ports)
        return
    ports = name.ports if captured and not name.headless else name.low_ports
    yield from ((spelling, str(port), address, str(bound(port))) for port in ports)


def _closed(host: str, ends: Ends) -> Lead:
    return host, "", ends.closing, str(_CLOSING_PORT)


def option(lead: Lead) -> str:
    """curl's option that leads there."""
    return f'connect-to = "{":".join(lead)}"'


def aliases(given: Mapping[str, str], known: Iterable[str]) -> Iterator[str]:
    """curl's options for a pod's own names of addresses: a name leads where its address does by the `known` ones."""
    leads = [line.partition('"')[2].rstrip('"').split(":") for line in known]
    for name, address in given.items():
        for host, port, there, at in leads:
            if host in ("", address):
                yield option((name, port, there or address, at))
        yield option((name, "", address, ""))
