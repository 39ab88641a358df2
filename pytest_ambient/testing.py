"""Public doubles: a provider, an installer, a Kubernetes API and a clock that need neither a cluster nor time."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient._fakes import FakeInstaller, FakeProvider, fake_installer, fake_provider
from pytest_ambient._kube_exec import Executed
from pytest_ambient._kube_rest import Kind
from pytest_ambient.errors import ExecFailed, NotFound

__all__ = [
    "CLUSTER_WIDE",
    "FakeInstaller",
    "FakeKube",
    "FakeProvider",
    "ManualClock",
    "fake_installer",
    "fake_provider",
    "merged",
    "no_exec",
]

Object: TypeAlias = dict[str, Any]

CLUSTER_WIDE = ("Namespace", "Node", "GatewayClass")
"""Kinds that FakeKube keeps without a namespace."""


@dataclass
class ManualClock:
    """A clock that moves only when somebody sleeps on it."""

    now: float = 0.0

    def __call__(self) -> float:
        """Seconds, like `time.monotonic()`."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let that time pass at once."""
        self.now += seconds


Exec = Callable[[str, str, Sequence[str], bytes | None], Executed]


def no_exec(pod: str, container: str, argv: Sequence[str], stdin: bytes | None) -> Executed:
    """What FakeKube does with an exec unless it is told: refuses it."""
    raise ExecFailed(f"{pod} ({container}): this double runs nothing")


@dataclass
class FakeKube:
    """A Kubernetes API that keeps objects by kind, namespace and name, and answers execs by a function."""

    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    run: Exec = no_exec
    """Answers `exec`: takes `NAMESPACE/POD`, container, arguments and standard input."""
    lines: dict[str, str] = field(default_factory=dict)
    """Logs by `NAMESPACE/POD`, and by `NAMESPACE/POD before` of the life before."""
    pages: dict[tuple[str, str], str] = field(default_factory=dict)
    """What a pod's own ports answer, by `NAMESPACE/POD` and path."""
    kubeconfig: Path | None = None
    context: str | None = "fake"

    def kind(self, kind: str) -> Kind:
        """Where objects of a kind live; every kind exists."""
        name = kind.rpartition("/")[2]
        return Kind(f"/apis/{kind.rpartition('/')[0]}", f"{name.lower()}s", name not in CLUSTER_WIDE)

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, None when there is none."""
        return copy.deepcopy(self.objects.get((kind, namespace or "", name)))

    def list(self, kind: str, namespace: str | None = None, labels: str = "", fields: str = "") -> list[Object]:
        """All objects of a kind, of one namespace or all, whose labels match an equality selector."""
        wanted = [pair.partition("=")[::2] for pair in labels.split(",") if pair]
        version, _, name = kind.rpartition("/")
        return [
            {"apiVersion": version, "kind": name} | copy.deepcopy(item)
            for (own_kind, own_namespace, _), item in sorted(self.objects.items())
            if own_kind == kind and namespace in (None, own_namespace) and _has(item, wanted)
        ]

    def apply(
        self, obj: Object, *, force: bool = False, field_manager: str = "pytest-ambient", strict: bool = True
    ) -> Object:
        """Keep the object, merged into what is there."""
        meta = obj["metadata"]
        key = (f"{obj['apiVersion']}/{obj['kind']}", meta.get("namespace") or "", meta["name"])
        self.objects[key] = merged(self.objects.get(key, {}), obj)
        return copy.deepcopy(self.objects[key])

    def rehearse(self, obj: Object) -> Object:
        """The object as it is: nobody has a say."""
        return copy.deepcopy(obj)

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        body: Object,
        type: str = "merge",
        subresource: str = "",
        field_manager: str = "pytest-ambient",
    ) -> Object:
        """Merge the body into the object."""
        key = (kind, namespace or "", name)
        if key not in self.objects:
            raise NotFound(f"{kind} {name} not found")
        self.objects[key] = merged(self.objects[key], body)
        return copy.deepcopy(self.objects[key])

    def delete(self, kind: str, name: str, namespace: str | None = None, *, wait: float | None = None) -> None:
        """Forget the object, and with a namespace all that is in it."""
        self.objects.pop((kind, namespace or "", name), None)
        if kind == "v1/Namespace":
            self.objects = {key: item for key, item in self.objects.items() if key[1] != name}

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        argv: Sequence[str],
        *,
        stdin: bytes | None = None,
        timeout: float,
    ) -> Executed:
        """Whatever `run` answers."""
        return self.run(f"{namespace}/{pod}", container, argv, stdin)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        since_time: str | None = None,
        tail: int | None = None,
        previous: bool = False,
    ) -> str:
        """The lines kept for the pod."""
        return self.lines.get(f"{namespace}/{pod} before" if previous else f"{namespace}/{pod}", "")

    def pod_http(self, namespace: str, pod: str, port: int, path: str, *, timeout: float = 10) -> str:
        """The page kept for the pod and path."""
        try:
            return self.pages[f"{namespace}/{pod}", path]
        except KeyError:
            raise NotFound(f"{namespace}/{pod}:{port}{path}: nothing there") from None

    def can(self, verb: str, resource: str, namespace: str | None = None) -> bool:
        """Everything."""
        return True

    def server_version(self) -> str:
        """A version."""
        return "v1.34.4"

    def ahead(self) -> float:
        """Its clock is ours."""
        return 0.0


def merged(old: Object, new: Object) -> Object:
    """A JSON merge patch: what `new` says goes before `old`, None removes."""
    found = copy.deepcopy(old)
    for key, value in new.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merged(found[key], value)
        else:
            found[key] = copy.deepcopy(value)
    return found


def _has(item: Object, wanted: Sequence[tuple[str, str]]) -> bool:
    labels = item["metadata"].get("labels") or {}
    return all(labels.get(key) == value if value else key in labels for key, value in wanted)
