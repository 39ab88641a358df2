"""An API server in a thread of the test process, with a fake kubelet and the real kubectl beside it."""

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pytest_ambient.embedded.api import kubeconfig, pki
from pytest_ambient.embedded.api.server import ApiServer
from pytest_ambient.embedded.api.store import Resource, Store, find
from pytest_ambient.embedded.faults import Fault
from pytest_ambient.embedded.objects import Object

from .fake_kubelet import FakeKubelet

T = TypeVar("T")
KUBECTL = shutil.which("kubectl")


class World:
    """A served store; `call` runs a function in the server's thread."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop, faults: frozenset[Fault]) -> None:
        self.store = Store()
        self.kubelet = FakeKubelet()
        self.folder = folder
        self.kubeconfig = folder / "config"
        self._loop = loop
        self._credentials = pki.create(folder / "pki")
        self.warnings: dict[str, list[str]] = {}
        """What to warn of when an object of that name is written."""
        self.server = ApiServer(self.store, self.kubelet, self._credentials, faults=faults, warn=self._warn)
        self.url = ""

    def _warn(self, item: Object) -> list[str]:
        return self.warnings.get(item["metadata"]["name"], [])

    async def start(self) -> None:
        """Serve, with the namespaces default and kube-system."""
        self.url = await self.server.start()
        kubeconfig.write(self.kubeconfig, name="test", url=self.url, credentials=self._credentials)
        for name in ("default", "kube-system"):
            self.store.create(find("Namespace"), {"metadata": {"name": name}})
        self.store.create(find("ServiceAccount"), {"metadata": {"name": "default", "namespace": "default"}})

    def call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """What the function returns, run where the store lives."""

        async def run() -> T:
            return function(*arguments, **named)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def get(self, kind: str, name: str, group: str = "", namespace: str = "default") -> Object:
        """An object that must exist."""
        found = self.call(self.store.get, self.resource(kind, group), name, namespace)
        assert found is not None
        return found

    def resource(self, kind: str, group: str = "") -> Resource:
        """A kind that is served now."""
        found = self.store.registry.of(group, kind)
        assert found is not None
        return found

    def start_kubectl(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A kubectl that runs on."""
        assert KUBECTL is not None
        environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)}
        environment |= env or {}
        return subprocess.Popen(
            [KUBECTL, *words], env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def kubectl(self, *words: str, stdin: str = "", code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """What kubectl prints; it must end with `code` (its complaint is returned too when that is not 0)."""
        with self.start_kubectl(*words, env=env) as process:
            output, complaint = process.communicate(stdin, timeout=30)
        assert process.returncode == code, f"{output}\n{complaint}"
        return output + complaint if code else output

    def complaint(self, *words: str, stdin: str = "") -> str:
        """What kubectl says on its standard error; it must succeed."""
        with self.start_kubectl(*words) as process:
            _, complaint = process.communicate(stdin, timeout=30)
        assert process.returncode == 0, complaint
        return complaint


@contextmanager
def running(folder: Path, faults: frozenset[Fault] = frozenset()) -> Iterator[World]:
    """A world that is served until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    world = World(folder, loop, faults)
    asyncio.run_coroutine_threadsafe(world.start(), loop).result(20)
    try:
        yield world
    finally:
        asyncio.run_coroutine_threadsafe(world.server.stop(), loop).result(20)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def deployment(name: str = "web", *, image: str = "curlimages/curl:8.1", replicas: int = 2, **more: Any) -> Object:
    """A Deployment with one container, `main`."""
    labels = {"app": name}
    container = {"name": "main", "image": image} | more
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def pod(name: str, *containers: str, **labels: str) -> Object:
    """A pod on node `n1`."""
    listed = [{"name": each, "image": "curlimages/curl:8.1"} for each in containers or ("main",)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": {"nodeName": "n1", "containers": listed},
    }


def job(name: str) -> Object:
    """A Job of one pod."""
    spec = {"containers": [{"name": "main", "image": "curlimages/curl:8.1"}], "restartPolicy": "Never"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": {"spec": spec}},
    }


def running_status(*containers: str) -> Object:
    """The status of a pod whose containers run and are ready."""
    states = [
        {"name": each, "ready": True, "restartCount": 0, "image": "curl", "imageID": "curl", "started": True,
         "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
        for each in containers or ("main",)
    ]  # fmt: skip
    conditions = [
        {"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    return {"phase": "Running", "podIP": "127.64.1.2", "conditions": conditions, "containerStatuses": states}
