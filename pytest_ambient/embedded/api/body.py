"""Objects that requests carry: JSON or YAML, of the kind that the path names."""

import json
from typing import Any

import yaml

from ..objects import Object
from . import protobuf
from .errors import bad_request, unsupported_media
from .route import Target

JSON = "application/json"
YAML = "application/yaml"


def parsed(content_type: str, data: bytes) -> Any:
    """The decoded body; 415 for another format, 400 for a broken one."""
    kind = content_type.partition(";")[0].strip() or JSON
    if kind == protobuf.CONTENT_TYPE:
        return protobuf.decoded(data)
    if (kind == YAML or kind.endswith("+yaml")) and not data.lstrip().startswith(b"{"):
        return _yaml(data)
    if kind not in (JSON, YAML) and not kind.endswith(("+json", "+yaml")):
        raise unsupported_media([JSON, YAML])
    try:
        return json.loads(data)
    except ValueError as fault:
        if "yaml" in kind:
            return _yaml(data)
        raise bad_request(f"error decoding request body: {fault}") from fault


class _Loader(yaml.SafeLoader):
    """Leaves timestamps as the strings that they are in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(data: bytes) -> Any:
    try:
        return yaml.load(data, Loader=_Loader)  # noqa: S506 - derived from the safe loader
    except yaml.YAMLError as fault:
        raise bad_request(f"error decoding YAML: {fault}") from fault


def object_for(about: Target, content: Any) -> Object:
    """The content as an object of the target's kind, named as the path says; 400 when they differ."""
    if not isinstance(content, dict):
        raise bad_request("the request body holds no object")
    obj: Object = content
    resource = about.resource
    if obj.get("apiVersion", about.api_version) != about.api_version:
        theirs = f"the API version in the data ({obj['apiVersion']})"
        raise bad_request(f"{theirs} does not match the expected API version ({about.api_version})")
    if obj.get("kind", resource.kind) != resource.kind:
        raise bad_request(f'{obj["kind"]} in version "{about.version}" cannot be handled as a {resource.kind}')
    obj["apiVersion"], obj["kind"] = about.api_version, resource.kind
    meta = obj.setdefault("metadata", {})
    if not isinstance(meta, dict):
        raise bad_request("metadata must be an object")
    if resource.namespaced and not meta.get("namespace"):
        meta["namespace"] = about.namespace
    if meta.get("namespace", "") != about.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    if about.name and about.subresource != "binding":
        if not meta.get("name"):
            meta["name"] = about.name
        if meta["name"] != about.name:
            theirs = f"the name of the object ({meta['name']})"
            raise bad_request(f"{theirs} does not match the name on the URL ({about.name})")
    return obj
