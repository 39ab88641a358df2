"""From the cluster's objects to the mesh: one snapshot that the data plane can act on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from ..objects import Object, annotations_of, labels_of, name_of, namespace_of
from .authorization import convert
from .authorizers import authorizers
from .binding import Gate, gates, workload_gate
from .destination_rules import destinations
from .envoy_filters import rate_limits
from .ingress import ingresses
from .model import (
    ROOT_NAMESPACE,
    Identity,
    Ingress,
    L4Policy,
    L7Policy,
    Mesh,
    Service,
    Waypoint,
    Workload,
)
from .nearness import localities
from .peers import peer_keys, peer_policies
from .routes import routes_by_service
from .service_entries import At, host_services
from .services import services_of
from .telemetry import access_logs
from .tokens import token_rules
from .tracers import tracers
from .view import GATEWAY_NAME, MANAGED, MANAGED_BY_GATEWAY, MANAGED_BY_MESH, View, key_of, spec_of
from .waypoint_policies import attached

REDIRECTION = "ambient.istio.io/redirection"
OPEN = "embedded/open"
"""Marks a pod, under the fault disable-means-plaintext, to which no tunnel leads."""

Sockets = Callable[[str], Mapping[int, str]]
"""The unix sockets of a pod, known by its uid, by port."""


def snapshot(view: View, sockets: Sockets, at: At = lambda _: "") -> Mesh:
    """The mesh as the objects describe it; `at` says where hosts of ServiceEntries are really served."""
    known = gates(view)
    entries = ingresses(view)
    workloads = {each.uid: each for each in _workloads(view, known, entries, sockets)}
    hosts = host_services(view, known, workloads, at)
    services = {each.key: each for each in (*hosts, *services_of(view, known, workloads))}
    policies = attached(view, known)
    service_tokens, gateway_tokens = token_rules(view, known)
    bound = {key: each.waypoint.key for key, each in services.items() if each.waypoint}
    logs = access_logs(view, known, bound)
    return Mesh(
        workloads=workloads,
        services=services,
        waypoints={
            key: replace(
                _waypoint(gate, workloads, services, policies.gateways.get(key, ())),
                tokens=gateway_tokens.get(key, ()),
                limits=rate_limits(view, key),
            )
            for key, gate in known.items()
        },
        ingresses=entries,
        l4_policies=_l4_policies(view),
        service_policies=policies.services,
        service_tokens=service_tokens,
        authorizers=authorizers(view),
        unlogged=frozenset(key for key, wanted in logs.items() if wanted is None),
        log_filters={key: wanted for key, wanted in logs.items() if wanted},
        tracers=tracers(view, known, bound),
        routes=routes_by_service(view, known),
        destinations=destinations(view, known),
        localities=localities(view.nodes),
    )


def _l4_policies(view: View) -> dict[str, L4Policy]:
    converted = [made.policy for made in map(convert, view.policies) if made.policy is not None]
    return {policy.key: policy for policy in (*converted, *peer_policies(view.peers))}


def _workloads(
    view: View, known: Mapping[str, Gate], entries: Mapping[str, Ingress], sockets: Sockets
) -> Iterator[Workload]:
    selective = [each for each in view.policies if spec_of(each).get("selector") is not None and convert(each).policy]
    for pod in view.pods:
        status: Object = pod.get("status") or {}
        address = str(status.get("podIP", ""))
        if address and status.get("phase") in ("Pending", "Running") and not spec_of(pod).get("hostNetwork"):
            gate = workload_gate(view, known, pod)
            keys = {key_of(each) for each in selective if _chosen(each, pod)} | set(peer_keys(view.peers, pod))
            controller, kind = controller_of(pod)
            yield Workload(
                name=name_of(pod),
                namespace=namespace_of(pod),
                address=address,
                identity=Identity(namespace_of(pod), str(spec_of(pod).get("serviceAccountName") or "default")),
                node=str(spec_of(pod).get("nodeName", "")),
                labels=labels_of(pod),
                controller=controller,
                controller_kind=kind,
                ready=_ready(pod),
                captured=annotations_of(pod).get(REDIRECTION) == "enabled",
                sockets=sockets(str(pod["metadata"].get("uid", ""))),
                waypoint=gate.ref if isinstance(gate, Gate) else None,
                policies=tuple(sorted(keys)),
                is_waypoint=labels_of(pod).get(MANAGED) == MANAGED_BY_MESH,
                gateway_ports=_gateway_ports(pod, entries),
                tunnelled=OPEN not in annotations_of(pod),
            )


def _gateway_ports(pod: Object, entries: Mapping[str, Ingress]) -> tuple[int, ...]:
    if labels_of(pod).get(MANAGED) != MANAGED_BY_GATEWAY:
        return ()
    entry = entries.get(f"{namespace_of(pod)}/{labels_of(pod).get(GATEWAY_NAME, '')}")
    return (*entry.ports, *entry.secured) if entry else ()


def controller_of(pod: Object) -> tuple[str, Literal["deployment", "daemonset", "pod"]]:
    """Name and kind of what made the pod; a ReplicaSet stands for its Deployment."""
    for owner in pod["metadata"].get("ownerReferences") or ():
        name = str(owner.get("name", ""))
        if owner.get("kind") == "DaemonSet":
            return name, "daemonset"
        if owner.get("kind") == "ReplicaSet":
            return name.removesuffix("-" + labels_of(pod).get("pod-template-hash", "")), "deployment"
        if owner.get("controller"):
            return name, "pod"
    return name_of(pod), "pod"


def _chosen(policy: Object, pod: Object) -> bool:
    wanted: Mapping[str, str] = spec_of(policy)["selector"].get("matchLabels") or {}
    return namespace_of(policy) in (namespace_of(pod), ROOT_NAMESPACE) and wanted.items() <= labels_of(pod).items()


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _waypoint(
    gate: Gate, workloads: Mapping[str, Workload], services: Mapping[str, Service], policies: tuple[L7Policy, ...]
) -> Waypoint:
    ref = gate.ref
    pods = [
        each.uid
        for each in workloads.values()
        if gate.tunnelled and each.ready and each.namespace == ref.namespace
        if each.labels.get(GATEWAY_NAME) == ref.name
    ]
    return Waypoint(
        name=ref.name,
        namespace=ref.namespace,
        handles=gate.handles,
        address=gate.address,
        pods=tuple(pods),
        services=tuple(each.key for each in services.values() if each.waypoint == ref),
        workloads=tuple(each.uid for each in workloads.values() if each.waypoint == ref),
        policies=policies,
    )
