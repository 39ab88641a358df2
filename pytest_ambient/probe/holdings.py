"""Which certificates ztunnels hold, as their own configuration says it."""

from collections.abc import Iterator

from pytest_ambient._kube import Kube, Object
from pytest_ambient.probe.config import protocols
from pytest_ambient.probe.logs import Logs
from pytest_ambient.verdict.call import Certificates
from pytest_ambient.verdict.evidence import Held, Holdings
from pytest_ambient.verdict.outcome import Lost


def holdings(kube: Kube, logs: Logs, asked: Certificates) -> Holdings | Lost:
    """What is held of an identity on each node with running pods of its service account; Lost without ztunnel's word.

    Only pods that ztunnel tunnels for count: nobody else's connections need a certificate.
    """
    namespace, _, account = asked.identity.split("/ns/")[1].partition("/sa/")
    pods = kube.list("v1/Pod", namespace, fields="status.phase=Running")
    mine = {pod["metadata"]["name"]: pod["spec"].get("nodeName", "") for pod in pods if _account(pod) == account}
    found = []
    for proxy in logs.ztunnels():
        dump = logs.dump(proxy, fresh=True)
        if not dump:
            return Lost(f"the configuration of {proxy.key} could not be read")
        here = {name for name, node in mine.items() if node == proxy.node}
        if any(f"{namespace}/{name}" in _tunnelled(dump) for name in here):
            found.append(Held(proxy.node, tuple(_states(dump, asked.identity))))
    return Holdings(tuple(sorted(found, key=lambda one: one.node)))


def _account(pod: Object) -> str:
    return str(pod["spec"].get("serviceAccountName") or "default")


def _states(dump: Object, identity: str) -> Iterator[str]:
    for entry in dump.get("certificates") or []:
        if entry.get("identity") == identity:
            yield str(entry.get("state", ""))


def _tunnelled(dump: Object) -> set[str]:
    """`NAMESPACE/POD` of those with a tunnel's end, all over the mesh: each ztunnel knows them all."""
    return {name for name, protocol in protocols(dump).items() if protocol == "HBONE"}
