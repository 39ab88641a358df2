"""How a program calls another: one GET on a fresh connection from its pod's address.

A general client costs several times as much as the rest of such a call, and a split takes thousands of them.
"""

import asyncio
import random
import socket
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from ..ports import bound

_BIND_LATE = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)
"""Let the kernel choose the local port when the peer is known: there are many more pairs than ports."""


class Unanswered(Exception):
    """Nobody gave a whole answer in time."""


class _Answer(asyncio.Protocol):
    def __init__(self, request: bytes, done: "asyncio.Future[tuple[int, bytes]]") -> None:
        self._request = request
        self._done = done
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._data += data
        self._settle(ended=False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(ended=True)
        if not self._done.done():
            self._done.set_exception(Unanswered("the connection was closed without a whole answer"))

    def _settle(self, *, ended: bool) -> None:
        found = None if self._done.done() else parsed(self._data, ended=ended)
        if found:
            self._done.set_result(found)


class Caller:
    """Calls from one pod's address, by the names that are known in its namespace."""

    def __init__(self, address: str, resolve: Callable[[str], tuple[str, ...]]) -> None:
        self._address = address
        self._resolve = resolve

    async def get(self, url: str, headers: Mapping[str, str], seconds: float) -> tuple[int, bytes]:
        """Status and body of the answer; Unanswered when there is none in time."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        found = self._resolve(host) or ((host,) if _literal(host) else ())
        if not found:
            raise Unanswered(f"{host}: Name or service not known")
        lines = [f"GET {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close", "Accept: */*"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(random.choice(found), bound(port), request)  # noqa: S311 - as DNS would
        except (OSError, TimeoutError) as error:
            raise Unanswered(f"{host}:{port}: {error}") from error

    async def _ask(self, address: str, port: int, request: bytes) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[int, bytes]] = loop.create_future()
        connection = socket.socket()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_IP, _BIND_LATE, 1)
            connection.bind((self._address, 0))
            await loop.sock_connect(connection, (address, port))
            transport, _ = await loop.create_connection(lambda: _Answer(request, done), sock=connection)
        except BaseException:
            connection.close()
            raise
        try:
            return await done
        finally:
            transport.close()


def parsed(data: bytes, *, ended: bool) -> tuple[int, bytes] | None:
    """Status and body of a response, None while it is not whole."""
    head, gap, body = data.partition(b"\r\n\r\n")
    if not gap:
        return None
    first, *lines = head.split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    status = int(first.split(None, 2)[1])
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        whole = _unchunked(body)
        return None if whole is None else (status, whole)
    if b"content-length" in fields:
        length = int(fields[b"content-length"])
        return (status, body[:length]) if len(body) >= length else None
    return (status, body) if ended else None


def _unchunked(body: bytes) -> bytes | None:
    pieces: list[bytes] = []
    while True:
        size, gap, body = body.partition(b"\r\n")
        if not gap:
            return None
        length = int(size.split(b";")[0], 16)
        if length == 0:
            return b"".join(pieces) if body.endswith(b"\r\n") else None
        if len(body) < length + 2:
            return None
        pieces.append(body[:length])
        body = body[length + 2 :]


def _literal(host: str) -> bool:
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True
