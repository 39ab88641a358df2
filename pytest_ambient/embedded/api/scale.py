"""The scale subresource: how many copies a workload has."""

import json
from typing import Any

from ..objects import Object
from . import jsonpath, patch_json
from .body import object_for, parsed
from .cells import selector_query
from .copying import copied
from .errors import Cause, bad_request, invalid, unsupported_media
from .reads import current
from .resources import Resource
from .route import Target
from .store import Store
from .write_options import Options
from .writes import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, put

_SCALE = Resource("autoscaling", "v1", "Scale", "scales")


def get_scale(store: Store, about: Target) -> Object:
    """The workload's Scale."""
    return _scale(about.resource, current(store, about))


def put_scale(store: Store, about: Target, content: Any, how: Options) -> Object:
    """Change the number of copies to that of the Scale which a client sent."""
    old = current(store, about)
    new = object_for(Target(_SCALE, "v1", about.namespace, about.name), content)
    wanted = (new.get("spec") or {}).get("replicas", 0)
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        raise bad_request(f"spec.replicas: Invalid value: {json.dumps(wanted)}")
    if wanted < 0:
        text = f"Invalid value: {wanted}: must be greater than or equal to 0"
        raise invalid(_SCALE, about.name, [Cause("spec.replicas", text)])
    obj = copied(old)
    obj.setdefault("spec", {})["replicas"] = wanted
    if new["metadata"].get("resourceVersion"):
        obj["metadata"]["resourceVersion"] = new["metadata"]["resourceVersion"]
    return _scale(about.resource, put(store, about, obj, old, how))


def patch_scale(store: Store, about: Target, content_type: str, data: bytes, how: Options) -> Object:
    """Change the number of copies by a patch of the Scale."""
    kind = content_type.partition(";")[0].strip()
    scale = _scale(about.resource, current(store, about))
    if kind == JSON_PATCH:
        return put_scale(store, about, patch_json.patched(scale, parsed("", data)), how)
    if kind in (MERGE_PATCH, STRATEGIC_PATCH):
        return put_scale(store, about, patch_json.merged(scale, parsed("", data)), how)
    if kind == APPLY_PATCH:
        return put_scale(store, about, patch_json.merged(scale, parsed("application/yaml", data)), how)
    raise unsupported_media([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH])


def _scale(resource: Resource, obj: Object) -> Object:
    status: Object = {"replicas": obj.get("status", {}).get("replicas", 0)}
    selector = _selector(resource, obj)
    if selector:
        status["selector"] = selector
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": obj.get("spec", {}).get("replicas", 0)},
        "status": status,
    }


def _selector(resource: Resource, obj: Object) -> str:
    if not resource.custom:
        return selector_query(obj["spec"].get("selector") or {})
    texts = jsonpath.found(resource.selector_path, obj) if resource.selector_path else []
    return texts[0] if texts and isinstance(texts[0], str) else ""
