"""Runs the programs of installers: what they said, or one line with the command and the reason of its failure."""

import shlex
from collections.abc import Mapping, Sequence

from pytest_ambient._run import run
from pytest_ambient.errors import CommandFailed, InstallerError


def told(command: Sequence[str], *, within: float, environment: Mapping[str, str]) -> str:
    """What a program printed; InstallerError in one line when it cannot be started, is late or fails."""
    try:
        done = run(command, within=within, check=False, environment=environment)
    except CommandFailed as error:
        raise InstallerError(str(error)) from None
    if done.status:
        raise InstallerError(f"{shlex.join(command)}: exit {done.status}: {reason(done.errors or done.output)}")
    return done.output


def reason(text: str) -> str:
    """The end of what a program complained, from its last `Error:` on: before that there is progress, and drawings."""
    _, error, end = text.rpartition("Error: ")
    return " ".join((end if error else text).split()) or "without a word"
