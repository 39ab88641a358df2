"""`pytest-ambient down`: removes a cluster that was left running on purpose."""

import argparse

from pytest_ambient import commands
from pytest_ambient.errors import AmbientError

WORDS = "remove a cluster that up or --ambient-keep left running"
OPTIONS = ("name",)
HELP = {"name": f"{commands.ANOTHER}, or that of a run whose mesh was kept"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def act(parsed: argparse.Namespace) -> int:
    """Remove it; AmbientError when there is none of that name, or when a run still uses it.

    The name of a run takes out of a cluster that is not ours what that run left in it on purpose.
    """
    from pytest_ambient._bringup import remover
    from pytest_ambient.cluster.lease import leases, named, reap, words

    name = commands.settings(parsed).name or commands.BENCH
    one = named(name)
    if one is None:
        there = ", ".join(lease.cluster.name for lease in leases() if lease.cluster.owned)
        raise AmbientError(f"there is no cluster {name}, there are {there or 'none'}")
    if one.owner is not None and one.owner.alive:
        raise AmbientError(f"{words(one)} belongs to a run that goes on (process {one.owner.pid})")
    reap(one, remover(commands.tell))
    commands.tell(f"removed {words(one)}")
    return 0
