"""A small HTTP server of files on this machine: with or without Range, slow, breaking off, or as a proxy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served, how, and what was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    ranges: bool = True
    """Whether `Range` is understood."""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes of its body each next answer breaks off."""
    statuses: list[int] = field(default_factory=list)
    """What the next answers say in place of the file."""
    gate: threading.Event = field(default_factory=threading.Event)
    """Answers end when it is set; it is, at first."""
    asked: list[str] = field(default_factory=list)
    """Path and `Range` of every request."""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request, answered."""
        span = handler.headers.get("Range", "")
        self.asked.append(f"{handler.path} {span}".strip())
        path = "/" + handler.path.split("://", 1)[-1].split("/", 1)[-1] if "://" in handler.path else handler.path
        body = self.files.get(path)
        if self.statuses or body is None:
            handler.send_response(self.statuses.pop(0) if self.statuses else 404)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span and self.ranges else 0
        if start and start >= len(body):
            handler.send_response(416)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.send_header("Content-Length", str(len(body) - start))
        handler.end_headers()
        sent = body[start:][: self.breaks.pop(0)] if self.breaks else body[start:]
        handler.wfile.write(sent)
        handler.wfile.flush()
        self.gate.wait(20)
        handler.close_connection = True


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A server that runs while it is needed."""
    served = FileServer()
    served.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            served.gate.set()
            server.shutdown()
            thread.join()
