"""Which istiod looks after a run's namespaces, where a cluster has several by revision, as during a canary upgrade."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_ambient._kube import Kube, Object
from pytest_ambient.errors import Forbidden
from pytest_ambient.mesh.dataplane import DEFAULT, ZTUNNEL, revision, workloads

TAGS = ("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "v1/Service")
"""What carries a tag: webhooks, since Istio 1.28 Services."""


@dataclass(frozen=True)
class Chosen:
    """The istiod of this run's namespaces."""

    istiod: Object = field(hash=False)
    """Its Deployment."""
    label: str = ""
    """The revision that our objects must name for it to look at them; empty where it looks after all that name none."""
    words: str = ""
    """Which one it is and why, where there are several; else empty."""


def chosen(kube: Kube, found: Sequence[Object]) -> Chosen:
    """Of the istiods found, at least one, the default one if it does ambient mode; else the one of the ztunnels."""
    if len(found) == 1 and revision(found[0]) == DEFAULT:
        return Chosen(found[0])
    fit = [item for item in found if _ambient(item)] or list(found)
    default = _default(kube)
    if default is None:  # alone it is taken for the default one, as it mostly is; of several one is named
        default = DEFAULT if len(found) > 1 else revision(found[0])
    one, why = _first(fit, {default}), "the default one"
    if one is None:
        ztunnels = {revision(item) for item in workloads(kube, *ZTUNNEL.parts["ztunnel"])}
        one, why = _first(fit, ztunnels), "the one of the ztunnels, none is the default one in ambient mode"
    if one is None:
        one, why = fit[0], "the first one, neither a tag nor the ztunnels name one"
    label = "" if revision(one) == default else revision(one)
    return Chosen(one, label, _words(one, found, why) if len(found) > 1 else "")


def _first(items: Sequence[Object], revisions: set[str]) -> Object | None:
    return next((item for item in items if revision(item) in revisions), None)


def _words(one: Object, found: Sequence[Object], why: str) -> str:
    others = sorted(revision(item) for item in found if item is not one)
    where = one["metadata"]["namespace"]
    return f"istiod of revision {revision(one)} in {where} is judged, {why}; beside it there is {', '.join(others)}"


def _ambient(item: Object) -> bool:
    spec = ((item.get("spec") or {}).get("template") or {}).get("spec") or {}
    said = [entry for container in spec.get("containers") or [] for entry in container.get("env") or []]
    return any(e["name"] == "PILOT_ENABLE_AMBIENT" and str(e.get("value")).lower() == "true" for e in said)


def _default(kube: Kube) -> str | None:
    """The revision that looks after what names none: a tag's, else `default`; None when nobody may look."""
    try:
        tags = (item for kind in TAGS for item in kube.list(kind, labels=f"istio.io/tag={DEFAULT}"))
        return next((revision(item) for item in tags), DEFAULT)
    except Forbidden:
        return None
