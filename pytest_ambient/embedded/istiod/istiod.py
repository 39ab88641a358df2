"""The control plane at work: watches the objects, tells the data plane what they mean and writes their statuses."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Protocol

from ..api.store import Change, Store, find
from ..faults import Fault
from ..objects import Object, name_of, namespace_of
from .allotment import Allotment
from .conditions import Clock
from .faulty import broken, late
from .faulty_statuses import told
from .keys import Keys
from .misread import Misreader
from .model import Mesh
from .outage import Presence, held
from .service_entries import At
from .snapshot import Sockets, snapshot
from .statuses import Status, statuses
from .validate import guard
from .view import GATEWAY_API, GATEWAY_CONTROLLER, INGRESS_CLASS, MESH_CONTROLLER, SOURCES, WAYPOINT_CLASS, View

SLOW = 60.0
"""Seconds by which policies and routes are late under the fault slow-propagation."""

AGAIN = 1.0
"""Seconds until a configuration that could not be carried out is tried again."""

_CLASSES: Mapping[str, Object] = {
    INGRESS_CLASS: {"controllerName": GATEWAY_CONTROLLER, "description": "The default Istio GatewayClass"},
    WAYPOINT_CLASS: {"controllerName": MESH_CONTROLLER, "description": "The default Istio waypoint GatewayClass"},
}

_log = logging.getLogger(__name__)
_WATCHED = {find(kind, group).key for kind, group in SOURCES.values()}


class Pushed(Protocol):
    """The data plane, as istiod sees it."""

    def push(self, mesh: Mesh) -> Awaitable[None]:
        """Make the proxies do what the mesh says."""


class Istiod:
    """Keeps the data plane and all statuses in step with the store, from `start` to `stop`.

    Objects that the mesh can't carry out are refused by the store as soon as this exists.
    """

    def __init__(
        self,
        store: Store,
        dataplane: Pushed,
        sockets: Sockets,
        *,
        faults: frozenset[Fault] = frozenset(),
        debounce: float = 0.01,
        delay: float | None = None,
        at: At = lambda _: "",
    ) -> None:
        """`debounce` and `delay` (of policies and routes) in seconds; without a delay the faults decide.

        `at` says where the hosts of ServiceEntries are really served.
        """
        self._store, self._dataplane, self._sockets = store, dataplane, sockets
        self._faults, self._debounce, self._at = faults, debounce, at
        self._allotment = Allotment()
        self._delay = (SLOW if Fault.SLOW_PROPAGATION in faults else 0.0) if delay is None else delay
        self._misread = Misreader(faults)
        self._changed = asyncio.Event()
        self._pushed: Mesh | None = None
        self._told = Mesh()
        self._past: list[tuple[float, Mesh]] = []
        self._keys = Keys(self.touch)
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self.presence = Presence(store)
        guard(store, self.presence.check)

    async def start(self) -> None:
        """Make the GatewayClasses and begin to watch."""
        classes = find("GatewayClass", GATEWAY_API)
        for name, spec in _CLASSES.items():
            if self._store.get(classes, name) is None:
                self._store.create(classes, {"metadata": {"name": name}, "spec": dict(spec)})
        self._unsubscribe = self._store.subscribe(self._seen)
        self.touch()
        self._task = asyncio.create_task(self._run(), name="istiod")

    async def stop(self) -> None:
        """Stop watching; the data plane keeps what it was told last."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._keys.stop()

    def touch(self) -> None:
        """Look again soon: something changed that the store does not hold, such as a pod's sockets."""
        self._changed.set()

    def _seen(self, change: Change) -> None:
        if change.resource.key in _WATCHED:
            self.touch()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            await asyncio.sleep(self._debounce)  # changes come in groups
            self._changed.clear()
            try:
                await self._reconcile()
            except Exception:
                _log.exception("istiod could not carry out the present configuration")
                asyncio.get_running_loop().call_later(AGAIN, self.touch)

    async def _reconcile(self) -> None:
        view, away = View.of(self._store), self.presence.away()
        for each in () if away else self._statuses(view):
            resource = find(each.item["kind"], each.item["apiVersion"].rpartition("/")[0])
            self._store.set_status(resource, name_of(each.item), namespace_of(each.item), each.status)
        now = self._keys.filled(snapshot(self._misread(view), self._sockets, self._at))
        if not away:
            self._told = now
        mesh = self._lagging(broken(held(now, self._told) if away else now, self._faults))
        if mesh != self._pushed:
            await self._dataplane.push(mesh)
            self._pushed = mesh

    def _statuses(self, view: View) -> Iterator[Status]:
        """What is to be written now."""
        return told(statuses(view, _clock(), self._allotment.follow(view.entries)), self._faults)

    def _lagging(self, mesh: Mesh) -> Mesh:
        """The mesh with policies and routes of `delay` seconds ago; looks again when newer ones are due."""
        if not self._delay:
            return mesh
        now = time.monotonic()
        if not self._past or self._past[-1][1] != mesh:
            self._past.append((now, mesh))
            asyncio.get_running_loop().call_later(self._delay, self.touch)
        while len(self._past) > 1 and self._past[1][0] <= now - self._delay:
            self._past.pop(0)
        first, earlier = self._past[0]
        return late(mesh, earlier if first <= now - self._delay else Mesh(), self._pushed or Mesh())


def _clock() -> Clock:
    nanoseconds = time.time_ns()
    seconds = datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return Clock(f"{seconds}Z", f"{seconds}.{nanoseconds % 10**9:09d}Z")
