"""The variables of a container: given, taken from the pod, from ConfigMaps and Secrets."""

import base64
import re
from collections.abc import Iterator

from ..api.store import Store, find
from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from .amounts import amount
from .service_links import service_links

_REFERENCE = re.compile(r"\$(\$|\([A-Za-z_.-][\w.-]*\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class ConfigError(Exception):
    """A variable's source does not exist; the text is the kubelet's."""


def variables(store: Store, pod: Object, container: Object, address: str, host: str) -> dict[str, str]:
    """The environment of a container of the pod at that address; ConfigError when a source is missing."""
    found = {"HOSTNAME": str(pod["spec"].get("hostname") or name_of(pod))}
    links = service_links(store, pod)
    found.update(_whole(store, namespace_of(pod), container))
    for each in container.get("env") or ():
        value = _value(store, pod, container, each, address, host)
        if value is not None:
            found[each["name"]] = expand(value, links | found)
    return links | found


def expand(text: str, known: dict[str, str]) -> str:
    """The text with each `$(NAME)` that is known filled in; `$$` stands for one dollar."""

    def filled(match: re.Match[str]) -> str:
        word = match[1]
        return "$" if word == "$" else known.get(word[1:-1], match[0])

    return _REFERENCE.sub(filled, text)


def field(pod: Object, path: str, address: str, host: str) -> str:
    """A field of the pod as the downward API gives it; ConfigError for those that it does not."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        source = labels_of(pod) if subscript[1] == "labels" else annotations_of(pod)
        return source.get(subscript[2], "")
    simple = {
        "metadata.name": name_of(pod),
        "metadata.namespace": namespace_of(pod),
        "metadata.uid": str(pod["metadata"].get("uid", "")),
        "spec.nodeName": str(pod["spec"].get("nodeName", "")),
        "spec.serviceAccountName": str(pod["spec"].get("serviceAccountName", "default")),
        "status.podIP": address,
        "status.podIPs": address,
        "status.hostIP": host,
        "status.hostIPs": host,
    }
    if path not in simple:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return simple[path]


def _value(store: Store, pod: Object, container: Object, entry: Object, address: str, host: str) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return str(entry.get("value") or "")
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"], address, host)
    if "resourceFieldRef" in source:
        return amount(store, pod, container, source["resourceFieldRef"])
    kind, word = ("ConfigMap", "configMapKeyRef") if "configMapKeyRef" in source else ("Secret", "secretKeyRef")
    reference = source.get(word, {})
    data = _data(store, kind, namespace_of(pod), reference)
    if data is not None and reference.get("key") in data:
        return data[reference["key"]]
    if reference.get("optional"):
        return None
    where = f"{namespace_of(pod)}/{reference.get('name')}"
    raise ConfigError(f"couldn't find key {reference.get('key')} in {kind} {where}")


def _whole(store: Store, namespace: str, container: Object) -> Iterator[tuple[str, str]]:
    for each in container.get("envFrom") or ():
        kind, word = ("ConfigMap", "configMapRef") if "configMapRef" in each else ("Secret", "secretRef")
        data = _data(store, kind, namespace, each.get(word, {})) or {}
        yield from ((each.get("prefix", "") + key, value) for key, value in data.items())


def _data(store: Store, kind: str, namespace: str, reference: Object) -> dict[str, str] | None:
    name = str(reference.get("name", ""))
    found = store.get(find(kind), name, namespace)
    if found is None:
        if reference.get("optional"):
            return None
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    data = found.get("data") or {}
    if kind == "Secret":
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
    return {key: str(value) for key, value in data.items()}
