"""Whether Bookinfo is reached: readiness of pods comes earlier than the proxies' knowledge of them."""

from collections.abc import Sequence

from pytest_ambient._kube import Kube
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import KubeError, NotInTime
from pytest_ambient.places import Places

WITHIN = 5.0
"""Seconds that all Services have to answer all clients; whether they do after that is for a rule to say."""
SERVICES = ("productpage", "reviews", "ratings", "details")
PORT = 9080
EXEC = 10.0
"""Seconds for one exec."""


def settle(kube: Kube, places: Places, within: float = WITHIN) -> bool:
    """Wait until every Service of Bookinfo answers the client of every namespace; False when they don't in time."""
    try:
        until(lambda: _silent(kube, places), what="Bookinfo to answer", within=within)
    except NotInTime:
        return False
    return True


def _silent(kube: Kube, places: Places) -> bool | NotYet:
    silent = [name for namespace in places.ours for name in _unanswered(kube, namespace, places.namespace)]
    return NotYet(", ".join(silent)) if silent else True


def _unanswered(kube: Kube, namespace: str, target: str) -> Sequence[str]:
    """The clients of a namespace that some Service does not answer, each with the reason."""
    command = ["curl", "-q"]
    for service in SERVICES:
        url = f"http://{service}.{target}:{PORT}/health"
        command += ["-sS", "--fail", "--noproxy", "*", "--max-time", "2", "-o", "/dev/null", url, "--next"]
    found = []
    for pod in kube.list("v1/Pod", namespace, labels="app=curl"):
        name = pod["metadata"]["name"]
        try:
            done = kube.exec(namespace, name, "curl", [*command[:-1], "-w", "%{exitcode}"], timeout=EXEC)
        except KubeError as error:
            found.append(f"{namespace}/{name}: {error}")
            continue
        if done.stderr or done.stdout != b"0":
            found.append(f"{namespace}/{name}: {done.stderr.decode(errors='replace').strip() or 'no answer'}")
    return found
