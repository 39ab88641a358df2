"""Changes outside of a run's own namespaces: labelled, written down before they are made, and undone by that."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import BrokenEnvironment, NotFound, NotInTime
from pytest_ambient.manifest import Document
from pytest_ambient.probe.giving import give_back
from pytest_ambient.probe.ready import ready

RUN_LABEL = "pytest-ambient/run"
RUNS_AGAIN = 120.0
"""Seconds in which workloads that were scaled or restarted should run again."""
Plain: TypeAlias = Mapping[str, Any]
"""A change in plain values."""


@dataclass(frozen=True)
class Trace:
    """Who changes something, and where that is written down."""

    run: str
    ours: tuple[str, ...]
    """The run's own namespaces: what is in them goes with them."""
    note: Callable[[Plain], None]

    def outside(self, document: Document) -> bool:
        """Whether a document is not in a namespace of ours, nor one of these."""
        place = document.name if document.object["kind"] == "Namespace" else document.namespace
        return place not in self.ours

    def marked(self, document: Document) -> Document:
        """The document with the label that says whose it is."""
        meta = document.object["metadata"]
        labels = {**(meta.get("labels") or {}), RUN_LABEL: self.run}
        return replace(document, object={**document.object, "metadata": {**meta, "labels": labels}})

    def claim(self, document: Document, now: Object) -> None:
        """BrokenEnvironment for an object that another run has made: it would vanish under this one."""
        owner = owner_of(now)
        if owner not in ("", self.run):
            raise BrokenEnvironment(
                f"{document} belongs to run {owner}, which tests the same mesh now: wait for its end"
            )


def owner_of(item: Object) -> str:
    """The run that made an object; empty for one of somebody else."""
    return str((item["metadata"].get("labels") or {}).get(RUN_LABEL) or "")


def plain(document: Document, manager: str, replaced: Mapping[str, Object], *, created: bool) -> Plain:
    """What undoing a change takes, in plain values."""
    where = {"kind": document.kind, "name": document.name, "namespace": document.namespace}
    return {**where, "manager": manager, "created": created, "replaced": dict(replaced)}


def take_back(kube: Kube, run: str, changes: Iterable[Plain]) -> list[str]:
    """Undo what a dead run changed, the last first, and name it; what is undone already is left alone.

    What was scaled or restarted is given time to run as before.
    """
    done = [(change, words) for change in reversed(list(changes)) if (words := _taken_back(kube, run, change))]
    with suppress(NotInTime):  # what does not run by itself has its values back all the same
        ready(kube, [_document(change) for change, _ in done if not change["created"]], RUNS_AGAIN)
    return [words for _, words in done]


def _taken_back(kube: Kube, run: str, change: Plain) -> str:
    kind, name, namespace = str(change["kind"]), str(change["name"]), change["namespace"]
    try:
        now = kube.get(kind, name, namespace)
    except NotFound:  # the kind has gone, and all of it
        return ""
    words = f"{kind.rpartition('/')[2]} {namespace}/{name}" if namespace else f"{kind.rpartition('/')[2]} {name}"
    if now is None:
        return ""
    if change["created"]:
        if owner_of(now) != run:
            return ""
        kube.delete(kind, name, namespace, wait=30)
        return words
    if not _owns(now, str(change["manager"])):
        return ""
    give_back(kube, (kind, name, namespace), change["replaced"], str(change["manager"]))
    return words


def _document(change: Plain) -> Document:
    version, _, kind = str(change["kind"]).rpartition("/")
    meta = {"name": change["name"], "namespace": change["namespace"]}
    return Document({"apiVersion": version, "kind": kind, "metadata": meta}, Path(), 0)


def _owns(now: Object, manager: str) -> bool:
    """Whether what was applied is there still; values given back in nobody's name are none of that."""
    entries = now["metadata"].get("managedFields") or []
    return any(entry.get("manager") == manager and entry.get("operation") == "Apply" for entry in entries)
