"""The objects that istiod reads, at one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import yaml

from ..api.store import Store, find
from ..entries import host_items, key_of_host
from ..objects import Object, labels_of, name_of, namespace_of

WAYPOINT_CLASS = "istio-waypoint"
INGRESS_CLASS = "istio"
MESH_CONTROLLER = "istio.io/mesh-controller"
GATEWAY_CONTROLLER = "istio.io/gateway-controller"
REMOTE_CONTROLLER = "istio.io/unmanaged-gateway"
MANAGED_BY_MESH = "istio.io-mesh-controller"
MANAGED_BY_GATEWAY = "istio.io-gateway-controller"
MANAGED = "gateway.istio.io/managed"
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"

MESH_CONFIG = "istio-system/istio"
"""The ConfigMap with the mesh's configuration."""

GATEWAY_API = "gateway.networking.k8s.io"
SECURITY = "security.istio.io"
DISCOVERY = "discovery.k8s.io"
TELEMETRY = "telemetry.istio.io"
NETWORKING = "networking.istio.io"


def key_of(item: Object) -> str:
    """`NAMESPACE/NAME`, for a host of a ServiceEntry that of its own."""
    if "host" in item:
        return key_of_host(namespace_of(item), item["host"])
    return f"{namespace_of(item)}/{name_of(item)}"


def age_of(item: Object) -> tuple[str, str, str]:
    """What sorts objects from the oldest to the youngest."""
    return (str(item.get("metadata", {}).get("creationTimestamp", "")), namespace_of(item), name_of(item))


def spec_of(item: Object) -> Object:
    """The object's spec, empty when it has none."""
    spec: Object = item.get("spec") or {}
    return spec


@lru_cache(maxsize=4)
def _read(text: str) -> Object:
    """The mesh's configuration; it is looked at after each change of anything, and hardly ever changes itself."""
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


@dataclass(frozen=True)
class View:
    """All objects that istiod reads; lists in any order."""

    namespaces: Sequence[Object] = ()
    services: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    slices: Sequence[Object] = ()
    gateways: Sequence[Object] = ()
    classes: Sequence[Object] = ()
    routes: Sequence[Object] = ()
    grpc_routes: Sequence[Object] = ()
    tcp_routes: Sequence[Object] = ()
    grants: Sequence[Object] = ()
    policies: Sequence[Object] = ()
    peers: Sequence[Object] = ()
    authentications: Sequence[Object] = ()
    telemetries: Sequence[Object] = ()
    configs: Sequence[Object] = ()
    virtual_services: Sequence[Object] = ()
    destination_rules: Sequence[Object] = ()
    envoy_filters: Sequence[Object] = ()
    entries: Sequence[Object] = ()
    nodes: Sequence[Object] = ()
    secrets: Sequence[Object] = ()

    @classmethod
    def of(cls, store: Store) -> "View":
        """The store's present objects."""
        return cls(**{field: store.list(find(kind, group)) for field, (kind, group) in SOURCES.items()})

    @cached_property
    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """Labels of each namespace by its name."""
        return {name_of(each): labels_of(each) for each in self.namespaces}

    @cached_property
    def namespace_by_name(self) -> Mapping[str, Object]:
        """Namespaces by name."""
        return {name_of(each): each for each in self.namespaces}

    @cached_property
    def service_by_key(self) -> Mapping[str, Object]:
        """Services by `NAMESPACE/NAME`."""
        return {key_of(each): each for each in self.services}

    @cached_property
    def secret_by_key(self) -> Mapping[str, Object]:
        """Secrets by `NAMESPACE/NAME`."""
        return {key_of(each): each for each in self.secrets}

    @cached_property
    def hosts(self) -> Sequence[Object]:
        """The hosts of ServiceEntries, in the shape of Services."""
        return host_items(self.entries, self.services)

    @cached_property
    def called(self) -> Sequence[Object]:
        """All that is called by a name: Services, and hosts of ServiceEntries."""
        return (*self.services, *self.hosts)

    def hosts_of(self, key: str) -> Sequence[Object]:
        """The hosts of the ServiceEntry with that `NAMESPACE/NAME`."""
        return [each for each in self.hosts if f"{namespace_of(each)}/{name_of(each)}" == key]

    @cached_property
    def mesh_config(self) -> Object:
        """The mesh's configuration; empty where there is none that can be read."""
        found = (each for each in self.configs if key_of(each) == MESH_CONFIG)
        return _read(next((str((each.get("data") or {}).get("mesh", "")) for each in found), ""))

    @cached_property
    def class_by_name(self) -> Mapping[str, Object]:
        """GatewayClasses by name."""
        return {name_of(each): each for each in self.classes}


SOURCES: Mapping[str, tuple[str, str]] = {
    "namespaces": ("Namespace", ""),
    "services": ("Service", ""),
    "pods": ("Pod", ""),
    "slices": ("EndpointSlice", DISCOVERY),
    "gateways": ("Gateway", GATEWAY_API),
    "classes": ("GatewayClass", GATEWAY_API),
    "routes": ("HTTPRoute", GATEWAY_API),
    "grpc_routes": ("GRPCRoute", GATEWAY_API),
    "tcp_routes": ("TCPRoute", GATEWAY_API),
    "grants": ("ReferenceGrant", GATEWAY_API),
    "policies": ("AuthorizationPolicy", SECURITY),
    "peers": ("PeerAuthentication", SECURITY),
    "authentications": ("RequestAuthentication", SECURITY),
    "telemetries": ("Telemetry", TELEMETRY),
    "configs": ("ConfigMap", ""),
    "virtual_services": ("VirtualService", NETWORKING),
    "destination_rules": ("DestinationRule", NETWORKING),
    "envoy_filters": ("EnvoyFilter", NETWORKING),
    "entries": ("ServiceEntry", NETWORKING),
    "nodes": ("Node", ""),
    "secrets": ("Secret", ""),
}
"""Where each list of a view comes from: kind and group."""
