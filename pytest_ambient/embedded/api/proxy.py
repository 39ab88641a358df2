"""HTTP to pods and Services through the API."""

from aiohttp import web

from ..kubelet.protocol import Kubelet, PodUnreachable
from ..objects import Object, labels_of
from .errors import ApiError, bad_request, not_found
from .resources import find
from .route import Target
from .store import Store

_PODS, _SERVICES = find("Pod"), find("Service")
_HOP = frozenset({
    "connection", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade",
    "transfer-encoding", "authorization", "content-length", "content-encoding", "accept-encoding",
})  # fmt: skip


async def serve(request: web.BaseRequest, store: Store, kubelet: Kubelet, about: Target) -> web.StreamResponse:
    """Pass the request on to the pod, or a pod of the Service, that its path names."""
    _, name, port = _named(about.name)
    if about.resource.key == _PODS.key:
        pod = store.get(_PODS, name, about.namespace)
        if pod is None:
            raise not_found(_PODS, name)
        number = int(port) if port.isdigit() else _port_of(pod, port)
    else:
        pod, number = _behind(store, name, about.namespace, port)
    path = "/" + about.rest + (f"?{request.query_string}" if request.query_string else "")
    headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP}
    body = await request.content.read()
    try:
        status, answered, data = await kubelet.fetch(pod, number, path, request.method, headers, body)
    except PodUnreachable as fault:
        address = pod.get("status", {}).get("podIP", "")
        why = str(fault) or f"dial tcp {address}:{number}: connect: connection refused"
        raise ApiError(503, "ServiceUnavailable", f"error trying to reach service: {why}") from fault
    kept = {key: value for key, value in answered.items() if key.lower() not in _HOP}
    return web.Response(status=status, headers=kept, body=data)


def _named(text: str) -> tuple[str, str, str]:
    """Scheme, name and port of `[scheme:]name[:port]`."""
    parts = text.split(":")
    if len(parts) == 1:
        return "http", parts[0], ""
    if len(parts) == 2:
        return "http", parts[0], parts[1]
    if parts[0] not in ("", "http"):
        raise bad_request(f"the embedded cluster proxies http only, not {parts[0]}")
    return "http", parts[1], parts[2]


def _port_of(pod: Object, name: str) -> int:
    """The number of a container port by its name; the first one of all when no name is given."""
    ports = [each for container in pod["spec"].get("containers", ()) for each in container.get("ports") or ()]
    for each in ports:
        if not name or each.get("name") == name:
            return int(each["containerPort"])
    if not name:
        return 80
    raise bad_request(f'pod has no port named "{name}"')


def _behind(store: Store, name: str, namespace: str, port: str) -> tuple[Object, int]:
    """A ready pod of a Service, and its port."""
    service = store.get(_SERVICES, name, namespace)
    if service is None:
        raise not_found(_SERVICES, name)
    ports = service["spec"].get("ports") or ()
    wanted = [each for each in ports if not port or port in (str(each["port"]), each.get("name"))]
    selector = service["spec"].get("selector") or {}
    pods = store.list(_PODS, namespace, selector) if selector else []
    ready = [each for each in pods if _ready(each)]
    if not wanted or not ready:
        raise ApiError(503, "ServiceUnavailable", f'no endpoints available for service "{name}"')
    target = wanted[0].get("targetPort", wanted[0]["port"])
    return ready[0], target if isinstance(target, int) else _port_of(ready[0], target)


def _ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions) and bool(labels_of(pod))
