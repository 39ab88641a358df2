"""All controllers of the cluster, started and stopped together."""

from collections.abc import Callable, Mapping

from ..addresses import Addresses
from ..api.store import Store
from ..faults import Fault
from ..objects import Object
from . import admission
from .capture import Capture
from .daemonsets import DaemonSets
from .deployments import Deployments
from .events import Recorder
from .gateways import Gateways
from .jobs import Jobs
from .mirroring import MirroredEndpoints
from .namespaces import Namespaces
from .node_ports import NodePorts
from .replicasets import ReplicaSets
from .scheduler import Scheduler
from .services import EndpointLists, VirtualAddresses
from .statefulsets import StatefulSets


class Controllers:
    """The cluster's control loops; they run from construction until `stop`."""

    def __init__(
        self,
        store: Store,
        addresses: Addresses,
        *,
        certificates: Mapping[str, Mapping[str, str]],
        proxy_image: str,
        faults: frozenset[Fault] = frozenset(),
        away: Callable[[], bool] = lambda: False,
    ) -> None:
        """`certificates`: data of the ConfigMaps that every namespace gets, by their name; `away`: no istiod."""
        admission.install(store)
        self._virtual = VirtualAddresses(store, addresses)
        self._node_ports = NodePorts(store)
        self._capture = Capture(store, faults)
        self._kubelet_events = Recorder(store, "kubelet")
        self._all = (
            Namespaces(store, certificates),
            Scheduler(store),
            ReplicaSets(store),
            Deployments(store),
            DaemonSets(store),
            StatefulSets(store),
            Jobs(store),
            EndpointLists(store),
            MirroredEndpoints(store),
            Gateways(store, proxy_image, away),
            self._capture,
        )

    def capture(self, pod: Object) -> None:
        """Hand a pod that starts to ztunnel, when it is to be captured."""
        self._capture.capture(pod)

    def emit(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Record an event in the kubelet's name."""
        self._kubelet_events.emit(about, kind, reason, message)

    def stop(self) -> None:
        """Control nothing more."""
        for each in self._all:
            each.stop()
        self._virtual.stop()
        self._node_ports.stop()
