"""Which pod calls and with which curl: its own, an ephemeral container's, or a twin pod's."""

import re
from dataclasses import dataclass

from pytest_ambient._kube import Kube, Object
from pytest_ambient._wait import NotYet, until
from pytest_ambient.errors import BrokenEnvironment, ExecFailed, Forbidden, Inconclusive, Invalid, Misuse, NotFound
from pytest_ambient.places import Places
from pytest_ambient.probe import lent
from pytest_ambient.probe.ready import is_ready
from pytest_ambient.stuck import Waits

OLDEST = (7, 83)
"""The first curl whose write-out knows all response headers (`%{header_json}`)."""
RUN_LABEL = "pytest-ambient/run"
NO_CURL = b"no curl here"
LOOK = ["sh", "-c", f"command -v curl || echo {NO_CURL.decode()}"]
"""Says on standard output that there is no curl, which counts even where exit statuses get lost."""

_VERSION = re.compile(rb"^curl (\d+)\.(\d+)\S*", re.MULTILINE)
_ABSENT = re.compile(r"not found|no such file|permission denied|is a directory", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A container from which calls leave with one pod's address and identity."""

    word: str
    namespace: str
    pod: str
    container: str
    how: str
    """Whose curl it is, for the evidence."""
    node: str
    ip: str
    account: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.pod}"


class Sources:
    """The sources of one run, chosen once per word; `forget` one whose pod is gone.

    `image` has curl, for pods that have none of their own.
    """

    def __init__(self, kube: Kube, places: Places, run: str = "", *, image: str, within: float = 120) -> None:
        self.kube, self.places, self.run = kube, places, run
        self._image, self._within = image, within
        self._found: dict[str, Source] = {}
        self.clocks: dict[str, float] = {}
        """What was learned about the clocks of proxies (`NAMESPACE/POD`): seconds that they are ahead of ours."""

    def find(self, word: str) -> Source:
        """The source for a word of a case; Misuse names the workloads there are, BrokenEnvironment what is missing."""
        if word not in self._found:
            self._found[word] = self._choose(word)
        return self._found[word]

    def forget(self, word: str) -> None:
        """Lets the next `find` look again."""
        self._found.pop(word, None)

    def _choose(self, word: str) -> Source:
        namespace, workload = self._place(word)
        waits = Waits()
        pod = until(lambda: self._pod(namespace, workload, waits), what=f"a Ready pod of {word}", within=self._within)
        for container in lent.own_containers(pod):
            version = self._curl(namespace, pod, container["name"])
            if version is not None:
                return source(word, pod, container["name"], f"own {version}")
        if not self._ours(namespace):
            raise BrokenEnvironment(
                f"{word}: pod {namespace}/{pod['metadata']['name']} has no curl of {OLDEST[0]}.{OLDEST[1]} or newer, "
                "and its namespace does not belong to this run, so none may be added"
            )
        try:
            return source(word, pod, lent.ephemeral(self.kube, pod, self._image, self._within), "ephemeral container")
        except (Forbidden, Invalid, NotFound) as error:
            twin = lent.twin(self.kube, pod, workload, self._image, self._within)
            return source(word, twin, "curl", f"twin pod with the same service account ({error})")

    def _place(self, word: str) -> tuple[str, str]:
        place, _, workload = word.rpartition("/")
        known = {"": self.places.namespace, "other": self.places.other, "outside": self.places.outside}
        if place not in known:
            raise Misuse(f"source {word!r}: unknown place {place!r}, known are {', '.join(filter(None, known))}")
        return known[place], workload

    def _pod(self, namespace: str, workload: str, waits: Waits) -> Object | NotYet:
        deployment = self.kube.get("apps/v1/Deployment", workload, namespace)
        if deployment is None:
            there = sorted(item["metadata"]["name"] for item in self.kube.list("apps/v1/Deployment", namespace))
            raise Misuse(
                f"unknown workload {workload!r} in namespace {namespace}, there are {', '.join(there) or 'none'}"
            )
        labels = deployment["spec"]["selector"].get("matchLabels") or {}
        if not labels or deployment["spec"]["selector"].get("matchExpressions"):
            raise Misuse(
                f"workload {workload!r} in namespace {namespace} does not select its pods by matchLabels alone"
            )
        pods = self.kube.list("v1/Pod", namespace, ",".join(f"{key}={value}" for key, value in labels.items()))
        good = sorted(filter(is_ready, pods), key=lambda pod: str(pod["metadata"]["name"]))
        if good:
            return good[0]
        waits.look(self.kube, pods)
        return NotYet(f"{len(pods)} pods, none of them Ready{waits.word}")

    def _ours(self, namespace: str) -> bool:
        found = self.kube.get("v1/Namespace", namespace)
        label = ((found or {}).get("metadata", {}).get("labels") or {}).get(RUN_LABEL)
        return label is not None and label == self.run

    def _curl(self, namespace: str, pod: Object, container: str) -> str | None:
        """The version of a container's curl; None when it has none or too old a one."""
        name = pod["metadata"]["name"]
        for _ in range(3):
            try:
                done = self.kube.exec(namespace, name, container, ["curl", "--version"], timeout=10)
            except ExecFailed as error:
                if _ABSENT.search(str(error)):
                    return None
                continue
            found = _VERSION.search(done.stdout)
            if found:
                return found[0].decode() if (int(found[1]), int(found[2])) >= OLDEST else None
            if done.status in (126, 127) or _ABSENT.search(done.error + done.stderr.decode(errors="replace")):
                return None
            if NO_CURL in self.kube.exec(namespace, name, container, LOOK, timeout=10).stdout:
                return None
        raise Inconclusive(f"{namespace}/{name} ({container}): curl --version gave nothing, 3 times")


def source(word: str, pod: Object, container: str, how: str) -> Source:
    """The source that a pod's container is."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    account = spec.get("serviceAccountName", "default")
    where = (meta["namespace"], meta["name"], container, f"{how} ({container})")
    return Source(word, *where, spec.get("nodeName", ""), status.get("podIP", ""), account)
