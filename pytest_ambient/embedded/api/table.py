"""Tables: the answers that `kubectl get` prints, with the columns of the real server."""

from collections.abc import Sequence
from typing import Any

from ..objects import Object
from . import columns, jsonpath
from .ages import age
from .column import AGE, NAME, Column, compact
from .registry import Registry
from .resources import Resource


def table(registry: Registry, resource: Resource, objects: Sequence[Object], *, include: str, version: str) -> Object:
    """The `Table` of those objects; `include` is None, Metadata or Object, `version` the list's resourceVersion."""
    shown = _columns(registry, resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [each.definition() for each in shown],
        "rows": [_row(shown, each, include) for each in objects],
    }


def _row(shown: Sequence[Column], obj: Object, include: str) -> Object:
    row: Object = {"cells": [each.cell(obj) for each in shown]}
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        meta = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
        row["object"] = meta
    return row


def _columns(registry: Registry, resource: Resource) -> Sequence[Column]:
    if not resource.custom:
        return columns.of(resource)
    defined = registry.columns(resource)
    named = [_custom(each) for each in defined]
    return [NAME, *(named or [AGE])]


def _custom(defined: Object) -> Column:
    path, kind = defined["jsonPath"], defined["type"]

    def cell(obj: Object) -> Any:
        values = jsonpath.found(path, obj)
        if not values:
            return None if kind != "date" else "<unknown>"
        if kind == "date":
            return age(str(values[0]))
        if kind == "string":
            return _shown(values[0])
        return values[0]

    return Column(
        defined["name"], cell, kind=kind, wide=bool(defined.get("priority")), format=defined.get("format", "")
    )


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return compact(value)
