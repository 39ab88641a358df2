"""What the API checks of a pod's containers beyond types: names, ports, variables, probes, mounts, resources."""

import re
from typing import Any

from ..objects import Object
from ..quantities import quantity
from .decode import quoted
from .errors import Cause
from .names import label_fault

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
_VARIABLE = re.compile(r"[ -<>-~]+")
_VARIABLE_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def container_faults(container: Object, path: str, names: set[str], volumes: set[Any]) -> list[Cause]:
    """What a container at that path breaks; `names` are those of the containers before it, and then its own too."""
    found = []
    name = str(container.get("name", ""))
    if name in names:
        found.append(Cause(f"{path}.name", f'Duplicate value: "{name}"', "FieldValueDuplicate"))
    elif name and (wrong := label_fault(name)):
        found.append(Cause(f"{path}.name", f'Invalid value: "{name}": {wrong}'))
    names.add(name)
    if not container.get("image"):
        found.append(Cause(f"{path}.image", "Required value", "FieldValueRequired"))
    found += _port_faults(container.get("ports") or [], f"{path}.ports")
    for number, each in enumerate(container.get("env") or ()):
        found += _variable_faults(each, f"{path}.env[{number}]")
    for number, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            where = f"{path}.volumeMounts[{number}].name"
            found.append(Cause(where, f'Not found: "{mount.get("name")}"', "FieldValueNotFound"))
    found += _resource_faults(container.get("resources") or {}, f"{path}.resources.requests")
    return found + _handlers_faults(container, path)


def _port_faults(ports: list[Object], path: str) -> list[Cause]:
    found, names = [], set()
    for number, each in enumerate(ports):
        name, where = each.get("name", ""), f"{path}[{number}].name"
        if not name:
            continue
        wrong = _port_name_faults(name)
        found += [Cause(where, f'Invalid value: "{name}": {text}') for text in wrong]
        if name in names and not wrong:
            found.append(Cause(where, f'Duplicate value: "{name}"', "FieldValueDuplicate"))
        names.add(name)
    return found


def _port_name_faults(name: str) -> list[str]:
    rules = {
        "must be no more than 15 characters": len(name) <= 15,
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)": re.fullmatch("[-a-z0-9]+", name),
        "must contain at least one letter (a-z)": re.search("[a-z]", name),
        "must not contain consecutive hyphens": "--" not in name,
        "must not begin or end with a hyphen": name.strip("-") == name,
    }
    return [text for text, holds in rules.items() if not holds]


def _variable_faults(variable: Object, path: str) -> list[Cause]:
    name, source = variable.get("name"), variable.get("valueFrom")
    found = []
    if name == "":
        found.append(Cause(f"{path}.name", "Required value", "FieldValueRequired"))
    elif name and not _VARIABLE.fullmatch(name):
        found.append(Cause(f"{path}.name", f"Invalid value: {quoted(name)}: {_VARIABLE_TEXT}"))
    wrong = "" if source is None else _source_fault(source, variable.get("value", ""))
    return [*found, Cause(f"{path}.valueFrom", f'Invalid value: "": {wrong}')] if wrong else found


def _source_fault(source: Object, value: str) -> str:
    if not source:
        *most, last = (f"`{each}`" for each in _SOURCES)
        return f"must specify one of: {', '.join(most)} or {last}"
    if value:
        return "may not be specified when `value` is not empty"
    return "may not have more than one field specified at a time" if len(source) > 1 else ""


def _handlers_faults(container: Object, path: str) -> list[Cause]:
    hooks = container.get("lifecycle") or {}
    found = []
    for name in ("postStart", "preStop"):
        found += _handler_faults(hooks.get(name), f"{path}.lifecycle.{name}")
    for name in _PROBES:
        found += _handler_faults(container.get(name), f"{path}.{name}")
    return found


def _handler_faults(handler: Object | None, path: str) -> list[Cause]:
    """What is wrong with a probe or a hook, which does one thing."""
    if handler is None:
        return []
    given = [each for each in _HANDLERS if each in handler]
    if not given:
        return [Cause(path, "Required value: must specify a handler type", "FieldValueRequired")]
    text = "Forbidden: may not specify more than 1 handler type"
    return [Cause(f"{path}.{each}", text, "FieldValueForbidden") for each in given[1:]]


def _resource_faults(resources: Object, path: str) -> list[Cause]:
    found = []
    for name, asked in (resources.get("requests") or {}).items():
        limit = (resources.get("limits") or {}).get(name)
        if limit is not None and quantity(asked) > quantity(limit):
            text = f"Invalid value: {quoted(str(asked))}: must be less than or equal to {name} limit of {limit}"
            found.append(Cause(path, text))
    return found
