"""A machine with pretended docker, kind, k3d and minikube, whose clusters are all one that really answers."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import pretend_tools

TOOLS = ("docker", "k3d", "kind", "minikube")

IMAGE = "example/app:1"
"""The only image that is on the machine."""


@dataclass(frozen=True)
class Machine:
    """Where its programs are, and what they made."""

    folder: Path

    @classmethod
    def of(cls, folder: Path, kubeconfig: str) -> "Machine":
        """A machine in an empty folder; `kubeconfig` has CONTEXT where the name of a context is to be."""
        for name in ("bin", "state"):
            (folder / name).mkdir(parents=True)
        for tool in TOOLS:
            script = folder / "bin" / tool
            program = f"{sys.executable} -I -S {pretend_tools.__file__} {folder / 'state'} {tool}"
            script.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
            script.chmod(0o755)
        machine = cls(folder)
        for name, text in {"kubeconfig": kubeconfig, "images": IMAGE, "imported": "", "calls": ""}.items():
            (machine.state / name).write_text(text)
        machine.behave("well")
        return machine

    @property
    def state(self) -> Path:
        """Where what it made is."""
        return self.folder / "state"

    @property
    def path(self) -> str:
        """A PATH with its programs and the system's own."""
        return os.pathsep.join((str(self.folder / "bin"), "/usr/bin", "/bin"))

    def behave(self, how: str) -> None:
        """Let creations go `well`, `fail` or `hang` after the first container."""
        (self.state / "behaviour").write_text(how)

    def remove(self, *tools: str) -> None:
        """Take programs off the machine."""
        for tool in tools:
            (self.folder / "bin" / tool).unlink()

    def container(self, name: str, *labels: str) -> None:
        """A container of somebody else."""
        (self.state / "containers").mkdir(exist_ok=True)
        (self.state / "containers" / name).write_text("\n".join(labels))

    @property
    def things(self) -> list[str]:
        """All containers, volumes and networks there are."""
        kinds = ("containers", "volumes", "networks")
        return sorted(path.name for kind in kinds for path in (self.state / kind).glob("*"))

    @property
    def imported(self) -> list[str]:
        """The images that were brought to the nodes."""
        return (self.state / "imported").read_text().split()

    @property
    def calls(self) -> list[list[str]]:
        """Every call of a program, in order."""
        return [json.loads(line) for line in (self.state / "calls").read_text().splitlines()]
