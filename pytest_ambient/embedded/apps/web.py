"""Programs that answer HTTP: the server below them and the replies they give."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import hdrs, web

from .program import Surroundings

_GRACE = 0.01
"""Seconds that a request under way is given when the program stops."""
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Reply(web.Response):
    """A response with exactly the headers that it is given, beside its length and the date."""

    async def _prepare_headers(self) -> None:
        named = hdrs.SERVER in self.headers
        await super()._prepare_headers()
        if not named:  # otherwise the library names itself, which the real programs do not
            self.headers.pop(hdrs.SERVER, None)


def reply(
    body: str | bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None, *, reason: str | None = None
) -> Reply:
    """A response with these headers."""
    data = body.encode() if isinstance(body, str) else body
    return Reply(body=data, status=status, reason=reason, headers=headers)


class Web:
    """A program that serves HTTP on some ports until it is stopped."""

    longest = 8190
    """How many bytes the request's line, or a header, may have."""

    def __init__(
        self, around: Surroundings, ports: Mapping[int, Handler], *, local: Mapping[int, Handler] | None = None
    ) -> None:
        self.around = around
        self._ports = ports
        self._local = local or {}
        self._servers: list[web.Server] = []
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Listen on every port."""
        for port, handler in self._ports.items():
            await self.around.listen(port, self._serve(handler))
        for port, handler in self._local.items():
            await self.around.listen_locally(port, self._serve(handler))
        ports = ", ".join(map(str, self._ports))
        self.around.log(f"embedded {type(self).__name__.lower()} serves on {ports}")

    async def wait(self) -> int:
        """Wait until it is stopped."""
        await self._stopped.wait()
        return 0

    async def stop(self) -> None:
        """Close every connection."""
        self._stopped.set()
        await asyncio.gather(*(each.shutdown(_GRACE) for each in self._servers))

    def _serve(self, handler: Handler) -> web.Server:
        size = self.longest
        server = web.Server(handler, access_log=None, tcp_keepalive=False, max_line_size=size, max_field_size=size)
        self._servers.append(server)
        return server
