"""Gives back what was changed of an object that was there before: to its owners, and without our name on it."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from pytest_ambient._kube import MANAGER, Kube, Object
from pytest_ambient.errors import Invalid

Where: TypeAlias = tuple[str, str, str | None]
"""Kind, name and namespace."""

NOBODY = MANAGER
"""Stands for the owner of values that nobody had set, such as a default of the API server's."""


def give_back(kube: Kube, where: Where, replaced: Mapping[str, Any], manager: str) -> None:
    """First the values that others had, then our fields fall away: what is required is never missing in between.

    What nobody had set is mostly there again by itself; else it is written, which leaves our name on it. What had been
    given back to this manager itself, after a state had changed what the set-up says, does not fall away and is taken.
    """
    for owner, patch in replaced.items():
        if owner != NOBODY:
            kube.patch(*where, patch, field_manager=owner)
    nobodys = replaced.get(NOBODY)
    try:
        kube.apply(bare(where), force=True, field_manager=manager)
    except Invalid:
        if nobodys is None:
            raise
        kube.patch(*where, nobodys, field_manager=NOBODY)
        kube.apply(bare(where), force=True, field_manager=manager)
        return
    if manager != NOBODY and (left := _written(kube.get(*where), manager)):
        kube.patch(*where, left, field_manager=manager)
    if nobodys is not None and not _holds(kube.get(*where), nobodys):
        kube.patch(*where, nobodys, field_manager=NOBODY)


def bare(where: Where) -> Object:
    """The object without any field of ours: applied, it makes them fall away."""
    kind, name, namespace = where
    version, _, short = kind.rpartition("/")
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": short, "metadata": meta}


def _written(now: Object | None, manager: str) -> Object:
    """A merge patch that removes what a manager owns by having written it, not by having applied it."""
    entries = (now["metadata"].get("managedFields") or []) if now else []
    mine = [entry for entry in entries if entry.get("manager") == manager and entry.get("operation") == "Update"]
    patch: Object = {}
    for entry in mine:
        patch |= _removing(entry.get("fieldsV1") or {})
    return patch


def _removing(fields: Object) -> Object:
    """Null for each field; a list, whose members have keys instead of names, is left."""
    patch: Object = {}
    for key, inner in fields.items():
        if key.startswith("f:"):
            below = _removing(inner) if inner else None
            if below != {}:
                patch[key.removeprefix("f:")] = below
    return patch


def _holds(now: object, patch: object) -> bool:
    """Whether a merge patch would change nothing."""
    if not isinstance(patch, dict):
        return now == patch
    return isinstance(now, dict) and all(
        key not in now if value is None else _holds(now.get(key), value) for key, value in patch.items()
    )
