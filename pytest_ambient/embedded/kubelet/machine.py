"""What the kubelet works with: one value that is handed down to every pod and container."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..addresses import Addresses
from ..api.store import Store
from ..apps.program import MeshPlane
from ..faults import Fault
from ..names import Names
from ..objects import Object
from ..process import Processes
from .sandbox import Sandboxes
from .sockets import SocketFolder

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
    programmed: Callable[[Callable[[], Object], str, frozenset[int]], Awaitable[None]]
    """Returns when the data plane serves the pod at that address, with those ports."""
    faults: frozenset[Fault] = frozenset()
    last_node: str = ""
    hosts: dict[str, str] = field(default_factory=dict)
    """The nodes' addresses by name."""
