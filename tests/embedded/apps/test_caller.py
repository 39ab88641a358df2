"""One program's call to another: from its address, by name, whole or not at all."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from pytest_ambient.embedded.apps.caller import Caller, Unanswered, parsed


@pytest.mark.parametrize(
    ("data", "ended", "found"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", False, (200, b"hi")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", False, None),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", True, None),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", False, (404, b"")),
        (b"HTTP/1.1 200 OK\r\nContent-Le", True, None),
        (b"HTTP/1.1 200 OK\r\n\r\nhi", False, None),
        (b"HTTP/1.1 200 OK\r\n\r\nhi", True, (200, b"hi")),
        (
            b"HTTP/1.1 503 \r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1;x=y\r\n!\r\n0\r\n\r\n",
            False,
            (503, b"hi!"),
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", False, None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", False, None),
        (b"", True, None),
    ],
)
def test_parsed(data: bytes, ended: bool, found: tuple[int, bytes] | None) -> None:
    """A response counts once it is whole, by its length, its chunks or its end."""
    assert parsed(data, ended=ended) == found


def served(answer: bytes, check: Callable[[str], asyncio.Future[None] | None], *, pause: float = 0) -> list[str]:
    """Ask a server that gives that answer, from 127.0.0.9; returns what it saw of the caller."""
    seen: list[str] = []

    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(writer.get_extra_info("peername")[0])
            seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await asyncio.sleep(pause)
            writer.write(answer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            done.set()

        done = asyncio.Event()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        waiting = check(f"http://web:{port}/x")
        if waiting:
            await waiting
        await done.wait()
        server.close()

    asyncio.run(scenario())
    return seen


def test_call() -> None:
    """The call comes from the pod's address, with the given headers, and asks for one answer only."""

    def check(url: str) -> asyncio.Future[None]:
        async def ask() -> None:
            caller = Caller("127.0.0.9", lambda host: ("127.0.0.1",) if host == "web" else ())
            assert await caller.get(url, {"end-user": "normal"}, 5) == (200, b"ok")

        return asyncio.ensure_future(ask())

    seen = served(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", check)
    assert seen[0] == "127.0.0.9"
    assert seen[1].startswith("GET /x HTTP/1.1\r\nHost: web:")
    assert "\r\nend-user: normal\r\n" in seen[1]
    assert "\r\nConnection: close\r\n" in seen[1]


@pytest.mark.parametrize(("answer", "pause"), [(b"", 0), (b"HTTP/1.1 200 OK\r\n", 0), (b"", 0.3)])
def test_no_answer(answer: bytes, pause: float) -> None:
    """A closed connection, half an answer and silence are no answer."""

    def check(url: str) -> asyncio.Future[None]:
        async def ask() -> None:
            with pytest.raises(Unanswered):
                await Caller("127.0.0.9", lambda _: ("127.0.0.1",)).get(url, {}, 0.1)

        return asyncio.ensure_future(ask())

    served(answer, check, pause=pause)


@pytest.mark.parametrize("url", ["http://nosuch:9080/", "http://127.0.0.1:1/"])
def test_nobody_there(url: str) -> None:
    """An unknown name and a closed port are no answer."""

    async def scenario() -> None:
        with pytest.raises(Unanswered):
            await Caller("127.0.0.9", lambda _: ()).get(url, {}, 1)

    asyncio.run(scenario())
