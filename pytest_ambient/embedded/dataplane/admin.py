"""What an Envoy says at its admin interface, a Unix socket."""

import asyncio
from pathlib import Path
from typing import TypeAlias

import aiohttp

from ..apps.caller import parsed

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""Status, headers by their names in small letters, and body."""


async def ask(socket: Path, name: str, path: str, method: str = "GET") -> Answer:
    """Ask the Envoy of that name for anything; OSError when it does not answer."""
    connector = aiohttp.UnixConnector(path=str(socket))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, auto_decompress=False) as session,
            session.request(method, f"http://envoy{path}") as answer,
        ):
            return answer.status, {key.lower(): value for key, value in answer.headers.items()}, await answer.read()
    except aiohttp.ClientError as error:
        raise OSError(f"the Envoy of {name} does not answer: {error}") from error


async def read(socket: Path, path: str) -> tuple[int, bytes]:
    """Status and body of a page; OSError when there is no whole answer.

    It is read after every change, where a general client would cost several times as much.
    """
    reader, writer = await asyncio.open_unix_connection(str(socket))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n".encode())
        found = parsed(await reader.read(), ended=True)
    finally:
        writer.close()
    if found is None:
        raise OSError(f"no whole answer to GET {path}")
    return found
