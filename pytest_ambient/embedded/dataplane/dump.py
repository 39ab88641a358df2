"""ztunnel's config_dump: what it knows of workloads, services, policies and certificates, in its own JSON shape."""

from collections.abc import Iterable, Iterator, Mapping

from ..entries import is_address
from ..istiod.model import L4Match, L4Policy, Mesh, Place, Service, StringMatch, WaypointRef, Workload
from ..objects import Object
from ..versions import VERSION
from .ca import Authority, describe
from .metrics import canonical
from .nearest import balancing
from .xds import HBONE_PORT


def config_dump(mesh: Mesh, node: str, authority: Authority, *, certified: bool = True) -> Object:
    """What the ztunnel of that node answers at /config_dump; without certificates under plaintext-not-hbone."""
    own = [each for each in mesh.workloads.values() if each.node == node and each.captured]
    return {
        "workloads": [
            *(_workload(mesh, each) for each in mesh.workloads.values()),
            *(written for each in mesh.services.values() for written in _places(each)),
        ],
        "services": [_service(mesh, each) for each in mesh.services.values()],
        "policies": [policy(each) for each in mesh.l4_policies.values()],
        "stagedServices": {},
        "staticConfig": {"workloads": [], "services": [], "policies": []},
        "version": {"version": VERSION, "istioVersion": VERSION},
        "config": {"proxyMode": "Shared", "localNode": node, "clusterId": "Kubernetes"},
        "certificates": _certificates(own, authority) if certified else [],
        "workloadState": {each.uid: _state(each) for each in own},
    }


def _workload(mesh: Mesh, workload: Workload) -> Object:
    name, revision = canonical(workload)
    services = {_key(each) for each in mesh.services.values() for e in each.endpoints if e.workload == workload.uid}
    found: Object = {
        "uid": workload.uid,
        "workloadIps": [workload.address],
        "protocol": "HBONE" if workload.captured else "TCP",
        "name": workload.name,
        "namespace": workload.namespace,
        "serviceAccount": workload.identity.account,
        "workloadName": workload.controller,
        "workloadType": "pod",
        "canonicalName": name,
        "canonicalRevision": revision,
        "clusterId": "Kubernetes",
        "trustDomain": "cluster.local",
        "node": workload.node,
        "networkMode": "Standard",
        "status": "Healthy" if workload.ready else "Unhealthy",
        "capacity": 1,
    }
    if services:
        found["services"] = sorted(services)
    if where := mesh.localities.get(workload.node):
        found["locality"] = dict(zip(("region", "zone", "subzone"), where, strict=True))
    if workload.policies:
        found["authorizationPolicies"] = list(workload.policies)
    return found | _bound(workload.waypoint)


def _service(mesh: Mesh, service: Service) -> Object:
    endpoints = {}
    for each in service.endpoints:
        pod = mesh.workloads.get(each.workload)
        endpoints[each.workload] = {
            "workloadUid": each.workload,
            "port": {str(port): target for port, target in each.ports.items()},
            "status": "Healthy" if pod and pod.ready else "Unhealthy",
        }
    for place in service.places:
        uid = _uid(service, place)
        ports = {str(port): target for port, target in place.ports.items()}
        endpoints[uid] = {"workloadUid": uid, "port": ports, "status": "Healthy"}
    found: Object = {
        "name": service.name,
        "namespace": service.namespace,
        "hostname": service.hostname,
        "vips": [f"/{each}" for each in (service.vip, *service.more_vips) if each],
        "ports": {str(each.port): _target(service, each.port) for each in service.ports},
        "endpoints": endpoints,
        "subjectAltNames": [],
        "canonical": _canonical(mesh, service),
    }
    if said := balancing(service):
        found["loadBalancer"] = said
    return found | ({} if service.host else {"ipFamilies": "IPv4"}) | _bound(service.waypoint)


def _canonical(mesh: Mesh, service: Service) -> bool:
    """Whether it is what callers of other namespaces mean: a Service, else the oldest ServiceEntry's host."""
    alike = [each for each in mesh.services.values() if each.hostname == service.hostname]
    return service == next((each for each in alike if not each.host), alike[0])


def _places(service: Service) -> Iterator[Object]:
    """The workloads that a ServiceEntry, or an EndpointSlice, writes down."""
    for each in service.places:
        yield {
            "uid": _uid(service, each),
            "workloadIps": [each.address] if is_address(each.address) else [],
            "hostname": "" if is_address(each.address) else each.address,
            "protocol": "TCP",
            "name": each.slice or service.name,
            "namespace": service.namespace,
            "serviceAccount": "" if each.slice else "default",
            "workloadName": "" if each.slice else service.name,
            "workloadType": "deployment" if each.slice else "pod",
            "canonicalName": "" if each.slice else service.name,
            "canonicalRevision": "" if each.slice else "latest",
            "clusterId": "Kubernetes",
            "trustDomain": "cluster.local",
            "networkMode": "HostNetwork" if each.slice else "Standard",
            "status": "Healthy",
            "capacity": 1,
            "services": [_key(service)],
        }


def _uid(service: Service, place: Place) -> str:
    if place.slice:
        return f"Kubernetes/discovery.k8s.io/EndpointSlice/{service.namespace}/{place.slice}/{place.address}"
    return f"Kubernetes/networking.istio.io/ServiceEntry/{service.namespace}/{service.name}/{place.address}"


def _target(service: Service, port: int) -> int:
    known = [each.ports for each in service.endpoints] + [each.ports for each in service.places]
    targets = {each[port] for each in known if port in each}
    return targets.pop() if len(targets) == 1 else port


def _key(service: Service) -> str:
    return f"{service.namespace}/{service.hostname}"


def _bound(waypoint: WaypointRef | None) -> Object:
    if waypoint is None:
        return {}
    hostname = f"{waypoint.name}.{waypoint.namespace}.svc.cluster.local"
    return {"waypoint": {"destination": f"{waypoint.namespace}/{hostname}", "hboneMtlsPort": HBONE_PORT}}


def policy(found: L4Policy) -> Object:
    """A policy as ztunnel shows it."""
    return {
        "name": found.name,
        "namespace": found.namespace,
        "scope": found.scope,
        "action": found.action.capitalize(),
        "rules": [[[_match(each) for each in clause.matches] for clause in rule.clauses] for rule in found.rules],
        "dryRun": False,
    }


def _match(match: L4Match) -> Object:
    fields: Mapping[str, Iterable[object]] = {
        "namespaces": map(_text, match.namespaces),
        "notNamespaces": map(_text, match.not_namespaces),
        "principals": map(_text, match.principals),
        "notPrincipals": map(_text, match.not_principals),
        "serviceAccounts": ({"namespace": e.namespace, "serviceAccount": e.account} for e in match.service_accounts),
        "notServiceAccounts": (
            {"namespace": e.namespace, "serviceAccount": e.account} for e in match.not_service_accounts
        ),
        "sourceIps": match.source_ips,
        "notSourceIps": match.not_source_ips,
        "destinationIps": match.destination_ips,
        "notDestinationIps": match.not_destination_ips,
        "destinationPorts": match.destination_ports,
        "notDestinationPorts": match.not_destination_ports,
    }
    filled = {name: list(values) for name, values in fields.items()}
    return {name: values for name, values in filled.items() if values}


def _text(match: StringMatch) -> Object:
    return {match.kind.capitalize(): [] if match.kind == "presence" else match.value}


def _certificates(workloads: Iterable[Workload], authority: Authority) -> list[Object]:
    roots = [describe(authority.root)]
    return [
        {
            "identity": each.uri,
            "state": "Available",
            "certChain": [describe(authority.leaf(each).certificate)],
            "rootCerts": roots,
        }
        for each in sorted({each.identity for each in workloads}, key=lambda identity: identity.uri)
    ]


def _state(workload: Workload) -> Object:
    info = {"name": workload.name, "namespace": workload.namespace, "serviceAccount": workload.identity.account}
    return {"state": "Up", "connections": {"inbound": [], "outbound": []}, "info": info}
