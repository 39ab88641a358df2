"""Getting and listing objects, in pages if asked for."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from ..objects import Object, name_of, namespace_of
from .errors import ApiError, bad_request, expired, not_found
from .negotiate import Form, many, one
from .route import Target, whole
from .selectors import by_fields, by_labels
from .store import Store

_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter."
)


def current(store: Store, about: Target) -> Object:
    """The object that a request names; 404 when there is none."""
    found = store.get(about.resource, about.name, about.namespace)
    if found is None:
        raise not_found(about.resource, about.name)
    return found


def get(store: Store, about: Target, wanted: Form) -> Object:
    """The answer to a GET of one object."""
    return one(store.registry, about, current(store, about), wanted)


def selected(store: Store, about: Target, query: Mapping[str, str]) -> list[Object]:
    """The objects that a request's selectors choose, in order."""
    labels = by_labels(query.get("labelSelector", ""))
    fields = by_fields(about.resource, query.get("fieldSelector", ""))
    found = store.list(about.resource, about.namespace)
    return [each for each in found if labels(each) and fields(each)]


def list_(store: Store, about: Target, query: Mapping[str, str], wanted: Form) -> Object:
    """The answer to a GET of a list."""
    _check_version(store, query)
    found = selected(store, about, query)
    meta: Object = {"resourceVersion": str(store.version)}
    if token := query.get("continue"):
        version, last = _opened(token)
        if store.since(version) is None:
            raise expired(_OLD)
        meta["resourceVersion"] = str(version)
        found = [each for each in found if _key(each) > last]
    limit = whole(query, "limit") or 0
    if 0 < limit < len(found):
        meta["remainingItemCount"] = len(found) - limit
        found = found[:limit]
        meta["continue"] = _sealed(int(meta["resourceVersion"]), _key(found[-1]))
    return many(store.registry, about, found, meta, wanted)


def _check_version(store: Store, query: Mapping[str, str]) -> None:
    asked = whole(query, "resourceVersion")
    if not asked:
        return
    if asked > store.version:
        message = f"Too large resource version: {asked}, current: {store.version}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise ApiError(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1})
    if query.get("resourceVersionMatch") == "Exact" and asked != store.version:
        raise expired(f"The resourceVersion for the provided list is too old: {asked}")


def _key(obj: Object) -> list[str]:
    return [namespace_of(obj), name_of(obj)]


def _sealed(version: int, last: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([version, last]).encode()).decode()


def _opened(token: str) -> tuple[int, Any]:
    try:
        version, last = json.loads(base64.urlsafe_b64decode(token))
        return int(version), last
    except (ValueError, TypeError) as fault:
        raise bad_request("continue key is not valid: " + str(fault)) from fault
