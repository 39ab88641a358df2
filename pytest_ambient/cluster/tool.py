"""A program that makes clusters: found on PATH, its version weighed, what it says kept and told in one line."""

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_ambient._run import Ran, run
from pytest_ambient.errors import CommandFailed, ProviderError
from pytest_ambient.finding import Finding

LOG = "tool.log"
"""What the tool said, in the cluster's folder; from when it is there the tool may have made something."""

TELLING = re.compile(r"level=(?:fatal|error) msg=|(?:FATA|ERRO)\[\d+\] |Exiting due to ")
"""How the lines open in which k3d (logrus) and minikube tell why they failed."""

LONGEST = 400
"""Characters of a reason; the whole is in the log."""


@dataclass(frozen=True)
class Tool:
    """A program by name, and where to get it."""

    name: str
    oldest: str
    """The oldest version that will do: `5.7.0`."""
    source: str
    """Where to get it."""
    asked: tuple[str, ...]
    """Arguments that make it say its version."""

    @property
    def remedy(self) -> str:
        """What to do when it is not there or too old."""
        return f"get {self.name} {self.oldest} or newer: {self.source}"

    def found(self) -> Finding:
        """Whether it is on PATH and new enough."""
        path = shutil.which(self.name)
        if path is None:
            return Finding(self.name, "failed", "not on PATH", self.remedy)
        try:
            said = run([path, *self.asked], within=20.0).output
        except CommandFailed as error:
            return Finding(self.name, "failed", str(error), self.remedy)
        version = re.search(r"\bv(\d+\.\d+\.\d+)", said)
        if version is None:
            return Finding(self.name, "warning", f"{path} does not tell its version", self.remedy)
        if _numbers(version[1]) < _numbers(self.oldest):
            return Finding(self.name, "failed", f"{path} is {version[1]}", self.remedy)
        return Finding(self.name, "ok", f"{version[1]} at {path}")

    def run(
        self, *arguments: str, folder: Path, within: float, environment: Mapping[str, str], keep: bool = True
    ) -> str:
        """What it answered; ProviderError in one line when it is not there, fails or is late.

        All that it said goes to the log in `folder`, its answer only with `keep`: a kubeconfig is none for a log.
        """
        path = shutil.which(self.name)
        if path is None:
            raise ProviderError(f"{self.name} is not on PATH: {self.remedy}")
        line = shlex.join([self.name, *arguments])
        note(folder, f"$ {line}\n")
        try:
            ran = run([path, *arguments], within=within, check=False, environment=environment)
        except CommandFailed as error:
            note(folder, f"{error}\n")
            raise ProviderError(str(error)) from None
        note(folder, ran.errors + (ran.output if keep or ran.status else ""))
        if ran.status:
            raise ProviderError(f"{line}: exit {ran.status}: {reason(ran)}")
        return ran.output


def begun(folder: Path) -> bool:
    """Whether a tool was asked to make something for the cluster of this folder."""
    return (folder / LOG).exists()


def forget(folder: Path) -> None:
    """Take it that the tool has made nothing."""
    (folder / LOG).unlink(missing_ok=True)


def note(folder: Path, text: str) -> None:
    """Add to the log of a cluster's folder; ProviderError when that cannot be written."""
    try:
        with os.fdopen(os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as log:
            log.write(text)
    except OSError as error:
        raise ProviderError(f"{folder / LOG}: cannot be written: {error.strerror}") from None


def reason(ran: Ran) -> str:
    """Why a tool failed, in its own words: the lines in which it says so, or its last one."""
    lines = [_plain(line) for line in f"{ran.output}\n{ran.errors}".splitlines() if line.strip()]
    telling = [TELLING.split(line, maxsplit=1)[-1].strip(' "') for line in lines if TELLING.search(line)]
    text = "; ".join(dict.fromkeys(telling)) or (lines[-1].strip() if lines else "it said nothing")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
