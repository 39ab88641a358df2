"""Makes a container's program ready to start: image, variables, command."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .. import images
from ..apps.caller import Caller
from ..apps.program import Program, Surroundings
from ..objects import Object
from .command import Command, located, sleeping
from .environment import expand, variables
from .flavours import Flavour
from .machine import Machine
from .sandbox import Sandbox
from .sockets import Listeners, Ports


class PodSide(Protocol):
    """What a container needs of its pod."""

    machine: Machine
    address: str
    host: str
    sandbox: Sandbox
    ports: Ports
    caller: Caller

    @property
    def object(self) -> Object:
        """The pod as the API has it."""

    @property
    def grace(self) -> float:
        """Seconds that a command has to end in once it is asked to."""
        ...

    def changed(self) -> None:
        """A container's state is another one."""

    def event(self, kind: str, reason: str, message: str) -> None:
        """Record an event about the pod."""


@dataclass(frozen=True)
class Prepared:
    """A program that can be started, and the surroundings that commands beside it share."""

    program: Program
    flavour: Flavour
    env: Mapping[str, str]
    folder: Path
    """Where they start."""


def prepare(pod: PodSide, spec: Object, listeners: Listeners, log: Callable[[str], None]) -> Prepared:
    """The program of a container.

    UnknownImage, BadImageName, ConfigError (a variable's source is missing) or CannotStart say what is wrong.
    """
    machine = pod.machine
    image = images.find(str(spec.get("image", "")))
    env = variables(machine.store, pod.object, spec, pod.address, pod.host)
    words = [[expand(str(each), env) for each in spec.get(part) or ()] for part in ("command", "args")]
    maker, argv = image.invocation(*words)
    folder = _folder(pod, spec)
    _warn_of_hooks(pod, spec)
    if maker:
        around = Surroundings(
            pod.object, str(spec["name"]), pod.address, env, argv, log, listeners.listen, listeners.listen_locally,
            pod.caller, machine.mesh, machine.faults, machine.last_node,
        )  # fmt: skip
        return Prepared(maker(around), image.flavour, env, folder)
    placed = located(pod.sandbox, image.flavour, argv)
    if idle := sleeping(argv):
        return Prepared(idle, image.flavour, env, folder)
    _warn_of_user(pod, spec)
    surroundings = pod.sandbox.environment(image.flavour, env)
    program = Command(
        machine.processes, placed, surroundings, log, folder=folder,
        grace=lambda: pod.grace, stdin=bool(spec.get("stdin")),
    )  # fmt: skip
    return Prepared(program, image.flavour, env, folder)


def _warn_of_hooks(pod: PodSide, spec: Object) -> None:
    for hook in ("postStart", "preStop"):
        if (spec.get("lifecycle") or {}).get(hook):
            told = f"{hook} of container {spec['name']} is not run"
            pod.event("Warning", "HookNotRun", f"{told}: embedded containers have no hooks")


def _warn_of_user(pod: PodSide, spec: Object) -> None:
    asked = (pod.object["spec"].get("securityContext") or {}) | (spec.get("securityContext") or {})
    user, here = asked.get("runAsUser"), os.geteuid()
    unheeded = f"runAsUser {user}" if user not in (None, here) else ""
    if asked.get("runAsNonRoot") and here == 0:
        unheeded = unheeded or "runAsNonRoot"
    if unheeded:
        told = f"{unheeded} of container {spec['name']} is not heeded"
        pod.event("Warning", "UserNotTaken", f"{told}: commands run as user {here} of this machine")


def _folder(pod: PodSide, spec: Object) -> Path:
    wanted = spec.get("workingDir")
    if wanted == "/tmp":  # noqa: S108 - the pod's own, in its folder
        return pod.sandbox.folder / "tmp"
    if wanted:
        told = f"workingDir {wanted!r} of container {spec['name']} is not there"
        pod.event("Warning", "NoWorkingDir", f"{told}: its commands start in a folder of the pod")
    return pod.sandbox.home
