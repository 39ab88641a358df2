"""Services: their virtual addresses, and the endpoints behind them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ..addresses import Addresses
from ..api.copying import copied
from ..api.errors import Cause, invalid
from ..api.store import Change, Store, find, timestamp
from ..objects import Object, labels_of, name_of, namespace_of
from . import slices
from .owned import ready
from .queue import Controller, Key, itself

_SERVICE, _POD = find("Service"), find("Pod")
_ENDPOINTS, _SLICE = find("Endpoints"), find("EndpointSlice", "discovery.k8s.io")
_MANAGER = "endpointslice-controller.k8s.io"
_Ports = tuple[tuple[str, int, str, str], ...]


class VirtualAddresses:
    """Completes Services as they are written, and takes their addresses back when they go."""

    def __init__(self, store: Store, addresses: Addresses) -> None:
        self._pool = addresses.services
        store.admit(_SERVICE, self._complete)
        self._unsubscribe = store.subscribe(self._seen)

    def stop(self) -> None:
        """Take back no more addresses."""
        self._unsubscribe()

    def _complete(self, new: Object, old: Object | None) -> None:
        spec = new.setdefault("spec", {})
        before = (old or {}).get("spec", {})
        if spec.get("type") == "ExternalName":
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
                spec.pop(field, None)
            return
        given, kept = spec.get("clusterIP") or "", before.get("clusterIP") or ""
        if kept:
            if given not in ("", kept):
                cause = Cause("spec.clusterIPs[0]", f'Invalid value: ["{given}"]: may not change once set')
                raise invalid(_SERVICE, name_of(new), [cause])
            spec["clusterIP"] = kept
        elif given and given != "None" and not self._pool.reserve(given):
            text = f'Invalid value: ["{given}"]: failed to allocate IP {given}: it is not a free address of the cluster'
            raise invalid(_SERVICE, name_of(new), [Cause("spec.clusterIPs", text)])
        elif not given:
            spec["clusterIP"] = self._pool.take()
        spec["clusterIPs"] = [spec["clusterIP"]]
        spec.setdefault("ipFamilies", ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "SingleStack")

    def _seen(self, change: Change) -> None:
        if change.resource == _SERVICE:
            now = {} if change.type == "DELETED" else change.object["spec"]
            before = (change.object if change.type == "DELETED" else change.old or {}).get("spec", {})
            if before.get("clusterIP") and not now.get("clusterIP"):
                self._pool.give_back(str(before["clusterIP"]))


class EndpointLists(Controller):
    """Keeps the EndpointSlices and the Endpoints of each Service that has a selector."""

    def touched(self, change: Change) -> Iterable[Key]:
        """A Service itself, and those that select a pod, before or after its change."""
        if change.resource == _SERVICE:
            return (itself(change),)
        if change.resource != _POD:
            return ()
        pods = [each for each in (change.object, change.old) if each]
        services = self.store.list(_SERVICE, namespace_of(change.object))
        return [(namespace_of(each), name_of(each)) for each in services if any(_selects(each, pod) for pod in pods)]

    def reconcile(self, namespace: str, name: str) -> None:
        """Bring one Service's endpoints to what its pods are."""
        service = self.store.get(_SERVICE, name, namespace)
        if service is None:
            if self.store.get(_ENDPOINTS, name, namespace):
                self.store.delete(_ENDPOINTS, name, namespace)
            return
        if not service["spec"].get("selector"):
            return
        pods = [each for each in self.store.list(_POD, namespace) if _selects(service, each) and _serves(each)]
        groups: dict[_Ports, list[Object]] = defaultdict(list)
        for pod in pods:
            groups[tuple(_ports(service, pod))].append(pod)
        self._write_endpoints(service, groups)
        self._write_slices(service, groups)

    def _write_endpoints(self, service: Object, groups: dict[_Ports, list[Object]]) -> None:
        subsets = []
        everyone = bool(service["spec"].get("publishNotReadyAddresses"))
        for ports, pods in groups.items():
            up = [_address(service, each) for each in pods if everyone or ready(each)]
            down = [_address(service, each) for each in pods if not everyone and not ready(each)]
            subset = {"addresses": up, "notReadyAddresses": down, "ports": [_endpoint_port(each) for each in ports]}
            subsets.append({key: value for key, value in subset.items() if value})
        name, namespace = name_of(service), namespace_of(service)
        wanted: Object = {"metadata": {"name": name, "namespace": namespace, "labels": dict(labels_of(service))}}
        wanted |= {"subsets": subsets} if subsets else {}
        known = self.store.get(_ENDPOINTS, name, namespace)
        if known is None:
            self.store.create(_ENDPOINTS, wanted)
        else:
            self.store.replace(_ENDPOINTS, {**wanted, "metadata": known["metadata"] | wanted["metadata"]})

    def _write_slices(self, service: Object, groups: dict[_Ports, list[Object]]) -> None:
        name, namespace = name_of(service), namespace_of(service)
        known = self.store.list(_SLICE, namespace, {slices.OF: name, slices.MANAGED: _MANAGER})
        left = {repr(each.get("ports")): each for each in known}
        for ports, pods in (groups or {(): []}).items():
            named = [_endpoint_port(each) for each in ports]
            old = left.pop(repr(named), None)
            everyone = bool(service["spec"].get("publishNotReadyAddresses"))
            endpoints = [_endpoint(service, each, everyone=everyone) for each in pods]
            if old:
                self.store.replace(_SLICE, copied(old) | {"endpoints": endpoints})
            else:
                self.store.create(_SLICE, _slice(service) | {"ports": named, "endpoints": endpoints})
        for each in left.values():
            self.store.delete(_SLICE, name_of(each), namespace)


def _selects(service: Object, pod: Object) -> bool:
    selector = service["spec"].get("selector") or {}
    return bool(selector) and selector.items() <= labels_of(pod).items()


def _serves(pod: Object) -> bool:
    status = pod.get("status", {})
    return bool(status.get("podIP")) and status.get("phase") not in ("Succeeded", "Failed")


def _ports(service: Object, pod: Object) -> Iterator[tuple[str, int, str, str]]:
    """Name, target port, protocol and application protocol of each port that the pod has."""
    named = {
        each["name"]: int(each["containerPort"])
        for container in pod["spec"]["containers"]
        for each in container.get("ports") or ()
        if "name" in each
    }
    for each in service["spec"].get("ports") or ():
        target = each.get("targetPort", each["port"])
        number = named.get(target) if isinstance(target, str) else int(target)
        if number:
            yield str(each.get("name", "")), number, str(each.get("protocol", "TCP")), str(each.get("appProtocol", ""))


def _endpoint_port(port: tuple[str, int, str, str]) -> Object:
    name, number, protocol, application = port
    found: Object = {"name": name} if name else {}
    return found | {"port": number, "protocol": protocol} | ({"appProtocol": application} if application else {})


def _address(service: Object, pod: Object) -> Object:
    where = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName", ""), "targetRef": _target(pod)}
    return where | _called(service, pod)


def _called(service: Object, pod: Object) -> Object:
    """The host name that a pod has below the Service that it names."""
    hostname, subdomain = pod["spec"].get("hostname"), pod["spec"].get("subdomain")
    return {"hostname": hostname} if hostname and subdomain == name_of(service) else {}


def _target(pod: Object) -> Object:
    return {"kind": "Pod", "name": name_of(pod), "namespace": namespace_of(pod), "uid": pod["metadata"]["uid"]}


def _endpoint(service: Object, pod: Object, *, everyone: bool) -> Object:
    leaving = "deletionTimestamp" in pod["metadata"]
    up = everyone or ready(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": up, "serving": up, "terminating": leaving},
        "nodeName": pod["spec"].get("nodeName", ""),
        "targetRef": _target(pod),
        **_called(service, pod),
    }


def _slice(service: Object) -> Object:
    made = slices.empty(service, _MANAGER)
    made["metadata"]["annotations"] = {"endpoints.kubernetes.io/last-change-trigger-time": timestamp()}
    return made
