"""A mesh of doubles: pods whose curl answers by a function, and a ztunnel that writes what it saw."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from pytest_ambient._kube import Kube
from pytest_ambient._kube_exec import Executed
from pytest_ambient.places import Places
from pytest_ambient.probe.timing import Timing
from pytest_ambient.testing import FakeKube, ManualClock

PLACES = Places("shop", "other", "outside")
RUN = "r1"
QUICK = Timing(witness=0.05, shortest=0.01, control=2, becomes=3, undo=2, rounds=3, stays=4, spans=0.05)
NONE_ALLOWED = "connection closed due to policy rejection: allow policies exist, but none allowed"


@dataclass(frozen=True)
class Reply:
    """What a request meets; `refused` is ztunnel's reason, `silent` leaves its log without a line."""

    status: int = 200
    body: str = "hello"
    headers: dict[str, str] = field(default_factory=dict)
    exit: int = 0
    refused: str = ""
    silent: bool = False
    seconds: float = 0.002


DENIED = Reply(status=0, body="", exit=56, refused=NONE_ALLOWED)
Answer = Callable[[str, str, str], Reply]
"""Takes the pod (`NAMESPACE/NAME`), method and URL."""


def pod(namespace: str, name: str, app: str, account: str) -> dict[str, Any]:
    """A pod that is Ready."""
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "spec": {"containers": [{"name": app}], "serviceAccountName": account, "nodeName": "node-a"},
        "status": {"podIP": f"10.0.0.{len(name)}", "conditions": [{"type": "Ready", "status": "True"}]},
    }


@dataclass
class Bench:
    """Doubles for everything that a rule touches."""

    answer: Answer
    kube: FakeKube = field(default_factory=FakeKube)
    clock: ManualClock = field(default_factory=ManualClock)
    execs: list[tuple[str, list[str]]] = field(default_factory=list)
    """Every exec of curl, by pod."""
    lost: int = 0
    """How many execs to come end without any output."""
    port: int = 40000

    def __post_init__(self) -> None:
        self.kube.run = self._run
        for namespace, app in ((n, a) for n in PLACES.ours for a in ("curl", "details", "reviews")):
            self._workload(namespace, app)
        for namespace in PLACES.ours:
            self._keep(
                "v1/Namespace", "", namespace, {"metadata": {"name": namespace, "labels": {"pytest-ambient/run": RUN}}}
            )
        ztunnel = pod("istio-system", "ztunnel-a", "ztunnel", "ztunnel")
        ztunnel["spec"]["containers"] = [{"name": "istio-proxy"}]
        self._keep("v1/Pod", "istio-system", "ztunnel-a", ztunnel)
        self.kube.lines["istio-system/ztunnel-a"] = ""
        self.attach()

    @property
    def real(self) -> Kube:
        """The double where a Kube is wanted."""
        return cast(Kube, self.kube)

    def attach(self, *policies: str) -> None:
        """Lets ztunnel's configuration attach these ALLOW policies to every pod of the main namespace."""
        listed = [
            {"namespace": key.split("/")[0], "name": key.split("/")[1], "scope": "Namespace", "action": "Allow"}
            for key in policies
        ]
        page = json.dumps({"workloads": [], "policies": listed})
        self.kube.pages["istio-system/ztunnel-a", "/config_dump"] = page

    def there(self, kind: str, name: str) -> bool:
        """Whether an object is in the main namespace."""
        return (kind, PLACES.namespace, name) in self.kube.objects

    def _workload(self, namespace: str, app: str) -> None:
        name = "curl" if app == "curl" else f"{app}-v1"
        selector = {"spec": {"selector": {"matchLabels": {"app": app}}}, "metadata": {"name": name}}
        self._keep("apps/v1/Deployment", namespace, name, selector)
        self._keep("v1/Pod", namespace, f"{name}-x", pod(namespace, f"{name}-x", app, f"sa-{app}"))

    def _keep(self, kind: str, namespace: str, name: str, item: dict[str, Any]) -> None:
        self.kube.objects[kind, namespace, name] = item

    def _run(self, where: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
        if list(argv) == ["curl", "--version"]:
            return Executed(b"curl 8.16.0 (x86_64)\n", b"", 0)
        if argv[0] == "sh":
            return Executed(b"/usr/bin/curl\n", b"", 0)
        self.execs.append((where, list(argv)))
        if self.lost > 0:
            self.lost -= 1
            return Executed(b"", b"", 0)
        operations = split(list(argv[1:]))
        return Executed(b"".join(self._request(where, operation) for operation in operations), b"", 0)

    def _request(self, where: str, options: dict[str, str]) -> bytes:
        url, _, span = options["url"].partition("#[1-")
        count = int(span.rstrip("]") or 1) if span else 1
        marker = options["write-out"].split(r"\n")[1]
        return b"".join(self._once(where, options.get("request", "GET"), url, marker) for _ in range(count))

    def _once(self, where: str, method: str, url: str, marker: str) -> bytes:
        reply = self.answer(where, method, url)
        self.port += 1
        address = self.kube.objects["v1/Pod", *where.split("/", 1)]["status"]["podIP"]  # type: ignore[index]  # a triple
        if not reply.silent:
            self._write(where, address, (urlsplit(url).hostname or "").partition(".")[0], reply)
        headers = {name: [value] for name, value in reply.headers.items()}
        about = {
            "exitcode": reply.exit, "http_code": reply.status, "num_connects": 1, "errormsg": None,
            "local_ip": address, "local_port": self.port, "remote_ip": "10.96.0.1",
            "remote_port": 9080, "time_connect": 0.001, "time_total": reply.seconds,
        }  # fmt: skip
        return f"{reply.body}\n{marker}\n{json.dumps(headers)}\n{json.dumps(about)}\n".encode()

    def _write(self, where: str, address: str, service: str, reply: Reply) -> None:
        namespace, _, name = where.partition("/")
        now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        common = (
            f'src.workload="{name}" src.namespace="{namespace}" dst.addr=10.0.0.99:15008 dst.hbone_addr=10.0.0.99:9080 '
        )
        common += f'dst.service="{service}.{PLACES.namespace}.svc.cluster.local" '
        common += f'dst.workload="reviews-v1-x" dst.namespace="{PLACES.namespace}" '
        level = "error" if reply.refused else "info"
        head = f"{now}\t{level}\taccess\tconnection complete\t"
        at_destination = f' error="{reply.refused}"' if reply.refused else ""
        at_source = ' error="http status: 401 Unauthorized"' if reply.refused else ""
        inbound = f'{head}src.addr={address}:9 {common}direction="inbound" duration="0ms"{at_destination}'
        outbound = f'{head}src.addr={address}:{self.port} {common}direction="outbound" duration="0ms"{at_source}'
        self.kube.lines["istio-system/ztunnel-a"] += f"{inbound}\n{outbound}\n"


def split(argv: list[str]) -> list[dict[str, str]]:
    """curl's long options, one mapping for each of its operations."""
    operations: list[dict[str, str]] = [{}]
    words = iter(argv)
    for word in words:
        if word == "--next":
            operations.append({})
        elif word in ("-q", "--silent", "--show-error", "--head"):
            continue
        else:
            operations[-1][word.removeprefix("--")] = next(words)
    return operations
