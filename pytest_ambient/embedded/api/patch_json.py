"""JSON patches (RFC 6902) and merge patches (RFC 7386)."""

from typing import Any

from ..objects import Object
from .copying import copied
from .errors import ApiError, bad_request

_REJECTED = "the server rejected our request due to an error in our request"


class _Missing(Exception):
    """A path leads nowhere."""


def merged(target: Any, patch: Any) -> Any:
    """The target after a merge patch; null takes a field out."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def patched(target: Object, operations: Any) -> Object:
    """The target after a JSON patch; ApiError when an operation is malformed or cannot be done."""
    if not isinstance(operations, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document: Any = copied(target)
    for each in operations:
        if not isinstance(each, dict) or "op" not in each or "path" not in each:
            raise bad_request("error decoding patch: an operation needs op and path")
        try:
            document = _step(document, each)
        except (_Missing, KeyError) as fault:
            raise ApiError(422, "Invalid", _REJECTED) from fault
    if not isinstance(document, dict):
        raise bad_request("the patched document is no object")
    return document


def _step(document: Any, operation: Object) -> Any:
    word, path = operation["op"], _split(operation["path"])
    if word == "add":
        return _put(document, path, operation["value"], insert=True)
    if word == "replace":
        _get(document, path)
        return _put(document, path, operation["value"], insert=False)
    if word == "remove":
        return _drop(document, path)
    if word in ("move", "copy"):
        source = _split(operation["from"])
        value = _get(document, source)
        kept = copied({"": value})[""]
        return _put(_drop(document, source) if word == "move" else document, path, kept, insert=True)
    if word == "test":
        if _get(document, path) != operation.get("value"):
            raise _Missing
        return document
    raise bad_request(f"error decoding patch: unexpected kind: {word}")


def _split(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _get(document: Any, path: list[str]) -> Any:
    for key in path:
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            raise _Missing
    return document


def _put(document: Any, path: list[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, key = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[key] = value
    elif isinstance(parent, list) and key == "-":
        parent.append(value)
    elif isinstance(parent, list) and key.isdigit() and int(key) <= len(parent):
        if insert:
            parent.insert(int(key), value)
        else:
            parent[int(key)] = value
    else:
        raise _Missing
    return document


def _drop(document: Any, path: list[str]) -> Any:
    parent, key = _get(document, path[:-1]), path[-1]
    _get(parent, [key])
    if isinstance(parent, dict):
        del parent[key]
    else:
        del parent[int(key)]
    return document
