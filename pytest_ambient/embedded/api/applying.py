"""Server-side apply as clients ask for it."""

import json
from typing import Any

from ..objects import Object, annotations_of
from . import apply
from .body import object_for
from .conform import check, check_namespace, check_status
from .copying import copied
from .decode import decoded
from .defaults import complete
from .errors import ApiError, bad_request, conflict, not_found, not_implemented
from .fields import NoKey, Path, leaves
from .managed import Claim, Manager, claims, record
from .route import Target
from .store import Resource, Store, timestamp
from .write_options import Options

_BEFORE = "before-first-apply"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def apply_config(store: Store, about: Target, content: Any, how: Options) -> Object:
    """Apply a configuration to an object, which it may bring into being, and return what is stored then."""
    config = object_for(about, content)
    if config["metadata"].get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    unknown = decoded(about.resource, store.registry.schema(about.resource), config)
    if unknown:
        raise _untyped(about, f".{unknown[0]}: field not declared in schema")
    old = store.get(about.resource, about.name, about.namespace)
    if old is None:
        return _create(store, about, config, how)
    if config["metadata"].pop("resourceVersion", "") not in ("", old["metadata"]["resourceVersion"]):
        raise conflict(about.resource, about.name)
    new = _joined(store, about, copied(old), config, how)
    check(store, about, new, old)
    if about.subresource == "status":
        check_status(store, about, new)
        return store.replace_status(about.resource, new, dry_run=how.dry_run)
    return store.replace(about.resource, new, dry_run=how.dry_run)


def installed(store: Store, resource: Resource, item: Object, manager: str) -> Object:
    """Make an object of which a manager is said to have applied all that it says, and return what is stored."""
    said, new = frozenset(leaves(store.registry.schema(resource), item, marks=False)), copied(item)
    record(new, [Claim(Manager(manager, "Apply", resource.api_version), said, timestamp())])
    return store.create(resource, new)


def _create(store: Store, about: Target, config: Object, how: Options) -> Object:
    if about.subresource:
        raise not_found(about.resource, about.name)
    if about.resource.empty:
        raise not_implemented(f"{about.resource.kind} objects ({about.api_version})")
    if config["metadata"].get("resourceVersion") or config["metadata"].get("uid"):
        raise conflict(about.resource, about.name)
    check_namespace(store, about, about.name)
    new = _joined(store, about, {"metadata": {}}, config, how)
    check(store, about, new, None)
    return store.create(about.resource, new, dry_run=how.dry_run)


def _joined(store: Store, about: Target, live: Object, config: Object, how: Options) -> Object:
    _strip(about, config)
    schema = store.registry.schema(about.resource)
    manager = Manager(how.manager, "Apply", about.api_version, about.subresource)
    owned: list[Claim] = claims(live)
    live["metadata"].pop("managedFields", None)
    free = _last_applied(schema, live) if how.manager == "kubectl" else frozenset[Path]()
    try:
        owned = owned or _unclaimed(schema, live)
        new, owned = apply.applied(schema, live, config, owned, manager, force=how.force, now=timestamp(), free=free)
    except NoKey as fault:
        raise _untyped(about, str(fault)) from fault
    new = copied(new)
    complete(about.resource, schema, new)
    record(new, owned)
    return new


def _unclaimed(schema: Object, live: Object) -> list[Claim]:
    """Who is said to have written what was there before anybody applied to it: an apply that ends takes none of it."""
    known = leaves(schema, live, marks=True) if "uid" in live["metadata"] else {}
    there = frozenset(path for path in known if path[0] != "f:status")
    manager = Manager(_BEFORE, "Update", str(live.get("apiVersion", "")))
    return [Claim(manager, there, timestamp())] if there else []


def _last_applied(schema: Object, live: Object) -> frozenset[Path]:
    """What `kubectl apply` set before it went over to server-side apply, where nobody changed it since."""
    try:
        last = json.loads(annotations_of(live).get(_LAST_APPLIED, "{}"))
        then, now = leaves(schema, last, marks=False), leaves(schema, live, marks=False)
    except (ValueError, NoKey):
        return frozenset()
    return frozenset(path for path, value in then.items() if path in now and now[path] == value)


def _strip(about: Target, config: Object) -> None:
    """Leave out of a configuration what this endpoint does not write."""
    if about.subresource == "status":
        for key in set(config) - {"apiVersion", "kind", "metadata", "status"}:
            del config[key]
    elif about.resource.status:
        config.pop("status", None)


def _untyped(about: Target, why: str) -> ApiError:
    where = f"{about.namespace}/{about.name}; {about.api_version}, Kind={about.resource.kind}"
    return ApiError(500, "", f"failed to create typed patch object ({where}): {why}")
