"""The printed columns of built-in kinds."""

from collections.abc import Sequence

from ..objects import Object, labels_of, name_of
from . import columns_pod, columns_workload
from .ages import age
from .cells import joined, labels_text
from .column import AGE, CREATED, NAME, Cell, Column, field
from .resources import Resource


def of(resource: Resource) -> Sequence[Column]:
    """The columns of a built-in kind."""
    shown = _KINDS.get(resource.kind, (AGE,))
    return shown if resource.kind == "Event" else [NAME, *shown]


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


def _node_address(kind: str) -> Cell:
    def cell(obj: Object) -> str:
        found = (each["address"] for each in obj.get("status", {}).get("addresses") or () if each["type"] == kind)
        return next(found, "<none>")

    return cell


def _info(name: str) -> Cell:
    return field("status", "nodeInfo", name, none="<unknown>")


def _event_object(obj: Object) -> str:
    about = obj.get("involvedObject", {})
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _event_seen(obj: Object) -> str:
    last = obj.get("lastTimestamp") or obj.get("eventTime") or obj.get("firstTimestamp") or ""
    return age(last)


def _entries(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _subjects(kind: str) -> Cell:
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

_KINDS: dict[str, tuple[Column, ...]] = columns_workload.COLUMNS | {
    "Pod": columns_pod.COLUMNS,
    "Namespace": (Column("Status", field("status", "phase")), AGE),
    "Node": (
        Column("Status", _node_status), Column("Roles", _node_roles), AGE, Column("Version", _info("kubeletVersion")),
        Column("Internal-IP", _node_address("InternalIP"), wide=True),
        Column("External-IP", _node_address("ExternalIP"), wide=True),
        Column("OS-Image", _info("osImage"), wide=True), Column("Kernel-Version", _info("kernelVersion"), wide=True),
        Column("Container-Runtime", _info("containerRuntimeVersion"), wide=True),
    ),
    "Service": (
        Column("Type", field("spec", "type")), Column("Cluster-IP", field("spec", "clusterIP", none="<none>")),
        Column("External-IP", _external), Column("Port(s)", _service_ports), AGE,
        Column("Selector", lambda obj: labels_text(obj.get("spec", {}).get("selector") or {}), wide=True),
    ),
    "Endpoints": (Column("Endpoints", _endpoints), AGE),
    "EndpointSlice": (
        Column("AddressType", field("addressType")), Column("Ports", _slice_ports),
        Column("Endpoints", _slice_addresses), AGE,
    ),
    "ConfigMap": (Column("Data", _entries, "integer"), AGE),
    "Secret": (Column("Type", field("type")), Column("Data", lambda obj: len(obj.get("data") or {}), "integer"), AGE),
    "ServiceAccount": (Column("Secrets", lambda obj: len(obj.get("secrets") or ()), "integer"), AGE),
    "Event": (
        Column("Last Seen", _event_seen), Column("Type", field("type")), Column("Reason", field("reason")),
        Column("Object", _event_object), Column("Subobject", field("involvedObject", "fieldPath"), wide=True),
        Column("Source", field("source", "component"), wide=True), Column("Message", field("message")),
        Column("First Seen", lambda obj: age(obj.get("firstTimestamp") or ""), wide=True),
        Column("Count", field("count", none=1), wide=True), Column("Name", name_of, wide=True),
    ),
    "Lease": (Column("Holder", field("spec", "holderIdentity")), AGE),
    "Role": (CREATED,),
    "ClusterRole": (CREATED,),
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "CustomResourceDefinition": (CREATED,),
}  # fmt: skip
