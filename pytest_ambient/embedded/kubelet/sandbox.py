"""The surroundings of a pod's commands: its folder, its PATH, and the file that makes curl speak from its address."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from ..addresses import Addresses
from ..api.store import Change, Store, find
from ..entries import GROUP
from ..istiod.model import ROOT_NAMESPACE
from ..names import Name, Names
from ..objects import Object
from .directions import DeadEnd, Neighbour, aliases, curl_names, cut_off, option
from .flavours import Flavour, Folders
from .inside import Inside
from .programmed import captured as is_captured

_FOLLOWED = {("Service", ""), ("Endpoints", ""), ("Namespace", ""), ("Pod", ""), ("ServiceEntry", GROUP)}
_PLAIN, _CAPTURED, _CUT_OFF, _WAITING = "plain", "captured", "cut", "waiting"
_ZTUNNEL = "ztunnel"
_NOBODY: Mapping[str, str] = {}
_LATE = 0.05
"""Seconds by which the files of names are late at most, for commands that run already."""

Sockets = Callable[[str], Mapping[int, str]]
"""The ports of the pod with that uid."""


class Sandbox:
    """The folder of one pod and what its commands find in their environment."""

    def __init__(self, folder: Path, folders: Folders, curlrc: Path, settle: Callable[[], None]) -> None:
        """`settle` sees to it that the files of names are of now."""
        self.folder = folder
        self._folders = folders
        self._curlrc = curlrc
        self._settle = settle

    def environment(self, flavour: Flavour, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command that starts: the container's variables, and what keeps it inside the cluster."""
        self._settle()
        return {
            "HOME": str(self.folder / "home"),
            **variables,
            "PATH": str(self._folders.bin(flavour)),
            "TMPDIR": str(self.folder / "tmp"),
            "RES_OPTIONS": "attempts:1 timeout:1",
            "AMBIENT_CURLRC": str(self._curlrc),
        }

    def executable(self, flavour: Flavour, name: str) -> Path | None:
        """Where the flavour has that program, None when it has none of that name."""
        found = self._folders.bin(flavour) / name
        return found if name and "/" not in name and found.exists() else None

    @property
    def home(self) -> Path:
        """Where its commands start."""
        return self.folder / "home"

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Sandboxes:
    """Makes the pods' folders and keeps what they know of the cluster's names up to date."""

    def __init__(
        self,
        root: Path,
        store: Store,
        addresses: Addresses,
        tell: Callable[[str, str, int], None] = lambda *_: None,
        waits: Callable[[str], bool] = lambda _: False,
        *,
        mixed_up: bool = False,
    ) -> None:
        """`tell` hears of callers, the `ADDRESS:PORT` of a Service's port that is none, and how many bytes came.

        `waits` says of which addresses of captured pods no ztunnel has been told.
        Under the fault `names-mixed-up` only pods that are not captured know the names of ServiceEntries.
        """
        self._mixed_up = mixed_up
        self._root = root
        self._store = store
        self._names = Names(store, addresses.hosts)
        self._dead_end = DeadEnd(addresses, tell)
        self._waits = waits
        self._waiting: set[str] = set()
        """The addresses of pods that were seen to wait."""
        self._sockets: Sockets = lambda _: {}
        self._pods: dict[str, tuple[str, str, Inside | None, Mapping[str, str]]] = {}
        """By uid: namespace, address, how it reaches itself, and its own names for addresses."""
        wrapper = resources.files(__package__).joinpath("curl.sh").read_text()
        self._folders = Folders(root / "images", wrapper)
        self._namespaces: set[str] = set()
        self._texts: dict[Path, str] = {}
        """What each file of options holds."""
        self._written: object = None
        """What the files of names were made from."""
        self._stale: asyncio.TimerHandle | None = None
        self._unsubscribe = store.subscribe(self._seen)
        (root / "names").mkdir(parents=True, exist_ok=True)

    def create(
        self, uid: str, namespace: str, address: str, inside: Inside | None = None, hosts: Mapping[str, str] = _NOBODY
    ) -> Sandbox:
        """The folder of a pod that has just got its address; without `inside` it reaches itself as others do.

        `hosts` are its own names for addresses.
        """
        folder = self._root / "pods" / uid
        for part in ("home", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self._pods[uid] = namespace, address, inside, hosts
        if namespace not in self._namespaces:
            self._namespaces.add(namespace)
            self._write_names()
        self._write_own(uid, _PLAIN)
        return Sandbox(folder, self._folders, folder / "curlrc", self._settle)

    def follow(self, sockets: Sockets) -> None:
        """Know from now on which ports of pods are open."""
        self._sockets = sockets

    def close(self) -> None:
        """Stop following the cluster's names."""
        self._unsubscribe()
        self._dead_end.close()
        if self._stale:
            self._stale.cancel()

    def _seen(self, change: Change) -> None:
        if (change.resource.kind, change.resource.group) in _FOLLOWED and self._stale is None:
            self._stale = asyncio.get_running_loop().call_later(_LATE, self._refresh)

    def _settle(self) -> None:
        """A command that starts must find what is known now; one that runs hears of changes in groups."""
        if self._stale:
            self._stale.cancel()
        if self._stale or self._waiting != self._untold():
            self._refresh()

    def _refresh(self) -> None:
        self._stale = None
        self._names.keep()
        self._write_names()

    def _untold(self) -> set[str]:
        return {address for _, address, _, _ in self._pods.values() if self._waits(address)}

    def _write_names(self) -> None:
        self._waiting = self._untold()
        namespaces = sorted(self._namespaces)
        if not namespaces:
            return
        pods, served = self._store.list(find("Pod")), self._nodes()
        found = {str(pod["metadata"]["uid"]): self._neighbour(pod, served) for pod in pods}
        names, neighbours = self._names.all(), [each for each in found.values() if each]
        hosts = self._names.hosts(namespaces)
        served_here = [*names, *(host for found in hosts.values() for host in found)]
        self._dead_end.serve(each.addresses[0] for each in served_here if not each.headless)
        mine = {uid: _way(found[uid]) for uid in self._pods.keys() & found.keys()}
        used = {(self._pods[uid][0], way) for uid, way in mine.items()}
        ways = sorted(used | {(each, _PLAIN) for each in namespaces})
        rotating = any(each.headless and len(each.addresses) > 1 for each in names)
        if rotating or self._written != (names, hosts, neighbours, ways):
            self._written = names, hosts, neighbours, ways
            for each, way in ways:
                self._replace(self._file(each, way), self._lines(each, way, names, hosts[each], neighbours))
        for uid, way in mine.items():
            self._write_own(uid, way)

    def _lines(
        self, namespace: str, way: str, names: list[Name], hosts: list[Name], neighbours: list[Neighbour]
    ) -> list[str]:
        ends, captured = self._dead_end.ends, way in (_CAPTURED, _WAITING)
        if way == _CUT_OFF:
            return cut_off(names, neighbours, ends)
        known = [*hosts, *names] if captured is not self._mixed_up else names
        return curl_names(known, namespace, neighbours, ends, captured=captured, named=way != _WAITING)

    def _nodes(self) -> set[str] | None:
        """The nodes whose ztunnel is ready; None where there is none to wait for."""
        if self._store.get(find("DaemonSet", "apps"), _ZTUNNEL, ROOT_NAMESPACE) is None:
            return None
        pods = self._store.list(find("Pod"), ROOT_NAMESPACE, {"app": _ZTUNNEL})
        return {str(pod["spec"].get("nodeName")) for pod in pods if _ready(pod)}

    def _neighbour(self, pod: Object, served: set[str] | None) -> Neighbour | None:
        address = pod.get("status", {}).get("podIP")
        if not address or pod["spec"].get("hostNetwork"):
            return None
        ports, captured = tuple(sorted(self._sockets(str(pod["metadata"]["uid"])))), is_captured(pod)
        cut = captured and served is not None and pod["spec"].get("nodeName") not in served
        return Neighbour(str(address), ports, captured, cut, str(address) in self._waiting)

    def _write_own(self, uid: str, way: str) -> None:
        namespace, address, inside, hosts = self._pods[uid]
        file = self._root / "pods" / uid / "curlrc"
        if not file.parent.exists():
            del self._pods[uid]
            self._texts.pop(file, None)
            return
        names = f'config = "{self._file(namespace, way)}"'
        itself = [(each, "", address, "") for each in ("localhost", "127.0.0.1")]
        own = [option(each) for each in (inside.leads(self._sockets(uid)) if inside else itself)]
        shared = self._texts.get(self._file(namespace, way), "") if hosts else ""
        named = aliases(hosts, [*own, *shared.splitlines()])
        # no other name exists: asking a resolver that nobody runs fails at once, whatever the machine's own one does
        # `host!`: curl need not look whether an interface of the machine has that name, at each connection
        # that of a ztunnel that waits to be told of the pod never answers
        resolver = self._dead_end.ends.silent if way == _WAITING else "127.0.0.1:1"
        bound_to = [f'interface = "host!{address}"', f'doh-url = "https://{resolver}/"']
        self._replace(file, [*bound_to, *own, *named, names])

    def _file(self, namespace: str, way: str) -> Path:
        return self._root / "names" / f"{namespace}.{way}.curlrc"

    def _replace(self, file: Path, lines: list[str]) -> None:
        """Write by renaming, so that a curl that is starting reads the old or the new text, never a half."""
        text = "".join(f"{line}\n" for line in lines)
        if self._texts.get(file) == text:
            return
        fresh = file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(file)
        self._texts[file] = text


def _way(itself: Neighbour | None) -> str:
    if itself is None or not itself.captured:
        return _PLAIN
    return _CUT_OFF if itself.cut_off else _WAITING if itself.waits else _CAPTURED


def _ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    there = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return there and "deletionTimestamp" not in pod["metadata"]
