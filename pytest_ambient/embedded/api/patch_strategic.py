"""Strategic merge patches: lists of built-in kinds merge by the keys that their schemas name, directives included."""

from typing import Any

from ..objects import Object
from .decode import quoted
from .errors import ApiError, bad_request
from .schema import resolved

_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
_LISTS = ("$retainKeys", _ORDER, _DELETE)


def patched(schema: Object, target: Object, patch: Object) -> Object:
    """The target after the patch; ApiError when the patch contradicts itself or lacks a merge key."""
    result = _object(resolved(schema), target, patch)
    return result if result is not None else {}


def _object(shape: Object, target: Object, patch: Object) -> Object | None:
    word = patch.get("$patch")
    if word == "delete":
        return None
    if word == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    if word not in (None, "merge"):
        raise bad_request(f"unrecognized patch type: {word}")
    for key, value in patch.items():
        if key.startswith(_LISTS) and not isinstance(value, list):
            raise bad_request(f"{key} must be a list")
    kept = patch.get("$retainKeys")
    result = {key: value for key, value in target.items() if kept is None or key in kept}
    for key in _fields(patch):
        field = _field(shape, key)
        if key in patch and patch[key] is None:
            result.pop(key, None)
            continue
        value = _value(field, result.get(key), patch, key)
        if value is None:
            result.pop(key, None)
        else:
            result[key] = value
    return result


def _fields(patch: Object) -> list[str]:
    """The fields that the patch speaks of, those with nothing but directives included."""
    names = (key.removeprefix(_ORDER).removeprefix(_DELETE) for key in patch)
    return [name for name in dict.fromkeys(names) if not name.startswith("$")]


def _field(shape: Object, key: str) -> Object:
    extra = shape.get("additionalProperties")
    found = shape.get("properties", {}).get(key) or (extra if isinstance(extra, dict) else {})
    return dict(found) | {key: value for key, value in resolved(found).items() if key not in found}


def _value(field: Object, current: Any, patch: Object, key: str) -> Any:
    given = patch.get(key)
    if isinstance(given, dict):
        return _object(field, current if isinstance(current, dict) else {}, given)
    if given is not None and not isinstance(given, list):
        return given
    merges = "merge" in field.get("x-kubernetes-patch-strategy", "")
    if not merges:
        return given if given is not None else current
    return _list(field, current if isinstance(current, list) else [], patch, key)


def _list(field: Object, current: list[Any], patch: Object, key: str) -> list[Any] | None:
    given, order = patch.get(key) or [], patch.get(_ORDER + key)
    name = field.get("x-kubernetes-patch-merge-key")
    if name is None:
        dropped = patch.get(_DELETE + key) or []
        result = [each for each in current if each not in dropped]
        result += [each for each in given if each not in result]
        return _ordered(result, current, order, lambda each: each)
    if any(isinstance(each, dict) and each.get("$patch") == "replace" for each in given):
        return [each for each in given if each.get("$patch") != "replace"]
    result = _merge_items(field, current, given, name)
    return _ordered(result, current, order, lambda each: each.get(name))


def _merge_items(field: Object, current: list[Any], given: list[Any], name: str) -> list[Any]:
    result = list(current)
    shape = resolved(field["items"])
    for each in given:
        if not isinstance(each, dict) or name not in each:
            raise _no_key(each, name)
        places = [number for number, item in enumerate(result) if item.get(name) == each[name]]
        if each.get("$patch") == "delete":
            result = [item for item in result if item.get(name) != each[name]]
        elif places:
            changed = _object(shape, result[places[0]], each)
            result[places[0]] = changed if changed is not None else {}
        else:
            result.append(_object(shape, {}, each))
    return result


def _no_key(item: Any, name: str) -> ApiError:
    return bad_request(f"map: {quoted(item)} does not contain declared merge key: {name}")


def _ordered(result: list[Any], before: list[Any], order: list[Any] | None, key: Any) -> list[Any]:
    """The items in the order that the patch wants; those it does not name stay behind what they stood behind."""
    if not order:
        return result
    wanted = [key(each) if isinstance(each, dict) else each for each in order]
    named = sorted((each for each in result if key(each) in wanted), key=lambda each: wanted.index(key(each)))
    others = [each for each in result if key(each) not in wanted]
    places = {quoted(key(each)): number for number, each in enumerate(before)}
    merged: list[Any] = []
    for each in named:
        here = places.get(quoted(key(each)), -1)
        while others and places.get(quoted(key(others[0])), len(before)) < here:
            merged.append(others.pop(0))
        merged.append(each)
    return merged + others
