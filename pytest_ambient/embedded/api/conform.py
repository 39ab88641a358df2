"""What happens to every object that a client writes: unknown fields, defaults, ownership, validation."""

from ..objects import Object, name_of
from .copying import copied
from .decode import decoded
from .defaults import complete
from .errors import Cause, bad_request, forbidden, misshapen, not_found
from .fields import Leaves, NoKey, leaves
from .managed import Manager, claims, record, updated
from .resources import find
from .route import Target
from .rules import broken
from .store import Store, timestamp
from .validate import faults
from .write_options import Options

NAMESPACES = find("Namespace")


def take(store: Store, about: Target, obj: Object, how: Options) -> None:
    """Take unknown fields out of `obj`: 400, a warning or nothing, as the client wants it."""
    unknown = decoded(about.resource, store.registry.schema(about.resource), obj)
    if not unknown or how.validation == "Ignore":
        return
    texts = [f'unknown field "{path}"' for path in unknown]
    if how.validation == "Warn":
        how.warnings += texts
        return
    kind = about.resource.kind
    head = f'{kind} in version "{about.version}" cannot be handled as a {kind}: strict decoding error'
    raise bad_request(f"{head}: {', '.join(texts)}")


def finish(store: Store, about: Target, obj: Object, old: Object | None, how: Options) -> None:
    """Complete `obj`, record who owns its fields and check it, before it takes the place of `old`."""
    if old is not None and about.resource.key == NAMESPACES.key and about.subresource != "finalize":
        obj["spec"] = copied(old.get("spec") or {})
    complete(about.resource, store.registry.schema(about.resource), obj)
    own(store, about, obj, old, how)
    check(store, about, obj, old)


def own(store: Store, about: Target, obj: Object, old: Object | None, how: Options) -> None:
    """Record in `obj` that its writer owns what differs from `old`."""
    given = obj["metadata"].get("managedFields")
    kept = old["metadata"].get("managedFields") if old is not None else None
    base = old if given is None or given == kept else obj
    manager = Manager(how.manager, "Update", about.api_version, about.subresource)
    before = _leaves(store, about, old) if old is not None else {}
    record(obj, updated(claims(base), manager, before, _leaves(store, about, obj), timestamp()))


def _leaves(store: Store, about: Target, obj: Object) -> Leaves:
    try:
        found = leaves(store.registry.schema(about.resource), obj, marks=True)
    except NoKey:
        return {}
    if not about.resource.status:
        return found
    mine = about.subresource == "status"
    return {path: value for path, value in found.items() if (path[0] == "f:status") is mine}


def check(store: Store, about: Target, obj: Object, old: Object | None) -> None:
    """422 with everything that is wrong about `obj`."""
    schema = store.registry.schema(about.resource)
    wrong = faults(schema, obj, custom=about.resource.custom)
    ruled = broken(about.resource, obj, old)
    explained = {each.field for each in ruled if each.reason == "FieldValueRequired"}
    wrong = [each for each in wrong if each.field not in explained]
    known = {each.field for each in wrong}
    wrong += [each for each in ruled if each.field not in known]
    if wrong:
        raise misshapen(about.resource, schema, name_of(obj), wrong)


def check_status(store: Store, about: Target, obj: Object) -> None:
    """422 with everything that is wrong about the status of `obj`."""
    status = store.registry.schema(about.resource).get("properties", {}).get("status")
    if status is None:
        return
    wrong = faults({"properties": {"_": status}}, {"_": obj.get("status", {})}, custom=about.resource.custom)
    if wrong:
        named = [Cause("status" + each.field[1:], each.message.replace("_.", "status."), each.reason) for each in wrong]
        raise misshapen(about.resource, status, about.name, named)


def check_namespace(store: Store, about: Target, name: str) -> None:
    """404 or 403 unless new objects can be put into the namespace."""
    if not about.resource.namespaced:
        return
    namespace = store.get(NAMESPACES, about.namespace)
    if namespace is None:
        raise not_found(NAMESPACES, about.namespace)
    if "deletionTimestamp" in namespace["metadata"]:
        why = f"unable to create new content in namespace {about.namespace} because it is being terminated"
        fault = forbidden(about.resource, name, why)
        text = f"namespace {about.namespace} is being terminated"
        cause = {"reason": "NamespaceTerminating", "message": text, "field": "metadata.namespace"}
        fault.details["causes"] = [cause]
        raise fault
