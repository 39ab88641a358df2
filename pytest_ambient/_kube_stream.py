"""WebSockets to pods, with deadlines: how one is opened, and port-forwards."""

import io
import json
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, Protocol, cast
from urllib.parse import urlencode, urlsplit

from pytest_ambient.errors import ExecFailed, Forbidden, KubeError, NotFound, ServerGone

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


class Socket(Protocol):
    """What is used of a WebSocket."""

    @property
    def subprotocol(self) -> str | None:
        """What the server chose."""

    def settimeout(self, timeout: float, /) -> None:
        """Seconds that one receive may take."""

    def recv_data(self) -> tuple[int, bytes]:
        """The next message or close frame, with its opcode."""

    def send_binary(self, payload: bytes, /) -> int:
        """Sends one message."""

    def shutdown(self) -> None:
        """Lets go at once."""


@dataclass(frozen=True)
class Dialer:
    """How to open a WebSocket to one API server with one user's credentials."""

    host: str
    context: ssl.SSLContext | None
    server_name: str | None
    headers: Callable[[], Mapping[str, str]]
    proxy: str | None = None
    _sessions: "deque[ssl.SSLSession]" = field(default_factory=lambda: deque(maxlen=1), compare=False, repr=False)
    """The last TLS session: the next connection goes on with it, which spares both ends most of a handshake."""

    def dial(self, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str], deadline: float) -> Socket:
        """An open WebSocket; raises ServerGone, Forbidden, NotFound or ExecFailed."""
        import websocket

        url = self.host.replace("http", "ws", 1) + path + "?" + urlencode(query)
        options: dict[str, object] = {"context": self.context} if self.context else {}
        if self.server_name:
            options["server_hostname"] = self.server_name
        made = cast(Any, websocket.WebSocket(sslopt=options, skip_utf8_validation=True))
        headers = [f"{name}: {value}" for name, value in self.headers().items()]
        try:
            way = self._proxied() if self.proxy else {"socket": self._connected(deadline)}
            made.connect(
                url, timeout=left(deadline), header=headers, subprotocols=list(protocols), suppress_origin=True, **way
            )
        except websocket.WebSocketBadStatusException as error:
            made.shutdown()
            raise refused(error.status_code, error.resp_body, path) from error
        except (OSError, websocket.WebSocketException) as error:
            made.shutdown()
            raise ServerGone(f"no answer from the API server at {self.host}: {error}") from error
        if session := getattr(made.sock, "session", None):
            self._sessions.append(session)
        return cast(Socket, made)

    def _proxied(self) -> dict[str, object]:
        proxy = urlsplit(self.proxy or "")
        kind = proxy.scheme or "http"
        return {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port, "proxy_type": kind}

    def _connected(self, deadline: float) -> socket.socket:
        """A connection of our own making: websocket-client would look for a proxy in the environment by itself."""
        url = urlsplit(self.host)
        port = url.port or (443 if self.context else 80)
        plain = socket.create_connection((url.hostname or "", port), timeout=left(deadline))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            name = self.server_name or url.hostname
            session = next(iter(self._sessions), None)
            return self.context.wrap_socket(plain, server_hostname=name, session=session) if self.context else plain
        except OSError:
            plain.close()
            raise


def left(deadline: float) -> float:
    """Seconds until the deadline, never quite 0 (which would mean no time-out at all)."""
    return max(deadline - time.monotonic(), 0.001)


def refused(status: int, body: bytes | str | None, path: str) -> KubeError:
    """The error for a WebSocket that the API server did not open."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        text = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        text = text.strip() or f"HTTP {status}"
    kinds: Mapping[int, type[KubeError]] = {401: Forbidden, 403: Forbidden, 404: NotFound}
    return kinds.get(status, ExecFailed)(f"{path.rpartition('/')[2]} refused: {text}")


def exchange(dialer: Dialer, path: str, port: int, request: bytes, timeout: float) -> bytes:
    """Sends bytes to a pod's port through a port-forward and gives all that comes back; raises KubeError."""
    import websocket

    deadline = time.monotonic() + timeout
    wire = dialer.dial(path, [("ports", str(port))], (V4,), deadline)
    answer: dict[int, bytearray] = {0: bytearray(), 1: bytearray()}
    opened: set[int] = set()  # the first frame of each channel only repeats the port's number
    try:
        wire.send_binary(bytes([0]) + request)
        while True:
            wire.settimeout(left(deadline))
            opcode, data = wire.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            if not data or data[0] not in answer:
                continue
            if data[0] in opened:
                answer[data[0]] += data[1:]
                if complete(answer[0]) or (data[0] == 1 and not answer[0]):
                    break
            opened.add(data[0])
    except (OSError, websocket.WebSocketException) as error:
        if not answer[0]:
            raise KubeError(f"port-forward to port {port} broke: {error}") from error
    finally:
        wire.shutdown()
    if answer[1] and not answer[0]:
        raise KubeError(f"port-forward to port {port} failed: {answer[1].decode(errors='replace').strip()}")
    return bytes(answer[0])


def complete(answer: bytearray) -> bool:
    """Whether an HTTP answer has come whole, when it says its own length."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[:end]).lower()
    if b"transfer-encoding: chunked" in head:
        return answer.endswith(b"\r\n0\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head)
    return length is not None and len(answer) - end - 4 >= int(length[1])


def fetch(dialer: Dialer, where: str, port: int, path: str, timeout: float) -> tuple[int, str]:
    """Status and body of a GET on a pod's port; `where` is the path of its port-forward."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
    answer = HTTPResponse(cast(Any, _Received(exchange(dialer, where, port, request.encode(), timeout))))
    try:
        answer.begin()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        raise KubeError(f"port {port} gave no HTTP answer to GET {path}: {error!r}") from error


class _Received:
    """Bytes that have come, in the shape in which HTTPResponse takes them."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._answer)


def tls(cfg: Any) -> ssl.SSLContext | None:
    """The TLS settings of a client configuration; None for plain HTTP."""
    if not str(cfg.host).startswith("https"):
        return None
    context = ssl.create_default_context(cafile=cfg.ssl_ca_cert)
    if getattr(cfg, "ca_cert_data", None):
        context.load_verify_locations(cadata=cfg.ca_cert_data)
    if not cfg.verify_ssl or cfg.assert_hostname is False:
        context.check_hostname = False
    if not cfg.verify_ssl:
        context.verify_mode = ssl.CERT_NONE
    if cfg.cert_file:
        context.load_cert_chain(cfg.cert_file, cfg.key_file)
    return context
