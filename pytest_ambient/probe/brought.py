"""What a rule brings into the cluster: what of it does not run, and whose status is not of its present generation."""

from collections.abc import Sequence

from pytest_ambient._kube import Kube
from pytest_ambient.errors import NotInTime
from pytest_ambient.manifest import Document
from pytest_ambient.probe.ready import ready, started_for
from pytest_ambient.probe.status import status_of
from pytest_ambient.stuck import PROGRAM, Waits, stuck

STATUS_FROM_ISTIO = ("AuthorizationPolicy", "HTTPRoute", "GRPCRoute")
"""Kinds whose status istiod writes; it may be switched off, so nothing but evidence hangs on it."""


def started(kube: Kube, documents: Sequence[Document], kept: Sequence[Document], within: float) -> list[str]:
    """Waits until what a rule brings runs, and gives what does not in time: that is for its cases to tell.

    Raises NotInTime where a pod of an object that was not there before gets no image, node or volume: no mesh is the
    cause.
    """
    waits = Waits(mesh=False)
    try:
        ready(kube, documents, within, waits, kept)
    except NotInTime as error:
        if waits.given_up:
            raise
        return [str(error)]
    return []


def hindered(kube: Kube, document: Document) -> str:
    """Why a pod of a document gets no image, node or container at this moment: no mesh is the cause; empty for none."""
    found = (one for pod in started_for(kube, document) for one in stuck(pod) if one.key[2] != PROGRAM)
    return next((f"pod {one.key[0]} {one.what}" for one in found), "")


def lagging(kube: Kube, documents: Sequence[Document]) -> list[str]:
    """The documents whose status does not speak of their present generation, one line each."""
    found = []
    for document in documents:
        if document.object["kind"] not in STATUS_FROM_ISTIO:
            continue
        status = status_of(kube.get(document.kind, document.name, document.namespace))
        current = [c for c in status.conditions if c.observed_generation in (None, status.generation)]
        if status.exists and not current:
            found.append(f"{document}: no condition for its present generation ({status})")
    return found
