"""`pytest-ambient up`: brings a cluster up, with mesh and Bookinfo, and leaves it running."""

import argparse
import json
import secrets
import sys
from typing import TYPE_CHECKING

from pytest_ambient import commands
from pytest_ambient.errors import Misuse

if TYPE_CHECKING:
    from pytest_ambient.cluster.provider import Cluster

WORDS = "bring a cluster up, with mesh and Bookinfo, and leave it running"
OPTIONS = (
    "cluster",
    "name",
    "nodes",
    "kubernetes-version",
    "istio-version",
    "istio-dir",
    "installer",
    "dataplane",
    "addons",
    "gateway-api",
    "namespace",
    "hub",
    "timeout",
    "fault",
)
HELP = {
    "cluster": "provider of the cluster to bring up: embedded, kind, k3d, minikube or another's name",
    "name": f"name of the cluster ({commands.BENCH})",
    "istio-version": "Istio version to install (newest known)",
    "installer": "what puts the mesh in: an installer's name, or none (istioctl)",
    "dataplane": "data plane to install: ztunnel, kmesh (ztunnel)",
}
WANTED = "embedded, kind, k3d or minikube"
"""What to ask for, in words."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """`--no-bookinfo` and `--output`."""
    parser.add_argument("--no-bookinfo", action="store_true", help="leave Bookinfo out")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="form of the answer (text)")


def act(parsed: argparse.Namespace) -> int:
    """Bring it up and say how to use it; everything is undone when a part of it does not come."""
    from pytest_ambient import _bringup, _checks, _probing
    from pytest_ambient.cluster.lifecycle import Lifecycle

    settings, run = commands.settings(parsed), f"up-{secrets.token_hex(4)}"
    if settings.cluster in (None, "existing"):
        raise Misuse(f"up: give --ambient-cluster={WANTED}" + (", existing is up already" if settings.cluster else ""))
    spec = _bringup.cluster_spec(settings, settings.name or commands.BENCH, None)
    _checks.check(settings, lambda: spec)
    lifecycle = Lifecycle(
        _bringup.plan(settings, spec, run, commands.tell), commands.tell, _bringup.remover(commands.tell)
    )
    cluster = lifecycle.up()
    try:
        namespace = None if parsed.no_bookinfo else _probing.furnish(cluster, settings, run, commands.tell)
        lifecycle.leave()
    except BaseException:
        lifecycle.down(failed=True)
        raise
    _show(cluster, namespace, parsed.output)
    return 0


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
