"""What this user may do in a cluster that is already there, asked rule by rule before anything is touched."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_ambient.finding import Finding

if TYPE_CHECKING:
    from pytest_ambient._kube import Kube

Object: TypeAlias = dict[str, Any]

MANIFEST = Path(__file__).parent / "rbac.yaml"
"""The ClusterRoles with all that a run asks for: the first reads, the second writes."""

PRINT = "pytest-ambient doctor --rbac"
"""Prints the manifest."""

SIDE_BY_SIDE = 16
"""Questions at a time."""


@dataclass(frozen=True, order=True)
class Wish:
    """One verb on one resource, in all namespaces: those of a run do not exist yet."""

    resource: str
    """`RESOURCE[.GROUP][/SUBRESOURCE]`."""
    verb: str
    writes: bool
    """Whether it is asked for by the role that writes."""

    @property
    def changes(self) -> bool:
        """Whether it changes an object; execs and logs do not."""
        return self.writes and self.verb != "get" and "/" not in self.resource


@dataclass(frozen=True)
class Permissions:
    """What was allowed and what was not."""

    granted: tuple[Wish, ...]
    refused: tuple[Wish, ...]

    @property
    def read_only(self) -> str:
        """Why nothing can be written; empty when something can."""
        if any(one.changes for one in self.granted) or not any(one.changes for one in self.refused):
            return ""
        return "read-only: this user may not create namespaces"

    @property
    def missing(self) -> tuple[Wish, ...]:
        """What keeps a run from starting: any refusal, of a reader only one to read."""
        return tuple(one for one in self.refused if not (self.read_only and one.writes))

    @property
    def finding(self) -> Finding:
        """The permissions in one line."""
        if self.missing:
            return Finding(
                "permissions",
                "failed",
                f"this user may not {listed(self.missing)}",
                f"all that a run needs is in the ClusterRoles that `{PRINT}` prints",
            )
        if self.read_only:
            remedy = f"bind the ClusterRole pytest-ambient-write that `{PRINT}` prints"
            return Finding("permissions", "warning", self.read_only, remedy)
        return Finding("permissions", "ok", f"all {len(self.granted)} that a run needs")


def wishes() -> tuple[Wish, ...]:
    """Every verb on every resource of the manifest's rules, in its order."""
    import yaml

    found: list[Object] = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))
    return tuple(
        dict.fromkeys(
            wish
            for role in found
            for rule in role["rules"]
            for wish in _of(rule, writes="write" in role["metadata"]["name"])
        )
    )


def ask(kube: "Kube", wanted: Sequence[Wish] | None = None) -> Permissions:
    """The API server's answers, asked side by side; KubeError when it gives none."""
    asked = wishes() if wanted is None else tuple(wanted)
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="ambient-permissions") as threads:
        answers = list(threads.map(lambda wish: kube.can(wish.verb, wish.resource), asked))
    answered = list(zip(asked, answers, strict=True))
    return Permissions(tuple(w for w, yes in answered if yes), tuple(w for w, yes in answered if not yes))


def listed(refused: Iterable[Wish]) -> str:
    """`create, patch deployments.apps; get pods/log`."""
    verbs: dict[str, list[str]] = {}
    for wish in refused:
        verbs.setdefault(wish.resource, []).append(wish.verb)
    return "; ".join(f"{', '.join(found)} {resource}" for resource, found in verbs.items())


def _of(rule: Object, *, writes: bool) -> Iterator[Wish]:
    for group in rule["apiGroups"]:
        for named in rule["resources"]:
            plural, slash, sub = named.partition("/")
            resource = f"{plural}.{group}" if group else plural
            yield from (Wish(f"{resource}{slash}{sub}", verb, writes) for verb in rule["verbs"])
