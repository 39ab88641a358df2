"""Reading an Envoy's admin pages."""

import asyncio
from pathlib import Path

import pytest

from pytest_ambient.embedded.dataplane import admin


def _read(folder: Path, answer: bytes) -> tuple[int, bytes]:
    """What is read where somebody gives that answer and hangs up."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def served() -> tuple[int, bytes]:
        async with await asyncio.start_unix_server(hang_up, str(folder / "admin")):
            return await admin.read(folder / "admin", "/ready")

    return asyncio.run(served())


def test_a_page_in_pieces(tmp_path: Path) -> None:
    """Envoy sends its pages in chunks of their own lengths."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    assert _read(tmp_path, head + b"3\r\nLIV\r\n2\r\nE\n\r\n0\r\n\r\n") == (200, b"LIVE\n")


def test_half_a_page(tmp_path: Path) -> None:
    """An answer that ends too early is none."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with pytest.raises(OSError, match="no whole answer to GET /ready"):
        _read(tmp_path, head + b"3\r\nLIV\r\n")


def test_nobody_there(tmp_path: Path) -> None:
    """An Envoy that has not started yet has no socket."""
    with pytest.raises(FileNotFoundError):
        asyncio.run(admin.read(tmp_path / "admin", "/ready"))
