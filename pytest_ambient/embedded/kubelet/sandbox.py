"""The surroundings of a pod's commands: its folder, its PATH, and the file that makes curl speak from its address."""

import asyncio
import random
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from ..api.store import Change, Store
from ..names import Name, Names
from ..ports import bound
from .flavours import Flavour, Folders

_NAMED = {"Service", "Endpoints", "Namespace"}


class Sandbox:
    """The folder of one pod and what its commands find in their environment."""

    def __init__(self, folder: Path, folders: Folders, curlrc: Path) -> None:
        self.folder = folder
        self._folders = folders
        self._curlrc = curlrc

    def environment(self, flavour: Flavour, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command: the container's variables, and what keeps it inside the cluster."""
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

    def __init__(self, root: Path, store: Store) -> None:
        self._root = root
        self._names = Names(store)
        wrapper = resources.files(__package__).joinpath("curl.sh").read_text()
        self._folders = Folders(root / "images", wrapper)
        self._namespaces: set[str] = set()
        self._stale: asyncio.Handle | None = None
        self._unsubscribe = store.subscribe(self._seen)

    def create(self, uid: str, namespace: str, address: str) -> Sandbox:
        """The folder of a pod that has just got its address."""
        folder = self._root / "pods" / uid
        for part in ("home", "tmp"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if namespace not in self._namespaces:
            self._namespaces.add(namespace)
            self._write_names([namespace])
        itself = [f'connect-to = "{each}::{address}:"' for each in ("localhost", "127.0.0.1")]
        # no other name exists: asking a resolver that nobody runs fails at once, whatever the machine's own one does
        lines = [f'interface = "{address}"', 'doh-url = "https://127.0.0.1:1/"', f'config = "{self._file(namespace)}"']
        _replace(folder / "curlrc", [*lines, *itself])
        return Sandbox(folder, self._folders, folder / "curlrc")

    def close(self) -> None:
        """Stop following the cluster's names."""
        self._unsubscribe()
        if self._stale:
            self._stale.cancel()

    def _seen(self, change: Change) -> None:
        if change.resource.group == "" and change.resource.kind in _NAMED and self._stale is None:
            self._stale = asyncio.get_running_loop().call_soon(self._refresh)

    def _refresh(self) -> None:
        self._stale = None
        self._write_names(sorted(self._namespaces))

    def _write_names(self, namespaces: list[str]) -> None:
        names = self._names.all() if namespaces else []
        for each in namespaces:
            _replace(self._file(each), curl_names(names, each))

    def _file(self, namespace: str) -> Path:
        folder = self._root / "names"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{namespace}.curlrc"


def curl_names(names: list[Name], namespace: str) -> list[str]:
    """curl's options for the cluster's names, as a pod of `namespace` knows them; the first that matches counts."""
    exact, general = [], []
    for name in names:
        address = random.choice(name.addresses)  # noqa: S311 - as DNS would rotate a headless Service's
        for spelling in name.spellings(namespace):
            exact += [f'connect-to = "{spelling}:{port}:{address}:{bound(port)}"' for port in name.low_ports]
            general.append(f'connect-to = "{spelling}::{address}:"')
    low = sorted({port for name in names for port in name.low_ports} | {80})
    return [*exact, *general, *(f'connect-to = ":{port}::{bound(port)}"' for port in low)]


def _replace(file: Path, lines: list[str]) -> None:
    """Write by renaming, so that a curl that is starting reads the old or the new text, never a half."""
    text = "".join(f"{line}\n" for line in lines)
    if file.exists() and file.read_text() == text:
        return
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)
