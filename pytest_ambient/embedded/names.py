"""What the cluster's names mean: Service names to addresses, as a pod of some namespace writes them."""

from dataclasses import dataclass

from .api.store import Store, find
from .objects import Object, name_of, namespace_of

_LOW = 1024
CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Name:
    """A Service: the addresses that its name stands for, and its ports."""

    service: str
    namespace: str
    addresses: tuple[str, ...]
    ports: tuple[int, ...]
    endpoints: tuple[str, ...] = ()
    headless: bool = False

    @property
    def low_ports(self) -> tuple[int, ...]:
        """Its ports that are served elsewhere on this machine."""
        return tuple(port for port in self.ports if port < _LOW)

    def spellings(self, namespace: str) -> tuple[str, ...]:
        """What a pod of `namespace` may call it, shortest first."""
        long = f"{self.service}.{self.namespace}"
        full = f"{long}.svc.{CLUSTER_DOMAIN}"
        short = (self.service,) if namespace == self.namespace else ()
        return (*short, long, f"{long}.svc", full, f"{full}.")


class Names:
    """The names of all Services, read from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Name]:
        """Every Service that has an address."""
        services = self._store.list(find("Service"))
        return [name for name in map(self._name, services) if name.addresses]

    def resolve(self, host: str, namespace: str) -> tuple[str, ...]:
        """The addresses of a name as a pod of `namespace` writes it, none when it is unknown."""
        parts = host.removesuffix(".").split(".")
        tail = parts[2:]
        if tail not in ([], ["svc"], ["svc", *CLUSTER_DOMAIN.split(".")]):
            return ()
        service = self._store.get(find("Service"), parts[0], parts[1] if len(parts) > 1 else namespace)
        return self._name(service).addresses if service else ()

    def _name(self, service: Object) -> Name:
        spec = service.get("spec", {})
        address = str(spec.get("clusterIP") or "")
        headless = address == "None"
        endpoints = self._endpoints(service)
        found = endpoints if headless else ((address,) if address else ())
        ports = tuple(each["port"] for each in spec.get("ports") or () if isinstance(each.get("port"), int))
        return Name(name_of(service), namespace_of(service), found, ports, endpoints, headless)

    def _endpoints(self, service: Object) -> tuple[str, ...]:
        endpoints = self._store.get(find("Endpoints"), name_of(service), namespace_of(service)) or {}
        return tuple(each["ip"] for subset in endpoints.get("subsets") or () for each in subset.get("addresses") or ())
