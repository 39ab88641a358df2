"""Connections to an API server over TLS: a later one goes on with the session of an earlier one."""

import base64
import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pytest_ambient._kube_stream import V5, Dialer
from pytest_ambient.embedded.api import pki

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server adds to a WebSocket's key before it hashes it (RFC 6455)."""


class Server:
    """Opens every WebSocket and notes whether its connection went on with a session, and who called."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.reused: list[bool | None] = []
        self.callers: list[object] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self.listening.accept()
            except OSError:
                return
            with closing(plain), self.context.wrap_socket(plain, server_side=True) as secured:
                asked = secured.recv(65536)
                self.reused.append(secured.session_reused)
                self.callers.append(dict(secured.getpeercert() or {}).get("subject"))
                secured.sendall(opened(asked))
                secured.recv(65536)


def opened(asked: bytes) -> bytes:
    """The answer that opens the WebSocket that is asked for."""
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", asked)
    assert key is not None
    accepted = base64.b64encode(hashlib.sha1(key[1] + MAGIC, usedforsecurity=False).digest()).decode()
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}Sec-WebSocket-Accept: {accepted}\r\nSec-WebSocket-Protocol: {V5}\r\n\r\n".encode()


@pytest.fixture
def credentials(tmp_path: Path) -> pki.Credentials:
    """A new authority with what server and caller show."""
    made = pki.create(tmp_path)
    (tmp_path / "client.crt").write_bytes(made.client_certificate)
    (tmp_path / "client.key").write_bytes(made.client_key)
    return made


@pytest.fixture
def server(credentials: pki.Credentials) -> Iterator[Server]:
    """A server with these credentials."""
    made = Server(credentials.server_context())
    yield made
    made.listening.close()


def dialer(server: Server, folder: Path) -> Dialer:
    """Whoever calls it with the administrator's certificate."""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "client.crt", folder / "client.key")
    return Dialer(f"https://127.0.0.1:{server.port}", context, None, dict)


def dial(one: Dialer) -> None:
    """A WebSocket, opened and let go."""
    one.dial("/exec", [], (V5,), time.monotonic() + 10).shutdown()


def test_the_second_connection_goes_on_with_the_first_ones_session(
    server: Server, credentials: pki.Credentials
) -> None:
    """It spares both ends most of a handshake; the server still knows who calls."""
    one = dialer(server, credentials.folder)
    for _ in range(3):
        dial(one)
    assert server.reused == [False, True, True]
    assert server.callers[0]
    assert server.callers == [server.callers[0]] * 3


def test_a_server_that_forgot_the_session(server: Server, credentials: pki.Credentials) -> None:
    """A restarted server, or another one behind the same address, is greeted anew."""
    one = dialer(server, credentials.folder)
    dial(one)
    server.context = credentials.server_context()
    dial(one)
    assert server.reused == [False, False]
