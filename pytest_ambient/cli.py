"""The console script `pytest-ambient`: a cluster to play with, and the removal of what killed runs left behind."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ambient import __version__, _stop
from pytest_ambient.errors import AmbientError, Misuse
from pytest_ambient.options import TABLE, add
from pytest_ambient.settings import Settings, settle

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import Cluster

FOR_UP = ("cluster", "name", "nodes", "istio-version", "namespace", "hub", "timeout", "fault")
NAME = "bench"
"""What a cluster is called that is given no name."""

Verb = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0 when it did what was asked, 1 when the environment did not let it, 2 for a wrong use."""
    parsed = _parser().parse_args(arguments)
    before = _stop.heed()
    try:
        verb: Verb = parsed.verb
        return verb(parsed)
    except Misuse as error:
        _tell(f"pytest-ambient: {error}")
        return 2
    except AmbientError as error:
        _tell(f"pytest-ambient: {error}")
        return 1
    except KeyboardInterrupt:
        _tell("pytest-ambient: interrupted")
        return 130
    finally:
        _stop.restore(before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pytest-ambient", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"pytest-ambient {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    up = _verb(verbs, "up", _up, "bring a cluster up, with mesh and Bookinfo, and leave it running", *FOR_UP)
    up.add_argument("--no-bookinfo", action="store_true", help="leave Bookinfo out")
    up.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the answer (text)")
    _verb(verbs, "down", _down, "remove a cluster that up or --ambient-keep left running", "name")
    cleanup = _verb(verbs, "cleanup", _cleanup, "remove what killed runs left behind")
    cleanup.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, act: Verb, words: str, *options: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=words, description=words, allow_abbrev=False)
    for option in TABLE:
        if option.name in options:
            add(option, parser.add_argument)
    parser.set_defaults(verb=act)
    return parser


def _settings(parsed: argparse.Namespace) -> Settings:
    known = {option.variable: os.environ.get(option.variable, "") for option in TABLE if hasattr(parsed, option.ini)}
    return settle(vars(parsed), known, {}, Path.cwd())


def _up(parsed: argparse.Namespace) -> int:
    from pytest_ambient import _checks
    from pytest_ambient.cluster.lease import remove_namespaces
    from pytest_ambient.cluster.lifecycle import Lifecycle, Plan, spec_folder
    from pytest_ambient.cluster.provider import ClusterSpec, find

    settings, run = _settings(parsed), f"up-{secrets.token_hex(4)}"
    if settings.cluster in (None, "existing"):
        raise Misuse("up: give --ambient-cluster=embedded" + (", existing is up already" if settings.cluster else ""))
    name = settings.name or NAME
    spec = ClusterSpec(
        name,
        spec_folder(name),
        settings.nodes,
        istio_version=settings.istio_version,
        faults=settings.fault,
        within=settings.timeout["cluster"],
    )
    _checks.check(settings, lambda: spec)
    lifecycle = Lifecycle(Plan(find(settings.cluster), settings.cluster, spec, run), _tell, remove_namespaces)
    cluster = lifecycle.up()
    try:
        namespace = None if parsed.no_bookinfo else _bookinfo(cluster, settings, run)
        lifecycle.leave()
    except BaseException:
        lifecycle.down(failed=True)
        raise
    _show(cluster, namespace, parsed.output)
    return 0


def _bookinfo(cluster: "Cluster", settings: Settings, run: str) -> str:
    from pytest_ambient import _probing

    return _probing.furnish(cluster, settings, run, _tell)


def _show(cluster: "Cluster", namespace: str | None, form: str) -> None:
    kubeconfig = str(cluster.kubeconfig)
    if form == "json":
        answer = {"name": cluster.name, "kubeconfig": kubeconfig, "context": cluster.context, "namespace": namespace}
        sys.stdout.write(json.dumps(answer) + "\n")
        return
    lines = [f"export KUBECONFIG={kubeconfig}", "kubectl get pods -A"]
    if namespace is not None:
        lines.append(f"kubectl -n {namespace} exec deploy/curl -- curl -sS http://productpage:9080/productpage")
    attach = f"pytest --ambient-cluster=existing --ambient-kubeconfig={kubeconfig}"
    sys.stdout.write(f"cluster {cluster.name} ({cluster.provider}) is up\n")
    sys.stdout.write(f"  kubeconfig  {kubeconfig}\n")
    sys.stdout.write("".join(f"  {'' if index else 'try':<12}{line}\n" for index, line in enumerate(lines)))
    sys.stdout.write(f"  test        {attach}\n  remove      pytest-ambient down --ambient-name={cluster.name}\n")


def _down(parsed: argparse.Namespace) -> int:
    from pytest_ambient.cluster.lease import leases, of_cluster, reap, remove_namespaces, words

    name = _settings(parsed).name or NAME
    one = of_cluster(name)
    if one is None:
        there = ", ".join(lease.cluster.name for lease in leases() if lease.cluster.owned)
        raise AmbientError(f"there is no cluster {name}, there are {there or 'none'}")
    if one.owner is not None and one.owner.alive:
        raise AmbientError(f"{words(one)} belongs to a run that goes on (process {one.owner.pid})")
    reap(one, remove_namespaces)
    _tell(f"removed {words(one)}")
    return 0


def _cleanup(parsed: argparse.Namespace) -> int:
    from pytest_ambient.cluster import lease

    left, lost, failed = [one for one in lease.leases() if one.left_behind], list(lease.orphans()), 0
    damaged = list(lease.damaged())
    if parsed.dry_run:
        for what in [*map(lease.words, left), *map(str, lost), *map(str, damaged)]:
            _tell(f"would remove {what}")
    else:
        failed = lease.reap_all(lease.remove_namespaces, _tell)
        for folder in lost:
            lease.remove_orphan(folder)
            _tell(f"removed {folder}, the state of a cluster that nobody knows")
        for path in damaged:
            path.unlink(missing_ok=True)
            _tell(f"removed {path}, a lease that cannot be read")
    if not left and not lost and not damaged:
        _tell("nothing was left behind")
    for one in lease.leases():
        if one.owner is None:
            _tell(f"kept on purpose: {lease.words(one)}")
    return 1 if failed else 0


def _tell(line: str) -> None:
    with suppress(OSError):  # a terminal that has gone must not keep anything from being undone
        sys.stderr.write(line + "\n")
