"""`pytest-ambient cleanup`: removes what killed runs left behind, and nothing else."""

import argparse

from pytest_ambient.commands import tell

WORDS = "remove what killed runs left behind"
OPTIONS: tuple[str, ...] = ()


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--dry-run`."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def act(parsed: argparse.Namespace) -> int:
    """Remove or, dry, only name it; 1 when something could not be removed."""
    from pytest_ambient.cluster import lease

    left, lost, failed = [one for one in lease.leases() if one.left_behind], list(lease.orphans()), 0
    damaged = list(lease.damaged())
    if parsed.dry_run:
        for what in [*map(lease.words, left), *map(str, lost), *map(str, damaged)]:
            tell(f"would remove {what}")
    else:
        failed = lease.reap_all(lease.remove_namespaces, tell)
        for folder in lost:
            lease.remove_orphan(folder)
            tell(f"removed {folder}, the state of a cluster that nobody knows")
        for path in damaged:
            path.unlink(missing_ok=True)
            tell(f"removed {path}, a lease that cannot be read")
    if not left and not lost and not damaged:
        tell("nothing was left behind")
    for one in lease.leases():
        if one.owner is None:
            tell(f"kept on purpose: {lease.words(one)}")
    return 1 if failed else 0
