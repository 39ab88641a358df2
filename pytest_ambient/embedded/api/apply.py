"""Server-side apply: a configuration is merged, its manager owns what it says and loses what it no longer says."""

from collections.abc import Set
from dataclasses import replace
from typing import Any

from ..objects import Object
from . import fields
from .errors import ApiError
from .fields import Leaves, Path
from .managed import Claim, Manager
from .schema import resolved


def applied(
    schema: Object, live: Object, config: Object, owned: list[Claim], manager: Manager, *,
    force: bool, now: str, free: Set[Path] = frozenset(),
) -> tuple[Object, list[Claim]]:  # fmt: skip
    """The object after `manager` applied `config`, and who owns what then.

    409 with all conflicting fields, unless `force`, when another manager owns a field that would change; `free` are
    those that may be taken all the same.
    """
    wanted = fields.leaves(schema, config, marks=False)
    before = fields.leaves(schema, live, marks=True)
    mine = frozenset().union(*(claim.paths for claim in owned if claim.manager == manager))
    others = [claim for claim in owned if claim.manager != manager]
    merged = _merged(schema, live, config)
    dropped = mine - wanted.keys() - frozenset().union(*(claim.paths for claim in others))
    needed = wanted.keys() | {path for claim in others for path in claim.paths}
    result = _without(schema, merged, dropped, needed, ()) or {}
    taken = {path for path in wanted if path in before and before[path] != wanted[path]}
    conflicts = [(claim.manager, path) for claim in others for path in sorted((claim.paths & taken) - free)]
    if conflicts and not force:
        raise _conflict(conflicts)
    others = [replace(claim, paths=claim.paths - taken) for claim in others]
    return result, [*others, Claim(manager, frozenset(wanted), _when(owned, manager, wanted, live, result, now))]


def _when(owned: list[Claim], manager: Manager, wanted: Leaves, live: Object, result: Object, now: str) -> str:
    last = next((claim for claim in owned if claim.manager == manager), None)
    same = last is not None and last.paths == frozenset(wanted) and live == result
    return last.time if last is not None and same else now


def _conflict(conflicts: list[tuple[Manager, Path]]) -> ApiError:
    conflicts = sorted(conflicts, key=lambda each: (str(each[0]), fields.text(each[1])))
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {manager}", "field": fields.text(path)}
        for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        message = f"Apply failed with 1 conflict: conflict with {manager}: {fields.text(path)}"
    else:
        lines: list[str] = []
        for manager in dict.fromkeys(each for each, _ in conflicts):
            lines.append(f"conflicts with {manager}:")
            lines += [f"- {fields.text(path)}" for each, path in conflicts if each == manager]
        message = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", message, {"causes": causes})


def _atomic(schema: Object, shape: Object) -> bool:
    return "atomic" in (shape.get("x-kubernetes-map-type"), schema.get("x-kubernetes-map-type"))


def _merged(schema: Object, live: Any, given: Any) -> Any:
    shape = resolved(schema)
    if isinstance(given, dict) and isinstance(live, dict) and not _atomic(schema, shape):
        result = dict(live)
        known, extra = shape.get("properties", {}), shape.get("additionalProperties")
        for key, value in given.items():
            field = known.get(key) or (extra if isinstance(extra, dict) else {})
            result[key] = _merged(field, live[key], value) if key in live else value
        return result
    if isinstance(given, list) and isinstance(live, list):
        kind = schema.get("x-kubernetes-list-type")
        if kind == "set":
            return [*live, *(each for each in given if each not in live)]
        if kind == "map":
            return _merged_items(schema, live, given)
    return given


def _merged_items(schema: Object, live: list[Any], given: list[Any]) -> list[Any]:
    result = {fields.item_key(schema, each): each for each in live}
    for each in given:
        key = fields.item_key(schema, each)
        result[key] = _merged(schema["items"], result[key], each) if key in result else each
    return list(result.values())


def _without(schema: Object, value: Any, dropped: set[Path] | frozenset[Path], needed: set[Path], path: Path) -> Any:
    """The value without the dropped leaves; None when nothing of it is left."""
    if not dropped:
        return value
    shape = resolved(schema)
    if isinstance(value, dict):
        known, extra = shape.get("properties", {}), shape.get("additionalProperties")
        result = {}
        for key, each in value.items():
            below = (*path, f"f:{key}")
            field = known.get(key) or (extra if isinstance(extra, dict) else {})
            left = each if below not in dropped else None
            left = _without(field, left, _under(dropped, below), needed, below) if left is not None else None
            if left is not None:
                result[key] = left
        return result if result or not value else None
    if isinstance(value, list) and schema.get("x-kubernetes-list-type") in ("map", "set"):
        return _items_without(schema, value, dropped, needed, path)
    return value


def _items_without(schema: Object, value: list[Any], dropped: Any, needed: set[Path], path: Path) -> Any:
    result = []
    for each in value:
        below = (*path, fields.item_key(schema, each))
        if below in dropped:
            continue
        if (*below, ".") in dropped and not any(want[: len(below)] == below for want in needed):
            continue
        left = (
            _without(schema["items"], each, _under(dropped, below), needed, below) if isinstance(each, dict) else each
        )
        if left is not None:
            result.append(left)
    return result or None


def _under(paths: Any, prefix: Path) -> set[Path]:
    return {path for path in paths if path[: len(prefix)] == prefix}
