"""The ports of a pod: sockets for the API server and the probes, for the data plane, and for the pod itself."""

import asyncio
import itertools
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..apps.program import CannotStart
from ..ports import announced, bound
from .announced import Announced
from .inside import Inside, Local


class SocketFolder:
    """Where sockets lie in the state folder, whose path must be short."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "sockets"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._numbers = itertools.count(1)

    def fresh(self) -> Path:
        """A path that was never used."""
        return self._folder / str(next(self._numbers))

    def remove(self) -> None:
        """Delete the folder with all that is left in it."""
        shutil.rmtree(self._folder, ignore_errors=True)


class Ports:
    """The ports on which the containers of one pod listen."""

    def __init__(self, folder: SocketFolder, inside: Inside | None = None) -> None:
        self._folder = folder
        self._inside = inside
        self._public: dict[int, Path] = {}
        self._local: dict[int, Path] = {}

    @property
    def public(self) -> Mapping[int, str]:
        """Those that others may reach, with their sockets; callers are announced at the socket beside each."""
        return {port: str(path) for port, path in self._public.items()}

    def socket(self, port: int) -> Path | None:
        """The socket of a port, local ones included."""
        return self._public.get(port) or self._local.get(port)

    def group(self) -> "Listeners":
        """What one container opens and closes together."""
        return Listeners(self)

    async def open(self, port: int, serve: Callable[[], asyncio.BaseProtocol], *, local: bool) -> list[asyncio.Server]:
        """Servers that do not listen yet; CannotStart when another container of the pod has the port."""
        if self.socket(port):
            raise CannotStart(f"listen tcp 0.0.0.0:{port}: bind: address already in use")
        path = self._folder.fresh()
        (self._local if local else self._public)[port] = path
        servers = [await _server(path, serve)]
        if not local:
            servers.append(await _server(_beside(path), lambda: Announced(serve)))
        for place, caller in self._inside.callers(local=local).items() if self._inside else ():
            servers.append(await _here(place, port, partial(Local, serve, caller)))
        return servers

    def close(self, port: int) -> None:
        """Forget a port whose servers were closed."""
        for ports in (self._public, self._local):
            path = ports.pop(port, None)
            if path:
                path.unlink(missing_ok=True)
                _beside(path).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return Path(announced(str(path)))


async def _server(path: Path, serve: Callable[[], asyncio.BaseProtocol]) -> asyncio.Server:
    """One that does not listen yet, for whoever listens has to wait, and may be cancelled then."""
    return await asyncio.get_running_loop().create_unix_server(serve, str(path), backlog=1024, start_serving=False)


async def _here(place: str, port: int, serve: Callable[[], asyncio.BaseProtocol]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(serve, place, bound(port), backlog=1024, start_serving=False)


class Listeners:
    """The listening ports of one container."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._servers: dict[int, list[asyncio.Server]] = {}

    async def listen(self, port: int, serve: Callable[[], asyncio.BaseProtocol]) -> None:
        """Serve a port for all."""
        await self._listen(port, serve, local=False)

    async def listen_locally(self, port: int, serve: Callable[[], asyncio.BaseProtocol]) -> None:
        """Serve a port on the pod's localhost."""
        await self._listen(port, serve, local=True)

    async def _listen(self, port: int, serve: Callable[[], asyncio.BaseProtocol], *, local: bool) -> None:
        # known before they are waited for: a container that is stopped meanwhile closes them
        self._servers[port] = await self._ports.open(port, serve, local=local)
        for server in self._servers[port]:
            await server.start_serving()

    def close(self) -> None:
        """Listen no more."""
        for port, servers in self._servers.items():
            for server in servers:
                server.close()
            self._ports.close(port)
        self._servers.clear()
