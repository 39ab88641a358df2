"""`pytest-ambient cleanup`: removes what killed runs left behind, and nothing else."""

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pytest_ambient.commands import tell
from pytest_ambient.errors import BrokenEnvironment

WORDS = "remove what killed runs left behind"
OPTIONS: tuple[str, ...] = ()


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--dry-run`."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def act(parsed: argparse.Namespace) -> int:
    """Remove or, dry, only name it; 1 when something could not be removed."""
    from pytest_ambient import _bringup
    from pytest_ambient.cluster import changes, lease

    dry, failed = parsed.dry_run, 0
    left, rest = [one for one in lease.leases() if one.left_behind], list(_files())
    if dry:
        for one in left:
            tell(f"would remove {lease.words(one)}")
            for what in changes.words(one.run):
                tell(f"would take back {what}, unless that was done")
    else:
        failed = lease.reap_all(_bringup.remover(tell), tell)
    for path, words, remove in rest:
        if dry:
            tell(f"would remove {path}")
        elif _done(remove):
            tell(f"removed {path}, {words}")
        else:
            failed += 1
    locks = _locks(really=not dry)
    if locks:
        tell(f"{'would remove' if dry else 'removed'} {locks} {'lock' if locks == 1 else 'locks'} that nobody holds")
    if not left and not rest and not locks:
        tell("nothing was left behind")
    for one in lease.leases():
        if one.owner is None:
            tell(f"kept on purpose: {lease.words(one)}")
    return 1 if failed else 0


def _files() -> "Iterator[tuple[Path, str, Callable[[], None]]]":
    """What lies in the state folder and nobody needs: where, in words, and how it goes."""
    from pytest_ambient.cluster import lease

    for folder in lease.orphans():
        yield folder, "the state of a cluster that nobody knows", partial(lease.remove_orphan, folder)
    for folder in sorted(lease.failures().glob("*")):
        yield folder, "evidence of a bring-up that failed", partial(lease.remove_orphan, folder)
    for path in lease.damaged():
        yield path, "a lease that cannot be read", partial(path.unlink, missing_ok=True)


def _done(remove: Callable[[], None]) -> bool:
    try:
        remove()
    except BrokenEnvironment as error:
        tell(f"pytest-ambient: {error}")
        return False
    return True


def _locks(*, really: bool) -> int:
    """How many locks nobody holds, or held until they were removed."""
    from pytest_ambient import _lock
    from pytest_ambient.cluster.lease import state_folder

    return sum(_lock.remove(path, really=really) for path in sorted((state_folder() / "locks").glob("*.db")))
