"""Ports of Services at every node: given out as Services are written, and served by a plain relay to the Service.

Who calls there reaches the Service from the node's address, as behind a real node's address translation: un-meshed.
"""

import asyncio
import contextlib
import random
from collections.abc import Iterator, Mapping

from ..api.errors import Cause, invalid
from ..api.store import Change, Store, find
from ..objects import Object, name_of
from ..ports import bound

_SERVICE, _NODE = find("Service"), find("Node")
_RANGE = range(30000, 32768)
_OPENED = ("NodePort", "LoadBalancer")
_CHUNK = 1 << 16

End = tuple[str, int]


class NodePorts:
    """Completes Services as they are written and serves their ports at the nodes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._served: dict[End, tuple[End, asyncio.Server]] = {}
        self._changed = asyncio.Event()
        self._changed.set()
        store.admit(_SERVICE, self._complete)
        self._unsubscribe = store.subscribe(self._seen)
        self._following = asyncio.create_task(self._follow())

    def stop(self) -> None:
        """Serve nothing more."""
        self._unsubscribe()
        self._following.cancel()
        for _, server in self._served.values():
            server.close()

    def _complete(self, new: Object, old: Object | None) -> None:
        spec, before = new["spec"], _given(old)
        opened = spec.get("type") in _OPENED
        taken = {port for each in self._store.list(_SERVICE) if not _same(each, new) for port in _given(each).values()}
        for position, each in enumerate(spec.get("ports") or ()):
            asked = int(each.get("nodePort") or 0)
            kept = before.get(int(each["port"]))
            if not opened:
                if asked and asked != kept:
                    raise _refused(new, position, "Forbidden: may not be used when `type` is 'ClusterIP'")
                each.pop("nodePort", None)
                continue
            if asked and asked not in _RANGE:
                why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
                raise _refused(new, position, f"Invalid value: {asked}: {why}")
            if asked in taken:
                raise _refused(new, position, f"Invalid value: {asked}: provided port is already allocated")
            each["nodePort"] = asked or kept or random.choice([port for port in _RANGE if port not in taken])  # noqa: S311
            taken.add(each["nodePort"])
        _tell_the_rest(spec, opened=opened)

    def _seen(self, change: Change) -> None:
        if change.resource in (_SERVICE, _NODE):
            self._changed.set()

    async def _follow(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = dict(self._wanted())
            for end in [end for end, (to, _) in self._served.items() if wanted.get(end) != to]:
                self._served.pop(end)[1].close()
            for end, to in wanted.items():
                if end not in self._served:
                    with contextlib.suppress(OSError):  # somebody else's port on this machine
                        self._served[end] = to, await asyncio.start_server(_Relay(end[0], to), *end)

    def _wanted(self) -> Iterator[tuple[End, End]]:
        nodes = [
            str(each["address"])
            for node in self._store.list(_NODE)
            for each in node.get("status", {}).get("addresses") or ()
            if each.get("type") == "InternalIP"
        ]
        for service in self._store.list(_SERVICE):
            for port, given in _given(service).items():
                for node in nodes:
                    yield (node, given), (str(service["spec"]["clusterIP"]), bound(port))


class _Relay:
    """Passes a connection on from the node's address."""

    def __init__(self, node: str, to: End) -> None:
        self._node, self._to = node, to

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner, outer = await asyncio.open_connection(*self._to, local_addr=(self._node, 0))
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copied(reader, outer), _copied(inner, writer), return_exceptions=True)
        outer.close()
        writer.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


def _tell_the_rest(spec: Object, *, opened: bool) -> None:
    """The fields that only Services with ports at nodes have."""
    own: Object = {"externalTrafficPolicy": "Cluster"} if opened else {}
    own |= {"allocateLoadBalancerNodePorts": True} if spec.get("type") == "LoadBalancer" else {}
    for each in ("externalTrafficPolicy", "allocateLoadBalancerNodePorts"):
        if each in own:
            spec.setdefault(each, own[each])
        else:
            spec.pop(each, None)


def _given(service: Object | None) -> Mapping[int, int]:
    """The ports at nodes by the Service's ports."""
    ports = ((service or {}).get("spec") or {}).get("ports") or ()
    return {int(each["port"]): int(each["nodePort"]) for each in ports if each.get("nodePort")}


def _same(one: Object, other: Object) -> bool:
    names = ("name", "namespace")
    return all(one["metadata"].get(each) == other["metadata"].get(each) for each in names)


def _refused(service: Object, position: int, why: str) -> Exception:
    return invalid(_SERVICE, name_of(service), [Cause(f"spec.ports[{position}].nodePort", why)])
