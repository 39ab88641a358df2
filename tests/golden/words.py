"""What is compared of a log line, a counter or an object's status: chance, times and addresses are left out."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

Object = dict[str, Any]

_POD = re.compile(r"\b([a-z][a-z0-9-]*?)-[a-z0-9]{6,10}-[a-z0-9]{5}\b")
_FIELD = re.compile(r'([a-z_.]+)=("(?:[^"\\]|\\.)*"|\S+)')
_WORD = re.compile(r'\[[^\]]*\]|"[^"]*"|\S+')
_ADDRESS = re.compile(r"\b\d+\.\d+\.\d+\.\d+(?::(\d+))?")
_COUNTER = re.compile(r"^(istio_tcp_connections_[a-z_]+)\{(.*)\} \S+$")
_LABEL = re.compile(r'([a-z_]+)="([^"]*)"')
_UNSEEN = {"bytes_sent", "bytes_recv", "duration"}
_SAME = {
    *((f"{side}_{name}", "unknown") for side in ("source", "destination") for name in ("region", "zone")),
    *((f"{side}_cluster", "Kubernetes") for side in ("source", "destination")),
    ("request_protocol", "tcp"),
}
"""Labels of every counter."""
OWN_PAGE = ("/os-release", "/get")
"""A file that a recorded server had, and what go-httpbin offers in its stead."""
_ANY_SERVICE = re.compile(r"\b(productpage|details|reviews|ratings)-v(?:\d|\*)(\.bookinfo\.svc|$)")
"""A pod has two Services; which of them ztunnel names at the destination is chance."""
_EPHEMERAL = 20000
"""From here on a port was chosen by the kernel."""


def workload(pod: str) -> str:
    """The workload that a pod's name tells."""
    return re.sub(r"^([a-z][a-z0-9-]*?)-[a-z0-9]{6,10}-[a-z0-9]{5}$", r"\1", pod)


def owner(item: Object) -> str:
    """An object's name; a pod's is that of its workload."""
    name: str = item["metadata"]["name"]
    if item["kind"] != "Pod":
        return name
    owners = item["metadata"].get("ownerReferences") or [{}]
    return re.sub(r"-[a-z0-9]{5}$", "", name) if owners[0].get("kind") == "DaemonSet" else workload(name)


def plain(text: str) -> str:
    """A text without pods' hashes, addresses and the version of reviews that chance chose."""
    text = re.sub(r"\breviews-v[123]\b", "reviews-v*", _POD.sub(r"\1", text))
    return _ADDRESS.sub(_port, text)


def _port(found: re.Match[str]) -> str:
    port = found[1]
    return "IP" if port is None else f"IP:{port if int(port) < _EPHEMERAL else 'N'}"


def ztunnel(line: str) -> str | None:
    """The facts of one of ztunnel's access log lines; None for any other line."""
    parts = line.rstrip("\n").split("\t")
    if len(parts) != 5 or parts[2] != "access":
        return None
    message, fields = parts[3], _FIELD.findall(parts[4])
    facts = [f"{key}=" if key in _UNSEEN else f"{key}={plain(value)}" for key, value in fields]
    found = " ".join([parts[1], message, *facts])
    found = re.sub(r"src\.addr=\S+", "src.addr=IP:N", found)
    return _ANY_SERVICE.sub(r"\1\2", found) if 'direction="inbound"' in found else found


def waypoint(line: str) -> str | None:
    """The facts of one line of a waypoint's access log; None for any other line."""
    words = _WORD.findall(line)
    if len(words) != 22 or not re.match(r"\[\d{4}-", words[0]):
        return None
    request, code, flags, details, failure = words[1:6]
    authority, upstream, cluster, local, downstream, _, sni, route = words[14:]
    kept = (request, code, flags, details, failure, authority, upstream, cluster, local, downstream, sni, route)
    return plain(" ".join(kept)).replace(*OWN_PAGE)


def counters(text: str) -> set[str]:
    """The families and labels of ztunnel's TCP counters in an exposition."""
    found = (_COUNTER.match(line) for line in text.splitlines())
    return {plain(f"{each[1]} {_labels(each[2])}") for each in found if each}


def _labels(text: str) -> str:
    labels = dict(_LABEL.findall(text))
    for side in ("source", "destination"):
        if labels.get(f"{side}_app") == "reviews":
            labels |= {f"{side}_version": "v*", f"{side}_canonical_revision": "v*"}
    if labels.get("reporter") == "destination":
        for name in ("destination_service", "destination_service_name"):
            labels[name] = _ANY_SERVICE.sub(r"\1\2", labels.get(name, ""))
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()) if (name, value) not in _SAME)


def chance(fact: str) -> bool:
    """Whether it was left to chance that this was seen.

    Only two of reviews' three versions call ratings, and a waypoint pools connections as it likes.
    """
    if re.search(r'(src\.workload="|source_workload=)reviews-v', fact) or "GET /ratings/" in fact:
        return True
    pooled = re.search(r'(src\.workload="|source_workload=)(waypoint|wp-)', fact)
    return bool(pooled and (fact.startswith("info ") or "response_flags=-" in fact))


def conditions(item: Object) -> dict[str, str]:
    """An object's conditions, and what else of its status is compared, as words."""
    status, kind = item.get("status") or {}, item["kind"]
    if kind == "Pod":
        annotations = item["metadata"].get("annotations") or {}
        return {"redirection": annotations.get("ambient.istio.io/redirection", "-")}
    if kind in {"Deployment", "ReplicaSet", "Node", "Namespace"}:
        return {}
    found = dict(_read(status.get("conditions"), ""))
    for parent in status.get("parents") or []:
        reference = parent["parentRef"]
        found |= _read(parent.get("conditions"), f"parent {reference.get('kind', 'Gateway')} {reference['name']} ")
    for listener in status.get("listeners") or []:
        found |= _read(listener.get("conditions"), f"listener {listener['name']} ")
        found[f"listener {listener['name']} routes"] = str(listener.get("attachedRoutes"))
    for ancestor in status.get("ancestors") or []:
        found |= _read(ancestor.get("conditions"), f"ancestor {ancestor['ancestorRef']['name']} ")
    if kind == "Gateway":
        found["addresses"] = " ".join(each.get("type", "") for each in status.get("addresses") or [])
    return found


def _read(items: Iterable[Mapping[str, Any]] | None, where: str) -> dict[str, str]:
    return {
        f"{where}{each['type']}": f"{each['status']} {each['reason']}: {plain(each.get('message') or '')}"
        for each in items or []
    }


def objects(items: Iterable[Any]) -> dict[str, dict[str, str]]:
    """Each object of kubectl's answer, lists unfolded, with what is compared of it."""
    found: dict[str, dict[str, str]] = {}
    for item in items:
        if not isinstance(item, dict) or "kind" not in item:
            continue
        if item["kind"].endswith("List") and "items" in item:
            found |= objects(item["items"])
        else:
            meta = item["metadata"]
            found[f"{item['kind']} {meta.get('namespace', '-')}/{owner(item)}"] = conditions(item)
    return found
