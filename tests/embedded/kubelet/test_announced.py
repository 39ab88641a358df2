"""Callers whose address comes before what they say."""

import asyncio
import contextlib
import gc
from pathlib import Path

import pytest

from pytest_ambient.embedded.kubelet.sockets import Listeners, Ports, SocketFolder
from pytest_ambient.embedded.ports import announced

from .bench import announcement

PIECES = (1, 15, 16, 20, 27, 28, 100)


class Told(asyncio.Protocol):
    """Answers the first words with whoever says them."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport.get_extra_info("sockname"), str)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Tell and close."""
        self.transport.write(f"{self.transport.get_extra_info('peername')} {data.decode()}".encode())  # type: ignore[attr-defined]  # a transport both ways
        self.transport.close()


async def asked(path: str, *pieces: bytes) -> bytes:
    """What the program answers to these pieces, nothing where it cuts the connection."""
    reader, writer = await asyncio.open_unix_connection(path)
    answer = b""
    with contextlib.suppress(ConnectionError):
        for each in pieces:
            writer.write(each)
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        answer = await reader.read()
    writer.close()
    return answer


async def opened(folder: Path) -> tuple[Ports, Listeners]:
    """A pod whose program listens on port 80 for all and on 81 for itself."""
    ports = Ports(SocketFolder(folder))
    group = ports.group()
    await group.listen(80, Told)
    await group.listen_locally(81, Told)
    return ports, group


@pytest.mark.parametrize("size", PIECES)
def test_caller_is_known(tmp_path: Path, size: int) -> None:
    """However the address comes in, and with what was said in the same breath."""

    async def scenario() -> None:
        ports, group = await opened(tmp_path)
        whole = announcement("127.9.8.7", 40001) + b"hi"
        pieces = (whole[at : at + size] for at in range(0, len(whole), size))
        answer = await asked(announced(ports.public[80]), *pieces)
        assert answer.startswith(b"('127.9.8.7', 40001) h")
        group.close()

    asyncio.run(scenario())


def test_nobody_is_announced_to_the_pod_itself(tmp_path: Path) -> None:
    """Probes, port-forwarding and the pod's own processes connect as they are; other pods reach public ports alone."""

    async def scenario() -> None:
        ports, group = await opened(tmp_path)
        for port in (80, 81):
            assert await asked(str(ports.socket(port)), b"hi") == b" hi"
        assert list(ports.public) == [80]
        group.close()
        assert (ports.socket(80), ports.socket(81), dict(ports.public)) == (None, None, {})
        assert not list((tmp_path / "sockets").iterdir())

    asyncio.run(scenario())


@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\n\r\n", announcement("1.2.3.4", 5).replace(b"!", b" ")])
def test_who_is_not_announced_is_cut(tmp_path: Path, begun: bytes) -> None:
    """No program is asked by somebody whom nobody knows."""

    async def scenario() -> None:
        ports, group = await opened(tmp_path)
        assert await asked(announced(ports.public[80]), begun) == b""
        group.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("steps", range(5))
def test_a_program_that_is_stopped_while_it_begins_to_listen_leaves_nothing(tmp_path: Path, steps: int) -> None:
    """Whatever there is already is closed with the rest."""

    async def scenario() -> None:
        ports = Ports(SocketFolder(tmp_path))
        group = ports.group()
        listening = asyncio.create_task(group.listen(80, Told))
        for _ in range(steps):
            await asyncio.sleep(0)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        group.close()
        await asyncio.sleep(0)
        assert not list((tmp_path / "sockets").iterdir())
        assert (ports.socket(80), dict(ports.public)) == (None, {})

    asyncio.run(scenario())
    gc.collect()
