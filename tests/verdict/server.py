"""A server on this machine whose paths misbehave in the ways that curl has an exit code for."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

REVIEWS = '{"id": "0","podname": "reviews-v1-7bbc4c5497-vmgz9","clustername": "null","reviews": []}'
RBAC = "RBAC: access denied"
ENVOY = ("server: istio-envoy",)
PROXIED = (*ENVOY, "x-envoy-upstream-service-time: 3")

ANSWERS: dict[str, tuple[str, tuple[str, ...], bytes]] = {
    "/reviews/0": ("200 OK", ("Content-Type: application/json",), REVIEWS.encode()),
    "/through-waypoint": ("200 OK", PROXIED, REVIEWS.encode()),
    "/login": ("302 FOUND", ("Location: /productpage", "Set-Cookie: session=e30.x; HttpOnly; Path=/"), b"moved"),
    "/application-403": ("403 Forbidden", PROXIED, RBAC.encode()),
    "/application-405": ("405 METHOD NOT ALLOWED", ("Server: gunicorn",), b"<p>not allowed</p>"),
    "/application-503": ("503 Service Unavailable", PROXIED, b""),
    "/waypoint-403": ("403 Forbidden", ENVOY, RBAC.encode()),
    "/waypoint-401": ("401 Unauthorized", ENVOY, b"Jwt verification fails"),
    "/waypoint-503": (
        "503 Service Unavailable",
        ENVOY,
        b"upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    ),
    "/no-healthy-upstream": ("503 Service Unavailable", ENVOY, b"no healthy upstream"),
    "/no-route": ("404 Not Found", ENVOY, b""),
    "/binary": ("200 OK", ('X-Odd: "q" \\b', "X-Odd: second"), bytes(range(256)) + b'\n{"http_code":500}\n'),
    "/nothing": ("200 OK", (), b""),
}


@dataclass(frozen=True)
class Server:
    """Where it listens, a port on which nobody listens, and one on which nobody accepts any more."""

    port: int
    closed: int
    full: int


@contextmanager
def serving() -> Iterator[Server]:
    """A server for the length of the block."""
    with socket.socket() as listener, socket.socket() as closed, _full() as full:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        closed.bind(("127.0.0.1", 0))
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
        yield Server(listener.getsockname()[1], closed.getsockname()[1], full)
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def _full() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops what comes after."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
        for caller in callers:
            caller.close()


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    with connection:
        head = b""
        while b"\r\n\r\n" not in head and (chunk := connection.recv(65536)):
            head += chunk
            if not head[:1].isalpha():
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
        if head:
            _react(connection, head.decode("latin-1"))


def _react(connection: socket.socket, head: str) -> None:
    method, target, _ = head.split("\r\n")[0].split(" ")
    path = target.partition("?")[0]
    if path == "/reset":
        _reset(connection)
    elif path == "/reset-in-body":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        _reset(connection)
    elif path == "/cut-short":
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    elif path == "/silent":
        connection.recv(1)
    elif path == "/echo":
        _answer(connection, method, "200 OK", (), json.dumps({"request": head}).encode())
    elif path in ANSWERS:
        _answer(connection, method, *ANSWERS[path])


def _answer(connection: socket.socket, method: str, status: str, headers: tuple[str, ...], body: bytes) -> None:
    lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "connection: close"]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if method == "HEAD" else body))


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
