"""One pod on its node: gets an address, runs its containers in order, and tells the API how they fare."""

import asyncio
import contextlib
import math

from ..api.store import find, timestamp
from ..apps.caller import Caller
from ..objects import Object, name_of, namespace_of
from .container import Container, Kind
from .inside import Inside
from .machine import Machine
from .programmed import captured, runs_proxy
from .sandbox import Sandbox
from .sockets import Ports
from .state import ContainerState, conditions, phase, quality

_POD = find("Pod")
_UNMOUNTED = ("configMap", "secret", "hostPath", "persistentVolumeClaim", "csi", "nfs", "downwardAPI", "projected")
_GRACE = 30
_OTHERS: dict[str, Kind] = {"initContainerStatuses": "init", "ephemeralContainerStatuses": "ephemeral"}


class Pod:
    """A pod that runs here."""

    def __init__(self, machine: Machine, pod: Object) -> None:
        spec = pod["spec"]
        self.machine = machine
        self.uid = str(pod["metadata"]["uid"])
        self.host = machine.hosts.get(str(spec.get("nodeName", "")), "127.0.0.1")
        self._shares_node = bool(spec.get("hostNetwork"))
        self.address = self.host if self._shares_node else machine.addresses.pods.take()
        namespace = namespace_of(pod)
        alone = self._shares_node or runs_proxy(pod)  # whose ports others serve at its address
        inside = None if alone else Inside.of(machine.addresses, self.address)
        aliases = spec.get("hostAliases") or ()
        hosts = {name.lower(): str(each["ip"]) for each in aliases for name in each.get("hostnames") or ()}
        self.sandbox: Sandbox = machine.sandboxes.create(self.uid, namespace, self.address, inside, hosts)
        self.ports = Ports(machine.sockets, inside)
        self.caller = Caller(
            self.address,
            lambda host: (
                (inside.place(host) if inside else ())
                or ((hosts[host],) if host in hosts else ())
                or machine.names.resolve(host, namespace, captured=captured(self._object))
            ),
        )
        self.containers: list[Container] = []
        self._object = pod
        self._initialized = False
        self._served = False
        self._began = timestamp()
        self._telling: asyncio.Handle | None = None
        self._ending: list[asyncio.Task[None]] = []
        self._replaced: list[Container] = []
        self._stopping = False
        self._patience = math.inf
        self._verdict: Object = {}
        """What has become of the pod as a whole, where that is not for its containers to say."""
        self._limit = self._limited(spec.get("activeDeadlineSeconds"))
        self._task = asyncio.create_task(self._run())

    @property
    def object(self) -> Object:
        """The pod as the API has it."""
        return self._object

    @property
    def grace(self) -> float:
        """Seconds that a command has to end in once it is asked to."""
        given = self._object["spec"].get("terminationGracePeriodSeconds", _GRACE)
        return min(float(self._object["metadata"].get("deletionGracePeriodSeconds", given)), self._patience)

    def hurry(self, seconds: float) -> None:
        """Give what runs no more than so many seconds to end, nor more than the API says by now."""
        self._patience = min(self._patience, seconds)
        if self._stopping:
            asyncio.get_running_loop().call_later(self.grace, self._kill)

    def update(self, pod: Object) -> None:
        """The API's object has changed: start new ephemeral containers, replace those whose image is another one."""
        self._object = pod
        if "deletionTimestamp" in pod["metadata"]:
            return
        known = {each.state.name for each in self.containers}
        for spec in pod["spec"].get("ephemeralContainers") or ():
            if spec["name"] not in known:
                self.containers.append(Container(self, spec, "ephemeral"))
        for index, each in enumerate(self.containers):
            wanted = next((spec for spec in self._specs(each.kind) if spec["name"] == each.state.name), each.spec)
            if wanted.get("image") != each.spec.get("image"):
                self.containers[index] = Container(self, wanted, each.kind)
                self._replaced.append(each)
                self._ending.append(asyncio.create_task(each.stop()))
        self.changed()

    def find(self, name: str) -> Container:
        """The container of that name; LookupError in the API's words when there is none."""
        for each in self.containers:
            if each.state.name == name:
                return each
        raise LookupError(f"container {name} is not valid for pod {name_of(self._object)}")

    def changed(self) -> None:
        """Tell the API soon; several changes are told at once."""
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_soon(self._tell)

    def event(self, kind: str, reason: str, message: str) -> None:
        """Record an event about the pod."""
        self.machine.emit(self._object, kind, reason, message)

    async def stop(self) -> None:
        """End all containers, and free what the pod held."""
        self._stopping = True
        asyncio.get_running_loop().call_later(self.grace, self._kill)
        if self._limit:
            self._limit.cancel()
        for each in self.containers:
            if each.state.running:
                self.event("Normal", "Killing", f"Stopping container {each.state.name}")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await asyncio.gather(*(each.stop() for each in self.containers), *self._ending)
        if self._telling:
            self._telling.cancel()
        self.sandbox.remove()
        if not self._shares_node:
            self.machine.addresses.pods.give_back(self.address)

    def conclude(self) -> None:
        """Tell the API how a stopped pod ended, when a finalizer holds it."""
        if self._object["metadata"].get("finalizers"):
            for each in self.containers:
                each.state.conclude()
            main = self._of("container")
            well = bool(main) and all(each.state.succeeded for each in main)
            self._verdict = {"phase": "Succeeded" if well else "Failed"} | self._verdict
            self._tell()

    def _kill(self) -> None:
        for each in (*self.containers, *self._replaced):
            each.kill()

    async def _run(self) -> None:
        self._warn_of_volumes()
        self.machine.capture(self._object)
        self.changed()
        await self._programmed(frozenset())  # a captured pod's first container may call at once
        if not await self._initialize():
            return
        self._initialized = True
        main = [Container(self, spec, "container") for spec in self._specs("container")]
        self.containers += main
        self.changed()
        await asyncio.gather(*(each.begun.wait() for each in main))
        await self._programmed(frozenset(self.ports.public))
        self._served = True
        self.changed()
        while left := [each for each in self._of("container") if not each.over]:
            await asyncio.gather(*(each.finished() for each in left))
        await asyncio.gather(*(each.stop() for each in self._of("init")))  # those that ran beside them
        self.changed()

    def _limited(self, seconds: int | None) -> asyncio.Handle | None:
        if seconds is None:
            return None
        loop = asyncio.get_running_loop()
        return loop.call_later(seconds, lambda: self._ending.append(loop.create_task(self._expire())))

    async def _expire(self) -> None:
        """Its time is over: end what still runs, unless all has ended by itself."""
        main = self._of("container")
        if main and all(each.over for each in main):
            return
        why = "Pod was active on the node longer than the specified deadline"
        self._verdict = {"phase": "Failed", "reason": "DeadlineExceeded", "message": why}
        self.event("Normal", "DeadlineExceeded", why)
        self._task.cancel()
        await asyncio.gather(*(each.stop() for each in self.containers))
        self.changed()

    async def _programmed(self, ports: frozenset[int]) -> None:
        if not self._shares_node:  # the node's own address is nobody's workload: no proxy serves it
            await self.machine.programmed(lambda: self._object, self.address, ports)

    async def _initialize(self) -> bool:
        for spec in self._specs("init"):
            container = Container(self, spec, "init")
            self.containers.append(container)
            if spec.get("restartPolicy") == "Always":
                await container.ready()
            elif not await container.finished():
                return False
        return True

    def _specs(self, kind: Kind) -> list[Object]:
        word = {"init": "initContainers", "container": "containers", "ephemeral": "ephemeralContainers"}[kind]
        return list(self._object["spec"].get(word) or ())

    def _of(self, kind: Kind) -> list[Container]:
        return [each for each in self.containers if each.kind == kind]

    def _warn_of_volumes(self) -> None:
        """Say what is not there: containers see no mounted file."""
        for each in self._object["spec"].get("volumes") or ():
            kind = next((word for word in _UNMOUNTED if word in each), "")
            if kind and not each[kind].get("optional"):
                text = f"volume {each['name']!r} ({kind}) is not mounted: embedded containers have no volumes"
                self.event("Warning", "VolumeNotMounted", text)

    def _tell(self) -> None:
        self._telling = None
        name, namespace = name_of(self._object), namespace_of(self._object)
        known = self.machine.store.get(_POD, name, namespace)
        if known and known["metadata"]["uid"] == self.uid:  # a pod of that name may be another one by now
            self.machine.store.set_status(_POD, name, namespace, self._status())

    def _status(self) -> Object:
        spec = self._object["spec"]
        main = self._of("container")
        behind, specs = bool(self._specs("init")), self._specs("container")
        states = [each.state for each in main] or [ContainerState.pending(each, behind=behind) for each in specs]
        found = str(self._verdict.get("phase") or phase(str(spec.get("restartPolicy", "Always")), states))
        status: Object = {
            "conditions": conditions(self._object, self._initialized, states, self._served, found),
            "containerStatuses": [each.described() for each in states],
            "hostIP": self.host,
            "hostIPs": [{"ip": self.host}],
            "observedGeneration": self._object["metadata"].get("generation", 1),
            "phase": found,
            "podIP": self.address,
            "podIPs": [{"ip": self.address}],
            "qosClass": quality(spec["containers"]),
            "startTime": self._began,
        }
        for word, kind in _OTHERS.items():
            others = [_described(each) for each in self._of(kind)]
            status |= {word: others} if others else {}
        return status | self._verdict


def _described(container: Container) -> Object:
    """Its status; one that was to prepare the pod and has done so counts as ready."""
    prepared = container.kind == "init" and container.spec.get("restartPolicy") != "Always"
    told = container.state.described()
    return told | ({"ready": True} if prepared and container.state.succeeded else {})
