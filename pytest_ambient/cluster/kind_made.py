"""How a kind cluster is made: with which program and container runtime, written beside it, and run with these again."""

import json
import os
import re
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient._run import Ran, run
from pytest_ambient.cluster import container, kernel, tool
from pytest_ambient.cluster.belongings import Belongings
from pytest_ambient.cluster.container import Runtime
from pytest_ambient.cluster.kind_child import Order
from pytest_ambient.errors import CommandFailed, ProviderError

FILE = "kind.json"
"""The record in a cluster's folder; while it is not there, nothing was made."""

CHILD = "pytest_ambient.cluster.kind_child"

HINTS = {
    r"too many open files|Reached target .*Multi-User": f"the inotify limits may be too low: {kernel.SYSCTL}",
    r"failed to pull image": "without a network, bring the image here before (docker load), or fix the proxy of docker",
    r"address pools have been fully subnetted": "remove networks that nobody uses: docker network prune",
    r"port is already allocated|address already in use": "another program has the port: run again",
    r"no space left on device": "make room: docker system prune",
}
"""What to do about failures of kind that are known."""

TELLING = re.compile(r"\b(?:error|failed|cannot|denied|refused)\b", re.IGNORECASE)
"""How a line of the command under kind tells why it failed; kubeadm's stack comes after it."""

LONGEST = 400
"""Characters of a reason; all of it is in the log."""


@dataclass(frozen=True)
class Made:
    """A cluster's folder, and what it is made with."""

    name: str
    folder: Path
    kind: Path
    runtime: Runtime

    @property
    def kubeconfig(self) -> Path:
        """The cluster's own."""
        return self.folder / "kubeconfig"

    @property
    def belongings(self) -> Belongings:
        """What of it is in the container runtime."""
        return Belongings(self.runtime, (f"label=io.x-k8s.kind.cluster={self.name}",))

    @property
    def nodes(self) -> list[str]:
        """Names of its containers, of half-made clusters too; ProviderError when the runtime does not answer."""
        return self.belongings.nodes()

    def write(self) -> None:
        """Make it known before anything is made; ProviderError when that cannot be written."""
        plain = {"kind": str(self.kind), "runtime": self.runtime.name, "path": self.runtime.path}
        try:
            (self.folder / FILE).write_text(json.dumps(plain))
        except OSError as error:
            raise ProviderError(f"{self.folder / FILE}: cannot be written: {error.strerror}") from None

    def run(self, *arguments: str, within: float) -> str:
        """What kind answered; ProviderError in one line when it fails or is late."""
        line = shlex.join(["kind", *arguments])
        try:
            ran = run([str(self.kind), *arguments], within=within, check=False, environment=self._environment)
        except CommandFailed as error:
            raise ProviderError(f"{line}: {_late(error)}") from None
        return self._told(line, ran)

    def order(self, order: Order, *, within: float) -> None:
        """Let pytest-kind do something; ProviderError in one line when kind fails or is late."""
        line = f"kind {order.verb} {order.name}"
        command = [sys.executable, "-P", "-m", CHILD]
        try:
            ran = run(command, within=within, check=False, environment=self._environment, stdin=order.to_json())
        except CommandFailed as error:
            tool.note(self.folder, f"$ {line}\n{error}\n")
            raise ProviderError(f"{line}: {_late(error)}") from None
        self._told(line, ran)

    def unlock(self) -> None:
        """Remove the lock of the kubeconfig that a killed kind leaves; nobody else writes in this folder."""
        self.kubeconfig.with_name(f"{self.kubeconfig.name}.lock").unlink(missing_ok=True)

    @property
    def _environment(self) -> dict[str, str]:
        # said, so that kind does not choose another than we did
        return {container.VARIABLE: self.runtime.name}

    def _told(self, line: str, ran: Ran) -> str:
        if ran.status or ran.errors:
            tool.note(self.folder, f"$ {line}\n{ran.output}{ran.errors}")
        if ran.status:
            raise ProviderError(f"{line}: exit {ran.status}: {reason(ran)}")
        return ran.output


def made(name: str, folder: Path) -> Made | None:
    """What the cluster in a folder was made with; None when none was begun there."""
    try:
        plain = json.loads((folder / FILE).read_text())
        return Made(name, folder, Path(plain["kind"]), Runtime(plain["runtime"], plain["path"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def wrapper(folder: Path, kind: Path) -> Path:
    """A program that is kind and keeps the nodes of a creation that fails, until their logs are saved."""
    path, program = folder / "kind", shlex.quote(str(kind))
    lines = (
        "#!/bin/sh",
        "# pytest-kind runs this for kind and knows no --retain",
        f'[ "$1 $2" = "create cluster" ] && shift 2 && exec {program} create cluster --retain "$@"',
        f'exec {program} "$@"',
    )
    try:
        path.write_text("\n".join(lines) + "\n")
        os.chmod(path, 0o700)
    except OSError as error:
        raise ProviderError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def reason(ran: Ran) -> str:
    """Why kind failed, in one line: its own word, the last line of the command under it, and what helps."""
    text = ran.errors.strip() or ran.output.strip()
    told, _, output = text.rpartition("ERROR: ")[2].partition("Command Output:")
    lines = output.strip().splitlines()
    telling = [line for line in lines if TELLING.search(line)] or lines
    words = [_line(told.strip().splitlines()[:1] if "ERROR: " in text else text.splitlines()[-1:])]
    words.append(_line(telling[-1:]))
    hints = [hint for pattern, hint in HINTS.items() if re.search(pattern, text)]
    return ": ".join(word for word in [*words, *hints[:1]] if word) or "it said nothing"


def _line(lines: Iterable[str]) -> str:
    text = " ".join(" ".join(lines).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _late(error: CommandFailed) -> str:
    _, late, rest = str(error).rpartition("not done within ")
    return f"{late}{rest}: give it longer with --ambient-timeout cluster=SECONDS" if late else str(error)
