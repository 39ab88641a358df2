"""`pytest-ambient open`: a page of the mesh at an address of this machine, until Ctrl-C."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from pytest_ambient import commands
from pytest_ambient.errors import BrokenEnvironment, Misuse

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube
    from pytest_ambient.settings import Settings

WORDS = "show kiali, productpage, grafana, prometheus or jaeger at an address of this machine, until Ctrl-C"
OPTIONS = ("name", "kubeconfig", "context", "namespace")
HELP = {
    "name": commands.ANOTHER,
    "kubeconfig": "kubeconfig of another cluster ($KUBECONFIG or ~/.kube/config with --ambient-context)",
    "context": "context of another cluster (kubeconfig's current one with --ambient-kubeconfig)",
    "namespace": "namespace of Bookinfo (the one there is)",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to open, and `--port`."""
    from pytest_ambient.mesh.pages import PAGES

    parser.add_argument("what", choices=sorted(PAGES), help="what to look at")
    parser.add_argument("--port", type=int, default=0, metavar="NUMBER", help="port of this machine (any free one)")


def act(parsed: argparse.Namespace) -> int:
    """Print the address and carry connections until interrupted; BrokenEnvironment when it is not installed."""
    from pytest_ambient._kube_forward import HOME, listening, serve
    from pytest_ambient.mesh import pages

    settings, page = commands.settings(parsed), pages.PAGES[parsed.what]
    if not 0 <= parsed.port <= 65535:
        raise Misuse(f"--port: wanted a number from 0 to 65535, got {parsed.port}")
    kube = _kube(settings)
    service = pages.find(kube, parsed.what, settings.namespace)
    pages.connect(kube, service, page.port).wire.shutdown()  # what cannot be reached is told before an address
    try:
        with listening(parsed.port) as listener:
            sys.stdout.write(f"http://{HOME}:{listener.getsockname()[1]}{page.path}\n")
            sys.stdout.flush()
            commands.tell(f"carried to {service['metadata']['namespace']}/{page.service} until Ctrl-C")
            serve(listener, lambda: pages.connect(kube, service, page.port), commands.tell)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise BrokenEnvironment(f"port {parsed.port} of {HOME} cannot be used: {reason}") from None
    except KeyboardInterrupt:
        kube.close()
    return 0


def _kube(settings: "Settings") -> "Kube":
    """The cluster that is meant: by kubeconfig or context, else by the name under which `up` left it."""
    from pytest_ambient import _bringup
    from pytest_ambient._kube import Kube
    from pytest_ambient.cluster.lease import of_cluster
    from pytest_ambient.cluster.provider import find

    if settings.kubeconfig is not None or settings.context is not None:
        if settings.name is not None:
            raise Misuse("--ambient-name and --ambient-kubeconfig or --ambient-context name two clusters: give one")
        find("existing").check(_bringup.cluster_spec(settings, commands.BENCH, None))
        return Kube(settings.kubeconfig, settings.context)
    name = settings.name or commands.BENCH
    one = of_cluster(name)
    if one is None:
        raise BrokenEnvironment(
            f"there is no cluster {name} that pytest-ambient up left: "
            "give --ambient-name, or --ambient-kubeconfig for one that is there"
        )
    return Kube(one.cluster.kubeconfig, one.cluster.context)
