"""Copies of decoded JSON: cheaper than `copy.deepcopy`, which must expect anything."""

from collections.abc import Mapping
from typing import Any

from ..objects import Object


def copied(item: Mapping[str, Any]) -> Object:
    """An independent copy of an object."""
    return {key: _copy(value) for key, value in item.items()}


def copied_list(items: list[Any]) -> list[Any]:
    """An independent copy of a list."""
    return [_copy(each) for each in items]


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_copy(each) for each in value]
    return value
