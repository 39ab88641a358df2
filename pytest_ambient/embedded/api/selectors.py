"""Label and field selectors, as queries carry them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..objects import Object, labels_of
from .errors import bad_request
from .resources import Resource

Test = Callable[[Object], bool]

_SET = re.compile(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)")
_EQUAL = re.compile(r"([^=!\s]+)\s*(==|=|!=)\s*(.*)")
_KEY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?")
_FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
        "reportingComponent", "source", "type",
    ),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
    "ReplicaSet": ("status.replicas",),
}  # fmt: skip


def always(_: Object) -> bool:
    """Holds for every object."""
    return True


def by_labels(text: str) -> Test:
    """A test for a label selector such as `a=b,c in (d,e),!f`; 400 when it can't be read."""
    tests = [_label(part.strip()) for part in _parts(text) if part.strip()]
    return (lambda obj: all(test(labels_of(obj)) for test in tests)) if tests else always


def by_fields(resource: Resource, text: str) -> Test:
    """A test for a field selector such as `metadata.name=x,status.phase!=Running`; 400 for a field it can't ask for."""
    tests = [_field(resource, part.strip()) for part in text.split(",") if part.strip()]
    return (lambda obj: all(test(obj) for test in tests)) if tests else always


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) selects those labels."""
    if not (selector.get("matchLabels") or {}).items() <= labels.items():
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions") or ())


def _expression(one: Object, labels: Mapping[str, str]) -> bool:
    key, values = one["key"], one.get("values") or []
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[one["operator"]]


def _parts(text: str) -> list[str]:
    return re.split(r",(?![^(]*\))", text)


def _label(text: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.fullmatch(text):
        key, word, listed = match.groups()
        values = {value.strip() for value in listed.split(",")}
        return (
            (lambda labels: labels.get(key) in values)
            if word == "in"
            else (lambda labels: labels.get(key) not in values)
        )
    if match := _EQUAL.fullmatch(text):
        key, word, value = match.groups()
        return (lambda labels: labels.get(key) != value) if word == "!=" else (lambda labels: labels.get(key) == value)
    bare = text.removeprefix("!").strip()
    if not _KEY.fullmatch(bare):
        raise bad_request(f'unable to parse requirement: found "{text}", expected: identifier')
    return (lambda labels: bare not in labels) if text.startswith("!") else (lambda labels: bare in labels)


def _field(resource: Resource, text: str) -> Test:
    match = _EQUAL.fullmatch(text)
    if match is None:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    key, word, value = match.groups()
    if key not in ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.kind, ()), *resource.selectable):
        raise bad_request(f"field label not supported: {key}")
    path = ["source", "component"] if key == "source" else key.split(".")
    return lambda obj: (_read(obj, path) == value) is (word != "!=")


def _read(obj: Object, path: list[str]) -> str:
    value: Any = obj
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return (
        "false"
        if value is None and path[-1] in ("unschedulable", "hostNetwork")
        else ""
        if value is None
        else str(value)
    )
