"""One container: finds its image, runs its program, and starts it again as the pod's restart policy says."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .. import images
from ..apps.program import CannotStart, Program
from ..faults import Fault
from ..objects import Object, name_of, namespace_of
from . import agent, execution, reach
from .attached import Attached
from .command import Command, Idle, located
from .environment import ConfigError
from .flavours import DISTROLESS
from .health import Health, refuse
from .log import ContainerLog
from .prepare import PodSide, prepare
from .protocol import ExecProcess, ExecRefused
from .state import BackOff, ContainerState

_log = logging.getLogger(__name__)
Kind = Literal["init", "container", "ephemeral"]
_RETRY = 2.0
"""Seconds until a missing ConfigMap or Secret is looked for again."""


@dataclass(frozen=True)
class Ended:
    """How one run of a program ended."""

    code: int
    reason: str
    message: str = ""


class Container:
    """A container of a pod, over all its runs."""

    def __init__(self, pod: PodSide, spec: Object, kind: Kind) -> None:
        self.spec = spec
        self.kind = kind
        self.state = ContainerState(str(spec["name"]), str(spec.get("image", "")))
        self.log = ContainerLog()
        self.previous_log: ContainerLog | None = None
        self.begun = asyncio.Event()
        """Set once it runs for the first time, or has failed to."""
        self._pod = pod
        self._flavour = DISTROLESS
        self._env: Mapping[str, str] = {}
        self._folder = pod.sandbox.home
        self._backoff = BackOff()
        self._program: Program | None = None
        self._command: Command | None = None
        self._code = 0
        """How its last command ended; of an embedded program nobody knows what the image's own would say."""
        self._stopping = False
        self._task = asyncio.create_task(self._run())

    @property
    def over(self) -> bool:
        """Whether it has ended for good."""
        return self._task.done()

    async def finished(self) -> bool:
        """Wait until it has ended for good; whether it ended well."""
        await asyncio.wait([self._task])
        return self.state.succeeded

    async def ready(self) -> None:
        """Wait until it is ready or has ended for good."""
        while not self.state.ready and not self._task.done():
            await asyncio.wait([self._task], timeout=0.02)

    async def stop(self) -> None:
        """End it for good."""
        if not self._stopping:
            self._stopping = True
            self._task.cancel()
        await asyncio.wait([self._task])
        if self.state.running:
            self.state.end(self._code, _reason(self._code))

    def kill(self) -> None:
        """End the command that it runs now, whatever time that was given; an embedded program ends at once anyway."""
        if self._command:
            self._command.kill()

    async def execute(self, argv: Sequence[str], *, stdin: bool, tty: bool) -> ExecProcess:
        """Run a command beside the program; ExecRefused when it can't be."""
        if not self.state.running:
            raise ExecRefused(f'container not found ("{self.state.name}")')
        try:
            placed = located(self._pod.sandbox, self._flavour, argv)
        except CannotStart as error:
            message = f"OCI runtime exec failed: exec failed: {error}: unknown"
            raise ExecRefused(message, 127 if "not found" in str(error) else 126) from error
        env = self._pod.sandbox.environment(self._flavour, self._env)
        admin = self._pod.ports.socket(agent.PORT)
        env |= {agent.ADMIN: str(admin)} if admin else {}
        folder = self._folder
        try:
            return await execution.execute(self._pod.machine.processes, placed, env, folder, stdin=stdin, tty=tty)
        except OSError as error:
            raise ExecRefused(f"OCI runtime exec failed: exec failed: {argv[0]}: {error.strerror}") from error

    def attach(self, *, stdin: bool, tty: bool) -> Attached:
        """Come to its own program, which began with its client when it reads input; ExecRefused when it never ran."""
        if not self.begun.is_set():
            raise ExecRefused(f'container not found ("{self.state.name}")')
        source = self._program.input if stdin and isinstance(self._program, Command) else None
        asked = bool(self.spec.get("stdin") or self.spec.get("tty"))
        return Attached(self.log, source, since=0 if asked else len(self.log.lines), tty=tty)

    async def fetch(self, port: int, path: str, headers: dict[str, str]) -> int:
        """The status of a GET of one of the pod's ports."""
        way = self._pod.address if Fault.PROBES_THROUGH_ZTUNNEL in self._pod.machine.faults else ""
        return await reach.status(self._pod.ports, port, path, headers, through=way)

    def listens(self, port: int) -> bool:
        """Whether the pod serves that port."""
        return self._pod.ports.socket(port) is not None

    async def succeeds(self, argv: list[str], seconds: float) -> bool:
        """Whether a command ends with 0 in time."""
        try:
            process = await self.execute(argv, stdin=False, tty=False)
        except ExecRefused:
            return False
        try:
            while await process.read():
                pass
            return await process.wait() == 0
        finally:
            process.kill()

    async def _run(self) -> None:
        try:
            while (ended := await self._once()) and self._again(ended):
                await self._back_off(ended)
        finally:
            self.log.close()
            self._pod.changed()

    async def _once(self) -> Ended | None:
        """Run the program once; None when there is none to run."""
        listeners = self._pod.ports.group()
        image = self.state.image
        try:
            prepared = prepare(self._pod, self.spec, listeners, self.log.append)
            self._pod.event("Normal", "Pulled", f'Container image "{image}" already present on machine')
            self._pod.event("Normal", "Created", f"Created container: {self.state.name}")
            self._program, self._flavour, self._env = prepared.program, prepared.flavour, prepared.env
            self._folder = prepared.folder
            self._command = prepared.program if isinstance(prepared.program, Command) else None
            await self._program.start()
            return await self._serve(self._program)
        except (images.UnknownImage, images.BadImageName) as error:
            refuse(self.state, error, self._pod.event)
            return None
        except ConfigError as error:
            self.state.wait("CreateContainerConfigError", str(error))
            self._pod.event("Warning", "Failed", f"Error: {error}")
            self._pod.changed()
            await asyncio.sleep(_RETRY)
            return Ended(-1, "CreateContainerConfigError", str(error))
        except CannotStart as error:
            self._pod.event("Warning", "Failed", f"Error: failed to start container: {error}")
            return Ended(128, "StartError", f"failed to start container: {error}")
        except Exception as error:
            _log.exception("container %s of pod %s", self.state.name, name_of(self._pod.object))
            self.log.append(f"{type(error).__name__}: {error}")
            return Ended(1, "Error", str(error))
        finally:
            await self._halt()
            listeners.close()
            self.begun.set()

    async def _serve(self, program: Program) -> Ended:
        self.state.run()
        self.begun.set()
        self._backoff.started()
        self.state.started = "startupProbe" not in self.spec
        self.state.ready = self.state.started and "readinessProbe" not in self.spec
        self._pod.event("Normal", "Started", f"Started container {self.state.name}")
        self._pod.changed()
        health = Health(self, self.state, self._pod.changed, self._pod.event, self._restart)
        watching = asyncio.create_task(health.follow())
        try:
            code = await program.wait()
        finally:
            watching.cancel()
        return Ended(code, _reason(code))

    async def _restart(self, probe: str) -> None:
        self._pod.event("Normal", "Killing", f"Container {self.state.name} failed {probe} probe, will be restarted")
        await self._halt()

    async def _halt(self) -> None:
        program, self._program = self._program, None
        if program:
            await program.stop()
            self._code = await program.wait() if isinstance(program, Command | Idle) else 0

    def _again(self, ended: Ended) -> bool:
        policy = self._pod.object["spec"].get("restartPolicy", "Always")
        if ended.code >= 0:
            self.state.end(ended.code, ended.reason, ended.message)
            self._pod.changed()
        if self._stopping or self.kind == "ephemeral":
            return False
        if self.kind == "init" and self.spec.get("restartPolicy") != "Always":
            return ended.code != 0 and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and ended.code != 0)

    async def _back_off(self, ended: Ended) -> None:
        if ended.code < 0:
            return
        self.state.last, self.previous_log, self.log = self.state.state, self.log, ContainerLog()
        self.previous_log.close()
        seconds = self._backoff.next()
        if seconds:
            pod, name = self._pod.object, self.state.name
            whom = f"container={name} pod={name_of(pod)}_{namespace_of(pod)}({pod['metadata']['uid']})"
            self.state.wait("CrashLoopBackOff", f"back-off {seconds:.0f}s restarting failed {whom}")
            text = f"Back-off restarting failed container {name} in pod {name_of(pod)}_{namespace_of(pod)}"
            self._pod.event("Warning", "BackOff", text)
            self._pod.changed()
            await asyncio.sleep(seconds)
        self.state.restarts += 1


def _reason(code: int) -> str:
    return "Completed" if code == 0 else "Error"
