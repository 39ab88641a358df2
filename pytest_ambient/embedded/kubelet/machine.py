"""What the kubelet works with: one value that is handed down to every pod and container."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..addresses import Addresses
from ..api.store import Store
from ..apps.program import MeshPlane
from ..faults import Fault
from ..names import Names
from ..objects import Object
from ..process import Processes
from .programmed import programmed as by_the_data_plane
from .sandbox import Sandboxes
from .sockets import SocketFolder

Programmed = Callable[[Callable[[], Object], str, frozenset[int]], Awaitable[None]]
Emit = Callable[[Object, str, str, str], None]
"""Records an event: about whom, `Normal` or `Warning`, reason, message."""


@dataclass(frozen=True)
class Machine:
    """The surroundings of all pods."""

    store: Store
    processes: Processes
    addresses: Addresses
    sandboxes: Sandboxes
    sockets: SocketFolder
    names: Names
    mesh: MeshPlane
    emit: Emit
    capture: Callable[[Object], None]
    """Hands a pod that starts to ztunnel, when it is to be captured."""
    programmed: Programmed
    """Returns when the data plane serves the pod at that address, with those ports."""
    faults: frozenset[Fault] = frozenset()
    hosts: Mapping[str, str] = field(default_factory=dict)
    """The nodes' addresses by name."""

    @property
    def last_node(self) -> str:
        """The node at which faults of one node strike."""
        return list(self.hosts)[-1] if self.hosts else ""

    @classmethod
    def of(
        cls,
        store: Store,
        state: Path,
        processes: Processes,
        addresses: Addresses,
        mesh: MeshPlane,
        *,
        hosts: Mapping[str, str],
        emit: Emit,
        capture: Callable[[Object], None],
        programmed: Programmed | None = None,
        faults: frozenset[Fault] = frozenset(),
    ) -> "Machine":
        """The surroundings of a cluster whose state lies in that folder."""
        mixed_up = Fault.NAMES_MIXED_UP in faults
        sandboxes = Sandboxes(state, store, addresses, mesh.no_upstream, mesh.waits, mixed_up=mixed_up)
        sockets = SocketFolder(state)
        names = Names(store, addresses.hosts)
        served = programmed or partial(by_the_data_plane, serves=mesh.serves)
        return cls(
            store, processes, addresses, sandboxes, sockets, names, mesh, emit, capture, served, faults, hosts
        )  # fmt: skip

    def close(self) -> None:
        """Free what lies outside the state folder."""
        self.sandboxes.close()
        self.sockets.remove()
