"""Programs side by side on this machine's loopback, without pods."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import ClientSession

from pytest_ambient.embedded.apps.caller import Caller
from pytest_ambient.embedded.apps.program import Maker, MeshPlane, Program, Surroundings
from pytest_ambient.embedded.apps.reviews import Reviews
from pytest_ambient.embedded.faults import Fault

from ..kubelet.bench import Plane

NO_RATINGS = {"RATINGS_HOSTNAME": "127.0.0.1", "RATINGS_SERVICE_PORT": "1"}
V1, V2, V3 = (partial(Reviews, color=color) for color in ("", "black", "red"))
"""The three versions of reviews."""


@dataclass
class Answer:
    """One response: status, reason, headers as they came, body."""

    status: int
    reason: str
    headers: dict[str, str]
    text: str


class Street:
    """Starts programs; later ones find Bookinfo's earlier ones by their variables."""

    def __init__(self, stack: AsyncExitStack, client: ClientSession) -> None:
        self._stack = stack
        self._client = client
        self.env: dict[str, str] = {}
        self.ports: dict[int, int] = {}
        self.programs: dict[str, Program] = {}

    async def open(
        self,
        name: str,
        maker: Maker,
        env: Mapping[str, str] | None = None,
        *,
        args: Sequence[str] = (),
        faults: frozenset[Fault] = frozenset(),
    ) -> None:
        """Start a program as the pod `NAME-pod`."""

        async def listen(port: int, serve: Callable[[], asyncio.BaseProtocol]) -> None:
            server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
            self.ports[port] = real = server.sockets[0].getsockname()[1]
            self.env |= {f"{name.upper()}_HOSTNAME": "127.0.0.1", f"{name.upper()}_SERVICE_PORT": str(real)}
            self._stack.callback(server.close)

        plane: MeshPlane = Plane()
        pod = {"metadata": {"name": f"{name}-pod", "namespace": "bookinfo"}, "spec": {"nodeName": "n"}}
        variables = {"HOSTNAME": f"{name}-pod", **self.env, **(env or {})}
        around = Surroundings(
            pod, name, "127.0.0.1", variables, list(args), print, listen, listen,
            Caller("127.0.0.1", lambda _: ()), plane, faults,
        )  # fmt: skip
        program = self.programs[name] = maker(around)
        await program.start()
        self._stack.push_async_callback(program.stop)

    async def ask(self, name: str, path: str, method: str = "GET", **more: Any) -> Answer:
        """Ask a program."""
        url = f"http://127.0.0.1:{self.env[f'{name.upper()}_SERVICE_PORT']}{path}"
        async with self._client.request(method, url, allow_redirects=False, **more) as answer:
            return Answer(answer.status, answer.reason or "", dict(answer.headers), await answer.text())

    async def close(self, name: str) -> None:
        """Stop a program; its port refuses from now on."""
        await self.programs[name].stop()
        self.env[f"{name.upper()}_SERVICE_PORT"] = "1"


def walk(scenario: Callable[[Street], Awaitable[None]]) -> None:
    """Play a scenario on an empty street."""

    async def whole() -> None:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(ClientSession())
            await scenario(Street(stack, client))

    asyncio.run(asyncio.wait_for(whole(), 20))
