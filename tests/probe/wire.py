"""The embedded API on the wire, in a thread of its own, with pods whose commands run on this machine."""

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_ambient._kube import Kube
from pytest_ambient.embedded.api import kubeconfig, pki
from pytest_ambient.embedded.api.server import ApiServer
from pytest_ambient.embedded.api.store import Store
from pytest_ambient.embedded.faults import Fault
from tests.embedded.api.fake_kubelet import FakeKubelet

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "namespace": "shop", "labels": {"app": "a"}},
    "spec": {"containers": [{"name": "main", "image": "curl"}], "nodeName": "n"},
}


class Wire:
    """A running API server; `close` ends it."""

    def __init__(self, folder: Path, *faults: Fault) -> None:
        self.kubelet = FakeKubelet()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        credentials = pki.create(folder)

        async def started() -> tuple[ApiServer, str]:
            server = ApiServer(Store(), self.kubelet, credentials, faults=frozenset(faults))
            return server, await server.start()

        self.server, self.url = asyncio.run_coroutine_threadsafe(started(), self._loop).result(10)
        self.path = folder / "kubeconfig"
        kubeconfig.write(self.path, name="wire", url=self.url, credentials=credentials)
        self.kube = Kube(self.path, "wire")

    def stop(self) -> None:
        """Answer nobody any more."""
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result(10)

    def close(self) -> None:
        """End it, connections included."""
        self.kube.close()
        self.stop()

        async def drained() -> None:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            await asyncio.sleep(0.05)

        asyncio.run_coroutine_threadsafe(drained(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextmanager
def shop(folder: Path) -> Iterator[Wire]:
    """An API server with a namespace `shop` and in it a pod that runs."""
    made = Wire(folder)
    made.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    made.kube.apply(POD)
    made.kube.patch("v1/Pod", "a", "shop", {"status": {"phase": "Running"}}, subresource="status")
    yield made
    made.close()


@contextmanager
def page(body: object) -> Iterator[int]:
    """An HTTP server on a port of this machine that answers every GET with this JSON."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = json.dumps(body).encode()
            self.send_response(200 if self.path == "/config_dump" else 404)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
