"""Reaches a pod's ports from the node's side, past the data plane."""

import asyncio
import re
from collections.abc import Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector

from ..ports import bound
from .protocol import PodUnreachable
from .sockets import Ports

_SECONDS = 60.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


async def fetch(
    ports: Ports,
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    through: str = "",
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request; PodUnreachable when nothing answers.

    Under the fault probes-through-ztunnel, and to a proxy's own ports, it goes `through` the pod's address, to which
    the data plane listens.
    """
    socket = ports.socket(port)
    if socket is None and not through:
        raise PodUnreachable(f"dial tcp: connect to port {port}: connection refused")
    place = f"http://{through}:{bound(port)}" if through else f"http://localhost:{port}"
    connector = None if through else UnixConnector(str(socket))
    try:
        async with (
            ClientSession(connector=connector, auto_decompress=False) as client,
            client.request(
                method, f"{place}{path}", headers=headers, data=body or None, allow_redirects=False,
                timeout=ClientTimeout(total=_SECONDS),
            ) as answer,
        ):  # fmt: skip
            return answer.status, dict(answer.headers), await answer.read()
    except (ClientError, OSError, TimeoutError) as error:
        raise PodUnreachable(f"port {port}: {error}") from error


async def status(ports: Ports, port: int, path: str, headers: Mapping[str, str], *, through: str = "") -> int:
    """The status of a GET as kubelet's probes send it; PodUnreachable when nothing answers. `through` as above.

    Probes never end, and a general client costs many times as much as this.
    """
    reader, writer = await dial(ports, port, through=through, past=not through)
    try:
        named = {"Host": f"localhost:{port}", "User-Agent": "kube-probe", "Connection": "close"} | dict(headers)
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        found = _STATUS.match(await reader.readline())
    except OSError as error:
        raise PodUnreachable(f"port {port}: {error}") from error
    finally:
        writer.close()
    if found is None:
        raise PodUnreachable(f"port {port}: closed without an answer")
    return int(found[1])


async def dial(
    ports: Ports, port: int, *, through: str = "", past: bool = True
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the port, else to that of the proxy at the address `through`; PodUnreachable without any.

    Not `past` the data plane, it is to that address in any case.
    """
    socket = ports.socket(port) if past else None
    refused = PodUnreachable(f"dial tcp: connect to port {port}: connection refused")
    if socket is None and not through:
        raise refused
    try:
        if socket is None:
            return await asyncio.open_connection(through, bound(port))
        return await asyncio.open_unix_connection(str(socket))
    except ConnectionRefusedError as error:
        raise refused from error
    except OSError as error:
        raise PodUnreachable(f"port {port}: {error}") from error
