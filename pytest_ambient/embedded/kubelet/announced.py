"""Connections that begin with their caller's address, as the data plane makes them (PROXY protocol, version 2).

A program that asks its transport for the `peername` is told address and port, as with a TCP connection.
"""

import asyncio
import struct
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any, cast

_HEAD = struct.Struct("!12sBBH")
"""Signature, version and command, family, and how many bytes of addresses follow."""
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_ADDRESSES = struct.Struct("!4s4sHH")
_PROXIED, _TCP4 = 0x21, 0x11


class Announced(asyncio.Protocol):
    """Reads who calls, and then is replaced by what `serve` makes."""

    def __init__(self, serve: Callable[[], asyncio.BaseProtocol]) -> None:
        self._serve = serve
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is told before the address has come."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand over to the program once all of the address is there; a connection that begins otherwise is cut."""
        self._begun += data
        if len(self._begun) < _HEAD.size:
            return
        signature, command, family, length = _HEAD.unpack_from(self._begun)
        if (signature, command, family) != (_SIGNATURE, _PROXIED, _TCP4):
            self._transport.abort()
            return
        end = _HEAD.size + length
        if len(self._begun) < end:
            return
        address, _, port, _ = _ADDRESSES.unpack_from(self._begun, _HEAD.size)
        protocol = cast(asyncio.Protocol, self._serve())
        self._transport.set_protocol(protocol)
        protocol.connection_made(cast(asyncio.Transport, From(self._transport, (str(IPv4Address(address)), port))))
        if rest := self._begun[end:]:
            protocol.data_received(rest)


class From:
    """A transport that knows who is at its other end."""

    def __init__(self, transport: asyncio.Transport, peer: tuple[str, int]) -> None:
        self._transport, self._peer = transport, peer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows, and the caller's address."""
        return self._peer if name == "peername" else self._transport.get_extra_info(name, default)
