"""Deleting objects as clients ask for it."""

from collections.abc import Mapping
from typing import Any

from ..objects import Object, name_of, namespace_of
from .conform import NAMESPACES
from .errors import bad_request, conflict, forbidden
from .reads import current, selected
from .resources import Resource, find
from .route import Target, chosen, whole
from .store import Store
from .write_options import Options

_RETURNED = frozenset({"pods", "services", "serviceaccounts"})
_IMMORTAL = frozenset({"default", "kube-public", "kube-system"})
_POLICIES = ("Background", "Foreground", "Orphan")
_PODS_STAY = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
_JOBS = find("Job", "batch")


def delete(store: Store, about: Target, query: Mapping[str, str], content: Any, how: Options) -> Object:
    """Delete one object; the answer is what is left of it, or a Status when nothing is."""
    wanted = _options(query, content)
    how.warnings += _warnings(about.resource, wanted)
    old = current(store, about)
    _check(about, old, wanted.get("preconditions") or {})
    last = _one(store, about, old, wanted)
    gone = store.get(about.resource, about.name, about.namespace) is None
    if about.resource.plural in _RETURNED or not (gone or wanted.get("dryRun")):
        return about.shown(last)
    details = {
        "name": about.name,
        "group": about.resource.group,
        "kind": about.resource.plural,
        "uid": old["metadata"]["uid"],
    }
    return {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }  # fmt: skip


def delete_all(store: Store, about: Target, query: Mapping[str, str], content: Any, how: Options) -> Object:
    """Delete all objects that the selectors choose; the answer lists them."""
    wanted = _options(query, content)
    how.warnings += _warnings(about.resource, wanted)
    chosen_ones = selected(store, about, query)
    items = [about.shown(_one(store, about, each, wanted)) for each in chosen_ones if _present(store, about, each)]
    meta = {"resourceVersion": str(store.version)}
    return {"kind": f"{about.resource.kind}List", "apiVersion": about.api_version, "metadata": meta, "items": items}


def _present(store: Store, about: Target, obj: Object) -> bool:
    return store.get(about.resource, name_of(obj), namespace_of(obj)) is not None


def _one(store: Store, about: Target, old: Object, wanted: Object) -> Object:
    if about.resource.key == NAMESPACES.key and name_of(old) in _IMMORTAL:
        raise forbidden(about.resource, name_of(old), "this namespace may not be deleted")
    return store.delete(
        about.resource, name_of(old), namespace_of(old),
        grace=wanted.get("gracePeriodSeconds"), propagation=_policy(about.resource, wanted),
        dry_run=bool(wanted.get("dryRun")),
    )  # fmt: skip


def _options(query: Mapping[str, str], content: Any) -> Object:
    """The DeleteOptions of body and query together; the query wins."""
    if content is not None and not isinstance(content, dict):
        raise bad_request("the request body holds no DeleteOptions")
    wanted: Object = dict(content or {})
    grace = whole(query, "gracePeriodSeconds")
    if grace is not None:
        wanted["gracePeriodSeconds"] = grace
    for name in ("propagationPolicy", "orphanDependents"):
        if query.get(name):
            wanted[name] = query[name]
    if query.get("dryRun"):
        wanted["dryRun"] = [query["dryRun"]]
    if wanted.get("dryRun") not in (None, [], ["All"]):
        raise bad_request(f'dryRun: Unsupported value: {wanted["dryRun"]}: supported values: "All"')
    return wanted


def _warnings(resource: Resource, wanted: Object) -> list[str]:
    return [_PODS_STAY] if _orphaned_unasked(resource, wanted) else []


def _orphaned_unasked(resource: Resource, wanted: Object) -> bool:
    """Whether what it owns stays because nobody says otherwise: for Jobs that is the default."""
    return (
        resource.key == _JOBS.key
        and not wanted.get("propagationPolicy")
        and wanted.get("orphanDependents") in (None, "")
    )


def _policy(resource: Resource, wanted: Object) -> str:
    if wanted.get("orphanDependents") in (True, "true") or _orphaned_unasked(resource, wanted):
        return "Orphan"
    return chosen(_POLICIES, wanted.get("propagationPolicy") or "", "propagationPolicy")


def _check(about: Target, old: Object, asked: Object) -> None:
    for field, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        given, kept = asked.get(field), old["metadata"][field]
        if given and given != kept:
            both = f"{name} in precondition: {given}, {name} in object meta: {kept}"
            raise conflict(about.resource, about.name, f"Precondition failed: {both}")


def evict(store: Store, about: Target, content: Any) -> Object:
    """Delete a pod as `kubectl drain` asks for it."""
    wanted = _options({}, (content or {}).get("deleteOptions"))
    old = current(store, about)
    _check(about, old, wanted.get("preconditions") or {})
    if not wanted.get("dryRun"):
        store.delete(about.resource, about.name, about.namespace, grace=wanted.get("gracePeriodSeconds"))
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
