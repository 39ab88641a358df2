"""Runs an embedded cluster in the foreground: `python -m pytest_ambient.embedded --state DIR --name NAME`."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from .addresses import NoAddress
from .cluster import Plan, serve
from .dataplane.envoy import EnvoyFailed, EnvoyMissing
from .faults import DESCRIPTIONS, Fault

OWNER_EVERY = 0.5
"""Seconds between two looks at whether the owner and the state folder are still there."""


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; exit code 2 when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="pytest_ambient.embedded",
        description=__doc__,
        epilog="\n".join(["faults:", *(f"  {fault.value:<26} {what}" for fault, what in DESCRIPTIONS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, required=True, metavar="DIR", help="folder for everything that it writes")
    parser.add_argument("--name", required=True, help="the cluster's name")
    parser.add_argument("--nodes", type=int, default=2, help="number of nodes (default: 2)")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        type=Fault,
        choices=list(Fault),
        metavar="NAME",
        help="break the mesh on purpose",
    )
    parser.add_argument("--owner-pid", type=int, metavar="PID", help="end when that process is gone")
    return parser.parse_args(arguments)


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM, SIGINT, the owner's end or the state folder's removal."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    watch = asyncio.create_task(_watch(options.state, options.owner_pid, ended))
    try:
        await serve(Plan(options.state, options.name, options.nodes, frozenset(options.fault)), ended)
    finally:
        watch.cancel()


async def _watch(state: Path, owner: int | None, ended: asyncio.Event) -> None:
    def wanted() -> bool:
        return state.is_dir() and (owner is None or _alive(owner))

    while wanted():  # noqa: ASYNC110 - neither a folder's nor a stranger's end raises an event
        await asyncio.sleep(OWNER_EVERY)
    ended.set()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> int:
    """Run the cluster; 1 and one line on standard error when it can't be started."""
    options = parsed()
    try:
        asyncio.run(run(options))
    except (EnvoyMissing, EnvoyFailed, NoAddress, OSError) as error:
        print(f"embedded cluster {options.name}: {error}", file=sys.stderr)  # noqa: T201 - its output is its log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
