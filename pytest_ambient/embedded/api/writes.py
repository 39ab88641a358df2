"""Creating, replacing and patching objects as clients ask for it."""

import json
from typing import Any

from ..objects import Object, name_of
from . import patch_json, patch_strategic
from .applying import apply_config
from .body import object_for, parsed
from .conform import check_namespace, check_status, finish, own, take
from .copying import copied
from .defaults import fill
from .errors import ApiError, Cause, bad_request, invalid, not_implemented, unsupported_media
from .reads import current
from .route import Target
from .store import Store
from .write_options import Options

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH, APPLY_PATCH = "application/strategic-merge-patch+json", "application/apply-patch+yaml"


def create(store: Store, about: Target, content: Any, how: Options) -> Object:
    """Create the object that a client sent."""
    resource = about.resource
    if resource.empty:
        raise not_implemented(f"{resource.kind} objects ({about.api_version})")
    obj = object_for(about, content)
    check_namespace(store, about, name_of(obj))
    take(store, about, obj, how)
    if resource.status:
        obj.pop("status", None)
    finish(store, about, obj, None, how)
    return store.create(resource, obj, dry_run=how.dry_run)


def update(store: Store, about: Target, content: Any, how: Options) -> Object:
    """Replace an object, or its status, by what a client sent."""
    old = current(store, about)
    obj = object_for(about, content)
    take(store, about, obj, how)
    if about.resource.custom and not obj["metadata"].get("resourceVersion"):
        text = "Invalid value: 0x0: must be specified for an update"
        raise invalid(about.resource, about.name, [Cause("metadata.resourceVersion", text)])
    return put(store, about, obj, old, how)


def patch(store: Store, about: Target, content_type: str, data: bytes, how: Options) -> Object:
    """Patch an object, or its status; an apply patch may create it."""
    kind = content_type.partition(";")[0].strip()
    if kind == APPLY_PATCH:
        return apply_config(store, about, parsed("application/yaml", data), how)
    old = current(store, about)
    obj = patched(store, about, kind, about.shown(old), data)
    try:
        take(store, about, obj, how)
    except ApiError as fault:
        raise _unknown_in_patch(fault, data) from fault
    if obj.get("kind") != about.resource.kind or name_of(obj) != about.name:
        raise bad_request("the name and kind of an object can't be patched")
    return put(store, about, obj, old, how)


def patched(store: Store, about: Target, kind: str, old: Object, data: bytes) -> Object:
    """A copy of an object after a JSON, merge or strategic patch; 415 for a kind of patch that it does not take."""
    accepted = [JSON_PATCH, MERGE_PATCH, *([] if about.resource.custom else [STRATEGIC_PATCH]), APPLY_PATCH]
    if kind not in accepted:
        raise unsupported_media(accepted)
    change = parsed("application/json", data)
    if kind == JSON_PATCH:
        return patch_json.patched(old, change)
    if not isinstance(change, dict):
        raise bad_request("the patch holds no object")
    if kind == MERGE_PATCH:
        return copied(patch_json.merged(old, change))
    return copied(patch_strategic.patched(store.registry.schema(about.resource), old, change))


def put(store: Store, about: Target, obj: Object, old: Object, how: Options) -> Object:
    """Put a decoded object, or its status, in the place of `old`."""
    resource = about.resource
    if about.subresource == "status":
        return _put_status(store, about, obj, old, how)
    if resource.status:
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = copied(old["status"])
    finish(store, about, obj, old, how)
    return store.replace(resource, obj, dry_run=how.dry_run)


def _put_status(store: Store, about: Target, obj: Object, old: Object, how: Options) -> Object:
    resource = about.resource
    new = {**copied(old), "status": obj.get("status") or {}}
    for key in ("resourceVersion", "uid", "managedFields"):
        if key in obj["metadata"]:
            new["metadata"][key] = obj["metadata"][key]
    fill(store.registry.schema(resource), new)
    check_status(store, about, new)
    own(store, about, new, old, how)
    return store.replace_status(resource, new, dry_run=how.dry_run)


def _unknown_in_patch(fault: ApiError, data: bytes) -> ApiError:
    _, words, rest = fault.message.partition("strict decoding error")
    if not words:
        return fault
    text = f"Invalid value: {json.dumps(data.decode(errors='replace'))}: {words}{rest}"
    causes = [{"reason": "FieldValueInvalid", "message": text, "field": "patch"}]
    return ApiError(422, "Invalid", f' "" is invalid: patch: {text}', {"causes": causes})
