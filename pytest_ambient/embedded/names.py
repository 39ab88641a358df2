"""What the cluster's names mean: Service names to addresses, as a pod of some namespace writes them.

Names of ServiceEntries only ztunnel knows, which answers for DNS in captured pods.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .addresses import Lent
from .api.store import Store, find
from .entries import GROUP, addresses, callable_at, host_items, key_of_host, seen_from
from .objects import Object, name_of, namespace_of

_LOW = 1024
CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Name:
    """A Service or a ServiceEntry's host: the addresses that its name stands for, and its ports."""

    service: str
    namespace: str
    addresses: tuple[str, ...]
    ports: tuple[int, ...]
    endpoints: tuple[str, ...] = ()
    headless: bool = False
    host: str = ""
    """The name that a ServiceEntry gives it."""
    shown: tuple[str, ...] = ()
    """The addresses that a ServiceEntry shows for it; it is served at another one."""

    @property
    def literals(self) -> tuple[str, ...]:
        """The addresses by which it may be called."""
        return self.shown if self.host else () if self.headless else self.addresses[:1]

    @property
    def low_ports(self) -> tuple[int, ...]:
        """Its ports that are served elsewhere on this machine."""
        return tuple(port for port in self.ports if port < _LOW)

    def spellings(self, namespace: str) -> tuple[str, ...]:
        """What a pod of `namespace` may call it, shortest first."""
        if self.host:
            return self._aliases(namespace)
        long = f"{self.service}.{self.namespace}"
        full = f"{long}.svc.{CLUSTER_DOMAIN}"
        short = (self.service,) if namespace == self.namespace else ()
        return (*short, long, f"{long}.svc", full, f"{full}.")

    def _aliases(self, namespace: str) -> tuple[str, ...]:
        """A host that looks like a Service's name has that name's short forms, too."""
        host, long = self.host.rstrip("."), self.host.rstrip(".").removesuffix(f".svc.{CLUSTER_DOMAIN}")
        if long == host or long.count(".") != 1:
            return (host, f"{host}.")
        name, _, own = long.partition(".")
        return (*((name,) if own == namespace else ()), long, f"{long}.svc", host, f"{host}.")


class Names:
    """The names of all Services, read from the store."""

    def __init__(self, store: Store, lent: Lent) -> None:
        """`lent` says where the hosts of ServiceEntries are served."""
        self._store, self._lent = store, lent

    def keep(self) -> None:
        """Take back where hosts were served that are gone."""
        items = host_items(self._store.list(find("ServiceEntry", GROUP)), ())
        self._lent.only(key_of_host(namespace_of(each), each["host"]) for each in items)

    def all(self) -> list[Name]:
        """Every Service that has an address, and the pods that have a name below a headless one."""
        services = self._store.list(find("Service"))
        found = [name for name in map(self._name, services) if name.addresses]
        return [*found, *(pod for name in found if name.headless for pod in self._pods(name))]

    def hosts(self, namespaces: Iterable[str]) -> dict[str, list[Name]]:
        """Every host of a ServiceEntry that has an address, as captured pods of each namespace know it."""
        entries = self._store.list(find("ServiceEntry", GROUP))
        services = self._store.list(find("Service")) if entries else []
        items = [each for each in host_items(entries, services) if callable_at(addresses(each))]
        return {each: [self._host(item) for item in seen_from(items, services, each)] for each in namespaces}

    def resolve(self, host: str, namespace: str, *, captured: bool = False) -> tuple[str, ...]:
        """The addresses of a name as a pod of `namespace`, captured or not, writes it; none when it is unknown."""
        known = self.hosts([namespace])[namespace] if captured else ()
        if found := next((each for each in known if host in (*each.spellings(namespace), *each.literals)), None):
            return found.addresses
        parts = host.removesuffix(".").split(".")
        if parts[2:] in ([], ["svc"], ["svc", *CLUSTER_DOMAIN.split(".")]):
            service = self._store.get(find("Service"), parts[0], parts[1] if len(parts) > 1 else namespace)
            if service:
                return self._name(service).addresses
        pods = (each for each in self.all() if each.headless and "." in each.service)
        return next((each.addresses for each in pods if host in each.spellings(namespace)), ())

    def _host(self, item: Object) -> Name:
        namespace, host, shown = namespace_of(item), str(item["host"]), callable_at(addresses(item))
        ports = tuple(int(each["port"]) for each in item["spec"]["ports"])
        return Name(
            name_of(item), namespace, (self._lent.of(key_of_host(namespace, host)),), ports, host=host, shown=shown
        )

    def _name(self, service: Object) -> Name:
        spec = service.get("spec", {})
        if spec.get("type") == "ExternalName":
            return self._elsewhere(service, str(spec.get("externalName", "")))
        address = str(spec.get("clusterIP") or "")
        headless = address == "None"
        endpoints = self._endpoints(service)
        found = endpoints if headless else ((address,) if address else ())
        ports = tuple(each["port"] for each in spec.get("ports") or () if isinstance(each.get("port"), int))
        return Name(name_of(service), namespace_of(service), found, ports, endpoints, headless)

    def _elsewhere(self, service: Object, host: str) -> Name:
        """Another name for what `host` is: a Service of this cluster, else what a resolver knows."""
        name, namespace = name_of(service), namespace_of(service)
        parts = host.removesuffix(".").removesuffix(f".svc.{CLUSTER_DOMAIN}").split(".")
        if not host.removesuffix(".").endswith(f".svc.{CLUSTER_DOMAIN}") or len(parts) != 2:
            return Name(name, namespace, (host,), (), headless=True)
        found = self._store.get(find("Service"), parts[0], parts[1])
        if found is None or found.get("spec", {}).get("type") == "ExternalName":
            return Name(name, namespace, (), ())
        return replace(self._name(found), service=name, namespace=namespace)

    def _pods(self, name: Name) -> Iterator[Name]:
        endpoints = self._store.get(find("Endpoints"), name.service, name.namespace) or {}
        for subset in endpoints.get("subsets") or ():
            for each in subset.get("addresses") or ():
                if "hostname" in each:
                    called, own = f"{each['hostname']}.{name.service}", (str(each["ip"]),)
                    yield Name(called, name.namespace, own, name.ports, own, headless=True)

    def _endpoints(self, service: Object) -> tuple[str, ...]:
        endpoints = self._store.get(find("Endpoints"), name_of(service), namespace_of(service)) or {}
        return tuple(each["ip"] for subset in endpoints.get("subsets") or () for each in subset.get("addresses") or ())
