"""The printed columns of built-in kinds."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..objects import Object, labels_of, name_of
from . import columns_pod
from .ages import age
from .cells import joined, labels_text, selector_text
from .resources import Resource


@dataclass(frozen=True)
class Column:
    """One column: its head and how to fill a cell; `wide` ones are only shown when asked for."""

    name: str
    cell: Callable[[Object], Any]
    kind: str = "string"
    wide: bool = False
    format: str = ""

    def definition(self) -> Object:
        """The head as the API sends it."""
        return {
            "name": self.name, "type": self.kind, "format": self.format, "description": "", "priority": int(self.wide),
        }  # fmt: skip


def compact(value: Any) -> str:
    """A structure in one line."""
    return json.dumps(value, separators=(",", ":"))


NAME = Column("Name", name_of, format="name")
AGE = Column("Age", lambda obj: age(obj["metadata"].get("creationTimestamp", "")))
_CREATED = Column("Created At", lambda obj: obj["metadata"].get("creationTimestamp", ""))


def of(resource: Resource) -> Sequence[Column]:
    """The columns of a built-in kind."""
    shown = _KINDS.get(resource.kind, (AGE,))
    return shown if resource.kind == "Event" else [NAME, *shown]


def _spec(*path: str, none: Any = "") -> Callable[[Object], Any]:
    def cell(obj: Object) -> Any:
        value: Any = obj
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return none if value is None else value

    return cell


def _containers(field: str) -> Callable[[Object], str]:
    return lambda obj: ",".join(
        str(each.get(field, ""))
        for each in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())
    )


_TEMPLATE = (
    Column("Containers", _containers("name"), wide=True),
    Column("Images", _containers("image"), wide=True),
    Column("Selector", lambda obj: selector_text(obj.get("spec", {}).get("selector") or {}), wide=True),
)


def _count(*path: str) -> Callable[[Object], Any]:
    return _spec(*path, none=0)


def _ready_of_wanted(obj: Object) -> str:
    return f"{_count('status', 'readyReplicas')(obj)}/{_count('spec', 'replicas')(obj)}"


def _service_ports(obj: Object) -> str:
    ports = []
    for each in obj.get("spec", {}).get("ports") or ():
        node = f":{each['nodePort']}" if each.get("nodePort") else ""
        ports.append(f"{each['port']}{node}/{each.get('protocol', 'TCP')}")
    return joined(ports)


def _external(obj: Object) -> str:
    spec = obj.get("spec", {})
    given = [str(each) for each in spec.get("externalIPs") or ()]
    if spec.get("type") == "LoadBalancer":
        ingress = obj.get("status", {}).get("loadBalancer", {}).get("ingress") or ()
        given = [each.get("ip") or each.get("hostname", "") for each in ingress] + given
        return ",".join(given) or "<pending>"
    return (
        str(spec.get("externalName") or "<none>") if spec.get("type") == "ExternalName" else ",".join(given) or "<none>"
    )


def _endpoints(obj: Object) -> str:
    shown: list[str] = []
    more = 0
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or [{}]:
            for each in subset.get("addresses") or ():
                text = f"{each['ip']}:{port['port']}" if port else each["ip"]
                if len(shown) < 3:
                    shown.append(text)
                else:
                    more += 1
    return (",".join(shown) or "<none>") + (f" + {more} more..." if more else "")


def _slice_ports(obj: Object) -> str:
    return joined([str(each.get("port", "*")) for each in obj.get("ports") or ()], empty="<unset>")


def _slice_addresses(obj: Object) -> str:
    addresses = [each for point in obj.get("endpoints") or () for each in point.get("addresses", ())]
    return ",".join(addresses[:3]) + (f" + {len(addresses) - 3} more..." if len(addresses) > 3 else "") or "<unset>"


def _node_status(obj: Object) -> str:
    ready = next((each for each in obj.get("status", {}).get("conditions") or () if each["type"] == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"]
    return ",".join(words + (["SchedulingDisabled"] if obj.get("spec", {}).get("unschedulable") else []))


def _node_roles(obj: Object) -> str:
    head = "node-role.kubernetes.io/"
    return ",".join(sorted(key.removeprefix(head) for key in labels_of(obj) if key.startswith(head))) or "<none>"


def _node_address(kind: str) -> Callable[[Object], str]:
    def cell(obj: Object) -> str:
        found = (each["address"] for each in obj.get("status", {}).get("addresses") or () if each["type"] == kind)
        return next(found, "<none>")

    return cell


def _info(name: str) -> Callable[[Object], Any]:
    return _spec("status", "nodeInfo", name, none="<unknown>")


def _event_object(obj: Object) -> str:
    about = obj.get("involvedObject", {})
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _event_seen(obj: Object) -> str:
    last = obj.get("lastTimestamp") or obj.get("eventTime") or obj.get("firstTimestamp") or ""
    return age(last)


def _entries(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _subjects(kind: str) -> Callable[[Object], str]:
    def cell(obj: Object) -> str:
        found = [each for each in obj.get("subjects") or () if each["kind"] == kind]
        return ", ".join(
            f"{each['namespace']}/{each['name']}" if "namespace" in each else each["name"] for each in found
        )

    return cell


def _role(obj: Object) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


_BINDING = (
    Column("Role", _role),
    AGE,
    Column("Users", _subjects("User"), wide=True),
    Column("Groups", _subjects("Group"), wide=True),
    Column("ServiceAccounts", _subjects("ServiceAccount"), wide=True),
)

_KINDS: dict[str, tuple[Column, ...]] = {
    "Pod": tuple(Column(*each) for each in columns_pod.COLUMNS),
    "Namespace": (Column("Status", _spec("status", "phase")), AGE),
    "Node": (
        Column("Status", _node_status), Column("Roles", _node_roles), AGE, Column("Version", _info("kubeletVersion")),
        Column("Internal-IP", _node_address("InternalIP"), wide=True),
        Column("External-IP", _node_address("ExternalIP"), wide=True),
        Column("OS-Image", _info("osImage"), wide=True), Column("Kernel-Version", _info("kernelVersion"), wide=True),
        Column("Container-Runtime", _info("containerRuntimeVersion"), wide=True),
    ),
    "Service": (
        Column("Type", _spec("spec", "type")), Column("Cluster-IP", _spec("spec", "clusterIP", none="<none>")),
        Column("External-IP", _external), Column("Port(s)", _service_ports), AGE,
        Column("Selector", lambda obj: labels_text(obj.get("spec", {}).get("selector") or {}), wide=True),
    ),
    "Endpoints": (Column("Endpoints", _endpoints), AGE),
    "EndpointSlice": (
        Column("AddressType", _spec("addressType")), Column("Ports", _slice_ports),
        Column("Endpoints", _slice_addresses), AGE,
    ),
    "ConfigMap": (Column("Data", _entries, "integer"), AGE),
    "Secret": (Column("Type", _spec("type")), Column("Data", lambda obj: len(obj.get("data") or {}), "integer"), AGE),
    "ServiceAccount": (Column("Secrets", lambda obj: len(obj.get("secrets") or ()), "integer"), AGE),
    "Event": (
        Column("Last Seen", _event_seen), Column("Type", _spec("type")), Column("Reason", _spec("reason")),
        Column("Object", _event_object), Column("Subobject", _spec("involvedObject", "fieldPath"), wide=True),
        Column("Source", _spec("source", "component"), wide=True), Column("Message", _spec("message")),
        Column("First Seen", lambda obj: age(obj.get("firstTimestamp") or ""), wide=True),
        Column("Count", _spec("count", none=1), wide=True), Column("Name", name_of, wide=True),
    ),
    "Deployment": (
        Column("Ready", _ready_of_wanted), Column("Up-to-date", _count("status", "updatedReplicas"), "integer"),
        Column("Available", _count("status", "availableReplicas"), "integer"), AGE, *_TEMPLATE,
    ),
    "ReplicaSet": (
        Column("Desired", _count("spec", "replicas"), "integer"),
        Column("Current", _count("status", "replicas"), "integer"),
        Column("Ready", _count("status", "readyReplicas"), "integer"), AGE, *_TEMPLATE,
    ),
    "DaemonSet": (
        Column("Desired", _count("status", "desiredNumberScheduled"), "integer"),
        Column("Current", _count("status", "currentNumberScheduled"), "integer"),
        Column("Ready", _count("status", "numberReady"), "integer"),
        Column("Up-to-date", _count("status", "updatedNumberScheduled"), "integer"),
        Column("Available", _count("status", "numberAvailable"), "integer"),
        Column(
            "Node Selector",
            lambda obj: labels_text(obj["spec"].get("template", {}).get("spec", {}).get("nodeSelector") or {}),
        ),
        AGE, *_TEMPLATE,
    ),
    "ControllerRevision": (
        Column("Controller", lambda obj: _owner(obj)), Column("Revision", _count("revision")), AGE,
    ),
    "Lease": (Column("Holder", _spec("spec", "holderIdentity")), AGE),
    "Role": (_CREATED,),
    "ClusterRole": (_CREATED,),
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "CustomResourceDefinition": (_CREATED,),
}  # fmt: skip


def _owner(obj: Object) -> str:
    found = next((each for each in obj["metadata"].get("ownerReferences", ()) if each.get("controller")), None)
    return f"{found['kind'].lower()}.apps/{found['name']}" if found else "<none>"
