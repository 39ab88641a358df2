"""How a pod's own processes reach its ports: such connections stay in the pod, and ztunnel sees none of them.

`-A ISTIO_OUTPUT ! -d 127.0.0.1/32 -o lo -j ACCEPT`, as recorded in captured pods; and localhost is never redirected.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from ..addresses import Addresses
from ..ports import bound
from .announced import From
from .directions import Lead

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True)
class Inside:
    """What stands for a pod's localhost, and for its own address, where nobody but the pod itself calls."""

    address: str
    localhost: str
    itself: str

    @classmethod
    def of(cls, addresses: Addresses, pod: str) -> "Inside":
        """Those of the pod with that address."""
        return cls(pod, *addresses.inside(pod))

    def callers(self, *, local: bool) -> Mapping[str, str]:
        """Where a port is served, with whom its program takes for the caller; a `local` one is localhost's alone."""
        return {self.localhost: LOCALHOST} | ({} if local else {self.itself: self.address})

    def place(self, host: str) -> tuple[str, ...]:
        """Where the pod reaches itself by that name; nowhere by another's."""
        if host in ("localhost", LOCALHOST):
            return (self.localhost,)
        return (self.itself,) if host == self.address else ()

    def leads(self, ports: Iterable[int]) -> Iterator[Lead]:
        """Where its curl is led, given the ports that are open."""
        for name in ("localhost", LOCALHOST, self.address):
            (place,) = self.place(name)
            yield from ((name, str(port), place, str(bound(port))) for port in ports if port != bound(port))
            yield name, "", place, ""


class Local(asyncio.Protocol):
    """Is replaced by what `serve` makes, which takes `caller` for the address at the other end."""

    def __init__(self, serve: Callable[[], asyncio.BaseProtocol], caller: str) -> None:
        self._serve, self._caller = serve, caller

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand over to the program."""
        taken, protocol = cast(asyncio.Transport, transport), cast(asyncio.Protocol, self._serve())
        taken.set_protocol(protocol)
        _, port = taken.get_extra_info("peername") or ("", 0)  # which may have gone already
        protocol.connection_made(cast(asyncio.Transport, From(taken, (self._caller, port))))
